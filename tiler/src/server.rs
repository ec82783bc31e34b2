//! Sockets, limits and what surrounds every answer.

use crate::admission::{Waited, admit};
use crate::api::{STANDARDS, tiles};
use crate::connection::{Connection, Limits};
use crate::damage::mark_damage;
use crate::forwarded::{self, Proxy};
use crate::headers::{self, REQUEST_ID, SERVER_TIMING};
use crate::machine::{self, Keeper};
use crate::measure::Kind;
use crate::page;
use crate::problem::Problem;
use crate::state::{App, Shared};
use crate::zone_page;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use schemars::JsonSchema;
use sen_catalog::intake::Quality;
use sen_catalog::{Assets, Bounds, Error, Store};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// How long a stop waits for answers under way.
const GRACE: Duration = Duration::from_secs(5);

/// The `[serve]` table of `sen.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServeOptions {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Megabytes of memory for all that the service holds: caches, tables, bodies, answers. Without it 1,500, or half of
    /// the machine's or container's memory where that is less.
    pub max_memory: Option<u64>,
    /// Megabytes of finished tiles kept in memory; 0 keeps none. Without it a share of `max_memory`, at most 64.
    pub tile_cache_mb: Option<u64>,
    /// Megabytes of decoded raster blocks kept in memory; 0 keeps none. Without it a quarter of `max_memory`, at most 512.
    pub block_cache_mb: Option<u64>,
    /// Megabytes of feature layers kept in memory for vector tiles, about 250 bytes a plot; a layer larger than all of it
    /// is read from the catalogue tile by tile, and only where a tile holds at most 16,384 features. Without it a quarter
    /// of `max_memory`, at most 512.
    pub vector_index_mb: Option<u64>,
    /// Address under which clients see the service, where a proxy does not tell it (`https://map.example/sen`).
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-*` headers say under which address clients see the service: addresses and networks
    /// (`10.0.0.0/8`). Of everybody else they are left out.
    pub trusted_proxies: Vec<Proxy>,
    /// Seconds a client may take to send the head of a request.
    pub header_timeout_s: u64,
    /// Seconds after which a connection is closed on which no other request comes: more than balancers keep theirs (60).
    pub keep_alive_s: u64,
    /// Connections open at the same time; more of them wait. Fewer where the system allows fewer open files.
    pub max_connections: usize,
    /// Requests of one kind (tiles, pictures, lists, ...) that may wait, however short the wait is; more of them get 503.
    pub queue: usize,
    /// Who may read the counters at `/_/metrics`.
    pub metrics: MetricsAccess,
    /// Milliseconds after which a change of the catalogue is seen at the latest.
    pub refresh_ms: u64,
    /// Thresholds of the tests of sensors: the `[quality]` table, which the binary puts here.
    #[serde(skip)]
    #[schemars(skip)]
    pub quality: Quality,
    /// The box of the province in degrees, where it is known: stations far from it are refused. The binary puts it here.
    #[serde(skip)]
    #[schemars(skip)]
    pub province: Option<Bounds>,
}

/// Who may read the counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Programs on this machine, unless a proxy forwards somebody else's request.
    #[default]
    Loopback,
    /// Whoever has a key (`sen keys add`).
    Key,
    /// Everybody.
    Open,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// A program on this machine, which does not hand on the request of another.
    pub(crate) here: bool,
}

impl Peer {
    /// Asked before headers of strangers are left out; who hands on is of interest to the counters alone.
    fn of<B>(address: IpAddr, request: &hyper::Request<B>) -> Self {
        let handed_on = |name: &str| {
            name.starts_with("x-forwarded-") || ["forwarded", "via", "x-real-ip"].contains(&name)
        };
        let here = request.uri().path().ends_with("/metrics")
            && address.to_canonical().is_loopback()
            && !request.headers().keys().any(|name| handed_on(name.as_str()));
        Self { here }
    }
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_memory: None,
            tile_cache_mb: None,
            block_cache_mb: None,
            vector_index_mb: None,
            public_url: None,
            trusted_proxies: Proxy::loopback(),
            header_timeout_s: 15,
            keep_alive_s: 75,
            max_connections: 4096,
            queue: 1024,
            metrics: MetricsAccess::Loopback,
            refresh_ms: 1000,
            quality: Quality::default(),
            province: None,
        }
    }
}

/// The routes, for a server or for tests that need no socket.
pub fn router(app: Shared) -> Router {
    let mut pictures = Router::new();
    let mut documents = Router::new();
    for standard in STANDARDS {
        if standard.is_pictures() {
            pictures = pictures.merge(standard.routes());
        } else {
            documents = documents.merge(standard.routes());
        }
    }
    // pictures are compressed already, and the layer would cost each tile a few microseconds
    documents
        .merge(page::routes())
        .layer(CompressionLayer::new())
        .merge(pictures)
        .fallback(page::fallback)
        .method_not_allowed_fallback(async || Problem::method())
        .layer(middleware::from_fn_with_state(Arc::clone(&app), admit))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), finish))
        .with_state(app)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(cause = text.unwrap_or("unknown"), "a handler panicked");
    Problem::internal("this request").into_response()
}

async fn finish(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&app, request.headers());
    let uri = request.uri().clone();
    let reader = zone_page::reader(request.headers(), &uri);
    let mut response = if request.method() == Method::OPTIONS {
        preflight()
    } else {
        next.run(request).await
    };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let given = std::mem::take(response.headers_mut());
        let reader = reader.filter(|_| problem.status() == StatusCode::NOT_FOUND);
        let page = reader.and_then(|language| zone_page::not_found(&app, language, &uri));
        response = page.unwrap_or_else(|| problem.respond(uri.path()));
        response.headers_mut().extend(given);
    }
    let kind = response.extensions_mut().remove::<Kind>().unwrap_or(Kind::Other);
    seal(&app, &uri, &mut response, id, kind, started);
    response
}

/// What every answer gets: CORS, a request id, a place in the counters.
fn seal(app: &App, uri: &Uri, response: &mut Response, id: HeaderValue, kind: Kind, started: Instant) {
    let took = started.elapsed();
    app.measures.answered(kind, response.status(), took);
    log(app, uri, response.status(), took, &id);
    let waited = response.extensions_mut().remove::<Waited>();
    let headers = response.headers_mut();
    forwarded::one_vary(headers);
    headers::allow_any_origin(headers);
    headers.insert(REQUEST_ID, id);
    headers.entry(SERVER_TIMING).or_insert_with(|| {
        headers::timing("total", took, waited.map_or(Duration::ZERO, |Waited(time)| time))
    });
}

/// Answers one request of a connection. Tiles that are ready leave before the router, whose layers would cost
/// them more than everything else.
async fn call(
    app: Shared,
    router: Router,
    client: IpAddr,
    mut request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let started = Instant::now();
    let peer = Peer::of(client, &request);
    forwarded::distrust(request.headers_mut(), client, &app.trusted_proxies);
    if let Some(uri) = single_slashes(request.uri()) {
        *request.uri_mut() = uri;
    }
    if let Some(mut response) = tiles::ready(&app, &request) {
        let id = request_id(&app, request.headers());
        seal(&app, request.uri(), &mut response, id, Kind::Tile, started);
        return Ok(response);
    }
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(peer);
    let mut response = router.oneshot(request).await?;
    // the router knows the methods of a route, and that it answers OPTIONS everywhere is known here alone
    if let Some(Ok(allowed)) = response.headers().get(header::ALLOW).map(HeaderValue::to_str)
        && let Ok(allowed) = format!("{allowed},OPTIONS").replace(',', ", ").try_into()
    {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    Ok(response)
}

/// The address with runs of slashes in its path put together, where there are any: a base address that ends in a slash
/// makes them.
fn single_slashes(uri: &Uri) -> Option<Uri> {
    if !uri.path().contains("//") {
        return None;
    }
    let mut path = String::with_capacity(uri.path().len());
    for character in uri.path().chars() {
        if character != '/' || !path.ends_with('/') {
            path.push(character);
        }
    }
    if let Some(query) = uri.query() {
        path.push('?');
        path.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path.try_into().ok()?);
    Uri::from_parts(parts).ok()
}

fn log(app: &App, uri: &Uri, status: StatusCode, took: Duration, id: &HeaderValue) {
    let (ms, status) = (took.as_millis() as u64, status.as_u16());
    if status == 503 {
        app.refusals.answered(uri, ms, id);
    } else if status >= 500 {
        tracing::warn!(%uri, status, ms, ?id, "answered");
    } else {
        tracing::debug!(%uri, status, ms, ?id, "answered");
    }
}

/// The client's own mark when it is short and harmless, otherwise a running number.
fn request_id(app: &App, headers: &HeaderMap) -> HeaderValue {
    let harmless = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=64).contains(&bytes.len()) && bytes.iter().all(plain)
    };
    let given = headers.get(REQUEST_ID).filter(harmless).cloned();
    given.unwrap_or_else(|| HeaderValue::from(app.requests.fetch_add(1, Relaxed)))
}

fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, OPTIONS"),
    );
    // `*` does not cover the key (Fetch standard)
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type, *"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    response
}

/// Checks the sizes of `[serve]` before anything listens.
///
/// # Errors
/// Where caches are larger than `max_memory`, or that is too small, with the names of both.
pub fn check_memory(options: &ServeOptions) -> sen_catalog::Result<()> {
    machine::MemoryPlan::of(options, machine::memory_limit()).map(|_| ())
}

/// Serves until `shutdown` is done, then finishes what is under way within five seconds.
///
/// # Errors
/// When the service cannot be prepared or the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    store: Arc<dyn Store>,
    assets: Assets,
    options: &ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> sen_catalog::Result<()> {
    let app = App::new(store, assets, options)?;
    let router = router(Arc::clone(&app));
    let mut http = hyper::server::conn::http1::Builder::new();
    // how long a client may take is known to its `Connection`, which tells an idle one from a slow head; without
    // `pipeline_flush`: hyper then drops the status line for what is no HTTP
    http.timer(TokioTimer::new()).header_read_timeout(None);
    let limits = Limits {
        head: Duration::from_secs(options.header_timeout_s.max(1)),
        idle: Duration::from_secs(options.keep_alive_s.max(1)),
    };
    let most = machine::connections(options.max_connections.max(1));
    let places = Arc::new(Semaphore::new(most));
    Keeper::start(&app).map_err(|error| Error::io("thread", error))?;
    let marking = tokio::spawn(mark_damage(Arc::clone(&app)));
    let (stop, stopping) = watch::channel(false);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut shutdown => break,
        };
        let place = place.map_err(|error| Error::io("listener", std::io::Error::other(error)))?;
        let (stream, client) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // most often too many open files: others must close theirs first
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it began");
            continue;
        }
        let (shared, routes) = (Arc::clone(&app), router.clone());
        let (stream, progress) = Connection::new(stream, limits);
        let service = service_fn(move |request| {
            let (shared, routes, progress) = (Arc::clone(&shared), routes.clone(), Arc::clone(&progress));
            async move {
                progress.began();
                let answer = call(shared, routes, client.ip(), request).await;
                progress.ended();
                answer
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let (app, mut stopping) = (Arc::clone(&app), stopping.clone());
        tokio::spawn(async move {
            app.measures.connections.fetch_add(1, Relaxed);
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                _ = stopping.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            app.measures.connections.fetch_sub(1, Relaxed);
            drop(place);
        });
    }
    drop(listener);
    marking.abort();
    let _ = stop.send(true); // no connection is open when nobody listens
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    if tokio::time::timeout(GRACE, places.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!(
            "some answers were not finished within {} seconds",
            GRACE.as_secs()
        );
    }
    Ok(())
}
