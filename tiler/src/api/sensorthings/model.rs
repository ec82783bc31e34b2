//! The entities: stations and datastreams in the words of SensorThings, and how they hang together.
//!
//! A Thing, its Location and its FeatureOfInterest are one station and carry its number; a Datastream and its Sensor
//! are one datastream. ObservedProperties are named as the project names them (`'water_level'`); one that a client
//! described in words of its own belongs to its datastream alone (`'water_level:7'`). Observations are named by
//! datastream and time (`'7-1779037200000'`).

use super::filter::{Filter, Literal};
use super::schema::{self, Set};
use crate::problem::Outcome;
use crate::query::encode;
use chrono::{DateTime, SecondsFormat, Utc};
use sen_catalog::intake::{PostedUnit, STATIONS};
use sen_catalog::observation::{Datastream, Detail};
use sen_catalog::store::ObservationQuery;
use sen_catalog::{Feature, FeatureQuery, Store};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;

/// A station.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) feature: Feature,
    /// What a client said of it beside its properties: `thing`, `location`.
    pub(super) said: Map<String, Value>,
    /// Its datastreams, by their place in [`World::streams`].
    streams: Vec<usize>,
}

/// A datastream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) datastream: Datastream,
    /// What a client said of it: `datastream`, `sensor`, `observed_property`.
    pub(super) said: Map<String, Value>,
    /// The unit it was made with, where that is known here.
    pub(super) unit: Option<PostedUnit>,
    /// When its observations begin and end, where that was asked for.
    pub(super) span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    station: Option<usize>,
}

impl Stream {
    pub(super) fn id(&self) -> i64 {
        self.datastream.id
    }

    /// Some of what a client said of it.
    pub(super) fn told(&self, of: &str) -> Option<&Map<String, Value>> {
        self.said.get(of)?.as_object()
    }

    /// An observation as the datastream shows it.
    pub(super) fn observation(&self, mut detail: Detail) -> Entity<'_> {
        if let (Some(unit), Some(value)) = (&self.unit, detail.observation.value) {
            detail.observation.value = Some(unit.shown(value));
        }
        Entity::Observation(self, detail)
    }

    /// Number of its ObservedProperty.
    fn property_id(&self) -> String {
        match self.told("observed_property") {
            Some(_) => format!("{}:{}", self.datastream.property, self.id()),
            None => self.datastream.property.clone(),
        }
    }
}

/// What stations and datastreams there are, as of one request.
pub(super) struct World<'a> {
    pub(super) store: &'a dyn Store,
    /// Address of the service, without a slash at the end.
    pub(super) base: String,
    pub(super) stations: Vec<Station>,
    /// In the order of their ids.
    pub(super) streams: Vec<Stream>,
    /// Observations looked at for this request.
    pub(super) scanned: AtomicUsize,
}

/// One entity.
#[derive(Clone, Debug)]
pub(super) enum Entity<'w> {
    Thing(&'w Station),
    Location(&'w Station),
    Foi(&'w Station),
    Datastream(&'w Stream),
    Sensor(&'w Stream),
    Property(&'w Stream),
    Observation(&'w Stream, Detail),
}

/// What a navigation leads to.
pub(super) enum Related<'w> {
    One(Option<Entity<'w>>),
    Many(Vec<Entity<'w>>),
    Observations(Vec<&'w Stream>),
}

/// Time as it is written everywhere here.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl<'a> World<'a> {
    /// Reads what there is; the times of datastreams only where they are asked for.
    pub(super) async fn load(store: &'a dyn Store, base: String, with_spans: bool) -> Outcome<Self> {
        let features = store.features(&FeatureQuery::layer(STATIONS)).await?;
        let datastreams = store.datastreams(None).await?;
        let mut of_stations = store.station_fields().await?;
        let mut of_streams = store.all_properties().await?;
        let mut spans = if with_spans {
            store.spans().await?
        } else {
            std::collections::BTreeMap::new()
        };
        let mut stations: Vec<Station> = features
            .into_iter()
            .map(|feature| Station {
                said: of_stations.remove(&feature.fid).unwrap_or_default(),
                feature,
                streams: Vec::new(),
            })
            .collect();
        let by_code: HashMap<String, usize> = stations
            .iter()
            .enumerate()
            .map(|(at, station)| (station.feature.code.clone(), at))
            .collect();
        let mut streams = Vec::with_capacity(datastreams.len());
        for datastream in datastreams {
            let said = of_streams.remove(&datastream.id).unwrap_or_default();
            let station = by_code.get(&datastream.station).copied();
            if let Some(station) = station.and_then(|at| stations.get_mut(at)) {
                station.streams.push(streams.len());
            }
            streams.push(Stream {
                unit: PostedUnit::of(&datastream, &said),
                span: spans.remove(&datastream.id),
                said,
                station,
                datastream,
            });
        }
        Ok(Self {
            store,
            base,
            stations,
            streams,
            scanned: AtomicUsize::new(0),
        })
    }

    /// One datastream and its station; none where there is no such datastream.
    pub(super) async fn of_datastream(store: &'a dyn Store, base: String, id: i64) -> Outcome<Option<Self>> {
        let Some(datastream) = store.datastream(id).await? else {
            return Ok(None);
        };
        let feature = store.feature(STATIONS, &datastream.station, None).await?;
        let stations: Vec<Station> = feature
            .into_iter()
            .map(|feature| Station {
                feature,
                said: Map::new(),
                streams: vec![0],
            })
            .collect();
        let said = store.properties(id).await?;
        let stream = Stream {
            unit: PostedUnit::of(&datastream, &said),
            span: None,
            said,
            station: (!stations.is_empty()).then_some(0),
            datastream,
        };
        Ok(Some(Self {
            store,
            base,
            stations,
            streams: vec![stream],
            scanned: AtomicUsize::new(0),
        }))
    }

    /// All entities of a set, in the order of their ids.
    pub(super) fn set(&self, set: Set) -> Related<'_> {
        let stations = self.stations.iter();
        let streams = self.streams.iter();
        Related::Many(match set {
            Set::Things => stations.map(Entity::Thing).collect(),
            Set::Locations => stations.map(Entity::Location).collect(),
            Set::FeaturesOfInterest => stations.map(Entity::Foi).collect(),
            // stations do not move here
            Set::HistoricalLocations => Vec::new(),
            Set::Datastreams => streams.map(Entity::Datastream).collect(),
            Set::Sensors => streams.map(Entity::Sensor).collect(),
            Set::ObservedProperties => {
                let mut named: Vec<_> = streams.map(|stream| (stream.property_id(), stream)).collect();
                named.sort_by(|(a, _), (b, _)| a.cmp(b));
                named.dedup_by(|(a, _), (b, _)| a == b);
                named
                    .into_iter()
                    .map(|(_, stream)| Entity::Property(stream))
                    .collect()
            }
            Set::Observations => return Related::Observations(streams.collect()),
        })
    }

    /// The entity of a set with the id, as it stands in an address: `7` or `'ph'`.
    pub(super) async fn entity(&self, set: Set, id: &str) -> Outcome<Option<Entity<'_>>> {
        let plain = id.trim_matches('\'');
        match self.set(set) {
            Related::Observations(_) => self.observation(plain).await,
            Related::Many(all) => {
                let is_wanted = |entity: &Entity<'_>| match entity.id() {
                    Value::String(own) => own == plain,
                    own => plain.parse::<i64>().is_ok_and(|number| own == json!(number)),
                };
                Ok(all.into_iter().find(is_wanted))
            }
            Related::One(_) => Ok(None),
        }
    }

    async fn observation(&self, id: &str) -> Outcome<Option<Entity<'_>>> {
        let Some((stream, time)) = self.key(id) else {
            return Ok(None);
        };
        let query = ObservationQuery {
            from: Some(time),
            limit: Some(1),
            ..ObservationQuery::datastream(stream.id())
        };
        let found = self.store.details(&query).await?.pop();
        Ok(found
            .filter(|detail| detail.observation.time == time)
            .map(|detail| stream.observation(detail)))
    }

    /// Datastream and time of an observation's id.
    pub(super) fn key(&self, id: &str) -> Option<(&Stream, DateTime<Utc>)> {
        let (stream, time) = id.split_once('-')?;
        let stream = self.stream(stream.parse().ok()?)?;
        Some((stream, DateTime::from_timestamp_millis(time.parse().ok()?)?))
    }

    /// A datastream by its id.
    pub(super) fn stream(&self, id: i64) -> Option<&Stream> {
        let at = self.streams.binary_search_by_key(&id, Stream::id).ok()?;
        self.streams.get(at)
    }

    fn station_of(&self, stream: &Stream) -> Option<&Station> {
        self.stations.get(stream.station?)
    }
}

/// Id of an observation.
pub(super) fn observation_id(datastream: i64, time: DateTime<Utc>) -> String {
    format!("{datastream}-{}", time.timestamp_millis())
}

impl<'w> Entity<'w> {
    pub(super) fn set(&self) -> Set {
        match self {
            Self::Thing(_) => Set::Things,
            Self::Location(_) => Set::Locations,
            Self::Foi(_) => Set::FeaturesOfInterest,
            Self::Datastream(_) => Set::Datastreams,
            Self::Sensor(_) => Set::Sensors,
            Self::Property(..) => Set::ObservedProperties,
            Self::Observation(..) => Set::Observations,
        }
    }

    pub(super) fn id(&self) -> Value {
        match self {
            Self::Thing(station) | Self::Location(station) | Self::Foi(station) => json!(station.feature.fid),
            Self::Datastream(stream) | Self::Sensor(stream) => json!(stream.id()),
            Self::Property(stream) => json!(stream.property_id()),
            Self::Observation(stream, detail) => json!(observation_id(stream.id(), detail.observation.time)),
        }
    }

    /// `Things(1)`, `ObservedProperties('ph')`.
    pub(super) fn address(&self) -> String {
        let set = self.set().name();
        match self.id() {
            Value::String(text) => format!("{set}('{}')", encode(&text)),
            number => format!("{set}({number})"),
        }
    }

    /// Where a navigation leads; none for one that this entity does not have.
    pub(super) fn related(&self, name: &str, world: &'w World<'_>) -> Option<Related<'w>> {
        self.set().navigation(name)?;
        let of_station = |own: &'w Station| own.streams.iter().filter_map(|at| world.streams.get(*at));
        Some(match (self, name) {
            (Self::Thing(own), "Locations") => Related::Many(vec![Self::Location(own)]),
            (Self::Location(own), "Things") => Related::Many(vec![Self::Thing(own)]),
            (Self::Thing(own), "Datastreams") => {
                Related::Many(of_station(own).map(Self::Datastream).collect())
            }
            (Self::Foi(own), _) => Related::Observations(of_station(own).collect()),
            (Self::Datastream(own), "Thing") => Related::One(world.station_of(own).map(Self::Thing)),
            (Self::Datastream(own), "Sensor") => Related::One(Some(Self::Sensor(own))),
            (Self::Datastream(own), "ObservedProperty") => Related::One(Some(Self::Property(own))),
            (Self::Datastream(own), _) => Related::Observations(vec![own]),
            (Self::Sensor(own), _) => Related::Many(vec![Self::Datastream(own)]),
            (Self::Property(own), _) => {
                let id = own.property_id();
                let all = world.streams.iter().filter(|stream| stream.property_id() == id);
                Related::Many(all.map(Self::Datastream).collect())
            }
            (Self::Observation(own, _), "Datastream") => Related::One(Some(Self::Datastream(own))),
            (Self::Observation(own, _), _) => Related::One(world.station_of(own).map(Self::Foi)),
            _ => Related::Many(Vec::new()),
        })
    }

    /// A value by path, through entities it belongs to where need be.
    fn find(&self, path: &[String], world: &'w World<'_>) -> Literal {
        let Some((first, rest)) = path.split_first() else {
            return Literal::Null;
        };
        if let Some(kind) = self.set().property(first) {
            return self.value(first, rest, kind);
        }
        match self.related(first, world) {
            Some(Related::One(Some(entity))) => entity.find(rest, world),
            _ => Literal::Null,
        }
    }

    fn value(&self, name: &str, rest: &[String], kind: schema::Type) -> Literal {
        // what is asked of every observation is answered without writing it down first
        match (self, name) {
            (Self::Observation(_, detail), "result") => {
                return detail.observation.value.map_or(Literal::Null, Literal::Number);
            }
            (Self::Observation(_, detail), "phenomenonTime") => {
                return Literal::instant(detail.observation.time);
            }
            (Self::Observation(_, detail), "resultTime") if !detail.fields.contains_key(name) => {
                return Literal::instant(detail.observation.time);
            }
            (Self::Datastream(stream), "id" | "@iot.id") => return Literal::Number(stream.id() as f64),
            _ => {}
        }
        let plain = self.plain();
        let name = if schema::is_id(name) { "@iot.id" } else { name };
        let found = plain
            .get(name)
            .and_then(|value| rest.iter().try_fold(value, |value, name| value.get(name)));
        let kind = schema::member(kind, rest).unwrap_or(kind);
        found.map_or(Literal::Null, |value| Literal::of(value, kind))
    }

    /// What it is sorted by.
    pub(super) fn key(&self, path: &[String], world: &'w World<'_>) -> Literal {
        self.find(path, world)
    }

    /// Whether it passes a filter: for any one entity of each set that the filter goes through.
    pub(super) fn passes(&self, filter: Option<&Filter>, world: &'w World<'_>) -> Outcome<bool> {
        match filter {
            None => Ok(true),
            Some(filter) => self.passes_with(filter, &filter.sets, &mut Vec::new(), world),
        }
    }

    fn passes_with(
        &self,
        filter: &Filter,
        sets: &[Vec<String>],
        bound: &mut Vec<(Vec<String>, Option<Entity<'w>>)>,
        world: &'w World<'_>,
    ) -> Outcome<bool> {
        let Some((first, others)) = sets.split_first() else {
            return filter.expr.is_true(
                &|path| match bound.iter().find(|(prefix, _)| path.starts_with(prefix)) {
                    Some((prefix, Some(entity))) => {
                        entity.find(path.get(prefix.len()..).unwrap_or_default(), world)
                    }
                    Some((_, None)) => Literal::Null,
                    None => self.find(path, world),
                },
            );
        };
        let members = self.members(first, world);
        // of an empty set everything is null
        let members = if members.is_empty() {
            vec![None]
        } else {
            members.into_iter().map(Some).collect()
        };
        for member in members {
            bound.push((first.clone(), member));
            let passes = self.passes_with(filter, others, bound, world)?;
            bound.pop();
            if passes {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entities of the set at the end of a path.
    fn members(&self, path: &[String], world: &'w World<'_>) -> Vec<Entity<'w>> {
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        match self.related(first, world) {
            Some(Related::One(Some(entity))) => entity.members(rest, world),
            Some(Related::Many(all)) if rest.is_empty() => all,
            _ => Vec::new(),
        }
    }
}
