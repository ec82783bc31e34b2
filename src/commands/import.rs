//! `sen import`: what people administer and measure, from the files they keep it in.

mod disclosure;
mod hotspots;
mod observations;
mod report;
pub(crate) mod zones;

use crate::Outcome;
use crate::config::Place;
use crate::output::Output;
use clap::{Args, Subcommand};

/// Take in zones, points and lines, ground measurements
#[derive(Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Polygons with codes: plots, dyke compartments, growing areas, administrative units
    Zones(zones::Zones),
    /// Points or lines with codes: stations, pumps, sluices, canals, dykes, businesses
    Layer(zones::Layer),
    /// Ground measurements: CSV (a column a property, or a row a value), JSON, SensorThings data arrays
    Observations(observations::Observations),
    /// Hot spots of NASA FIRMS: CSV of VIIRS, MODIS or Landsat
    Hotspots(hotspots::Hotspots),
}

impl Import {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        match self.what {
            What::Zones(zones) => zones.run(place, output),
            What::Layer(layer) => layer.run(place, output),
            What::Observations(observations) => observations.run(place, output),
            What::Hotspots(hotspots) => hotspots.run(place, output),
        }
    }
}
