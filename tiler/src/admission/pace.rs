//! How slow a client may be: nobody is cut off for taking long, only for standing still or crawling.

use std::time::{Duration, Instant};

/// A client that stands still for so long is cut off.
pub(crate) const STILL: Duration = Duration::from_secs(15);

/// Bytes a second that a client must keep up on average.
pub(crate) const LEAST_RATE: u64 = 5_000;

/// Time that a client has before it is cut off. It begins with [`STILL`], and every byte buys a share of a second, up to
/// [`STILL`] again: whoever keeps up [`LEAST_RATE`] goes on for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    deadline: Instant,
}

impl Pace {
    /// The client is waited for from now on.
    pub(crate) fn begin(now: Instant) -> Self {
        Self {
            deadline: now + STILL,
        }
    }

    /// Some bytes came through.
    pub(crate) fn moved(&mut self, now: Instant, bytes: usize) {
        let bought = Duration::from_micros(bytes as u64 * 1_000_000 / LEAST_RATE);
        self.deadline = (self.deadline + bought).min(now + STILL);
    }

    /// Nothing was asked of the client for a while.
    pub(crate) fn rested(&mut self, now: Instant, time: Duration) {
        self.deadline = (self.deadline + time).min(now + STILL);
    }

    /// When the client is cut off unless something moves.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds until a client is cut off that sends `bytes` every `every` seconds; `None`: not within ten hours.
    fn cut_after(bytes: usize, every: f64) -> Option<u64> {
        let start = Instant::now();
        let mut pace = Pace::begin(start);
        for step in 1..(36_000.0 / every) as u32 {
            let now = start + Duration::from_secs_f64(every * f64::from(step));
            if pace.deadline() < now {
                return Some((pace.deadline() - start).as_secs());
            }
            pace.moved(now, bytes);
        }
        None
    }

    #[test]
    fn a_slow_line_goes_on_and_a_crawling_one_is_cut_off() {
        assert_eq!(cut_after(0, 1.0), Some(15), "nothing comes");
        assert_eq!(cut_after(1, 1.0), Some(15), "a byte a second");
        assert_eq!(cut_after(1, 14.0), Some(15), "a byte in 14 s");
        assert_eq!(
            cut_after(4_000, 1.0),
            Some(71),
            "below 5 kB/s: of 15 s a fifth is lost each second"
        );
        assert_eq!(cut_after(6_000, 1.0), None, "a rural line");
        assert_eq!(cut_after(75_000, 14.0), None, "pauses of 14 s");
        assert_eq!(
            cut_after(10_000_000, 16.0),
            Some(15),
            "16 s without a byte, however much came before"
        );
    }
}
