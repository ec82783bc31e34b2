//! Normalized difference vegetation index: how green and dense the plants are.

use super::index::{Index, normalized_difference, optical};
use crate::mask;
use sen_catalog::Band::{Nir, Nir08, Red};

/// NDVI = (NIR - red) / (NIR + red), Rouse et al. 1974.
pub const NDVI: Index = Index {
    name: "ndvi",
    version: 2,
    title: "Vegetation index NDVI",
    formula_text: "(nir - red) / (nir + red)",
    inputs: &[optical(&[&[Nir, Nir08], &[Red]])],
    clear: mask::VEGETATION,
    formula: |bands, values| normalized_difference(bands[0], bands[1], values),
};
