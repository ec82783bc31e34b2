//! A user without a provider of RTC drops a Sentinel-1 GRD product in, and the week's water is there.

use crate::harness::Sen;
use crate::scenes;
use made::{Made, NAME};
use sen_catalog::raster::Cog;
use sen_catalog::{Window, flood};
use std::path::Path;

#[path = "../../processing/src/source/sentinel1_grd/made.rs"]
#[allow(dead_code, reason = "the unit tests of the crate use the rest of it")]
mod made;

/// Writes a product: calm water left of column 120, land right of it, in decibel that real ones have.
fn product(folder: &Path, without: Option<&str>) {
    let made = Made::default();
    for (name, text) in made.texts(&["vv", "vh"]) {
        if without.is_some_and(|word| name.contains(word)) {
            continue;
        }
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    std::fs::create_dir_all(folder.join("measurement")).expect("made");
    for (name, water, land) in [("vv", 0.005, 0.15), ("vh", 0.001, 0.03)] {
        let numbers: Vec<u16> = (0..made.columns * made.lines)
            .map(|index| {
                let (line, pixel) = (index / made.columns, index % made.columns);
                // a little unevenness, as all ground has
                let uneven = 1.0 + 0.02 * ((line * 31 + pixel * 17) % 11) as f64;
                made.number(name, if pixel < 120 { water } else { land } * uneven, line, pixel)
            })
            .collect();
        let path = folder.join(Made::measurement(name));
        scenes::write::<u16>(&path, made.image_grid(), None, &numbers);
    }
}

#[test]
fn a_grd_product_becomes_a_week_of_water_and_a_broken_one_beside_it_is_named() {
    let sen = Sen::new();
    let source = sen.path("source");
    product(&source.join(format!("{NAME}.SAFE")), None);
    let answer = sen.ingest(&source, &["--json"]).expect(0).json();
    assert_eq!(answer["scenes"][0]["collection"], "sentinel-1-grd");
    assert_eq!(answer["scenes"][0]["new"], 1);
    sen.run(&["check"]).expect(0);

    let path = sen.asset("flood_observed/2026/flood_observed_2026-W34/flood_observed.tif");
    let water = Cog::open(&path).expect("the week was made");
    let class = |line: f64, pixel: f64| {
        let (x, y) = Made::place(line, pixel);
        let (column, row) = water.grid().cell(x, y).expect("on the grid");
        let one = Window {
            column,
            row,
            width: 1,
            height: 1,
        };
        water.read_window::<u8>(0, 0, one).expect("read")[0]
    };
    for (line, pixel) in [(20.0, 20.0), (100.0, 60.0), (180.0, 100.0)] {
        assert!(
            flood::is_water(class(line, pixel)),
            "{line} {pixel}: {}",
            class(line, pixel)
        );
    }
    for (line, pixel) in [(20.0, 140.0), (100.0, 180.0), (180.0, 220.0)] {
        assert_eq!(class(line, pixel), flood::NOT_WATER, "{line} {pixel}");
    }
    // the box around the slanted image holds places that nothing looked at
    let corner = water
        .read_window::<u8>(
            0,
            0,
            Window {
                column: 0,
                row: 0,
                width: 1,
                height: 1,
            },
        )
        .expect("read");
    assert_eq!(corner, [flood::NO_DATA]);

    let again = sen.ingest(&source, &["--json"]).expect(0).json();
    assert_eq!(
        (&again["scenes"][0]["new"], &again["scenes"][0]["known"]),
        (&0.into(), &1.into())
    );

    product(
        &sen.path("source/later")
            .join(format!("{}9.SAFE", &NAME[..NAME.len() - 1])),
        Some("noise-"),
    );
    let partly = sen.ingest(&source, &[]).expect(1).text();
    assert!(
        partly.contains("noise-s1a-iw-grd-v") && partly.contains("there is no such file"),
        "{partly}"
    );
}
