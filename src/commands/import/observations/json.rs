//! JSON: a list of `{station, property, time, value, unit, flag}`, or a SensorThings data array.

use super::{Layout, Sink, cells};
use crate::config::Data;
use anyhow::{Context, anyhow, bail};
use sen_catalog::intake::time::written_json;
use sen_catalog::intake::{self, Measurement, PostedUnit, data_array};
use sen_catalog::observation::{Datastream, Flag};
use sen_catalog::table_text;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A JSON document is read as a whole; larger ones have to be split or written as CSV.
const LARGEST: u64 = 256 << 20;

pub(super) fn read(path: &Path, layout: &Layout, data: &Data, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut text = Vec::new();
    table_text::utf8(file)?.take(LARGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST {
        bail!(
            "is larger than {} MB; split it, or write it as CSV",
            LARGEST >> 20
        );
    }
    let document = match intake::json::document(&text) {
        Ok(document) => document,
        // one entry that is no JSON costs no other
        Err(reason) => {
            let entries = intake::json::salvaged(&text).ok_or_else(|| anyhow!(reason))?;
            return list(entries, layout, sink);
        }
    };
    drop(text);
    let all = match document {
        Value::Array(all) => all,
        Value::Object(mut own) => match own.remove("value") {
            Some(Value::Array(all)) => all,
            _ => bail!("is no list of measurements"),
        },
        _ => bail!("is no list of measurements"),
    };
    if all.iter().any(|block| block.get("dataArray").is_some()) {
        return blocks(&Value::Array(all), data, sink);
    }
    list(all.into_iter().map(Ok).collect(), layout, sink)
}

fn list(all: Vec<Result<Value, String>>, layout: &Layout, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    for (at, entry) in all.into_iter().enumerate() {
        match entry.and_then(|entry| measurement(&entry, layout)) {
            Ok(measured) => sink.take(at + 1, None, measured)?,
            Err(reason) => sink.refuse(at + 1, None, &reason),
        }
    }
    Ok(())
}

fn measurement(entry: &Value, layout: &Layout) -> Result<Measurement, String> {
    let text = |name: &str| entry.get(name).and_then(Value::as_str);
    let time = match entry.get("time") {
        None | Some(Value::Null) => return Err("`time` is missing".into()),
        Some(Value::String(text)) => cells::time(text, layout),
        Some(other) => written_json(other).and_then(|time| cells::placed(time, layout)),
    }
    .map_err(|reason| format!("time: {reason}"))?;
    let property = text("property").ok_or("`property` is missing")?;
    let unit = match entry.get("unit") {
        None | Some(Value::Null) => None,
        Some(Value::String(unit)) => Some(unit.as_str()).filter(|unit| !unit.trim().is_empty()),
        Some(other) => return Err(format!("unit: {other} is no text")),
    };
    let value = match entry.get("value") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => {
            let sign = layout.sign().unwrap_or_default();
            cells::value(text, property, unit, sign).map_err(|reason| format!("value: {reason}"))?
        }
        Some(Value::Null) => None,
        Some(other) => return Err(format!("value: {other} is no number")),
        None => return Err("`value` is missing; one that could not be measured is null".into()),
    };
    let given = match entry.get("flag") {
        None | Some(Value::Null) => Flag::NotEvaluated,
        Some(Value::String(text)) => cells::flag(text)?,
        Some(other) => cells::flag(&other.to_string())?,
    };
    Ok(Measurement {
        station: text("station")
            .or(layout.station.as_deref())
            .ok_or("`station` is missing")?
            .to_owned(),
        property: property.to_owned(),
        unit: unit.map(str::to_owned),
        time,
        value,
        given,
    })
}

fn blocks(document: &Value, data: &Data, sink: &mut Sink<'_>) -> anyhow::Result<()> {
    let rows = data_array::rows(document)?;
    let streams = sink.runtime.block_on(data.store.datastreams(None))?;
    let said = sink.runtime.block_on(data.store.all_properties())?;
    let streams: BTreeMap<i64, Datastream> = streams.into_iter().map(|stream| (stream.id, stream)).collect();
    for (at, row) in rows.into_iter().enumerate() {
        match (streams.get(&row.datastream), row.reading) {
            (_, Err(reason)) => sink.refuse(at + 1, None, &reason),
            (None, _) => {
                let reason = format!(
                    "there is no datastream {}; see /sta/v1.1/Datastreams",
                    row.datastream
                );
                sink.refuse(at + 1, None, &reason);
            }
            (Some(_), Ok(reading)) if !reading.fields.is_empty() => {
                let names: Vec<_> = reading.fields.keys().map(String::as_str).collect();
                let reason = format!(
                    "{}: is kept only where SensorThings brings it, over HTTP or MQTT; leave it out of the file",
                    names.join(", ")
                );
                sink.refuse(at + 1, None, &reason);
            }
            (Some(stream), Ok(reading)) => {
                let shown = said.get(&stream.id).and_then(|said| PostedUnit::of(stream, said));
                let unit = shown.as_ref().map_or(stream.unit.as_str(), PostedUnit::symbol);
                let measured = Measurement {
                    station: stream.station.clone(),
                    property: stream.property.clone(),
                    unit: Some(unit.to_owned()),
                    time: reading.time,
                    value: reading.value,
                    given: reading.given,
                };
                sink.take(at + 1, None, measured)?;
            }
        }
    }
    Ok(())
}
