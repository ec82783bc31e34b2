//! Items: scenes and weekly rasters.

use super::stage::SqliteStage;
use super::{SqliteStore, disclosed, migrations, objects};
use crate::disclosure::DisclosurePolicy;
use crate::grid::Grid;
use crate::item::Item;
use crate::store::{ItemQuery, Stage, Store};
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS item (
    collection TEXT NOT NULL, id TEXT NOT NULL,
    week TEXT NOT NULL,  -- ISO week of the local date, 2026-W34: sorts as text
    start_time TEXT NOT NULL, end_time TEXT NOT NULL,  -- RFC 3339, UTC
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,  -- degrees
    body TEXT NOT NULL,  -- the whole item as JSON
    PRIMARY KEY (collection, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_week ON item (collection, week, start_time, id);
CREATE INDEX IF NOT EXISTS item_start ON item (start_time, collection, id);
";

fn decode(body: &str) -> Result<Item> {
    serde_json::from_str(body)
        .map_err(|error| Error::Store(format!("a row of the catalogue is damaged: {error}")))
}

fn instant(at: chrono::DateTime<chrono::Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn select(query: &ItemQuery) -> (String, Vec<Box<dyn ToSql>>) {
    let mut sql = String::from("SELECT body FROM item WHERE 1");
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut condition = |text: &str, value: Box<dyn ToSql>| {
        let _ = write!(sql, " AND {text}");
        values.push(value);
    };
    if let Some(collection) = &query.collection {
        condition("collection = ?", Box::new(collection.clone()));
    }
    if let Some(from) = query.from {
        condition("week >= ?", Box::new(from.to_string()));
    }
    if let Some(to) = query.to {
        condition("week <= ?", Box::new(to.to_string()));
    }
    if let Some(bbox) = query.bbox {
        condition("west < ?", Box::new(bbox.east));
        condition("east > ?", Box::new(bbox.west));
        condition("south < ?", Box::new(bbox.north));
        condition("north > ?", Box::new(bbox.south));
    }
    let direction = if query.newest_first { "DESC" } else { "ASC" };
    // within one collection the order by week and start is the order by start, and has an index
    let _ = if query.collection.is_some() {
        write!(
            sql,
            " ORDER BY week {direction}, start_time {direction}, id {direction}"
        )
    } else {
        write!(
            sql,
            " ORDER BY start_time {direction}, collection {direction}, id {direction}"
        )
    };
    if let Some(limit) = query.limit {
        let _ = write!(sql, " LIMIT {limit} OFFSET {}", query.skip);
    }
    (sql, values)
}

/// The item as it is before a change; none where there is none that can be read.
pub(super) fn known_item(
    connection: &Connection,
    collection: &str,
    id: &str,
) -> rusqlite::Result<Option<Item>> {
    let mut statement = connection.prepare_cached("SELECT body FROM item WHERE collection = ? AND id = ?")?;
    let body: Option<String> = statement
        .query_row([collection, id], |row| row.get(0))
        .optional()?;
    Ok(body.and_then(|body| decode(&body).ok()))
}

/// Inserts or replaces the row of an item.
fn put_row(connection: &Connection, item: &Item) -> Result<()> {
    let body = serde_json::to_string(item)
        .map_err(|error| Error::Invalid(format!("item {} cannot be stored: {error}", item.id)))?;
    let b = item.bbox;
    let old = known_item(connection, &item.collection, &item.id)?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            item.collection,
            item.id,
            item.period().to_string(),
            instant(item.interval.start),
            instant(item.interval.end),
            b.west,
            b.south,
            b.east,
            b.north,
            body
        ])?;
    Ok(objects::follow_item(connection, old.as_ref(), Some(item))?)
}

#[async_trait]
impl Store for SqliteStore {
    async fn put_item(&self, item: &Item) -> Result<()> {
        // readers keep what they cached while nothing changes
        if self
            .item(&item.collection, &item.id)
            .await
            .is_ok_and(|known| known.as_ref() == Some(item))
        {
            return Ok(());
        }
        self.put_items(vec![item.clone()]).await
    }

    async fn put_items(&self, items: Vec<Item>) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        self.writing(move |connection| items.iter().try_for_each(|item| put_row(connection, item)))
            .await
    }

    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool> {
        if self.item(collection, id).await.is_ok_and(|known| known.is_none()) {
            return Ok(false);
        }
        let key = [collection.to_owned(), id.to_owned()];
        self.writing(move |connection| {
            // a stage counts no rows that go
            let sql = "SELECT EXISTS (SELECT 1 FROM item WHERE collection = ? AND id = ?)";
            let was_there = connection.query_row(sql, [&key[0], &key[1]], |row| row.get(0))?;
            let old = known_item(connection, &key[0], &key[1])?;
            connection.execute("DELETE FROM item WHERE collection = ? AND id = ?", key)?;
            objects::follow_item(connection, old.as_ref(), None)?;
            Ok(was_there)
        })
        .await
    }

    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>> {
        let key = [collection.to_owned(), id.to_owned()];
        self.reading(move |connection| {
            let mut statement =
                connection.prepare_cached("SELECT body FROM item WHERE collection = ? AND id = ?")?;
            let body: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
            body.as_deref().map(decode).transpose()
        })
        .await
    }

    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>> {
        let query = query.clone();
        self.reading(move |connection| {
            let (sql, values) = select(&query);
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(values))?;
            let mut items = Vec::new();
            while let Some(row) = rows.next()? {
                let body = row.get_ref(0)?.as_str();
                items.push(decode(body.map_err(|error| Error::Store(error.to_string()))?)?);
            }
            Ok(items)
        })
        .await
    }

    async fn collections(&self) -> Result<Vec<String>> {
        self.reading(|connection| {
            // a loose index scan: one seek a collection, however many items it holds
            let mut statement = connection.prepare_cached(
                "WITH RECURSIVE name(c) AS (SELECT min(collection) FROM item UNION ALL
                 SELECT (SELECT min(collection) FROM item WHERE collection > c) FROM name WHERE c IS NOT NULL)
                 SELECT c FROM name WHERE c IS NOT NULL",
            )?;
            let names = statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            Ok(names)
        })
        .await
    }

    async fn revision(&self) -> Result<u64> {
        let mark = self.policy_mark;
        self.reading(move |connection| {
            let number: i64 = connection.query_row("SELECT number FROM revision", [], |row| row.get(0))?;
            Ok(disclosed::public_revision(number.unsigned_abs(), mark))
        })
        .await
    }

    fn disclosed(&self, policy: Arc<DisclosurePolicy>) -> Arc<dyn Store> {
        Arc::new(Self {
            inner: Arc::clone(&self.inner),
            catalogue: None,
            policy_mark: Some(disclosed::policy_mark(&policy)),
            policy: Some(policy),
        })
    }

    async fn rows_digest(&self) -> Result<String> {
        self.reading(super::digest::digest).await
    }

    async fn grid(&self) -> Result<Option<Grid>> {
        super::settings::grid(self).await
    }

    async fn put_grid(&self, grid: &Grid) -> Result<()> {
        super::settings::put_grid(self, grid).await
    }

    async fn damage(&self) -> Result<Vec<String>> {
        super::sums::as_damage(self.reading(super::sums::damage).await)
    }

    async fn open_stage(&self) -> Result<Option<Arc<dyn Stage>>> {
        let catalogue = self.clone();
        let opened = tokio::task::spawn_blocking(move || SqliteStage::open(&catalogue))
            .await
            .map_err(|error| Error::Store(format!("the database task ended early: {error}")))?;
        Ok(opened?.map(|stage| Arc::new(stage) as Arc<dyn Stage>))
    }

    async fn copy_rows(&self, target: &Path) -> Result<()> {
        let target = target.to_owned();
        self.reading(move |connection| migrations::copy(connection, &target))
            .await
    }
}
