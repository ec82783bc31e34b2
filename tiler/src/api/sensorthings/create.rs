//! Creating: observations one by one and as data arrays, stations with what they measure. Everything needs a key.

use super::model::{World, observation_id};
use super::{base, created, parts, unknown};
use crate::problem::{Outcome, Problem};
use crate::state::Shared;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use geo_types::Point;
use sen_catalog::feature::fold;
use sen_catalog::intake::{STATIONS, data_array, new_stream};
use sen_catalog::observation::Reading;
use sen_catalog::property::property;
use sen_catalog::{Bounds, Feature};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The collection a key must be allowed to write.
const COLLECTION: &str = "observations";

fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad("body", detail)
}

pub(super) async fn create(State(app): State<Shared>, uri: Uri, headers: HeaderMap, body: Bytes) -> Outcome {
    let key = app.writer(&headers, COLLECTION).await?;
    tracing::info!(key = key.name, %uri, bytes = body.len(), "writing");
    let document: Value =
        serde_json::from_slice(&body).map_err(|error| bad(format!("the body is no JSON: {error}")))?;
    let path = parts(uri.path())?;
    let names: Vec<(&str, Option<&str>)> = path
        .iter()
        .map(|part| (part.name.as_str(), part.id.as_deref()))
        .collect();
    let base = base(&app, &headers, &uri);
    match names.as_slice() {
        [("CreateObservations", None)] => many(&app, &base, &document).await,
        [("Observations", None)] => one(&app, &base, data_array::datastream_of(&document)?, &document).await,
        [("Datastreams", Some(id)), ("Observations", None)] => {
            let id = id.parse().map_err(|_| unknown("Datastreams"))?;
            one(&app, &base, id, &document).await
        }
        [("Things", None)] => thing(&app, &base, &document).await,
        [("Datastreams", None)] => {
            let thing = document.get("Thing").and_then(|thing| thing.get("@iot.id"));
            let fid = thing
                .and_then(Value::as_i64)
                .ok_or_else(|| bad("Thing: its @iot.id is missing"))?;
            stream_of(&app, &base, fid, &document).await
        }
        [("Things", Some(id)), ("Datastreams", None)] => {
            let fid = id.parse().map_err(|_| unknown("Things"))?;
            stream_of(&app, &base, fid, &document).await
        }
        _ => Err(Problem::method()),
    }
}

async fn one(app: &Shared, base: &str, datastream: i64, entity: &Value) -> Outcome {
    let reading = data_array::reading(entity)?;
    let time = reading.time;
    app.intake.take_stream(datastream, vec![reading]).await?;
    let link = format!("{base}/Observations('{}')", observation_id(datastream, time));
    let mut body = entity.as_object().cloned().unwrap_or_default();
    body.insert("@iot.id".into(), json!(observation_id(datastream, time)));
    body.insert("@iot.selfLink".into(), json!(link));
    Ok(created(&link, Value::Object(body)))
}

/// `CreateObservations`: the answer lists, row by row, an address or `error`.
async fn many(app: &Shared, base: &str, document: &Value) -> Outcome {
    let rows = data_array::rows(document)?;
    let mut answers: Vec<String> = Vec::with_capacity(rows.len());
    let mut streams: BTreeMap<i64, Vec<(usize, Reading)>> = BTreeMap::new();
    for (at, row) in rows.into_iter().enumerate() {
        match row.reading {
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
                    let taken = app.intake.take_stream(datastream, vec![reading]).await;
                    if let (Err(error), Some(answer)) = (taken, answers.get_mut(place)) {
                        *answer = format!("error: {error}");
                    }
                }
            }
        }
    }
    Ok((StatusCode::CREATED, axum::Json(answers)).into_response())
}

fn text<'v>(entity: &'v Value, name: &str) -> Outcome<&'v str> {
    let value = entity
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.trim().is_empty());
    value.ok_or_else(|| bad(format!("{name}: is missing or no text")))
}

/// Degrees that a station may stand outside the province: gauges far up the Mekong tell of floods to come.
const FAR: f64 = 10.0;

/// The place of a station; one that lies not on Earth, or far from the province, is a mistake.
fn place(location: &Value, province: Option<Bounds>) -> Outcome<Point<f64>> {
    let geometry = serde_json::from_value::<geojson::Geometry>(location.clone())
        .ok()
        .and_then(|geometry| geo_types::Geometry::<f64>::try_from(geometry).ok());
    let Some(geo_types::Geometry::Point(place)) = geometry else {
        return Err(bad(
            "Locations: location is no GeoJSON point in degrees, longitude first",
        ));
    };
    let (lon, lat) = place.x_y();
    if !Bounds::new(-180.0, -90.0, 180.0, 90.0).contains(lon, lat) {
        return Err(bad(format!(
            "Locations: location.coordinates: [{lon}, {lat}] lies not on Earth; longitude comes first, in degrees: \
             are the axes swapped?"
        )));
    }
    let around = province.map(|b| Bounds::new(b.west - FAR, b.south - FAR, b.east + FAR, b.north + FAR));
    if around.is_some_and(|around| !around.contains(lon, lat)) {
        return Err(bad(format!(
            "Locations: location.coordinates: [{lon}, {lat}] lies more than {FAR} degrees from the province; longitude \
             comes first: are the axes swapped?"
        )));
    }
    Ok(place)
}

/// A station with its place and what it measures; all of it is checked before anything is written.
async fn thing(app: &Shared, base: &str, document: &Value) -> Outcome {
    let name = text(document, "name")?;
    let mut properties = match document.get("properties") {
        Some(Value::Object(own)) => own.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(bad("properties: is no object")),
    };
    let code = match properties.remove("code") {
        Some(Value::String(code)) if !code.trim().is_empty() => code,
        None => fold(name),
        Some(other) => return Err(bad(format!("properties.code: {other} is no code"))),
    };
    let location = document
        .get("Locations")
        .and_then(|all| all.as_array()?.first()?.get("location"));
    let location = location
        .ok_or_else(|| bad("Locations: a station needs a place: one Location with a GeoJSON point"))?;
    let place = place(location, app.province)?;
    let store = app.lookup.store();
    if store.feature(STATIONS, &code, None).await?.is_some() {
        return Err(Problem::conflict(format!("there is a station `{code}` already")));
    }
    let mut station = Feature::new(STATIONS, &code, place.into());
    station.name = Some(name.to_owned());
    station.properties = properties;
    let streams = match document.get("Datastreams") {
        None | Some(Value::Null) => &Vec::new(),
        Some(Value::Array(streams)) => streams,
        Some(_) => return Err(bad("Datastreams: is no list")),
    };
    for stream in streams {
        measured(stream)?;
    }
    store.put_features(vec![station]).await?;
    let station = store.feature(STATIONS, &code, None).await?;
    let station = station.ok_or_else(|| Problem::internal("creating the station"))?;
    for stream in streams {
        put_stream(app, &station, stream).await?;
    }
    let link = format!("{base}/Things({})", station.fid);
    let mut body = document.as_object().cloned().unwrap_or_default();
    body.insert("@iot.id".into(), json!(station.fid));
    body.insert("@iot.selfLink".into(), json!(link));
    Ok(created(&link, Value::Object(body)))
}

async fn stream_of(app: &Shared, base: &str, fid: i64, document: &Value) -> Outcome<Response> {
    let world = World::load(app.lookup.store(), base.to_owned()).await?;
    let station = world.stations.iter().find(|station| station.fid == fid);
    let station =
        station.ok_or_else(|| Problem::not_found("unknown-entity", format!("there is no Things({fid})")))?;
    let id = put_stream(app, station, document).await?;
    let link = format!("{base}/Datastreams({id})");
    let mut body = document.as_object().cloned().unwrap_or_default();
    body.insert("@iot.id".into(), json!(id));
    body.insert("@iot.selfLink".into(), json!(link));
    Ok(created(&link, Value::Object(body)))
}

/// Property and unit of a Datastream entity.
fn measured(entity: &Value) -> Outcome<(String, String)> {
    let observed = entity
        .get("ObservedProperty")
        .ok_or_else(|| bad("ObservedProperty: is missing"))?;
    let name = observed.get("@iot.id").and_then(Value::as_str);
    let name = name.map_or_else(|| text(observed, "name"), Ok)?;
    let unit = entity
        .get("unitOfMeasurement")
        .ok_or_else(|| bad("unitOfMeasurement: is missing"))?;
    let unit = text(unit, "symbol")?;
    let Some(known) = property(&name.replace(' ', "_")) else {
        let plain = name.trim().to_lowercase().replace(' ', "_");
        return Ok((plain, unit.to_owned()));
    };
    // results are kept as they are sent: the unit must be the one they are kept in
    let same = |value: f64| {
        known
            .convert(value, unit)
            .is_ok_and(|converted| converted == value)
    };
    if same(0.0) && same(1.0) {
        return Ok((known.name.to_owned(), known.unit.to_owned()));
    }
    Err(bad(format!(
        "unitOfMeasurement: {} is kept in {}, not in {unit}",
        known.name, known.unit
    )))
}

async fn put_stream(app: &Shared, station: &Feature, entity: &Value) -> Outcome<i64> {
    let (name, unit) = measured(entity)?;
    let mut stream = new_stream(station, &name, &unit);
    if let Ok(title) = text(entity, "name") {
        title.clone_into(&mut stream.name);
    }
    let store = app.lookup.store();
    let id = store.put_datastream(&stream).await?;
    let part = |value: Option<&Value>, names: &[&str]| -> Value {
        let own = value.and_then(Value::as_object);
        let kept = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), own?.get(*name)?.clone())));
        Value::Object(kept.collect())
    };
    let said = json!({
        "datastream": part(Some(entity), &["description"]),
        "sensor": part(entity.get("Sensor"), &["name", "description", "encodingType", "metadata", "properties"]),
    });
    if let Value::Object(said) = said {
        store.put_properties(id, &said).await?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_stands_on_earth_and_not_far_from_the_province() {
        let province = Some(Bounds::new(104.7, 10.1, 105.6, 10.9));
        let point = |lon: f64, lat: f64| json!({"type": "Point", "coordinates": [lon, lat]});
        let at = place(&point(105.12, 10.72), province).expect("Chau Doc");
        assert_eq!(at.x_y(), (105.12, 10.72));
        assert!(
            place(&point(100.08, 20.27), province).is_ok(),
            "Chiang Saen, far up the river"
        );
        for (lon, lat) in [(10.72, 105.12), (181.0, 10.0), (105.0, -90.5)] {
            let problem = place(&point(lon, lat), None).expect_err("refused");
            let told = format!("{problem:?}");
            assert!(
                told.contains("location.coordinates") && told.contains("axes swapped"),
                "{told}"
            );
        }
        // Paris: on Earth, and nobody's gauge here
        let problem = place(&point(2.35, 48.86), province).expect_err("refused");
        assert!(
            format!("{problem:?}").contains("from the province"),
            "{problem:?}"
        );
        assert!(place(&point(2.35, 48.86), None).is_ok());
        assert!(place(&json!({"type": "LineString", "coordinates": []}), None).is_err());
    }
}
