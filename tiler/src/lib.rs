//! See the crate's description.

pub mod encode;
pub mod source;
pub mod style;
