//! The weekly run as `ingest` and `process` call it: lock, progress, Ctrl-C, report.

use super::fused;
use crate::Outcome;
use crate::config::Data;
use crate::grid;
use crate::output::{Output, table};
use anyhow::Context;
use sen_catalog::{Grid, Item, Period};
use sen_processing::pipeline::{Outcome as Made, OutsideScene, Weekly};
use sen_processing::product::{PRODUCTS, Product};
use sen_processing::steps::{DRAWN, Drawn, Report, layer_names};
use sen_processing::zonal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
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

/// What a run makes.
pub(crate) struct Chosen {
    measured: Vec<&'static dyn Product>,
    drawn: Vec<&'static dyn Drawn>,
}

/// The products named, or all.
pub(crate) fn products(names: &[String]) -> Result<Chosen, crate::config::UsageError> {
    let known = layer_names();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(crate::config::UsageError(format!(
            "no product is named `{name}`; there are {}",
            known.join(", ")
        )));
    }
    let is_chosen = |own: &str| names.is_empty() || names.iter().any(|name| name == own);
    let measured = PRODUCTS.iter().filter(|product| is_chosen(product.name()));
    let drawn = DRAWN.iter().filter(|layer| is_chosen(layer.name()));
    Ok(Chosen {
        measured: measured.copied().collect(),
        drawn: drawn.copied().collect(),
    })
}

/// Decides the grid and makes the weeks on it: all of them, and all products, where some lie on another one.
pub(crate) async fn make_on_grid(
    data: &Data,
    scenes: &[Item],
    mut weeks: Vec<Period>,
    mut products: Chosen,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<Report> {
    let mut decision = data.decide_grid(scenes).await?;
    let moved = !decision.elsewhere.is_empty();
    if moved {
        let all: BTreeSet<Period> = data.all_scenes().await?.iter().map(Item::period).collect();
        weeks = all.into_iter().collect();
        products = self::products(&[])?;
    }
    let mut report = make(data, decision.grid, &weeks, &products, cancelled, output).await?;
    if moved {
        report.notes.push(format!(
            "{} weeks lay on another grid than {}: all weeks and products are made on it",
            decision.elsewhere.len(),
            grid::describe(&decision.grid)
        ));
        if !report.weekly.cancelled {
            data.remember(&mut decision).await?;
        }
    }
    Ok(report)
}

/// Makes the weeks.
async fn make(
    data: &Data,
    grid: Grid,
    weeks: &[Period],
    products: &Chosen,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<Report> {
    let weekly = Weekly {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        grid,
        products: &products.measured,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        settings: data.config.processing.clone(),
        cancelled,
    };
    let mut report = Report {
        weekly: weekly.run(weeks, output).await?,
        ..Report::default()
    };
    if !report.weekly.cancelled {
        fused::surfaces(data, grid, weeks, output, &mut report).await?;
        let counted: Vec<Period> = weeks.iter().chain(&report.weekly.also).copied().collect();
        report.statistics = zone_statistics(data, Some(&counted), cancelled, output).await?;
        report.weekly.cancelled |= report.statistics.cancelled;
    }
    if !report.weekly.cancelled {
        fused::calibrations(data, &mut report).await?;
        fused::fire(data, grid, output, &mut report).await?;
        fused::calendars(data, grid, cancelled, output, &mut report).await?;
        fused::inundations(data, cancelled, output, &mut report).await?;
        let records = fused::records(data, grid);
        let mut drawn = false;
        for product in &products.drawn {
            drawn |= product.draw(&records, weeks, output, &mut report).await?;
        }
        let retold = report
            .inundations
            .as_ref()
            .map(|water| water.retold.clone())
            .unwrap_or_default();
        if drawn || !retold.is_empty() {
            // what the zones are under, of the kinds just told and the rasters just drawn
            let counted: Vec<Period> = weeks
                .iter()
                .chain(&retold)
                .chain(&report.weekly.also)
                .copied()
                .collect();
            let more = zone_statistics(data, Some(&counted), cancelled, output).await?;
            report.statistics.made.extend(more.made);
            report.statistics.failed = more.failed;
            report.weekly.cancelled |= more.cancelled;
        }
    }
    output.finish();
    Ok(report)
}

/// What the rasters of the weeks (of all, when none are named) say of every zone: tables that are missing or were made
/// of other rasters or zones.
pub(crate) async fn zone_statistics(
    data: &Data,
    weeks: Option<&[Period]>,
    cancelled: &AtomicBool,
    output: &Output,
) -> anyhow::Result<zonal::Report> {
    let zonal = zonal::ZoneStatistics {
        store: Arc::clone(&data.store),
        assets: data.assets.clone(),
        cancelled,
    };
    Ok(zonal.run(weeks, output).await?)
}

/// What was done, for people; nothing when there are no zones.
pub(crate) fn statistics_text(report: &zonal::Report) -> String {
    let mut text = String::new();
    if !report.made.is_empty() || report.up_to_date > 0 {
        text += &format!(
            "zone statistics: {} tables made, {} up to date\n",
            report.made.len(),
            report.up_to_date
        );
    }
    for failed in &report.failed {
        text += &format!(
            "failed: statistics of {} in {}: {}\n",
            failed.layer, failed.item, failed.reason
        );
    }
    text
}

/// Scenes outside the grid, those of one place together, and what to write to see them.
fn outside(report: &Report) -> String {
    let mut places: BTreeMap<String, Vec<&OutsideScene>> = BTreeMap::new();
    for scene in &report.weekly.outside {
        places
            .entry(format!("{:.2?}", scene.bbox))
            .or_default()
            .push(scene);
    }
    let told = places.iter().map(|(bbox, scenes)| {
        let more = match scenes.len() {
            1 => "lies".to_owned(),
            count => format!("and {} more lie", count - 1),
        };
        format!(
            "outside [grid], on no map: {} {more} at {bbox}; to show what is there write `bounds = {:?}` under [grid] in sen.toml \
             and run `sen process`, which makes every week anew\n",
            scenes[0].scene, scenes[0].wider_bounds
        )
    });
    told.collect()
}

/// The report as a table (a row a product), JSON and exit status.
pub(crate) fn summary(report: &Report) -> anyhow::Result<(String, Value, Outcome)> {
    let mut by_product: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    let mut troubles = String::new();
    for entry in &report.weekly.entries {
        let counts = by_product.entry(&entry.product).or_default();
        match &entry.outcome {
            Made::Made => counts[0] += 1,
            Made::UpToDate => counts[1] += 1,
            Made::NoInput => counts[2] += 1,
            Made::Failed { reason } => {
                counts[3] += 1;
                troubles += &format!("failed: {} {}: {reason}\n", entry.product, entry.period);
            }
        }
    }
    for failed in &report.weekly.failed_scenes {
        troubles += &format!(
            "left out of {}: {}: {}\n",
            failed.period, failed.scene, failed.reason
        );
    }
    troubles += &outside(report);
    for double in &report.weekly.duplicates {
        troubles += &if double.left_out {
            format!(
                "left out of {}: {}: {} is a newer or better processing of the same look\n",
                double.period, double.scene, double.of
            )
        } else {
            format!(
                "twice in {}: {} only fills what {} lacks: the same look, processed the same\n",
                double.period, double.scene, double.of
            )
        };
    }
    if report.weekly.cancelled {
        troubles += "stopped before all was done; run the same command again to finish\n";
    }
    let row = |(name, counts): (&&str, &[usize; 4])| {
        std::iter::once((*name).to_owned())
            .chain(counts.iter().map(ToString::to_string))
            .collect()
    };
    let rows: Vec<_> = by_product.iter().map(row).collect();
    let header = ["product", "made", "up to date", "no input", "failed"];
    let measured = if rows.is_empty() {
        String::new()
    } else {
        table(&header, &rows)
    };
    let notes = report.notes.iter().fold(String::new(), |mut text, note| {
        text += &format!("note: {note}\n");
        text
    });
    let text = notes + &measured + &fused::summary(report) + &statistics_text(&report.statistics) + &troubles;
    let outcome = if report.is_complete() {
        Outcome::Done
    } else {
        Outcome::Partly
    };
    Ok((text, serde_json::to_value(report)?, outcome))
}
