//! `sen import zones` and `sen import layer`: features with codes, from vector files.

use super::disclosure;
use super::report::{FileReport, Odd, Report};
use crate::Outcome;
use crate::commands::run_report::steps_text;
use crate::commands::stopping;
use crate::commands::weekly;
use crate::commands::write_lock::WriteLock;
use crate::config::{Data, Place, UsageError, distance};
use crate::output::Output;
use crate::zones::Validators;
use chrono::NaiveDate;
use clap::Args;
use sen_catalog::admin::{self, AdminUnit};
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::run::Failure;
use sen_catalog::store::{ItemQuery, Put, UnitQuery};
use sen_catalog::{Crs, Feature};
use sen_processing::gdal_io::system::{System, ToldDatum};
use sen_processing::steps::layer_names;
use sen_processing::vector::update::{Updated, update};
use sen_processing::vector::{
    Encoding, OtherCodeColumn, ReadOptions, VectorFile, Wanted, parents, read, resolve, units,
};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Layers that clients know by name; any other name is as good.
const KNOWN: &[&str] = &[
    "plots",
    "dyke_compartments",
    "growing_areas",
    "aquaculture_sites",
    "livestock_sites",
    "forest_blocks",
    "raw_material_areas",
    "cooperatives",
    "admin_units",
    "stations",
    "pumps",
    "sluices",
    "canals",
    "dykes",
    "businesses",
];

/// Polygons with codes from GeoPackage, GeoJSON, Shapefile (also a folder or zip), MapInfo TAB and MIF, FlatGeobuf, or
/// CSV with WKT; for admin_units also tables without polygons (CSV, JSON).
///
/// A newer file of the same kind is an update: the same codes keep their history. Nothing is dropped in silence: what
/// had to be repaired or left out is listed by its code. A file is taken in as a whole or not at all.
#[derive(Args)]
pub(crate) struct Zones {
    #[command(flatten)]
    common: Common,
    /// The kind: plots, dyke_compartments, growing_areas, aquaculture_sites, livestock_sites, forest_blocks,
    /// raw_material_areas, cooperatives, admin_units, or a name of your own.
    #[arg(long = "as", value_name = "KIND")]
    kind: String,
    /// The day on which the codes of administrative units in the file were meant: codes were given to other units on
    /// 2025-07-01.
    #[arg(long, value_name = "DATE")]
    admin_on: Option<NaiveDate>,
    /// Only the catalogue; make the zones' statistics later with `sen process`.
    #[arg(long)]
    no_process: bool,
}

/// Points or lines with codes, from the same formats as zones.
#[derive(Args)]
pub(crate) struct Layer {
    #[command(flatten)]
    common: Common,
    /// The layer: stations, pumps, sluices, canals, dykes, businesses, or a name of your own.
    #[arg(long = "as", value_name = "NAME")]
    name_of_layer: String,
}

#[derive(Args)]
struct Common {
    /// The files; a folder or zip stands for the vector files in it.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Column of the code; without it the first of code, ma, id (any case).
    #[arg(long, value_name = "FIELD")]
    code: Option<String>,
    /// Who gives these codes (`local` when nobody is named).
    #[arg(long, value_name = "NAME")]
    scheme: Option<String>,
    /// Column of a further code, its scheme and market; may be given several times. MARKET may be {FIELD}.
    #[arg(long, value_name = "FIELD:SCHEME[:MARKET]")]
    other_code: Vec<OtherCodeColumn>,
    /// Column of the name; without it name or ten.
    #[arg(long, value_name = "FIELD")]
    name: Option<String>,
    /// Column of the code of what a feature belongs to (a commune for a plot); without it parent.
    #[arg(long, value_name = "FIELD")]
    parent: Option<String>,
    /// Coordinate system, where the file does not say it or says it wrongly: EPSG:5897, EPSG:9210, EPSG:32648 ...
    #[arg(long, value_name = "EPSG:n")]
    crs: Option<Crs>,
    /// Datum of the file's own projection, where the file names none or the wrong one: vn2000 or wgs84.
    #[arg(long, value_name = "NAME", conflicts_with = "crs")]
    datum: Option<ToldDatum>,
    /// The file has northing before easting, or latitude before longitude.
    #[arg(long)]
    swap_axes: bool,
    /// Column of a CSV that holds longitude or easting, where its name does not say so (lon, kinh_do, x ... are known).
    #[arg(long, value_name = "FIELD", requires = "y")]
    x: Option<String>,
    /// Column of a CSV that holds latitude or northing.
    #[arg(long, value_name = "FIELD", requires = "x")]
    y: Option<String>,
    /// Encoding of the text: utf-8, windows-1258, tcvn3 or vni; found out and told when not given.
    #[arg(long, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// The layer to read of a file that has several.
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// First day of validity: former versions of the same codes end on it.
    #[arg(long, value_name = "DATE")]
    valid_from: Option<NaiveDate>,
    /// First day the features are no longer valid.
    #[arg(long, value_name = "DATE")]
    valid_to: Option<NaiveDate>,
}

impl Zones {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let job = Job {
            layer: self.kind,
            wanted: Wanted::Zones,
            admin_on: self.admin_on,
            process: !self.no_process,
        };
        self.common.run(place, output, &job)
    }
}

impl Layer {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let job = Job {
            layer: self.name_of_layer,
            wanted: Wanted::PointsOrLines,
            admin_on: None,
            process: false,
        };
        self.common.run(place, output, &job)
    }
}

/// What the two commands differ in.
struct Job {
    layer: String,
    wanted: Wanted,
    admin_on: Option<NaiveDate>,
    process: bool,
}

impl Common {
    fn run(self, place: &Place, output: &Output, job: &Job) -> anyhow::Result<Outcome> {
        check_name(&job.layer)?;
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && from >= to
        {
            return Err(UsageError(format!("--valid-to {to} is not after --valid-from {from}")).into());
        }
        if let Some(crs) = self.crs {
            System::epsg(crs).map_err(|error| UsageError(format!("--crs: {error}")))?;
        }
        let data = place.open()?;
        let validators = data.config.schemes.validators()?;
        let options = self.options(&data, job)?;
        let lock = WriteLock::take(&data)?;
        let (runtime, cancelled) = stopping::runtime()?;
        let mut report = Report {
            layer: job.layer.clone(),
            notes: near_miss(&job.layer).into_iter().collect(),
            ..Report::default()
        };
        let importer = Importer {
            data: &data,
            options: &options,
            validators: &validators,
            admin_on: job.admin_on,
            output,
            cancelled: &cancelled,
        };
        for path in &self.files {
            let files = match resolve(path) {
                Ok(files) => files,
                Err(error) => {
                    report.failures.push(Failure::new(path.display(), error.reason()));
                    continue;
                }
            };
            for file in files {
                match runtime.block_on(importer.file(&file)) {
                    Ok(done) => report.files.push(done),
                    Err(error) => report.failures.push(Failure::new(file.name, error.reason())),
                }
            }
        }
        output.finish();
        let (mut text, mut value, mut outcome) = report.summary();
        // also when nothing changed: an import that was stopped may have left tables to be made
        if job.process {
            let statistics = runtime.block_on(weekly::zone_statistics(&data, &cancelled, output))?;
            value["statistics"] = serde_json::to_value(&statistics)?;
            if !statistics.is_complete() {
                outcome = Outcome::Partly;
            }
            text += &steps_text(&statistics.steps);
        }
        if let Some(next) = runtime.block_on(self.next(&data, job))? {
            text += &format!("note: {next}\n");
            value["next"] = next.into();
        }
        output.result(&text, &value);
        drop(lock);
        Ok(outcome)
    }

    /// What `sen process` makes of the layer and an import does not.
    async fn next(&self, data: &Data, job: &Job) -> anyhow::Result<Option<String>> {
        let of = |layers: &[String]| layers.contains(&job.layer);
        let made = if of(&data.config.calendar.layers) {
            "dates the crops of"
        } else if data.config.fire.blocks == job.layer {
            "tells fire danger and forest change of"
        } else if data.config.delta.compartments == job.layer {
            "tells floods and their causes of"
        } else {
            return Ok(None);
        };
        let any = ItemQuery {
            limit: Some(1),
            ..ItemQuery::default()
        };
        let imagery = !data.store.items(&any).await?.is_empty();
        Ok(imagery.then(|| {
            format!(
                "`sen process` {made} {} from the scenes that are here already",
                job.layer
            )
        }))
    }

    fn options(&self, data: &Data, job: &Job) -> anyhow::Result<ReadOptions> {
        let kind = data.config.kinds.get(&job.layer).cloned().unwrap_or_default();
        let province = data
            .grid()?
            .and_then(|grid| grid.bounds().transform(grid.crs, Crs::WGS84).ok());
        Ok(ReadOptions {
            wanted: job.wanted,
            code: self.code.clone().or(kind.code),
            scheme: self
                .scheme
                .clone()
                .or(kind.scheme)
                .unwrap_or_else(|| "local".to_owned()),
            name: self.name.clone().or(kind.name),
            parent: self.parent.clone().or(kind.parent),
            other_codes: self.other_code.clone(),
            crs: self.crs,
            datum: self.datum,
            swap_axes: self.swap_axes,
            x: self.x.clone(),
            y: self.y.clone(),
            encoding: self.encoding,
            source_layer: self.layer.clone(),
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            province,
            ..ReadOptions::zones(&job.layer)
        })
    }
}

/// A name that can stand in addresses and names no raster layer.
pub(crate) fn check_name(name: &str) -> Result<(), UsageError> {
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !sound {
        return Err(UsageError(format!(
            "--as: `{name}` cannot name a layer; use small letters, digits and _, such as {}",
            KNOWN[0]
        )));
    }
    let raster = layer_names().contains(&name) || SCENE_COLLECTIONS.contains(&name);
    if raster {
        return Err(UsageError(format!(
            "--as: `{name}` is a raster layer; choose another name"
        )));
    }
    Ok(())
}

/// A word where a new name differs by a letter or two from a known one.
fn near_miss(name: &str) -> Option<String> {
    if KNOWN.contains(&name) {
        return None;
    }
    let near = KNOWN.iter().find(|known| distance(name, known) <= 2)?;
    Some(format!("`{name}` is a layer of its own; did you mean `{near}`?"))
}

/// Imports one file after the other.
struct Importer<'a> {
    data: &'a Data,
    options: &'a ReadOptions,
    validators: &'a Validators,
    admin_on: Option<NaiveDate>,
    output: &'a Output,
    cancelled: &'a AtomicBool,
}

impl Importer<'_> {
    async fn file(&self, file: &VectorFile) -> sen_processing::Result<FileReport> {
        let store = self.data.store.as_ref();
        let of_units = self.options.layer == admin::LAYER;
        if of_units && units::is_table(file)? {
            return self.table(file).await;
        }
        let mut read = read(file, self.options, self.output, self.cancelled)?;
        let mut features = std::mem::take(&mut read.features);
        let (rows, note) = if of_units {
            parents::complete(store, &mut features, self.admin_on).await?
        } else {
            (
                Vec::new(),
                parents::tie(store, &mut features, self.admin_on).await?,
            )
        };
        read.notes.extend(note);
        let warnings = self.odd(&features);
        let policy = &self.data.config.layers;
        disclosure::refuse_private_codes(&file.name, policy, &self.options.layer, &features)?;
        read.notes
            .extend(disclosure::notes(policy, &self.options.layer, &features));
        let updated = tokio::select! {
            updated = update(store, &self.options.layer, features) => updated?,
            () = stopping::raised(self.cancelled) => {
                store.finish_batches().await?;
                let reason = "stopped; the file was taken in as a whole or not at all: import it again";
                return Err(sen_catalog::Error::Store(reason.to_owned()).into());
            }
        };
        if of_units {
            store.put_units(rows).await?;
            admin::link(store).await?;
        }
        Ok(FileReport::new(file.name.clone(), read, updated, warnings))
    }

    /// A table of units without polygons.
    async fn table(&self, file: &VectorFile) -> sen_processing::Result<FileReport> {
        let store = self.data.store.as_ref();
        let table = units::read(file, self.options.valid_from, self.options.valid_to)?;
        let known: Vec<AdminUnit> = store.units(&UnitQuery::default()).await?;
        let report = table.report();
        let outcomes = store.put_units(with_links(table.units, known)).await?;
        admin::link(store).await?;
        let count = |wanted: Put| outcomes.iter().filter(|put| **put == wanted).count();
        let updated = Updated {
            added: count(Put::Added),
            changed: count(Put::Changed),
            unchanged: count(Put::Unchanged),
            ..Updated::default()
        };
        Ok(FileReport::new(file.name.clone(), report, updated, Vec::new()))
    }

    /// Codes that the validators of their schemes find odd.
    fn odd(&self, features: &[Feature]) -> Vec<Odd> {
        features
            .iter()
            .flat_map(|feature| {
                let others = feature.codes.iter().map(|other| (&other.scheme, &other.code));
                std::iter::once((&feature.scheme, &feature.code)).chain(others)
            })
            .filter_map(|(scheme, code)| {
                self.validators.odd(scheme, code).map(|message| Odd {
                    scheme: scheme.clone(),
                    code: code.clone(),
                    message: message.to_owned(),
                })
            })
            .collect()
    }
}

/// Units as read, with the links found for them before: a table that names no predecessors does not take them away.
fn with_links(units: Vec<AdminUnit>, known: Vec<AdminUnit>) -> Vec<AdminUnit> {
    let key = |unit: &AdminUnit| (unit.level, unit.code.clone(), unit.valid_from);
    let mut links: std::collections::HashMap<_, _> = known
        .into_iter()
        .map(|unit| (key(&unit), unit.predecessors))
        .collect();
    units
        .into_iter()
        .map(|mut unit| {
            if unit.predecessors.is_empty() {
                unit.predecessors = links.remove(&key(&unit)).unwrap_or_default();
            }
            unit
        })
        .collect()
}
