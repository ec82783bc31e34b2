//! Forest fire: a ranger reads the level of the day and whose table it is; gaps are told, fires told from straw.

use crate::harness::{Sen, Service, count, step};
use crate::scenes::{self, CLOUD, Dn, RICE};
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
pub(crate) fn station(gap: &[&str]) -> String {
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

/// One row a day at an hour, as observers read a thermometer and empty a gauge: rain is the total since the day before.
fn observer(hour: u32, days: impl Iterator<Item = (String, f64, f64, f64, f64)>) -> String {
    let mut csv = String::from("time,station,temperature_c,humidity_percent,rain_mm,wind_m_s\n");
    for (date, t, rh, rain, wind) in days {
        let _ = writeln!(csv, "{date}T{hour}:00:00+07:00,RT-01,{t},{rh},{rain},{wind}");
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
pub(crate) fn province(csv: &str) -> Sen {
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

fn days_of(service: &Service, datetime: &str) -> Vec<Value> {
    let answer = service.json(&format!(
        "/api/v1/zones/forest_blocks/TK01-K01/fire?datetime={datetime}"
    ));
    answer["values"].as_array().expect("days").clone()
}

#[test]
fn a_ranger_reads_todays_level_with_its_citation() {
    let sen = province(&station(&[]));
    let made = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(
        count(&made, "fire_danger", "collection/fire_danger", "made"),
        2,
        "{made}"
    );
    let service = sen.serve();

    let all = days_of(&service, "2026-W34/2026-W35");
    assert_eq!(all.len(), 10);
    for (day, expected) in all.iter().zip(P) {
        let p = day["p"].as_f64().expect("known");
        assert!((p - expected).abs() < 0.06, "{day}");
        assert!(day["fwi"].as_f64().is_some(), "{day}");
    }
    assert_eq!(days_of(&service, "2026-08-20")[0]["level"]["roman"], "III");
    assert_eq!(days_of(&service, "latest")[0]["day"], "2026-08-26");

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
    assert!(pixels.contains(&[0xfe, 0xd9, 0x76, 0xff]), "level III is yellow");
    let (monday, _) = service.rgba(&format!(
        "/fire_danger/{zoom}/{x}/{y}.png?datetime=2026-W34&asset=day1&style=fire_danger"
    ));
    assert!(monday.contains(&[0x26, 0x8b, 0x4b, 0xff]), "Monday was green");
    let column = service.json(
        "/api/v1/zones/forest_blocks/values?collection=fire_danger&datetime=2026-W34&statistic=majority",
    );
    assert_eq!(column["values"], json!([3.0]));
    let legend = service.json("/api/v1/legends/fire_danger?lang=vi");
    assert_eq!(
        (&legend["ordered"], &legend["entries"][3]["title"]),
        (&json!(true), &json!("Cấp IV – nguy hiểm"))
    );
    // whose table it is stands wherever a level is read
    let citation = json!({
        "vi": "Quyết định 99/2026/QĐ-UBND", "en": "Decision 99/2026/QD-UBND", "in_force_here": true,
    });
    assert_eq!(legend["citation"], citation);
    assert_eq!(at(15, 50, "2026-W34")["citation"], citation);
    let tilejson = service.json("/fire_danger");
    assert_eq!(tilejson["citation"], citation);
    assert_eq!(
        tilejson["attribution"],
        "Quyết định 99/2026/QĐ-UBND · Decision 99/2026/QD-UBND"
    );
    assert!(service.json("/api/v1/legends/ndvi")["citation"].is_null());

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
    let fire_danger = |run: &Value| count(run, "fire_danger", "collection/fire_danger", "made");
    let days = count(&again, "danger_days", "records/fire_danger_day", "up_to_date");
    assert_eq!((days, fire_danger(&again)), (1, 0), "{again}");
    assert_eq!(sen.digest(), before);
    let path = sen.path("more.csv");
    let more =
        "time,station,temperature_c,humidity_percent,rain_mm\n2026-08-20T05:00:00+07:00,RT-01,26,90,3.0\n";
    fs::write(&path, more).expect("written");
    sen.run(&["import", "observations", path.to_str().expect("UTF-8")])
        .expect(0);
    let changed = sen.run(&["--json", "process"]).expect(0).json();
    let blocks = &step(&changed, "danger_days")["figures"]["blocks_changed"];
    assert_eq!((blocks, fire_danger(&changed)), (&json!(1), 1), "{changed}");
}

#[test]
fn a_station_read_once_a_day_has_the_rain_of_its_day() {
    // the published sequence of P, the gauge emptied with the reading at one o'clock, or at noon
    for hour in [13, 12] {
        let days = std::iter::once((28.0, 90.0, 8.0)).chain(DAYS);
        let days = days
            .enumerate()
            .map(|(number, (t, rh, rain))| (format!("2026-08-{:02}", 16 + number), t, rh, rain, 2.5));
        let sen = province(&observer(hour, days));
        sen.run(&["process"]).expect(0);
        let service = sen.serve();
        let all = days_of(&service, "2026-W34/2026-W35");
        assert_eq!(all.len(), 10);
        for ((day, expected), (_, _, rain)) in all.iter().zip(P).zip(DAYS) {
            let p = day["p"].as_f64().unwrap_or_else(|| panic!("{hour}: {day}"));
            assert!((p - expected).abs() < 0.06, "{hour}: {day}");
            assert_eq!(day["rain_mm"], rain, "of the day it was read on: {day}");
        }
        assert_eq!(
            all[4]["rain_day"], "2026-08-21",
            "begun anew on the day of the rain"
        );
    }
}

#[test]
fn noon_rows_make_the_canadian_index_and_a_missed_day_is_no_dry_day() {
    // an independent port of cffdrs at 10.5 N (science notes, section 8): month, T, RH, wind km/h, rain, FWI where told
    let days: [(&str, [f64; 4], Option<f64>); 8] = [
        ("2026-02-26", [33.0, 55.0, 8.0, 0.0], Some(4.9394)),
        ("2026-02-27", [34.0, 50.0, 10.0, 0.0], Some(7.6012)),
        ("2026-02-28", [34.5, 48.0, 9.0, 0.0], None),
        ("2026-03-01", [35.0, 45.0, 12.0, 0.0], None),
        ("2026-03-02", [35.5, 44.0, 11.0, 0.0], None),
        ("2026-03-03", [36.0, 42.0, 14.0, 0.0], None),
        ("2026-03-04", [33.0, 65.0, 9.0, 12.4], Some(0.7507)),
        ("2026-03-05", [34.0, 58.0, 8.0, 0.0], Some(5.2860)),
    ];
    let row = |(date, [t, rh, wind, rain], _): &(&str, [f64; 4], Option<f64>)| {
        ((*date).to_owned(), *t, *rh, *rain, wind / 3.6)
    };
    let later = ["2026-03-06", "2026-03-08"].map(|date| (date.to_owned(), 34.0, 50.0, 0.0, 2.0));
    let sen = province(&observer(12, days.iter().map(row).chain(later)));
    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let all = days_of(&service, "2026-02-26/2026-03-08");
    for (day, (date, .., expected)) in all.iter().zip(days) {
        assert_eq!(day["day"], date);
        let fwi = day["fwi"].as_f64().unwrap_or_else(|| panic!("{day}"));
        if let Some(expected) = expected {
            assert!((fwi - expected).abs() < 6e-5, "{day}");
        }
    }
    let reasons: Vec<_> = all[8..].iter().map(|day| &day["unknown"]["reason"]).collect();
    assert_eq!(reasons, [&Value::Null, &json!("no_reading"), &json!("since_gap")]);
}

#[test]
fn the_worst_of_a_week_is_the_same_in_the_record_and_on_the_map() {
    // Monday is not known; the dry days after it reach at least level III, known days II at most
    let gap = ["2026-08-17T11", "2026-08-17T12", "2026-08-17T13", "2026-08-17T14"];
    let sen = province(&station(&gap));
    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let all = days_of(&service, "2026-W34");
    assert_eq!(all[3]["level_at_least"]["number"], 3, "{}", all[3]);
    let known = all.iter().filter_map(|day| day["level"]["number"].as_u64());
    assert_eq!(known.max(), Some(2));
    let week = service.json("/api/v1/zones/forest_blocks/TK01-K01/week/2026-W34");
    let column = service.json(
        "/api/v1/zones/forest_blocks/values?collection=fire_danger&datetime=2026-W34&statistic=majority",
    );
    assert_eq!(
        (&week["fire"]["level"]["number"], &column["values"]),
        (&json!(3), &json!([3.0]))
    );
}

#[test]
fn every_product_can_be_made_by_its_name() {
    let sen = province(&station(&[]));
    let refused = sen.run(&["process", "--product", "fire_dangre"]).expect(2).text();
    for name in sen_processing::steps::layer_names() {
        assert!(refused.contains(name), "{refused}");
    }
    sen.run(&["process", "--product", "fire_danger"]).expect(0);
    let made = |collection: &str| sen.data().join("assets").join(collection).exists();
    assert!(made("fire_danger") && !made("ndvi") && !made("forest_cover"));
    sen.run(&["process", "--product", "ndmi"]).expect(0);
    assert!(made("ndmi") && !made("forest_cover") && !made("ndvi"));
    sen.run(&["process", "--product", "forest_cover"]).expect(0);
    // the statistics that it is told from are made first, and nothing else
    assert!(made("forest_cover") && made("ndvi") && !made("evi") && !made("flood_depth"));

    // depth wants a map of floods, a level between gauges and the ground
    let mut levels = String::from("time,station,water_level_m\n");
    for hour in 0..24 {
        let _ = writeln!(levels, "2026-08-18T{hour:02}:00:00+07:00,RT-01,1.5{hour:02}");
    }
    let path = sen.path("levels.csv");
    fs::write(&path, levels).expect("written");
    sen.run(&["import", "observations", path.to_str().expect("UTF-8")])
        .expect(0);
    let grid = scenes::grid();
    scenes::write(
        &sen.data().join("dem.tif"),
        grid,
        None,
        &vec![1.0_f32; grid.width * grid.height],
    );
    let config = sen.data().join("sen.toml");
    let text = fs::read_to_string(&config).expect("the settings");
    fs::write(
        &config,
        text + "\n[delta]\ndem = \"dem.tif\"\ndem_error_m = 0.3\n",
    )
    .expect("written");
    sen.run(&["process", "--product", "flood"]).expect(0);
    assert!(made("flood") && !made("flood_depth"));
    let said = sen
        .run(&["--json", "process", "--product", "flood_depth"])
        .expect(0)
        .json();
    assert_eq!(
        count(&said, "flood_depth", "collection/flood_depth", "made"),
        1,
        "{said}"
    );
    assert!(made("flood_depth"));
}

/// Rice as bare, burned ground: NDMI -0.25.
const BURNED: Dn = Dn {
    nir: 1800,
    swir16: 3000,
    ..RICE
};

#[test]
fn a_burned_block_is_suspected_then_lost_and_green_again_on_the_map_of_cover() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let source = sen.path("source");
    // a Tuesday a week, from 2026-W20 on: eight weeks tell what is usual
    let tuesday = chrono::NaiveDate::from_ymd_opt(2026, 5, 12).expect("a day");
    let block = [vec![RICE; 9], vec![BURNED; 3], vec![CLOUD, RICE]].concat();
    for (number, pixel) in block.into_iter().enumerate() {
        let day = tuesday + chrono::TimeDelta::weeks(number as i64);
        let id = format!("S2A_48PWS_{}_0_L2A", day.format("%Y%m%d"));
        let pixel = |column: usize, _| if column < 50 { pixel } else { RICE };
        scenes::sentinel2(&source, &id, &format!("{day}T03:21:31Z"), pixel);
    }
    sen.ingest(&source, &["--no-process"]).expect(0);
    let blocks = [
        square("TK01-K01", (4, 30), (10, 100)),
        square("TK01-K02", (70, 100), (10, 100)),
    ];
    import(
        &sen,
        &["zones", "--as", "forest_blocks", "--no-process"],
        "forest.geojson",
        &blocks,
    );
    let made = sen.run(&["--json", "process"]).expect(0).json();
    let cover = |run: &Value, status| count(run, "forest_cover", "collection/forest_cover", status);
    assert_eq!(cover(&made, "made"), 14, "{made}");
    let service = sen.serve();

    let at = |column, week: &str| {
        let (lon, lat) = scenes::lon_lat(column, 50);
        service.json(&format!(
            "/api/v1/point/{lon:.6},{lat:.6}?datetime={week}&lang=en"
        ))["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .find(|layer| layer["collection"] == "forest_cover")
            .cloned()
            .expect("the layer")
    };
    let weeks = [
        "2026-W27", "2026-W28", "2026-W29", "2026-W30", "2026-W31", "2026-W32", "2026-W33",
    ];
    let classes = weeks.map(|week| at(15, week)["value"].clone());
    let none = Value::Null;
    let expected = [
        none.clone(),
        json!(1.0),
        json!(2.0),
        json!(2.0),
        json!(3.0),
        none,
        json!(4.0),
    ];
    assert_eq!(classes, expected);
    assert_eq!(at(15, "2026-W31")["class"], "Loss: confirmed by later looks");
    assert_eq!(at(15, "2026-W32")["reason"], "not seen", "clouds");
    assert_eq!(
        at(15, "2026-W27")["reason"],
        "not seen",
        "what is usual is not known yet"
    );
    assert_eq!(at(85, "2026-W31")["value"], 1.0, "the block beside it stands");
    assert!(at(60, "2026-W31")["value"].is_null(), "no block, no class");

    // the same in the zone's column, statistics and record
    let column = |week: &str| {
        service.json(&format!(
            "/api/v1/zones/forest_blocks/values?collection=forest_cover&datetime={week}&statistic=majority"
        ))["values"]
            .clone()
    };
    assert_eq!(column("2026-W30"), json!([2.0, 1.0]));
    assert_eq!(column("2026-W32"), json!([null, 1.0]));
    let record = |week: &str| {
        service.json(&format!("/api/v1/zones/forest_blocks/TK01-K01/week/{week}"))["fire"]["change"].clone()
    };
    let told = ["2026-W28", "2026-W30", "2026-W31", "2026-W32"].map(|week| {
        let change = record(week);
        (change["state"].clone(), change["cover"].clone())
    });
    assert_eq!(
        told,
        [
            (json!("usual"), json!("kept")),
            (json!("suspected"), json!("suspected")),
            (json!("confirmed"), json!("lost")),
            (json!("confirmed"), Value::Null),
        ],
        "what the looks up to the week tell"
    );

    // tiles and legend
    let (zoom, x, y) = scenes::tile(16, 15, 50);
    let tile = |week: &str| {
        service
            .rgba(&format!("/forest_cover/{zoom}/{x}/{y}.png?datetime={week}"))
            .0
    };
    assert!(tile("2026-W31").contains(&[0x95, 0x06, 0x45, 0xff]), "lost");
    assert!(
        tile("2026-W32").contains(&[0xd9, 0xd9, 0xd9, 0xcc]),
        "grey: not seen"
    );
    let legend = service.json("/api/v1/legends/forest_cover?lang=vi");
    assert!(
        legend["title"]
            .as_str()
            .expect("a title")
            .contains("không phải bản đồ cây")
    );
    assert_eq!(legend["entries"].as_array().map(Vec::len), Some(6));
    assert_eq!(legend["entries"][4]["state"], "not_seen");
    let described = service.json("/forest_cover");
    assert!(
        described["description"]
            .as_str()
            .expect("text")
            .contains("no map of trees")
    );
    service.stop();

    let before = sen.digest();
    let again = sen
        .run(&["--json", "process", "--product", "forest_cover"])
        .expect(0)
        .json();
    assert_eq!(
        (cover(&again, "made"), cover(&again, "up_to_date")),
        (0, 14),
        "{again}"
    );
    assert_eq!(sen.digest(), before);
}

#[test]
fn a_gap_at_one_o_clock_is_told_and_nothing_is_carried_over_it() {
    let gap = ["2026-08-19T11", "2026-08-19T12", "2026-08-19T13", "2026-08-19T14"];
    let sen = province(&station(&gap));
    sen.run(&["process"]).expect(0);
    let service = sen.serve();
    let all = days_of(&service, "2026-W34");
    let known: Vec<bool> = all.iter().map(|day| day["level"].is_object()).collect();
    // the 21st brings five millimetres: known again
    assert_eq!(known, [true, true, false, false, true, true, true]);
    assert_eq!(all[2]["unknown"]["reason"], "no_reading");
    assert!(all[2]["p"].is_null() && all[2]["fwi"].is_null());
    assert_eq!(all[3]["unknown"]["reason"], "since_gap");
    assert_eq!(all[3]["level_at_least"]["roman"], "II", "1082 since the gap");
    assert_eq!(all[3]["fwi_since"], "2026-08-20");
    let item: Value = service.json("/raster/collections/fire_danger/items/fire_danger_2026-W34");
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

    // what is still to come is refused by row and field, the rest is taken
    let ahead = chrono::Utc::now() + chrono::TimeDelta::minutes(30);
    let row_ahead = csv
        .lines()
        .last()
        .expect("a row")
        .replace("2026-08-20,5,", &ahead.format("%Y-%m-%d,%H%M,").to_string());
    fs::write(sen.path("ahead.csv"), format!("{csv}{row_ahead}\n")).expect("written");
    let path = sen.path("ahead.csv").to_str().expect("UTF-8").to_owned();
    let refused = sen.run(&["--json", "import", "hotspots", &path]).expect(1).json();
    let file = &refused["files"][0];
    assert_eq!(
        (
            &file["refused"],
            &file["changed"],
            &refused["hotspots"]["hotspots"]
        ),
        (&json!(1), &json!(3), &json!(3)),
        "{refused}"
    );
    let reason = file["reasons"][0].as_str().expect("a reason");
    assert!(reason.starts_with("row 5: acq_date, acq_time: "), "{reason}");

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
