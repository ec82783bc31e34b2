//! Coordinate systems of vector files and their way to WGS 84.
//!
//! VN-2000 goes by the official parameters (EPSG:6960) as an explicit pipeline: PROJ's own choice inside the Mekong
//! delta is an oil company's transformation (EPSG:5194) that lies 0.80 m further west.

use super::init;
use crate::{Error, Result};
use gdal::errors::GdalError;
use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, CoordTransformOptions, SpatialRef};
use geo::CoordsIter;
use geo::MapCoordsInPlace;
use geo_types::{Coord, Geometry};
use sen_catalog::{Bounds, Crs};
use std::cell::RefCell;

/// EPSG:6960, "VN-2000 to WGS 84 (2)" of the Department of Survey and Mapping: metres, arc-seconds, parts per million;
/// coordinate-frame rotation.
const VN2000_TO_WGS84: &str = "+proj=helmert +x=-191.90441429 +y=-39.30318279 +z=-111.45032835 \
     +rx=-0.00928836 +ry=0.01975479 +rz=-0.00427372 +s=0.252906278 +convention=coordinate_frame";
/// Translations of EPSG:6960, metres. Other sets in use (EPSG:5194, older programs) lie within a metre or two of it.
const VN2000_TRANSLATION_M: [f64; 3] = [-191.90441429, -39.30318279, -111.45032835];
/// How far the translations of a file's own `towgs84` may lie from the official ones to mean the same datum, metres.
const SAME_DATUM_M: f64 = 5.0;
/// Codes of VN-2000 in the EPSG register: geographic, UTM zones, TM-3 zones (and their withdrawn first versions).
const VN2000_CODES: &[u32] = &[
    3405, 3406, 4756, 4755, 5896, 5897, 5898, 5899, 6956, 6957, 6958, 6959, 9205, 9206, 9207, 9208, 9209,
    9210, 9211, 9212, 9213, 9214, 9215, 9216, 9217, 9218,
];
/// Viet Nam with its islands: west, south, east, north in degrees.
pub const VIETNAM: Bounds = Bounds {
    west: 101.5,
    south: 5.0,
    east: 118.5,
    north: 24.0,
};

/// Which way leads to WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Datum {
    /// WGS 84 longitude and latitude already.
    Wgs84Degrees,
    /// VN-2000, by the official parameters.
    Vn2000,
    /// Whatever PROJ knows.
    Other,
}

/// The coordinate system of a file, or one the user named.
#[derive(Debug)]
pub struct System {
    definition: SpatialRef,
    datum: Datum,
    name: String,
    geographic: bool,
    /// Why the datum was taken for VN-2000 although the file does not say so.
    pub assumed: Option<String>,
}

impl System {
    /// The system of an EPSG code.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a code that PROJ does not know.
    pub fn epsg(crs: Crs) -> Result<Self> {
        init();
        let definition = SpatialRef::from_epsg(crs.code())
            .map_err(|_| Error::Invalid(format!("{crs} is not a coordinate system of the EPSG register")))?;
        Ok(Self::new(definition, Some(crs.code())))
    }

    /// What a file says; none for plans without a place on the earth.
    pub(super) fn of_file(definition: SpatialRef) -> Option<Self> {
        if definition.is_local() || !(definition.is_projected() || definition.is_geographic()) {
            return None;
        }
        let code = (definition.auth_name().as_deref() == Some("EPSG"))
            .then(|| definition.auth_code().ok())
            .flatten()
            .and_then(|code| u32::try_from(code).ok());
        Some(Self::new(definition, code))
    }

    fn new(mut definition: SpatialRef, code: Option<u32>) -> Self {
        definition.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let name = match (definition.name(), code) {
            (Some(name), Some(code)) => format!("EPSG:{code} {name}"),
            (Some(name), None) => name,
            (None, _) => "an unnamed system".to_owned(),
        };
        let geographic = definition.is_geographic();
        let proj4 = definition.to_proj4().unwrap_or_default();
        let (datum, assumed) = datum(&definition, code, &proj4, geographic);
        Self {
            definition,
            datum,
            name,
            geographic,
            assumed,
        }
    }

    /// Code and name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when coordinates are degrees.
    pub fn is_geographic(&self) -> bool {
        self.geographic
    }

    /// True for the datum VN-2000.
    pub fn is_vn2000(&self) -> bool {
        self.datum == Datum::Vn2000
    }

    /// The system of VN-2000 that a file may be in which can only name WGS 84 (or no datum, on an ellipsoid as good as
    /// the same) in its place.
    pub fn vn2000_twin(&self) -> Option<&'static str> {
        let proj4 = self.definition.to_proj4().unwrap_or_default();
        let has = |part: &str| proj4.split_whitespace().any(|own| own == part);
        let shift = proj4
            .split_whitespace()
            .find_map(|part| part.strip_prefix("+towgs84="))
            .is_some_and(|shift| shift.split(',').any(|part| part.parse() != Ok(0.0)));
        let like_wgs84 = ["+datum=WGS84", "+ellps=WGS84", "+datum=NAD83", "+ellps=GRS80"];
        if self.is_vn2000() || shift || !like_wgs84.into_iter().any(has) {
            return None;
        }
        Some(match (self.geographic, self.central_meridian()) {
            (true, _) => "EPSG:4756",
            (false, Some(105.0)) if has("+proj=utm") => "EPSG:3405",
            (false, Some(111.0)) if has("+proj=utm") => "EPSG:3406",
            (false, Some(_)) => "EPSG:n, the zone it was made in",
            (false, None) => return None,
        })
    }

    /// Where on earth coordinates of this system lie, degrees: the register's area of use, Viet Nam for VN-2000.
    pub fn area(&self) -> Option<Bounds> {
        if self.is_vn2000() {
            return Some(VIETNAM);
        }
        let area = self.definition.area_of_use()?;
        (area.west_lon_degree < area.east_lon_degree).then(|| {
            Bounds::new(
                area.west_lon_degree,
                area.south_lat_degree,
                area.east_lon_degree,
                area.north_lat_degree,
            )
        })
    }

    /// Central meridian of a transverse Mercator zone, degrees; other projections are used far from theirs.
    pub fn central_meridian(&self) -> Option<f64> {
        let projection = self.definition.get_attr_value("PROJECTION", 0).ok().flatten();
        if self.geographic || projection.as_deref() != Some("Transverse_Mercator") {
            return None;
        }
        self.definition.get_proj_param("central_meridian").ok().flatten()
    }

    /// The way to WGS 84 longitude and latitude.
    ///
    /// # Errors
    /// [`Error::Invalid`] when PROJ finds none.
    pub fn to_wgs84(&self) -> Result<ToWgs84> {
        self.transformation()
            .map(ToWgs84)
            .map_err(|error| Error::Invalid(format!("no way leads from {} to WGS 84: {error}", self.name)))
    }

    fn transformation(&self) -> Result<Option<CoordTransform>, GdalError> {
        let mut wgs84 = SpatialRef::from_epsg(4326)?;
        wgs84.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        match self.datum {
            Datum::Wgs84Degrees => Ok(None),
            Datum::Other => CoordTransform::new(&self.definition, &wgs84).map(Some),
            Datum::Vn2000 => {
                let mut options = CoordTransformOptions::new()?;
                options.set_coordinate_operation(&self.vn2000_pipeline()?, false)?;
                CoordTransform::new_with_options(&self.definition, &wgs84, &options).map(Some)
            }
        }
    }

    /// Projected or geographic VN-2000 to WGS 84; the last step gives latitude first, as EPSG:4326 has it, and GDAL
    /// turns it back to longitude first.
    fn vn2000_pipeline(&self) -> Result<String, GdalError> {
        let first = if self.geographic {
            "+step +proj=axisswap +order=2,1 +step +proj=unitconvert +xy_in=deg +xy_out=rad".to_owned()
        } else {
            let proj4 = self.definition.to_proj4()?;
            let keep = [
                "proj", "lat_0", "lon_0", "lat_1", "lat_2", "k", "k_0", "x_0", "y_0", "zone", "units",
                "to_meter",
            ];
            let projection: Vec<_> = proj4
                .split_whitespace()
                .filter(|part| {
                    let key = part.trim_start_matches('+').split('=').next().unwrap_or_default();
                    keep.contains(&key)
                })
                .collect();
            format!("+step +inv {} +ellps=WGS84", projection.join(" "))
        };
        Ok(format!(
            "+proj=pipeline {first} +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 +step {VN2000_TO_WGS84} \
             +step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg \
             +step +proj=axisswap +order=2,1"
        ))
    }
}

/// Compares letters and digits only: `D_Vietnam_2000`, `Vietnam 2000`, `VN-2000 / TM-3 zone 482`.
fn speaks_of_vn2000(text: &str) -> bool {
    let plain: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    ["vn2000", "vietnam2000"].iter().any(|name| plain.contains(name))
}

fn datum(
    definition: &SpatialRef,
    code: Option<u32>,
    proj4: &str,
    geographic: bool,
) -> (Datum, Option<String>) {
    if code.is_some_and(|code| VN2000_CODES.contains(&code)) {
        return (Datum::Vn2000, None);
    }
    let datum_name = definition
        .get_attr_value("DATUM", 0)
        .ok()
        .flatten()
        .unwrap_or_default();
    if speaks_of_vn2000(&datum_name) || definition.name().is_some_and(|name| speaks_of_vn2000(&name)) {
        return (Datum::Vn2000, None);
    }
    let value = |key: &str| {
        proj4
            .split_whitespace()
            .find_map(|part| part.strip_prefix('+')?.strip_prefix(key)?.strip_prefix('='))
    };
    let number = |key: &str| value(key).and_then(|text| text.parse::<f64>().ok());
    if let Some(shift) = value("towgs84") {
        let shift: Vec<f64> = shift.split(',').filter_map(|part| part.parse().ok()).collect();
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= SAME_DATUM_M;
        if shift.len() >= 3 && shift.iter().zip(&VN2000_TRANSLATION_M).all(near) {
            return (Datum::Vn2000, None);
        }
        if shift.iter().any(|part| *part != 0.0) {
            return (Datum::Other, None);
        }
    }
    // MapInfo has no name for VN-2000, and many programs write its zones as if they lay on WGS 84. Nothing else has
    // this scale on these meridians.
    let on_wgs84 = value("ellps") == Some("WGS84") || value("datum") == Some("WGS84");
    let meridian = number("lon_0").unwrap_or(f64::NAN);
    let zone = (102.0..=108.5).contains(&meridian) && (meridian * 4.0).fract() == 0.0;
    let scale = number("k").or_else(|| number("k_0")).unwrap_or(1.0);
    if on_wgs84
        && value("proj") == Some("tmerc")
        && zone
        && scale == 0.9999
        && number("x_0") == Some(500_000.0)
    {
        let reason = format!(
            "its projection (transverse Mercator on {meridian}°, scale 0.9999) is a zone of VN-2000 though the file does \
             not name that datum; taken as VN-2000, --crs says otherwise"
        );
        return (Datum::Vn2000, Some(reason));
    }
    if geographic && (value("datum") == Some("WGS84") || code == Some(4326)) {
        return (Datum::Wgs84Degrees, None);
    }
    (Datum::Other, None)
}

/// The way from a system to WGS 84.
pub struct ToWgs84(Option<CoordTransform>);

impl ToWgs84 {
    /// Moves every position of a geometry to longitude and latitude.
    ///
    /// # Errors
    /// The reason, when a position has no place on earth in this system.
    pub fn apply(&self, geometry: &mut Geometry<f64>) -> Result<(), String> {
        let Some(transform) = &self.0 else {
            return Ok(());
        };
        let (mut x, mut y): (Vec<f64>, Vec<f64>) = geometry.coords_iter().map(|c| (c.x, c.y)).unzip();
        if x.is_empty() {
            return Ok(());
        }
        let reason = "a coordinate has no place on earth in the stated system";
        transform
            .transform_coords(&mut x, &mut y, &mut [])
            .map_err(|_| reason.to_owned())?;
        if x.iter().chain(&y).any(|number| !number.is_finite()) {
            return Err(reason.to_owned());
        }
        let moved = RefCell::new(x.into_iter().zip(y));
        geometry.map_coords_in_place(|c| moved.borrow_mut().next().map_or(c, |(x, y)| Coord { x, y }));
        Ok(())
    }
}

#[cfg(test)]
#[path = "system_tests.rs"]
mod tests;
