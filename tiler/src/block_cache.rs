//! Decoded blocks kept in memory under a byte budget, and opened files under a count.

use moka::sync::Cache;
use sen_catalog::raster::{Cog, Pixels};
use sen_catalog::{Error, Result};
use std::sync::Arc;

/// Which block of which opened file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey {
    /// Number of the opened file; a changed file is opened anew and gets another.
    pub(crate) file: u64,
    pub(crate) level: usize,
    /// From 0.
    pub(crate) band: usize,
    pub(crate) column: usize,
    pub(crate) row: usize,
}

/// Decoded blocks; two requests that want the same one decode it once.
#[derive(Debug)]
pub(crate) struct BlockCache {
    blocks: Option<Cache<BlockKey, Arc<Pixels>>>,
}

impl BlockCache {
    /// A cache of at most `bytes` of pixels; 0 keeps nothing.
    pub(crate) fn new(bytes: u64) -> Self {
        let blocks = (bytes > 0).then(|| {
            Cache::builder()
                .max_capacity(bytes)
                .weigher(|_, pixels: &Arc<Pixels>| u32::try_from(pixels.bytes()).unwrap_or(u32::MAX))
                .build()
        });
        Self { blocks }
    }

    /// The block, decoded now if it is not kept.
    pub(crate) fn block(&self, cog: &Cog, key: BlockKey) -> Result<Arc<Pixels>> {
        let decode = || {
            cog.read_block(key.level, key.band, key.column, key.row)
                .map(Arc::new)
        };
        match &self.blocks {
            Some(blocks) => blocks.try_get_with(key, decode).map_err(|error| shared(&error)),
            None => decode(),
        }
    }

    /// Bytes of pixels kept now.
    pub(crate) fn bytes(&self) -> u64 {
        self.blocks.as_ref().map_or(0, Cache::weighted_size)
    }
}

/// An error several requests waited for, as one's own: kind and message stay.
pub(crate) fn shared(error: &Arc<Error>) -> Error {
    match &**error {
        Error::NotFound(what) => Error::NotFound(what.clone()),
        Error::Invalid(what) => Error::Invalid(what.clone()),
        Error::Raster { path, reason } => Error::raster(path, reason.clone()),
        Error::Damaged { path, reason } => Error::damaged(path, reason.clone()),
        Error::Io { path, source } => Error::io(path, std::io::Error::new(source.kind(), source.to_string())),
        other => Error::Store(other.to_string()),
    }
}
