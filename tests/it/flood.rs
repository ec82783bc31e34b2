//! Flood maps against what was really so: labelled chips, An Giang 2022, the demo province.

use crate::harness::{Sen, real_data};
use serde_json::Value;

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
    assert!(iou("radar", "pooled") > 0.50, "{}", report["radar"]["pooled"]);
    // 0.384 is the mean of the listed baseline with the chip without water counted as 0
    assert!(iou("radar", "mean") > 0.42, "{}", report["radar"]["mean"]);
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
    assert!(chip["not_seen"].as_u64().expect("a count") > 200_000, "{chip}");
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
    let points = sen.path("points.csv");
    std::fs::write(&points, "lon,lat,class\n0,0,1\n").expect("written");
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
