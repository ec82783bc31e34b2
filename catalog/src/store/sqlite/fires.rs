//! Fire danger by feature and day, forest change by feature, and what they were made from.

use super::SqliteStore;
use crate::fire::change::ForestChange;
use crate::fire::day::DangerDay;
use crate::store::{Basis, Fires};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS fire_day (
    fid INTEGER NOT NULL, day TEXT NOT NULL,  -- ISO local date
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (fid, day)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forest_change (fid INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fire_basis (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, said TEXT NOT NULL) WITHOUT ROWID;
";

fn decode<T: DeserializeOwned>(body: &str) -> Result<T> {
    serde_json::from_str(body)
        .map_err(|error| Error::Store(format!("fire danger of the catalogue is damaged: {error}")))
}

fn encode(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Invalid(format!("fire danger: {error}")))
}

/// The bodies of a feature's days, by day.
fn bodies(connection: &Connection, fid: i64) -> Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare_cached("SELECT day, body FROM fire_day WHERE fid = ?")?;
    let rows = statement.query_map([fid], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes only the days that are others than before.
fn replace(
    connection: &Connection,
    fid: i64,
    known: &BTreeMap<String, String>,
    days: &BTreeMap<String, String>,
) -> Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM fire_day WHERE fid = ? AND day = ?")?;
    for day in known.keys().filter(|day| !days.contains_key(*day)) {
        delete.execute(params![fid, day])?;
    }
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO fire_day VALUES (?, ?, ?)")?;
    for (day, body) in days.iter().filter(|(day, body)| known.get(*day) != Some(*body)) {
        insert.execute(params![fid, day, body])?;
    }
    Ok(())
}

fn change_body(connection: &Connection, fid: i64) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT body FROM forest_change WHERE fid = ?")?;
    Ok(statement.query_row([fid], |row| row.get(0)).optional()?)
}

#[async_trait]
impl Fires for SqliteStore {
    async fn put_danger(&self, danger: Vec<(i64, Vec<DangerDay>)>) -> Result<usize> {
        let changed = self
            .reading(move |connection| {
                let mut changed = Vec::new();
                for (fid, days) in danger {
                    let days: BTreeMap<String, String> = days
                        .iter()
                        .map(|day| Ok((day.day.to_string(), encode(day)?)))
                        .collect::<Result<_>>()?;
                    let known = bodies(connection, fid)?;
                    if known != days {
                        changed.push((fid, known, days));
                    }
                }
                Ok(changed)
            })
            .await?;
        if changed.is_empty() {
            return Ok(0);
        }
        self.writing(move |connection| {
            for (fid, known, days) in &changed {
                replace(connection, *fid, known, days)?;
            }
            Ok(changed.len())
        })
        .await
    }

    async fn danger(
        &self,
        fid: i64,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
    ) -> Result<Vec<DangerDay>> {
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT body FROM fire_day WHERE fid = ? AND day >= ? AND day <= ? ORDER BY day",
            )?;
            let from = from.map_or_else(String::new, |day| day.to_string());
            let to = to.map_or_else(|| "9999-12-31".to_owned(), |day| day.to_string());
            let rows = statement.query_map(params![fid, from, to], |row| row.get::<_, String>(0))?;
            rows.map(|body| decode(&body?)).collect()
        })
        .await
    }

    async fn put_forest_change(&self, changes: Vec<(i64, ForestChange)>) -> Result<usize> {
        let changed = self
            .reading(move |connection| {
                let mut changed = Vec::new();
                for (fid, change) in changes {
                    let body = encode(&change)?;
                    if change_body(connection, fid)?.as_ref() != Some(&body) {
                        changed.push((fid, body));
                    }
                }
                Ok(changed)
            })
            .await?;
        if changed.is_empty() {
            return Ok(0);
        }
        self.writing(move |connection| {
            let mut insert =
                connection.prepare_cached("INSERT OR REPLACE INTO forest_change VALUES (?, ?)")?;
            for (fid, body) in &changed {
                insert.execute(params![fid, body])?;
            }
            Ok(changed.len())
        })
        .await
    }

    async fn forest_change(&self, fid: i64) -> Result<Option<ForestChange>> {
        self.reading(move |connection| {
            change_body(connection, fid)?
                .map(|body| decode(&body))
                .transpose()
        })
        .await
    }

    async fn fire_basis(&self, name: &str) -> Result<Option<Basis>> {
        let name = name.to_owned();
        self.reading(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT digest, said FROM fire_basis WHERE name = ?")?;
            let row: Option<(String, String)> = statement
                .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            row.map(|(digest, said)| {
                Ok(Basis {
                    digest,
                    said: decode(&said)?,
                })
            })
            .transpose()
        })
        .await
    }

    async fn put_fire_basis(&self, name: &str, basis: &Basis) -> Result<()> {
        if self.fire_basis(name).await?.as_ref() == Some(basis) {
            return Ok(());
        }
        let (name, digest, said) = (name.to_owned(), basis.digest.clone(), encode(&basis.said)?);
        self.blocking(move |inner| {
            inner.write(|connection| {
                connection.execute(
                    "INSERT OR REPLACE INTO fire_basis VALUES (?, ?, ?)",
                    params![name, digest, said],
                )?;
                Ok(())
            })
        })
        .await
    }
}
