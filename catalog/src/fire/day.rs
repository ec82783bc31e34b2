//! The danger of each day of a forest block, from the readings of the stations around it.
//!
//! A day without a reading near 13:00, or with hours of rain missing, is not known, and nothing is carried over it: both
//! indices are sums over days. P is known again from the next day of rain on, and till then only as a lower bound; FWI is
//! counted anew from the day after, and says since when.

use super::danger::{Level, dry_day};
use super::fwi::{Codes, START, Weather};
use super::settings::FireSettings;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// Rain of the 24 hours before a reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rain {
    /// What was measured, mm.
    pub mm: f64,
    /// False when hours are missing: it rained this much or more.
    pub whole: bool,
}

/// What a station said of a day. What it does not measure, or did not say near the hour, is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StationDay {
    /// Code of the station.
    pub station: String,
    /// Temperature (degrees Celsius) and relative humidity (percent) at 13:00.
    pub at_13: Option<(f64, f64)>,
    /// Rain of the 24 hours to 13:00.
    pub rain_13: Option<Rain>,
    /// The same at 12:00, with the wind (m/s).
    pub at_12: Option<(f64, f64, f64)>,
    /// Rain of the 24 hours to 12:00.
    pub rain_12: Option<Rain>,
}

/// Why a day is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// No station near enough measures temperature, humidity and rain.
    NoStation,
    /// No station had temperature and humidity near 13:00.
    NoReading,
    /// Hours of rain are missing.
    RainMissing,
    /// The day itself is known, the days before are not: the sum begins after a gap or with the series.
    SinceGap,
}

impl Unknown {
    /// For people: Vietnamese, English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NoStation => (
                "không có trạm đo nhiệt độ, độ ẩm và mưa ở gần",
                "no station near measures temperature, humidity and rain",
            ),
            Self::NoReading => ("thiếu số đo lúc 13 giờ", "no reading near 13:00"),
            Self::RainMissing => ("thiếu số đo mưa", "hours of rain are missing"),
            Self::SinceGap => (
                "chưa có ngày mưa nào kể từ chỗ thiếu số liệu",
                "no day of rain since data were missing",
            ),
        }
    }
}

/// The danger of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DangerDay {
    /// Local day.
    pub day: NaiveDate,
    /// Index P; none when it is not known.
    pub p: Option<f64>,
    /// Its level by the table in force.
    pub level: Option<Level>,
    /// Where P is not known but the days since the gap are: the level is this one or a higher one.
    pub level_at_least: Option<Level>,
    /// The last day of rain that set P to nought; P counts the days after it.
    pub rain_day: Option<NaiveDate>,
    /// Why P is not known.
    pub unknown: Option<Unknown>,
    /// Canadian Fire Weather Index; none without wind or with a gap.
    pub fwi: Option<f64>,
    /// The first day FWI counts from: its drought code needs about two months to forget where it began.
    pub fwi_since: Option<NaiveDate>,
    /// The station P was read from.
    pub station: Option<String>,
    /// Air temperature at 13:00, degrees Celsius.
    pub temperature_c: Option<f64>,
    /// Relative humidity at 13:00, percent.
    pub humidity_percent: Option<f64>,
    /// Rain of the 24 hours to 13:00, mm.
    pub rain_mm: Option<f64>,
}

/// The danger of the days in a row, each with what the stations said of it, the nearest first; `latitude` in degrees.
///
/// Days must follow one another; a day without stations is a day without readings.
pub fn danger(
    days: &[(NaiveDate, Vec<&StationDay>)],
    settings: &FireSettings,
    latitude: f64,
) -> Vec<DangerDay> {
    let mut sum = Sum::default();
    let mut canadian: Option<(NaiveDate, Codes)> = None;
    let one = |(day, stations): &(NaiveDate, Vec<&StationDay>)| {
        let mut danger = sum.add(*day, stations, settings);
        canadian = canadian_day(*day, stations, latitude, canadian, &mut danger);
        danger
    };
    days.iter().map(one).collect()
}

/// The worst level of some days: lower bounds count, for it was not less, but alone they are no level.
pub fn worst<'a>(days: impl IntoIterator<Item = &'a DangerDay>) -> Option<Level> {
    let (mut worst, mut known) = (None, false);
    for day in days {
        known |= day.level.is_some();
        worst = worst.max(day.level).max(day.level_at_least);
    }
    worst.filter(|_| known)
}

/// P so far.
#[derive(Default)]
struct Sum {
    p: f64,
    /// The day of rain it counts from; none when a gap or the start of the series lies between.
    rain_day: Option<NaiveDate>,
}

impl Sum {
    fn add(&mut self, day: NaiveDate, stations: &[&StationDay], settings: &FireSettings) -> DangerDay {
        let mut danger = DangerDay {
            day,
            p: None,
            level: None,
            level_at_least: None,
            rain_day: None,
            unknown: None,
            fwi: None,
            fwi_since: None,
            station: None,
            temperature_c: None,
            humidity_percent: None,
            rain_mm: None,
        };
        let (station, rain) = match reading(stations, settings.reset_mm) {
            Ok(found) => found,
            Err(unknown) => {
                *self = Self::default();
                danger.unknown = Some(unknown);
                return danger;
            }
        };
        danger.station = Some(station.station.clone());
        danger.rain_mm = Some(rain.mm);
        danger.temperature_c = station.at_13.map(|(temperature, _)| temperature);
        danger.humidity_percent = station.at_13.map(|(_, humidity)| humidity);
        if rain.mm >= settings.reset_mm {
            *self = Self {
                p: 0.0,
                rain_day: Some(day),
            };
        } else if let Some((temperature, humidity)) = station.at_13 {
            self.p += dry_day(temperature, humidity);
        }
        let level = Level::of(self.p, &settings.levels);
        if self.rain_day.is_some() {
            danger.p = Some(self.p);
            danger.level = Some(level);
            danger.rain_day = self.rain_day;
        } else {
            danger.unknown = Some(Unknown::SinceGap);
            danger.level_at_least = Some(level);
            // above the highest bound there is nothing left to know
            danger.level = (level == Level::V).then_some(level);
        }
        danger
    }
}

/// The nearest station whose day can be used: rain enough to begin anew, or temperature, humidity and all of the rain.
fn reading<'a>(stations: &[&'a StationDay], reset_mm: f64) -> Result<(&'a StationDay, Rain), Unknown> {
    let mut unknown = Unknown::NoStation;
    for station in stations {
        let Some(rain) = station.rain_13 else { continue };
        if rain.mm >= reset_mm || (rain.whole && station.at_13.is_some()) {
            return Ok((*station, rain));
        }
        // what the nearest station lacks is what is told
        if unknown == Unknown::NoStation {
            unknown = if station.at_13.is_none() {
                Unknown::NoReading
            } else {
                Unknown::RainMissing
            };
        }
    }
    Err(unknown)
}

/// FWI of a day; the codes to carry on, none after a day that cannot be counted.
fn canadian_day(
    day: NaiveDate,
    stations: &[&StationDay],
    latitude: f64,
    before: Option<(NaiveDate, Codes)>,
    danger: &mut DangerDay,
) -> Option<(NaiveDate, Codes)> {
    const KM_H_OF_M_S: f64 = 3.6;
    let weather = stations.iter().find_map(|station| {
        let (temperature_c, humidity_percent, wind) = station.at_12?;
        let rain = station.rain_12.filter(|rain| rain.whole)?;
        Some(Weather {
            temperature_c,
            humidity_percent,
            wind_km_h: wind.max(0.0) * KM_H_OF_M_S,
            rain_mm: rain.mm,
        })
    })?;
    let (since, codes) = before.unwrap_or((day, START));
    let codes = codes.next(&weather, day.month(), latitude);
    danger.fwi = Some(codes.index(weather.wind_km_h).fwi);
    danger.fwi_since = Some(since);
    Some((since, codes))
}
