//! The change of 2025-07-01 in small: 82 was Tien Giang and is Dong Thap, 87 is gone.

use super::*;
use crate::Feature;
use crate::store::{AdminUnits, Features, Put, SqliteStore, UnitQuery};
use chrono::NaiveDate;
use geo_types::{Geometry, Polygon};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn unit(level: Level, code: &str, name: &str, parent: Option<&str>, now: bool) -> AdminUnit {
    let change = day("2025-07-01");
    AdminUnit {
        level,
        code: code.into(),
        valid_from: now.then_some(change),
        valid_to: (!now).then_some(change),
        name: name.into(),
        parent: parent.map(str::to_owned),
        predecessors: Vec::new(),
    }
}

fn units() -> Vec<AdminUnit> {
    use Level::{Commune, District, Province};
    vec![
        unit(Province, "87", "Tỉnh Đồng Tháp", None, false),
        unit(Province, "82", "Tỉnh Tiền Giang", None, false),
        unit(District, "866", "Thành phố Cao Lãnh", Some("87"), false),
        unit(District, "871", "Huyện Tam Nông", Some("87"), false),
        unit(District, "815", "Thành phố Mỹ Tho", Some("82"), false),
        unit(Commune, "29869", "Phường 1", Some("866"), false),
        unit(Commune, "30001", "Thị trấn Tràm Chim", Some("871"), false),
        unit(Commune, "28249", "Phường 5", Some("815"), false),
        unit(Province, "82", "Tỉnh Đồng Tháp", None, true),
        unit(Commune, "29869", "Phường Cao Lãnh", Some("82"), true),
        unit(Commune, "30001", "Xã Tràm Chim", Some("82"), true),
        unit(Commune, "28249", "Phường Mỹ Tho", Some("82"), true),
    ]
}

fn rectangle(west: f64, south: f64, east: f64, north: f64) -> Geometry<f64> {
    let ring = vec![
        (west, south),
        (east, south),
        (east, north),
        (west, north),
        (west, south),
    ];
    Geometry::Polygon(Polygon::new(ring.into(), vec![]))
}

async fn store() -> SqliteStore {
    let store = SqliteStore::in_memory().expect("opens");
    let outcomes = store.put_units(units()).await.expect("stored");
    assert!(outcomes.iter().all(|put| *put == Put::Added));
    assert_eq!(
        store.put_units(units()).await.expect("stored"),
        vec![Put::Unchanged; 12]
    );
    link(&store).await.expect("linked");
    store
}

async fn one(store: &SqliteStore, level: Level, code: &str, on: &str) -> AdminUnit {
    let query = UnitQuery {
        level: Some(level),
        code: Some(code.into()),
        valid_on: Some(day(on)),
        ..UnitQuery::default()
    };
    let mut units = store.units(&query).await.expect("answers");
    assert_eq!(units.len(), 1, "{code} on {on}");
    units.remove(0)
}

#[tokio::test]
async fn a_code_names_another_unit_after_the_change() {
    let store = store().await;
    assert_eq!(
        one(&store, Level::Province, "82", "2025-06-30").await.name,
        "Tỉnh Tiền Giang"
    );
    let now = one(&store, Level::Province, "82", "2025-07-01").await;
    assert_eq!(now.name, "Tỉnh Đồng Tháp");
    let made_of: Vec<_> = now
        .predecessors
        .iter()
        .map(|link| (link.code.as_str(), link.basis))
        .collect();
    assert_eq!(made_of, [("82", Basis::Communes), ("87", Basis::Communes)]);
    let tram_chim = one(&store, Level::Commune, "30001", "2026-01-01").await;
    assert_eq!(tram_chim.predecessors[0].code, "30001");
    assert_eq!(tram_chim.predecessors[0].basis, Basis::Name);
    assert!(
        one(&store, Level::Commune, "29869", "2026-01-01")
            .await
            .predecessors
            .is_empty(),
        "the same code alone proves nothing"
    );
}

#[tokio::test]
async fn a_zone_is_cast_to_either_hierarchy_by_the_code_it_belongs_to() {
    let store = store().await;
    let mut plot = Feature::new("plots", "A", rectangle(105.6, 10.4, 105.601, 10.401));
    plot.parent = Some("30001".into());
    let old = day("2024-06-01");
    let new = day("2026-06-01");
    assert_eq!(
        unit_of(&store, &plot, Level::Province, old)
            .await
            .expect("answers"),
        None,
        "a bare code of two times names no unit"
    );
    plot.properties.insert("parent_on".into(), "2024-06-01".into());
    let district = unit_of(&store, &plot, Level::District, old)
        .await
        .expect("answers")
        .expect("found");
    assert_eq!((district.unit.code.as_str(), district.how), ("871", How::Parent));
    let commune = unit_of(&store, &plot, Level::Commune, new)
        .await
        .expect("answers")
        .expect("found");
    assert_eq!(
        (commune.unit.name.as_str(), commune.how),
        ("Xã Tràm Chim", How::Succession)
    );
    let province = unit_of(&store, &plot, Level::Province, new)
        .await
        .expect("answers")
        .expect("found");
    assert_eq!(
        (province.unit.code.as_str(), province.unit.name.as_str()),
        ("82", "Tỉnh Đồng Tháp")
    );
    assert_eq!(
        unit_of(&store, &plot, Level::District, new)
            .await
            .expect("answers"),
        None,
        "there are none any more"
    );
}

#[tokio::test]
async fn polygons_measure_shares_and_place_zones() {
    let store = store().await;
    let change = day("2025-07-01");
    let area = |code: &str, geometry, now: bool| {
        let mut feature = Feature::new(LAYER, code, geometry);
        feature.valid_from = now.then_some(change);
        feature.valid_to = (!now).then_some(change);
        feature
    };
    // the old 87 is the western three fifths of the new 82
    let features = vec![
        area("87", rectangle(105.0, 10.0, 105.6, 10.5), false),
        area("82", rectangle(105.0, 10.0, 106.0, 10.5), true),
        area("866", rectangle(105.0, 10.0, 105.3, 10.5), false),
        area("871", rectangle(105.3, 10.0, 105.6, 10.5), false),
    ];
    store.put_features(features).await.expect("stored");
    link(&store).await.expect("linked");
    let now = one(&store, Level::Province, "82", "2026-01-01").await;
    let old = now
        .predecessors
        .iter()
        .find(|link| link.code == "87")
        .expect("linked");
    assert_eq!(old.basis, Basis::Geometry);
    assert!((old.share.expect("measured") - 1.0).abs() < 1e-9);
    assert!((old.part.expect("measured") - 0.6).abs() < 1e-9);

    let across = Feature::new("plots", "B", rectangle(105.29, 10.1, 105.33, 10.11));
    let placed = unit_of(&store, &across, Level::District, day("2024-01-01"))
        .await
        .expect("answers")
        .expect("found");
    assert_eq!(
        (placed.unit.name.as_str(), placed.how),
        ("Huyện Tam Nông", How::Geometry)
    );
    assert!((placed.share - 0.75).abs() < 1e-6, "{}", placed.share);
    let inside = Feature::new("stations", "S", geo_types::Point::new(105.1, 10.2).into());
    let placed = unit_of(&store, &inside, Level::Province, day("2026-01-01"))
        .await
        .expect("answers")
        .expect("found");
    assert_eq!(placed.unit.name, "Tỉnh Đồng Tháp");
}

#[test]
fn levels_are_read_in_two_languages() {
    for (text, level) in [
        ("Huyện", Level::District),
        ("commune", Level::Commune),
        ("1", Level::Province),
    ] {
        assert_eq!(text.parse::<Level>().expect("a level"), level);
    }
    assert!("thôn".parse::<Level>().is_err());
    assert_eq!(Level::of_code("00123"), Some(Level::Commune));
    assert_eq!(Level::of_code("VN34"), None);
}

#[test]
fn every_word_for_a_unit_has_its_level() {
    for (word, code, level) in [
        ("Tỉnh", "89", Level::Province),
        ("Thành phố", "92", Level::Province),
        ("Thành phố", "866", Level::District),
        ("TP.", "866", Level::District),
        ("thành phố trực thuộc trung ương", "92", Level::Province),
        ("Thị xã", "868", Level::District),
        ("THỊ XÃ", "868", Level::District),
        ("Huyện", "886", Level::District),
        ("quan", "001", Level::District),
        ("Thị trấn", "30337", Level::Commune),
        ("thi tran", "30337", Level::Commune),
        ("Phường", "29869", Level::Commune),
        ("XÃ", "30001", Level::Commune),
        ("Đặc khu", "31105", Level::Commune),
        ("dac khu", "31105", Level::Commune),
        ("Cấp xã", "31105", Level::Commune),
        ("TT", "30337", Level::Commune),
        ("3", "30337", Level::Commune),
    ] {
        assert_eq!(Level::of_word(word, code).expect(word), level, "{word}");
    }
    assert!(Level::of_word("Ấp", "1").is_err());
    for (name, code, level) in [
        ("Thị trấn An Phú", "30337", Some(Level::Commune)),
        ("Thị xã Hồng Ngự", "868", Some(Level::District)),
        ("Thành phố Cao Lãnh", "866", Some(Level::District)),
        ("Thành phố Cần Thơ", "92", Some(Level::Province)),
        ("Xã Tân Hòa", "1", Some(Level::Commune)),
        ("Tân Hòa", "1", None),
        ("T Hòa", "1", None),
    ] {
        assert_eq!(Level::of_name(name, code), level, "{name}");
    }
}
