//! Files of other layouts: brought to this one, kept as they were, or refused with words.

use super::SqliteStore;
use super::migrations::SCHEMA_VERSION;
use super::tests::filled;
use crate::run::DatasetDigests;
use crate::store::{Access, Ledger, Store, open_for};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// Makes a file one of layout 1, from before there were sums and the table of settings.
fn make_older(path: &Path) {
    let hand = Connection::open(path).expect("opens");
    hand.execute_batch(
        "DROP TABLE digest; DROP TABLE ledger; DROP TABLE object; DROP TABLE content_sum; DROP TABLE setting; PRAGMA user_version = 1",
    )
    .expect("as it was");
}

fn layout(path: &Path) -> i64 {
    let hand = Connection::open(path).expect("opens");
    hand.pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a number")
}

async fn digests(path: &Path) -> DatasetDigests {
    let store = SqliteStore::open_read_only(path).expect("opens");
    let damage = store.damage().await.expect("read");
    assert!(damage.is_empty(), "{damage:?}");
    store.digests().await.expect("read")
}

#[tokio::test]
async fn an_older_file_is_kept_and_gets_its_digests_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let whole = digests(&path).await;
    make_older(&path);
    let rows = fs::read(&path).expect("read");

    let refused = SqliteStore::open_read_only(&path).expect_err("older").to_string();
    assert!(
        refused.contains("older version") && refused.contains("init"),
        "{refused}"
    );
    assert_eq!(fs::read(&path).expect("read"), rows, "nothing was changed");

    drop(SqliteStore::open(&path).expect("opens"));
    assert_eq!(layout(&path), SCHEMA_VERSION);
    let now = digests(&path).await;
    let gone = whole.iter().filter(|(unit, sum)| now.unit(unit) != Some(*sum));
    let gone: Vec<String> = gone.map(|(unit, _)| unit.to_string()).collect();
    assert_eq!(
        gone,
        ["setting/grid"],
        "the table that an older file did not have"
    );
    assert_eq!(now.iter().count(), whole.iter().count() - 1);

    let kept = folder.path().join("catalog.sqlite.before-2");
    assert_eq!(layout(&kept), 1);
    let count = |path: &Path| -> i64 {
        let hand = Connection::open(path).expect("opens");
        hand.query_row("SELECT count(*) + sum(time) FROM observation", [], |row| {
            row.get(0)
        })
        .expect("rows")
    };
    assert_eq!(count(&kept), count(&path));
    let files = fs::read_dir(folder.path()).expect("listed").count();
    assert_eq!(files, 2, "the file and the one it was");
    // what was kept is a catalogue that opens
    fs::rename(&kept, &path).expect("put back");
    drop(SqliteStore::open(&path).expect("opens"));
    assert_eq!(digests(&path).await, now);
}

#[tokio::test]
async fn a_row_that_was_damaged_before_is_still_told_afterwards() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let hand = Connection::open(&path).expect("opens");
    hand.execute_batch(
        "DROP TABLE digest; DROP TABLE ledger; DROP TABLE object;
         DELETE FROM content_sum WHERE name IN ('digest', 'ledger', 'object', 'sqlite_schema');
         UPDATE feature SET name = 'x' WHERE fid = 1; PRAGMA user_version = 1",
    )
    .expect("as it was");
    drop(hand);
    let store = SqliteStore::open(&path).expect("opens");
    let damage = store.damage().await.expect("read");
    assert!(damage.len() == 1 && damage[0].contains("`feature`"), "{damage:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_kept_is_left_alone_and_the_next_try_goes_through() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    make_older(&path);
    let temporary = folder.path().join("catalog.sqlite.before-2.tmp");
    fs::create_dir(&temporary).expect("in the way");
    let said = SqliteStore::open(&path)
        .expect_err("no room for the copy")
        .to_string();
    assert!(said.contains("before-2"), "{said}");
    assert_eq!(layout(&path), 1);
    fs::remove_dir(&temporary).expect("out of the way");
    // as a killed run leaves it
    fs::write(&temporary, "half of a copy").expect("left behind");
    drop(SqliteStore::open(&path).expect("opens"));
    assert!(!temporary.exists());
    assert!(digests(&path).await.iter().count() > 5);
}

#[tokio::test]
async fn a_newer_file_is_refused_and_an_older_one_waits_for_who_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    make_older(&path);
    let open = |access| open_for("catalog.sqlite", folder.path(), access).map(drop);
    let lock = fs::File::create(folder.path().join("write.lock")).expect("made");
    lock.lock().expect("taken");
    for access in [Access::Write, Access::WriteOrRead] {
        let said = open(access).expect_err("somebody writes").to_string();
        assert!(said.contains("another sen is writing"), "{said}");
    }
    assert_eq!(layout(&path), 1);
    drop(lock);
    open(Access::WriteOrRead).expect("opens");
    assert_eq!(layout(&path), SCHEMA_VERSION);

    let hand = Connection::open(&path).expect("opens");
    hand.pragma_update(None, "user_version", 99).expect("newer");
    drop(hand);
    for access in [Access::Write, Access::WriteOrRead, Access::Read] {
        let said = open(access).expect_err("newer").to_string();
        assert!(said.contains("made by a newer version of sen"), "{said}");
    }
}
