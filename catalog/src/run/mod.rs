//! Runs: what steps read and write, and what became of it. Plain types.

mod dataset;
mod failure;
mod report;

pub use dataset::{Dataset, Unit};
pub use failure::Failure;
pub use report::{RunReport, StatusCounts, StepReport, StepStatus};
