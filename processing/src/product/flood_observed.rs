//! Water of the week from radar and optics, and what kind of water it is.
//!
//! Each look is classified by itself (`looks`), the looks vote, and the weeks before tell the kinds apart (`history`): a
//! river is wet most weeks, paddy water comes and goes, a flood covers much land at once or stays. The class numbers are
//! those of [`sen_catalog::flood`].

mod history;
mod looks;

use super::{Beyond, Block, Encoding, ExtraLayer, Input, Output, Product, Sensor, Whole};
use crate::Result;
use crate::ancillary;
use crate::composite;
use crate::flood::{change, optical, radar};
use looks::{PARTIAL_VOTE, Seen, measure};
use sen_catalog::Band;
use sen_catalog::flood::{CLOUD, FLOOD_OBSERVED, NOT_CLASSIFIED, NOT_WATER, OPEN_WATER, PARTIAL, PERMANENT};

/// Cells around a block: the speckle filter's reach and the growth of regions.
const REACH: usize = radar::FILTER_REACH + radar::GROWTH;

/// Values of the layer `exclusion`, 0 where nothing hinders: why there is no answer. The optical looks show only clouds.
const CLOUDS_ONLY: u8 = 1;
/// See [`CLOUDS_ONLY`]: only radar looked, at strong scatterers.
const BRIGHT: u8 = 2;
/// See [`CLOUDS_ONLY`]: only radar looked, at what the user's rasters call buildings or forest.
const BLIND: u8 = 3;

/// The flood product.
pub const FLOOD: Flood = Flood;

/// See [`FLOOD`].
#[derive(Debug)]
pub struct Flood;

impl Product for Flood {
    fn name(&self) -> &'static str {
        FLOOD_OBSERVED
    }

    fn version(&self) -> u32 {
        4
    }

    fn title(&self) -> &'static str {
        "Water and flood"
    }

    fn rule(&self) -> String {
        format!(
            "radar look, on 7x7 Lee-filtered power: thresholds in VV and VH are the higher of Otsu's and Kittler-Illingworth's, each the median \
             of the bimodal tiles whose threshold lies within the bounds of OPERA DSWx-S1; three algorithms: regions grown from dark seeds, VV not contradicting \
             VH unless that is below {} dB; cells below the threshold in VH (without it VV); fall by {} dB or more against the newest earlier look of the same relative orbit where that was not \
             dark; the majority of three, of two that disagree water; optical look: majority of OPERA DSWx-HLS open water with NDVI below {}, MNDWI and NDWI above Otsu thresholds \
             of bimodal tiles, at least 0 (no such tile: {} and {}; only green and SWIR: MNDWI alone), SCL 2,4,5,6,7, QA_PIXEL bits 0-4 unset; the majority of the looks wins, a tie goes to the later look; kinds: {}; 251 \
             where only radar looked at strong scatterers, 253 where only clouds were seen, 255 where nothing looked",
            radar::VH_ALONE,
            -change::DROP,
            optical::NDVI_BELOW,
            optical::MNDWI_ABOVE,
            optical::NDWI_ABOVE,
            history::RULE
        )
    }

    fn inputs(&self) -> &'static [Input] {
        const fn radar(bands: &'static [&'static [Band]]) -> Input {
            Input {
                sensor: Sensor::Radar,
                bands,
            }
        }
        const fn optical(bands: &'static [&'static [Band]]) -> Input {
            Input {
                sensor: Sensor::Optical,
                bands,
            }
        }
        // the first that a scene has is used
        const INPUTS: &[Input] = &[
            radar(&[&[Band::Vv], &[Band::Vh]]),
            radar(&[&[Band::Vv]]),
            radar(&[&[Band::Vh]]),
            optical(&[
                &[Band::Blue],
                &[Band::Green],
                &[Band::Red],
                &[Band::Nir, Band::Nir08],
                &[Band::Swir16],
                &[Band::Swir22],
            ]),
            optical(&[&[Band::Green], &[Band::Swir16]]),
        ];
        INPUTS
    }

    fn encoding(&self) -> Encoding {
        Encoding::Classes
    }

    fn extra_layers(&self) -> &'static [ExtraLayer] {
        &[
            ExtraLayer {
                name: "likelihood",
                encoding: Encoding::Percent,
            },
            ExtraLayer {
                name: "exclusion",
                encoding: Encoding::Classes,
            },
        ]
    }

    fn margin(&self) -> usize {
        REACH
    }

    fn beyond(&self) -> Beyond {
        Beyond {
            weeks: history::WEEKS,
            least_weeks: history::LEAST_WEEKS,
            reference: true,
            ancillary: true,
        }
    }

    fn finish(&self, mut week: Whole) -> Result<()> {
        history::tell_apart(&mut week)
    }

    fn compute(&self, block: &Block) -> Output {
        let cells = block.core.width * block.core.height;
        let mut seen = Seen::new(block);
        let looks: Vec<_> = block
            .looks
            .iter()
            .filter_map(|look| measure(block, look, &mut seen))
            .collect();
        let mut composite = composite::median_look(looks, cells);
        let mut exclusion = vec![0.0; cells];
        for (cell, value) in composite.values.iter_mut().enumerate() {
            let given = block.given.get(cell).copied().unwrap_or(0);
            (*value, exclusion[cell]) = if !value.is_nan() {
                (f32::from(class(*value, given)), 0.0)
            } else if seen.blind[cell] > 0 {
                (f32::from(NOT_CLASSIFIED), f32::from(seen.blind[cell]))
            } else if seen.cloudy[cell] {
                (f32::from(CLOUD), f32::from(CLOUDS_ONLY))
            } else {
                (f32::NAN, f32::NAN)
            };
        }
        Output {
            composite,
            extra: vec![seen.likelihoods(), exclusion],
        }
    }
}

/// The class of a vote, by what the user's rasters say of the cell.
fn class(vote: f32, given: u8) -> u8 {
    if vote == 0.0 || given & ancillary::HIGH != 0 {
        NOT_WATER
    } else if vote == PARTIAL_VOTE {
        PARTIAL
    } else if given & ancillary::PERMANENT != 0 {
        PERMANENT
    } else {
        OPEN_WATER
    }
}

#[cfg(test)]
mod tests;
