//! Threads beside those that accept, read and send: a request that works long never keeps others from being heard.

use axum::response::{IntoResponse, Response};
use std::num::NonZero;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::problem::Problem;

/// How far the threads of long work stand back behind those of tiles and probes (`nice`): a quarter of a core that
/// both want.
const NICE: i32 = 5;

/// Threads that read the catalogue or work for a request; more work waits.
const MOST_BLOCKING: usize = 64;

/// Lets this thread stand back behind the others of the process. Linux counts threads like processes.
pub(crate) fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread of long work keeps its priority");
    }
}

/// The threads that work on requests which were let in.
#[derive(Debug)]
pub(crate) struct Workers(Option<Runtime>);

impl Workers {
    pub(crate) fn new(threads: NonZero<usize>) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.get())
            .max_blocking_threads(MOST_BLOCKING)
            .thread_name("sen-work")
            .on_thread_start(step_back)
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs the work of a request; it ends with the client.
    pub(crate) async fn run(&self, work: impl Future<Output = Response> + Send + 'static) -> Response {
        let Some(runtime) = &self.0 else {
            return Problem::internal("this request").into_response();
        };
        let mut task = Aborted(runtime.spawn(work));
        match (&mut task.0).await {
            Ok(response) => response,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Problem::internal("this request").into_response(),
            },
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // waiting for them is forbidden where this may be dropped: on a thread of another runtime
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A task that ends when nobody waits for it any more.
struct Aborted(JoinHandle<Response>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
