//! The path segments and query parameters of a request, percent-decoded and checked once.

use crate::problem::{Outcome, Problem};
use axum::http::Uri;
use std::borrow::Cow;

/// Longest address that is looked at, in bytes.
const LONGEST_QUERY: usize = 8192;

/// Decoded query parameters in their order.
#[derive(Debug, Default)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads the query of an address; what is not UTF-8 is a 400.
    pub(crate) fn of(uri: &'a Uri) -> Outcome<Self> {
        let Some(text) = uri.query() else {
            return Ok(Self::default());
        };
        if text.len() > LONGEST_QUERY {
            return Err(Problem::bad(
                "query",
                format!("the query is longer than {LONGEST_QUERY} bytes"),
            ));
        }
        let wrong = || Problem::bad("query", "the query is not UTF-8 after percent-decoding");
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((
                decode(key, true).ok_or_else(wrong)?,
                decode(value, true).ok_or_else(wrong)?,
            ));
        }
        Ok(Self(pairs))
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_ref())
    }

    /// All parameters in their order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
    }

    /// Every value of a parameter that may be repeated or hold a comma list.
    pub(crate) fn list<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let values = self.0.iter().filter(move |(key, _)| key == name);
        values
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
    }

    /// A yes-or-no parameter, `false` when absent.
    pub(crate) fn flag(&self, name: &'static str) -> Outcome<bool> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1" | "") => Ok(true),
            Some(other) => Err(Problem::bad(
                name,
                format!("{name}={other} is neither true nor false"),
            )),
        }
    }

    /// A whole number within limits, when given.
    pub(crate) fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Outcome<Option<usize>> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            let (from, to) = range.clone().into_inner();
            Problem::bad(
                name,
                format!("{name}={text} is not a whole number from {from} to {to}"),
            )
        };
        let number: usize = text.parse().map_err(|_| wrong())?;
        if range.contains(&number) {
            Ok(Some(number))
        } else {
            Err(wrong())
        }
    }
}

/// The decoded segments of a path.
pub(crate) fn segments(path: &str) -> Outcome<Vec<Cow<'_, str>>> {
    path.trim_start_matches('/')
        .split('/')
        .map(|part| {
            decode(part, false)
                .ok_or_else(|| Problem::bad("path", "the path is not UTF-8 after percent-decoding"))
        })
        .collect()
}

/// Percent-decodes; `None` when the result is no UTF-8. A `%` without two hex digits stands for itself.
fn decode(text: &str, form: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || (form && byte == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = |offset: usize| {
            bytes
                .get(at + offset)
                .and_then(|&digit| char::from(digit).to_digit(16))
        };
        match (byte, hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) if form => {
                out.push(b' ');
                at += 1;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Percent-encodes what must not stand bare in a path segment or query value.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_escapes_are_literal_and_broken_utf8_is_refused() {
        assert_eq!(decode("a%2Fb%", false).as_deref(), Some("a/b%"));
        assert_eq!(decode("a+b%2B", true).as_deref(), Some("a b+"));
        assert_eq!(decode("%ff", true), None);
        assert_eq!(encode("2026-W30/.. é"), "2026-W30%2F..%20%C3%A9");
        let uri: Uri = "/x?a=1,2&a=3&b".parse().expect("uri");
        let query = Query::of(&uri).expect("utf-8");
        assert_eq!(query.list("a").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert!(query.flag("b").expect("flag"));
        assert!(query.number("a", 1..=5).is_err());
    }
}
