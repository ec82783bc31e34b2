//! A batch while others write: what they change meanwhile, and what is left when it is taken back.

use super::{ChangeProgress, LeftChange, SliceSize, begin, count_layers, fill_slice, show};
use crate::feature::Feature;
use crate::store::{FeatureQuery, Features, Ledger, SqliteStore, Store};
use geo_types::Point;

fn station(code: &str, name: &str) -> Feature {
    let mut station = Feature::new("stations", code, Point::new(105.6, 10.4).into());
    station.name = Some(name.to_owned());
    station
}

/// The codes and names that are seen, with their `fid`s.
async fn seen(store: &SqliteStore) -> Vec<(i64, String, String)> {
    let damage = store.damage().await.expect("read");
    assert!(damage.is_empty(), "{damage:?}");
    let stations = store.features(&FeatureQuery::layer("stations")).await;
    let stations = stations.expect("read").into_iter();
    stations
        .map(|one| (one.fid, one.code, one.name.unwrap_or_default()))
        .collect()
}

fn names(stations: &[(i64, String, String)]) -> Vec<(&str, &str)> {
    let names = stations.iter().map(|one| (one.1.as_str(), one.2.as_str()));
    names.collect()
}

/// A store of three stations, and a batch that changes A, takes B away and brings C, D and E, not yet seen.
async fn begun() -> (SqliteStore, i64) {
    let store = SqliteStore::in_memory().expect("opens");
    let three = ["A", "B", "F"].map(|code| station(code, "was"));
    store.put_features(three.to_vec()).await.expect("put");
    let batch = store.blocking(|inner| inner.write(begin)).await.expect("begun");
    fill(&store, batch, &["A", "C", "D", "E"], &[2])
        .await
        .expect("filled");
    (store, batch)
}

async fn fill(
    store: &SqliteStore,
    batch: i64,
    codes: &[&str],
    gone: &[i64],
) -> crate::Result<ChangeProgress> {
    let features: Vec<Feature> = codes.iter().map(|code| station(code, "batch")).collect();
    let left = LeftChange {
        gone: Vec::from(gone).into_iter(),
        features: features.into_iter(),
    };
    let filling = store
        .blocking(move |inner| fill_slice(inner, batch, SliceSize::FIRST, left, ChangeProgress::default()));
    Ok(filling.await?.1)
}

/// Makes the batch seen, unless its layer was changed after it was counted.
async fn show_counted(store: &SqliteStore, batch: i64, meanwhile: Option<Feature>) -> bool {
    let layers = ["stations".to_owned()].into();
    let counted = store
        .reading(move |connection| count_layers(connection, &layers, batch))
        .await
        .expect("counted");
    if let Some(station) = meanwhile {
        store.put_features(vec![station]).await.expect("put");
    }
    let showing = store.blocking(move |inner| inner.write(|connection| show(connection, batch, &counted)));
    showing.await.expect("shown")
}

/// What others put while the batch is there: over what it changes and takes away, what it brings too, and something else.
async fn write_beside(store: &SqliteStore) {
    let beside = ["A", "B", "C", "G"].map(|code| station(code, "beside"));
    store.put_features(beside.to_vec()).await.expect("put");
    let names = seen(store).await;
    let fid = |code: &str| names.iter().find(|one| one.1 == code).map(|one| one.0);
    assert_eq!(
        (fid("A"), fid("B")),
        (Some(1), Some(2)),
        "the same identity keeps its fid"
    );
}

#[tokio::test]
async fn a_batch_is_not_seen_until_it_is_shown() {
    let (store, batch) = begun().await;
    let was = [("A", "was"), ("B", "was"), ("F", "was")];
    assert_eq!(names(&seen(&store).await), was);
    assert_eq!(store.search("batch", 9).await.expect("read").len(), 0);
    assert!(
        store
            .feature("stations", "D", None)
            .await
            .expect("read")
            .is_none()
    );
    let revision = store.revision().await.expect("read");
    let changed = station("H", "beside");
    assert!(
        !show_counted(&store, batch, Some(changed)).await,
        "the count is out of date"
    );
    assert_eq!(seen(&store).await.len(), 4);
    assert!(show_counted(&store, batch, None).await);
    assert_eq!(store.revision().await.expect("read"), revision + 2);
    let now = seen(&store).await;
    let wanted = [
        ("A", "batch"),
        ("F", "was"),
        ("C", "batch"),
        ("D", "batch"),
        ("E", "batch"),
        ("H", "beside"),
    ];
    assert_eq!(names(&now), wanted);
    assert_eq!(now[0].0, 1);
    let layer = store.layers().await.expect("read").remove(0);
    assert_eq!(layer.count, 6);
    store.finish_batches().await.expect("deleted");
    assert_eq!(seen(&store).await, now);
    assert_eq!(store.search("batch", 9).await.expect("read").len(), 4);
}

#[tokio::test]
async fn what_others_put_meanwhile_gives_way_to_the_batch_where_it_says_something() {
    let (store, batch) = begun().await;
    write_beside(&store).await;
    let before = seen(&store).await;
    let wanted = [
        ("A", "beside"),
        ("B", "beside"),
        ("F", "was"),
        ("C", "beside"),
        ("G", "beside"),
    ];
    assert_eq!(names(&before), wanted);
    assert!(show_counted(&store, batch, None).await);
    let now = seen(&store).await;
    let wanted = [
        ("A", "batch"),
        ("F", "was"),
        ("C", "batch"),
        ("D", "batch"),
        ("E", "batch"),
        ("G", "beside"),
    ];
    assert_eq!(names(&now), wanted);
    let fid = |rows: &[(i64, String, String)]| rows.iter().find(|one| one.1 == "C").map(|one| one.0);
    assert_eq!(fid(&now), fid(&before), "one that both brought is one");
    store.finish_batches().await.expect("deleted");
    assert_eq!(seen(&store).await, now);
}

#[tokio::test]
async fn what_others_put_meanwhile_stays_when_the_batch_is_taken_back() {
    let (store, batch) = begun().await;
    write_beside(&store).await;
    let (before, digests) = (seen(&store).await, store.digests().await.expect("read"));
    store.finish_batches().await.expect("taken back");
    assert_eq!(seen(&store).await, before);
    assert_eq!(store.digests().await.expect("read"), digests);
    let left: i64 = store
        .reading(|connection| {
            let sql = "SELECT (SELECT count(*) FROM feature) + (SELECT count(*) FROM staged_batch)
                           + (SELECT count(*) FROM staged_digest) + (SELECT count(*) FROM feature WHERE batch_to != 0)";
            Ok(connection.query_row(sql, [], |row| row.get(0))?)
        })
        .await
        .expect("counted");
    assert_eq!(left, before.len() as i64, "nothing of the batch");
    // whoever goes on with it is told
    let refused = fill(&store, batch, &["X"], &[])
        .await
        .expect_err("taken back")
        .to_string();
    assert!(refused.contains("taken back"), "{refused}");
    assert_eq!(seen(&store).await, before);
}
