//! `sen process`: the weekly products of the scenes in the catalogue.

use super::objects;
use super::run_report;
use super::stopping;
use super::weekly;
use super::write_lock::WriteLock;
use crate::Outcome;
use crate::config::{Place, UsageError};
use crate::output::Output;
use clap::Args;
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::{ItemQuery, TimeQuery};
use sen_processing::runner::RunScope;
use sen_processing::steps::layer_names;
use std::collections::BTreeSet;

/// Make or remake weekly products; does nothing when they are up to date.
#[derive(Args)]
pub(crate) struct Process {
    /// Only this week (2026-W34) or these (2026-W30/2026-W34).
    #[arg(long, value_name = "WEEK[/WEEK]")]
    period: Option<String>,
    /// Say what would be made and why, and make nothing.
    #[arg(long)]
    explain: bool,
    /// Read every file that was made first, and make again what is damaged.
    #[arg(long)]
    verify: bool,
    /// Only these products.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    product: Vec<String>,
}

impl Process {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open_existing()?;
        let products = products(&self.product)?;
        let (from, to) = match &self.period {
            None => (None, None),
            Some(text) => text
                .parse::<TimeQuery>()
                .map_err(|error| UsageError(format!("--period: {error}")))?
                .weeks(),
        };
        let lock = WriteLock::take(&data)?;
        let (runtime, cancelled) = stopping::runtime()?;
        let outcome = runtime.block_on(async {
            data.check_step_settings().await?;
            // of an import that was killed
            data.store.finish_batches().await?;
            let mut scenes = Vec::new();
            for name in SCENE_COLLECTIONS {
                scenes.extend(
                    data.store
                        .items(&ItemQuery {
                            from,
                            to,
                            ..ItemQuery::collection(*name)
                        })
                        .await?,
                );
            }
            if scenes.is_empty() {
                anyhow::bail!("the catalogue holds no scene of this time; take some in with `sen ingest`");
            }
            let damaged = if self.verify {
                objects::verify_all(&data, output).await?
            } else {
                0
            };
            // later weeks may have something to say without a scene: fire danger
            let asked = || scenes.iter().map(sen_catalog::Item::period).collect();
            let scope = RunScope {
                weeks: self.period.as_ref().map(|_| asked()),
                collections: products,
                is_explained: self.explain,
            };
            let mut report = weekly::make_on_grid(&data, &scenes, scope, &cancelled, output).await?;
            if damaged > 0 {
                report.notes.push(format!("{damaged} files were damaged"));
            }
            let (text, value, outcome) = run_report::summary(&report)?;
            output.result(&text, &value);
            Ok(outcome)
        });
        drop(lock);
        outcome
    }
}

/// The layers named; none: all.
fn products(names: &[String]) -> Result<Option<BTreeSet<String>>, UsageError> {
    let known = layer_names();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(UsageError(format!(
            "no product is named `{name}`; there are {}",
            known.join(", ")
        )));
    }
    Ok((!names.is_empty()).then(|| names.iter().cloned().collect()))
}
