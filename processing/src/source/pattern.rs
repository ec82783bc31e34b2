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
    Time(String),
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
                        format if format.contains('%') => Part::Time(format.to_owned()),
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

    /// Matches the end of a path: as many of its components as the pattern has.
    pub(super) fn matches(&self, path: &str) -> Option<Match> {
        let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        let tail = names.get(names.len().checked_sub(self.components)?..)?.join("/");
        fits(&self.parts, &tail)
    }
}

fn fits(parts: &[Part], text: &str) -> Option<Match> {
    let Some((part, later)) = parts.split_first() else {
        return text.is_empty().then(Match::default);
    };
    match part {
        Part::Text(literal) => fits(later, text.strip_prefix(literal.as_str())?),
        Part::One => {
            let first = text.chars().next().filter(|&c| c != '/')?;
            let mut found = fits(later, &text[first.len_utf8()..])?;
            found.wildcards.insert(0, first.to_string());
            Some(found)
        }
        Part::Any => prefixes(text, false).find_map(|(head, tail)| {
            let mut found = fits(later, tail)?;
            found.wildcards.insert(0, head.to_owned());
            Some(found)
        }),
        Part::Band => prefixes(text, true).find_map(|(head, tail)| {
            let found = fits(later, tail)?;
            let agrees = found.band.as_deref().is_none_or(|band| band == head);
            agrees.then(|| Match {
                band: Some(head.to_owned()),
                ..found
            })
        }),
        Part::Time(format) => prefixes(text, true).find_map(|(head, tail)| {
            let time = parse_time(head, format)?;
            Some(Match {
                time: Some(time),
                ..fits(later, tail)?
            })
        }),
    }
}

/// Every way to cut a head without `/` off a text.
fn prefixes(text: &str, filled: bool) -> impl Iterator<Item = (&str, &str)> {
    let end = text.find('/').unwrap_or(text.len());
    (usize::from(filled)..=end).filter_map(|at| text.split_at_checked(at))
}

/// A time in UTC; a format without hours means noon, local midday being the same date everywhere it matters.
fn parse_time(text: &str, format: &str) -> Option<DateTime<Utc>> {
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
    fn nonsense_is_refused_by_name() {
        for (bad, why) in [("a{b", "not closed"), ("a{b}", "{b}"), ("", "empty")] {
            let error = Pattern::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
