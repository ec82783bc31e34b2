//! The floor of `benches/`: the HTTP stack of the service answering every address with one constant body.
//!
//! Usage: `static_body 127.0.0.1:18004 20000` (address, bytes of the body).

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::error::Error;
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(size)) = (words.next(), words.next()) else {
        return Err("usage: static_body ADDRESS BYTES".into());
    };
    // not all the same, so that nothing on the way may find it easy
    let body: Bytes = (0..size.parse::<usize>()?)
        .map(|i| (i * 31 % 251) as u8)
        .collect::<Vec<_>>()
        .into();
    let answer = async move || {
        let mut response = Response::new(Body::from(body.clone()));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
        response
    };
    let router: Router = Router::new().route("/{layer}/{z}/{x}/{y}", get(answer));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(15))
        .pipeline_flush(true);
    let listener = tokio::net::TcpListener::bind(&address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection =
            http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
        tokio::spawn(connection);
    }
}
