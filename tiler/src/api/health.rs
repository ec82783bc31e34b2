//! Probes and counters: `/health`, `/healthz`, `/ready`, `/_/metrics`.

use super::Standard;
use crate::headers::NO_CACHE;
use crate::measure::Gauge;
use crate::problem::{Outcome, Problem};
use crate::server::{MetricsAccess, Peer};
use crate::state::{App, Shared};
use axum::extract::{Request, State};
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
    let text = match app.unmarked.count() {
        0 => "OK".to_owned(),
        damaged => format!("OK, but {damaged} damaged files could not be marked; the log names them"),
    };
    Ok(([(header::CACHE_CONTROL, NO_CACHE)], text))
}

async fn metrics(State(app): State<Shared>, request: Request) -> Outcome<impl IntoResponse> {
    match app.metrics {
        MetricsAccess::Open => {}
        MetricsAccess::Key => {
            app.known_key(request.headers()).await?;
        }
        MetricsAccess::Loopback => {
            // without a socket the caller is in this process
            let here = request.extensions().get::<Peer>();
            if !here.is_none_or(|peer| peer.here) {
                return Err(Problem::forbidden(
                    "the counters are for programs on the server itself; `metrics = \"key\"` or \"open\" in [serve] of \
                     sen.toml lets others read them",
                ));
            }
        }
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    Ok((
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")],
        counters(&app),
    ))
}

/// The counters of requests, and what is held and under way now.
fn counters(app: &App) -> String {
    let bytes = |name, help, value| Gauge {
        name,
        help,
        label: None,
        value,
    };
    let (classes, answers, bodies) = app.admission.state();
    let mut gauges = vec![
        bytes(
            "sen_tile_cache_bytes",
            "Bytes of finished tiles in memory.",
            app.tiles.bytes(),
        ),
        bytes(
            "sen_block_cache_bytes",
            "Bytes of decoded raster blocks in memory.",
            app.rasters.cached_bytes(),
        ),
        bytes(
            "sen_vector_index_bytes",
            "Bytes of feature layers in memory.",
            app.vectors.bytes(),
        ),
        bytes(
            "sen_table_bytes",
            "Bytes of tables of statistics in memory.",
            app.tables.bytes(),
        ),
        bytes(
            "sen_answer_bytes",
            "Bytes reserved for answers under way.",
            answers,
        ),
        bytes(
            "sen_body_bytes",
            "Bytes of bodies received and not yet done with.",
            bodies,
        ),
    ];
    for (name, help, number) in [
        ("sen_class_running", "Requests in work, by class.", 0),
        ("sen_class_waiting", "Requests in line, by class.", 1),
        (
            "sen_class_refused",
            "Requests sent away with 503 since the start, by class.",
            2,
        ),
    ] {
        gauges.extend(classes.iter().map(|(class, running, waiting, refused)| Gauge {
            name,
            help,
            label: Some(class.name()),
            value: [*running as u64, *waiting as u64, *refused][number],
        }));
    }
    app.measures.render(&gauges)
}
