//! What lies in each dataset, and what was made from what.

use crate::Result;
use crate::run::{DatasetDigests, LedgerEntry, Unit};
use async_trait::async_trait;

/// Digests of what the rows hold, and the entries of runs. Entries move no revision: no reader sees them.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The digests of all datasets that rows or checksums in rows tell, as of one moment. They are kept with each change of a row:
    /// to ask for them reads no rows.
    async fn digests(&self) -> Result<DatasetDigests>;

    /// Enters from what units were made, all or nothing, in place of what was entered for the same step and unit before.
    async fn put_ledger_entries(&self, entries: Vec<LedgerEntry>) -> Result<()>;

    /// Takes away the entries of a step for units that are no more.
    async fn delete_ledger_entries(&self, step: &str, units: Vec<Unit>) -> Result<()>;

    /// The entry of a step for a unit.
    async fn ledger_entry(&self, step: &str, unit: &Unit) -> Result<Option<LedgerEntry>>;

    /// All entries of a step, by dataset, then period.
    async fn ledger_entries(&self, step: &str) -> Result<Vec<LedgerEntry>>;
}
