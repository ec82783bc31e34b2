//! What became of a run: the same for people, scripts and the exit status.

use super::{Dataset, Failure, Unit};
use crate::period::Period;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Display;

/// What became of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum StepStatus {
    /// It was made, or made anew.
    Made,
    /// What it is made from had not changed.
    UpToDate,
    /// There is nothing to make it from.
    NoInput,
    /// It stays as it was, because something that it is made from failed.
    HeldBack {
        /// What failed.
        by: Unit,
    },
    /// It could not be made and stays as it was.
    Failed {
        /// Why, naming the file or setting and what to do.
        reason: String,
    },
}

impl StepStatus {
    /// Failed for an error.
    pub fn failed(error: impl Display) -> Self {
        Self::Failed {
            reason: error.to_string(),
        }
    }
}

/// How many units came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatusCounts {
    /// See [`StepStatus::Made`].
    pub made: usize,
    /// See [`StepStatus::UpToDate`].
    pub up_to_date: usize,
    /// See [`StepStatus::NoInput`].
    pub no_input: usize,
    /// See [`StepStatus::HeldBack`].
    pub held_back: usize,
    /// See [`StepStatus::Failed`].
    pub failed: usize,
}

impl StatusCounts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            made: self.made + other.made,
            up_to_date: self.up_to_date + other.up_to_date,
            no_input: self.no_input + other.no_input,
            held_back: self.held_back + other.held_back,
            failed: self.failed + other.failed,
        }
    }

    /// With one more.
    fn add(&mut self, status: &StepStatus) {
        let count = match status {
            StepStatus::Made => &mut self.made,
            StepStatus::UpToDate => &mut self.up_to_date,
            StepStatus::NoInput => &mut self.no_input,
            StepStatus::HeldBack { .. } => &mut self.held_back,
            StepStatus::Failed { .. } => &mut self.failed,
        };
        *count += 1;
    }
}

/// What became of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// Name of the step.
    pub step: &'static str,
    /// Its units, in the order in which they were looked at.
    pub units: Vec<(Unit, StepStatus)>,
    /// Inputs that cannot be read; what is made of them was made of the others, or stays as it was.
    pub left_out: Vec<Failure>,
    /// What a person should know.
    pub notes: Vec<Failure>,
    /// Counts of its own, by name.
    pub figures: Map<String, Value>,
    /// True when it was stopped before its end.
    pub cancelled: bool,
}

impl StepReport {
    /// Nothing was looked at yet.
    pub fn new(step: &'static str) -> Self {
        Self {
            step,
            units: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
            figures: Map::new(),
            cancelled: false,
        }
    }

    /// Enters what became of a unit: of a week, or of all weeks where there is none.
    pub fn enter(&mut self, dataset: Dataset, period: Option<Period>, status: StepStatus) {
        self.units.push((Unit { dataset, period }, status));
    }

    /// Enters a unit by the outcome of making it; an error is what it failed for.
    pub fn enter_outcome<E: Display>(
        &mut self,
        dataset: Dataset,
        period: Option<Period>,
        outcome: Result<StepStatus, E>,
    ) {
        self.enter(dataset, period, outcome.unwrap_or_else(StepStatus::failed));
    }

    /// Enters a count.
    pub fn figure(&mut self, name: &str, count: usize) {
        self.figures.insert(name.to_owned(), count.into());
    }

    /// Adds to a count.
    pub fn add_figure(&mut self, name: &str, count: usize) {
        let before = self.figures.get(name).and_then(Value::as_u64).unwrap_or_default();
        self.figures
            .insert(name.to_owned(), (before + count as u64).into());
    }

    /// True when every unit was looked at and made of all that it is made from.
    pub fn is_complete(&self) -> bool {
        let whole = |(_, status): &(Unit, StepStatus)| {
            !matches!(status, StepStatus::HeldBack { .. } | StepStatus::Failed { .. })
        };
        self.left_out.is_empty() && !self.cancelled && self.units.iter().all(whole)
    }

    /// True when there was nothing to look at.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty() && self.left_out.is_empty() && self.notes.is_empty() && !self.cancelled
    }

    /// How many units came to what.
    pub fn total(&self) -> StatusCounts {
        let mut counts = StatusCounts::default();
        self.units.iter().for_each(|(_, status)| counts.add(status));
        counts
    }

    /// The same by dataset, in the order in which they were first met.
    pub fn counts(&self) -> Vec<(&Dataset, StatusCounts)> {
        let mut all: Vec<(&Dataset, StatusCounts)> = Vec::new();
        for (unit, status) in &self.units {
            let at = all.iter().position(|(known, _)| **known == unit.dataset);
            let at = at.unwrap_or_else(|| {
                all.push((&unit.dataset, StatusCounts::default()));
                all.len() - 1
            });
            all[at].1.add(status);
        }
        all
    }

    /// Units that failed as such, with the reason.
    pub fn failed(&self) -> impl Iterator<Item = (&Unit, &str)> {
        self.units.iter().filter_map(|(unit, status)| match status {
            StepStatus::Failed { reason } => Some((unit, reason.as_str())),
            _ => None,
        })
    }

    /// Units that stay as they were, with what failed.
    pub fn held_back(&self) -> impl Iterator<Item = (&Unit, &Unit)> {
        self.units.iter().filter_map(|(unit, status)| match status {
            StepStatus::HeldBack { by } => Some((unit, by)),
            _ => None,
        })
    }

    /// Weeks of a dataset that were made.
    pub fn weeks_made(&self, dataset: &Dataset) -> impl Iterator<Item = Period> {
        let made = |(unit, status): &(Unit, StepStatus)| {
            let made = unit.dataset == *dataset && *status == StepStatus::Made;
            unit.period.filter(|_| made)
        };
        self.units.iter().filter_map(made)
    }

    /// Takes over what the same step came to when it was done again: of a unit that was looked at twice the later word counts,
    /// unless it is that nothing had changed since.
    fn follow(&mut self, again: Self) {
        let places: BTreeMap<Unit, usize> = self
            .units
            .iter()
            .enumerate()
            .map(|(index, (unit, _))| (unit.clone(), index))
            .collect();
        for (unit, status) in again.units {
            match places.get(&unit) {
                Some(_) if status == StepStatus::UpToDate => {}
                Some(index) => self.units[*index].1 = status,
                None => self.units.push((unit, status)),
            }
        }
        self.left_out.extend(again.left_out);
        self.notes.extend(again.notes);
        self.figures.extend(again.figures);
        self.cancelled |= again.cancelled;
    }
}

/// Units that are up to date are counted and not listed: in a run that makes nothing they are all.
impl Serialize for StepReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct DatasetCounts<'a> {
            dataset: &'a Dataset,
            #[serde(flatten)]
            counts: StatusCounts,
        }
        #[derive(Serialize)]
        struct UnitStatus<'a> {
            #[serde(flatten)]
            unit: &'a Unit,
            #[serde(flatten)]
            status: &'a StepStatus,
        }
        #[derive(Serialize)]
        struct Listed<'a> {
            step: &'a str,
            datasets: Vec<DatasetCounts<'a>>,
            units: Vec<UnitStatus<'a>>,
            left_out: &'a [Failure],
            notes: &'a [Failure],
            figures: &'a Map<String, Value>,
        }
        let datasets = self.counts().into_iter();
        let listed = self
            .units
            .iter()
            .filter(|(_, status)| *status != StepStatus::UpToDate);
        Listed {
            step: self.step,
            datasets: datasets
                .map(|(dataset, counts)| DatasetCounts { dataset, counts })
                .collect(),
            units: listed.map(|(unit, status)| UnitStatus { unit, status }).collect(),
            left_out: &self.left_out,
            notes: &self.notes,
            figures: &self.figures,
        }
        .serialize(serializer)
    }
}

/// What became of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RunReport {
    /// Its steps, in the order in which they were done; without those that had nothing to look at.
    pub steps: Vec<StepReport>,
    /// What a person should know of the run as a whole.
    pub notes: Vec<String>,
    /// True when the run was stopped before its end.
    pub cancelled: bool,
}

impl RunReport {
    /// Enters a step that is done, maybe once more.
    pub fn enter(&mut self, step: StepReport) {
        self.cancelled |= step.cancelled;
        match self.steps.iter_mut().find(|known| known.step == step.step) {
            Some(known) => known.follow(step),
            None if step.is_empty() => {}
            None => self.steps.push(step),
        }
    }

    /// The report of a step by its name; none where it had nothing to look at.
    pub fn step(&self, name: &str) -> Option<&StepReport> {
        self.steps.iter().find(|step| step.step == name)
    }

    /// True when everything asked for was done.
    pub fn is_complete(&self) -> bool {
        !self.cancelled && self.steps.iter().all(StepReport::is_complete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rasters() -> StepReport {
        let ndvi = || Dataset::Collection("ndvi".into());
        let week = |number: u32| Some(format!("2026-W{number}").parse().expect("a week"));
        let mut report = StepReport::new("rasters");
        report.enter(ndvi(), week(33), StepStatus::UpToDate);
        report.enter(ndvi(), week(34), StepStatus::Made);
        report.enter(Dataset::Collection("flood".into()), week(34), StepStatus::NoInput);
        report
    }

    #[test]
    fn scripts_get_counts_of_all_units_and_the_list_of_those_that_are_not_up_to_date() {
        let mut report = rasters();
        report.figure("scenes", 3);
        let by = Unit {
            dataset: Dataset::Records("crop_season".into()),
            period: None,
        };
        report.enter(
            Dataset::Records("flood_cause".into()),
            None,
            StepStatus::HeldBack { by },
        );
        let value = serde_json::to_value(&report).expect("JSON");
        assert_eq!(
            value["datasets"][0],
            json!({"dataset": "collection/ndvi", "made": 1, "up_to_date": 1, "no_input": 0, "held_back": 0, "failed": 0})
        );
        assert_eq!(
            value["units"],
            json!([
                {"dataset": "collection/ndvi", "period": "2026-W34", "status": "made"},
                {"dataset": "collection/flood", "period": "2026-W34", "status": "no_input"},
                {"dataset": "records/flood_cause", "period": null, "status": "held_back",
                 "by": {"dataset": "records/crop_season", "period": null}},
            ])
        );
        assert_eq!(value["figures"], json!({"scenes": 3}));
    }

    #[test]
    fn a_step_that_is_done_again_is_told_once_with_what_was_made() {
        let mut run = RunReport::default();
        run.enter(rasters());
        let mut again = rasters();
        for (_, status) in &mut again.units[..2] {
            *status = StepStatus::UpToDate;
        }
        again.enter(Dataset::Collection("evi".into()), None, StepStatus::Made);
        run.enter(again);
        let total = run.step("rasters").expect("entered").total();
        assert_eq!(
            (run.steps.len(), total.made, total.up_to_date, total.no_input),
            (1, 2, 1, 1)
        );
    }

    #[test]
    fn a_run_is_complete_when_nothing_failed_was_held_back_left_out_or_stopped() {
        let run = |step: StepReport| {
            let mut run = RunReport::default();
            run.enter(step);
            run
        };
        assert!(run(rasters()).is_complete());
        assert!(run(StepReport::new("surfaces")).steps.is_empty());
        let mut failed = rasters();
        failed.enter_outcome(Dataset::Collection("evi".into()), None, Err("no space"));
        assert_eq!(
            failed.failed().map(|(_, reason)| reason).collect::<Vec<_>>(),
            ["no space"]
        );
        let mut left_out = rasters();
        left_out
            .left_out
            .push(Failure::new("sentinel-2-l2a/S2B", "is cut short"));
        let mut stopped = rasters();
        stopped.cancelled = true;
        for step in [failed, left_out, stopped] {
            assert!(!run(step).is_complete());
        }
    }
}
