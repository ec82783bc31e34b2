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
mod which;

pub(crate) use feature::{centre, label};
pub(crate) use fire::{FireRecord, fire, level_words};
pub(crate) use inundation::title as cause_title;
pub(crate) use record::{Record, record, water_share};
pub(crate) use rollup::Divisions;
pub(crate) use series::{Row, series};
pub(crate) use tables::Tables;
pub(crate) use which::{Versions, Which, day};

use super::Standard;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::{App, Shared};
use crate::zone_page;
use axum::Router;
use axum::routing::get;
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

/// `bbox=west,south,east,north` in degrees.
pub(crate) fn bbox(query: &Query<'_>) -> Outcome<Option<sen_catalog::Bounds>> {
    query.get("bbox").map(crate::draw::parse_box).transpose()
}
