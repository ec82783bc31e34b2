//! Statistics of a larger area out of those of its parts.

use crate::Result;
use crate::statistic::{StatisticTable, ZonalStatistic};
use serde::Serialize;
use std::collections::BTreeMap;

/// What parts say of the area that they make up together.
///
/// Counts, means, spreads and extremes are put together exactly (each part weighs what its count weighs); hectares are
/// sums. Medians and percentiles cannot be had from those of parts: ask the larger zone's own table for them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RollUp {
    /// Number of parts.
    pub parts: u64,
    /// Number of parts with a valid cell.
    pub parts_seen: u64,
    /// Sum of the counts.
    pub count: f64,
    /// Mean of the cells of all parts.
    pub mean: Option<f64>,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Population standard deviation of the cells of all parts.
    pub stdev: Option<f64>,
    /// Share of the area that was seen, 0 to 1.
    pub valid_fraction: f64,
    /// Sum of the parts' geodesic areas, hectares.
    pub area_ha: f64,
    /// Hectares by class; with `unseen_ha` they add up to `area_ha`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<i64, f64>,
    /// Hectares that no look has seen.
    pub unseen_ha: f64,
}

/// Puts parts together, in their order.
pub fn roll_up<'a>(parts: impl IntoIterator<Item = &'a ZonalStatistic>) -> RollUp {
    let mut whole = RollUp::default();
    let (mut mean, mut squares) = (0.0, 0.0);
    let (mut area, mut seen) = (Sum::default(), Sum::default());
    let mut classes: BTreeMap<i64, Sum> = BTreeMap::new();
    for part in parts {
        whole.parts += 1;
        area.add(part.area_ha);
        seen.add(part.area_ha * part.valid_fraction);
        for (&class, &hectares) in &part.classes {
            classes.entry(class).or_default().add(hectares);
        }
        let (Some(own), true) = (part.mean, part.count > 0.0) else {
            continue;
        };
        whole.parts_seen += 1;
        let count = whole.count + part.count;
        let apart = own - mean;
        let spread = part.stdev.unwrap_or(0.0);
        squares += spread * spread * part.count + apart * apart * (whole.count / count) * part.count;
        mean += apart * (part.count / count);
        whole.count = count;
        whole.min = smallest(whole.min, part.min, f64::min);
        whole.max = smallest(whole.max, part.max, f64::max);
    }
    if whole.count > 0.0 {
        whole.mean = Some(mean);
        whole.stdev = Some((squares / whole.count).max(0.0).sqrt());
    }
    whole.area_ha = area.value();
    if whole.area_ha > 0.0 {
        whole.valid_fraction = (seen.value() / whole.area_ha).clamp(0.0, 1.0);
    }
    whole.classes = classes
        .into_iter()
        .map(|(class, sum)| (class, sum.value()))
        .collect();
    whole.unseen_ha = (whole.area_ha - seen.value()).max(0.0);
    whole
}

/// Puts the features of one table together: the plots of a commune in one week. Features without a row are no part.
///
/// # Errors
/// When the table cannot be read any more: a part of the sum is no sum.
pub fn roll_up_table(table: &StatisticTable, fids: &[i64]) -> Result<RollUp> {
    // reading everything once costs as much as a few thousand rows one by one
    if fids.len() > 2000 {
        table.load()?;
    }
    let mut parts: Vec<ZonalStatistic> = Vec::with_capacity(fids.len());
    for &fid in fids {
        if let Some(row) = table.row_of(fid)? {
            parts.push(table.statistic(row)?);
        }
    }
    Ok(roll_up(&parts))
}

fn smallest(a: Option<f64>, b: Option<f64>, pick: fn(f64, f64) -> f64) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (a, b) => a.or(b),
    }
}

/// Neumaier's sum: hundreds of thousands of parts add up to the last digit, in whatever order they come.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    sum: f64,
    rest: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        let next = self.sum + value;
        self.rest += if self.sum.abs() >= value.abs() {
            (self.sum - next) + value
        } else {
            (value - next) + self.sum
        };
        self.sum = next;
    }

    fn value(self) -> f64 {
        self.sum + self.rest
    }
}
