//! Where tiles and pictures get their pixels from: one file for each kind of source.

mod patch;
mod raster;

pub use raster::{RasterAsset, RasterSource, Sample};

#[cfg(test)]
mod tests;
