//! Bad input gets a clear error that names it; the rest goes on; nothing half-written is published.

use crate::harness::{Run, Sen};
use crate::scenes::{self, NOTHING, RICE};
use std::fs;
use std::path::Path;

const GOOD: &str = "S2A_48PWS_20260818_0_L2A";
const BAD: &str = "S2B_48PWS_20260825_0_L2A";

/// One good scene and one to be damaged, a week apart.
fn two_scenes() -> (Sen, std::path::PathBuf) {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(&source, GOOD, "2026-08-18T03:21:31Z", |_, _| RICE);
    scenes::sentinel2(&source, BAD, "2026-08-25T03:21:31Z", |_, _| RICE);
    let bad = source.join(BAD);
    (sen, bad)
}

/// The good scene is on the map, and the complaint names the culprit.
fn the_rest_goes_on(sen: &Sen, run: &Run, named: &[&str]) {
    for name in named {
        assert!(
            run.text().contains(name),
            "`{name}` is not named in: {}",
            run.text()
        );
    }
    let periods = sen.serve().json("/api/v1/periods/ndvi");
    let periods = periods["periods"].as_array().expect("periods").clone();
    assert!(periods.contains(&"2026-W34".into()), "{periods:?}");
    sen.run(&["check"]).expect(0);
    assert_eq!(fs::read_dir(sen.data().join("tmp")).expect("tmp").count(), 0);
}

fn edit(path: &Path, change: impl Fn(&mut serde_json::Value)) {
    let mut item: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(path).expect("read")).expect("JSON");
    change(&mut item);
    fs::write(path, item.to_string()).expect("written");
}

#[test]
fn a_truncated_file_is_named() {
    let (sen, bad) = two_scenes();
    let file = bad.join("nir.tif");
    let bytes = fs::read(&file).expect("read");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &["nir.tif"]);
}

#[test]
fn a_file_of_noise_is_named() {
    let (sen, bad) = two_scenes();
    fs::write(
        bad.join("red.tif"),
        (0..5000_u32).map(|n| (n * 7919 % 251) as u8).collect::<Vec<_>>(),
    )
    .expect("written");
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &["red.tif"]);
}

#[test]
fn damaged_blocks_inside_a_sound_file_are_named() {
    let (sen, bad) = two_scenes();
    let file = bad.join("nir.tif");
    let mut bytes = fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 60] {
        *byte ^= 0x5a;
    }
    fs::write(&file, bytes).expect("written");
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &["nir.tif"]);
}

#[test]
fn a_missing_band_is_named() {
    let (sen, bad) = two_scenes();
    fs::remove_file(bad.join("swir16.tif")).expect("removed");
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &["swir16.tif", BAD]);
}

#[test]
fn metadata_that_contradict_the_pixels_are_named() {
    let (sen, bad) = two_scenes();
    edit(&bad.join(format!("{BAD}.json")), |item| {
        let grid = scenes::grid();
        item["properties"]["proj:epsg"] = 32647.into();
        item["properties"]["proj:shape"] = serde_json::json!([grid.height, grid.width]);
        item["properties"]["proj:transform"] =
            serde_json::json!([10.0, 0.0, grid.west, 0.0, -10.0, grid.north]);
        item["properties"]["proj:code"] = "EPSG:32647".into();
    });
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &[BAD, "32647"]);
}

#[test]
fn a_wrong_coordinate_system_alone_is_found_out() {
    let (sen, bad) = two_scenes();
    edit(&bad.join(format!("{BAD}.json")), |item| {
        let properties = item["properties"].as_object_mut().expect("properties");
        properties.retain(|key, _| !key.starts_with("proj:"));
        properties.insert("proj:code".into(), "EPSG:32647".into());
    });
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &[BAD, "32647", "32648"]);
}

#[test]
fn an_item_that_is_no_json_is_named() {
    let (sen, bad) = two_scenes();
    fs::write(
        bad.join(format!("{BAD}.json")),
        "{\"type\": \"Feature\", \"stac_version\": \"1.0.0\", ",
    )
    .expect("written");
    let run = sen.ingest(&sen.path("source"), &[]).expect(1);
    the_rest_goes_on(&sen, &run, &[BAD]);
}

#[test]
fn an_all_nodata_scene_makes_a_week_without_a_look() {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(&source, GOOD, "2026-08-18T03:21:31Z", |_, _| RICE);
    scenes::sentinel2(&source, BAD, "2026-08-25T03:21:31Z", |_, _| NOTHING);
    sen.ingest(&source, &[]);
    let service = sen.serve();
    let (lon, lat) = scenes::lon_lat(64, 64);
    let answer = service.json(&format!("/api/v1/point/{lon:.6},{lat:.6}?datetime=2026-W35"));
    let said = answer["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .any(|layer| layer["value"].is_number());
    assert!(!said, "nothing was seen, so nothing may be said: {answer}");
}

#[test]
fn scenes_without_calibration_metadata_are_refused_until_the_user_says() {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2_with(&source, GOOD, "2026-08-18T03:21:31Z", 1000, None, |_, _| RICE);
    let refused = sen.ingest(&source, &[]).expect(1).text();
    assert!(refused.contains("--offset"), "{refused}");
    sen.ingest(&source, &["--offset", "-1000"]).expect(0);
    let (lon, lat) = scenes::lon_lat(64, 64);
    let answer = sen.serve().json(&format!("/api/v1/point/{lon:.6},{lat:.6}"));
    let ndvi = answer["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .find(|layer| layer["collection"] == "ndvi");
    assert!(
        (ndvi.expect("ndvi")["value"].as_f64().expect("a value") - 0.7778).abs() < 1e-6,
        "{answer}"
    );
}

#[test]
fn offsets_come_from_metadata_on_both_sides_of_the_change() {
    let sen = Sen::new();
    let source = sen.path("source");
    // old baseline, no offset; new baseline not applied; new baseline applied by the mirror: one and the same field
    for (id, day, added, baseline) in [
        ("S2A_48PWS_20260804_0_L2A", "04", 0, ("03.01", false)),
        ("S2A_48PWS_20260811_0_L2A", "11", 1000, ("05.11", false)),
        ("S2A_48PWS_20260818_0_L2A", "18", 0, ("05.11", true)),
    ] {
        let file = scenes::sentinel2_with(
            &source,
            id,
            &format!("2026-08-{day}T03:21:31Z"),
            added,
            Some(baseline),
            |_, _| RICE,
        );
        if baseline.0 == "03.01" {
            edit(&file, |item| {
                for (_, asset) in item["assets"].as_object_mut().expect("assets") {
                    asset.as_object_mut().expect("an asset").remove("raster:bands");
                }
            });
        }
    }
    sen.ingest(&source, &[]).expect(0);
    let (lon, lat) = scenes::lon_lat(64, 64);
    let series = sen
        .serve()
        .json(&format!("/api/v1/point/{lon:.6},{lat:.6}/series?collection=ndvi"));
    let values = series["values"].as_array().expect("values");
    assert_eq!(values.len(), 3, "{series}");
    for value in values {
        assert!(
            (value["value"].as_f64().expect("a value") - 0.7778).abs() < 1e-6,
            "{series}"
        );
    }
}

#[test]
fn an_archive_that_leaves_its_folder_or_swells_is_refused() {
    let sen = Sen::new();
    let evil = sen.path("S2A_MSIL2A_20260818T032131_N0511_R118_T48PWS_20260818T070000.zip");
    let script = r"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('../../escaped.txt', 'x')
    z.writestr('S2A.SAFE/MTD_MSIL2A.xml', b'0' * 300_000_000)
";
    let status = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&evil)
        .status();
    if !status.is_ok_and(|status| status.success()) {
        println!("skipped: no python3 here to make the archive");
        return;
    }
    let run = sen.ingest(&evil, &[]).expect(1);
    assert!(run.text().contains(".zip"), "{}", run.text());
    assert!(!sen.path("../escaped.txt").exists() && !sen.path("escaped.txt").exists());
}

#[test]
fn wrong_usage_and_configuration_do_nothing_and_say_why() {
    let sen = Sen::new();
    for (args, word) in [
        (vec!["ingest"], "PATH"),
        (vec!["ingest", "x", "--bbox", "1,2,3"], "west,south,east,north"),
        (vec!["ingest", "x", "--datetime", "2026-02-30"], "2026-02-30"),
        (vec!["ingest", "x", "--source", "landsat9000"], "landsat9000"),
        (vec!["serve", "--listen", "nonsense"], "nonsense"),
    ] {
        let run = sen.run(&args).expect(2);
        assert!(run.text().contains(word), "{args:?}: {}", run.text());
        if args[0] == "ingest" {
            sen.run(&["init"]).expect(0);
        }
    }
    fs::write(sen.data().join("sen.toml"), "[grid]\ncel_m = 10\n").expect("written");
    let run = sen.run(&["check"]).expect(2);
    assert!(
        run.text().contains("line 2, column 1") && run.text().contains("cell_m"),
        "{}",
        run.text()
    );
}

#[test]
fn a_place_without_scenes_is_said_so() {
    let sen = Sen::new();
    let run = sen.ingest(&sen.path("nowhere"), &[]).expect(1);
    assert!(run.text().contains("nowhere"), "{}", run.text());
    fs::create_dir(sen.path("empty")).expect("folder");
    let run = sen.ingest(&sen.path("empty"), &[]).expect(1);
    assert!(run.text().contains("no imagery"), "{}", run.text());
}

#[test]
fn a_full_disk_publishes_nothing_half_and_a_rerun_finishes() {
    let (sen, _) = two_scenes();
    let small = sen.data();
    fs::create_dir_all(&small).expect("folder");
    let mount = |args: &[&str]| {
        std::process::Command::new("mount")
            .args(args)
            .arg(&small)
            .output()
    };
    let mounted =
        mount(&["-t", "tmpfs", "-o", "size=200k", "tmpfs"]).is_ok_and(|output| output.status.success());
    if !mounted {
        println!("skipped: only root may mount the little disk of this test");
        return;
    }
    let run = sen.ingest(&sen.path("source"), &[]);
    let complaint = run.text();
    let grown = mount(&["-o", "remount,size=100m"]).is_ok_and(|output| output.status.success());
    let again = sen.ingest(&sen.path("source"), &[]);
    let check = sen.run(&["check"]);
    let unmounted = std::process::Command::new("umount")
        .arg("-l")
        .arg(&small)
        .status();
    assert_ne!(run.code, Some(0), "{complaint}");
    assert!(
        complaint.contains("space") || complaint.contains("full"),
        "{complaint}"
    );
    assert!(grown && unmounted.is_ok());
    again.expect(0);
    check.expect(0);
}

#[test]
fn an_unwritable_folder_is_named() {
    let (sen, _) = two_scenes();
    fs::write(sen.data(), "a file where the folder should be").expect("written");
    let run = sen.ingest(&sen.path("source"), &[]);
    assert_ne!(run.code, Some(0));
    assert!(run.text().contains("data"), "{}", run.text());
}
