//! Whether a filter fits the entities it is asked of: a name they do not have, or values that cannot be compared, would
//! answer nothing with 200.

use super::super::schema::{Set, is_id};
use super::literal::{Kind, Literal, time};
use super::{Expr, Operator, functions};

/// Degrees that two places are apart at most: a larger distance was meant in metres.
const FARTHEST_DEG: f64 = 360.0;

impl Expr {
    /// The kind of value it has for entities of the set. Texts that stand for times or numbers of entities become those.
    /// Paths to sets are put into `sets`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub(super) fn check(&mut self, set: Set, sets: &mut Vec<Vec<String>>) -> Result<Kind, String> {
        match self {
            Self::Literal(literal) => Ok(literal.kind()),
            Self::Path(path) => {
                let place = set.resolve(path)?;
                let name = path.join("/");
                if let Some(prefix) = place.through.and_then(|count| path.get(..count))
                    && !sets.iter().any(|known| known == prefix)
                {
                    sets.push(prefix.to_vec());
                }
                let kind = place
                    .kind
                    .ok_or_else(|| format!("`{name}` is an entity; name one of its properties"))?;
                Kind::of(kind).ok_or_else(|| format!("`{name}` is no single value; name one of its members"))
            }
            Self::Not(inner) => {
                let mut through = Vec::new();
                inner.check_truth(set, &mut through)?;
                if through.is_empty() {
                    return Ok(Kind::Bool);
                }
                Err(format!(
                    "`not` before `{inner}`, which goes through a set, can be read in two ways (not any, or any that is \
                     not) and is not offered"
                ))
            }
            Self::Binary(Operator::And | Operator::Or, left, right) => {
                left.check_truth(set, sets)?;
                right.check_truth(set, sets)?;
                Ok(Kind::Bool)
            }
            Self::Binary(operator, left, right) => {
                let kinds = (left.check(set, sets)?, right.check(set, sets)?);
                if *operator >= Operator::Add {
                    return arithmetic(*operator, kinds)
                        .ok_or_else(|| apart(left, right, kinds, operator.name()));
                }
                compared(left, right, kinds)?;
                Ok(Kind::Bool)
            }
            Self::Call(name, arguments) => {
                let function =
                    functions::find(name).ok_or_else(|| format!("there is no function `{name}`"))?;
                for (argument, wanted) in arguments.iter_mut().zip(function.takes) {
                    let kind = argument.check(set, sets)?;
                    // date(2026-08-10) says what it says
                    let is_date = name == "date" && kind == Kind::Date;
                    if !matches!(kind, Kind::Any) && kind != *wanted && !is_date {
                        return Err(format!(
                            "`{name}` takes {}; `{argument}` is {}",
                            wanted.words(),
                            kind.words()
                        ));
                    }
                }
                Ok(function.gives)
            }
        }
    }

    /// The same of what must be true or false.
    pub(super) fn check_truth(&mut self, set: Set, sets: &mut Vec<Vec<String>>) -> Result<(), String> {
        match self.check(set, sets)? {
            Kind::Bool | Kind::Any => Ok(()),
            other => Err(format!("`{self}` is {}, neither true nor false", other.words())),
        }
    }
}

fn apart(left: &Expr, right: &Expr, kinds: (Kind, Kind), operator: &str) -> String {
    format!(
        "`{left}` is {} and `{right}` {}: `{operator}` does not fit them",
        kinds.0.words(),
        kinds.1.words()
    )
}

fn arithmetic(operator: Operator, kinds: (Kind, Kind)) -> Option<Kind> {
    let additive = matches!(operator, Operator::Add | Operator::Sub);
    match kinds {
        (Kind::Any, _) | (_, Kind::Any) => Some(Kind::Any),
        (Kind::Number, Kind::Number) => Some(Kind::Number),
        (Kind::Time, Kind::Duration) if additive => Some(Kind::Time),
        (Kind::Duration, Kind::Duration) if additive => Some(Kind::Duration),
        (Kind::Time, Kind::Time) if operator == Operator::Sub => Some(Kind::Duration),
        _ => None,
    }
}

/// Refuses what cannot be compared, after texts became what they stand for.
fn compared(left: &mut Expr, right: &mut Expr, kinds: (Kind, Kind)) -> Result<(), String> {
    for (one, other, kind) in [(&*left, &*right, kinds.1), (&*right, &*left, kinds.0)] {
        if let (Expr::Call(name, _), Expr::Literal(Literal::Number(number))) = (one, other)
            && name == "geo.distance"
            && kind == Kind::Number
            && *number > FARTHEST_DEG
        {
            return Err(format!(
                "geo.distance is in degrees, not in metres: {number} is more than any; a metre is about 0.000009"
            ));
        }
    }
    let left_kind = stands_for(left, right, kinds)?;
    let right_kind = stands_for(right, left, (kinds.1, kinds.0))?;
    let fits = left_kind == right_kind || left_kind == Kind::Any || right_kind == Kind::Any;
    if left_kind == Kind::Geometry || right_kind == Kind::Geometry {
        return Err(format!(
            "`{left}`: geometries are compared by st_equals, st_within, st_intersects"
        ));
    }
    if fits {
        return Ok(());
    }
    let hint = match (left_kind, right_kind) {
        (Kind::Time, Kind::Date) | (Kind::Date, Kind::Time) => {
            ": write the time with its offset, or date(...) of it"
        }
        _ => "",
    };
    Err(format!(
        "`{left}` is {} and `{right}` {}, which cannot be compared{hint}",
        left_kind.words(),
        right_kind.words()
    ))
}

/// The kind of a side of a comparison, after a text beside a time or the number of an entity became one.
fn stands_for(side: &mut Expr, other: &Expr, (own, others): (Kind, Kind)) -> Result<Kind, String> {
    let Expr::Literal(Literal::Text(text)) = side else {
        return Ok(own);
    };
    let is_number = matches!(other, Expr::Path(path) if path.last().is_some_and(|name| is_id(name)));
    let literal = match others {
        Kind::Time => {
            let (start, end) = time(text).ok_or_else(|| {
                format!("'{text}' is no time such as 2026-05-18T00:00:00Z (write + as %2B)")
            })?;
            Literal::Time(start, end)
        }
        Kind::Number if is_number => Literal::Number(
            text.parse()
                .map_err(|_| format!("`{other}` is a number; '{text}' is none"))?,
        ),
        _ => return Ok(own),
    };
    let kind = literal.kind();
    *side = Expr::Literal(literal);
    Ok(kind)
}
