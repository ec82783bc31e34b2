//! NDVI of two band COGs of one scene through the weekly run, to be timed: `weekly_ndvi RED NIR DATA_FOLDER`.

use sen_catalog::raster::Cog;
use sen_catalog::run::StepReport;
use sen_catalog::store::SqliteStore;
use sen_catalog::{Asset, Assets, Band, Interval, Item, Store};
use sen_processing::pipeline::Weekly;
use sen_processing::product::NDVI;
use sen_processing::run::Silent;
use sen_processing::settings::Settings;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [red, nir, data] = paths.as_slice() else {
        return Err("usage: weekly_ndvi RED NIR DATA_FOLDER".into());
    };
    let grid = *Cog::open(red)?.grid();
    let asset = |band, path: &PathBuf| {
        let asset = Asset {
            band: Some(band),
            scale: 1e-4,
            nodata: Some(0.0),
            ..Asset::new(path.to_string_lossy())
        };
        (band.name().to_owned(), asset)
    };
    let scene = Item {
        id: "S2A_bench".to_owned(),
        collection: "sentinel-2-l2a".to_owned(),
        interval: Interval::instant("2026-08-19T03:20:00Z".parse()?),
        grid,
        bbox: grid.lon_lat_bounds()?,
        assets: [asset(Band::Red, red), asset(Band::Nir, nir)]
            .into_iter()
            .collect(),
        lineage: Vec::new(),
        properties: serde_json::Map::new(),
    };
    let week = scene.period();
    let store = Arc::new(SqliteStore::in_memory().expect("opens"));
    store.put_item(&scene).await?;
    let cancelled = AtomicBool::new(false);
    let weekly = Weekly {
        store,
        assets: Assets::open(data)?,
        grid,
        products: &[&NDVI],
        code_version: "bench".to_owned(),
        settings: Settings::default(),
        cancelled: &cancelled,
    };
    let mut report = StepReport::new("rasters");
    weekly.make_week(week, &mut report, &Silent).await?;
    if report.is_complete() {
        Ok(())
    } else {
        Err(format!("{report:?}").into())
    }
}
