//! Keys of those who may write over HTTP. Only their digests are kept.

use crate::Result;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A key, without what opens anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// Whose it is.
    pub name: String,
    /// Collections it may write to; `*` is all of them.
    pub write: Vec<String>,
    /// When it was made, to the second.
    pub made: DateTime<Utc>,
}

impl Key {
    /// True when it may write to the collection.
    pub fn writes(&self, collection: &str) -> bool {
        self.write.iter().any(|one| one == collection || one == "*")
    }
}

/// Keys by name.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Keeps a new key by the SHA-256 of its text.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when the name is taken.
    async fn put_key(&self, key: &Key, sha256: &[u8]) -> Result<()>;

    /// The key with the digest.
    async fn key(&self, sha256: &[u8]) -> Result<Option<Key>>;

    /// All keys, by name.
    async fn keys(&self) -> Result<Vec<Key>>;

    /// Takes a key back; true when there was one of the name.
    async fn revoke_key(&self, name: &str) -> Result<bool>;
}
