//! Modified normalized difference water index: open water is above zero.

use super::index::{Index, normalized_difference, optical};
use crate::mask;
use sen_catalog::Band::{Green, Swir16};

/// MNDWI = (green - SWIR 1.6 um) / (green + SWIR 1.6 um), Xu 2006; on 20 m cells where SWIR has them.
pub const MNDWI: Index = Index {
    name: "mndwi",
    version: 2,
    title: "Water index MNDWI",
    formula_text: "(green - swir16) / (green + swir16) on the cells of swir16 (finer bands averaged to 20 m)",
    inputs: &[optical(&[&[Green], &[Swir16]])],
    clear: mask::WATER,
    formula: |bands, values| normalized_difference(bands[0], bands[1], values),
};
