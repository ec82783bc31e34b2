//! The stage of a run: rows that steps have written and that readers do not see yet.
//!
//! It is a file beside the catalogue. The run's connection has it open, with the catalogue attached to read; for each table
//! that steps write a `TEMP` view shadows the table's name and shows staged rows before visible ones, and triggers put what is
//! written into the stage. So steps run the SQL that there is, and see what the steps before them have made. One transaction
//! of the catalogue's writer publishes a group: readers see it whole or not at all. All other tables are those of the
//! catalogue, as they are at the moment of the query.
//!
//! What a killed run has staged is taken up by the next one when its basis, the digest of everything it could have read, is
//! the same, and dropped otherwise.

use super::sums::Pending;
use super::{Inner, SqliteStore, Writer, open};
use crate::run::ContentDigest;
use crate::store::{Stage, Store};
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The tables that steps write.
const STAGED_TABLES: &[&str] = &[
    "item",
    "season",
    "calendar",
    "inundation",
    "inundation_measured",
    "calibration",
    "fire_day",
    "forest_change",
    "fire_basis",
    "ledger",
    "object",
];

/// Those of them whose rows nobody reads but runs: they move no revision.
const UNSEEN_TABLES: &[&str] = &[
    "calendar",
    "inundation_measured",
    "fire_basis",
    "ledger",
    "object",
];

/// Follows from the rows of the others and is not published: the catalogue's writer keeps its own.
const DERIVED_TABLE: &str = "digest";

/// What the stage keeps of its own: which group the rows are of and what they could have been made
/// from, and how often they changed.
const OWN_TABLES: &str = "
CREATE TABLE IF NOT EXISTS staged_group (name TEXT NOT NULL, basis BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS staged_change (number INTEGER NOT NULL);
INSERT INTO staged_change SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM staged_change);";

/// A column of a table, and its place in the key.
struct StagedColumn {
    name: String,
    declared: String,
    key: i64,
}

/// The stage file of a catalogue.
fn stage_path(catalogue: &Path) -> PathBuf {
    let mut name = catalogue.as_os_str().to_owned();
    name.push(".stage");
    PathBuf::from(name)
}

/// Takes the stage file away, with its log.
fn remove_stage(stage: &Path) -> Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let mut name = stage.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io(PathBuf::from(name), error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The columns of a table of the catalogue.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<StagedColumn>> {
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_info(?, 'kept')")?;
    let column = |row: &rusqlite::Row<'_>| {
        Ok(StagedColumn {
            name: row.get(0)?,
            declared: row.get(1)?,
            key: row.get(2)?,
        })
    };
    statement.query_map([table], column)?.collect()
}

/// Names with a prefix, between commas.
fn list(names: &[&str], prefix: &str) -> String {
    let all: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    all.join(", ")
}

/// Shadows a table of the catalogue by its staged rows. `digested` is its number among the tables whose rows count in digests.
fn shadow(connection: &Connection, table: &str, digested: Option<usize>) -> rusqlite::Result<()> {
    let all = columns(connection, table)?;
    let names: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
    let mut keys: Vec<&StagedColumn> = all.iter().filter(|column| column.key > 0).collect();
    keys.sort_by_key(|column| column.key);
    let declared: Vec<String> = all
        .iter()
        .map(|column| format!("{} {}", column.name, column.declared))
        .collect();
    let keys: Vec<&str> = keys.iter().map(|column| column.name.as_str()).collect();
    let (declared, key) = (declared.join(", "), keys.join(", "));
    let same = |one: &str, other: &str| {
        let equal: Vec<String> = keys
            .iter()
            .map(|key| format!("{one}.{key} = {other}.{key}"))
            .collect();
        equal.join(" AND ")
    };
    let count = |sign: i64, row: &str, from: &str| {
        digested.map_or_else(String::new, |number| {
            let values = list(&names, row);
            format!("SELECT sen_row({sign}, {number}, {values}){from};")
        })
    };
    let replaced = format!(" FROM {table} AS seen WHERE {}", same("seen", "NEW"));
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS main.staged_{table} ({declared}, PRIMARY KEY ({key})) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS main.staged_{table}_key ({key}, PRIMARY KEY ({key})) WITHOUT ROWID;
         CREATE TEMP VIEW {table} AS SELECT {own} FROM main.staged_{table} UNION ALL SELECT {kept} FROM kept.{table} AS k
            WHERE NOT EXISTS (SELECT 1 FROM main.staged_{table}_key AS g WHERE {is_staged});
         CREATE TEMP TRIGGER staged_{table}_insert INSTEAD OF INSERT ON {table} BEGIN
            {goes}
            INSERT OR REPLACE INTO staged_{table}_key VALUES ({new_key});
            INSERT OR REPLACE INTO staged_{table} VALUES ({new});
            {comes}
         END;
         CREATE TEMP TRIGGER staged_{table}_delete INSTEAD OF DELETE ON {table} BEGIN
            {gone}
            INSERT OR REPLACE INTO staged_{table}_key VALUES ({old_key});
            DELETE FROM staged_{table} WHERE {is_old};
         END;",
        own = list(&names, ""),
        kept = list(&names, "k."),
        is_staged = same("g", "k"),
        goes = count(-1, "seen.", &replaced),
        comes = count(1, "NEW.", ""),
        gone = count(-1, "OLD.", ""),
        new_key = list(&keys, "NEW."),
        old_key = list(&keys, "OLD."),
        new = list(&names, "NEW."),
        is_old = same(&format!("staged_{table}"), "OLD"),
    ))
}

/// Opens the stage with the catalogue attached.
fn connect(catalogue: &Path, stage: &Path) -> Result<(Connection, Pending)> {
    let at_stage = |error: rusqlite::Error| open::named(stage, &error);
    let connection = Connection::open(stage).map_err(at_stage)?;
    let kept = format!("file:{}?mode=ro", open::escaped(catalogue));
    let set_up = || -> rusqlite::Result<Pending> {
        connection.busy_timeout(Duration::from_secs(30))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute("ATTACH ? AS kept", [kept])?;
        connection.execute_batch(OWN_TABLES)?;
        let pending = Pending::of_stage(&connection, STAGED_TABLES)?;
        for (number, table) in STAGED_TABLES.iter().enumerate() {
            shadow(&connection, table, Some(number))?;
        }
        shadow(&connection, DERIVED_TABLE, None)?;
        connection.execute_batch(
            "CREATE TEMP VIEW revision AS
                SELECT k.number + c.number AS number FROM kept.revision AS k, main.staged_change AS c;
             CREATE TEMP TRIGGER staged_revision INSTEAD OF UPDATE ON revision BEGIN
                UPDATE staged_change SET number = number + 1;
             END;",
        )?;
        Ok(pending)
    };
    let pending = set_up().map_err(at_stage)?;
    Ok((connection, pending))
}

/// True when a table of the stage holds anything.
fn has_rows(connection: &Connection, schema: &str, table: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM {schema}.staged_{table}_key)");
    connection.query_row(&sql, [], |row| row.get(0))
}

/// Takes all rows out of the stage.
fn empty(connection: &Connection) -> rusqlite::Result<()> {
    for table in STAGED_TABLES.iter().chain([&DERIVED_TABLE]) {
        connection.execute_batch(&format!(
            "DELETE FROM main.staged_{table}; DELETE FROM main.staged_{table}_key;"
        ))?;
    }
    connection.execute("DELETE FROM main.staged_group", [])?;
    Ok(())
}

/// Puts the staged rows in the place of the visible ones; in a transaction of the catalogue, with the stage attached.
fn take_over(connection: &Connection) -> rusqlite::Result<()> {
    let mut is_seen = false;
    for table in STAGED_TABLES {
        if !has_rows(connection, "stage", table)? {
            continue;
        }
        is_seen |= !UNSEEN_TABLES.contains(table);
        let key = {
            let mut statement = connection
                .prepare("SELECT name FROM pragma_table_info(?, 'main') WHERE pk > 0 ORDER BY pk")?;
            let names: Vec<String> = statement
                .query_map([table], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            names.join(", ")
        };
        connection.execute_batch(&format!(
            "DELETE FROM main.{table} WHERE ({key}) IN (SELECT {key} FROM stage.staged_{table}_key);
             INSERT INTO main.{table} SELECT * FROM stage.staged_{table};"
        ))?;
    }
    if is_seen {
        connection.execute("UPDATE revision SET number = number + 1", [])?;
    }
    Ok(())
}

/// A run's view of a catalogue in a file.
#[derive(Debug)]
pub(super) struct SqliteStage {
    rows: SqliteStore,
    catalogue: Arc<Inner>,
    stage: PathBuf,
}

impl SqliteStage {
    /// Opens the stage of a catalogue, with what a killed run has left; none for one in memory, which nobody else reads.
    pub(super) fn open(catalogue: &SqliteStore) -> Result<Option<Self>> {
        let Some(path) = catalogue.inner.path.clone() else {
            return Ok(None);
        };
        let stage = stage_path(&path);
        let (connection, pending) = connect(&path, &stage).or_else(|error| {
            // a stage that cannot be read is begun anew: nothing that was published is in it
            tracing::debug!(%error, "the stage of a run is begun anew");
            remove_stage(&stage)?;
            connect(&path, &stage)
        })?;
        let rows = SqliteStore {
            catalogue: Some(Arc::clone(&catalogue.inner)),
            ..SqliteStore::over(Inner {
                path: None,
                writer: Mutex::new(Writer::Open { connection, pending }),
                readers: Mutex::default(),
                batches: tokio::sync::Mutex::default(),
            })
        };
        Ok(Some(Self {
            rows,
            catalogue: Arc::clone(&catalogue.inner),
            stage,
        }))
    }

    /// One transaction of the stage's own tables.
    async fn write(&self, work: impl FnOnce(&Connection) -> Result<()> + Send + 'static) -> Result<()> {
        self.rows.blocking(move |inner| inner.write(work)).await
    }
}

#[async_trait]
impl Stage for SqliteStage {
    fn rows(&self) -> Arc<dyn Store> {
        Arc::new(self.rows.clone())
    }

    async fn staged_group(&self) -> Result<Option<(String, ContentDigest)>> {
        let group = self.rows.reading(|connection| {
            let sql = "SELECT name, basis FROM staged_group";
            let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, ContentDigest::from_bytes(row.get(1)?)));
            Ok(connection.query_row(sql, [], row).optional()?)
        });
        group.await
    }

    async fn begin_group(&self, name: &str, basis: ContentDigest) -> Result<()> {
        let (name, basis) = (name.to_owned(), basis.to_bytes());
        self.write(move |connection| {
            empty(connection)?;
            connection.execute(
                "INSERT INTO main.staged_group VALUES (?, ?)",
                params![name, basis],
            )?;
            Ok(())
        })
        .await
    }

    async fn drop_group(&self) -> Result<()> {
        self.write(|connection| Ok(empty(connection)?)).await
    }

    async fn publish_group(&self) -> Result<()> {
        let (catalogue, stage) = (Arc::clone(&self.catalogue), self.stage.clone());
        self.rows
            .blocking(move |rows| {
                let is_empty = rows.read(|connection| {
                    let mut tables = STAGED_TABLES.iter();
                    let found = tables.find_map(|table| match has_rows(connection, "main", table) {
                        Ok(false) => None,
                        other => Some(other),
                    });
                    Ok(!found.unwrap_or(Ok(false))?)
                })?;
                if !is_empty {
                    catalogue.write_beside(&stage, "stage", |connection| Ok(take_over(connection)?))?;
                }
                rows.write(|connection| Ok(empty(connection)?))
            })
            .await
    }

    async fn close_stage(self: Arc<Self>) -> Result<()> {
        let stage = self.stage.clone();
        drop(self);
        tokio::task::spawn_blocking(move || remove_stage(&stage))
            .await
            .map_err(|error| Error::Store(format!("the database task ended early: {error}")))?
    }
}
