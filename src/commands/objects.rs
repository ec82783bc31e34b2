//! What commands do about files that nothing names any more, and about damaged ones.

use crate::config::Data;
use crate::output::Output;
use chrono::{TimeDelta, Utc};
use sen_catalog::asset::is_object;
use sen_catalog::{Asset, Error, ItemQuery};
use sen_processing::run::Progress;
use std::collections::{BTreeMap, BTreeSet};

/// How long a file stays that nothing names any more: who began to read an older state of the catalogue, or opens
/// `catalog.sqlite.before-N`, still finds it.
pub(super) const KEPT_HOURS: i64 = 24;

/// The files that `sen` made and items name, by href.
async fn named_objects(data: &Data) -> anyhow::Result<BTreeMap<String, Asset>> {
    let items = data.store.items(&ItemQuery::default()).await?;
    let own = items
        .into_iter()
        .filter(|item| !item.is_scene())
        .flat_map(|item| item.assets.into_values());
    Ok(own
        .filter(|asset| is_object(&asset.href))
        .map(|asset| (asset.href.clone(), asset))
        .collect())
}

/// Reads every file that `sen` made; the damaged ones are known to the run that follows. Tells how many there are.
pub(super) async fn verify_all(data: &Data, output: &Output) -> anyhow::Result<usize> {
    let named = named_objects(data).await?;
    output.begin("verifying", named.len() as u64);
    let mut damaged = 0;
    for asset in named.values() {
        match data.assets.check_object(asset) {
            Err(error @ Error::Damaged { .. }) => {
                damaged += 1;
                output.message(&error.to_string());
            }
            // one that is gone is made again as well
            Err(error) => output.message(&error.to_string()),
            Ok(()) => {}
        }
        output.advance(1);
    }
    output.finish();
    Ok(damaged)
}

/// What a run leaves: marks on files that it met damaged and that were not made again, none on those that fit by now; and files
/// go that nothing has named for a day.
pub(super) async fn tidy_up(data: &Data) -> anyhow::Result<()> {
    let damage = data.assets.damage();
    let rows = data.store.object_rows().await?;
    let marked: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.is_damaged)
        .map(|row| row.href.clone())
        .collect();
    let new: Vec<String> = damage.difference(&marked).cloned().collect();
    if !new.is_empty() {
        data.store.mark_objects(new, true).await?;
    }
    if !marked.is_empty() {
        let named = named_objects(data).await?;
        let fits = |href: &&String| {
            let asset = named.get(*href);
            asset.is_none_or(|asset| data.assets.check_object(asset).is_ok())
        };
        let mended: Vec<String> = marked.difference(&damage).filter(fits).cloned().collect();
        if !mended.is_empty() {
            data.store.mark_objects(mended, false).await?;
        }
    }
    remove_unnamed(data, TimeDelta::hours(KEPT_HOURS)).await?;
    Ok(())
}

/// Removes files that nothing has named for so long; how many there were.
pub(super) async fn remove_unnamed(data: &Data, age: TimeDelta) -> anyhow::Result<usize> {
    let before = Utc::now() - age;
    let rows = data.store.object_rows().await?;
    let old: Vec<String> = rows
        .into_iter()
        .filter(|row| row.unnamed_since.is_some_and(|since| since <= before))
        .map(|row| row.href)
        .collect();
    if old.is_empty() {
        return Ok(0);
    }
    // the row is believed only where no item says otherwise
    let named = named_objects(data).await?;
    let mut removed = 0;
    for href in old
        .iter()
        .filter(|href| is_object(href) && !named.contains_key(*href))
    {
        removed += usize::from(data.assets.remove_object(href)?);
    }
    data.store.forget_objects(old).await?;
    Ok(removed)
}
