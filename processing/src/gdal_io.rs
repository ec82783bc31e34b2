//! The one place that knows GDAL: opening what providers deliver (GeoTIFF, JPEG 2000, inside zips, over HTTP) and
//! warping a band onto a grid. Nothing of GDAL's shows in the signatures.
//!
//! Each thread keeps a few datasets open, because blocks of one scene are read one after the other. Errors come
//! back as [`Error`]; what GDAL would print goes to the log.

mod crossings;
mod datum;
mod dbf;
mod hidden;
pub mod raw;
pub mod system;
pub mod vector;

pub use hidden::sidecars;

use crate::{Error, Result};
use gdal::errors::GdalError;
use gdal::raster::Buffer;
use gdal::spatial_ref::{AxisMappingStrategy, SpatialRef};
use gdal::{Dataset, DatasetOptions, DriverManager, GdalOpenFlags, Metadata};
use hidden::Mask;
use sen_catalog::address::unsigned_text;
use sen_catalog::{Crs, Grid, Window};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, Once, PoisonError};
use std::time::SystemTime;

/// More cells than any scene has (a Sentinel-2 tile has 1.2 x 10^8): larger files are refused unread.
const MAX_CELLS: u64 = 10_000_000_000;
/// Open datasets kept by each thread: the bands of a few scenes.
const OPEN_DATASETS: usize = 24;
/// Greatest error of the approximated transformation, in source pixels (gdalwarp's default).
const TRANSFORM_ERROR_PX: f64 = 0.125;
/// Working memory of one warp, in bytes; larger targets are done in chunks.
const WARP_MEMORY_BYTES: f64 = 64.0 * 1024.0 * 1024.0;
/// Only these drivers open files: a VRT or other indirect format could name files the user never meant.
const DRIVERS: &[&str] = &["GTiff", "JP2OpenJPEG"];

/// How pixels of the source become a pixel of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resampling {
    /// The nearest pixel: for classes and bits.
    Nearest,
    /// Weighted mean of the valid ones of four neighbours: for measures.
    Bilinear,
    /// Area mean of the valid source pixels: for measures on a coarser target.
    Average,
}

/// What a raster file says about itself.
#[derive(Clone, Debug)]
pub struct RasterInfo {
    /// Grid of the full resolution.
    pub grid: Grid,
    /// GDAL's name of the pixel type of the first band, such as `UInt16`.
    pub data_type: String,
    /// Number of bands.
    pub bands: usize,
    /// Stored nodata value of each band.
    pub nodata: Vec<Option<f64>>,
    /// Scale and offset that the file states for each band (value = stored * scale + offset), (1, 0) where it states none.
    pub calibrations: Vec<(f64, f64)>,
    /// The band, from 1, that says how opaque a cell is: cells are no data where it is 0.
    pub alpha: Option<usize>,
    /// Description of each band, empty where there is none.
    pub descriptions: Vec<String>,
    /// Unit of each band, empty where there is none.
    pub units: Vec<String>,
    /// Metadata items of the default domain.
    pub metadata: BTreeMap<String, String>,
}

/// Sets GDAL up once for the process: cache, threads, log, network time-outs. Every function here calls it.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let options = [
            // blocks of the scenes being read; products are bounded by blocks, so this is the larger part of memory
            ("GDAL_CACHEMAX", "256"),
            // parallelism is over blocks; threads inside a decoder would only compete
            ("GDAL_NUM_THREADS", "1"),
            ("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR"),
            ("GDAL_HTTP_CONNECTTIMEOUT", "10"),
            ("GDAL_HTTP_TIMEOUT", "60"),
            ("GDAL_HTTP_LOW_SPEED_TIME", "30"),
            ("GDAL_HTTP_LOW_SPEED_LIMIT", "100"),
            ("GDAL_HTTP_MAX_RETRY", "3"),
            ("GDAL_HTTP_RETRY_DELAY", "1"),
            // a polygon of a million vertices is a long line of WKT
            ("OGR_CSV_MAX_LINE_SIZE", "268435456"),
        ];
        for (key, value) in options {
            // what the operator set in the environment wins
            if std::env::var_os(key).is_none()
                && let Err(error) = gdal::config::set_config_option(key, value)
            {
                tracing::warn!(key, %error, "GDAL option not set");
            }
        }
        gdal::config::set_error_handler(|class, number, message| {
            let message = unsigned_text(message);
            tracing::debug!(target: "gdal", ?class, number, "{message}");
        });
    });
}

/// Reads the header of a raster.
///
/// # Errors
/// Names the file when it is damaged, has no usable grid or coordinate system, or absurd dimensions.
pub fn info(href: &str) -> Result<RasterInfo> {
    with_dataset(href, |dataset| {
        let grid = grid_of(dataset, href)?;
        let mut data_type = String::new();
        let (mut nodata, mut calibrations) = (Vec::new(), Vec::new());
        let (mut descriptions, mut units) = (Vec::new(), Vec::new());
        for (index, band) in dataset.rasterbands().enumerate() {
            let band = band.map_err(|error| unreadable(href, &error))?;
            if index == 0 {
                data_type = band.band_type().name();
            }
            nodata.push(band.no_data_value());
            calibrations.push((band.scale().unwrap_or(1.0), band.offset().unwrap_or(0.0)));
            descriptions.push(band.description().unwrap_or_default());
            units.push(band.unit());
        }
        let metadata = dataset.metadata_domain("").unwrap_or_default();
        let metadata = metadata.iter().filter_map(|entry| entry.split_once('='));
        Ok(RasterInfo {
            grid,
            data_type,
            bands: dataset.raster_count(),
            nodata,
            calibrations,
            alpha: hidden::alpha(dataset),
            descriptions,
            units,
            metadata: metadata
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        })
    })
}

/// Reads one band (from 1) onto a grid: stored values, NaN where there is no data, which is where a mask or an alpha band
/// hides cells, too. `nodata` is the stored value that means "no data"; without it the file's own is used.
///
/// Works from any thread. Cells that coincide with the source's are copied, not interpolated.
///
/// # Errors
/// Names the file when it cannot be opened or a block of it is damaged.
pub fn warp_onto(
    href: &str,
    band_index: usize,
    grid: &Grid,
    resampling: Resampling,
    nodata: Option<f64>,
) -> Result<Vec<f32>> {
    with_dataset(href, |dataset| {
        let source = grid_of(dataset, href)?;
        let band = dataset.rasterband(band_index).map_err(|_| {
            Error::unreadable(
                href,
                format!("has no band {band_index}, only {}", dataset.raster_count()),
            )
        })?;
        let nodata = nodata.or_else(|| band.no_data_value());
        if misses(&source, grid) {
            return Ok(vec![f32::NAN; grid.width * grid.height]);
        }
        let mask = Mask::of(dataset, band_index).map_err(|error| unreadable(href, &error))?;
        if let Some(offset) = source.offset_of(grid) {
            let mut out = vec![f32::NAN; grid.width * grid.height];
            if let Some((window, column, row)) = overlap(&source, grid, offset) {
                let mut pixels = read_window(&band, window).map_err(|error| unreadable(href, &error))?;
                mask.hide(dataset, band_index, window, &mut pixels)
                    .map_err(|error| unreadable(href, &error))?;
                for (y, line) in pixels.chunks_exact(window.width).enumerate() {
                    let start = (row + y) * grid.width + column;
                    out[start..start + window.width].copy_from_slice(line);
                }
            }
            drop_nodata(&mut out, nodata);
            return Ok(out);
        }
        if mask == Mask::Own {
            return Err(Error::unreadable(
                href,
                "has a mask for each of its bands, which is not read here onto another grid; give it one for all (gdal_translate)",
            ));
        }
        warp::warp(dataset, band_index, grid, resampling, nodata, mask)
            .map_err(|error| unreadable(href, &error))
    })
}

/// Stored values of a window of at most `side` x `side` pixels in the middle of a band; NaN where there is no data.
///
/// # Errors
/// Names the file when it cannot be read.
pub fn sample(href: &str, band_index: usize, side: usize, nodata: Option<f64>) -> Result<Vec<f32>> {
    with_dataset(href, |dataset| {
        let (columns, rows) = dataset.raster_size();
        let (width, height) = (columns.min(side), rows.min(side));
        let window = Window {
            column: (columns - width) / 2,
            row: (rows - height) / 2,
            width,
            height,
        };
        let band = dataset
            .rasterband(band_index)
            .map_err(|error| unreadable(href, &error))?;
        let nodata = nodata.or_else(|| band.no_data_value());
        let mut pixels = read_window(&band, window).map_err(|error| unreadable(href, &error))?;
        Mask::of(dataset, band_index)
            .and_then(|mask| mask.hide(dataset, band_index, window, &mut pixels))
            .map_err(|error| unreadable(href, &error))?;
        drop_nodata(&mut pixels, nodata);
        Ok(pixels)
    })
}

/// The archive and the member behind the href of a zip member (`/vsizip/{/folder/a.zip}/member`); braces in the path
/// come in pairs, as GDAL counts them.
pub(crate) fn zip_member(href: &str) -> Option<(&str, &str)> {
    let rest = href.strip_prefix("/vsizip/{")?;
    let mut open = 1;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((&rest[..at], rest[at + 1..].strip_prefix('/')?));
        }
    }
    None
}

/// The file on disk behind a local href: of a zip member the zip.
pub fn local_file(href: &str) -> PathBuf {
    PathBuf::from(zip_member(href).map_or(href, |(archive, _)| archive))
}

/// Signed addresses of this run, by the address without signature: they are needed to read, and never kept.
static SIGNED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Lets this process read `href` by its signed form; nothing is written down.
pub(crate) fn remember_signed(href: &str, signed: &str) {
    let mut known = SIGNED.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert(href.to_owned(), signed.to_owned());
}

/// What GDAL calls the file behind an href: URLs are read by range requests.
fn gdal_path(href: &str) -> String {
    let signed = href
        .contains("://")
        .then(|| {
            SIGNED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(href)
                .cloned()
        })
        .flatten();
    let href = signed.as_deref().unwrap_or(href);
    if href.starts_with("http://") || href.starts_with("https://") {
        format!("/vsicurl/{href}")
    } else if let Some(rest) = href.strip_prefix("s3://") {
        format!("/vsis3/{rest}")
    } else {
        href.to_owned()
    }
}

fn unreadable(href: &str, error: &GdalError) -> Error {
    let reason = match error {
        GdalError::CplError { msg, .. } | GdalError::NullPointer { msg, .. } if !msg.is_empty() => {
            msg.replace(&gdal_path(href), "the file").trim().to_owned()
        }
        other => other.to_string(),
    };
    Error::unreadable(href, format!("cannot be read: {reason}"))
}

/// When a local file and what lies beside it were last written and how long they are: an open dataset of a file replaced
/// since is not used.
type Stamp = Vec<(SystemTime, u64)>;

fn stamp(href: &str) -> Stamp {
    let file = local_file(href);
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let mut stamps: Stamp = stamp(&file).into_iter().collect();
    stamps.extend(sidecars(&file).iter().filter_map(|path| stamp(path)));
    stamps
}

struct Open {
    href: String,
    stamp: Stamp,
    dataset: Rc<Dataset>,
}

thread_local! {
    /// Most recently used last.
    static OPEN: RefCell<Vec<Open>> = const { RefCell::new(Vec::new()) };
}

fn with_dataset<T>(href: &str, work: impl FnOnce(&Dataset) -> Result<T>) -> Result<T> {
    let stamp = stamp(href);
    let kept = OPEN.with_borrow_mut(|open| {
        let index = open.iter().position(|entry| entry.href == href)?;
        let entry = open.remove(index);
        if entry.stamp != stamp {
            return None;
        }
        let dataset = Rc::clone(&entry.dataset);
        open.push(entry);
        Some(dataset)
    });
    let dataset = match kept {
        Some(dataset) => dataset,
        None => Rc::new(open(href)?),
    };
    let result = work(&dataset);
    OPEN.with_borrow_mut(|open| {
        if result.is_err() {
            // a damaged file is opened afresh next time
            open.retain(|entry| entry.href != href);
        } else if !open.iter().any(|entry| entry.href == href) {
            open.push(Open {
                href: href.to_owned(),
                stamp,
                dataset: Rc::clone(&dataset),
            });
            if open.len() > OPEN_DATASETS {
                open.remove(0);
            }
        }
    });
    result
}

fn open(href: &str) -> Result<Dataset> {
    init();
    let local = !href.contains("://") && !href.starts_with("/vsi");
    if local && !Path::new(href).is_file() {
        return Err(Error::unreadable(href, "there is no such file"));
    }
    // only these are looked for beside a file, and beside a remote one nothing
    let beside = if local {
        sidecars(Path::new(href))
    } else {
        Vec::new()
    };
    let names: Vec<_> = std::iter::once(Path::new(href))
        .chain(beside.iter().map(PathBuf::as_path))
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    let options = DatasetOptions {
        sibling_files: local.then_some(names.as_slice()),
        open_flags: GdalOpenFlags::GDAL_OF_READONLY
            | GdalOpenFlags::GDAL_OF_RASTER
            | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
        allowed_drivers: Some(DRIVERS),
        ..DatasetOptions::default()
    };
    let dataset = Dataset::open_ex(gdal_path(href), options).map_err(|error| unreadable(href, &error))?;
    let (width, height) = dataset.raster_size();
    if width as u64 * height as u64 > MAX_CELLS {
        return Err(Error::unreadable(
            href,
            format!("claims {width} x {height} pixels, more than any scene has ({MAX_CELLS} cells at most)"),
        ));
    }
    if dataset.raster_count() == 0 {
        return Err(Error::unreadable(href, "has no raster band"));
    }
    hidden::check_sidecars(&beside, (width, height))?;
    Ok(dataset)
}

fn grid_of(dataset: &Dataset, href: &str) -> Result<Grid> {
    let [west, cell_width, row_skew, north, column_skew, cell_height] = dataset
        .geo_transform()
        .map_err(|_| Error::unreadable(href, "carries no georeference"))?;
    if row_skew != 0.0 || column_skew != 0.0 || cell_width <= 0.0 || cell_height >= 0.0 {
        return Err(Error::unreadable(
            href,
            "is not north-up: its grid is rotated or mirrored; warp it first",
        ));
    }
    if ![west, cell_width, north, cell_height]
        .iter()
        .all(|number| number.is_finite())
    {
        return Err(Error::unreadable(href, "its georeference is not finite"));
    }
    let (width, height) = dataset.raster_size();
    Ok(Grid {
        crs: crs_of(dataset, href)?,
        west,
        north,
        cell_width,
        cell_height: -cell_height,
        width,
        height,
    })
}

fn crs_of(dataset: &Dataset, href: &str) -> Result<Crs> {
    let unknown = || Error::unreadable(href, "coordinate system unknown: it carries no EPSG code");
    let mut system = dataset.spatial_ref().map_err(|_| unknown())?;
    if system.auth_name().as_deref() != Some("EPSG") {
        system.auto_identify_epsg().map_err(|_| unknown())?;
    }
    let code = system.auth_code().map_err(|_| unknown())?;
    u32::try_from(code).map(Crs::epsg).map_err(|_| unknown())
}

/// True when the target surely lies outside the source, so that GDAL need not be asked.
fn misses(source: &Grid, target: &Grid) -> bool {
    let Ok(bounds) = target.bounds().transform(target.crs, source.crs) else {
        return false;
    };
    let (x, y) = (source.cell_width, source.cell_height);
    let mut around = source.bounds();
    // the outline is followed in steps: leave room for the bow of an edge between them
    around.west -= 2.0 * x;
    around.east += 2.0 * x;
    around.south -= 2.0 * y;
    around.north += 2.0 * y;
    !around.intersects(&bounds)
}

/// The window of the source that the target holds, and the target's column and row where it goes.
fn overlap(source: &Grid, target: &Grid, (column, row): (i64, i64)) -> Option<(Window, usize, usize)> {
    let (left, top) = (column.max(0), row.max(0));
    let right = (column + target.width as i64).min(source.width as i64);
    let bottom = (row + target.height as i64).min(source.height as i64);
    let window = (right > left && bottom > top).then(|| Window {
        column: left as usize,
        row: top as usize,
        width: (right - left) as usize,
        height: (bottom - top) as usize,
    })?;
    Some((window, (left - column) as usize, (top - row) as usize))
}

fn read_window(band: &gdal::raster::RasterBand<'_>, window: Window) -> Result<Vec<f32>, GdalError> {
    let size = (window.width, window.height);
    let buffer: Buffer<f32> =
        band.read_as((window.column as isize, window.row as isize), size, size, None)?;
    Ok(buffer.into_shape_and_vec().1)
}

fn drop_nodata(pixels: &mut [f32], nodata: Option<f64>) {
    let Some(nodata) = nodata.map(|value| value as f32).filter(|value| !value.is_nan()) else {
        return;
    };
    for pixel in pixels {
        if *pixel == nodata {
            *pixel = f32::NAN;
        }
    }
}

fn spatial_ref(crs: Crs) -> Result<SpatialRef, GdalError> {
    let mut system = SpatialRef::from_epsg(crs.code())?;
    system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
    Ok(system)
}

/// A one-band float dataset in memory on a grid.
fn memory_dataset(grid: &Grid) -> Result<Dataset, GdalError> {
    let driver = DriverManager::get_driver_by_name("MEM")?;
    let mut target = driver.create_with_band_type::<f32, _>("", grid.width, grid.height, 1)?;
    target.set_geo_transform(&grid.geotransform())?;
    target.set_spatial_ref(&spatial_ref(grid.crs)?)?;
    Ok(target)
}

#[expect(
    unsafe_code,
    reason = "the gdal crate wraps no warp with choice of kernel and nodata"
)]
mod warp {
    use super::{
        Buffer, Dataset, GdalError, Grid, Mask, Resampling, TRANSFORM_ERROR_PX, WARP_MEMORY_BYTES,
        memory_dataset,
    };
    use gdal_sys::{CPLErr, GDALResampleAlg};
    use std::ffi::{CStr, c_void};
    use std::ptr::null_mut;

    /// Owns the approximating transformer (and through it the exact one).
    struct Transformer(*mut c_void);

    impl Transformer {
        fn new(source: &Dataset, target: &Dataset) -> Result<Self, GdalError> {
            // SAFETY: both datasets live until the transformer is dropped in `warp`; the approximating
            // transformer takes the exact one over, so that one call destroys both
            unsafe {
                let exact = gdal_sys::GDALCreateGenImgProjTransformer2(
                    source.c_dataset(),
                    target.c_dataset(),
                    null_mut(),
                );
                if exact.is_null() {
                    return Err(last_error());
                }
                let approximate = gdal_sys::GDALCreateApproxTransformer(
                    Some(gdal_sys::GDALGenImgProjTransform),
                    exact,
                    TRANSFORM_ERROR_PX,
                );
                gdal_sys::GDALApproxTransformerOwnsSubtransformer(approximate, 1);
                Ok(Self(approximate))
            }
        }
    }

    impl Drop for Transformer {
        fn drop(&mut self) {
            // SAFETY: made by GDALCreateApproxTransformer, destroyed once
            unsafe { gdal_sys::GDALDestroyApproxTransformer(self.0) }
        }
    }

    /// Owns the options of a warp.
    struct Options(*mut gdal_sys::GDALWarpOptions);

    impl Drop for Options {
        fn drop(&mut self) {
            // SAFETY: made by GDALCreateWarpOptions, its arrays by CPLMalloc, destroyed once
            unsafe { gdal_sys::GDALDestroyWarpOptions(self.0) }
        }
    }

    pub(super) fn warp(
        source: &Dataset,
        band_index: usize,
        grid: &Grid,
        resampling: Resampling,
        nodata: Option<f64>,
        mask: Mask,
    ) -> Result<Vec<f32>, GdalError> {
        let target = memory_dataset(grid)?;
        let transformer = Transformer::new(source, &target)?;
        // SAFETY: plain FFI; every pointer given lives until the operation is destroyed below
        unsafe {
            let options = Options(gdal_sys::GDALCreateWarpOptions());
            let fields = &mut *options.0;
            fields.dfWarpMemoryLimit = WARP_MEMORY_BYTES;
            fields.eResampleAlg = match resampling {
                Resampling::Nearest => GDALResampleAlg::GRA_NearestNeighbour,
                Resampling::Bilinear => GDALResampleAlg::GRA_Bilinear,
                Resampling::Average => GDALResampleAlg::GRA_Average,
            };
            fields.hSrcDS = source.c_dataset();
            fields.hDstDS = target.c_dataset();
            gdal_sys::GDALWarpInitDefaultBandMapping(options.0, 1);
            *fields.panSrcBands = band_index as i32;
            // without a nodata value NaN pixels of floats still must not spread
            gdal_sys::GDALWarpInitSrcNoDataReal(options.0, nodata.unwrap_or(f64::NAN));
            gdal_sys::GDALWarpInitDstNoDataReal(options.0, f64::NAN);
            fields.papszWarpOptions = gdal_sys::CSLSetNameValue(
                fields.papszWarpOptions,
                c"INIT_DEST".as_ptr(),
                c"NO_DATA".as_ptr(),
            );
            if let Mask::Alpha(band) = mask {
                fields.nSrcAlphaBand = band as i32;
                // a cell is hidden or it is not: half opaque ones are not mixed with what lies below
                fields.papszWarpOptions = gdal_sys::CSLSetNameValue(
                    fields.papszWarpOptions,
                    c"SRC_ALPHA_MAX".as_ptr(),
                    c"1".as_ptr(),
                );
            }
            fields.pfnTransformer = Some(gdal_sys::GDALApproxTransform);
            fields.pTransformerArg = transformer.0;
            gdal_sys::CPLErrorReset();
            let operation = gdal_sys::GDALCreateWarpOperation(options.0);
            if operation.is_null() {
                return Err(last_error());
            }
            let (width, height) = (grid.width as i32, grid.height as i32);
            let outcome = gdal_sys::GDALChunkAndWarpImage(operation, 0, 0, width, height);
            gdal_sys::GDALDestroyWarpOperation(operation);
            if outcome != CPLErr::CE_None {
                return Err(last_error());
            }
        }
        let size = (grid.width, grid.height);
        let buffer: Buffer<f32> = target.rasterband(1)?.read_as((0, 0), size, size, None)?;
        Ok(buffer.into_shape_and_vec().1)
    }

    fn last_error() -> GdalError {
        // SAFETY: GDAL keeps the message of this thread until the next call into it
        let (number, message) = unsafe {
            let message = CStr::from_ptr(gdal_sys::CPLGetLastErrorMsg());
            (
                gdal_sys::CPLGetLastErrorNo(),
                message.to_string_lossy().into_owned(),
            )
        };
        GdalError::CplError {
            class: CPLErr::CE_Failure,
            number,
            msg: message,
        }
    }
}

/// Writes a raster for tests: `data_type` is `UInt16` or `Float32`, the driver `GTiff` or `JP2OpenJPEG`.
#[cfg(test)]
pub(crate) fn write_raster(
    path: &Path,
    (driver, data_type): (&str, &str),
    grid: &Grid,
    bands: &[Vec<f32>],
    nodata: Option<f64>,
    metadata: &[(&str, &str)],
) {
    init();
    let memory = DriverManager::get_driver_by_name("MEM").expect("built in");
    let (width, height, count) = (grid.width, grid.height, bands.len());
    let mut made = match data_type {
        "UInt16" => memory.create_with_band_type::<u16, _>("", width, height, count),
        _ => memory.create_with_band_type::<f32, _>("", width, height, count),
    }
    .expect("created");
    made.set_geo_transform(&grid.geotransform()).expect("set");
    made.set_spatial_ref(&spatial_ref(grid.crs).expect("known system"))
        .expect("set");
    for (key, value) in metadata {
        made.set_metadata_item(key, value, "").expect("set");
    }
    for (index, pixels) in bands.iter().enumerate() {
        let mut band = made.rasterband(index + 1).expect("created");
        band.set_no_data_value(nodata).expect("set");
        let mut buffer = Buffer::new((width, height), pixels.clone());
        band.write((0, 0), (width, height), &mut buffer).expect("written");
    }
    let driver = DriverManager::get_driver_by_name(driver).expect("there");
    let mut options = gdal::raster::RasterCreationOptions::new();
    if driver.short_name() == "JP2OpenJPEG" {
        for (key, value) in [("QUALITY", "100"), ("REVERSIBLE", "YES")] {
            options.add_name_value(key, value).expect("added");
        }
    }
    made.create_copy(&driver, path, &options).expect("copied");
}

#[cfg(test)]
mod tests;
