//! `/api/v1/fires?datetime=&bbox=&burning=`: hot spots of a time as fires, a GeoJSON feature each with the cells that were
//! seen hot. Without a time the newest week with hot spots.

use super::Standard;
use super::zones::bbox;
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::Shared;
use crate::time::When;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use sen_catalog::feature::Sought;
use sen_catalog::fire::HOTSPOTS;
use sen_catalog::{Feature, FeatureQuery, Period, TimeQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Most hot spots of one answer.
const MOST: usize = 50_000;

/// What may be asked for as `burning=`.
const BURNING: [&str; 4] = ["forest", "straw", "other", "static"];

/// See the module.
pub(crate) struct Fires;

impl Standard for Fires {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/fires", get(fires))
    }
}

async fn fires(State(app): State<Shared>, request: Request) -> Outcome {
    let query = Query::of(request.uri(), &["datetime", "bbox", "burning"])?;
    let when = When::of(&query)?.query;
    let mut properties = Vec::new();
    if let Some(burning) = query.get("burning") {
        if !BURNING.contains(&burning) {
            return Err(Problem::bad(
                "burning",
                format!("`{burning}` is not known; there are {}", BURNING.join(", ")),
            ));
        }
        properties.push(("burning".to_owned(), vec![Sought::of(burning)]));
    }
    if let TimeQuery::Week(week) = when {
        properties.push(("week".to_owned(), vec![Sought::of(&week.to_string())]));
    }
    let found = FeatureQuery {
        bbox: bbox(&query)?,
        properties,
        limit: Some(MOST + 1),
        ..FeatureQuery::layer(HOTSPOTS)
    };
    let mut spots = app.lookup.store().features(&found).await?;
    if spots.len() > MOST {
        return Err(Problem::too_large(format!(
            "more than {MOST} hot spots; give a week as datetime= and a bbox"
        )));
    }
    let week = |spot: &Feature| -> Option<Period> { text(spot, "week")?.parse().ok() };
    let (from, to) = match when {
        TimeQuery::Latest => {
            let newest = spots.iter().filter_map(week).max();
            (newest, newest)
        }
        other => other.weeks(),
    };
    let day = match when {
        TimeQuery::Within(_) => query.get("datetime").filter(|text| text.len() == 10),
        _ => None,
    };
    spots.retain(|spot| {
        let within = week(spot)
            .is_some_and(|week| from.is_none_or(|from| from <= week) && to.is_none_or(|to| week <= to));
        within && day.is_none_or(|day| text(spot, "day") == Some(day))
    });
    let mut fires: BTreeMap<String, Vec<&Feature>> = BTreeMap::new();
    for spot in &spots {
        let fire = text(spot, "fire").unwrap_or(&spot.code);
        fires.entry(fire.to_owned()).or_default().push(spot);
    }
    let features: Vec<Value> = fires.iter().map(|(code, spots)| feature(code, spots)).collect();
    let document = json!({
        "type": "FeatureCollection", "features": features,
        "from": from.map(|week| week.to_string()), "to": to.map(|week| week.to_string()),
        "numberReturned": fires.len(),
    });
    Ok(document::geo_json(request.headers(), MINUTE, &document))
}

fn text<'a>(feature: &'a Feature, name: &str) -> Option<&'a str> {
    feature.properties.get(name).and_then(Value::as_str)
}

/// A fire: forest where any of its hot spots is in or near forest, then straw.
fn feature(code: &str, spots: &[&Feature]) -> Value {
    let burning = BURNING
        .into_iter()
        .find(|kind| spots.iter().any(|spot| text(spot, "burning") == Some(*kind)))
        .unwrap_or("other");
    let first = spots.first();
    let said = |name: &str| first.and_then(|spot| spot.properties.get(name));
    let cells: Vec<Value> = spots
        .iter()
        .filter_map(|spot| spot.polygons())
        .flatten()
        .map(|polygon| {
            let ring = polygon.exterior().coords();
            json!([ring
                .map(|at| json!([degrees(at.x), degrees(at.y)]))
                .collect::<Vec<_>>()])
        })
        .collect();
    json!({
        "type": "Feature", "id": code,
        "geometry": {"type": "MultiPolygon", "coordinates": cells},
        "properties": {
            "code": code, "burning": burning, "first": said("fire_first"), "last": said("fire_last"),
            "count": said("fire_count"), "shown": spots.len(), "frp_mw": said("fire_frp_mw"),
            "confidence": said("fire_confidence"),
            "hotspots": spots.iter().map(|spot| &spot.code).collect::<Vec<_>>(),
        },
    })
}

fn degrees(value: f64) -> f64 {
    (value * 1e7).round() / 1e7
}
