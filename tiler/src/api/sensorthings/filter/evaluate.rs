//! What a filter says of an entity.

use super::{Expr, Operator, wrong};
use crate::problem::Outcome;
use chrono::{DateTime, Datelike, Timelike, Utc};
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

/// A value within a filter.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(DateTime<Utc>),
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "'{value}'"),
            Self::Time(value) => f.write_str(&value.to_rfc3339()),
        }
    }
}

impl Literal {
    /// What an entity's JSON holds.
    pub(in super::super) fn of(value: Option<Value>) -> Self {
        match value {
            Some(Value::Bool(value)) => Self::Bool(value),
            Some(Value::Number(number)) => number.as_f64().map_or(Self::Null, Self::Number),
            Some(Value::String(text)) => Self::Text(text),
            _ => Self::Null,
        }
    }

    /// The instant it names; the beginning of an interval.
    pub(in super::super) fn time(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => {
                let start = text.split('/').next()?;
                Some(DateTime::parse_from_rfc3339(start).ok()?.with_timezone(&Utc))
            }
            _ => None,
        }
    }

    fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            Some(text)
        } else {
            None
        }
    }
}

/// How two values are ordered; none when they cannot be compared.
pub(in super::super) fn compare(a: &Literal, b: &Literal) -> Option<Ordering> {
    match (a, b) {
        (Literal::Time(_), _) | (_, Literal::Time(_)) => Some(a.time()?.cmp(&b.time()?)),
        (Literal::Number(a), Literal::Number(b)) => a.partial_cmp(b),
        (Literal::Text(a), Literal::Text(b)) => Some(a.cmp(b)),
        (Literal::Bool(a), Literal::Bool(b)) => Some(a.cmp(b)),
        (Literal::Null, Literal::Null) => Some(Ordering::Equal),
        _ => None,
    }
}

/// How many values a function takes; none for one that does not exist here.
pub(super) fn arity(name: &str) -> Option<RangeInclusive<usize>> {
    Some(match name {
        "now" => 0..=0,
        "length" | "tolower" | "toupper" | "trim" | "year" | "month" | "day" | "hour" | "minute"
        | "second" | "round" | "floor" | "ceiling" => 1..=1,
        "substringof" | "startswith" | "endswith" | "indexof" | "concat" => 2..=2,
        "substring" => 2..=3,
        _ => return None,
    })
}

impl Expr {
    /// True when the entity whose values `find` gives passes.
    pub(in super::super) fn is_true(&self, find: &dyn Fn(&[String]) -> Option<Value>) -> Outcome<bool> {
        match self.value(find)? {
            Literal::Bool(value) => Ok(value),
            Literal::Null => Ok(false),
            other => Err(wrong(format!("`{other}` is neither true nor false"))),
        }
    }

    fn value(&self, find: &dyn Fn(&[String]) -> Option<Value>) -> Outcome<Literal> {
        match self {
            Self::Literal(literal) => Ok(literal.clone()),
            Self::Path(path) => Ok(Literal::of(find(path))),
            Self::Not(inner) => Ok(Literal::Bool(!inner.is_true(find)?)),
            Self::Binary(Operator::And, left, right) => {
                Ok(Literal::Bool(left.is_true(find)? && right.is_true(find)?))
            }
            Self::Binary(Operator::Or, left, right) => {
                Ok(Literal::Bool(left.is_true(find)? || right.is_true(find)?))
            }
            Self::Binary(operator, left, right) => {
                Ok(binary(*operator, &left.value(find)?, &right.value(find)?))
            }
            Self::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(find));
                Ok(call(name, &values.collect::<Outcome<Vec<_>>>()?))
            }
        }
    }
}

fn binary(operator: Operator, a: &Literal, b: &Literal) -> Literal {
    let ordering = compare(a, b);
    let is = |wanted: fn(Ordering) -> bool| Literal::Bool(ordering.is_some_and(wanted));
    match operator {
        Operator::Eq => is(Ordering::is_eq),
        Operator::Ne => Literal::Bool(!ordering.is_some_and(Ordering::is_eq)),
        Operator::Gt => is(Ordering::is_gt),
        Operator::Ge => is(Ordering::is_ge),
        Operator::Lt => is(Ordering::is_lt),
        Operator::Le => is(Ordering::is_le),
        _ => {
            let (Some(a), Some(b)) = (a.number(), b.number()) else {
                return Literal::Null;
            };
            let result = match operator {
                Operator::Add => a + b,
                Operator::Sub => a - b,
                Operator::Mul => a * b,
                Operator::Div => a / b,
                _ => a % b,
            };
            if result.is_finite() {
                Literal::Number(result)
            } else {
                Literal::Null
            }
        }
    }
}

/// A function of values; null where they are of another kind.
fn call(name: &str, values: &[Literal]) -> Literal {
    let known = match values {
        [] => Some(Literal::Time(Utc::now())),
        [one] => of_one(name, one),
        [a, b] => of_two(name, a, b),
        _ => substring(values),
    };
    known.unwrap_or(Literal::Null)
}

fn of_one(name: &str, value: &Literal) -> Option<Literal> {
    let number = |number: u32| Literal::Number(f64::from(number));
    Some(match name {
        "length" => Literal::Number(value.text()?.chars().count() as f64),
        "tolower" => Literal::Text(value.text()?.to_lowercase()),
        "toupper" => Literal::Text(value.text()?.to_uppercase()),
        "trim" => Literal::Text(value.text()?.trim().to_owned()),
        "year" => Literal::Number(f64::from(value.time()?.year())),
        "month" => number(value.time()?.month()),
        "day" => number(value.time()?.day()),
        "hour" => number(value.time()?.hour()),
        "minute" => number(value.time()?.minute()),
        "second" => number(value.time()?.second()),
        "round" => Literal::Number(value.number()?.round()),
        "floor" => Literal::Number(value.number()?.floor()),
        _ => Literal::Number(value.number()?.ceil()),
    })
}

fn of_two(name: &str, a: &Literal, b: &Literal) -> Option<Literal> {
    Some(match name {
        "substringof" => Literal::Bool(b.text()?.contains(a.text()?)),
        "startswith" => Literal::Bool(a.text()?.starts_with(b.text()?)),
        "endswith" => Literal::Bool(a.text()?.ends_with(b.text()?)),
        "concat" => Literal::Text(format!("{}{}", a.text()?, b.text()?)),
        "indexof" => {
            let (text, at) = (a.text()?, a.text()?.find(b.text()?));
            let characters = at.and_then(|at| text.get(..at)).map(|head| head.chars().count());
            Literal::Number(characters.map_or(-1.0, |count| count as f64))
        }
        _ => return substring(&[a.clone(), b.clone()]),
    })
}

fn substring(values: &[Literal]) -> Option<Literal> {
    let count = |at: usize| Some(values.get(at)?.number()?.max(0.0) as usize);
    let rest = values.first()?.text()?.chars().skip(count(1)?);
    Some(Literal::Text(match values.len() {
        2 => rest.collect(),
        _ => rest.take(count(2)?).collect(),
    }))
}
