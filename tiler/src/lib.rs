//! The HTTP service: raster tiles with time, TileJSON, legends, values at a point, still pictures and the map page.
//!
//! Handlers live in `api`, one file a family, registered in `api::STANDARDS`; what they share is in `state`.
//! The way of a tile is told in `docs/life-of-a-tile.md`.

pub mod encode;
pub mod mqtt;
pub mod source;
pub mod style;

mod admission;
mod api;
mod block_cache;
mod body;
mod connection;
mod cpu;
mod damage;
mod document;
mod draw;
mod forwarded;
mod headers;
mod keys;
mod layers;
mod lookup;
mod machine;
mod measure;
mod negotiate;
mod page;
mod plan;
mod problem;
mod query;
mod refusals;
mod sensors_near;
mod server;
mod spreadsheet;
mod state;
mod station_week;
mod tile_cache;
mod time;
mod values;
mod vector;
mod warp;
mod zone_page;

pub use forwarded::Proxy;
pub use problem::Problem;
pub use server::{MetricsAccess, ServeOptions, check_memory, router, serve};
pub use state::App;
