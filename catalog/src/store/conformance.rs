//! What every [`Store`] must do, as functions that each backend's tests call.

use super::{ItemQuery, Store};
use crate::crs::Crs;
use crate::grid::{Bounds, Grid};
use crate::item::{Asset, Item};
use crate::period::Period;
use serde_json::Map;
use std::collections::BTreeMap;

/// A small weekly item for tests: 100 x 100 cells near Cao Lanh.
///
/// # Panics
/// Never: its grid is sane by construction.
pub fn weekly_item(collection: &str, period: Period) -> Item {
    let grid = Grid::covering(
        Crs::UTM_48N,
        Bounds::new(569_000.0, 1_156_000.0, 570_000.0, 1_157_000.0),
        10.0,
    )
    .expect("a square kilometre is a sane grid");
    let mut asset = Asset::new(format!("{collection}/{}/x/{collection}.tif", period.year()));
    asset.sha256 = Some("ab".repeat(32));
    Item {
        id: Item::weekly_id(collection, period),
        collection: collection.to_owned(),
        interval: period.interval(),
        grid,
        bbox: Bounds::new(105.63, 10.45, 105.64, 10.46),
        assets: BTreeMap::from([(collection.to_owned(), asset)]),
        lineage: vec!["sentinel-2-l2a/S2A_x".to_owned()],
        properties: Map::new(),
    }
}

/// Runs the whole suite on an empty store.
///
/// # Panics
/// When the store departs from the contract of [`Store`].
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn all(store: &dyn Store) {
    let week: Period = "2026-W34".parse().unwrap();
    assert!(store.item("ndvi", "ndvi_2026-W34").await.unwrap().is_none());
    assert!(store.collections().await.unwrap().is_empty());
    let before = store.revision().await.unwrap();

    let item = weekly_item("ndvi", week);
    store.put_item(&item).await.unwrap();
    assert_eq!(
        store.item("ndvi", &item.id).await.unwrap().as_ref(),
        Some(&item),
        "an item comes back as it was put"
    );
    assert!(
        store.revision().await.unwrap() > before,
        "a change moves the revision"
    );

    let changed = Item {
        lineage: vec!["sentinel-2-l2a/S2B_y".to_owned()],
        ..item.clone()
    };
    store.put_item(&changed).await.unwrap();
    assert_eq!(
        store.items(&ItemQuery::default()).await.unwrap(),
        vec![changed],
        "putting again replaces"
    );

    for other in [week.previous(), week.next(), week.next().next()] {
        store.put_item(&weekly_item("ndvi", other)).await.unwrap();
    }
    store.put_item(&weekly_item("flood", week)).await.unwrap();
    assert_eq!(store.collections().await.unwrap(), ["flood", "ndvi"]);

    let ids = |items: Vec<Item>| items.into_iter().map(|item| item.id).collect::<Vec<_>>();
    let ndvi = ItemQuery::collection("ndvi");
    let oldest_first = ids(store.items(&ndvi).await.unwrap());
    assert_eq!(
        oldest_first,
        ["ndvi_2026-W33", "ndvi_2026-W34", "ndvi_2026-W35", "ndvi_2026-W36"]
    );
    assert_eq!(store.newest(&ndvi).await.unwrap().unwrap().id, "ndvi_2026-W36");

    let upto = ItemQuery {
        from: Some(week),
        to: Some(week.next()),
        ..ndvi.clone()
    };
    assert_eq!(
        ids(store.items(&upto).await.unwrap()),
        ["ndvi_2026-W34", "ndvi_2026-W35"]
    );
    assert_eq!(store.newest(&upto).await.unwrap().unwrap().id, "ndvi_2026-W35");

    let elsewhere = ItemQuery {
        bbox: Some(Bounds::new(100.0, 5.0, 101.0, 6.0)),
        ..ItemQuery::default()
    };
    assert!(store.items(&elsewhere).await.unwrap().is_empty());
    let here = ItemQuery {
        bbox: Some(Bounds::new(105.0, 10.0, 105.635, 11.0)),
        ..ItemQuery::default()
    };
    assert_eq!(store.items(&here).await.unwrap().len(), 5);

    assert!(store.delete_item("flood", "flood_2026-W34").await.unwrap());
    assert!(!store.delete_item("flood", "flood_2026-W34").await.unwrap());
    assert_eq!(store.collections().await.unwrap(), ["ndvi"]);
    store.ping().await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, SqliteStore};

    #[tokio::test]
    async fn memory_conforms() {
        super::all(&MemoryStore::default()).await;
    }

    #[tokio::test]
    async fn sqlite_conforms() {
        let folder = tempfile::tempdir().expect("temporary folder");
        super::all(&SqliteStore::open(&folder.path().join("catalog.sqlite")).expect("opens")).await;
    }
}
