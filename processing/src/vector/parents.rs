//! What the code of a unit means that zones belong to: codes were given to other units on 2025-07-01, so a bare code
//! needs a day.

use super::noughts;
use crate::{Error, Result};
use chrono::NaiveDate;
use sen_catalog::Feature;
use sen_catalog::admin::{AdminUnit, LAYER, Level};
use sen_catalog::feature::fold;
use sen_catalog::store::Store;
use sen_catalog::store::UnitQuery;
use std::collections::{BTreeSet, HashMap};

/// Property that remembers the day on which a feature's parent code was meant.
const PARENT_ON: &str = "parent_on";

async fn by_code(store: &dyn Store) -> Result<HashMap<String, Vec<AdminUnit>>> {
    let mut units: HashMap<String, Vec<AdminUnit>> = HashMap::new();
    for unit in store.units(&UnitQuery::default()).await? {
        units.entry(unit.code.clone()).or_default().push(unit);
    }
    Ok(units)
}

fn describe(units: &[AdminUnit]) -> String {
    units
        .iter()
        .map(AdminUnit::describe)
        .collect::<Vec<_>>()
        .join("; ")
}

/// Ties the parents of zones to units of one time. `on` is the day the codes were meant; without it a feature's own
/// first day of validity counts. Tells of codes that had lost their leading noughts.
///
/// # Errors
/// [`Error::Invalid`] when a code names units of two times and nothing says which is meant.
pub async fn tie(
    store: &dyn Store,
    features: &mut [Feature],
    on: Option<NaiveDate>,
) -> Result<Option<String>> {
    let units = by_code(store).await?;
    let mut changed = BTreeSet::new();
    for feature in features {
        if let Some(parent) = feature
            .parent
            .as_mut()
            .filter(|parent| !units.contains_key(*parent))
        {
            let mut whole = Level::ALL
                .into_iter()
                .rev()
                .filter_map(|level| Some((noughts::padded(parent, level)?, level)));
            if let Some((whole, level)) = whole.find(|(whole, _)| units.contains_key(whole)) {
                changed.insert(format!("{parent} is {whole} ({})", level.name()));
                *parent = whole;
            }
        }
        let Some(versions) = feature.parent.as_ref().and_then(|code| units.get(code)) else {
            continue;
        };
        if versions.len() < 2 {
            continue;
        }
        let code = feature.parent.as_deref().unwrap_or_default();
        let Some(day) = on.or(feature.valid_from) else {
            return Err(Error::Invalid(format!(
                "{} belongs to {code}, a code that was given again to another unit: {}; a code alone does not say which. \
                 Say the day it was meant with --admin-on DATE (or --valid-from DATE); nothing of the file was taken in",
                feature.code,
                describe(versions)
            )));
        };
        if !versions.iter().any(|unit| unit.valid_on(day)) {
            return Err(Error::Invalid(format!(
                "{} belongs to {code}, but on {day} there was no such unit: {}",
                feature.code,
                describe(versions)
            )));
        }
        feature
            .properties
            .insert(PARENT_ON.to_owned(), day.to_string().into());
    }
    Ok(noughts::note(&changed))
}

/// Gives polygons of units the validity, name and parent of their row in the table of units; gives the rows of those
/// that are in no table, and tells of codes that had lost their leading noughts.
///
/// # Errors
/// [`Error::Invalid`] when a code names units of two times and neither a day nor the name says which is meant.
pub async fn complete(
    store: &dyn Store,
    features: &mut [Feature],
    on: Option<NaiveDate>,
) -> Result<(Vec<AdminUnit>, Option<String>)> {
    let units = by_code(store).await?;
    let mut rows = Vec::new();
    let mut changed = BTreeSet::new();
    for feature in features.iter_mut().filter(|feature| feature.layer == LAYER) {
        let named = feature
            .name
            .as_deref()
            .and_then(|name| Level::of_name(name, &feature.code));
        let Some(level) = Level::of_feature(feature).or(named) else {
            continue;
        };
        if let Some(whole) = noughts::padded(&feature.code, level) {
            changed.insert(format!("{} is {whole} ({})", feature.code, level.name()));
            feature.code = whole;
        }
        let mut versions: Vec<&AdminUnit> = units.get(&feature.code).into_iter().flatten().collect();
        versions.retain(|unit| unit.level == level);
        let said = feature.valid_from.is_some() || feature.valid_to.is_some();
        let day = on
            .or(feature.valid_from)
            .or(feature.valid_to.and_then(|day| day.pred_opt()));
        let chosen = match (day, &versions[..]) {
            (_, []) => None,
            (Some(day), _) => versions.iter().find(|unit| unit.valid_on(day)).copied(),
            (None, [only]) => Some(*only),
            (None, _) => Some(namesake(feature, &versions)?),
        };
        if let Some(unit) = chosen {
            if !said {
                feature.valid_from = unit.valid_from;
                feature.valid_to = unit.valid_to;
            }
            feature.name.get_or_insert_with(|| unit.name.clone());
            feature.parent = feature.parent.take().or_else(|| unit.parent.clone());
        }
        if chosen.is_none_or(|unit| unit.valid_from != feature.valid_from) {
            rows.push(AdminUnit {
                level,
                code: feature.code.clone(),
                valid_from: feature.valid_from,
                valid_to: feature.valid_to,
                name: feature.name.clone().unwrap_or_else(|| feature.code.clone()),
                parent: feature.parent.clone(),
                predecessors: Vec::new(),
            });
        }
    }
    Ok((rows, noughts::note(&changed)))
}

/// The version whose name the feature bears.
fn namesake<'a>(feature: &Feature, versions: &[&'a AdminUnit]) -> Result<&'a AdminUnit> {
    let name = feature.name.as_deref().map(fold).unwrap_or_default();
    let mut same = versions
        .iter()
        .filter(|unit| !name.is_empty() && fold(&unit.name).ends_with(&name));
    if let (Some(unit), None) = (same.next(), same.next()) {
        return Ok(unit);
    }
    let versions: Vec<AdminUnit> = versions.iter().map(|unit| (*unit).clone()).collect();
    Err(Error::Invalid(format!(
        "the code {} was given again to another unit: {}; say which the polygon is of with --admin-on DATE",
        feature.code,
        describe(&versions)
    )))
}
