//! `zone_statistics`: what the rasters of each week say of every zone, a table a collection, week and layer of zones. A
//! step of one type for each of two sorts of rasters: those that rest on a week's own scenes and readings, and those drawn
//! from records.

use super::DRAWN_LAYERS;
use crate::Result;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use crate::zonal::{METHOD, ZoneStatistics, is_zone_layer};
use async_trait::async_trait;
use sen_catalog::flood::FLOOD_OBSERVED;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct ZoneTables {
    /// Name of the step.
    pub(super) name: &'static str,
    /// True for the collections drawn from records.
    pub(super) of_drawn: bool,
}

impl ZoneTables {
    /// True for the collections this step makes tables of. Of the flood as the satellites saw it there are none: zones are
    /// told by the flood as the causes tell it.
    fn is_own(&self, collection: &str) -> bool {
        collection != FLOOD_OBSERVED && DRAWN_LAYERS.contains(&collection) == self.of_drawn
    }

    fn collections(&self, settings: &StepSettings<'_>) -> Vec<String> {
        if self.of_drawn {
            return DRAWN_LAYERS.map(str::to_owned).to_vec();
        }
        let products = super::layer_names().into_iter().map(str::to_owned);
        let surfaces = settings
            .fusion
            .surfaces
            .iter()
            .map(|surface| surface.property.clone());
        products
            .chain(surfaces)
            .filter(|name| self.is_own(name))
            .collect()
    }
}

#[async_trait]
impl Step for ZoneTables {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        if self.of_drawn {
            StepGroup::Derived
        } else {
            StepGroup::Observed
        }
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let rasters = self.collections(settings).into_iter().map(Dataset::Collection);
        rasters.chain([Dataset::Shapes("*".to_owned())]).collect()
    }

    fn reads_for(&self, settings: &StepSettings<'_>, wanted: &[Dataset]) -> Vec<Dataset> {
        let is_wanted = |read: &Dataset| match read {
            Dataset::Collection(name) => wanted
                .iter()
                .any(|one| matches!(one, Dataset::Statistics { collection, .. } if collection == name)),
            _ => true,
        };
        self.reads(settings).into_iter().filter(is_wanted).collect()
    }

    fn writes(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let tables = self
            .collections(settings)
            .into_iter()
            .map(|collection| Dataset::Statistics {
                collection,
                layer: "*".to_owned(),
            });
        tables.collect()
    }

    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let mut units = Vec::new();
        for layer in view.layers().iter().filter(|layer| is_zone_layer(layer)) {
            for dataset in view.datasets_of(&Dataset::Collection("*".to_owned())) {
                let Dataset::Collection(collection) = &dataset else {
                    continue;
                };
                if !self.is_own(collection) {
                    continue;
                }
                let table = Dataset::Statistics {
                    collection: collection.clone(),
                    layer: layer.name.clone(),
                };
                let weeks = view.weeks_with(std::slice::from_ref(&dataset));
                units.extend(super::weekly_units(&table, weeks));
            }
        }
        units
    }

    fn fingerprint_unit(&self, _: &StepContext<'_>, view: &RunView, unit: &Unit) -> Option<Fingerprint> {
        let Dataset::Statistics { collection, layer } = &unit.dataset else {
            return None;
        };
        let parts = FingerprintParts::default()
            .with_week(view, &Dataset::Collection(collection.clone()), unit.period?)
            .with_whole(view, &Dataset::Shapes(layer.clone()))
            .with_value(&"method of statistics", &METHOD);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let statistics = ZoneStatistics {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            zones: Arc::clone(&context.zones),
            cancelled: context.cancelled,
        };
        statistics.make_units(stale, report, context.progress).await
    }
}
