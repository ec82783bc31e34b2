//! Real imagery of the Mekong delta in 2022 (An Giang and Can Tho), where the project's data folder is present.

use crate::harness::{Sen, Service, real_data};
use sen_catalog::Period;
use std::collections::BTreeMap;
use std::fs;

/// How the chips are described to `sen`: the optical offset is read from each file's own metadata.
fn configuration(place: &str) -> String {
    format!(
        r#"
[[geotiff]]
name = "s2-{place}"
collection = "sentinel-2-l2a"
files = "S2_L2A_{{%Y%m%dT%H%M%S}}_{place}.tif"
bands = ["blue", "green", "red", "rededge071", "nir", "swir16", "swir22", "scl"]
scale = 0.0001
offset_tag = "BOA_ADD_OFFSET"
nodata = 0

[[geotiff]]
name = "s1-{place}"
collection = "sentinel-1-rtc"
files = "S1_RTC_{{%Y%m%dT%H%M%S}}_{place}.tif"
bands = ["vv", "vh"]
units = "linear"
nodata = -32768
"#
    )
}

/// Ingests all dates of one place; `None` where the data are not on this machine.
fn ingested(place: &str) -> Option<Sen> {
    let optical = real_data(&format!("angiang2022/s2_{place}"))?;
    let radar = real_data(&format!("angiang2022/s1_{place}"))?;
    let sen = Sen::new();
    fs::create_dir(sen.data()).expect("data folder");
    fs::write(sen.data().join("sen.toml"), configuration(place)).expect("configuration");
    let args = [
        "ingest",
        optical.to_str().expect("UTF-8"),
        radar.to_str().expect("UTF-8"),
        "--json",
    ];
    let said = sen.run(&args).expect(0).json();
    let counts: BTreeMap<_, _> = said["scenes"]
        .as_array()
        .expect("scenes")
        .iter()
        .map(|row| {
            (
                row["collection"].as_str().expect("name"),
                row["new"].as_u64().expect("count"),
            )
        })
        .collect();
    assert_eq!(
        counts,
        BTreeMap::from([("sentinel-1-rtc", 57), ("sentinel-2-l2a", 69)]),
        "{said}"
    );
    Some(sen)
}

fn raster(sen: &Sen, collection: &str, period: Period) -> Option<Vec<f64>> {
    let id = format!("{collection}_{period}");
    let path = sen.asset(&format!("{collection}/{}/{id}/{collection}.tif", period.year()));
    if !path.exists() {
        return None;
    }
    let cog = sen_catalog::raster::Cog::open(&path).expect("opens");
    let nodata = cog.nodata();
    let window = cog.grid().window();
    let values: Vec<f64> = match cog.data_type() {
        sen_catalog::raster::DataType::I16 => cog
            .read_window::<i16>(0, 0, window)
            .expect("reads")
            .into_iter()
            .map(f64::from)
            .collect(),
        _ => cog
            .read_window::<u8>(0, 0, window)
            .expect("reads")
            .into_iter()
            .map(f64::from)
            .collect(),
    };
    Some(
        values
            .into_iter()
            .filter(|value| Some(*value) != nodata)
            .collect(),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn week_of(date: &str) -> Period {
    Period::of_date(date.parse().expect("a date"))
}

#[test]
fn rice_of_thoi_lai_follows_its_cycle_and_the_radar_sees_the_flood() {
    let Some(sen) = ingested("thoilai_w") else { return };
    // medians of corrected, clear NDVI at the dates that the data's own notes list
    for (date, expected) in [
        ("2022-01-20", 0.90),
        ("2022-03-01", 0.14),
        ("2022-04-25", 0.80),
        ("2022-06-09", 0.19),
        ("2022-07-29", 0.85),
    ] {
        let values =
            raster(&sen, "ndvi", week_of(date)).unwrap_or_else(|| panic!("no NDVI in the week of {date}"));
        let got = median(values) / 10_000.0;
        assert!(
            (got - expected).abs() <= 0.02,
            "{date}: median NDVI {got:.3}, the notes say {expected}"
        );
    }
    // under open water of any kind (1, 3, 4, 5) in autumn, dry season dry; 2 is partly water, 5 the flood
    let share_of = |date: &str, classes: &[f64]| {
        let seen: Vec<_> = raster(&sen, "flood", week_of(date))
            .expect("radar looks")
            .into_iter()
            .filter(|v| *v < 6.0)
            .collect();
        seen.iter().filter(|v| classes.contains(v)).count() as f64 / seen.len() as f64
    };
    let share = |date: &str| share_of(date, &[1.0, 3.0, 4.0, 5.0]);
    for date in ["2022-10-01", "2022-10-13", "2022-10-25", "2022-11-06"] {
        let flood = share_of(date, &[5.0]);
        assert!(flood > 0.4, "{date}: flood on {flood:.2} of the land");
    }
    for date in [
        "2022-02-15",
        "2022-03-11",
        "2022-03-23",
        "2022-04-28",
        "2022-06-15",
    ] {
        let flood = share_of(date, &[5.0]);
        assert!(flood < 0.05, "{date}: flood on {flood:.2} of the land");
    }
    for date in ["2022-09-30", "2022-10-12", "2022-10-25"] {
        // the notes list 0.54-0.86 for single passes below -16 dB; the week's vote of a 5 x 5 mean lies a little lower
        assert!(share(date) > 0.4, "{date}: water share {:.2}", share(date));
    }
    for date in ["2022-02-14", "2022-04-27"] {
        assert!(share(date) < 0.25, "{date}: water share {:.2}", share(date));
    }
    assert!(
        share("2022-10-25") > share("2022-09-30") - 0.05 || share("2022-10-18") > share("2022-11-17"),
        "rises and falls"
    );
    sen.run(&["check"]).expect(0);
}

#[test]
fn fields_flooded_for_sowing_in_thoai_son_are_paddy_water_and_no_flood() {
    let Some(sen) = ingested("thoaison") else { return };
    for date in [
        "2022-04-16",
        "2022-08-02",
        "2022-08-14",
        "2022-11-30",
        "2022-12-12",
    ] {
        let seen: Vec<_> = raster(&sen, "flood", week_of(date))
            .expect("radar looks")
            .into_iter()
            .filter(|v| *v < 6.0)
            .collect();
        let share = |class: f64| seen.iter().filter(|v| **v == class).count() as f64 / seen.len() as f64;
        let (paddy, flood) = (share(4.0), share(5.0));
        assert!(
            paddy > 0.1 && flood < 0.05,
            "{date}: paddy water {paddy:.2}, flood {flood:.2}"
        );
    }
}

#[test]
fn river_pixels_of_thot_not_stay_between_minus_one_and_one() {
    let Some(sen) = ingested("thotnot") else { return };
    let mut water = 0;
    let mut week = week_of("2022-01-03");
    while week <= week_of("2022-12-31") {
        for value in raster(&sen, "ndvi", week).unwrap_or_default() {
            assert!((-10_000.0..=10_000.0).contains(&value), "{week}: {value}");
            water += usize::from(value < 0.0);
        }
        week = week.next();
    }
    assert!(water > 5_000, "the river is there: {water} looks below zero");
    let autumn = raster(&sen, "flood", week_of("2022-10-13")).expect("radar looks");
    let river = autumn.iter().filter(|v| **v == 3.0).count() as f64 / autumn.len() as f64;
    assert!(
        river > 0.6,
        "permanent water on {river:.2} of the chips in the river"
    );
    let service = Service::start(&sen.data());
    let periods = service.json("/api/v1/periods/ndvi");
    assert!(
        periods["periods"].as_array().expect("periods").len() > 20,
        "{periods}"
    );
}

#[test]
fn other_real_scenes_are_described_in_a_few_lines() {
    let Some(india) = real_data("scenes/s2_india_parlakhemundi") else {
        return;
    };
    let Some(austria) = real_data("scenes/s2_austria_two_dates.tif") else {
        return;
    };
    let sen = Sen::new();
    fs::create_dir(sen.data()).expect("data folder");
    let text = r#"
[[geotiff]]
name = "india"
collection = "sentinel-2-l2a"
files = "{band}.tif"
bands = ["green", "red", "nir"]
datetime = "2023-01-15T05:00:00Z"
scale = 0.0001
offset = -1000
nodata = 0
"#;
    fs::write(sen.data().join("sen.toml"), text).expect("configuration");
    sen.ingest(&india, &[]).expect(0);
    let week = week_of("2023-01-15");
    let values = raster(&sen, "ndvi", week).expect("made");
    assert!(
        values.len() > 1_000_000,
        "1055 x 1050 pixels were seen: {}",
        values.len()
    );
    let got = median(values) / 10_000.0;
    assert!((0.2..0.8).contains(&got), "farmland and forest: {got}");

    let sen = Sen::new();
    fs::create_dir(sen.data()).expect("data folder");
    let text = r#"
[[geotiff]]
name = "first"
collection = "sentinel-2-l2a"
files = "s2_austria_two_dates.tif"
bands = ["red", "green", "blue", "nir", "_", "_", "_", "_"]
datetime = "2022-04-10T10:00:00Z"
scale = 0.0001
offset = 0

[[geotiff]]
name = "second"
collection = "sentinel-2-l2a"
files = "s2_austria_two_dates.tif"
bands = ["_", "_", "_", "_", "red", "green", "blue", "nir"]
datetime = "2022-07-10T10:00:00Z"
scale = 0.0001
offset = 0
"#;
    fs::write(sen.data().join("sen.toml"), text).expect("configuration");
    sen.ingest(&austria, &[]).expect(0);
    for date in ["2022-04-10", "2022-07-10"] {
        assert!(raster(&sen, "ndvi", week_of(date)).expect("made").len() > 200_000);
    }
}
