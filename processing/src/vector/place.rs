//! Which coordinate system a file is in, and whether its coordinates can be of that system: found out by where they
//! fall.

use super::neighbours::{best, middle};
use crate::gdal_io::system::{System, ToWgs84, ToldDatum, VIETNAM};
use crate::{Error, Result};
use geo::CoordsIter;
use geo_types::Geometry;
use sen_catalog::{Bounds, Crs};

/// How far outside the area of its system a feature may lie, degrees: areas of use are drawn generously.
const MARGIN_DEG: f64 = 3.0;
/// How far from its central meridian a file may lie, degrees: a zone is 3 or 6 wide, and is stretched by its neighbours.
const ZONE_DEG: f64 = 5.0;
/// VN-2000 zones by their provinces around the delta, tried when a file falls elsewhere.
const LIKELY: &[u32] = &[5897, 9210, 9208, 9209, 9207, 32648, 3405];
/// What to type when nothing says which system a file is in.
const EXAMPLES: &str = "--crs EPSG:5897 (VN-2000 TM-3, meridian 105°00'), EPSG:9210 (105°45'), EPSG:32648 (UTM 48N) or \
                        EPSG:4326 (degrees)";

/// What is known of a file before its coordinates are moved.
pub(super) struct Place<'a> {
    /// What people call the file.
    pub(super) what: &'a str,
    /// OGR's name of the format.
    pub(super) driver: &'a str,
    /// What the user said.
    pub(super) told: Option<Crs>,
    /// The datum that the user named for the file's projection.
    pub(super) datum: Option<ToldDatum>,
    /// True when x and y are to be exchanged.
    pub(super) swapped: bool,
    /// Where the data folder's province lies, degrees.
    pub(super) province: Option<Bounds>,
}

/// One position a feature.
pub(super) fn positions<'a>(geometries: impl Iterator<Item = &'a Geometry<f64>>) -> Vec<(f64, f64)> {
    geometries
        .filter_map(|geometry| geometry.coords_iter().next())
        .map(|c| (c.x, c.y))
        .collect()
}

/// A position such as most are, whatever the system: the middle of those with the larger coordinate on the same side.
fn common(positions: &[(f64, f64)]) -> (f64, f64) {
    let (wide, tall): (Vec<_>, Vec<_>) = positions.iter().partition(|(x, y)| x > y);
    middle(if wide.len() >= tall.len() { &wide } else { &tall }).unwrap_or_default()
}

impl Place<'_> {
    fn refused(&self, reason: impl Into<String>) -> Error {
        Error::unreadable(self.what, reason)
    }

    /// The system to read the file in: told, its own, or degrees for a table that holds degrees. Notes say what was
    /// assumed.
    pub(super) fn system(
        &self,
        own: Result<Option<System>, String>,
        positions: &[(f64, f64)],
        notes: &mut Vec<String>,
    ) -> Result<System> {
        if let Some(crs) = self.told {
            let system = System::epsg(crs)?;
            if let Some(own) = own.ok().flatten().filter(|own| own.name() != system.name()) {
                notes.push(format!(
                    "the file says {}; read as {} as told",
                    own.name(),
                    system.name()
                ));
            }
            return Ok(system);
        }
        let (x, y) = common(positions);
        if let Some(own) = own.map_err(|reason| self.refused(reason))? {
            if let Some(datum) = self.datum {
                return own.on(datum);
            }
            if let Some(reason) = &own.assumed {
                notes.push(format!("coordinate system: {reason}"));
            }
            notes.extend(self.datum_note(&own, (x, y)));
            return Ok(own);
        }
        if self.driver == "CSV" && (in_degrees(x, y) || in_degrees(y, x)) {
            if self.datum == Some(ToldDatum::Vn2000) {
                return System::epsg(Crs::epsg(4756));
            }
            notes
                .push("no coordinate system is stated; taken as WGS 84 degrees, --crs says otherwise".into());
            return System::epsg(Crs::WGS84);
        }
        let fits = self.fitting(x, y).unwrap_or_default();
        let prj = if self.driver == "ESRI Shapefile" {
            " (the .prj file is missing)"
        } else {
            ""
        };
        Err(self.refused(format!(
            "states no coordinate system{prj}, coordinates such as {x:.6} {y:.6}; say which it is with {EXAMPLES}{fits}"
        )))
    }

    /// A typical position of the file: the middle of those that suit the system as they stand, or of what is most common.
    pub(super) fn typical(&self, system: &System, positions: &[(f64, f64)]) -> (f64, f64) {
        let turn = |(x, y): (f64, f64)| if self.swapped { (y, x) } else { (x, y) };
        let turned: Vec<_> = positions.iter().copied().map(turn).collect();
        let suiting = system
            .to_wgs84()
            .ok()
            .map(|way| best(system, &way, self.province, &turned));
        suiting
            .and_then(|suiting| middle(&suiting))
            .map_or_else(|| common(positions), turn)
    }

    /// MapInfo has no name for VN-2000 and its writers put WGS 84 there, other programs leave the datum unnamed: which of
    /// the two it is, only the user knows.
    fn datum_note(&self, own: &System, (x, y): (f64, f64)) -> Option<String> {
        let (x, y) = if self.swapped { (y, x) } else { (x, y) };
        let nameless = self.driver == "MapInfo File";
        let twin = own.vn2000_twin().filter(|_| nameless || !own.is_named())?;
        let (lon, lat) = lon_lat(own, x, y)?;
        let why = if nameless {
            "a MapInfo file cannot name VN-2000 and may be in it"
        } else {
            "the file names no datum, only the ellipsoid that VN-2000 has too, and may be in that"
        };
        within(VIETNAM, lon, lat, 0.0).then(|| {
            format!(
                "coordinate system: read as WGS 84, but {why}; the features then lie some 200 m off: import it again with {twin}"
            )
        })
    }

    /// Which of the likely systems would put the position into the province.
    fn fitting(&self, x: f64, y: f64) -> Option<String> {
        let province = self.province?;
        let (x, y) = if self.swapped { (y, x) } else { (x, y) };
        let inside: Vec<_> = LIKELY
            .iter()
            .map(|&code| Crs::epsg(code))
            .filter(|&crs| {
                System::epsg(crs)
                    .ok()
                    .and_then(|system| lon_lat(&system, x, y))
                    .is_some_and(|(lon, lat)| within(province, lon, lat, 0.1))
            })
            .map(|crs| crs.to_string())
            .collect();
        (!inside.is_empty()).then(|| format!("; in {} it would lie in the province", inside.join(" or ")))
    }

    /// Whether coordinates like this one can be of the system.
    ///
    /// # Errors
    /// Swapped axes, degrees in a metric system, metres in degrees, a system of another part of the world; each says
    /// what to type.
    pub(super) fn judge(&self, system: &System, at: (f64, f64), notes: &mut Vec<String>) -> Result<()> {
        let (x, y) = if self.swapped { (at.1, at.0) } else { at };
        let name = system.name();
        let example = format!("coordinates such as {x:.6} {y:.6}");
        let swap = if self.swapped {
            "leave --swap-axes out"
        } else {
            "if they are, add --swap-axes"
        };
        if system.is_geographic() && !in_degrees(x, y) {
            return Err(self.refused(if in_degrees(y, x) {
                format!("{example} look like latitude and longitude swapped (longitude comes first in {name}); {swap}")
            } else {
                format!("{example} are no degrees, but {name} counts in degrees; say the metric system with {EXAMPLES}")
            }));
        }
        if !system.is_geographic() && in_degrees(x, y) {
            return Err(self.refused(format!(
                "{example} look like degrees, but {name} counts in metres; say --crs EPSG:4326 (or EPSG:4756 for VN-2000)"
            )));
        }
        let way = system.to_wgs84()?;
        let inside = |x: f64, y: f64| fits(system, &way, x, y);
        let here = inside(x, y);
        let turned = inside(y, x);
        if here.is_none_or(|(_, fits)| !fits) {
            if turned.is_some_and(|(_, fits)| fits) {
                return Err(self.refused(format!(
                    "{example} look like northing and easting swapped in {name} (easting comes first); {swap}"
                )));
            }
            let falls = here.map_or_else(
                || "have no place on earth".to_owned(),
                |((lon, lat), _)| format!("fall at {lon:.3} {lat:.3}, far from where it is used"),
            );
            let fits = self.fitting(at.0, at.1).unwrap_or_default();
            return Err(self.refused(format!(
                "{example} do not fit {name}: they {falls}; say which it is with {EXAMPLES}{fits}"
            )));
        }
        if let (Some(province), Some(((lon, lat), _))) = (self.province, here) {
            if within(province, lon, lat, 0.5) {
                return Ok(());
            }
            if turned.is_some_and(|((lon, lat), _)| within(province, lon, lat, 0.0)) {
                return Err(self.refused(format!(
                    "{example} would lie in the province with x and y swapped; {swap}"
                )));
            }
            let fits = self.fitting(at.0, at.1).unwrap_or_default();
            notes.push(format!(
                "the features lie around {lon:.3} {lat:.3}, outside the province of this data folder; is {name} right?{fits}"
            ));
        }
        Ok(())
    }
}

fn lon_lat(system: &System, x: f64, y: f64) -> Option<(f64, f64)> {
    system.to_wgs84().ok()?.place(x, y)
}

/// Where a position falls, and whether the system is used there; none without a place on earth, or where metres are
/// degrees or degrees metres.
pub(super) fn fits(system: &System, way: &ToWgs84, x: f64, y: f64) -> Option<((f64, f64), bool)> {
    if system.is_geographic() != in_degrees(x, y) {
        return None;
    }
    let (lon, lat) = way.place(x, y)?;
    let near = system
        .central_meridian()
        .is_none_or(|meridian| (lon - meridian).abs() <= ZONE_DEG);
    let used = near
        && system
            .area()
            .is_none_or(|area| within(area, lon, lat, MARGIN_DEG));
    Some(((lon, lat), used))
}

fn in_degrees(x: f64, y: f64) -> bool {
    x.abs() <= 180.0 && y.abs() <= 90.0
}

/// True when the position lies in the box or at most so many degrees outside.
pub(super) fn within(area: Bounds, lon: f64, lat: f64, margin: f64) -> bool {
    lon >= area.west - margin
        && lon <= area.east + margin
        && lat >= area.south - margin
        && lat <= area.north + margin
}

/// Where a feature may lie: the area of its system with some room.
pub(super) fn reason_outside(system: &System, geometry: &Geometry<f64>) -> Option<String> {
    let world = Bounds::new(-180.0, -90.0, 180.0, 90.0);
    let (area, margin) = system.area().map_or((world, 0.0), |area| (area, MARGIN_DEG));
    geometry
        .coords_iter()
        .find(|c| !within(area, c.x, c.y, margin) || !within(world, c.x, c.y, 0.0))
        .map(|c| {
            format!(
                "lies at {:.3} {:.3}, where {} is not used",
                c.x,
                c.y,
                system.name()
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONG_THAP: Bounds = Bounds {
        west: 105.1,
        south: 10.1,
        east: 106.9,
        north: 11.0,
    };

    fn judge(code: u32, at: (f64, f64), province: Option<Bounds>) -> Result<Vec<String>, String> {
        let place = Place {
            what: "a.shp",
            driver: "ESRI Shapefile",
            told: None,
            datum: None,
            swapped: false,
            province,
        };
        let mut notes = Vec::new();
        let system = System::epsg(Crs::epsg(code)).expect("known");
        place
            .judge(&system, at, &mut notes)
            .map_err(|error| error.to_string())?;
        Ok(notes)
    }

    #[test]
    fn what_does_not_fit_is_found_by_where_it_falls() {
        for (code, at, word) in [
            (4326, (10.46, 105.63), "swapped"),
            (4326, (569_045.0, 1_156_833.0), "no degrees"),
            (5897, (105.63, 10.46), "look like degrees"),
            (5897, (1_156_833.0, 569_045.0), "swapped"),
            (32648, (1_156_833.0, 569_045.0), "swapped"),
            (28992, (569_045.0, 11_156_833.0), "do not fit"),
        ] {
            let refused = judge(code, at, None).expect_err(word);
            assert!(
                refused.contains(word) && refused.contains("a.shp") && refused.contains("--"),
                "{refused}"
            );
        }
        assert_eq!(judge(5897, (569_045.0, 1_156_833.0), None), Ok(vec![]));
        assert_eq!(judge(4326, (105.63, 10.46), Some(DONG_THAP)), Ok(vec![]));
        // the meridian of Web Mercator is Greenwich, and it is used all over the world
        assert_eq!(
            judge(3857, (11_759_345.7, 1_170_924.3), Some(DONG_THAP)),
            Ok(vec![])
        );
    }

    #[test]
    fn the_wrong_half_of_the_province_is_suspected() {
        // an easting of zone 9210 read in 5897 falls 82 km west, still in Viet Nam but out of the province
        let notes = judge(5897, (444_363.7, 1_194_492.4), Some(DONG_THAP)).expect("possible");
        assert!(
            notes[0].contains("outside the province") && notes[0].contains("EPSG:9210"),
            "{notes:?}"
        );
    }
}
