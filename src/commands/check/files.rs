//! The files of a folder against the rows that name them.

use super::Findings;
use crate::commands::objects;
use crate::commands::write_lock::WriteLock;
use crate::config::{Data, Place};
use crate::output::Output;
use chrono::TimeDelta;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::StatisticTable;
use sen_catalog::store::ObjectRow;
use sen_catalog::{Asset, Assets, Item, asset};
use sen_processing::phenology::{KEPT_LOOKS, check_kept_look};
use sen_processing::run::Progress;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

impl Findings {
    /// The files that rows name, and those that no row names.
    pub(super) fn files(&mut self, data: &Data, items: &[Item], rows: &[ObjectRow], output: &Output) {
        output.begin("checking", items.len() as u64);
        let mut named: BTreeSet<PathBuf> = BTreeSet::new();
        for item in items {
            for (name, asset) in &item.assets {
                if asset.href.contains("://") || asset.href.starts_with("/vsi") {
                    continue;
                }
                self.files += 1;
                let path = data.assets.path(&asset.href);
                if let Err(reason) = check_asset(&data.assets, asset, item) {
                    self.wrong(&item.id, name, reason);
                }
                named.insert(path);
            }
            output.advance(1);
        }
        self.damaged = data.assets.damage();
        let kept: BTreeSet<PathBuf> = rows
            .iter()
            .filter(|row| row.unnamed_since.is_some())
            .map(|row| data.assets.path(&row.href))
            .collect();
        let root = data.assets.path("");
        let mut there = Vec::new();
        if let Err(error) = list(&root, 0, &mut there) {
            self.wrong("assets", "", error);
        }
        let looks = data.assets.path(KEPT_LOOKS);
        for path in there {
            if path.starts_with(&looks) {
                self.files += 1;
                if let Err(error) = check_kept_look(&path) {
                    self.wrong(
                        KEPT_LOOKS,
                        "",
                        format!("{error}; remove it, and `sen process` makes it again from its scene"),
                    );
                }
            } else if !named.contains(&path) {
                if kept.contains(&path) {
                    self.unnamed += 1;
                } else if is_of_a_run(&path) {
                    self.unpublished.push(path);
                } else if let Ok(href) = path.strip_prefix(&root) {
                    self.strays.push(href.to_string_lossy().into_owned());
                }
            }
        }
        output.finish();
    }

    /// Marks what is damaged for the next run, and takes marks away from what fits; where the catalogue cannot be written it only
    /// says so.
    pub(super) fn mark(&mut self, place: &Place, data: &Data, rows: &[ObjectRow], runtime: &Runtime) {
        let marked: BTreeSet<String> = rows
            .iter()
            .filter(|row| row.is_damaged)
            .map(|row| row.href.clone())
            .collect();
        let new: Vec<String> = self.damaged.difference(&marked).cloned().collect();
        let is_there = |href: &&String| data.assets.path(href).exists();
        let mended: Vec<String> = marked
            .difference(&self.damaged)
            .filter(is_there)
            .cloned()
            .collect();
        if new.is_empty() && mended.is_empty() {
            return;
        }
        let written = place.open_existing().and_then(|data| {
            runtime.block_on(async {
                data.store.mark_objects(new, true).await?;
                Ok(data.store.mark_objects(mended, false).await?)
            })
        });
        if let Err(error) = written {
            self.notes.push(format!(
                "damaged files could not be marked ({error:#}); `sen process --verify` finds them again"
            ));
        }
    }

    /// Removes what no row names, now.
    pub(super) fn clean(&mut self, place: &Place, runtime: &Runtime) -> anyhow::Result<()> {
        let data = place.open_existing()?;
        let lock = WriteLock::take(&data)?;
        let mut removed = runtime.block_on(objects::remove_unnamed(&data, TimeDelta::zero()))?;
        let root = data.assets.path("");
        for path in std::mem::take(&mut self.unpublished) {
            let href = path.strip_prefix(&root).unwrap_or(&path);
            removed += usize::from(data.assets.remove_object(&href.to_string_lossy())?);
        }
        for href in std::mem::take(&mut self.strays) {
            removed += usize::from(data.assets.remove_object(&href)?);
        }
        self.unnamed = 0;
        self.notes
            .push(format!("{removed} files that nothing names were removed"));
        drop(lock);
        Ok(())
    }

    /// Files that no row names.
    pub(super) fn tell_strays(&mut self) {
        if !self.unpublished.is_empty() {
            self.notes.push(format!(
                "{} files of today are named by no row yet: a run is making them, or was killed",
                self.unpublished.len()
            ));
        }
        if self.unnamed > 0 {
            self.notes.push(format!(
                "{} files are named by no row any more and go a day after; `sen check --clean` removes them now",
                self.unnamed
            ));
        }
        for href in std::mem::take(&mut self.strays) {
            let reason =
                format!("{href} is named by no row; `sen check --clean` removes it once nothing needs it");
            self.wrong("assets", "", reason);
        }
    }
}

/// Deepest folder under `assets/` that is looked into: links may go round in a circle.
const DEEPEST: usize = 8;

/// All files under a folder, by name.
pub(in crate::commands) fn list(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
    if depth > DEEPEST || !folder.exists() {
        return Ok(());
    }
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(said)?
        .map(|entry| Ok(entry.map_err(said)?.path()))
        .collect::<Result<_, String>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            list(&path, depth + 1, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// True for a file named by its content that was written within a day: a run names it once its group is whole.
fn is_of_a_run(path: &Path) -> bool {
    let name = path
        .file_stem()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let sum = name.rsplit_once('-').map_or("", |(_, sum)| sum);
    let is_sum = sum.len() == 16 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let age = fs::metadata(path)
        .and_then(|file| file.modified())
        .map(|at| at.elapsed());
    let is_young = |age: Duration| age < Duration::from_hours(objects::KEPT_HOURS.unsigned_abs());
    is_sum && age.is_ok_and(|age| age.is_ok_and(is_young))
}

/// One file against its row.
fn check_asset(assets: &Assets, asset: &Asset, item: &Item) -> Result<(), String> {
    let remedy = if item.is_scene() {
        "bring the file back to its place, or take the scene in again with `sen ingest`"
    } else {
        "remake it with `sen process`"
    };
    let path = assets.path(&asset.href);
    if !path.exists() {
        return Err(format!("{} is missing; {remedy}", path.display()));
    }
    if item.is_scene() {
        let (sum, _) = asset::checksum(&path).map_err(|error| error.to_string())?;
        return match &asset.sha256 {
            Some(expected) if *expected != sum => Err(format!(
                "{} is not the file the catalogue knows (checksum differs); {remedy}",
                path.display()
            )),
            _ => Ok(()),
        };
    }
    let open = || {
        assets.check_object(asset)?;
        let object = assets.open_object(asset)?;
        if asset.is_raster() {
            Cog::over(object).map(drop)
        } else {
            StatisticTable::over(object).map(drop)
        }
    };
    open().map_err(|error: sen_catalog::Error| match error {
        error @ sen_catalog::Error::Damaged { .. } => error.to_string(),
        error => format!("{error}; {remedy}"),
    })
}
