//! Zones by code: lists, search, one zone, its weeks, columns to colour a map with, and the pages of codes.

use crate::world::{INSIDE, World, week};
use axum::http::Method;
use geo_types::{Coord, Rect};
use sen_catalog::admin::{AdminUnit, Basis, Level, Predecessor};
use sen_catalog::calibration::Calibration;
use sen_catalog::feature::OtherCode;
use sen_catalog::season::Season;
use sen_catalog::statistic::{StatisticTable, ZonalStatistic, asset_name};
use sen_catalog::store::AdminUnits;
use sen_catalog::store::{Calibrations, Features, Seasons};
use sen_catalog::{Asset, Assets, Feature, Store, asset};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A square of 0.001 degrees with its south-west corner so many steps from [`INSIDE`].
fn square(east: f64, north: f64) -> geo_types::Geometry<f64> {
    let (x, y) = (INSIDE.0 + east * 0.001, INSIDE.1 + north * 0.001);
    Rect::new(
        Coord { x, y },
        Coord {
            x: x + 0.001,
            y: y + 0.001,
        },
    )
    .to_polygon()
    .into()
}

fn named(layer: &str, code: &str, name: &str, geometry: geo_types::Geometry<f64>) -> Feature {
    let mut feature = Feature::new(layer, code, geometry);
    feature.name = Some(name.to_owned());
    feature
}

/// Five plots in a row in a commune, a compartment, and tables of two weeks of the plots.
pub(crate) async fn district() -> World {
    let world = World::rice().await;
    let mut features = Vec::new();
    for number in 0..5 {
        let code = format!("DT-00{number}");
        let mut plot = named(
            "plots",
            &code,
            &format!("Thửa {number}"),
            square(f64::from(number), 0.0),
        );
        let crop = if number % 2 == 0 { "lua" } else { "xoai" };
        plot.properties.insert("crop".into(), json!(crop));
        features.push(plot);
    }
    let mut odd = named("plots", "Ô/5 & 6?", "Thửa lẻ", square(0.0, 2.0));
    odd.codes.push(OtherCode {
        scheme: "export".into(),
        market: Some("CN".into()),
        code: "VN-DTOR-0007".into(),
    });
    features.push(odd);
    let mut commune = named(
        "admin_units",
        "99110",
        "Phường Bình Thạnh Tây",
        square(-1.0, -1.0),
    );
    commune.geometry = Rect::new(
        Coord {
            x: INSIDE.0 - 0.01,
            y: INSIDE.1 - 0.01,
        },
        Coord {
            x: INSIDE.0 + 0.02,
            y: INSIDE.1 + 0.02,
        },
    )
    .to_polygon()
    .into();
    features.push(commune);
    features.push(named(
        "dyke_compartments",
        "OB-1",
        "Ô bao 1 Phường Bình Thạnh Tây",
        square(0.0, 0.0),
    ));
    world.store.put_features(features).await.expect("stored");
    for (period, mean) in [("2026-W33", 0.5), ("2026-W34", 0.7)] {
        put_table(&world, "ndvi", period, |index| ZonalStatistic {
            count: 12.5,
            mean: (index != 3).then_some(mean + f64::from(index) / 100.0),
            p10: Some(0.4),
            p90: Some(0.8),
            valid_fraction: if index == 3 { 0.0 } else { 0.92 },
            area_ha: 1.2,
            ..ZonalStatistic::default()
        })
        .await;
    }
    put_table(&world, "flood", "2026-W34", |_| ZonalStatistic {
        valid_fraction: 0.5,
        area_ha: 1.2,
        classes: BTreeMap::from([(0, 0.45), (1, 0.15), (253, 0.6)]),
        ..ZonalStatistic::default()
    })
    .await;
    world
}

async fn put_table(world: &World, collection: &str, period: &str, of: impl Fn(i32) -> ZonalStatistic) {
    let id = format!("{collection}_{period}");
    let mut item = world
        .store
        .item(collection, &id)
        .await
        .expect("a store")
        .expect("the week");
    let plots = sen_catalog::FeatureQuery::layer("plots");
    let plots = world.store.features(&plots).await.expect("plots");
    let rows: Vec<_> = plots
        .into_iter()
        .zip(0..)
        .map(|(plot, index)| (plot.fid, plot.code, of(index)))
        .collect();
    let name = asset_name("plots");
    let temporary = world.assets.temporary(&name);
    StatisticTable::write(&temporary, &rows, &BTreeMap::new()).expect("a table");
    let (sha256, bytes) = asset::checksum(&temporary).expect("a checksum");
    let href = Assets::href(&item, &name, "arrow", "");
    world.assets.publish(&temporary, &href).expect("published");
    let asset = Asset {
        sha256: Some(sha256),
        bytes,
        ..Asset::new(href)
    };
    item.assets.insert(name, asset);
    world.store.put_item(&item).await.expect("stored");
}

fn codes(document: &Value) -> Vec<&str> {
    let features = document["features"].as_array().expect("features");
    features
        .iter()
        .map(|feature| feature["properties"]["code"].as_str().expect("a code"))
        .collect()
}

#[tokio::test]
async fn a_list_is_searched_filtered_and_paged() {
    let world = district().await;
    let all = world.get("/api/v1/zones/plots").await;
    assert_eq!(
        (all.status.as_u16(), all.header("content-type")),
        (200, "application/geo+json")
    );
    let document = all.json();
    assert_eq!(
        (&document["numberMatched"], &document["numberReturned"]),
        (&json!(6), &json!(6))
    );
    assert!(all.header("link").is_empty(), "the last page has no next");
    for (query, expected) in [
        ("q=dt001", vec!["DT-001"]),
        ("q=th%E1%BB%ADa+l%E1%BA%BB", vec!["Ô/5 & 6?"]),
        ("q=thua%20le", vec!["Ô/5 & 6?"]),
        ("q=vn+dtor+0007", vec!["Ô/5 & 6?"]),
        ("crop=xoai", vec!["DT-001", "DT-003"]),
        ("crop=xoai&q=003", vec!["DT-003"]),
        ("crop=dua", vec![]),
        ("bbox=105.6326,10.4604,105.6328,10.4606", vec!["DT-000"]),
        ("bbox=1,1,2,2", vec![]),
    ] {
        let answer = world.get(&format!("/api/v1/zones/plots?{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(codes(&answer.json()), expected, "{query}");
    }
    // page by page, each zone once, whatever stands in the query
    let mut address = "/api/v1/zones/plots?limit=4&geometry=none".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = world.get(&address).await;
        let document = answer.json();
        seen.extend(codes(&document).into_iter().map(str::to_owned));
        let links = document["links"].as_array().expect("links");
        let Some(next) = links.iter().find(|link| link["rel"] == "next") else {
            break;
        };
        let next = next["href"].as_str().expect("an address");
        assert_eq!(answer.header("link"), format!("<{next}>; rel=\"next\""));
        address = next
            .strip_prefix("http://map.example")
            .expect("on this host")
            .to_owned();
    }
    assert_eq!(seen.len(), 6);
    for (query, status) in [
        ("limit=0", 400),
        ("limit=x", 400),
        ("limit=99999", 200),
        ("bbox=1,2,3", 400),
        ("bbox=3,2,1,4", 400),
        ("on=yesterday", 400),
        ("geometry=cube", 400),
        ("simplify=-1", 400),
        ("simplify=25", 200),
        ("geometry=point", 200),
        ("nosuchproperty=1", 400),
        ("after=-3", 400),
    ] {
        let answer = world.get(&format!("/api/v1/zones/plots?{query}")).await;
        assert_eq!(answer.status.as_u16(), status, "{query}");
    }
    let unknown = world.get("/api/v1/zones/castles").await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.json()["detail"]
            .as_str()
            .expect("words")
            .contains("dyke_compartments")
    );
}

#[tokio::test]
async fn a_zone_is_found_by_any_of_its_codes_however_they_are_written() {
    let world = district().await;
    let plot = world.get("/api/v1/zones/plots/DT-002").await;
    let document = plot.json();
    let properties = &document["properties"];
    assert_eq!(
        (
            &properties["code"],
            &properties["name"],
            &properties["crop"],
            &properties["commune"]
        ),
        (
            &json!("DT-002"),
            &json!("Thửa 2"),
            &json!("lua"),
            &json!("Phường Bình Thạnh Tây")
        )
    );
    // GeographicLib 2.1 Planimeter: 0.001 x 0.001 degrees at 10.46 N are 1.211 ha
    let area = properties["area_ha"].as_f64().expect("a number");
    assert!((area - 1.211).abs() < 0.001, "{area}");
    assert_eq!(document["geometry"]["type"], "Polygon");
    assert_eq!(properties["seasons"], json!([]));
    let odd = "/api/v1/zones/plots/%C3%94%2F5%20%26%206%3F";
    for address in [odd, "/api/v1/zones/plots/VN-DTOR-0007"] {
        assert_eq!(
            world.get(address).await.json()["properties"]["code"],
            "Ô/5 & 6?",
            "{address}"
        );
    }
    let again = [("if-none-match", plot.header("etag"))];
    assert_eq!(
        world
            .ask(Method::GET, "/api/v1/zones/plots/DT-002", &again)
            .await
            .status,
        304
    );
    let head = world.ask(Method::HEAD, "/api/v1/zones/plots/DT-002", &[]).await;
    assert!(head.status == 200 && head.body.is_empty());
    let missing = world.get("/api/v1/zones/plots/DT-0029").await;
    assert_eq!(
        (missing.status.as_u16(), missing.header("content-type")),
        (404, "application/problem+json")
    );
    let detail = missing.json()["detail"].as_str().expect("words").to_owned();
    assert!(detail.contains("`DT-002`"), "{detail}");
}

#[tokio::test]
async fn a_zone_tells_its_weeks_as_json_and_as_a_table_for_excel() {
    let world = district().await;
    let base = "/api/v1/zones/plots/DT-002/statistics";
    let all = world.get(&format!("{base}?collection=ndvi")).await.json();
    let values = all["values"].as_array().expect("values");
    assert_eq!(values.len(), 2);
    assert_eq!(
        (&values[0]["period"], &values[0]["mean"]),
        (&json!("2026-W33"), &json!(0.52))
    );
    assert_eq!(
        (&values[1]["period"], &values[1]["mean"]),
        (&json!("2026-W34"), &json!(0.72))
    );
    assert_eq!(
        (&values[1]["valid_fraction"], &values[1]["stdev"]),
        (&json!(0.92), &json!(null))
    );
    let one = world
        .get(&format!("{base}?collection=ndvi&datetime=2026-W34"))
        .await
        .json();
    assert_eq!(one["values"].as_array().map(Vec::len), Some(1));
    let flood = world.get(&format!("{base}?collection=flood")).await.json();
    assert_eq!(
        flood["values"][0]["classes"],
        json!({"0": 0.45, "1": 0.15, "253": 0.6})
    );
    let unseen = world
        .get("/api/v1/zones/plots/DT-003/statistics?collection=ndvi")
        .await
        .json();
    assert_eq!(unseen["values"][1]["mean"], json!(null));
    let csv = world.get(&format!("{base}?collection=flood&f=csv")).await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let text = String::from_utf8(csv.body).expect("UTF-8");
    assert!(text.starts_with("\u{feff}period,from,to,count,mean,"), "{text}");
    assert!(
        text.contains("\r\n2026-W34,2026-08-17,2026-08-23,0,,,,,,,,0.5,1.2,0.45,0.15,0.6\r\n"),
        "{text}"
    );
    for (query, status) in [
        ("", 400),
        ("collection=nosuch", 404),
        ("collection=ndvi&f=xls", 400),
        ("collection=ndvi&datetime=x", 400),
    ] {
        assert_eq!(
            world.get(&format!("{base}?{query}")).await.status.as_u16(),
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn one_column_colours_all_zones_in_view() {
    let world = district().await;
    let base = "/api/v1/zones/plots/values";
    let answer = world
        .get(&format!("{base}?collection=ndvi&datetime=2026-W33"))
        .await;
    assert_eq!(answer.header("sen-period"), "2026-W33");
    let document = answer.json();
    assert_eq!(document["codes"][1], "DT-001");
    assert_eq!(document["values"], json!([0.5, 0.51, 0.52, null, 0.54, 0.55]));
    let west = INSIDE.0 + 0.0012;
    let boxed = format!(
        "{base}?collection=ndvi&bbox={west},10.4604,{},10.4606&codes=false",
        west + 0.0001
    );
    let boxed = world.get(&boxed).await.json();
    assert_eq!(
        (&boxed["values"], &boxed["period"]),
        (&json!([0.71]), &json!("2026-W34"))
    );
    assert_eq!(boxed["codes"], json!(null));
    let share = world
        .get(&format!("{base}?collection=flood&statistic=class_1_share"))
        .await
        .json();
    assert_eq!(share["values"][0], 0.25, "of what was seen");
    for (query, status) in [
        ("collection=ndvi&statistic=nosuch", 400),
        ("collection=ndvi&datetime=2026-W32", 404),
        ("collection=ndvi&datetime=1999-W01", 404),
        ("collection=nosuch", 404),
        ("", 400),
    ] {
        assert_eq!(
            world.get(&format!("{base}?{query}")).await.status.as_u16(),
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_week_is_one_record_with_a_sentence_in_both_languages() {
    let world = district().await;
    let plot = world
        .store
        .feature("plots", "DT-002", None)
        .await
        .expect("a store")
        .expect("the plot");
    let day = |text: &str| text.parse().ok();
    let season = Season {
        season: "2026-he-thu".into(),
        sowing: day("2026-06-15"),
        heading: day("2026-08-25"),
        harvest: day("2026-09-25"),
        lost: None,
        sowing_uncertainty_days: Some(4.0),
        heading_uncertainty_days: None,
        harvest_uncertainty_days: None,
    };
    world
        .store
        .put_seasons(vec![(plot.fid, vec![season])])
        .await
        .expect("stored");
    let record = world.get("/api/v1/zones/plots/DT-002/week/2026-W34").await.json();
    assert_eq!(
        record["sentence"]["vi"],
        "Tuần 34 (17–23/8/2026): NDVI 0,72, thấy 92 % diện tích – lúa đang trổ, 9 tuần sau sạ; nước phủ 25 %, thấy 50 % diện tích."
    );
    let english = record["sentence"]["en"].as_str().expect("words");
    assert!(
        english.starts_with("Week 34 (17–23 Aug 2026): NDVI 0.72, 92 % of the area seen"),
        "{english}"
    );
    assert_eq!(
        (&record["from"], &record["to"]),
        (&json!("2026-08-17"), &json!("2026-08-23"))
    );
    assert_eq!(
        (&record["water_share"], &record["flood_share"]),
        (&json!(0.25), &json!(0.0)),
        "a quarter is under water, whose kind is not known"
    );
    assert_eq!(record["statistics"]["ndvi"]["mean"], json!(0.72));
    assert_eq!(
        (&record["crop"]["stage"], &record["crop"]["weeks_since_sowing"]),
        (&json!("heading"), &json!(9))
    );
    assert_eq!(record["trust"]["level"], "high");
    let unseen = world.get("/api/v1/zones/plots/DT-003/week/2026-W34").await.json();
    assert!(
        unseen["sentence"]["vi"]
            .as_str()
            .expect("words")
            .contains("mây che, chưa thấy")
    );
    assert_eq!(unseen["trust"]["level"], "none");
    // radar saw the water through the cloud: each layer is judged by what it saw itself
    assert!(
        unseen["sentence"]["en"].as_str().is_some_and(
            |words| words.contains("NDVI: cloud, not seen") && words.contains("50 % of the area seen")
        ),
        "{unseen}"
    );
    let trust = |layer: &str| &unseen["statistics"][layer]["trust"];
    assert_eq!(
        (&trust("ndvi")["level"], &trust("ndvi")["seen"]),
        (&json!("none"), &json!(0.0))
    );
    assert_eq!(
        (&trust("flood")["level"], &trust("flood")["seen"]),
        (&json!("high"), &json!(0.5))
    );
    let empty = world.get("/api/v1/zones/plots/DT-002/week/2020-W01").await.json();
    assert_eq!(
        (&empty["statistics"], &empty["sensors"]),
        (&json!({}), &json!([]))
    );
    assert_eq!(
        world.get("/api/v1/zones/plots/DT-002/week/2026-34").await.status,
        400
    );
    assert_eq!(
        world.get("/api/v1/zones/plots/NONE/week/2026-W34").await.status,
        404
    );
}

#[tokio::test]
async fn trust_in_the_flood_map_follows_its_own_looks_and_votes() {
    let world = district().await;
    let flood = async |code: &str| {
        let path = format!("/api/v1/zones/plots/{code}/week/2026-W34");
        world.get(&path).await.json()["statistics"]["flood"]["trust"].clone()
    };
    // by hand: half was seen of the 0.7 that are enough, 0.5 / 0.7; not stored is no reason for doubt
    let none = flood("DT-003").await;
    assert_eq!((&none["looks"], &none["score"]), (&Value::Null, &json!(0.714286)));
    // one look counts four fifths, and it was sure
    world.put_votes(week("2026-W34"), 1, 97).await;
    let lone = flood("DT-003").await;
    assert_eq!(
        (
            &lone["looks"],
            &lone["likelihood"],
            &lone["score"],
            &lone["level"]
        ),
        (&json!(1.0), &json!(97.0), &json!(0.571429), &json!("medium"))
    );
    // three looks that hardly know: 60 % is a fifth of the way from undecided, a third of what is enough
    world.put_votes(week("2026-W34"), 3, 60).await;
    let undecided = flood("DT-003").await;
    assert_eq!(
        (&undecided["decided"], &undecided["score"], &undecided["level"]),
        (&json!(0.2), &json!(0.238095), &json!("low"))
    );
    assert_eq!(undecided["words"]["vi"], "Tin cậy thấp: chưa nên dựa vào số này");
    // the page of the code says both
    let page = world.get("/zones/plots/DT-003?week=2026-W34").await;
    let html = String::from_utf8(page.body).expect("UTF-8");
    assert!(
        html.contains("NDVI: Chưa thấy trong tuần này · Nước phủ: Tin cậy thấp"),
        "{html}"
    );
}

#[tokio::test]
async fn one_search_finds_codes_names_communes_and_places() {
    let world = district().await;
    let first = async |text: &str| -> Value {
        let text = text
            .bytes()
            .fold(String::new(), |all, byte| format!("{all}%{byte:02X}"));
        world.get(&format!("/api/v1/search?q={text}")).await.json()[0].clone()
    };
    for text in [
        "binh thanh tay",
        "Bình Thạnh Tây",
        "BÌNH THẠNH TÂY",
        "Bi\u{300}nh Tha\u{323}nh Ta\u{302}y",
        "99110",
    ] {
        assert_eq!(first(text).await["kind"], "admin_units", "{text}");
    }
    let plot = first("dt002").await;
    assert_eq!(
        (&plot["code"], &plot["name"], &plot["commune"]),
        (
            &json!("DT-002"),
            &json!("Thửa 2"),
            &json!("Phường Bình Thạnh Tây")
        )
    );
    assert_eq!(first("vn dtor 0007").await["code"], "Ô/5 & 6?");
    let place = first("10.4603, 105.6325").await;
    assert_eq!(
        (&place["kind"], &place["lon"], &place["lat"], &place["commune"]),
        (
            &json!("coordinates"),
            &json!(105.6325),
            &json!(10.4603),
            &json!("Phường Bình Thạnh Tây")
        )
    );
    assert_eq!(first("nothing of the kind").await, Value::Null);
    let long = "x".repeat(300);
    for (query, status) in [
        ("", 400),
        ("q=", 400),
        ("q=%20", 400),
        ("q=%ff", 400),
        (long.as_str(), 400),
        ("q=%22%27*%5E(", 200),
    ] {
        let query = if query == long {
            format!("q={long}")
        } else {
            query.to_owned()
        };
        assert_eq!(
            world
                .get(&format!("/api/v1/search?{query}"))
                .await
                .status
                .as_u16(),
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_page_of_a_code_reads_without_script_in_both_languages() {
    let world = district().await;
    let page = world.get("/zones/plots/DT-002").await;
    assert_eq!(
        (page.status.as_u16(), page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert_eq!(
        (page.header("content-language"), page.header("vary")),
        ("vi", "Accept-Language, accept-encoding")
    );
    // as a browser reads it
    let html = String::from_utf8(page.body.clone())
        .expect("UTF-8")
        .replace("&#x2f;", "/");
    for part in [
        "<html lang=\"vi\">",
        "Thửa 2",
        "Tuần 34 (17–23/8/2026): NDVI 0,72",
        "1,21 ha",
        "Phường Bình Thạnh Tây",
        "<svg class=\"chart\"",
        "statistics?collection=ndvi",
        "<td>0,72</td>",
    ] {
        assert!(html.contains(part), "no {part}");
    }
    assert!(!html.contains("<script"), "the page must not need script");
    assert!(html.len() < 60_000, "{} bytes", html.len());
    let english = world.get("/zones/plots/DT-002?lang=en").await;
    let english = String::from_utf8(english.body).expect("UTF-8");
    assert!(english.contains("Week 34") && english.contains("0.72") && !english.contains("Tuần"));
    let asked = world
        .ask(
            Method::GET,
            "/zones/plots/DT-002",
            &[("accept-language", "en-GB,vi;q=0.5")],
        )
        .await;
    assert_eq!(asked.header("content-language"), "en");
    let again = [("if-none-match", page.header("etag"))];
    assert_eq!(
        world.ask(Method::GET, "/zones/plots/DT-002", &again).await.status,
        304
    );
    // a code of odd letters is shown as text and linked by its escaped form
    let odd = world.get("/zones/plots/%C3%94%2F5%20%26%206%3F").await;
    let odd = String::from_utf8(odd.body).expect("UTF-8");
    assert!(odd.contains("5 &amp; 6?") && odd.contains("api/v1/zones/plots/%C3%94%2F5%20%26%206%3F"));
    let missing = world.get("/zones/plots/DT-0029").await;
    let text = String::from_utf8(missing.body).expect("UTF-8");
    assert_eq!(missing.status, 404);
    assert!(
        text.contains("Không có mã này") && text.contains("zones/plots/DT-002"),
        "{text}"
    );
    for (path, part) in [
        ("/zones", "Thửa ruộng"),
        ("/zones/plots", "DT-004"),
        ("/zones/plots?q=le", "Thửa lẻ"),
    ] {
        let page = world.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            String::from_utf8(page.body).expect("UTF-8").contains(part),
            "{path}"
        );
    }
    assert_eq!(world.get("/zones/castles").await.status, 404);
    let picture = world.get("/overview.png").await;
    assert_eq!(picture.status, 307);
    let target = format!("/{}", picture.header("location"));
    assert_eq!(world.get(&target).await.status, 200, "{target}");
}

#[tokio::test]
async fn each_week_is_told_by_the_version_of_a_code_that_is_valid_in_it() {
    let world = World::rice().await;
    let day = |text: &str| text.parse().ok();
    let versions = [
        ("", "2026-08-17"),
        ("2026-08-17", "2030-01-01"),
        ("2030-01-01", ""),
    ];
    let features = versions.iter().zip(0..).map(|((from, to), number)| Feature {
        valid_from: day(from),
        valid_to: day(to),
        ..named("plots", "V-1", "Thửa đổi ranh", square(f64::from(number), 0.0))
    });
    world
        .store
        .put_features(features.collect())
        .await
        .expect("stored");
    for (period, mean) in [("2026-W33", 0.5), ("2026-W34", 0.7)] {
        put_table(&world, "ndvi", period, |index| ZonalStatistic {
            mean: Some(mean + f64::from(index) / 100.0),
            ..ZonalStatistic::default()
        })
        .await;
    }
    let world = &world;
    let series = |suffix: &'static str| {
        let path = format!("/api/v1/zones/plots/V-1/statistics?collection=ndvi{suffix}");
        async move {
            let document = world.get(&path).await.json();
            let values = document["values"].as_array().expect("weeks").clone();
            values.iter().map(|week| week["mean"].clone()).collect::<Vec<_>>()
        }
    };
    assert_eq!(
        series("").await,
        [json!(0.5), json!(0.71)],
        "the edge moved between the weeks"
    );
    assert_eq!(
        series("&on=2031-01-01").await,
        [json!(0.52), json!(0.72)],
        "a named day is one version"
    );
    let column = world
        .get("/api/v1/zones/plots/values?collection=ndvi&datetime=2026-W34")
        .await
        .json();
    assert_eq!(
        (&column["codes"], &column["values"]),
        (&json!(["V-1"]), &json!([0.71]))
    );
    let week = |week: &'static str| async move {
        let path = format!("/api/v1/zones/plots/V-1/week/{week}");
        world.get(&path).await.json()["statistics"]["ndvi"]["mean"].clone()
    };
    assert_eq!(
        (week("2026-W33").await, week("2026-W34").await),
        (json!(0.5), json!(0.71))
    );
    let from =
        |path: &'static str| async { world.get(path).await.json()["properties"]["valid_from"].clone() };
    assert_eq!(from("/api/v1/zones/plots/V-1?on=2026-08-17").await, "2026-08-17");
    assert_eq!(from("/api/v1/zones/plots/V-1?on=2031-01-01").await, "2030-01-01");
}

#[tokio::test]
async fn one_code_of_two_schemes_is_told_apart() {
    let world = World::rice().await;
    let of = |scheme: &str, east: f64| Feature {
        scheme: scheme.into(),
        ..named("growing_areas", "X1", "Vùng trồng", square(east, 0.0))
    };
    let both = vec![of("vn", 0.0), of("china", 1.0)];
    world.store.put_features(both).await.expect("stored");
    let refused = world.get("/api/v1/zones/growing_areas/X1").await;
    assert_eq!(refused.status, 400);
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains("scheme=china or scheme=vn"), "{detail}");
    for scheme in ["vn", "china"] {
        let zone = world
            .get(&format!("/api/v1/zones/growing_areas/X1?scheme={scheme}"))
            .await;
        assert_eq!(zone.json()["properties"]["scheme"], scheme);
        let page = world
            .get(&format!("/zones/growing_areas/X1?scheme={scheme}"))
            .await;
        assert_eq!(page.status, 200);
        let listed = world
            .get(&format!("/api/v1/zones/growing_areas?scheme={scheme}"))
            .await
            .json();
        assert_eq!(
            (&listed["numberMatched"], codes(&listed).as_slice()),
            (&json!(1), ["X1"].as_slice())
        );
    }
    assert_eq!(
        world.get("/api/v1/zones/growing_areas/X1?scheme=eu").await.status,
        404
    );
    let hits = world.get("/api/v1/search?q=X1").await.json();
    let mut schemes: Vec<_> = hits
        .as_array()
        .expect("hits")
        .iter()
        .map(|hit| hit["scheme"].clone())
        .collect();
    schemes.sort_by_key(ToString::to_string);
    assert_eq!(schemes, ["china", "vn"]);
}

#[tokio::test]
async fn a_reused_code_of_a_commune_tells_both_units_and_what_became_of_them() {
    let world = World::rice().await;
    let turn = "2025-07-01".parse().ok();
    let unit = |code: &str, name: &str, [valid_from, valid_to]: [Option<_>; 2], of: &[&str]| AdminUnit {
        level: Level::Commune,
        code: code.into(),
        valid_from,
        valid_to,
        name: name.into(),
        parent: None,
        predecessors: of
            .iter()
            .map(|code| Predecessor {
                code: (*code).into(),
                valid_from: None,
                share: Some(1.0),
                part: Some(0.5),
                basis: Basis::Given,
            })
            .collect(),
    };
    let units = vec![
        unit("29869", "Phường 11", [None, turn], &[]),
        unit("29872", "Phường 1", [None, turn], &[]),
        unit("29869", "Phường Cao Lãnh", [turn, None], &["29869", "29872"]),
    ];
    world.store.put_units(units).await.expect("stored");
    let told = world.get("/api/v1/units/29869").await.json();
    let [old, new] = told["units"].as_array().expect("units").as_slice() else {
        panic!("two units had the code: {told}");
    };
    assert_eq!(
        (&old["name"], &old["valid_to"]),
        (&json!("Phường 11"), &json!("2025-07-01"))
    );
    assert_eq!(old["successors"][0]["name"], "Phường Cao Lãnh");
    assert_eq!(new["predecessors"][1]["name"], "Phường 1");
    let listed = world.get("/api/v1/units?q=cao%20lanh&on=2026-01-01").await.json();
    assert_eq!(
        (&listed["matched"], &listed["units"][0]["code"]),
        (&json!(1), &json!("29869"))
    );
    assert_eq!(
        world.get("/api/v1/units?q=cao%20lanh&on=2024-01-01").await.json()["matched"],
        0
    );
    assert_eq!(world.get("/api/v1/units/1").await.status, 404);
}

#[tokio::test]
async fn a_correction_that_earned_its_place_stands_beside_the_raw_value() {
    let world = district().await;
    let (lon, lat) = INSIDE;
    let series = "/api/v1/zones/plots/DT-002/statistics?collection=ndvi&datetime=2026-W34";
    let week = "/api/v1/zones/plots/DT-002/week/2026-W34";
    let point = format!("/api/v1/point/{lon},{lat}?datetime=2026-W34");
    let at_point = async || -> Value {
        let document = world.get(&point).await.json();
        let layers = document["layers"].as_array().expect("layers");
        layers
            .iter()
            .find(|layer| layer["collection"] == "ndvi")
            .expect("ndvi")
            .clone()
    };
    let raw = world.get(series).await.json()["values"][0].clone();
    assert_eq!(
        (&raw["corrected"], &raw["calibration"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        world.get("/api/v1/calibrations").await.json(),
        json!({"calibrations": []})
    );

    let mut calibration = Calibration {
        property: "leaf_area".into(),
        collection: "ndvi".into(),
        version: 0,
        inputs: "ab".into(),
        slope: 0.5,
        intercept: 0.25,
        applied: true,
        reason: "stations that were left out come out better".into(),
        figures: serde_json::Map::from_iter([
            ("n".to_owned(), json!(40)),
            ("bias".to_owned(), json!(0.1)),
            ("bias_interval".to_owned(), json!([0.05, 0.15])),
            ("rmse".to_owned(), json!(0.2)),
            ("r2".to_owned(), json!(0.9)),
        ]),
        lineage: vec!["datastreams/3".into()],
    };
    world.store.put_calibration(&calibration).await.expect("stored");
    let version = json!({"property": "leaf_area", "version": 1});
    let close = |value: &Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value - expected).abs() < 2e-6, "{value} {expected}");
    };
    let told = world.get(series).await.json()["values"][0].clone();
    assert_eq!(told["mean"], raw["mean"], "the raw value stays");
    let corrected = 0.25 + 0.5 * raw["mean"].as_f64().expect("a mean");
    close(&told["corrected"], corrected);
    assert_eq!(told["calibration"], version);
    let record = world.get(week).await.json();
    close(&record["statistics"]["ndvi"]["corrected"], corrected);
    assert_eq!(record["statistics"]["ndvi"]["calibration"], version);
    assert_eq!(record["statistics"]["flood"]["corrected"], Value::Null);
    let here = at_point().await;
    assert_eq!(here["value"], json!(0.7));
    close(&here["corrected"], 0.6);
    assert_eq!(here["calibration"], version);
    let csv = String::from_utf8(world.get(&format!("{series}&f=csv")).await.body).expect("UTF-8");
    assert!(csv.contains("area_ha,corrected,calibration\r\n"), "{csv}");
    assert!(csv.ends_with(",leaf_area/1\r\n"), "{csv}");

    // new pairs do not bear it out: the version says why, and the corrected value is gone
    calibration.inputs = "cd".into();
    calibration.applied = false;
    calibration.reason = "stations that were left out come out worse".into();
    world.store.put_calibration(&calibration).await.expect("stored");
    let told = world.get(series).await.json()["values"][0].clone();
    assert_eq!(told, raw);
    assert_eq!(at_point().await["corrected"], Value::Null);
    let listed = world.get("/api/v1/calibrations/ndvi").await.json();
    assert_eq!(listed["collection"], "ndvi");
    let versions: Vec<_> = listed["calibrations"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|one| {
            (
                one["version"].as_u64(),
                one["applied"].as_bool(),
                one["in_use"].as_bool(),
            )
        })
        .collect();
    assert_eq!(
        versions,
        [
            (Some(2), Some(false), Some(false)),
            (Some(1), Some(true), Some(false))
        ]
    );
    let first = &listed["calibrations"][1];
    assert_eq!(
        (&first["method"], &first["slope"], &first["intercept"]),
        (&json!("theil_sen"), &json!(0.5), &json!(0.25))
    );
    assert_eq!(
        (&first["n"], &first["bias_interval"], &first["lineage"]),
        (&json!(40), &json!([0.05, 0.15]), &json!(["datastreams/3"]))
    );
    assert!(
        listed["calibrations"][0]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("worse")),
        "{listed}"
    );
    assert_eq!(
        world.get("/api/v1/calibrations/evi").await.status,
        404,
        "a layer that is not there"
    );
    assert_eq!(
        world.get("/api/v1/calibrations/flood").await.json()["calibrations"],
        json!([])
    );
}
