//! The rasters of one product while they are being written, under temporary names.

use crate::Result;
use crate::product::{Encoding, Product};
use crate::raster_output::{PixelEncoding, RasterFile, RasterWriter};
use rayon::prelude::*;
use sen_catalog::raster::{Overviews, Pixels};
use sen_catalog::{Assets, Grid, Window};

/// Fast and, on noisy indices, within a few percent of the size of higher levels.
const ZSTD_LEVEL: i32 = 1;

/// The layers that every product has beside its main one.
pub(super) const QUALITY_LAYERS: [(&str, Option<f64>, &str); 3] = [
    ("n_clear", None, "1"),
    ("age_days", Some(255.0), "d"),
    ("quality", None, "1"),
];

/// All rasters of a product, in the order main, [`QUALITY_LAYERS`], extra layers.
pub(super) struct ProductFiles(Vec<RasterWriter>);

impl ProductFiles {
    pub(super) fn create(product: &dyn Product, assets: &Assets, grid: &Grid) -> Result<Self> {
        let main = Some(product.encoding());
        let mut files = vec![create(product.name(), main, None, "1", assets, grid)?];
        for (name, nodata, unit) in QUALITY_LAYERS {
            files.push(create(name, None, nodata, unit, assets, grid)?);
        }
        for layer in product.extra_layers() {
            let unit = if layer.encoding == Encoding::Percent {
                "%"
            } else {
                "1"
            };
            let encoding = Some(layer.encoding);
            files.push(create(layer.name, encoding, None, unit, assets, grid)?);
        }
        Ok(Self(files))
    }

    /// Appends a strip; `tiles` hold the parts of it that lie at the given windows, one array a layer.
    /// The first `kept_back` layers are left for [`ProductFiles::write_main`].
    pub(super) fn write(
        &mut self,
        strip: Window,
        tiles: &[(Window, Vec<Pixels>)],
        kept_back: usize,
    ) -> Result<()> {
        self.0
            .par_iter_mut()
            .enumerate()
            .skip(kept_back)
            .try_for_each(
                |(layer, file)| match tiles.first().and_then(|(_, layers)| layers.get(layer)) {
                    Some(Pixels::I16(_)) => file.write_rows(&assemble::<i16>(strip, tiles, layer)),
                    Some(Pixels::U8(_)) => file.write_rows(&assemble::<u8>(strip, tiles, layer)),
                    Some(Pixels::U16(_)) => file.write_rows(&assemble::<u16>(strip, tiles, layer)),
                    Some(Pixels::F32(_)) => file.write_rows(&assemble::<f32>(strip, tiles, layer)),
                    None => Ok(()),
                },
            )
    }

    /// Appends rows of classes to the main layer.
    pub(super) fn write_main(&mut self, rows: &[u8]) -> Result<()> {
        match self.0.first_mut() {
            Some(file) => file.write_rows(rows),
            None => Ok(()),
        }
    }

    /// Completes the files and takes their checksums.
    pub(super) fn finish(self) -> Result<Vec<RasterFile>> {
        self.0.into_par_iter().map(RasterWriter::finish).collect()
    }
}

fn create(
    name: &str,
    encoding: Option<Encoding>,
    nodata: Option<f64>,
    unit: &str,
    assets: &Assets,
    grid: &Grid,
) -> Result<RasterWriter> {
    use sen_catalog::raster::DataType::{I16, U8};
    let (data_type, overviews) = match encoding {
        Some(Encoding::Index) => (I16, Overviews::Average),
        Some(Encoding::Percent) => (U8, Overviews::Average),
        Some(Encoding::Classes) | None => (U8, Overviews::Mode),
    };
    let pixels = PixelEncoding {
        nodata: encoding.map(Encoding::nodata).or(nodata),
        scale: encoding.map_or(1.0, Encoding::scale),
        unit: Some(unit),
        overviews,
        zstd_level: ZSTD_LEVEL,
    };
    RasterWriter::create(assets, name, data_type, grid, pixels)
}

/// The rows of a strip from its tiles.
pub(super) fn assemble<T: sen_catalog::raster::Pixel>(
    strip: Window,
    tiles: &[(Window, Vec<Pixels>)],
    layer: usize,
) -> Vec<T> {
    let mut rows = vec![T::default(); strip.width * strip.height];
    for (window, layers) in tiles {
        let Some(pixels) = layers.get(layer).and_then(T::slice) else {
            continue;
        };
        for (row, line) in pixels.chunks_exact(window.width).enumerate() {
            let start = (window.row - strip.row + row) * strip.width + window.column - strip.column;
            rows[start..start + window.width].copy_from_slice(line);
        }
    }
    rows
}
