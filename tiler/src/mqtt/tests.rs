//! What messages mean; the brokers themselves are in the stories of `tests/it`.

use super::*;
use serde_json::{Value, json};

#[test]
fn messages_of_both_kinds_are_read() {
    let entity = json!({"phenomenonTime": "2026-05-18T00:00:00+07:00", "result": 1.5}).to_string();
    let read = parse("v1.1/Datastreams(7)/Observations", entity.as_bytes()).expect("read");
    let Message::Reading(stream, reading) = read else {
        panic!("a reading")
    };
    assert_eq!((stream, reading.value), (7, Some(1.5)));
    let linked = json!({"result": 2, "Datastream": {"@iot.id": 9}}).to_string();
    assert!(matches!(
        parse("v1.1/Observations", linked.as_bytes()),
        Ok(Message::Reading(9, _))
    ));
    let plain = json!({"station": "TV-01", "property": "level", "time": "2026-05-18T00:00:00+07:00", "value": 152, "unit": "cm"});
    let both = json!([plain, plain]).to_string();
    let Ok(Message::Measurements(all)) = parse("sen/observations", both.as_bytes()) else {
        panic!("measurements")
    };
    let units: Vec<_> = all
        .iter()
        .map(|one| one.as_ref().expect("good").unit.as_deref())
        .collect();
    assert_eq!(units, [Some("cm"), Some("cm")]);
}

fn published(topic: &str, payload: Vec<u8>) -> Arrived {
    Arrived::new(Publish::new(topic, QoS::AtLeastOnce, payload), 1)
}

/// A store with a station, the way into it, and nothing counted yet.
async fn one_station() -> (Arc<dyn sen_catalog::Store>, Intake, MqttCounts) {
    let store: Arc<dyn sen_catalog::Store> =
        Arc::new(sen_catalog::store::SqliteStore::in_memory().expect("opens"));
    let station = sen_catalog::Feature::new("stations", "TV-01", geo_types::Point::new(105.5, 10.5).into());
    store.put_features(vec![station]).await.expect("put");
    let intake = Intake::new(Arc::clone(&store), sen_catalog::intake::Quality::default());
    (store, intake, MqttCounts::default())
}

#[tokio::test]
async fn the_good_entries_of_a_list_go_in() {
    let (_store, intake, counts) = one_station().await;
    let entry = |minute: u32, property: &str, value: Value, unit: &str| {
        json!({"station": "TV-01", "property": property, "time": format!("2026-05-18T00:{minute:02}:00+07:00"),
               "value": value, "unit": unit})
    };
    let mut early = entry(1, "level", json!(1.5), "m");
    early["time"] = json!("1969-07-20T20:17:40Z");
    let list = json!([
        entry(0, "level", json!(1.5), "m"),
        entry(15, "level", json!("high"), "m"),
        early,
        entry(30, "chlorophyll", json!(4.5), "ug/L"),
        entry(45, "chlorophyll", json!(4.5), "mg/L"),
        {"station": "TV-01"},
        entry(45, "level", json!(1.6), "m"),
    ]);
    let batch = [published("sen/observations", list.to_string().into_bytes())];
    record(&batch, &intake, &counts).await.expect("the store answers");
    assert_eq!(counts.recorded.load(Relaxed), 3);
    assert_eq!(counts.refused.load(Relaxed), 4);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_let_go_of_and_the_next_one_goes_in() {
    let (_store, intake, counts) = one_station().await;
    let good =
        json!({"station": "TV-01", "property": "level", "time": "2026-05-18T00:00:00+07:00", "value": 1.5})
            .to_string();
    let batch = [
        published("sen/observations", vec![b' '; LARGEST + 1]),
        published("sen/observations", good.into_bytes()),
    ];
    assert!(
        batch[0].publish.payload.is_empty(),
        "nothing of it stays in memory"
    );
    assert_eq!(batch[0].size, LARGEST + 1);
    record(&batch, &intake, &counts).await.expect("the store answers");
    assert_eq!(counts.recorded.load(Relaxed), 1);
    assert_eq!(counts.refused.load(Relaxed), 1);
}

#[test]
fn what_cannot_be_used_says_why() {
    for (payload, word) in [
        ("rain", "JSON"),
        (r#"{"station": "TV-01"}"#, "time"),
        (
            r#"{"station": "TV-01", "property": "ph", "time": "noon", "value": 7}"#,
            "offset",
        ),
        (
            r#"{"station": "TV-01", "property": "ph", "time": "2026-05-18T00:00:00Z", "value": "7"}"#,
            "value",
        ),
        (
            r#"{"station": "TV-01", "property": "ph", "time": "2026-05-18T00:00:00Z", "value": 7, "unit": 1}"#,
            "unit",
        ),
    ] {
        let reason = match parse("sen/observations", payload.as_bytes()) {
            Ok(Message::Measurements(mut all)) => all.pop().expect("one entry").expect_err("refused"),
            Ok(other) => panic!("{other:?}"),
            Err(reason) => reason,
        };
        assert!(reason.contains(word), "{reason}");
    }
    assert!(parse("v1.1/Datastreams(7)/Observations", br#"{"result": "wet"}"#).is_err());
}

#[test]
fn an_address_of_a_broker_has_a_scheme_a_host_and_perhaps_a_port() {
    let options = |url: &str| MqttOptions {
        url: url.to_owned(),
        topics: usual_topics(),
        client_id: usual_client(),
        username: None,
        password: None,
    };
    let address = |url: &str| client_options(&options(url)).map(|client| client.broker_address());
    assert_eq!(
        address("mqtt://broker").expect("fits"),
        ("broker".to_owned(), 1883)
    );
    assert_eq!(
        address("mqtt://10.0.0.7:1884/").expect("fits"),
        ("10.0.0.7".to_owned(), 1884)
    );
    for wrong in ["broker:1883", "http://broker", "mqtt://:1883", "mqtt://broker:x"] {
        assert!(address(wrong).is_err(), "{wrong}");
    }
}
