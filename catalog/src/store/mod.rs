//! Rows: what items exist. One small trait by noun; each backend passes [`conformance`].

pub mod conformance;
mod memory;
mod sqlite;

pub use memory::MemoryStore;
pub use sqlite::SqliteStore;

use crate::grid::Bounds;
use crate::item::Item;
use crate::period::Period;
use crate::{Error, Result};
use async_trait::async_trait;
use std::path::Path;
use std::sync::Arc;

/// What to list: all given conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct ItemQuery {
    /// Only this collection.
    pub collection: Option<String>,
    /// First week (included).
    pub from: Option<Period>,
    /// Last week (included).
    pub to: Option<Period>,
    /// Only items whose box meets this one (lon/lat degrees).
    pub bbox: Option<Bounds>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: Option<usize>,
}

impl ItemQuery {
    /// All items of a collection, oldest first.
    pub fn collection(name: impl Into<String>) -> Self {
        Self {
            collection: Some(name.into()),
            ..Self::default()
        }
    }
}

/// The catalogue's rows.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Inserts or replaces the item (key: collection and id).
    async fn put_item(&self, item: &Item) -> Result<()>;

    /// Removes an item; true when it was there.
    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool>;

    /// One item.
    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>>;

    /// Items by query, ordered by start, then collection, then id.
    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>>;

    /// Names of the collections that hold items, sorted.
    async fn collections(&self) -> Result<Vec<String>>;

    /// A number that grows with every change: readers keep what they cached while it stands still.
    async fn revision(&self) -> Result<u64>;

    /// The newest item of the query. Indexed: its cost does not grow with the number of items.
    async fn newest(&self, query: &ItemQuery) -> Result<Option<Item>> {
        let query = ItemQuery {
            newest_first: true,
            limit: Some(1),
            ..query.clone()
        };
        Ok(self.items(&query).await?.pop())
    }

    /// Errors when the store cannot answer (for readiness probes).
    async fn ping(&self) -> Result<()> {
        self.revision().await.map(|_| ())
    }
}

/// Opens the store that `url` names; a relative or absolute path is a SQLite file under `data`.
///
/// # Errors
/// [`Error::Invalid`] for an unknown scheme, otherwise what the backend says.
pub fn open(url: &str, data: &Path) -> Result<Arc<dyn Store>> {
    match url.split_once("://") {
        None => Ok(Arc::new(SqliteStore::open(&data.join(url))?)),
        Some(("sqlite", path)) => Ok(Arc::new(SqliteStore::open(&data.join(path))?)),
        Some(("memory", _)) => Ok(Arc::new(MemoryStore::default())),
        Some((scheme, _)) => Err(Error::Invalid(format!(
            "store `{scheme}://` is not known here; use a file name such as catalog.sqlite"
        ))),
    }
}
