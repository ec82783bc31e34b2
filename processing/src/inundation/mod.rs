//! Why dyke compartments are under water, week by week: the flood maps, the crop calendars of the plots, the gauges and the
//! registered plans put together by the rules of [`sen_catalog::inundation`].
//!
//! The map of a week is measured once (its digest says from what); the rules go through all weeks every time, which is
//! cheap, because what water is called depends on the weeks before and on crops that become known later.

mod around;
mod compartment_cells;
mod depth;
mod kinds;
mod measure;
mod settings;
#[cfg(test)]
mod tests;

pub use compartment_cells::STRIP_ROWS;
pub use depth::{DEPTH, Depths, NOT_TOLD, check_dem};
pub use settings::{DeltaSettings, Release};

use crate::Result;
use crate::run::{Progress, blocking};
use around::{Around, Gauges};
use kinds::Kinds;
use measure::Week;
use sen_catalog::flood::{FLOOD_OBSERVED, FLOOD_TOLD};
use sen_catalog::inundation::course::{Circumstances, Measured, course};
use sen_catalog::inundation::{Cause, Inundation};
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::{Asset, Assets, Feature, FeatureQuery, Item, ItemQuery, Period, Store, asset};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Version of the measurements; another one measures every week again.
const VERSION: u32 = 2;
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
    /// Rows of cells in memory at once: [`STRIP_ROWS`].
    pub strip_rows: usize,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
}

impl Inundations<'_> {
    /// Brings the records of every week up to date; nothing where there are no compartments or no flood maps. What fails is
    /// named in the report; while a map cannot be read the records of all weeks stay as they were, because what a later week is
    /// called depends on the weeks before.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written.
    pub async fn tell_causes(&self, report: &mut StepReport, progress: &dyn Progress) -> Result<()> {
        let layer = &self.settings.compartments;
        let items = self.store.items(&ItemQuery::collection(FLOOD_OBSERVED)).await?;
        let compartments = self.store.features(&FeatureQuery::layer(layer)).await?;
        let causes = Dataset::Records("flood_cause".to_owned());
        if items.is_empty() || compartments.is_empty() {
            report.enter(causes, None, StepStatus::NoInput);
            return Ok(());
        }
        report.figure("compartments", compartments.len());
        progress.begin(&format!("water of {layer}"), items.len() as u64);
        let zones = fingerprint(&compartments);
        let weeks = self
            .measured(&items, &compartments, &zones, report, progress)
            .await?;
        if report.cancelled {
            return Ok(());
        }
        let unreadable = report.failed().next().map(|(unit, _)| unit.clone());
        if let Some(by) = unreadable {
            report.enter(causes, None, StepStatus::HeldBack { by });
            return Ok(());
        }
        let around = Around::read(self.store.as_ref(), self.settings, &compartments).await?;
        let gauges = self.gauges(weeks.iter().map(|(week, _)| *week)).await?;
        let records = self.records(&compartments, &around, &gauges, &weeks);
        let newest = weeks.last().map(|(week, _)| *week);
        tell_alerts(&records, newest, &compartments, report);
        let changed = self.store.put_inundations(layer, records).await?;
        report.figure("records_changed", changed);
        let status = if changed > 0 {
            StepStatus::Made
        } else {
            StepStatus::UpToDate
        };
        report.enter(causes, None, status);
        Ok(())
    }

    /// Brings the flood maps of the weeks up to date: what the satellites saw, with the causes put into it. What fails is named
    /// in the report and the rest done.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn tell_maps(
        &self,
        weeks: &[Period],
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let layer = &self.settings.compartments;
        let compartments = self.store.features(&FeatureQuery::layer(layer)).await?;
        let zones = fingerprint(&compartments);
        // of a week before it is asked whether the river has left
        let heard: BTreeSet<Period> = weeks.iter().flat_map(|week| [week.previous(), *week]).collect();
        let gauges = self.gauges(heard.into_iter()).await?;
        let kinds = Kinds::new(self, &compartments, &gauges, &zones);
        progress.begin("kinds of water", weeks.len() as u64);
        for week in weeks {
            if self.cancelled.load(Ordering::Relaxed) {
                report.cancelled = true;
                break;
            }
            let outcome = self.tell_map(&kinds, *week).await;
            report.enter_outcome(Dataset::Collection(FLOOD_TOLD.to_owned()), Some(*week), outcome);
            progress.advance(1);
        }
        Ok(())
    }

    async fn tell_map(&self, kinds: &Kinds<'_>, week: Period) -> Result<StepStatus> {
        let id = Item::weekly_id(FLOOD_OBSERVED, week);
        let Some(seen) = self.store.item(FLOOD_OBSERVED, &id).await? else {
            return Ok(StepStatus::NoInput);
        };
        let layer = &self.settings.compartments;
        let records = self.store.inundations_in(layer, week, &[]).await?;
        kinds.tell(&seen, records.iter()).await
    }

    async fn gauges(&self, weeks: impl Iterator<Item = Period>) -> Result<Gauges> {
        Gauges::read(self.store.as_ref(), self.settings, self.stations, weeks).await
    }

    /// What each week's map shows, oldest week first, as far as the maps can be read.
    async fn measured(
        &self,
        items: &[Item],
        compartments: &[Feature],
        zones: &str,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<Vec<(Period, Vec<Measured>)>> {
        let layer = &self.settings.compartments;
        let extents = Dataset::Samples {
            kind: "flood_extent".to_owned(),
            layer: layer.clone(),
        };
        let mut weeks = Vec::new();
        for item in items {
            if self.cancelled.load(Ordering::Relaxed) {
                report.cancelled = true;
                return Ok(weeks);
            }
            let week = item.period();
            let digest = digest(item, zones);
            let known = self.store.measured(layer, week, &digest).await?;
            let (measured, status) = if let Some(known) =
                known.filter(|known| known.len() == compartments.len())
            {
                let known = known.into_iter().map(|(_, measured)| measured);
                (known.collect(), StepStatus::UpToDate)
            } else {
                match blocking(|| Week::open(item, &self.assets)?.measure(compartments, self.strip_rows)) {
                    Ok(made) => {
                        let rows = compartments.iter().map(|one| one.fid).zip(made.clone()).collect();
                        self.store.put_measured(layer, week, &digest, rows).await?;
                        (made, StepStatus::Made)
                    }
                    Err(error) => {
                        report.enter(extents.clone(), Some(week), StepStatus::failed(error));
                        continue;
                    }
                }
            };
            report.enter(extents.clone(), Some(week), status);
            weeks.push((week, measured));
            progress.advance(1);
        }
        Ok(weeks)
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

/// Names the compartments called overtopped or broken in the newest week.
fn tell_alerts(
    records: &[Inundation],
    newest: Option<Period>,
    compartments: &[Feature],
    report: &mut StepReport,
) {
    let codes: BTreeMap<i64, &str> = compartments
        .iter()
        .map(|one| (one.fid, one.code.as_str()))
        .collect();
    let alerts = records
        .iter()
        .filter(|record| Some(record.period) == newest && record.class.is_alert());
    for record in alerts {
        if let Some(code) = codes.get(&record.fid) {
            let reason = "water on a standing crop behind a closed dyke; check the dyke";
            report
                .notes
                .push(Failure::new(format!("ALERT {code}"), reason).in_week(record.period));
        }
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
    let made_of = serde_json::json!([VERSION, sum(item.main_asset()), sum(age), zones]);
    asset::hex(&Sha256::digest(made_of.to_string().as_bytes()))
}
