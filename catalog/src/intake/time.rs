//! Times as sensors, databases and spreadsheets write them: `2026-05-18T07:00:00+07:00`, `2026-05-18 07:00:00+07`,
//! `2026-05-18 07:00 UTC+7`, seconds and milliseconds since 1970. The same for files, HTTP and MQTT.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use serde_json::Value;

/// What offsets people and provinces on Earth may have, hours.
const MOST_HOURS: i32 = 14;

/// A time as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// With its offset, or counted since 1970.
    At(DateTime<Utc>),
    /// Without one: of a clock somewhere.
    Local(NaiveDateTime),
}

impl Written {
    /// The instant; that of a clock in the zone given where the time says none.
    ///
    /// # Errors
    /// Where neither says the zone.
    pub fn instant(self, zone: Option<FixedOffset>) -> Result<DateTime<Utc>, String> {
        match (self, zone) {
            (Self::At(time), _) => Ok(time),
            (Self::Local(local), Some(zone)) => zone
                .from_local_datetime(&local)
                .single()
                .map(|time| time.with_timezone(&Utc))
                .ok_or_else(|| format!("the time {local} is out of range")),
            (Self::Local(local), None) => Err(format!(
                "the time {local} has no offset; write it as {}+07:00",
                local.format("%Y-%m-%dT%H:%M:%S")
            )),
        }
    }
}

/// An offset from UTC: `+07:00`, `+0700`, `+07`, `UTC+7`, `Z`, and the names people here use.
///
/// # Errors
/// For anything else.
pub fn offset(text: &str) -> Result<FixedOffset, String> {
    let wrong = || format!("`{text}` is no offset from UTC such as +07:00");
    let text = text.trim();
    let seconds = match text {
        "Z" | "z" => 0,
        "Asia/Ho_Chi_Minh" | "Asia/Saigon" | "Asia/Bangkok" | "ICT" => 7 * 3600,
        _ => {
            let (word, rest) = text.split_at_checked(3).unwrap_or(("", text));
            let named = word.eq_ignore_ascii_case("UTC") || word.eq_ignore_ascii_case("GMT");
            let rest = if named { rest.trim_start() } else { text };
            if named && rest.is_empty() {
                0
            } else {
                signed(rest).ok_or_else(wrong)?
            }
        }
    };
    FixedOffset::east_opt(seconds).ok_or_else(wrong)
}

/// Seconds of `+7`, `+07`, `+0700`, `+07:00`, `-3:30`.
fn signed(text: &str) -> Option<i32> {
    let mut rest = text.chars();
    let sign = match rest.next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let clock = rest.as_str();
    let (hours, minutes) = match (clock.split_once(':'), clock.len()) {
        (Some(parts), _) => parts,
        (None, 1 | 2) => (clock, "00"),
        (None, 4) => clock.split_at_checked(2)?,
        (None, _) => return None,
    };
    let digits = |text: &str| text.len() <= 2 && text.chars().all(|c| c.is_ascii_digit());
    let fits = digits(hours) && digits(minutes) && minutes.len() == 2;
    let (hours, minutes): (i32, i32) = fits.then_some((hours.parse().ok()?, minutes.parse().ok()?))?;
    let whole = hours * 60 + minutes;
    (minutes < 60 && whole <= MOST_HOURS * 60).then_some(sign * whole * 60)
}

/// The time of a text.
///
/// # Errors
/// For what is no time, telling how one is written.
pub fn written(text: &str) -> Result<Written, String> {
    let text = text.trim();
    if let Some(time) = epoch(text) {
        return Ok(Written::At(time));
    }
    clock(text).ok_or_else(|| {
        format!(
            "`{}` is no time such as 2026-05-18T07:00:00+07:00, nor seconds (10 digits) or milliseconds (13 digits) since 1970",
            text.chars().take(60).collect::<String>()
        )
    })
}

/// The time of a JSON value: a text, or seconds or milliseconds since 1970 as a number.
///
/// # Errors
/// For what is no time, telling how one is written.
pub fn written_json(value: &Value) -> Result<Written, String> {
    match value {
        Value::String(text) => written(text),
        Value::Number(number) => written(&number.to_string()),
        other => Err(format!(
            "{other} is no time such as \"2026-05-18T07:00:00+07:00\""
        )),
    }
}

/// A day, a clock, and perhaps an offset.
fn clock(text: &str) -> Option<Written> {
    let (day, rest) = text.split_at_checked(10)?;
    let day = ["%Y-%m-%d", "%Y/%m/%d"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(day, format).ok())?;
    let rest = rest
        .strip_prefix(['T', 't'])
        .or_else(|| rest.strip_prefix(char::is_whitespace).map(str::trim_start))?;
    let end = rest
        .find(|c: char| !matches!(c, '0'..='9' | ':' | '.' | ','))
        .unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(end);
    let clock = clock.replace(',', ".");
    let clock = ["%H:%M:%S%.f", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(&clock, format).ok())?;
    let local = day.and_time(clock);
    if zone.trim().is_empty() {
        return Some(Written::Local(local));
    }
    let zone = offset(zone).ok()?;
    let time = zone.from_local_datetime(&local).single()?;
    Some(Written::At(time.with_timezone(&Utc)))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their digits: those of any day between
/// 2001 and 2286. Other counts of digits are days and clocks without marks, or clocks that nobody set.
fn epoch(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !whole.chars().chain(fraction.chars()).all(|c| c.is_ascii_digit()) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let nanoseconds_each = match whole.len() {
        10 => 1_000_000_000,
        13 => 1_000_000,
        16 => 1000,
        19 => 1,
        _ => return None,
    };
    let rest: f64 = format!("0.{fraction}0").parse().ok()?;
    let rest = (rest * nanoseconds_each as f64).round() as i64;
    let seconds = number / (1_000_000_000 / nanoseconds_each);
    let below = number % (1_000_000_000 / nanoseconds_each) * nanoseconds_each + rest;
    DateTime::from_timestamp(seconds, 0)?.checked_add_signed(chrono::Duration::nanoseconds(below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn utc(text: &str) -> String {
        match written(text) {
            Ok(Written::At(time)) => time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            Ok(Written::Local(local)) => format!("{local} local"),
            Err(reason) => reason,
        }
    }

    #[test]
    fn one_instant_in_all_its_spellings() {
        for text in [
            "2026-05-18T07:00:00+07:00",
            "2026-05-18 07:00:00+07",
            "2026-05-18 07:00:00+0700",
            "2026-05-18 07:00:00.000 +07:00",
            "2026-05-18T07:00+7",
            "2026-05-18  07:00 UTC+7",
            "2026-05-18 07:00:00 GMT+07:00",
            "2026-05-18 07:00:00 ICT",
            "2026/05/18 07:00:00,000+07",
            "2026-05-17T20:30:00\u{2212}03:30",
            "2026-05-18T00:00:00Z",
            "2026-05-18t00:00:00z",
            "2026-05-18 00:00:00 UTC",
            " 1779062400 ",
            "1779062400.0",
            "1779062400000",
            "1779062400000000",
            "1779062400000000000",
        ] {
            assert_eq!(utc(text), "2026-05-18T00:00:00.000Z", "{text}");
        }
        assert_eq!(utc("1779062400.25"), "2026-05-18T00:00:00.250Z");
        assert_eq!(utc("2026-05-18 07:00:00.5"), "2026-05-18 07:00:00.500 local");
        for value in [
            json!(1_779_062_400),
            json!(1_779_062_400_000_i64),
            json!("1779062400"),
        ] {
            let time = written_json(&value)
                .expect("a time")
                .instant(None)
                .expect("an instant");
            assert_eq!(time.to_rfc3339(), "2026-05-18T00:00:00+00:00", "{value}");
        }
        let local = written("2026-05-18 07:00").expect("a time");
        assert!(
            local
                .instant(None)
                .is_err_and(|told| told.contains("2026-05-18T07:00:00+07:00"))
        );
        let there = local.instant(offset("+07:00").ok()).expect("an instant");
        assert_eq!(there.to_rfc3339(), "2026-05-18T00:00:00+00:00");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "noon",
            "20260518",
            "202605180700",
            "20260518070000",
            "12",
            "46160.29",
            "2026-05-18",
            "2026-13-18 07:00",
            "18/05/2026 07:00",
            "2026-05-18 07:00:00 PM",
            "2026-05-18 07:00 +99",
            "2026-05-18 25:00Z",
            "2026-05-18X07:00Z",
            "-1779062400",
            "1e10",
        ] {
            assert!(
                written(text).is_err_and(|told| told.contains("is no time")),
                "{text}"
            );
        }
        assert!(written_json(&json!(true)).is_err());
        assert!(written_json(&json!({"$date": 1})).is_err());
    }

    #[test]
    fn offsets_of_provinces() {
        let hours = |text: &str| offset(text).map(|offset| f64::from(offset.local_minus_utc()) / 3600.0);
        for (text, expected) in [
            ("+07:00", 7.0),
            ("+0700", 7.0),
            ("+07", 7.0),
            ("+7", 7.0),
            ("UTC+7", 7.0),
            ("utc +07:00", 7.0),
            ("-03:30", -3.5),
            ("UTC", 0.0),
            ("Z", 0.0),
            ("Asia/Ho_Chi_Minh", 7.0),
        ] {
            assert_eq!(hours(text), Ok(expected), "{text}");
        }
        for text in ["7", "seven", "+70", "+7:0", "+07:99", "UTC7", "+15", "PM", ""] {
            assert!(hours(text).is_err(), "{text}");
        }
    }
}
