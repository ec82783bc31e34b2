//! Which unit a zone lies in, on any day: by polygons where the unit has one, else by the code it belongs to and what
//! became of that unit.

use super::{AdminUnit, LAYER, Level};
use crate::Result;
use crate::feature::{Feature, polygons};
use crate::grid::Bounds;
use crate::store::{FeatureQuery, Store, UnitQuery};
use chrono::NaiveDate;
use geo::{Area, BooleanOps, BoundingRect, Centroid, Contains, Scale};
use geo_types::{Coord, Geometry, LineString, MultiPolygon};
use std::collections::HashMap;

/// How the unit of a zone was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By its polygon.
    Geometry,
    /// By the code the zone belongs to, of the same time.
    Parent,
    /// By the code it belongs to and the links between units of different times.
    Succession,
}

/// The unit a zone lies in.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The unit.
    pub unit: AdminUnit,
    /// Share of the zone's area that lies in it, 0 to 1; 1 for points and where no polygon tells.
    pub share: f64,
    /// How it was found.
    pub how: How,
}

/// The units of one level on one day, ready to be asked for many zones.
#[derive(Debug)]
pub struct Hierarchy {
    level: Level,
    day: NaiveDate,
    units: Vec<AdminUnit>,
    by_code: HashMap<String, Vec<usize>>,
    areas: Vec<(AdminUnit, MultiPolygon<f64>, Bounds)>,
}

/// The unit of the level that the zone lies in on the day. For many zones load a [`Hierarchy`] once.
///
/// # Errors
/// What the store says.
pub async fn unit_of(
    store: &dyn Store,
    zone: &Feature,
    level: Level,
    day: NaiveDate,
) -> Result<Option<Placed>> {
    Ok(Hierarchy::load(store, level, day).await?.unit_of(zone))
}

impl Hierarchy {
    /// Loads the units of all times (they explain the codes of the past) and the polygons of this level and day.
    ///
    /// # Errors
    /// What the store says.
    pub async fn load(store: &dyn Store, level: Level, day: NaiveDate) -> Result<Self> {
        let units = store.units(&UnitQuery::default()).await?;
        let mut by_code: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, unit) in units.iter().enumerate() {
            by_code.entry(unit.code.clone()).or_default().push(index);
        }
        let query = FeatureQuery {
            valid_on: Some(day),
            ..FeatureQuery::layer(LAYER)
        };
        let mut areas = Vec::new();
        for feature in store.features(&query).await? {
            if Level::of_feature(&feature) != Some(level) {
                continue;
            }
            if let (Some(polygons), Some(bounds)) = (feature.polygons(), feature.bounds()) {
                let row = units
                    .iter()
                    .find(|unit| unit.level == level && unit.code == feature.code && unit.valid_on(day));
                let unit = row.cloned().unwrap_or_else(|| of_feature(&feature, level));
                areas.push((unit, polygons, bounds));
            }
        }
        Ok(Self {
            level,
            day,
            units,
            by_code,
            areas,
        })
    }

    /// The unit a zone lies in: the one that holds most of its area (of a point or line: its middle).
    pub fn unit_of(&self, zone: &Feature) -> Option<Placed> {
        self.by_geometry(&zone.geometry).or_else(|| self.by_parent(zone))
    }

    fn by_geometry(&self, geometry: &Geometry<f64>) -> Option<Placed> {
        let rect = geometry.bounding_rect()?;
        let (min, max) = (rect.min(), rect.max());
        let zone = Bounds::new(min.x, min.y, max.x, max.y);
        let near = self
            .areas
            .iter()
            .filter(|(_, _, bounds)| bounds.intersects(&zone));
        let Some(shape) = polygons(geometry) else {
            let middle = geometry.centroid()?;
            return near
                .into_iter()
                .find(|(_, area, _)| area.contains(&middle))
                .map(|(unit, ..)| placed(unit, 1.0));
        };
        let mut best: Option<Placed> = None;
        for (unit, area, _) in near {
            let share = share_within(&shape, zone, area);
            if share > best.as_ref().map_or(0.0, |best| best.share) {
                best = Some(placed(unit, share));
            }
            if share > 0.5 {
                break;
            }
        }
        best
    }

    fn by_parent(&self, zone: &Feature) -> Option<Placed> {
        let code = zone.parent.as_ref()?;
        // the day on which the zone's code of its unit was meant, where the import knew it
        let meant = zone.properties.get("parent_on").and_then(|value| value.as_str());
        let meant = meant.and_then(|text| text.parse().ok()).or(zone.valid_from);
        let mut start = self
            .by_code
            .get(code)?
            .iter()
            .map(|&index| &self.units[index])
            .filter(|unit| meant.is_none_or(|day: NaiveDate| unit.valid_on(day)));
        let unit = start.next()?;
        if start.next().is_some() {
            // a bare code of two times names no unit
            return None;
        }
        if let Some(found) = self.climb(unit).filter(|found| found.valid_on(self.day)) {
            return Some(Placed {
                unit: found.clone(),
                share: 1.0,
                how: How::Parent,
            });
        }
        let later = self
            .counterparts(unit)
            .into_iter()
            .find_map(|other| self.climb(other));
        let across = later.or_else(|| {
            self.climb(unit)
                .and_then(|unit| self.counterparts(unit).into_iter().next())
        });
        across
            .filter(|found| found.valid_on(self.day))
            .map(|found| Placed {
                unit: found.clone(),
                share: 1.0,
                how: How::Succession,
            })
    }

    /// The unit of this level above (or at) a unit, of its own time.
    pub(super) fn climb<'a>(&'a self, mut unit: &'a AdminUnit) -> Option<&'a AdminUnit> {
        while unit.level > self.level {
            let parent = unit.parent.as_ref()?;
            let then = unit
                .valid_from
                .or_else(|| unit.valid_to.and_then(|day| day.pred_opt()));
            unit = self
                .by_code
                .get(parent)?
                .iter()
                .map(|&index| &self.units[index])
                .filter(|other| other.level < unit.level)
                .find(|other| then.is_none_or(|day| other.valid_on(day)))?;
        }
        (unit.level == self.level).then_some(unit)
    }

    /// Units of the day that the unit became or was made of, the largest share first.
    fn counterparts(&self, unit: &AdminUnit) -> Vec<&AdminUnit> {
        let mut found: Vec<(f64, &AdminUnit)> = Vec::new();
        for other in self
            .units
            .iter()
            .filter(|other| other.level == unit.level && other.valid_on(self.day))
        {
            for link in &other.predecessors {
                if link.code == unit.code && link.valid_from == unit.valid_from {
                    found.push((link.share.unwrap_or(0.0), other));
                }
            }
            for link in &unit.predecessors {
                if link.code == other.code && link.valid_from == other.valid_from {
                    found.push((link.part.unwrap_or(0.0), other));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, unit)| unit).collect()
    }
}

fn placed(unit: &AdminUnit, share: f64) -> Placed {
    Placed {
        unit: unit.clone(),
        share,
        how: How::Geometry,
    }
}

fn of_feature(feature: &Feature, level: Level) -> AdminUnit {
    AdminUnit {
        level,
        code: feature.code.clone(),
        valid_from: feature.valid_from,
        valid_to: feature.valid_to,
        name: feature.name.clone().unwrap_or_default(),
        parent: feature.parent.clone(),
        predecessors: Vec::new(),
    }
}

/// Share of a shape (with its box) that lies within an area; polygons are cut only where a border runs through.
fn share_within(shape: &MultiPolygon<f64>, zone: Bounds, area: &MultiPolygon<f64>) -> f64 {
    if !area.0.iter().any(|polygon| {
        std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .any(|ring| runs_through(ring, zone))
    }) {
        let corner = geo_types::Point::new(zone.west, zone.south);
        return f64::from(u8::from(area.contains(&corner)));
    }
    overlap(shape, area) / plane_area(shape).max(f64::MIN_POSITIVE)
}

/// True when an edge of the ring may touch the box.
fn runs_through(ring: &LineString<f64>, zone: Bounds) -> bool {
    ring.0.windows(2).any(|edge| {
        let (a, b) = (edge[0], edge[1]);
        a.x.min(b.x) <= zone.east
            && a.x.max(b.x) >= zone.west
            && a.y.min(b.y) <= zone.north
            && a.y.max(b.y) >= zone.south
    })
}

fn plane_area(shape: &MultiPolygon<f64>) -> f64 {
    shape.unsigned_area()
}

/// Area of the intersection in square degrees, cut around the shape's own corner so that no digits are lost.
fn overlap(shape: &MultiPolygon<f64>, area: &MultiPolygon<f64>) -> f64 {
    let Some(rect) = shape.bounding_rect() else {
        return 0.0;
    };
    let origin = Coord { x: 0.0, y: 0.0 };
    let local = |polygons: &MultiPolygon<f64>| {
        use geo::Translate;
        let moved = polygons.translate(-rect.min().x, -rect.min().y);
        moved.scale_around_point(1e3, 1e3, origin)
    };
    local(shape).intersection(&local(area)).unsigned_area() / 1e6
}

/// Shares of two areas in each other: of the first in the second, of the second in the first.
pub(super) fn shares(first: &MultiPolygon<f64>, second: &MultiPolygon<f64>) -> (f64, f64) {
    let both = overlap(first, second);
    let of = |whole: &MultiPolygon<f64>| (both / plane_area(whole).max(f64::MIN_POSITIVE)).min(1.0);
    (of(first), of(second))
}
