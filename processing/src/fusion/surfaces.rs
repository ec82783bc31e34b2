//! Weekly surfaces between stations: an item a week and property, `variance` and a second surface, `idw`, beside the values.
//!
//! A station's value of the week is the median of its good observations, so that neither a tide nor a spike decides.
//! Ordinary kriging of these in metres of the province grid; beyond half the range of the variogram from every station
//! nothing is said. `idw` weighs the nearest stations by their distance alone, on the same grid and within the same reach:
//! where both agree the variogram matters little. Distances are straight lines: along the canals they would be longer, and levels on both sides of a
//! dyke differ more than this shows.

use super::idw::{NEIGHBOURS, POWER, idw};
use super::kriging::{Kriging, Variogram};
use super::points::{Sample, distinct};
use super::settings::{FusionSettings, SurfaceSettings};
use crate::raster_output::{self, INPUTS, PixelEncoding, add_rasters, publish_item, write_raster};
use crate::run::{Progress, blocking, for_each_reading};
use crate::{Error, Result};
use rayon::prelude::*;
use sen_catalog::crs::Transform;
use sen_catalog::item::ASSET_DESCRIPTIONS;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::run::{Dataset, StepReport, StepStatus, Unit};
use sen_catalog::{Assets, Crs, FeatureQuery, Grid, Item, Period, Store, asset};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of the method; another one remakes every surface.
const VERSION: u32 = 3;
/// Property of a surface's item: the variogram it was made with, and whether it was fitted to the stations.
const VARIOGRAM: &str = "sen:variogram";
/// The asset of the surface by inverse distances.
const IDW: &str = "idw";
/// Stored value of "out of reach".
const NODATA: i16 = i16::MIN;
const VARIANCE_NODATA: f32 = -9999.0;
/// Fewer good observations in a week than this do not make a station's value.
const FEWEST_OBSERVATIONS: usize = 3;
/// Makes surfaces.
pub struct Surfaces<'a> {
    /// Stations, observations, and the items that come out.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// The province grid.
    pub grid: Grid,
    /// Kept in each item as `sen:code_version`.
    pub code_version: String,
    /// What to make.
    pub settings: &'a FusionSettings,
}

/// A station's value of a week.
struct StationWeek {
    code: String,
    sample: Sample,
    /// Good observations behind it.
    count: usize,
}

impl Surfaces<'_> {
    /// Makes the surfaces that are missing or out of date: units are collections named after a property, by week. What fails
    /// is named in the report and the rest done.
    ///
    /// # Errors
    /// When the stations cannot be read.
    pub async fn make_units(
        &self,
        units: &[Unit],
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let places = self.places().await?;
        let streams = self.store.datastreams(None).await?;
        for surface in &self.settings.surfaces {
            let own: Vec<_> = streams
                .iter()
                .filter(|stream| stream.property == surface.property && places.contains_key(&stream.station))
                .collect();
            let dataset = Dataset::Collection(surface.property.clone());
            let wanted = units.iter().filter(|unit| unit.dataset == dataset);
            let weeks: Vec<Period> = wanted.filter_map(|unit| unit.period).collect();
            progress.begin(&surface.property, weeks.len() as u64);
            for week in weeks {
                let outcome = self.week(surface, &own, &places, week).await;
                report.enter_outcome(dataset.clone(), Some(week), outcome);
                progress.advance(1);
            }
        }
        Ok(())
    }

    /// One surface of one week from the datastreams of its property.
    async fn week(
        &self,
        surface: &SurfaceSettings,
        streams: &[&Datastream],
        places: &BTreeMap<String, (f64, f64)>,
        week: Period,
    ) -> Result<StepStatus> {
        let mut values = Vec::new();
        for stream in streams {
            let (x, y) = places[&stream.station];
            if let Some((value, count)) = self.value(stream.id, week).await? {
                values.push(StationWeek {
                    code: stream.station.clone(),
                    sample: Sample { x, y, value },
                    count,
                });
            }
        }
        if values.is_empty() {
            return Ok(StepStatus::NoInput);
        }
        let made = self.make(surface, week, &values).await?;
        Ok(if made {
            StepStatus::Made
        } else {
            StepStatus::UpToDate
        })
    }

    /// Where the stations stand, in the system of the grid.
    async fn places(&self) -> Result<BTreeMap<String, (f64, f64)>> {
        let transform = Transform::new(Crs::WGS84, self.grid.crs)?;
        let stations = self
            .store
            .features(&FeatureQuery::layer(&self.settings.stations))
            .await?;
        let place = |station: &sen_catalog::Feature| {
            let bounds = station.bounds()?;
            let (x, y) = (
                f64::midpoint(bounds.west, bounds.east),
                f64::midpoint(bounds.south, bounds.north),
            );
            Some((station.code.clone(), transform.point(x, y)?))
        };
        Ok(stations.iter().filter_map(place).collect())
    }

    /// Median and number of the good observations of a week.
    async fn value(&self, datastream: i64, week: Period) -> Result<Option<(f64, usize)>> {
        let interval = week.interval();
        let mut values = Vec::new();
        let hear = |reading: Observation| {
            let value = reading.value.filter(|_| reading.flag == Flag::Good);
            values.extend(value);
        };
        for_each_reading(
            self.store.as_ref(),
            datastream,
            interval.start,
            interval.end,
            hear,
        )
        .await?;
        if values.len() < FEWEST_OBSERVATIONS {
            return Ok(None);
        }
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Ok(Some((median, values.len())))
    }

    /// Makes a week unless it is there; true when it was made.
    async fn make(&self, surface: &SurfaceSettings, week: Period, values: &[StationWeek]) -> Result<bool> {
        let factor = (self.settings.cell_m / self.grid.cell_width).round().max(1.0) as usize;
        let grid = self.grid.coarser(factor);
        let inputs: Vec<Value> = values
            .iter()
            .map(|station| {
                json!([
                    station.code,
                    station.sample.x,
                    station.sample.y,
                    station.sample.value,
                    station.count
                ])
            })
            .collect();
        let inputs = json!([VERSION, grid, surface, inputs]).to_string();
        let inputs = asset::hex(&Sha256::digest(inputs.as_bytes()));
        let id = Item::weekly_id(&surface.property, week);
        let known = self.store.item(&surface.property, &id).await?;
        if raster_output::is_current(&self.assets, known.as_ref(), &inputs) {
            return Ok(false);
        }
        let samples: Vec<Sample> = values
            .iter()
            .map(|station| Sample {
                value: surface.forward(station.sample.value),
                ..station.sample
            })
            .collect();
        let fitted = Variogram::fit(&samples);
        let variogram = fitted.unwrap_or_else(|| surface.variogram());
        let measured: Vec<Sample> = values.iter().map(|station| station.sample).collect();
        let (level, variance, inverse) = blocking(|| {
            let (level, variance) = interpolate(surface, &samples, variogram, &grid)?;
            Ok::<_, Error>((level, variance, by_distance(surface, &measured, variogram, &grid)))
        })?;
        let seen = level.iter().filter(|value| **value != NODATA).count();
        let mut item = Item {
            id,
            collection: surface.property.clone(),
            interval: week.interval(),
            grid,
            bbox: grid.lon_lat_bounds()?,
            assets: BTreeMap::new(),
            lineage: values
                .iter()
                .map(|s| format!("{}/{}", self.settings.stations, s.code))
                .collect(),
            properties: self.properties(surface, values, fitted, &inputs, seen as f64 / level.len() as f64),
        };
        item.lineage.sort_unstable();
        let main = PixelEncoding::measures(f64::from(NODATA), surface.step, &surface.unit);
        let beside = PixelEncoding::measures(f64::from(VARIANCE_NODATA), 1.0, "1");
        let files = [
            write_raster(&self.assets, &surface.property, &level, &grid, main)?,
            write_raster(&self.assets, "variance", &variance, &grid, beside)?,
            write_raster(&self.assets, IDW, &inverse, &grid, main)?,
        ];
        add_rasters(&mut item, &files);
        publish_item(self.store.as_ref(), &self.assets, &item, &files).await?;
        Ok(true)
    }

    fn properties(
        &self,
        surface: &SurfaceSettings,
        values: &[StationWeek],
        fitted: Option<Variogram>,
        inputs: &str,
        seen: f64,
    ) -> Map<String, Value> {
        let stations: Map<String, Value> = values
            .iter()
            .map(|s| {
                (
                    s.code.clone(),
                    json!({"value": s.sample.value, "observations": s.count}),
                )
            })
            .collect();
        let how = if fitted.is_some() {
            "variogram fitted to the stations"
        } else {
            "fewer than ten stations: variogram as configured"
        };
        let scale = if surface.log_offset.is_some() {
            "on the logarithm, whose variance is given"
        } else {
            "variance in the square of the unit"
        };
        let rule = format!(
            "ordinary kriging of the stations' medians of good observations; spherical, {how}; {scale}; nothing beyond \
             half the range"
        );
        let title = match surface.property.as_str() {
            "water_level" => "Water level between gauges",
            "salinity" => "Salinity between gauges",
            other => other,
        };
        let inverse = format!(
            "inverse distance weighting (power {POWER}, the nearest {NEIGHBOURS} stations) of the same medians, in the unit \
             itself, on the same grid and within the same reach; it has no variance"
        );
        let mut variogram = json!(fitted.unwrap_or_else(|| surface.variogram()));
        variogram["fitted"] = json!(fitted.is_some());
        let pairs = [
            (VARIOGRAM, variogram),
            (ASSET_DESCRIPTIONS, json!({IDW: inverse})),
            ("title", json!(title)),
            ("sen:code_version", json!(self.code_version)),
            ("sen:product_version", json!(VERSION)),
            ("sen:rule", json!(rule)),
            (INPUTS, json!(inputs)),
            ("sen:stations", Value::Object(stations)),
            ("sen:seen_share", json!((seen * 1e4).round() / 1e4)),
        ];
        pairs
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect()
    }
}

/// Values and variance of every cell, as stored.
fn interpolate(
    surface: &SurfaceSettings,
    samples: &[Sample],
    variogram: Variogram,
    grid: &Grid,
) -> Result<(Vec<i16>, Vec<f32>)> {
    let unusable = || {
        Error::Invalid(format!(
            "fusion.surfaces: the variogram of {} cannot be solved; psill, range_m and nugget must be positive",
            surface.property
        ))
    };
    if !(surface.step > 0.0 && variogram.range().is_some_and(|range| range > 0.0)) {
        return Err(unusable());
    }
    let kriging = Kriging::new(samples, variogram).ok_or_else(unusable)?;
    let samples = distinct(samples);
    let reach = variogram.range().unwrap_or_default() / 2.0;
    let cells = (0..grid.width * grid.height).into_par_iter().map(|index| {
        let (x, y) = centre(grid, index);
        let near = samples.iter().any(|sample| sample.distance(x, y) <= reach);
        match near.then(|| kriging.at(x, y)).flatten() {
            Some(prediction) => (
                stored(surface, surface.back(prediction.value)),
                prediction.variance as f32,
            ),
            None => (NODATA, VARIANCE_NODATA),
        }
    });
    Ok(cells.unzip())
}

/// The surface by inverse distances of the values themselves, as stored; silent where [`interpolate`] is.
fn by_distance(
    surface: &SurfaceSettings,
    measured: &[Sample],
    variogram: Variogram,
    grid: &Grid,
) -> Vec<i16> {
    let samples = distinct(measured);
    let reach = variogram.range().unwrap_or_default() / 2.0;
    let cell = |index| {
        let (x, y) = centre(grid, index);
        let near = samples.iter().any(|sample| sample.distance(x, y) <= reach);
        let value = near.then(|| idw(&samples, x, y, POWER, NEIGHBOURS)).flatten();
        value.map_or(NODATA, |value| stored(surface, value))
    };
    (0..grid.width * grid.height).into_par_iter().map(cell).collect()
}

/// The middle of a cell, counted row by row.
fn centre(grid: &Grid, index: usize) -> (f64, f64) {
    (
        grid.west + (index % grid.width) as f64 * grid.cell_width + grid.cell_width / 2.0,
        grid.north - (index / grid.width) as f64 * grid.cell_height - grid.cell_height / 2.0,
    )
}

/// A value in steps of the surface.
fn stored(surface: &SurfaceSettings, value: f64) -> i16 {
    (value / surface.step).round().clamp(-32767.0, 32767.0) as i16
}
