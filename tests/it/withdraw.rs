//! What was wrong is taken back, what was made from it is made without it, and all of it comes back.

use crate::harness::{Sen, step};
use crate::scenes::{self, RICE, WATER, ring};
use geo_types::{LineString, Polygon};
use sen_catalog::{Feature, store};
use serde_json::Value;
use std::fs;

const LAYER: &str = "dyke_compartments";

/// A scene in W33, two in W34, compartments, and a gauge that is read every day.
fn province() -> Sen {
    let sen = Sen::new();
    let source = sen.path("source");
    for (day, wet) in [("11", 20), ("18", 50), ("20", 90)] {
        let id = format!("S2A_48PWS_202608{day}_0_L2A");
        let at = format!("2026-08-{day}T03:21:31Z");
        scenes::sentinel2(
            &source,
            &id,
            &at,
            |column, _| if column < wet { WATER } else { RICE },
        );
    }
    sen.ingest(&source, &["--no-process"]).expect(0);
    let features = (0..4_u32).map(|index| {
        let outline = LineString::from(ring(f64::from(index) * 30.0 + 2.0, 10.0, 24.0));
        Feature::new(LAYER, format!("OB-{index}"), Polygon::new(outline, vec![]).into())
    });
    let mut gauge = Feature::new(
        "stations",
        "TV-01",
        geo_types::Point::from(scenes::lon_lat(60, 60)).into(),
    );
    gauge.properties.insert("interval_s".into(), 86_400.into());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let store = store::open("catalog.sqlite", &sen.data()).expect("opens");
    runtime
        .block_on(store.put_features(features.chain([gauge]).collect()))
        .expect("stored");
    drop(store);
    let table = sen.path("level.csv");
    let rows = (1..=28).map(|day| format!("2026-08-{day:02}T07:00:00+07:00,TV-01,1.{day:02}\n"));
    fs::write(
        &table,
        format!("time,station,level_m\n{}", rows.collect::<String>()),
    )
    .expect("written");
    sen.run(&["import", "observations", table.to_str().expect("UTF-8")])
        .expect(0);
    sen.run(&["process"]).expect(0);
    sen
}

fn weeks_of(sen: &Sen, collection: &str) -> Vec<String> {
    let service = sen.serve();
    let periods = service.json(&format!("/api/v1/periods/{collection}"));
    let all = periods["periods"]
        .as_array()
        .unwrap_or_else(|| panic!("{periods}"));
    let name = |one: &Value| {
        one["period"]
            .as_str()
            .or(one.as_str())
            .expect("a week")
            .to_owned()
    };
    all.iter().map(name).collect()
}

#[test]
fn a_scene_is_taken_back_with_its_week_and_both_come_back() {
    let sen = province();
    let digest = sen.digest();
    let only = "sentinel-2-l2a/S2A_48PWS_20260811_0_L2A";
    let said = sen
        .run(&["--json", "withdraw", only, "--reason", "striped"])
        .expect(0)
        .json();
    assert!(
        step(&said["weekly"], "rasters")["notes"]
            .to_string()
            .contains("is withdrawn"),
        "{said}"
    );
    assert_eq!(weeks_of(&sen, "ndvi"), ["2026-W34"]);
    assert_eq!(weeks_of(&sen, "flood"), ["2026-W34"]);
    sen.run(&["check"]).expect(0);
    let listed = sen.run(&["withdraw", "--list"]).expect(0).stdout;
    assert!(listed.contains(only) && listed.contains("striped"), "{listed}");
    // it is not taken in again by the way
    let again = sen.ingest(&sen.path("source"), &[]).expect(0).text();
    assert!(again.contains("is withdrawn and not taken in"), "{again}");
    assert_eq!(weeks_of(&sen, "ndvi"), ["2026-W34"]);

    sen.run(&["withdraw", only, "--undo"]).expect(0);
    assert_eq!(sen.digest(), digest);
    assert_eq!(weeks_of(&sen, "ndvi"), ["2026-W33", "2026-W34"]);
    sen.run(&["check"]).expect(0);

    // one of two: its week is made of the other one
    let one = "sentinel-2-l2a/S2A_48PWS_20260820_0_L2A";
    sen.run(&["withdraw", one, "--no-process"]).expect(0);
    let told = sen.run(&["process", "--explain"]).expect(0).stdout;
    assert!(told.contains("collection/ndvi 2026-W34"), "{told}");
    sen.run(&["process"]).expect(0);
    assert_eq!(weeks_of(&sen, "ndvi"), ["2026-W33", "2026-W34"]);
    assert_ne!(sen.digest(), digest);
    sen.run(&["withdraw", one, "--undo"]).expect(0);
    assert_eq!(sen.digest(), digest);
}

#[test]
fn a_zone_and_readings_are_taken_back_and_come_back() {
    let sen = province();
    let digest = sen.digest();
    sen.run(&["withdraw", LAYER, "OB-2"]).expect(0);
    let service = sen.serve();
    assert_eq!(service.get(&format!("/api/v1/zones/{LAYER}/OB-2")).status(), 404);
    let address = format!("/api/v1/zones/{LAYER}/values?collection=ndvi&datetime=2026-W34&statistic=mean");
    assert!(!service.json(&address).to_string().contains("OB-2"));
    drop(service);
    sen.run(&["withdraw", LAYER, "OB-2", "--undo"]).expect(0);
    assert_eq!(sen.digest(), digest);

    let said = sen
        .run(&["withdraw", "TV-01/level", "--period", "2026-08-17/2026-08-19"])
        .expect(0)
        .stdout;
    assert!(said.contains("3 readings"), "{said}");
    assert_ne!(sen.digest(), digest);
    let table = sen.path("level.csv");
    let path = table.to_str().expect("UTF-8");
    sen.run(&["import", "observations", path]).expect(0);
    let refused = sen.run(&["withdraw", "TV-01/level", "--undo"]).expect(1).text();
    assert!(refused.contains("was taken in since"), "{refused}");
    let days = ["withdraw", "TV-01/level", "--period", "2026-08-17/2026-08-19"];
    sen.run(&days).expect(0);
    sen.run(&["withdraw", "TV-01/level", "--undo"]).expect(0);
    assert_eq!(sen.digest(), digest, "the newest of the same comes back");
    sen.run(&["check"]).expect(0);

    for (words, told) in [
        (vec!["ndvi/ndvi_2026-W34"], "is made by steps"),
        (vec!["sentinel-2-l2a/nobody"], "there is no sentinel-2-l2a/nobody"),
        (vec!["TV-01"], "neither COLLECTION/ID"),
        (vec![LAYER, "OB-9"], "there is no dyke_compartments OB-9"),
        (
            vec!["TV-01/level", "--period", "2026-08-19/2026-08-17"],
            "ends before it begins",
        ),
    ] {
        let mut all = vec!["withdraw"];
        all.extend(words);
        let run = sen.run(&all);
        assert!(run.code != Some(0) && run.text().contains(told), "{}", run.text());
    }
}
