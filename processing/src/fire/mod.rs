//! Forest fire in the weekly run: the danger of each day for each forest block from stations, what blocks lost, and what
//! burned at hot spots. Rules are those of [`sen_catalog::fire`]; the weekly layers are drawn from these rows by the products
//! `fire_danger` and `forest_cover`.

mod change;
mod danger;
mod hotspots;
mod layer;
mod weather;

pub(crate) use layer::{Sheet, Sheets};

pub use hotspots::{Taken, judge_hotspots, take_hotspots};

use crate::Result;
use crate::run::Progress;
use crate::settings::Settings;
use sen_catalog::fire::FireSettings;
use sen_catalog::run::StepReport;
use sen_catalog::{Assets, Grid, Store};
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

impl Fire<'_> {
    /// The forest blocks; none when the layer is not there.
    pub(crate) async fn blocks(&self) -> Result<Option<danger::Blocks>> {
        danger::blocks(self).await
    }

    /// Danger by day; nothing without forest blocks.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written.
    pub async fn danger(&self, report: &mut StepReport, progress: &dyn Progress) -> Result<()> {
        if let Some(blocks) = self.blocks().await? {
            danger::days(self, &blocks, report, progress).await?;
        }
        Ok(())
    }

    /// What blocks lost, from the statistics of their weeks and from radar; nothing without forest blocks.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written, or a table cannot be read.
    pub async fn change(&self, report: &mut StepReport, progress: &dyn Progress) -> Result<()> {
        if let Some(blocks) = self.blocks().await? {
            change::judge(self, &blocks, report, progress).await?;
        }
        Ok(())
    }
}
