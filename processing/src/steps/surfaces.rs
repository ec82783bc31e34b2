//! `surfaces`: weekly surfaces between stations, of the weeks with a scene.

use crate::Result;
use crate::fusion::Surfaces;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub(super) struct SurfaceRasters;

#[async_trait]
impl Step for SurfaceRasters {
    fn name(&self) -> &'static str {
        "surfaces"
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        StepGroup::Observed
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let readings = settings.fusion.surfaces.iter();
        let readings = readings.map(|surface| Dataset::Observations(surface.property.clone()));
        readings
            .chain([Dataset::Shapes(settings.fusion.stations.clone())])
            .collect()
    }

    fn writes(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let surfaces = settings.fusion.surfaces.iter();
        surfaces
            .map(|surface| Dataset::Collection(surface.property.clone()))
            .collect()
    }

    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let weeks = view.weeks_with(&[Dataset::Scenes("*".to_owned())]);
        let surfaces = context.settings.fusion.surfaces.iter();
        // a property that nobody measures is not looked for
        let measured = surfaces.filter(|surface| {
            let readings = Dataset::Observations(surface.property.clone());
            view.holds(&readings)
        });
        let units = measured.flat_map(|surface| {
            let surface = Dataset::Collection(surface.property.clone());
            super::weekly_units(&surface, weeks.iter().copied())
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
        let mut surfaces = fusion.surfaces.iter();
        let surface = surfaces.find(|one| Dataset::Collection(one.property.clone()) == unit.dataset)?;
        let readings = Dataset::Observations(surface.property.clone());
        let week = unit.period?;
        if !view.holds_week(&readings, week) {
            return None;
        }
        let parts = FingerprintParts::default()
            .with_week(view, &readings, week)
            .with_whole(view, &Dataset::Shapes(fusion.stations.clone()))
            .with_value(&"fusion.surfaces", surface)
            .with_value(&"fusion.cell_m", &fusion.cell_m)
            .with_value(&"grid", &context.grid);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let surfaces = Surfaces {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            grid: context.grid,
            code_version: context.code_version.clone(),
            settings: context.settings.fusion,
        };
        surfaces.make_units(stale, report, context.progress).await
    }
}
