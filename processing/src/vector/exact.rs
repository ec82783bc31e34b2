//! Numbers of a JSON digit by digit: what a 64-bit whole number holds is one, a longer one keeps its digits as text.

use crate::gdal_io::vector::Raw;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whole numbers beyond this lose digits in a floating number.
pub(super) const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// A number as it is written.
pub(super) fn number(text: &str) -> Raw {
    if let Ok(whole) = text.parse() {
        return Raw::Integer(whole);
    }
    // `80512345678901234501.0` is whole too
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte == b'0') {
            whole
        } else {
            text
        }
    });
    let real = text.parse().unwrap_or(f64::NAN);
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && !(real < MAX_EXACT && real > -MAX_EXACT) {
        return Raw::Digits(whole.to_owned());
    }
    Raw::Real(real)
}

/// The value of a JSON text, with the digits of numbers that no number of the machine holds as text.
pub(super) fn value(raw: &RawValue) -> serde_json::Result<Value> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            let members = members.into_iter().map(|(name, raw)| Ok((name, value(raw)?)));
            Value::Object(members.collect::<serde_json::Result<Map<_, _>>>()?)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Value::Array(items.into_iter().map(value).collect::<serde_json::Result<_>>()?)
        }
        Some(b'-' | b'0'..=b'9') => match number(text) {
            Raw::Digits(digits) => Value::String(digits),
            _ => serde_json::from_str(text)?,
        },
        _ => serde_json::from_str(text)?,
    })
}

/// A code without the `.0` that a program which counts in floating numbers put behind it; none when it has none.
pub(super) fn without_point(code: &str) -> Option<&str> {
    let (whole, zeros) = code.split_once('.')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(whole) && digits(zeros) && zeros.bytes().all(|byte| byte == b'0')).then_some(whole)
}

/// True for a number of which a spreadsheet left no more than its first digits: `8.05123E+19`.
pub(super) fn is_shortened(code: &str) -> bool {
    let Some((mantissa, exponent)) = code.split_once(['e', 'E']) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.replacen([',', '.'], "", 1);
    digits(&mantissa) && exponent.strip_prefix('+').is_some_and(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_beyond_53_and_63_bits_are_kept() {
        for (text, raw) in [
            ("12", Raw::Integer(12)),
            ("-9007199254740993", Raw::Integer(-9_007_199_254_740_993)),
            ("9223372036854775807", Raw::Integer(i64::MAX)),
            ("9223372036854775808", Raw::Digits("9223372036854775808".into())),
            (
                "80512345678901234501.00",
                Raw::Digits("80512345678901234501".into()),
            ),
            ("12.0", Raw::Real(12.0)),
            ("1e5", Raw::Real(100_000.0)),
            ("105.12345678901234567", Raw::Real(105.123_456_789_012_35)),
        ] {
            assert_eq!(number(text), raw, "{text}");
        }
        let raw: Box<RawValue> =
            serde_json::from_str(r#"[{"Code": 80512345678901234501, "share": 0.5, "Name": "a\"1"}]"#)
                .expect("JSON");
        let value = value(&raw).expect("JSON");
        assert_eq!(value[0]["Code"], "80512345678901234501");
        assert_eq!(
            (&value[0]["share"], &value[0]["Name"]),
            (&0.5.into(), &"a\"1".into())
        );
    }

    #[test]
    fn what_programs_do_to_codes_is_seen() {
        assert_eq!(without_point("29869.0"), Some("29869"));
        assert_eq!(
            without_point("1.5")
                .or(without_point("A.0"))
                .or(without_point("12")),
            None
        );
        assert!(is_shortened("8.05123E+19") && is_shortened("8,05E+19") && is_shortened("1E+05"));
        assert!(!is_shortened("1e5") && !is_shortened("12") && !is_shortened("E+5") && !is_shortened("LE+5"));
    }
}
