//! The sensor nearest to a place for each thing that is measured, with its last good word of a week.

use crate::problem::Outcome;
use crate::values::{Place, tidy};
use chrono::{DateTime, Utc};
use geo::{Distance, Geodesic};
use geo_types::{Geometry, Point};
use sen_catalog::fusion::trust_in_station;
use sen_catalog::observation::{Datastream, Observation};
use sen_catalog::store::ObservationQuery;
use sen_catalog::{Feature, FeatureQuery, Period, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The layer of the stations.
pub(crate) const STATIONS: &str = "stations";

/// Farther stations say nothing of a place, kilometres: the water of another river.
const FARTHEST_KM: f64 = 30.0;

/// How many stations are asked for a property, nearest first, until one has a value.
const TRIES: usize = 3;

/// How many of the newest values are looked through for one that may be used.
const LOOK_BACK: usize = 24;

/// Stations that are read at most.
const MAX_STATIONS: usize = 10_000;

/// What the nearest sensor of a property says.
#[derive(Clone, Debug)]
pub(crate) struct Near {
    /// What is measured, and where.
    pub(crate) stream: Datastream,
    /// The station's name.
    pub(crate) name: String,
    /// How far away it is.
    pub(crate) distance_km: f64,
    /// Its last usable value before the end of the week.
    pub(crate) observation: Observation,
    /// Hours from that value to the end of the week, or to now within the week.
    pub(crate) age_h: f64,
}

impl Near {
    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "property": self.stream.property, "value": self.observation.value.map(tidy), "unit": self.stream.unit,
            "time": self.observation.time, "flag": self.observation.flag,
            "trust": tidy(trust_in_station(self.distance_km * 1000.0, self.age_h)),
            "station": self.stream.station, "name": self.name,
            "distance_km": (self.distance_km * 1000.0).round() / 1000.0, "age_h": (self.age_h * 10.0).round() / 10.0,
        })
    }
}

/// The stations around a place, nearest first, with their distance in kilometres.
async fn stations(store: &dyn Store, place: Place) -> Outcome<Vec<(f64, Feature)>> {
    let query = FeatureQuery {
        limit: Some(MAX_STATIONS),
        ..FeatureQuery::layer(STATIONS)
    };
    let here = Point::new(place.lon, place.lat);
    let mut stations: Vec<_> = store
        .features(&query)
        .await?
        .into_iter()
        .filter(|station| station.valid_to.is_none())
        .filter_map(|station| match &station.geometry {
            Geometry::Point(point) => Some((Geodesic.distance(here, *point) / 1000.0, station)),
            _ => None,
        })
        .filter(|(distance, _)| *distance <= FARTHEST_KM)
        .collect();
    stations.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(stations)
}

/// The nearest sensor of each property that has a usable value in the week.
pub(crate) async fn near(store: &dyn Store, place: Place, period: Period) -> Outcome<Vec<Near>> {
    let stations = stations(store, place).await?;
    if stations.is_empty() {
        return Ok(Vec::new());
    }
    let mut by_station: BTreeMap<String, Vec<Datastream>> = BTreeMap::new();
    let mut properties = Vec::new();
    for stream in store.datastreams(None).await? {
        if !properties.contains(&stream.property) {
            properties.push(stream.property.clone());
        }
        by_station.entry(stream.station.clone()).or_default().push(stream);
    }
    let week = period.interval();
    let until = week.end.min(Utc::now());
    let mut found = Vec::new();
    for property in properties {
        let candidates = stations.iter().filter_map(|(distance, station)| {
            let streams = by_station.get(&station.code)?;
            let stream = streams.iter().find(|stream| stream.property == property)?;
            Some((*distance, station, stream))
        });
        for (distance_km, station, stream) in candidates.take(TRIES) {
            if let Some(observation) = last_good(store, stream.id, week.start, week.end).await? {
                found.push(Near {
                    stream: stream.clone(),
                    name: station.name.clone().unwrap_or_else(|| station.code.clone()),
                    distance_km,
                    age_h: (until - observation.time).num_seconds().max(0) as f64 / 3600.0,
                    observation,
                });
                break;
            }
        }
    }
    Ok(found)
}

async fn last_good(
    store: &dyn Store,
    datastream: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Outcome<Option<Observation>> {
    let query = ObservationQuery {
        datastream,
        from: Some(from),
        to: Some(to),
        newest_first: true,
        limit: Some(LOOK_BACK),
    };
    let newest = store.observations(&query).await?;
    Ok(newest
        .into_iter()
        .find(|one| one.value.is_some() && one.flag.is_usable()))
}
