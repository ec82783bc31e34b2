//! An administrative unit on its interval of validity, and the levels there are.

use crate::feature::Feature;
use crate::{Error, Result};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A level of administration, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Province or city of that rank: two digits.
    Province,
    /// District, town or city below a province: three digits; none since 2025-07-01.
    District,
    /// Commune, ward, township or special zone: five digits.
    Commune,
}

impl Level {
    /// All, highest first.
    pub const ALL: [Self; 3] = [Self::Province, Self::District, Self::Commune];

    /// The name in the store and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::District => "district",
            Self::Commune => "commune",
        }
    }

    /// The level of an official code by its length; none for other codes.
    pub fn of_code(code: &str) -> Option<Self> {
        if !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::ALL.into_iter().find(|level| level.digits() == code.len())
    }

    /// Digits of an official code of the level.
    pub fn digits(self) -> usize {
        match self {
            Self::Province => 2,
            Self::District => 3,
            Self::Commune => 5,
        }
    }

    /// The level that a word such as `Thị trấn` says of a unit with this code; `Thành phố` is a province or a district by
    /// the length of the code.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a word that is none.
    pub fn of_word(word: &str, code: &str) -> Result<Self> {
        if is_city(&crate::feature::fold(word)) && code.len() == Self::District.digits() {
            return Ok(Self::District);
        }
        word.parse()
    }

    /// The level that a full name such as `Thị trấn An Phú` begins with, of a unit with this code.
    pub fn of_name(name: &str, code: &str) -> Option<Self> {
        let mut words = name.split_whitespace();
        let first = words.next()?;
        let two = words.next().map(|second| format!("{first} {second}"));
        let known = |word: &str| {
            // abbreviations and numbers are too little to go by
            let plain = crate::feature::fold(word);
            (WORDS.iter().any(|(_, words)| words.contains(&plain.as_str())) || is_city(&plain))
                .then(|| Self::of_word(word, code).ok())
                .flatten()
        };
        two.as_deref().and_then(known).or_else(|| known(first))
    }

    /// The level of a unit's polygon: its property `level`, otherwise by its code.
    pub fn of_feature(feature: &Feature) -> Option<Self> {
        let said = feature.properties.get("level").and_then(|value| match value {
            serde_json::Value::String(text) => Self::of_word(text, &feature.code).ok(),
            serde_json::Value::Number(number) => number.to_string().parse().ok(),
            _ => None,
        });
        said.or_else(|| Self::of_code(&feature.code))
    }
}

/// Words for units of each level, folded; `thanhpho` and `city` are apart, for two levels have cities.
const WORDS: [(Level, &[&str]); 3] = [
    (
        Level::Province,
        &[
            "province",
            "tinh",
            "captinh",
            "thanhphotrunguong",
            "thanhphotructhuoctrunguong",
            "municipality",
        ],
    ),
    (
        Level::District,
        &[
            "district",
            "huyen",
            "quan",
            "thixa",
            "huyendao",
            "caphuyen",
            "thanhphothuoctinh",
            "thanhphotructhuoctinh",
            "thanhphothuocthanhpho",
            "urbandistrict",
            "ruraldistrict",
        ],
    ),
    (
        Level::Commune,
        &[
            "commune",
            "ward",
            "township",
            "townlet",
            "specialzone",
            "xa",
            "phuong",
            "thitran",
            "dackhu",
            "capxa",
        ],
    ),
];
/// Their abbreviations and numbers, folded.
const SHORT: [(Level, &[&str]); 3] = [
    (Level::Province, &["1", "t"]),
    (Level::District, &["2", "h", "q", "tx"]),
    (Level::Commune, &["3", "x", "p", "tt", "dk"]),
];

fn is_city(plain: &str) -> bool {
    ["thanhpho", "tp", "city"].contains(&plain)
}

impl FromStr for Level {
    type Err = Error;
    /// Accepts the English and Vietnamese words for units (with or without accents, in any case), their abbreviations, and
    /// 1 to 3. A city is a province here; [`Level::of_word`] tells it from one of a district's rank.
    fn from_str(text: &str) -> Result<Self> {
        let plain = crate::feature::fold(text);
        let named = WORDS
            .iter()
            .chain(&SHORT)
            .find(|(_, words)| words.contains(&plain.as_str()));
        match named {
            Some((level, _)) => Ok(*level),
            None if is_city(&plain) => Ok(Self::Province),
            None => Err(Error::Invalid(format!(
                "`{text}` is no level; write province, district or commune"
            ))),
        }
    }
}

/// How it is known that a unit was made of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The polygons overlap; shares are measured.
    Geometry,
    /// The imported table says so.
    Given,
    /// A province: the codes of its communes were those of the other's communes.
    Communes,
    /// The only unit of that name in the provinces it was made of: likely its core, not all of it.
    Name,
}

/// What a unit was made of, wholly or in part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Its code; the level is that of the unit.
    pub code: String,
    /// Its validity began; none: always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Share of the predecessor's area that went into the unit, 0 to 1; none where no polygons tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Share of the unit's area that came from the predecessor, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<f64>,
    /// How it is known.
    pub basis: Basis,
}

/// An administrative unit on its interval of validity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdminUnit {
    /// Its level.
    pub level: Level,
    /// Its code, verbatim, with leading zeros.
    pub code: String,
    /// First day; none: always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// First day it is no longer valid; none: still is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// Full name: `Phường Cao Lãnh`.
    pub name: String,
    /// Code of the unit it belongs to, of the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What it was made of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predecessors: Vec<Predecessor>,
}

impl AdminUnit {
    /// True when the unit is valid on the day.
    pub fn valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day < to)
    }

    /// Its name and time for messages: `29869 is Phường Cao Lãnh since 2025-07-01`.
    pub fn describe(&self) -> String {
        let from = self
            .valid_from
            .map_or_else(String::new, |day| format!(" since {day}"));
        let last = self.valid_to.and_then(|day| day.pred_opt());
        let to = last.map_or_else(String::new, |day| format!(" until {day}"));
        format!("{} ({}){from}{to}", self.name, self.level.name())
    }
}
