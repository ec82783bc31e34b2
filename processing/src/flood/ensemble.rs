//! The vote arithmetic of the Copernicus Global Flood Monitoring ensemble (PDD table 18), and who votes.

use super::change::changed;
use super::radar::{self, Bands, Thresholds, Water};

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

/// One radar look by the vote of its algorithms: regions from dark seeds, every cell by itself, and, where there is a
/// reference look of the same relative orbit, change against it. All in filtered decibel.
pub fn radar_look(look: Bands, reference: Option<Bands>, width: usize, at: &Thresholds) -> Water {
    let algorithms = [
        Some(radar::regions(look, width, &at.otsu)),
        Some(radar::by_cell(look, &at.loose())),
        reference.map(|reference| changed(look, reference, at)),
    ];
    let algorithms: Vec<&Water> = algorithms.iter().flatten().collect();
    let mut said = Vec::with_capacity(algorithms.len());
    Water::of((0..look.len()).map(|cell| {
        said.clear();
        said.extend(
            algorithms
                .iter()
                .map(|one| (one.water[cell], one.likelihood[cell])),
        );
        let Vote { flooded, likelihood } = vote(&said);
        (
            flooded.map_or(f32::NAN, |wet| f32::from(u8::from(wet))),
            likelihood,
        )
    }))
}

/// The same for a whole image of linear power without a reference; `None` without a band.
pub fn radar_image(vv: Option<&[f32]>, vh: Option<&[f32]>, width: usize) -> Option<Water> {
    let vv = vv.map(|band| radar::filtered(band, width));
    let vh = vh.map(|band| radar::filtered(band, width));
    let look = Bands {
        vv: vv.as_deref(),
        vh: vh.as_deref(),
    };
    let at = Thresholds::of_image(look, width);
    (!look.is_empty()).then(|| radar_look(look, None, width, &at))
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
