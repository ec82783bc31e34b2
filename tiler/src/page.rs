//! The map page, built into the program from `web/dist`.

use crate::headers::not_modified;
use crate::negotiate::heaviest;
use crate::problem::{Outcome, Problem};
use crate::state::Shared;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use std::borrow::Cow;

#[derive(RustEmbed)]
#[folder = "../web/dist"]
struct Files;

/// MapLibre needs workers and inline pictures of its own; scripts come from here alone.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
     connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors *",
);

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>sen</title>\
    <p>This sen was built without its map page. Run <code>make build</code> and start it again. \
    The layers are listed at <a href=\"catalog\">/catalog</a>.</p>";

/// The page itself; its other files are found by [`fallback`].
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/", get(index))
        .route("/index.html", get(index))
        .route("/assets/{file}", get(fallback))
}

async fn index(headers: HeaderMap) -> Response {
    file("index.html", &headers).unwrap_or_else(|| {
        let mut response = axum::response::Html(NOT_BUILT).into_response();
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    })
}

/// A file of the page, or 404 for every address that nothing else answers.
pub(crate) async fn fallback(request: Request) -> Outcome {
    let path = request.uri().path().trim_start_matches('/');
    file(path, request.headers()).ok_or_else(|| {
        Problem::not_found(
            "not-found",
            "there is nothing at this address; layers are at /catalog",
        )
    })
}

/// An embedded file in the encoding the client takes.
pub(crate) fn file(path: &str, asked: &HeaderMap) -> Option<Response> {
    if path.is_empty() || path.split('/').any(|part| part == "..") {
        return None;
    }
    let plain = Files::get(path)?;
    let packed =
        heaviest(asked, &[("br", ("br", "br")), ("gzip", ("gz", "gzip"))]).and_then(|(extension, coding)| {
            let file = Files::get(&format!("{path}.{extension}"))?;
            Some((file, coding))
        });
    let has_packed = packed.is_some() || Files::get(&format!("{path}.br")).is_some();
    let (file, coding) = packed.map_or((None, None), |(file, coding)| (Some(file), Some(coding)));
    Some(respond(
        path,
        &plain,
        file.as_ref().unwrap_or(&plain),
        coding,
        has_packed,
        asked,
    ))
}

fn respond(
    path: &str,
    plain: &EmbeddedFile,
    file: &EmbeddedFile,
    coding: Option<&'static str>,
    varies: bool,
    asked: &HeaderMap,
) -> Response {
    let hash = sen_catalog::asset::hex(&file.metadata.sha256_hash()[..8]);
    let etag = format!("\"{hash}\"");
    let mut response = if not_modified(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match &file.data {
            Cow::Borrowed(bytes) => Body::from(*bytes),
            Cow::Owned(bytes) => Body::from(bytes.clone()),
        };
        let mut response = Response::new(body);
        let kind = HeaderValue::from_str(plain.metadata.mimetype()).ok();
        let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, with_charset(kind));
        if let Some(coding) = coding {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::try_from(etag).expect("hexadecimal digits and quotes are a header value"),
    );
    // Vite puts the content's hash into the names under assets/
    let lasting = path.starts_with("assets/");
    let cache = if lasting {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    if varies {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "html")
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    }
    response
}

fn with_charset(kind: HeaderValue) -> HeaderValue {
    match kind.to_str() {
        Ok("text/html") => HeaderValue::from_static("text/html; charset=utf-8"),
        Ok("text/css") => HeaderValue::from_static("text/css; charset=utf-8"),
        Ok("text/javascript" | "application/javascript") => {
            HeaderValue::from_static("text/javascript; charset=utf-8")
        }
        _ => kind,
    }
}
