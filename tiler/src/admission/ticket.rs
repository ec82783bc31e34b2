//! What an admitted request holds: its place, and the bytes its answer may hold.

use super::class::Class;
use super::ledger::Reservation;
use super::{Admission, CarriedBytes};
use crate::problem::Problem;
use axum::body::Bytes;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

tokio::task_local! {
    /// The request that is worked on.
    static TICKET: Ticket;
}

/// A place in work; the next in line gets it when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    admission: Arc<Admission>,
    class: Class,
    expected: Duration,
    /// The route that is worked on, and since when.
    began: Option<(usize, Instant)>,
    calm: bool,
}

impl Place {
    /// A place for `expected` time of work, which has not begun.
    pub(super) fn new(admission: Arc<Admission>, class: Class, expected: Duration) -> Self {
        let calm = admission.began();
        Self {
            admission,
            class,
            expected,
            began: None,
            calm,
        }
    }

    /// The work of a route begins.
    pub(super) fn started(mut self, number: usize) -> Self {
        self.began = Some((number, Instant::now()));
        self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let took = self.began.map(|(number, began)| (number, began.elapsed()));
        self.admission.ended(self.class, self.expected, took, self.calm);
    }
}

#[derive(Debug)]
struct Held {
    /// Dropped first, so that who comes next finds the bytes.
    bytes: Mutex<Option<Reservation>>,
    _place: Place,
    ceiling: u64,
    waited: Duration,
}

/// A request that was let in. Work that goes on after its client has gone keeps a clone, so that the place stays taken
/// until the work has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ticket(Arc<Held>);

impl Ticket {
    pub(super) fn new(place: Place, bytes: Reservation, ceiling: u64, waited: Duration) -> Self {
        Self(Arc::new(Held {
            bytes: Mutex::new(Some(bytes)),
            _place: place,
            ceiling,
            waited,
        }))
    }

    /// How long the request stood in line.
    pub(crate) fn waited(&self) -> Duration {
        self.0.waited
    }

    pub(super) fn ceiling(&self) -> u64 {
        self.0.ceiling
    }

    /// The answer, with its own bytes of the reservation; the rest goes back, and with it the place.
    pub(super) fn carry(self, bytes: Bytes) -> Bytes {
        let held = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner).take();
        match held {
            Some(mut held) => {
                held.shrink(bytes.len() as u64);
                Bytes::from_owner(CarriedBytes { bytes, _held: held })
            }
            None => bytes,
        }
    }
}

/// Works on a request that was let in.
pub(super) async fn scope<T>(ticket: Ticket, work: impl Future<Output = T>) -> T {
    TICKET.scope(ticket, work).await
}

/// The request that is worked on here, where there is one.
pub(crate) fn current() -> Option<Ticket> {
    TICKET.try_with(Clone::clone).ok()
}

/// About the bytes that a JSON value takes in memory and, written out, in the answer.
pub(crate) fn weight(value: &Value) -> usize {
    const ENTRY: usize = 48; // a number, or the head of a text, list or object, with its place in what holds it
    ENTRY
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => 2 * text.len(),
            Value::Array(values) => values.iter().map(weight).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| 2 * name.len() + ENTRY + weight(value))
                .sum(),
        }
}

/// 413, with what would fit.
pub(super) fn too_large(ceiling: u64) -> Problem {
    Problem::too_large(format!(
        "the answer would hold more than the {} MB of this address; ask for less at once: a smaller box, limit or $top, \
         fewer weeks, fewer properties",
        ceiling >> 20
    ))
}
