//! The ground and the sky together: surfaces from stations, satellite values held against what stations measured.

mod calibrate;
mod calibration;
mod idw;
mod kriging;
mod matchup;
mod points;
mod settings;
mod surfaces;
#[cfg(test)]
mod tests;

pub use calibrate::calibrate;
pub use calibration::{Comparison, Line, Pair, Verdict, compare, judge};
pub use idw::{NEIGHBOURS, POWER, idw};
pub use kriging::{FIT_FROM, Kriging, Prediction, Variogram};
pub use matchup::{Matchup, matchup};
pub use points::{Sample, distinct};
pub use settings::{CalibrationSettings, FusionSettings, SurfaceSettings};
pub use surfaces::Surfaces;
