//! What is decided once for the whole catalogue, by name.

use super::SqliteStore;
use crate::grid::Grid;
use crate::{Error, Result};
use rusqlite::{OptionalExtension, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;  -- JSON
";

/// The grid of all weeks.
const GRID: &str = "grid";

pub(super) async fn grid(store: &SqliteStore) -> Result<Option<Grid>> {
    store
        .reading(|connection| {
            let mut statement = connection.prepare_cached("SELECT body FROM setting WHERE name = ?")?;
            let body: Option<String> = statement.query_row([GRID], |row| row.get(0)).optional()?;
            let parse = |body: String| {
                serde_json::from_str(&body)
                    .map_err(|error| Error::Store(format!("the grid of the catalogue is damaged: {error}")))
            };
            body.map(parse).transpose()
        })
        .await
}

pub(super) async fn put_grid(store: &SqliteStore, grid: &Grid) -> Result<()> {
    let body = serde_json::to_string(grid).map_err(|error| Error::Invalid(format!("grid: {error}")))?;
    store
        .writing(move |connection| {
            connection.execute(
                "INSERT OR REPLACE INTO setting VALUES (?, ?)",
                params![GRID, body],
            )?;
            Ok(())
        })
        .await
}
