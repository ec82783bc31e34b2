//! What is newest of the features, as further attributes: the statistics of the week's rasters, the stations' last values.
//!
//! `{collection}_mean` of measures, `{collection}_share` of class rasters (the classes that count by the style among the
//! hectares seen; water for `flood`), `{collection}_majority` of levels (the class most of the zone has), then
//! `{collection}_period` and `{collection}_valid`, the share of the zone that was seen. Stations carry their sensors' values
//! by property ([`super::sensors`]), dyke compartments why they are under water ([`super::water`]).

use super::column::{Column, numbers, texts};
use super::index::Index;
use super::sensors::Readings;
use super::water::Water;
use crate::block_cache::shared as shared_error;
use crate::layers;
use crate::lookup::Snapshot;
use crate::problem::{Outcome, Problem};
use crate::state::{App, Shared};
use crate::style::Style;
use crate::time::When;
use moka::sync::Cache;
use sen_catalog::intake::STATIONS;
use sen_catalog::statistic::{StatisticTable, asset_name};
use sen_catalog::{Asset, Period};
use std::sync::Arc;

/// Bytes of columns kept for weeks that were asked for lately.
const BUDGET: u64 = 64 << 20;

/// What a plot is coloured by most: kept in a tile when others no longer fit.
const FIRST: [&str; 2] = ["ndvi", "flood"];

/// Columns in the order of an index's rows.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// The values.
    pub(crate) values: Vec<Arc<Column>>,
    /// Of when they are and how sure; left out of a full tile before anything else.
    pub(crate) details: Vec<Arc<Column>>,
}

impl Overlay {
    /// All columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Arc<Column>> {
        self.values.iter().chain(&self.details)
    }
}

/// Where an overlay comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The table of a week's raster.
    Table(Table),
    /// The sensors of stations.
    Sensors(Arc<Readings>),
    /// Why compartments are under water.
    Water(Arc<Water>),
}

/// The table of a week's raster.
#[derive(Debug)]
pub(crate) struct Table {
    collection: String,
    period: Period,
    asset: Box<Asset>,
    version: String,
}

impl Source {
    /// True when it gives an attribute of this name.
    pub(crate) fn has(&self, key: &str) -> bool {
        match self {
            Self::Table(table) => key
                .strip_prefix(&*table.collection)
                .is_some_and(|rest| ["_mean", "_share", "_majority", "_period", "_valid"].contains(&rest)),
            Self::Sensors(readings) => readings.has(key),
            Self::Water(_) => Water::has(key),
        }
    }

    /// Changes with its values.
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Table(table) => &table.version,
            Self::Sensors(readings) => readings.version(),
            Self::Water(water) => &water.version,
        }
    }

    /// The week it tells of, where it tells of a week.
    pub(crate) fn period(&self) -> Option<Period> {
        match self {
            Self::Table(table) => Some(table.period),
            Self::Sensors(_) => None,
            Self::Water(water) => Some(water.period),
        }
    }
}

/// What there is to say of a layer at a time.
pub(crate) async fn sources(app: &App, snapshot: &Snapshot, layer: &str, when: When) -> Outcome<Vec<Source>> {
    let name = asset_name(layer);
    let mut tables = Vec::new();
    for collection in layers::layers(snapshot) {
        let Some(item) = app.lookup.item(snapshot, collection, when).await? else {
            continue;
        };
        let Some(asset) = item.assets.get(&name) else {
            continue;
        };
        let version = asset.sha256.as_deref().unwrap_or(&asset.href);
        tables.push(Table {
            collection: collection.to_owned(),
            period: item.period(),
            version: format!("{} {version}", item.id),
            asset: Box::new(asset.clone()),
        });
    }
    let rank = |table: &Table| FIRST.iter().position(|first| *first == table.collection);
    tables.sort_by_key(|table| rank(table).unwrap_or(FIRST.len()));
    let mut sources: Vec<Source> = tables.into_iter().map(Source::Table).collect();
    let water = app.overlays.water(app, snapshot, layer, when).await?;
    sources.extend(water.map(Source::Water));
    if layer == STATIONS {
        sources.push(Source::Sensors(app.overlays.readings(app, snapshot, when).await?));
    }
    Ok(sources)
}

/// Overlays that were asked for lately.
#[derive(Debug)]
pub(crate) struct Overlays {
    /// By layer, its revision and the version of the source.
    tables: Cache<(String, u64, String), Arc<Overlay>>,
    /// By the observations' revision and the time asked for.
    readings: Cache<(u64, String), Arc<Readings>>,
    /// By revision, layer and the time asked for.
    waters: Cache<(u64, String), Option<Arc<Water>>>,
}

impl Default for Overlays {
    fn default() -> Self {
        let weigh = |_: &(String, u64, String), overlay: &Arc<Overlay>| {
            let bytes: usize = overlay.columns().map(|column| column.bytes()).sum();
            u32::try_from(bytes + 256).unwrap_or(u32::MAX)
        };
        Self {
            tables: Cache::builder().max_capacity(BUDGET).weigher(weigh).build(),
            readings: Cache::new(8),
            waters: Cache::new(64),
        }
    }
}

impl Overlays {
    /// What the sensors say at a time.
    async fn readings(&self, app: &App, snapshot: &Snapshot, when: When) -> Outcome<Arc<Readings>> {
        let key = (snapshot.observations, format!("{when:?}"));
        if let Some(readings) = self.readings.get(&key) {
            return Ok(readings);
        }
        let readings = Arc::new(Readings::of(app.lookup.store(), when).await?);
        self.readings.insert(key, Arc::clone(&readings));
        Ok(readings)
    }

    /// Why the zones of a layer are under water at a time.
    async fn water(
        &self,
        app: &App,
        snapshot: &Snapshot,
        layer: &str,
        when: When,
    ) -> Outcome<Option<Arc<Water>>> {
        let key = (snapshot.revision, format!("{layer} {when:?}"));
        if let Some(water) = self.waters.get(&key) {
            return Ok(water);
        }
        let water = Water::of(app, snapshot, layer, when).await?;
        self.waters.insert(key, water.clone());
        Ok(water)
    }

    /// The columns of a source for the rows of an index; `whole` when the index is a whole layer.
    ///
    /// A table that cannot be read is an error: features without their numbers look like ones that were not seen.
    pub(crate) async fn get(
        &self,
        app: &Shared,
        source: &Source,
        index: &Arc<Index>,
        whole: bool,
    ) -> Outcome<Arc<Overlay>> {
        let table = match source {
            Source::Table(table) => table,
            Source::Sensors(readings) => return Ok(Arc::new(readings.columns(index))),
            Source::Water(water) => return Ok(Arc::new(water.columns(index))),
        };
        let key = (index.name.clone(), index.revision, table.version.clone());
        if whole && let Some(overlay) = self.tables.get(&key) {
            return Ok(overlay);
        }
        let asset = table.asset.clone();
        let (collection, period) = (table.collection.clone(), table.period);
        let (index, held, shared) = (Arc::clone(index), self.tables.clone(), Arc::clone(app));
        let task = tokio::task::spawn_blocking(move || {
            let make = || {
                let table = StatisticTable::over(shared.assets.open_object(&asset)?)?;
                let style = shared.styles.style(&collection);
                Ok(Arc::new(columns(&table, &index, &collection, period, style)?))
            };
            if whole {
                held.try_get_with(key, make).map_err(|error| shared_error(&error))
            } else {
                make()
            }
        });
        Ok(task
            .await
            .map_err(|_| Problem::internal("reading statistics"))??)
    }
}

/// The columns that a table gives for the rows of an index.
fn columns(
    table: &StatisticTable,
    index: &Index,
    collection: &str,
    period: Period,
    style: Option<&Style>,
) -> sen_catalog::Result<Overlay> {
    let rows: Vec<Option<usize>> = index
        .fids
        .iter()
        .map(|&fid| table.row_of(fid))
        .collect::<Result<_, _>>()?;
    let class_of = |name: &str| name.strip_prefix("class_")?.strip_suffix("_ha")?.parse().ok();
    let mut classes: Vec<(i64, &[f64])> = Vec::new();
    for (class, name) in table.columns().filter_map(|name| Some((class_of(name)?, name))) {
        classes.extend(table.column(name)?.map(|column| (class, column)));
    }
    let value = |column: Option<&[f64]>, row: usize| {
        column
            .and_then(|column| column.get(row))
            .copied()
            .filter(|value| value.is_finite())
    };
    let round = |value: f64| (value * 1000.0).round() / 1000.0;
    let key = |end: &str| format!("{collection}_{end}");
    let values = if classes.is_empty() {
        let mean = table.column("mean")?;
        let of_row = |row: &Option<usize>| row.and_then(|row| value(mean, row)).map(round);
        numbers(key("mean"), rows.iter().map(of_row))
    } else if style.is_some_and(Style::is_ordered) {
        let of_row = |row: &Option<usize>| {
            let row = (*row)?;
            let (class, _) = classes
                .iter()
                .filter_map(|(class, column)| Some((*class, value(Some(column), row)?)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .filter(|(_, area)| *area > 0.0)?;
            let unseen = style.is_some_and(|style| style.is_not_seen(class as f64));
            (!unseen).then_some(class as f64)
        };
        numbers(key("majority"), rows.iter().map(of_row))
    } else {
        let of_row = |row: &Option<usize>| {
            let row = (*row)?;
            let area = |wanted: &dyn Fn(i64) -> bool| -> f64 {
                classes
                    .iter()
                    .filter(|(class, _)| wanted(*class))
                    .filter_map(|(_, column)| value(Some(column), row))
                    .sum()
            };
            let seen = area(&|class| !style.is_some_and(|style| style.is_not_seen(class as f64)));
            let counts = |class| style.map_or(class == 1, |style| style.is_counted(class as f64));
            (seen > 0.0).then(|| round(area(&counts) / seen))
        };
        numbers(key("share"), rows.iter().map(of_row))
    };
    let period = period.to_string();
    let periods = rows.iter().map(|row| row.map(|_| period.as_str()));
    let fraction = table.column("valid_fraction")?;
    let hundredths = |value: f64| (value * 100.0).round() / 100.0;
    let valid = rows
        .iter()
        .map(|row| row.and_then(|row| value(fraction, row)).map(hundredths));
    Ok(Overlay {
        values: vec![Arc::new(values)],
        details: vec![
            Arc::new(texts(key("period"), periods)),
            Arc::new(numbers(key("valid"), valid)),
        ],
    })
}
