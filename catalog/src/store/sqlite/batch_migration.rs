//! Layout 5: rows of features come and go with batches, and have numbers of their own; until then a row was a feature.

use super::{batches, sums};
use crate::Result;
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;

/// The tables of features, and the one place that says which rows are seen.
const SCHEMA: &str = "
CREATE TABLE feature (
    row_number INTEGER PRIMARY KEY AUTOINCREMENT,
    fid INTEGER NOT NULL,  -- of the feature: the number of its first row
    batch_from INTEGER NOT NULL, batch_to INTEGER NOT NULL,  -- 0: of always, and stays
    layer TEXT NOT NULL, scheme TEXT NOT NULL, code TEXT NOT NULL,
    valid_from TEXT NOT NULL DEFAULT '', valid_to TEXT NOT NULL DEFAULT '',  -- ISO dates; empty: open
    name TEXT, parent TEXT,
    codes TEXT NOT NULL DEFAULT '[]',  -- further codes as JSON
    area_m2 REAL NOT NULL,
    properties TEXT NOT NULL DEFAULT '{}',
    search TEXT NOT NULL,
    shape TEXT NOT NULL,
    geometry BLOB NOT NULL,  -- WKB, WGS 84 lon/lat
    UNIQUE (layer, scheme, code, valid_from, batch_to));
CREATE VIEW seen_feature AS SELECT * FROM feature
    WHERE batch_from NOT IN (SELECT id FROM staged_batch)
      AND (batch_to = 0 OR batch_to IN (SELECT id FROM staged_batch));
CREATE VIRTUAL TABLE feature_box USING rtree (row_number, west, east, south, north);
CREATE VIRTUAL TABLE feature_text USING fts5 (search, content='feature', content_rowid='row_number', tokenize='trigram');
";

/// Made once the rows are there.
const INDICES: &str = "
CREATE INDEX feature_code ON feature (layer, code);
CREATE INDEX feature_parent ON feature (layer, parent, fid);
CREATE INDEX feature_fid ON feature (layer, fid, batch_from, batch_to);
CREATE INDEX feature_gone ON feature (batch_to) WHERE batch_to != 0;
";

/// Gives each row of a feature the number of the feature.
pub(super) fn add_feature_batches(connection: &Connection, _: Option<&Path>) -> Result<()> {
    connection.execute_batch(batches::SCHEMA)?;
    let numbers: Option<i64> = connection
        .query_row(
            "SELECT seq FROM sqlite_sequence WHERE name = 'feature'",
            [],
            |row| row.get(0),
        )
        .optional()?;
    // damage from before stays seen
    let damage = sums::difference(connection, "feature")?;
    connection.execute_batch(
        "DROP TABLE feature_text;
         DROP INDEX feature_code;
         DROP INDEX feature_parent;
         ALTER TABLE feature RENAME TO former_feature;
         ALTER TABLE feature_box RENAME TO former_box;",
    )?;
    connection.execute_batch(SCHEMA)?;
    connection.execute_batch(
        "INSERT INTO feature SELECT fid, fid, 0, 0, layer, scheme, code, valid_from, valid_to, name, parent, codes,
             area_m2, properties, search, shape, geometry FROM former_feature ORDER BY fid;
         INSERT INTO feature_box SELECT fid, west, east, south, north FROM former_box;
         DROP TABLE former_feature;
         DROP TABLE former_box;
         ALTER TABLE other_code RENAME COLUMN fid TO row_number;
         INSERT INTO feature_text (feature_text) VALUES ('rebuild');",
    )?;
    connection.execute_batch(INDICES)?;
    if let Some(last) = numbers {
        // numbers of features that are gone are not given again
        connection.execute("DELETE FROM sqlite_sequence WHERE name = 'feature'", [])?;
        connection.execute("INSERT INTO sqlite_sequence VALUES ('feature', ?)", [last])?;
    }
    connection.execute_batch(
        "DELETE FROM content_sum WHERE name = 'sqlite_sequence' OR name LIKE 'feature\\_%' ESCAPE '\\'",
    )?;
    sums::put_with_difference(connection, "feature", damage)?;
    Ok(())
}
