//! What single cells say: times, numbers, flags.

use super::Layout;
use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone, Utc};
use sen_catalog::observation::Flag;

/// A time zone by its offset; the names people here use are known too.
pub(super) fn offset(text: &str) -> Result<FixedOffset, String> {
    let hours = |hours: i32| FixedOffset::east_opt(hours * 3600).ok_or_else(|| text.to_owned());
    match text {
        "Z" | "z" | "UTC" | "GMT" => return hours(0),
        "Asia/Ho_Chi_Minh" | "Asia/Saigon" | "Asia/Bangkok" | "ICT" => return hours(7),
        _ => {}
    }
    text.parse()
        .map_err(|_| format!("`{text}` is no offset from UTC such as +07:00"))
}

/// Times without an offset, where no format is given.
const LOCAL_FORMATS: [&str; 4] = [
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
];

/// The time a cell names.
pub(super) fn time(text: &str, layout: &Layout) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    let local = if let Some(format) = &layout.time_format {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Ok(time.with_timezone(&Utc));
        }
        NaiveDateTime::parse_from_str(text, format)
            .map_err(|error| format!("the time `{text}` is not written as --time-format says: {error}"))?
    } else {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(time.with_timezone(&Utc));
        }
        let parsed = LOCAL_FORMATS
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        parsed.ok_or_else(|| {
            format!("`{text}` is no time such as 2026-05-18T07:00:00+07:00; say how it is written with --time-format")
        })?
    };
    let Some(zone) = layout.timezone else {
        return Err(format!(
            "the time `{text}` has no offset; say which time zone it is in, such as --timezone +07:00"
        ));
    };
    zone.from_local_datetime(&local)
        .single()
        .map(|time| time.with_timezone(&Utc))
        .ok_or_else(|| format!("the time `{text}` is out of range"))
}

/// The number of a cell; none where nothing was measured. A decimal comma is read where cells are not cut at commas.
pub(super) fn number(text: &str, decimal_comma: bool) -> Result<Option<f64>, String> {
    let text = text.trim();
    if ["", "-", "na", "nan", "null", "none", "n/a"].contains(&text.to_ascii_lowercase().as_str()) {
        return Ok(None);
    }
    let parsed = text.parse().or_else(|error| {
        if decimal_comma {
            text.replacen(',', ".", 1).parse()
        } else {
            Err(error)
        }
    });
    parsed.map(Some).map_err(|_| format!("`{text}` is no number"))
}

/// A flag: QARTOD's numbers, or those of the US estuarine reserves (`<-3> [SQR]`).
pub(super) fn flag(text: &str) -> Result<Flag, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Flag::NotEvaluated);
    }
    if let Some((number, _)) = text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        // NERRS CDMO: -5, -4 outside the sensor's range, -3 rejected, -2 missing, -1 not measured, 0 passed,
        // 1 suspect, 4 historical, 5 corrected
        return match number.parse::<i8>() {
            Ok(-5..=-3) => Ok(Flag::Fail),
            Ok(-2 | -1) => Ok(Flag::Missing),
            Ok(0 | 4 | 5) => Ok(Flag::Good),
            Ok(1) => Ok(Flag::Suspect),
            Ok(_) => Ok(Flag::NotEvaluated),
            Err(_) => Err(format!("`{text}` is no flag")),
        };
    }
    let number = text.parse::<u8>().map_err(|_| format!("`{text}` is no flag"))?;
    Flag::try_from(number).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_an_offset_from_somewhere() {
        let silent = Layout::default();
        let local = Layout {
            timezone: offset("+07:00").ok(),
            ..Layout::default()
        };
        let american = Layout {
            time_format: Some("%m/%d/%Y %H:%M".into()),
            timezone: offset("-06:00").ok(),
            ..Layout::default()
        };
        let utc = |text: &str, layout: &Layout| time(text, layout).map(|time| time.to_rfc3339());
        let midnight = Ok("2026-05-17T17:00:00+00:00".to_owned());
        assert_eq!(utc("2026-05-18T00:00:00+07:00", &silent), midnight);
        assert_eq!(utc("2026-05-18 00:00", &local), midnight);
        assert!(utc("2026-05-18 00:00", &silent).is_err_and(|error| error.contains("--timezone")));
        assert_eq!(
            utc("7/2/2021 0:00", &american),
            Ok("2021-07-02T06:00:00+00:00".to_owned())
        );
        assert!(utc("7/2/2021 0:00", &local).is_err_and(|error| error.contains("--time-format")));
    }

    #[test]
    fn numbers_and_flags() {
        assert_eq!(number(" 1.25 ", false), Ok(Some(1.25)));
        assert_eq!(number("1,25", true), Ok(Some(1.25)));
        assert_eq!(number("NaN", false), Ok(None));
        assert!(number("dry", false).is_err());
        assert_eq!(flag("<0> "), Ok(Flag::Good));
        assert_eq!(flag("<1> [SDO] (CCU)"), Ok(Flag::Suspect));
        assert_eq!(flag("<-2> [GSM]"), Ok(Flag::Missing));
        assert_eq!(flag("4"), Ok(Flag::Fail));
        assert!(flag("7").is_err());
    }
}
