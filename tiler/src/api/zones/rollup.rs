//! `/api/v1/zones/{kind}/rollup?collection=&datetime=&level=commune&on=&f=`: the zones of a kind put together by
//! administrative units, of the week's own time or of any other day.
//!
//! Every zone that is valid in the week is counted once: in one unit, or in `outside`. So the hectares of all units and
//! of `outside` are those of `total`, and those of communes are those of their districts and provinces.

use super::tables::Tables;
use super::{day, layer};
use crate::document;
use crate::headers::{HOUR, MINUTE, SEN_PERIOD};
use crate::layers::asked;
use crate::problem::{Outcome, Problem};
use crate::query::{Query, segments};
use crate::spreadsheet::{Cell, Spreadsheet};
use crate::state::{Shared, text_header};
use crate::time::When;
use axum::extract::{Request, State};
use chrono::NaiveDate;
use moka::sync::Cache;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sen_catalog::admin::{AdminUnit, Division, Level};
use sen_catalog::store::UnitQuery;
use sen_catalog::zonal::{RollUp, roll_up_table};
use sen_catalog::{FeatureQuery, Period};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Zones that are read from the store at once.
const PAGE: usize = 1000;

/// The zones of a layer by unit.
#[derive(Debug, Default)]
struct Divided {
    units: Vec<(AdminUnit, Vec<i64>)>,
    outside: Vec<i64>,
}

/// Divisions that were asked for lately, by revision and question; 8 bytes a zone each.
#[derive(Debug)]
pub(crate) struct Divisions(Cache<(u64, String), Arc<Divided>>);

impl Default for Divisions {
    fn default() -> Self {
        Self(Cache::new(16))
    }
}

/// The answer.
pub(super) async fn roll_up(State(app): State<Shared>, request: Request) -> Outcome {
    let (uri, headers) = (request.uri(), request.headers());
    let parts = segments(uri.path())?;
    let kind = parts.get(3).map_or("", AsRef::as_ref);
    let query = Query::of(uri, &["collection", "datetime", "nearest", "level", "on", "f"])?;
    let snapshot = app.lookup.snapshot().await?;
    let collection = asked(&snapshot, &query)?;
    let when = When::of(&query)?;
    let level: Level = query
        .get("level")
        .unwrap_or("commune")
        .parse()
        .map_err(|error: sen_catalog::Error| Problem::bad("level", error.to_string()))?;
    layer(&app, kind).await?;
    let item = app.lookup.item(&snapshot, collection, when).await?;
    let period = item.ok_or_else(|| when.nothing(collection))?.period();
    let week = Tables::week(&app, &snapshot, collection, kind, period).await?;
    let on = day(&query)?.unwrap_or(period.last_day());
    let divided = divided(&app, snapshot.revision, kind, (level, on), period).await?;
    let shared = Arc::clone(&app);
    let work = move || -> Outcome<_> {
        let table = shared.tables.open(&shared.assets, &week)?;
        let sum = |zones: &[i64]| roll_up_table(&table, zones);
        let units: Vec<(AdminUnit, RollUp)> = divided
            .units
            .iter()
            .map(|(unit, zones)| Ok((unit.clone(), sum(zones)?)))
            .collect::<sen_catalog::Result<_>>()?;
        let all: Vec<i64> = divided
            .units
            .iter()
            .flat_map(|(_, zones)| zones)
            .chain(&divided.outside)
            .copied()
            .collect();
        Ok((units, sum(&divided.outside)?, sum(&all)?))
    };
    let (units, outside, total) = app.cpu.run(work).await??;
    let mut response = match query.get("f") {
        None | Some("json") => {
            let values: Vec<Value> = units.iter().map(|(unit, sum)| of_unit(unit, sum)).collect();
            let unit = app.styles.style(collection).map_or("", |style| &style.unit);
            let document = json!({
                "kind": kind, "collection": collection, "unit": unit, "period": period.to_string(),
                "level": level, "on": on, "values": values, "outside": outside, "total": total,
            });
            let cache = if when.is_concrete() { HOUR } else { MINUTE };
            document::json(headers, cache, &document)
        }
        Some("csv") => {
            let name = format!("{kind}_{collection}_{period}_{}", level.name());
            table(&units, &outside, &total).answer(headers, &name)
        }
        Some(other) => {
            let detail = format!("f={other} is not offered; use json or csv");
            return Err(Problem::bad("f", detail));
        }
    };
    response
        .headers_mut()
        .insert(SEN_PERIOD, text_header(&period.to_string()));
    Ok(response)
}

/// Which unit of the day each zone of the week is counted in.
async fn divided(
    app: &Shared,
    revision: u64,
    kind: &str,
    (level, on): (Level, NaiveDate),
    period: Period,
) -> Outcome<Arc<Divided>> {
    let valid = period.last_day();
    let key = (revision, format!("{kind} {} {on} {valid}", level.name()));
    if let Some(divided) = app.divisions.0.get(&key) {
        return Ok(divided);
    }
    let store = app.lookup.store();
    let there = UnitQuery {
        level: Some(level),
        valid_on: Some(on),
        ..UnitQuery::default()
    };
    if store.units(&there).await?.is_empty() {
        let detail = format!(
            "there is no {} on {on} in the catalogue; give another level, another day (on=2025-06-30), or import the \
             units (sen import zones FILE --as admin_units)",
            level.name()
        );
        return Err(Problem::bad("level", detail));
    }
    let division = Arc::new(Division::load(store, level, on).await?);
    let mut by_unit: BTreeMap<(String, Option<NaiveDate>), (AdminUnit, Vec<i64>)> = BTreeMap::new();
    let mut outside = Vec::new();
    let mut after = None;
    loop {
        let page = FeatureQuery {
            valid_on: Some(valid),
            after,
            limit: Some(PAGE),
            ..FeatureQuery::layer(kind)
        };
        let zones = store.features(&page).await?;
        let Some(last) = zones.last().map(|zone| zone.fid) else {
            break;
        };
        after = Some(last);
        let own = Arc::clone(&division);
        let place = move || -> Vec<_> {
            let unit_of = |zone: &sen_catalog::Feature| (zone.fid, own.unit_of(zone));
            zones.par_iter().map(unit_of).collect()
        };
        for (fid, unit) in app.cpu.run(place).await? {
            match unit {
                Some(unit) => {
                    let key = (unit.code.clone(), unit.valid_from);
                    by_unit.entry(key).or_insert((unit, Vec::new())).1.push(fid);
                }
                None => outside.push(fid),
            }
        }
    }
    let divided = Arc::new(Divided {
        units: by_unit.into_values().collect(),
        outside,
    });
    app.divisions.0.insert(key, Arc::clone(&divided));
    Ok(divided)
}

fn of_unit(unit: &AdminUnit, sum: &RollUp) -> Value {
    let mut value = json!(sum);
    if let Some(fields) = value.as_object_mut() {
        for (name, field) in [
            ("code", json!(unit.code)),
            ("name", json!(unit.name)),
            ("parent", json!(unit.parent)),
            ("valid_from", json!(unit.valid_from)),
            ("valid_to", json!(unit.valid_to)),
        ] {
            fields.insert(name.into(), field);
        }
    }
    value
}

/// A row a unit, then what lies in none, then all.
fn table(units: &[(AdminUnit, RollUp)], outside: &RollUp, total: &RollUp) -> Spreadsheet {
    let classes: BTreeSet<i64> = total.classes.keys().copied().collect();
    let columns = [
        "code",
        "name",
        "valid_from",
        "valid_to",
        "parts",
        "parts_seen",
        "count",
        "mean",
        "min",
        "max",
        "stdev",
        "valid_fraction",
        "area_ha",
        "unseen_ha",
    ];
    let columns = columns.into_iter().map(str::to_owned);
    let columns: Vec<String> = columns
        .chain(classes.iter().map(|class| format!("class_{class}_ha")))
        .collect();
    let mut table = Spreadsheet::new(&columns);
    let date = |day: Option<NaiveDate>| day.map_or(String::new(), |day| day.to_string());
    let rows = units.iter().map(|(unit, sum)| {
        let days = (date(unit.valid_from), date(unit.valid_to));
        (unit.code.as_str(), unit.name.as_str(), days, sum)
    });
    let rest = [("outside", outside), ("total", total)];
    let rest = rest.map(|(name, sum)| (name, "", (String::new(), String::new()), sum));
    for (code, name, (from, to), sum) in rows.chain(rest) {
        let words = [
            Cell::from(code),
            Cell::from(name),
            Cell::from(from),
            Cell::from(to),
        ];
        let numbers = [
            (sum.parts as f64).into(),
            (sum.parts_seen as f64).into(),
            sum.count.into(),
            sum.mean.into(),
            sum.min.into(),
            sum.max.into(),
            sum.stdev.into(),
            sum.valid_fraction.into(),
            sum.area_ha.into(),
            sum.unseen_ha.into(),
        ];
        let classes = classes
            .iter()
            .map(|class| Cell::from(sum.classes.get(class).copied().unwrap_or(0.0)));
        table.record(words.into_iter().chain(numbers).chain(classes));
    }
    table
}
