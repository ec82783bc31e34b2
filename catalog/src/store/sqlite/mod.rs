//! One SQLite file (WAL): one writer connection, a few readers, every query on an index. A noun a file.

mod admin;
mod batch_migration;
mod batches;
mod calibrations;
mod content_names;
mod dataset_digests;
mod digest;
mod disclosed;
mod feature_rows;
mod features;
mod fields;
mod fires;
mod flood_split;
mod interrupt;
mod inundations;
mod items;
mod keys;
mod layer_counts;
mod ledger;
#[cfg(test)]
mod migration_tests;
mod migrations;
mod neighbours;
mod objects;
mod observations;
mod open;
mod row_digests;
mod search;
mod seasons;
mod settings;
mod stage;
#[cfg(test)]
mod stage_tests;
mod stations;
mod sums;
#[cfg(test)]
mod tests;
mod withdrawals;

use crate::disclosure::DisclosurePolicy;
use crate::{Error, Result};
pub use migrations::SCHEMA_VERSION as CATALOGUE_LAYOUT;
use open::{Seen, is_unwritable, named};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use sums::Pending;

/// The tables of layout 1, by noun; what came later is in [`migrations`].
const FIRST_TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS revision (number INTEGER NOT NULL);
     INSERT INTO revision SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM revision);",
    items::SCHEMA,
    feature_rows::SCHEMA,
    seasons::SCHEMA,
    inundations::SCHEMA,
    calibrations::SCHEMA,
    fires::SCHEMA,
    observations::SCHEMA,
    fields::SCHEMA,
    stations::SCHEMA,
    admin::SCHEMA,
    keys::SCHEMA,
    settings::SCHEMA,
    sums::SCHEMA,
];

/// The embedded store.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    inner: Arc<Inner>,
    /// What rows are written to that steps do not stage; none: `inner`.
    catalogue: Option<Arc<Inner>>,
    /// What the public may see of features; none: everything, for those inside.
    policy: Option<Arc<DisclosurePolicy>>,
    /// What marks the revisions of that policy.
    policy_mark: Option<u64>,
}

#[derive(Debug)]
struct Inner {
    /// None: in memory, where the writer answers for the readers too.
    path: Option<PathBuf>,
    writer: Mutex<Writer>,
    readers: Mutex<Readers>,
    /// Held while a batch is filled: one at a time.
    batches: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum Writer {
    Open {
        connection: Connection,
        /// Rows changed by the transaction under way.
        pending: Pending,
    },
    /// The file is only read; why.
    None(String),
}

#[derive(Debug, Default)]
struct Readers {
    idle: Vec<Connection>,
    /// Where this process does not write: the files as they were when the readers were opened.
    alone: Option<Seen>,
}

impl SqliteStore {
    /// Opens the file, creating it and its tables when missing.
    ///
    /// # Errors
    /// [`Error::Store`] when the file cannot be opened, is no database, or was made by a newer version.
    pub fn open(path: &Path) -> Result<Self> {
        Self::writing_to(path)?.map_err(|error| named(path, &error))
    }

    /// Opens the file like [`SqliteStore::open`]; where the folder cannot be written (a replica, a full or failing disk) it is
    /// only read, and whatever would write is an error that says so.
    ///
    /// # Errors
    /// [`Error::Store`] when it cannot be read either.
    pub fn open_or_read(path: &Path) -> Result<Self> {
        match Self::writing_to(path)? {
            Ok(store) => Ok(store),
            Err(error) if is_unwritable(&error) && path.exists() => {
                tracing::warn!(%error, path = %path.display(), "the catalogue is only read");
                Self::reading_from(path, &error.to_string())
            }
            Err(error) => Err(named(path, &error)),
        }
    }

    /// Opens the file to read it; nothing is made or changed.
    ///
    /// # Errors
    /// [`Error::Io`] when there is none, [`Error::Damaged`] when it is empty, [`Error::Store`] when it cannot be read.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        Self::reading_from(path, "it was opened for reading")
    }

    /// True when the file is there and of an older layout.
    pub(super) fn is_older(path: &Path) -> bool {
        let layout = path.exists().then(|| open::reader(path)).and_then(|reader| {
            let version = reader.and_then(|reader| migrations::version(&reader));
            version.ok()
        });
        layout.is_some_and(|layout| (1..migrations::SCHEMA_VERSION).contains(&layout))
    }

    /// An empty store that lives as long as the value: for tests and short-lived catalogues.
    pub fn in_memory() -> Result<Self> {
        Ok(Self::with(Connection::open_in_memory()?, None)??)
    }

    fn writing_to(path: &Path) -> Result<rusqlite::Result<Self>> {
        let writer = match open::writer(path) {
            Ok(writer) => writer,
            Err(error) => return Ok(Err(error)),
        };
        open::refuse_newer(&writer, path)?;
        Self::with(writer, Some(path.to_path_buf()))
    }

    fn with(mut connection: Connection, path: Option<PathBuf>) -> Result<rusqlite::Result<Self>> {
        migrations::migrate(&mut connection, path.as_deref())?;
        let followed = sums::follow(&mut connection);
        Ok(followed.map(|pending| {
            Self::over(Inner {
                path,
                writer: Mutex::new(Writer::Open { connection, pending }),
                readers: Mutex::default(),
                batches: tokio::sync::Mutex::default(),
            })
        }))
    }

    fn over(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
            catalogue: None,
            policy: None,
            policy_mark: None,
        }
    }

    /// Of a stage the catalogue that it lies before.
    fn catalogue(&self) -> Option<Self> {
        let inner = self.catalogue.clone()?;
        Some(Self {
            inner,
            catalogue: None,
            policy: None,
            policy_mark: None,
        })
    }

    fn reading_from(path: &Path, why: &str) -> Result<Self> {
        let seen = open::seen(path);
        let reader = open::lone_reader(path)?;
        Ok(Self::over(Inner {
            path: Some(path.to_path_buf()),
            writer: Mutex::new(Writer::None(why.to_owned())),
            readers: Mutex::new(Readers {
                idle: vec![reader],
                alone: Some(seen),
            }),
            batches: tokio::sync::Mutex::default(),
        }))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(|error| Error::Store(format!("the database task ended early: {error}")))?
    }

    /// Runs `work` on a reader, off the reactor; its queries are interrupted when nobody waits any more.
    async fn reading<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (_waiting, query) = interrupt::query();
        let nobody = || Err(Error::Store("nobody waits for this query any more".into()));
        let asked = move |connection: &Connection| query.run(connection, work).unwrap_or_else(nobody);
        self.blocking(move |inner| inner.read(asked)).await
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
            return match &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
                Writer::Open { connection, .. } => work(connection),
                Writer::None(why) => Err(Error::Store(why.clone())),
            };
        };
        let (pooled, alone) = {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.alone.is_some() {
                let now = open::seen(path);
                if readers.alone != Some(now) {
                    // somebody else wrote, or put another file in its place
                    readers.idle.clear();
                    readers.alone = Some(now);
                }
            }
            (readers.idle.pop(), readers.alone)
        };
        let connection = match (pooled, alone) {
            (Some(connection), _) => connection,
            (None, Some(_)) => open::lone_reader(path)?,
            (None, None) => open::reader(path).map_err(|error| named(path, &error))?,
        };
        let result = work(&connection);
        if alone.is_some_and(|then| then != open::seen(path) && !open::has_log(&then)) {
            // read as a file that does not change, and it did: what was read may be of two states
            return Err(Error::Store(format!(
                "{} was changed while it was read; try again",
                path.display()
            )));
        }
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.idle.len() < 8 && readers.alone == alone {
            readers.idle.push(connection);
        }
        result
    }

    /// Runs `work` in one write transaction.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.with_writer(|connection, pending| transact(connection, pending, work))
    }

    /// Runs `work` in one write transaction, with another file attached to read under the name.
    fn write_beside<T>(
        &self,
        other: &Path,
        name: &str,
        work: impl FnOnce(&Connection) -> Result<T>,
    ) -> Result<T> {
        let address = format!("file:{}?mode=ro", open::escaped(other));
        self.with_writer(|connection, pending| {
            connection.execute(&format!("ATTACH ? AS {name}"), [address])?;
            let result = transact(connection, pending, work);
            // statements that were kept hold the file open
            connection.flush_prepared_statement_cache();
            connection.execute_batch(&format!("DETACH {name}"))?;
            result
        })
    }

    fn with_writer<T>(&self, work: impl FnOnce(&mut Connection, &Pending) -> Result<T>) -> Result<T> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *writer {
            Writer::Open { connection, pending } => work(connection, pending),
            Writer::None(why) => Err(Error::Store(format!("it cannot be written: {why}"))),
        }
    }
}

/// Runs `work` in one write transaction and enters what it changed into the sums.
fn transact<T>(
    connection: &mut Connection,
    pending: &Pending,
    work: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    pending.forget();
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let result = work(&transaction)?;
    pending.settle(&transaction)?;
    transaction.commit()?;
    Ok(result)
}

impl Drop for Inner {
    /// Readers first: the last connection that closes puts the log into the file and removes it, and only one that may write
    /// can. So a clean stop leaves one file.
    fn drop(&mut self) {
        let readers = self.readers.get_mut().unwrap_or_else(PoisonError::into_inner);
        readers.idle.clear();
        if let Writer::Open { connection, .. } = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner)
            && let Err(error) = sums::finish(connection)
        {
            tracing::debug!(%error, "the word index was not added up");
        }
    }
}
