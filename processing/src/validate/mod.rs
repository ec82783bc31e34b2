//! Accuracy of maps against labels: counts, shares, areas with their uncertainty, per chip and pooled.

mod area;
pub mod chips;
mod confusion;
pub mod holdout;
pub mod maps;
pub mod picture;
mod simple;

pub use area::{AreaEstimate, olofsson};
pub use confusion::{Counts, Matrix};
