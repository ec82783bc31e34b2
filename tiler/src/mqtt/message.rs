//! What a message says: an Observation of SensorThings, or `{station, property, time, value, unit}`.

use chrono::{DateTime, Utc};
use sen_catalog::intake::{Measurement, data_array};
use sen_catalog::observation::{Flag, Reading};
use serde_json::Value;

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Message {
    /// By station and property: every entry of a list, or what is wrong with it. One alone is a list of one.
    Measurements(Vec<Result<Measurement, String>>),
    /// For a datastream.
    Reading(i64, Reading),
}

/// The datastream of a topic that ends in `Datastreams(7)/Observations`.
fn datastream(topic: &str) -> Option<i64> {
    let (_, rest) = topic.rsplit_once("Datastreams(")?;
    rest.strip_suffix(")/Observations")?.parse().ok()
}

/// Reads a message; the error says what is wrong with it.
pub(super) fn parse(topic: &str, payload: &[u8]) -> Result<Message, String> {
    let document: Value = serde_json::from_slice(payload).map_err(|error| format!("is no JSON: {error}"))?;
    let is_entity = document.get("result").is_some() || document.get("Datastream").is_some();
    if let Some(stream) = datastream(topic) {
        let reading = data_array::reading(&document).map_err(|error| error.to_string())?;
        return Ok(Message::Reading(stream, reading));
    }
    if is_entity {
        let stream = data_array::datastream_of(&document).map_err(|error| error.to_string())?;
        let reading = data_array::reading(&document).map_err(|error| error.to_string())?;
        return Ok(Message::Reading(stream, reading));
    }
    let all = match &document {
        Value::Array(all) => all.as_slice(),
        one => std::slice::from_ref(one),
    };
    Ok(Message::Measurements(all.iter().map(measurement).collect()))
}

fn measurement(entry: &Value) -> Result<Measurement, String> {
    let text = |name: &str| {
        let value = entry.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("`{name}` is missing or no text"))
    };
    let time = text("time")?;
    let parsed = DateTime::parse_from_rfc3339(time).map_err(|_| {
        format!("time: `{time}` is no time with its offset, such as 2026-05-18T07:00:00+07:00")
    })?;
    let given = match entry.get("flag") {
        None | Some(Value::Null) => Flag::NotEvaluated,
        Some(flag) => {
            let number = flag.as_u64().and_then(|flag| u8::try_from(flag).ok());
            let number = number.ok_or_else(|| format!("flag: {flag} is no flag"))?;
            Flag::try_from(number).map_err(|error| error.to_string())?
        }
    };
    Ok(Measurement {
        station: text("station")?.to_owned(),
        property: text("property")?.to_owned(),
        unit: match entry.get("unit") {
            None | Some(Value::Null) => None,
            Some(Value::String(unit)) => Some(unit.clone()),
            Some(other) => return Err(format!("unit: {other} is no text")),
        },
        time: parsed.with_timezone(&Utc),
        value: match entry.get("value") {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::Null) => None,
            Some(other) => return Err(format!("value: {other} is no number")),
            None => return Err("`value` is missing; one that could not be measured is null".to_owned()),
        },
        given,
    })
}
