//! Rasters that the user gives beside the scenes: where water is permanent, where radar cannot see it, where no flood
//! reaches. None is needed; what is given is used and stands in the fingerprint of the products made with it.

mod plausible;

use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use plausible::{Plausible, Says};
use schemars::JsonSchema;
use sen_catalog::{Assets, Grid, Window, asset};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::Path;

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

impl Ancillary {
    /// The paths that are set, as they are written.
    pub fn paths(&self) -> Vec<String> {
        let masks = [
            &self.permanent_water,
            &self.built_up,
            &self.forest,
            &self.high_ground,
        ];
        masks
            .into_iter()
            .flatten()
            .map(|mask| mask.path.clone())
            .collect()
    }
}

/// A raster, and which of its values count: those listed and those from `at_least` on; with neither, all but 0. "No data" that the
/// file does not tag is never taken for a value: where it cannot be told from one the raster is refused.
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

/// The user's rasters, found and readable.
#[derive(Debug, Default)]
pub(crate) struct Given {
    rasters: Vec<Raster>,
    /// What the pixels of products depend on; empty without rasters.
    pub(crate) fingerprint: String,
}

/// A raster of the user.
#[derive(Debug)]
struct Raster {
    /// Its setting.
    name: &'static str,
    bit: u8,
    href: String,
    mask: Mask,
    plausible: Plausible,
}

impl Given {
    /// Looks whether the rasters are there; their pixels are not read.
    ///
    /// # Errors
    /// Names the setting and the file that cannot be read.
    pub(crate) fn check(ancillary: &Ancillary, assets: &Assets) -> Result<()> {
        rasters(ancillary, assets).map(|_| ())
    }

    /// Looks whether the rasters are there and takes their checksums.
    ///
    /// # Errors
    /// Names the setting and the file that cannot be read.
    pub(crate) fn open(ancillary: &Ancillary, assets: &Assets) -> Result<Self> {
        let rasters = rasters(ancillary, assets)?;
        let mut hasher = Sha256::new();
        for Raster { name, href, mask, .. } in &rasters {
            let path = Path::new(href);
            let (sha256, _) = asset::checksum(path).map_err(|error| refused(name, &error))?;
            hasher.update(json!([name, sha256, mask.band, mask.values, mask.at_least]).to_string());
            for sidecar in gdal_io::sidecars(path) {
                let (sha256, _) = asset::checksum(&sidecar).map_err(|error| refused(name, &error))?;
                hasher.update(sha256);
            }
        }
        let fingerprint = if rasters.is_empty() {
            String::new()
        } else {
            asset::hex(&hasher.finalize())
        };
        Ok(Self { rasters, fingerprint })
    }

    /// The bits of each cell of a window of the province grid; empty without rasters.
    ///
    /// # Errors
    /// Names the file that cannot be read, or the value in it that may be "no data".
    pub(crate) fn bits(&self, window: Window, province: &Grid) -> Result<Vec<u8>> {
        if self.rasters.is_empty() {
            return Ok(Vec::new());
        }
        let mut bits = vec![0; window.width * window.height];
        for raster in &self.rasters {
            let grid = province.crop(window);
            let values =
                gdal_io::warp_onto(&raster.href, raster.mask.band, &grid, Resampling::Nearest, None)?;
            for (bits, value) in bits.iter_mut().zip(values) {
                match raster.mask.says(value, &raster.plausible) {
                    Says::Counts => *bits |= raster.bit,
                    Says::CountsNot => {}
                    Says::Doubtful => return Err(raster.doubt(value)),
                }
            }
        }
        Ok(bits)
    }
}

fn refused(name: &str, error: &impl std::fmt::Display) -> Error {
    Error::Invalid(format!(
        "processing.ancillary.{name}: {error}; name an existing GeoTIFF or take the setting away"
    ))
}

/// The rasters that are set.
fn rasters(ancillary: &Ancillary, assets: &Assets) -> Result<Vec<Raster>> {
    let settings = [
        ("permanent_water", PERMANENT, &ancillary.permanent_water),
        ("built_up", RADAR_BLIND, &ancillary.built_up),
        ("forest", RADAR_BLIND, &ancillary.forest),
        ("high_ground", HIGH, &ancillary.high_ground),
    ];
    let mut rasters = Vec::new();
    for (name, bit, mask) in settings {
        let Some(mask) = mask else { continue };
        let href = assets.path(&mask.path).to_string_lossy().into_owned();
        let info = gdal_io::info(&href).map_err(|error| refused(name, &error))?;
        if !(1..=info.bands).contains(&mask.band) {
            return Err(Error::Invalid(format!(
                "processing.ancillary.{name}: {href} has {} bands and no band {}",
                info.bands, mask.band
            )));
        }
        rasters.push(Raster {
            name,
            bit,
            href,
            plausible: Plausible::of(name, mask, &info),
            mask: mask.clone(),
        });
    }
    Ok(rasters)
}

impl Raster {
    fn doubt(&self, value: f32) -> Error {
        let Self { name, href, .. } = self;
        let why = if f64::from(value) > self.plausible.greatest {
            format!(
                ", and what counts from {} on ends at {}",
                self.mask.at_least.unwrap_or_default(),
                self.plausible.greatest
            )
        } else {
            " and does not say what its \"no data\" is".to_owned()
        };
        Error::Invalid(format!(
            "processing.ancillary.{name}: {href} holds {value}{why}; if {value} is no data, say so in the file (gdal_edit.py \
             -a_nodata {value}), if it counts, list it: values = [{value}]"
        ))
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
    fn a_value_in_doubt_is_refused_with_its_file_and_what_to_write() {
        let folder = tempfile::tempdir().expect("a folder");
        let assets = Assets::open(folder.path()).expect("asset folders");
        let grid = Grid {
            crs: sen_catalog::Crs::UTM_48N,
            west: 500_000.0,
            north: 1_150_000.0,
            cell_width: 10.0,
            cell_height: 10.0,
            width: 3,
            height: 1,
        };
        let path = folder.path().join("water.tif");
        let given = |values: &[f32], nodata: Option<f64>| {
            gdal_io::write_raster(&path, ("GTiff", "UInt16"), &grid, &[values.to_vec()], nodata, &[]);
            let water = Mask {
                path: path.display().to_string(),
                ..mask(&[], Some(10.0))
            };
            let settings = Ancillary {
                permanent_water: Some(water),
                ..Ancillary::default()
            };
            Given::open(&settings, &assets)
                .expect("opens")
                .bits(grid.window(), &grid)
        };
        assert_eq!(
            given(&[9.0, 12.0, 65_535.0], None).expect("read"),
            [0, PERMANENT, 0]
        );
        assert_eq!(
            given(&[9.0, 12.0, 200.0], Some(200.0)).expect("read"),
            [0, PERMANENT, 0]
        );
        let error = given(&[9.0, 12.0, 200.0], None).expect_err("refused").to_string();
        for word in [
            "ancillary.permanent_water",
            "water.tif",
            "holds 200",
            "-a_nodata 200",
            "values = [200]",
        ] {
            assert!(error.contains(word), "{error}");
        }
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
