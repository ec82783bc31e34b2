//! Normalized difference moisture index (also called LSWI): water in leaves and wet soil.

use super::index::{Index, normalized_difference, optical};
use crate::mask;
use sen_catalog::Band::{Nir, Nir08, Swir16};

/// NDMI = (NIR - SWIR 1.6 um) / (NIR + SWIR 1.6 um), Gao 1996; on 20 m cells where SWIR has them. The narrow near
/// infrared is preferred: it is measured on the cells of SWIR.
pub const NDMI: Index = Index {
    name: "ndmi",
    version: 2,
    title: "Moisture index NDMI",
    formula_text: "(nir - swir16) / (nir + swir16) on the cells of swir16 (finer bands averaged to 20 m)",
    inputs: &[optical(&[&[Nir08, Nir], &[Swir16]])],
    clear: mask::VEGETATION,
    formula: |bands, values| normalized_difference(bands[0], bands[1], values),
};
