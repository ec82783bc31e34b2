//! A product is a file and a line: the toy here stands for the file, the slice it is run from for the line.

use crate::harness::Sen;
use crate::scenes::{self, RICE};
use sen_catalog::run::StepReport;
use sen_catalog::{Assets, Band, store};
use sen_processing::mask;
use sen_processing::pipeline::Weekly;
use sen_processing::product::{Index, Input, Sensor};
use sen_processing::run::Silent;
use sen_processing::settings::Settings;
use std::sync::atomic::AtomicBool;

const BRIGHTNESS: Index = Index {
    name: "brightness",
    version: 1,
    title: "Brightness",
    formula_text: "(nir + red) / 2",
    inputs: &[Input {
        sensor: Sensor::Optical,
        bands: &[&[Band::Nir], &[Band::Red]],
    }],
    clear: mask::VEGETATION,
    formula: |bands, values| {
        for ((value, nir), red) in values.iter_mut().zip(bands[0]).zip(bands[1]) {
            *value = f32::midpoint(*nir, *red);
        }
    },
};

#[test]
fn a_product_added_to_the_registry_is_found_in_tiles_and_tilejson() {
    let sen = Sen::new();
    let source = sen.path("source");
    scenes::sentinel2(
        &source,
        "S2A_48PWS_20260818_0_L2A",
        "2026-08-18T03:21:31Z",
        |_, _| RICE,
    );
    sen.ingest(&source, &["--no-process"]).expect(0);
    // the service runs before the product is made: its tiles appear without a restart
    let service = sen.serve();
    assert_eq!(service.get("/brightness").status(), 404);

    let weekly = Weekly {
        store: store::open("catalog.sqlite", &sen.data()).expect("the store opens"),
        assets: Assets::open(&sen.data()).expect("the assets open"),
        grid: scenes::grid(),
        products: &[&BRIGHTNESS],
        code_version: "test".into(),
        settings: Settings::default(),
        cancelled: &AtomicBool::new(false),
    };
    let week = "2026-W34".parse().expect("a week");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut report = StepReport::new("rasters");
    runtime
        .block_on(weekly.make_week(week, &mut report, &Silent))
        .expect("it runs");
    assert!(report.is_complete(), "{report:?}");

    let waiting = std::time::Instant::now();
    while service.get("/brightness").status() == 404 {
        assert!(
            waiting.elapsed().as_secs() < 20,
            "a new collection appears by itself"
        );
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let tilejson = service.json("/brightness");
    assert_eq!(tilejson["tilejson"], "3.0.0");
    assert!(service.json("/catalog")["tiles"]["brightness"].is_object());
    let (zoom, x, y) = scenes::tile(14, 64, 64);
    let tile = service.get(&format!("/brightness/{zoom}/{x}/{y}.png?datetime=2026-W34"));
    assert_eq!(tile.status(), 200);
    assert_eq!(tile.headers()["sen-period"], "2026-W34");
    let (lon, lat) = scenes::lon_lat(64, 64);
    let point = service.json(&format!("/api/v1/point/{lon:.6},{lat:.6}"));
    let value = point["layers"][0]["value"].as_f64().expect("a value");
    assert!((value - 0.225).abs() < 1e-6, "(0.40 + 0.05) / 2, not {value}");
}
