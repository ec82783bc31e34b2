//! What a row adds to the digests of datasets: by content, without counters, times of arrival and numbers of runs.

use super::sums::feed;
use crate::item::{ASSET_DESCRIPTIONS, Item, SCENE_COLLECTIONS, SCENE_NOTES};
use crate::period::Period;
use crate::run::{ContentDigest, Dataset, Unit};
use crate::statistic::layer_of;
use chrono::NaiveDate;
use rusqlite::types::ValueRef;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// What local time is ahead of UTC and Monday before the Thursday that time counts from, milliseconds.
const MONDAY_OFFSET_MS: i64 = 7 * 3_600_000 + 3 * 86_400_000;

/// A week, milliseconds.
const WEEK_MS: i64 = 7 * 86_400_000;

/// A table whose rows are of some dataset.
#[derive(Debug)]
pub(super) struct DigestedTable {
    pub(super) name: &'static str,
    /// The columns that count.
    pub(super) columns: &'static [&'static str],
    /// Adds what a row is of to the sums; values in the order of `columns`.
    pub(super) add: fn(&mut DigestSums, Sign, &[ValueRef<'_>]),
}

/// Most columns of a table that count.
pub(super) const MOST_COLUMNS: usize = 14;

/// The tables whose rows are of some dataset. Columns that steps read belong here; a column more is a migration, which makes the
/// digests anew.
pub(super) const DIGESTED_TABLES: &[DigestedTable] = &[
    DigestedTable {
        name: "item",
        columns: &["collection", "week", "body"],
        add: add_item,
    },
    DigestedTable {
        name: "feature",
        columns: &[
            "layer",
            "fid",
            "scheme",
            "code",
            "valid_from",
            "valid_to",
            "area_m2",
            "geometry",
            "name",
            "parent",
            "codes",
            "properties",
            "batch_from",
            "batch_to",
        ],
        add: add_feature,
    },
    DigestedTable {
        name: "observation",
        columns: &["datastream", "time", "value", "flag"],
        add: add_observation,
    },
    DigestedTable {
        name: "inundation",
        columns: &["period", "layer", "fid", "body"],
        add: |sums, sign, row| sums.add_record(sign, "flood_cause", week(row[0]), row),
    },
    DigestedTable {
        name: "fire_day",
        columns: &["day", "fid", "body"],
        add: |sums, sign, row| sums.add_record(sign, "fire_danger_day", week_of_day(row[0]), row),
    },
    DigestedTable {
        name: "forest_change",
        columns: &["fid", "body"],
        add: |sums, sign, row| sums.add_record(sign, "forest_change", None, row),
    },
    DigestedTable {
        name: "season",
        columns: &[
            "fid",
            "number",
            "season",
            "sowing",
            "heading",
            "harvest",
            "lost",
            "sowing_days",
            "heading_days",
            "harvest_days",
        ],
        add: |sums, sign, row| sums.add_record(sign, "crop_season", None, row),
    },
    DigestedTable {
        name: "calibration",
        columns: &["property", "collection", "version", "body"],
        add: |sums, sign, row| sums.add_record(sign, "calibration", None, row),
    },
    DigestedTable {
        name: "setting",
        columns: &["name", "body"],
        add: |sums, sign, row| sums.add(sign, Dataset::Setting(text(row[0])), None, hash_of(row)),
    },
];

/// Whether a row comes or goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sign {
    Comes,
    Goes,
}

impl Sign {
    fn apply(self, sum: &mut ContentDigest, row: ContentDigest) {
        *sum = match self {
            Self::Comes => sum.plus(row),
            Self::Goes => sum.minus(row),
        };
    }
}

/// Sums by the batches that rows come and go with.
pub(super) type BatchSums = HashMap<(i64, i64), HashMap<Unit, ContentDigest>>;

/// Sums of rows while they come and go.
#[derive(Debug, Default)]
pub(super) struct DigestSums {
    pub(super) units: HashMap<Unit, ContentDigest>,
    /// Of features, by the batches they come and go with: which of these are seen is asked once for all rows.
    batches: BatchSums,
    /// Of readings, by datastream and number of the week. Whose they are and of what is asked once for all of them: what a
    /// reading costs is a hash and an addition.
    readings: HashMap<(i64, i64), ContentDigest>,
    /// The one that came last: readings come in runs of one datastream and week, and a look into the map costs half as much
    /// as the hash.
    latest: ((i64, i64), ContentDigest),
}

impl DigestSums {
    fn add(&mut self, sign: Sign, dataset: Dataset, period: Option<Period>, row: ContentDigest) {
        let sum = self.units.entry(Unit { dataset, period }).or_default();
        sign.apply(sum, row);
    }

    /// Takes out the sums of features.
    pub(super) fn take_batches(&mut self) -> BatchSums {
        std::mem::take(&mut self.batches)
    }

    /// The sums by unit, and those of readings.
    pub(super) fn into_parts(mut self) -> (HashMap<Unit, ContentDigest>, HashMap<(i64, i64), ContentDigest>) {
        self.file_latest();
        (self.units, self.readings)
    }

    fn file_latest(&mut self) {
        let (key, sum) = std::mem::take(&mut self.latest);
        if sum != ContentDigest::default() {
            let whole = self.readings.entry(key).or_default();
            *whole = whole.plus(sum);
        }
    }

    fn add_record(&mut self, sign: Sign, kind: &str, period: Option<Period>, row: &[ValueRef<'_>]) {
        self.add(sign, Dataset::Records(kind.to_owned()), period, hash_of(row));
    }
}

/// The week of a reading by its number.
pub(super) fn numbered_week(number: i64) -> Option<Period> {
    let ms = number.checked_mul(WEEK_MS)?.checked_sub(MONDAY_OFFSET_MS)?;
    named(Period::of_instant(chrono::DateTime::from_timestamp_millis(ms)?))
}

/// A week that its name names: those of years that no name is for are of no period.
fn named(period: Period) -> Option<Period> {
    period.to_string().parse().ok()
}

fn hash_of(values: &[ValueRef<'_>]) -> ContentDigest {
    let mut hash = Sha256::new();
    for value in values {
        feed(*value, |bytes| hash.update(bytes));
    }
    ContentDigest::of_hash(hash)
}

fn text(value: ValueRef<'_>) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn week(value: ValueRef<'_>) -> Option<Period> {
    value.as_str().ok()?.parse().ok()
}

fn week_of_day(value: ValueRef<'_>) -> Option<Period> {
    let day: NaiveDate = value.as_str().ok()?.parse().ok()?;
    named(Period::of_date(day))
}

/// Of a scene what its pixels are read by: files, time, place and what its metadata say (orbit, units, processing), without what
/// is only said to people and where the files lie. Of a week its rasters, and the tables of statistics each for itself.
fn add_item(sums: &mut DigestSums, sign: Sign, row: &[ValueRef<'_>]) {
    let (collection, period) = (text(row[0]), week(row[1]));
    let is_scene = SCENE_COLLECTIONS.contains(&collection.as_str());
    let item = row[2].as_bytes().ok();
    let Some(mut item) = item.and_then(|body| serde_json::from_slice::<Item>(body).ok()) else {
        // whatever stands there: that it is no item is told to who reads it
        let dataset = if is_scene {
            Dataset::Scenes
        } else {
            Dataset::Collection
        };
        return sums.add(sign, dataset(collection), period, hash_of(row));
    };
    if is_scene {
        for word in [SCENE_NOTES, ASSET_DESCRIPTIONS] {
            item.properties.remove(word);
        }
        let assets: Vec<_> = item
            .assets
            .iter()
            .map(|(name, a)| {
                json!([
                    name,
                    a.band,
                    a.band_index,
                    a.scale,
                    a.offset,
                    a.nodata,
                    a.sha256,
                    a.bytes
                ])
            })
            .collect();
        let what = json!([item.id, item.interval, item.grid, item.properties, assets]);
        let digest = ContentDigest::of(what.to_string().as_bytes());
        return sums.add(sign, Dataset::Scenes(collection), period, digest);
    }
    for (name, asset) in &item.assets {
        let (dataset, what) = match layer_of(name) {
            Some(layer) => (
                Dataset::Statistics {
                    collection: collection.clone(),
                    layer: layer.to_owned(),
                },
                json!([item.id, asset.sha256]),
            ),
            None if asset.is_raster() => (
                Dataset::Collection(collection.clone()),
                json!([
                    item.id,
                    name,
                    asset.sha256,
                    asset.scale,
                    asset.offset,
                    asset.nodata
                ]),
            ),
            None => continue,
        };
        sums.add(
            sign,
            dataset,
            period,
            ContentDigest::of(what.to_string().as_bytes()),
        );
    }
}

/// Of a feature its shape, and all that is said of it.
fn add_feature(sums: &mut DigestSums, sign: Sign, row: &[ValueRef<'_>]) {
    let layer = text(row[0]);
    let (row, batches) = row.split_at(12);
    let (place, said) = row.split_at(8);
    let batch = |place: usize| batches[place].as_i64().unwrap_or_default();
    let units = sums.batches.entry((batch(0), batch(1))).or_default();
    let mut add = |dataset, row| {
        let sum = units
            .entry(Unit {
                dataset,
                period: None,
            })
            .or_default();
        sign.apply(sum, row);
    };
    let shape = hash_of(place);
    add(Dataset::Shapes(layer.clone()), shape);
    add(
        Dataset::Features(layer),
        hash_of(said).owned_by(shape).plus(shape),
    );
}

/// A reading as one of its datastream and week.
fn add_observation(sums: &mut DigestSums, sign: Sign, row: &[ValueRef<'_>]) {
    let (Ok(datastream), Ok(time)) = (row[0].as_i64(), row[1].as_i64()) else {
        return;
    };
    let number = time.saturating_add(MONDAY_OFFSET_MS).div_euclid(WEEK_MS);
    if sums.latest.0 != (datastream, number) {
        sums.file_latest();
        sums.latest.0 = (datastream, number);
    }
    sign.apply(&mut sums.latest.1, hash_of(&row[1..]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_where_rows_are_gathered() {
        for table in DIGESTED_TABLES {
            assert!(table.columns.len() <= MOST_COLUMNS, "{}", table.name);
        }
    }

    #[test]
    fn a_reading_is_of_the_week_of_its_local_date() {
        for instant in [
            "2026-08-23T16:59:59.999Z",
            "2026-08-23T17:00:00Z",
            "1969-12-28T16:59:59Z",
            "1970-01-01T00:00:00Z",
        ] {
            let instant: chrono::DateTime<chrono::Utc> = instant.parse().expect("an instant");
            let mut sums = DigestSums::default();
            let row = [
                ValueRef::Integer(1),
                ValueRef::Integer(instant.timestamp_millis()),
                ValueRef::Null,
                ValueRef::Integer(9),
            ];
            add_observation(&mut sums, Sign::Comes, &row);
            let weeks: Vec<_> = sums
                .into_parts()
                .1
                .keys()
                .map(|(_, number)| numbered_week(*number))
                .collect();
            assert_eq!(weeks, [Some(Period::of_instant(instant))], "{instant}");
        }
        assert_eq!(
            numbered_week(i64::MAX / WEEK_MS),
            None,
            "no week has a name for it"
        );
    }
}
