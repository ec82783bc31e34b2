//! Values at a point, series, still pictures.

use crate::world::{INSIDE, World};
use serde_json::json;

#[tokio::test]
async fn a_point_tells_every_layer_or_why_not() {
    let world = World::rice().await;
    let (lon, lat) = INSIDE;
    let answer = world.get(&format!("/api/v1/point/{lon},{lat}?lang=en")).await;
    assert_eq!(answer.status, 200);
    let document = answer.json();
    assert_eq!((&document["lon"], &document["lat"]), (&json!(lon), &json!(lat)));
    let layers = document["layers"].as_array().expect("layers");
    let layer = |name: &str| {
        layers
            .iter()
            .find(|layer| layer["collection"] == name)
            .expect("the layer")
            .clone()
    };
    let ndvi = layer("ndvi");
    assert_eq!(
        (&ndvi["value"], &ndvi["period"], &ndvi["n_clear"]),
        (&json!(0.7), &json!("2026-W34"), &json!(2.0))
    );
    // the middle of the raster is the first row that was not seen, or the last that was water
    let north = world
        .get(&format!("/api/v1/point/{lon},{}?lang=en", lat + 0.005))
        .await
        .json();
    let flood = north["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .find(|l| l["collection"] == "flood")
        .cloned();
    assert_eq!(
        flood.as_ref().map(|l| (&l["value"], &l["class"])),
        Some((&json!(1.0), &json!("Water, kind not known yet")))
    );
    let south = world
        .get(&format!("/api/v1/point/{lon},{}", lat - 0.005))
        .await
        .json();
    let flood = south["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .find(|l| l["collection"] == "flood")
        .cloned();
    assert_eq!(
        flood.as_ref().map(|l| (&l["value"], &l["reason"])),
        Some((&json!(null), &json!("not seen")))
    );
    let outside = world.get("/api/v1/point/0,0").await.json();
    assert_eq!(
        (&outside["layers"][1]["value"], &outside["layers"][1]["reason"]),
        (&json!(null), &json!("outside"))
    );
    let early = world
        .get(&format!("/api/v1/point/{lon},{lat}?datetime=2020-W01"))
        .await
        .json();
    assert_eq!(early["layers"][0]["period"], json!(null));
    for bad in ["x,y", "1", "200,0", "0,91", "nan,nan", "%ff,1"] {
        assert_eq!(
            world.get(&format!("/api/v1/point/{bad}")).await.status,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn a_series_is_oldest_first_and_bounded_by_time() {
    let world = World::rice().await;
    let (lon, lat) = INSIDE;
    let base = format!("/api/v1/point/{lon},{lat}/series");
    let all = world.get(&format!("{base}?collection=ndvi")).await.json();
    let pairs: Vec<_> = all["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|v| {
            (
                v["period"].as_str().expect("week").to_owned(),
                v["value"].as_f64().expect("number"),
            )
        })
        .collect();
    assert_eq!(
        pairs,
        [
            ("2026-W32".into(), 0.3),
            ("2026-W33".into(), 0.5),
            ("2026-W34".into(), 0.7)
        ]
    );
    assert_eq!(all["values"][0]["n_clear"], 2.0);
    let part = world
        .get(&format!("{base}?collection=ndvi&datetime=2026-W33/.."))
        .await
        .json();
    assert_eq!(part["values"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.get(&base).await.status, 400);
    assert_eq!(world.get(&format!("{base}?collection=nosuch")).await.status, 404);
}

#[tokio::test]
async fn a_still_picture_fills_its_box() {
    let world = World::rice().await;
    let box_ = "105.62,10.45,105.64,10.47";
    for (path, status) in [
        (format!("/style/ndvi/static/{box_}/200x100.png"), 200),
        (
            format!("/style/ndvi/static/{box_}/200x100@2x.png?datetime=2026-W33"),
            200,
        ),
        (format!("/style/ndvi/static/{box_}/200x100.webp"), 200),
        (format!("/style/ndvi/static/{box_}/4096x4096.png"), 413),
        (format!("/style/ndvi/static/{box_}/0x10.png"), 400),
        (format!("/style/ndvi/static/{box_}/10x10.gif"), 404),
        ("/style/ndvi/static/1,2,3/10x10.png".into(), 400),
        (format!("/style/nosuch/static/{box_}/10x10.png"), 404),
        (
            format!("/style/ndvi/static/{box_}/10x10.png?datetime=2020-W01"),
            404,
        ),
        (
            format!("/style/mndwi/static/{box_}/10x10.png?collection=ndvi"),
            200,
        ),
        ("/style/ndvi/static/0,0,1,1/10x10.png".into(), 200),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    let picture = world
        .get(&format!(
            "/style/ndvi/static/{box_}/200x100@2x.png?datetime=2026-W33"
        ))
        .await;
    assert_eq!(picture.header("sen-period"), "2026-W33");
    assert_eq!(
        u32::from_be_bytes(picture.body[16..20].try_into().expect("four")),
        400
    );
    let again = [("if-none-match", picture.header("etag"))];
    let path = format!("/style/ndvi/static/{box_}/200x100@2x.png?datetime=2026-W33");
    assert_eq!(
        world.ask(axum::http::Method::GET, &path, &again).await.status,
        304
    );
}
