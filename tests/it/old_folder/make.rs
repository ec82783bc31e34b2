//! How the folders beside this file are made: by `cargo test --test it -- --ignored old_folder`, once for each layout of the
//! catalogue, with the binary that writes it.
//!
//! A village by a river: a compartment that the river floods in one week, one behind a closed dyke with two plots of rice, a
//! forest block, gauges, a weather station. The scenes come over HTTP, so that the rows name no folder of this machine.

use super::{DIGEST, PROCESS, ROWS, copy_folder, dump, fixture_folder};
use crate::harness::Sen;
use crate::remote::Provider;
use crate::scenes::{self, Dn, RICE, WATER, ring};
use crate::sensors::{key, post};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;

const SETTINGS: &str = "\
[delta]
dem = \"dem.tif\"
dem_error_m = 0.3

[delta.alarm_levels]
TV-01 = [1.5, 2.2, 2.8]

[[fusion.calibrations]]
property = \"soil_moisture\"
collection = \"ndvi\"
days = 3.0
";

/// Columns from here on the river never reaches.
const BANK: usize = 20;
/// Columns from here on it does not flood.
const DYKE: usize = 62;
/// Where the paddies of the closed compartment lie, columns and rows.
const PADDIES: [std::ops::Range<usize>; 2] = [80..120, 20..60];

/// Power of VV on a day: paddies are under water until July, open land by the river from August on.
fn backscatter(flooded: bool, sown: bool) -> impl Fn(usize, usize) -> f32 {
    move |column, row| {
        let paddy = PADDIES[0].contains(&column) && PADDIES[1].contains(&row);
        let water = column < BANK || (flooded && column < DYKE) || (paddy && !sown);
        if water { 0.004 } else { 0.12 }
    }
}

fn take_scenes(sen: &Sen) {
    let source = sen.path("provider");
    for (day, flooded, sown) in [
        ("2026-06-20", false, false),
        ("2026-07-14", false, true),
        ("2026-08-19", true, true),
    ] {
        let id = format!("S1A_{}", day.replace('-', ""));
        scenes::sentinel1(
            &source,
            &id,
            &format!("{day}T22:46:06Z"),
            backscatter(flooded, sown),
        );
    }
    let seen = |column: usize, row: usize| {
        let leaves = Dn {
            nir: RICE.nir + 500,
            ..RICE
        };
        match column {
            0..DYKE => WATER,
            _ if row < 64 => RICE,
            _ => leaves,
        }
    };
    scenes::sentinel2(&source, "S2A_20260818", "2026-08-18T03:21:31Z", seen);
    let provider = Provider::start(source);
    let url = format!("{}/api", provider.address);
    let area = ["--bbox", "105,10,106,11", "--datetime", "2026-06-01/2026-08-31"];
    sen.run(&[&["ingest", &url, "--no-process"], &area[..]].concat())
        .expect(0);
    sen.run(&PROCESS).expect(0);
}

/// Imports a file of this name and text.
fn import(sen: &Sen, what: &[&str], name: &str, text: &str) {
    let path = sen.path(name);
    fs::write(&path, text).expect("written");
    let file = path.to_str().expect("UTF-8");
    let args = [&["import", what[0], file], &what[1..]].concat();
    sen.run(&args).expect(0);
}

fn features(features: &[Value]) -> String {
    json!({"type": "FeatureCollection", "features": features}).to_string()
}

/// A square of cells as a feature.
fn square(mut properties: Value, code: &str, column: f64, row: f64, side: f64) -> Value {
    properties["code"] = json!(code);
    let ring = ring(column, row, side);
    json!({"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}})
}

fn take_zones(sen: &Sen) {
    let units = "code,name,level,parent,valid_from,valid_to,predecessors\n\
                 87,Tỉnh Đồng Tháp,Tỉnh,,,2025-07-01,\n\
                 82,Tỉnh Đồng Tháp,Tỉnh,,2025-07-01,,87\n\
                 30001,Xã Mỹ Quý,Xã,82,2025-07-01,,\n";
    import(
        sen,
        &["zones", "--as", "admin_units", "--no-process"],
        "units.csv",
        units,
    );
    let compartments = [
        square(
            json!({"dyke_class": "open", "name": "Ô bao 1"}),
            "OB-1",
            22.0,
            10.0,
            36.0,
        ),
        square(
            json!({"dyke_class": "closed", "name": "Ô bao 2"}),
            "OB-2",
            70.0,
            5.0,
            57.0,
        ),
    ];
    let zones = |kind| ["zones", "--as", kind, "--no-process"];
    import(
        sen,
        &zones("dyke_compartments"),
        "compartments.geojson",
        &features(&compartments),
    );
    let plots = [
        square(
            json!({"name": "Ruộng ông Bảy", "parent": "30001", "puc": "VN-DTOR-0001"}),
            "DT-1",
            84.0,
            24.0,
            14.0,
        ),
        square(
            json!({"name": "Ruộng bà Tư", "parent": "30001", "puc": null}),
            "DT-2",
            102.0,
            30.0,
            14.0,
        ),
    ];
    let with_codes = [&zones("plots")[..], &["--other-code", "puc:export:China"]].concat();
    import(sen, &with_codes, "plots.geojson", &features(&plots));
    let block = square(json!({"name": "Rừng tràm"}), "TK01-K01", 70.0, 70.0, 50.0);
    import(
        sen,
        &zones("forest_blocks"),
        "forest.geojson",
        &features(&[block]),
    );
    let point = |column, row| {
        let (lon, lat) = scenes::lon_lat(column, row);
        json!([lon, lat])
    };
    let canal = json!({"type": "Feature", "properties": {"code": "K-1"},
                       "geometry": {"type": "LineString", "coordinates": [point(64, 2), point(64, 120)]}});
    import(
        sen,
        &["layer", "--as", "canals"],
        "canals.geojson",
        &features(&[canal]),
    );
    let station = |code: &str, column, row| {
        json!({"type": "Feature", "properties": {"code": code},
               "geometry": {"type": "Point", "coordinates": point(column, row)}})
    };
    let stations = [
        station("TV-01", 10, 60),
        station("TV-02", 66, 20),
        station("TV-03", 100, 100),
    ];
    import(
        sen,
        &["layer", "--as", "stations"],
        "stations.geojson",
        &features(&stations),
    );
}

fn take_readings(sen: &Sen) {
    let mut levels = String::from("time,station,water_level_m,soil_moisture_percent\n");
    for (code, soil) in [("TV-01", 45), ("TV-02", 30), ("TV-03", 25)] {
        for hour in [6, 12, 18] {
            let _ = writeln!(
                levels,
                "2026-08-18T{hour:02}:00:00+07:00,{code},2.{hour:02},{soil}"
            );
        }
    }
    import(sen, &["observations"], "levels.csv", &levels);
    let mut weather = String::from("time,station,temperature_c,humidity_percent,rain_mm,wind_m_s\n");
    for (day, rain) in (17..24).zip([8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) {
        let _ = writeln!(weather, "2026-08-{day}T13:00:00+07:00,TV-03,34.5,48,{rain},2.5");
    }
    import(sen, &["observations"], "weather.csv", &weather);
    let (lon, lat) = scenes::lon_lat(75, 80);
    let hotspots = format!(
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,confidence,version,bright_ti5,frp,daynight\n\
         {lat:.5},{lon:.5},330.1,0.44,0.38,2026-08-20,612,N20,n,2.0NRT,290,4.5,D\n"
    );
    import(sen, &["hotspots"], "hotspots.csv", &hotspots);
}

/// A station that says of itself and of its readings what only SensorThings has a place for.
fn take_sensorthings(sen: &Sen) {
    let key = key(sen);
    let service = sen.serve();
    let (lon, lat) = scenes::lon_lat(30, 30);
    let thing = json!({
        "name": "Trạm KM-04", "description": "ở bờ kênh", "properties": {"code": "KM-04"},
        "Locations": [{"name": "KM-04", "description": "", "encodingType": "application/geo+json",
                       "location": {"type": "Point", "coordinates": [lon, lat]}}],
        "Datastreams": [{
            "name": "mực nước", "description": "",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": "m", "symbol": "m", "definition": ""},
            "ObservedProperty": {"name": "water_level", "definition": "", "description": ""},
            "Sensor": {"name": "probe 7", "description": "", "encodingType": "text/plain", "metadata": ""},
        }],
    });
    let (status, body) = post(&service, Some(&key), "/sta/v1.1/Things", &thing);
    assert_eq!(status, 201, "{body}");
    let streams = service.json("/sta/v1.1/Datastreams?$filter=name%20eq%20'mực nước'");
    let observation = json!({
        "phenomenonTime": "2026-08-18T05:00:00Z", "result": 2.1, "resultTime": "2026-08-18T05:00:05Z",
        "parameters": {"battery": 3.6}, "Datastream": {"@iot.id": streams["value"][0]["@iot.id"]},
    });
    let (status, body) = post(&service, Some(&key), "/sta/v1.1/Observations", &observation);
    assert_eq!(status, 201, "{body}");
}

#[test]
#[ignore = "writes the folder of the present layout into the source tree"]
fn make_the_folder_of_the_present_layout() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    fs::write(sen.data().join("sen.toml"), SETTINGS).expect("written");
    let grid = scenes::grid();
    let ground = vec![1.0_f32; grid.width * grid.height];
    scenes::write(&sen.data().join("dem.tif"), grid, None, &ground);
    take_zones(&sen);
    take_sensorthings(&sen);
    take_readings(&sen);
    take_scenes(&sen);
    sen.run(&["check"]).expect(0);

    let rows = sen.data().join("catalog.sqlite");
    let version = rusqlite::Connection::open(&rows)
        .and_then(|opened| opened.pragma_query_value(None, "user_version", |row| row.get(0)))
        .expect("a version");
    let folder = fixture_folder(version);
    let _ = fs::remove_dir_all(&folder);
    copy_folder(&sen.data().join("assets"), &folder.join("assets"));
    for file in ["sen.toml", "dem.tif"] {
        fs::copy(sen.data().join(file), folder.join(file)).expect("copied");
    }
    fs::write(folder.join(ROWS), dump::write_dump(&rows)).expect("written");
    fs::write(folder.join(DIGEST), sen.digest()).expect("written");
}
