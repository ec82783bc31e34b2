//! What every [`Store`] must do, as functions that each backend's tests call.

mod batches;
mod disclosure;
mod fires;
mod inundations;
mod ledger;
mod objects;
mod observations;
mod withdrawals;

pub use batches::batches;
pub use disclosure::disclosure;
pub use fires::fires;
pub use inundations::inundations;
pub use ledger::{dataset_digests, ledger};
pub use objects::objects;
pub use observations::observations;
pub use withdrawals::withdrawals;

use super::{FeatureQuery, ItemQuery, Put, Store};
use crate::calibration::{Calibration, in_use};
use crate::crs::Crs;
use crate::feature::{Feature, OtherCode, Shape, Sought};
use crate::grid::{Bounds, Grid};
use crate::item::{Asset, Item};
use crate::period::Period;
use crate::season::Season;
use chrono::NaiveDate;
use geo_types::{Geometry, MultiPolygon, Polygon};
use serde_json::{Map, json};
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
    let revision = store.revision().await.unwrap();
    assert!(!store.delete_item("flood", "flood_2026-W34").await.unwrap());
    store.put_item(&weekly_item("ndvi", week.next())).await.unwrap();
    assert_eq!(store.revision().await.unwrap(), revision, "nothing changed");
    assert_eq!(store.collections().await.unwrap(), ["ndvi"]);
    store.ping().await.unwrap();
}

/// Runs the suite of [`Features`](super::Features) on an empty store.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn features(store: &dyn Store) {
    let mut plot = Feature::new("plots", "DT-001", square(105.60, 10.40));
    plot.name = Some("Ruộng ông Bảy".into());
    plot.parent = Some("29869".into());
    plot.properties.insert("crop".into(), json!("lúa"));
    plot.properties.insert("area".into(), json!(12.0));
    plot.properties.insert("rows".into(), json!(7));
    plot.properties
        .insert("parcel".into(), json!(9_007_199_254_740_993_i64));
    plot.properties.insert("irrigated".into(), json!(true));
    plot.properties
        .insert("sown".into(), json!("2026-05-02T00:00:00"));
    plot.codes.push(OtherCode {
        scheme: "export".into(),
        market: Some("CN".into()),
        code: "VN-DTOR-0001".into(),
    });
    let other = Feature::new("plots", "DT-002", square(105.70, 10.50));
    let outcomes = store.put_features(vec![plot.clone(), other]).await.unwrap();
    assert_eq!(outcomes, [Put::Added, Put::Added]);

    let back = store.feature("plots", "DT-001", None).await.unwrap().unwrap();
    assert!(back.fid > 0);
    assert_eq!(
        back,
        Feature {
            fid: back.fid,
            ..plot.clone()
        },
        "a feature comes back as it was put"
    );
    let by_other_code = store
        .feature("plots", "VN-DTOR-0001", None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        by_other_code.fid, back.fid,
        "a further code finds the same feature"
    );
    for typed in [" DT-001", "DT-001\u{a0}", "\u{feff}DT-0\u{200b}01"] {
        let found = store.feature("plots", typed, None).await.unwrap();
        assert_eq!(
            found.map(|one| one.fid),
            Some(back.fid),
            "{typed:?} looks the same"
        );
    }

    let layer = store.layers().await.unwrap().pop().unwrap();
    assert_eq!(
        (layer.name.as_str(), layer.shape, layer.count),
        ("plots", Shape::Polygon, 2)
    );
    assert!(
        (layer.bounds.east - 105.71).abs() < 1e-4 && layer.bounds.east >= 105.71,
        "a box holds its layer"
    );

    assert_eq!(
        store.put_features(vec![plot.clone()]).await.unwrap(),
        [Put::Unchanged]
    );
    assert_eq!(
        store.layers().await.unwrap()[0].revision,
        layer.revision,
        "nothing changed"
    );
    plot.name = Some("Ruộng bà Tư".into());
    assert_eq!(
        store.put_features(vec![plot.clone()]).await.unwrap(),
        [Put::Changed]
    );
    assert_eq!(store.layers().await.unwrap()[0].revision, layer.revision + 1);
    assert_eq!(
        store.feature("plots", "DT-001", None).await.unwrap().unwrap().fid,
        back.fid,
        "the same identity keeps its fid"
    );

    let codes = async |query: FeatureQuery| {
        let found = store.features(&query).await.unwrap();
        assert_eq!(store.count_features(&query).await.unwrap(), found.len() as u64);
        found.into_iter().map(|feature| feature.code).collect::<Vec<_>>()
    };
    let text = |text: &str| FeatureQuery {
        text: Some(text.into()),
        ..FeatureQuery::default()
    };
    assert_eq!(codes(text("ruong ba tu")).await, ["DT-001"]);
    assert_eq!(codes(text("vn dtor 0001")).await, ["DT-001"]);
    assert_eq!(codes(text("02")).await, ["DT-002"], "two letters are a text too");
    assert!(
        codes(text("ông Bảy")).await.is_empty(),
        "an old name is gone from the index"
    );
    let bbox = FeatureQuery {
        bbox: Some(Bounds::new(105.69, 10.49, 105.72, 10.52)),
        ..FeatureQuery::layer("plots")
    };
    assert_eq!(codes(bbox).await, ["DT-002"]);
    let crop = FeatureQuery {
        properties: vec![("crop".into(), vec![Sought::of("xoài"), Sought::of("lúa")])],
        ..FeatureQuery::default()
    };
    assert_eq!(codes(crop).await, ["DT-001"]);
    for (name, value, found) in [
        ("area", "12", true),
        ("area", "12.00", true),
        ("area", "12.5", false),
        ("rows", "7.0", true),
        ("parcel", "9007199254740993", true),
        ("parcel", "9007199254740992", false),
        ("irrigated", "True", true),
        ("irrigated", "false", false),
        ("irrigated", "1", false),
        ("sown", "2026-05-02", true),
        ("sown", "2026-05-02T07:00:00+07:00", true),
        ("sown", "2026-05-03", false),
        ("crop", "l\u{75}\u{301}a", true),
        ("crop", "", false),
        ("nothing", "12", false),
    ] {
        let one = FeatureQuery {
            properties: vec![(name.into(), vec![Sought::of(value)])],
            ..FeatureQuery::default()
        };
        let count = store.count_features(&one).await.unwrap();
        assert_eq!(count == 1, found, "{name}={value}");
    }
    let page = FeatureQuery {
        after: Some(back.fid),
        limit: Some(1),
        ..FeatureQuery::layer("plots")
    };
    assert_eq!(store.features(&page).await.unwrap()[0].code, "DT-002");

    // one code, two communes: the code was given to another unit on 2025-07-01
    let day: NaiveDate = "2025-07-01".parse().unwrap();
    let mut before = Feature::new("admin_units", "29869", square(105.6, 10.4));
    before.valid_to = Some(day);
    before.name = Some("Phường 1".into());
    let mut after = Feature::new("admin_units", "29869", square(105.6, 10.4));
    after.valid_from = Some(day);
    after.name = Some("Phường Cao Lãnh".into());
    store.put_features(vec![before, after]).await.unwrap();
    let name = async |day: Option<&str>| {
        let day = day.map(|day| day.parse().unwrap());
        store
            .feature("admin_units", "29869", day)
            .await
            .unwrap()
            .unwrap()
            .name
            .unwrap()
    };
    assert_eq!(name(Some("2025-06-30")).await, "Phường 1");
    assert_eq!(name(Some("2025-07-01")).await, "Phường Cao Lãnh");
    assert_eq!(name(None).await, "Phường Cao Lãnh", "without a day the newest");

    let nothing = Feature::new("plots", "DT-003", Geometry::MultiPolygon(MultiPolygon(vec![])));
    assert!(
        store
            .put_features(vec![nothing])
            .await
            .unwrap_err()
            .to_string()
            .contains("DT-003")
    );
}

/// Crops: replaced as a whole, the revision moves only when one changed.
///
/// # Panics
/// When the store departs from the contract of [`Seasons`](super::Seasons).
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn seasons(store: &dyn Store) {
    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let crop = |season: &str, sowing: Option<NaiveDate>| Season {
        season: season.into(),
        sowing,
        heading: day("2026-06-20"),
        harvest: day("2026-07-19"),
        lost: None,
        sowing_uncertainty_days: sowing.map(|_| 4.5),
        heading_uncertainty_days: Some(6.0),
        harvest_uncertainty_days: Some(5.25),
    };
    let first = vec![
        crop("2026-he-thu", None),
        crop("2026-thu-dong", day("2026-08-18")),
    ];
    assert!(store.seasons(7).await.unwrap().is_empty());
    let put = vec![(7, first.clone()), (9, vec![first[0].clone()])];
    assert_eq!(store.put_seasons(put.clone()).await.unwrap(), 2);
    assert_eq!(
        store.seasons(7).await.unwrap(),
        first,
        "in order, as they were put"
    );
    let revision = store.revision().await.unwrap();
    assert_eq!(store.put_seasons(put).await.unwrap(), 0);
    assert_eq!(store.revision().await.unwrap(), revision, "nothing changed");
    assert_eq!(
        store
            .put_seasons(vec![(7, vec![first[1].clone()]), (9, vec![first[0].clone()])])
            .await
            .unwrap(),
        1
    );
    assert!(store.revision().await.unwrap() > revision);
    let all = store.seasons_of(&[7, 8, 9]).await.unwrap();
    assert_eq!(all.keys().copied().collect::<Vec<_>>(), [7, 9]);
    assert_eq!(all[&7], first[1..], "what was there before is gone");

    assert_eq!(store.calendar_digest("plots").await.unwrap(), None);
    store.put_calendar_digest("plots", "abc").await.unwrap();
    assert_eq!(
        store.calendar_digest("plots").await.unwrap().as_deref(),
        Some("abc")
    );
}

/// Runs the suite of [`Store::rows_digest`] on two empty stores.
///
/// # Panics
/// When the stores depart from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn digests(one: &dyn Store, other: &dyn Store) {
    let plot = |code: &str| Feature::new("plots", code, square(105.60, 10.40));
    one.put_features(vec![plot("A"), plot("B")]).await.unwrap();
    other.put_features(vec![plot("B")]).await.unwrap();
    assert_ne!(
        one.rows_digest().await.unwrap(),
        other.rows_digest().await.unwrap()
    );
    other.put_features(vec![plot("A")]).await.unwrap();
    assert_eq!(
        one.rows_digest().await.unwrap(),
        other.rows_digest().await.unwrap(),
        "the order does not count"
    );
    let season = Season {
        season: "2026-he-thu".into(),
        sowing: None,
        heading: None,
        harvest: None,
        lost: None,
        sowing_uncertainty_days: None,
        heading_uncertainty_days: None,
        harvest_uncertainty_days: None,
    };
    let a = other.feature("plots", "A", None).await.unwrap().unwrap();
    other.put_seasons(vec![(a.fid, vec![season])]).await.unwrap();
    assert_ne!(
        one.rows_digest().await.unwrap(),
        other.rows_digest().await.unwrap(),
        "a season counts"
    );
}

/// Corrections: versions are added and never replaced.
///
/// # Panics
/// When the store departs from the contract of [`Calibrations`](super::Calibrations).
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn calibrations(store: &dyn Store) {
    let mut first = Calibration {
        property: "soil_moisture".into(),
        collection: "ndmi".into(),
        version: 0,
        inputs: "ab".into(),
        slope: 0.8,
        intercept: 0.1,
        applied: true,
        reason: "stations that were left out come out better".into(),
        figures: Map::from_iter([("n".into(), json!(40))]),
        lineage: vec!["datastreams/3".into(), "ndmi/ndmi_2026-W34".into()],
    };
    assert_eq!(store.put_calibration(&first).await.unwrap(), 1);
    assert_eq!(
        store.put_calibration(&first).await.unwrap(),
        1,
        "the same inputs are the same version"
    );
    first.inputs = "cd".into();
    first.applied = false;
    assert_eq!(store.put_calibration(&first).await.unwrap(), 2);
    let all = store.calibrations("soil_moisture", "ndmi").await.unwrap();
    let versions: Vec<_> = all.iter().map(|c| (c.version, c.applied)).collect();
    assert_eq!(versions, [(2, false), (1, true)], "newest first");
    assert_eq!(all[1].corrected(0.5), Some(0.5));
    assert_eq!(
        all[0].corrected(0.5),
        None,
        "not applied: there is the raw value only"
    );
    assert!(store.calibrations("ph", "ndmi").await.unwrap().is_empty());
    let revision = store.revision().await.unwrap();
    first.collection = "evi".into();
    first.applied = true;
    assert_eq!(store.put_calibration(&first).await.unwrap(), 1);
    assert!(
        store.revision().await.unwrap() > revision,
        "readers ask for corrections anew"
    );
    let all = store.all_calibrations().await.unwrap();
    let listed: Vec<_> = all.iter().map(|c| (c.collection.as_str(), c.version)).collect();
    assert_eq!(listed, [("evi", 1), ("ndmi", 2), ("ndmi", 1)]);
    assert_eq!(in_use(&all, "evi").map(|c| c.version), Some(1));
    assert_eq!(
        in_use(&all, "ndmi"),
        None,
        "the newest is not applied, and the one before it not any more"
    );
}

/// A square of 0.01 degrees with its south-west corner at the point.
fn square(west: f64, south: f64) -> Geometry<f64> {
    let (east, north) = (west + 0.01, south + 0.01);
    let ring = vec![
        (west, south),
        (east, south),
        (east, north),
        (west, north),
        (west, south),
    ];
    Geometry::Polygon(Polygon::new(ring.into(), vec![]))
}

#[cfg(test)]
mod tests {
    use super::super::{SqliteStore, Store};

    #[tokio::test]
    async fn sqlite_conforms() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let open = |name: &str| SqliteStore::open(&folder.path().join(name)).expect("opens");
        super::all(&open("items.sqlite")).await;
        super::features(&open("features.sqlite")).await;
        super::seasons(&open("seasons.sqlite")).await;
        super::calibrations(&open("calibrations.sqlite")).await;
        super::fires(&open("fires.sqlite")).await;
        super::observations(&open("observations.sqlite")).await;
        super::inundations(&open("inundations.sqlite")).await;
        super::disclosure(&open("disclosure.sqlite")).await;
        super::digests(&open("one.sqlite"), &open("other.sqlite")).await;
        super::ledger(&open("ledger.sqlite")).await;
        super::objects(&open("objects.sqlite")).await;
        super::withdrawals(&open("withdrawals.sqlite")).await;
        super::dataset_digests(&open("digests.sqlite"), &open("contents.sqlite")).await;
        super::batches(&open("batch.sqlite"), &open("few.sqlite")).await;
        // whatever was written, replaced and deleted: the rows are those that were added up
        let names = [
            "items",
            "features",
            "seasons",
            "calibrations",
            "fires",
            "observations",
            "inundations",
            "one",
            "other",
            "ledger",
            "withdrawals",
            "digests",
            "contents",
            "batch",
            "few",
        ];
        for name in names {
            let store = SqliteStore::open_read_only(&folder.path().join(format!("{name}.sqlite")));
            let damage = store.expect("opens").damage().await.expect("read");
            assert!(damage.is_empty(), "{name}: {damage:?}");
            let log = folder.path().join(format!("{name}.sqlite-wal"));
            assert!(!log.exists(), "a store that was closed is one file");
        }
    }

    #[tokio::test]
    async fn sqlite_in_memory_conforms() {
        super::all(&SqliteStore::in_memory().expect("opens")).await;
        super::features(&SqliteStore::in_memory().expect("opens")).await;
        super::seasons(&SqliteStore::in_memory().expect("opens")).await;
        super::calibrations(&SqliteStore::in_memory().expect("opens")).await;
        super::fires(&SqliteStore::in_memory().expect("opens")).await;
        super::observations(&SqliteStore::in_memory().expect("opens")).await;
        super::inundations(&SqliteStore::in_memory().expect("opens")).await;
        super::disclosure(&SqliteStore::in_memory().expect("opens")).await;
        super::ledger(&SqliteStore::in_memory().expect("opens")).await;
        super::objects(&SqliteStore::in_memory().expect("opens")).await;
        super::withdrawals(&SqliteStore::in_memory().expect("opens")).await;
        let (one, other) = (SqliteStore::in_memory(), SqliteStore::in_memory());
        super::dataset_digests(&one.expect("opens"), &other.expect("opens")).await;
        let (one, other) = (SqliteStore::in_memory(), SqliteStore::in_memory());
        super::batches(&one.expect("opens"), &other.expect("opens")).await;
    }
}
