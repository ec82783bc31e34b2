//! The one way in for what sensors say: files, HTTP and MQTT all come through here.
//!
//! A measurement names its station and property; it leaves as a reading of a datastream, in the property's unit, and
//! tested. What cannot be used is handed back with the reason; the rest goes on.

pub mod data_array;

use crate::feature::Feature;
use crate::observation::{Datastream, Flag, Reading, Recorded};
use crate::property::property;
use crate::qartod::{self, Tests};
use crate::store::Store;
use crate::{Error, Result};
use chrono::{DateTime, Duration, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The layer whose features are stations.
pub const STATIONS: &str = "stations";

/// How far the clock of a sensor, or of whoever delivers, may be ahead.
pub(crate) const MOST_AHEAD: Duration = Duration::minutes(5);

/// The `[quality]` table of `sen.toml`: thresholds by property (`[quality.water_level]`) or by station and property
/// (`[quality."TV-01/water_level"]`), laid over the built-in ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Quality(pub BTreeMap<String, Tests>);

impl Quality {
    /// The tests of a property at a station.
    ///
    /// # Errors
    /// [`Error::Invalid`] for settings that make no sense.
    pub fn tests(&self, station: &str, property: &str) -> Result<Tests> {
        let mut tests = qartod::defaults(property);
        for key in [property.to_owned(), format!("{station}/{property}")] {
            if let Some(own) = self.0.get(&key) {
                tests = tests
                    .overridden(own)
                    .map_err(|error| Error::Invalid(format!("quality.\"{key}\": {error}")))?;
            }
        }
        Ok(tests)
    }

    /// Errors for settings that make no sense, wherever they are.
    pub fn check(&self) -> Result<()> {
        for key in self.0.keys() {
            let (station, property) = key.split_once('/').unwrap_or(("", key));
            self.tests(station, property)?;
        }
        Ok(())
    }
}

/// A value as it was delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Code of the station.
    pub station: String,
    /// What was measured: the project's name of the property or another that is known for it.
    pub property: String,
    /// The unit; none: the property's own.
    pub unit: Option<String>,
    /// When.
    pub time: DateTime<Utc>,
    /// The value; none: reported as missing.
    pub value: Option<f64>,
    /// What the deliverer says of it.
    pub given: Flag,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// What was recorded.
    pub recorded: Recorded,
    /// Which measurements could not be used (by their place in the delivery), and why.
    pub refused: Vec<(usize, String)>,
}

#[derive(Clone, Debug)]
struct Stream {
    id: i64,
    tests: Tests,
}

/// The way in.
#[derive(Debug)]
pub struct Intake {
    store: Arc<dyn Store>,
    quality: Quality,
    /// Datastreams by station and property, as they were found.
    streams: Mutex<HashMap<(String, String), Stream>>,
}

impl Intake {
    /// A way into the store.
    pub fn new(store: Arc<dyn Store>, quality: Quality) -> Self {
        Self {
            store,
            quality,
            streams: Mutex::default(),
        }
    }

    /// Takes a delivery. Every datastream's part is written all or nothing.
    ///
    /// # Errors
    /// Only when the store does not answer; what is wrong with a measurement is in [`Taken::refused`].
    pub async fn take(&self, delivery: Vec<Measurement>) -> Result<Taken> {
        let mut taken = Taken::default();
        let mut parts: BTreeMap<(String, String), (Stream, Vec<Reading>)> = BTreeMap::new();
        let mut unknown: HashMap<(String, String), String> = HashMap::new();
        for (place, one) in delivery.into_iter().enumerate() {
            let known = property(&one.property);
            let name = known.map_or_else(
                || one.property.trim().to_lowercase(),
                |known| known.name.to_owned(),
            );
            let key = (one.station, name);
            if let Some(reason) = unknown.get(&key) {
                taken.refused.push((place, reason.clone()));
                continue;
            }
            let reading = match reading(known, one.value, one.unit.as_deref(), one.time, one.given) {
                Ok(reading) => reading,
                Err(reason) => {
                    taken.refused.push((place, reason.to_string()));
                    continue;
                }
            };
            if let Some((_, readings)) = parts.get_mut(&key) {
                readings.push(reading);
                continue;
            }
            let unit = known.map_or(one.unit.as_deref().unwrap_or("1"), |known| known.unit);
            match self.stream(&key, unit).await {
                Ok(stream) => {
                    parts.insert(key, (stream, vec![reading]));
                }
                Err(Error::Invalid(reason) | Error::NotFound(reason)) => {
                    taken.refused.push((place, reason.clone()));
                    unknown.insert(key, reason);
                }
                Err(error) => return Err(error),
            }
        }
        for (stream, readings) in parts.into_values() {
            taken.recorded += self.store.record(stream.id, readings, &stream.tests).await?;
        }
        Ok(taken)
    }

    /// Takes values of one datastream, in its own unit.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown datastream, [`Error::Invalid`] for times in the future and values that are no
    /// numbers: then nothing is taken.
    pub async fn take_stream(&self, datastream: i64, readings: Vec<Reading>) -> Result<Recorded> {
        let found = self.store.datastream(datastream).await?;
        let found = found.ok_or_else(|| Error::NotFound(format!("datastream {datastream}")))?;
        for reading in &readings {
            not_ahead(reading.time)?;
        }
        let stream = self.stream(&(found.station, found.property), &found.unit).await?;
        self.store.record(stream.id, readings, &stream.tests).await
    }

    /// The datastream of a station and property, made when it is not there yet.
    async fn stream(&self, key: &(String, String), unit: &str) -> Result<Stream> {
        let cached = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned();
        if let Some(stream) = cached {
            return Ok(stream);
        }
        let (station, name) = (key.0.as_str(), key.1.as_str());
        let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(Error::Invalid(format!(
                "`{name}` is no name of a property: letters, digits and _ only, at most 64"
            )));
        }
        let feature = self.store.feature(STATIONS, station, None).await?;
        let feature = feature.ok_or_else(|| unknown_station(station))?;
        let existing = self.store.datastreams(Some(station)).await?;
        let id = match existing.iter().find(|one| one.property == name) {
            Some(one) if one.unit == unit => one.id,
            _ => {
                self.store
                    .put_datastream(&new_stream(&feature, name, unit))
                    .await?
            }
        };
        let mut tests = self.quality.tests(station, name)?;
        let interval = feature
            .properties
            .get("interval_s")
            .and_then(serde_json::Value::as_u64);
        tests.interval_s = tests.interval_s.or(interval.and_then(|s| u32::try_from(s).ok()));
        let stream = Stream { id, tests };
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), stream.clone());
        Ok(stream)
    }
}

fn unknown_station(code: &str) -> Error {
    Error::Invalid(format!(
        "the station `{code}` is not known; import it first: sen import layer stations.geojson --as stations"
    ))
}

/// The datastream of a property at a station, before the store has seen it.
pub fn new_stream(station: &Feature, name: &str, unit: &str) -> Datastream {
    let title = property(name).map_or(name, |known| known.vi);
    Datastream {
        id: 0,
        station: station.code.clone(),
        property: name.to_owned(),
        unit: unit.to_owned(),
        name: format!("{title} – {}", station.name.as_deref().unwrap_or(&station.code)),
    }
}

fn not_ahead(time: DateTime<Utc>) -> Result<()> {
    if time > Utc::now() + MOST_AHEAD {
        return Err(Error::Invalid(format!(
            "{} lies in the future; set the sensor's clock, or name the time zone the times are in",
            time.to_rfc3339()
        )));
    }
    Ok(())
}

fn reading(
    known: Option<&'static crate::property::Property>,
    value: Option<f64>,
    unit: Option<&str>,
    time: DateTime<Utc>,
    given: Flag,
) -> Result<Reading> {
    not_ahead(time)?;
    let value = match (value, known) {
        (Some(value), _) if !value.is_finite() => {
            return Err(Error::Invalid(format!(
                "{value} is no value; leave missing ones empty"
            )));
        }
        (Some(value), Some(known)) => Some(known.convert(value, unit.unwrap_or(known.unit))?),
        (value, _) => value,
    };
    Ok(Reading { time, value, given })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ObservationQuery, SqliteStore};
    use geo_types::Point;

    fn measured(station: &str, property: &str, unit: &str, minutes: i64, value: f64) -> Measurement {
        Measurement {
            station: station.into(),
            property: property.into(),
            unit: Some(unit.into()),
            time: Utc::now() - Duration::days(1) + Duration::minutes(minutes),
            value: Some(value),
            given: Flag::NotEvaluated,
        }
    }

    #[tokio::test]
    async fn good_ones_go_in_and_the_others_come_back_with_the_reason() {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
        let mut station = Feature::new(STATIONS, "TV-01", Point::new(105.5, 10.5).into());
        station.properties.insert("interval_s".into(), 900.into());
        store.put_features(vec![station]).await.expect("put");
        let intake = Intake::new(Arc::clone(&store), Quality::default());
        let delivery = vec![
            measured("TV-01", "level", "cm", 0, 152.0),
            measured("TV-01", "water_level", "m", 15, 1.5),
            measured("TV-01", "water_level", "g/L", 30, 1.5),
            measured("TV-09", "water_level", "m", 30, 1.5),
            measured("TV-01", "water_level", "m", 3000, 1.5),
            measured("TV-01", "chlorophyll", "ug/L", 0, 4.5),
            measured("TV-01", "water level!", "m", 0, 4.5),
        ];
        let taken = intake.take(delivery.clone()).await.expect("the store answers");
        assert_eq!(taken.recorded.added, 3);
        let reasons: Vec<_> = taken.refused.iter().map(|(place, _)| *place).collect();
        assert_eq!(reasons, [2, 3, 4, 6]);
        for (reason, word) in taken.refused.iter().map(|(_, reason)| reason).zip([
            "g/L",
            "sen import layer",
            "future",
            "no name",
        ]) {
            assert!(reason.contains(word), "{reason}");
        }
        let streams = store.datastreams(Some("TV-01")).await.expect("streams");
        let names: Vec<_> = streams
            .iter()
            .map(|one| (one.property.as_str(), one.unit.as_str()))
            .collect();
        assert_eq!(names, [("water_level", "m"), ("chlorophyll", "ug/L")]);
        let level = store
            .observations(&ObservationQuery::datastream(streams[0].id))
            .await
            .expect("rows");
        assert!((level[0].value.expect("a value") - 1.52).abs() < 1e-9);
        let again = intake.take(delivery).await.expect("the store answers");
        assert_eq!(
            again.recorded,
            Recorded {
                unchanged: 3,
                ..Recorded::default()
            }
        );
        let ahead = Reading {
            time: Utc::now() + Duration::hours(1),
            value: Some(1.0),
            given: Flag::NotEvaluated,
        };
        assert!(intake.take_stream(streams[0].id, vec![ahead]).await.is_err());
    }

    #[test]
    fn a_station_s_own_thresholds_come_last() {
        let own = |text: &str| serde_json::from_str::<Tests>(text).expect("tests");
        let quality = Quality(BTreeMap::from([
            ("water_level".into(), own(r#"{"range": {"fail": [-1, 6]}}"#)),
            (
                "TV-01/water_level".into(),
                own(r#"{"range": {"fail": [0, 4]}, "without": ["flat"]}"#),
            ),
        ]));
        let fail = |station| {
            quality
                .tests(station, "water_level")
                .expect("sane")
                .range
                .expect("range")
                .fail
        };
        assert_eq!((fail("TV-01"), fail("TV-02")), ([0.0, 4.0], [-1.0, 6.0]));
        let wrong = Quality(BTreeMap::from([("ph".into(), own(r#"{"without": ["x"]}"#))]));
        assert!(
            wrong
                .check()
                .expect_err("refused")
                .to_string()
                .contains("quality.\"ph\"")
        );
    }
}
