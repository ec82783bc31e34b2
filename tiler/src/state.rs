//! What all handlers share, and how a request's layer, asset and style become something that can be drawn.

use crate::admission::{Admission, Workers};
use crate::cpu::Cpu;
use crate::damage::UnmarkedDamage;
use crate::forwarded::{self, Proxy};
use crate::headers;
use crate::layers::Week;
use crate::lookup::{Lookup, Snapshot};
use crate::machine::{MemoryPlan, memory_limit};
use crate::measure::Measures;
use crate::problem::{Outcome, Problem};
use crate::refusals::Refusals;
use crate::server::{MetricsAccess, ServeOptions};
use crate::source::{RasterAsset, RasterSource};
use crate::style::{Style, Styles};
use crate::tile_cache::TileCache;
use crate::time::When;
use crate::vector::overlay::Overlays;
use crate::vector::shelf::Shelf;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;
use moka::sync::Cache;
use sen_catalog::intake::Intake;
use sen_catalog::raster::Cog;
use sen_catalog::{Asset, Assets, Band, Bounds, Item, Period, Store};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The surface between stations by inverse distances, beside the one by kriging that the item is named after.
const IDW: &str = "idw";

/// How handlers hold the [`App`].
pub(crate) type Shared = Arc<App>;

/// The service without its sockets.
#[derive(Debug)]
pub struct App {
    pub(crate) lookup: Lookup,
    /// The way in for what sensors say.
    pub(crate) intake: Arc<Intake>,
    pub(crate) assets: Assets,
    /// Damaged files of a catalogue that cannot be written.
    pub(crate) unmarked: UnmarkedDamage,
    pub(crate) styles: Styles,
    pub(crate) rasters: Arc<RasterSource>,
    pub(crate) tiles: Arc<TileCache>,
    pub(crate) cpu: Cpu,
    /// The threads of all requests but tiles.
    pub(crate) workers: Workers,
    /// Who may be worked on.
    pub(crate) admission: Arc<Admission>,
    /// The log's memory of 503.
    pub(crate) refusals: Refusals,
    /// Who may read the counters.
    pub(crate) metrics: MetricsAccess,
    pub(crate) measures: Arc<Measures>,
    /// What a tile address without its numbers means, by revision, layer and query text.
    pub(crate) plans: Cache<(u64, String), crate::api::tiles::Drawn>,
    /// Feature layers in memory.
    pub(crate) vectors: Arc<Shelf>,
    /// What is newest of their features.
    pub(crate) overlays: Overlays,
    /// The weeks of a collection, by revision.
    pub(crate) weeks: Cache<(u64, String), Arc<Vec<Week>>>,
    /// The weekly tables of zone statistics.
    pub(crate) tables: crate::api::zones::Tables,
    /// Which administrative unit each zone is counted in.
    pub(crate) divisions: crate::api::zones::Divisions,
    /// The box of the province in degrees, where it is known.
    pub(crate) province: Option<Bounds>,
    pub(crate) public_url: Option<String>,
    pub(crate) trusted_proxies: Vec<Proxy>,
    pub(crate) requests: AtomicU64,
}

impl App {
    /// Prepares the service; nothing is read from the store yet.
    ///
    /// # Errors
    /// When a built-in style is damaged or the threads cannot be started.
    pub fn new(
        store: Arc<dyn Store>,
        assets: Assets,
        options: &ServeOptions,
    ) -> sen_catalog::Result<Arc<Self>> {
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let pool = |error| sen_catalog::Error::io("thread pool", error);
        let memory = MemoryPlan::of(options, memory_limit())?;
        Ok(Arc::new(Self {
            intake: Arc::new(Intake::new(Arc::clone(&store), options.quality.clone())),
            vectors: Arc::new(Shelf::new(
                Arc::clone(&store),
                usize::try_from(memory.vectors).unwrap_or(usize::MAX),
            )),
            overlays: Overlays::default(),
            lookup: Lookup::new(store, options.refresh_ms),
            assets,
            unmarked: UnmarkedDamage::default(),
            styles: Styles::built_in()?,
            rasters: Arc::new(RasterSource::new(memory.blocks)),
            tiles: Arc::new(TileCache::new(memory.tiles)),
            cpu: Cpu::new(threads.get()).map_err(pool)?,
            workers: Workers::new(threads).map_err(pool)?,
            admission: Admission::new(threads.get(), options.queue, memory.answers, memory.bodies),
            refusals: Refusals::default(),
            metrics: options.metrics,
            measures: Arc::default(),
            plans: Cache::new(4096),
            weeks: Cache::new(64),
            tables: crate::api::zones::Tables::new(memory.tables),
            divisions: crate::api::zones::Divisions::default(),
            province: options.province,
            public_url: options.public_url.clone(),
            trusted_proxies: options.trusted_proxies.clone(),
            requests: AtomicU64::new(0),
        }))
    }

    /// Looks for changes of the store now instead of at the next request that is due.
    pub async fn refresh(&self) -> Result<(), Problem> {
        self.lookup.refresh().await.map(|_| ())
    }

    /// An answer that holds [`App::base_url`]: it depends on what the proxies say of it, unless it is configured.
    pub(crate) fn with_own_address(&self, mut response: Response) -> Response {
        if self.public_url.is_none() {
            forwarded::vary_on_address(&mut response);
        }
        response
    }

    /// The address under which the client of this request sees the service; see [`App::with_own_address`].
    pub(crate) fn base_url(&self, headers: &HeaderMap, uri: &Uri) -> String {
        headers::base_url(headers, self.public_url.as_deref(), uri.path())
    }

    /// The raster of a collection at a time; `None` when no item holds that time.
    pub(crate) async fn raster(
        &self,
        snapshot: &Snapshot,
        collection: &str,
        when: When,
        pick: Pick<'_>,
    ) -> Outcome<Option<Arc<Raster>>> {
        let Some(item) = self.lookup.item(snapshot, collection, when).await? else {
            return Ok(None);
        };
        self.raster_of(&item, pick).map(Some)
    }

    /// The rasters of several weeks, in their order. Weeks without the asset are left out; when none has it, that is an error
    /// that names those there are.
    pub(crate) fn rasters_of(&self, items: Vec<Item>, pick: Pick<'_>) -> Outcome<Vec<Arc<Raster>>> {
        let items: Vec<Arc<Item>> = items.into_iter().map(Arc::new).collect();
        let has = |item: &&Arc<Item>| {
            let name = pick.asset.unwrap_or(&item.collection);
            item.assets.get(name).is_some_and(Asset::is_raster)
        };
        let mut chosen: Vec<&Arc<Item>> = items.iter().filter(has).collect();
        if chosen.is_empty() {
            chosen.extend(items.last());
        }
        chosen
            .into_iter()
            .map(|item| self.raster_of(item, pick))
            .collect()
    }

    /// The raster of an item.
    pub(crate) fn raster_of(&self, item: &Arc<Item>, pick: Pick<'_>) -> Outcome<Arc<Raster>> {
        let name = pick.asset.unwrap_or(&item.collection);
        let Some(asset) = item.assets.get(name).filter(|asset| asset.is_raster()) else {
            let rasters = item.assets.iter().filter(|(_, asset)| asset.is_raster());
            let known: Vec<_> = rasters.map(|(name, _)| name.as_str()).collect();
            let known = known.join(", ");
            return Err(Problem::bad(
                "asset",
                format!("`{}` has no asset `{name}`; it has {known}", item.id),
            ));
        };
        if asset.href.contains("://") {
            return Err(Problem::bad(
                "asset",
                format!("the asset `{name}` of `{}` lies on another server", item.id),
            ));
        }
        let style = match pick.style {
            Some(id) => {
                let unknown = || Problem::bad("style", format!("there is no style `{id}`; see /catalog"));
                self.styles.style(id).ok_or_else(unknown)?.clone()
            }
            // another way to the same numbers is drawn like the main one
            None => match self.styles.style(if name == IDW {
                item.collection.as_str()
            } else {
                name
            }) {
                Some(style) => style.clone(),
                None => grey(name, asset)?,
            },
        };
        Ok(Arc::new(Raster::new(
            Arc::clone(item),
            name.to_owned(),
            asset.clone(),
            style,
            &self.assets,
        )))
    }
}

/// How a raster is drawn that has no style file: black to white over what such values usually span.
///
/// The span is the same for every week, so that weeks can be compared.
fn grey(name: &str, asset: &Asset) -> sen_catalog::Result<Style> {
    let (low, high) = match asset.band {
        Some(Band::Vv) => (0.0, 0.3), // linear gamma0: open water 0.01, fields 0.1, towns above 0.3
        Some(Band::Vh) => (0.0, 0.08),
        Some(band) if !band.is_categorical() => (0.0, 0.4), // reflectance
        None if asset.scale != 1.0 => (-1.0, 1.0),          // an index of the scaled integers of products
        Some(_) | None => (0.0, 255.0),
    };
    let resampling = if asset.band.is_some_and(Band::is_categorical) {
        "nearest"
    } else {
        "bilinear"
    };
    let document = json!({
        "id": "grey",
        "title": {"vi": name, "en": name},
        "unit": asset.unit.as_deref().unwrap_or_default(),
        "resampling": resampling,
        "scheme": {
            "kind": "ramp", "domain": [low, high], "steps": 128,
            "colours": ["#000000", "#ffffff"], "ticks": [low, high],
        },
    });
    Style::from_json(&document.to_string())
}

/// Which asset and style a request chose.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pick<'a> {
    /// The asset's name; the one called like the collection when absent.
    pub(crate) asset: Option<&'a str>,
    /// The style's name; the one called like the asset when absent.
    pub(crate) style: Option<&'a str>,
}

/// An asset of an item with the style it is drawn in.
#[derive(Debug)]
pub(crate) struct Raster {
    pub(crate) item: Arc<Item>,
    pub(crate) name: String,
    pub(crate) asset: Asset,
    pub(crate) style: Style,
    assets: Assets,
    /// Changes with the pixels and with the style: the heart of every validator.
    pub(crate) source: u64,
    pub(crate) period: Period,
    pub(crate) period_header: HeaderValue,
}

impl Raster {
    fn new(item: Arc<Item>, name: String, asset: Asset, style: Style, assets: &Assets) -> Self {
        let checksum = asset.sha256.as_deref().unwrap_or(&asset.href);
        let parts = [
            &item.collection,
            &item.id,
            item.version(),
            &name,
            checksum,
            &style.id,
            &style.version,
        ];
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let digest = hasher.finalize();
        let source = sen_catalog::asset::short_digest(&digest);
        let period = item.period();
        Self {
            name,
            asset,
            style,
            assets: assets.clone(),
            source,
            period,
            period_header: text_header(&period.to_string()),
            item,
        }
    }

    /// What `v=` says in an address that never changes its bytes.
    pub(crate) fn version(&self) -> String {
        format!("{:012x}", self.source >> 16)
    }

    /// Whose table the classes are by, where the item says: `vi`, `en`, `in_force_here`.
    pub(crate) fn citation(&self) -> Option<&Value> {
        citation(&self.item)
    }

    /// The asset as the raster source wants it.
    pub(crate) fn asset(&self) -> RasterAsset<'_> {
        RasterAsset::new(&self.assets, &self.asset)
    }

    /// The open file, for who reads it past the cache of blocks.
    ///
    /// # Errors
    /// When it is gone or damaged.
    pub(crate) fn open_cog(&self) -> sen_catalog::Result<Cog> {
        Cog::over(self.assets.open_object(&self.asset)?)
    }
}

/// Whose table the classes of an item are by, where it says: it must stand wherever a level is read.
pub(crate) fn citation(item: &Item) -> Option<&Value> {
    item.properties.get("sen:citation")
}

/// A header value of text that came from our own rows; what no header may hold becomes `?`.
pub(crate) fn text_header(text: &str) -> HeaderValue {
    let clean: String = text
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    HeaderValue::try_from(clean).unwrap_or(HeaderValue::from_static("?"))
}
