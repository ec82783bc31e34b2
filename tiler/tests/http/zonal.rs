//! `POST /api/v1/zonal`: polygons that somebody drew, and all that can be wrong with them.

use crate::world::{Answer, INSIDE, World, ask_with, grid};
use axum::http::Method;
use sen_catalog::Crs;
use sen_catalog::crs::Transform;
use serde_json::{Value, json};

/// A square of cells as a closed ring of lon/lat.
fn square(column: f64, row: f64, side: f64) -> Value {
    let back = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known");
    let corners = [(0.0, 0.0), (0.0, side), (side, side), (side, 0.0), (0.0, 0.0)];
    let ring: Vec<[f64; 2]> = corners
        .into_iter()
        .map(|(dx, dy)| {
            let place = back.point(
                grid().west + 10.0 * (column + dx),
                grid().north - 10.0 * (row + dy),
            );
            let (lon, lat) = place.expect("inside");
            [lon, lat]
        })
        .collect();
    json!([ring])
}

fn feature(rings: &Value) -> Value {
    json!({"type": "Feature", "properties": null, "geometry": {"type": "Polygon", "coordinates": rings}})
}

async fn post(world: &World, query: &str, body: &str) -> Answer {
    let path = format!("/api/v1/zonal?{query}");
    ask_with(world, Method::POST, &path, body.to_owned()).await
}

async fn refused(world: &World, query: &str, body: &str, status: u16, word: &str) {
    let answer = post(world, query, body).await;
    let shown: String = body.chars().take(80).collect();
    assert_eq!(answer.status.as_u16(), status, "{query} {shown}");
    let problem = answer.json();
    let detail = problem["detail"].as_str().expect("a problem document");
    assert!(detail.contains(word), "{shown}: {detail}");
}

#[tokio::test]
async fn a_drawn_field_gets_its_numbers_for_each_week_asked_for() {
    let world = World::rice().await;
    // ten columns, of which five and a half lie in the data
    let body = feature(&square(284.5, 100.0, 10.0)).to_string();
    let answer = post(&world, "collection=ndvi&datetime=2026-W32/2026-W34", &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/geo+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let statistics = &answer.json()["properties"]["statistics"];
    assert_eq!(statistics["collection"], "ndvi");
    let values = statistics["values"].as_array().expect("weeks");
    assert_eq!(values.len(), 3);
    for (value, (week, mean)) in values
        .iter()
        .zip([("2026-W32", 0.3), ("2026-W33", 0.5), ("2026-W34", 0.7)])
    {
        assert_eq!(value["period"], week);
        let near =
            |name: &str, expected: f64| (value[name].as_f64().expect("a number") - expected).abs() < 1e-4;
        assert!(
            near("mean", mean) && near("median", mean) && near("stdev", 0.0),
            "{value}"
        );
        assert!(near("count", 55.0) && near("valid_fraction", 0.55), "{value}");
        // on the plane a hectare; UTM's scale is 0.99966 here
        assert!(near("area_ha", 1.00068), "{value}");
    }
    let newest = post(&world, "collection=ndvi", &body).await;
    assert_eq!(newest.header("sen-period"), "2026-W34");
    let bare = json!({"type": "Polygon", "coordinates": square(284.5, 100.0, 10.0)}).to_string();
    assert_eq!(
        post(&world, "collection=ndvi", &bare).await.json()["properties"],
        newest.json()["properties"]
    );
}

#[tokio::test]
async fn classes_come_in_hectares() {
    let world = World::rice().await;
    // half of it water, half under cloud
    let body = feature(&square(100.0, 145.0, 10.0)).to_string();
    let answer = post(&world, "collection=flood&datetime=2026-W34", &body)
        .await
        .json();
    let value = &answer["properties"]["statistics"]["values"][0];
    let area = value["area_ha"].as_f64().expect("hectares");
    let water = value["classes"]["1"].as_f64().expect("hectares of water");
    assert!((water - area / 2.0).abs() < 1e-6, "{value}");
    assert!((value["valid_fraction"].as_f64().expect("a share") - 0.5).abs() < 1e-6);
    assert_eq!(value["classes"].as_object().map(serde_json::Map::len), Some(1));
}

#[tokio::test]
async fn what_is_wrong_with_one_feature_leaves_the_others_answered() {
    let world = World::rice().await;
    let (x, y) = INSIDE;
    let tie = json!([[
        [x, y],
        [x + 0.002, y + 0.002],
        [x + 0.002, y],
        [x, y + 0.002],
        [x, y]
    ]]);
    let features = json!([
        {"type": "Feature", "id": 7, "properties": {"name": "ruộng"}, "geometry": {"type": "Polygon", "coordinates": square(10.0, 10.0, 5.0)}},
        feature(&tie),
        {"type": "Feature", "properties": {}, "geometry": null},
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [x, y]}},
        {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates": []}},
        feature(&square(5000.0, 10.0, 5.0)),
        feature(&json!([square(10.0, 10.0, 5.0)[0], square(40.0, 10.0, 9.0)[0]])),
        {"type": "Feature", "properties": {}, "geometry": {"type": "MultiPolygon", "coordinates":
            [square(10.0, 10.0, 5.0), [square(10.0, 30.0, 5.0)[0], square(40.0, 10.0, 9.0)[0]]]}},
        feature(&json!([[[x, y], [x + 0.002, y], [x + 0.002, y], [x, y]]])),
    ]);
    let body = json!({"type": "FeatureCollection", "features": features}).to_string();
    let answer = post(&world, "collection=ndvi", &body).await;
    assert_eq!(answer.status, 200);
    let answer = answer.json();
    let of = |index: usize| &answer["features"][index]["properties"];
    assert_eq!(
        (&answer["features"][0]["id"], &of(0)["name"]),
        (&json!(7), &json!("ruộng"))
    );
    assert!(of(0)["statistics"]["values"][0]["mean"].is_f64());
    for (index, word) in [
        (1, "features[1]: a ring crosses"),
        (2, "no geometry"),
        (3, "no area"),
        (4, "empty"),
        (
            6,
            "features[6]: the ring coordinates[1] is a hole outside its shell",
        ),
        (
            7,
            "features[7]: the ring coordinates[1][1] is a hole outside its shell",
        ),
        (8, "features[8]"),
    ] {
        let problem = of(index)["problem"].as_str().expect("a problem");
        assert!(problem.contains(word), "{problem}");
        assert!(of(index)["statistics"].is_null());
    }
    // outside the raster: nothing seen, and said so
    let outside = &of(5)["statistics"]["values"][0];
    assert_eq!(
        (&outside["count"], &outside["mean"]),
        (&json!(0.0), &Value::Null),
        "{outside}"
    );
}

#[tokio::test]
async fn what_cannot_be_measured_is_refused_with_a_reason() {
    let world = World::rice().await;
    let ok = "collection=ndvi";
    let good = feature(&square(10.0, 10.0, 5.0)).to_string();
    let (x, y) = INSIDE;
    let apart = json!([
        [[x, y], [x + 0.002, y], [x, y + 0.002], [x, y]],
        [[x + 0.01, y], [x + 0.02, y], [x + 0.02, y + 0.01], [x + 0.01, y]]
    ]);
    let apart = feature(&apart).to_string();
    refused(
        &world,
        ok,
        &apart,
        400,
        "coordinates[1] is a hole outside its shell",
    )
    .await;
    refused(&world, "", &good, 400, "which layer").await;
    refused(&world, "collection=nothing", &good, 404, "nothing").await;
    refused(
        &world,
        "collection=ndvi&datetime=2026-W20",
        &good,
        404,
        "nothing at that time",
    )
    .await;
    refused(
        &world,
        "collection=ndvi&datetime=2020-W01/2020-W09",
        &good,
        404,
        "nothing at that time",
    )
    .await;
    refused(
        &world,
        "collection=ndvi&datetime=yesterday",
        &good,
        400,
        "yesterday",
    )
    .await;
    refused(&world, ok, "", 400, "not JSON").await;
    refused(&world, ok, "{\"type\": \"Feature\"", 400, "not JSON").await;
    refused(&world, ok, "[1, 2]", 400, "no GeoJSON object").await;
    refused(&world, ok, &"[".repeat(100_000), 400, "not JSON").await;
    refused(&world, ok, "{\"type\": \"Feature\"}", 400, "no geometry").await;
    refused(
        &world,
        ok,
        "{\"type\": \"LineString\", \"coordinates\": []}",
        400,
        "LineString",
    )
    .await;
    refused(
        &world,
        ok,
        "{\"type\": \"FeatureCollection\", \"features\": []}",
        400,
        "holds no feature",
    )
    .await;
    let ring = |points: &str| feature(&serde_json::from_str(points).expect("JSON")).to_string();
    refused(
        &world,
        ok,
        &ring("[[[10.4, 105.6], [10.5, 105.6], [10.5, 105.7], [10.4, 105.6]]]"),
        400,
        "swapped",
    )
    .await;
    refused(
        &world,
        ok,
        &ring("[[[568000, 1157000], [568100, 1157000], [568100, 1156900], [568000, 1157000]]]"),
        400,
        "degrees",
    )
    .await;
    refused(
        &world,
        ok,
        &ring("[[[105.6, 10.4], [105.7, 10.4], [105.6, 10.4]]]"),
        400,
        "three",
    )
    .await;
    refused(
        &world,
        ok,
        &ring("[[[105.6, null], [105.7, 10.4], [105.7, 10.5], [105.6, 10.4]]]"),
        400,
        "no position",
    )
    .await;
    let mut mercator: Value = serde_json::from_str(&good).expect("JSON");
    mercator["crs"] = json!({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}});
    refused(&world, ok, &mercator.to_string(), 400, "3857").await;
    let get = world.get("/api/v1/zonal?collection=ndvi").await;
    assert_eq!(get.status, 400);
}

#[tokio::test]
async fn no_request_costs_more_than_its_share() {
    let world = World::rice().await;
    let ok = "collection=ndvi";
    let circle = |corners: usize, radius: f64| -> Value {
        let corner = |index: usize| {
            let turn = std::f64::consts::TAU * (index % corners) as f64 / corners as f64;
            [INSIDE.0 + radius * turn.cos(), INSIDE.1 + radius * turn.sin()]
        };
        json!([(0..=corners).map(corner).collect::<Vec<_>>()])
    };
    // many vertices are fine until they are too many
    let fine = post(&world, ok, &feature(&circle(50_000, 0.01)).to_string()).await;
    assert_eq!(fine.status, 200);
    refused(
        &world,
        ok,
        &feature(&circle(120_000, 0.01)).to_string(),
        413,
        "vertices",
    )
    .await;
    refused(
        &world,
        ok,
        &feature(&circle(1_000_000, 0.01)).to_string(),
        413,
        "MB",
    )
    .await;
    let many = vec![feature(&square(10.0, 10.0, 5.0)); 1001];
    let many = json!({"type": "FeatureCollection", "features": many}).to_string();
    refused(&world, ok, &many, 413, "1001 features").await;
    // a whole region is answered where the raster is small
    let region = json!([[
        [104.0, 9.0],
        [108.0, 9.0],
        [108.0, 14.0],
        [104.0, 14.0],
        [104.0, 9.0]
    ]]);
    let answer = post(&world, ok, &feature(&region).to_string()).await;
    assert_eq!(answer.status, 200);
    let value = &answer.json()["properties"]["statistics"]["values"][0];
    assert_eq!(value["count"], 290.0 * 300.0, "{value}");
    assert!(value["valid_fraction"].as_f64().expect("a share") < 1e-4);
    let earth = json!([[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]]);
    refused(&world, ok, &feature(&earth).to_string(), 413, "1,000,000 km2").await;
    let often = vec![feature(&square(0.0, 0.0, 300.0)); 900];
    let often = json!({"type": "FeatureCollection", "features": often}).to_string();
    refused(
        &world,
        "collection=ndvi&datetime=2026-W32/..",
        &often,
        413,
        "million cells",
    )
    .await;
}
