//! On which day did it happen? The probability of each day, from looks before and after.

/// A day with the half width of the interval that holds it with about 95 %.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Day number; halves of a day are no promise of precision.
    pub day: f64,
    /// Half width in days.
    pub spread: f64,
}

/// Log-likelihood of "it happened on this day" for days `first..=last`, and of "not yet" after the last.
#[derive(Debug)]
pub(super) struct Change {
    first: i32,
    days: Vec<f64>,
    not_yet: f64,
}

impl Change {
    /// No opinion on any of the days; none when there is no day.
    pub(super) fn new(first: i32, last: i32) -> Option<Self> {
        (last >= first).then(|| Self {
            first,
            days: vec![0.0; (last - first + 1) as usize],
            not_yet: 0.0,
        })
    }

    /// It happened, there is no "not yet".
    pub(super) fn has_happened(&mut self) {
        self.not_yet = f64::NEG_INFINITY;
    }

    /// Adds the opinion of a look: `before` if it was still to come on that day, `after` if it had happened.
    pub(super) fn look(&mut self, day: i32, before: f64, after: f64) {
        for (index, value) in self.days.iter_mut().enumerate() {
            *value += if self.first + index as i32 <= day {
                after
            } else {
                before
            };
        }
        self.not_yet += before;
    }

    /// Adds what is known of the day itself beforehand, and the weight of "later than all of them".
    pub(super) fn prior(&mut self, of: impl Fn(f64) -> f64, later: f64) {
        for (index, value) in self.days.iter_mut().enumerate() {
            *value += of(f64::from(self.first + index as i32));
        }
        self.not_yet += later;
    }

    /// Adds a fall of the level of `(day, value)` with the given standard deviation: two levels, the later one lower.
    pub(super) fn fall(&mut self, looks: &[(i32, f64)], deviation: f64) {
        let squares = |looks: &[(i32, f64)]| {
            let mean = mean(looks);
            looks.iter().map(|look| (look.1 - mean).powi(2)).sum::<f64>()
        };
        let scale = -0.5 / (deviation * deviation);
        let one_level = scale * squares(looks);
        for (index, value) in self.days.iter_mut().enumerate() {
            let day = self.first + index as i32;
            let (before, after) = looks.split_at(looks.partition_point(|look| look.0 < day));
            *value += if !before.is_empty() && !after.is_empty() && mean(after) > mean(before) {
                one_level
            } else {
                scale * (squares(before) + squares(after))
            };
        }
        self.not_yet += one_level;
    }

    /// The median day and its interval; none when it more likely has not happened yet.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        let top = self.days.iter().copied().fold(self.not_yet, f64::max);
        let weights: Vec<f64> = self.days.iter().map(|value| (value - top).exp()).collect();
        let total: f64 = weights.iter().sum();
        if total <= (self.not_yet - top).exp() {
            return None;
        }
        let quantile = |share: f64| {
            let mut sum = 0.0;
            let place = weights.iter().position(|weight| {
                sum += weight / total;
                sum >= share
            });
            f64::from(self.first) + place.unwrap_or(weights.len() - 1) as f64
        };
        Some(Estimate {
            day: quantile(0.5),
            spread: (quantile(0.975) - quantile(0.025)) / 2.0,
        })
    }
}

fn mean(looks: &[(i32, f64)]) -> f64 {
    looks.iter().map(|look| look.1).sum::<f64>() / looks.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_the_last_look_before_and_the_first_after_every_day_is_as_likely() {
        let mut change = Change::new(100, 140).expect("days");
        change.look(110, 0.0, -8.0);
        change.look(120, -8.0, 0.0);
        let estimate = change.estimate().expect("it happened");
        assert!((estimate.day - 115.5).abs() <= 1.0, "{estimate:?}");
        assert!((3.5..6.0).contains(&estimate.spread), "{estimate:?}");
    }

    #[test]
    fn a_level_that_falls_is_found_and_one_that_rises_is_not_a_fall() {
        let fall: Vec<(i32, f64)> = (0..12)
            .map(|i| (i * 6, if i < 7 { -15.0 } else { -18.0 }))
            .collect();
        let mut change = Change::new(10, 60).expect("days");
        change.fall(&fall, 0.7);
        let estimate = change.estimate().expect("it fell");
        assert!((37.0..=42.0).contains(&estimate.day), "{estimate:?}");
        let rise: Vec<(i32, f64)> = fall.iter().map(|look| (look.0, -look.1)).collect();
        let mut change = Change::new(10, 60).expect("days");
        change.fall(&rise, 0.7);
        change.prior(|_| 0.0, 5.0);
        assert_eq!(change.estimate(), None);
    }

    #[test]
    fn no_days_no_change() {
        assert!(Change::new(5, 4).is_none());
    }
}
