//! A feature as GeoJSON.

use crate::problem::{Outcome, Problem};
use crate::query::Query;
use geo::{Centroid, InteriorPoint, Simplify};
use geo_types::{Coord, Geometry, LineString, MultiPolygon, Point, Polygon};
use sen_catalog::Feature;
use serde_json::{Map, Value, json};

/// Metres of a degree of latitude.
const DEGREE_M: f64 = 111_319.49;

/// How much of the geometry is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Detail {
    /// As it was imported.
    Full,
    /// Simplified by Douglas and Peucker, tolerance in metres.
    Simplified(f64),
    /// A point inside.
    Point,
    /// No geometry.
    None,
}

impl Detail {
    /// Reads `geometry=full|point|none` and `simplify=METRES`.
    pub(super) fn of(query: &Query<'_>) -> Outcome<Self> {
        if let Some(text) = query.get("simplify") {
            let metres = text
                .parse::<f64>()
                .ok()
                .filter(|metres| (0.0..=10_000.0).contains(metres));
            return metres.map(Self::Simplified).ok_or_else(|| {
                Problem::bad(
                    "simplify",
                    format!("simplify={text} is not a number of metres up to 10000"),
                )
            });
        }
        match query.get("geometry") {
            None | Some("full") => Ok(Self::Full),
            Some("point") => Ok(Self::Point),
            Some("none") => Ok(Self::None),
            Some(other) => Err(Problem::bad(
                "geometry",
                format!("geometry={other} is not offered; use full, point or none, or simplify=METRES"),
            )),
        }
    }
}

/// Corners of an outline from which its label is placed: more do not move it, and a coast of a million takes seconds.
const LABEL_CORNERS: usize = 2_000;

/// The point where a label or a pin belongs: inside the feature (inside its outline thinned to [`LABEL_CORNERS`], where it
/// has more).
pub(crate) fn centre(feature: &Feature) -> Option<Point<f64>> {
    let within = |polygons: &[Polygon<f64>]| {
        let corners: usize = polygons.iter().map(corners).sum();
        let every = corners.div_ceil(LABEL_CORNERS).max(1);
        let thin = MultiPolygon(polygons.iter().map(|polygon| thinned(polygon, every)).collect());
        thin.interior_point().or_else(|| feature.geometry.centroid())
    };
    match &feature.geometry {
        Geometry::Polygon(polygon) => within(std::slice::from_ref(polygon)),
        Geometry::MultiPolygon(polygons) => within(&polygons.0),
        other => other.centroid(),
    }
}

fn corners(polygon: &Polygon<f64>) -> usize {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    rings.map(|ring| ring.0.len()).sum()
}

/// Every so many corners of the rings; what would be less than a triangle is kept as it is.
fn thinned(polygon: &Polygon<f64>, every: usize) -> Polygon<f64> {
    let thin = |ring: &LineString<f64>| {
        if every == 1 || ring.0.len() < 4 * every {
            return ring.clone();
        }
        LineString(ring.0.iter().step_by(every).copied().collect())
    };
    Polygon::new(
        thin(polygon.exterior()),
        polygon.interiors().iter().map(thin).collect(),
    )
}

/// The feature's name for people: its name, else its code.
pub(crate) fn label(feature: &Feature) -> &str {
    feature.name.as_deref().unwrap_or(&feature.code)
}

/// The GeoJSON feature; `extra` joins its properties.
pub(super) fn geo_json(feature: &Feature, detail: Detail, extra: Map<String, Value>) -> Value {
    let geometry = match detail {
        Detail::None => Value::Null,
        Detail::Point => centre(feature).map_or(Value::Null, |point| geometry(&point.into())),
        Detail::Full => geometry(&feature.geometry),
        Detail::Simplified(metres) => geometry(&simplified(&feature.geometry, metres / DEGREE_M)),
    };
    let mut properties = feature.properties.clone();
    properties.extend(own_properties(feature));
    properties.extend(extra);
    let bbox = feature
        .bounds()
        .map(|b| [b.west, b.south, b.east, b.north].map(degrees));
    json!({"type": "Feature", "id": feature.fid, "bbox": bbox, "geometry": geometry, "properties": properties})
}

/// What every feature has, under the same names for every kind.
fn own_properties(feature: &Feature) -> Map<String, Value> {
    let mut own = Map::new();
    own.insert("kind".into(), json!(feature.layer));
    own.insert("code".into(), json!(feature.code));
    own.insert("scheme".into(), json!(feature.scheme));
    own.insert("name".into(), json!(feature.name));
    own.insert("parent".into(), json!(feature.parent));
    own.insert("codes".into(), json!(feature.codes));
    own.insert("valid_from".into(), json!(feature.valid_from));
    own.insert("valid_to".into(), json!(feature.valid_to));
    if feature.area_m2 > 0.0 {
        own.insert("area_ha".into(), json!((feature.area_m2 * 100.0).round() / 1e6));
    }
    own
}

fn simplified(geometry: &Geometry<f64>, tolerance: f64) -> Geometry<f64> {
    match geometry {
        Geometry::Polygon(polygon) => polygon.simplify(tolerance).into(),
        Geometry::MultiPolygon(polygons) => polygons.simplify(tolerance).into(),
        Geometry::LineString(line) => line.simplify(tolerance).into(),
        Geometry::MultiLineString(lines) => lines.simplify(tolerance).into(),
        other => other.clone(),
    }
}

/// Degrees to seven decimals: a centimetre, and far below what any survey here knows.
fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}

fn position(coord: Coord<f64>) -> Value {
    json!([degrees(coord.x), degrees(coord.y)])
}

fn line(line: &LineString<f64>) -> Value {
    line.coords().copied().map(position).collect()
}

fn rings(polygon: &Polygon<f64>) -> Value {
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .map(line)
        .collect()
}

/// The GeoJSON geometry.
fn geometry(geometry: &Geometry<f64>) -> Value {
    let named = |name: &str, coordinates: Value| json!({"type": name, "coordinates": coordinates});
    match geometry {
        Geometry::Point(point) => named("Point", position(point.0)),
        Geometry::MultiPoint(points) => named(
            "MultiPoint",
            points.iter().map(|point| position(point.0)).collect(),
        ),
        Geometry::Line(two) => named("LineString", json!([position(two.start), position(two.end)])),
        Geometry::LineString(one) => named("LineString", line(one)),
        Geometry::MultiLineString(lines) => named("MultiLineString", lines.iter().map(line).collect()),
        Geometry::Polygon(polygon) => named("Polygon", rings(polygon)),
        Geometry::MultiPolygon(polygons) => named("MultiPolygon", polygons.iter().map(rings).collect()),
        Geometry::Rect(rect) => named("Polygon", rings(&rect.to_polygon())),
        Geometry::Triangle(triangle) => named("Polygon", rings(&triangle.to_polygon())),
        Geometry::GeometryCollection(parts) => {
            json!({"type": "GeometryCollection", "geometries": parts.iter().map(self::geometry).collect::<Vec<_>>()})
        }
    }
}
