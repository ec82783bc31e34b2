//! Pages that people open: a gauge at high water, lists without areas, an address that does not exist.

use crate::world::{Answer, INSIDE, World};
use axum::http::Method;
use chrono::{DateTime, Duration, Utc};
use geo_types::Point;
use sen_catalog::Feature;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::store::{Features, Observations};
use serde_json::json;

/// A gauge that rose by a centimetre an hour to 2.98 m, 3 cm above its BĐ3, at 23:45 on Sunday of 2026-W40.
async fn gauge() -> World {
    let world = World::empty();
    let mut station = Feature::new("stations", "TV-01", Point::new(INSIDE.0, INSIDE.1).into());
    station.name = Some("Trạm Cao Lãnh".into());
    for (name, value) in [("bd1_m", 1.8), ("bd2_m", 2.4), ("bd3_m", 2.95)] {
        station.properties.insert(name.into(), json!(value));
    }
    station.properties.insert("interval_s".into(), json!(900));
    world.store.put_features(vec![station]).await.expect("stored");
    let end: DateTime<Utc> = "2026-10-04T16:45:00Z".parse().expect("a time");
    for (property, unit, newest, hourly) in [("humidity", "%", 80.0, 0.0), ("water_level", "m", 2.98, 0.01)] {
        let stream = Datastream {
            id: 0,
            station: "TV-01".into(),
            property: property.into(),
            unit: unit.into(),
            name: property.into(),
        };
        let datastream = world.store.put_datastream(&stream).await.expect("stored");
        let readings = (0..72).map(|hour| Observation {
            datastream,
            time: end - Duration::hours(hour),
            value: Some(newest - hourly * hour as f64),
            flag: Flag::Good,
        });
        world
            .store
            .put_observations(readings.collect())
            .await
            .expect("stored");
    }
    world
}

async fn page(world: &World, path: &str) -> (Answer, String) {
    let answer = world
        .ask(Method::GET, path, &[("accept", "text/html,*/*;q=0.8")])
        .await;
    let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
    (answer, text)
}

#[tokio::test]
async fn a_gauge_above_its_alarm_level_says_so_first() {
    let world = gauge().await;
    let record = world
        .get("/api/v1/zones/stations/TV-01/week/2026-W40")
        .await
        .json();
    assert_eq!(record["station"]["alarm"], 3);
    assert_eq!(record["station"]["level_m"], 2.98);
    let sentence = record["sentence"]["vi"].as_str().expect("a text");
    assert!(
        sentence.contains("2,98 m lúc 23:45 ngày 4/10/2026, trên BĐ3 0,03 m, tăng 24 cm"),
        "{sentence}"
    );
    let read: Vec<&str> = record["sensors"]
        .as_array()
        .expect("readings")
        .iter()
        .filter_map(|one| one["property"].as_str())
        .collect();
    assert_eq!(read, ["water_level", "humidity"], "the level before all else");

    let (_, html) = page(&world, "/zones/stations/TV-01").await;
    assert!(
        html.contains("class=\"level a3\">BĐ3</b>") && html.contains("trên BĐ3 0,03 m"),
        "{html}"
    );
    assert!(
        html.contains("BĐ3 2,95 m") && html.contains("class=\"line\""),
        "the course with its alarm levels"
    );
    for wrong in [
        "chưa có số liệu",
        "ảnh vệ tinh",
        "NDVI CSV",
        "Copernicus",
        "<dt>bd1_m",
        "interval_s",
        "Trạm đo gần nhất",
    ] {
        assert!(!html.contains(wrong), "{wrong} in {html}");
    }
    assert!(html.contains("Báo động 1 (m)") && html.contains("<dd>1,8</dd>"));
    let (_, english) = page(&world, "/zones/stations/TV-01?lang=en&week=2026-W45").await;
    assert!(english.contains("no usable reading of this station"), "{english}");
}

#[tokio::test]
async fn a_list_of_what_has_no_area_has_no_column_for_it() {
    let (_, html) = page(&gauge().await, "/zones/stations").await;
    assert!(
        html.contains("TV-01") && !html.contains("None") && !html.contains("(ha)"),
        "{html}"
    );
}

#[tokio::test]
async fn people_are_told_of_a_wrong_address_in_words_and_programs_in_json() {
    let world = gauge().await;
    for path in ["/foo/bar", "/zones/foo", "/zones/foo/bar"] {
        let (answer, html) = page(&world, path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            html.contains("Không có trang này") && html.contains("zones?lang=vi"),
            "{html}"
        );
    }
    let (_, deep) = page(&world, "/foo/bar/baz").await;
    assert!(
        deep.contains("href=\"..&#x2f;..&#x2f;zones") || deep.contains("href=\"../../zones"),
        "{deep}"
    );
    for (path, accept) in [
        ("/foo/bar", "*/*"),
        ("/foo/bar", "application/json"),
        ("/api/v1/nothing", "text/html"),
    ] {
        let answer = world.ask(Method::GET, path, &[("accept", accept)]).await;
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path} {accept}"
        );
    }
}
