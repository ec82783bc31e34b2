//! What hides cells of a file besides its nodata value: a mask inside it, an alpha band, and what lies beside it, a mask
//! (`a.tif.msk`) and what GDAL wrote down of it (`a.tif.aux.xml`: nodata, scale, place).

use super::read_window;
use crate::{Error, Result};
use gdal::errors::GdalError;
use gdal::raster::ColorInterpretation;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use quick_xml::Reader;
use quick_xml::events::Event;
use sen_catalog::Window;
use std::path::{Path, PathBuf};

/// Ends the name of a mask beside a raster.
const MASK: &str = ".msk";
/// Ends the name of GDAL's notes beside a raster.
const NOTES: &str = ".aux.xml";
/// Larger notes are refused: they hold some lines a band, and a histogram at most.
const MOST_NOTES_BYTES: u64 = 16 << 20;

/// The files beside a local raster that change how its pixels are read.
pub fn sidecars(raster: &Path) -> Vec<PathBuf> {
    let Some(name) = raster.file_name() else {
        return Vec::new();
    };
    let beside = [MASK, NOTES].into_iter().map(|ending| {
        let mut name = name.to_os_string();
        name.push(ending);
        raster.with_file_name(name)
    });
    beside.filter(|path| path.is_file()).collect()
}

/// Looks whether the files beside a raster of this size can be read: GDAL passes over those that cannot.
///
/// # Errors
/// Names the file that is no mask of the raster, or no XML.
pub(super) fn check_sidecars(sidecars: &[PathBuf], size: (usize, usize)) -> Result<()> {
    for path in sidecars {
        if path.to_string_lossy().ends_with(MASK) {
            check_mask(path, size)?;
        } else {
            check_notes(path)?;
        }
    }
    Ok(())
}

fn check_mask(path: &Path, size: (usize, usize)) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_READONLY | GdalOpenFlags::GDAL_OF_RASTER,
        // another format could name files that nobody meant
        allowed_drivers: Some(&["GTiff"]),
        sibling_files: Some(&[&name]),
        ..DatasetOptions::default()
    };
    let mask = Dataset::open_ex(path, options).map_err(|_| {
        Error::unreadable(
            path.display(),
            "is the mask of the raster beside it and cannot be read; mend it, or take it away if nothing is hidden",
        )
    })?;
    if mask.raster_size() == size {
        return Ok(());
    }
    let (width, height) = mask.raster_size();
    Err(Error::unreadable(
        path.display(),
        format!(
            "has {width} x {height} pixels, the raster it is the mask of {} x {}",
            size.0, size.1
        ),
    ))
}

fn check_notes(path: &Path) -> Result<()> {
    let wrong = |why: String| Error::unreadable(path.display(), format!("{why}; mend it or take it away"));
    let bytes = std::fs::metadata(path)
        .map_err(|error| Error::io(path, error))?
        .len();
    if bytes > MOST_NOTES_BYTES {
        return Err(wrong(format!(
            "has {bytes} bytes, more than notes on a raster need"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let mut reader = Reader::from_str(&text);
    let (mut depth, mut elements) = (0_usize, 0_usize);
    loop {
        match reader.read_event() {
            Ok(Event::Start(_)) => (depth, elements) = (depth + 1, elements + 1),
            Ok(Event::Empty(_)) => elements += 1,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) if depth == 0 && elements > 0 => return Ok(()),
            Ok(Event::Eof) => return Err(wrong("is cut short".to_owned())),
            Ok(_) => {}
            Err(error) => return Err(wrong(format!("is not whole XML: {error}"))),
        }
    }
}

/// The alpha band of a file, from 1.
pub(super) fn alpha(dataset: &Dataset) -> Option<usize> {
    (1..=dataset.raster_count()).find(|&index| {
        dataset
            .rasterband(index)
            .is_ok_and(|band| band.color_interpretation() == ColorInterpretation::AlphaBand)
    })
}

/// What hides cells of a band besides its nodata value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    Nothing,
    /// A band of the same file: cells are hidden where it is 0.
    Alpha(usize),
    /// A mask for all bands, inside the file or beside it.
    Shared,
    /// A mask for this band alone.
    Own,
}

impl Mask {
    pub(super) fn of(dataset: &Dataset, band_index: usize) -> Result<Self, GdalError> {
        if let Some(alpha) = alpha(dataset).filter(|&alpha| alpha != band_index) {
            return Ok(Self::Alpha(alpha));
        }
        let flags = dataset.rasterband(band_index)?.mask_flags()?;
        Ok(if flags.is_per_dataset() {
            Self::Shared
        } else if flags.is_all_valid() || flags.is_nodata() {
            Self::Nothing
        } else {
            Self::Own
        })
    }

    /// Makes the hidden pixels of a window NaN.
    pub(super) fn hide(
        self,
        dataset: &Dataset,
        band_index: usize,
        window: Window,
        pixels: &mut [f32],
    ) -> Result<(), GdalError> {
        let seen = match self {
            Self::Nothing => return Ok(()),
            Self::Alpha(alpha) => read_window(&dataset.rasterband(alpha)?, window)?,
            Self::Shared | Self::Own => {
                read_window(&dataset.rasterband(band_index)?.open_mask_band()?, window)?
            }
        };
        for (pixel, seen) in pixels.iter_mut().zip(seen) {
            if seen == 0.0 {
                *pixel = f32::NAN;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
