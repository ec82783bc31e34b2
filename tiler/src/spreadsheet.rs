//! Tables to download as CSV (RFC 4180): the one way in which any answer is written for spreadsheet programs.

use crate::document;
use crate::headers::MINUTE;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use csv::{Terminator, Writer, WriterBuilder};

/// Tells Excel that the text is UTF-8.
const MARK: &str = "\u{feff}";

/// What makes a formula of a cell where it comes first.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    /// Words, which are quoted where needed and never become a formula.
    Text(String),
    /// A number; an empty cell where there is none.
    Number(Option<f64>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        Self::Number(number)
    }
}

impl Cell {
    fn write(&self) -> String {
        match self {
            Self::Text(text) if text.starts_with(FORMULA) => format!("'{text}"),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.map_or_else(String::new, |number| number.to_string()),
        }
    }
}

/// A table while it is written, row by row.
pub(crate) struct Spreadsheet(Writer<Vec<u8>>);

impl Spreadsheet {
    /// A table with the names of its columns.
    pub(crate) fn new(columns: &[String]) -> Self {
        let mut builder = WriterBuilder::new();
        builder.terminator(Terminator::CRLF);
        let mut table = Self(builder.from_writer(MARK.as_bytes().to_vec()));
        table.record(columns.iter().map(|name| Cell::from(name.as_str())));
        table
    }

    /// The next row.
    pub(crate) fn record(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells = cells.into_iter().map(|cell| cell.write());
        self.0
            .write_record(cells)
            .expect("memory takes every row, and all rows have the cells of the first");
    }

    /// The text so far.
    fn text(self) -> Vec<u8> {
        self.0.into_inner().expect("memory takes what is left")
    }

    /// The table to download as `{name}.csv`, for a minute.
    pub(crate) fn answer(self, asked: &HeaderMap, name: &str) -> Response {
        let mut response = document::bytes(asked, MINUTE, "text/csv; charset=utf-8", self.text());
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let safe: String = name.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{safe}.csv\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        let mut table = Spreadsheet::new(&["code".to_owned(), "value".to_owned()]);
        for (code, value) in [
            ("88,99", Some(-1.5)),
            ("=1+1", None),
            ("+cmd|' /C calc'!A0", Some(1e-7)),
            ("-2", Some(0.0)),
            ("@SUM(A1)", Some(1.0)),
            ("\t=1", Some(1.0)),
            ("Thửa \"A\"\nb", Some(1.0)),
        ] {
            table.record([Cell::from(code), Cell::from(value)]);
        }
        let text = String::from_utf8(table.text()).expect("UTF-8");
        let expected = "\u{feff}code,value\r\n\"88,99\",-1.5\r\n'=1+1,\r\n'+cmd|' /C calc'!A0,0.0000001\r\n'-2,0\r\n\
                        '@SUM(A1),1\r\n'\t=1,1\r\n\"Thửa \"\"A\"\"\nb\",1\r\n";
        assert_eq!(text, expected);
    }
}
