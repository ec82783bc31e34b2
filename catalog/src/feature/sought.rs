//! Values that requests look for among properties: numbers, truths and times are compared by what they mean, so that 12
//! finds 12.0 and a day finds its midnight; everything else letter by letter.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use unicode_normalization::UnicodeNormalization;

/// A value as people type it into an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Sought {
    text: String,
    /// The text as it is, and with its accents composed and taken apart.
    spellings: Vec<String>,
    number: Option<Number>,
    flag: Option<bool>,
    time: Option<DateTime<Utc>>,
}

/// A number without loss.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// A whole one.
    Whole(i128),
    /// Any other finite one.
    Real(f64),
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => a == b,
            (Self::Real(a), Self::Real(b)) => a == b,
            // a double beyond 2^53 equals the one whole number that it is, not its neighbours
            (Self::Whole(whole), Self::Real(real)) | (Self::Real(real), Self::Whole(whole)) => {
                real.fract() == 0.0 && real as i128 == whole
            }
        }
    }
}

/// A value that a feature has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number.
    Whole(i128),
    /// Another number.
    Real(f64),
    /// True or false.
    Flag(bool),
}

impl Sought {
    /// Reads what was typed.
    pub fn of(text: &str) -> Self {
        let mut spellings = vec![text.to_owned()];
        for other in [text.nfc().collect::<String>(), text.nfd().collect()] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
        let bare = text.trim();
        let real = || bare.parse().ok().filter(|real: &f64| real.is_finite());
        let flag = |word: &str| bare.eq_ignore_ascii_case(word);
        Self {
            text: text.to_owned(),
            spellings,
            number: bare
                .parse()
                .map(Number::Whole)
                .ok()
                .or_else(|| real().map(Number::Real)),
            flag: match (flag("true"), flag("false")) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            time: time(bare),
        }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text in every spelling of its accents.
    pub(crate) fn spellings(&self) -> &[String] {
        &self.spellings
    }

    /// The number it is, if it is one.
    pub(crate) fn number(&self) -> Option<Number> {
        self.number
    }

    /// The truth it is, if it is one.
    pub(crate) fn flag(&self) -> Option<bool> {
        self.flag
    }

    /// The instant it is, if it is one; a day is its midnight, and what names no offset is taken as UTC.
    pub(crate) fn time(&self) -> Option<DateTime<Utc>> {
        self.time
    }

    /// True when a value is the one that is looked for.
    pub fn is(&self, found: &Found<'_>) -> bool {
        match *found {
            Found::Text(text) => {
                self.spellings.iter().any(|spelling| spelling == text)
                    || self.time.is_some_and(|sought| time(text) == Some(sought))
            }
            Found::Whole(whole) => self.number == Some(Number::Whole(whole)),
            Found::Real(real) => self.number == Some(Number::Real(real)),
            Found::Flag(flag) => self.flag == Some(flag),
        }
    }
}

/// The instant of an ISO 8601 text that begins with a day.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let mut start = text.get(..10)?.bytes().enumerate();
    if !start.all(|(at, byte)| {
        if at == 4 || at == 7 {
            byte == b'-'
        } else {
            byte.is_ascii_digit()
        }
    }) {
        return None;
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Some(instant.to_utc());
    }
    let clock = text.replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&clock, form).ok())
        .map(|clock| clock.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_what_they_mean() {
        let same = [
            ("12", Found::Real(12.0)),
            ("12.0", Found::Whole(12)),
            ("1.2e1", Found::Whole(12)),
            ("-0.50", Found::Real(-0.5)),
            ("9007199254740993", Found::Whole(9_007_199_254_740_993)),
            ("18446744073709551615", Found::Whole(18_446_744_073_709_551_615)),
            ("TRUE", Found::Flag(true)),
            ("2026-08-20", Found::Text("2026-08-20T00:00:00")),
            ("2026-08-20T07:00:00+07:00", Found::Text("2026-08-20")),
            ("2026-08-20 10:30", Found::Text("2026-08-20T10:30:00Z")),
            ("lu\u{301}a", Found::Text("l\u{fa}a")),
            ("007", Found::Text("007")),
        ];
        for (sought, found) in same {
            assert!(Sought::of(sought).is(&found), "{sought} {found:?}");
        }
        let other = [
            ("7", Found::Text("007")),
            ("12", Found::Text("12.0")),
            ("9007199254740993", Found::Real(9_007_199_254_740_992.0)),
            ("1", Found::Flag(true)),
            ("true", Found::Whole(1)),
            ("2026-08-20", Found::Text("2026-08-20T10:30:00Z")),
            ("2026-08-20", Found::Text("2026-08-20 and so on")),
            ("nan", Found::Real(f64::NAN)),
            ("", Found::Whole(0)),
        ];
        for (sought, found) in other {
            assert!(!Sought::of(sought).is(&found), "{sought} {found:?}");
        }
    }
}
