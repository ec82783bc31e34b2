//! Why compartments are under water, as lists, records, pages and tiles; the level of the next days at a gauge.

use crate::world::{World, tile};
use chrono::{DateTime, Duration, Utc};
use fast_mvt::{MvtReaderRef, MvtValueRef};
use geo_types::{Coord, Point, Rect};
use sen_catalog::Feature;
use sen_catalog::inundation::gauge::GaugeWeek;
use sen_catalog::inundation::{Cause, Inundation, Reason};
use sen_catalog::observation::{Datastream, Flag, Observation};
use sen_catalog::store::{Features, Inundations, Observations};
use serde_json::{Value, json};

/// The place that tiles of the tests lie over.
const PLACE: (f64, f64) = crate::world::INSIDE;

async fn broken_dyke() -> World {
    let world = World::rice().await;
    let (x, y) = PLACE;
    let near = |east: f64| {
        let corner = |dx: f64, dy: f64| Coord {
            x: x + east + dx,
            y: y + dy,
        };
        Rect::new(corner(0.0, 0.0), corner(0.001, 0.001))
            .to_polygon()
            .into()
    };
    let features = vec![
        Feature::new("dyke_compartments", "OB-1", near(0.0)),
        Feature::new("dyke_compartments", "OB-2", near(0.002)),
    ];
    world.store.put_features(features).await.expect("stored");
    let fid = |code: &'static str| {
        let store = &world.store;
        async move {
            let found = store.feature("dyke_compartments", code, None).await;
            found.expect("asked").expect("there").fid
        }
    };
    let period = "2026-W34".parse().expect("a week");
    let day = |text: &str| text.parse().ok();
    let breach = Inundation {
        fid: fid("OB-1").await,
        period,
        looked: day("2026-08-22"),
        seen: 1.0,
        flooded_share: Some(0.59),
        flooded_ha: Some(70.25),
        connected_ha: Some(66.5),
        outside_share: Some(0.0),
        first_wet: day("2026-08-22"),
        last_wet: day("2026-08-22"),
        days_under_water: Some(1),
        class: Cause::DykeBreach,
        sure: true,
        reason: Reason::RoseOnCrop,
        gauge: Some(GaugeWeek {
            station: "TV-01".into(),
            distance_m: 2300.0,
            highest_m: 2.61,
            alarm: 2,
            tide: false,
            low_water_alarm: 2,
            last_alarm: day("2026-08-22"),
        }),
    };
    let dry = Inundation {
        fid: fid("OB-2").await,
        flooded_share: Some(0.02),
        class: Cause::None,
        reason: Reason::Dry,
        first_wet: None,
        last_wet: None,
        days_under_water: None,
        ..breach.clone()
    };
    world
        .store
        .put_inundations("dyke_compartments", vec![breach, dry])
        .await
        .expect("stored");
    world
}

fn codes(answer: &Value) -> Vec<&str> {
    let zones = answer["zones"].as_array().expect("zones");
    zones.iter().filter_map(|zone| zone["code"].as_str()).collect()
}

#[tokio::test]
async fn the_causes_of_a_week_are_listed_filtered_and_told_for_one_zone() {
    let world = broken_dyke().await;
    let path = "/api/v1/zones/dyke_compartments/inundation";
    let all = world.get(path).await.json();
    assert_eq!(
        (&all["period"], codes(&all)),
        (&json!("2026-W34"), vec!["OB-1", "OB-2"])
    );
    let alerts = world
        .get(&format!("{path}?class=dyke_overtopping_or_breach"))
        .await
        .json();
    assert_eq!(codes(&alerts), ["OB-1"]);
    let breach = &alerts["zones"][0];
    assert_eq!(
        (&breach["alert"], &breach["flooded_ha"], &breach["gauge"]["alarm"]),
        (&json!(true), &json!(70.25), &json!(2))
    );
    assert_eq!(breach["title"]["en"], "Dyke broken or overtopped");
    assert!(
        breach["reason"]["vi"]
            .as_str()
            .is_some_and(|words| words.contains("nước lên nhanh"))
    );
    let compact = world
        .get(&format!("{path}?datetime=2026-W34&compact=true"))
        .await
        .json();
    assert_eq!(compact["values"], json!([6, 0]));
    let elsewhere = world.get(&format!("{path}?bbox=0,0,1,1")).await.json();
    assert_eq!(codes(&elsewhere), Vec::<&str>::new());

    let weeks = world
        .get("/api/v1/zones/dyke_compartments/OB-1/inundation")
        .await
        .json();
    assert_eq!(weeks["weeks"][0]["days_under_water"], 1);
    let record = world
        .get("/api/v1/zones/dyke_compartments/OB-1/week/2026-W34")
        .await
        .json();
    assert_eq!(record["inundation"]["class"], "dyke_overtopping_or_breach");
    assert!(
        record["depth_reason"]["en"]
            .as_str()
            .is_some_and(|why| why.contains("DEM"))
    );
    let words = record["sentence"]["vi"].as_str().expect("words");
    assert!(words.ends_with("ngập vì: vỡ đê hoặc tràn đê."), "{words}");
    let page = world
        .get("/zones/dyke_compartments/OB-1?lang=en&week=2026-W34")
        .await;
    let html = String::from_utf8(page.body.clone()).expect("text");
    for part in [
        "Dyke broken or overtopped",
        "70.2 ha",
        "2.61 m (≥ BĐ2), TV-01",
        "class=\"alert\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }

    let wrong = world.get(&format!("{path}?class=flood")).await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.json()["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("river_flood"))
    );
    assert_eq!(world.get(&format!("{path}?datetime=2026-W20")).await.status, 404);
    assert_eq!(world.get("/api/v1/zones/nothing/inundation").await.status, 404);
}

#[tokio::test]
async fn tiles_carry_the_cause_of_their_week() {
    let world = broken_dyke().await;
    let path = format!("/dyke_compartments/{}?datetime=2026-W34", tile(14));
    let answer = world.get(&path).await;
    assert_eq!(answer.status, 200);
    let causes = |body: &[u8]| -> Vec<String> {
        let reader = MvtReaderRef::new(body).expect("a tile");
        let mut found = Vec::new();
        for layer in reader.layers() {
            for feature in layer.features() {
                let properties = feature.properties().map(|property| property.expect("a property"));
                let own = properties.filter(|(key, _)| *key == "inundation");
                found.extend(own.filter_map(|(_, value)| match value {
                    MvtValueRef::String(text) => Some(text.to_owned()),
                    _ => None,
                }));
            }
        }
        found.sort();
        found
    };
    assert_eq!(causes(&answer.body), ["dyke_overtopping_or_breach", "none"]);
    let filtered = world
        .get(&format!("{path}&inundation=dyke_overtopping_or_breach"))
        .await;
    assert_eq!(causes(&filtered.body), ["dyke_overtopping_or_breach"]);
}

/// A tide on a river, every half hour until the instant; the value of the last reading.
async fn put_levels(world: &World, until: DateTime<Utc>, days: i64) -> f64 {
    let (x, y) = PLACE;
    let mut station = Feature::new("stations", "TV-01", Point::new(x, y).into());
    for (name, level) in [("bd1_m", 0.9), ("bd2_m", 2.2), ("bd3_m", 2.8)] {
        station.properties.insert(name.into(), json!(level));
    }
    world.store.put_features(vec![station]).await.expect("stored");
    let stream = Datastream {
        id: 0,
        station: "TV-01".into(),
        property: "water_level".into(),
        unit: "m".into(),
        name: "level".into(),
    };
    let datastream = world.store.put_datastream(&stream).await.expect("stored");
    let level = |time: DateTime<Utc>| {
        let hours = time.timestamp() as f64 / 3600.0;
        0.8 + 0.4 * (hours / 12.420_601_2 * std::f64::consts::TAU).sin()
    };
    let observations = (0..days * 48).map(|step| {
        let time = until - Duration::minutes(30 * step);
        Observation {
            datastream,
            time,
            value: Some(level(time)),
            flag: Flag::Good,
        }
    });
    world
        .store
        .put_observations(observations.collect())
        .await
        .expect("stored");
    level(until)
}

#[tokio::test]
async fn a_gauge_foretells_its_tide_with_its_error_and_keeps_silent_when_it_is_stale() {
    let world = broken_dyke().await;
    let until: DateTime<Utc> = "2026-08-23T16:30:00Z".parse().expect("an instant");
    put_levels(&world, until, 62).await;
    let path = "/api/v1/stations/TV-01/forecast";
    let said = world.get(&format!("{path}?datetime=2026-W34")).await.json();
    assert_eq!(
        said["origin"], "2026-08-23T16:59:59Z",
        "the week ends at midnight, UTC+7"
    );
    assert_eq!(said["reason"], Value::Null);
    let values = said["values"].as_array().expect("values");
    assert_eq!(values.len(), 72);
    let highest = values
        .iter()
        .filter_map(|one| one["value"].as_f64())
        .fold(0.0, f64::max);
    assert!((highest - 1.19).abs() < 0.03, "{highest}");
    assert!(values.iter().any(|one| one["alarm"] == 1) && values.iter().any(|one| one["alarm"] == 0));
    let errors = said["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 7);
    for error in errors {
        let (own, again) = (&error["mae_m"], &error["persistence_mae_m"]);
        assert!(
            own.as_f64() < Some(0.02) && own.as_f64() < again.as_f64(),
            "{error}"
        );
    }
    // three days later nothing new has come: nothing is said
    let stale = world.get(&format!("{path}?at=2026-08-26T16:00:00Z")).await.json();
    assert_eq!(
        (&stale["values"], &stale["reason"]["id"]),
        (&json!([]), &json!("stale"))
    );
    assert_eq!(stale["newest"], "2026-08-23T16:30:00Z");
    assert_eq!(world.get(&format!("{path}?at=tomorrow")).await.status, 400);
    assert_eq!(world.get("/api/v1/stations/TV-09/forecast").await.status, 404);
}
