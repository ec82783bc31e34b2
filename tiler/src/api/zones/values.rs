//! `/api/v1/zones/{kind}/values?collection=&datetime=&statistic=mean&bbox=`: one number of one week for all zones in
//! view, as columns, to colour them with.

use super::tables::Tables;
use super::{bbox, layer};
use crate::document;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::layers::asked;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::state::{Shared, text_header};
use crate::style::Style;
use crate::time::When;
use axum::extract::{Request, State};
use sen_catalog::FeatureQuery;
use sen_catalog::statistic::StatisticTable;
use serde_json::{Value, json};
use std::sync::Arc;

/// Most zones of one answer; more of them need a smaller box.
const MAX_ZONES: usize = 250_000;

/// The column.
pub(super) async fn values(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let kind = parts.get(3).map_or("", AsRef::as_ref).to_owned();
    let query = Query::of(
        uri,
        &["collection", "datetime", "nearest", "statistic", "bbox", "codes"],
    )?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?;
    let (when, bbox) = (When::of(&query)?, bbox(&query)?);
    // a map knows its features by their ids, and the codes are more than half of the bytes
    let with_codes = query.get("codes").is_none() || query.flag("codes")?;
    let statistic = query.get("statistic").unwrap_or("mean").to_owned();
    layer(&app, &kind).await?;
    let item = app.lookup.item(&snapshot, collection, when).await?;
    let item = item.ok_or_else(|| when.nothing(collection))?;
    let period = item.period();
    let week = Tables::week(&app, &snapshot, collection, &kind, period).await?;
    let of_the_week = FeatureQuery {
        bbox,
        valid_on: Some(period.last_day()),
        limit: Some(MAX_ZONES + 1),
        ..FeatureQuery::layer(&kind)
    };
    let mut inside = app.lookup.store().fids(&of_the_week).await?;
    if inside.is_empty() {
        // before the first day of a layer its first zones are better than none
        let of_all_times = FeatureQuery {
            valid_on: None,
            ..of_the_week
        };
        inside = app.lookup.store().fids(&of_all_times).await?;
    }
    let shared = Arc::clone(&app);
    let style = app.styles.style(collection).cloned();
    let columns = app
        .cpu
        .run(move || -> Outcome<Value> {
            let table = shared.tables.open(&shared.assets, &week)?;
            columns(&table, &statistic, &inside, with_codes, style.as_ref())
        })
        .await??;
    let mut document = columns;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("kind".into(), json!(kind));
        fields.insert("collection".into(), json!(collection));
        fields.insert("period".into(), json!(period.to_string()));
    }
    let cache = if when.is_concrete() { HOUR } else { MINUTE };
    let mut response = document::json(headers, cache, &document);
    response
        .headers_mut()
        .insert(SEN_PERIOD, text_header(&period.to_string()));
    Ok(response)
}

/// Codes, feature ids and values of the zones in view, in the order of the ids.
fn columns(
    table: &StatisticTable,
    statistic: &str,
    inside: &[i64],
    with_codes: bool,
    style: Option<&Style>,
) -> Outcome<Value> {
    let column = column(table, statistic, style)?;
    // with all of them in memory a row is found without reading
    let fids = table.fids()?;
    let rows = inside.iter().map(|fid| table.row_of(*fid));
    let rows: Vec<usize> = rows.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    if rows.len() > MAX_ZONES {
        return Err(Problem::too_large(format!(
            "{} zones are more than one answer holds ({MAX_ZONES}); give a bbox",
            rows.len()
        )));
    }
    let ids: Vec<i64> = rows.iter().filter_map(|&row| fids.get(row).copied()).collect();
    // four decimals colour a map as well as ten, in half the bytes
    let round = |value: f64| value.is_finite().then(|| (value * 1e4).round() / 1e4);
    let values: Vec<Option<f64>> = rows
        .iter()
        .map(|&row| column.get(row).copied().and_then(round))
        .collect();
    let mut document = json!({"statistic": statistic, "fids": ids, "values": values});
    if let Some(fields) = document.as_object_mut().filter(|_| with_codes) {
        let codes: Vec<String> = rows
            .iter()
            .map(|&row| table.code(row))
            .collect::<Result<_, _>>()?;
        fields.insert("codes".into(), json!(codes));
    }
    Ok(document)
}

/// A column of the table; `class_{value}_share` is the class's share of what was seen of the zone, `share` that of the
/// classes that count together.
fn column(table: &StatisticTable, statistic: &str, style: Option<&Style>) -> Outcome<Vec<f64>> {
    let unknown = || {
        Problem::bad(
            "statistic",
            format!(
                "`{statistic}` is no statistic; use count, mean, min, max, stdev, median, p10, p90, \
                 valid_fraction, area_ha, class_1_ha, class_1_share, share or majority"
            ),
        )
    };
    if statistic == "majority" {
        return majority(table, style)?.ok_or_else(unknown);
    }
    let class = statistic
        .strip_suffix("_share")
        .filter(|name| name.starts_with("class_"));
    if class.is_none() && statistic != "share" {
        let column = table.column(statistic)?.map(<[f64]>::to_vec);
        // a class that the week does not have covers nothing of any zone
        let absent = || is_class(style, statistic, "_ha").then(|| vec![0.0; table.len()]);
        return column.or_else(absent).ok_or_else(unknown);
    }
    let counts = |number: f64| match class {
        Some(class) => class == format!("class_{number}"),
        None => style.map_or(number == 1.0, |style| style.is_counted(number)),
    };
    let (mut own, mut seen) = (vec![0.0; table.len()], vec![0.0; table.len()]);
    let mut known = is_class(style, statistic, "_share");
    for name in table.columns() {
        let number = name
            .strip_prefix("class_")
            .and_then(|name| name.strip_suffix("_ha"));
        let Some(number) = number.and_then(|number| number.parse::<f64>().ok()) else {
            continue;
        };
        let areas = table.column(name)?.unwrap_or(&[]);
        let add = |sums: &mut [f64]| {
            for (sum, area) in sums.iter_mut().zip(areas) {
                *sum += if area.is_nan() { 0.0 } else { *area };
            }
        };
        if counts(number) {
            known = true;
            add(&mut own);
        }
        if !style.is_some_and(|style| style.is_not_seen(number)) {
            add(&mut seen);
        }
    }
    // a class that neither the style nor the week has is asked for by mistake; that none of several occurs is an answer
    if !known && class.is_some() {
        return Err(unknown());
    }
    // nothing seen: 0 / 0, which is no value
    Ok(own.iter().zip(&seen).map(|(own, seen)| own / seen).collect())
}

/// True for `class_5_share` or `class_5_ha` of a class that the style knows.
fn is_class(style: Option<&Style>, statistic: &str, suffix: &str) -> bool {
    let number = statistic
        .strip_prefix("class_")
        .and_then(|name| name.strip_suffix(suffix));
    let number = number.and_then(|number| number.parse::<f64>().ok());
    let knows =
        |number: f64| style.is_some_and(|style| style.is_classes() && style.class_title(number).is_some());
    number.is_some_and(knows)
}

/// The class that most of each zone has; none where most of it was not seen, nor for rasters without classes.
fn majority(table: &StatisticTable, style: Option<&Style>) -> sen_catalog::Result<Option<Vec<f64>>> {
    let mut most = vec![(f64::NAN, 0.0); table.len()];
    let mut found = false;
    for name in table.columns() {
        let number = name
            .strip_prefix("class_")
            .and_then(|name| name.strip_suffix("_ha"));
        let Some(number) = number.and_then(|number| number.parse::<f64>().ok()) else {
            continue;
        };
        found = true;
        let told = if style.is_some_and(|style| style.is_not_seen(number)) {
            f64::NAN
        } else {
            number
        };
        for (most, area) in most.iter_mut().zip(table.column(name)?.unwrap_or(&[])) {
            if *area > most.1 {
                *most = (told, *area);
            }
        }
    }
    // nothing of any class lies in a zone that was not seen
    let found = found || style.is_some_and(Style::is_classes);
    Ok(found.then(|| most.into_iter().map(|(class, _)| class).collect()))
}
