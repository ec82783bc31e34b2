//! Reading.

use super::codec::{self, BlockFault};
use super::header::{Header, Predictor};
use super::pixels::RowLayout;
use super::tiff::Tiff;
use super::{DataType, Pixel, Pixels};
use crate::object::{ObjectFile, ReadAt};
use crate::{Error, Grid, Result, Window};
use rayon::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// An opened GeoTIFF: parsed header and an open file, shareable between threads.
#[derive(Debug)]
pub struct Cog {
    tiff: Tiff,
    header: Header,
}

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

impl Level {
    /// Number of block columns.
    pub fn block_columns(&self) -> usize {
        self.width.div_ceil(self.block_width)
    }

    /// Number of block rows.
    pub fn block_rows(&self) -> usize {
        self.height.div_ceil(self.block_height)
    }
}

/// The rows of one block that fall into a window.
struct Part<'a, T> {
    column: usize,
    row: usize,
    /// First column and row wanted within the block.
    skip: (usize, usize),
    rows: Vec<&'a mut [T]>,
}

impl Cog {
    /// Opens and checks a file as it is, one of the user's; see [`Cog::over`].
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, and what [`Cog::over`] says.
    pub fn open(path: &Path) -> Result<Self> {
        Self::over(Arc::new(ObjectFile::open(path)?))
    }

    /// Checks an open file; every offset is checked against the file's size.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read; [`Error::Damaged`] when it is another than was written; [`Error::Raster`] when it is damaged or of a kind not read here (other
    /// pixel types, LZW and lossy compressions, rotated or without EPSG code).
    pub fn over(source: Arc<dyn ReadAt>) -> Result<Self> {
        let (tiff, directories) = Tiff::read(source)?;
        let header = Header::read(&tiff, &directories)?;
        Ok(Self { tiff, header })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        self.tiff.path()
    }

    /// Full-resolution grid.
    pub fn grid(&self) -> &Grid {
        &self.header.grid
    }

    /// Resolutions, finest first.
    pub fn levels(&self) -> &[Level] {
        &self.header.levels
    }

    /// The grid of a level (its cells are wider by width0/widthN); the coarsest level's for a number too large.
    pub fn level_grid(&self, level: usize) -> Grid {
        let full = self.header.grid;
        let Some(own) = self.header.levels.get(level.min(self.header.levels.len() - 1)) else {
            return full;
        };
        Grid {
            cell_width: full.cell_width * full.width as f64 / own.width as f64,
            cell_height: full.cell_height * full.height as f64 / own.height as f64,
            width: own.width,
            height: own.height,
            ..full
        }
    }

    /// Pixel type.
    pub fn data_type(&self) -> DataType {
        self.header.data_type
    }

    /// Samples a pixel (bands).
    pub fn bands(&self) -> usize {
        self.header.bands
    }

    /// Stored nodata value (GDAL_NODATA tag).
    pub fn nodata(&self) -> Option<f64> {
        self.header.nodata
    }

    /// True when a mask in the file or an alpha band hides cells, which is not read here.
    pub fn has_hidden_cells(&self) -> bool {
        self.header.hidden
    }

    /// GDAL scale and offset of a band (from 0) when the file carries them; (1, 0) otherwise.
    pub fn scale_offset(&self, band: usize) -> (f64, f64) {
        let number = |role: &str| {
            let mut items = self.header.items.iter();
            let item =
                items.find(|item| item.sample == Some(band) && item.role.eq_ignore_ascii_case(role))?;
            item.value.trim().parse().ok()
        };
        (number("scale").unwrap_or(1.0), number("offset").unwrap_or(0.0))
    }

    /// A metadata item of the whole file in GDAL's default domain, such as `BOA_ADD_OFFSET`.
    pub fn metadata(&self, name: &str) -> Option<&str> {
        let mut items = self.header.items.iter();
        let item = items.find(|i| i.sample.is_none() && i.domain.is_empty() && i.name == name)?;
        Some(&item.value)
    }

    /// A metadata item of a band (from 0); its description is called `DESCRIPTION`.
    pub fn band_metadata(&self, band: usize, name: &str) -> Option<&str> {
        let mut items = self.header.items.iter();
        let item = items.find(|i| i.sample == Some(band) && i.domain.is_empty() && i.name == name)?;
        Some(&item.value)
    }

    /// Bytes of a decoded block of one band at a level: what a cache of blocks pays for each.
    pub fn block_bytes(&self, level: usize) -> usize {
        let bytes = self.data_type().bytes();
        self.header
            .levels
            .get(level)
            .map_or(0, |level| level.block_width * level.block_height * bytes)
    }

    /// Decodes one whole block of one band (from 0): `block_width * block_height` pixels, padding included; a block without
    /// bytes (sparse) is all nodata (0 when there is none).
    pub fn read_block(&self, level: usize, band: usize, column: usize, row: usize) -> Result<Pixels> {
        match self.data_type() {
            DataType::U8 => self.block::<u8>(level, band, column, row).map(Pixels::U8),
            DataType::I16 => self.block::<i16>(level, band, column, row).map(Pixels::I16),
            DataType::U16 => self.block::<u16>(level, band, column, row).map(Pixels::U16),
            DataType::F32 => self.block::<f32>(level, band, column, row).map(Pixels::F32),
        }
    }

    /// Like [`Cog::read_block`], into a buffer that is kept from block to block; its length is set.
    pub fn read_block_into<T: Pixel>(
        &self,
        level: usize,
        band: usize,
        column: usize,
        row: usize,
        out: &mut Vec<T>,
    ) -> Result<()> {
        let own = self.level(level, band)?;
        self.check_type::<T>()?;
        if column >= own.block_columns() || row >= own.block_rows() {
            return Err(self
                .tiff
                .bad(format!("has no block {column}, {row} at level {level}")));
        }
        out.resize(own.block_width * own.block_height, T::default());
        let rows = out.chunks_exact_mut(own.block_width).collect();
        self.fill(
            level,
            band,
            Part {
                column,
                row,
                skip: (0, 0),
                rows,
            },
        )
    }

    /// Reads a window of one band at a level, blocks in parallel (rayon); the window must lie inside the level.
    pub fn read_window<T: Pixel>(&self, level: usize, band: usize, window: Window) -> Result<Vec<T>> {
        self.check_window(level, band, window)?;
        let mut out = vec![T::default(); window.width * window.height];
        self.read_window_into(level, band, window, &mut out)?;
        Ok(out)
    }

    /// Like [`Cog::read_window`], into a buffer of the window's size.
    pub fn read_window_into<T: Pixel>(
        &self,
        level: usize,
        band: usize,
        window: Window,
        out: &mut [T],
    ) -> Result<()> {
        let own = self.check_window(level, band, window)?;
        self.check_type::<T>()?;
        if out.len() != window.width * window.height {
            return Err(Error::Invalid(format!(
                "a buffer of {} pixels does not fit {window:?}",
                out.len()
            )));
        }
        if out.is_empty() {
            return Ok(());
        }
        let mut parts = parts(own, window, out);
        if parts.len() == 1 {
            return parts.pop().map_or(Ok(()), |part| self.fill(level, band, part));
        }
        parts
            .into_par_iter()
            .try_for_each(|part| self.fill(level, band, part))
    }

    fn block<T: Pixel>(&self, level: usize, band: usize, column: usize, row: usize) -> Result<Vec<T>> {
        let mut out = Vec::new();
        self.read_block_into(level, band, column, row, &mut out)?;
        Ok(out)
    }

    fn level(&self, level: usize, band: usize) -> Result<Level> {
        if band >= self.header.bands {
            return Err(self.tiff.bad(format!(
                "has no band {band} (from 0); it has {}",
                self.header.bands
            )));
        }
        let levels = &self.header.levels;
        let own = levels.get(level).copied();
        own.ok_or_else(|| {
            self.tiff
                .bad(format!("has no level {level} (from 0); it has {}", levels.len()))
        })
    }

    fn check_type<T: Pixel>(&self) -> Result<()> {
        if T::DATA_TYPE == self.header.data_type {
            return Ok(());
        }
        Err(self.tiff.bad(format!(
            "holds {} pixels, not {}",
            self.header.data_type,
            T::DATA_TYPE
        )))
    }

    fn check_window(&self, level: usize, band: usize, window: Window) -> Result<Level> {
        let own = self.level(level, band)?;
        let ends = (
            window.column.checked_add(window.width),
            window.row.checked_add(window.height),
        );
        match ends {
            (Some(right), Some(bottom)) if right <= own.width && bottom <= own.height => Ok(own),
            _ => Err(self.tiff.bad(format!(
                "{window:?} does not lie in level {level} of {} x {} pixels",
                own.width, own.height
            ))),
        }
    }

    /// Decodes a block and writes the wanted part of it; column and row have been checked.
    fn fill<T: Pixel>(&self, level: usize, band: usize, part: Part<'_, T>) -> Result<()> {
        let own = &self.header.levels[level];
        let blocks = &self.header.blocks[level];
        let plane = if blocks.planar {
            band * blocks.columns * blocks.rows
        } else {
            0
        };
        let place = blocks.places[plane + part.row * blocks.columns + part.column];
        let empty = self.header.nodata.map_or(T::default(), T::from_f64);
        if place.bytes == 0 {
            part.rows.into_iter().for_each(|row| row.fill(empty));
            return Ok(());
        }
        let samples = if blocks.planar { 1 } else { self.header.bands };
        // the last strip ends with the picture; tiles are always whole
        let stored_rows = if blocks.tiled {
            own.block_height
        } else {
            own.block_height.min(own.height - part.row * own.block_height)
        };
        let row_bytes = own.block_width * samples * T::DATA_TYPE.bytes();
        let layout = RowLayout {
            samples,
            sample: if blocks.planar { 0 } else { band },
            big_endian: self.tiff.big_endian && blocks.predictor != Predictor::Float,
            difference: blocks.predictor == Predictor::Difference,
        };
        let (column, row) = (part.column, part.row);
        let unpack = |decoded: &[u8]| {
            let (mut planes, mut floats, mut whole) = (Vec::new(), Vec::new(), Vec::new());
            let mut stored = decoded.chunks_exact(row_bytes).skip(part.skip.1);
            for out in part.rows {
                let Some(mut bytes) = stored.next() else {
                    out.fill(empty);
                    continue;
                };
                if blocks.predictor == Predictor::Float {
                    codec::unpredict_float(bytes, samples, &mut planes, &mut floats);
                    bytes = &floats;
                }
                if part.skip.0 == 0 {
                    T::unpack(bytes, layout, out);
                } else {
                    whole.resize(part.skip.0 + out.len(), T::default());
                    T::unpack(bytes, layout, &mut whole);
                    out.copy_from_slice(&whole[part.skip.0..]);
                }
            }
        };
        let length = row_bytes * stored_rows;
        codec::decode(
            self.tiff.source.as_ref(),
            place.offset,
            place.bytes as usize,
            blocks.codec,
            length,
            unpack,
        )
        .map_err(|fault| match fault {
            BlockFault::Read(error) => error,
            BlockFault::Content(reason) => self
                .tiff
                .bad(format!("block {column}, {row} of level {level}: {reason}")),
        })
    }
}

/// Cuts a buffer into the parts that single blocks fill.
fn parts<T>(level: Level, window: Window, out: &mut [T]) -> Vec<Part<'_, T>> {
    let (bw, bh) = (level.block_width, level.block_height);
    let (first, last) = (window.column / bw, (window.column + window.width - 1) / bw);
    let mut parts: Vec<Part<'_, T>> = Vec::new();
    for (index, line) in out.chunks_exact_mut(window.width).enumerate() {
        let y = window.row + index;
        if index == 0 || y.is_multiple_of(bh) {
            parts.extend((first..=last).map(|column| {
                let skip = (window.column.saturating_sub(column * bw), y % bh);
                Part {
                    column,
                    row: y / bh,
                    skip,
                    rows: Vec::with_capacity(bh.min(window.height)),
                }
            }));
        }
        let open = parts.len() - (last - first + 1);
        let mut rest = line;
        for part in &mut parts[open..] {
            let width = (bw - part.skip.0).min(rest.len());
            let (piece, after) = rest.split_at_mut(width);
            part.rows.push(piece);
            rest = after;
        }
    }
    parts
}
