//! JSON answers: with a validator, so that a client that has one gets 304.

use crate::forwarded::vary;
use crate::headers::not_modified;
use crate::query::Query;
use crate::style::Language;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A JSON document. The validator is weak because the document may be sent compressed.
pub(crate) fn json(asked: &HeaderMap, cache: HeaderValue, value: &impl Serialize) -> Response {
    typed(asked, cache, "application/json", value)
}

/// A GeoJSON document.
pub(crate) fn geo_json(asked: &HeaderMap, cache: HeaderValue, value: &impl Serialize) -> Response {
    typed(asked, cache, "application/geo+json", value)
}

fn typed(asked: &HeaderMap, cache: HeaderValue, kind: &'static str, value: &impl Serialize) -> Response {
    let body =
        serde_json::to_vec(value).expect("keys are texts or numbers and nothing refuses to be written");
    bytes(asked, cache, kind, body)
}

/// Says in which language an answer is, and that it depends on what the client likes where the address does not say.
pub(crate) fn in_language(response: &mut Response, language: Language, query: &Query<'_>) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if query.get("lang").is_none() {
        vary(headers, "Accept-Language");
    }
}

/// Any small body.
pub(crate) fn bytes(asked: &HeaderMap, cache: HeaderValue, kind: &'static str, body: Vec<u8>) -> Response {
    let digest = Sha256::digest(&body);
    let hash = sen_catalog::asset::hex(digest.get(..8).unwrap_or_default());
    let etag = format!("W/\"{hash}\"");
    let mut response = if not_modified(asked, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(body));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ETAG,
        HeaderValue::try_from(etag).expect("hexadecimal digits and quotes are a header value"),
    );
    headers.insert(header::CACHE_CONTROL, cache);
    response
}
