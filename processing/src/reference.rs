//! Which earlier radar scenes a look may be compared with: those of the same relative orbit, and no others.

use crate::look;
use crate::product::Sensor;
use chrono::TimeDelta;
use sen_catalog::Item;
use serde_json::Value;

/// Days that a reference may be older than its look: three repeat cycles. Crops change too much over longer times.
pub(crate) const REFERENCE_DAYS: i64 = 36;
/// Sentinel-1 flies over the same ground on the same track every twelve days.
const REPEAT_DAYS: i64 = 12;
/// Seconds by which the passes of one track differ at most, metadata aside; neighbouring tracks are over an hour apart.
const TRACK_S: i64 = 60;

/// True when both scenes were taken from the same relative orbit: by their metadata, or, where one has none, when whole
/// repeat cycles lie between them to the minute. Scenes of different collections (gamma0 and sigma0) are never compared.
pub(crate) fn same_track(a: &Item, b: &Item) -> bool {
    if a.collection != b.collection {
        return false;
    }
    let text = |item: &Item, name: &str| {
        item.properties
            .get(name)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let orbit = |item: &Item| item.properties.get("sat:relative_orbit").and_then(Value::as_u64);
    let state = |item: &Item| text(item, "sat:orbit_state");
    if let (Some(a), Some(b)) = (state(a), state(b))
        && a != b
    {
        return false;
    }
    if let (Some(a), Some(b)) = (orbit(a), orbit(b)) {
        return a == b;
    }
    let cycle = TimeDelta::days(REPEAT_DAYS).num_seconds();
    let apart = (a.interval.start - b.interval.start)
        .num_seconds()
        .rem_euclid(cycle);
    apart.min(cycle - apart) <= TRACK_S
}

/// The scenes of the newest earlier pass of the same relative orbit that touch a scene, as indices of `earlier`, in
/// their order; none for optical scenes, and none when no such pass is recent enough.
pub(crate) fn of(scene: &Item, earlier: &[Item]) -> Vec<usize> {
    if look::sensor(&scene.collection) != Sensor::Radar {
        return Vec::new();
    }
    let age = |other: &Item| scene.interval.start - other.interval.start;
    let fits: Vec<usize> = (0..earlier.len())
        .filter(|&index| {
            let other = &earlier[index];
            let age = age(other);
            // slices of the same pass are no reference
            age > TimeDelta::days(1)
                && age <= TimeDelta::days(REFERENCE_DAYS)
                && same_track(scene, other)
                && scene.bbox.intersects(&other.bbox)
        })
        .collect();
    let Some(newest) = fits.iter().map(|&index| earlier[index].interval.start).max() else {
        return Vec::new();
    };
    let one_pass =
        |index: &usize| (newest - earlier[*index].interval.start).num_seconds() <= look::ONE_PASS_S;
    fits.into_iter().filter(one_pass).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::{Bounds, Crs, Grid, Interval};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn scene(at: &str, orbit: Option<(u64, &str)>) -> Item {
        let mut properties = serde_json::Map::new();
        if let Some((number, state)) = orbit {
            properties.insert("sat:relative_orbit".to_owned(), json!(number));
            properties.insert("sat:orbit_state".to_owned(), json!(state));
        }
        Item {
            id: at.to_owned(),
            collection: "sentinel-1-rtc".to_owned(),
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
            bbox: Bounds {
                west: 105.63,
                south: 10.46,
                east: 105.64,
                north: 10.47,
            },
            assets: BTreeMap::new(),
            lineage: Vec::new(),
            properties,
        }
    }

    #[test]
    fn the_newest_pass_of_the_same_orbit_is_the_reference_and_never_another_orbit() {
        let descending = Some((18, "descending"));
        let look = scene("2026-09-15T22:45:18Z", descending);
        let earlier = [
            scene("2026-08-22T22:45:18Z", descending),
            scene("2026-09-03T22:44:53Z", descending),
            scene("2026-09-03T22:45:18Z", descending),
            scene("2026-09-13T11:05:00Z", Some((26, "ascending"))),
            scene("2026-09-10T22:37:00Z", Some((120, "descending"))),
            scene("2026-09-15T22:44:53Z", descending),
        ];
        assert_eq!(
            of(&look, &earlier),
            [1, 2],
            "both slices of the pass twelve days before"
        );
        assert_eq!(
            of(&look, &earlier[3..]),
            [] as [usize; 0],
            "another orbit, or the pass itself"
        );
        assert_eq!(
            of(&scene("2026-11-02T22:45:18Z", descending), &earlier),
            [] as [usize; 0],
            "the last look is 48 days old"
        );
    }

    #[test]
    fn without_metadata_the_repeat_cycle_tells_the_track() {
        let look = scene("2022-10-13T22:45:18Z", None);
        let same = scene("2022-10-01T22:45:17Z", None);
        let ascending = scene("2022-10-12T11:12:40Z", None);
        let neighbour = scene("2022-10-06T22:37:09Z", None);
        assert!(same_track(&look, &same));
        assert!(!same_track(&look, &ascending) && !same_track(&look, &neighbour));
        let mut sigma = same.clone();
        sigma.collection = "sentinel-1-grd".to_owned();
        assert!(!same_track(&look, &sigma), "sigma0 is no reference of gamma0");
    }
}
