//! Statistics of every zone against every weekly item, as tables beside the rasters.
//!
//! A table is made when there is none, or when it was made of another raster or other zones; no clock is asked. Files
//! first, row last, as for rasters: a killed run leaves no row that points at half a file, and the next one finishes.
//! All features of a layer are counted, also those of other times, so that a week can be told by the communes of then
//! and by those of now.

mod layer;
#[cfg(test)]
mod tests;

use crate::Result;
use crate::raster_output::{Temporary, write_document};
use crate::run::{Progress, blocking};
use layer::Zones;
use sen_catalog::coverage::Projection;
use sen_catalog::feature::{self, Shape};
use sen_catalog::fire;
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::raster::Cog;
use sen_catalog::run::{Dataset, StepReport, StepStatus};
use sen_catalog::statistic::{StatisticTable, ZonalStatistic, asset_name};
use sen_catalog::zonal::{self, Layer, Options, Zone};
use sen_catalog::{Asset, Assets, Crs, Grid, Item, ItemQuery, Period, Store, asset};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Moves on when the same zones and pixels would give other numbers.
const METHOD: &str = "1";

/// The second half of the weekly run.
pub struct ZoneStatistics<'a> {
    /// Rows of items and features.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
}

impl ZoneStatistics<'_> {
    /// Makes the tables of the given weeks (none: of all) that are missing or out of date, one layer of zones after the
    /// other. What fails is named in the report and the rest done.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn run(
        &self,
        weeks: Option<&[Period]>,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let layers = self.store.layers().await?;
        // cells of hot spots are polygons, but nobody asks for their weeks
        let is_zone = |layer: &&feature::Layer| layer.shape == Shape::Polygon && layer.name != fire::HOTSPOTS;
        for layer in layers.iter().filter(is_zone) {
            // read again for each layer: the rows have changed
            let items = self.items(weeks).await?;
            if items.is_empty() {
                break;
            }
            let zones = match Zones::read(self.store.as_ref(), &layer.name).await {
                Ok(zones) => zones,
                Err(error) => {
                    report.enter(table_of("*", &layer.name), None, StepStatus::failed(error));
                    continue;
                }
            };
            progress.begin(&format!("statistics of {}", layer.name), items.len() as u64);
            let mut placed: Option<(Grid, Vec<Zone>)> = None;
            for item in items {
                if self.cancelled.load(Ordering::Relaxed) {
                    report.cancelled = true;
                    return Ok(());
                }
                let (table, week) = (table_of(&item.collection, &layer.name), item.period());
                let outcome = self.table(item, &zones, &mut placed, progress).await;
                if outcome.is_err() && self.cancelled.load(Ordering::Relaxed) {
                    report.cancelled = true;
                    return Ok(());
                }
                report.enter_outcome(table, Some(week), outcome);
                progress.advance(1);
            }
        }
        Ok(())
    }

    /// The weekly items with a raster, oldest week first within a collection.
    async fn items(&self, weeks: Option<&[Period]>) -> Result<Vec<Item>> {
        let weeks: Option<BTreeSet<Period>> = weeks.map(|weeks| weeks.iter().copied().collect());
        let mut items = Vec::new();
        for collection in self.store.collections().await? {
            if SCENE_COLLECTIONS.contains(&collection.as_str()) {
                continue;
            }
            let query = ItemQuery {
                from: weeks.as_ref().and_then(|weeks| weeks.first().copied()),
                to: weeks.as_ref().and_then(|weeks| weeks.last().copied()),
                ..ItemQuery::collection(collection)
            };
            let found = self.store.items(&query).await?;
            items.extend(found.into_iter().filter(|item| {
                let raster = item
                    .main_asset()
                    .is_some_and(|asset| asset.is_raster() && !asset.href.contains("://"));
                raster && weeks.as_ref().is_none_or(|weeks| weeks.contains(&item.period()))
            }));
        }
        Ok(items)
    }

    /// One table, when it has to be made.
    async fn table(
        &self,
        mut item: Item,
        zones: &Zones,
        placed: &mut Option<(Grid, Vec<Zone>)>,
        progress: &dyn Progress,
    ) -> Result<StepStatus> {
        let Some(main) = item.main_asset().cloned() else {
            return Ok(StepStatus::NoInput);
        };
        let metadata = metadata(&item, &main, zones);
        if self.is_current(&item, &zones.layer, &metadata) {
            return Ok(StepStatus::UpToDate);
        }
        let (temporary, asset) = blocking(|| {
            let statistics = self.measure(&main, zones, placed, progress)?;
            self.write(&item, zones, statistics, &metadata)
        })?;
        self.publish(&mut item, &zones.layer, &temporary, asset).await?;
        Ok(StepStatus::Made)
    }

    /// True when the item's table is whole and made of the same.
    fn is_current(&self, item: &Item, layer: &str, metadata: &BTreeMap<String, String>) -> bool {
        let Some(asset) = item.assets.get(&asset_name(layer)) else {
            return false;
        };
        let path = self.assets.path(&asset.href);
        let whole = std::fs::metadata(&path).is_ok_and(|file| file.len() == asset.bytes);
        whole && StatisticTable::open(&path).is_ok_and(|table| table.metadata() == metadata)
    }

    fn measure(
        &self,
        main: &Asset,
        zones: &Zones,
        placed: &mut Option<(Grid, Vec<Zone>)>,
        progress: &dyn Progress,
    ) -> Result<Vec<ZonalStatistic>> {
        let cog = Cog::open(&self.assets.verified(main)?)?;
        let grid = *cog.grid();
        let options = Options {
            cancelled: Some(self.cancelled),
            ..Options::default()
        };
        // all weeks of a province lie on one grid: its zones are projected once
        let zones = match placed {
            Some((own, zones)) if *own == grid => zones,
            other => {
                let projection = Projection::new(Crs::WGS84, &grid)?;
                &mut other.insert((grid, zones.place(&projection, progress))).1
            }
        };
        Ok(zonal::statistics(&Layer::new(&cog, main), zones, options)?)
    }

    fn write(
        &self,
        item: &Item,
        zones: &Zones,
        statistics: Vec<ZonalStatistic>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<(Temporary, Asset)> {
        let name = asset_name(&zones.layer);
        let rows: Vec<_> = zones
            .features
            .iter()
            .zip(statistics)
            .map(|(feature, statistic)| (feature.fid, feature.code.clone(), statistic))
            .collect();
        let temporary = Temporary(self.assets.temporary(&name));
        StatisticTable::write(&temporary.0, &rows, metadata)?;
        let (sha256, bytes) = asset::checksum(&temporary.0)?;
        let asset = Asset {
            sha256: Some(sha256),
            bytes,
            ..Asset::new(Assets::href(item, &name, "arrow"))
        };
        Ok((temporary, asset))
    }

    /// Files to their places, then the row.
    async fn publish(&self, item: &mut Item, layer: &str, file: &Temporary, asset: Asset) -> Result<()> {
        let name = asset_name(layer);
        let href = asset.href.clone();
        if item.assets.remove(&name).is_some_and(|old| old != asset) {
            // no reader sees a row whose file changed underneath
            self.store.put_item(item).await?;
        }
        item.assets.insert(name, asset);
        let document = write_document(&self.assets, item)?;
        self.assets.publish(&file.0, &href)?;
        self.assets
            .publish(&document.0, &Assets::href(item, &item.id, "json"))?;
        self.store.put_item(item).await?;
        Ok(())
    }
}

/// The tables of a collection and a layer of zones.
fn table_of(collection: &str, layer: &str) -> Dataset {
    Dataset::Statistics {
        collection: collection.to_owned(),
        layer: layer.to_owned(),
    }
}

/// What the numbers of a table depend on.
fn metadata(item: &Item, main: &Asset, zones: &Zones) -> BTreeMap<String, String> {
    let raster = main.sha256.clone().unwrap_or_default();
    let values = format!(
        "{} {} {:?} {}",
        main.scale, main.offset, main.nodata, main.band_index
    );
    [
        ("item", format!("{}/{}", item.collection, item.id)),
        ("layer", zones.layer.clone()),
        ("method", METHOD.into()),
        ("raster", raster),
        ("values", values),
        ("zones", zones.fingerprint.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
