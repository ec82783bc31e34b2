//! `/style/{style}/static/{w},{s},{e},{n}/{width}x{height}[@2x].png`: still pictures in EPSG:3857.

use super::Standard;
use crate::draw::{self, Size};
use crate::encode::Format;
use crate::layers::{collection_of, is_layer, unknown};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::{Pick, Shared};
use crate::time::When;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;

/// See the module.
pub(crate) struct Picture;

impl Standard for Picture {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/style/{style}/static/{box}/{size}", get(picture))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["style"]
    }

    fn is_pictures(&self) -> bool {
        true
    }
}

async fn picture(State(app): State<Shared>, request: Request) -> Outcome {
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let (style, bbox, size) = (part(1), draw::parse_box(part(3))?, part(4));
    let (size, format) = draw::split_format(size)?;
    let size = Size::parse(size)?;
    let query = Query::of(uri, &["datetime", "nearest", "collection", "asset", "v"])?;
    let when = When::of(&query)?;
    let snapshot = app.lookup.snapshot().await?;
    if app.styles.style(style).is_none() && !is_layer(&snapshot, style) {
        return Err(Problem::not_found(
            "unknown-style",
            format!("there is no style `{style}`; /catalog lists them"),
        ));
    }
    let collection = collection_of(query.get("collection").unwrap_or(style));
    if !is_layer(&snapshot, collection) {
        return Err(unknown(collection));
    }
    // the style that carries the layer's name is its own, also where it is only the grey one
    let named = app.styles.style(style).map(|style| style.id.as_str());
    let pick = Pick {
        asset: query.get("asset"),
        style: named,
    };
    let raster = app
        .raster(&snapshot, collection, when, pick)
        .await?
        .ok_or_else(|| when.nothing(collection))?;
    let cache = draw::cache(&raster, when, &query);
    draw::picture(
        &app,
        request.headers(),
        &raster,
        draw::grid(bbox, size),
        format.unwrap_or(Format::Png),
        cache,
    )
    .await
}
