//! Weeks of compartments: one row a compartment and week; the measurements of a week as one document.

use super::SqliteStore;
use crate::inundation::course::Measured;
use crate::inundation::{Cause, Inundation};
use crate::period::Period;
use crate::store::Inundations;
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::collections::BTreeMap;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS inundation (
    layer TEXT NOT NULL, period TEXT NOT NULL, fid INTEGER NOT NULL,
    class TEXT NOT NULL,
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (layer, period, fid)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS inundation_fid ON inundation (fid, period);
CREATE TABLE IF NOT EXISTS inundation_measured (
    layer TEXT NOT NULL, period TEXT NOT NULL,
    digest TEXT NOT NULL,  -- of what it was measured from
    body TEXT NOT NULL,
    PRIMARY KEY (layer, period)) WITHOUT ROWID;
";

fn damaged(error: &serde_json::Error) -> Error {
    Error::Store(format!("an inundation of the catalogue is damaged: {error}"))
}

fn written<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Invalid(format!("inundation: {error}")))
}

fn read(connection: &Connection, sql: &str, params: impl Params) -> Result<Vec<Inundation>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let body: String = row.get(1)?;
        let mut record: Inundation = serde_json::from_str(&body).map_err(|error| damaged(&error))?;
        record.fid = row.get(0)?;
        records.push(record);
    }
    Ok(records)
}

/// The rows of a layer as they are kept: by week and compartment.
fn rows(connection: &Connection, layer: &str) -> Result<BTreeMap<(String, i64), String>> {
    let mut statement =
        connection.prepare_cached("SELECT period, fid, body FROM inundation WHERE layer = ?")?;
    let rows = statement.query_map([layer], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[async_trait]
impl Inundations for SqliteStore {
    async fn put_inundations(&self, layer: &str, records: Vec<Inundation>) -> Result<usize> {
        let layer = layer.to_owned();
        let mut new = BTreeMap::new();
        for record in &records {
            let row = (record.class.name(), written(record)?);
            new.insert((record.period.to_string(), record.fid), row);
        }
        let known = {
            let layer = layer.clone();
            self.reading(move |connection| rows(connection, &layer)).await?
        };
        new.retain(|key, (_, body)| known.get(key) != Some(body));
        let kept: std::collections::BTreeSet<(String, i64)> = records
            .iter()
            .map(|record| (record.period.to_string(), record.fid))
            .collect();
        let gone: Vec<(String, i64)> = known.into_keys().filter(|key| !kept.contains(key)).collect();
        let changed = new.len() + gone.len();
        if changed == 0 {
            return Ok(0);
        }
        self.writing(move |connection| {
            let mut delete = connection
                .prepare_cached("DELETE FROM inundation WHERE layer = ? AND period = ? AND fid = ?")?;
            for (period, fid) in &gone {
                delete.execute(params![layer, period, fid])?;
            }
            let mut insert =
                connection.prepare_cached("INSERT OR REPLACE INTO inundation VALUES (?, ?, ?, ?, ?)")?;
            for ((period, fid), (class, body)) in &new {
                insert.execute(params![layer, period, fid, class, body])?;
            }
            Ok(changed)
        })
        .await
    }

    async fn inundations_of(&self, fid: i64) -> Result<Vec<Inundation>> {
        self.reading(move |connection| {
            let sql = "SELECT fid, body FROM inundation WHERE fid = ? ORDER BY period";
            read(connection, sql, [fid])
        })
        .await
    }

    async fn inundations_in(&self, layer: &str, period: Period, causes: &[Cause]) -> Result<Vec<Inundation>> {
        let (layer, causes) = (layer.to_owned(), causes.to_vec());
        self.reading(move |connection| {
            let sql = "SELECT fid, body FROM inundation WHERE layer = ? AND period = ? ORDER BY fid";
            let mut records = read(connection, sql, params![layer, period.to_string()])?;
            records.retain(|record| causes.is_empty() || causes.contains(&record.class));
            Ok(records)
        })
        .await
    }

    async fn inundation_weeks(&self, layer: &str) -> Result<Vec<Period>> {
        let layer = layer.to_owned();
        self.reading(move |connection| {
            let sql = "SELECT DISTINCT period FROM inundation WHERE layer = ? ORDER BY period";
            let mut statement = connection.prepare_cached(sql)?;
            let periods = statement.query_map([layer], |row| row.get::<_, String>(0))?;
            periods
                .map(|period| -> Result<Period> { period?.parse() })
                .collect()
        })
        .await
    }

    async fn put_measured(
        &self,
        layer: &str,
        period: Period,
        digest: &str,
        measured: Vec<(i64, Measured)>,
    ) -> Result<()> {
        let row = [
            layer.to_owned(),
            period.to_string(),
            digest.to_owned(),
            written(&measured)?,
        ];
        self.blocking(move |inner| {
            inner.write(|connection| {
                connection.execute(
                    "INSERT OR REPLACE INTO inundation_measured VALUES (?, ?, ?, ?)",
                    row,
                )?;
                Ok(())
            })
        })
        .await
    }

    async fn measured(
        &self,
        layer: &str,
        period: Period,
        digest: &str,
    ) -> Result<Option<Vec<(i64, Measured)>>> {
        let key = [layer.to_owned(), period.to_string(), digest.to_owned()];
        self.reading(move |connection| {
            let sql = "SELECT body FROM inundation_measured WHERE layer = ? AND period = ? AND digest = ?";
            let mut statement = connection.prepare_cached(sql)?;
            let body: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
            body.map(|body| serde_json::from_str(&body).map_err(|error| damaged(&error)))
                .transpose()
        })
        .await
    }
}
