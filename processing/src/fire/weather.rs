//! What stations said near 13:00 and noon, and the rain of the 24 hours before.
//!
//! A gauge that is read once a day tells the total since it was emptied the day before: its value is the rain of the 24
//! hours to the reading. A gauge that tells every hour or more often is summed up.

use crate::Result;
use crate::run::for_each_reading;
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, TimeDelta, Timelike, Utc};
use sen_catalog::Store;
use sen_catalog::fire::FireSettings;
use sen_catalog::fire::day::{Rain, StationDay};
use sen_catalog::observation::{Observation, Step};
use sen_catalog::period::local_zone;
use sen_catalog::store::ObservationQuery;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// The hours of the readings, local time: index P, and FWI.
const HOURS: [u32; 2] = [13, 12];
/// Hours between the values of a gauge that is read once a day: observers are not punctual to the minute.
const DAILY_H: RangeInclusive<i64> = 18..=30;

/// The days of the stations.
pub(super) struct Weather {
    days: BTreeMap<String, BTreeMap<NaiveDate, StationDay>>,
    /// First and last day of any station; the last one reaches 13:00.
    pub(super) span: Option<(NaiveDate, NaiveDate)>,
}

impl Weather {
    /// Reads the stations that measure temperature, humidity and rain.
    pub(super) async fn read(
        store: &dyn Store,
        stations: &BTreeSet<String>,
        settings: &FireSettings,
    ) -> Result<Self> {
        let streams = store.datastreams(None).await?;
        let stream = |station: &str, property: &str| {
            let mut own = streams.iter().filter(|stream| stream.station == station);
            own.find(|stream| stream.property == property)
                .map(|stream| stream.id)
        };
        let mut weather = Self {
            days: BTreeMap::new(),
            span: None,
        };
        for station in stations {
            let (Some(temperature), Some(humidity), Some(rain)) = (
                stream(station, "temperature"),
                stream(station, "humidity"),
                stream(station, "rain"),
            ) else {
                continue;
            };
            let Some(Span { first, last, newest }) = span(store, temperature).await? else {
                continue;
            };
            let window = settings.window_min;
            let temperature = near_hours(store, temperature, window).await?;
            let humidity = near_hours(store, humidity, window).await?;
            let wind = match stream(station, "wind_speed") {
                Some(wind) => near_hours(store, wind, window).await?,
                None => Readings::default(),
            };
            let rain = RainSeries::read(store, rain, (first, newest.date_naive()), window).await?;
            // who reads once a day, at noon, has said all of the day that will be said
            let last = if rain.is_daily() && is_near(newest, HOURS[0], window) {
                newest.date_naive()
            } else {
                last
            };
            let mut days = BTreeMap::new();
            let mut day = first;
            while day <= last {
                let at = |readings: &Readings, hour: u32| readings.get(&(day, hour)).map(|(_, value)| *value);
                let pair = |hour| Some((at(&temperature, hour)?, at(&humidity, hour)?));
                let one = StationDay {
                    station: station.clone(),
                    at_13: pair(13),
                    rain_13: Some(rain.of(day, 13, settings.rain_gap_h)),
                    at_12: pair(12).and_then(|(t, rh)| Some((t, rh, at(&wind, 12)?))),
                    rain_12: Some(rain.of(day, 12, settings.rain_gap_h)),
                };
                days.insert(day, one);
                day += TimeDelta::days(1);
            }
            weather.span = Some(match weather.span {
                Some((from, to)) => (from.min(first), to.max(last)),
                None => (first, last),
            });
            weather.days.insert(station.clone(), days);
        }
        Ok(weather)
    }

    /// What a station said of a day.
    pub(super) fn of(&self, station: &str, day: NaiveDate) -> Option<&StationDay> {
        self.days.get(station)?.get(&day)
    }

    /// True when the station measures what is needed.
    pub(super) fn has(&self, station: &str) -> bool {
        self.days.contains_key(station)
    }
}

/// The value nearest to an hour of a day, with its distance in seconds.
type Readings = BTreeMap<(NaiveDate, u32), (i64, f64)>;

/// What a gauge said.
enum RainSeries {
    /// Millimetres by hour.
    Hourly(BTreeMap<i64, f64>),
    /// Totals of 24 hours, read near the hours.
    Daily(Readings),
}

impl RainSeries {
    async fn read(
        store: &dyn Store,
        datastream: i64,
        (first, last): (NaiveDate, NaiveDate),
        window_min: u32,
    ) -> Result<Self> {
        let hours = hourly_rain(store, datastream, first, last).await?;
        Ok(if is_daily(&hours) {
            Self::Daily(near_hours(store, datastream, window_min).await?)
        } else {
            Self::Hourly(hours)
        })
    }

    fn is_daily(&self) -> bool {
        matches!(self, Self::Daily(_))
    }

    /// Rain of the 24 hours to an hour of a day.
    fn of(&self, day: NaiveDate, hour: u32, gap_h: u32) -> Rain {
        match self {
            Self::Hourly(hours) => day_of_rain(hours, day, hour, gap_h),
            Self::Daily(totals) => {
                let total = totals.get(&(day, hour));
                Rain {
                    mm: total.map_or(0.0, |(_, mm)| mm.max(0.0)),
                    whole: total.is_some(),
                }
            }
        }
    }
}

/// True when the values mostly come a day apart: their median step decides, so that days without a value do not.
fn is_daily(hours: &BTreeMap<i64, f64>) -> bool {
    let mut steps: Vec<i64> = hours
        .keys()
        .zip(hours.keys().skip(1))
        .map(|(a, b)| b - a)
        .collect();
    steps.sort_unstable();
    steps
        .get(steps.len() / 2)
        .is_some_and(|step| DAILY_H.contains(step))
}

/// The days of a station.
struct Span {
    first: NaiveDate,
    /// The last day whose 13:00 has passed for the station.
    last: NaiveDate,
    /// Its newest reading.
    newest: DateTime<FixedOffset>,
}

async fn span(store: &dyn Store, datastream: i64) -> Result<Option<Span>> {
    let query = ObservationQuery {
        limit: Some(1),
        ..ObservationQuery::datastream(datastream)
    };
    let (Some(first), Some(last)) = (
        store.observations(&query).await?.pop(),
        store.latest(datastream).await?,
    ) else {
        return Ok(None);
    };
    let local = |time: DateTime<Utc>| time.with_timezone(&local_zone());
    let newest = local(last.time);
    let whole = newest.hour() >= HOURS[0];
    let last = newest.date_naive() - TimeDelta::days(i64::from(!whole));
    let first = local(first.time).date_naive();
    Ok((first <= last).then_some(Span { first, last, newest }))
}

/// Seconds between a time and an hour of its day.
fn off_s(time: DateTime<FixedOffset>, hour: u32) -> i64 {
    (i64::from(time.num_seconds_from_midnight()) - i64::from(hour) * 3600).abs()
}

fn is_near(time: DateTime<FixedOffset>, hour: u32, window_min: u32) -> bool {
    off_s(time, hour) <= i64::from(window_min) * 60
}

/// Good values near the hours, the nearest of each day.
async fn near_hours(store: &dyn Store, datastream: i64, window_min: u32) -> Result<Readings> {
    let mut readings = Readings::new();
    let Some(last) = store.latest(datastream).await? else {
        return Ok(readings);
    };
    let first = ObservationQuery {
        limit: Some(1),
        ..ObservationQuery::datastream(datastream)
    };
    let Some(first) = store.observations(&first).await?.pop() else {
        return Ok(readings);
    };
    let hear = |observation: Observation| {
        let Some(value) = observation.value.filter(|_| observation.flag.is_good()) else {
            return;
        };
        let local = observation.time.with_timezone(&local_zone());
        for hour in HOURS {
            if !is_near(local, hour, window_min) {
                continue;
            }
            let off = off_s(local, hour);
            let kept = readings.entry((local.date_naive(), hour)).or_insert((off, value));
            if off < kept.0 {
                *kept = (off, value);
            }
        }
    };
    let end = last.time + TimeDelta::milliseconds(1);
    for_each_reading(store, datastream, first.time, end, hear).await?;
    Ok(readings)
}

/// Rain by hour, counted from the common era in local time; hours without a good value are not there.
async fn hourly_rain(
    store: &dyn Store,
    datastream: i64,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<BTreeMap<i64, f64>> {
    let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::hours(7);
    let from = midnight(first - TimeDelta::days(1));
    let to = midnight(last + TimeDelta::days(1));
    let hours = store.aggregate(datastream, from, to, Step::Hour).await?;
    let hour = |start: DateTime<Utc>| {
        let local = start.with_timezone(&local_zone());
        hour_number(local.date_naive(), local.hour())
    };
    Ok(hours
        .iter()
        .map(|one| (hour(one.start), one.sum().max(0.0)))
        .collect())
}

fn hour_number(day: NaiveDate, hour: u32) -> i64 {
    i64::from(day.num_days_from_ce()) * 24 + i64::from(hour)
}

/// Rain of the 24 hours to an hour of a day.
fn day_of_rain(hours: &BTreeMap<i64, f64>, day: NaiveDate, hour: u32, gap_h: u32) -> Rain {
    let end = hour_number(day, hour);
    let (mut mm, mut missing, mut longest) = (0.0, 0_u32, 0_u32);
    for number in end - 24..end {
        if let Some(rain) = hours.get(&number) {
            mm += rain;
            missing = 0;
        } else {
            missing += 1;
            longest = longest.max(missing);
        }
    }
    Rain {
        // a tenth of a millimetre is what gauges tell; sums of means carry more digits than that
        mm: (mm * 1000.0).round() / 1000.0,
        whole: longest <= gap_h,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_read_once_a_day_is_told_by_its_steps() {
        let every = |hours: usize| (0..20 * 24).step_by(hours).map(|hour| (hour, 0.0)).collect();
        let mut daily: BTreeMap<i64, f64> = every(24);
        assert!(is_daily(&daily));
        // three days were missed, and the observer came early once
        for hour in [48, 72, 240] {
            daily.remove(&hour);
        }
        daily.remove(&120);
        daily.insert(118, 3.0);
        assert!(is_daily(&daily));
        for hours in [1, 6, 12] {
            assert!(!is_daily(&every(hours)), "every {hours} hours");
        }
        assert!(!is_daily(&BTreeMap::from([(13, 2.0)])), "one value has no step");
        assert!(!is_daily(&BTreeMap::new()));
    }

    #[test]
    fn a_daily_total_is_the_rain_of_the_day_it_is_read_on() {
        let day = NaiveDate::from_ymd_opt(2026, 8, 4).expect("a day");
        let totals = Readings::from([((day, 13), (0, 12.4)), ((day, 12), (3600, 12.4))]);
        let rain = RainSeries::Daily(totals);
        let told = Rain {
            mm: 12.4,
            whole: true,
        };
        assert_eq!((rain.of(day, 13, 3), rain.of(day, 12, 3)), (told, told));
        let next = day + TimeDelta::days(1);
        assert!(!rain.of(next, 13, 3).whole, "not read: not known");
    }

    #[test]
    fn rain_counts_from_hour_to_hour_and_tells_of_gaps() {
        let day = NaiveDate::from_ymd_opt(2026, 8, 4).expect("a day");
        let end = hour_number(day, 13);
        let mut hours: BTreeMap<i64, f64> = (end - 30..end + 3).map(|hour| (hour, 0.5)).collect();
        let all = day_of_rain(&hours, day, 13, 3);
        assert_eq!(
            all,
            Rain {
                mm: 12.0,
                whole: true
            }
        );
        for hour in end - 5..end - 2 {
            hours.remove(&hour);
        }
        assert_eq!(
            day_of_rain(&hours, day, 13, 3),
            Rain {
                mm: 10.5,
                whole: true
            }
        );
        assert!(!day_of_rain(&hours, day, 13, 2).whole);
        assert!(!day_of_rain(&BTreeMap::new(), day, 13, 3).whole);
    }
}
