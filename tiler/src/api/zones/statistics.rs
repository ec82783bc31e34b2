//! `/api/v1/zones/{kind}/{code}/statistics?collection=&datetime=`: a zone's time series as JSON or CSV. `asset=` asks a
//! layer beside the main one, such as `likelihood` of `flood`.

use super::series::{Row, series};
use super::{day, zone};
use crate::api::zonal;
use crate::document;
use crate::headers::MINUTE;
use crate::layers::asked;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::Shared;
use crate::style::Style;
use crate::time::When;
use crate::values::tidy;
use axum::extract::{Request, State};
use sen_catalog::statistic::ZonalStatistic;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The series.
pub(super) async fn statistics(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let query = Query::of(uri)?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?;
    // without a time the whole series is meant
    let between = When::of(&query)?.query.weeks();
    let feature = zone(&app, part(3), part(4), day(&query)?).await?;
    let asset = query.get("asset").filter(|asset| *asset != collection);
    let rows = match asset {
        Some(asset) => zonal::beside(&app, collection, asset, between, &feature).await?,
        None => series(&app, &snapshot, (part(3), feature.fid), collection, between).await?,
    };
    match query.get("f") {
        None | Some("json") => {
            let style = app.styles.style(asset.unwrap_or(collection));
            let unit = style.map_or("", |style| &style.unit);
            let values: Vec<Value> = rows
                .iter()
                .map(|row| Value::Object(json_of(row, style)))
                .collect();
            let document = json!({"kind": feature.layer, "code": feature.code, "collection": collection,
                "unit": unit, "values": values});
            Ok(document::json(headers, MINUTE, &document))
        }
        Some("csv") => {
            let name = format!("{}_{collection}", feature.code);
            Ok(document::csv(headers, &name, csv(&rows)))
        }
        Some(other) => Err(Problem::bad(
            "f",
            format!("f={other} is not offered; use json or csv"),
        )),
    }
}

/// A week as the API tells it.
pub(super) fn json_of(row: &Row, style: Option<&Style>) -> Map<String, Value> {
    let one = &row.statistic;
    let mut entry = Map::new();
    entry.insert("period".into(), json!(row.period.to_string()));
    entry.insert("count".into(), json!(tidy(one.count)));
    for (name, value) in measures(row) {
        entry.insert(name.into(), json!(value.map(tidy)));
    }
    entry.insert("valid_fraction".into(), json!(tidy(one.valid_fraction)));
    entry.insert("area_ha".into(), json!(tidy(one.area_ha)));
    let classes: Map<String, Value> = one
        .classes
        .iter()
        .map(|(class, area)| (class.to_string(), json!(tidy(*area))))
        .collect();
    entry.insert("classes".into(), Value::Object(classes));
    entry.insert("seen".into(), json!(tidy(seen(one, style))));
    let seen_ha = seen_ha(one, style);
    if seen_ha > 0.0 {
        let shares = one.classes.iter().filter(|(class, _)| !is_unseen(**class, style));
        let shares: Map<String, Value> = shares
            .map(|(class, area)| (class.to_string(), json!(tidy(area / seen_ha))))
            .collect();
        entry.insert("shares".into(), Value::Object(shares));
        entry.insert("share".into(), json!(share(one, style).map(tidy)));
    }
    entry
}

fn is_unseen(class: i64, style: Option<&Style>) -> bool {
    style.is_some_and(|style| style.is_not_seen(class as f64))
}

/// Hectares of the classes that say something, 0 for measures.
fn seen_ha(one: &ZonalStatistic, style: Option<&Style>) -> f64 {
    let known = one.classes.iter().filter(|(class, _)| !is_unseen(**class, style));
    known.map(|(_, area)| area).sum()
}

/// Share of the zone that was seen: class rasters have a class for what was not.
pub(crate) fn seen(one: &ZonalStatistic, style: Option<&Style>) -> f64 {
    if one.classes.is_empty() || one.area_ha <= 0.0 {
        one.valid_fraction
    } else {
        (seen_ha(one, style) / one.area_ha).clamp(0.0, 1.0)
    }
}

/// Share of the classes that count ([`Style::is_counted`]) in what was seen of a zone; none where nothing was.
pub(crate) fn share(one: &ZonalStatistic, style: Option<&Style>) -> Option<f64> {
    let seen = seen_ha(one, style);
    let counts = |class: i64| style.map_or(class == 1, |style| style.is_counted(class as f64));
    let counted = one.classes.iter().filter(|(class, _)| counts(**class));
    (seen > 0.0).then(|| counted.map(|(_, area)| area).sum::<f64>() / seen)
}

fn measures(row: &Row) -> [(&'static str, Option<f64>); 7] {
    let one = &row.statistic;
    [
        ("mean", one.mean),
        ("min", one.min),
        ("max", one.max),
        ("stdev", one.stdev),
        ("median", one.median),
        ("p10", one.p10),
        ("p90", one.p90),
    ]
}

/// The table as spreadsheet programs read it: the mark at its start tells Excel that it is UTF-8.
fn csv(rows: &[Row]) -> String {
    let classes: BTreeSet<i64> = rows
        .iter()
        .flat_map(|row| row.statistic.classes.keys().copied())
        .collect();
    let mut text =
        "\u{feff}period,from,to,count,mean,min,max,stdev,median,p10,p90,valid_fraction,area_ha".to_owned();
    for class in &classes {
        let _ = write!(text, ",class_{class}_ha");
    }
    text.push_str("\r\n");
    for row in rows {
        let (period, one) = (row.period, &row.statistic);
        let _ = write!(
            text,
            "{period},{},{},{}",
            period.first_day(),
            period.last_day(),
            tidy(one.count)
        );
        for (_, value) in measures(row) {
            text.push(',');
            if let Some(value) = value {
                let _ = write!(text, "{}", tidy(value));
            }
        }
        let _ = write!(text, ",{},{}", tidy(one.valid_fraction), tidy(one.area_ha));
        for class in &classes {
            let _ = write!(text, ",{}", one.classes.get(class).copied().map_or(0.0, tidy));
        }
        text.push_str("\r\n");
    }
    text
}
