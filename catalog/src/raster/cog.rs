//! Reading.
use super::{DataType, Pixel, Pixels};
use crate::{Grid, Result, Window};
use std::path::Path;

/// An opened GeoTIFF: parsed header and an open file, shareable between threads.
#[derive(Debug)]
pub struct Cog {}

/// One resolution of a file: 0 is full, then the overviews, finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Columns of a block (the last ones stick out).
    pub block_width: usize,
    /// Rows of a block.
    pub block_height: usize,
}

#[expect(unused_variables, clippy::todo, reason = "signatures first")]
impl Cog {
    /// Opens and checks a file; every offset is checked against the file's size.
    pub fn open(path: &Path) -> Result<Self> { todo!() }
    /// Full-resolution grid.
    pub fn grid(&self) -> &Grid { todo!() }
    /// Resolutions, finest first.
    pub fn levels(&self) -> &[Level] { todo!() }
    /// The grid of a level (its cells are wider by width0/widthN).
    pub fn level_grid(&self, level: usize) -> Grid { todo!() }
    /// Pixel type.
    pub fn data_type(&self) -> DataType { todo!() }
    /// Samples a pixel (bands).
    pub fn bands(&self) -> usize { todo!() }
    /// Stored nodata value (GDAL_NODATA tag).
    pub fn nodata(&self) -> Option<f64> { todo!() }
    /// GDAL scale and offset of a band (from 0) when the file carries them; (1, 0) otherwise.
    pub fn scale_offset(&self, band: usize) -> (f64, f64) { todo!() }
    /// Decodes one whole block of one band (from 0): `block_width * block_height` pixels, padding included; a block without
    /// bytes (sparse) is all nodata (0 when there is none).
    pub fn read_block(&self, level: usize, band: usize, column: usize, row: usize) -> Result<Pixels> { todo!() }
    /// Reads a window of one band at a level, blocks in parallel (rayon); the window must lie inside the level.
    pub fn read_window<T: Pixel>(&self, level: usize, band: usize, window: Window) -> Result<Vec<T>> { todo!() }
}
