//! Patterns for file names: `s2_*/S2_L2A_{%Y%m%dT%H%M%S}_*.tif`.
//!
//! `*` stands for any text without `/`, `?` for one character, `{band}` for a band name, and `{...%...}` for a time
//! in chrono's notation. No regular expressions.

use crate::{Error, Result};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Any,
    One,
    Band,
    Time(TimeFormat),
}

/// A time in chrono's notation and how many characters it takes: always as many, or a name that goes on after it would be
/// cut anywhere (`20191127` is the second of November, too).
#[derive(Clone, Debug, PartialEq)]
struct TimeFormat {
    format: String,
    width: usize,
}

/// Reads the time of a pattern.
fn time_format(format: &str) -> Result<TimeFormat, String> {
    let mut width = 0;
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            width += 1;
            continue;
        }
        let field: String = match rest.next() {
            Some(digit @ ('3' | '6' | '9')) => [digit].into_iter().chain(rest.next()).collect(),
            other => other.into_iter().collect(),
        };
        width += match field.as_str() {
            "Y" | "G" => 4,
            "m" | "d" | "H" | "M" | "S" | "y" | "g" | "I" | "p" | "P" | "U" | "W" | "V" => 2,
            "j" | "b" | "h" | "a" | "3f" => 3,
            "u" | "w" | "%" => 1,
            "F" => 10,
            "T" | "X" | "D" => 8,
            "R" => 5,
            "6f" => 6,
            "9f" => 9,
            other => {
                return Err(format!(
                    "holds `%{other}`, which may be of any length; write fields of fixed length such as %Y%m%d, %j, %H%M%S"
                ));
            }
        };
    }
    let some =
        NaiveDate::from_ymd_opt(2019, 11, 27).and_then(|day| day.and_hms_nano_opt(3, 16, 49, 123_456_789));
    let format = TimeFormat {
        format: format.to_owned(),
        width,
    };
    let some = some.ok_or("is no time")?;
    let text = some.format(&format.format).to_string();
    match parse_time(&text, &format) {
        Some(time) if time.date_naive() == some.date() => Ok(format),
        _ => Err("says no day: a scene is one look, of one day, as in {%Y%m%d} or {%Y%j}".into()),
    }
}

/// A parsed pattern.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    components: usize,
}

/// What a matching name says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Match {
    /// Text of the wildcards, in order.
    pub(super) wildcards: Vec<String>,
    /// Text of `{band}`.
    pub(super) band: Option<String>,
    /// The time, UTC.
    pub(super) time: Option<DateTime<Utc>>,
}

impl Pattern {
    /// Parses a pattern.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::Invalid(format!("file pattern `{text}`: {why}"));
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            let part = match first {
                '*' => Part::Any,
                '?' => Part::One,
                '{' => {
                    let (inner, after) = rest.split_once('}').ok_or_else(|| wrong("a `{` is not closed"))?;
                    rest = after;
                    let inner = inner.strip_prefix("time:").unwrap_or(inner);
                    match inner {
                        "band" => Part::Band,
                        format if format.contains('%') => Part::Time(
                            time_format(format).map_err(|why| wrong(&format!("`{{{format}}}` {why}")))?,
                        ),
                        other => {
                            return Err(wrong(&format!(
                                "`{{{other}}}` is neither `{{band}}` nor a time such as `{{%Y%m%dT%H%M%S}}`"
                            )));
                        }
                    }
                }
                other => {
                    if let Some(Part::Text(open)) = parts.last_mut() {
                        open.push(other);
                        continue;
                    }
                    Part::Text(other.to_string())
                }
            };
            parts.push(part);
        }
        if parts.is_empty() {
            return Err(wrong("it is empty"));
        }
        Ok(Self {
            parts,
            components: text.split('/').count(),
        })
    }

    /// True when names carry the band.
    pub(super) fn has_band(&self) -> bool {
        self.parts.contains(&Part::Band)
    }

    /// True when names carry the time.
    pub(super) fn has_time(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Time(_)))
    }

    /// The ending that the pattern itself spells out, such as `gtif`.
    pub(super) fn ending(&self) -> Option<&str> {
        let Some(Part::Text(text)) = self.parts.last() else {
            return None;
        };
        text.rsplit_once('.')
            .map(|(_, ending)| ending)
            .filter(|ending| !ending.is_empty())
    }

    /// Matches the end of a path: as many of its components as the pattern has.
    pub(super) fn matches(&self, path: &str) -> Option<Match> {
        self.matches_band(path, &|_| true)
    }

    /// The same where `{band}` must be one of those that `known` knows.
    pub(super) fn matches_band(&self, path: &str, known: &dyn Fn(&str) -> bool) -> Option<Match> {
        let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        let tail = names.get(names.len().checked_sub(self.components)?..)?.join("/");
        fits(&self.parts, &tail, known)
    }
}

fn fits(parts: &[Part], text: &str, known: &dyn Fn(&str) -> bool) -> Option<Match> {
    let Some((part, later)) = parts.split_first() else {
        return text.is_empty().then(Match::default);
    };
    match part {
        Part::Text(literal) => fits(later, text.strip_prefix(literal.as_str())?, known),
        Part::One => {
            let first = text.chars().next().filter(|&c| c != '/')?;
            let mut found = fits(later, &text[first.len_utf8()..], known)?;
            found.wildcards.insert(0, first.to_string());
            Some(found)
        }
        Part::Any => prefixes(text, false).find_map(|(head, tail)| {
            let mut found = fits(later, tail, known)?;
            found.wildcards.insert(0, head.to_owned());
            Some(found)
        }),
        Part::Band => prefixes(text, true)
            .filter(|(head, _)| known(head))
            .find_map(|(head, tail)| {
                let found = fits(later, tail, known)?;
                let agrees = found.band.as_deref().is_none_or(|band| band == head);
                agrees.then(|| Match {
                    band: Some(head.to_owned()),
                    ..found
                })
            }),
        Part::Time(format) => {
            let (head, tail) = text.split_at_checked(format.width)?;
            let time = parse_time(head, format)?;
            Some(Match {
                time: Some(time),
                ..fits(later, tail, known)?
            })
        }
    }
}

/// Every way to cut a head without `/` off a text.
fn prefixes(text: &str, filled: bool) -> impl Iterator<Item = (&str, &str)> {
    let end = text.find('/').unwrap_or(text.len());
    (usize::from(filled)..=end).filter_map(|at| text.split_at_checked(at))
}

/// A time in UTC; a format without hours means noon, local midday being the same date everywhere it matters.
fn parse_time(text: &str, format: &TimeFormat) -> Option<DateTime<Utc>> {
    let format = format.format.as_str();
    let noon = NaiveTime::from_hms_opt(12, 0, 0)?;
    NaiveDateTime::parse_from_str(text, format)
        .ok()
        .or_else(|| {
            NaiveDate::parse_from_str(text, format)
                .ok()
                .map(|date| date.and_time(noon))
        })
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_time_and_the_text_of_its_wildcards() {
        let pattern = Pattern::parse("s2_*/S2_L2A_{%Y%m%dT%H%M%S}_*.tif").expect("pattern");
        let found = pattern
            .matches("/data/s2_thotnot/S2_L2A_20220105T032131_thotnot.tif")
            .expect("matches");
        assert_eq!(found.wildcards, ["thotnot", "thotnot"]);
        assert_eq!(found.time, Some("2022-01-05T03:21:31Z".parse().expect("time")));
        assert!(
            pattern
                .matches("/data/s1_thotnot/S2_L2A_20220105T032131_thotnot.tif")
                .is_none()
        );
        assert!(
            pattern.matches("S2_L2A_20220105T032131_thotnot.tif").is_none(),
            "too few folders"
        );
        assert!(
            pattern.matches("s2_x/S2_L2A_20221305T032131_x.tif").is_none(),
            "month 13"
        );
    }

    #[test]
    fn a_name_gives_its_band() {
        let pattern = Pattern::parse("L8-{band}-Elkton-VA.tiff").expect("pattern");
        assert_eq!(
            pattern
                .matches("x/L8-B10-Elkton-VA.tiff")
                .expect("matches")
                .band
                .as_deref(),
            Some("B10")
        );
        assert!(pattern.matches("L8--Elkton-VA.tiff").is_none());
    }

    #[test]
    fn a_date_is_never_cut_short() {
        let day = |pattern: &str, name: &str| {
            let found = Pattern::parse(pattern).expect(pattern).matches(name)?;
            found.time.map(|time| time.date_naive().to_string())
        };
        assert_eq!(
            day("X_{%Y%m%d}*.tif", "X_20191127.tif").as_deref(),
            Some("2019-11-27")
        );
        assert_eq!(
            day("X_{%Y%m%d}*.tif", "X_20191209_b.tif").as_deref(),
            Some("2019-12-09")
        );
        assert_eq!(
            day("L_{%Y%j}*.tif", "L_2019289.tif").as_deref(),
            Some("2019-10-16")
        );
        assert_eq!(
            day("*{%y%m%d}?.tif", "a191127b.tif").as_deref(),
            Some("2019-11-27")
        );
        assert_eq!(day("X_{%Y%m%d}*.tif", "X_2019112.tif"), None);
        for (bad, why) in [
            ("X_{%Y%-m%-d}*.tif", "%-"),
            ("X_{%e%b%Y}.tif", "%e"),
            ("X_{%Y%m%d%f}.tif", "%f"),
            ("X_{%Y-%m}.tif", "no day"),
            ("X_{%H%M%S}.tif", "no day"),
        ] {
            let error = Pattern::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_known_band_is_found_behind_a_star() {
        let pattern = Pattern::parse("S1_*_{band}.tif").expect("pattern");
        let found = pattern.matches_band("S1_DVP_RTC10_G_gpuned_A1B2_VV.tif", &|band| band == "VV");
        assert_eq!(found.and_then(|found| found.band).as_deref(), Some("VV"));
        assert!(
            pattern
                .matches_band("S1_DVP_RTC10_dem.tif", &|band| band == "VV")
                .is_none()
        );
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (bad, why) in [("a{b", "not closed"), ("a{b}", "{b}"), ("", "empty")] {
            let error = Pattern::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
