//! Whether a feature lies where the others of its file lie: one with its axes swapped, or that the logger put at 0 0, is
//! named by its code, in whatever system.

use super::ReadOptions;
use super::place::{fits, within};
use crate::Result;
use crate::gdal_io::system::{System, ToWgs84};
use crate::gdal_io::vector::RawShape;
use geo::{BoundingRect, CoordsIter};
use geo_types::{Geometry, Point};
use sen_catalog::Bounds;

/// How many positions are looked at to find where the file lies.
const SAMPLE: usize = 2_000;
/// Room around the province, degrees: gauges and plots of its neighbours are in many files.
const AROUND_DEG: f64 = 0.5;
/// A feature farther from the middle of the file than this is far, degrees, unless the file is wide.
const REACH_DEG: f64 = 1.0;
/// A file is as wide as so many times the median distance of its features from their middle.
const SPREADS: f64 = 10.0;
/// Fewer features have no middle.
const MIN_FEATURES: usize = 3;
/// So far from the province nothing is taken that lies far from the others too, degrees; gauges far up the Mekong are
/// nearer. The same holds over HTTP.
const TOO_FAR_DEG: f64 = 10.0;
/// Kilometres of a degree of latitude.
const KM_PER_DEG: f64 = 111.0;

/// How well a position suits: in the province, in the area of its system, not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Suits {
    Not,
    System,
    Province,
}

/// How well a position suits as it stands.
pub(super) fn suits(system: &System, way: &ToWgs84, province: Option<Bounds>, (x, y): (f64, f64)) -> Suits {
    match fits(system, way, x, y) {
        Some(((lon, lat), _)) if province.is_some_and(|area| within(area, lon, lat, AROUND_DEG)) => {
            Suits::Province
        }
        Some((_, true)) => Suits::System,
        _ => Suits::Not,
    }
}

/// The positions that suit best as they stand, at least as well as with axes exchanged; evenly taken from all.
pub(super) fn best(
    system: &System,
    way: &ToWgs84,
    province: Option<Bounds>,
    positions: &[(f64, f64)],
) -> Vec<(f64, f64)> {
    let step = positions.len().div_ceil(SAMPLE).max(1);
    let rated: Vec<_> = positions
        .iter()
        .step_by(step)
        .map(|&(x, y)| {
            (
                (x, y),
                suits(system, way, province, (x, y)),
                suits(system, way, province, (y, x)),
            )
        })
        .filter(|(_, own, turned)| *own > Suits::Not && own >= turned)
        .collect();
    let most = rated.iter().map(|(_, own, _)| *own).max();
    rated
        .into_iter()
        .filter(|(_, own, _)| Some(*own) == most)
        .map(|(at, ..)| at)
        .collect()
}

/// Median of each coordinate.
pub(super) fn middle(positions: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (mut x, mut y): (Vec<f64>, Vec<f64>) = positions.iter().copied().unzip();
    let half = x.len() / 2;
    (!x.is_empty()).then(|| {
        let (_, x, _) = x.select_nth_unstable_by(half, f64::total_cmp);
        let (_, y, _) = y.select_nth_unstable_by(half, f64::total_cmp);
        (*x, *y)
    })
}

/// Where the features of a file lie.
pub(super) struct Neighbours {
    system: String,
    way: ToWgs84,
    geographic: bool,
    swapped: bool,
    province: Option<Bounds>,
    /// Middle of the file in degrees, and how far from it a feature is none of the others; none of few features.
    around: Option<((f64, f64), f64)>,
}

impl Neighbours {
    /// Looks where they lie.
    ///
    /// # Errors
    /// When no way leads to WGS 84.
    pub(super) fn of(system: &System, positions: &[(f64, f64)], options: &ReadOptions) -> Result<Self> {
        let way = system.to_wgs84()?;
        let (swapped, province) = (options.swap_axes, options.province);
        let positions: Vec<_> = positions
            .iter()
            .map(|&(x, y)| if swapped { (y, x) } else { (x, y) })
            .collect();
        let places: Vec<_> = best(system, &way, province, &positions)
            .into_iter()
            .filter_map(|(x, y)| way.place(x, y))
            .collect();
        let middle = middle(&places).filter(|_| positions.len() >= MIN_FEATURES || province.is_some());
        let around = middle.map(|middle| {
            let mut distances: Vec<f64> = places.iter().map(|&place| distance(middle, place)).collect();
            let half = distances.len() / 2;
            let (_, spread, _) = distances.select_nth_unstable_by(half, f64::total_cmp);
            (middle, REACH_DEG.max(SPREADS * *spread))
        });
        Ok(Self {
            system: system.name().to_owned(),
            way,
            geographic: system.is_geographic(),
            swapped,
            province,
            around,
        })
    }

    fn is_near(&self, place: (f64, f64)) -> bool {
        let in_province = self
            .province
            .is_some_and(|area| within(area, place.0, place.1, AROUND_DEG));
        in_province
            || self
                .around
                .is_none_or(|(middle, reach)| distance(middle, place) <= reach)
    }

    /// Why a shape, in the coordinates of the file, is surely in a wrong place; none when it is not.
    pub(super) fn misplaced(&self, shape: &RawShape) -> Option<String> {
        let (RawShape::Sound(geometry, _), Some((middle, _))) = (shape, self.around) else {
            return None;
        };
        let first = geometry.coords_iter().next()?;
        let (x, y) = if self.swapped {
            (first.y, first.x)
        } else {
            (first.x, first.y)
        };
        let own = self
            .way
            .place(x, y)
            .filter(|&(lon, lat)| self.is_on_earth(x, y, lon, lat));
        if own.is_some_and(|place| self.is_near(place)) {
            return None;
        }
        if x == 0.0 && y == 0.0 {
            return Some("lies at 0 0, which is written where a position is not known".to_owned());
        }
        let turned = self
            .way
            .place(y, x)
            .filter(|&(lon, lat)| self.is_on_earth(y, x, lon, lat));
        if turned.is_some_and(|place| self.is_near(place)) {
            let axes = if self.geographic {
                "latitude and longitude"
            } else {
                "northing and easting"
            };
            return Some(format!(
                "its coordinates {x} {y} look like {axes} swapped in {}: exchanged they lie among the others; put it right, or \
                 import what is like it from a file of its own {}",
                self.system,
                if self.swapped {
                    "without --swap-axes"
                } else {
                    "with --swap-axes"
                }
            ));
        }
        let (own, province) = own.zip(self.province)?;
        let too_far =
            within(province, middle.0, middle.1, AROUND_DEG) && !within(province, own.0, own.1, TOO_FAR_DEG);
        too_far.then(|| {
            format!(
                "lies at {:.3} {:.3}, more than {TOO_FAR_DEG} degrees from the province and from the others of the file",
                own.0, own.1
            )
        })
    }

    fn is_on_earth(&self, x: f64, y: f64, lon: f64, lat: f64) -> bool {
        // degrees pass unchanged, so that 105 north has to be refused here
        let degrees = !self.geographic || (x.abs() <= 180.0 && y.abs() <= 90.0);
        degrees && lon.abs() <= 180.0 && lat.abs() <= 90.0
    }

    /// Why it is doubtful that a feature, in WGS 84, lies where it should; none when it lies among the others.
    pub(super) fn doubt(&self, geometry: &Geometry<f64>) -> Option<String> {
        let ((middle, _), rect) = self.around.zip(geometry.bounding_rect())?;
        let (min, max) = (rect.min(), rect.max());
        let corners = [(min.x, min.y), (max.x, max.y), (min.x, max.y), (max.x, min.y)];
        let farthest = corners
            .into_iter()
            .max_by(|a, b| distance(middle, *a).total_cmp(&distance(middle, *b)))?;
        (!self.is_near(farthest)).then(|| {
            let province = if self.province.is_some() {
                " and outside the province"
            } else {
                ""
            };
            format!(
                "reaches to {:.3} {:.3}, {:.0} km from the middle of the file{province}; is its place right?",
                farthest.0,
                farthest.1,
                distance(middle, farthest) * KM_PER_DEG
            )
        })
    }
}

/// Degrees between two places, as good as needed to tell near from far.
fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let narrower = f64::midpoint(a.1, b.1).to_radians().cos();
    ((a.0 - b.0) * narrower).hypot(a.1 - b.1)
}

impl ToWgs84 {
    /// Longitude and latitude of one position; none without a place on earth.
    pub(super) fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let mut point: Geometry<f64> = Point::new(x, y).into();
        self.apply(&mut point).ok()?;
        point.coords_iter().next().map(|c| (c.x, c.y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::Crs;

    const PROVINCE: Bounds = Bounds {
        west: 105.1,
        south: 10.1,
        east: 106.9,
        north: 11.0,
    };

    fn neighbours(code: u32, positions: &[(f64, f64)], province: Option<Bounds>) -> Neighbours {
        let options = ReadOptions {
            province,
            ..ReadOptions::zones("plots")
        };
        Neighbours::of(
            &System::epsg(Crs::epsg(code)).expect("known"),
            positions,
            &options,
        )
        .expect("a way")
    }

    fn misplaced(near: &Neighbours, (x, y): (f64, f64)) -> Option<String> {
        near.misplaced(&RawShape::Sound(Point::new(x, y).into(), None))
    }

    #[test]
    fn one_of_many_with_its_axes_swapped_is_named_in_metres_and_in_degrees() {
        for (code, place) in [
            (4326, (105.6, 10.4)),
            (5897, (569_045.0, 1_156_833.0)),
            (32648, (569_045.0, 1_156_833.0)),
            (3857, (11_759_345.7, 1_170_924.3)),
        ] {
            let step = if code == 4326 { 0.001 } else { 100.0 };
            let mut positions: Vec<_> = (0..20)
                .map(|n| (place.0 + f64::from(n) * step, place.1))
                .collect();
            positions.push((place.1, place.0));
            for province in [None, Some(PROVINCE)] {
                let near = neighbours(code, &positions, province);
                let reason = misplaced(&near, (place.1, place.0)).expect("swapped");
                assert!(
                    reason.contains("swapped") && reason.contains("--swap-axes"),
                    "EPSG:{code}: {reason}"
                );
                assert_eq!(misplaced(&near, place), None, "EPSG:{code}");
            }
        }
    }

    #[test]
    fn nowhere_and_the_other_end_of_the_world_are_no_places() {
        let positions = [
            (105.5, 10.5),
            (0.0, 0.0),
            (105.52, 10.51),
            (104.7, 12.3),
            (20.0, 50.0),
        ];
        let near = neighbours(4326, &positions, Some(PROVINCE));
        assert!(misplaced(&near, (0.0, 0.0)).expect("nowhere").contains("0 0"));
        assert!(
            misplaced(&near, (20.0, 50.0))
                .expect("Poland")
                .contains("10 degrees")
        );
        // a gauge up the river is taken, and named
        assert_eq!(misplaced(&near, (104.7, 12.3)), None);
        let doubt = |lon: f64, lat: f64| near.doubt(&Point::new(lon, lat).into());
        assert!(doubt(104.7, 12.3).expect("far").contains("km from"));
        assert_eq!(doubt(106.3, 10.4), None, "in the province");
    }

    #[test]
    fn a_file_of_the_whole_country_has_no_far_end() {
        let positions: Vec<_> = (0..60)
            .map(|n| (105.0 + f64::from(n % 7) * 0.5, 8.5 + f64::from(n) * 0.25))
            .collect();
        for province in [None, Some(PROVINCE)] {
            // with a province the features around it are the middle, and the rest is far but not refused
            let near = neighbours(4326, &positions, province);
            assert_eq!(
                misplaced(&near, (105.3, 23.2)).filter(|_| province.is_none()),
                None
            );
        }
        let near = neighbours(4326, &positions, None);
        assert_eq!(near.doubt(&Point::new(105.3, 23.2).into()), None);
    }
}
