//! The digest of each dataset and period, kept in the transaction that changes their rows (see [`super::sums`], which hands
//! over every row that comes or goes) and added up anew to be held against them.

use super::feature_rows::{NO_BATCH, is_seen, staged_batches};
use super::ledger::{parse_unit, unit_text};
use super::row_digests::{
    BatchSums, DIGESTED_TABLES, DigestSums, DigestedTable, MOST_COLUMNS, Sign, numbered_week,
};
use crate::run::{ContentDigest, Dataset, DatasetDigests, Unit};
use crate::{Error, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(super) const SCHEMA: &str = "
CREATE TABLE digest (
    dataset TEXT NOT NULL, period TEXT NOT NULL,  -- as observations/water_level; a week, or empty
    sum BLOB NOT NULL,  -- of 128 bits of the SHA-256 of each row, modulo 2^128; SQL has no integers so wide
    PRIMARY KEY (dataset, period)) WITHOUT ROWID;
";

/// Differences told at most.
const MOST_TOLD: usize = 20;

/// The sums by unit: features as far as they are seen, readings as those of their station, under their property.
fn by_unit(
    sums: DigestSums,
    batches: BatchSums,
    staged: &[i64],
    connection: &Connection,
) -> rusqlite::Result<HashMap<Unit, ContentDigest>> {
    let (mut units, readings) = sums.into_parts();
    let seen = batches
        .into_iter()
        .filter(|((from, to), _)| is_seen(*from, *to, staged));
    for (unit, sum) in seen.flat_map(|(_, units)| units) {
        let whole = units.entry(unit).or_default();
        *whole = whole.plus(sum);
    }
    let mut whose = connection.prepare_cached("SELECT station, property FROM datastream WHERE id = ?")?;
    let mut ask = |datastream: i64| {
        let stream = whose.query_row([datastream], |row| {
            let station = ContentDigest::of(row.get_ref(0)?.as_bytes()?);
            Ok((station, row.get::<_, String>(1)?))
        });
        stream.optional()
    };
    let mut known = HashMap::new();
    for ((datastream, number), sum) in readings {
        let stream = match known.entry(datastream) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(ask(datastream)?),
        };
        // a reading of no datastream is read by nobody
        let Some((station, property)) = stream else {
            continue;
        };
        let unit = Unit {
            dataset: Dataset::Observations(property.clone()),
            period: numbered_week(number),
        };
        let whole = units.entry(unit).or_default();
        *whole = whole.plus(sum.owned_by(*station));
    }
    units.retain(|_, sum| *sum != ContentDigest::default());
    Ok(units)
}

fn kept(connection: &Connection, dataset: &str, period: &str) -> rusqlite::Result<ContentDigest> {
    let mut statement =
        connection.prepare_cached("SELECT sum FROM digest WHERE dataset = ? AND period = ?")?;
    let sum = statement
        .query_row([dataset, period], |row| row.get(0))
        .optional()?;
    Ok(sum.map_or_else(ContentDigest::default, ContentDigest::from_bytes))
}

/// Adds to the digest of a dataset and period.
fn add(connection: &Connection, dataset: &str, period: &str, change: ContentDigest) -> rusqlite::Result<()> {
    let sum = kept(connection, dataset, period)?.plus(change);
    if sum == ContentDigest::default() {
        // without a row, as where there never was any
        connection
            .prepare_cached("DELETE FROM digest WHERE dataset = ? AND period = ?")?
            .execute([dataset, period])?;
    } else {
        connection
            .prepare_cached("INSERT OR REPLACE INTO digest VALUES (?, ?, ?)")?
            .execute(params![dataset, period, sum.to_bytes()])?;
    }
    Ok(())
}

/// Keeps what rows of batches that are not yet seen do to the digests once they are.
fn stage(connection: &Connection, batches: &BatchSums, staged: &[i64]) -> rusqlite::Result<()> {
    let mut changes: HashMap<(i64, &Unit), ContentDigest> = HashMap::new();
    for ((from, to), units) in batches {
        for (unit, sum) in units {
            if staged.contains(from) {
                let change = changes.entry((*from, unit)).or_default();
                *change = change.plus(*sum);
            }
            if staged.contains(to) {
                let change = changes.entry((*to, unit)).or_default();
                *change = change.minus(*sum);
            }
        }
    }
    for ((batch, unit), change) in changes {
        let (dataset, period) = unit_text(unit);
        let kept: Option<[u8; 16]> = connection
            .prepare_cached("SELECT sum FROM staged_digest WHERE batch = ? AND dataset = ? AND period = ?")?
            .query_row(params![batch, dataset, period], |row| row.get(0))
            .optional()?;
        let sum = kept
            .map_or_else(ContentDigest::default, ContentDigest::from_bytes)
            .plus(change);
        connection
            .prepare_cached("INSERT OR REPLACE INTO staged_digest VALUES (?, ?, ?, ?)")?
            .execute(params![batch, dataset, period, sum.to_bytes()])?;
    }
    Ok(())
}

/// Enters what a batch does, which is seen from now on.
pub(super) fn show_batch(connection: &Connection, batch: i64) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("DELETE FROM staged_digest WHERE batch = ? RETURNING dataset, period, sum")?;
    let changes: Vec<(String, String, [u8; 16])> = statement
        .query_map([batch], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (dataset, period, sum) in changes {
        add(connection, &dataset, &period, ContentDigest::from_bytes(sum))?;
    }
    Ok(())
}

/// Enters the rows that came and went in a transaction, at its end.
pub(super) fn settle(connection: &Connection, mut sums: DigestSums) -> rusqlite::Result<()> {
    let batches = sums.take_batches();
    let staged = if batches.is_empty() {
        Vec::new()
    } else {
        staged_batches(connection)?
    };
    stage(connection, &batches, &staged)?;
    for (unit, change) in by_unit(sums, batches, &staged, connection)? {
        let (dataset, period) = unit_text(&unit);
        add(connection, &dataset, &period, change)?;
    }
    Ok(())
}

/// The columns that count, of a file that may be of an earlier layout: zeros where it has none.
fn present_columns(connection: &Connection, table: &DigestedTable) -> rusqlite::Result<String> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM pragma_table_info(?) WHERE name = ?")?;
    let mut columns = Vec::new();
    for column in table.columns {
        let is_present = statement.exists([table.name, column])?;
        columns.push(if is_present { *column } else { "0" });
    }
    Ok(columns.join(", "))
}

/// The digests of the rows as they are now.
fn add_up(connection: &Connection) -> rusqlite::Result<HashMap<Unit, ContentDigest>> {
    let mut sums = DigestSums::default();
    for table in DIGESTED_TABLES {
        let columns = present_columns(connection, table)?;
        let mut statement = connection.prepare(&format!("SELECT {columns} FROM {}", table.name))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut values = [ValueRef::Null; MOST_COLUMNS];
            let values = &mut values[..table.columns.len()];
            for (column, value) in values.iter_mut().enumerate() {
                *value = row.get_ref(column)?;
            }
            (table.add)(&mut sums, Sign::Comes, values);
        }
    }
    let batches = sums.take_batches();
    // only a file that has batches has rows of any
    let staged = if batches.keys().all(|batches| *batches == (NO_BATCH, NO_BATCH)) {
        Vec::new()
    } else {
        staged_batches(connection)?
    };
    by_unit(sums, batches, &staged, connection)
}

/// Makes the digests of a file that has none.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    for (unit, sum) in add_up(connection)? {
        let (dataset, period) = unit_text(&unit);
        connection
            .prepare_cached("INSERT INTO digest VALUES (?, ?, ?)")?
            .execute(params![dataset, period, sum.to_bytes()])?;
    }
    Ok(())
}

/// All digests as they are kept.
pub(super) fn read(connection: &Connection) -> Result<DatasetDigests> {
    let damaged = |error: Error| Error::Store(format!("a digest of the catalogue is damaged: {error}"));
    let mut statement = connection.prepare_cached("SELECT dataset, period, sum FROM digest")?;
    let mut rows = statement.query([])?;
    let mut all = DatasetDigests::default();
    while let Some(row) = rows.next()? {
        let (dataset, period): (String, String) = (row.get(0)?, row.get(1)?);
        let unit = parse_unit(&dataset, &period).map_err(damaged)?;
        all.insert(unit, ContentDigest::from_bytes(row.get(2)?));
    }
    Ok(all)
}

/// Datasets and periods whose digest is not that of their rows.
pub(super) fn differing(connection: &Connection) -> Result<Vec<String>> {
    let (kept, rows) = (read(connection)?, add_up(connection)?);
    let mut wrong: Vec<Unit> = kept
        .iter()
        .filter(|(unit, sum)| rows.get(unit) != Some(sum))
        .map(|(unit, _)| unit)
        .collect();
    wrong.extend(rows.into_keys().filter(|unit| kept.unit(unit).is_none()));
    wrong.sort();
    let mut told: Vec<String> = wrong
        .iter()
        .take(MOST_TOLD)
        .map(|unit| format!("the digest of {unit} is not that of its rows"))
        .collect();
    if wrong.len() > MOST_TOLD {
        told.push(format!("and so are {} digests more", wrong.len() - MOST_TOLD));
    }
    Ok(told)
}
