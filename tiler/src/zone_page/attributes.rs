//! The attributes of a zone as people read them: those that are known under their names and with the words of their values, all
//! others as they were imported, folded away.

use super::riverbank::Reach;
use super::words::number;
use crate::style::{Language, Text};
use chrono::NaiveDate;
use sen_catalog::Feature;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Attributes that are written out at most, and how long one may be.
const MAX_ATTRIBUTES: usize = 40;
/// See [`MAX_ATTRIBUTES`].
const LONGEST_ATTRIBUTE: usize = 200;

/// Names of known attributes.
static NAMES: LazyLock<BTreeMap<String, Text>> =
    LazyLock::new(|| serde_json::from_str(include_str!("attributes.json")).expect("a test reads the names"));
/// Words of known values, by attribute.
static VALUES: LazyLock<BTreeMap<String, BTreeMap<String, Text>>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("attribute_values.json")).expect("a test reads the values")
});

/// Attributes as pairs of name and value.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// Those with a name for people.
    pub(super) known: Vec<(String, String)>,
    /// Those of the file alone.
    pub(super) unknown: Vec<(String, String)>,
}

/// The attributes of a feature; those that have lines of their own on the page are left out.
pub(super) fn attributes(feature: &Feature, language: Language) -> Attributes {
    let reach = Reach::of(feature);
    let mut told = Attributes {
        known: reach.iter().flat_map(|reach| reach.rows(language)).collect(),
        unknown: Vec::new(),
    };
    for (name, value) in &feature.properties {
        // the commune and the area have lines of their own, the other language's name is the other page's
        let own = matches!(name.as_str(), "commune" | "area_ha" | "name_en");
        if own || (reach.is_some() && Reach::tells(name)) {
            continue;
        }
        let Some(text) = value_text(name, value, language) else {
            continue;
        };
        match NAMES.get(name) {
            Some(title) => told.known.push((title.get(language).to_owned(), text)),
            None => told.unknown.push((name.clone(), text)),
        }
    }
    told.known.truncate(MAX_ATTRIBUTES);
    told.unknown.truncate(MAX_ATTRIBUTES);
    told
}

/// The value in the words and numbers of the language; none for what is empty, long or nested.
fn value_text(name: &str, value: &Value, language: Language) -> Option<String> {
    let text = match value {
        Value::String(text) => match VALUES.get(name).and_then(|values| values.get(text)) {
            Some(words) => words.get(language).to_owned(),
            None => day_text(text, language).unwrap_or_else(|| text.clone()),
        },
        Value::Number(one) if one.is_f64() => {
            let value = one.as_f64()?;
            let decimals = one
                .to_string()
                .split_once('.')
                .map_or(0, |(_, digits)| digits.len());
            number(value, decimals.min(6), language)
        }
        Value::Number(one) => one.to_string(),
        Value::Bool(yes) => match (yes, language) {
            (true, Language::Vi) => "có".to_owned(),
            (false, Language::Vi) => "không".to_owned(),
            (true, Language::En) => "yes".to_owned(),
            (false, Language::En) => "no".to_owned(),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text).filter(|text| !text.is_empty() && text.chars().count() <= LONGEST_ATTRIBUTE)
}

/// A day or time of ISO 8601 as the language writes it.
fn day_text(text: &str, language: Language) -> Option<String> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(super::words::date(day, language));
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(crate::station_week::clock(time.to_utc(), language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Point;
    use serde_json::json;

    #[test]
    fn known_attributes_are_said_and_others_kept_apart() {
        for texts in NAMES.values().chain(VALUES.values().flat_map(BTreeMap::values)) {
            assert!(!texts.vi.is_empty() && !texts.en.is_empty());
        }
        for name in VALUES.keys() {
            assert!(NAMES.contains_key(name), "{name} has words of values and no name");
        }
        let mut zone = Feature::new("dyke_compartments", "OB-1", Point::new(105.6, 10.4).into());
        for (name, value) in [
            ("dyke_class", json!("full_year")),
            ("crest_m", json!(4.2)),
            ("release_from", json!("2026-08-20")),
            ("by_day", json!(false)),
            ("ma_noi_bo", json!("X7")),
            ("commune", json!("Xã A")),
        ] {
            zone.properties.insert(name.into(), value);
        }
        let pairs = |pairs: Vec<(String, String)>| {
            pairs
                .into_iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect::<Vec<_>>()
        };
        let vi = attributes(&zone, Language::Vi);
        assert_eq!(
            pairs(vi.known),
            [
                "Cao trình đỉnh đê (m): 4,2",
                "Loại đê bao: đê bao khép kín (triệt để)",
                "Xả lũ từ ngày: 20/8/2026"
            ]
        );
        assert_eq!(pairs(vi.unknown), ["by_day: không", "ma_noi_bo: X7"]);
        let en = attributes(&zone, Language::En);
        assert_eq!(en.known[0], ("Crest height (m)".to_owned(), "4.2".to_owned()));
    }
}
