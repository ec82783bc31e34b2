//! Flood maps against what was really so: labelled chips, An Giang 2022, the demo province.

use crate::harness::{Sen, real_data};
use crate::scenes;
use serde_json::{Value, json};

fn chips() -> Option<Value> {
    let folder = real_data("flood")?;
    let sen = Sen::new();
    let picture = sen.path("chips.png");
    let said = sen
        .run(&[
            "validate",
            "--chips",
            folder.to_str().expect("UTF-8"),
            "--product",
            "flood",
            "--picture",
            picture.to_str().expect("UTF-8"),
            "--json",
        ])
        .expect(0);
    let picture = std::fs::read(&picture).expect("written");
    let (pixels, width) = crate::harness::decode_png(&picture);
    assert!(
        width > 1000 && pixels.len() > width * 3000,
        "fourteen rows of four panels"
    );
    Some(said.json())
}

/// IoU of single chips by the baselines that the data's notes list (VH below -23 dB after a 5 x 5 mean).
const VH_BASELINE: [(&str, f64); 5] = [
    ("USA_905409", 0.904),
    ("India_900498", 0.732),
    ("Spain_7370579", 0.501),
    ("Pakistan_849790", 0.131),
    ("Mekong_333434", 0.033),
];

#[test]
fn both_kinds_of_look_do_better_than_the_baselines_on_the_labelled_chips() {
    let Some(report) = chips() else { return };
    let iou = |kind: &str, part: &str| report[kind][part]["iou"].as_f64().expect("a number");
    assert!(
        iou("optical", "pooled") >= 0.86,
        "{}",
        report["optical"]["pooled"]
    );
    // the best of the listed radar baselines has 0.464 and 0.460
    for (part, listed) in [("pooled", 0.464), ("mean", 0.460)] {
        let method = &report["radar"]["simple"]["VH < -23 dB, mean 5 x 5"];
        let baseline = method[part].as_f64().expect("a number");
        assert!((baseline - listed).abs() < 5e-4, "{method}");
        let held_out = report["radar"]["event_left_out"][part]
            .as_f64()
            .expect("a number");
        assert!(
            iou("radar", part) > baseline && held_out > baseline,
            "{part}: {} and {held_out} with the event left out",
            iou("radar", part)
        );
    }
    let held_out = &report["optical"]["event_left_out"];
    assert!(
        held_out["pooled"].as_f64().expect("a number") >= 0.86,
        "{held_out}"
    );
    assert_eq!(held_out["chosen"].as_array().expect("two events").len(), 2);
    for (name, baseline) in VH_BASELINE {
        let got = report["radar"]["chips"][name]["iou"].as_f64().expect("a number");
        assert!(
            got > baseline,
            "{name}: IoU {got:.3}, the baseline has {baseline}"
        );
    }
    assert_eq!(report["fused"]["chips"].as_object().expect("chips").len(), 14);
}

#[test]
fn a_chip_without_a_single_valid_cell_is_not_seen_and_never_dry() {
    let Some(report) = chips() else { return };
    let chip = &report["radar"]["chips"]["Paraguay_34417"];
    assert_eq!(chip["n"], 0, "{chip}");
    assert!(chip["iou"].is_null(), "{chip}");
    // every cell that people labelled: the others say nothing of the map
    assert_eq!(chip["not_seen"], 50_026, "{chip}");
}

#[test]
fn a_map_is_held_against_rasters_and_points() {
    let Some(folder) = real_data("flood/labels") else {
        return;
    };
    let label = folder.join("Spain_7370579_LabelHand.tif");
    let label = label.to_str().expect("UTF-8");
    let sen = Sen::new();
    let said = sen.run(&["validate", label, label, "--json"]).expect(0).json();
    assert_eq!(said["overall"], 1.0, "{said}");
    assert_eq!(said["confusion"]["classes"], serde_json::json!([0, 1]), "{said}");
    assert_eq!(said["n"], 70_035 + 192_010, "{said}");
    let other = folder.join("India_900498_LabelHand.tif");
    let far = sen
        .run(&["validate", label, other.to_str().expect("UTF-8")])
        .expect(1);
    assert!(far.stderr.contains("no labelled cell"), "{}", far.stderr);
    let picture = sen.path("map.png");
    let two = sen
        .run(&[
            "validate",
            label,
            label,
            label,
            "--picture",
            picture.to_str().expect("UTF-8"),
        ])
        .expect(0);
    let rows = two.stdout.matches("Spain_7370579_LabelHand.tif").count();
    assert_eq!(rows, 4, "two labels of two classes each: {}", two.stdout);
    let (pixels, width) = crate::harness::decode_png(&std::fs::read(&picture).expect("written"));
    assert!(
        width > 500 && pixels.len() > width * 500,
        "two rows of label and map"
    );
    assert_eq!(said["labels"][0]["n"], said["n"], "{said}");
    let points = sen.path("points.csv");
    std::fs::write(&points, "lon,lat,class\n0,0,1\n").expect("written");
    let drawn = sen
        .run(&[
            "validate",
            label,
            points.to_str().expect("UTF-8"),
            "--picture",
            picture.to_str().expect("UTF-8"),
        ])
        .expect(2);
    assert!(drawn.stderr.contains("points.csv"), "{}", drawn.stderr);
    let outside = sen
        .run(&["validate", label, points.to_str().expect("UTF-8")])
        .expect(1);
    assert!(outside.stderr.contains("no labelled cell"), "{}", outside.stderr);
    std::fs::write(&points, "lon,lat,class\n0,north,1\n").expect("written");
    let wrong = sen
        .run(&["validate", label, points.to_str().expect("UTF-8")])
        .expect(1);
    assert!(
        wrong.stderr.contains("line 2") && wrong.stderr.contains("north"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn what_cannot_be_validated_is_said_before_anything_is_read() {
    let sen = Sen::new();
    let folder = sen.folder.path().to_str().expect("UTF-8").to_owned();
    let unknown = sen
        .run(&["validate", "--chips", &folder, "--product", "ndvi"])
        .expect(2);
    assert!(unknown.stderr.contains("no labelled chips"), "{}", unknown.stderr);
    let empty = sen
        .run(&["validate", "--chips", &folder, "--product", "flood"])
        .expect(1);
    assert!(empty.stderr.contains("labels"), "{}", empty.stderr);
}

#[test]
fn likelihood_exclusion_and_looks_are_drawn_counted_and_told_beside_the_classes() {
    let sen = Sen::new();
    let source = sen.path("source");
    // a river on the left, fields, and a town of strong echoes on the right
    let vv = |column: usize, _: usize| match column {
        0..64 => 0.004,
        64..110 => 0.12,
        _ => 1.2,
    };
    scenes::sentinel1(&source, "S1A_IW_20260819T224606", "2026-08-19T22:46:06Z", vv);
    sen.ingest(&source, &[]).expect(0);
    let service = sen.serve();
    let (z, x, y) = scenes::tile(14, 64, 64);
    for asset in ["likelihood", "exclusion", "n_clear"] {
        let tile = service.get(&format!("/flood/{z}/{x}/{y}.png?datetime=2026-W34&asset={asset}"));
        assert_eq!(tile.status(), 200, "{asset}");
        let tilejson = service.json(&format!("/flood?datetime=2026-W34&asset={asset}"));
        let template = tilejson["tiles"][0].as_str().expect("a template");
        assert!(template.contains(&format!("asset={asset}")), "{template}");
        let legend = service.json(&format!("/api/v1/legends/{asset}?lang=vi"));
        assert!(
            !legend["entries"].as_array().expect("entries").is_empty(),
            "{legend}"
        );
    }
    let flood = |column: usize| {
        let (lon, lat) = scenes::lon_lat(column, 64);
        let answer = service.json(&format!("/api/v1/point/{lon:.6},{lat:.6}?datetime=2026-W34"));
        let layers = answer["layers"].as_array().expect("layers").clone();
        layers
            .into_iter()
            .find(|one| one["collection"] == "flood")
            .expect("flood")
    };
    let (river, field, town) = (flood(20), flood(90), flood(122));
    assert_eq!((&river["value"], &field["value"]), (&json!(1.0), &json!(0.0)));
    assert!(river["likelihood"].as_f64() > Some(90.0) && field["likelihood"].as_f64() < Some(10.0));
    assert!(
        town["value"].is_null(),
        "radar alone does not classify a town: {town}"
    );
    assert_eq!(
        (&town["reason"], &town["exclusion"]),
        (&json!("not seen"), &json!(2.0))
    );
    let (west, south) = scenes::lon_lat(4, 100);
    let (east, north) = scenes::lon_lat(40, 20);
    let ring = [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
    ];
    let body = json!({"type": "Polygon", "coordinates": [ring]});
    let answer: Value = service
        .post(
            "/api/v1/zonal?collection=flood&asset=likelihood&datetime=2026-W34",
            &body,
        )
        .json()
        .expect("JSON");
    let mean = &answer["properties"]["statistics"]["values"][0]["mean"];
    assert!(mean.as_f64() > Some(90.0), "{answer}");
}
