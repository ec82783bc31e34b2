//! Features with codes: plots, dyke compartments, growing areas, communes, stations, canals.
//!
//! A feature's identity is (layer, scheme, code, valid from): codes are kept verbatim and re-used in the world, so a
//! code alone names nothing for ever. [`fold`] is how they are searched, never how they are stored.

mod sought;

pub use sought::{Found, Number, Sought};

use crate::grid::Bounds;
use chrono::NaiveDate;
use geo::{BoundingRect, GeodesicArea};
use geo_types::{Geometry, LineString, MultiPolygon, Polygon};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

/// Another code of the same feature: one per scheme and market, as growing areas have them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherCode {
    /// The scheme that gave the code.
    pub scheme: String,
    /// The market it is valid for, where the scheme has markets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// The code, verbatim.
    pub code: String,
}

/// One thing on the map that people administer or measure at, on one interval of validity.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Given by the store, stable for the life of the identity; 0 before the first `put`.
    pub fid: i64,
    /// Layer, which for polygons is the zone's kind: `plots`, `dyke_compartments`, `stations`.
    pub layer: String,
    /// Who gave the code; `local` when nobody said.
    pub scheme: String,
    /// The code, verbatim.
    pub code: String,
    /// First day the feature is valid; none: always was.
    pub valid_from: Option<NaiveDate>,
    /// First day it is no longer valid; none: still is.
    pub valid_to: Option<NaiveDate>,
    /// Name for people.
    pub name: Option<String>,
    /// Code of what it belongs to (a commune for a plot).
    pub parent: Option<String>,
    /// Further codes.
    pub codes: Vec<OtherCode>,
    /// WGS 84 longitude and latitude, degrees; exterior rings counter-clockwise.
    pub geometry: Geometry<f64>,
    /// Geodesic area on WGS 84 in square metres; 0 for points and lines.
    pub area_m2: f64,
    /// Every other attribute.
    pub properties: Map<String, Value>,
}

impl Feature {
    /// A feature with nothing but its identity and shape; the area is measured.
    pub fn new(layer: impl Into<String>, code: impl Into<String>, geometry: Geometry<f64>) -> Self {
        Self {
            fid: 0,
            layer: layer.into(),
            scheme: "local".into(),
            code: code.into(),
            valid_from: None,
            valid_to: None,
            name: None,
            parent: None,
            codes: Vec::new(),
            area_m2: geodesic_area_m2(&geometry),
            geometry,
            properties: Map::new(),
        }
    }

    /// Its polygons; none for points and lines.
    pub fn polygons(&self) -> Option<MultiPolygon<f64>> {
        polygons(&self.geometry)
    }

    /// Box in lon/lat degrees; none for an empty geometry.
    pub fn bounds(&self) -> Option<Bounds> {
        let rect = self.geometry.bounding_rect()?;
        Some(Bounds::new(
            rect.min().x,
            rect.min().y,
            rect.max().x,
            rect.max().y,
        ))
    }

    /// True when the feature is valid on the day.
    pub fn valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }

    /// What a search looks in: code, further codes and name, folded.
    pub fn search_text(&self) -> String {
        let mut text = fold(&self.code);
        for other in &self.codes {
            text.push('|');
            text.push_str(&fold(&other.code));
        }
        if let Some(name) = &self.name {
            text.push('|');
            text.push_str(&fold(name));
        }
        text
    }
}

/// The polygons of a geometry; none for points and lines.
pub fn polygons(geometry: &Geometry<f64>) -> Option<MultiPolygon<f64>> {
    match geometry {
        Geometry::Polygon(polygon) => Some(MultiPolygon(vec![polygon.clone()])),
        Geometry::MultiPolygon(polygons) => Some(polygons.clone()),
        _ => None,
    }
}

/// Geodesic area on WGS 84 in square metres of a lon/lat geometry (Karney 2013, as in GeographicLib), whichever way its
/// rings run.
pub fn geodesic_area_m2(geometry: &Geometry<f64>) -> f64 {
    match geometry {
        Geometry::Polygon(polygon) => polygon_area_m2(polygon),
        Geometry::MultiPolygon(polygons) => polygons_area_m2(polygons),
        Geometry::GeometryCollection(parts) => parts.iter().map(geodesic_area_m2).sum(),
        other => other.geodesic_area_unsigned(),
    }
}

/// [`geodesic_area_m2`] of polygons.
pub fn polygons_area_m2(polygons: &MultiPolygon<f64>) -> f64 {
    polygons.iter().map(polygon_area_m2).sum()
}

fn polygon_area_m2(polygon: &Polygon<f64>) -> f64 {
    // of a ring that runs clockwise the whole rest of the globe would be the inside
    let within = |ring: &LineString<f64>| {
        Polygon::new(ring.clone(), Vec::new())
            .geodesic_area_signed()
            .abs()
    };
    within(polygon.exterior()) - polygon.interiors().iter().map(within).sum::<f64>()
}

/// Text as it is compared in searches: no accents (đ as d), no case, no spaces, dashes or other marks.
///
/// ```
/// # use sen_catalog::feature::fold;
/// assert_eq!(fold("Đồng Tháp – OB 12"), "dongthapob12");
/// assert_eq!(fold("VN–DTOR-0001"), fold("vn dtor 0001"));
/// ```
pub fn fold(text: &str) -> String {
    text.nfd()
        .map(|c| match c {
            'đ' | 'Đ' => 'd',
            other => other,
        })
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// A code as it is kept and looked up: composed letters (NFC), ordinary spaces, none around it and nothing invisible;
/// everything else letter by letter. What looks the same is the same code, wherever it was typed.
///
/// ```
/// # use sen_catalog::feature::tidy_code;
/// assert_eq!(tidy_code("\u{a0}Thu\u{31b}\u{309}a-01 \u{200b}"), "Thửa-01");
/// assert_eq!(tidy_code("VN–DTOR 0001"), "VN–DTOR 0001");
/// ```
pub fn tidy_code(text: &str) -> String {
    // soft hyphen, zero-width characters, marks of writing direction, byte-order mark
    let invisible = |c: &char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}');
    let spaced = |c: char| {
        if c.is_whitespace() && !c.is_control() {
            ' '
        } else {
            c
        }
    };
    let composed: String = text.nfc().filter(|c| !invisible(c)).map(spaced).collect();
    composed.trim().to_owned()
}

/// What a layer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Points.
    Point,
    /// Lines.
    Line,
    /// Polygons: a zone layer.
    Polygon,
}

impl Shape {
    /// The shape of a geometry; none for collections of different kinds.
    pub fn of(geometry: &Geometry<f64>) -> Option<Self> {
        match geometry {
            Geometry::Point(_) | Geometry::MultiPoint(_) => Some(Self::Point),
            Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Some(Self::Line),
            Geometry::Polygon(_) | Geometry::MultiPolygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => {
                Some(Self::Polygon)
            }
            Geometry::GeometryCollection(_) => None,
        }
    }

    /// The name in the store and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Line => "line",
            Self::Polygon => "polygon",
        }
    }
}

/// A layer of features, as the store counts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name: `plots`.
    pub name: String,
    /// What it is made of.
    pub shape: Shape,
    /// How many features, of all times.
    pub count: u64,
    /// Box of all features, lon/lat degrees.
    pub bounds: Bounds,
    /// Grows with every change of the layer: readers keep what they built while it stands still.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::polygon;

    #[test]
    fn area_is_that_of_the_ellipsoid() {
        // GeographicLib Planimeter (GeographicLib 2.1): 0.01 x 0.01 degrees at 10.46 N
        let square = polygon![(x: 105.63, y: 10.46), (x: 105.64, y: 10.46), (x: 105.64, y: 10.47), (x: 105.63, y: 10.47)];
        let plot = Feature::new("plots", "A", square.into());
        assert!((plot.area_m2 - 1_211_000.0).abs() < 500.0, "{}", plot.area_m2);
    }

    #[test]
    fn a_search_looks_through_accents_and_dashes() {
        let mut area = Feature::new(
            "growing_areas",
            "VN-DTOR-0001",
            geo_types::Point::new(105.6, 10.4).into(),
        );
        area.name = Some("Xoài Cao Lãnh".into());
        assert_eq!(area.search_text(), "vndtor0001|xoaicaolanh");
    }
}
