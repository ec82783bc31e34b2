//! The one way pixels become an item: a raster is written under a temporary name ([`RasterWriter`], [`write_raster`]), takes
//! its checksum, and is published with its item, files first, row last ([`publish_item`]).

mod publish;
mod raster_file;
mod temporary;

pub(crate) use publish::{INPUTS, add_rasters, is_current, is_whole, publish_item};
pub(crate) use raster_file::{PixelEncoding, RasterFile, RasterWriter, write_raster};
pub(crate) use temporary::Temporary;
