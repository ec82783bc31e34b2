//! Every request has a cost before it has a thread.
//!
//! Requests of one class ([`class`]) stand in one line ([`line`]) before a few places, and no class waits for another.
//! Who would wait longer than its own work takes in calm is told at once to come again (503). With its place a request
//! reserves the bytes that its answer may hold ([`ledger`]); what it does not need goes back when the answer is made,
//! the rest when it is sent. Tiles in memory pass before all of this ([`crate::api::tiles::ready`]).

mod body;
pub(crate) mod class;
mod clock;
pub(crate) mod ledger;
mod line;
pub(crate) mod pace;
mod ticket;
mod workers;

pub(crate) use body::linger;
pub(crate) use ticket::{Ticket, current, weight};
pub(crate) use workers::{Workers, step_back};

use crate::problem::Problem;
use crate::state::Shared;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use class::{Class, RouteCost};
use clock::Clock;
use ledger::{Ledger, Reservation};
use line::{Arrival, Line, Rules};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use ticket::Place;
use tokio::sync::{Semaphore, oneshot};

/// Keys looked up at the same time; each is one row.
const KEY_CHECKS: usize = 4;

/// How long the request stood in line, for `Server-Timing`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waited(pub(crate) Duration);

/// How long tiles wait at most, and all others whatever they cost.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How often an answer is made again because the store changed meanwhile.
const MOST_TRIES: usize = 3;

/// Too short a wait to send anybody away for.
const LEAST_WAIT: Duration = Duration::from_millis(5);

/// How the classes wait on a machine of so many cores, with at most `most` in each line.
fn rules(class: Class, cores: usize, most: usize) -> Rules {
    let (readers, least, least_wait) = match class {
        // a tile takes milliseconds, and the map asks for a screenful at once
        Class::Tiles => (4 * cores, 64, LONGEST_WAIT),
        // a browser opens six connections
        Class::Lists => (cores.max(2), 4, LEAST_WAIT),
        // the page asks for one place at a time
        Class::Values | Class::SensorThings => (cores.max(2), 1, LEAST_WAIT),
        // long work leaves half of the cores to all others
        Class::Pictures | Class::Polygons | Class::Statistics => (cores.div_ceil(2), 1, LEAST_WAIT),
        // one transaction writes at a time; gateways send what they hold all at once
        Class::Writes => (2, 16, LEAST_WAIT),
    };
    Rules {
        readers,
        least: least.min(most),
        most,
        least_wait,
        longest_wait: LONGEST_WAIT,
    }
}

type Waker = oneshot::Sender<Place>;

/// The lines, the clocks of all routes, and the accounts of bytes.
#[derive(Debug)]
pub(crate) struct Admission {
    lines: Vec<Mutex<Line<Waker>>>,
    /// By number of the route; the last two are that of the unnamed routes and that of tiles.
    clocks: Vec<Clock>,
    running: AtomicUsize,
    made: AtomicU64,
    answers: Arc<Ledger>,
    bodies: Arc<Ledger>,
    key_checks: Semaphore,
    refused: Vec<AtomicU64>,
}

/// A class with how many of it are in work, wait, and were refused.
pub(crate) type ClassState = (Class, usize, usize, u64);

impl Admission {
    /// Lines for a machine of `cores`, with so many bytes for answers and for bodies.
    pub(crate) fn new(cores: usize, queue: usize, answer_bytes: u64, body_bytes: u64) -> Arc<Self> {
        let line = |class| Mutex::new(Line::new(rules(class, cores, queue)));
        Arc::new(Self {
            lines: Class::ALL.into_iter().map(line).collect(),
            clocks: (0..class::ROUTES.len() + 2).map(|_| Clock::default()).collect(),
            running: AtomicUsize::new(0),
            made: AtomicU64::new(0),
            answers: Ledger::new(answer_bytes),
            bodies: Ledger::new(body_bytes),
            key_checks: Semaphore::new(KEY_CHECKS),
            refused: Class::ALL.iter().map(|_| AtomicU64::new(0)).collect(),
        })
    }

    fn line(&self, class: Class) -> std::sync::MutexGuard<'_, Line<Waker>> {
        let line = &self.lines[class as usize];
        line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a tile that is not in memory.
    pub(crate) async fn tile(self: &Arc<Self>) -> Result<Ticket, Response> {
        self.enter(&class::TILE, class::ROUTES.len() + 1).await
    }

    /// A place in the class of a cost, and its bytes; or 503.
    async fn enter(self: &Arc<Self>, cost: &'static RouteCost, number: usize) -> Result<Ticket, Response> {
        let came = Instant::now();
        let clock = &self.clocks[number];
        let work = clock.expected();
        let mut receiver = None;
        let arrival = {
            let mut waker = || {
                let (sender, waiting) = oneshot::channel();
                receiver = Some(waiting);
                sender
            };
            let mut line = self.line(cost.class);
            match line.arrive(work, clock.calm(), &mut waker) {
                Arrival::Refused(_) => {
                    // those who went away may have left room
                    line.forget(oneshot::Sender::is_closed);
                    line.arrive(work, clock.calm(), &mut waker)
                }
                arrival => arrival,
            }
        };
        let place = match (arrival, receiver) {
            (Arrival::Refused(wait), _) => return Err(self.refuse(cost.class, wait)),
            (Arrival::Start, _) | (Arrival::Wait, None) => {
                Place::new(Arc::clone(self), cost.class, work).started(number)
            }
            (Arrival::Wait, Some(waiting)) => {
                // an estimate may be wrong: nobody stands here for ever
                match tokio::time::timeout(2 * LONGEST_WAIT, waiting).await {
                    Ok(Ok(place)) => place.started(number),
                    _ => return Err(self.refuse(cost.class, LONGEST_WAIT)),
                }
            }
        };
        // a class of which nothing is under way gets its first answer made in any case
        let bytes = match self.answers.reserve(cost.answer_bytes) {
            Some(bytes) => bytes,
            None if self.line(cost.class).running() <= 1 => self.answers.reserve_anyway(cost.answer_bytes),
            None => return Err(self.refuse(cost.class, Duration::from_secs(1))),
        };
        Ok(Ticket::new(place, bytes, cost.answer_bytes, came.elapsed()))
    }

    /// 503, with the seconds after which there may be room.
    fn refuse(&self, class: Class, wait: Duration) -> Response {
        self.refused[class as usize].fetch_add(1, Relaxed);
        let mut response = Problem::busy().into_response();
        let seconds = wait.as_secs_f64().ceil().clamp(1.0, 30.0) as u64;
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
    }

    /// What the counters show: by class those in work, waiting and refused so far; bytes of answers and of bodies.
    pub(crate) fn state(&self) -> (Vec<ClassState>, u64, u64) {
        let of = |class: Class| {
            let line = self.line(class);
            let refused = self.refused[class as usize].load(Relaxed);
            (class, line.running(), line.waiting(), refused)
        };
        let classes = Class::ALL.into_iter().map(of).collect();
        (classes, self.answers.held(), self.bodies.held())
    }

    /// True while nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.load(Relaxed) == 0
    }

    /// Answers beside tiles that were made so far.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Relaxed)
    }

    /// A place is taken: the work of its route begins.
    fn began(&self) -> bool {
        self.running.fetch_add(1, Relaxed) == 0
    }

    /// A place is free again; the next in line gets it. `took` is the route that was worked on, and how long.
    fn ended(
        self: &Arc<Self>,
        class: Class,
        expected: Duration,
        took: Option<(usize, Duration)>,
        calm: bool,
    ) {
        let alone = self.running.fetch_sub(1, Relaxed) == 1;
        if let Some((number, took)) = took {
            self.clocks[number].took(took, calm && alone);
        }
        let next = self.line(class).leave(expected);
        if let Some((waker, work)) = next {
            // a client that went away drops the place, which comes back here
            let _ = waker.send(Place::new(Arc::clone(self), class, work));
        }
    }
}

/// The layer: key, body, place, answer, in this order.
pub(crate) async fn admit(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let number = route.and_then(|route| class::number_of(request.method(), route.as_str()));
    let Some(number) = number else {
        return next.run(request).await;
    };
    let cost = class::cost(number);
    let (request, held) = match received(&app, request, cost).await {
        Ok(received) => received,
        Err(response) => return *response,
    };
    let ticket = match app.admission.enter(cost, number).await {
        Ok(ticket) => ticket,
        Err(response) => return response,
    };
    app.admission.made.fetch_add(1, Relaxed);
    let own = Arc::clone(&app);
    let work = async move {
        let waited = ticket.waited();
        let response = ticket::scope(ticket.clone(), at_one_revision(&own, request, next)).await;
        drop(held);
        let mut response = settled(response, ticket).await;
        response.extensions_mut().insert(Waited(waited));
        response
    };
    app.workers.run(work).await
}

/// The answer as of one state of the store: one that was made while the store changed is made again, for its reads may be of
/// two states. A store that changes each time is answered from as it comes.
async fn at_one_revision(app: &Shared, request: Request, next: Next) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (head, _) = request.into_parts();
    let asked = || Request::from_parts(head.clone(), Body::empty());
    let mut known = app.lookup.snapshot().await;
    for _ in 0..MOST_TRIES {
        let response = next.clone().run(asked()).await;
        let (Ok(before), Ok(now)) = (&known, app.lookup.store().revision().await) else {
            return response; // says what it is that cannot be read
        };
        if before.revision == now {
            return response;
        }
        known = app.lookup.refresh().await;
    }
    next.run(asked()).await
}

/// The request with its body in memory, and what the account of bodies holds for it.
async fn received(
    app: &Shared,
    request: Request,
    cost: &RouteCost,
) -> Result<(Request, Option<Reservation>), Box<Response>> {
    if cost.body_bytes == 0 {
        return Ok((request, None));
    }
    let (head, body) = request.into_parts();
    let said = if let Some(collection) = cost.writes {
        let _turn = app.admission.key_checks.acquire().await;
        app.writer(&head.headers, collection).await.map(|_| ())
    } else {
        Ok(())
    };
    if let Err(problem) = said {
        linger(body);
        return Err(Box::new(problem.into_response()));
    }
    match body::receive(body, cost.body_bytes, &app.admission.bodies).await {
        Ok((bytes, held)) => Ok((Request::from_parts(head, Body::from(bytes)), Some(held))),
        Err(refused) => {
            let mut response = refused.into_response();
            // what is left of the body would be taken for the next request
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
            Err(Box::new(response))
        }
    }
}

/// The answer as one piece, which holds its own bytes until it is sent; what was reserved beyond them goes back. Files
/// are sent as they are read.
async fn settled(response: Response, ticket: Ticket) -> Response {
    let (mut head, body) = response.into_parts();
    let ceiling = ticket.ceiling();
    let streams = head.extensions.remove::<Streamed>().is_some();
    let known = body.size_hint().exact();
    if streams || known == Some(0) {
        // the bytes under way are few, and bounded by the connections
        return Response::from_parts(head, body);
    }
    let collected = match known {
        Some(bytes) if bytes > ceiling => None,
        _ => to_bytes(body, usize::try_from(ceiling).unwrap_or(usize::MAX))
            .await
            .ok(),
    };
    let Some(bytes) = collected else {
        return ticket::too_large(ceiling).into_response();
    };
    Response::from_parts(head, Body::from(ticket.carry(bytes)))
}

/// Marks an answer that is sent while it is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed;

/// Bytes that keep their reservation as long as anybody holds them.
struct CarriedBytes {
    bytes: Bytes,
    _held: Reservation,
}

impl AsRef<[u8]> for CarriedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
