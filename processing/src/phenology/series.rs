//! What the looks say of one plot through time, and the smoothed curves through them.

use super::whittaker::whittaker;

/// A value of a plot on a day.
pub(super) type Look = (i32, f64);

/// The looks of one plot, in order of time. Days are counted from any common day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Mean cross-polarised backscatter (VH) of the plot, decibel.
    pub radar: Vec<Look>,
    /// Mean NDVI of the plot, of looks that saw most of it clear.
    pub optical: Vec<Look>,
}

/// Smoothness of the radar curve (days to the fourth power): what is shorter than two weeks is noise of single looks.
const RADAR_LAMBDA: f64 = 30.0;
/// Smoothness of the NDVI curve: what is shorter than five weeks is no crop.
const NDVI_LAMBDA: f64 = 1000.0;

/// A curve with a value a day.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) first: i32,
    pub(super) values: Vec<f64>,
}

impl Curve {
    /// The smoothed radar curve.
    pub(super) fn radar(looks: &[Look]) -> Option<Self> {
        Self::new(looks, RADAR_LAMBDA)
    }

    /// The smoothed NDVI curve.
    pub(super) fn ndvi(looks: &[Look]) -> Option<Self> {
        Self::new(looks, NDVI_LAMBDA)
    }

    fn new(looks: &[Look], lambda: f64) -> Option<Self> {
        let (first, last) = (looks.first()?.0, looks.last()?.0);
        let length = usize::try_from(last - first).ok()? + 1;
        let (mut sums, mut weights) = (vec![0.0; length], vec![0.0; length]);
        for (day, value) in looks {
            let index = (day - first) as usize;
            sums[index] += value;
            weights[index] += 1.0;
        }
        let means: Vec<f64> = sums
            .iter()
            .zip(&weights)
            .map(|(sum, weight)| if *weight > 0.0 { sum / weight } else { 0.0 })
            .collect();
        Some(Self {
            first,
            values: whittaker(&means, &weights, lambda),
        })
    }

    /// The day of a place on the curve.
    pub(super) fn day(&self, index: usize) -> i32 {
        self.first + index as i32
    }

    /// The days and values between two days, both included.
    pub(super) fn between(&self, from: f64, to: f64) -> impl Iterator<Item = Look> + '_ {
        let days = (0..self.values.len()).map(|index| (self.day(index), self.values[index]));
        days.filter(move |look| f64::from(look.0) >= from && f64::from(look.0) <= to)
    }
}

/// The value below which the given share of the looks lies.
pub(super) fn percentile(looks: &[Look], share: f64) -> Option<f64> {
    let mut values: Vec<f64> = looks.iter().map(|look| look.1).collect();
    values.sort_by(f64::total_cmp);
    let index = (share * values.len().saturating_sub(1) as f64).round() as usize;
    values.get(index).copied()
}

/// Days from the look before to the look after a day: how well the looks tell when something happened.
pub(super) fn gap_around(looks: &[Look], day: f64) -> f64 {
    let after = looks.partition_point(|look| f64::from(look.0) < day);
    match (
        after.checked_sub(1).and_then(|index| looks.get(index)),
        looks.get(after),
    ) {
        (Some(before), Some(after)) => f64::from(after.0 - before.0),
        _ => 12.0,
    }
}
