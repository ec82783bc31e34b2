//! Coordinate reference systems by EPSG code, and the two transformations of the hot path:
//! Web Mercator in closed form, transverse Mercator (UTM, VN-2000 zones) through proj4rs.

use crate::{Error, Result};
use proj4rs::Proj;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Radius of the sphere of EPSG:3857, in metres (the WGS 84 semi-major axis).
const MERCATOR_RADIUS_M: f64 = 6_378_137.0;

/// The TM-3 zones of VN-2000 by EPSG code, with their central meridians in degrees (EPSG register 12).
const VN2000_TM3: [(u32, f64); 18] = [
    (5896, 102.0),
    (9205, 103.0),
    (9206, 104.0),
    (9207, 104.5),
    (9208, 104.75),
    (5897, 105.0),
    (9209, 105.5),
    (9210, 105.75),
    (9211, 106.0),
    (9212, 106.25),
    (9213, 106.5),
    (9214, 107.0),
    (9215, 107.25),
    (9216, 107.5),
    (5899, 107.75),
    (5898, 108.0),
    (9217, 108.25),
    (9218, 108.5),
];

/// EPSG:6960, "VN-2000 to WGS 84 (2)", as a position-vector rotation: metres, arc-seconds, parts per million.
const VN2000_TO_WGS84: &str =
    "-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278";

/// A coordinate reference system, named by its EPSG code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Crs(u32);

impl Crs {
    /// WGS 84 longitude and latitude in degrees (axis order here is always lon, lat).
    pub const WGS84: Self = Self(4326);
    /// Spherical Web Mercator, metres.
    pub const WEB_MERCATOR: Self = Self(3857);
    /// UTM zone 48 north on WGS 84, metres: the default grid of the Mekong delta.
    pub const UTM_48N: Self = Self(32648);

    /// A system by its EPSG code.
    pub const fn epsg(code: u32) -> Self {
        Self(code)
    }

    /// The EPSG code.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// True when coordinates are degrees.
    pub fn is_geographic(self) -> bool {
        matches!(self.0, 4326 | 4756 | 4979)
    }

    /// The TM-3 zones of VN-2000 with their central meridians in degrees, west to east.
    pub fn vn2000_tm3() -> impl Iterator<Item = (Self, f64)> {
        VN2000_TM3.iter().map(|&(code, meridian)| (Self(code), meridian))
    }

    fn proj(self) -> Result<Proj> {
        // the register of proj4rs holds only some of these zones
        if let Some((_, meridian)) = VN2000_TM3.iter().find(|(code, _)| *code == self.0) {
            let definition = format!(
                "+proj=tmerc +lat_0=0 +lon_0={meridian} +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 \
                 +towgs84={VN2000_TO_WGS84} +units=m +no_defs"
            );
            return Proj::from_proj_string(&definition).map_err(|_| self.unknown());
        }
        let code = u16::try_from(self.0).map_err(|_| self.unknown())?;
        Proj::from_epsg_code(code).map_err(|_| self.unknown())
    }

    fn unknown(self) -> Error {
        Error::Invalid(format!(
            "{self} is not a coordinate system this service can transform"
        ))
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

impl From<Crs> for String {
    fn from(crs: Crs) -> Self {
        crs.to_string()
    }
}

impl TryFrom<String> for Crs {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for Crs {
    type Err = Error;
    /// Accepts `EPSG:32648` in any case.
    fn from_str(text: &str) -> Result<Self> {
        let code = text
            .split_once(':')
            .filter(|(authority, _)| authority.eq_ignore_ascii_case("epsg"));
        code.and_then(|(_, code)| code.parse().ok())
            .map(Self)
            .ok_or_else(|| {
                Error::Invalid(format!(
                    "`{text}` is not a coordinate system; write it as EPSG:32648"
                ))
            })
    }
}

enum Kind {
    Same,
    LonLatToMercator,
    MercatorToLonLat,
    Proj(Box<(Proj, Proj)>),
}

/// A transformation between two systems; shareable between threads.
pub struct Transform {
    from: Crs,
    to: Crs,
    kind: Kind,
}

impl Transform {
    /// Prepares the transformation.
    ///
    /// # Errors
    /// [`Error::Invalid`] when one of the systems is unknown to proj4rs.
    pub fn new(from: Crs, to: Crs) -> Result<Self> {
        let kind = match (from, to) {
            (a, b) if a == b => Kind::Same,
            (Crs::WGS84, Crs::WEB_MERCATOR) => Kind::LonLatToMercator,
            (Crs::WEB_MERCATOR, Crs::WGS84) => Kind::MercatorToLonLat,
            (a, b) => Kind::Proj(Box::new((a.proj()?, b.proj()?))),
        };
        Ok(Self { from, to, kind })
    }

    /// Transforms one point (x east or lon, y north or lat); `None` where the projection has no answer.
    pub fn point(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = match &self.kind {
            Kind::Same => (x, y),
            Kind::LonLatToMercator => lon_lat_to_mercator(x, y),
            Kind::MercatorToLonLat => mercator_to_lon_lat(x, y),
            Kind::Proj(pair) => {
                // degrees in proj4rs are radians
                let (x, y) = if self.from.is_geographic() {
                    (x.to_radians(), y.to_radians())
                } else {
                    (x, y)
                };
                let mut point = (x, y, 0.0);
                proj4rs::transform::transform(&pair.0, &pair.1, &mut point).ok()?;
                if self.to.is_geographic() {
                    (point.0.to_degrees(), point.1.to_degrees())
                } else {
                    (point.0, point.1)
                }
            }
        };
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }
}

/// Longitude and latitude in degrees to EPSG:3857 metres.
pub fn lon_lat_to_mercator(lon: f64, lat: f64) -> (f64, f64) {
    let y = (std::f64::consts::FRAC_PI_4 + lat.to_radians() / 2.0).tan().ln();
    (lon.to_radians() * MERCATOR_RADIUS_M, y * MERCATOR_RADIUS_M)
}

/// EPSG:3857 metres to longitude and latitude in degrees.
pub fn mercator_to_lon_lat(x: f64, y: f64) -> (f64, f64) {
    let lat = 2.0 * (y / MERCATOR_RADIUS_M).exp().atan() - std::f64::consts::FRAC_PI_2;
    ((x / MERCATOR_RADIUS_M).to_degrees(), lat.to_degrees())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utm_agrees_with_proj_9_1_1() {
        // echo "105.6325 10.4603" | cs2cs EPSG:4326 EPSG:32648 (lon/lat order), PROJ 9.1.1
        let transform = Transform::new(Crs::WGS84, Crs::UTM_48N).expect("known systems");
        let (x, y) = transform.point(105.6325, 10.4603).expect("inside the zone");
        let back = Transform::new(Crs::UTM_48N, Crs::WGS84)
            .expect("known systems")
            .point(x, y)
            .expect("inside");
        assert!((back.0 - 105.6325).abs() < 1e-9 && (back.1 - 10.4603).abs() < 1e-9);
        assert!((x - 569_228.0).abs() < 200.0, "{x}");
    }

    #[test]
    fn every_zone_of_vn2000_goes_by_the_official_parameters() {
        for (crs, _) in Crs::vn2000_tm3() {
            assert!(Transform::new(crs, Crs::WGS84).is_ok(), "{crs}");
        }
        // EPSG:6960 pipeline, PROJ 9.1.1 (`cct`)
        for (code, east, north) in [
            (5897, 526_376.137, 1_194_456.493),
            (9210, 444_363.700, 1_194_492.385),
        ] {
            let transform = Transform::new(Crs::epsg(code), Crs::WGS84).expect("known");
            let (lon, lat) = transform.point(east, north).expect("inside");
            assert!((lon - 105.2430).abs() < 2e-8, "EPSG:{code}: {lon}");
            assert!((lat - 10.8010).abs() < 2e-8, "EPSG:{code}: {lat}");
        }
    }

    #[test]
    fn mercator_closed_form_round_trips() {
        let (x, y) = lon_lat_to_mercator(105.5, 10.5);
        let (lon, lat) = mercator_to_lon_lat(x, y);
        assert!((lon - 105.5).abs() < 1e-12 && (lat - 10.5).abs() < 1e-12);
    }
}
