//! Weeks and other intervals. A week is the ISO 8601 week of the *local* date (UTC+7): descending radar passes
//! near 22:45 UTC belong to the next local day.

use crate::{Error, Result};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Indochina time, seconds east of Greenwich.
const LOCAL_OFFSET_S: i32 = 7 * 3600;

/// The time zone in which days and weeks are counted (UTC+7, no summer time).
pub fn local_zone() -> FixedOffset {
    FixedOffset::east_opt(LOCAL_OFFSET_S).expect("seven hours are a valid offset")
}

/// The instant at which a local day begins.
pub fn local_midnight(date: NaiveDate) -> DateTime<Utc> {
    let local = date.and_time(NaiveTime::MIN) - TimeDelta::seconds(i64::from(LOCAL_OFFSET_S));
    local.and_utc()
}

/// An ISO week of the local date, such as `2026-W34`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Period {
    monday: NaiveDate,
}

impl Period {
    /// The given ISO week.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the year has no such week.
    pub fn week(year: i32, week: u32) -> Result<Self> {
        NaiveDate::from_isoywd_opt(year, week, Weekday::Mon)
            .filter(|_| (1900..=2200).contains(&year))
            .map(|monday| Self { monday })
            .ok_or_else(|| Error::Invalid(format!("{year} has no week {week}")))
    }

    /// The week that holds a local date.
    pub fn of_date(date: NaiveDate) -> Self {
        let back = i64::from(date.weekday().num_days_from_monday());
        Self {
            monday: date - TimeDelta::days(back),
        }
    }

    /// The week that holds an instant, by local date.
    pub fn of_instant(instant: DateTime<Utc>) -> Self {
        Self::of_date(instant.with_timezone(&local_zone()).date_naive())
    }

    /// First local day.
    pub fn first_day(self) -> NaiveDate {
        self.monday
    }

    /// Last local day.
    pub fn last_day(self) -> NaiveDate {
        self.monday + TimeDelta::days(6)
    }

    /// ISO year.
    pub fn year(self) -> i32 {
        self.monday.iso_week().year()
    }

    /// The seven days as an interval of instants, end excluded.
    pub fn interval(self) -> Interval {
        Interval {
            start: local_midnight(self.monday),
            end: local_midnight(self.monday + TimeDelta::days(7)),
        }
    }

    /// The following week.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            monday: self.monday + TimeDelta::days(7),
        }
    }

    /// The week so many weeks before.
    #[must_use]
    pub fn weeks_before(self, weeks: i64) -> Self {
        Self {
            monday: self.monday - TimeDelta::weeks(weeks),
        }
    }

    /// The week before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self {
            monday: self.monday - TimeDelta::days(7),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.monday.iso_week();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl TryFrom<String> for Period {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl FromStr for Period {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::Invalid(format!("`{text}` is not a week; write it as 2026-W34"));
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        if year.len() != 4 || week.len() != 2 {
            return Err(wrong());
        }
        Self::week(
            year.parse().map_err(|_| wrong())?,
            week.parse().map_err(|_| wrong())?,
        )
    }
}

/// A stretch of time: start included, end excluded; equal for an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// First instant.
    pub start: DateTime<Utc>,
    /// The instant after the last one.
    pub end: DateTime<Utc>,
}

impl Interval {
    /// A single instant.
    pub fn instant(at: DateTime<Utc>) -> Self {
        Self { start: at, end: at }
    }
}

/// What `datetime=` may say (see [`TimeQuery::from_str`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeQuery {
    /// The newest item.
    Latest,
    /// One week by name.
    Week(Period),
    /// The week that holds this local date or instant.
    Within(Period),
    /// Everything that starts in the interval; an open end is `None`.
    Between(Option<DateTime<Utc>>, Option<DateTime<Utc>>),
}

impl TimeQuery {
    /// First and last week (both included) that the query admits; `None` is open.
    pub fn weeks(self) -> (Option<Period>, Option<Period>) {
        match self {
            Self::Latest => (None, None),
            Self::Week(week) | Self::Within(week) => (Some(week), Some(week)),
            Self::Between(from, to) => (from.map(Period::of_instant), to.map(Period::of_instant)),
        }
    }
}

impl FromStr for TimeQuery {
    type Err = Error;
    /// An ISO week, a date, an RFC 3339 instant, an interval `A/B` with `..` for an open end, or `latest`.
    fn from_str(text: &str) -> Result<Self> {
        if text == "latest" || text.is_empty() {
            return Ok(Self::Latest);
        }
        if let Some((from, to)) = text.split_once('/') {
            let edge = |side: &str, end: bool| -> Result<Option<DateTime<Utc>>> {
                if side.is_empty() || side == ".." {
                    return Ok(None);
                }
                let interval = moment(side)?;
                Ok(Some(if end {
                    (interval.end - TimeDelta::seconds(1)).max(interval.start)
                } else {
                    interval.start
                }))
            };
            let (from, to) = (edge(from, false)?, edge(to, true)?);
            if from.zip(to).is_some_and(|(from, to)| from > to) {
                return Err(Error::Invalid(format!("`{text}` ends before it begins")));
            }
            return Ok(Self::Between(from, to));
        }
        if text.contains("-W") {
            return text.parse().map(Self::Week);
        }
        Ok(Self::Within(Period::of_instant(moment(text)?.start)))
    }
}

/// The interval that a week, date or instant names.
fn moment(text: &str) -> Result<Interval> {
    if text.contains("-W") {
        return Ok(text.parse::<Period>()?.interval());
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        if !(1900..=2200).contains(&date.year()) {
            return Err(Error::Invalid(format!("`{text}` is outside the years 1900-2200")));
        }
        return Ok(Interval {
            start: local_midnight(date),
            end: local_midnight(date + TimeDelta::days(1)),
        });
    }
    // a `+` of an offset arrives as a space when the client did not escape it
    DateTime::parse_from_rfc3339(&text.replace(' ', "+"))
        .ok()
        .map(|instant| instant.with_timezone(&Utc))
        .filter(|instant| (1900..=2200).contains(&instant.year()))
        .map(Interval::instant)
        .ok_or_else(|| {
            Error::Invalid(format!(
                "`{text}` is not a time; write a week 2026-W34, a date 2026-08-20, an instant \
                 2026-08-20T03:20:00Z, an interval A/B, or latest"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_at_22_45_utc_on_sunday_belongs_to_the_next_local_week() {
        let pass = "2022-01-09T22:46:06Z".parse().expect("instant");
        assert_eq!(Period::of_instant(pass).to_string(), "2022-W02");
        assert_eq!(
            Period::of_instant("2022-01-09T10:00:00Z".parse().expect("instant")).to_string(),
            "2022-W01"
        );
    }

    #[test]
    fn weeks_that_do_not_exist_are_refused() {
        for bad in [
            "2026-W54", "2025-W53", "2026-W00", "26-W01", "2026-W1", "2026W01", "x",
        ] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
        assert_eq!(
            "2026-W53"
                .parse::<Period>()
                .expect("2026 has 53 weeks")
                .next()
                .to_string(),
            "2027-W01"
        );
    }

    #[test]
    fn time_queries_read_every_form_of_the_contract() {
        let week: Period = "2026-W34".parse().expect("week");
        assert_eq!(
            "2026-W34".parse::<TimeQuery>().expect("ok"),
            TimeQuery::Week(week)
        );
        assert_eq!(
            "2026-08-20".parse::<TimeQuery>().expect("ok"),
            TimeQuery::Within(week)
        );
        assert_eq!(
            "2026-08-23T18:00:00Z".parse::<TimeQuery>().expect("ok"),
            TimeQuery::Within(week.next())
        );
        let range = "2026-W30/2026-W34".parse::<TimeQuery>().expect("ok").weeks();
        assert_eq!(range, (Some("2026-W30".parse().expect("week")), Some(week)));
        assert_eq!(
            "../2026-08-20".parse::<TimeQuery>().expect("ok").weeks(),
            (None, Some(week))
        );
        for bad in [
            "2026-02-30",
            "yesterday",
            "2026-W34/2026-W30",
            "2026-08-20T25:00:00Z",
            "99999-01-01",
        ] {
            assert!(bad.parse::<TimeQuery>().is_err(), "{bad}");
        }
    }
}
