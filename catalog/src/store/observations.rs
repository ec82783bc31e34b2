//! Observations by datastream: what ground sensors measured.

use crate::observation::{Aggregate, Datastream, Detail, Observation, Reading, Recorded, Step};
use crate::qartod::Tests;
use crate::{Feature, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How many of the newest values of a sensor are looked through for one that may be used.
pub const LOOK_BACK: usize = 24;

/// Which observations: all given conditions hold together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObservationQuery {
    /// Of this datastream.
    pub datastream: i64,
    /// Measured at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Measured before this time.
    pub to: Option<DateTime<Utc>>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: Option<usize>,
    /// So many are left out first.
    pub skip: usize,
}

impl ObservationQuery {
    /// All observations of a datastream, oldest first.
    pub fn datastream(id: i64) -> Self {
        Self {
            datastream: id,
            ..Self::default()
        }
    }
}

/// A datastream that is to be made, with all that comes with it.
#[derive(Clone, Debug)]
pub struct NewDatastream {
    /// The datastream; its id is given by the store.
    pub datastream: Datastream,
    /// What is said of it: see [`Observations::properties`].
    pub properties: Map<String, Value>,
    /// Its first readings, in its unit.
    pub readings: Vec<Reading>,
    /// What they are tested by.
    pub tests: Tests,
}

/// Datastreams and their observations. Writing them never moves the items' revision.
#[async_trait]
pub trait Observations: Send + Sync {
    /// Makes the datastream of a station and property, or renames it; its id.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the datastream holds values of another unit.
    async fn put_datastream(&self, datastream: &Datastream) -> Result<i64>;

    /// The datastreams of a station, or all, by id.
    async fn datastreams(&self, station: Option<&str>) -> Result<Vec<Datastream>>;

    /// One datastream.
    async fn datastream(&self, id: i64) -> Result<Option<Datastream>>;

    /// What is said of a datastream beside its name: sensor, description.
    async fn properties(&self, datastream: i64) -> Result<Map<String, Value>>;

    /// What is said of every datastream, by its id.
    async fn all_properties(&self) -> Result<BTreeMap<i64, Map<String, Value>>>;

    /// Makes a datastream of a station that is there, all or nothing, and gives its id; none when that station has one of
    /// that property already: then nothing is written.
    async fn make_datastream(&self, datastream: NewDatastream) -> Result<Option<i64>>;

    /// Makes a station with what is said of it and its datastreams, all or nothing, and gives its `fid`; none when there is
    /// one of that code already: then nothing is written. Moves the items' revision too, as every feature does.
    async fn make_station(
        &self,
        station: Feature,
        fields: Map<String, Value>,
        datastreams: Vec<NewDatastream>,
    ) -> Result<Option<i64>>;

    /// What [`Observations::make_station`] was told of stations beside their properties, by `fid`.
    async fn station_fields(&self) -> Result<BTreeMap<i64, Map<String, Value>>>;

    /// Replaces what is said of a datastream.
    async fn put_properties(&self, datastream: i64, properties: &Map<String, Value>) -> Result<()>;

    /// Inserts or replaces by (datastream, time) with the flags they carry, all or nothing; how many were new or
    /// changed. Who writes what a sensor says calls [`Observations::record`] instead, which tests it.
    async fn put_observations(&self, observations: Vec<Observation>) -> Result<usize>;

    /// Inserts or replaces readings of one datastream by time, all or nothing, and flags them and their neighbours.
    async fn record(&self, datastream: i64, readings: Vec<Reading>, tests: &Tests) -> Result<Recorded>;

    /// Observations of a datastream.
    async fn observations(&self, query: &ObservationQuery) -> Result<Vec<Observation>>;

    /// The same with what the tests said and when each arrived.
    async fn details(&self, query: &ObservationQuery) -> Result<Vec<Detail>>;

    /// Which datastreams hold observations with [`fields`](Reading::fields), by id.
    async fn datastreams_with_fields(&self) -> Result<Vec<i64>>;

    /// The times of the first and the last observation of every datastream that has any, by id: two seeks each.
    async fn spans(&self) -> Result<BTreeMap<i64, (DateTime<Utc>, DateTime<Utc>)>>;

    /// How many observations the query finds, whatever its `limit` and `skip`.
    async fn count_observations(&self, query: &ObservationQuery) -> Result<u64>;

    /// The newest observation, whatever its flag: one seek, however many there are.
    async fn latest(&self, datastream: i64) -> Result<Option<Observation>>;

    /// The newest observation of each of some datastreams, measured from `from` on and before `to` where given; those
    /// without one are left out. `usable`: the newest that may be used (see [`is_usable`](crate::observation::Flag::is_usable)) of the [`LOOK_BACK`]
    /// newest.
    async fn newest_observations(
        &self,
        datastreams: &[i64],
        (from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        usable: bool,
    ) -> Result<Vec<Observation>>;

    /// Usable values (see [`Aggregate`]) from `from` on and before `to`, by interval; intervals without any are left
    /// out.
    async fn aggregate(
        &self,
        datastream: i64,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        step: Step,
    ) -> Result<Vec<Aggregate>>;

    /// Grows with every change of datastreams or observations: readers keep what they built while it stands still.
    async fn observation_revision(&self) -> Result<u64>;
}
