//! Creating: observations one by one and as data arrays, stations with what they measure. Everything needs a key, and is
//! answered as it is kept.

use super::model::{Entity, World, observation_id};
use super::options::Options;
use super::path::{Part, no_entity, parts, unknown};
use super::posted::{self, bad, members};
use super::schema::Set;
use super::{base, created, write};
use crate::admission::class::STA_BODY;
use crate::body::Packing;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{App, Shared};
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use sen_catalog::intake::{STATIONS, data_array};
use sen_catalog::observation::Reading;
use sen_catalog::property::property;
use serde_json::Value;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// The collection a key must be allowed to write.
const COLLECTION: &str = "observations";

pub(super) async fn create(State(app): State<Shared>, request: Request) -> Outcome {
    let (head, body) = request.into_parts();
    let key = app.writer(&head.headers, COLLECTION).await?;
    Query::of(&head.uri, &[])?;
    let path = parts(head.uri.path())?;
    let packing = Packing::of(&head.headers)?;
    let body = to_bytes(body, STA_BODY).await.map_err(|_| {
        Problem::too_large(format!(
            "the body is larger than {} MB, or ended early; post fewer observations at once",
            STA_BODY >> 20
        ))
    })?;
    tracing::info!(key = key.name, uri = %head.uri, bytes = body.len(), "writing");
    let body = packing.text(body.into(), STA_BODY)?;
    let document: Value =
        serde_json::from_slice(&body).map_err(|error| bad(format!("the body is no JSON: {error}")))?;
    drop(body);
    let base = base(&app, &head.headers, &head.uri);
    let names: Vec<(&str, Option<&str>)> = path
        .iter()
        .map(|Part { name, id }| (name.as_str(), id.as_deref()))
        .collect();
    let number = |set: Set, id: &str| id.parse::<i64>().map_err(|_| no_entity(set, id));
    match names.as_slice() {
        [("CreateObservations", None)] => many(&app, &base, &document).await,
        [("Observations", None)] => {
            let datastream = data_array::datastream_of(&document)?;
            one(&app, &base, datastream, &document).await
        }
        [("Datastreams", Some(id)), ("Observations", None)] => {
            let id = number(Set::Datastreams, id)?;
            if document.get("Datastream").is_some() && data_array::datastream_of(&document)? != id {
                return Err(bad(format!(
                    "Datastream: is another than Datastreams({id}) of the address"
                )));
            }
            one(&app, &base, id, &document).await
        }
        [("Things", None)] => thing(&app, base, &document).await,
        [("Datastreams", None)] => {
            let thing = document.get("Thing").ok_or_else(|| bad("Thing: is missing"))?;
            let thing = members(thing, "Thing.", &["@iot.id"])?.get("@iot.id");
            let fid = thing
                .and_then(Value::as_i64)
                .ok_or_else(|| bad("Thing: its @iot.id is missing"))?;
            datastream(&app, base, fid, &document).await
        }
        [("Things", Some(id)), ("Datastreams", None)] => {
            if document.get("Thing").is_some() {
                return Err(bad("Thing: stands in the address; leave it out"));
            }
            datastream(&app, base, number(Set::Things, id)?, &document).await
        }
        [(name, _), ..] if Set::of(name).is_none() => Err(unknown(name)),
        _ => Err(Problem::method()),
    }
}

/// 201 with what was made, as a GET of its address tells it.
async fn made(world: &World<'_>, entity: Entity<'_>) -> Outcome {
    let link = format!("{}/{}", world.base, entity.address());
    let mut body = write::Body::new();
    write::entity_into(world, &mut body, entity, &Options::default()).await?;
    Ok(created(&link, body))
}

fn gone() -> Problem {
    Problem::internal("reading what was made")
}

async fn one(app: &App, base: &str, datastream: i64, entity: &Value) -> Outcome {
    let reading = posted::observation(entity, "")?;
    let store = app.lookup.store();
    let world = World::of_datastream(store, base.to_owned(), datastream).await?;
    let world = world.ok_or_else(|| no_entity(Set::Datastreams, &datastream.to_string()))?;
    if let Some(feature) = entity
        .get("FeatureOfInterest")
        .filter(|feature| !feature.is_null())
    {
        let id = members(feature, "FeatureOfInterest.", &["@iot.id"])?.get("@iot.id");
        check_feature(id, &world).map_err(bad)?;
    }
    let id = observation_id(datastream, reading.time);
    app.intake.take_stream(datastream, vec![reading]).await?;
    let kept = world.entity(Set::Observations, &id).await?;
    made(&world, kept.ok_or_else(gone)?).await
}

/// An observation is of the place of its station.
fn check_feature(id: Option<&Value>, world: &World<'_>) -> Result<(), String> {
    let own = world.stations.first().map(|station| station.feature.fid);
    let given = id.and_then(|id| id.as_i64().or_else(|| id.as_str()?.parse().ok()));
    if own.is_some() && own == given {
        return Ok(());
    }
    let own = own.map_or("none".to_owned(), |own| own.to_string());
    Err(format!(
        "FeatureOfInterest: an observation is of the place of its station, which is {own} here; leave it out"
    ))
}

/// `CreateObservations`: the answer lists, row by row, an address or `error`.
async fn many(app: &App, base: &str, document: &Value) -> Outcome {
    let rows = data_array::rows(document)?;
    let blocks = document.as_array().or_else(|| document.get("value")?.as_array());
    for block in blocks.into_iter().flatten() {
        let known = [
            "Datastream",
            "components",
            "dataArray",
            "dataArray@iot.count",
            "Datastream@iot.navigationLink",
        ];
        members(block, "", &known)?;
        let names = block
            .get("components")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        if let Some(id) = names
            .filter_map(Value::as_str)
            .find(|name| super::schema::is_id(name))
        {
            return Err(bad(format!(
                "components: `{id}`: ids are given by the service; leave it out"
            )));
        }
    }
    let mut answers: Vec<String> = Vec::with_capacity(rows.len());
    let mut streams: BTreeMap<i64, Vec<(usize, Reading)>> = BTreeMap::new();
    let mut worlds: BTreeMap<i64, Option<World<'_>>> = BTreeMap::new();
    for (at, row) in rows.into_iter().enumerate() {
        let mut reading = row.reading;
        if let Some(feature) = &row.feature {
            if let Entry::Vacant(place) = worlds.entry(row.datastream) {
                let world = World::of_datastream(app.lookup.store(), base.to_owned(), row.datastream).await?;
                place.insert(world);
            }
            if let Some(Some(world)) = worlds.get(&row.datastream)
                && let Err(reason) = check_feature(Some(feature), world)
            {
                reading = Err(reason);
            }
        }
        match reading {
            Ok(reading) => {
                answers.push(format!(
                    "{base}/Observations('{}')",
                    observation_id(row.datastream, reading.time)
                ));
                streams.entry(row.datastream).or_default().push((at, reading));
            }
            Err(reason) => answers.push(format!("error: {reason}")),
        }
    }
    for (datastream, readings) in streams {
        let (places, readings): (Vec<usize>, Vec<Reading>) = readings.into_iter().unzip();
        match app.intake.take_stream(datastream, readings.clone()).await {
            Ok(_) => {}
            Err(error @ sen_catalog::Error::Store(_)) => return Err(error.into()),
            // one bad row must not cost the others: they are taken one by one
            Err(_) => {
                for (place, reading) in places.into_iter().zip(readings) {
                    match app.intake.take_stream(datastream, vec![reading]).await {
                        Ok(_) => {}
                        Err(error @ sen_catalog::Error::Store(_)) => return Err(error.into()),
                        Err(error) => {
                            if let Some(answer) = answers.get_mut(place) {
                                *answer = format!("error: {error}");
                            }
                        }
                    }
                }
            }
        }
    }
    Ok((StatusCode::CREATED, axum::Json(answers)).into_response())
}

/// The ObservedProperties that a Datastream may be linked to.
async fn observed(app: &App) -> Outcome<BTreeSet<String>> {
    let streams = app.lookup.store().datastreams(None).await?;
    Ok(streams.into_iter().map(|stream| stream.property).collect())
}

/// A station with its place and what it measures; all of it is written, or nothing.
async fn thing(app: &App, base: String, document: &Value) -> Outcome {
    let observed = observed(app).await?;
    let is_observed =
        |name: &str| property(name).is_some_and(|known| known.name == name) || observed.contains(name);
    let posted = posted::thing(document, app.province, &is_observed)?;
    let code = posted.station.code.clone();
    let fid = app
        .intake
        .make_station(posted.station, posted.said, posted.datastreams)
        .await?;
    let fid = fid.ok_or_else(|| Problem::conflict(format!("there is a station `{code}` already")))?;
    let world = World::load(app.lookup.store(), base, false).await?;
    let kept = world.entity(Set::Things, &fid.to_string()).await?;
    made(&world, kept.ok_or_else(gone)?).await
}

async fn datastream(app: &App, base: String, fid: i64, document: &Value) -> Outcome {
    let observed = observed(app).await?;
    let is_observed =
        |name: &str| property(name).is_some_and(|known| known.name == name) || observed.contains(name);
    let store = app.lookup.store();
    let stations = store
        .features(&sen_catalog::FeatureQuery::layer(STATIONS))
        .await?;
    let station = stations.into_iter().find(|station| station.fid == fid);
    let station = station.ok_or_else(|| no_entity(Set::Things, &fid.to_string()))?;
    let described = posted::datastream(&station, document, "", &is_observed)?;
    let name = described.datastream.property.clone();
    let id = app.intake.make_datastream(&station, described).await?;
    let id = id.ok_or_else(|| {
        Problem::conflict(format!(
            "the station `{}` has a Datastream of {name} already; post its Observations there",
            station.code
        ))
    })?;
    let world = World::load(store, base, true).await?;
    let kept = world.entity(Set::Datastreams, &id.to_string()).await?;
    made(&world, kept.ok_or_else(gone)?).await
}
