//! `/catalog` as Martin has it, and `/tileMatrixSets`.

use super::{STANDARDS, Standard};
use crate::document;
use crate::headers::{IMMUTABLE, MINUTE};
use crate::layers::{LATEST, feature_layer_name, layer_name, layers};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode as escape};
use crate::state::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri};
use axum::routing::get;
use sen_catalog::tms::{MAX_ZOOM, WORLD_HALF_M};
use serde_json::{Map, Value, json};

/// See the module.
pub(crate) struct Catalog;

impl Standard for Catalog {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/catalog", get(catalog))
            .route("/tileMatrixSets", get(matrix_sets))
            .route("/tileMatrixSets/{id}", get(matrix_set))
            .route("/conformance", get(conformance))
    }

    fn conformance(&self) -> &'static [&'static str] {
        &[
            "http://www.opengis.net/spec/tilematrixset/1.0/conf/tilematrixset",
            "http://www.opengis.net/spec/tilematrixset/1.0/conf/json-tilematrixset",
        ]
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["catalog", "tileMatrixSets", "conformance"]
    }
}

async fn catalog(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let base = app.base_url(request.headers(), request.uri());
    let snapshot = app.lookup.snapshot().await?;
    let mut tiles = Map::new();
    for collection in layers(&snapshot) {
        let Some(newest) = app.lookup.item(&snapshot, collection, LATEST).await? else {
            continue;
        };
        let weeks = app.weeks(&snapshot, collection).await?;
        let (first, last) = (weeks.first(), weeks.last());
        let interval = first
            .zip(last)
            .map(|(first, last)| format!("{}/{}", first.period, last.period));
        let style = app.styles.style(collection);
        let title = style.map(|style| json!({"vi": style.title.vi, "en": style.title.en}));
        let name = layer_name(collection);
        let entry = json!({
            "content_type": "image/png",
            "name": style.map_or(collection, |style| &style.title.vi),
            "description": style.map_or(collection, |style| &style.title.en),
            "kind": "raster",
            "title": title.unwrap_or_else(|| json!({"vi": collection, "en": collection})),
            "unit": style.map_or("", |style| &style.unit),
            "assets": newest.assets.keys().collect::<Vec<_>>(),
            "time": {"default": newest.period().to_string(), "interval": interval, "step": "P7D"},
            "tilejson": format!("{base}/{}", escape(&name)),
        });
        tiles.insert(name, entry);
    }
    for layer in &snapshot.features {
        let name = feature_layer_name(&snapshot, &layer.name);
        let b = layer.bounds;
        let entry = json!({
            "content_type": "application/vnd.mapbox-vector-tile",
            "name": layer.name,
            "kind": "vector",
            "geometry": layer.shape.name(),
            "count": layer.count,
            "bounds": [b.west, b.south, b.east, b.north],
            "tilejson": format!("{base}/{}", escape(&name)),
        });
        tiles.insert(name.into_owned(), entry);
    }
    let styles: Map<String, Value> = app
        .styles
        .all()
        .map(|style| {
            (
                style.id.clone(),
                json!({"title": {"vi": style.title.vi, "en": style.title.en}}),
            )
        })
        .collect();
    let document = json!({"tiles": tiles, "sprites": {}, "fonts": {}, "styles": styles});
    Ok(app.with_own_address(document::json(request.headers(), MINUTE, &document)))
}

/// The one tile matrix set, by its OGC name.
pub(crate) const WEB_MERCATOR_QUAD: &str = "WebMercatorQuad";

async fn conformance(headers: HeaderMap, uri: Uri) -> Outcome {
    Query::of(&uri, &[])?;
    let classes: Vec<_> = STANDARDS
        .iter()
        .flat_map(|standard| standard.conformance())
        .collect();
    Ok(document::json(&headers, MINUTE, &json!({"conformsTo": classes})))
}

async fn matrix_sets(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let base = app.base_url(request.headers(), request.uri());
    let link = json!({"rel": "self", "type": "application/json", "href": format!("{base}/tileMatrixSets/{WEB_MERCATOR_QUAD}")});
    let set =
        json!({"id": WEB_MERCATOR_QUAD, "title": "Google Maps Compatible for the World", "links": [link]});
    let response = document::json(request.headers(), MINUTE, &json!({"tileMatrixSets": [set]}));
    Ok(app.with_own_address(response))
}

async fn matrix_set(headers: HeaderMap, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    if !request.uri().path().ends_with(WEB_MERCATOR_QUAD) {
        let detail = format!("the only tile matrix set is {WEB_MERCATOR_QUAD}");
        return Err(Problem::not_found("unknown-tile-matrix-set", detail));
    }
    // scale denominators assume pixels of 0.28 mm (OGC 17-083r4)
    let matrices: Vec<Value> = (0..=MAX_ZOOM)
        .map(|zoom| {
            let size = 1_u64 << zoom;
            let cell = 2.0 * WORLD_HALF_M / 256.0 / size as f64;
            json!({
                "id": zoom.to_string(), "scaleDenominator": cell / 0.000_28, "cellSize": cell,
                "cornerOfOrigin": "topLeft", "pointOfOrigin": [-WORLD_HALF_M, WORLD_HALF_M],
                "tileWidth": 256, "tileHeight": 256, "matrixWidth": size, "matrixHeight": size,
            })
        })
        .collect();
    let document = json!({
        "id": WEB_MERCATOR_QUAD,
        "title": "Google Maps Compatible for the World",
        "uri": "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "orderedAxes": ["X", "Y"],
        "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
        "tileMatrices": matrices,
    });
    Ok(document::json(&headers, IMMUTABLE, &document))
}
