//! `sen check`: configuration and data, and the digest that tells two data folders apart. Nothing is made;
//! marks on damaged files are all that it changes, and `--clean` removes files.

mod files;

pub(super) use files::list;

use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::grid;
use crate::output::Output;
use anyhow::Context;
use clap::Args;
use sen_catalog::{Asset, Item, ItemQuery, asset};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

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
