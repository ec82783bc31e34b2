//! Weeks under water of dyke compartments.

use crate::Result;
use crate::inundation::course::Measured;
use crate::inundation::{Cause, Inundation};
use crate::period::Period;
use async_trait::async_trait;

/// Records of compartments by week, and the measurements they are told from.
#[async_trait]
pub trait Inundations: Send + Sync {
    /// Replaces all records of a layer, all or nothing; gives the number of records that changed or went. The revision
    /// moves only when there are any.
    async fn put_inundations(&self, layer: &str, records: Vec<Inundation>) -> Result<usize>;

    /// The records of a compartment, oldest first.
    async fn inundations_of(&self, fid: i64) -> Result<Vec<Inundation>>;

    /// The records of a layer in a week, by compartment; of some causes, or of all when none are named.
    async fn inundations_in(&self, layer: &str, period: Period, causes: &[Cause]) -> Result<Vec<Inundation>>;

    /// The weeks of a layer that have records, oldest first.
    async fn inundation_weeks(&self, layer: &str) -> Result<Vec<Period>>;

    /// Keeps what the map of a week shows of each compartment (by number), and what it was measured from. Does not move
    /// the revision.
    async fn put_measured(
        &self,
        layer: &str,
        period: Period,
        digest: &str,
        measured: Vec<(i64, Measured)>,
    ) -> Result<()>;

    /// What the map of a week showed, if it was measured from the same.
    async fn measured(
        &self,
        layer: &str,
        period: Period,
        digest: &str,
    ) -> Result<Option<Vec<(i64, Measured)>>>;
}
