//! The steps of a run: what each of them makes of what, and the order in which they are done. The roof: everything else in this
//! crate is below, and nothing there knows it.

mod fire_danger;
mod flood_depth;
mod forest_cover;
mod order;
mod settings;

pub use order::run_steps;
pub use settings::StepSettings;

use crate::Result;
use crate::fire::Fire;
use crate::product::{PRODUCTS, Product};
use crate::run::Progress;
use crate::zonal::ZoneStatistics;
use async_trait::async_trait;
use fire_danger::FireDanger;
use flood_depth::FloodDepth;
use forest_cover::ForestCover;
use sen_catalog::run::StepReport;
use sen_catalog::{Assets, Grid, Period, Store};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Every layer drawn from records, in the order in which they are made.
pub const DRAWN: &[&dyn Drawn] = &[&FireDanger, &ForestCover, &FloodDepth];

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
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
    /// Hears how far the run is.
    pub progress: &'a dyn Progress,
}

impl StepContext<'_> {
    fn fire(&self) -> Fire<'_> {
        Fire {
            store: Arc::clone(&self.store),
            assets: self.assets.clone(),
            grid: self.grid,
            code_version: self.code_version.clone(),
            processing: self.settings.processing,
            settings: self.settings.fire,
        }
    }

    fn zone_statistics(&self) -> ZoneStatistics<'_> {
        ZoneStatistics {
            store: Arc::clone(&self.store),
            assets: self.assets.clone(),
            cancelled: self.cancelled,
        }
    }
}

/// A weekly raster drawn from what is known beside the looks: fire days, forest change, causes of water.
#[async_trait]
pub trait Drawn: Sync {
    /// Name of the step, of the collection, of the main asset and of the style.
    fn name(&self) -> &'static str;

    /// Steps whose rows are drawn.
    fn after(&self) -> &'static [&'static str];

    /// Draws the weeks that are missing or out of date. What fails is named in the report and the rest done. Gives the weeks
    /// that nobody asked for and that were looked at.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    async fn draw(
        &self,
        context: &StepContext<'_>,
        weeks: &[Period],
        report: &mut StepReport,
    ) -> Result<BTreeSet<Period>>;
}

/// Names of all layers that a run makes and a style shows: first those measured in looks, then those drawn from records.
pub fn layer_names() -> Vec<&'static str> {
    let measured = PRODUCTS.iter().map(|product| product.name());
    measured.chain(DRAWN.iter().map(|layer| layer.name())).collect()
}

/// The layers that a run is asked for.
pub struct ProductSelection {
    measured: Vec<&'static dyn Product>,
    drawn: Vec<&'static dyn Drawn>,
}

impl ProductSelection {
    /// All layers there are.
    pub fn all() -> Self {
        Self {
            measured: PRODUCTS.to_vec(),
            drawn: DRAWN.to_vec(),
        }
    }

    /// The layers of these names; without a name all.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn of_names(names: &[String]) -> Result<Self, &str> {
        if names.is_empty() {
            return Ok(Self::all());
        }
        let known = layer_names();
        if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
            return Err(name);
        }
        let mut all = Self::all();
        let is_asked = |own: &str| names.iter().any(|name| name == own);
        all.measured.retain(|product| is_asked(product.name()));
        all.drawn.retain(|layer| is_asked(layer.name()));
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_measured_layers_come_first() {
        let mut names = layer_names();
        let measured = ["ndvi", "evi", "ndmi", "nbr", "mndwi", "flood"];
        assert_eq!(names[..6], measured);
        assert_eq!(names[6..], ["fire_danger", "forest_cover", "flood_depth"]);
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_selection_holds_what_was_named_and_says_which_name_is_none() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let some = names(&["flood_depth", "ndvi"]);
        let some = ProductSelection::of_names(&some).unwrap_or_else(|name| panic!("{name}"));
        assert_eq!((some.measured.len(), some.drawn.len()), (1, 1));
        let wrong = names(&["ndvi", "ndwi"]);
        assert_eq!(ProductSelection::of_names(&wrong).err(), Some("ndwi"));
        let all = ProductSelection::of_names(&[]).unwrap_or_else(|name| panic!("{name}"));
        assert_eq!(all.measured.len() + all.drawn.len(), layer_names().len());
    }
}
