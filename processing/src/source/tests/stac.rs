//! STAC Items from files.

use super::*;
use serde_json::{Value, json};

/// An Earth Search item over files beside it, changed by `change`.
fn earth_search(folder: &Path, change: impl FnOnce(&mut Value)) -> String {
    for (name, side) in [("B04.tif", 10), ("B08.tif", 10)] {
        made(&folder.join(name), side, &[vec![1500.0; side * side]], &[]);
    }
    let coarse = Grid {
        cell_width: 20.0,
        cell_height: 20.0,
        ..grid(5)
    };
    crate::gdal_io::write_raster(
        &folder.join("SCL.tif"),
        ("GTiff", "UInt16"),
        &coarse,
        &[vec![4.0; 25]],
        Some(0.0),
        &[],
    );
    let band = |name: &str, common: &str| {
        json!({
            "href": format!("./{name}.tif"), "type": "image/tiff; application=geotiff", "roles": ["data", "reflectance"],
            "eo:bands": [{"name": common, "common_name": common}],
            "proj:shape": [10, 10], "proj:transform": [10, 0, 560_000, 0, -10, 1_150_000],
            "raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}],
        })
    };
    let mut item = json!({
        "type": "Feature", "stac_version": "1.0.0", "id": "S2B_48PWS_20240301_0_L2A", "collection": "sentinel-2-l2a",
        "bbox": [105.548, 10.402, 105.55, 10.404],
        "properties": {
            "datetime": "2024-03-01T03:26:57.024000Z", "platform": "sentinel-2b", "proj:epsg": 32648,
            "s2:processing_baseline": "05.10", "earthsearch:boa_offset_applied": true,
        },
        "links": [],
        "assets": {
            "red": band("B04", "red"), "nir": band("B08", "nir"),
            "red-jp2": {"href": "s3://x/B04.jp2", "type": "image/jp2", "roles": ["data"],
                        "eo:bands": [{"name": "red", "common_name": "red"}]},
            "visual": {"href": "./TCI.tif", "type": "image/tiff", "roles": ["visual"],
                       "eo:bands": [{"common_name": "red"}, {"common_name": "green"}, {"common_name": "blue"}]},
            "scl": {"href": "./SCL.tif", "type": "image/tiff", "roles": ["data"], "proj:shape": [5, 5],
                    "proj:transform": [20, 0, 560_000, 0, -20, 1_150_000]},
        },
    });
    change(&mut item);
    std::fs::write(folder.join("item.json"), item.to_string()).expect("written");
    folder.display().to_string()
}

#[test]
fn an_earth_search_item_whose_pixels_have_the_offset_gets_none() {
    let folder = tempfile::tempdir().expect("folder");
    let scene =
        only(discover(&earth_search(folder.path(), |_| ()), &SourceOptions::default()).expect("imagery"));
    assert_eq!(scene.id, "S2B_48PWS_20240301_0_L2A");
    assert_eq!(scene.assets.keys().collect::<Vec<_>>(), ["nir", "red", "scl"]);
    assert_eq!(
        (scene.assets["red"].scale, scene.assets["red"].offset),
        (1e-4, 0.0)
    );
    assert!(scene.assets["red"].href.ends_with("B04.tif") && scene.assets["red"].sha256.is_some());
    assert_eq!(scene.grid, grid(10));
    assert!(
        scene.properties["sen:calibration"]
            .as_str()
            .expect("text")
            .contains("boa_offset_applied")
    );
}

/// What is said of the scenes, as one text.
fn said(found: &Found) -> String {
    let notes = found
        .notes
        .iter()
        .map(|note| format!("{}: {}\n", note.what, note.reason));
    notes.collect()
}

#[test]
fn a_classification_is_found_however_it_is_described() {
    type Change = fn(&mut Value);
    let ways: [(&str, Change); 5] = [
        ("key", |item| {
            item["assets"]["SCL_20m"] = item["assets"]["scl"].take();
        }),
        ("file name", |item| {
            item["assets"]["classes"] = item["assets"]["scl"].take();
        }),
        ("classes", |item| {
            let mut asset = item["assets"]["scl"].take();
            asset["href"] = json!("./classes.tif");
            let class = |value: u64, name: &str| json!({"value": value, "name": name});
            asset["classification:classes"] = json!([
                class(3, "cloud_shadows"),
                class(4, "vegetation"),
                class(8, "cloud_medium_probability"),
                class(9, "cloud_high_probability"),
            ]);
            item["assets"]["mask"] = asset;
        }),
        ("description", |item| {
            let mut asset = item["assets"]["scl"].take();
            asset["href"] = json!("./classes.tif");
            asset["bands"] = json!([{"eo:description": "Scene classification layer"}]);
            item["assets"]["mask"] = asset;
        }),
        ("role metadata", |item| {
            let mut asset = item["assets"]["scl"].take();
            asset["roles"] = json!(["metadata"]);
            asset["title"] = json!("Scene Classification Map");
            item["assets"]["L2A_Class"] = asset;
        }),
    ];
    for (name, change) in ways {
        let folder = tempfile::tempdir().expect("folder");
        let location = earth_search(folder.path(), |item| {
            change(item);
            item["assets"]
                .as_object_mut()
                .expect("assets")
                .retain(|_, asset| !asset.is_null());
        });
        std::fs::copy(folder.path().join("SCL.tif"), folder.path().join("classes.tif")).expect("copied");
        let found = discover(&location, &SourceOptions::default()).expect("imagery");
        assert!(
            !said(&found).contains("classification"),
            "{name}: {}",
            said(&found)
        );
        assert!(only(found).assets.contains_key("scl"), "{name}");
    }
    // another classification is none that says which cells are clear
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |item| {
        let mut asset = item["assets"]["scl"].take();
        asset["href"] = json!("./classes.tif");
        asset["classification:classes"] =
            json!([{"value": 0, "name": "clear"}, {"value": 1, "name": "cloud"}]);
        item["assets"]["mask"] = asset;
        item["assets"].as_object_mut().expect("assets").remove("scl");
    });
    let found = discover(&location, &SourceOptions::default()).expect("imagery");
    let text = said(&found);
    assert!(
        text.contains("S2B_48PWS_20240301_0_L2A") && text.contains("(SCL)"),
        "{text}"
    );
    assert!(!only(found).assets.contains_key("scl"));
}

#[test]
fn of_two_files_of_a_band_the_finest_counts_whatever_their_order() {
    for (fine, coarse) in [("A_10m", "B_20m"), ("B_10m", "A_20m")] {
        let folder = tempfile::tempdir().expect("folder");
        let location = earth_search(folder.path(), |item| {
            let mut red = item["assets"]["red"].take();
            red["bands"] = json!([{"name": "B04"}]);
            let mut other = red.clone();
            other["href"] = json!("./B04_20m.tif");
            other["proj:shape"] = json!([5, 5]);
            other["proj:transform"] = json!([20, 0, 560_000, 0, -20, 1_150_000]);
            item["assets"][fine] = red;
            item["assets"][coarse] = other;
            item["assets"].as_object_mut().expect("assets").remove("red");
        });
        made(&folder.path().join("B04_20m.tif"), 5, &[vec![1500.0; 25]], &[]);
        let scene = only(discover(&location, &SourceOptions::default()).expect("imagery"));
        assert!(
            scene.assets["red"].href.ends_with("/B04.tif"),
            "{}",
            scene.assets["red"].href
        );
    }
}

/// The same item whose metadata say that the offset is in the pixels (or out of them), over these red numbers.
fn doubtful(folder: &Path, applied: bool, red: impl Fn(usize) -> f32) -> String {
    let location = earth_search(folder, |item| {
        item["properties"]["earthsearch:boa_offset_applied"] = json!(applied);
        // nothing but red is visible
    });
    let pixels: Vec<f32> = (0..100).map(red).collect();
    made(&folder.join("B04.tif"), 10, &[pixels], &[]);
    location
}

#[test]
fn an_offset_that_the_pixels_speak_against_is_refused_until_the_user_says_one() {
    let folder = tempfile::tempdir().expect("folder");
    // clouds on one half, a crop without offset on the other
    let location = doubtful(
        folder.path(),
        false,
        |index| if index % 10 < 5 { 7000.0 } else { 500.0 },
    );
    let offset = |said: Option<f64>| {
        let options = SourceOptions {
            offset: said,
            ..SourceOptions::default()
        };
        discover(&location, &options).expect("imagery")
    };
    let failure = only_failure(offset(None));
    assert!(
        failure.reason.contains("--offset 0") && failure.reason.contains("50 % of its red"),
        "{failure:?}"
    );
    let found = offset(Some(0.0));
    assert!(said(&found).contains("--offset 0"), "{}", said(&found));
    let scene = only(found);
    assert_eq!(
        (scene.assets["red"].offset, scene.assets["nir"].offset),
        (0.0, 0.0)
    );
    let found = offset(Some(-1000.0));
    assert!(said(&found).contains("kept"));
    assert!((only(found).assets["red"].offset + 0.1).abs() < 1e-12);
}

#[test]
fn what_the_user_says_does_not_overrule_metadata_that_the_pixels_agree_with() {
    let folder = tempfile::tempdir().expect("folder");
    let location = doubtful(folder.path(), false, |index| 1100.0 + 20.0 * index as f32);
    let other = SourceOptions {
        offset: Some(0.0),
        ..SourceOptions::default()
    };
    let found = discover(&location, &other).expect("imagery");
    assert_eq!(said(&found), "");
    assert!((only(found).assets["red"].offset + 0.1).abs() < 1e-12);
    // out by the metadata, and dark pixels prove it
    let location = doubtful(folder.path(), true, |index| 200.0 + 20.0 * index as f32);
    let other = SourceOptions {
        offset: Some(-1000.0),
        ..SourceOptions::default()
    };
    assert_eq!(
        only(discover(&location, &other).expect("imagery")).assets["red"].offset,
        0.0
    );
    // out by the metadata, but no pixel is darker than the offset: told, and the user may say it
    let location = doubtful(folder.path(), true, |index| 1200.0 + 20.0 * index as f32);
    let found = discover(&location, &SourceOptions::default()).expect("imagery");
    assert!(said(&found).contains("--offset -1000"), "{}", said(&found));
    assert_eq!(only(found).assets["red"].offset, 0.0);
    let found = discover(&location, &other).expect("imagery");
    assert!(said(&found).contains("is taken"), "{}", said(&found));
    assert!((only(found).assets["red"].offset + 0.1).abs() < 1e-12);
}

#[test]
fn metadata_a_cell_beside_the_file_give_way_to_it() {
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |item| {
        for band in ["red", "nir"] {
            item["assets"][band]["proj:transform"] = json!([10, 0, 560_010, 0, -10, 1_149_995]);
        }
    });
    let found = discover(&location, &SourceOptions::default()).expect("imagery");
    let text = said(&found);
    assert!(
        text.contains("560010") && text.matches("the files count").count() == 1,
        "{text}"
    );
    assert_eq!(only(found).grid, grid(10));
}

#[test]
fn hrefs_stay_in_the_folder_that_was_given_and_off_the_network() {
    let at = |folder: &Path, href: &str| {
        earth_search(&folder.join("items"), |item| {
            item["assets"]["red"]["href"] = json!(href);
        })
    };
    // rasters that no item takes are told of as well
    let refused = |location: &str, options: &SourceOptions| {
        let found = discover(location, options).expect("imagery");
        assert_eq!(found.scenes, []);
        let mut of_item = found
            .failures
            .into_iter()
            .filter(|failure| failure.what.ends_with("item.json"));
        of_item.next().expect("the item is named")
    };
    let folder = tempfile::tempdir().expect("folder");
    made(
        &folder.path().join("data/anh ve tinh/B04.tif"),
        10,
        &[vec![1500.0; 100]],
        &[],
    );
    let options = SourceOptions::default();
    let items = at(folder.path(), "../data/anh%20ve%20tinh/B04.tif");
    let failure = refused(&items, &options);
    assert!(failure.reason.contains("leads out of the folder"), "{failure:?}");
    let all = folder.path().display().to_string();
    let scene = only(discover(&all, &options).expect("imagery"));
    assert!(scene.assets["red"].href.ends_with("data/anh ve tinh/B04.tif"));
    let absolute = folder
        .path()
        .join("data/anh ve tinh/B04.tif")
        .display()
        .to_string();
    at(folder.path(), &absolute);
    only(discover(&all, &options).expect("imagery"));
    for out in [
        "/etc/passwd.tif",
        "%2e%2e/%2e%2e/x.tif",
        "file:///etc/x.tif",
        "a/../../../x.tif",
    ] {
        at(folder.path(), out);
        let failure = refused(&all, &options);
        assert!(
            failure.reason.contains("leads out of the folder"),
            "{out}: {failure:?}"
        );
    }
    // a link in the folder is the user's own
    std::fs::remove_dir_all(folder.path().join("data/anh ve tinh")).expect("removed");
    let other = tempfile::tempdir().expect("folder");
    made(&other.path().join("B04.tif"), 10, &[vec![1500.0; 100]], &[]);
    std::os::unix::fs::symlink(other.path(), folder.path().join("data/linked")).expect("linked");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("data/round")).expect("linked");
    at(folder.path(), "../data/linked/B04.tif");
    only(discover(&all, &options).expect("imagery"));
    at(folder.path(), "https://127.0.0.1:9/B04.tif?se=1&sig=geheim");
    let failure = refused(&all, &options);
    assert!(
        failure.reason.contains("--source stac") && !failure.reason.contains("geheim"),
        "{failure:?}"
    );
    let named = SourceOptions {
        source: Some("stac".into()),
        ..options
    };
    let found = discover(&all, &named).expect("imagery");
    assert!(said(&found).contains("were signed") && !said(&found).contains("geheim"));
    let scene = only(found);
    assert_eq!(scene.assets["red"].href, "https://127.0.0.1:9/B04.tif");
    assert!(!serde_json::to_string(&scene).expect("JSON").contains("geheim"));
}

#[test]
fn a_composite_of_many_looks_is_no_look_of_its_first_day() {
    let of = |properties: &[(&str, Value)]| {
        let folder = tempfile::tempdir().expect("folder");
        let location = earth_search(folder.path(), |item| {
            for (name, value) in properties {
                item["properties"][*name] = value.clone();
            }
        });
        discover(&location, &SourceOptions::default()).expect("imagery")
    };
    let (start, end) = (json!("2024-03-01T00:00:00Z"), json!("2024-03-31T23:59:59Z"));
    for at in [Value::Null, start.clone()] {
        let failure = only_failure(of(&[
            ("datetime", at),
            ("start_datetime", start.clone()),
            ("end_datetime", end.clone()),
        ]));
        assert!(
            failure.reason.contains("2024-03-01 to 2024-03-31") && failure.reason.contains("end_datetime"),
            "{failure:?}"
        );
    }
    let pass = of(&[
        ("datetime", Value::Null),
        ("start_datetime", json!("2024-03-01T03:26:40Z")),
        ("end_datetime", json!("2024-03-01T03:27:10Z")),
    ]);
    assert_eq!(
        only(pass).interval.start.to_rfc3339(),
        "2024-03-01T03:26:40+00:00"
    );
}

#[test]
fn numbers_and_times_that_no_sensor_has_are_refused_by_field() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &[&str]); 7] = [
        (
            "scale 0",
            |item| item["assets"]["red"]["raster:bands"][0]["scale"] = json!(0),
            &["scale of red is 0"],
        ),
        (
            "scale 1e300",
            |item| item["assets"]["nir"]["raster:bands"][0]["scale"] = json!(1e300),
            &["scale of nir"],
        ),
        (
            "no number",
            |item| item["assets"]["nir"]["raster:bands"][0]["scale"] = json!("NaN"),
            &["scale of nir"],
        ),
        (
            "offset",
            |item| {
                item["properties"] = json!({"datetime": "2020-03-01T03:26:57Z", "proj:epsg": 32648});
                item["assets"]["red"]["raster:bands"][0]["offset"] = json!(-1000);
            },
            &["offset of red is -1000"],
        ),
        (
            "2099",
            |item| item["properties"]["datetime"] = json!("2099-01-01T00:00:00Z"),
            &["datetime", "future"],
        ),
        (
            "year 1",
            |item| item["properties"]["datetime"] = json!("0001-01-01T00:00:00Z"),
            &["datetime", "before sentinel-2b"],
        ),
        (
            "too early",
            |item| item["properties"]["datetime"] = json!("2016-01-01T00:00:00Z"),
            &["2017-03-07"],
        ),
    ];
    for (name, change, words) in cases {
        let folder = tempfile::tempdir().expect("folder");
        let location = earth_search(folder.path(), change);
        let failure = only_failure(discover(&location, &SourceOptions::default()).expect("imagery"));
        for word in words {
            assert!(failure.reason.contains(word), "{name}: {failure:?}");
        }
    }
}

#[test]
fn a_scene_larger_than_any_sensor_s_is_refused_however_small_its_file() {
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |item| {
        for band in ["red", "nir", "scl"] {
            item["assets"][band]["href"] = json!("wide.tif");
            item["assets"][band]
                .as_object_mut()
                .expect("asset")
                .remove("proj:shape");
        }
    });
    // few cells, but each two kilometres wide
    let wide = Grid {
        cell_width: 2000.0,
        cell_height: 2000.0,
        ..grid(300)
    };
    let path = folder.path().join("wide.tif");
    crate::gdal_io::write_raster(
        &path,
        ("GTiff", "UInt16"),
        &wide,
        &[vec![1500.0; 90_000]],
        None,
        &[],
    );
    let failure = only_failure(discover(&location, &SourceOptions::default()).expect("imagery"));
    assert!(failure.reason.contains("600 x 600 km"), "{failure:?}");
}

#[test]
fn what_metadata_and_pixels_disagree_on_is_named() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &str); 7] = [
        (
            "another system",
            |item| item["properties"]["proj:epsg"] = json!(32647),
            "EPSG:32647",
        ),
        (
            "another shape",
            |item| item["assets"]["red"]["proj:shape"] = json!([11, 10]),
            "the size is 10 x 11",
        ),
        (
            "another corner",
            |item| item["assets"]["nir"]["proj:transform"][2] = json!(560_500),
            "upper left corner",
        ),
        (
            "no such file",
            |item| item["assets"]["nir"]["href"] = json!("B08x.tif"),
            "no such file",
        ),
        (
            "no time",
            |item| item["properties"]["datetime"] = json!("yesterday"),
            "is no instant",
        ),
        (
            "elsewhere",
            |item| item["bbox"] = json!([5.0, 50.0, 6.0, 51.0]),
            "its metadata place it at",
        ),
        (
            "unknown kind",
            |item| item["collection"] = json!("modis-13q1"),
            "modis-13q1",
        ),
    ];
    for (name, change, word) in cases {
        let folder = tempfile::tempdir().expect("folder");
        let location = earth_search(folder.path(), change);
        let failure = only_failure(discover(&location, &SourceOptions::default()).expect("imagery"));
        let text = format!("{} {}", failure.what, failure.reason);
        assert!(
            text.contains(word) && text.contains("item.json"),
            "{name}: {text}"
        );
    }
}

#[test]
fn a_classification_of_other_ground_fails_the_scene() {
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |item| {
        item["assets"]["scl"]
            .as_object_mut()
            .expect("asset")
            .remove("proj:shape");
    });
    let away = Grid {
        west: 561_000.0,
        ..grid(10)
    };
    let scl = folder.path().join("SCL.tif");
    crate::gdal_io::write_raster(&scl, ("GTiff", "UInt16"), &away, &[vec![4.0; 100]], None, &[]);
    let failure = only_failure(discover(&location, &SourceOptions::default()).expect("imagery"));
    assert!(
        failure.reason.contains("SCL.tif") && failure.reason.contains("other ground"),
        "{failure:?}"
    );
}

#[test]
fn broken_items_are_named_and_the_good_ones_go_on() {
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |_| ());
    let text = std::fs::read_to_string(folder.path().join("item.json")).expect("read");
    std::fs::write(folder.path().join("cut.json"), &text[..text.len() / 2]).expect("written");
    let item: Value = serde_json::from_str(&text).expect("json");
    let mut bad = item.clone();
    bad["id"] = json!("bad");
    bad["assets"] = json!({});
    let collection = json!({"type": "FeatureCollection", "features": [bad, item]});
    std::fs::write(folder.path().join("items.json"), collection.to_string()).expect("written");
    let found = discover(&location, &SourceOptions::default()).expect("imagery");
    assert_eq!(found.scenes.len(), 1, "the same item twice is one scene");
    let named: Vec<_> = found
        .failures
        .iter()
        .map(|failure| failure.what.rsplit('/').next().expect("name"))
        .collect();
    assert_eq!(named, ["cut.json", "items.json bad"]);
}

#[test]
fn the_offset_must_be_known_or_said() {
    let folder = tempfile::tempdir().expect("folder");
    let location = earth_search(folder.path(), |item| {
        let properties = item["properties"].as_object_mut().expect("properties");
        properties.remove("s2:processing_baseline");
        properties.remove("earthsearch:boa_offset_applied");
        for band in ["red", "nir"] {
            item["assets"][band]
                .as_object_mut()
                .expect("asset")
                .remove("raster:bands");
        }
    });
    let failure = only_failure(discover(&location, &SourceOptions::default()).expect("imagery"));
    assert!(failure.reason.contains("--offset -1000"), "{failure:?}");
    let said = SourceOptions {
        offset: Some(-1000.0),
        ..SourceOptions::default()
    };
    assert!((only(discover(&location, &said).expect("imagery")).assets["red"].offset + 0.1).abs() < 1e-12);
}

#[test]
fn decibel_is_recognised_from_metadata() {
    let folder = tempfile::tempdir().expect("folder");
    let pixels: Vec<f32> = (0..400).map(|index| -8.0 - (index % 15) as f32).collect();
    let path = folder.path().join("vv.tif");
    crate::gdal_io::write_raster(&path, ("GTiff", "Float32"), &grid(20), &[pixels], None, &[]);
    let item = |unit: Value| {
        json!({
            "type": "Feature", "stac_version": "1.1.0", "id": "S1A_X", "collection": "sentinel-1-rtc",
            "properties": {"datetime": "2022-01-09T22:46:06Z", "sat:orbit_state": "descending"},
            "assets": {"vv": {"href": "vv.tif", "type": "image/tiff", "bands": [{"name": "vv", "unit": unit}]}},
        })
    };
    let location = folder.path().join("item.json");
    std::fs::write(&location, item(json!("dB")).to_string()).expect("written");
    let scene = only(discover(&location.display().to_string(), &SourceOptions::default()).expect("imagery"));
    assert_eq!(scene.properties["sen:decibel"], true);
    assert_eq!(scene.properties["sat:orbit_state"], "descending");
    std::fs::write(&location, item(Value::Null).to_string()).expect("written");
    let failure =
        only_failure(discover(&location.display().to_string(), &SourceOptions::default()).expect("imagery"));
    assert!(failure.reason.contains("look like dB"), "{failure:?}");
    let said = SourceOptions {
        units: Some(Units::Db),
        ..SourceOptions::default()
    };
    only(discover(&location.display().to_string(), &said).expect("imagery"));
}

#[test]
fn the_real_items_of_four_providers_are_read() {
    let Some(folder) = shared("metadata/stac") else {
        return;
    };
    let named = SourceOptions {
        source: Some("stac".into()),
        ..SourceOptions::default()
    };
    let found = discover(&folder, &named).expect("imagery");
    let of = |id: &str| found.scenes.iter().find(|item| item.id == id).expect("read");
    // Earth Search v0; the grid is that of the item's own proj:* fields
    let old = of("S2A_28QCH_20200714_0_L2A");
    assert_eq!(
        (old.grid.crs, old.grid.width, old.grid.west),
        (Crs::epsg(32628), 10_980, 300_000.0)
    );
    assert_eq!(
        (
            old.assets["scl"].href.ends_with("/SCL.tif"),
            old.assets["red"].offset
        ),
        (true, 0.0)
    );
    assert_eq!(old.assets.len(), 13);
    // Planetary Computer
    let planetary = of("S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531");
    assert_eq!(planetary.properties["s2:processing_baseline"], "02.12");
    assert_eq!(
        (planetary.assets["nir"].scale, planetary.assets["nir"].offset),
        (1e-4, 0.0)
    );
    assert!(
        planetary.assets["nir"]
            .href
            .ends_with("T06VVN_20190629T212529_B08_10m.tif")
    );
    assert!(planetary.assets["nir08"].href.ends_with("_B8A_20m.tif"));
    // USGS
    let landsat = of("LC08_L2SP_028030_20200114_20200824_02_T1");
    assert_eq!(
        (landsat.assets["red"].scale, landsat.assets["red"].offset),
        (2.75e-5, -0.2)
    );
    assert_eq!((landsat.grid.crs, landsat.grid.height), (Crs::epsg(32615), 8041));
    assert_eq!(landsat.assets["qa_pixel"].scale, 1.0);
    // Geoscience Australia's ARD is not read, and says so
    assert_eq!(found.failures.len(), 1, "{:?}", found.failures);
    assert!(
        found.failures[0]
            .reason
            .contains("collection `none` (platform `landsat-8`)"),
        "{:?}",
        found.failures
    );
}
