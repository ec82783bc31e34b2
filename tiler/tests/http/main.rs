//! The HTTP contract, asked through the router without sockets (and with them where sockets matter).

#![allow(missing_docs, clippy::panic, clippy::print_stderr, reason = "tests")]

mod admission;
mod documents;
mod hostile;
mod inundation;
mod pages;
mod polygons;
mod requests;
mod sensorthings;
mod sockets;
mod store;
mod tiles;
mod values;
mod vector;
mod world;
mod zonal;
mod zones;
