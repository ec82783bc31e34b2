//! A data folder that an earlier version left behind opens as it is: `tests/it/old_folder/{version}/` holds one for each
//! layout of the catalogue there has been, made by `make.rs` with the binary of its time and never changed afterwards.

mod dump;
mod make;

use crate::harness::{Sen, count, step};
use crate::scenes;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The week whose layers the folders hold.
const WEEK: &str = "2026-W34";

/// The rows as SQL; everything else in the folder lies as in a data folder.
const ROWS: &str = "catalog.sql";

/// What `sen check --digest` said of the folder when it was made.
const DIGEST: &str = "digest.txt";

/// The process of [`WEEK`] that made its layers.
const PROCESS: [&str; 9] = [
    "--json",
    "process",
    "--period",
    WEEK,
    "--product",
    "ndvi",
    "flood",
    "fire_danger",
    "flood_depth",
];

fn fixture_folder(version: i64) -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/old_folder");
    folders.join(version.to_string())
}

/// Copies a folder and all in it.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// The folder of a version in a place of the test's own, and the digest it had.
fn restore_folder(version: i64) -> (Sen, String) {
    let (sen, from) = (Sen::new(), fixture_folder(version));
    copy_folder(&from, &sen.data());
    let take = |name: &str| {
        let path = sen.data().join(name);
        let text = fs::read_to_string(&path).expect("in the fixture");
        fs::remove_file(path).expect("removed");
        text
    };
    let (rows, digest) = (take(ROWS), take(DIGEST));
    dump::restore_dump(&rows, &sen.data().join("catalog.sqlite"));
    (sen, digest)
}

fn layout(catalogue: &Path) -> i64 {
    let rows = Connection::open(catalogue).expect("a catalogue");
    rows.pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("a number")
}

#[test]
fn a_folder_killed_on_its_way_to_the_newest_layout_goes_on_from_where_it_was() {
    let (sen, _) = restore_folder(1);
    let catalogue = sen.data().join("catalog.sqlite");
    let many = Connection::open(&catalogue).expect("a catalogue");
    many.execute_batch(
        "DELETE FROM content_sum WHERE name = 'observation';
         INSERT OR IGNORE INTO observation
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
             SELECT (SELECT min(id) FROM datastream), 1600000000000 + i * 900000, i % 97, 1, 0, 2, 0 FROM n",
    )
    .expect("readings");
    drop(many);
    let mut killed = 0;
    for step in 0..10_u64 {
        let mut child = sen
            .command(&["init"])
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        std::thread::sleep(Duration::from_millis(20 + step * 60));
        let _ = child.kill();
        killed += u32::from(!child.wait().expect("ends").success());
        if layout(&catalogue) == 1 {
            let said = sen.run(&["check"]).expect(1).text();
            assert!(said.contains("older version of sen"), "{said}");
        }
    }
    assert!(
        killed > 1,
        "the delays are too long to interrupt anything: {killed}"
    );
    sen.run(&["init"]).expect(0);
    let said = sen.run(&["check"]).expect(0).stdout;
    assert!(said.contains("all is well"), "{said}");
    let count = |name: &str| -> i64 {
        let rows = Connection::open(sen.data().join(name)).expect("a catalogue");
        rows.query_row("SELECT count(*) FROM observation", [], |row| row.get(0))
            .expect("rows")
    };
    assert_eq!(layout(&sen.data().join("catalog.sqlite.before-2")), 1);
    assert_eq!(count("catalog.sqlite.before-2"), count("catalog.sqlite"));
    let left = fs::read_dir(sen.data()).expect("listed").flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")),
        "{left:?}"
    );
}

#[test]
fn a_folder_of_the_first_layout_is_whole_is_served_and_has_nothing_to_make() {
    let (sen, _) = restore_folder(1);
    // who only reads changes nothing, and says who may
    let said = sen.run(&["check"]).expect(1).text();
    assert!(
        said.contains("older version of sen") && said.contains("init"),
        "{said}"
    );
    sen.run(&["init"]).expect(0);
    assert_eq!(layout(&sen.data().join("catalog.sqlite.before-2")), 1);
    let said = sen.run(&["check"]).expect(0).stdout;
    assert!(said.contains("all is well"), "{said}");
    // layout 3 gave the flood as the satellites saw it items of its own
    let digest = sen.digest();

    let service = sen.serve();
    let (zoom, x, y) = scenes::tile(14, 90, 40);
    let (pixels, side) = service.rgba(&format!("/ndvi/{zoom}/{x}/{y}.png?datetime={WEEK}"));
    assert_eq!(pixels.len(), side * side);
    assert!(pixels.iter().any(|pixel| pixel[3] == 255), "rice has a colour");
    let value = |column: usize, row: usize, collection: &str| {
        let (lon, lat) = scenes::lon_lat(column, row);
        let answer = service.json(&format!("/api/v1/point/{lon:.6},{lat:.6}?datetime={WEEK}"));
        let layers = answer["layers"].as_array().expect("layers");
        let of = |layer: &&Value| layer["collection"] == collection;
        layers.iter().find(of).unwrap_or_else(|| panic!("{answer}"))["value"].clone()
    };
    assert!((value(90, 40, "ndvi").as_f64().expect("seen") - 0.7778).abs() < 1e-4);
    assert_eq!(value(40, 30, "flood"), json!(5.0), "the river's flood");
    service.stop();

    // its scenes are gone: whatever would be made anew would fail
    let again = sen.run(&PROCESS).expect(0).json();
    for (name, layer) in [
        ("rasters", "ndvi"),
        ("rasters", "flood_observed"),
        ("flood", "flood"),
        ("fire_danger", "fire_danger"),
        ("flood_depth", "flood_depth"),
    ] {
        assert_eq!(step(&again, name)["units"], json!([]), "{again}");
        let dataset = format!("collection/{layer}");
        assert!(count(&again, name, &dataset, "up_to_date") > 0, "{again}");
    }
    assert_eq!(sen.digest(), digest, "{again}");
}
