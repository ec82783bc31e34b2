//! What a run has made and readers do not see yet.

use super::Store;
use crate::Result;
use crate::run::ContentDigest;
use async_trait::async_trait;
use std::sync::Arc;

/// The rows of a run: those staged before those that everybody sees. Groups are published one after the other, each at once.
#[async_trait]
pub trait Stage: Send + Sync {
    /// The store as steps read and write it. Features go to the catalogue at once: they are not staged.
    fn rows(&self) -> Arc<dyn Store>;

    /// The group that a killed run has left, and the digest of everything that it could have read.
    async fn staged_group(&self) -> Result<Option<(String, ContentDigest)>>;

    /// Begins a group, whose basis is the digest of everything it can read. What is staged is dropped.
    async fn begin_group(&self, name: &str, basis: ContentDigest) -> Result<()>;

    /// Drops everything staged.
    async fn drop_group(&self) -> Result<()>;

    /// Makes everything staged visible, in one transaction that moves the revision once.
    async fn publish_group(&self) -> Result<()>;

    /// Ends the run: nothing of the stage is left.
    async fn close_stage(self: Arc<Self>) -> Result<()>;
}
