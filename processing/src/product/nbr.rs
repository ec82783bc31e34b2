//! Normalized burn ratio: green canopy against ash, char and dry soil.

use super::index::{Index, normalized_difference, optical};
use crate::mask;
use sen_catalog::Band::{Nir, Nir08, Swir22};

/// NBR = (NIR - SWIR 2.2 um) / (NIR + SWIR 2.2 um), Key & Benson 2006; on 20 m cells where SWIR has them, with the narrow
/// near infrared where there is one.
pub const NBR: Index = Index {
    name: "nbr",
    version: 2,
    title: "Burn ratio NBR",
    formula_text: "(nir - swir22) / (nir + swir22) on the cells of swir22 (finer bands averaged to 20 m)",
    inputs: &[optical(&[&[Nir08, Nir], &[Swir22]])],
    clear: mask::VEGETATION,
    formula: |bands, values| normalized_difference(bands[0], bands[1], values),
};
