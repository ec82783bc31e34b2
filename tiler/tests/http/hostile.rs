//! Addresses that nobody should send.

use crate::world::World;
use axum::http::{Method, Uri};

const SEGMENTS: &[&str] = &[
    "ndvi",
    "-1",
    "0",
    "31",
    "255",
    "256",
    "4294967296",
    "99999999999999999999",
    "NaN",
    "1e9",
    "%00",
    "%ff",
    "%2e%2e",
    "..",
    "%2F",
    "a,b",
    "0@2x.png",
    "0@999x",
    "0.png.png",
    "{z}",
    "raster",
    "collections",
    "items",
    "tiles",
    "style",
    "static",
    "api",
    "v1",
    "point",
    "0,0",
    "1e400,0",
    "bbox",
    "1,2,3,4",
    "-180,-90,180,90",
    "1x1.png",
    "99999x99999.png",
    "preview",
    "assets",
    "%F0%9F%8C%BE",
    "WebMercatorQuad",
    "tilejson.json",
    "\u{27}%20OR%201=1--",
    "%3Cscript%3E",
];

const QUERIES: &[&str] = &[
    "",
    "?",
    "?datetime=",
    "?datetime=9999-12-31",
    "?datetime=-9999-01-01/..",
    "?datetime=../..",
    "?datetime=/",
    "?datetime=2026-W00",
    "?datetime=%ff",
    "?style=../../etc/passwd",
    "?asset=%00",
    "?size=0",
    "?size=99999999999999",
    "?v=%f0%28%8c%28",
    "?&&&=&=",
    "?bidx=1&bidx=99999",
    "?nearest=%20",
    "?limit=0",
    "?lang=\u{5c}",
    "?datetime=262143-12-31T23:59:60Z",
    "?datetime=0000-W01",
    "?max_size=0",
    "?histogram_bins=0",
];

/// A small generator with a fixed seed, so that a failure can be repeated.
fn next(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[tokio::test]
async fn no_junk_address_is_a_defect_of_ours() {
    let world = World::rice().await;
    let mut state = 20_260_834;
    let mut asked = 0;
    for _ in 0..3000 {
        let depth = 1 + next(&mut state) % 9;
        let mut path = String::new();
        for _ in 0..depth {
            path.push('/');
            path.push_str(SEGMENTS[next(&mut state) % SEGMENTS.len()]);
        }
        path.push_str(QUERIES[next(&mut state) % QUERIES.len()]);
        if path.parse::<Uri>().is_err() {
            continue; // refused before it reaches us
        }
        let answer = world.ask(Method::GET, &path, &[("accept", "*/*")]).await;
        assert!(!answer.status.is_server_error(), "{} for {path}", answer.status);
        asked += 1;
    }
    assert!(asked > 2000, "only {asked} addresses were asked");
}

#[tokio::test]
async fn junk_below_every_known_prefix_is_refused_kindly() {
    let world = World::rice().await;
    for prefix in [
        "/ndvi/14",
        "/raster/collections/ndvi",
        "/raster/collections/ndvi/items",
        "/raster/collections/ndvi/tiles/WebMercatorQuad/14",
        "/raster/collections/ndvi/bbox",
        "/style/ndvi/static",
        "/api/v1/point",
        "/api/v1/legends",
        "/assets/ndvi/2026",
        "/tiles/ndvi/14",
    ] {
        for first in SEGMENTS {
            for second in SEGMENTS {
                let path = format!("{prefix}/{first}/{second}");
                if path.parse::<Uri>().is_ok() {
                    let answer = world.get(&path).await;
                    assert!(!answer.status.is_server_error(), "{} for {path}", answer.status);
                }
            }
        }
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_assets() {
    let world = World::rice().await;
    std::fs::write(world.folder.path().join("sen.toml"), "secret = 1").expect("written");
    for path in [
        "/assets/../sen.toml",
        "/assets/%2e%2e/sen.toml",
        "/assets/ndvi/2026/ndvi_2026-W34/../../../../sen.toml",
        "/assets/ndvi/2026/ndvi_2026-W34/..%2f..%2f..%2f..%2fsen.toml",
        "/assets/ndvi/2026/ndvi_2026-W34/%2e%2e",
        "/assets/ndvi/..%2f../ndvi_2026-W34/sen.toml",
        "/assets/ndvi/2026/ndvi_2026-W34/other.tif",
        "/assets//etc/passwd",
        "/assets/%2fetc/2026/ndvi_2026-W34/passwd",
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
    ] {
        let answer = world.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("secret"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn hostile_headers_do_no_harm() {
    let world = World::rice().await;
    let nonsense = [
        ("x-forwarded-host", "evil\"<script>"),
        ("x-forwarded-proto", "javascript"),
    ];
    let document = world.ask(Method::GET, "/ndvi", &nonsense).await.json();
    let url = document["tiles"][0].as_str().expect("an address");
    assert!(url.starts_with("http://localhost/"), "{url}");
    let long = "a".repeat(500);
    let answer = world
        .ask(Method::GET, "/health", &[("x-request-id", &long)])
        .await;
    assert!(answer.header("x-request-id").len() < 30);
    let named = world
        .ask(Method::GET, "/health", &[("x-request-id", "trace-1")])
        .await;
    assert_eq!(named.header("x-request-id"), "trace-1");
    let longest = format!("/ndvi/1/0/0?x={}", "y".repeat(9000));
    assert_eq!(world.get(&longest).await.status, 400);
}
