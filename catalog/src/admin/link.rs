//! What a unit was made of: measured where both have polygons, otherwise as far as codes and names tell.

use super::hierarchy::shares;
use super::{AdminUnit, Basis, LAYER, Level, Predecessor};
use crate::Result;
use crate::feature::fold;
use crate::store::{FeatureQuery, Put, Store, UnitQuery};
use geo::{BoundingRect, Intersects};
use geo_types::MultiPolygon;
use std::collections::{BTreeMap, HashMap};

/// Overlaps below this share of either side are sloppy borders, not succession.
const LEAST_SHARE: f64 = 0.005;
/// A province is made of another when at least this share of its communes' codes came from there.
const LEAST_COMMUNES: f64 = 0.02;
/// Ranks written before a name.
const RANKS: &[&str] = &[
    "Thành phố",
    "Thị trấn",
    "Thị xã",
    "Đặc khu",
    "Phường",
    "Huyện",
    "Quận",
    "Tỉnh",
    "Xã",
];

/// Index of a unit.
type Key = (Level, String, Option<chrono::NaiveDate>);

fn key(unit: &AdminUnit) -> Key {
    (unit.level, unit.code.clone(), unit.valid_from)
}

/// Finds the predecessors of every unit that began after others ended; links that a table gave are kept. Gives how
/// many units changed.
///
/// # Errors
/// What the store says.
pub async fn link(store: &dyn Store) -> Result<usize> {
    let units = store.units(&UnitQuery::default()).await?;
    let mut shapes: HashMap<Key, MultiPolygon<f64>> = HashMap::new();
    for feature in store.features(&FeatureQuery::layer(LAYER)).await? {
        if let (Some(level), Some(polygons)) = (Level::of_feature(&feature), feature.polygons()) {
            shapes.insert((level, feature.code, feature.valid_from), polygons);
        }
    }
    let changed = relinked(&units, &shapes);
    let outcomes = store.put_units(changed).await?;
    Ok(outcomes.iter().filter(|put| **put != Put::Unchanged).count())
}

/// The units whose links are new.
fn relinked(units: &[AdminUnit], shapes: &HashMap<Key, MultiPolygon<f64>>) -> Vec<AdminUnit> {
    let mut by_code: HashMap<(Level, &str), Vec<&AdminUnit>> = HashMap::new();
    for unit in units {
        by_code.entry((unit.level, &unit.code)).or_default().push(unit);
    }
    let provinces = by_communes(units, &by_code);
    let names = by_name(units);
    let mut changed = Vec::new();
    for unit in units {
        let Some(before) = unit.valid_from.and_then(|day| day.pred_opt()) else {
            continue;
        };
        if unit.predecessors.iter().any(|link| link.basis == Basis::Given) {
            continue;
        }
        let mut links = measured(unit, before, units, shapes);
        if unit.level == Level::Province {
            for old in provinces.get(&key(unit)).into_iter().flatten() {
                if !links.iter().any(|link| link.code == old.code) {
                    links.push(hint(old, Basis::Communes));
                }
            }
        }
        if links.is_empty() && unit.level == Level::Commune {
            let own: Vec<&str> = unit
                .parent
                .iter()
                .filter_map(|parent| provinces.get(&(Level::Province, parent.clone(), unit.valid_from)))
                .flatten()
                .map(|old| old.code.as_str())
                .collect();
            let namesakes = names.get(&(unit.level, base_name(&unit.name)));
            let mut namesakes = namesakes
                .into_iter()
                .flatten()
                .filter(|old| old.valid_on(before) && key(old) != key(unit))
                .filter(|old| province_of(old, &by_code).is_some_and(|province| own.contains(&province)));
            if let (Some(only), None) = (namesakes.next(), namesakes.next()) {
                links.push(hint(only, Basis::Name));
            }
        }
        if links != unit.predecessors {
            changed.push(AdminUnit {
                predecessors: links,
                ..unit.clone()
            });
        }
    }
    changed
}

fn hint(old: &AdminUnit, basis: Basis) -> Predecessor {
    Predecessor {
        code: old.code.clone(),
        valid_from: old.valid_from,
        share: None,
        part: None,
        basis,
    }
}

/// Links by overlapping polygons.
fn measured(
    unit: &AdminUnit,
    before: chrono::NaiveDate,
    units: &[AdminUnit],
    shapes: &HashMap<Key, MultiPolygon<f64>>,
) -> Vec<Predecessor> {
    let Some((area, rect)) = shapes
        .get(&key(unit))
        .and_then(|area| Some((area, area.bounding_rect()?)))
    else {
        return Vec::new();
    };
    let mut links = Vec::new();
    let olds = units
        .iter()
        .filter(|old| old.level == unit.level && old.valid_on(before) && key(old) != key(unit));
    for old in olds {
        let Some(shape) = shapes.get(&key(old)) else {
            continue;
        };
        if !shape.bounding_rect().is_some_and(|other| other.intersects(&rect)) {
            continue;
        }
        let (part, share) = shares(area, shape);
        if share >= LEAST_SHARE || part >= LEAST_SHARE {
            links.push(Predecessor {
                share: Some(share),
                part: Some(part),
                ..hint(old, Basis::Geometry)
            });
        }
    }
    links.sort_by(|a, b| b.part.unwrap_or(0.0).total_cmp(&a.part.unwrap_or(0.0)));
    links
}

/// For each province that began: the provinces of the day before from which the codes of its communes came.
fn by_communes<'a>(
    units: &'a [AdminUnit],
    by_code: &HashMap<(Level, &str), Vec<&'a AdminUnit>>,
) -> HashMap<Key, Vec<&'a AdminUnit>> {
    let mut counts: HashMap<Key, BTreeMap<&str, usize>> = HashMap::new();
    for commune in units.iter().filter(|unit| unit.level == Level::Commune) {
        let (Some(day), Some(parent)) = (commune.valid_from, &commune.parent) else {
            continue;
        };
        let Some(before) = day.pred_opt() else { continue };
        let old = by_code
            .get(&(Level::Commune, commune.code.as_str()))
            .and_then(|same| same.iter().find(|old| old.valid_on(before)));
        if let Some(province) = old.and_then(|old| province_of(old, by_code)) {
            let provinces = counts
                .entry((Level::Province, parent.clone(), Some(day)))
                .or_default();
            *provinces.entry(province).or_default() += 1;
        }
    }
    let mut found = HashMap::new();
    for (province, counts) in counts {
        let all: usize = counts.values().sum();
        let Some(before) = province.2.and_then(|day| day.pred_opt()) else {
            continue;
        };
        let olds: Vec<&AdminUnit> = counts
            .into_iter()
            .filter(|(_, count)| *count as f64 / all as f64 >= LEAST_COMMUNES)
            .filter_map(|(code, _)| {
                let same = by_code.get(&(Level::Province, code))?;
                same.iter().copied().find(|old| old.valid_on(before))
            })
            .collect();
        found.insert(province, olds);
    }
    found
}

/// Code of the province that a unit belonged to in its time.
fn province_of<'a>(
    unit: &'a AdminUnit,
    by_code: &HashMap<(Level, &str), Vec<&'a AdminUnit>>,
) -> Option<&'a str> {
    let parent = unit.parent.as_deref()?;
    if Level::of_code(parent)? == Level::Province {
        return Some(parent);
    }
    let then = unit
        .valid_from
        .or_else(|| unit.valid_to.and_then(|day| day.pred_opt()));
    let districts = by_code.get(&(Level::District, parent))?;
    let district = districts
        .iter()
        .find(|district| then.is_none_or(|day| district.valid_on(day)))?;
    district.parent.as_deref()
}

fn by_name(units: &[AdminUnit]) -> HashMap<(Level, String), Vec<&AdminUnit>> {
    let mut names: HashMap<(Level, String), Vec<&AdminUnit>> = HashMap::new();
    for unit in units {
        names
            .entry((unit.level, base_name(&unit.name)))
            .or_default()
            .push(unit);
    }
    names
}

/// The name without its rank, letters with their accents: Mỹ Quý and Mỹ Quy are two.
fn base_name(name: &str) -> String {
    let bare = RANKS
        .iter()
        .find_map(|rank| name.strip_prefix(rank))
        .unwrap_or(name)
        .trim()
        .to_lowercase();
    if fold(&bare).chars().all(|c| c.is_ascii_digit()) {
        // Phường 1 is no name that outlives its city
        return format!("{bare} of {name}");
    }
    bare
}
