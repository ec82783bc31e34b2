//! Water of the week from radar and optics, and what kind of water it is.
//!
//! Each look is classified by itself (`crate::flood`), the looks vote, and the weeks before tell the kinds apart
//! (`history`): a river is wet most weeks, paddy water comes and goes, a flood covers much land at once or stays.

mod history;

use super::index::{crop, on_one_grid};
use super::{Block, Encoding, ExtraLayer, Input, LookBlock, Output, Product, Sensor, Whole};
use crate::composite::{self, Measured};
use crate::flood::optical::{MNDWI_ABOVE, Spectrum};
use crate::flood::radar;
use crate::{Result, mask};
use sen_catalog::Band;

/// Class: looked at and not under water.
pub const DRY: u8 = 0;
/// Class: open water whose kind is not known yet (too few earlier weeks).
pub const WATER: u8 = 1;
/// Class: partly water: plants or land and water in one cell.
pub const PARTIAL: u8 = 2;
/// Class: water in most of the earlier weeks: rivers, canals, ponds.
pub const PERMANENT: u8 = 3;
/// Class: water that comes and goes with the crop: paddies at transplanting, seasonal water.
pub const SEASONAL: u8 = 4;
/// Class: flood.
pub const FLOODED: u8 = 5;
/// Class: looked at, but only clouds and their shadows were seen.
pub const CLOUD: u8 = 253;
/// Class: no look of the week covers the cell.
pub const NO_DATA: u8 = 255;

/// Cells around a block: the speckle filter's reach and the growth of regions.
const REACH: usize = radar::FILTER_REACH + radar::GROWTH;

/// Strong scatterers (VH, linear power; -10 dB): towns and dense forest, under which radar cannot see water.
const VH_BRIGHT: f32 = 0.1;
/// The same for VV: -3 dB.
const VV_BRIGHT: f32 = 0.5;

/// Values of the layer `exclusion`: 0 where nothing hinders, then why the answer is weak or missing.
const CLOUDS_ONLY: f32 = 1.0;
/// See [`CLOUDS_ONLY`]: only radar looked, at strong scatterers.
const BRIGHT: f32 = 2.0;

/// The flood product.
pub const FLOOD: Flood = Flood;

/// See [`FLOOD`].
#[derive(Debug)]
pub struct Flood;

impl Product for Flood {
    fn name(&self) -> &'static str {
        "flood"
    }

    fn version(&self) -> u32 {
        2
    }

    fn title(&self) -> &'static str {
        "Water and flood"
    }

    fn rule(&self) -> String {
        format!(
            "radar look: 7x7 Lee filter on linear power, thresholds by Otsu in bimodal tiles of the scene within the \
             bounds of OPERA DSWx-S1, regions grown from dark seeds, VV must not contradict VH; optical look: tests of \
             OPERA DSWx-HLS with NDVI below 0.2 (only green and SWIR: MNDWI above {MNDWI_ABOVE}), SCL 2,4,5,6,7, QA_PIXEL \
             bits 0-4 unset; the majority of the looks wins, a tie goes to the later look; kinds: {}; 253 where only \
             clouds were seen, 255 where nothing looked",
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

    fn history(&self) -> u16 {
        history::WEEKS
    }

    fn finish(&self, week: Whole) -> Result<()> {
        history::tell_apart(week)
    }

    fn compute(&self, block: &Block) -> Output {
        let cells = block.core.width * block.core.height;
        let mut seen = Seen {
            cloudy: vec![false; cells],
            bright: vec![false; cells],
            clear_optics: vec![false; cells],
            likelihood: vec![(0.0, 0.0); cells],
        };
        let looks: Vec<_> = block
            .looks
            .iter()
            .filter_map(|look| measure(block, look, &mut seen))
            .collect();
        let mut composite = composite::median_look(looks, cells);
        let mut exclusion = vec![0.0; cells];
        for (cell, value) in composite.values.iter_mut().enumerate() {
            if !value.is_nan() {
                *value = class(*value);
                if seen.bright[cell] && !seen.clear_optics[cell] {
                    exclusion[cell] = BRIGHT;
                }
            } else if seen.cloudy[cell] {
                *value = f32::from(CLOUD);
                exclusion[cell] = CLOUDS_ONLY;
            } else {
                exclusion[cell] = f32::NAN;
            }
        }
        let mean = |&(sum, count): &(f32, f32)| if count > 0.0 { sum / count } else { f32::NAN };
        Output {
            composite,
            extra: vec![seen.likelihood.iter().map(mean).collect(), exclusion],
        }
    }
}

/// What the looks of a block leave behind besides their votes.
struct Seen {
    cloudy: Vec<bool>,
    bright: Vec<bool>,
    clear_optics: Vec<bool>,
    /// Sum and number of the likelihoods.
    likelihood: Vec<(f32, f32)>,
}

/// While looks vote, partly water stands between dry and open water.
const PARTIAL_VOTE: f32 = 0.5;

fn class(vote: f32) -> f32 {
    if vote == PARTIAL_VOTE {
        f32::from(PARTIAL)
    } else {
        vote
    }
}

/// The vote of each cell that the look shows; notes clouds, strong scatterers and likelihoods.
fn measure(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<Measured> {
    let (votes, likelihood) = match look.sensor {
        Sensor::Radar => of_radar(block, look, seen)?,
        Sensor::Optical => of_optical(block, look, seen)?,
    };
    let votes = crop(votes, block);
    for ((sum, vote), likelihood) in seen
        .likelihood
        .iter_mut()
        .zip(&votes)
        .zip(crop(likelihood, block))
    {
        if !vote.is_nan() {
            *sum = (sum.0 + likelihood, sum.1 + 1.0);
        }
    }
    if look.sensor == Sensor::Optical {
        for (clear, vote) in seen.clear_optics.iter_mut().zip(&votes) {
            *clear |= !vote.is_nan();
        }
    }
    Some(Measured {
        values: votes,
        pass: look.pass,
        age_days: look.age_days,
    })
}

fn of_radar(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<(Vec<f32>, Vec<f32>)> {
    let band = |band: Band| look.band(&[band]).map(|(values, _)| values);
    let (vv, vh) = (band(Band::Vv), band(Band::Vh));
    for (values, limit) in [(vv, VV_BRIGHT), (vh, VH_BRIGHT)] {
        let Some(values) = values else { continue };
        let rows = (0..block.core.height).map(|row| {
            let start = (block.core.row + row) * block.width + block.core.column;
            &values[start..start + block.core.width]
        });
        for (bright, &value) in seen.bright.iter_mut().zip(rows.flatten()) {
            *bright |= value > limit;
        }
    }
    let filter = |values: &[f32]| radar::filtered(values, block.width);
    let (vv, vh) = (vv.map(filter), vh.map(filter));
    let found = radar::water(vv.as_deref(), vh.as_deref(), block.width, &look.thresholds)?;
    Some((found.water, found.likelihood))
}

fn of_optical(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<(Vec<f32>, Vec<f32>)> {
    let found: Option<Vec<_>> = [
        &[Band::Blue] as &[Band],
        &[Band::Green],
        &[Band::Red],
        &[Band::Nir, Band::Nir08],
        &[Band::Swir16],
        &[Band::Swir22],
    ]
    .into_iter()
    .map(|names| look.band(names))
    .collect();
    let (mut votes, mut likelihood): (Vec<f32>, Vec<f32>) = if let Some(found) = found {
        let bands = on_one_grid(block, &found);
        let cell = |index: usize| {
            let spectrum = Spectrum {
                blue: bands[0][index],
                green: bands[1][index],
                red: bands[2][index],
                nir: bands[3][index],
                swir16: bands[4][index],
                swir22: bands[5][index],
            };
            let (class, likelihood) = spectrum.water();
            (if class == 2.0 { PARTIAL_VOTE } else { class }, likelihood)
        };
        (0..block.width * block.height).map(cell).unzip()
    } else {
        let bands = on_one_grid(block, &[look.band(&[Band::Green])?, look.band(&[Band::Swir16])?]);
        let pairs = bands[0].iter().zip(bands[1].iter());
        pairs.map(|(&green, &swir)| of_mndwi(green, swir)).unzip()
    };
    if let Some(bits) = look.mask {
        let hidden = |&bits: &u8| f32::from(u8::from(bits & mask::DATA != 0 && bits & mask::WATER == 0));
        let hidden = crop(bits.iter().map(hidden).collect(), block);
        for (cloudy, hidden) in seen.cloudy.iter_mut().zip(hidden) {
            *cloudy |= hidden > 0.0;
        }
        for ((vote, likelihood), bits) in votes.iter_mut().zip(&mut likelihood).zip(bits) {
            if bits & mask::WATER == 0 {
                (*vote, *likelihood) = (f32::NAN, f32::NAN);
            }
        }
    }
    Some((votes, likelihood))
}

/// Vote and likelihood from green and SWIR alone; the likelihood falls from 100 to 0 over 0.25 to each side.
fn of_mndwi(green: f32, swir: f32) -> (f32, f32) {
    let sum = green + swir;
    if sum.is_nan() || sum.abs() < 1e-6 {
        return (f32::NAN, f32::NAN);
    }
    let mndwi = ((green - swir) / sum).clamp(-1.0, 1.0);
    let likelihood = 100.0 * (0.5 + (mndwi - MNDWI_ABOVE) / 0.5).clamp(0.0, 1.0);
    (f32::from(u8::from(mndwi > MNDWI_ABOVE)), likelihood)
}

#[cfg(test)]
mod tests;
