//! `$filter`: parsed by hand within limits of length and depth, checked against what the entities have, evaluated on
//! entities. Nothing of it reaches SQL but times that were parsed as such.

mod check;
mod evaluate;
mod functions;
mod lexer;
mod limits;
mod literal;
mod wkt;

pub(super) use limits::Limits;
pub(super) use literal::{Literal, geometry, rank};

use super::schema::Set;
use crate::problem::{Outcome, Problem};
use lexer::{Token, tokens};
use std::fmt;

/// Longest text of a filter.
const LONGEST: usize = 4096;

/// Deepest nesting of parentheses, functions and `not`.
const DEEPEST: usize = 32;

/// Sets that one filter may go through.
const MOST_SETS: usize = 2;

/// A filter of a set, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) expr: Expr,
    /// Paths to the sets it goes through: the filter holds where it holds for any one entity of each.
    pub(super) sets: Vec<Vec<String>>,
}

/// A parsed expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Literal(Literal),
    /// `Datastream/ObservedProperty/name`
    Path(Vec<String>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

/// In the order of their strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    const ALL: [(Self, &'static str, u8); 13] = [
        (Self::Or, "or", 1),
        (Self::And, "and", 2),
        (Self::Eq, "eq", 3),
        (Self::Ne, "ne", 3),
        (Self::Gt, "gt", 4),
        (Self::Ge, "ge", 4),
        (Self::Lt, "lt", 4),
        (Self::Le, "le", 4),
        (Self::Add, "add", 5),
        (Self::Sub, "sub", 5),
        (Self::Mul, "mul", 6),
        (Self::Div, "div", 6),
        (Self::Mod, "mod", 6),
    ];

    fn of(word: &str) -> Option<(Self, u8)> {
        let found = Self::ALL.iter().find(|(_, own, _)| *own == word);
        found.map(|(operator, _, strength)| (*operator, *strength))
    }

    fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(own, ..)| *own == self);
        found.map_or("", |(_, name, _)| name)
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::Path(path) => f.write_str(&path.join("/")),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Binary(operator, left, right) => write!(f, "{left} {} {right}", operator.name()),
            Self::Call(name, _) => write!(f, "{name}(...)"),
        }
    }
}

fn wrong(what: impl fmt::Display) -> Problem {
    Problem::bad("$filter", format!("$filter: {what}"))
}

/// Parses a filter; [`Filter::check`] tells whether a set can be filtered by it.
pub(super) fn parse(text: &str) -> Outcome<Filter> {
    if text.len() > LONGEST {
        return Err(wrong(format!("is longer than {LONGEST} bytes")));
    }
    let mut parser = Parser {
        tokens: tokens(text).map_err(wrong)?,
        at: 0,
    };
    let expr = parser.expression(0, 0)?;
    match parser.next() {
        None => Ok(Filter {
            expr,
            sets: Vec::new(),
        }),
        Some(token) => Err(wrong(format!("`{token}` was not expected there"))),
    }
}

impl Filter {
    /// Holds the filter against what entities of the set have: names, and values that can be compared.
    pub(super) fn check(&mut self, set: Set) -> Outcome<()> {
        let mut sets = Vec::new();
        self.expr.check_truth(set, &mut sets).map_err(wrong)?;
        if sets.len() > MOST_SETS {
            return Err(wrong(format!("goes through more than {MOST_SETS} sets")));
        }
        self.sets = sets;
        Ok(())
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
        let mut length = 0;
        while let Some(Token::Word(word)) = self.peek() {
            let Some((operator, strength)) = Operator::of(word).filter(|(_, strength)| *strength >= least)
            else {
                break;
            };
            self.at += 1;
            let right = self.expression(strength + 1, depth + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
            // a chain is as deep as it is long: what walks it walks by recursion
            length += 1;
            if length > 20 * DEEPEST {
                return Err(wrong("has too many terms"));
            }
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
        let Some(function) = functions::find(&name) else {
            let names = functions::names().join(", ");
            return Err(wrong(format!(
                "there is no function `{name}` here; there are {names}"
            )));
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
        if !function.takes(arguments.len()) {
            return Err(wrong(format!("`{name}` takes another number of values")));
        }
        Ok(Expr::Call(name, arguments))
    }
}

#[cfg(test)]
mod tests;
