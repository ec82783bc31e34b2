//! Rasters under temporary names: written row by row, or at once from memory.

use super::Temporary;
use crate::Result;
use sen_catalog::object::sum_file;
use sen_catalog::raster::{CogProfile, CogWriter, Compression, DataType, Overviews, Pixel};
use sen_catalog::{Asset, Assets, Grid};

/// Rows and columns of a block of the files.
const BLOCK: usize = 512;
/// Level of zstd of rasters that are written at once.
const ZSTD_LEVEL: i32 = 3;

/// How numbers are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PixelEncoding<'a> {
    /// Stored value that means "no data".
    pub(crate) nodata: Option<f64>,
    /// Physical value of one step of the stored number.
    pub(crate) scale: f64,
    /// Unit, UCUM; none for classes.
    pub(crate) unit: Option<&'a str>,
    /// How the smaller levels are made.
    pub(crate) overviews: Overviews,
    /// Level of zstd.
    pub(crate) zstd_level: i32,
}

impl<'a> PixelEncoding<'a> {
    /// Class numbers: smaller levels take the commonest class.
    pub(crate) fn classes(nodata: u8) -> Self {
        Self {
            nodata: Some(f64::from(nodata)),
            scale: 1.0,
            unit: None,
            overviews: Overviews::Mode,
            zstd_level: ZSTD_LEVEL,
        }
    }

    /// Numbers of so much of the unit a step: smaller levels take the mean.
    pub(crate) fn measures(nodata: f64, scale: f64, unit: &'a str) -> Self {
        Self {
            nodata: Some(nodata),
            scale,
            unit: Some(unit),
            overviews: Overviews::Average,
            zstd_level: ZSTD_LEVEL,
        }
    }
}

/// A raster being written.
pub(crate) struct RasterWriter {
    name: String,
    asset: Asset,
    writer: CogWriter,
    temporary: Temporary,
}

impl RasterWriter {
    /// Begins a raster of so many rows and columns as the grid has.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn create(
        assets: &Assets,
        name: &str,
        data_type: DataType,
        grid: &Grid,
        encoding: PixelEncoding<'_>,
    ) -> Result<Self> {
        let profile = CogProfile {
            grid: *grid,
            data_type,
            nodata: encoding.nodata,
            scale: encoding.scale,
            offset: 0.0,
            compression: Compression::Zstd(encoding.zstd_level),
            block: BLOCK,
            overviews: encoding.overviews,
            description: name.to_owned(),
        };
        // the guard first: a writer that cannot be made leaves nothing behind
        let temporary = Temporary(assets.temporary(name));
        let writer = CogWriter::create(&temporary.0, profile)?;
        let asset = Asset {
            scale: encoding.scale,
            nodata: encoding.nodata,
            unit: encoding.unit.map(str::to_owned),
            ..Asset::new("")
        };
        Ok(Self {
            name: name.to_owned(),
            asset,
            writer,
            temporary,
        })
    }

    /// Appends whole rows of cells, from the north on.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write_rows<T: Pixel>(&mut self, rows: &[T]) -> Result<()> {
        Ok(self.writer.write_rows(rows)?)
    }

    /// Completes the file and takes its checksums.
    ///
    /// # Errors
    /// When the file cannot be written, or rows are missing.
    pub(crate) fn finish(self) -> Result<RasterFile> {
        self.writer.finish()?;
        let asset = sum_file(&self.temporary.0)?.of_asset(self.asset);
        Ok(RasterFile {
            name: self.name,
            asset,
            temporary: self.temporary,
        })
    }
}

/// A raster written, checked and named, not yet published.
pub(crate) struct RasterFile {
    /// Name of the asset.
    pub(crate) name: String,
    /// What the item will say of it; its place is known once the item is.
    pub(crate) asset: Asset,
    /// The file.
    pub(crate) temporary: Temporary,
}

/// Writes the cells of a grid, row by row from the north-west, as a raster.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_raster<T: Pixel>(
    assets: &Assets,
    name: &str,
    values: &[T],
    grid: &Grid,
    encoding: PixelEncoding<'_>,
) -> Result<RasterFile> {
    let mut writer = RasterWriter::create(assets, name, T::DATA_TYPE, grid, encoding)?;
    writer.write_rows(values)?;
    writer.finish()
}
