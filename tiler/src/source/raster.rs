//! Pictures and values from the rasters of the catalogue.

use crate::encode::IndexedImage;
use crate::style::Style;
use sen_catalog::{Asset, Grid, Result};
use std::path::Path;

/// Names the pixels of one asset and how they become physical values.
#[derive(Clone, Copy, Debug)]
pub struct RasterAsset<'a> {
    /// The file.
    pub path: &'a Path,
    /// Changes when the file's content does: its checksum.
    pub version: &'a str,
    /// Band of the file, from 1.
    pub band: usize,
    /// Physical value = stored * scale + offset.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Stored value without data; the file's own when `None`.
    pub nodata: Option<f64>,
}

impl<'a> RasterAsset<'a> {
    /// An asset of the catalogue whose file lies at `path`.
    pub fn new(path: &'a Path, asset: &'a Asset) -> Self {
        Self {
            path,
            version: asset.sha256.as_deref().unwrap_or(""),
            band: asset.band_index,
            scale: asset.scale,
            offset: asset.offset,
            nodata: asset.nodata,
        }
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

/// Opened rasters and decoded blocks, shared by all requests. Work is synchronous: call it off the reactor.
#[derive(Debug)]
pub struct RasterSource {}

#[expect(unused_variables, clippy::todo, reason = "signatures first")]
impl RasterSource {
    /// A source that keeps at most `block_cache_bytes` of decoded blocks (0: none).
    pub fn new(block_cache_bytes: u64) -> Self {
        todo!()
    }

    /// The asset warped onto the cells of `target` (a tile or any picture up to 4096 x 4096) as palette indices;
    /// `None` when no cell of the target meets data.
    pub fn render(&self, asset: &RasterAsset<'_>, style: &Style, target: &Grid) -> Result<Option<IndexedImage>> {
        todo!()
    }

    /// What the asset holds at a point (degrees).
    pub fn sample(&self, asset: &RasterAsset<'_>, lon: f64, lat: f64) -> Result<Sample> {
        todo!()
    }
}
