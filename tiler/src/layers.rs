//! Layers as clients see them: the weekly collections under their names, with titles, extent, zooms and weeks.

use crate::api::is_reserved;
use crate::lookup::Snapshot;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{App, Raster};
use crate::style::Language;
use crate::time::When;
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::{Item, ItemQuery, Period, TimeQuery};
use std::borrow::Cow;
use std::sync::Arc;

/// Width of the world in EPSG:3857 over 256 pixels, metres: the cell of zoom 0 at the equator.
const CELL_AT_ZERO_M: f64 = 2.0 * sen_catalog::tms::WORLD_HALF_M / 256.0;

/// Length of a degree of a great circle, metres.
const DEGREE_M: f64 = 111_319.49;

/// A week that a layer has.
#[derive(Clone, Debug)]
pub(crate) struct Week {
    pub(crate) period: Period,
    /// Share of the grid that was seen, 0 to 1, where the item tells.
    pub(crate) seen_share: Option<f64>,
    /// See [`Raster::version`].
    pub(crate) version: String,
}

/// The name a collection is reached by: a reserved one gets `.1`, as Martin does it.
pub(crate) fn layer_name(collection: &str) -> String {
    if is_reserved(collection) {
        format!("{collection}.1")
    } else {
        collection.to_owned()
    }
}

/// The name a feature layer is reached by: one that rasters or the service have taken gets `.1`.
pub(crate) fn feature_layer_name<'a>(snapshot: &Snapshot, layer: &'a str) -> Cow<'a, str> {
    if is_reserved(layer) || snapshot.collections.contains(layer) {
        format!("{layer}.1").into()
    } else {
        layer.into()
    }
}

/// The collection behind a layer's name.
pub(crate) fn collection_of(layer: &str) -> &str {
    layer
        .strip_suffix(".1")
        .filter(|name| is_reserved(name))
        .unwrap_or(layer)
}

/// The collections that are drawn as layers, sorted; scenes are reached item by item.
pub(crate) fn layers(snapshot: &Snapshot) -> impl Iterator<Item = &str> {
    snapshot
        .collections
        .iter()
        .map(String::as_str)
        .filter(|name| !SCENE_COLLECTIONS.contains(name))
}

/// True for a collection that is drawn as a layer.
pub(crate) fn is_layer(snapshot: &Snapshot, collection: &str) -> bool {
    layers(snapshot).any(|known| known == collection)
}

/// The layer that `collection=` of a query names.
pub(crate) fn asked<'q>(snapshot: &Snapshot, query: &'q Query<'_>) -> Outcome<&'q str> {
    let name = query
        .get("collection")
        .ok_or_else(|| Problem::bad("collection", "say which layer: collection=ndvi"))?;
    let collection = collection_of(name);
    if is_layer(snapshot, collection) {
        Ok(collection)
    } else {
        Err(unknown(name))
    }
}

/// The newest item of a collection.
pub(crate) const LATEST: When = When {
    query: TimeQuery::Latest,
    nearest: false,
    newest_alone: true,
};

impl App {
    /// The weeks of a collection, oldest first.
    pub(crate) async fn weeks(&self, snapshot: &Snapshot, collection: &str) -> Outcome<Arc<Vec<Week>>> {
        if !snapshot.collections.contains(collection) {
            return Err(unknown(collection));
        }
        let key = (snapshot.revision, collection.to_owned());
        if let Some(weeks) = self.weeks.get(&key) {
            return Ok(weeks);
        }
        let items = self
            .lookup
            .store()
            .items(&ItemQuery::collection(collection))
            .await?;
        let week = |item: Item| {
            let item = Arc::new(item);
            let (period, seen_share) = (item.period(), seen_share(&item));
            let version = self
                .raster_of(&item, crate::state::Pick::default())
                .map_or(String::new(), |r| r.version());
            Week {
                period,
                seen_share,
                version,
            }
        };
        let weeks: Vec<_> = items.into_iter().map(week).collect();
        let weeks = Arc::new(weeks);
        self.weeks.insert(key, Arc::clone(&weeks));
        Ok(weeks)
    }
}

/// 404 for a name that is no layer.
pub(crate) fn unknown(name: &str) -> Problem {
    Problem::not_found(
        "unknown-layer",
        format!("there is no layer `{name}`; see /catalog"),
    )
}

/// Share of the grid with a look, as the item's properties tell it.
fn seen_share(item: &Item) -> Option<f64> {
    ["sen:seen_share", "seen_share"]
        .iter()
        .find_map(|name| item.properties.get(*name)?.as_f64())
}

impl Raster {
    /// First and last zoom worth asking for: from the raster on a few tiles to its full resolution.
    pub(crate) fn zooms(&self) -> (u8, u8) {
        let grid = &self.item.grid;
        let latitude = f64::midpoint(self.item.bbox.south, self.item.bbox.north).clamp(-85.0, 85.0);
        let cell_m = if grid.crs.is_geographic() {
            grid.cell_height * DEGREE_M
        } else {
            grid.cell_height
        };
        let last = (CELL_AT_ZERO_M * latitude.to_radians().cos() / cell_m)
            .log2()
            .ceil()
            .clamp(0.0, 22.0);
        let tiles = grid.width.max(grid.height) as f64 / 256.0;
        // two zooms more than fit one tile, so that the layer does not vanish at the view of a whole region
        let first = (last - tiles.log2().ceil().max(0.0) - 2.0).max(0.0);
        (first as u8, last as u8)
    }
}

/// `lang=` of a query, then `Accept-Language`, then Vietnamese.
pub(crate) fn language(query: &Query<'_>, headers: &axum::http::HeaderMap) -> Outcome<Language> {
    match query.get("lang") {
        Some("vi") => Ok(Language::Vi),
        Some("en") => Ok(Language::En),
        Some(other) => Err(Problem::bad(
            "lang",
            format!("`{other}` is not offered; use vi or en"),
        )),
        None => Ok(crate::negotiate::language(headers)),
    }
}
