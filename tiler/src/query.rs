//! The path segments and query parameters of a request, percent-decoded and checked once.

use crate::problem::{Outcome, Problem};
use axum::http::Uri;
use sen_catalog::feature::Sought;
use std::borrow::Cow;
use std::fmt::Display;

/// Longest address that is looked at, in bytes.
const LONGEST_QUERY: usize = 8192;

/// Parameters that proxies, caches, gateways, mail programs and social networks hang onto addresses. They mean nothing
/// here and are left aside on every address that has no parameter of the name; `docs/operations.md` lists them.
const PASSERS_BY: &[&str] = &[
    "_",
    "_dc",
    "_t",
    "access_token",
    "api-key",
    "api_key",
    "apikey",
    "bust",
    "cachebust",
    "cachebuster",
    "cb",
    "fbclid",
    "gclid",
    "key",
    "msclkid",
    "no-cache",
    "no_cache",
    "nocache",
    "rand",
    "random",
    "rnd",
    "subscription-key",
    "token",
    "v",
    "ver",
    "zarsrc",
];

/// Longest name that an error repeats, in characters.
const LONGEST_NAME: usize = 60;

/// Most values of conditions.
const MOST_VALUES: usize = 32;

/// `?crop=lua,xoai`: a property and the values one of which it must have.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    /// The property's name.
    pub(crate) key: String,
    /// What is looked for.
    pub(crate) values: Vec<Sought>,
    /// Named like a parameter of others: no condition where there is no such property.
    pub(crate) is_passer_by: bool,
}

/// True for a parameter of others ([`PASSERS_BY`], `utm_*`) and for the bare number that some clients hang on.
pub(crate) fn is_passer_by(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PASSERS_BY.contains(&name.as_str())
        || name.starts_with("utm_")
        || (value.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Decoded query parameters in their order.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pairs: Vec<Pair<'a>>,
    own: &'static [&'static str],
}

/// A parameter.
#[derive(Debug)]
struct Pair<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    /// The value before it was decoded: a comma that was escaped in it is no separator.
    raw: &'a str,
}

impl Pair<'_> {
    /// The values of a comma list; an escaped comma belongs to its value.
    fn values(&self) -> impl Iterator<Item = Cow<'_, str>> {
        // parts of what decodes as a whole decode too: commas part no letter
        self.raw
            .split(',')
            .map(|part| decode(part, true).unwrap_or_default())
    }
}

impl<'a> Query<'a> {
    /// Reads the query of an address that takes the parameters `own`: another one is a 400 that names the nearest of
    /// them, so that a slip of the pen never answers another question. What is not UTF-8 is a 400 too.
    pub(crate) fn of(uri: &'a Uri, own: &'static [&'static str]) -> Outcome<Self> {
        let mut query = Self::with_filters(uri, own)?;
        query
            .pairs
            .retain(|pair| own.contains(&pair.name.as_ref()) || !is_passer_by(&pair.name, &pair.value));
        if let Some(pair) = query.filters().next() {
            return Err(unknown(&pair.name, own));
        }
        Ok(query)
    }

    /// The same for an address whose further parameters are conditions on properties; see [`Query::conditions`].
    pub(crate) fn with_filters(uri: &'a Uri, own: &'static [&'static str]) -> Outcome<Self> {
        let text = uri.query().unwrap_or("");
        if text.len() > LONGEST_QUERY {
            return Err(Problem::bad(
                "query",
                format!("the query is longer than {LONGEST_QUERY} bytes"),
            ));
        }
        let wrong = || Problem::bad("query", "the query is not UTF-8 after percent-decoding");
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty() && *pair != "=") {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push(Pair {
                name: decode(key, true).ok_or_else(wrong)?,
                value: decode(value, true).ok_or_else(wrong)?,
                raw: value,
            });
        }
        Ok(Self { pairs, own })
    }

    /// The parameters that are not the address's own.
    fn filters(&self) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs
            .iter()
            .filter(|pair| !self.own.contains(&pair.name.as_ref()))
    }

    /// What the parameters that are not the address's own say of properties: a property and the values one of which it
    /// must have. A parameter may be repeated or hold a comma list; a comma that belongs to a value is escaped (`%2C`).
    pub(crate) fn conditions(&self) -> Outcome<Vec<Condition>> {
        let mut conditions: Vec<Condition> = Vec::new();
        for pair in self.filters() {
            let values = pair.values().map(|value| Sought::of(&value));
            match conditions.iter_mut().find(|known| known.key == pair.name) {
                Some(known) => known.values.extend(values),
                None => conditions.push(Condition {
                    key: pair.name.clone().into_owned(),
                    values: values.collect(),
                    is_passer_by: is_passer_by(&pair.name, &pair.value),
                }),
            }
        }
        let count: usize = conditions.iter().map(|condition| condition.values.len()).sum();
        if count > MOST_VALUES {
            let detail = format!("at most {MOST_VALUES} values are looked for at once");
            return Err(Problem::bad("query", detail));
        }
        Ok(conditions)
    }

    /// The parameters for an address of the same kind, as `name=value&name=value`: those of a name that `keep` admits.
    pub(crate) fn again(&self, keep: impl Fn(&str) -> bool) -> String {
        let kept = self.pairs.iter().filter(|pair| keep(&pair.name));
        let text = |pair: &Pair<'_>| {
            let values: Vec<String> = pair.values().map(|value| encode(&value)).collect();
            format!("{}={}", encode(&pair.name), values.join(","))
        };
        kept.map(text).collect::<Vec<_>>().join("&")
    }

    /// Those again that `keep` admits, and at their end `name` with another value than it may have had.
    pub(crate) fn again_with(&self, keep: impl Fn(&str) -> bool, name: &str, value: impl Display) -> String {
        let others = self.again(|known| known != name && keep(known));
        let mark = if others.is_empty() { "" } else { "&" };
        format!("{others}{mark}{name}={}", encode(&value.to_string()))
    }

    /// All parameters in their order.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|pair| (pair.name.as_ref(), pair.value.as_ref()))
    }

    /// The first value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|pair| pair.name == name)
            .map(|pair| pair.value.as_ref())
    }

    /// Every value of a parameter that may be repeated or hold a comma list.
    pub(crate) fn list<'q>(&'q self, name: &'q str) -> impl Iterator<Item = &'q str> {
        let values = self.pairs.iter().filter(move |pair| pair.name == name);
        values
            .flat_map(|pair| pair.value.split(','))
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

/// The known name that is written most like another one.
pub(crate) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_lowercase();
    known.min_by_key(|known| strsim::levenshtein(&name, known))
}

/// 400 for a parameter that an address does not take.
pub(crate) fn unknown(name: &str, own: &[&str]) -> Problem {
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let detail = match nearest(&name, own.iter().copied()) {
        None => format!("`{name}` is not known here: this address takes no parameters"),
        Some(nearest) => format!(
            "`{name}` is no parameter of this address; did you mean `{nearest}`? It takes {}",
            own.join(", ")
        ),
    };
    Problem::bad(name, detail)
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
pub(crate) fn decode(text: &str, form: bool) -> Option<Cow<'_, str>> {
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
        let query = Query::of(&uri, &["a", "b"]).expect("utf-8");
        assert_eq!(query.list("a").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert!(query.flag("b").expect("flag"));
        assert!(query.number("a", 1..=5).is_err());
    }

    #[test]
    fn a_slip_of_the_pen_is_refused_and_what_others_hang_on_is_left_aside() {
        let own: &[&str] = &["datetime", "bbox"];
        let refused = |query: &str| {
            let uri: Uri = format!("/x?{query}").parse().expect("uri");
            Query::of(&uri, own).err().map(|problem| format!("{problem:?}"))
        };
        for query in [
            "datetme=2026-W34",
            "Datetime=x",
            "date_time=x",
            "datetime[]=2026-W34",
        ] {
            let detail = refused(query).expect("refused");
            assert!(detail.contains("did you mean `datetime`"), "{detail}");
        }
        assert!(refused("=x").is_some() && refused("utm=1").is_some());
        for query in [
            "_=1700000000",
            "apikey=a&utm_source=zalo&v=2",
            "Token=x&bbox=1,2,3,4",
            "1700000000",
            "fbclid=x",
            "=",
        ] {
            assert_eq!(refused(query), None, "{query}");
        }
        // an address that has such a parameter of its own reads it
        let uri: Uri = "/x?v=abc&key=1".parse().expect("uri");
        let query = Query::of(&uri, &["v"]).expect("known");
        assert_eq!((query.get("v"), query.get("key")), (Some("abc"), None));
    }

    #[test]
    fn an_escaped_comma_belongs_to_its_value() {
        let uri: Uri = "/x?code=a%2Cb,c&limit=3&code=d&_=17".parse().expect("uri");
        let query = Query::with_filters(&uri, &["limit"]).expect("utf-8");
        let conditions = query.conditions().expect("few");
        let said: Vec<(&str, Vec<&str>, bool)> = conditions
            .iter()
            .map(|one| {
                (
                    one.key.as_str(),
                    one.values.iter().map(Sought::text).collect(),
                    one.is_passer_by,
                )
            })
            .collect();
        assert_eq!(
            said,
            [("code", vec!["a,b", "c", "d"], false), ("_", vec!["17"], true)]
        );
        assert_eq!(query.again(|name| name != "_"), "code=a%2Cb,c&limit=3&code=d");
    }
}
