//! `/api/v1/point/{lon},{lat}/series`: one layer at a place, week by week.

use super::Standard;
use crate::document;
use crate::headers::MINUTE;
use crate::layers::asked;
use crate::problem::Outcome;
use crate::query::{Query, encode, segments};
use crate::state::{Pick, Shared};
use crate::time::When;
use crate::values::{self, Place};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sen_catalog::ItemQuery;
use serde_json::{Value, json};
use std::sync::Arc;

/// Most weeks of one answer: ten years.
const MAX_WEEKS: usize = 520;

/// See the module.
pub(crate) struct Series;

impl Standard for Series {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/point/{place}/series", get(series))
    }
}

async fn series(State(app): State<Shared>, request: Request) -> Outcome {
    let uri = request.uri();
    let parts = segments(uri.path())?;
    let place = Place::parse(parts.get(3).map_or("", AsRef::as_ref))?;
    let query = Query::of(uri, &["collection", "datetime"])?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?;
    // without a time the whole series is meant
    let when = When::of(&query)?;
    let (from, to) = when.query.weeks();
    let most = if when.newest_alone { 1 } else { MAX_WEEKS };
    let newest = ItemQuery {
        from,
        to,
        newest_first: true,
        limit: Some(most + 1),
        ..ItemQuery::collection(collection)
    };
    let mut items = app.lookup.store().items(&newest).await?;
    let older = items.len() > most && !when.newest_alone;
    items.truncate(most);
    // the weeks before are another answer, whose address is told
    let next = items.last().filter(|_| older).map(|oldest| {
        let first = from.map_or("..".to_owned(), |week| week.to_string());
        let base = app.base_url(request.headers(), uri);
        format!(
            "{base}/api/v1/point/{},{}/series?collection={}&datetime={first}/{}",
            place.lon,
            place.lat,
            encode(collection),
            oldest.period().previous()
        )
    });
    items.reverse();
    let rasters = app.rasters_of(items, Pick::default())?;
    let unit = app
        .styles
        .style(collection)
        .map(|style| style.unit.clone())
        .unwrap_or_default();
    let shared = Arc::clone(&app);
    let values: Vec<Value> = app
        .cpu
        .run(move || {
            let week = |raster: &Arc<crate::state::Raster>| -> sen_catalog::Result<Value> {
                let found = values::value(&shared.rasters, raster, place)?;
                let beside = |name| values::beside(&shared.rasters, &shared.assets, raster, name, place);
                let mut entry = json!({"period": raster.period.to_string(), "value": found.ok(),
                    "n_clear": beside("n_clear")?, "age_days": beside("age_days")?});
                if let (Err(reason), Some(entry)) = (found, entry.as_object_mut()) {
                    entry.insert("reason".into(), json!(reason));
                }
                Ok(entry)
            };
            rasters.par_iter().map(week).collect::<sen_catalog::Result<_>>()
        })
        .await??;
    let mut document = json!({"collection": collection, "unit": unit, "values": values});
    if let Some(next) = next {
        document["links"] = json!([{"rel": "next", "type": "application/json", "href": next}]);
        return Ok(app.with_own_address(document::json(request.headers(), MINUTE, &document)));
    }
    Ok(document::json(request.headers(), MINUTE, &document))
}
