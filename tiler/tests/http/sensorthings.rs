//! SensorThings: what is posted is kept and shown, pages are the whole, filters are exact, answers are bounded.

use crate::world::{Answer, World};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use chrono::{DateTime, Utc};
use rusqlite::Connection;
use sen_catalog::Store;
use sen_catalog::observation::{Datastream, Flag, Reading};
use sen_catalog::qartod::Tests;
use sen_catalog::store::{Features, Key, Keys, Observations, SqliteStore};
use sen_tiler::ServeOptions;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;

const KEY: &str = "sen_test";

struct Service {
    _world: World,
    store: Arc<SqliteStore>,
    router: Router,
}

impl Service {
    async fn new() -> Self {
        Self::of(|world| Arc::clone(&world.store)).await
    }

    async fn of(store: impl Fn(&World) -> Arc<SqliteStore>) -> Self {
        let world = World::empty();
        let store = store(&world);
        let key = Key {
            name: "gateway".into(),
            write: vec!["observations".into()],
            made: Utc::now(),
        };
        store.put_key(&key, &Sha256::digest(KEY)).await.expect("kept");
        let router = world.behind(Arc::clone(&store) as Arc<dyn Store>, &ServeOptions::default());
        Self {
            _world: world,
            store,
            router,
        }
    }

    async fn send(&self, method: Method, path: &str, body: String) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/sta/v1.1/{path}"))
            .header("host", "map.example")
            .header("authorization", format!("Bearer {KEY}"))
            .body(Body::from(body))
            .expect("a request");
        let response = tower::ServiceExt::oneshot(self.router.clone(), request).await;
        let (parts, body) = response.expect("infallible").into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.expect("a body").to_vec(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.send(Method::POST, path, body.to_string()).await;
        (answer.status.as_u16(), answer.json())
    }

    async fn made(&self, path: &str, body: &Value) -> Value {
        let (status, made) = self.post(path, body).await;
        assert_eq!(status, 201, "{path}: {made}");
        made
    }

    async fn ask(&self, path: &str) -> (u16, Value) {
        let answer = self.send(Method::GET, &escape(path), String::new()).await;
        (answer.status.as_u16(), answer.json())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// All entities of a set, page by page.
    async fn walk(&self, path: &str) -> Vec<Value> {
        let first = self.get(path).await;
        let next = first["@iot.nextLink"].clone();
        self.walk_on(first["value"].as_array().expect("a list").clone(), next)
            .await
    }

    async fn walk_on(&self, mut all: Vec<Value>, mut next: Value) -> Vec<Value> {
        for _ in 0..200 {
            let Some(link) = next.as_str() else { return all };
            let path = link.split_once("/sta/v1.1/").expect("ours").1;
            let answer = self.send(Method::GET, path, String::new()).await;
            let page = answer.json();
            assert_eq!(answer.status, 200, "{path}: {page}");
            all.extend(page["value"].as_array().expect("a list").clone());
            next = page["@iot.nextLink"].clone();
        }
        panic!("{next} never ends");
    }

    /// `count` values each `step_s` from the beginning of 18 May 2026, the k-th of value `value(k)`.
    async fn fill(&self, datastream: i64, count: usize, step_s: i64, value: impl Fn(usize) -> f64) {
        let reading = |k: usize| Reading {
            time: at(k as i64 * step_s),
            value: Some(value(k)),
            given: Flag::NotEvaluated,
            fields: Map::new(),
        };
        let readings = (0..count).map(reading).collect();
        let done = self.store.record(datastream, readings, &Tests::default()).await;
        assert_eq!(done.expect("recorded").added, count);
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_779_062_400 + seconds, 0).expect("a time")
}

/// What a client would escape; `&`, `=` and `?` part parameters here.
fn escape(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?&=$(),;:'@*".contains(&byte);
    let text = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    path.bytes().map(text).collect()
}

fn stream(property: &str, symbol: &str) -> Value {
    json!({
        "name": format!("{property} here"), "description": "in the canal",
        "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
        "unitOfMeasurement": {"name": "a unit", "symbol": symbol, "definition": "http://unit.example"},
        "ObservedProperty": {"name": property, "definition": "", "description": ""},
        "Sensor": {"name": "probe 7", "description": "", "encodingType": "text/plain", "metadata": "m"},
    })
}

fn thing(code: &str, streams: &[Value]) -> Value {
    json!({
        "name": format!("Trạm {code}"), "description": format!("of {code}"), "properties": {"code": code},
        "Locations": [{"name": "bờ trái", "description": "d", "encodingType": "application/geo+json",
                       "location": {"type": "Point", "coordinates": [105.5, 10.5]}}],
        "Datastreams": streams,
    })
}

#[track_caller]
fn holds(shown: &Value, posted: &Value, place: &str) {
    match posted {
        Value::Object(members) => {
            for (name, value) in members {
                holds(&shown[name], value, &format!("{place}.{name}"));
            }
        }
        other => assert_eq!(shown, other, "{place}"),
    }
}

#[tokio::test]
async fn a_thing_is_shown_with_all_that_was_posted() {
    let service = Service::new().await;
    let mut level = stream("water_level", "cm");
    level["properties"] = json!({"cable_m": 12});
    level["observedArea"] =
        json!({"type": "Polygon", "coordinates": [[[105, 10], [106, 10], [106, 11], [105, 10]]]});
    level["ObservedProperty"] = json!({"name": "Water level", "definition": "http://level.example",
                                       "description": "of the canal", "properties": {"datum": "Hòn Dấu"}});
    level["Sensor"]["properties"] = json!({"serial": "A7"});
    level["Sensor"]["metadata"] = json!({"range": [0, 10]});
    let mut posted = thing("TV-01", &[level.clone()]);
    posted["Locations"][0]["location"] = json!({"type": "Feature", "properties": {"bank": "left"},
        "geometry": {"type": "Point", "coordinates": [105.53, 10.51, 3.2]}});
    posted["Locations"][0]["properties"] = json!({"surveyed": 2024});
    posted["Datastreams"][0]["Observations"] = json!([
        {"phenomenonTime": "2026-05-18T00:00:00Z", "result": 152},
        {"phenomenonTime": "2026-05-18T00:15:00Z", "result": null, "parameters": {"battery": 3.6}},
    ]);
    let made = service.made("Things", &posted).await;
    let id = made["@iot.id"].as_i64().expect("a number");
    let whole =
        format!("Things({id})?$expand=Locations,Datastreams($expand=ObservedProperty,Sensor,Observations)");
    let shown = service.get(&whole).await;
    for name in ["name", "description", "properties"] {
        holds(&shown[name], &posted[name], name);
        assert_eq!(made[name], shown[name], "the answer is what is kept");
    }
    holds(&shown["Locations"][0], &posted["Locations"][0], "Location");
    let kept = &shown["Datastreams"][0];
    holds(kept, &level, "Datastream");
    assert_eq!(
        kept["Observations"][0]["result"], 152.0,
        "in the unit it was made with"
    );
    assert_eq!(kept["Observations"][1]["result"], Value::Null);
    assert_eq!(kept["Observations"][1]["parameters"], json!({"battery": 3.6}));
    assert_eq!(
        kept["phenomenonTime"],
        "2026-05-18T00:00:00.000Z/2026-05-18T00:15:00.000Z"
    );
    let stored = service.store.datastreams(None).await.expect("streams");
    assert_eq!(
        (stored[0].property.as_str(), stored[0].unit.as_str()),
        ("water_level", "m")
    );
    let latest = service
        .store
        .observations(&sen_catalog::store::ObservationQuery::datastream(stored[0].id))
        .await;
    assert_eq!(
        latest.expect("rows")[0].value,
        Some(1.52),
        "and in metres for all others"
    );
    // a description of one's own belongs to one Datastream, the project's to all others
    service
        .made(&format!("Things({id})/Datastreams"), &stream("ph", "[pH]"))
        .await;
    let names: Vec<Value> = service.walk("ObservedProperties?$select=id").await;
    assert_eq!(
        names,
        [json!({"@iot.id": "ph"}), json!({"@iot.id": "water_level:1"})]
    );
    assert_eq!(
        service
            .get("ObservedProperties('water_level:1')/Datastreams")
            .await["value"][0]["@iot.id"],
        1
    );
    // what is there is told, not overwritten
    let (status, problem) = service
        .post(&format!("Things({id})/Datastreams"), &stream("ph", "[pH]"))
        .await;
    assert_eq!(status, 409, "{problem}");
    // where the station stands elsewhere later, the posted place is not shown any more
    let mut station = service
        .store
        .feature("stations", "TV-01", None)
        .await
        .expect("asked")
        .expect("there");
    station.geometry = geo_types::Point::new(105.6, 10.6).into();
    service.store.put_features(vec![station]).await.expect("moved");
    let place = service.get(&format!("Things({id})/Locations")).await;
    assert_eq!(place["value"][0]["location"]["coordinates"], json!([105.6, 10.6]));
    assert_eq!(place["value"][0]["name"], "bờ trái");
}

#[tokio::test]
async fn an_observation_is_shown_as_it_was_sent_or_refused_by_field() {
    let service = Service::new().await;
    service
        .made(
            "Things",
            &thing(
                "TV-01",
                &[stream("water_level", "cm"), stream("chlorophyll", "ug/L")],
            ),
        )
        .await;
    let sent = json!({"phenomenonTime": "2026-05-18T00:00:00.000Z", "result": 151.7, "resultTime": "2026-05-18T00:07:00Z",
                      "validTime": "2026-05-18T00:00:00Z/2026-05-19T00:00:00Z", "parameters": {"battery": 3.6, "n": [1]}});
    let made = service.made("Datastreams(1)/Observations", &sent).await;
    let link = made["@iot.selfLink"].as_str().expect("a link").to_owned();
    let path = link.split_once("/sta/v1.1/").expect("ours").1;
    holds(&service.get(path).await, &sent, "Observation");
    holds(&made, &sent, "the answer");
    let text = json!({"phenomenonTime": "2026-05-18T00:15:00Z", "result": "153", "resultQuality": 3,
                      "Datastream": {"@iot.id": 1}, "FeatureOfInterest": {"@iot.id": 1}});
    assert_eq!(service.made("Observations", &text).await["result"], 153.0);
    let at_noon = |member: &str, value: Value| {
        let mut body =
            json!({"phenomenonTime": "2026-05-18T12:00:00Z", "result": 1, "Datastream": {"@iot.id": 2}});
        body[member] = value;
        body
    };
    for (member, value) in [
        (
            "phenomenonTime",
            json!("2026-05-18T00:00:00Z/2026-05-18T01:00:00Z"),
        ),
        ("resultTime", json!("soon")),
        ("validTime", json!(5)),
        ("parameters", json!("x")),
        ("resultQuality", json!({"comment": "ice"})),
        ("result", json!("wet")),
        ("result", json!({"a": 1})),
        ("FeatureOfInterest", json!({"name": "a pond"})),
        ("FeatureOfInterest", json!({"@iot.id": 99})),
        ("@iot.id", json!("7")),
        ("reslut", json!(5)),
    ] {
        let (status, problem) = service.post("Observations", &at_noon(member, value)).await;
        assert_eq!(status, 400, "{member}: {problem}");
        assert!(
            problem["message"].as_str().expect("text").contains(member),
            "{member}: {problem}"
        );
    }
    assert_eq!(
        service.get("Datastreams(2)/Observations").await["value"],
        json!([]),
        "nothing of it is kept"
    );
    let rows = json!([{"Datastream": {"@iot.id": 1},
        "components": ["phenomenonTime", "result", "parameters", "FeatureOfInterest/id"],
        "dataArray": [["2026-05-18T01:00:00Z", 160, {"a": 1}, 1], ["2026-05-18T02:00:00Z", 161, null, 2]]}]);
    let answers = service.made("CreateObservations", &rows).await;
    assert!(
        answers[1].as_str().expect("text").contains("FeatureOfInterest"),
        "{answers}"
    );
    let array = service
        .get("Datastreams(1)/Observations?$resultFormat=dataArray&$select=result,parameters")
        .await;
    let cells = json!([[151.7, {"battery": 3.6, "n": [1]}], [153.0, null], [160.0, {"a": 1}]]);
    assert_eq!(array["value"][0]["dataArray"], cells);
    let found = service
        .get("Observations?$filter=result gt 152 and parameters/a eq 1")
        .await;
    assert_eq!(
        found["value"].as_array().map(Vec::len),
        Some(1),
        "filtered as it is shown"
    );
    let strange = json!([{"Datastream": {"@iot.id": 1}, "components": ["phenomenonTime", "result", "flag"],
                          "dataArray": [["2026-05-18T03:00:00Z", 160, 1]]}]);
    assert_eq!(service.post("CreateObservations", &strange).await.0, 400);
}

#[tokio::test]
async fn what_the_importer_refuses_is_refused_here_by_field() {
    let service = Service::new().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = thing("TV-01", &[]);
        change(&mut body);
        body
    };
    for (field, body) in [
        ("name", with(&|b| b["name"] = json!("x".repeat(10_000_000)))),
        (
            "properties.p",
            with(&|b| b["properties"]["p"] = json!("x".repeat(10_000_000))),
        ),
        (
            "properties.code",
            with(&|b| b["properties"]["code"] = json!("c\r\nd")),
        ),
        (
            "description",
            with(&|b| b["description"] = json!("x".repeat(10_000_000))),
        ),
        (
            "Locations.name",
            with(&|b| b["Locations"][0]["name"] = json!("a\nb")),
        ),
        (
            "Datastreams.nosuch",
            with(&|b| b["Datastreams"] = json!([{"nosuch": 1}])),
        ),
    ] {
        let (status, problem) = service.post("Things", &body).await;
        assert_eq!(status, 400, "{field}: {problem}");
        let told = problem["message"].as_str().expect("text");
        assert!(told.contains(field) && told.len() < 1000, "{field}: {told}");
    }
    assert_eq!(service.get("Things").await["value"], json!([]));
    let large = service
        .send(Method::POST, "CreateObservations", " ".repeat(17 << 20))
        .await;
    assert_eq!(large.status, 413);
    assert_eq!(large.header("content-type"), "application/problem+json");
    assert!(large.json()["message"].as_str().expect("text").contains("16 MB"));
    let (status, problem) = service.post("Things?$top=1", &thing("TV-01", &[])).await;
    assert_eq!(status, 400, "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_posts_of_one_thing_at_once_one_is_kept_whole() {
    let service = Arc::new(Service::new().await);
    let posts = (0..12).map(|k| {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let mut body = thing("TV-01", &[stream("water_level", "m")]);
            body["description"] = json!(format!("client {k}"));
            body["Datastreams"][0]["description"] = json!(format!("client {k}"));
            body["Datastreams"][0]["Observations"] =
                json!([{"phenomenonTime": "2026-05-18T00:00:00Z", "result": k}]);
            (k, service.post("Things", &body).await)
        })
    });
    let mut winners = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        let (k, (status, body)) = post.await.expect("no panic");
        match status {
            201 => winners.push(k),
            other => assert_eq!(other, 409, "{body}"),
        }
    }
    let [winner] = winners[..] else {
        panic!("{winners:?}")
    };
    let kept = service
        .get("Things?$expand=Datastreams($expand=Observations)")
        .await;
    let kept = kept["value"].as_array().expect("a list");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["description"], format!("client {winner}"));
    assert_eq!(
        kept[0]["Datastreams"][0]["description"],
        format!("client {winner}")
    );
    assert_eq!(
        kept[0]["Datastreams"][0]["Observations"][0]["result"],
        f64::from(winner)
    );
}

#[tokio::test]
async fn pages_together_are_the_whole_and_hold_each_value_once() {
    let service = Service::new().await;
    for code in ["A", "B", "C"] {
        let streams = [stream("water_level", "m"), stream("salinity", "g/L")];
        service.made("Things", &thing(code, &streams)).await;
    }
    // many ties: the same times everywhere, and three values
    for id in 1..=6 {
        service.fill(id, 50, 900, |k| (k % 3) as f64).await;
    }
    for (order, sorted_by) in [
        ("", ""),
        ("$orderby=id&", ""),
        ("$orderby=phenomenonTime&", "phenomenonTime"),
        ("$orderby=phenomenonTime desc&", "-phenomenonTime"),
        ("$orderby=phenomenonTime desc,result asc&", "-phenomenonTime"),
        ("$orderby=resultTime desc&", "-phenomenonTime"),
        ("$orderby=result&", "result"),
        ("$orderby=result desc,phenomenonTime&", "-result"),
        ("$orderby=Datastream/id desc,phenomenonTime&", ""),
    ] {
        for (filter, wanted) in [
            ("", 300),
            ("$filter=result eq 1&", 102),
            ("$filter=Datastream/id gt 4&", 100),
        ] {
            for top in [7, 50] {
                let path = format!("Observations?{order}{filter}$top={top}&$select=id,phenomenonTime,result");
                let all = service.walk(&path).await;
                let ids: BTreeSet<String> = all.iter().map(|one| one["@iot.id"].to_string()).collect();
                assert_eq!((all.len(), ids.len()), (wanted, wanted), "{path}");
                assert!(
                    all.iter()
                        .all(|one| one.as_object().expect("an entity").len() == 3),
                    "{path}"
                );
                let key = |one: &Value| match sorted_by.trim_start_matches('-') {
                    "" => String::new(),
                    name => one[name].to_string(),
                };
                let ordered = all.windows(2).all(|pair| {
                    let (a, b) = (key(&pair[0]), key(&pair[1]));
                    if sorted_by.starts_with('-') {
                        a >= b
                    } else {
                        a <= b
                    }
                });
                assert!(ordered, "{path}");
            }
        }
        let skipped = service
            .walk(&format!("Observations?{order}$top=11&$skip=290"))
            .await;
        assert_eq!(skipped.len(), 10, "{order}");
        let skipped = service
            .walk(&format!(
                "Observations?{order}$filter=result lt 9&$top=11&$skip=290"
            ))
            .await;
        assert_eq!(skipped.len(), 10, "{order}");
    }
    for path in [
        "Things?$orderby=description desc&$top=1",
        "Datastreams?$orderby=unitOfMeasurement/symbol&$top=2",
    ] {
        let all = service.walk(path).await;
        let ids: BTreeSet<String> = all.iter().map(|one| one["@iot.id"].to_string()).collect();
        assert_eq!(ids.len(), all.len(), "{path}");
        assert_eq!(
            all.len(),
            if path.starts_with("Things") { 3 } else { 6 },
            "{path}"
        );
    }
    // the way on of an expansion asks what the expansion asked
    let first = service
        .get("Datastreams(2)?$expand=Observations($filter=result ge 1;$orderby=phenomenonTime desc;$top=9;$select=phenomenonTime)")
        .await;
    let given = first["Observations"].as_array().expect("a list").clone();
    let all = service
        .walk_on(given, first["Observations@iot.nextLink"].clone())
        .await;
    let times: Vec<&str> = all
        .iter()
        .map(|one| one["phenomenonTime"].as_str().expect("a time"))
        .collect();
    assert_eq!(times.len(), 33);
    assert!(
        times.windows(2).all(|pair| pair[0] > pair[1]),
        "newest first, each once"
    );
    assert!(
        all.iter()
            .all(|one| one.as_object().expect("an entity").len() == 1),
        "only what is selected"
    );
    // what is made while somebody walks moves nothing
    let page = service.get("Things?$orderby=name desc&$top=2&$select=name").await;
    service.made("Things", &thing("Z", &[])).await;
    let all = service
        .walk_on(
            page["value"].as_array().expect("a list").clone(),
            page["@iot.nextLink"].clone(),
        )
        .await;
    let names: Vec<_> = all.iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["Trạm C", "Trạm B", "Trạm A"]);
}

#[tokio::test]
async fn filters_answer_what_they_say_or_say_why_not() {
    let service = Service::new().await;
    service
        .made(
            "Things",
            &thing("A", &[stream("water_level", "m"), stream("salinity", "g/L")]),
        )
        .await;
    service
        .made("Things", &thing("B", &[stream("salinity", "g/L")]))
        .await;
    service.made("Things", &thing("C", &[])).await;
    service.fill(1, 96, 900, |k| k as f64).await;
    service.fill(2, 5, 900, |k| k as f64).await;
    let count = async |path: &str| {
        let (set, filter) = path.split_once('?').expect("a filter");
        let body = service
            .get(&format!("{set}?$filter={filter}&$count=true&$top=0"))
            .await;
        assert_eq!(body["value"], json!([]));
        body["@iot.count"].as_u64().expect("a count")
    };
    for (path, wanted) in [
        ("Things?Datastreams/ObservedProperty/name eq 'salinity'", 2),
        ("Things?Datastreams/ObservedProperty/name eq 'ph'", 0),
        // both of one Datastream, not of two
        (
            "Things?Datastreams/ObservedProperty/name eq 'salinity' and Datastreams/unitOfMeasurement/symbol eq 'm'",
            0,
        ),
        ("Things?Datastreams/name eq null", 1),
        ("Things?Locations/name eq 'bờ trái' and Datastreams/id eq 1", 1),
        ("ObservedProperties?Datastreams/Thing/properties/code eq 'B'", 1),
        ("Datastreams?phenomenonTime ge 2026-05-01T00:00:00Z", 2),
        ("Datastreams?phenomenonTime le 2026-05-18T01:00:00Z", 1),
        ("Datastreams?phenomenonTime eq null", 1),
        (
            "Datastreams?Sensor/name eq 'probe 7' and description eq 'in the canal'",
            3,
        ),
        (
            "Locations?st_within(location,geography'POLYGON((105 10,106 10,106 11,105 11,105 10))')",
            3,
        ),
        ("Observations?Datastream/id eq 2", 5),
        (
            "Observations?Datastream/Thing/properties/code eq 'A' and result lt 3",
            6,
        ),
        ("Observations?FeatureOfInterest/id eq 1 and Datastream/id ne 1", 5),
        ("Observations?date(phenomenonTime) eq date(2026-05-18)", 101),
        ("Observations?phenomenonTime gt '2026-05-18T23:30:00Z'", 1),
        ("Observations?phenomenonTime ge 2026-05-18T23:30:00Z", 2),
        ("Observations?phenomenonTime gt now() sub duration'P1D'", 0),
        ("Datastreams(1)/Observations?result ge 90 or result lt 2", 8),
    ] {
        assert_eq!(count(path).await, wanted, "{path}");
    }
    for (path, named) in [
        ("Things?$filter=nosuch gt 1", "`nosuch`"),
        ("Observations?$filter=nosuch gt 1", "`nosuch`"),
        ("HistoricalLocations?$filter=nosuch gt 1", "`nosuch`"),
        (
            "Things?$filter=Datastreams/Observations/result gt 1",
            "Observations",
        ),
        ("Things?$filter=name gt 1", "`name`"),
        ("Things?$fliter=name eq 'x'", "$fliter"),
        ("Things?$top=abc", "$top"),
        ("Things?$orderby=nosuch", "`nosuch`"),
        ("Observations?$orderby=nosuch", "`nosuch`"),
        ("Observations?$select=nosuch", "`nosuch`"),
        ("Things(1)?$filter=name eq 'x'", "$filter"),
        ("Things(1)/name?$select=name", "$select"),
        ("Things/$ref?$expand=Datastreams", "$expand"),
        ("Things?$resultFormat=dataArray", "$resultFormat"),
        (
            "Observations?$resultFormat=dataArray&$expand=Datastream",
            "$expand",
        ),
        ("Observations?$skiptoken=x", "$skiptoken"),
        ("Things?$skiptoken=x", "$skiptoken"),
        ("Observations?$orderby=result&$skip=20000", "$skip"),
    ] {
        let (status, problem) = service.ask(path).await;
        assert_eq!(status, 400, "{path}: {problem}");
        assert!(
            problem["message"].as_str().expect("text").contains(named),
            "{path}: {problem}"
        );
    }
    for path in [
        "Things(1)/nosuch",
        "Things(1)/Datastreams(3)",
        "Observations('1-5')",
        "Things(1)/Thing",
    ] {
        assert_eq!(service.ask(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn an_answer_ends_where_it_is_large_enough_and_tells_the_way_on() {
    let service = Service::new().await;
    for k in 0..12 {
        service
            .made(
                "Things",
                &thing(&format!("S{k:02}"), &[stream("water_level", "m")]),
            )
            .await;
        service.fill(k + 1, 1200, 60, |k| k as f64).await;
    }
    let path = "Things?$expand=Datastreams($expand=Observations($top=1000))";
    let answer = service.send(Method::GET, path, String::new()).await;
    assert!(
        (1_500_000..2_200_000).contains(&answer.body.len()),
        "{} bytes",
        answer.body.len()
    );
    let first = answer.json();
    let given = first["value"].as_array().expect("a list").clone();
    assert!(given.len() < 12, "{}", given.len());
    let all = service.walk_on(given, first["@iot.nextLink"].clone()).await;
    let codes: Vec<_> = all
        .iter()
        .filter_map(|one| one["properties"]["code"].as_str())
        .collect();
    assert_eq!(codes.len(), 12);
    for one in &all {
        let streams = one["Datastreams"].as_array().expect("a list").clone();
        let streams = service
            .walk_on(streams, one["Datastreams@iot.nextLink"].clone())
            .await;
        let values = streams[0]["Observations"].as_array().expect("a list").clone();
        let values = service
            .walk_on(values, streams[0]["Observations@iot.nextLink"].clone())
            .await;
        assert_eq!(values.len(), 1200);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_no_shorter_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("catalog.sqlite");
    let service = Service::of(|_| Arc::new(SqliteStore::open(&path).expect("opens"))).await;
    service
        .made(
            "Things",
            &thing("A", &[stream("water_level", "m"), stream("ph", "[pH]")]),
        )
        .await;
    service.fill(1, 10, 900, |k| k as f64).await;
    let sent = json!({"phenomenonTime": "2026-05-18T00:00:00Z", "result": 7, "parameters": {"a": 1}});
    service.made("Datastreams(2)/Observations", &sent).await;
    let file = Connection::open(&path).expect("opens");
    let all = "Things?$expand=Datastreams($expand=Observations)";
    for (damage, repair, asked) in [
        (
            "UPDATE observation SET flag = 77 WHERE datastream = 1 AND time % 2700000 = 0",
            "UPDATE observation SET flag = 1",
            "Datastreams(1)/Observations",
        ),
        (
            "UPDATE observation_fields SET fields = '{'",
            "UPDATE observation_fields SET fields = '{}'",
            "Datastreams(2)/Observations",
        ),
        (
            "UPDATE datastream SET properties = '{' WHERE id = 1",
            "UPDATE datastream SET properties = '{}'",
            "Datastreams",
        ),
        (
            "UPDATE station_fields SET fields = '['",
            "UPDATE station_fields SET fields = '{}'",
            "Things",
        ),
    ] {
        assert_eq!(service.ask(all).await.0, 200, "{damage}");
        assert!(file.execute(damage, []).expect("damaged") > 0);
        for path in [asked, all] {
            let (status, problem) = service.ask(path).await;
            assert_eq!(status, 503, "{damage}: {path}: {problem}");
        }
        file.execute(repair, []).expect("repaired");
    }
    let shown = service.get(all).await;
    assert_eq!(
        shown["value"][0]["Datastreams"][0]["Observations"]
            .as_array()
            .map(Vec::len),
        Some(10)
    );
}

#[tokio::test]
async fn the_newest_of_each_datastream_is_one_seek() {
    let service = Service::new().await;
    service.made("Things", &thing("A", &[])).await;
    for k in 0..40 {
        let one = Datastream {
            id: 0,
            station: "A".into(),
            property: format!("p{k}"),
            unit: "1".into(),
            name: format!("p{k}"),
        };
        service.store.put_datastream(&one).await.expect("made");
    }
    service.fill(7, 30_000, 60, |k| k as f64).await;
    let newest = service
        .get("Datastreams?$expand=Observations($orderby=phenomenonTime desc;$top=1)&$filter=id eq 7")
        .await;
    let newest = &newest["value"][0];
    assert_eq!(newest["Observations"][0]["result"], 29_999.0);
    assert!(
        newest["Observations@iot.nextLink"]
            .as_str()
            .expect("a link")
            .contains("phenomenonTime%20desc")
    );
}
