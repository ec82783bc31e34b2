//! The layers in memory: read when first asked for, read again when their revision has moved, under a budget of bytes.
//!
//! A layer that alone exceeds the budget is not kept: its tiles are cut from the features that the store finds in them,
//! as long as these are few enough.

use super::clip;
use super::grid::Frame;
use super::index::{Builder, Index};
use super::tile::MOST_FEATURES;
use crate::problem::{Outcome, Problem};
use sen_catalog::feature::{Layer, Shape};
use sen_catalog::{Bounds, FeatureQuery, Store, TileCoord};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Features read at a time: bounds what is in memory beside the index.
const PAGE: usize = 4096;

/// What a feature takes at least, bytes: tells without reading that a layer is too large.
const LEAST_BYTES: u64 = 60;

/// A layer as it is kept.
#[derive(Clone, Debug)]
pub(crate) enum Kept {
    /// In memory.
    Index(Arc<Index>),
    /// Larger than the budget.
    TooLarge,
}

#[derive(Debug)]
struct Entry {
    layer: String,
    revision: u64,
    kept: Kept,
    asked: Instant,
}

/// The layers in memory.
#[derive(Debug)]
pub(crate) struct Shelf {
    store: Arc<dyn Store>,
    budget: usize,
    entries: Mutex<Vec<Entry>>,
    /// One layer is read at a time; who waits finds it done.
    reading: tokio::sync::Mutex<()>,
}

impl Shelf {
    /// A shelf for at most `budget` bytes of indexes.
    pub(crate) fn new(store: Arc<dyn Store>, budget: usize) -> Self {
        Self {
            store,
            budget,
            entries: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().map(|entry| size(&entry.kept) as u64).sum()
    }

    fn held(&self, layer: &Layer) -> Option<Kept> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries
            .iter_mut()
            .find(|entry| entry.layer == layer.name && entry.revision >= layer.revision)?;
        entry.asked = Instant::now();
        Some(entry.kept.clone())
    }

    /// The layer of this revision or a newer one.
    pub(crate) async fn layer(self: &Arc<Self>, layer: &Layer) -> Outcome<Kept> {
        if let Some(kept) = self.held(layer) {
            return Ok(kept);
        }
        // by itself, so that it comes to an end though the client who asked first has gone
        let (shelf, layer) = (Arc::clone(self), layer.clone());
        let task = tokio::spawn(async move { shelf.read(&layer).await });
        task.await.map_err(|_| Problem::internal("reading a layer"))?
    }

    async fn read(&self, layer: &Layer) -> Outcome<Kept> {
        let _turn = self.reading.lock().await;
        if let Some(kept) = self.held(layer) {
            return Ok(kept);
        }
        let started = Instant::now();
        let mut layer = layer.clone();
        let mut kept = self.build(&layer).await?;
        // an import may have gone on meanwhile: its last change must not hide behind an older number
        for _ in 0..2 {
            let Some(now) = self
                .store
                .layers()
                .await?
                .into_iter()
                .find(|now| now.name == layer.name)
            else {
                break;
            };
            if now.revision == layer.revision {
                break;
            }
            layer = now;
            kept = self.build(&layer).await?;
        }
        tracing::info!(
            layer = layer.name,
            revision = layer.revision,
            features = layer.count,
            bytes = size(&kept),
            seconds = started.elapsed().as_secs_f64(),
            "a layer was read for tiles"
        );
        self.put(&layer, kept.clone());
        Ok(kept)
    }

    fn put(&self, layer: &Layer, kept: Kept) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| entry.layer != layer.name);
        let mut room = self.budget.saturating_sub(size(&kept));
        // what was not asked for longest goes first
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.asked));
        entries.retain(|entry| {
            let fits = size(&entry.kept) <= room;
            if fits {
                room -= size(&entry.kept);
            }
            fits
        });
        entries.push(Entry {
            layer: layer.name.clone(),
            revision: layer.revision,
            kept,
            asked: Instant::now(),
        });
    }

    async fn build(&self, layer: &Layer) -> Outcome<Kept> {
        let least = layer.count.saturating_mul(LEAST_BYTES);
        if least > self.budget as u64 {
            return Ok(Kept::TooLarge);
        }
        let mut builder = Builder::new(shape(layer.shape));
        let mut query = FeatureQuery {
            limit: Some(PAGE),
            ..FeatureQuery::layer(&layer.name)
        };
        loop {
            let page = self.store.features(&query).await?;
            let full = page.len() == PAGE;
            query.after = page.last().map(|feature| feature.fid);
            builder = aside(move || {
                for feature in &page {
                    builder.push(feature);
                }
                builder
            })
            .await?;
            if builder.bytes() > self.budget {
                return Ok(Kept::TooLarge);
            }
            if !full {
                break;
            }
        }
        let (name, revision) = (layer.name.clone(), layer.revision);
        let index = aside(move || builder.finish(name, revision)).await?;
        if index.bytes() > self.budget {
            return Ok(Kept::TooLarge);
        }
        Ok(Kept::Index(Arc::new(index)))
    }

    /// The part of a layer that a tile shows, from the store.
    ///
    /// # Errors
    /// 413 when it holds more features than a tile may.
    pub(crate) async fn part(&self, layer: &Layer, tile: TileCoord) -> Outcome<Arc<Index>> {
        let query = FeatureQuery {
            bbox: Some(reach(tile)),
            limit: Some(MOST_FEATURES + 1),
            ..FeatureQuery::layer(&layer.name)
        };
        let features = self.store.features(&query).await?;
        if features.len() > MOST_FEATURES {
            return Err(Problem::too_large(format!(
                "`{}` is larger than [serve] vector_index_mb and this tile holds more than {MOST_FEATURES} of its \
                 features; zoom in, or raise vector_index_mb",
                layer.name
            )));
        }
        let (shape, name, revision) = (shape(layer.shape), layer.name.clone(), layer.revision);
        let index = aside(move || {
            let mut builder = Builder::new(shape);
            for feature in &features {
                builder.push(feature);
            }
            // neighbours that lie in other tiles are not known here, so nothing is left out along common edges
            builder.finish_whole(name, revision)
        });
        Ok(Arc::new(index.await?))
    }
}

/// Runs work of some milliseconds beside the reactor.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Problem::internal("reading a layer"))
}

fn size(kept: &Kept) -> usize {
    match kept {
        Kept::Index(index) => index.bytes(),
        Kept::TooLarge => 0,
    }
}

fn shape(shape: Shape) -> clip::Shape {
    match shape {
        Shape::Point => clip::Shape::Point,
        Shape::Line => clip::Shape::Line,
        Shape::Polygon => clip::Shape::Polygon,
    }
}

/// The tile with its buffer in degrees.
fn reach(tile: TileCoord) -> Bounds {
    let [west, north, east, south] = Frame::of(tile).reach();
    let half = sen_catalog::tms::WORLD_HALF_M;
    let cell = 2.0 * half / (f64::from(u32::MAX) + 1.0);
    let degrees = |x: u32, y: u32| {
        sen_catalog::crs::mercator_to_lon_lat(f64::from(x) * cell - half, half - f64::from(y) * cell)
    };
    let ((west, north), (east, south)) = (degrees(west, north), degrees(east, south));
    Bounds::new(west, south, east, north)
}
