//! `sen import hotspots`: what satellites saw burning, from CSV of NASA FIRMS.

use crate::Outcome;
use crate::commands::run_report::steps_text;
use crate::commands::stopping;
use crate::commands::write_lock::WriteLock;
use crate::config::{Place, UsageError};
use crate::output::{Output, table};
use anyhow::Context;
use clap::Args;
use sen_catalog::fire::{HOTSPOTS, firms};
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_processing::fire::{Taken, judge_hotspots, take_hotspots};
use serde::Serialize;
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Take in hot spots from CSV of NASA FIRMS (VIIRS, MODIS, Landsat; near real time or archive). Importing again changes
/// nothing; a file that holds no table (FIRMS answers errors as pages, with status 200) is refused. Hot spots near each
/// other in place and time become one fire; those in paddies away from forest are told apart as straw.
#[derive(Args)]
pub(crate) struct Hotspots {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What became of a file.
#[derive(Serialize)]
struct FileReport {
    file: String,
    rows: usize,
    #[serde(flatten)]
    taken: Taken,
    refused: usize,
    /// The first of what was refused, by row.
    reasons: Vec<String>,
}

impl Hotspots {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open()?;
        let settings = &data.config.fire;
        settings.check().map_err(|error| UsageError(error.to_string()))?;
        let lock = WriteLock::take(&data)?;
        let (runtime, cancelled) = stopping::runtime()?;
        let (mut files, mut failures) = (Vec::new(), Vec::new());
        for path in &self.files {
            if cancelled.load(Ordering::Relaxed) {
                failures.push(Failure::new(path.display(), "was not read: stopped"));
                continue;
            }
            let one = read(path).and_then(|delivery| {
                let taken = runtime.block_on(take_hotspots(data.store.as_ref(), &delivery.hotspots))?;
                Ok(FileReport {
                    file: path.display().to_string(),
                    rows: delivery.hotspots.len() + delivery.refused,
                    taken,
                    refused: delivery.refused,
                    reasons: delivery.reasons,
                })
            });
            match one {
                Ok(report) => files.push(report),
                Err(error) => failures.push(Failure::new(path.display(), format!("{error:#}"))),
            }
        }
        let mut judged = StepReport::new("hotspots");
        let judging = judge_hotspots(data.store.as_ref(), settings, &mut judged);
        if let Err(error) = runtime.block_on(judging) {
            judged.enter(
                Dataset::Records("hotspot".to_owned()),
                None,
                StepStatus::failed(error),
            );
        }
        let is_judged = judged.is_complete();
        drop(lock);
        let row = |one: &FileReport| {
            let counts = [
                one.rows,
                one.taken.added,
                one.taken.changed,
                one.taken.unchanged,
                one.refused,
            ];
            let counts = counts.iter().map(ToString::to_string);
            std::iter::once(one.file.clone()).chain(counts).collect()
        };
        let rows: Vec<Vec<String>> = files.iter().map(row).collect();
        let mut text = if rows.is_empty() {
            String::new()
        } else {
            table(
                &["file", "rows", "added", "changed", "unchanged", "refused"],
                &rows,
            )
        };
        for one in &files {
            for reason in &one.reasons {
                text += &format!("refused: {}: {reason}\n", one.file);
            }
        }
        for one in &files {
            let Taken {
                replaced, outdated, ..
            } = one.taken;
            if replaced > 0 {
                text += &format!(
                    "note: {}: {replaced} hot spots of near real time gave way to those of the archive\n",
                    one.file
                );
            }
            if outdated > 0 {
                text += &format!(
                    "note: {}: {outdated} hot spots left out: those of the archive are known\n",
                    one.file
                );
            }
        }
        for failure in &failures {
            text += &format!("failed: {failure}\n");
        }
        let value =
            json!({"layer": HOTSPOTS, "files": files, "failures": failures, "hotspots": judged.figures});
        text += &steps_text(&[judged]);
        output.result(&text, &value);
        let whole = is_judged && failures.is_empty() && files.iter().all(|one| one.refused == 0);
        Ok(if whole { Outcome::Done } else { Outcome::Partly })
    }
}

fn read(path: &Path) -> anyhow::Result<firms::Delivery> {
    let file = File::open(path).with_context(|| "cannot be opened")?;
    Ok(firms::read(file, chrono::Utc::now())?)
}
