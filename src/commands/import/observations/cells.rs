//! What single cells say: times, numbers, flags.

use super::Layout;
use chrono::{DateTime, NaiveDateTime, Utc};
use sen_catalog::intake::time::{Written, written};
use sen_catalog::number_text::{DecimalSign, number, without_percent};
use sen_catalog::observation::Flag;
use sen_catalog::property::{Property, property};

/// The time a cell names.
pub(super) fn time(text: &str, layout: &Layout) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    let time = match &layout.time_format {
        Some(format) => match DateTime::parse_from_str(text, format) {
            Ok(time) => Written::At(time.with_timezone(&Utc)),
            Err(_) => NaiveDateTime::parse_from_str(text, format)
                .map(Written::Local)
                .map_err(|error| {
                    format!("the time `{text}` is not written as --time-format says: {error}")
                })?,
        },
        None => {
            written(text).map_err(|reason| format!("{reason}; say how it is written with --time-format"))?
        }
    };
    placed(time, layout)
}

/// The instant of a time that was read.
pub(super) fn placed(time: Written, layout: &Layout) -> Result<DateTime<Utc>, String> {
    time.instant(layout.timezone)
        .map_err(|reason| format!("{reason}, or say which time zone the times are in: --timezone +07:00"))
}

/// The number of a cell; none where nothing was measured. A percent sign is taken where the unit is per cent.
pub(super) fn value(
    text: &str,
    name: &str,
    unit: Option<&str>,
    sign: DecimalSign,
) -> Result<Option<f64>, String> {
    let (digits, percent) = without_percent(text);
    if !percent {
        return number(digits, sign);
    }
    let unit = unit.or_else(|| property(name).map(|known| known.unit));
    match unit {
        Some(unit) if !Property::is_percent(unit) => Err(format!(
            "`{}` is a percentage, and {name} is read in {unit}; name what the column holds, with its unit",
            text.trim()
        )),
        _ => number(digits, sign),
    }
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
    use sen_catalog::intake::time::offset;

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
    fn a_percent_sign_belongs_to_per_cent() {
        let read = |text: &str, name: &str, unit: Option<&str>| value(text, name, unit, DecimalSign::Unknown);
        assert_eq!(read("85 %", "humidity", None), Ok(Some(85.0)));
        assert_eq!(read("85,5%", "battery", Some("pct")), Ok(Some(85.5)));
        assert_eq!(read(" 1.25 ", "water_level", None), Ok(Some(1.25)));
        assert!(read("85%", "dissolved_oxygen", None).is_err_and(|told| told.contains("mg/L")));
        assert!(read("85%", "humidity", Some("fraction")).is_err_and(|told| told.contains("fraction")));
    }

    #[test]
    fn flags_of_qartod_and_of_the_estuaries() {
        assert_eq!(flag("<0> "), Ok(Flag::Good));
        assert_eq!(flag("<1> [SDO] (CCU)"), Ok(Flag::Suspect));
        assert_eq!(flag("<-2> [GSM]"), Ok(Flag::Missing));
        assert_eq!(flag("4"), Ok(Flag::Fail));
        assert!(flag("7").is_err());
    }
}
