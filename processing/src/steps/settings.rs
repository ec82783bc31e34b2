//! What is set for all steps, and what is wrong with it: said before the first one begins.

use super::layer_names;
use crate::ancillary::Given;
use crate::fusion::FusionSettings;
use crate::inundation::{DeltaSettings, check_dem};
use crate::phenology::CalendarSettings;
use crate::settings::Settings;
use crate::{Error, Result};
use sen_catalog::fire::FireSettings;
use sen_catalog::{Assets, Store};
use std::path::Path;

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

impl StepSettings<'_> {
    /// What is wrong with the settings, a sentence each that names the setting; of one table the first fault. Files that they
    /// name are looked at, their pixels are not.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn check(&self, store: &dyn Store, assets: &Assets) -> Result<Vec<String>> {
        let mut checks = vec![
            self.processing.check(),
            Given::check(&self.processing.ancillary, assets),
            self.fusion.check(),
            self.check_surface_names(),
            self.calendar.check(),
            self.fire.check().map_err(Error::from),
        ];
        let delta = self.delta.check();
        if delta.is_ok() {
            let stations = &self.fusion.stations;
            checks.push(check_dem(self.delta, self.folder, store, stations).await);
        }
        checks.push(delta);
        let mut wrong = Vec::new();
        for check in checks {
            match check {
                Ok(()) => {}
                Err(Error::Invalid(reason) | Error::Catalog(sen_catalog::Error::Invalid(reason))) => {
                    wrong.push(reason);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(wrong)
    }

    /// A surface is a collection of its own.
    fn check_surface_names(&self) -> Result<()> {
        let known = layer_names();
        let taken = |name: &str| known.contains(&name);
        let surfaces = &self.fusion.surfaces;
        match surfaces.iter().find(|surface| taken(&surface.property)) {
            None => Ok(()),
            Some(surface) => Err(Error::Invalid(format!(
                "fusion.surfaces.property: `{}` is the name of a layer made of scenes; give the quantity another name",
                surface.property
            ))),
        }
    }
}
