//! `flood_causes`: why dyke compartments are under water, week by week.

use crate::Result;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::flood::FLOOD_OBSERVED;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct FloodCauses;

#[async_trait]
impl Step for FloodCauses {
    fn name(&self) -> &'static str {
        "flood_causes"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        vec![
            Dataset::Collection(FLOOD_OBSERVED.to_owned()),
            Dataset::Features(settings.delta.compartments.clone()),
            Dataset::Shapes(settings.delta.plots.clone()),
            Dataset::Features(settings.fusion.stations.clone()),
            Dataset::Observations("water_level".to_owned()),
            Dataset::Records("crop_season".to_owned()),
        ]
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Records("flood_cause".to_owned())]
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        super::whole_unit_if(view, &context.settings.delta.compartments, "flood_cause")
    }

    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, _: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::of_whole(view, &self.reads(&context.settings));
        Some(parts.with_value(&"delta", context.settings.delta).finish())
    }

    async fn make_units(&self, context: &StepContext<'_>, _: &[Unit], report: &mut StepReport) -> Result<()> {
        super::inundations_of(context)
            .tell_causes(report, context.progress)
            .await
    }
}
