//! `$top`, `$skip`, `$count`, `$select`, `$orderby`, `$expand` (nested) and `$filter`, of an address or of an expansion.

use super::filter::{self, Filter};
use super::schema::{Set, Type, is_id};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode};

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
    /// Paths, and whether descending.
    pub(super) orderby: Vec<(Vec<String>, bool)>,
    pub(super) expand: Vec<(String, Options)>,
    pub(super) filter: Option<Filter>,
    pub(super) data_array: bool,
    /// Entities after the one that this names, in the order of the set: what `@iot.nextLink` carries.
    pub(super) after: Option<String>,
    /// The options as they were given, for the way on.
    given: Vec<(String, String)>,
}

fn bad(name: &'static str, detail: impl std::fmt::Display) -> Problem {
    Problem::bad(name, format!("{name}: {detail}"))
}

impl Options {
    /// Those of a query.
    pub(super) fn of(query: &Query<'_>) -> Outcome<Self> {
        let mut options = Self::default();
        for (name, value) in query.pairs() {
            options.set(name, value, 0)?;
        }
        Ok(options)
    }

    /// How many entities a page has.
    pub(super) fn page(&self) -> usize {
        self.top.unwrap_or(USUAL_TOP)
    }

    /// The query of what comes after an entity.
    pub(super) fn further(&self, token: &str) -> String {
        let kept = self
            .given
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "$skip" | "$skiptoken"));
        let kept = kept.map(|(name, value)| format!("{name}={}&", encode(value)));
        format!("{}$skiptoken={}", kept.collect::<String>(), encode(token))
    }

    /// Holds the options against what the entities of a set have.
    pub(super) fn check(&mut self, set: Set) -> Outcome<()> {
        if let Some(filter) = &mut self.filter {
            filter.check(set)?;
        }
        for (path, _) in &self.orderby {
            let place = set.resolve(path).map_err(|reason| bad("$orderby", reason))?;
            let sortable = matches!(
                place.kind,
                Some(Type::Number | Type::Text | Type::Time | Type::Free)
            );
            if !sortable || place.through.is_some() {
                let path = path.join("/");
                return Err(bad(
                    "$orderby",
                    format!("`{path}` has no order; name a single value"),
                ));
            }
        }
        for name in &self.select {
            let known = is_id(name)
                || matches!(name.as_str(), "selfLink" | "@iot.selfLink")
                || set.properties().iter().any(|(own, _)| own == name)
                || set.navigation(name).is_some();
            if !known {
                let path = [name.clone()];
                let reason = set.resolve(&path).err().unwrap_or_default();
                return Err(bad("$select", reason));
            }
        }
        for (name, inner) in &mut self.expand {
            let (next, many) = set
                .navigation(name)
                .ok_or_else(|| bad("$expand", format!("{} have no `{name}`", set.name())))?;
            if !many {
                inner.only(&["$select", "$expand"], name)?;
            }
            inner.check(next)?;
        }
        Ok(())
    }

    /// True when a member of an entity's JSON is selected, a link by the name of what it leads to.
    pub(super) fn selects(&self, member: &str) -> bool {
        let name = member.split("@iot.navigationLink").next().unwrap_or(member);
        let plain = name.trim_start_matches("@iot.");
        self.select
            .iter()
            .any(|wanted| wanted.trim_start_matches("@iot.") == plain)
    }

    /// Refuses options that mean nothing where they stand.
    pub(super) fn only(&self, names: &[&str], what: &str) -> Outcome<()> {
        match self
            .given
            .iter()
            .find(|(name, _)| !names.contains(&name.as_str()))
        {
            None => Ok(()),
            Some((name, _)) => {
                let parameter = PARAMETERS
                    .iter()
                    .find(|own| *own == name)
                    .copied()
                    .unwrap_or("query");
                Err(bad(
                    parameter,
                    format!("means nothing for {what}, which is no set of entities"),
                ))
            }
        }
    }

    /// True when the times of datastreams are asked for, of a set.
    pub(super) fn need_spans(&self, set: Set) -> bool {
        let through = |path: &[String]| path.iter().any(|name| name.starts_with("Datastream"));
        set == Set::Datastreams
            || self
                .filter
                .as_ref()
                .is_some_and(|filter| filter.expr.paths().iter().any(|path| through(path)))
            || self.orderby.iter().any(|(path, _)| through(path))
            || self.expand.iter().any(|(name, inner)| {
                set.navigation(name)
                    .is_some_and(|(next, _)| inner.need_spans(next))
            })
    }

    fn set(&mut self, name: &str, value: &str, depth: usize) -> Outcome<()> {
        let Some(&name) = PARAMETERS.iter().find(|own| **own == name) else {
            return Err(bad(
                "$expand",
                format!("`{name}` is no option; there are {}", PARAMETERS.join(", ")),
            ));
        };
        let number = |most: usize| {
            let number: usize = value
                .trim()
                .parse()
                .map_err(|_| bad(name, format!("`{value}` is no whole number")))?;
            if number > most {
                Err(bad(
                    name,
                    format!("{number} is more than {most}; follow @iot.nextLink, or filter"),
                ))
            } else {
                Ok(number)
            }
        };
        match self.given.iter_mut().find(|(known, _)| known == name) {
            None => self.given.push((name.to_owned(), value.to_owned())),
            Some((_, known)) if name == "$expand" => *known += &format!(",{value}"),
            Some(_) => return Err(bad(name, "is given twice")),
        }
        match name {
            // more than the server gives at once is a wish, not an error
            "$top" => self.top = Some(number(usize::MAX)?.min(MOST_TOP)),
            "$skip" => self.skip = number(MOST_SKIP)?,
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
            _ => self.after = Some(value.to_owned()),
        }
        Ok(())
    }

    /// `Datastreams/Observations($top=1;$orderby=phenomenonTime desc)`. `Datastreams/Sensor,Datastreams/Thing` is one
    /// expansion of two.
    fn expand_by(&mut self, text: &str, depth: usize) -> Outcome<()> {
        if depth >= DEEPEST {
            return Err(bad("$expand", format!("is nested more than {DEEPEST} deep")));
        }
        let head = text.split(['(', '/']).next().unwrap_or_default();
        let rest = text.get(head.len()..).unwrap_or_default();
        if head.is_empty() || !head.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(bad("$expand", format!("`{text}` is no expansion")));
        }
        let known = self.expand.iter().position(|(name, _)| name == head);
        let at = known.unwrap_or_else(|| {
            self.expand.push((head.to_owned(), Self::default()));
            self.expand.len() - 1
        });
        let Some((_, inner)) = self.expand.get_mut(at) else {
            return Ok(());
        };
        if let Some(further) = rest.strip_prefix('/') {
            inner.set("$expand", further, depth + 1)?;
        } else if let Some(nested) = rest.strip_prefix('(') {
            let nested = nested
                .strip_suffix(')')
                .ok_or_else(|| bad("$expand", format!("the parenthesis of `{head}` is not closed")))?;
            for part in split(nested, ';')? {
                let (name, value) = part
                    .trim()
                    .split_once('=')
                    .ok_or_else(|| bad("$expand", format!("`{part}` is no option of `{head}`")))?;
                if matches!(name, "$resultFormat" | "$skiptoken") {
                    return Err(bad("$expand", format!("`{name}` is no option of an expansion")));
                }
                inner.set(name, value, depth + 1)?;
            }
        }
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

    fn of(query: &str, set: Set) -> Outcome<Options> {
        let uri: Uri = format!("/x?{query}").parse().expect("uri");
        let mut options = Options::of(&Query::of(&uri, PARAMETERS)?)?;
        options.check(set)?;
        Ok(options)
    }

    #[test]
    fn expansions_nest_with_their_own_options() {
        let options = of(
            "$expand=Datastreams($expand=Observations($orderby=phenomenonTime%20desc;$top=1);$select=name),Locations&$top=5000",
            Set::Things,
        )
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
            latest.further("7-5"),
            "$orderby=phenomenonTime%20desc&$top=1&$skiptoken=7-5",
            "the way on asks what the expansion asked"
        );
        let merged =
            of("$expand=Datastreams/Observations,Datastreams/Sensor", Set::Things).expect("one of two");
        assert_eq!(merged.expand.len(), 1);
        let names: Vec<_> = merged.expand[0]
            .1
            .expand
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["Observations", "Sensor"]);
        assert_eq!(
            merged.expand[0].1.further("1"),
            "$expand=Observations%2CSensor&$skiptoken=1"
        );
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (query, named) in [
            ("$top=-1", "$top"),
            ("$top=x", "$top"),
            ("$top=1&$top=2", "$top"),
            ("$skip=1000000", "$skip"),
            ("$count=yes", "$count"),
            ("$orderby=name%20b", "$orderby"),
            ("$orderby=nosuch", "`nosuch`"),
            ("$orderby=Datastreams/name", "`Datastreams/name`"),
            ("$orderby=", "$orderby"),
            ("$select=nosuch", "`nosuch`"),
            ("$select=", "$select"),
            ("$select=properties/code", "$select"),
            ("$expand=Datastreams(B", "$expand"),
            ("$expand=Datastreams(x)", "$expand"),
            ("$expand=Datastreams($tpo=1)", "`$tpo`"),
            ("$expand=Datastreams($top=1),Datastreams($top=2)", "$top"),
            ("$expand=Datastreams($filter=nosuch%20eq%201)", "`nosuch`"),
            ("$expand=Datastreams/Thing($top=1)", "$top"),
            ("$expand=Datastreams/Thing/Datastreams/Thing", "$expand"),
            ("$expand=Wheels", "`Wheels`"),
            ("$expand=A)", "$expand"),
            ("$resultFormat=CSV", "$resultFormat"),
            ("$filter=(", "$filter"),
        ] {
            let told = format!("{:?}", of(query, Set::Things).expect_err(query));
            assert!(told.contains(named), "{query}: {told}");
        }
    }
}
