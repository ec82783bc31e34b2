//! Alerts on series of a forest block.

use super::super::ChangeSettings;
use super::super::change::{ForestWeek, Severity, State, cusum, judge};
use crate::Period;

fn weeks(values: &[f64]) -> Vec<(Period, f64)> {
    let mut week: Period = "2026-W01".parse().expect("a week");
    let mut out = Vec::new();
    for value in values {
        out.push((week, *value));
        week = week.next();
    }
    out
}

const CALM: [f64; 8] = [0.60, 0.62, 0.58, 0.61, 0.59, 0.60, 0.62, 0.58];

fn after(values: &[f64]) -> Vec<(Period, f64)> {
    weeks(&[&CALM, values].concat())
}

#[test]
fn the_sum_is_that_of_the_formula() {
    let settings = ChangeSettings::default();
    // mean 0.6, spread 0.03 (the series is calmer than that), drift 0.5
    let judged = cusum(&after(&[0.57, 0.54, 0.63, 0.48]), 0.03, &settings);
    assert_eq!(
        judged
            .usual
            .map(|(mean, spread)| ((mean * 1e6).round() / 1e6, spread)),
        Some((0.6, 0.03))
    );
    let sums: Vec<f64> = judged
        .sums
        .iter()
        .map(|(_, sum)| (sum * 1e9).round() / 1e9)
        .collect();
    assert_eq!(sums, [0.5, 2.0, 0.5, 4.0]);
    assert_eq!(judged.state, State::Usual, "four is not above four");
}

#[test]
fn an_alert_is_confirmed_by_two_later_looks_and_withdrawn_without_them() {
    let settings = ChangeSettings::default();
    let suspected = cusum(&after(&[0.60, 0.40]), 0.03, &settings);
    assert_eq!(suspected.state, State::Suspected);
    assert_eq!(suspected.since, Some("2026-W10".parse().expect("a week")));
    let one = cusum(&after(&[0.60, 0.40, 0.40]), 0.03, &settings);
    assert_eq!(one.state, State::Suspected);
    let two = cusum(&after(&[0.60, 0.40, 0.40, 0.42]), 0.03, &settings);
    assert_eq!(two.state, State::Confirmed);
    assert_eq!(two.confirmed, Some("2026-W12".parse().expect("a week")));
    // a cloud that slipped through: the next looks are as ever
    let cloud = cusum(&after(&[0.60, 0.44, 0.66, 0.62]), 0.03, &settings);
    assert_eq!((cloud.state, cloud.since), (State::Usual, None));
    let few = cusum(&weeks(&CALM), 0.03, &settings);
    assert_eq!(few.state, State::NotJudged);
}

#[test]
fn a_burned_block_shows_in_nbr_and_flooding_that_drowns_ndvi_alone_does_not_alarm() {
    let week = |index: usize, nbr: f64, ndvi: f64| ForestWeek {
        from: weeks(&vec![0.0; index + 1])[index].0.first_day(),
        nbr: Some(nbr),
        ndmi: Some(nbr - 0.2),
        ndvi: Some(ndvi),
        ..ForestWeek::default()
    };
    let settings = ChangeSettings::default();
    let burned: Vec<ForestWeek> = (0..12)
        .map(|index| {
            week(
                index,
                if index < 9 { 0.6 } else { 0.1 },
                if index < 9 { 0.75 } else { 0.3 },
            )
        })
        .collect();
    let change = judge(burned, &settings);
    assert_eq!(change.state, State::Confirmed);
    assert_eq!(change.weeks[9].severity, Some(Severity::ModerateHigh));
    assert!((change.weeks[9].dnbr.expect("a fall") - 0.5).abs() < 1e-12);
    assert!(!change.radar_agrees);
    let flooded: Vec<ForestWeek> = (0..12)
        .map(|index| week(index, 0.6, if index < 9 { 0.75 } else { 0.3 }))
        .collect();
    assert_eq!(judge(flooded, &settings).state, State::Usual);
}
