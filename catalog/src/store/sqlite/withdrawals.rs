//! Withdrawals: the rows as they were, in tables of the same columns with the number of the withdrawal before them.

use super::feature_rows::{self, EncodedFeature, FeatureWriter, NO_BATCH};
use super::ledger::{parse_unit, unit_text};
use super::{SqliteStore, items, layer_counts, observations};
use crate::feature::Feature;
use crate::period::Period;
use crate::run::{Dataset, Unit};
use crate::store::{Withdrawal, WithdrawalTarget, Withdrawals};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::path::Path;

const SCHEMA: &str = "
CREATE TABLE withdrawal (
    id INTEGER PRIMARY KEY,
    target TEXT NOT NULL,  -- JSON
    dataset TEXT NOT NULL, period TEXT NOT NULL,  -- of what steps read, as in `digest`
    withdrawn INTEGER NOT NULL,  -- seconds of Unix time
    reason TEXT,
    undone INTEGER,  -- when it was brought back
    rows INTEGER NOT NULL);
CREATE TABLE withdrawn_item (
    withdrawal INTEGER NOT NULL, collection TEXT NOT NULL, id TEXT NOT NULL, week TEXT NOT NULL,
    start_time TEXT NOT NULL, end_time TEXT NOT NULL,
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (withdrawal, collection, id)) WITHOUT ROWID;
CREATE TABLE withdrawn_feature (
    withdrawal INTEGER NOT NULL, fid INTEGER NOT NULL,
    layer TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT NOT NULL,
    name TEXT, parent TEXT, codes TEXT NOT NULL, area_m2 REAL NOT NULL, properties TEXT NOT NULL,
    geometry BLOB NOT NULL,
    PRIMARY KEY (withdrawal, fid)) WITHOUT ROWID;
CREATE TABLE withdrawn_observation (
    withdrawal INTEGER NOT NULL, datastream INTEGER NOT NULL, time INTEGER NOT NULL,
    value REAL, flag INTEGER NOT NULL, marks INTEGER NOT NULL, given INTEGER NOT NULL, arrived INTEGER NOT NULL,
    PRIMARY KEY (withdrawal, datastream, time)) WITHOUT ROWID;
CREATE TABLE withdrawn_observation_fields (
    withdrawal INTEGER NOT NULL, datastream INTEGER NOT NULL, time INTEGER NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (withdrawal, datastream, time)) WITHOUT ROWID;
";

/// The tables of withdrawals.
pub(super) fn add_withdrawals(connection: &Connection, _: Option<&Path>) -> Result<()> {
    Ok(connection.execute_batch(SCHEMA)?)
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::Store(format!("a withdrawal of the catalogue is damaged: {error}"))
}

fn instant(seconds: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| damaged(format!("{seconds} is no time")))
}

const COLUMNS: &str = "id, target, dataset, period, withdrawn, reason, undone, rows";

fn decode(row: &Row<'_>) -> Result<Withdrawal> {
    let (target, dataset, period): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let undone: Option<i64> = row.get(6)?;
    Ok(Withdrawal {
        id: row.get(0)?,
        target: serde_json::from_str(&target).map_err(damaged)?,
        unit: parse_unit(&dataset, &period).map_err(damaged)?,
        withdrawn: instant(row.get(4)?)?,
        reason: row.get(5)?,
        undone: undone.map(instant).transpose()?,
        rows: usize::try_from(row.get::<_, i64>(7)?).map_err(damaged)?,
    })
}

/// The datastream of readings, by its number.
fn datastream(connection: &Connection, station: &str, property: &str) -> Result<Option<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM datastream WHERE station = ? AND property = ?")?;
    Ok(statement
        .query_row([station, property], |row| row.get(0))
        .optional()?)
}

/// A span of time in milliseconds, both counted.
fn span(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> (i64, i64) {
    let first = from.map_or(i64::MIN, |from| from.timestamp_millis());
    (
        first,
        to.map_or(i64::MAX, |to| to.timestamp_millis().saturating_sub(1)),
    )
}

/// The versions of a feature, by their numbers.
fn seen_fids(connection: &Connection, layer: &str, code: &str) -> Result<Vec<i64>> {
    let mut statement = connection
        .prepare_cached("SELECT fid FROM seen_feature WHERE layer = ? AND code = ? ORDER BY fid")?;
    let fids = statement.query_map([layer, code], |row| row.get(0))?;
    Ok(fids.collect::<rusqlite::Result<_>>()?)
}

/// What steps read that a target is of.
fn unit_of(connection: &Connection, target: &WithdrawalTarget) -> Result<Unit> {
    Ok(match target {
        WithdrawalTarget::Scene { collection, id } => {
            let mut statement =
                connection.prepare_cached("SELECT week FROM item WHERE collection = ? AND id = ?")?;
            let week: Option<String> = statement
                .query_row([collection, id], |row| row.get(0))
                .optional()?;
            let week: Option<Period> = week.and_then(|week| week.parse().ok());
            Unit {
                dataset: Dataset::Scenes(collection.clone()),
                period: week,
            }
        }
        WithdrawalTarget::Feature { layer, .. } => Unit {
            dataset: Dataset::Shapes(layer.clone()),
            period: None,
        },
        WithdrawalTarget::Readings { property, .. } => Unit {
            dataset: Dataset::Observations(property.clone()),
            period: None,
        },
    })
}

/// Moves the rows of a target aside; how many there were.
fn take_back(connection: &Connection, id: i64, target: &WithdrawalTarget) -> Result<usize> {
    match target {
        WithdrawalTarget::Scene { collection, id: item } => {
            connection.execute(
                "INSERT INTO withdrawn_item SELECT ?, * FROM item WHERE collection = ? AND id = ?",
                params![id, collection, item],
            )?;
            let sql = "DELETE FROM item WHERE collection = ? AND id = ?";
            Ok(connection.execute(sql, [collection, item])?)
        }
        WithdrawalTarget::Feature { layer, code } => {
            let fids = seen_fids(connection, layer, code)?;
            let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
            for fid in &fids {
                connection.execute(
                    "INSERT INTO withdrawn_feature SELECT ?, fid, layer, scheme, code, valid_from, valid_to, name, parent, codes,
                     area_m2, properties, geometry FROM seen_feature WHERE layer = ? AND fid = ?",
                    params![id, layer, fid],
                )?;
                writer.delete(*fid)?;
            }
            writer.finish()?;
            layer_counts::count_layer(connection, layer)?;
            Ok(fids.len())
        }
        WithdrawalTarget::Readings {
            station,
            property,
            from,
            to,
        } => {
            let Some(stream) = datastream(connection, station, property)? else {
                return Ok(0);
            };
            let (first, last) = span(*from, *to);
            let place = "WHERE datastream = ?2 AND time BETWEEN ?3 AND ?4";
            let mut rows = 0;
            for table in ["observation_fields", "observation"] {
                let sql = format!("INSERT INTO withdrawn_{table} SELECT ?1, * FROM {table} {place}");
                rows = connection.execute(&sql, params![id, stream, first, last])?;
                let sql = format!("DELETE FROM {table} WHERE datastream = ?1 AND time BETWEEN ?2 AND ?3");
                connection.execute(&sql, params![stream, first, last])?;
            }
            observations::moved(connection)?;
            Ok(rows)
        }
    }
}

/// Brings the rows of a withdrawal back to their places.
fn bring_back(connection: &Connection, withdrawal: &Withdrawal) -> Result<()> {
    let id = withdrawal.id;
    let in_the_way = |what: String| {
        Error::Invalid(format!(
            "{} cannot be brought back: {what} was taken in since; withdraw that first",
            withdrawal.target
        ))
    };
    match &withdrawal.target {
        WithdrawalTarget::Scene { collection, id: item } => {
            if items::known_item(connection, collection, item)?.is_some() {
                return Err(in_the_way(format!("{collection}/{item}")));
            }
            connection.execute(
                "INSERT INTO item SELECT collection, id, week, start_time, end_time, west, south, east, north, body
                 FROM withdrawn_item WHERE withdrawal = ?",
                [id],
            )?;
        }
        WithdrawalTarget::Feature { layer, code } => {
            if !seen_fids(connection, layer, code)?.is_empty() {
                return Err(in_the_way(format!("{layer} {code}")));
            }
            let features = {
                let mut statement = connection.prepare_cached(
                    "SELECT fid, layer, scheme, code, valid_from, valid_to, name, parent, codes, area_m2, properties, geometry
                     FROM withdrawn_feature WHERE withdrawal = ? ORDER BY fid",
                )?;
                let mut rows = statement.query([id])?;
                let mut features: Vec<Feature> = Vec::new();
                while let Some(row) = rows.next()? {
                    features.push(feature_rows::decode(row)?);
                }
                features
            };
            let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
            for feature in features {
                let fid = feature.fid;
                writer.insert(&EncodedFeature::new(feature)?, Some(fid), NO_BATCH)?;
            }
            writer.finish()?;
            layer_counts::count_layer(connection, layer)?;
        }
        WithdrawalTarget::Readings { .. } => {
            let again: Option<i64> = connection
                .query_row(
                    "SELECT o.time FROM observation o JOIN withdrawn_observation w
                     ON w.datastream = o.datastream AND w.time = o.time WHERE w.withdrawal = ? LIMIT 1",
                    [id],
                    |row| row.get(0),
                )
                .optional()?;
            if let Some(time) = again {
                let at = DateTime::from_timestamp_millis(time).unwrap_or_default();
                return Err(in_the_way(format!("a reading of {}", at.to_rfc3339())));
            }
            for (table, columns) in [
                (
                    "observation",
                    "datastream, time, value, flag, marks, given, arrived",
                ),
                ("observation_fields", "datastream, time, fields"),
            ] {
                connection.execute(
                    &format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM withdrawn_{table} WHERE withdrawal = ?"),
                    [id],
                )?;
            }
            observations::moved(connection)?;
        }
    }
    for table in ["item", "feature", "observation", "observation_fields"] {
        connection.execute(
            &format!("DELETE FROM withdrawn_{table} WHERE withdrawal = ?"),
            [id],
        )?;
    }
    Ok(())
}

fn newest_active(connection: &Connection, target: &str) -> Result<Option<Withdrawal>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM withdrawal WHERE target = ? AND undone IS NULL ORDER BY id DESC LIMIT 1"
    ))?;
    let mut rows = statement.query([target])?;
    rows.next()?.map(decode).transpose()
}

fn text_of(target: &WithdrawalTarget) -> Result<String> {
    serde_json::to_string(target).map_err(|error| Error::Invalid(format!("{target}: {error}")))
}

#[async_trait]
impl Withdrawals for SqliteStore {
    async fn withdraw(&self, target: &WithdrawalTarget, reason: Option<&str>) -> Result<Withdrawal> {
        let (target, reason) = (target.clone(), reason.map(str::to_owned));
        self.writing(move |connection| {
            let text = text_of(&target)?;
            let unit = unit_of(connection, &target)?;
            let now = Utc::now().timestamp();
            let (dataset, period) = unit_text(&unit);
            connection.execute(
                "INSERT INTO withdrawal (target, dataset, period, withdrawn, reason, rows) VALUES (?, ?, ?, ?, ?, 0)",
                params![text, dataset, period, now, reason],
            )?;
            let id = connection.last_insert_rowid();
            let rows = take_back(connection, id, &target)?;
            if rows == 0 {
                return Err(crate::store::nothing_there(&target));
            }
            connection.execute("UPDATE withdrawal SET rows = ? WHERE id = ?", params![rows as i64, id])?;
            Ok(Withdrawal {
                id,
                target,
                unit,
                withdrawn: instant(now)?,
                reason,
                undone: None,
                rows,
            })
        })
        .await
    }

    async fn undo_withdrawal(&self, target: &WithdrawalTarget) -> Result<Withdrawal> {
        let target = target.clone();
        self.writing(move |connection| {
            let Some(mut withdrawal) = newest_active(connection, &text_of(&target)?)? else {
                return Err(Error::NotFound(format!(
                    "{target} was not withdrawn; `sen withdraw --list` shows what was"
                )));
            };
            bring_back(connection, &withdrawal)?;
            let now = Utc::now().timestamp();
            connection.execute(
                "UPDATE withdrawal SET undone = ? WHERE id = ?",
                params![now, withdrawal.id],
            )?;
            withdrawal.undone = Some(instant(now)?);
            Ok(withdrawal)
        })
        .await
    }

    async fn withdrawals(&self) -> Result<Vec<Withdrawal>> {
        self.reading(|connection| {
            let mut statement =
                connection.prepare_cached(&format!("SELECT {COLUMNS} FROM withdrawal ORDER BY id DESC"))?;
            let mut rows = statement.query([])?;
            let mut all = Vec::new();
            while let Some(row) = rows.next()? {
                all.push(decode(row)?);
            }
            Ok(all)
        })
        .await
    }
}
