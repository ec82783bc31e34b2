//! Every HTTP error is made here: RFC 9457 problem documents, never cached, telling what to do next.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Result of a handler.
pub(crate) type Outcome<T = Response> = Result<T, Problem>;

/// An error as the client sees it.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    /// Stable word for programs, such as `unknown-layer`.
    code: &'static str,
    detail: String,
    /// The parameter at fault, where one is.
    parameter: Option<Cow<'static, str>>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            parameter: None,
        }
    }

    /// 400: a parameter that cannot be used.
    pub(crate) fn bad(parameter: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter.into()),
            ..Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", detail)
        }
    }

    /// 404: no such thing.
    pub(crate) fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    /// 401: writing without a key.
    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: a key that may not do this.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// 409: what is to be made is there already.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", detail)
    }

    /// 405: the address does not take this method. The router says in `Allow` which it takes.
    pub(crate) fn method() -> Self {
        let detail = "this address does not take the method; the header Allow lists those it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
    }

    /// 406: none of the formats the client accepts is offered.
    pub(crate) fn not_acceptable(offered: &str) -> Self {
        let detail = format!("none of the accepted media types is offered; ask for {offered}");
        Self::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", detail)
    }

    /// 413: more pixels than one request may cost.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    }

    /// 415: a body in a form that is not read.
    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            detail,
        )
    }

    /// 408: the body comes too slowly.
    pub(crate) fn request_timeout(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", detail)
    }

    /// 416: the byte range lies outside the file.
    pub(crate) fn range(size: u64) -> Self {
        let detail = format!("the range lies outside the {size} bytes of the file");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", detail)
    }

    /// 503: the work queue is full.
    pub(crate) fn busy() -> Self {
        let detail = "more work is waiting than the server can do soon; try again in a second";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    /// 503: the catalogue or a file cannot be read just now. The cause goes to the log, not to the client.
    pub(crate) fn unavailable(what: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            format!("{what} cannot be read at the moment"),
        )
    }

    /// 500: a defect of ours.
    pub(crate) fn internal(what: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            format!("{what} failed; the log says why"),
        )
    }

    /// The status it is sent with.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The response, naming the address that was asked for.
    pub(crate) fn respond(self, instance: &str) -> Response {
        let mut body = Map::new();
        let title = self.status.canonical_reason().unwrap_or("Error");
        body.insert("type".into(), json!("about:blank"));
        body.insert("title".into(), json!(title));
        body.insert("status".into(), json!(self.status.as_u16()));
        body.insert("detail".into(), json!(self.detail));
        if !instance.is_empty() {
            body.insert("instance".into(), json!(instance));
        }
        body.insert("code".into(), json!(self.code));
        if instance.starts_with("/sta/") {
            // clients of SensorThings read `message`, as FROST sends it
            body.insert("message".into(), json!(self.detail));
        }
        if let Some(parameter) = self.parameter {
            body.insert("parameter".into(), json!(parameter));
        }
        let mut response = (self.status, Json(Value::Object(body))).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl IntoResponse for Problem {
    /// Leaves the document to the outermost layer, which knows the address (`server::finish`).
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<sen_catalog::Error> for Problem {
    fn from(error: sen_catalog::Error) -> Self {
        use sen_catalog::Error;
        match error {
            Error::NotFound(what) => Self::not_found("not-found", format!("{what} not found")),
            Error::Invalid(what) => Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", what),
            Error::Store(cause) => {
                tracing::error!(cause, "the catalogue does not answer");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "the catalogue cannot be read or written at the moment",
                )
            }
            // paths stay in the log: they are nothing a client should learn
            error @ (Error::Raster { .. } | Error::Damaged { .. } | Error::Io { .. }) => {
                tracing::error!(%error, "a file of the data folder cannot be read");
                Self::unavailable("a file of this layer")
            }
            error => {
                tracing::error!(%error, "a request failed");
                Self::internal("this request")
            }
        }
    }
}
