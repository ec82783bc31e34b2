//! Stories through the real binary: each module is one that a user would tell.

#![allow(
    clippy::panic,
    clippy::print_stdout,
    reason = "a story fails by panicking and says what it skips"
)]

mod angiang;
mod backup;
mod broken_input;
mod calendar;
mod damage;
mod demo;
mod disclosure;
mod erosion;
mod fire;
mod flood;
mod grd;
mod harness;
mod imports;
mod interrupted;
mod inundation;
mod ledger;
mod mqtt;
mod old_folder;
mod remake;
mod remote;
mod run_report;
mod scenes;
mod sensors;
mod toy_product;
mod weeks;
mod withdraw;
mod zonal;
mod zones;
mod zones_foreign;
