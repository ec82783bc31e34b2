//! Water in one radar look, from VV and VH, by two algorithms; a third is `change`, and `ensemble` lets them vote.
//!
//! Smooth water reflects the beam away: it is dark in both polarisations. How dark depends on wind, angle and processing,
//! so that the threshold is looked for in the scene itself, where tiles show two humps, and held within published
//! bounds; where no tile does, a fixed one is used. VH decides, because it suffers less from wind; VV may not contradict,
//! unless VH is darker than land is.

use super::decibel;
use super::regions::grow;
use super::speckle::{LOOKS, lee};
use super::threshold::{Bimodal, Split, percentile};

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
/// VH in decibel below which a cell is water whatever VV says: the cap of ASF's HyP3, which joins VV and VH. Wind makes VV
/// of open water as bright as land (-11 dB and more), for its waves send the beam straight back; they hardly turn its
/// polarisation, so that VH stays near the noise. Land that is as dark in VH (sand, asphalt) is mostly dark in VV too; OPERA
/// DSWx-S1 calls land dark below -22.8 dB. No ratio of VV to VH is asked for: near the noise it says nothing.
pub const VH_ALONE: f32 = -23.0;
/// Half the width in decibel of the ramp from certain to impossible.
const RAMP: f32 = 3.0;

/// The constants that are this project's own, in decibel; `validate::holdout` tries others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// By how much a seed must be darker than the VH threshold.
    pub seed: f32,
    /// By how much the grown rest may be brighter than the VH threshold.
    pub rest: f32,
    /// By how much VV of the grown rest may be brighter than its threshold: wind roughens water in VV first.
    pub wind: f32,
    /// What two methods that disagree come to.
    pub join: Join,
}

/// What two methods that disagree on a cell come to, where no third one votes. That both must agree is no choice: each misses
/// what the other finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Water.
    Union,
    /// Water where their mean likelihood is at least 50.
    Likelihood,
}

/// The rule in use.
pub const RULE: Rule = Rule {
    seed: 2.0,
    rest: 0.5,
    wind: 3.0,
    join: Join::Union,
};

/// Thresholds of a scene in decibel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Of VV.
    pub vv: f32,
    /// Of VH.
    pub vh: f32,
    /// Tiles with two humps they come from, 0 when the fixed ones are used.
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
    /// From the tiles' thresholds of each polarisation: the higher of the medians of Otsu's and of Kittler's and Illingworth's, each
    /// method's thresholds outside the bounds dropped for themselves. Where a method has none left, the other one's is used.
    pub fn from_tiles(vv: &[Split], vh: &[Split]) -> Self {
        let higher = |rule: &Bimodal, tiles: &[Split]| {
            let otsu = rule.within(tiles.iter().map(|tile| tile.otsu));
            let kittler = rule.within(tiles.iter().map(|tile| tile.kittler));
            otsu.into_iter().chain(kittler).reduce(f32::max)
        };
        let (of_vv, of_vh) = (higher(&VV, vv), higher(&VH, vh));
        Self {
            vv: of_vv.unwrap_or(VV_DEFAULT),
            vh: of_vh.unwrap_or(VH_DEFAULT),
            tiles: match (of_vh, of_vv) {
                (Some(_), _) => vh.len(),
                (None, Some(_)) => vv.len(),
                (None, None) => 0,
            },
        }
    }

    /// Of a whole image.
    pub fn of_image(bands: Bands, width: usize) -> Self {
        let tiles = |band: Option<&[f32]>, rule: &Bimodal| {
            band.map(|band| rule.tiles(band, width)).unwrap_or_default()
        };
        Self::from_tiles(&tiles(bands.vv, &VV), &tiles(bands.vh, &VH))
    }
}

/// One radar image as filtered decibel; a polarisation may lack.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bands<'a> {
    /// VV.
    pub vv: Option<&'a [f32]>,
    /// VH.
    pub vh: Option<&'a [f32]>,
}

impl Bands<'_> {
    /// Number of cells; 0 without a band.
    pub fn len(&self) -> usize {
        self.vh.or(self.vv).map_or(0, <[f32]>::len)
    }

    /// True without a band.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// VV and VH of a cell: NaN where the cell was not seen in every band there is, infinitely dark for a band that
    /// lacks, so that the other one decides alone.
    fn cell(&self, cell: usize) -> (f32, f32) {
        let of = |band: Option<&[f32]>| band.map_or(f32::NEG_INFINITY, |band| band[cell]);
        let (vv, vh) = (of(self.vv), of(self.vh));
        if vv.is_nan() || vh.is_nan() {
            (f32::NAN, f32::NAN)
        } else {
            (vv, vh)
        }
    }
}

/// What one algorithm says of a look.
#[derive(Clone, Debug)]
pub struct Water {
    /// 1 water, 0 none, NaN where the algorithm says nothing.
    pub water: Vec<f32>,
    /// 0 to 100, NaN where the algorithm says nothing; 50 at the threshold.
    pub likelihood: Vec<f32>,
}

impl Water {
    /// From each cell's water and likelihood.
    pub(super) fn of(cells: impl Iterator<Item = (f32, f32)>) -> Self {
        let (water, likelihood) = cells.unzip();
        Self { water, likelihood }
    }
}

/// Linear power without speckle, as decibel.
pub fn filtered(values: &[f32], width: usize) -> Vec<f32> {
    let mut out = lee(values, width, FILTER_REACH, LOOKS);
    for value in &mut out {
        *value = decibel(*value);
    }
    out
}

/// From 1 (dark enough by [`RAMP`]) through 0.5 at the threshold to 0.
pub(super) fn ramp(value: f32, threshold: f32) -> f32 {
    (0.5 + (threshold - value) / (2.0 * RAMP)).clamp(0.0, 1.0)
}

/// First algorithm: regions grown from dark seeds. VH leads; VV may not contradict, except where VH is
/// so dark that it needs no other ([`VH_ALONE`], or the scene's threshold where that is stricter).
pub fn regions(bands: Bands, width: usize, at: &Thresholds, rule: &Rule) -> Water {
    let cells = || (0..bands.len()).map(|cell| bands.cell(cell));
    let (seed, rest): (Vec<bool>, Vec<bool>) = if bands.vh.is_some() {
        let alone = VH_ALONE.min(at.vh);
        cells()
            .map(|(vv, vh)| {
                let seed = vh < at.vh - rule.seed && vv < at.vv;
                let rest = vh < at.vh + rule.rest && vv < at.vv + rule.wind;
                (seed || vh < alone, rest || vh < alone)
            })
            .unzip()
    } else {
        cells().map(|(vv, _)| (vv < at.vv, vv < at.vv)).unzip()
    };
    let grown = grow(&seed, &rest, width, GROWTH);
    Water::of(cells().zip(grown).map(|((vv, vh), water)| {
        if vh.is_nan() {
            return (f32::NAN, f32::NAN);
        }
        let likelihood = match (bands.vv, bands.vh) {
            (Some(_), Some(_)) => (2.0 * ramp(vh, at.vh) + ramp(vv, at.vv + rule.wind / 2.0)) / 3.0,
            (None, _) => ramp(vh, at.vh),
            (_, None) => ramp(vv, at.vv),
        };
        (f32::from(u8::from(water)), 100.0 * likelihood)
    }))
}

/// Second algorithm: each cell by itself, VH below its threshold; VV where there is no VH. VV beside it would add wet and smooth
/// fields, which are dark in VV as water is and brighter in VH.
pub fn by_cell(bands: Bands, at: &Thresholds) -> Water {
    Water::of((0..bands.len()).map(|cell| {
        let (vv, vh) = bands.cell(cell);
        if vh.is_nan() {
            return (f32::NAN, f32::NAN);
        }
        let likelihood = if bands.vh.is_some() {
            ramp(vh, at.vh)
        } else {
            ramp(vv, at.vv)
        };
        (f32::from(u8::from(likelihood > 0.5)), 100.0 * likelihood)
    }))
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
