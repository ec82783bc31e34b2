//! The run as `ingest`, `process` and imports call it: settings, grid, steps.

use super::objects;
use crate::config::{Data, UsageError};
use crate::grid;
use crate::output::Output;
use sen_catalog::run::{Dataset, RunReport, StepReport, StepStatus};
use sen_catalog::{Grid, Item};
use sen_processing::runner::{RunScope, Runner, StepContext};
use sen_processing::steps::{STATISTIC_STEPS, STEPS};
use sen_processing::zonal::PlacedZones;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn context<'a>(data: &'a Data, grid: Grid, cancelled: &'a AtomicBool, output: &'a Output) -> StepContext<'a> {
    StepContext {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: data.step_settings(),
        zones: Arc::new(PlacedZones::new(data.config.processing.memory_mib)),
        cancelled,
        progress: output,
    }
}

/// Decides the grid and makes what is asked for on it: all of it where some weeks lie on another one.
pub(crate) async fn make_on_grid(
    data: &Data,
    scenes: &[Item],
    mut scope: RunScope,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<RunReport> {
    let mut decision = data.decide_grid(scenes).await?;
    let moved = !decision.elsewhere.is_empty();
    if moved {
        scope = RunScope {
            is_explained: scope.is_explained,
            ..RunScope::default()
        };
    }
    let context = context(data, decision.grid, cancelled, output);
    let mut report = Runner { steps: STEPS }.run(&context, &scope).await?;
    output.finish();
    if !scope.is_explained {
        tidy_up(data, &mut report).await;
    }
    if moved {
        report.notes.push(format!(
            "{} weeks lay on another grid than {}: all weeks and products are made on it",
            decision.elsewhere.len(),
            grid::describe(&decision.grid)
        ));
        if !report.cancelled
            && !scope.is_explained
            && let Err(error) = data.remember(&mut decision).await
        {
            let mut grid = StepReport::new("grid");
            let reason = format!("{error:#}");
            grid.enter(
                Dataset::Setting("grid".to_owned()),
                None,
                StepStatus::Failed { reason },
            );
            report.enter(grid);
        }
    }
    Ok(report)
}

/// What was made stays made where old files cannot be removed.
async fn tidy_up(data: &Data, report: &mut RunReport) {
    if let Err(error) = objects::tidy_up(data).await {
        report.notes.push(format!(
            "files that nothing names any more were not looked after: {error:#}"
        ));
    }
}

/// What the rasters of all weeks say of every zone: tables that are missing or were made of other rasters or zones.
pub(crate) async fn zone_statistics(
    data: &Data,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<RunReport> {
    let Some(grid) = data.remembered.clone().map_err(UsageError)? else {
        return Ok(RunReport::default()); // no week was made yet
    };
    let context = context(data, grid, cancelled, output);
    let runner = Runner {
        steps: STATISTIC_STEPS,
    };
    let mut report = runner.run(&context, &RunScope::default()).await?;
    output.finish();
    tidy_up(data, &mut report).await;
    Ok(report)
}
