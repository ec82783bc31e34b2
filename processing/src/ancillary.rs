//! Rasters that the user gives beside the scenes: where water is permanent, where radar cannot see it, where no flood
//! reaches. None is needed; what is given is used and stands in the fingerprint of the products made with it.

use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use schemars::JsonSchema;
use sen_catalog::{Assets, Grid, Window, asset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Bit of a cell: permanent water.
pub const PERMANENT: u8 = 1;
/// Bit of a cell: radar cannot tell water there (buildings, dense forest).
pub const RADAR_BLIND: u8 = 2;
/// Bit of a cell: too high for any flood.
pub const HIGH: u8 = 4;

/// Rasters of the user; each may lack.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ancillary {
    /// Permanent water, such as JRC Global Surface Water's seasonality with `at_least = 10` (months).
    pub permanent_water: Option<Mask>,
    /// Buildings, among which radar cannot tell water, such as a land cover map with `values = [50]`.
    pub built_up: Option<Mask>,
    /// Dense forest, under which radar cannot see water.
    pub forest: Option<Mask>,
    /// Ground that no flood reaches, such as height above the nearest drainage with `at_least = 15` (metres), or a DEM.
    pub high_ground: Option<Mask>,
}

/// A raster, and which of its values count: those listed and those from `at_least` on; with neither, all but 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    /// The GeoTIFF, in any coordinate system; relative to the data folder.
    pub path: String,
    /// Which of its bands, from 1.
    #[serde(default = "first")]
    pub band: usize,
    /// Values that count.
    #[serde(default)]
    pub values: Vec<f64>,
    /// The least value that counts.
    #[serde(default)]
    pub at_least: Option<f64>,
}

fn first() -> usize {
    1
}

impl Mask {
    fn counts(&self, value: f32) -> bool {
        let value = f64::from(value);
        if self.values.is_empty() && self.at_least.is_none() {
            value != 0.0 && !value.is_nan()
        } else {
            self.values.contains(&value) || self.at_least.is_some_and(|least| value >= least)
        }
    }
}

/// The user's rasters, found and readable.
#[derive(Debug, Default)]
pub(crate) struct Given {
    masks: Vec<(u8, String, Mask)>,
    /// What the pixels of products depend on; empty without rasters.
    pub(crate) fingerprint: String,
}

impl Given {
    /// Looks whether the rasters are there and takes their checksums.
    ///
    /// # Errors
    /// Names the setting and the file that cannot be read.
    pub(crate) fn open(ancillary: &Ancillary, assets: &Assets) -> Result<Self> {
        let settings = [
            ("permanent_water", PERMANENT, &ancillary.permanent_water),
            ("built_up", RADAR_BLIND, &ancillary.built_up),
            ("forest", RADAR_BLIND, &ancillary.forest),
            ("high_ground", HIGH, &ancillary.high_ground),
        ];
        let (mut masks, mut hasher) = (Vec::new(), Sha256::new());
        for (name, bit, mask) in settings {
            let Some(mask) = mask else { continue };
            let path = assets.path(&mask.path);
            let href = path.to_string_lossy().into_owned();
            let refused = |error: Error| {
                Error::Invalid(format!(
                    "processing.ancillary.{name}: {error}; name an existing GeoTIFF or take the setting away"
                ))
            };
            let info = gdal_io::info(&href).map_err(refused)?;
            if !(1..=info.bands).contains(&mask.band) {
                return Err(Error::Invalid(format!(
                    "processing.ancillary.{name}: {href} has {} bands and no band {}",
                    info.bands, mask.band
                )));
            }
            let (sha256, _) = asset::checksum(&path).map_err(|error| refused(error.into()))?;
            hasher.update(json!([name, sha256, mask.band, mask.values, mask.at_least]).to_string());
            masks.push((bit, href, mask.clone()));
        }
        let fingerprint = if masks.is_empty() {
            String::new()
        } else {
            asset::hex(&hasher.finalize())
        };
        Ok(Self { masks, fingerprint })
    }

    /// The bits of each cell of a window of the province grid; empty without rasters.
    ///
    /// # Errors
    /// Names the file that cannot be read.
    pub(crate) fn bits(&self, window: Window, province: &Grid) -> Result<Vec<u8>> {
        if self.masks.is_empty() {
            return Ok(Vec::new());
        }
        let mut bits = vec![0; window.width * window.height];
        for (bit, href, mask) in &self.masks {
            let grid = province.crop(window);
            let values = gdal_io::warp_onto(href, mask.band, &grid, Resampling::Nearest, None)?;
            for (bits, value) in bits.iter_mut().zip(values) {
                if mask.counts(value) {
                    *bits |= bit;
                }
            }
        }
        Ok(bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(values: &[f64], at_least: Option<f64>) -> Mask {
        Mask {
            path: String::new(),
            band: 1,
            values: values.to_vec(),
            at_least,
        }
    }

    #[test]
    fn values_count_that_are_listed_or_large_enough_and_otherwise_all_but_zero() {
        let counted = |mask: Mask| [0.0, 1.0, 10.0, 50.0, f32::NAN].map(|value| mask.counts(value));
        assert_eq!(counted(mask(&[], None)), [false, true, true, true, false]);
        assert_eq!(counted(mask(&[], Some(10.0))), [false, false, true, true, false]);
        assert_eq!(
            counted(mask(&[1.0], Some(50.0))),
            [false, true, false, true, false]
        );
    }

    #[test]
    fn a_raster_that_is_not_there_is_named_with_its_setting() {
        let folder = tempfile::tempdir().expect("a folder");
        let assets = Assets::open(folder.path()).expect("asset folders");
        let settings = Ancillary {
            built_up: Some(Mask {
                path: "towns.tif".to_owned(),
                ..mask(&[], None)
            }),
            ..Ancillary::default()
        };
        let error = Given::open(&settings, &assets)
            .expect_err("there is none")
            .to_string();
        assert!(
            error.contains("ancillary.built_up") && error.contains("towns.tif"),
            "{error}"
        );
        assert_eq!(
            Given::open(&Ancillary::default(), &assets)
                .expect("nothing is asked for")
                .fingerprint,
            ""
        );
    }
}
