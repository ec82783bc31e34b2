//! Bytes that may be held at the same time: reserved before they are there, given back when they are not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// An account of bytes.
#[derive(Debug)]
pub(crate) struct Ledger {
    budget: u64,
    held: AtomicU64,
}

impl Ledger {
    pub(crate) fn new(budget: u64) -> Arc<Self> {
        Arc::new(Self {
            budget,
            held: AtomicU64::new(0),
        })
    }

    /// Bytes that are reserved now.
    pub(crate) fn held(&self) -> u64 {
        self.held.load(Relaxed)
    }

    /// Reserves bytes, if there is room.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let mut reservation = self.reserve_anyway(0);
        reservation.grow(bytes).then_some(reservation)
    }

    /// Reserves bytes though there be no room, for those who must not starve.
    pub(crate) fn reserve_anyway(self: &Arc<Self>, bytes: u64) -> Reservation {
        self.held.fetch_add(bytes, Relaxed);
        Reservation {
            ledger: Arc::clone(self),
            bytes,
        }
    }
}

/// Bytes that are spoken for until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    ledger: Arc<Ledger>,
    bytes: u64,
}

impl Reservation {
    /// Takes more, if there is room.
    pub(crate) fn grow(&mut self, by: u64) -> bool {
        let budget = self.ledger.budget;
        let more = |held: u64| held.checked_add(by).filter(|sum| *sum <= budget);
        let grown = self.ledger.held.fetch_update(Relaxed, Relaxed, more).is_ok();
        if grown {
            self.bytes += by;
        }
        grown
    }

    /// Gives back what is beyond `bytes`.
    pub(crate) fn shrink(&mut self, bytes: u64) {
        let rest = self.bytes.saturating_sub(bytes);
        self.ledger.held.fetch_sub(rest, Relaxed);
        self.bytes -= rest;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_bounded_and_comes_back() {
        let ledger = Ledger::new(100);
        let mut first = ledger.reserve(60).expect("room");
        assert!(ledger.reserve(41).is_none());
        assert_eq!(ledger.held(), 60, "who was refused holds nothing");
        first.shrink(10);
        let mut second = ledger.reserve(41).expect("room was given back");
        assert!(second.grow(49) && !second.grow(1));
        let third = ledger.reserve_anyway(5);
        assert_eq!(ledger.held(), 105);
        drop((first, second, third));
        assert_eq!(ledger.held(), 0);
    }
}
