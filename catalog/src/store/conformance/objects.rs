//! The suite of [`ObjectRows`](crate::store::ObjectRows).

use super::weekly_item;
use crate::item::{Asset, Item};
use crate::store::Store;
use chrono::Utc;

/// An item of a week whose one file lies at `href`.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
fn of_file(collection: &str, week: &str, href: &str) -> Item {
    let mut item = weekly_item(collection, week.parse().unwrap());
    item.assets = [(collection.to_owned(), Asset::new(href))].into();
    item
}

/// What is said of files, as `href`, unnamed, damaged.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn said(store: &dyn Store) -> Vec<(String, bool, bool)> {
    let rows = store.object_rows().await.unwrap().into_iter();
    rows.map(|row| (row.href, row.unnamed_since.is_some(), row.is_damaged))
        .collect()
}

/// A file is unnamed from when no item of its week names it until one does; marks stay beside that; readers see neither.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn objects(store: &dyn Store) {
    let is = |href: &str, unnamed, damaged| (href.to_owned(), unnamed, damaged);
    let (first, second) = ("seen/2026/a-1.tif", "seen/2026/a-2.tif");
    let put = async |collection, href| {
        store
            .put_item(&of_file(collection, "2026-W34", href))
            .await
            .unwrap();
    };
    put("seen", first).await;
    put("told", first).await;
    store
        .put_item(&of_file("seen", "2026-W35", "seen/2026/b.tif"))
        .await
        .unwrap();
    put("seen", second).await;
    assert_eq!(said(store).await, [], "another layer of the week names it");

    let revision = store.revision().await.unwrap();
    store
        .mark_objects(vec![first.to_owned(), second.to_owned()], true)
        .await
        .unwrap();
    store.mark_objects(vec![second.to_owned()], false).await.unwrap();
    assert_eq!(said(store).await, [is(first, false, true)]);
    assert_eq!(store.revision().await.unwrap(), revision, "no reader sees marks");
    let before = Utc::now();
    put("told", second).await;
    assert_eq!(said(store).await, [is(first, true, true)]);
    let since = store.object_rows().await.unwrap()[0].unnamed_since.unwrap();
    assert!(since.timestamp_millis() >= before.timestamp_millis() && since <= Utc::now());
    put("seen", first).await;
    assert_eq!(said(store).await, [is(first, false, true)], "named again");
    store.mark_objects(vec![first.to_owned()], false).await.unwrap();
    assert_eq!(said(store).await, []);

    store.delete_item("told", "told_2026-W34").await.unwrap();
    store.delete_item("seen", "seen_2026-W35").await.unwrap();
    assert_eq!(
        said(store).await,
        [is(second, true, false), is("seen/2026/b.tif", true, false)]
    );
    // files of scenes are the user's
    for href in ["/data/B04.tif", "https://example.org/B04.tif"] {
        store
            .put_item(&of_file("sentinel-2-l2a", "2026-W34", href))
            .await
            .unwrap();
    }
    store
        .delete_item("sentinel-2-l2a", "sentinel-2-l2a_2026-W34")
        .await
        .unwrap();
    assert_eq!(said(store).await.len(), 2);
    store
        .forget_objects(vec![second.to_owned(), "seen/2026/b.tif".to_owned()])
        .await
        .unwrap();
    assert_eq!(said(store).await, []);
}
