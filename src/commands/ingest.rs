//! `sen ingest`: scenes into the catalogue, then the weekly products of the weeks touched.

use super::run_report;
use super::stopping;
use super::weekly;
use super::withdraw::withdrawn_scenes;
use super::write_lock::WriteLock;
use crate::Outcome;
use crate::config::{Data, Place, UsageError};
use crate::output::{Output, table};
use clap::Args;
use sen_catalog::address::unsigned;
use sen_catalog::run::Failure;
use sen_catalog::{Bounds, Item, Period, TimeQuery};
use sen_processing::run::Progress;
use sen_processing::runner::RunScope;
use sen_processing::source::{self, Found, SourceOptions, Units};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Take scenes into the catalogue, then make the weekly products of the weeks touched.
///
/// PATH is a Sentinel-2 or Sentinel-1 GRD SAFE folder or zip, a STAC Item or ItemCollection file, a Landsat folder, a GeoTIFF that
/// sen.toml describes under [[geotiff]], or a folder with any of these; URL is a STAC API or a STAC Item.
/// Scenes already known are left alone, so running it again does nothing.
#[derive(Args)]
pub(crate) struct Ingest {
    /// What to take in.
    #[arg(required = true, value_name = "PATH|URL")]
    locations: Vec<String>,
    /// Read everything with this source instead of finding out (see the list in docs/operations.md).
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only scenes that meet this box, degrees.
    #[arg(long, value_name = "W,S,E,N", allow_hyphen_values = true)]
    bbox: Option<String>,
    /// Only scenes of this time: a week, a date, or an interval A/B with `..` for an open end.
    #[arg(long, value_name = "A/B")]
    datetime: Option<String>,
    /// The calibration offset to add to stored numbers where the metadata of a scene do not say it, or its pixels speak
    /// against them (-1000 for Sentinel-2 of baseline 04.00 and later, 0 for older ones or where it is off already).
    #[arg(long, value_name = "DN", allow_hyphen_values = true)]
    offset: Option<f64>,
    /// What the radar values of the scenes are, where their metadata or pixels leave it in doubt.
    #[arg(long, value_name = "UNITS", value_parser = ["linear", "amplitude", "db"])]
    units: Option<String>,
    /// Only one of a STAC API's collections, such as sentinel-2-l2a.
    #[arg(long, value_name = "NAME")]
    collection: Vec<String>,
    /// Only the catalogue; make the weekly products later with `sen process`.
    #[arg(long)]
    no_process: bool,
}

impl Ingest {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let data = place.open()?;
        let options = self.options(&data)?;
        let lock = WriteLock::take(&data)?;
        if !self.no_process {
            let runtime = tokio::runtime::Builder::new_current_thread().build()?;
            runtime.block_on(data.check_step_settings())?;
        }
        // before any runtime: the HTTP client of STAC APIs is a blocking one
        let mut found = self.discover(&options, output)?;
        output.finish();
        let (runtime, cancelled) = stopping::runtime()?;
        let outcome = runtime.block_on(async {
            leave_out_withdrawn(&data, &mut found).await?;
            let (tally, weeks) = register(&data, &found).await?;
            let (mut text, mut value, mut outcome) = scenes_summary(&tally, &found);
            if !self.no_process && !weeks.is_empty() {
                let scope = RunScope {
                    weeks: Some(weeks.into_iter().collect()),
                    ..RunScope::default()
                };
                let report = weekly::make_on_grid(&data, &found.scenes, scope, &cancelled, output).await?;
                let (weekly_text, weekly_value, weekly_outcome) = run_report::summary(&report)?;
                text = format!("{text}\n{weekly_text}");
                value["weekly"] = weekly_value;
                if matches!(weekly_outcome, Outcome::Partly) {
                    outcome = Outcome::Partly;
                }
            }
            output.result(&text, &value);
            anyhow::Ok(outcome)
        });
        drop(lock);
        outcome
    }

    fn options(&self, data: &Data) -> anyhow::Result<SourceOptions> {
        let bbox = self.bbox.as_deref().map(parse_bbox).transpose()?;
        let datetime = self
            .datetime
            .as_deref()
            .map(str::parse::<TimeQuery>)
            .transpose()
            .map_err(|error| UsageError(format!("--datetime: {error}")))?;
        if let Some(name) = &self.source
            && !source::SOURCES.iter().any(|source| source.name() == name)
        {
            let known: Vec<_> = source::SOURCES.iter().map(|source| source.name()).collect();
            return Err(UsageError(format!("--source: `{name}` is none of {}", known.join(", "))).into());
        }
        Ok(SourceOptions {
            source: self.source.clone(),
            bbox,
            datetime,
            offset: self.offset,
            units: match self.units.as_deref() {
                Some("linear") => Some(Units::Linear),
                Some("amplitude") => Some(Units::Amplitude),
                Some("db") => Some(Units::Db),
                _ => None,
            },
            collections: self.collection.clone(),
            geotiff: data.config.geotiff.clone(),
            ..SourceOptions::default()
        })
    }

    /// Everything at every location; a location that cannot be read at all is one more failure.
    fn discover(&self, options: &SourceOptions, output: &Output) -> anyhow::Result<Found> {
        let mut found = Found::default();
        output.begin("looking for scenes", self.locations.len() as u64);
        for location in &self.locations {
            output.message(&unsigned(location));
            match source::discover(location, options) {
                Ok(here) => found.extend(here),
                Err(error) => found.failures.push(Failure::new(location, &error)),
            }
            output.advance(1);
        }
        Ok(found)
    }
}

fn parse_bbox(text: &str) -> Result<Bounds, UsageError> {
    let numbers: Vec<f64> = text
        .split(',')
        .filter_map(|part| part.trim().parse().ok())
        .collect();
    match numbers[..] {
        [w, s, e, n] if w < e && s < n && w >= -180.0 && e <= 180.0 && s >= -90.0 && n <= 90.0 => {
            Ok(Bounds::new(w, s, e, n))
        }
        _ => Err(UsageError(format!(
            "--bbox: `{text}` is not west,south,east,north in degrees"
        ))),
    }
}

#[derive(Default)]
struct Tally {
    new: usize,
    known: usize,
    first: Option<Period>,
    last: Option<Period>,
}

/// Scenes that were withdrawn stay so, and are named.
async fn leave_out_withdrawn(data: &Data, found: &mut Found) -> anyhow::Result<()> {
    let withdrawals = data.store.withdrawals().await?;
    let is_withdrawn = withdrawn_scenes(&withdrawals);
    let notes = &mut found.notes;
    found.scenes.retain(|scene| {
        let stays = !is_withdrawn(&scene.collection, &scene.id);
        if !stays {
            let name = format!("{}/{}", scene.collection, scene.id);
            let reason =
                format!("is withdrawn and not taken in; `sen withdraw {name} --undo` brings it back");
            notes.push(Failure::new(name, reason));
        }
        stays
    });
    Ok(())
}

/// Puts the rows of new or changed scenes; gives the weeks of all scenes found, so that a run that was cut short
/// is finished by the next one.
async fn register(data: &Data, found: &Found) -> anyhow::Result<(BTreeMap<String, Tally>, BTreeSet<Period>)> {
    let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
    let (mut weeks, mut changed) = (BTreeSet::new(), Vec::new());
    for scene in &found.scenes {
        let known = data.store.item(&scene.collection, &scene.id).await?;
        let entry = tally.entry(scene.collection.clone()).or_default();
        let week = scene.period();
        entry.first = Some(entry.first.map_or(week, |first| first.min(week)));
        entry.last = Some(entry.last.map_or(week, |last| last.max(week)));
        // compared as stored: text loses the last bit of some numbers
        let stored: Item = serde_json::from_str(&serde_json::to_string(scene)?)?;
        if known.as_ref() != Some(&stored) {
            changed.push(scene.clone());
        }
        // files that were copied and are the same are no news
        if known.map(timeless) == Some(timeless(stored)) {
            entry.known += 1;
        } else {
            entry.new += 1;
        }
        weeks.insert(week);
    }
    data.store.put_items(changed).await?;
    Ok((tally, weeks))
}

/// A scene without the times at which its files were written.
fn timeless(mut scene: Item) -> Item {
    for asset in scene.assets.values_mut() {
        asset.modified = None;
    }
    scene
}

fn scenes_summary(tally: &BTreeMap<String, Tally>, found: &Found) -> (String, Value, Outcome) {
    let week = |period: Option<Period>| period.map_or_else(String::new, |period| period.to_string());
    let rows: Vec<_> = tally
        .iter()
        .map(|(name, t)| {
            vec![
                name.clone(),
                t.new.to_string(),
                t.known.to_string(),
                week(t.first),
                week(t.last),
            ]
        })
        .collect();
    let mut text = table(&["collection", "new", "known", "first week", "last week"], &rows);
    for note in &found.notes {
        text += &format!("note: {note}\n");
    }
    for failure in &found.failures {
        text += &format!("failed: {failure}\n");
    }
    let collections: Vec<_> = tally
        .iter()
        .map(|(name, t)| json!({"collection": name, "new": t.new, "known": t.known, "first": t.first, "last": t.last}))
        .collect();
    let outcome = if !found.failures.is_empty() {
        Outcome::Partly
    } else if found.scenes.is_empty() {
        text += "no scene here is of the area and time asked for\n";
        Outcome::Partly
    } else {
        Outcome::Done
    };
    (
        text,
        json!({"scenes": collections, "notes": found.notes, "failures": found.failures}),
        outcome,
    )
}
