//! Values within a filter, and how they compare.

use super::super::schema::Type;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use geo_types::Geometry;
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A value within a filter, or of an entity.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// From an instant to an instant; one instant has no length.
    Time(DateTime<Utc>, DateTime<Utc>),
    Date(NaiveDate),
    Clock(NaiveTime),
    Duration(TimeDelta),
    Geometry(Arc<Geometry<f64>>),
}

/// What kind of value an expression has; `Any` is known when it is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Bool,
    Number,
    Text,
    Time,
    Date,
    Clock,
    Duration,
    Geometry,
}

impl Kind {
    /// What the kind is called in a message.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Time => "a time",
            Self::Date => "a date",
            Self::Clock => "a time of day",
            Self::Duration => "a duration",
            Self::Geometry => "a geometry",
        }
    }

    /// That of a property; none for one that cannot be compared.
    pub(super) fn of(kind: Type) -> Option<Self> {
        Some(match kind {
            Type::Number => Self::Number,
            Type::Text => Self::Text,
            Type::Time => Self::Time,
            Type::Geometry => Self::Geometry,
            Type::Free => Self::Any,
            Type::Members(_) | Type::Shown => return None,
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "'{value}'"),
            Self::Time(start, end) if start == end => f.write_str(&start.to_rfc3339()),
            Self::Time(start, end) => write!(f, "{}/{}", start.to_rfc3339(), end.to_rfc3339()),
            Self::Date(value) => write!(f, "{value}"),
            Self::Clock(value) => write!(f, "{value}"),
            Self::Duration(value) => write!(f, "duration'{value}'"),
            Self::Geometry(_) => f.write_str("a geometry"),
        }
    }
}

/// An instant or an interval as texts hold it.
pub(super) fn time(text: &str) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let instant = |text: &str| Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc));
    let (start, end) = text.split_once('/').unwrap_or((text, text));
    Some((instant(start)?, instant(end)?))
}

impl Literal {
    /// An instant.
    pub(in super::super) fn instant(time: DateTime<Utc>) -> Self {
        Self::Time(time, time)
    }

    /// What an entity's JSON holds in a property of a type.
    pub(in super::super) fn of(value: &Value, kind: Type) -> Self {
        match (value, kind) {
            (Value::Bool(value), _) => Self::Bool(*value),
            (Value::Number(number), _) => number.as_f64().map_or(Self::Null, Self::Number),
            (Value::String(text), Type::Time) => {
                time(text).map_or(Self::Null, |(start, end)| Self::Time(start, end))
            }
            (Value::String(text), _) => Self::Text(text.clone()),
            (Value::Object(_), Type::Geometry) => {
                geometry(value).map_or(Self::Null, |shape| Self::Geometry(Arc::new(shape)))
            }
            _ => Self::Null,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Any,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Time(..) => Kind::Time,
            Self::Date(_) => Kind::Date,
            Self::Clock(_) => Kind::Clock,
            Self::Duration(_) => Kind::Duration,
            Self::Geometry(_) => Kind::Geometry,
        }
    }
}

/// The geometry of GeoJSON, also of a Feature.
pub(in super::super) fn geometry(value: &Value) -> Option<Geometry<f64>> {
    let value = match value.get("type").and_then(Value::as_str) {
        Some("Feature") => value.get("geometry")?,
        _ => value,
    };
    let geometry = serde_json::from_value::<geojson::Geometry>(value.clone()).ok()?;
    Geometry::try_from(geometry).ok()
}

/// Whether two values are equal: null is equal to null alone. None when they cannot be compared.
pub(super) fn equal(a: &Literal, b: &Literal) -> Option<bool> {
    match (a, b) {
        (Literal::Null, _) | (_, Literal::Null) => Some(a == b),
        (Literal::Time(a_start, a_end), Literal::Time(b_start, b_end)) => {
            Some(a_start == b_start && a_end == b_end)
        }
        _ => Some(order(a, b)?.is_eq()),
    }
}

/// Whether a value is less than another, or no more than it: an interval is less than a time that its end is less than.
pub(super) fn less(a: &Literal, b: &Literal, or_equal: bool) -> Option<bool> {
    match (a, b) {
        (Literal::Null, _) | (_, Literal::Null) => Some(false),
        (Literal::Time(_, end), Literal::Time(start, _)) if or_equal => Some(end <= start),
        (Literal::Time(_, end), Literal::Time(start, _)) => Some(end < start),
        _ => {
            let ordering = order(a, b)?;
            Some(ordering.is_lt() || (or_equal && ordering.is_eq()))
        }
    }
}

fn order(a: &Literal, b: &Literal) -> Option<Ordering> {
    match (a, b) {
        (Literal::Number(a), Literal::Number(b)) => a.partial_cmp(b),
        (Literal::Text(a), Literal::Text(b)) => Some(a.cmp(b)),
        (Literal::Bool(a), Literal::Bool(b)) => Some(a.cmp(b)),
        (Literal::Date(a), Literal::Date(b)) => Some(a.cmp(b)),
        (Literal::Clock(a), Literal::Clock(b)) => Some(a.cmp(b)),
        (Literal::Duration(a), Literal::Duration(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// The order of values in a list: total, whatever they are. What is missing comes first, then by kind.
pub(in super::super) fn rank(a: &Literal, b: &Literal) -> Ordering {
    let place = |value: &Literal| match value {
        Literal::Null | Literal::Geometry(_) => 0,
        Literal::Bool(_) => 1,
        Literal::Number(_) => 2,
        Literal::Text(_) => 3,
        Literal::Time(..) => 4,
        Literal::Date(_) => 5,
        Literal::Clock(_) => 6,
        Literal::Duration(_) => 7,
    };
    place(a).cmp(&place(b)).then_with(|| match (a, b) {
        (Literal::Time(a, a_end), Literal::Time(b, b_end)) => a.cmp(b).then(a_end.cmp(b_end)),
        (Literal::Number(a), Literal::Number(b)) => a.total_cmp(b),
        _ => order(a, b).unwrap_or(Ordering::Equal),
    })
}
