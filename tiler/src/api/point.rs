//! `/api/v1/point/{lon},{lat}`: the value of every layer at a place.

use super::Standard;
use super::calibrations::Corrected;
use crate::document;
use crate::headers::{HOUR, MINUTE};
use crate::layers::{language, layers};
use crate::problem::Outcome;
use crate::query::{Query, segments};
use crate::state::{Pick, Shared};
use crate::time::When;
use crate::values::{self, Place};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sen_catalog::calibration::in_use;
use serde_json::{Value, json};
use std::sync::Arc;

/// See the module.
pub(crate) struct Point;

impl Standard for Point {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/point/{place}", get(point))
    }
}

async fn point(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let place = Place::parse(&segments(uri.path())?.pop().unwrap_or_default())?;
    let query = Query::of(uri, &["datetime", "nearest", "lang"])?;
    let (when, language) = (When::of(&query)?, language(&query, headers)?);
    let snapshot = app.lookup.snapshot().await?;
    let mut found = Vec::new();
    for collection in layers(&snapshot) {
        let raster = match app.raster(&snapshot, collection, when, Pick::default()).await {
            Ok(raster) => raster,
            // a collection without a raster of its own name has no value to tell
            Err(problem) if problem.status().is_client_error() => continue,
            Err(problem) => return Err(problem),
        };
        found.push((collection.to_owned(), raster));
    }
    let calibrations = app.lookup.calibrations(&snapshot).await?;
    let shared = Arc::clone(&app);
    let entries: Vec<Value> = app
        .cpu
        .run(move || {
            let entry = |(collection, raster): &(String, Option<Arc<_>>)| match raster {
                Some(raster) => {
                    let mut entry = values::layer(&shared.rasters, &shared.assets, raster, place, language)?;
                    let raw = entry.get("value").and_then(Value::as_f64);
                    if let Some(corrected) = Corrected::of(in_use(&calibrations, collection), raw) {
                        corrected.put_into(&mut entry);
                    }
                    Ok(entry.into())
                }
                None => Ok(json!({"collection": collection, "period": null, "value": null,
                    "unit": shared.styles.style(collection).map_or("", |style| &style.unit),
                    "quality": null, "reason": "nothing at that time"})),
            };
            found.par_iter().map(entry).collect::<sen_catalog::Result<_>>()
        })
        .await??;
    let cache = if when.is_concrete() { HOUR } else { MINUTE };
    let document = json!({"lon": place.lon, "lat": place.lat, "layers": entries});
    let mut response = document::json(headers, cache, &document);
    document::in_language(&mut response, language, &query);
    Ok(response)
}
