//! Administrative units as rows.

use super::Put;
use crate::Result;
use crate::admin_unit::{AdminUnit, Level};
use async_trait::async_trait;
use chrono::NaiveDate;

/// Which units: all given conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct UnitQuery {
    /// Only this level.
    pub level: Option<Level>,
    /// Only this code.
    pub code: Option<String>,
    /// Only children of this code.
    pub parent: Option<String>,
    /// Only units valid on this day.
    pub valid_on: Option<NaiveDate>,
}

/// Administrative units by identity (level, code, valid from).
#[async_trait]
pub trait AdminUnits: Send + Sync {
    /// Inserts or replaces, all or nothing; outcomes in order.
    async fn put_units(&self, units: Vec<AdminUnit>) -> Result<Vec<Put>>;

    /// Units by query, ordered by level (highest first), code, validity.
    async fn units(&self, query: &UnitQuery) -> Result<Vec<AdminUnit>>;
}
