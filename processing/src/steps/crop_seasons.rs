//! `crop_seasons`: the crops of plots, from the looks at them in all weeks.

use crate::Result;
use crate::phenology::{Calendar, PLOTS_AT_ONCE};
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct CropSeasons;

#[async_trait]
impl Step for CropSeasons {
    fn name(&self) -> &'static str {
        "crop_seasons"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        super::weekly_scenes()
            .chain(settings.calendar.layers.iter().cloned().map(Dataset::Shapes))
            .collect()
    }

    fn writes(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let layers = settings.calendar.layers.iter();
        layers
            .map(|layer| Dataset::Records(format!("crop_season/{layer}")))
            .collect()
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let layers = context.settings.calendar.layers.iter();
        layers
            .flat_map(|layer| super::whole_unit_if(view, layer, &format!("crop_season/{layer}")))
            .collect()
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let layer = super::layer_of_records(&unit.dataset)?;
        let scenes: Vec<Dataset> = super::weekly_scenes().collect();
        let parts = FingerprintParts::of_whole(view, &scenes);
        let parts = parts
            .with_whole(view, &Dataset::Shapes(layer.to_owned()))
            .with_value(&"calendar", context.settings.calendar)
            .with_value(
                &"processing.cloud_dilation_m",
                &context.settings.processing.cloud_dilation_m,
            )
            .with_value(&"grid", &context.grid);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let calendar = Calendar {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            grid: context.grid,
            processing: context.settings.processing,
            settings: context.settings.calendar,
            plots_at_once: PLOTS_AT_ONCE,
            cancelled: context.cancelled,
        };
        let layers: Vec<&str> = stale
            .iter()
            .filter_map(|unit| super::layer_of_records(&unit.dataset))
            .collect();
        calendar.run(&layers, report, context.progress).await
    }
}
