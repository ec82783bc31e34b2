//! Imagery to weekly rasters: what providers deliver becomes scenes, scenes become products.
//!
//! [`source`] turns folders, archives and STAC addresses into catalogue items; [`gdal_io`] is the one place that
//! knows GDAL. A new kind of imagery is a file in `source/` and a line in [`source::SOURCES`].

pub mod ancillary;
pub mod composite;
mod duplicate;
mod error;
pub mod fire;
pub mod flood;
pub mod fusion;
pub mod gdal_io;
pub mod inundation;
pub mod look;
pub mod mask;
pub mod phenology;
pub mod pipeline;
pub mod product;
mod raster_output;
mod reference;
pub mod riverbank;
pub mod run;
pub mod runner;
pub mod settings;
pub mod source;
pub mod steps;
pub mod textfile;
pub mod validate;
pub mod vector;
pub mod zonal;

pub use error::{Error, Result};
