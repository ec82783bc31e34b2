//! `/api/v1/zones/{kind}/{code}`: one zone as a GeoJSON Feature.

use super::Which;
use super::feature::{self, Detail};
use crate::document;
use crate::headers::MINUTE;
use crate::problem::Outcome;
use crate::query::{Query, encode, segments};
use crate::state::Shared;
use crate::zone_page::riverbank::Reach;
use axum::extract::{Request, State};
use serde_json::{Map, json};

/// The zone.
pub(super) async fn one(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let (kind, code) = (part(3), part(4));
    let query = Query::of(uri, &["geometry", "simplify", "on", "scheme"])?;
    let detail = Detail::of(&query)?;
    let feature = Which::of(&query)?.zone(&app, kind, code).await?;
    let mut extra = Map::new();
    let commune = super::super::search::commune_of(app.lookup.store(), &feature).await?;
    extra.insert("commune".into(), json!(commune));
    let seasons = app.lookup.store().seasons(feature.fid).await?;
    if !seasons.is_empty() || kind == "plots" {
        extra.insert("seasons".into(), json!(seasons));
    }
    if let Some(reach) = Reach::of(&feature) {
        extra.insert("riverbank".into(), reach.json());
    }
    let base = app.base_url(headers, uri);
    let (kind, code) = (encode(kind), encode(&feature.code));
    let own = format!("{base}/api/v1/zones/{kind}/{code}");
    let mut document = feature::geo_json(&feature, detail, extra);
    if let Some(fields) = document.as_object_mut() {
        let links = json!([
            {"rel": "self", "type": "application/geo+json", "href": own},
            {"rel": "alternate", "type": "text/html", "href": format!("{base}/zones/{kind}/{code}")},
            {"rel": "related", "type": "application/json", "title": "statistics",
             "href": format!("{own}/statistics?collection=ndvi")},
        ]);
        fields.insert("links".into(), links);
    }
    Ok(app.with_own_address(document::geo_json(headers, MINUTE, &document)))
}
