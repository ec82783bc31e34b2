//! What is said of each layer: how many features are seen, of what shape, and where.

use super::feature_rows::NO_BATCH;
use crate::Result;
use rusqlite::{Connection, OptionalExtension, params};

/// A layer as its rows have it.
#[derive(Debug)]
pub(super) struct LayerCount {
    /// Of the layer when it was counted; none of one that is new.
    revision: Option<i64>,
    shape: Option<String>,
    count: i64,
    /// West, south, east and north, as coarse as the index: single precision, outwards.
    bounds: [Option<f64>; 4],
}

/// The revision of a layer that is known.
fn revision(connection: &Connection, layer: &str) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT revision FROM layer WHERE name = ?")?;
    Ok(statement.query_row([layer], |row| row.get(0)).optional()?)
}

impl LayerCount {
    /// Goes through the layer as it is once a batch is seen; [`NO_BATCH`]: as it is.
    pub(super) fn read(connection: &Connection, layer: &str, batch: i64) -> Result<Self> {
        // first: what changes while rows are counted makes this one out of date
        let revision = revision(connection, layer)?;
        let mut statement = connection.prepare_cached(
            "SELECT min(f.shape), count(*), min(b.west), min(b.south), max(b.east), max(b.north)
             FROM feature f JOIN feature_box b ON b.row_number = f.row_number
             WHERE f.layer = ?1
               AND (f.batch_from = ?2 OR f.batch_from NOT IN (SELECT id FROM staged_batch))
               AND (f.batch_to = 0 OR (f.batch_to != ?2 AND f.batch_to IN (SELECT id FROM staged_batch)))",
        )?;
        Ok(statement.query_row(params![layer, batch], |row| {
            Ok(Self {
                revision,
                shape: row.get(0)?,
                count: row.get(1)?,
                bounds: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
            })
        })?)
    }

    /// True when the layer was not changed since it was counted.
    pub(super) fn is_current(&self, connection: &Connection, layer: &str) -> Result<bool> {
        Ok(revision(connection, layer)? == self.revision)
    }

    /// Enters the count, and moves the layer's revision on.
    pub(super) fn enter(&self, connection: &Connection, layer: &str) -> Result<()> {
        let Some(shape) = &self.shape else {
            // a layer that nothing is left of keeps its row, so that its revision never comes again
            connection.execute(
                "UPDATE layer SET count = 0, revision = revision + 1 WHERE name = ?",
                [layer],
            )?;
            return Ok(());
        };
        let [west, south, east, north] = self.bounds;
        connection.execute(
            "INSERT INTO layer VALUES (?, 1, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (name) DO UPDATE SET revision = revision + 1, shape = excluded.shape,
                count = excluded.count, west = excluded.west, south = excluded.south, east = excluded.east,
                north = excluded.north",
            params![layer, shape, self.count, west, south, east, north],
        )?;
        Ok(())
    }
}

/// Counts a layer anew, in the transaction that changed it.
pub(super) fn count_layer(connection: &Connection, layer: &str) -> Result<()> {
    LayerCount::read(connection, layer, NO_BATCH)?.enter(connection, layer)
}
