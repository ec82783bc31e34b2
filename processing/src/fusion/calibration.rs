//! Satellite against ground: how far off it is, and whether a correction earns its place.
//!
//! A pair holds what the satellite said (`x`) and what the ground said (`y`). Bias is satellite minus ground; the lines
//! give ground from satellite, so that `intercept + slope * satellite` is the corrected value.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// 97.5 % point of the normal distribution.
const Z: f64 = 1.959963984540054;
/// Where Huber's loss turns from squares to absolute values, in standard deviations.
const HUBER_K: f64 = 1.345;
/// Median absolute deviation of a normal distribution in standard deviations.
const MAD: f64 = 0.6745;
/// Fewer pairs never earn a correction.
const FEWEST: usize = 20;

/// One satellite value with what a station measured at the same place and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Code of the station.
    pub station: String,
    /// What the satellite said.
    pub satellite: f64,
    /// What the ground said.
    pub ground: f64,
}

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Change of the ground value by unit of the satellite's.
    pub slope: f64,
    /// Ground value at nought.
    pub intercept: f64,
}

impl Line {
    /// The value on the line.
    pub fn at(&self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }
}

/// All figures of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Number of pairs.
    pub n: usize,
    /// Mean of satellite minus ground.
    pub bias: f64,
    /// 95 % interval of the bias (Student).
    pub bias_interval: [f64; 2],
    /// Root of the mean square difference.
    pub rmse: f64,
    /// The same without the bias.
    pub ubrmse: f64,
    /// Mean absolute difference.
    pub mae: f64,
    /// Share of the ground's variance that the line of least squares explains.
    pub r2: f64,
    /// Least squares.
    pub ols: Line,
    /// Median of the slopes of all pairs of points, which outliers do not move.
    pub theil_sen: Line,
    /// 95 % interval of that slope (Sen 1968).
    pub slope_interval: [f64; 2],
    /// Least squares that give outliers less weight.
    pub huber: Line,
}

/// Whether and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// True when the correction is to be applied.
    pub apply: bool,
    /// The reason, for people.
    pub reason: String,
    /// Root mean square difference of the uncorrected values.
    pub rmse_raw: f64,
    /// The same of values corrected by a line that was fitted without their station.
    pub rmse_left_out: Option<f64>,
}

/// Compares pairs; none with fewer than three or when the satellite always says the same.
pub fn compare(pairs: &[Pair]) -> Option<Comparison> {
    let x: Vec<f64> = pairs.iter().map(|pair| pair.satellite).collect();
    let y: Vec<f64> = pairs.iter().map(|pair| pair.ground).collect();
    let n = pairs.len();
    if n < 3 || x.iter().chain(&y).any(|value| !value.is_finite()) {
        return None;
    }
    let count = n as f64;
    let differences: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
    let bias = mean(&differences);
    let rmse = mean_of(&differences, |d| d * d).sqrt();
    let spread = (differences.iter().map(|d| (d - bias).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let half = student(count - 1.0) * spread / count.sqrt();
    let ones = vec![1.0; n];
    let ols = weighted(&x, &y, &ones)?;
    let total: f64 = y.iter().map(|value| (value - mean(&y)).powi(2)).sum();
    let rest: f64 = x.iter().zip(&y).map(|(x, y)| (y - ols.at(*x)).powi(2)).sum();
    let (theil_sen, slope_interval) = theil_sen(&x, &y)?;
    Some(Comparison {
        n,
        bias,
        bias_interval: [bias - half, bias + half],
        rmse,
        ubrmse: (rmse * rmse - bias * bias).max(0.0).sqrt(),
        mae: mean_of(&differences, f64::abs),
        r2: if total > 0.0 { 1.0 - rest / total } else { 0.0 },
        ols,
        theil_sen,
        slope_interval,
        huber: huber(&x, &y, ols)?,
    })
}

/// Whether the line of Theil and Sen earns its place: at least 20 pairs, the slope is not 1 or the bias not 0 with 95 %
/// confidence, and stations that had no part in the line come out better with it.
pub fn judge(pairs: &[Pair], comparison: &Comparison) -> Verdict {
    let outside = |interval: [f64; 2], value: f64| value < interval[0] || value > interval[1];
    let left_out = leave_one_station_out(pairs);
    let verdict = |apply: bool, reason: &str| Verdict {
        apply,
        reason: reason.to_owned(),
        rmse_raw: comparison.rmse,
        rmse_left_out: left_out,
    };
    if comparison.n < FEWEST {
        return verdict(false, "fewer than 20 pairs");
    }
    if !outside(comparison.slope_interval, 1.0) && !outside(comparison.bias_interval, 0.0) {
        return verdict(
            false,
            "neither slope nor bias differ from those of a perfect sensor",
        );
    }
    match left_out {
        None => verdict(false, "fewer than three stations: no station can be left out"),
        Some(rmse) if rmse < comparison.rmse => verdict(
            true,
            "stations that were left out come out better with the correction",
        ),
        Some(_) => verdict(false, "stations that were left out do not come out better"),
    }
}

/// Root mean square difference when each station is corrected by a line from the others.
fn leave_one_station_out(pairs: &[Pair]) -> Option<f64> {
    let stations: BTreeSet<&str> = pairs.iter().map(|pair| pair.station.as_str()).collect();
    if stations.len() < 3 {
        return None;
    }
    let mut squares = 0.0;
    for station in stations {
        let (own, others): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| pair.station == station);
        let x: Vec<f64> = others.iter().map(|pair| pair.satellite).collect();
        let y: Vec<f64> = others.iter().map(|pair| pair.ground).collect();
        let (line, _) = theil_sen(&x, &y)?;
        squares += own
            .iter()
            .map(|p| (line.at(p.satellite) - p.ground).powi(2))
            .sum::<f64>();
    }
    Some((squares / pairs.len() as f64).sqrt())
}

/// The line of weighted least squares; none when all x are equal.
fn weighted(x: &[f64], y: &[f64], w: &[f64]) -> Option<Line> {
    let total: f64 = w.iter().sum();
    let centre = |values: &[f64]| values.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / total;
    let (mx, my) = (centre(x), centre(y));
    let (mut sxx, mut sxy) = (0.0, 0.0);
    for ((x, y), w) in x.iter().zip(y).zip(w) {
        sxx += w * (x - mx).powi(2);
        sxy += w * (x - mx) * (y - my);
    }
    let slope = sxy / sxx;
    slope.is_finite().then_some(Line {
        slope,
        intercept: my - slope * mx,
    })
}

/// Median of all slopes with Sen's interval (as `scipy.stats.theilslopes`), intercept from the medians.
fn theil_sen(x: &[f64], y: &[f64]) -> Option<(Line, [f64; 2])> {
    let mut slopes = Vec::new();
    for (i, xi) in x.iter().enumerate() {
        for (j, xj) in x.iter().enumerate() {
            if xj > xi {
                slopes.push((y[j] - y[i]) / (xj - xi));
            }
        }
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_by(f64::total_cmp);
    let slope = median_sorted(&slopes);
    let (n, count) = (y.len() as f64, slopes.len() as f64);
    let ties = |values: &[f64]| -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let groups = sorted.chunk_by(|a, b| a == b).map(|group| group.len() as f64);
        groups.map(|k| k * (k - 1.0) * (2.0 * k + 5.0)).sum()
    };
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties(x) - ties(y)) / 18.0;
    let wide = Z * variance.max(0.0).sqrt();
    let low = (((count - wide) / 2.0).round_ties_even() - 1.0).max(0.0) as usize;
    let high = f64::midpoint(count, wide)
        .round_ties_even()
        .clamp(0.0, count - 1.0) as usize;
    let line = Line {
        slope,
        intercept: median(y) - slope * median(x),
    };
    Some((line, [slopes[low], slopes[high]]))
}

/// Iteratively reweighted least squares with Huber's weights, scale from the median absolute deviation of the
/// residuals from their median.
fn huber(x: &[f64], y: &[f64], start: Line) -> Option<Line> {
    let mut line = start;
    for _ in 0..200 {
        let residuals: Vec<f64> = x.iter().zip(y).map(|(x, y)| y - line.at(*x)).collect();
        let sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        let middle = median(&residuals);
        let deviations: Vec<f64> = residuals.iter().map(|r| (r - middle).abs()).collect();
        let scale = median(&deviations) / MAD;
        if scale < 1e-12 {
            return Some(line);
        }
        let weights: Vec<f64> = sizes
            .iter()
            .map(|size| {
                if *size <= HUBER_K * scale {
                    1.0
                } else {
                    HUBER_K * scale / size
                }
            })
            .collect();
        let next = weighted(x, y, &weights)?;
        let moved = (next.slope - line.slope).abs() + (next.intercept - line.intercept).abs();
        line = next;
        if moved < 1e-12 {
            break;
        }
    }
    Some(line)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|value| of(*value)).sum::<f64>() / values.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    median_sorted(&sorted)
}

fn median_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// 97.5 % point of Student's distribution (Abramowitz and Stegun 26.7.5: 0.001 off at 9 degrees of freedom).
fn student(freedom: f64) -> f64 {
    let (z, v) = (Z, freedom);
    z + (z.powi(3) + z) / (4.0 * v)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * v * v)
        + (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / (384.0 * v.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(x: &[f64], y: &[f64], stations: usize) -> Vec<Pair> {
        let pair = |(index, (x, y)): (usize, (&f64, &f64))| Pair {
            station: format!("S-{}", index % stations),
            satellite: *x,
            ground: *y,
        };
        x.iter().zip(y).enumerate().map(pair).collect()
    }

    #[track_caller]
    fn near(a: f64, b: f64, tolerance: f64) {
        assert!((a - b).abs() < tolerance, "{a} for {b}");
    }

    /// Values of scipy 1.17.1 for ten pairs with one outlier.
    #[test]
    fn ten_pairs_with_an_outlier_give_what_scipy_gives() {
        let x = [0.21, 0.33, 0.45, 0.52, 0.61, 0.68, 0.74, 0.80, 0.30, 0.90];
        let y = [0.25, 0.35, 0.44, 0.55, 0.60, 0.71, 0.73, 0.85, 0.36, 0.40];
        let all = pairs(&x, &y, 5);
        let c = compare(&all).expect("ten pairs");
        near(c.ols.slope, 0.5973602874, 1e-9);
        near(c.ols.intercept, 0.1930624008, 1e-9);
        near(c.r2, 0.4960775072, 1e-9);
        near(c.theil_sen.slope, 0.9056603774, 1e-9);
        near(c.theil_sen.intercept, -0.0166981132, 1e-9);
        near(c.slope_interval[0], 0.5333333, 1e-6);
        near(c.slope_interval[1], 1.0285714, 1e-6);
        near(c.huber.slope, 0.89923042, 1e-7);
        near(c.huber.intercept, 0.06711940, 1e-7);
        near(c.bias, 0.03, 1e-12);
        near(c.rmse, 0.1613071604, 1e-9);
        near(c.ubrmse, 0.1584929020, 1e-9);
        near(c.mae, 0.0760, 1e-12);
        near(student(9.0), 2.262157, 1e-3);
        near(student(29.0), 2.045230, 1e-5);
        assert!(!judge(&all, &c).apply, "ten pairs are too few");
    }

    #[test]
    fn a_sensor_that_is_off_everywhere_is_corrected_and_a_good_one_is_not() {
        let x: Vec<f64> = (0..40).map(|i| 0.1 + 0.02 * f64::from(i)).collect();
        let wiggle = |i: usize| 0.01 * ((i * 7 % 11) as f64 / 5.0 - 1.0);
        let off: Vec<f64> = x
            .iter()
            .enumerate()
            .map(|(i, x)| 0.8 * x + 0.1 + wiggle(i))
            .collect();
        let all = pairs(&x, &off, 6);
        let comparison = compare(&all).expect("forty pairs");
        let verdict = judge(&all, &comparison);
        assert!(verdict.apply, "{verdict:?}");
        assert!(verdict.rmse_left_out.expect("six stations") < 0.02 && verdict.rmse_raw > 0.04);
        near(comparison.theil_sen.at(0.5), 0.5, 0.01);

        let good: Vec<f64> = x.iter().enumerate().map(|(i, x)| x + wiggle(i)).collect();
        let all = pairs(&x, &good, 6);
        let verdict = judge(&all, &compare(&all).expect("forty pairs"));
        assert!(!verdict.apply, "{verdict:?}");
    }

    #[test]
    fn what_holds_at_one_station_only_is_no_correction() {
        // each station is off in its own way: a line from the others makes it worse
        let mut all = Vec::new();
        for (station, shift) in [("A", 0.30), ("B", -0.25), ("C", 0.22), ("D", 0.02)] {
            for i in 0..10 {
                let satellite = 0.3 + 0.04 * f64::from(i) * if station == "A" { 1.0 } else { 0.2 };
                all.push(Pair {
                    station: station.into(),
                    satellite,
                    ground: satellite + shift,
                });
            }
        }
        let verdict = judge(&all, &compare(&all).expect("forty pairs"));
        assert!(!verdict.apply, "{verdict:?}");
    }

    #[test]
    fn two_pairs_or_a_constant_sensor_compare_to_nothing() {
        assert!(compare(&pairs(&[0.1, 0.2], &[0.1, 0.2], 2)).is_none());
        assert!(compare(&pairs(&[0.5; 5], &[0.1, 0.2, 0.3, 0.4, 0.5], 2)).is_none());
        assert!(compare(&pairs(&[0.5, f64::NAN, 0.6], &[0.1, 0.2, 0.3], 2)).is_none());
    }
}
