//! Rows in one SQLite file (WAL): one writer connection, a few readers, every query on an index.

use super::{ItemQuery, Store};
use crate::item::Item;
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ToSql, params};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Layout of the file; a newer one is refused rather than misread.
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS item (
    collection TEXT NOT NULL, id TEXT NOT NULL,
    week TEXT NOT NULL,  -- ISO week of the local date, 2026-W34: sorts as text
    start_time TEXT NOT NULL, end_time TEXT NOT NULL,  -- RFC 3339, UTC
    west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL,  -- degrees
    body TEXT NOT NULL,  -- the whole item as JSON
    PRIMARY KEY (collection, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_week ON item (collection, week, start_time, id);
CREATE INDEX IF NOT EXISTS item_start ON item (start_time, collection, id);
CREATE TABLE IF NOT EXISTS revision (number INTEGER NOT NULL);
INSERT INTO revision SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM revision);
";

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl SqliteStore {
    /// Opens the file, creating it and its tables when missing.
    ///
    /// # Errors
    /// [`Error::Store`] when the file cannot be opened, is no database, or was made by a newer version.
    pub fn open(path: &Path) -> Result<Self> {
        let named = |error: rusqlite::Error| Error::Store(format!("{}: {error}", path.display()));
        let writer = Connection::open(path).map_err(named)?;
        writer.busy_timeout(Duration::from_secs(30)).map_err(named)?;
        writer.pragma_update(None, "journal_mode", "WAL").map_err(named)?;
        writer.pragma_update(None, "synchronous", "FULL").map_err(named)?;
        let version: i64 = writer
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(named)?;
        if version > SCHEMA_VERSION {
            return Err(Error::Store(format!(
                "{} was made by a newer version of sen",
                path.display()
            )));
        }
        writer.execute_batch(SCHEMA).map_err(named)?;
        writer
            .pragma_update(None, "user_version", SCHEMA_VERSION)
            .map_err(named)?;
        let inner = Inner {
            path: path.to_path_buf(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|error| Error::Store(format!("the database task ended early: {error}")))?
    }
}

impl Inner {
    /// Runs `work` on a reader of the pool, opening one more when all are busy.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                connection.busy_timeout(Duration::from_secs(10))?;
                connection
            }
        };
        let result = work(&connection);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < 8 {
            readers.push(connection);
        }
        result
    }

    /// Runs `work` in one write transaction that also moves the revision on.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.execute("UPDATE revision SET number = number + 1", [])?;
        transaction.commit()?;
        Ok(result)
    }
}

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
        let _ = write!(sql, " LIMIT {limit}");
    }
    (sql, values)
}

#[async_trait]
impl Store for SqliteStore {
    async fn put_item(&self, item: &Item) -> Result<()> {
        let item = item.clone();
        self.blocking(move |inner| {
            let body = serde_json::to_string(&item)
                .map_err(|error| Error::Invalid(format!("item {} cannot be stored: {error}", item.id)))?;
            let b = item.bbox;
            inner.write(|connection| {
                connection.execute(
                    "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    params![
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
                    ],
                )?;
                Ok(())
            })
        })
        .await
    }

    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool> {
        let key = (collection.to_owned(), id.to_owned());
        self.blocking(move |inner| {
            inner.write(|connection| {
                Ok(
                    connection.execute("DELETE FROM item WHERE collection = ? AND id = ?", [key.0, key.1])?
                        > 0,
                )
            })
        })
        .await
    }

    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>> {
        let key = (collection.to_owned(), id.to_owned());
        self.blocking(move |inner| {
            inner.read(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT body FROM item WHERE collection = ? AND id = ?")?;
                let body: Option<String> =
                    statement.query_row([key.0, key.1], |row| row.get(0)).optional()?;
                body.as_deref().map(decode).transpose()
            })
        })
        .await
    }

    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>> {
        let query = query.clone();
        self.blocking(move |inner| {
            inner.read(|connection| {
                let (sql, values) = select(&query);
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(values))?;
                let mut items = Vec::new();
                while let Some(row) = rows.next()? {
                    items.push(decode(
                        row.get_ref(0)?
                            .as_str()
                            .map_err(|error| Error::Store(error.to_string()))?,
                    )?);
                }
                Ok(items)
            })
        })
        .await
    }

    async fn collections(&self) -> Result<Vec<String>> {
        self.blocking(|inner| {
            inner.read(|connection| {
                // a loose index scan: one seek a collection, however many items it holds
                let mut statement = connection.prepare_cached(
                    "WITH RECURSIVE name(c) AS (SELECT min(collection) FROM item UNION ALL
                     SELECT (SELECT min(collection) FROM item WHERE collection > c) FROM name WHERE c IS NOT NULL)
                     SELECT c FROM name WHERE c IS NOT NULL",
                )?;
                let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
                Ok(names)
            })
        })
        .await
    }

    async fn revision(&self) -> Result<u64> {
        self.blocking(|inner| {
            inner.read(|connection| {
                let number: i64 =
                    connection.query_row("SELECT number FROM revision", [], |row| row.get(0))?;
                Ok(number.unsigned_abs())
            })
        })
        .await
    }
}
