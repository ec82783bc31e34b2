use super::*;
use crate::coverage::tests::Dice;
use crate::raster::{CogProfile, CogWriter, Compression, Overviews};
use crate::statistic::StatisticTable;
use crate::{Bounds, Grid};
use geo_types::{LineString, Polygon};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn write<T: Pixel>(folder: &Path, grid: Grid, nodata: Option<f64>, block: usize, pixels: &[T]) -> PathBuf {
    let path = folder.join(format!("{block}.tif"));
    let profile = CogProfile {
        grid,
        data_type: T::DATA_TYPE,
        nodata,
        scale: 1.0,
        offset: 0.0,
        compression: Compression::Zstd(1),
        block,
        overviews: Overviews::Mode,
        description: String::new(),
    };
    let mut writer = CogWriter::create(&path, profile).expect("a new file");
    writer.write_rows(pixels).expect("rows");
    writer.finish().expect("whole");
    path
}

fn zone(polygons: &MultiPolygon<f64>, area_m2: f64, grid: &Grid) -> Zone {
    let projection = Projection::new(grid.crs, grid).expect("the same system");
    Zone::new(polygons, area_m2, &projection).expect("in the grid")
}

fn one(path: &Path, asset: &Asset, zones: &[Zone]) -> Vec<ZonalStatistic> {
    let cog = Cog::open(path).expect("a raster");
    statistics(&Layer::new(&cog, asset), zones, Options::default()).expect("statistics")
}

/// Polygons as GeoJSON nests them.
fn polygons(value: &Value) -> MultiPolygon<f64> {
    let ring = |ring: &Value| -> LineString<f64> {
        let points = ring.as_array().expect("points").iter();
        points
            .map(|point| (point[0].as_f64().expect("x"), point[1].as_f64().expect("y")))
            .collect()
    };
    let polygon = |rings: &Value| {
        let mut rings = rings.as_array().expect("rings").iter().map(ring);
        Polygon::new(rings.next().expect("exterior"), rings.collect())
    };
    value.as_array().expect("polygons").iter().map(polygon).collect()
}

/// Cases and numbers of exactextract 0.3.0; the polygons are ours.
#[test]
fn numbers_are_those_of_exactextract_0_3_0() {
    let oracle: Value = serde_json::from_str(include_str!("tests/exactextract.json")).expect("JSON");
    assert_eq!(oracle["exactextract"], "0.3.0");
    let grid = Grid::of_units(12, 12);
    let pixels: Vec<i16> = serde_json::from_value(oracle["values"].clone()).expect("pixels");
    let folder = tempfile::tempdir().expect("folder");
    let path = write(folder.path(), grid, Some(-32768.0), 16, &pixels);
    let cases = oracle["cases"].as_array().expect("cases");
    assert!(cases.len() >= 15);
    let zones: Vec<Zone> = cases
        .iter()
        .map(|case| zone(&polygons(&case["polygons"]), 1.0, &grid))
        .collect();
    for (case, own) in cases.iter().zip(one(&path, &Asset::new(""), &zones)) {
        let name = &case["name"];
        let shares = crate::coverage::shares(&polygons(&case["polygons"]), grid.crs, &grid, grid.window());
        let mut shares = shares.expect("shares");
        for cell in case["coverage"].as_array().expect("cells") {
            let (index, share) = (
                cell[0].as_u64().expect("cell") as usize,
                cell[1].as_f64().expect("share"),
            );
            assert!(
                (shares[index] - share).abs() < 1e-6,
                "{name}: cell {index}: {} for {share}",
                shares[index]
            );
            shares[index] = 0.0;
        }
        assert!(
            shares.iter().all(|&share| share < 1e-6),
            "{name}: cells that it does not touch"
        );
        for (key, own) in [
            ("count", Some(own.count)),
            ("mean", own.mean),
            ("min", own.min),
            ("max", own.max),
            ("stdev", own.stdev),
            ("median", own.median),
            ("quantile_10", own.p10),
            ("quantile_90", own.p90),
        ] {
            let (own, theirs) = (own.expect("a number"), case[key].as_f64().expect("a number"));
            // their shares are single precision
            let near = 1e-6 * theirs.abs().max(own.abs()).max(100.0);
            assert!((own - theirs).abs() < near, "{name}: {key} {own} for {theirs}");
        }
    }
}

#[test]
fn the_worked_example_of_the_documentation() {
    // exactextract's documentation: shares 0.5, 1, 0.25 of cells 1, 3, 4
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid::of_units(3, 1);
    let path = write(folder.path(), grid, None, 16, &[1_u16, 3, 4]);
    let strip = Polygon::new(
        LineString::from(vec![(0.5, 0.0), (2.25, 0.0), (2.25, 1.0), (0.5, 1.0)]),
        vec![],
    );
    let own = &one(&path, &Asset::new(""), &[zone(&strip.into(), 1.0, &grid)])[0];
    assert!((own.count - 1.75).abs() < 1e-12);
    assert!((own.mean.expect("a mean") - 4.5 / 1.75).abs() < 1e-12);
    assert!((own.stdev.expect("a spread") - 1.0497813).abs() < 1e-6);
    assert_eq!(
        (own.min, own.max, own.valid_fraction),
        (Some(1.0), Some(4.0), 1.0)
    );
}

#[test]
fn blocks_make_no_difference() {
    let mut dice = Dice(7);
    let grid = Grid::of_units(150, 130);
    let pixels: Vec<i16> = (0..150 * 130)
        .map(|_| {
            if dice.roll() < 0.1 {
                -32768
            } else {
                (dice.roll() * 400.0) as i16 - 100
            }
        })
        .collect();
    let folder = tempfile::tempdir().expect("folder");
    let small = write(folder.path(), grid, Some(-32768.0), 16, &pixels);
    let large = write(folder.path(), grid, Some(-32768.0), 256, &pixels);
    let zones: Vec<Zone> = (0..60)
        .map(|index| {
            let middle = (dice.roll() * 150.0, dice.roll() * 130.0);
            let radius = if index % 3 == 0 { 60.0 } else { 6.0 };
            let star = dice.star(middle, radius, 11);
            zone(&Polygon::new(star, vec![]).into(), 1e4, &grid)
        })
        .collect();
    let asset = Asset {
        scale: 0.01,
        offset: 3.0,
        ..Asset::new("")
    };
    for (a, b) in one(&small, &asset, &zones)
        .iter()
        .zip(one(&large, &asset, &zones))
    {
        for (a, b) in [
            (Some(a.count), Some(b.count)),
            (a.mean, b.mean),
            (a.stdev, b.stdev),
            (a.min, b.min),
            (a.max, b.max),
            (a.median, b.median),
            (a.p10, b.p10),
            (Some(a.valid_fraction), Some(b.valid_fraction)),
        ] {
            let (a, b) = (a.expect("seen"), b.expect("seen"));
            assert!((a - b).abs() < 1e-10 * a.abs().max(1.0), "{a} and {b}");
        }
    }
    // and neither does the number of threads: to the last bit
    let alone = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    assert_eq!(
        alone.install(|| one(&small, &asset, &zones)),
        one(&small, &asset, &zones)
    );
}

#[test]
fn classes_and_what_was_not_seen_add_up_to_the_zone() {
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid::of_units(4, 4);
    // dry, water, cloud, nothing
    let path = write(
        folder.path(),
        grid,
        Some(255.0),
        16,
        &[0_u8, 1, 253, 255].repeat(4),
    );
    let whole = Polygon::new(
        LineString::from(vec![(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)]),
        vec![],
    );
    // half of it outside the raster
    let half_out = Polygon::new(
        LineString::from(vec![(-4.0, 0.0), (4.0, 0.0), (4.0, 4.0), (-4.0, 4.0)]),
        vec![],
    );
    let nowhere = Polygon::new(
        LineString::from(vec![(9.0, 9.0), (10.0, 9.0), (10.0, 10.0)]),
        vec![],
    );
    let zones = [whole, half_out, nowhere].map(|polygon| zone(&polygon.into(), 123_456.0, &grid));
    let own = one(&path, &Asset::new(""), &zones);
    assert_eq!(own[0].valid_fraction, 0.5);
    assert_eq!(
        own[0].classes,
        BTreeMap::from([(0, 12.3456 / 4.0), (1, 12.3456 / 4.0)])
    );
    assert_eq!((own[0].mean, own[0].count), (Some(0.5), 8.0));
    assert_eq!(own[1].valid_fraction, 0.25);
    assert_eq!(own[1].classes[&1], 12.3456 / 8.0);
    assert_eq!(
        own[2],
        ZonalStatistic {
            area_ha: 12.3456,
            ..ZonalStatistic::default()
        }
    );
}

#[test]
fn negative_scales_turn_the_order_round() {
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid::of_units(5, 1);
    let path = write(folder.path(), grid, None, 16, &[1_u8, 2, 3, 4, 9]);
    let strip = Polygon::new(
        LineString::from(vec![(0.0, 0.0), (5.0, 0.0), (5.0, 1.0), (0.0, 1.0)]),
        vec![],
    );
    let asset = Asset {
        scale: -1.0,
        ..Asset::new("")
    };
    let own = &one(&path, &asset, &[zone(&strip.into(), 1.0, &grid)])[0];
    assert_eq!((own.min, own.max, own.mean), (Some(-9.0), Some(-1.0), Some(-3.8)));
    // numpy.percentile([-9, -4, -3, -2, -1], [10, 50, 90]) (numpy 2.4) is -7, -3, -1.4: equal weights
    let near = |own: Option<f64>, expected: f64| (own.expect("a number") - expected).abs() < 1e-9;
    assert!(
        near(own.p10, -7.0) && near(own.median, -3.0) && near(own.p90, -1.4),
        "{own:?}"
    );
}

#[test]
fn holes_in_float_rasters_are_no_values() {
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid::of_units(4, 1);
    let path = write(folder.path(), grid, None, 16, &[1.5_f32, f32::NAN, 2.5, -9999.0]);
    let strip = Polygon::new(
        LineString::from(vec![(0.0, 0.0), (4.0, 0.0), (4.0, 1.0), (0.0, 1.0)]),
        vec![],
    );
    let asset = Asset {
        nodata: Some(-9999.0),
        ..Asset::new("")
    };
    let own = &one(&path, &asset, &[zone(&strip.into(), 1.0, &grid)])[0];
    assert_eq!((own.count, own.mean, own.valid_fraction), (2.0, Some(2.0), 0.5));
    assert!(own.classes.is_empty());
}

#[test]
fn large_zones_of_float_rasters_hold_bounded_values() {
    let mut values = Values::default();
    let cells: Vec<(f32, f64)> = (0..3_000_000_u32).map(|i| (1.0 + i as f32 / 3e6, 1.0)).collect();
    for piece in cells.chunks(250_000) {
        values.merge(Values::of(piece));
    }
    values.settle();
    assert!(values.entries().len() <= 1 << 20, "{}", values.entries().len());
    let median = values.quantile(0.5).expect("a median");
    assert!((median - 1.5).abs() < 1e-5, "{median}");
}

#[test]
fn work_that_is_stopped_ends() {
    let folder = tempfile::tempdir().expect("folder");
    let grid = Grid::of_units(4, 1);
    let path = write(folder.path(), grid, None, 16, &[1_u8; 4]);
    let strip = Polygon::new(LineString::from(vec![(0.0, 0.0), (4.0, 0.0), (4.0, 1.0)]), vec![]);
    let cog = Cog::open(&path).expect("a raster");
    let stop = AtomicBool::new(true);
    let options = Options {
        cancelled: Some(&stop),
        ..Options::default()
    };
    let zones = [zone(&strip.into(), 1.0, &grid)];
    assert!(statistics(&Layer::new(&cog, &Asset::new("")), &zones, options).is_err());
}

#[test]
fn plots_roll_up_to_what_one_zone_of_them_would_say() {
    let mut dice = Dice(99);
    let grid = Grid::of_units(64, 64);
    let pixels: Vec<u8> = (0..64 * 64)
        .map(|_| {
            if dice.roll() < 0.2 {
                255
            } else {
                (dice.roll() * 3.0) as u8
            }
        })
        .collect();
    let folder = tempfile::tempdir().expect("folder");
    let path = write(folder.path(), grid, Some(255.0), 16, &pixels);
    let rectangle = |b: Bounds| {
        let corners = vec![
            (b.west, b.south),
            (b.east, b.south),
            (b.east, b.north),
            (b.west, b.north),
        ];
        zone(
            &Polygon::new(LineString::from(corners), vec![]).into(),
            (b.east - b.west) * (b.north - b.south),
            &grid,
        )
    };
    // sixteen plots that share edges, cut through cells
    let side = 13.37;
    let mut zones: Vec<Zone> = (0..16)
        .map(|index| {
            let (x, y) = (
                1.1 + f64::from(index % 4) * side,
                2.3 + f64::from(index / 4) * side,
            );
            rectangle(Bounds::new(x, y, x + side, y + side))
        })
        .collect();
    zones.push(rectangle(Bounds::new(
        1.1,
        2.3,
        1.1 + 4.0 * side,
        2.3 + 4.0 * side,
    )));
    let own = one(&path, &Asset::new(""), &zones);
    let rolled = roll_up(&own[..16]);
    let commune = &own[16];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * a.abs().max(1.0);
    assert_eq!((rolled.parts, rolled.parts_seen), (16, 16));
    assert!(near(rolled.count, commune.count));
    assert!(near(rolled.mean.expect("a mean"), commune.mean.expect("a mean")));
    assert!(near(
        rolled.stdev.expect("a spread"),
        commune.stdev.expect("a spread")
    ));
    assert!(near(rolled.area_ha, commune.area_ha));
    for (class, hectares) in &commune.classes {
        assert!(near(rolled.classes[class], *hectares));
    }
    let sum: f64 = rolled.classes.values().sum();
    assert!(
        near(sum + rolled.unseen_ha, rolled.area_ha),
        "the last square metre"
    );
    assert_eq!(roll_up(&[]), RollUp::default());
    // and out of the table of the week
    let rows: Vec<_> = (1..)
        .zip(&own)
        .map(|(fid, own)| (fid, format!("P{fid}"), own.clone()))
        .collect();
    let path = folder.path().join("table.arrow");
    StatisticTable::write(&path, &rows, &BTreeMap::new()).expect("written");
    let table = StatisticTable::open(&path).expect("a table");
    let fids: Vec<i64> = (1..=16).collect();
    assert_eq!(roll_up_table(&table, &fids).expect("read"), rolled);
    assert_eq!(roll_up_table(&table, &[500]).expect("read"), RollUp::default());
    table.load().expect("read");
    assert_eq!(roll_up_table(&table, &fids).expect("read"), rolled);
}
