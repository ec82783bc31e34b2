//! `$top`, `$skip`, `$count`, `$select`, `$orderby`, `$expand` (nested) and `$filter`, of an address or of an expansion.

use super::filter::{self, Expr};
use crate::problem::{Outcome, Problem};
use crate::query::Query;

/// Entities of a page when nobody says otherwise, and at most.
const USUAL_TOP: usize = 100;
const MOST_TOP: usize = 1000;

/// Entities left out at most: whoever wants to go further follows `@iot.nextLink` or filters by time.
const MOST_SKIP: usize = 100_000;

/// How deep expansions may be nested.
const DEEPEST: usize = 3;

/// What an address takes.
pub(super) const PARAMETERS: &[&str] = &[
    "$top",
    "$skip",
    "$count",
    "$select",
    "$orderby",
    "$expand",
    "$filter",
    "$resultFormat",
    "$skiptoken",
];

/// What a request asks of a set.
#[derive(Clone, Debug, Default)]
pub(super) struct Options {
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) count: bool,
    pub(super) select: Vec<String>,
    pub(super) orderby: Vec<(Vec<String>, bool)>,
    pub(super) expand: Vec<(String, Options)>,
    pub(super) filter: Option<Expr>,
    pub(super) data_array: bool,
    /// Observations after this one, in the order of the set: what `@iot.nextLink` carries.
    pub(super) after: Option<String>,
}

fn bad(name: &'static str, detail: impl std::fmt::Display) -> Problem {
    Problem::bad(name, format!("{name}: {detail}"))
}

impl Options {
    /// Those of a query.
    pub(super) fn of(query: &Query<'_>) -> Outcome<Self> {
        let mut options = Self::default();
        for name in PARAMETERS {
            if let Some(value) = query.get(name) {
                options.set(name, value, 0)?;
            }
        }
        Ok(options)
    }

    /// How many entities a page has.
    pub(super) fn page(&self) -> usize {
        self.top.unwrap_or(USUAL_TOP)
    }

    fn set(&mut self, name: &str, value: &str, depth: usize) -> Outcome<()> {
        let number = |name: &'static str, most: usize| {
            let number: usize = value
                .trim()
                .parse()
                .map_err(|_| bad(name, format!("`{value}` is no whole number")))?;
            if number > most {
                Err(bad(name, format!("{number} is more than {most}")))
            } else {
                Ok(number)
            }
        };
        match name {
            // more than the server gives at once is a wish, not an error
            "$top" => self.top = Some(number("$top", usize::MAX)?.min(MOST_TOP)),
            "$skip" => self.skip = number("$skip", MOST_SKIP)?,
            "$count" => {
                self.count = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(bad("$count", format!("`{value}` is neither true nor false"))),
                }
            }
            "$select" => self.select = value.split(',').map(|name| name.trim().to_owned()).collect(),
            "$orderby" => self.orderby = value.split(',').map(order).collect::<Outcome<_>>()?,
            "$expand" => {
                for part in split(value, ',')? {
                    self.expand_by(part.trim(), depth)?;
                }
            }
            "$filter" => self.filter = Some(filter::parse(value)?),
            "$resultFormat" => match value {
                "dataArray" => self.data_array = true,
                other => {
                    return Err(bad(
                        "$resultFormat",
                        format!("`{other}` is not offered; there is dataArray"),
                    ));
                }
            },
            "$skiptoken" => self.after = Some(value.to_owned()),
            other => return Err(bad("$expand", format!("`{other}` is no option"))),
        }
        Ok(())
    }

    /// `Datastreams/Observations($top=1;$orderby=phenomenonTime desc)`.
    fn expand_by(&mut self, text: &str, depth: usize) -> Outcome<()> {
        if depth >= DEEPEST {
            return Err(bad("$expand", format!("is nested more than {DEEPEST} deep")));
        }
        let head = text.split(['(', '/']).next().unwrap_or_default();
        let rest = text.get(head.len()..).unwrap_or_default();
        if head.is_empty() || !head.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(bad("$expand", format!("`{text}` is no expansion")));
        }
        let mut inner = Self::default();
        if let Some(further) = rest.strip_prefix('/') {
            inner.expand_by(further, depth + 1)?;
        } else if let Some(nested) = rest.strip_prefix('(') {
            let nested = nested
                .strip_suffix(')')
                .ok_or_else(|| bad("$expand", format!("the parenthesis of `{head}` is not closed")))?;
            for part in split(nested, ';')? {
                let (name, value) = part
                    .trim()
                    .split_once('=')
                    .ok_or_else(|| bad("$expand", format!("`{part}` is no option of `{head}`")))?;
                inner.set(name, value, depth + 1)?;
            }
        }
        self.expand.push((head.to_owned(), inner));
        Ok(())
    }
}

fn order(text: &str) -> Outcome<(Vec<String>, bool)> {
    let mut words = text.split_whitespace();
    let path = words.next().ok_or_else(|| bad("$orderby", "is empty"))?;
    let descending = match (words.next(), words.next()) {
        (None | Some("asc"), None) => false,
        (Some("desc"), None) => true,
        _ => {
            return Err(bad(
                "$orderby",
                format!("`{text}` is neither `name`, `name asc` nor `name desc`"),
            ));
        }
    };
    Ok((path.split('/').map(str::to_owned).collect(), descending))
}

/// Cuts at a mark that stands outside of parentheses and quotes.
fn split(text: &str, mark: char) -> Outcome<Vec<&str>> {
    let (mut parts, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| bad("$expand", "a parenthesis too many"))?;
            }
            c if c == mark && depth == 0 && !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    if depth > 0 || quoted {
        return Err(bad("$expand", "a parenthesis or quote is not closed"));
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Uri;

    fn of(query: &str) -> Outcome<Options> {
        let uri: Uri = format!("/x?{query}").parse().expect("uri");
        Options::of(&Query::of(&uri, PARAMETERS)?)
    }

    #[test]
    fn expansions_nest_with_their_own_options() {
        let options = of("$expand=Datastreams($expand=Observations($orderby=phenomenonTime%20desc;$top=1);$select=name),Locations&$top=5000")
            .expect("options");
        assert_eq!(options.page(), 1000);
        assert_eq!(options.expand.len(), 2);
        let (name, streams) = &options.expand[0];
        assert_eq!(
            (name.as_str(), streams.select.as_slice()),
            ("Datastreams", &["name".to_owned()][..])
        );
        let (_, latest) = &streams.expand[0];
        assert_eq!((latest.top, latest.orderby[0].1), (Some(1), true));
        assert_eq!(
            of("$expand=Datastreams/Observations").expect("path").expand[0]
                .1
                .expand[0]
                .0,
            "Observations"
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for query in [
            "$top=-1",
            "$top=x",
            "$skip=1000000",
            "$count=yes",
            "$orderby=a%20b",
            "$expand=A(B",
            "$expand=A(x)",
            "$expand=A/B/C/D/E",
            "$expand=A)",
            "$resultFormat=CSV",
            "$filter=(",
        ] {
            assert!(of(query).is_err(), "{query}");
        }
    }
}
