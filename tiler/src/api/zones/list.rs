//! `/api/v1/zones` and `/api/v1/zones/{kind}?q=&bbox=&limit=&{property}=`: what there is, page by page.

use super::feature::{self, Detail};
use super::{bbox, day, layer};
use crate::admission::weight;
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, encode, nearest, segments};
use crate::state::{App, Shared};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use geo::CoordsIter;
use geo_types::Coord;
use sen_catalog::feature::Sought;
use sen_catalog::{Feature, FeatureQuery};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Zones of a page when nothing is said, and at most.
const LIMIT: usize = 100;
/// See [`LIMIT`].
const MAX_LIMIT: usize = 1000;

/// Parameters that are no properties.
const OWN: &[&str] = &[
    "q", "bbox", "limit", "after", "on", "parent", "geometry", "simplify", "scheme",
];

/// Features read at once.
const AT_ONCE: usize = 64;

/// Bytes of the features of a page as they are sent; what is read at once comes on top.
const MOST_BYTES: usize = 24 << 20;

/// What a corner of an outline takes in memory as GeoJSON, and in the text of it.
const CORNER_BYTES: usize = 160;

/// How many features are looked at to tell which properties a layer has.
const SAMPLE: usize = 50;

/// The kinds there are.
pub(super) async fn kinds(State(app): State<Shared>, request: Request) -> Outcome {
    Query::of(request.uri(), &[])?;
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
    let response = document::json(request.headers(), MINUTE, &json!({"kinds": kinds}));
    Ok(app.with_own_address(response))
}

/// The query of a list, as its own parameters say it; `limit` is always given.
fn query_of(kind: &str, query: &Query<'_>) -> Outcome<FeatureQuery> {
    let limit = query
        .number("limit", 1..=usize::MAX)?
        .unwrap_or(LIMIT)
        .min(MAX_LIMIT);
    let after = query.number("after", 0..=i64::MAX as usize)?;
    Ok(FeatureQuery {
        bbox: bbox(query)?,
        text: query.get("q").map(str::to_owned),
        parent: query.get("parent").map(str::to_owned),
        valid_on: day(query)?,
        scheme: query.get("scheme").map(str::to_owned),
        after: after.map(|fid| fid as i64),
        limit: Some(limit),
        ..FeatureQuery::layer(kind)
    })
}

/// The properties that the features of a kind have, by a look at some of them.
async fn known_properties(app: &App, kind: &str) -> Outcome<BTreeSet<String>> {
    let sample = FeatureQuery {
        limit: Some(SAMPLE),
        ..FeatureQuery::layer(kind)
    };
    let sample = app.lookup.store().features(&sample).await?;
    let properties = sample.into_iter().flat_map(|feature| feature.properties);
    Ok(properties.map(|(name, _)| name).collect())
}

/// A property nobody has is a mistake of the request, not an empty answer.
async fn check_properties(app: &App, kind: &str, asked: &FeatureQuery) -> Outcome<()> {
    let known = known_properties(app, kind).await?;
    match asked.properties.iter().find(|(name, _)| !known.contains(name)) {
        None => Ok(()),
        Some((name, _)) => {
            let names = OWN.iter().copied().chain(known.iter().map(String::as_str));
            let nearest = nearest(name, names).unwrap_or_default();
            let known: Vec<_> = known.iter().map(String::as_str).collect();
            Err(Problem::bad(
                name.clone(),
                format!(
                    "`{kind}` has no property `{name}`; did you mean `{nearest}`? It has {}; further parameters are {}",
                    known.join(", "),
                    OWN.join(", ")
                ),
            ))
        }
    }
}

/// The conditions of a query on properties; what caches and gateways hang on is one only where there is such a property.
async fn conditions(app: &App, kind: &str, query: &Query<'_>) -> Outcome<Vec<(String, Vec<Sought>)>> {
    let mut conditions = query.conditions()?;
    if conditions.iter().any(|one| one.is_passer_by) {
        let known = known_properties(app, kind).await?;
        conditions.retain(|one| !one.is_passer_by || known.contains(&one.key));
    }
    Ok(conditions.into_iter().map(|one| (one.key, one.values)).collect())
}

/// Features of a page, and whether there are more: at most `limit` of them, and no more than [`MOST_BYTES`] with `corner`
/// bytes a corner, so that a page of large outlines ends earlier and says where it goes on.
async fn page(app: &App, asked: &FeatureQuery, limit: usize, corner: usize) -> Outcome<(Vec<Feature>, bool)> {
    let (mut found, mut bytes): (Vec<Feature>, usize) = (Vec::new(), 0);
    let mut query = asked.clone();
    loop {
        // one more tells whether there is a next page
        let wanted = AT_ONCE.min(limit + 1 - found.len());
        query.limit = Some(wanted);
        let some = app.lookup.store().features(&query).await?;
        let all = some.len() < wanted;
        query.after = some.last().map(|last| last.fid);
        for feature in some {
            let properties: usize = feature.properties.values().map(weight).sum();
            bytes += properties + corner * feature.geometry.coords_count();
            if found.len() == limit || (bytes > MOST_BYTES && !found.is_empty()) {
                return Ok((found, true));
            }
            found.push(feature);
        }
        if all {
            return Ok((found, false));
        }
    }
}

/// One page of a kind.
pub(super) async fn list(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let kind = segments(uri.path())?.pop().unwrap_or_default();
    let query = Query::with_filters(uri, OWN)?;
    let detail = Detail::of(&query)?;
    let mut asked = query_of(&kind, &query)?;
    layer(&app, &kind).await?;
    asked.properties = conditions(&app, &kind, &query).await?;
    let limit = asked.limit.unwrap_or(LIMIT);
    let matched = app.lookup.store().count_features(&asked).await?;
    if matched == 0 && !asked.properties.is_empty() {
        check_properties(&app, &kind, &asked).await?;
    }
    let corner = if detail == Detail::Full {
        CORNER_BYTES
    } else {
        size_of::<Coord>()
    };
    let (found, more) = page(&app, &asked, limit, corner).await?;
    let base = app.base_url(headers, uri);
    let says = |name: &str| OWN.contains(&name) || asked.properties.iter().any(|(known, _)| known == name);
    let address = |after: Option<i64>| {
        let parameters = match after {
            Some(fid) => query.again_with(says, "after", fid),
            None => query.again(says),
        };
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("{base}/api/v1/zones/{}{mark}{parameters}", encode(&kind))
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
    Ok(app.with_own_address(response))
}
