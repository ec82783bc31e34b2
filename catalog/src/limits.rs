//! What every way in refuses, whoever delivers: files, HTTP and MQTT.
//!
//! What one way takes, the lists, searches and pages of all have to carry; so lengths and characters are judged here
//! and nowhere else. Errors begin with the field at fault.

use crate::{Error, Feature, Result};
use chrono::TimeDelta;
use serde_json::{Map, Value};

/// How far the clock of a sensor, or of whoever delivers, may be ahead.
pub const MOST_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// Longest code, characters.
pub const LONGEST_CODE: usize = 200;

/// Longest name, characters.
pub const LONGEST_NAME: usize = 1000;

/// Longest unit, characters.
pub const LONGEST_UNIT: usize = 40;

/// Most bytes of a description, and of all properties of one thing together, as JSON.
pub const MOST_TEXT_BYTES: usize = 1 << 20;

/// Refuses a code that nobody could type again: empty, longer than [`LONGEST_CODE`], or with line breaks and other control
/// characters.
///
/// # Errors
/// [`Error::Invalid`], beginning with `field`.
pub fn check_code(field: &str, code: &str) -> Result<()> {
    if code.trim().is_empty() {
        return Err(Error::Invalid(format!("{field}: is empty")));
    }
    check_line(field, code, LONGEST_CODE)
}

/// Refuses a name that does not stand on one line of at most [`LONGEST_NAME`] characters.
///
/// # Errors
/// [`Error::Invalid`], beginning with `field`.
pub fn check_name(field: &str, name: &str) -> Result<()> {
    check_line(field, name, LONGEST_NAME)
}

/// Refuses a unit that is empty, longer than [`LONGEST_UNIT`], or holds control characters.
///
/// # Errors
/// [`Error::Invalid`], beginning with `field`.
pub fn check_unit(field: &str, unit: &str) -> Result<()> {
    if unit.trim().is_empty() {
        return Err(Error::Invalid(format!(
            "{field}: is empty; write 1 for plain numbers"
        )));
    }
    check_line(field, unit, LONGEST_UNIT)
}

/// Refuses a text of more than [`MOST_TEXT_BYTES`]; line breaks belong to texts.
///
/// # Errors
/// [`Error::Invalid`], beginning with `field`.
pub fn check_text(field: &str, text: &str) -> Result<()> {
    check_size(field, text.len())
}

/// Refuses properties that take more than [`MOST_TEXT_BYTES`] together, and names of properties that are no names.
///
/// # Errors
/// [`Error::Invalid`], beginning with `field` and, where one property is at fault, its name.
pub fn check_properties(field: &str, properties: &Map<String, Value>) -> Result<()> {
    let mut bytes = 0;
    let mut largest = ("", 0);
    for (name, value) in properties {
        check_line(field, name, LONGEST_CODE)?;
        let own = name.len() + json_bytes(value);
        bytes += own;
        if own > largest.1 {
            largest = (name, own);
        }
    }
    if bytes > MOST_TEXT_BYTES {
        return check_size(&format!("{field}.{}", largest.0), bytes);
    }
    Ok(())
}

/// Refuses a feature that holds a code, name or property that no way in may bring.
///
/// # Errors
/// [`Error::Invalid`], beginning with the field: `code`, `name`, `parent`, `codes`, `properties`.
pub fn check_feature(feature: &Feature) -> Result<()> {
    check_code("code", &feature.code)?;
    if let Some(name) = &feature.name {
        check_name("name", name)?;
    }
    if let Some(parent) = &feature.parent {
        check_code("parent", parent)?;
    }
    for other in &feature.codes {
        check_code("codes", &other.code)?;
    }
    check_properties("properties", &feature.properties)
}

/// True for characters that break a line or that no terminal, page or header shows.
pub fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

fn check_line(field: &str, text: &str, longest: usize) -> Result<()> {
    let start = || text.chars().take(40).collect::<String>();
    if text.chars().take(longest + 1).count() > longest {
        return Err(Error::Invalid(format!(
            "{field}: is longer than {longest} characters: it begins {:?}",
            start()
        )));
    }
    if text.chars().any(is_control) {
        return Err(Error::Invalid(format!(
            "{field}: holds a line break or another control character: {text:?}; take it out"
        )));
    }
    Ok(())
}

fn check_size(field: &str, bytes: usize) -> Result<()> {
    if bytes > MOST_TEXT_BYTES {
        return Err(Error::Invalid(format!(
            "{field}: takes {bytes} bytes, at most {MOST_TEXT_BYTES} are kept"
        )));
    }
    Ok(())
}

/// How long a value is as JSON, to a few bytes for its marks; nothing is written to find out.
fn json_bytes(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 2,
        Value::Array(all) => all.iter().map(|one| json_bytes(one) + 1).sum::<usize>() + 2,
        Value::Object(all) => {
            let one = |(name, value): (&String, &Value)| name.len() + 4 + json_bytes(value);
            all.iter().map(one).sum::<usize>() + 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Point;
    use serde_json::json;

    fn station() -> Feature {
        Feature::new("stations", "TV-01", Point::new(105.5, 10.5).into())
    }

    #[test]
    fn a_feature_of_the_trade_passes() {
        let mut good = station();
        good.name = Some("Trạm Tân Châu (sông Tiền)".into());
        good.parent = Some("30337".into());
        good.properties
            .insert("ghi_chu".into(), json!("dòng một\ndòng hai"));
        good.properties
            .insert("history".into(), json!([{"from": 2019}, null, true]));
        check_feature(&good).expect("line breaks belong to texts");
    }

    #[test]
    fn what_lists_and_pages_cannot_carry_is_refused_by_field() {
        let with = |change: fn(&mut Feature)| {
            let mut feature = station();
            change(&mut feature);
            check_feature(&feature).expect_err("refused").to_string()
        };
        for (told, field, word) in [
            (with(|f| f.code = "TV\r\n01".into()), "code: ", "line break"),
            (with(|f| f.code = "TV\u{2028}01".into()), "code: ", "line break"),
            (with(|f| f.code = "x".repeat(201)), "code: ", "200"),
            (with(|f| f.code = " ".into()), "code: ", "empty"),
            (with(|f| f.name = Some("Trạm\u{0}".into())), "name: ", "control"),
            (with(|f| f.name = Some("x".repeat(10_000_000))), "name: ", "1000"),
            (with(|f| f.parent = Some("a\tb".into())), "parent: ", "control"),
            (
                with(|f| drop(f.properties.insert("note".into(), json!("x".repeat(1 << 20))))),
                "properties.note: ",
                "1048576",
            ),
            (
                with(|f| drop(f.properties.insert("a\nb".into(), json!(1)))),
                "properties: ",
                "line break",
            ),
        ] {
            assert!(told.starts_with(field) && told.contains(word), "{told}");
            assert!(
                told.len() < 400,
                "what is too long is not repeated: {} bytes",
                told.len()
            );
        }
        let many: Map<String, Value> = (0..2000)
            .map(|i| (format!("p{i}"), json!("x".repeat(600))))
            .collect();
        assert!(
            check_properties("properties", &many).is_err(),
            "many small ones are a large one"
        );
    }

    #[test]
    fn units_are_words() {
        for good in ["m", "[pH]", "1", "µg/L", "mmol/L (N)"] {
            check_unit("unit", good).expect("a unit");
        }
        for wrong in ["", "  ", "m\n", &"x".repeat(41)] {
            assert!(check_unit("unit", wrong).is_err(), "{wrong:?}");
        }
    }
}
