//! `/{layer}` and `/{layer}.json`: TileJSON 3.0 with time and legend, or with the fields of vector layers.

use super::{Standard, vector};
use crate::document;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::layers::{self, collection_of, layer_name};
use crate::lookup::Snapshot;
use crate::page;
use crate::problem::Outcome;
use crate::query::{Query, encode as escape, segments};
use crate::state::{App, Pick, Raster, Shared, text_header};
use crate::time::When;
use crate::vector::DETAIL_ZOOM;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use sen_catalog::Bounds;
use sen_catalog::crs::lon_lat_to_mercator;
use sen_catalog::feature::Layer;
use sen_catalog::tms::WORLD_HALF_M;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// See the module.
pub(crate) struct TileJson;

impl Standard for TileJson {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/{layer}", get(layer))
    }
}

async fn layer(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let name = segments(uri.path())?.pop().unwrap_or_default();
    let snapshot = app.lookup.snapshot().await?;
    let layer = name.strip_suffix(".json").unwrap_or(&name);
    let collection = collection_of(layer);
    if vector::is_vector(&snapshot, layer) {
        return features(&app, &snapshot, layer, uri, headers).await;
    }
    if !layers::is_layer(&snapshot, collection) {
        return page::file(&name, headers).ok_or_else(|| layers::unknown(layer));
    }
    let query = Query::of(uri, super::tiles::PARAMETERS)?;
    let when = When::of(&query)?;
    let pick = Pick {
        asset: query.get("asset"),
        style: query.get("style"),
    };
    let raster = app
        .raster(&snapshot, collection, when, pick)
        .await?
        .ok_or_else(|| when.nothing(collection))?;
    let size = super::tiles::tile_size(&query, "size")?.unwrap_or(256);
    let base = app.base_url(headers, uri);
    let mut url = format!(
        "{base}/{}/{{z}}/{{x}}/{{y}}?datetime={}",
        escape(&layer_name(collection)),
        raster.period
    );
    for name in ["asset", "style", "size"] {
        if let Some(value) = query.get(name) {
            let _ = write!(url, "&{name}={}", escape(value));
        }
    }
    let _ = write!(url, "&v={}", raster.version());
    let document = describe(&app, &snapshot, &raster, &base, &url, size).await?;
    let cache = if when.is_concrete() { HOUR } else { MINUTE };
    let mut response = document::json(headers, cache, &document);
    response
        .headers_mut()
        .insert(SEN_PERIOD, raster.period_header.clone());
    Ok(app.with_own_address(response))
}

/// The TileJSON of one or more feature layers in one tile.
async fn features(app: &Shared, snapshot: &Snapshot, names: &str, uri: &Uri, headers: &HeaderMap) -> Outcome {
    let query = Query::with_filters(uri, vector::PARAMETERS)?;
    let concrete = When::of(&query)?.is_concrete();
    let plan = vector::plan(app, snapshot, names, &query).await?;
    let base = app.base_url(headers, uri);
    let path: Vec<_> = names.split(',').map(escape).collect();
    let mut url = format!("{base}/{}/{{z}}/{{x}}/{{y}}?", path.join(","));
    url += &query.again_with(|name| plan.says(name), "v", plan.version());
    let mut bounds: Option<Bounds> = None;
    let mut layers = Vec::new();
    for plan in &plan.layers {
        let Layer { name, bounds: b, .. } = &plan.layer;
        bounds = Some(bounds.map_or(*b, |all| {
            let (west, south) = (all.west.min(b.west), all.south.min(b.south));
            Bounds::new(west, south, all.east.max(b.east), all.north.max(b.north))
        }));
        let fields: Map<String, Value> = vector::fields(app, plan)
            .await?
            .into_iter()
            .map(|(key, kind)| (key, json!(kind)))
            .collect();
        layers.push(json!({
            "id": name, "fields": fields, "minzoom": zooms(*b).0, "maxzoom": zooms(*b).1,
            "geometry": plan.layer.shape.name(),
        }));
    }
    let b = bounds.ok_or_else(|| layers::unknown(names))?;
    let (first, last) = zooms(b);
    let document = json!({
        "tilejson": "3.0.0",
        "name": names,
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [url],
        "bounds": [b.west, b.south, b.east, b.north],
        "center": [f64::midpoint(b.west, b.east), f64::midpoint(b.south, b.north), u8::midpoint(first, last)],
        "minzoom": first,
        "maxzoom": last,
        "format": "pbf",
        "vector_layers": layers,
        "time": {"default": plan.period},
    });
    let mut response = document::json(headers, if concrete { HOUR } else { MINUTE }, &document);
    if let Some(period) = plan.period.as_deref() {
        response.headers_mut().insert(SEN_PERIOD, text_header(period));
    }
    Ok(app.with_own_address(response))
}

/// First and last zoom worth asking for: from the view of a region, in which the layer fills a quarter of a tile, to where
/// outlines are drawn as they are.
fn zooms(b: Bounds) -> (u8, u8) {
    let ((west, south), (east, north)) = (
        lon_lat_to_mercator(b.west, b.south.max(-85.0)),
        lon_lat_to_mercator(b.east, b.north.min(85.0)),
    );
    let last = DETAIL_ZOOM;
    let fits = (2.0 * WORLD_HALF_M / (east - west).max(north - south).max(1.0)).log2();
    ((fits - 2.0).floor().clamp(0.0, f64::from(last) - 6.0) as u8, last)
}

/// The TileJSON of a raster whose tiles are at `url`.
pub(crate) async fn describe(
    app: &App,
    snapshot: &Snapshot,
    raster: &Raster,
    base: &str,
    url: &str,
    size: u16,
) -> Outcome<Value> {
    let b = raster.item.bbox;
    let (first, last) = raster.zooms();
    // a tile of 512 pixels holds what four of 256 of the next zoom do
    let coarser = u8::from(size >= 512) + u8::from(size >= 1024);
    let (first, last) = (first.saturating_sub(coarser), last.saturating_sub(coarser));
    let centre = [
        f64::midpoint(b.west, b.east),
        f64::midpoint(b.south, b.north),
        f64::from(u8::midpoint(first, last)),
    ];
    let weeks = app.weeks(snapshot, &raster.item.collection).await?;
    let values: Vec<_> = weeks.iter().map(|week| week.period.to_string()).collect();
    let title = &raster.style.title;
    let styled = app.styles.style(&raster.style.id).is_some();
    let legend = styled.then(|| format!("{base}/api/v1/legends/{}", escape(&raster.style.id)));
    let mut document = json!({
        "tilejson": "3.0.0",
        "name": title.vi,
        "description": title.en,
        "version": "1.0.0",
        "scheme": "xyz",
        "tiles": [url],
        "bounds": [b.west, b.south, b.east, b.north],
        "center": centre,
        "minzoom": first,
        "maxzoom": last,
        "tileSize": size,
        "format": "png",
        "legend": legend,
        "time": {"default": raster.period.to_string(), "latest": values.last(), "values": values},
    });
    if let Some(citation) = raster.citation() {
        document["attribution"] = attribution(citation).into();
        document["citation"] = citation.clone();
    }
    Ok(document)
}

/// Whose table it is, in both languages, as the HTML that maps show in their corner.
fn attribution(citation: &Value) -> String {
    let in_force = citation["in_force_here"].as_bool().unwrap_or_default();
    let (vi, en) = if in_force {
        ("", "")
    } else {
        (" (chưa ban hành cho tỉnh này)", " (not issued for this province)")
    };
    let text = |language: &str| citation[language].as_str().unwrap_or_default();
    format!("{}{vi} · {}{en}", text("vi"), text("en"))
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
