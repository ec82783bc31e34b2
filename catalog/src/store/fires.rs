//! Fire danger and forest change of zones, and what they were made from.

use crate::Result;
use crate::fire::change::ForestChange;
use crate::fire::day::DangerDay;
use async_trait::async_trait;
use chrono::NaiveDate;
use serde_json::Value;

/// What rows were made from: nothing has to be done while the digest stands, and whoever shows them shows `said`.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// Digest of the inputs and the method.
    pub digest: String,
    /// What must be told beside the numbers: the table of levels, its citation.
    pub said: Value,
}

/// Fire danger by day and change by series, for features by `fid`.
#[async_trait]
pub trait Fires: Send + Sync {
    /// Replaces the days of each feature, all or nothing; gives the number of features whose days changed. The revision moves
    /// only when there are any.
    async fn put_danger(&self, danger: Vec<(i64, Vec<DangerDay>)>) -> Result<usize>;

    /// The days of a feature, rising; `from` and `to` included.
    async fn danger(
        &self,
        fid: i64,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
    ) -> Result<Vec<DangerDay>>;

    /// Replaces what is known of the change of each feature; gives the number of features for which it is another.
    async fn put_forest_change(&self, changes: Vec<(i64, ForestChange)>) -> Result<usize>;

    /// The change of a feature.
    async fn forest_change(&self, fid: i64) -> Result<Option<ForestChange>>;

    /// What rows of a name were last made from, if they ever were.
    async fn fire_basis(&self, name: &str) -> Result<Option<Basis>>;

    /// Keeps what rows of a name were made from. Does not move the revision.
    async fn put_fire_basis(&self, name: &str, basis: &Basis) -> Result<()>;
}
