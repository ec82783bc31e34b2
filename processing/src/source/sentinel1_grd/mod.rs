//! Sentinel-1 images in ground range (GRD): numbers to sigma0, and onto the province grid.
//!
//! sigma0 = (number^2 - noise) / calibration^2, both tables interpolated for every pixel ([`lut`]); the four pixels
//! around a cell's centre are weighted bilinearly in linear power. Over calm water the difference is often negative:
//! it is kept through the interpolation and only then raised to [`LEAST_SIGMA0`], because zero means "not measured" and
//! water would turn into holes. sigma0 refers to the ellipsoid, unlike the terrain-flattened gamma0 of RTC products: on
//! flat ground gamma0 = sigma0 / cos(incidence), 0.6 to 1.6 dB more.

pub(crate) mod annotation;
mod border;
pub(crate) mod geolocation;
mod lut;

#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;

use crate::gdal_io::raw;
use crate::source::safe_archive::text_at;
use crate::{Error, Result};
use annotation::Annotation;
use border::Border;
use chrono::{DateTime, Utc};
use geolocation::Geolocation;
use lut::{Lut, Noise};
use rayon::prelude::*;
use sen_catalog::crs::Transform;
use sen_catalog::{Band, Bounds, Crs, Grid, Item, Window};
use serde_json::Value;
use std::ops::Range;

/// Collection of these scenes.
pub(crate) const COLLECTION: &str = "sentinel-1-grd";
/// The terrain-corrected gamma0 of the same instrument.
const RTC: &str = "sentinel-1-rtc";
/// Property of the scene that holds the version of ESA's processor.
pub(crate) const PROCESSOR: &str = "s1:processor_version";
/// Least value after the noise is taken away: -50 dB, far below what the instrument can tell from nothing.
const LEAST_SIGMA0: f32 = 1e-5;
/// Cells between the places whose pixel is looked up; between them it is interpolated. Counted from the corner of the
/// province grid, so that values do not depend on how it is cut.
const STEP: usize = 16;
/// Columns and rows of the province grid done at once: their pixels fit the processor's cache.
const CHUNK: usize = 32 * STEP;

/// The files of one polarisation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Files {
    pub(crate) measurement: String,
    pub(crate) annotation: String,
    pub(crate) calibration: String,
    pub(crate) noise: String,
}

impl Files {
    /// Asset names of the metadata of a band, in the order annotation, calibration, noise.
    pub(crate) fn names(band: Band) -> [String; 3] {
        ["annotation", "calibration", "noise"].map(|kind| format!("{kind}-{band}"))
    }

    /// The files of a band of a scene; `None` when one is not listed.
    fn of(scene: &Item, band: Band) -> Option<Self> {
        let href = |name: &str| scene.assets.get(name).map(|asset| asset.href.clone());
        let [annotation, calibration, noise] = Self::names(band);
        Some(Self {
            measurement: href(band.name())?,
            annotation: href(&annotation)?,
            calibration: href(&calibration)?,
            noise: href(&noise)?,
        })
    }
}

/// True when a band is an image in the geometry of the radar, told by the tables beside it: a GRD scene that somebody
/// has calibrated and geocoded elsewhere has none.
pub(crate) fn is_ground_range(scene: &Item, band: Band) -> bool {
    scene.collection == COLLECTION && Files::of(scene, band).is_some()
}

/// An image with its tables, read straight onto the province grid.
#[derive(Debug)]
pub(crate) struct GroundRange {
    href: String,
    size: (usize, usize),
    calibration: Lut,
    /// `None` when there is nothing to take away: the product states no noise, or the processor has removed it.
    noise: Option<Noise>,
    geolocation: Geolocation,
    border: Option<Border>,
}

/// A part of an image in sigma0, NaN where nothing was measured.
struct Part {
    column: usize,
    line: usize,
    width: usize,
    values: Vec<f32>,
}

impl GroundRange {
    /// The image of a band of a scene.
    ///
    /// # Errors
    /// Names the file that is absent, damaged, or does not fit the others.
    pub(crate) fn of(scene: &Item, band: Band) -> Result<Self> {
        let files = |band: Band| {
            Files::of(scene, band).ok_or_else(|| {
                let what = format!("{}/{}", scene.collection, scene.id);
                Error::unreadable(
                    what,
                    format!("lists no metadata of {band}; take the scene in again with `sen ingest`"),
                )
            })
        };
        let processor = scene.properties.get(PROCESSOR).and_then(Value::as_str);
        let copolarised = if leaves_border(processor) {
            files(Band::Vv).ok()
        } else {
            None
        };
        Self::open(&files(band)?, copolarised.as_ref()).map(|(image, _)| image)
    }

    /// Opens an image, and says what its annotation says. `copolarised` are the files by which border noise is told, for
    /// products that have it.
    ///
    /// # Errors
    /// Names the file that is absent, damaged, or does not fit the others.
    pub(crate) fn open(files: &Files, copolarised: Option<&Files>) -> Result<(Self, Facts)> {
        let annotation = Annotation::read(&files.annotation, &text_at(&files.annotation)?)?;
        let size = raw::size(&files.measurement)?;
        if size != annotation.size {
            return Err(Error::unreadable(
                &files.measurement,
                format!(
                    "metadata contradict the pixels: the size is {} x {} in the annotation, {} x {} in the file",
                    annotation.size.0, annotation.size.1, size.0, size.1
                ),
            ));
        }
        let (calibration, noise) = tables(files, size)?;
        let stated = !noise.is_zero();
        let noise = (stated && !annotation.denoised).then_some(noise);
        let border = copolarised
            .map(|files| {
                tables(files, size).map(|(lut, noise)| Border::new(&files.measurement, size, lut, noise))
            })
            .transpose()?;
        let facts = Facts {
            mission: annotation.mission,
            polarisation: annotation.polarisation,
            start: annotation.start,
            pass: annotation.pass,
            orbit: annotation.orbit,
            bounds: annotation.geolocation.bounds(),
            places: annotation.geolocation.lon_lat().collect(),
            incidence: annotation.geolocation.incidence(),
            noise: match (annotation.denoised, stated) {
                (true, _) => "removed by the processor",
                (false, true) => "removed",
                (false, false) => "not stated by the product, still in the values",
            },
        };
        let image = Self {
            href: files.measurement.clone(),
            size,
            calibration,
            noise,
            geolocation: annotation.geolocation,
            border,
        };
        Ok((image, facts))
    }

    /// Reads the last line: a file that was cut short ends before it.
    ///
    /// # Errors
    /// Names the file when its last line cannot be read.
    pub(crate) fn check_end(&self) -> Result<()> {
        let last = Window {
            column: 0,
            row: self.size.1 - 1,
            width: self.size.0,
            height: 1,
        };
        raw::window(&self.href, last).map(|_| ())
    }

    /// sigma0 in linear power on a window of the province grid, NaN where nothing was measured.
    ///
    /// # Errors
    /// Names the file when a part of it cannot be read.
    pub(crate) fn read(&self, window: Window, province: &Grid) -> Result<Vec<f32>> {
        // cells larger than pixels are the mean of several places in them
        let places = (province.cell_width / PIXEL_M).round().clamp(1.0, 8.0) as usize;
        let side = (CHUNK / places / STEP).max(1) * STEP;
        let chunks: Vec<Window> = (window.row..window.row + window.height)
            .step_by(side)
            .flat_map(|row| {
                let columns = window.column..window.column + window.width;
                columns.step_by(side).map(move |column| Window {
                    column,
                    row,
                    width: side.min(window.column + window.width - column),
                    height: side.min(window.row + window.height - row),
                })
            })
            .collect();
        let done: Vec<Vec<f32>> = chunks
            .par_iter()
            .map(|&chunk| self.chunk(chunk, province, places))
            .collect::<Result<_>>()?;
        let mut out = vec![f32::NAN; window.width * window.height];
        for (chunk, values) in chunks.iter().zip(&done) {
            for (row, line) in values.chunks_exact(chunk.width).enumerate() {
                let start = (chunk.row - window.row + row) * window.width + chunk.column - window.column;
                out[start..start + chunk.width].copy_from_slice(line);
            }
        }
        Ok(out)
    }

    fn chunk(&self, chunk: Window, province: &Grid, places: usize) -> Result<Vec<f32>> {
        let mut out = vec![f32::NAN; chunk.width * chunk.height];
        let lattice = Lattice::new(&self.geolocation, chunk, province)?;
        let Some(part) = self.part(&lattice)? else {
            return Ok(out);
        };
        for (index, cell) in out.iter_mut().enumerate() {
            let (row, column) = (index / chunk.width, index % chunk.width);
            let (mut sum, mut count) = (0.0_f32, 0.0_f32);
            for place in 0..places * places {
                let within = |index: usize| (index as f64 + 0.5) / places as f64 - 0.5;
                let (line, pixel) = lattice.at(
                    (chunk.row + row) as f64 + within(place / places),
                    (chunk.column + column) as f64 + within(place % places),
                );
                let value = part.at(line, pixel);
                if !value.is_nan() {
                    sum += value;
                    count += 1.0;
                }
            }
            if count > 0.0 {
                *cell = (sum / count).max(LEAST_SIGMA0);
            }
        }
        Ok(out)
    }

    /// The pixels around the places of a lattice; `None` when it lies outside the image.
    fn part(&self, lattice: &Lattice) -> Result<Option<Part>> {
        let Some((lines, columns)) = lattice.extent(self.size) else {
            return Ok(None);
        };
        let window = Window {
            column: columns.start,
            row: lines.start,
            width: columns.len(),
            height: lines.len(),
        };
        let numbers = raw::window(&self.href, window)?;
        let mut values = vec![f32::NAN; numbers.len()];
        let (mut factors, mut noise) = (Vec::new(), Vec::new());
        for (index, (numbers, out)) in numbers
            .chunks_exact(window.width)
            .zip(values.chunks_exact_mut(window.width))
            .enumerate()
        {
            let line = lines.start + index;
            self.calibration.row(line, columns.clone(), &mut factors);
            match &self.noise {
                Some(table) => table.row(line, columns.clone(), &mut noise),
                None => noise.resize(window.width, 0.0),
            }
            let valid = match &self.border {
                Some(border) => border.valid(line)?,
                None => 0..self.size.0,
            };
            for (index, (&number, out)) in numbers.iter().zip(out).enumerate() {
                if number != 0 && valid.contains(&(columns.start + index)) {
                    let number = f32::from(number);
                    *out = (number * number - noise[index]) / (factors[index] * factors[index]);
                }
            }
        }
        Ok(Some(Part {
            column: columns.start,
            line: lines.start,
            width: window.width,
            values,
        }))
    }
}

impl Part {
    /// The value at a place of the image: the four pixels around it, those that were measured, by their nearness; NaN
    /// when the nearest was not.
    #[inline]
    fn at(&self, line: f64, pixel: f64) -> f32 {
        let (y, x) = (line - self.line as f64, pixel - self.column as f64);
        let height = self.values.len() / self.width;
        let value = |x: f64, y: f64| {
            if x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < height as f64 {
                self.values[y as usize * self.width + x as usize]
            } else {
                f32::NAN
            }
        };
        // a place that is NaN is in no cell of the image
        if value((x + 0.5).floor(), (y + 0.5).floor()).is_nan() {
            return f32::NAN;
        }
        let (left, top) = (x.floor(), y.floor());
        let (right_share, down_share) = ((x - left) as f32, (y - top) as f32);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
            let weight = if dx == 0.0 { 1.0 - right_share } else { right_share }
                * if dy == 0.0 { 1.0 - down_share } else { down_share };
            let value = value(left + dx, top + dy);
            if !value.is_nan() {
                sum += weight * value;
                weights += weight;
            }
        }
        if weights > 0.0 { sum / weights } else { f32::NAN }
    }
}

/// Pixels of a product of high resolution, metres.
const PIXEL_M: f64 = 10.0;

/// Lines and pixels of the image at every [`STEP`]th cell of the province grid.
struct Lattice {
    row: usize,
    column: usize,
    across: usize,
    /// Line and pixel; NaN where the place is not in the image.
    places: Vec<(f64, f64)>,
}

impl Lattice {
    fn new(geolocation: &Geolocation, chunk: Window, province: &Grid) -> Result<Self> {
        let to_degrees = Transform::new(province.crs, Crs::WGS84)?;
        let nodes = |start: usize, count: usize| {
            let first = start / STEP * STEP;
            // one beyond the last cell, so that places in its second half have two nodes around them
            (first, (start + count - first).div_ceil(STEP) + 2)
        };
        let ((row, down), (column, across)) =
            (nodes(chunk.row, chunk.height), nodes(chunk.column, chunk.width));
        let mut places = Vec::with_capacity(down * across);
        for index in 0..down * across {
            // the first node lies a step before the chunk's, for places in the first half of its first cell
            let y = (row + index / across * STEP) as f64 - STEP as f64 + 0.5;
            let x = (column + index % across * STEP) as f64 - STEP as f64 + 0.5;
            let (x, y) = (
                province.west + x * province.cell_width,
                province.north - y * province.cell_height,
            );
            let place = to_degrees
                .point(x, y)
                .and_then(|(lon, lat)| geolocation.pixel(lon, lat));
            places.push(place.unwrap_or((f64::NAN, f64::NAN)));
        }
        Ok(Self {
            row,
            column,
            across,
            places,
        })
    }

    /// Line and pixel at a row and column of the province grid (centres of cells are whole).
    #[inline]
    fn at(&self, row: f64, column: f64) -> (f64, f64) {
        let (y, x) = (
            (row - self.row as f64) / STEP as f64 + 1.0,
            (column - self.column as f64) / STEP as f64 + 1.0,
        );
        let (top, left) = (y as usize, x as usize);
        let (down, right) = (y - top as f64, x - left as f64);
        let node = |row: usize, column: usize| self.places[row * self.across + column];
        let (nw, ne) = (node(top, left), node(top, left + 1));
        let (sw, se) = (node(top + 1, left), node(top + 1, left + 1));
        let mix = |nw: f64, ne: f64, sw: f64, se: f64| {
            (nw + (ne - nw) * right) * (1.0 - down) + (sw + (se - sw) * right) * down
        };
        (mix(nw.0, ne.0, sw.0, se.0), mix(nw.1, ne.1, sw.1, se.1))
    }

    /// The lines and columns of an image of a size that the places touch.
    fn extent(&self, (columns, lines): (usize, usize)) -> Option<(Range<usize>, Range<usize>)> {
        let range = |of: fn(&(f64, f64)) -> f64, count: usize| {
            let values = || self.places.iter().map(of).filter(|value| !value.is_nan());
            let least = values().fold(f64::INFINITY, f64::min);
            let most = values().fold(f64::NEG_INFINITY, f64::max);
            // casts of floats saturate at 0
            let (start, end) = ((least - 1.0) as usize, ((most + 2.0) as usize).min(count));
            (start < end && least <= most).then_some(start..end)
        };
        Some((range(|place| place.0, lines)?, range(|place| place.1, columns)?))
    }
}

/// What there is to say of an image beside its pixels.
#[derive(Debug)]
pub(crate) struct Facts {
    /// `S1A`.
    pub(crate) mission: String,
    /// `VV`.
    pub(crate) polarisation: String,
    /// First line, UTC.
    pub(crate) start: DateTime<Utc>,
    /// `ascending` or `descending`.
    pub(crate) pass: String,
    /// Absolute orbit.
    pub(crate) orbit: u32,
    /// Box, degrees.
    pub(crate) bounds: Bounds,
    /// Longitude and latitude of points all over it, degrees.
    pub(crate) places: Vec<(f64, f64)>,
    /// Least and greatest angle of incidence, degrees.
    pub(crate) incidence: (f64, f64),
    /// What became of the thermal noise.
    pub(crate) noise: &'static str,
}

/// The calibration and noise of an image of a size.
fn tables(files: &Files, size: (usize, usize)) -> Result<(Lut, Noise)> {
    let calibration = annotation::calibration(&files.calibration, &text_at(&files.calibration)?, size)?;
    let noise = annotation::noise(&files.noise, &text_at(&files.noise)?, size)?;
    Ok((calibration, noise))
}

/// True when a processor of this version leaves noise at the borders; a version nobody states is a new one.
pub(crate) fn leaves_border(version: Option<&str>) -> bool {
    let version = version.and_then(|text| text.parse::<f64>().ok());
    version.is_some_and(|version| version < border::CLEAN_SINCE)
}

/// Scenes of the two products of a pass begin within this time; their slices are 25 seconds long.
const SAME_PASS_S: i64 = 60;

/// Leaves out scenes of which the terrain-corrected product is there too: one look must not vote twice.
pub(crate) fn prefer_rtc(scenes: &mut Vec<Item>) {
    let rtc: Vec<(DateTime<Utc>, Bounds)> = scenes
        .iter()
        .filter(|scene| scene.collection == RTC)
        .map(|scene| (scene.interval.start, scene.bbox))
        .collect();
    scenes.retain(|scene| {
        let twice = |(start, bbox): &(DateTime<Utc>, Bounds)| {
            (scene.interval.start - *start).num_seconds().abs() <= SAME_PASS_S
                && overlap(bbox, &scene.bbox) > 0.5
        };
        scene.collection != COLLECTION || !rtc.iter().any(twice)
    });
}

/// The shared part of two boxes, as share of the smaller one.
fn overlap(a: &Bounds, b: &Bounds) -> f64 {
    let area = |b: &Bounds| (b.east - b.west).max(0.0) * (b.north - b.south).max(0.0);
    let shared = Bounds::new(
        a.west.max(b.west),
        a.south.max(b.south),
        a.east.min(b.east),
        a.north.min(b.north),
    );
    let smaller = area(a).min(area(b));
    if smaller > 0.0 {
        area(&shared) / smaller
    } else {
        0.0
    }
}

/// Of scenes of both radar products only the gamma0 ones, where a series must not mix it with sigma0.
pub(crate) fn one_backscatter(scenes: &mut Vec<Item>) {
    if scenes.iter().any(|scene| scene.collection == RTC) {
        scenes.retain(|scene| scene.collection != COLLECTION);
    }
}
