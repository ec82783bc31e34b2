//! Styles: from physical values to colours, and the legend that says so.
//!
//! A style is one JSON file in `styles/raster/`, found there by the build; it needs no code.

mod colour;
mod compiled;
mod legend;
mod lettering;
mod marks;
mod scheme;

pub use colour::Colour;
pub(crate) use compiled::{CompiledStyle, Lookup, Stored};
pub use marks::ClassMark;
pub use scheme::{Class, Interval, Scheme};

use rust_embed::RustEmbed;
use sen_catalog::{Error, Result, asset};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Display;

/// The files built into the program.
#[derive(RustEmbed)]
#[folder = "../styles/raster"]
struct BuiltIn;

/// The languages of titles and labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese, the default.
    #[default]
    Vi,
    /// English.
    En,
}

impl Language {
    /// The IETF tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The text in a language.
    pub fn get(&self, language: Language) -> &str {
        match language {
            Language::Vi => &self.vi,
            Language::En => &self.en,
        }
    }
}

/// How values between cell centres are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resampling {
    /// The cell under the point: for classes, which must never mix.
    Nearest,
    /// The weighted mean of the four nearest valid cells: for measures.
    Bilinear,
}

/// How a raster is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Style {
    /// The name, `ndvi`; a collection's default style carries the collection's name.
    pub id: String,
    /// For people.
    pub title: Text,
    /// Unit of the physical values (UCUM); empty for classes and plain ratios.
    #[serde(default)]
    pub unit: String,
    /// How the unit is written for people; empty like `unit`.
    #[serde(default)]
    pub unit_title: Option<Text>,
    /// How the raster is resampled.
    pub resampling: Resampling,
    /// Which value gets which colour.
    pub scheme: Scheme,
    /// Legend entry of what was not seen, for layers whose "no data" means that.
    #[serde(default)]
    pub not_seen: Option<Text>,
    /// Changes when the style's content does; part of `ETag`s.
    #[serde(skip)]
    pub version: String,
}

impl Style {
    /// Reads a style; the message of a failure names the field.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the JSON is not a style or its numbers contradict each other.
    pub fn from_json(json: &str) -> Result<Self> {
        let mut style: Self = serde_json::from_str(json)
            .map_err(|error| Error::Invalid(format!("not a raster style: {error}")))?;
        style
            .scheme
            .check()
            .map_err(|reason| Error::Invalid(format!("style {}: {reason}", style.id)))?;
        style.version = asset::hex(&Sha256::digest(json.as_bytes())[..8]);
        Ok(style)
    }

    /// The name of the class a value belongs to, for classes and intervals.
    pub fn class_title(&self, value: f64) -> Option<&Text> {
        match &self.scheme {
            Scheme::Ramp { below, .. } => below
                .as_ref()
                .filter(|_| value < self.scheme.domain().0)
                .map(|b| &b.title),
            Scheme::Intervals { classes, .. } => classes
                .get(self.scheme.interval(value))
                .map(|interval| &interval.title),
            Scheme::Classes { classes, .. } => classes
                .iter()
                .find(|c| f64::from(c.value) == value)
                .map(|c| &c.title),
        }
    }

    /// True for a style of classes.
    pub fn is_classes(&self) -> bool {
        matches!(self.scheme, Scheme::Classes { .. })
    }

    /// True where a zone is told by the class most of it has, as it is for levels.
    pub fn is_ordered(&self) -> bool {
        matches!(self.scheme, Scheme::Classes { ordered: true, .. })
    }

    /// True for the class numbers that mean "not seen" (253 of the flood product).
    pub fn is_not_seen(&self, value: f64) -> bool {
        match &self.scheme {
            Scheme::Classes { classes, .. } => {
                classes.iter().any(|c| c.not_seen && f64::from(c.value) == value)
            }
            Scheme::Ramp { .. } | Scheme::Intervals { .. } => false,
        }
    }

    /// True for the class numbers that count as the share of a zone: those the style says, or 1.
    pub fn is_counted(&self, value: f64) -> bool {
        match &self.scheme {
            Scheme::Classes { classes, .. } if classes.iter().any(|c| c.counted) => {
                classes.iter().any(|c| c.counted && f64::from(c.value) == value)
            }
            _ => value == 1.0,
        }
    }
}

/// The styles that exist, by name.
#[derive(Debug)]
pub struct Styles {
    by_id: BTreeMap<String, Style>,
}

impl Styles {
    /// The styles built into the program.
    pub fn built_in() -> Result<Self> {
        let mut by_id = BTreeMap::new();
        for name in BuiltIn::iter() {
            let named = |error: &dyn Display| Error::Invalid(format!("styles/raster/{name}: {error}"));
            let file = BuiltIn::get(&name).ok_or_else(|| named(&"is gone"))?;
            let json = str::from_utf8(&file.data).map_err(|error| named(&error))?;
            let style = Style::from_json(json).map_err(|error| named(&error))?;
            by_id.insert(style.id.clone(), style);
        }
        Ok(Self { by_id })
    }

    /// Adds a style, or replaces the one of the same name.
    pub fn insert(&mut self, style: Style) {
        self.by_id.insert(style.id.clone(), style);
    }

    /// The style of that name.
    pub fn style(&self, id: &str) -> Option<&Style> {
        self.by_id.get(id)
    }

    /// All styles, by name.
    pub fn all(&self) -> impl Iterator<Item = &Style> {
        self.by_id.values()
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vision;
