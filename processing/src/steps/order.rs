//! The order of the steps. One that fails never stops another: what rests on it is held back, the rest is done.

use super::{ProductSelection, StepContext};
use crate::Result;
use crate::fire::judge_hotspots;
use crate::fusion::{Surfaces, calibrate};
use crate::inundation::Inundations;
use crate::phenology::Calendar;
use crate::pipeline::Weekly;
use sen_catalog::Period;
use sen_catalog::run::{Dataset, RunReport, StepReport, StepStatus, Unit};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Makes what is missing or out of date in the weeks, and what rests on them.
pub async fn run_steps(
    context: &StepContext<'_>,
    products: &ProductSelection,
    weeks: &[Period],
) -> RunReport {
    let mut run = Run {
        context,
        report: RunReport::default(),
        failed: Vec::new(),
    };
    let (store, settings, progress) = (&context.store, &context.settings, context.progress);
    let weekly = Weekly {
        store: Arc::clone(store),
        assets: context.assets.clone(),
        grid: context.grid,
        products: &products.measured,
        code_version: context.code_version.clone(),
        settings: settings.processing.clone(),
        cancelled: context.cancelled,
    };
    let of_any_layer = || Dataset::Collection("*".to_owned());
    let also = run
        .step("rasters", of_any_layer(), &[], async |report| {
            weekly.run(weeks, report, progress).await
        })
        .await;
    let surfaces = Surfaces {
        store: Arc::clone(store),
        assets: context.assets.clone(),
        grid: context.grid,
        code_version: context.code_version.clone(),
        settings: settings.fusion,
    };
    run.step("surfaces", of_any_layer(), &[], async |report| {
        surfaces.run(weeks, report, progress).await
    })
    .await;
    let mut counted: BTreeSet<Period> = weeks.iter().copied().chain(also).collect();
    run.zone_statistics(&counted).await;
    run.records().await;
    let drawn = run.drawn(products, weeks).await;
    let retold: Vec<Period> = run.weeks_made("flood_causes", "flood").collect();
    if drawn.iter().any(|(made, _)| *made) || !retold.is_empty() {
        // what the zones are under, of the kinds just told and the layers just drawn
        counted.extend(retold);
        counted.extend(drawn.into_iter().flat_map(|(_, also)| also));
        run.zone_statistics(&counted).await;
    }
    run.report
}

/// A run under way.
struct Run<'a, 'b> {
    context: &'a StepContext<'b>,
    report: RunReport,
    /// Steps that failed or were held back as a whole, with what failed.
    failed: Vec<(&'static str, Unit)>,
}

impl Run<'_, '_> {
    /// Does a step that makes `writes`, unless one that it rests on failed as a whole or the run was stopped.
    async fn step<T: Default>(
        &mut self,
        name: &'static str,
        writes: Dataset,
        after: &[&str],
        work: impl AsyncFnOnce(&mut StepReport) -> Result<T>,
    ) -> T {
        if self.context.cancelled.load(Ordering::Relaxed) {
            self.report.cancelled = true;
            return T::default();
        }
        let mut report = StepReport::new(name);
        let cause = self.failed.iter().find(|(step, _)| after.contains(step));
        let made = match cause.map(|(_, by)| by.clone()) {
            Some(by) => {
                report.enter(writes, None, StepStatus::HeldBack { by: by.clone() });
                Err(by)
            }
            None => work(&mut report).await.map_err(|error| {
                report.enter(writes.clone(), None, StepStatus::failed(error));
                Unit {
                    dataset: writes,
                    period: None,
                }
            }),
        };
        self.report.enter(report);
        made.unwrap_or_else(|by| {
            self.failed.push((name, by));
            T::default()
        })
    }

    /// What the rasters of the weeks say of every zone.
    async fn zone_statistics(&mut self, weeks: &BTreeSet<Period>) {
        let context = self.context;
        let weeks: Vec<Period> = weeks.iter().copied().collect();
        let tables = Dataset::Statistics {
            collection: "*".to_owned(),
            layer: "*".to_owned(),
        };
        self.step("zone_statistics", tables, &[], async |report| {
            let zonal = context.zone_statistics();
            zonal.run(Some(&weeks), report, context.progress).await
        })
        .await;
    }

    /// What spans weeks and stands in rows.
    async fn records(&mut self) {
        let context = self.context;
        let (store, settings, progress) = (&context.store, &context.settings, context.progress);
        let records = |kind: &str| Dataset::Records(kind.to_owned());
        self.step("calibrations", records("calibration"), &[], async |report| {
            calibrate(store.as_ref(), &context.assets, settings.fusion, report).await
        })
        .await;
        self.step("danger_days", records("fire_danger_day"), &[], async |report| {
            context.fire().danger(report, progress).await
        })
        .await;
        let forest = records("forest_change");
        self.step("forest_change", forest, &["zone_statistics"], async |report| {
            context.fire().change(report, progress).await
        })
        .await;
        self.step("hotspots", records("hotspot"), &[], async |report| {
            judge_hotspots(store.as_ref(), settings.fire, report).await
        })
        .await;
        self.step("crop_seasons", records("crop_season"), &[], async |report| {
            let calendar = Calendar {
                store: Arc::clone(store),
                assets: context.assets.clone(),
                grid: context.grid,
                processing: settings.processing,
                settings: settings.calendar,
                cancelled: context.cancelled,
            };
            calendar.run(report, progress).await
        })
        .await;
        let causes = records("flood_cause");
        self.step("flood_causes", causes, &["crop_seasons"], async |report| {
            let inundations = Inundations {
                store: Arc::clone(store),
                assets: context.assets.clone(),
                settings: settings.delta,
                stations: &settings.fusion.stations,
                cancelled: context.cancelled,
            };
            inundations.run(report, progress).await
        })
        .await;
    }

    /// Layers drawn from records: of each whether a week was made, and the weeks looked at that nobody asked for.
    async fn drawn(
        &mut self,
        products: &ProductSelection,
        weeks: &[Period],
    ) -> Vec<(bool, BTreeSet<Period>)> {
        let context = self.context;
        let mut all = Vec::new();
        for layer in &products.drawn {
            let name = layer.name();
            let rasters = Dataset::Collection(name.to_owned());
            let also = self
                .step(name, rasters, layer.after(), async |report| {
                    layer.draw(context, weeks, report).await
                })
                .await;
            all.push((self.weeks_made(name, name).next().is_some(), also));
        }
        all
    }

    /// Weeks of a collection that a step made.
    fn weeks_made(&self, step: &str, collection: &str) -> impl Iterator<Item = Period> {
        let rasters = Dataset::Collection(collection.to_owned());
        let step = self.report.step(step);
        step.into_iter()
            .flat_map(move |step| step.weeks_made(&rasters).collect::<Vec<_>>())
    }
}
