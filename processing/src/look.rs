//! A scene as the weekly run sees it: opened once, read strip by strip onto the province grid.
//!
//! A band in a local tiled GeoTIFF whose cells coincide with those of the province grid (or are whole multiples of
//! them) is read straight from the file; anything else is warped by GDAL. No value is interpolated where that can be
//! avoided: equal or evenly split cells are copied, finer ones averaged, others interpolated bilinearly; classes are
//! always taken from the nearest cell.

use crate::flood::threshold::{Bimodal, Split};
use crate::flood::{Thresholds, optical, radar};
use crate::gdal_io::{self, Resampling};
use crate::product::{Input, Product, Sensor};
use crate::source::sentinel1_grd::{self, GroundRange};
use crate::source::{BackscatterScale, unchanged};
use crate::{Result, mask};
use chrono::NaiveDate;
use rayon::prelude::*;
use sen_catalog::raster::{Cog, DataType, Pixels};
use sen_catalog::{Asset, Assets, Band, Bounds, Grid, Item, Period, Window, period};
use std::ops::Range;
use std::path::Path;

/// Scenes of one collection that begin within this time belong to one overpass (a swath is cut into tiles and slices).
pub(crate) const ONE_PASS_S: i64 = 15 * 60;

/// The mask layers, in order of preference.
const MASKS: &[Band] = &[Band::Scl, Band::QaPixel];

/// A scene that lies on the province grid, ready to be read.
#[derive(Debug)]
pub struct Look {
    /// `collection/id` of the scene.
    pub scene: String,
    /// The kind of look.
    pub sensor: Sensor,
    /// Number of the overpass within the week.
    pub pass: usize,
    /// Days from the local date of the look to the last day of the week.
    pub age_days: u8,
    /// Where on the province grid it lies.
    pub window: Window,
    /// The thresholds that [`Look::survey`] found.
    pub thresholds: Thresholds,
    bands: Vec<Layer>,
    mask: Option<Layer>,
}

/// A band of a scene and the way to read it.
#[derive(Debug)]
struct Layer {
    band: Band,
    asset: Asset,
    backscatter: BackscatterScale,
    source: Source,
    /// Width of the band's own cells in cells of the province grid, at least 1.
    cells: usize,
}

#[derive(Debug)]
enum Source {
    /// Cells coincide: the file's first cell lies at this column and row of the province grid.
    Aligned { cog: Box<Cog>, column: i64, row: i64 },
    /// To be warped by GDAL.
    Warped { href: String, resampling: Resampling },
    /// A radar image in ground range, still to be calibrated.
    Ground(Box<GroundRange>),
}

/// What was read of a look for one strip.
#[derive(Debug)]
pub struct LookStrip {
    /// Index of the look.
    pub look: usize,
    /// The part of the province grid that `bands` and `mask` cover.
    pub window: Window,
    bands: Vec<(Band, Pixels)>,
    mask: Option<Vec<u8>>,
}

/// The part of a strip that a tile needs.
#[derive(Debug)]
pub struct Cut {
    /// Band, physical values (NaN for no data), width of the band's own cells in cells of the province grid.
    pub bands: Vec<(Band, Vec<f32>, usize)>,
    /// Bits of [`mask`]; `None` when all is clear.
    pub mask: Option<Vec<u8>>,
}

/// The kind of instrument behind a collection of scenes.
pub fn sensor(collection: &str) -> Sensor {
    if collection.starts_with("sentinel-1") {
        Sensor::Radar
    } else {
        Sensor::Optical
    }
}

/// The input of a product that a scene can serve, if any.
pub fn input<'a>(product: &'a dyn Product, scene: &Item) -> Option<&'a Input> {
    let kind = sensor(&scene.collection);
    product
        .inputs()
        .iter()
        .find(|input| input.sensor == kind && input.bands.iter().all(|names| first(scene, names).is_some()))
}

/// The first of the alternatives that a scene has.
pub(crate) fn first(scene: &Item, alternatives: &[Band]) -> Option<Band> {
    alternatives
        .iter()
        .copied()
        .find(|band| asset(scene, *band).is_some())
}

fn asset(scene: &Item, band: Band) -> Option<&Asset> {
    scene
        .assets
        .get(band.name())
        .or_else(|| scene.assets.values().find(|asset| asset.band == Some(band)))
}

/// The overpass of each scene, as the index of its first scene in the list, whatever the order of the list.
pub fn passes(scenes: &[Item]) -> Vec<usize> {
    let mut by_time: Vec<usize> = (0..scenes.len()).collect();
    by_time.sort_by_key(|&index| (&scenes[index].collection, scenes[index].interval.start, index));
    let mut passes: Vec<usize> = (0..scenes.len()).collect();
    let near = |a: &usize, b: &usize| {
        let gap = scenes[*b].interval.start - scenes[*a].interval.start;
        scenes[*a].collection == scenes[*b].collection && gap.num_seconds() <= ONE_PASS_S
    };
    for group in by_time.chunk_by(near) {
        let first = group.iter().copied().min().unwrap_or_default();
        for &index in group {
            passes[index] = first;
        }
    }
    passes
}

impl Look {
    /// Opens the bands of `scene` that `products` want, those that tell haze too where it is one of `several` passes; `None`
    /// when it lies outside the province or serves no product.
    ///
    /// # Errors
    /// When a file cannot be opened or is no raster.
    pub fn open(
        scene: &Item,
        (pass, several): (usize, bool),
        products: &[&dyn Product],
        assets: &Assets,
        province: &Grid,
        week: Period,
    ) -> Result<Option<Self>> {
        let haze: &[&[Band]] = &[&[Band::Blue], &[Band::Red]];
        let mut wanted: Vec<Band> = products
            .iter()
            .filter_map(|product| {
                let haze = if several && product.looks_for_haze() {
                    haze
                } else {
                    &[]
                };
                Some(input(*product, scene)?.bands.iter().chain(haze))
            })
            .flatten()
            .filter_map(|names| first(scene, names))
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        Self::open_bands(scene, pass, &wanted, assets, province, week)
    }

    /// Opens these bands of `scene` and its mask; `None` when it lies outside the province or nothing is wanted.
    ///
    /// # Errors
    /// When a file cannot be opened or is no raster.
    pub fn open_bands(
        scene: &Item,
        pass: usize,
        wanted: &[Band],
        assets: &Assets,
        province: &Grid,
        week: Period,
    ) -> Result<Option<Self>> {
        let Some(window) = covered(&scene.grid, province)?.filter(|_| !wanted.is_empty()) else {
            return Ok(None);
        };
        unchanged::check(scene)?;
        let backscatter = BackscatterScale::of(scene);
        let layer = |band: Band| -> Result<Option<Layer>> {
            let Some(asset) = asset(scene, band) else {
                return Ok(None);
            };
            let radar = matches!(band, Band::Vv | Band::Vh);
            if radar && sentinel1_grd::is_ground_range(scene, band) {
                return Layer::ground(band, asset, scene).map(Some);
            }
            Layer::open(band, asset, backscatter, assets, province).map(Some)
        };
        let bands: Result<Vec<_>> = wanted
            .iter()
            .filter_map(|&band| layer(band).transpose())
            .collect();
        let mask = MASKS
            .iter()
            .find_map(|&band| layer(band).transpose())
            .transpose()?;
        Ok(Some(Self {
            scene: format!("{}/{}", scene.collection, scene.id),
            thresholds: Thresholds::default(),
            sensor: sensor(&scene.collection),
            pass,
            age_days: age(local_date(scene), week),
            window,
            bands: bands?,
            mask,
        }))
    }

    /// Looks for the thresholds between water and land in tiles all over the look.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn survey(&mut self, province: &Grid) -> Result<()> {
        match self.sensor {
            Sensor::Radar => self.thresholds.radar = self.survey_radar(province)?,
            Sensor::Optical => self.thresholds.optical = self.survey_optical(province)?,
        }
        Ok(())
    }

    /// Bytes that a row of this look takes when it is read.
    pub fn row_bytes(&self) -> usize {
        let layers = self.bands.iter().chain(&self.mask);
        layers.map(Layer::cell_bytes).sum::<usize>() * self.window.width
    }

    /// Reads the rows of the province grid, with `margin` more above and below, where the look covers them.
    /// `dilation` is the margin around clouds in cells.
    pub fn read(
        &self,
        index: usize,
        rows: &Range<usize>,
        margin: usize,
        dilation: f64,
        province: &Grid,
    ) -> Result<Option<LookStrip>> {
        let Some(window) = self.rows(rows, margin) else {
            return Ok(None);
        };
        let bands: Result<Vec<_>> = self
            .bands
            .iter()
            .map(|layer| layer.read(window, province).map(|pixels| (layer.band, pixels)))
            .collect();
        let mask = self
            .mask
            .as_ref()
            .map(|layer| self.mask(layer, window, dilation, province))
            .transpose()?;
        Ok(Some(LookStrip {
            look: index,
            window,
            bands: bands?,
            mask: mask.flatten(),
        }))
    }

    /// The look's part of the given rows and the margin.
    fn rows(&self, rows: &Range<usize>, margin: usize) -> Option<Window> {
        let top = rows.start.saturating_sub(margin).max(self.window.row);
        let bottom = (rows.end + margin).min(self.window.row + self.window.height);
        (top < bottom).then(|| Window {
            row: top,
            height: bottom - top,
            ..self.window
        })
    }

    /// The mask of a window: read with as many rows around it as clouds reach; `None` when all is clear.
    fn mask(&self, layer: &Layer, window: Window, dilation: f64, province: &Grid) -> Result<Option<Vec<u8>>> {
        let rows = window.row..window.row + window.height;
        let wide = self.rows(&rows, dilation.ceil() as usize).unwrap_or(window);
        let pixels = layer.read(wide, province)?;
        let mut bits = mask::from_layer(layer.band, &pixels, wide.width, dilation);
        let skipped = (window.row - wide.row) * wide.width;
        bits.drain(..skipped);
        bits.truncate(window.width * window.height);
        Ok(bits.iter().any(|&bits| bits != mask::CLEAR).then_some(bits))
    }

    /// Width of a band's own cells in cells of the province grid.
    fn cells(&self, band: Band) -> usize {
        self.bands
            .iter()
            .find(|layer| layer.band == band)
            .map_or(1, |layer| layer.cells)
    }
}

/// Tiles at most of a radar scene that are looked into for a threshold; they lie all over it.
const SURVEYED_RADAR: usize = 256;
/// The same for an optical scene: fewer, for to read a tile of JPEG 2000 is dear, and its thresholds vary less.
const SURVEYED_OPTICAL: usize = 64;

impl Look {
    fn layer(&self, names: &[Band]) -> Option<&Layer> {
        names
            .iter()
            .find_map(|&name| self.bands.iter().find(|layer| layer.band == name))
    }

    /// Thresholds of a radar scene.
    fn survey_radar(&self, province: &Grid) -> Result<radar::Thresholds> {
        let found = |band: Band, rule: &Bimodal| -> Result<Vec<Split>> {
            let Some(layer) = self.layer(&[band]) else {
                return Ok(Vec::new());
            };
            each_tile(self.window, rule.tile, SURVEYED_RADAR, |tile| {
                let power = layer.values(tile, province)?;
                Ok(rule.of_tile(&radar::filtered(&power, tile.width)))
            })
        };
        Ok(radar::Thresholds::from_tiles(
            &found(Band::Vv, &radar::VV)?,
            &found(Band::Vh, &radar::VH)?,
        ))
    }

    /// Thresholds of an optical scene's indices, from what is clear.
    fn survey_optical(&self, province: &Grid) -> Result<optical::Thresholds> {
        let found = |bright: &[Band], dark: &[Band], rule: &Bimodal| -> Result<Vec<Split>> {
            let (Some(bright), Some(dark)) = (self.layer(bright), self.layer(dark)) else {
                return Ok(Vec::new());
            };
            each_tile(self.window, rule.tile, SURVEYED_OPTICAL, |tile| {
                let mask = self.mask.as_ref().map(|layer| {
                    let pixels = layer.read(tile, province)?;
                    Ok::<_, crate::Error>(mask::from_layer(layer.band, &pixels, tile.width, 0.0))
                });
                let bits = mask.transpose()?;
                let clear = |cell: usize| bits.as_ref().is_none_or(|bits| bits[cell] & mask::WATER != 0);
                let (bright, dark) = (bright.values(tile, province)?, dark.values(tile, province)?);
                let cells = bright.iter().zip(&dark).enumerate();
                let index = |(cell, (&bright, &dark)): (usize, (&f32, &f32))| {
                    if clear(cell) {
                        optical::difference(bright, dark)
                    } else {
                        f32::NAN
                    }
                };
                Ok(rule.of_tile(&cells.map(index).collect::<Vec<f32>>()))
            })
        };
        Ok(optical::Thresholds::from_tiles(
            &found(&[Band::Green], &[Band::Swir16], &optical::MNDWI)?,
            &found(&[Band::Green], &[Band::Nir, Band::Nir08], &optical::NDWI)?,
        ))
    }
}

/// What the tiles of a window say that say anything; whole tiles, evenly thinned to `most`.
fn each_tile(
    window: Window,
    side: usize,
    most: usize,
    of: impl Fn(Window) -> Result<Option<Split>> + Sync + Send,
) -> Result<Vec<Split>> {
    let (across, down) = (window.width / side, window.height / side);
    let all = across * down;
    let step = all.div_ceil(most).max(1);
    // an odd step spreads over the columns of a row with an even number of tiles
    let step = if step > 1 && step % 2 == 0 { step + 1 } else { step };
    let tile = |index: usize| Window {
        column: window.column + index % across * side,
        row: window.row + index / across * side,
        width: side,
        height: side,
    };
    let found: Result<Vec<Option<Split>>> = (0..all)
        .step_by(step)
        .map(tile)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(of)
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

impl LookStrip {
    /// The physical values of a part of the province grid, and the mask; cells outside the look have no data. `None`
    /// when the look does not touch the part.
    pub fn cut(&self, look: &Look, part: Window) -> Option<Cut> {
        let overlap = intersection(self.window, part)?;
        let bands = self.bands.iter().zip(&look.bands).map(|((band, pixels), layer)| {
            let mut values = vec![f32::NAN; part.width * part.height];
            for row in 0..overlap.height {
                let (from, to) = self.places(overlap, part, row);
                layer.physical(
                    pixels,
                    from..from + overlap.width,
                    &mut values[to..to + overlap.width],
                );
            }
            (*band, values, look.cells(*band))
        });
        let mask = self.mask.as_ref().map(|bits| {
            let mut out = vec![0; part.width * part.height];
            for row in 0..overlap.height {
                let (from, to) = self.places(overlap, part, row);
                out[to..to + overlap.width].copy_from_slice(&bits[from..from + overlap.width]);
            }
            out
        });
        Some(Cut {
            bands: bands.collect(),
            mask,
        })
    }

    /// Where a row of the overlap begins in the strip and in the part.
    fn places(&self, overlap: Window, part: Window, row: usize) -> (usize, usize) {
        let row = overlap.row + row;
        let from = (row - self.window.row) * self.window.width + overlap.column - self.window.column;
        (from, (row - part.row) * part.width + overlap.column - part.column)
    }
}

impl Layer {
    fn open(
        band: Band,
        asset: &Asset,
        backscatter: BackscatterScale,
        assets: &Assets,
        province: &Grid,
    ) -> Result<Self> {
        let path = assets.path(&asset.href);
        let (source, cells) = match aligned(&path, asset, province) {
            Some(found) => found,
            None => warped(&path, band, province)?,
        };
        Ok(Self {
            band,
            asset: asset.clone(),
            backscatter,
            source,
            cells,
        })
    }

    /// A band of a radar scene in ground range.
    fn ground(band: Band, asset: &Asset, scene: &Item) -> Result<Self> {
        Ok(Self {
            band,
            asset: asset.clone(),
            backscatter: BackscatterScale::Power,
            source: Source::Ground(Box::new(GroundRange::of(scene, band)?)),
            cells: 1,
        })
    }

    /// Bytes that a cell takes as read.
    fn cell_bytes(&self) -> usize {
        match &self.source {
            Source::Aligned { cog, .. } => cog.data_type().bytes(),
            Source::Warped { .. } | Source::Ground(_) => 4,
        }
    }

    /// Stored values of a window of the province grid; cells outside the file hold nodata.
    fn read(&self, window: Window, province: &Grid) -> Result<Pixels> {
        match &self.source {
            Source::Aligned { cog, column, row } => self.read_aligned(cog, (*column, *row), window),
            Source::Warped { href, resampling } => {
                let grid = province.crop(window);
                gdal_io::warp_onto(href, self.asset.band_index, &grid, *resampling, self.asset.nodata)
                    .map(Pixels::F32)
            }
            Source::Ground(image) => image.read(window, province).map(Pixels::F32),
        }
    }

    /// The physical values of a window.
    fn values(&self, window: Window, province: &Grid) -> Result<Vec<f32>> {
        let pixels = self.read(window, province)?;
        let mut values = vec![f32::NAN; pixels.len()];
        self.physical(&pixels, 0..pixels.len(), &mut values);
        Ok(values)
    }

    fn read_aligned(&self, cog: &Cog, origin: (i64, i64), window: Window) -> Result<Pixels> {
        let outside = self.asset.nodata.or(cog.nodata()).unwrap_or(0.0);
        Ok(match cog.data_type() {
            DataType::U8 => Pixels::U8(aligned_window(cog, self, origin, window, outside as u8)?),
            DataType::I16 => Pixels::I16(aligned_window(cog, self, origin, window, outside as i16)?),
            DataType::U16 => Pixels::U16(aligned_window(cog, self, origin, window, outside as u16)?),
            DataType::F32 => Pixels::F32(aligned_window(cog, self, origin, window, f32::NAN)?),
        })
    }

    /// Physical values of a run of stored ones: nodata is tested on the stored value, before scale and offset.
    fn physical(&self, pixels: &Pixels, run: Range<usize>, out: &mut [f32]) {
        let (scale, offset) = (self.asset.scale as f32, self.asset.offset as f32);
        let nodata = self.asset.nodata.map(|nodata| nodata as f32);
        match pixels {
            Pixels::U8(stored) => convert(&stored[run], nodata, scale, offset, out),
            Pixels::I16(stored) => convert(&stored[run], nodata, scale, offset, out),
            Pixels::U16(stored) => convert(&stored[run], nodata, scale, offset, out),
            Pixels::F32(stored) => convert(&stored[run], nodata, scale, offset, out),
        }
        if !matches!(self.band, Band::Vv | Band::Vh) {
            return;
        }
        // power is positive; zero marks the border of a scene
        let positive = |value: f32| if value > 0.0 { value } else { f32::NAN };
        for value in out.iter_mut() {
            *value = match self.backscatter {
                BackscatterScale::Power => positive(*value),
                BackscatterScale::Amplitude => positive(*value) * *value,
                BackscatterScale::Decibel => 10_f32.powf(*value / 10.0),
            };
        }
    }
}

#[inline]
fn convert<T: Copy + Into<f32>>(stored: &[T], nodata: Option<f32>, scale: f32, offset: f32, out: &mut [f32]) {
    // NaN equals nothing, so that it stands for "no nodata value"
    let nodata = nodata.unwrap_or(f32::NAN);
    for (out, &stored) in out.iter_mut().zip(stored) {
        let stored: f32 = stored.into();
        let value = stored * scale + offset;
        *out = if stored == nodata { f32::NAN } else { value };
    }
}

/// Opens a local file whose cells coincide with the province grid's, one to one or one to several; none where a mask, an
/// alpha band or a file beside it hides cells, which GDAL knows how to read.
fn aligned(path: &Path, asset: &Asset, province: &Grid) -> Option<(Source, usize)> {
    if !path.is_file() || !gdal_io::sidecars(path).is_empty() {
        return None;
    }
    let cog = Cog::open(path)
        .ok()
        .filter(|cog| !cog.has_hidden_cells() && (1..=cog.bands()).contains(&asset.band_index))?;
    let cells = multiple(cog.grid(), province)?;
    let (column, row) = province.position(cog.grid().west, cog.grid().north);
    let whole = (column - column.round()).abs() < 1e-3 && (row - row.round()).abs() < 1e-3;
    let source = Source::Aligned {
        cog: Box::new(cog),
        column: column.round() as i64,
        row: row.round() as i64,
    };
    whole.then_some((source, cells))
}

/// How many cells of the province grid a cell of `grid` is wide and high, when that is a whole number.
fn multiple(grid: &Grid, province: &Grid) -> Option<usize> {
    let (across, down) = (
        grid.cell_width / province.cell_width,
        grid.cell_height / province.cell_height,
    );
    let whole =
        across >= 0.999 && (across - across.round()).abs() < 1e-6 * across && (across - down).abs() < 1e-6;
    (grid.crs == province.crs && whole).then_some(across.round() as usize)
}

/// Decides how GDAL shall bring a file onto the province grid.
fn warped(path: &Path, band: Band, province: &Grid) -> Result<(Source, usize)> {
    let href = path.to_string_lossy().into_owned();
    let native = gdal_io::info(&href)?.grid;
    let same_units = native.crs.is_geographic() == province.crs.is_geographic();
    let ratio = if same_units {
        native.cell_width / province.cell_width
    } else {
        degrees(&native, province)?
    };
    let (column, row) = province.position(native.west, native.north);
    let whole = (column - column.round()).abs() < 1e-3 && (row - row.round()).abs() < 1e-3;
    let coincide = whole && multiple(&native, province).is_some();
    let resampling = if band.is_categorical() || coincide {
        Resampling::Nearest
    } else if ratio < 0.75 {
        Resampling::Average
    } else {
        Resampling::Bilinear
    };
    Ok((
        Source::Warped { href, resampling },
        (ratio.round() as usize).max(1),
    ))
}

/// Cell width of a grid in another kind of unit, in cells of the province grid.
fn degrees(native: &Grid, province: &Grid) -> Result<f64> {
    let bounds = native.bounds().transform(native.crs, province.crs)?;
    Ok((bounds.east - bounds.west) / native.width as f64 / province.cell_width)
}

fn aligned_window<T: sen_catalog::raster::Pixel>(
    cog: &Cog,
    layer: &Layer,
    (column, row): (i64, i64),
    window: Window,
    outside: T,
) -> Result<Vec<T>> {
    let cells = layer.cells as i64;
    let band = layer.asset.band_index - 1;
    let (width, height) = (cog.grid().width as i64, cog.grid().height as i64);
    // the window in the file's cells, whole, then the part of it that exists
    let left = (window.column as i64 - column).div_euclid(cells);
    let top = (window.row as i64 - row).div_euclid(cells);
    let right = (window.column as i64 + window.width as i64 - column + cells - 1).div_euclid(cells);
    let bottom = (window.row as i64 + window.height as i64 - row + cells - 1).div_euclid(cells);
    let (x0, y0, x1, y1) = (
        left.clamp(0, width),
        top.clamp(0, height),
        right.clamp(0, width),
        bottom.clamp(0, height),
    );
    if x0 >= x1 || y0 >= y1 {
        return Ok(vec![outside; window.width * window.height]);
    }
    let part = Window {
        column: x0 as usize,
        row: y0 as usize,
        width: (x1 - x0) as usize,
        height: (y1 - y0) as usize,
    };
    let stored = cog.read_window::<T>(0, band, part)?;
    if cells == 1 && part.width == window.width && part.height == window.height {
        return Ok(stored);
    }
    let mut out = vec![outside; window.width * window.height];
    for (index, line) in out.chunks_exact_mut(window.width).enumerate() {
        let y = (window.row as i64 + index as i64 - row).div_euclid(cells);
        if !(y0..y1).contains(&y) {
            continue;
        }
        let source = &stored[(y - y0) as usize * part.width..][..part.width];
        for (index, cell) in line.iter_mut().enumerate() {
            let x = (window.column as i64 + index as i64 - column).div_euclid(cells);
            if (x0..x1).contains(&x) {
                *cell = source[(x - x0) as usize];
            }
        }
    }
    Ok(out)
}

/// The cells of the province grid that a scene's grid touches.
pub fn covered(scene: &Grid, province: &Grid) -> Result<Option<Window>> {
    let bounds = if scene.crs == province.crs {
        scene.bounds()
    } else {
        scene.bounds().transform(scene.crs, province.crs)?
    };
    Ok(window_of(bounds, province))
}

fn window_of(bounds: Bounds, province: &Grid) -> Option<Window> {
    // a thousandth of a cell of slack keeps rounding from adding a row or column
    let (left, top) = province.position(bounds.west, bounds.north);
    let (right, bottom) = province.position(bounds.east, bounds.south);
    let clip = |value: f64, size: usize| value.clamp(0.0, size as f64) as usize;
    let (x0, x1) = (
        clip((left + 1e-3).floor(), province.width),
        clip((right - 1e-3).ceil(), province.width),
    );
    let (y0, y1) = (
        clip((top + 1e-3).floor(), province.height),
        clip((bottom - 1e-3).ceil(), province.height),
    );
    (x0 < x1 && y0 < y1).then(|| Window {
        column: x0,
        row: y0,
        width: x1 - x0,
        height: y1 - y0,
    })
}

/// The cells that two windows share.
pub fn intersection(a: Window, b: Window) -> Option<Window> {
    let (left, top) = (a.column.max(b.column), a.row.max(b.row));
    let right = (a.column + a.width).min(b.column + b.width);
    let bottom = (a.row + a.height).min(b.row + b.height);
    (left < right && top < bottom).then(|| Window {
        column: left,
        row: top,
        width: right - left,
        height: bottom - top,
    })
}

/// The local date of a look.
pub(crate) fn local_date(scene: &Item) -> NaiveDate {
    scene
        .interval
        .start
        .with_timezone(&period::local_zone())
        .date_naive()
}

/// Days from a date of the week to its last day.
fn age(date: NaiveDate, week: Period) -> u8 {
    u8::try_from((week.last_day() - date).num_days().max(0)).unwrap_or(u8::MAX)
}
