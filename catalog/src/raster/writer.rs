//! Writing: rows come in from the top, whole strips of blocks are compressed in parallel and spooled, overviews grow along.

use super::assemble::{self, Stored};
use super::{DataType, Pixel, Pixels, codec, overview};
use crate::{Error, Grid, Result};
use rayon::prelude::*;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// The most frequent valid one of 2 x 2 pixels, of equally frequent ones the first (upper left to lower right): for classes.
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

/// One level while it is written.
#[derive(Debug)]
struct LevelWriter {
    width: usize,
    height: usize,
    /// Rows already spooled.
    done: usize,
    /// Rows that do not make a strip yet.
    pending: Pixels,
    /// Compressed blocks that are not in the spool yet: they are written while the next strip is compressed.
    ready: Vec<Vec<u8>>,
    spool: File,
    stored: Stored,
}

/// Writes a single-band COG top down, strip by strip, with bounded memory.
///
/// Nothing exists at the path before [`CogWriter::finish`]; until then the compressed blocks lie in nameless files of the
/// same folder, which vanish with the writer however it ends.
#[derive(Debug)]
pub struct CogWriter {
    path: PathBuf,
    profile: CogProfile,
    levels: Vec<LevelWriter>,
}

impl CogWriter {
    /// Starts a file at `path` (spools for the levels lie beside it and are removed).
    ///
    /// # Errors
    /// [`Error::Invalid`] when the profile makes no sense, [`Error::Io`] when the folder is not writable.
    pub fn create(path: &Path, profile: CogProfile) -> Result<Self> {
        let CogProfile { grid, block, .. } = profile;
        if block == 0 || block % 16 != 0 || block > 8192 {
            return Err(Error::Invalid(format!(
                "a block of {block} pixels; use a multiple of 16 up to 8192"
            )));
        }
        let sane = |side: usize| (1..=1 << 31).contains(&side);
        if !sane(grid.width) || !sane(grid.height) {
            return Err(Error::Invalid(format!(
                "a raster of {} x {} pixels",
                grid.width, grid.height
            )));
        }
        let mut sizes = vec![(grid.width, grid.height)];
        while let Some(&(width, height)) = sizes.last()
            && profile.overviews != Overviews::None
            && (width > block || height > block)
        {
            sizes.push((width.div_ceil(2), height.div_ceil(2)));
        }
        let levels = sizes
            .into_iter()
            .map(|(width, height)| LevelWriter::new(path, &profile, width, height));
        let levels = levels.collect::<Result<_>>()?;
        Ok(Self {
            path: path.to_path_buf(),
            profile,
            levels,
        })
    }

    /// Appends full rows (any number of them, a multiple of the grid's width in pixels).
    ///
    /// Whole strips of `block` rows are taken without a copy when they begin at a strip.
    pub fn write_rows<T: Pixel>(&mut self, rows: &[T]) -> Result<()> {
        if T::DATA_TYPE != self.profile.data_type {
            let (have, want) = (T::DATA_TYPE, self.profile.data_type);
            return Err(Error::raster(
                &self.path,
                format!("takes {want} pixels, not {have}"),
            ));
        }
        let (width, height) = (self.levels[0].width, self.levels[0].height);
        let level = &self.levels[0];
        let left = (height - level.done) * width - level.pending.len();
        if !rows.len().is_multiple_of(width) || rows.len() > left {
            let have = rows.len();
            return Err(Error::raster(
                &self.path,
                format!("{have} pixels are not rows of {width}, or too many"),
            ));
        }
        let mut rows = rows;
        while !rows.is_empty() {
            let strip = self.levels[0].strip_rows(self.profile.block) * width;
            let pending = self.levels[0].pending.len();
            if pending == 0 && rows.len() >= strip {
                let (whole, rest) = rows.split_at(strip);
                self.strip(0, whole)?;
                rows = rest;
                continue;
            }
            let (part, rest) = rows.split_at(rows.len().min(strip - pending));
            T::vec_mut(&mut self.levels[0].pending)
                .ok_or_else(wrong_type)?
                .extend_from_slice(part);
            rows = rest;
            self.flush_pending::<T>(0)?;
        }
        Ok(())
    }

    /// Assembles the file: header and IFDs first, then overviews from the coarsest, then full resolution.
    pub fn finish(self) -> Result<()> {
        let level = &self.levels[0];
        if level.done != level.height {
            let have = level.done + level.pending.len() / level.width;
            return Err(Error::raster(
                &self.path,
                format!("has only {have} of its {} rows", level.height),
            ));
        }
        for level in &self.levels {
            spool(&level.spool, &level.ready).map_err(|e| Error::io(&self.path, e))?;
        }
        let spools = self
            .levels
            .into_iter()
            .map(|level| (level.stored, level.spool))
            .collect();
        let result = assemble::write(&self.path, &self.profile, spools);
        if result.is_err() {
            // best effort: the error that matters is the first one
            let _ = std::fs::remove_file(&self.path);
        }
        result
    }

    /// Hands the pending rows of a level on when they make a strip.
    fn flush_pending<T: Pixel>(&mut self, index: usize) -> Result<()> {
        let level = &mut self.levels[index];
        if level.pending.len() < level.strip_rows(self.profile.block) * level.width {
            return Ok(());
        }
        let mut pending = std::mem::replace(&mut level.pending, Pixels::empty(T::DATA_TYPE));
        let rows = T::vec_mut(&mut pending).ok_or_else(wrong_type)?;
        self.strip(index, rows)?;
        // keeps the buffer for the next strip
        rows.clear();
        self.levels[index].pending = pending;
        Ok(())
    }

    /// Compresses one strip of a level and folds it into the next one.
    fn strip<T: Pixel>(&mut self, index: usize, rows: &[T]) -> Result<()> {
        let (finer, coarser) = self.levels.split_at_mut(index + 1);
        let level = &mut finer[index];
        let profile = &self.profile;
        let nodata = profile.nodata.map(T::from_f64);
        let ready = std::mem::take(&mut level.ready);
        let write = || spool(&level.spool, &ready);
        let compress = || compress(profile, level.width, rows);
        let halve = || -> Result<()> {
            let Some(next) = coarser.first_mut() else {
                return Ok(());
            };
            let out = T::vec_mut(&mut next.pending).ok_or_else(wrong_type)?;
            overview::halve(rows, level.width, profile.overviews, nodata, out);
            Ok(())
        };
        let (written, (blocks, halved)) = rayon::join(write, || rayon::join(compress, halve));
        written.map_err(|e| Error::io(&self.path, e))?;
        halved?;
        level.take(blocks.map_err(|reason| Error::raster(&self.path, reason))?);
        level.done += rows.len() / level.width;
        if self.levels.len() > index + 1 {
            self.flush_pending::<T>(index + 1)?;
        }
        Ok(())
    }
}

fn wrong_type() -> Error {
    Error::Invalid("a strip of another pixel type".into())
}

impl LevelWriter {
    fn new(path: &Path, profile: &CogProfile, width: usize, height: usize) -> Result<Self> {
        let stored = Stored {
            width,
            height,
            places: Vec::new(),
            bytes: 0,
        };
        let pending = Pixels::empty(profile.data_type);
        Ok(Self {
            width,
            height,
            done: 0,
            pending,
            ready: Vec::new(),
            spool: nameless(path)?,
            stored,
        })
    }

    /// Rows of the strip that is being filled.
    fn strip_rows(&self, block: usize) -> usize {
        block.min(self.height - self.done)
    }

    /// Notes where the blocks will lie in the spool; empty ones (sparse) take no room.
    fn take(&mut self, blocks: Vec<Vec<u8>>) {
        for block in &blocks {
            let place = match block.len().checked_sub(codec::FRAME_BYTES) {
                Some(size) => (self.stored.bytes + 4, size as u32),
                None => (0, 0),
            };
            self.stored.places.push(place);
            self.stored.bytes += block.len() as u64;
        }
        self.ready = blocks;
    }
}

fn spool(mut file: &File, blocks: &[Vec<u8>]) -> std::io::Result<()> {
    blocks.iter().try_for_each(|block| file.write_all(block))
}

/// The compressed blocks of a strip from left to right; a block of nodata only is empty (sparse).
fn compress<T: Pixel>(profile: &CogProfile, width: usize, rows: &[T]) -> Result<Vec<Vec<u8>>, String> {
    let block = profile.block;
    // without declared nodata a sparse block reads as 0, so only blocks of 0 may be left out
    let empty = profile.nodata.map_or(T::default(), T::from_f64);
    let is_empty = |value: T| value == empty || (value.is_nan() && empty.is_nan());
    let predictor = assemble::predictor(profile.data_type);
    let row_bytes = block * T::DATA_TYPE.bytes();
    let compress = |column: usize| -> Result<Vec<u8>, String> {
        let range = column * block..width.min((column + 1) * block);
        let lines = || rows.chunks_exact(width).map(|line| &line[range.clone()]);
        if lines().all(|line| line.iter().all(|&value| is_empty(value))) {
            return Ok(Vec::new());
        }
        codec::encode(profile.compression, row_bytes * block, |out| {
            let mut planes = Vec::new();
            let mut padded = vec![empty; block];
            let mut lines = lines();
            for out in out.chunks_exact_mut(row_bytes) {
                let line = lines.next().unwrap_or(&[]);
                if line.len() == block {
                    T::pack(line, predictor == 2, out);
                } else {
                    padded[..line.len()].copy_from_slice(line);
                    padded[line.len()..].fill(empty);
                    T::pack(&padded, predictor == 2, out);
                }
                if predictor == 3 {
                    codec::predict_float(out, &mut planes);
                }
            }
        })
    };
    (0..width.div_ceil(block)).into_par_iter().map(compress).collect()
}

/// A file beside `path` whose name is gone as soon as it is open: the system frees it when it is closed, even after a kill.
fn nameless(path: &Path) -> Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let spool = path.with_file_name(format!(".{name}.{}-{number}.spool", std::process::id()));
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&spool);
    let file = opened.map_err(|e| Error::io(&spool, e))?;
    std::fs::remove_file(&spool).map_err(|e| Error::io(&spool, e))?;
    Ok(file)
}
