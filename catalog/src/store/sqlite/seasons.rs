//! Crops by feature, and what each layer's calendar was made from.

use super::SqliteStore;
use crate::season::Season;
use crate::store::Seasons;
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS season (
    fid INTEGER NOT NULL, number INTEGER NOT NULL,  -- in order of time, from 0
    season TEXT NOT NULL,
    sowing TEXT, heading TEXT, harvest TEXT, lost TEXT,  -- ISO local dates
    sowing_days REAL, heading_days REAL, harvest_days REAL,  -- uncertainty
    PRIMARY KEY (fid, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calendar (layer TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID;
";

fn date(row: &Row<'_>, column: usize) -> Result<Option<NaiveDate>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error| Error::Store(format!("a season of the catalogue is damaged: {error}")))
}

fn decode(row: &Row<'_>) -> Result<Season> {
    Ok(Season {
        season: row.get(0)?,
        sowing: date(row, 1)?,
        heading: date(row, 2)?,
        harvest: date(row, 3)?,
        lost: date(row, 4)?,
        sowing_uncertainty_days: row.get(5)?,
        heading_uncertainty_days: row.get(6)?,
        harvest_uncertainty_days: row.get(7)?,
    })
}

fn read(connection: &Connection, fid: i64) -> Result<Vec<Season>> {
    let mut statement = connection.prepare_cached(
        "SELECT season, sowing, heading, harvest, lost, sowing_days, heading_days, harvest_days
         FROM season WHERE fid = ? ORDER BY number",
    )?;
    let mut rows = statement.query([fid])?;
    let mut seasons = Vec::new();
    while let Some(row) = rows.next()? {
        seasons.push(decode(row)?);
    }
    Ok(seasons)
}

fn replace(connection: &Connection, fid: i64, seasons: &[Season]) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM season WHERE fid = ?")?
        .execute([fid])?;
    let mut insert = connection.prepare_cached("INSERT INTO season VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    let text = |date: Option<NaiveDate>| date.map(|date| date.to_string());
    for (number, season) in (0_i64..).zip(seasons) {
        insert.execute(params![
            fid,
            number,
            season.season,
            text(season.sowing),
            text(season.heading),
            text(season.harvest),
            text(season.lost),
            season.sowing_uncertainty_days,
            season.heading_uncertainty_days,
            season.harvest_uncertainty_days,
        ])?;
    }
    Ok(())
}

#[async_trait]
impl Seasons for SqliteStore {
    async fn put_seasons(&self, seasons: Vec<(i64, Vec<Season>)>) -> Result<usize> {
        let changed = self
            .reading(move |connection| {
                let mut changed = Vec::new();
                for (fid, own) in seasons {
                    if read(connection, fid)? != own {
                        changed.push((fid, own));
                    }
                }
                Ok(changed)
            })
            .await?;
        if changed.is_empty() {
            return Ok(0);
        }
        self.writing(move |connection| {
            for (fid, own) in &changed {
                replace(connection, *fid, own)?;
            }
            Ok(changed.len())
        })
        .await
    }

    async fn seasons(&self, fid: i64) -> Result<Vec<Season>> {
        self.reading(move |connection| read(connection, fid)).await
    }

    async fn seasons_of(&self, fids: &[i64]) -> Result<BTreeMap<i64, Vec<Season>>> {
        let fids = fids.to_vec();
        self.reading(move |connection| {
            let mut all = BTreeMap::new();
            for fid in fids {
                let seasons = read(connection, fid)?;
                if !seasons.is_empty() {
                    all.insert(fid, seasons);
                }
            }
            Ok(all)
        })
        .await
    }

    async fn calendar_digest(&self, layer: &str) -> Result<Option<String>> {
        let layer = layer.to_owned();
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached("SELECT digest FROM calendar WHERE layer = ?")?;
            Ok(statement.query_row([layer], |row| row.get(0)).optional()?)
        })
        .await
    }

    async fn put_calendar_digest(&self, layer: &str, digest: &str) -> Result<()> {
        if self.calendar_digest(layer).await?.as_deref() == Some(digest) {
            return Ok(());
        }
        let (layer, digest) = (layer.to_owned(), digest.to_owned());
        self.blocking(move |inner| {
            inner.write(|connection| {
                connection.execute("INSERT OR REPLACE INTO calendar VALUES (?, ?)", [layer, digest])?;
                Ok(())
            })
        })
        .await
    }
}
