//! Days with and without readings.

use super::super::FireSettings;
use super::super::danger::Level;
use super::super::day::{DangerDay, Rain, StationDay, Unknown, danger, worst};
use chrono::{Days, NaiveDate};

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 3, 1).expect("a day") + Days::new(number)
}

fn said(t: f64, rh: f64, mm: f64) -> StationDay {
    let rain = Some(Rain { mm, whole: true });
    StationDay {
        station: "RT-07".into(),
        at_13: Some((t, rh)),
        rain_13: rain,
        at_12: Some((t, rh, 2.5)),
        rain_12: rain,
    }
}

fn run(days: &[Vec<StationDay>]) -> Vec<DangerDay> {
    let days: Vec<(NaiveDate, Vec<&StationDay>)> = (0..)
        .zip(days)
        .map(|(number, stations)| (day(number), stations.iter().collect()))
        .collect();
    danger(&days, &FireSettings::default(), 10.5)
}

#[test]
fn a_gap_is_never_bridged_and_the_next_rain_ends_it() {
    let rain = || vec![said(28.0, 90.0, 8.0)];
    let dry = || vec![said(37.0, 38.0, 0.0)];
    let mut gap = said(37.0, 38.0, 0.0);
    gap.at_13 = None;
    gap.at_12 = None;
    let days = run(&[rain(), dry(), dry(), vec![gap], dry(), dry(), rain(), dry()]);
    let p: Vec<Option<i64>> = days.iter().map(|day| day.p.map(|p| p.round() as i64)).collect();
    assert_eq!(
        p,
        [
            Some(0),
            Some(1439),
            Some(2879),
            None,
            None,
            None,
            Some(0),
            Some(1439)
        ]
    );
    assert_eq!(days[3].unknown, Some(Unknown::NoReading));
    assert_eq!((days[3].level, days[3].level_at_least), (None, None));
    assert_eq!(days[4].unknown, Some(Unknown::SinceGap));
    assert_eq!((days[4].level, days[4].level_at_least), (None, Some(Level::I)));
    assert_eq!(days[7].rain_day, Some(day(6)));
    // FWI begins anew after the gap and says so
    assert_eq!(days[2].fwi_since, Some(day(0)));
    assert_eq!(days[3].fwi, None);
    assert_eq!(days[4].fwi_since, Some(day(4)));
}

#[test]
fn a_series_that_begins_dry_knows_only_a_lower_bound_until_it_is_the_highest() {
    let days = run(&vec![vec![said(37.0, 38.0, 0.0)]; 15]);
    assert!(days.iter().all(|day| day.p.is_none()));
    assert_eq!(days[3].level_at_least, Some(Level::II));
    assert_eq!(days[12].level, None);
    // 14 x 1439 is above 20,000: there is no higher level
    assert_eq!(days[13].level, Some(Level::V));
}

#[test]
fn the_worst_of_a_week_counts_what_it_was_at_least() {
    let rain = || vec![said(28.0, 90.0, 8.0)];
    let dry = || vec![said(37.0, 38.0, 0.0)];
    // a gap, then six dry days: 6 x 1439 is above 5,000, however dry it was before
    let mut week = vec![rain(), Vec::new()];
    week.extend(vec![dry(); 6]);
    let days = run(&week);
    assert_eq!((days[0].level, days[7].level), (Some(Level::I), None));
    assert_eq!(days[7].level_at_least, Some(Level::II));
    assert_eq!(worst(&days), Some(Level::II));
    assert_eq!(worst(&days[1..]), None, "a lower bound alone is no level");
    assert_eq!(worst([]), None);
}

#[test]
fn missing_hours_of_rain_make_a_day_unknown_unless_it_rained_enough_already() {
    let part = |mm: f64| StationDay {
        rain_13: Some(Rain { mm, whole: false }),
        ..said(34.0, 50.0, 0.0)
    };
    let days = run(&[vec![part(6.0)], vec![said(34.0, 50.0, 0.0)], vec![part(2.0)]]);
    assert_eq!(
        days[0].p,
        Some(0.0),
        "five millimetres have fallen, whatever else did"
    );
    assert!(days[1].p.is_some());
    assert_eq!((days[2].p, days[2].unknown), (None, Some(Unknown::RainMissing)));
}

#[test]
fn the_next_station_stands_in_and_no_station_is_said() {
    let mut silent = said(20.0, 99.0, 0.0);
    silent.at_13 = None;
    let mut far = said(34.0, 50.0, 6.0);
    far.station = "KM-04".into();
    let days = run(&[vec![silent, far], Vec::new()]);
    assert_eq!(days[0].station.as_deref(), Some("KM-04"));
    assert_eq!(days[1].unknown, Some(Unknown::NoStation));
}

#[test]
fn without_wind_there_is_no_fwi_and_p_all_the_same() {
    let mut calm = said(34.0, 50.0, 6.0);
    calm.at_12 = None;
    let days = run(&[vec![calm]]);
    assert_eq!((days[0].p, days[0].fwi), (Some(0.0), None));
}
