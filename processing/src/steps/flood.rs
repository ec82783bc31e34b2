//! `flood`: the weekly flood maps as the causes tell them, of what the satellites saw (`flood_observed`).

use crate::Result;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::Period;
use sen_catalog::flood::{FLOOD_OBSERVED, FLOOD_TOLD};
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct FloodMaps;

#[async_trait]
impl Step for FloodMaps {
    fn name(&self) -> &'static str {
        FLOOD_TOLD
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
            Dataset::Records("flood_cause".to_owned()),
            Dataset::Shapes(settings.delta.compartments.clone()),
            Dataset::Features(settings.fusion.stations.clone()),
            Dataset::Observations("water_level".to_owned()),
        ]
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Collection(FLOOD_TOLD.to_owned())]
    }

    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let weeks = view.weeks_with(&[Dataset::Collection(FLOOD_OBSERVED.to_owned())]);
        super::weekly_units(&Dataset::Collection(FLOOD_TOLD.to_owned()), weeks)
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let week = unit.period?;
        let settings = &context.settings;
        let levels = Dataset::Observations("water_level".to_owned());
        // whether the river has left is asked of the week before
        let heard = view.span_digest(&levels, week.previous(), week);
        let parts = FingerprintParts::default()
            .with_week(view, &Dataset::Collection(FLOOD_OBSERVED.to_owned()), week)
            .with_week(view, &Dataset::Records("flood_cause".to_owned()), week)
            .with_whole(view, &Dataset::Shapes(settings.delta.compartments.clone()))
            .with_whole(view, &Dataset::Features(settings.fusion.stations.clone()))
            .with(&levels, heard)
            .with_value(&"delta", settings.delta);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let weeks: Vec<Period> = stale.iter().filter_map(|unit| unit.period).collect();
        super::inundations_of(context)
            .tell_maps(&weeks, report, context.progress)
            .await
    }
}
