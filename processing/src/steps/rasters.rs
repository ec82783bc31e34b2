//! `rasters`: weekly rasters of the scenes of each week, all products of a week in one pass.

use crate::Result;
use crate::look;
use crate::pipeline::Weekly;
use crate::product::{PRODUCTS, Product, Sensor};
use crate::reference::REFERENCE_DAYS;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use crate::source::WEEKLY_SCENES;
use async_trait::async_trait;
use sen_catalog::Period;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};
use std::collections::BTreeSet;
use std::sync::Arc;

/// See the module. A value, so that a test can hand in one more product.
pub(crate) struct Rasters {
    /// What is measured in scenes.
    pub(crate) products: &'static [&'static dyn Product],
}

/// The products there are.
pub(super) const RASTERS: Rasters = Rasters { products: PRODUCTS };

fn raster_of(product: &dyn Product) -> Dataset {
    Dataset::Collection(product.name().to_owned())
}

/// The collections of scenes that a product can be measured in.
fn scenes_of(product: &dyn Product) -> impl Iterator<Item = &'static str> {
    let sensors: Vec<Sensor> = product.inputs().iter().map(|input| input.sensor).collect();
    let collections = WEEKLY_SCENES.iter().copied();
    collections.filter(move |collection| sensors.contains(&look::sensor(collection)))
}

#[async_trait]
impl Step for Rasters {
    fn name(&self) -> &'static str {
        "rasters"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Observed
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let scenes = super::weekly_scenes();
        let earlier = self.products.iter().filter(|product| product.beyond().weeks > 0);
        let earlier = earlier.map(|product| Dataset::PriorWeeks(product.name().to_owned()));
        let masks = settings.processing.ancillary.paths();
        scenes
            .chain(earlier)
            .chain(masks.into_iter().map(Dataset::File))
            .collect()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        self.products.iter().map(|product| raster_of(*product)).collect()
    }

    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let scenes: Vec<Dataset> = super::weekly_scenes().collect();
        let weeks = view.weeks_with(&scenes);
        let units = weeks.into_iter().flat_map(|week| {
            self.products.iter().map(move |product| Unit {
                dataset: raster_of(*product),
                period: Some(week),
            })
        });
        units.collect()
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let product = *self
            .products
            .iter()
            .find(|product| raster_of(**product) == unit.dataset)?;
        let week = unit.period?;
        let beyond = product.beyond();
        let processing = &context.settings.processing;
        let mut parts = FingerprintParts::default();
        let mut has_scenes = false;
        for collection in scenes_of(product) {
            let scenes = Dataset::Scenes(collection.to_owned());
            has_scenes |= view.holds_week(&scenes, week);
            parts = parts.with_week(view, &scenes, week);
            if beyond.reference && look::sensor(collection) == Sensor::Radar {
                let from = week.weeks_before(REFERENCE_DAYS / 7 + 1);
                let earlier = view.span_digest(&scenes, from, week.previous());
                parts = parts.with(&format!("earlier looks of {collection}"), earlier);
            }
        }
        if !has_scenes {
            return None;
        }
        // what is no more as it was taken in is named, and nothing is made of it
        let changed: Vec<&str> = scenes_of(product)
            .flat_map(|collection| view.changed_scenes(collection, week))
            .collect();
        if !changed.is_empty() {
            parts = parts.with_value(&"files of scenes", &changed);
        }
        if beyond.weeks > 0 {
            let from = week.weeks_before(i64::from(beyond.weeks));
            let earlier = view.span_digest(&unit.dataset, from, week.previous());
            parts = parts.with(&Dataset::PriorWeeks(product.name().to_owned()), earlier);
        }
        if beyond.ancillary {
            parts = parts.with_files(context, processing.ancillary.paths());
            parts = parts.with_value(&"processing.ancillary", &processing.ancillary);
        }
        let parts = parts
            .with_value(&"processing.cloud_dilation_m", &processing.cloud_dilation_m)
            .with_value(&"grid", &context.grid)
            .with_value(&"method of the product", &product.version());
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let weeks: BTreeSet<Period> = stale.iter().filter_map(|unit| unit.period).collect();
        for week in weeks {
            self.make_week(context, week, stale, report).await?;
            if report.cancelled {
                break;
            }
        }
        Ok(())
    }
}

impl Rasters {
    /// The products of one week that are out of date, in one pass over its scenes.
    async fn make_week(
        &self,
        context: &StepContext<'_>,
        week: Period,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let is_stale = |product: &&'static dyn Product| {
            let raster = raster_of(*product);
            stale
                .iter()
                .any(|unit| unit.dataset == raster && unit.period == Some(week))
        };
        let products: Vec<&dyn Product> = self.products.iter().copied().filter(is_stale).collect();
        let weekly = Weekly {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            grid: context.grid,
            products: &products,
            code_version: context.code_version.clone(),
            settings: context.settings.processing.clone(),
            cancelled: context.cancelled,
        };
        weekly.make_week(week, report, context.progress).await
    }
}
