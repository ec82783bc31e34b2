//! The last usable value of each station's sensors, by property: `salinity`, and `salinity_time` of when it was measured.

use super::column::{Cell, numbers, texts};
use super::index::Index;
use super::overlay::Overlay;
use crate::problem::Outcome;
use crate::time::When;
use chrono::{DateTime, SecondsFormat, Utc};
use sen_catalog::Store;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Most datastreams whose values become attributes; each costs a look into the store when anything was measured.
const MOST_DATASTREAMS: usize = 4096;

/// A value and when it was measured.
type Reading = (f64, DateTime<Utc>);

/// The values of all stations at a time.
#[derive(Debug)]
pub(crate) struct Readings {
    /// By property, then by the station's code.
    by_property: BTreeMap<String, BTreeMap<String, Reading>>,
    version: String,
}

impl Readings {
    /// Reads them: the newest of each datastream, or the newest within the weeks asked for.
    pub(crate) async fn of(store: &dyn Store, when: When) -> Outcome<Self> {
        let (from, to) = when.query.weeks();
        let mut by_property: BTreeMap<String, BTreeMap<String, Reading>> = BTreeMap::new();
        let mut datastreams = store.datastreams(None).await?;
        if datastreams.len() > MOST_DATASTREAMS {
            tracing::warn!(
                count = datastreams.len(),
                "too many datastreams to draw the values of all"
            );
            datastreams.truncate(MOST_DATASTREAMS);
        }
        let ids: Vec<i64> = datastreams.iter().map(|datastream| datastream.id).collect();
        let within = (
            from.map(|week| week.interval().start),
            to.map(|week| week.interval().end),
        );
        let newest = store.newest_observations(&ids, within, true).await?;
        let mut readings: HashMap<i64, Reading> = newest
            .iter()
            .filter_map(|one| Some((one.datastream, (one.value?, one.time))))
            .collect();
        for datastream in datastreams {
            if let Some(reading) = readings.remove(&datastream.id) {
                let of_property = by_property.entry(datastream.property).or_default();
                of_property.insert(datastream.station, reading);
            }
        }
        let mut hash = Sha256::new();
        for (property, stations) in &by_property {
            hash.update(property.as_bytes());
            for (station, (value, time)) in stations {
                hash.update(station.as_bytes());
                hash.update(value.to_le_bytes());
                hash.update(time.timestamp_millis().to_le_bytes());
            }
        }
        let version = sen_catalog::asset::hex(hash.finalize().get(..16).unwrap_or_default());
        Ok(Self { by_property, version })
    }

    /// True when an attribute of this name is given.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.by_property
            .contains_key(key.strip_suffix("_time").unwrap_or(key))
    }

    /// Changes with the values.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The columns for the stations of an index.
    pub(crate) fn columns(&self, index: &Index) -> Overlay {
        let code = index.columns.iter().find(|column| column.key == "code");
        let codes: Vec<Option<String>> = (0..index.fids.len())
            .map(|row| match code.map(|column| (column, column.cell(row))) {
                None | Some((_, Cell::None)) => None,
                Some((column, Cell::Shared(number))) => super::column::string_of(column.entry(number)),
                Some((_, Cell::Own(value))) => super::column::string_of(value),
            })
            .collect();
        let mut overlay = Overlay::default();
        for (property, stations) in &self.by_property {
            let of_row = |code: &Option<String>| code.as_ref().and_then(|code| stations.get(code)).copied();
            let readings: Vec<Option<Reading>> = codes.iter().map(of_row).collect();
            let values = readings.iter().map(|reading| reading.map(|(value, _)| value));
            overlay.values.push(Arc::new(numbers(property.clone(), values)));
            let times: Vec<Option<String>> = readings
                .iter()
                .map(|reading| reading.map(|(_, time)| time.to_rfc3339_opts(SecondsFormat::Secs, true)))
                .collect();
            let times = times.iter().map(Option::as_deref);
            overlay
                .details
                .push(Arc::new(texts(format!("{property}_time"), times)));
        }
        overlay
    }
}
