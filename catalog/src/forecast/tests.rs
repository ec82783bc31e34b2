//! The forecast against levels that are known.

use super::{Forecast, Hours, LEADS_H, NoForecast, WINDOW_H, backtest, error_at};
use chrono::{DateTime, TimeDelta, Utc};

const ORIGIN: i64 = 494_000;

fn instant(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hour)
}

/// Three tides on a river that rises by two centimetres a day.
fn level(hour: i64) -> f64 {
    let t = hour as f64;
    let turn = |period: f64| (t / period * std::f64::consts::TAU).sin();
    0.8 + 0.02 / 24.0 * (t - ORIGIN as f64)
        + 0.35 * turn(12.420_601_2)
        + 0.12 * turn(12.0)
        + 0.2 * turn(23.934_469_7)
}

fn series(days: i64, keep: impl Fn(i64) -> bool) -> Hours {
    let hours = (ORIGIN - days * 24 + 1..=ORIGIN).filter(|hour| keep(*hour));
    // four readings an hour, as gauges send them
    Hours::of(hours.flat_map(|hour| {
        (0..4).map(move |quarter| (instant(hour) + TimeDelta::minutes(15 * quarter), level(hour)))
    }))
}

#[test]
fn a_tide_on_a_rising_river_is_foretold() {
    let hours = series(60, |_| true);
    let forecast = Forecast::fit(&hours, ORIGIN).expect("enough");
    for lead in [1, 6, 12, 24] {
        let error = forecast.at(lead) - level(ORIGIN + lead);
        assert!(error.abs() < 0.01, "{lead} h: {error}");
    }
    // the slope dies away over five days: at most 1.6 cm of the 6 cm of three days are missing
    let error = forecast.at(72) - level(ORIGIN + 72);
    assert!((-0.02..0.005).contains(&error), "{error}");

    let errors = backtest(&hours, ORIGIN);
    assert_eq!(
        errors.iter().map(|error| error.lead_h).collect::<Vec<_>>(),
        LEADS_H
    );
    for error in &errors {
        assert!(error.n > 50 && error.mae_m < 0.02, "{error:?}");
        assert!(error.persistence_mae_m > 2.0 * error.mae_m, "{error:?}");
    }
    assert_eq!(error_at(&errors, 24), Some(errors[4].mae_m));
    let between = error_at(&errors, 36).expect("between two leads");
    assert!((between - f64::midpoint(errors[4].mae_m, errors[5].mae_m)).abs() < 1e-12);
    assert_eq!(error_at(&errors, 100), None);
}

#[test]
fn a_forecast_does_not_look_ahead() {
    let known = series(60, |_| true);
    let earlier = ORIGIN - 100;
    let cut = series(60, |hour| hour <= earlier);
    let (a, b) = (Forecast::fit(&known, earlier), Forecast::fit(&cut, earlier));
    assert_eq!(a.expect("enough").at(48), b.expect("enough").at(48));
}

#[test]
fn gaps_are_borne_and_stale_or_short_series_are_refused() {
    let holes = series(60, |hour| {
        hour % 7 != 0 && !(ORIGIN - 300..ORIGIN - 260).contains(&hour)
    });
    let forecast = Forecast::fit(&holes, ORIGIN).expect("enough");
    assert!((forecast.at(12) - level(ORIGIN + 12)).abs() < 0.01);
    let reason = |hours: &Hours| Forecast::fit(hours, ORIGIN).err();
    assert_eq!(
        reason(&series(60, |hour| hour <= ORIGIN - 7)),
        Some(NoForecast::Stale)
    );
    assert_eq!(reason(&series(60, |hour| hour <= ORIGIN - 6)), None);
    assert_eq!(reason(&series(7, |_| true)), Some(NoForecast::TooShort));
    assert_eq!(
        reason(&series(60, |hour| !(ORIGIN - 71..=ORIGIN - 10).contains(&hour))),
        Some(NoForecast::Gap)
    );
    assert_eq!(reason(&Hours::default()), Some(NoForecast::Stale));
    // a stuck gauge and hours that all fall on one phase break nothing
    let stuck = Hours::of((0..WINDOW_H).map(|hour| (instant(ORIGIN - hour), 1.25)));
    assert!((Forecast::fit(&stuck, ORIGIN).expect("level").at(48) - 1.25).abs() < 1e-6);
    assert!(backtest(&series(7, |_| true), ORIGIN).is_empty());
}
