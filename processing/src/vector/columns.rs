//! Which column of a file means what.

use super::ReadOptions;
use super::text::Encoding;
use crate::gdal_io::vector::Head;
use crate::{Error, Result};
use sen_catalog::feature::{fold, tidy_code};
use std::str::FromStr;

/// Names of columns that hold the code, most telling first.
const CODES: &[&str] = &["code", "ma", "id"];
/// Names of columns that hold the name.
const NAMES: &[&str] = &["name", "ten"];
/// Names of columns that hold the code of what a feature belongs to.
const PARENTS: &[&str] = &["parent"];

/// A column of further codes: `ma_xk:export:CN` is the column `ma_xk`, scheme `export`, market `CN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherCodeColumn {
    /// The column.
    pub column: String,
    /// Who gives these codes.
    pub scheme: String,
    /// The market they are for: a name, or `{column}` whose value names it row by row.
    pub market: Option<String>,
}

impl FromStr for OtherCodeColumn {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':').map(str::trim);
        let column = parts.next().filter(|part| !part.is_empty());
        let scheme = parts.next().filter(|part| !part.is_empty());
        let market = parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        match (column, scheme) {
            (Some(column), Some(scheme)) => Ok(Self {
                column: column.to_owned(),
                scheme: scheme.to_owned(),
                market,
            }),
            _ => Err(format!(
                "`{text}` is not COLUMN:SCHEME or COLUMN:SCHEME:MARKET, such as ma_xk:export:CN"
            )),
        }
    }
}

/// Where a code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeColumn {
    /// A column.
    At(usize),
    /// The number that the file gives its rows.
    Fid,
}

/// The market of a further code.
#[derive(Clone, Debug)]
pub(super) enum Market {
    None,
    Named(String),
    At(usize),
}

/// The columns of a file by what they mean.
#[derive(Debug)]
pub(super) struct Columns {
    /// All names, decoded.
    pub(super) names: Vec<String>,
    pub(super) code: CodeColumn,
    pub(super) name: Option<usize>,
    pub(super) parent: Option<usize>,
    pub(super) others: Vec<(usize, String, Market)>,
    pub(super) valid_from: Option<usize>,
    pub(super) valid_to: Option<usize>,
    /// What had to be changed about the names.
    pub(super) notes: Vec<String>,
}

impl Columns {
    pub(super) fn find(what: &str, head: &Head, encoding: Encoding, options: &ReadOptions) -> Result<Self> {
        let mut names: Vec<String> = head
            .columns
            .iter()
            .map(|raw| match std::str::from_utf8(raw) {
                Ok(name) => tidy_code(name),
                Err(_) => encoding.decode(raw).map_or_else(
                    || String::from_utf8_lossy(raw).into_owned(),
                    |name| tidy_code(&name),
                ),
            })
            .collect();
        let notes = tell_twins_apart(&mut names);
        let at = |wanted: &str| {
            let wanted = &tidy_code(wanted);
            let exact = names.iter().position(|name| name == wanted);
            exact.or_else(|| {
                names
                    .iter()
                    .position(|name| name.to_lowercase() == wanted.to_lowercase())
            })
        };
        // of the names that are looked for on their own, accents count no more than case: `Mã`, `Tên`
        let usually =
            |wanted: &str| at(wanted).or_else(|| names.iter().position(|name| fold(name) == wanted));
        let list = || {
            names
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let missing = |option: &str, wanted: &str| {
            Error::unreadable(
                what,
                format!("has no column `{wanted}` ({option}); it has {}", list()),
            )
        };
        let is_fid = |wanted: &str| {
            head.fid_column
                .as_ref()
                .is_some_and(|name| name.eq_ignore_ascii_case(wanted))
        };
        let code = match &options.code {
            Some(wanted) => at(wanted)
                .map(CodeColumn::At)
                .or_else(|| is_fid(wanted).then_some(CodeColumn::Fid))
                .ok_or_else(|| missing("--code", wanted))?,
            None => CODES
                .iter()
                .find_map(|wanted| {
                    usually(wanted)
                        .map(CodeColumn::At)
                        .or_else(|| is_fid(wanted).then_some(CodeColumn::Fid))
                })
                .ok_or_else(|| {
                    let reason = format!(
                        "none of its columns is named code, ma or id; say with --code which holds the codes: {}",
                        list()
                    );
                    Error::unreadable(what, reason)
                })?,
        };
        let told_or = |option: &str, told: &Option<String>, usual: &[&str]| match told {
            Some(wanted) => at(wanted).map(Some).ok_or_else(|| missing(option, wanted)),
            None => Ok(usual.iter().find_map(|wanted| usually(wanted))),
        };
        let name = told_or("--name", &options.name, NAMES)?;
        let parent = told_or("--parent", &options.parent, PARENTS)?;
        let mut others = Vec::new();
        for other in &options.other_codes {
            let column = at(&other.column).ok_or_else(|| missing("--other-code", &other.column))?;
            let market = match &other.market {
                None => Market::None,
                Some(text) => match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                    Some(column) => Market::At(at(column).ok_or_else(|| missing("--other-code", column))?),
                    None => Market::Named(text.clone()),
                },
            };
            others.push((column, other.scheme.clone(), market));
        }
        Ok(Self {
            code,
            name,
            parent,
            others,
            valid_from: at("valid_from"),
            valid_to: at("valid_to"),
            notes,
            names,
        })
    }
}

/// Gives columns of one name each its own: `area`, `area_2`. Tells which.
fn tell_twins_apart(names: &mut [String]) -> Vec<String> {
    let mut notes = Vec::new();
    for at in 0..names.len() {
        let name = names[at].clone();
        let is_taken = |names: &[String], other: &str| names.iter().any(|name| name == other);
        if !is_taken(&names[..at], &name) {
            continue;
        }
        let new = (2..=names.len() + 1)
            .map(|number| format!("{name}_{number}"))
            .find(|new| !is_taken(names, new))
            .unwrap_or_default();
        notes.push(format!(
            "several columns are called `{name}`; the one in place {} is kept as `{new}`",
            at + 1
        ));
        names[at] = new;
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_told_apart_and_nothing_is_lost() {
        let mut names = ["area", "code", "area", "area_2", "area"].map(str::to_owned);
        let notes = tell_twins_apart(&mut names);
        assert_eq!(names, ["area", "code", "area_3", "area_2", "area_4"]);
        assert!(
            notes.len() == 2 && notes[0].contains("`area`") && notes[0].contains("place 3"),
            "{notes:?}"
        );
    }

    #[test]
    fn further_codes_name_column_scheme_and_market() {
        let parsed: OtherCodeColumn = "ma_xk:export:CN".parse().expect("parses");
        assert_eq!(
            (parsed.column.as_str(), parsed.scheme.as_str()),
            ("ma_xk", "export")
        );
        assert_eq!(parsed.market.as_deref(), Some("CN"));
        assert!(
            "ma_xk"
                .parse::<OtherCodeColumn>()
                .expect_err("no scheme")
                .contains("COLUMN:SCHEME")
        );
    }
}
