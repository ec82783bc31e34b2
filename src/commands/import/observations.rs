//! `sen import observations`: ground measurements from files.

mod cells;
mod json;
mod table;

use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use sen_catalog::intake::{Intake, Measurement};
use sen_catalog::observation::Recorded;
use sen_processing::pipeline::Progress;
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Take in ground measurements from CSV and JSON. Importing a file again changes nothing; a value that differs takes
/// the place of the old one. Stations must be known: `sen import layer stations.geojson --as stations`.
#[derive(Args)]
pub(crate) struct Observations {
    /// CSV with a column a property (`level_m`, `salinity_g_l`) or a row a value (station, property, time, value, unit,
    /// flag), JSON of the latter, or a SensorThings data array.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    layout: Layout,
}

/// What a file does not say itself.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Layout {
    /// The station all values are of, where no column names it.
    #[arg(long, value_name = "CODE", conflicts_with = "station_column")]
    station: Option<String>,
    /// The column that names the station.
    #[arg(long, value_name = "NAME")]
    station_column: Option<String>,
    /// The column of the time.
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// How times are written where they are not ISO 8601, such as "%m/%d/%Y %H:%M".
    #[arg(long, value_name = "FORMAT")]
    time_format: Option<String>,
    /// The time zone of times without an offset, such as +07:00.
    #[arg(long, value_name = "OFFSET", value_parser = cells::offset, allow_hyphen_values = true)]
    timezone: Option<chrono::FixedOffset>,
    /// What a column holds: NAME=PROPERTY or NAME=PROPERTY:UNIT; may be repeated. Other columns are then left out.
    #[arg(long = "column", value_name = "NAME=PROPERTY[:UNIT]")]
    columns: Vec<String>,
}

/// Measurements taken at once: few enough for the memory, many enough for the disk.
const BATCH: usize = 20_000;

/// Refusals told one by one; more of them are counted.
const MOST_TOLD: usize = 20;

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct FileReport {
    file: String,
    #[serde(flatten)]
    recorded: Recorded,
    refused: usize,
    /// The first of what was refused, by row.
    reasons: Vec<String>,
    /// Columns that say nothing that is known.
    ignored: Vec<String>,
}

/// Where measurements of a file go: collected, taken in batches, refusals told with their row.
struct Sink<'a> {
    intake: &'a Intake,
    runtime: &'a tokio::runtime::Runtime,
    batch: Vec<Measurement>,
    rows: Vec<(usize, Option<Arc<str>>)>,
    report: FileReport,
}

impl Sink<'_> {
    /// A measurement of a row, and of a column where the row has several.
    fn take(&mut self, row: usize, column: Option<&Arc<str>>, measured: Measurement) -> anyhow::Result<()> {
        self.batch.push(measured);
        self.rows.push((row, column.cloned()));
        if self.batch.len() >= BATCH {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Something in a row that cannot be used.
    fn refuse(&mut self, row: usize, column: Option<&str>, reason: &str) {
        self.report.refused += 1;
        if self.report.reasons.len() < MOST_TOLD {
            let column = column.map_or_else(String::new, |column| format!(", column {column}"));
            self.report.reasons.push(format!("row {row}{column}: {reason}"));
        }
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        let rows = std::mem::take(&mut self.rows);
        let taken = self.runtime.block_on(self.intake.take(batch))?;
        self.report.recorded += taken.recorded;
        for (place, reason) in taken.refused {
            let (row, column) = rows.get(place).cloned().unwrap_or_default();
            self.refuse(row, column.as_deref(), &reason);
        }
        Ok(())
    }
}

impl Observations {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open_existing()?;
        let columns = table::Columns::of(&self.layout)?;
        // no write lock is taken: the store puts writers one behind the other, and the service writes too
        let intake = intake(&data)?;
        let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
        let mut reports = Vec::new();
        let mut outcome = Outcome::Done;
        for file in &self.files {
            output.begin(&format!("importing {}", file.display()), file_size(file));
            let mut sink = Sink {
                intake: &intake,
                runtime: &runtime,
                batch: Vec::new(),
                rows: Vec::new(),
                report: FileReport {
                    file: file.display().to_string(),
                    ..FileReport::default()
                },
            };
            let read = read(file, &self.layout, &columns, &data, &mut sink, output);
            if let Err(error) = read.and_then(|()| sink.flush()) {
                sink.refuse(0, None, &format!("{error:#}"));
            }
            if sink.report.refused > 0 {
                outcome = Outcome::Partly;
            }
            reports.push(sink.report);
        }
        output.finish();
        output.result(&text(&reports), &json!({"files": reports}));
        Ok(outcome)
    }
}

/// The way in, with the thresholds of the configuration.
pub(crate) fn intake(data: &Data) -> anyhow::Result<Intake> {
    let quality = data.config.quality.clone();
    quality.check().map_err(|error| UsageError(error.to_string()))?;
    Ok(Intake::new(Arc::clone(&data.store), quality))
}

fn file_size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn read(
    file: &Path,
    layout: &Layout,
    columns: &table::Columns,
    data: &Data,
    sink: &mut Sink<'_>,
    output: &Output,
) -> anyhow::Result<()> {
    let is_json = file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    if is_json {
        json::read(file, layout, data, sink)
    } else {
        table::read(file, layout, columns, sink, output)
    }
}

fn text(reports: &[FileReport]) -> String {
    let mut text = String::new();
    for report in reports {
        let Recorded {
            added,
            changed,
            unchanged,
            reflagged,
        } = report.recorded;
        text += &format!(
            "{}: {added} new, {changed} changed, {unchanged} as they were, {reflagged} flags corrected, {} refused\n",
            report.file, report.refused
        );
        for reason in &report.reasons {
            text += &format!("  {reason}\n");
        }
        let more = report.refused - report.reasons.len();
        if more > 0 {
            text += &format!("  and {more} more\n");
        }
        if !report.ignored.is_empty() {
            text += &format!(
                "  columns left out: {} (name what one holds with --column NAME=PROPERTY:UNIT)\n",
                report.ignored.join(", ")
            );
        }
    }
    text
}
