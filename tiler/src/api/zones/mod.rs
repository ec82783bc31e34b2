//! `/api/v1/zones/...`: features by code, with what every week says of them; and their pages under `/zones`.
//!
//! A zone's kind is its layer: `plots`, `dyke_compartments`, but `stations` and `canals` too can be asked for by code.

mod feature;
mod fire;
mod inundation;
mod list;
mod one;
mod record;
mod rollup;
mod series;
mod statistics;
mod tables;
mod trust;
mod values;

pub(crate) use feature::{centre, label};
pub(crate) use fire::{FireRecord, fire, level_words};
pub(crate) use inundation::title as cause_title;
pub(crate) use record::{Record, record, water_share};
pub(crate) use rollup::Divisions;
pub(crate) use series::{Row, series};
pub(crate) use tables::Tables;

use super::Standard;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{App, Shared};
use crate::zone_page;
use axum::Router;
use axum::routing::get;
use chrono::NaiveDate;
use sen_catalog::feature::{Layer, fold};
use sen_catalog::{Feature, FeatureQuery};

/// See the module.
pub(crate) struct Zones;

impl Standard for Zones {
    fn routes(&self) -> Router<Shared> {
        Router::new()
            .route("/api/v1/zones", get(list::kinds))
            .route("/api/v1/zones/{kind}", get(list::list))
            .route("/api/v1/zones/{kind}/values", get(values::values))
            .route("/api/v1/zones/{kind}/rollup", get(rollup::roll_up))
            .route("/api/v1/zones/{kind}/{code}", get(one::one))
            .route(
                "/api/v1/zones/{kind}/{code}/statistics",
                get(statistics::statistics),
            )
            .route("/api/v1/zones/{kind}/{code}/fire", get(fire::days))
            .route("/api/v1/zones/{kind}/{code}/week/{period}", get(record::week))
            .route("/api/v1/zones/{kind}/inundation", get(inundation::list))
            .route("/api/v1/zones/{kind}/{code}/inundation", get(inundation::weeks))
            .route("/overview.png", get(zone_page::overview))
            .route("/zones", get(zone_page::kinds))
            .route("/zones/{kind}", get(zone_page::list))
            .route("/zones/{kind}/{code}", get(zone_page::zone))
    }

    fn reserved(&self) -> &'static [&'static str] {
        &["zones", "overview.png"]
    }
}

/// Codes that are offered in place of an unknown one.
const NEAREST: usize = 5;

/// The layer of a kind, or a 404 that names the kinds there are.
pub(crate) async fn layer(app: &App, kind: &str) -> Outcome<Layer> {
    let layers = app.lookup.store().layers().await?;
    let names: Vec<_> = layers.iter().map(|layer| layer.name.clone()).collect();
    layers
        .into_iter()
        .find(|layer| layer.name == kind)
        .ok_or_else(|| {
            let known = if names.is_empty() {
                "nothing was imported yet (sen import zones)".to_owned()
            } else {
                format!("there are {}", names.join(", "))
            };
            Problem::not_found(
                "unknown-kind",
                format!("there are no zones of the kind `{kind}`; {known}"),
            )
        })
}

/// A feature by its code, or a 404 that names codes like it.
pub(crate) async fn zone(app: &App, kind: &str, code: &str, day: Option<NaiveDate>) -> Outcome<Feature> {
    if let Some(feature) = app.lookup.store().feature(kind, code, day).await? {
        return Ok(feature);
    }
    layer(app, kind).await?;
    let known = nearest(app, kind, code).await?;
    let codes: Vec<_> = known
        .iter()
        .map(|feature| format!("`{}`", feature.code))
        .collect();
    let hint = if codes.is_empty() {
        format!("search with /api/v1/search?q={}", crate::query::encode(code))
    } else {
        format!("the nearest are {}", codes.join(", "))
    };
    let when = day.map_or(String::new(), |day| format!(" valid on {day}"));
    Err(Problem::not_found(
        "unknown-code",
        format!("`{kind}` has no code `{code}`{when}; {hint}"),
    ))
}

/// Features of a kind whose codes begin like this one, or are written like it.
pub(crate) async fn nearest(app: &App, kind: &str, code: &str) -> Outcome<Vec<Feature>> {
    let mut needle: Vec<char> = fold(code).chars().take(64).collect();
    // a wrong letter is most often one of the last: shorten until something begins like it
    for _ in 0..8 {
        if needle.len() < 2 {
            break;
        }
        let query = FeatureQuery {
            text: Some(needle.iter().collect()),
            limit: Some(NEAREST),
            ..FeatureQuery::layer(kind)
        };
        let found = app.lookup.store().features(&query).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        needle.pop();
    }
    Ok(Vec::new())
}

/// `on=`: the day the feature must be valid on; without it the newest of a code is meant.
pub(crate) fn day(query: &Query<'_>) -> Outcome<Option<NaiveDate>> {
    let parse = |text: &str| {
        text.parse::<NaiveDate>()
            .map_err(|_| Problem::bad("on", format!("`{text}` is not a date; write it as 2025-06-30")))
    };
    query
        .get("on")
        .filter(|text| !text.is_empty())
        .map(parse)
        .transpose()
}

/// `bbox=west,south,east,north` in degrees.
pub(crate) fn bbox(query: &Query<'_>) -> Outcome<Option<sen_catalog::Bounds>> {
    query.get("bbox").map(crate::draw::parse_box).transpose()
}
