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

fn published(topic: &str, payload: Vec<u8>, counts: &MqttCounts) -> Arrived {
    Arrived::new(Publish::new(topic, QoS::AtLeastOnce, payload), 1, counts)
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
    let batch = [published(
        "sen/observations",
        list.to_string().into_bytes(),
        &counts,
    )];
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
        published("sen/observations", vec![b' '; LARGEST + 1], &counts),
        published("sen/observations", good.into_bytes(), &counts),
    ];
    assert!(
        batch[0].publish.payload.is_empty(),
        "nothing of it stays in memory"
    );
    assert!(matches!(batch[0].said, Said::Nothing));
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
            r#"{"station": "TV-01", "property": "ph", "time": "2026-05-18 07:00", "value": 7}"#,
            "offset",
        ),
        (
            r#"{"station": "TV-01", "property": "ph", "time": "2026-05-18T00:00:00Z", "value": "7,100"}"#,
            "value: `7,100` may be",
        ),
        (
            r#"{"station": "TV-01", "property": "ph", "time": "2026-05-18T00:00:00Z", "value": Infinity}"#,
            "value: `Infinity` is no number",
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

#[tokio::test]
async fn texts_words_of_python_and_counted_seconds_are_read_as_from_a_file() {
    let (store, intake, counts) = one_station().await;
    let list = r#"[{"station": "TV-01", "property": "level", "time": 1779062400000, "value": "1.52"},
        {"station": "TV-01", "property": "level", "time": "1779063300", "value": NaN},
        {"station": "TV-01", "property": "level", "time": "2026-05-18 07:30:00+07", "value": "1,54", "unit": "m"},
        {"station": "TV-01", "property": "level", "time": 1779065100, "value": 1e999},
        {"station": "TV-01", "property": "humidity", "time": 1779065100, "value": 0.85}]"#;
    let batch = [published("sen/observations", list.into(), &counts)];
    record(&batch, &intake, &counts).await.expect("the store answers");
    assert_eq!(
        (counts.recorded.load(Relaxed), counts.refused.load(Relaxed)),
        (4, 1)
    );
    let query = |id| sen_catalog::store::ObservationQuery::datastream(id);
    let streams = store.datastreams(None).await.expect("streams");
    let stream = |name: &str| streams.iter().find(|one| one.property == name).expect("made").id;
    let levels = store
        .observations(&query(stream("water_level")))
        .await
        .expect("rows");
    let levels: Vec<_> = levels
        .iter()
        .map(|one| (one.time.format("%H:%M").to_string(), one.value))
        .collect();
    let at = |clock: &str, value| (clock.to_owned(), value);
    assert_eq!(
        levels,
        [
            at("00:00", Some(1.52)),
            at("00:15", None),
            at("00:30", Some(1.54))
        ]
    );
    let humidity = store
        .observations(&query(stream("humidity")))
        .await
        .expect("rows");
    assert_eq!(
        humidity[0].flag,
        sen_catalog::observation::Flag::Fail,
        "85 % as a fraction, without its unit"
    );
}

#[test]
fn a_password_is_used_and_never_shown() {
    let options = MqttOptions {
        url: "mqtt://sen:hush@broker:1884".to_owned(),
        topics: usual_topics(),
        client_id: usual_client(),
        username: None,
        password: Some("hush".to_owned()),
    };
    let client = client_options(&options).expect("fits");
    assert_eq!(client.broker_address(), ("broker".to_owned(), 1884));
    assert!(format!("{:?}", client.credentials()).contains("hush"));
    let told = format!("{options:?} {}", serde_json::to_string(&options).expect("JSON"));
    assert!(!told.contains("hush") && told.contains("broker:1884"), "{told}");
    let twice = MqttOptions {
        username: Some("other".to_owned()),
        ..options
    };
    let told = client_options(&twice).expect_err("refused").to_string();
    assert!(told.contains("mqtt.username") && !told.contains("hush"), "{told}");
    let number = serde_json::from_value::<MqttOptions>(json!({"url": "mqtt://b", "password": 123_456}));
    let told = number.expect_err("refused").to_string();
    assert!(
        !told.contains("123456") && told.contains("mqtt.password"),
        "{told}"
    );
}
