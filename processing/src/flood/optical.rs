//! Water in one optical look: the diagnostic tests of OPERA DSWx-HLS (PROTEUS 426a9e7), and MNDWI and NDWI above thresholds
//! that are looked for in the scene. `ensemble` lets the three vote.
//!
//! Reflectance from 0 to 1 in `f32`; values below 0.0001 count as that (PROTEUS clips its numbers times 10000 to 1).

use super::threshold::{Bimodal, Split};

/// Reflectance of one cell.
#[derive(Clone, Copy, Debug)]
pub struct Spectrum {
    /// 492 nm.
    pub blue: f32,
    /// 560 nm.
    pub green: f32,
    /// 665 nm.
    pub red: f32,
    /// 833 or 865 nm.
    pub nir: f32,
    /// 1610 nm.
    pub swir16: f32,
    /// 2200 nm.
    pub swir22: f32,
}

/// What the tests say of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dswx {
    /// Class 0.
    NotWater,
    /// Class 1.
    High,
    /// Class 2.
    Moderate,
    /// Class 3.
    PartialConservative,
    /// Class 4.
    PartialAggressive,
}

impl Dswx {
    /// Open water as DSWx publishes it: high and moderate confidence.
    pub fn is_open(self) -> bool {
        matches!(self, Self::High | Self::Moderate)
    }

    /// Partly water as DSWx publishes it.
    pub fn is_partial(self) -> bool {
        matches!(self, Self::PartialConservative | Self::PartialAggressive)
    }

    /// The class of a combination of the five bits.
    pub fn of_bits(bits: u8) -> Self {
        match bits {
            0b01111 | 0b10111 | 0b11011 | 0b11101 | 0b11110 | 0b11111 => Self::High,
            0b00111 | 0b01011 | 0b01101 | 0b01110 | 0b10011 | 0b10101 | 0b10110 | 0b11001 | 0b11010
            | 0b11100 => Self::Moderate,
            0b11000 => Self::PartialConservative,
            0b00011 | 0b00101 | 0b00110 | 0b01001 | 0b01010 | 0b01100 | 0b10000 | 0b10001 | 0b10010
            | 0b10100 => Self::PartialAggressive,
            _ => Self::NotWater,
        }
    }
}

/// NDVI below which open water is believed: above it a canopy stands in the water, which is partly water.
/// 0.2 is the customary limit of bare ground and water against vegetation.
pub const NDVI_BELOW: f32 = 0.2;
/// Where the MNDWI threshold is looked for: in tiles with two humps, as for radar. Floor 0 (Xu 2006): above it the ground is wet
/// at least; below it Otsu's method parts soil from plants.
pub const MNDWI: Bimodal = Bimodal {
    tile: 128,
    between: 0.7,
    share: 0.1,
    bounds: (0.0, 1.0),
};
/// Where the NDWI threshold is looked for. Floor 0: McFeeters 1996.
pub const NDWI: Bimodal = MNDWI;
/// MNDWI threshold of a scene without two humps: the first test of DSWx.
pub const MNDWI_ABOVE: f32 = 0.124;
/// NDWI threshold of a scene without two humps: McFeeters 1996.
pub const NDWI_ABOVE: f32 = 0.0;
/// Half the width of the ramp from certain to impossible, in units of an index.
const RAMP: f32 = 0.25;

/// Thresholds of a scene.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Water lies above it.
    pub mndwi: f32,
    /// Water lies above it.
    pub ndwi: f32,
    /// Open water without a canopy lies below it.
    pub ndvi: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::from_tiles(&[], &[])
    }
}

impl Thresholds {
    /// From the tiles' thresholds of each index, by Otsu.
    pub fn from_tiles(mndwi: &[Split], ndwi: &[Split]) -> Self {
        let of = |rule: &Bimodal, tiles: &[Split]| rule.held(tiles.iter().map(|tile| tile.otsu));
        Self {
            mndwi: of(&MNDWI, mndwi).unwrap_or(MNDWI_ABOVE),
            ndwi: of(&NDWI, ndwi).unwrap_or(NDWI_ABOVE),
            ndvi: NDVI_BELOW,
        }
    }

    /// Of a whole image, row by row.
    pub fn of_image(cells: &[Spectrum], width: usize) -> Self {
        let tiles = |rule: &Bimodal, index: fn(&Spectrum) -> f32| {
            let values: Vec<f32> = cells.iter().map(index).collect();
            rule.tiles(&values, width)
        };
        Self::from_tiles(&tiles(&MNDWI, Spectrum::mndwi), &tiles(&NDWI, Spectrum::ndwi))
    }
}

fn clipped(value: f32) -> f32 {
    if value < 1e-4 { 1e-4 } else { value }
}

/// Normalised difference of two reflectances; NaN where one is.
///
/// ```
/// use sen_processing::flood::optical::difference;
/// assert!((difference(0.10, 0.02) - 0.6667).abs() < 1e-4);
/// assert!(difference(0.10, -0.01) < 1.0);
/// assert!(difference(f32::NAN, 0.1).is_nan());
/// ```
pub fn difference(bright: f32, dark: f32) -> f32 {
    let (bright, dark) = (clipped(bright), clipped(dark));
    (bright - dark) / (bright + dark)
}

/// What an index says: water above the threshold, and the likelihood from 0 through 50 at the threshold to 100.
pub fn told(index: f32, threshold: f32) -> (f32, f32) {
    if index.is_nan() {
        return (f32::NAN, f32::NAN);
    }
    let likelihood = 0.5 + (index - threshold) / (2.0 * RAMP);
    (
        f32::from(u8::from(index > threshold)),
        100.0 * likelihood.clamp(0.0, 1.0),
    )
}

impl Spectrum {
    fn clipped(self) -> Self {
        Self {
            blue: clipped(self.blue),
            green: clipped(self.green),
            red: clipped(self.red),
            nir: clipped(self.nir),
            swir16: clipped(self.swir16),
            swir22: clipped(self.swir22),
        }
    }

    /// True when every band has a value.
    pub fn is_seen(&self) -> bool {
        !(self.blue + self.green + self.red + self.nir + self.swir16 + self.swir22).is_nan()
    }

    /// (G - S1) / (G + S1).
    pub fn mndwi(&self) -> f32 {
        difference(self.green, self.swir16)
    }

    /// (G - N) / (G + N).
    pub fn ndwi(&self) -> f32 {
        difference(self.green, self.nir)
    }

    /// (N - R) / (N + R).
    pub fn ndvi(&self) -> f32 {
        difference(self.nir, self.red)
    }

    /// B + 2.5 G - 1.5 (N + S1) - 0.25 S2.
    pub fn awei_sh(&self) -> f32 {
        let s = self.clipped();
        s.blue + 2.5 * s.green - 1.5 * (s.nir + s.swir16) - 0.25 * s.swir22
    }

    /// 4 (G - S1) - (0.25 N + 2.75 S2): Feyisa 2014; some catalogues have the last sign wrong.
    pub fn awei_nsh(&self) -> f32 {
        let s = self.clipped();
        4.0 * (s.green - s.swir16) - 0.25 * s.nir - 2.75 * s.swir22
    }

    /// The five diagnostic tests of DSWx, test 1 in the lowest bit.
    pub fn dswx_bits(&self) -> u8 {
        let s = self.clipped();
        let (mndwi, ndvi) = (self.mndwi(), self.ndvi());
        u8::from(mndwi > 0.124)
            | u8::from(s.green + s.red > s.nir + s.swir16) << 1
            | u8::from(self.awei_sh() > 0.0) << 2
            | u8::from(mndwi > -0.44 && s.swir16 < 0.09 && s.nir < 0.15 && ndvi < 0.7) << 3
            | u8::from(mndwi > -0.5 && s.blue < 0.1 && s.swir16 < 0.3 && s.swir22 < 0.1 && s.nir < 0.25) << 4
    }

    /// The DSWx class.
    pub fn dswx(&self) -> Dswx {
        Dswx::of_bits(self.dswx_bits())
    }

    /// DSWx open water without a canopy, which NDVI below a limit tells. `(class, likelihood)`: 0 none, 1 open, 2 partly water;
    /// the likelihood is the share of the tests met, 0 to 100. NaN where a band has no value.
    pub fn water(&self, ndvi_below: f32) -> (f32, f32) {
        if !self.is_seen() {
            return (f32::NAN, f32::NAN);
        }
        let bits = self.dswx_bits();
        let class = Dswx::of_bits(bits);
        let bare = self.ndvi() < ndvi_below;
        // five tests and the absence of a canopy
        let met = bits.count_ones() + u32::from(bare);
        let likelihood = 100.0 * met as f32 / 6.0;
        if class.is_open() && bare {
            (1.0, likelihood)
        } else if class.is_open() || class == Dswx::PartialConservative {
            (2.0, likelihood.min(50.0))
        } else {
            (0.0, likelihood.min(49.0))
        }
    }
}
