//! Scenes from an http(s) address: a STAC API searched by area and time, its pages followed, or one Item or
//! ItemCollection.

use super::http::{Http, Request};
use super::stac::document_items;
use super::stac_href::Base;
use super::{Failure, Found, SourceOptions};
use crate::{Error, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Url;
use sen_catalog::{Bounds, Interval, TimeQuery};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Collections searched for when the user names none: those that are read here.
const COLLECTIONS: &[&str] = &["sentinel-2-l2a", "sentinel-1-rtc", "landsat-c2-l2"];
/// Items asked for with each page.
const PAGE: usize = 100;

/// The scenes behind an address.
///
/// # Errors
/// [`Error::Invalid`] when the address is none, or a search says no area. What the server does wrong is a failure
/// in the result, so that other locations go on.
pub(super) fn discover(location: &str, options: &SourceOptions) -> Result<Found> {
    let url = Url::parse(location).map_err(|error| Error::Invalid(format!("{location}: {error}")))?;
    // the blocking client may not live on a thread of an async runtime
    let outcome = std::thread::scope(|scope| scope.spawn(|| read(&url, options)).join());
    match outcome.unwrap_or_else(|_| Err(Error::Invalid(format!("{location}: the search broke down")))) {
        Err(error @ Error::Unavailable { .. }) => Ok(Found::failed(location, &error)),
        other => other,
    }
}

fn read(url: &Url, options: &SourceOptions) -> Result<Found> {
    let http = Http::new(options.limits)?;
    let first = Request {
        url: url.clone(),
        body: None,
    };
    if url.path().ends_with("/search") || url.path().ends_with("/items") {
        return pages(&http, restrict(first, options)?, options);
    }
    let (document, address) = http.json(&first)?;
    let link = |rel: &str| links(&document).find(|link| link["rel"] == rel);
    match document["type"].as_str() {
        Some("Feature") => Ok(document_items(
            &document,
            url.as_str(),
            &Base::Address(address),
            options,
        )),
        Some("FeatureCollection") => pages(&http, first, options),
        Some("Collection") => {
            let items = link("items").ok_or_else(|| not_searchable(url, "has no link to its items"))?;
            pages(
                &http,
                restrict(request_of(items, &address, None)?, options)?,
                options,
            )
        }
        _ => {
            // GET where it is offered: every server must have it
            let get = links(&document).find(|link| link["rel"] == "search" && link["method"] != "POST");
            let search = get
                .or(link("search"))
                .ok_or_else(|| not_searchable(url, "has no link to a search"))?;
            let mut request = request_of(search, &address, None)?;
            if search["method"] == "POST" {
                request.body.get_or_insert_with(|| json!({}));
            }
            pages(&http, restrict(request, options)?, options)
        }
    }
}

fn not_searchable(url: &Url, why: &str) -> Error {
    let reason = format!("{why}; give the address of a STAC API, its /search, a collection, or an Item");
    Error::unavailable(url, reason)
}

fn links(document: &Value) -> impl Iterator<Item = &Value> {
    document["links"].as_array().into_iter().flatten()
}

/// Adds area, time and collections, where the address does not say them itself.
fn restrict(mut request: Request, options: &SourceOptions) -> Result<Request> {
    let asked: HashSet<String> = request
        .url
        .query_pairs()
        .map(|(key, _)| key.into_owned())
        .collect();
    let Some(bbox) = options.bbox.map(
        |Bounds {
             west,
             south,
             east,
             north,
         }| [west, south, east, north],
    ) else {
        if ["bbox", "intersects", "ids"]
            .iter()
            .any(|key| asked.contains(*key))
        {
            return Ok(request);
        }
        return Err(Error::Invalid(format!(
            "{}: a search needs an area: say --bbox W,S,E,N",
            request.url
        )));
    };
    let time = options.datetime.and_then(interval);
    let collections: Vec<&str> = match &options.collections[..] {
        [] => COLLECTIONS.to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let all_collections = request.url.path().ends_with("/search");
    if let Some(body) = &mut request.body {
        body["bbox"] = json!(bbox);
        body["limit"] = json!(PAGE);
        if let Some(time) = time {
            body["datetime"] = json!(time);
        }
        if body["collections"].is_null() {
            body["collections"] = json!(collections);
        }
        return Ok(request);
    }
    let mut pairs = vec![
        ("bbox", bbox.map(|edge| edge.to_string()).join(",")),
        ("limit", PAGE.to_string()),
    ];
    pairs.extend(time.map(|time| ("datetime", time)));
    if all_collections {
        pairs.push(("collections", collections.join(",")));
    }
    for (key, value) in pairs {
        if !asked.contains(key) {
            request.url.query_pairs_mut().append_pair(key, &value);
        }
    }
    Ok(request)
}

/// `datetime` of a search; ends are included there.
fn interval(time: TimeQuery) -> Option<String> {
    let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
    match time {
        TimeQuery::Latest => None,
        TimeQuery::Week(week) | TimeQuery::Within(week) => {
            let Interval { start, end } = week.interval();
            Some(format!(
                "{}/{}",
                text(start),
                text(end - chrono::TimeDelta::seconds(1))
            ))
        }
        TimeQuery::Between(from, to) => {
            let side = |edge: Option<DateTime<Utc>>| edge.map_or_else(|| "..".to_owned(), text);
            (from.is_some() || to.is_some()).then(|| format!("{}/{}", side(from), side(to)))
        }
    }
}

/// The request that a link describes: `next` links of POST searches carry a body, to be merged into the last one
/// when they say so.
fn request_of(link: &Value, base: &Url, last: Option<&Request>) -> Result<Request> {
    let href = link["href"].as_str().unwrap_or_default();
    let url = base
        .join(href)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            let reason = format!("the server links to `{href}`, which is no http(s) address");
            Error::unavailable(base, reason)
        })?;
    let post = link["method"]
        .as_str()
        .is_some_and(|method| method.eq_ignore_ascii_case("post"));
    if !post {
        return Ok(Request { url, body: None });
    }
    let mut body = match (last.and_then(|last| last.body.clone()), link["merge"].as_bool()) {
        (Some(body), Some(true)) => body,
        _ => json!({}),
    };
    match link["body"].as_object() {
        Some(fields) => fields.iter().for_each(|(key, value)| body[key] = value.clone()),
        // a POST link without a body repeats the last one
        None => body = last.and_then(|last| last.body.clone()).unwrap_or(body),
    }
    Ok(Request {
        url,
        body: Some(body),
    })
}

/// Follows the pages of a search. What was found before a page fails is kept.
fn pages(http: &Http, first: Request, options: &SourceOptions) -> Result<Found> {
    let mut found = Found::default();
    let mut ids: HashSet<(String, String)> = HashSet::new();
    let mut asked: Vec<Request> = Vec::new();
    let mut next = Some(first);
    while let Some(request) = next.take() {
        let stop = |reason: String| Failure::new(&request.url, reason);
        let (page, address) = match http.json(&request) {
            Ok(answer) => answer,
            Err(error) if asked.is_empty() => return Err(error),
            Err(error) => {
                found.failures.push(Failure::new(&request.url, &error));
                break;
            }
        };
        if page["type"] != "FeatureCollection" {
            let reason = format!(
                "the server answered JSON that is no ItemCollection: {}",
                short(&page)
            );
            return Err(Error::unavailable(&request.url, reason));
        }
        let id = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
        let features = page["features"].as_array().map(Vec::as_slice).unwrap_or_default();
        let new = features
            .iter()
            .filter(|item| ids.insert((id(item, "collection"), id(item, "id"))))
            .count();
        found.extend(document_items(
            &page,
            address.as_str(),
            &Base::Address(address.clone()),
            options,
        ));
        let link = links(&page).find(|link| link["rel"] == "next");
        if let Some(link) = link {
            let following = request_of(link, &address, Some(&request))?;
            if ids.len() >= options.limits.scenes {
                let reason = format!(
                    "more than {} scenes; ask for a smaller area or time",
                    options.limits.scenes
                );
                found.failures.push(stop(reason));
            } else if following == request || asked.contains(&following) || (new == 0 && !features.is_empty())
            {
                found.failures.push(stop(
                    "the server's next links go round in a circle; stopped there".into(),
                ));
            } else if features.is_empty() && asked.len() > options.limits.scenes / PAGE {
                found
                    .failures
                    .push(stop("the server keeps sending empty pages; stopped there".into()));
            } else {
                next = Some(following);
            }
        }
        asked.push(request);
    }
    Ok(found)
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(160).collect()
}
