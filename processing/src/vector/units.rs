//! Tables of administrative units without polygons: CSV (`code,name,level,parent,valid_from,valid_to,predecessors`) and
//! JSON, flat or nested as published (provinces that hold districts that hold wards).

use super::files::{self, Format, VectorFile};
use super::noughts;
use super::{Encoding, Read, Trouble, coordinate, exact, table, text};
use crate::gdal_io::vector::Raw;
use crate::textfile;
use crate::{Error, Result};
use chrono::NaiveDate;
use sen_catalog::admin::{AdminUnit, Basis, Level, Predecessor};
use sen_catalog::feature::{fold, tidy_code};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::io::{BufRead, Read as _};

/// Largest table, bytes: the whole country with three levels is 3 MB.
const MAX_BYTES: u64 = 256 << 20;
/// The day on which districts ended and communes were formed anew (Decision 19/2025/QD-TTg).
fn change() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 7, 1).expect("a day of the calendar")
}

/// A table of units, read.
#[derive(Clone, Debug)]
pub struct Table {
    /// The units.
    pub units: Vec<AdminUnit>,
    /// Rows left out.
    pub refused: Vec<Trouble>,
    /// What was assumed.
    pub notes: Vec<String>,
}

impl Table {
    /// The same report as of a file with shapes.
    pub fn report(&self) -> Read {
        Read {
            features: Vec::new(),
            rows: (self.units.len() + self.refused.len()) as u64,
            repaired: Vec::new(),
            refused: self.refused.clone(),
            doubtful: Vec::new(),
            notes: self.notes.clone(),
        }
    }
}

/// True for a table without shapes and a JSON that is no GeoJSON.
///
/// # Errors
/// Names the file when it cannot be read.
pub fn is_table(file: &VectorFile) -> Result<bool> {
    match files::format(file)? {
        Format::Ogr => Ok(false),
        Format::Table => {
            let columns = table::open(file)?.columns;
            let names: Vec<String> = columns
                .iter()
                .map(|name| table::readings(name).swap_remove(0))
                .collect();
            Ok(!table::names_a_shape(&names) && coordinate::columns(&names).is_none())
        }
        Format::Json => {
            let damaged =
                |error: std::io::Error| Error::unreadable(&file.name, format!("cannot be read: {error}"));
            let mut text = textfile::open(files::open(file)?).map_err(damaged)?;
            let head = String::from_utf8_lossy(text.reader.fill_buf().map_err(damaged)?).to_lowercase();
            let plain: String = head.chars().filter(|c| !c.is_whitespace()).collect();
            Ok(plain.starts_with('[')
                || (plain.contains("\"data\"") && !plain.contains("\"type\":\"feature")))
        }
    }
}

/// Reads a table. Rows without dates take those given; where nothing says, three levels are those until 2025-06-30 and
/// two levels those since 2025-07-01.
///
/// # Errors
/// Names the file when it is no such table, or its time cannot be told.
pub fn read(file: &VectorFile, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Table> {
    let mut rows = Rows::default();
    let mut notes = Vec::new();
    if files::format(file)? == Format::Table {
        rows.csv(file, &mut notes)?;
    } else {
        let damaged =
            |error: &dyn std::fmt::Display| Error::unreadable(&file.name, format!("is no JSON: {error}"));
        let mut text = String::new();
        let opened = textfile::open(files::open(file)?).map_err(|error| damaged(&error))?;
        let read = opened
            .reader
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| damaged(&error))?;
        if read as u64 > MAX_BYTES {
            return Err(too_large(&file.name));
        }
        let raw: Box<RawValue> = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
        let value = exact::value(&raw).map_err(|error| damaged(&error))?;
        rows.json(&value, None, 0);
    }
    rows.finish(&file.name, from, to, notes)
}

fn too_large(what: &str) -> Error {
    Error::unreadable(
        what,
        format!("is larger than {MAX_BYTES} bytes, no table of units is"),
    )
}

#[derive(Default)]
struct Rows {
    units: Vec<AdminUnit>,
    refused: Vec<Trouble>,
    number: u64,
}

/// A row as texts by folded column name.
type Fields = Map<String, Value>;

fn text(fields: &Fields, names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| fields.get(*name))
        .find_map(|value| match value {
            Value::String(text) => Some(tidy_code(text)).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
}

/// A code: a number that was counted in floating numbers loses its `.0`.
fn code(fields: &Fields, names: &[&str]) -> Option<String> {
    let code = text(fields, names)?;
    Some(exact::without_point(&code).map(str::to_owned).unwrap_or(code))
}

impl Rows {
    fn csv(&mut self, file: &VectorFile, notes: &mut Vec<String>) -> Result<()> {
        let what = file.name.as_str();
        let table = table::open(file)?;
        let mut sample = text::Sample::default();
        let (mut records, mut bytes) = (Vec::new(), 0);
        for record in table.records.into_byte_records() {
            let record = record.map_err(|error| Error::unreadable(what, format!("is no table: {error}")))?;
            bytes += record.as_slice().len() as u64;
            if bytes > MAX_BYTES {
                return Err(too_large(what));
            }
            record
                .iter()
                .for_each(|cell| sample.add(&Raw::Text(cell.to_vec())));
            records.push(record);
        }
        let chosen = sample.choose(what, None, table.recoded.then_some("UTF-8"))?;
        // that UTF-8 is UTF-8 is no news of a table
        notes.extend(chosen.note.filter(|_| chosen.encoding != Encoding::Utf8));
        let names: Vec<String> = table
            .columns
            .iter()
            .map(|name| {
                chosen
                    .encoding
                    .decode(name)
                    .unwrap_or_else(|| table::readings(name).swap_remove(0))
            })
            .map(|name| name.trim().to_lowercase())
            .collect();
        for record in records {
            let cell = |cell: &[u8]| Value::String(chosen.encoding.decode(cell).unwrap_or_default());
            let fields = names.iter().cloned().zip(record.iter().map(cell)).collect();
            self.row(&fields, None);
        }
        Ok(())
    }

    /// Units at any depth: whatever has a code is one, whatever lies within it belongs to it.
    fn json(&mut self, value: &Value, parent: Option<(&str, Level)>, depth: usize) {
        if depth > 16 {
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.json(item, parent, depth + 1)),
            Value::Object(object) => {
                let fields: Fields = object
                    .iter()
                    .map(|(name, value)| (name.to_lowercase(), value))
                    .filter(|(name, value)| {
                        !(value.is_array() || value.is_object()) || name == "predecessors"
                    })
                    .map(|(name, value)| (name, value.clone()))
                    .collect();
                let own = self
                    .code(&fields)
                    .is_some()
                    .then(|| self.row(&fields, parent))
                    .flatten();
                let inner = own
                    .as_ref()
                    .map(|(code, level)| (code.as_str(), *level))
                    .or(parent);
                for (name, child) in object {
                    if child.is_array() && name.to_lowercase() != "predecessors" {
                        self.json(child, inner, depth + 1);
                    }
                }
            }
            _ => {}
        }
    }

    fn code(&self, fields: &Fields) -> Option<String> {
        code(
            fields,
            &["code", "level3_id", "level2_id", "level1_id", "ma", "mã", "id"],
        )
    }

    /// Takes a row in; gives its code and level.
    fn row(&mut self, fields: &Fields, parent: Option<(&str, Level)>) -> Option<(String, Level)> {
        self.number += 1;
        let code = self.code(fields);
        match unit(fields, code.clone(), parent) {
            Ok(unit) => {
                let level = unit.level;
                self.units.push(unit);
                code.map(|code| (code, level))
            }
            Err(reason) => {
                self.refused.push(Trouble {
                    row: self.number,
                    code,
                    reason,
                });
                None
            }
        }
    }

    fn finish(
        mut self,
        what: &str,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
        mut notes: Vec<String>,
    ) -> Result<Table> {
        if self.units.is_empty() {
            let reason = "holds no administrative unit: rows need a code, a name and a level";
            return Err(Error::unreadable(what, reason));
        }
        notes.extend(noughts::put_back(&mut self.units));
        let dated = |unit: &AdminUnit| unit.valid_from.is_some() || unit.valid_to.is_some();
        let (mut from, mut to) = (from, to);
        if from.is_none() && to.is_none() && !self.units.iter().all(dated) {
            let change = change();
            let has = |level: Level| self.units.iter().any(|unit| unit.level == level);
            if has(Level::District) {
                to = Some(change);
                notes.push(format!(
                    "three levels: taken as valid until {change}; --valid-to says otherwise"
                ));
            } else if has(Level::Commune) && has(Level::Province) {
                from = Some(change);
                notes.push(format!(
                    "two levels: taken as valid since {change}; --valid-from says otherwise"
                ));
            } else {
                let reason =
                    "does not say when its units are valid; say it with --valid-from DATE or --valid-to DATE";
                return Err(Error::unreadable(what, reason));
            }
        }
        for unit in self.units.iter_mut().filter(|unit| !dated(unit)) {
            unit.valid_from = from;
            unit.valid_to = to;
        }
        let mut seen = HashSet::new();
        let mut twice = Vec::new();
        self.units.retain(|unit| {
            let first = seen.insert((unit.level, unit.code.clone(), unit.valid_from));
            if !first {
                twice.push(unit.code.clone());
            }
            first
        });
        self.refused.extend(twice.into_iter().map(|code| Trouble {
            row: 0,
            code: Some(code),
            reason: "the code is there twice; the first is kept".into(),
        }));
        Ok(Table {
            units: self.units,
            refused: self.refused,
            notes,
        })
    }
}

fn unit(fields: &Fields, code: Option<String>, parent: Option<(&str, Level)>) -> Result<AdminUnit, String> {
    let code = code.ok_or("has no code")?;
    if exact::is_shortened(&code) {
        return Err("its code was cut short by a spreadsheet; make its column one of text there".into());
    }
    let name = text(fields, &["fullname", "full_name", "name", "ten", "tên"]).ok_or("has no name")?;
    let above = self::code(fields, &["parent", "parent_code", "ma_cha", "mã cha"])
        .or_else(|| parent.map(|(code, _)| code.to_owned()));
    let level = match text(fields, &["level", "cap", "cấp"]) {
        // a city that belongs to something is one of a district's rank
        Some(word) if above.is_some() && ["thanhpho", "tp", "city"].contains(&fold(&word).as_str()) => {
            Level::District
        }
        Some(word) => Level::of_word(&word, &code).map_err(|error| error.to_string())?,
        None => {
            let within = parent.map(|(_, level)| level);
            let named = Level::of_name(&name, &code)
                .map(|level| {
                    if level == Level::Province && above.is_some() {
                        Level::District
                    } else {
                        level
                    }
                })
                .filter(|level| within.is_none_or(|within| *level > within));
            named
                .or_else(|| Level::of_code(&code))
                .ok_or("its code has neither 2, 3 nor 5 digits, and it has no level")?
        }
    };
    let day = |name: &str| {
        text(fields, &[name])
            .map(|text| {
                text.parse::<NaiveDate>()
                    .map_err(|_| format!("`{text}` is no date; write it as 2025-07-01"))
            })
            .transpose()
    };
    Ok(AdminUnit {
        level,
        code,
        valid_from: day("valid_from")?,
        valid_to: day("valid_to")?,
        name,
        parent: above,
        predecessors: predecessors(fields.get("predecessors"))?,
    })
}

/// A list of objects (`code`, `valid_from`, `share`, `part`) or texts: `87=0.58; 82@2020-01-01=1` is the code, its first
/// day and the share of it that went into the unit.
fn predecessors(value: Option<&Value>) -> Result<Vec<Predecessor>, String> {
    let one = |text: &str| -> Result<Predecessor, String> {
        let (name, share) = match text.split_once('=') {
            Some((name, share)) => (
                name,
                Some(
                    share
                        .trim()
                        .parse()
                        .map_err(|_| format!("`{share}` is no share between 0 and 1"))?,
                ),
            ),
            None => (text, None),
        };
        let (code, day) = match name.split_once('@') {
            Some((code, day)) => (
                code,
                Some(
                    day.trim()
                        .parse()
                        .map_err(|_| format!("`{day}` is no date; write it as 2025-07-01"))?,
                ),
            ),
            None => (name, None),
        };
        if share.is_some_and(|share: f64| !(0.0..=1.0).contains(&share)) {
            return Err(format!("`{text}`: a share lies between 0 and 1"));
        }
        Ok(Predecessor {
            code: code.trim().to_owned(),
            valid_from: day,
            share,
            part: None,
            basis: Basis::Given,
        })
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(text)) => text
            .split(';')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(one)
            .collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| match item {
                Value::String(text) => one(text),
                other => {
                    let mut object = other.clone();
                    if let Some(object) = object.as_object_mut() {
                        object.entry("basis").or_insert_with(|| "given".into());
                    }
                    serde_json::from_value(object).map_err(|error| format!("predecessors: {error}"))
                }
            })
            .collect(),
        Some(other) => Err(format!("predecessors: `{other}` is no list of codes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str, from: Option<&str>) -> Result<Table> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        let file = VectorFile {
            name: name.into(),
            path: path.to_string_lossy().into_owned(),
        };
        assert!(is_table(&file).expect("reads"));
        read(&file, from.map(|day| day.parse().expect("a date")), None)
    }

    #[test]
    fn nested_json_of_three_and_of_two_levels() {
        let three = r#"[{"Code":"87","FullName":"Tỉnh Đồng Tháp","Name":"Đồng Tháp","District":[{"Code":"866",
            "FullName":"Thành phố Cao Lãnh","Ward":[{"Code":"29869","FullName":"Phường 1"}]}]}]"#;
        let read = table("a.json", three, None).expect("reads");
        let ward = &read.units[2];
        assert_eq!(
            (ward.level, ward.parent.as_deref()),
            (Level::Commune, Some("866"))
        );
        assert_eq!((ward.valid_from, ward.valid_to), (None, Some(change())));
        assert_eq!(read.units[0].name, "Tỉnh Đồng Tháp");
        let two = r#"[{"Code":"82","FullName":"Tỉnh Đồng Tháp","Wards":[{"Code":"29869","FullName":"Phường Cao Lãnh",
            "ProvinceCode":"82"}]}]"#;
        let read = table("b.json", two, None).expect("reads");
        assert_eq!(read.units[1].valid_from, Some(change()));
        assert!(read.notes[0].contains("since 2025-07-01"));
    }

    #[test]
    fn a_csv_names_its_columns() {
        let csv = "code,name,level,parent,valid_from,valid_to,predecessors\n\
                   82,Tỉnh Đồng Tháp,province,,2025-07-01,,87=1; 82=1\n\
                   xx,Nowhere,,,2025-07-01,,\n";
        let read = table("a.csv", csv, None).expect("reads");
        assert_eq!(read.units.len(), 1);
        assert_eq!(read.units[0].predecessors[0].share, Some(1.0));
        assert_eq!(
            (read.refused[0].row, read.refused[0].code.as_deref()),
            (2, Some("xx"))
        );
    }

    #[test]
    fn a_table_without_a_time_is_refused() {
        let csv = "code,name\n29869,Phường 1\n";
        assert!(
            table("a.csv", csv, None)
                .expect_err("refused")
                .to_string()
                .contains("--valid-from")
        );
        assert_eq!(
            table("a.csv", csv, Some("2020-01-01"))
                .expect("reads")
                .units
                .len(),
            1
        );
    }

    #[test]
    fn codes_that_lost_their_noughts_get_them_back_and_it_is_told() {
        for (head, rows) in [
            (
                "code,name,level,parent",
                "1,Thành phố Hà Nội,Tỉnh,\n2,Quận Hoàn Kiếm,Quận,1\n4,Phường Cửa Nam,Phường,2\n",
            ),
            // a program that counts in floating numbers, without levels: the names say them
            (
                "ma;ten;parent",
                "1.0;Thành phố Hà Nội;\n2.0;Quận Hoàn Kiếm;1.0\n4.0;Phường Cửa Nam;2.0\n",
            ),
        ] {
            let read = table("a.csv", &format!("{head}\n{rows}"), None).expect("reads");
            let codes: Vec<_> = read
                .units
                .iter()
                .map(|unit| (unit.level, unit.code.as_str(), unit.parent.as_deref()))
                .collect();
            let right = [
                (Level::Province, "01", None),
                (Level::District, "002", Some("01")),
                (Level::Commune, "00004", Some("002")),
            ];
            assert_eq!(codes, right);
            assert!(
                read.notes.iter().any(|note| note.contains("00004")),
                "{:?}",
                read.notes
            );
        }
        // of two levels the parent of a commune is a province
        let two = "code,name,level,parent\n1,Thành phố Hà Nội,province,\n4,Phường Hoàn Kiếm,commune,1\n";
        let read = table("b.csv", two, None).expect("reads");
        assert_eq!(read.units[1].parent.as_deref(), Some("01"));
        // numbers of a JSON are the same
        let json = r#"[{"Code": 1, "FullName": "Thành phố Hà Nội", "Wards": [{"Code": 4, "FullName": "Phường Hoàn Kiếm"}]}]"#;
        let read = table("c.json", json, None).expect("reads");
        assert_eq!(
            (read.units[1].code.as_str(), read.units[1].parent.as_deref()),
            ("00004", Some("01"))
        );
    }

    #[test]
    fn townships_and_cities_within_provinces_have_their_levels() {
        let json = r#"[{"Id": "87", "Name": "Tỉnh Đồng Tháp", "Districts": [{"Id": "868", "Name": "Thị xã Hồng Ngự",
            "Level": "Thành phố", "Wards": [{"Id": "30001", "Name": "Thị trấn Tràm Chim", "Level": "thị trấn"}]}]}]"#;
        let read = table("a.json", json, None).expect("reads");
        let levels: Vec<_> = read.units.iter().map(|unit| unit.level).collect();
        assert_eq!(levels, Level::ALL);
    }

    #[test]
    fn tables_of_excel_are_read_as_it_writes_them() {
        let text = "ma\tten\tcap\n82\tTỉnh Đồng Tháp\tTỉnh\n29869\tPhường Cao Lãnh\tPhường\n";
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.csv");
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, [b"\xff\xfe", &utf16[..]].concat()).expect("written");
        let file = VectorFile {
            name: "a.csv".into(),
            path: path.to_string_lossy().into_owned(),
        };
        assert!(is_table(&file).expect("reads"));
        let read = read(&file, None, None).expect("reads");
        assert_eq!(read.units[1].name, "Phường Cao Lãnh");
    }
}
