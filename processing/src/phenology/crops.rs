//! The crops of one plot from its looks.
//!
//! Water before the crop and plants after it are told apart by radar, which clouds do not stop: in the delta rice is
//! sown on ground that was flooded for it, and cross-polarised backscatter is low until the plants hide the water (Phung
//! et al. 2020). Heading is the maximum of smoothed NDVI, harvest its fall after heading (Sakamoto et al. 2005), told
//! by clear looks together with the fall of VH, and bounded by the next flooding.

use super::change::{Change, Estimate};
use super::growth::{self, Stretch};
use super::series::{Curve, Look, Series, percentile};
use super::settings::CalendarSettings;

/// A crop in full leaf has at least this NDVI; weeds on fallow have less.
const CROP_NDVI: f64 = 0.6;
/// Without a clear look, plants that radar sees for so long are a crop.
const SHORTEST_BY_RADAR_DAYS: f64 = 60.0;
/// A date of harvest that may be off by more is none: nothing was seen of it.
const LONGEST_DOUBT_DAYS: f64 = 30.0;
/// Bare ground of any plot has at least this NDVI once the water is gone.
const LOWEST_BARE_NDVI: f64 = 0.12;
/// Where on the way from bare ground to the peak the harvest is passed: ripe rice is far below the peak already.
const END_SHARE: f64 = 0.3;
/// Log-odds per unit of NDVI that plants still stand (looks scatter by about 0.05), and their bound, for a look may be
/// hazy.
const LOG_ODDS: f64 = 20.0;
const LARGEST_LOG_ODDS: f64 = 6.0;
/// Scatter of the VH of a plot from look to look, decibel.
const RADAR_DEVIATION_DB: f64 = 0.7;
/// Standard deviation of the time from sowing to harvest around the usual one, days: seeds, weather, and the error of
/// the date of sowing.
const DURATION_DEVIATION: f64 = 14.0;
/// Nothing is harvested earlier after the plants came up.
const RISE_TO_HARVEST_DAYS: f64 = 35.0;
/// A crop that ends earlier than so many days after sowing is lost, not harvested.
const SHORTEST_DURATION: f64 = 70.0;
/// Scatter of the times from sowing to emergence and to greening, days.
const EMERGENCE_DEVIATION: f64 = 3.0;
/// Without radar the wait for a clear look makes it larger.
const GREENING_DEVIATION: f64 = 5.0;

/// A crop of a plot; days as in the series.
#[derive(Clone, Debug, PartialEq)]
pub struct Crop {
    /// Sowing.
    pub sowing: Option<Estimate>,
    /// Heading.
    pub heading: Option<Estimate>,
    /// Harvest.
    pub harvest: Option<Estimate>,
    /// Day on which it was first seen to be lost.
    pub lost: Option<f64>,
}

/// The crops of a plot, in order of time.
pub fn crops(series: &Series, settings: &CalendarSettings) -> Vec<Crop> {
    let days = series.radar.iter().chain(&series.optical).map(|look| look.0);
    let (Some(first), Some(last)) = (days.clone().min(), days.max()) else {
        return Vec::new();
    };
    let ndvi = Curve::ndvi(&series.optical);
    let stretches = growth::stretches(series, ndvi.as_ref());
    let reader = Reader {
        series,
        settings,
        ndvi: ndvi.as_ref(),
        bare: percentile(&series.optical, 0.05)
            .unwrap_or(LOWEST_BARE_NDVI)
            .max(LOWEST_BARE_NDVI),
        first,
        last,
    };
    stretches
        .iter()
        .filter_map(|stretch| reader.crop(stretch))
        .collect()
}

/// What is needed to read a crop off a stretch.
struct Reader<'a> {
    series: &'a Series,
    settings: &'a CalendarSettings,
    ndvi: Option<&'a Curve>,
    /// NDVI of the plot's bare ground.
    bare: f64,
    first: i32,
    last: i32,
}

impl Reader<'_> {
    fn crop(&self, stretch: &Stretch) -> Option<Crop> {
        let start = stretch.from(self.first);
        let end = stretch.end.unwrap_or(f64::from(self.last));
        let sowing = self.sowing(stretch);
        let seen = within(&self.series.optical, start, end);
        let peak = seen.iter().map(|look| look.1).fold(f64::NEG_INFINITY, f64::max);
        let lost = |sowing: Option<Estimate>| {
            sowing.map(|sowing| Crop {
                sowing: Some(sowing),
                heading: None,
                harvest: None,
                lost: Some(end),
            })
        };
        if stretch.end.is_some() && end - start < RISE_TO_HARVEST_DAYS {
            // water came back over young plants; without a look at leaves it may have been a pause in the flooding
            return lost(sowing.filter(|_| peak >= CROP_NDVI));
        }
        let late = seen.last().is_some_and(|look| f64::from(look.0) >= start + 30.0);
        let leafy = if late || seen.len() > 2 {
            peak >= CROP_NDVI
        } else {
            // clouds all the time: radar alone must have seen plants for as long as a crop stands; ground from which
            // a flood has gone looks the same at first
            stretch.rise.is_some() && (peak >= CROP_NDVI || end - start >= SHORTEST_BY_RADAR_DAYS)
        };
        if !leafy {
            return None;
        }
        let harvest = self.harvest(stretch, sowing, peak);
        if sowing.is_none() && harvest.is_none() {
            // always green: no crop that comes and goes
            return None;
        }
        if let (Some(begun), Some(cut)) = (sowing, harvest)
            && cut.day - begun.day < SHORTEST_DURATION
        {
            return stretch.end.and_then(|_| lost(sowing));
        }
        Some(Crop {
            heading: self.heading(stretch, sowing, harvest),
            sowing,
            harvest,
            lost: None,
        })
    }

    fn sowing(&self, stretch: &Stretch) -> Option<Estimate> {
        let estimate = |(day, gap): (f64, f64), before: f64, deviation: f64| Estimate {
            // the looks leave the crossing open by the gap between them, evenly
            spread: 2.0 * (gap * gap / 12.0 + deviation * deviation).sqrt(),
            day: day - before,
        };
        if let Some(rise) = stretch.rise {
            let mut sowing = estimate(rise, self.settings.emergence_days, EMERGENCE_DEVIATION);
            // the ground is flooded first
            sowing.day = sowing.day.max(stretch.flooded.unwrap_or(sowing.day));
            return Some(sowing);
        }
        let greening = stretch.greening?;
        Some(estimate(
            greening,
            self.settings.greening_days,
            GREENING_DEVIATION,
        ))
    }

    fn harvest(&self, stretch: &Stretch, sowing: Option<Estimate>, peak: f64) -> Option<Estimate> {
        let start = stretch.from(self.first);
        let known_start = stretch.rise.or(stretch.greening).is_some();
        let from = start + if known_start { RISE_TO_HARVEST_DAYS } else { 0.0 };
        let to = stretch.end.unwrap_or(f64::from(self.last));
        let mut change = Change::new(from.ceil() as i32, to.floor() as i32)?;
        let peak = if peak.is_finite() { peak.min(0.9) } else { 0.8 };
        let limit = self.bare + END_SHARE * (peak - self.bare);
        for (day, value) in within(&self.series.optical, from, to) {
            let odds = (LOG_ODDS * (value - limit)).clamp(-LARGEST_LOG_ODDS, LARGEST_LOG_ODDS);
            change.look(*day, -(-odds).exp().ln_1p(), -odds.exp().ln_1p());
        }
        // the last look before the next flooding may see its water already
        let dry = if stretch.end.is_some() { to - 3.0 } else { to };
        change.fall(within(&self.series.radar, from, dry), RADAR_DEVIATION_DB);
        if stretch.end.is_some() {
            change.has_happened();
        }
        if let Some(sowing) = sowing {
            let usual = sowing.day + self.settings.duration();
            let prior = |day: f64| -0.5 * ((day - usual) / DURATION_DEVIATION).powi(2);
            let later = upper_tail((to - usual) / DURATION_DEVIATION).max(1e-6);
            let whole = DURATION_DEVIATION * std::f64::consts::TAU.sqrt();
            change.prior(prior, (later * whole).ln());
        } else {
            // any of the next thirty days as well
            change.prior(|_| 0.0, 30_f64.ln());
        }
        change
            .estimate()
            .filter(|estimate| estimate.spread <= LONGEST_DOUBT_DAYS)
    }

    /// The maximum of smoothed NDVI between the leaves' closing and ripening, and as long before harvest as ripening takes:
    /// both by their certainty, or the one there is. NDVI alone is flat around heading.
    fn heading(
        &self,
        stretch: &Stretch,
        sowing: Option<Estimate>,
        harvest: Option<Estimate>,
    ) -> Option<Estimate> {
        let ripening = self.settings.ripening_days;
        let vegetative = self.settings.duration() - ripening;
        let from = sowing.map_or(f64::from(self.first), |sowing| sowing.day + vegetative - 20.0);
        let to = harvest.map_or(f64::from(self.last), |harvest| harvest.day - ripening + 10.0);
        let by_harvest = harvest.map(|harvest| Estimate {
            day: harvest.day - ripening,
            spread: harvest.spread.hypot(8.0),
        });
        // without a harvest the maximum may be still to come
        if harvest.is_none()
            && sowing.is_none_or(|sowing| f64::from(self.last) < sowing.day + vegetative + 10.0)
        {
            return None;
        }
        if by_harvest.is_some_and(|heading| heading.day < f64::from(self.first)) || to < from {
            return by_harvest.filter(|heading| heading.day >= f64::from(self.first));
        }
        let seen = within(&self.series.optical, from - 10.0, to + 10.0).len();
        let curve = self.ndvi.filter(|_| seen >= 2);
        let best = curve.and_then(|curve| {
            curve
                .between(from.max(stretch.from(self.first)), to)
                .max_by(|a, b| a.1.total_cmp(&b.1))
        });
        let by_ndvi = best.map(|look| Estimate {
            day: f64::from(look.0),
            spread: 12.0,
        });
        match (by_ndvi, by_harvest) {
            (Some(a), Some(b)) => Some(both(a, b)),
            (one, other) => one.or(other),
        }
    }
}

/// Two independent estimates of one day, each by its certainty.
fn both(a: Estimate, b: Estimate) -> Estimate {
    let (wa, wb) = (a.spread.max(0.5).powi(-2), b.spread.max(0.5).powi(-2));
    Estimate {
        day: (a.day * wa + b.day * wb) / (wa + wb),
        spread: (wa + wb).powf(-0.5),
    }
}

/// The looks between two days, both included.
fn within(looks: &[Look], from: f64, to: f64) -> &[Look] {
    let start = looks.partition_point(|look| f64::from(look.0) < from);
    let end = looks.partition_point(|look| f64::from(look.0) <= to);
    looks.get(start..end).unwrap_or_default()
}

/// Share of a normal distribution above `x` standard deviations (Abramowitz and Stegun 26.2.17, error below 1e-7).
fn upper_tail(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.2316419 * x.abs());
    let series =
        t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
    let tail = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt() * series;
    if x >= 0.0 { tail } else { 1.0 - tail }
}
