//! OGC SensorThings 1.1 (18-088) at `/sta/v1.1`: stations and what they measure. Reading is open; creating needs a key.

mod create;
mod filter;
mod model;
mod options;
mod read;

use super::Standard;
use crate::document;
use crate::headers::NO_CACHE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode, segments};
use crate::state::Shared;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::{Entity, Related, SETS, World};
use options::Options;
use serde_json::{Value, json};

/// Where the service is.
const ROOT: &str = "/sta/v1.1";

/// Bytes of a body: some hundred thousand observations.
const LARGEST_BODY: usize = 16 << 20;

/// Parts of an address.
const LONGEST_PATH: usize = 12;

/// Requirements classes that are met; nothing is listed that is done in part.
const CONFORMANCE: &[&str] = &[
    "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/resource-path/resource-path-to-entities",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/expand",
    "http://www.opengis.net/spec/iot_sensing/1.1/req/request-data/select",
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
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["sta"]
    }
}

/// The address under which the client sees the service.
fn base(app: &Shared, headers: &HeaderMap, uri: &axum::http::Uri) -> String {
    format!("{}{ROOT}", app.base_url(headers, uri))
}

async fn landing(State(app): State<Shared>, request: Request) -> Response {
    let base = base(&app, request.headers(), request.uri());
    let sets: Vec<Value> = SETS
        .iter()
        .map(|name| json!({"name": name, "url": format!("{base}/{name}")}))
        .collect();
    let body = json!({"value": sets, "serverSettings": {"conformance": CONFORMANCE}});
    app.with_own_address(document::json(request.headers(), NO_CACHE, &body))
}

/// A part of an address: `Things`, `Things(1)`, `name`, `$value`.
struct Part {
    name: String,
    id: Option<String>,
}

/// The parts behind the root; too many of them, or ids that are not closed, are none.
fn parts(path: &str) -> Outcome<Vec<Part>> {
    let rest = path.strip_prefix(ROOT).unwrap_or(path).trim_matches('/');
    let parts: Vec<Part> = segments(rest)?
        .iter()
        .map(|segment| match segment.split_once('(') {
            Some((name, id)) => {
                let id = id.strip_suffix(')').ok_or_else(|| unknown(segment))?;
                Ok(Part {
                    name: name.to_owned(),
                    id: Some(id.to_owned()),
                })
            }
            None => Ok(Part {
                name: segment.clone().into_owned(),
                id: None,
            }),
        })
        .collect::<Outcome<_>>()?;
    if parts.len() > LONGEST_PATH {
        return Err(Problem::bad(
            "path",
            format!("the path has more than {LONGEST_PATH} parts"),
        ));
    }
    Ok(parts)
}

fn unknown(what: &str) -> Problem {
    let detail = format!("there is no `{what}` here; the sets are {}", SETS.join(", "));
    Problem::not_found("unknown-entity", detail)
}

/// What a path leads to.
enum Target<'w> {
    Set(Related<'w>),
    Entity(Entity<'w>),
    /// An entity's property, and whether it is wanted bare.
    Value(Value, String, bool),
    /// Only the addresses of what a set or navigation holds.
    References(Related<'w>),
}

/// Follows a path.
async fn follow<'w>(world: &'w World<'_>, parts: &[Part]) -> Outcome<Target<'w>> {
    let Some((first, rest)) = parts.split_first() else {
        return Err(unknown(""));
    };
    let mut set = world.set(&first.name).ok_or_else(|| unknown(&first.name))?;
    let mut current: Option<Entity<'w>> = None;
    if let Some(id) = &first.id {
        current = world.entity(&first.name, id).await?;
        current.as_ref().ok_or_else(|| no_entity(&first.name, id))?;
    }
    for (at, part) in rest.iter().enumerate() {
        let last = at + 1 == rest.len();
        let Some(entity) = current.take() else {
            if last && part.name == "$ref" {
                return Ok(Target::References(set));
            }
            return Err(unknown(&part.name));
        };
        let Some(related) = entity.related(&part.name, world) else {
            let whole = Value::Object(entity.whole(world).await?);
            let value = whole
                .get(&part.name)
                .cloned()
                .ok_or_else(|| unknown(&part.name))?;
            return match rest.get(at + 1..).unwrap_or_default() {
                [] => Ok(Target::Value(value, part.name.clone(), false)),
                [only] if only.name == "$value" => Ok(Target::Value(value, part.name.clone(), true)),
                _ => Err(unknown("path")),
            };
        };
        match (related, &part.id) {
            (Related::One(one), None) => {
                current = Some(one.ok_or_else(|| unknown(&part.name))?);
            }
            (Related::Many(name, all), Some(id)) => {
                let found = world.entity(name, id).await?;
                let found = found.filter(|found| all.iter().any(|one| one.id() == found.id()));
                current = Some(found.ok_or_else(|| no_entity(name, id))?);
            }
            (Related::Observations(streams), Some(id)) => {
                let found = world.entity("Observations", id).await?;
                let among = |found: &Entity<'_>| matches!(found, Entity::Observation(of, _) if streams.iter().any(|one| one.id == of.id));
                let found = found.filter(|found| among(found));
                current = Some(found.ok_or_else(|| no_entity("Observations", id))?);
            }
            (Related::One(_), Some(_)) => return Err(unknown(&part.name)),
            (many, None) => set = many,
        }
    }
    Ok(match current {
        Some(entity) => Target::Entity(entity),
        None => Target::Set(set),
    })
}

fn no_entity(set: &str, id: &str) -> Problem {
    Problem::not_found("unknown-entity", format!("there is no {set}({id})"))
}

async fn answer(State(app): State<Shared>, request: Request) -> Outcome {
    let (headers, uri) = (request.headers(), request.uri());
    let world = World::load(app.lookup.store(), base(&app, headers, uri)).await?;
    let query = Query::of(uri, options::PARAMETERS)?;
    let options = Options::of(&query)?;
    let path = parts(uri.path())?;
    let address = format!(
        "{}{}",
        world.base,
        uri.path().strip_prefix(ROOT).unwrap_or_default()
    );
    let body = match follow(&world, &path).await? {
        Target::Entity(entity) => Value::Object(read::entity_json(&world, entity, &options).await?),
        Target::Value(value, name, false) => json!({name: value}),
        Target::Value(value, _, true) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let kind = "text/plain; charset=utf-8";
            return Ok(document::bytes(headers, NO_CACHE, kind, text.into_bytes()));
        }
        Target::References(set) => {
            let page = read::page(&world, set, &options).await?;
            let next = page.next.as_ref().map(|next| next_link(&address, &query, next));
            let links: Vec<Value> = page
                .entities
                .iter()
                .map(|entity| json!({"@iot.selfLink": format!("{}/{}", world.base, entity.address())}))
                .collect();
            next.map_or_else(
                || json!({"value": links}),
                |next| json!({"@iot.nextLink": next, "value": links}),
            )
        }
        Target::Set(set) => {
            let is_observations = matches!(set, Related::Observations(_));
            let page = read::page(&world, set, &options).await?;
            let next = page.next.as_ref().map(|next| next_link(&address, &query, next));
            match (options.data_array, is_observations) {
                (true, true) => read::data_array(&world, page, &options, next),
                (true, false) => {
                    let detail = "$resultFormat: data arrays are made of Observations only";
                    return Err(Problem::bad("$resultFormat", detail));
                }
                (false, _) => Value::Object(read::page_json(&world, page, &options, next).await?),
            }
        }
    };
    Ok(app.with_own_address(document::json(headers, NO_CACHE, &body)))
}

/// The same request, further on.
fn next_link(address: &str, query: &Query<'_>, (parameter, value): &(&'static str, String)) -> String {
    let mut link = format!("{address}?");
    for name in [
        "$top",
        "$count",
        "$select",
        "$orderby",
        "$expand",
        "$filter",
        "$resultFormat",
    ] {
        if let Some(given) = query.get(name) {
            link += &format!("{name}={}&", encode(given));
        }
    }
    link + &format!("{parameter}={}", encode(value))
}

/// 201 with the address of what was created.
fn created(location: &str, body: Value) -> Response {
    let mut response = (StatusCode::CREATED, axum::Json(body)).into_response();
    if let Ok(value) = axum::http::HeaderValue::try_from(location) {
        response.headers_mut().insert(axum::http::header::LOCATION, value);
    }
    response
}
