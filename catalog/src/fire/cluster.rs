//! Which hot spots are one fire, and what burned: forest, straw in a paddy, or a chimney that is always hot.

use super::firms::{Confidence, Hotspot, Instrument};
use super::settings::HotspotSettings;
use crate::crs::Transform;
use crate::{Crs, Result};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The plane in which distances are measured: VN-2000 / TM-3 zone 482, metres.
const PLANE: Crs = Crs::epsg(5897);

/// What burned, as far as the layers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Burning {
    /// In a forest block or near one.
    Forest,
    /// In a paddy away from forest: most often straw after the harvest.
    Straw,
    /// Elsewhere.
    Other,
    /// A source that is always hot (or that the archive calls so): chimney, flare, volcano.
    Static,
}

impl Burning {
    /// The word in properties.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forest => "forest",
            Self::Straw => "straw",
            Self::Other => "other",
            Self::Static => "static",
        }
    }
}

/// What lies around a hot spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Metres to the nearest forest block, where one is near.
    pub forest_m: Option<f64>,
    /// True when it lies in a paddy.
    pub in_paddy: bool,
}

/// What burned at a hot spot.
pub fn burning(around: Surroundings, is_static: bool, settings: &HotspotSettings) -> Burning {
    if is_static {
        Burning::Static
    } else if around.forest_m.is_some_and(|metres| metres <= settings.forest_m) {
        Burning::Forest
    } else if around.in_paddy {
        Burning::Straw
    } else {
        Burning::Other
    }
}

/// One fire, as its hot spots tell.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fire {
    /// Code of its first hot spot.
    pub code: String,
    /// First look that saw it.
    pub first: DateTime<Utc>,
    /// Last look that saw it.
    pub last: DateTime<Utc>,
    /// Hot spots.
    pub count: usize,
    /// Sum of their radiative power, MW; none where no file told it.
    pub power_mw: Option<f64>,
    /// The surest of them.
    pub confidence: Option<Confidence>,
}

/// Hot spots on the plane; none for those it cannot hold.
fn places(hotspots: &[Hotspot]) -> Result<Vec<Option<(f64, f64)>>> {
    let transform = Transform::new(Crs::WGS84, PLANE)?;
    // far from its meridian a transverse Mercator is no plane any more
    let near = |hotspot: &Hotspot| (hotspot.lon - 105.0).abs() < 15.0;
    let place = |hotspot: &Hotspot| {
        near(hotspot)
            .then(|| transform.point(hotspot.lon, hotspot.lat))
            .flatten()
    };
    Ok(hotspots.iter().map(place).collect())
}

/// Numbers of fires, a number a hot spot from 0 on in the order of their first hot spots: DBSCAN with a minimum of one, in
/// metres and hours, among hot spots where the same burns (`burning`, one each): straw beside a forest is a fire of its
/// own. So are hot spots far outside the country.
///
/// # Errors
/// When the plane is not known.
pub fn fires(hotspots: &[Hotspot], burning: &[Burning], settings: &HotspotSettings) -> Result<Vec<usize>> {
    let places = places(hotspots)?;
    let reach = settings.viirs_m.max(settings.modis_m);
    let cell = |x: f64, y: f64| ((x / reach).floor() as i64, (y / reach).floor() as i64);
    let mut cells: HashMap<(i64, i64), Vec<usize>> = HashMap::new();
    for (index, place) in places.iter().enumerate() {
        if let Some((x, y)) = place {
            cells.entry(cell(*x, *y)).or_default().push(index);
        }
    }
    for members in cells.values_mut() {
        members.sort_unstable_by_key(|index| hotspots[*index].time);
    }
    let chain = TimeDelta::seconds((settings.chain_h.clamp(0.0, 8760.0) * 3600.0) as i64);
    let mut sets = Sets::new(hotspots.len());
    for (index, place) in places.iter().enumerate() {
        let Some((x, y)) = *place else { continue };
        let (column, row) = cell(x, y);
        let time = hotspots[index].time;
        for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
            let Some(members) = cells.get(&(column + dx, row + dy)) else {
                continue;
            };
            // members are in the order of time: only those within the chain, and only later ones
            let from = members.partition_point(|other| hotspots[*other].time < time);
            let later = members.iter().skip(from).copied();
            for other in later.take_while(|other| hotspots[*other].time - time <= chain) {
                let Some((ox, oy)) = places[other] else { continue };
                let coarse = [index, other]
                    .iter()
                    .any(|one| hotspots[*one].instrument == Instrument::Modis);
                let most = if coarse {
                    settings.modis_m
                } else {
                    settings.viirs_m
                };
                if burning.get(index) == burning.get(other) && (ox - x).hypot(oy - y) <= most {
                    sets.join(index, other);
                }
            }
        }
    }
    Ok(numbered(&mut sets, hotspots))
}

/// Sets as numbers in the order of their earliest hot spot.
fn numbered(sets: &mut Sets, hotspots: &[Hotspot]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..hotspots.len()).collect();
    order.sort_by_cached_key(|index| (hotspots[*index].time, hotspots[*index].code()));
    let mut numbers: HashMap<usize, usize> = HashMap::new();
    let mut fires = vec![0; hotspots.len()];
    for index in order {
        let root = sets.root(index);
        let next = numbers.len();
        fires[index] = *numbers.entry(root).or_insert(next);
    }
    fires
}

/// What each fire is, by the numbers of [`fires`].
pub fn summaries(hotspots: &[Hotspot], fires: &[usize]) -> Vec<Fire> {
    let mut members: BTreeMap<usize, Vec<&Hotspot>> = BTreeMap::new();
    for (hotspot, fire) in hotspots.iter().zip(fires) {
        members.entry(*fire).or_default().push(hotspot);
    }
    let summary = |mut members: Vec<&Hotspot>| {
        members.sort_by_cached_key(|hotspot| (hotspot.time, hotspot.code()));
        let (first, last) = (members.first()?, members.last()?);
        let power: Vec<f64> = members.iter().filter_map(|hotspot| hotspot.power_mw).collect();
        Some(Fire {
            code: first.code(),
            first: first.time,
            last: last.time,
            count: members.len(),
            power_mw: (!power.is_empty()).then(|| (power.iter().sum::<f64>() * 100.0).round() / 100.0),
            confidence: members.iter().filter_map(|hotspot| hotspot.confidence).max(),
        })
    };
    members.into_values().filter_map(summary).collect()
}

/// Which hot spots are of a source that is always hot: what the archive calls so, and cells with hot spots on more days
/// than the setting within its span, counted in local days.
///
/// # Errors
/// When the plane is not known.
pub fn static_sources(hotspots: &[Hotspot], settings: &HotspotSettings) -> Result<Vec<bool>> {
    let places = places(hotspots)?;
    let zone = crate::period::local_zone();
    let day = |hotspot: &Hotspot| hotspot.time.with_timezone(&zone).date_naive();
    let cell = |place: &Option<(f64, f64)>| {
        place.map(|(x, y)| {
            let size = settings.static_cell_m;
            ((x / size).floor() as i64, (y / size).floor() as i64)
        })
    };
    let mut days: HashMap<(i64, i64), BTreeSet<NaiveDate>> = HashMap::new();
    for (hotspot, place) in hotspots.iter().zip(&places) {
        if let Some(cell) = cell(place) {
            days.entry(cell).or_default().insert(day(hotspot));
        }
    }
    let always = |days: &BTreeSet<NaiveDate>| {
        let days: Vec<NaiveDate> = days.iter().copied().collect();
        let span = TimeDelta::days(settings.static_within_days.clamp(0, 36_500));
        days.windows(settings.static_days.saturating_add(1))
            .any(|window| matches!((window.first(), window.last()), (Some(a), Some(b)) if *b - *a < span))
    };
    let hot: BTreeSet<(i64, i64)> = days
        .iter()
        .filter(|(_, days)| always(days))
        .map(|(cell, _)| *cell)
        .collect();
    let of = |(hotspot, place): (&Hotspot, &Option<(f64, f64)>)| {
        matches!(hotspot.kind, Some(1..)) || cell(place).is_some_and(|cell| hot.contains(&cell))
    };
    Ok(hotspots.iter().zip(&places).map(of).collect())
}

/// Disjoint sets by their roots.
struct Sets(Vec<usize>);

impl Sets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
