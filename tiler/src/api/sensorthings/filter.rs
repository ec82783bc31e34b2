//! `$filter`: parsed by hand within limits of length and depth, evaluated on entities. Nothing of it reaches SQL but
//! times that were parsed as such.

mod evaluate;
mod lexer;

pub(super) use evaluate::{Literal, compare};

use crate::problem::{Outcome, Problem};
use chrono::{DateTime, Utc};
use lexer::{Token, tokens};

/// Longest text of a filter.
const LONGEST: usize = 4096;

/// Deepest nesting of parentheses, functions and `not`.
const DEEPEST: usize = 32;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Literal(Literal),
    /// `Datastream/ObservedProperty/name`
    Path(Vec<String>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

impl Operator {
    fn of(word: &str) -> Option<(Self, u8)> {
        Some(match word {
            "or" => (Self::Or, 1),
            "and" => (Self::And, 2),
            "eq" => (Self::Eq, 3),
            "ne" => (Self::Ne, 3),
            "gt" => (Self::Gt, 4),
            "ge" => (Self::Ge, 4),
            "lt" => (Self::Lt, 4),
            "le" => (Self::Le, 4),
            "add" => (Self::Add, 5),
            "sub" => (Self::Sub, 5),
            "mul" => (Self::Mul, 6),
            "div" => (Self::Div, 6),
            "mod" => (Self::Mod, 6),
            _ => return None,
        })
    }
}

fn wrong(what: impl std::fmt::Display) -> Problem {
    Problem::bad("$filter", format!("$filter: {what}"))
}

/// Parses a filter.
pub(super) fn parse(text: &str) -> Outcome<Expr> {
    if text.len() > LONGEST {
        return Err(wrong(format!("is longer than {LONGEST} bytes")));
    }
    let mut parser = Parser {
        tokens: tokens(text).map_err(wrong)?,
        at: 0,
    };
    let expr = parser.expression(0, 0)?;
    match parser.next() {
        None => Ok(expr),
        Some(token) => Err(wrong(format!("`{token}` was not expected there"))),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn expect(&mut self, wanted: &Token) -> Outcome<()> {
        match self.next() {
            Some(token) if token == *wanted => Ok(()),
            Some(token) => Err(wrong(format!("`{token}` stands where `{wanted}` was expected"))),
            None => Err(wrong(format!("`{wanted}` is missing at the end"))),
        }
    }

    /// Operators that bind at least as strongly as `least`.
    fn expression(&mut self, least: u8, depth: usize) -> Outcome<Expr> {
        if depth > DEEPEST {
            return Err(wrong(format!("is nested more than {DEEPEST} deep")));
        }
        let mut left = self.operand(depth)?;
        while let Some(Token::Word(word)) = self.peek() {
            let Some((operator, strength)) = Operator::of(word).filter(|(_, strength)| *strength >= least)
            else {
                break;
            };
            self.at += 1;
            let right = self.expression(strength + 1, depth + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Outcome<Expr> {
        match self.next() {
            None => Err(wrong("ends where a value was expected")),
            Some(Token::Literal(literal)) => Ok(Expr::Literal(literal)),
            Some(Token::Open) => {
                let inner = self.expression(0, depth + 1)?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            // `not` binds more strongly than comparisons are wont to be written: not (a eq b), not a eq b
            Some(Token::Word(word)) if word == "not" => {
                let inner = self.expression(3, depth + 1)?;
                Ok(Expr::Not(Box::new(inner)))
            }
            Some(Token::Word(word)) if self.peek() == Some(&Token::Open) => self.call(word, depth),
            Some(Token::Word(word)) if Operator::of(&word).is_none() => {
                Ok(Expr::Path(word.split('/').map(str::to_owned).collect()))
            }
            Some(token) => Err(wrong(format!("`{token}` stands where a value was expected"))),
        }
    }

    fn call(&mut self, name: String, depth: usize) -> Outcome<Expr> {
        let Some(arity) = evaluate::arity(&name) else {
            return Err(wrong(format!("there is no function `{name}` here")));
        };
        self.expect(&Token::Open)?;
        let mut arguments = Vec::new();
        if self.peek() == Some(&Token::Close) {
            self.at += 1;
        } else {
            loop {
                arguments.push(self.expression(0, depth + 1)?);
                match self.next() {
                    Some(Token::Comma) => {}
                    Some(Token::Close) => break,
                    _ => return Err(wrong(format!("the parenthesis of `{name}` is not closed"))),
                }
            }
        }
        if !arity.contains(&arguments.len()) {
            return Err(wrong(format!("`{name}` takes another number of values")));
        }
        Ok(Expr::Call(name, arguments))
    }
}

impl Expr {
    /// Limits of `phenomenonTime` that hold for everything the filter lets through: the first instant that can be in
    /// and the first that cannot any more. What they say is still evaluated; they only spare the reading.
    pub(super) fn times(&self) -> (Option<DateTime<Utc>>, Option<DateTime<Utc>>) {
        let tick = chrono::Duration::milliseconds(1);
        match self {
            Self::Binary(Operator::And, left, right) => {
                let (a, b) = (left.times(), right.times());
                let later = [a.0, b.0].into_iter().flatten().max();
                let earlier = [a.1, b.1].into_iter().flatten().min();
                (later, earlier)
            }
            Self::Binary(operator, left, right) => {
                let is_time = |expr: &Self| matches!(expr, Self::Path(path) if path.len() == 1 && path[0] == "phenomenonTime");
                let (time, operator) = match (&**left, &**right) {
                    (path, Self::Literal(literal)) if is_time(path) => (literal.time(), *operator),
                    (Self::Literal(literal), path) if is_time(path) => (literal.time(), operator.mirrored()),
                    _ => return (None, None),
                };
                let Some(time) = time else { return (None, None) };
                match operator {
                    Operator::Ge | Operator::Gt => (Some(time), None),
                    Operator::Lt => (None, Some(time)),
                    Operator::Le => (None, Some(time + tick)),
                    Operator::Eq => (Some(time), Some(time + tick)),
                    _ => (None, None),
                }
            }
            _ => (None, None),
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn passes(text: &str) -> bool {
        let entity = json!({
            "name": "Trạm Bình Thạnh", "result": 1.5, "phenomenonTime": "2026-05-18T00:00:00.000Z",
            "properties": {"code": "TV-01", "bank": null}, "@iot.id": 7,
        });
        let expr = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
        let find = |path: &[String]| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let path = if path == ["id"] { vec!["@iot.id"] } else { path };
            path.iter()
                .try_fold(&entity, |value, name| value.get(name))
                .cloned()
        };
        expr.is_true(&find)
            .unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
    }

    #[test]
    fn operators_bind_as_in_odata() {
        assert!(passes("result gt 1 and result lt 2 or false"));
        assert!(passes("false and false or true"));
        assert!(!passes("not (result eq 1.5)"));
        assert!(passes("not result eq 1"));
        assert!(passes("result add 1 mul 2 eq 3.5"));
        assert!(passes("result div 0 eq 1 or id eq 7"));
        assert!(passes("7 mod 4 eq 3 and result sub 0.5 eq 1"));
    }

    #[test]
    fn texts_times_and_functions() {
        assert!(passes("properties/code eq 'TV-01' and startswith(name,'Trạm')"));
        assert!(passes(
            "substringof('Bình', name) and endswith(name, 'Thạnh') and length(properties/code) eq 5"
        ));
        assert!(passes(
            "phenomenonTime ge 2026-05-18T07:00:00+07:00 and phenomenonTime lt now()"
        ));
        assert!(passes(
            "year(phenomenonTime) eq 2026 and hour(phenomenonTime) eq 0"
        ));
        assert!(passes(
            "properties/bank eq null and properties/nothing eq null and 'it''s' eq 'it''s'"
        ));
        assert!(!passes("properties/nothing gt 1"));
        assert!(passes(
            "round(result) eq 2 and floor(result) eq 1 and ceiling(result) eq 2"
        ));
        assert!(passes(
            "tolower(properties/code) eq 'tv-01' and concat('a','b') eq 'ab' and indexof('abc','c') eq 2"
        ));
    }

    #[test]
    fn what_is_no_filter_is_refused_however_deep() {
        for text in [
            "",
            "result gt",
            "gt 1",
            "(result gt 1",
            "result gt 1)",
            "pg_sleep(8) eq 1",
            "result eq 'open",
            "length() eq 1",
            "result @ 1",
            "now(1) eq 1",
            "result 1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for deep in [
            "(".repeat(3000),
            "not ".repeat(1000) + "true",
            "1 add ".repeat(700),
        ] {
            assert!(parse(&deep).is_err());
        }
    }

    #[test]
    fn limits_of_time_are_found_where_they_hold_for_all() {
        let text = "phenomenonTime ge 2026-05-18T00:00:00Z and (2026-05-19T00:00:00Z gt phenomenonTime) and result gt 1";
        let (from, to) = parse(text).expect("a filter").times();
        assert_eq!(from.expect("from").to_rfc3339(), "2026-05-18T00:00:00+00:00");
        assert_eq!(to.expect("to").to_rfc3339(), "2026-05-19T00:00:00+00:00");
        let either = "phenomenonTime ge 2026-05-18T00:00:00Z or result gt 1";
        assert_eq!(parse(either).expect("a filter").times(), (None, None));
    }
}
