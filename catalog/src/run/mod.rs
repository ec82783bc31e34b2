//! Runs: what steps read and write, the digests by which a change is told without reading a pixel, what was made from what, and
//! what became of it. Plain types.

mod dataset;
mod digest;
mod failure;
mod fingerprint;
mod ledger_entry;
mod report;

pub use dataset::{Dataset, Unit};
pub use digest::{ContentDigest, DatasetDigests};
pub use failure::Failure;
pub use fingerprint::Fingerprint;
pub use ledger_entry::LedgerEntry;
pub use report::{RunReport, StatusCounts, StepReport, StepStatus};
