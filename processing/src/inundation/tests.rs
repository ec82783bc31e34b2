//! Stories of compartments: maps, crops, gauges and plans in a store, and what is told from them.

use super::*;
use crate::gdal_io::write_raster;
use crate::raster_output::{self, PixelEncoding, add_rasters, publish_item};
use crate::run::Silent;
use chrono::TimeDelta;
use geo_types::{Geometry, LineString, Point, Polygon};
use sen_catalog::crs::Transform;
use sen_catalog::flood::{CLOUD, FLOOD as FLOODED, NOT_WATER, OPEN_WATER, SEASONAL};
use sen_catalog::inundation::Reason;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::raster::Cog;
use sen_catalog::run::Unit;
use sen_catalog::season::Season;
use sen_catalog::store::{Features, Inundations as _, Observations, Seasons, SqliteStore};
use sen_catalog::{Crs, Grid};
use serde_json::json;
use tempfile::TempDir;

static RUNNING: AtomicBool = AtomicBool::new(false);

/// Side of the province in cells.
const SIDE: usize = 60;
/// First cell of the closed compartment, of the open one, and their side.
const SHUT: usize = 5;
const OPEN: usize = 32;
const CELLS: usize = 20;

fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 569_000.0,
        north: 1_157_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: SIDE,
        height: SIDE,
    }
}

fn week(number: u32) -> Period {
    Period::week(2026, number).expect("a week")
}

fn alerts(report: &StepReport) -> Vec<&str> {
    report.notes.iter().map(|note| note.what.as_str()).collect()
}

/// Maps that were measured, and records that are others than before.
fn measured_and_changed(report: &StepReport) -> (usize, u64) {
    let changed = report.figures["records_changed"].as_u64();
    (report.counts()[0].1.made, changed.expect("a count"))
}

/// Weeks whose map tells other kinds of water now.
fn retold(report: &StepReport) -> Vec<Period> {
    let maps = Dataset::Collection(FLOOD_TOLD.to_owned());
    let made = |(unit, status): &(Unit, StepStatus)| {
        let made = unit.dataset == maps && *status == StepStatus::Made;
        unit.period.filter(|_| made)
    };
    report.units.iter().filter_map(made).collect()
}

fn lon_lat(column: usize, row: usize) -> (f64, f64) {
    let transform = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known systems");
    let (x, y) = (
        grid().west + 10.0 * column as f64,
        grid().north - 10.0 * row as f64,
    );
    transform.point(x, y).expect("on earth")
}

/// A square of cells.
fn square(column: usize, row: usize, side: usize) -> Geometry<f64> {
    let corners = [
        (column, row),
        (column + side, row),
        (column + side, row + side),
        (column, row + side),
    ];
    let ring: Vec<(f64, f64)> = corners.map(|(column, row)| lon_lat(column, row)).to_vec();
    Polygon::new(LineString::from(ring), Vec::new()).into()
}

struct Delta {
    folder: TempDir,
    store: Arc<SqliteStore>,
    assets: Assets,
    settings: DeltaSettings,
    gauge: i64,
    strip_rows: usize,
}

impl Delta {
    /// A closed and an open compartment with a plot each, harvested in August, and a gauge with alarm levels.
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let assets = Assets::open(folder.path()).expect("asset folders");
        let store = Arc::new(SqliteStore::open(&folder.path().join("catalog.sqlite")).expect("opens"));
        let mut features = Vec::new();
        for (code, column, class) in [("OB-1", SHUT, "full_year"), ("OB-2", OPEN, "open")] {
            let mut one = Feature::new("dyke_compartments", code, square(column, SHUT, CELLS));
            one.properties.insert("dyke_class".into(), json!(class));
            features.push(one);
            features.push(Feature::new(
                "plots",
                format!("P-{code}"),
                square(column + 2, SHUT + 2, CELLS - 4),
            ));
        }
        let (lon, lat) = lon_lat(30, 30);
        let mut station = Feature::new("stations", "TV-01", Point::new(lon, lat).into());
        for (name, level) in [("bd1_m", 1.5), ("bd2_m", 2.2), ("bd3_m", 2.8)] {
            station.properties.insert(name.into(), json!(level));
        }
        station.properties.insert("datum".into(), json!("Hon Dau 1992"));
        features.push(station);
        store.put_features(features).await.expect("stored");
        let day = |text: &str| text.parse().ok();
        let season = Season {
            season: "2026-he-thu".into(),
            sowing: day("2026-05-16"),
            heading: day("2026-07-20"),
            harvest: day("2026-08-20"),
            lost: None,
            sowing_uncertainty_days: None,
            heading_uncertainty_days: None,
            harvest_uncertainty_days: None,
        };
        let plots = store
            .features(&FeatureQuery::layer("plots"))
            .await
            .expect("asked");
        let seasons = plots
            .iter()
            .map(|plot| (plot.fid, vec![season.clone()]))
            .collect();
        store.put_seasons(seasons).await.expect("stored");
        let gauge = Datastream {
            id: 0,
            station: "TV-01".into(),
            property: "water_level".into(),
            unit: "m".into(),
            name: "level".into(),
        };
        let gauge = store.put_datastream(&gauge).await.expect("stored");
        Self {
            folder,
            store,
            assets,
            settings: DeltaSettings::default(),
            gauge,
            strip_rows: STRIP_ROWS,
        }
    }

    /// A level every six hours of a week.
    async fn level(&self, number: u32, level: f64, flag: Flag) {
        self.tide(number, [level; 2], flag).await;
    }

    /// Two levels in turns, every six hours of a week.
    async fn tide(&self, number: u32, levels: [f64; 2], flag: Flag) {
        let start = week(number).interval().start;
        let observations = (0..28).map(|step| Observation {
            datastream: self.gauge,
            time: start + TimeDelta::hours(6 * step),
            value: Some(levels[step as usize % 2]),
            flag,
        });
        self.store
            .put_observations(observations.collect())
            .await
            .expect("stored");
    }

    /// The flood map of a week: so many wet rows from the top in each compartment, looked at on the last day but `age`.
    async fn map(&self, number: u32, shut: Option<usize>, open: usize, age: u8) {
        let mut classes = vec![NOT_WATER; SIDE * SIDE];
        for row in 0..CELLS {
            for column in 0..CELLS {
                let cell = |first: usize| (SHUT + row) * SIDE + first + column;
                classes[cell(SHUT)] = match shut {
                    None => CLOUD,
                    Some(wet) if row < wet => OPEN_WATER,
                    Some(_) => NOT_WATER,
                };
                if row < open {
                    classes[cell(OPEN)] = OPEN_WATER;
                }
            }
        }
        self.publish(number, &classes, age).await;
    }

    async fn publish(&self, number: u32, classes: &[u8], age: u8) {
        let period = week(number);
        let mut item = Item {
            id: Item::weekly_id(FLOOD_OBSERVED, period),
            collection: FLOOD_OBSERVED.into(),
            interval: period.interval(),
            grid: grid(),
            bbox: grid().lon_lat_bounds().expect("UTM"),
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        };
        let stored = PixelEncoding::classes(255);
        let files = [
            raster_output::write_raster(&self.assets, FLOOD_OBSERVED, classes, &grid(), stored)
                .expect("written"),
            raster_output::write_raster(&self.assets, "age_days", &vec![age; SIDE * SIDE], &grid(), stored)
                .expect("written"),
        ];
        add_rasters(&mut item, &files);
        publish_item(self.store.as_ref(), &self.assets, &item, &files)
            .await
            .expect("published");
    }

    async fn run(&self) -> StepReport {
        let inundations = Inundations {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            assets: self.assets.clone(),
            settings: &self.settings,
            stations: "stations",
            strip_rows: self.strip_rows,
            cancelled: &RUNNING,
        };
        let mut report = StepReport::new("flood_causes");
        let run = inundations.tell_causes(&mut report, &Silent).await;
        run.expect("the catalogue answers");
        if report.is_complete() {
            let query = ItemQuery::collection(FLOOD_OBSERVED);
            let seen = self.store.items(&query).await.expect("items");
            let weeks: Vec<Period> = seen.iter().map(Item::period).collect();
            let run = inundations.tell_maps(&weeks, &mut report, &Silent).await;
            run.expect("the catalogue answers");
        }
        report
    }

    /// The map of a week as it is published, and as the satellites alone tell it.
    async fn classes(&self, number: u32) -> (Vec<u8>, Vec<u8>) {
        let mut maps = Vec::new();
        for collection in [FLOOD_TOLD, FLOOD_OBSERVED] {
            let id = Item::weekly_id(collection, week(number));
            let item = self
                .store
                .item(collection, &id)
                .await
                .expect("asked")
                .expect("there");
            let map = self.assets.path(&item.main_asset().expect("a map").href);
            let cog = Cog::open(&map).expect("a map");
            maps.push(cog.read_window::<u8>(0, 0, cog.grid().window()).expect("read"));
        }
        let seen = maps.pop().expect("two maps");
        (maps.pop().expect("two maps"), seen)
    }

    async fn records(&self, code: &str) -> Vec<Inundation> {
        let found = self.store.feature("dyke_compartments", code, None).await;
        let fid = found.expect("asked").expect("there").fid;
        self.store.inundations_of(fid).await.expect("asked")
    }

    /// Transplanting in weeks 36 to 39, dry fields in week 40, the dyke breaks in week 41; the river is high.
    async fn autumn(&self) {
        let shares = [
            (35, 0, 0),
            (36, 12, 12),
            (37, 16, 16),
            (38, 18, 20),
            (39, 14, 20),
            (40, 1, 20),
        ];
        for (number, shut, open) in shares {
            self.map(number, Some(shut), open, 1).await;
            self.level(number, 2.4, Flag::Good).await;
        }
        self.map(41, Some(12), 20, 0).await;
        self.level(41, 2.6, Flag::Good).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breach_is_told_from_paddies_and_from_the_river_and_a_rerun_changes_nothing() {
    let delta = Delta::new().await;
    delta.autumn().await;
    let report = delta.run().await;
    let (extents, measured) = report.counts()[0];
    assert_eq!(extents.to_string(), "samples/flood_extent/dyke_compartments");
    assert_eq!(measured.made, 7);
    assert_eq!(
        (
            &report.figures["compartments"],
            &report.figures["records_changed"]
        ),
        (&json!(2), &json!(14))
    );
    assert_eq!(alerts(&report), ["ALERT OB-1"]);
    let shut = delta.records("OB-1").await;
    let classes: Vec<Cause> = shut.iter().map(|record| record.class).collect();
    assert_eq!(
        classes,
        [
            Cause::None,
            Cause::PaddyWater,
            Cause::PaddyWater,
            Cause::PaddyWater,
            Cause::PaddyWater,
            Cause::None,
            Cause::DykeBreach
        ]
    );
    let breach = &shut[6];
    // 12 of 20 rows of 20 cells of 10 m: 2.4 ha, one body, nothing outside
    assert_eq!(breach.flooded_share, Some(0.6));
    assert!(
        (breach.flooded_ha.expect("seen") - 2.4).abs() < 0.01,
        "{breach:?}"
    );
    assert!(
        (breach.connected_ha.expect("seen") - 2.4).abs() < 0.01,
        "{breach:?}"
    );
    assert_eq!(breach.outside_share, Some(0.0));
    assert_eq!(breach.looked, Some(week(41).last_day()));
    assert_eq!(
        (breach.first_wet, breach.days_under_water),
        (breach.looked, Some(1))
    );
    assert_eq!(breach.gauge.as_ref().map(|gauge| gauge.alarm), Some(2));
    assert_eq!(shut[2].days_under_water, Some(8));
    let open = delta.records("OB-2").await;
    assert!(
        open[1..].iter().all(|record| record.class == Cause::RiverFlood),
        "{open:?}"
    );

    let digest = delta.store.rows_digest().await.expect("asked");
    let again = delta.run().await;
    assert_eq!(measured_and_changed(&again), (0, 0));
    assert_eq!(delta.store.rows_digest().await.expect("asked"), digest);

    // a week that comes later costs one measurement, and leaves the others as they are
    delta.map(42, Some(19), 20, 2).await;
    delta.level(42, 2.3, Flag::Good).await;
    let later = delta.run().await;
    assert_eq!(measured_and_changed(&later), (1, 2));
    let record = delta.records("OB-1").await.pop().expect("eight weeks");
    assert_eq!(
        (record.class, record.reason),
        (Cause::DykeBreach, Reason::Continues)
    );
    assert_eq!(record.days_under_water, Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flood_map_takes_the_kinds_of_the_causes_and_keeps_what_the_satellites_tell() {
    let delta = Delta::new().await;
    delta.autumn().await;
    let report = delta.run().await;
    assert_eq!(
        retold(&report),
        (35..=41).map(week).collect::<Vec<_>>(),
        "each week has its map"
    );
    let shut = (SHUT + 2) * SIDE + SHUT + 2;
    let open = (SHUT + 2) * SIDE + OPEN + 2;
    for (number, classes) in [
        (37, [SEASONAL, FLOODED]),
        (39, [SEASONAL, FLOODED]),
        (40, [NOT_WATER, FLOODED]),
        (41, [FLOODED, FLOODED]),
    ] {
        let (told, alone) = delta.classes(number).await;
        assert_eq!([told[shut], told[open]], classes, "week {number}");
        assert!(
            alone.iter().all(|class| [NOT_WATER, OPEN_WATER].contains(class)),
            "as it was looked at"
        );
        assert!(
            told.iter()
                .zip(&alone)
                .all(|(told, alone)| (*told == NOT_WATER) == (*alone == NOT_WATER)),
            "water stays water"
        );
    }
    assert_eq!(retold(&delta.run().await), Vec::<Period>::new());
    // a reading that comes late changes the causes, and with them the map of its week alone
    delta.level(38, 1.2, Flag::Good).await;
    delta.level(39, 1.2, Flag::Good).await;
    let again = delta.run().await;
    assert_eq!(measured_and_changed(&again).0, 0);
    assert_eq!(
        retold(&again),
        [week(39)],
        "the river had left for the second week"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn water_outside_compartments_is_the_rivers_while_it_is_out_and_not_once_it_has_left() {
    let delta = Delta::new().await;
    let alone = [FLOODED, SEASONAL, OPEN_WATER];
    let levels = [
        (35, [1.0, 2.4]),
        (36, [2.4; 2]),
        (37, [1.2; 2]),
        (38, [1.2; 2]),
        (39, [1.8; 2]),
    ];
    for (number, levels) in levels {
        let mut classes = vec![NOT_WATER; SIDE * SIDE];
        classes[..3].copy_from_slice(&alone);
        delta.publish(number, &classes, 1).await;
        delta.tide(number, levels, Flag::Good).await;
    }
    delta.run().await;
    for (number, classes, why) in [
        (35, alone, "a spring tide is no flood of the river"),
        (
            36,
            [FLOODED, FLOODED, OPEN_WATER],
            "what is not known may be the river itself",
        ),
        (37, alone, "it has just left"),
        (
            38,
            [SEASONAL, SEASONAL, OPEN_WATER],
            "it has been away for a week",
        ),
        (39, alone, "it is only at BĐ1"),
    ] {
        assert_eq!(
            delta.classes(number).await.0[..3],
            classes,
            "week {number}: {why}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gauges_that_are_silent_or_failed_and_clouds_make_no_class() {
    let mut delta = Delta::new().await;
    delta.autumn().await;
    // the readings of the week of the breach fail their tests: no level, no alarm
    delta.level(41, 2.6, Flag::Fail).await;
    delta.map(42, None, 20, 0).await;
    // without neighbours that are known to be open, nobody tells that the river is out
    delta.settings.open.clear();
    let report = delta.run().await;
    assert!(alerts(&report).is_empty(), "{report:?}");
    let shut = delta.records("OB-1").await;
    assert_eq!(
        (shut[6].class, shut[6].reason),
        (Cause::NotClassified, Reason::NoGauge)
    );
    assert_eq!(
        (shut[7].class, shut[7].reason),
        (Cause::NotClassified, Reason::NotSeen)
    );
    assert_eq!(shut[7].flooded_share, None);
    let open = delta.records("OB-2").await;
    assert_eq!(open[6].class, Cause::NotClassified, "{:?}", open[6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_makes_a_release_and_wet_neighbours_an_alert_without_a_gauge() {
    let mut delta = Delta::new().await;
    delta.autumn().await;
    delta.level(41, 2.6, Flag::Fail).await;
    delta.settings.releases.push(Release {
        code: "OB-1".into(),
        from: "2026-09-01".into(),
        to: "2026-09-27".into(),
    });
    delta.run().await;
    let shut = delta.records("OB-1").await;
    assert!(
        shut[1..5]
            .iter()
            .all(|record| record.class == Cause::PlannedRelease && record.sure),
        "{shut:?}"
    );
    let delta = Delta::new().await;
    delta.autumn().await;
    delta.level(41, 1.7, Flag::Good).await;
    let report = delta.run().await;
    assert_eq!(
        alerts(&report),
        ["ALERT OB-1"],
        "the open neighbour is under the river's flood"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_that_cannot_be_read_is_named_and_nothing_is_told_anew_until_it_is_back() {
    let delta = Delta::new().await;
    delta.autumn().await;
    let item = delta
        .store
        .item(FLOOD_OBSERVED, "flood_observed_2026-W38")
        .await
        .expect("asked")
        .expect("there");
    let path = delta.assets.path(&item.assets[FLOOD_OBSERVED].href);
    let whole = std::fs::read(&path).expect("bytes");
    // one flipped bit among the pixels: it opens as before
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damage in [None, Some(&flipped[..]), Some(&whole[..100])] {
        match damage {
            None => std::fs::remove_file(&path).expect("removed"),
            Some(bytes) => std::fs::write(&path, bytes).expect("written"),
        }
        let report = delta.run().await;
        let (unit, reason) = report.failed().next().expect("it is named");
        assert_eq!(
            unit.to_string(),
            "samples/flood_extent/dyke_compartments 2026-W38"
        );
        assert!(reason.contains("/flood_observed-"), "{report:?}");
        let held_back = StepStatus::HeldBack { by: unit.clone() };
        assert_eq!(report.total().failed, 1, "{report:?}");
        assert_eq!(report.units.last().map(|(_, status)| status), Some(&held_back));
        assert!(
            delta.records("OB-1").await.is_empty(),
            "without a week the later ones are others"
        );
    }
    std::fs::write(&path, &whole).expect("back");
    let report = delta.run().await;
    assert!(
        report.is_complete() && alerts(&report) == ["ALERT OB-1"],
        "{report:?}"
    );
    let told = delta.records("OB-1").await;
    assert_eq!(told.len(), 7);
    // a later map that is damaged takes nothing of what was told
    delta.map(42, None, 20, 0).await;
    let item = delta
        .store
        .item(FLOOD_OBSERVED, "flood_observed_2026-W42")
        .await
        .expect("asked")
        .expect("there");
    std::fs::write(
        delta.assets.path(&item.assets[FLOOD_OBSERVED].href),
        &whole[..200],
    )
    .expect("cut");
    let report = delta.run().await;
    let week = report.failed().next().and_then(|(unit, _)| unit.period);
    assert_eq!(week, Some(self::week(42)), "{report:?}");
    assert_eq!(delta.records("OB-1").await, told);
}

#[tokio::test(flavor = "multi_thread")]
async fn depth_needs_a_dem_on_the_gauges_datum_and_is_told_where_the_river_stands() {
    let mut delta = Delta::new().await;
    delta.autumn().await;
    delta.run().await;
    let run = |delta: &Delta| {
        let depths = Depths {
            store: Arc::clone(&delta.store) as Arc<dyn Store>,
            assets: delta.assets.clone(),
            settings: &delta.settings,
            folder: delta.folder.path(),
            code_version: "test".into(),
            strip_rows: delta.strip_rows,
        };
        let runtime = tokio::runtime::Handle::current();
        let mut report = StepReport::new("flood_depth");
        tokio::task::block_in_place(|| {
            runtime
                .block_on(depths.run(&[week(40), week(41)], &mut report, &Silent))
                .map(|()| report)
        })
    };
    let report = run(&delta).expect("nothing to do");
    assert!(
        report.units.is_empty() && report.notes[0].reason.contains("DEM"),
        "{report:?}"
    );

    // the level between the gauges, 2.0 m with a variance of 0.16, on cells of 100 m
    let coarse = grid().coarser(10);
    let mut surface = Item {
        id: Item::weekly_id("water_level", week(40)),
        collection: "water_level".into(),
        interval: week(40).interval(),
        grid: coarse,
        bbox: coarse.lon_lat_bounds().expect("UTM"),
        assets: BTreeMap::new(),
        lineage: Vec::new(),
        properties: serde_json::Map::new(),
    };
    let stored = |nodata: f64, scale: f64| PixelEncoding::measures(nodata, scale, "m");
    let files = [
        raster_output::write_raster(
            &delta.assets,
            "water_level",
            &[2000_i16; 36],
            &coarse,
            stored(-32768.0, 0.001),
        )
        .expect("written"),
        raster_output::write_raster(
            &delta.assets,
            "variance",
            &[0.16_f32; 36],
            &coarse,
            stored(-9999.0, 1.0),
        )
        .expect("written"),
    ];
    add_rasters(&mut surface, &files);
    publish_item(delta.store.as_ref(), &delta.assets, &surface, &files)
        .await
        .expect("published");
    // ground that rises southwards from 0.9 m by five centimetres a row
    let heights: Vec<f32> = (0..SIDE * SIDE)
        .map(|cell| 0.9 + 0.05 * (cell / SIDE) as f32)
        .collect();
    let write = |heights: &[f32]| {
        write_raster(
            &delta.folder.path().join("ground.tif"),
            ("GTiff", "Float32"),
            &grid(),
            &[heights.to_vec()],
            None,
            &[],
        );
    };
    write(&heights);
    delta.settings.dem = Some("ground.tif".into());
    let message = delta
        .settings
        .check()
        .expect_err("no error of the heights")
        .to_string();
    assert!(message.contains("dem_error_m"), "{message}");
    delta.settings.dem_error_m = Some(0.3);
    delta.settings.dem_datum = Some("EGM96".into());
    let store = delta.store.as_ref();
    let checked = check_dem(&delta.settings, delta.folder.path(), store, "stations").await;
    let message = checked.expect_err("another datum").to_string();
    assert!(
        message.contains("EGM96") && message.contains("TV-01"),
        "{message}"
    );
    delta.settings.dem_datum = Some("Hon Dau 1992".into());
    // a fill value that nobody tagged is no depth of water
    let mut holed = heights.clone();
    holed[7] = -32_767.0;
    write(&holed);
    let message = run(&delta).expect_err("no ground lies there").to_string();
    assert!(
        message.contains("delta.dem") && message.contains("a_nodata"),
        "{message}"
    );
    write(&heights);
    let report = run(&delta).expect("made");
    assert_eq!((report.total().made, report.total().no_input), (1, 1));

    let item = delta
        .store
        .item(DEPTH, "flood_depth_2026-W40")
        .await
        .expect("asked")
        .expect("made");
    let read = |name: &str| Cog::open(&delta.assets.path(&item.assets[name].href)).expect("opens");
    let classes = read(DEPTH)
        .read_window::<u8>(0, 0, grid().window())
        .expect("reads");
    let at = |column: usize, row: usize| classes[row * SIDE + column];
    // the open compartment: ground at row 5 is 1.15 m, at row 20 1.9 m; the closed one is wet for no river's sake
    let column = OPEN + 3;
    assert_eq!(
        [at(column, 5), at(column, 9), at(column, 15), at(column, 23)],
        [3, 3, 2, 1]
    );
    assert_eq!(at(SHUT + 3, 5), NOT_TOLD);
    assert_eq!(at(0, 0), 0);
    let uncertainty = read("uncertainty")
        .read_window::<u16>(0, 0, grid().window())
        .expect("reads");
    assert_eq!(uncertainty[5 * SIDE + column], 50, "sqrt(0.16 + 0.09) m");
    let again = run(&delta).expect("nothing to do");
    assert_eq!((again.total().made, again.total().up_to_date), (0, 1));
    // the same bytes, however many rows are in memory at once
    delta.strip_rows = 7;
    let gone = delta.store.delete_item(DEPTH, &item.id).await.expect("deleted");
    assert!(gone && run(&delta).expect("made").total().made == 1);
    let strips = delta.store.item(DEPTH, &item.id).await.expect("asked");
    assert_eq!(strips.expect("made").assets, item.assets);
}

#[tokio::test(flavor = "multi_thread")]
async fn causes_and_maps_are_the_same_however_many_rows_are_in_memory() {
    let mut told = Vec::new();
    for rows in [STRIP_ROWS, 7, 1] {
        let mut delta = Delta::new().await;
        delta.strip_rows = rows;
        delta.autumn().await;
        assert!(!retold(&delta.run().await).is_empty());
        let maps = delta
            .store
            .items(&ItemQuery::collection(FLOOD_TOLD))
            .await
            .expect("items");
        let maps: Vec<_> = maps.into_iter().map(|item| (item.id, item.assets)).collect();
        told.push((maps, delta.records("OB-1").await, delta.records("OB-2").await));
    }
    assert!(!told[0].1.is_empty());
    assert_eq!(told[1], told[0]);
    assert_eq!(told[2], told[0]);
}
