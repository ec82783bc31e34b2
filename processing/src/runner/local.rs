//! A run in this process: what is out of date and nothing else. What rests on a week's own scenes and readings is made and
//! published week by week; what spans weeks comes after it and is published at once.

use super::plan::sort_steps;
use super::{RunView, Step, StepContext, StepGroup, StepSettings};
use crate::Result;
use sen_catalog::run::{
    ContentDigest, Dataset, Failure, Fingerprint, LedgerEntry, RunReport, StepReport, StepStatus, Unit,
};
use sen_catalog::statistic::asset_name;
use sen_catalog::store::{Stage, Withdrawal};
use sen_catalog::{Item, Period, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The steps of a run. A value, so that a test can hand in one more.
#[derive(Clone, Copy)]
pub struct Runner<'s> {
    /// In any order: that of the run follows from what they read and write.
    pub steps: &'s [&'s dyn Step],
}

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub struct RunScope {
    /// The weeks whose units are looked at; none: all. What is made of these is followed into others.
    pub weeks: Option<BTreeSet<Period>>,
    /// The collections that are wanted, with what they read; none: all.
    pub collections: Option<BTreeSet<String>>,
    /// Only say what would be made, and why.
    pub is_explained: bool,
}

/// The name under which what spans weeks is staged.
const DERIVED_GROUP: &str = "derived";

impl Runner<'_> {
    /// Makes what is out of date. What fails is named in the report, what depends on it held back, and the rest done.
    ///
    /// # Errors
    /// When steps wait for each other, or the catalogue cannot be read or written.
    pub async fn run(&self, context: &StepContext<'_>, scope: &RunScope) -> Result<RunReport> {
        let steps = sort_steps(self.steps, &context.settings)?;
        let stage = if scope.is_explained {
            None
        } else {
            context.store.open_stage().await?
        };
        let catalogue = Arc::clone(&context.store);
        let rows = stage
            .as_ref()
            .map_or_else(|| Arc::clone(&catalogue), |stage| stage.rows());
        let context = &context.with_store(rows);
        let mut view = RunView::read(context.store.as_ref(), &context.assets).await?;
        let reads_scenes = |step: &&dyn Step| {
            let reads = step.reads(&context.settings);
            reads.iter().any(|read| matches!(read, Dataset::Scenes(_)))
        };
        if steps.iter().any(reads_scenes) {
            view.look_at_scenes(context.store.as_ref()).await?;
        }
        let collections = scope.collections.as_ref();
        let mut run = LocalRun {
            wanted: collections.map(|names| wanted_datasets(&steps, &context.settings, names)),
            context,
            scope,
            catalogue,
            stage,
            view,
            begun: None,
            withdrawn: Vec::new(),
            removed: BTreeSet::new(),
            made: BTreeSet::new(),
            failed: BTreeSet::new(),
        };
        run.take_up().await?;
        if !scope.is_explained {
            let withdrawals = context.store.withdrawals().await?.into_iter();
            run.withdrawn = withdrawals.filter(Withdrawal::is_active).collect();
        }
        let of_group = |group| steps.iter().copied().filter(move |step| step.group() == group);
        let mut report = RunReport::default();
        for step in run
            .make_observed(&of_group(StepGroup::Observed).collect::<Vec<_>>())
            .await?
        {
            report.enter(step);
        }
        if !report.cancelled {
            for step in run
                .make_derived(&of_group(StepGroup::Derived).collect::<Vec<_>>())
                .await?
            {
                report.enter(step);
            }
        }
        // what a stopped run has staged spares the next one the work
        if let Some(stage) = run.stage.filter(|_| !report.cancelled) {
            stage.close_stage().await?;
        }
        Ok(report)
    }
}

/// A run under way.
struct LocalRun<'r> {
    context: &'r StepContext<'r>,
    scope: &'r RunScope,
    /// The store as everybody sees it.
    catalogue: Arc<dyn Store>,
    /// Where groups are staged; none where nobody else reads the store, or nothing is made.
    stage: Option<Arc<dyn Stage>>,
    view: RunView,
    /// The group that is staged.
    begun: Option<String>,
    /// What is withdrawn now.
    withdrawn: Vec<Withdrawal>,
    /// Units that were taken away because what they were made from was withdrawn.
    removed: BTreeSet<Unit>,
    made: BTreeSet<Unit>,
    failed: BTreeSet<Unit>,
    /// What is asked for with what it reads; none: everything.
    wanted: Option<Vec<Dataset>>,
}

/// What the ledger knows of a step's units.
type KnownUnits = BTreeMap<Unit, LedgerEntry>;

/// A unit that has to be made.
struct StaleUnit {
    unit: Unit,
    fingerprint: Fingerprint,
    /// Names of the inputs that are others than when it was made last; none where it was never made.
    differing: Vec<String>,
}

impl LocalRun<'_> {
    /// The digest of everything that steps could read.
    async fn basis(&self) -> Result<ContentDigest> {
        let digests = self.catalogue.digests().await?;
        let units: Vec<String> = digests
            .iter()
            .map(|(unit, digest)| format!("{unit} {digest}"))
            .collect();
        let about = (
            &self.context.settings,
            &self.context.grid,
            &self.context.code_version,
        );
        Ok(ContentDigest::of(format!("{about:?} {units:?}").as_bytes()))
    }

    /// Takes up what a killed run has staged, where it was made from what there is now.
    async fn take_up(&mut self) -> Result<()> {
        let Some(stage) = self.stage.clone() else {
            return Ok(());
        };
        let Some((name, basis)) = stage.staged_group().await? else {
            return Ok(());
        };
        if basis == self.basis().await? {
            self.begun = Some(name);
        } else {
            stage.drop_group().await?;
            self.view.refresh(self.context.store.as_ref()).await?;
        }
        Ok(())
    }

    /// Begins to stage a group, or goes on with it.
    async fn begin_group(&mut self, name: &str) -> Result<()> {
        if self.begun.as_deref() == Some(name) {
            return Ok(());
        }
        if let Some(stage) = self.stage.clone() {
            stage.begin_group(name, self.basis().await?).await?;
            self.view.refresh(self.context.store.as_ref()).await?;
        }
        self.begun = Some(name.to_owned());
        Ok(())
    }

    /// Makes a group visible, where it was begun.
    async fn publish_group(&mut self, name: &str) -> Result<()> {
        if self.begun.as_deref() != Some(name) {
            return Ok(());
        }
        self.begun = None;
        match &self.stage {
            Some(stage) => Ok(stage.publish_group().await?),
            None => Ok(()),
        }
    }

    /// What rests on each week's own scenes and readings, a week after the other.
    async fn make_observed(&mut self, steps: &[&dyn Step]) -> Result<Vec<StepReport>> {
        let mut reports: Vec<StepReport> = steps.iter().map(|step| StepReport::new(step.name())).collect();
        let mut known = Vec::with_capacity(steps.len());
        let mut weeks: BTreeMap<Option<Period>, Vec<Vec<Unit>>> = BTreeMap::new();
        for (place, step) in steps.iter().enumerate() {
            known.push(self.known_units(*step).await?);
            for unit in self.wanted_units(*step) {
                let by_step = weeks.entry(unit.period);
                by_step.or_insert_with(|| vec![Vec::new(); steps.len()])[place].push(unit);
            }
        }
        // weeks of which nothing is left to be made from
        for entry in known.iter().flat_map(BTreeMap::values) {
            if self.was_withdrawn(entry) {
                let by_step = weeks.entry(entry.unit.period);
                by_step.or_insert_with(|| vec![Vec::new(); steps.len()]);
            }
        }
        for (week, by_step) in weeks {
            if self.context.cancelled.load(Ordering::Relaxed) {
                reports[0].cancelled = true;
                return Ok(reports);
            }
            let group = week.map_or_else(|| "all weeks".to_owned(), |week| week.to_string());
            for (place, units) in by_step.into_iter().enumerate() {
                let (step, report) = (steps[place], &mut reports[place]);
                // what was made of the week has made further units
                let units = if self.begun.as_ref() == Some(&group) {
                    let all = self.wanted_units(step).into_iter();
                    all.filter(|unit| unit.period == week).collect()
                } else {
                    units
                };
                let is_of_week = |unit: &Unit| unit.period == week;
                self.remove_withdrawn(step, &units, &known[place], is_of_week, &group, report)
                    .await?;
                self.make_stale(step, units, &known[place], &group, report)
                    .await?;
                if report.cancelled {
                    return Ok(reports);
                }
            }
            self.publish_group(&group).await?;
        }
        Ok(reports)
    }

    /// What spans weeks, all of it.
    async fn make_derived(&mut self, steps: &[&dyn Step]) -> Result<Vec<StepReport>> {
        let mut reports = Vec::new();
        for step in steps {
            let mut report = StepReport::new(step.name());
            let known = self.known_units(*step).await?;
            let reads = step.reads(&self.context.settings);
            let looks_back = reads.iter().any(|read| matches!(read, Dataset::PriorWeeks(_)));
            let units = self.wanted_units(*step);
            self.remove_withdrawn(*step, &units, &known, |_| true, DERIVED_GROUP, &mut report)
                .await?;
            let mut weeks: BTreeMap<Option<Period>, Vec<Unit>> = BTreeMap::new();
            for unit in units {
                weeks
                    .entry(unit.period.filter(|_| looks_back))
                    .or_default()
                    .push(unit);
            }
            for units in weeks.into_values() {
                report.cancelled |= self.context.cancelled.load(Ordering::Relaxed);
                if !report.cancelled {
                    self.make_stale(*step, units, &known, DERIVED_GROUP, &mut report)
                        .await?;
                }
            }
            let is_stopped = report.cancelled;
            reports.push(report);
            if is_stopped {
                return Ok(reports);
            }
        }
        self.publish_group(DERIVED_GROUP).await?;
        Ok(reports)
    }

    async fn known_units(&self, step: &dyn Step) -> Result<KnownUnits> {
        let entries = self.context.store.ledger_entries(step.name()).await?;
        Ok(entries
            .into_iter()
            .map(|entry| (entry.unit.clone(), entry))
            .collect())
    }

    /// The units of a step that the run is asked for.
    fn wanted_units(&self, step: &dyn Step) -> Vec<Unit> {
        let mut units = step.list_units(self.context, &self.view);
        units.retain(|unit| self.is_wanted(unit));
        units
    }

    /// True when something that a unit was made from was withdrawn, or taken away for that.
    fn was_withdrawn(&self, entry: &LedgerEntry) -> bool {
        let unit = &entry.unit;
        entry.fingerprint.0.iter().any(|(part, _)| {
            let removes = |removed: &Unit| {
                let read = part.parse::<Dataset>();
                read.is_ok_and(|read| waits_for(&read, removed, unit.period))
            };
            self.withdrawn
                .iter()
                .any(|withdrawal| withdrawal.was_read(part, unit))
                || self.removed.iter().any(removes)
        })
    }

    /// Takes away units that have nothing left to be made from because it was withdrawn. What has no input for another reason
    /// (scenes that were moved or let go) stays.
    async fn remove_withdrawn(
        &mut self,
        step: &dyn Step,
        listed: &[Unit],
        known: &KnownUnits,
        is_looked_at: impl Fn(&Unit) -> bool,
        group: &str,
        report: &mut StepReport,
    ) -> Result<()> {
        if self.withdrawn.is_empty() {
            return Ok(());
        }
        let made_of = |unit: &&Unit| step.fingerprint_unit(self.context, &self.view, unit).is_some();
        let listed: BTreeSet<&Unit> = listed.iter().filter(made_of).collect();
        let gone: Vec<Unit> = known
            .values()
            .filter(|entry| {
                let unit = &entry.unit;
                let is_asked = is_looked_at(unit) && self.is_wanted(unit) && self.is_asked(unit);
                is_asked && !listed.contains(unit) && self.was_withdrawn(entry)
            })
            .map(|entry| entry.unit.clone())
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.begin_group(group).await?;
        let store = &self.context.store;
        for unit in &gone {
            remove_unit(store.as_ref(), unit).await?;
            let reason = "was taken away: what it was made from is withdrawn";
            report.notes.push(Failure::new(unit, reason));
            self.removed.insert(unit.clone());
        }
        store.delete_ledger_entries(step.name(), gone).await?;
        self.view.refresh(store.as_ref()).await
    }

    /// Makes those of the units that are out of date, in a group.
    async fn make_stale(
        &mut self,
        step: &dyn Step,
        units: Vec<Unit>,
        known: &KnownUnits,
        group: &str,
        report: &mut StepReport,
    ) -> Result<()> {
        let stale = self.find_stale(step, units, known, report);
        if stale.is_empty() {
            return Ok(());
        }
        if self.scope.is_explained {
            self.explain(stale, report);
            return Ok(());
        }
        self.begin_group(group).await?;
        self.make(step, stale, report).await
    }

    /// Those of the units that have to be made; the others are entered in the report.
    fn find_stale(
        &mut self,
        step: &dyn Step,
        units: Vec<Unit>,
        known: &KnownUnits,
        report: &mut StepReport,
    ) -> Vec<StaleUnit> {
        let mut stale = Vec::new();
        for unit in units {
            let is_asked = self.is_asked(&unit);
            let Some(fingerprint) = step.fingerprint_unit(self.context, &self.view, &unit) else {
                if is_asked {
                    report.enter(unit.dataset, unit.period, StepStatus::NoInput);
                }
                continue;
            };
            // parts are named after what is read
            let reads: Vec<Dataset> = fingerprint
                .0
                .iter()
                .filter_map(|(name, _)| name.parse().ok())
                .collect();
            let follows = |made: &Unit| reads.iter().any(|read| looks_at(read, made, unit.period));
            if !is_asked && !self.made.iter().any(follows) {
                continue;
            }
            let waits = |failed: &&Unit| reads.iter().any(|read| waits_for(read, failed, unit.period));
            if let Some(by) = self.failed.iter().find(waits).cloned() {
                self.failed.insert(unit.clone());
                report.enter(unit.dataset, unit.period, StepStatus::HeldBack { by });
                continue;
            }
            match known
                .get(&unit)
                .map(|entry| self.differing_parts(step, &fingerprint, &unit, entry))
            {
                Some(parts)
                    if parts.is_empty() && self.scope.is_explained && self.made.iter().any(follows) =>
                {
                    // what it is made from may come out as it was
                    let made = self.made.iter().find(|made| follows(made)).map(Unit::to_string);
                    let perhaps = format!("perhaps {}", made.unwrap_or_default());
                    stale.push(StaleUnit {
                        unit,
                        fingerprint,
                        differing: vec![perhaps],
                    });
                }
                Some(parts) if parts.is_empty() => {
                    report.enter(unit.dataset, unit.period, StepStatus::UpToDate);
                }
                differing => stale.push(StaleUnit {
                    unit,
                    fingerprint,
                    differing: differing.unwrap_or_default(),
                }),
            }
        }
        stale
    }

    /// What is another than when the unit was made; nothing where it is up to date.
    fn differing_parts(
        &self,
        step: &dyn Step,
        fingerprint: &Fingerprint,
        unit: &Unit,
        entry: &LedgerEntry,
    ) -> Vec<String> {
        let parts = fingerprint.differing_parts(&entry.fingerprint);
        let mut parts: Vec<String> = parts.into_iter().map(str::to_owned).collect();
        if entry.version != step.version() {
            parts.push("method".to_owned());
        }
        if entry.output != self.view.unit_digest(unit) {
            parts.push("what lies there".to_owned());
        }
        parts.extend(self.view.file_fault(unit).map(str::to_owned));
        parts
    }

    /// True for what was asked for by its name, what that is made of, and the statistics of it.
    fn is_wanted(&self, unit: &Unit) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        match &unit.dataset {
            Dataset::Statistics { collection, .. }
                if self
                    .scope
                    .collections
                    .as_ref()
                    .is_some_and(|names| names.contains(collection)) =>
            {
                true
            }
            dataset => wanted.iter().any(|one| one.meets(dataset)),
        }
    }

    /// True for units of the weeks that the run is asked for, and of all weeks.
    fn is_asked(&self, unit: &Unit) -> bool {
        let weeks = self.scope.weeks.as_ref();
        unit.period
            .is_none_or(|period| weeks.is_none_or(|weeks| weeks.contains(&period)))
    }

    fn explain(&mut self, stale: Vec<StaleUnit>, report: &mut StepReport) {
        for StaleUnit { unit, differing, .. } in stale {
            let why = if differing.is_empty() {
                "was not made yet".to_owned()
            } else {
                format!("is another than when it was made: {}", differing.join(", "))
            };
            report.notes.push(Failure::new(&unit, why));
            report.enter(unit.dataset.clone(), unit.period, StepStatus::Made);
            self.made.insert(unit);
        }
    }

    async fn make(&mut self, step: &dyn Step, stale: Vec<StaleUnit>, report: &mut StepReport) -> Result<()> {
        let units: Vec<Unit> = stale.iter().map(|one| one.unit.clone()).collect();
        let (entered, left_out) = (report.units.len(), report.left_out.len());
        if let Err(error) = step.make_units(self.context, &units, report).await {
            let reason = error.to_string();
            for unit in &units {
                let status = StepStatus::Failed {
                    reason: reason.clone(),
                };
                report.enter(unit.dataset.clone(), unit.period, status);
            }
        }
        self.view.refresh(self.context.store.as_ref()).await?;
        let statuses: BTreeMap<&Unit, &StepStatus> = report.units[entered..]
            .iter()
            .map(|(unit, status)| (unit, status))
            .collect();
        // what was left out is tried again
        let is_whole = report.left_out.len() == left_out;
        let mut entries = Vec::new();
        for StaleUnit {
            unit, fingerprint, ..
        } in stale
        {
            match statuses.get(&unit) {
                Some(StepStatus::Failed { .. } | StepStatus::HeldBack { .. }) => {
                    self.failed.insert(unit);
                }
                Some(status) => {
                    if is_whole {
                        entries.push(LedgerEntry {
                            unit: unit.clone(),
                            step: step.name().to_owned(),
                            version: step.version(),
                            fingerprint,
                            output: self.view.unit_digest(&unit),
                        });
                    }
                    if **status == StepStatus::Made {
                        self.made.insert(unit);
                    }
                }
                // the run was stopped before it came to this one
                None => {}
            }
        }
        self.context.store.put_ledger_entries(entries).await?;
        Ok(())
    }
}

/// Takes the rows of a unit away.
async fn remove_unit(store: &dyn Store, unit: &Unit) -> Result<()> {
    let (collection, layer) = match &unit.dataset {
        Dataset::Collection(collection) => (collection, None),
        Dataset::Statistics { collection, layer } => (collection, Some(layer)),
        // records of what is no more are found by nobody
        _ => return Ok(()),
    };
    let Some(week) = unit.period else { return Ok(()) };
    let id = Item::weekly_id(collection, week);
    match (layer, store.item(collection, &id).await?) {
        (None, Some(_)) => {
            store.delete_item(collection, &id).await?;
        }
        (Some(layer), Some(mut item)) => {
            if item.assets.remove(&asset_name(layer)).is_some() {
                store.put_item(&item).await?;
            }
        }
        (_, None) => {}
    }
    Ok(())
}

/// The rasters of some collections, and all that has to be made before them.
fn wanted_datasets(
    steps: &[&dyn Step],
    settings: &StepSettings<'_>,
    collections: &BTreeSet<String>,
) -> Vec<Dataset> {
    let mut wanted: Vec<Dataset> = collections.iter().cloned().map(Dataset::Collection).collect();
    // from the last step to the first: who writes what is wanted wants what it reads
    for step in steps.iter().rev() {
        let written = step.writes(settings);
        if wanted
            .iter()
            .any(|one| written.iter().any(|written| one.meets(written)))
        {
            wanted.extend(step.reads_for(settings, &wanted));
        }
    }
    wanted
}

/// True when a unit of `period` that reads a dataset cannot be made before another one is: one of the same week or of no
/// week. What is of all weeks never waits for single ones, and nothing waits for the weeks before it.
fn waits_for(read: &Dataset, other: &Unit, period: Option<Period>) -> bool {
    (other.period.is_none() || other.period == period) && read.covers(&other.dataset)
}

/// True when a unit of `period` that reads a dataset is another one as soon as that one is.
fn looks_at(read: &Dataset, other: &Unit, period: Option<Period>) -> bool {
    match read {
        Dataset::PriorWeeks(name) => {
            let is_earlier = other
                .period
                .is_none_or(|other| period.is_none_or(|period| other < period));
            is_earlier && Dataset::Collection(name.clone()).covers(&other.dataset)
        }
        // what is of all weeks looks at each of them
        read => (period.is_none() && read.covers(&other.dataset)) || waits_for(read, other, period),
    }
}
