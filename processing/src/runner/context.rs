//! What all steps of a run work with.

use crate::fusion::FusionSettings;
use crate::inundation::DeltaSettings;
use crate::phenology::CalendarSettings;
use crate::run::Progress;
use crate::settings::Settings;
use crate::zonal::PlacedZones;
use sen_catalog::fire::FireSettings;
use sen_catalog::{Assets, Grid, Store};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The settings of all steps.
#[derive(Clone, Copy, Debug)]
pub struct StepSettings<'a> {
    /// How scenes are read and weeks made.
    pub processing: &'a Settings,
    /// Surfaces and calibrations.
    pub fusion: &'a FusionSettings,
    /// Crop calendars.
    pub calendar: &'a CalendarSettings,
    /// Forest fire.
    pub fire: &'a FireSettings,
    /// Dyke compartments.
    pub delta: &'a DeltaSettings,
    /// The data folder, which relative paths start from.
    pub folder: &'a Path,
}

/// What all steps of a run work with.
pub struct StepContext<'a> {
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// The province grid.
    pub grid: Grid,
    /// Kept in each item as `sen:code_version`.
    pub code_version: String,
    /// What is set.
    pub settings: StepSettings<'a>,
    /// Zones that were placed on the grid, kept from week to week.
    pub zones: Arc<PlacedZones>,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
    /// Hears how far the run is.
    pub progress: &'a dyn Progress,
}

impl StepContext<'_> {
    /// The same on other rows.
    pub(super) fn with_store(&self, store: Arc<dyn Store>) -> Self {
        Self {
            store,
            assets: self.assets.clone(),
            grid: self.grid,
            code_version: self.code_version.clone(),
            settings: self.settings,
            zones: Arc::clone(&self.zones),
            cancelled: self.cancelled,
            progress: self.progress,
        }
    }
}
