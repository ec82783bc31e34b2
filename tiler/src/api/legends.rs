//! `/api/v1/legends/{style}[.png]?lang=vi|en`: what the colours mean.

use super::Standard;
use crate::document;
use crate::headers::{HOUR, MINUTE};
use crate::layers::{LATEST, language};
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::{self, Shared};
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use serde_json::Value;

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
    let query = Query::of(uri, &["lang"])?;
    let language = language(&query, headers)?;
    let citation = citation(&app, id).await?;
    // who issued a table may change with the next run
    let cache = if citation.is_some() { MINUTE } else { HOUR };
    let mut response = if picture {
        let style = style.clone();
        let note = citation.and_then(|citation| Some(citation.get(language.tag())?.as_str()?.to_owned()));
        let picture = app
            .cpu
            .run(move || style.legend_png(language, note.as_deref()))
            .await??;
        document::bytes(headers, cache, "image/png", picture)
    } else {
        let mut legend = style.legend_json(language);
        if let Some(citation) = citation {
            legend["citation"] = citation;
        }
        document::json(headers, cache, &legend)
    };
    document::in_language(&mut response, language, &query);
    Ok(response)
}

/// Whose table the classes are by: as the newest item of the style's collection says.
async fn citation(app: &Shared, style: &str) -> Outcome<Option<Value>> {
    let snapshot = app.lookup.snapshot().await?;
    if !snapshot.collections.contains(style) {
        return Ok(None);
    }
    let newest = app.lookup.item(&snapshot, style, LATEST).await?;
    Ok(newest.and_then(|item| state::citation(&item).cloned()))
}
