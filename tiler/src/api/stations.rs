//! `/api/v1/stations`: what stations say now, their series, and the level of the next days.

mod forecast;

use super::Standard;
use crate::document;
use crate::draw;
use crate::headers::NO_CACHE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::{App, Shared};
use crate::time::When;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use sen_catalog::intake::STATIONS;
use sen_catalog::observation::{Datastream, Observation, Step};
use sen_catalog::property::property;
use sen_catalog::store::ObservationQuery;
use sen_catalog::{Feature, FeatureQuery, TimeQuery};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};

/// Stations of one answer.
const MOST_STATIONS: usize = 1000;

/// Values of one answer: three months of a value each quarter of an hour.
const MOST_VALUES: usize = 10_000;

/// What is shown when nobody says which time.
const USUAL_SPAN: Duration = Duration::days(7);

/// See the module.
pub(crate) struct Stations;

impl Standard for Stations {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/api/v1/stations", get(list))
            .route("/api/v1/stations/{code}", get(one))
            .route("/api/v1/stations/{code}/latest", get(one))
            .route("/api/v1/stations/{code}/series", get(series))
            .route("/api/v1/stations/{code}/forecast", get(forecast::forecast))
    }
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// The newest value of each datastream, by its id.
async fn newest(app: &App, streams: &[Datastream]) -> Outcome<HashMap<i64, Observation>> {
    let ids: Vec<i64> = streams.iter().map(|stream| stream.id).collect();
    let newest = app
        .lookup
        .store()
        .newest_observations(&ids, (None, None), false)
        .await?;
    Ok(newest.into_iter().map(|one| (one.datastream, one)).collect())
}

/// A station with the newest value of everything it measures.
fn station(feature: &Feature, streams: &[Datastream], newest: &HashMap<i64, Observation>) -> Value {
    let mut values = Vec::new();
    for stream in streams.iter().filter(|stream| stream.station == feature.code) {
        let latest = newest.get(&stream.id);
        let known = property(&stream.property);
        let mut value = json!({
            "datastream": stream.id, "property": stream.property, "unit": stream.unit,
            "title": {"vi": known.map_or(stream.name.as_str(), |known| known.vi),
                      "en": known.map_or(stream.property.as_str(), |known| known.en)},
        });
        if let (Some(latest), Value::Object(map)) = (latest, &mut value) {
            map.insert("time".into(), json!(time(latest.time)));
            map.insert("value".into(), json!(latest.value));
            map.insert("flag".into(), json!(u8::from(latest.flag)));
        }
        values.push(value);
    }
    let bounds = feature.bounds();
    json!({
        "code": feature.code, "name": feature.name, "properties": feature.properties, "values": values,
        "lon": bounds.map(|b| f64::midpoint(b.west, b.east)), "lat": bounds.map(|b| f64::midpoint(b.south, b.north)),
    })
}

async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let query = Query::of(request.uri(), &["bbox", "limit", "after"])?;
    let limit = query.number("limit", 1..=MOST_STATIONS)?.unwrap_or(MOST_STATIONS);
    let after = query.number("after", 0..=i64::MAX as usize)?;
    let wanted = FeatureQuery {
        bbox: query.get("bbox").map(draw::parse_box).transpose()?,
        after: after.map(|fid| fid as i64),
        // one more tells whether there is a next page
        limit: Some(limit + 1),
        ..FeatureQuery::layer(STATIONS)
    };
    let store = app.lookup.store();
    let mut found = store.features(&wanted).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let mut streams = store.datastreams(None).await?;
    let asked: HashSet<&str> = found.iter().map(|station| station.code.as_str()).collect();
    streams.retain(|stream| asked.contains(stream.station.as_str()));
    let newest = newest(&app, &streams).await?;
    let stations: Vec<Value> = found
        .iter()
        .map(|feature| station(feature, &streams, &newest))
        .collect();
    let mut document = json!({"stations": stations});
    if let Some(last) = found.last().filter(|_| more) {
        let base = app.base_url(request.headers(), request.uri());
        let next = query.again_with(|_| true, "after", last.fid);
        let next = format!("{base}/api/v1/stations?{next}");
        document["links"] = json!([{"rel": "next", "type": "application/json", "href": next}]);
    }
    let response = document::json(request.headers(), NO_CACHE, &document);
    Ok(app.with_own_address(response))
}

/// From when on and until before when; open where there is none.
type Span = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The time that a series is asked for: the last week until the newest value where nothing is said.
fn span(query: &Query<'_>, when: When, newest: DateTime<Utc>) -> Outcome<Span> {
    // a date is its day and an instant itself, as the interval from it to it says
    let asked = match when.query {
        TimeQuery::Within(_) => {
            let moment = query.get("datetime").unwrap_or_default();
            format!("{moment}/{moment}").parse()?
        }
        other => other,
    };
    Ok(match asked {
        TimeQuery::Latest => {
            let end = newest + Duration::milliseconds(1);
            let start = if when.newest_alone {
                newest
            } else {
                end - USUAL_SPAN
            };
            (Some(start), Some(end))
        }
        TimeQuery::Week(week) | TimeQuery::Within(week) => {
            (Some(week.interval().start), Some(week.interval().end))
        }
        // the last second belongs to the interval
        TimeQuery::Between(from, to) => (from, to.map(|to| to + Duration::seconds(1))),
    })
}

async fn known(app: &App, code: &str) -> Outcome<Feature> {
    let found = app.lookup.store().feature(STATIONS, code, None).await?;
    found.ok_or_else(|| {
        Problem::not_found(
            "unknown-station",
            format!("there is no station `{code}`; see /api/v1/stations"),
        )
    })
}

async fn one(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
    let parts = segments(request.uri().path())?;
    let feature = known(&app, parts.get(3).map_or("", AsRef::as_ref)).await?;
    let streams = app.lookup.store().datastreams(Some(&feature.code)).await?;
    let body = station(&feature, &streams, &newest(&app, &streams).await?);
    Ok(document::json(request.headers(), NO_CACHE, &body))
}

async fn series(State(app): State<Shared>, request: Request) -> Outcome {
    let parts = segments(request.uri().path())?;
    let query = Query::of(request.uri(), &["property", "datetime", "step"])?;
    let feature = known(&app, parts.get(3).map_or("", AsRef::as_ref)).await?;
    let store = app.lookup.store();
    let streams = store.datastreams(Some(&feature.code)).await?;
    let measured: Vec<&str> = streams.iter().map(|stream| stream.property.as_str()).collect();
    let name = query.get("property").unwrap_or_default();
    let stream = streams
        .iter()
        .find(|stream| stream.property == name)
        .ok_or_else(|| {
            Problem::bad(
                "property",
                format!("`{}` measures {}", feature.code, measured.join(", ")),
            )
        })?;
    let newest = store.latest(stream.id).await?;
    let when = When::of(&query)?;
    let (from, to) = span(&query, when, newest.map_or_else(Utc::now, |latest| latest.time))?;
    let mut body = Map::new();
    body.insert("station".into(), json!(feature.code));
    body.insert("property".into(), json!(stream.property));
    body.insert("unit".into(), json!(stream.unit));
    if let Some(step) = query.get("step").filter(|step| *step != "raw") {
        let step: Step = step
            .parse()
            .map_err(|error: sen_catalog::Error| Problem::bad("step", error.to_string()))?;
        let to = to.unwrap_or_else(Utc::now);
        let from = match from {
            // the newest step whole: none is longer than a week
            Some(_) if when.newest_alone => to - Duration::days(8),
            from => from.unwrap_or(DateTime::UNIX_EPOCH),
        };
        let mut all = store.aggregate(stream.id, from, to, step).await?;
        if when.newest_alone {
            all.drain(..all.len().saturating_sub(1));
        }
        if all.len() > MOST_VALUES {
            return Err(too_many());
        }
        body.insert("step".into(), json!(step));
        body.insert("values".into(), json!(all));
        return Ok(document::json(request.headers(), NO_CACHE, &Value::Object(body)));
    }
    let wanted = ObservationQuery {
        from,
        to,
        limit: Some(MOST_VALUES + 1),
        ..ObservationQuery::datastream(stream.id)
    };
    let found = store.details(&wanted).await?;
    if found.len() > MOST_VALUES {
        return Err(too_many());
    }
    let values: Vec<Value> = found
        .iter()
        .map(|detail| {
            let one = &detail.observation;
            json!({"time": time(one.time), "value": one.value, "flag": u8::from(one.flag),
                   "tests": detail.marks.names().collect::<Vec<_>>()})
        })
        .collect();
    body.insert("values".into(), Value::Array(values));
    Ok(document::json(request.headers(), NO_CACHE, &Value::Object(body)))
}

fn too_many() -> Problem {
    Problem::too_large(format!(
        "the answer would hold more than {MOST_VALUES} values; ask for less time (datetime=A/B) or a longer step"
    ))
}
