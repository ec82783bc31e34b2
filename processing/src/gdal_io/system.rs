//! Coordinate systems of vector files and their way to WGS 84.
//!
//! VN-2000 goes by the official parameters (EPSG:6960) as an explicit pipeline: PROJ's own choice inside the Mekong
//! delta is an oil company's transformation (EPSG:5194) that lies 0.80 m further west.

pub use super::datum::ToldDatum;

use super::datum::{self, Datum, datum};
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
/// Viet Nam with its islands: west, south, east, north in degrees.
pub const VIETNAM: Bounds = Bounds {
    west: 101.5,
    south: 5.0,
    east: 118.5,
    north: 24.0,
};

/// The coordinate system of a file, or one the user named.
#[derive(Debug)]
pub struct System {
    definition: SpatialRef,
    datum: Datum,
    name: String,
    geographic: bool,
    /// False where neither a code nor the datum's name says which datum it is.
    named: bool,
    /// What was assumed of the datum although the file does not say so.
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

    /// What a file says; none for plans without a place on the earth, and where a GeoPackage says that it is undefined.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a definition that names files of shifts: a file is never led to others by what it says.
    pub(super) fn of_file(definition: SpatialRef) -> Result<Option<Self>> {
        if definition.is_local() || !(definition.is_projected() || definition.is_geographic()) {
            return Ok(None);
        }
        if definition
            .name()
            .is_some_and(|name| name.to_ascii_lowercase().starts_with("undefined"))
        {
            return Ok(None);
        }
        let wkt = definition.to_wkt().unwrap_or_default().to_ascii_lowercase();
        let mut grids = wkt
            .match_indices("grids=")
            .map(|(at, key)| &wkt[at + key.len()..]);
        if grids.any(|grid| !grid.starts_with("@null") && !grid.starts_with("null")) {
            return Err(Error::Invalid(
                "its coordinate system names a file of shifts (nadgrids), which is not opened; say the system with --crs".into(),
            ));
        }
        let code = (definition.auth_name().as_deref() == Some("EPSG"))
            .then(|| definition.auth_code().ok())
            .flatten()
            .and_then(|code| u32::try_from(code).ok());
        Ok(Some(Self::new(definition, code)))
    }

    /// The system of a `.prj` file; none when it is no definition.
    ///
    /// # Errors
    /// As of [`Self::of_file`].
    pub(crate) fn of_prj(text: &str) -> Result<Option<Self>> {
        init();
        SpatialRef::from_esri(text.trim()).map_or(Ok(None), Self::of_file)
    }

    /// The system that a text names: `EPSG:5897`, `urn:ogc:def:crs:EPSG::5897`, the same as an address (which is not
    /// asked), `CRS84`, or a definition in WKT or PROJ.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it names none that is known.
    pub(crate) fn of_name(text: &str) -> Result<Option<Self>> {
        init();
        let text = text.trim();
        let upper = text.to_ascii_uppercase();
        let last = upper.rsplit([':', '/', '#']).next().unwrap_or_default();
        if last == "CRS84" || last == "CRS84H" {
            return Self::epsg(Crs::WGS84).map(Some);
        }
        if let (true, Ok(code)) = (upper.contains("EPSG"), last.trim_end_matches(".XML").parse()) {
            return Self::epsg(Crs::epsg(code)).map(Some);
        }
        let definition = if text.starts_with('+') && text.contains("+proj=") {
            SpatialRef::from_proj4(text)
        } else if text.contains('[') {
            SpatialRef::from_wkt(text)
        } else {
            return Err(Error::Invalid(format!(
                "`{text}` names no coordinate system that is known here"
            )));
        };
        definition.map_or_else(
            |_| {
                Err(Error::Invalid(format!(
                    "`{text}` is no definition of a coordinate system"
                )))
            },
            Self::of_file,
        )
    }

    fn new(definition: SpatialRef, code: Option<u32>) -> Self {
        let name = match (definition.name(), code) {
            (Some(name), Some(code)) => format!("EPSG:{code} {name}"),
            (Some(name), None) => name,
            (None, _) => "an unnamed system".to_owned(),
        };
        let geographic = definition.is_geographic();
        let datum_name = definition
            .get_attr_value("DATUM", 0)
            .ok()
            .flatten()
            .unwrap_or_default();
        let mut proj4 = definition.to_proj4().unwrap_or_default();
        let mut definition = definition;
        let mut unread = None;
        match datum::hidden_shift(&datum_name) {
            Ok(Some(shift)) if datum::stated_shift(&proj4).is_none() => {
                // what the format had no place for is stated again
                let shift: Vec<String> = shift.iter().map(ToString::to_string).collect();
                let stated = format!("{proj4} +towgs84={}", shift.join(","));
                if let Ok(whole) = SpatialRef::from_proj4(&stated) {
                    (definition, proj4) = (whole, stated);
                }
            }
            Err(()) => {
                unread = Some(format!(
                    "the name of its datum (`{datum_name}`) tells of a shift to WGS 84 that cannot be read; the features may \
                     lie hundreds of metres off: say the system with --crs, or --datum vn2000"
                ));
            }
            Ok(_) => {}
        }
        definition.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        let (datum, assumed) = datum(&definition, code, &proj4, geographic);
        Self {
            definition,
            datum,
            name,
            geographic,
            named: code.is_some() || !datum::is_unnamed(&datum_name),
            assumed: assumed.or(unread.filter(|_| datum != Datum::Vn2000)),
        }
    }

    /// The same projection on a datum that the user names.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the projection cannot stand on it.
    pub fn on(mut self, told: ToldDatum) -> Result<Self> {
        let suffix = match told {
            ToldDatum::Vn2000 => "VN-2000",
            ToldDatum::Wgs84 => "WGS 84",
        };
        self.name = format!("{} on {suffix}", self.name);
        self.assumed = None;
        self.named = true;
        if told == ToldDatum::Vn2000 {
            self.datum = Datum::Vn2000;
            return Ok(self);
        }
        if self.geographic {
            self.datum = Datum::Wgs84Degrees;
            return Ok(self);
        }
        let definition = self
            .projection()
            .and_then(|projection| SpatialRef::from_proj4(&format!("{projection} +datum=WGS84 +no_defs")))
            .map_err(|error| Error::Invalid(format!("{} cannot lie on WGS 84: {error}", self.name)))?;
        Ok(Self {
            definition,
            datum: Datum::Other,
            ..self
        })
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

    /// True where a code or the datum's name says which datum it is.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// What to type for the system of VN-2000 that a file may be in which can only name WGS 84 (or no datum, on an
    /// ellipsoid as good as the same) in its place.
    pub fn vn2000_twin(&self) -> Option<&'static str> {
        let proj4 = self.definition.to_proj4().unwrap_or_default();
        if self.is_vn2000() || !datum::is_like_wgs84(&proj4) {
            return None;
        }
        let utm = datum::value(&proj4, "proj") == Some("utm");
        Some(match (self.geographic, self.central_meridian()) {
            (true, _) => "--crs EPSG:4756",
            (false, Some(105.0)) if utm => "--crs EPSG:3405",
            (false, Some(111.0)) if utm => "--crs EPSG:3406",
            (false, Some(_)) => "--datum vn2000",
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
        let traditional = |mut system: SpatialRef| {
            system.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
            system
        };
        let wgs84 = traditional(SpatialRef::from_epsg(4326)?);
        match self.datum {
            Datum::Wgs84Degrees => Ok(None),
            Datum::Other => CoordTransform::new(&self.definition, &wgs84).map(Some),
            Datum::Vn2000 => {
                // the pipeline counts with the order of axes of its source, so that is one of ours: a file's own may
                // have longitude or northing first
                let source = traditional(if self.geographic {
                    SpatialRef::from_epsg(4756)?
                } else {
                    SpatialRef::from_proj4(&format!("{} +ellps=WGS84 +no_defs", self.projection()?))?
                });
                let mut options = CoordTransformOptions::new()?;
                options.set_coordinate_operation(&self.vn2000_pipeline()?, false)?;
                CoordTransform::new_with_options(&source, &wgs84, &options).map(Some)
            }
        }
    }

    /// The projection alone, as PROJ writes it.
    fn projection(&self) -> Result<String, GdalError> {
        let keep = [
            "proj", "lat_0", "lon_0", "lat_1", "lat_2", "lat_ts", "k", "k_0", "x_0", "y_0", "zone", "south",
            "units", "to_meter",
        ];
        let proj4 = self.definition.to_proj4()?;
        let kept: Vec<_> = proj4
            .split_whitespace()
            .filter(|part| {
                let key = part.trim_start_matches('+').split('=').next().unwrap_or_default();
                keep.contains(&key)
            })
            .collect();
        Ok(kept.join(" "))
    }

    /// Projected or geographic VN-2000 to WGS 84; the last step gives latitude first, as EPSG:4326 has it, and GDAL
    /// turns it back to longitude first.
    fn vn2000_pipeline(&self) -> Result<String, GdalError> {
        let first = if self.geographic {
            "+step +proj=axisswap +order=2,1 +step +proj=unitconvert +xy_in=deg +xy_out=rad".to_owned()
        } else {
            format!("+step +inv {} +ellps=WGS84", self.projection()?)
        };
        Ok(format!(
            "+proj=pipeline {first} +step +proj=push +v_3 +step +proj=cart +ellps=WGS84 +step {VN2000_TO_WGS84} \
             +step +inv +proj=cart +ellps=WGS84 +step +proj=pop +v_3 +step +proj=unitconvert +xy_in=rad +xy_out=deg \
             +step +proj=axisswap +order=2,1"
        ))
    }
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
