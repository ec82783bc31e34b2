//! Runs: which units are out of date, in which order they are made, and what is entered of them.
//!
//! A [`Step`] declares what it reads and writes and how a unit of its work is made. What was made from what stands in the
//! ledger; whether it still holds is told by the digests that lie beside the rows ([`RunView`]), so that a run that finds
//! nothing to do opens no file.

mod context;
mod local;
mod plan;
mod step;
#[cfg(test)]
mod tests;
mod view;

pub use context::{StepContext, StepSettings};
pub use local::{RunScope, Runner};
pub use plan::sort_steps;
pub use step::{Step, StepGroup};
pub use view::{FingerprintParts, RunView};
