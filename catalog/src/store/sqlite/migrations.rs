//! The numbered layouts of the file. A step brings it from one to the next in one transaction, so that it may be killed and
//! run again; before the first the file is kept beside itself as it was.
//!
//! A step that changes rows of a table that was there takes the table's row out of `content_sum`: it is added up again at the
//! step's end. Tables that it leaves alone keep their sums, so that damage from before stays seen.

use super::batch_migration::add_feature_batches;
use super::content_names::name_objects;
use super::flood_split::split_floods;
use super::open::{named, reader};
use super::{dataset_digests, ledger, sums, withdrawals};
use crate::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Changes rows, and links files in the data folder (none in memory) to their new names.
type Migration = fn(&Connection, Option<&Path>) -> Result<()>;

/// What brings a file of the layout of its place to the next one.
const MIGRATIONS: &[Migration] = &[
    first_tables,
    add_digests_and_ledger,
    split_floods,
    name_objects,
    add_feature_batches,
    withdrawals::add_withdrawals,
];

/// The layout of the catalogue that this program reads and writes.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Layout 1.
fn first_tables(connection: &Connection, _: Option<&Path>) -> Result<()> {
    let mut tables = super::FIRST_TABLES.iter();
    Ok(tables.try_for_each(|tables| connection.execute_batch(tables))?)
}

/// Layout 2: the digests of datasets, and the ledger.
fn add_digests_and_ledger(connection: &Connection, folder: Option<&Path>) -> Result<()> {
    // layout 1 grew by some tables under its number
    first_tables(connection, folder)?;
    connection.execute_batch(dataset_digests::SCHEMA)?;
    connection.execute_batch(ledger::SCHEMA)?;
    Ok(dataset_digests::make(connection)?)
}

/// The layout of a file; 0 of an empty one.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the file to the layout of this program; `path` is none in memory.
///
/// # Errors
/// [`Error::Store`] and [`Error::Io`] when a copy cannot be kept or a step fails; nothing is changed then but by the steps before.
pub(super) fn migrate(connection: &mut Connection, path: Option<&Path>) -> Result<()> {
    let stopped = |error: Error| match path {
        Some(path) => Error::Store(format!(
            "{}: its layout, of an older version of sen, could not be brought to that of this one ({error}); it is as it was. \
             Make room or make the folder writable, and run the same command again",
            path.display()
        )),
        None => error,
    };
    let failed = |error: rusqlite::Error| stopped(error.into());
    let folder = path.and_then(Path::parent);
    let mut is_kept = false;
    // asked without a lock first: a file of this layout needs none
    while version(connection).map_err(failed)? < SCHEMA_VERSION {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let from = version(&transaction).map_err(failed)?;
        let Some(migration) = MIGRATIONS.get(from.unsigned_abs() as usize) else {
            continue;
        };
        // a new file has nothing to keep
        if let Some(path) = path.filter(|_| from > 0 && !is_kept) {
            keep(path, from + 1)?;
        }
        is_kept = true;
        migration(&transaction, folder).map_err(stopped)?;
        sums::add_up_new(&transaction)
            .and_then(|()| transaction.pragma_update(None, "user_version", from + 1))
            .and_then(|()| transaction.commit())
            .map_err(failed)?;
    }
    Ok(())
}

/// Keeps the file as `catalog.sqlite.before-N`, whole or not at all; nobody else can write it meanwhile.
fn keep(path: &Path, version: i64) -> Result<()> {
    let kept = beside(path, &format!(".before-{version}"));
    let temporary = beside(path, &format!(".before-{version}.tmp"));
    tracing::info!(kept = %kept.display(), "the catalogue is brought to a newer layout; it is kept as it was");
    let rows = reader(path).map_err(|error| named(path, &error))?;
    copy(&rows, &temporary)?;
    fs::rename(&temporary, &kept).map_err(|error| Error::io(&kept, error))?;
    sync_folder(&kept)
}

/// A name beside a file.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Brings to the disk what was done in a file's folder.
fn sync_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| Error::io(folder, error))
}

/// Writes the rows as they are at one moment into a file of their own, to the disk; what lies there goes.
pub(super) fn copy(rows: &Connection, target: &Path) -> Result<()> {
    match fs::remove_file(target) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(target, error)),
        _ => {}
    }
    let name = target
        .to_str()
        .ok_or_else(|| Error::Invalid(format!("{}: SQLite takes names in UTF-8 alone", target.display())))?;
    rows.execute("VACUUM INTO ?", [name]).map_err(|error| {
        Error::Store(format!(
            "the rows cannot be copied to {}: {error}",
            target.display()
        ))
    })?;
    File::open(target)
        .and_then(|file| file.sync_all())
        .map_err(|error| Error::io(target, error))
}
