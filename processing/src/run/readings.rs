//! All readings of a time, page by page: none is left out, whatever the rate of a sensor, and a page is what is in memory.

use crate::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sen_catalog::Store;
use sen_catalog::observation::Observation;
use sen_catalog::store::ObservationQuery;

/// Readings in memory at once.
const PAGE: usize = 16_384;

/// Hands on each reading of a datastream from `from` (included) to `to` (not included), oldest first.
///
/// # Errors
/// When the catalogue cannot be read.
pub(crate) async fn for_each_reading(
    store: &dyn Store,
    datastream: i64,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    mut hear: impl FnMut(Observation),
) -> Result<()> {
    let mut from = from;
    loop {
        let query = ObservationQuery {
            from: Some(from),
            to: Some(to),
            limit: Some(PAGE),
            ..ObservationQuery::datastream(datastream)
        };
        let page = store.observations(&query).await?;
        let is_last = page.len() < PAGE;
        if let Some(last) = page.last() {
            // a datastream has one reading a millisecond
            from = last.time + TimeDelta::milliseconds(1);
        }
        page.into_iter().for_each(&mut hear);
        if is_last {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::observation::{Datastream, Flag};
    use sen_catalog::store::{Observations, SqliteStore};

    #[tokio::test]
    async fn a_sensor_of_every_second_is_heard_to_the_end() {
        let store = SqliteStore::in_memory().expect("a store");
        let stream = Datastream {
            id: 0,
            station: "TV-01".into(),
            property: "water_level".into(),
            unit: "m".into(),
            name: String::new(),
        };
        let datastream = store.put_datastream(&stream).await.expect("put");
        let start: DateTime<Utc> = "2026-08-17T00:00:00Z".parse().expect("an instant");
        let at = |second: usize| start + TimeDelta::seconds(second as i64);
        let count = 2 * PAGE + 5;
        let readings = (0..count).map(|second| Observation {
            datastream,
            time: at(second),
            value: Some(second as f64),
            flag: Flag::Good,
        });
        store.put_observations(readings.collect()).await.expect("put");
        for (from, to) in [(0, count), (3, PAGE + 3), (7, 7), (count, count + 9)] {
            let mut heard = Vec::new();
            let hear = |reading: Observation| heard.extend(reading.value);
            for_each_reading(&store, datastream, at(from), at(to), hear)
                .await
                .expect("read");
            let expected: Vec<f64> = (from..to.min(count)).map(|second| second as f64).collect();
            assert_eq!(heard, expected, "{from} to {to}");
        }
    }
}
