//! Why dyke compartments are under water, week by week: the flood maps, the crop calendars of the plots, the gauges and the
//! registered plans put together by the rules of [`sen_catalog::inundation`].
//!
//! The map of a week is measured once (its digest says from what); the rules go through all weeks every time, which is
//! cheap, because what water is called depends on the weeks before and on crops that become known later.

mod around;
mod depth;
mod kinds;
mod measure;
mod settings;
#[cfg(test)]
mod tests;

pub use depth::{DEPTH, DepthReport, Depths, NOT_TOLD};
pub use settings::{DeltaSettings, Release};

use crate::Result;
use crate::run::{Progress, blocking};
use around::{Around, Gauges};
use kinds::Kinds;
use measure::Week;
use sen_catalog::flood::alone;
use sen_catalog::inundation::course::{Circumstances, Measured, course};
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::{Asset, Assets, Feature, FeatureQuery, Item, ItemQuery, Period, Store, asset};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Version of the measurements; another one measures every week again.
const VERSION: u32 = 2;
/// The layer of the flood maps.
const FLOOD: &str = "flood";
/// Share under water from which an open neighbour counts as wet.
const NEIGHBOUR_WET: f64 = 0.5;

/// What telling the causes needs to know.
pub struct Inundations<'a> {
    /// Flood items, compartments, plots and their crops, stations; and the records that come out.
    pub store: Arc<dyn Store>,
    /// Files of the flood items.
    pub assets: Assets,
    /// What is known of the compartments.
    pub settings: &'a DeltaSettings,
    /// Layer of the stations.
    pub stations: &'a str,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InundationReport {
    /// The layer of the compartments.
    pub layer: String,
    /// Compartments.
    pub compartments: usize,
    /// Weeks with a flood map.
    pub weeks: usize,
    /// Of them, those that had to be measured.
    pub measured: usize,
    /// Records that are others than before.
    pub changed: usize,
    /// Compartments called overtopped or broken in the newest week.
    pub alerts: Vec<String>,
    /// Weeks whose map tells other kinds of water now.
    pub retold: Vec<Period>,
    /// Maps that could not be read, with the reason. While there are any the records of all weeks stay as they were.
    pub failed: Vec<(String, String)>,
}

impl Inundations<'_> {
    /// Brings the records of every week up to date; none where there are no compartments or no flood maps.
    ///
    /// # Errors
    /// When the settings cannot be used, or the catalogue cannot be read or written.
    pub async fn run(&self, progress: &dyn Progress) -> Result<Option<InundationReport>> {
        let layer = &self.settings.compartments;
        if !self
            .store
            .layers()
            .await?
            .iter()
            .any(|known| known.name == *layer)
        {
            return Ok(None);
        }
        let items = self.store.items(&ItemQuery::collection(FLOOD)).await?;
        let compartments = self.store.features(&FeatureQuery::layer(layer)).await?;
        if items.is_empty() || compartments.is_empty() {
            return Ok(None);
        }
        self.settings.check()?;
        let mut report = InundationReport {
            layer: layer.clone(),
            compartments: compartments.len(),
            weeks: items.len(),
            ..InundationReport::default()
        };
        progress.begin(&format!("water of {layer}"), items.len() as u64);
        let zones = fingerprint(&compartments);
        let Some(weeks) = self
            .measured(&items, &compartments, &zones, &mut report, progress)
            .await?
        else {
            return Ok(Some(report));
        };
        if !report.failed.is_empty() {
            // what a later week is called depends on the weeks before: without one of them nothing is told anew
            return Ok(Some(report));
        }
        let around = Around::read(self.store.as_ref(), self.settings, &compartments).await?;
        let gauges = Gauges::read(
            self.store.as_ref(),
            self.settings,
            self.stations,
            weeks.iter().map(|(week, _)| *week),
        )
        .await?;
        let records = self.records(&compartments, &around, &gauges, &weeks);
        let newest = weeks.last().map(|(week, _)| *week);
        let codes: BTreeMap<i64, &str> = compartments
            .iter()
            .map(|one| (one.fid, one.code.as_str()))
            .collect();
        report.alerts = records
            .iter()
            .filter(|record| Some(record.period) == newest && record.class.is_alert())
            .filter_map(|record| codes.get(&record.fid).map(|code| (*code).to_owned()))
            .collect();
        report.changed = self.store.put_inundations(layer, records.clone()).await?;
        let kinds = Kinds::new(self, &compartments, &gauges, &zones);
        progress.begin("kinds of water", items.len() as u64);
        for item in items {
            if self.cancelled.load(Ordering::Relaxed) {
                break;
            }
            let (id, period) = (item.id.clone(), item.period());
            let causes = records.iter().filter(|record| record.period == period);
            match kinds.tell(item, causes).await {
                Ok(true) => report.retold.push(period),
                Ok(false) => {}
                Err(error) => report.failed.push((id, error.to_string())),
            }
            progress.advance(1);
        }
        Ok(Some(report))
    }

    /// What each week's map shows, oldest week first; none when stopped.
    async fn measured(
        &self,
        items: &[Item],
        compartments: &[Feature],
        zones: &str,
        report: &mut InundationReport,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<(Period, Vec<Measured>)>>> {
        let mut weeks = Vec::new();
        for item in items {
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let digest = digest(item, zones);
            let known = self.store.measured(&report.layer, item.period(), &digest).await?;
            let measured = if let Some(known) = known.filter(|known| known.len() == compartments.len()) {
                known.into_iter().map(|(_, measured)| measured).collect()
            } else {
                let made = blocking(|| Week::read(item, &self.assets)?.measure(compartments));
                let made = match made {
                    Ok(made) => made,
                    Err(error) => {
                        report.failed.push((item.id.clone(), error.to_string()));
                        continue;
                    }
                };
                report.measured += 1;
                let rows = compartments.iter().map(|one| one.fid).zip(made.clone()).collect();
                self.store
                    .put_measured(&report.layer, item.period(), &digest, rows)
                    .await?;
                made
            };
            weeks.push((item.period(), measured));
            progress.advance(1);
        }
        Ok(Some(weeks))
    }

    /// The records of all weeks: first of the compartments the river can reach, whose floods count as wet neighbours of
    /// the others.
    fn records(
        &self,
        compartments: &[Feature],
        around: &Around,
        gauges: &Gauges,
        weeks: &[(Period, Vec<Measured>)],
    ) -> Vec<Inundation> {
        let mut all: Vec<Vec<Inundation>> = vec![Vec::new(); compartments.len()];
        let is_open = |index: usize| {
            let closed =
                |(week, _): &(Period, Vec<Measured>)| self.settings.is_closed(&compartments[index], *week);
            weeks.iter().map(closed).any(|closed| closed == Some(false))
        };
        let (open, shut): (Vec<usize>, Vec<usize>) =
            (0..compartments.len()).partition(|&index| is_open(index));
        for index in open.into_iter().chain(shut) {
            let compartment = &compartments[index];
            let own = weeks.iter().enumerate().filter_map(|(number, (week, measured))| {
                let circumstances = Circumstances {
                    closed: self.settings.is_closed(compartment, *week),
                    plan: self.settings.has_plan(compartment, *week),
                    gauge: gauges.week(compartment, *week),
                    neighbours_wet: wet(&around.neighbours[index], &all, number),
                };
                Some((measured.get(index)?.clone(), circumstances))
            });
            let told = course(compartment.fid, &around.plots[index], own.collect());
            all[index] = told;
        }
        all.into_iter().flatten().collect()
    }
}

/// Whether a neighbour is under the river's flood in a week; none where no neighbour was told yet or seen.
fn wet(neighbours: &[usize], all: &[Vec<Inundation>], number: usize) -> Option<bool> {
    let told = neighbours
        .iter()
        .filter_map(|&neighbour| all.get(neighbour)?.get(number))
        .filter_map(|record| Some((record.class, record.flooded_share?)));
    told.map(|(class, share)| class == Cause::RiverFlood && share >= NEIGHBOUR_WET)
        .reduce(|a, b| a || b)
}

/// Changes with the compartments' numbers and shapes.
fn fingerprint(compartments: &[Feature]) -> String {
    let mut hasher = Sha256::new();
    for one in compartments {
        hasher.update(one.fid.to_le_bytes());
        for polygon in one.polygons().into_iter().flatten() {
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                hasher.update((ring.0.len() as u64).to_le_bytes());
                for point in &ring.0 {
                    hasher.update(point.x.to_le_bytes());
                    hasher.update(point.y.to_le_bytes());
                }
            }
        }
    }
    asset::hex(&hasher.finalize())
}

/// Changes with whatever the measurements of a week depend on.
fn digest(item: &Item, zones: &str) -> String {
    let sum = |asset: Option<&Asset>| asset.and_then(|asset| asset.sha256.clone());
    let age = item.assets.get("age_days");
    let made_of = serde_json::json!([VERSION, sum(alone(item)), sum(age), zones]);
    asset::hex(&Sha256::digest(made_of.to_string().as_bytes()))
}
