//! Numbers as people, spreadsheets and loggers write them: `1.52`, `1,52`, `1.234,5`, `1 850`, `−0.3`, `85 %`. The same
//! for files, HTTP and MQTT.

/// What a table says about its decimal sign, by the numbers in it that can be read in one way only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalSign {
    /// No number said it: `1.850` is 1.85, as everywhere in computing, and `1,850` may be either.
    #[default]
    Unknown,
    /// A point: `1,850` is 1850.
    Point,
    /// A comma: `1.850` is 1850.
    Comma,
    /// Both were met: what may be either is refused.
    Mixed,
}

impl DecimalSign {
    /// With what one more cell says; a cell that is no number, or may be read in two ways, says nothing.
    #[must_use]
    pub fn with(self, cell: &str) -> Self {
        let said = match said_by(cell) {
            Some('.') => Self::Point,
            Some(_) => Self::Comma,
            None => return self,
        };
        match self {
            Self::Unknown => said,
            known if known == said => known,
            _ => Self::Mixed,
        }
    }
}

/// Words and signs that tables write where nothing was measured.
const MISSING: [&str; 10] = ["", "-", "--", "---", "na", "n/a", "#n/a", "nan", "null", "none"];

/// The number of a cell; none where nothing was measured.
///
/// # Errors
/// For what is no number, and for one that may be read in two ways, telling both.
///
/// ```
/// # use sen_catalog::number_text::{DecimalSign, number};
/// assert_eq!(number("1.234,5", DecimalSign::Unknown), Ok(Some(1234.5)));
/// assert_eq!(number("1,850", DecimalSign::Comma), Ok(Some(1.85)));
/// assert!(number("1,850", DecimalSign::Unknown).is_err());
/// ```
pub fn number(text: &str, sign: DecimalSign) -> Result<Option<f64>, String> {
    let text = text.trim();
    if MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    let none = || format!("`{}` is no number", start(text));
    let (minus, mantissa, exponent) = parts(text).ok_or_else(none)?;
    let plain = plain(mantissa, sign).map_err(|wrong| match wrong {
        Wrong::NoNumber => none(),
        Wrong::TwoWays(sign) => {
            let (whole, fraction) = mantissa.split_once(sign).unwrap_or_default();
            format!(
                "`{text}` may be {whole}{fraction} or {whole}.{}: write it as one of them, or name the decimal sign of the \
                 file (--decimal comma or --decimal point)",
                fraction.trim_end_matches('0')
            )
        }
    })?;
    let number: f64 = format!("{plain}e{exponent}").parse().map_err(|_| none())?;
    if !number.is_finite() {
        return Err(none());
    }
    Ok(Some(if minus { -number } else { number }))
}

/// A cell without its percent sign, and whether there was one.
pub fn without_percent(text: &str) -> (&str, bool) {
    let text = text.trim();
    match text.strip_suffix(['%', '\u{FF05}']) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    }
}

fn start(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Minus or not, digits with their separators, exponent; none for what does not begin like a number.
fn parts(text: &str) -> Option<(bool, &str, i32)> {
    let minus = text.strip_prefix(['-', '\u{2212}', '\u{2013}']);
    let rest = minus
        .or_else(|| text.strip_prefix('+'))
        .unwrap_or(text)
        .trim_start();
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == ',')
        .then_some(())?;
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (rest, 0),
    };
    Some((minus.is_some(), mantissa, exponent))
}

/// Why digits are no number.
enum Wrong {
    NoNumber,
    /// The sign may stand before a fraction or between thousands.
    TwoWays(char),
}

/// Digits and a point, for a machine.
fn plain(mantissa: &str, sign: DecimalSign) -> Result<String, Wrong> {
    let (whole, fraction) = match (mantissa.rfind('.'), mantissa.rfind(',')) {
        (None, None) => (thousands(mantissa, None), ""),
        (Some(point), Some(comma)) => {
            let (at, other) = if point > comma { (point, ',') } else { (comma, '.') };
            (thousands(&mantissa[..at], Some(other)), &mantissa[at + 1..])
        }
        (Some(at), None) | (None, Some(at)) => {
            let separator = if mantissa[at..].starts_with('.') { '.' } else { ',' };
            let decimal = match sign {
                _ if mantissa.matches(separator).count() > 1 => false,
                _ if !may_be_thousands(mantissa, at) => true,
                DecimalSign::Point => separator == '.',
                DecimalSign::Comma => separator == ',',
                DecimalSign::Unknown if separator == '.' => true,
                DecimalSign::Unknown | DecimalSign::Mixed => return Err(Wrong::TwoWays(separator)),
            };
            if decimal {
                (thousands(&mantissa[..at], None), &mantissa[at + 1..])
            } else {
                (thousands(mantissa, Some(separator)), "")
            }
        }
    };
    let whole = whole.ok_or(Wrong::NoNumber)?;
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if !digits(&whole) || !digits(fraction) || whole.len() + fraction.len() == 0 {
        return Err(Wrong::NoNumber);
    }
    Ok(format!("{whole}.{fraction}"))
}

/// One to three digits, the first not 0, and exactly three behind the separator: `1,850` but not `0,850` or `1,85`.
fn may_be_thousands(mantissa: &str, at: usize) -> bool {
    let (before, behind) = (&mantissa[..at], &mantissa[at + 1..]);
    (1..=3).contains(&before.len()) && !before.starts_with('0') && behind.len() == 3
}

/// Digits without what stands between their thousands; none where the groups are not of three.
fn thousands(text: &str, separator: Option<char>) -> Option<String> {
    let between = |c: char| Some(c) == separator || c.is_whitespace() || matches!(c, '\'' | '\u{2019}');
    if !text.contains(between) {
        return Some(text.to_owned());
    }
    let mut groups = text.split(between);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

/// The decimal sign that a cell tells; none where it has none, may be read in two ways, or is no number.
fn said_by(cell: &str) -> Option<char> {
    let (text, _) = without_percent(cell);
    let (_, mantissa, _) = parts(text)?;
    let certain = matches!(number(text, DecimalSign::Mixed), Ok(Some(_)));
    if !certain {
        return None;
    }
    let count = |c: char| mantissa.matches(c).count();
    match (mantissa.rfind('.'), mantissa.rfind(',')) {
        (None, None) => None,
        (Some(point), Some(comma)) => Some(if point > comma { '.' } else { ',' }),
        (Some(_), None) => Some(if count('.') > 1 { ',' } else { '.' }),
        (None, Some(_)) => Some(if count(',') > 1 { '.' } else { ',' }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DecimalSign::{Comma, Mixed, Point, Unknown};

    #[test]
    fn what_can_be_read_in_one_way_is_read_whatever_the_sign() {
        for sign in [Unknown, Point, Comma, Mixed] {
            for (text, value) in [
                ("1.52", 1.52),
                ("1,52", 1.52),
                (" 0,850 ", 0.85),
                ("0.850", 0.85),
                ("1.234,5", 1234.5),
                ("1,234.5", 1234.5),
                ("1.234.567,8", 1_234_567.8),
                ("1,234,567", 1_234_567.0),
                ("1.234.567", 1_234_567.0),
                ("1 850", 1850.0),
                ("1\u{A0}850,5", 1850.5),
                ("1\u{202F}850", 1850.0),
                ("1'850.25", 1850.25),
                ("1850", 1850.0),
                ("1850.125", 1850.125),
                ("\u{2212}0,3", -0.3),
                ("\u{2013}5", -5.0),
                ("- 5", -5.0),
                ("+7", 7.0),
                (".5", 0.5),
                ("5.", 5.0),
                ("1.5e-3", 0.0015),
                ("2E3", 2000.0),
            ] {
                assert_eq!(number(text, sign), Ok(Some(value)), "{text} with {sign:?}");
            }
            for text in ["", " ", "-", "NaN", "#N/A", "null", "n/a"] {
                assert_eq!(number(text, sign), Ok(None), "{text}");
            }
            for text in [
                "dry",
                "1.2.3",
                "1,2,3",
                "1 85",
                "inf",
                "Infinity",
                "1e999",
                "--5",
                "1.5.",
                "12a",
                "0x10",
                "1,234.567,8",
                ",",
                ".",
                "85 %",
                "1e",
                "٣",
            ] {
                assert!(number(text, sign).is_err(), "{text} with {sign:?}");
            }
        }
    }

    #[test]
    fn what_may_be_two_numbers_is_told_apart_by_the_table_or_refused() {
        for (text, sign, value) in [
            ("1,850", Comma, Some(1.85)),
            ("1,850", Point, Some(1850.0)),
            ("-1,850", Point, Some(-1850.0)),
            ("1.850", Comma, Some(1850.0)),
            ("1.850", Point, Some(1.85)),
            ("1.850", Unknown, Some(1.85)),
            ("1,850", Unknown, None),
            ("1,850", Mixed, None),
            ("1.850", Mixed, None),
        ] {
            match (number(text, sign), value) {
                (Ok(Some(read)), Some(value)) => assert!((read - value).abs() < 1e-9, "{text} {sign:?}"),
                (Err(told), None) => assert!(
                    told.contains("1850") && told.contains("1.85") && told.contains("--decimal"),
                    "{told}"
                ),
                (other, _) => panic!("{text} {sign:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_table_says_its_sign_by_what_is_certain() {
        let sign = |cells: &[&str]| cells.iter().fold(Unknown, |sign, cell| sign.with(cell));
        assert_eq!(sign(&["1,850", "7", "TV-01", "2026-05-18"]), Unknown);
        assert_eq!(sign(&["1,850", "0,91"]), Comma);
        assert_eq!(sign(&["1.850", "1,5 %"]), Comma);
        assert_eq!(sign(&["1,850", "1.52"]), Point);
        assert_eq!(sign(&["1,234,567"]), Point);
        assert_eq!(sign(&["1.234.567"]), Comma);
        assert_eq!(sign(&["1,5", "1.5"]), Mixed);
    }

    #[test]
    fn a_percent_sign_is_taken_off_and_told() {
        assert_eq!(without_percent(" 85 % "), ("85", true));
        assert_eq!(without_percent("85"), ("85", false));
    }
}
