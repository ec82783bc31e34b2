//! What burned at each hot spot, and which of them are one fire: written beside what FIRMS said of them.

use crate::Result;
use geo::{Contains, Distance, Euclidean, MapCoords};
use geo_types::{MultiPolygon, Point, coord};
use sen_catalog::crs::Transform;
use sen_catalog::fire::cluster::{Burning, Surroundings, burning, fires, static_sources, summaries};
use sen_catalog::fire::firms::{Hotspot, Processing};
use sen_catalog::fire::{FireSettings, HOTSPOTS};
use sen_catalog::run::{Dataset, StepReport, StepStatus};
use sen_catalog::store::Put;
use sen_catalog::{Bounds, Crs, Feature, FeatureQuery, Store};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Degrees around a hot spot in which forest is looked for, for each metre; generous up to 60 degrees of latitude.
const DEGREES_OF_M: f64 = 2.0 / 111_000.0;

/// Properties that are not the delivery's but found here; a delivery does not take them away.
const FOUND: [&str; 8] = [
    "burning",
    "forest_m",
    "fire",
    "fire_first",
    "fire_last",
    "fire_count",
    "fire_frp_mw",
    "fire_confidence",
];

/// What taking in a delivery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Hot spots that were not known.
    pub added: usize,
    /// Hot spots of which the delivery says something else than the one before.
    pub changed: usize,
    /// Hot spots known as they came.
    pub unchanged: usize,
    /// Hot spots known before, of the same satellite and minute, whose place the delivery takes: it was processed later.
    pub replaced: usize,
    /// Hot spots of the delivery that were left out, as later processed ones of the same satellite and minute are known.
    pub outdated: usize,
}

/// A satellite and the minute it looked.
fn overpass(spot: &Hotspot) -> (String, i64) {
    (spot.satellite.clone(), spot.time.timestamp().div_euclid(60))
}

/// Takes in hot spots; the same cell and overpass is an update. What the archive says of a satellite and minute takes the
/// place of all that was said of them in near real time: it puts the same fires some metres beside.
///
/// # Errors
/// When the catalogue cannot be read or written.
pub async fn take_hotspots(store: &dyn Store, hotspots: &[Hotspot]) -> Result<Taken> {
    let mut taken = Taken::default();
    let known = store.features(&FeatureQuery::layer(HOTSPOTS)).await?;
    let spots: Vec<Option<Hotspot>> = known.iter().map(Hotspot::of_feature).collect();
    let mut best: HashMap<(String, i64), Processing> = HashMap::new();
    for spot in hotspots.iter().chain(spots.iter().flatten()) {
        if let Some(processing) = spot.processing {
            let best = best.entry(overpass(spot)).or_insert(processing);
            *best = processing.max(*best);
        }
    }
    let is_replaced = |spot: &Hotspot| {
        let best = best.get(&overpass(spot));
        best.is_some_and(|best| Processing::is_replaced(spot.processing, *best))
    };
    let mut fresh: BTreeMap<String, Feature> = BTreeMap::new();
    for spot in hotspots {
        if is_replaced(spot) {
            taken.outdated += 1;
        } else {
            let feature = spot.feature();
            fresh.insert(feature.code.clone(), feature);
        }
    }
    let mut replaced = Vec::new();
    for (known, spot) in known.iter().zip(&spots) {
        let Some(new) = fresh.get_mut(&known.code) else {
            if spot.as_ref().is_some_and(&is_replaced) {
                replaced.push(known.fid);
            }
            continue;
        };
        for name in FOUND {
            if let Some(value) = known.properties.get(name) {
                new.properties.insert(name.to_owned(), value.clone());
            }
        }
    }
    if fresh.is_empty() && replaced.is_empty() {
        return Ok(taken);
    }
    let fresh = fresh.into_values().collect();
    let (outcomes, deleted) = store.change_features(fresh, &replaced).await?;
    for outcome in outcomes {
        match outcome {
            Put::Added => taken.added += 1,
            Put::Changed => taken.changed += 1,
            Put::Unchanged => taken.unchanged += 1,
        }
    }
    taken.replaced = deleted;
    Ok(taken)
}

/// Tells fires apart and what burns, for all hot spots; writes only what changed.
///
/// # Errors
/// When the catalogue cannot be read or written.
pub async fn judge_hotspots(
    store: &dyn Store,
    settings: &FireSettings,
    report: &mut StepReport,
) -> Result<()> {
    let mut features = store.features(&FeatureQuery::layer(HOTSPOTS)).await?;
    let read: Vec<Option<Hotspot>> = features.iter().map(Hotspot::of_feature).collect();
    let mut index = 0;
    features.retain(|_| {
        index += 1;
        read[index - 1].is_some()
    });
    let spots: Vec<Hotspot> = read.into_iter().flatten().collect();
    let hot = static_sources(&spots, &settings.hotspots)?;
    let names: BTreeSet<String> = store
        .layers()
        .await?
        .into_iter()
        .map(|layer| layer.name)
        .collect();
    let around = Around {
        store,
        settings,
        has_forest: names.contains(&settings.blocks),
        has_paddies: names.contains(&settings.paddies),
    };
    let (mut kinds, mut surroundings) = (Vec::new(), Vec::new());
    for (spot, hot) in spots.iter().zip(&hot) {
        let around = around.of(spot).await?;
        kinds.push(burning(around, *hot, &settings.hotspots));
        surroundings.push(around);
    }
    let numbers = fires(&spots, &kinds, &settings.hotspots)?;
    let all = summaries(&spots, &numbers);
    let mut changed = Vec::new();
    let mut burned: BTreeMap<&str, usize> = BTreeMap::new();
    for (((mut feature, surroundings), number), kind) in
        features.into_iter().zip(surroundings).zip(&numbers).zip(kinds)
    {
        *burned.entry(figure(kind)).or_default() += 1;
        let before = feature.properties.clone();
        let fire = &all[*number];
        let values = [
            json!(kind.name()),
            json!(surroundings.forest_m.map(f64::round)),
            json!(fire.code),
            json!(fire.first),
            json!(fire.last),
            json!(fire.count),
            json!(fire.power_mw),
            json!(fire.confidence),
        ];
        for (name, value) in FOUND.into_iter().zip(values) {
            if value.is_null() {
                feature.properties.remove(name);
            } else {
                feature.properties.insert(name.to_owned(), value);
            }
        }
        if feature.properties != before {
            changed.push(feature);
        }
    }
    report.figure("hotspots", spots.len());
    report.figure("fires", all.len());
    for kind in [Burning::Forest, Burning::Straw, Burning::Static, Burning::Other] {
        let name = figure(kind);
        report.figure(name, burned.get(name).copied().unwrap_or_default());
    }
    report.figure("changed", changed.len());
    if spots.is_empty() {
        return Ok(());
    }
    let status = if changed.is_empty() {
        StepStatus::UpToDate
    } else {
        store.put_features(changed).await?;
        StepStatus::Made
    };
    report.enter(Dataset::Records("hotspot".to_owned()), None, status);
    Ok(())
}

/// What the count of hot spots of a kind is called: in or near forest, in paddies away from forest (most often straw), of
/// sources that are always hot, elsewhere.
fn figure(kind: Burning) -> &'static str {
    match kind {
        Burning::Forest => "forest",
        Burning::Straw => "straw",
        Burning::Static => "static_sources",
        Burning::Other => "other",
    }
}

/// What lies around a place.
struct Around<'a> {
    store: &'a dyn Store,
    settings: &'a FireSettings,
    has_forest: bool,
    has_paddies: bool,
}

impl Around<'_> {
    async fn of(&self, spot: &Hotspot) -> Result<Surroundings> {
        let place = Point::new(spot.lon, spot.lat);
        let mut around = Surroundings::default();
        if self.has_forest {
            let forest = self
                .near(spot, &self.settings.blocks, self.settings.hotspots.forest_m)
                .await?;
            around.forest_m = distance_m(place, &forest)?;
        }
        if self.has_paddies {
            let paddies = self.near(spot, &self.settings.paddies, 0.0).await?;
            around.in_paddy = paddies
                .iter()
                .filter_map(Feature::polygons)
                .any(|polygons| polygons.contains(&place));
        }
        Ok(around)
    }

    /// Features whose box comes within so many metres, of the day of the look.
    async fn near(&self, spot: &Hotspot, layer: &str, metres: f64) -> Result<Vec<Feature>> {
        let pad = metres * DEGREES_OF_M;
        let local = spot.time.with_timezone(&sen_catalog::period::local_zone());
        let query = FeatureQuery {
            bbox: Some(Bounds::new(
                spot.lon - pad,
                spot.lat - pad,
                spot.lon + pad,
                spot.lat + pad,
            )),
            valid_on: Some(local.date_naive()),
            ..FeatureQuery::layer(layer)
        };
        Ok(self.store.features(&query).await?)
    }
}

/// Metres from a place to the nearest of the features, 0 inside, on the plane of VN-2000 (EPSG:5897).
fn distance_m(place: Point<f64>, features: &[Feature]) -> Result<Option<f64>> {
    let transform = Transform::new(Crs::WGS84, Crs::epsg(5897))?;
    let plane = |x: f64, y: f64| {
        transform
            .point(x, y)
            .map(|(x, y)| coord! { x: x, y: y })
            .ok_or(())
    };
    let Ok(here) = plane(place.x(), place.y()) else {
        return Ok(None);
    };
    let metres = features
        .iter()
        .filter_map(Feature::polygons)
        .filter_map(|polygons| {
            let flat: MultiPolygon<f64> = polygons.try_map_coords(|at| plane(at.x, at.y)).ok()?;
            Some(Euclidean.distance(&Point::from(here), &flat))
        });
    Ok(metres.min_by(f64::total_cmp))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::fire::firms;
    use sen_catalog::store::{Features, SqliteStore};

    const HEAD: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,frp\n";

    fn spots(rows: &[(&str, &str, &str, &str, f64)]) -> Vec<Hotspot> {
        let row = |&(lat, clock, satellite, version, power): &(&str, &str, &str, &str, f64)| {
            format!("{lat},105.5,335,0.4,0.4,2026-03-08,{clock},{satellite},VIIRS,n,{version},{power}\n")
        };
        let text = HEAD.to_owned() + &rows.iter().map(row).collect::<String>();
        let delivery = firms::read(text.as_bytes(), chrono::Utc::now()).expect("hot spots");
        assert_eq!(delivery.reasons, Vec::<String>::new());
        delivery.hotspots
    }

    #[tokio::test]
    async fn the_archive_takes_the_place_of_near_real_time_of_its_satellite_and_minute() {
        let store = SqliteStore::in_memory().expect("opens");
        let near = spots(&[
            ("10.45012", "612", "N20", "2.0NRT", 5.2),
            ("10.46012", "612", "N20", "2.0NRT", 9.2),
            // a false one, which the archive has not
            ("10.90000", "612", "N20", "2.0NRT", 1.0),
            ("10.45012", "613", "N20", "2.0NRT", 2.0),
            ("10.45012", "612", "N21", "2.0NRT", 3.0),
        ]);
        let archive = spots(&[
            ("10.45008", "612", "N20", "2", 5.31),
            ("10.46012", "612", "N20", "2", 9.12),
        ]);
        assert_eq!(take_hotspots(&store, &near).await.expect("taken").added, 5);
        let taken = take_hotspots(&store, &archive).await.expect("taken");
        assert_eq!(
            (taken.added, taken.changed, taken.replaced),
            (1, 1, 2),
            "{taken:?}"
        );
        let powers = async || {
            let all = store
                .features(&FeatureQuery::layer(HOTSPOTS))
                .await
                .expect("features");
            let mut powers: Vec<_> = all
                .iter()
                .filter_map(|one| one.properties["frp_mw"].as_f64())
                .collect();
            powers.sort_by(f64::total_cmp);
            powers
        };
        assert_eq!(powers().await, [2.0, 3.0, 5.31, 9.12]);
        let late = take_hotspots(&store, &near).await.expect("taken");
        assert_eq!((late.outdated, late.unchanged, late.added), (3, 2, 0), "{late:?}");
        let again = take_hotspots(&store, &archive).await.expect("taken");
        assert_eq!((again.unchanged, again.replaced), (2, 0), "{again:?}");
        assert_eq!(powers().await, [2.0, 3.0, 5.31, 9.12]);
        // found by place and by text no more
        let layers = store.layers().await.expect("layers");
        assert_eq!(layers[0].count, 4);
        let near = FeatureQuery {
            bbox: Some(Bounds::new(105.4, 10.89, 105.6, 10.91)),
            ..FeatureQuery::layer(HOTSPOTS)
        };
        assert_eq!(store.features(&near).await.expect("features").len(), 0);
        assert_eq!(store.search("10.90000", 10).await.expect("found").len(), 0);
    }
}
