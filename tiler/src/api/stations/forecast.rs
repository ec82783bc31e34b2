//! `/api/v1/stations/{code}/forecast?datetime=|at=`: the level of the next three days, with the error that such forecasts
//! had in the four weeks before. For a past week it is what would have been said at its end.

use super::{known, time};
use crate::document;
use crate::headers::NO_CACHE;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use crate::time::When;
use axum::extract::{Request, State};
use chrono::{DateTime, Duration, Utc};
use sen_catalog::forecast::{
    Forecast, HORIZON_H, Hours, LeadError, NoForecast, READ_DAYS, backtest, error_at, hour_of,
};
use sen_catalog::inundation::gauge::AlarmLevels;
use sen_catalog::observation::Flag;
use sen_catalog::store::ObservationQuery;
use serde_json::{Value, json};

/// What is forecast.
const LEVEL: &str = "water_level";
/// Readings that are looked at: more than one a minute of the days that are read.
const MOST_READINGS: usize = 100_000;

/// The instant from which is forecast: `at=`, the end of the week asked for, or now; a week that is not over ends now. A
/// reading of a clock that is ahead moves "now" with it.
fn origin(query: &Query<'_>, newest: Option<DateTime<Utc>>) -> Outcome<DateTime<Utc>> {
    let now = newest.map_or_else(Utc::now, |newest| newest.max(Utc::now()));
    if let Some(text) = query.get("at") {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| {
            let message = format!("`{text}` is no instant; write it as 2026-10-09T12:00:00Z");
            Problem::bad("at", message)
        })?;
        return Ok(at.to_utc());
    }
    let (_, last) = When::of(query)?.query.weeks();
    Ok(last.map_or(now, |week| (week.interval().end - Duration::seconds(1)).min(now)))
}

fn millimetres(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The forecast of a gauge.
pub(super) async fn forecast(State(app): State<Shared>, request: Request) -> Outcome {
    let parts = segments(request.uri().path())?;
    let query = Query::of(request.uri(), &["datetime", "at"])?;
    let feature = known(&app, parts.get(3).map_or("", AsRef::as_ref)).await?;
    let store = app.lookup.store();
    let streams = store.datastreams(Some(&feature.code)).await?;
    let stream = streams
        .iter()
        .find(|stream| stream.property == LEVEL)
        .ok_or_else(|| {
            Problem::not_found(
                "no-level",
                format!(
                    "`{}` does not measure {LEVEL}; only levels are forecast",
                    feature.code
                ),
            )
        })?;
    let newest = store.latest(stream.id).await?.map(|latest| latest.time);
    let origin = origin(&query, newest)?;
    let wanted = ObservationQuery {
        from: Some(origin - Duration::days(READ_DAYS)),
        to: Some(origin + Duration::milliseconds(1)),
        newest_first: true,
        limit: Some(MOST_READINGS),
        ..ObservationQuery::datastream(stream.id)
    };
    let readings: Vec<(DateTime<Utc>, f64)> = store
        .observations(&wanted)
        .await?
        .into_iter()
        .filter(|one| one.flag == Flag::Good)
        .filter_map(|one| Some((one.time, one.value?)))
        .collect();
    let newest = readings.first().map(|(time, _)| *time);
    let made = app
        .cpu
        .run(move || {
            let hours = Hours::of(readings);
            let hour = hour_of(origin);
            Forecast::fit(&hours, hour).map(|forecast| (forecast, backtest(&hours, hour)))
        })
        .await?;
    let levels = AlarmLevels::of(&feature);
    let mut body = json!({
        "station": feature.code, "property": LEVEL, "unit": stream.unit, "origin": time(origin),
        "newest": newest.map(time), "alarm_levels": levels,
        "method": {
            "vi": "thủy triều (M2, S2, N2, K1, O1) khớp trên 29 ngày, cộng xu thế ba ngày qua giảm dần; không biết mưa, gió, cống",
            "en": "tide (M2, S2, N2, K1, O1) fitted to 29 days, and the trend of the last three days dying away; knows nothing of rain, wind or sluices",
        },
    });
    if let Some(fields) = body.as_object_mut() {
        let (values, errors, reason) = told(&made, levels);
        fields.insert("values".into(), values);
        fields.insert("errors".into(), errors);
        fields.insert("reason".into(), reason);
    }
    Ok(document::json(request.headers(), NO_CACHE, &body))
}

/// Values, errors, and why there are none.
fn told(
    made: &Result<(Forecast, Vec<LeadError>), NoForecast>,
    levels: Option<AlarmLevels>,
) -> (Value, Value, Value) {
    let (forecast, errors) = match made {
        Ok(made) => made,
        Err(why) => {
            let (vi, en) = why.names();
            return (json!([]), json!([]), json!({"id": why, "vi": vi, "en": en}));
        }
    };
    let values: Vec<Value> = (1..=HORIZON_H)
        .map(|lead| {
            let level = forecast.at(lead);
            // the middle of the hour whose mean it is
            let at = DateTime::UNIX_EPOCH + Duration::hours(forecast.last + lead) + Duration::minutes(30);
            json!({
                "time": time(at), "lead_h": lead, "value": millimetres(level),
                "error_m": error_at(errors, lead).map(millimetres),
                "alarm": levels.map(|levels| levels.reached(level)),
            })
        })
        .collect();
    let errors: Vec<Value> = errors
        .iter()
        .map(|error| {
            json!({"lead_h": error.lead_h, "n": error.n, "mae_m": millimetres(error.mae_m),
                "persistence_mae_m": millimetres(error.persistence_mae_m)})
        })
        .collect();
    (json!(values), json!(errors), Value::Null)
}
