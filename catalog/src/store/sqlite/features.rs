//! Features: zones, stations, lines. The box index is an R*-tree, the text index FTS5 with trigrams.

use super::SqliteStore;
use super::disclosed::{Discloser, asks_private, has_code, public_revision, still_fits};
use super::feature_rows::{COLUMNS, decode};
use crate::disclosure::DisclosurePolicy;
use crate::feature::{Feature, Layer, Number, Shape, Sought, fold, tidy_code};
use crate::grid::Bounds;
use crate::store::{FeatureQuery, Features, Put};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use rusqlite::{Connection, ToSql, params};
use std::fmt::Write;

pub(super) fn damaged(what: impl std::fmt::Display) -> Error {
    Error::Store(format!("a feature of the catalogue is damaged: {what}"))
}

pub(super) fn date(text: &str) -> Result<Option<NaiveDate>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(damaged)
}

pub(super) fn text(date: Option<NaiveDate>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// SQL and values of a query.
fn select(query: &FeatureQuery, columns: &str) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = format!("SELECT {columns} FROM seen_feature f");
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let needle = query
        .text
        .as_deref()
        .map(fold)
        .filter(|needle| !needle.is_empty());
    // trigrams need three letters; shorter texts are few enough to look for in the rows themselves
    let indexed = needle.as_ref().filter(|needle| needle.chars().count() >= 3);
    if let Some(needle) = indexed {
        sql.push_str(" JOIN feature_text t ON t.rowid = f.row_number AND t.search MATCH ?");
        values.push(Box::new(format!("\"{needle}\"")));
    }
    if let Some(b) = query.bbox {
        sql.push_str(
            " JOIN feature_box b ON b.row_number = f.row_number AND b.west <= ? AND b.east >= ? AND b.south <= ? AND b.north >= ?",
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
    // a text and a box find few rows of their own; the plus keeps SQLite from going through the whole layer by an index on it
    let finds_rows = (indexed.is_some() || query.bbox.is_some()) && query.parent.is_none();
    if let Some(layer) = &query.layer {
        let condition_text = if finds_rows { "+f.layer = ?" } else { "f.layer = ?" };
        condition(condition_text, Box::new(layer.clone()));
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
    async fn change_features(&self, features: Vec<Feature>, gone: &[i64]) -> Result<(Vec<Put>, usize)> {
        if let Some(catalogue) = self.catalogue() {
            return catalogue.change_features(features, gone).await;
        }
        self.change(features, gone.to_vec()).await
    }

    async fn finish_batches(&self) -> Result<()> {
        if let Some(catalogue) = self.catalogue() {
            return catalogue.finish_batches().await;
        }
        self.finish_own_batches().await
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
                "SELECT {COLUMNS} FROM seen_feature f
                 WHERE f.row_number IN (SELECT row_number FROM feature WHERE layer = ?1 AND code = ?2
                     UNION ALL SELECT row_number FROM other_code WHERE code = ?2)
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
