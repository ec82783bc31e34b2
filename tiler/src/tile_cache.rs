//! Finished tiles in memory under a byte budget, each made once however many ask for it at the same time.

use crate::cpu::Cpu;
use crate::encode::Format;
use crate::negotiate::Coding;
use crate::problem::{Outcome, Problem};
use axum::http::HeaderValue;
use bytes::Bytes;
use moka::sync::Cache;
use sen_catalog::TileCoord;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// What names a finished tile: nothing else may change its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TileKey {
    /// Hash of item, its version, asset and style with its version; of a vector tile, of all that its layers show.
    pub(crate) source: u64,
    /// The address.
    pub(crate) tile: TileCoord,
    /// Pixels along an edge; 0 for vectors.
    pub(crate) size: u16,
    /// The encoding.
    pub(crate) form: Form,
}

/// How the bytes of a tile are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// A picture.
    Picture(Format),
    /// A vector tile, packed or not.
    Vector(Coding),
}

impl TileKey {
    /// The strong validator of the tile, known before any pixel is read.
    pub(crate) fn etag(&self) -> String {
        let kind = match self.form {
            Form::Picture(Format::Png) => 'p',
            Form::Picture(Format::Webp) => 'w',
            Form::Vector(Coding::Identity) => 'v',
            Form::Vector(Coding::Gzip) => 'g',
            Form::Vector(Coding::Brotli) => 'b',
            Form::Vector(Coding::Zstd) => 'z',
        };
        let (z, x, y) = (self.tile.z(), self.tile.x(), self.tile.y());
        format!("\"{:016x}-{z:x}-{x:x}-{y:x}-{}{kind}\"", self.source, self.size)
    }
}

/// A finished tile; `None` when no pixel of it has data.
pub(crate) type Tile = Option<TileBytes>;

/// The bytes of a tile and the headers that always go with them.
#[derive(Clone, Debug)]
pub(crate) struct TileBytes {
    /// The encoded picture.
    pub(crate) body: Bytes,
    /// Its validator.
    pub(crate) etag: HeaderValue,
}

type Waiting = Vec<oneshot::Sender<Option<Tile>>>;

/// The cache.
#[derive(Debug)]
pub(crate) struct TileCache {
    tiles: Cache<TileKey, Tile>,
    under_way: Mutex<HashMap<TileKey, Waiting>>,
    enabled: bool,
}

impl TileCache {
    /// A cache of at most `bytes` (0: none, yet equal requests at the same time are still answered once).
    pub(crate) fn new(bytes: u64) -> Self {
        // 160 bytes: key, entry and header value that moka and we keep beside the body
        let weigh = |_: &TileKey, tile: &Tile| {
            u32::try_from(tile.as_ref().map_or(0, |tile| tile.body.len()) + 160).unwrap_or(u32::MAX)
        };
        let tiles = Cache::builder().max_capacity(bytes).weigher(weigh).build();
        Self {
            tiles,
            under_way: Mutex::default(),
            enabled: bytes > 0,
        }
    }

    /// A tile that is ready.
    pub(crate) fn ready(&self, key: &TileKey) -> Option<Tile> {
        if self.enabled { self.tiles.get(key) } else { None }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.tiles.weighted_size()
    }

    /// The tile, made by `make` on `cpu` unless it is ready or being made.
    pub(crate) async fn get_or_make(
        self: &Arc<Self>,
        cpu: &Cpu,
        key: TileKey,
        make: impl FnOnce() -> sen_catalog::Result<Option<Vec<u8>>> + Send + 'static,
    ) -> Outcome<Tile> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(tile) = self.ready(&key) {
                return Ok(tile); // finished since the caller looked
            }
            if let Some(waiting) = under_way.get_mut(&key) {
                waiting.push(sender);
            } else {
                under_way.insert(key, vec![sender]);
                drop(under_way);
                let cache = Arc::clone(self);
                cpu.start(make, move |result| cache.finish(key, result));
            }
        }
        // the cause has been logged where it arose
        receiver
            .await
            .ok()
            .flatten()
            .ok_or_else(|| Problem::unavailable("what this tile shows"))
    }

    fn finish(&self, key: TileKey, result: Option<sen_catalog::Result<Option<Vec<u8>>>>) {
        let tile = match result {
            Some(Ok(body)) => Some(body.map(|body| {
                TileBytes {
                    body: Bytes::from(body),
                    etag: HeaderValue::try_from(key.etag())
                        .expect("hexadecimal digits and quotes are a header value"),
                }
            })),
            Some(Err(error)) => {
                tracing::error!(%error, ?key, "a tile cannot be drawn");
                None
            }
            None => None, // a panic, reported by its hook
        };
        if let Some(tile) = &tile
            && self.enabled
        {
            self.tiles.insert(key, tile.clone());
        }
        let waiting = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&key);
        for sender in waiting.into_iter().flatten() {
            let _ = sender.send(tile.clone()); // nobody listens when the client has gone
        }
    }
}
