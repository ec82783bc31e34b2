use super::SqliteStore;
use super::tests::filled;
use crate::run::{ContentDigest, Dataset, Fingerprint, LedgerEntry, Unit};
use crate::season::Season;
use crate::store::conformance::{self, weekly_item};
use crate::store::{ItemQuery, Ledger, Seasons, Stage, Store};
use std::path::Path;
use std::sync::Arc;

fn basis() -> ContentDigest {
    ContentDigest::of(b"inputs")
}

async fn stage_of(store: &dyn Store) -> Arc<dyn Stage> {
    store.open_stage().await.expect("opens").expect("it is in a file")
}

/// Everything of the store is as it was added up, and it holds what the stage showed.
async fn assert_published(store: &SqliteStore, stage: &dyn Stage) {
    let shown = stage.rows().digests().await.expect("read");
    stage.publish_group().await.expect("published");
    assert_eq!(store.digests().await.expect("read"), shown);
    assert_eq!(stage.rows().digests().await.expect("read"), shown);
    let damage = store.damage().await.expect("read");
    assert!(damage.is_empty(), "{damage:?}");
}

#[tokio::test]
async fn a_stage_is_a_store_of_what_steps_write() {
    let folder = tempfile::tempdir().expect("folder");
    for suite in [
        "items",
        "seasons",
        "calibrations",
        "fires",
        "inundations",
        "ledger",
        "objects",
    ] {
        let store = SqliteStore::open(&folder.path().join(format!("{suite}.sqlite"))).expect("opens");
        let stage = stage_of(&store).await;
        stage.begin_group("2026-W34", basis()).await.expect("begun");
        let rows = stage.rows();
        let rows = rows.as_ref();
        match suite {
            "items" => conformance::all(rows).await,
            "seasons" => conformance::seasons(rows).await,
            "calibrations" => conformance::calibrations(rows).await,
            "fires" => conformance::fires(rows).await,
            "inundations" => conformance::inundations(rows).await,
            "ledger" => conformance::ledger(rows).await,
            _ => conformance::objects(rows).await,
        }
        let none = store.digests().await.expect("read");
        assert!(none.iter().next().is_none(), "{suite}: nobody sees it yet");
        assert_published(&store, stage.as_ref()).await;
    }
}

#[tokio::test]
async fn a_group_becomes_visible_at_once_over_what_was_there() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    filled(&path).await;
    let store = SqliteStore::open(&path).expect("opens");
    let week = |name: &str| name.parse().expect("a week");
    for name in ["2026-W30", "2026-W31"] {
        store
            .put_item(&weekly_item("ndvi", week(name)))
            .await
            .expect("put");
    }
    let crop = |name: &str| {
        vec![Season {
            season: name.into(),
            sowing: None,
            heading: "2026-06-20".parse().ok(),
            harvest: None,
            lost: None,
            sowing_uncertainty_days: None,
            heading_uncertainty_days: Some(6.0),
            harvest_uncertainty_days: None,
        }]
    };
    store
        .put_seasons(vec![(1, crop("a")), (2, crop("b"))])
        .await
        .expect("put");
    let ids = async |store: &dyn Store| -> Vec<String> {
        let items = store.items(&ItemQuery::collection("ndvi")).await.expect("read");
        items.into_iter().map(|item| item.id).collect()
    };
    let before = ids(&store).await;
    let (digests, revision) = (store.digests().await, store.revision().await.expect("read"));

    let stage = stage_of(&store).await;
    stage.begin_group("derived", basis()).await.expect("begun");
    let rows = stage.rows();
    let mut changed = weekly_item("ndvi", week("2026-W31"));
    changed.lineage = vec!["sentinel-2-l2a/x".into()];
    rows.put_item(&changed).await.expect("put");
    rows.put_item(&weekly_item("ndvi", week("2026-W32")))
        .await
        .expect("put");
    assert!(rows.delete_item("ndvi", "ndvi_2026-W30").await.expect("deleted"));
    rows.put_seasons(vec![(1, Vec::new()), (2, crop("c"))])
        .await
        .expect("put");
    let entry = LedgerEntry {
        unit: Unit {
            dataset: Dataset::Collection("ndvi".into()),
            period: Some(week("2026-W31")),
        },
        step: "rasters".into(),
        version: 1,
        fingerprint: Fingerprint(Vec::new()),
        output: basis(),
    };
    rows.put_ledger_entries(vec![entry.clone()]).await.expect("put");

    let staged = ids(rows.as_ref()).await;
    assert!(!staged.contains(&"ndvi_2026-W30".to_owned()) && staged.contains(&"ndvi_2026-W32".to_owned()));
    assert_eq!(ids(&store).await, before);
    assert_eq!(store.digests().await.expect("read"), digests.expect("read"));
    assert_eq!(store.revision().await.expect("read"), revision);
    assert!(store.ledger_entries("rasters").await.expect("read").is_empty());
    // meanwhile others write what is theirs
    let scene = weekly_item("sentinel-2-l2a", week("2026-W31"));
    store.put_item(&scene).await.expect("put");
    assert!(
        rows.item("sentinel-2-l2a", &scene.id)
            .await
            .expect("read")
            .is_some()
    );

    assert_published(&store, stage.as_ref()).await;
    assert_eq!(ids(&store).await, staged);
    assert_eq!(
        store.revision().await.expect("read"),
        revision + 2,
        "the scene, and the group"
    );
    assert_eq!(store.seasons(1).await.expect("read"), Vec::new());
    assert_eq!(store.seasons(2).await.expect("read"), crop("c"));
    assert_eq!(store.ledger_entries("rasters").await.expect("read"), [entry]);
    drop(rows);
    stage.close_stage().await.expect("closed");
    drop(store);
    assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
}

#[tokio::test]
async fn what_a_killed_run_has_staged_is_there_for_the_next_and_a_damaged_stage_is_begun_anew() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("catalog.sqlite");
    let item = weekly_item("ndvi", "2026-W31".parse().expect("a week"));
    let killed = async || {
        let store = SqliteStore::open(&path).expect("opens");
        let stage = stage_of(&store).await;
        stage
            .begin_group("2026-W31", ContentDigest::of(b"inputs"))
            .await
            .expect("begun");
        stage.rows().put_item(&item).await.expect("put");
    };
    killed().await;
    let store = SqliteStore::open(&path).expect("opens");
    assert!(store.collections().await.expect("read").is_empty());
    let stage = stage_of(&store).await;
    let left = stage.staged_group().await.expect("read").expect("a group");
    assert_eq!(left, ("2026-W31".to_owned(), ContentDigest::of(b"inputs")));
    assert_eq!(stage.rows().collections().await.expect("read"), ["ndvi"]);
    stage.drop_group().await.expect("dropped");
    assert!(stage.rows().collections().await.expect("read").is_empty());
    drop((stage, store));

    killed().await;
    let file = folder.path().join("catalog.sqlite.stage");
    let garbage = |path: &Path| std::fs::write(path, vec![7_u8; 8192]).expect("written");
    garbage(&file);
    let store = SqliteStore::open(&path).expect("opens");
    let stage = stage_of(&store).await;
    assert_eq!(stage.staged_group().await.expect("read"), None);
    stage.begin_group("2026-W31", basis()).await.expect("begun");
    stage.rows().put_item(&item).await.expect("put");
    assert_published(&store, stage.as_ref()).await;
}
