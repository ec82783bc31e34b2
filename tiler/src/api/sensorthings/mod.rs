//! OGC SensorThings 1.1 (18-088) at `/sta/v1.1`: stations and what they measure. Reading is open; creating needs a key.

mod create;
mod filter;
mod model;
mod observations;
mod options;
mod page;
mod path;
mod posted;
mod render;
mod schema;
mod write;

use super::Standard;
use crate::document;
use crate::headers::NO_CACHE;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::World;
use options::{Options, PARAMETERS};
use path::{Goal, Target, follow, goal, parts};
use schema::Set;
use serde_json::{Value, json};

/// Where the service is.
const ROOT: &str = "/sta/v1.1";

/// Requirements classes that are met; nothing is listed that is done in part.
const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/expand",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/select",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/orderby",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/skip",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/top",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/count",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/filter",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/built-in-filter-operations",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/pagination",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/data-array/data-array",
];

/// See the module.
pub(crate) struct SensorThings;

impl Standard for SensorThings {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route(ROOT, get(landing))
            .route(&format!("{ROOT}/"), get(landing))
            .route(&format!("{ROOT}/{{*path}}"), get(answer).post(create::create))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["sta"]
    }
}

/// The address under which the client sees the service.
fn base(app: &Shared, headers: &HeaderMap, uri: &axum::http::Uri) -> String {
    format!("{}{ROOT}", app.base_url(headers, uri))
}

async fn landing(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let base = base(&app, request.headers(), request.uri());
    let sets = Set::ALL
        .iter()
        .map(|set| json!({"name": set.name(), "url": format!("{base}/{}", set.name())}));
    let sets: Vec<Value> = sets.collect();
    let body = json!({"value": sets, "serverSettings": {"conformance": CONFORMANCE}});
    Ok(app.with_own_address(document::json(request.headers(), NO_CACHE, &body)))
}

async fn answer(State(app): State<Shared>, request: Request) -> Outcome {
    let (headers, uri) = (request.headers(), request.uri());
    let query = Query::of(uri, PARAMETERS)?;
    let mut options = Options::of(&query)?;
    let path = parts(uri.path())?;
    let (set, goal) = goal(&path)?;
    options.check(set)?;
    match goal {
        Goal::Set => {}
        Goal::Entity => options.only(&["$select", "$expand"], "one entity")?,
        Goal::Property | Goal::Bare => options.only(&[], "a property")?,
        Goal::References => options.only(
            &["$top", "$skip", "$count", "$orderby", "$filter", "$skiptoken"],
            "$ref",
        )?,
    }
    if options.data_array && set != Set::Observations {
        let detail = "$resultFormat: data arrays are made of Observations only";
        return Err(Problem::bad("$resultFormat", detail));
    }
    if options.data_array && !options.expand.is_empty() {
        return Err(Problem::bad(
            "$expand",
            "$expand: nothing is expanded in data arrays",
        ));
    }
    let with_spans = match goal {
        Goal::Property | Goal::Bare => set == Set::Datastreams,
        _ => options.need_spans(set),
    };
    let world = World::load(app.lookup.store(), base(&app, headers, uri), with_spans).await?;
    let address = format!(
        "{}{}",
        world.base,
        uri.path().strip_prefix(ROOT).unwrap_or_default()
    );
    let body = match follow(&world, &path).await? {
        Target::Entity(entity) => {
            let mut body = write::Body::new();
            write::entity_into(&world, &mut body, entity, &options).await?;
            body
        }
        Target::Value(value, name) if goal == Goal::Property => {
            return Ok(document::json(headers, NO_CACHE, &json!({name: value})));
        }
        Target::Value(value, _) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let kind = "text/plain; charset=utf-8";
            return Ok(document::bytes(headers, NO_CACHE, kind, text.into_bytes()));
        }
        Target::Set(set) => {
            let page = page::page(&world, set, &options).await?;
            if goal == Goal::References {
                let body = write::references(&world, &page, &options, &address);
                return Ok(app.with_own_address(document::json(headers, NO_CACHE, &body)));
            }
            if options.data_array {
                let body = write::data_array(&world, &page, &options, &address);
                return Ok(app.with_own_address(document::json(headers, NO_CACHE, &body)));
            }
            write::page_document(&world, page, &options, &address).await?
        }
    };
    Ok(app.with_own_address(document::bytes(headers, NO_CACHE, "application/json", body)))
}

/// 201 with the address of what was created.
fn created(location: &str, body: Vec<u8>) -> Response {
    let mut response = (StatusCode::CREATED, body).into_response();
    let headers = response.headers_mut();
    headers.insert(
        axum::http::header::CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/json"),
    );
    if let Ok(value) = axum::http::HeaderValue::try_from(location) {
        headers.insert(axum::http::header::LOCATION, value);
    }
    response
}
