//! What a raster says of a zone, as numbers, and the table of a layer's zones that a weekly item keeps as an asset.

mod cache;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use cache::StatisticTables;
pub use table::StatisticTable;

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

/// The name of the asset that holds a layer's table: `statistics_plots`.
pub fn asset_name(layer: &str) -> String {
    format!("statistics_{layer}")
}

/// The layer whose table an asset of this name holds.
pub fn layer_of(asset: &str) -> Option<&str> {
    asset.strip_prefix("statistics_")
}

/// A column of numbers: its name in the table, and its value in a statistic (NaN: none).
type Column = (
    &'static str,
    fn(&ZonalStatistic) -> f64,
    fn(&mut ZonalStatistic, f64),
);

fn some(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// Key of the metadata of the list of numbers that names its columns, with commas between.
const COLUMNS_KEY: &str = "columns";

/// The columns that every table has, in their order.
const COLUMNS: [Column; 10] = [
    ("count", |s| s.count, |s, v| s.count = v),
    ("mean", |s| s.mean.unwrap_or(f64::NAN), |s, v| s.mean = some(v)),
    ("min", |s| s.min.unwrap_or(f64::NAN), |s, v| s.min = some(v)),
    ("max", |s| s.max.unwrap_or(f64::NAN), |s, v| s.max = some(v)),
    ("stdev", |s| s.stdev.unwrap_or(f64::NAN), |s, v| s.stdev = some(v)),
    (
        "median",
        |s| s.median.unwrap_or(f64::NAN),
        |s, v| s.median = some(v),
    ),
    ("p10", |s| s.p10.unwrap_or(f64::NAN), |s, v| s.p10 = some(v)),
    ("p90", |s| s.p90.unwrap_or(f64::NAN), |s, v| s.p90 = some(v)),
    (
        "valid_fraction",
        |s| s.valid_fraction,
        |s, v| s.valid_fraction = v,
    ),
    ("area_ha", |s| s.area_ha, |s, v| s.area_ha = v),
];

/// The class whose hectares a column holds.
fn class_of(column: &str) -> Option<i64> {
    column.strip_prefix("class_")?.strip_suffix("_ha")?.parse().ok()
}

/// The column that holds a class's hectares.
fn class_column(class: i64) -> String {
    format!("class_{class}_ha")
}
