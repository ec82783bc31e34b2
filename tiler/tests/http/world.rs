//! A small catalogue in a temporary folder, and a client without sockets.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use sen_catalog::object::sum_file;
use sen_catalog::raster::{CogProfile, CogWriter, Compression, DataType, Overviews, Pixel};
use sen_catalog::store::SqliteStore;
use sen_catalog::{Asset, Assets, Crs, Grid, Item, ItemQuery, Period, Store};
use sen_tiler::{App, ServeOptions, router};
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt;

/// Stored value without data of the measures.
pub(crate) const NODATA: i16 = -32768;

/// Longitude and latitude of a cell with data.
pub(crate) const INSIDE: (f64, f64) = (105.6325, 10.4603);

pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) assets: Assets,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("ASCII"))
    }
}

/// 300 x 300 cells of 10 m around [`INSIDE`].
pub(crate) fn grid() -> Grid {
    Grid {
        crs: Crs::UTM_48N,
        west: 567_730.0,
        north: 1_157_900.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 300,
        height: 300,
    }
}

pub(crate) fn week(text: &str) -> Period {
    text.parse().expect("a week")
}

impl World {
    /// No items yet; the catalogue is asked at every request.
    pub(crate) fn empty() -> Self {
        Self::with(&ServeOptions {
            refresh_ms: 0,
            ..ServeOptions::default()
        })
    }

    /// Puts every item into another store too.
    pub(crate) async fn copy_items_to(&self, other: &dyn Store) {
        for item in self.store.items(&ItemQuery::default()).await.expect("items") {
            other.put_item(&item).await.expect("put");
        }
    }

    /// The same files behind another store.
    pub(crate) fn behind(&self, store: Arc<dyn Store>, options: &ServeOptions) -> Router {
        router(App::new(store, self.assets.clone(), options).expect("an app"))
    }

    pub(crate) fn with(options: &ServeOptions) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let assets = Assets::open(folder.path()).expect("asset folders");
        let store = Arc::new(SqliteStore::in_memory().expect("opens"));
        let app = App::new(Arc::clone(&store) as Arc<dyn Store>, assets.clone(), options).expect("an app");
        let router = router(Arc::clone(&app));
        Self {
            folder,
            store,
            assets,
            router,
        }
    }

    /// Three weeks of NDVI (0.3, 0.5, 0.7), of which the second has a hole, and a week of flood classes.
    pub(crate) async fn rice() -> Self {
        let world = Self::empty();
        for (name, value) in [("2026-W32", 3000), ("2026-W33", 5000), ("2026-W34", 7000)] {
            world.put_ndvi(week(name), value).await;
        }
        world.put_flood(week("2026-W34")).await;
        world
    }

    /// A week of NDVI of one value; the ten eastern columns hold no data.
    pub(crate) async fn put_ndvi(&self, period: Period, value: i16) -> Item {
        let row: Vec<i16> = (0..300)
            .map(|column| if column < 290 { value } else { NODATA })
            .collect();
        let pixels: Vec<i16> = row.iter().copied().cycle().take(300 * 300).collect();
        let mut item = empty_item("ndvi", period);
        let main = self.write(&item, "ndvi", &pixels, Some(f64::from(NODATA)), 0.0001);
        item.assets.insert("ndvi".into(), main);
        let clear = self.write(&item, "n_clear", &vec![2_u8; 300 * 300], None, 1.0);
        item.assets.insert("n_clear".into(), clear);
        item.properties.insert("seen_share".into(), 0.83.into());
        self.store.put_item(&item).await.expect("stored");
        item
    }

    /// Northern half water, southern half not seen.
    pub(crate) async fn put_flood(&self, period: Period) {
        let pixels: Vec<u8> = (0..300 * 300)
            .map(|cell| if cell < 300 * 150 { 1 } else { 253 })
            .collect();
        let mut item = empty_item("flood", period);
        let main = self.write(&item, "flood", &pixels, Some(255.0), 1.0);
        item.assets.insert("flood".into(), main);
        self.store.put_item(&item).await.expect("stored");
    }

    /// How the looks behind a week of flood voted: their number, and the likelihood of water in per cent.
    pub(crate) async fn put_votes(&self, period: Period, looks: u8, likelihood: u8) {
        let id = Item::weekly_id("flood", period);
        let item = self.store.item("flood", &id).await.expect("a store");
        let mut item = item.expect("the week");
        for (name, value) in [("n_clear", looks), ("likelihood", likelihood)] {
            let mut asset = self.write(&item, name, &vec![value; 300 * 300], Some(255.0), 1.0);
            asset.unit = (name == "likelihood").then(|| "%".to_owned());
            item.assets.insert(name.into(), asset);
        }
        self.store.put_item(&item).await.expect("stored");
    }

    fn write<T: Pixel>(
        &self,
        item: &Item,
        name: &str,
        pixels: &[T],
        nodata: Option<f64>,
        scale: f64,
    ) -> Asset {
        let temporary = self.assets.temporary(name);
        let profile = CogProfile {
            grid: item.grid,
            data_type: T::DATA_TYPE,
            nodata,
            scale,
            offset: 0.0,
            compression: Compression::Zstd(3),
            block: 128,
            overviews: if T::DATA_TYPE == DataType::U8 {
                Overviews::Mode
            } else {
                Overviews::Average
            },
            description: name.to_owned(),
        };
        let mut writer = CogWriter::create(&temporary, profile).expect("a writer");
        writer.write_rows(pixels).expect("rows");
        writer.finish().expect("a file");
        let sums = sum_file(&temporary).expect("checksums");
        let href = Assets::href(item, name, "tif", &sums.sha256);
        self.assets.publish(&temporary, &href).expect("published");
        sums.of_asset(Asset {
            nodata,
            scale,
            ..Asset::new(href)
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[]).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(&self.router, method, path, headers).await
    }
}

pub(crate) async fn ask(router: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "map.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body").to_vec();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// The same with a body.
pub(crate) async fn ask_with(world: &World, method: Method, path: &str, body: String) -> Answer {
    let request = Request::builder().method(method).uri(path).body(Body::from(body));
    let response = world.router.clone().oneshot(request.expect("a request")).await;
    let (parts, body) = response.expect("infallible").into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
    }
}

fn empty_item(collection: &str, period: Period) -> Item {
    Item {
        id: Item::weekly_id(collection, period),
        collection: collection.to_owned(),
        interval: period.interval(),
        grid: grid(),
        bbox: grid().lon_lat_bounds().expect("inside the zone"),
        assets: std::collections::BTreeMap::default(),
        lineage: vec!["sentinel-2-l2a/made-up".to_owned()],
        properties: serde_json::Map::default(),
    }
}

/// The tile of a zoom over [`INSIDE`].
pub(crate) fn tile(zoom: u32) -> String {
    let (x, y) = sen_catalog::crs::lon_lat_to_mercator(INSIDE.0, INSIDE.1);
    let half = sen_catalog::tms::WORLD_HALF_M;
    let extent = 2.0 * half / f64::from(1_u32 << zoom);
    format!(
        "{zoom}/{}/{}",
        ((x + half) / extent) as u32,
        ((half - y) / extent) as u32
    )
}
