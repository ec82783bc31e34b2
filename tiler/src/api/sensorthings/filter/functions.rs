//! The functions of a filter (18-088, tables 23 and 24): what they take, what they give, what they do.

use super::literal::{Kind, Literal};
use chrono::{DateTime, Datelike, Timelike, Utc};
use geo::{Distance, Euclidean, Relate};
use geo_types::Geometry;

/// A function.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    /// What it takes.
    pub(super) takes: &'static [Kind],
    /// How many of those may be left out at the end.
    optional: usize,
    /// What it gives.
    pub(super) gives: Kind,
}

impl Function {
    /// True for a number of values it takes.
    pub(super) fn takes(&self, count: usize) -> bool {
        (self.takes.len() - self.optional..=self.takes.len()).contains(&count)
    }
}

const fn function(name: &'static str, takes: &'static [Kind], gives: Kind) -> Function {
    Function {
        name,
        takes,
        optional: 0,
        gives,
    }
}

use Kind::{Bool, Clock, Date, Geometry as Shape, Number, Text, Time};

const FUNCTIONS: &[Function] = &[
    function("substringof", &[Text, Text], Bool),
    function("startswith", &[Text, Text], Bool),
    function("endswith", &[Text, Text], Bool),
    function("length", &[Text], Number),
    function("indexof", &[Text, Text], Number),
    Function {
        name: "substring",
        takes: &[Text, Number, Number],
        optional: 1,
        gives: Text,
    },
    function("tolower", &[Text], Text),
    function("toupper", &[Text], Text),
    function("trim", &[Text], Text),
    function("concat", &[Text, Text], Text),
    function("year", &[Time], Number),
    function("month", &[Time], Number),
    function("day", &[Time], Number),
    function("hour", &[Time], Number),
    function("minute", &[Time], Number),
    function("second", &[Time], Number),
    function("fractionalseconds", &[Time], Number),
    function("totaloffsetminutes", &[Time], Number),
    function("date", &[Time], Date),
    function("time", &[Time], Clock),
    function("now", &[], Time),
    function("mindatetime", &[], Time),
    function("maxdatetime", &[], Time),
    function("round", &[Number], Number),
    function("floor", &[Number], Number),
    function("ceiling", &[Number], Number),
    function("geo.distance", &[Shape, Shape], Number),
    function("geo.intersects", &[Shape, Shape], Bool),
    function("st_equals", &[Shape, Shape], Bool),
    function("st_disjoint", &[Shape, Shape], Bool),
    function("st_touches", &[Shape, Shape], Bool),
    function("st_within", &[Shape, Shape], Bool),
    function("st_overlaps", &[Shape, Shape], Bool),
    function("st_crosses", &[Shape, Shape], Bool),
    function("st_intersects", &[Shape, Shape], Bool),
    function("st_contains", &[Shape, Shape], Bool),
    function("st_relate", &[Shape, Shape, Text], Bool),
];

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

pub(super) fn names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).collect()
}

/// What a function gives; null where a value is null, an error in words where it is of another kind.
pub(super) fn call(name: &str, values: &[Literal]) -> Result<Literal, String> {
    use Literal as L;
    if values.contains(&L::Null) {
        return Ok(L::Null);
    }
    let count = |number: usize| L::Number(number as f64);
    Ok(match (name, values) {
        ("now", []) => L::instant(Utc::now()),
        ("mindatetime", []) => L::instant(DateTime::<Utc>::MIN_UTC),
        ("maxdatetime", []) => L::instant(DateTime::<Utc>::MAX_UTC),
        ("substringof", [L::Text(part), L::Text(text)]) => L::Bool(text.contains(part.as_str())),
        ("startswith", [L::Text(text), L::Text(part)]) => L::Bool(text.starts_with(part.as_str())),
        ("endswith", [L::Text(text), L::Text(part)]) => L::Bool(text.ends_with(part.as_str())),
        ("length", [L::Text(text)]) => count(text.chars().count()),
        ("indexof", [L::Text(text), L::Text(part)]) => {
            let head = text.find(part.as_str()).and_then(|at| text.get(..at));
            L::Number(head.map_or(-1.0, |head| head.chars().count() as f64))
        }
        ("substring", [L::Text(text), L::Number(start)]) => {
            L::Text(text.chars().skip(start.max(0.0) as usize).collect())
        }
        ("substring", [L::Text(text), L::Number(start), L::Number(length)]) => {
            let rest = text.chars().skip(start.max(0.0) as usize);
            L::Text(rest.take(length.max(0.0) as usize).collect())
        }
        ("tolower", [L::Text(text)]) => L::Text(text.to_lowercase()),
        ("toupper", [L::Text(text)]) => L::Text(text.to_uppercase()),
        ("trim", [L::Text(text)]) => L::Text(text.trim().to_owned()),
        ("concat", [L::Text(a), L::Text(b)]) => L::Text(format!("{a}{b}")),
        (_, [L::Time(start, _)]) => of_time(name, *start)?,
        ("round", [L::Number(number)]) => L::Number(number.round()),
        ("floor", [L::Number(number)]) => L::Number(number.floor()),
        ("ceiling", [L::Number(number)]) => L::Number(number.ceil()),
        // in the units of the coordinates, as OData and FROST have it
        ("geo.distance", [L::Geometry(a), L::Geometry(b)]) => L::Number(Euclidean.distance(&**a, &**b)),
        ("st_relate", [L::Geometry(a), L::Geometry(b), L::Text(pattern)]) => {
            let matrix = a.relate(&**b);
            let matches = matrix.matches(pattern);
            L::Bool(matches.map_err(|_| format!("st_relate: `{pattern}` is no pattern such as T********"))?)
        }
        (_, [L::Geometry(a), L::Geometry(b)]) => L::Bool(related(name, a, b)),
        _ => {
            let kinds: Vec<_> = values.iter().map(|value| value.kind().words()).collect();
            return Err(format!("`{name}` cannot be asked of {}", kinds.join(" and ")));
        }
    })
}

/// Parts of a time, in UTC.
fn of_time(name: &str, time: DateTime<Utc>) -> Result<Literal, String> {
    let number = |number: u32| Literal::Number(f64::from(number));
    Ok(match name {
        "year" => Literal::Number(f64::from(time.year())),
        "month" => number(time.month()),
        "day" => number(time.day()),
        "hour" => number(time.hour()),
        "minute" => number(time.minute()),
        "second" => number(time.second()),
        "fractionalseconds" => Literal::Number(f64::from(time.nanosecond()) / 1e9),
        "totaloffsetminutes" => Literal::Number(0.0),
        "date" => Literal::Date(time.date_naive()),
        "time" => Literal::Clock(time.time()),
        _ => return Err(format!("`{name}` cannot be asked of a time")),
    })
}

fn related(name: &str, a: &Geometry<f64>, b: &Geometry<f64>) -> bool {
    let matrix = a.relate(b);
    match name {
        "st_equals" => matrix.is_equal_topo(),
        "st_disjoint" => matrix.is_disjoint(),
        "st_touches" => matrix.is_touches(),
        "st_within" => matrix.is_within(),
        "st_overlaps" => matrix.is_overlaps(),
        "st_crosses" => matrix.is_crosses(),
        "st_contains" => matrix.is_contains(),
        _ => matrix.is_intersects(),
    }
}
