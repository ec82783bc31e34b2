//! The suite of [`Observations`](super::super::Observations).

use crate::Feature;
use crate::observation::{Datastream, Flag, Marks, Observation, Reading, Recorded, Step};
use crate::qartod::{Range, Tests, check, defaults};
use crate::store::{NewDatastream, ObservationQuery, Store};
use chrono::{DateTime, Duration, Utc};
use geo_types::Point;
use serde_json::{Map, json};

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_779_037_200, 0).expect("18 May 2026, 00:00 in Viet Nam")
        + Duration::minutes(minutes)
}

fn reading(minutes: i64, value: f64) -> Reading {
    Reading {
        time: at(minutes),
        value: Some(value),
        given: Flag::NotEvaluated,
        fields: Map::new(),
    }
}

fn stream(station: &str, property: &str, unit: &str) -> Datastream {
    Datastream {
        id: 0,
        station: station.into(),
        property: property.into(),
        unit: unit.into(),
        name: format!("{property} {station}"),
    }
}

/// Runs the suite on an empty store.
///
/// # Panics
/// When the store departs from the contract.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
pub async fn observations(store: &dyn Store) {
    let items = store.revision().await.unwrap();
    let level = store
        .put_datastream(&stream("TV-01", "water_level", "m"))
        .await
        .unwrap();
    let salt = store
        .put_datastream(&stream("TV-01", "salinity", "g/L"))
        .await
        .unwrap();
    assert_eq!(
        store
            .put_datastream(&stream("TV-01", "water_level", "m"))
            .await
            .unwrap(),
        level,
        "station and property are the identity"
    );
    store
        .put_datastream(&stream("KM-04", "ph", "[pH]"))
        .await
        .unwrap();
    assert_eq!(store.datastreams(None).await.unwrap().len(), 3);
    let of_station = store.datastreams(Some("TV-01")).await.unwrap();
    assert_eq!(
        of_station.iter().map(|one| one.id).collect::<Vec<_>>(),
        [level, salt]
    );
    let said = json!({"sensor": {"name": "radar gauge"}})
        .as_object()
        .unwrap()
        .clone();
    store.put_properties(level, &said).await.unwrap();
    assert_eq!(store.properties(level).await.unwrap(), said);
    assert!(store.properties(99).await.is_err());

    fields(store, salt).await;
    plain(store, salt).await;
    aggregates(store, salt).await;
    late_readings(store, level).await;
    let feet = store
        .put_datastream(&stream("TV-01", "water_level", "[ft_i]"))
        .await;
    assert!(feet.unwrap_err().to_string().contains("is kept in m"));
    let stray = store.record(99, vec![reading(0, 1.0)], &Tests::default()).await;
    assert!(stray.unwrap_err().to_string().contains("datastream 99"));
    let endless = store
        .record(level, vec![reading(0, f64::INFINITY)], &Tests::default())
        .await;
    assert!(endless.is_err(), "infinity is no value");
    assert_eq!(
        store.revision().await.unwrap(),
        items,
        "observations do not move the items' revision"
    );
    stations(store).await;
}

/// What comes with an observation beside its value goes with it, and pages find their place.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn fields(store: &dyn Store, salt: i64) {
    let new = |property: &str| NewDatastream {
        datastream: stream("KM-04", property, "1"),
        properties: json!({"sensor": {"name": "trap 7"}}).as_object().unwrap().clone(),
        readings: vec![reading(0, 3.0)],
        tests: Tests::default(),
    };
    assert_eq!(store.datastreams_with_fields().await.unwrap(), [0_i64; 0]);
    let id = store.make_datastream(new("pest_count")).await.unwrap().unwrap();
    assert_eq!(
        store.make_datastream(new("pest_count")).await.unwrap(),
        None,
        "what is there is never overwritten"
    );
    assert_eq!(
        store.all_properties().await.unwrap()[&id]["sensor"]["name"],
        "trap 7"
    );
    let said = json!({"parameters": {"battery": 3.6}})
        .as_object()
        .unwrap()
        .clone();
    let carrying = |minutes: i64, value: f64| Reading {
        fields: said.clone(),
        ..reading(minutes, value)
    };
    let tests = Tests::default();
    store
        .record(id, vec![carrying(15, 4.0), carrying(30, 5.0)], &tests)
        .await
        .unwrap();
    let before = store.observation_revision().await.unwrap();
    store.record(id, vec![carrying(15, 4.0)], &tests).await.unwrap();
    assert_eq!(store.observation_revision().await.unwrap(), before);
    // the value again without them changes nothing, another value takes the place of all
    store
        .record(id, vec![reading(15, 4.0), reading(30, 6.0)], &tests)
        .await
        .unwrap();
    let query = ObservationQuery {
        skip: 1,
        limit: Some(2),
        ..ObservationQuery::datastream(id)
    };
    let found = store.details(&query).await.unwrap();
    let kept: Vec<_> = found.iter().map(|one| one.fields.len()).collect();
    assert_eq!(kept, [1, 0], "the first of three is left out");
    assert_eq!(found[0].fields, said);
    assert_eq!(store.count_observations(&query).await.unwrap(), 3);
    assert_eq!(store.datastreams_with_fields().await.unwrap(), [id]);
    let spans = store.spans().await.unwrap();
    assert_eq!(spans.get(&id), Some(&(at(0), at(30))));
    assert_eq!(spans.get(&salt), None, "it has no observation yet");
}

#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn stations(store: &dyn Store) {
    let made = |name: &str| {
        let mut station = Feature::new("stations", "ND-01", Point::new(105.5, 10.5).into());
        station.name = Some(name.to_owned());
        let fields = json!({"description": name}).as_object().unwrap().clone();
        let level = NewDatastream {
            datastream: stream("ND-01", "water_level", "m"),
            properties: Map::new(),
            readings: vec![reading(0, 1.5)],
            tests: Tests::default(),
        };
        (station, fields, level)
    };
    let (station, fields, level) = made("twice");
    let twice = store
        .make_station(station, fields, vec![level.clone(), level])
        .await;
    assert!(twice.unwrap_err().to_string().contains("water_level"));
    assert_eq!(
        store.feature("stations", "ND-01", None).await.unwrap(),
        None,
        "all or nothing"
    );
    let (station, fields, level) = made("first");
    let fid = store
        .make_station(station, fields, vec![level])
        .await
        .unwrap()
        .unwrap();
    let (station, fields, level) = made("second");
    assert_eq!(
        store.make_station(station, fields, vec![level]).await.unwrap(),
        None
    );
    let kept = store.feature("stations", "ND-01", None).await.unwrap().unwrap();
    assert_eq!((kept.fid, kept.name.as_deref()), (fid, Some("first")));
    assert_eq!(
        store.station_fields().await.unwrap()[&fid]["description"],
        "first"
    );
    let streams = store.datastreams(Some("ND-01")).await.unwrap();
    assert_eq!(
        store.latest(streams[0].id).await.unwrap().unwrap().value,
        Some(1.5)
    );
}

#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn plain(store: &dyn Store, salt: i64) {
    assert_eq!(store.latest(salt).await.unwrap(), None);
    let row = |minutes: i64, value: Option<f64>, flag| Observation {
        datastream: salt,
        time: at(minutes),
        value,
        flag,
    };
    let rows = vec![
        row(0, Some(0.3), Flag::Good),
        row(15, Some(0.4), Flag::Suspect),
        row(30, None, Flag::Missing),
        row(45, Some(9.9), Flag::Fail),
    ];
    let before = store.observation_revision().await.unwrap();
    assert_eq!(store.put_observations(rows.clone()).await.unwrap(), 4);
    let after = store.observation_revision().await.unwrap();
    assert!(after > before);
    assert_eq!(
        store.put_observations(rows.clone()).await.unwrap(),
        0,
        "the same again changes nothing"
    );
    assert_eq!(store.observation_revision().await.unwrap(), after);
    assert_eq!(store.latest(salt).await.unwrap().as_ref(), rows.last());
    let all = (None, None);
    let asked = [salt, salt + 1000];
    assert_eq!(
        store.newest_observations(&asked, all, false).await.unwrap(),
        rows[3..]
    );
    assert_eq!(
        store.newest_observations(&asked, all, true).await.unwrap(),
        rows[1..2]
    );
    let early = (Some(at(0)), Some(at(15)));
    assert_eq!(
        store.newest_observations(&asked, early, true).await.unwrap(),
        rows[..1]
    );
    let query = ObservationQuery::datastream(salt);
    assert_eq!(store.observations(&query).await.unwrap(), rows);
    assert_eq!(store.count_observations(&query).await.unwrap(), 4);
    let part = ObservationQuery {
        from: Some(at(15)),
        to: Some(at(45)),
        newest_first: true,
        limit: Some(1),
        ..query
    };
    assert_eq!(
        store.observations(&part).await.unwrap(),
        rows[2..3],
        "`to` is outside, the newest comes first"
    );
    assert_eq!(store.count_observations(&part).await.unwrap(), 2);
    assert_eq!(
        store
            .put_observations(vec![row(15, Some(0.5), Flag::Good)])
            .await
            .unwrap(),
        1
    );
}

#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn aggregates(store: &dyn Store, salt: i64) {
    // 18 May 2026 is a Monday; 23:59 local time of the Sunday before is still another day and another week
    store
        .put_observations(vec![
            Observation {
                datastream: salt,
                time: at(-1),
                value: Some(0.1),
                flag: Flag::NotEvaluated,
            },
            Observation {
                datastream: salt,
                time: at(50),
                value: Some(0.05),
                flag: Flag::Suspect,
            },
            Observation {
                datastream: salt,
                time: at(24 * 60 + 30),
                value: Some(0.9),
                flag: Flag::Good,
            },
        ])
        .await
        .unwrap();
    let sums = async |step| {
        let all = store
            .aggregate(salt, at(-10_000), at(10_000), step)
            .await
            .unwrap();
        all.into_iter()
            .map(|one| ((one.start - at(0)).num_minutes(), one.count, one.min, one.max))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        sums(Step::Hour).await,
        [(-60, 1, 0.1, 0.1), (0, 2, 0.3, 0.5), (1440, 1, 0.9, 0.9)],
        "suspect, failed and missing values are left out"
    );
    assert_eq!(
        sums(Step::Day).await,
        [(-1440, 1, 0.1, 0.1), (0, 2, 0.3, 0.5), (1440, 1, 0.9, 0.9)]
    );
    assert_eq!(sums(Step::Week).await, [(-10_080, 1, 0.1, 0.1), (0, 3, 0.3, 0.9)]);
    let day = store.aggregate(salt, at(0), at(1440), Step::Day).await.unwrap();
    assert!((day[0].mean - 0.4).abs() < 1e-12 && (day[0].sum() - 0.8).abs() < 1e-12);
}

/// Readings in whatever order end up with the flags of the whole series.
#[expect(clippy::unwrap_used, reason = "a conformance suite fails by panicking")]
async fn late_readings(store: &dyn Store, level: i64) {
    let tests = Tests {
        interval_s: Some(900),
        ..defaults("water_level")
    };
    let mut values: Vec<f64> = (0..200).map(|i| 0.8 + (f64::from(i) / 8.0).sin() * 0.4).collect();
    values[50] += 0.7; // a spike
    for value in &mut values[100..140] {
        *value = 1.0; // a stuck float
    }
    let minutes = |i: usize| 15 * i as i64 + if i >= 160 { 120 } else { 0 }; // a gap
    let all: Vec<Reading> = (0..200).map(|i| reading(minutes(i), values[i])).collect();
    let times: Vec<i64> = all.iter().map(|one| one.time.timestamp_millis()).collect();
    let expected = check(&times, &values, &[Flag::NotEvaluated; 200], &tests);

    // every third first, then the rest one by one from the end, then all again
    let (early, late): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(i, _)| i % 3 == 0);
    let plain = |part: Vec<(usize, Reading)>| part.into_iter().map(|(_, one)| one).collect::<Vec<_>>();
    let first = store.record(level, plain(early), &tests).await.unwrap();
    assert_eq!(first.added, 67);
    let mut reflagged = 0;
    for one in plain(late).into_iter().rev() {
        reflagged += store.record(level, vec![one], &tests).await.unwrap().reflagged;
    }
    assert!(reflagged > 20, "late readings corrected {reflagged} flags");
    let details = store.details(&ObservationQuery::datastream(level)).await.unwrap();
    assert_eq!(details.len(), 200);
    for (i, (detail, verdict)) in details.iter().zip(&expected).enumerate() {
        assert_eq!(
            (detail.observation.flag, detail.marks),
            (verdict.flag, verdict.marks),
            "reading {i} at {}",
            detail.observation.time
        );
    }
    assert!(details[50].marks.contains(Marks::SPIKE) && details[160].marks.contains(Marks::GAP));
    assert_eq!(details[139].observation.flag, Flag::Fail);
    assert!(details[0].arrived <= Utc::now());
    let again = store.record(level, all.clone(), &tests).await.unwrap();
    assert_eq!(
        again,
        Recorded {
            unchanged: 200,
            ..Recorded::default()
        },
        "recording again changes nothing"
    );
    let corrected = store
        .record(level, vec![reading(minutes(50), 0.8)], &tests)
        .await
        .unwrap();
    assert_eq!(corrected.changed, 1);
    let strict = Tests {
        range: Some(Range {
            fail: [0.0, 0.5],
            suspect: None,
        }),
        ..Tests::default()
    };
    let twice = vec![reading(90_000, 0.7), reading(90_000, 0.4)];
    assert_eq!(store.record(level, twice, &strict).await.unwrap().added, 1);
    let latest = store.latest(level).await.unwrap().unwrap();
    assert_eq!(
        (latest.value, latest.flag),
        (Some(0.4), Flag::Good),
        "of two readings of one time the last counts"
    );
}
