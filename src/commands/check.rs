//! `sen check`: configuration and data, and the digest that tells two data folders apart.

use crate::Outcome;
use crate::config::{Data, Place};
use crate::output::Output;
use clap::Args;
use sen_catalog::raster::Cog;
use sen_catalog::statistic::StatisticTable;
use sen_catalog::{Asset, Item, ItemQuery, asset};
use sen_processing::pipeline::Progress;
use serde_json::json;
use std::path::Path;

/// Check configuration and data: every row has its file, every checksum fits; says what is wrong and what to do.
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
        let data = place.open_existing()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let mut items = runtime.block_on(data.store.items(&ItemQuery::default()))?;
        if self.digest {
            let rows = runtime.block_on(data.store.rows_digest())?;
            let digest = digest(&data, &mut items, &rows)?;
            output.result(&digest, &json!({"digest": digest}));
            return Ok(Outcome::Done);
        }
        report(&data, &items, output)
    }
}

/// SHA-256 over the digest of the other rows and the items, ordered by collection and id, with the checksums of the files as they lie on disk.
fn digest(data: &Data, items: &mut [Item], rows: &str) -> anyhow::Result<String> {
    use std::fmt::Write;
    items.sort_by(|a, b| (&a.collection, &a.id).cmp(&(&b.collection, &b.id)));
    let mut text = format!("{rows}\n");
    for item in items {
        let _ = writeln!(text, "{}", serde_json::to_string(item)?);
        for (name, asset) in item.assets.iter().filter(|_| !item.is_scene()) {
            let on_disk =
                asset::checksum(&data.assets.path(&asset.href)).map_or("missing".into(), |(sum, _)| sum);
            let _ = writeln!(text, "{name} {on_disk}");
        }
    }
    Ok(asset::checksum_of(text.as_bytes()))
}

fn report(data: &Data, items: &[Item], output: &Output) -> anyhow::Result<Outcome> {
    let mut wrong = Vec::new();
    let mut files = 0;
    output.begin("checking", items.len() as u64);
    for item in items {
        for (name, asset) in &item.assets {
            if asset.href.contains("://") || asset.href.starts_with("/vsi") {
                continue;
            }
            files += 1;
            if let Err(reason) = check_asset(&data.assets.path(&asset.href), asset, item) {
                wrong.push(json!({"item": item.id, "asset": name, "reason": reason}));
            }
        }
        output.advance(1);
    }
    output.finish();
    let mut text = format!(
        "# the effective configuration\n{}\n",
        toml::to_string_pretty(&data.config)?
    );
    text += &format!("{} items, {files} files checked\n", items.len());
    for entry in &wrong {
        text += &format!(
            "{} {}: {}\n",
            text_of(&entry["item"]),
            text_of(&entry["asset"]),
            text_of(&entry["reason"])
        );
    }
    if wrong.is_empty() {
        text += "all is well\n";
    }
    output.result(
        &text,
        &json!({
            "config": data.config, "items": items.len(), "files": files, "wrong": wrong,
        }),
    );
    Ok(if wrong.is_empty() {
        Outcome::Done
    } else {
        Outcome::Partly
    })
}

fn text_of(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
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
