//! Statistics of every zone against every weekly item, as tables beside the rasters.
//!
//! A table is made when there is none, or when it was made of another raster or other zones; no clock is asked. Files
//! first, row last, as for rasters: a killed run leaves no row that points at half a file, and the next one finishes.
//! All features of a layer are counted, also those of other times, so that a week can be told by the communes of then
//! and by those of now.

mod layer;
mod placed;
#[cfg(test)]
mod tests;

use crate::Result;
use crate::raster_output::Temporary;
use crate::run::{Progress, blocking};
use layer::Zones;
pub(crate) use layer::mark_shape;
use placed::PlacedLayer;
pub use placed::PlacedZones;
use sen_catalog::coverage::Projection;
use sen_catalog::feature::{self, Shape};
use sen_catalog::fire;
use sen_catalog::object::sum_file;
use sen_catalog::raster::Cog;
use sen_catalog::run::{Dataset, StepReport, StepStatus, Unit};
use sen_catalog::statistic::{StatisticTable, ZonalStatistic, asset_name};
use sen_catalog::zonal::{self, Layer, Options};
use sen_catalog::{Asset, Assets, Crs, Item, Period, Store};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

/// Moves on when the same zones and pixels would give other numbers.
pub(crate) const METHOD: &str = "1";

/// True for layers of zones that are told week by week: polygons. Cells of hot spots are polygons too, but nobody asks for
/// their weeks.
pub(crate) fn is_zone_layer(layer: &feature::Layer) -> bool {
    layer.shape == Shape::Polygon && layer.name != fire::HOTSPOTS
}

/// The second half of the weekly run.
pub struct ZoneStatistics<'a> {
    /// Rows of items and features.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// Layers of zones, kept from week to week.
    pub zones: Arc<PlacedZones>,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
}

impl ZoneStatistics<'_> {
    /// Makes the tables that are missing or out of date, one layer of zones after the other: units are statistics of a collection
    /// and layer, by week. What fails is named in the report and the rest done.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn make_units(
        &self,
        units: &[Unit],
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut layers: BTreeMap<&str, Vec<(&str, Period, &Unit)>> = BTreeMap::new();
        for unit in units {
            if let (Dataset::Statistics { collection, layer }, Some(week)) = (&unit.dataset, unit.period) {
                layers.entry(layer).or_default().push((collection, week, unit));
            }
        }
        for (layer, mut tables) in layers {
            tables.sort_unstable_by_key(|(collection, week, _)| (*collection, *week));
            let kept = match self.zones.read_layer(self.store.as_ref(), layer).await {
                Ok(kept) => kept,
                Err(error) => {
                    for (_, _, unit) in tables {
                        let status = StepStatus::failed(&error);
                        report.enter(unit.dataset.clone(), unit.period, status);
                    }
                    continue;
                }
            };
            progress.begin(&format!("statistics of {layer}"), tables.len() as u64);
            for (collection, week, unit) in tables {
                if self.cancelled.load(Ordering::Relaxed) {
                    report.cancelled = true;
                    return Ok(());
                }
                // read again for each layer: the rows have changed
                let item = self
                    .store
                    .item(collection, &Item::weekly_id(collection, week))
                    .await?;
                let is_raster = |item: &Item| {
                    let main = item.main_asset();
                    main.is_some_and(|asset| asset.is_raster() && !asset.href.contains("://"))
                };
                let outcome = match item.filter(is_raster) {
                    Some(item) => self.table(item, &kept, report, progress).await,
                    None => Ok(StepStatus::NoInput),
                };
                if outcome.is_err() && self.cancelled.load(Ordering::Relaxed) {
                    report.cancelled = true;
                    return Ok(());
                }
                report.enter_outcome(unit.dataset.clone(), unit.period, outcome);
                progress.advance(1);
            }
        }
        Ok(())
    }

    /// One table, when it has to be made.
    async fn table(
        &self,
        mut item: Item,
        kept: &PlacedLayer,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<StepStatus> {
        let zones = &kept.zones;
        let Some(main) = item.main_asset().cloned() else {
            return Ok(StepStatus::NoInput);
        };
        let metadata = metadata(&item, &main, zones);
        if self.is_current(&item, &zones.layer, &metadata) {
            return Ok(StepStatus::UpToDate);
        }
        let (measured, temporary, asset) = blocking(|| {
            let known = self.known_rows(&item, zones, &metadata);
            let measured = known.iter().filter(|row| row.is_none()).count();
            let statistics = self.measure(&main, kept, known, progress)?;
            let (temporary, asset) = self.write(&item, zones, statistics, &metadata)?;
            Ok::<_, crate::Error>((measured, temporary, asset))
        })?;
        report.add_figure("rows_measured", measured);
        self.publish(&mut item, &zones.layer, &temporary, asset).await?;
        Ok(StepStatus::Made)
    }

    /// The rows of the item's table that are still so: of the same raster, for zones that have the same shape.
    fn known_rows(
        &self,
        item: &Item,
        zones: &Zones,
        metadata: &BTreeMap<String, String>,
    ) -> Vec<Option<ZonalStatistic>> {
        let read = || -> Result<Option<Vec<Option<ZonalStatistic>>>> {
            let Some(asset) = item.assets.get(&asset_name(&zones.layer)) else {
                return Ok(None);
            };
            if !self.assets.is_whole(asset) {
                return Ok(None);
            }
            let table = self.table_of(asset)?;
            let is_same = |(name, value): (&String, &String)| {
                name == ZONES || table.metadata().get(name) == Some(value)
            };
            let Some(shapes) = table.shapes()?.filter(|_| metadata.iter().all(is_same)) else {
                return Ok(None);
            };
            table.load()?;
            let row_of = |feature: &layer::Polygons| -> Result<Option<ZonalStatistic>> {
                let row = table.row_of(feature.fid)?;
                let Some(row) = row.filter(|row| shapes.get(*row) == Some(&feature.mark)) else {
                    return Ok(None);
                };
                let mut statistic = table.statistic(row)?;
                // a class that the zone has nothing of stands in the table for the sake of others
                statistic.classes.retain(|_, hectares| *hectares != 0.0);
                Ok(Some(statistic))
            };
            let rows: Result<_> = zones.features.iter().map(row_of).collect();
            Ok(Some(rows?))
        };
        // what cannot be read is measured
        let known = read().ok().flatten();
        known.unwrap_or_else(|| vec![None; zones.features.len()])
    }

    /// True when the item's table is whole and made of the same.
    fn is_current(&self, item: &Item, layer: &str, metadata: &BTreeMap<String, String>) -> bool {
        let Some(asset) = item.assets.get(&asset_name(layer)) else {
            return false;
        };
        // with the damage that was met so far: a table that is as it was is made again where it is marked
        self.assets.is_whole(asset)
            && self
                .table_of(asset)
                .is_ok_and(|table| table.metadata() == metadata)
    }

    fn table_of(&self, asset: &Asset) -> Result<StatisticTable> {
        Ok(StatisticTable::over(self.assets.open_object(asset)?)?)
    }

    /// The statistics of all zones, of which some are known.
    fn measure(
        &self,
        main: &Asset,
        kept: &PlacedLayer,
        known: Vec<Option<ZonalStatistic>>,
        progress: &dyn Progress,
    ) -> Result<Vec<ZonalStatistic>> {
        let unknown: Vec<usize> = (0..known.len()).filter(|row| known[*row].is_none()).collect();
        if unknown.is_empty() {
            return Ok(known.into_iter().flatten().collect());
        }
        let cog = Cog::over(self.assets.open_object(main)?)?;
        let grid = *cog.grid();
        let options = Options {
            cancelled: Some(self.cancelled),
            ..Options::default()
        };
        if unknown.len() < known.len() {
            let projection = Projection::new(Crs::WGS84, &grid)?;
            let zones = kept.zones.place_some(&unknown, &projection, progress);
            let mut measured = zonal::statistics(&Layer::new(&cog, main), &zones, options)?.into_iter();
            let rows = known.into_iter().map(|row| row.or_else(|| measured.next()));
            return Ok(rows.map(Option::unwrap_or_default).collect());
        }
        // all weeks of a province lie on one grid: its zones are projected once
        let mut placed = kept.placed.lock().unwrap_or_else(PoisonError::into_inner);
        let zones = match &mut *placed {
            Some((own, zones)) if *own == grid => zones,
            other => {
                let projection = Projection::new(Crs::WGS84, &grid)?;
                &mut other.insert((grid, kept.zones.place(&projection, progress))).1
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
        let shapes: Vec<u64> = zones.features.iter().map(|feature| feature.mark).collect();
        StatisticTable::write_with_shapes(&temporary.0, &rows, &shapes, metadata)?;
        let sums = sum_file(&temporary.0)?;
        let href = Assets::href(item, &name, "arrow", &sums.sha256);
        Ok((temporary, sums.of_asset(Asset::new(href))))
    }

    /// The file to its place, then the row.
    async fn publish(&self, item: &mut Item, layer: &str, file: &Temporary, asset: Asset) -> Result<()> {
        self.assets.publish(&file.0, &asset.href)?;
        item.assets.insert(asset_name(layer), asset);
        self.store.put_item(item).await?;
        Ok(())
    }
}

/// Metadata of a table that changes with its zones.
const ZONES: &str = "zones";

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
        (ZONES, zones.fingerprint.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}
