//! The entities: stations and datastreams in the words of SensorThings, and how they hang together.
//!
//! A Thing, its Location and its FeatureOfInterest are one station and carry its number; a Datastream and its Sensor
//! are one datastream. Observations are named by datastream and time (`'7-1779037200000'`).

use crate::problem::{Outcome, Problem};
use crate::query::encode;
use chrono::{DateTime, SecondsFormat, Utc};
use sen_catalog::intake::STATIONS;
use sen_catalog::observation::{Datastream, Detail};
use sen_catalog::property::property;
use sen_catalog::store::ObservationQuery;
use sen_catalog::{Feature, FeatureQuery, Store};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Entities one answer may hold with all that is expanded.
const MOST_ENTITIES: usize = 20_000;

/// The sets, in the order of the service document.
pub(super) const SETS: [&str; 8] = [
    "Things",
    "Locations",
    "HistoricalLocations",
    "Datastreams",
    "Sensors",
    "ObservedProperties",
    "Observations",
    "FeaturesOfInterest",
];

/// What stations and datastreams there are, as of one request.
pub(super) struct World<'a> {
    pub(super) store: &'a dyn Store,
    /// Address of the service, without a slash at the end.
    pub(super) base: String,
    pub(super) stations: Vec<Feature>,
    pub(super) streams: Vec<Datastream>,
    made: AtomicUsize,
}

/// One entity.
#[derive(Clone, Debug)]
pub(super) enum Entity<'w> {
    Thing(&'w Feature),
    Location(&'w Feature),
    Foi(&'w Feature),
    Datastream(&'w Datastream),
    Sensor(&'w Datastream),
    Property(&'w str, &'w str),
    Observation(&'w Datastream, Detail),
}

/// What a navigation leads to.
pub(super) enum Related<'w> {
    One(Option<Entity<'w>>),
    Many(&'static str, Vec<Entity<'w>>),
    Observations(Vec<&'w Datastream>),
}

/// Time as it is written everywhere here.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl<'a> World<'a> {
    pub(super) async fn load(store: &'a dyn Store, base: String) -> Outcome<Self> {
        Ok(Self {
            store,
            base,
            stations: store.features(&FeatureQuery::layer(STATIONS)).await?,
            streams: store.datastreams(None).await?,
            made: AtomicUsize::new(0),
        })
    }

    /// Counts an entity that goes into the answer.
    pub(super) fn count(&self) -> Outcome<()> {
        if self.made.fetch_add(1, Ordering::Relaxed) < MOST_ENTITIES {
            return Ok(());
        }
        Err(Problem::too_large(format!(
            "the answer would hold more than {MOST_ENTITIES} entities; lower $top or expand less"
        )))
    }

    /// All entities of a set but Observations.
    pub(super) fn set(&self, name: &str) -> Option<Related<'_>> {
        let stations = || self.stations.iter();
        Some(match name {
            "Things" => Related::Many("Things", stations().map(Entity::Thing).collect()),
            "Locations" => Related::Many("Locations", stations().map(Entity::Location).collect()),
            "FeaturesOfInterest" => {
                Related::Many("FeaturesOfInterest", stations().map(Entity::Foi).collect())
            }
            // stations do not move here
            "HistoricalLocations" => Related::Many("HistoricalLocations", Vec::new()),
            "Datastreams" => Related::Many(
                "Datastreams",
                self.streams.iter().map(Entity::Datastream).collect(),
            ),
            "Sensors" => Related::Many("Sensors", self.streams.iter().map(Entity::Sensor).collect()),
            "ObservedProperties" => {
                let mut names: Vec<_> = self
                    .streams
                    .iter()
                    .map(|stream| (stream.property.as_str(), stream.unit.as_str()))
                    .collect();
                names.sort_unstable();
                names.dedup_by_key(|(name, _)| *name);
                let all = names.into_iter().map(|(name, unit)| Entity::Property(name, unit));
                Related::Many("ObservedProperties", all.collect())
            }
            "Observations" => Related::Observations(self.streams.iter().collect()),
            _ => return None,
        })
    }

    /// The entity of a set with the id, as it stands in an address: `7` or `'ph'`.
    pub(super) async fn entity(&self, set: &str, id: &str) -> Outcome<Option<Entity<'_>>> {
        let plain = id.trim_matches('\'');
        if set == "Observations" {
            return self.observation(plain).await;
        }
        match self.set(set) {
            Some(Related::Many(_, all)) => {
                let wanted = plain
                    .parse::<i64>()
                    .map_or_else(|_| json!(plain), |number| json!(number));
                Ok(all.into_iter().find(|entity| entity.id() == wanted))
            }
            _ => Ok(None),
        }
    }

    async fn observation(&self, id: &str) -> Outcome<Option<Entity<'_>>> {
        let Some((stream, time)) = self.key(id) else {
            return Ok(None);
        };
        let query = ObservationQuery {
            from: Some(time),
            limit: Some(1),
            ..ObservationQuery::datastream(stream.id)
        };
        let found = self.store.details(&query).await?.pop();
        Ok(found
            .filter(|detail| detail.observation.time == time)
            .map(|detail| Entity::Observation(stream, detail)))
    }

    /// Datastream and time of an observation's id.
    pub(super) fn key(&self, id: &str) -> Option<(&Datastream, DateTime<Utc>)> {
        let (stream, time) = id.split_once('-')?;
        let stream: i64 = stream.parse().ok()?;
        let stream = self.streams.iter().find(|one| one.id == stream)?;
        Some((stream, DateTime::from_timestamp_millis(time.parse().ok()?)?))
    }

    pub(super) fn station(&self, code: &str) -> Option<&Feature> {
        self.stations.iter().find(|station| station.code == code)
    }
}

/// Id of an observation.
pub(super) fn observation_id(datastream: i64, time: DateTime<Utc>) -> String {
    format!("{datastream}-{}", time.timestamp_millis())
}

impl<'w> Entity<'w> {
    pub(super) fn set_name(&self) -> &'static str {
        match self {
            Self::Thing(_) => "Things",
            Self::Location(_) => "Locations",
            Self::Foi(_) => "FeaturesOfInterest",
            Self::Datastream(_) => "Datastreams",
            Self::Sensor(_) => "Sensors",
            Self::Property(..) => "ObservedProperties",
            Self::Observation(..) => "Observations",
        }
    }

    pub(super) fn id(&self) -> Value {
        match self {
            Self::Thing(station) | Self::Location(station) | Self::Foi(station) => json!(station.fid),
            Self::Datastream(stream) | Self::Sensor(stream) => json!(stream.id),
            Self::Property(name, _) => json!(name),
            Self::Observation(stream, detail) => json!(observation_id(stream.id, detail.observation.time)),
        }
    }

    /// `Things(1)`, `ObservedProperties('ph')`.
    pub(super) fn address(&self) -> String {
        match self.id() {
            Value::String(text) => format!("{}('{}')", self.set_name(), encode(&text)),
            number => format!("{}({number})", self.set_name()),
        }
    }

    fn navigations(&self) -> &'static [&'static str] {
        match self {
            Self::Thing(_) => &["Locations", "HistoricalLocations", "Datastreams"],
            Self::Location(_) => &["Things", "HistoricalLocations"],
            Self::Foi(_) => &["Observations"],
            Self::Datastream(_) => &["Thing", "Sensor", "ObservedProperty", "Observations"],
            Self::Sensor(_) | Self::Property(..) => &["Datastreams"],
            Self::Observation(..) => &["Datastream", "FeatureOfInterest"],
        }
    }

    /// Where a navigation leads; none for one that this entity does not have.
    pub(super) fn related(&self, name: &str, world: &'w World<'_>) -> Option<Related<'w>> {
        if !self.navigations().contains(&name) {
            return None;
        }
        let of_station = |code: &'w str| world.streams.iter().filter(move |stream| stream.station == code);
        let station = |stream: &Datastream| world.station(&stream.station);
        Some(match (self, name) {
            (Self::Thing(own), "Locations") => Related::Many("Locations", vec![Self::Location(own)]),
            (Self::Location(own), "Things") => Related::Many("Things", vec![Self::Thing(own)]),
            (Self::Thing(own), "Datastreams") => Related::Many(
                "Datastreams",
                of_station(&own.code).map(Self::Datastream).collect(),
            ),
            (Self::Foi(own), _) => Related::Observations(of_station(&own.code).collect()),
            (Self::Datastream(own), "Thing") => Related::One(station(own).map(Self::Thing)),
            (Self::Datastream(own), "Sensor") => Related::One(Some(Self::Sensor(own))),
            (Self::Datastream(own), "ObservedProperty") => {
                Related::One(Some(Self::Property(&own.property, &own.unit)))
            }
            (Self::Datastream(own), _) => Related::Observations(vec![own]),
            (Self::Sensor(own), _) => Related::Many("Datastreams", vec![Self::Datastream(own)]),
            (Self::Property(property, _), _) => {
                let all = world.streams.iter().filter(|stream| stream.property == *property);
                Related::Many("Datastreams", all.map(Self::Datastream).collect())
            }
            (Self::Observation(own, _), "Datastream") => Related::One(Some(Self::Datastream(own))),
            (Self::Observation(own, _), _) => Related::One(station(own).map(Self::Foi)),
            _ => Related::Many("HistoricalLocations", Vec::new()),
        })
    }

    /// Its own properties, without links.
    pub(super) fn plain(&self) -> Map<String, Value> {
        let value = match self {
            Self::Thing(station) => json!({
                "name": station.name.as_deref().unwrap_or(&station.code), "description": station.code,
                "properties": station_properties(station),
            }),
            Self::Location(station) => json!({
                "name": station.name.as_deref().unwrap_or(&station.code), "description": station.code,
                "encodingType": "application/geo+json", "location": geometry(station),
            }),
            Self::Foi(station) => json!({
                "name": station.name.as_deref().unwrap_or(&station.code), "description": station.code,
                "encodingType": "application/geo+json", "feature": geometry(station),
            }),
            Self::Datastream(stream) => json!({
                "name": stream.name,
                "description": format!("{} at {}", stream.property, stream.station),
                "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
                "unitOfMeasurement": {"name": stream.unit, "symbol": stream.unit,
                    "definition": format!("https://ucum.org/ucum#{}", encode(&stream.unit))},
                "properties": {"station": stream.station, "property": stream.property},
            }),
            Self::Sensor(stream) => json!({
                "name": format!("{} at {}", stream.property, stream.station), "description": "",
                "encodingType": "text/plain", "metadata": "",
            }),
            Self::Property(name, unit) => match property(name) {
                Some(known) => {
                    json!({"name": known.name, "description": format!("{} – {}", known.vi, known.en),
                    "definition": known.definition, "properties": {"unit": known.unit}})
                }
                None => {
                    json!({"name": name, "description": name, "definition": "", "properties": {"unit": unit}})
                }
            },
            Self::Observation(_, detail) => {
                let time = rfc3339(detail.observation.time);
                json!({
                    "phenomenonTime": time, "resultTime": time, "result": detail.observation.value,
                    "resultQuality": {"flag": u8::from(detail.observation.flag),
                        "tests": detail.marks.names().collect::<Vec<_>>()},
                    "parameters": {"arrived": rfc3339(detail.arrived)},
                })
            }
        };
        let mut map = Map::new();
        map.insert("@iot.id".into(), self.id());
        if let Value::Object(own) = value {
            map.extend(own);
        }
        map
    }

    /// With what only the store knows, and links.
    pub(super) async fn whole(&self, world: &World<'_>) -> Outcome<Map<String, Value>> {
        let mut map = self.plain();
        if let Self::Datastream(stream) | Self::Sensor(stream) = self {
            let said = world.store.properties(stream.id).await?;
            let key = if matches!(self, Self::Sensor(_)) {
                "sensor"
            } else {
                "datastream"
            };
            if let Some(Value::Object(own)) = said.get(key) {
                map.extend(own.clone());
            }
        }
        if let Self::Datastream(stream) = self {
            let end = |newest_first| ObservationQuery {
                newest_first,
                limit: Some(1),
                ..ObservationQuery::datastream(stream.id)
            };
            let first = world.store.observations(&end(false)).await?.pop();
            let last = world.store.observations(&end(true)).await?.pop();
            if let Some((first, last)) = first.zip(last) {
                let interval = format!("{}/{}", rfc3339(first.time), rfc3339(last.time));
                map.insert("phenomenonTime".into(), json!(interval));
            }
        }
        let own = format!("{}/{}", world.base, self.address());
        map.insert("@iot.selfLink".into(), json!(own));
        for name in self.navigations() {
            map.insert(
                format!("{name}@iot.navigationLink"),
                json!(format!("{own}/{name}")),
            );
        }
        Ok(map)
    }

    /// A value by path, through entities it belongs to where need be.
    pub(super) fn find(&self, path: &[String], world: &'w World<'_>) -> Option<Value> {
        let (first, rest) = path.split_first()?;
        let name = if first == "id" { "@iot.id" } else { first };
        if let Some(value) = self.plain().get(name) {
            return rest
                .iter()
                .try_fold(value, |value, name| value.get(name))
                .cloned();
        }
        match self.related(first, world)? {
            Related::One(Some(entity)) => entity.find(rest, world),
            _ => None,
        }
    }
}

fn station_properties(station: &Feature) -> Value {
    let mut properties = station.properties.clone();
    properties.insert("code".into(), json!(station.code));
    Value::Object(properties)
}

fn geometry(station: &Feature) -> Value {
    serde_json::to_value(geojson::Geometry::from(&station.geometry)).unwrap_or_default()
}
