//! Against published figures: FWI of cffdrs, the sequence of index P, codes of Global Forest Watch, times of FIRMS.

mod days;
mod hotspots;
mod series;

use super::danger::{Level, index_p, saturation_pressure_hpa};
use super::fwi::{START, Weather};
use super::{FireSettings, alert};
use std::path::{Path, PathBuf};

/// A file of the real data that lie beside the project; none, with a word, where they do not.
fn real(path: &str) -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: {} is not there", file.display());
    None
}

#[test]
fn p_follows_the_published_sequence() {
    // computed with es(0) = 6.1078 hPa and 5 mm of rain (science notes, section 8), to the digits given
    assert!((saturation_pressure_hpa(30.0) - 42.426_348).abs() < 5e-7);
    let days = [
        (33.0, 55.0, 0.0, 746.897),
        (34.0, 50.0, 0.0, 1651.072),
        (34.5, 48.0, 2.0, 2632.128),
        (35.0, 45.0, 4.9, 3714.374),
        (35.5, 44.0, 5.0, 0.0),
        (36.0, 42.0, 0.0, 1240.340),
        (33.0, 65.0, 12.4, 0.0),
        (34.0, 58.0, 0.0, 759.507),
        (36.5, 40.0, 6.0, 0.0),
        (37.0, 38.0, 0.0, 1439.277),
    ];
    let mut p = 0.0;
    for (day, (t, rh, rain, expected)) in days.into_iter().enumerate() {
        p = index_p(p, t, rh, rain, 5.0);
        assert!((p - expected).abs() < 5e-4, "day {day}: {p} for {expected}");
    }
    // the same sixth millimetre does not break the sum where the province says seven
    let kept = index_p(759.507, 36.5, 40.0, 6.0, 7.0);
    assert!((kept - 2096.553).abs() < 1e-3, "{kept}");
}

#[test]
fn levels_begin_above_the_bounds_of_the_table() {
    let hue = FireSettings::default().levels;
    let of = |p: f64| Level::of(p, &hue).roman();
    let levels = [0.0, 5000.0, 5001.0, 10_000.0, 15_001.0, 20_000.0, 20_001.0].map(of);
    assert_eq!(levels, ["I", "I", "II", "II", "IV", "IV", "V"]);
    assert_eq!(Level::of(10_001.0, &[1000.0, 2500.0, 5000.0, 10_000.0]), Level::V);
    let broken = FireSettings {
        levels: [1.0, 3.0, 2.0, 4.0],
        ..FireSettings::default()
    };
    let said = broken.check().expect_err("refused").to_string();
    assert!(said.contains("fire.levels"), "{said}");
}

#[test]
fn fwi_of_48_days_is_that_of_cffdrs() {
    // cffdrs_r 1.10.0, tests/testthat/data/fwi_01.csv: four significant digits
    let Some(path) = real("vectors/fwi_01.csv") else {
        return;
    };
    let mut reader = csv::Reader::from_path(path).expect("the table");
    let mut codes = START;
    let mut days = 0;
    for row in reader.deserialize::<Vec<f64>>() {
        let row = row.expect("numbers");
        let weather = Weather {
            temperature_c: row[5],
            humidity_percent: row[6],
            wind_km_h: row[7],
            rain_mm: row[8],
        };
        codes = codes.next(&weather, row[3] as u32, row[1]);
        let index = codes.index(weather.wind_km_h);
        let ours = [
            codes.ffmc, codes.dmc, codes.dc, index.isi, index.bui, index.fwi, index.dsr,
        ];
        for (name, (ours, theirs)) in ["ffmc", "dmc", "dc", "isi", "bui", "fwi", "dsr"]
            .into_iter()
            .zip(ours.into_iter().zip(&row[9..16]))
        {
            // half a unit of the fourth digit, which for 1... is 5e-4 of the value
            let relative = (ours - theirs).abs() / theirs;
            assert!(
                relative < 6e-4,
                "{}-{} {name}: {ours} for {theirs}",
                row[3],
                row[4]
            );
        }
        days += 1;
    }
    assert_eq!(days, 48);
}

#[test]
fn fwi_of_the_delta_uses_the_day_lengths_of_its_latitude() {
    // a run at 10.5 N by an independent port of cffdrs
    let days: [(u32, f64, f64, f64, f64); 8] = [
        (2, 33.0, 55.0, 8.0, 0.0),
        (2, 34.0, 50.0, 10.0, 0.0),
        (2, 34.5, 48.0, 9.0, 0.0),
        (3, 35.0, 45.0, 12.0, 0.0),
        (3, 35.5, 44.0, 11.0, 0.0),
        (3, 36.0, 42.0, 14.0, 0.0),
        (3, 33.0, 65.0, 9.0, 12.4),
        (3, 34.0, 58.0, 8.0, 0.0),
    ];
    let expected = [
        (0, [88.1652, 8.4413, 22.1440, 4.9265, 8.6445, 4.9394]),
        (1, [89.5364, 11.2335, 29.4680, 6.6345, 11.5037, 7.6012]),
        (6, [69.4989, 13.2553, 46.7051, 0.9685, 15.5076, 0.7507]),
        (7, [85.6374, 15.7403, 54.0291, 3.4411, 18.2145, 5.2860]),
    ];
    let mut codes = START;
    for (day, (month, t, h, w, r)) in days.into_iter().enumerate() {
        let weather = Weather {
            temperature_c: t,
            humidity_percent: h,
            wind_km_h: w,
            rain_mm: r,
        };
        codes = codes.next(&weather, month, 10.5);
        let index = codes.index(w);
        let ours = [codes.ffmc, codes.dmc, codes.dc, index.isi, index.bui, index.fwi];
        if let Some((_, theirs)) = expected.iter().find(|(number, _)| *number == day) {
            for (ours, theirs) in ours.iter().zip(theirs) {
                assert!((ours - theirs).abs() < 6e-5, "day {day}: {ours} for {theirs}");
            }
        }
    }
}

#[test]
fn alerts_of_global_forest_watch_are_read_from_their_codes() {
    use alert::Confidence::{High, Highest, Low};
    for (code, day, confidence) in [
        (20_001, "2015-01-01", Low),
        (30_055, "2015-02-24", High),
        (21_847, "2020-01-21", Low),
        (41_847, "2020-01-21", Highest),
    ] {
        let alert = alert::decode(code).expect("a code").expect("an alert");
        assert_eq!(
            (alert.day.to_string().as_str(), alert.confidence),
            (day, confidence)
        );
    }
    assert_eq!(alert::decode(0).expect("no alert"), None);
    for wrong in [1, 9999, 10_055, 20_000, 50_001, 255_000] {
        let said = alert::decode(wrong).expect_err("refused").to_string();
        assert!(said.contains(&wrong.to_string()), "{said}");
    }
}
