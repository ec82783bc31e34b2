//! The one way in for what sensors say: files, HTTP and MQTT all come through here.
//!
//! A measurement names its station and property; it leaves as a reading of a datastream, in the property's unit, and
//! tested. What cannot be used is handed back with the reason; the rest goes on.

pub mod data_array;
pub mod json;
mod posted_unit;
pub mod time;

pub use posted_unit::PostedUnit;

use crate::feature::{Feature, tidy_code};
use crate::observation::{Datastream, Flag, Reading, Recorded};
use crate::property::{Property, property};
use crate::qartod::{self, Tests};
use crate::store::{NewDatastream, Store};
use crate::{Error, Result, limits};
use chrono::{DateTime, Datelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// The layer whose features are stations.
pub const STATIONS: &str = "stations";

/// Values of earlier years are refused: a clock that was never set counts from the first of January 1970.
const FIRST_YEAR: i32 = 1971;

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
    /// The unit; none: the property's own, or the one its datastream has.
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

/// A datastream that is to be made, as a client describes it.
#[derive(Clone, Debug)]
pub struct Described {
    /// The datastream, in the unit its values are kept in.
    pub datastream: Datastream,
    /// What is said of it (see [`Observations::properties`](crate::store::Observations::properties)).
    pub properties: Map<String, Value>,
    /// Its first readings, in the unit that is said of it.
    pub readings: Vec<Reading>,
}

#[derive(Clone, Debug)]
struct Stream {
    id: i64,
    /// The unit its values are kept in.
    unit: String,
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

    /// Takes a delivery. Every datastream's part is written all or nothing. A value without unit that fits another unit
    /// than the property's own ([`Property::likely_units`](crate::property::Property::likely_units)) is kept as failed.
    ///
    /// # Errors
    /// Only when the store does not answer; what is wrong with a measurement is in [`Taken::refused`].
    pub async fn take(&self, delivery: Vec<Measurement>) -> Result<Taken> {
        let mut taken = Taken::default();
        let mut parts: BTreeMap<(String, String), (Stream, Vec<Reading>)> = BTreeMap::new();
        let mut unknown: HashMap<(String, String), String> = HashMap::new();
        for (place, one) in delivery.into_iter().enumerate() {
            let given = one.unit.as_deref().map(str::trim).filter(|unit| !unit.is_empty());
            let known = property(&one.property);
            let name = known.map_or_else(
                || one.property.trim().to_lowercase(),
                |known| known.name.to_owned(),
            );
            let key = (tidy_code(&one.station), name);
            if let Some(reason) = unknown.get(&key) {
                taken.refused.push((place, reason.clone()));
                continue;
            }
            if let Some(unit) = given.filter(|_| known.is_none())
                && let Err(reason) = limits::check_unit("unit", unit)
            {
                taken.refused.push((place, reason.to_string()));
                continue;
            }
            let reading = match reading(known, one.value, given, one.time, one.given) {
                Ok(reading) => reading,
                Err(reason) => {
                    taken.refused.push((place, reason.to_string()));
                    continue;
                }
            };
            // the unit the reading is in by now; none where nothing says it
            let unit = known.map(|known| known.unit).or(given);
            if !parts.contains_key(&key) {
                match self.stream(&key, unit).await {
                    Ok(Some(stream)) => {
                        parts.insert(key.clone(), (stream, Vec::new()));
                    }
                    Ok(None) => taken.refused.push((place, no_unit(&key.1))),
                    Err(Error::Invalid(reason) | Error::NotFound(reason)) => {
                        taken.refused.push((place, reason.clone()));
                        unknown.insert(key.clone(), reason);
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some((stream, readings)) = parts.get_mut(&key) else {
                continue;
            };
            match unit.filter(|unit| *unit != stream.unit) {
                None => readings.push(reading),
                Some(other) => taken.refused.push((place, other_unit(&key, other, &stream.unit))),
            }
        }
        for (stream, readings) in parts.into_values().filter(|(_, readings)| !readings.is_empty()) {
            taken.recorded += self.store.record(stream.id, readings, &stream.tests).await?;
        }
        Ok(taken)
    }

    /// Takes values of one datastream, in the unit it was made with.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown datastream, [`Error::Invalid`] for times that cannot be and values that are no
    /// numbers: then nothing is taken.
    pub async fn take_stream(&self, datastream: i64, readings: Vec<Reading>) -> Result<Recorded> {
        let found = self.store.datastream(datastream).await?;
        let found = found.ok_or_else(|| Error::NotFound(format!("datastream {datastream}")))?;
        let said = self.store.properties(datastream).await?;
        let readings = as_kept(&found, &said, readings)?;
        let key = (found.station, found.property);
        let stream = self.stream(&key, Some(&found.unit)).await?;
        let stream = stream.ok_or_else(|| Error::NotFound(format!("datastream {datastream}")))?;
        self.store.record(stream.id, readings, &stream.tests).await
    }

    /// Makes a station with its datastreams, what is said of them and their first readings (in the units that are said),
    /// all or nothing, and gives its `fid`; none when there is a station of that code.
    ///
    /// # Errors
    /// [`Error::Invalid`] for two datastreams of one property and for readings that cannot be: then nothing is made.
    pub async fn make_station(
        &self,
        station: Feature,
        fields: Map<String, Value>,
        datastreams: Vec<Described>,
    ) -> Result<Option<i64>> {
        let new = datastreams
            .into_iter()
            .map(|one| self.new_datastream(&station, one));
        let new = new.collect::<Result<Vec<_>>>()?;
        self.store.make_station(station, fields, new).await
    }

    /// Makes a datastream of a station, as [`Intake::make_station`] does; none when the station has one of that property.
    ///
    /// # Errors
    /// [`Error::Invalid`] for readings that cannot be.
    pub async fn make_datastream(&self, station: &Feature, datastream: Described) -> Result<Option<i64>> {
        let new = self.new_datastream(station, datastream)?;
        self.store.make_datastream(new).await
    }

    fn new_datastream(&self, station: &Feature, described: Described) -> Result<NewDatastream> {
        let Described {
            datastream,
            properties,
            readings,
        } = described;
        check_property_name(&datastream.property)?;
        Ok(NewDatastream {
            readings: as_kept(&datastream, &properties, readings)?,
            tests: self.tests(station, &datastream.property)?,
            datastream,
            properties,
        })
    }

    /// The tests of a property at a station, with the interval that the station says.
    fn tests(&self, station: &Feature, property: &str) -> Result<Tests> {
        let mut tests = self.quality.tests(&station.code, property)?;
        let interval = station.properties.get("interval_s").and_then(Value::as_u64);
        tests.interval_s = tests.interval_s.or(interval.and_then(|s| u32::try_from(s).ok()));
        Ok(tests)
    }

    /// The datastream of a station and property, made when it is not there yet; none when it would have to be made and
    /// nobody says in which unit.
    async fn stream(&self, key: &(String, String), unit: Option<&str>) -> Result<Option<Stream>> {
        let cached = self
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned();
        if cached.is_some() {
            return Ok(cached);
        }
        let (station, name) = (key.0.as_str(), key.1.as_str());
        check_property_name(name)?;
        let feature = self.store.feature(STATIONS, station, None).await?;
        let feature = feature.ok_or_else(|| unknown_station(station))?;
        // the station's own code: the one that was sent may have white space around it
        let station = feature.code.as_str();
        let existing = self.store.datastreams(Some(station)).await?;
        let own_name = property(name).is_none();
        let (id, unit) = match (existing.into_iter().find(|one| one.property == name), unit) {
            // a property that is not known by name keeps the unit it began with
            (Some(one), unit) if own_name || unit == Some(one.unit.as_str()) => (one.id, one.unit),
            (_, Some(unit)) => {
                let made = new_stream(&feature, name, unit);
                (self.store.put_datastream(&made).await?, made.unit)
            }
            (_, None) => return Ok(None),
        };
        let tests = self.tests(&feature, name)?;
        let stream = Stream { id, unit, tests };
        self.streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.clone(), stream.clone());
        Ok(Some(stream))
    }
}

fn check_property_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Error::Invalid(format!(
            "`{name}` is no name of a property: letters, digits and _ only, at most 64"
        )));
    }
    Ok(())
}

/// Readings of a Datastream in the unit they are kept in; times that cannot be are refused.
fn as_kept(
    datastream: &Datastream,
    said: &Map<String, Value>,
    readings: Vec<Reading>,
) -> Result<Vec<Reading>> {
    for reading in &readings {
        check_time("phenomenonTime", reading.time)?;
    }
    match PostedUnit::of(datastream, said) {
        Some(unit) => readings.into_iter().map(|reading| unit.kept(reading)).collect(),
        None => Ok(readings),
    }
}

fn no_unit(name: &str) -> String {
    format!(
        "unit: is missing; `{name}` is no property that is known here, so say its unit, 1 for plain numbers"
    )
}

fn other_unit((station, name): &(String, String), given: &str, kept: &str) -> String {
    format!(
        "unit: `{given}` is another than `{kept}`, in which {name} of station {station} is kept, and nothing here \
         knows how to convert it; deliver it in `{kept}`"
    )
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

/// Refuses times at which nothing can have been measured, naming the field they stand in.
fn check_time(field: &str, time: DateTime<Utc>) -> Result<()> {
    if time > Utc::now() + limits::MOST_AHEAD {
        return Err(Error::Invalid(format!(
            "{field}: {} lies in the future; set the sensor's clock, or name the time zone the times are in",
            time.to_rfc3339()
        )));
    }
    if time.year() < FIRST_YEAR {
        return Err(Error::Invalid(format!(
            "{field}: {} lies before {FIRST_YEAR}; set the sensor's clock, which counts from 1970 until somebody does",
            time.to_rfc3339()
        )));
    }
    Ok(())
}

fn reading(
    known: Option<&'static Property>,
    value: Option<f64>,
    unit: Option<&str>,
    time: DateTime<Utc>,
    given: Flag,
) -> Result<Reading> {
    check_time("time", time)?;
    let doubtful = |known: &Property| value.is_some_and(|value| !known.likely_units(value).is_empty());
    let given = match known {
        Some(known) if unit.is_none() && doubtful(known) => Flag::Fail,
        _ => given,
    };
    let value = match (value, known) {
        (Some(value), _) if !value.is_finite() => {
            return Err(Error::Invalid(format!(
                "{value} is no value; leave missing ones empty"
            )));
        }
        (Some(value), Some(known)) => Some(known.convert(value, unit.unwrap_or(known.unit))?),
        (value, _) => value,
    };
    Ok(Reading {
        time,
        value,
        given,
        fields: Map::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ObservationQuery, SqliteStore};
    use chrono::Duration;
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
            fields: Map::new(),
        };
        assert!(intake.take_stream(streams[0].id, vec![ahead]).await.is_err());
    }

    async fn one_station() -> (Arc<dyn Store>, Intake) {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
        let station = Feature::new(STATIONS, "TV-01", Point::new(105.5, 10.5).into());
        store.put_features(vec![station]).await.expect("put");
        (Arc::clone(&store), Intake::new(store, Quality::default()))
    }

    #[tokio::test]
    async fn units_of_one_series_are_never_mixed() {
        let (store, intake) = one_station().await;
        let without = |minutes: i64| Measurement {
            unit: None,
            ..measured("TV-01", "chlorophyll", "", minutes, 4.5)
        };
        let delivery = vec![
            without(0),
            measured("TV-01", "chlorophyll", " ug/L ", 15, 4.5),
            measured("TV-01", "chlorophyll", "mg/L", 30, 4.5),
            without(45),
            measured("TV-01", "chlorophyll", "ug/L", 60, 4.6),
            // a unit of a property that is known is converted, also when it changes from row to row
            measured("TV-01", "water_level", "cm", 0, 152.0),
            measured("TV-01", "water_level", "", 15, 1.52),
            measured("TV-01", "water_level", "mm", 30, 1520.0),
        ];
        let taken = intake.take(delivery).await.expect("the store answers");
        assert_eq!(taken.recorded.added, 6, "{:?}", taken.refused);
        let told: Vec<_> = taken.refused.iter().map(|(place, _)| *place).collect();
        assert_eq!(told, [0, 2]);
        assert!(
            taken.refused[0].1.starts_with("unit: is missing"),
            "{:?}",
            taken.refused
        );
        assert!(
            taken.refused[1].1.contains("`mg/L`") && taken.refused[1].1.contains("`ug/L`"),
            "{:?}",
            taken.refused
        );
        let streams = store.datastreams(Some("TV-01")).await.expect("streams");
        assert_eq!(streams.len(), 2);
        for stream in &streams {
            let rows = store.observations(&ObservationQuery::datastream(stream.id)).await;
            let values: Vec<_> = rows.expect("rows").iter().filter_map(|one| one.value).collect();
            let (unit, expected): (_, &[f64]) = match stream.property.as_str() {
                "chlorophyll" => ("ug/L", &[4.5, 4.5, 4.6]),
                _ => ("m", &[1.52, 1.52, 1.52]),
            };
            assert_eq!(stream.unit, unit);
            assert_eq!(values.len(), expected.len());
            for (value, expected) in values.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-9, "{values:?}");
            }
        }
        // another process, which has nothing in its memory, keeps to the same unit
        let other = Intake::new(Arc::clone(&store), Quality::default());
        let late = vec![measured("TV-01", "chlorophyll", "mg/L", 75, 4.5), without(90)];
        let taken = other.take(late).await.expect("the store answers");
        assert_eq!((taken.recorded.added, taken.refused.len()), (1, 1));
        assert_eq!(taken.refused[0].0, 0);
    }

    #[tokio::test]
    async fn a_clock_that_was_never_set_is_told_by_field() {
        let (store, intake) = one_station().await;
        let at = |text: &str| Measurement {
            time: text.parse().expect("a time"),
            ..measured("TV-01", "water_level", "m", 0, 1.5)
        };
        let delivery = vec![
            at("1969-12-31T23:59:59Z"),
            at("1970-01-03T04:00:00Z"),
            at("1975-05-18T00:00:00Z"),
            at("2999-01-01T00:00:00Z"),
        ];
        let taken = intake.take(delivery).await.expect("the store answers");
        assert_eq!((taken.recorded.added, taken.refused.len()), (1, 3));
        for (_, reason) in &taken.refused {
            assert!(reason.starts_with("time: "), "{reason}");
        }
        let stream = store.datastreams(None).await.expect("streams")[0].id;
        let early = Reading {
            time: "1970-01-01T00:00:00Z".parse().expect("a time"),
            value: Some(1.0),
            given: Flag::NotEvaluated,
            fields: Map::new(),
        };
        let error = intake
            .take_stream(stream, vec![early])
            .await
            .expect_err("refused");
        assert!(error.to_string().contains("phenomenonTime: 1970"), "{error}");
    }

    #[tokio::test]
    async fn a_bare_number_of_another_unit_is_kept_as_failed_whatever_the_thresholds() {
        let (store, _) = one_station().await;
        let wide = r#"{"range": {"fail": [0, 100]}}"#;
        let wide = Quality(BTreeMap::from([(
            "humidity".into(),
            serde_json::from_str(wide).expect("tests"),
        )]));
        let intake = Intake::new(Arc::clone(&store), wide);
        let bare = |property: &str, minutes: i64, value: f64| Measurement {
            unit: None,
            ..measured(" TV-01 ", property, "", minutes, value)
        };
        let delivery = vec![
            bare("humidity", 0, 0.85),
            bare("humidity", 15, 85.0),
            measured("TV-01", "humidity", "fraction", 30, 0.85),
            bare("ec", 0, 1850.0),
            bare("ec", 15, 1.85),
        ];
        let taken = intake.take(delivery).await.expect("the store answers");
        assert_eq!(
            (taken.recorded.added, taken.refused.len()),
            (5, 0),
            "{:?}",
            taken.refused
        );
        for stream in store.datastreams(None).await.expect("streams") {
            let rows = store.observations(&ObservationQuery::datastream(stream.id)).await;
            let flags: Vec<_> = rows.expect("rows").iter().map(|one| one.flag).collect();
            let expected: &[Flag] = match stream.property.as_str() {
                "humidity" => &[Flag::Fail, Flag::Good, Flag::Good],
                _ => &[Flag::Fail, Flag::Good],
            };
            assert_eq!(flags, expected, "{}", stream.property);
        }
        let long = Measurement {
            unit: Some("x".repeat(41)),
            ..bare("chlorophyll", 0, 1.0)
        };
        let taken = intake.take(vec![long]).await.expect("the store answers");
        assert!(taken.refused[0].1.starts_with("unit: "), "{:?}", taken.refused);
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
