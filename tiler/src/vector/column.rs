//! Attributes of all features of a layer, column by column, each value already as it stands in a tile.

use sen_catalog::feature::{Feature, Found, Sought};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Longest text that is drawn from; longer ones stay in the store.
const LONGEST_TEXT: usize = 200;

/// Most properties of a layer that become attributes.
const MOST_PROPERTIES: usize = 24;

/// One attribute of all features.
#[derive(Debug)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) key: String,
    /// What TileJSON calls its kind.
    pub(crate) kind: Kind,
    values: Values,
    /// What it adds to a tile for each feature on average, bytes.
    pub(crate) cost: f64,
}

/// What TileJSON calls the kind of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    String,
    Boolean,
}

impl Kind {
    /// The word in TileJSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number => "Number",
            Self::String => "String",
            Self::Boolean => "Boolean",
        }
    }
}

#[derive(Debug)]
enum Values {
    /// Few different values: numbers from 1 on into a table, 0 for none.
    Shared { of_row: Vec<u32>, table: Texts },
    /// Nearly every feature has its own; an empty one stands for none.
    Own(Texts),
}

/// Byte strings one after another.
#[derive(Debug, Default)]
struct Texts {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Texts {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
    }

    fn at(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[index] as usize]
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn bytes(&self) -> usize {
        self.bytes.capacity() + 4 * self.ends.capacity()
    }
}

/// The value of a feature in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// The feature has none.
    None,
    /// A number into the column's table, from 0 on.
    Shared(usize),
    /// A value of its own.
    Own(&'a [u8]),
}

impl Column {
    /// The value of a row.
    #[inline]
    pub(crate) fn cell(&self, row: usize) -> Cell<'_> {
        match &self.values {
            Values::Shared { of_row, .. } => match of_row[row] {
                0 => Cell::None,
                number => Cell::Shared(number as usize - 1),
            },
            Values::Own(texts) => match texts.at(row) {
                [] => Cell::None,
                value => Cell::Own(value),
            },
        }
    }

    /// An entry of the table.
    pub(crate) fn entry(&self, number: usize) -> &[u8] {
        match &self.values {
            Values::Shared { table, .. } => table.at(number),
            Values::Own(texts) => texts.at(number),
        }
    }

    /// Entries of the table.
    pub(crate) fn table_len(&self) -> usize {
        match &self.values {
            Values::Shared { table, .. } => table.len(),
            Values::Own(_) => 0,
        }
    }

    /// Memory held, bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.values {
            Values::Shared { of_row, table } => 4 * of_row.capacity() + table.bytes(),
            Values::Own(texts) => texts.bytes(),
        }
    }

    /// True when the row's value is one of `wanted`.
    pub(crate) fn matches(&self, row: usize, wanted: &[Sought]) -> bool {
        let value = match self.cell(row) {
            Cell::None => return false,
            Cell::Shared(number) => self.entry(number),
            Cell::Own(value) => value,
        };
        found(value).is_some_and(|found| wanted.iter().any(|wanted| wanted.is(&found)))
    }
}

/// Gathers a column row by row.
#[derive(Debug, Default)]
struct Gathered {
    kind: Option<Kind>,
    mixed: bool,
    numbers: HashMap<Box<[u8]>, u32>,
    of_row: Vec<u32>,
}

impl Gathered {
    fn push(&mut self, row: usize, kind: Kind, value: Box<[u8]>) {
        self.mixed |= *self.kind.get_or_insert(kind) != kind;
        let next = self.numbers.len() as u32 + 1;
        let number = *self.numbers.entry(value).or_insert(next);
        self.of_row.resize(row, 0);
        self.of_row.push(number);
    }

    /// The column with its rows in the given order.
    fn finish(mut self, key: String, order: &[u32]) -> Column {
        self.of_row.resize(order.len(), 0);
        let mut values: Vec<(u32, Box<[u8]>)> = self
            .numbers
            .into_iter()
            .map(|(value, number)| (number, value))
            .collect();
        values.sort_unstable_by_key(|value| value.0);
        let total: usize = values.iter().map(|value| value.1.len()).sum();
        let rows = order.len().max(1) as f64;
        let values_of = |number: u32| -> &[u8] {
            number
                .checked_sub(1)
                .and_then(|at| values.get(at as usize))
                .map_or(&[], |value| &value.1)
        };
        let own = values.len() > 64 && values.len() * 2 > order.len();
        let cost = if own { 4.0 + total as f64 / rows } else { 3.2 };
        let values = if own {
            let mut texts = Texts::default();
            for &row in order {
                texts.push(values_of(self.of_row[row as usize]));
            }
            Values::Own(texts)
        } else {
            let mut table = Texts::default();
            for (_, value) in &values {
                table.push(value);
            }
            let of_row = order.iter().map(|&row| self.of_row[row as usize]).collect();
            Values::Shared { of_row, table }
        };
        let kind = if self.mixed {
            Kind::String
        } else {
            self.kind.unwrap_or(Kind::String)
        };
        Column {
            key,
            kind,
            values,
            cost,
        }
    }
}

/// The attributes of a layer while its features are read.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    rows: usize,
    code: Gathered,
    name: Gathered,
    parent: Gathered,
    properties: BTreeMap<String, Gathered>,
}

impl Columns {
    /// Adds the attributes of the next feature.
    pub(crate) fn push(&mut self, feature: &Feature) {
        let row = self.rows;
        self.rows += 1;
        let text = |into: &mut Gathered, text: &str| {
            if text.len() <= LONGEST_TEXT {
                into.push(row, Kind::String, string(text));
            }
        };
        text(&mut self.code, &feature.code);
        if let Some(name) = &feature.name {
            text(&mut self.name, name);
        }
        if let Some(parent) = &feature.parent {
            text(&mut self.parent, parent);
        }
        for (key, value) in &feature.properties {
            let Some((kind, value)) = scalar(value) else {
                continue;
            };
            if !self.properties.contains_key(key) {
                let reserved = matches!(key.as_str(), "code" | "name" | "parent");
                if reserved || self.properties.len() >= MOST_PROPERTIES || key.len() > LONGEST_TEXT {
                    continue;
                }
                self.properties.insert(key.clone(), Gathered::default());
            }
            if let Some(column) = self.properties.get_mut(key) {
                column.push(row, kind, value);
            }
        }
    }

    /// The columns in the order in which they are kept when a tile grows too large.
    pub(crate) fn finish(self, order: &[u32]) -> Vec<Column> {
        let own = [("code", self.code), ("name", self.name), ("parent", self.parent)];
        let own = own.into_iter().map(|(key, gathered)| (key.to_owned(), gathered));
        own.chain(self.properties)
            .filter(|(_, gathered)| !gathered.numbers.is_empty())
            .map(|(key, gathered)| gathered.finish(key, order))
            .collect()
    }
}

/// A column of numbers that a table says of the rows; `None` where it says nothing.
pub(crate) fn numbers(key: String, values: impl Iterator<Item = Option<f64>>) -> Column {
    let mut gathered = Gathered::default();
    let mut rows = 0;
    for value in values {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            gathered.push(rows, Kind::Number, number(value));
        }
        rows += 1;
    }
    let order: Vec<u32> = (0..rows as u32).collect();
    gathered.finish(key, &order)
}

/// A column of texts; `None` where there is none.
pub(crate) fn texts<'a>(key: String, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    let mut gathered = Gathered::default();
    let mut rows = 0;
    for value in values {
        if let Some(value) = value {
            gathered.push(rows, Kind::String, string(value));
        }
        rows += 1;
    }
    let order: Vec<u32> = (0..rows as u32).collect();
    gathered.finish(key, &order)
}

fn scalar(value: &Value) -> Option<(Kind, Box<[u8]>)> {
    match value {
        Value::String(text) if text.len() <= LONGEST_TEXT => Some((Kind::String, string(text))),
        Value::Bool(flag) => Some((Kind::Boolean, message(&[0x38, u8::from(*flag)]))),
        Value::Number(value) => {
            let value = if let Some(value) = value.as_u64() {
                integer(0x28, value)
            } else if let Some(value) = value.as_i64() {
                integer(0x30, (value as u64) << 1 ^ (value >> 63) as u64)
            } else {
                number(value.as_f64()?)
            };
            Some((Kind::Number, value))
        }
        Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn string(text: &str) -> Box<[u8]> {
    let mut value = Vec::with_capacity(text.len() + 3);
    value.push(0x0a);
    super::mvt::varint(&mut value, text.len() as u64);
    value.extend_from_slice(text.as_bytes());
    message(&value)
}

fn number(value: f64) -> Box<[u8]> {
    // whole numbers are shorter as integers, and the same to every reader
    if value.fract() == 0.0 && value.abs() < 9e15 {
        let value = value as i64;
        return integer(0x30, (value as u64) << 1 ^ (value >> 63) as u64);
    }
    let mut bytes = vec![0x19];
    bytes.extend_from_slice(&value.to_le_bytes());
    message(&bytes)
}

fn integer(tag: u8, value: u64) -> Box<[u8]> {
    let mut bytes = vec![tag];
    super::mvt::varint(&mut bytes, value);
    message(&bytes)
}

/// A value as it stands in a layer: field 4, with its length.
fn message(value: &[u8]) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(value.len() + 3);
    bytes.push(0x22);
    super::mvt::varint(&mut bytes, value.len() as u64);
    bytes.extend_from_slice(value);
    bytes.into_boxed_slice()
}

/// The text of an encoded text.
pub(super) fn string_of(value: &[u8]) -> Option<String> {
    let mut at = 1;
    super::mvt::read_varint(value, &mut at);
    if value.get(at) != Some(&0x0a) {
        return None;
    }
    at += 1;
    super::mvt::read_varint(value, &mut at);
    String::from_utf8(value.get(at..)?.to_vec()).ok()
}

/// An encoded value as conditions compare it.
fn found(value: &[u8]) -> Option<Found<'_>> {
    let mut at = 1;
    super::mvt::read_varint(value, &mut at);
    let &tag = value.get(at)?;
    at += 1;
    match tag {
        0x0a => {
            super::mvt::read_varint(value, &mut at);
            std::str::from_utf8(value.get(at..)?).ok().map(Found::Text)
        }
        0x19 => {
            let bytes = value.get(at..at + 8)?.try_into().ok()?;
            Some(Found::Real(f64::from_le_bytes(bytes)))
        }
        0x28 => Some(Found::Whole(super::mvt::read_varint(value, &mut at).into())),
        0x30 => {
            let zigzag = super::mvt::read_varint(value, &mut at);
            let number = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
            Some(Found::Whole(number.into()))
        }
        0x38 => Some(Found::Flag(value.get(at) == Some(&1))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_value_is_found_by_the_text_that_people_type() {
        for (value, text, other) in [
            (json!("lúa"), "lúa", "lua"),
            (json!(12), "12.0", "-12"),
            (json!(12.0), "12", "12.5"),
            (json!(-3), "-3", "3"),
            (json!(0.25), "0.250", "0.250001"),
            (json!(true), "true", "false"),
            (json!("2026-08-20T00:00:00"), "2026-08-20", "2026-08-21"),
        ] {
            let (_, bytes) = scalar(&value).expect("a scalar");
            let found = found(&bytes).expect("a value");
            assert!(Sought::of(text).is(&found), "{value}");
            assert!(!Sought::of(other).is(&found), "{value}");
        }
        assert!(scalar(&json!([1])).is_none());
        assert!(scalar(&json!("x".repeat(300))).is_none());
    }

    #[test]
    fn rows_keep_their_values_in_a_new_order() {
        let values = [Some(1.5), None, Some(-2.0), Some(1.5)];
        let column = numbers("mean".into(), values.into_iter());
        assert_eq!(column.cell(0), column.cell(3));
        assert_eq!(column.cell(1), Cell::None);
        assert!(column.matches(2, &[Sought::of("-2")]));
        assert!(!column.matches(1, &[Sought::of("0")]));
    }
}
