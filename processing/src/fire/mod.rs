//! Forest fire in the weekly run: the danger of each day for each forest block from stations, its weekly layer, what
//! blocks lost, and what burned at hot spots. Rules are those of [`sen_catalog::fire`].

mod change;
mod danger;
mod hotspots;
mod layer;
mod weather;

pub use hotspots::{HotspotReport, Taken, judge_hotspots, take_hotspots};

use crate::Result;
use crate::pipeline::{Progress, Settings};
use sen_catalog::fire::FireSettings;
use sen_catalog::{Assets, Grid, Period, Store};
use serde::Serialize;
use std::collections::BTreeSet;
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
    /// Weeks of the layer made, and those that were up to date.
    pub weeks_made: usize,
    /// See `weeks_made`.
    pub weeks_up_to_date: usize,
    /// Weeks after those asked for, of which stations tell already: their zones want statistics too.
    #[serde(skip)]
    pub later: BTreeSet<Period>,
    /// True when the series were judged anew.
    pub change_made: bool,
    /// Blocks with an alert that later looks confirmed.
    pub confirmed: usize,
    /// Blocks with an alert that is not confirmed yet.
    pub suspected: usize,
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
    /// Danger by day, and the layer of the weeks; before zone statistics, which are made of it too.
    ///
    /// # Errors
    /// When the settings contradict themselves, the catalogue cannot be read or written, or a file cannot be written.
    pub async fn danger(&self, weeks: &[Period], progress: &dyn Progress) -> Result<FireReport> {
        self.settings.check()?;
        let mut report = FireReport::default();
        let Some(blocks) = danger::blocks(self).await? else {
            return Ok(report);
        };
        report.blocks = blocks.features.len();
        danger::days(self, &blocks, &mut report, progress).await?;
        layer::weeks(self, &blocks, weeks, &mut report).await?;
        Ok(report)
    }

    /// What blocks lost, from the statistics of their weeks, and what burned at hot spots.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written, or a table cannot be read.
    pub async fn change(&self, report: &mut FireReport, progress: &dyn Progress) -> Result<()> {
        if let Some(blocks) = danger::blocks(self).await? {
            change::judge(self, &blocks, report, progress).await?;
        }
        report.hotspots = judge_hotspots(self.store.as_ref(), self.settings).await?;
        Ok(())
    }
}
