//! Observations in the JSON of SensorThings: single ones, and the data array of `CreateObservations`.

use crate::observation::{Flag, Reading};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// One row of a data array.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The datastream it is for.
    pub datastream: i64,
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

/// An Observation entity. Without a `phenomenonTime` it was measured now, as the standard says; of an interval the
/// beginning counts.
pub fn reading(entity: &Value) -> Result<Reading> {
    Ok(Reading {
        time: time(entity.get("phenomenonTime"))?,
        value: result(entity.get("result"))?,
        given: quality(entity.get("resultQuality"))?,
    })
}

fn time(value: Option<&Value>) -> Result<DateTime<Utc>> {
    let text = match value {
        None | Some(Value::Null) => return Ok(Utc::now()),
        Some(Value::String(text)) => text,
        Some(other) => return Err(invalid(format!("phenomenonTime: {other} is no time"))),
    };
    let start = text.split('/').next().unwrap_or_default();
    DateTime::parse_from_rfc3339(start)
        .map(|time| time.with_timezone(&Utc))
        .map_err(|error| {
            invalid(format!(
                "phenomenonTime: `{text}` is no time with its offset, such as 2026-05-18T07:00:00+07:00 ({error})"
            ))
        })
}

fn result(value: Option<&Value>) -> Result<Option<f64>> {
    match value {
        None => Err(invalid(
            "result: is missing; a value that could not be measured is null",
        )),
        Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64()),
        Some(other) => Err(invalid(format!("result: {other} is no number"))),
    }
}

fn quality(value: Option<&Value>) -> Result<Flag> {
    match value {
        None | Some(Value::Null) => Ok(Flag::NotEvaluated),
        Some(Value::Object(object)) => quality(object.get("flag")),
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
        let array = block.get("dataArray").and_then(Value::as_array);
        for row in array.ok_or_else(|| invalid("dataArray: the list of rows is missing"))? {
            let read = match row.as_array() {
                Some(cells) if cells.len() == names.len() => {
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
        assert!(
            rows[0]
                .reading
                .as_ref()
                .expect_err("offset without colon")
                .contains("phenomenonTime")
        );
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
        ] {
            let error = reading(&entity).expect_err("refused").to_string();
            assert!(error.starts_with(field), "{error}");
        }
        let now = reading(&json!({"result": 1})).expect("measured now");
        assert!((Utc::now() - now.time).num_seconds() < 60);
        assert!(rows(&json!({"x": 1})).is_err());
    }
}
