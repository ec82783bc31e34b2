//! Water in one radar look, from VV and VH.
//!
//! Smooth water reflects the beam away: it is dark in both polarisations. How dark depends on wind, angle and processing,
//! so that the threshold is looked for in the scene itself, where tiles show two humps, and held within published
//! bounds; where no tile does, a fixed one is used. VH decides, because it suffers less from wind; VV may not contradict.

use super::decibel;
use super::regions::grow;
use super::speckle::{LOOKS, lee};
use super::threshold::{Bimodal, percentile};

/// Radius of the Lee filter: 7 x 7 cells.
pub const FILTER_REACH: usize = 3;
/// Cells that a region may grow from its seeds.
pub const GROWTH: usize = 12;
/// Where the VH threshold is looked for. Bounds, and 0.7: OPERA DSWx-S1, algorithm_parameter_s1.yaml.
pub const VH: Bimodal = Bimodal {
    tile: 128,
    between: 0.7,
    share: 0.1,
    bounds: (-28.0, -18.0),
};
/// Where the VV threshold is looked for. Bounds: OPERA DSWx-S1.
pub const VV: Bimodal = Bimodal {
    bounds: (-28.0, -11.0),
    ..VH
};
/// VH threshold of a scene without two humps: near the median (-21.6 dB) of the twelve thresholds that the authors of
/// Sen1Floods11 published for their events.
pub const VH_DEFAULT: f32 = -21.0;
/// VV threshold of a scene without two humps: the cap of ASF's HyP3 (-15.5 dB).
pub const VV_DEFAULT: f32 = -15.5;
/// Decibel by which a seed must be darker than the VH threshold.
const SEED: f32 = 2.0;
/// Decibel by which the grown rest may be brighter than the VH threshold.
const REST: f32 = 0.5;
/// Decibel by which VV may be brighter than its threshold: wind roughens water in VV first.
const WIND: f32 = 3.0;
/// Half the width in decibel of the ramp from certain to impossible.
const RAMP: f32 = 3.0;

/// Thresholds of a scene in decibel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Of VV.
    pub vv: f32,
    /// Of VH.
    pub vh: f32,
    /// Tiles with two humps in VH they come from, 0 when the fixed ones are used.
    pub tiles: usize,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            vv: VV_DEFAULT,
            vh: VH_DEFAULT,
            tiles: 0,
        }
    }
}

impl Thresholds {
    /// From the tiles' thresholds of each polarisation.
    pub fn from_tiles(vv: &[f32], vh: &[f32]) -> Self {
        Self {
            vv: VV.threshold(vv).unwrap_or(VV_DEFAULT),
            vh: VH.threshold(vh).unwrap_or(VH_DEFAULT),
            tiles: if vh.is_empty() { vv.len() } else { vh.len() },
        }
    }
}

/// What one look shows.
#[derive(Clone, Debug)]
pub struct Water {
    /// 1 water, 0 none, NaN not seen.
    pub water: Vec<f32>,
    /// 0 to 100, NaN not seen; 50 at the threshold.
    pub likelihood: Vec<f32>,
}

/// Linear power without speckle, as decibel.
pub fn filtered(values: &[f32], width: usize) -> Vec<f32> {
    let mut out = lee(values, width, FILTER_REACH, LOOKS);
    for value in &mut out {
        *value = decibel(*value);
    }
    out
}

/// Thresholds of a whole image of filtered decibel.
pub fn thresholds(vv: Option<&[f32]>, vh: Option<&[f32]>, width: usize) -> Thresholds {
    let tiles =
        |band: Option<&[f32]>, rule: &Bimodal| band.map(|band| rule.tiles(band, width)).unwrap_or_default();
    Thresholds::from_tiles(&tiles(vv, &VV), &tiles(vh, &VH))
}

/// Water in filtered decibel by the given thresholds; one of the bands may lack. `None` without any.
pub fn water(vv: Option<&[f32]>, vh: Option<&[f32]>, width: usize, at: &Thresholds) -> Option<Water> {
    let (first, seed, rest): (_, Vec<bool>, Vec<bool>) = match (vv, vh) {
        (Some(vv), Some(vh)) => {
            let both = |vh_above: f32, vv_above: f32| {
                let pairs = vh.iter().zip(vv);
                pairs
                    .map(|(&h, &v)| h < at.vh + vh_above && v < at.vv + vv_above)
                    .collect()
            };
            (vh, both(-SEED, 0.0), both(REST, WIND))
        }
        (None, Some(vh)) => (vh, below(vh, at.vh - SEED), below(vh, at.vh + REST)),
        (Some(vv), None) => (vv, below(vv, at.vv), below(vv, at.vv)),
        (None, None) => return None,
    };
    let grown = grow(&seed, &rest, width, GROWTH);
    let ramp = |value: f32, middle: f32| (0.5 + (middle - value) / (2.0 * RAMP)).clamp(0.0, 1.0);
    let likelihood = (0..first.len()).map(|cell| match (vv, vh) {
        (Some(vv), Some(vh)) => {
            100.0 * (2.0 * ramp(vh[cell], at.vh) + ramp(vv[cell], at.vv + WIND / 2.0)) / 3.0
        }
        (None, Some(vh)) => 100.0 * ramp(vh[cell], at.vh),
        _ => 100.0 * ramp(first[cell], at.vv),
    });
    let seen = |cell: usize| {
        !first[cell].is_nan()
            && vv.is_none_or(|vv| !vv[cell].is_nan())
            && vh.is_none_or(|vh| !vh[cell].is_nan())
    };
    Some(Water {
        likelihood: likelihood.collect(),
        water: (0..grown.len())
            .map(|cell| {
                if seen(cell) {
                    f32::from(u8::from(grown[cell]))
                } else {
                    f32::NAN
                }
            })
            .collect(),
    })
}

fn below(values: &[f32], threshold: f32) -> Vec<bool> {
    values.iter().map(|&value| value < threshold).collect()
}

/// Decibel by which a cell must have become darker than in the reference of the same relative orbit.
pub const DROP: f32 = -3.0;

/// Change against a reference look of the same relative orbit, both as filtered decibel: 1 where the difference (a
/// subtraction of decibel, not their ratio) is at most [`DROP`] and the look itself lies below `threshold`; NaN where
/// either shows nothing.
pub fn change(after: &[f32], before: &[f32], threshold: f32) -> Vec<f32> {
    let pairs = after.iter().zip(before);
    pairs
        .map(|(&after, &before)| {
            let fell = after - before;
            if fell.is_nan() {
                f32::NAN
            } else {
                f32::from(u8::from(fell <= DROP && after < threshold))
            }
        })
        .collect()
}

/// What the numbers of a radar band are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Linear power: positive, mostly below 1.
    Linear,
    /// Decibel: mostly negative, below -1.
    Decibel,
    /// Too few values to tell, or neither.
    Unknown,
}

/// Tells linear power from decibel by the values: a power is never negative, and backscatter of -1 dB or more from most
/// of a scene does not exist.
pub fn units(values: &[f32]) -> Units {
    let mut seen: Vec<f32> = values
        .iter()
        .copied()
        .filter(|v| v.is_finite() && *v != 0.0)
        .collect();
    if seen.len() < 64 {
        return Units::Unknown;
    }
    let negative = seen.iter().filter(|&&value| value < 0.0).count() as f64 / seen.len() as f64;
    let median = percentile(&mut seen, 0.5);
    if negative > 0.5 && median < -1.0 {
        Units::Decibel
    } else if negative < 0.01 && median < 3.0 {
        Units::Linear
    } else {
        Units::Unknown
    }
}

/// Both bands of a whole image, linear power in; what `sen validate` runs on a chip.
pub fn of_image(vv: Option<&[f32]>, vh: Option<&[f32]>, width: usize) -> Option<(Water, Thresholds)> {
    let vv = vv.map(|band| filtered(band, width));
    let vh = vh.map(|band| filtered(band, width));
    let at = thresholds(vv.as_deref(), vh.as_deref(), width);
    water(vv.as_deref(), vh.as_deref(), width, &at).map(|water| (water, at))
}
