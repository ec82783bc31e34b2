//! A made river whose banks are known to the cell, and a real water mask counted independently.

use super::*;
use geo_types::{LineString, polygon};
use sen_catalog::crs::Transform;
use sen_catalog::{Crs, Grid};
use std::path::Path;

const RULES: Rules = Rules {
    length_m: 1000.0,
    width_m: 60.0,
    within_m: 400.0,
};

fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 560_000.0,
        north: 1_152_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 300,
        height: 200,
    }
}

fn mask(water: impl Fn(usize, usize) -> bool) -> Mask {
    let grid = grid();
    let cell = |index: usize| {
        if water(index % grid.width, index / grid.width) {
            Cell::Water
        } else {
            Cell::Land
        }
    };
    Mask {
        cells: (0..grid.width * grid.height).map(cell).collect(),
        cell_m: grid.cell_width,
        grid,
        made_of: "made".into(),
        time: "made".into(),
    }
}

/// A river of 30 columns from top to bottom, and a pond far from it.
fn early(column: usize, row: usize) -> bool {
    (100..130).contains(&column) || ((250..260).contains(&column) && (20..30).contains(&row))
}

/// The right bank has lost three columns in rows 40 to 89; the left one gained two in rows 120 to 159. The pond is gone,
/// a canal one cell wide is new.
fn late(column: usize, row: usize) -> bool {
    let eroded = (130..133).contains(&column) && (40..90).contains(&row);
    let accreted = (100..102).contains(&column) && (120..160).contains(&row);
    let canal = row == 110 && column < 100;
    ((100..130).contains(&column) || eroded || canal) && !accreted
}

/// Rows of the grid as a polygon in degrees.
fn rows(code: &str, top: f64, bottom: f64) -> Feature {
    let to_degrees = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known systems");
    let place = |x: f64, row: f64| {
        to_degrees
            .point(grid().west + x, grid().north - row * 10.0)
            .expect("there")
    };
    let (a, b, c, d) = (
        place(500.0, top),
        place(2000.0, top),
        place(2000.0, bottom),
        place(500.0, bottom),
    );
    Feature::new(
        "reaches",
        code,
        polygon![a.into(), b.into(), c.into(), d.into()].into(),
    )
}

#[test]
fn the_banks_of_a_made_river_are_known_to_the_cell() {
    let layer = [rows("upper", 0.0, 100.0), rows("lower", 100.0, 200.0)];
    let found = compare(&mask(early), &mask(late), Some(&layer), &RULES).expect("compared");
    let [upper, lower] = [&found[0].1, &found[1].1];
    // by hand: 50 x 3 cells; two banks of 100 rows; 15,000 m2 / 2,000 m
    assert_eq!(upper.change, Verdict::Erosion);
    assert!(
        (upper.eroded_ha - 1.5).abs() < 1e-9 && upper.accreted_ha == 0.0,
        "{upper:?}"
    );
    assert!((upper.bank_m - 2000.0).abs() < 1e-6, "{upper:?}");
    assert!((upper.retreat_mean_m - 7.5).abs() < 1e-6 && (upper.retreat_max_m - 30.0).abs() < 1e-6);
    // by hand: 40 x 2 cells gained, the canal's 50 cells within the polygon lost; the last row has no square of four
    assert_eq!(lower.change, Verdict::Both);
    assert!(
        (lower.accreted_ha - 0.8).abs() < 1e-9 && (lower.eroded_ha - 0.5).abs() < 1e-9,
        "{lower:?}"
    );
    assert!((lower.bank_m - 1980.0).abs() < 1e-6 && (lower.advance_max_m - 20.0).abs() < 1e-6);
    assert!((lower.advance_mean_m - 8000.0 / 1980.0).abs() < 1e-6);
    assert_eq!((upper.min_detectable_m, upper.seen_share), (10.0, 1.0));
}

#[test]
fn reaches_are_found_along_the_river_and_nothing_else_is_measured() {
    let found = compare(&mask(early), &mask(late), None, &RULES).expect("compared");
    assert_eq!(found.len(), 2, "2 km in reaches of 1 km: {found:?}");
    let sum = |of: fn(&Change) -> f64| found.iter().map(|(_, change)| of(change)).sum::<f64>();
    // 150 cells of bank, and the mouth of the canal as far as half the least width of a river
    let mouth = sum(|change| change.eroded_ha) - 1.5;
    assert!((0.0..=0.06).contains(&mouth), "{mouth}");
    assert!(
        (sum(|change| change.accreted_ha) - 0.8).abs() < 1e-9,
        "the pond is no river"
    );
    assert!((sum(|change| change.bank_m) - 3980.0).abs() < 1e-6);
    for (reach, _) in &found {
        let geo_types::Geometry::LineString(LineString(line)) = &reach.geometry else {
            panic!("a line");
        };
        // the middle of the river, column 115; it is 150 m to both banks
        let (lon, _) = Transform::new(Crs::UTM_48N, Crs::WGS84)
            .expect("known")
            .point(grid().west + 1150.0, grid().north - 1000.0)
            .expect("there");
        assert!(
            line.len() >= 4 && line.iter().all(|c| (c.x - lon).abs() < 1.3e-3),
            "{line:?}"
        );
    }
    let nowhere = compare(
        &mask(early),
        &mask(late),
        None,
        &Rules {
            width_m: 500.0,
            ..RULES
        },
    );
    assert!(nowhere.expect_err("none").to_string().contains("--river-width"));
}

#[test]
fn lines_take_the_banks_near_them() {
    let to_degrees = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known");
    let line = |code: &str, from: f64, to: f64| {
        let place = |row: f64| {
            to_degrees
                .point(grid().west + 1150.0, grid().north - row * 10.0)
                .expect("there")
        };
        Feature::new(
            "lines",
            code,
            LineString::from(vec![place(from), place(to)]).into(),
        )
    };
    let layer = [line("a", 0.0, 100.0), line("b", 100.0, 200.0)];
    let found = compare(&mask(early), &mask(late), Some(&layer), &RULES).expect("compared");
    assert!((found[0].1.eroded_ha - 1.5).abs() < 1e-9, "{found:?}");
    assert!((found[1].1.accreted_ha - 0.8).abs() < 1e-9, "{found:?}");
}

#[test]
fn a_shift_of_one_pixel_is_no_erosion_and_the_unseen_is_not_judged() {
    let layer = [rows("all", 0.0, 200.0)];
    let shifted = mask(|column, row| column > 0 && early(column - 1, row));
    let found = compare(&mask(early), &shifted, Some(&layer), &RULES).expect("compared");
    let change = &found[0].1;
    assert_eq!(change.change, Verdict::None);
    assert!(
        (change.eroded_ha - 2.0).abs() < 1e-9 && (change.retreat_max_m - 10.0).abs() < 1e-6,
        "{change:?}"
    );

    let mut clouded = mask(late);
    for cell in &mut clouded.cells[..300 * 120] {
        *cell = Cell::Unseen;
    }
    let found = compare(&mask(early), &clouded, Some(&layer), &RULES).expect("compared");
    assert_eq!(found[0].1.change, Verdict::Unseen);
    let feature = &features("banks", &found, &mask(early), &clouded)[0];
    assert_eq!(feature.properties["eroded_ha"], Value::Null);
    assert_eq!(feature.properties["change"], "unseen");
}

#[test]
fn a_new_island_is_gained_land_but_no_advance_of_a_bank() {
    let layer = [rows("all", 0.0, 200.0)];
    let island =
        mask(|column, row| early(column, row) && !((110..120).contains(&column) && (50..60).contains(&row)));
    let found = compare(&mask(early), &island, Some(&layer), &RULES).expect("compared");
    assert!((found[0].1.accreted_ha - 1.0).abs() < 1e-9 && found[0].1.advance_max_m == 0.0);
}

#[test]
fn a_real_water_mask_moved_by_two_pixels_gives_what_was_counted_independently() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/water/ga_ls_wofs_3_090081_1993_01_05_interim_water_clipped.tif");
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return;
    }
    let values = Values {
        water: vec![128.0],
        land: vec![0.0],
    };
    let before = Mask::of_raster(&path.display().to_string(), &values, None).expect("read");
    let count = |cell: Cell| before.cells.iter().filter(|own| **own == cell).count();
    // the counts of SOURCES.md and of Python 3.11 over the pixels
    assert_eq!((count(Cell::Water), count(Cell::Land)), (12_789, 672_157));
    let width = before.grid.width;
    let mut after = before.clone();
    for (index, cell) in after.cells.iter_mut().enumerate() {
        let from = (index % width >= 2).then(|| before.cells[index - 2]);
        *cell = from.unwrap_or(Cell::Unseen);
    }
    let bounds = before.grid.lon_lat_bounds().expect("on earth");
    let (w, s, e, n) = (
        bounds.west - 1.0,
        bounds.south - 1.0,
        bounds.east + 1.0,
        bounds.north + 1.0,
    );
    let all = polygon![(x: w, y: s), (x: e, y: s), (x: e, y: n), (x: w, y: n)];
    let layer = [Feature::new("all", "all", all.into())];
    let found = compare(&before, &after, Some(&layer), &RULES).expect("compared");
    let change = &found[0].1;
    // Python 3.11, cell by cell
    assert!((change.eroded_ha - 1469.0 * 0.09).abs() < 1e-6, "{change:?}");
    assert!((change.accreted_ha - 1517.0 * 0.09).abs() < 1e-6, "{change:?}");
    assert!((change.bank_m - 74_907.727).abs() < 0.1, "{change:?}");
    // moved to the right by two pixels: no bank can be farther than that from where it was
    assert!(change.retreat_max_m <= 60.0 + 1e-6 && change.retreat_max_m > 30.0);
}
