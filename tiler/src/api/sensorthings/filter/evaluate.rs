//! What a filter says of an entity.

use super::literal::{Literal, equal, less, time};
use super::{Expr, Operator, functions, wrong};
use crate::problem::Outcome;

/// Gives what an entity has at a path.
pub(in super::super) type Find<'f> = &'f dyn Fn(&[String]) -> Literal;

impl Expr {
    /// True when the entity whose values `find` gives passes.
    pub(in super::super) fn is_true(&self, find: Find<'_>) -> Outcome<bool> {
        self.truth(find).map_err(wrong)
    }

    fn truth(&self, find: Find<'_>) -> Result<bool, String> {
        match self.value(find)? {
            Literal::Bool(value) => Ok(value),
            Literal::Null => Ok(false),
            other => Err(format!("`{other}` is neither true nor false")),
        }
    }

    pub(super) fn value(&self, find: Find<'_>) -> Result<Literal, String> {
        match self {
            Self::Literal(literal) => Ok(literal.clone()),
            Self::Path(path) => Ok(find(path)),
            Self::Not(inner) => Ok(Literal::Bool(!inner.truth(find)?)),
            Self::Binary(Operator::And, left, right) => {
                Ok(Literal::Bool(left.truth(find)? && right.truth(find)?))
            }
            Self::Binary(Operator::Or, left, right) => {
                Ok(Literal::Bool(left.truth(find)? || right.truth(find)?))
            }
            Self::Binary(operator, left, right) => {
                let (a, b) = (left.value(find)?, right.value(find)?);
                let result = if *operator >= Operator::Add {
                    arithmetic(*operator, &a, &b)
                } else {
                    compare(*operator, &a, &b).map(Literal::Bool)
                };
                // what the members of `properties` hold is only known here
                result.ok_or_else(|| {
                    format!(
                        "`{left}` is {} here and `{right}` {}: `{}` does not fit them",
                        a.kind().words(),
                        b.kind().words(),
                        operator.name()
                    )
                })
            }
            Self::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(find));
                let values = values.collect::<Result<Vec<_>, _>>()?;
                match (name.as_str(), values.as_slice()) {
                    ("date", [date @ Literal::Date(_)]) => Ok(date.clone()),
                    _ => functions::call(name, &values),
                }
            }
        }
    }
}

fn compare(operator: Operator, a: &Literal, b: &Literal) -> Option<bool> {
    let as_time = |text: &str| time(text).map(|(start, end)| Literal::Time(start, end));
    match (a, b) {
        (Literal::Text(text), Literal::Time(..)) => return compare(operator, &as_time(text)?, b),
        (Literal::Time(..), Literal::Text(text)) => return compare(operator, a, &as_time(text)?),
        _ => {}
    }
    match operator {
        Operator::Eq => equal(a, b),
        Operator::Ne => equal(a, b).map(|equal| !equal),
        Operator::Lt => less(a, b, false),
        Operator::Le => less(a, b, true),
        Operator::Gt => less(b, a, false),
        _ => less(b, a, true),
    }
}

fn arithmetic(operator: Operator, a: &Literal, b: &Literal) -> Option<Literal> {
    match (a, b) {
        (Literal::Null, _) | (_, Literal::Null) => Some(Literal::Null),
        (Literal::Number(a), Literal::Number(b)) => {
            let result = match operator {
                Operator::Add => a + b,
                Operator::Sub => a - b,
                Operator::Mul => a * b,
                Operator::Div => a / b,
                _ => a % b,
            };
            Some(if result.is_finite() {
                Literal::Number(result)
            } else {
                Literal::Null
            })
        }
        (Literal::Time(start, end), Literal::Duration(by)) => {
            let by = if operator == Operator::Sub { -*by } else { *by };
            Some(Literal::Time(
                start.checked_add_signed(by)?,
                end.checked_add_signed(by)?,
            ))
        }
        (Literal::Time(a, _), Literal::Time(b, _)) if operator == Operator::Sub => {
            Some(Literal::Duration(*a - *b))
        }
        (Literal::Duration(a), Literal::Duration(b)) => match operator {
            Operator::Add => a.checked_add(b).map(Literal::Duration),
            Operator::Sub => a.checked_sub(b).map(Literal::Duration),
            _ => None,
        },
        _ => None,
    }
}
