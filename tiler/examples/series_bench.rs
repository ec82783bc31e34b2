//! How long the time series of one plot takes at 200,000 plots and 104 weeks, through the router, codes at random:
//! `cargo run --release -p sen-tiler --example series_bench [PLOTS] [WEEKS] [REQUESTS]`. Makes 2.5 GB in a temporary
//! folder (`TMPDIR`) and takes it away again.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement ends by panicking and speaks to the terminal"
)]

use axum::body::{Body, to_bytes};
use axum::http::Request;
use geo_types::{Coord, Rect};
use sen_catalog::object::sum_file;
use sen_catalog::statistic::{StatisticTable, ZonalStatistic, asset_name};
use sen_catalog::store::{Features, SqliteStore};
use sen_catalog::{Asset, Assets, Crs, Feature, FeatureQuery, Grid, Item, Period, Store};
use sen_tiler::{App, ServeOptions, router};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// Features of one transaction.
const BATCH: usize = 20_000;

fn plot(number: usize) -> Feature {
    let (x, y) = (
        105.2 + (number % 500) as f64 * 0.001,
        10.1 + (number / 500) as f64 * 0.001,
    );
    let corner = Coord {
        x: x + 0.0009,
        y: y + 0.0009,
    };
    let mut plot = Feature::new(
        "plots",
        format!("DT-{number:06}"),
        Rect::new(Coord { x, y }, corner).to_polygon().into(),
    );
    plot.name = Some(format!("Thửa {number}"));
    plot
}

async fn make(store: &SqliteStore, assets: &Assets, plots: usize, weeks: usize) {
    for start in (0..plots).step_by(BATCH) {
        let batch = (start..plots.min(start + BATCH)).map(plot).collect();
        store.put_features(batch).await.unwrap();
    }
    let fids = store.fids(&FeatureQuery::layer("plots")).await.unwrap();
    let mut period: Period = "2024-W45".parse().unwrap();
    for week in 0..weeks {
        let grid = Grid {
            crs: Crs::UTM_48N,
            west: 500_000.0,
            north: 1_200_000.0,
            cell_width: 10.0,
            cell_height: 10.0,
            width: 10,
            height: 10,
        };
        let mut item = Item {
            id: Item::weekly_id("ndvi", period),
            collection: "ndvi".into(),
            interval: period.interval(),
            grid,
            bbox: grid.lon_lat_bounds().unwrap(),
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        };
        let statistic = |index: usize| ZonalStatistic {
            count: 30.0,
            mean: Some(((index * 7 + week * 13) % 900) as f64 / 1000.0),
            valid_fraction: 0.9,
            area_ha: 1.0,
            ..ZonalStatistic::default()
        };
        let row = |(index, fid): (usize, &i64)| (*fid, format!("DT-{index:06}"), statistic(index));
        let rows: Vec<_> = fids.iter().enumerate().map(row).collect();
        let name = asset_name("plots");
        let temporary = assets.temporary(&name);
        StatisticTable::write(&temporary, &rows, &BTreeMap::new()).unwrap();
        let sums = sum_file(&temporary).unwrap();
        let href = Assets::href(&item, &name, "arrow", &sums.sha256);
        assets.publish(&temporary, &href).unwrap();
        item.assets.insert(name, sums.of_asset(Asset::new(href)));
        store.put_item(&item).await.unwrap();
        period = period.next();
    }
}

#[tokio::main]
async fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().unwrap());
    let mut number = |usual| numbers.next().unwrap_or(usual);
    let (plots, weeks, requests) = (number(200_000), number(104), number(2000));
    let folder = tempfile::tempdir().unwrap();
    let assets = Assets::open(folder.path()).unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("catalog.sqlite")).unwrap());
    let began = Instant::now();
    make(&store, &assets, plots, weeks).await;
    println!(
        "{plots} plots x {weeks} weeks made in {:.0} s",
        began.elapsed().as_secs_f64()
    );
    // what was just written goes to the disk first: the question is how fast it is read
    std::process::Command::new("sync").status().unwrap();
    let app = App::new(
        Arc::clone(&store) as Arc<dyn Store>,
        assets,
        &ServeOptions::default(),
    )
    .unwrap();
    let router = router(app);
    let mut times: Vec<Duration> = Vec::with_capacity(requests);
    for request in 0..=requests {
        // a fixed walk through all codes, far apart from one request to the next
        let code = request * 7919 % plots;
        let uri = format!("/api/v1/zones/plots/DT-{code:06}/statistics?collection=ndvi");
        let began = Instant::now();
        let answer = router
            .clone()
            .oneshot(Request::get(uri).body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let took = began.elapsed();
        let found: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(found["values"].as_array().map(Vec::len), Some(weeks));
        if request == 0 {
            println!(
                "first request, which opens the tables: {:.1} ms",
                took.as_secs_f64() * 1e3
            );
        } else {
            times.push(took);
        }
    }
    times.sort_unstable();
    let ms = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{requests} requests: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms",
        ms(0.5),
        ms(0.99),
        ms(1.0)
    );
}
