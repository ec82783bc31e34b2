//! A run in this process: steps one after the other, weeks one after the other, what is out of date and nothing else.

use super::plan::sort_steps;
use super::{RunView, Step, StepContext, StepSettings};
use crate::Result;
use sen_catalog::Period;
use sen_catalog::run::{Dataset, Failure, Fingerprint, LedgerEntry, RunReport, StepReport, StepStatus, Unit};
use std::collections::{BTreeMap, BTreeSet};
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

impl Runner<'_> {
    /// Makes what is out of date. What fails is named in the report, what depends on it held back, and the rest done.
    ///
    /// # Errors
    /// When steps wait for each other, or the catalogue cannot be read or written.
    pub async fn run(&self, context: &StepContext<'_>, scope: &RunScope) -> Result<RunReport> {
        let steps = sort_steps(self.steps, &context.settings)?;
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
            view,
            made: BTreeSet::new(),
            failed: BTreeSet::new(),
        };
        let mut report = RunReport::default();
        for step in steps {
            let done = run.run_step(step).await?;
            let is_stopped = done.cancelled;
            report.enter(done);
            if is_stopped {
                break;
            }
        }
        Ok(report)
    }
}

/// A run under way.
struct LocalRun<'r> {
    context: &'r StepContext<'r>,
    scope: &'r RunScope,
    view: RunView,
    /// Units made so far, or that would be where the run only explains.
    made: BTreeSet<Unit>,
    failed: BTreeSet<Unit>,
    /// What is asked for with what it reads; none: everything.
    wanted: Option<Vec<Dataset>>,
}

/// A unit that has to be made.
struct StaleUnit {
    unit: Unit,
    fingerprint: Fingerprint,
    /// Names of the inputs that are others than when it was made last; none where it was never made.
    differing: Vec<String>,
}

impl LocalRun<'_> {
    async fn run_step(&mut self, step: &dyn Step) -> Result<StepReport> {
        let mut report = StepReport::new(step.name());
        let entries = self.context.store.ledger_entries(step.name()).await?;
        let known: BTreeMap<Unit, LedgerEntry> = entries
            .into_iter()
            .map(|entry| (entry.unit.clone(), entry))
            .collect();
        let reads = step.reads(&self.context.settings);
        let looks_back = reads.iter().any(|read| matches!(read, Dataset::PriorWeeks(_)));
        let mut groups: BTreeMap<Option<Period>, Vec<Unit>> = BTreeMap::new();
        for unit in step.list_units(self.context, &self.view) {
            if self.is_wanted(&unit) {
                groups
                    .entry(unit.period.filter(|_| looks_back))
                    .or_default()
                    .push(unit);
            }
        }
        for units in groups.into_values() {
            if self.context.cancelled.load(Ordering::Relaxed) {
                report.cancelled = true;
                break;
            }
            let stale = self.find_stale(step, units, &known, &mut report);
            if stale.is_empty() {
                continue;
            }
            if self.scope.is_explained {
                self.explain(stale, &mut report);
            } else {
                self.make(step, stale, &mut report).await?;
            }
        }
        Ok(report)
    }

    /// Those of the units that have to be made; the others are entered in the report.
    fn find_stale(
        &mut self,
        step: &dyn Step,
        units: Vec<Unit>,
        known: &BTreeMap<Unit, LedgerEntry>,
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
        if self.view.is_missing(unit) {
            parts.push("a file that is not there".to_owned());
        }
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
