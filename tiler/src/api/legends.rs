//! `/api/v1/legends/{style}[.png]?lang=vi|en`: what the colours mean.

use super::Standard;
use crate::document;
use crate::headers::HOUR;
use crate::layers::language;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::routing::get;

/// See the module.
pub(crate) struct Legends;

impl Standard for Legends {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/legends/{style}", get(legend))
    }
}

async fn legend(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let name = segments(uri.path())?.pop().unwrap_or_default();
    let (id, picture) = name
        .strip_suffix(".png")
        .map_or((name.as_ref(), false), |id| (id, true));
    let id = id.strip_suffix(".json").unwrap_or(id);
    let style = app.styles.style(id).ok_or_else(|| {
        Problem::not_found(
            "unknown-style",
            format!("there is no style `{id}`; /catalog lists them"),
        )
    })?;
    let query = Query::of(uri)?;
    let language = language(&query, headers)?;
    let mut response = if picture {
        let style = style.clone();
        let picture = app.cpu.run(move || style.legend_png(language)).await??;
        document::bytes(headers, HOUR, "image/png", picture)
    } else {
        document::json(headers, HOUR, &style.legend_json(language))
    };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if query.get("lang").is_none() {
        answer.insert(header::VARY, HeaderValue::from_static("Accept-Language"));
    }
    Ok(response)
}
