//! Layout 3: the flood as the satellites saw it is a collection of its own, `flood_observed`. Until then it was the asset `alone`
//! of the item of `flood`, or its main one where the causes said nothing else.

use crate::flood::{FLOOD_OBSERVED, FLOOD_TOLD};
use crate::item::Item;
use crate::{Error, Result};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The asset of a flood item of layout 2 that keeps what the satellites alone saw.
const ALONE: &str = "alone";

/// Gives each week of `flood` its item of `flood_observed`, whose files are those of the old one under new names.
pub(super) fn split_floods(connection: &Connection, folder: Option<&Path>) -> Result<()> {
    let mut statement = connection.prepare("SELECT body FROM item WHERE collection = ?")?;
    let bodies = statement.query_map([FLOOD_TOLD], |row| row.get(0))?;
    let bodies: Vec<String> = bodies.collect::<rusqlite::Result<_>>()?;
    for body in bodies {
        let told: Item = serde_json::from_str(&body)
            .map_err(|error| Error::Store(format!("a row of the catalogue is damaged: {error}")))?;
        let id = Item::weekly_id(FLOOD_OBSERVED, told.period());
        let mut seen = Item {
            id: id.clone(),
            collection: FLOOD_OBSERVED.to_owned(),
            assets: BTreeMap::new(),
            ..told.clone()
        };
        for property in ["sen:causes", "sen:kinds_rule"] {
            seen.properties.remove(property);
        }
        for (name, asset) in told.assets.iter().filter(|(_, asset)| asset.is_raster()) {
            let new_name = match name.as_str() {
                FLOOD_TOLD if told.assets.contains_key(ALONE) => continue,
                FLOOD_TOLD | ALONE => FLOOD_OBSERVED,
                other => other,
            };
            let mut asset = asset.clone();
            let href = format!("{}/{}/{id}/{new_name}.tif", seen.collection, seen.period().year());
            if let Some(assets) = folder.map(|folder| folder.join("assets")) {
                link(&assets.join(&asset.href), &assets.join(&href))?;
            }
            asset.href = href;
            seen.assets.insert(new_name.to_owned(), asset);
        }
        let body = serde_json::to_string(&seen)
            .map_err(|error| Error::Invalid(format!("item {id} cannot be stored: {error}")))?;
        connection.execute(
            "INSERT OR REPLACE INTO item SELECT ?, ?, week, start_time, end_time, west, south, east, north, ?
             FROM item WHERE collection = ? AND id = ?",
            params![FLOOD_OBSERVED, id, body, FLOOD_TOLD, told.id],
        )?;
    }
    // the rows of items and their digests are added up again
    connection
        .execute_batch("DELETE FROM content_sum WHERE name IN ('item', 'digest'); DELETE FROM digest;")?;
    super::dataset_digests::make(connection)?;
    Ok(())
}

/// The same file under a further name. One that is gone stays gone: it is made again as any that is missing.
pub(super) fn link(old: &Path, new: &Path) -> Result<()> {
    if new.exists() || !old.exists() {
        return Ok(());
    }
    if let Some(parent) = new.parent() {
        fs::create_dir_all(parent).map_err(|error| Error::io(parent, error))?;
    }
    fs::hard_link(old, new)
        .or_else(|_| {
            // whole or not at all: a file system without links copies
            let part = new.with_extension("part");
            fs::copy(old, &part).and_then(|_| fs::rename(&part, new))
        })
        .map_err(|error| Error::io(new, error))
}
