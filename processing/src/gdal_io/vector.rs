//! Reads vector files through OGR: attributes as raw bytes (who decodes them is decided later), geometry checked and
//! repaired in the file's own coordinates, flat, with curves made straight. Text formats are read without OGR; their
//! shapes are made here.

pub(crate) use handle::VsiFile;

use super::crossings::too_tangled;
use super::dbf::Dbf;
use super::init;
use super::system::System;
use crate::{Error, Result};
use gdal::errors::GdalError;
use gdal::vector::LayerAccess;
use gdal::{Dataset, DatasetOptions, GdalOpenFlags, Metadata};
use geo_traits::to_geo::ToGeoGeometry;
use geo_types::Geometry;
use handle::{FieldType, Shape};

/// The formats read by OGR; drivers that could name other files or servers (VRT, WFS) stay out, and so does that of
/// GeoJSON, which would follow a link of the file to its coordinate system.
const DRIVERS: &[&str] = &["GPKG", "ESRI Shapefile", "MapInfo File", "FlatGeobuf"];
/// What a ring that was not closed is told as.
const CLOSED: &str = "a ring was not closed; it ends where it begins now";
/// Longest attribute text that is kept, bytes: a page of remarks is a hundredth of it.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// An attribute as the file holds it.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Real(f64),
    /// A whole number with more digits than the above hold, as it is written.
    Digits(String),
    /// Text in whatever encoding the file is in.
    Text(Vec<u8>),
    /// A text that is JSON.
    Json(Vec<u8>),
    /// Several texts.
    List(Vec<Vec<u8>>),
    /// Bytes that are no text.
    Binary,
    /// A text longer than [`MAX_TEXT_BYTES`]: its length.
    TooLong(usize),
}

/// The shape of a row, in the file's coordinates.
#[derive(Debug)]
pub enum RawShape {
    /// None, or one without a position.
    Missing,
    /// Sound, or repaired for the reason given.
    Sound(Geometry<f64>, Option<String>),
    /// Beyond repair, with the reason.
    Broken(String),
}

/// A row of a file.
#[derive(Debug)]
pub struct Row {
    /// Number of the row in the file, from 1, in reading order.
    pub number: u64,
    /// The row's own number in the file, where it has a column for that.
    pub fid: Option<u64>,
    /// In the order of the columns.
    pub values: Vec<Raw>,
    /// Its shape.
    pub shape: RawShape,
    /// The EPSG code that the shape itself names, as EWKT and EWKB do.
    pub srid: Option<u32>,
}

/// What a file says of itself besides its rows.
#[derive(Debug)]
pub struct Head {
    /// Name of the format, such as `GPKG`.
    pub driver: String,
    /// Names of the columns, raw.
    pub columns: Vec<Vec<u8>>,
    /// Name of the column that numbers the rows, where there is one.
    pub fid_column: Option<String>,
    /// The encoding that the file claims for its text, where it claims one.
    pub claimed_encoding: Option<String>,
    /// The coordinate system; none when the file has none, or why what it states is not used.
    pub system: Result<Option<System>, String>,
    /// What was assumed.
    pub notes: Vec<String>,
}

/// An opened layer of a vector file.
pub struct Source {
    dataset: Dataset,
    index: usize,
    what: String,
    path: String,
    /// Type of each column.
    types: Vec<FieldType>,
    /// How many rows, where the file says so.
    pub rows: Option<u64>,
    /// Everything else.
    pub head: Head,
}

impl Source {
    /// Opens a file for reading (a path, or `/vsizip/{archive}/member`); `layer` where it has several.
    ///
    /// # Errors
    /// Names the file, and what it is not: readable, of a known format, free to be read, with one layer of geometry.
    pub fn open(what: &str, path: &str, layer: Option<&str>) -> Result<Self> {
        init();
        if has_ending(path, "tab") {
            refuse_other_tables(what, path)?;
        }
        // raw bytes: the code page that a DBF claims is often not the one its text is in
        let options: &[&str] = if has_ending(path, "shp") {
            &["ENCODING="]
        } else {
            &[]
        };
        let dataset = open(what, path, options)?;
        let index = choose(&dataset, what, layer)?;
        let chosen = dataset
            .layer(index)
            .map_err(|error| refused(what, path, &error))?;
        let driver = dataset.driver().short_name();
        let system = chosen.spatial_ref().map_or(Ok(None), System::of_file);
        let (columns, types): (Vec<_>, Vec<_>) = handle::columns(&chosen).into_iter().unzip();
        if columns.is_empty() && driver == "ESRI Shapefile" {
            return Err(Error::unreadable(
                what,
                "has no attributes: a shapefile is its .shp, .shx, .dbf and .prj together; copy the .dbf too",
            ));
        }
        let head = Head {
            fid_column: handle::fid_column(&chosen),
            claimed_encoding: claimed_encoding(&chosen, &driver, path),
            system: system_beside(path, system.map_err(|error| error.to_string())),
            columns,
            driver,
            notes: Vec::new(),
        };
        Ok(Self {
            index,
            what: what.to_owned(),
            path: path.to_owned(),
            types,
            rows: chosen.try_feature_count(),
            head,
            dataset,
        })
    }

    /// Reads row by row; `take` may end it with an error.
    ///
    /// # Errors
    /// What `take` says, or the file's damage with the number of the row where it was found.
    pub fn for_each(&self, mut take: impl FnMut(Row) -> Result<()>) -> Result<()> {
        let mut layer = self
            .dataset
            .layer(self.index)
            .map_err(|error| refused(&self.what, &self.what, &error))?;
        handle::forget_errors();
        let mut number = 0;
        let mut dbf = (self.head.driver == "ESRI Shapefile")
            .then(|| Dbf::beside(&self.path))
            .flatten();
        for feature in layer.features() {
            number += 1;
            let fid = feature.fid();
            let mut values: Vec<Raw> = self
                .types
                .iter()
                .enumerate()
                .map(|(at, &kind)| handle::value(&feature, at, kind))
                .collect();
            if let Some((dbf, record)) = dbf.as_mut().zip(fid) {
                for (at, value) in values.iter_mut().enumerate() {
                    let digits = matches!(value, Raw::Real(_))
                        .then(|| dbf.digits(record, at))
                        .flatten();
                    if let Some(digits) = digits {
                        *value = Raw::Digits(digits);
                    }
                }
            }
            let shape = shape(Shape::of(&feature));
            take(Row {
                number,
                fid,
                values,
                shape,
                srid: None,
            })?;
            handle::forget_errors();
        }
        // the end of the rows and damage look the same to the loop
        match handle::last_failure() {
            Some(reason) => Err(Error::unreadable(
                &self.what,
                format!("cannot be read after row {number}: {}", plain(&reason)),
            )),
            None => Ok(()),
        }
    }
}

fn open(what: &str, path: &str, options: &[&str]) -> Result<Dataset> {
    Dataset::open_ex(
        path,
        DatasetOptions {
            open_flags: GdalOpenFlags::GDAL_OF_READONLY
                | GdalOpenFlags::GDAL_OF_VECTOR
                | GdalOpenFlags::GDAL_OF_VERBOSE_ERROR,
            allowed_drivers: Some(DRIVERS),
            open_options: Some(options),
            ..DatasetOptions::default()
        },
    )
    .map_err(|error| refused(what, path, &error))
}

/// A `.tab` that is a view or a seamless table names other files, which are not opened.
fn refuse_other_tables(what: &str, path: &str) -> Result<()> {
    let head = handle::head(path, 4096).unwrap_or_default();
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let other = head.contains("open table") || head.contains("create view") || head.contains("\\isseamless");
    if other {
        let reason = "is a view or a seamless table, which names other tables; export it from MapInfo as a table of its own";
        return Err(Error::unreadable(what, reason));
    }
    Ok(())
}

/// QGIS wrote a `.qpj` beside a `.prj` that could not hold the shift of a datum: where the `.prj` names no datum, the
/// other may.
fn system_beside(path: &str, system: Result<Option<System>, String>) -> Result<Option<System>, String> {
    let doubtful = |system: &System| !system.is_named() && !system.is_vn2000();
    if !has_ending(path, "shp") || !matches!(&system, Ok(own) if own.as_ref().is_none_or(doubtful)) {
        return system;
    }
    let beside = path
        .get(..path.len() - 3)
        .and_then(|stem| handle::head(&format!("{stem}qpj"), 1 << 16));
    match beside.and_then(|text| System::of_name(&String::from_utf8_lossy(&text)).ok().flatten()) {
        Some(told) => Ok(Some(told)),
        None => system,
    }
}

/// True when the name of a file ends like this, in any case.
pub(crate) fn has_ending(path: &str, ending: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
}

fn choose(dataset: &Dataset, what: &str, wanted: Option<&str>) -> Result<usize> {
    let names: Vec<(usize, String, bool)> = dataset
        .layers()
        .enumerate()
        .map(|(index, layer)| (index, layer.name(), handle::has_geometry(&layer)))
        .collect();
    let list = |names: &[&(usize, String, bool)]| {
        let names: Vec<_> = names
            .iter()
            .take(20)
            .map(|(_, name, _)| format!("`{name}`"))
            .collect();
        names.join(", ")
    };
    if let Some(wanted) = wanted {
        return match names.iter().find(|(_, name, _)| name == wanted) {
            Some((index, ..)) => Ok(*index),
            None => Err(Error::unreadable(
                what,
                format!(
                    "has no layer `{wanted}`, only {}",
                    list(&names.iter().collect::<Vec<_>>())
                ),
            )),
        };
    }
    let shaped: Vec<_> = names.iter().filter(|(_, _, shaped)| *shaped).collect();
    match shaped[..] {
        [one] => Ok(one.0),
        [] if names.len() == 1 => Ok(0),
        [] => Err(Error::unreadable(what, "holds no layer with geometry")),
        _ => Err(Error::unreadable(
            what,
            format!("holds several layers: {}; choose one with --layer", list(&shaped)),
        )),
    }
}

/// GPKG and FlatGeobuf are UTF-8 by definition; a DBF claims its code page, a MapInfo file its charset.
fn claimed_encoding(layer: &gdal::vector::Layer<'_>, driver: &str, path: &str) -> Option<String> {
    match driver {
        "GPKG" | "FlatGeobuf" => Some("UTF-8".into()),
        "ESRI Shapefile" => layer
            .metadata_item("CPG_VALUE", "SHAPEFILE")
            .or_else(|| layer.metadata_item("ENCODING_FROM_LDID", "SHAPEFILE")),
        "MapInfo File" => mapinfo_charset(path),
        _ => None,
    }
}

/// The charset of the head of a `.tab` or `.mif`: OGR has recoded the text from it already.
fn mapinfo_charset(path: &str) -> Option<String> {
    let head = handle::head(path, 4096)?;
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let start = head.find("charset")? + "charset".len();
    let name: String = head[start..]
        .trim_start_matches(|c: char| c == '"' || c.is_whitespace())
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    (!name.is_empty() && name != "neutral").then_some(name)
}

fn shape(shape: Option<Shape>) -> RawShape {
    let Some(shape) = shape.filter(|shape| !shape.is_empty()) else {
        return RawShape::Missing;
    };
    let geometry = match decode(&shape) {
        Ok(geometry) => geometry,
        Err(reason) => return RawShape::Broken(reason),
    };
    if !is_finite(&geometry) {
        return RawShape::Broken("a coordinate is not a number".into());
    }
    if !is_areal(&geometry) {
        return RawShape::Sound(geometry, None);
    }
    let closed = shape.close_rings().then(|| CLOSED.to_owned());
    let Some(mut reason) = shape.trouble() else {
        return RawShape::Sound(geometry, closed);
    };
    if let Some(closed) = closed {
        reason = format!("{closed}; {reason}");
    }
    if let Some(tangle) = too_tangled(&geometry) {
        return RawShape::Broken(format!("{reason}; {tangle}"));
    }
    let repaired = shape.made_valid().filter(|shape| !shape.is_empty());
    match repaired.and_then(|shape| decode(&shape).ok()).and_then(areas) {
        Some(geometry) => RawShape::Sound(geometry, Some(reason)),
        None => RawShape::Broken(format!("{reason}; nothing with an area is left after repair")),
    }
}

/// The shape that a text is, and the EPSG code it names: WKT, EWKT (`SRID=4326;POLYGON(...)`), WKB or EWKB in hexadecimal
/// digits, a GeoJSON geometry. PostGIS writes 0 for no code.
pub(crate) fn shape_of_text(text: &str) -> (RawShape, Option<u32>) {
    let text = text.trim();
    if text.is_empty() {
        return (RawShape::Missing, None);
    }
    let unread = || {
        let begin: String = text.chars().take(40).collect();
        RawShape::Broken(format!(
            "its geometry is neither WKT nor EWKT, WKB or GeoJSON: `{begin}`"
        ))
    };
    if text.starts_with('{') {
        return (shape_of_json(text), None);
    }
    if let Some((read, srid)) = bytes_of_hex(text).and_then(Shape::of_ewkb) {
        return (shape(Some(read)), srid.filter(|&srid| srid != 0));
    }
    let head = text.get(..5).filter(|head| head.eq_ignore_ascii_case("srid="));
    let (srid, wkt) = match head.and_then(|_| text[5..].split_once(';')) {
        None => (None, text),
        Some((srid, wkt)) => match srid.trim().parse::<u32>() {
            Ok(srid) => (Some(srid).filter(|&srid| srid != 0), wkt),
            Err(_) => return (unread(), None),
        },
    };
    match Shape::of_wkt(wkt.trim()) {
        Some(read) => (shape(Some(read)), srid),
        None => (unread(), srid),
    }
}

/// The shape of a GeoJSON geometry.
pub(crate) fn shape_of_json(text: &str) -> RawShape {
    Shape::of_json(text).map_or_else(
        || {
            let begin: String = text.chars().take(40).collect();
            RawShape::Broken(format!("its geometry is no GeoJSON: `{begin}`"))
        },
        |read| shape(Some(read)),
    )
}

/// A shape that was made elsewhere.
pub(crate) fn shape_of_point(x: f64, y: f64) -> RawShape {
    RawShape::Sound(geo_types::Point::new(x, y).into(), None)
}

/// The bytes that hexadecimal digits write, as databases write WKB.
fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    let text = text
        .strip_prefix("\\x")
        .or_else(|| text.strip_prefix("0x"))
        .unwrap_or(text);
    if text.len() < 18 || !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

fn decode(shape: &Shape) -> Result<Geometry<f64>, String> {
    let bytes = shape.wkb().ok_or("a geometry of a kind that is not read here")?;
    wkb::reader::read_wkb(&bytes)
        .ok()
        .and_then(|geometry| geometry.try_to_geometry())
        .ok_or_else(|| "a geometry of a kind that is not read here".to_owned())
}

fn is_finite(geometry: &Geometry<f64>) -> bool {
    use geo::CoordsIter;
    geometry.coords_iter().all(|c| c.x.is_finite() && c.y.is_finite())
}

fn is_areal(geometry: &Geometry<f64>) -> bool {
    match geometry {
        Geometry::Polygon(_) | Geometry::MultiPolygon(_) => true,
        Geometry::GeometryCollection(parts) => parts.iter().any(is_areal),
        _ => false,
    }
}

/// The polygons of what a repair left; its stray lines and points are dropped.
fn areas(geometry: Geometry<f64>) -> Option<Geometry<f64>> {
    let mut polygons = Vec::new();
    gather(geometry, &mut polygons);
    match polygons.len() {
        0 => None,
        1 => polygons.pop().map(Geometry::Polygon),
        _ => Some(Geometry::MultiPolygon(polygons.into())),
    }
}

fn gather(geometry: Geometry<f64>, out: &mut Vec<geo_types::Polygon<f64>>) {
    match geometry {
        Geometry::Polygon(polygon) if polygon.exterior().0.len() >= 4 => out.push(polygon),
        Geometry::MultiPolygon(polygons) => {
            out.extend(
                polygons
                    .0
                    .into_iter()
                    .filter(|polygon| polygon.exterior().0.len() >= 4),
            );
        }
        Geometry::GeometryCollection(parts) => parts.0.into_iter().for_each(|part| gather(part, out)),
        _ => {}
    }
}

fn refused(what: &str, path: &str, error: &GdalError) -> Error {
    let message = match error {
        GdalError::CplError { msg, .. } | GdalError::NullPointer { msg, .. } => msg.replace(path, "the file"),
        other => other.to_string(),
    };
    let reason = if message.contains("locked") || message.contains("busy") {
        busy()
    } else if message.contains("SHAPE_RESTORE_SHX") {
        "lacks its index: a shapefile is its .shp, .shx, .dbf and .prj together; copy the .shx too".to_owned()
    } else if message.trim().is_empty() || message.contains("not recognized") {
        "is none of the formats read here: GeoPackage, GeoJSON, Shapefile, MapInfo TAB or MIF, FlatGeobuf, CSV with WKT \
         or coordinates (each is known by the ending of its name)"
            .to_owned()
    } else {
        format!("cannot be read: {}", message.trim())
    };
    Error::unreadable(what, reason)
}

fn busy() -> String {
    "is being written by another program; save and end the edit there (in QGIS: toggle editing off), then try again"
        .to_owned()
}

fn plain(message: &str) -> String {
    if message.contains("locked") || message.contains("busy") {
        busy()
    } else {
        message.trim().to_owned()
    }
}

#[expect(
    unsafe_code,
    reason = "the gdal crate gives text only as UTF-8, and geometry without the reason of its faults"
)]
mod handle {
    use super::{MAX_TEXT_BYTES, Raw};
    use gdal::vector::{Feature, Layer, LayerAccess};
    use gdal_sys::{
        CPLErr, OGRFieldSubType, OGRFieldType, OGRGeometryH, OGRwkbByteOrder, OGRwkbGeometryType,
    };
    use std::ffi::{CStr, CString, c_char};
    use std::io::Read;
    use std::ptr::null_mut;

    /// How a column is read.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum FieldType {
        Bool,
        Integer,
        Real,
        Text,
        Json,
        Time,
        List,
        Binary,
    }

    fn bytes(text: *const c_char) -> Vec<u8> {
        if text.is_null() {
            return Vec::new();
        }
        // SAFETY: OGR gives strings that end in NUL and live until the next call on the same object
        unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
    }

    pub(super) fn columns(layer: &Layer<'_>) -> Vec<(Vec<u8>, FieldType)> {
        // SAFETY: the definition belongs to the layer, which outlives this call; indices are within its count
        unsafe {
            let definition = gdal_sys::OGR_L_GetLayerDefn(layer.c_layer());
            (0..gdal_sys::OGR_FD_GetFieldCount(definition))
                .map(|index| {
                    let field = gdal_sys::OGR_FD_GetFieldDefn(definition, index);
                    let sub = gdal_sys::OGR_Fld_GetSubType(field);
                    let kind = match gdal_sys::OGR_Fld_GetType(field) {
                        OGRFieldType::OFTInteger if sub == OGRFieldSubType::OFSTBoolean => FieldType::Bool,
                        OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => FieldType::Integer,
                        OGRFieldType::OFTReal => FieldType::Real,
                        OGRFieldType::OFTString if sub == OGRFieldSubType::OFSTJSON => FieldType::Json,
                        OGRFieldType::OFTBinary => FieldType::Binary,
                        OGRFieldType::OFTDate | OGRFieldType::OFTDateTime | OGRFieldType::OFTTime => {
                            FieldType::Time
                        }
                        OGRFieldType::OFTStringList => FieldType::List,
                        _ => FieldType::Text,
                    };
                    (bytes(gdal_sys::OGR_Fld_GetNameRef(field)), kind)
                })
                .collect()
        }
    }

    pub(super) fn fid_column(layer: &Layer<'_>) -> Option<String> {
        // SAFETY: as above
        let name = bytes(unsafe { gdal_sys::OGR_L_GetFIDColumn(layer.c_layer()) });
        String::from_utf8(name).ok().filter(|name| !name.is_empty())
    }

    pub(super) fn has_geometry(layer: &Layer<'_>) -> bool {
        // SAFETY: as above
        unsafe { gdal_sys::OGR_L_GetGeomType(layer.c_layer()) != OGRwkbGeometryType::wkbNone }
    }

    pub(super) fn value(feature: &Feature<'_>, index: usize, kind: FieldType) -> Raw {
        let index = index as i32;
        // SAFETY: the feature lives through the call, the index comes from its layer's definition
        unsafe {
            let handle = feature.c_feature();
            if gdal_sys::OGR_F_IsFieldSetAndNotNull(handle, index) == 0 {
                return Raw::Null;
            }
            let text = || {
                let pointer = gdal_sys::OGR_F_GetFieldAsString(handle, index);
                if pointer.is_null() {
                    return Err(Raw::Null);
                }
                let length = CStr::from_ptr(pointer).count_bytes();
                if length > MAX_TEXT_BYTES {
                    return Err(Raw::TooLong(length));
                }
                Ok(bytes(pointer))
            };
            match kind {
                FieldType::Bool => Raw::Bool(gdal_sys::OGR_F_GetFieldAsInteger(handle, index) != 0),
                FieldType::Integer => Raw::Integer(gdal_sys::OGR_F_GetFieldAsInteger64(handle, index)),
                FieldType::Real => Raw::Real(gdal_sys::OGR_F_GetFieldAsDouble(handle, index)),
                FieldType::Text => text().map_or_else(|other| other, Raw::Text),
                FieldType::Json => text().map_or_else(|other| other, Raw::Json),
                FieldType::Time => text().map_or_else(|other| other, |text| Raw::Text(iso(text))),
                FieldType::Binary => Raw::Binary,
                FieldType::List => {
                    let mut texts = Vec::new();
                    let mut next = gdal_sys::OGR_F_GetFieldAsStringList(handle, index);
                    while !next.is_null() && !(*next).is_null() {
                        texts.push(bytes(*next));
                        next = next.add(1);
                    }
                    Raw::List(texts)
                }
            }
        }
    }

    /// OGR's `2026/08/31 07:00:00+07` as `2026-08-31T07:00:00+07`.
    fn iso(text: Vec<u8>) -> Vec<u8> {
        text.into_iter()
            .map(|byte| match byte {
                b'/' => b'-',
                b' ' => b'T',
                other => other,
            })
            .collect()
    }

    /// A geometry of our own.
    pub(super) struct Shape(OGRGeometryH);

    impl Shape {
        /// A flat copy of a feature's geometry with straight edges.
        pub(super) fn of(feature: &Feature<'_>) -> Option<Self> {
            // SAFETY: the reference belongs to the feature, which lives through the call
            unsafe { Self::flat(gdal_sys::OGR_F_GetGeometryRef(feature.c_feature())) }
        }

        /// The same of WKT; none when it is none.
        pub(super) fn of_wkt(text: &str) -> Option<Self> {
            let text = CString::new(text).ok()?;
            let (mut rest, mut made) = (text.as_ptr().cast_mut(), null_mut());
            // SAFETY: OGR moves the pointer within the text and writes nothing there; what it makes is ours
            unsafe {
                let code = gdal_sys::OGR_G_CreateFromWkt(&raw mut rest, null_mut(), &raw mut made);
                let made = (!made.is_null()).then(|| Self(made))?;
                (code == gdal_sys::OGRErr::OGRERR_NONE)
                    .then(|| Self::flat(made.0))
                    .flatten()
            }
        }

        /// The same of a GeoJSON geometry; none when it is none.
        pub(super) fn of_json(text: &str) -> Option<Self> {
            let text = CString::new(text).ok()?;
            // SAFETY: OGR reads the text and gives a geometry of ours or null
            unsafe {
                let made = gdal_sys::OGR_G_CreateGeometryFromJson(text.as_ptr());
                let made = (!made.is_null()).then(|| Self(made))?;
                Self::flat(made.0)
            }
        }

        /// The same of WKB or EWKB, with the code that the latter names; none when it is neither.
        pub(super) fn of_ewkb(mut bytes: Vec<u8>) -> Option<(Self, Option<u32>)> {
            /// Bit of the type that says that a code follows it.
            const HAS_SRID: u32 = 0x2000_0000;
            let little = bytes.first().is_some_and(|&order| order == 1);
            let word = |bytes: &[u8], at: usize| {
                let word: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
                Some(if little {
                    u32::from_le_bytes(word)
                } else {
                    u32::from_be_bytes(word)
                })
            };
            let kind = word(&bytes, 1)?;
            let mut srid = None;
            if kind & HAS_SRID != 0 {
                srid = word(&bytes, 5);
                bytes.drain(5..9);
                let kind = kind & !HAS_SRID;
                let kind = if little {
                    kind.to_le_bytes()
                } else {
                    kind.to_be_bytes()
                };
                bytes[1..5].copy_from_slice(&kind);
            }
            let mut made = null_mut();
            // SAFETY: the length is that of the buffer; what OGR makes is ours
            unsafe {
                let length = i32::try_from(bytes.len()).ok()?;
                let code =
                    gdal_sys::OGR_G_CreateFromWkb(bytes.as_ptr().cast(), null_mut(), &raw mut made, length);
                let made = (!made.is_null()).then(|| Self(made))?;
                (code == gdal_sys::OGRErr::OGRERR_NONE)
                    .then(|| Self::flat(made.0))
                    .flatten()
                    .map(|shape| (shape, srid))
            }
        }

        /// # Safety
        /// The handle is null or of a live geometry.
        unsafe fn flat(geometry: OGRGeometryH) -> Option<Self> {
            if geometry.is_null() {
                return None;
            }
            // SAFETY: the geometry is live; the copy is ours and destroyed once
            unsafe {
                let copy = gdal_sys::OGR_G_GetLinearGeometry(geometry, 0.0, null_mut());
                if copy.is_null() {
                    return None;
                }
                gdal_sys::OGR_G_FlattenTo2D(copy);
                Some(Self(copy))
            }
        }

        /// Closes the rings of polygons; true when one was open.
        pub(super) fn close_rings(&self) -> bool {
            // SAFETY: the handle is live until drop; a closed ring is longer by a position
            unsafe {
                let before = gdal_sys::OGR_G_WkbSize(self.0);
                gdal_sys::OGR_G_CloseRings(self.0);
                gdal_sys::OGR_G_WkbSize(self.0) != before
            }
        }

        pub(super) fn is_empty(&self) -> bool {
            // SAFETY: the handle is live until drop
            unsafe { gdal_sys::OGR_G_IsEmpty(self.0) != 0 }
        }

        /// Why the geometry is not valid; none when it is.
        pub(super) fn trouble(&self) -> Option<String> {
            // SAFETY: as above; the reason comes as the last warning of this thread
            unsafe {
                gdal_sys::CPLErrorReset();
                if gdal_sys::OGR_G_IsValid(self.0) != 0 {
                    return None;
                }
                let reason = String::from_utf8_lossy(&bytes(gdal_sys::CPLGetLastErrorMsg())).into_owned();
                gdal_sys::CPLErrorReset();
                Some(if reason.is_empty() {
                    "not valid".into()
                } else {
                    reason
                })
            }
        }

        /// Repaired: rings made sound each, shells merged, holes taken out.
        pub(super) fn made_valid(&self) -> Option<Self> {
            // SAFETY: the list lives through the call; the result is ours
            unsafe {
                let options =
                    gdal_sys::CSLSetNameValue(null_mut(), c"METHOD".as_ptr(), c"STRUCTURE".as_ptr());
                let made = gdal_sys::OGR_G_MakeValidEx(self.0, options);
                gdal_sys::CSLDestroy(options);
                gdal_sys::CPLErrorReset();
                (!made.is_null()).then_some(Self(made))
            }
        }

        pub(super) fn wkb(&self) -> Option<Vec<u8>> {
            // SAFETY: the buffer has the size OGR asks for
            unsafe {
                let size = gdal_sys::OGR_G_WkbSize(self.0);
                let mut buffer = vec![0_u8; usize::try_from(size).ok()?];
                let code =
                    gdal_sys::OGR_G_ExportToIsoWkb(self.0, OGRwkbByteOrder::wkbNDR, buffer.as_mut_ptr());
                (code == gdal_sys::OGRErr::OGRERR_NONE).then_some(buffer)
            }
        }
    }

    impl Drop for Shape {
        fn drop(&mut self) {
            // SAFETY: ours, destroyed once
            unsafe { gdal_sys::OGR_G_DestroyGeometry(self.0) }
        }
    }

    pub(super) fn forget_errors() {
        // SAFETY: touches the state of this thread only
        unsafe { gdal_sys::CPLErrorReset() }
    }

    /// The last error of this thread that is more than a warning.
    pub(super) fn last_failure() -> Option<String> {
        // SAFETY: GDAL keeps the message of this thread until the next call into it
        unsafe {
            let class = gdal_sys::CPLGetLastErrorType();
            (class == CPLErr::CE_Failure || class == CPLErr::CE_Fatal)
                .then(|| String::from_utf8_lossy(&bytes(gdal_sys::CPLGetLastErrorMsg())).into_owned())
        }
    }

    /// The first bytes of a file, also of one inside an archive.
    pub(super) fn head(path: &str, length: u64) -> Option<Vec<u8>> {
        let mut head = Vec::new();
        VsiFile::open(path)?.take(length).read_to_end(&mut head).ok()?;
        Some(head)
    }

    /// A file as GDAL finds it, also inside an archive.
    pub(crate) struct VsiFile(*mut gdal_sys::VSILFILE);

    impl VsiFile {
        pub(crate) fn open(path: &str) -> Option<Self> {
            super::init();
            let path = CString::new(path).ok()?;
            // SAFETY: the path ends in NUL; the handle is closed in drop
            let file = unsafe { gdal_sys::VSIFOpenL(path.as_ptr(), c"rb".as_ptr()) };
            (!file.is_null()).then(|| Self(file))
        }
    }

    impl Read for VsiFile {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            // SAFETY: the handle is open, the buffer has the length given
            let (read, ended) = unsafe {
                let read = gdal_sys::VSIFReadL(into.as_mut_ptr().cast(), 1, into.len() as _, self.0) as usize;
                (read, gdal_sys::VSIFEofL(self.0) != 0)
            };
            if read == 0 && !into.is_empty() && !ended {
                return Err(std::io::Error::other("damaged"));
            }
            Ok(read)
        }
    }

    impl Drop for VsiFile {
        fn drop(&mut self) {
            // SAFETY: open until here, closed once
            unsafe {
                gdal_sys::VSIFCloseL(self.0);
            }
        }
    }
}
