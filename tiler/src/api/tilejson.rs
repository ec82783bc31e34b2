//! `/{layer}` and `/{layer}.json`: TileJSON 3.0 with time and legend.

use super::Standard;
use crate::document;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::layers::{self, collection_of, layer_name};
use crate::lookup::Snapshot;
use crate::page;
use crate::problem::Outcome;
use crate::query::{Query, encode as escape, segments};
use crate::state::{App, Pick, Raster, Shared};
use crate::time::When;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use serde_json::{Value, json};
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
    if !layers::layers(&snapshot).any(|known| known == collection) {
        return page::file(&name, headers).ok_or_else(|| layers::unknown(layer));
    }
    let query = Query::of(uri)?;
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
    Ok(response)
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
    Ok(json!({
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
    }))
}
