//! How the file is opened: by one who writes, or by one who only reads, from a folder that may not be written at all.

use super::migrations::{SCHEMA_VERSION, version};
use crate::{Error, Result};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the failure says, with the file it happened at.
pub(super) fn named(path: &Path, error: &rusqlite::Error) -> Error {
    Error::Store(format!("{}: {error}", path.display()))
}

/// True when the file is there and cannot be written: a read-only folder, a full or failing disk.
pub(super) fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::PermissionDenied
        )
    )
}

/// How often a writer asks whether another one is done: oftener than SQLite's own handler, which misses the pauses that an import
/// makes for others.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// How long a writer waits for another one.
const MOST_WAIT: Duration = Duration::from_secs(30);

fn wait_for_turn(times_asked: i32) -> bool {
    std::thread::sleep(ASK_EVERY);
    ASK_EVERY * times_asked.unsigned_abs() < MOST_WAIT
}

/// Opens the file for writing, making it where it is missing.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let writer = Connection::open(path)?;
    if writer.is_readonly("main")? {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_READONLY),
            Some("it may not be written".to_owned()),
        ));
    }
    writer.busy_handler(Some(wait_for_turn))?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    Ok(writer)
}

/// Refuses a file of a newer version rather than misread it.
pub(super) fn refuse_newer(connection: &Connection, path: &Path) -> Result<()> {
    let layout = version(connection).map_err(|error| named(path, &error))?;
    if layout > SCHEMA_VERSION {
        return Err(Error::Store(format!(
            "{} was made by a newer version of sen",
            path.display()
        )));
    }
    Ok(())
}

/// Refuses a file of any other version where it is only read: who may write brings an older one to this layout.
fn refuse_other(connection: &Connection, path: &Path) -> Result<()> {
    refuse_newer(connection, path)?;
    let layout = version(connection).map_err(|error| named(path, &error))?;
    if layout < SCHEMA_VERSION {
        return Err(Error::Store(format!(
            "{} was made by an older version of sen (layout {layout}, not {SCHEMA_VERSION}) and is only read here: run `sen \
             --data FOLDER init` where its folder can be written, which brings it up to date and keeps it as it was beside \
             itself",
            path.display()
        )));
    }
    Ok(())
}

/// A reader beside a writer of the same process.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags())?;
    connection.busy_timeout(Duration::from_secs(10))?;
    Ok(connection)
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI
}

/// What changes when somebody else wrote the file: of it and of its journal inode, size and time.
pub(super) type Seen = [Option<(u64, u64, i64, i64)>; 2];

/// See [`Seen`].
pub(super) fn seen(path: &Path) -> Seen {
    let of = |file: Metadata| (file.ino(), file.len(), file.mtime(), file.mtime_nsec());
    [path, &journal(path)].map(|path| fs::metadata(path).ok().map(of))
}

/// True when the newest rows lay in a log.
pub(super) fn has_log([_, log]: &Seen) -> bool {
    log.is_some_and(|(_, size, ..)| size > 0)
}

/// The write-ahead log beside the file.
fn journal(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// A reader of a file that this process does not write. Nothing is made beside it.
///
/// Without a log beside it the file is all there is, and it is read as one that does not change (`immutable`): that needs no
/// locks and no files in the folder. With one, the newest rows lie in the log, and it has to be read as well.
pub(super) fn lone_reader(path: &Path) -> Result<Connection> {
    let size = |path: &Path| fs::metadata(path).map(|file| file.len());
    let own = size(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::damaged(
            path,
            "there is no catalogue; bring it back from a backup, or make a new one with `sen init`",
        ),
        _ => Error::io(path, error),
    })?;
    if own == 0 {
        return Err(Error::damaged(path, "is empty; bring it back from a backup"));
    }
    let log = journal(path);
    let has_log = size(&log).is_ok_and(|size| size > 0);
    let connection = if has_log {
        let refused = |error: rusqlite::Error| {
            Error::Store(format!(
                "{} lies beside the catalogue and cannot be read ({error}): the newest rows are in it. Stop what writes the \
                 catalogue cleanly, which leaves one file, or copy it with `sqlite3 catalog.sqlite \".backup FILE\"`",
                log.display()
            ))
        };
        let connection = reader(path).map_err(|error| named(path, &error))?;
        connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
            .map_err(refused)?;
        connection
    } else {
        let uri = format!("file:{}?immutable=1", escaped(path));
        Connection::open_with_flags(uri, flags()).map_err(|error| named(path, &error))?
    };
    refuse_other(&connection, path)?;
    Ok(connection)
}

/// A path as the path of a URI.
pub(super) fn escaped(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
