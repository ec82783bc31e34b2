//! The whole time series of a zone, out of the weekly tables.

use super::Versions;
use super::tables::Tables;
use crate::lookup::Snapshot;
use crate::problem::Outcome;
use crate::state::Shared;
use sen_catalog::Period;
use sen_catalog::statistic::ZonalStatistic;
use std::sync::Arc;

/// One week of a zone.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The week.
    pub(crate) period: Period,
    /// What the raster says of the zone.
    pub(crate) statistic: ZonalStatistic,
}

/// The statistics of a zone by week, each week of the version valid in it, oldest first, between two weeks (both included).
pub(crate) async fn series(
    app: &Shared,
    snapshot: &Snapshot,
    (kind, versions): (&str, Versions),
    collection: &str,
    (from, to): (Option<Period>, Option<Period>),
) -> Outcome<Vec<Row>> {
    let weeks = Tables::weeks(app, snapshot, collection, kind).await?;
    let shared = Arc::clone(app);
    // a week that cannot be read makes the whole answer an error: a series without it looks like one in which nothing was seen
    let work = move || -> sen_catalog::Result<Vec<Row>> {
        let inside = weeks.iter().filter(|week| {
            from.is_none_or(|from| from <= week.period) && to.is_none_or(|to| week.period <= to)
        });
        let mut rows = Vec::new();
        for week in inside {
            let Some(fid) = versions.fid_in(week.period) else {
                continue;
            };
            let table = shared.tables.open(&shared.assets, week)?;
            if let Some(row) = table.row_of(fid)? {
                rows.push(Row {
                    period: week.period,
                    statistic: table.statistic(row)?,
                });
            }
        }
        Ok(rows)
    };
    Ok(app.cpu.run(work).await??)
}
