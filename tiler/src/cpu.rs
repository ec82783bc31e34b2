//! Where decoding, warping and encoding run: a small pool of threads for tiles, and others for all else.
//!
//! A tile takes a fraction of a millisecond to a few of them: too long for the reactor. The way there and back with
//! an empty job, measured on two busy cores: this pool 2-6 us with 16 clients and 14-26 us with one, tokio's
//! `spawn_blocking` 28-37 and 46-61 us. `block_in_place` costs a microsecond, but has no bound on the jobs at work.
//! All else has threads of its own, which stand back behind those of tiles: pictures and statistics go on where no
//! tile is asked for. How much is at work at all is decided before ([`crate::admission`]).

use crate::admission::{current, step_back};
use crate::problem::{Outcome, Problem};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The pool.
#[derive(Debug)]
pub(crate) struct Cpu {
    pool: rayon::ThreadPool,
}

impl Cpu {
    /// A pool of `threads`.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("sen-cpu-{index}"))
            .build()
            .map_err(std::io::Error::other)?;
        // the pieces of longer work, which is cut into blocks of a raster, go through rayon's own pool, whose pieces come
        // from all requests in turn; it may be there already where there are several services, as in tests
        let pieces = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("sen-piece-{index}"))
            .start_handler(|_| step_back());
        if let Err(error) = pieces.build_global() {
            tracing::debug!(%error, "the threads of longer work are there already");
        }
        Ok(Self { pool })
    }

    /// Draws a tile; a panic is logged and reaches `done` as `None`.
    pub(crate) fn start<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
        done: impl FnOnce(Option<T>) + Send + 'static,
    ) {
        self.pool.spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(job));
            done(result.ok());
        });
    }

    /// Runs other work and waits for its result. The place of the request stays taken until it has ended, whether the
    /// client has gone or not.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Outcome<T> {
        let ticket = current();
        let work = move || {
            let result = job();
            drop(ticket);
            result
        };
        let result = tokio::task::spawn_blocking(work).await;
        result.map_err(|_| Problem::internal("the work on this request"))
    }
}
