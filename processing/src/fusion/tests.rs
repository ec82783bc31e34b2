//! Stations, their weeks, and what becomes of them, on made-up data.

use super::*;
use crate::run::Silent;
use chrono::{DateTime, TimeDelta, Utc};
use geo_types::{Geometry, Point};
use sen_catalog::object::sum_file;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::raster::{Cog, CogProfile, CogWriter, Compression, DataType, Overviews};
use sen_catalog::run::{Dataset, StepReport, StepStatus, Unit};
use sen_catalog::store::SqliteStore;
use sen_catalog::{Asset, Assets, Crs, Feature, Grid, Item, Period, Store, Window};
use std::collections::BTreeMap;
use std::sync::Arc;

fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 550_000.0,
        north: 1_171_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 2000,
        height: 2000,
    }
}

fn week(text: &str) -> Period {
    text.parse().expect("a week")
}

/// A station at the centre of a cell of 100 m, by column and row of these.
async fn station(store: &dyn Store, code: &str, column: u32, row: u32) -> (f64, f64) {
    let (x, y) = (
        550_050.0 + 100.0 * f64::from(column),
        1_170_950.0 - 100.0 * f64::from(row),
    );
    let back = sen_catalog::crs::Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known systems");
    let (lon, lat) = back.point(x, y).expect("a place");
    let feature = Feature::new("stations", code, Geometry::Point(Point::new(lon, lat)));
    store.put_features(vec![feature]).await.expect("put");
    (x, y)
}

async fn stream(store: &dyn Store, station: &str, property: &str, unit: &str) -> i64 {
    let datastream = Datastream {
        id: 0,
        station: station.into(),
        property: property.into(),
        unit: unit.into(),
        name: format!("{property} at {station}"),
    };
    store.put_datastream(&datastream).await.expect("put")
}

/// Hourly values around a level through a week, one of them a spike that failed its test.
async fn measure(store: &dyn Store, datastream: i64, week: Period, level: f64) {
    let start: DateTime<Utc> = week.interval().start;
    let observation = |hour: i64| Observation {
        datastream,
        time: start + TimeDelta::hours(hour),
        value: Some(if hour == 50 {
            99.0
        } else {
            level + 0.1 * ((hour % 3) - 1) as f64
        }),
        flag: if hour == 50 { Flag::Fail } else { Flag::Good },
    };
    store
        .put_observations((0..168).map(observation).collect())
        .await
        .expect("put");
}

fn surfaces<'a>(store: &Arc<dyn Store>, assets: &Assets, settings: &'a FusionSettings) -> Surfaces<'a> {
    Surfaces {
        store: Arc::clone(store),
        assets: assets.clone(),
        grid: grid(),
        code_version: "test".into(),
        settings,
    }
}

async fn run(maker: &Surfaces<'_>, weeks: &[Period]) -> StepReport {
    let mut report = StepReport::new("surfaces");
    let surfaces = maker.settings.surfaces.iter();
    let units = surfaces.flat_map(|surface| {
        weeks.iter().map(|week| Unit {
            dataset: Dataset::Collection(surface.property.clone()),
            period: Some(*week),
        })
    });
    let run = maker
        .make_units(&units.collect::<Vec<_>>(), &mut report, &Silent)
        .await;
    run.expect("the stations are read");
    report
}

#[tokio::test]
async fn a_week_of_gauges_becomes_a_surface_once() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
    let (first, second) = (week("2026-W34"), week("2026-W35"));
    let mut samples = Vec::new();
    for (code, column, row, level) in [("A", 10, 20, 1.2), ("B", 150, 60, 2.0), ("C", 80, 180, 0.7)] {
        let (x, y) = station(store.as_ref(), code, column, row).await;
        samples.push(Sample { x, y, value: level });
        let levels = stream(store.as_ref(), code, "water_level", "m").await;
        measure(store.as_ref(), levels, first, level).await;
        let salt = stream(store.as_ref(), code, "salinity", "g/L").await;
        measure(store.as_ref(), salt, first, level).await;
    }
    let settings = FusionSettings::default();
    let maker = surfaces(&store, &assets, &settings);
    let report = run(&maker, &[first, second]).await;
    let counts: Vec<_> = report
        .counts()
        .into_iter()
        .map(|(dataset, counts)| (dataset.to_string(), counts.made, counts.no_input))
        .collect();
    assert_eq!(
        counts,
        [
            ("collection/water_level".to_owned(), 1, 1),
            ("collection/salinity".to_owned(), 1, 1)
        ]
    );

    let item = store
        .item("water_level", "water_level_2026-W34")
        .await
        .expect("asked")
        .expect("there");
    assert_eq!(item.grid.cell_width, 100.0);
    assert_eq!(item.lineage, ["stations/A", "stations/B", "stations/C"]);
    assert_eq!(
        item.properties["sen:stations"]["A"]["observations"], 167,
        "the spike is left out"
    );
    assert_eq!(
        item.properties["sen:variogram"],
        serde_json::json!({"model": "spherical", "psill": 0.6, "range_m": 60_000.0, "nugget": 0.02, "fitted": false})
    );
    let cog = Cog::open(&assets.path(&item.assets["water_level"].href)).expect("opens");
    let variance = Cog::open(&assets.path(&item.assets["variance"].href)).expect("opens");
    let at = |column: usize, row: usize| {
        let window = Window {
            column,
            row,
            width: 1,
            height: 1,
        };
        let value = cog.read_window::<i16>(0, 0, window).expect("reads")[0];
        let variance = variance.read_window::<f32>(0, 0, window).expect("reads")[0];
        (f64::from(value) * 0.001, f64::from(variance))
    };
    for (column, row, level) in [(10, 20, 1.2), (150, 60, 2.0), (80, 180, 0.7)] {
        let (value, variance) = at(column, row);
        assert!(
            (value - level).abs() < 0.0011 && variance < 1e-3,
            "{value} {variance}"
        );
    }
    let variogram = Variogram::Spherical {
        psill: 0.6,
        range: 60_000.0,
        nugget: 0.02,
    };
    let kriging = Kriging::new(&samples, variogram).expect("solvable");
    let between = kriging
        .at(550_050.0 + 100.0 * 90.0, 1_170_950.0 - 100.0 * 90.0)
        .expect("an answer");
    let (value, variance) = at(90, 90);
    assert!((value - between.value).abs() < 0.0011, "{value} {between:?}");
    assert!(
        (variance - between.variance).abs() < 1e-4,
        "{variance} {between:?}"
    );

    // the surface by inverse distances: the numbers of the function itself at a station, between them and in a corner
    let inverse = Cog::open(&assets.path(&item.assets["idw"].href)).expect("opens");
    assert_eq!(inverse.grid(), cog.grid());
    assert_eq!(item.assets["idw"].unit, item.assets["water_level"].unit);
    for (column, row) in [(10, 20), (90, 90), (40, 150), (199, 0)] {
        let window = Window {
            column,
            row,
            width: 1,
            height: 1,
        };
        let value = inverse.read_window::<i16>(0, 0, window).expect("reads")[0];
        let (x, y) = (
            550_050.0 + 100.0 * column as f64,
            1_170_950.0 - 100.0 * row as f64,
        );
        let expected = super::idw::idw(&samples, x, y, super::idw::POWER, super::idw::NEIGHBOURS);
        let expected = expected.expect("there are stations");
        assert!(
            (f64::from(value) * 0.001 - expected).abs() < 0.0011,
            "{value} {expected} at {column}, {row}"
        );
    }
    assert!(
        item.to_stac(str::to_owned)["assets"]["idw"]["description"]
            .as_str()
            .is_some_and(|text| text.contains("no variance")),
        "its description says that it has none"
    );

    let revision = store.revision().await.expect("asked");
    let again = run(&maker, &[first, second]).await;
    let total = again.total();
    assert_eq!(
        (total.made, total.up_to_date, total.failed),
        (0, 2, 0),
        "{again:?}"
    );
    assert_eq!(
        store.revision().await.expect("asked"),
        revision,
        "nothing changed"
    );
    let levels = stream(store.as_ref(), "A", "water_level", "m").await;
    measure(store.as_ref(), levels, first, 1.5).await;
    let anew = run(&maker, &[first]).await;
    assert_eq!(
        anew.counts()
            .iter()
            .map(|(_, counts)| counts.made)
            .collect::<Vec<_>>(),
        [1, 0],
        "one property has new values"
    );
}

#[tokio::test]
async fn the_variogram_that_was_fitted_to_many_gauges_is_kept_with_its_surface() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
    let mut samples = Vec::new();
    for (index, code) in ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L"]
        .iter()
        .enumerate()
    {
        let (column, row) = (index as u32 % 4 * 50 + 5, index as u32 / 4 * 60 + 7);
        let level = 1.0 + f64::from(column) / 100.0 + 0.05 * f64::from(row % 13);
        let (x, y) = station(store.as_ref(), code, column, row).await;
        samples.push(Sample { x, y, value: level });
        let levels = stream(store.as_ref(), code, "water_level", "m").await;
        measure(store.as_ref(), levels, week("2026-W34"), level).await;
    }
    let settings = FusionSettings::default();
    let maker = surfaces(&store, &assets, &settings);
    assert!(run(&maker, &[week("2026-W34")]).await.is_complete());
    let item = store
        .item("water_level", "water_level_2026-W34")
        .await
        .expect("asked")
        .expect("there");
    let Some(Variogram::Spherical { psill, range, nugget }) = Variogram::fit(&samples) else {
        panic!("twelve gauges bear a variogram");
    };
    let kept = &item.properties["sen:variogram"];
    assert_eq!(
        (&kept["model"], &kept["fitted"]),
        (&"spherical".into(), &true.into())
    );
    // stations lie on a projection there and back
    for (name, expected) in [("psill", psill), ("range_m", range), ("nugget", nugget)] {
        let got = kept[name].as_f64().expect("a number");
        assert!(
            (got - expected).abs() <= 1e-6 * expected.max(1e-3),
            "{name}: {got} {expected}"
        );
    }
}

#[tokio::test]
async fn nothing_is_said_beyond_half_the_range() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let assets = Assets::open(folder.path()).expect("assets");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
    station(store.as_ref(), "A", 10, 10).await;
    let levels = stream(store.as_ref(), "A", "water_level", "m").await;
    measure(store.as_ref(), levels, week("2026-W34"), 1.0).await;
    let mut settings = FusionSettings::default();
    settings.surfaces[0].range_m = 10_000.0;
    let maker = surfaces(&store, &assets, &settings);
    assert!(run(&maker, &[week("2026-W34")]).await.is_complete());
    let item = store
        .item("water_level", "water_level_2026-W34")
        .await
        .expect("asked")
        .expect("there");
    let cog = Cog::open(&assets.path(&item.assets["water_level"].href)).expect("opens");
    let values = cog.read_window::<i16>(0, 0, cog.grid().window()).expect("reads");
    // a circle of 5 km around the eleventh cell of 100 m of the eleventh row
    for (index, value) in values.iter().enumerate() {
        let (column, row) = ((index % 200) as f64 - 10.0, (index / 200) as f64 - 10.0);
        let distance = column.hypot(row);
        if (distance - 50.0).abs() < 0.01 {
            // on the circle itself the last digit of a projection decides
            continue;
        }
        let inside = distance < 50.0;
        assert_eq!(*value != i16::MIN, inside, "cell {index}");
        assert!(!inside || *value == 1000);
    }
    let inverse = Cog::open(&assets.path(&item.assets["idw"].href)).expect("opens");
    let inverse = inverse
        .read_window::<i16>(0, 0, inverse.grid().window())
        .expect("reads");
    assert_eq!(
        inverse, values,
        "of one station both say the same, as far as each other"
    );

    settings.surfaces[0].range_m = -1.0;
    let maker = surfaces(&store, &assets, &settings);
    let report = run(&maker, &[week("2026-W34")]).await;
    let (unit, reason) = report.failed().next().expect("refused");
    assert!(
        unit.to_string() == "collection/water_level 2026-W34" && reason.contains("water_level"),
        "{report:?}"
    );
}

/// A weekly raster of one value, seen on the last day of the week.
async fn raster(store: &dyn Store, assets: &Assets, week: Period, value: f64) {
    let grid = Grid {
        width: 64,
        height: 64,
        ..grid()
    };
    let mut item = Item {
        id: Item::weekly_id("wetness", week),
        collection: "wetness".into(),
        interval: week.interval(),
        grid,
        bbox: grid.lon_lat_bounds().expect("a box"),
        assets: BTreeMap::new(),
        lineage: Vec::new(),
        properties: serde_json::Map::new(),
    };
    let profile = CogProfile {
        grid,
        data_type: DataType::I16,
        nodata: Some(-32768.0),
        scale: 0.0001,
        offset: 0.0,
        compression: Compression::Zstd(1),
        block: 512,
        overviews: Overviews::None,
        description: String::new(),
    };
    let temporary = assets.temporary("wetness");
    let mut writer = CogWriter::create(&temporary, profile).expect("a writer");
    writer
        .write_rows(&vec![(value * 10_000.0).round() as i16; 64 * 64])
        .expect("written");
    writer.finish().expect("finished");
    let sums = sum_file(&temporary).expect("read");
    let href = Assets::href(&item, "wetness", "tif", &sums.sha256);
    assets.publish(&temporary, &href).expect("published");
    let asset = sums.of_asset(Asset {
        scale: 0.0001,
        nodata: Some(-32768.0),
        ..Asset::new(href)
    });
    item.assets.insert("wetness".into(), asset);
    store.put_item(&item).await.expect("put");
}

#[tokio::test]
async fn a_layer_that_is_off_is_corrected_and_a_good_one_is_left_alone() {
    for (slope, shift, expected) in [(0.7, 0.2, true), (1.0, 0.0, false)] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let assets = Assets::open(folder.path()).expect("assets");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
        let mut streams = Vec::new();
        for (code, column) in [("A", 0), ("B", 2), ("C", 4), ("D", 5)] {
            station(store.as_ref(), code, column, 1).await;
            streams.push(stream(store.as_ref(), code, "soil_moisture", "%").await);
        }
        let mut period = week("2026-W21");
        for step in 0..8 {
            let seen = 0.1 + 0.08 * f64::from(step);
            raster(store.as_ref(), &assets, period, seen).await;
            for (index, datastream) in streams.iter().enumerate() {
                let wiggle = 0.01 * (f64::from((index as i32 * 5 + step * 3) % 7) / 3.0 - 1.0);
                measure(store.as_ref(), *datastream, period, slope * seen + shift + wiggle).await;
            }
            period = period.next();
        }
        let settings = FusionSettings {
            calibrations: vec![CalibrationSettings {
                property: "soil_moisture".into(),
                collection: "wetness".into(),
                zones: None,
                days: 3.0,
            }],
            ..FusionSettings::default()
        };
        for status in [StepStatus::Made, StepStatus::UpToDate] {
            let mut report = StepReport::new("calibrations");
            let run = calibrate(
                store.as_ref(),
                &assets,
                &settings.stations,
                &[&settings.calibrations[0]],
                &mut report,
            )
            .await;
            run.expect("compared");
            assert_eq!(report.units[0].1, status, "{report:?}");
            let said = if expected {
                "32 pairs, correction applied: "
            } else {
                "32 pairs, correction not applied: "
            };
            assert!(report.notes[0].reason.starts_with(said), "{report:?}");
        }
        let kept = store
            .calibrations("soil_moisture", "wetness")
            .await
            .expect("asked");
        assert_eq!(kept[0].figures["n"], 32);
        assert!(
            kept[0].lineage.contains(&"wetness/wetness_2026-W21".to_owned()),
            "{:?}",
            kept[0].lineage
        );
        match kept[0].corrected(0.5) {
            Some(value) => assert!((value - 0.55).abs() < 0.02, "{value}"),
            None => assert!(!expected),
        }
        assert_eq!(kept.len(), 1, "the same pairs are the same version");
    }
}
