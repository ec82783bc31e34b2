//! `forest_change`: what forest blocks lost, from the statistics of their weeks and from radar.

use crate::Result;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::fire::change::Indicator;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct ForestChange;

#[async_trait]
impl Step for ForestChange {
    fn name(&self) -> &'static str {
        "forest_change"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let blocks = &settings.fire.blocks;
        let tables =
            [Indicator::Nbr, Indicator::Ndmi, Indicator::Ndvi].map(|indicator| Dataset::Statistics {
                collection: indicator.name().to_owned(),
                layer: blocks.clone(),
            });
        let scenes = ["sentinel-1-rtc", "sentinel-1-grd"].map(|name| Dataset::Scenes(name.to_owned()));
        tables
            .into_iter()
            .chain(scenes)
            .chain([Dataset::Shapes(blocks.clone())])
            .collect()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Records("forest_change".to_owned())]
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        super::whole_unit_if(view, &context.settings.fire.blocks, "forest_change")
    }

    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, _: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::of_whole(view, &self.reads(&context.settings));
        let parts = parts
            .with_value(&"fire.change", &context.settings.fire.change)
            .with_value(
                &"processing.cloud_dilation_m",
                &context.settings.processing.cloud_dilation_m,
            )
            .with_value(&"grid", &context.grid);
        Some(parts.finish())
    }

    async fn make_units(&self, context: &StepContext<'_>, _: &[Unit], report: &mut StepReport) -> Result<()> {
        super::fire_of(context).change(report, context.progress).await
    }
}
