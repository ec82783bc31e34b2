//! Versions of corrections.

use super::SqliteStore;
use crate::calibration::Calibration;
use crate::store::Calibrations;
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Connection, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS calibration (
    property TEXT NOT NULL, collection TEXT NOT NULL, version INTEGER NOT NULL,
    body TEXT NOT NULL,  -- the whole of it as JSON
    PRIMARY KEY (property, collection, version)) WITHOUT ROWID;
";

fn read(connection: &Connection, property: &str, collection: &str) -> Result<Vec<Calibration>> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM calibration WHERE property = ? AND collection = ? ORDER BY version DESC",
    )?;
    let bodies = statement.query_map([property, collection], |row| row.get::<_, String>(0))?;
    bodies.map(|body| parse(&body?)).collect()
}

fn parse(body: &str) -> Result<Calibration> {
    serde_json::from_str(body)
        .map_err(|error| Error::Store(format!("a calibration of the catalogue is damaged: {error}")))
}

#[async_trait]
impl Calibrations for SqliteStore {
    async fn put_calibration(&self, calibration: &Calibration) -> Result<u32> {
        let mut calibration = calibration.clone();
        let newest = self
            .calibrations(&calibration.property, &calibration.collection)
            .await?
            .into_iter()
            .next();
        if let Some(same) = newest.filter(|newest| newest.inputs == calibration.inputs) {
            return Ok(same.version);
        }
        self.writing(move |connection| {
            let known = read(connection, &calibration.property, &calibration.collection)?;
            calibration.version = known.first().map_or(1, |newest| newest.version + 1);
            let body = serde_json::to_string(&calibration).map_err(|error| {
                Error::Invalid(format!("calibration of {}: {error}", calibration.property))
            })?;
            connection.execute(
                "INSERT INTO calibration VALUES (?, ?, ?, ?)",
                params![
                    calibration.property,
                    calibration.collection,
                    calibration.version,
                    body
                ],
            )?;
            Ok(calibration.version)
        })
        .await
    }

    async fn calibrations(&self, property: &str, collection: &str) -> Result<Vec<Calibration>> {
        let (property, collection) = (property.to_owned(), collection.to_owned());
        self.reading(move |connection| read(connection, &property, &collection))
            .await
    }

    async fn all_calibrations(&self) -> Result<Vec<Calibration>> {
        self.reading(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT body FROM calibration ORDER BY collection, property, version DESC")?;
            let bodies = statement.query_map([], |row| row.get::<_, String>(0))?;
            bodies.map(|body| parse(&body?)).collect()
        })
        .await
    }
}
