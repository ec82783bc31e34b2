//! Files to their places, then the row.
//!
//! A remade item keeps its file names, because scripts rely on them. So that no reader ever sees a row whose files
//! changed underneath, the old row is taken away before the first file is replaced and the new one put after the last:
//! for some milliseconds the week is not there. A run killed in between leaves no row, and the next one makes the week
//! again; files already open go on being read as they were.

use super::files::{Temporary, Written};
use super::week::MadeProduct;
use super::{Outcome, Task, Week, Weekly, context};
use crate::{Error, Result};
use sen_catalog::{Assets, Item};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};

/// Publishes one product of a week.
pub(super) async fn publish(
    weekly: &Weekly<'_>,
    week: &Week<'_>,
    task: &Task<'_>,
    made: MadeProduct,
    failed: &BTreeMap<String, String>,
) -> Result<Outcome> {
    let names: Vec<String> = task
        .scenes
        .iter()
        .map(|&index| context::name(&week.scenes[index]))
        .collect();
    let mine: Vec<&String> = names.iter().filter(|name| failed.contains_key(*name)).collect();
    if mine.len() == names.len() {
        let reasons: Vec<_> = mine
            .iter()
            .filter_map(|name| failed.get(*name))
            .map(String::as_str)
            .collect();
        return Ok(Outcome::Failed {
            reason: format!("no scene of the week can be read: {}", reasons.join("; ")),
        });
    }
    let mut lineage: Vec<String> = names
        .iter()
        .filter(|name| !failed.contains_key(*name))
        .cloned()
        .collect();
    lineage.sort_unstable();
    let mut left_out: Vec<String> = mine.into_iter().cloned().collect();
    if task.product.beyond().reference {
        let compared = week.references.of_all(&task.scenes).into_iter();
        let compared = compared.map(|index| context::name(&week.references.items[index]));
        left_out.extend(compared.filter(|name| failed.contains_key(name)));
    }
    let mut item = item(weekly, week, task, &made, lineage, &left_out)?;
    for file in &made.files {
        sync(&file.temporary)?;
    }
    let same_pixels = task.previous.as_ref().is_some_and(|old| {
        let rasters = old.assets.iter().filter(|(_, asset)| asset.is_raster());
        rasters.eq(&item.assets)
    });
    if let Some(old) = task.previous.as_ref().filter(|_| same_pixels) {
        // what was counted in these pixels is still so
        let tables = old.assets.iter().filter(|(_, asset)| !asset.is_raster());
        item.assets
            .extend(tables.map(|(name, asset)| (name.clone(), asset.clone())));
    }
    let document = document(&weekly.assets, &item)?;
    if task.previous.is_some() && !same_pixels {
        weekly.store.delete_item(&item.collection, &item.id).await?;
    }
    // looked at again for the sake of earlier weeks and found the same: the files stay as they are
    let untouched = same_pixels
        && task.previous.as_ref().is_some_and(|old| {
            old.properties.get("sen:inputs") == Some(&json!(task.inputs)) && weekly.is_whole(old)
        });
    for Written { name, temporary, .. } in made.files.iter().filter(|_| !untouched) {
        weekly
            .assets
            .publish(&temporary.0, &Assets::href(&item, name, "tif"))?;
    }
    weekly
        .assets
        .publish(&document.0, &Assets::href(&item, &item.id, "json"))?;
    weekly.store.put_item(&item).await?;
    Ok(Outcome::Made)
}

fn item(
    weekly: &Weekly,
    week: &Week,
    task: &Task,
    made: &MadeProduct,
    lineage: Vec<String>,
    failed: &[String],
) -> Result<Item> {
    let share = |part: u64, whole: u64| (part as f64 / whole.max(1) as f64 * 1e4).round() / 1e4;
    let cells = (weekly.grid.width * weekly.grid.height) as u64;
    let mut properties = Map::new();
    let mut set = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    set("title", json!(task.product.title()));
    set("sen:code_version", json!(weekly.code_version));
    set("sen:product_version", json!(task.product.version()));
    set("sen:rule", json!(task.product.rule()));
    set("sen:inputs", json!(task.inputs));
    if !task.history.is_empty() {
        set("sen:history", json!(task.history));
    }
    if task.product.beyond().reference {
        set("sen:reference", week.references.named(week.scenes, &task.scenes));
    }
    set("sen:seen_share", json!(share(made.seen, made.covered)));
    set("sen:covered_share", json!(share(made.covered, cells)));
    if !failed.is_empty() {
        set("sen:failed", json!(failed));
    }
    let name = task.product.name();
    let mut item = Item {
        id: Item::weekly_id(name, week.period),
        collection: name.to_owned(),
        interval: week.period.interval(),
        grid: weekly.grid,
        bbox: weekly.grid.lon_lat_bounds()?,
        assets: BTreeMap::new(),
        lineage,
        properties,
    };
    for file in &made.files {
        let mut asset = file.asset.clone();
        asset.href = Assets::href(&item, &file.name, "tif");
        item.assets.insert(file.name.clone(), asset);
    }
    Ok(item)
}

/// The item as a STAC document beside its files.
pub(crate) fn document(assets: &Assets, item: &Item) -> Result<Temporary> {
    let stac = item.to_stac(|href| format!("./{}", href.rsplit('/').next().unwrap_or(href)));
    let temporary = Temporary(assets.temporary(&item.id));
    fs::write(&temporary.0, format!("{stac:#}\n")).map_err(|error| Error::io(&temporary.0, error))?;
    Ok(temporary)
}

/// Brings a file to the disk while the old row still stands, so that the gap without a row is short.
fn sync(file: &Temporary) -> Result<()> {
    let open = File::open(&file.0).map_err(|error| Error::io(&file.0, error))?;
    open.sync_all().map_err(|error| Error::io(&file.0, error))
}
