//! Where the measurements of a file go: held back until there are enough of them to be looked at together, judged by
//! what the file says elsewhere, then taken in batches.

use super::FileReport;
use anyhow::bail;
use sen_catalog::intake::{Intake, Measurement, Taken};
use sen_catalog::property::{LikelyUnit, property};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;

/// Measurements taken at once: few enough for the memory, many enough for the disk and for a median.
const BATCH: usize = 20_000;

/// Refusals told one by one; more of them are counted.
const MOST_TOLD: usize = 20;

/// Station and property.
type Series = (String, String);

/// Where a measurement stands: its row, and its column where the row has several.
type Place = (usize, Option<Arc<str>>);

/// See the module.
pub(super) struct Sink<'a> {
    intake: &'a Arc<Intake>,
    pub(super) runtime: &'a tokio::runtime::Runtime,
    /// Raised when the process is asked to stop.
    pub(super) cancelled: &'a AtomicBool,
    pub(super) report: FileReport,
    batch: Vec<Measurement>,
    places: Vec<Place>,
    /// What the file said before, by series and time in milliseconds: row and value.
    said: HashMap<Series, BTreeMap<i64, (usize, f64)>>,
    /// Series that were refused for their unit, and were told.
    told: Vec<Series>,
    /// What is written while the file is read on.
    written: Option<Written>,
}

/// Measurements on their way into the store, and where each stands.
struct Written {
    taking: JoinHandle<sen_catalog::Result<Taken>>,
    places: Vec<Place>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(
        intake: &'a Arc<Intake>,
        runtime: &'a tokio::runtime::Runtime,
        cancelled: &'a AtomicBool,
        report: FileReport,
    ) -> Self {
        Self {
            intake,
            runtime,
            cancelled,
            report,
            batch: Vec::new(),
            places: Vec::new(),
            said: HashMap::new(),
            told: Vec::new(),
            written: None,
        }
    }

    /// A measurement of a row, and of a column where the row has several.
    pub(super) fn take(
        &mut self,
        row: usize,
        column: Option<&Arc<str>>,
        measured: Measurement,
    ) -> anyhow::Result<()> {
        match self.before(row, &measured) {
            Before::Nothing => {}
            Before::Same => return Ok(()),
            Before::Other(reason) => {
                self.refuse(row, column.map(AsRef::as_ref), &reason);
                return Ok(());
            }
        }
        self.batch.push(measured);
        self.places.push((row, column.cloned()));
        if self.batch.len() >= BATCH {
            self.flush()?;
        }
        Ok(())
    }

    /// Something in a row that cannot be used.
    pub(super) fn refuse(&mut self, row: usize, column: Option<&str>, reason: &str) {
        let column = column.map_or_else(String::new, |column| format!(", column {column}"));
        self.tell(1, format!("row {row}{column}: {reason}"));
    }

    /// What is wrong with the file as a whole.
    pub(super) fn refuse_file(&mut self, reason: String) {
        self.tell(1, reason);
    }

    fn tell(&mut self, count: usize, reason: String) {
        self.report.refused += count;
        if self.report.reasons.len() < MOST_TOLD {
            self.report.told += count;
            self.report.reasons.push(reason);
        }
    }

    /// What the file said of the same series and time in an earlier row. A missing value beside one is no other: sensors
    /// of one time often have a row each.
    fn before(&mut self, row: usize, measured: &Measurement) -> Before {
        let value = measured.value.unwrap_or(f64::NAN);
        let name = property(&measured.property).map_or(measured.property.as_str(), |known| known.name);
        let series = (measured.station.clone(), name.to_owned());
        let times = self.said.entry(series).or_default();
        let millisecond = measured.time.timestamp_millis();
        let Some(&(first, known)) = times.get(&millisecond) else {
            times.insert(millisecond, (row, value));
            return Before::Nothing;
        };
        if known.is_nan() && !value.is_nan() {
            times.insert(millisecond, (row, value));
            return Before::Nothing;
        }
        if value.is_nan() || value.to_bits() == known.to_bits() {
            return Before::Same;
        }
        Before::Other(format!(
            "{value} at {}, but row {first} says {known} for the same time; the first is kept, take out the wrong one",
            measured.time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
        ))
    }

    /// Takes what is held and waits until all of it is in.
    ///
    /// # Errors
    /// When the store does not answer, and when the process is asked to stop: then everything up to here is in.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        self.settle()
    }

    /// Waits for what is written.
    pub(super) fn settle(&mut self) -> anyhow::Result<()> {
        let Some(Written { taking, places }) = self.written.take() else {
            return Ok(());
        };
        let taken = self.runtime.block_on(taking)??;
        self.report.recorded += taken.recorded;
        for (place, reason) in taken.refused {
            let (row, column) = places.get(place).cloned().unwrap_or_default();
            self.refuse(row, column.as_deref(), &reason);
        }
        Ok(())
    }

    /// Hands over what is held, to be written while the file is read on. Series without unit whose median tells another one
    /// are refused whole.
    fn flush(&mut self) -> anyhow::Result<()> {
        let doubtful = self.doubtful();
        let batch = std::mem::take(&mut self.batch);
        let places = std::mem::take(&mut self.places);
        let (mut good, mut good_places) = (Vec::with_capacity(batch.len()), Vec::with_capacity(places.len()));
        let mut refused: BTreeMap<Series, (usize, Place)> = BTreeMap::new();
        for (measured, place) in batch.into_iter().zip(places) {
            let series = series(&measured);
            if measured.unit.is_none() && doubtful.contains_key(&series) {
                refused.entry(series).or_insert((0, place)).0 += 1;
            } else {
                good.push(measured);
                good_places.push(place);
            }
        }
        for (series, (count, (row, column))) in refused {
            let Some((median, likely)) = doubtful.get(&series) else {
                continue;
            };
            if self.told.contains(&series) {
                self.report.refused += count;
                self.report.told += count;
                continue;
            }
            let reason = reason(&series, *median, likely, column.as_deref(), row);
            self.tell(count, reason);
            self.told.push(series);
        }
        self.settle()?;
        let intake = Arc::clone(self.intake);
        let taking = self.runtime.spawn(async move { intake.take(good).await });
        let places = good_places;
        self.written = Some(Written { taking, places });
        if self.cancelled.load(Ordering::Relaxed) {
            self.settle()?;
            self.report.cancelled = true;
            bail!("stopped: what was read up to here is in; import the file again for the rest");
        }
        Ok(())
    }

    /// The series without unit whose median is none that is measured here in the property's own unit, and one in another.
    fn doubtful(&self) -> BTreeMap<Series, (f64, Vec<LikelyUnit>)> {
        let mut values: BTreeMap<Series, Vec<f64>> = BTreeMap::new();
        for measured in self.batch.iter().filter(|measured| measured.unit.is_none()) {
            if let Some(value) = measured.value.filter(|value| value.is_finite()) {
                values.entry(series(measured)).or_default().push(value);
            }
        }
        let judged = values.into_iter().filter_map(|(series, mut values)| {
            let median = median(&mut values)?;
            let likely = property(&series.1)?.likely_units(median);
            (!likely.is_empty()).then_some((series, (median, likely)))
        });
        judged.collect()
    }
}

/// What a file said before of one time.
enum Before {
    Nothing,
    Same,
    Other(String),
}

fn series(measured: &Measurement) -> Series {
    (measured.station.clone(), measured.property.clone())
}

/// The middle value, or the mean of the two in the middle; none of nothing.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    Some(lower.map_or(upper, |lower| f64::midpoint(lower, upper)))
}

/// Why a series without unit is refused, and what to type.
fn reason(
    (station, name): &Series,
    median: f64,
    likely: &[LikelyUnit],
    column: Option<&str>,
    row: usize,
) -> String {
    let own = property(name).map_or("", |known| known.unit);
    let words: Vec<String> = likely
        .iter()
        .map(|unit| match column {
            Some(column) => format!("--column \"{column}={unit}\""),
            None => format!("property {} with unit {}", unit.property, unit.unit),
        })
        .collect();
    let (what, how) = match column {
        Some(column) => (format!("column {column}"), "type"),
        None => (name.clone(), "write in each row"),
    };
    let stated = column.map_or_else(String::new, |column| {
        format!(" (or --column \"{column}={name}:{own}\" where it is {own})")
    });
    format!(
        "row {row}, {what}: no unit is said, and the median of station {station}, {median}, is no {name} in {own} here; \
         {how} {}{stated}; its values without unit are refused",
        words.join(" or ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_values() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
    }
}
