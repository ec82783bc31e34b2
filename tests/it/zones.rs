//! Zones from the files people keep them in. The files are made by ogr2ogr (GDAL 3.6.2) from small layers written here.

use crate::harness::{Run, Sen, ogr2ogr, real_data};
use crate::scenes::ring;
use geo_types::{Coord, Geometry};
use sen_catalog::Feature;
use sen_catalog::admin::{Hierarchy, Level};
use sen_catalog::feature::Shape;
use sen_catalog::store::{AdminUnits, UnitQuery};
use sen_catalog::store::{FeatureQuery, Features, SqliteStore};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Two millimetres in degrees of latitude.
const TWO_MM: f64 = 0.002 / 111_000.0;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8 path")
}

/// `sen import zones FILE --as KIND ...`
fn import(sen: &Sen, file: &Path, kind: &str, more: &[&str]) -> Run {
    let mut args = vec!["--json", "import", "zones", text(file), "--as", kind];
    args.extend(more);
    sen.run(&args)
}

fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("runtime")
        .block_on(work)
}

fn store(sen: &Sen) -> SqliteStore {
    SqliteStore::open(&sen.data().join("catalog.sqlite")).expect("opens")
}

fn features(sen: &Sen, layer: &str) -> Vec<Feature> {
    let mut found = block(store(sen).features(&FeatureQuery::layer(layer))).expect("answers");
    found.sort_by(|a, b| (&a.code, a.valid_from).cmp(&(&b.code, b.valid_from)));
    found
}

fn coordinates(geometry: &Geometry<f64>) -> Vec<Coord<f64>> {
    let rings = |polygon: &geo_types::Polygon<f64>| {
        let inner = polygon.interiors().iter().flat_map(|ring| ring.0.clone());
        polygon
            .exterior()
            .0
            .iter()
            .copied()
            .chain(inner)
            .collect::<Vec<_>>()
    };
    match geometry {
        Geometry::Polygon(polygon) => rings(polygon),
        Geometry::MultiPolygon(polygons) => polygons.iter().flat_map(rings).collect(),
        Geometry::Point(point) => vec![point.0],
        Geometry::LineString(line) => line.0.clone(),
        other => panic!("not expected here: {other:?}"),
    }
}

/// Every position of the one has its like in the other.
fn assert_same_place(a: &Feature, b: &Feature, tolerance: f64) {
    let (left, right) = (coordinates(&a.geometry), coordinates(&b.geometry));
    assert_eq!(left.len(), right.len(), "{}", a.code);
    for p in &left {
        let near = |q: &Coord<f64>| (p.x - q.x).abs() <= tolerance && (p.y - q.y).abs() <= tolerance;
        assert!(right.iter().any(near), "{}: {p:?} is not in {right:?}", a.code);
    }
}

fn polygon(code: &str, name: &str, rings: &Value) -> Value {
    let properties = json!({"code": code, "name": name, "area": 1.25, "houses": 3, "crop": "lúa"});
    json!({"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": rings}})
}

fn square(west: f64, south: f64) -> Value {
    let (east, north) = (west + 0.002, south + 0.001);
    json!([[
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south]
    ]])
}

fn write_geojson(path: &Path, features: &[Value]) {
    let collection = json!({"type": "FeatureCollection", "features": features});
    fs::write(path, collection.to_string()).expect("written");
}

/// Three plots: a square, one with a hole, one of two parts.
fn three_plots(sen: &Sen) -> PathBuf {
    let path = sen.path("plots.geojson");
    let hole = json!([
        [
            [105.61, 10.40],
            [105.62, 10.40],
            [105.62, 10.41],
            [105.61, 10.41],
            [105.61, 10.40]
        ],
        [
            [105.613, 10.403],
            [105.613, 10.406],
            [105.616, 10.406],
            [105.616, 10.403],
            [105.613, 10.403]
        ]
    ]);
    let mut multi = polygon("DT-003", "Thửa ở Mỹ Quý", &Value::Null);
    multi["geometry"] =
        json!({"type": "MultiPolygon", "coordinates": [square(105.63, 10.40), square(105.64, 10.40)]});
    write_geojson(
        &path,
        &[
            polygon("DT-001", "Ruộng ông Bảy", &square(105.60, 10.40)),
            polygon("DT-002", "Đầm Tràm Chim", &hole),
            multi,
        ],
    );
    path
}

#[test]
fn each_format_gives_the_same_features() {
    let sen = Sen::new();
    let source = three_plots(&sen);
    let answer = import(&sen, &source, "plots", &[]).expect(0).json();
    assert_eq!(answer["files"][0]["added"], 3, "{answer}");
    let expected = features(&sen, "plots");
    assert_eq!(expected[0].name.as_deref(), Some("Ruộng ông Bảy"));
    assert_eq!(Shape::of(&expected[2].geometry), Some(Shape::Polygon));
    fs::create_dir(sen.path("folder")).expect("folder");
    for (kind, file, options, tolerance) in [
        ("gpkg", "a.gpkg", &["-f", "GPKG"][..], 0.0),
        (
            "shp",
            "a.shp",
            &["-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8"],
            0.0,
        ),
        (
            "folder",
            "folder/b.shp",
            &["-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8"],
            0.0,
        ),
        (
            "zip",
            "c.shp.zip",
            &["-f", "ESRI Shapefile", "-lco", "ENCODING=UTF-8"],
            0.0,
        ),
        // a TAB keeps whole numbers: 2^31 steps around the earth
        ("tab", "a.tab", &["-f", "MapInfo File"], 2e-7),
        ("mif", "b.mif", &["-f", "MapInfo File"], 1e-9),
        ("fgb", "a.fgb", &["-f", "FlatGeobuf"], 0.0),
        ("csv", "a.csv", &["-f", "CSV", "-lco", "GEOMETRY=AS_WKT"], 1e-9),
    ] {
        let mut args = options.to_vec();
        let path = sen.path(file);
        args.extend([text(&path), text(&source)]);
        ogr2ogr(Path::new("."), &args);
        let given = if kind == "folder" {
            sen.path("folder")
        } else {
            path
        };
        let layer = format!("plots_{kind}");
        let run = import(&sen, &given, &layer, &[]).expect(0);
        let found = features(&sen, &layer);
        assert_eq!(found.len(), 3, "{kind}: {}", run.text());
        for (a, b) in expected.iter().zip(&found) {
            assert_eq!((&a.code, &a.name), (&b.code, &b.name), "{kind}");
            assert_eq!(a.properties, b.properties, "{kind}");
            assert_same_place(a, b, tolerance);
            assert!(
                (a.area_m2 - b.area_m2).abs() < 0.01 + tolerance * 1e9,
                "{kind}: {}",
                b.area_m2
            );
        }
    }
}

/// A shapefile of one square whose name is these bytes.
fn shapefile_with_name(sen: &Sen, file: &str, name: &[u8]) -> PathBuf {
    let source = sen.path("ascii.geojson");
    let placeholder = "X".repeat(60);
    let mut zone = polygon("A", &placeholder, &square(105.6, 10.4));
    zone["properties"]["crop"] = "lua".into();
    write_geojson(&source, &[zone]);
    let path = sen.path(file);
    ogr2ogr(Path::new("."), &[text(&path), text(&source)]);
    let dbf = path.with_extension("dbf");
    let mut bytes = fs::read(&dbf).expect("read");
    let at = bytes
        .windows(60)
        .position(|window| window == placeholder.as_bytes())
        .expect("there");
    bytes[at..at + 60].fill(b' ');
    bytes[at..at + name.len()].copy_from_slice(name);
    fs::write(&dbf, bytes).expect("written");
    path
}

#[test]
fn old_encodings_are_found_out_and_told() {
    let sen = Sen::new();
    // "Cộng hòa xã hội Việt Nam" by iconv (glibc 2.36) for TCVN5712-1 and CP1258, by the VNI table for VNI
    let cases: [(&str, &[u8]); 4] = [
        ("tcvn3", b"C\xe9ng h\xdfa x\xb7 h\xe9i Vi\xd6t Nam"),
        (
            "windows-1258",
            b"C\xf4\xf2ng ho\xcca xa\xde h\xf4\xf2i Vi\xea\xf2t Nam",
        ),
        ("vni", b"Co\xe4ng ho\xf8a xa\xf5 ho\xe4i Vie\xe4t Nam"),
        ("utf-8", "Cộng hòa xã hội Việt Nam".as_bytes()),
    ];
    for (encoding, bytes) in cases {
        let layer = format!("zones_{}", encoding.replace('-', "_"));
        let path = shapefile_with_name(&sen, &format!("{layer}.shp"), bytes);
        let answer = import(&sen, &path, &layer, &[]).expect(0).json();
        assert!(
            answer["files"][0]["notes"].to_string().contains(encoding),
            "{answer}"
        );
        let name = features(&sen, &layer).remove(0).name;
        assert_eq!(name.as_deref(), Some("Cộng hòa xã hội Việt Nam"), "{encoding}");
    }
    // told wins over found out; told wrongly is refused
    let path = sen.path("zones_tcvn3.shp");
    import(&sen, &path, "told", &["--encoding", "tcvn3"]).expect(0);
    let run = import(&sen, &path, "told", &["--encoding", "utf-8"]).expect(1);
    assert!(run.text().contains("not utf-8"), "{}", run.text());
    let run = import(&sen, &path, "told", &["--encoding", "latin9"]).expect(2);
    assert!(run.text().contains("windows-1258"), "{}", run.text());
}

/// Longitude, latitude; easting and northing in EPSG:5897; in EPSG:9210 (official parameters, computed with PROJ 9.1.1).
const VECTORS: [[f64; 6]; 3] = [
    [
        105.6325,
        10.4603,
        569_045.613,
        1_156_833.621,
        486_941.611,
        1_156_767.085,
    ],
    [
        105.7570,
        10.2900,
        582_720.457,
        1_138_027.060,
        500_571.112,
        1_137_929.667,
    ],
    [
        105.5200,
        10.7000,
        556_685.412,
        1_183_323.094,
        474_645.665,
        1_183_285.016,
    ],
];

#[test]
fn vn2000_goes_by_the_official_parameters_in_every_format() {
    let sen = Sen::new();
    let triangle = |column: usize| {
        let corner = |v: &[f64; 6]| json!([v[column], v[column + 1]]);
        json!([[
            corner(&VECTORS[0]),
            corner(&VECTORS[1]),
            corner(&VECTORS[2]),
            corner(&VECTORS[0])
        ]])
    };
    let towgs84 = "+proj=tmerc +lat_0=0 +lon_0=105 +k=0.9999 +x_0=500000 +ellps=WGS84 \
                   +towgs84=-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278";
    for (column, system, file, tolerance) in [
        (2, "EPSG:5897", "a.gpkg", TWO_MM),
        (2, "EPSG:5897", "b.shp", TWO_MM),
        (2, "EPSG:5897", "c.fgb", TWO_MM),
        (4, "EPSG:9210", "d.shp", TWO_MM),
        // GDAL writes VN-2000 to MapInfo as if it lay on WGS 84
        (2, "EPSG:5897", "e.mif", TWO_MM),
        // whole numbers over the span of a projected TAB
        (2, "EPSG:5897", "f.tab", 4e-7),
        (2, towgs84, "g.gpkg", TWO_MM),
        (2, towgs84, "h.mif", TWO_MM),
    ] {
        let source = sen.path("source.geojson");
        write_geojson(&source, &[polygon("A", "a", &triangle(column))]);
        let path = sen.path(file);
        let mut args = vec!["-a_srs", system, text(&path), text(&source)];
        if file.ends_with("mif") || file.ends_with("tab") {
            args.splice(0..0, ["-f", "MapInfo File"]);
        }
        ogr2ogr(Path::new("."), &args);
        let layer = format!("zones_{}", &file[..1]);
        let run = import(&sen, &path, &layer, &[]).expect(0);
        let found = features(&sen, &layer);
        let places = coordinates(&found[0].geometry);
        for [lon, lat, ..] in VECTORS {
            let near = |p: &Coord<f64>| (p.x - lon).abs() < tolerance && (p.y - lat).abs() < tolerance;
            assert!(places.iter().any(near), "{file}: {places:?}\n{}", run.text());
        }
    }
    // a CSV has no system at all
    let corner = |v: &[f64; 6]| format!("{} {}", v[4], v[5]);
    let wkt = format!(
        "POLYGON (({}, {}, {}, {}))",
        corner(&VECTORS[0]),
        corner(&VECTORS[1]),
        corner(&VECTORS[2]),
        corner(&VECTORS[0])
    );
    let csv = sen.path("a.csv");
    fs::write(&csv, format!("WKT,ma\n\"{wkt}\",A\n")).expect("written");
    let refused = import(&sen, &csv, "csv", &[]).expect(1);
    assert!(refused.text().contains("--crs EPSG:5897"), "{}", refused.text());
    import(&sen, &csv, "csv", &["--crs", "EPSG:9210"]).expect(0);
    let places = coordinates(&features(&sen, "csv")[0].geometry);
    assert!((places[0].y - VECTORS[0][1]).abs() < 1e-3);
    assert!(places.iter().any(|p| (p.x - VECTORS[0][0]).abs() < TWO_MM));
}

#[test]
fn an_update_keeps_fids_and_a_new_version_ends_the_former() {
    let sen = Sen::new();
    let source = three_plots(&sen);
    import(&sen, &source, "plots", &[]).expect(0);
    let before = features(&sen, "plots");
    let digest = |sen: &Sen| block(store(sen).layers()).expect("answers")[0].revision;
    let revision = digest(&sen);
    let again = import(&sen, &source, "plots", &[]).expect(0).json();
    assert_eq!(
        (&again["files"][0]["unchanged"], digest(&sen)),
        (&json!(3), revision)
    );

    let newer = sen.path("newer.geojson");
    let collection = [
        polygon("DT-001", "Ruộng bà Tư", &square(105.60, 10.40)),
        polygon("DT-004", "Mới", &square(105.65, 10.40)),
    ];
    write_geojson(&newer, &collection);
    let answer = import(&sen, &newer, "plots", &[]).expect(0).json();
    let file = &answer["files"][0];
    assert_eq!(
        (&file["added"], &file["changed"], &file["absent"]),
        (&json!(1), &json!(1), &json!(2)),
        "{answer}"
    );
    let after = features(&sen, "plots");
    assert_eq!(after[0].fid, before[0].fid);
    assert_eq!(after[0].name.as_deref(), Some("Ruộng bà Tư"));

    write_geojson(
        &newer,
        &[polygon("DT-001", "Ruộng chia đôi", &square(105.601, 10.40))],
    );
    let answer = import(&sen, &newer, "plots", &["--valid-from", "2026-03-01"])
        .expect(0)
        .json();
    assert_eq!(
        (&answer["files"][0]["added"], &answer["files"][0]["closed"]),
        (&json!(1), &json!(1))
    );
    let versions = features(&sen, "plots");
    let former = versions
        .iter()
        .find(|f| f.fid == before[0].fid)
        .expect("still there");
    assert_eq!(former.valid_to, "2026-03-01".parse().ok());
    let current = block(store(&sen).feature("plots", "DT-001", "2026-03-01".parse().ok()));
    assert_eq!(
        current.expect("answers").expect("there").name.as_deref(),
        Some("Ruộng chia đôi")
    );
}

#[test]
fn what_is_wrong_is_named_by_code_and_the_rest_goes_on() {
    let sen = Sen::new();
    let path = sen.path("bad.geojson");
    let bowtie = json!([[
        [105.6, 10.4],
        [105.61, 10.41],
        [105.61, 10.4],
        [105.6, 10.41],
        [105.6, 10.4]
    ]]);
    let spike = json!([[[105.6, 10.4], [105.61, 10.4], [105.6, 10.4], [105.6, 10.4]]]);
    let mut empty = polygon("EMPTY", "a", &json!([]));
    empty["geometry"] = Value::Null;
    let mut point = polygon("POINT", "a", &Value::Null);
    point["geometry"] = json!({"type": "Point", "coordinates": [105.6, 10.4]});
    let mut long = polygon("LONG", "a", &square(105.7, 10.4));
    long["properties"]["crop"] = "x".repeat(3 << 20).into();
    let features_of_file = [
        polygon("GOOD", "a", &square(105.6, 10.4)),
        polygon("BOWTIE", "a", &bowtie),
        polygon("SPIKE", "a", &spike),
        empty,
        point,
        long,
        polygon("GOOD", "again", &square(105.8, 10.4)),
        polygon("", "a", &square(105.8, 10.4)),
        polygon(
            "AFAR",
            "a",
            &json!([[[105.6, 95.0], [105.61, 95.0], [105.61, 95.1], [105.6, 95.0]]]),
        ),
    ];
    write_geojson(&path, &features_of_file);
    let answer = import(&sen, &path, "plots", &[]).expect(1).json();
    let file = &answer["files"][0];
    let kept: Vec<_> = features(&sen, "plots")
        .into_iter()
        .map(|feature| feature.code)
        .collect();
    assert_eq!(kept, ["BOWTIE", "GOOD"], "{answer}");
    assert_eq!(file["repaired"][0]["code"], "BOWTIE");
    assert!(
        file["repaired"][0]["reason"]
            .as_str()
            .expect("text")
            .contains("elf-intersection"),
        "{file}"
    );
    for (code, word) in [
        ("SPIKE", "nothing with an area"),
        ("EMPTY", "no geometry"),
        ("POINT", "sen import layer"),
        ("LONG", "3145728 bytes"),
        ("GOOD", "row 1"),
        ("AFAR", "lies at"),
    ] {
        let refused = file["refused"].as_array().expect("list");
        let own = refused.iter().find(|trouble| trouble["code"] == code);
        assert!(
            own.is_some_and(|own| own["reason"].to_string().contains(word)),
            "{code}: {file}"
        );
    }
    // both triangles of the bow tie are kept: half the square
    let area = features(&sen, "plots")[0].area_m2;
    assert!((area / 605_300.0 - 1.0).abs() < 0.01, "{area}");
}

#[test]
fn coordinates_that_do_not_fit_are_refused_with_what_to_type() {
    let sen = Sen::new();
    let source = sen.path("a.geojson");
    let swapped = json!([[[10.4, 105.6], [10.4, 105.61], [10.41, 105.61], [10.4, 105.6]]]);
    write_geojson(&source, &[polygon("A", "a", &swapped)]);
    let run = import(&sen, &source, "plots", &[]).expect(1);
    assert!(
        run.text().contains("swapped") && run.text().contains("--swap-axes"),
        "{}",
        run.text()
    );
    import(&sen, &source, "plots", &["--swap-axes"]).expect(0);
    assert!((features(&sen, "plots")[0].bounds().expect("a box").west - 105.6).abs() < 1e-9);

    write_geojson(&source, &[polygon("B", "a", &square(105.6, 10.4))]);
    let run = import(&sen, &source, "plots", &["--crs", "EPSG:5897"]).expect(1);
    assert!(run.text().contains("look like degrees"), "{}", run.text());
    let shp = sen.path("b.shp");
    ogr2ogr(
        Path::new("."),
        &["-t_srs", "EPSG:32648", text(&shp), text(&source)],
    );
    fs::remove_file(sen.path("b.prj")).expect("removed");
    let run = import(&sen, &shp, "plots", &[]).expect(1);
    assert!(
        run.text().contains(".prj") && run.text().contains("--crs"),
        "{}",
        run.text()
    );
    import(&sen, &shp, "plots", &["--crs", "EPSG:32648"]).expect(0);
    let there = block(store(&sen).feature("plots", "B", None))
        .expect("answers")
        .expect("there");
    assert!((there.bounds().expect("a box").west - 105.6).abs() < 1e-8);

    for (args, word) in [
        (&["--code", "ma_thua"][..], "`ma_thua`"),
        (&["--parent", "xa"], "`xa`"),
        (&["--layer", "other"], "`other`"),
    ] {
        let run = import(&sen, &source, "plots", args).expect(1);
        assert!(
            run.text().contains(word) && run.text().contains('`'),
            "{}",
            run.text()
        );
    }
    for (args, word) in [
        (&["--crs", "EPSG:1"][..], "EPSG:1"),
        (&["--valid-from", "01/07/2025"], "01/07/2025"),
        (&["--other-code", "ma"], "SCHEME"),
    ] {
        let run = import(&sen, &source, "plots", args).expect(2);
        assert!(run.text().contains(word), "{}", run.text());
    }
    let run = import(&sen, &source, "ndvi", &[]).expect(2);
    assert!(run.text().contains("raster"), "{}", run.text());
    let run = import(&sen, &sen.path("nowhere.gpkg"), "plots", &[]).expect(1);
    assert!(run.text().contains("no such file"), "{}", run.text());
    fs::write(sen.path("junk.gpkg"), "not a database").expect("written");
    let run = import(&sen, &sen.path("junk.gpkg"), "plots", &[]).expect(1);
    assert!(run.text().contains("formats read here"), "{}", run.text());
}

#[test]
fn a_geopackage_that_is_being_written_is_said_so_and_read_afterwards() {
    let sen = Sen::new();
    let source = three_plots(&sen);
    let path = sen.path("a.gpkg");
    ogr2ogr(Path::new("."), &["-f", "GPKG", text(&path), text(&source)]);
    let script = "
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('BEGIN EXCLUSIVE')
print('locked', flush=True)
sys.stdin.read()
";
    let writer = Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let Ok(mut writer) = writer else {
        println!("skipped: no python3 here to hold the lock");
        return;
    };
    let mut line = String::new();
    let stdout = writer.stdout.take().expect("piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let busy = import(&sen, &path, "plots", &[]);
    drop(writer.stdin.take());
    writer.wait().expect("ends");
    let busy = busy.expect(1);
    assert!(
        busy.text().contains("being written by another program"),
        "{}",
        busy.text()
    );
    import(&sen, &path, "plots", &[]).expect(0);

    // WAL, as QGIS writes: what was saved can be read while the edit is open
    let script = "
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('PRAGMA journal_mode=WAL')
c.execute('BEGIN IMMEDIATE')
print('editing', flush=True)
sys.stdin.read()
";
    let mut writer = Command::new("python3")
        .args(["-c", script])
        .arg(&path)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 was there");
    let stdout = writer.stdout.take().expect("piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).expect("a line");
    let run = import(&sen, &path, "edited", &[]);
    drop(writer.stdin.take());
    writer.wait().expect("ends");
    run.expect(0);
    assert_eq!(features(&sen, "edited").len(), 3);
}

/// A star of so many corners on a round field, each joined with the one almost opposite.
fn star(corners: u32) -> Value {
    let ring: Vec<[f64; 2]> = (0..=corners)
        .map(|i| {
            let corner = u64::from(i) * u64::from(corners / 2) % u64::from(corners);
            let angle = corner as f64 / f64::from(corners) * std::f64::consts::TAU;
            [105.6 + 0.01 * angle.cos(), 10.4 + 0.01 * angle.sin()]
        })
        .collect();
    json!([ring])
}

#[test]
fn stars_whose_edges_all_cross_are_refused_at_once_and_the_rest_goes_on() {
    let sen = Sen::new();
    let path = sen.path("stars.geojson");
    let zones = [
        polygon("BEFORE", "a", &square(105.60, 10.40)),
        polygon("STAR", "a", &star(2_001)),
        polygon("LARGE", "a", &star(20_001)),
        polygon("SMALL", "a", &star(5)),
        polygon("AFTER", "a", &square(105.65, 10.40)),
    ];
    write_geojson(&path, &zones);
    let start = std::time::Instant::now();
    let answer = import(&sen, &path, "plots", &[]).expect(1).json();
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    let file = &answer["files"][0];
    for (index, code) in ["STAR", "LARGE"].into_iter().enumerate() {
        let refused = &file["refused"][index];
        assert_eq!(refused["code"], code, "{file}");
        assert!(
            refused["reason"].to_string().contains("cross themselves"),
            "{refused}"
        );
    }
    assert_eq!(file["repaired"][0]["code"], "SMALL", "{file}");
    let kept: Vec<_> = features(&sen, "plots")
        .into_iter()
        .map(|zone| zone.code)
        .collect();
    assert_eq!(kept, ["AFTER", "BEFORE", "SMALL"]);
}

#[test]
fn a_ring_left_open_is_closed_and_a_zone_of_the_world_refused() {
    let sen = Sen::new();
    let path = sen.path("a.geojson");
    let mut open = square(105.60, 10.40);
    open[0].as_array_mut().expect("a ring").pop();
    let world = json!([[
        [-180.0, -90.0],
        [180.0, -90.0],
        [180.0, 90.0],
        [-180.0, 90.0],
        [-180.0, -90.0]
    ]]);
    let zones = [
        polygon("CLOSED", "a", &square(105.60, 10.40)),
        polygon("OPEN", "a", &open),
        polygon("WORLD", "a", &world),
    ];
    write_geojson(&path, &zones);
    let answer = import(&sen, &path, "plots", &[]).expect(1).json();
    let file = &answer["files"][0];
    assert_eq!(file["repaired"][0]["code"], "OPEN", "{file}");
    assert!(
        file["repaired"][0]["reason"].to_string().contains("not closed"),
        "{file}"
    );
    assert_eq!(file["refused"][0]["code"], "WORLD", "{file}");
    assert!(
        file["refused"][0]["reason"].to_string().contains("longitude"),
        "{file}"
    );
    let kept = features(&sen, "plots");
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].area_m2.to_bits(), kept[1].area_m2.to_bits());
}

#[test]
fn ewkt_says_where_it_lies_and_broken_wkt_is_called_so() {
    let sen = Sen::new();
    let csv = sen.path("a.csv");
    // the first of the vectors as a triangle of some metres in EPSG:5897
    let [lon, lat, east, north, ..] = VECTORS[0];
    let triangle = format!(
        "{east} {north},{} {north},{east} {},{east} {north}",
        east + 50.0,
        north + 50.0
    );
    let rows = [
        "code,houses,wkt".to_owned(),
        format!("EWKT,3,\"SRID=5897;POLYGON(({triangle}))\""),
        format!("PLAIN,4,\"POLYGON(({triangle}))\""),
        format!("OTHER,4,\"SRID=32648;POLYGON(({triangle}))\""),
        "BROKEN,5,\"POLYGON((105.6 10.4,105.7\"".to_owned(),
        "EMPTY,6,".to_owned(),
    ];
    fs::write(&csv, rows.join("\n") + "\n").expect("written");
    let answer = import(&sen, &csv, "plots", &[]).expect(1).json();
    let refused = answer["files"][0]["refused"].as_array().expect("a list");
    for (code, word) in [
        ("OTHER", "SRID=32648"),
        ("BROKEN", "neither WKT nor EWKT"),
        ("EMPTY", "no geometry"),
    ] {
        let own = refused.iter().find(|trouble| trouble["code"] == code);
        assert!(
            own.is_some_and(|own| own["reason"].to_string().contains(word)),
            "{code}: {answer}"
        );
    }
    let kept = features(&sen, "plots");
    let codes: Vec<_> = kept.iter().map(|zone| zone.code.as_str()).collect();
    assert_eq!(codes, ["EWKT", "PLAIN"], "{answer}");
    for zone in &kept {
        let near = |p: &Coord<f64>| (p.x - lon).abs() < TWO_MM && (p.y - lat).abs() < TWO_MM;
        assert!(coordinates(&zone.geometry).iter().any(near), "{zone:?}");
        // the column of the shape is no attribute
        assert_eq!(zone.properties.keys().collect::<Vec<_>>(), ["houses"]);
    }
}

#[test]
fn web_mercator_is_a_system_like_others() {
    let sen = Sen::new();
    let source = sen.path("a.geojson");
    write_geojson(&source, &[polygon("A", "a", &square(105.636, 10.46))]);
    let path = sen.path("a.gpkg");
    ogr2ogr(
        Path::new("."),
        &["-t_srs", "EPSG:3857", text(&path), text(&source)],
    );
    import(&sen, &path, "plots", &[]).expect(0);
    let west = features(&sen, "plots")[0].bounds().expect("a box").west;
    assert!((west - 105.636).abs() < 1e-8, "{west}");
}

#[test]
fn a_mapinfo_file_that_may_be_in_vn2000_is_told_with_the_cure() {
    let sen = Sen::new();
    let source = sen.path("a.geojson");
    write_geojson(&source, &[polygon("A", "a", &square(105.6, 10.4))]);
    for (system, file, cure) in [
        ("EPSG:4756", "degrees.mif", "EPSG:4756"),
        ("EPSG:3405", "utm.tab", "EPSG:3405"),
    ] {
        let path = sen.path(file);
        ogr2ogr(
            Path::new("."),
            &["-f", "MapInfo File", "-t_srs", system, text(&path), text(&source)],
        );
        let answer = import(&sen, &path, "plots", &[]).expect(0).json();
        let notes = answer["files"][0]["notes"].to_string();
        assert!(
            notes.contains("VN-2000") && notes.contains(&format!("--crs {cure}")),
            "{system}: {answer}"
        );
        let shifted = features(&sen, "plots")[0].bounds().expect("a box").west;
        assert!((shifted - 105.6).abs() > 1e-3, "{shifted}");
        // with the cure it lies right, as far as the parameters of the program that wrote it went, and nothing is said
        let answer = import(&sen, &path, "plots", &["--crs", cure]).expect(0).json();
        assert!(
            !answer["files"][0]["notes"].to_string().contains("cannot name"),
            "{answer}"
        );
        let cured = features(&sen, "plots")[0].bounds().expect("a box").west;
        assert!((cured - 105.6).abs() < 2e-5, "{cured}");
    }
}

#[test]
fn a_code_page_that_the_file_names_stands() {
    let sen = Sen::new();
    // "Tam Nông Kim Sơn" in Windows-1258; TCVN3 spells it "Tam Nụng Kim Sừn"
    let path = shapefile_with_name(&sen, "a.shp", b"Tam N\xf4ng Kim S\xf5n");
    fs::write(path.with_extension("cpg"), "1258").expect("written");
    let answer = import(&sen, &path, "places", &[]).expect(0).json();
    let notes = answer["files"][0]["notes"].to_string();
    assert!(
        notes.contains("ambiguous") && notes.contains("--encoding"),
        "{answer}"
    );
    let name = |layer: &str| features(&sen, layer).remove(0).name;
    assert_eq!(name("places").as_deref(), Some("Tam Nông Kim Sơn"));
    import(&sen, &path, "told", &["--encoding", "tcvn3"]).expect(0);
    assert_eq!(name("told").as_deref(), Some("Tam Nụng Kim Sừn"));

    // capitals with tones of TCVN5712-1, by iconv (glibc 2.36)
    let path = shapefile_with_name(&sen, "b.shp", b"\xc4p \xa7\xe5ng Th\xb8p, \x84n M\xfc");
    import(&sen, &path, "capitals", &[]).expect(0);
    assert_eq!(name("capitals").as_deref(), Some("Ấp Đồng Tháp, Ạn Mỹ"));
}

#[test]
fn a_polygon_of_a_million_vertices_is_taken_in() {
    let sen = Sen::new();
    let count = 1_000_000;
    let ring: Vec<[f64; 2]> = (0..=count)
        .map(|i| {
            let angle = f64::from(i % count) / f64::from(count) * std::f64::consts::TAU;
            [105.6 + 0.05 * angle.cos(), 10.4 + 0.05 * angle.sin()]
        })
        .collect();
    let path = sen.path("round.geojson");
    write_geojson(&path, &[polygon("ROUND", "a", &json!([ring]))]);
    import(&sen, &path, "plots", &[]).expect(0);
    assert_eq!(
        coordinates(&features(&sen, "plots")[0].geometry).len(),
        count as usize + 1
    );
}

#[test]
fn several_codes_a_feature_and_validators_that_only_warn() {
    let sen = Sen::new();
    let csv = sen.path("ponds.csv");
    let rows = "WKT,ma,ma_xk,market,ten\n\
                \"POLYGON ((105.6 10.4,105.61 10.4,105.61 10.41,105.6 10.4))\",82-01-0001-001,VN-DTOR-0001,CN,Ao 1\n\
                \"POLYGON ((105.7 10.4,105.71 10.4,105.71 10.41,105.7 10.4))\",82-1-1,VN–DTOR 2;VN-DTOR-0003,US,Ao 2\n";
    fs::write(&csv, rows).expect("written");
    let more = ["--scheme", "pangasius", "--other-code", "ma_xk:export:{market}"];
    let answer = import(&sen, &csv, "aquaculture_sites", &more).expect(0).json();
    let warnings = answer["files"][0]["warnings"].as_array().expect("list");
    assert_eq!(warnings.len(), 1, "{answer}");
    assert_eq!(warnings[0]["code"], "82-1-1");
    let ponds = features(&sen, "aquaculture_sites");
    assert_eq!(ponds[1].scheme, "pangasius");
    let codes: Vec<_> = ponds[1]
        .codes
        .iter()
        .map(|other| (other.code.as_str(), other.market.as_deref()))
        .collect();
    assert_eq!(
        codes,
        [("VN–DTOR 2", Some("US")), ("VN-DTOR-0003", Some("US"))],
        "verbatim"
    );
    let found = block(store(&sen).feature("aquaculture_sites", "VN-DTOR-0003", None)).expect("answers");
    assert_eq!(found.expect("found by a further code").code, "82-1-1");
}

#[test]
fn points_and_lines_are_layers() {
    let sen = Sen::new();
    let csv = sen.path("stations.csv");
    fs::write(&csv, "code,name,lon,lat\nTV-01,Trạm Bình Thạnh,105.6,10.4\n").expect("written");
    sen.run(&["import", "layer", text(&csv), "--as", "stations"])
        .expect(0);
    let station = features(&sen, "stations").remove(0);
    assert_eq!(station.geometry, geo_types::Point::new(105.6, 10.4).into());
    let canal = json!({"type": "Feature", "properties": {"code": "K-1"},
        "geometry": {"type": "LineString", "coordinates": [[105.6, 10.4], [105.7, 10.5]]}});
    let path = sen.path("canals.geojson");
    write_geojson(&path, &[canal]);
    sen.run(&["import", "layer", text(&path), "--as", "canals"])
        .expect(0);
    assert_eq!(coordinates(&features(&sen, "canals")[0].geometry).len(), 2);
    let run = sen
        .run(&["import", "layer", text(&path), "--as", "stations"])
        .expect(1);
    assert!(run.text().contains("made of points"), "{}", run.text());
}

#[test]
fn both_hierarchies_of_the_country_load_and_a_bare_code_between_them_is_refused() {
    let (Some(old), Some(new)) = (
        real_data("vectors/vn_units_pre2025.json"),
        real_data("vectors/vn_units.json"),
    ) else {
        return;
    };
    let sen = Sen::new();
    let answer = import(&sen, &old, "admin_units", &[]).expect(0).json();
    assert!(
        answer["files"][0]["notes"]
            .to_string()
            .contains("until 2025-07-01"),
        "{answer}"
    );
    import(&sen, &new, "admin_units", &[]).expect(0);
    let again = import(&sen, &new, "admin_units", &[]).expect(0).json();
    assert_eq!(
        (&again["files"][0]["added"], &again["files"][0]["changed"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    let units = |day: &str, parent: &str| {
        let query = UnitQuery {
            parent: Some(parent.into()),
            valid_on: day.parse().ok(),
            ..UnitQuery::default()
        };
        block(store(&sen).units(&query)).expect("answers")
    };
    assert_eq!(units("2026-01-01", "82").len(), 102, "Dong Thap since 2025-07-01");
    assert_eq!(
        units("2025-06-30", "87").len(),
        12,
        "districts of the old Dong Thap"
    );
    assert_eq!(units("2025-06-30", "82").len(), 11, "districts of Tien Giang");
    let province = units_of(&sen, Level::Province, "82", "2026-01-01");
    let made_of: Vec<_> = province
        .predecessors
        .iter()
        .map(|link| link.code.as_str())
        .collect();
    assert_eq!(made_of, ["82", "87"]);

    let csv = sen.path("plots.csv");
    fs::write(
        &csv,
        "WKT,ma,xa\n\"POLYGON ((105.6 10.4,105.61 10.4,105.61 10.41,105.6 10.4))\",A,30001\n",
    )
    .expect("written");
    let run = import(&sen, &csv, "plots", &["--parent", "xa"]).expect(1);
    for word in ["30001", "Thị trấn Tràm Chim", "Xã Tràm Chim", "--admin-on"] {
        assert!(run.text().contains(word), "{word}: {}", run.text());
    }
    assert!(
        features(&sen, "plots").is_empty(),
        "nothing of the file was taken in"
    );
    import(
        &sen,
        &csv,
        "plots",
        &["--parent", "xa", "--admin-on", "2024-01-01"],
    )
    .expect(0);
    let plot = features(&sen, "plots").remove(0);
    for (level, day, code) in [
        (Level::District, "2024-01-01", "871"),
        (Level::Province, "2024-01-01", "87"),
        (Level::Commune, "2026-01-01", "30001"),
        (Level::Province, "2026-01-01", "82"),
    ] {
        let day = day.parse().expect("a date");
        let hierarchy = block(Hierarchy::load(&store(&sen), level, day)).expect("loads");
        assert_eq!(
            hierarchy.unit_of(&plot).expect("placed").unit.code,
            code,
            "{level:?} on {day}"
        );
    }
}

fn units_of(sen: &Sen, level: Level, code: &str, day: &str) -> sen_catalog::admin::AdminUnit {
    let query = UnitQuery {
        level: Some(level),
        code: Some(code.into()),
        valid_on: day.parse().ok(),
        ..UnitQuery::default()
    };
    block(store(sen).units(&query)).expect("answers").remove(0)
}

#[test]
fn real_districts_give_shares_and_place_zones() {
    let (Some(old), Some(new), Some(districts), Some(province)) = (
        real_data("vectors/vn_units_pre2025.json"),
        real_data("vectors/vn_units.json"),
        real_data("vector/dongthap_2024_districts.geojson"),
        real_data("vectors/dongthap_82_2025.geojson"),
    ) else {
        return;
    };
    let sen = Sen::new();
    for file in [&old, &new, &districts, &province] {
        import(&sen, file, "admin_units", &[]).expect(0);
    }
    let cao_lanh = features(&sen, "admin_units")
        .into_iter()
        .find(|unit| unit.code == "866")
        .expect("there");
    assert_eq!(
        cao_lanh.valid_to,
        "2025-07-01".parse().ok(),
        "taken from the table of units"
    );
    let now = units_of(&sen, Level::Province, "82", "2026-01-01");
    let link = now
        .predecessors
        .iter()
        .find(|link| link.code == "87")
        .expect("linked");
    let (share, part) = (link.share.expect("measured"), link.part.expect("measured"));
    // 3,384 km2 of the old Dong Thap in 5,939 km2 of the new
    assert!(share > 0.97 && (0.55..0.60).contains(&part), "{share} {part}");
    let plot = Feature::new(
        "plots",
        "A",
        geo_types::Rect::new((105.63, 10.45), (105.631, 10.451)).into(),
    );
    let hierarchy = block(Hierarchy::load(
        &store(&sen),
        Level::District,
        "2024-01-01".parse().expect("a date"),
    ));
    let placed = hierarchy.expect("loads").unit_of(&plot).expect("placed");
    assert_eq!(placed.unit.name, "Thành phố Cao Lãnh");
}

#[test]
fn real_fields_keep_their_number_and_area() {
    let Some(fields) = real_data("fields/ai4smallfarms_1_vietnam_100.gpkg") else {
        return;
    };
    let sen = Sen::new();
    let run = import(&sen, &fields, "plots", &["--code", "id_0"]).expect(0);
    let found = features(&sen, "plots");
    assert_eq!(found.len(), 100, "{}", run.text());
    // ogrinfo -dialect sqlite -sql "select min(st_area(geom)), max(st_area(geom))": 221 and 17521 m2 on the grid
    let areas: Vec<f64> = found.iter().map(|field| field.area_m2).collect();
    let (least, most) = (
        areas.iter().copied().fold(f64::MAX, f64::min),
        areas.iter().copied().fold(0.0, f64::max),
    );
    assert!(
        (least / 221.0 - 1.0).abs() < 0.01 && (most / 17_521.0 - 1.0).abs() < 0.01,
        "{least} {most}"
    );
}

#[test]
fn plots_that_come_after_the_scenes_are_told_that_their_crops_are_not_dated_yet() {
    let next = |sen: &Sen| {
        let plot = polygon("DT-001", "Ruộng", &json!([ring(8.0, 8.0, 4.0)]));
        let file = sen.path("plots.geojson");
        write_geojson(&file, &[plot]);
        let answer = import(sen, &file, "plots", &[]).expect(0).json();
        answer["next"].as_str().map(str::to_owned)
    };
    let told = next(&crate::weeks::ingested()).expect("what is left to do");
    assert!(told.contains("`sen process` dates the crops of plots"), "{told}");
    assert_eq!(next(&Sen::new()), None, "scenes come later and date them");
}
