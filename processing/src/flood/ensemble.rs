//! The vote arithmetic of the Copernicus Global Flood Monitoring ensemble (PDD table 18), and who votes.

use super::change::changed;
use super::optical::{self, Spectrum};
use super::radar::{self, Bands, Join, Rule, Thresholds, Water};

/// What the algorithms say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vote {
    /// True when more than half of the delivering algorithms say so; `None` when none delivers: not classified.
    pub flooded: Option<bool>,
    /// Mean of the delivering algorithms' likelihoods, 0 to 100; NaN when none delivers.
    pub likelihood: f32,
}

/// Counts votes and averages likelihoods; an algorithm that delivers nothing has NaN for both.
///
/// ```
/// use sen_processing::flood::ensemble::vote;
/// assert_eq!(vote(&[(1.0, 80.0), (0.0, 30.0)]).flooded, Some(false)); // one of two is no majority
/// assert_eq!(vote(&[(1.0, 80.0), (f32::NAN, f32::NAN)]).flooded, Some(true)); // one of one is
/// assert_eq!(vote(&[(f32::NAN, f32::NAN)]).flooded, None);
/// assert_eq!(vote(&[(1.0, 90.0), (1.0, 60.0), (0.0, 30.0)]).likelihood, 60.0);
/// ```
pub fn vote(algorithms: &[(f32, f32)]) -> Vote {
    let (mut delivering, mut flooded, mut sum) = (0_u32, 0_u32, 0.0);
    for &(water, likelihood) in algorithms {
        if !water.is_nan() {
            delivering += 1;
            flooded += u32::from(water > 0.5);
            sum += likelihood;
        }
    }
    Vote {
        flooded: (delivering > 0).then_some(2 * flooded > delivering),
        likelihood: if delivering > 0 {
            sum / delivering as f32
        } else {
            f32::NAN
        },
    }
}

/// One radar look by its algorithms: regions from dark seeds, every cell by itself, and, where there is a reference look of the
/// same relative orbit, change against it. Three vote; of two that disagree the rule says what they come to. All in filtered
/// decibel.
pub fn radar_look(
    look: Bands,
    reference: Option<Bands>,
    width: usize,
    at: &Thresholds,
    rule: &Rule,
) -> Water {
    let algorithms = [
        Some(radar::regions(look, width, at, rule)),
        Some(radar::by_cell(look, at)),
        reference.map(|reference| changed(look, reference, at)),
    ];
    let algorithms: Vec<&Water> = algorithms.iter().flatten().collect();
    let mut said = Vec::with_capacity(algorithms.len());
    Water::of((0..look.len()).map(|cell| {
        said.clear();
        said.extend(
            algorithms
                .iter()
                .map(|one| (one.water[cell], one.likelihood[cell]))
                .filter(|(water, _)| !water.is_nan()),
        );
        let Vote {
            mut flooded,
            likelihood,
        } = vote(&said);
        if let [one, other] = said[..]
            && one.0 != other.0
        {
            flooded = Some(rule.join == Join::Union || likelihood >= 50.0);
        }
        (
            flooded.map_or(f32::NAN, |wet| f32::from(u8::from(wet))),
            likelihood,
        )
    }))
}

/// One cell of an optical look by the vote of DSWx without a canopy, MNDWI and NDWI. `(class, likelihood)`: 1 open water by
/// the majority; 2 partly water, where DSWx alone sees water; 0 none; NaN where a band has no value.
///
/// ```
/// use sen_processing::flood::ensemble::optical_cell;
/// use sen_processing::flood::optical::{Spectrum, Thresholds};
/// let (blue, red, swir16, swir22) = (0.07, 0.07, 0.02, 0.01);
/// let of = |green, nir, swir16| {
///     optical_cell(&Spectrum { blue, green, red, nir, swir16, swir22 }, &Thresholds::default()).0
/// };
/// assert_eq!(of(0.09, 0.05, swir16), 1.0); // clear water: three of three
/// assert_eq!(of(0.09, 0.10, swir16), 1.0); // silt is bright in the near infrared: two of three
/// assert_eq!(of(0.09, 0.12, swir16), 2.0); // NDVI 0.26: plants stand in it, MNDWI alone says open water
/// assert_eq!(of(0.09, 0.30, 0.25), 0.0); // a field
/// ```
pub fn optical_cell(spectrum: &Spectrum, at: &optical::Thresholds) -> (f32, f32) {
    let (dswx, tests_met) = spectrum.water(at.ndvi);
    if dswx.is_nan() {
        return (f32::NAN, f32::NAN);
    }
    let Vote { flooded, likelihood } = vote(&[
        (f32::from(u8::from(dswx == 1.0)), tests_met),
        optical::told(spectrum.mndwi(), at.mndwi),
        optical::told(spectrum.ndwi(), at.ndwi),
    ]);
    let class = match flooded {
        Some(true) => 1.0,
        _ if dswx > 0.0 => 2.0,
        _ => 0.0,
    };
    (class, likelihood)
}

/// One map from an optical and a radar look of the same ground: where the optical one is clear it decides, because it
/// is the more accurate of the two (docs/accuracy.md); elsewhere the radar one. The likelihood is the mean of both.
pub fn fused(optical: (f32, f32), radar: (f32, f32)) -> (f32, f32) {
    let likelihood = vote(&[optical, radar]).likelihood;
    if optical.0.is_nan() {
        (radar.0, likelihood)
    } else {
        (optical.0, likelihood)
    }
}
