//! The run as `ingest` and `process` call it: lock, Ctrl-C, settings, grid, steps.

use crate::config::{Data, UsageError};
use crate::grid;
use crate::output::Output;
use anyhow::Context;
use sen_catalog::run::{Dataset, RunReport, StepReport, StepStatus};
use sen_catalog::{Grid, Item};
use sen_processing::runner::{RunScope, Runner, StepContext};
use sen_processing::steps::{STATISTIC_STEPS, STEPS, layer_names};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Held while a process writes into a data folder.
pub(crate) struct WriteLock(#[expect(dead_code, reason = "held, not read")] sen_catalog::store::WriteLock);

impl WriteLock {
    /// Takes the folder for writing, or says who has it.
    pub(crate) fn take(data: &Data) -> anyhow::Result<Self> {
        let lock = sen_catalog::store::WriteLock::take(&data.folder)?;
        data.assets.sweep()?;
        Ok(Self(lock))
    }
}

/// A runtime whose Ctrl-C and SIGTERM raise the returned flag instead of killing the process.
pub(crate) fn runtime() -> anyhow::Result<(tokio::runtime::Runtime, Arc<AtomicBool>)> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancelled);
    runtime.spawn(async move {
        stop_signal().await;
        flag.store(true, Ordering::Relaxed);
    });
    Ok((runtime, cancelled))
}

/// Resolves when the process is asked to stop.
pub(crate) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// The layers named; none: all.
pub(crate) fn products(names: &[String]) -> Result<Option<BTreeSet<String>>, UsageError> {
    let known = layer_names();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(UsageError(format!(
            "no product is named `{name}`; there are {}",
            known.join(", ")
        )));
    }
    Ok((!names.is_empty()).then(|| names.iter().cloned().collect()))
}

/// Says what is wrong with the settings of the steps before anything is done.
pub(crate) async fn check_settings(data: &Data) -> anyhow::Result<()> {
    let settings = data.step_settings();
    let wrong = settings.check(data.store.as_ref(), &data.assets).await?;
    if wrong.is_empty() {
        return Ok(());
    }
    Err(UsageError(wrong.join("\n")).into())
}

fn context<'a>(data: &'a Data, grid: Grid, cancelled: &'a AtomicBool, output: &'a Output) -> StepContext<'a> {
    StepContext {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: data.step_settings(),
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
    let report = Runner {
        steps: STATISTIC_STEPS,
    }
    .run(&context, &RunScope::default())
    .await?;
    output.finish();
    Ok(report)
}
