//! A run says what became of everything, whatever of it failed; and what is set wrongly it says before it begins.

use crate::fire::{province, station};
use crate::harness::{Sen, count, step};
use crate::scenes::{self, RICE};
use sen_catalog::statistic::StatisticTable;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Settings that a step of its own refuses, and what the refusal has to name.
const WRONG: [(&str, &str); 9] = [
    ("[fire]\nreset_mm = 0.0\n", "fire.reset_mm"),
    ("[fire]\nlevels = [5.0, 4.0, 6.0, 7.0]\n", "fire.levels"),
    ("[delta]\ndem = \"dem.tif\"\n", "delta.dem_error_m"),
    ("[delta]\ndem = \"none.tif\"\ndem_error_m = 1.0\n", "delta.dem"),
    (
        "[delta]\nclosed_until = { august = \"08-40\" }\n",
        "delta.closed_until.august",
    ),
    (
        "[calendar]\nduration_days = [120.0, 90.0]\n",
        "calendar.duration_days",
    ),
    ("[fusion]\ncell_m = 0.0\n", "fusion.cell_m"),
    (
        "[processing]\ncloud_dilation_m = -1.0\n",
        "processing.cloud_dilation_m",
    ),
    (
        "[processing.ancillary]\nbuilt_up = { path = \"/no/such.tif\" }\n",
        "processing.ancillary.built_up",
    ),
];

#[test]
fn wrong_settings_of_any_step_are_named_before_the_first_second_of_work_and_by_check() {
    let sen = Sen::new();
    sen.run(&["init"]).expect(0);
    let source = sen.path("source");
    let (id, at) = ("S2A_48PWS_20260818_0_L2A", "2026-08-18T03:21:31Z");
    scenes::sentinel2(&source, id, at, |_, _| RICE);
    sen.ingest(&source, &["--no-process"]).expect(0);
    let made = || sen.data().join("assets/ndvi").exists();
    let settings = sen.data().join("sen.toml");
    for (wrong, name) in WRONG {
        fs::write(&settings, wrong).expect("written");
        for command in [&["process"][..], &["ingest", source.to_str().expect("UTF-8")]] {
            let run = sen.run(command).expect(2);
            assert!(run.stderr.contains(name), "{command:?} {wrong}: {}", run.stderr);
        }
        assert!(!made(), "{wrong}");
        let said = sen.run(&["--json", "check"]).expect(1).json();
        let reasons: Vec<&str> = said["wrong"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["reason"].as_str())
            .collect();
        assert!(
            reasons.len() == 1 && reasons[0].starts_with(name),
            "{wrong}: {reasons:?}"
        );
    }
    // of several tables all at once
    fs::write(
        &settings,
        [WRONG[0].0, WRONG[2].0, WRONG[5].0, WRONG[6].0].concat(),
    )
    .expect("written");
    let run = sen.run(&["process"]).expect(2);
    for (_, name) in [WRONG[0], WRONG[2], WRONG[5], WRONG[6]] {
        assert!(run.stderr.contains(name), "{name}: {}", run.stderr);
    }
    fs::write(&settings, "").expect("written");
    sen.run(&["check"]).expect(0);
    sen.run(&["process"]).expect(0);
    assert!(made());
}

/// The file opens as before and says another mean of its first zone.
fn with_a_bit_of_its_mean_flipped(path: &Path, whole: &[u8]) -> Vec<u8> {
    let table = StatisticTable::open(path).expect("a table");
    let mean = table
        .statistic(0)
        .expect("a row")
        .mean
        .expect("a mean")
        .to_le_bytes();
    let place = whole.windows(mean.len()).position(|bytes| bytes == mean);
    let mut flipped = whole.to_vec();
    flipped[place.expect("the mean stands in the file")] ^= 1;
    flipped
}

#[test]
fn a_step_that_fails_is_named_what_rests_on_it_held_back_and_the_rest_done_and_told() {
    let sen = province(&station(&[]));
    sen.run(&["process"]).expect(0);
    let cover = sen.asset("forest_cover/2026/forest_cover_2026-W34/forest_cover.tif");
    let before = fs::read(&cover).expect("a map");
    // one bit of the table that forest change rests on, and a setting by which it is judged anew
    let table = sen.asset("ndvi/2026/ndvi_2026-W34/statistics_forest_blocks.arrow");
    let whole = fs::read(&table).expect("a table");
    fs::write(&table, with_a_bit_of_its_mean_flipped(&table, &whole)).expect("written");
    let settings = sen.data().join("sen.toml");
    let text = fs::read_to_string(&settings).expect("settings");
    // later steps have something to do: other seasons, another map of danger
    let changed = text.replace("1000.0", "1001.0")
        + "\n[fire.change]\ndrift = 0.4\n\n[calendar]\nripening_days = 29.0\n";
    fs::write(&settings, &changed).expect("written");

    let twin = sen.path("twin");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&sen.data(), &twin])
        .status();
    assert!(copied.is_ok_and(|status| status.success()));

    let said = sen.run(&["--json", "process"]).expect(1).json();
    let failed = &step(&said, "forest_change")["units"][0];
    assert_eq!(
        (&failed["dataset"], &failed["status"]),
        (&json!("records/forest_change"), &json!("failed")),
        "{said}"
    );
    let reason = failed["reason"].as_str().expect("a reason");
    assert!(
        reason.contains("/statistics_forest_blocks-") && reason.contains("checksum"),
        "{reason}"
    );
    let held_back = json!([{
        "dataset": "collection/forest_cover", "period": "2026-W34", "status": "held_back",
        "by": {"dataset": "records/forest_change", "period": null},
    }]);
    assert_eq!(step(&said, "forest_cover")["units"], held_back, "{said}");
    assert_eq!(fs::read(&cover).expect("a map"), before);
    for (step, dataset) in [
        ("danger_days", "records/fire_danger_day"),
        ("crop_seasons", "records/crop_season/plots"),
        ("fire_danger", "collection/fire_danger"),
    ] {
        assert!(count(&said, step, dataset, "made") > 0, "{step}: {said}");
    }
    // people are told the same
    let text = crate::harness::at(&twin, &["process"]).expect(1).stdout;
    for told in [
        "failed: forest_change: records/forest_change: ",
        "held back: forest_cover: collection/forest_cover 2026-W34 stays as it was, because records/forest_change failed",
    ] {
        assert!(text.contains(told), "{text}");
    }

    // the file is marked now: the next run makes it again, and finishes
    let said = sen.run(&["--json", "process"]).expect(0).json();
    assert_eq!(
        count(&said, "forest_change", "records/forest_change", "made"),
        1,
        "{said}"
    );
    assert_eq!(fs::read(&table).expect("a table"), whole);
}
