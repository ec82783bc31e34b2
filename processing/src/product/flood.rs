//! Open water of the week from radar and optics, by one threshold each: the first flood product.
//!
//! It tells water from dry ground, not a flood from a river: permanent water, irrigation and inundated vegetation are
//! not told apart yet. The fuller product will replace [`measure`] and keep the classes.

use super::index::{crop, normalized_difference, on_one_grid};
use super::{Block, Encoding, Input, LookBlock, Output, Product, Sensor};
use crate::composite::{self, Measured};
use crate::mask;
use sen_catalog::Band;

/// Class: looked at and not under open water.
pub const DRY: u8 = 0;
/// Class: open water.
pub const WATER: u8 = 1;
/// Class: looked at, but only clouds and their shadows were seen.
pub const CLOUD: u8 = 253;
/// Class: no look of the week covers the cell.
pub const NO_DATA: u8 = 255;

/// Radar: water reflects the beam away. -16 dB in VV is the threshold that the listed water shares of the An Giang
/// series were counted with, between HyP3's cap of -15.5 dB and the darker values of calm rivers; it is not tuned to
/// any pass. As linear power: 10^(-16/10).
const VV_BELOW: f32 = 0.025_118_864;
/// Cells to each side of the mean over which speckle is averaged in linear power: 5 x 5.
const SPECKLE_REACH: usize = 2;
/// Optics: first test of OPERA DSWx-HLS (PROTEUS), MNDWI above 0.124.
const MNDWI_ABOVE: f32 = 0.124;

/// The first flood product.
pub const FLOOD: Flood = Flood;

/// See [`FLOOD`].
#[derive(Debug)]
pub struct Flood;

impl Product for Flood {
    fn name(&self) -> &'static str {
        "flood"
    }

    fn version(&self) -> u32 {
        1
    }

    fn title(&self) -> &'static str {
        "Open water"
    }

    fn rule(&self) -> String {
        format!(
            "radar look: water where the 5x5 mean of VV in linear power is below -16 dB; optical look: water where MNDWI \
             on 20 m cells is above {MNDWI_ABOVE} (SCL 2,4,5,6,7; QA_PIXEL bits 0-4 unset); looks of both kinds vote, \
             the majority wins, a tie goes to the later look; 253 where only clouds were seen, 255 where nothing looked"
        )
    }

    fn inputs(&self) -> &'static [Input] {
        &[
            Input {
                sensor: Sensor::Radar,
                bands: &[&[Band::Vv]],
            },
            Input {
                sensor: Sensor::Optical,
                bands: &[&[Band::Green], &[Band::Swir16]],
            },
        ]
    }

    fn encoding(&self) -> Encoding {
        Encoding::Classes
    }

    fn margin(&self) -> usize {
        SPECKLE_REACH
    }

    fn compute(&self, block: &Block) -> Output {
        let cells = block.core.width * block.core.height;
        let mut cloudy = vec![false; cells];
        let looks: Vec<_> = block
            .looks
            .iter()
            .filter_map(|look| measure(block, look, &mut cloudy))
            .collect();
        let mut composite = composite::median_look(looks, cells);
        for (value, &cloudy) in composite.values.iter_mut().zip(&cloudy) {
            if value.is_nan() && cloudy {
                *value = f32::from(CLOUD);
            }
        }
        Output {
            composite,
            extra: Vec::new(),
        }
    }
}

/// 1 for water and 0 for dry in each cell that the look shows; marks the cells where it shows a cloud.
fn measure(block: &Block, look: &LookBlock, cloudy: &mut [bool]) -> Option<Measured> {
    let (values, above, turned) = match look.sensor {
        Sensor::Radar => (mean_filter(look.band(&[Band::Vv])?.0, block), VV_BELOW, true),
        Sensor::Optical => (optical(block, look, cloudy)?, MNDWI_ABOVE, false),
    };
    let vote = |value: f32| match value {
        value if value.is_nan() => f32::NAN,
        value if turned => f32::from(u8::from(value < above)),
        value => f32::from(u8::from(value > above)),
    };
    let values = crop(values, block).into_iter().map(vote).collect();
    Some(Measured {
        values,
        pass: look.pass,
        age_days: look.age_days,
    })
}

/// MNDWI of the clear cells.
fn optical(block: &Block, look: &LookBlock, cloudy: &mut [bool]) -> Option<Vec<f32>> {
    let bands = on_one_grid(block, &[look.band(&[Band::Green])?, look.band(&[Band::Swir16])?]);
    let mut values = vec![f32::NAN; block.width * block.height];
    normalized_difference(&bands[0], &bands[1], &mut values);
    if let Some(bits) = look.mask {
        let hidden: Vec<f32> = bits
            .iter()
            .map(|bits| {
                if bits & mask::DATA != 0 && bits & mask::WATER == 0 {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        for (cloudy, hidden) in cloudy.iter_mut().zip(crop(hidden, block)) {
            *cloudy |= hidden > 0.0;
        }
        for (value, bits) in values.iter_mut().zip(bits) {
            *value = if bits & mask::WATER == 0 { f32::NAN } else { *value };
        }
    }
    Some(values)
}

/// Mean of the valid cells of 5 x 5 around each cell that has a value itself.
fn mean_filter(values: &[f32], block: &Block) -> Vec<f32> {
    let (width, height) = (block.width, block.height);
    // sums and counts along the rows, then down the columns
    let mut sums = vec![(0.0_f32, 0.0_f32); values.len()];
    for (line, out) in values.chunks_exact(width).zip(sums.chunks_exact_mut(width)) {
        for (column, out) in out.iter_mut().enumerate() {
            let near = &line[column.saturating_sub(SPECKLE_REACH)..(column + SPECKLE_REACH + 1).min(width)];
            for &value in near {
                if !value.is_nan() {
                    out.0 += value;
                    out.1 += 1.0;
                }
            }
        }
    }
    let mut means = vec![f32::NAN; values.len()];
    for row in 0..height {
        let near = row.saturating_sub(SPECKLE_REACH)..(row + SPECKLE_REACH + 1).min(height);
        for column in 0..width {
            if !values[row * width + column].is_nan() {
                let (sum, count) = near
                    .clone()
                    .map(|row| sums[row * width + column])
                    .fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
                means[row * width + column] = sum / count;
            }
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::Window;

    fn block(looks: Vec<LookBlock<'_>>, width: usize, height: usize) -> Block<'_> {
        Block {
            width,
            height,
            core: Window {
                column: 0,
                row: 0,
                width,
                height,
            },
            phase: (0, 0),
            looks,
        }
    }

    fn radar(pass: usize, vv: Vec<f32>) -> LookBlock<'static> {
        LookBlock {
            sensor: Sensor::Radar,
            pass,
            age_days: 1,
            bands: vec![(Band::Vv, vv.into(), 1)],
            mask: None,
        }
    }

    #[test]
    fn a_radar_scene_without_data_is_no_data_and_never_dry() {
        let week = FLOOD.compute(&block(vec![radar(0, vec![f32::NAN; 4])], 2, 2));
        assert_eq!(
            Encoding::Classes.encode(&week.composite.values),
            sen_catalog::raster::Pixels::U8(vec![NO_DATA; 4])
        );
        assert_eq!(week.composite.n_clear, [0; 4]);
    }

    #[test]
    fn a_single_dark_speckle_is_no_water_and_edges_of_the_data_are_not_smeared() {
        let mut vv = vec![0.1_f32; 49];
        vv[24] = 0.001;
        assert!(
            FLOOD
                .compute(&block(vec![radar(0, vv.clone())], 7, 7))
                .composite
                .values
                .iter()
                .all(|&v| v == 0.0)
        );
        let mut pond = vec![0.005_f32; 49];
        pond[0] = f32::NAN;
        let values = FLOOD.compute(&block(vec![radar(0, pond)], 7, 7)).composite.values;
        assert!(values[0].is_nan() && values[1..].iter().all(|&v| v == 1.0));
    }

    #[test]
    fn clouds_are_told_from_no_data_and_radar_sees_through_them() {
        let bits = [mask::CLEAR, mask::DATA, 0, mask::CLEAR];
        let bands = |green: Vec<f32>, swir: Vec<f32>| {
            vec![(Band::Green, green.into(), 1), (Band::Swir16, swir.into(), 1)]
        };
        let optical = LookBlock {
            sensor: Sensor::Optical,
            pass: 0,
            age_days: 4,
            bands: bands(vec![0.10, 0.1, 0.1, 0.10], vec![0.02, 0.1, 0.1, 0.09]),
            mask: Some(&bits),
        };
        let alone = FLOOD
            .compute(&block(vec![optical.clone()], 4, 1))
            .composite
            .values;
        assert_eq!(alone[..2], [1.0, 253.0]);
        assert!(alone[2].is_nan());
        assert_eq!(alone[3], 0.0, "MNDWI 0.05 is below the threshold");
        let both = FLOOD
            .compute(&block(vec![optical, radar(1, vec![0.005; 4])], 4, 1))
            .composite;
        assert_eq!(both.values, [1.0; 4], "a tie goes to the later look");
        assert_eq!(both.n_clear, [2, 1, 1, 2]);
    }
}
