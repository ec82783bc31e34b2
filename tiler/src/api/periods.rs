//! `/api/v1/periods/{collection}`: which weeks there are, and how much of them was seen.

use super::Standard;
use crate::document;
use crate::headers::MINUTE;
use crate::layers::collection_of;
use crate::problem::Outcome;
use crate::query::{Query, segments};
use crate::state::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use serde_json::json;

/// See the module.
pub(crate) struct Periods;

impl Standard for Periods {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/periods/{collection}", get(periods))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["api"]
    }
}

async fn periods(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let name = segments(request.uri().path())?.pop().unwrap_or_default();
    let snapshot = app.lookup.snapshot().await?;
    let collection = collection_of(&name);
    let weeks = app.weeks(&snapshot, collection).await?;
    // a week nobody looked at is left out; one whose share is not told is kept
    let seen = || {
        weeks
            .iter()
            .filter(|week| week.seen_share.is_none_or(|share| share > 0.0))
    };
    let document = json!({
        "collection": collection,
        "periods": seen().map(|week| week.period.to_string()).collect::<Vec<_>>(),
        "seen_share": seen().map(|week| week.seen_share).collect::<Vec<_>>(),
        "versions": seen().map(|week| week.version.as_str()).collect::<Vec<_>>(),
        "latest": seen().next_back().map(|week| week.period.to_string()),
    });
    Ok(document::json(request.headers(), MINUTE, &document))
}
