//! The flood map with the causes put into it: water in a compartment takes the kind of its cause, and water outside every
//! compartment is a flood while the nearest gauge is at BĐ2 or above (at BĐ1 the river only begins to leave its bed), and is
//! seasonal water once the river has been below BĐ1 for a week, as in compartments. Water whose kind is not known stays so: it may
//! be the river itself. What the satellites alone saw is a collection of its own
//! ([`FLOOD_OBSERVED`](sen_catalog::flood::FLOOD_OBSERVED)), which later weeks and the causes themselves look at, so that
//! nothing goes round in a circle.

use super::Inundations;
use super::around::Gauges;
use super::compartment_cells::{CompartmentCells, strips};
use crate::Result;
use crate::raster_output::{PixelEncoding, RasterFile, RasterWriter, add_rasters, is_whole, publish_item};
use crate::run::blocking;
use chrono::TimeDelta;
use rayon::prelude::*;
use sen_catalog::crs::Transform;
use sen_catalog::flood::{FLOOD, FLOOD_TOLD, NO_DATA, SEASONAL, is_on_land};
use sen_catalog::inundation::gauge::GaugeWeek;
use sen_catalog::inundation::rules::LEFT_DAYS;
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::raster::{Cog, DataType};
use sen_catalog::run::StepStatus;
use sen_catalog::{Asset, Assets, Crs, Feature, Grid, Item, Period, Window, asset};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Version of the rule; another one tells every week anew.
const VERSION: u32 = 2;
/// Property of a flood item: digest of the causes that are in its map.
const CAUSES: &str = "sen:causes";
/// The rule in words.
const RULE: &str = "water of compartments by its cause: flood 5 for river flood, tidal flood and a broken dyke, 4 for paddy \
    water, planned releases and less than three tenths of the compartment; outside compartments flood 5 while the nearest \
    gauge is at BĐ2 or above (at BĐ1 even at low tide) and its kind is known, 4 once it has been below BĐ1 for a week; else as the \
    satellites saw it (collection `flood_observed`)";
/// Side in cells of the squares for which the nearest gauge is asked.
const SQUARE: usize = 64;
/// Stand in the map of a week for "outside" and for a cause that is not known.
const OUTSIDE: u8 = 254;
/// See [`OUTSIDE`].
const UNKNOWN: u8 = 255;

/// What the nearest gauge says of water outside compartments.
#[derive(Clone, Copy, PartialEq, Serialize)]
enum River {
    /// At BĐ2 or above, and at BĐ1 even at low tide: it is the river's.
    Out,
    /// Below BĐ1 for [`LEFT_DAYS`] by the middle of the week: it is the river's no more.
    Low,
    /// Neither, or no gauge was heard.
    Silent,
}

/// What all weeks have in common.
pub(super) struct Kinds<'a> {
    run: &'a Inundations<'a>,
    compartments: &'a [Feature],
    gauges: &'a Gauges,
    zones: &'a str,
    /// Where the compartments lie, on the last grid.
    cells: Mutex<Option<Arc<CompartmentCells>>>,
}

impl<'a> Kinds<'a> {
    pub(super) fn new(
        run: &'a Inundations<'a>,
        compartments: &'a [Feature],
        gauges: &'a Gauges,
        zones: &'a str,
    ) -> Self {
        Self {
            run,
            compartments,
            gauges,
            zones,
            cells: Mutex::new(None),
        }
    }

    /// Makes the flood map of a week from what the satellites saw and the causes.
    ///
    /// # Errors
    /// When the map cannot be read, or files or rows cannot be written.
    pub(super) async fn tell(
        &self,
        seen: &Item,
        records: impl Iterator<Item = &Inundation>,
    ) -> Result<StepStatus> {
        let Some(own) = seen.main_asset().cloned() else {
            return Ok(StepStatus::NoInput);
        };
        let period = seen.period();
        let kinds: BTreeMap<i64, u8> = records.map(|record| (record.fid, kind(record.class))).collect();
        // where there are no compartments the map says what the satellites said
        let river = if self.compartments.is_empty() {
            Vec::new()
        } else {
            self.river(&seen.grid, period)?
        };
        let files: Vec<_> = seen
            .assets
            .iter()
            .filter(|(_, asset)| asset.is_raster())
            .collect();
        let made_of = json!([
            VERSION,
            own.sha256,
            self.zones,
            kinds.iter().collect::<Vec<_>>(),
            river
        ]);
        let causes = asset::hex(&Sha256::digest(made_of.to_string().as_bytes()));
        let (store, assets) = (self.run.store.as_ref(), &self.run.assets);
        let id = Item::weekly_id(FLOOD_TOLD, period);
        let known = store.item(FLOOD_TOLD, &id).await?;
        let is_current = known.as_ref().is_some_and(|known| {
            let rasters = known.assets.values().filter(|asset| asset.is_raster());
            let mut beside = files.iter().filter(|(name, _)| **name != seen.collection);
            known.properties.get(CAUSES) == Some(&json!(causes))
                && beside.all(|(name, asset)| {
                    known.assets.get(*name).map(|own| &own.sha256) == Some(&asset.sha256)
                })
                && is_whole(assets, rasters)
        });
        if is_current {
            return Ok(StepStatus::UpToDate);
        }
        let told = if river.is_empty() {
            None
        } else {
            blocking(|| self.write(&seen.grid, &own, &kinds, &river))?
        };
        let rasters: Vec<RasterFile> = told.into_iter().collect();
        let mut item = Item {
            id,
            collection: FLOOD_TOLD.to_owned(),
            assets: BTreeMap::new(),
            ..seen.clone()
        };
        // where the causes say nothing else the files are those of what the satellites saw, under names of the item's own
        for (name, asset) in files {
            let is_main = *name == seen.collection;
            if is_main && !rasters.is_empty() {
                continue;
            }
            let name = if is_main { FLOOD_TOLD } else { name };
            let href = Assets::href(&item, name, "tif", asset.sha256.as_deref().unwrap_or_default());
            blocking(|| assets.link(&asset.href, &href))?;
            let asset = Asset {
                href,
                ..asset.clone()
            };
            item.assets.insert(name.to_owned(), asset);
        }
        item.properties.insert(CAUSES.to_owned(), json!(causes));
        item.properties.insert("sen:kinds_rule".to_owned(), json!(RULE));
        add_rasters(&mut item, &rasters);
        let same_pixels = known.as_ref().is_some_and(|known| {
            let old = || known.assets.iter().filter(|(_, asset)| asset.is_raster());
            old().eq(&item.assets) && is_whole(assets, old().map(|(_, asset)| asset))
        });
        if let Some(known) = known.as_ref().filter(|known| {
            known.main_asset().map(|asset| &asset.sha256) == item.main_asset().map(|asset| &asset.sha256)
        }) {
            // what was counted in these pixels is still so
            let tables = known.assets.iter().filter(|(_, asset)| !asset.is_raster());
            item.assets
                .extend(tables.map(|(name, asset)| (name.clone(), asset.clone())));
        }
        if same_pixels {
            // told for other reasons, and told the same
            publish_item(store, assets, &item, &[]).await?;
            return Ok(StepStatus::UpToDate);
        }
        publish_item(store, assets, &item, &rasters).await?;
        Ok(StepStatus::Made)
    }

    /// What the river makes of water outside compartments, square by square, by the nearest gauge.
    fn river(&self, grid: &Grid, period: Period) -> Result<Vec<River>> {
        let transform = Transform::new(grid.crs, Crs::WGS84)?;
        let (across, down) = (grid.width.div_ceil(SQUARE), grid.height.div_ceil(SQUARE));
        let middle = |index: usize| (index * SQUARE + SQUARE / 2) as f64;
        let river = |square: usize| {
            let x = grid.west + middle(square % across) * grid.cell_width;
            let y = grid.north - middle(square / across) * grid.cell_height;
            let gauge = |period| {
                let (lon, lat) = transform.point(x, y)?;
                self.gauges.near(lon, lat, period)
            };
            match (gauge(period), gauge(period.previous())) {
                (Some(now), _) if now.alarm >= 2 && now.low_water_alarm >= 1 => River::Out,
                (Some(now), Some(before)) if now.alarm == 0 && has_left(&before, period) => River::Low,
                _ => River::Silent,
            }
        };
        Ok((0..across * down).into_par_iter().map(river).collect())
    }

    /// The map with the causes in it, strip by strip; none when it is the same as without.
    fn write(
        &self,
        grid: &Grid,
        own: &Asset,
        kinds: &BTreeMap<i64, u8>,
        river: &[River],
    ) -> Result<Option<RasterFile>> {
        let cog = Cog::over(self.run.assets.open_object(own)?)?;
        let cells = self.cells(grid)?;
        // by the number of the compartment: 0 is outside
        let of_number: Vec<u8> = std::iter::once(OUTSIDE)
            .chain(
                self.compartments
                    .iter()
                    .map(|one| kinds.get(&one.fid).copied().unwrap_or(UNKNOWN)),
            )
            .collect();
        let stored = PixelEncoding::classes(NO_DATA);
        let mut writer = RasterWriter::create(&self.run.assets, FLOOD_TOLD, DataType::U8, grid, stored)?;
        let mut is_changed = false;
        for strip in strips(grid, self.run.strip_rows) {
            let old = cog.read_window::<u8>(0, 0, strip)?;
            let numbers = cells.numbers(strip);
            let mut new = old.clone();
            tell_strip(&mut new, strip, &numbers, &of_number, river);
            is_changed |= new != old;
            writer.write_rows(&new)?;
        }
        is_changed.then(|| writer.finish()).transpose()
    }

    fn cells(&self, grid: &Grid) -> Result<Arc<CompartmentCells>> {
        let mut kept = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cells) = kept.as_ref().filter(|cells| cells.grid == *grid) {
            return Ok(Arc::clone(cells));
        }
        let made = Arc::new(CompartmentCells::new(self.compartments.iter(), grid)?);
        *kept = Some(Arc::clone(&made));
        Ok(made)
    }
}

/// Puts the causes into a strip of the map: `numbers` are the compartments of its cells, `of_number` their kinds of water.
fn tell_strip(classes: &mut [u8], strip: Window, numbers: &[u16], of_number: &[u8], river: &[River]) {
    let across = strip.width.div_ceil(SQUARE);
    let rows = classes.par_chunks_mut(strip.width.max(1)).enumerate();
    rows.for_each(|(row, classes)| {
        let on_land = |class: &u8| is_on_land(*class);
        for (column, class) in classes.iter_mut().enumerate().filter(|(_, class)| on_land(class)) {
            let number = usize::from(numbers[row * strip.width + column]);
            match of_number.get(number).copied().unwrap_or(UNKNOWN) {
                OUTSIDE => match river[(strip.row + row) / SQUARE * across + column / SQUARE] {
                    River::Out if *class == SEASONAL => *class = FLOOD,
                    River::Low if *class == FLOOD => *class = SEASONAL,
                    _ => {}
                },
                UNKNOWN => {}
                kind => *class = kind,
            }
        }
    });
}

/// Whether the river, as it was the week before, has been below BĐ1 for long by the middle of a week.
fn has_left(before: &GaugeWeek, period: Period) -> bool {
    let middle = period.first_day() + TimeDelta::days(3);
    before
        .last_alarm
        .is_none_or(|last| (middle - last).num_days() >= LEFT_DAYS)
}

/// The kind of water that a cause makes.
fn kind(cause: Cause) -> u8 {
    match cause {
        Cause::RiverFlood | Cause::TidalFlood | Cause::DykeBreach => FLOOD,
        Cause::None | Cause::PaddyWater | Cause::PlannedRelease => SEASONAL,
        Cause::NotClassified => UNKNOWN,
    }
}
