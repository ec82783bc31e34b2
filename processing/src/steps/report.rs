//! What a run tells its caller.

use crate::fire::FireReport;
use crate::fusion::{CalibrationReport, SurfaceReport};
use crate::inundation::{DepthReport, InundationReport};
use crate::phenology::CalendarReport;
use crate::pipeline::WeeklyReport;
use crate::{Error, Result};
use serde::Serialize;

/// All that a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Products measured in looks.
    #[serde(flatten)]
    pub weekly: WeeklyReport,
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
    /// Steps that could not be done because a file of the data folder is not readable, with the reason; what they make stays
    /// as it was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<(String, String)>,
    /// What a person should know of the run as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
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

    /// True when everything asked for was done.
    pub fn is_complete(&self) -> bool {
        let calendars = self.calendars.iter().all(|calendar| calendar.failed.is_empty());
        let maps = self
            .inundations
            .as_ref()
            .is_none_or(|water| water.failed.is_empty());
        let depths = self.depths.as_ref().is_none_or(|depths| depths.failed.is_empty());
        let steps =
            self.held_back.is_empty() && self.fire.failed.is_empty() && self.statistics.failed.is_empty();
        self.weekly.is_complete() && calendars && maps && depths && steps
    }
}
