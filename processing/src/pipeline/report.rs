//! What a weekly run tells its caller.

use crate::fire::FireReport;
use crate::fusion::{CalibrationReport, SurfaceReport};
use crate::inundation::{DepthReport, InundationReport};
use crate::phenology::CalendarReport;
use crate::{Error, Result};
use sen_catalog::Period;
use serde::Serialize;
use std::collections::BTreeSet;

/// Hears how far a run is, for a progress bar.
pub trait Progress: Sync {
    /// A piece of work of `total` steps begins.
    fn begin(&self, what: &str, total: u64);
    /// So many more steps are done.
    fn advance(&self, by: u64);
    /// Something a person may want to know.
    fn message(&self, text: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn message(&self, _text: &str) {}
}

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

/// All that a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
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
    /// Surfaces between stations, by property.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub surfaces: Vec<SurfaceReport>,
    /// Layers held against stations, by setting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibrations: Vec<CalibrationReport>,
    /// Crop calendars, by layer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calendars: Vec<CalendarReport>,
    /// Fire danger, forest change and hot spots; none without forest blocks and hot spots.
    #[serde(skip_serializing_if = "FireReport::is_empty")]
    pub fire: FireReport,
    /// Why dyke compartments are under water, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inundations: Option<InundationReport>,
    /// Depths of the floods, where there are compartments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depths: Option<DepthReport>,
    /// Tables of zone statistics that were made or could not be; those up to date are only counted.
    pub statistics: crate::zonal::Report,
    /// Weeks that nobody asked for and that a product looking back has touched: the statistics of their zones have to be
    /// seen to as well.
    #[serde(skip)]
    pub also: BTreeSet<Period>,
    /// Steps that could not be done because a file of the data folder is not readable, with the reason; what they make stays
    /// as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<(String, String)>,
    /// What a person should know of the run as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// True when the run was stopped before its end.
    pub cancelled: bool,
}

impl Report {
    /// Enters a step of the run that failed for a file that is gone or not as it was written; the rest of the run goes on.
    ///
    /// # Errors
    /// Every other failure as it is.
    pub fn hold_back<T: Default>(&mut self, step: &str, result: Result<T>) -> Result<T> {
        use sen_catalog::Error::{Damaged, Io, Raster};
        match result {
            Err(Error::Catalog(error @ (Damaged { .. } | Io { .. } | Raster { .. }))) => {
                self.held_back.push((step.to_owned(), error.to_string()));
                Ok(T::default())
            }
            other => other,
        }
    }

    /// Takes out the entries from an index on in which nothing was done.
    pub(super) fn forget_idle(&mut self, from: usize) {
        let mut index = 0;
        self.entries.retain(|entry| {
            index += 1;
            index <= from || !matches!(entry.outcome, Outcome::UpToDate | Outcome::NoInput)
        });
    }

    /// True when everything asked for was done.
    pub fn is_complete(&self) -> bool {
        let failed = |entry: &Entry| matches!(entry.outcome, Outcome::Failed { .. });
        let calendars = self.calendars.iter().all(|calendar| calendar.failed.is_empty());
        let scenes = self.failed_scenes.is_empty() && !self.entries.iter().any(failed);
        let maps = self
            .inundations
            .as_ref()
            .is_none_or(|water| water.failed.is_empty());
        let depths = self.depths.as_ref().is_none_or(|depths| depths.failed.is_empty());
        let steps =
            self.held_back.is_empty() && self.fire.failed.is_empty() && self.statistics.failed.is_empty();
        scenes && calendars && maps && depths && steps && !self.cancelled
    }

    /// Takes entries out again (their work was stopped); `sorted` is in ascending order.
    pub(super) fn remove(&mut self, sorted: &[usize]) {
        for &index in sorted.iter().rev() {
            self.entries.remove(index);
        }
    }
}
