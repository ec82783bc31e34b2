//! Probes and counters: `/health`, `/healthz`, `/ready`, `/_/metrics`.

use super::Standard;
use crate::headers::NO_CACHE;
use crate::problem::{Outcome, Problem};
use crate::state::Shared;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

/// See the module.
pub(crate) struct Health;

impl Standard for Health {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route(
                "/health",
                get(async || ([(header::CACHE_CONTROL, NO_CACHE)], "OK")),
            )
            .route("/healthz", get(healthz))
            .route("/ready", get(ready))
            .route("/_/metrics", get(metrics))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["health", "healthz", "ready", "_"]
    }
}

async fn healthz() -> impl IntoResponse {
    let body = json!({"status": "ok", "versions": {"sen": env!("CARGO_PKG_VERSION")}});
    ([(header::CACHE_CONTROL, NO_CACHE)], Json(body))
}

async fn ready(State(app): State<Shared>) -> Outcome<impl IntoResponse> {
    app.lookup.store().ping().await.map_err(|error| {
        tracing::warn!(%error, "the store does not answer");
        Problem::unavailable("the catalogue")
    })?;
    Ok(([(header::CACHE_CONTROL, NO_CACHE)], "OK"))
}

async fn metrics(State(app): State<Shared>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let text = app
        .measures
        .render(app.tiles.bytes(), app.rasters.cached_bytes(), app.vectors.bytes());
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")],
        text,
    )
}
