//! `sen check`: configuration and data, and the digest that tells two data folders apart. Nothing is made;
//! marks on damaged files are all that it changes, and `--clean` removes files.

use super::objects;
use super::write_lock::WriteLock;
use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::grid;
use crate::output::Output;
use anyhow::Context;
use chrono::TimeDelta;
use clap::Args;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::StatisticTable;
use sen_catalog::store::ObjectRow;
use sen_catalog::{Asset, Assets, Item, ItemQuery, asset};
use sen_processing::phenology::{KEPT_LOOKS, check_kept_look};
use sen_processing::run::Progress;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// What to do where rows are damaged: they are made of nothing that could be read again.
const RESTORE: &str = "bring the catalogue back from a backup";

/// Check configuration and data: rows and files are as they were written, every row has its file and every file its row; says
/// what is wrong and what to do.
#[derive(Args)]
pub(crate) struct Check {
    /// Only print one SHA-256 over the catalogue's contents (rows and checksums of files, no wall-clock times):
    /// two folders with the same digest are the same.
    #[arg(long)]
    digest: bool,
    /// Remove files that nothing names any more, which otherwise go a day later by themselves.
    #[arg(long, conflicts_with = "digest")]
    clean: bool,
    /// Print the JSON Schema of sen.toml and nothing else.
    #[arg(long, conflicts_with_all = ["digest", "clean"])]
    schema: bool,
}

impl Check {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        if self.schema {
            let schema = crate::config::schema();
            output.result(&schema, &serde_json::from_str(&schema)?);
            return Ok(Outcome::Done);
        }
        let data = match place.open_to_read() {
            Err(error) if !error.is::<UsageError>() => {
                return Err(error).context("the catalogue cannot be read");
            }
            opened => opened?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        if self.digest {
            let mut items = runtime.block_on(data.store.items(&ItemQuery::default()))?;
            let rows = runtime.block_on(data.store.rows_digest())?;
            let on_disk = |asset: &Asset| Some(asset::checksum(&data.assets.path(&asset.href)).ok()?.0);
            let digest = digest(&mut items, &rows, on_disk)?;
            output.result(&digest, &json!({"digest": digest}));
            return Ok(Outcome::Done);
        }
        let mut findings = Findings::default();
        runtime.block_on(findings.settings(&data));
        let items = runtime.block_on(findings.catalogue(&data));
        let rows = runtime.block_on(data.store.object_rows()).unwrap_or_default();
        // what rows name can be told only where they are as they were written
        let are_rows_whole = findings.wrong.iter().all(|entry| entry["item"] == "sen.toml");
        findings.files(&data, &items, &rows, output);
        findings.mark(place, &data, &rows, &runtime);
        if self.clean && are_rows_whole {
            findings.clean(place, &runtime)?;
        }
        findings.tell_strays();
        findings.report(&data, items.len(), output)
    }
}

/// SHA-256 over the digest of the other rows and the items, ordered by collection and id, with the checksums of the files as
/// they lie on disk, where they can be read.
pub(super) fn digest(
    items: &mut [Item],
    rows: &str,
    on_disk: impl Fn(&Asset) -> Option<String>,
) -> anyhow::Result<String> {
    use std::fmt::Write;
    items.sort_by(|a, b| (&a.collection, &a.id).cmp(&(&b.collection, &b.id)));
    let mut text = format!("{rows}\n");
    for item in items {
        for asset in item.assets.values_mut() {
            asset.modified = None;
            // follow from the checksum
            asset.piece_sums = None;
        }
        let _ = writeln!(text, "{}", serde_json::to_string(item)?);
        for (name, asset) in item.assets.iter().filter(|_| !item.is_scene()) {
            let sum = on_disk(asset).unwrap_or_else(|| "missing".to_owned());
            let _ = writeln!(text, "{name} {sum}");
        }
    }
    Ok(asset::checksum_of(text.as_bytes()))
}

/// What a check found.
#[derive(Default)]
struct Findings {
    wrong: Vec<Value>,
    notes: Vec<String>,
    files: usize,
    /// Files that rows name and that are others than were written.
    damaged: BTreeSet<String>,
    /// Files that no row names, as hrefs.
    strays: Vec<String>,
    /// Files that rows have named until lately.
    unnamed: usize,
    /// Files that a run has made whose rows nobody sees yet, or that was killed.
    unpublished: Vec<PathBuf>,
}

impl Findings {
    fn wrong(&mut self, item: &str, asset: &str, reason: impl std::fmt::Display) {
        self.wrong
            .push(json!({"item": item, "asset": asset, "reason": reason.to_string()}));
    }

    /// What the steps of a run, the service and the broker would refuse.
    async fn settings(&mut self, data: &Data) {
        let config = &data.config;
        let mut wrong = match data
            .step_settings()
            .check(data.store.as_ref(), &data.assets)
            .await
        {
            Ok(wrong) => wrong,
            Err(error) => vec![error.to_string()],
        };
        let others = [
            config.quality.check().map_err(|error| error.to_string()),
            sen_tiler::check_memory(&config.serve).map_err(|error| error.to_string()),
            config
                .mqtt
                .as_ref()
                .map_or(Ok(()), |broker| broker.check().map_err(|error| error.to_string())),
        ];
        wrong.extend(others.into_iter().filter_map(Result::err));
        for reason in wrong {
            self.wrong("sen.toml", "", reason);
        }
    }

    /// The rows, and the grid among them; gives the items as far as they can be read.
    async fn catalogue(&mut self, data: &Data) -> Vec<Item> {
        let name = &data.config.store.0;
        match data.store.damage().await {
            Ok(damage) => {
                for reason in damage {
                    self.wrong(name, "rows", format!("{reason}; {RESTORE}"));
                }
            }
            Err(error) => self.wrong(name, "rows", format!("{error}; {RESTORE}")),
        }
        match grid::check(data).await {
            Ok(found) => {
                self.notes.extend(found.notes);
                for reason in found.wrong {
                    self.wrong(name, "grid", reason);
                }
            }
            Err(error) => self.wrong(name, "grid", format!("{error:#}")),
        }
        match data.store.items(&ItemQuery::default()).await {
            Ok(items) => items,
            Err(error) => {
                self.wrong(name, "items", format!("{error}; {RESTORE}"));
                Vec::new()
            }
        }
    }

    /// The files that rows name, and those that no row names.
    fn files(&mut self, data: &Data, items: &[Item], rows: &[ObjectRow], output: &Output) {
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
    fn mark(&mut self, place: &Place, data: &Data, rows: &[ObjectRow], runtime: &Runtime) {
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
    fn clean(&mut self, place: &Place, runtime: &Runtime) -> anyhow::Result<()> {
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
    fn tell_strays(&mut self) {
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

    fn report(self, data: &Data, items: usize, output: &Output) -> anyhow::Result<Outcome> {
        let Self {
            wrong, notes, files, ..
        } = self;
        let mut text = format!(
            "# the effective configuration\n{}\n",
            toml::to_string_pretty(&data.config)?
        );
        text += &format!("{items} items, {files} files checked\n");
        for note in &notes {
            text += &format!("note: {note}\n");
        }
        for entry in &wrong {
            let word = |name: &str| entry[name].as_str().unwrap_or_default();
            let what = [word("item"), word("asset")].join(" ");
            text += &format!("{}: {}\n", what.trim_end(), word("reason"));
        }
        if wrong.is_empty() {
            text += "all is well\n";
        }
        output.result(
            &text,
            &json!({
                "config": data.config, "items": items, "files": files, "wrong": wrong, "notes": notes,
            }),
        );
        Ok(if wrong.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly
        })
    }
}

/// Deepest folder under `assets/` that is looked into: links may go round in a circle.
const DEEPEST: usize = 8;

/// All files under a folder, by name.
pub(super) fn list(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
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
