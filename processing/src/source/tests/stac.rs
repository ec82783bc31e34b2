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
    let found = discover(&folder, &SourceOptions::default()).expect("imagery");
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
