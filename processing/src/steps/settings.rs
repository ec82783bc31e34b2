//! What is wrong with the settings of the steps: said before the first one begins.

use super::layer_names;
use crate::ancillary::Given;
use crate::inundation::check_dem;
use crate::runner::StepSettings;
use crate::{Error, Result};
use sen_catalog::{Assets, Store};

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
