//! Administrative units with their validity: provinces, districts (until 2025-06-30), communes.
//!
//! Codes were given again to other units on 2025-07-01 (82 was Tien Giang and is Dong Thap), so a unit is named by
//! (level, code, valid from). [`Hierarchy`] casts a zone to the unit of a level on any day, [`link`] finds what a unit
//! was made of.

mod hierarchy;
mod link;
mod parts;
#[cfg(test)]
mod tests;

pub use crate::admin_unit::{AdminUnit, Basis, Level, Predecessor};
pub use hierarchy::{Hierarchy, How, Placed, unit_of};
pub use link::link;
pub use parts::Division;

/// The layer that holds the polygons of units, where there are any.
pub const LAYER: &str = "admin_units";
