//! Pixels without a place on earth: images in the geometry of their instrument, read by column and line.

use super::{MAX_CELLS, unreadable, with_dataset};
use crate::{Error, Result};
use gdal::raster::{Buffer, GdalDataType};
use sen_catalog::Window;

/// Lets GDAL read parts of long, unpacked lines straight from the file: its cache would fetch and evict whole lines over
/// and over, because a strip of a north-up grid crosses such an image aslant. GDAL takes it to heart when it opens a file.
const DIRECT: &str = "GTIFF_DIRECT_IO";

/// Columns and rows of the one band of a 16-bit image.
///
/// # Errors
/// Names the file when it cannot be opened, or is something else.
pub fn size(href: &str) -> Result<(usize, usize)> {
    direct(href, || {
        with_dataset(href, |dataset| {
            let band = dataset.rasterband(1).map_err(|error| unreadable(href, &error))?;
            let kind = band.band_type();
            if kind != GdalDataType::UInt16 || dataset.raster_count() != 1 {
                return Err(Error::unreadable(
                    href,
                    format!(
                        "should be one band of 16-bit numbers, is {} of {kind}",
                        dataset.raster_count()
                    ),
                ));
            }
            Ok(dataset.raster_size())
        })
    })
}

/// The stored numbers of a part of the image that [`size`] accepted.
///
/// # Errors
/// Names the file when a block of it is damaged or missing.
pub fn window(href: &str, window: Window) -> Result<Vec<u16>> {
    debug_assert!((window.width as u64 * window.height as u64) < MAX_CELLS);
    direct(href, || {
        with_dataset(href, |dataset| {
            let size = (window.width, window.height);
            let start = (window.column as isize, window.row as isize);
            let band = dataset.rasterband(1).map_err(|error| unreadable(href, &error))?;
            let buffer: Buffer<u16> = band
                .read_as(start, size, size, None)
                .map_err(|error| unreadable(href, &error))?;
            Ok(buffer.into_shape_and_vec().1)
        })
    })
}

/// Does the work with direct reading switched on for this thread; in a zip the cache is the better choice.
fn direct<T>(href: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if href.starts_with("/vsi") {
        return work();
    }
    // without it the pixels are the same, only slower to come by
    let _ = gdal::config::set_thread_local_config_option(DIRECT, "YES");
    let done = work();
    let _ = gdal::config::clear_thread_local_config_option(DIRECT);
    done
}
