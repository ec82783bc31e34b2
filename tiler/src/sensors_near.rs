//! The sensor nearest to a place for each thing that is measured, with its last good word of a week.

use crate::api::zones::label;
use crate::problem::Outcome;
use crate::values::{Place, tidy};
use chrono::{DateTime, Utc};
use sen_catalog::intake::STATIONS;
use sen_catalog::observation::{Datastream, Observation};
use sen_catalog::{Feature, FeatureQuery, Period, Store, fusion};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Farther stations say nothing of a place, metres: the water of another river.
const FARTHEST_M: f64 = 30_000.0;

/// How many stations are asked for a property, nearest first, until one has a value.
const TRIES: usize = 3;

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
    pub(crate) distance_m: f64,
    /// Its last usable value before the end of the week.
    pub(crate) observation: Observation,
    /// Hours from that value to the end of the week, or to now within the week.
    pub(crate) age_h: f64,
}

impl Near {
    /// What a stream of a station says by an observation, `until` being the end of the week, or now.
    pub(crate) fn of(
        stream: Datastream,
        station: &Feature,
        distance_m: f64,
        observation: Observation,
        until: DateTime<Utc>,
    ) -> Self {
        Self {
            stream,
            name: label(station).to_owned(),
            distance_m,
            age_h: (until - observation.time).num_seconds().max(0) as f64 / 3600.0,
            observation,
        }
    }

    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "property": self.stream.property, "value": self.observation.value.map(tidy), "unit": self.stream.unit,
            "time": self.observation.time, "flag": self.observation.flag,
            "trust": tidy(fusion::trust_in_station(self.distance_m, self.age_h)),
            "station": self.stream.station, "name": self.name,
            "distance_km": self.distance_m.round() / 1000.0, "age_h": (self.age_h * 10.0).round() / 10.0,
        })
    }
}

/// The nearest sensor of each property that has a usable value in the week.
pub(crate) async fn near(store: &dyn Store, place: Place, period: Period) -> Outcome<Vec<Near>> {
    let query = FeatureQuery {
        limit: Some(MAX_STATIONS),
        ..FeatureQuery::layer(STATIONS)
    };
    let stations = store.features(&query).await?;
    let current = stations.iter().filter(|station| station.valid_to.is_none());
    let mut around = fusion::nearest(current, place.lon, place.lat);
    around.retain(|near| near.distance_m <= FARTHEST_M);
    if around.is_empty() {
        return Ok(Vec::new());
    }
    let mut by_property: BTreeMap<String, BTreeMap<String, Datastream>> = BTreeMap::new();
    for stream in store.datastreams(None).await? {
        let of_station = by_property.entry(stream.property.clone()).or_default();
        of_station.insert(stream.station.clone(), stream);
    }
    let candidates: Vec<Vec<_>> = by_property
        .values()
        .map(|streams| {
            let own = around
                .iter()
                .filter_map(|near| Some((near, streams.get(&near.station.code)?)));
            own.take(TRIES).collect()
        })
        .collect();
    let ids: Vec<i64> = candidates.iter().flatten().map(|(_, stream)| stream.id).collect();
    let week = period.interval();
    let newest = store
        .newest_observations(&ids, (Some(week.start), Some(week.end)), true)
        .await?;
    let until = week.end.min(Utc::now());
    let nearest = candidates.into_iter().filter_map(|candidates| {
        candidates.into_iter().find_map(|(near, stream)| {
            let observation = newest.iter().find(|one| one.datastream == stream.id)?;
            Some(Near::of(
                stream.clone(),
                near.station,
                near.distance_m,
                observation.clone(),
                until,
            ))
        })
    });
    Ok(nearest.collect())
}
