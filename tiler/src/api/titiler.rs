//! `/raster/collections/{collection}[/items/{item}]/...`: the habits of TiTiler's clients, without its defects.
//!
//! A collection answers with the item of `datetime=`; an item by its id answers for itself.

use super::Standard;
use super::catalog::WEB_MERCATOR_QUAD;
use super::tiles::{self, Address, Plan};
use super::{assets, statistics, tilejson};
use crate::document;
use crate::draw::{self, Size};
use crate::encode::Format;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::layers::{LATEST, unknown};
use crate::lookup::Snapshot;
use crate::negotiate;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode as escape, segments};
use crate::state::{Pick, Raster, Shared, text_header};
use crate::time::When;
use crate::values::{self, OUTSIDE, Place};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::routing::get;
use sen_catalog::{Bounds, Item, ItemQuery};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

const CONTENT_BBOX: HeaderName = HeaderName::from_static("content-bbox");
const CONTENT_CRS: HeaderName = HeaderName::from_static("content-crs");
const CRS_3857: &str = "<http://www.opengis.net/def/crs/EPSG/0/3857>";

/// Longest side of a preview unless the client says, and what it may say at most, pixels.
const PREVIEW: usize = 1024;
const MAX_PREVIEW: usize = 4096;

/// See the module.
pub(crate) struct Titiler;

impl Standard for Titiler {
    fn routes(&self) -> Router<Shared> {
        let mut router = Router::new()
            .route("/raster/collections", get(collections))
            .route("/raster/collections/{collection}", get(collection))
            .route("/raster/collections/{collection}/items", get(items))
            .route("/raster/collections/{collection}/items/{item}", get(item));
        for base in [
            "/raster/collections/{collection}",
            "/raster/collections/{collection}/items/{item}",
        ] {
            for path in [
                "info",
                "assets",
                "statistics",
                "preview",
                "{tms}/tilejson.json",
                "tilejson.json",
                "tiles/{tms}/{z}/{x}/{y}",
                "point/{place}",
                "bbox/{box}",
                "bbox/{box}/{size}",
                "preview/{size}",
            ] {
                router = router.route(&format!("{base}/{path}"), get(dataset));
            }
            for extension in ["png", "webp"] {
                router = router.route(&format!("{base}/preview.{extension}"), get(dataset));
            }
        }
        router
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["raster"]
    }
}

/// What the addresses below a collection or an item take. Those of the second part are hints of TiTiler's clients that
/// change no pixel here; what would change one (`rescale`, `colormap_name`, `expression`) is refused: styles colour.
const PARAMETERS: &[&str] = &[
    "datetime",
    "nearest",
    "assets",
    "asset",
    "style",
    "bidx",
    "asset_bidx",
    "tilesize",
    "tileSize",
    "size",
    "tile_scale",
    "tile_format",
    "max_size",
    "width",
    "height",
    "histogram_bins",
    "v",
    "asset_as_band",
    "buffer",
    "padding",
    "return_mask",
    "pixel_selection",
    "items_limit",
    "scan_limit",
    "time_limit",
    "exitwhenfull",
    "skipcovered",
];

async fn collections(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let base = app.base_url(request.headers(), request.uri());
    let snapshot = app.lookup.snapshot().await?;
    let link = |name: &String| {
        json!({"id": name, "links": [{"rel": "self", "type": "application/json",
            "href": format!("{base}/raster/collections/{}", escape(name))}]})
    };
    let list: Vec<_> = snapshot.collections.iter().map(link).collect();
    let response = document::json(request.headers(), MINUTE, &json!({"collections": list}));
    Ok(app.with_own_address(response))
}

async fn collection(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let uri = request.uri();
    let name = segments(uri.path())?.pop().unwrap_or_default();
    let snapshot = app.lookup.snapshot().await?;
    let newest = app
        .lookup
        .item(&snapshot, &name, LATEST)
        .await?
        .ok_or_else(|| unknown(&name))?;
    let at = format!(
        "{}/raster/collections/{}",
        app.base_url(request.headers(), uri),
        escape(&name)
    );
    let b = newest.bbox;
    let document = json!({
        "id": name,
        "bbox": [b.west, b.south, b.east, b.north],
        "assets": newest.assets.keys().collect::<Vec<_>>(),
        "latest": newest.period().to_string(),
        "links": [
            {"rel": "self", "href": at},
            {"rel": "items", "href": format!("{at}/items")},
            {"rel": "tilejson", "href": format!("{at}/{WEB_MERCATOR_QUAD}/tilejson.json")},
        ],
    });
    Ok(app.with_own_address(document::json(request.headers(), MINUTE, &document)))
}

async fn items(State(app): State<Shared>, request: Request) -> Outcome {
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let name = parts.get(2).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["datetime", "bbox", "limit", "skip"])?;
    let snapshot = app.lookup.snapshot().await?;
    if !snapshot.collections.contains(name) {
        return Err(unknown(name));
    }
    let when = When::of(&query)?;
    let (from, to) = when.query.weeks();
    let bbox = query.get("bbox").map(draw::parse_box).transpose()?;
    let limit = query.number("limit", 1..=usize::MAX)?.unwrap_or(10).min(1000);
    let limit = if when.newest_alone { 1 } else { limit };
    let skip = query.number("skip", 0..=1_000_000)?.unwrap_or(0);
    let filter = ItemQuery {
        from,
        to,
        bbox,
        newest_first: true,
        // one more tells whether there is a next page
        limit: Some(limit + 1),
        skip,
        ..ItemQuery::collection(name)
    };
    let base = app.base_url(request.headers(), uri);
    let mut found = app.lookup.store().items(&filter).await?;
    let more = found.len() > limit && !when.newest_alone;
    found.truncate(limit);
    let features: Vec<_> = found.iter().map(|item| stac(item, &base)).collect();
    let mut document =
        json!({"type": "FeatureCollection", "numberReturned": features.len(), "features": features});
    if more {
        let next = query.again_with(|_| true, "skip", skip + limit);
        let next = format!("{base}/raster/collections/{}/items?{next}", escape(name));
        document["links"] = json!([{"rel": "next", "type": "application/geo+json", "href": next}]);
    }
    Ok(app.with_own_address(document::geo_json(request.headers(), MINUTE, &document)))
}

async fn item(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let item = by_id(&app, &parts).await?;
    let base = app.base_url(request.headers(), uri);
    let response = document::geo_json(request.headers(), MINUTE, &stac(&item, &base));
    Ok(app.with_own_address(response))
}

fn stac(item: &Item, base: &str) -> Value {
    let mut document = item.to_stac(|href| assets::address(base, item, href));
    let at = format!(
        "{base}/raster/collections/{}/items/{}",
        escape(&item.collection),
        escape(&item.id)
    );
    document["links"] = json!([
        {"rel": "self", "type": "application/geo+json", "href": at},
        {"rel": "collection", "type": "application/json",
            "href": format!("{base}/raster/collections/{}", escape(&item.collection))},
        {"rel": "tilejson", "type": "application/json", "href": format!("{at}/{WEB_MERCATOR_QUAD}/tilejson.json")},
    ]);
    document
}

async fn by_id(app: &Shared, parts: &[Cow<'_, str>]) -> Outcome<Item> {
    let (collection, id) = (
        parts.get(2).map_or("", AsRef::as_ref),
        parts.get(4).map_or("", AsRef::as_ref),
    );
    let found = app.lookup.store().item(collection, id).await?;
    found.ok_or_else(|| Problem::not_found("unknown-item", format!("`{collection}` has no item `{id}`")))
}

/// What a request below a collection or an item is about.
struct Subject<'a> {
    app: &'a Shared,
    snapshot: Arc<Snapshot>,
    headers: &'a HeaderMap,
    uri: &'a Uri,
    query: Query<'a>,
    /// Path of the collection or item.
    at: String,
    when: When,
    raster: Option<Arc<Raster>>,
}

impl Subject<'_> {
    fn raster(&self) -> Outcome<&Arc<Raster>> {
        self.raster.as_ref().ok_or_else(|| self.when.nothing(&self.at))
    }

    /// Addresses of an item hold for it alone; those of a collection move with time.
    fn cache(&self) -> HeaderValue {
        if self.when.is_concrete() { HOUR } else { MINUTE }
    }
}

async fn dataset(State(app): State<Shared>, request: Request) -> Outcome {
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let collection = parts.get(2).map_or("", AsRef::as_ref).to_owned();
    let query = Query::of(uri, PARAMETERS)?;
    let when = When::of(&query)?;
    check_bands(&query)?;
    let pick = Pick {
        asset: query.list("assets").next().or_else(|| query.get("asset")),
        style: query.get("style"),
    };
    let snapshot = app.lookup.snapshot().await?;
    let of_item = parts.get(3).is_some_and(|part| part == "items");
    let (raster, rest, when) = if of_item {
        let item = Arc::new(by_id(&app, &parts).await?);
        let when = When::week(item.period());
        let pick = Pick {
            asset: pick.asset.or_else(|| first_band(&item)),
            ..pick
        };
        (Some(app.raster_of(&item, pick)?), parts.get(5..), when)
    } else {
        (
            app.raster(&snapshot, &collection, when, pick).await?,
            parts.get(3..),
            when,
        )
    };
    let rest: Vec<String> = rest.unwrap_or_default().iter().map(ToString::to_string).collect();
    let depth = parts.len() - rest.len();
    let at: Vec<_> = parts.iter().take(depth).map(|part| escape(part)).collect();
    let subject = Subject {
        app: &app,
        snapshot,
        headers: request.headers(),
        uri,
        query,
        at: at.join("/"),
        when,
        raster,
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match rest.as_slice() {
        ["info"] => info(&subject).await,
        ["assets"] => {
            let names: Vec<_> = subject.raster()?.item.assets.keys().collect();
            Ok(document::json(request.headers(), subject.cache(), &json!(names)))
        }
        ["statistics"] => statistics(&subject).await,
        ["tilejson.json"] => tile_json(&subject, WEB_MERCATOR_QUAD).await,
        [tms, "tilejson.json"] => tile_json(&subject, tms).await,
        ["tiles", tms, z, x, y] => tile(&subject, tms, z, x, y).await,
        ["point", place] => point(&subject, Place::parse(place)?).await,
        ["bbox", bbox] => picture(&subject, Some(bbox), None).await,
        ["bbox", bbox, size] => picture(&subject, Some(bbox), Some(size)).await,
        ["preview", size] => picture(&subject, None, Some(size)).await,
        [preview] if preview.starts_with("preview") => picture(&subject, None, Some(preview)).await,
        _ => Err(Problem::not_found(
            "not-found",
            "there is nothing at this address",
        )),
    }
}

/// Scenes have no main asset: the first band in the order of names stands for them.
fn first_band(item: &Item) -> Option<&str> {
    if item.assets.contains_key(&item.collection) {
        None
    } else {
        item.assets.keys().next().map(String::as_str)
    }
}

/// Rasters here have one band.
fn check_bands(query: &Query<'_>) -> Outcome<()> {
    for name in ["bidx", "asset_bidx"] {
        for band in query.list(name) {
            let number = band.rsplit('|').next().unwrap_or(band);
            if number != "1" {
                return Err(Problem::bad(
                    name,
                    format!("there is no band `{band}`; the rasters here have band 1 alone"),
                ));
            }
        }
    }
    Ok(())
}

fn check_matrix_set(tms: &str) -> Outcome<()> {
    if tms == WEB_MERCATOR_QUAD {
        return Ok(());
    }
    let detail = format!("the only tile matrix set is {WEB_MERCATOR_QUAD}, not `{tms}`");
    Err(Problem::not_found("unknown-tile-matrix-set", detail))
}

fn size(query: &Query<'_>) -> Outcome<Option<u16>> {
    for name in ["tilesize", "tileSize", "size"] {
        if let Some(size) = tiles::tile_size(query, name)? {
            return Ok(Some(size));
        }
    }
    let scale = query.number("tile_scale", 1..=4)?;
    Ok(scale.map(|scale| {
        if scale == 1 {
            256
        } else {
            256 * scale.next_power_of_two() as u16
        }
    }))
}

async fn tile(subject: &Subject<'_>, tms: &str, z: &str, x: &str, y: &str) -> Outcome {
    check_matrix_set(tms)?;
    let address = Address::parse(z, x, y)?;
    let cache_control = tiles::cache_control(subject.raster.as_deref(), subject.when, &subject.query);
    let plan = Plan {
        raster: subject.raster.clone(),
        size: size(&subject.query)?,
        cache_control,
    };
    let mut response = tiles::answer(subject.app, subject.headers, &plan, address).await?;
    let Bounds {
        west,
        south,
        east,
        north,
    } = address.tile.bounds();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_BBOX,
        text_header(&format!("{west},{south},{east},{north}")),
    );
    headers.insert(CONTENT_CRS, text_header(CRS_3857));
    Ok(response)
}

async fn tile_json(subject: &Subject<'_>, tms: &str) -> Outcome {
    check_matrix_set(tms)?;
    let raster = subject.raster()?;
    let (headers, uri) = (subject.headers, subject.uri);
    let base = subject.app.base_url(headers, uri);
    let size = size(&subject.query)?.unwrap_or(256);
    let mut url = format!("{base}/{}/tiles/{tms}/{{z}}/{{x}}/{{y}}", subject.at);
    match subject.query.get("tile_format") {
        None => {}
        Some(format) if Format::from_extension(format).is_some() => {
            let _ = write!(url, ".{format}");
        }
        Some(other) => {
            return Err(Problem::bad(
                "tile_format",
                format!("`{other}` is not offered; use png or webp"),
            ));
        }
    }
    let _ = write!(url, "?datetime={}&tilesize={size}", raster.period);
    for name in ["assets", "asset", "style"] {
        if let Some(value) = subject.query.get(name) {
            let _ = write!(url, "&{name}={}", escape(value));
        }
    }
    let _ = write!(url, "&v={}", raster.version());
    let document = tilejson::describe(subject.app, &subject.snapshot, raster, &base, &url, size).await?;
    let mut response = document::json(headers, subject.cache(), &document);
    response
        .headers_mut()
        .insert(SEN_PERIOD, raster.period_header.clone());
    Ok(subject.app.with_own_address(response))
}

async fn point(subject: &Subject<'_>, place: Place) -> Outcome {
    let raster = Arc::clone(subject.raster()?);
    let (name, header) = (raster.name.clone(), raster.period_header.clone());
    let rasters = Arc::clone(&subject.app.rasters);
    let found = subject
        .app
        .cpu
        .run(move || values::value(&rasters, &raster, place))
        .await??;
    if found == Err(OUTSIDE) {
        let detail = format!("{},{} lies outside this raster", place.lon, place.lat);
        return Err(Problem::not_found("outside", detail));
    }
    let document = json!({
        "coordinates": [place.lon, place.lat],
        "values": [found.ok()],
        "band_names": ["b1"],
        "band_descriptions": [name],
    });
    let mut response = document::json(subject.headers, subject.cache(), &document);
    response.headers_mut().insert(SEN_PERIOD, header);
    Ok(response)
}

async fn picture(subject: &Subject<'_>, bbox: Option<&str>, size: Option<&str>) -> Outcome {
    let raster = subject.raster()?;
    let asked = subject.headers;
    // the format ends the size where there is one, otherwise the box
    let (text, format) = draw::split_format(size.or(bbox).unwrap_or_default())?;
    let (bbox, size) = match (bbox, size) {
        (Some(_), None) => (draw::parse_box(text)?, None),
        (Some(bbox), Some(_)) => (draw::parse_box(bbox)?, Some(text)),
        (None, size) => (
            raster.item.bbox,
            size.map(|_| text).filter(|text| *text != "preview"),
        ),
    };
    let longest = subject
        .query
        .number("max_size", 1..=MAX_PREVIEW)?
        .unwrap_or(PREVIEW);
    let width = subject.query.number("width", 1..=MAX_PREVIEW)?;
    let height = subject.query.number("height", 1..=MAX_PREVIEW)?;
    let size = match (size, width, height) {
        (Some(size), ..) => Size::parse(size)?,
        (None, Some(width), Some(height)) => Size::new(width, height)?,
        (None, Some(width), None) => draw::fitted(bbox, draw::Fit::Width(width))?,
        (None, None, Some(height)) => draw::fitted(bbox, draw::Fit::Height(height))?,
        (None, None, None) => draw::fitted(bbox, draw::Fit::Longest(longest))?,
    };
    let format = match format {
        Some(format) => format,
        None => negotiate::format(asked)?,
    };
    let cache = draw::cache(raster, subject.when, &subject.query);
    let grid = draw::grid(bbox, size);
    let mut response = draw::picture(subject.app, asked, raster, grid, format, cache).await?;
    let Bounds {
        west,
        south,
        east,
        north,
    } = grid.bounds();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_BBOX,
        text_header(&format!("{west},{south},{east},{north}")),
    );
    headers.insert(CONTENT_CRS, text_header(CRS_3857));
    Ok(response)
}

async fn info(subject: &Subject<'_>) -> Outcome {
    let raster = Arc::clone(subject.raster()?);
    let shared = Arc::clone(&raster);
    let cog = subject.app.cpu.run(move || shared.open_cog()).await??;
    let (b, grid, level) = (raster.item.bbox, cog.grid(), cog.levels());
    let asset = &raster.asset;
    let document = json!({
        "bounds": [b.west, b.south, b.east, b.north],
        "crs": "http://www.opengis.net/def/crs/EPSG/0/4326",
        "band_metadata": [["b1", {}]],
        "band_descriptions": [["b1", raster.name]],
        "dtype": statistics::type_name(cog.data_type()),
        "nodata_type": if asset.nodata.or(cog.nodata()).is_some() { "Nodata" } else { "None" },
        "nodata_value": asset.nodata.or(cog.nodata()),
        "colorinterp": ["gray"],
        "scales": [asset.scale],
        "offsets": [asset.offset],
        "driver": "GTiff",
        "count": cog.bands(),
        "width": grid.width,
        "height": grid.height,
        "overviews": level.iter().skip(1).map(|level| grid.width.div_ceil(level.width)).collect::<Vec<_>>(),
        "native_crs": grid.crs.to_string(),
        "period": raster.period.to_string(),
    });
    Ok(document::json(subject.headers, subject.cache(), &document))
}

async fn statistics(subject: &Subject<'_>) -> Outcome {
    let raster = Arc::clone(subject.raster()?);
    let longest = subject
        .query
        .number("max_size", 1..=MAX_PREVIEW)?
        .unwrap_or(PREVIEW);
    let bins = subject.query.number("histogram_bins", 1..=256)?.unwrap_or(10);
    let document = subject
        .app
        .cpu
        .run(move || statistics::of(&raster, longest, bins))
        .await??;
    Ok(document::json(
        subject.headers,
        subject.cache(),
        &json!({"b1": document}),
    ))
}
