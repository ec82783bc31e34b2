//! What is out of the ordinary about files: that nothing names one any more, or that one is damaged.

use crate::Result;
use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// A file that `sen` made and something is to be said of. One that items name and that is as it was written has no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// Its place, as the assets of items name it.
    pub href: String,
    /// Since when no item names it.
    pub unnamed_since: Option<DateTime<Utc>>,
    /// It was found to be another than was written: a hint, as the file may have been brought back since.
    pub is_damaged: bool,
}

/// Rows of files. They move no revision: no reader sees them. What items name is followed as items are put and deleted.
#[async_trait]
pub trait ObjectRows: Send + Sync {
    /// All of them, by href.
    async fn object_rows(&self) -> Result<Vec<ObjectRow>>;

    /// Marks files that were found to be damaged, or takes the marks away.
    async fn mark_objects(&self, hrefs: Vec<String>, is_damaged: bool) -> Result<()>;

    /// Takes away the rows of files that are gone.
    async fn forget_objects(&self, hrefs: Vec<String>) -> Result<()>;
}
