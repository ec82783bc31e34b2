//! The water of a dyke compartment on its page: this week's cause with what it was told from, and the weeks before.

use super::words::{date, days, number, percent, week};
use crate::api::zones::cause_title;
use crate::state::App;
use crate::style::Language;
use minijinja::{Value, context};
use sen_catalog::Period;
use sen_catalog::inundation::{Cause, Inundation};

/// Weeks of the table, newest first.
const TABLE_WEEKS: usize = 30;

/// What the page shows; nothing for zones without records.
pub(super) fn water(
    app: &App,
    records: &[Inundation],
    shown: Option<Period>,
    language: Language,
) -> Option<Value> {
    let last = records.last()?;
    let now = records
        .iter()
        .find(|record| Some(record.period) == shown)
        .unwrap_or(last);
    let rows: Vec<Value> = records
        .iter()
        .rev()
        .take(TABLE_WEEKS)
        .map(|record| row(app, record, language))
        .collect();
    Some(context! { now => row(app, now, language), weeks => rows })
}

fn row(app: &App, record: &Inundation, language: Language) -> Value {
    let dash = || "–".to_owned();
    let hectares = |value: Option<f64>| value.map_or_else(dash, |value| number(value, 1, language));
    let wet = record.first_wet.zip(record.last_wet).map(|(first, last)| {
        if first == last {
            date(first, language)
        } else {
            format!("{} – {}", date(first, language), date(last, language))
        }
    });
    let (vi, en) = record.reason.names();
    let reason = match language {
        Language::Vi => vi,
        Language::En => en,
    };
    let likely = match (record.sure, record.class, language) {
        (true, ..) | (_, Cause::NotClassified | Cause::None, _) => "",
        (false, _, Language::Vi) => " (có lẽ)",
        (false, _, Language::En) => " (likely)",
    };
    let gauge = record.gauge.as_ref().map(|gauge| {
        let level = number(gauge.highest_m, 2, language);
        let alarm = if gauge.alarm == 0 {
            "< BĐ1".to_owned()
        } else {
            format!("≥ BĐ{}", gauge.alarm)
        };
        format!("{level} m ({alarm}), {}", gauge.station)
    });
    context! {
        week => week(record.period, language), days => days(record.period, language),
        class => record.class.name(), alert => record.class.is_alert(),
        title => format!("{}{likely}", cause_title(app, record.class).get(language)),
        reason => reason, share => record.flooded_share.map_or_else(dash, percent),
        area => hectares(record.flooded_ha), connected => hectares(record.connected_ha),
        wet => wet.unwrap_or_else(dash),
        under => record.days_under_water.map_or_else(dash, |days| days.to_string()),
        gauge => gauge.unwrap_or_else(dash),
    }
}
