//! Why the demo's dyke compartments are under water, week by week, against what was really so.

use crate::calendar::{demo, demo_again};
use crate::harness::{count, step};
use chrono::NaiveDate;
use sen_catalog::Period;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the demo's files may lack when they were made before compartments had plans and gauges alarm levels.
const SETTINGS: &str = r#"
[delta.closed_until]
august = "08-27"
[delta.alarm_levels]
TV-01 = [1.8, 2.45, 2.95]
TV-02 = [1.7, 2.35, 2.85]
TV-03 = [1.7, 2.35, 2.9]
KM-04 = [1.35, 2.1, 2.6]
[[delta.releases]]
code = "OB-99119-034"
from = "2026-08-20"
to = "2026-10-18"
"#;

struct Event {
    kind: String,
    from: NaiveDate,
    to: NaiveDate,
}

fn events() -> BTreeMap<String, Event> {
    let text = std::fs::read_to_string(demo("truth/events.csv")).expect("truth");
    let event = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let day = |index: usize| fields[index].parse().expect("a date");
        let event = Event {
            kind: fields[1].to_owned(),
            from: day(2),
            to: day(3),
        };
        (fields[0].to_owned(), event)
    };
    text.lines().skip(1).map(event).collect()
}

#[test]
fn the_demo_s_breach_is_an_alert_within_its_week_and_nothing_else_is() {
    let sen = demo_again();
    let settings = sen.data().join("sen.toml");
    let own = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("{own}\n{SETTINGS}")).expect("written");
    let run = ["process", "--period", "2026-W46", "--json"];
    let report = sen.run(&run).expect(0).json();
    let told = |run: &Value, figure: &str| step(run, "flood_causes")["figures"][figure].clone();
    assert_eq!(told(&report, "compartments"), 227, "{report}");
    let digest = sen.digest();
    let again = sen.run(&run).expect(0).json();
    let causes = "records/flood_cause";
    assert_eq!(count(&again, "flood_causes", causes, "up_to_date"), 1, "{again}");
    assert_eq!(sen.digest(), digest);

    let service = sen.serve();
    let events = events();
    let weeks = service.json("/api/v1/periods/flood");
    let weeks: Vec<String> = serde_json::from_value(weeks["periods"].clone()).expect("weeks");
    let mut told: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut breach_weeks = Vec::new();
    for week in &weeks {
        let answer = service.json(&format!(
            "/api/v1/zones/dyke_compartments/inundation?datetime={week}"
        ));
        let period: Period = week.parse().expect("a week");
        for zone in answer["zones"].as_array().expect("zones") {
            let code = zone["code"].as_str().expect("a code");
            let class = zone["class"].as_str().expect("a class");
            let event = events
                .get(code)
                .filter(|event| event.from <= period.last_day() && period.first_day() <= event.to);
            let real = event.map_or("no event", |event| event.kind.as_str());
            *told
                .entry(real.to_owned())
                .or_default()
                .entry(class.to_owned())
                .or_default() += 1;
            if class == "dyke_overtopping_or_breach" {
                assert_eq!(real, "breach", "{code} in {week}: {zone}");
                breach_weeks.push(period);
            }
        }
    }
    println!("truth: told {told:#?}");
    let breach = events.iter().find(|(_, event)| event.kind == "breach");
    let (code, event) = breach.expect("the demo has a breach");
    let first = breach_weeks.first().copied().expect("the breach is told");
    assert_eq!(first, Period::of_date(event.from), "{code}: within the week");
    assert!(breach_weeks.len() >= 4, "{breach_weeks:?}");

    // a release under its plan, and most of the river's floods, are called what they are
    let count = |real: &str, class: &str| {
        told.get(real)
            .and_then(|told| told.get(class))
            .copied()
            .unwrap_or(0)
    };
    let all = |real: &str| told.get(real).map_or(0, |told| told.values().sum::<usize>());
    let released = count("planned_release", "planned_release");
    assert!(released * 10 >= all("planned_release") * 8, "{released}");
    let flooded = count("river_flood", "river_flood");
    assert!(
        flooded * 10 >= all("river_flood") * 8,
        "{flooded} of {}",
        all("river_flood")
    );

    // dates of the breach: seen within three days, and not before it
    let records = service.json(&format!("/api/v1/zones/dyke_compartments/{code}/inundation"));
    let record = records["weeks"]
        .as_array()
        .and_then(|weeks| weeks.iter().rev().find(|week| week["alert"] == true))
        .expect("the last week of the breach");
    let seen: NaiveDate = record["first_wet"]
        .as_str()
        .and_then(|day| day.parse().ok())
        .expect("a date");
    assert!((0..=3).contains(&(seen - event.from).num_days()), "{seen}");
    assert!(
        record["days_under_water"].as_i64().is_some_and(|days| days >= 14),
        "{record}"
    );
    let page = service.get(&format!("/zones/dyke_compartments/{code}?lang=en&week={first}"));
    assert!(page.text().expect("HTML").contains("Dyke broken or overtopped"));
}

#[test]
fn the_demo_s_gauges_foretell_better_than_their_last_value() {
    let sen = demo_again();
    let service = sen.serve();
    for station in ["TV-01", "TV-02", "TV-03", "KM-04"] {
        let path = format!("/api/v1/stations/{station}/forecast");
        let said = service.json(&format!("{path}?at=2026-11-15T12:00:00%2B07:00"));
        assert_eq!(said["reason"], Value::Null, "{station}");
        assert_eq!(said["values"].as_array().map(Vec::len), Some(72));
        for error in said["errors"].as_array().expect("errors") {
            println!("{station} {error}");
            let of = |name: &str| error[name].as_f64().expect("metres");
            assert!(of("mae_m") < of("persistence_mae_m"), "{station}: {error}");
        }
        // the demo ends: nothing is foretold from readings that are days old
        let stale = service.json(&format!("{path}?at=2026-11-18T12:00:00%2B07:00"));
        assert_eq!(stale["reason"]["id"], "stale", "{station}");
    }
}
