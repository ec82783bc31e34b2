//! GeoJSON that somebody sends: taken apart with a clear word for everything that cannot be measured.

use super::crossing::{Crossing, crossing};
use super::holes::{self, Holes};
use crate::problem::{Outcome, Problem};
use geo::BoundingRect;
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
            Some("Polygon" | "MultiPolygon") => {
                let feature = json!({"type": "Feature", "properties": {}, "geometry": object});
                (vec![feature], false)
            }
            other => {
                return Err(bad(format!(
                    "type `{}` is not measured; send a Feature, a FeatureCollection, a Polygon or a MultiPolygon",
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
            shapes.push(match polygons(&feature["geometry"], &mut vertices) {
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
    let known = ["CRS84", "EPSG::4326", "EPSG:4326", "OGC:1.3:CRS84"];
    if known.iter().any(|known| name.ends_with(known)) {
        Ok(())
    } else {
        Err(format!(
            "crs `{name}` is not read here; send lon/lat degrees (EPSG:4326)"
        ))
    }
}

/// The polygons of a geometry, checked.
fn polygons(geometry: &Value, vertices: &mut usize) -> Result<MultiPolygon<f64>, Reason> {
    let coordinates = &geometry["coordinates"];
    let polygons = match geometry["type"].as_str() {
        Some("Polygon") => vec![polygon(coordinates, vertices)?],
        Some("MultiPolygon") => coordinates
            .as_array()
            .ok_or("`coordinates` is no array")?
            .iter()
            .map(|rings| polygon(rings, vertices))
            .collect::<Result<_, _>>()?,
        None => return Err("the feature has no geometry".into()),
        Some(other) => return Err(format!("a {other} has no area; send a Polygon or a MultiPolygon").into()),
    };
    if polygons.is_empty() {
        return Err("the geometry is empty".into());
    }
    // refused as a whole by the caller
    if *vertices > MAX_VERTICES {
        return Ok(MultiPolygon(polygons));
    }
    for polygon in &polygons {
        match crossing(polygon) {
            Crossing::None => {}
            Crossing::At(x, y) => {
                let text =
                    format!("a ring crosses itself or another near {x:.6}, {y:.6}; repair the polygon");
                return Err(text.into());
            }
            Crossing::TooMuch => {
                return Err("the polygon is too intricate to be checked; simplify it".into());
            }
        }
    }
    let several = geometry["type"] == "MultiPolygon";
    for (index, polygon) in polygons.iter().enumerate() {
        let name = |ring: usize| {
            if several {
                format!("coordinates[{index}][{ring}]")
            } else {
                format!("coordinates[{ring}]")
            }
        };
        match holes::astray(polygon) {
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
        // what spans half the globe is refused below for its size: its geodesic area may come out as nothing
        if !is_wide(polygon) && feature::geodesic_area_m2(&polygon.clone().into()) <= 0.0 {
            let text = format!(
                "the polygon of the ring {} has no area left: its holes are as large as its shell, or it is flat",
                name(0)
            );
            return Err(text.into());
        }
    }
    let polygons = MultiPolygon(polygons);
    if is_wide(&polygons) || feature::geodesic_area_m2(&polygons.clone().into()) > MAX_AREA_M2 {
        return Err(Reason::TooLarge(
            "the polygon is larger than 1,000,000 km2; draw a smaller one".into(),
        ));
    }
    Ok(polygons)
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

fn polygon(rings: &Value, vertices: &mut usize) -> Result<Polygon<f64>, String> {
    let rings = rings
        .as_array()
        .ok_or("a polygon's `coordinates` is no array of rings")?;
    let mut rings = rings.iter().map(|points| ring(points, vertices));
    let exterior = rings.next().ok_or("a polygon has no ring")??;
    Ok(Polygon::new(exterior, rings.collect::<Result<_, _>>()?))
}

fn ring(points: &Value, vertices: &mut usize) -> Result<LineString<f64>, String> {
    let points = points.as_array().ok_or("a ring is no array of positions")?;
    *vertices += points.len();
    if points.len() < 4 {
        return Err(format!(
            "a ring has {} positions; a closed one has at least four",
            points.len()
        ));
    }
    points.iter().map(position).collect()
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
