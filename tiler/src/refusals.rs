//! One line a second in the log for a flood of 503, not one a request.

use axum::http::Uri;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long others of the kind are only counted.
const SILENCE: Duration = Duration::from_secs(1);

/// 503 that were answered since one was told.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told: Option<Instant>,
    more: u64,
}

impl Refusals {
    /// Counts a 503; true when it is to be told by itself.
    pub(crate) fn count(&self, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.told.is_some_and(|told| now.duration_since(told) < SILENCE) {
            state.more += 1;
            return false;
        }
        state.told = Some(now);
        true
    }

    /// How many were not told, once the silence is over.
    fn untold(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = state.more > 0 && state.told.is_none_or(|told| now.duration_since(told) >= SILENCE);
        over.then(|| {
            state.told = Some(now);
            std::mem::take(&mut state.more)
        })
    }

    /// Tells how many more there were.
    pub(crate) fn tell(&self) {
        if let Some(more) = self.untold(Instant::now()) {
            tracing::warn!(
                status = 503,
                more,
                "answered: more requests than places, or what they ask for cannot be read"
            );
        }
    }

    /// Tells of one request, unless one was told a moment ago.
    pub(crate) fn answered(&self, uri: &Uri, ms: u64, id: &axum::http::HeaderValue) {
        if self.count(Instant::now()) {
            tracing::warn!(%uri, status = 503, ms, ?id, "answered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_two_lines_a_second_at_most() {
        let (refusals, start) = (Refusals::default(), Instant::now());
        let told = (0..1000)
            .filter(|ms| refusals.count(start + Duration::from_millis(*ms)))
            .count();
        assert_eq!(told, 1);
        assert_eq!(refusals.untold(start + Duration::from_millis(999)), None);
        assert_eq!(refusals.untold(start + Duration::from_secs(1)), Some(999));
        assert_eq!(refusals.untold(start + Duration::from_secs(3)), None, "told once");
        assert!(
            !refusals.count(start + Duration::from_millis(1500)),
            "that line counts for its second"
        );
        assert!(refusals.count(start + Duration::from_millis(2001)));
    }
}
