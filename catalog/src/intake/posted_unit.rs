//! The unit a Datastream of SensorThings was made with, where its values are kept in another: what comes in over the
//! Datastream is converted on the way in and shown on the way out in the unit it was made with.

use crate::observation::{Datastream, Reading};
use crate::property::{Property, property};
use crate::{Error, Result};
use serde_json::{Map, Value};

/// Digits of a shown value that count: what the way there and back adds lies beyond them.
const DIGITS: usize = 12;

/// Between the unit of a Datastream and the one its values are kept in.
#[derive(Clone, Debug, PartialEq)]
pub struct PostedUnit {
    property: &'static Property,
    symbol: String,
    /// kept = shown * factor + offset
    factor: f64,
    offset: f64,
}

impl PostedUnit {
    /// Values of a property in a unit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a unit that does not fit the property.
    pub fn new(property: &'static Property, symbol: &str) -> Result<Self> {
        let offset = property.convert(0.0, symbol)?;
        Ok(Self {
            property,
            symbol: symbol.to_owned(),
            factor: property.convert(1.0, symbol)? - offset,
            offset,
        })
    }

    /// That of a datastream, by what is said of it; none where values are shown as they are kept.
    pub fn of(datastream: &Datastream, said: &Map<String, Value>) -> Option<Self> {
        let symbol = said.get("datastream")?.get("unitOfMeasurement")?.get("symbol")?;
        let known = property(&datastream.property).filter(|known| known.unit == datastream.unit)?;
        Self::new(known, symbol.as_str()?).ok()
    }

    /// Its symbol, as it was posted.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    fn is_kept(&self) -> bool {
        self.factor == 1.0 && self.offset == 0.0
    }

    /// A kept value as the Datastream shows it.
    pub fn shown(&self, value: f64) -> f64 {
        if self.is_kept() {
            return value;
        }
        let shown = (value - self.offset) / self.factor;
        format!("{shown:.*e}", DIGITS - 1).parse().unwrap_or(shown)
    }

    /// A reading of the Datastream, in the unit it is kept in.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a value that cannot be converted.
    pub fn kept(&self, mut reading: Reading) -> Result<Reading> {
        if let Some(value) = reading.value.filter(|_| !self.is_kept()) {
            let kept = self.property.convert(value, &self.symbol);
            reading.value = Some(kept.map_err(|error| Error::Invalid(format!("result: {error}")))?);
        }
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Feature;
    use crate::intake::{Described, Intake, Quality, STATIONS, new_stream};
    use crate::observation::Flag;
    use crate::store::{ObservationQuery, SqliteStore, Store};
    use geo_types::Point;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn values_come_back_as_they_were_sent() {
        for (name, symbol, values) in [
            ("water_level", "cm", [152.0, -3.7, 0.1]),
            ("water_level", "mm", [1520.0, 1.0, 999.9]),
            ("temperature", "degF", [86.1, -40.0, 32.0]),
            ("temperature", "K", [303.15, 0.0, 273.15]),
            ("salinity", "uS/cm", [1850.0, 12.5, 3.0]),
            ("temperature", "°C", [30.123456789012345, 0.1, -0.2]),
        ] {
            let unit = PostedUnit::new(property(name).expect("known"), symbol).expect("fits");
            for value in values {
                let reading = Reading {
                    time: chrono::Utc::now(),
                    value: Some(value),
                    given: Flag::NotEvaluated,
                    fields: Map::new(),
                };
                let kept = unit.kept(reading).expect("converts").value.expect("a value");
                assert_eq!(unit.shown(kept), value, "{value} {symbol}, kept as {kept}");
            }
        }
        let level = PostedUnit::new(property("water_level").expect("known"), "cm").expect("fits");
        assert!((level.shown(1.52) - 152.0).abs() < 1e-12);
        assert!(PostedUnit::new(property("water_level").expect("known"), "g/L").is_err());
    }

    #[tokio::test]
    async fn whoever_brings_a_value_to_a_datastream_in_cm_it_is_kept_in_metres() {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory().expect("opens"));
        let intake = Intake::new(Arc::clone(&store), Quality::default());
        let station = Feature::new(STATIONS, "TV-01", Point::new(105.5, 10.5).into());
        let reading = |minutes: i64, value: f64| Reading {
            time: chrono::Utc::now() - chrono::Duration::minutes(minutes),
            value: Some(value),
            given: Flag::NotEvaluated,
            fields: Map::new(),
        };
        let said = json!({"datastream": {"unitOfMeasurement": {"symbol": "cm"}}});
        let described = Described {
            datastream: new_stream(&station, "water_level", "m"),
            properties: said.as_object().expect("an object").clone(),
            readings: vec![reading(30, 152.0)],
        };
        let made = intake
            .make_station(station.clone(), Map::new(), vec![described.clone()])
            .await;
        made.expect("the store answers").expect("new");
        assert_eq!(
            intake
                .make_datastream(&station, described)
                .await
                .expect("the store answers"),
            None
        );
        let id = store.datastreams(None).await.expect("streams")[0].id;
        intake
            .take_stream(id, vec![reading(15, 160.0)])
            .await
            .expect("taken");
        let kept = store
            .observations(&ObservationQuery::datastream(id))
            .await
            .expect("rows");
        let kept: Vec<_> = kept.iter().filter_map(|one| one.value).collect();
        assert_eq!(kept, [1.52, 1.6]);
        let soon = intake
            .take_stream(id, vec![reading(-60, 160.0)])
            .await
            .expect_err("the future");
        assert!(soon.to_string().starts_with("phenomenonTime:"), "{soon}");
    }
}
