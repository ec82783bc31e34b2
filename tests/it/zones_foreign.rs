//! Zones and stations as foreign programs write them: codes, systems and places through the real binary.

use crate::harness::{Run, Sen, ogr2ogr};
use sen_catalog::Feature;
use sen_catalog::admin::Level;
use sen_catalog::store::{AdminUnits, UnitQuery};
use sen_catalog::store::{FeatureQuery, Features, SqliteStore};
use serde_json::{Value, json};
use std::fs;
use std::io::{Seek, Write};
use std::path::Path;
use std::process::Command;

/// Writes a file and imports it with `what`: `["zones", "--as", "plots"]`.
fn import(sen: &Sen, file: &str, content: &[u8], what: &[&str]) -> Run {
    let path = sen.path(file);
    fs::write(&path, content).expect("written");
    import_path(sen, &path, what)
}

fn import_path(sen: &Sen, path: &Path, what: &[&str]) -> Run {
    let mut args = vec!["--json", "import", what[0], path.to_str().expect("UTF-8")];
    args.extend(&what[1..]);
    sen.run(&args)
}

const PLOTS: [&str; 3] = ["zones", "--as", "plots"];

fn store(sen: &Sen) -> SqliteStore {
    SqliteStore::open(&sen.data().join("catalog.sqlite")).expect("opens")
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime")
        .block_on(work)
}

fn features(sen: &Sen, layer: &str) -> Vec<Feature> {
    let mut found = block(store(sen).features(&FeatureQuery::layer(layer))).expect("answers");
    found.sort_by(|a, b| a.code.cmp(&b.code));
    found
}

fn codes(sen: &Sen, layer: &str) -> Vec<String> {
    features(sen, layer)
        .into_iter()
        .map(|feature| feature.code)
        .collect()
}

fn square(west: f64, south: f64, size: f64) -> Value {
    let (east, north) = (west + size, south + size);
    json!([[
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ]])
}

fn plot(properties: &str, ring: &Value) -> String {
    format!(
        r#"{{"type": "Feature", "properties": {properties}, "geometry": {{"type": "Polygon", "coordinates": {ring}}}}}"#
    )
}

fn collection(features: &[String], more: &str) -> Vec<u8> {
    format!(
        r#"{{"type": "FeatureCollection", "features": [{}]{more}}}"#,
        features.join(",")
    )
    .into_bytes()
}

#[test]
fn long_codes_keep_their_digits_in_every_format() {
    let sen = Sen::new();
    // beyond 2^53, beyond 2^63, and a neighbour that a floating number makes the same
    let long = ["9007199254740993", "18446744073709551617", "18446744073709551618"];
    let number = |n: usize| square(105.5 + n as f64 * 0.01, 10.5, 0.005);
    let numbers: Vec<_> = long
        .iter()
        .enumerate()
        .map(|(n, code)| plot(&format!(r#"{{"code": {code}}}"#), &number(n)))
        .collect();
    let texts: Vec<_> = long
        .iter()
        .enumerate()
        .map(|(n, code)| plot(&format!(r#"{{"code": "{code}"}}"#), &number(n)))
        .collect();
    import(&sen, "numbers.geojson", &collection(&numbers, ""), &PLOTS).expect(0);
    assert_eq!(codes(&sen, "plots"), [long[1], long[2], long[0]]);
    fs::write(sen.path("texts.geojson"), collection(&texts, "")).expect("written");
    for file in ["a.gpkg", "a.shp", "a.fgb", "a.csv"] {
        let mut args = vec!["-f", "GPKG", file, "texts.geojson"];
        match &file[2..] {
            "shp" => args[1] = "ESRI Shapefile",
            "fgb" => args[1] = "FlatGeobuf",
            "csv" => args
                .splice(1..2, ["CSV", "-lco", "GEOMETRY=AS_WKT"])
                .for_each(drop),
            _ => {}
        }
        ogr2ogr(&sen.path(""), &args);
        let layer = format!("from_{}", &file[2..]);
        import_path(&sen, &sen.path(file), &["zones", "--as", &layer]).expect(0);
        assert_eq!(codes(&sen, &layer), [long[1], long[2], long[0]], "{file}");
    }
    // the same digits as a number of the DBF, 20 wide: type C becomes N in its head
    let dbf = sen.path("a.dbf");
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .open(&dbf)
        .expect("opens");
    file.seek(std::io::SeekFrom::Start(32 + 11)).expect("there");
    file.write_all(b"N").expect("written");
    import_path(&sen, &sen.path("a.shp"), &["zones", "--as", "wide"]).expect(0);
    assert_eq!(codes(&sen, "wide"), [long[1], long[2], long[0]]);
    // a column of floating numbers has lost them: refused by row, not taken with other digits
    ogr2ogr(
        &sen.path(""),
        &[
            "-f",
            "GPKG",
            "real.gpkg",
            "texts.geojson",
            "-sql",
            "SELECT CAST(code AS float) AS code FROM texts",
        ],
    );
    let lost = import_path(&sen, &sen.path("real.gpkg"), &["zones", "--as", "lost"]).expect(1);
    assert!(lost.text().contains("2^53"), "{}", lost.text());
    assert!(codes(&sen, "lost").is_empty());
    // and so has a spreadsheet
    let csv = "code,wkt\n8.05123E+19,\"POLYGON((105.5 10.5,105.6 10.5,105.6 10.6,105.5 10.5))\"\n";
    let short = import(&sen, "short.csv", csv.as_bytes(), &PLOTS).expect(1);
    assert!(short.text().contains("cut short"), "{}", short.text());
}

#[test]
fn what_looks_the_same_is_the_same_plot() {
    let sen = Sen::new();
    let ring = square(105.5, 10.5, 0.005);
    let spellings = [
        "Thửa-01",
        "Thu\u{31b}\u{309}a-01",
        " Thửa-01",
        "Thửa-01\u{a0}",
        "\u{feff}Thửa\u{200b}-01",
    ];
    for (n, code) in spellings.iter().enumerate() {
        let features = [plot(&json!({"code": code, "name": "x"}).to_string(), &ring)];
        let answer = import(&sen, "a.geojson", &collection(&features, ""), &PLOTS)
            .expect(0)
            .json();
        let new = usize::from(n == 0);
        assert_eq!(answer["files"][0]["added"], new, "{code:?}: {answer}");
    }
    assert_eq!(codes(&sen, "plots"), ["Thửa-01"]);
    let found = block(store(&sen).feature("plots", "Thu\u{31b}\u{309}a-01 ", None)).expect("answers");
    assert!(found.is_some(), "looked up in another spelling");
    // numbers that a program counted in floating numbers
    let csv = "code,wkt\n12.0,\"POLYGON((105.5 10.5,105.6 10.5,105.6 10.6,105.5 10.5))\"\n";
    let answer = import(&sen, "b.csv", csv.as_bytes(), &["zones", "--as", "lots"])
        .expect(0)
        .json();
    assert!(answer["files"][0]["notes"].to_string().contains(".0"), "{answer}");
    assert_eq!(codes(&sen, "lots"), ["12"]);
}

/// A square of 100 m in the metres of a TM zone.
fn in_metres(code: &str) -> Vec<u8> {
    collection(
        &[plot(
            &format!(r#"{{"code": "{code}"}}"#),
            &square(580_000.0, 1_161_000.0, 100.0),
        )],
        "",
    )
}

#[test]
fn vn2000_of_one_s_own_making_is_vn2000_in_every_format() {
    let sen = Sen::new();
    fs::write(sen.path("m.geojson"), in_metres("A")).expect("written");
    let shift = "-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278";
    let tm = |scale: &str, meridian: &str| {
        format!(
            "+proj=tmerc +lat_0=0 +lon_0={meridian} +k={scale} +x_0=500000 +y_0=0 +ellps=WGS84 +units=m +no_defs"
        )
    };
    // the first corner by pyproj with EPSG:6960: TM 105.75, k 0.9996, and UTM 48N
    let (tm_corner, utm_corner) = ((106.482_873_3, 10.500_898_8), (105.732_875_2, 10.500_903_1));
    for (file, system, corner, assumed) in [
        (
            "utm.shp",
            format!("{} +towgs84={shift}", tm("0.9996", "105")),
            utm_corner,
            false,
        ),
        (
            "utm.gpkg",
            format!("{} +towgs84={shift}", tm("0.9996", "105")),
            utm_corner,
            false,
        ),
        (
            "three.shp",
            format!("{} +towgs84=-192.873,-39.382,-111.202", tm("0.9996", "105")),
            utm_corner,
            false,
        ),
        (
            "zero.shp",
            format!("{} +towgs84=0,0,0", tm("0.9996", "105.75")),
            tm_corner,
            true,
        ),
        ("zero.gpkg", tm("0.9996", "105.75"), tm_corner, true),
        ("zero.mif", tm("0.9996", "105.75"), tm_corner, true),
    ] {
        let format = match file.rsplit_once('.').expect("an ending").1 {
            "shp" => "ESRI Shapefile",
            "gpkg" => "GPKG",
            _ => "MapInfo File",
        };
        ogr2ogr(
            &sen.path(""),
            &["-f", format, "-a_srs", &system, file, "m.geojson"],
        );
        let layer = file.replace('.', "_");
        let answer = import_path(&sen, &sen.path(file), &["zones", "--as", &layer])
            .expect(0)
            .json();
        let told = answer["files"][0]["notes"].to_string().contains("--datum wgs84");
        assert_eq!(told, assumed, "{file}: {answer}");
        let bounds = features(&sen, &layer)[0].bounds().expect("a box");
        // a MIF writes 2 decimals; a box is no square in degrees: a metre is enough to tell 225 m
        assert!(
            (bounds.west - corner.0).abs() < 1e-5 && (bounds.south - corner.1).abs() < 1e-5,
            "{file}: {bounds:?}"
        );
        // the user has the last word
        import_path(
            &sen,
            &sen.path(file),
            &["zones", "--as", "moved", "--datum", "wgs84"],
        )
        .expect(0);
        let moved = features(&sen, "moved")[0].bounds().expect("a box");
        assert!((moved.west - bounds.west).abs() > 1e-3, "{file}: {moved:?}");
    }
    // UTM that names no datum may be either: told what to type
    ogr2ogr(
        &sen.path(""),
        &[
            "-f",
            "ESRI Shapefile",
            "-a_srs",
            &tm("0.9996", "105"),
            "doubt.shp",
            "m.geojson",
        ],
    );
    let answer = import_path(&sen, &sen.path("doubt.shp"), &["zones", "--as", "doubt"])
        .expect(0)
        .json();
    assert!(
        answer["files"][0]["notes"]
            .to_string()
            .contains("--crs EPSG:3405"),
        "{answer}"
    );
    let refused = import_path(
        &sen,
        &sen.path("doubt.shp"),
        &["zones", "--as", "doubt", "--datum", "hanoi72"],
    )
    .expect(2);
    assert!(refused.text().contains("vn2000"), "{}", refused.text());
}

#[test]
fn a_geopackage_in_degrees_of_vn2000_and_one_without_a_system() {
    let sen = Sen::new();
    let features_of_file = [plot(r#"{"code": "A"}"#, &square(105.5, 10.5, 0.002))];
    fs::write(sen.path("d.geojson"), collection(&features_of_file, "")).expect("written");
    let degrees = "+proj=longlat +ellps=WGS84 +towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278 +no_defs";
    ogr2ogr(
        &sen.path(""),
        &["-f", "GPKG", "-a_srs", degrees, "vn.gpkg", "d.geojson"],
    );
    import_path(&sen, &sen.path("vn.gpkg"), &PLOTS).expect(0);
    let west = features(&sen, "plots")[0].bounds().expect("a box").west;
    assert!((west - 105.501_787_5).abs() < 1e-7, "{west}");
    ogr2ogr(
        &sen.path(""),
        &["-f", "GPKG", "-a_srs", "NULL", "none.gpkg", "d.geojson"],
    );
    let asked = import_path(&sen, &sen.path("none.gpkg"), &["zones", "--as", "others"]).expect(1);
    assert!(
        asked.text().contains("no coordinate system") && asked.text().contains("--crs"),
        "{}",
        asked.text()
    );
    import_path(
        &sen,
        &sen.path("none.gpkg"),
        &["zones", "--as", "others", "--crs", "EPSG:4756"],
    )
    .expect(0);
}

#[test]
fn a_file_never_leads_out_of_its_folder() {
    let sen = Sen::new();
    let features_of_file = [plot(r#"{"code": "A"}"#, &square(105.5, 10.5, 0.002))];
    fs::write(sen.path("secret.geojson"), collection(&features_of_file, "")).expect("written");
    let vrt = format!(
        "<OGRVRTDataSource><OGRVRTLayer name=\"secret\"><SrcDataSource>{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        sen.path("secret.geojson").display()
    );
    // the door of a listener tells of any knock
    let door = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    door.set_nonblocking(true).expect("set");
    let address = format!("http://{}/crs", door.local_addr().expect("bound"));
    let link =
        format!(r#", "crs": {{"type": "link", "properties": {{"href": "{address}", "type": "proj4"}}}}"#);
    let named = format!(r#", "crs": {{"type": "name", "properties": {{"name": "{address}"}}}}"#);
    for (file, content) in [
        ("a.geojson", vrt.clone().into_bytes()),
        ("a.csv", vrt.clone().into_bytes()),
        ("a.gpkg", vrt.clone().into_bytes()),
        ("a.vrt", vrt.into_bytes()),
        ("a.shp", format!("/vsicurl/{address}").into_bytes()),
        ("b.json", format!("\"{address}\"").into_bytes()),
        ("link.geojson", collection(&features_of_file, &link)),
        ("named.geojson", collection(&features_of_file, &named)),
        (
            "view.tab",
            b"!table\n!version 100\nOpen Table \"../secret\" Hide\nCreate View v As Select * From secret"
                .to_vec(),
        ),
    ] {
        import(&sen, file, &content, &PLOTS).expect(1);
        assert!(codes(&sen, "plots").is_empty(), "{file}");
    }
    assert!(door.accept().is_err(), "nobody was asked");
    // the user says which it is
    import_path(
        &sen,
        &sen.path("link.geojson"),
        &["zones", "--as", "plots", "--crs", "EPSG:4326"],
    )
    .expect(0);
}

#[test]
fn stations_in_wrong_places_are_named_and_the_others_taken() {
    let sen = Sen::new();
    let csv = "Mã;Kinh độ;Vĩ độ\nG-1;105,5012;10,5023\nG-2;0;0\nG-3;10,51;105,52\nG-4;105°31'12\"Đ;10°30'36\"B\nG-5;105,6;10,6\nG-6;101,2;14,9\n";
    let answer = import(&sen, "a.csv", csv.as_bytes(), &["layer", "--as", "stations"])
        .expect(1)
        .json();
    let file = &answer["files"][0];
    let named = |list: &str| -> Vec<String> {
        let list = file[list].as_array().expect("a list").iter();
        list.map(|trouble| trouble["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(named("refused"), ["G-2", "G-3"], "{answer}");
    assert_eq!(named("doubtful"), ["G-6"], "{answer}");
    assert_eq!(codes(&sen, "stations"), ["G-1", "G-4", "G-5", "G-6"]);
    assert_eq!(
        features(&sen, "stations")[1].geometry,
        geo_types::Point::new(105.52, 10.51).into()
    );
    let none = import(
        &sen,
        "b.csv",
        b"ma,cot_1,cot_2\nA,1,2\n",
        &["layer", "--as", "stations"],
    )
    .expect(1);
    for word in ["kinh_do", "--x", "cot_1"] {
        assert!(none.text().contains(word), "{word}: {}", none.text());
    }
}

#[test]
fn plots_belong_to_communes_whose_codes_a_spreadsheet_cut() {
    let sen = Sen::new();
    let units = "code,name,level,parent\n1,Thành phố Hà Nội,Thành phố,\n1,Quận Ba Đình,Quận,1\n4,Phường Trúc Bạch,Phường,1\n";
    let answer = import(
        &sen,
        "units.csv",
        units.as_bytes(),
        &["zones", "--as", "admin_units"],
    )
    .expect(0)
    .json();
    assert!(
        answer["files"][0]["notes"].to_string().contains("00004"),
        "{answer}"
    );
    let commune = UnitQuery {
        level: Some(Level::Commune),
        ..UnitQuery::default()
    };
    let commune = block(store(&sen).units(&commune)).expect("answers").remove(0);
    assert_eq!(
        (commune.code.as_str(), commune.parent.as_deref()),
        ("00004", Some("001"))
    );
    let features_of_file = [plot(r#"{"code": "A", "parent": 4}"#, &square(105.5, 10.5, 0.002))];
    let answer = import(&sen, "a.geojson", &collection(&features_of_file, ""), &PLOTS)
        .expect(0)
        .json();
    assert!(
        answer["files"][0]["notes"].to_string().contains("4 is 00004"),
        "{answer}"
    );
    assert_eq!(features(&sen, "plots")[0].parent.as_deref(), Some("00004"));
}

#[test]
fn twin_columns_are_both_kept_and_told() {
    let sen = Sen::new();
    let csv = "code,area,area,wkt\nA,1,100,\"POLYGON((105.5 10.5,105.6 10.5,105.6 10.6,105.5 10.5))\"\n";
    let answer = import(&sen, "a.csv", csv.as_bytes(), &PLOTS).expect(0).json();
    assert!(
        answer["files"][0]["notes"].to_string().contains("`area`"),
        "{answer}"
    );
    let plot = features(&sen, "plots").remove(0);
    assert_eq!(
        (&plot.properties["area"], &plot.properties["area_2"]),
        (&json!(1), &json!(100))
    );
}

#[test]
fn zips_of_windows_are_read_and_a_shapefile_in_parts_says_what_is_missing() {
    let sen = Sen::new();
    let features_of_file = [plot(r#"{"code": "A"}"#, &square(105.5, 10.5, 0.002))];
    fs::write(sen.path("d.geojson"), collection(&features_of_file, "")).expect("written");
    ogr2ogr(&sen.path(""), &["-f", "ESRI Shapefile", "p.shp", "d.geojson"]);
    let script = "
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for end in ('shp', 'shx', 'dbf', 'prj'):
        info = zipfile.ZipInfo('x')
        info.filename = 'xuat\\\\p.' + end
        z.writestr(info, open(sys.argv[2] + '.' + end, 'rb').read())
";
    let zip = sen.path("w.zip");
    let made = Command::new("python3")
        .args(["-c", script])
        .arg(&zip)
        .arg(sen.path("p"))
        .status()
        .expect("python3 is there");
    assert!(made.success());
    assert!(
        fs::read(&zip)
            .expect("read")
            .windows(6)
            .any(|name| name == b"xuat\\p"),
        "with backslashes"
    );
    import_path(&sen, &zip, &PLOTS).expect(0);
    assert_eq!(codes(&sen, "plots"), ["A"]);
    for end in ["shx", "dbf"] {
        let kept = fs::read(sen.path(&format!("p.{end}"))).expect("read");
        fs::remove_file(sen.path(&format!("p.{end}"))).expect("removed");
        let refused = import_path(&sen, &sen.path("p.shp"), &PLOTS).expect(1);
        assert!(
            refused.text().contains(&format!("the .{end} too")),
            "{}",
            refused.text()
        );
        fs::write(sen.path(&format!("p.{end}")), kept).expect("written");
    }
}
