//! Stories of the weekly run on small provinces.

mod back;
mod pixels;

use super::*;
use crate::fusion::FusionSettings;
use crate::inundation::DeltaSettings;
use crate::phenology::CalendarSettings;
use crate::product::{Block, Encoding, Index, Input, MNDWI, NDVI, Output, PRODUCTS, Sensor};
use crate::run::{Progress, Silent};
use crate::runner::{RunScope, Runner, StepContext, StepSettings};
use crate::steps::rasters::Rasters;
use crate::{composite, mask};
use sen_catalog::fire::FireSettings;
use sen_catalog::raster::{Cog, CogProfile, CogWriter, Compression, DataType, Overviews, Pixel};
use sen_catalog::store::SqliteStore;
use sen_catalog::{Asset, Band, Bounds, Crs, Interval, asset};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

const WEEK: &str = "2026-W34";
static RUNNING: AtomicBool = AtomicBool::new(false);

/// A province of 40 x 30 cells near Cao Lanh, its first row and column in the middle of a 20 m cell.
fn province() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 569_010.0,
        north: 1_156_990.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 40,
        height: 30,
    }
}

struct Delta {
    folder: TempDir,
    weekly: Weekly<'static>,
}

impl Delta {
    fn new(products: &'static [&'static dyn Product]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let weekly = Weekly {
            store: Arc::new(SqliteStore::in_memory().expect("opens")),
            assets: Assets::open(folder.path()).expect("asset folders"),
            grid: province(),
            products,
            code_version: "test".to_owned(),
            settings: Settings::default(),
            cancelled: &RUNNING,
        };
        Self { folder, weekly }
    }

    async fn run(&self, week: &str) -> StepReport {
        self.run_weeks(&[week.parse().expect("week")]).await
    }

    async fn run_weeks(&self, weeks: &[Period]) -> StepReport {
        self.run_with(weeks, &Silent).await
    }

    async fn run_with(&self, weeks: &[Period], progress: &dyn Progress) -> StepReport {
        let settings = StepSettings {
            processing: &self.weekly.settings,
            fusion: &FusionSettings::default(),
            calendar: &CalendarSettings::default(),
            fire: &FireSettings::default(),
            delta: &DeltaSettings::default(),
            folder: self.folder.path(),
        };
        let context = StepContext {
            store: Arc::clone(&self.weekly.store),
            assets: self.weekly.assets.clone(),
            grid: self.weekly.grid,
            code_version: self.weekly.code_version.clone(),
            settings,
            zones: Arc::default(),
            cancelled: self.weekly.cancelled,
            progress,
        };
        let scope = RunScope {
            weeks: Some(weeks.iter().copied().collect()),
            ..RunScope::default()
        };
        let rasters = Rasters {
            products: self.weekly.products,
        };
        let runner = Runner { steps: &[&rasters] };
        let mut report = runner.run(&context, &scope).await.expect("the catalogue answers");
        report.steps.pop().unwrap_or_else(|| StepReport::new("rasters"))
    }

    async fn item(&self, collection: &str, week: &str) -> Item {
        let id = format!("{collection}_{week}");
        self.weekly
            .store
            .item(collection, &id)
            .await
            .expect("the store answers")
            .expect("the item is there")
    }

    async fn pixels<T: Pixel>(&self, collection: &str, asset: &str, week: &str) -> Vec<T> {
        let item = self.item(collection, week).await;
        let path = self.weekly.assets.path(&item.assets[asset].href);
        let cog = Cog::open(&path).expect("a product is a COG");
        assert_eq!(*cog.grid(), self.weekly.grid);
        cog.read_window(0, 0, cog.grid().window()).expect("reads")
    }

    /// Rows and checksums of all weekly items: what `sen check --digest` looks at.
    async fn digest(&self) -> String {
        let items = self
            .weekly
            .store
            .items(&ItemQuery::default())
            .await
            .expect("the store answers");
        let products: Vec<_> = items.iter().filter(|item| !item.is_scene()).collect();
        for item in &products {
            for asset in item.assets.values() {
                let (sha256, bytes) =
                    asset::checksum(&self.weekly.assets.path(&asset.href)).expect("the file is there");
                assert_eq!(
                    (Some(sha256), bytes),
                    (asset.sha256.clone(), asset.bytes),
                    "{}",
                    asset.href
                );
            }
        }
        serde_json::to_string(&products).expect("items are JSON")
    }

    fn temporary_files(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("tmp"))
            .expect("the folder is there")
            .count()
    }

    async fn scene(&self, scene: Scene) {
        self.weekly
            .store
            .put_item(&scene.item)
            .await
            .expect("the store takes it");
    }
}

/// A scene under construction.
#[derive(Clone)]
struct Scene {
    item: Item,
    folder: PathBuf,
}

impl Scene {
    fn new(folder: &Path, collection: &str, id: &str, at: &str, grid: Grid) -> Self {
        let item = Item {
            id: id.to_owned(),
            collection: collection.to_owned(),
            interval: Interval::instant(at.parse().expect("instant")),
            grid,
            bbox: grid.lon_lat_bounds().expect("UTM has a place on Earth"),
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        };
        Self {
            item,
            folder: folder.join("source"),
        }
    }

    /// Adds a band from a function of column and row, on the scene's grid made coarser by `factor`.
    fn band<T: Pixel>(mut self, band: Band, factor: usize, value: impl Fn(usize, usize) -> T) -> Self {
        let grid = self.item.grid.coarser(factor);
        std::fs::create_dir_all(&self.folder).expect("folder");
        let path = self.folder.join(format!("{}_{band}.tif", self.item.id));
        let mut asset = Asset::new(path.to_string_lossy());
        asset.band = Some(band);
        if T::DATA_TYPE == DataType::U16 {
            // Sentinel-2, baseline 04.00
            (asset.scale, asset.offset) = (1e-4, -0.1);
        }
        asset.nodata = Some(if T::DATA_TYPE == DataType::F32 {
            -32768.0
        } else {
            0.0
        });
        let profile = CogProfile {
            grid,
            data_type: T::DATA_TYPE,
            nodata: asset.nodata,
            scale: 1.0,
            offset: 0.0,
            compression: Compression::Deflate(1),
            block: 16,
            overviews: Overviews::None,
            description: String::new(),
        };
        let mut writer = CogWriter::create(&path, profile).expect("creates");
        let cells: Vec<T> = (0..grid.width * grid.height)
            .map(|i| value(i % grid.width, i / grid.width))
            .collect();
        writer.write_rows(&cells).expect("writes");
        writer.finish().expect("finishes");
        (_, asset.bytes) = asset::checksum(&path).expect("reads");
        self.item.assets.insert(band.name().to_owned(), asset);
        self
    }
}

/// A grid aligned with 20 m cells that covers the province and a little more.
fn swath() -> Grid {
    Grid {
        west: 568_980.0,
        north: 1_157_000.0,
        width: 50,
        height: 40,
        ..province()
    }
}

/// Red that makes NDVI `ndvi` with a reflectance of 0.4 in the near infrared, as a DN of baseline 04.00.
fn red(ndvi: f64) -> u16 {
    (0.4 * (1.0 - ndvi) / (1.0 + ndvi) * 10_000.0).round() as u16 + 1000
}

fn optical(delta: &Delta, id: &str, at: &str, ndvi: f64) -> Scene {
    Scene::new(delta.folder.path(), "sentinel-2-l2a", id, at, swath())
        .band(Band::Nir, 1, |_, _| 5000_u16)
        .band(Band::Red, 1, move |_, _| red(ndvi))
}

const ONLY_NDVI: &[&dyn Product] = &[&NDVI];

#[tokio::test]
async fn a_week_of_one_scene_becomes_an_ndvi_item_with_its_document_and_nothing_is_done_twice() {
    let delta = Delta::new(ONLY_NDVI);
    let scene = optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.777_778);
    // column 9 of the swath is column 6 of the province
    let scene = scene
        .band(Band::Blue, 1, |_, _| 1500_u16)
        .band(Band::Red, 1, |c, _| if c == 9 { 0_u16 } else { 1500 });
    delta.scene(scene).await;
    let report = delta.run(WEEK).await;
    assert_eq!(report.units[0].1, StepStatus::Made, "{report:?}");
    assert!(report.is_complete());
    let ndvi = delta.pixels::<i16>("ndvi", "ndvi", WEEK).await;
    assert!(
        ndvi.chunks(40)
            .all(|row| row[6] == -32768 && row[5] == 7778 && row[39] == 7778)
    );
    // the local date is Wednesday 19th, the week ends on Sunday 23rd
    let age = delta.pixels::<u8>("ndvi", "age_days", WEEK).await;
    assert_eq!((age[5], age[6]), (4, 255));
    assert_eq!(
        delta.pixels::<u8>("ndvi", "n_clear", WEEK).await[..7],
        [1, 1, 1, 1, 1, 1, 0]
    );
    assert_eq!(
        delta.pixels::<u8>("ndvi", "quality", WEEK).await[..7],
        [1, 1, 1, 1, 1, 1, 0]
    );
    let item = delta.item("ndvi", WEEK).await;
    let name = format!(
        "ndvi/2026/ndvi_2026-W34/ndvi-{}.tif",
        &item.assets["ndvi"].sha256.as_deref().expect("a checksum")[..16]
    );
    assert_eq!(item.assets["ndvi"].href, name);
    assert_eq!(
        (item.assets["ndvi"].scale, item.assets["ndvi"].nodata),
        (1e-4, Some(-32768.0))
    );
    assert_eq!(item.lineage, ["sentinel-2-l2a/S2A_a"]);
    assert_eq!(item.properties["sen:seen_share"], 0.975);
    assert_eq!(item.properties["sen:covered_share"], 1.0);
    let revision = delta.weekly.store.revision().await.expect("answers");
    assert_eq!(delta.run(WEEK).await.units[0].1, StepStatus::UpToDate);
    assert_eq!(delta.weekly.store.revision().await.expect("answers"), revision);
    assert!(
        delta.run("2026-W35").await.units.is_empty(),
        "a week without a scene"
    );
    assert_eq!(delta.temporary_files(), 0);
}

#[tokio::test]
async fn clouds_are_masked_from_a_scene_classification_on_a_coarser_shifted_grid() {
    let delta = Delta::new(ONLY_NDVI);
    let mut scene = optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.5);
    // one cloudy 20 m cell: columns 20-21 and rows 10-11 of the swath, 17-18 and 9-10 of the province
    scene = scene.band(Band::Scl, 2, |c, r| if (c, r) == (10, 5) { 9_u8 } else { 4 });
    delta.scene(scene).await;
    delta.run(WEEK).await;
    let clear = delta.pixels::<u8>("ndvi", "n_clear", WEEK).await;
    let at = |column: usize, row: usize| clear[row * 40 + column];
    assert_eq!(
        (
            at(17, 9),
            at(18, 10),
            at(11, 9),
            at(24, 10),
            at(17, 3),
            at(17, 16)
        ),
        (0, 0, 0, 0, 0, 0)
    );
    assert_eq!(
        (at(10, 9), at(25, 10), at(17, 2), at(17, 17), at(11, 3)),
        (1, 1, 1, 1, 1),
        "the margin is 60 m"
    );

    // the same classes on a grid of their own, off by 7 m: nearest neighbour through GDAL
    let elsewhere = tempfile::tempdir().expect("temporary folder");
    let shifted = Grid {
        west: 568_987.0,
        ..swath()
    };
    let classes = Scene::new(elsewhere.path(), "x", "scl", "2026-08-19T03:20:00Z", shifted).band(
        Band::Scl,
        2,
        |c, r| if (c, r) == (10, 5) { 9_u8 } else { 4 },
    );
    let delta = Delta::new(ONLY_NDVI);
    let mut scene = optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.5);
    scene.item.assets.extend(classes.item.assets);
    delta.scene(scene).await;
    assert_eq!(delta.run(WEEK).await.units[0].1, StepStatus::Made);
    let clear = delta.pixels::<u8>("ndvi", "n_clear", WEEK).await;
    // cell centres of the province at 5, 15 m...: the cloud from 569187 to 569207 now takes columns 18 and 19
    assert_eq!(
        (
            clear[9 * 40 + 11],
            clear[9 * 40 + 12],
            clear[9 * 40 + 25],
            clear[9 * 40 + 26]
        ),
        (1, 0, 0, 1)
    );
}

#[tokio::test]
async fn all_products_come_out_the_same_whatever_the_block_size() {
    let mut digests = Vec::new();
    for (block, memory_mib) in [(16, 256), (64, 256), (512, 1)] {
        let mut delta = Delta::new(PRODUCTS);
        delta.weekly.settings.block = block;
        delta.weekly.settings.memory_mib = memory_mib;
        let noise = |seed: usize| {
            move |c: usize, r: usize| 1500 + ((c * 7919 + r * 104_729 + seed * 31) % 2999) as u16
        };
        let cloud = |c: usize, r: usize| {
            if (c + r).is_multiple_of(13) && c > 12 {
                8_u8
            } else {
                5
            }
        };
        for (id, at) in [
            ("S2A_a", "2026-08-18T03:20:00Z"),
            ("S2B_b", "2026-08-21T03:20:00Z"),
        ] {
            let seed = id.len() + usize::from(id.as_bytes()[2]);
            let scene = Scene::new(delta.folder.path(), "sentinel-2-l2a", id, at, swath())
                .band(Band::Nir, 1, noise(seed))
                .band(Band::Red, 1, noise(seed + 1))
                .band(Band::Blue, 1, noise(seed + 2))
                .band(Band::Green, 1, noise(seed + 3))
                .band(Band::Swir16, 2, noise(seed + 4))
                .band(Band::Swir22, 2, noise(seed + 5))
                .band(Band::Scl, 2, cloud);
            delta.scene(scene).await;
        }
        let radar = Scene::new(
            delta.folder.path(),
            "sentinel-1-rtc",
            "S1A_r",
            "2026-08-19T22:45:00Z",
            swath(),
        );
        let vv = |c: usize, r: usize| f32::from(noise(9)(c, r) % 97) / 1900.0;
        delta.scene(radar.band(Band::Vv, 1, vv)).await;
        let report = delta.run(WEEK).await;
        assert!(
            report.units.iter().all(|(_, status)| *status == StepStatus::Made),
            "{report:?}"
        );
        digests.push(
            delta
                .digest()
                .await
                .replace(&*delta.folder.path().to_string_lossy(), ""),
        );
        let flood = delta.pixels::<u8>("flood_observed", "flood_observed", WEEK).await;
        assert!(flood.contains(&0) && flood.contains(&1), "both classes occur");
    }
    assert_eq!(digests[0], digests[1]);
    assert_eq!(digests[0], digests[2]);
}

#[tokio::test]
async fn a_late_scene_changes_its_week_and_no_other() {
    let delta = Delta::new(ONLY_NDVI);
    delta
        .scene(optical(&delta, "S2A_a", "2026-08-12T03:20:00Z", 0.6))
        .await;
    delta
        .scene(optical(&delta, "S2A_b", "2026-08-19T03:20:00Z", 0.6))
        .await;
    let weeks = ["2026-W33", WEEK].map(|week| week.parse().expect("a week"));
    delta.run_weeks(&weeks).await;
    let before = (
        delta.item("ndvi", "2026-W33").await,
        delta.item("ndvi", WEEK).await,
    );
    delta
        .scene(optical(&delta, "S2B_late", "2026-08-21T03:20:00Z", 0.14))
        .await;
    let report = delta.run_weeks(&weeks).await;
    let outcomes: Vec<_> = report.units.iter().map(|(_, status)| status.clone()).collect();
    assert_eq!(outcomes, [StepStatus::UpToDate, StepStatus::Made]);
    assert_eq!(delta.item("ndvi", "2026-W33").await, before.0);
    let after = delta.item("ndvi", WEEK).await;
    assert_eq!(after.lineage, ["sentinel-2-l2a/S2A_b", "sentinel-2-l2a/S2B_late"]);
    assert_ne!(after.version(), before.1.version());
    assert_eq!(
        delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0],
        1399,
        "the transplanting minimum survives"
    );
    delta.digest().await;
}

#[tokio::test]
async fn a_run_killed_between_files_and_row_is_finished_by_the_next() {
    let whole = Delta::new(ONLY_NDVI);
    whole
        .scene(optical(&whole, "S2A_a", "2026-08-19T03:20:00Z", 0.6))
        .await;
    whole.run(WEEK).await;
    let digest = whole.digest().await;

    // as after a kill: the old row is gone, one file is of the new making, one of an older, one is missing
    let item = whole.item("ndvi", WEEK).await;
    whole
        .weekly
        .store
        .delete_item("ndvi", &item.id)
        .await
        .expect("answers");
    let path = |name: &str| whole.weekly.assets.path(&item.assets[name].href);
    std::fs::write(path("n_clear"), b"an older file").expect("writes");
    std::fs::remove_file(path("quality")).expect("removes");
    assert_eq!(whole.run(WEEK).await.units[0].1, StepStatus::Made);
    assert_eq!(whole.digest().await, digest);

    // a row whose file was damaged is made again as well
    std::fs::write(path("age_days"), b"short").expect("writes");
    assert_eq!(whole.run(WEEK).await.units[0].1, StepStatus::Made);
    assert_eq!(whole.digest().await, digest);
}

#[tokio::test]
async fn a_damaged_scene_is_named_and_the_week_made_from_the_others() {
    let delta = Delta::new(ONLY_NDVI);
    delta
        .scene(optical(&delta, "S2A_good", "2026-08-19T03:20:00Z", 0.6))
        .await;
    let bad = optical(&delta, "S2B_bad", "2026-08-21T03:20:00Z", 0.1);
    let file = PathBuf::from(&bad.item.assets["red"].href);
    let bytes = std::fs::read(&file).expect("reads");
    std::fs::write(&file, &bytes[..bytes.len() * 6 / 10]).expect("cuts it off");
    // it was taken in as it is
    let (mut bad, whole) = (bad, bytes.len() as u64);
    let size = |bad: &mut Scene, bytes| {
        if let Some(red) = bad.item.assets.get_mut("red") {
            red.bytes = bytes;
        }
    };
    size(&mut bad, whole * 6 / 10);
    delta.scene(bad.clone()).await;
    let report = delta.run(WEEK).await;
    assert_eq!(report.units[0].1, StepStatus::Made);
    assert_eq!(report.left_out.len(), 1);
    assert_eq!(report.left_out[0].what, "sentinel-2-l2a/S2B_bad");
    assert!(
        report.left_out[0].reason.contains("S2B_bad_red.tif"),
        "{report:?}"
    );
    assert!(!report.is_complete());
    let item = delta.item("ndvi", WEEK).await;
    assert_eq!(item.lineage, ["sentinel-2-l2a/S2A_good"]);
    assert_eq!(item.properties["sen:failed"], json!(["sentinel-2-l2a/S2B_bad"]));
    assert_eq!(delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0], 6000);
    // once it is repaired and taken in again, the week is made from both
    std::fs::write(&file, bytes).expect("repairs it");
    size(&mut bad, whole);
    delta.scene(bad).await;
    assert!(delta.run(WEEK).await.is_complete());
    assert_eq!(delta.pixels::<i16>("ndvi", "ndvi", WEEK).await[0], 1000);
    assert_eq!(delta.temporary_files(), 0);
}

/// Counts the rows that are gone through.
#[derive(Default)]
struct RowCount(AtomicU64);

impl Progress for RowCount {
    fn begin(&self, _: &str, _: u64) {}

    fn advance(&self, rows: u64) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    fn message(&self, _: &str) {}
}

#[tokio::test]
async fn however_many_scenes_are_damaged_the_week_is_gone_through_once_more() {
    let mut delta = Delta::new(ONLY_NDVI);
    delta.weekly.settings.block = 16;
    delta.weekly.grid.height = 160;
    let tall = Grid {
        height: 180,
        ..swath()
    };
    let scene = |id: &str, day: u32| {
        let at = format!("2026-08-{day}T03:20:00Z");
        Scene::new(delta.folder.path(), "sentinel-2-l2a", id, &at, tall)
            .band(Band::Nir, 1, |_, _| 5000_u16)
            .band(Band::Red, 1, |_, _| red(0.6))
    };
    delta.scene(scene("S2A_good", 19)).await;
    // each can be read as far as another row
    for (number, tenths) in [(1, 3), (2, 5), (3, 7), (4, 9)] {
        let mut bad = scene(&format!("S2B_bad{number}"), 17 + number);
        let file = PathBuf::from(&bad.item.assets["red"].href);
        let bytes = std::fs::read(&file).expect("reads");
        let kept = bytes.len() * tenths / 10;
        std::fs::write(&file, &bytes[..kept]).expect("cuts it off");
        if let Some(red) = bad.item.assets.get_mut("red") {
            red.bytes = kept as u64;
        }
        delta.scene(bad).await;
    }
    let rows = RowCount::default();
    let report = delta.run_with(&[WEEK.parse().expect("week")], &rows).await;
    assert_eq!(report.units[0].1, StepStatus::Made, "{report:?}");
    assert_eq!(report.left_out.len(), 4, "{report:?}");
    let rows = rows.0.load(Ordering::Relaxed);
    assert!((160..320).contains(&rows), "once more at most: {rows}");
    assert_eq!(
        delta.item("ndvi", WEEK).await.lineage,
        ["sentinel-2-l2a/S2A_good"]
    );
}

#[tokio::test]
async fn a_week_of_unreadable_scenes_fails_and_publishes_nothing() {
    let delta = Delta::new(ONLY_NDVI);
    let bad = optical(&delta, "S2B_bad", "2026-08-21T03:20:00Z", 0.1);
    std::fs::write(&bad.item.assets["red"].href, b"no raster").expect("writes");
    delta.scene(bad).await;
    let report = delta.run(WEEK).await;
    assert!(
        matches!(&report.units[0].1, StepStatus::Failed { reason } if reason.contains("red.tif")),
        "{report:?}"
    );
    assert!(
        delta
            .weekly
            .store
            .item("ndvi", "ndvi_2026-W34")
            .await
            .expect("answers")
            .is_none()
    );
    assert_eq!(delta.temporary_files(), 0);
}

#[tokio::test]
async fn a_scene_without_data_gives_nodata_and_a_share_of_zero() {
    let delta = Delta::new(&[&NDVI, &crate::product::FLOOD]);
    let scene = Scene::new(
        delta.folder.path(),
        "sentinel-2-l2a",
        "S2A_nil",
        "2026-08-19T03:20:00Z",
        swath(),
    )
    .band(Band::Nir, 1, |_, _| 0_u16)
    .band(Band::Red, 1, |_, _| 0_u16)
    .band(Band::Scl, 2, |_, _| 0_u8);
    delta.scene(scene).await;
    let radar = Scene::new(
        delta.folder.path(),
        "sentinel-1-rtc",
        "S1A_nil",
        "2026-08-19T22:45:00Z",
        swath(),
    );
    delta.scene(radar.band(Band::Vv, 1, |_, _| f32::NAN)).await;
    assert!(delta.run(WEEK).await.is_complete());
    assert!(
        delta
            .pixels::<i16>("ndvi", "ndvi", WEEK)
            .await
            .iter()
            .all(|&value| value == -32768)
    );
    assert!(
        delta
            .pixels::<u8>("flood_observed", "flood_observed", WEEK)
            .await
            .iter()
            .all(|&value| value == 255)
    );
    assert_eq!(delta.item("ndvi", WEEK).await.properties["sen:seen_share"], 0.0);
}

#[tokio::test]
async fn radar_in_decibel_is_brought_to_linear_power() {
    let delta = Delta::new(&[&crate::product::FLOOD]);
    let radar = Scene::new(
        delta.folder.path(),
        "sentinel-1-rtc",
        "S1A_db",
        "2026-08-19T22:45:00Z",
        swath(),
    );
    let mut radar = radar.band(Band::Vv, 1, |c, _| if c < 23 { -20.0_f32 } else { -8.0 });
    radar
        .item
        .properties
        .insert("sen:decibel".to_owned(), json!(true));
    delta.scene(radar).await;
    delta.run(WEEK).await;
    let flood = delta.pixels::<u8>("flood_observed", "flood_observed", WEEK).await;
    assert_eq!((flood[0], flood[39]), (1, 0));
    // Lee over 7 x 7 in linear power, by hand: 0.0154 (6 columns of 0.01, 1 of 0.158), 0.0226, 0.0335; the limit is 0.0282
    assert_eq!(flood[17..21], [1, 1, 0, 0]);
    // 22:45 UTC on the 19th is the 20th here, three days before Sunday
    assert_eq!(delta.pixels::<u8>("flood_observed", "age_days", WEEK).await[0], 3);
}

#[tokio::test]
async fn a_20_m_band_and_a_10_m_band_meet_on_20_m_cells() {
    let delta = Delta::new(&[&MNDWI]);
    // green alternates by column: the mean over 20 m is 0.15
    let scene = Scene::new(
        delta.folder.path(),
        "sentinel-2-l2a",
        "S2A_m",
        "2026-08-19T03:20:00Z",
        swath(),
    )
    .band(Band::Green, 1, |c, _| if c % 2 == 0 { 2000_u16 } else { 3000 })
    .band(Band::Swir16, 2, |_, _| 1500_u16);
    delta.scene(scene).await;
    delta.run(WEEK).await;
    let mndwi = delta.pixels::<i16>("mndwi", "mndwi", WEEK).await;
    // 0.15 and 0.05 -> 0.5; the province's first column is the odd half (0.2) of a 20 m cell: 0.15 / 0.25 = 0.6
    assert_eq!(mndwi[..4], [6000, 5000, 5000, 5000]);
}

#[tokio::test]
async fn the_run_stops_when_asked_and_leaves_nothing_behind() {
    static STOPPED: AtomicBool = AtomicBool::new(true);
    let mut delta = Delta::new(ONLY_NDVI);
    delta
        .scene(optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.6))
        .await;
    delta.weekly.cancelled = &STOPPED;
    let report = delta.run(WEEK).await;
    assert!(report.cancelled && report.units.is_empty() && !report.is_complete());
    assert_eq!(delta.temporary_files(), 0);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named_and_nothing_is_published() {
    let delta = Delta::new(ONLY_NDVI);
    delta
        .scene(optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 0.6))
        .await;
    // not even root writes into a folder that is none
    let temporary = delta.folder.path().join("tmp");
    std::fs::remove_dir(&temporary).expect("is empty");
    std::fs::write(&temporary, b"").expect("writes");
    let report = delta.run(WEEK).await;
    assert!(
        matches!(&report.units[0].1, StepStatus::Failed { reason } if reason.contains("tmp")),
        "{report:?}"
    );
    assert!(
        delta
            .weekly
            .store
            .item("ndvi", "ndvi_2026-W34")
            .await
            .expect("answers")
            .is_none()
    );
}

/// A product of a test: one file and one line would be all it takes.
const BRIGHTNESS: Index = Index {
    name: "brightness",
    version: 1,
    title: "Brightness",
    formula_text: "(nir + red) / 2",
    inputs: &[Input {
        sensor: Sensor::Optical,
        bands: &[&[Band::Nir], &[Band::Red]],
    }],
    clear: mask::VEGETATION,
    formula: |bands, values| {
        for ((value, nir), red) in values.iter_mut().zip(bands[0]).zip(bands[1]) {
            *value = f32::midpoint(*nir, *red);
        }
    },
};

/// A product that is no index: how many looks there were, with a layer of its own.
struct Looks;

impl Product for Looks {
    fn name(&self) -> &'static str {
        "looks"
    }
    fn version(&self) -> u32 {
        3
    }
    fn title(&self) -> &'static str {
        "Looks"
    }
    fn rule(&self) -> String {
        "number of looks".to_owned()
    }
    fn inputs(&self) -> &'static [Input] {
        &[Input {
            sensor: Sensor::Optical,
            bands: &[&[Band::Red]],
        }]
    }
    fn encoding(&self) -> Encoding {
        Encoding::Classes
    }
    fn extra_layers(&self) -> &'static [crate::product::ExtraLayer] {
        &[crate::product::ExtraLayer {
            name: "half",
            encoding: Encoding::Index,
        }]
    }
    fn compute(&self, block: &Block) -> Output {
        let cells = block.core.width * block.core.height;
        let mut composite = composite::none(cells);
        composite.values.fill(block.looks.len() as f32);
        Output {
            composite,
            extra: vec![vec![0.5; cells]],
        }
    }
}

#[tokio::test]
async fn a_toy_product_goes_the_same_way_as_every_other() {
    let delta = Delta::new(&[&BRIGHTNESS, &Looks]);
    delta
        .scene(optical(&delta, "S2A_a", "2026-08-19T03:20:00Z", 1.0 / 3.0))
        .await;
    assert!(delta.run(WEEK).await.is_complete());
    assert_eq!(
        delta.pixels::<i16>("brightness", "brightness", WEEK).await[0],
        3000
    );
    assert_eq!(delta.pixels::<u8>("looks", "looks", WEEK).await[0], 1);
    assert_eq!(delta.pixels::<i16>("looks", "half", WEEK).await[0], 5000);
    assert_eq!(
        delta.item("looks", WEEK).await.properties["sen:product_version"],
        3
    );
}

#[tokio::test]
async fn a_scene_in_another_system_is_warped_onto_the_province() {
    let delta = Delta::new(ONLY_NDVI);
    let bounds = province().lon_lat_bounds().expect("UTM has a place on Earth");
    let bounds = Bounds::new(
        bounds.west - 0.001,
        bounds.south - 0.001,
        bounds.east + 0.001,
        bounds.north + 0.001,
    );
    let grid = Grid::covering(Crs::WGS84, bounds, 0.0001).expect("sane");
    let scene = Scene::new(
        delta.folder.path(),
        "sentinel-2-l2a",
        "S2A_ll",
        "2026-08-19T03:20:00Z",
        grid,
    )
    .band(Band::Nir, 1, |_, _| 5000_u16)
    .band(Band::Red, 1, |_, _| 1500_u16);
    delta.scene(scene).await;
    assert!(delta.run(WEEK).await.is_complete());
    assert!(
        delta
            .pixels::<i16>("ndvi", "ndvi", WEEK)
            .await
            .iter()
            .all(|&value| value == 7778)
    );
}
