//! All tests of a property over a stretch of its series.

use super::{
    Tests, attenuated, flat_line_every, gaps, gross_range, median_interval_s, rate_of_change, spike,
};
use crate::observation::{Flag, Marks};

/// What the tests say of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Rolled up over all tests and what was given.
    pub flag: Flag,
    /// Which tests had something to say.
    pub marks: Marks,
}

/// A flat line takes at least so many steps: two equal readings of a gauge that is read twice a day are none.
const SHORTEST_FLAT_STEPS: f64 = 3.0;

/// How long a step may be before it is a gap, in usual steps.
const GAP_STEPS: f64 = 1.5;

/// Judges a stretch of a series: times in milliseconds, strictly growing; NaN for missing values; `given` what
/// whoever delivered the value said of it.
pub fn check(times: &[i64], values: &[f64], given: &[Flag], tests: &Tests) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = values
        .iter()
        .zip(given)
        .map(|(value, &given)| match given {
            _ if value.is_nan() => Verdict {
                flag: Flag::Missing,
                marks: Marks::default(),
            },
            Flag::Suspect | Flag::Fail => Verdict {
                flag: given,
                marks: Marks::GIVEN,
            },
            // a value that is there is not missing, whatever was said of it
            Flag::Missing => Verdict {
                flag: Flag::NotEvaluated,
                marks: Marks::default(),
            },
            _ => Verdict {
                flag: given,
                marks: Marks::default(),
            },
        })
        .collect();
    let mut apply = |flags: Vec<Flag>, mark: Marks| {
        for ((verdict, flag), value) in verdicts.iter_mut().zip(flags).zip(values) {
            if value.is_nan() {
                continue;
            }
            verdict.flag = verdict.flag.rolled_up(flag);
            if matches!(flag, Flag::Suspect | Flag::Fail) {
                verdict.marks.insert(mark);
            }
        }
    };
    let interval = tests
        .interval_s
        .map(i64::from)
        .or_else(|| median_interval_s(times));
    if let Some(test) = &tests.range {
        apply(gross_range(values, test.fail, test.suspect), Marks::RANGE);
    }
    if let Some(test) = &tests.spike {
        apply(spike(values, test.suspect, test.fail, test.method), Marks::SPIKE);
    }
    if let Some(test) = &tests.rate {
        let per_second = |per_hour: f64| per_hour / 3600.0;
        let fail = test.fail_per_hour.map(per_second);
        apply(
            rate_of_change(values, times, per_second(test.suspect_per_hour), fail),
            Marks::RATE,
        );
    }
    if let Some(test) = &tests.flat {
        let seconds = |hours: f64| (hours * 3600.0) as u32;
        let long_enough = |s: &i64| seconds(test.suspect_hours) as f64 >= SHORTEST_FLAT_STEPS * *s as f64;
        if let Some(interval) = interval.filter(long_enough) {
            let (suspect, fail) = (seconds(test.suspect_hours), seconds(test.fail_hours));
            apply(
                flat_line_every(values, interval, suspect, fail, test.tolerance),
                Marks::FLAT,
            );
        }
    }
    if let Some(test) = &tests.attenuated {
        apply(attenuated(values, times, test), Marks::ATTENUATED);
    }
    let usual = interval.filter(|&seconds| seconds > 0 && (tests.interval_s.is_some() || times.len() > 2));
    if let Some(usual) = usual {
        let longest = (usual as f64 * 1e3 * GAP_STEPS) as i64;
        for (verdict, gap) in verdicts.iter_mut().zip(gaps(times, longest)) {
            if gap {
                verdict.marks.insert(Marks::GAP);
            }
        }
    }
    verdicts
}

impl Tests {
    /// How far back a verdict looks, in seconds.
    pub fn reach_s(&self) -> u32 {
        let flat = self
            .flat
            .as_ref()
            .map_or(0.0, |test| test.suspect_hours.max(test.fail_hours));
        let attenuated = self.attenuated.as_ref().and_then(|test| test.period_s);
        ((flat * 3600.0) as u32).max(attenuated.unwrap_or(0))
    }
}
