//! Tables as text (CSV and its kin) whose rows have a shape: a column of WKT, WKB or GeoJSON, or two of coordinates.

use super::ReadOptions;
use super::coordinate::{self, coordinate};
use super::files::{self, VectorFile};
use super::legacy;
use crate::gdal_io::system::System;
use crate::gdal_io::vector::{
    Head, MAX_TEXT_BYTES, Raw, RawShape, Row, VsiFile, shape_of_point, shape_of_text,
};
use crate::textfile;
use crate::{Error, Result};
use csv::ByteRecord;
use sen_catalog::feature::fold;
use std::io::{BufRead, Read};

/// Names of columns that hold a shape, folded.
const SHAPE_NAMES: &[&str] = &[
    "wkt",
    "geom",
    "geometry",
    "thegeom",
    "wktgeom",
    "shape",
    "wkbgeometry",
    "wkb",
    "ewkt",
    "ewkb",
    "hinhhoc",
];
/// What cuts cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows looked at to find the column of the shape.
const LOOK_AHEAD: usize = 100;
/// Largest `.prj` beside a table, bytes.
const MAX_PRJ_BYTES: u64 = 1 << 16;

/// A table that has been opened: what cuts its cells is known, and what its columns are called.
pub(super) struct Table<'r> {
    /// Its records after the head.
    pub(super) records: csv::Reader<Box<dyn BufRead + 'r>>,
    /// Names of the columns, raw.
    pub(super) columns: Vec<Vec<u8>>,
    /// True when the text was recoded to UTF-8.
    pub(super) recoded: bool,
}

/// Opens a table.
///
/// # Errors
/// Names the file when it cannot be read or is empty.
pub(super) fn open(file: &VectorFile) -> Result<Table<'static>> {
    let what = file.name.as_str();
    let damaged = |error: std::io::Error| Error::unreadable(what, format!("cannot be read: {error}"));
    let mut text = textfile::open(files::open(file)?).map_err(damaged)?;
    let head = text.reader.fill_buf().map_err(damaged)?;
    let delimiter = text.delimiter.unwrap_or_else(|| delimiter(head));
    let mut records = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(text.reader);
    let mut head = ByteRecord::new();
    let found = records
        .read_byte_record(&mut head)
        .map_err(|error| Error::unreadable(what, format!("is no table: {error}")))?;
    if !found {
        return Err(Error::unreadable(what, "is empty"));
    }
    Ok(Table {
        records,
        columns: head.iter().map(|name| name.trim_ascii().to_vec()).collect(),
        recoded: text.recoded,
    })
}

/// What cuts the first line into most cells, outside of quotes.
fn delimiter(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0; DELIMITERS.len()];
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = DELIMITERS.iter().position(|delimiter| *delimiter == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..counts.len()).rev().max_by_key(|&at| counts[at]);
    DELIMITERS[most.unwrap_or(0)]
}

/// The name of a column in letters that can be compared; a name in an old encoding is tried in each of them.
pub(super) fn readings(name: &[u8]) -> Vec<String> {
    if let Ok(name) = std::str::from_utf8(name) {
        return vec![name.to_owned()];
    }
    let all = [
        legacy::windows_1258(name),
        Some(legacy::tcvn3(name)),
        legacy::vni(name),
    ];
    all.into_iter().flatten().collect()
}

/// True when one of the names is that of a column of shapes.
pub(super) fn names_a_shape(names: &[String]) -> bool {
    names
        .iter()
        .any(|name| SHAPE_NAMES.contains(&fold(name).as_str()))
}

/// Where the shape of a row is.
enum ShapeAt {
    Column(usize),
    Pair(usize, usize),
}

/// Reads a table of shapes.
///
/// # Errors
/// What `take` says; names the file when it has no shapes, or is damaged.
pub(super) fn read(
    file: &VectorFile,
    options: &ReadOptions,
    take: &mut dyn FnMut(Row) -> Result<()>,
) -> Result<Head> {
    let what = file.name.as_str();
    if let Some(layer) = &options.source_layer {
        return Err(Error::unreadable(
            what,
            format!("has no layer `{layer}`: a table is one layer; leave --layer out"),
        ));
    }
    let mut table = open(file)?;
    let damaged = |row: u64, error: csv::Error| {
        Error::unreadable(what, format!("cannot be read after row {row}: {error}"))
    };
    let mut ahead = Vec::new();
    for record in table.records.byte_records().take(LOOK_AHEAD) {
        ahead.push(record.map_err(|error| damaged(ahead.len() as u64, error))?);
    }
    let at = shape_at(what, &table.columns, &ahead, options)?;
    let holds_shape = |column: usize| match at {
        ShapeAt::Column(own) => own == column,
        ShapeAt::Pair(x, y) => x == column || y == column,
    };
    let kept: Vec<usize> = (0..table.columns.len())
        .filter(|&column| !holds_shape(column))
        .collect();
    let rest = std::iter::from_fn(|| {
        let mut record = ByteRecord::new();
        match table.records.read_byte_record(&mut record) {
            Ok(true) => Some(Ok(record)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    });
    let width = table.columns.len();
    for (before, record) in (0..).zip(ahead.into_iter().map(Ok).chain(rest)) {
        let record = record.map_err(|error| damaged(before, error))?;
        let number = before + 1;
        let (mut shape, srid) = shape(&record, &at, &table.columns);
        let more = record
            .iter()
            .skip(width)
            .filter(|cell| !cell.trim_ascii().is_empty())
            .count();
        if more > 0 {
            shape = RawShape::Broken(format!(
                "has {} cells, the head of the table {width}; a cell that holds what cuts them goes in quotes",
                record.len()
            ));
        }
        let cell = |column: &usize| match record.get(*column) {
            Some(text) if text.len() > MAX_TEXT_BYTES => Raw::TooLong(text.len()),
            Some(text) => Raw::Text(text.to_vec()),
            None => Raw::Null,
        };
        take(Row {
            number,
            fid: None,
            values: kept.iter().map(cell).collect(),
            shape,
            srid,
        })?;
    }
    Ok(Head {
        driver: "CSV".to_owned(),
        columns: kept.iter().map(|&column| table.columns[column].clone()).collect(),
        fid_column: None,
        claimed_encoding: table.recoded.then(|| "UTF-8".to_owned()),
        system: system_beside(file).map_err(|error| error.to_string()),
        notes: Vec::new(),
    })
}

/// The system of a `.prj` beside a table.
fn system_beside(file: &VectorFile) -> Result<Option<System>> {
    let Some((stem, _)) = file.path.rsplit_once('.') else {
        return Ok(None);
    };
    let mut text = String::new();
    let read = VsiFile::open(&format!("{stem}.prj"))
        .and_then(|prj| prj.take(MAX_PRJ_BYTES).read_to_string(&mut text).ok());
    read.map_or(Ok(None), |_| System::of_prj(&text))
}

fn shape_at(what: &str, columns: &[Vec<u8>], ahead: &[ByteRecord], options: &ReadOptions) -> Result<ShapeAt> {
    let readings: Vec<Vec<String>> = columns.iter().map(|name| readings(name)).collect();
    let named = |wanted: &str| {
        let same = |reading: &String| fold(reading) == fold(wanted);
        readings.iter().position(|own| own.iter().any(same))
    };
    let list = || {
        let names: Vec<_> = readings
            .iter()
            .map(|own| format!("`{}`", own.first().map_or("", String::as_str)))
            .collect();
        names.join(", ")
    };
    if let (Some(x), Some(y)) = (&options.x, &options.y) {
        let told = |option: &str, name: &str| {
            named(name).ok_or_else(|| {
                Error::unreadable(
                    what,
                    format!("has no column `{name}` ({option}); it has {}", list()),
                )
            })
        };
        return Ok(ShapeAt::Pair(told("--x", x)?, told("--y", y)?));
    }
    let first = |column: usize| {
        let cells = ahead.iter().filter_map(|record| record.get(column));
        cells.map(<[u8]>::trim_ascii).find(|cell| !cell.is_empty())
    };
    let holds_shapes = |column: &usize| first(*column).is_some_and(looks_like_a_shape);
    let of_shape = |column: &usize| {
        readings[*column]
            .iter()
            .any(|name| SHAPE_NAMES.contains(&fold(name).as_str()))
    };
    let all = || 0..columns.len();
    let spelt = (0..3).find_map(|nth| {
        let names: Vec<String> = readings
            .iter()
            .map(|own| own.get(nth).or(own.first()).cloned().unwrap_or_default())
            .collect();
        coordinate::columns(&names)
    });
    let column = all()
        .filter(of_shape)
        .find(|column| holds_shapes(column))
        .or_else(|| all().find(holds_shapes));
    match (column, spelt, all().find(of_shape)) {
        (Some(column), ..) | (None, None, Some(column)) => Ok(ShapeAt::Column(column)),
        (None, Some((x, y)), _) => Ok(ShapeAt::Pair(x, y)),
        (None, None, None) => Err(Error::unreadable(
            what,
            format!(
                "has no geometry: no column holds WKT, WKB or GeoJSON, and none is named {}; name the columns of longitude \
                 (or easting) and latitude (or northing) with --x and --y; it has {}",
                coordinate::LOOKED_FOR,
                list()
            ),
        )),
    }
}

/// WKT with or without a code before it, GeoJSON, or many hexadecimal digits.
fn looks_like_a_shape(cell: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&cell[..cell.len().min(64)]).to_ascii_uppercase();
    let text = match text.strip_prefix("SRID=").and_then(|rest| rest.split_once(';')) {
        Some((_, rest)) => rest,
        None => &text,
    };
    let word: String = text
        .trim_start()
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    let word = word.trim_end_matches("ZM").trim_end_matches(['Z', 'M']);
    let wkt = [
        "POINT",
        "LINESTRING",
        "POLYGON",
        "MULTIPOINT",
        "MULTILINESTRING",
        "MULTIPOLYGON",
        "GEOMETRYCOLLECTION",
        "CURVEPOLYGON",
        "MULTISURFACE",
        "COMPOUNDCURVE",
        "CIRCULARSTRING",
        "MULTICURVE",
        "TRIANGLE",
        "TIN",
        "POLYHEDRALSURFACE",
    ];
    let json = text.starts_with('{') && text.contains("\"TYPE\"");
    let hex = text
        .strip_prefix("\\X")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    let hex = hex.len() >= 18
        && (hex.starts_with("00") || hex.starts_with("01"))
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    (wkt.contains(&word) && text.contains(['(', 'E'])) || json || hex
}

fn shape(record: &ByteRecord, at: &ShapeAt, columns: &[Vec<u8>]) -> (RawShape, Option<u32>) {
    let text = |column: usize| String::from_utf8_lossy(record.get(column).unwrap_or_default());
    match *at {
        ShapeAt::Column(column) => shape_of_text(&text(column)),
        ShapeAt::Pair(x, y) => {
            let (left, right) = (text(x), text(y));
            if left.trim().is_empty() && right.trim().is_empty() {
                return (RawShape::Missing, None);
            }
            let unread = |column: usize, text: &str| {
                let name = readings(&columns[column]).swap_remove(0);
                let reason = format!(
                    "its `{name}` is no coordinate: `{}`; write degrees or metres as 105.5012",
                    text.trim()
                );
                (RawShape::Broken(reason), None)
            };
            match (coordinate(&left), coordinate(&right)) {
                (Some(x), Some(y)) => (shape_of_point(x, y), None),
                (None, _) => unread(x, &left),
                (_, None) => unread(y, &right),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Geometry;

    /// The head and rows of a table.
    fn rows(text: &[u8], change: impl Fn(&mut ReadOptions)) -> Result<(Head, Vec<Row>)> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).expect("written");
        let file = VectorFile {
            name: "a.csv".into(),
            path: path.to_string_lossy().into_owned(),
        };
        let mut options = ReadOptions::zones("plots");
        change(&mut options);
        let mut rows = Vec::new();
        let head = read(&file, &options, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok((head, rows))
    }

    fn point(row: &Row) -> (f64, f64) {
        match &row.shape {
            RawShape::Sound(Geometry::Point(point), _) => (point.x(), point.y()),
            other => panic!("not expected here: {other:?}"),
        }
    }

    #[test]
    fn pairs_of_coordinates_are_read_as_people_write_them() {
        for text in [
            "ma,lon,lat\nA,105.5,10.25\n",
            "sep=;\nMã;Kinh độ;Vĩ độ\nA;105,5;10,25\n",
            "ma\tKINHDO\tVIDO\nA\t105°30'00\"Đ\t10°15'00\"B\n",
            "ma|toado_x|toado_y\nA|105.5|10.25\n",
        ] {
            let (head, rows) = rows(text.as_bytes(), |_| {}).expect("reads");
            assert_eq!((head.columns.len(), rows.len()), (1, 1), "{text}");
            assert_eq!(point(&rows[0]), (105.5, 10.25), "{text}");
        }
        // names in an old encoding: `Kinh ®é`, `VÜ ®é` are TCVN3
        let (_, old) = rows(b"ma;Kinh \xae\xe9;V\xdc \xae\xe9\nA;105.5;10.25\n", |_| {}).expect("reads");
        assert_eq!(point(&old[0]), (105.5, 10.25));
        let told = |options: &mut ReadOptions| {
            (options.x, options.y) = (Some("D".into()), Some("B".into()));
        };
        let (_, own) = rows(b"ma,B,D\nA,10.25,105.5\n", told).expect("reads");
        assert_eq!(point(&own[0]), (105.5, 10.25));
    }

    #[test]
    fn shapes_are_found_by_what_they_are_in_whatever_column() {
        let little = "0101000020941200000000000000605A400000000000802440";
        let big = "\\x002000000100001294405a6000000000004024800000000000";
        for (cell, srid) in [
            ("SRID=4756;POINT(105.5 10.25)", Some(4756)),
            ("POINT (105.5 10.25)", None),
            (little, Some(4756)),
            (big, Some(4756)),
            (
                "\"{\"\"type\"\": \"\"Point\"\", \"\"coordinates\"\": [105.5, 10.25]}\"",
                None,
            ),
        ] {
            let (head, rows) =
                rows(format!("ma,ranh_gioi,ten\nA,{cell},x\n").as_bytes(), |_| {}).expect("reads");
            assert_eq!(head.columns, [&b"ma"[..], b"ten"], "{cell}");
            assert_eq!(rows[0].srid, srid, "{cell}");
            assert!((point(&rows[0]).0 - 105.5).abs() < 1e-9, "{cell}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let refused = |text: &str| rows(text.as_bytes(), |_| {}).expect_err("refused").to_string();
        let none = refused("ma,cot_a\nA,1\n");
        for word in ["kinh_do", "--x", "`cot_a`", "a.csv"] {
            assert!(none.contains(word), "{word}: {none}");
        }
        assert!(refused("").contains("empty"));
        let (_, bad) =
            rows(b"ma,lon,lat\nA,east of here,10\nB,105.5,10.2,xa 3\nC,,\n", |_| {}).expect("reads");
        let reason = |row: &Row| match &row.shape {
            RawShape::Broken(reason) => reason.clone(),
            _ => String::new(),
        };
        assert!(reason(&bad[0]).contains("`lon`") && reason(&bad[0]).contains("east of here"));
        assert!(reason(&bad[1]).contains("4 cells"));
        assert!(matches!(bad[2].shape, RawShape::Missing));
    }
}
