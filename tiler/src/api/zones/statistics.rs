//! `/api/v1/zones/{kind}/{code}/statistics?collection=&datetime=`: a zone's time series as JSON or CSV. `asset=` asks a
//! layer beside the main one, such as `likelihood` of `flood`.

use super::series::{Row, series};
use super::{Tables, Versions, Which};
use crate::api::calibrations::Corrected;
use crate::api::zonal;
use crate::document;
use crate::headers::MINUTE;
use crate::layers::asked;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::spreadsheet::{Cell, Spreadsheet};
use crate::state::Shared;
use crate::style::Style;
use crate::time::When;
use crate::values::tidy;
use axum::extract::{Request, State};
use sen_catalog::calibration::{Calibration, in_use};
use sen_catalog::flood::FLOOD;
use sen_catalog::statistic::ZonalStatistic;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The series.
pub(super) async fn statistics(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let part = |index: usize| parts.get(index).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["collection", "datetime", "asset", "on", "scheme", "f"])?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?;
    let when = When::of(&query)?;
    let which = Which::of(&query)?;
    let (feature, versions) = which.zone_and_versions(&app, part(3), part(4)).await?;
    // the series of a code goes through its versions; a day that is named asks for one of them
    let versions = if which.is_dated() {
        Versions::only(feature.fid)
    } else {
        versions
    };
    let asset = query.get("asset").filter(|asset| *asset != collection);
    // without a time the whole series is meant
    let between = match (when.newest_alone, asset) {
        (false, _) => when.query.weeks(),
        (true, Some(_)) => {
            let item = app.lookup.item(&snapshot, collection, when).await?;
            let newest = item.map(|item| item.period());
            (newest, newest)
        }
        (true, None) => {
            let weeks = Tables::weeks(&app, &snapshot, collection, part(3)).await?;
            let newest = weeks.last().map(|week| week.period);
            (newest, newest)
        }
    };
    let rows = match asset {
        Some(asset) => zonal::beside(&app, collection, asset, between, &feature).await?,
        None => series(&app, &snapshot, (part(3), versions), collection, between).await?,
    };
    let calibrations = app.lookup.calibrations(&snapshot).await?;
    // a layer beside the main one was held against nothing
    let calibration = in_use(&calibrations, collection).filter(|_| asset.is_none());
    match query.get("f") {
        None | Some("json") => {
            let style = app.styles.style(asset.unwrap_or(collection));
            let unit = style.map_or("", |style| &style.unit);
            let document = Series {
                kind: &feature.layer,
                code: &feature.code,
                collection,
                unit,
                values: rows
                    .iter()
                    .map(|row| Week {
                        period: row.period.to_string(),
                        numbers: Numbers::of(&row.statistic, style),
                        corrected: Corrected::of(calibration, row.statistic.mean),
                    })
                    .collect(),
            };
            Ok(document::json(headers, MINUTE, &document))
        }
        Some("csv") => {
            let name = format!("{}_{collection}", feature.code);
            Ok(table(&rows, calibration).answer(headers, &name))
        }
        Some(other) => Err(Problem::bad(
            "f",
            format!("f={other} is not offered; use json or csv"),
        )),
    }
}

/// A series as the API tells it.
#[derive(Serialize)]
struct Series<'a> {
    kind: &'a str,
    code: &'a str,
    collection: &'a str,
    unit: &'a str,
    values: Vec<Week>,
}

/// A week of it.
#[derive(Serialize)]
struct Week {
    period: String,
    #[serde(flatten)]
    numbers: Numbers,
    /// Of the mean.
    #[serde(flatten)]
    corrected: Option<Corrected>,
}

/// A statistic as the API tells it: rounded, and with what its classes say.
#[derive(Serialize)]
pub(super) struct Numbers {
    count: f64,
    mean: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    stdev: Option<f64>,
    median: Option<f64>,
    p10: Option<f64>,
    p90: Option<f64>,
    valid_fraction: f64,
    area_ha: f64,
    classes: BTreeMap<i64, f64>,
    seen: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<BTreeMap<i64, f64>>,
    /// Of the classes that count, where there are classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
}

impl Numbers {
    /// `style` tells which classes stand for what was not seen.
    pub(super) fn of(one: &ZonalStatistic, style: Option<&Style>) -> Self {
        let [mean, min, max, stdev, median, p10, p90] = measures(one).map(|(_, value)| value.map(tidy));
        let seen_ha = seen_ha(one, style);
        let shares = || {
            let known = one.classes.iter().filter(|(class, _)| !is_unseen(**class, style));
            known
                .map(|(class, area)| (*class, tidy(area / seen_ha)))
                .collect()
        };
        Self {
            count: tidy(one.count),
            mean,
            min,
            max,
            stdev,
            median,
            p10,
            p90,
            valid_fraction: tidy(one.valid_fraction),
            area_ha: tidy(one.area_ha),
            classes: one
                .classes
                .iter()
                .map(|(class, area)| (*class, tidy(*area)))
                .collect(),
            seen: tidy(seen(one, style)),
            shares: (seen_ha > 0.0).then(shares),
            share: share(one, style).map(tidy),
        }
    }
}

fn is_unseen(class: i64, style: Option<&Style>) -> bool {
    style.is_some_and(|style| style.is_not_seen(class as f64))
}

/// Hectares of the classes that say something, 0 for measures.
fn seen_ha(one: &ZonalStatistic, style: Option<&Style>) -> f64 {
    let known = one.classes.iter().filter(|(class, _)| !is_unseen(**class, style));
    // not `sum`, whose zero of nothing is a negative one
    known.fold(0.0, |sum, (_, area)| sum + area)
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
    (seen > 0.0).then(|| counted.fold(0.0, |sum, (_, area)| sum + area) / seen)
}

/// Share of flood ([`FLOOD`]) in what was seen of a zone; none where nothing was.
pub(super) fn flood_share(one: &ZonalStatistic, style: Option<&Style>) -> Option<f64> {
    let seen = seen_ha(one, style);
    let flood = one.classes.get(&i64::from(FLOOD)).copied().unwrap_or(0.0);
    (seen > 0.0).then(|| flood / seen)
}

fn measures(one: &ZonalStatistic) -> [(&'static str, Option<f64>); 7] {
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

/// The series as a table.
fn table(rows: &[Row], calibration: Option<&Calibration>) -> Spreadsheet {
    let classes: BTreeSet<i64> = rows
        .iter()
        .flat_map(|row| row.statistic.classes.keys().copied())
        .collect();
    let columns = [
        "period",
        "from",
        "to",
        "count",
        "mean",
        "min",
        "max",
        "stdev",
        "median",
        "p10",
        "p90",
        "valid_fraction",
        "area_ha",
    ];
    let correction: &[&str] = if calibration.is_some() {
        &["corrected", "calibration"]
    } else {
        &[]
    };
    let columns: Vec<String> = columns
        .into_iter()
        .map(str::to_owned)
        .chain(classes.iter().map(|class| format!("class_{class}_ha")))
        .chain(correction.iter().map(ToString::to_string))
        .collect();
    let mut table = Spreadsheet::new(&columns);
    for row in rows {
        let (period, one) = (row.period, &row.statistic);
        let week = [
            Cell::from(period.to_string()),
            Cell::from(period.first_day().to_string()),
            Cell::from(period.last_day().to_string()),
            Cell::from(tidy(one.count)),
        ];
        let mut cells = Vec::from(week);
        cells.extend(measures(one).map(|(_, value)| Cell::from(value.map(tidy))));
        cells.extend([tidy(one.valid_fraction).into(), tidy(one.area_ha).into()]);
        cells.extend(
            classes
                .iter()
                .map(|class| Cell::from(one.classes.get(class).copied().map_or(0.0, tidy))),
        );
        if calibration.is_some() {
            match Corrected::of(calibration, one.mean).map(|corrected| corrected.cells()) {
                Some((value, version)) => cells.extend([value.into(), version.into()]),
                None => cells.extend([Cell::Number(None), Cell::Number(None)]),
            }
        }
        table.record(cells);
    }
    table
}
