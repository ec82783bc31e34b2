//! Words, values and marks of a filter.

use super::evaluate::Literal;
use chrono::{DateTime, Utc};
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Literal(Literal),
    Open,
    Close,
    Comma,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Literal(literal) => write!(f, "{literal}"),
            Self::Open => f.write_str("("),
            Self::Close => f.write_str(")"),
            Self::Comma => f.write_str(","),
        }
    }
}

pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '\'' => quoted(rest)?,
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A text in single quotes; two of them stand for one.
fn quoted(rest: &str) -> Result<(Token, usize), String> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                text.push('\'');
                chars.next();
            }
            '\'' => return Ok((Token::Literal(Literal::Text(text)), at + 1)),
            c => text.push(c),
        }
    }
    Err("a quote is not closed".to_owned())
}

/// A name, number, time, `true`, `false` or `null`.
fn word(rest: &str) -> Result<(Token, usize), String> {
    let starts_number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
    let inside = |c: char| {
        let name = c.is_alphanumeric() || "_@./$".contains(c);
        if starts_number {
            name || "-+:".contains(c)
        } else {
            name
        }
    };
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let Some(text) = rest.get(..length).filter(|text| !text.is_empty()) else {
        let mark: String = rest.chars().take(1).collect();
        return Err(format!("`{mark}` means nothing here"));
    };
    let token = match text {
        "true" => Token::Literal(Literal::Bool(true)),
        "false" => Token::Literal(Literal::Bool(false)),
        "null" => Token::Literal(Literal::Null),
        text if starts_number => Token::Literal(number_or_time(text)?),
        text => Token::Word(text.to_owned()),
    };
    Ok((token, length))
}

fn number_or_time(text: &str) -> Result<Literal, String> {
    if let Ok(number) = text.parse::<f64>() {
        return Ok(Literal::Number(number));
    }
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| {
        format!("`{text}` is neither a number nor a time such as 2026-05-18T00:00:00Z (write + as %2B)")
    })?;
    Ok(Literal::Time(time.with_timezone(&Utc)))
}
