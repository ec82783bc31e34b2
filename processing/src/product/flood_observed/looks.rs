//! One look over one block: which cells it calls water, how likely, and where it cannot tell.

use super::{BLIND, BRIGHT};
use crate::composite::Measured;
use crate::flood::ensemble;
use crate::flood::optical::{self, Spectrum};
use crate::flood::radar::{self, Bands};
use crate::product::index::{crop, on_one_grid};
use crate::product::{Block, LookBlock, Sensor};
use crate::{ancillary, mask};
use sen_catalog::Band;

/// Strong scatterers in VH, decibel after the speckle filter: towns, under whose echo radar cannot see water.
const VH_BRIGHT: f32 = -10.0;
/// The same for VV.
const VV_BRIGHT: f32 = -3.0;

/// While looks vote, partly water stands between dry and open water.
pub(super) const PARTIAL_VOTE: f32 = 0.5;

/// What the looks of a block leave behind besides their votes, a cell of the core each.
pub(super) struct Seen {
    /// An optical look shows a cloud.
    pub(super) cloudy: Vec<bool>,
    /// A radar look cannot tell, and why (a value of `exclusion`).
    pub(super) blind: Vec<u8>,
    /// Sum and number of the likelihoods.
    likelihood: Vec<(f32, f32)>,
}

impl Seen {
    pub(super) fn new(block: &Block) -> Self {
        let cells = block.core.width * block.core.height;
        Self {
            cloudy: vec![false; cells],
            blind: vec![0; cells],
            likelihood: vec![(0.0, 0.0); cells],
        }
    }

    /// Mean of the looks' likelihoods; NaN where none voted.
    pub(super) fn likelihoods(&self) -> Vec<f32> {
        let mean = |&(sum, count): &(f32, f32)| if count > 0.0 { sum / count } else { f32::NAN };
        self.likelihood.iter().map(mean).collect()
    }
}

/// The vote of each cell that the look shows; notes clouds, where radar is blind, and likelihoods.
pub(super) fn measure(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<Measured> {
    let (votes, likelihood) = match look.sensor {
        Sensor::Radar => of_radar(block, look, seen)?,
        Sensor::Optical => {
            let (votes, likelihood) = of_optical(block, look, seen)?;
            (crop(votes, block), crop(likelihood, block))
        }
    };
    for ((sum, vote), likelihood) in seen.likelihood.iter_mut().zip(&votes).zip(likelihood) {
        if !vote.is_nan() {
            *sum = (sum.0 + likelihood, sum.1 + 1.0);
        }
    }
    Some(Measured {
        values: votes,
        pass: look.pass,
        age_days: look.age_days,
        haze: Vec::new(),
    })
}

/// Votes and likelihoods of the core.
fn of_radar(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<(Vec<f32>, Vec<f32>)> {
    let filter = |values: &[f32]| radar::filtered(values, block.width);
    let own = |band: Band| look.band(&[band]).map(|(values, _)| filter(values));
    let before = |band: Band| {
        let found = look.reference.iter().find(|(own, _)| *own == band);
        found.map(|(_, values)| filter(values))
    };
    let (vv, vh) = (own(Band::Vv), own(Band::Vh));
    let (vv_before, vh_before) = (before(Band::Vv), before(Band::Vh));
    let bands = Bands {
        vv: vv.as_deref(),
        vh: vh.as_deref(),
    };
    let reference = Bands {
        vv: vv_before.as_deref(),
        vh: vh_before.as_deref(),
    };
    let reference = (!reference.is_empty()).then_some(reference);
    if bands.is_empty() {
        return None;
    }
    let found = ensemble::radar_look(
        bands,
        reference,
        block.width,
        &look.thresholds.radar,
        &radar::RULE,
    );
    let (mut votes, likelihood) = (crop(found.water, block), crop(found.likelihood, block));
    let bright = |band: Option<Vec<f32>>, limit: f32| {
        band.map(|band| {
            crop(band, block)
                .into_iter()
                .map(|value| value > limit)
                .collect::<Vec<_>>()
        })
    };
    let (vv, vh) = (bright(vv, VV_BRIGHT), bright(vh, VH_BRIGHT));
    for (cell, vote) in votes.iter_mut().enumerate().filter(|(_, vote)| !vote.is_nan()) {
        let bright = |band: &Option<Vec<bool>>| band.as_ref().is_some_and(|band| band[cell]);
        let given = block.given.get(cell).copied().unwrap_or(0);
        let why = if given & ancillary::RADAR_BLIND != 0 {
            BLIND
        } else if bright(&vv) || bright(&vh) {
            BRIGHT
        } else {
            continue;
        };
        seen.blind[cell] = seen.blind[cell].max(why);
        *vote = f32::NAN;
    }
    Some((votes, likelihood))
}

fn of_optical(block: &Block, look: &LookBlock, seen: &mut Seen) -> Option<(Vec<f32>, Vec<f32>)> {
    let at = &look.thresholds.optical;
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
            let (class, likelihood) = ensemble::optical_cell(&spectrum, at);
            (if class == 2.0 { PARTIAL_VOTE } else { class }, likelihood)
        };
        (0..block.width * block.height).map(cell).unzip()
    } else {
        let bands = on_one_grid(block, &[look.band(&[Band::Green])?, look.band(&[Band::Swir16])?]);
        let pairs = bands[0].iter().zip(bands[1].iter());
        pairs
            .map(|(&green, &swir)| optical::told(optical::difference(green, swir), at.mndwi))
            .unzip()
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
