//! Files of other layouts: brought to this one, kept as they were, or refused with words.

use super::migrations::SCHEMA_VERSION;
use super::tests::filled;
use super::{SqliteStore, sums};
use crate::object::sum_file;
use crate::run::DatasetDigests;
use crate::store::conformance::weekly_item;
use crate::store::{Access, ItemQuery, Ledger, ObjectRows, Store, open_for};
use crate::{Asset, Assets};
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// The features of layouts before the fifth, by rows without batches.
const OLDER_FEATURES: &str = "
    DROP VIEW seen_feature; DROP TABLE staged_batch; DROP TABLE staged_digest;
    DROP INDEX feature_code; DROP INDEX feature_parent; DROP INDEX feature_fid; DROP INDEX feature_gone;
    ALTER TABLE feature RENAME TO newer; ALTER TABLE feature_box RENAME TO newer_box; DROP TABLE feature_text;
    ALTER TABLE other_code RENAME COLUMN row_number TO fid;";
const OLDER_ROWS: &str = "
    INSERT INTO feature SELECT fid, layer, scheme, code, valid_from, valid_to, name, parent, codes, area_m2, properties,
        search, shape, geometry FROM newer;
    INSERT INTO feature_box SELECT * FROM newer_box;
    DROP TABLE newer; DROP TABLE newer_box;
    INSERT INTO feature_text (feature_text) VALUES ('rebuild');";

/// What came with the sixth layout.
const NO_WITHDRAWALS: &str = "
    DROP TABLE withdrawal; DROP TABLE withdrawn_item; DROP TABLE withdrawn_feature; DROP TABLE withdrawn_observation;
    DROP TABLE withdrawn_observation_fields;";

/// Makes the features of a file those of layouts before the fifth.
fn make_features_older(hand: &Connection) {
    for sql in [
        NO_WITHDRAWALS,
        OLDER_FEATURES,
        super::feature_rows::SCHEMA,
        OLDER_ROWS,
    ] {
        hand.execute_batch(sql).expect("as it was");
    }
}

/// Makes a file one of layout 1, from before there were sums and the table of settings.
fn make_older(path: &Path) {
    let hand = Connection::open(path).expect("opens");
    make_features_older(&hand);
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
    make_features_older(&hand);
    hand.execute_batch("DROP TABLE digest; DROP TABLE ledger; DROP TABLE object; DELETE FROM content_sum")
        .expect("as it was");
    sums::add_up_new(&hand).expect("added up");
    hand.execute_batch("UPDATE feature SET name = 'x' WHERE fid = 1; PRAGMA user_version = 1")
        .expect("damaged");
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

/// The files of a folder of layout 3: the items of a week, each file under its plain name.
async fn older_folder(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let store = SqliteStore::open(&folder.join("catalog.sqlite")).expect("opens");
    let mut files = Vec::new();
    for (collection, names) in [
        ("flood_observed", ["flood_observed", "age_days"]),
        ("flood", ["flood", "age_days"]),
        ("ndvi", ["ndvi", "quality"]),
    ] {
        let mut item = weekly_item(collection, "2026-W34".parse().expect("a week"));
        item.assets.clear();
        for name in names {
            let href = format!("{collection}/2026/{}/{name}.tif", item.id);
            // the flood is as it was seen
            let text = format!(
                "{} {}",
                collection.replace("_observed", ""),
                name.replace("_observed", "")
            );
            let bytes = text.repeat(40_000).into_bytes();
            let path = folder.join("assets").join(&href);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, &bytes).expect("written");
            let sums = sum_file(&path).expect("read");
            let mut asset = sums.of_asset(Asset::new(&href));
            asset.piece_sums = None;
            item.assets.insert(name.to_owned(), asset);
            files.push((href, bytes));
        }
        let document = folder.join(format!("assets/{collection}/2026/{0}/{0}.json", item.id));
        fs::write(document, "{}").expect("written");
        store.put_item(&item).await.expect("put");
    }
    drop(store);
    let hand = Connection::open(folder.join("catalog.sqlite")).expect("opens");
    make_features_older(&hand);
    hand.execute_batch("DROP TABLE object; DELETE FROM content_sum; PRAGMA user_version = 3")
        .expect("as it was");
    files
}

#[tokio::test]
async fn files_get_the_names_of_their_contents_and_damaged_ones_are_marked() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    let files = older_folder(folder.path()).await;
    let assets = Assets::at(folder.path());
    let (damaged, gone) = (
        "ndvi/2026/ndvi_2026-W34/ndvi.tif",
        "ndvi/2026/ndvi_2026-W34/quality.tif",
    );
    let mut bytes = fs::read(assets.path(damaged)).expect("read");
    bytes[1234] ^= 4;
    fs::write(assets.path(damaged), &bytes).expect("flipped");
    fs::remove_file(assets.path(gone)).expect("removed");
    // a run that was killed has made some links; the rows are as they were
    let rows = fs::read(&path).expect("read");
    drop(SqliteStore::open(&path).expect("opens"));
    fs::write(&path, rows).expect("killed before the commit");
    let before = {
        let hand = Connection::open(&path).expect("opens");
        super::dataset_digests::read(&hand).expect("read")
    };
    let store = SqliteStore::open(&path).expect("opens");
    assert_eq!(layout(&path), SCHEMA_VERSION);
    assert_eq!(
        store.digests().await.expect("read"),
        before,
        "names are no contents"
    );
    assert!(store.damage().await.expect("read").is_empty());

    let items = store.items(&ItemQuery::default()).await.expect("read");
    let asset = |collection: &str, name: &str| {
        let item = items.iter().find(|item| item.collection == collection);
        item.expect("there").assets[name].clone()
    };
    for (collection, name) in [
        ("flood_observed", "flood_observed"),
        ("flood_observed", "age_days"),
        // the same contents under names of its own
        ("flood", "flood"),
        ("flood", "age_days"),
    ] {
        let asset = asset(collection, name);
        let sum = asset.sha256.clone().expect("a checksum");
        let href = format!(
            "{collection}/2026/{collection}_2026-W34/{name}-{}.tif",
            &sum[..16]
        );
        assert_eq!(asset.href, href);
        assets.open_whole(&asset).expect("fits");
        assert!(asset.piece_sums.is_some_and(|sums| sums.fits(asset.bytes)));
    }
    let (ndvi, quality) = (asset("ndvi", "ndvi"), asset("ndvi", "quality"));
    assert!(ndvi.href.contains("/ndvi-") && ndvi.piece_sums.is_none());
    assert!(assets.open_object(&ndvi).is_err() && assets.path(&ndvi.href).exists());
    assert!(quality.href.contains("/quality-") && !assets.path(&quality.href).exists());

    let said = store.object_rows().await.expect("read");
    let marked: Vec<&str> = said
        .iter()
        .filter(|row| row.is_damaged)
        .map(|row| row.href.as_str())
        .collect();
    assert_eq!(marked, [ndvi.href.as_str()]);
    let unnamed: Vec<&str> = said
        .iter()
        .filter(|row| row.unnamed_since.is_some())
        .map(|row| row.href.as_str())
        .collect();
    assert_eq!(
        unnamed.len(),
        files.len() + 3,
        "old names and documents go: {unnamed:?}"
    );
    // until then what was kept opens, with all its files
    for (href, bytes) in files.iter().filter(|(href, _)| href != damaged && href != gone) {
        assert!(unnamed.contains(&href.as_str()));
        assert_eq!(&fs::read(assets.path(href)).expect("there"), bytes);
    }
    assert_eq!(layout(&folder.path().join("catalog.sqlite.before-4")), 3);
}
