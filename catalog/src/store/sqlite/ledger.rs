//! The ledger: one row a step and unit.

use super::{SqliteStore, dataset_digests};
use crate::run::{ContentDigest, DatasetDigests, Fingerprint, LedgerEntry, Unit};
use crate::store::Ledger;
use crate::{Error, Result};
use async_trait::async_trait;
use rusqlite::{Row, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE ledger (
    step TEXT NOT NULL,
    dataset TEXT NOT NULL, period TEXT NOT NULL,  -- as of digest
    version INTEGER NOT NULL,  -- of the step
    parts TEXT NOT NULL,  -- the fingerprint as JSON: pairs of name and digest
    output BLOB NOT NULL,  -- digest of what came out
    PRIMARY KEY (step, dataset, period)) WITHOUT ROWID;
";

/// A unit as two columns.
pub(super) fn unit_text(unit: &Unit) -> (String, String) {
    let period = unit.period.map(|period| period.to_string()).unwrap_or_default();
    (unit.dataset.to_string(), period)
}

/// A unit from its two columns.
pub(super) fn parse_unit(dataset: &str, period: &str) -> Result<Unit> {
    Ok(Unit {
        dataset: dataset.parse()?,
        period: (!period.is_empty()).then(|| period.parse()).transpose()?,
    })
}

const COLUMNS: &str = "step, dataset, period, version, parts, output";

fn decode(row: &Row<'_>) -> Result<LedgerEntry> {
    let damaged = |what: String| Error::Store(format!("an entry of the ledger is damaged: {what}"));
    let (dataset, period, parts): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(4)?);
    Ok(LedgerEntry {
        step: row.get(0)?,
        unit: parse_unit(&dataset, &period).map_err(|error| damaged(error.to_string()))?,
        version: row.get(3)?,
        fingerprint: serde_json::from_str::<Fingerprint>(&parts)
            .map_err(|error| damaged(error.to_string()))?,
        output: ContentDigest::from_bytes(row.get(5)?),
    })
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn digests(&self) -> Result<DatasetDigests> {
        self.reading(dataset_digests::read).await
    }

    async fn put_ledger_entries(&self, entries: Vec<LedgerEntry>) -> Result<()> {
        self.blocking(move |inner| {
            inner.write(|connection| {
                let mut put =
                    connection.prepare_cached("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)")?;
                for entry in &entries {
                    let (dataset, period) = unit_text(&entry.unit);
                    let parts = serde_json::to_string(&entry.fingerprint)
                        .map_err(|error| Error::Invalid(format!("{}: {error}", entry.unit)))?;
                    put.execute(params![
                        entry.step,
                        dataset,
                        period,
                        entry.version,
                        parts,
                        entry.output.to_bytes()
                    ])?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn delete_ledger_entries(&self, step: &str, units: Vec<Unit>) -> Result<()> {
        let step = step.to_owned();
        self.blocking(move |inner| {
            inner.write(|connection| {
                let mut delete = connection
                    .prepare_cached("DELETE FROM ledger WHERE step = ? AND dataset = ? AND period = ?")?;
                for unit in &units {
                    let (dataset, period) = unit_text(unit);
                    delete.execute(params![step, dataset, period])?;
                }
                Ok(())
            })
        })
        .await
    }

    async fn ledger_entry(&self, step: &str, unit: &Unit) -> Result<Option<LedgerEntry>> {
        let (dataset, period) = unit_text(unit);
        let key = [step.to_owned(), dataset, period];
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM ledger WHERE step = ? AND dataset = ? AND period = ?"
            ))?;
            let mut rows = statement.query(key)?;
            rows.next()?.map(decode).transpose()
        })
        .await
    }

    async fn ledger_entries(&self, step: &str) -> Result<Vec<LedgerEntry>> {
        let step = step.to_owned();
        self.reading(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM ledger WHERE step = ? ORDER BY dataset, period"
            ))?;
            let mut rows = statement.query([step])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries.push(decode(row)?);
            }
            Ok(entries)
        })
        .await
    }
}
