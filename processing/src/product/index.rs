//! Spectral indices: a formula of a few bands of one look, which haze and time choose.

use super::{Block, Encoding, Input, LookBlock, Output, Product, Sensor};
use crate::composite::{self, Measured};
use crate::mask;
use sen_catalog::{Band, Window};
use std::borrow::Cow;

/// Denominators smaller than this give no value (reflectance is of the order of 0.1).
const SMALLEST_DENOMINATOR: f32 = 1e-6;

/// An index of optical bands.
#[derive(Debug)]
pub struct Index {
    /// See [`Product::name`].
    pub name: &'static str,
    /// See [`Product::version`].
    pub version: u32,
    /// See [`Product::title`].
    pub title: &'static str,
    /// The formula in words.
    pub formula_text: &'static str,
    /// The single optical input.
    pub inputs: &'static [Input],
    /// Bit of [`mask`] that a cell must have.
    pub clear: u8,
    /// Values from the bands, in the order of the input.
    pub formula: fn(bands: &[&[f32]], values: &mut [f32]),
}

impl Product for Index {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn rule(&self) -> String {
        let keep = if self.clear == mask::WATER {
            "2,4,5,6,7"
        } else {
            "4,5,6,7"
        };
        format!(
            "{}, in [-1, 1]; clear cells only (SCL {keep}; QA_PIXEL bits 0-4 unset); {}",
            self.formula_text,
            composite::RULE
        )
    }

    fn inputs(&self) -> &'static [Input] {
        self.inputs
    }

    fn encoding(&self) -> Encoding {
        Encoding::Index
    }

    fn looks_for_haze(&self) -> bool {
        true
    }

    fn compute(&self, block: &Block) -> Output {
        let looks: Vec<_> = block
            .looks
            .iter()
            .filter_map(|look| self.measure(block, look))
            .collect();
        let composite = composite::latest_clear_look(looks, block.core.width * block.core.height);
        Output {
            composite,
            extra: Vec::new(),
        }
    }
}

impl Index {
    /// The index of one look on the core of the block, NaN where it shows nothing; `None` without its bands.
    pub fn measure(&self, block: &Block, look: &LookBlock) -> Option<Measured> {
        if look.sensor != Sensor::Optical {
            return None;
        }
        let found: Option<Vec<_>> = self
            .inputs
            .first()?
            .bands
            .iter()
            .map(|names| look.band(names))
            .collect();
        let bands = on_one_grid(block, &found?);
        let slices: Vec<&[f32]> = bands.iter().map(AsRef::as_ref).collect();
        let mut values = vec![f32::NAN; block.width * block.height];
        (self.formula)(&slices, &mut values);
        if let Some(bits) = look.mask {
            for (value, bits) in values.iter_mut().zip(bits) {
                *value = if bits & self.clear == 0 { f32::NAN } else { *value };
            }
        }
        Some(Measured {
            values: crop(values, block),
            pass: look.pass,
            age_days: look.age_days,
            haze: if block.looks.len() > 1 {
                haze(block, look)
            } else {
                Vec::new()
            },
        })
    }
}

/// How hazy the core of the block looks. It depends on the look alone, not on the index, so that all indices of a cell come from
/// one look; for the same reason what only water maps may use (dark areas) is to be taken where nothing else is.
fn haze(block: &Block, look: &LookBlock) -> Vec<f32> {
    let bands = look.band(&[Band::Blue]).zip(look.band(&[Band::Red]));
    let water_only = |cell: usize| look.mask.is_some_and(|bits| bits[cell] & mask::VEGETATION == 0);
    let of = |cell: usize| match bands {
        _ if water_only(cell) => f32::INFINITY,
        Some(((blue, _), (red, _))) => composite::haze(blue[cell], red[cell]),
        None => f32::NAN,
    };
    crop((0..block.width * block.height).map(of).collect(), block)
}

/// Cells of the core, when the block has a margin.
pub(super) fn crop(values: Vec<f32>, block: &Block) -> Vec<f32> {
    let core = block.core;
    if core
        == (Window {
            column: 0,
            row: 0,
            width: block.width,
            height: block.height,
        })
    {
        return values;
    }
    let rows = (core.row..core.row + core.height)
        .map(|row| &values[row * block.width + core.column..][..core.width]);
    rows.flatten().copied().collect()
}

/// Bands on the grid of the coarsest: when 10 m and 20 m bands meet, all are averaged to 20 m cells (each then
/// repeated over the four cells of 10 m), so that a sharp band is never compared with a blurred one.
pub(super) fn on_one_grid<'a>(block: &Block, bands: &[(&'a [f32], usize)]) -> Vec<Cow<'a, [f32]>> {
    let coarsest = bands.iter().map(|(_, cells)| *cells).max().unwrap_or(1);
    let mixed = bands.iter().any(|(_, cells)| *cells != coarsest);
    bands
        .iter()
        .map(|(values, _)| {
            if mixed && coarsest == 2 {
                average_pairs(values, block).into()
            } else {
                (*values).into()
            }
        })
        .collect()
}

/// Means of the valid ones of 2 x 2 cells, repeated over them.
fn average_pairs(values: &[f32], block: &Block) -> Vec<f32> {
    let mut out = vec![f32::NAN; values.len()];
    // the first pair is half outside when the phase is 1
    let pairs = |size: usize, phase: usize| {
        (0..(size + phase).div_ceil(2))
            .map(move |pair| ((2 * pair).saturating_sub(phase), (2 * pair + 2 - phase).min(size)))
    };
    for (top, bottom) in pairs(block.height, block.phase.1) {
        for (left, right) in pairs(block.width, block.phase.0) {
            let (mut sum, mut count) = (0.0, 0.0);
            for row in top..bottom {
                for &value in &values[row * block.width + left..row * block.width + right] {
                    if !value.is_nan() {
                        sum += value;
                        count += 1.0;
                    }
                }
            }
            let mean = if count > 0.0 { sum / count } else { f32::NAN };
            for row in top..bottom {
                out[row * block.width + left..row * block.width + right].fill(mean);
            }
        }
    }
    out
}

/// (a - b) / (a + b) in [-1, 1]; NaN where a band has no data or the sum is next to nothing.
pub fn normalized_difference(a: &[f32], b: &[f32], values: &mut [f32]) {
    for ((value, &a), &b) in values.iter_mut().zip(a).zip(b) {
        let sum = a + b;
        let ratio = ((a - b) / sum).clamp(-1.0, 1.0);
        *value = if sum.abs() < SMALLEST_DENOMINATOR {
            f32::NAN
        } else {
            ratio
        };
    }
}

/// The inputs of an index of the given bands.
pub(super) const fn optical(bands: &'static [&'static [sen_catalog::Band]]) -> Input {
    Input {
        sensor: Sensor::Optical,
        bands,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A block of one row with one look.
    pub(crate) fn one_row(bands: Vec<(Band, Vec<f32>, usize)>, mask: Option<&[u8]>) -> Block<'_> {
        let width = bands[0].1.len();
        let core = Window {
            column: 0,
            row: 0,
            width,
            height: 1,
        };
        let bands = bands
            .into_iter()
            .map(|(band, values, cells)| (band, values.into(), cells))
            .collect();
        let look = LookBlock {
            sensor: Sensor::Optical,
            pass: 0,
            age_days: 3,
            bands,
            mask,
            thresholds: crate::flood::Thresholds::default(),
            reference: Vec::new(),
        };
        Block {
            width,
            height: 1,
            core,
            phase: (0, 0),
            given: Vec::new().into(),
            looks: vec![look],
        }
    }

    #[test]
    fn ndvi_of_the_hand_check_is_0_777778_and_bad_denominators_give_no_value() {
        let nir = vec![0.40, 0.0, f32::NAN, -0.02, 0.01];
        let red = vec![0.05, 0.0, 0.1, 0.01, -0.01];
        let block = one_row(vec![(Band::Nir, nir, 1), (Band::Red, red, 1)], None);
        let values = super::super::NDVI.compute(&block).composite.values;
        assert!((values[0] - 0.777_778).abs() < 1e-6);
        assert!(values[1].is_nan() && values[2].is_nan() && values[4].is_nan());
        assert_eq!(values[3], 1.0, "a ratio of negative reflectances is clamped");
    }

    #[test]
    fn bands_of_10_and_20_m_meet_on_the_20_m_cells_of_the_coordinate_system() {
        // one row of 5 cells whose first is the second half of a 20 m cell
        let green = vec![0.1, 0.2, 0.4, f32::NAN, 0.2];
        let swir = vec![0.1, 0.1, 0.1, 0.2, 0.2];
        let mut block = one_row(vec![(Band::Green, green, 1), (Band::Swir16, swir, 2)], None);
        block.phase = (1, 0);
        let found: Vec<_> = block.looks[0]
            .bands
            .iter()
            .map(|(_, values, cells)| (values.as_ref(), *cells))
            .collect();
        let bands = on_one_grid(&block, &found);
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&bands[0], &[0.1, 0.3, 0.3, 0.2, 0.2]), "{:?}", bands[0]);
        assert!(near(&bands[1], &[0.1, 0.1, 0.1, 0.2, 0.2]), "{:?}", bands[1]);
    }

    #[test]
    fn cells_under_clouds_have_no_value() {
        let mask = [mask::CLEAR, mask::DATA, mask::DATA | mask::WATER];
        let bands = vec![(Band::Nir, vec![0.4; 3], 1), (Band::Red, vec![0.1; 3], 1)];
        let week = super::super::NDVI.compute(&one_row(bands, Some(&mask))).composite;
        assert_eq!(week.n_clear, [1, 0, 0]);
        assert_eq!(week.age_days, [3, 255, 255]);
    }
}
