//! Alerts on series of a forest block.

use super::super::ChangeSettings;
use super::super::change::{Cover, ForestWeek, Severity, State, cusum, judge};
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

/// Weeks of a block with these NBR; none is a week of cloud with radar alone.
fn block(nbr: &[Option<f64>]) -> Vec<ForestWeek> {
    let all = weeks(&vec![0.0; nbr.len()]);
    let week = |(nbr, (week, _)): (&Option<f64>, &(Period, f64))| ForestWeek {
        from: week.first_day(),
        nbr: *nbr,
        ndmi: nbr.map(|nbr| nbr - 0.2),
        vh_db: Some(0.0),
        ..ForestWeek::default()
    };
    nbr.iter().zip(&all).map(week).collect()
}

#[test]
fn while_an_alert_stands_the_fall_is_measured_against_the_weeks_before_it() {
    // burned in the tenth week: fourteen weeks later the eight weeks before have seen nothing but ash
    let mut nbr: Vec<Option<f64>> = CALM.iter().map(|nbr| Some(*nbr)).collect();
    nbr.push(Some(0.60));
    nbr.extend(vec![Some(0.10); 15]);
    let change = judge(block(&nbr), &ChangeSettings::default());
    assert_eq!(change.state, State::Confirmed);
    for week in &change.weeks[9..] {
        assert!((week.dnbr.expect("a fall") - 0.50).abs() < 1e-12, "{week:?}");
        assert_eq!(week.severity, Some(Severity::ModerateHigh));
        assert_eq!(week.alert.map(|alert| alert.since), change.since);
    }
    // without an alert it is that of the eight weeks before
    assert!((change.weeks[8].dnbr.expect("none") - 0.0).abs() < 1e-12);
    assert_eq!(change.weeks[8].alert, None);
}

#[test]
fn the_cover_of_a_week_is_what_the_looks_up_to_it_tell() {
    use Cover::{Kept, Lost, Regrowth, Suspected};
    let mut nbr: Vec<Option<f64>> = CALM.iter().map(|nbr| Some(*nbr)).collect();
    nbr.extend([0.60, 0.10, 0.12, 0.11].map(Some));
    nbr.push(None);
    nbr.extend([0.13, 0.58, 0.14].map(Some));
    let change = judge(block(&nbr), &ChangeSettings::default());
    let cover: Vec<Option<Cover>> = change.weeks.iter().map(|week| week.cover).collect();
    assert_eq!(cover[..8], [None; 8], "what is usual is not known yet");
    assert_eq!(
        cover[8..],
        [
            Some(Kept),
            Some(Suspected),
            Some(Suspected),
            Some(Lost),
            None,
            Some(Lost),
            Some(Regrowth),
            Some(Lost)
        ]
    );
    assert!(change.weeks[7].is_seen() && !change.weeks[12].is_seen());
    // a cloud that slipped through was suspected in its week and is forgotten after
    let mut nbr: Vec<Option<f64>> = CALM.iter().map(|nbr| Some(*nbr)).collect();
    nbr.extend([0.44, 0.66, 0.62].map(Some));
    let cover: Vec<Option<Cover>> = judge(block(&nbr), &ChangeSettings::default())
        .weeks
        .iter()
        .map(|week| week.cover)
        .collect();
    assert_eq!(cover[8..], [Some(Suspected), Some(Kept), Some(Kept)]);
}
