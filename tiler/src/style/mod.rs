//! Styles: from physical values to colours, and the legend that says so. One JSON file in `styles/raster/` each.

use sen_catalog::Result;
use serde::{Deserialize, Serialize};

/// The languages of titles and labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese, the default.
    #[default]
    Vi,
    /// English.
    En,
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

/// How a raster is drawn.
#[derive(Clone, Debug)]
pub struct Style {
    /// The name, `ndvi`; a collection's default style carries the collection's name.
    pub id: String,
    /// For people.
    pub title: Text,
    /// Unit of the physical values (UCUM); empty for classes.
    pub unit: String,
    /// Changes when the style's content does; part of ETags.
    pub version: String,
}

#[expect(unused_variables, clippy::todo, reason = "signatures first")]
impl Style {
    /// Reads a style; the message of a failure names the field.
    pub fn from_json(json: &str) -> Result<Self> {
        todo!()
    }
    /// The name of the class a value belongs to, for classes and intervals.
    pub fn class_title(&self, value: f64) -> Option<&Text> {
        todo!()
    }
    /// True for the class numbers that mean "not seen" (253 of the flood product).
    pub fn is_not_seen(&self, value: f64) -> bool {
        todo!()
    }
    /// The legend for the page and other programs.
    pub fn legend_json(&self, language: Language) -> serde_json::Value {
        todo!()
    }
    /// The legend as a PNG picture.
    pub fn legend_png(&self, language: Language) -> Result<Vec<u8>> {
        todo!()
    }
}

/// The styles that exist, by name.
#[derive(Debug)]
pub struct Styles {}

#[expect(unused_variables, clippy::todo, reason = "signatures first")]
impl Styles {
    /// The styles built into the program.
    pub fn built_in() -> Result<Self> {
        todo!()
    }
    /// The style of that name.
    pub fn style(&self, id: &str) -> Option<&Style> {
        todo!()
    }
    /// All styles, by name.
    pub fn all(&self) -> impl Iterator<Item = &Style> {
        std::iter::empty()
    }
}
