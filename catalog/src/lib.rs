//! What exists, where it lies, how it is read.
//!
//! The pure data modules (`grid`, `tms`, `crs`, `band`, `period`, `item`, `feature`, `admin_unit`, `disclosure`, `observation`,
//! `qartod`) know nothing of storage; [`statistic`] reads and writes tables of numbers and [`raster`] cloud-optimised
//! GeoTIFFs, [`store`] keeps the rows. No HTTP and no GDAL in this crate.

pub mod address;
pub mod admin;
mod admin_unit;
pub mod asset;
pub mod band;
pub mod calibration;
mod checksum;
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
pub mod number_text;
pub mod object;
pub mod observation;
pub mod period;
pub mod property;
pub mod qartod;
pub mod raster;
pub mod run;
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
