//! The suite of [`Ledger`](crate::store::Ledger).

use super::{square, weekly_item};
use crate::calibration::Calibration;
use crate::feature::Feature;
use crate::fire::ChangeSettings;
use crate::fire::change::{ForestWeek, judge};
use crate::observation::{Datastream, Flag, Observation, Reading};
use crate::period::Period;
use crate::qartod::{Tests, defaults};
use crate::run::{ContentDigest, Dataset, DatasetDigests, Fingerprint, LedgerEntry, Unit};
use crate::season::Season;
use crate::store::Store;
use chrono::{DateTime, Duration, Utc};
use geo_types::{Geometry, MultiPolygon};
use serde_json::{Map, json};

/// Entries are replaced by step and unit, found again, and seen by no reader.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn ledger(store: &dyn Store) {
    let entry = |step: &str, week: Option<&str>, made_of: &str| LedgerEntry {
        unit: Unit {
            dataset: Dataset::Collection("ndvi".into()),
            period: week.map(|week| week.parse().unwrap()),
        },
        step: step.into(),
        version: 3,
        fingerprint: Fingerprint(vec![
            (
                "scenes/sentinel-2-l2a".into(),
                ContentDigest::of(made_of.as_bytes()),
            ),
            ("settings".into(), ContentDigest::of(b"{}")),
        ]),
        output: ContentDigest::of(b"pixels"),
    };
    let first = entry("ndvi", Some("2026-W34"), "a");
    let revision = store.revision().await.unwrap();
    assert!(store.ledger_entries("ndvi").await.unwrap().is_empty());
    let second = entry("ndvi", Some("2026-W33"), "b");
    let other = entry("forest", None, "c");
    let all = vec![first.clone(), second.clone(), other.clone()];
    store.put_ledger_entries(all).await.unwrap();
    assert_eq!(
        store.ledger_entries("ndvi").await.unwrap(),
        [second.clone(), first.clone()]
    );
    let found = store.ledger_entry("forest", &other.unit).await.unwrap();
    assert_eq!(found, Some(other), "of all weeks");
    assert_eq!(store.ledger_entry("forest", &first.unit).await.unwrap(), None);

    let again = entry("ndvi", Some("2026-W34"), "z");
    store.put_ledger_entries(vec![again.clone()]).await.unwrap();
    let now = store.ledger_entry("ndvi", &first.unit).await.unwrap().unwrap();
    assert_eq!(now, again, "in place of what was said before");
    assert_eq!(
        now.fingerprint.differing_parts(&first.fingerprint),
        ["scenes/sentinel-2-l2a"]
    );
    assert_eq!(store.revision().await.unwrap(), revision);
    assert_eq!(store.digests().await.unwrap(), DatasetDigests::default());
}

/// The datastreams and features that the contents below hang on.
struct Places {
    streams: Vec<i64>,
    plots: Vec<i64>,
}

/// Kinds of contents.
const CONTENTS: usize = 9;

#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
fn at(index: usize) -> DateTime<Utc> {
    let start: DateTime<Utc> = "2026-08-23T14:00:00Z".parse().unwrap();
    start + Duration::minutes(15 * index as i64)
}

/// Readings of two weeks that the tests find fault with here and there.
fn readings(stream: usize, disturbed: bool) -> Vec<Reading> {
    let value = |index: usize| {
        let tide = (index as f64 / 9.0).sin() + stream as f64;
        if index == 11 || (disturbed && index.is_multiple_of(3)) {
            tide + 7.5
        } else {
            tide
        }
    };
    (0..30)
        .map(|index| Reading {
            time: at(index),
            value: (index != 17).then(|| value(index)),
            given: Flag::NotEvaluated,
            fields: Map::new(),
        })
        .collect()
}

fn plots() -> Vec<Feature> {
    ["A", "B", "C"]
        .map(|code| Feature::new("plots", code, square(105.60, 10.40)))
        .to_vec()
}

#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn places(store: &dyn Store) -> Places {
    let mut streams = Vec::new();
    for station in ["TV-01", "KM-04"] {
        let datastream = Datastream {
            id: 0,
            station: station.into(),
            property: "water_level".into(),
            unit: "m".into(),
            name: String::new(),
        };
        streams.push(store.put_datastream(&datastream).await.unwrap());
    }
    store.put_features(plots()).await.unwrap();
    let mut fids = Vec::new();
    for plot in plots() {
        let kept = store.feature("plots", &plot.code, None).await.unwrap();
        fids.push(kept.unwrap().fid);
    }
    let plots = fids;
    Places { streams, plots }
}

fn tests() -> Tests {
    Tests {
        interval_s: Some(900),
        ..defaults("water_level")
    }
}

/// Puts one kind of contents as it is at the end, or as it is not.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn put(store: &dyn Store, places: &Places, kind: usize, disturbed: bool) {
    let week: Period = "2026-W34".parse().unwrap();
    let fid = places.plots[1];
    match kind {
        0 | 1 => {
            for reading in readings(kind, disturbed).chunks(7).rev() {
                let stream = places.streams[kind];
                store.record(stream, reading.to_vec(), &tests()).await.unwrap();
            }
        }
        2 => {
            for collection in ["ndvi", "sentinel-2-l2a"] {
                let mut item = weekly_item(collection, week);
                let mut table = item.main_asset().unwrap().clone();
                table.href = format!("{collection}/statistics_plots.arrow");
                table.sha256 = Some(if disturbed { "cd" } else { "ef" }.repeat(32));
                item.assets.insert("statistics_plots".into(), table);
                item.lineage.clear();
                store.put_item(&item).await.unwrap();
                let next = weekly_item(collection, week.next());
                if disturbed {
                    store.put_item(&next).await.unwrap();
                } else {
                    store.delete_item(collection, &next.id).await.unwrap();
                }
            }
        }
        3 => {
            let mut features = plots();
            features[0].name = disturbed.then(|| "Ruộng ông Bảy".into());
            features[1].geometry = square(if disturbed { 105.0 } else { 105.6 }, 10.4);
            store.put_features(features).await.unwrap();
        }
        4 => {
            let season = |days| Season {
                season: "2026-he-thu".into(),
                sowing: Some(week.first_day() + Duration::days(days)),
                heading: None,
                harvest: None,
                lost: None,
                sowing_uncertainty_days: Some(4.5),
                heading_uncertainty_days: None,
                harvest_uncertainty_days: None,
            };
            let own = if disturbed {
                vec![season(1), season(2)]
            } else {
                vec![season(0)]
            };
            store.put_seasons(vec![(fid, own)]).await.unwrap();
        }
        5 => {
            let weeks = if disturbed {
                vec![week, week.next()]
            } else {
                vec![week.previous()]
            };
            let records = weeks.into_iter().map(|week| super::inundations::week(fid, week));
            store.put_inundations("plots", records.collect()).await.unwrap();
        }
        6 => {
            let change = ForestWeek {
                from: week.first_day(),
                nbr: Some(if disturbed { 0.1 } else { 0.6 }),
                ..ForestWeek::default()
            };
            let change = judge(vec![change], &ChangeSettings::default());
            store.put_forest_change(vec![(fid, change)]).await.unwrap();
            let day = super::fires::danger_day(week.first_day(), (!disturbed).then_some(12.5));
            store.put_danger(vec![(fid, vec![day])]).await.unwrap();
        }
        7 => {
            let mut grid = weekly_item("ndvi", week).grid;
            grid.west += f64::from(u8::from(disturbed)) * 10.0;
            store.put_grid(&grid).await.unwrap();
        }
        // versions are never taken back
        _ => {
            let calibration = Calibration {
                property: "soil_moisture".into(),
                collection: "ndmi".into(),
                version: 0,
                inputs: "ab".into(),
                slope: 0.8,
                intercept: 0.1,
                applied: true,
                reason: String::new(),
                figures: Map::from_iter([("n".into(), json!(40))]),
                lineage: Vec::new(),
            };
            store.put_calibration(&calibration).await.unwrap();
        }
    }
}

/// A store with contents of every kind.
pub(super) async fn fill(store: &dyn Store) {
    let places = places(store).await;
    for kind in 0..CONTENTS {
        put(store, &places, kind, false).await;
    }
}

/// Digests are those of the rows after any work in any order, and those of other contents are others. The stores are empty, and
/// come to the same contents.
///
/// # Panics
/// When the stores depart from the contract of [`Ledger::digests`](crate::store::Ledger::digests).
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn dataset_digests(one: &dyn Store, other: &dyn Store) {
    let (here, there) = (places(one).await, places(other).await);
    let bare = one.digests().await.unwrap();
    let mut number = 1_u64;
    let mut next = |below: usize| {
        // Knuth's MMIX: the same order in every run
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as usize % below
    };
    for _ in 0..40 {
        let (kind, disturbed) = (next(CONTENTS), next(2) == 1);
        put(one, &here, kind, disturbed).await;
        let damage = one.damage().await.unwrap();
        assert!(damage.is_empty(), "kind {kind}, {disturbed}: {damage:?}");
    }
    // a transaction that is rolled back leaves nothing
    let before = one.digests().await.unwrap();
    let nothing = Feature::new("plots", "D", Geometry::MultiPolygon(MultiPolygon(vec![])));
    let mut changed = plots();
    changed[2].name = Some("another".into());
    changed.push(nothing);
    one.put_features(changed).await.unwrap_err();
    assert_eq!(one.digests().await.unwrap(), before);

    for kind in 0..CONTENTS {
        put(other, &there, kind, false).await;
    }
    let mut left: Vec<usize> = (0..CONTENTS).collect();
    while !left.is_empty() {
        put(one, &here, left.remove(next(left.len())), false).await;
    }
    let whole = other.digests().await.unwrap();
    assert_eq!(one.digests().await.unwrap(), whole, "the same contents");
    for store in [one, other] {
        let damage = store.damage().await.unwrap();
        assert!(damage.is_empty(), "{damage:?}");
    }
    let units: Vec<String> = whole.iter().map(|(unit, _)| unit.to_string()).collect();
    assert_eq!(
        units,
        [
            "scenes/sentinel-2-l2a 2026-W34",
            "collection/ndvi 2026-W34",
            "statistics/ndvi/plots 2026-W34",
            "features/plots",
            "shapes/plots",
            "observations/water_level 2026-W34",
            "observations/water_level 2026-W35",
            "records/calibration",
            "records/crop_season",
            "records/fire_danger_day 2026-W34",
            "records/flood_cause 2026-W33",
            "records/forest_change",
            "setting/grid",
        ]
    );

    each_change_is_seen_where_it_is(other, &there, &whole).await;
    other.delete_features(&there.plots).await.unwrap();
    let emptied = other.digests().await.unwrap();
    let layer = Dataset::Features("plots".into());
    assert!(bare.dataset(&layer).is_some() && emptied.dataset(&layer).is_none());
}

/// What does not count leaves the digests alone, and what counts changes those of its unit.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn each_change_is_seen_where_it_is(store: &dyn Store, places: &Places, whole: &DatasetDigests) {
    let differing = async || {
        let now = store.digests().await.unwrap();
        let changed = whole.iter().filter(|(unit, sum)| now.unit(unit) != Some(*sum));
        changed.map(|(unit, _)| unit.to_string()).collect::<Vec<_>>()
    };
    let mut item = store.item("ndvi", "ndvi_2026-W34").await.unwrap().unwrap();
    item.lineage.push("sentinel-2-l2a/another".into());
    item.properties.insert("sen:share".into(), json!(0.5));
    store.put_item(&item).await.unwrap();
    assert!(differing().await.is_empty(), "properties and lineage");

    item.assets.get_mut("ndvi").unwrap().nodata = Some(255.0);
    store.put_item(&item).await.unwrap();
    assert_eq!(differing().await, ["collection/ndvi 2026-W34"]);
    item.assets.get_mut("ndvi").unwrap().nodata = None;
    store.put_item(&item).await.unwrap();

    let mut plot = plots().remove(2);
    plot.properties.insert("crop".into(), json!("lúa"));
    store.put_features(vec![plot]).await.unwrap();
    assert_eq!(differing().await, ["features/plots"], "an attribute is no shape");
    store.put_features(vec![plots().remove(2)]).await.unwrap();
    assert!(differing().await.is_empty(), "and back");

    // what two stations say, changed over
    let reading = |stream: usize, index: usize, of: usize| Observation {
        datastream: places.streams[stream],
        time: at(index),
        value: readings(of, false)[index].value,
        flag: Flag::Good,
    };
    let put = async |readings| store.put_observations(readings).await.unwrap();
    put(vec![reading(0, 2, 0), reading(1, 2, 1)]).await;
    let straight = store.digests().await.unwrap();
    put(vec![reading(0, 2, 1), reading(1, 2, 0)]).await;
    let crossed = store.digests().await.unwrap();
    let level = Dataset::Observations("water_level".into());
    assert_ne!(straight.dataset(&level), crossed.dataset(&level));
    let next = Unit {
        dataset: level,
        period: "2026-W35".parse().ok(),
    };
    assert_eq!(straight.unit(&next), whole.unit(&next), "the other week stands");
}
