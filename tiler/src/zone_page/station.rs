//! The page of a station: its level of the last week as a chart with the alarm levels.

use super::words::number;
use crate::problem::Outcome;
use crate::station_week::StationWeek;
use crate::style::Language;
use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use sen_catalog::inundation::gauge::AlarmLevels;
use sen_catalog::observation::Step;
use sen_catalog::period::{local_midnight, local_zone};
use sen_catalog::{Feature, Period, Store};
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 24.0;
/// Days of the chart.
const DAYS: i64 = 7;
/// Hours between two values over which no line is drawn.
const GAP_HOURS: i64 = 3;

/// The week of the newest value of a station.
pub(super) async fn newest_week(store: &dyn Store, station: &Feature) -> Outcome<Option<Period>> {
    let streams = store.datastreams(Some(&station.code)).await?;
    let ids: Vec<i64> = streams.iter().map(|stream| stream.id).collect();
    let newest = store.newest_observations(&ids, (None, None), true).await?;
    let time = newest.iter().map(|one| one.time).max();
    Ok(time.map(Period::of_instant))
}

/// The hourly level of the seven days before the newest reading of the week; none where no level is measured.
pub(super) async fn level_chart(
    store: &dyn Store,
    said: &StationWeek,
    language: Language,
) -> Outcome<Option<String>> {
    let Some(level) = said.level() else {
        return Ok(None);
    };
    let until = level.observation.time + Duration::hours(1);
    let from = until - Duration::days(DAYS);
    let hours = store.aggregate(level.stream.id, from, until, Step::Hour).await?;
    let values: Vec<(DateTime<Utc>, f64)> = hours.iter().map(|hour| (hour.start, hour.mean)).collect();
    Ok(drawing(&values, (from, until), said, language))
}

fn drawing(
    values: &[(DateTime<Utc>, f64)],
    (from, until): (DateTime<Utc>, DateTime<Utc>),
    said: &StationWeek,
    language: Language,
) -> Option<String> {
    let alarms: Vec<(String, f64)> = said
        .alarms
        .iter()
        .flat_map(AlarmLevels::heights)
        .enumerate()
        .map(|(index, height)| (format!("BĐ{}", index + 1), height))
        .collect();
    let heights = values.iter().map(|(_, value)| *value);
    let lowest = heights.clone().min_by(f64::total_cmp)?;
    let highest = heights.max_by(f64::total_cmp)?;
    // the alarm levels near by are in the picture, those far above are not
    let near = alarms
        .iter()
        .map(|(_, height)| *height)
        .filter(|height| *height < highest + 1.0);
    let high = near.fold(highest, f64::max) + 0.1;
    let low = lowest - 0.1;
    let span = (until - from).num_seconds() as f64;
    let x = |time: DateTime<Utc>| LEFT + (time - from).num_seconds() as f64 / span * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM);
    let title = match language {
        Language::Vi => format!("Mực nước từng giờ của {DAYS} ngày"),
        Language::En => format!("Hourly water level of {DAYS} days"),
    };
    let mut svg =
        format!("<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">");
    for (name, height) in alarms.iter().filter(|(_, height)| (low..high).contains(height)) {
        let (line, right) = (y(*height), WIDTH - RIGHT);
        let _ = write!(
            svg,
            "<path class=\"mark\" d=\"M {LEFT} {line:.1} H {right}\"/><text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{name} {} m</text>",
            line - 3.0,
            number(*height, 2, language)
        );
    }
    for height in [low + 0.1, high - 0.1] {
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 4.0,
            y(height) + 4.0,
            number(height, 1, language)
        );
    }
    for day in days(from, until) {
        let midnight = local_midnight(day);
        let _ = write!(
            svg,
            "<path class=\"rule\" d=\"M {0:.1} {TOP} V {1}\"/><text x=\"{2:.1}\" y=\"{3}\">{4}/{5}</text>",
            x(midnight),
            HEIGHT - BOTTOM,
            x(midnight) + 3.0,
            HEIGHT - 8.0,
            day.day(),
            day.month()
        );
    }
    let mut path = String::new();
    let mut before: Option<DateTime<Utc>> = None;
    for (time, value) in values {
        let gap = before.is_none_or(|before| *time - before > Duration::hours(GAP_HOURS));
        let _ = write!(
            path,
            "{} {:.1} {:.1} ",
            if gap { 'M' } else { 'L' },
            x(*time),
            y(*value)
        );
        before = Some(*time);
    }
    let _ = write!(svg, "<path class=\"line\" d=\"{}\"/></svg>", path.trim_end());
    Some(svg)
}

/// Local days that begin within the span.
fn days(from: DateTime<Utc>, until: DateTime<Utc>) -> impl Iterator<Item = NaiveDate> {
    let (first, last) = (
        from.with_timezone(&local_zone()).date_naive(),
        until.with_timezone(&local_zone()).date_naive(),
    );
    first.iter_days().skip(1).take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chart_has_the_alarm_levels_near_by_and_breaks_at_gaps() {
        let until: DateTime<Utc> = "2026-10-04T17:00:00Z".parse().expect("a time");
        let from = until - Duration::days(DAYS);
        let hour = |hours: i64| (from + Duration::hours(hours), 2.9 + 0.01 * (hours % 10) as f64);
        let values: Vec<_> = (0..40).chain(60..168).map(hour).collect();
        let said = StationWeek {
            readings: Vec::new(),
            alarms: AlarmLevels::new([1.8, 2.4, 2.95]),
            change_day_m: None,
        };
        let svg = drawing(&values, (from, until), &said, Language::Vi).expect("a chart");
        assert!(svg.contains("BĐ3 2,95 m") && !svg.contains("BĐ1"), "{svg}");
        let line = svg.split("class=\"line\"").nth(1).expect("a line");
        assert_eq!(
            line.matches('M').count(),
            2,
            "a gap of twenty hours parts the line"
        );
        assert!(svg.contains(">1/10<"), "days are named");
        assert_eq!(drawing(&[], (from, until), &said, Language::Vi), None);
    }
}
