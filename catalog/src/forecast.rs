//! The level at a gauge in the next three days, by a simple method whose error is measured on the days before.
//!
//! Tide: five constituents by least squares over the last 29 days, the newest days counting most, together with a parabola
//! for the slow rise and fall. River: what remains without the tide, as a straight line through the last three days whose
//! slope dies away over five days, because no flood rises for ever. What the last hour differs from that dies away over
//! six hours. Nothing of rain, wind, sluices or releases upstream is known to it.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// How far ahead is said, hours.
pub const HORIZON_H: i64 = 72;
/// Leads at which the error is measured, hours.
pub const LEADS_H: [i64; 7] = [1, 3, 6, 12, 24, 48, 72];
/// An older newest reading makes no forecast, hours.
pub const STALE_H: i64 = 6;
/// Days before the origin that are read: the fit's window and the weeks over which the error is measured.
pub const READ_DAYS: i64 = 60;

/// Hours of the fit: 29 days tell M2, S2 and N2 apart.
const WINDOW_H: i64 = 29 * 24;
/// Hours with a value that the fit needs: eight days.
const FEWEST_H: usize = 8 * 24;
/// Hours of the straight line, and how many of them must have a value.
const LINE_H: i64 = 72;
const FEWEST_LINE: usize = 24;
/// Half life of the weight of an hour in the fit: a spring-neap cycle.
const HALF_LIFE_H: f64 = 14.0 * 24.0;
/// The slope of the river dies away over so many hours.
const SLOPE_H: f64 = 120.0;
/// What the last hour differs from the line dies away over so many hours.
const LAST_H: f64 = 6.0;
/// Hours before the origin over which the error is measured: four weeks.
const BACKTEST_H: i64 = 28 * 24;
/// Hours between the origins of the backtest: no divisor of a day, so that all hours of the tide are met.
const BACKTEST_STEP_H: i64 = 11;
/// Fewer forecasts than this measure no error.
const FEWEST_FORECASTS: usize = 10;

/// Periods in hours (Schureman 1958, table 2) and the span in hours from which each is told from the ones before it by
/// the Rayleigh criterion.
const CONSTITUENTS: [(f64, i64); 5] = [
    (12.420_601_2, 0),       // M2
    (23.934_469_7, 0),       // K1
    (12.0, 15 * 24),         // S2
    (25.819_341_7, 15 * 24), // O1
    (12.658_348_2, 27 * 24), // N2
];

/// Why there is no forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoForecast {
    /// The newest reading is older than [`STALE_H`] hours.
    Stale,
    /// Fewer than eight days of values.
    TooShort,
    /// Too many hours of the last three days are missing.
    Gap,
}

impl NoForecast {
    /// For people: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Stale => (
                "số đo mới nhất đã cũ hơn 6 giờ, không dự báo",
                "the newest reading is older than six hours: no forecast",
            ),
            Self::TooShort => (
                "chưa đủ tám ngày số đo, không dự báo",
                "fewer than eight days of readings: no forecast",
            ),
            Self::Gap => (
                "ba ngày qua thiếu nhiều số đo, không dự báo",
                "too many readings of the last three days are missing: no forecast",
            ),
        }
    }
}

/// Mean levels of hours, by hours since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hours(BTreeMap<i64, f64>);

impl Hours {
    /// Means of the readings of each hour.
    pub fn of(readings: impl IntoIterator<Item = (DateTime<Utc>, f64)>) -> Self {
        let mut sums: BTreeMap<i64, (f64, f64)> = BTreeMap::new();
        for (time, level) in readings {
            if level.is_finite() {
                let sum = sums.entry(time.timestamp().div_euclid(3600)).or_default();
                *sum = (sum.0 + level, sum.1 + 1.0);
            }
        }
        Self(
            sums.into_iter()
                .map(|(hour, (sum, count))| (hour, sum / count))
                .collect(),
        )
    }

    fn between(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = (i64, f64)> + '_ {
        self.0.range(from..=to).map(|(hour, level)| (*hour, *level))
    }
}

/// The hour of an instant.
pub fn hour_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(3600)
}

/// What was learnt up to an hour.
#[derive(Clone, Debug)]
pub struct Forecast {
    /// The hour of the newest value; leads count from it.
    pub last: i64,
    /// Periods and the weights of their cosine and sine.
    tide: Vec<(f64, f64, f64)>,
    /// Level without tide at `last`, and its rise an hour.
    river: (f64, f64),
    /// What the last value differs from tide and river.
    off: f64,
}

impl Forecast {
    /// Learns from the hours up to and with `origin`; later ones are not looked at.
    ///
    /// # Errors
    /// Says why there can be none.
    pub fn fit(hours: &Hours, origin: i64) -> Result<Self, NoForecast> {
        let (last, level) = hours
            .between(origin - WINDOW_H, origin)
            .next_back()
            .ok_or(NoForecast::Stale)?;
        if origin - last > STALE_H {
            return Err(NoForecast::Stale);
        }
        let window: Vec<(i64, f64)> = hours.between(last - WINDOW_H + 1, last).collect();
        if window.len() < FEWEST_H {
            return Err(NoForecast::TooShort);
        }
        let span = window.first().map_or(0, |first| last - first.0 + 1);
        let periods: Vec<f64> = CONSTITUENTS
            .iter()
            .filter(|(_, needs)| span >= *needs)
            .map(|(period, _)| *period)
            .collect();
        let weights = least_squares(&window, last, &periods).ok_or(NoForecast::TooShort)?;
        let tide = periods
            .iter()
            .zip(weights[SLOW..].chunks_exact(2))
            .map(|(period, pair)| (*period, pair[0], pair[1]))
            .collect();
        let mut forecast = Self {
            last,
            tide,
            river: (0.0, 0.0),
            off: 0.0,
        };
        let line: Vec<(f64, f64)> = window
            .iter()
            .filter(|(hour, _)| last - hour < LINE_H)
            .map(|(hour, level)| ((hour - last) as f64, level - forecast.tide_at(hour - last)))
            .collect();
        if line.len() < FEWEST_LINE {
            return Err(NoForecast::Gap);
        }
        forecast.river = straight(&line);
        forecast.off = level - forecast.tide_at(0) - forecast.river.0;
        Ok(forecast)
    }

    fn tide_at(&self, lead: i64) -> f64 {
        let turn = |period: f64| lead as f64 / period * std::f64::consts::TAU;
        self.tide
            .iter()
            .map(|(period, cosine, sine)| cosine * turn(*period).cos() + sine * turn(*period).sin())
            .sum()
    }

    /// The mean level of the hour `lead` hours after the last value.
    pub fn at(&self, lead: i64) -> f64 {
        let hours = lead as f64;
        let (level, slope) = self.river;
        let river = level + slope * SLOPE_H * (1.0 - (-hours / SLOPE_H).exp());
        self.tide_at(lead) + river + self.off * (-hours / LAST_H).exp()
    }
}

/// Terms of the slow part: level, slope, bend.
const SLOW: usize = 3;

/// Weights of the slow terms and of cosine and sine of each period, time counted from `last`; none where the hours do not
/// determine them.
fn least_squares(window: &[(i64, f64)], last: i64, periods: &[f64]) -> Option<Vec<f64>> {
    let terms = SLOW + 2 * periods.len();
    let mut normal = vec![0.0; terms * terms];
    let mut right = vec![0.0; terms];
    let mut row = vec![0.0; terms];
    for &(hour, level) in window {
        let back = (hour - last) as f64;
        let weight = (back / HALF_LIFE_H).exp2();
        let slow = back / WINDOW_H as f64;
        row[..SLOW].copy_from_slice(&[1.0, slow, slow * slow]);
        for (pair, period) in row[SLOW..].chunks_exact_mut(2).zip(periods) {
            let turn = back / period * std::f64::consts::TAU;
            pair.copy_from_slice(&[turn.cos(), turn.sin()]);
        }
        for i in 0..terms {
            right[i] += weight * row[i] * level;
            for j in 0..=i {
                normal[i * terms + j] += weight * row[i] * row[j];
            }
        }
    }
    cholesky(&mut normal, terms)?;
    // forward, then back
    for i in 0..terms {
        let sum: f64 = (0..i).map(|j| normal[i * terms + j] * right[j]).sum();
        right[i] = (right[i] - sum) / normal[i * terms + i];
    }
    for i in (0..terms).rev() {
        let sum: f64 = (i + 1..terms).map(|j| normal[j * terms + i] * right[j]).sum();
        right[i] = (right[i] - sum) / normal[i * terms + i];
    }
    right.iter().all(|weight| weight.is_finite()).then_some(right)
}

/// The lower factor in place; none for a matrix that is not positive definite by a margin.
fn cholesky(matrix: &mut [f64], size: usize) -> Option<()> {
    let margin = 1e-9 * (0..size).map(|i| matrix[i * size + i]).fold(0.0, f64::max);
    for i in 0..size {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let rest = matrix[i * size + j] - sum;
            matrix[i * size + j] = if i == j {
                if rest <= margin {
                    return None;
                }
                rest.sqrt()
            } else {
                rest / matrix[j * size + j]
            };
        }
    }
    Some(())
}

/// Value at 0 and slope of the line through points by least squares.
fn straight(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let (mut top, mut bottom) = (0.0, 0.0);
    for point in points {
        top += (point.0 - x) * (point.1 - y);
        bottom += (point.0 - x).powi(2);
    }
    let slope = if bottom > 0.0 { top / bottom } else { 0.0 };
    (y - slope * x, slope)
}

/// How far off forecasts were, so many hours ahead.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeadError {
    /// Hours ahead.
    pub lead_h: i64,
    /// Forecasts compared.
    pub n: usize,
    /// Mean absolute error, metres.
    pub mae_m: f64,
    /// That of saying the last value again.
    pub persistence_mae_m: f64,
}

/// The error of the method over the four weeks before an origin, by lead: each forecast knows only the hours before its
/// own origin. Leads with too few forecasts are left out.
pub fn backtest(hours: &Hours, origin: i64) -> Vec<LeadError> {
    let mut sums = [(0_usize, 0.0, 0.0); LEADS_H.len()];
    let mut at = origin - BACKTEST_H;
    while at < origin {
        if let Ok(forecast) = Forecast::fit(hours, at) {
            let known = hours.0.get(&forecast.last).copied().unwrap_or_default();
            for (sum, lead) in sums.iter_mut().zip(LEADS_H) {
                let hour = forecast.last + lead;
                if let Some(real) = hours.0.get(&hour).filter(|_| hour <= origin) {
                    sum.0 += 1;
                    sum.1 += (forecast.at(lead) - real).abs();
                    sum.2 += (known - real).abs();
                }
            }
        }
        at += BACKTEST_STEP_H;
    }
    let told = sums.into_iter().zip(LEADS_H);
    told.filter(|((n, ..), _)| *n >= FEWEST_FORECASTS)
        .map(|((n, own, persistence), lead_h)| LeadError {
            lead_h,
            n,
            mae_m: own / n as f64,
            persistence_mae_m: persistence / n as f64,
        })
        .collect()
}

/// The error to expect at a lead: between the measured ones in a straight line; none beyond them.
pub fn error_at(errors: &[LeadError], lead: i64) -> Option<f64> {
    let after = errors.iter().find(|error| error.lead_h >= lead)?;
    let before = errors
        .iter()
        .rev()
        .find(|error| error.lead_h <= lead)
        .unwrap_or(after);
    let span = (after.lead_h - before.lead_h) as f64;
    let share = if span > 0.0 {
        (lead - before.lead_h) as f64 / span
    } else {
        0.0
    };
    Some(before.mae_m + share * (after.mae_m - before.mae_m))
}
