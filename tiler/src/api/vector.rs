//! Vector tiles of the feature layers: what an address means, and its answer. The routes are those of `tiles` and
//! `tilejson`, where one name may be either kind of layer.

use super::tiles::Address;
use crate::headers::{self, SEN_PERIOD, SERVER_TIMING};
use crate::layers;
use crate::lookup::Snapshot;
use crate::negotiate::{self, Coding, VECTOR};
use crate::problem::{Outcome, Problem};
use crate::query::{self, Condition, Query};
use crate::state::{App, Shared, text_header};
use crate::tile_cache::{Form, Tile, TileKey};
use crate::time::When;
use crate::vector::crowd::Crowds;
use crate::vector::index::{Index, day};
use crate::vector::overlay;
use crate::vector::pack::pack;
use crate::vector::shelf::Kept;
use crate::vector::tile::{View, render};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sen_catalog::TileCoord;
use sen_catalog::feature::Layer;
use sen_catalog::intake::STATIONS;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Instant, SystemTime};

/// Most layers in one tile.
const MOST_LAYERS: usize = 16;

/// Parameters that are no property.
pub(crate) const PARAMETERS: &[&str] = &["datetime", "nearest", "v"];

/// Changes when tiles of the same features come out otherwise than before.
const EDITION: &str = "mvt 2";

/// What the address of a vector tile says apart from its numbers.
#[derive(Debug)]
pub(crate) struct VectorPlan {
    /// In the order of the address, each once.
    pub(crate) layers: Vec<LayerPlan>,
    filter: Vec<Condition>,
    day: i32,
    /// True when `day` is today because nothing was said.
    moves: bool,
    /// The observations' revision, where sensors' values are shown.
    observations: Option<u64>,
    /// Hash of everything that is shown.
    source: u64,
    /// The newest week whose values are shown.
    pub(crate) period: Option<String>,
    period_header: Option<HeaderValue>,
    cache_control: HeaderValue,
}

/// A layer of a plan.
#[derive(Debug)]
pub(crate) struct LayerPlan {
    pub(crate) layer: Layer,
    /// What the tables of the week say of it.
    pub(crate) overlays: Vec<overlay::Source>,
    /// How full its tiles are.
    crowds: Arc<Crowds>,
}

impl VectorPlan {
    /// What `v=` says in an address that never changes its bytes.
    pub(crate) fn version(&self) -> String {
        format!("{:012x}", self.source >> 16)
    }

    /// True for a parameter that says what is shown.
    pub(crate) fn says(&self, name: &str) -> bool {
        (PARAMETERS.contains(&name) && name != "v")
            || self.filter.iter().any(|condition| condition.key == name)
    }

    /// False once another day has begun, or sensors have said more.
    pub(crate) fn holds(&self, snapshot: &Snapshot) -> bool {
        (!self.moves || self.day == today())
            && self
                .observations
                .is_none_or(|revision| revision == snapshot.observations)
    }

    fn key(&self, asked: &HeaderMap, address: Address) -> Outcome<TileKey> {
        if address.format.is_some() || address.double {
            let detail =
                "vector tiles have no size and no picture format; leave out the extension, or use .pbf";
            return Err(Problem::not_found("unknown-format", detail));
        }
        if !address.vector {
            negotiate::accepts_vector(asked)?;
        }
        Ok(TileKey {
            source: self.source,
            tile: address.tile,
            size: 0,
            form: Form::Vector(Coding::of(asked)),
        })
    }
}

/// The current day here (UTC+7).
fn today() -> i32 {
    const UNIX_EPOCH_DAY: i32 = 719_163; // of the common era, as chrono counts
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    UNIX_EPOCH_DAY + ((seconds + 7 * 3600) / 86_400) as i32
}

/// The feature layer that clients reach by a name.
pub(crate) fn layer_of<'a>(snapshot: &'a Snapshot, name: &str) -> Option<&'a Layer> {
    snapshot
        .features
        .iter()
        .find(|layer| layers::feature_layer_name(snapshot, &layer.name) == name)
}

/// True when the name, or any name of a comma list, is a feature layer and none is a raster.
pub(crate) fn is_vector(snapshot: &Snapshot, names: &str) -> bool {
    names.contains(',') || layer_of(snapshot, names).is_some()
}

/// Reads what an address asks for.
pub(crate) async fn plan(
    app: &Shared,
    snapshot: &Snapshot,
    names: &str,
    query: &Query<'_>,
) -> Outcome<VectorPlan> {
    let when = When::of(query)?;
    let (_, last) = when.query.weeks();
    let day = last.map_or_else(today, |week| day(week.last_day()));
    let mut layers: Vec<LayerPlan> = Vec::new();
    for name in names.split(',') {
        let layer = layer_of(snapshot, name).ok_or_else(|| {
            if snapshot.collections.contains(layers::collection_of(name)) {
                Problem::bad(
                    "layer",
                    format!("`{name}` is a raster; rasters are drawn one at a time"),
                )
            } else {
                layers::unknown(name)
            }
        })?;
        if layers.iter().any(|known| known.layer.name == layer.name) {
            continue;
        }
        if layers.len() == MOST_LAYERS {
            return Err(Problem::bad(
                "layer",
                format!("a tile holds at most {MOST_LAYERS} layers"),
            ));
        }
        layers.push(LayerPlan {
            layer: layer.clone(),
            overlays: overlay::sources(app, snapshot, &layer.name, when).await?,
            crowds: Arc::default(),
        });
    }
    let mut filter = query.conditions()?;
    let mut hash = Sha256::new();
    let mut mark = |text: &str| {
        hash.update(text.as_bytes());
        hash.update([0]);
    };
    mark(EDITION);
    let mut unknown: Vec<String> = filter.iter().map(|condition| condition.key.clone()).collect();
    for plan in &mut layers {
        let span = match app.vectors.layer(&plan.layer).await? {
            Kept::Index(index) => {
                plan.layer.revision = index.revision.max(plan.layer.revision);
                unknown.retain(|key| {
                    let known = index.columns.iter().any(|column| column.key == *key);
                    !known && !plan.overlays.iter().any(|overlay| overlay.has(key))
                });
                index.span(day)
            }
            Kept::TooLarge => {
                plan.crowds = Arc::new(Crowds::estimated(&plan.layer));
                // its properties are not known without reading it
                unknown.retain(|key| filter.iter().any(|one| one.is_passer_by && one.key == *key));
                day as usize
            }
        };
        mark(&plan.layer.name);
        mark(&plan.layer.revision.to_string());
        mark(&span.to_string());
        for overlay in &plan.overlays {
            mark(overlay.version());
        }
    }
    // what caches and gateways hang on is a condition only where there is such a property
    filter.retain(|condition| !(condition.is_passer_by && unknown.contains(&condition.key)));
    if let Some(key) = unknown
        .iter()
        .find(|key| filter.iter().any(|one| one.key == **key))
    {
        return Err(no_field(app, &layers, names, key).await);
    }
    for condition in &filter {
        mark(&condition.key);
        condition.values.iter().for_each(|value| mark(value.text()));
        mark("");
    }
    let source = sen_catalog::asset::short_digest(&hash.finalize());
    let sensors = layers.iter().any(|plan| plan.layer.name == STATIONS);
    let period = layers
        .iter()
        .flat_map(|plan| &plan.overlays)
        .filter_map(overlay::Source::period)
        .max()
        .map(|period| period.to_string());
    let mut plan = VectorPlan {
        layers,
        filter,
        day,
        moves: last.is_none(),
        observations: sensors.then_some(snapshot.observations),
        source,
        period_header: period.as_deref().map(text_header),
        period,
        cache_control: headers::MINUTE,
    };
    // as rasters: for ever with its version, an hour with a week, a minute for what moves on. A version covers all that
    // is shown, the week too, so it need not be named beside it
    plan.cache_control = match query.get("v") {
        Some(version) if version == plan.version() => headers::IMMUTABLE,
        None if when.is_concrete() => headers::HOUR,
        Some(_) | None => headers::MINUTE,
    };
    Ok(plan)
}

/// 400 for a condition on what no layer has, with the nearest of what they have.
async fn no_field(app: &Shared, layers: &[LayerPlan], names: &str, key: &str) -> Problem {
    let mut known: Vec<String> = PARAMETERS.iter().map(ToString::to_string).collect();
    for plan in layers {
        // what cannot be read now is not offered
        let fields = fields(app, plan).await.unwrap_or_default();
        known.extend(fields.into_iter().map(|(field, _)| field));
    }
    let key: String = key.chars().take(60).collect();
    let nearest = query::nearest(&key, known.iter().map(String::as_str));
    Problem::bad(
        key.clone(),
        format!(
            "`{key}` is neither a property of {names} nor a parameter of tiles; did you mean `{}`? The TileJSON lists \
             the fields",
            nearest.unwrap_or_default()
        ),
    )
}
/// The tile, from memory or cut now.
pub(crate) async fn answer(
    app: &Shared,
    asked: &HeaderMap,
    plan: &Arc<VectorPlan>,
    address: Address,
) -> Outcome {
    let key = plan.key(asked, address)?;
    if let Some(response) = at_hand(app, asked, plan, &key, address.vector) {
        return Ok(response);
    }
    app.measures.tile_misses.fetch_add(1, Relaxed);
    // a layer that is read for the first time takes seconds, once for all who wait: they take no places meanwhile
    for LayerPlan { layer, .. } in &plan.layers {
        app.vectors.layer(layer).await?;
    }
    let ticket = match app.admission.tile().await {
        Ok(ticket) => ticket,
        Err(refused) => return Ok(refused),
    };
    let (started, waited) = (Instant::now(), ticket.waited());
    let views = views(app, plan, address.tile).await?;
    let make = move || {
        let _place = ticket; // taken until the tile is cut, whether the client has gone or not
        let tile = render(&views, key.tile);
        let Form::Vector(coding) = key.form else {
            return Ok(tile);
        };
        tile.map(|tile| pack(tile, coding)).transpose()
    };
    let tile = app.tiles.get_or_make(&app.cpu, key, make).await?;
    let timing = headers::timing("draw", started.elapsed(), waited);
    Ok(respond(tile, timing, plan, key, address.vector))
}

/// The layers of a tile with all that is said of them.
async fn views(app: &Shared, plan: &VectorPlan, tile: TileCoord) -> Outcome<Vec<View>> {
    let mut views = Vec::with_capacity(plan.layers.len());
    for LayerPlan {
        layer,
        overlays,
        crowds,
    } in &plan.layers
    {
        let (index, whole) = match app.vectors.layer(layer).await? {
            Kept::Index(index) => (index, true),
            Kept::TooLarge => (app.vectors.part(layer, tile).await?, false),
        };
        let mut over = Vec::with_capacity(overlays.len());
        for source in overlays {
            over.push(app.overlays.get(app, source, &index, whole).await?);
        }
        // in a tile of several layers a condition is one of those that have the property
        let has = |key: &str| {
            let mut over = over.iter().flat_map(|overlay| overlay.columns());
            index.columns.iter().any(|column| column.key == key) || over.any(|column| column.key == key)
        };
        let filter = plan
            .filter
            .iter()
            .filter(|condition| plan.layers.len() == 1 || has(&condition.key));
        views.push(View {
            filter: filter.cloned().collect(),
            overlays: over,
            index,
            day: plan.day,
            crowds: Arc::clone(crowds),
        });
    }
    Ok(views)
}

/// The fields of a layer as TileJSON names them, attributes in the order in which they are kept.
pub(crate) async fn fields(app: &Shared, plan: &LayerPlan) -> Outcome<Vec<(String, &'static str)>> {
    let index: Arc<Index> = match app.vectors.layer(&plan.layer).await? {
        Kept::Index(index) => index,
        Kept::TooLarge => return Ok(Vec::new()),
    };
    let mut overlays = Vec::with_capacity(plan.overlays.len());
    for source in &plan.overlays {
        overlays.push(app.overlays.get(app, source, &index, true).await?);
    }
    let view = View {
        index,
        overlays,
        filter: Vec::new(),
        day: 0,
        crowds: Arc::default(),
    };
    Ok(view
        .columns()
        .iter()
        .map(|column| (column.key.clone(), column.kind.name()))
        .collect())
}

/// What can be said without cutting: 304, or a tile that is ready.
fn at_hand(app: &App, asked: &HeaderMap, plan: &VectorPlan, key: &TileKey, named: bool) -> Option<Response> {
    if let Some(mut response) = headers::unmodified(asked, || key.etag()) {
        decorate(response.headers_mut(), plan, named);
        return Some(response);
    }
    let tile = app.tiles.ready(key)?;
    app.measures.tile_hits.fetch_add(1, Relaxed);
    Some(respond(
        tile,
        HeaderValue::from_static("cache;desc=hit"),
        plan,
        *key,
        named,
    ))
}

/// A tile that was asked for a moment ago; see `tiles::ready`.
pub(crate) fn ready(
    app: &App,
    snapshot: &Snapshot,
    asked: &HeaderMap,
    plan: &VectorPlan,
    address: Address,
) -> Option<Response> {
    if !plan.holds(snapshot) {
        return None;
    }
    let key = plan.key(asked, address).ok()?;
    at_hand(app, asked, plan, &key, address.vector)
}

fn respond(tile: Tile, timing: HeaderValue, plan: &VectorPlan, key: TileKey, named: bool) -> Response {
    let Some(tile) = tile else {
        // 204 without a validator, as for rasters
        let mut response = StatusCode::NO_CONTENT.into_response();
        decorate(response.headers_mut(), plan, named);
        return response;
    };
    let mut response = Response::new(Body::from(tile.body));
    let headers = response.headers_mut();
    headers.reserve(12);
    headers.insert(header::CONTENT_TYPE, VECTOR);
    headers.insert(header::ETAG, tile.etag);
    headers.insert(SERVER_TIMING, timing);
    if let Form::Vector(coding) = key.form
        && let Some(coding) = coding.header()
    {
        headers.insert(header::CONTENT_ENCODING, coding);
    }
    decorate(headers, plan, named);
    response
}

fn decorate(headers: &mut HeaderMap, plan: &VectorPlan, named: bool) {
    if let Some(period) = &plan.period_header {
        headers.insert(SEN_PERIOD, period.clone());
    }
    headers.insert(header::CACHE_CONTROL, plan.cache_control.clone());
    let vary = if named {
        "Accept-Encoding"
    } else {
        "Accept, Accept-Encoding"
    };
    headers.insert(header::VARY, HeaderValue::from_static(vary));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_the_day_here() {
        let here = chrono::Utc::now().with_timezone(&sen_catalog::period::local_zone());
        assert!(
            (today() - day(here.date_naive())).abs() <= 1,
            "at most midnight between the two"
        );
    }
}
