//! `sen import observations`: ground measurements from files.

mod cells;
mod json;
mod sink;
mod table;

use crate::Outcome;
use crate::commands::stopping;
use crate::config::{Data, Place, UsageError};
use crate::output::Output;
use clap::{Args, ValueEnum};
use sen_catalog::intake::Intake;
use sen_catalog::number_text::DecimalSign;
use sen_catalog::observation::Recorded;
use sen_processing::run::Progress;
use serde::Serialize;
use serde_json::json;
use sink::Sink;
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
    #[arg(long, value_name = "OFFSET", value_parser = sen_catalog::intake::time::offset, allow_hyphen_values = true)]
    timezone: Option<chrono::FixedOffset>,
    /// The sign before the fraction of a number, where `1,850` or `1.850` may be read in two ways.
    #[arg(long, value_name = "SIGN")]
    decimal: Option<Decimal>,
    /// What a column holds: NAME=PROPERTY or NAME=PROPERTY:UNIT; may be repeated. Other columns are then left out.
    #[arg(long = "column", value_name = "NAME=PROPERTY[:UNIT]")]
    columns: Vec<String>,
}

/// The sign before the fraction of a number.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Decimal {
    Point,
    Comma,
}

impl Layout {
    /// The decimal sign, where the command line says it.
    fn sign(&self) -> Option<DecimalSign> {
        self.decimal.map(|sign| match sign {
            Decimal::Point => DecimalSign::Point,
            Decimal::Comma => DecimalSign::Comma,
        })
    }
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct FileReport {
    file: String,
    #[serde(flatten)]
    recorded: Recorded,
    refused: usize,
    /// The first of what was refused, by row or column.
    reasons: Vec<String>,
    /// How many values those are.
    #[serde(skip)]
    told: usize,
    /// True when the process was asked to stop before the end of the file.
    cancelled: bool,
    /// Columns that say nothing that is known.
    ignored: Vec<String>,
}

impl Observations {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open_existing()?;
        let columns = table::Columns::of(&self.layout)?;
        // no write lock is taken: the store puts writers one behind the other, and the service writes too
        let intake = Arc::new(intake(&data)?);
        let (runtime, cancelled) = stopping::runtime()?;
        let mut reports = Vec::new();
        let mut outcome = Outcome::Done;
        for file in &self.files {
            output.begin(&format!("importing {}", file.display()), file_size(file));
            let report = FileReport {
                file: file.display().to_string(),
                ..FileReport::default()
            };
            let mut sink = Sink::new(&intake, &runtime, &cancelled, report);
            let read = read(file, &self.layout, &columns, &data, &mut sink, output);
            // what was handed over before a fault goes in, whatever the fault
            for outcome in [read.and_then(|()| sink.finish()), sink.settle()] {
                if let Err(error) = outcome {
                    sink.refuse_file(format!("{error:#}"));
                }
            }
            if sink.report.refused > 0 {
                outcome = Outcome::Partly;
            }
            let stop = sink.report.cancelled;
            reports.push(sink.report);
            if stop {
                break;
            }
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
        let more = report.refused.saturating_sub(report.told);
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
