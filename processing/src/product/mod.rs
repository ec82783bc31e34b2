//! Weekly products, one file each: what is measured in a week's looks.
//!
//! A new product is a file here, a line in [`PRODUCTS`] and a style of the same name in `styles/raster/`. The `compute` of a
//! [`Product`] is plain arithmetic on the arrays of one block: no files, no clock, no threads. Layers drawn from records are
//! those of [`crate::steps`].

mod evi;
mod flood_observed;
mod index;
mod mndwi;
mod nbr;
mod ndmi;
mod ndvi;

pub use evi::EVI;
pub use flood_observed::FLOOD;
pub use index::{Index, normalized_difference};
pub use mndwi::MNDWI;
pub use nbr::NBR;
pub use ndmi::NDMI;
pub use ndvi::NDVI;

use crate::Result;
use crate::composite::Composite;
use crate::flood::Thresholds;
use sen_catalog::Band;
use sen_catalog::raster::{Cog, Pixels};
use sen_catalog::{Grid, Period};
use std::borrow::Cow;

/// Every product measured in looks, in the order in which they are made and reported.
pub const PRODUCTS: &[&dyn Product] = &[&NDVI, &EVI, &NDMI, &NBR, &MNDWI, &FLOOD];

/// What kind of instrument looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// Reflected sunlight: Sentinel-2, Landsat. Bands are surface reflectance.
    Optical,
    /// Synthetic aperture radar: Sentinel-1. Bands are backscatter in linear power: gamma0 of RTC, sigma0 of GRD scenes.
    Radar,
}

/// What a product needs of a look to make use of it.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// The kind of look.
    pub sensor: Sensor,
    /// One band of each list, the first that the scene has (`&[&[Nir, Nir08]]`: `nir`, else `nir08`).
    pub bands: &'static [&'static [Band]],
}

/// How values become pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Int16, value = stored * 0.0001, nodata -32768.
    Index,
    /// Uint8 class numbers, nodata 255.
    Classes,
    /// Uint8 percent, 0 to 100, nodata 255.
    Percent,
}

impl Encoding {
    /// Stored value of "no data".
    pub const fn nodata(self) -> f64 {
        match self {
            Self::Index => -32768.0,
            Self::Classes | Self::Percent => 255.0,
        }
    }

    /// Value of one step of the stored number.
    pub const fn scale(self) -> f64 {
        match self {
            Self::Index => 1e-4,
            Self::Classes | Self::Percent => 1.0,
        }
    }

    /// Values as pixels; NaN becomes nodata.
    pub fn encode(self, values: &[f32]) -> Pixels {
        match self {
            Self::Index => Pixels::I16(values.iter().map(|&value| index_pixel(value)).collect()),
            Self::Percent => Pixels::U8(
                values
                    .iter()
                    .map(|&v| {
                        if v.is_nan() {
                            255
                        } else {
                            v.round().clamp(0.0, 100.0) as u8
                        }
                    })
                    .collect(),
            ),
            // a cast of a float saturates
            Self::Classes => Pixels::U8(
                values
                    .iter()
                    .map(|&v| if v.is_nan() { 255 } else { v as u8 })
                    .collect(),
            ),
        }
    }
}

#[inline]
fn index_pixel(value: f32) -> i16 {
    if value.is_nan() {
        return i16::MIN;
    }
    let scaled = value * 10_000.0;
    // half away from zero, like GDAL; the cast truncates and the range keeps clear of nodata
    (scaled + 0.5_f32.copysign(scaled)).clamp(-32767.0, 32767.0) as i16
}

/// A layer that a product adds beside the ones every product has.
#[derive(Clone, Copy, Debug)]
pub struct ExtraLayer {
    /// Name of the asset.
    pub name: &'static str,
    /// How it is stored.
    pub encoding: Encoding,
}

/// One look over one block.
#[derive(Clone, Debug)]
pub struct LookBlock<'a> {
    /// The kind of look.
    pub sensor: Sensor,
    /// Scenes of one overpass share this number.
    pub pass: usize,
    /// Days from the local date of the look to the last day of the week.
    pub age_days: u8,
    /// The bands that the scene has of those asked for, each with its values (reflectance, or linear power; NaN for no
    /// data) and the width of its own cells in cells of the block.
    pub bands: Vec<(Band, Cow<'a, [f32]>, usize)>,
    /// Bits of [`crate::mask`] a cell; `None` when every cell is clear.
    pub mask: Option<&'a [u8]>,
    /// The thresholds between water and land found in the whole scene.
    pub thresholds: Thresholds,
    /// Of a radar look: the bands of an earlier look from the same relative orbit, linear power on the same cells. Empty
    /// where there is none, or where the product does not ask for it ([`Beyond::reference`]).
    pub reference: Vec<(Band, Cow<'a, [f32]>)>,
}

impl LookBlock<'_> {
    /// The first of the alternatives that this look has: values, and width of the band's own cells.
    pub fn band(&self, alternatives: &[Band]) -> Option<(&[f32], usize)> {
        alternatives.iter().find_map(|wanted| {
            self.bands
                .iter()
                .find(|(band, ..)| band == wanted)
                .map(|(_, values, cells)| (values.as_ref(), *cells))
        })
    }
}

/// A block of the province grid with all looks of the week, margin included.
#[derive(Clone, Debug)]
pub struct Block<'a> {
    /// Columns, with the margin.
    pub width: usize,
    /// Rows, with the margin.
    pub height: usize,
    /// The part that is asked for; the rest is the margin that [`Product::margin`] wanted, where the grid has it.
    pub core: sen_catalog::Window,
    /// 1 where the block's first column (row) is the second half of a cell of twice the size: such cells are counted
    /// from the origin of the coordinate system, so that they coincide with Sentinel-2's 20 m cells.
    pub phase: (usize, usize),
    /// Bits of [`crate::ancillary`] for each cell of the core; empty without rasters of the user, or where the product
    /// does not ask for them ([`Beyond::ancillary`]).
    pub given: Cow<'a, [u8]>,
    /// The looks, in order of time.
    pub looks: Vec<LookBlock<'a>>,
}

/// What a product makes of a block: arrays of the core's cells.
#[derive(Clone, Debug)]
pub struct Output {
    /// The values and what tells how good they are.
    pub composite: Composite,
    /// One array for each of [`Product::extra_layers`].
    pub extra: Vec<Vec<f32>>,
}

/// The classes of an earlier week, as they were published.
#[derive(Debug)]
pub struct Earlier {
    /// The week.
    pub period: Period,
    /// The main layer, on the same grid.
    pub classes: Cog,
}

/// The classes of a week over the whole province, after the last block, with the weeks before it.
#[derive(Debug)]
pub struct Whole<'a> {
    /// The province grid.
    pub grid: &'a Grid,
    /// The week.
    pub period: Period,
    /// Stored values of the main layer.
    pub classes: &'a mut [u8],
    /// Earlier weeks as [`Beyond`] asks for them, newest first; weeks without an item are left out.
    pub earlier: &'a [Earlier],
}

/// What a product needs beyond the looks of its week; by default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beyond {
    /// How many weeks back [`Product::finish`] looks at the product's own main layer, which then must be classes; 0 for
    /// none. A week is made again when one of these changes.
    pub weeks: u16,
    /// With fewer earlier weeks than this nothing is looked back at.
    pub least_weeks: usize,
    /// Earlier radar looks of the same relative orbit.
    pub reference: bool,
    /// Rasters of the user.
    pub ancillary: bool,
}

/// A weekly raster made of looks.
pub trait Product: Sync {
    /// Name of the collection, of the main asset and of the style.
    fn name(&self) -> &'static str;

    /// Raised whenever the pixels would come out otherwise: items of an older version are remade.
    fn version(&self) -> u32;

    /// A short title in English.
    fn title(&self) -> &'static str;

    /// How the values come about, in words; kept in each item as `sen:rule`.
    fn rule(&self) -> String;

    /// Which looks are of use: any one of the inputs is enough.
    fn inputs(&self) -> &'static [Input];

    /// How the main layer is stored.
    fn encoding(&self) -> Encoding;

    /// Layers beside the main one, `n_clear`, `age_days` and `quality`.
    fn extra_layers(&self) -> &'static [ExtraLayer] {
        &[]
    }

    /// How many cells around a cell its value depends on.
    fn margin(&self) -> usize {
        0
    }

    /// True for products that choose among several looks by their haze: blue and red are read for them where a scene has them.
    fn looks_for_haze(&self) -> bool {
        false
    }

    /// What the product needs beyond the looks of its week.
    fn beyond(&self) -> Beyond {
        Beyond::default()
    }

    /// Completes the classes of a week from the weeks before it; only called with [`Beyond::weeks`].
    ///
    /// # Errors
    /// When an earlier week cannot be read.
    fn finish(&self, _week: Whole) -> Result<()> {
        Ok(())
    }

    /// The product of one block.
    fn compute(&self, block: &Block) -> Output;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_half_away_from_zero_and_nan_is_nodata() {
        let pixels = Encoding::Index.encode(&[0.777_778, -0.00005, 0.00005, 1.0, -1.0, f32::NAN, 9.0]);
        assert_eq!(
            pixels,
            Pixels::I16(vec![7778, -1, 1, 10000, -10000, -32768, 32767])
        );
        assert_eq!(
            Encoding::Classes.encode(&[0.0, 1.0, 253.0, f32::NAN]),
            Pixels::U8(vec![0, 1, 253, 255])
        );
    }
}
