//! Layout 4: files are named by their content, and rows keep checksums of their pieces. Until then a file that was made again
//! took the name of the one before, and a STAC document lay beside the files of each item.

use super::flood_split::link;
use super::objects;
use crate::asset::Assets;
use crate::item::Item;
use crate::object::sum_file;
use crate::{Error, Result};
use chrono::Utc;
use rusqlite::{Connection, params};
use std::fs::File;
use std::path::Path;

/// Gives each file its new name, beside the old one, which goes like any that nothing names. A file that is damaged keeps the
/// checksum that its row knows and is marked.
pub(super) fn name_objects(connection: &Connection, folder: Option<&Path>) -> Result<()> {
    connection.execute_batch(objects::SCHEMA)?;
    let Some(assets) = folder.map(|folder| folder.join("assets")) else {
        return Ok(());
    };
    let mut statement = connection.prepare("SELECT body FROM item")?;
    let bodies: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut items = Vec::new();
    for body in bodies {
        let item: Item = serde_json::from_str(&body)
            .map_err(|error| Error::Store(format!("a row of the catalogue is damaged: {error}")))?;
        if !item.is_scene() {
            items.push(item);
        }
    }
    for mut item in items {
        let whole = item.clone();
        for (name, asset) in &mut item.assets {
            let Some(sha256) = asset
                .sha256
                .clone()
                .filter(|_| crate::asset::is_object(&asset.href))
            else {
                continue;
            };
            let ending = asset.href.rsplit_once('.').map_or("tif", |(_, ending)| ending);
            let href = Assets::href(&whole, name, ending, &sha256);
            let (old, new) = (assets.join(&asset.href), assets.join(&href));
            link(&old, &new)?;
            match sum_file(&new) {
                Ok(sums) if sums.sha256 == sha256 => asset.piece_sums = Some(sums.pieces),
                Ok(_) => objects::change(connection, &href, |row| row.is_damaged = true)?,
                // it is gone, or cannot be read: who wants it says so
                Err(_) => {}
            }
            if old != new {
                objects::change(connection, &asset.href, |row| {
                    row.unnamed_since = Some(Utc::now());
                })?;
            }
            asset.href = href;
        }
        let own = format!("{}/{}/{}", item.collection, item.period().year(), item.id);
        let document = format!("{own}/{}.json", item.id);
        if assets.join(&document).exists() {
            objects::change(connection, &document, |row| row.unnamed_since = Some(Utc::now()))?;
        }
        // the names are on the disk before the rows that need them
        if let Ok(folder) = File::open(assets.join(&own)) {
            folder
                .sync_all()
                .map_err(|error| Error::io(assets.join(&own), error))?;
        }
        let body = serde_json::to_string(&item)
            .map_err(|error| Error::Invalid(format!("item {} cannot be stored: {error}", item.id)))?;
        connection.execute(
            "UPDATE item SET body = ? WHERE collection = ? AND id = ?",
            params![body, item.collection, item.id],
        )?;
    }
    // names and sums of pieces are no contents: the digests of datasets stay
    connection.execute("DELETE FROM content_sum WHERE name = 'item'", [])?;
    Ok(())
}
