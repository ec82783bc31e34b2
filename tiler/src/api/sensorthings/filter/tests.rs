use super::*;
use crate::api::sensorthings::schema::Type;
use serde_json::{Value, json};

fn value(entity: &Value, path: &[String]) -> Literal {
    let kind = Set::Observations
        .resolve(path)
        .expect("a path")
        .kind
        .expect("a value");
    let found = path.iter().try_fold(entity, |value, name| value.get(name));
    found.map_or(Literal::Null, |value| Literal::of(value, kind))
}

fn checked(text: &str, set: Set) -> Outcome<Filter> {
    let mut filter = parse(text)?;
    filter.check(set)?;
    Ok(filter)
}

fn passes(text: &str) -> bool {
    let entity = json!({
        "result": 1.5, "phenomenonTime": "2026-05-18T00:00:00.000Z", "id": "7-1779062400000",
        "validTime": "2026-05-18T00:00:00Z/2026-05-19T00:00:00Z",
        "parameters": {"code": "TV-01", "name": "Trạm Bình Thạnh", "bank": null, "seen": "2026-05-01T00:00:00Z"},
    });
    let filter = checked(text, Set::Observations).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
    filter
        .expr
        .is_true(&|path| value(&entity, path))
        .unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

#[test]
fn operators_bind_as_in_odata() {
    assert!(passes("result gt 1 and result lt 2 or false"));
    assert!(passes("false and false or true"));
    assert!(!passes("not (result eq 1.5)"));
    assert!(passes("not result eq 1"));
    assert!(passes("result add 1 mul 2 eq 3.5"));
    assert!(passes("result div 0 eq 1 or id eq '7-1779062400000'"));
    assert!(passes("7 mod 4 eq 3 and result sub 0.5 eq 1"));
}

#[test]
fn texts_times_and_functions() {
    assert!(passes(
        "parameters/code eq 'TV-01' and startswith(parameters/name,'Trạm')"
    ));
    assert!(passes(
        "substringof('Bình', parameters/name) and endswith(parameters/name, 'Thạnh') and length(parameters/code) eq 5"
    ));
    assert!(passes(
        "phenomenonTime ge 2026-05-18T07:00:00+07:00 and phenomenonTime lt now()"
    ));
    // texts of times are times: with or without milliseconds, in any offset
    assert!(passes("phenomenonTime eq '2026-05-18T00:00:00Z'"));
    assert!(passes("phenomenonTime eq '2026-05-18T07:00:00+07:00'"));
    assert!(passes("parameters/seen lt 2026-05-02T00:00:00Z"));
    assert!(passes(
        "year(phenomenonTime) eq 2026 and hour(phenomenonTime) eq 0"
    ));
    assert!(passes(
        "date(phenomenonTime) eq date(2026-05-18) and date(phenomenonTime) lt 2026-05-19"
    ));
    assert!(passes(
        "time(phenomenonTime) eq 00:00:00 and fractionalseconds(phenomenonTime) eq 0"
    ));
    assert!(passes("phenomenonTime sub 2026-05-17T00:00:00Z eq duration'P1D'"));
    assert!(passes(
        "phenomenonTime add duration'PT36H' gt 2026-05-19T00:00:00Z"
    ));
    assert!(passes(
        "phenomenonTime gt mindatetime() and phenomenonTime lt maxdatetime()"
    ));
    assert!(passes(
        "parameters/bank eq null and parameters/nothing eq null and 'it''s' eq 'it''s'"
    ));
    assert!(!passes("parameters/nothing gt 1"));
    assert!(passes("parameters/nothing ne 1"));
    assert!(passes(
        "round(result) eq 2 and floor(result) eq 1 and ceiling(result) eq 2"
    ));
    assert!(passes(
        "tolower(parameters/code) eq 'tv-01' and concat('a','b') eq 'ab' and indexof('abc','c') eq 2 and substring('abc',1) eq 'bc'"
    ));
}

#[test]
fn an_interval_is_before_what_its_end_is_before() {
    assert!(passes("validTime ge 2026-05-18T00:00:00Z"));
    assert!(!passes("validTime gt 2026-05-18T00:00:00Z"));
    assert!(!passes(
        "validTime ge 2026-05-18T12:00:00Z and validTime le 2026-05-18T12:00:00Z"
    ));
    assert!(passes("validTime le 2026-05-19T00:00:00Z"));
    assert!(!passes("validTime lt 2026-05-19T00:00:00Z"));
    assert!(passes("validTime eq 2026-05-18T00:00:00Z/2026-05-19T00:00:00Z"));
}

#[test]
fn places_are_compared_by_their_geometries() {
    let holds = |text: &str| {
        let filter = checked(text, Set::Locations).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
        let place = json!({"type": "Point", "coordinates": [105.5, 10.5]});
        filter
            .expr
            .is_true(&|_| Literal::of(&place, Type::Geometry))
            .expect(text)
    };
    let square = "geography'POLYGON((105 10,106 10,106 11,105 11,105 10))'";
    assert!(holds(&format!(
        "st_within(location,{square}) and st_intersects({square},location)"
    )));
    assert!(holds(&format!(
        "st_contains({square},location) and not st_disjoint(location,{square})"
    )));
    assert!(holds("st_equals(location,geography'POINT(105.5 10.5)')"));
    assert!(holds(
        "st_relate(location,geography'POINT(105.5 10.5)','T********')"
    ));
    assert!(holds(
        "geo.distance(location,geography'POINT(105.5 10.4)') lt 0.11"
    ));
    assert!(!holds(
        "geo.distance(location,geography'POINT(105.5 10.4)') lt 0.09"
    ));
    assert!(!holds(
        "st_within(location,geography'POLYGON((106 10,107 10,107 11,106 10))')"
    ));
    for text in [
        "geo.distance(location,geography'POINT(105.5 10.4)') lt 5000",
        "location eq geography'POINT(105.5 10.4)'",
        "st_within(name,geography'POINT(105.5 10.4)')",
        "st_within(location,geography'POINT(10.4 105.5)')",
        "st_within(location,'POINT(105.5 10.4)')",
    ] {
        assert!(checked(text, Set::Locations).is_err(), "{text}");
    }
}

#[test]
fn what_is_no_filter_is_refused_however_deep() {
    for text in [
        "",
        "result gt",
        "gt 1",
        "(result gt 1",
        "result gt 1)",
        "pg_sleep(8) eq 1",
        "result eq 'open",
        "length() eq 1",
        "result @ 1",
        "now(1) eq 1",
        "result 1",
        "phenomenonTime gt now() sub duration'P1M'",
        "guid'7' eq 1",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    for deep in [
        "(".repeat(3000),
        "not ".repeat(1000) + "true",
        "1 add ".repeat(700),
    ] {
        assert!(parse(&deep).is_err());
    }
    // a long list of alternatives is a filter
    let ids: Vec<String> = (0..150).map(|id| format!("Datastream/id eq {id}")).collect();
    assert!(checked(&ids.join(" or "), Set::Observations).is_ok());
}

#[test]
fn what_would_answer_nothing_without_a_word_is_refused_by_name() {
    for (text, named) in [
        ("nosuch gt 1", "`nosuch`"),
        ("name eq 'x'", "`name`"),
        ("Datastream/nosuch eq 1", "`Datastream/nosuch`"),
        ("result eq 'wet'", "`result`"),
        ("result gt '1.5'", "`result`"),
        ("phenomenonTime gt 5", "`phenomenonTime`"),
        ("phenomenonTime gt 'yesterday'", "'yesterday'"),
        ("phenomenonTime ge 2026-05-18", "`phenomenonTime`"),
        ("Datastream/name eq 5", "`Datastream/name`"),
        ("Datastream eq 5", "`Datastream`"),
        ("Datastream/id eq 'x'", "`Datastream/id`"),
        ("resultQuality eq 1", "`resultQuality`"),
        ("resultQuality/flags eq 1", "`resultQuality/flags`"),
        ("result", "`result`"),
        ("result and true", "`result`"),
        ("length(result) eq 1", "`result`"),
        ("result add 'x' eq 1", "`result`"),
    ] {
        let told = format!("{:?}", checked(text, Set::Observations).expect_err(text));
        assert!(told.contains(named), "{text}: {told}");
    }
    assert!(
        checked("Datastream/id eq '36'", Set::Observations).is_ok(),
        "a number within quotes"
    );
    // what `parameters` hold is known when it is read
    let mixed = checked("parameters/code gt 5", Set::Observations).expect("may hold numbers");
    let told = mixed
        .expr
        .is_true(&|_| Literal::Text("x".into()))
        .expect_err("a text");
    assert!(format!("{told:?}").contains("`parameters/code`"), "{told:?}");
    let not_any = checked("not (Datastreams/name eq 'x')", Set::Things).expect_err("two meanings");
    assert!(format!("{not_any:?}").contains("Datastreams/name"), "{not_any:?}");
}

#[test]
fn what_the_index_answers_is_taken_out_of_the_filter() {
    let limits = |text: &str| checked(text, Set::Observations).expect(text).limits();
    let text = "phenomenonTime ge 2026-05-18T00:00:00Z and (2026-05-19T00:00:00Z gt phenomenonTime) and result gt 1 \
                and Datastream/id eq 36";
    let found = limits(text);
    assert_eq!(
        found.from.expect("from").to_rfc3339(),
        "2026-05-18T00:00:00+00:00"
    );
    assert_eq!(found.to.expect("to").to_rfc3339(), "2026-05-19T00:00:00+00:00");
    assert_eq!(
        found.of_stream.expect("a part").expr.to_string(),
        "Datastream/id eq 36"
    );
    assert_eq!(found.rest.expect("a part").expr.to_string(), "result gt 1");
    let exact =
        limits("phenomenonTime gt 2026-05-18T00:00:00Z and phenomenonTime le 2026-05-19T00:00:00.0005Z");
    assert_eq!(exact.from.expect("from").timestamp_subsec_millis(), 1);
    assert_eq!(exact.to.expect("to").timestamp_subsec_millis(), 1);
    assert!(exact.rest.is_none() && exact.of_stream.is_none());
    assert!(limits("phenomenonTime gt now() sub duration'P1D'").from.is_some());
    let either = limits("phenomenonTime ge 2026-05-18T00:00:00Z or result gt 1");
    assert!(either.from.is_none() && either.rest.is_some());
    let places =
        limits("Datastream/Thing/Locations/name eq 'a' and Datastream/Thing/Locations/description eq 'b'");
    assert_eq!(places.of_stream.expect("a part").sets.len(), 1);
}
