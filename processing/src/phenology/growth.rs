//! Stretches of time in which plants may stand, told by radar and by NDVI.

use super::series::{Curve, Look, Series, gap_around, percentile};

/// A plot whose VH moves less than this (decibel) is never flooded for a crop.
const SMALLEST_SWING_DB: f64 = 3.0;
/// Share of the swing by which the curve must pass the middle before it counts.
const HYSTERESIS: f64 = 0.1;
/// NDVI of bare or flooded ground is below, that of a rice crop in full leaf above; weeds on fallow stay between.
const BARE_NDVI: f64 = 0.35;
const LEAFY_NDVI: f64 = 0.7;
/// A crop needs at least so many days from bare ground to its end.
const SHORTEST_CROP_DAYS: f64 = 60.0;

/// A stretch in which plants may stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Day on which radar saw plants instead of water, with the days between the looks around it.
    pub(super) rise: Option<(f64, f64)>,
    /// Day on which NDVI passed half its way up, likewise; only where no water was seen.
    pub(super) greening: Option<(f64, f64)>,
    /// Last day that belongs to it, if something ended it.
    pub(super) end: Option<f64>,
    /// Day on which the water before it came, where that was seen.
    pub(super) flooded: Option<f64>,
}

impl Stretch {
    /// The first day of it, at the earliest the first look.
    pub(super) fn from(&self, first: i32) -> f64 {
        self.rise
            .or(self.greening)
            .map_or(f64::from(first), |(day, _)| day)
    }
}

/// The stretches of a series, in order of time.
pub(super) fn stretches(series: &Series, ndvi: Option<&Curve>) -> Vec<Stretch> {
    let by_radar = between_floods(&series.radar);
    let Some(ndvi) = ndvi else { return by_radar };
    by_radar
        .into_iter()
        .flat_map(|stretch| split(stretch, ndvi, &series.optical))
        .collect()
}

/// Between floodings: where smoothed VH lies above the middle of its swing.
fn between_floods(looks: &[Look]) -> Vec<Stretch> {
    let whole = Stretch {
        rise: None,
        greening: None,
        end: None,
        flooded: None,
    };
    let (Some(low), Some(high), Some(curve)) = (
        percentile(looks, 0.1),
        percentile(looks, 0.75),
        Curve::radar(looks),
    ) else {
        return vec![whole];
    };
    let swing = high - low;
    if swing < SMALLEST_SWING_DB {
        return vec![whole];
    }
    let middle = f64::midpoint(low, high);
    let mut above = curve.values.first().is_some_and(|value| *value >= middle);
    let mut stretches = if above { vec![whole] } else { Vec::new() };
    let mut crossing = None;
    let mut flooded = None;
    for (index, pair) in curve.values.windows(2).enumerate() {
        let (before, now) = (pair[0], pair[1]);
        if (before < middle) != (now < middle) {
            let part = (middle - before) / (now - before);
            crossing = Some(f64::from(curve.day(index)) + part);
        }
        let passed = if above {
            now < middle - HYSTERESIS * swing
        } else {
            now > middle + HYSTERESIS * swing
        };
        let Some(day) = crossing.filter(|_| passed) else {
            continue;
        };
        above = !above;
        if above {
            stretches.push(Stretch {
                rise: Some((day, gap_around(looks, day))),
                flooded,
                ..whole
            });
        } else {
            flooded = Some(day);
            if let Some(last) = stretches.last_mut() {
                last.end = Some(day);
            }
        }
    }
    stretches
}

/// Cuts a stretch where NDVI shows bare ground and then leaves: a crop that was sown without being seen flooded.
fn split(stretch: Stretch, ndvi: &Curve, looks: &[Look]) -> Vec<Stretch> {
    let first = ndvi.first;
    let start = stretch.from(first);
    let last = f64::from(ndvi.day(ndvi.values.len() - 1));
    let end = stretch.end.unwrap_or(last);
    // after a flooding seen by radar the ground is bare for weeks
    let free = if stretch.rise.is_some() {
        start + 40.0
    } else {
        start
    };
    let mut parts = vec![stretch];
    let mut lowest: Option<Look> = None;
    for (day, value) in ndvi.between(free, end) {
        if lowest.is_none_or(|low| value < low.1) {
            lowest = Some((day, value));
        }
        let Some(low) = lowest.filter(|low| low.1 < BARE_NDVI && value > LEAFY_NDVI) else {
            // leaves: what comes now may be bare again
            if value > LEAFY_NDVI {
                lowest = None;
            }
            continue;
        };
        lowest = None;
        if end - f64::from(low.0) < SHORTEST_CROP_DAYS {
            continue;
        }
        let half = f64::midpoint(low.1, 0.85);
        let crossing = ndvi
            .between(f64::from(low.0), end)
            .find(|look| look.1 >= half)
            .map_or(f64::from(day), |look| f64::from(look.0));
        if let Some(before) = parts.last_mut() {
            before.end = Some(f64::from(low.0));
        }
        parts.push(Stretch {
            rise: None,
            greening: Some((crossing, gap_around(looks, crossing))),
            end: stretch.end,
            flooded: None,
        });
    }
    parts
}
