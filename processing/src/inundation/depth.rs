//! How deep the water of a week stands, in classes: the level between the gauges less the ground of a DEM that the user
//! gives. Nothing is said without such a DEM, whose heights must count from the zero of the gauges.
//!
//! The level outside says nothing of the water behind a closed dyke: in compartments that are wet for another reason than
//! river, tide or a broken dyke the depth is not told. `uncertainty` is the standard deviation of the depth,
//! sqrt(s_level^2 + s_ground^2), of the kriged level and of the DEM.

use super::DeltaSettings;
use super::compartment_cells::{CompartmentCells, strips};
use crate::gdal_io::{self, Resampling};
use crate::raster_output::{
    self, INPUTS, PixelEncoding, RasterFile, RasterWriter, add_rasters, publish_item,
};
use crate::run::{Progress, blocking};
use crate::{Error, Result};
use rayon::prelude::*;
use sen_catalog::flood::{CLOUD, FLOOD_TOLD, NO_DATA, NOT_WATER, is_on_land, is_seen};
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::raster::{Cog, DataType, Overviews};
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::{Asset, Assets, Feature, FeatureQuery, Grid, Item, Period, Store, Window, asset};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Version of the method; another one remakes every depth.
const VERSION: u32 = 1;
/// The layer that is made.
pub const DEPTH: &str = "flood_depth";
/// Upper bounds of the classes 1 to 3, metres; class 4 is deeper.
const BOUNDS_M: [f32; 3] = [0.3, 0.6, 1.0];
/// Under water, depth not told.
pub const NOT_TOLD: u8 = 5;
/// Stored value of "no uncertainty", and the step of the others in metres.
const NO_UNCERTAINTY: u16 = u16::MAX;
const STEP_M: f64 = 0.01;
/// The surface between the gauges.
const LEVEL: &str = "water_level";

/// What making depths needs to know.
pub struct Depths<'a> {
    /// Flood maps, surfaces, compartments and their records; and the items that come out.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// Where the DEM lies and how good it is.
    pub settings: &'a DeltaSettings,
    /// Folder that a relative path of the DEM starts from.
    pub folder: &'a Path,
    /// Kept in each item as `sen:code_version`.
    pub code_version: String,
    /// Rows of cells in memory at once: [`STRIP_ROWS`](super::STRIP_ROWS).
    pub strip_rows: usize,
}

/// The DEM as it is set.
struct Dem {
    path: PathBuf,
    checksum: String,
    /// Standard error of its heights, metres.
    error_m: f64,
}

/// Why a week has no depth.
enum Attempt {
    /// The DEM cannot be used, in this week and in every other.
    Dem(Error),
    /// Something of the week.
    Week(Error),
}

impl<E: Into<Error>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Week(error.into())
    }
}

/// What is made.
fn depths_of_weeks() -> Dataset {
    Dataset::Collection(DEPTH.to_owned())
}

/// Says what is wrong with the DEM that is set: it must be a raster, and its heights and the levels of the stations must not
/// count from different zeros. Its pixels are not read.
///
/// # Errors
/// Names the setting; or the catalogue cannot be read.
pub async fn check_dem(
    settings: &DeltaSettings,
    folder: &Path,
    store: &dyn Store,
    stations: &str,
) -> Result<()> {
    let Some(dem) = &settings.dem else { return Ok(()) };
    let path = folder.join(dem);
    gdal_io::info(&path.to_string_lossy()).map_err(|error| {
        Error::Invalid(format!(
            "delta.dem: {error}; name an existing raster of heights or take the setting away"
        ))
    })?;
    let Some(own) = &settings.dem_datum else {
        return Ok(());
    };
    for station in store.features(&FeatureQuery::layer(stations)).await? {
        let datum = station.properties.get("datum").and_then(|datum| datum.as_str());
        if let Some(datum) = datum.filter(|datum| datum != own) {
            return Err(Error::Invalid(format!(
                "delta.dem_datum: the DEM counts from {own}, station {} from {datum}; give a DEM on the gauges' datum",
                station.code
            )));
        }
    }
    Ok(())
}

/// The DEM on the province grid: a raster of its own under a temporary name, for it is the same in every week and may be larger
/// than the memory.
struct Ground {
    cog: Cog,
    _file: RasterFile,
}

impl Depths<'_> {
    /// Makes the depths of the weeks that are missing or out of date; none without a DEM. What fails is named in the report and
    /// the rest done.
    ///
    /// # Errors
    /// When the DEM or the catalogue cannot be read.
    pub async fn run(
        &self,
        weeks: &[Period],
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let Some(dem) = self.settings.dem.as_deref() else {
            let reason = "no DEM is given ([delta] dem), and depth is not told without one";
            report.notes.push(Failure::new("depth of floods", reason));
            return Ok(());
        };
        let compartments = self
            .store
            .features(&FeatureQuery::layer(&self.settings.compartments))
            .await?;
        let path = self.folder.join(dem);
        let (checksum, _) = blocking(|| asset::checksum(&path))?;
        let dem = Dem {
            path,
            checksum,
            error_m: self.settings.dem_error()?,
        };
        let mut ground: Option<Ground> = None;
        progress.begin("depth of floods", weeks.len() as u64);
        for week in weeks {
            progress.advance(1);
            let Some(flood) = self
                .store
                .item(FLOOD_TOLD, &Item::weekly_id(FLOOD_TOLD, *week))
                .await?
            else {
                continue;
            };
            let outcome = self.week(*week, &flood, &compartments, &dem, &mut ground).await;
            match outcome {
                // the file fails in every week: once is enough
                Err(Attempt::Dem(error)) => return Err(error),
                Err(Attempt::Week(error)) => {
                    report.enter(depths_of_weeks(), Some(*week), StepStatus::failed(error));
                }
                Ok(status) => report.enter(depths_of_weeks(), Some(*week), status),
            }
        }
        Ok(())
    }

    /// The depth of one week.
    async fn week(
        &self,
        week: Period,
        flood: &Item,
        compartments: &[Feature],
        dem: &Dem,
        ground: &mut Option<Ground>,
    ) -> Result<StepStatus, Attempt> {
        let Some(level) = self.store.item(LEVEL, &Item::weekly_id(LEVEL, week)).await? else {
            return Ok(StepStatus::NoInput);
        };
        let records = self
            .store
            .inundations_in(&self.settings.compartments, week, &[])
            .await?;
        let shut = shut(compartments, &records);
        let codes: Vec<&str> = shut.iter().map(|one| one.code.as_str()).collect();
        let made_of = json!([
            VERSION,
            flood.version(),
            level.version(),
            level
                .assets
                .get("variance")
                .and_then(|asset| asset.sha256.clone()),
            dem.checksum,
            dem.error_m,
            codes
        ]);
        let inputs = asset::hex(&Sha256::digest(made_of.to_string().as_bytes()));
        let known = self.store.item(DEPTH, &Item::weekly_id(DEPTH, week)).await?;
        if raster_output::is_current(&self.assets, known.as_ref(), &inputs) {
            return Ok(StepStatus::UpToDate);
        }
        let (grid, files) = blocking(|| {
            let flood_map = self
                .cog(flood, FLOOD_TOLD)?
                .ok_or_else(|| missing(flood, FLOOD_TOLD))?;
            let grid = *flood_map.grid();
            let ground = match ground {
                Some(ground) if *ground.cog.grid() == grid => ground,
                other => other.insert(self.read_ground(&dem.path, grid).map_err(Attempt::Dem)?),
            };
            let water = Water::read(self, &level, &grid)?;
            let silent = CompartmentCells::new(shut.iter().copied(), &grid)?;
            let files = self.write(&flood_map, &ground.cog, &water, &silent, dem.error_m)?;
            Ok::<_, Attempt>((grid, files))
        })?;
        let mut item = self.item(week, grid, flood, &level, &inputs)?;
        add_rasters(&mut item, &files);
        publish_item(self.store.as_ref(), &self.assets, &item, &files).await?;
        Ok(StepStatus::Made)
    }

    fn cog(&self, item: &Item, name: &str) -> Result<Option<Cog>> {
        let asset = item.assets.get(name);
        asset
            .map(|asset| Ok(Cog::over(self.assets.open_object(asset)?)?))
            .transpose()
    }

    fn item(&self, week: Period, grid: Grid, flood: &Item, level: &Item, inputs: &str) -> Result<Item> {
        let rule = "level between the gauges (median of the week) less the given DEM, where the week's flood map shows \
                    water on land; classes below 0.3, 0.6 and 1.0 m and above; 5: under water, depth not told (no level, \
                    no ground, or behind a dyke that keeps the river out)";
        let properties = [
            ("title", json!("Depth of the flood")),
            ("sen:code_version", json!(self.code_version)),
            ("sen:product_version", json!(VERSION)),
            ("sen:rule", json!(rule)),
            (INPUTS, json!(inputs)),
            ("sen:dem_error_m", json!(self.settings.dem_error_m)),
        ];
        Ok(Item {
            id: Item::weekly_id(DEPTH, week),
            collection: DEPTH.to_owned(),
            interval: week.interval(),
            grid,
            bbox: grid.lon_lat_bounds()?,
            assets: BTreeMap::new(),
            lineage: vec![
                format!("{FLOOD_TOLD}/{}", flood.id),
                format!("{LEVEL}/{}", level.id),
            ],
            properties: properties
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect(),
        })
    }

    /// Class and uncertainty of every cell, strip by strip.
    fn write(
        &self,
        flood_map: &Cog,
        ground: &Cog,
        water: &Water,
        silent: &CompartmentCells,
        error_m: f64,
    ) -> Result<[RasterFile; 2]> {
        let grid = flood_map.grid();
        let of_classes = PixelEncoding::classes(NO_DATA);
        let of_uncertainty = PixelEncoding::measures(f64::from(NO_UNCERTAINTY), STEP_M, "m");
        let mut classes = RasterWriter::create(&self.assets, DEPTH, DataType::U8, grid, of_classes)?;
        let mut uncertainty =
            RasterWriter::create(&self.assets, "uncertainty", DataType::U16, grid, of_uncertainty)?;
        for strip in strips(grid, self.strip_rows) {
            let seen = flood_map.read_window::<u8>(0, 0, strip)?;
            let heights = ground.read_window::<f32>(0, 0, strip)?;
            let (told, off) = depths(&seen, &heights, water, &silent.numbers(strip), strip, error_m);
            classes.write_rows(&told)?;
            uncertainty.write_rows(&off)?;
        }
        Ok([classes.finish()?, uncertainty.finish()?])
    }

    /// Brings the DEM onto the grid.
    fn read_ground(&self, path: &Path, grid: Grid) -> Result<Ground> {
        let href = path.to_string_lossy();
        let encoding = PixelEncoding {
            nodata: None,
            overviews: Overviews::None,
            ..PixelEncoding::measures(0.0, 1.0, "m")
        };
        let mut writer = RasterWriter::create(&self.assets, "ground", DataType::F32, &grid, encoding)?;
        let mut is_covered = false;
        for strip in strips(&grid, self.strip_rows) {
            let heights = gdal_io::warp_onto(&href, 1, &grid.crop(strip), Resampling::Bilinear, None)?;
            check_heights(path, &heights)?;
            is_covered |= heights.iter().any(|height| !height.is_nan());
            writer.write_rows(&heights)?;
        }
        if !is_covered {
            return Err(Error::unreadable(
                path.display(),
                "does not cover the province; delta.dem must be a raster of heights of its ground",
            ));
        }
        let file = writer.finish()?;
        let cog = Cog::open(&file.temporary.0)?;
        Ok(Ground { cog, _file: file })
    }
}

fn missing(item: &Item, name: &str) -> Error {
    Error::Invalid(format!("{}/{} has no raster `{name}`", item.collection, item.id))
}

/// Compartments whose water is not the river's this week.
fn shut<'a>(compartments: &'a [Feature], records: &[Inundation]) -> Vec<&'a Feature> {
    let kept_out: std::collections::BTreeSet<i64> = records
        .iter()
        .filter(|record| {
            !matches!(
                record.class,
                Cause::RiverFlood | Cause::TidalFlood | Cause::DykeBreach
            )
        })
        .map(|record| record.fid)
        .collect();
    compartments
        .iter()
        .filter(|one| kept_out.contains(&one.fid))
        .collect()
}

/// Metres above the sea between which all ground on Earth lies.
const GROUND: std::ops::RangeInclusive<f32> = -500.0..=9000.0;

/// Refuses heights that are none: interpolated beside "no data" that nobody tagged one may be anything, and none of them is
/// taken.
fn check_heights(path: &Path, heights: &[f32]) -> Result<()> {
    let wrong = heights
        .iter()
        .find(|height| !height.is_nan() && !GROUND.contains(height));
    wrong.map_or(Ok(()), |height| {
        Err(Error::unreadable(
            path.display(),
            format!(
                "holds {height}, which is no height of ground in metres (delta.dem); if that is its \"no data\", say so in \
                 the file (gdal_edit.py -a_nodata)"
            ),
        ))
    })
}

/// The level between the gauges and its standard deviation, metres, on the coarser grid of the surface.
struct Water {
    factor: usize,
    width: usize,
    level: Vec<f32>,
    deviation: Vec<f32>,
}

impl Water {
    fn read(depths: &Depths<'_>, item: &Item, grid: &Grid) -> Result<Self> {
        let main: &Asset = item.assets.get(LEVEL).ok_or_else(|| missing(item, LEVEL))?;
        let cog = depths.cog(item, LEVEL)?.ok_or_else(|| missing(item, LEVEL))?;
        let beside = depths
            .cog(item, "variance")?
            .ok_or_else(|| missing(item, "variance"))?;
        let own = *cog.grid();
        let factor = (own.cell_width / grid.cell_width).round().max(1.0) as usize;
        if grid.coarser(factor) != own || *beside.grid() != own {
            return Err(Error::Invalid(format!(
                "{LEVEL}/{} does not lie on the grid of the flood map; run sen process for that week",
                item.id
            )));
        }
        let stored = cog.read_window::<i16>(0, 0, own.window())?;
        let level = stored.iter().map(|stored| {
            if Some(f64::from(*stored)) == main.nodata {
                f32::NAN
            } else {
                (f64::from(*stored) * main.scale + main.offset) as f32
            }
        });
        let variance = beside.read_window::<f32>(0, 0, own.window())?;
        Ok(Self {
            factor,
            width: own.width,
            level: level.collect(),
            // nodata is below zero, as no variance is
            deviation: variance
                .iter()
                .map(|variance| {
                    if *variance < 0.0 {
                        f32::NAN
                    } else {
                        variance.sqrt()
                    }
                })
                .collect(),
        })
    }

    fn at(&self, column: usize, row: usize) -> (f32, f32) {
        let cell = row / self.factor * self.width + column / self.factor;
        let of = |values: &[f32]| values.get(cell).copied().unwrap_or(f32::NAN);
        (of(&self.level), of(&self.deviation))
    }
}

/// Class and uncertainty of the cells of a strip.
fn depths(
    classes: &[u8],
    heights: &[f32],
    water: &Water,
    silent: &[u16],
    strip: Window,
    error_m: f64,
) -> (Vec<u8>, Vec<u16>) {
    let told = |cell: usize| {
        let water = water.at(cell % strip.width, strip.row + cell / strip.width);
        one(classes[cell], heights[cell], water, silent[cell] != 0, error_m)
    };
    (0..classes.len()).into_par_iter().map(told).unzip()
}

fn one(class: u8, height: f32, (level, deviation): (f32, f32), silent: bool, error_m: f64) -> (u8, u16) {
    if !is_seen(class) {
        return (if class == CLOUD { CLOUD } else { NO_DATA }, NO_UNCERTAINTY);
    }
    if !is_on_land(class) {
        return (NOT_WATER, NO_UNCERTAINTY);
    }
    let depth = level - height;
    let uncertainty = (f64::from(deviation).powi(2) + error_m.powi(2)).sqrt();
    // ground above the water where water is seen: one of them is wrong by more than their errors explain
    if silent || depth.is_nan() || uncertainty.is_nan() || f64::from(depth) < -2.0 * uncertainty {
        return (NOT_TOLD, NO_UNCERTAINTY);
    }
    let class = 1 + BOUNDS_M.iter().filter(|bound| depth >= **bound).count() as u8;
    let stored = (uncertainty / STEP_M).round().min(f64::from(NO_UNCERTAINTY - 1));
    (class, stored as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::flood::{FLOOD as FLOODED, OPEN_WATER, PERMANENT};

    #[test]
    fn depth_is_told_in_classes_with_what_it_may_be_off() {
        let told = |class, height: f32, water: (f32, f32), silent| one(class, height, water, silent, 0.3);
        // sqrt(0.4^2 + 0.3^2) = 0.5 m
        for (height, class) in [(2.2, 1), (1.6, 2), (1.3, 3), (0.9, 4)] {
            assert_eq!(
                told(FLOODED, height, (2.0_f32, 0.4), false),
                (class, 50),
                "{height}"
            );
        }
        let nothing = NO_UNCERTAINTY;
        assert_eq!(
            told(FLOODED, 3.1, (2.0, 0.4), false),
            (NOT_TOLD, nothing),
            "ground far above the water"
        );
        assert_eq!(
            told(FLOODED, 1.0, (2.0, 0.4), true),
            (NOT_TOLD, nothing),
            "behind a dyke"
        );
        assert_eq!(told(OPEN_WATER, f32::NAN, (2.0, 0.4), false), (NOT_TOLD, nothing));
        assert_eq!(
            told(OPEN_WATER, 1.0, (f32::NAN, f32::NAN), false),
            (NOT_TOLD, nothing)
        );
        assert_eq!(
            told(PERMANENT, 1.0, (2.0, 0.4), false),
            (NOT_WATER, nothing),
            "rivers are no flood"
        );
        assert_eq!(told(NOT_WATER, 1.0, (2.0, 0.4), false), (NOT_WATER, nothing));
        assert_eq!(told(CLOUD, 1.0, (2.0, 0.4), false), (CLOUD, nothing));
        assert_eq!(told(NO_DATA, 1.0, (2.0, 0.4), false), (NO_DATA, nothing));
    }
}
