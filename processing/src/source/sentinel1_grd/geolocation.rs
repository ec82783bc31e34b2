//! Where the pixels of an image lie: the geolocation grid of its metadata, forwards and backwards.
//!
//! Between the points of the grid (some 13 by 20 km apart) positions are interpolated linearly in earth-centred
//! coordinates: the chord of such an arc deviates from it downwards, not sidewards, so that the place is good to some
//! decimetres. The points carry the heights of the processor's coarse terrain; ground that lies h metres above them is
//! seen h / tan(incidence) metres too near to the satellite (0.9 h to 1.7 h at 46 to 30 degrees). In a delta that is a
//! metre or two; among mountains it is hundreds, and terrain-corrected (RTC) products are the ones to take.

use sen_catalog::Bounds;

/// Semi-major axis of WGS 84, metres.
const AXIS_M: f64 = 6_378_137.0;
/// Squared eccentricity of WGS 84.
const ECCENTRICITY_2: f64 = 0.006_694_379_990_141_33;
/// Steps of the search for a pixel; it converges in four or five.
const STEPS: usize = 12;
/// The search ends when it moves less than this, pixels.
const CLOSE_PX: f64 = 1e-7;
/// Farthest that a place may lie beyond the outermost points, as share of a cell of the grid.
const BEYOND: f64 = 0.5;

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) line: f64,
    pub(super) pixel: f64,
    pub(super) lon: f64,
    pub(super) lat: f64,
    /// Angle of incidence, degrees.
    pub(super) incidence: f64,
}

/// The grid of an image.
#[derive(Debug)]
pub(crate) struct Geolocation {
    lines: Vec<f64>,
    pixels: Vec<f64>,
    /// Points by lines, then pixels.
    points: Vec<Point>,
    /// The same, earth-centred metres on the ellipsoid.
    places: Vec<[f64; 3]>,
}

impl Geolocation {
    /// The grid of an image of so many columns and lines.
    ///
    /// # Errors
    /// What is wrong with the points: none, holes, or an image that is larger than they say.
    pub(super) fn new(mut points: Vec<Point>, (columns, rows): (usize, usize)) -> Result<Self, String> {
        let sound = |p: &Point| p.lon.abs() <= 180.0 && p.lat.abs() <= 90.0 && p.line.is_finite();
        if let Some(odd) = points.iter().find(|point| !sound(point)) {
            return Err(format!("its geolocation point {odd:?} lies nowhere on earth"));
        }
        let axis = |of: fn(&Point) -> f64| {
            let mut values: Vec<f64> = points.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values
        };
        let (lines, pixels) = (axis(|p| p.line), axis(|p| p.pixel));
        points.sort_by(|a, b| (a.line.total_cmp(&b.line)).then(a.pixel.total_cmp(&b.pixel)));
        let whole = lines.len() >= 2
            && pixels.len() >= 2
            && points.len() == lines.len() * pixels.len()
            && points.chunks(pixels.len()).all(|row| {
                row.iter()
                    .zip(&pixels)
                    .all(|(p, pixel)| p.pixel == *pixel && p.line == row[0].line)
            });
        if !whole {
            return Err(format!(
                "its geolocation grid is not whole: {} points on {} lines and {} columns",
                points.len(),
                lines.len(),
                pixels.len()
            ));
        }
        let reaches = |knots: &[f64], count: usize| {
            let (first, last) = (knots[0], knots[knots.len() - 1]);
            // the last point may stand on the last pixel or behind it
            first <= 1.0 && last >= count as f64 - 2.0
        };
        if !reaches(&lines, rows) || !reaches(&pixels, columns) {
            return Err(format!(
                "its geolocation grid ends at line {} and column {}, the image has {rows} lines and {columns} columns",
                lines[lines.len() - 1],
                pixels[pixels.len() - 1]
            ));
        }
        let east = points.iter().map(|p| p.lon).fold(f64::NEG_INFINITY, f64::max);
        let west = points.iter().map(|p| p.lon).fold(f64::INFINITY, f64::min);
        if east - west > 180.0 {
            return Err("it crosses the 180th meridian, which is not read here".into());
        }
        let places = points.iter().map(|p| earth_centred(p.lon, p.lat)).collect();
        Ok(Self {
            lines,
            pixels,
            points,
            places,
        })
    }

    /// Longitudes and latitudes of all points, degrees.
    pub(crate) fn lon_lat(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().map(|point| (point.lon, point.lat))
    }

    /// Box of the image, degrees.
    pub(crate) fn bounds(&self) -> Bounds {
        let start = Bounds::new(f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
        self.lon_lat().fold(start, |b, (lon, lat)| {
            Bounds::new(
                b.west.min(lon),
                b.south.min(lat),
                b.east.max(lon),
                b.north.max(lat),
            )
        })
    }

    /// Least and greatest angle of incidence, degrees.
    pub(crate) fn incidence(&self) -> (f64, f64) {
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        self.points.iter().fold(start, |(least, most), point| {
            (least.min(point.incidence), most.max(point.incidence))
        })
    }

    /// The line and column (centres of pixels are whole) that see a place on the ellipsoid; `None` when it lies well
    /// outside the image.
    pub(crate) fn pixel(&self, lon: f64, lat: f64) -> Option<(f64, f64)> {
        let wanted = earth_centred(lon, lat);
        let (mut line, mut pixel) = (mean(&self.lines), mean(&self.pixels));
        for _ in 0..STEPS {
            let (place, along, across) = self.tangent(line, pixel);
            let missing = minus(wanted, place);
            // least squares in the plane of the two tangents
            let (aa, ac, cc) = (dot(along, along), dot(along, across), dot(across, across));
            let (ma, mc) = (dot(missing, along), dot(missing, across));
            let determinant = aa * cc - ac * ac;
            let (down, right) = (
                (ma * cc - mc * ac) / determinant,
                (mc * aa - ma * ac) / determinant,
            );
            if !(down.is_finite() && right.is_finite()) {
                return None;
            }
            line += down;
            pixel += right;
            if down.abs().max(right.abs()) < CLOSE_PX {
                let inside = near(&self.lines, line) && near(&self.pixels, pixel);
                return inside.then_some((line, pixel));
            }
        }
        None
    }

    /// The place of a pixel and how it moves by line and by column, metres.
    fn tangent(&self, line: f64, pixel: f64) -> ([f64; 3], [f64; 3], [f64; 3]) {
        let (row, down, height) = cell(&self.lines, line);
        let (column, right, width) = cell(&self.pixels, pixel);
        let at = |row: usize, column: usize| self.places[row * self.pixels.len() + column];
        let (nw, ne) = (at(row, column), at(row, column + 1));
        let (sw, se) = (at(row + 1, column), at(row + 1, column + 1));
        let mix = |f: &dyn Fn(usize) -> f64| [f(0), f(1), f(2)];
        let place = mix(&|i| {
            (nw[i] * (1.0 - right) + ne[i] * right) * (1.0 - down)
                + (sw[i] * (1.0 - right) + se[i] * right) * down
        });
        let along = mix(&|i| ((sw[i] - nw[i]) * (1.0 - right) + (se[i] - ne[i]) * right) / height);
        let across = mix(&|i| ((ne[i] - nw[i]) * (1.0 - down) + (se[i] - sw[i]) * down) / width);
        (place, along, across)
    }
}

/// The cell of an axis that holds a place (the outermost one beyond them), the share of it passed, and its width.
fn cell(knots: &[f64], place: f64) -> (usize, f64, f64) {
    let index = knots
        .partition_point(|knot| *knot <= place)
        .clamp(1, knots.len() - 1)
        - 1;
    let width = knots[index + 1] - knots[index];
    (index, (place - knots[index]) / width, width)
}

/// True for places between the knots or shortly beyond.
fn near(knots: &[f64], place: f64) -> bool {
    let (_, share, _) = cell(knots, place);
    (-BEYOND..=1.0 + BEYOND).contains(&share)
}

fn mean(knots: &[f64]) -> f64 {
    f64::midpoint(knots[0], knots[knots.len() - 1])
}

/// Earth-centred coordinates of a place on the ellipsoid of WGS 84, metres.
fn earth_centred(lon: f64, lat: f64) -> [f64; 3] {
    let (sin_lat, cos_lat) = lat.to_radians().sin_cos();
    let (sin_lon, cos_lon) = lon.to_radians().sin_cos();
    let normal = AXIS_M / (1.0 - ECCENTRICITY_2 * sin_lat * sin_lat).sqrt();
    [
        normal * cos_lat * cos_lon,
        normal * cos_lat * sin_lon,
        normal * (1.0 - ECCENTRICITY_2) * sin_lat,
    ]
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
