//! What a filter of observations says of their time and their datastream: that much of it the index answers.

use super::literal::Literal;
use super::{Expr, Filter, Operator};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// A filter of observations, taken apart.
#[derive(Debug, Default)]
pub(in super::super) struct Limits {
    /// The first instant that can be in.
    pub(in super::super) from: Option<DateTime<Utc>>,
    /// The first instant that cannot any more.
    pub(in super::super) to: Option<DateTime<Utc>>,
    /// What is true or false for all observations of a datastream.
    pub(in super::super) of_stream: Option<Filter>,
    /// What has to be asked of each observation.
    pub(in super::super) rest: Option<Filter>,
}

impl Filter {
    /// Takes the filter apart; its parts hold together where it holds.
    pub(in super::super) fn limits(&self) -> Limits {
        let mut parts = Vec::new();
        conjuncts(&self.expr, &mut parts);
        let mut limits = Limits::default();
        let (mut of_stream, mut rest) = (Vec::new(), Vec::new());
        let in_set = |expr: &Expr| {
            expr.paths()
                .iter()
                .any(|path| self.sets.iter().any(|set| path.starts_with(set)))
        };
        // what goes through one set is asked of the same entity of it, so that it stays together
        let sets_of_stream = parts.iter().all(|part| !in_set(part) || is_of_stream(part));
        for part in parts {
            if limits.narrow(part) {
                continue;
            }
            if is_of_stream(part) && (sets_of_stream || !in_set(part)) {
                of_stream.push(part.clone());
            } else {
                rest.push(part.clone());
            }
        }
        limits.of_stream = self.all_of(of_stream);
        limits.rest = self.all_of(rest);
        limits
    }

    fn all_of(&self, parts: Vec<Expr>) -> Option<Filter> {
        let expr = parts
            .into_iter()
            .reduce(|all, part| Expr::Binary(Operator::And, Box::new(all), Box::new(part)))?;
        let paths = expr.paths();
        let sets = self
            .sets
            .iter()
            .filter(|set| paths.iter().any(|path| path.starts_with(set)));
        Some(Filter {
            sets: sets.cloned().collect(),
            expr,
        })
    }
}

impl Limits {
    /// Takes in a comparison of `phenomenonTime` with a time that is the same for all; false for anything else.
    fn narrow(&mut self, part: &Expr) -> bool {
        let Expr::Binary(operator, left, right) = part else {
            return false;
        };
        let is_time =
            |expr: &Expr| matches!(expr, Expr::Path(path) if path.len() == 1 && path[0] == "phenomenonTime");
        let fixed = |expr: &Expr| {
            if !expr.paths().is_empty() {
                return None;
            }
            match expr.value(&|_| Literal::Null) {
                Ok(Literal::Time(start, end)) => Some((start, end)),
                _ => None,
            }
        };
        let (operator, time) = if is_time(left) {
            (*operator, fixed(right))
        } else if is_time(right) {
            (operator.mirrored(), fixed(left))
        } else {
            return false;
        };
        let Some((start, end)) = time else { return false };
        // the store keeps milliseconds
        let behind = |time: DateTime<Utc>| {
            let tick = TimeDelta::milliseconds(1);
            let whole = time.duration_trunc(tick).unwrap_or(time);
            whole.checked_add_signed(tick)
        };
        let (from, to) = match operator {
            Operator::Ge => (Some(end), None),
            Operator::Gt => (behind(end), None),
            Operator::Lt => (None, Some(start)),
            Operator::Le => (None, behind(start)),
            Operator::Eq if start == end => (Some(start), behind(start)),
            _ => return false,
        };
        // nothing comes after the end of the calendar
        if operator == Operator::Gt && from.is_none() {
            return false;
        }
        self.from = [self.from, from].into_iter().flatten().max();
        self.to = [self.to, to].into_iter().flatten().min();
        true
    }
}

fn conjuncts<'e>(expr: &'e Expr, into: &mut Vec<&'e Expr>) {
    if let Expr::Binary(Operator::And, left, right) = expr {
        conjuncts(left, into);
        conjuncts(right, into);
    } else {
        into.push(expr);
    }
}

fn is_of_stream(expr: &Expr) -> bool {
    let of_stream = |path: &&[String]| {
        matches!(
            path.first().map(String::as_str),
            Some("Datastream" | "FeatureOfInterest")
        )
    };
    let paths = expr.paths();
    !paths.is_empty() && paths.iter().all(of_stream)
}

impl Expr {
    /// The paths that stand in it.
    pub(in super::super) fn paths(&self) -> Vec<&[String]> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'e>(&'e self, into: &mut Vec<&'e [String]>) {
        match self {
            Self::Literal(_) => {}
            Self::Path(path) => into.push(path),
            Self::Not(inner) => inner.collect(into),
            Self::Binary(_, left, right) => {
                left.collect(into);
                right.collect(into);
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.collect(into)),
        }
    }
}

impl Operator {
    fn mirrored(self) -> Self {
        match self {
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            other => other,
        }
    }
}
