//! What is made again when something changed, and what is left alone.

use crate::fire::{province, station};
use crate::harness::Sen;
use crate::scenes::{self, RICE};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// The datasets of which a run made something.
fn made(report: &Value) -> BTreeSet<String> {
    let steps = report["steps"].as_array().expect("steps").iter();
    let units = steps.flat_map(|step| step["units"].as_array().expect("units"));
    let made = units.filter(|unit| unit["status"] == "made");
    made.map(|unit| unit["dataset"].as_str().expect("a name").to_owned())
        .collect()
}

fn process(sen: &Sen) -> BTreeSet<String> {
    made(&sen.run(&["--json", "process"]).expect(0).json())
}

fn reading(sen: &Sen, column: &str, value: f64) {
    let path = sen.path("reading.csv");
    fs::write(
        &path,
        format!("time,station,{column}\n2026-08-18T05:30:00+07:00,RT-01,{value}\n"),
    )
    .expect("written");
    sen.run(&["import", "observations", path.to_str().expect("UTF-8")])
        .expect(0);
}

#[test]
fn a_reading_or_a_scene_remakes_what_reads_it_and_nothing_else() {
    let sen = province(&station(&[]));
    assert!(process(&sen).len() > 10);
    let digest = sen.digest();
    assert_eq!(process(&sen), BTreeSet::new());
    assert_eq!(sen.digest(), digest);

    // nobody reads acidity
    reading(&sen, "ph", 7.1);
    assert_eq!(process(&sen), BTreeSet::new());

    // a reading of the temperature by night: the days are counted anew, and come out as they were
    reading(&sen, "temperature_c", 25.0);
    let before = sen.digest();
    let told = sen.run(&["process", "--explain"]).expect(0).stdout;
    assert!(
        told.contains("records/fire_danger_day: is another than when it was made: observations/temperature"),
        "{told}"
    );
    assert!(told.contains("perhaps records/fire_danger_day"), "{told}");
    assert!(!told.contains("collection/ndvi"), "{told}");
    assert_eq!(sen.digest(), before, "nothing is made by it");
    let again = process(&sen);
    assert_eq!(again, BTreeSet::from(["records/fire_danger_day".to_owned()]));
    assert_eq!(process(&sen), BTreeSet::new());

    // a late scene: its week, and what looks at all weeks
    let late = sen.path("late");
    scenes::sentinel2(
        &late,
        "S2B_48PWS_20260825_0_L2A",
        "2026-08-25T03:21:31Z",
        |_, _| RICE,
    );
    let said = sen.ingest(&late, &["--json"]).expect(0).json();
    let units = said["weekly"]["steps"].as_array().expect("steps").iter();
    let units: Vec<&Value> = units
        .flat_map(|step| step["units"].as_array().expect("units"))
        .collect();
    assert!(
        units
            .iter()
            .filter(|unit| unit["status"] == "made" && unit["dataset"] == "collection/ndvi")
            .all(|unit| unit["period"] == "2026-W35"),
        "{said}"
    );
    assert!(
        made(&said["weekly"]).contains("collection/flood_observed"),
        "{said}"
    );
    assert_eq!(process(&sen), BTreeSet::new());

    // a raster that is gone is made again, with nothing else
    fs::remove_file(sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif")).expect("removed");
    assert_eq!(process(&sen), BTreeSet::from(["collection/ndvi".to_owned()]));
    sen.run(&["check"]).expect(0);
}
