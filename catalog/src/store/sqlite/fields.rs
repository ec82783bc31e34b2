//! What Observations of SensorThings say beside their value, for the few that say it: a table of its own, so that the
//! series themselves stay small.

use super::observations::damaged;
use crate::observation::Reading;
use crate::{Error, Result};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement, params};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS observation_fields (
    datastream INTEGER NOT NULL, time INTEGER NOT NULL,  -- those of the observation
    fields TEXT NOT NULL,  -- JSON: resultTime, validTime, parameters
    PRIMARY KEY (datastream, time)) WITHOUT ROWID;
";

/// The fields of a row of `observation`, as a column.
pub(super) const COLUMN: &str = "(SELECT e.fields FROM observation_fields e
     WHERE e.datastream = observation.datastream AND e.time = observation.time)";

/// What the column of a row holds.
pub(super) fn parsed(value: ValueRef<'_>) -> Result<Map<String, Value>> {
    match value {
        ValueRef::Null => Ok(Map::new()),
        other => serde_json::from_str(other.as_str().map_err(damaged)?).map_err(damaged),
    }
}

/// Numbers and the JSON objects beside them.
pub(super) fn by_number(statement: &mut Statement<'_>) -> Result<BTreeMap<i64, Map<String, Value>>> {
    let mut rows = statement.query([])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?, parsed(row.get_ref(1)?)?);
    }
    Ok(found)
}

/// The datastreams that have any: one seek each.
pub(super) fn datastreams(connection: &Connection) -> Result<Vec<i64>> {
    let mut found = Vec::new();
    let mut next =
        connection.prepare_cached("SELECT min(datastream) FROM observation_fields WHERE datastream > ?")?;
    let mut last = i64::MIN;
    while let Some(id) = next.query_row([last], |row| row.get::<_, Option<i64>>(0))? {
        found.push(id);
        last = id;
    }
    Ok(found)
}

/// Keeps what readings carry, before they are recorded; says whether anything changed. The fields of a value that
/// another one replaces go with it.
pub(super) fn put(connection: &Connection, datastream: i64, readings: &[Reading]) -> Result<bool> {
    let has_any = connection
        .prepare_cached("SELECT 1 FROM observation_fields WHERE datastream = ?")?
        .exists([datastream])?;
    if !has_any && readings.iter().all(|reading| reading.fields.is_empty()) {
        return Ok(false);
    }
    let mut keep = connection.prepare_cached(
        "INSERT INTO observation_fields VALUES (?1, ?2, ?3)
         ON CONFLICT (datastream, time) DO UPDATE SET fields = excluded.fields WHERE fields != excluded.fields",
    )?;
    let mut forget = connection.prepare_cached(
        "DELETE FROM observation_fields WHERE datastream = ?1 AND time = ?2 AND NOT EXISTS
             (SELECT 1 FROM observation o WHERE o.datastream = ?1 AND o.time = ?2 AND o.value IS ?3)",
    )?;
    let mut changed = 0;
    for reading in readings {
        let time = reading.time.timestamp_millis();
        changed += if reading.fields.is_empty() {
            forget.execute(params![datastream, time, reading.value])?
        } else {
            let text =
                serde_json::to_string(&reading.fields).map_err(|error| Error::Invalid(error.to_string()))?;
            keep.execute(params![datastream, time, text])?
        };
    }
    Ok(changed > 0)
}
