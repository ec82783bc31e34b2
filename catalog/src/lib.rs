//! What exists, where it lies, how it is read.
//!
//! The pure data modules (`grid`, `tms`, `band`, `period`, `item`, `feature`, `disclosure`, `observation`, `qartod`, `statistic`) know nothing of storage; [`raster`] reads and
//! writes cloud-optimised GeoTIFFs, [`store`] keeps the rows. No HTTP and no GDAL in this crate.

pub mod address;
pub mod admin;
pub mod asset;
pub mod band;
pub mod calibration;
pub mod coverage;
pub mod crs;
pub mod disclosure;
mod error;
pub mod feature;
pub mod fire;
pub mod flood;
pub mod forecast;
pub mod fusion;
pub mod grid;
pub mod intake;
pub mod inundation;
pub mod item;
pub mod limits;
pub mod observation;
pub mod period;
pub mod property;
pub mod qartod;
pub mod raster;
pub mod season;
pub mod statistic;
pub mod store;
pub mod table_text;
pub mod tms;
pub mod zonal;

pub use asset::Assets;
pub use band::Band;
pub use crs::Crs;
pub use disclosure::DisclosurePolicy;
pub use error::{Error, Result};
pub use feature::Feature;
pub use grid::{Bounds, Grid, Window};
pub use item::{Asset, Item};
pub use period::{Interval, Period, TimeQuery};
pub use store::{FeatureQuery, ItemQuery, Store};
pub use tms::TileCoord;
