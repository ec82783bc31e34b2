//! `danger_days`: the danger of forest fire of each day for each forest block, from stations.

use crate::Result;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct DangerDays;

/// What stations have to measure, wind for the index of fire weather alone.
const PROPERTIES: [&str; 4] = ["temperature", "humidity", "rain", "wind_speed"];

#[async_trait]
impl Step for DangerDays {
    fn name(&self) -> &'static str {
        "danger_days"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let readings = PROPERTIES
            .iter()
            .map(|name| Dataset::Observations((*name).to_owned()));
        let layers = [&settings.fire.blocks, &settings.fire.stations];
        readings
            .chain(layers.map(|layer| Dataset::Shapes(layer.clone())))
            .collect()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Records("fire_danger_day".to_owned())]
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        super::whole_unit_if(view, &context.settings.fire.blocks, "fire_danger_day")
    }

    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, _: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::of_whole(view, &self.reads(&context.settings));
        Some(parts.with_value(&"fire", context.settings.fire).finish())
    }

    async fn make_units(&self, context: &StepContext<'_>, _: &[Unit], report: &mut StepReport) -> Result<()> {
        super::fire_of(context).danger(report, context.progress).await
    }
}
