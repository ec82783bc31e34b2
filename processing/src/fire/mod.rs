//! Forest fire in the weekly run: the danger of each day for each forest block from stations, what blocks lost, and what
//! burned at hot spots. Rules are those of [`sen_catalog::fire`]; the weekly layers are drawn from these rows by the products
//! `fire_danger` and `forest_cover`.

mod change;
mod danger;
mod hotspots;
mod layer;
mod weather;

pub(crate) use layer::{Sheet, Sheets};

pub use hotspots::{HotspotReport, Taken, judge_hotspots, take_hotspots};

use crate::Result;
use crate::run::Progress;
use crate::settings::Settings;
use sen_catalog::fire::FireSettings;
use sen_catalog::{Assets, Grid, Store};
use serde::Serialize;
use std::sync::Arc;

/// What making the layers of fire needs to know.
pub struct Fire<'a> {
    /// Blocks, stations, observations, hot spots, and the rows that come out.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// The province grid.
    pub grid: Grid,
    /// Kept in each item as `sen:code_version`.
    pub code_version: String,
    /// How scenes are read.
    pub processing: &'a Settings,
    /// What is set about fire.
    pub settings: &'a FireSettings,
}

/// What became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FireReport {
    /// Forest blocks.
    pub blocks: usize,
    /// True when the days were counted anew.
    pub danger_made: bool,
    /// Blocks whose days are others than before.
    pub danger_changed: usize,
    /// Weeks of the layer `fire_danger` made, and those that were up to date.
    pub weeks_made: usize,
    /// See `weeks_made`.
    pub weeks_up_to_date: usize,
    /// Weeks of the layer `forest_cover` made, and those that were up to date.
    pub cover_weeks_made: usize,
    /// See `cover_weeks_made`.
    pub cover_weeks_up_to_date: usize,
    /// True when the series were judged anew.
    pub change_made: bool,
    /// Blocks with an alert that later looks confirmed.
    pub confirmed: usize,
    /// Blocks with an alert that is not confirmed yet.
    pub suspected: usize,
    /// Radar scenes that could not be read for the change of blocks, with the reason; the rest was used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<(String, String)>,
    /// Hot spots.
    pub hotspots: HotspotReport,
}

impl FireReport {
    /// True when there was nothing to do it for.
    pub fn is_empty(&self) -> bool {
        self.blocks == 0 && self.hotspots.hotspots == 0
    }
}

impl Fire<'_> {
    /// The forest blocks; none when the layer is not there.
    pub(crate) async fn blocks(&self) -> Result<Option<danger::Blocks>> {
        danger::blocks(self).await
    }

    /// Danger by day.
    ///
    /// # Errors
    /// When the settings contradict themselves, or the catalogue cannot be read or written.
    pub async fn danger(&self, progress: &dyn Progress) -> Result<FireReport> {
        self.settings.check()?;
        let mut report = FireReport::default();
        let Some(blocks) = self.blocks().await? else {
            return Ok(report);
        };
        report.blocks = blocks.features.len();
        danger::days(self, &blocks, &mut report, progress).await?;
        Ok(report)
    }

    /// What blocks lost, from the statistics of their weeks, and what burned at hot spots.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written, or a table cannot be read.
    pub async fn change(&self, report: &mut FireReport, progress: &dyn Progress) -> Result<()> {
        if let Some(blocks) = self.blocks().await? {
            change::judge(self, &blocks, report, progress).await?;
        }
        report.hotspots = judge_hotspots(self.store.as_ref(), self.settings).await?;
        Ok(())
    }
}
