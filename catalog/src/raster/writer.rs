//! Writing.
use super::{DataType, Pixel};
use crate::{Grid, Result};
use std::path::Path;

/// Block compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// ZSTD (TIFF 50000) at this level.
    Zstd(i32),
    /// Deflate (TIFF 8) at this libdeflate level.
    Deflate(i32),
}

/// How overviews are made from the level below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overviews {
    /// Mean of the valid ones of 2 x 2 pixels, rounded half away from zero for integers; nodata only when none is valid.
    Average,
    /// The upper left pixel: for classes. // TODO in the implementation: mode with ties to the upper left
    Mode,
    /// None at all.
    None,
}

/// What a file shall be like.
#[derive(Clone, Debug)]
pub struct CogProfile {
    /// Full-resolution grid.
    pub grid: Grid,
    /// Pixel type.
    pub data_type: DataType,
    /// Stored nodata.
    pub nodata: Option<f64>,
    /// GDAL scale and offset metadata; (1, 0) is left out.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// Compression of the blocks; predictor 2 for integers of 2 bytes, 3 for floats, 1 for classes.
    pub compression: Compression,
    /// Rows and columns of a block; a multiple of 16.
    pub block: usize,
    /// Overviews.
    pub overviews: Overviews,
    /// GDAL band description, may be empty.
    pub description: String,
}

/// Writes a single-band COG top down, strip by strip, with bounded memory.
#[derive(Debug)]
pub struct CogWriter {}

#[expect(unused_variables, clippy::todo, clippy::needless_pass_by_value, reason = "signatures first")]
impl CogWriter {
    /// Starts a file at `path` (spools for the levels lie beside it and are removed).
    pub fn create(path: &Path, profile: CogProfile) -> Result<Self> { todo!() }
    /// Appends full rows (any number of them, a multiple of the grid's width in pixels).
    pub fn write_rows<T: Pixel>(&mut self, rows: &[T]) -> Result<()> { todo!() }
    /// Assembles the file: header and IFDs first, then overviews from the coarsest, then full resolution.
    pub fn finish(self) -> Result<()> { todo!() }
}
