//! Stations made by one client: with their datastreams, first values and what is said of them, in one transaction.

use super::feature_rows::{EncodedFeature, FeatureWriter, NO_BATCH};
use super::fields::by_number;
use super::layer_counts::count_layer;
use super::observations;
use crate::store::NewDatastream;
use crate::{Error, Feature, Result};
use rusqlite::{Connection, params};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS station_fields (
    fid INTEGER PRIMARY KEY,  -- the station
    fields TEXT NOT NULL);  -- JSON: what is said of it beside its properties
";

/// See [`Observations::make_station`](crate::store::Observations::make_station).
pub(super) fn make(
    connection: &Connection,
    station: &Feature,
    fields: &Map<String, Value>,
    datastreams: Vec<NewDatastream>,
) -> Result<Option<i64>> {
    let mut of_code = connection.prepare_cached("SELECT 1 FROM seen_feature WHERE layer = ? AND code = ?")?;
    if of_code.exists([&station.layer, &station.code])? {
        return Ok(None);
    }
    let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
    let (_, Some(fid)) = writer.put(&EncodedFeature::new(station.clone())?)? else {
        return Ok(None);
    };
    count_layer(connection, &station.layer)?;
    if !fields.is_empty() {
        let text = serde_json::to_string(fields).map_err(|error| Error::Invalid(error.to_string()))?;
        connection.execute("INSERT INTO station_fields VALUES (?, ?)", params![fid, text])?;
    }
    for new in datastreams {
        let name = new.datastream.property.clone();
        // a datastream that was there before its station is not this client's
        if observations::make(connection, new)?.is_none() {
            return Err(Error::Invalid(format!(
                "Datastreams: there are two of {name}; one of each is kept"
            )));
        }
    }
    observations::moved(connection)?;
    writer.finish()?;
    Ok(Some(fid))
}

/// What is said of stations, by `fid`.
pub(super) fn fields(connection: &Connection) -> Result<BTreeMap<i64, Map<String, Value>>> {
    let mut statement = connection.prepare_cached("SELECT fid, fields FROM station_fields")?;
    by_number(&mut statement)
}
