//! What stands in the ledger.

use super::{ContentDigest, Fingerprint, Unit};
use serde::Serialize;

/// From what a step made a unit, and what came out. The unit is up to date while its fingerprint, the step's version and what
/// lies there are these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LedgerEntry {
    /// What was made.
    pub unit: Unit,
    /// The name of the step that made it.
    pub step: String,
    /// The version of the step's code.
    pub version: u32,
    /// What it was made from, taken before that was read.
    pub fingerprint: Fingerprint,
    /// The digest of what came out: where it is the same as before, nothing that reads it has to be made again.
    pub output: ContentDigest,
}
