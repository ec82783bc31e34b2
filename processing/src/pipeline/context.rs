//! What products need beyond the looks of a week: their own earlier weeks, and earlier looks of the same orbit.
//!
//! The rule: a late scene of a past week updates that week. Of products that look back, later weeks are looked at again as
//! well, and made again only where what they look back at has changed, so that the same scenes give the same rasters in
//! whatever order they came.

use super::Weekly;
use crate::product::{Earlier, Product, Sensor};
use crate::reference::{self, REFERENCE_DAYS};
use crate::source::WEEKLY_SCENES;
use crate::{Result, duplicate, look};
use sen_catalog::flood::{FLOOD_OBSERVED, FLOOD_TOLD};
use sen_catalog::raster::Cog;
use sen_catalog::{Asset, Item, ItemQuery, Period, asset};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Earlier radar scenes that the scenes of a week may be compared with.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The scenes, in order of time.
    pub(super) items: Vec<Item>,
    /// For each scene of the week its references, as indices of `items`.
    of: Vec<Vec<usize>>,
}

impl References {
    /// The references of a scene of the week.
    pub(super) fn of(&self, scene: usize) -> &[usize] {
        self.of.get(scene).map_or(&[], Vec::as_slice)
    }

    /// The references of several scenes, each once.
    pub(super) fn of_all(&self, scenes: &[usize]) -> BTreeSet<usize> {
        scenes.iter().flat_map(|&scene| self.of(scene)).copied().collect()
    }

    /// For each radar scene the names of its references, empty where there are none: who reads the item sees which
    /// looks were compared with nothing.
    pub(super) fn named(&self, scenes: &[Item], which: &[usize]) -> Value {
        let radar = which
            .iter()
            .filter(|&&scene| look::sensor(&scenes[scene].collection) == Sensor::Radar);
        radar
            .map(|&scene| {
                let names: Vec<String> = self
                    .of(scene)
                    .iter()
                    .map(|&index| name(&self.items[index]))
                    .collect();
                (name(&scenes[scene]), json!(names))
            })
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// `collection/id`.
pub(super) fn name(item: &Item) -> String {
    format!("{}/{}", item.collection, item.id)
}

impl Weekly<'_> {
    /// The earlier weeks that a product looks back at, newest first, and a fingerprint of their classes (empty without
    /// any). Told by the rows alone: nothing is opened for a week that is up to date.
    pub(super) async fn earlier(
        &self,
        product: &dyn Product,
        week: Period,
    ) -> Result<(Vec<(Period, Asset)>, String)> {
        let beyond = product.beyond();
        if beyond.weeks == 0 {
            return Ok((Vec::new(), String::new()));
        }
        let query = ItemQuery {
            from: Some(week.weeks_before(i64::from(beyond.weeks))),
            to: Some(week.previous()),
            newest_first: true,
            ..ItemQuery::collection(product.name())
        };
        let (mut hasher, mut earlier) = (Sha256::new(), Vec::new());
        for item in self.store.items(&query).await? {
            let current = item.properties.get("sen:product_version") == Some(&json!(product.version()))
                && item.grid == self.grid;
            let Some(asset) = item.main_asset().filter(|_| current) else {
                continue;
            };
            // by the name of the days when the flood was one collection: the marks of older folders go on to hold
            let id = item.id.replacen(FLOOD_OBSERVED, FLOOD_TOLD, 1);
            hasher.update(json!([id, asset.sha256]).to_string());
            earlier.push((item.period(), asset.clone()));
        }
        if earlier.len() < beyond.least_weeks.max(1) {
            return Ok((Vec::new(), String::new()));
        }
        Ok((earlier, asset::hex(&hasher.finalize())))
    }

    /// Opens earlier weeks.
    ///
    /// # Errors
    /// When one of them is not there or not as it was written: without it water would be of another kind.
    pub(super) fn open_earlier(&self, weeks: Vec<(Period, Asset)>) -> Result<Vec<Earlier>> {
        let open = |(period, asset): (Period, Asset)| {
            Ok(Earlier {
                period,
                classes: Cog::over(self.assets.open_whole(&asset)?)?,
            })
        };
        weeks.into_iter().map(open).collect()
    }

    /// The references of the radar scenes of a week; none when no product asks for them.
    pub(super) async fn references(&self, week: Period, scenes: &[Item]) -> Result<References> {
        let radar = |collection: &str| look::sensor(collection) == Sensor::Radar;
        let wanted = self.products.iter().any(|product| product.beyond().reference)
            && scenes.iter().any(|scene| radar(&scene.collection));
        if !wanted {
            return Ok(References::default());
        }
        let mut earlier = Vec::new();
        for collection in WEEKLY_SCENES.iter().filter(|collection| radar(collection)) {
            let query = ItemQuery {
                from: Some(week.weeks_before(REFERENCE_DAYS / 7 + 1)),
                to: Some(week),
                ..ItemQuery::collection(*collection)
            };
            earlier.extend(self.store.items(&query).await?);
        }
        earlier.retain(|scene| matches!(look::covered(&scene.grid, &self.grid), Ok(Some(_))));
        duplicate::settle(&mut earlier);
        let all: Vec<Vec<usize>> = scenes
            .iter()
            .map(|scene| reference::of(scene, &earlier))
            .collect();
        // only what is used is kept
        let used: BTreeSet<usize> = all.iter().flatten().copied().collect();
        let place: Vec<usize> = used.iter().copied().collect();
        let moved = |index: usize| place.partition_point(|&other| other < index);
        let of = all
            .into_iter()
            .map(|found| found.into_iter().map(moved).collect())
            .collect();
        let mut index = 0;
        earlier.retain(|_| {
            index += 1;
            used.contains(&(index - 1))
        });
        Ok(References { items: earlier, of })
    }
}
