//! A connection that knows what it waits for: a head for seconds, the next request for longer, a reader as long as it reads.

use crate::admission::pace::Pace;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// Bytes of an answer that the system may hold unsent: less than a slow line carries in the time that it may stand still.
const UNSENT: u32 = 32 * 1024;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For the head of a request.
    pub(crate) head: Duration,
    /// Until its next request begins.
    pub(crate) idle: Duration,
}

/// What the service says of its connection.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// A request is worked on, or its body is read.
    busy: AtomicBool,
    answered: AtomicU64,
}

impl Progress {
    /// The head of a request has come.
    pub(crate) fn began(&self) {
        self.busy.store(true, Relaxed);
    }

    /// Its answer is on the way.
    pub(crate) fn ended(&self) {
        self.answered.fetch_add(1, Relaxed);
        self.busy.store(false, Relaxed);
    }
}

/// A socket that ends with [`io::ErrorKind::TimedOut`] where its client keeps it waiting.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    limits: Limits,
    progress: Arc<Progress>,
    answered: u64,
    /// True from the first byte of a head on; also before the first request, which must come soon.
    in_head: bool,
    since: Instant,
    sending: Option<Sending>,
    read_alarm: Option<Pin<Box<Sleep>>>,
    write_alarm: Option<Pin<Box<Sleep>>>,
}

/// An answer that the client takes slowly.
#[derive(Debug)]
struct Sending {
    pace: Pace,
    /// Since when bytes could go out, until they could not.
    open: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, limits: Limits) -> (Self, Arc<Progress>) {
        // how fast a client reads is only seen where the system does not take in all of a long answer
        if let Err(error) = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT) {
            tracing::debug!(%error, "a connection holds unsent bytes as the system likes");
        }
        let progress = Arc::new(Progress::default());
        let connection = Self {
            stream,
            limits,
            progress: Arc::clone(&progress),
            answered: 0,
            in_head: true,
            since: Instant::now(),
            sending: None,
            read_alarm: None,
            write_alarm: None,
        };
        (connection, progress)
    }

    /// When the client is waited for no longer; `None` while the server is at work.
    fn read_deadline(&mut self) -> Option<Instant> {
        if self.progress.busy.load(Relaxed) {
            return None;
        }
        let answered = self.progress.answered.load(Relaxed);
        if answered != self.answered {
            self.answered = answered;
            (self.in_head, self.since) = (false, Instant::now());
        }
        Some(
            self.since
                + if self.in_head {
                    self.limits.head
                } else {
                    self.limits.idle
                },
        )
    }

    /// Some bytes went out, or none could.
    fn sent(
        &mut self,
        context: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Poll::Ready(written) = result else {
            let now = Instant::now();
            let sending = self.sending.get_or_insert_with(|| Sending {
                pace: Pace::begin(now),
                open: None,
            });
            if let Some(open) = sending.open.take() {
                sending.pace.rested(now, now.duration_since(open));
            }
            let deadline = sending.pace.deadline();
            ready!(rings(&mut self.write_alarm, deadline, context));
            return Poll::Ready(Err(too_slow("reads no more")));
        };
        if let Ok(bytes) = &written {
            self.since = Instant::now();
            if let Some(sending) = &mut self.sending {
                sending.pace.moved(self.since, *bytes);
                sending.open.get_or_insert(self.since);
            }
        }
        Poll::Ready(written)
    }
}

fn too_slow(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, format!("the client {what}"))
}

/// Ready when the time has come; the task is woken then.
fn rings(alarm: &mut Option<Pin<Box<Sleep>>>, deadline: Instant, context: &mut Context<'_>) -> Poll<()> {
    let deadline = tokio::time::Instant::from_std(deadline);
    let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
    if alarm.deadline() != deadline {
        alarm.as_mut().reset(deadline);
    }
    alarm.as_mut().poll(context)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(context, buffer) {
            let came = buffer.filled().len() > before;
            if came && self.read_deadline().is_some() && !self.in_head {
                (self.in_head, self.since) = (true, Instant::now());
            }
            return Poll::Ready(result);
        }
        let Some(deadline) = self.read_deadline() else {
            return Poll::Pending;
        };
        ready!(rings(&mut self.read_alarm, deadline, context));
        Poll::Ready(Err(too_slow("said nothing for long")))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.sent(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.sent(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
