//! `/api/v1/search?q=`: codes, names, communes and coordinates over all kinds, best first.

mod place;

use super::Standard;
use super::zones::{centre, label};
use crate::document;
use crate::headers::MINUTE;
use crate::problem::{Outcome, Problem};
use crate::query::Query;
use crate::state::Shared;
use crate::values::tidy;
use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use geo::Contains;
use geo_types::Point;
use place::{coordinates, numbers};
use sen_catalog::crs::Transform;
use sen_catalog::feature::Layer;
use sen_catalog::{Bounds, Crs, Feature, FeatureQuery, Store, admin};
use serde_json::{Value, json};

/// Hits when nothing is said, and at most.
const LIMIT: usize = 20;
/// See [`LIMIT`].
const MAX_LIMIT: usize = 100;

/// Longest text that is searched, in characters.
const LONGEST: usize = 200;

/// See the module.
pub(crate) struct Search;

impl Standard for Search {
    fn routes(&self) -> Router<Shared> {
        Router::new().route("/api/v1/search", get(search))
    }
}

async fn search(State(app): State<Shared>, request: Request) -> Outcome {
    let query = Query::of(request.uri(), &["q", "limit"])?;
    let text = query
        .get("q")
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| {
            Problem::bad(
                "q",
                "say what to look for: q=DT-000001, q=dong thap or q=10.46,105.63",
            )
        })?;
    if text.chars().count() > LONGEST {
        return Err(Problem::bad(
            "q",
            format!("q is longer than {LONGEST} characters"),
        ));
    }
    let limit = query
        .number("limit", 1..=usize::MAX)?
        .unwrap_or(LIMIT)
        .min(MAX_LIMIT);
    let store = app.lookup.store();
    let mut hits = Vec::new();
    if let Some((lon, lat)) = coordinates(text) {
        let commune = commune_at(store, Point::new(lon, lat)).await?;
        let code = format!("{lat:.6}, {lon:.6}");
        hits.push(
            json!({"kind": "coordinates", "code": code, "name": code, "commune": commune,
            "lon": lon, "lat": lat}),
        );
    }
    for (name, lon, lat) in vn2000(text, &store.layers().await?) {
        let commune = commune_at(store, Point::new(lon, lat)).await?;
        hits.push(
            json!({"kind": "coordinates", "code": format!("{lat:.6}, {lon:.6}"), "name": name,
            "commune": commune, "lon": lon, "lat": lat}),
        );
    }
    for feature in store.search(text, limit - hits.len().min(limit)).await? {
        hits.push(hit(store, &feature).await?);
    }
    Ok(document::json(request.headers(), MINUTE, &Value::Array(hits)))
}

async fn hit(store: &dyn Store, feature: &Feature) -> Outcome<Value> {
    let place = centre(feature);
    let commune = commune_of(store, feature).await?;
    let b = feature.bounds();
    Ok(json!({
        "kind": feature.layer, "code": feature.code, "scheme": feature.scheme, "name": label(feature), "commune": commune,
        "lon": place.map(|place| tidy(place.x())), "lat": place.map(|place| tidy(place.y())),
        "bbox": b.map(|b| [b.west, b.south, b.east, b.north].map(tidy)),
        "valid_to": feature.valid_to,
    }))
}

/// The commune a feature belongs to: its own word, else the smallest unit that holds its middle.
pub(crate) async fn commune_of(store: &dyn Store, feature: &Feature) -> Outcome<Option<String>> {
    if let Some(name) = feature.properties.get("commune").and_then(Value::as_str) {
        return Ok(Some(name.to_owned()));
    }
    match centre(feature) {
        Some(place) if feature.layer != admin::LAYER => commune_at(store, place).await,
        Some(_) | None => Ok(None),
    }
}

/// The name of the smallest administrative unit at a place that is still valid.
async fn commune_at(store: &dyn Store, place: Point<f64>) -> Outcome<Option<String>> {
    let (x, y) = place.x_y();
    let query = FeatureQuery {
        bbox: Some(Bounds::new(x, y, x, y)),
        ..FeatureQuery::layer(admin::LAYER)
    };
    let mut units = store.features(&query).await?;
    units.retain(|unit| unit.valid_to.is_none() && unit.geometry.contains(&place));
    let smallest = units.into_iter().min_by(|a, b| a.area_m2.total_cmp(&b.area_m2));
    Ok(smallest.and_then(|unit| unit.name))
}

/// A pair of metres read in every VN-2000 grid in which it lies where there is something: the pair itself does not
/// say which meridian is meant.
fn vn2000(text: &str, layers: &[Layer]) -> Vec<(String, f64, f64)> {
    let Some((a, b)) = numbers(text) else {
        return Vec::new();
    };
    // eastings of these grids lie around 500 km, northings of Viet Nam between 900 and 2,600 km
    let easting = |metres: f64| (200_000.0..=800_000.0).contains(&metres);
    let northing = |metres: f64| (900_000.0..=2_600_000.0).contains(&metres);
    let (east, north) = if northing(a) && easting(b) { (b, a) } else { (a, b) };
    if !(northing(north) && easting(east)) {
        return Vec::new();
    }
    let known = |lon: f64, lat: f64| layers.iter().any(|layer| layer.bounds.contains(lon, lat));
    let tidy = |value: f64| (value * 1e7).round() / 1e7;
    Crs::vn2000_tm3()
        .filter_map(|(crs, meridian)| {
            let transform = Transform::new(crs, Crs::WGS84).ok()?;
            let (lon, lat) = transform.point(east, north)?;
            let name = format!("VN-2000 {}°{:02.0}'", meridian.trunc(), meridian.fract() * 60.0);
            known(lon, lat).then(|| (name, tidy(lon), tidy(lat)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metres_of_vn2000_are_read_where_there_is_something() {
        let here = Layer {
            name: "plots".into(),
            shape: sen_catalog::feature::Shape::Polygon,
            count: 1,
            bounds: Bounds::new(105.4, 10.3, 105.8, 10.6),
            revision: 1,
        };
        // EPSG:6960 pipeline, PROJ 9.1.1: 105.6325 10.4603 in EPSG:5897; a centimetre is 1e-7 degrees
        for text in [
            "569045.613 1156833.621",
            "1156833.621, 569045.613",
            "1156833,621 569045,613",
        ] {
            let found = vn2000(text, std::slice::from_ref(&here));
            let place = found.iter().find(|(name, ..)| name.ends_with("105°00'"));
            let (_, lon, lat) = place.expect("in the grid of 105 degrees");
            assert!(
                (lon - 105.6325).abs() < 2e-7 && (lat - 10.4603).abs() < 2e-7,
                "{text}: {lon} {lat}"
            );
        }
        assert!(vn2000("10.46, 105.63", std::slice::from_ref(&here)).is_empty());
        assert!(vn2000("569045 1156833", &[]).is_empty());
    }
}
