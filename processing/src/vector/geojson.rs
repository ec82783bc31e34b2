//! GeoJSON, feature by feature: a collection, or features one after the other (a line each, or behind record separators).
//!
//! Read here and not by OGR, which makes 2^63 of longer numbers, hides numeric ids, and would follow a link to a
//! coordinate system onto the network.

use super::exact;
use super::files::{self, VectorFile};
use crate::gdal_io::system::System;
use crate::gdal_io::vector::{Head, MAX_TEXT_BYTES, Raw, RawShape, Row, shape_of_json};
use crate::textfile;
use crate::{Error, Result};
use sen_catalog::Crs;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead, Read};

/// The column of ids that stand beside the attributes where the attributes have an `id` of their own.
const FEATURE_ID: &str = "feature_id";

/// A feature of the file.
#[derive(Default, Deserialize)]
struct Member {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    properties: Option<Pairs>,
    #[serde(default)]
    geometry: Option<Box<RawValue>>,
}

/// The members of an object in their order, also twins.
#[derive(Default)]
struct Pairs(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of attributes")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// What is known while the file is read.
struct Reading<'a> {
    take: &'a mut dyn FnMut(Row) -> Result<()>,
    number: u64,
    /// Columns by name, and how often the name has come in one feature.
    places: HashMap<(String, usize), usize>,
    columns: Vec<String>,
    /// The column of ids beside the attributes.
    ids: Option<usize>,
    crs: Option<Box<RawValue>>,
    /// What the documents call themselves.
    kind: Option<String>,
    /// What `take` refused.
    error: Option<Error>,
}

impl Reading<'_> {
    fn column(&mut self, name: &str, nth: usize) -> usize {
        if let Some(&at) = self.places.get(&(name.to_owned(), nth)) {
            return at;
        }
        self.columns.push(name.to_owned());
        self.places.insert((name.to_owned(), nth), self.columns.len() - 1);
        self.columns.len() - 1
    }

    fn feature(&mut self, member: Member) -> Result<()> {
        self.number += 1;
        let mut values = vec![Raw::Null; self.columns.len()];
        let mut put = |at: usize, value: Raw| {
            if values.len() <= at {
                values.resize(at + 1, Raw::Null);
            }
            values[at] = value;
        };
        if let Some(id) = member.id {
            let at = if let Some(at) = self.ids {
                at
            } else {
                self.columns.push("id".to_owned());
                *self.ids.insert(self.columns.len() - 1)
            };
            put(at, raw(&id));
        }
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (name, value) in member.properties.unwrap_or_default().0 {
            let nth = seen.entry(name.clone()).and_modify(|nth| *nth += 1).or_insert(0);
            put(self.column(&name, *nth), raw(&value));
        }
        (self.take)(Row {
            number: self.number,
            fid: None,
            values,
            shape: member
                .geometry
                .map_or(RawShape::Missing, |shape| shape_of_json(shape.get())),
            srid: None,
        })
    }
}

fn raw(value: &RawValue) -> Raw {
    let text = value.get();
    match text.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<String>(text) {
            Ok(text) if text.len() > MAX_TEXT_BYTES => Raw::TooLong(text.len()),
            Ok(text) => Raw::Text(text.into_bytes()),
            Err(_) => Raw::Null,
        },
        Some(b't') => Raw::Bool(true),
        Some(b'f') => Raw::Bool(false),
        Some(b'{' | b'[') if text.len() > MAX_TEXT_BYTES => Raw::TooLong(text.len()),
        Some(b'{' | b'[') => Raw::Json(text.as_bytes().to_vec()),
        Some(b'-' | b'0'..=b'9') => exact::number(text),
        _ => Raw::Null,
    }
}

/// A document of the file: a collection or a feature.
struct Document<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GeoJSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(reading) = self;
        let (mut own, mut collected) = (Member::default(), false);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "type" => reading.kind = map.next_value()?,
                "crs" | "coordRefSys" => reading.crs = map.next_value()?,
                "features" => {
                    collected = true;
                    map.next_value_seed(Features(reading))?;
                }
                "id" => own.id = map.next_value()?,
                "properties" => own.properties = map.next_value()?,
                "geometry" => own.geometry = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !collected && reading.kind.as_deref() == Some("Feature") {
            pass(reading, own)?;
        }
        Ok(())
    }
}

/// The list of a collection's features.
struct Features<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Features<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(member) = list.next_element::<Member>()? {
            pass(self.0, member)?;
        }
        Ok(())
    }
}

fn pass<E: serde::de::Error>(reading: &mut Reading<'_>, member: Member) -> Result<(), E> {
    reading.feature(member).map_err(|error| {
        reading.error = Some(error);
        E::custom("refused")
    })
}

/// Reads a file.
///
/// # Errors
/// What `take` says, or the file's damage with the number of the row before it.
pub(super) fn read(
    file: &VectorFile,
    layer: Option<&str>,
    take: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<Head> {
    let what = file.name.as_str();
    let stem = file
        .path
        .rsplit('/')
        .next()
        .and_then(|name| name.rsplit_once('.'))
        .map_or("", |(stem, _)| stem);
    if let Some(layer) = layer.filter(|layer| *layer != stem) {
        return Err(Error::unreadable(
            what,
            format!("has no layer `{layer}`: a GeoJSON is one layer, `{stem}`; leave --layer out"),
        ));
    }
    let damaged = |error: std::io::Error| Error::unreadable(what, format!("cannot be read: {error}"));
    let text = textfile::open(files::open(file)?).map_err(damaged)?;
    let mut reading = Reading {
        take,
        number: 0,
        places: HashMap::new(),
        columns: Vec::new(),
        ids: None,
        crs: None,
        kind: None,
        error: None,
    };
    let mut lines = SpacedRecords(text.reader);
    loop {
        // white space between documents, and the end
        let waiting = lines.0.fill_buf().map_err(damaged)?;
        if waiting.is_empty() {
            break;
        }
        let blank = waiting
            .iter()
            .take_while(|&&byte| byte.is_ascii_whitespace() || byte == RECORD);
        let blank = blank.count();
        if blank > 0 {
            lines.0.consume(blank);
            continue;
        }
        let mut document = serde_json::Deserializer::from_reader(&mut lines);
        if let Err(error) = Document(&mut reading).deserialize(&mut document) {
            return Err(reading.error.take().unwrap_or_else(|| {
                let reason = if reading.number == 0 {
                    format!("is no GeoJSON: {error}")
                } else {
                    format!("cannot be read after row {}: {error}", reading.number)
                };
                Error::unreadable(what, reason)
            }));
        }
    }
    if reading.number == 0 && !matches!(reading.kind.as_deref(), Some("FeatureCollection")) {
        let reason = match reading.kind.as_deref() {
            Some("Topology") => "is TopoJSON; export it as GeoJSON".to_owned(),
            Some(kind) => {
                format!("is a GeoJSON {kind} without features and codes; export it as a FeatureCollection")
            }
            None => "is a JSON but no GeoJSON (the `type` is missing); export it as GeoJSON".to_owned(),
        };
        return Err(Error::unreadable(what, reason));
    }
    let (system, notes) = system(reading.crs.as_deref());
    if let Some(at) = reading.ids {
        let twin = reading
            .columns
            .iter()
            .enumerate()
            .any(|(other, name)| other != at && name == "id");
        if twin {
            FEATURE_ID.clone_into(&mut reading.columns[at]);
        }
    }
    Ok(Head {
        driver: "GeoJSON".to_owned(),
        columns: reading.columns.into_iter().map(String::into_bytes).collect(),
        fid_column: None,
        claimed_encoding: Some("UTF-8".to_owned()),
        system,
        notes,
    })
}

/// The system of a member `crs`: a name, never a link to somewhere else. Without one it is WGS 84.
fn system(crs: Option<&RawValue>) -> (Result<Option<System>, String>, Vec<String>) {
    let degrees = || {
        System::epsg(Crs::WGS84)
            .map(Some)
            .map_err(|error| error.to_string())
    };
    let Some(crs) = crs.filter(|crs| crs.get() != "null") else {
        return (degrees(), Vec::new());
    };
    let unknown = || {
        let begin: String = crs.get().chars().take(80).collect();
        Err(format!(
            "its `crs` is not understood: {begin}; say the system with --crs"
        ))
    };
    let Ok(value) = serde_json::from_str::<serde_json::Value>(crs.get()) else {
        return (unknown(), Vec::new());
    };
    let own = &value["properties"];
    let name = match (value.as_str(), value["type"].as_str()) {
        (Some(name), _) => Some(name.to_owned()),
        (_, Some(kind)) if kind.eq_ignore_ascii_case("link") => {
            let reason =
                "its `crs` is a link to somewhere else, which is not followed; say the system with --crs";
            return (Err(reason.to_owned()), Vec::new());
        }
        (_, Some(kind)) if kind.eq_ignore_ascii_case("epsg") => Some(format!("EPSG:{}", own["code"])),
        _ => own["name"].as_str().map(str::to_owned),
    };
    match name.as_deref().map(System::of_name) {
        Some(Ok(system)) => (Ok(system), Vec::new()),
        Some(Err(error)) => (
            Err(format!("its `crs`: {error}; say the system with --crs")),
            Vec::new(),
        ),
        None => (unknown(), Vec::new()),
    }
}

/// What may stand before each feature of a sequence (RFC 8142).
const RECORD: u8 = 0x1e;

/// A text with its record separators as spaces.
struct SpacedRecords<R>(R);

impl<R: BufRead> Read for SpacedRecords<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.0.read(into)?;
        into[..length]
            .iter_mut()
            .filter(|byte| **byte == RECORD)
            .for_each(|byte| *byte = b' ');
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of columns and rows of a text.
    fn rows(text: &[u8]) -> Result<(Head, Vec<Row>)> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.geojson");
        std::fs::write(&path, text).expect("written");
        let file = VectorFile {
            name: "a.geojson".into(),
            path: path.to_string_lossy().into_owned(),
        };
        let mut rows = Vec::new();
        let head = read(&file, None, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok((head, rows))
    }

    fn feature(more: &str) -> String {
        format!(
            r#"{{"type": "Feature", {more}, "geometry": {{"type": "Point", "coordinates": [105.5, 10.5]}}}}"#
        )
    }

    fn collection(features: &[String], more: &str) -> String {
        format!(
            r#"{{"type": "FeatureCollection", "features": [{}]{more}}}"#,
            features.join(",")
        )
    }

    #[test]
    fn features_in_a_list_a_line_or_behind_separators_are_the_same() {
        let features = ["1", "2"].map(|code| feature(&format!(r#""properties": {{"code": {code}}}"#)));
        let utf16: Vec<u8> = collection(&features, "")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for text in [
            collection(&features, "").into_bytes(),
            features.join("\n").into_bytes(),
            format!("\u{1e}{}\n\u{1e}{}\n", features[0], features[1]).into_bytes(),
            [b"\xff\xfe", &utf16[..]].concat(),
        ] {
            let (head, rows) = rows(&text).expect("reads");
            assert_eq!(head.columns, [b"code"]);
            let codes: Vec<_> = rows.iter().map(|row| row.values.clone()).collect();
            assert_eq!(codes, [[Raw::Integer(1)], [Raw::Integer(2)]]);
            assert!(rows.iter().all(|row| matches!(row.shape, RawShape::Sound(..))));
        }
    }

    #[test]
    fn ids_are_a_column_and_step_behind_one_of_the_attributes() {
        let plain = feature(r#""id": 1001, "properties": {"area": 2}"#);
        let (head, own) = rows(collection(&[plain], "").as_bytes()).expect("reads");
        assert_eq!(head.columns, [&b"id"[..], b"area"]);
        assert_eq!(own[0].values, [Raw::Integer(1001), Raw::Integer(2)]);
        let both = feature(r#""id": 7, "properties": {"id": "A", "id": "B"}"#);
        let (head, own) = rows(collection(&[both], "").as_bytes()).expect("reads");
        assert_eq!(
            head.columns,
            [&b"feature_id"[..], b"id", b"id"],
            "twins are told apart later"
        );
        assert_eq!(own[0].values[1], Raw::Text(b"A".into()));
    }

    #[test]
    fn a_system_is_named_and_a_link_never_followed() {
        let named = |crs: &str| {
            let features = [feature(r#""properties": {"code": 1}"#)];
            rows(collection(&features, &format!(r#", "crs": {crs}"#)).as_bytes())
                .expect("reads")
                .0
                .system
        };
        let vn2000 = named(r#"{"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4756"}}"#);
        assert!(vn2000.expect("known").expect("named").is_vn2000());
        for crs in [
            r#"{"type": "link", "properties": {"href": "http://127.0.0.1:1/crs", "type": "proj4"}}"#,
            r#"{"type": "name", "properties": {"name": "http://127.0.0.1:1/crs"}}"#,
            r#"{"type": "name", "properties": {"name": "/etc/passwd"}}"#,
            "[1]",
        ] {
            assert!(named(crs).expect_err("not followed").contains("--crs"), "{crs}");
        }
        assert!(!named("null").expect("WGS 84").expect("WGS 84").is_vn2000());
    }

    #[test]
    fn what_is_no_geojson_is_called_what_it_is() {
        for (text, word) in [
            (r#"{"type": "Topology", "objects": {}}"#, "TopoJSON"),
            (
                r#"{"type": "Point", "coordinates": [105.5, 10.5]}"#,
                "without features",
            ),
            (r#"{"rings": []}"#, "no GeoJSON"),
            ("<OGRVRTDataSource/>", "no GeoJSON"),
        ] {
            let error = rows(text.as_bytes()).expect_err(word).to_string();
            assert!(error.contains(word) && error.contains("a.geojson"), "{error}");
        }
        let cut = collection(&[feature(r#""properties": {"code": 1}"#)], "");
        let error = rows(&cut.as_bytes()[..cut.len() - 1])
            .expect_err("cut")
            .to_string();
        assert!(error.contains("after row 1"), "{error}");
    }
}
