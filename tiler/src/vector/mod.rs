//! Vector tiles of the store's feature layers.
//!
//! A layer is read into memory once for each of its revisions ([`index`]); tiles are cut from there. The way of a tile is
//! told in `docs/life-of-a-tile.md`.

mod clip;
pub(crate) mod column;
pub(crate) mod crowd;
mod grid;
pub(crate) mod index;
mod mvt;
pub(crate) mod overlay;
pub(crate) mod pack;
mod rtree;
mod sensors;
pub(crate) mod shelf;
mod thin;
pub(crate) mod tile;
mod topology;
mod water;

pub(crate) use topology::DETAIL_ZOOM;
