//! What the page of a forest block says of fire: today's level large, the days of the week, whose table it is.

use super::words::{date, number};
use crate::api::zones::{FireRecord, fire, level_words};
use crate::problem::Outcome;
use crate::state::App;
use crate::style::Language;
use minijinja::{Value, context};
use sen_catalog::fire::day::DangerDay;
use sen_catalog::{Feature, Period};

/// The section; none for zones that are no forest blocks. Without a week the newest with days.
pub(super) async fn section(
    app: &App,
    feature: &Feature,
    week: Option<Period>,
    language: Language,
) -> Outcome<Option<Value>> {
    let Some(record) = fire(app, feature, week).await? else {
        return Ok(None);
    };
    let level = record.newest().and_then(|day| day.level);
    let citation = record.said.get("citation");
    let citation = citation.and_then(|citation| citation.get(language.tag())?.as_str());
    Ok(Some(context! {
        sentence => record.sentence().map(|text| text.get(language).to_owned()),
        roman => level.map_or("?", sen_catalog::fire::danger::Level::roman),
        number => level.map_or(0, u8::from),
        change => record.change_sentence().map(|text| text.get(language).to_owned()),
        hotspots => hotspots(&record, language),
        days => record.days.iter().rev().map(|day| row(day, language)).collect::<Vec<_>>(),
        citation => citation,
    }))
}

fn row(day: &DangerDay, language: Language) -> Value {
    let dash = || "–".to_owned();
    let value =
        |value: Option<f64>, decimals| value.map_or_else(dash, |value| number(value, decimals, language));
    let rain = match language {
        Language::Vi => "mưa",
        Language::En => "rain",
    };
    let weather = match (day.temperature_c, day.humidity_percent, day.rain_mm) {
        (Some(t), Some(rh), Some(mm)) => format!(
            "{} °C, {} %, {rain} {} mm",
            number(t, 1, language),
            number(rh, 0, language),
            number(mm, 1, language)
        ),
        _ => dash(),
    };
    context! {
        day => date(day.day, language), level => level_words(day, language), p => value(day.p, 0),
        fwi => value(day.fwi, 1), weather => weather,
    }
}

/// `3 cháy rừng, 1 đốt rơm`.
fn hotspots(record: &FireRecord, language: Language) -> String {
    let words = |burning: &str| match (burning, language) {
        ("forest", Language::Vi) => "trong hoặc gần rừng",
        ("forest", Language::En) => "in or near forest",
        ("straw", Language::Vi) => "trên ruộng (đốt rơm rạ)",
        ("straw", Language::En) => "in paddies (straw)",
        ("static", Language::Vi) => "nguồn nhiệt cố định",
        ("static", Language::En) => "static source",
        (_, Language::Vi) => "nơi khác",
        (_, Language::En) => "elsewhere",
    };
    let parts = record
        .hotspots
        .iter()
        .map(|(burning, count)| format!("{count} {}", words(burning)));
    parts.collect::<Vec<_>>().join(", ")
}
