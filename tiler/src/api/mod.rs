//! The families of addresses. A new one is a file here and a line in [`STANDARDS`].

mod assets;
pub(crate) mod calibrations;
mod catalog;
mod fires;
mod health;
mod legends;
mod periods;
mod picture;
mod point;
pub(crate) mod search;
mod sensorthings;
mod series;
mod stations;
mod statistics;
mod tilejson;
pub(crate) mod tiles;
mod titiler;
mod units;
mod vector;
pub(crate) mod zonal;
pub(crate) mod zones;

use crate::state::Shared;
use axum::Router;

/// A family of addresses: a standard, or the habits of a program that clients know.
pub(crate) trait Standard: Sync {
    /// Its routes.
    fn routes(&self) -> Router<Shared>;

    /// First path segments it takes: no layer is reachable under such a name.
    fn reserved(&self) -> &'static [&'static str] {
        &[]
    }

    /// URIs of the conformance classes it fulfils.
    fn conformance(&self) -> &'static [&'static str] {
        &[]
    }

    /// True when its answers are pictures, which are not compressed again.
    fn is_pictures(&self) -> bool {
        false
    }
}

/// Every family that is served.
pub(crate) const STANDARDS: &[&dyn Standard] = &[
    &tiles::Tiles,
    &tilejson::TileJson,
    &catalog::Catalog,
    &titiler::Titiler,
    &point::Point,
    &series::Series,
    &zonal::Zonal,
    &periods::Periods,
    &sensorthings::SensorThings,
    &stations::Stations,
    &calibrations::Calibrations,
    &legends::Legends,
    &picture::Picture,
    &search::Search,
    &zones::Zones,
    &fires::Fires,
    &units::Units,
    &assets::AssetFiles,
    &health::Health,
];

/// Names no layer may carry: Martin's list, and what later families will need.
const RESERVED: &[&str] = &[
    "_",
    "catalog",
    "config",
    "font",
    "health",
    "help",
    "index",
    "manifest",
    "metrics",
    "refresh",
    "reload",
    "sprite",
    "status",
    "api",
    "stac",
    "ogc",
    "sta",
    "wms",
    "wmts",
    "wfs",
    "cog",
    "style",
    "sdf_sprite",
    "cache",
    "ready",
    "collections",
    "searches",
    "tiles",
    "zones",
];

/// True when the name belongs to the service itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
        || STANDARDS
            .iter()
            .any(|standard| standard.reserved().contains(&name))
}
