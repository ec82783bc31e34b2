//! Accuracy of maps against labels: counts, shares, areas with their uncertainty, per chip and pooled.

mod area;
pub mod chips;
mod confusion;
pub mod maps;
pub mod picture;

pub use area::{AreaEstimate, olofsson};
pub use confusion::{Counts, Matrix};
