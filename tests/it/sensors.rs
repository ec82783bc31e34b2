//! Stations: their files are imported, their values arrive over HTTP, and what is wrong with them is found.

use crate::harness::{Sen, Service, real_data};
use sen_catalog::observation::{Flag, Marks};
use sen_catalog::store::{ObservationQuery, Observations, SqliteStore};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Midnight of a Monday in Viet Nam.
const MONDAY: &str = "2026-05-18T00:00:00+07:00";

/// A key that may write observations.
pub(crate) fn key(sen: &Sen) -> String {
    sen.run(&["init"]).expect(0);
    let made = sen.run(&["--json", "keys", "add", "gateway", "--write", "observations"]);
    made.expect(0).json()["key"].as_str().expect("a key").to_owned()
}

/// POSTs JSON; status and body.
pub(crate) fn post(service: &Service, key: Option<&str>, path: &str, body: &Value) -> (u16, Value) {
    let client = reqwest::blocking::Client::new();
    let mut request = client.post(format!("{}{path}", service.base)).json(body);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let response = request.send().unwrap_or_else(|error| panic!("{path}: {error}"));
    let status = response.status().as_u16();
    if status == 201 && !path.ends_with("CreateObservations") {
        let location = response.headers()["location"].to_str().expect("text").to_owned();
        assert!(location.starts_with(&service.base), "{location}");
    }
    (status, response.json().unwrap_or(Value::Null))
}

/// A station with a gauge and a salinity probe, made over HTTP.
pub(crate) fn station(service: &Service, key: &str, code: &str) {
    let stream = |property: &str, unit: &str| {
        json!({
            "name": format!("{property} {code}"), "description": "in the canal",
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "unitOfMeasurement": {"name": unit, "symbol": unit, "definition": ""},
            "ObservedProperty": {"name": property, "definition": "", "description": ""},
            "Sensor": {"name": "probe 7", "description": "", "encodingType": "text/plain", "metadata": "calibrated 2026-01"},
        })
    };
    let thing = json!({
        "name": format!("Trạm {code}"), "description": "", "properties": {"code": code, "interval_s": 900},
        "Locations": [{"name": code, "description": "", "encodingType": "application/geo+json",
                       "location": {"type": "Point", "coordinates": [105.5, 10.5]}}],
        "Datastreams": [stream("water_level", "m"), stream("salinity", "g/L")],
    });
    let (status, body) = post(service, Some(key), "/sta/v1.1/Things", &thing);
    assert_eq!(status, 201, "{body}");
}

/// Two days of a tide, a value each quarter of an hour, with a spike at 50 and a gap before 120.
fn tide() -> String {
    let start = chrono::DateTime::parse_from_rfc3339(MONDAY).expect("time");
    let mut csv = String::from("time,station,level_cm,salinity_ms_cm,note\n");
    for i in (0..192).filter(|i| !(100..120).contains(i)) {
        let time = start + chrono::Duration::minutes(15 * i);
        let tide = (f64::from(i as i32) / 48.0 * std::f64::consts::TAU).sin();
        let spike = if i == 50 { 80.0 } else { 0.0 };
        let level = 90.0 + 35.0 * tide + spike;
        let _ = writeln!(
            csv,
            "{},KM-04,{level:.1},{:.2},",
            time.to_rfc3339(),
            1.0 + 0.3 * tide
        );
    }
    csv
}

#[test]
fn a_file_is_imported_once_and_its_faults_are_found() {
    let sen = Sen::new();
    let key = key(&sen);
    let file = sen.path("KM-04.csv");
    fs::write(&file, tide()).expect("written");
    let path = file.to_str().expect("UTF-8");
    let unknown = sen.run(&["import", "observations", path]).expect(1);
    assert!(unknown.text().contains("sen import layer"), "{}", unknown.text());

    let service = sen.serve();
    station(&service, &key, "KM-04");
    let run = || {
        sen.run(&["--json", "import", "observations", path])
            .expect(0)
            .json()["files"][0]
            .clone()
    };
    let first = run();
    assert_eq!(
        (first["added"].as_u64(), first["refused"].as_u64()),
        (Some(344), Some(0)),
        "{first}"
    );
    assert_eq!(first["ignored"], json!(["note"]));
    let again = run();
    assert_eq!(
        (again["unchanged"].as_u64(), again["reflagged"].as_u64()),
        (Some(344), Some(0)),
        "{again}"
    );

    let series = service.json("/api/v1/stations/KM-04/series?property=water_level&datetime=2026-W21");
    let values = series["values"].as_array().expect("values");
    assert_eq!((values.len(), series["unit"].as_str()), (172, Some("m")));
    assert!(
        (values[0]["value"].as_f64().expect("number") - 0.9).abs() < 1e-9,
        "centimetres became metres"
    );
    assert_eq!(values[50]["flag"], 4);
    assert_eq!(values[50]["tests"], json!(["spike", "rate"]));
    assert_eq!(values[100]["tests"], json!(["gap"]));
    assert_eq!(values[30]["flag"], 1);
    let days = service.json("/api/v1/stations/KM-04/series?property=water_level&datetime=2026-W21&step=day");
    let days = days["values"].as_array().expect("days");
    assert_eq!(
        days.iter().map(|day| day["count"].as_u64()).collect::<Vec<_>>(),
        [Some(93), Some(76)],
        "the spike and its two suspect neighbours are in no mean"
    );
    assert!(
        days[0]["max"].as_f64() < Some(1.3),
        "the spike is not in the mean of its day: {days:?}"
    );
    let salt = service.json("/api/v1/stations/KM-04/latest");
    let salt = salt["values"]
        .as_array()
        .expect("values")
        .iter()
        .find(|one| one["property"] == "salinity");
    let value = salt.expect("salinity")["value"].as_f64().expect("number");
    assert!((0.4..0.9).contains(&value), "0.64 g/L for each mS/cm: {value}");
    let found = service.json("/api/v1/stations?bbox=105,10,106,11");
    assert_eq!(found["stations"][0]["code"], "KM-04");
    assert_eq!(
        service.json("/api/v1/stations?bbox=100,10,101,11")["stations"],
        json!([])
    );
}

#[test]
fn rows_that_cannot_be_used_are_named_and_the_rest_goes_in() {
    let sen = Sen::new();
    let key = key(&sen);
    let service = sen.serve();
    station(&service, &key, "KM-04");
    let file = sen.path("long.csv");
    let soon = (chrono::Utc::now() + chrono::Duration::hours(2)).to_rfc3339();
    let text = format!(
        "station;property;time;value;unit;flag\n\
         KM-04;water_level;2026-05-18 00:00;0,91;m;\n\
         KM-04;salinity;2026-05-18 00:00;0,8;m;\n\
         KM-04;water_level;{soon};0,92;m;\n\
         KM-04;water_level;yesterday;0,92;m;\n\
         KM-04;water_level;2026-05-18 00:15;wet;m;\n\
         KM-04;water_level;2026-05-18 00:30;95;cm;4\n\
         KM-04;water_level;2026-05-18 00:45;;m;\n"
    );
    fs::write(&file, text).expect("written");
    let path = file.to_str().expect("UTF-8");
    let silent = sen.run(&["import", "observations", path]).expect(1);
    assert!(silent.text().contains("--timezone"), "{}", silent.text());
    let run = sen
        .run(&["--json", "import", "observations", path, "--timezone", "+07:00"])
        .expect(1);
    let report = run.json()["files"][0].clone();
    assert_eq!(
        (report["added"].as_u64(), report["refused"].as_u64()),
        (Some(3), Some(4)),
        "{report}"
    );
    let reasons = report["reasons"].to_string();
    for told in [
        "row 3: the unit `m` does not fit salinity",
        "row 4: ",
        "in the future",
        "row 5: `yesterday`",
        "row 6: `wet`",
    ] {
        assert!(reasons.contains(told), "{told} is not in {reasons}");
    }
    let series = service.json("/api/v1/stations/KM-04/series?property=water_level&datetime=2026-W21");
    let flags: Vec<_> = series["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|one| one["flag"].as_u64())
        .collect();
    assert_eq!(
        flags,
        [Some(1), Some(4), Some(9)],
        "good, condemned by its deliverer, missing"
    );
    sen.run(&["import", "observations", path, "--timezone", "seven"])
        .expect(2);
    sen.run(&["import", "observations", path, "--column", "x=ph:m"])
        .expect(2);
}

/// A folder with the station KM-04, imported from a file.
fn one_station() -> Sen {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let station = json!({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"code": "KM-04"},
                         "geometry": {"type": "Point", "coordinates": [105.5, 10.5]}}]});
    fs::write(sen.path("st.geojson"), station.to_string()).expect("written");
    let file = sen.path("st.geojson");
    sen.run(&[
        "import",
        "layer",
        file.to_str().expect("UTF-8"),
        "--as",
        "stations",
    ])
    .expect(0);
    sen
}

/// Imports a file of this text; exit status, what was reported of it.
fn imported(sen: &Sen, name: &str, bytes: &[u8], status: i32, more: &[&str]) -> Value {
    let file = sen.path(name);
    fs::write(&file, bytes).expect("written");
    let args = [
        &["--json", "import", "observations", file.to_str().expect("UTF-8")],
        more,
    ]
    .concat();
    sen.run(&args).expect(status).json()["files"][0].clone()
}

/// Time, value and flag of a series, in its order.
fn kept(sen: &Sen, property: &str) -> Vec<(String, Option<f64>, u8)> {
    let store = SqliteStore::open(&sen.data().join("catalog.sqlite")).expect("the store");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let streams = runtime.block_on(store.datastreams(None)).expect("streams");
    let Some(stream) = streams.iter().find(|one| one.property == property) else {
        return Vec::new();
    };
    let rows = runtime.block_on(store.observations(&ObservationQuery::datastream(stream.id)));
    let rows = rows.expect("rows").into_iter();
    rows.map(|one| {
        (
            one.time.format("%H:%M").to_string(),
            one.value.map(|value| (value * 1e9).round() / 1e9),
            u8::from(one.flag),
        )
    })
    .collect()
}

#[test]
fn a_column_without_unit_that_fits_another_is_refused_with_the_words_to_type() {
    let sen = one_station();
    let rows = |i: i32| {
        format!(
            "2026-05-18T07:{:02}:00+07:00,KM-04,{},0.8{},0.31,{},{},3.1{}\n",
            i,
            1850 + i,
            i % 10,
            80 + i,
            85 + i % 3,
            i % 10
        )
    };
    let text = "time,station,EC,humidity,vwc,oxygen,battery,level\n".to_owned()
        + &(0..9).map(rows).collect::<String>();
    let report = imported(&sen, "bare.csv", text.as_bytes(), 1, &[]);
    assert_eq!(
        (report["added"].as_u64(), report["refused"].as_u64()),
        (Some(9), Some(45)),
        "{report}"
    );
    let reasons = report["reasons"].as_array().expect("reasons");
    assert_eq!(reasons.len(), 5, "one line a column: {report}");
    let reasons = report["reasons"].to_string().replace("\\\"", "'");
    for words in [
        "--column 'EC=conductivity:uS/cm'",
        "--column 'humidity=humidity:fraction'",
        "--column 'vwc=soil_moisture:m3/m3'",
        "--column 'oxygen=oxygen_saturation:%'",
        "--column 'battery=battery_level:%'",
    ] {
        assert!(reasons.contains(words), "{words} is not in {reasons}");
    }
    assert_eq!(kept(&sen, "conductivity"), []);
    assert_eq!(kept(&sen, "water_level").len(), 9);
    let said = [
        "--column",
        "EC=conductivity:uS/cm",
        "--column",
        "humidity=humidity:fraction",
    ];
    let report = imported(&sen, "bare.csv", text.as_bytes(), 0, &said);
    assert_eq!(report["added"], 18, "{report}");
    assert_eq!(report["ignored"], json!(["vwc", "oxygen", "battery", "level"]));
    let values = kept(&sen, "conductivity");
    assert!((values[1].1.expect("a value") - 1.851).abs() < 1e-9, "{values:?}");
    // rows of JSON say their unit themselves; among good ones a single one is kept as failed
    let entry = |minute: i32, value: f64| json!({"station": "KM-04", "property": "temp", "time": format!("2026-05-18T08:0{minute}:00+07:00"), "value": value});
    let fahrenheit = json!([entry(0, 86.0), entry(1, 86.2)]).to_string();
    let report = imported(&sen, "f.json", fahrenheit.as_bytes(), 1, &[]);
    assert!(report["reasons"].to_string().contains("unit F"), "{report}");
    let one = json!([entry(0, 30.1), entry(1, 86.2), entry(2, 30.2)]).to_string();
    imported(&sen, "c.json", one.as_bytes(), 0, &[]);
    let flags: Vec<u8> = kept(&sen, "temperature").iter().map(|row| row.2).collect();
    assert_eq!(flags, [1, 4, 1]);
}

#[test]
fn what_a_file_says_twice_is_named_by_row_or_column() {
    let sen = one_station();
    let text = "time,station,level_m,ph\n\
                2026-05-18T07:00:00+07:00,KM-04,1.52,\n\
                2026-05-18T00:00:00Z,KM-04,9.52,7.1\n\
                2026-05-18 07:00:00+07,KM-04,1.52,7.1\n\
                2026-05-18T07:15:00+07:00,KM-04,1.53,\n";
    let report = imported(&sen, "twice.csv", text.as_bytes(), 1, &[]);
    assert_eq!(report["refused"], 1, "{report}");
    let reason = report["reasons"][0].as_str().expect("a reason");
    assert!(
        reason.starts_with("row 3, column level_m: 9.52 at 2026-05-18T00:00:00Z, but row 2 says 1.52"),
        "{reason}"
    );
    let level: Vec<_> = kept(&sen, "water_level").into_iter().map(|row| row.1).collect();
    assert_eq!(level, [Some(1.52), Some(1.53)]);
    let ph: Vec<_> = kept(&sen, "ph").into_iter().map(|row| row.1).collect();
    assert_eq!(
        ph,
        [Some(7.1), None],
        "a value beside an empty cell of the same time is that value"
    );
    let text = "time,station,temperature_c,temp_f\n2026-05-18T07:00:00+07:00,KM-04,30.0,86.9\n";
    let report = imported(&sen, "two.csv", text.as_bytes(), 1, &[]);
    let reason = report["reasons"][0].as_str().expect("a reason");
    assert!(
        reason.contains("temperature_c") && reason.contains("temp_f"),
        "{reason}"
    );
    assert_eq!(kept(&sen, "temperature"), []);
}

#[test]
fn tables_of_spreadsheets_and_databases_are_read_or_asked_about() {
    let sen = one_station();
    let times = "time;station;level_m;ec_us_cm\n\
                 1779062400000;KM-04;1,52;1.850\n\
                 1779063300;KM-04;\u{2212}0,3;1 851\n\
                 2026-05-18 07:30:00+07;KM-04;1,025;1\u{a0}852,5\n";
    let wide: Vec<u8> = format!("sep=;\r\n{times}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let wide = [b"\xFF\xFE".as_slice(), &wide].concat();
    let report = imported(&sen, "excel.csv", &wide, 0, &[]);
    assert_eq!(report["added"], 6, "{report}");
    let values = |property: &str| -> Vec<_> {
        kept(&sen, property)
            .into_iter()
            .map(|row| (row.0, row.1))
            .collect()
    };
    let at = |clock: &str, value: f64| (clock.to_owned(), Some(value));
    assert_eq!(
        values("water_level"),
        [at("00:00", 1.52), at("00:15", -0.3), at("00:30", 1.025)]
    );
    assert_eq!(
        values("conductivity"),
        [at("00:00", 1.85), at("00:15", 1.851), at("00:30", 1.8525)]
    );

    let unclear = "time\tstation\tec_us_cm\n2026-05-18T08:00:00+07:00\tKM-04\t1,900\n";
    let report = imported(&sen, "unclear.txt", unclear.as_bytes(), 1, &[]);
    let reason = report["reasons"][0].as_str().expect("a reason");
    assert!(
        reason.contains("row 2, column ec_us_cm: `1,900` may be 1900 or 1.9") && reason.contains("--decimal"),
        "{reason}"
    );
    let report = imported(
        &sen,
        "unclear.txt",
        unclear.as_bytes(),
        0,
        &["--decimal", "point"],
    );
    assert_eq!(report["added"], 1, "{report}");
    assert_eq!(values("conductivity")[3], at("01:00", 1.9));

    let python = br#"[{"station": "KM-04", "property": "ph", "time": 1779062400, "value": 7.1},
                      {"station": "KM-04", "property": "ph", "time": 1779063300, "value": NaN},
                      {"station": "KM-04", "property": "ph", "time": 1779064200, "value": 1e999}]"#;
    let report = imported(&sen, "python.json", python, 1, &[]);
    assert_eq!(
        (report["added"].as_u64(), report["refused"].as_u64()),
        (Some(2), Some(1)),
        "{report}"
    );
    assert_eq!(values("ph"), [at("00:00", 7.1), ("00:15".to_owned(), None)]);
}

#[test]
fn a_long_import_that_is_asked_to_stop_says_what_is_in_and_goes_on_later() {
    let sen = one_station();
    let start = chrono::DateTime::parse_from_rfc3339(MONDAY).expect("time");
    let mut text = String::from("time,station,level_m\n");
    for i in 0..400_000_i32 {
        let time = (start - chrono::Duration::seconds(i64::from(i))).to_rfc3339();
        let _ = writeln!(text, "{time},KM-04,{:.3}", 1.0 + f64::from(i % 100) / 1000.0);
    }
    let file = sen.path("long.csv");
    fs::write(&file, text).expect("written");
    let data = sen.data();
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_sen"))
        .args([
            "--json",
            "--data",
            data.to_str().expect("UTF-8"),
            "import",
            "observations",
        ])
        .arg(&file)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("starts");
    let started = std::time::Instant::now();
    while kept(&sen, "water_level").is_empty() {
        assert!(started.elapsed().as_secs() < 60, "nothing came in");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let id = child.id().to_string();
    let signalled = std::process::Command::new("kill").args(["-TERM", &id]).status();
    assert!(signalled.expect("kill").success());
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(1), "stopped, not killed");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let report = &report["files"][0];
    assert_eq!(report["cancelled"], true, "{report}");
    let added = report["added"].as_u64().expect("a count");
    assert!(added > 0 && added < 400_000, "{report}");
    assert_eq!(kept(&sen, "water_level").len() as u64, added);
}

#[test]
fn a_unit_that_changes_within_a_file_is_converted_or_named_by_its_row() {
    let sen = Sen::new();
    let key = key(&sen);
    let service = sen.serve();
    station(&service, &key, "KM-04");
    let file = sen.path("algae.csv");
    let text = "station,property,time,value,unit\n\
                KM-04,chlorophyll,2026-05-18T00:00:00+07:00,4.5,\n\
                KM-04,chlorophyll,2026-05-18T00:15:00+07:00,4.5,ug/L\n\
                KM-04,chlorophyll,2026-05-18T00:30:00+07:00,4.5,mg/L\n\
                KM-04,water_level,2026-05-18T00:30:00+07:00,95,cm\n\
                KM-04,water_level,2026-05-18T00:45:00+07:00,0.96,m\n\
                KM-04,water_level,1970-01-01T00:00:12Z,0.96,m\n";
    fs::write(&file, text).expect("written");
    let run = sen.run(&["--json", "import", "observations", file.to_str().expect("UTF-8")]);
    let report = run.expect(1).json()["files"][0].clone();
    assert_eq!(
        (report["added"].as_u64(), report["refused"].as_u64()),
        (Some(3), Some(3)),
        "{report}"
    );
    let reasons = report["reasons"].to_string();
    for told in [
        "row 2: unit: is missing",
        "row 4: unit: `mg/L` is another than `ug/L`",
        "row 7: time: 1970",
    ] {
        assert!(reasons.contains(told), "{told} is not in {reasons}");
    }
    let series = service.json("/api/v1/stations/KM-04/series?property=chlorophyll&datetime=2026-W21");
    assert_eq!(
        (series["unit"].as_str(), series["values"].as_array().map(Vec::len)),
        (Some("ug/L"), Some(1))
    );
    let levels = service.json("/api/v1/stations/KM-04/series?property=water_level&datetime=2026-W21");
    let levels: Vec<_> = levels["values"].as_array().expect("values").iter().collect();
    for (level, expected) in levels.iter().zip([0.95, 0.96]) {
        let value = level["value"].as_f64().expect("a number");
        assert!((value - expected).abs() < 1e-9, "{level}");
    }
    assert_eq!(levels.len(), 2);
}

#[test]
fn a_station_with_swapped_axes_or_a_value_of_another_age_is_refused_by_field() {
    let sen = Sen::new();
    let key = key(&sen);
    let file = sen.data().join("sen.toml");
    fs::write(&file, "[grid]\nbounds = [105.0, 10.0, 106.0, 11.0]\n").expect("written");
    let service = sen.serve();
    let thing = |code: &str, coordinates: Value| {
        json!({"name": code, "description": "", "properties": {"code": code},
               "Locations": [{"name": code, "description": "", "encodingType": "application/geo+json",
                              "location": {"type": "Point", "coordinates": coordinates}}]})
    };
    for (code, coordinates) in [
        ("SWAPPED", json!([10.5, 105.5])),
        ("BEYOND", json!([185.5, 10.5])),
        ("PARIS", json!([2.35, 48.86])),
    ] {
        let (status, problem) = post(
            &service,
            Some(&key),
            "/sta/v1.1/Things",
            &thing(code, coordinates),
        );
        assert_eq!(status, 400, "{code}: {problem}");
        let detail = problem["detail"].as_str().expect("text");
        assert!(
            detail.contains("location.coordinates") && detail.contains("axes swapped"),
            "{code}: {detail}"
        );
    }
    station(&service, &key, "TV-01");
    let found = service.json("/api/v1/stations");
    assert_eq!(found["stations"].as_array().map(Vec::len), Some(1), "{found}");

    let observation =
        |time: &str| json!({"phenomenonTime": time, "result": 1.25, "Datastream": {"@iot.id": 1}});
    for time in [
        "1969-07-20T20:17:40Z",
        "1970-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
    ] {
        let (status, problem) = post(&service, Some(&key), "/sta/v1.1/Observations", &observation(time));
        assert_eq!(status, 400, "{time}: {problem}");
        let detail = problem["detail"].as_str().expect("text");
        assert!(detail.contains("phenomenonTime"), "{detail}");
    }
    let rows = json!([{"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"],
                       "dataArray": [["1969-07-20T20:17:40Z", 1.0], [MONDAY, 1.25]]}]);
    let (status, answers) = post(&service, Some(&key), "/sta/v1.1/CreateObservations", &rows);
    assert_eq!(status, 201, "{answers}");
    let answers: Vec<_> = answers
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(
        answers[0].starts_with("error: ") && answers[0].contains("phenomenonTime"),
        "{answers:?}"
    );
    assert!(answers[1].contains("/Observations("), "{answers:?}");
}

#[test]
fn a_file_of_a_datastream_in_cm_is_read_in_cm() {
    let sen = Sen::new();
    let key = key(&sen);
    let service = sen.serve();
    station(&service, &key, "TV-01");
    let depth = json!({
        "name": "depth", "description": "", "unitOfMeasurement": {"name": "cm", "symbol": "cm", "definition": ""},
        "ObservedProperty": {"name": "water_depth", "definition": "", "description": ""},
    });
    let (status, made) = post(&service, Some(&key), "/sta/v1.1/Things(1)/Datastreams", &depth);
    assert_eq!(status, 201, "{made}");
    let path = format!("/sta/v1.1/Datastreams({})/Observations", made["@iot.id"]);
    let sent = json!({"phenomenonTime": MONDAY, "result": 152});
    assert_eq!(post(&service, Some(&key), &path, &sent).0, 201);
    // what one service answers another takes
    let answer = service.json(&format!("{path}?$resultFormat=dataArray"));
    assert_eq!(answer["value"][0]["dataArray"][0][2], 152.0, "{answer}");
    let file = sen.path("answer.json");
    let moved = answer.to_string().replace("2026-05-17T17:00", "2026-05-17T18:00");
    fs::write(&file, moved).expect("written");
    let run = sen.run(&["--json", "import", "observations", file.to_str().expect("UTF-8")]);
    assert_eq!(run.expect(0).json()["files"][0]["added"], 1);
    let series = service.json("/api/v1/stations/TV-01/series?property=water_depth&datetime=2026-W21");
    let values: Vec<_> = series["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|one| one["value"].as_f64())
        .collect();
    assert_eq!(
        (values, series["unit"].as_str()),
        (vec![Some(1.52), Some(1.52)], Some("m"))
    );
}

#[test]
fn nothing_is_written_over_http_without_a_key() {
    let sen = Sen::new();
    let key = key(&sen);
    // a slip would be a key that opens nothing
    let slip = sen
        .run(&["keys", "add", "slip", "--write", "observation"])
        .expect(2);
    assert!(
        slip.stderr.contains("--write") && slip.stderr.contains("`observations`"),
        "{}",
        slip.stderr
    );
    assert!(!sen.run(&["keys", "list"]).expect(0).stdout.contains("slip"));
    let reader = sen.run(&["--json", "keys", "add", "reader"]).expect(0).json();
    let reader = reader["key"].as_str().expect("a key").to_owned();
    let service = sen.serve();
    station(&service, &key, "TV-01");
    let observation = json!({"phenomenonTime": MONDAY, "result": 1.25, "Datastream": {"@iot.id": 1}});
    let path = "/sta/v1.1/Observations";
    assert_eq!(post(&service, None, path, &observation).0, 401);
    assert_eq!(post(&service, Some("sen_0000"), path, &observation).0, 401);
    let (status, problem) = post(&service, Some(&reader), path, &observation);
    assert_eq!(status, 403);
    assert_eq!(
        (problem["code"].as_str(), problem["message"].is_string()),
        (Some("forbidden"), true)
    );
    assert_eq!(post(&service, Some(&key), path, &observation).0, 201);
    let (status, problem) = post(
        &service,
        Some(&key),
        path,
        &json!({"phenomenonTime": "2100-01-01T00:00:00Z", "result": 1, "Datastream": {"@iot.id": 1}}),
    );
    assert_eq!(status, 400);
    assert!(
        problem["detail"].as_str().expect("text").contains("future"),
        "{problem}"
    );
    assert_eq!(
        post(
            &service,
            Some(&key),
            "/sta/v1.1/Datastreams(99)/Observations",
            &json!({"result": 1})
        )
        .0,
        404
    );
    assert!(sen.run(&["keys", "list"]).expect(0).stdout.contains("gateway"));
    sen.run(&["keys", "revoke", "gateway"]).expect(0);
    assert_eq!(
        post(&service, Some(&key), path, &observation).0,
        401,
        "a revoked key opens nothing"
    );
    let database = fs::read(sen.data().join("catalog.sqlite")).expect("read");
    let held = database.windows(key.len()).any(|window| window == key.as_bytes());
    assert!(!held, "only a digest of the key is kept");
}

#[test]
fn sensorthings_tells_stations_series_and_pages() {
    let sen = Sen::new();
    let key = key(&sen);
    let service = sen.serve();
    station(&service, &key, "TV-01");
    station(&service, &key, "TV-02");
    let rows: Vec<Value> = (0..30)
        .map(|i| {
            json!([
                format!("2026-05-18T{:02}:{:02}:00Z", i / 4, i % 4 * 15),
                1.0 + f64::from(i) / 100.0
            ])
        })
        .collect();
    let mut second = rows.clone();
    second.push(json!(["2026-05-18T09:00:00Z", "wet"]));
    let block = |id: i64, rows: &[Value]| json!({"Datastream": {"@iot.id": id}, "components": ["phenomenonTime", "result"], "dataArray": rows});
    let (status, answers) = post(
        &service,
        Some(&key),
        "/sta/v1.1/CreateObservations",
        &json!([block(1, &rows), block(3, &second)]),
    );
    let answers = answers.as_array().expect("answers").clone();
    assert_eq!((status, answers.len()), (201, 61));
    assert!(
        answers[60].as_str().expect("text").starts_with("error"),
        "{}",
        answers[60]
    );
    let link = answers[0]
        .as_str()
        .expect("text")
        .strip_prefix(&service.base)
        .expect("ours")
        .to_owned();
    assert_eq!(service.json(&link)["result"], 1.0);

    let root = service.json("/sta/v1.1");
    assert_eq!(root["value"].as_array().expect("sets").len(), 8);
    for set in root["value"].as_array().expect("sets") {
        let path = format!("/sta/v1.1/{}", set["name"].as_str().expect("name"));
        assert!(service.json(&path)["value"].is_array(), "{path}");
    }
    let things = service.json("/sta/v1.1/Things?$count=true&$filter=properties/code%20eq%20'TV-02'&$expand=Datastreams($expand=Observations($orderby=phenomenonTime%20desc;$top=1)),Locations");
    assert_eq!(things["@iot.count"], 1);
    let level = &things["value"][0]["Datastreams"][0];
    assert_eq!(level["Observations"][0]["result"], 1.29);
    assert_eq!(level["unitOfMeasurement"]["symbol"], "m");
    assert_eq!(
        things["value"][0]["Locations"][0]["location"]["coordinates"],
        json!([105.5, 10.5])
    );
    assert_eq!(
        service.json("/sta/v1.1/Datastreams(1)/Sensor")["metadata"],
        "calibrated 2026-01"
    );
    assert_eq!(
        service.json("/sta/v1.1/Datastreams(1)/ObservedProperty")["name"],
        "water_level"
    );
    assert_eq!(
        service.json("/sta/v1.1/ObservedProperties('salinity')/Datastreams")["value"]
            .as_array()
            .expect("list")
            .len(),
        2
    );
    assert_eq!(
        service
            .get("/sta/v1.1/Datastreams(3)/Thing/properties/$value")
            .status(),
        200
    );
    assert_eq!(service.json("/sta/v1.1/Things(1)/name")["name"], "Trạm TV-01");

    // every page leads to the next, and together they are the whole
    let mut path =
        "/sta/v1.1/Observations?$top=25&$select=phenomenonTime,result,id&$filter=result%20lt%201.25"
            .to_owned();
    let mut seen = Vec::new();
    for _ in 0..10 {
        let page = service.json(&path);
        seen.extend(page["value"].as_array().expect("list").clone());
        match page["@iot.nextLink"].as_str() {
            Some(next) => path = next.strip_prefix(&service.base).expect("ours").to_owned(),
            None => break,
        }
    }
    let mut ids: Vec<_> = seen.iter().map(|one| one["@iot.id"].to_string()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 50);
    assert_eq!(
        seen[0].as_object().expect("entity").len(),
        3,
        "only what is selected: {}",
        seen[0]
    );
    let newest =
        service.json("/sta/v1.1/Observations?$orderby=phenomenonTime%20desc&$top=2&$expand=Datastream/Thing");
    assert_eq!(newest["value"][0]["phenomenonTime"], "2026-05-18T07:15:00.000Z");
    assert_eq!(
        newest["value"][1]["Datastream"]["Thing"]["properties"]["code"],
        "TV-02"
    );
    let arrays = service.json("/sta/v1.1/Datastreams(1)/Observations?$resultFormat=dataArray&$filter=phenomenonTime%20ge%202026-05-18T06:00:00Z&$count=true");
    assert_eq!(
        (
            arrays["@iot.count"].as_u64(),
            arrays["value"][0]["dataArray@iot.count"].as_u64()
        ),
        (Some(6), Some(6))
    );

    for (path, status) in [
        ("/sta/v1.1/Things(99)", 404),
        ("/sta/v1.1/Cars", 404),
        ("/sta/v1.1/Things(1", 404),
        ("/sta/v1.1/Things?$filter=pg_sleep(8)%20eq%201", 400),
        ("/sta/v1.1/Things?$top=x", 400),
        ("/sta/v1.1/Things?$expand=Wheels", 400),
        ("/sta/v1.1/Observations?$orderby=nosuch", 400),
    ] {
        let response = service.get(path);
        assert_eq!(response.status(), status, "{path}");
        let problem: Value = response.json().expect("a problem");
        assert!(
            problem["code"].is_string() && problem["message"].is_string(),
            "{path}: {problem}"
        );
    }
    let deep = format!("/sta/v1.1/Things?$filter={}", "(".repeat(3000));
    assert_eq!(service.get(&deep).status(), 400);
}

#[test]
fn a_real_sonde_of_an_estuary_is_read_with_its_flags() {
    let Some(file) = real_data("sensors/nerrs_gndblwq_2021.csv") else {
        return;
    };
    let sen = Sen::new();
    let key = key(&sen);
    let service = sen.serve();
    station(&service, &key, "gndblwq");
    let mut args = vec!["--json", "import", "observations", file.to_str().expect("UTF-8")];
    // the station list gives GMT-6
    args.extend([
        "--station-column",
        "StationCode",
        "--time-column",
        "DateTimeStamp",
        "--time-format",
        "%m/%d/%Y %H:%M",
    ]);
    args.extend([
        "--timezone",
        "-06:00",
        "--column",
        "Sal=salinity:psu",
        "--column",
        "Depth=water_depth:m",
        "--column",
        "pH=ph",
    ]);
    let report = sen.run(&args).expect(0).json()["files"][0].clone();
    assert_eq!(
        (report["added"].as_u64(), report["refused"].as_u64()),
        (Some(3 * 5856), Some(0)),
        "{report}"
    );
    let again = sen.run(&args).expect(0).json()["files"][0].clone();
    assert_eq!(again["unchanged"].as_u64(), Some(3 * 5856), "{again}");
    let missing = service.json("/sta/v1.1/Datastreams?$filter=properties/property%20eq%20'salinity'");
    let id = missing["value"][0]["@iot.id"].as_i64().expect("an id");
    let count = |filter: &str| {
        let path = format!("/sta/v1.1/Datastreams({id})/Observations?$count=true&$top=0&$filter={filter}");
        service.json(&path)["@iot.count"].as_u64()
    };
    assert_eq!(
        count("result%20eq%20null"),
        Some(523),
        "521 rows flagged <-2> [GSM] and two <-2> [GMC]"
    );
    assert_eq!(count("resultQuality/flag%20eq%209"), Some(523));
    let first = service.json(&format!("/sta/v1.1/Datastreams({id})/Observations?$top=1"));
    assert_eq!(first["value"][0]["phenomenonTime"], "2021-07-02T06:00:00.000Z");
    assert_eq!(first["value"][0]["result"], 7.9);
}

/// One line of the demo's truth: what was wrong with a sensor, and when.
struct Fault {
    station: String,
    quantity: String,
    kind: String,
    from: chrono::DateTime<chrono::Utc>,
    to: chrono::DateTime<chrono::Utc>,
}

fn faults(path: &Path) -> Vec<Fault> {
    let time = |text: &str| {
        let time = chrono::DateTime::parse_from_rfc3339(text).expect("a time");
        time.with_timezone(&chrono::Utc)
    };
    let text = fs::read_to_string(path).expect("the demo's truth");
    let lines = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>());
    lines
        .map(|cells| Fault {
            station: cells[0].to_owned(),
            quantity: cells[1].to_owned(),
            kind: cells[2].to_owned(),
            from: time(cells[3]),
            to: time(cells[4]),
        })
        .collect()
}

#[test]
fn the_faults_of_the_demo_stations_are_found() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let stations = demo.join("source/stations");
    assert!(
        stations.exists(),
        "{} is missing; `make demo` makes it",
        stations.display()
    );
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let layer = text(&stations.join("stations.geojson"));
    sen.run(&["import", "layer", &layer, "--as", "stations"])
        .expect(0);
    let files: Vec<String> = fs::read_dir(&stations)
        .expect("folder")
        .map(|entry| text(&entry.expect("entry").path()))
        .filter(|path| path.ends_with(".csv"))
        .collect();
    let mut args = vec!["import", "observations"];
    args.extend(files.iter().map(String::as_str));
    sen.run(&args).expect(0);

    let store = SqliteStore::open(&sen.data().join("catalog.sqlite")).expect("the store");
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let streams = runtime.block_on(store.datastreams(None)).expect("streams");
    let details = |fault: &Fault, property: &str, to, limit| {
        let stream = streams
            .iter()
            .find(|one| one.station == fault.station && one.property == property);
        let query = ObservationQuery {
            from: Some(fault.from),
            to,
            limit,
            ..ObservationQuery::datastream(stream.expect("measured").id)
        };
        runtime.block_on(store.details(&query)).expect("rows")
    };
    let (mut spikes, mut gaps, mut stuck) = ([0, 0], [0, 0], [0, 0]);
    for fault in faults(&demo.join("truth/sensor_faults.csv")) {
        match (fault.kind.as_str(), fault.quantity.as_str()) {
            ("spike", "level_m") => {
                let found = details(&fault, "water_level", None, Some(1));
                spikes[0] += usize::from(found[0].marks.contains(Marks::SPIKE));
                spikes[1] += 1;
            }
            ("gap", _) => {
                let found = details(&fault, "water_level", None, Some(1));
                gaps[0] += usize::from(
                    found
                        .first()
                        .is_some_and(|first| first.marks.contains(Marks::GAP)),
                );
                gaps[1] += 1;
            }
            ("stuck", "ph") => {
                let found = details(&fault, "ph", Some(fault.to), None);
                stuck[0] += found.iter().filter(|one| one.marks.contains(Marks::FLAT)).count();
                stuck[1] += found.len();
            }
            other => panic!("a fault of a kind that is not known: {other:?}"),
        }
    }
    assert!(spikes[1] > 20 && spikes[0] == spikes[1], "{spikes:?} spikes");
    assert!(gaps[1] > 20 && gaps[0] == gaps[1], "{gaps:?} gaps");
    // a stuck probe is found half a day after it stuck
    let half_a_day = 48;
    assert!(
        stuck[0] + half_a_day >= stuck[1] && stuck[1] > 500,
        "{stuck:?} stuck values"
    );
    let healthy = streams
        .iter()
        .filter(|one| one.property == "ph" && one.station != "KM-04");
    for stream in healthy {
        let all = runtime
            .block_on(store.details(&ObservationQuery::datastream(stream.id)))
            .expect("rows");
        let wrong = all
            .iter()
            .filter(|one| one.observation.flag != Flag::Good)
            .count();
        assert_eq!(wrong, 0, "{}: nothing is wrong with its probe", stream.station);
    }
}
