//! Polygons as programs write them: every way to write a shape gives the numbers of the shape.

use crate::world::{INSIDE, World, ask_with};
use axum::http::Method;
use serde_json::{Value, json};

/// A ring of offsets from [`INSIDE`] in ten-thousandths of a degree, closed, counter-clockwise.
fn ring(corners: &[[i32; 2]]) -> Vec<[f64; 2]> {
    let place = |&[x, y]: &[i32; 2]| [INSIDE.0 + f64::from(x) * 1e-4, INSIDE.1 + f64::from(y) * 1e-4];
    corners.iter().chain(corners.first()).map(place).collect()
}

fn turned(ring: &[[f64; 2]]) -> Vec<[f64; 2]> {
    ring.iter().rev().copied().collect()
}

/// The same closed ring from another corner on.
fn from_corner(ring: &[[f64; 2]], corner: usize) -> Vec<[f64; 2]> {
    let open = &ring[..ring.len() - 1];
    let (before, after) = open.split_at(corner % open.len());
    after.iter().chain(before).chain(after.first()).copied().collect()
}

/// Rings as shells and holes of polygons.
type Shape = Vec<Vec<Vec<[f64; 2]>>>;

/// The shapes, by name: polygons of a shell and its holes.
fn shapes() -> Vec<(&'static str, Shape)> {
    let square = ring(&[[-20, -20], [20, -20], [20, 20], [-20, 20]]);
    let hole = ring(&[[-10, -10], [-2, -10], [-2, -2], [-10, -2]]);
    let other_hole = ring(&[[4, 4], [10, 4], [10, 10], [4, 10]]);
    let touching = ring(&[[-20, 0], [-10, -5], [-10, 5]]);
    let ell = ring(&[[-20, -20], [20, -20], [20, 0], [0, 0], [0, 20], [-20, 20]]);
    let star = ring(&[
        [0, 30],
        [-5, 5],
        [-30, 0],
        [-5, -5],
        [0, -30],
        [5, -5],
        [30, 0],
        [5, 5],
    ]);
    let sliver = ring(&[[-40, -1], [40, 0], [40, 1]]);
    let beside = ring(&[[20, -20], [40, -20], [40, 20], [20, 20]]);
    let corner = ring(&[[20, 20], [40, 20], [40, 40], [20, 40]]);
    let apart = ring(&[[30, -20], [50, -20], [50, 20], [30, 20]]);
    let circle: Vec<[i32; 2]> = (0..64)
        .map(|at| {
            let turn = std::f64::consts::TAU * f64::from(at) / 64.0;
            [
                (2000.0 * turn.cos()).round() as i32 / 100,
                (2000.0 * turn.sin()).round() as i32 / 100,
            ]
        })
        .collect();
    let mut circle = circle;
    circle.dedup();
    let islet = ring(&[[-8, -8], [-4, -8], [-4, -4], [-8, -4]]);
    vec![
        ("square", vec![vec![square.clone()]]),
        ("square with a hole", vec![vec![square.clone(), hole.clone()]]),
        (
            "square with two holes",
            vec![vec![square.clone(), hole.clone(), other_hole]],
        ),
        (
            "hole that touches its shell",
            vec![vec![square.clone(), touching]],
        ),
        ("ell", vec![vec![ell]]),
        ("star", vec![vec![star]]),
        ("sliver", vec![vec![sliver]]),
        ("circle", vec![vec![ring(&circle)]]),
        ("two apart", vec![vec![square.clone()], vec![apart]]),
        ("two that share an edge", vec![vec![square.clone()], vec![beside]]),
        (
            "two that touch in a corner",
            vec![vec![square.clone()], vec![corner]],
        ),
        ("islet in a hole", vec![vec![square, hole], vec![islet]]),
    ]
}

/// Every ring of a shape written in another way.
fn each_ring(shape: &Shape, write: impl Fn(&[[f64; 2]], usize) -> Value) -> Value {
    let polygon = |rings: &Vec<Vec<[f64; 2]>>| -> Value {
        rings
            .iter()
            .enumerate()
            .map(|(at, ring)| write(ring, at))
            .collect()
    };
    let polygons: Vec<Value> = shape.iter().map(polygon).collect();
    match polygons.as_slice() {
        [one] => json!({"type": "Polygon", "coordinates": one}),
        _ => json!({"type": "MultiPolygon", "coordinates": polygons}),
    }
}

/// The ways in which programs write a shape.
fn ways(shape: &Shape) -> Vec<(&'static str, Value)> {
    let plain = each_ring(shape, |ring, _| json!(ring));
    let feature = |geometry: &Value| json!({"type": "Feature", "properties": null, "geometry": geometry});
    let members: Vec<Value> = match plain["type"].as_str() {
        Some("Polygon") => vec![plain.clone()],
        _ => plain["coordinates"]
            .as_array()
            .expect("polygons")
            .iter()
            .map(|one| json!({"type": "Polygon", "coordinates": one}))
            .collect(),
    };
    let mut parts: Vec<Value> = members.iter().map(|one| one["coordinates"].clone()).collect();
    let multi = json!({"type": "MultiPolygon", "coordinates": parts});
    parts.reverse();
    let mut with_point = members.clone();
    with_point.push(json!({"type": "Point", "coordinates": [INSIDE.0, INSIDE.1]}));
    with_point.push(json!({"type": "LineString", "coordinates": [[105.0, 10.0], [105.1, 10.1]]}));
    let doubled = |ring: &[[f64; 2]]| -> Vec<[f64; 2]> { ring.iter().flat_map(|at| [*at, *at]).collect() };
    let with_crs = |name: &str| {
        let mut geometry = plain.clone();
        geometry["crs"] = json!({"type": "name", "properties": {"name": name}});
        geometry
    };
    vec![
        (
            "as RFC 7946 says",
            each_ring(
                shape,
                |ring, at| if at == 0 { json!(ring) } else { json!(turned(ring)) },
            ),
        ),
        ("all counter-clockwise", plain.clone()),
        ("all clockwise", each_ring(shape, |ring, _| json!(turned(ring)))),
        (
            "shell clockwise, as shapefiles",
            each_ring(
                shape,
                |ring, at| if at == 0 { json!(turned(ring)) } else { json!(ring) },
            ),
        ),
        (
            "not closed",
            each_ring(shape, |ring, _| json!(ring[..ring.len() - 1])),
        ),
        (
            "not closed, clockwise",
            each_ring(shape, |ring, _| json!(turned(ring)[1..])),
        ),
        (
            "closed twice",
            each_ring(shape, |ring, _| json!([ring, &ring[..1]].concat())),
        ),
        (
            "each position twice",
            each_ring(shape, |ring, _| json!(doubled(ring))),
        ),
        (
            "from another corner",
            each_ring(shape, |ring, _| json!(from_corner(ring, 2))),
        ),
        (
            "with heights",
            each_ring(shape, |ring, _| {
                ring.iter().map(|[x, y]| json!([x, y, 3.5])).collect()
            }),
        ),
        (
            "with heights and measures",
            each_ring(shape, |ring, _| {
                ring.iter().map(|[x, y]| json!([x, y, 0, 7])).collect()
            }),
        ),
        ("several by one", multi),
        (
            "parts the other way round",
            json!({"type": "MultiPolygon", "coordinates": parts}),
        ),
        (
            "a collection",
            json!({"type": "GeometryCollection", "geometries": members}),
        ),
        (
            "a collection of collections",
            json!({"type": "GeometryCollection", "geometries":
            [{"type": "GeometryCollection", "geometries": members}]}),
        ),
        (
            "a collection with a point and a line",
            json!({"type": "GeometryCollection", "geometries": with_point}),
        ),
        ("a feature", feature(&plain)),
        ("with an old crs", with_crs("urn:ogc:def:crs:OGC:1.3:CRS84")),
        ("with a short crs", with_crs("epsg:4326")),
    ]
}

async fn numbers(world: &World, body: &Value) -> Result<Value, String> {
    let path = "/api/v1/zonal?collection=ndvi&datetime=2026-W34";
    let answer = ask_with(world, Method::POST, path, body.to_string()).await;
    let json = answer.json();
    if answer.status == 200 {
        Ok(json["properties"]["statistics"]["values"][0].clone())
    } else {
        Err(json["detail"].as_str().unwrap_or_default().to_owned())
    }
}

#[tokio::test]
async fn every_way_to_write_a_polygon_gives_its_numbers() {
    let world = World::rice().await;
    let mut asked = 0;
    for (name, shape) in shapes() {
        let plain = each_ring(&shape, |ring, _| json!(ring));
        let expected = numbers(&world, &plain).await.expect(name);
        assert!(
            expected["count"].as_f64().is_some_and(|count| count > 1.0),
            "{name}: {expected}"
        );
        for (way, body) in ways(&shape) {
            let found = numbers(&world, &body).await;
            let found = found.unwrap_or_else(|detail| panic!("{name}, {way}: {detail}"));
            for key in ["count", "mean", "median", "area_ha", "valid_fraction"] {
                let (a, b) = (
                    expected[key].as_f64().expect("a number"),
                    found[key].as_f64().expect("a number"),
                );
                assert!(
                    (a - b).abs() <= 1e-9 * a.abs().max(1.0),
                    "{name}, {way}: {key} {a} {b}"
                );
            }
            asked += 1;
        }
    }
    assert!(asked >= 200, "{asked}");
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_the_polygon() {
    let world = World::rice().await;
    let square = ring(&[[-20, -20], [20, -20], [20, 20], [-20, 20]]);
    let body = format!("\u{feff}{}", json!({"type": "Polygon", "coordinates": [square]}));
    let path = "/api/v1/zonal?collection=ndvi";
    assert_eq!(ask_with(&world, Method::POST, path, body).await.status, 200);
}

#[tokio::test]
async fn ground_under_two_parts_counts_once() {
    let world = World::rice().await;
    let square = ring(&[[-20, -20], [20, -20], [20, 20], [-20, 20]]);
    let over = ring(&[[0, -20], [40, -20], [40, 20], [0, 20]]);
    let whole = ring(&[[-20, -20], [40, -20], [40, 20], [-20, 20]]);
    let expected = numbers(&world, &json!({"type": "Polygon", "coordinates": [whole]})).await;
    let expected = expected.expect("a rectangle");
    for parts in [
        json!([[square], [over]]),
        json!([[turned(&over)], [square]]),
        json!([[square], [square], [over]]),
    ] {
        let found = numbers(&world, &json!({"type": "MultiPolygon", "coordinates": parts})).await;
        let found = found.expect("overlapping parts");
        for key in ["count", "area_ha"] {
            let (a, b) = (
                expected[key].as_f64().expect("a number"),
                found[key].as_f64().expect("a number"),
            );
            assert!((a / b - 1.0).abs() < 1e-6, "{key}: {a} {b}");
        }
    }
}

#[tokio::test]
async fn what_has_no_one_inside_is_refused_with_the_reason() {
    let world = World::rice().await;
    let polygon = |rings: Value| json!({"type": "Polygon", "coordinates": rings});
    let (x, y) = INSIDE;
    for (body, word) in [
        (
            polygon(json!([[
                [179.0, 10.0],
                [-179.0, 10.0],
                [-179.0, 11.0],
                [179.0, 11.0],
                [179.0, 10.0]
            ]])),
            "180th meridian",
        ),
        (polygon(json!([[[x, y], [x + 0.01, y], [x, y]]])), "three"),
        (
            polygon(json!([[[x, y], [x, y], [x, y], [x, y]]])),
            "different positions",
        ),
        (json!({"type": "GeometryCollection", "geometries": []}), "empty"),
        (
            json!({"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [x, y]}]}),
            "Point has no area",
        ),
        (
            json!({"type": "Feature", "geometry": {"type": "Polygon", "crs": {"type": "name", "properties":
            {"name": "urn:ogc:def:crs:EPSG::3405"}}, "coordinates": []}}),
            "EPSG::3405",
        ),
    ] {
        let detail = numbers(&world, &body).await.expect_err(word);
        assert!(detail.contains(word), "{word}: {detail}");
    }
    // what is cut at the meridian, as RFC 7946 asks, is measured: far from the raster, nothing was seen of it
    let east = ring(&[[0, 0], [10, 0], [10, 10], [0, 10]]);
    let shifted = |by: f64| -> Vec<[f64; 2]> { east.iter().map(|[x, y]| [x - INSIDE.0 + by, *y]).collect() };
    let cut = json!({"type": "MultiPolygon", "coordinates": [[shifted(179.999)], [shifted(-180.0)]]});
    assert_eq!(numbers(&world, &cut).await.expect("measured")["count"], 0.0);
    // rings in the other order than RFC 7946 says: the one around the others is the shell
    let (square, hole) = (
        ring(&[[-20, -20], [20, -20], [20, 20], [-20, 20]]),
        ring(&[[-10, -10], [-2, -10], [-2, -2], [-10, -2]]),
    );
    let expected = numbers(&world, &polygon(json!([square, hole])))
        .await
        .expect("usual");
    assert_eq!(
        numbers(&world, &polygon(json!([hole, square])))
            .await
            .expect("turned")["area_ha"],
        expected["area_ha"]
    );
}
