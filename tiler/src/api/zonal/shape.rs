//! GeoJSON that somebody sends: taken apart with a clear word for everything that cannot be measured.

use super::crossing::{Crossing, crossing};
use super::holes::{self, Holes};
use crate::problem::{Outcome, Problem};
use geo::orient::{Direction, Orient};
use geo::{BoundingRect, unary_union};
use geo_types::{Coord, LineString, MultiPolygon, Polygon, Rect};
use sen_catalog::feature;
use serde_json::{Map, Value, json};

/// Features of one request.
const MAX_FEATURES: usize = 1000;
/// Vertices of one request.
const MAX_VERTICES: usize = 100_000;

/// Square metres of one polygon: three times Vietnam.
const MAX_AREA_M2: f64 = 1e12;

/// Why a polygon cannot be measured.
pub(super) enum Reason {
    /// Something is wrong with it.
    Bad(String),
    /// It is larger than what is measured here.
    TooLarge(String),
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::Bad(text)
    }
}

impl From<&str> for Reason {
    fn from(text: &str) -> Self {
        Self::Bad(text.to_owned())
    }
}

/// What one feature is.
pub(super) enum Shape {
    /// Something that can be measured, and its answer.
    Area {
        polygons: MultiPolygon<f64>,
        answer: Option<Value>,
    },
    /// Why it cannot.
    Problem(Reason),
}

/// A request: its features as they came, and their shapes.
pub(super) struct Document {
    features: Vec<Value>,
    is_collection: bool,
    pub(super) shapes: Vec<Shape>,
}

impl Document {
    /// Reads a body. What is wrong with single features is kept with them, unless there is but one.
    pub(super) fn parse(body: &[u8]) -> Outcome<Self> {
        let bad = |detail: String| Problem::bad("body", detail);
        let value: Value =
            serde_json::from_slice(body).map_err(|error| bad(format!("the body is not JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(bad(
                "the body is no GeoJSON object; send a Feature with a Polygon".into(),
            ));
        };
        check_crs(&object).map_err(bad)?;
        let (features, is_collection) = match object.get("type").and_then(Value::as_str) {
            Some("FeatureCollection") => (collection(object).map_err(bad)?, true),
            Some("Feature") => (vec![Value::Object(object)], false),
            Some("Polygon" | "MultiPolygon" | "GeometryCollection") => {
                let feature = json!({"type": "Feature", "properties": {}, "geometry": object});
                (vec![feature], false)
            }
            other => {
                return Err(bad(format!(
                    "type `{}` is not measured; send a Feature, a FeatureCollection, a Polygon or a MultiPolygon as GeoJSON",
                    other.unwrap_or_default()
                )));
            }
        };
        if features.len() > MAX_FEATURES {
            return Err(Problem::too_large(format!(
                "{} features; send at most {MAX_FEATURES} at once",
                features.len()
            )));
        }
        let mut vertices = 0;
        let mut shapes = Vec::with_capacity(features.len());
        for (index, feature) in features.iter().enumerate() {
            let crs = feature.as_object().map_or(Ok(()), check_crs);
            let found = crs
                .map_err(Reason::from)
                .and_then(|()| polygons(&feature["geometry"], &mut vertices));
            shapes.push(match found {
                Ok(polygons) => Shape::Area {
                    polygons,
                    answer: None,
                },
                Err(Reason::Bad(text)) if is_collection => {
                    Shape::Problem(Reason::Bad(format!("features[{index}]: {text}")))
                }
                Err(reason) => Shape::Problem(reason),
            });
            if vertices > MAX_VERTICES {
                return Err(Problem::too_large(format!(
                    "more than {MAX_VERTICES} vertices; simplify the polygons or send fewer at once"
                )));
            }
        }
        let measurable = shapes.iter().any(|shape| matches!(shape, Shape::Area { .. }));
        match shapes.first() {
            Some(Shape::Problem(Reason::Bad(text))) if !measurable => return Err(bad(text.clone())),
            Some(Shape::Problem(Reason::TooLarge(text))) if !measurable => {
                return Err(Problem::too_large(text.clone()));
            }
            Some(Shape::Area { .. } | Shape::Problem(_)) | None => {}
        }
        Ok(Self {
            features,
            is_collection,
            shapes,
        })
    }

    /// The features with what was found out about them.
    pub(super) fn answer(self) -> Value {
        let features = self.features.into_iter().zip(self.shapes);
        let mut features: Vec<Value> = features
            .map(|(mut feature, shape)| {
                let (name, value) = match shape {
                    Shape::Area { answer, .. } => ("statistics", answer.unwrap_or_default()),
                    Shape::Problem(Reason::Bad(text) | Reason::TooLarge(text)) => ("problem", json!(text)),
                };
                if !feature["properties"].is_object() {
                    feature["properties"] = json!({});
                }
                feature["properties"][name] = value;
                feature
            })
            .collect();
        if self.is_collection {
            json!({"type": "FeatureCollection", "features": features})
        } else {
            features.pop().unwrap_or_default()
        }
    }
}

fn collection(mut object: Map<String, Value>) -> Result<Vec<Value>, String> {
    let Some(Value::Array(features)) = object.remove("features") else {
        return Err("the FeatureCollection has no `features`".into());
    };
    if features.is_empty() {
        return Err("the FeatureCollection holds no feature".into());
    }
    match features.iter().position(|feature| !feature.is_object()) {
        Some(index) => Err(format!("features[{index}] is no object")),
        None => Ok(features),
    }
}

/// GeoJSON is lon/lat; older files may say otherwise.
fn check_crs(object: &Map<String, Value>) -> Result<(), String> {
    let Some(crs) = object.get("crs").filter(|crs| !crs.is_null()) else {
        return Ok(());
    };
    let name = crs["properties"]["name"].as_str().unwrap_or_default();
    let upper = name.to_ascii_uppercase();
    if ["CRS84", "CRS84H", "EPSG::4326", "EPSG:4326", "EPSG/0/4326"]
        .iter()
        .any(|known| upper.ends_with(known))
    {
        Ok(())
    } else {
        Err(format!(
            "crs `{name}` is not read here; send lon/lat degrees (EPSG:4326)"
        ))
    }
}

/// A polygon of a geometry.
struct Part {
    /// Where its rings stand: `coordinates` or `geometries[1].coordinates[0]`.
    name: String,
    polygon: Polygon<f64>,
    /// The place among those rings of the shell and of each hole.
    rings: Vec<usize>,
}

/// The polygons of a geometry, checked. Rings may run either way and need not be closed; what has no area beside polygons
/// in a collection counts nothing; where parts overlap the ground counts once.
fn polygons(geometry: &Value, vertices: &mut usize) -> Result<MultiPolygon<f64>, Reason> {
    let mut parts = Vec::new();
    let other = gather(geometry, "", &mut parts, vertices)?;
    if parts.is_empty() {
        return Err(match other {
            Some(other) => format!("a {other} has no area; send a Polygon or a MultiPolygon").into(),
            None if geometry["type"].is_string() => "the geometry is empty".into(),
            None => "the feature has no geometry".into(),
        });
    }
    // refused as a whole by the caller
    if *vertices > MAX_VERTICES {
        return Ok(parts.into_iter().map(|part| part.polygon).collect());
    }
    for part in &mut parts {
        check(part)?;
    }
    let polygons = union(parts.into_iter().map(|part| part.polygon).collect());
    if feature::polygons_area_m2(&polygons) > MAX_AREA_M2 {
        return Err(Reason::TooLarge(
            "the polygon is larger than 1,000,000 km2; draw a smaller one".into(),
        ));
    }
    Ok(polygons)
}

/// Puts the polygons of a geometry with the others; the answer is the type of a geometry without area, if there was one.
fn gather<'g>(
    geometry: &'g Value,
    at: &str,
    parts: &mut Vec<Part>,
    vertices: &mut usize,
) -> Result<Option<&'g str>, Reason> {
    if let Some(object) = geometry.as_object() {
        check_crs(object)?;
    }
    let list = |name: &str| {
        let list = geometry[name].as_array();
        list.ok_or_else(|| Reason::Bad(format!("`{at}{name}` is no array")))
    };
    match geometry["type"].as_str() {
        None => Ok(None),
        Some("Polygon") => {
            parts.extend(polygon(
                list("coordinates")?,
                format!("{at}coordinates"),
                vertices,
            )?);
            Ok(None)
        }
        Some("MultiPolygon") => {
            for (index, rings) in list("coordinates")?.iter().enumerate() {
                let name = format!("{at}coordinates[{index}]");
                let rings = rings
                    .as_array()
                    .ok_or_else(|| format!("`{name}` is no array of rings"))?;
                parts.extend(polygon(rings, name, vertices)?);
            }
            Ok(None)
        }
        Some("GeometryCollection") => {
            let mut other = None;
            for (index, member) in list("geometries")?.iter().enumerate() {
                let found = gather(member, &format!("{at}geometries[{index}]."), parts, vertices)?;
                other = other.or(found);
            }
            Ok(other)
        }
        Some(other) => Ok(Some(other)),
    }
}

/// Refuses a polygon that has no one inside; one whose shell is not its first ring is put right.
fn check(part: &mut Part) -> Result<(), Reason> {
    match crossing(&part.polygon) {
        Crossing::None => {}
        Crossing::At(x, y) => {
            let text = format!("a ring crosses itself or another near {x:.6}, {y:.6}; repair the polygon");
            return Err(text.into());
        }
        Crossing::TooMuch => {
            return Err("the polygon is too intricate to be checked; simplify it".into());
        }
    }
    if is_wide(&part.polygon) {
        return Err(Reason::TooLarge(
            "the polygon spans half the globe: it is larger than 1,000,000 km2, or lies on both sides of the 180th \
             meridian, where it must be cut into two (RFC 7946, 3.1.9)"
                .into(),
        ));
    }
    let mut holes = holes::astray(&part.polygon);
    if let Holes::Outside(_) = holes
        && let Some(polygon) = shell_first(&part.polygon, &mut part.rings)
    {
        part.polygon = polygon;
        holes = holes::astray(&part.polygon);
    }
    let name = |ring: usize| format!("{}[{}]", part.name, part.rings.get(ring).copied().unwrap_or(ring));
    match holes {
        Holes::Inside => {}
        Holes::Outside(ring) => {
            let text = format!(
                "the ring {} is a hole outside its shell {}; take it out, or send it as a polygon of its own",
                name(ring),
                name(0)
            );
            return Err(text.into());
        }
        Holes::TooMuch => {
            return Err("the polygon has too many holes to be checked; simplify it".into());
        }
    }
    if feature::geodesic_area_m2(&part.polygon.clone().into()) <= 0.0 {
        let text = format!(
            "the polygon of the ring {} has no area left: its holes are as large as its shell, or it is flat",
            name(0)
        );
        return Err(text.into());
    }
    Ok(())
}

/// The polygon with the ring around all others as its shell, where that is not its first; `numbers` follow.
fn shell_first(polygon: &Polygon<f64>, numbers: &mut [usize]) -> Option<Polygon<f64>> {
    let mut rings: Vec<LineString<f64>> = std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .cloned()
        .collect();
    let reach = |ring: &LineString<f64>| {
        ring.bounding_rect()
            .map_or(0.0, |rect| rect.width() * rect.height())
    };
    let shell = (0..rings.len()).max_by(|&a, &b| reach(&rings[a]).total_cmp(&reach(&rings[b])))?;
    rings.swap(0, shell);
    let mut rings = rings.into_iter();
    let turned = Polygon::new(rings.next()?, rings.collect());
    if shell == 0 || holes::astray(&turned) != Holes::Inside {
        return None;
    }
    numbers.swap(0, shell);
    Some(turned)
}

/// The polygons put together where their boxes overlap, so that no ground counts twice.
fn union(polygons: Vec<Polygon<f64>>) -> MultiPolygon<f64> {
    let mut boxes: Vec<Rect<f64>> = polygons.iter().filter_map(BoundingRect::bounding_rect).collect();
    boxes.sort_by(|a, b| a.min().x.total_cmp(&b.min().x));
    let overlap = boxes.iter().enumerate().any(|(index, a)| {
        let east = boxes[index + 1..].iter().take_while(|b| b.min().x < a.max().x);
        let mut beside = east;
        beside.any(|b| b.min().y < a.max().y && a.min().y < b.max().y)
    });
    let polygons = MultiPolygon(polygons);
    if overlap {
        unary_union(&polygons.orient(Direction::Default))
    } else {
        polygons
    }
}

/// What spans half the globe has no area to speak of on the ellipsoid: which side is inside?
fn is_wide<G>(shape: &G) -> bool
where
    G: BoundingRect<f64>,
    G::Output: Into<Option<Rect<f64>>>,
{
    shape
        .bounding_rect()
        .into()
        .is_some_and(|rect| rect.width() >= 180.0)
}

/// A polygon out of its rings; none where there is no ring. Holes without area are left out.
fn polygon(rings: &[Value], name: String, vertices: &mut usize) -> Result<Option<Part>, String> {
    let mut shell = None;
    let (mut holes, mut numbers) = (Vec::new(), Vec::new());
    for (number, points) in rings.iter().enumerate() {
        let ring = ring(points, vertices).map_err(|text| format!("{name}[{number}]: {text}"))?;
        let different = ring.0.len();
        if number == 0 && different < 3 {
            return Err(format!(
                "{name}[0]: a ring of {different} different positions has no area; it takes three"
            ));
        }
        if number == 0 {
            shell = Some(ring);
        } else if different >= 3 {
            holes.push(ring);
        } else {
            continue;
        }
        numbers.push(number);
    }
    Ok(shell.map(|shell| Part {
        name,
        polygon: Polygon::new(shell, holes),
        rings: numbers,
    }))
}

/// The positions of a ring one after the other, each once, not closed.
fn ring(points: &Value, vertices: &mut usize) -> Result<LineString<f64>, String> {
    let points = points.as_array().ok_or("a ring is no array of positions")?;
    *vertices += points.len();
    let mut ring: Vec<Coord<f64>> = points.iter().map(position).collect::<Result<_, _>>()?;
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    Ok(LineString(ring))
}

fn position(position: &Value) -> Result<Coord<f64>, String> {
    let number = |index: usize| position.get(index).and_then(Value::as_f64);
    let (Some(x), Some(y)) = (number(0), number(1)) else {
        return Err(format!("{position} is no position; write [lon, lat]"));
    };
    if x.abs() <= 180.0 && y.abs() <= 90.0 {
        return Ok(Coord { x, y });
    }
    Err(if y.abs() <= 180.0 && x.abs() <= 90.0 {
        format!("[{x}, {y}] has latitude {y}; the axes are swapped, write [lon, lat]")
    } else {
        format!("[{x}, {y}] is not in degrees; send lon/lat (EPSG:4326)")
    })
}
