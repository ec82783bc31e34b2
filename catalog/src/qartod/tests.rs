//! The vectors of `vectors.py`: every flag of `ioos_qc`.

use super::*;
use crate::observation::Marks;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Vectors {
    made_with: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    times: Vec<i64>,
    values: Vec<Option<f64>>,
    flags: BTreeMap<String, String>,
}

fn digits(flags: &[Flag]) -> String {
    flags.iter().map(|&flag| u8::from(flag).to_string()).collect()
}

fn limits(suspect: f64, fail: f64, by: Movement) -> Attenuated {
    Attenuated {
        suspect,
        fail,
        period_s: Some(7200),
        min_count: (by == Movement::Range).then_some(4),
        by,
    }
}

#[test]
fn every_flag_is_that_of_ioos_qc() {
    let vectors: Vectors = serde_json::from_str(include_str!("vectors.json")).expect("vectors");
    assert!(
        vectors.made_with.starts_with("ioos_qc 3.0.0"),
        "{}",
        vectors.made_with
    );
    let mut compared = 0;
    for case in &vectors.cases {
        let values: Vec<f64> = case
            .values
            .iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect();
        let times: Vec<i64> = case.times.iter().map(|seconds| seconds * 1000).collect();
        for (name, expected) in &case.flags {
            let ranges = || gross_range(&values, [-2.0, 7.0], Some([0.0, 1.7]));
            let spikes = |method| spike(&values, 0.15, 0.40, method);
            let rates = || rate_of_change(&values, &times, 0.5 / 3600.0, Some(2.0 / 3600.0));
            let flat = || flat_line(&values, &times, 3 * 3600, 6 * 3600, 0.005);
            let flags = match name.as_str() {
                "gross_range" => ranges(),
                "gross_range_fail_only" => gross_range(&values, [-2.0, 7.0], None),
                "spike_average" => spikes(SpikeMethod::Average),
                "spike_differential" => spikes(SpikeMethod::Differential),
                "rate_of_change" => rates(),
                "flat_line" => flat(),
                "flat_line_noisy" => flat_line(&values, &times, 1800, 3600, 0.1),
                "attenuated_std" => attenuated(&values, &times, &limits(0.05, 0.001, Movement::Deviation)),
                "attenuated_range" => attenuated(&values, &times, &limits(0.1, 0.01, Movement::Range)),
                "attenuated_whole" => {
                    let whole = Attenuated {
                        period_s: None,
                        ..limits(3.0, 0.2, Movement::Deviation)
                    };
                    attenuated(&values, &times, &whole)
                }
                "time_gap" => {
                    let flag = |gap| if gap { Flag::Fail } else { Flag::Good };
                    gaps(&times, 1_350_000).into_iter().map(flag).collect()
                }
                "compare" => {
                    let mut all = vec![ranges(), spikes(SpikeMethod::Average), rates()];
                    if values.len() > 1 {
                        all.push(flat());
                    }
                    let roll = |at: usize| {
                        all.iter()
                            .fold(Flag::Missing, |flag, test| flag.rolled_up(test[at]))
                    };
                    (0..values.len()).map(roll).collect()
                }
                other => panic!("a vector of an unknown test: {other}"),
            };
            assert_eq!(&digits(&flags), expected, "{name} of {} values", values.len());
            compared += flags.len();
        }
    }
    assert!(compared > 3000, "{compared} flags were compared");
}

#[test]
fn a_spike_of_a_tide_is_found_and_a_gap_is_marked() {
    let mut values: Vec<f64> = (0..40).map(|i| 0.5 + (f64::from(i) / 8.0).sin() * 0.3).collect();
    values[20] += 0.9;
    values[30] = f64::NAN;
    let mut times: Vec<i64> = (0..40).map(|i| i * 900_000).collect();
    for time in &mut times[35..] {
        *time += 3_600_000;
    }
    let verdicts = check(
        &times,
        &values,
        &[Flag::NotEvaluated; 40],
        &defaults("water_level"),
    );
    assert_eq!(verdicts[20].flag, Flag::Fail);
    assert!(verdicts[20].marks.contains(Marks::SPIKE) && verdicts[20].marks.contains(Marks::RATE));
    assert_eq!(verdicts[30].flag, Flag::Missing);
    assert_eq!(
        (verdicts[35].flag, verdicts[35].marks),
        (Flag::Good, Marks::GAP),
        "a gap marks, it does not condemn"
    );
    assert_eq!(verdicts[5].flag, Flag::Good);
}

#[test]
fn a_gauge_read_twice_a_day_may_read_the_same_three_times() {
    let times: Vec<i64> = (0..10).map(|i| i * 43_200_000).collect();
    let verdicts = check(
        &times,
        &[1.2; 10],
        &[Flag::NotEvaluated; 10],
        &defaults("water_level"),
    );
    assert!(verdicts.iter().all(|verdict| verdict.flag == Flag::Good));
}

#[test]
fn what_the_deliverer_condemned_stays_condemned() {
    let verdicts = check(
        &[0, 900_000],
        &[1.0, 1.1],
        &[Flag::Fail, Flag::Good],
        &defaults("water_level"),
    );
    assert_eq!((verdicts[0].flag, verdicts[0].marks), (Flag::Fail, Marks::GIVEN));
    assert_eq!(verdicts[1].flag, Flag::Good);
}

#[test]
fn settings_are_laid_over_the_defaults_and_nonsense_is_refused() {
    let own = Tests {
        without: vec!["flat".into()],
        range: Some(Range {
            fail: [-1.0, 5.0],
            suspect: None,
        }),
        ..Tests::default()
    };
    let tests = defaults("water_level").overridden(&own).expect("sane");
    assert!(tests.flat.is_none() && tests.spike.is_some());
    assert_eq!(tests.range.expect("range").fail, [-1.0, 5.0]);
    let unknown = Tests {
        without: vec!["spikes".into()],
        ..Tests::default()
    };
    let error = Tests::default()
        .overridden(&unknown)
        .expect_err("refused")
        .to_string();
    assert!(error.contains("`spikes`"), "{error}");
    let upside_down = Tests {
        range: Some(Range {
            fail: [5.0, -1.0],
            suspect: None,
        }),
        ..Tests::default()
    };
    assert!(Tests::default().overridden(&upside_down).is_err());
}
