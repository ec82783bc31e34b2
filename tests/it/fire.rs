//! Forest fire: a ranger reads the level of the day and whose table it is; gaps are told, fires told from straw.

use crate::harness::{Sen, Service};
use crate::scenes::{self, RICE};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;

/// Temperature, humidity and rain of days from Monday 2026-08-17 on: the published sequence of index P.
const DAYS: [(f64, f64, f64); 10] = [
    (33.0, 55.0, 0.0),
    (34.0, 50.0, 0.0),
    (34.5, 48.0, 2.0),
    (35.0, 45.0, 4.9),
    (35.5, 44.0, 5.0),
    (36.0, 42.0, 0.0),
    (33.0, 65.0, 12.4),
    (34.0, 58.0, 0.0),
    (36.5, 40.0, 6.0),
    (37.0, 38.0, 0.0),
];

/// What P is at the end of each.
const P: [f64; 10] = [
    746.9, 1651.1, 2632.1, 3714.4, 0.0, 1240.3, 0.0, 759.5, 0.0, 1439.3,
];

/// A value every hour from the 16th, a day of rain; the hours of `gap` are missing.
fn station(gap: &[&str]) -> String {
    let mut csv = String::from("time,station,temperature_c,humidity_percent,rain_mm,wind_m_s\n");
    let days = std::iter::once((28.0, 90.0, 8.0)).chain(DAYS);
    for (number, (t, rh, rain)) in days.enumerate() {
        for hour in 0..24 {
            let time = format!("2026-08-{:02}T{hour:02}:00", 16 + number);
            if gap.iter().any(|gap| time.starts_with(gap)) {
                continue;
            }
            let rain = if hour == 6 { rain } else { 0.0 };
            let _ = writeln!(csv, "{time}:00+07:00,RT-01,{t},{rh},{rain},2.5");
        }
    }
    csv
}

/// A square of cells of the little province, as a feature.
fn square(code: &str, columns: (usize, usize), rows: (usize, usize)) -> Value {
    let corner = |column, row| {
        let (lon, lat) = scenes::lon_lat(column, row);
        json!([lon, lat])
    };
    let ring = [
        corner(columns.0, rows.1),
        corner(columns.1, rows.1),
        corner(columns.1, rows.0),
        corner(columns.0, rows.0),
        corner(columns.0, rows.1),
    ];
    json!({"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}})
}

fn import(sen: &Sen, what: &[&str], name: &str, features: &[Value]) {
    let path = sen.path(name);
    let collection = json!({"type": "FeatureCollection", "features": features});
    fs::write(&path, collection.to_string()).expect("written");
    let mut args = vec!["import", what[0], path.to_str().expect("UTF-8")];
    args.extend(&what[1..]);
    sen.run(&args).expect(0);
}

/// A province with a forest block, a paddy 700 m away, and a station that says what `csv` holds.
fn province(csv: &str) -> Sen {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let config = sen.data().join("sen.toml");
    let mut text = fs::read_to_string(&config).expect("the settings");
    text += "\n[fire]\nlevels = [1000.0, 2500.0, 5000.0, 10000.0]\n\
             citation = { vi = \"Quyết định 99/2026/QĐ-UBND\", en = \"Decision 99/2026/QD-UBND\", in_force_here = true }\n";
    fs::write(config, text).expect("written");
    let source = sen.path("source");
    let scene = |id: &str, time: &str| scenes::sentinel2(&source, id, time, |_, _| RICE);
    scene("S2A_48PWS_20260818_0_L2A", "2026-08-18T03:21:31Z");
    sen.ingest(&source, &["--no-process"]).expect(0);
    let zones = |kind| ["zones", "--as", kind, "--no-process"];
    import(
        &sen,
        &zones("forest_blocks"),
        "forest.geojson",
        &[square("TK01-K01", (4, 30), (10, 100))],
    );
    import(
        &sen,
        &zones("plots"),
        "plots.geojson",
        &[square("R-1", (101, 124), (10, 40))],
    );
    let (lon, lat) = scenes::lon_lat(20, 50);
    let point = json!({"type": "Feature", "properties": {"code": "RT-01", "name": "Trạm rừng tràm"},
                       "geometry": {"type": "Point", "coordinates": [lon, lat]}});
    import(&sen, &["layer", "--as", "stations"], "stations.geojson", &[point]);
    let path = sen.path("RT-01.csv");
    fs::write(&path, csv).expect("written");
    sen.run(&["import", "observations", path.to_str().expect("UTF-8")])
        .expect(0);
    sen
}

fn days(service: &Service, datetime: &str) -> Vec<Value> {
    let answer = service.json(&format!(
        "/api/v1/zones/forest_blocks/TK01-K01/fire?datetime={datetime}"
    ));
    answer["values"].as_array().expect("days").clone()
}

#[test]
fn a_ranger_reads_todays_level_with_its_citation() {
    let sen = province(&station(&[]));
    let made = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(made["fire"]["weeks_made"], 2, "{made}");
    let service = sen.serve();

    let all = days(&service, "2026-W34/2026-W35");
    assert_eq!(all.len(), 10);
    for (day, expected) in all.iter().zip(P) {
        let p = day["p"].as_f64().expect("known");
        assert!((p - expected).abs() < 0.06, "{day}");
        assert!(day["fwi"].as_f64().is_some(), "{day}");
    }
    assert_eq!(days(&service, "2026-08-20")[0]["level"]["roman"], "III");
    assert_eq!(days(&service, "latest")[0]["day"], "2026-08-26");

    // the week: the worst day decides, the days stand beside it
    let week = service.json("/api/v1/zones/forest_blocks/TK01-K01/week/2026-W34");
    let fire = &week["fire"];
    assert_eq!(
        (&fire["level"]["number"], &fire["days_known"]),
        (&json!(3), &json!(7))
    );
    assert_eq!(fire["citation"]["en"], "Decision 99/2026/QD-UBND");
    let numbers: Vec<_> = fire["days"]
        .as_array()
        .expect("days")
        .iter()
        .map(|day| day["level"]["number"].clone())
        .collect();
    assert_eq!(numbers, [1, 2, 3, 3, 1, 2, 1]);
    assert!(service.json("/api/v1/zones/plots/R-1/week/2026-W34")["fire"].is_null());

    // the layer: yellow for level III inside the block, nothing outside, a raster a day
    assert_eq!(
        service.json("/api/v1/periods/fire_danger")["periods"],
        json!(["2026-W34", "2026-W35"])
    );
    let at = |column, row, week: &str| {
        let (lon, lat) = scenes::lon_lat(column, row);
        service.json(&format!("/api/v1/point/{lon:.6},{lat:.6}?datetime={week}"))["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .find(|layer| layer["collection"] == "fire_danger")
            .cloned()
            .expect("the layer")
    };
    assert_eq!(at(15, 50, "2026-W34")["value"], 3.0);
    assert_eq!(at(15, 50, "2026-W35")["value"], 2.0);
    assert!(at(80, 50, "2026-W34")["value"].is_null());
    let (zoom, x, y) = scenes::tile(16, 15, 50);
    let (pixels, _) = service.rgba(&format!("/fire_danger/{zoom}/{x}/{y}.png?datetime=2026-W34"));
    assert!(pixels.contains(&[0xff, 0xd9, 0x2f, 0xff]), "level III is yellow");
    let (monday, _) = service.rgba(&format!(
        "/fire_danger/{zoom}/{x}/{y}.png?datetime=2026-W34&asset=day1&style=fire_danger"
    ));
    assert!(monday.contains(&[0x1a, 0x96, 0x41, 0xff]), "Monday was green");
    let column = service.json(
        "/api/v1/zones/forest_blocks/values?collection=fire_danger&datetime=2026-W34&statistic=majority",
    );
    assert_eq!(column["values"], json!([3.0]));
    let legend = service.json("/api/v1/legends/fire_danger?lang=vi");
    assert_eq!(
        (&legend["ordered"], &legend["entries"][3]["title"]),
        (&json!(true), &json!("Cấp IV – nguy hiểm"))
    );

    // on the phone, in Vietnamese
    let page = service
        .get("/zones/forest_blocks/TK01-K01?lang=vi")
        .text()
        .expect("HTML")
        .replace("&#x2f;", "/");
    assert!(page.contains("Quyết định 99/2026/QĐ-UBND"), "{page}");
    assert!(page.contains("26/8/2026: cấp II (trung bình), P 1439"), "{page}");
    service.stop();

    // nothing to do is nothing done; a station that says more is counted
    let before = sen.digest();
    let again = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(
        (&again["fire"]["danger_made"], &again["fire"]["weeks_made"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(sen.digest(), before);
    let path = sen.path("more.csv");
    let more =
        "time,station,temperature_c,humidity_percent,rain_mm\n2026-08-20T05:00:00+07:00,RT-01,26,90,3.0\n";
    fs::write(&path, more).expect("written");
    sen.run(&["import", "observations", path.to_str().expect("UTF-8")])
        .expect(0);
    let changed = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(
        (&changed["fire"]["danger_changed"], &changed["fire"]["weeks_made"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn a_gap_at_one_o_clock_is_told_and_nothing_is_carried_over_it() {
    let gap = ["2026-08-19T11", "2026-08-19T12", "2026-08-19T13", "2026-08-19T14"];
    let sen = province(&station(&gap));
    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let all = days(&service, "2026-W34");
    let known: Vec<bool> = all.iter().map(|day| day["level"].is_object()).collect();
    // the 21st brings five millimetres: known again
    assert_eq!(known, [true, true, false, false, true, true, true]);
    assert_eq!(all[2]["unknown"]["reason"], "no_reading");
    assert!(all[2]["p"].is_null() && all[2]["fwi"].is_null());
    assert_eq!(all[3]["unknown"]["reason"], "since_gap");
    assert_eq!(all[3]["level_at_least"]["roman"], "II", "1082 since the gap");
    assert_eq!(all[3]["fwi_since"], "2026-08-20");
    let item = fs::read_to_string(
        sen.data()
            .join("assets/fire_danger/2026/fire_danger_2026-W34/fire_danger_2026-W34.json"),
    );
    let item: Value = serde_json::from_str(&item.expect("the item")).expect("JSON");
    assert_eq!(
        item["properties"]["sen:days_not_known"],
        json!(["2026-08-19", "2026-08-20"])
    );
    let (zoom, x, y) = scenes::tile(16, 15, 50);
    let (wednesday, _) = service.rgba(&format!(
        "/fire_danger/{zoom}/{x}/{y}.png?datetime=2026-W34&asset=day3&style=fire_danger"
    ));
    assert!(wednesday.contains(&[0xd9, 0xd9, 0xd9, 0xcc]), "grey: not known");
    let page = service
        .get("/zones/forest_blocks/TK01-K01?week=2026-W34&lang=vi")
        .text()
        .expect("HTML");
    assert!(page.contains("chưa rõ: thiếu số đo lúc 13 giờ"), "{page}");
    assert!(page.contains("ít nhất cấp II"), "{page}");
}

#[test]
fn fires_are_told_from_straw_and_an_answer_that_is_a_page_is_refused() {
    let sen = province(&station(&[]));
    let row = |column, row, time: &str| {
        let (lon, lat) = scenes::lon_lat(column, row);
        format!("{lat:.5},{lon:.5},330.1,0.44,0.38,2026-08-20,{time},N20,n,2.0NRT,290,4.5,D\n")
    };
    let csv = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,confidence,version,bright_ti5,frp,daynight\n".to_owned()
        + &row(15, 50, "612")
        + &row(50, 50, "612")
        + &row(120, 20, "5");
    let path = sen.path("firms.csv");
    fs::write(&path, &csv).expect("written");
    let path = path.to_str().expect("UTF-8").to_owned();
    let first = sen.run(&["--json", "import", "hotspots", &path]).expect(0).json();
    let counts = &first["hotspots"];
    assert_eq!(
        (
            &counts["hotspots"],
            &counts["forest"],
            &counts["straw"],
            &counts["fires"]
        ),
        (&json!(3), &json!(2), &json!(1), &json!(2)),
        "350 m apart in one overpass is one fire, straw 760 m away another: {first}"
    );
    let digest = sen.digest();
    let again = sen.run(&["--json", "import", "hotspots", &path]).expect(0).json();
    assert_eq!(
        (&again["files"][0]["unchanged"], &again["hotspots"]["changed"]),
        (&json!(3), &json!(0))
    );
    assert_eq!(sen.digest(), digest, "importing again changes nothing");
    // a better fix of the same overpass is an update
    fs::write(sen.path("firms.csv"), csv.replace(",4.5,D", ",5.5,D")).expect("written");
    let better = sen.run(&["--json", "import", "hotspots", &path]).expect(0).json();
    assert_eq!(
        (&better["files"][0]["changed"], &better["hotspots"]["hotspots"]),
        (&json!(3), &json!(3))
    );

    for (body, word) in [
        ("<!DOCTYPE html><html><title>503</title></html>", "web page"),
        ("Invalid MAP_KEY.", "map key"),
    ] {
        let bad = sen.path("bad.csv");
        fs::write(&bad, body).expect("written");
        let refused = sen
            .run(&["import", "hotspots", bad.to_str().expect("UTF-8")])
            .expect(1);
        assert!(
            refused.text().contains(word) && refused.text().contains("bad.csv"),
            "{}",
            refused.text()
        );
    }

    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let fires = service.json("/api/v1/fires?datetime=2026-W34");
    let features = fires["features"].as_array().expect("fires");
    let kinds: Vec<_> = features
        .iter()
        .map(|fire| (&fire["properties"]["burning"], &fire["properties"]["count"]))
        .collect();
    assert!(kinds.contains(&(&json!("forest"), &json!(2))), "{fires}");
    assert!(kinds.contains(&(&json!("straw"), &json!(1))), "{fires}");
    assert_eq!(service.json("/api/v1/fires?burning=straw")["numberReturned"], 1);
    assert_eq!(
        service.json("/api/v1/fires?datetime=2026-W33")["numberReturned"],
        0
    );
    assert_eq!(service.get("/api/v1/fires?burning=tyres").status(), 400);
    let week = service.json("/api/v1/zones/forest_blocks/TK01-K01/week/2026-W34");
    assert_eq!(week["fire"]["hotspots"], json!({"forest": 2}));
    let (zoom, x, y) = scenes::tile(12, 15, 50);
    assert_eq!(
        service
            .get(&format!("/hotspots/{zoom}/{x}/{y}?week=2026-W34"))
            .status(),
        200
    );
}
