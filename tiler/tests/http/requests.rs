//! What holds for every address: parameters, methods, languages, the address of the service, conditions.

use crate::vector::decode;
use crate::world::{INSIDE, World, ask_with, tile};
use crate::zones::district;
use axum::http::Method;
use geo_types::{Coord, Rect};
use sen_catalog::Feature;
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::store::{Features, Observations};
use serde_json::{Value, json};

/// An address of each kind that answers 200 or 204, and a parameter of it; none for those that take none.
fn addresses() -> Vec<(String, Option<&'static str>)> {
    let (lon, lat) = INSIDE;
    let tile = tile(14);
    let collection = "/raster/collections/ndvi";
    [
        (format!("/ndvi/{tile}"), Some("datetime")),
        (format!("/plots/{tile}"), Some("datetime")),
        ("/ndvi".into(), Some("datetime")),
        ("/plots".into(), Some("datetime")),
        ("/catalog".into(), None),
        ("/conformance".into(), None),
        ("/tileMatrixSets".into(), None),
        ("/tileMatrixSets/WebMercatorQuad".into(), None),
        ("/raster/collections".into(), None),
        (collection.into(), None),
        (format!("{collection}/items"), Some("datetime")),
        (format!("{collection}/items/ndvi_2026-W34"), None),
        (format!("{collection}/info"), Some("datetime")),
        (format!("{collection}/statistics"), Some("histogram_bins")),
        (format!("{collection}/tilejson.json"), Some("tilesize")),
        (
            format!("{collection}/tiles/WebMercatorQuad/{tile}"),
            Some("tilesize"),
        ),
        (format!("{collection}/point/{lon},{lat}"), Some("datetime")),
        (format!("{collection}/preview.png"), Some("max_size")),
        (
            format!("{collection}/bbox/105.6,10.4,105.7,10.5.png"),
            Some("max_size"),
        ),
        (
            "/style/ndvi/static/105.6,10.4,105.7,10.5/10x10.png".into(),
            Some("datetime"),
        ),
        (format!("/api/v1/point/{lon},{lat}"), Some("datetime")),
        (
            format!("/api/v1/point/{lon},{lat}/series?collection=ndvi"),
            Some("datetime"),
        ),
        ("/api/v1/periods/ndvi".into(), None),
        ("/api/v1/legends/ndvi".into(), Some("lang")),
        ("/api/v1/search?q=DT".into(), Some("limit")),
        ("/api/v1/calibrations".into(), None),
        ("/api/v1/calibrations/ndvi".into(), None),
        ("/api/v1/fires".into(), Some("burning")),
        ("/api/v1/units".into(), Some("parent")),
        ("/api/v1/stations".into(), Some("bbox")),
        ("/api/v1/zones".into(), None),
        ("/api/v1/zones/plots".into(), Some("scheme")),
        (
            "/api/v1/zones/plots/values?collection=ndvi".into(),
            Some("statistic"),
        ),
        ("/api/v1/zones/plots/DT-001".into(), Some("geometry")),
        (
            "/api/v1/zones/plots/DT-001/statistics?collection=ndvi".into(),
            Some("datetime"),
        ),
        ("/api/v1/zones/plots/DT-001/week/2026-W34".into(), Some("scheme")),
        ("/api/v1/zones/plots/DT-001/fire".into(), Some("datetime")),
        ("/api/v1/zones/plots/DT-001/inundation".into(), Some("datetime")),
        ("/zones".into(), Some("lang")),
        ("/zones/plots".into(), Some("lang")),
        ("/zones/plots/DT-001".into(), Some("week")),
        ("/sta/v1.1/Things".into(), Some("$filter")),
    ]
    .into()
}

fn with(path: &str, query: &str) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}{query}")
}

#[tokio::test]
async fn a_slip_in_a_parameter_is_refused_on_every_address_and_what_others_hang_on_is_not() {
    let world = district().await;
    for (path, parameter) in addresses() {
        let bare = world.get(&path).await;
        assert!(bare.status.is_success(), "{path}: {}", bare.status);
        // one letter of a parameter is missing
        let slip = parameter.map_or("datetme".to_owned(), |name| name[..name.len() - 1].to_owned());
        let refused = world.get(&with(&path, &format!("{slip}=2026-W34"))).await;
        assert_eq!(refused.status, 400, "{path} {slip}");
        let problem = refused.json();
        let detail = problem["detail"].as_str().expect("a detail");
        if let Some(parameter) = parameter {
            assert!(detail.contains(&format!("`{parameter}`")), "{path}: {detail}");
        }
        assert_eq!(problem["parameter"], slip.as_str(), "{path}");
        for passer_by in [
            "_=1700000000",
            "key=abc",
            "access_token=abc",
            "utm_source=zalo&utm_medium=x&fbclid=1",
            "nocache=1&cb=2&v=3",
            "1700000000",
        ] {
            let answer = world.get(&with(&path, passer_by)).await;
            assert_eq!(answer.status, bare.status, "{path} {passer_by}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_holds_its_own_address_says_what_it_depends_on() {
    let world = district().await;
    let mut told = 0;
    for (path, _) in addresses() {
        let headers = [
            ("x-forwarded-host", "evil.example"),
            ("accept-encoding", "gzip;q=0"),
        ];
        let answer = world.ask(Method::GET, &path, &headers).await;
        let lines = answer.headers.get_all("vary").iter().count();
        assert!(lines <= 1, "{path}: {lines} lines of Vary");
        if String::from_utf8_lossy(&answer.body).contains("evil.example") {
            told += 1;
            let vary = answer.header("vary").to_ascii_lowercase();
            for name in [
                "x-forwarded-host",
                "x-forwarded-port",
                "x-forwarded-prefix",
                "x-forwarded-proto",
            ] {
                assert!(vary.contains(name), "{path}: {vary}");
            }
        }
    }
    assert!(told >= 10, "{told}");
}

#[tokio::test]
async fn an_answer_in_a_language_says_so() {
    let world = district().await;
    let (lon, lat) = INSIDE;
    for path in [
        format!("/api/v1/point/{lon},{lat}"),
        "/api/v1/legends/flood".into(),
        "/zones".into(),
        "/zones/plots".into(),
        "/zones/plots/DT-001".into(),
    ] {
        for (liked, tag) in [
            ("en;q=0.1, vi;q=0.9", "vi"),
            ("vi;q=0.2, en-GB", "en"),
            ("fr", "vi"),
        ] {
            let answer = world.ask(Method::GET, &path, &[("accept-language", liked)]).await;
            assert_eq!(answer.header("content-language"), tag, "{path} {liked}");
            assert!(answer.header("vary").contains("Accept-Language"), "{path}");
        }
        let said = world.get(&with(&path, "lang=en")).await;
        assert_eq!(said.header("content-language"), "en", "{path}");
        assert!(!said.header("vary").contains("Accept-Language"), "{path}");
    }
}

#[tokio::test]
async fn allow_names_the_methods_of_the_address() {
    let world = World::rice().await;
    for (path, method, allowed) in [
        ("/api/v1/zonal?collection=ndvi", Method::PUT, vec!["POST"]),
        ("/ndvi", Method::POST, vec!["GET", "HEAD"]),
        ("/sta/v1.1/Things", Method::PUT, vec!["GET", "POST"]),
        ("/catalog", Method::DELETE, vec!["GET"]),
    ] {
        let answer = ask_with(&world, method, path, String::new()).await;
        assert_eq!(answer.status, 405, "{path}");
        for method in allowed {
            assert!(
                answer.header("allow").contains(method),
                "{path}: {}",
                answer.header("allow")
            );
        }
        assert_eq!(
            path == "/ndvi" || path == "/catalog",
            !answer.header("allow").contains("POST"),
            "{path}"
        );
    }
    let asked = world
        .ask(
            Method::OPTIONS,
            "/sta/v1.1/Observations",
            &[("origin", "https://x")],
        )
        .await;
    assert!(
        asked
            .header("access-control-allow-headers")
            .contains("Authorization")
    );
}

#[tokio::test]
async fn conditions_compare_by_value_in_lists_and_tiles_alike() {
    let world = World::rice().await;
    let properties = [
        json!({"area": 12.0, "rows": 7, "irrigated": true, "sown": "2026-05-02T00:00:00", "crop": "lúa", "key": "k1"}),
        json!({"area": 12.5, "rows": 8, "irrigated": false, "sown": "2026-05-03", "crop": "xoài, mít", "key": "k2"}),
    ];
    let plots = properties.iter().zip(0..).map(|(properties, at)| {
        let corner = Coord {
            x: INSIDE.0 + f64::from(at) * 0.001,
            y: INSIDE.1,
        };
        let far = Coord {
            x: corner.x + 0.0008,
            y: corner.y + 0.0008,
        };
        let mut plot = Feature::new(
            "plots",
            format!("P-{at}"),
            Rect::new(corner, far).to_polygon().into(),
        );
        plot.properties = properties.as_object().cloned().expect("an object");
        plot
    });
    world.store.put_features(plots.collect()).await.expect("stored");
    for (query, found) in [
        ("area=12", 1),
        ("area=12.00", 1),
        ("area=12.5,12", 2),
        ("rows=7.0", 1),
        ("rows=7&rows=8", 2),
        ("irrigated=true", 1),
        ("irrigated=False", 1),
        ("sown=2026-05-02", 1),
        ("sown=2026-05-03T00:00:00Z", 1),
        ("crop=xo%C3%A0i%2C%20m%C3%ADt", 1),
        ("crop=xo%C3%A0i,l%C3%BAa", 1),
        ("crop=l%C3%BAa&irrigated=false", 0),
        // a property goes before a passer-by of its name
        ("key=k1", 1),
        ("token=k1", 2),
    ] {
        let list = world.get(&format!("/api/v1/zones/plots?{query}")).await.json();
        assert_eq!(list["numberMatched"], found, "{query}: {list}");
        let answer = world.get(&format!("/plots/{}?{query}", tile(14))).await;
        assert_eq!(answer.status, if found == 0 { 204 } else { 200 }, "{query}");
        let drawn = decode(&answer.body).get("plots").map_or(0, Vec::len);
        assert_eq!(drawn, found as usize, "{query}");
    }
    for path in [
        "/api/v1/zones/plots?aera=12".to_owned(),
        format!("/plots/{}?aera=12", tile(14)),
    ] {
        let refused = world.get(&path).await;
        assert_eq!(refused.status, 400, "{path}");
        assert!(
            refused.json()["detail"]
                .as_str()
                .expect("a detail")
                .contains("`area`"),
            "{path}"
        );
    }
    // addresses in answers ask the same
    let list = world
        .get("/api/v1/zones/plots?crop=a%2Cb,l%C3%BAa,xo%C3%A0i%2C%20m%C3%ADt&limit=1&_=17")
        .await
        .json();
    let next = list["links"][1]["href"].as_str().expect("a next page");
    assert!(
        next.contains("?crop=a%2Cb,l%C3%BAa,xo%C3%A0i%2C%20m%C3%ADt&limit=1&after="),
        "{next}"
    );
    let next = world
        .get(next.trim_start_matches("http://map.example"))
        .await
        .json();
    assert_eq!(next["features"][0]["properties"]["code"], "P-1");
    let document = world
        .get("/plots?crop=xo%C3%A0i%2C%20m%C3%ADt&token=x")
        .await
        .json();
    let url = document["tiles"][0].as_str().expect("an address");
    assert!(url.contains("?crop=xo%C3%A0i%2C%20m%C3%ADt&v="), "{url}");
}

#[tokio::test]
async fn latest_means_the_newest_alone_and_every_class_has_a_share() {
    let world = district().await;
    let (lon, lat) = INSIDE;
    for (path, name, all) in [
        (
            format!("/api/v1/point/{lon},{lat}/series?collection=ndvi"),
            "values",
            3,
        ),
        (
            "/api/v1/zones/plots/DT-001/statistics?collection=ndvi".to_owned(),
            "values",
            2,
        ),
        ("/raster/collections/ndvi/items?".to_owned(), "features", 3),
    ] {
        let count = |document: &Value| document[name].as_array().map(Vec::len);
        assert_eq!(count(&world.get(&path).await.json()), Some(all), "{path}");
        let newest = world.get(&format!("{path}&datetime=latest")).await.json();
        assert_eq!(count(&newest), Some(1), "{path}");
        assert!(newest.to_string().contains("2026-W34"), "{newest}");
        assert_eq!(
            count(&world.get(&format!("{path}&datetime=2026-08-20")).await.json()),
            Some(1),
            "{path}"
        );
    }
    let values = "/api/v1/zones/plots/values?collection=flood&datetime=2026-W34&statistic=";
    for (statistic, value) in [
        ("class_5_share", 0.0),
        ("class_5_ha", 0.0),
        ("class_1_share", 0.25),
    ] {
        let column = world.get(&format!("{values}{statistic}")).await.json();
        assert_eq!(column["values"][0], value, "{statistic}");
    }
    assert_eq!(world.get(&format!("{values}class_77_share")).await.status, 400);
    let items = world.get("/raster/collections/ndvi/items?limit=2").await.json();
    let next = items["links"][0]["href"].as_str().expect("a next page");
    let next = world
        .get(next.trim_start_matches("http://map.example"))
        .await
        .json();
    assert_eq!(next["features"][0]["id"], "ndvi_2026-W32");
    assert!(next["links"].is_null());
}

#[tokio::test]
async fn a_preview_of_one_side_keeps_its_shape() {
    let world = World::rice().await;
    let side = |body: &[u8], at: usize| {
        body[at..at + 4]
            .iter()
            .fold(0_u32, |side, byte| side << 8 | u32::from(*byte))
    };
    for (query, width, height) in [
        ("width=100", Some(100), None),
        ("height=60", None, Some(60)),
        ("max_size=50", None, None),
    ] {
        let picture = world
            .get(&format!("/raster/collections/ndvi/preview.png?{query}"))
            .await;
        let found = (side(&picture.body, 16), side(&picture.body, 20));
        assert!(
            width.is_none_or(|width| found.0 == width) && height.is_none_or(|height| found.1 == height),
            "{query} {found:?}"
        );
        let shape = f64::from(found.0) / f64::from(found.1);
        assert!((0.95..1.05).contains(&shape), "{query} {found:?}"); // the raster is square
    }
}

#[tokio::test]
async fn a_station_tells_a_day_and_lists_go_on() {
    let world = World::empty();
    let place = |at: i32| geo_types::Point::new(INSIDE.0 + f64::from(at) * 0.01, INSIDE.1).into();
    let stations = (0..3)
        .map(|at| Feature::new("stations", format!("TV-{at}"), place(at)))
        .collect();
    world.store.put_features(stations).await.expect("stored");
    let first = world.get("/api/v1/stations?limit=2").await.json();
    assert_eq!(first["stations"].as_array().map(Vec::len), Some(2));
    let next = first["links"][0]["href"].as_str().expect("a next page");
    let next = world
        .get(next.trim_start_matches("http://map.example"))
        .await
        .json();
    assert_eq!(
        (&next["stations"][0]["code"], &next["links"]),
        (&json!("TV-2"), &Value::Null)
    );
    let stream = Datastream {
        id: 0,
        station: "TV-0".into(),
        property: "water_level".into(),
        unit: "m".into(),
        name: "Mực nước".into(),
    };
    let datastream = world.store.put_datastream(&stream).await.expect("stored");
    // every hour of three local days, from 2026-08-10 00:00 (UTC+7) on
    let start: chrono::DateTime<chrono::Utc> = "2026-08-09T17:00:00Z".parse().expect("a time");
    let hours = (0..72).map(|hour| Observation {
        datastream,
        time: start + chrono::Duration::hours(hour),
        value: Some(hour as f64),
        flag: Flag::Good,
    });
    world
        .store
        .put_observations(hours.collect())
        .await
        .expect("stored");
    let series = async |query: &str| -> Vec<Value> {
        let path = format!("/api/v1/stations/TV-0/series?property=water_level{query}");
        world.get(&path).await.json()["values"]
            .as_array()
            .cloned()
            .expect("values")
    };
    for (query, count, first) in [
        ("&datetime=2026-08-11", 24, "2026-08-10T17:00:00Z"),
        ("&datetime=2026-08-11/2026-08-11", 24, "2026-08-10T17:00:00Z"),
        ("&datetime=2026-08-11T05:00:00Z", 1, "2026-08-11T05:00:00Z"),
        ("&datetime=latest", 1, "2026-08-12T16:00:00Z"),
        ("&datetime=2026-W33", 72, "2026-08-09T17:00:00Z"),
        ("", 72, "2026-08-09T17:00:00Z"),
    ] {
        let values = series(query).await;
        assert_eq!(
            (values.len(), values[0]["time"].as_str()),
            (count, Some(first)),
            "{query}"
        );
    }
    let day = series("&datetime=latest&step=day").await;
    assert_eq!(
        (day.len(), &day[0]["count"]),
        (1, &json!(24)),
        "the newest day whole: {day:?}"
    );
}
