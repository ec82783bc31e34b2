//! What a message says: an Observation of SensorThings, or `{station, property, time, value, unit}`.

use sen_catalog::intake::time::written_json;
use sen_catalog::intake::{Measurement, data_array, json};
use sen_catalog::number_text::{DecimalSign, number};
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
    let mut all = json::entries(payload)?;
    let stream = datastream(topic);
    let is_entity = |entry: &Value| entry.get("result").is_some() || entry.get("Datastream").is_some();
    if stream.is_none() && !matches!(all.as_slice(), [Ok(entry)] if is_entity(entry)) {
        let read = |entry: Result<Value, String>| entry.and_then(|entry| measurement(&entry));
        return Ok(Message::Measurements(all.into_iter().map(read).collect()));
    }
    let (Some(entity), true) = (all.pop(), all.is_empty()) else {
        return Err("is a list; publish Observations of a datastream one by one".to_owned());
    };
    let entity = entity?;
    let stream = match stream {
        Some(stream) => stream,
        None => data_array::datastream_of(&entity).map_err(|error| error.to_string())?,
    };
    let reading = data_array::reading(&entity).map_err(|error| error.to_string())?;
    Ok(Message::Reading(stream, reading))
}

fn measurement(entry: &Value) -> Result<Measurement, String> {
    let text = |name: &str| {
        let value = entry.get(name).and_then(Value::as_str);
        value.ok_or_else(|| format!("`{name}` is missing or no text"))
    };
    let time = match entry.get("time") {
        None | Some(Value::Null) => return Err("`time` is missing".to_owned()),
        Some(time) => written_json(time)
            .and_then(|time| time.instant(None))
            .map_err(|reason| format!("time: {reason}"))?,
    };
    let given = match entry.get("flag") {
        None | Some(Value::Null) => Flag::NotEvaluated,
        Some(flag) => {
            let number = flag.as_u64().or_else(|| flag.as_str()?.trim().parse().ok());
            let number = number.and_then(|flag| u8::try_from(flag).ok());
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
        time,
        value: match entry.get("value") {
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => {
                number(text, DecimalSign::Unknown).map_err(|reason| format!("value: {reason}"))?
            }
            Some(Value::Null) => None,
            Some(other) => return Err(format!("value: {other} is no number")),
            None => return Err("`value` is missing; one that could not be measured is null".to_owned()),
        },
        given,
    })
}
