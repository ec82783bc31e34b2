//! Features: zones, stations, lines. The box index is an R*-tree, the text index FTS5 with trigrams.

use super::SqliteStore;
use super::disclosed::{Discloser, asks_private, has_code, public_revision, still_fits};
use crate::disclosure::DisclosurePolicy;
use crate::feature::{Feature, Layer, Number, OtherCode, Shape, Sought, fold, tidy_code};
use crate::grid::Bounds;
use crate::store::{FeatureQuery, Features, Put};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS feature (
    fid INTEGER PRIMARY KEY AUTOINCREMENT,
    layer TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT, parent TEXT,
    codes TEXT NOT NULL DEFAULT '[]',  -- further codes as JSON
    area_m2 REAL NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    search TEXT NOT NULL,
    shape TEXT NOT NULL,
    geometry BLOB NOT NULL,  -- WKB, WGS 84 lon/lat
    UNIQUE (layer, scheme, code, valid_from));
CREATE INDEX IF NOT EXISTS feature_code ON feature (layer, code);
CREATE INDEX IF NOT EXISTS feature_parent ON feature (layer, parent);
CREATE VIRTUAL TABLE IF NOT EXISTS feature_box USING rtree (fid, west, east, south, north);
CREATE VIRTUAL TABLE IF NOT EXISTS feature_text USING fts5 (search, content='feature', content_rowid='fid', tokenize='trigram');
CREATE TABLE IF NOT EXISTS other_code (code TEXT NOT NULL, fid INTEGER NOT NULL, PRIMARY KEY (code, fid)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS layer (
    name TEXT PRIMARY KEY, revision INTEGER NOT NULL, shape TEXT NOT NULL, count INTEGER NOT NULL,
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL) WITHOUT ROWID;
";

pub(super) const COLUMNS: &str = "f.fid, f.layer, f.scheme, f.code, f.valid_from, f.valid_to, f.name, f.parent, f.codes, \
                       f.area_m2, f.properties, f.geometry";

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Store(format!("a feature of the catalogue is damaged: {what}"))
}

fn date(text: &str) -> Result<Option<NaiveDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(damaged)
}

fn text(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

pub(super) fn decode(row: &Row<'_>) -> Result<Feature> {
    let wkb = row.get_ref(11)?.as_blob().map_err(damaged)?;
    let codes: Vec<OtherCode> =
        serde_json::from_str(row.get_ref(8)?.as_str().map_err(damaged)?).map_err(damaged)?;
    Ok(Feature {
        fid: row.get(0)?,
        layer: row.get(1)?,
        scheme: row.get(2)?,
        code: row.get(3)?,
        valid_from: date(row.get_ref(4)?.as_str().map_err(damaged)?)?,
        valid_to: date(row.get_ref(5)?.as_str().map_err(damaged)?)?,
        name: row.get(6)?,
        parent: row.get(7)?,
        codes,
        area_m2: row.get(9)?,
        properties: serde_json::from_str(row.get_ref(10)?.as_str().map_err(damaged)?).map_err(damaged)?,
        geometry: decode_wkb(wkb)?,
    })
}

fn decode_wkb(bytes: &[u8]) -> Result<geo_types::Geometry<f64>> {
    use geo_traits::to_geo::ToGeoGeometry;
    let geometry = wkb::reader::read_wkb(bytes).map_err(damaged)?;
    geometry
        .try_to_geometry()
        .ok_or_else(|| damaged("an empty geometry"))
}

fn encode_wkb(feature: &Feature) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(
        &mut bytes,
        &feature.geometry,
        &wkb::writer::WriteOptions::default(),
    )
    .map_err(|error| Error::Invalid(format!("feature {} cannot be stored: {error}", feature.code)))?;
    Ok(bytes)
}

/// What the word index has to learn of a feature.
pub(super) struct Words {
    pub(super) fid: i64,
    /// Its text so far; none where it is new.
    old: Option<String>,
    /// Its text from now on; none where it is gone.
    new: Option<String>,
}

/// Inserts or replaces one feature by identity; a feature that is the same already is left alone. The word index is left for
/// [`index`]: it writes its pages whenever another statement sets a savepoint, so its turn comes once, at the end.
pub(super) fn put(connection: &Connection, feature: &Feature) -> Result<(Put, Option<Words>)> {
    let invalid = |what: &str| Error::Invalid(format!("feature {}: {what}", feature.code));
    let shape =
        Shape::of(&feature.geometry).ok_or_else(|| invalid("a mixture of points, lines and areas"))?;
    let b = feature.bounds().ok_or_else(|| invalid("the geometry is empty"))?;
    let wkb = encode_wkb(feature)?;
    let json = |value: serde_json::Result<String>| value.map_err(|error| invalid(&error.to_string()));
    let codes = json(serde_json::to_string(&feature.codes))?;
    let properties = json(serde_json::to_string(&feature.properties))?;
    let search = feature.search_text();
    let (from, to) = (text(feature.valid_from), text(feature.valid_to));
    let known: Option<(i64, bool, String)> = connection
        .prepare_cached(
            "SELECT fid, valid_to = ?5 AND name IS ?6 AND parent IS ?7 AND codes = ?8 AND properties = ?9
                    AND geometry = ?10, search
             FROM feature WHERE layer = ?1 AND scheme = ?2 AND code = ?3 AND valid_from = ?4",
        )?
        .query_row(
            params![
                feature.layer,
                feature.scheme,
                feature.code,
                from,
                to,
                feature.name,
                feature.parent,
                codes,
                properties,
                wkb
            ],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()?;
    if let Some((_, true, _)) = known {
        return Ok((Put::Unchanged, None));
    }
    let fid = if let Some((fid, ..)) = &known {
        connection
            .prepare_cached("DELETE FROM other_code WHERE fid = ?")?
            .execute([fid])?;
        connection
            .prepare_cached(
                "UPDATE feature SET valid_to = ?2, name = ?3, parent = ?4, codes = ?5, area_m2 = ?6,
                 properties = ?7, search = ?8, shape = ?9, geometry = ?10 WHERE fid = ?1",
            )?
            .execute(params![
                fid,
                to,
                feature.name,
                feature.parent,
                codes,
                feature.area_m2,
                properties,
                search,
                shape.name(),
                wkb
            ])?;
        *fid
    } else {
        connection
            .prepare_cached(
                "INSERT INTO feature (layer, scheme, code, valid_from, valid_to, name, parent, codes, area_m2,
                 properties, search, shape, geometry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                feature.layer, feature.scheme, feature.code, from, to, feature.name, feature.parent, codes,
                feature.area_m2, properties, search, shape.name(), wkb
            ])?;
        connection.last_insert_rowid()
    };
    connection
        .prepare_cached("INSERT OR REPLACE INTO feature_box VALUES (?, ?, ?, ?, ?)")?
        .execute(params![fid, b.west, b.east, b.south, b.north])?;
    for other in &feature.codes {
        connection
            .prepare_cached("INSERT OR IGNORE INTO other_code VALUES (?, ?)")?
            .execute(params![other.code, fid])?;
    }
    let outcome = if known.is_some() { Put::Changed } else { Put::Added };
    let old = known.map(|(.., search)| search);
    let new = Some(search);
    Ok((outcome, Some(Words { fid, old, new })))
}

/// Enters the texts of changed features into the word index, in the order in which they were put.
pub(super) fn index(connection: &Connection, changed: &[Words]) -> Result<()> {
    let mut delete = connection
        .prepare_cached("INSERT INTO feature_text (feature_text, rowid, search) VALUES ('delete', ?, ?)")?;
    let mut insert = connection.prepare_cached("INSERT INTO feature_text (rowid, search) VALUES (?, ?)")?;
    for Words { fid, old, new } in changed {
        if let Some(old) = old {
            delete.execute(params![fid, old])?;
        }
        if let Some(new) = new {
            insert.execute(params![fid, new])?;
        }
    }
    Ok(())
}

/// Takes a feature away, but from the word index (see [`index`]); its layer, none when it was not there.
fn delete(connection: &Connection, fid: i64) -> Result<Option<(String, Words)>> {
    let known: Option<(String, String)> = connection
        .prepare_cached("DELETE FROM feature WHERE fid = ? RETURNING layer, search")?
        .query_row([fid], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((layer, search)) = known else {
        return Ok(None);
    };
    for table in ["other_code", "feature_box"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE fid = ?"))?
            .execute([fid])?;
    }
    let old = Some(search);
    Ok(Some((layer, Words { fid, old, new: None })))
}

/// Moves the layer's revision on and counts it anew. Its box is as coarse as the index: single precision, outwards.
pub(super) fn count(connection: &Connection, layer: &str) -> Result<()> {
    let counted = connection.execute(
        "INSERT INTO layer
         SELECT f.layer, 1, min(f.shape), count(*), min(b.west), min(b.south), max(b.east), max(b.north)
         FROM feature f JOIN feature_box b ON b.fid = f.fid WHERE f.layer = ? GROUP BY f.layer
         ON CONFLICT (name) DO UPDATE SET revision = revision + 1, shape = excluded.shape,
            count = excluded.count, west = excluded.west, south = excluded.south, east = excluded.east,
            north = excluded.north",
        [layer],
    )?;
    if counted == 0 {
        // a layer that nothing is left of keeps its row, so that its revision never comes again
        connection.execute(
            "UPDATE layer SET count = 0, revision = revision + 1 WHERE name = ?",
            [layer],
        )?;
    }
    Ok(())
}

/// SQL and values of a query.
fn select(query: &FeatureQuery, columns: &str) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = format!("SELECT {columns} FROM feature f");
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let needle = query
        .text
        .as_deref()
        .map(fold)
        .filter(|needle| !needle.is_empty());
    // trigrams need three letters; shorter texts are few enough to look for in the rows themselves
    let indexed = needle.as_ref().filter(|needle| needle.chars().count() >= 3);
    if let Some(needle) = indexed {
        sql.push_str(" JOIN feature_text t ON t.rowid = f.fid AND t.search MATCH ?");
        values.push(Box::new(format!("\"{needle}\"")));
    }
    if let Some(b) = query.bbox {
        sql.push_str(
            " JOIN feature_box b ON b.fid = f.fid AND b.west <= ? AND b.east >= ? AND b.south <= ? AND b.north >= ?",
        );
        for side in [b.east, b.west, b.north, b.south] {
            values.push(Box::new(side));
        }
    }
    sql.push_str(" WHERE 1");
    let mut condition = |text: &str, value: Box<dyn ToSql>| {
        let _ = write!(sql, " AND {text}");
        values.push(value);
    };
    if let (Some(needle), None) = (&needle, indexed) {
        condition("instr(f.search, ?)", Box::new(needle.clone()));
    }
    if let Some(layer) = &query.layer {
        condition("f.layer = ?", Box::new(layer.clone()));
    }
    if let Some(scheme) = &query.scheme {
        condition("f.scheme = ?", Box::new(scheme.clone()));
    }
    if let Some(parent) = &query.parent {
        condition("f.parent = ?", Box::new(tidy_code(parent)));
    }
    if let Some(day) = query.valid_on {
        condition("f.valid_from <= ?", Box::new(day.to_string()));
        condition("(f.valid_to = '' OR f.valid_to > ?)", Box::new(day.to_string()));
    }
    for (name, sought) in &query.properties {
        property_is(name, sought, &mut sql, &mut values);
    }
    if let Some(after) = query.after {
        let _ = write!(sql, " AND f.fid > {after}");
    }
    sql.push_str(" ORDER BY f.fid");
    if let Some(limit) = query.limit {
        let _ = write!(sql, " LIMIT {limit}");
    }
    (sql, values)
}

/// The condition that a property is one of some values, as [`Sought::is`] compares them.
fn property_is(name: &str, sought: &[Sought], sql: &mut String, values: &mut Vec<Box<dyn ToSql>>) {
    let path = format!("$.\"{}\"", name.replace('"', ""));
    sql.push_str(" AND (0");
    let mut or = |condition: &str, value: Box<dyn ToSql>| {
        let _ = write!(sql, " OR ({condition})");
        for _ in 0..condition.matches('?').count() - 1 {
            values.push(Box::new(path.clone()));
        }
        values.push(value);
    };
    for one in sought {
        for spelling in one.spellings() {
            or(
                "json_type(f.properties, ?) = 'text' AND json_extract(f.properties, ?) = ?",
                Box::new(spelling.clone()),
            );
        }
        let number =
            "json_type(f.properties, ?) IN ('integer', 'real') AND json_extract(f.properties, ?) = ?";
        match one.number() {
            Some(Number::Real(real)) => or(number, Box::new(real)),
            Some(Number::Whole(whole)) => match i64::try_from(whole) {
                Ok(whole) => or(number, Box::new(whole)),
                // beyond 2^63 SQLite has doubles alone: digit by digit then
                Err(_) => or("f.properties -> ? = ?", Box::new(whole.to_string())),
            },
            None => {}
        }
        if let Some(flag) = one.flag() {
            or("json_type(f.properties, ?) = ?", Box::new(flag.to_string()));
        }
        if let Some(time) = one.time() {
            or(
                "json_type(f.properties, ?) = 'text' AND json_extract(f.properties, ?) GLOB '[0-9][0-9][0-9][0-9]-*' \
                 AND julianday(json_extract(f.properties, ?)) = julianday(?)",
                Box::new(time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()),
            );
        }
    }
    sql.push(')');
}

/// The features of a query, as the policy shows them.
fn find(
    connection: &Connection,
    query: &FeatureQuery,
    policy: Option<&DisclosurePolicy>,
) -> Result<Vec<Feature>> {
    if asks_private(query, policy) {
        return Ok(Vec::new());
    }
    let mut discloser = Discloser::new(policy);
    let again = discloser.asks_again(query);
    // what does not fit for the public must not count against the limit
    let mut asked = query.clone();
    let limit = if again { asked.limit.take() } else { None };
    let needle = query.text.as_deref().map(fold).unwrap_or_default();
    let (sql, values) = select(&asked, COLUMNS);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut features = Vec::new();
    while limit.is_none_or(|limit| features.len() < limit)
        && let Some(row) = rows.next()?
    {
        let feature = discloser.disclose(decode(row)?);
        if !again || still_fits(&feature, query, &needle) {
            features.push(feature);
        }
    }
    Ok(features)
}

#[async_trait]
impl Features for SqliteStore {
    async fn put_features(&self, features: Vec<Feature>) -> Result<Vec<Put>> {
        if let Some(catalogue) = self.catalogue() {
            return catalogue.put_features(features).await;
        }
        self.writing(move |connection| {
            let mut outcomes = Vec::with_capacity(features.len());
            let (mut touched, mut changed) = (BTreeSet::new(), Vec::new());
            for feature in &features {
                let (outcome, words) = put(connection, feature)?;
                if outcome != Put::Unchanged {
                    touched.insert(feature.layer.as_str());
                }
                changed.extend(words);
                outcomes.push(outcome);
            }
            for layer in touched {
                count(connection, layer)?;
            }
            index(connection, &changed)?;
            Ok(outcomes)
        })
        .await
    }

    async fn delete_features(&self, fids: &[i64]) -> Result<usize> {
        if let Some(catalogue) = self.catalogue() {
            return catalogue.delete_features(fids).await;
        }
        let fids = fids.to_vec();
        self.writing(move |connection| {
            let mut touched = BTreeSet::new();
            let mut changed = Vec::new();
            for fid in fids {
                if let Some((layer, words)) = delete(connection, fid)? {
                    changed.push(words);
                    touched.insert(layer);
                }
            }
            for layer in touched {
                count(connection, &layer)?;
            }
            index(connection, &changed)?;
            Ok(changed.len())
        })
        .await
    }

    async fn layers(&self) -> Result<Vec<Layer>> {
        let mark = self.policy_mark;
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM layer ORDER BY name")?;
            let layers = statement.query_map([], |row| {
                let shape: String = row.get(2)?;
                Ok(Layer {
                    name: row.get(0)?,
                    revision: public_revision(row.get::<_, i64>(1)?.unsigned_abs(), mark),
                    count: row.get::<_, i64>(3)?.unsigned_abs(),
                    shape: match shape.as_str() {
                        "point" => Shape::Point,
                        "line" => Shape::Line,
                        _ => Shape::Polygon,
                    },
                    bounds: Bounds::new(row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?),
                })
            })?;
            Ok(layers.collect::<Result<Vec<_>, _>>()?)
        })
        .await
    }

    async fn features(&self, query: &FeatureQuery) -> Result<Vec<Feature>> {
        let (query, policy) = (query.clone(), self.policy.clone());
        self.reading(move |connection| find(connection, &query, policy.as_deref()))
            .await
    }

    async fn count_features(&self, query: &FeatureQuery) -> Result<u64> {
        let query = FeatureQuery {
            limit: None,
            after: None,
            ..query.clone()
        };
        let policy = self.policy.clone();
        self.reading(move |connection| {
            let policy = policy.as_deref();
            if asks_private(&query, policy) {
                return Ok(0);
            }
            if Discloser::new(policy).asks_again(&query) {
                return Ok(find(connection, &query, policy)?.len() as u64);
            }
            let (sql, values) = select(&query, "1");
            let sql = format!("SELECT count(*) FROM ({sql})");
            let mut statement = connection.prepare_cached(&sql)?;
            let count: i64 = statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    async fn fids(&self, query: &FeatureQuery) -> Result<Vec<i64>> {
        let (query, policy) = (query.clone(), self.policy.clone());
        self.reading(move |connection| {
            let policy = policy.as_deref();
            if asks_private(&query, policy) {
                return Ok(Vec::new());
            }
            if Discloser::new(policy).asks_again(&query) {
                let features = find(connection, &query, policy)?;
                return Ok(features.into_iter().map(|feature| feature.fid).collect());
            }
            let (sql, values) = select(&query, "f.fid");
            let mut statement = connection.prepare_cached(&sql)?;
            let fids = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
            Ok(fids.collect::<Result<Vec<_>, _>>()?)
        })
        .await
    }

    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Feature>> {
        let (text, policy) = (text.to_owned(), self.policy.clone());
        self.reading(move |connection| super::search::search(connection, &text, limit, policy.as_deref()))
            .await
    }

    async fn versions(&self, layer: &str, code: &str) -> Result<Vec<Feature>> {
        let (layer, code, policy) = (layer.to_owned(), code.to_owned(), self.policy.clone());
        self.reading(move |connection| {
            let mut discloser = Discloser::new(policy.as_deref());
            let sql = format!(
                "SELECT {COLUMNS} FROM feature f WHERE f.fid IN (SELECT fid FROM feature WHERE layer = ?1 AND code = ?2
                     UNION ALL SELECT fid FROM other_code WHERE code = ?2)
                 AND +f.layer = ?1  -- the plus keeps SQLite from going through the whole layer by an index on it
                 ORDER BY f.code = ?2 DESC, f.valid_from DESC"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut of = |code: &str| -> Result<Vec<Feature>> {
                let mut rows = statement.query(params![layer, code])?;
                let mut versions = Vec::new();
                while let Some(row) = rows.next()? {
                    let version = discloser.disclose(decode(row)?);
                    if has_code(&version, code) {
                        versions.push(version);
                    }
                }
                Ok(versions)
            };
            // as it is written first: a folder of an earlier version may hold codes that are not tidy
            let found = of(&code)?;
            let tidy = tidy_code(&code);
            if found.is_empty() && tidy != code { of(&tidy) } else { Ok(found) }
        })
        .await
    }
}
