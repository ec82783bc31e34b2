//! Stories of tables of zones beside weekly rasters.

use super::*;
use crate::run::Silent;
use geo_types::{Coord, LineString, MultiPolygon, Polygon};
use sen_catalog::Feature;
use sen_catalog::Grid;
use sen_catalog::ItemQuery;
use sen_catalog::asset;
use sen_catalog::crs::Transform;
use sen_catalog::raster::{CogProfile, CogWriter, Compression, DataType, Overviews};
use sen_catalog::store::{Features, SqliteStore};
use tempfile::TempDir;

static RUNNING: AtomicBool = AtomicBool::new(false);
static STOPPED: AtomicBool = AtomicBool::new(true);

fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 569_000.0,
        north: 1_157_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 60,
        height: 40,
    }
}

struct Delta {
    folder: TempDir,
    store: Arc<SqliteStore>,
    assets: Assets,
}

/// A week's rasters in the store, by hand.
impl Delta {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let assets = Assets::open(folder.path()).expect("asset folders");
        let store = Arc::new(SqliteStore::open(&folder.path().join("catalog.sqlite")).expect("opens"));
        Self {
            folder,
            store,
            assets,
        }
    }

    async fn run(&self, weeks: &[&str], cancelled: &AtomicBool) -> StepReport {
        let weeks: Vec<Period> = weeks.iter().map(|week| week.parse().expect("a week")).collect();
        let zonal = ZoneStatistics {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            assets: self.assets.clone(),
            zones: Arc::default(),
            cancelled,
        };
        let mut report = StepReport::new("zone_statistics");
        let mut units = Vec::new();
        for layer in self
            .store
            .layers()
            .await
            .expect("layers")
            .iter()
            .filter(|layer| is_zone_layer(layer))
        {
            let dataset = table_of("ndvi", &layer.name);
            units.extend(weeks.iter().map(|week| Unit {
                dataset: dataset.clone(),
                period: Some(*week),
            }));
        }
        let run = zonal.make_units(&units, &mut report, &Silent).await;
        run.expect("the catalogue answers");
        report
    }

    /// NDVI that grows eastwards from `base`, with a cloud over the first columns.
    async fn ndvi(&self, week: &str, base: i16) {
        let period: Period = week.parse().expect("a week");
        let grid = grid();
        let mut item = Item {
            id: Item::weekly_id("ndvi", period),
            collection: "ndvi".into(),
            interval: period.interval(),
            grid,
            bbox: grid.lon_lat_bounds().expect("UTM"),
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        };
        let temporary = self.assets.temporary("ndvi");
        let profile = CogProfile {
            grid,
            data_type: DataType::I16,
            nodata: Some(-32768.0),
            scale: 1e-4,
            offset: 0.0,
            compression: Compression::Zstd(1),
            block: 16,
            overviews: Overviews::Average,
            description: "ndvi".into(),
        };
        let mut writer = CogWriter::create(&temporary, profile).expect("a new file");
        let pixels: Vec<i16> = (0..60 * 40)
            .map(|cell| match cell % 60 {
                0..4 => i16::MIN,
                column => base + 10 * column as i16,
            })
            .collect();
        writer.write_rows(&pixels).expect("rows");
        writer.finish().expect("whole");
        let sums = sum_file(&temporary).expect("read");
        let href = Assets::href(&item, "ndvi", "tif", &sums.sha256);
        let asset = sums.of_asset(Asset {
            scale: 1e-4,
            nodata: Some(-32768.0),
            ..Asset::new(href)
        });
        self.assets.publish(&temporary, &asset.href).expect("published");
        item.assets.insert("ndvi".into(), asset);
        self.store.put_item(&item).await.expect("stored");
    }

    async fn item(&self, week: &str) -> Item {
        let item = self.store.item("ndvi", &format!("ndvi_{week}")).await;
        item.expect("the store answers").expect("an item")
    }

    async fn table(&self, week: &str, layer: &str) -> StatisticTable {
        let item = self.item(week).await;
        let asset = &item.assets[&asset_name(layer)];
        let path = self.assets.path(&asset.href);
        let (sha256, bytes) = asset::checksum(&path).expect("the file is there");
        assert_eq!(
            (asset.sha256.as_deref(), asset.bytes),
            (Some(sha256.as_str()), bytes)
        );
        StatisticTable::open(&path).expect("a table")
    }

    /// Rows and files, as `sen check --digest` sees them.
    async fn digest(&self) -> String {
        let mut text = String::new();
        for item in self.store.items(&ItemQuery::default()).await.expect("items") {
            text += &serde_json::to_string(&item).expect("JSON");
            for asset in item.assets.values() {
                text += &asset::checksum(&self.assets.path(&asset.href))
                    .expect("the file")
                    .0;
            }
        }
        text
    }
}

/// A rectangle of cells as polygon in lon/lat, with an edge of its own every 10 cells.
fn rectangle(column: f64, row: f64, width: f64, height: f64) -> MultiPolygon<f64> {
    let back = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known systems");
    let corners = [(0.0, 0.0), (0.0, height), (width, height), (width, 0.0)];
    let ring: LineString<f64> = corners
        .into_iter()
        .map(|(dx, dy)| {
            let place = back.point(569_000.0 + 10.0 * (column + dx), 1_157_000.0 - 10.0 * (row + dy));
            let (x, y) = place.expect("in the zone");
            Coord { x, y }
        })
        .collect();
    Polygon::new(ring, vec![]).into()
}

fn plot(code: &str, shape: MultiPolygon<f64>) -> Feature {
    Feature::new("plots", code, shape.into())
}

async fn two_plots(delta: &Delta) {
    let plots = vec![
        plot("DT-1", rectangle(1.5, 2.0, 5.0, 3.5)),
        plot("DT-2", rectangle(10.25, 10.25, 20.0, 15.5)),
        plot("DT-3", rectangle(100.0, 10.0, 4.0, 4.0)),
    ];
    delta.store.put_features(plots).await.expect("stored");
    let stations = vec![Feature::new(
        "stations",
        "S1",
        geo_types::Point::new(105.6, 10.4).into(),
    )];
    delta.store.put_features(stations).await.expect("stored");
}

#[tokio::test]
async fn each_week_gets_a_table_of_every_layer_of_polygons() {
    let delta = Delta::new();
    delta.ndvi("2026-W33", 1000).await;
    delta.ndvi("2026-W34", 2000).await;
    two_plots(&delta).await;
    let report = delta.run(&["2026-W33", "2026-W34", "2026-W35"], &RUNNING).await;
    assert_eq!((report.total().made, report.total().failed), (2, 0), "{report:?}");
    let table = delta.table("2026-W34", "plots").await;
    let row = |code: &str| table.row_of_code(code).expect("read").expect("a row");
    let statistic = |code: &str| table.statistic(row(code)).expect("read");
    // columns 1.5 to 6.5, of which those before 4 are under cloud: 4, 5 and half of 6
    let first = statistic("DT-1");
    assert!((first.count - 2.5 * 3.5).abs() < 1e-5, "{first:?}");
    let mean = (2040.0 + 2050.0 + 0.5 * 2060.0) / 2.5 * 1e-4;
    assert!((first.mean.expect("a mean") - mean).abs() < 1e-8, "{first:?}");
    assert!((first.valid_fraction - 0.5).abs() < 1e-6, "{first:?}");
    // ground is 1 / 0.9996 of the plane here
    assert!((first.area_ha - 0.175).abs() < 0.0003, "{first:?}");
    let second = statistic("DT-2");
    assert!(
        (second.count - 310.0).abs() < 1e-4 && second.classes.is_empty(),
        "{second:?}"
    );
    assert_eq!(second.valid_fraction, 1.0);
    let outside = statistic("DT-3");
    assert_eq!(
        (outside.count, outside.mean, outside.valid_fraction),
        (0.0, None, 0.0)
    );
    assert!(
        !delta
            .item("2026-W34")
            .await
            .assets
            .contains_key("statistics_stations")
    );
    let table = &delta.item("2026-W34").await.assets["statistics_plots"];
    let name = format!(
        "ndvi/2026/ndvi_2026-W34/statistics_plots-{}.arrow",
        &table.sha256.as_deref().expect("a checksum")[..16]
    );
    assert_eq!(table.href, name);
    assert!(
        table
            .piece_sums
            .as_ref()
            .is_some_and(|sums| sums.fits(table.bytes))
    );
}

#[tokio::test]
async fn a_rerun_changes_nothing_and_a_late_scene_its_week_alone() {
    let delta = Delta::new();
    let weeks = ["2026-W33", "2026-W34"];
    for week in weeks {
        delta.ndvi(week, 1000).await;
    }
    two_plots(&delta).await;
    delta.run(&weeks, &RUNNING).await;
    let (digest, revision) = (
        delta.digest().await,
        delta.store.revision().await.expect("revision"),
    );
    let again = delta.run(&weeks, &RUNNING).await;
    assert_eq!((again.total().made, again.total().up_to_date), (0, 2));
    assert_eq!(delta.digest().await, digest);
    assert_eq!(
        delta.store.revision().await.expect("revision"),
        revision,
        "not even a row is written"
    );

    let before = delta.item("2026-W33").await;
    delta.ndvi("2026-W34", 3000).await;
    let late = delta.run(&weeks, &RUNNING).await;
    assert_eq!(
        late.weeks_made(&table_of("ndvi", "plots")).collect::<Vec<_>>(),
        ["2026-W34".parse::<Period>().expect("a week")]
    );
    assert_eq!(delta.item("2026-W33").await, before);
    let table = delta.table("2026-W34", "plots").await;
    assert!(table.column("mean").expect("read").expect("a column")[0] > 0.3);
}

#[tokio::test]
async fn a_raster_with_a_flipped_bit_makes_no_table_and_is_named() {
    let delta = Delta::new();
    delta.ndvi("2026-W33", 1000).await;
    delta.ndvi("2026-W34", 2000).await;
    two_plots(&delta).await;
    let item = delta.item("2026-W34").await;
    let path = delta.assets.path(&item.assets["ndvi"].href);
    let whole = std::fs::read(&path).expect("bytes");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(&path, flipped).expect("written");
    let weeks = ["2026-W33", "2026-W34"];
    let report = delta.run(&weeks, &RUNNING).await;
    assert_eq!((report.total().made, report.total().failed), (1, 1), "{report:?}");
    let (_, reason) = report.failed().next().expect("failed");
    assert!(
        reason.contains("/ndvi-") && reason.contains("checksum differs"),
        "{reason}"
    );
    assert!(
        !delta
            .item("2026-W34")
            .await
            .assets
            .contains_key("statistics_plots")
    );
    std::fs::write(&path, whole).expect("back");
    assert_eq!(delta.run(&weeks, &RUNNING).await.total().made, 1);
}

#[tokio::test]
async fn zones_that_changed_are_counted_again_and_the_same_import_is_no_change() {
    let delta = Delta::new();
    delta.ndvi("2026-W34", 1000).await;
    two_plots(&delta).await;
    delta.run(&["2026-W34"], &RUNNING).await;
    two_plots(&delta).await;
    assert_eq!(delta.run(&["2026-W34"], &RUNNING).await.total().up_to_date, 1);
    let moved = plot("DT-1", rectangle(20.0, 2.0, 5.0, 3.5));
    delta.store.put_features(vec![moved]).await.expect("stored");
    assert_eq!(delta.run(&["2026-W34"], &RUNNING).await.total().made, 1);
    let table = delta.table("2026-W34", "plots").await;
    let row = table.row_of_code("DT-1").expect("read").expect("a row");
    assert_eq!(table.statistic(row).expect("read").valid_fraction, 1.0);
}

#[tokio::test]
async fn what_was_killed_or_lost_is_finished_by_the_next_run() {
    let whole = Delta::new();
    let broken = Delta::new();
    for delta in [&whole, &broken] {
        delta.ndvi("2026-W33", 1000).await;
        delta.ndvi("2026-W34", 2000).await;
        two_plots(delta).await;
    }
    let weeks = ["2026-W33", "2026-W34"];
    whole.run(&weeks, &RUNNING).await;

    assert!(broken.run(&weeks, &STOPPED).await.cancelled);
    broken.run(&weeks[..1], &RUNNING).await;
    // as after a kill between the file and the row, and a file that was cut short
    let mut item = broken.item("2026-W33").await;
    let asset = item.assets.remove("statistics_plots").expect("a table");
    broken.store.put_item(&item).await.expect("stored");
    broken.run(&weeks, &RUNNING).await;
    std::fs::write(broken.assets.path(&asset.href), b"half").expect("written");
    let report = broken.run(&weeks, &RUNNING).await;
    assert_eq!((report.total().made, report.total().up_to_date), (1, 1));
    assert_eq!(broken.digest().await, whole.digest().await);
    let left: Vec<_> = std::fs::read_dir(broken.folder.path().join("tmp"))
        .expect("tmp")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_raster_that_cannot_be_read_is_named_and_the_others_are_done() {
    let delta = Delta::new();
    delta.ndvi("2026-W33", 1000).await;
    delta.ndvi("2026-W34", 2000).await;
    two_plots(&delta).await;
    let path = delta
        .assets
        .path(&delta.item("2026-W33").await.assets["ndvi"].href);
    std::fs::write(&path, b"no raster").expect("written");
    let report = delta.run(&["2026-W33", "2026-W34"], &RUNNING).await;
    assert_eq!(report.total().made, 1);
    assert_eq!(report.total().failed, 1);
    let (_, reason) = report.failed().next().expect("failed");
    assert!(reason.contains("/ndvi-"), "{report:?}");
}

/// The tables of a collection and a layer of zones.
fn table_of(collection: &str, layer: &str) -> Dataset {
    Dataset::Statistics {
        collection: collection.to_owned(),
        layer: layer.to_owned(),
    }
}
