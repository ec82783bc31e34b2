//! How long a route works: measured with every answer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What is expected of a route that was never asked.
const AT_FIRST: Duration = Duration::from_millis(50);

/// The times of one route, microseconds.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What it takes now, with whatever else is going on.
    now_us: AtomicU64,
    /// What it takes when nothing else is going on.
    calm_us: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        let at_first = AT_FIRST.as_micros() as u64;
        Self {
            now_us: AtomicU64::new(at_first),
            calm_us: AtomicU64::new(at_first),
        }
    }
}

impl Clock {
    /// What a request will take.
    pub(crate) fn expected(&self) -> Duration {
        Duration::from_micros(self.now_us.load(Relaxed))
    }

    /// What one takes in calm.
    pub(crate) fn calm(&self) -> Duration {
        Duration::from_micros(self.calm_us.load(Relaxed))
    }

    /// A request took so long, `alone` or beside others. Of two at the same time one may be lost: it is an estimate.
    pub(crate) fn took(&self, time: Duration, alone: bool) {
        let time = time.as_micros() as u64;
        let towards = |old: u64| {
            if time > old {
                old + (time - old).div_ceil(8)
            } else {
                old - (old - time).div_ceil(8)
            }
        };
        let now = towards(self.now_us.load(Relaxed));
        self.now_us.store(now, Relaxed);
        let calm = self.calm_us.load(Relaxed);
        // what goes quickly beside others goes quickly in calm
        let calm = if alone { towards(calm) } else { calm.min(now) };
        self.calm_us.store(calm, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_lengthens_what_is_expected_and_not_what_is_calm() {
        let clock = Clock::default();
        let [calm, flood] = [20, 400].map(Duration::from_millis);
        for _ in 0..60 {
            clock.took(calm, true);
        }
        assert!(clock.calm() <= Duration::from_millis(21), "{:?}", clock.calm());
        for _ in 0..60 {
            clock.took(flood, false);
        }
        assert!(
            clock.expected() > Duration::from_millis(390),
            "{:?}",
            clock.expected()
        );
        assert!(clock.calm() <= Duration::from_millis(21), "{:?}", clock.calm());
        for _ in 0..60 {
            clock.took(Duration::from_millis(10), false);
        }
        assert!(clock.calm() < Duration::from_millis(11), "quick beside others");
    }
}
