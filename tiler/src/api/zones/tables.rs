//! The weekly tables of statistics, found through the items and kept open.

use crate::lookup::Snapshot;
use crate::problem::{Outcome, Problem};
use crate::state::App;
use moka::sync::Cache;
use sen_catalog::statistic::{StatisticTable, StatisticTables, asset_name};
use sen_catalog::{Asset, Assets, Item, ItemQuery, Period};
use std::sync::Arc;

/// Where the table of one week of a collection lies.
#[derive(Clone, Debug)]
pub(crate) struct TableWeek {
    /// The week.
    pub(crate) period: Period,
    asset: Asset,
}

/// What is known of the tables.
#[derive(Debug)]
pub(crate) struct Tables {
    /// By revision, collection and kind.
    weeks: Cache<(u64, String), Arc<Vec<TableWeek>>>,
    open: StatisticTables,
}

impl Tables {
    /// Nothing is open yet; what is read of open tables stays below `budget` bytes.
    pub(crate) fn new(budget: u64) -> Self {
        Self {
            weeks: Cache::new(256),
            open: StatisticTables::new(budget),
        }
    }

    /// Bytes held of open tables.
    pub(crate) fn bytes(&self) -> u64 {
        self.open.bytes()
    }

    /// The weeks of a collection that have a table of the kind, oldest first.
    pub(crate) async fn weeks(
        app: &App,
        snapshot: &Snapshot,
        collection: &str,
        kind: &str,
    ) -> Outcome<Arc<Vec<TableWeek>>> {
        if !snapshot.collections.contains(collection) {
            return Err(crate::layers::unknown(collection));
        }
        let key = (snapshot.revision, format!("{collection} {kind}"));
        if let Some(weeks) = app.tables.weeks.get(&key) {
            return Ok(weeks);
        }
        let items = app
            .lookup
            .store()
            .items(&ItemQuery::collection(collection))
            .await?;
        let name = asset_name(kind);
        let weeks: Vec<_> = items.iter().filter_map(|item| week(item, &name)).collect();
        let weeks = Arc::new(weeks);
        app.tables.weeks.insert(key, Arc::clone(&weeks));
        Ok(weeks)
    }

    /// The table of one week, or a 404 that says what makes it.
    pub(crate) async fn week(
        app: &App,
        snapshot: &Snapshot,
        collection: &str,
        kind: &str,
        period: Period,
    ) -> Outcome<TableWeek> {
        let weeks = Self::weeks(app, snapshot, collection, kind).await?;
        let week = weeks.iter().find(|week| week.period == period).cloned();
        week.ok_or_else(|| {
            Problem::not_found(
                "no-statistics",
                format!(
                    "`{collection}` of {period} has no statistics of `{kind}` yet; sen process makes them"
                ),
            )
        })
    }

    /// The open table of a week. Reads the file when it is not open yet: not for the reactor.
    pub(crate) fn open(&self, assets: &Assets, week: &TableWeek) -> sen_catalog::Result<Arc<StatisticTable>> {
        self.open.open(assets, &week.asset)
    }
}

fn week(item: &Item, name: &str) -> Option<TableWeek> {
    let asset = item.assets.get(name)?;
    Some(TableWeek {
        period: item.period(),
        asset: asset.clone(),
    })
}
