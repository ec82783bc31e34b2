//! Weeks of imagery become a live map.

use crate::harness::Sen;
use crate::scenes::{self, CLOUD, Dn, NOTHING, RICE, WATER};

/// Left half river, right half rice; a cloud in the upper right corner.
fn half_river(column: usize, row: usize) -> Dn {
    match (column, row) {
        (0..64, _) => WATER,
        (112.., 0..16) => CLOUD,
        _ => RICE,
    }
}

pub(crate) fn ingested() -> Sen {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20260818_0_L2A",
        "2026-08-18T03:21:31Z",
        half_river,
    );
    scenes::sentinel2(
        &source,
        "S2B_48PWS_20260825_0_L2A",
        "2026-08-25T03:21:31Z",
        |_, _| RICE,
    );
    scenes::sentinel1(
        &source,
        "S1A_IW_20260819T224606",
        "2026-08-19T22:46:06Z",
        |column, _| {
            if column < 64 { 0.008 } else { 0.12 }
        },
    );
    sen.ingest(&source, &[]).expect(0);
    sen
}

fn point(column: usize, row: usize, week: &str) -> String {
    let (lon, lat) = scenes::lon_lat(column, row);
    format!("/api/v1/point/{lon:.6},{lat:.6}?datetime={week}")
}

fn layer<'a>(answer: &'a serde_json::Value, collection: &str) -> &'a serde_json::Value {
    let layers = answer["layers"].as_array().expect("layers");
    layers
        .iter()
        .find(|layer| layer["collection"] == collection)
        .unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn a_week_of_imagery_becomes_values_tiles_and_tilejson() {
    let sen = ingested();
    let service = sen.serve();

    let rice = service.json(&point(90, 64, "2026-W34"));
    let ndvi = layer(&rice, "ndvi");
    assert!(
        (ndvi["value"].as_f64().expect("a value") - 0.7778).abs() < 1e-6,
        "{ndvi}"
    );
    assert_eq!(ndvi["period"], "2026-W34");
    let evi = 2.5 * (0.40 - 0.05) / (0.40 + 6.0 * 0.05 - 7.5 * 0.03 + 1.0);
    assert!(
        (layer(&rice, "evi")["value"].as_f64().expect("a value") - evi).abs() < 1e-4,
        "{rice}"
    );
    assert_eq!(layer(&rice, "flood")["value"], 0.0);

    let river = service.json(&point(20, 64, "2026-W34"));
    assert_eq!(layer(&river, "flood")["value"], 1.0);
    let mndwi = (0.07 - 0.01) / (0.07 + 0.01);
    assert!(
        (layer(&river, "mndwi")["value"].as_f64().expect("a value") - mndwi).abs() < 1e-4,
        "{river}"
    );
    assert!(
        (layer(&river, "ndvi")["value"].as_f64().expect("a value") + 0.4286).abs() < 1e-4,
        "{river}"
    );

    let cloud = service.json(&point(125, 3, "2026-W34"));
    assert!(layer(&cloud, "ndvi")["value"].is_null(), "{cloud}");
    assert!(layer(&cloud, "ndvi")["reason"].is_string(), "{cloud}");

    let tilejson = service.json("/ndvi?datetime=2026-W34");
    assert_eq!(tilejson["tilejson"], "3.0.0");
    assert!(
        tilejson["tiles"][0]
            .as_str()
            .expect("a template")
            .contains("2026-W34"),
        "{tilejson}"
    );
    let (z, x, y) = scenes::tile(15, 90, 64);
    let (pixels, side) = service.rgba(&format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-W34"));
    assert_eq!(side, 256);
    assert!(pixels.iter().filter(|pixel| pixel[3] == 255).count() > 5_000);
    let (big, side) = service.rgba(&format!("/ndvi/{z}/{x}/{y}@2x.png?datetime=2026-W34"));
    assert_eq!((side, big.len()), (512, 512 * 512));
    let webp = service.get(&format!("/ndvi/{z}/{x}/{y}.webp?datetime=2026-W34"));
    assert_eq!(webp.headers()["content-type"], "image/webp");
    assert_eq!(&webp.bytes().expect("body")[8..12], b"WEBP");
}

#[test]
fn only_legend_colours_occur_in_a_class_tile() {
    let sen = ingested();
    let service = sen.serve();
    let legend = service
        .json("/api/v1/legends/flood?lang=vi")
        .to_string()
        .to_lowercase();
    let (z, x, y) = scenes::tile(14, 64, 64);
    let (pixels, _) = service.rgba(&format!("/flood/{z}/{x}/{y}.png?datetime=2026-W34"));
    let mut colours: Vec<_> = pixels.into_iter().filter(|pixel| pixel[3] > 0).collect();
    colours.sort_unstable();
    colours.dedup();
    assert!(!colours.is_empty() && colours.len() <= 3, "{colours:?}");
    for [r, g, b, _] in colours {
        assert!(
            legend.contains(&format!("{r:02x}{g:02x}{b:02x}")),
            "#{r:02x}{g:02x}{b:02x} is in no legend: {legend}"
        );
    }
}

#[test]
fn addresses_and_times_behave_as_the_contract_says() {
    let sen = ingested();
    let service = sen.serve();
    let (z, x, y) = scenes::tile(14, 64, 64);
    let path = format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-W34");
    let first = service.get(&path);
    assert_eq!(first.headers()["sen-period"], "2026-W34");
    let etag = first.headers()["etag"].to_str().expect("ASCII").to_owned();
    assert!(!etag.starts_with("W/"), "strong: {etag}");
    assert_eq!(service.get_with(&path, "if-none-match", &etag).status(), 304);
    for (address, status) in [
        (format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-08-20"), 200),
        (format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-W30"), 204),
        (
            format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-W30&nearest=true"),
            200,
        ),
        (format!("/ndvi/{z}/{x}/{y}.png?datetime=../2026-W34"), 200),
        ("/ndvi/5/3/3.png".to_owned(), 204),
        (format!("/ndvi/{z}/{x}/{y}.png?datetime=2026-02-30"), 400),
        (format!("/nothing/{z}/{x}/{y}.png"), 404),
        ("/ndvi/31/0/0.png".to_owned(), 404),
        ("/ndvi/200/0/0.png".to_owned(), 404),
        ("/ndvi/99999999999999999999/0/0.png".to_owned(), 404),
        ("/ndvi/3/8/0.png".to_owned(), 404),
        ("/ndvi/3/-1/0.png".to_owned(), 400),
        ("/ndvi/a/0/0.png".to_owned(), 400),
        (format!("/ndvi/{z}/{x}/{y}.gif"), 404),
        (format!("/ndvi/{z}/{x}/{y}.png?datetime=%ff%fe"), 400),
        (format!("/ndvi/{z}/{x}/{y}.png?style=no-such"), 404),
    ] {
        let response = service.get(&address);
        let got = response.status().as_u16();
        let body = response.text().unwrap_or_default();
        // 400 and 404 are both right for an address that is not one
        let ok = got == status || (status == 404 && got == 400) || (status == 400 && got == 404);
        assert!(ok, "{address}: {got} {body}");
        if got >= 400 {
            let problem: serde_json::Value =
                serde_json::from_str(&body).unwrap_or_else(|_| panic!("{address}: {body}"));
            assert_eq!(problem["status"], got, "{address}");
        }
    }
    assert_eq!(service.stop(), Some(0), "SIGTERM stops it cleanly");
}

#[test]
fn a_late_scene_updates_its_week_and_nothing_else_without_a_restart() {
    let sen = ingested();
    let service = sen.serve();
    let other = sen.asset("ndvi/2026/ndvi_2026-W35/ndvi.tif");
    let before = std::fs::metadata(&other).expect("made").modified().expect("time");
    let cloud = point(125, 3, "2026-W34");
    assert!(layer(&service.json(&cloud), "ndvi")["value"].is_null());

    let late = sen.path("late");
    scenes::sentinel2(
        &late,
        "S2C_48PWS_20260820_0_L2A",
        "2026-08-20T03:21:31Z",
        |column, row| {
            if column >= 100 && row < 32 { RICE } else { NOTHING }
        },
    );
    sen.ingest(&late, &[]).expect(0);
    assert_eq!(
        std::fs::metadata(&other)
            .expect("still there")
            .modified()
            .expect("time"),
        before
    );

    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let answer = service.json(&cloud);
        if layer(&answer, "ndvi")["value"]
            .as_f64()
            .is_some_and(|value| (value - 0.7778).abs() < 1e-6)
        {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{answer}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    sen.run(&["check"]).expect(0);
}

#[test]
fn ingesting_again_does_nothing() {
    let sen = ingested();
    let digest = sen.digest();
    let file = sen.asset("ndvi/2026/ndvi_2026-W34/ndvi.tif");
    let before = std::fs::metadata(&file).expect("made").modified().expect("time");
    let again = sen.ingest(&sen.path("source"), &["--json"]).expect(0).json();
    assert_eq!(again["scenes"][0]["new"], 0, "{again}");
    assert_eq!(sen.digest(), digest);
    assert_eq!(
        std::fs::metadata(&file).expect("made").modified().expect("time"),
        before
    );
}

#[test]
fn the_transplanting_minimum_survives_a_week_of_several_looks() {
    let sen = Sen::new();
    let source = sen.path("source");
    // green on Tuesday, flooded for transplanting on Thursday and Saturday
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20260818_0_L2A",
        "2026-08-18T03:21:31Z",
        |_, _| RICE,
    );
    scenes::sentinel2(
        &source,
        "S2B_48PWS_20260820_0_L2A",
        "2026-08-20T03:21:31Z",
        |_, _| WATER,
    );
    scenes::sentinel2(
        &source,
        "S2C_48PWS_20260822_0_L2A",
        "2026-08-22T03:21:31Z",
        |_, _| WATER,
    );
    sen.ingest(&source, &[]).expect(0);
    let service = sen.serve();
    let answer = service.json(&point(64, 64, "2026-W34"));
    let value = layer(&answer, "ndvi")["value"].as_f64().expect("a value");
    assert!(value < 0.5, "a maximum-value composite would say 0.78: {answer}");
}

#[test]
fn of_two_processings_of_a_look_the_newer_counts_alone_and_the_older_is_named() {
    let sen = Sen::new();
    let source = sen.path("source");
    let (old, new) = (
        "S2A_MSIL2A_20260818T032131_N0300_R118_T48PWS_20260818T063012",
        "S2A_MSIL2A_20260818T032131_N0500_R118_T48PWS_20260902T081200",
    );
    let at = "2026-08-18T03:21:31Z";
    scenes::sentinel2_with(&source, old, at, 0, Some(("03.00", true)), |_, _| RICE);
    // the newer one knows the clouds that the older one took for clear
    let cloudy = |column: usize, _| if column < 64 { CLOUD } else { WATER };
    scenes::sentinel2_with(&source, new, at, 0, Some(("05.00", true)), cloudy);
    let run = sen.ingest(&source, &[]).expect(0);
    let told = format!("note: 2026-W34: sentinel-2-l2a/{old}: left out: {new}");
    assert!(run.text().contains(&told), "{}", run.text());
    let service = sen.serve();
    let value = |column: usize| {
        let answer = service.json(&point(column, 64, "2026-W34"));
        layer(&answer, "ndvi")["value"].as_f64()
    };
    assert!((value(100).expect("a value") + 0.4286).abs() < 1e-4);
    assert_eq!(value(20), None, "no older processing shines through the clouds");
}

#[test]
fn a_scene_of_the_future_is_refused_by_name_and_never_the_newest() {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20260818_0_L2A",
        "2026-08-18T03:21:31Z",
        |_, _| RICE,
    );
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20990818_0_L2A",
        "2099-08-18T03:21:31Z",
        |_, _| RICE,
    );
    let run = sen.ingest(&source, &[]).expect(1);
    assert!(
        run.text().contains("S2A_48PWS_20990818_0_L2A") && run.text().contains("datetime"),
        "{}",
        run.text()
    );
    let periods = sen.serve().json("/api/v1/periods/ndvi");
    assert_eq!(periods["periods"], serde_json::json!(["2026-W34"]), "{periods}");
}

#[test]
fn a_radar_pass_on_sunday_evening_utc_belongs_to_the_next_week() {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel1(
        &source,
        "S1A_IW_20260823T224606",
        "2026-08-23T22:46:06Z",
        |_, _| 0.005,
    );
    sen.ingest(&source, &[]).expect(0);
    let periods = sen.serve().json("/api/v1/periods/flood");
    assert_eq!(periods["periods"], serde_json::json!(["2026-W35"]), "{periods}");
}
