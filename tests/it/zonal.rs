//! What each plot's week was, as numbers: tables beside the rasters, the same over HTTP, the same as exactextract.

use crate::harness::{Sen, Service, real_data, step};
use crate::scenes::{self, NOTHING, RICE, WATER, ring};
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use sen_catalog::admin::{self, AdminUnit, Level};
use sen_catalog::coverage::Projection;
use sen_catalog::crs::Transform;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::{StatisticTable, ZonalStatistic};
use sen_catalog::zonal::{Layer, Options, Zone, statistics};
use sen_catalog::{Asset, Crs, Feature, feature, store};
use serde_json::{Value, json};

const RICE_NDVI: f64 = 0.7778;
const WATER_NDVI: f64 = -0.4286;

fn plot(code: &str, ring: Vec<(f64, f64)>) -> Feature {
    let mut plot = Feature::new("plots", code, Polygon::new(LineString::from(ring), vec![]).into());
    plot.parent = Some("C1".into());
    plot
}

/// A river over the western half in W34, rice everywhere in W35, and four plots.
fn province() -> Sen {
    let sen = Sen::new();
    let source = sen.path("source");
    let river = |column: usize, _: usize| if column < 64 { WATER } else { RICE };
    scenes::sentinel2(&source, "S2A_48PWS_20260818_0_L2A", "2026-08-18T03:21:31Z", river);
    scenes::sentinel2(
        &source,
        "S2B_48PWS_20260825_0_L2A",
        "2026-08-25T03:21:31Z",
        |column, row| {
            if column >= 100 && row >= 100 {
                NOTHING
            } else {
                RICE
            }
        },
    );
    sen.ingest(&source, &[]).expect(0);
    put(
        &sen,
        vec![
            plot("DT-001", ring(60.5, 20.0, 10.0)),
            plot("DT-002", ring(80.25, 30.75, 5.5)),
            plot("DT-003", ring(95.0, 95.0, 10.0)),
        ],
    );
    sen
}

fn put(sen: &Sen, features: Vec<Feature>) {
    let store = store::open("catalog.sqlite", &sen.data()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(store.put_features(features)).expect("stored");
}

fn table(sen: &Sen, collection: &str, week: &str) -> StatisticTable {
    let path = sen.asset(&format!(
        "{collection}/2026/{collection}_{week}/statistics_plots.arrow"
    ));
    StatisticTable::open(&path).expect("a table")
}

fn of(table: &StatisticTable, code: &str) -> ZonalStatistic {
    let row = table
        .row_of_code(code)
        .expect("read")
        .expect("the plot has a row");
    table.statistic(row).expect("read")
}

fn near(own: Option<f64>, expected: f64) -> bool {
    own.is_some_and(|own| (own - expected).abs() < 1e-5)
}

/// The statistics of the one feature that was asked for.
fn asked(service: &Service, query: &str, ring: &[(f64, f64)]) -> Vec<Value> {
    let body = json!({"type": "Feature", "properties": {"name": "drawn"},
        "geometry": {"type": "Polygon", "coordinates": [ring]}});
    let response = service.post(&format!("/api/v1/zonal?{query}"), &body);
    let status = response.status();
    let answer: Value = response.json().expect("JSON");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["properties"]["name"], "drawn");
    let values = &answer["properties"]["statistics"]["values"];
    values.as_array().unwrap_or_else(|| panic!("{answer}")).clone()
}

#[test]
fn every_plot_has_its_numbers_of_the_week_and_http_says_the_same() {
    let sen = province();
    let said = sen.run(&["process"]).expect(0);
    let row = said
        .stdout
        .lines()
        .find(|line| line.starts_with("zone_statistics"));
    let words: Vec<&str> = row.unwrap_or_default().split_whitespace().collect();
    assert_eq!(words[1..], ["plots", "8", "0", "0", "0", "0"], "{}", said.text());
    sen.run(&["check"]).expect(0);

    let ndvi = table(&sen, "ndvi", "2026-W34");
    // 3.5 of 10 columns under water
    let first = of(&ndvi, "DT-001");
    assert!((first.count - 100.0).abs() < 1e-4, "{first:?}");
    assert!(
        near(first.mean, 0.35 * WATER_NDVI + 0.65 * RICE_NDVI),
        "{first:?}"
    );
    let spread = (0.35_f64 * 0.65).sqrt() * (RICE_NDVI - WATER_NDVI);
    assert!(near(first.stdev, spread), "{first:?}");
    assert!(
        near(first.min, WATER_NDVI) && near(first.max, RICE_NDVI),
        "{first:?}"
    );
    let flood = of(&table(&sen, "flood", "2026-W34"), "DT-001");
    assert!(
        (flood.classes[&1] - 0.35 * flood.area_ha).abs() < 1e-5,
        "{flood:?}"
    );
    let sum: f64 = flood.classes.values().sum();
    assert!(
        (sum - flood.area_ha).abs() < 1e-9,
        "nothing of the plot is lost: {flood:?}"
    );
    // three quarters of the third plot were looked at in the second week
    let third = of(&table(&sen, "ndvi", "2026-W35"), "DT-003");
    assert!((third.valid_fraction - 0.75).abs() < 1e-5, "{third:?}");

    let service = sen.serve();
    let values = asked(
        &service,
        "collection=ndvi&datetime=2026-W34/2026-W35",
        &ring(60.5, 20.0, 10.0),
    );
    assert_eq!(values.len(), 2);
    assert_eq!(values[0]["period"], "2026-W34");
    for (value, week) in values.iter().zip(["2026-W34", "2026-W35"]) {
        let own = of(&table(&sen, "ndvi", week), "DT-001");
        let expected = json!(own);
        for (name, expected) in expected.as_object().expect("an object") {
            // the corners went through two files on their way, which may cost the last digit of a coordinate
            let (value, expected) = (value[name].as_f64(), expected.as_f64());
            let (value, expected) = (value.expect("a number"), expected.expect("a number"));
            assert!(
                (value - expected).abs() < 1e-9 * expected.abs().max(1.0),
                "{week} {name}: {value} {expected}"
            );
        }
        assert_eq!(value["period"], *week);
    }
    let latest = asked(&service, "collection=flood", &ring(60.5, 20.0, 10.0));
    assert_eq!((latest.len(), &latest[0]["period"]), (1, &json!("2026-W35")));
    assert!(latest[0]["classes"]["0"].is_f64(), "{latest:?}");
}

#[test]
fn a_rerun_changes_no_table_and_a_late_scene_its_week_alone() {
    let sen = province();
    sen.run(&["process"]).expect(0);
    let digest = sen.digest();
    let again = sen.run(&["process", "--json"]).expect(0).json();
    let tables = step(&again, "zone_statistics");
    assert_eq!(tables["units"], serde_json::json!([]), "{again}");
    let counts = tables["datasets"].as_array().expect("tables").iter();
    let up_to_date: u64 = counts.filter_map(|counts| counts["up_to_date"].as_u64()).sum();
    assert_eq!(up_to_date, 8, "{again}");
    assert_eq!(sen.digest(), digest);
    sen.ingest(&sen.path("source"), &[]).expect(0);
    assert_eq!(sen.digest(), digest);

    let before = std::fs::read(sen.asset("ndvi/2026/ndvi_2026-W34/statistics_plots.arrow"));
    let late = sen.path("late");
    scenes::sentinel2(
        &late,
        "S2C_48PWS_20260827_0_L2A",
        "2026-08-27T03:21:31Z",
        |_, _| RICE,
    );
    let said = sen.ingest(&late, &["--json"]).expect(0).json();
    let made = step(&said["weekly"], "zone_statistics")["units"].clone();
    let made = made.as_array().expect("tables");
    assert!(
        !made.is_empty()
            && made
                .iter()
                .all(|unit| unit["period"] == "2026-W35" && unit["status"] == "made")
    );
    assert_eq!(of(&table(&sen, "ndvi", "2026-W35"), "DT-003").valid_fraction, 1.0);
    let after = std::fs::read(sen.asset("ndvi/2026/ndvi_2026-W34/statistics_plots.arrow"));
    assert_eq!(after.expect("still there"), before.expect("made"));
    sen.run(&["check"]).expect(0);
}

#[test]
fn check_names_a_table_that_is_damaged_and_process_remakes_it() {
    let sen = province();
    sen.run(&["process"]).expect(0);
    let digest = sen.digest();
    let path = sen.asset("evi/2026/evi_2026-W34/statistics_plots.arrow");
    std::fs::write(&path, b"half").expect("written");
    let said = sen.run(&["check"]).expect(1);
    assert!(said.text().contains("statistics_plots"), "{}", said.text());
    sen.run(&["process"]).expect(0);
    sen.run(&["check"]).expect(0);
    assert_eq!(sen.digest(), digest);
}

/// Radar over rice fields of Can Tho: numbers of exactextract 0.3.0 with zones projected by PROJ.
#[test]
fn zones_over_a_real_radar_image_are_those_of_exactextract() {
    let oracle: Value = serde_json::from_str(include_str!("thoilai_zones.json")).expect("JSON");
    assert_eq!(oracle["exactextract"], "0.3.0");
    let Some(path) = real_data(oracle["raster"].as_str().expect("a name")) else {
        return;
    };
    let cog = Cog::open(&path).expect("a GeoTIFF");
    let asset = Asset {
        band_index: 2,
        nodata: oracle["nodata"].as_f64(),
        ..Asset::new("")
    };
    let projection = Projection::new(Crs::WGS84, cog.grid()).expect("UTM");
    let zones = oracle["zones"].as_array().expect("zones");
    let placed: Vec<Zone> = zones
        .iter()
        .map(|zone| {
            let points = zone["ring"].as_array().expect("points").iter();
            let ring: LineString<f64> = points
                .map(|p| Coord {
                    x: p[0].as_f64().expect("lon"),
                    y: p[1].as_f64().expect("lat"),
                })
                .collect();
            let shape: MultiPolygon<f64> = Polygon::new(ring, vec![]).into();
            let area = feature::geodesic_area_m2(&shape.clone().into());
            Zone::new(&shape, area, &projection).expect("in the zone")
        })
        .collect();
    let found = statistics(&Layer::new(&cog, &asset), &placed, Options::default()).expect("readable");
    for (index, (own, theirs)) in found.iter().zip(zones).enumerate() {
        for (name, own) in [
            ("count", Some(own.count)),
            ("area_ha", Some(own.area_ha)),
            ("mean", own.mean),
            ("min", own.min),
            ("max", own.max),
            ("stdev", own.stdev),
            ("median", own.median),
            ("p10", own.p10),
            ("p90", own.p90),
        ] {
            let (own, theirs) = (own.expect("a number"), theirs[name].as_f64().expect("a number"));
            let close = (own - theirs).abs() <= 1e-6 * theirs.abs().max(1e-3);
            assert!(close, "zone {index}: {name} {own} for {theirs}");
        }
    }
}

/// A unit with the polygon of its columns of the little province.
fn unit(level: Level, code: &str, days: [Option<&str>; 2], parent: Option<&str>) -> AdminUnit {
    let day = |text: Option<&str>| text.map(|text| text.parse().expect("a date"));
    AdminUnit {
        level,
        code: code.into(),
        valid_from: day(days[0]),
        valid_to: day(days[1]),
        name: format!("Đơn vị {code}"),
        parent: parent.map(str::to_owned),
        predecessors: Vec::new(),
    }
}

fn area(unit: &AdminUnit, columns: [f64; 2]) -> Feature {
    let grid = scenes::grid();
    let back = Transform::new(grid.crs, Crs::WGS84).expect("known");
    let place = |column: f64, row: f64| {
        let (x, y) = (
            grid.west + column * grid.cell_width,
            grid.north - row * grid.cell_height,
        );
        back.point(x, y).expect("inside")
    };
    let [west, east] = columns;
    let ring = [
        (west, 0.0),
        (west, 128.0),
        (east, 128.0),
        (east, 0.0),
        (west, 0.0),
    ];
    let ring: Vec<_> = ring.into_iter().map(|(column, row)| place(column, row)).collect();
    let mut area = Feature::new(
        admin::LAYER,
        &unit.code,
        Polygon::new(LineString::from(ring), vec![]).into(),
    );
    (area.valid_from, area.valid_to) = (unit.valid_from, unit.valid_to);
    area.properties.insert("level".into(), json!(unit.level.name()));
    area
}

/// Two communes of a district until 2025-06-30, one commune without a district since then, which has the code of one of
/// them; nothing east of column 92.
fn hierarchies(sen: &Sen) {
    let turn = Some("2025-07-01");
    let west = unit(Level::Commune, "29869", [None, turn], Some("866"));
    let east = unit(Level::Commune, "29872", [None, turn], Some("866"));
    let both = unit(Level::Commune, "29869", [turn, None], Some("82"));
    let polygons = vec![
        area(&west, [0.0, 72.0]),
        area(&east, [72.0, 92.0]),
        area(&both, [0.0, 92.0]),
    ];
    put(sen, polygons);
    let units = vec![
        unit(Level::Province, "87", [None, turn], None),
        unit(Level::Province, "82", [turn, None], None),
        unit(Level::District, "866", [None, turn], Some("87")),
        west,
        east,
        both,
    ];
    let store = store::open("catalog.sqlite", &sen.data()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(store.put_units(units)).expect("stored");
}

#[test]
fn versions_of_a_plot_in_one_file_are_counted_once() {
    let sen = province();
    hierarchies(&sen);
    let wkt = |ring: Vec<(f64, f64)>| {
        let corners: Vec<_> = ring.iter().map(|(lon, lat)| format!("{lon} {lat}")).collect();
        format!("\"POLYGON(({}))\"", corners.join(","))
    };
    // the plot grew in 2024
    let csv = sen.path("fields.csv");
    let rows = format!(
        "code,valid_from,wkt\nH1,2024-01-01,{}\nH1,2020-01-01,{}\n",
        wkt(ring(20.0, 20.0, 12.0)),
        wkt(ring(20.0, 20.0, 10.0))
    );
    std::fs::write(&csv, rows).expect("written");
    let import = || {
        let path = csv.to_str().expect("UTF-8 path");
        sen.run(&["--json", "import", "zones", path, "--as", "fields"])
            .expect(0)
            .json()
    };
    assert_eq!(import()["files"][0]["added"], 2);
    let again = import();
    assert_eq!(again["files"][0]["unchanged"], 2, "{again}");
    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let listed = |day: &str| -> usize {
        let list = service.json(&format!("/api/v1/zones/fields?on={day}"));
        list["features"].as_array().expect("zones").len()
    };
    assert_eq!(
        (listed("2019-12-31"), listed("2023-12-31"), listed("2026-09-01")),
        (0, 1, 1)
    );
    let rolled = service.json("/api/v1/zones/fields/rollup?collection=flood&datetime=2026-W34");
    let hectares = rolled["total"]["area_ha"].as_f64().expect("hectares");
    let grown = feature::geodesic_area_m2(&plot("H1", ring(20.0, 20.0, 12.0)).geometry) / 1e4;
    assert!(
        (hectares - grown).abs() < 1e-6,
        "{hectares} for {grown}: {rolled}"
    );
    assert_eq!(rolled["total"]["parts"], 1, "{rolled}");
}

#[test]
fn plots_roll_up_to_communes_districts_and_provinces_of_then_and_of_now_and_nothing_is_lost() {
    let sen = province();
    hierarchies(&sen);
    sen.run(&["process"]).expect(0);
    let flood = table(&sen, "flood", "2026-W34");
    let areas = ["DT-001", "DT-002", "DT-003"].map(|code| of(&flood, code).area_ha);
    let service = sen.serve();
    let asked = |more: &str| -> Value {
        service.json(&format!(
            "/api/v1/zones/plots/rollup?collection=flood&datetime=2026-W34{more}"
        ))
    };
    let area_of = |value: &Value| value["area_ha"].as_f64().expect("hectares");
    let cases: [(&str, &[(&str, f64)]); 5] = [
        ("", &[("29869", areas[0] + areas[1])]),
        ("&level=province", &[("82", areas[0] + areas[1])]),
        ("&on=2025-06-30", &[("29869", areas[0]), ("29872", areas[1])]),
        ("&on=2025-06-30&level=district", &[("866", areas[0] + areas[1])]),
        ("&on=2025-06-30&level=province", &[("87", areas[0] + areas[1])]),
    ];
    for (more, expected) in cases {
        let answer = asked(more);
        let values = answer["values"].as_array().expect("units");
        let codes: Vec<_> = values
            .iter()
            .map(|value| value["code"].as_str().expect("text"))
            .collect();
        let wanted: Vec<_> = expected.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, wanted, "{more}");
        for (value, (_, hectares)) in values.iter().zip(expected) {
            assert!((area_of(value) - hectares).abs() < 1e-12, "{more}: {value}");
        }
        // to the square millimetre: what the polygons give is what the units and the rest give
        let sum: f64 = values.iter().map(area_of).sum::<f64>() + area_of(&answer["outside"]);
        assert!((sum - areas.iter().sum::<f64>()).abs() < 1e-10, "{more}: {sum}");
        assert!((area_of(&answer["total"]) - sum).abs() < 1e-10, "{more}");
        assert_eq!(answer["outside"]["parts"], 1, "{more}");
        assert_eq!(answer["total"]["parts"], 3, "{more}");
    }
    // 3.5 of 10 columns of the first plot were under water
    let west = &asked("&on=2025-06-30")["values"][0];
    let water = west["classes"]["1"].as_f64().expect("hectares");
    assert!((water - 0.35 * areas[0]).abs() < 1e-5, "{west}");

    let table =
        service.get("/api/v1/zones/plots/rollup?collection=flood&datetime=2026-W34&on=2025-06-30&f=csv");
    let table = table.text().expect("text");
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 5, "a head, two communes, outside, total: {table}");
    assert!(
        rows[1].starts_with("29869,Đơn vị 29869,,2025-07-01,1,1,"),
        "{table}"
    );

    // there are no districts any more, and the answer says what to ask instead
    let none = service.get("/api/v1/zones/plots/rollup?collection=flood&datetime=2026-W34&level=district");
    assert_eq!(none.status(), 400);
    let problem: Value = none.json().expect("JSON");
    let detail = problem["detail"].as_str().expect("text");
    assert!(
        detail.contains("no district") && detail.contains("on=2025-06-30"),
        "{detail}"
    );
}

#[test]
fn one_changed_plot_is_measured_alone_and_the_tables_are_those_of_a_whole_run() {
    let sen = province();
    let rows = |report: &Value| -> (u64, u64) {
        let step = step(report, "zone_statistics");
        let made = step["datasets"].as_array().expect("datasets").iter();
        let tables = made.filter_map(|dataset| dataset["made"].as_u64()).sum();
        (
            tables,
            step["figures"]["rows_measured"].as_u64().unwrap_or_default(),
        )
    };
    let first = sen.run(&["--json", "process"]).expect(0).json();
    let (tables, measured) = rows(&first);
    assert!(
        tables > 5 && measured == 3 * tables,
        "{tables} tables, {measured} rows"
    );

    let mut moved = vec![
        plot("DT-002", ring(70.25, 31.0, 9.5)),
        plot("DT-004", ring(20.0, 40.0, 6.0)),
    ];
    moved[0].properties.insert("crop".into(), "rice".into());
    put(&sen, moved);
    let second = sen.run(&["--json", "process"]).expect(0).json();
    let (again, measured) = rows(&second);
    assert_eq!(
        (again, measured),
        (tables, 2 * tables),
        "one that moved and one that is new"
    );
    let digest = sen.digest();

    // an attribute is no shape
    let mut named = plot("DT-004", ring(20.0, 40.0, 6.0));
    named.name = Some("Ruộng mới".into());
    put(&sen, vec![named]);
    let third = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(rows(&third), (0, 0));
    put(&sen, vec![plot("DT-004", ring(20.0, 40.0, 6.0))]);
    assert_eq!(sen.digest(), digest);

    // measured as a whole the tables are the same
    for entry in walk(&sen.data().join("assets")) {
        if entry.extension().is_some_and(|end| end == "arrow") && !entry.to_string_lossy().contains("/looks/")
        {
            std::fs::remove_file(entry).expect("removed");
        }
    }
    let whole = sen.run(&["--json", "process"]).expect(0).json();
    let (again, measured) = rows(&whole);
    assert_eq!((again, measured), (tables, 4 * tables));
    assert_eq!(sen.digest(), digest);
}

/// All files under a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("listed").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
