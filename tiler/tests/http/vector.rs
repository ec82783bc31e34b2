//! Vector tiles: the contract, neighbours without gaps, tiles that stay small, filters, statistics.

use crate::world::{Answer, World, tile, week};
use axum::http::Method;
use fast_mvt::{MvtReaderRef, MvtValueRef};
use geo_types::{Coord, Geometry, LineString, Point, Polygon};
use sen_catalog::feature::Feature;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::statistic::{StatisticTable, ZonalStatistic};
use sen_catalog::store::{Features, Observations};
use sen_catalog::tms::WORLD_HALF_M;
use sen_catalog::{Asset, Assets, FeatureQuery, ItemQuery, Store, TileCoord};
use sen_tiler::ServeOptions;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

/// Deterministic, between 0 and 1.
fn chance(a: usize, b: usize, salt: u64) -> f64 {
    let mut x = (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (b as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ salt;
    x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 29)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Longitude and latitude of a place in a tile's own measure (0 to 1 from its north-western corner).
fn place(tile: TileCoord, x: f64, y: f64) -> Coord<f64> {
    let b = tile.bounds();
    let (lon, lat) = sen_catalog::crs::mercator_to_lon_lat(
        b.west + x * (b.east - b.west),
        b.north - y * (b.north - b.south),
    );
    Coord { x: lon, y: lat }
}

fn coord(text: &str) -> TileCoord {
    let mut parts = text.split('/').map(|part| part.parse::<u32>().expect("a number"));
    let mut next = || parts.next().expect("three parts");
    TileCoord::new(next() as u8, next(), next()).expect("a tile")
}

/// `side` x `side` plots that cover a tile and a tenth more on each side, their common edges crooked: five points between
/// the corners, which both neighbours carry.
fn mesh(over: TileCoord, side: usize) -> Vec<Feature> {
    let step = 1.2 / side as f64;
    let corner = |i: usize, j: usize| {
        let shake = |salt| 0.6 * step * (chance(i, j, salt) - 0.5);
        (
            -0.1 + step * i as f64 + shake(1),
            -0.1 + step * j as f64 + shake(2),
        )
    };
    // the points of the edge from one corner to the next, the same for both neighbours
    let edge = |from: (usize, usize), to: (usize, usize)| -> Vec<Coord<f64>> {
        let (a, b) = (corner(from.0, from.1), corner(to.0, to.1));
        (0..6)
            .map(|k| {
                let t = k as f64 / 6.0;
                let bow = |salt| {
                    if k == 0 {
                        0.0
                    } else {
                        0.08 * step * (chance(from.0 * 7 + k, from.1 * 5 + to.0, salt) - 0.5)
                    }
                };
                place(
                    over,
                    a.0 + t * (b.0 - a.0) + bow(3),
                    a.1 + t * (b.1 - a.1) + bow(4),
                )
            })
            .collect()
    };
    let backward = |from: (usize, usize), to: (usize, usize)| -> Vec<Coord<f64>> {
        let mut points = edge(from, to);
        points.push(place(over, corner(to.0, to.1).0, corner(to.0, to.1).1));
        points.reverse();
        points.pop();
        points
    };
    let mut plots = Vec::new();
    for j in 0..side {
        for i in 0..side {
            let mut ring = edge((i, j), (i + 1, j));
            ring.extend(edge((i + 1, j), (i + 1, j + 1)));
            ring.extend(backward((i, j + 1), (i + 1, j + 1)));
            ring.extend(backward((i, j), (i, j + 1)));
            let shape: Geometry<f64> = Polygon::new(LineString(ring), Vec::new()).into();
            let mut plot = Feature::new("plots", format!("P-{i:03}-{j:03}"), shape);
            plot.name = Some(format!("Thửa {i}/{j}"));
            plot.parent = Some(format!("X{:02}", j % 12));
            plot.properties
                .insert("crop".into(), json!(["lua", "xoai", "sen"][(i + j) % 3]));
            plot.properties
                .insert("yield".into(), json!(4.0 + chance(i, j, 9)));
            plot.properties.insert("area".into(), json!(chance(i, j, 8)));
            plots.push(plot);
        }
    }
    plots
}

/// A feature of a decoded tile.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    id: u64,
    geometry: Geometry<i32>,
    attributes: BTreeMap<String, String>,
}

pub(crate) fn decode(body: &[u8]) -> BTreeMap<String, Vec<Seen>> {
    let reader = MvtReaderRef::new(body).expect("a tile");
    let mut layers = BTreeMap::new();
    for layer in reader.layers() {
        assert_eq!(layer.extent(), 4096);
        let features = layer
            .features()
            .map(|feature| Seen {
                id: feature.id().expect("a number"),
                geometry: feature.geometry().expect("a geometry"),
                attributes: feature
                    .properties()
                    .map(|property| {
                        let (key, value) = property.expect("a property");
                        (key.to_owned(), text(&value))
                    })
                    .collect(),
            })
            .collect();
        assert!(
            layers.insert(layer.name().to_owned(), features).is_none(),
            "each layer once"
        );
    }
    layers
}

fn text(value: &MvtValueRef<'_>) -> String {
    match value {
        MvtValueRef::String(text) => (*text).to_owned(),
        MvtValueRef::Double(number) => number.to_string(),
        MvtValueRef::UInt(number) => number.to_string(),
        MvtValueRef::SInt(number) => number.to_string(),
        MvtValueRef::Bool(flag) => flag.to_string(),
        other => format!("{other:?}"),
    }
}

/// Polygons with their rings, exterior first.
fn polygons(geometry: &Geometry<i32>) -> Vec<&Polygon<i32>> {
    match geometry {
        Geometry::Polygon(polygon) => vec![polygon],
        Geometry::MultiPolygon(polygons) => polygons.iter().collect(),
        other => panic!("an area was asked for, not {other:?}"),
    }
}

/// Area without sign, in tile cells.
fn area(geometry: &Geometry<i32>) -> i64 {
    let doubled = |ring: &LineString<i32>| -> i64 {
        let cross = |pair: &[Coord<i32>]| {
            i64::from(pair[0].x) * i64::from(pair[1].y) - i64::from(pair[1].x) * i64::from(pair[0].y)
        };
        ring.0.windows(2).map(cross).sum::<i64>().abs()
    };
    let of_polygon = |polygon: &&Polygon<i32>| {
        doubled(polygon.exterior()) - polygon.interiors().iter().map(doubled).sum::<i64>()
    };
    polygons(geometry).iter().map(of_polygon).sum()
}

async fn get(world: &World, path: &str) -> Answer {
    let answer = world.get(path).await;
    assert_eq!(
        answer.status,
        200,
        "{path}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    answer
}

#[tokio::test]
async fn neighbours_leave_no_gap_at_any_zoom() {
    let world = World::empty();
    let over = coord(&tile(11));
    world.store.put_features(mesh(over, 150)).await.expect("stored");
    let mut merged = 0;
    for zoom in 11..=18 {
        // the tile in the middle of the one that is covered wholly, and one at its corner
        let scale = 1 << (zoom - 11);
        for (x, y) in [(0, 0), (scale / 2, scale / 2), (scale - 1, 0)] {
            let path = format!("/plots/{zoom}/{}/{}", over.x() * scale + x, over.y() * scale + y);
            let answer = get(&world, &path).await;
            assert!(
                answer.body.len() <= 500_000,
                "{path}: {} bytes",
                answer.body.len()
            );
            let plots = &decode(&answer.body)["plots"];
            let total: i64 = plots.iter().map(|plot| area(&plot.geometry)).sum();
            // twice the tile with its buffer: not a cell is left out, and none is drawn twice
            assert_eq!(
                total,
                2 * (4096 + 128) * (4096 + 128),
                "{path}: {} plots",
                plots.len()
            );
            merged += usize::from(plots.iter().all(|plot| {
                polygons(&plot.geometry)
                    .iter()
                    .all(|polygon| polygon.exterior().0.iter().all(|c| c.x % 8 == 0))
            }));
        }
    }
    assert!(merged > 0, "the coarsest tile is drawn as merged cells");
}

#[tokio::test]
async fn whole_plots_are_seen_at_zoom_12_and_no_tile_is_large() {
    let world = World::empty();
    let over = coord(&tile(12));
    // 12,100 plots of 0.8 ha fill the tile
    world.store.put_features(mesh(over, 132)).await.expect("stored");
    let answer = get(&world, &format!("/plots/{}", tile(12))).await;
    let plots = &decode(&answer.body)["plots"];
    assert!(plots.len() > 12_000, "{} plots", plots.len());
    assert!(answer.body.len() <= 500_000, "{} bytes", answer.body.len());
    let shapes: BTreeSet<usize> = plots
        .iter()
        .map(|plot| polygons(&plot.geometry)[0].exterior().0.len())
        .collect();
    assert!(shapes.len() > 1, "outlines of their own, not squares: {shapes:?}");
    let sizes: BTreeSet<_> = plots.iter().map(|plot| plot.attributes.len()).collect();
    assert_eq!(sizes.len(), 1, "all plots of a tile carry the same attributes");
    // and so do those of a tile that is nearly empty, at the edge of the mesh
    for zoom in [9, 12, 13] {
        let full = coord(&tile(zoom));
        let mut of_zoom = BTreeSet::new();
        let mut counts = BTreeSet::new();
        for (x, y) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let answer = world
                .get(&format!("/plots/{zoom}/{}/{}", full.x() + x, full.y() + y))
                .await;
            if answer.status != 200 {
                continue;
            }
            let plots = decode(&answer.body).remove("plots").expect("the layer");
            counts.insert(plots.len());
            of_zoom.extend(
                plots
                    .iter()
                    .map(|plot| plot.attributes.keys().cloned().collect::<Vec<_>>()),
            );
        }
        assert!(
            zoom == 9 || counts.len() > 1,
            "tiles of different fullness: {counts:?}"
        );
        assert_eq!(of_zoom.len(), 1, "zoom {zoom}: {of_zoom:?}");
        // 12,100 outlines that can be seen leave no room for their codes at zoom 12 alone
        let coded = of_zoom
            .first()
            .is_some_and(|keys| keys.contains(&"code".to_owned()));
        assert_eq!(coded, zoom != 12, "zoom {zoom}: {of_zoom:?}");
    }
    // two zooms on there is room for everything
    let answer = get(&world, &format!("/plots/{}", tile(14))).await;
    let plots = &decode(&answer.body)["plots"];
    let keys: Vec<_> = plots[0].attributes.keys().map(String::as_str).collect();
    assert_eq!(keys, ["area", "code", "crop", "name", "parent", "yield"]);
    // and from afar the layer is still there, whatever its plots have become
    for zoom in [0, 3, 6, 8, 9, 10] {
        let answer = world.get(&format!("/plots/{}", tile(zoom))).await;
        assert!([200, 204].contains(&answer.status.as_u16()), "{zoom}");
        assert!(
            answer.body.len() <= 500_000,
            "{zoom}: {} bytes",
            answer.body.len()
        );
        assert_eq!(answer.status == 200, zoom >= 3, "{zoom}");
    }
}

fn plots_and_stations() -> Vec<Feature> {
    let over = coord(&tile(14));
    let mut features = mesh(over, 4);
    for (code, x, y) in [("TV-01", 0.25, 0.25), ("TV-02", 0.75, 0.5), ("XA", 40.0, 0.5)] {
        let at = place(over, x, y);
        let mut station = Feature::new("stations", code, Point(at).into());
        station.properties.insert("kind".into(), json!("water"));
        features.push(station);
    }
    let line = LineString(vec![
        place(over, -3.0, 0.5),
        place(over, 0.5, 0.4),
        place(over, 3.0, 0.5),
    ]);
    features.push(Feature::new("canals", "K1", line.into()));
    features
}

async fn farm() -> World {
    let world = World::rice().await;
    world
        .store
        .put_features(plots_and_stations())
        .await
        .expect("stored");
    world
}

#[tokio::test]
async fn a_tile_of_features_keeps_the_contract_of_tiles() {
    let world = farm().await;
    let path = format!("/plots/{}", tile(14));
    let answer = get(&world, &path).await;
    assert_eq!(
        answer.header("content-type"),
        "application/vnd.mapbox-vector-tile"
    );
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=86400"
    );
    assert_eq!(answer.header("vary"), "Accept, Accept-Encoding");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with('"'), "a strong validator: {etag}");
    for extension in ["pbf", "mvt"] {
        let named = get(&world, &format!("{path}.{extension}")).await;
        assert_eq!(
            (named.body, named.headers["vary"].as_bytes()),
            (answer.body.clone(), &b"Accept-Encoding"[..])
        );
    }
    let again = world.ask(Method::GET, &path, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), etag);
    let head = world.ask(Method::HEAD, &path, &[]).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    let nothing = world.get("/plots/14/0/0").await;
    assert_eq!((nothing.status.as_u16(), nothing.header("etag")), (204, ""));
    for (path, headers, status, code) in [
        ("/nothing/14/0/0", [("accept", "*/*")], 404, "unknown-layer"),
        ("/plots,nothing/14/0/0", [("accept", "*/*")], 404, "unknown-layer"),
        (
            "/plots,ndvi/14/0/0",
            [("accept", "*/*")],
            400,
            "invalid-parameter",
        ),
        ("/plots/14/0/99999", [("accept", "*/*")], 404, "outside-matrix"),
        ("/plots/14/0/x", [("accept", "*/*")], 400, "invalid-parameter"),
        ("/plots/14/0/0.png", [("accept", "*/*")], 404, "unknown-format"),
        ("/plots/14/0/0@2x", [("accept", "*/*")], 404, "unknown-format"),
        ("/ndvi/14/0/0.pbf", [("accept", "*/*")], 404, "unknown-format"),
        (
            "/plots/14/0/0?datetime=soon",
            [("accept", "*/*")],
            400,
            "invalid-parameter",
        ),
        (
            "/plots/14/0/0?colour=red",
            [("accept", "*/*")],
            400,
            "invalid-parameter",
        ),
        ("/plots/14/0/0", [("accept", "image/png")], 406, "not-acceptable"),
    ] {
        let answer = world.ask(Method::GET, path, &headers).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        assert_eq!(answer.json()["code"], code, "{path}");
    }
}

#[tokio::test]
async fn a_tile_is_packed_as_asked_and_each_packing_has_its_validator() {
    let world = farm().await;
    let path = format!("/plots/{}", tile(13));
    let plain = get(&world, &path).await;
    let mut etags = BTreeSet::from([plain.header("etag").to_owned()]);
    for _ in 0..2 {
        // drawn, then from memory
        for (coding, accepted) in [
            ("gzip", "gzip, deflate, br"),
            ("zstd", "gzip, deflate, br, zstd"),
            ("br", "br"),
        ] {
            let packed = world
                .ask(Method::GET, &path, &[("accept-encoding", accepted)])
                .await;
            assert_eq!(packed.header("content-encoding"), coding);
            let mut body = Vec::new();
            match coding {
                "gzip" => {
                    body.resize(plain.body.len(), 0);
                    libdeflater::Decompressor::new()
                        .gzip_decompress(&packed.body, &mut body)
                        .expect("gzip");
                }
                "zstd" => body = zstd::bulk::decompress(&packed.body, 1 << 20).expect("zstd"),
                _ => {
                    brotli::Decompressor::new(packed.body.as_slice(), 4096)
                        .read_to_end(&mut body)
                        .expect("br");
                }
            }
            assert_eq!(body, plain.body, "{coding}");
            etags.insert(packed.header("etag").to_owned());
        }
    }
    assert_eq!(etags.len(), 4);
}

#[tokio::test]
async fn layers_are_put_together_in_one_tile() {
    let world = farm().await;
    let answer = get(&world, &format!("/plots,stations,canals,plots/{}", tile(14))).await;
    let layers = decode(&answer.body);
    assert_eq!(layers.keys().collect::<Vec<_>>(), ["canals", "plots", "stations"]);
    assert_eq!(layers["plots"].len(), 16);
    let stations = &layers["stations"];
    assert_eq!(stations.len(), 2, "the third lies forty tiles away");
    let first = stations
        .iter()
        .find(|station| station.attributes["code"] == "TV-01")
        .expect("there");
    assert_eq!(first.geometry, Geometry::Point(Point::new(1024, 1024)));
    let canal = &layers["canals"][0];
    let Geometry::LineString(line) = &canal.geometry else {
        panic!("{:?}", canal.geometry)
    };
    assert_eq!(
        (line.0[0].x, line.0[1], line.0[2].x),
        (-64, Coord { x: 2048, y: 1638 }, 4160)
    );
    // the numbers are the store's
    let query = FeatureQuery::layer("stations");
    let stored = world.store.features(&query).await.expect("stations");
    let by_code = |code: &str| {
        stored
            .iter()
            .find(|station| station.code == code)
            .expect("there")
            .fid
    };
    assert_eq!(first.id, by_code("TV-01") as u64);
    // the same layers in another order are the same layers
    let other = get(&world, &format!("/stations,plots,canals/{}", tile(14))).await;
    assert_eq!(
        decode(&other.body).keys().collect::<Vec<_>>(),
        layers.keys().collect::<Vec<_>>()
    );
    let long: Vec<_> = (0..40).map(|_| "plots").collect();
    assert_eq!(
        world
            .get(&format!("/{}/{}", long.join(","), tile(14)))
            .await
            .status,
        200,
        "repeats cost nothing"
    );
}

#[tokio::test]
async fn a_property_chooses_which_features_are_drawn() {
    let world = farm().await;
    let crops = |answer: &Answer| -> Vec<String> {
        let layers = decode(&answer.body);
        layers["plots"]
            .iter()
            .map(|plot| plot.attributes["crop"].clone())
            .collect()
    };
    let rice = get(&world, &format!("/plots/{}?crop=lua", tile(14))).await;
    assert_eq!(crops(&rice), vec!["lua"; 6]);
    let two = get(&world, &format!("/plots/{}?crop=lua,xoai", tile(14))).await;
    assert_eq!(crops(&two).len(), 11);
    let code = get(&world, &format!("/plots/{}?code=P-000-001", tile(14))).await;
    assert_eq!(crops(&code).len(), 1);
    assert_eq!(
        world.get(&format!("/plots/{}?crop=ngo", tile(14))).await.status,
        204
    );
    assert_ne!(rice.header("etag"), two.header("etag"));
    // among several layers a condition is one of those that have the property
    let both = get(&world, &format!("/plots,stations/{}?crop=lua", tile(14))).await;
    let layers = decode(&both.body);
    assert_eq!((layers["plots"].len(), layers["stations"].len()), (6, 2));
    let wrong = world.get(&format!("/plots/{}?colour=red", tile(14))).await;
    assert!(
        wrong.json()["detail"]
            .as_str()
            .expect("text")
            .contains("`colour`")
    );
}

#[tokio::test]
async fn what_is_imported_appears_without_a_restart() {
    let world = farm().await;
    let path = format!("/plots/{}", tile(14));
    let before = get(&world, &path).await;
    let mut plot = mesh(coord(&tile(14)), 4).remove(5);
    plot.properties.insert("crop".into(), json!("mit"));
    world.store.put_features(vec![plot]).await.expect("stored");
    let after = get(&world, &path).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    assert!(
        decode(&after.body)["plots"]
            .iter()
            .any(|plot| plot.attributes["crop"] == "mit")
    );
    // another layer's change leaves these tiles as they are
    let at = place(coord(&tile(14)), 0.5, 0.5);
    world
        .store
        .put_features(vec![Feature::new("pumps", "B1", Point(at).into())])
        .await
        .expect("stored");
    let again = world
        .ask(Method::GET, &path, &[("if-none-match", after.header("etag"))])
        .await;
    assert_eq!(again.status, 304);
    assert_eq!(
        decode(&get(&world, &format!("/pumps/{}", tile(14))).await.body)["pumps"].len(),
        1
    );
}

#[tokio::test]
async fn a_day_shows_the_features_that_were_valid_on_it() {
    let world = World::empty();
    let over = coord(&tile(14));
    let mut old = mesh(over, 1).remove(0);
    old.layer = "communes".into();
    (old.code, old.valid_to) = ("29986".into(), "2025-07-01".parse().ok());
    let mut new = old.clone();
    (new.code, new.valid_from, new.valid_to) = ("30001".into(), "2025-07-01".parse().ok(), None);
    world.store.put_features(vec![old, new]).await.expect("stored");
    for (datetime, code) in [("2025-W10", "29986"), ("2025-W40", "30001"), ("latest", "30001")] {
        let answer = get(&world, &format!("/communes/{}?datetime={datetime}", tile(14))).await;
        let layers = decode(&answer.body);
        let codes: Vec<_> = layers["communes"]
            .iter()
            .map(|unit| unit.attributes["code"].clone())
            .collect();
        assert_eq!(codes, [code], "{datetime}");
    }
}

#[tokio::test]
async fn the_tilejson_names_fields_and_an_address_that_never_changes() {
    let world = farm().await;
    let document = get(&world, "/plots,stations?crop=lua").await.json();
    assert_eq!(document["tilejson"], "3.0.0");
    let ids: Vec<_> = document["vector_layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|l| l["id"].clone())
        .collect();
    assert_eq!(ids, ["plots", "stations"]);
    assert_eq!(
        document["vector_layers"][0]["fields"],
        json!({"area": "Number", "code": "String", "crop": "String", "name": "String", "parent": "String", "yield": "Number"})
    );
    let number = |value: &Value| value.as_f64().expect("a number");
    let bounds: Vec<f64> = document["bounds"]
        .as_array()
        .expect("bounds")
        .iter()
        .map(number)
        .collect();
    assert!(bounds[0] < 105.63 && bounds[2] > 105.64, "{bounds:?}");
    assert!(number(&document["minzoom"]) <= 10.0 && number(&document["maxzoom"]) == 16.0);
    let template = document["tiles"][0].as_str().expect("an address");
    let path = template
        .strip_prefix("http://map.example")
        .expect("our address")
        .replace("{z}/{x}/{y}", &tile(14));
    let answer = get(&world, &path).await;
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(decode(&answer.body)["plots"].len(), 6);
    // under the version of yesterday it is an answer for a minute
    let stale = path.split("v=").next().expect("a version").to_owned() + "v=0123456789ab";
    assert_eq!(
        get(&world, &stale).await.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=86400"
    );
    let concrete = get(&world, &format!("/plots/{}?datetime=2026-W33", tile(14))).await;
    assert_eq!(
        concrete.header("cache-control"),
        "public, max-age=3600, stale-while-revalidate=86400"
    );
    let catalog = get(&world, "/catalog").await.json();
    let entry = &catalog["tiles"]["plots"];
    assert_eq!((&entry["kind"], &entry["count"]), (&json!("vector"), &json!(16)));
    assert_eq!(entry["tilejson"], "http://map.example/plots");
    assert_eq!(world.get("/plots,nothing").await.status, 404);
}

#[tokio::test]
async fn a_layer_larger_than_the_memory_for_it_is_cut_from_the_store() {
    let world = World::with(&ServeOptions {
        refresh_ms: 0,
        vector_index_mb: Some(1),
        ..ServeOptions::default()
    });
    let over = coord(&tile(11));
    world.store.put_features(mesh(over, 140)).await.expect("stored");
    let (x, y) = (over.x() * 8 + 4, over.y() * 8 + 4);
    let answer = get(&world, &format!("/plots/14/{x}/{y}")).await;
    let total: i64 = decode(&answer.body)["plots"]
        .iter()
        .map(|plot| area(&plot.geometry))
        .sum();
    assert_eq!(total, 2 * (4096 + 128) * (4096 + 128));
    let rice = get(&world, &format!("/plots/14/{x}/{y}?crop=lua")).await;
    assert!(
        decode(&rice.body)["plots"]
            .iter()
            .all(|plot| plot.attributes["crop"] == "lua")
    );
    // 19,600 plots in one tile are refused, and the answer says what to do
    let far = world
        .get(&format!("/plots/{}/{}/{}", 10, over.x() / 2, over.y() / 2))
        .await;
    assert_eq!(far.status, 413);
    assert!(
        far.json()["detail"]
            .as_str()
            .expect("text")
            .contains("vector_index_mb")
    );
}

#[tokio::test]
async fn strange_shapes_harm_nobody() {
    let world = World::empty();
    let over = coord(&tile(12));
    let at = |x: f64, y: f64| place(over, x, y);
    let ring = |points: &[(f64, f64)]| LineString(points.iter().map(|&(x, y)| at(x, y)).collect());
    let mut shapes: Vec<Geometry<f64>> = vec![
        // crosses itself, has no area, is smaller than a cell, covers the world, has a hole like itself
        Polygon::new(
            ring(&[(0.1, 0.1), (0.2, 0.2), (0.2, 0.1), (0.1, 0.2)]),
            Vec::new(),
        )
        .into(),
        Polygon::new(ring(&[(0.3, 0.3), (0.4, 0.4), (0.3, 0.3)]), Vec::new()).into(),
        Polygon::new(ring(&[(0.5, 0.5), (0.500_01, 0.5), (0.5, 0.500_01)]), Vec::new()).into(),
        Polygon::new(
            LineString::from(vec![
                (-180.0, -90.0),
                (180.0, -90.0),
                (180.0, 90.0),
                (-180.0, 90.0),
                (-180.0, -90.0),
            ]),
            Vec::new(),
        )
        .into(),
        Polygon::new(
            ring(&[(0.6, 0.6), (0.8, 0.6), (0.8, 0.8), (0.6, 0.8)]),
            vec![ring(&[(0.6, 0.6), (0.8, 0.6), (0.8, 0.8), (0.6, 0.8)])],
        )
        .into(),
    ];
    // a coast of a hundred thousand vertices
    let coast: Vec<_> = (0..100_000)
        .map(|k| {
            let turn = f64::from(k) / 100_000.0 * std::f64::consts::TAU;
            let radius = 3.0 + 0.2 * chance(k as usize, 1, 5);
            at(0.5 + radius * turn.cos(), 0.5 + radius * turn.sin())
        })
        .collect();
    shapes.push(Polygon::new(LineString(coast), Vec::new()).into());
    let mut features: Vec<_> = shapes
        .into_iter()
        .enumerate()
        .map(|(number, shape)| Feature::new("odd", format!("{number}"), shape))
        .collect();
    features[0]
        .properties
        .insert("long".into(), json!("x".repeat(100_000)));
    features[0].properties.insert("list".into(), json!([1, 2]));
    world.store.put_features(features).await.expect("stored");
    for zoom in 0..=22 {
        let answer = get(&world, &format!("/odd/{}", tile(zoom))).await;
        assert!(answer.body.len() <= 500_000, "{zoom}");
        for odd in &decode(&answer.body)["odd"] {
            assert!(area(&odd.geometry) >= 0);
            assert!(
                !odd.attributes.contains_key("long"),
                "what nobody reads on a map stays in the store"
            );
        }
    }
}

/// Gives a week's item a table of statistics of the plots: the value of a plot is that of `of`.
async fn put_table(world: &World, collection: &str, period: &str, of: impl Fn(i64) -> ZonalStatistic) {
    let query = FeatureQuery::layer("plots");
    let plots = world.store.features(&query).await.expect("plots");
    let rows: Vec<_> = plots
        .into_iter()
        .map(|plot| (plot.fid, plot.code, of(plot.fid)))
        .collect();
    let query = ItemQuery {
        from: Some(week(period)),
        to: Some(week(period)),
        ..ItemQuery::collection(collection)
    };
    let mut item = world.store.items(&query).await.expect("items").remove(0);
    let href = Assets::href(&item, "statistics_plots", "arrow", "");
    let temporary = world.assets.temporary("statistics");
    StatisticTable::write(&temporary, &rows, &BTreeMap::new()).expect("written");
    let (sha256, bytes) = sen_catalog::asset::checksum(&temporary).expect("a checksum");
    world.assets.publish(&temporary, &href).expect("published");
    let asset = Asset {
        sha256: Some(sha256),
        bytes,
        ..Asset::new(href)
    };
    item.assets.insert("statistics_plots".into(), asset);
    world.store.put_item(&item).await.expect("stored");
}

#[tokio::test]
async fn plots_carry_what_the_rasters_of_the_week_say_of_them() {
    let world = farm().await;
    for (period, base) in [("2026-W33", 0.5), ("2026-W34", 0.7)] {
        put_table(&world, "ndvi", period, |fid| ZonalStatistic {
            count: 70.0,
            mean: (fid % 4 != 0).then_some(base + fid as f64 / 1e4),
            valid_fraction: 0.876,
            ..ZonalStatistic::default()
        })
        .await;
    }
    put_table(&world, "flood", "2026-W34", |_| ZonalStatistic {
        count: 70.0,
        // 0 dry, 1 water, 253 behind clouds
        classes: BTreeMap::from([(0, 0.3), (1, 0.1), (253, 0.4)]),
        ..ZonalStatistic::default()
    })
    .await;
    let plots = |answer: &Answer| decode(&answer.body)["plots"].clone();
    let newest = get(&world, &format!("/plots/{}", tile(14))).await;
    assert_eq!(newest.header("sen-period"), "2026-W34");
    for plot in plots(&newest) {
        let attribute = |key: &str| plot.attributes.get(key).map(String::as_str);
        let expected =
            (plot.id % 4 != 0).then(|| format!("{}", ((0.7 + plot.id as f64 / 1e4) * 1e3).round() / 1e3));
        assert_eq!(attribute("ndvi_mean"), expected.as_deref());
        assert_eq!(
            (attribute("ndvi_period"), attribute("ndvi_valid")),
            (Some("2026-W34"), Some("0.88"))
        );
        assert_eq!(
            attribute("flood_share"),
            Some("0.25"),
            "a quarter of what was seen"
        );
    }
    let week_before = get(&world, &format!("/plots/{}?datetime=2026-W33", tile(14))).await;
    assert_eq!(week_before.header("sen-period"), "2026-W33");
    for plot in plots(&week_before) {
        assert!(
            plot.attributes
                .get("ndvi_mean")
                .is_none_or(|mean| mean.starts_with("0.5"))
        );
        assert!(!plot.attributes.contains_key("flood_share"));
    }
    let fields = get(&world, "/plots").await.json()["vector_layers"][0]["fields"].clone();
    assert_eq!(
        (&fields["ndvi_mean"], &fields["ndvi_period"]),
        (&json!("Number"), &json!("String"))
    );
    // a table that is remade is seen, and one that is lost costs its attributes alone
    put_table(&world, "ndvi", "2026-W34", |_| ZonalStatistic {
        mean: Some(0.125),
        ..ZonalStatistic::default()
    })
    .await;
    let remade = get(&world, &format!("/plots/{}", tile(14))).await;
    assert_ne!(remade.header("etag"), newest.header("etag"));
    assert!(
        plots(&remade)
            .iter()
            .all(|plot| plot.attributes["ndvi_mean"] == "0.125")
    );
    std::fs::remove_dir_all(world.folder.path().join("assets")).expect("removed");
    assert_eq!(
        plots(&get(&world, &format!("/plots/{}?datetime=2026-W33", tile(13))).await).len(),
        16
    );
}

#[tokio::test]
async fn stations_carry_the_last_usable_values_of_their_sensors() {
    let world = farm().await;
    let datastream = Datastream {
        id: 0,
        station: "TV-01".into(),
        property: "salinity".into(),
        unit: "g/L".into(),
        name: "Độ mặn".into(),
    };
    let id = world.store.put_datastream(&datastream).await.expect("stored");
    let say = async |time: &str, value: f64, flag| {
        let observation = Observation {
            datastream: id,
            time: time.parse().expect("a time"),
            value: Some(value),
            flag,
        };
        world
            .store
            .put_observations(vec![observation])
            .await
            .expect("stored");
    };
    say("2026-08-12T01:00:00Z", 1.5, Flag::Good).await;
    say("2026-08-19T01:00:00Z", 3.25, Flag::Good).await;
    say("2026-08-19T02:00:00Z", 99.0, Flag::Fail).await;
    let path = format!("/stations/{}", tile(14));
    let station = |answer: &Answer| -> BTreeMap<String, String> {
        let layers = decode(&answer.body);
        let found = layers["stations"]
            .iter()
            .find(|station| station.attributes["code"] == "TV-01");
        found.expect("there").attributes.clone()
    };
    let newest = get(&world, &path).await;
    assert_eq!(
        station(&newest)["salinity"],
        "3.25",
        "what failed its tests is not shown"
    );
    assert_eq!(station(&newest)["salinity_time"], "2026-08-19T01:00:00Z");
    let before = get(&world, &format!("{path}?datetime=2026-W33")).await;
    assert_eq!(station(&before)["salinity"], "1.5");
    // another value is another tile, though the catalogue's own revision stands still
    let revision = world.store.revision().await.expect("a revision");
    say("2026-08-20T01:00:00Z", 4.0, Flag::Suspect).await;
    assert_eq!(world.store.revision().await.expect("a revision"), revision);
    let later = get(&world, &path).await;
    assert_eq!(station(&later)["salinity"], "4");
    assert_ne!(later.header("etag"), newest.header("etag"));
    let salty = get(&world, &format!("{path}?salinity=4")).await;
    assert_eq!(decode(&salty.body)["stations"].len(), 1);
}

/// GDAL's MVT driver reads what we write, and finds things where they are.
#[tokio::test]
async fn gdal_reads_the_tiles() {
    let present = std::process::Command::new("ogrinfo").arg("--version").output();
    let Ok(version) = present else {
        eprintln!("skipped: ogrinfo is not installed");
        return;
    };
    let world = farm().await;
    let address = tile(14);
    let answer = get(&world, &format!("/plots,stations,canals/{address}")).await;
    let file = world.folder.path().join("tile.mvt");
    std::fs::write(&file, &answer.body).expect("written");
    let t = coord(&address);
    let (z, x, y) = (t.z(), t.x(), t.y());
    let out = std::process::Command::new("ogrinfo")
        .args([
            "-ro",
            "-al",
            "-oo",
            &format!("X={x}"),
            "-oo",
            &format!("Y={y}"),
            "-oo",
            &format!("Z={z}"),
        ])
        .arg(format!("MVT:{}", file.display()))
        .output()
        .expect("runs");
    let text = String::from_utf8_lossy(&out.stdout);
    let version = String::from_utf8_lossy(&version.stdout);
    assert!(
        out.status.success(),
        "{version}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    for (layer, count) in [("plots", 16), ("stations", 2), ("canals", 1)] {
        let part = text.split(&format!("Layer name: {layer}\n")).nth(1).expect(layer);
        assert!(
            part.contains(&format!("Feature Count: {count}")),
            "{version} {layer}"
        );
    }
    // a station a quarter into the tile, in metres of EPSG:3857
    let extent = 2.0 * WORLD_HALF_M / f64::from(1 << z);
    let expected = (
        f64::from(x).mul_add(extent, -WORLD_HALF_M) + 0.25 * extent,
        WORLD_HALF_M - f64::from(y) * extent - 0.25 * extent,
    );
    let found = text.lines().any(|line| {
        let numbers: Vec<f64> = line
            .split(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
            .filter_map(|word| word.parse().ok())
            .collect();
        line.contains("POINT")
            && matches!(numbers[..], [x, y] if (x - expected.0).abs() < 1.0 && (y - expected.1).abs() < 1.0)
    });
    assert!(found, "{version}: no station at {expected:?}");
}
