//! One row of a file to one feature, or the reason why not.

use super::columns::{CodeColumn, Columns, Market};
use super::exact::{self, MAX_EXACT};
use super::text::Encoding;
use super::{ReadOptions, Trouble, Wanted, place};
use crate::gdal_io::system::{System, ToWgs84};
use crate::gdal_io::vector::{MAX_TEXT_BYTES, Raw, RawShape, Row};
use chrono::NaiveDate;
use geo::orient::{Direction, Orient};
use geo::{BoundingRect, MapCoordsInPlace};
use geo_types::{Coord, Geometry, Polygon};
use sen_catalog::feature::{OtherCode, Shape, tidy_code};
use sen_catalog::{Feature, limits};
use serde_json::{Map, Number, Value};
use std::collections::BTreeSet;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Width of a polygon that is no zone any more, degrees of longitude.
const HALF_THE_GLOBE_DEG: f64 = 180.0;

/// Makes features of rows.
pub(super) struct Maker<'a> {
    columns: &'a Columns,
    encoding: Encoding,
    options: &'a ReadOptions,
    way: Option<(&'a System, &'a ToWgs84)>,
    /// The EPSG code that the rows name.
    srid: Option<u32>,
    /// Shape of the layer, once the first feature has decided it.
    shape: Option<Shape>,
    binary: BTreeSet<usize>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(
        columns: &'a Columns,
        encoding: Encoding,
        options: &'a ReadOptions,
        way: Option<(&'a System, &'a ToWgs84)>,
        srid: Option<u32>,
    ) -> Self {
        Self {
            columns,
            encoding,
            options,
            way,
            srid,
            shape: (options.wanted == Wanted::Zones).then_some(Shape::Polygon),
            binary: BTreeSet::new(),
        }
    }

    /// What was left out of all rows.
    pub(super) fn notes(&self) -> Vec<String> {
        self.binary
            .iter()
            .map(|&index| {
                format!(
                    "column `{}` holds bytes, not text; left out",
                    self.columns.names[index]
                )
            })
            .collect()
    }

    /// The feature, and the reason of its repair if it needed one.
    pub(super) fn feature(&mut self, row: Row) -> Result<(Feature, Option<String>), Trouble> {
        let number = row.number;
        let code = self.code(&row);
        let refuse = |reason: String| Trouble {
            row: number,
            code: code.as_ref().ok().cloned().flatten(),
            reason,
        };
        let known = match &code {
            Ok(Some(code)) => code.clone(),
            Ok(None) => return Err(refuse("has no code".into())),
            Err(reason) => return Err(refuse(reason.clone())),
        };
        let (geometry, repaired) = match row.shape {
            RawShape::Sound(geometry, repaired) => (geometry, repaired),
            RawShape::Missing => return Err(refuse("has no geometry".into())),
            RawShape::Broken(reason) => return Err(refuse(reason)),
        };
        if let Some((own, first)) = row.srid.zip(self.srid).filter(|(own, first)| own != first) {
            return Err(refuse(format!(
                "names SRID={own}, the rows before it SRID={first}; import them from a file of their own"
            )));
        }
        let geometry = self.geometry(geometry).map_err(refuse)?;
        let feature = self.attributes(&row.values, known, geometry).map_err(refuse)?;
        if self.shape == Some(Shape::Polygon) && feature.area_m2 <= 0.0 {
            return Err(refuse("has no area on the ground".into()));
        }
        Ok((feature, repaired))
    }

    fn code(&self, row: &Row) -> Result<Option<String>, String> {
        let text = match self.columns.code {
            CodeColumn::Fid => row.fid.map(|fid| fid.to_string()),
            CodeColumn::At(index) => self.code_in(&row.values, index)?,
        };
        if let Some(code) = &text {
            limits::check_code("code", code).map_err(|error| error.to_string())?;
        }
        Ok(text)
    }

    /// The code in a column, as codes are kept; none for an empty one.
    fn code_in(&self, values: &[Raw], index: usize) -> Result<Option<String>, String> {
        let name = &self.columns.names[index];
        if let Raw::Real(number) = &values[index]
            && number.abs() >= MAX_EXACT
        {
            return Err(format!(
                "`{name}` is a floating number beyond 2^53, which has lost its last digits; write codes as text"
            ));
        }
        let Some(text) = self.plain(&values[index], index)? else {
            return Ok(None);
        };
        let code = tidy_code(&text);
        if exact::is_shortened(&code) {
            return Err(format!(
                "`{name}` is {code}, a number that a spreadsheet has cut short; make its column one of text there and save \
                 the codes anew"
            ));
        }
        Ok(Some(code).filter(|code| !code.is_empty()))
    }

    fn geometry(&mut self, mut geometry: Geometry<f64>) -> Result<Geometry<f64>, String> {
        geometry = simple(geometry).ok_or("is a mixture of points, lines and areas")?;
        if self.options.swap_axes {
            geometry.map_coords_in_place(|c| Coord { x: c.y, y: c.x });
        }
        if let Some((system, way)) = self.way {
            way.apply(&mut geometry)?;
            if let Some(reason) = place::reason_outside(system, &geometry) {
                return Err(reason);
            }
        }
        let shape = Shape::of(&geometry).ok_or("is a mixture of points, lines and areas")?;
        match (self.options.wanted, self.shape) {
            (Wanted::Zones, _) if shape != Shape::Polygon => {
                return Err(format!(
                    "is a {}; zones are polygons, take it in with `sen import layer`",
                    shape.name()
                ));
            }
            (Wanted::PointsOrLines, _) if shape == Shape::Polygon => {
                return Err("is a polygon; take it in with `sen import zones`".into());
            }
            (_, Some(first)) if first != shape => {
                return Err(format!(
                    "is a {}, the layer is made of {}s",
                    shape.name(),
                    first.name()
                ));
            }
            _ => self.shape = Some(shape),
        }
        geometry.bounding_rect().ok_or("has no geometry")?;
        if spans_half_the_globe(&geometry) {
            return Err(format!(
                "spans {HALF_THE_GLOBE_DEG}° of longitude or more, so that its inside and area cannot be told on the ellipsoid; \
                 divide it along meridians"
            ));
        }
        Ok(match geometry {
            Geometry::Polygon(polygon) => Geometry::Polygon(polygon.orient(Direction::Default)),
            Geometry::MultiPolygon(polygons) => Geometry::MultiPolygon(polygons.orient(Direction::Default)),
            other => other,
        })
    }

    fn attributes(
        &mut self,
        values: &[Raw],
        code: String,
        geometry: Geometry<f64>,
    ) -> Result<Feature, String> {
        let mut feature = Feature::new(&self.options.layer, code, geometry);
        feature.scheme.clone_from(&self.options.scheme);
        let text = |index: Option<usize>| index.map_or(Ok(None), |index| self.plain(&values[index], index));
        let name = text(self.columns.name)?.map(|text| one_line(&text));
        feature.name = name.filter(|text| !text.is_empty());
        feature.parent = self
            .columns
            .parent
            .map_or(Ok(None), |index| self.code_in(values, index))?;
        feature.valid_from = date(text(self.columns.valid_from)?)?.or(self.options.valid_from);
        feature.valid_to = date(text(self.columns.valid_to)?)?.or(self.options.valid_to);
        if let (Some(from), Some(to)) = (feature.valid_from, feature.valid_to)
            && from >= to
        {
            return Err(format!("is valid from {from} but only until {to}"));
        }
        for (column, scheme, market) in &self.columns.others {
            let Some(codes) = self.plain(&values[*column], *column)? else {
                continue;
            };
            let market = match market {
                Market::None => None,
                Market::Named(market) => Some(market.clone()),
                Market::At(index) => self.plain(&values[*index], *index)?,
            };
            // one column often lists several codes
            for code in codes
                .split([';', '\n'])
                .map(tidy_code)
                .filter(|code| !code.is_empty())
            {
                feature.codes.push(OtherCode {
                    scheme: scheme.clone(),
                    market: market.clone(),
                    code,
                });
            }
        }
        feature.properties = self.properties(values)?;
        limits::check_feature(&feature).map_err(|error| error.to_string())?;
        Ok(feature)
    }

    /// Every column that is not told by the feature itself.
    fn properties(&mut self, values: &[Raw]) -> Result<Map<String, Value>, String> {
        let mut properties = Map::new();
        for (index, value) in values.iter().enumerate() {
            let name = self.columns.names[index].as_str();
            let own = ["code", "name", "parent", "valid_from", "valid_to"].contains(&name);
            let meant = self.columns.code == CodeColumn::At(index)
                || [self.columns.name, self.columns.parent].contains(&Some(index))
                || [self.columns.valid_from, self.columns.valid_to].contains(&Some(index));
            // a column that the model knows by the same name would only be there twice
            if own && meant {
                continue;
            }
            let value = match value {
                Raw::Binary => {
                    self.binary.insert(index);
                    continue;
                }
                Raw::Null => continue,
                Raw::Bool(value) => Value::Bool(*value),
                Raw::Integer(number) => Value::from(*number),
                Raw::Digits(digits) => Value::String(digits.clone()),
                Raw::Real(number) => match Number::from_f64(*number) {
                    Some(number) => Value::Number(number),
                    None => continue,
                },
                Raw::Json(bytes) => {
                    let text = self.decode(bytes, index)?;
                    serde_json::from_str(&text).unwrap_or(Value::String(text))
                }
                Raw::List(texts) => Value::Array(
                    texts
                        .iter()
                        .map(|text| self.decode(text, index).map(Value::String))
                        .collect::<Result<_, _>>()?,
                ),
                Raw::Text(_) | Raw::TooLong(_) => match self.plain(value, index)? {
                    Some(text) => Value::String(text),
                    None => continue,
                },
            };
            properties.insert(name.to_owned(), value);
        }
        Ok(properties)
    }

    /// The text of a value; none for an empty one.
    fn plain(&self, value: &Raw, index: usize) -> Result<Option<String>, String> {
        Ok(match value {
            Raw::Null | Raw::Binary => None,
            Raw::Bool(value) => Some(value.to_string()),
            Raw::Integer(number) => Some(number.to_string()),
            Raw::Digits(digits) => Some(digits.clone()),
            Raw::Real(number) if number.fract() == 0.0 && number.abs() < MAX_EXACT => {
                Some((*number as i64).to_string())
            }
            Raw::Real(number) => Some(number.to_string()),
            Raw::Text(bytes) | Raw::Json(bytes) => {
                Some(self.decode(bytes, index)?).filter(|text| !text.is_empty())
            }
            Raw::List(texts) => {
                let texts: Vec<_> = texts
                    .iter()
                    .map(|text| self.decode(text, index))
                    .collect::<Result<_, _>>()?;
                Some(texts.join("; ")).filter(|text| !text.is_empty())
            }
            Raw::TooLong(length) => {
                return Err(format!(
                    "its attribute `{}` is {length} bytes long, at most {MAX_TEXT_BYTES} are kept",
                    self.columns.names[index]
                ));
            }
        })
    }

    fn decode(&self, bytes: &[u8], index: usize) -> Result<String, String> {
        let text = self.encoding.decode(bytes).map(composed);
        text.ok_or_else(|| {
            format!(
                "its attribute `{}` is not {} like the rest of the file",
                self.columns.names[index],
                self.encoding.name()
            )
        })
    }
}

/// Text with letters composed (NFC): the same word of two programs is one.
fn composed(text: String) -> String {
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text;
    }
    text.nfc().collect()
}

/// Takes the `.0` off codes that a program counted in floating numbers (`29869.0`): where all of a column have it. Tells
/// of which.
pub(super) fn strip_points(columns: &Columns, rows: &mut [Row]) -> Vec<String> {
    let code = match columns.code {
        CodeColumn::At(index) => Some(index),
        CodeColumn::Fid => None,
    };
    let mut notes = Vec::new();
    for index in code.into_iter().chain(columns.parent) {
        let text = |value: &Raw| match value {
            Raw::Text(text) => std::str::from_utf8(text.trim_ascii()).ok().map(str::to_owned),
            _ => None,
        };
        let mut texts = rows
            .iter()
            .map(|row| &row.values[index])
            .filter(|value| !is_empty(value))
            .peekable();
        let all = texts.peek().is_some()
            && texts.all(|value| text(value).is_some_and(|text| exact::without_point(&text).is_some()));
        if !all {
            continue;
        }
        for row in &mut *rows {
            if let Some(whole) =
                text(&row.values[index]).and_then(|text| exact::without_point(&text).map(str::to_owned))
            {
                row.values[index] = Raw::Text(whole.into_bytes());
            }
        }
        notes.push(format!(
            "all of `{}` end in .0, as a program writes that counts in floating numbers; read without it",
            columns.names[index]
        ));
    }
    notes
}

fn is_empty(value: &Raw) -> bool {
    match value {
        Raw::Null => true,
        Raw::Text(text) => text.trim_ascii().is_empty(),
        _ => false,
    }
}

/// True when a polygon is so wide that the shortest way between its corners may lead around the back of the earth.
/// Several parts on both sides of the date line are none of that.
fn spans_half_the_globe(geometry: &Geometry<f64>) -> bool {
    let wide = |polygon: &Polygon<f64>| {
        polygon
            .bounding_rect()
            .is_some_and(|rect| rect.width() >= HALF_THE_GLOBE_DEG)
    };
    match geometry {
        Geometry::Polygon(polygon) => wide(polygon),
        Geometry::MultiPolygon(polygons) => polygons.iter().any(wide),
        _ => false,
    }
}

fn date(text: Option<String>) -> Result<Option<NaiveDate>, String> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let day = text.trim().get(..10).unwrap_or(&text);
    day.parse()
        .map(Some)
        .map_err(|_| format!("`{text}` is no date; write it as 2025-07-01"))
}

/// A multi of one part as that part, a collection of one kind as the multi of that kind; empty parts left out.
fn simple(geometry: Geometry<f64>) -> Option<Geometry<f64>> {
    let (mut points, mut lines, mut areas) = (Vec::new(), Vec::new(), Vec::new());
    let mut open = vec![geometry];
    while let Some(next) = open.pop() {
        match next {
            Geometry::Point(point) => points.push(point),
            Geometry::MultiPoint(parts) => points.extend(parts.0),
            Geometry::Line(line) => lines.push(line.into()),
            Geometry::LineString(line) => lines.push(line),
            Geometry::MultiLineString(parts) => lines.extend(parts.0),
            Geometry::Polygon(polygon) => areas.push(polygon),
            Geometry::MultiPolygon(parts) => areas.extend(parts.0),
            Geometry::Rect(rect) => areas.push(rect.to_polygon()),
            Geometry::Triangle(triangle) => areas.push(triangle.to_polygon()),
            Geometry::GeometryCollection(parts) => open.extend(parts.0.into_iter().rev()),
        }
    }
    lines.retain(|line| line.0.len() >= 2);
    areas.retain(|polygon| polygon.exterior().0.len() >= 4);
    match (points.len(), lines.len(), areas.len()) {
        (1, 0, 0) => points.pop().map(Geometry::Point),
        (2.., 0, 0) => Some(Geometry::MultiPoint(points.into())),
        (0, 1, 0) => lines.pop().map(Geometry::LineString),
        (0, 2.., 0) => Some(Geometry::MultiLineString(geo_types::MultiLineString(lines))),
        (0, 0, 1) => areas.pop().map(Geometry::Polygon),
        (0, 0, 2..) => Some(Geometry::MultiPolygon(areas.into())),
        _ => None,
    }
}

/// A name that a cell or label breaks into lines, on one line; empty where there is nothing but space.
fn one_line(name: &str) -> String {
    if !name.contains(['\n', '\r', '\t']) && !name.trim().is_empty() {
        return name.to_owned();
    }
    name.split(['\n', '\r', '\t'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A CSV says not which columns are numbers: those are in which every text is one, written as numbers are and no longer
/// than numbers hold (so that `00123`, `12e5` and twenty digits stay the codes they are).
pub(super) fn numbers_of_csv(features: &mut [Feature]) {
    let names: BTreeSet<String> = features
        .iter()
        .flat_map(|f| f.properties.keys().cloned())
        .collect();
    for name in names {
        let number = |value: &Value| -> Option<Value> {
            let text = value.as_str()?;
            let digits = text.strip_prefix('-').unwrap_or(text);
            let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
            let signed = |exponent: usize| digits[exponent + 1..].starts_with(['+', '-']);
            let coded = digits
                .find(['e', 'E'])
                .is_some_and(|at| !signed(at) && !digits[..at].contains('.'));
            let plain = digits.starts_with(|c: char| c.is_ascii_digit()) && !padded && !coded;
            let value: Value = plain.then(|| serde_json::from_str(text).ok()).flatten()?;
            let held = value.is_i64() || value.as_f64().is_some_and(|number| number.abs() < MAX_EXACT);
            (value.is_number() && held).then_some(value)
        };
        let column = || {
            features
                .iter()
                .filter_map(|feature| feature.properties.get(&name))
        };
        if column().all(|value| number(value).is_some()) {
            let whole = column().all(|value| number(value).is_some_and(|value| value.is_i64()));
            for value in features
                .iter_mut()
                .filter_map(|feature| feature.properties.get_mut(&name))
            {
                if let Some(parsed) = number(value) {
                    *value = match parsed.as_f64() {
                        Some(real) if !whole => Value::from(real),
                        _ => parsed,
                    };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{MultiPolygon, Point, polygon};
    use serde_json::json;

    #[test]
    fn a_multi_of_one_is_that_one() {
        let square = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0)];
        let multi = Geometry::MultiPolygon(MultiPolygon(vec![square.clone()]));
        assert_eq!(simple(multi), Some(Geometry::Polygon(square.clone())));
        let mixed =
            Geometry::GeometryCollection(vec![Geometry::Polygon(square), Point::new(0.0, 0.0).into()].into());
        assert_eq!(simple(mixed), None);
    }

    #[test]
    fn a_name_stands_on_one_line() {
        assert_eq!(one_line("Trạm bơm\r\n số 3"), "Trạm bơm số 3");
        assert_eq!(one_line(" Trạm 3 "), " Trạm 3 ");
        assert_eq!(one_line(" \n "), "");
    }

    #[test]
    fn numbers_of_a_csv_are_numbers_and_padded_codes_are_not() {
        let mut features: Vec<_> = [
            ("1.5", "007", "12", "80512345678901234501", "12e5", "1.2e-05"),
            ("2", "8", "13", "80512345678901234502", "1e7", "3E+02"),
        ]
        .into_iter()
        .map(|(area, ward, count, long, lot, small)| {
            let mut feature = Feature::new("plots", area, Point::new(0.0, 0.0).into());
            for (key, text) in [
                ("area", area),
                ("ward", ward),
                ("count", count),
                ("long", long),
                ("lot", lot),
                ("small", small),
            ] {
                feature.properties.insert(key.into(), json!(text));
            }
            feature
        })
        .collect();
        numbers_of_csv(&mut features);
        assert_eq!(features[1].properties["area"], json!(2.0));
        assert_eq!(features[0].properties["ward"], json!("007"));
        assert_eq!(features[0].properties["count"], json!(12));
        assert_eq!(features[0].properties["long"], json!("80512345678901234501"));
        assert_eq!(features[1].properties["lot"], json!("1e7"));
        assert_eq!(features[1].properties["small"], json!(300.0));
    }
}
