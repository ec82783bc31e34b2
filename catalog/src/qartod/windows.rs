//! What moving windows hold: extremes in constant time a value, deviations and ranges.

use super::config::{Attenuated, Movement};
use std::collections::VecDeque;

/// Smallest and largest value of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extremes {
    pub(super) min: f64,
    pub(super) max: f64,
}

/// The extremes of the windows that end at each value and begin at `start(end)`, which never goes back; none for
/// windows of missing values alone.
pub(super) fn extremes(
    values: &[f64],
    start: impl Fn(usize) -> usize,
) -> impl Iterator<Item = Option<Extremes>> {
    // the first of each queue is the window's extreme, the rest could still become it
    let (mut low, mut high) = (VecDeque::new(), VecDeque::new());
    values.iter().enumerate().map(move |(end, &value)| {
        if !value.is_nan() {
            while low.back().is_some_and(|&i: &usize| values[i] >= value) {
                low.pop_back();
            }
            while high.back().is_some_and(|&i: &usize| values[i] <= value) {
                high.pop_back();
            }
            low.push_back(end);
            high.push_back(end);
        }
        let first = start(end);
        for queue in [&mut low, &mut high] {
            while queue.front().is_some_and(|&i| i < first) {
                queue.pop_front();
            }
        }
        Some(Extremes {
            min: values[*low.front()?],
            max: values[*high.front()?],
        })
    })
}

/// How much the values move; missing ones are left out, NaN when there are none.
pub(super) fn movement(values: &[f64], by: Movement) -> f64 {
    let known = || values.iter().copied().filter(|value| !value.is_nan());
    let count = known().count();
    if count == 0 {
        return f64::NAN;
    }
    match by {
        Movement::Range => known().fold(f64::MIN, f64::max) - known().fold(f64::MAX, f64::min),
        Movement::Deviation => {
            let mean = known().sum::<f64>() / count as f64;
            (known().map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64).sqrt()
        }
    }
}

/// How much the values move within the `period_ms` that end at each of them; the start of the period is outside.
pub(super) fn movements(values: &[f64], times: &[i64], period_ms: i64, limits: &Attenuated) -> Vec<f64> {
    let mut first = 0;
    let least = limits.min_count.unwrap_or(1).max(1) as usize;
    (0..values.len())
        .map(|end| {
            while times[first] <= times[end] - period_ms {
                first += 1;
            }
            let window = &values[first..=end];
            let known = window.iter().filter(|value| !value.is_nan()).count();
            // a range over a missing value is missing, as with `numpy.ptp`
            let broken = limits.by == Movement::Range && known < window.len();
            if known < least || broken {
                f64::NAN
            } else {
                movement(window, limits.by)
            }
        })
        .collect()
}
