//! `flood_depth`: how deep the floods of the weeks are, with the DEM that is configured; the method is that of
//! [`crate::inundation::Depths`].

use crate::Result;
use crate::inundation::{DEPTH, Depths, STRIP_ROWS};
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::Period;
use sen_catalog::flood::FLOOD_TOLD;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};
use std::sync::Arc;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloodDepth;

/// The surface between gauges.
const LEVEL: &str = "water_level";

#[async_trait]
impl Step for FloodDepth {
    fn name(&self) -> &'static str {
        DEPTH
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let rasters = [FLOOD_TOLD, LEVEL].map(|name| Dataset::Collection(name.to_owned()));
        let others = [
            Dataset::Records("flood_cause".to_owned()),
            Dataset::Shapes(settings.delta.compartments.clone()),
        ];
        let dem = settings.delta.dem.clone().map(Dataset::File);
        rasters.into_iter().chain(others).chain(dem).collect()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Collection(DEPTH.to_owned())]
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        if context.settings.delta.dem.is_none() {
            return Vec::new();
        }
        let weeks = view.weeks_with(&[Dataset::Collection(FLOOD_TOLD.to_owned())]);
        super::weekly_units(&Dataset::Collection(DEPTH.to_owned()), weeks)
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let week = unit.period?;
        let delta = context.settings.delta;
        let level = Dataset::Collection(LEVEL.to_owned());
        if !view.holds_week(&level, week) {
            return None;
        }
        let parts = FingerprintParts::default()
            .with_week(view, &Dataset::Collection(FLOOD_TOLD.to_owned()), week)
            .with_week(view, &level, week)
            .with_week(view, &Dataset::Records("flood_cause".to_owned()), week)
            .with_whole(view, &Dataset::Shapes(delta.compartments.clone()))
            .with_files(context, delta.dem.clone())
            .with_value(&"delta.dem_error_m", &delta.dem_error_m);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let depths = Depths {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            settings: context.settings.delta,
            folder: context.settings.folder,
            code_version: context.code_version.clone(),
            strip_rows: STRIP_ROWS,
        };
        let weeks: Vec<Period> = stale.iter().filter_map(|unit| unit.period).collect();
        depths.run(&weeks, report, context.progress).await
    }
}
