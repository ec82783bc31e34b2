//! What clients post, read into what is kept. Every member is kept and shown again, or refused by its name: what would
//! be lost is never answered with 201.

use super::filter::geometry;
use super::render::known_property;
use crate::problem::{Outcome, Problem};
use geo_types::{Geometry, Point};
use sen_catalog::feature::{fold, tidy_code};
use sen_catalog::intake::{Described, PostedUnit, STATIONS, data_array, new_stream};
use sen_catalog::limits::{check_code, check_name, check_properties, check_text, check_unit};
use sen_catalog::observation::Reading;
use sen_catalog::property::property;
use sen_catalog::{Bounds, Feature};
use serde_json::{Map, Value, json};

/// Degrees that a station may stand outside the province: gauges far up the Mekong tell of floods to come.
const FAR_DEG: f64 = 10.0;

/// How places are written.
const GEO_JSON: [&str; 2] = ["application/geo+json", "application/vnd.geo+json"];

/// Ends of the types of observations whose results are numbers.
const OF_NUMBERS: [&str; 3] = ["OM_Measurement", "OM_CountObservation", "OM_Observation"];

pub(super) fn bad(detail: impl Into<String>) -> Problem {
    Problem::bad("body", detail)
}

/// The members of an object, none of which may be another than `known`. `place` stands in front of their names.
pub(super) fn members<'v>(entity: &'v Value, place: &str, known: &[&str]) -> Outcome<&'v Map<String, Value>> {
    let name = place.trim_end_matches('.');
    let Value::Object(own) = entity else {
        let what = if name.is_empty() { "the body" } else { name };
        return Err(bad(format!("{what}: is no object")));
    };
    match own.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(own),
        Some(id) if id == "@iot.id" => Err(bad(format!(
            "{place}@iot.id: is given by the service; leave it out, and send what it stands for"
        ))),
        Some(other) => Err(bad(format!(
            "{place}{other}: is not kept here; leave it out. Kept are {}",
            known.join(", ")
        ))),
    }
}

/// A text that may be left out.
fn optional_text<'v>(own: &'v Map<String, Value>, place: &str, name: &str) -> Outcome<Option<&'v str>> {
    match own.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => {
            check_text(&format!("{place}{name}"), text)?;
            Ok(Some(text))
        }
        Some(_) => Err(bad(format!("{place}{name}: is no text"))),
    }
}

/// A text that has to be there.
fn text<'v>(own: &'v Map<String, Value>, place: &str, name: &str) -> Outcome<&'v str> {
    let text = optional_text(own, place, name)?.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| bad(format!("{place}{name}: is missing or no text")))
}

/// An object that may be left out.
fn optional_object(own: &Map<String, Value>, place: &str, name: &str) -> Outcome<Map<String, Value>> {
    match own.get(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(object)) => {
            check_properties(&format!("{place}{name}"), object)?;
            Ok(object.clone())
        }
        Some(_) => Err(bad(format!("{place}{name}: is no object"))),
    }
}

/// The entities of a list that may be left out.
fn list<'v>(own: &'v Map<String, Value>, name: &str) -> Outcome<&'v [Value]> {
    match own.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(all)) => Ok(all),
        Some(_) => Err(bad(format!("{name}: is no list"))),
    }
}

/// The members of these names that say something, as they came.
fn kept(own: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    let said = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), own.get(*name)?.clone())));
    said.filter(|(_, value)| !value.is_null()).collect()
}

/// A station that is to be made.
#[derive(Debug)]
pub(super) struct Posted {
    pub(super) station: Feature,
    /// What is said of it beside its properties.
    pub(super) said: Map<String, Value>,
    pub(super) datastreams: Vec<Described>,
}

/// Reads a Thing with its place, and what it measures. `is_observed` knows the ObservedProperties there are.
pub(super) fn thing(
    document: &Value,
    province: Option<Bounds>,
    is_observed: &dyn Fn(&str) -> bool,
) -> Outcome<Posted> {
    let known = ["name", "description", "properties", "Locations", "Datastreams"];
    let own = members(document, "", &known)?;
    let name = text(own, "", "name")?;
    check_name("name", name)?;
    optional_text(own, "", "description")?;
    let mut properties = optional_object(own, "", "properties")?;
    let code = match properties.remove("code") {
        Some(Value::String(code)) => tidy_code(&code),
        None => fold(name),
        Some(other) => return Err(bad(format!("properties.code: {other} is no code"))),
    };
    check_code("properties.code", &code)?;
    let [location] = list(own, "Locations")? else {
        return Err(bad(
            "Locations: a station needs a place, and stands at one: one Location with a GeoJSON point",
        ));
    };
    let (place, location) = location_of(location, province)?;
    let mut station = Feature::new(STATIONS, &code, place.into());
    station.name = Some(name.to_owned());
    station.properties = properties;
    let datastreams = list(own, "Datastreams")?.iter();
    let datastreams = datastreams.map(|one| datastream(&station, one, "Datastreams.", is_observed));
    Ok(Posted {
        datastreams: datastreams.collect::<Outcome<_>>()?,
        said: said(&[("thing", kept(own, &["description"])), ("location", location)]),
        station,
    })
}

/// What is said, by what it is said of; nothing said is left out.
fn said(parts: &[(&str, Map<String, Value>)]) -> Map<String, Value> {
    let told = parts.iter().filter(|(_, own)| !own.is_empty());
    told.map(|(name, own)| ((*name).to_owned(), Value::Object(own.clone())))
        .collect()
}

/// The place of a station, and what is kept of its Location as it came.
fn location_of(location: &Value, province: Option<Bounds>) -> Outcome<(Point<f64>, Map<String, Value>)> {
    let names = ["name", "description", "encodingType", "location", "properties"];
    let own = members(location, "Locations.", &names)?;
    if let Some(name) = optional_text(own, "Locations.", "name")? {
        check_name("Locations.name", name)?;
    }
    optional_text(own, "Locations.", "description")?;
    optional_object(own, "Locations.", "properties")?;
    if let Some(kind) = optional_text(own, "Locations.", "encodingType")?
        && !GEO_JSON.contains(&kind)
    {
        return Err(bad(format!(
            "Locations.encodingType: `{kind}` is not read here; there is {}",
            GEO_JSON[0]
        )));
    }
    let shape = own
        .get("location")
        .ok_or_else(|| bad("Locations.location: is missing"))?;
    let place = place(shape, province)?;
    let mut told = kept(own, &names);
    let plain = serde_json::to_value(geojson::Geometry::from(&Geometry::Point(place)));
    if plain.is_ok_and(|plain| plain == *shape) {
        told.remove("location");
    }
    Ok((place, told))
}

/// A point; one that lies not on Earth, or far from the province, is a mistake.
fn place(location: &Value, province: Option<Bounds>) -> Outcome<Point<f64>> {
    if location.to_string().len() > sen_catalog::limits::MOST_TEXT_BYTES {
        return Err(bad("Locations.location: is larger than a point"));
    }
    let Some(Geometry::Point(place)) = geometry(location) else {
        return Err(bad(
            "Locations: location is no GeoJSON point in degrees, longitude first, nor a Feature of one",
        ));
    };
    let names_other_system = location.get("crs").is_some_and(|crs| {
        let text = crs.to_string();
        !crs.is_null() && !text.contains("CRS84") && !text.contains("4326")
    });
    if names_other_system {
        return Err(bad(
            "Locations: location.crs: GeoJSON is in WGS 84 longitude and latitude (CRS84)",
        ));
    }
    let (lon, lat) = place.x_y();
    if !Bounds::new(-180.0, -90.0, 180.0, 90.0).contains(lon, lat) {
        return Err(bad(format!(
            "Locations: location.coordinates: [{lon}, {lat}] lies not on Earth; longitude comes first, in degrees: \
             are the axes swapped?"
        )));
    }
    let around = province.map(|b| {
        Bounds::new(
            b.west - FAR_DEG,
            b.south - FAR_DEG,
            b.east + FAR_DEG,
            b.north + FAR_DEG,
        )
    });
    if around.is_some_and(|around| !around.contains(lon, lat)) {
        return Err(bad(format!(
            "Locations: location.coordinates: [{lon}, {lat}] lies more than {FAR_DEG} degrees from the province; \
             longitude comes first: are the axes swapped?"
        )));
    }
    Ok(place)
}

/// Reads a Datastream of a station. `place` stands in front of its members' names: nothing where it is the document.
pub(super) fn datastream(
    station: &Feature,
    entity: &Value,
    place: &str,
    is_observed: &dyn Fn(&str) -> bool,
) -> Outcome<Described> {
    let mut known = vec![
        "name",
        "description",
        "observationType",
        "unitOfMeasurement",
        "observedArea",
        "properties",
        "Sensor",
        "ObservedProperty",
        "Observations",
    ];
    if place.is_empty() {
        known.push("Thing");
    }
    let own = members(entity, place, &known)?;
    optional_text(own, place, "description")?;
    if let Some(kind) = optional_text(own, place, "observationType")?
        && !OF_NUMBERS.iter().any(|end| kind.ends_with(end))
    {
        return Err(bad(format!(
            "{place}observationType: `{kind}` has results that are no numbers with a unit"
        )));
    }
    if let Some(area) = own.get("observedArea").filter(|area| !area.is_null()) {
        check_properties(
            &format!("{place}observedArea"),
            &Map::from_iter([("area".into(), area.clone())]),
        )?;
        geometry(area).ok_or_else(|| bad(format!("{place}observedArea: is no GeoJSON geometry")))?;
    }
    let (name, observed) = observed(own, place, is_observed)?;
    let symbol = unit(own, place)?;
    let (name, unit) = match property(&name) {
        Some(known) => {
            PostedUnit::new(known, symbol)
                .map_err(|error| bad(format!("{place}unitOfMeasurement: {error}")))?;
            (known.name.to_owned(), known.unit)
        }
        None => (name, symbol),
    };
    let mut stream = new_stream(station, &name, unit);
    if let Some(title) = optional_text(own, place, "name")?.filter(|title| !title.trim().is_empty()) {
        check_name(&format!("{place}name"), title)?;
        title.clone_into(&mut stream.name);
    }
    let properties = optional_object(own, place, "properties")?;
    for (member, ours) in [("station", &stream.station), ("property", &stream.property)] {
        if properties.get(member).is_some_and(|value| value != ours) {
            return Err(bad(format!(
                "{place}properties.{member}: is told by the service: here it is `{ours}`"
            )));
        }
    }
    let standing = [
        "description",
        "observationType",
        "unitOfMeasurement",
        "observedArea",
        "properties",
    ];
    let readings = list(own, "Observations")?.iter();
    Ok(Described {
        properties: said(&[
            ("datastream", kept(own, &standing)),
            ("sensor", sensor(own, place)?),
            ("observed_property", observed),
        ]),
        readings: readings
            .map(|one| observation(one, "Observations."))
            .collect::<Outcome<_>>()?,
        datastream: stream,
    })
}

/// Reads an Observation.
pub(super) fn observation(entity: &Value, place: &str) -> Outcome<Reading> {
    members(entity, place, data_array::MEMBERS)?;
    Ok(data_array::reading(entity)?)
}

/// The symbol of the unit.
fn unit<'v>(own: &'v Map<String, Value>, place: &str) -> Outcome<&'v str> {
    let place = format!("{place}unitOfMeasurement");
    let unit = own
        .get("unitOfMeasurement")
        .ok_or_else(|| bad(format!("{place}: is missing")))?;
    let place = place + ".";
    let own = members(unit, &place, &["name", "symbol", "definition"])?;
    optional_text(own, &place, "name")?;
    optional_text(own, &place, "definition")?;
    let symbol = text(own, &place, "symbol")?;
    check_unit(&format!("{place}symbol"), symbol)?;
    Ok(symbol)
}

fn sensor(own: &Map<String, Value>, place: &str) -> Outcome<Map<String, Value>> {
    let names = ["name", "description", "encodingType", "metadata", "properties"];
    match own.get("Sensor") {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(sensor) if sensor.get("@iot.id").is_some() => Err(bad(format!(
            "{place}Sensor.@iot.id: every Datastream has a Sensor of its own here; send what it is"
        ))),
        Some(sensor) => {
            let place = format!("{place}Sensor.");
            let own = members(sensor, &place, &names)?;
            for name in ["name", "description", "encodingType"] {
                optional_text(own, &place, name)?;
            }
            optional_object(own, &place, "properties")?;
            check_properties(place.trim_end_matches('.'), own)?;
            Ok(kept(own, &names))
        }
    }
}

/// The name of what is observed, as the project has it, and what the client says of it that the project does not.
fn observed(
    own: &Map<String, Value>,
    place: &str,
    is_observed: &dyn Fn(&str) -> bool,
) -> Outcome<(String, Map<String, Value>)> {
    let place = format!("{place}ObservedProperty");
    let entity = own
        .get("ObservedProperty")
        .ok_or_else(|| bad(format!("{place}: is missing")))?;
    let place = place + ".";
    if let Some(id) = entity.get("@iot.id") {
        members(entity, &place, &["@iot.id"])?;
        let id = id.as_str().filter(|id| is_observed(id));
        let id = id.ok_or_else(|| {
            bad(format!(
                "{place}@iot.id: {} is none of the ObservedProperties",
                entity["@iot.id"]
            ))
        })?;
        return Ok((id.to_owned(), Map::new()));
    }
    let names = ["name", "definition", "description", "properties"];
    let own = members(entity, &place, &names)?;
    let posted = text(own, &place, "name")?;
    check_name(&format!("{place}name"), posted)?;
    optional_text(own, &place, "definition")?;
    optional_text(own, &place, "description")?;
    optional_object(own, &place, "properties")?;
    let plain = posted.trim().replace(' ', "_");
    let name = property(&plain).map_or_else(|| plain.to_lowercase(), |known| known.name.to_owned());
    let ours = known_property(&name, "");
    let mut told = kept(own, &names);
    told.retain(|member, value| {
        *value != ours[member.as_str()] && *value != json!("") && *value != json!({})
    });
    Ok((name, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_station_stands_on_earth_and_not_far_from_the_province() {
        let province = Some(Bounds::new(104.7, 10.1, 105.6, 10.9));
        let point = |lon: f64, lat: f64| json!({"type": "Point", "coordinates": [lon, lat]});
        let at = place(&point(105.12, 10.72), province).expect("Chau Doc");
        assert_eq!(at.x_y(), (105.12, 10.72));
        assert!(
            place(&point(100.08, 20.27), province).is_ok(),
            "Chiang Saen, far up the river"
        );
        for (lon, lat) in [(10.72, 105.12), (181.0, 10.0), (105.0, -90.5)] {
            let problem = place(&point(lon, lat), None).expect_err("refused");
            let told = format!("{problem:?}");
            assert!(
                told.contains("location.coordinates") && told.contains("axes swapped"),
                "{told}"
            );
        }
        // Paris: on Earth, and nobody's gauge here
        let problem = place(&point(2.35, 48.86), province).expect_err("refused");
        assert!(
            format!("{problem:?}").contains("from the province"),
            "{problem:?}"
        );
        assert!(place(&point(2.35, 48.86), None).is_ok());
        assert!(place(&json!({"type": "LineString", "coordinates": []}), None).is_err());
        let feature =
            json!({"type": "Feature", "properties": {"bank": "left"}, "geometry": point(105.12, 10.72)});
        assert_eq!(
            place(&feature, province).expect("of a Feature").x_y(),
            (105.12, 10.72)
        );
        let in_metres = json!({"type": "Point", "coordinates": [1.0, 1.0],
                               "crs": {"type": "name", "properties": {"name": "EPSG:3405"}}});
        assert!(place(&in_metres, None).is_err());
    }

    fn whole() -> Value {
        json!({
            "name": "Cống Rạch Giá", "description": "cống ngăn mặn", "properties": {"bank": "left"},
            "Locations": [{"name": "bờ trái", "description": "d", "encodingType": "application/vnd.geo+json",
                           "location": {"type": "Point", "coordinates": [105.3, 10.4]}, "properties": {"a": 1}}],
            "Datastreams": [{
                "name": "mực nước", "description": "d", "observationType": super::super::render::MEASUREMENT,
                "unitOfMeasurement": {"name": "centimetre", "symbol": "cm", "definition": "http://x"},
                "observedArea": {"type": "Point", "coordinates": [105.3, 10.4]}, "properties": {"p": 1},
                "ObservedProperty": {"name": "water level", "definition": "http://y", "description": "e",
                                     "properties": {"q": 1}},
                "Sensor": {"name": "s", "description": "", "encodingType": "text/plain", "metadata": "m",
                           "properties": {"r": 1}},
                "Observations": [{"phenomenonTime": "2026-05-18T00:00:00Z", "result": 70}],
            }],
        })
    }

    #[test]
    fn every_member_is_kept_or_refused_by_name() {
        let posted = thing(&whole(), None, &|_| true).expect("a station");
        assert_eq!(posted.station.code, "congrachgia");
        assert_eq!(posted.said["thing"]["description"], "cống ngăn mặn");
        assert_eq!(posted.said["location"]["name"], "bờ trái");
        let stream = &posted.datastreams[0];
        assert_eq!(
            (
                stream.datastream.property.as_str(),
                stream.datastream.unit.as_str()
            ),
            ("water_level", "m")
        );
        assert_eq!(
            stream.properties["datastream"]["unitOfMeasurement"]["symbol"],
            "cm"
        );
        assert_eq!(stream.properties["observed_property"]["name"], "water level");
        assert_eq!(
            stream.readings[0].value,
            Some(70.0),
            "converted where it is taken"
        );

        for (pointer, name, value) in [
            ("", "nosuch", json!(1)),
            ("", "@iot.id", json!(7)),
            ("", "HistoricalLocations", json!([])),
            ("", "name", json!("a\r\nb")),
            ("", "name", json!("x".repeat(2000))),
            ("", "description", json!(7)),
            ("", "properties", json!({"code": "a\nb"})),
            ("", "properties", json!({"p": "x".repeat(2_000_000)})),
            ("", "Locations", json!([])),
            ("/Locations/0", "nosuch", json!(1)),
            ("/Locations/0", "encodingType", json!("text/xml")),
            ("/Datastreams/0", "nosuch", json!(1)),
            ("/Datastreams/0", "phenomenonTime", json!("2026-05-18T00:00:00Z")),
            (
                "/Datastreams/0",
                "observationType",
                json!("http://x/OM_CategoryObservation"),
            ),
            ("/Datastreams/0", "observedArea", json!("here")),
            ("/Datastreams/0", "unitOfMeasurement", json!({"symbol": "g/L"})),
            (
                "/Datastreams/0",
                "unitOfMeasurement",
                json!({"symbol": "m", "nosuch": 1}),
            ),
            ("/Datastreams/0", "properties", json!({"station": "x"})),
            ("/Datastreams/0/Sensor", "nosuch", json!(1)),
            ("/Datastreams/0/Sensor", "@iot.id", json!(3)),
            ("/Datastreams/0/ObservedProperty", "nosuch", json!(1)),
            ("/Datastreams/0/Observations/0", "nosuch", json!(1)),
            ("/Datastreams/0/Observations/0", "result", json!("wet")),
        ] {
            let mut document = whole();
            let entity = document.pointer_mut(pointer).expect(pointer);
            entity[name] = value;
            let told = format!("{:?}", thing(&document, None, &|_| true).expect_err(name));
            assert!(told.contains(name), "{pointer} {name}: {told}");
            assert!(told.len() < 1000, "what is too long is not repeated");
        }
        let linked = json!({"ObservedProperty": {"@iot.id": "nosuch"}, "unitOfMeasurement": {"symbol": "1"}});
        let station = Feature::new(STATIONS, "A", Point::new(105.0, 10.0).into());
        assert!(datastream(&station, &linked, "", &|_| false).is_err());
    }
}
