//! Several processings of one look: which of them counts. The one rule: **best tier, then newest processing**.
//!
//! Providers process the same look more than once (ESA's baselines, Landsat's real-time tier, two jobs of one pass) and
//! catalogues mirror each other. Such scenes have different ids, and each would be a look of its own. An older
//! processing is left out where a newer one shows all its ground with all its bands; where nothing tells which is newer
//! (halves of a tile that was received in two parts look like that, too), both stay in the order of the rule, and the
//! second only fills what the first lacks.

use crate::look;
use crate::source::processing_rank::ProcessingRank;
use sen_catalog::{Band, Bounds, Item};
use serde_json::Value;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

/// Share of an outline that the newer processing must show; outlines of one scene shift by some cells.
const SAME_GROUND: f64 = 0.9;

/// A scene of a look that another processing shows as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Duplicate {
    /// `collection/id`.
    pub(crate) scene: String,
    /// Id of the scene that counts.
    pub(crate) of: String,
    /// True when it is not used at all; false when it fills what the other lacks.
    pub(crate) left_out: bool,
}

/// Leaves older processings out and puts the scenes in order: overpasses by time, within one the rule of this module,
/// then time and id.
pub(crate) fn settle(scenes: &mut Vec<Item>) -> Vec<Duplicate> {
    scenes.sort_by(|a, b| {
        (a.interval.start, &a.collection, &a.id).cmp(&(b.interval.start, &b.collection, &b.id))
    });
    let passes = look::passes(scenes);
    let ranks: Vec<ProcessingRank> = scenes.iter().map(ProcessingRank::of).collect();
    let mut order: Vec<usize> = (0..scenes.len()).collect();
    order.sort_by_key(|&index| (passes[index], Reverse(ranks[index]), index));
    let mut duplicates = Vec::new();
    let mut kept: Vec<usize> = Vec::with_capacity(order.len());
    for index in order {
        let scene = &scenes[index];
        let mut same = kept
            .iter()
            .copied()
            .filter(|&other| passes[other] == passes[index] && shows(&scenes[other], scene));
        if let Some(other) = same.next() {
            let newer = ranks[other].compare(ranks[index], &scene.collection) == Ordering::Greater;
            duplicates.push(Duplicate {
                scene: format!("{}/{}", scene.collection, scene.id),
                of: scenes[other].id.clone(),
                left_out: newer,
            });
            if newer {
                continue;
            }
        }
        kept.push(index);
    }
    let mut all: Vec<Option<Item>> = scenes.drain(..).map(Some).collect();
    scenes.extend(kept.into_iter().filter_map(|index| all[index].take()));
    duplicates
}

/// True when a scene shows the ground of another, of the same satellite and with all its bands.
fn shows(scene: &Item, other: &Item) -> bool {
    let text = |item: &Item, name: &str| {
        item.properties
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let differ = |a: Option<String>, b: Option<String>| matches!((a, b), (Some(a), Some(b)) if a != b);
    let tiles = (tile(scene), tile(other));
    let bands = |item: &Item| -> BTreeSet<Band> {
        let own = item.assets.values().filter_map(|asset| asset.band);
        own.filter(|band| crate::source::is_needed(*band)).collect()
    };
    !differ(text(scene, "platform"), text(other, "platform"))
        && match tiles {
            (Some(a), Some(b)) => a == b,
            _ => scene.grid.crs == other.grid.crs,
        }
        && shown(&scene.bbox, &other.bbox) >= SAME_GROUND
        && bands(other).is_subset(&bands(scene))
}

/// The share of the second outline that the first covers.
fn shown(a: &Bounds, b: &Bounds) -> f64 {
    let across = (a.east.min(b.east) - a.west.max(b.west)).max(0.0);
    let down = (a.north.min(b.north) - a.south.max(b.south)).max(0.0);
    across * down / ((b.east - b.west) * (b.north - b.south)).max(f64::MIN_POSITIVE)
}

/// The tile of Sentinel-2's grid, or Landsat's path and row.
fn tile(scene: &Item) -> Option<String> {
    let text = |name: &str| scene.properties.get(name).and_then(Value::as_str);
    let parts = || scene.id.split('_');
    if scene.collection.starts_with("landsat") {
        return parts().nth(2).filter(|part| part.len() == 6).map(str::to_owned);
    }
    let stated =
        text("s2:mgrs_tile").or_else(|| text("grid:code").and_then(|code| code.strip_prefix("MGRS-")));
    let is_tile = |name: &&str| {
        let bytes = name.as_bytes();
        bytes.len() == 5
            && bytes[..2].iter().all(u8::is_ascii_digit)
            && bytes[2..].iter().all(u8::is_ascii_uppercase)
    };
    let named = || {
        parts()
            .map(|part| part.strip_prefix('T').unwrap_or(part))
            .find(is_tile)
    };
    stated.or_else(named).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::processing_rank::PROCESSED;
    use sen_catalog::{Asset, Crs, Grid, Interval};
    use serde_json::json;

    fn scene(collection: &str, id: &str, at: &str, properties: &Value) -> Item {
        let assets = [Band::Red, Band::Nir].map(|band| {
            let asset = Asset {
                band: Some(band),
                ..Asset::new(format!("/{id}/{band}.tif"))
            };
            (band.name().to_owned(), asset)
        });
        Item {
            id: id.to_owned(),
            collection: collection.to_owned(),
            interval: Interval::instant(at.parse().expect("an instant")),
            grid: Grid {
                crs: Crs::UTM_48N,
                west: 569_010.0,
                north: 1_156_990.0,
                cell_width: 10.0,
                cell_height: 10.0,
                width: 40,
                height: 30,
            },
            bbox: Bounds::new(105.63, 10.46, 105.64, 10.47),
            assets: assets.into_iter().collect(),
            lineage: Vec::new(),
            properties: properties.as_object().cloned().unwrap_or_default(),
        }
    }

    fn ids(scenes: &[Item]) -> Vec<&str> {
        scenes.iter().map(|scene| scene.id.as_str()).collect()
    }

    fn sentinel2(baseline: &str, processed: &str) -> Item {
        let id = format!("S2A_MSIL2A_20210519T031521_{baseline}_R118_T48PWS_{processed}");
        scene("sentinel-2-l2a", &id, "2021-05-19T03:15:21Z", &json!({}))
    }

    #[test]
    fn the_newer_baseline_counts_and_runs_of_others_are_never_newer() {
        let old = sentinel2("N0300", "20210519T063012");
        let new = sentinel2("N0500", "20230204T081200");
        let other = sentinel2("N9999", "20260101T120000");
        let expected = new.id.clone();
        let mut scenes = vec![old.clone(), new, other.clone()];
        let duplicates = settle(&mut scenes);
        assert_eq!(ids(&scenes), [expected.as_str()]);
        let left: Vec<_> = duplicates
            .iter()
            .map(|one| (one.scene.clone(), one.left_out))
            .collect();
        let name = |item: &Item| format!("{}/{}", item.collection, item.id);
        assert_eq!(left, [(name(&old), true), (name(&other), true)]);
        assert!(duplicates.iter().all(|one| one.of == expected));
    }

    #[test]
    fn real_time_gives_way_to_the_tiers_and_a_job_to_a_later_one() {
        let landsat = |processed: &str, tier: &str| {
            let id = format!("LC09_L2SP_125053_20260520_{processed}_02_{tier}");
            scene("landsat-c2-l2", &id, "2026-05-20T03:16:31Z", &json!({}))
        };
        let mut scenes = vec![
            landsat("20260521", "RT"),
            landsat("20260603", "T1"),
            landsat("20260522", "T1"),
        ];
        settle(&mut scenes);
        assert_eq!(ids(&scenes), ["LC09_L2SP_125053_20260520_20260603_02_T1"]);
        let job = |id: &str, processed: &str| {
            scene(
                "sentinel-1-rtc",
                id,
                "2026-05-18T22:45:00Z",
                &json!({PROCESSED: processed}),
            )
        };
        let mut scenes = vec![
            job("a_A1B2", "2026:05:19 01:00:00"),
            job("a_C3D4", "2026:06:01 01:00:00"),
        ];
        settle(&mut scenes);
        assert_eq!(ids(&scenes), ["a_C3D4"]);
    }

    #[test]
    fn of_one_processing_in_two_parts_or_catalogues_both_stay_and_are_named() {
        let whole = sentinel2("N0511", "20210519T081200");
        let mirror = scene(
            "sentinel-2-l2a",
            "S2A_48PWS_20210519_0_L2A",
            // tiles of a pass are timed one by one there
            "2021-05-19T03:27:41Z",
            &json!({"s2:processing_baseline": "05.11"}),
        );
        let mut scenes = vec![mirror.clone(), whole.clone()];
        let duplicates = settle(&mut scenes);
        assert_eq!(ids(&scenes), [whole.id.as_str(), mirror.id.as_str()]);
        assert!(!duplicates[0].left_out && duplicates[0].scene.ends_with(&mirror.id));
        assert_eq!(look::passes(&scenes), [0, 0]);
    }

    #[test]
    fn other_tiles_bands_and_ground_are_no_duplicates() {
        let old = sentinel2("N0300", "20210519T063012");
        let mut tile = sentinel2("N0500", "20230204T081200");
        tile.id = tile.id.replace("48PWS", "48PXS");
        let mut fewer = sentinel2("N0500", "20230204T081200");
        fewer.assets.remove("nir");
        let mut part = sentinel2("N0500", "20230204T081200");
        part.bbox.east = 105.635;
        for other in [tile, fewer, part] {
            let mut scenes = vec![old.clone(), other.clone()];
            assert_eq!(settle(&mut scenes), [], "{}", other.id);
            assert_eq!(
                ids(&scenes),
                [other.id.as_str(), old.id.as_str()],
                "the newer comes first"
            );
        }
    }
}
