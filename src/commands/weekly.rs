//! The run as `ingest` and `process` call it: lock, Ctrl-C, settings, grid, steps.

use crate::config::{Data, UsageError};
use crate::grid;
use crate::output::Output;
use anyhow::Context;
use sen_catalog::run::{Dataset, RunReport, StepReport, StepStatus};
use sen_catalog::{Item, Period};
use sen_processing::steps::{ProductSelection, StepContext, layer_names, run_steps};
use sen_processing::zonal::ZoneStatistics;
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

/// The layers named, or all.
pub(crate) fn products(names: &[String]) -> Result<ProductSelection, UsageError> {
    ProductSelection::of_names(names).map_err(|name| {
        UsageError(format!(
            "no product is named `{name}`; there are {}",
            layer_names().join(", ")
        ))
    })
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

/// Decides the grid and makes the weeks on it: all of them, and all products, where some lie on another one.
pub(crate) async fn make_on_grid(
    data: &Data,
    scenes: &[Item],
    mut weeks: Vec<Period>,
    mut products: ProductSelection,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<RunReport> {
    let mut decision = data.decide_grid(scenes).await?;
    let moved = !decision.elsewhere.is_empty();
    if moved {
        let all: BTreeSet<Period> = data.all_scenes().await?.iter().map(Item::period).collect();
        weeks = all.into_iter().collect();
        products = ProductSelection::all();
    }
    let context = StepContext {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid: decision.grid,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: data.step_settings(),
        cancelled,
        progress: output,
    };
    let mut report = run_steps(&context, &products, &weeks).await;
    output.finish();
    if moved {
        report.notes.push(format!(
            "{} weeks lay on another grid than {}: all weeks and products are made on it",
            decision.elsewhere.len(),
            grid::describe(&decision.grid)
        ));
        if !report.cancelled
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
pub(crate) async fn zone_statistics(data: &Data, cancelled: &AtomicBool, output: &Output) -> StepReport {
    let zonal = ZoneStatistics {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        cancelled,
    };
    let mut report = StepReport::new("zone_statistics");
    if let Err(error) = zonal.run(None, &mut report, output).await {
        let tables = Dataset::Statistics {
            collection: "*".to_owned(),
            layer: "*".to_owned(),
        };
        report.enter(tables, None, StepStatus::failed(error));
    }
    output.finish();
    report
}
