//! Tables of administrative units without polygons: CSV (`code,name,level,parent,valid_from,valid_to,predecessors`) and
//! JSON, flat or nested as published (provinces that hold districts that hold wards).

use super::files::VectorFile;
use super::{Read, Trouble};
use crate::gdal_io::vector::has_ending;
use crate::{Error, Result};
use chrono::NaiveDate;
use sen_catalog::admin::{AdminUnit, Basis, Level, Predecessor};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;

/// Largest table, bytes: the whole country with three levels is 3 MB.
const MAX_BYTES: u64 = 256 << 20;
/// Columns that make a CSV one of shapes.
const SHAPES: &[&str] = &[
    "wkt",
    "geom",
    "geometry",
    "the_geom",
    "wkt_geom",
    "lon",
    "longitude",
    "x",
];
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
            notes: self.notes.clone(),
        }
    }
}

/// True for a CSV without shapes and a JSON that is no GeoJSON.
pub fn is_table(file: &VectorFile) -> bool {
    let head = || {
        let mut head = Vec::new();
        File::open(&file.path)
            .ok()?
            .take(4096)
            .read_to_end(&mut head)
            .ok()?;
        Some(
            String::from_utf8_lossy(&head)
                .trim_start_matches('\u{feff}')
                .to_lowercase(),
        )
    };
    if has_ending(&file.path, "csv") {
        let first = head().and_then(|head| head.lines().next().map(str::to_owned));
        return first.is_some_and(|line| {
            !line
                .split([',', ';', '\t'])
                .any(|name| SHAPES.contains(&name.trim_matches(['"', ' '])))
        });
    }
    if has_ending(&file.path, "json") {
        return head().is_some_and(|head| {
            head.trim_start().starts_with('[')
                || (head.contains("\"data\"") && !head.contains("\"type\": \"feature"))
        });
    }
    false
}

/// Reads a table. Rows without dates take those given; where nothing says, three levels are those until 2025-06-30 and
/// two levels those since 2025-07-01.
///
/// # Errors
/// Names the file when it is no such table, or its time cannot be told.
pub fn read(file: &VectorFile, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Table> {
    let open = File::open(&file.path).map_err(|error| Error::io(&file.path, error))?;
    if open.metadata().is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        let reason = format!("is larger than {MAX_BYTES} bytes, no table of units is");
        return Err(Error::unreadable(&file.name, reason));
    }
    let mut rows = Rows::default();
    if has_ending(&file.path, "csv") {
        rows.csv(open, &file.name)?;
    } else {
        let value: Value = serde_json::from_reader(std::io::BufReader::new(open))
            .map_err(|error| Error::unreadable(&file.name, format!("is no JSON: {error}")))?;
        rows.json(&value, None, 0);
    }
    rows.finish(&file.name, from, to)
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
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
}

impl Rows {
    fn csv(&mut self, file: File, what: &str) -> Result<()> {
        let damaged = |error: csv::Error| Error::unreadable(what, format!("is no CSV: {error}"));
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let names: Vec<String> = reader
            .headers()
            .map_err(damaged)?
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        for record in reader.records() {
            let record = record.map_err(damaged)?;
            let fields = names
                .iter()
                .cloned()
                .zip(record.iter().map(|text| Value::String(text.to_owned())))
                .collect();
            self.row(&fields, None);
        }
        Ok(())
    }

    /// Units at any depth: whatever has a code is one, whatever lies within it belongs to it.
    fn json(&mut self, value: &Value, parent: Option<&str>, depth: usize) {
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
                let inner = own.as_deref().or(parent);
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
        text(
            fields,
            &["code", "level3_id", "level2_id", "level1_id", "ma", "id"],
        )
    }

    /// Takes a row in; gives its code.
    fn row(&mut self, fields: &Fields, parent: Option<&str>) -> Option<String> {
        self.number += 1;
        let code = self.code(fields);
        match unit(fields, code.clone(), parent) {
            Ok(unit) => {
                self.units.push(unit);
                code
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

    fn finish(mut self, what: &str, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Table> {
        if self.units.is_empty() {
            let reason = "holds no administrative unit: rows need a code, a name and a level";
            return Err(Error::unreadable(what, reason));
        }
        let mut notes = Vec::new();
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

fn unit(fields: &Fields, code: Option<String>, parent: Option<&str>) -> Result<AdminUnit, String> {
    let code = code.ok_or("has no code")?;
    let name = text(fields, &["fullname", "full_name", "name", "ten"]).ok_or("has no name")?;
    let level = match text(fields, &["level", "cap"]) {
        Some(said) => said
            .parse()
            .map_err(|error: sen_catalog::Error| error.to_string())?,
        None => Level::of_code(&code).ok_or("its code has neither 2, 3 nor 5 digits, and it has no level")?,
    };
    let day = |name: &str| {
        text(fields, &[name])
            .map(|text| {
                text.parse::<NaiveDate>()
                    .map_err(|_| format!("`{text}` is no date; write it as 2025-07-01"))
            })
            .transpose()
    };
    let above = text(fields, &["parent", "parent_code", "ma_cha"]).or_else(|| parent.map(str::to_owned));
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
        assert!(is_table(&file));
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
}
