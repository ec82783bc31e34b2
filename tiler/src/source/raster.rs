//! Pictures and values from the rasters of the catalogue.

use super::patch;
use crate::block_cache::{BlockCache, BlockKey, shared};
use crate::encode::IndexedImage;
use crate::plan::{self, Lattice};
use crate::style::{CompiledStyle, Lookup, Stored, Style};
use crate::warp::{self, Blend, Canvas};
use moka::sync::Cache;
use sen_catalog::crs::Transform;
use sen_catalog::raster::{Cog, DataType};
use sen_catalog::{Asset, Assets, Bounds, Crs, Error, Grid, Result, Window};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Most files kept open.
const MAX_OPEN_FILES: u64 = 256;

/// Most styles kept ready; each holds at most 64 KiB.
const MAX_COMPILED_STYLES: u64 = 64;

/// Pictures are drawn in squares of this many pixels, so that memory does not grow with the picture.
const CHUNK: usize = 256;

/// Most source pixels held for one square; a square that needs more (a file without overviews seen from afar) is
/// drawn in quarters.
const MAX_PATCH_PIXELS: usize = 1 << 22;

/// Names the pixels of one asset, and the door to its file.
#[derive(Clone, Copy, Debug)]
pub struct RasterAsset<'a> {
    assets: &'a Assets,
    asset: &'a Asset,
}

impl<'a> RasterAsset<'a> {
    /// An asset of the catalogue.
    pub fn new(assets: &'a Assets, asset: &'a Asset) -> Self {
        Self { assets, asset }
    }

    /// What the file is kept open under: its place, and its checksum, which changes when its content does.
    fn key(&self) -> (String, String) {
        let version = self.asset.sha256.as_deref().unwrap_or_default();
        (self.asset.href.clone(), version.to_owned())
    }

    /// The band of the file, from 0.
    fn band(&self) -> usize {
        self.asset.band_index.max(1) - 1
    }
}

/// What a raster holds at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// The point lies outside the raster.
    Outside,
    /// The cell holds no data.
    NoData,
    /// The physical value of the cell under the point (for classes the class number).
    Value(f64),
}

/// A file with what was worked out about it.
struct OpenRaster {
    number: u64,
    cog: Cog,
    approaches: RwLock<HashMap<Crs, Arc<Approach>>>,
}

/// How a file is reached from another coordinate system.
struct Approach {
    /// From the other system to the file's.
    transform: Transform,
    /// The file's outline in the other system, where it has one.
    outline: Option<Bounds>,
}

impl OpenRaster {
    fn approach(&self, from: Crs) -> Result<Arc<Approach>> {
        if let Some(approach) = self
            .approaches
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&from)
        {
            return Ok(Arc::clone(approach));
        }
        let grid = self.cog.grid();
        let approach = Arc::new(Approach {
            transform: Transform::new(from, grid.crs).map_err(|error| error.in_file(self.cog.path()))?,
            outline: grid.bounds().transform(grid.crs, from).ok(),
        });
        let mut approaches = self.approaches.write().unwrap_or_else(PoisonError::into_inner);
        approaches.insert(from, Arc::clone(&approach));
        Ok(approach)
    }
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct StyleKey {
    id: String,
    version: String,
    data_type: DataType,
    scale: u64,
    offset: u64,
    nodata: Option<u64>,
}

/// Opened rasters and decoded blocks, shared by all requests. Work is synchronous: call it off the reactor.
pub struct RasterSource {
    files: Cache<(String, String), Arc<OpenRaster>>,
    opened: AtomicU64,
    blocks: BlockCache,
    styles: Cache<StyleKey, Arc<CompiledStyle>>,
}

impl fmt::Debug for RasterSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RasterSource")
            .field("blocks", &self.blocks)
            .finish_non_exhaustive()
    }
}

impl RasterSource {
    /// A source that keeps at most `block_cache_bytes` of decoded blocks (0: none).
    pub fn new(block_cache_bytes: u64) -> Self {
        Self {
            files: Cache::new(MAX_OPEN_FILES),
            opened: AtomicU64::new(0),
            blocks: BlockCache::new(block_cache_bytes),
            styles: Cache::new(MAX_COMPILED_STYLES),
        }
    }

    /// Bytes of decoded blocks kept now.
    pub fn cached_bytes(&self) -> u64 {
        self.blocks.bytes()
    }

    /// The asset warped onto the cells of `target` (a tile or any picture up to 4096 x 4096) as palette indices;
    /// `None` when no cell of the target meets data.
    ///
    /// # Errors
    /// A damaged or missing file, or a target in a coordinate system that is not known.
    pub fn render(
        &self,
        asset: &RasterAsset<'_>,
        style: &Style,
        target: &Grid,
    ) -> Result<Option<IndexedImage>> {
        self.reading(asset, |raster| self.draw(raster, asset, style, target))
    }

    fn draw(
        &self,
        raster: &OpenRaster,
        asset: &RasterAsset<'_>,
        style: &Style,
        target: &Grid,
    ) -> Result<Option<IndexedImage>> {
        let approach = raster.approach(target.crs)?;
        let covered = match &approach.outline {
            Some(outline) => plan::covered(target, outline),
            None => Some(target.window()),
        };
        let Some(covered) = covered else { return Ok(None) };
        let style = self.compiled(asset, style, &raster.cog)?;
        let ratio = plan::ratio(&approach.transform, target, covered, raster.cog.grid()).unwrap_or(1.0);
        let level = plan::level(raster.cog.levels().iter().map(|level| level.width), ratio);
        let mut picture = Picture {
            blocks: &self.blocks,
            raster,
            transform: &approach.transform,
            style: &style,
            band: asset.band(),
            level,
            source: raster.cog.level_grid(level),
            target,
            indices: vec![0; target.width * target.height],
        };
        let mut met = false;
        for chunk in chunks(covered) {
            met |= picture.draw(chunk)?;
        }
        let mut image = IndexedImage {
            width: target.width,
            height: target.height,
            indices: picture.indices,
            palette: Arc::clone(&style.palette),
        };
        style.marks.draw(&mut image);
        Ok(met.then_some(image))
    }

    /// What the asset holds at a point (degrees).
    ///
    /// # Errors
    /// A damaged or missing file.
    pub fn sample(&self, asset: &RasterAsset<'_>, lon: f64, lat: f64) -> Result<Sample> {
        self.reading(asset, |raster| self.value_at(raster, asset, lon, lat))
    }

    fn value_at(&self, raster: &OpenRaster, asset: &RasterAsset<'_>, lon: f64, lat: f64) -> Result<Sample> {
        let approach = raster.approach(Crs::WGS84)?;
        let cell = approach
            .transform
            .point(lon, lat)
            .and_then(|(x, y)| raster.cog.grid().cell(x, y));
        let (Some((column, row)), Some(level)) = (cell, raster.cog.levels().first()) else {
            return Ok(Sample::Outside);
        };
        let key = BlockKey {
            file: raster.number,
            level: 0,
            band: asset.band(),
            column: column / level.block_width,
            row: row / level.block_height,
        };
        let block = self.blocks.block(&raster.cog, key)?;
        let place = (row % level.block_height) * level.block_width + column % level.block_width;
        let nodata = asset.asset.nodata.or(raster.cog.nodata());
        Ok(match block.value(place) {
            Some(stored) if Some(stored) != nodata && !stored.is_nan() => {
                Sample::Value(stored * asset.asset.scale + asset.asset.offset)
            }
            _ => Sample::NoData,
        })
    }

    /// Reads from a file that stays open between requests. One that cannot be read is closed, so that the next request
    /// opens what lies there then: it may have been brought back.
    fn reading<T>(&self, asset: &RasterAsset<'_>, read: impl FnOnce(&OpenRaster) -> Result<T>) -> Result<T> {
        let raster = self.open(asset)?;
        let result = read(&raster);
        if result.is_err() {
            self.files.invalidate(&asset.key());
        }
        result
    }

    fn open(&self, asset: &RasterAsset<'_>) -> Result<Arc<OpenRaster>> {
        let raster = self
            .files
            .try_get_with(asset.key(), || {
                Ok::<_, Error>(Arc::new(OpenRaster {
                    number: self.opened.fetch_add(1, Ordering::Relaxed),
                    cog: Cog::over(asset.assets.open_object(asset.asset)?)?,
                    approaches: RwLock::default(),
                }))
            })
            .map_err(|error| shared(&error))?;
        let bands = raster.cog.bands();
        if asset.band() >= bands {
            return Err(Error::raster(
                raster.cog.path(),
                format!("band {} asked, the file has {bands}", asset.band() + 1),
            ));
        }
        Ok(raster)
    }

    fn compiled(&self, asset: &RasterAsset<'_>, style: &Style, cog: &Cog) -> Result<Arc<CompiledStyle>> {
        let stored = Stored {
            data_type: cog.data_type(),
            scale: asset.asset.scale,
            offset: asset.asset.offset,
            nodata: asset.asset.nodata.or(cog.nodata()),
        };
        let key = StyleKey {
            id: style.id.clone(),
            version: style.version.clone(),
            data_type: stored.data_type,
            scale: stored.scale.to_bits(),
            offset: stored.offset.to_bits(),
            nodata: stored.nodata.map(f64::to_bits),
        };
        self.styles
            .try_get_with(key, || CompiledStyle::new(style, stored).map(Arc::new))
            .map_err(|error| shared(&error))
    }
}

/// A window cut into squares of [`CHUNK`].
fn chunks(window: Window) -> impl Iterator<Item = Window> {
    let columns = (0..window.width).step_by(CHUNK);
    (0..window.height).step_by(CHUNK).flat_map(move |row| {
        columns.clone().map(move |column| Window {
            column: window.column + column,
            row: window.row + row,
            width: CHUNK.min(window.width - column),
            height: CHUNK.min(window.height - row),
        })
    })
}

/// A picture being drawn.
struct Picture<'a> {
    blocks: &'a BlockCache,
    raster: &'a OpenRaster,
    transform: &'a Transform,
    style: &'a CompiledStyle,
    /// From 0.
    band: usize,
    level: usize,
    /// The grid of the level.
    source: Grid,
    target: &'a Grid,
    indices: Vec<u8>,
}

impl Picture<'_> {
    /// Draws one window; true when it met data.
    fn draw(&mut self, window: Window) -> Result<bool> {
        let lattice = Lattice::new(self.transform, self.target, window, &self.source);
        let Some(needed) = lattice
            .extent()
            .and_then(|extent| patch::Needed::new(extent, &self.source))
        else {
            return Ok(false);
        };
        let too_big = needed.width * needed.height > MAX_PATCH_PIXELS
            || needed.width.max(needed.height) > warp::MAX_PATCH_SIDE;
        if too_big && window.width.max(window.height) > 1 {
            let mut met = false;
            for quarter in quarters(window) {
                met |= self.draw(quarter)?;
            }
            return Ok(met);
        }
        match (&self.style.lookup, self.style.stored.data_type) {
            (Lookup::U8(table), _) => self.fill::<u8>(window, &lattice, &needed, |v| table[usize::from(v)]),
            (Lookup::Sixteen(table), DataType::I16) => {
                self.fill::<i16>(window, &lattice, &needed, |v| table[usize::from(v as u16)])
            }
            (Lookup::Sixteen(table), _) => {
                self.fill::<u16>(window, &lattice, &needed, |v| table[usize::from(v)])
            }
            (Lookup::Float(_), _) => {
                let style = self.style;
                self.fill::<f32>(window, &lattice, &needed, |v| style.float_index(f64::from(v)))
            }
        }
    }

    fn fill<T: Blend>(
        &mut self,
        window: Window,
        lattice: &Lattice,
        needed: &patch::Needed,
        index: impl Fn(T) -> u8,
    ) -> Result<bool> {
        let patch = needed.patch::<T>(&self.raster.cog, self.level, |column, row| {
            let key = BlockKey {
                file: self.raster.number,
                level: self.level,
                band: self.band,
                column,
                row,
            };
            self.blocks.block(&self.raster.cog, key)
        })?;
        let mut canvas = Canvas {
            indices: &mut self.indices,
            stride: self.target.width,
            window,
        };
        let resampling = self.style.resampling;
        // only NaN differs from itself
        #[expect(clippy::eq_op, reason = "tells NaN without a bound on the pixel type")]
        let is_number = |v: T| v == v;
        // a "no data" the type cannot hold is in no pixel
        let nodata = self
            .style
            .stored
            .nodata
            .map(|v| (v, T::from_f64(v)))
            .filter(|(v, held)| held.to_f64() == *v);
        Ok(match nodata {
            Some((_, nodata)) => warp::draw(&mut canvas, lattice, &patch, resampling, index, |v| {
                v != nodata && is_number(v)
            }),
            None => warp::draw(&mut canvas, lattice, &patch, resampling, index, is_number),
        })
    }
}

/// A window cut in up to four parts.
fn quarters(window: Window) -> impl Iterator<Item = Window> {
    let (left, top) = (window.width.div_ceil(2), window.height.div_ceil(2));
    [
        (0, 0, left, top),
        (left, 0, window.width - left, top),
        (0, top, left, window.height - top),
    ]
    .into_iter()
    .chain([(left, top, window.width - left, window.height - top)])
    .filter(|(.., width, height)| *width > 0 && *height > 0)
    .map(move |(x, y, width, height)| Window {
        column: window.column + x,
        row: window.row + y,
        width,
        height,
    })
}
