//! What each entity says of itself.

use super::model::{Entity, Station, Stream, World, rfc3339};
use crate::query::encode;
use sen_catalog::property::property;
use serde_json::{Map, Value, json};

/// What is measured here: numbers with a unit.
pub(super) const MEASUREMENT: &str = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement";

impl Entity<'_> {
    /// Its own properties, without links.
    pub(super) fn plain(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("@iot.id".into(), self.id());
        let (own, told) = match self {
            Self::Thing(station) => (thing(station), station.told("thing")),
            Self::Location(station) => (place(station, "location"), None),
            Self::Foi(station) => (place(station, "feature"), None),
            Self::Datastream(stream) => (datastream(stream), None),
            Self::Sensor(stream) => (sensor(stream), stream.told("sensor")),
            Self::Property(stream) => (observed_property(stream), stream.told("observed_property")),
            Self::Observation(_, detail) => {
                let time = rfc3339(detail.observation.time);
                let own = json!({
                    "phenomenonTime": time, "resultTime": time, "result": detail.observation.value,
                    "resultQuality": {"flag": u8::from(detail.observation.flag),
                        "tests": detail.marks.names().collect::<Vec<_>>(), "arrived": rfc3339(detail.arrived)},
                });
                (own, Some(&detail.fields))
            }
        };
        if let Value::Object(own) = own {
            map.extend(own);
        }
        if let Some(told) = told {
            map.extend(told.clone());
        }
        map
    }

    /// With links.
    pub(super) fn whole(&self, world: &World<'_>) -> Map<String, Value> {
        let mut map = self.plain();
        let own = format!("{}/{}", world.base, self.address());
        map.insert("@iot.selfLink".into(), json!(own));
        for (name, ..) in self.set().navigations() {
            map.insert(
                format!("{name}@iot.navigationLink"),
                json!(format!("{own}/{name}")),
            );
        }
        map
    }
}

impl Station {
    /// Some of what a client said of it.
    pub(super) fn told(&self, of: &str) -> Option<&Map<String, Value>> {
        self.said.get(of)?.as_object()
    }
}

fn thing(station: &Station) -> Value {
    let feature = &station.feature;
    let mut properties = feature.properties.clone();
    properties.insert("code".into(), json!(feature.code));
    json!({
        "name": feature.name.as_deref().unwrap_or(&feature.code), "description": feature.code,
        "properties": properties,
    })
}

/// The place of a station: as it was posted while the station still stands there.
fn place(station: &Station, member: &str) -> Value {
    let feature = &station.feature;
    let mut place = json!({
        "name": feature.name.as_deref().unwrap_or(&feature.code), "description": feature.code,
        "encodingType": "application/geo+json",
    });
    let geometry = serde_json::to_value(geojson::Geometry::from(&feature.geometry)).unwrap_or_default();
    place[member] = geometry;
    if member == "location"
        && let Some(told) = station.told("location")
    {
        for (name, value) in told {
            let stands_elsewhere = name == "location"
                && super::filter::geometry(value).is_none_or(|posted| posted != feature.geometry);
            if !stands_elsewhere {
                place[name] = value.clone();
            }
        }
    }
    place
}

fn datastream(stream: &Stream) -> Value {
    let own = &stream.datastream;
    let mut map = json!({
        "name": own.name,
        "description": format!("{} at {}", own.property, own.station),
        "observationType": MEASUREMENT,
        "unitOfMeasurement": {"name": own.unit, "symbol": own.unit,
            "definition": format!("https://ucum.org/ucum#{}", encode(&own.unit))},
    });
    if let Some((first, last)) = stream.span {
        map["phenomenonTime"] = json!(format!("{}/{}", rfc3339(first), rfc3339(last)));
    }
    let mut properties = Map::new();
    for (name, value) in stream.told("datastream").into_iter().flatten() {
        match (name.as_str(), value) {
            ("properties", Value::Object(own)) => properties.clone_from(own),
            // a unit that does not fit the values any more is not shown
            ("unitOfMeasurement", unit) => {
                let is_kept = unit.get("symbol").and_then(Value::as_str) == Some(&own.unit);
                if is_kept || stream.unit.is_some() {
                    map[name] = unit.clone();
                }
            }
            _ => map[name] = value.clone(),
        }
    }
    properties.insert("station".into(), json!(own.station));
    properties.insert("property".into(), json!(own.property));
    map["properties"] = Value::Object(properties);
    map
}

fn sensor(stream: &Stream) -> Value {
    let own = &stream.datastream;
    json!({
        "name": format!("{} at {}", own.property, own.station), "description": "",
        "encodingType": "text/plain", "metadata": "",
    })
}

/// The ObservedProperty of a name, as the project knows it.
pub(super) fn known_property(name: &str, unit: &str) -> Value {
    match property(name) {
        Some(known) => json!({"name": known.name, "description": format!("{} – {}", known.vi, known.en),
            "definition": known.definition, "properties": {"unit": known.unit}}),
        None => json!({"name": name, "description": name, "definition": "", "properties": {"unit": unit}}),
    }
}

fn observed_property(stream: &Stream) -> Value {
    known_property(&stream.datastream.property, &stream.datastream.unit)
}
