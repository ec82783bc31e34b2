//! What becomes of the files of a product: its item, and whether anything of it is another than before.

use super::week::MadeProduct;
use super::{Task, Week, Weekly, context};
use crate::Result;
use crate::raster_output::{INPUTS, add_rasters, publish_item};
use sen_catalog::Item;
use sen_catalog::run::StepStatus;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Publishes one product of a week.
pub(super) async fn publish(
    weekly: &Weekly<'_>,
    week: &Week<'_>,
    task: &Task<'_>,
    made: MadeProduct,
    failed: &BTreeMap<String, String>,
) -> Result<StepStatus> {
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
        return Ok(StepStatus::Failed {
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
    // looked at again for the sake of earlier weeks and found the same: the files stay as they are
    let untouched = same_pixels
        && task.previous.as_ref().is_some_and(|old| {
            old.properties.get(INPUTS) == Some(&json!(task.inputs)) && weekly.is_whole(old)
        });
    let rasters: &[_] = if untouched { &[] } else { &made.files };
    publish_item(weekly.store.as_ref(), &weekly.assets, &item, rasters).await?;
    Ok(StepStatus::Made)
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
    set(INPUTS, json!(task.inputs));
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
    add_rasters(&mut item, &made.files);
    Ok(item)
}
