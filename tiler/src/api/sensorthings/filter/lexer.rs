//! Words, values and marks of a filter.

use super::literal::{Literal, time};
use super::wkt;
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Literal(Literal),
    Open,
    Close,
    Comma,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Comma => f.write_str(","),
        }
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => {
                let (text, length) = quoted(rest)?;
                (Token::Literal(Literal::Text(text)), length)
            }
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A text in single quotes; two of them stand for one.
fn quoted(rest: &str) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                text.push('\'');
                chars.next();
            }
            '\'' => return Ok((text, at + 1)),
            c => text.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// A name, number, time, `true`, `false`, `null`, `duration'...'` or `geography'...'`.
fn word(rest: &str) -> Result<(Token, usize), String> {
    let starts_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    let inside = |c: char| {
        let name = c.is_alphanumeric() || "_@./$".contains(c);
        if starts_number {
            name || "-+:".contains(c)
        } else {
            name
        }
    };
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let Some(text) = rest.get(..length).filter(|text| !text.is_empty()) else {
        let mark: String = rest.chars().take(1).collect();
        return Err(format!("`{mark}` means nothing here"));
    };
    if let Some(behind) = rest.get(length..).filter(|behind| behind.starts_with('\'')) {
        let (inner, more) = quoted(behind)?;
        let literal = match text {
            "duration" => Literal::Duration(duration(&inner)?),
            "geography" | "geometry" => Literal::Geometry(Arc::new(wkt::parse(&inner)?)),
            other => return Err(format!("`{other}'...'` means nothing here")),
        };
        return Ok((Token::Literal(literal), length + more));
    }
    let token = match text {
        "true" => Token::Literal(Literal::Bool(true)),
        "false" => Token::Literal(Literal::Bool(false)),
        "null" => Token::Literal(Literal::Null),
        text if starts_number => Token::Literal(number_or_time(text)?),
        text => Token::Word(text.to_owned()),
    };
    Ok((token, length))
}

fn number_or_time(text: &str) -> Result<Literal, String> {
    if let Ok(number) = text.parse::<f64>() {
        return Ok(Literal::Number(number));
    }
    if let Some((start, end)) = time(text) {
        return Ok(Literal::Time(start, end));
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return Ok(Literal::Date(date));
    }
    if let Ok(clock) = NaiveTime::parse_from_str(text, "%H:%M:%S%.f") {
        return Ok(Literal::Clock(clock));
    }
    Err(format!(
        "`{text}` is neither a number nor a time such as 2026-05-18T00:00:00Z (write + as %2B)"
    ))
}

/// A duration of ISO 8601: `P1D`, `PT6H30M`. Months and years have no length.
fn duration(text: &str) -> Result<TimeDelta, String> {
    let wrong =
        || format!("duration'{text}': is none such as P1D or PT6H30M; months and years have no length");
    let (negative, body) = text.strip_prefix('-').map_or((false, text), |body| (true, body));
    let body = body.strip_prefix('P').ok_or_else(wrong)?;
    let (days, clock) = body.split_once('T').unwrap_or((body, ""));
    if (days.is_empty() && clock.is_empty()) || body.ends_with('T') {
        return Err(wrong());
    }
    let mut seconds = 0.0;
    for (part, units) in [
        (days, &[('W', 604_800.0), ('D', 86_400.0)][..]),
        (clock, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)][..]),
    ] {
        let mut rest = part;
        for (unit, length) in units {
            if let Some((number, behind)) = rest.split_once(*unit) {
                let number: f64 = number
                    .parse()
                    .ok()
                    .filter(|n: &f64| *n >= 0.0)
                    .ok_or_else(wrong)?;
                seconds += number * length;
                rest = behind;
            }
        }
        if !rest.is_empty() {
            return Err(wrong());
        }
    }
    // a century and a half: sums of times and durations stay within what a calendar has
    if seconds > 5e9 {
        return Err(wrong());
    }
    let ms = (seconds * 1000.0).round() as i64;
    Ok(TimeDelta::milliseconds(if negative { -ms } else { ms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_iso_8601() {
        for (text, seconds) in [
            ("P1D", 86_400),
            ("PT6H30M", 23_400),
            ("P1W", 604_800),
            ("-PT1S", -1),
        ] {
            assert_eq!(duration(text).expect(text).num_seconds(), seconds);
        }
        for text in [
            "1D",
            "P",
            "PT",
            "P1M",
            "P1Y",
            "P1D2",
            "PTH",
            "P99999999999D",
            "PinfD",
            "P1DT",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
