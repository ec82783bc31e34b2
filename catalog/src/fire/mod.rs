//! Forest fire: how dangerous a day is, what satellites saw burning, what a forest lost. Pure rules; rows are kept by
//! [`crate::store::Fires`], made by the weekly run.
//!
//! [`danger`] is the Vietnamese index P with its levels, [`fwi`] the Canadian index beside it, [`day`] makes both of the
//! readings of stations without ever bridging a gap; [`firms`] reads hot spots, [`cluster`] tells fires apart;
//! [`change`] raises alerts on series of a forest block, [`alert`] reads those of Global Forest Watch.

pub mod alert;
pub mod change;
pub mod cluster;
pub mod danger;
pub mod day;
pub mod firms;
pub mod fwi;
mod settings;
#[cfg(test)]
mod tests;

pub use settings::{ChangeSettings, Citation, FireSettings, HotspotSettings};

/// The layer of hot spots.
pub const HOTSPOTS: &str = "hotspots";
