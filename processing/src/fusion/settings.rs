//! What can be set about surfaces between stations.

use super::kriging::Variogram;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Surfaces between stations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FusionSettings {
    /// Layer of the stations.
    pub stations: String,
    /// What is spread between the stations, week by week; each becomes a layer of the map.
    pub surfaces: Vec<SurfaceSettings>,
    /// Cell size of surfaces, metres: rounded to whole cells of the province grid.
    pub cell_m: f64,
    /// Layers that are held against what stations measure; a correction is applied only where it earns it.
    pub calibrations: Vec<CalibrationSettings>,
}

/// A layer and what is measured of the same thing, in the same unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalibrationSettings {
    /// What stations measure: `soil_moisture`.
    pub property: String,
    /// The layer of the satellite.
    pub collection: String,
    /// Layer of zones whose means are taken instead of single cells, where at least 70 % of a zone were seen.
    #[serde(default)]
    pub zones: Option<String>,
    /// Days before and after a look within which observations belong to it.
    pub days: f64,
}

/// One kind of surface, and the variogram it has while there are fewer than ten stations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurfaceSettings {
    /// What is measured, and the name of the layer: `water_level`.
    pub property: String,
    /// Unit of the values, for the file.
    pub unit: String,
    /// Step of the stored values, in the unit.
    pub step: f64,
    /// Interpolate log(value + this): for concentrations, which cannot be negative and differ by factors.
    #[serde(default)]
    pub log_offset: Option<f64>,
    /// Sill of the spherical variogram without the nugget, in the square of the unit (of its logarithm with
    /// `log_offset`).
    pub psill: f64,
    /// Its range, metres. Beyond half of it from every station nothing is said.
    pub range_m: f64,
    /// Its nugget.
    pub nugget: f64,
}

impl FusionSettings {
    /// Says what cannot be used, naming the setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] for numbers that make no surface, and for a surface that is set twice.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::Invalid(what));
        if !is_positive(self.cell_m) {
            return wrong(format!("fusion.cell_m: {} must be above 0", self.cell_m));
        }
        let mut names = BTreeSet::new();
        for surface in &self.surfaces {
            let name = &surface.property;
            if name.is_empty() || !names.insert(name) {
                return wrong(format!(
                    "fusion.surfaces.property: `{name}` is empty or stands twice; each surface is of another property"
                ));
            }
            surface.check()?;
        }
        for calibration in &self.calibrations {
            if !(calibration.days >= 0.0 && calibration.days.is_finite()) {
                return wrong(format!(
                    "fusion.calibrations.days of {}: {} must be 0 or more",
                    calibration.property, calibration.days
                ));
            }
        }
        Ok(())
    }
}

fn is_positive(number: f64) -> bool {
    number > 0.0 && number.is_finite()
}

impl SurfaceSettings {
    fn check(&self) -> Result<()> {
        let name = &self.property;
        for (setting, number) in [("step", self.step), ("range_m", self.range_m)] {
            if !is_positive(number) {
                return Err(Error::Invalid(format!(
                    "fusion.surfaces.{setting} of {name}: {number} must be above 0"
                )));
            }
        }
        let offset = self.log_offset.unwrap_or_default();
        for (setting, number) in [
            ("psill", self.psill),
            ("nugget", self.nugget),
            ("log_offset", offset),
        ] {
            if !(number >= 0.0 && number.is_finite()) {
                return Err(Error::Invalid(format!(
                    "fusion.surfaces.{setting} of {name}: {number} must be 0 or more"
                )));
            }
        }
        Ok(())
    }

    /// The variogram for few stations.
    pub(super) fn variogram(&self) -> Variogram {
        Variogram::Spherical {
            psill: self.psill,
            range: self.range_m,
            nugget: self.nugget,
        }
    }

    /// The value as it is interpolated.
    pub(super) fn forward(&self, value: f64) -> f64 {
        self.log_offset
            .map_or(value, |offset| (value + offset).max(f64::MIN_POSITIVE).ln())
    }

    /// And back.
    pub(super) fn back(&self, value: f64) -> f64 {
        self.log_offset
            .map_or(value, |offset| (value.exp() - offset).max(0.0))
    }
}

impl Default for FusionSettings {
    /// A delta's gauges: levels agree over tens of kilometres. Too few to fit a variogram, so these are set, not found.
    fn default() -> Self {
        Self {
            stations: "stations".into(),
            surfaces: vec![
                SurfaceSettings {
                    property: "water_level".into(),
                    unit: "m".into(),
                    step: 0.001,
                    log_offset: None,
                    psill: 0.6,
                    range_m: 60_000.0,
                    nugget: 0.02,
                },
                SurfaceSettings {
                    property: "salinity".into(),
                    unit: "g/L".into(),
                    step: 0.002,
                    log_offset: Some(0.1),
                    psill: 1.0,
                    range_m: 60_000.0,
                    nugget: 0.02,
                },
            ],
            cell_m: 100.0,
            calibrations: Vec::new(),
        }
    }
}
