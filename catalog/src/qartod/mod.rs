//! Quality control of QARTOD (IOOS): flags identical to those of `ioos_qc`, which the vectors beside this file hold.
//!
//! The functions of this module are the tests themselves, on a whole series; missing values are NaN and times
//! milliseconds, strictly growing. [`check`] runs what a property's [`Tests`] ask for and rolls the flags up.

mod check;
mod config;
mod defaults;
#[cfg(test)]
mod tests;
mod windows;

pub use check::{Verdict, check};
pub use config::{Attenuated, Flat, Movement, Range, Rate, Spike, SpikeMethod, Tests};
pub use defaults::defaults;

use crate::observation::Flag;
use windows::{Extremes, extremes};

/// Flags by two limits, the stricter last: NaN passes both.
fn above(measure: f64, suspect: f64, fail: f64) -> Flag {
    if measure > fail {
        Flag::Fail
    } else if measure > suspect {
        Flag::Suspect
    } else {
        Flag::Good
    }
}

fn missing_or(value: f64, flag: Flag) -> Flag {
    if value.is_nan() { Flag::Missing } else { flag }
}

/// Outside of what the sensor can say (`fail`): 4; outside of what users expect (`suspect`): 3.
pub fn gross_range(values: &[f64], fail: [f64; 2], suspect: Option<[f64; 2]>) -> Vec<Flag> {
    let outside = |value: f64, span: [f64; 2]| value < span[0].min(span[1]) || value > span[0].max(span[1]);
    let flag = |value: f64| {
        if outside(value, fail) {
            Flag::Fail
        } else if suspect.is_some_and(|span| outside(value, span)) {
            Flag::Suspect
        } else {
            Flag::Good
        }
    };
    values
        .iter()
        .map(|&value| missing_or(value, flag(value)))
        .collect()
}

/// Away from both neighbours by more than a threshold. The first and last value cannot be judged, nor one beside a
/// missing value.
pub fn spike(values: &[f64], suspect: f64, fail: f64, method: SpikeMethod) -> Vec<Flag> {
    let judge = |at: usize| {
        let (Some(before), Some(after)) = (at.checked_sub(1).and_then(|i| values.get(i)), values.get(at + 1))
        else {
            return Flag::NotEvaluated;
        };
        let height = match method {
            SpikeMethod::Average => (values[at] - f64::midpoint(*before, *after)).abs(),
            SpikeMethod::Differential => {
                let (up, down) = (values[at] - before, after - values[at]);
                if up * down >= 0.0 {
                    0.0
                } else {
                    up.abs().min(down.abs())
                }
            }
        };
        if before.is_nan() || after.is_nan() {
            return Flag::NotEvaluated;
        }
        // a threshold of 0 means that there is none
        let limit = |threshold: f64| {
            if threshold == 0.0 {
                f64::INFINITY
            } else {
                threshold
            }
        };
        above(height, limit(suspect), limit(fail))
    };
    values
        .iter()
        .enumerate()
        .map(|(at, &value)| missing_or(value, judge(at)))
        .collect()
}

/// Changing faster than a threshold, in units per second, since the value before. `ioos_qc` cuts time steps to whole
/// seconds; here they keep their fractions.
pub fn rate_of_change(values: &[f64], times: &[i64], suspect: f64, fail: Option<f64>) -> Vec<Flag> {
    let judge = |at: usize| {
        let Some(before) = at.checked_sub(1) else {
            return Flag::Good;
        };
        let seconds = (times[at] - times[before]) as f64 / 1e3;
        let rate = ((values[at] - values[before]) / seconds).abs();
        above(rate, suspect, fail.unwrap_or(f64::INFINITY))
    };
    values
        .iter()
        .enumerate()
        .map(|(at, &value)| missing_or(value, judge(at)))
        .collect()
}

/// The median step between times in whole seconds; none for fewer than two times.
pub fn median_interval_s(times: &[i64]) -> Option<i64> {
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return None;
    }
    let middle = steps.len() / 2;
    let (below, &mut upper, _) = steps.select_nth_unstable(middle);
    let median = if times.len().is_multiple_of(2) {
        upper
    } else {
        let lower = below.iter().copied().max().unwrap_or(upper);
        i64::midpoint(lower, upper)
    };
    Some(median / 1000)
}

/// A window that ends at the value and reaches `seconds` back (counted in values of the median interval) moves by less
/// than `tolerance`. Fewer than three values pass.
pub fn flat_line(values: &[f64], times: &[i64], suspect_s: u32, fail_s: u32, tolerance: f64) -> Vec<Flag> {
    let interval = median_interval_s(times).unwrap_or(0);
    flat_line_every(values, interval, suspect_s, fail_s, tolerance)
}

/// The same where the interval between values is known, in seconds.
fn flat_line_every(values: &[f64], interval: i64, suspect_s: u32, fail_s: u32, tolerance: f64) -> Vec<Flag> {
    let mut flags = vec![Flag::Good; values.len()];
    if values.len() < 3 {
        return flags;
    }
    if interval > 0 {
        for (seconds, flag) in [(suspect_s, Flag::Suspect), (fail_s, Flag::Fail)] {
            let count = usize::try_from(i64::from(seconds) / interval).unwrap_or(usize::MAX);
            let spans = extremes(values, |end| end.saturating_sub(count));
            for (at, span) in spans.enumerate().skip(count) {
                if span.is_some_and(|Extremes { min, max }| (max - min).abs() < tolerance) {
                    flags[at] = flag;
                }
            }
        }
    }
    for (flag, &value) in flags.iter_mut().zip(values) {
        *flag = missing_or(value, *flag);
    }
    flags
}

/// Too little movement within the `period_s` before each value (without it: within the whole series): a standard
/// deviation or range below a threshold. Windows with fewer than `min_count` values are not judged.
pub fn attenuated(values: &[f64], times: &[i64], limits: &Attenuated) -> Vec<Flag> {
    let measures: Vec<f64> = match limits.period_s {
        Some(period) => windows::movements(values, times, i64::from(period) * 1000, limits),
        None => vec![windows::movement(values, limits.by); values.len()],
    };
    values
        .iter()
        .zip(measures)
        .map(|(&value, measure)| {
            let flag = if measure < limits.fail {
                Flag::Fail
            } else if measure < limits.suspect {
                Flag::Suspect
            } else if measure.is_nan() {
                Flag::NotEvaluated
            } else {
                Flag::Good
            };
            missing_or(value, flag)
        })
        .collect()
}

/// True where more than `longest_ms` have passed since the value before.
pub fn gaps(times: &[i64], longest_ms: i64) -> Vec<bool> {
    let step = |at: usize| at.checked_sub(1).map_or(0, |before| times[at] - times[before]);
    (0..times.len()).map(|at| step(at) > longest_ms).collect()
}
