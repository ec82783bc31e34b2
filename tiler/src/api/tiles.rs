//! `/{layer}/{z}/{x}/{y}[@2x][.png|.webp|.pbf|.mvt]`: raster and vector tiles as Martin's clients ask for them, with time.

use super::Standard;
use super::vector::{self, VectorPlan};
use crate::encode::{self, Format};
use crate::headers::{self, SEN_PERIOD, SERVER_TIMING};
use crate::layers::{collection_of, unknown};
use crate::lookup::Snapshot;
use crate::measure::Kind;
use crate::negotiate;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode as escape, segments};
use crate::state::{App, Pick, Raster, Shared};
use crate::tile_cache::{Form, Tile, TileKey};
use crate::time::When;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use sen_catalog::TileCoord;
use sen_catalog::item::SCENE_COLLECTIONS;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Longest query whose meaning is kept, bytes.
const MAX_KEPT_QUERY: usize = 256;

/// What the address of a raster tile takes; its TileJSON takes the same.
pub(crate) const PARAMETERS: &[&str] = &["datetime", "nearest", "asset", "style", "size", "v"];

/// See the module.
pub(crate) struct Tiles;

impl Standard for Tiles {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/{layer}/{z}/{x}/{y}", get(tile))
            .route("/tiles/{layer}/{z}/{x}/{y}", get(redirect))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["tiles"]
    }

    fn is_pictures(&self) -> bool {
        true
    }
}

/// What a tile address means, whichever kind of layer it names.
#[derive(Clone, Debug)]
pub(crate) enum Drawn {
    /// Pixels.
    Raster(Arc<Plan>),
    /// Features.
    Vector(Arc<VectorPlan>),
}

/// What the address of a raster tile says apart from its numbers.
#[derive(Debug)]
pub(crate) struct Plan {
    /// `None` when no item holds the time asked for.
    pub(crate) raster: Option<Arc<Raster>>,
    /// `size=` of the query.
    pub(crate) size: Option<u16>,
    /// How long the answer holds.
    pub(crate) cache_control: HeaderValue,
}

/// The numbers of a tile address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) tile: TileCoord,
    /// 512 for `@2x`.
    pub(crate) double: bool,
    /// By the extension.
    pub(crate) format: Option<Format>,
    /// True for the extensions of vector tiles.
    pub(crate) vector: bool,
}

impl Address {
    /// Reads `z`, `x` and `y[@2x][.ext]`.
    pub(crate) fn parse(z: &str, x: &str, y: &str) -> Outcome<Self> {
        let (y, extension) = y
            .split_once('.')
            .map_or((y, None), |(y, extension)| (y, Some(extension)));
        let vector = matches!(extension, Some("pbf" | "mvt"));
        let format = extension
            .filter(|_| !vector)
            .map(|extension| {
                let wrong = || {
                    Problem::not_found(
                        "unknown-format",
                        format!("tiles are png, webp or pbf, not `{extension}`"),
                    )
                };
                Format::from_extension(extension).ok_or_else(wrong)
            })
            .transpose()?;
        let (y, double) = match y.split_once('@') {
            None => (y, false),
            Some((y, "1x")) => (y, false),
            Some((y, "2x")) => (y, true),
            Some((_, scale)) => {
                return Err(Problem::bad(
                    "y",
                    format!("`@{scale}` is not offered; use @2x or size=512"),
                ));
            }
        };
        let number = |name: &'static str, text: &str| -> Outcome<u32> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits {
                return Err(Problem::bad(
                    name,
                    format!("`{text}` is not a whole number from 0 on"),
                ));
            }
            // more digits than fit are outside of every matrix
            Ok(text.parse().unwrap_or(u32::MAX))
        };
        let (z, x, y) = (number("z", z)?, number("x", x)?, number("y", y)?);
        let tile = u8::try_from(z)
            .ok()
            .and_then(|z| TileCoord::new(z, x, y))
            .ok_or_else(|| {
                Problem::not_found(
                    "outside-matrix",
                    format!("WebMercatorQuad has no tile {z}/{x}/{y}"),
                )
            })?;
        Ok(Self {
            tile,
            double,
            format,
            vector,
        })
    }
}

async fn redirect(request: Request) -> Outcome {
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let path: Vec<_> = parts
        .iter()
        .skip(1)
        .map(|part| escape(part).replace("%40", "@"))
        .collect();
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    // relative, so that it holds behind a proxy with a prefix: up from z and x, layer and `tiles`
    let target = format!("../../../../{}{query}", path.join("/"));
    let mut response = Redirect::permanent(&target).into_response();
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    Ok(response)
}

async fn tile(State(app): State<Shared>, request: Request) -> Outcome {
    let uri = request.uri();
    let mut parts = uri.path().trim_start_matches('/').split('/');
    let (Some(layer), Some(z), Some(x), Some(y)) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Problem::not_found(
            "not-found",
            "there is nothing at this address",
        ));
    };
    let snapshot = app.lookup.snapshot().await?;
    let query = uri.query().unwrap_or("");
    let key = (snapshot.revision, format!("{layer}?{query}"));
    let known = app.plans.get(&key).filter(|plan| match plan {
        Drawn::Raster(_) => true,
        Drawn::Vector(plan) => plan.holds(&snapshot),
    });
    let plan = if let Some(plan) = known {
        plan
    } else {
        let layer = segments(layer)?.pop().unwrap_or_default();
        let plan = if vector::is_vector(&snapshot, &layer) {
            let asked = Query::with_filters(uri, vector::PARAMETERS)?;
            Drawn::Vector(Arc::new(vector::plan(&app, &snapshot, &layer, &asked).await?))
        } else {
            let asked = Query::of(uri, PARAMETERS)?;
            Drawn::Raster(Arc::new(plan(&app, &snapshot, &layer, &asked).await?))
        };
        // long queries are nobody's habit, and would fill the memory of plans
        if query.len() <= MAX_KEPT_QUERY {
            app.plans.insert(key, plan.clone());
        }
        plan
    };
    let address = match Address::parse(z, x, y) {
        // an escaped digit or `@` is unusual, yet the same address
        Err(_) if uri.path().contains('%') => {
            let parts = segments(uri.path())?;
            let part = |index: usize| parts.get(index).map_or("", |part: &Cow<'_, str>| part);
            Address::parse(part(1), part(2), part(3))?
        }
        parsed => parsed?,
    };
    let mut response = match &plan {
        Drawn::Raster(plan) => answer(&app, request.headers(), plan, address).await?,
        Drawn::Vector(plan) => vector::answer(&app, request.headers(), plan, address).await?,
    };
    response.extensions_mut().insert(Kind::Tile);
    Ok(response)
}

async fn plan(app: &Shared, snapshot: &Snapshot, layer: &str, query: &Query<'_>) -> Outcome<Plan> {
    let when = When::of(query)?;
    let size = tile_size(query, "size")?;
    let pick = Pick {
        asset: query.get("asset"),
        style: query.get("style"),
    };
    let collection = collection_of(layer);
    if SCENE_COLLECTIONS.contains(&collection) {
        return Err(unknown(layer));
    }
    let raster = app.raster(snapshot, collection, when, pick).await?;
    let cache_control = cache_control(raster.as_deref(), when, query);
    Ok(Plan {
        raster,
        size,
        cache_control,
    })
}

/// 256 or 512, or whatever TiTiler's clients ask for up to 1024.
pub(crate) fn tile_size(query: &Query<'_>, name: &'static str) -> Outcome<Option<u16>> {
    let size = query.number(name, 1..=1024)?;
    match size {
        None => Ok(None),
        Some(size @ (256 | 512 | 1024)) => Ok(Some(size as u16)),
        Some(size) => Err(Problem::bad(
            name,
            format!("{name}={size} is not offered; use 256, 512 or 1024"),
        )),
    }
}

/// Immutable for a concrete week with its version, an hour without the version, a minute for what may move on.
pub(crate) fn cache_control(raster: Option<&Raster>, when: When, query: &Query<'_>) -> HeaderValue {
    let Some(raster) = raster else {
        return headers::MINUTE;
    };
    match query.get("v") {
        Some(version) if when.is_concrete() && version == raster.version() => headers::IMMUTABLE,
        None if when.is_concrete() => headers::HOUR,
        // what moves on, and new pixels under the address of an old version
        Some(_) | None => headers::MINUTE,
    }
}

/// The tile, from memory or drawn now.
pub(crate) async fn answer(app: &Shared, asked: &HeaderMap, plan: &Plan, address: Address) -> Outcome {
    let Some((raster, key, format)) = key(asked, plan, address)? else {
        return Ok(empty(None, plan));
    };
    let negotiated = address.format.is_none();
    if let Some(response) = at_hand(app, asked, plan, raster, (&key, format), negotiated) {
        return Ok(response);
    }
    app.measures.tile_misses.fetch_add(1, Relaxed);
    let ticket = match app.admission.tile().await {
        Ok(ticket) => ticket,
        Err(refused) => return Ok(refused),
    };
    let (started, waited) = (Instant::now(), ticket.waited());
    let (rasters, drawn) = (Arc::clone(&app.rasters), Arc::clone(raster));
    let make = move || {
        let _place = ticket; // taken until the tile is drawn, whether the client has gone or not
        let grid = key.tile.grid(usize::from(key.size));
        let image = rasters.render(&drawn.asset(), &drawn.style, &grid)?;
        image.map(|image| encode::encode(&image, format)).transpose()
    };
    let tile = app.tiles.get_or_make(&app.cpu, key, make).await?;
    let timing = headers::timing("draw", started.elapsed(), waited);
    Ok(respond(tile, timing, plan, raster, format, negotiated))
}

/// Which finished tile an address means; `None` when no item holds the time asked for.
fn key<'a>(
    asked: &HeaderMap,
    plan: &'a Plan,
    address: Address,
) -> Outcome<Option<(&'a Arc<Raster>, TileKey, Format)>> {
    if address.vector {
        let detail = "this layer is a raster; its tiles are png or webp";
        return Err(Problem::not_found("unknown-format", detail));
    }
    let format = match address.format {
        Some(format) => format,
        None => negotiate::format(asked)?,
    };
    let size = plan.size.unwrap_or(if address.double { 512 } else { 256 });
    let key = |raster: &Raster| TileKey {
        source: raster.source,
        tile: address.tile,
        size,
        form: Form::Picture(format),
    };
    Ok(plan.raster.as_ref().map(|raster| (raster, key(raster), format)))
}

/// What can be said without drawing: 304, or a tile that is ready.
fn at_hand(
    app: &App,
    asked: &HeaderMap,
    plan: &Plan,
    raster: &Raster,
    (key, format): (&TileKey, Format),
    negotiated: bool,
) -> Option<Response> {
    if let Some(mut response) = headers::unmodified(asked, || key.etag()) {
        decorate(response.headers_mut(), raster, plan, negotiated);
        return Some(response);
    }
    let tile = app.tiles.ready(key)?;
    app.measures.tile_hits.fetch_add(1, Relaxed);
    Some(respond(
        tile,
        HeaderValue::from_static("cache;desc=hit"),
        plan,
        raster,
        format,
        negotiated,
    ))
}

/// A tile that was asked for a moment ago, found without the router: all its parts are in memory.
///
/// Whatever is unusual about the request is left to the router; so are all errors.
pub(crate) fn ready<B>(app: &App, request: &hyper::Request<B>) -> Option<Response> {
    if request.method() != Method::GET {
        return None;
    }
    let (uri, asked) = (request.uri(), request.headers());
    let mut parts = uri.path().strip_prefix('/')?.split('/');
    let (layer, z, x, y) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let snapshot = app.lookup.fresh()?;
    let plan = app.plans.get(&(
        snapshot.revision,
        format!("{layer}?{}", uri.query().unwrap_or("")),
    ))?;
    let address = Address::parse(z, x, y).ok()?;
    match &plan {
        Drawn::Raster(plan) => {
            let (raster, key, format) = key(asked, plan, address).ok()??;
            at_hand(app, asked, plan, raster, (&key, format), address.format.is_none())
        }
        Drawn::Vector(plan) => vector::ready(app, &snapshot, asked, plan, address),
    }
}

fn respond(
    tile: Tile,
    timing: HeaderValue,
    plan: &Plan,
    raster: &Raster,
    format: Format,
    negotiated: bool,
) -> Response {
    let Some(tile) = tile else {
        return empty(Some(raster), plan);
    };
    let mut response = Response::new(Body::from(tile.body));
    let headers = response.headers_mut();
    headers.reserve(12);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(format.media_type()),
    );
    headers.insert(header::ETAG, tile.etag);
    headers.insert(SERVER_TIMING, timing);
    decorate(headers, raster, plan, negotiated);
    response
}

fn decorate(headers: &mut HeaderMap, raster: &Raster, plan: &Plan, negotiated: bool) {
    headers.insert(SEN_PERIOD, raster.period_header.clone());
    headers.insert(header::CACHE_CONTROL, plan.cache_control.clone());
    if negotiated {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
}

/// 204: nothing to draw there, or no item of that time. Without a validator, as Martin does it.
fn empty(raster: Option<&Raster>, plan: &Plan) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    if let Some(raster) = raster {
        headers.insert(SEN_PERIOD, raster.period_header.clone());
    }
    headers.insert(header::CACHE_CONTROL, plan.cache_control.clone());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_refused_with_the_right_status() {
        let read = |z, x, y| Address::parse(z, x, y);
        let plain = read("12", "3249", "1928").expect("exists");
        assert_eq!((plain.double, plain.format), (false, None));
        let double = read("12", "3249", "1928@2x.webp").expect("exists");
        assert_eq!((double.double, double.format), (true, Some(Format::Webp)));
        for (z, x, y, status) in [
            ("31", "0", "0", 404),
            ("99999999999", "0", "0", 404),
            ("0", "1", "0", 404),
            ("-1", "0", "0", 400),
            ("1", "+1", "0", 400),
            ("1", "a", "0", 400),
            ("1", "", "0", 400),
            ("1", "0", "0@3x", 400),
            ("1", "0", "0.jpg", 404),
            ("1", "0", "1e0", 400),
        ] {
            assert_eq!(
                read(z, x, y).expect_err("refused").status().as_u16(),
                status,
                "{z}/{x}/{y}"
            );
        }
    }
}
