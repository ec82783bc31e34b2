//! The file as it may be found: flipped, only to be read, replaced, beside a log that cannot be read.

use super::SqliteStore;
use crate::store::conformance::{self, weekly_item};
use crate::store::{ItemQuery, Ledger, Store};
use rusqlite::Connection;
use std::fmt::Write;
use std::path::Path;

/// A store with rows in every table that a damaged page could hold, closed again.
pub(super) async fn filled(path: &Path) {
    let store = SqliteStore::open(path).expect("opens");
    conformance::features(&store).await;
    conformance::seasons(&store).await;
    conformance::calibrations(&store).await;
    conformance::observations(&store).await;
    for week in ["2026-W33", "2026-W34"] {
        let item = weekly_item("ndvi", week.parse().expect("a week"));
        store.put_item(&item).await.expect("put");
        store.put_grid(&item.grid).await.expect("put");
    }
}

/// Everything that SQL sees of a file, or that it is not sound.
fn dump(path: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open(path)?;
    let mut text = String::new();
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    let names: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_schema WHERE rootpage > 0 AND type = 'table' ORDER BY name")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let queries = names.iter().map(|name| format!("SELECT * FROM \"{name}\""));
    for sql in queries.chain(["SELECT type, name, tbl_name, sql FROM sqlite_schema".to_owned()]) {
        let mut statement = connection.prepare(&sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                let _ = write!(text, "{:?} ", row.get_ref(column)?);
            }
        }
    }
    Ok(sound + &text)
}

#[tokio::test]
async fn no_flipped_bit_changes_what_is_read_without_being_told() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let whole = std::fs::read(&path).expect("one file");
    let sound = dump(&path).expect("sound");
    let damage = SqliteStore::open_read_only(&path)
        .expect("opens")
        .damage()
        .await
        .expect("read");
    assert!(damage.is_empty(), "{damage:?}");
    let (mut told, mut harmless) = (0, 0);
    // past the header, at steps that hit every page at other places
    for (count, at) in (100..whole.len()).step_by(331).enumerate() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (count % 8);
        std::fs::write(&path, &bytes).expect("flipped");
        let damage = match SqliteStore::open_read_only(&path) {
            Ok(store) => store.damage().await.expect("read"),
            Err(error) => vec![error.to_string()],
        };
        if damage.is_empty() {
            assert!(dump(&path).is_ok_and(|now| now == sound), "byte {at} is not told");
            harmless += 1;
        } else {
            told += 1;
        }
    }
    // most of a small file is room between rows
    assert!(told > 50, "{told} flips told, {harmless} harmless");
}

#[tokio::test]
async fn a_row_changed_by_another_hand_is_told_with_its_table() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let hand = Connection::open(&path).expect("opens");
    hand.execute_batch(
        "UPDATE feature SET name = 'x' WHERE fid = 1; DELETE FROM item WHERE id = 'ndvi_2026-W33'",
    )
    .expect("changed");
    drop(hand);
    let store = SqliteStore::open_read_only(&path).expect("opens");
    let damage = store.damage().await.expect("read").join("\n");
    assert!(
        damage.contains("`feature` are not as they were written"),
        "{damage}"
    );
    assert!(damage.contains("`item` are 1 where 2 were written"), "{damage}");
}

#[tokio::test]
async fn a_file_is_read_without_making_anything_and_opened_anew_when_it_was_replaced() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, other) = (
        folder.path().join("catalog.sqlite"),
        folder.path().join("other.sqlite"),
    );
    filled(&path).await;
    let reader = SqliteStore::open_read_only(&path).expect("opens");
    let weeks = async || reader.items(&ItemQuery::default()).await.map(|items| items.len());
    assert_eq!(weeks().await.expect("read"), 2);
    let item = weekly_item("ndvi", "2026-W35".parse().expect("a week"));
    let refused = reader.put_item(&item).await.expect_err("read only").to_string();
    assert!(refused.contains("cannot be written"), "{refused}");
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("listed").count(),
        1,
        "nothing was made"
    );
    // a newer copy in its place, as a replica gets it
    std::fs::copy(&path, &other).expect("copied");
    SqliteStore::open(&other)
        .expect("opens")
        .put_item(&item)
        .await
        .expect("put");
    std::fs::rename(&other, &path).expect("replaced");
    assert_eq!(weeks().await.expect("read"), 3);
    // beside one who writes, whose newest rows lie in the log
    let writer = SqliteStore::open(&path).expect("opens");
    writer
        .delete_item("ndvi", "ndvi_2026-W33")
        .await
        .expect("deleted");
    assert_eq!(weeks().await.expect("read"), 2);
    drop(writer);
    assert_eq!(weeks().await.expect("read"), 2);
}

#[tokio::test]
async fn a_store_that_is_opened_again_goes_on_with_its_sums_and_digests() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let read = async |store: &SqliteStore| store.digests().await.expect("read");
    let before = read(&SqliteStore::open_read_only(&path).expect("opens")).await;
    let store = SqliteStore::open(&path).expect("opens");
    assert_eq!(read(&store).await, before);
    let item = weekly_item("ndvi", "2026-W35".parse().expect("a week"));
    store.put_item(&item).await.expect("put");
    assert_ne!(read(&store).await, before);
    assert!(store.delete_item("ndvi", &item.id).await.expect("deleted"));
    assert_eq!(read(&store).await, before);
    let damage = store.damage().await.expect("read");
    assert!(damage.is_empty(), "{damage:?}");
}

#[tokio::test]
async fn a_digest_that_is_not_that_of_its_rows_is_told_with_dataset_and_period() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let store = SqliteStore::open(&path).expect("opens");
    store
        .blocking(|inner| {
            inner.write(|connection| {
                connection.execute(
                    "UPDATE digest SET sum = zeroblob(16) WHERE dataset = 'collection/ndvi' AND period = '2026-W34'",
                    [],
                )?;
                Ok(())
            })
        })
        .await
        .expect("changed as no program of ours does");
    let damage = store.damage().await.expect("read");
    assert_eq!(
        damage,
        ["the digest of collection/ndvi 2026-W34 is not that of its rows"]
    );
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_refused_and_so_is_what_is_no_catalogue() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    let said = |path: &Path| {
        SqliteStore::open_read_only(path)
            .expect_err("refused")
            .to_string()
    };
    assert!(said(&path).contains("there is no catalogue"), "{}", said(&path));
    std::fs::write(&path, []).expect("written");
    assert!(said(&path).contains("is empty"), "{}", said(&path));
    std::fs::remove_file(&path).expect("removed");
    filled(&path).await;
    std::fs::create_dir(folder.path().join("catalog.sqlite-wal")).expect("in the way");
    std::fs::write(folder.path().join("catalog.sqlite-wal/x"), "x").expect("in the way");
    assert!(said(&path).contains("catalog.sqlite-wal"), "{}", said(&path));
}

#[tokio::test]
async fn a_store_that_is_closed_leaves_one_file_whatever_was_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    let store = SqliteStore::open(&path).expect("opens");
    let item = weekly_item("ndvi", "2026-W35".parse().expect("a week"));
    store.put_item(&item).await.expect("put");
    let all = ItemQuery::default();
    let read = tokio::join!(store.items(&all), store.items(&all), store.items(&all));
    assert_eq!(
        read.0.expect("read").len() + read.1.expect("read").len() + read.2.expect("read").len(),
        3
    );
    drop(store);
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
}
