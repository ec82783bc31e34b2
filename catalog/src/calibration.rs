//! Corrections of satellite values by what stations measured: versions that are kept for ever, applied or not.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// How slope and intercept are found: the median of the slopes of all pairs of points (Theil 1950, Sen 1968), which
/// outliers do not move; the other lines are in the figures.
pub const METHOD: &str = "theil_sen";

/// One comparison of a layer with a measured property, and the correction that came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What stations measured: `water_level`.
    pub property: String,
    /// The layer held against it: `ndmi`.
    pub collection: String,
    /// 1, 2, ... in order of time, given by the store; 0 before the first `put`.
    pub version: u32,
    /// Digest of the pairs and the method.
    pub inputs: String,
    /// Change of the ground value by unit of the satellite's.
    pub slope: f64,
    /// Ground value where the satellite says nought.
    pub intercept: f64,
    /// True when the correction earned its place.
    pub applied: bool,
    /// Why or why not, for people.
    pub reason: String,
    /// Number of pairs, bias, errors, intervals.
    pub figures: Map<String, Value>,
    /// The items and datastreams the pairs come from, sorted.
    pub lineage: Vec<String>,
}

impl Calibration {
    /// The corrected value; none when the correction is not to be applied. The raw value is never replaced.
    pub fn corrected(&self, raw: f64) -> Option<f64> {
        self.applied.then_some(self.intercept + self.slope * raw)
    }
}

/// The correction in use for a layer, of all versions as the store lists them: the newest of a property, where it is to be
/// applied. An older one that was applied is not gone back to. Of several properties the first by name decides.
pub fn in_use<'a>(all: &'a [Calibration], collection: &str) -> Option<&'a Calibration> {
    let mut newest: Vec<&Calibration> = all.iter().filter(|one| one.collection == collection).collect();
    newest.dedup_by(|older, newer| older.property == newer.property);
    newest.into_iter().find(|one| one.applied)
}
