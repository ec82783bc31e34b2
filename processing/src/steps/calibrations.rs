//! `calibrations`: layers held against stations, by setting.

use crate::Result;
use crate::fusion::{CalibrationSettings, calibrate};
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct Calibrations;

fn comparison_of(setting: &CalibrationSettings) -> Dataset {
    Dataset::Records(format!("calibration/{}/{}", setting.property, setting.collection))
}

#[async_trait]
impl Step for Calibrations {
    fn name(&self) -> &'static str {
        "calibrations"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let mut reads = vec![Dataset::Shapes(settings.fusion.stations.clone())];
        for setting in &settings.fusion.calibrations {
            reads.push(Dataset::Observations(setting.property.clone()));
            reads.push(Dataset::Collection(setting.collection.clone()));
            reads.extend(setting.zones.clone().map(Dataset::Shapes));
        }
        reads
    }

    fn writes(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        settings.fusion.calibrations.iter().map(comparison_of).collect()
    }

    fn list_units(&self, context: &StepContext<'_>, _: &RunView) -> Vec<Unit> {
        let units = self.writes(&context.settings).into_iter().map(|dataset| Unit {
            dataset,
            period: None,
        });
        units.collect()
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let fusion = context.settings.fusion;
        let mut settings = fusion.calibrations.iter();
        let setting = settings.find(|setting| comparison_of(setting) == unit.dataset)?;
        let mut parts = FingerprintParts::default()
            .with_whole(view, &Dataset::Shapes(fusion.stations.clone()))
            .with_whole(view, &Dataset::Observations(setting.property.clone()))
            .with_whole(view, &Dataset::Collection(setting.collection.clone()))
            .with_value(&"fusion.calibrations", setting);
        if let Some(zones) = &setting.zones {
            parts = parts.with_whole(view, &Dataset::Shapes(zones.clone()));
        }
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let fusion = context.settings.fusion;
        let is_stale =
            |setting: &&CalibrationSettings| stale.iter().any(|unit| unit.dataset == comparison_of(setting));
        let settings: Vec<_> = fusion.calibrations.iter().filter(is_stale).collect();
        calibrate(
            context.store.as_ref(),
            &context.assets,
            &fusion.stations,
            &settings,
            report,
        )
        .await
    }
}
