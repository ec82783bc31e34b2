//! What messages mean; the brokers themselves are in the stories of `tests/it`.

use super::*;
use serde_json::json;

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
    assert_eq!((all.len(), all[0].unit.as_deref()), (2, Some("cm")));
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
    ] {
        let reason = parse("sen/observations", payload.as_bytes()).expect_err("refused");
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
