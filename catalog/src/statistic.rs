//! What a raster says of a zone, as numbers.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Statistics of the cells of one item within one zone, weighted by the exact share of each cell that the zone covers
/// (exactextract's definitions). A zone without a valid cell has `count` 0 and none of the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ZonalStatistic {
    /// Sum of the covered shares of valid cells.
    pub count: f64,
    /// Weighted mean of the physical values.
    pub mean: Option<f64>,
    /// Smallest value of a touched cell.
    pub min: Option<f64>,
    /// Largest value of a touched cell.
    pub max: Option<f64>,
    /// Weighted population standard deviation.
    pub stdev: Option<f64>,
    /// Weighted median.
    pub median: Option<f64>,
    /// Weighted 10th percentile.
    pub p10: Option<f64>,
    /// Weighted 90th percentile.
    pub p90: Option<f64>,
    /// Covered share of valid cells over that of all cells, 0 to 1.
    pub valid_fraction: f64,
    /// Geodesic area of the zone, hectares.
    pub area_ha: f64,
    /// For class rasters: geodesic hectares of the zone by class value. Empty for measures.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<i64, f64>,
}
