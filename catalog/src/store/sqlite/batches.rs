//! Many features at once, while others write too: a batch.
//!
//! A batch is filled in slices, each a short transaction, and the writer is free between them. Its rows are not seen while the
//! batch stands in `staged_batch`, and the rows that they take the place of are. One transaction takes it out there, enters what
//! it does to the digests and to the layers, and moves the revision: from then on the other rows are seen. Those that went are
//! deleted in slices afterwards. A batch that nobody goes on with (its process was killed, or told to stop) is never seen; the
//! next one takes it back.

use super::feature_rows::{EncodedFeature, FeatureWriter, NO_BATCH, staged_batches};
use super::layer_counts::{LayerCount, count_layer};
use super::{Inner, SqliteStore, dataset_digests};
use crate::feature::Feature;
use crate::store::{Features, Put};
use crate::{Error, Result};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use std::vec::IntoIter;

#[cfg(test)]
mod tests;

pub(super) const SCHEMA: &str = "
CREATE TABLE staged_batch (  -- batches whose rows are not yet seen
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given again: rows keep the batch they came with
    first_row INTEGER NOT NULL,  -- its rows have this number or a higher one
    is_open INTEGER NOT NULL);  -- 0: it is taken back
CREATE TABLE staged_digest (  -- what a batch does to the digests of datasets once it is seen
    batch INTEGER NOT NULL, dataset TEXT NOT NULL, period TEXT NOT NULL, sum BLOB NOT NULL,  -- as in `digest`
    PRIMARY KEY (batch, dataset, period)) WITHOUT ROWID;
";

/// Features changed in one transaction; more are a batch.
const MOST_AT_ONCE: usize = 500;

/// A layer of more features is changed by batches alone: it takes a while to be counted.
const LARGE_LAYER: u64 = 20_000;

/// How long a slice holds the writer, about: sensors wait as long.
const SLICE: Duration = Duration::from_millis(150);

/// How long the writer is free between slices, at least: whoever waits asks several times in it.
const PAUSE: Duration = Duration::from_millis(15);

/// Rows of the first slice; how many the next ones have is measured.
const FIRST_ROWS: usize = 200;

/// Most rows of a slice, whatever was measured.
const MOST_ROWS: usize = 20_000;

/// How often layers are counted beside others who change them, before they are counted while these wait.
const MOST_COUNTS: usize = 3;

/// How many rows the next slice has.
#[derive(Clone, Copy, Debug)]
struct SliceSize(usize);

impl SliceSize {
    const FIRST: Self = Self(FIRST_ROWS);

    /// After a slice of this size held the writer so long.
    fn after(self, held: Duration) -> Self {
        let rows = self.0 as f64 * SLICE.as_secs_f64() / held.as_secs_f64().max(1e-4);
        // what comes may be heavier than what went before
        Self((rows as usize).clamp(FIRST_ROWS / 4, (self.0 * 2).min(MOST_ROWS)))
    }
}

/// One transaction, and how long it held the writer.
fn write_timed<T>(inner: &Inner, work: impl FnOnce(&Connection) -> Result<T>) -> Result<(T, Duration)> {
    let mut began = Instant::now();
    let result = inner.write(|connection| {
        began = Instant::now();
        work(connection)
    })?;
    Ok((result, began.elapsed()))
}

/// Leaves the writer free for what is left of the pause that began then.
fn finish_pause(began: Instant) {
    std::thread::sleep(PAUSE.saturating_sub(began.elapsed()));
}

/// What is done of a change.
#[derive(Debug, Default)]
struct ChangeProgress {
    outcomes: Vec<Put>,
    deleted: usize,
    layers: BTreeSet<String>,
}

impl ChangeProgress {
    fn delete(&mut self, writer: &mut FeatureWriter<'_>, fids: &[i64]) -> Result<()> {
        for fid in fids {
            if let Some(layer) = writer.delete(*fid)? {
                self.deleted += 1;
                self.layers.insert(layer);
            }
        }
        Ok(())
    }

    fn put(&mut self, writer: &mut FeatureWriter<'_>, features: Vec<EncodedFeature>) -> Result<()> {
        for encoded in features {
            let (outcome, _) = writer.put(&encoded)?;
            self.outcomes.push(outcome);
            if outcome != Put::Unchanged {
                self.layers.insert(encoded.feature.layer);
            }
        }
        Ok(())
    }
}

/// What is left of a change.
#[derive(Debug)]
struct LeftChange {
    gone: IntoIter<i64>,
    features: IntoIter<Feature>,
}

impl LeftChange {
    fn is_empty(&self) -> bool {
        self.gone.len() == 0 && self.features.len() == 0
    }
}

fn encode(features: impl Iterator<Item = Feature>) -> Result<Vec<EncodedFeature>> {
    features.map(EncodedFeature::new).collect()
}

impl SqliteStore {
    /// See [`Features::change_features`].
    pub(super) async fn change(&self, features: Vec<Feature>, gone: Vec<i64>) -> Result<(Vec<Put>, usize)> {
        let progress = if self.is_small_change(&features, &gone).await? {
            self.change_at_once(features, gone).await?
        } else {
            self.change_in_batch(features, gone).await?
        };
        Ok((progress.outcomes, progress.deleted))
    }

    async fn is_small_change(&self, features: &[Feature], gone: &[i64]) -> Result<bool> {
        if features.len() + gone.len() > MOST_AT_ONCE {
            return Ok(false);
        }
        let names: BTreeSet<&str> = features.iter().map(|feature| feature.layer.as_str()).collect();
        let layers = self.layers().await?;
        let mut touched = layers
            .iter()
            .filter(|layer| !gone.is_empty() || names.contains(layer.name.as_str()));
        Ok(touched.all(|layer| layer.count <= LARGE_LAYER))
    }

    async fn change_at_once(&self, features: Vec<Feature>, gone: Vec<i64>) -> Result<ChangeProgress> {
        self.blocking(move |inner| {
            let features = encode(features.into_iter())?;
            inner.write(|connection| {
                let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
                let mut progress = ChangeProgress::default();
                progress.delete(&mut writer, &gone)?;
                progress.put(&mut writer, features)?;
                for layer in &progress.layers {
                    count_layer(connection, layer)?;
                }
                writer.finish()?;
                move_revision(connection)?;
                Ok(progress)
            })
        })
        .await
    }

    async fn change_in_batch(&self, features: Vec<Feature>, gone: Vec<i64>) -> Result<ChangeProgress> {
        let _alone = self.inner.batches.lock().await;
        self.finish_all().await?;
        let batch = self.blocking(|inner| inner.write(begin)).await?;
        let left = LeftChange {
            gone: gone.into_iter(),
            features: features.into_iter(),
        };
        let progress = match self.fill_and_show(batch, left).await {
            Ok(progress) => progress,
            Err(error) => {
                self.take_back(batch).await?;
                return Err(error);
            }
        };
        if let Err(error) = self.delete_gone().await {
            // they are seen no more
            tracing::warn!(%error, "features that went could not be deleted yet; the next import does");
        }
        Ok(progress)
    }

    /// See [`Features::finish_batches`].
    pub(super) async fn finish_own_batches(&self) -> Result<()> {
        let _alone = self.inner.batches.lock().await;
        self.finish_all().await
    }

    async fn finish_all(&self) -> Result<()> {
        for batch in self.reading(|connection| Ok(staged_batches(connection)?)).await? {
            self.take_back(batch).await?;
        }
        self.delete_gone().await
    }

    async fn fill_and_show(&self, batch: i64, mut left: LeftChange) -> Result<ChangeProgress> {
        let mut progress = ChangeProgress::default();
        let mut size = SliceSize::FIRST;
        while !left.is_empty() {
            let slice = move |inner: &Inner| fill_slice(inner, batch, size, left, progress);
            (left, progress, size) = self.blocking(slice).await?;
        }
        if progress.layers.is_empty() {
            self.take_back(batch).await?;
            return Ok(progress);
        }
        let mut counts = 0;
        loop {
            counts += 1;
            let layers = progress.layers.clone();
            let counted = self
                .reading(move |connection| count_layers(connection, &layers, batch))
                .await?;
            let layers = progress.layers.clone();
            let shown = self
                .blocking(move |inner| {
                    inner.write(|connection| {
                        if counts < MOST_COUNTS {
                            show(connection, batch, &counted)
                        } else {
                            show(connection, batch, &count_layers(connection, &layers, batch)?)
                        }
                    })
                })
                .await?;
            if shown {
                return Ok(progress);
            }
        }
    }

    /// Undoes a batch that was never seen.
    async fn take_back(&self, batch: i64) -> Result<()> {
        let close = "UPDATE staged_batch SET is_open = 0 WHERE id = ?";
        self.blocking(move |inner| inner.write(|connection| Ok(connection.execute(close, [batch])?)))
            .await?;
        self.in_slices(move |connection, rows| {
            let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
            let deleted = writer.delete_rows(
                "row_number IN (SELECT row_number FROM feature
                     WHERE row_number >= (SELECT first_row FROM staged_batch WHERE id = ?1) AND batch_from = ?1
                     ORDER BY row_number LIMIT ?2)",
                params![batch, rows],
            )?;
            writer.finish()?;
            Ok(deleted)
        })
        .await?;
        // no rows of the batch are left that stand for the same features
        self.in_slices(move |connection, rows| {
            let mut stay = connection.prepare_cached(
                "UPDATE feature SET batch_to = 0 WHERE row_number IN
                     (SELECT row_number FROM feature WHERE batch_to = ?1 AND batch_to != 0 LIMIT ?2)",
            )?;
            Ok(stay.execute(params![batch, rows])?)
        })
        .await?;
        self.blocking(move |inner| {
            inner.write(|connection| {
                connection.execute("DELETE FROM staged_digest WHERE batch = ?", [batch])?;
                Ok(connection.execute("DELETE FROM staged_batch WHERE id = ?", [batch])?)
            })
        })
        .await?;
        Ok(())
    }

    /// Deletes the rows that went with batches that are seen.
    async fn delete_gone(&self) -> Result<()> {
        const GONE: &str = "SELECT row_number FROM feature
            WHERE batch_to != 0 AND batch_to NOT IN (SELECT id FROM staged_batch)";
        let any = self.reading(|connection| Ok(connection.prepare_cached(GONE)?.exists([])?));
        if !any.await? {
            return Ok(());
        }
        self.in_slices(|connection, rows| {
            let mut writer = FeatureWriter::new(connection, NO_BATCH)?;
            let deleted = writer.delete_rows(&format!("row_number IN ({GONE} LIMIT ?1)"), params![rows])?;
            writer.finish()?;
            Ok(deleted)
        })
        .await
    }

    /// Works in slices until one finds nothing to do; `work` is told how many rows to take, and says how many it took.
    async fn in_slices(
        &self,
        work: impl Fn(&Connection, i64) -> Result<usize> + Copy + Send + 'static,
    ) -> Result<()> {
        let mut size = SliceSize::FIRST;
        loop {
            let slice = move |inner: &Inner| {
                finish_pause(Instant::now());
                write_timed(inner, |connection| work(connection, size.0 as i64))
            };
            let (done, held) = self.blocking(slice).await?;
            if done == 0 {
                return Ok(());
            }
            size = size.after(held);
        }
    }
}

/// Moves the revision of the store on.
fn move_revision(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE revision SET number = number + 1", [])?;
    Ok(())
}

/// A new batch that is not seen.
fn begin(connection: &Connection) -> Result<i64> {
    connection.execute(
        "INSERT INTO staged_batch (first_row, is_open)
         SELECT coalesce(max(seq), 0) + 1, 1 FROM sqlite_sequence WHERE name = 'feature'",
        [],
    )?;
    Ok(connection.last_insert_rowid())
}

/// Somebody else may have taken the batch for one that was left.
fn check_open(connection: &Connection, batch: i64) -> Result<()> {
    let open: Option<bool> = connection
        .prepare_cached("SELECT is_open FROM staged_batch WHERE id = ?")?
        .query_row([batch], |row| row.get(0))
        .optional()?;
    if open == Some(true) {
        return Ok(());
    }
    Err(Error::Store(
        "what was put was taken back by another writer; try again".to_owned(),
    ))
}

/// The next rows of a batch. They are encoded while others may write.
fn fill_slice(
    inner: &Inner,
    batch: i64,
    size: SliceSize,
    mut left: LeftChange,
    mut progress: ChangeProgress,
) -> Result<(LeftChange, ChangeProgress, SliceSize)> {
    let pause = Instant::now();
    let gone: Vec<i64> = left.gone.by_ref().take(size.0).collect();
    let features = encode(left.features.by_ref().take(size.0 - gone.len()))?;
    finish_pause(pause);
    let (progress, held) = write_timed(inner, |connection| {
        check_open(connection, batch)?;
        let mut writer = FeatureWriter::new(connection, batch)?;
        progress.delete(&mut writer, &gone)?;
        progress.put(&mut writer, features)?;
        writer.finish()?;
        Ok(progress)
    })?;
    Ok((left, progress, size.after(held)))
}

fn count_layers(
    connection: &Connection,
    layers: &BTreeSet<String>,
    batch: i64,
) -> Result<BTreeMap<String, LayerCount>> {
    let count = |layer: &String| Ok((layer.clone(), LayerCount::read(connection, layer, batch)?));
    layers.iter().map(count).collect()
}

/// Makes a batch seen; false where a layer was changed since it was counted.
fn show(connection: &Connection, batch: i64, layers: &BTreeMap<String, LayerCount>) -> Result<bool> {
    check_open(connection, batch)?;
    for (layer, count) in layers {
        if !count.is_current(connection, layer)? {
            return Ok(false);
        }
    }
    dataset_digests::show_batch(connection, batch)?;
    connection.execute("DELETE FROM staged_batch WHERE id = ?", [batch])?;
    for (layer, count) in layers {
        count.enter(connection, layer)?;
    }
    move_revision(connection)?;
    Ok(true)
}
