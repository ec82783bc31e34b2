//! Tiles: status codes, validators, caching, negotiation, time.

use crate::world::{World, tile, week};
use axum::http::Method;
use sen_catalog::Store;
use sen_tiler::ServeOptions;

fn png_size(body: &[u8]) -> (u32, u32) {
    assert_eq!(&body[..8], b"\x89PNG\r\n\x1a\n", "a PNG");
    let number = |at: usize| u32::from_be_bytes(body[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[tokio::test]
async fn a_tile_of_a_week_is_a_picture_that_names_its_week() {
    let world = World::rice().await;
    let answer = world.get(&format!("/ndvi/{}?datetime=2026-W33", tile(14))).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("content-type"), "image/png");
    assert_eq!(answer.header("sen-period"), "2026-W33");
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=3600, stale-while-revalidate=86400"
    );
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("vary"), "Accept");
    assert!(answer.header("etag").starts_with('"'));
    assert!(!answer.header("x-request-id").is_empty());
    assert_eq!(png_size(&answer.body), (256, 256));
    let double = world.get(&format!("/ndvi/{}@2x.png", tile(13))).await;
    assert_eq!(png_size(&double.body), (512, 512));
    assert_eq!(
        double.header("cache-control"),
        "public, max-age=60, stale-while-revalidate=86400"
    );
    assert_eq!(double.header("vary"), "");
    assert_eq!(double.header("sen-period"), "2026-W34");
    let query = world.get(&format!("/ndvi/{}?size=512", tile(13))).await;
    assert_eq!(png_size(&query.body), (512, 512));
    assert_eq!(query.body, double.body);
    let webp = world.get(&format!("/ndvi/{}.webp", tile(14))).await;
    assert_eq!(webp.header("content-type"), "image/webp");
    assert_eq!(&webp.body[8..12], b"WEBP");
}

#[tokio::test]
async fn weeks_differ_in_pixels_and_validators() {
    let world = World::rice().await;
    let first = world.get(&format!("/ndvi/{}?datetime=2026-W32", tile(14))).await;
    let second = world.get(&format!("/ndvi/{}?datetime=2026-W33", tile(14))).await;
    assert_ne!(first.body, second.body);
    assert_ne!(first.header("etag"), second.header("etag"));
}

#[tokio::test]
async fn time_is_read_in_every_form_of_the_contract() {
    let world = World::rice().await;
    for (datetime, status, period) in [
        ("latest", 200, "2026-W34"),
        ("2026-W32", 200, "2026-W32"),
        ("2026-08-12", 200, "2026-W33"),
        ("2026-08-12T03:20:00Z", 200, "2026-W33"),
        ("2026-08-12T03:20:00%2B07:00", 200, "2026-W33"),
        ("../2026-W33", 200, "2026-W33"),
        ("2026-W32/2026-W33", 200, "2026-W33"),
        ("2026-W33/..", 200, "2026-W34"),
        ("2026-W20", 204, ""),
        ("2026-W20&nearest=true", 200, "2026-W32"),
        ("2026-W50&nearest=true", 200, "2026-W34"),
        ("2026-02-30", 400, ""),
        ("yesterday", 400, ""),
        ("2026-W99", 400, ""),
        ("2026-W34&nearest=perhaps", 400, ""),
    ] {
        let answer = world
            .get(&format!("/ndvi/{}?datetime={datetime}", tile(14)))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("sen-period")),
            (status, period),
            "{datetime}"
        );
    }
}

#[tokio::test]
async fn a_validator_is_honoured_before_any_pixel_is_read() {
    let world = World::rice().await;
    let path = format!("/ndvi/{}?datetime=2026-W34", tile(14));
    let etag = world.get(&path).await.header("etag").to_owned();
    for given in [
        etag.clone(),
        "*".into(),
        format!("W/{etag}"),
        format!("\"other\", {etag}"),
    ] {
        let answer = world.ask(Method::GET, &path, &[("if-none-match", &given)]).await;
        assert_eq!(answer.status, 304, "{given}");
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(answer.header("sen-period"), "2026-W34");
        assert!(answer.body.is_empty());
    }
    assert_eq!(
        world
            .ask(Method::GET, &path, &[("if-none-match", "\"other\"")])
            .await
            .status,
        200
    );
    // the file is gone, and a tile that was never drawn is still not modified
    let fresh = format!("/ndvi/{}?datetime=2026-W34&size=512", tile(13));
    let etag = world.get(&fresh).await.header("etag").to_owned();
    std::fs::remove_dir_all(world.folder.path().join("assets")).expect("removed");
    assert_eq!(
        world
            .ask(Method::GET, &fresh, &[("if-none-match", &etag)])
            .await
            .status,
        304
    );
}

#[tokio::test]
async fn head_answers_like_get_without_a_body() {
    let world = World::rice().await;
    let path = format!("/ndvi/{}", tile(14));
    let (get, head) = (world.get(&path).await, world.ask(Method::HEAD, &path, &[]).await);
    assert_eq!(head.status, 200);
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn addresses_that_do_not_exist_get_the_status_that_clients_expect() {
    let world = World::rice().await;
    for (path, status) in [
        ("/nosuch/1/0/0", 404),
        ("/ndvi/31/0/0", 404),
        ("/ndvi/99/0/0", 404),
        ("/ndvi/0/1/0", 404),
        ("/ndvi/-1/0/0", 400),
        ("/ndvi/a/0/0", 400),
        ("/ndvi/1/0/zero.png", 400),
        ("/ndvi/1/0/0.jpg", 404),
        ("/ndvi,flood/1/0/0", 400),
        ("/ndvi/1/0/0?style=nosuch", 400),
        ("/ndvi/1/0/0?asset=nosuch", 400),
        ("/ndvi/1/0/0?size=8192", 400),
        ("/ndvi/1/0/0?size=-1", 400),
        ("/ndvi/1/0/0?x=%ff%fe", 400),
        ("/%ff/1/0/0", 400),
        ("/nosuch", 404),
        ("/a/b/c/d/e/f/g", 404),
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{path}");
        for field in ["type", "title", "detail", "instance", "code"] {
            assert!(
                problem[field].as_str().is_some_and(|text| !text.is_empty()),
                "{path}: {field}"
            );
        }
    }
    let problem = world.get("/ndvi/-1/0/0").await.json();
    assert_eq!(
        (problem["parameter"].as_str(), problem["instance"].as_str()),
        (Some("z"), Some("/ndvi/-1/0/0"))
    );
    let outside = world.get("/ndvi/14/0/0").await;
    assert_eq!(outside.status, 204);
    assert_eq!(outside.header("etag"), "");
    assert_eq!(outside.header("sen-period"), "2026-W34");
    assert!(outside.body.is_empty());
}

#[tokio::test]
async fn accept_decides_where_the_address_does_not() {
    let world = World::rice().await;
    let path = format!("/ndvi/{}", tile(14));
    for (accept, status, kind) in [
        ("image/webp", 200, "image/webp"),
        ("*/*", 200, "image/png"),
        ("image/avif,image/webp;q=0.9,image/png;q=0.5", 200, "image/webp"),
        ("application/json", 406, "application/problem+json"),
    ] {
        let answer = world.ask(Method::GET, &path, &[("accept", accept)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, kind),
            "{accept}"
        );
    }
    let named = world
        .ask(Method::GET, &format!("{path}.png"), &[("accept", "image/webp")])
        .await;
    assert_eq!(named.header("content-type"), "image/png", "the address rules");
}

#[tokio::test]
async fn preflights_redirects_and_other_methods() {
    let world = World::rice().await;
    let path = format!("/ndvi/{}", tile(14));
    let preflight = world
        .ask(Method::OPTIONS, &path, &[("origin", "https://a.example")])
        .await;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-methods"),
        "GET, HEAD, POST, OPTIONS"
    );
    let moved = world.get("/tiles/ndvi/14/1/2@2x.png?datetime=2026-W34").await;
    assert_eq!(moved.status, 301);
    assert_eq!(
        moved.header("location"),
        "../../../../ndvi/14/1/2@2x.png?datetime=2026-W34"
    );
    for path in [path.as_str(), "/catalog", "/ndvi", "/"] {
        let refused = world.ask(Method::POST, path, &[]).await;
        assert_eq!(refused.status, 405, "{path}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
}

#[tokio::test]
async fn a_late_scene_replaces_the_week_and_its_addresses() {
    let world = World::rice().await;
    let version = |document: serde_json::Value| {
        let url = document["tiles"][0].as_str().expect("an address").to_owned();
        url.rsplit_once("&v=").expect("a version").1.to_owned()
    };
    let old = version(world.get("/ndvi?datetime=2026-W33").await.json());
    let path = format!("/ndvi/{}?datetime=2026-W33", tile(14));
    let before = world.get(&path).await;
    let pinned = world.get(&format!("{path}&v={old}")).await;
    assert_eq!(
        pinned.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    world.put_ndvi(week("2026-W33"), 9000).await;
    let after = world.get(&path).await;
    assert_ne!(before.body, after.body);
    assert_ne!(before.header("etag"), after.header("etag"));
    let conditional = world
        .ask(Method::GET, &path, &[("if-none-match", before.header("etag"))])
        .await;
    assert_eq!(conditional.status, 200, "the old validator no longer holds");
    let stale = world.get(&format!("{path}&v={old}")).await;
    assert!(
        !stale.header("cache-control").contains("immutable"),
        "new pixels must not be pinned to the old version"
    );
    assert_ne!(version(world.get("/ndvi?datetime=2026-W33").await.json()), old);
    // the neighbour stays what it was
    let neighbour = format!("/ndvi/{}?datetime=2026-W32", tile(14));
    assert_eq!(world.get(&neighbour).await.status, 200);
}

#[tokio::test]
async fn a_new_week_appears_without_a_restart() {
    let world = World::with(&ServeOptions {
        refresh_ms: 50,
        ..ServeOptions::default()
    });
    assert_eq!(world.get("/ndvi").await.status, 404);
    world.put_ndvi(week("2026-W10"), 4000).await;
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    assert_eq!(
        world
            .get(&format!("/ndvi/{}", tile(14)))
            .await
            .header("sen-period"),
        "2026-W10"
    );
    world.put_ndvi(week("2026-W11"), 4000).await;
    tokio::time::sleep(std::time::Duration::from_millis(80)).await;
    assert_eq!(
        world
            .get(&format!("/ndvi/{}", tile(14)))
            .await
            .header("sen-period"),
        "2026-W11"
    );
}

#[tokio::test]
async fn a_missing_file_stops_its_week_and_no_other() {
    let world = World::rice().await;
    let item = world.store.item("ndvi", "ndvi_2026-W33").await.expect("asked");
    let broken = world.assets.path(&item.expect("there").assets["ndvi"].href);
    std::fs::write(&broken, b"not a raster").expect("written");
    let answer = world.get(&format!("/ndvi/{}?datetime=2026-W33", tile(14))).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), "1");
    let text = String::from_utf8(answer.body).expect("text");
    assert!(
        !text.contains(world.folder.path().to_str().expect("UTF-8")),
        "no path leaks: {text}"
    );
    assert_eq!(
        world
            .get(&format!("/ndvi/{}?datetime=2026-W34", tile(14)))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn equal_requests_at_the_same_time_get_equal_answers() {
    let world = World::rice().await;
    let path = format!("/ndvi/{}?size=1024", tile(12));
    let answers = tokio::join!(
        world.get(&path),
        world.get(&path),
        world.get(&path),
        world.get(&path)
    );
    assert_eq!(answers.0.status, 200);
    assert_eq!(answers.0.body, answers.1.body);
    assert_eq!(answers.2.body, answers.3.body);
}

#[tokio::test]
async fn without_caches_tiles_are_still_served() {
    let world = World::with(&ServeOptions {
        refresh_ms: 0,
        tile_cache_mb: Some(0),
        block_cache_mb: Some(0),
        ..ServeOptions::default()
    });
    world.put_ndvi(week("2026-W10"), 4000).await;
    let path = format!("/ndvi/{}", tile(14));
    let (first, second) = (world.get(&path).await, world.get(&path).await);
    assert_eq!(first.body, second.body);
    assert!(second.header("server-timing").starts_with("draw"));
}
