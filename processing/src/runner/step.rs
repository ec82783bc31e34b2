//! A part of a run: what it reads and writes, when its work is out of date, and how it is made.

use super::{RunView, StepContext, StepSettings};
use crate::Result;
use async_trait::async_trait;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// When what a step makes becomes visible. Nothing of a group reads what a later one makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepGroup {
    /// Week by week: what rests on a week's own scenes and readings.
    Observed,
    /// All at once, after that: what spans weeks or is told by records.
    Derived,
}

/// Part of a run.
///
/// A step never publishes what another writes, never reports, and knows no other step: they meet in the datasets they
/// read and write, of which the order of a run follows.
#[async_trait]
pub trait Step: Sync {
    /// Its name in the report and the ledger.
    fn name(&self) -> &'static str;

    /// Version of its method: another one makes all units anew.
    fn version(&self) -> u32;

    /// When what it makes becomes visible.
    fn group(&self) -> StepGroup;

    /// What it reads.
    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset>;

    /// What it reads for the sake of some of what it writes; as a rule all.
    fn reads_for(&self, settings: &StepSettings<'_>, _wanted: &[Dataset]) -> Vec<Dataset> {
        self.reads(settings)
    }

    /// What it writes.
    fn writes(&self, settings: &StepSettings<'_>) -> Vec<Dataset>;

    /// The pieces of its work there are now, in the order in which they are made.
    fn list_units(&self, context: &StepContext<'_>, view: &RunView) -> Vec<Unit>;

    /// What a unit would be made of now, told by rows alone; none when there is no input.
    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, unit: &Unit)
    -> Option<Fingerprint>;

    /// Makes units that are out of date, all of one period, and enters what became of each. What could not be read and was
    /// left out is named in the report; it is tried again in the next run.
    ///
    /// # Errors
    /// When the catalogue cannot be read or written: what is wrong with one unit is said of it.
    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()>;
}
