//! Observations: one B-tree in the order of (datastream, time), so that a stretch of a series is a stretch of pages
//! and the newest value one seek.

use super::neighbours::judge;
use super::{SqliteStore, fields, stations};
use crate::observation::{Aggregate, Datastream, Detail, Flag, Marks, Observation, Reading, Recorded, Step};
use crate::qartod::Tests;
use crate::store::{LOOK_BACK, NewDatastream, ObservationQuery, Observations};
use crate::{Error, Feature, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS datastream (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    station TEXT NOT NULL, property TEXT NOT NULL, unit TEXT NOT NULL, name TEXT NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    UNIQUE (station, property));
CREATE TABLE IF NOT EXISTS observation (
    datastream INTEGER NOT NULL, time INTEGER NOT NULL,  -- milliseconds since 1970, UTC
    value REAL,  -- null: missing
    flag INTEGER NOT NULL, marks INTEGER NOT NULL,  -- QARTOD; which tests
    given INTEGER NOT NULL,  -- flag it came with
    arrived INTEGER NOT NULL,  -- seconds since 1970, UTC
    PRIMARY KEY (datastream, time)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS observation_revision (number INTEGER NOT NULL);
INSERT INTO observation_revision SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM observation_revision);
";

/// What local time is ahead of UTC, milliseconds.
const LOCAL_OFFSET_MS: i64 = 7 * 3_600_000;

/// Milliseconds from Monday to the Thursday that time counts from.
const MONDAY_TO_EPOCH_MS: i64 = 3 * 86_400_000;

pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Store(format!("an observation of the catalogue is damaged: {what}"))
}

pub(super) fn instant(ms: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(ms).ok_or_else(|| damaged(format!("time {ms}")))
}

pub(super) fn flag(number: i64) -> Result<Flag> {
    let number = u8::try_from(number).map_err(damaged)?;
    Flag::try_from(number).map_err(damaged)
}

/// Runs `work` in one transaction that moves on the observations' revision where it says so, and no other.
async fn writing<T: Send + 'static>(
    store: &SqliteStore,
    work: impl FnOnce(&Connection) -> Result<(T, bool)> + Send + 'static,
) -> Result<T> {
    store
        .blocking(move |inner| {
            inner.write(|connection| {
                let (result, changed) = work(connection)?;
                if changed {
                    moved(connection)?;
                }
                Ok(result)
            })
        })
        .await
}

/// Moves the revision of what sensors say on.
pub(super) fn moved(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE observation_revision SET number = number + 1", [])?;
    Ok(())
}

/// Keeps what is said of a datastream; says whether anything changed.
fn set_properties(connection: &Connection, datastream: i64, properties: &Map<String, Value>) -> Result<bool> {
    let text = serde_json::to_string(properties).map_err(|error| Error::Invalid(error.to_string()))?;
    let changed = connection.execute(
        "UPDATE datastream SET properties = ?1 WHERE id = ?2 AND properties != ?1",
        params![text, datastream],
    )?;
    Ok(changed > 0)
}

fn known(connection: &Connection, datastream: i64) -> Result<()> {
    let found = connection
        .prepare_cached("SELECT 1 FROM datastream WHERE id = ?")?
        .exists([datastream])?;
    if found {
        Ok(())
    } else {
        Err(Error::NotFound(format!("datastream {datastream}")))
    }
}

fn finite(value: Option<f64>, time: DateTime<Utc>) -> Result<Option<f64>> {
    match value {
        Some(value) if !value.is_finite() => Err(Error::Invalid(format!(
            "the value {value} of {time} is no number; a missing value is null"
        ))),
        value => Ok(value),
    }
}

fn put(connection: &Connection, datastream: &Datastream) -> Result<(i64, bool)> {
    let known: Option<(i64, String, String)> = connection
        .prepare_cached("SELECT id, unit, name FROM datastream WHERE station = ? AND property = ?")?
        .query_row([&datastream.station, &datastream.property], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let Some((id, unit, name)) = known else {
        connection.execute(
            "INSERT INTO datastream (station, property, unit, name) VALUES (?, ?, ?, ?)",
            params![
                datastream.station,
                datastream.property,
                datastream.unit,
                datastream.name
            ],
        )?;
        return Ok((connection.last_insert_rowid(), true));
    };
    if unit != datastream.unit {
        let used = connection
            .prepare_cached("SELECT 1 FROM observation WHERE datastream = ? LIMIT 1")?
            .exists([id])?;
        if used {
            return Err(Error::Invalid(format!(
                "{} of station {} is kept in {unit}; values in {} have to be converted before",
                datastream.property, datastream.station, datastream.unit
            )));
        }
    }
    if (unit.as_str(), name.as_str()) == (&datastream.unit, &datastream.name) {
        return Ok((id, false));
    }
    connection.execute(
        "UPDATE datastream SET unit = ?, name = ? WHERE id = ?",
        params![datastream.unit, datastream.name, id],
    )?;
    Ok((id, true))
}

/// Records readings with their fields; says too whether fields changed.
pub(super) fn take(
    connection: &Connection,
    datastream: i64,
    readings: Vec<Reading>,
    tests: &Tests,
) -> Result<(Recorded, bool)> {
    for reading in &readings {
        finite(reading.value, reading.time)?;
    }
    let fields = fields::put(connection, datastream, &readings)?;
    Ok((judge(connection, datastream, readings, tests)?, fields))
}

/// Makes a datastream with its first readings; none when the station has one of that property.
pub(super) fn make(connection: &Connection, new: NewDatastream) -> Result<Option<i64>> {
    let one = &new.datastream;
    let taken = connection
        .prepare_cached("SELECT 1 FROM datastream WHERE station = ? AND property = ?")?
        .exists([&one.station, &one.property])?;
    if taken {
        return Ok(None);
    }
    let (id, _) = put(connection, one)?;
    set_properties(connection, id, &new.properties)?;
    take(connection, id, new.readings, &new.tests)?;
    Ok(Some(id))
}

/// Condition and order of a query.
fn select(query: &ObservationQuery, columns: &str) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = format!("SELECT {columns} FROM observation WHERE datastream = ?");
    let mut values: Vec<Box<dyn ToSql>> = vec![Box::new(query.datastream)];
    for (condition, time) in [(" AND time >= ?", query.from), (" AND time < ?", query.to)] {
        if let Some(time) = time {
            sql.push_str(condition);
            values.push(Box::new(ceiling_ms(time)));
        }
    }
    sql.push_str(if query.newest_first {
        " ORDER BY time DESC"
    } else {
        " ORDER BY time"
    });
    if query.limit.is_some() || query.skip > 0 {
        let limit = query.limit.map_or(-1, |limit| limit as i64);
        let _ = write!(sql, " LIMIT {limit} OFFSET {}", query.skip);
    }
    (sql, values)
}

/// The first whole millisecond that is not before the time: limits between milliseconds keep their meaning.
fn ceiling_ms(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis() + i64::from(!time.timestamp_subsec_nanos().is_multiple_of(1_000_000))
}

fn stream(row: &Row<'_>) -> rusqlite::Result<Datastream> {
    Ok(Datastream {
        id: row.get(0)?,
        station: row.get(1)?,
        property: row.get(2)?,
        unit: row.get(3)?,
        name: row.get(4)?,
    })
}

fn observation(row: &Row<'_>, datastream: i64) -> Result<Observation> {
    Ok(Observation {
        datastream,
        time: instant(row.get(0)?)?,
        value: row.get(1)?,
        flag: flag(row.get(2)?)?,
    })
}

#[async_trait]
impl Observations for SqliteStore {
    async fn put_datastream(&self, datastream: &Datastream) -> Result<i64> {
        let datastream = datastream.clone();
        writing(self, move |connection| put(connection, &datastream)).await
    }

    async fn datastreams(&self, station: Option<&str>) -> Result<Vec<Datastream>> {
        let station = station.map(str::to_owned);
        self.reading(move |connection| {
            let condition = station.as_ref().map_or("", |_| "WHERE station = ?");
            let mut statement = connection.prepare_cached(&format!(
                "SELECT id, station, property, unit, name FROM datastream {condition} ORDER BY id"
            ))?;
            let rows = statement.query_map(rusqlite::params_from_iter(station), stream)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })
        .await
    }

    async fn datastream(&self, id: i64) -> Result<Option<Datastream>> {
        self.reading(move |connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, station, property, unit, name FROM datastream WHERE id = ?")?;
            Ok(statement.query_row([id], stream).optional()?)
        })
        .await
    }

    async fn properties(&self, datastream: i64) -> Result<Map<String, Value>> {
        self.reading(move |connection| {
            known(connection, datastream)?;
            let text: String = connection
                .prepare_cached("SELECT properties FROM datastream WHERE id = ?")?
                .query_row([datastream], |row| row.get(0))?;
            serde_json::from_str(&text).map_err(damaged)
        })
        .await
    }

    async fn all_properties(&self) -> Result<BTreeMap<i64, Map<String, Value>>> {
        self.reading(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT id, properties FROM datastream WHERE properties != '{}'")?;
            fields::by_number(&mut statement)
        })
        .await
    }

    async fn make_datastream(&self, datastream: NewDatastream) -> Result<Option<i64>> {
        writing(self, move |connection| {
            let made = make(connection, datastream)?;
            Ok((made, made.is_some()))
        })
        .await
    }

    async fn make_station(
        &self,
        station: Feature,
        fields: Map<String, Value>,
        datastreams: Vec<NewDatastream>,
    ) -> Result<Option<i64>> {
        self.writing(move |connection| stations::make(connection, &station, &fields, datastreams))
            .await
    }

    async fn station_fields(&self) -> Result<BTreeMap<i64, Map<String, Value>>> {
        self.reading(stations::fields).await
    }

    async fn datastreams_with_fields(&self) -> Result<Vec<i64>> {
        self.reading(fields::datastreams).await
    }

    async fn spans(&self) -> Result<BTreeMap<i64, (DateTime<Utc>, DateTime<Utc>)>> {
        self.reading(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, (SELECT min(time) FROM observation WHERE datastream = id),
                        (SELECT max(time) FROM observation WHERE datastream = id) FROM datastream",
            )?;
            let mut rows = statement.query([])?;
            let mut found = BTreeMap::new();
            while let Some(row) = rows.next()? {
                let (first, last): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
                if let Some((first, last)) = first.zip(last) {
                    found.insert(row.get(0)?, (instant(first)?, instant(last)?));
                }
            }
            Ok(found)
        })
        .await
    }

    async fn put_properties(&self, datastream: i64, properties: &Map<String, Value>) -> Result<()> {
        let properties = properties.clone();
        writing(self, move |connection| {
            known(connection, datastream)?;
            Ok(((), set_properties(connection, datastream, &properties)?))
        })
        .await
    }

    async fn put_observations(&self, observations: Vec<Observation>) -> Result<usize> {
        writing(self, move |connection| {
            let mut statement = connection.prepare_cached(
                "INSERT INTO observation VALUES (?1, ?2, ?3, ?4, 0, ?4, ?5)
                 ON CONFLICT (datastream, time) DO UPDATE SET
                    value = excluded.value, flag = excluded.flag, marks = 0, given = excluded.given,
                    arrived = excluded.arrived
                 WHERE value IS NOT excluded.value OR flag != excluded.flag",
            )?;
            let (now, mut changed, mut last) = (Utc::now().timestamp(), 0, None);
            for one in &observations {
                if last != Some(one.datastream) {
                    known(connection, one.datastream)?;
                    last = Some(one.datastream);
                }
                let value = finite(one.value, one.time)?;
                let time = one.time.timestamp_millis();
                changed +=
                    statement.execute(params![one.datastream, time, value, u8::from(one.flag), now])?;
            }
            Ok((changed, changed > 0))
        })
        .await
    }

    async fn record(&self, datastream: i64, readings: Vec<Reading>, tests: &Tests) -> Result<Recorded> {
        let tests = tests.clone();
        writing(self, move |connection| {
            known(connection, datastream)?;
            let (recorded, fields) = take(connection, datastream, readings, &tests)?;
            let changed = fields || recorded.added + recorded.changed + recorded.reflagged > 0;
            Ok((recorded, changed))
        })
        .await
    }

    async fn observations(&self, query: &ObservationQuery) -> Result<Vec<Observation>> {
        let query = query.clone();
        self.reading(move |connection| {
            let (sql, values) = select(&query, "time, value, flag");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(observation(row, query.datastream)?);
            }
            Ok(found)
        })
        .await
    }

    async fn details(&self, query: &ObservationQuery) -> Result<Vec<Detail>> {
        let query = query.clone();
        self.reading(move |connection| {
            let (sql, values) = select(
                &query,
                &format!("time, value, flag, marks, arrived, {}", fields::COLUMN),
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let arrived: i64 = row.get(4)?;
                found.push(Detail {
                    observation: observation(row, query.datastream)?,
                    marks: Marks(row.get(3)?),
                    arrived: instant(arrived.saturating_mul(1000))?,
                    fields: fields::parsed(row.get_ref(5)?)?,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn count_observations(&self, query: &ObservationQuery) -> Result<u64> {
        let query = ObservationQuery {
            limit: None,
            skip: 0,
            ..query.clone()
        };
        self.reading(move |connection| {
            let (sql, values) = select(&query, "1");
            let mut statement = connection.prepare_cached(&format!("SELECT count(*) FROM ({sql})"))?;
            let count: i64 = statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    async fn latest(&self, datastream: i64) -> Result<Option<Observation>> {
        Ok(self
            .newest_observations(&[datastream], (None, None), false)
            .await?
            .pop())
    }

    async fn newest_observations(
        &self,
        datastreams: &[i64],
        (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        usable: bool,
    ) -> Result<Vec<Observation>> {
        let datastreams = datastreams.to_vec();
        self.reading(move |connection| {
            let mut found = Vec::with_capacity(datastreams.len());
            for datastream in datastreams {
                let query = ObservationQuery {
                    datastream,
                    from,
                    to,
                    newest_first: true,
                    limit: Some(if usable { LOOK_BACK } else { 1 }),
                    skip: 0,
                };
                let (sql, values) = select(&query, "time, value, flag");
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                while let Some(row) = rows.next()? {
                    let one = observation(row, datastream)?;
                    if !usable || (one.value.is_some() && one.flag.is_usable()) {
                        found.push(one);
                        break;
                    }
                }
            }
            Ok(found)
        })
        .await
    }

    async fn aggregate(
        &self,
        datastream: i64,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        step: Step,
    ) -> Result<Vec<Aggregate>> {
        let (length, offset) = match step {
            Step::Hour => (3_600_000, LOCAL_OFFSET_MS),
            Step::Day => (86_400_000, LOCAL_OFFSET_MS),
            Step::Week => (7 * 86_400_000, LOCAL_OFFSET_MS + MONDAY_TO_EPOCH_MS),
        };
        self.reading(move |connection| {
            // the double remainder rounds down before 1970 too
            let mut statement = connection.prepare_cached(
                "SELECT time - ((time + ?4) % ?5 + ?5) % ?5 AS start, count(*), avg(value), min(value), max(value)
                 FROM observation
                 WHERE datastream = ?1 AND time >= ?2 AND time < ?3 AND value IS NOT NULL AND flag IN (1, 2)
                 GROUP BY start ORDER BY start",
            )?;
            let mut rows = statement.query(params![
                datastream,
                ceiling_ms(from),
                ceiling_ms(to),
                offset,
                length
            ])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Aggregate {
                    start: instant(row.get(0)?)?,
                    count: row.get::<_, i64>(1)?.unsigned_abs(),
                    mean: row.get(2)?,
                    min: row.get(3)?,
                    max: row.get(4)?,
                });
            }
            Ok(found)
        })
        .await
    }

    async fn observation_revision(&self) -> Result<u64> {
        self.reading(|connection| {
            let number: i64 =
                connection.query_row("SELECT number FROM observation_revision", [], |row| row.get(0))?;
            Ok(number.unsigned_abs())
        })
        .await
    }
}
