//! What became of the products of the weeks.

use sen_catalog::Period;
use serde::Serialize;
use std::collections::BTreeSet;

/// What became of a product of a week.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was made or remade.
    Made,
    /// Nothing had changed.
    UpToDate,
    /// No scene of the week has its bands.
    NoInput,
    /// It could not be made.
    Failed {
        /// Why, naming the file.
        reason: String,
    },
}

/// A product of a week.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The week.
    pub period: Period,
    /// The product's name.
    pub product: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// A scene that could not be read; its week was made from the others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedScene {
    /// The week.
    pub period: Period,
    /// `collection/id`.
    pub scene: String,
    /// Why, naming the file.
    pub reason: String,
}

/// A scene of the catalogue that no raster shows, because it lies outside the province grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutsideScene {
    /// The week.
    pub period: Period,
    /// `collection/id`.
    pub scene: String,
    /// Its west, south, east and north in degrees.
    pub bbox: [f64; 4],
    /// The `bounds` of `[grid]` that would hold both it and the province.
    pub wider_bounds: [f64; 4],
}

/// A scene whose look another processing shows as well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DuplicateScene {
    /// The week.
    pub period: Period,
    /// `collection/id`.
    pub scene: String,
    /// Id of the scene that counts.
    pub of: String,
    /// True for an older processing, which is not used; false where the scene fills what the other lacks.
    pub left_out: bool,
}

/// What became of the products measured in looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WeeklyReport {
    /// One entry a week and product, by week, then in the order of the products.
    pub entries: Vec<Entry>,
    /// Scenes left out.
    pub failed_scenes: Vec<FailedScene>,
    /// Scenes outside the province grid.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outside: Vec<OutsideScene>,
    /// Scenes of looks that were processed more than once, in the weeks that were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<DuplicateScene>,
    /// Weeks that nobody asked for and that a product looking back has touched: the statistics of their zones have to be
    /// seen to as well.
    #[serde(skip)]
    pub also: BTreeSet<Period>,
    /// True when the run was stopped before its end.
    pub cancelled: bool,
}

impl WeeklyReport {
    /// Takes out the entries from an index on in which nothing was done.
    pub(super) fn forget_idle(&mut self, from: usize) {
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= from || !matches!(entry.outcome, Outcome::UpToDate | Outcome::NoInput)
        });
    }

    /// True when every product asked for was made of every scene.
    pub fn is_complete(&self) -> bool {
        let failed = |entry: &Entry| matches!(entry.outcome, Outcome::Failed { .. });
        self.failed_scenes.is_empty() && !self.entries.iter().any(failed) && !self.cancelled
    }

    /// Takes entries out again (their work was stopped); `sorted` is in ascending order.
    pub(super) fn remove(&mut self, sorted: &[usize]) {
        for &index in sorted.iter().rev() {
            self.entries.remove(index);
        }
    }
}
