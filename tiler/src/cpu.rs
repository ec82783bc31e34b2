//! Where decoding, warping and encoding run: a small pool of threads beside the reactor, behind a bounded queue.
//!
//! A tile takes a fraction of a millisecond to a few of them: too long for the reactor. The way there and back with
//! an empty job, measured on two busy cores: this pool 2-6 us with 16 clients and 14-26 us with one, tokio's
//! `spawn_blocking` 28-37 and 46-61 us. `block_in_place` costs a microsecond, but has neither a bound on the jobs at
//! work nor a queue that can be full.

use crate::problem::{Outcome, Problem};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// The pool.
#[derive(Debug)]
pub(crate) struct Cpu {
    pool: rayon::ThreadPool,
    places: Arc<Semaphore>,
}

impl Cpu {
    /// A pool of `threads` with at most `queue` jobs waiting or running.
    pub(crate) fn new(threads: usize, queue: usize) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("sen-cpu-{index}"))
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Self {
            pool,
            places: Arc::new(Semaphore::new(queue)),
        })
    }

    /// A place in the queue, or 503 when it is full.
    pub(crate) fn place(&self) -> Outcome<OwnedSemaphorePermit> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| Problem::busy())
    }

    /// Runs a job whose place was taken before; a panic of it is logged and reaches `done` as `None`.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        job: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Option<T>) + Send + 'static,
    ) {
        self.pool.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(job));
            drop(place);
            done(result.ok());
        });
    }

    /// Runs a job and waits for its result.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Outcome<T> {
        let (sender, receiver) = oneshot::channel();
        let place = self.place()?;
        self.start(place, job, move |result| {
            let _ = sender.send(result); // nobody listens when the client has gone
        });
        receiver
            .await
            .ok()
            .flatten()
            .ok_or_else(|| Problem::internal("the work on this request"))
    }
}
