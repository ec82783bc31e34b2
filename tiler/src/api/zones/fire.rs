//! Fire danger and forest change of a block: of a week in its record, and day by day under
//! `/api/v1/zones/{kind}/{code}/fire?datetime=`.

use super::Which;
use crate::document;
use crate::headers::MINUTE;
use crate::problem::Outcome;
use crate::query::{Query, segments};
use crate::state::{App, Shared};
use crate::style::{Language, Text};
use crate::time::When;
use crate::values::tidy;
use crate::zone_page::words;
use axum::extract::{Request, State};
use chrono::{DateTime, Utc};
use sen_catalog::feature::Sought;
use sen_catalog::fire::HOTSPOTS;
use sen_catalog::fire::change::{Alert, ForestChange, ForestWeek, State as Change};
use sen_catalog::fire::danger::Level;
use sen_catalog::fire::day::{DangerDay, worst};
use sen_catalog::period::local_zone;
use sen_catalog::{Bounds, Feature, FeatureQuery, Period, TimeQuery};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The names under which the weekly run keeps what it made the rows from.
const DANGER: &str = "danger";

/// Degrees around a block in which hot spots are counted with it: 500 m, the distance at which a hot spot is taken for a
/// forest fire.
const AROUND: f64 = 0.0045;

/// Hot spots that are counted at most.
const MOST_HOTSPOTS: usize = 10_000;

/// What is known of fire in a block in one week.
#[derive(Clone, Debug)]
pub(crate) struct FireRecord {
    /// The week.
    pub(crate) period: Period,
    /// Its days, as far as stations tell.
    pub(crate) days: Vec<DangerDay>,
    /// The table of levels and its citation.
    pub(crate) said: Value,
    /// The block's cover through time.
    pub(crate) change: Option<ForestChange>,
    /// Hot spots of the week in or near the block, by what burned.
    pub(crate) hotspots: BTreeMap<String, usize>,
}

/// The record of a block; none for zones that are no forest blocks. Without a week the newest with days.
pub(crate) async fn fire(
    app: &App,
    feature: &Feature,
    period: Option<Period>,
) -> Outcome<Option<FireRecord>> {
    let store = app.lookup.store();
    let change = store.forest_change(feature.fid).await?;
    let basis = store.fire_basis(DANGER).await?;
    if basis.is_none() && change.is_none() {
        return Ok(None);
    }
    let period = if let Some(period) = period {
        Some(period)
    } else {
        let newest = store.danger(feature.fid, None, None).await?;
        newest.last().map(|day| Period::of_date(day.day))
    };
    let Some(period) = period else { return Ok(None) };
    let days = store
        .danger(feature.fid, Some(period.first_day()), Some(period.last_day()))
        .await?;
    if days.is_empty() && change.is_none() {
        return Ok(None);
    }
    Ok(Some(FireRecord {
        period,
        days,
        said: basis.map_or(Value::Null, |basis| basis.said),
        change,
        hotspots: hotspots(app, feature, period).await?,
    }))
}

async fn hotspots(app: &App, feature: &Feature, period: Period) -> Outcome<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    let Some(b) = feature.bounds() else {
        return Ok(counts);
    };
    let query = FeatureQuery {
        bbox: Some(Bounds::new(
            b.west - AROUND,
            b.south - AROUND,
            b.east + AROUND,
            b.north + AROUND,
        )),
        properties: vec![("week".to_owned(), vec![Sought::of(&period.to_string())])],
        limit: Some(MOST_HOTSPOTS),
        ..FeatureQuery::layer(HOTSPOTS)
    };
    for spot in app.lookup.store().features(&query).await? {
        let burning = spot.properties.get("burning").and_then(Value::as_str);
        *counts.entry(burning.unwrap_or("other").to_owned()).or_insert(0) += 1;
    }
    Ok(counts)
}

impl FireRecord {
    /// The worst level of the week, by the rule of the layer.
    pub(crate) fn worst(&self) -> Option<Level> {
        worst(&self.days)
    }

    /// The newest day.
    pub(crate) fn newest(&self) -> Option<&DangerDay> {
        self.days.last()
    }

    /// The week's cover, where the block was seen.
    fn week(&self) -> Option<&ForestWeek> {
        let first = self.period.first_day();
        self.change.as_ref()?.weeks.iter().find(|week| week.from == first)
    }

    /// The newest look up to the week shown that was judged.
    fn judged(&self) -> Option<&ForestWeek> {
        let last = self.period.last_day();
        let mut weeks = self.change.as_ref()?.weeks.iter().rev();
        weeks.find(|week| week.from <= last && week.cover.is_some())
    }

    /// The alert that stood in the week shown, as the looks up to it tell; a week of clouds does not end it.
    fn alert(&self) -> Option<Alert> {
        self.judged()?.alert
    }

    /// `Cháy rừng: cao nhất trong tuần cấp IV (nguy hiểm); 10/8/2026: cấp IV, P 16 200, FWI 21,3.`
    pub(crate) fn sentence(&self) -> Option<Text> {
        let newest = self.newest()?;
        let write = |language: Language| {
            let vi = language == Language::Vi;
            let pick = |(in_vi, in_en): (&'static str, &'static str)| if vi { in_vi } else { in_en };
            let mut text = match self.worst() {
                Some(level) => format!(
                    "{} {} ({}); ",
                    pick((
                        "Cháy rừng: cao nhất trong tuần cấp",
                        "Forest fire: worst of the week level"
                    )),
                    level.roman(),
                    pick(level.names())
                ),
                None => pick(("Cháy rừng: ", "Forest fire: ")).to_owned(),
            };
            text += &format!("{}: ", words::date(newest.day, language));
            text += &level_words(newest, language);
            if let Some(p) = newest.p {
                text += &format!(", P {}", words::number(p, 0, language));
            }
            if let Some(fwi) = newest.fwi {
                text += &format!(", FWI {}", words::number(fwi, 1, language));
            }
            text + "."
        };
        Some(Text {
            vi: write(Language::Vi),
            en: write(Language::En),
        })
    }

    /// What the cover says: an alert, or the fall of NBR in the week.
    pub(crate) fn change_sentence(&self) -> Option<Text> {
        let alert = self.alert();
        let burned = self.week().and_then(|week| Some((week.dnbr?, week.severity?)));
        let burned = burned.filter(|(dnbr, _)| alert.is_some() || *dnbr >= 0.10);
        if alert.is_none() && burned.is_none() {
            return None;
        }
        let write = |language: Language| {
            let vi = language == Language::Vi;
            let pick = |in_vi: &'static str, in_en: &'static str| if vi { in_vi } else { in_en };
            let mut parts = Vec::new();
            if let Some(alert) = alert {
                parts.push(format!(
                    "{} {}, {}",
                    pick("cảnh báo rừng thay đổi từ", "forest change alert since"),
                    words::days(alert.since, language),
                    if alert.confirmed.is_some() {
                        pick("các lần chụp sau đã xác nhận", "confirmed by later looks")
                    } else {
                        pick(
                            "chờ hai lần chụp sau xác nhận",
                            "to be confirmed by two later looks",
                        )
                    }
                ));
            }
            if let Some((dnbr, severity)) = burned {
                let (in_vi, in_en) = severity.names();
                parts.push(format!(
                    "dNBR {} ({}; {})",
                    words::number(dnbr, 2, language),
                    if vi { in_vi } else { in_en },
                    pick(
                        "ngưỡng chưa hiệu chỉnh cho rừng tràm",
                        "classes not calibrated for melaleuca"
                    )
                ));
            }
            let text = parts.join("; ");
            let mut letters = text.chars();
            let first = letters
                .next()
                .map(|c| c.to_uppercase().to_string())
                .unwrap_or_default();
            format!("{first}{}.", letters.as_str())
        };
        Some(Text {
            vi: write(Language::Vi),
            en: write(Language::En),
        })
    }

    /// As the API tells it.
    pub(crate) fn json(&self) -> Value {
        let both = |text: Text| json!({"vi": text.vi, "en": text.en});
        let week = self.week();
        let change = self.change.as_ref().map(|change| {
            let alert = self.alert();
            let none = if self.judged().is_some() {
                Change::Usual
            } else {
                Change::NotJudged
            };
            json!({
                "state": alert.map_or(none, |alert| alert.state()),
                "cover": week.and_then(|week| week.cover),
                "since": alert.map(|alert| alert.since.to_string()),
                "confirmed": alert.and_then(|alert| alert.confirmed).map(|week| week.to_string()),
                "radar_agrees": alert.is_some() && change.radar_agrees,
                "dnbr": week.and_then(|week| week.dnbr).map(tidy),
                "severity": week.and_then(|week| week.severity),
                "calibrated": false,
                "sentence": self.change_sentence().map(both),
            })
        });
        json!({
            "level": self.worst().map(level_json),
            "days_known": self.days.iter().filter(|day| day.level.is_some()).count(),
            "days": self.days.iter().map(day_json).collect::<Vec<_>>(),
            "newest": self.newest().map(day_json),
            "citation": self.said.get("citation"),
            "levels": self.said.get("levels"),
            "reset_mm": self.said.get("reset_mm"),
            "sentence": self.sentence().map(both),
            "change": change,
            "hotspots": self.hotspots,
        })
    }
}

/// `cấp IV (nguy hiểm)`, `ít nhất cấp II (trung bình)`, `chưa rõ: thiếu số đo lúc 13 giờ`.
pub(crate) fn level_words(day: &DangerDay, language: Language) -> String {
    let vi = language == Language::Vi;
    let named = |start: &str, level: Level| {
        let (in_vi, in_en) = level.names();
        format!("{start} {} ({})", level.roman(), if vi { in_vi } else { in_en })
    };
    if let Some(level) = day.level {
        return named(if vi { "cấp" } else { "level" }, level);
    }
    let why = day
        .unknown
        .map_or(("", ""), sen_catalog::fire::day::Unknown::words);
    let why = if vi { why.0 } else { why.1 };
    match day.level_at_least {
        Some(level) => format!(
            "{}, {why}",
            named(if vi { "ít nhất cấp" } else { "at least level" }, level)
        ),
        None => format!("{}: {why}", if vi { "chưa rõ" } else { "not known" }),
    }
}

fn level_json(level: Level) -> Value {
    let (vi, en) = level.names();
    json!({"number": level, "roman": level.roman(), "title": {"vi": vi, "en": en}})
}

fn day_json(day: &DangerDay) -> Value {
    let tenth = |value: f64| (value * 10.0).round() / 10.0;
    let unknown = day.unknown.map(|unknown| {
        let (vi, en) = unknown.words();
        json!({"reason": unknown, "title": {"vi": vi, "en": en}})
    });
    json!({
        "day": day.day, "p": day.p.map(tenth), "level": day.level.map(level_json),
        "level_at_least": day.level_at_least.map(level_json), "unknown": unknown, "rain_day": day.rain_day,
        "fwi": day.fwi.map(tidy), "fwi_since": day.fwi_since, "station": day.station,
        "temperature_c": day.temperature_c.map(tenth), "humidity_percent": day.humidity_percent.map(tenth),
        "rain_mm": day.rain_mm.map(tenth),
    })
}

/// The answer: every day of the time asked for, and the cover with its judgements.
pub(super) async fn days(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["datetime", "on", "scheme"])?;
    let feature = Which::of(&query)?.zone(&app, part(3), part(4)).await?;
    let store = app.lookup.store();
    let text = query.get("datetime").unwrap_or("");
    let local = |time: DateTime<Utc>| time.with_timezone(&local_zone()).date_naive();
    let when = When::of(&query)?;
    let (from, to) = match when.query {
        TimeQuery::Within(week) => {
            // a date means its day here, not its week
            let day = text.parse().ok();
            (day.or(Some(week.first_day())), day.or(Some(week.last_day())))
        }
        TimeQuery::Week(week) => (Some(week.first_day()), Some(week.last_day())),
        TimeQuery::Between(from, to) => (from.map(local), to.map(local)),
        TimeQuery::Latest => (None, None),
    };
    let mut days = store.danger(feature.fid, from, to).await?;
    if when.newest_alone {
        days.drain(..days.len().saturating_sub(1));
    }
    let basis = store.fire_basis(DANGER).await?;
    let said = basis.map_or(Value::Null, |basis| basis.said);
    let change = store
        .forest_change(feature.fid)
        .await?
        .map(|change| change_json(&change));
    let document = json!({
        "kind": feature.layer, "code": feature.code,
        "citation": said.get("citation"), "levels": said.get("levels"), "reset_mm": said.get("reset_mm"),
        "values": days.iter().map(day_json).collect::<Vec<_>>(),
        "change": change,
    });
    Ok(document::json(headers, MINUTE, &document))
}

fn change_json(change: &ForestChange) -> Value {
    let judgements: Map<String, Value> = change
        .judgements
        .iter()
        .map(|(indicator, judgement)| {
            let sums: Map<String, Value> = judgement
                .sums
                .iter()
                .map(|(week, sum)| (week.to_string(), json!(tidy(*sum))))
                .collect();
            let value = json!({
                "state": judgement.state, "since": judgement.since.map(|week| week.to_string()),
                "confirmed": judgement.confirmed.map(|week| week.to_string()),
                "usual": judgement.usual.map(|(mean, _)| tidy(mean)),
                "spread": judgement.usual.map(|(_, spread)| tidy(spread)), "sums": sums,
            });
            (indicator.name().to_owned(), value)
        })
        .collect();
    let weeks: Vec<Value> = change
        .weeks
        .iter()
        .map(|week| {
            json!({
                "period": Period::of_date(week.from).to_string(), "nbr": week.nbr, "ndmi": week.ndmi, "ndvi": week.ndvi,
                "vh_db": week.vh_db, "dnbr": week.dnbr.map(tidy), "severity": week.severity, "cover": week.cover,
            })
        })
        .collect();
    json!({
        "state": change.state, "since": change.since.map(|week| week.to_string()),
        "confirmed": change.confirmed.map(|week| week.to_string()), "radar_agrees": change.radar_agrees,
        "calibrated": false, "weeks": weeks, "judgements": judgements,
    })
}
