//! TileJSON, the catalogue, weeks, legends, TiTiler's habits, probes and files.

use crate::world::{INSIDE, World, tile, week};
use axum::http::Method;
use serde_json::json;

#[tokio::test]
async fn tilejson_pins_week_and_version_and_follows_the_proxy() {
    let world = World::rice().await;
    let answer = world.get("/ndvi").await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!(document["tilejson"], "3.0.0");
    assert_eq!(
        (&document["tileSize"], &document["format"]),
        (&json!(256), &json!("png"))
    );
    assert_eq!(document["maxzoom"], 14);
    assert_eq!(document["time"]["default"], "2026-W34");
    assert_eq!(
        document["time"]["values"],
        json!(["2026-W32", "2026-W33", "2026-W34"])
    );
    assert_eq!(document["legend"], "http://map.example/api/v1/legends/ndvi");
    let url = document["tiles"][0].as_str().expect("an address");
    assert!(
        url.starts_with("http://map.example/ndvi/{z}/{x}/{y}?datetime=2026-W34&v="),
        "{url}"
    );
    let path = url
        .trim_start_matches("http://map.example")
        .replace("{z}/{x}/{y}", &tile(14));
    let pinned = world.get(&path).await;
    assert_eq!(
        pinned.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(world.get("/ndvi.json").await.json(), document);
    let proxied = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "sen.example"),
        ("x-forwarded-prefix", "/map"),
    ];
    let proxied = world
        .ask(Method::GET, "/ndvi?style=mndwi&size=512", &proxied)
        .await
        .json();
    let url = proxied["tiles"][0].as_str().expect("an address");
    assert!(
        url.starts_with("https://sen.example/map/ndvi/") && url.contains("&style=mndwi&size=512&v="),
        "{url}"
    );
    assert_eq!(
        proxied["maxzoom"], 13,
        "a tile of 512 pixels holds four of the next zoom"
    );
    assert_eq!(world.get("/ndvi?datetime=2026-W01").await.status, 404);
    assert_eq!(
        world.get("/ndvi?datetime=2026-W01&nearest=true").await.json()["time"]["default"],
        "2026-W32"
    );
    let etag = world.get("/ndvi").await.header("etag").to_owned();
    assert_eq!(
        world
            .ask(Method::GET, "/ndvi", &[("if-none-match", &etag)])
            .await
            .status,
        304
    );
}

#[tokio::test]
async fn documents_are_compressed_and_pictures_are_not() {
    let world = World::rice().await;
    for coding in ["gzip", "br", "zstd"] {
        let answer = world
            .ask(Method::GET, "/ndvi", &[("accept-encoding", coding)])
            .await;
        assert_eq!(answer.header("content-encoding"), coding);
    }
    let tile = world
        .ask(
            Method::GET,
            &format!("/ndvi/{}", tile(14)),
            &[("accept-encoding", "gzip, br")],
        )
        .await;
    assert_eq!(tile.header("content-encoding"), "");
}

#[tokio::test]
async fn the_catalogue_lists_layers_and_styles() {
    let world = World::rice().await;
    let document = world.get("/catalog").await.json();
    let names: Vec<_> = document["tiles"]
        .as_object()
        .expect("tiles")
        .keys()
        .cloned()
        .collect();
    assert_eq!(names, ["flood", "ndvi"]);
    assert_eq!(document["tiles"]["ndvi"]["content_type"], "image/png");
    assert_eq!(document["tiles"]["ndvi"]["time"]["interval"], "2026-W32/2026-W34");
    assert!(document["styles"]["flood"].is_object());
    let periods = world.get("/api/v1/periods/ndvi").await.json();
    assert_eq!(periods["periods"], json!(["2026-W32", "2026-W33", "2026-W34"]));
    assert_eq!(periods["seen_share"], json!([0.83, 0.83, 0.83]));
    assert_eq!(periods["latest"], "2026-W34");
    assert_eq!(world.get("/api/v1/periods/nosuch").await.status, 404);
    let matrices = world.get("/tileMatrixSets/WebMercatorQuad").await.json();
    // scale denominator of zoom 0 as in annex D.1 of OGC 17-083r4
    let denominator = matrices["tileMatrices"][0]["scaleDenominator"]
        .as_f64()
        .expect("a number");
    assert!(
        (denominator - 559_082_264.028_717_9).abs() < 1e-3,
        "{denominator}"
    );
    assert_eq!(world.get("/tileMatrixSets/Nosuch").await.status, 404);
}

#[tokio::test]
async fn legends_speak_two_languages() {
    let world = World::empty();
    let vietnamese = world.get("/api/v1/legends/flood?lang=vi").await;
    let english = world.get("/api/v1/legends/flood?lang=en").await;
    assert_eq!(
        (vietnamese.status, english.header("content-language")),
        (axum::http::StatusCode::OK, "en")
    );
    assert!(String::from_utf8_lossy(&english.body).contains("Water"));
    assert!(String::from_utf8_lossy(&vietnamese.body).contains("Nước"));
    let picture = world.get("/api/v1/legends/ndvi.png?lang=en").await;
    assert_eq!(
        (picture.status.as_u16(), picture.header("content-type")),
        (200, "image/png")
    );
    assert_eq!(world.get("/api/v1/legends/nosuch").await.status, 404);
    assert_eq!(world.get("/api/v1/legends/ndvi?lang=xx").await.status, 400);
    let negotiated = world
        .ask(
            Method::GET,
            "/api/v1/legends/ndvi",
            &[("accept-language", "en-GB,vi;q=0.5")],
        )
        .await;
    assert_eq!(negotiated.header("content-language"), "en");
}

#[tokio::test]
async fn titiler_clients_find_their_paths_without_its_defects() {
    let world = World::rice().await;
    let base = "/raster/collections/ndvi";
    let document = world
        .get(&format!("{base}/WebMercatorQuad/tilejson.json"))
        .await
        .json();
    let url = document["tiles"][0].as_str().expect("an address");
    let path = url
        .trim_start_matches("http://map.example")
        .replace("{z}/{x}/{y}", &tile(14));
    let answer = world.get(&path).await;
    assert_eq!(answer.status, 200, "{path}");
    assert_eq!(
        answer.header("content-crs"),
        "<http://www.opengis.net/def/crs/EPSG/0/3857>"
    );
    assert_eq!(answer.header("content-bbox").split(',').count(), 4);
    assert_eq!(
        answer.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let item = format!("{base}/items/ndvi_2026-W33");
    let tiles = "tiles/WebMercatorQuad";
    for (path, status) in [
        (format!("{item}/{tiles}/{}@2x.png", tile(13)), 200),
        (format!("{item}/{tiles}/{}", tile(14)), 200),
        (format!("{base}/{tiles}/14/0/0"), 204),
        (format!("{base}/{tiles}/31/0/0"), 404),
        (format!("{base}/{tiles}/-1/0/0"), 400),
        (format!("{base}/tiles/LINZAntarctica/1/0/0"), 404),
        (format!("{base}/{tiles}/{}?bidx=9", tile(14)), 400),
        (format!("{base}/{tiles}/{}?bidx=1", tile(14)), 200),
        (format!("{base}/{tiles}/{}?tilesize=8192", tile(14)), 400),
        (format!("{base}/{tiles}/{}?assets=nosuch", tile(14)), 400),
        (format!("{base}/point/0,0"), 404),
        (format!("{base}/point/x,0"), 400),
        (format!("{base}/bbox/105.6,10.4,105.7,10.5.png"), 200),
        (format!("{base}/bbox/105.6,10.4,105.7,10.5/64x64.webp"), 200),
        (format!("{base}/bbox/105.6,10.4,105.7,10.5/9999x9999.png"), 413),
        (format!("{base}/preview"), 200),
        (format!("{base}/preview.png?max_size=128"), 200),
        (format!("{base}/preview/100x80.png"), 200),
        (format!("{base}/preview?max_size=5000"), 400),
        (format!("{base}/info"), 200),
        (format!("{base}/assets"), 200),
        (format!("{base}/statistics"), 200),
        (format!("{base}/items?limit=2"), 200),
        (format!("{base}/items/nosuch"), 404),
        (format!("{base}/items/nosuch/info"), 404),
        ("/raster/collections/nosuch/info".into(), 404),
        ("/raster/collections".into(), 200),
        (base.into(), 200),
        ("/healthz".into(), 200),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    let point = world
        .get(&format!("{item}/point/{},{}", INSIDE.0, INSIDE.1))
        .await
        .json();
    assert_eq!(point["values"], json!([0.5]));
    let info = world.get(&format!("{item}/info")).await.json();
    assert_eq!(
        (&info["dtype"], &info["width"], &info["scales"]),
        (&json!("int16"), &json!(300), &json!([0.0001]))
    );
    let statistics = world.get(&format!("{item}/statistics")).await.json();
    assert_eq!(statistics["b1"]["mean"], 0.5);
    assert_eq!(statistics["b1"]["valid_pixels"], 290 * 300);
}

#[tokio::test]
async fn items_name_their_files_and_the_files_can_be_read_in_ranges() {
    let world = World::rice().await;
    let item = world.get("/raster/collections/ndvi/items/ndvi_2026-W34").await;
    assert_eq!(item.header("content-type"), "application/geo+json");
    let item = item.json();
    assert_eq!(
        item["properties"]["sen:lineage"],
        json!(["sentinel-2-l2a/made-up"])
    );
    let href = item["assets"]["ndvi"]["href"].as_str().expect("an address");
    let path = href.strip_prefix("http://map.example").expect("absolute");
    let whole = world.get(path).await;
    assert_eq!(whole.status, 200);
    assert!(
        path.starts_with("/assets/ndvi/2026/ndvi_2026-W34/ndvi-"),
        "{path}"
    );
    let disk = std::fs::read(world.folder.path().join(&path[1..])).expect("the file");
    assert_eq!(whole.body, disk);
    let part = world.ask(Method::GET, path, &[("range", "bytes=4-11")]).await;
    assert_eq!((part.status.as_u16(), part.body.as_slice()), (206, &disk[4..12]));
    assert_eq!(part.header("content-range"), format!("bytes 4-11/{}", disk.len()));
    let outside = world
        .ask(Method::GET, path, &[("range", "bytes=99999999-")])
        .await;
    assert_eq!(outside.status, 416);
    assert_eq!(outside.header("content-range"), format!("bytes */{}", disk.len()));
    assert_eq!(outside.header("content-type"), "application/problem+json");
    let head = world.ask(Method::HEAD, path, &[]).await;
    assert_eq!(head.header("content-length"), disk.len().to_string());
    assert_eq!(head.header("accept-ranges"), "bytes");
    let again = world
        .ask(Method::GET, path, &[("if-none-match", whole.header("etag"))])
        .await;
    assert_eq!(again.status, 304);
}

#[tokio::test]
async fn where_scenes_lie_on_this_machine_is_not_told() {
    let world = World::rice().await;
    let mut scene = world.put_ndvi(week("2026-W20"), 1).await;
    scene.collection = "sentinel-2-l2a".into();
    scene.id = "S2A_made_up".into();
    let secret = world.folder.path().join("secret/B04.tif");
    std::fs::create_dir_all(secret.parent().expect("a folder")).expect("made");
    std::fs::write(&secret, b"x").expect("written");
    scene.assets.clear();
    scene.assets.insert(
        "red".into(),
        sen_catalog::Asset::new(secret.to_str().expect("UTF-8")),
    );
    sen_catalog::Store::put_item(&*world.store, &scene)
        .await
        .expect("stored");
    let answer = world
        .get("/raster/collections/sentinel-2-l2a/items/S2A_made_up")
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["assets"]["red"]["href"], "B04.tif");
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    let file = world.get(&format!("/assets{}", secret.display())).await;
    assert_eq!(file.status, 404);
    assert_eq!(
        world.get("/sentinel-2-l2a").await.status,
        404,
        "scenes are no layers"
    );
    assert_eq!(world.get("/sentinel-2-l2a/1/0/0").await.status, 404);
}

#[tokio::test]
async fn probes_and_counters() {
    let world = World::rice().await;
    let health = world.get("/health").await;
    assert_eq!(
        (health.body.as_slice(), health.header("cache-control")),
        (b"OK".as_slice(), "no-cache")
    );
    assert_eq!(world.get("/ready").await.status, 200);
    let path = format!("/ndvi/{}", tile(14));
    world.get(&path).await;
    world.get(&path).await;
    let text = String::from_utf8(world.get("/_/metrics").await.body).expect("text");
    assert!(text.contains("sen_tile_cache_hits_total 1\n"), "{text}");
    assert!(text.contains("sen_tile_cache_misses_total 1\n"));
    assert!(text.contains("sen_http_requests_total{kind=\"tile\",status=\"2xx\"} 2\n"));
    assert!(text.contains("sen_http_request_duration_seconds_count{kind=\"tile\"} 2\n"));
}

#[tokio::test]
async fn a_layer_without_a_style_of_its_own_is_drawn_in_grey() {
    let world = World::empty();
    let mut item = world.put_ndvi(week("2026-W10"), 4000).await;
    item.id = "toy_2026-W10".into();
    item.collection = "toy".into();
    let main = item.assets["ndvi"].clone();
    item.assets.insert("toy".into(), main);
    sen_catalog::Store::put_item(&*world.store, &item)
        .await
        .expect("stored");
    assert_eq!(world.get(&format!("/toy/{}", tile(14))).await.status, 200);
    assert_eq!(world.get("/toy").await.json()["tilejson"], "3.0.0");
    assert!(world.get("/catalog").await.json()["tiles"]["toy"].is_object());
}
