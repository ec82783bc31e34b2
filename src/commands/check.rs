//! `sen check`: configuration and data, and the digest that tells two data folders apart. Nothing is made or changed.

use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::grid;
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::StatisticTable;
use sen_catalog::{Asset, Assets, Item, ItemQuery, asset};
use sen_processing::phenology::{KEPT_LOOKS, check_kept_look};
use sen_processing::run::Progress;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

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
    /// Print the JSON Schema of sen.toml and nothing else.
    #[arg(long, conflicts_with = "digest")]
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
        findings.files(&data, &items, output);
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
    fn files(&mut self, data: &Data, items: &[Item], output: &Output) {
        output.begin("checking", items.len() as u64);
        let mut named: BTreeSet<PathBuf> = BTreeSet::new();
        for item in items {
            for (name, asset) in &item.assets {
                if asset.href.contains("://") || asset.href.starts_with("/vsi") {
                    continue;
                }
                self.files += 1;
                let path = data.assets.path(&asset.href);
                if let Err(reason) = check_asset(&path, asset, item) {
                    self.wrong(&item.id, name, reason);
                }
                named.insert(path);
            }
            if !item.is_scene() {
                let path = data.assets.path(&Assets::href(item, &item.id, "json"));
                if let Err(reason) = check_document(&path, item) {
                    self.wrong(&item.id, "document", reason);
                }
                named.insert(path);
            }
            output.advance(1);
        }
        let mut there = Vec::new();
        if let Err(error) = list(&data.assets.path(""), 0, &mut there) {
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
                self.wrong(
                    "assets",
                    "",
                    format!(
                        "{} is named by no row; remove it once nothing needs it",
                        path.display()
                    ),
                );
            }
        }
        output.finish();
    }

    fn report(self, data: &Data, items: usize, output: &Output) -> anyhow::Result<Outcome> {
        let Self { wrong, notes, files } = self;
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

/// One file against its row.
fn check_asset(path: &Path, asset: &Asset, item: &Item) -> Result<(), String> {
    let remedy = if item.is_scene() {
        "bring the file back to its place, or take the scene in again with `sen ingest`"
    } else {
        "remake it with `sen process`"
    };
    if !path.exists() {
        return Err(format!("{} is missing; {remedy}", path.display()));
    }
    let (sum, _) = asset::checksum(path).map_err(|error| error.to_string())?;
    if asset.sha256.as_ref().is_some_and(|expected| *expected != sum) {
        return Err(format!(
            "{} is not the file the catalogue knows (checksum differs); {remedy}",
            path.display()
        ));
    }
    if item.is_scene() {
        return Ok(());
    }
    if asset.is_raster() {
        Cog::open(path).map_err(|error| format!("{error}; {remedy}"))?;
    } else {
        StatisticTable::open(path).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The STAC document beside the files of a week: it is made of the row, and written again with the week.
fn check_document(path: &Path, item: &Item) -> Result<(), String> {
    let remedy = "remove the raster beside it and run `sen process`, which writes both";
    let text = fs::read(path).map_err(|error| format!("{}: {error}; {remedy}", path.display()))?;
    let document: Value =
        serde_json::from_slice(&text).map_err(|error| format!("{}: {error}; {remedy}", path.display()))?;
    if document["id"] == json!(item.id) {
        return Ok(());
    }
    Err(format!(
        "{} is not the document of {}; {remedy}",
        path.display(),
        item.id
    ))
}
