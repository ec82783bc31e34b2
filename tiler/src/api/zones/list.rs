//! `/api/v1/zones` and `/api/v1/zones/{kind}?q=&bbox=&limit=&{property}=`: what there is, page by page.

use super::feature::{self, Detail};
use super::{bbox, day, layer};
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode, segments};
use crate::state::{App, Shared};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use sen_catalog::FeatureQuery;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Zones of a page when nothing is said, and at most.
const LIMIT: usize = 100;
/// See [`LIMIT`].
const MAX_LIMIT: usize = 1000;

/// Parameters that are no properties.
const OWN: &[&str] = &[
    "q", "bbox", "limit", "after", "on", "parent", "geometry", "simplify", "lang", "f", "scheme",
];

/// How many features are looked at to tell which properties a layer has.
const SAMPLE: usize = 50;

/// The kinds there are.
pub(super) async fn kinds(State(app): State<Shared>, request: Request) -> Outcome {
    let base = app.base_url(request.headers(), request.uri());
    let layers = app.lookup.store().layers().await?;
    let kinds: Vec<Value> = layers
        .iter()
        .map(|layer| {
            let b = layer.bounds;
            let name = encode(&layer.name);
            json!({
                "kind": layer.name, "shape": layer.shape.name(), "count": layer.count,
                "bbox": [b.west, b.south, b.east, b.north],
                "zones": format!("{base}/api/v1/zones/{name}"), "page": format!("{base}/zones/{name}"),
            })
        })
        .collect();
    Ok(document::json(
        request.headers(),
        MINUTE,
        &json!({"kinds": kinds}),
    ))
}

/// The query of a list, as its parameters say it; `limit` is always given.
pub(crate) fn query_of(kind: &str, query: &Query<'_>) -> Outcome<FeatureQuery> {
    let limit = query
        .number("limit", 1..=usize::MAX)?
        .unwrap_or(LIMIT)
        .min(MAX_LIMIT);
    let after = query.number("after", 0..=i64::MAX as usize)?;
    let properties = query
        .pairs()
        .filter(|(name, _)| !OWN.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(FeatureQuery {
        bbox: bbox(query)?,
        text: query.get("q").map(str::to_owned),
        parent: query.get("parent").map(str::to_owned),
        valid_on: day(query)?,
        scheme: query.get("scheme").map(str::to_owned),
        properties,
        after: after.map(|fid| fid as i64),
        limit: Some(limit),
        ..FeatureQuery::layer(kind)
    })
}

/// A property nobody has is a mistake of the request, not an empty answer.
async fn check_properties(app: &App, asked: &FeatureQuery) -> Outcome<()> {
    let Some(kind) = &asked.layer else { return Ok(()) };
    let sample = FeatureQuery {
        limit: Some(SAMPLE),
        ..FeatureQuery::layer(kind)
    };
    let sample = app.lookup.store().features(&sample).await?;
    let known: BTreeSet<&str> = sample
        .iter()
        .flat_map(|feature| feature.properties.keys().map(String::as_str))
        .collect();
    for (name, _) in &asked.properties {
        if !known.contains(name.as_str()) {
            let known: Vec<_> = known.into_iter().collect();
            return Err(Problem::bad(
                "property",
                format!("`{kind}` has no property `{name}`; it has {}", known.join(", ")),
            ));
        }
    }
    Ok(())
}

/// One page of a kind.
pub(super) async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let kind = segments(uri.path())?.pop().unwrap_or_default();
    let query = Query::of(uri)?;
    let detail = Detail::of(&query)?;
    let asked = query_of(&kind, &query)?;
    layer(&app, &kind).await?;
    let limit = asked.limit.unwrap_or(LIMIT);
    let matched = app.lookup.store().count_features(&asked).await?;
    if matched == 0 && !asked.properties.is_empty() {
        check_properties(&app, &asked).await?;
    }
    // one more tells whether there is a next page
    let one_more = FeatureQuery {
        limit: Some(limit + 1),
        ..asked
    };
    let mut found = app.lookup.store().features(&one_more).await?;
    let more = found.len() > limit;
    found.truncate(limit);
    let base = app.base_url(headers, uri);
    let address = |after: Option<i64>| {
        let mut pairs: Vec<String> = query
            .pairs()
            .filter(|(name, _)| *name != "after" || after.is_none())
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        pairs.extend(after.map(|fid| format!("after={fid}")));
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{base}/api/v1/zones/{}{mark}{}", encode(&kind), pairs.join("&"))
    };
    let next = found.last().filter(|_| more).map(|last| address(Some(last.fid)));
    let mut links = vec![json!({"rel": "self", "type": "application/geo+json", "href": address(None)})];
    if let Some(next) = &next {
        links.push(json!({"rel": "next", "type": "application/geo+json", "href": next}));
    }
    let work = move || -> Vec<Value> {
        let json = |feature| feature::geo_json(feature, detail, Map::new());
        found.iter().map(json).collect()
    };
    let features = app.cpu.run(work).await?;
    let document = json!({
        "type": "FeatureCollection", "numberMatched": matched, "numberReturned": features.len(),
        "features": features, "links": links,
    });
    let mut response = document::geo_json(headers, MINUTE, &document);
    let answer = response.headers_mut();
    answer.insert("x-total-count", HeaderValue::from(matched));
    if let Some(link) = next.and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok()) {
        answer.insert(header::LINK, link);
    }
    Ok(response)
}
