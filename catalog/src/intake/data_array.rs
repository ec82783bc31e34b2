//! Observations in the JSON of SensorThings: single ones, and the data array of `CreateObservations`.

use super::time::written;
use crate::number_text::{DecimalSign, number};
use crate::observation::{Flag, Reading};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

/// Largest `parameters` of one observation, bytes of JSON.
const LARGEST_PARAMETERS: usize = 65_536;

/// What an observation may say, as a member or as a component of a data array; anything else would be lost.
pub const MEMBERS: &[&str] = &[
    "phenomenonTime",
    "result",
    "resultTime",
    "resultQuality",
    "validTime",
    "parameters",
    "Datastream",
    "FeatureOfInterest",
];

/// Which of them are entities, and no columns.
const ENTITIES: [&str; 2] = ["Datastream", "FeatureOfInterest"];

/// Names that a component has beside those: the ids that answers carry.
const IDS: [&str; 3] = ["id", "@iot.id", "FeatureOfInterest/id"];

/// One row of a data array.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The datastream it is for.
    pub datastream: i64,
    /// The id of the FeatureOfInterest, where the row names one.
    pub feature: Option<Value>,
    /// The reading, or what is wrong with it.
    pub reading: std::result::Result<Reading, String>,
}

fn invalid(what: impl Into<String>) -> Error {
    Error::Invalid(what.into())
}

/// `{"Datastream": {"@iot.id": 1}}`.
pub fn datastream_of(entity: &Value) -> Result<i64> {
    let id = entity.get("Datastream").and_then(|linked| linked.get("@iot.id"));
    let id = id.ok_or_else(|| invalid("Datastream: its @iot.id is missing"))?;
    id.as_i64()
        .or_else(|| id.as_str()?.parse().ok())
        .ok_or_else(|| invalid(format!("Datastream: `{id}` is no id of a datastream")))
}

/// An Observation entity. Without a `phenomenonTime` it was measured now, as the standard says.
///
/// # Errors
/// [`Error::Invalid`], beginning with the member at fault. A `phenomenonTime` that is an interval is refused: whether a
/// sum belongs to its beginning or its end is not for us to guess.
pub fn reading(entity: &Value) -> Result<Reading> {
    let time = match entity.get("phenomenonTime") {
        None | Some(Value::Null) => Utc::now(),
        Some(value) => {
            let (start, end) = interval("phenomenonTime", value)?;
            if start != end {
                return Err(invalid(format!(
                    "phenomenonTime: {value} is an interval; values are kept by the instant they were measured at: send \
                     that (of a sum the end of its time), and the interval as a member of `parameters`"
                )));
            }
            start
        }
    };
    Ok(Reading {
        time,
        value: result(entity.get("result"))?,
        given: quality(entity.get("resultQuality"))?,
        fields: fields(entity, time)?,
    })
}

/// What is kept of an entity as it came.
fn fields(entity: &Value, measured: DateTime<Utc>) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    let said = |name: &str| entity.get(name).filter(|value| !value.is_null());
    if let Some(value) = said("resultTime") {
        let (start, end) = interval("resultTime", value)?;
        if start != end {
            return Err(invalid(format!(
                "resultTime: {value} is an interval; it is an instant"
            )));
        }
        if start != measured {
            fields.insert("resultTime".into(), value.clone());
        }
    }
    if let Some(value) = said("validTime") {
        interval("validTime", value)?;
        fields.insert("validTime".into(), value.clone());
    }
    match said("parameters") {
        None => {}
        Some(Value::Object(own)) if own.is_empty() => {}
        Some(value @ Value::Object(_)) => {
            if value.to_string().len() > LARGEST_PARAMETERS {
                return Err(invalid(format!(
                    "parameters: takes more than {LARGEST_PARAMETERS} bytes"
                )));
            }
            fields.insert("parameters".into(), value.clone());
        }
        Some(other) => return Err(invalid(format!("parameters: {other} is no object"))),
    }
    Ok(fields)
}

/// The beginning and the end of a time that may be an instant.
fn interval(name: &str, value: &Value) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let wrong = |reason: String| invalid(format!("{name}: {reason}"));
    let text = match value {
        Value::String(text) => text.clone(),
        // as sensors that count seconds write it
        Value::Number(number) if name == "phenomenonTime" => number.to_string(),
        other => return Err(wrong(format!("{other} is no time"))),
    };
    let text = text.as_str();
    let instant = |text: &str| -> Result<DateTime<Utc>> {
        if name == "phenomenonTime" {
            return written(text).and_then(|time| time.instant(None)).map_err(wrong);
        }
        // kept and shown as it came, so it must be as the standard writes it
        let time = DateTime::parse_from_rfc3339(text).map_err(|error| {
            wrong(format!(
                "`{text}` is no time with its offset, such as 2026-05-18T07:00:00+07:00 ({error})"
            ))
        })?;
        Ok(time.with_timezone(&Utc))
    };
    let (start, end) = text.split_once('/').unwrap_or((text, text));
    let (start, end) = (instant(start)?, instant(end)?);
    if end < start {
        return Err(invalid(format!("{name}: `{text}` ends before it begins")));
    }
    Ok((start, end))
}

fn result(value: Option<&Value>) -> Result<Option<f64>> {
    match value {
        None => Err(invalid(
            "result: is missing; a value that could not be measured is null",
        )),
        Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        // as loggers and gateways write numbers
        Some(Value::String(text)) => {
            let number = number(text, DecimalSign::Unknown);
            let number = number.map_err(|reason| invalid(format!("result: {reason}")))?;
            number.map(Some).ok_or_else(|| {
                invalid(format!(
                    "result: `{text}` is no number; a value that could not be measured is null"
                ))
            })
        }
        Some(other) => Err(invalid(format!("result: {other} is no number"))),
    }
}

fn quality(value: Option<&Value>) -> Result<Flag> {
    match value {
        None | Some(Value::Null) => Ok(Flag::NotEvaluated),
        // as answers write it
        Some(Value::Object(object)) => {
            let strange = object
                .keys()
                .find(|name| !["flag", "tests", "arrived"].contains(&name.as_str()));
            match strange {
                Some(name) => Err(invalid(format!(
                    "resultQuality.{name}: is not kept; a flag of QARTOD is"
                ))),
                None => quality(object.get("flag")),
            }
        }
        Some(Value::String(text)) if text.is_empty() => Ok(Flag::NotEvaluated),
        Some(value) => {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
            let number = number.and_then(|number| u8::try_from(number).ok());
            let number =
                number.ok_or_else(|| invalid(format!("resultQuality: {value} is no flag of QARTOD")))?;
            Flag::try_from(number).map_err(|error| invalid(format!("resultQuality: {error}")))
        }
    }
}

/// The rows of a data array: what `CreateObservations` takes, or an answer with `$resultFormat=dataArray`.
///
/// # Errors
/// [`Error::Invalid`] for a document of another shape; what is wrong with a row is in the row.
pub fn rows(document: &Value) -> Result<Vec<Row>> {
    let blocks = document.as_array().or_else(|| document.get("value")?.as_array());
    let blocks =
        blocks.ok_or_else(|| invalid("a data array is a list of blocks, one for each datastream"))?;
    let mut rows = Vec::new();
    for block in blocks {
        let datastream = datastream_of(block).or_else(|error| linked(block).ok_or(error))?;
        let names = block.get("components").and_then(Value::as_array);
        let names = names.ok_or_else(|| invalid("components: the list of names is missing"))?;
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        if !names.contains(&"result") {
            return Err(invalid("components: `result` is missing"));
        }
        let columns = MEMBERS.iter().filter(|name| !ENTITIES.contains(name)).chain(&IDS);
        if let Some(name) = names
            .iter()
            .find(|name| !columns.clone().any(|known| known == *name))
        {
            let columns: Vec<_> = columns.copied().collect();
            return Err(invalid(format!(
                "components: `{name}` is not kept; there are {}",
                columns.join(", ")
            )));
        }
        let array = block.get("dataArray").and_then(Value::as_array);
        for row in array.ok_or_else(|| invalid("dataArray: the list of rows is missing"))? {
            let mut feature = None;
            let read = match row.as_array() {
                Some(cells) if cells.len() == names.len() => {
                    let named = names.iter().position(|name| *name == "FeatureOfInterest/id");
                    feature = named
                        .and_then(|at| cells.get(at))
                        .filter(|id| !id.is_null())
                        .cloned();
                    let entity = names
                        .iter()
                        .map(|name| (*name).to_owned())
                        .zip(cells.iter().cloned());
                    reading(&Value::Object(entity.collect())).map_err(|error| error.to_string())
                }
                _ => Err(format!("a row of dataArray needs {} values", names.len())),
            };
            rows.push(Row {
                datastream,
                feature,
                reading: read,
            });
        }
    }
    Ok(rows)
}

/// The datastream of a block of an answer: `".../Datastreams(1)"`.
fn linked(block: &Value) -> Option<i64> {
    let link = block.get("Datastream@iot.navigationLink")?.as_str()?;
    let (_, id) = link.rsplit_once("Datastreams(")?;
    id.strip_suffix(')')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_example_of_the_standard_is_read() {
        // OGC 18-088, 14.1: a data array with two datastreams
        let document = json!([
            {"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result"], "dataArray@iot.count": 2,
             "dataArray": [["2010-12-23T10:20:00-0700", 20], ["2010-12-23T10:21:00-07:00", 30]]},
            {"Datastream": {"@iot.id": 2}, "components": ["phenomenonTime", "result", "resultQuality"],
             "dataArray": [["2010-12-23T10:20:00Z", null, ""], ["2010-12-23T10:21:00Z", 65.5, 3], [1]]}
        ]);
        let rows = rows(&document).expect("a data array");
        assert_eq!(rows.len(), 5);
        let first = rows[0].reading.as_ref().expect("an offset without colon");
        assert_eq!(first.time.to_rfc3339(), "2010-12-23T17:20:00+00:00");
        let second = rows[1].reading.as_ref().expect("a reading");
        assert_eq!(
            (second.time.to_rfc3339().as_str(), second.value),
            ("2010-12-23T17:21:00+00:00", Some(30.0))
        );
        assert_eq!(rows[2].reading.as_ref().expect("missing").value, None);
        assert_eq!(rows[3].reading.as_ref().expect("flagged").given, Flag::Suspect);
        assert!(rows[4].reading.is_err());
        assert_eq!((rows[1].datastream, rows[3].datastream), (1, 2));
    }

    #[test]
    fn what_an_observation_says_beside_its_value_is_kept_as_it_came() {
        let sent = json!({
            "phenomenonTime": "2026-05-18T07:00:00+07:00", "result": "1.53", "resultTime": "2026-05-18T07:00:05+07:00",
            "validTime": "2026-05-18T00:00:00Z/2026-05-19T00:00:00Z", "parameters": {"battery": 3.6},
            "resultQuality": {"flag": 3, "tests": ["spike"]},
        });
        let one = reading(&sent).expect("a reading");
        assert_eq!((one.value, one.given), (Some(1.53), Flag::Suspect));
        for name in ["resultTime", "validTime", "parameters"] {
            assert_eq!(one.fields[name], sent[name]);
        }
        // the same instant in another offset says nothing more, nor does null
        let plain = json!({"phenomenonTime": "2026-05-18T00:00:00Z/2026-05-18T00:00:00Z", "result": 1,
                           "resultTime": "2026-05-18T07:00:00+07:00", "validTime": null, "parameters": {}});
        assert!(reading(&plain).expect("a reading").fields.is_empty());
    }

    #[test]
    fn times_and_numbers_are_read_as_in_files() {
        for time in [
            json!(1_779_062_400_000_i64),
            json!("1779062400"),
            json!("2026-05-18 07:00:00+07"),
        ] {
            let one = reading(&json!({"phenomenonTime": time, "result": "1,53"})).expect("a reading");
            assert_eq!(
                (one.time.to_rfc3339().as_str(), one.value),
                ("2026-05-18T00:00:00+00:00", Some(1.53)),
                "{time}"
            );
        }
    }

    #[test]
    fn what_is_no_observation_is_refused_by_field() {
        for (entity, field) in [
            (
                json!({"result": "wet", "phenomenonTime": "2026-05-18T07:00:00Z"}),
                "result",
            ),
            (json!({"phenomenonTime": "2026-05-18T07:00:00Z"}), "result"),
            (
                json!({"result": 1, "phenomenonTime": "yesterday"}),
                "phenomenonTime",
            ),
            (json!({"result": 1, "resultQuality": 7}), "resultQuality"),
            (json!({"result": "1,850"}), "result: `1,850` may be"),
            (json!({"result": "Infinity"}), "result"),
            (
                json!({"result": 1, "phenomenonTime": "2026-05-18 07:00"}),
                "phenomenonTime",
            ),
            (json!({"result": 1, "phenomenonTime": 12}), "phenomenonTime"),
        ] {
            let error = reading(&entity).expect_err("refused").to_string();
            assert!(error.starts_with(field), "{error}");
        }
        for (entity, field) in [
            (
                json!({"phenomenonTime": "2026-05-18T07:00:00Z/2026-05-18T08:00:00Z"}),
                "phenomenonTime",
            ),
            (json!({"resultTime": "soon"}), "resultTime"),
            (
                json!({"validTime": "2026-05-18T08:00:00Z/2026-05-18T07:00:00Z"}),
                "validTime",
            ),
            (json!({"parameters": [1]}), "parameters"),
            (json!({"parameters": {"p": "x".repeat(70_000)}}), "parameters"),
            (
                json!({"resultQuality": {"flag": 1, "comment": "ice"}}),
                "resultQuality.comment",
            ),
            (json!({"result": "NaN"}), "result"),
            (json!({"result": true}), "result"),
        ] {
            let mut whole = json!({"result": 1, "phenomenonTime": "2026-05-18T07:00:00Z"});
            for (name, value) in entity.as_object().expect("an object") {
                whole[name] = value.clone();
            }
            let error = reading(&whole).expect_err("refused").to_string();
            assert!(error.starts_with(&format!("{field}:")), "{error}");
        }
        let wrong = json!([{"Datastream": {"@iot.id": 1}, "components": ["result", "reslutTime"], "dataArray": [[1, 2]]}]);
        assert!(
            rows(&wrong)
                .expect_err("refused")
                .to_string()
                .contains("`reslutTime`")
        );
        let now = reading(&json!({"result": 1})).expect("measured now");
        assert!((Utc::now() - now.time).num_seconds() < 60);
        assert!(rows(&json!({"x": 1})).is_err());
    }
}
