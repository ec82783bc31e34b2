//! A query ends when nobody waits for its answer any more.

use rusqlite::{Connection, InterruptHandle};
use std::sync::{Arc, Mutex, PoisonError};

/// Held by who waits: dropped before the answer is there, it interrupts the query.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Mutex<Stage>>);

/// Held by who works.
#[derive(Debug)]
pub(super) struct Query(Arc<Mutex<Stage>>);

#[derive(Default)]
enum Stage {
    /// No thread has it yet.
    #[default]
    InLine,
    Running(InterruptHandle),
    Done,
    /// Nobody waits, and nobody has begun.
    GivenUp,
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}

/// A query, as who waits and who works see it.
pub(super) fn query() -> (Waiting, Query) {
    let stage = Arc::default();
    (Waiting(Arc::clone(&stage)), Query(stage))
}

impl Query {
    /// Works with a connection, which is interrupted when nobody waits; `None` when nobody waits already.
    pub(super) fn run<T>(&self, connection: &Connection, work: impl FnOnce(&Connection) -> T) -> Option<T> {
        {
            let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if matches!(*stage, Stage::GivenUp) {
                return None;
            }
            *stage = Stage::Running(connection.get_interrupt_handle());
        }
        let result = work(connection);
        // from here on the connection may serve others: nothing interrupts it for this query any more
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Stage::Done;
        Some(result)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*stage {
            Stage::Running(handle) => handle.interrupt(),
            Stage::InLine => *stage = Stage::GivenUp,
            Stage::Done | Stage::GivenUp => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Counts to a number that takes minutes.
    const LONG: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000000) SELECT max(i) FROM n";

    #[test]
    fn a_query_ends_with_who_waits_for_it_and_the_connection_goes_on() {
        let connection = Connection::open_in_memory().expect("opens");
        let (waiting, query) = query();
        let started = Instant::now();
        let leaving = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            drop(waiting);
        });
        let long = |connection: &Connection| connection.query_row(LONG, [], |row| row.get::<_, i64>(0));
        let result = query.run(&connection, long).expect("somebody waited");
        assert!(result.is_err(), "interrupted");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
        leaving.join().expect("left");
        let one: i64 = connection
            .query_row("SELECT 1", [], |row| row.get(0))
            .expect("the next query works");
        assert_eq!(one, 1);
    }

    #[test]
    fn a_query_nobody_waits_for_does_not_begin() {
        let connection = Connection::open_in_memory().expect("opens");
        let (waiting, query) = query();
        drop(waiting);
        assert!(query.run(&connection, |_| ()).is_none());
        let (waiting, query) = super::query();
        assert!(query.run(&connection, |_| ()).is_some());
        drop(waiting); // after the answer it means nothing
        assert!(connection.execute_batch("SELECT 1").is_ok());
    }
}
