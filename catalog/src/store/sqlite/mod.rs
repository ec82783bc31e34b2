//! One SQLite file (WAL): one writer connection, a few readers, every query on an index. A noun a file.

mod admin;
mod calibrations;
mod digest;
mod features;
mod fields;
mod fires;
mod inundations;
mod items;
mod keys;
mod neighbours;
mod observations;
mod search;
mod seasons;
mod stations;

use crate::{Error, Result};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Layout of the file; a newer one is refused rather than misread.
const SCHEMA_VERSION: i64 = 1;

/// The tables, by noun.
const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS revision (number INTEGER NOT NULL);
     INSERT INTO revision SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM revision);",
    items::SCHEMA,
    features::SCHEMA,
    seasons::SCHEMA,
    inundations::SCHEMA,
    calibrations::SCHEMA,
    fires::SCHEMA,
    observations::SCHEMA,
    fields::SCHEMA,
    stations::SCHEMA,
    admin::SCHEMA,
    keys::SCHEMA,
];

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// None: in memory, where the writer answers for the readers too.
    path: Option<PathBuf>,
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
        Self::with(writer, Some(path.to_path_buf())).map_err(named)
    }

    /// An empty store that lives as long as the value: for tests and short-lived catalogues.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::with(Connection::open_in_memory()?, None)?)
    }

    fn with(writer: Connection, path: Option<PathBuf>) -> rusqlite::Result<Self> {
        for tables in SCHEMA {
            writer.execute_batch(tables)?;
        }
        writer.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        Ok(Self(Arc::new(Inner {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        })))
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

    /// Runs `work` on a reader, off the reactor.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(move |inner| inner.read(work)).await
    }

    /// Runs `work` in one write transaction that also moves the revision on, off the reactor.
    async fn writing<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(move |inner| {
            inner.write(|connection| {
                let result = work(connection)?;
                connection.execute("UPDATE revision SET number = number + 1", [])?;
                Ok(result)
            })
        })
        .await
    }
}

impl Inner {
    /// Runs `work` on a reader of the pool, opening one more when all are busy.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let Some(path) = &self.path else {
            return work(&self.writer.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = if let Some(connection) = pooled {
            connection
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            connection
        };
        let result = work(&connection);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < 8 {
            readers.push(connection);
        }
        result
    }

    /// Runs `work` in one write transaction.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }
}
