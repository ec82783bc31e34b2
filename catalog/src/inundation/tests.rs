//! The table of causes row by row, bad input, and the stories of whole compartments.

use super::course::{Circumstances, Measured, course};
use super::crop::{Crop, Plot, crop_on};
use super::gauge::{AlarmLevels, GaugeWeek};
use super::rules::{Evidence, Verdict, classify};
use super::{Cause, Inundation, Reason};
use crate::season::Season;
use chrono::{NaiveDate, TimeDelta};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

const LEVELS: AlarmLevels = AlarmLevels {
    bd1_m: 1.5,
    bd2_m: 2.2,
    bd3_m: 2.8,
};

fn gauge(level: f64) -> GaugeWeek {
    let readings = (0..7).map(|offset| (day("2026-10-05") + TimeDelta::days(offset), level));
    GaugeWeek::of("TV-01", 2_000.0, LEVELS, readings).expect("enough readings")
}

const STANDING: Crop = Crop {
    standing: 0.9,
    resting: 0.1,
    sown: 0.0,
    known: 1.0,
};
const FALLOW: Crop = Crop {
    standing: 0.0,
    resting: 1.0,
    sown: 0.0,
    known: 1.0,
};
const SOWN: Crop = Crop { sown: 1.0, ..FALLOW };

/// Two thirds under water after a slow rise, behind a closed dyke.
fn high(crop: Crop) -> Evidence<'static> {
    Evidence {
        closed: Some(true),
        crop,
        share: Some(0.66),
        rise: Some(0.1),
        ..Evidence::default()
    }
}

fn said(evidence: &Evidence) -> (Cause, bool, Reason) {
    let Verdict { class, sure, reason } = classify(evidence);
    (class, sure, reason)
}

#[test]
fn first_row_paddies_behind_a_closed_dyke_while_the_river_is_low() {
    let low = gauge(1.2);
    for crop in [FALLOW, SOWN] {
        let evidence = Evidence {
            gauge: Some(&low),
            ..high(crop)
        };
        assert_eq!(said(&evidence), (Cause::PaddyWater, true, Reason::NoCropRiverLow));
    }
    // the same water with the river at BĐ1: irrigation is likely, which is said as such
    let alarm = gauge(1.6);
    let evidence = Evidence {
        gauge: Some(&alarm),
        ..high(FALLOW)
    };
    assert_eq!(said(&evidence), (Cause::PaddyWater, false, Reason::NoCrop));
    // fast, with the river at BĐ3: still no crop that a broken dyke would drown
    let peak = gauge(2.9);
    let evidence = Evidence {
        gauge: Some(&peak),
        rise: Some(0.6),
        ..high(SOWN)
    };
    assert_eq!(said(&evidence).0, Cause::PaddyWater);
}

#[test]
fn second_row_a_registered_plan_on_fallow_land() {
    for level in [None, Some(gauge(1.0)), Some(gauge(2.9))] {
        let evidence = Evidence {
            plan: true,
            rise: Some(0.6),
            gauge: level.as_ref(),
            neighbours_wet: Some(true),
            ..high(FALLOW)
        };
        assert_eq!(said(&evidence), (Cause::PlannedRelease, true, Reason::Plan));
    }
    // a plan over a standing crop explains nothing: the other rows decide
    let peak = gauge(2.9);
    let evidence = Evidence {
        plan: true,
        rise: Some(0.6),
        gauge: Some(&peak),
        ..high(STANDING)
    };
    assert_eq!(said(&evidence).0, Cause::DykeBreach);
}

#[test]
fn third_row_fast_water_on_a_standing_crop_is_an_alert() {
    let (second, first, low) = (gauge(2.3), gauge(1.6), gauge(1.0));
    let rising = |gauge| Evidence {
        rise: Some(0.46),
        gauge,
        ..high(STANDING)
    };
    let alert = (Cause::DykeBreach, true, Reason::RoseOnCrop);
    assert_eq!(said(&rising(Some(&second))), alert);
    let neighbours = Evidence {
        neighbours_wet: Some(true),
        ..rising(Some(&first))
    };
    assert_eq!(said(&neighbours), alert, "the neighbours are wet");
    // each condition of the row is needed
    assert_eq!(
        said(&rising(Some(&low))),
        (Cause::NotClassified, false, Reason::Unexplained)
    );
    let slow = Evidence {
        rise: Some(0.29),
        ..rising(Some(&second))
    };
    assert_eq!(said(&slow).0, Cause::NotClassified);
    let resting = Evidence {
        crop: FALLOW,
        ..rising(Some(&second))
    };
    assert_eq!(said(&resting).0, Cause::PaddyWater);
    let open = Evidence {
        closed: Some(false),
        ..rising(Some(&second))
    };
    assert_eq!(said(&open).0, Cause::RiverFlood);
}

#[test]
fn fourth_row_the_river_over_open_land() {
    let (alarm, low) = (gauge(1.5), gauge(1.4));
    let open = |gauge| Evidence {
        closed: Some(false),
        outside_share: Some(0.8),
        gauge,
        ..high(STANDING)
    };
    assert_eq!(
        said(&open(Some(&alarm))),
        (Cause::RiverFlood, true, Reason::RiverHigh)
    );
    let alone = Evidence {
        outside_share: Some(0.2),
        ..open(Some(&alarm))
    };
    assert_eq!(
        said(&alone),
        (Cause::RiverFlood, false, Reason::RiverHighUnconnected)
    );
    // the river falls below BĐ1 and the water is still there
    let after = Evidence {
        before: Some(Cause::RiverFlood),
        ..open(Some(&low))
    };
    assert_eq!(said(&after), (Cause::RiverFlood, false, Reason::Continues));
    let second = Evidence {
        river_left_days: Some(7),
        ..after
    };
    assert_eq!(
        said(&second),
        (Cause::PaddyWater, false, Reason::RiverLow),
        "what the river left is sown into"
    );
    let paddies = Evidence {
        crop: SOWN,
        ..open(Some(&low))
    };
    assert_eq!(said(&paddies), (Cause::PaddyWater, true, Reason::RiverLow));
    assert_eq!(said(&open(Some(&low))).0, Cause::NotClassified);
}

#[test]
fn fifth_row_a_spring_tide_that_falls_again() {
    let tide = |days: i64, low: f64| {
        let readings = (0..7).flat_map(move |offset| {
            let date = day("2026-10-05") + TimeDelta::days(offset);
            let top = if offset < days { 2.9 } else { 2.4 };
            [(date, low), (date, top)]
        });
        GaugeWeek::of("TV-01", 2_000.0, LEVELS, readings).expect("readings")
    };
    let spring = tide(3, 1.0);
    for closed in [Some(true), Some(false), None] {
        let evidence = Evidence {
            closed,
            gauge: Some(&spring),
            ..high(FALLOW)
        };
        assert_eq!(said(&evidence), (Cause::TidalFlood, true, Reason::HighTide));
    }
    assert_eq!((spring.alarm, spring.low_water_alarm), (3, 0));
    assert_eq!(tide(3, 1.6).low_water_alarm, 1);
    assert!(!tide(4, 1.0).tide, "four days are more than a tide");
    assert!(!tide(2, 1.6).tide, "the river itself is at BĐ1");
    let far = GaugeWeek {
        distance_m: 9_000.0,
        ..spring.clone()
    };
    let evidence = Evidence {
        closed: Some(false),
        gauge: Some(&far),
        ..high(FALLOW)
    };
    assert_eq!(said(&evidence).0, Cause::RiverFlood);
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let peak = gauge(2.9);
    let none = |reason| (Cause::NotClassified, false, reason);
    assert_eq!(said(&Evidence::default()), none(Reason::NotSeen));
    // no gauge was heard
    let rising = Evidence {
        rise: Some(0.5),
        ..high(STANDING)
    };
    assert_eq!(said(&rising), none(Reason::NoGauge));
    assert_eq!(said(&high(FALLOW)), none(Reason::NoGauge));
    let open = Evidence {
        closed: Some(false),
        ..high(STANDING)
    };
    assert_eq!(said(&open), none(Reason::NoGauge));
    // nobody said whether it is closed
    let unsaid = Evidence {
        closed: None,
        gauge: Some(&peak),
        ..rising.clone()
    };
    assert_eq!(said(&unsaid), none(Reason::ClosureUnknown));
    // a single look tells no rise
    let single = Evidence {
        rise: None,
        gauge: Some(&peak),
        ..high(STANDING)
    };
    assert_eq!(said(&single), none(Reason::FirstLook));
    // no crop calendar
    let unknown = Evidence {
        gauge: Some(&peak),
        rise: Some(0.5),
        ..high(Crop::default())
    };
    assert_eq!(said(&unknown), none(Reason::CropUnknown));
}

#[test]
fn alarm_levels_rise_and_gauges_without_readings_say_nothing() {
    assert_eq!(
        [1.4, 1.5, 2.2, 9.0].map(|level| LEVELS.reached(level)),
        [0, 1, 2, 3]
    );
    assert_eq!(AlarmLevels::new([2.0, 1.5, 3.0]), None);
    assert_eq!(AlarmLevels::new([f64::NAN, 1.5, 3.0]), None);
    let few = [(day("2026-10-05"), 1.0), (day("2026-10-06"), f64::NAN)];
    assert_eq!(GaugeWeek::of("TV-01", 0.0, LEVELS, few), None);
}

fn season(sowing: &str, harvest: Option<&str>) -> Season {
    Season {
        season: "2026-he-thu".into(),
        sowing: Some(day(sowing)),
        heading: None,
        harvest: harvest.map(day),
        lost: None,
        sowing_uncertainty_days: None,
        heading_uncertainty_days: None,
        harvest_uncertainty_days: None,
    }
}

#[test]
fn crops_are_told_from_the_calendar_and_from_the_water_that_left() {
    let plots = vec![Plot {
        area: 1.0,
        seasons: vec![season("2026-05-16", Some("2026-08-20"))],
    }];
    let on = |drained: Option<&str>, date: &str| crop_on(&plots, drained.map(day), day(date));
    assert!(on(None, "2026-05-01").is_sown(), "preparation");
    assert!(on(None, "2026-05-30").is_resting() && !on(None, "2026-05-30").is_standing());
    let both = on(None, "2026-06-08");
    assert!(
        both.is_standing() && both.is_resting(),
        "23 days: it stands, and water belongs"
    );
    assert!(on(None, "2026-07-20").is_standing() && !on(None, "2026-07-20").is_resting());
    assert!(on(None, "2026-08-21").is_resting(), "harvested");
    // sown again: only the water of transplanting was seen so far
    let again = on(Some("2026-10-03"), "2026-10-10");
    assert!(again.is_standing() && again.known == 1.0);
    assert!(on(Some("2026-10-03"), "2026-09-20").is_resting(), "not yet");
    assert!(
        !on(Some("2026-10-03"), "2026-12-20").is_standing(),
        "due for harvest"
    );
    assert!(
        on(Some("2026-06-10"), "2026-09-01").is_resting(),
        "the water of the crop that was cut"
    );
    // a harvest that was not seen may have been: no alarm rests on it
    let unseen = [Plot {
        area: 1.0,
        seasons: vec![season("2026-05-16", None)],
    }];
    assert!(!crop_on(&unseen, None, day("2026-08-20")).is_standing());
    let unknown = [Plot {
        area: 1.0,
        seasons: Vec::new(),
    }];
    assert!(!crop_on(&unknown, None, day("2026-08-20")).is_known());
}

/// The course of a compartment: shares by week from 2026-W33 on, seen on Sundays.
fn told(shares: &[Option<f64>], closed: bool, level: impl Fn(usize) -> f64, plan: bool) -> Vec<Inundation> {
    let plots = [Plot {
        area: 1.0,
        seasons: vec![season("2026-05-10", Some("2026-08-10"))],
    }];
    let mut period: crate::Period = "2026-W33".parse().expect("a week");
    let mut weeks = Vec::new();
    for (index, share) in shares.iter().enumerate() {
        let measured = Measured {
            period,
            looked: share.map(|_| period.last_day()),
            seen: share.map_or(0.0, |_| 1.0),
            share: *share,
            flooded_ha: None,
            connected_ha: None,
            outside_share: None,
        };
        let circumstances = Circumstances {
            closed: Some(closed),
            plan,
            gauge: Some(gauge(level(index))),
            neighbours_wet: None,
        };
        weeks.push((measured, circumstances));
        period = period.next();
    }
    course(7, &plots, weeks)
}

fn classes(records: &[Inundation]) -> Vec<Cause> {
    records.iter().map(|record| record.class).collect()
}

#[test]
fn a_dyke_breaks_three_weeks_after_transplanting_and_is_said_so_until_the_water_is_gone() {
    // shares of the demo's compartment as a simple flood map saw them, from W35 on
    let shares = [
        0.0, 0.0, 0.02, 0.5, 0.55, 0.95, 0.78, 0.13, 0.59, 0.92, 0.92, 0.98, 0.22, 0.02,
    ];
    let records = told(&shares.map(Some), true, |_| 2.4, false);
    assert_eq!(classes(&records)[..3], [Cause::None; 3]);
    assert_eq!(classes(&records)[3..8], [Cause::PaddyWater; 5]);
    assert_eq!(classes(&records)[8..13], [Cause::DykeBreach; 5]);
    assert_eq!(records[13].class, Cause::None);
    assert!(!records[3].sure, "the river was high: likely, not certain");
    assert_eq!(
        records[8].first_wet,
        Some(day("2026-10-11")),
        "not the paddies' water"
    );
    assert_eq!(records[11].days_under_water, Some(22));
    assert_eq!(records[12].last_wet, Some(day("2026-11-01")));
    assert_eq!(records[13].first_wet, None);
    // a third of the fields still under water when it comes: they had fallen to half of what they were
    let wetter = shares.map(|share| if share == 0.13 { 0.33 } else { share });
    let records = told(&wetter.map(Some), true, |_| 2.4, false);
    assert_eq!(classes(&records)[7..9], [Cause::PaddyWater, Cause::DykeBreach]);
    // without the high river and without wet neighbours nothing is cried
    assert!(!classes(&told(&shares.map(Some), true, |_| 1.6, false)).contains(&Cause::DykeBreach));
}

#[test]
fn a_release_a_river_flood_and_clouds() {
    let shares = [0.0, 0.65, 0.9, 0.98, 0.98, 0.4, 0.05].map(Some);
    let release = told(&shares, true, |_| 2.4, true);
    assert!(
        classes(&release)[1..6]
            .iter()
            .all(|class| *class == Cause::PlannedRelease)
    );
    let flood = told(&shares, false, |week| if week < 5 { 1.9 } else { 1.2 }, false);
    assert!(
        classes(&flood)[1..6]
            .iter()
            .all(|class| *class == Cause::RiverFlood)
    );
    assert_eq!(flood[6].class, Cause::None);

    // clouds for three weeks: whether the water rose fast is not known, and a crop may stand
    let cloudy = [Some(0.0), Some(0.8), Some(0.0), None, None, None, Some(0.9)];
    let records = told(&cloudy, true, |_| 2.4, false);
    assert_eq!(records[4].class, Cause::NotClassified);
    assert_eq!(records[4].reason, Reason::NotSeen);
    assert_eq!(
        (records[6].class, records[6].reason),
        (Cause::NotClassified, Reason::FirstLook)
    );
}

#[test]
fn names_and_numbers_of_causes_agree_with_what_is_written() {
    for (number, cause) in Cause::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(cause.number()), number);
        assert_eq!(Cause::named(cause.name()), Some(cause));
        assert_eq!(
            serde_json::to_value(cause).expect("JSON"),
            serde_json::json!(cause.name())
        );
    }
}
