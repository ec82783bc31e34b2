//! Where tiles and pictures get their pixels from: one file for each kind of source.

mod raster;

pub use raster::{RasterAsset, RasterSource, Sample};
