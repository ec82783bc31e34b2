//! The crop calendar: when each plot was sown, headed and was harvested.
//!
//! Every scene is read once and becomes one value a plot (VH in decibel, NDVI): dates of looks matter, so that weekly
//! composites will not do. [`crops()`] reads the crops off the series of a plot; [`Calendar`] does it for the layers of
//! the store. Nothing is done while neither the scenes nor the plots nor the settings have changed.

mod backscatter;
pub(crate) mod cells;
mod change;
mod crops;
mod growth;
mod kept;
mod looks;
mod series;
mod settings;
#[cfg(test)]
mod tests;
mod whittaker;

pub(crate) use backscatter::Backscatter;
pub use change::Estimate;
pub use crops::{Crop, crops};
pub use kept::{FOLDER as KEPT_LOOKS, check_kept_look};
pub use series::Series;
pub use settings::{CalendarSettings, SeasonRule};
pub use whittaker::{v_curve_lambda, whittaker, whittaker_expectile};

use crate::Result;
use crate::run::{Progress, blocking};
use crate::settings::Settings;
use crate::source::{WEEKLY_SCENES, fingerprint_scenes, sentinel1_grd};
use crate::zonal::mark_shape;
use cells::Cells;
use chrono::NaiveDate;
use geo_types::MultiPolygon;
use kept::{Kept, KeptLook, kept_parts};
use looks::{PlotLook, Quantity};
use rayon::prelude::*;
use sen_catalog::feature::Layer;
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::season::Season;
use sen_catalog::{Assets, FeatureQuery, Grid, Item, ItemQuery, Store, asset};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Version of the method; another one remakes every calendar.
const VERSION: u32 = 1;

/// Plots whose series are in memory at once: with 1,500 acquisitions some 100 MB.
pub const PLOTS_AT_ONCE: usize = 16_384;

/// What making calendars needs to know.
pub struct Calendar<'a> {
    /// Scenes, plots, and the crops that come out.
    pub store: Arc<dyn Store>,
    /// Files of the scenes.
    pub assets: Assets,
    /// The province grid.
    pub grid: Grid,
    /// How scenes are read.
    pub processing: &'a Settings,
    /// What is known of the crop.
    pub settings: &'a CalendarSettings,
    /// Plots worked on at once: [`PLOTS_AT_ONCE`].
    pub plots_at_once: usize,
    /// Set to stop soon and cleanly.
    pub cancelled: &'a AtomicBool,
}

impl Calendar<'_> {
    /// Makes the calendars of some of the configured layers that are out of date. What fails is named in the report and the rest done.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn run(&self, layers: &[&str], report: &mut StepReport, progress: &dyn Progress) -> Result<()> {
        let known = self.store.layers().await?;
        let mut scenes = None;
        let mut figures = Figures::default();
        for name in layers {
            let Some(layer) = known.iter().find(|layer| layer.name == *name) else {
                continue;
            };
            if scenes.is_none() {
                scenes = Some(self.scenes().await?);
            }
            let scenes = scenes.as_deref().unwrap_or_default();
            let outcome = self.layer(layer, scenes, &mut figures, report, progress).await;
            if report.cancelled {
                break;
            }
            let seasons = Dataset::Records(format!("crop_season/{name}"));
            report.enter_outcome(seasons, None, outcome);
            figures.plots += layer.count as usize;
        }
        if figures.plots > 0 {
            report.figure("plots", figures.plots);
        }
        if report.total().made > 0 {
            report.figure("plots_looked_at", figures.looked_at);
            report.figure("plots_with_crops", figures.with_crops);
            report.figure("plots_changed", figures.changed);
        }
        Ok(())
    }

    /// The calendar of one layer.
    async fn layer(
        &self,
        layer: &Layer,
        scenes: &[Item],
        figures: &mut Figures,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<StepStatus> {
        // of the scenes and settings, and of the plots
        let (made_of, digest) = self.digests(layer.revision, scenes);
        let known = self.store.calendar_digest(&layer.name).await?;
        let is_current =
            |known: &str| known == digest || known == self.unmarked_digest(layer.revision, scenes);
        if known.as_deref().is_some_and(is_current) {
            return Ok(StepStatus::UpToDate);
        }
        let only_plots = known.is_some_and(|known| known.starts_with(&made_of));
        let features = self.store.features(&FeatureQuery::layer(&layer.name)).await?;
        let (fids, polygons): (Vec<i64>, Vec<MultiPolygon<f64>>) = features
            .iter()
            .filter_map(|feature| Some((feature.fid, feature.polygons()?)))
            .unzip();
        let plots = Plots {
            layer: &layer.name,
            revision: layer.revision,
            fids,
            shapes: mark_shapes(&polygons),
            polygons,
        };
        let before = report.left_out.len();
        let seasons = blocking(|| self.seasons(&plots, scenes, only_plots, &mut report.left_out, progress))?;
        let Some(seasons) = seasons else {
            report.cancelled = true;
            return Ok(StepStatus::NoInput);
        };
        figures.looked_at += seasons.len();
        figures.changed += self.store.put_seasons(seasons).await?;
        for fids in plots.fids.chunks(PLOTS_AT_ONCE) {
            figures.with_crops += self.store.seasons_of(fids).await?.len();
        }
        if report.left_out.len() == before {
            self.store.put_calendar_digest(&layer.name, &digest).await?;
        }
        Ok(StepStatus::Made)
    }

    /// The scenes that help, in order of time.
    async fn scenes(&self) -> Result<Vec<Item>> {
        let mut scenes = Vec::new();
        for collection in WEEKLY_SCENES {
            scenes.extend(self.store.items(&ItemQuery::collection(*collection)).await?);
        }
        scenes.retain(looks::is_wanted);
        sentinel1_grd::one_backscatter(&mut scenes);
        crate::duplicate::settle(&mut scenes);
        scenes.sort_by(|a, b| (a.interval.start, &a.id).cmp(&(b.interval.start, &b.id)));
        Ok(scenes)
    }

    /// Changes when what a scene shows of a plot might, for other reasons than its shape.
    fn looks_digest(&self, scenes: &[Item]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(serde_json::json!([VERSION, self.grid]).to_string());
        hasher.update(fingerprint_scenes(scenes.iter(), self.processing, ""));
        asset::hex(&hasher.finalize())
    }

    /// Changes when the crops of a plot might, for other reasons than its shape; and the same with the plots.
    fn digests(&self, revision: u64, scenes: &[Item]) -> (String, String) {
        let mut hasher = Sha256::new();
        hasher.update(self.looks_digest(scenes));
        hasher.update(serde_json::json!(self.settings).to_string());
        let made_of = asset::hex(&hasher.finalize());
        let digest = format!("{made_of} {revision}");
        (made_of, digest)
    }

    /// What a look or a calendar of before plots had marks of their shapes was made of: it holds while the layer has not changed
    /// since, and a folder whose scenes are gone cannot make it again.
    fn unmarked_looks_digest(&self, revision: u64, scenes: &[Item]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(serde_json::json!([VERSION, revision, self.grid]).to_string());
        hasher.update(fingerprint_scenes(scenes.iter(), self.processing, ""));
        asset::hex(&hasher.finalize())
    }

    fn unmarked_digest(&self, revision: u64, scenes: &[Item]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.unmarked_looks_digest(revision, scenes));
        hasher.update(serde_json::json!(self.settings).to_string());
        asset::hex(&hasher.finalize())
    }

    /// The crops of plots; none when stopped. Each scene is read once, for all plots, and kept in parts; then the series of
    /// one part of the plots after the other are put together. With `only_plots` nothing but plots is other than before, and
    /// those whose shape is the same are left out.
    fn seasons(
        &self,
        plots: &Plots<'_>,
        scenes: &[Item],
        only_plots: bool,
        left_out: &mut Vec<Failure>,
        progress: &dyn Progress,
    ) -> Result<Option<PlotSeasons>> {
        let reader = LookReader {
            calendar: self,
            plots,
            cells: OnceLock::new(),
            parts: kept_parts(
                &self.assets,
                plots.layer,
                &plots.fids,
                &plots.shapes,
                self.plots_at_once,
            ),
        };
        let mut seen: Vec<&Item> = Vec::with_capacity(scenes.len());
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        progress.begin(&format!("crop calendar of {}", plots.layer), scenes.len() as u64);
        for batch in scenes.chunks(rayon::current_num_threads().max(1)) {
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let read: Vec<_> = batch.par_iter().map(|scene| reader.keep_look(scene)).collect();
            for (scene, outcome) in batch.iter().zip(read) {
                match outcome {
                    Ok(Some(read)) => {
                        changed.extend(read);
                        seen.push(scene);
                    }
                    Ok(None) => {}
                    Err(error) => {
                        let name = name_of(scene);
                        progress.message(&format!("calendar: {name} left out: {error}"));
                        left_out.push(Failure::new(name, error));
                    }
                }
                progress.advance(1);
            }
        }
        // of a scene that cannot be read any more it is not known which plots it was read at
        if !only_plots || !left_out.is_empty() {
            changed = (0..plots.fids.len()).collect();
        }
        let mut seasons = Vec::with_capacity(changed.len());
        for part in 0..reader.parts.len() {
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let first = reader.first_plot(part);
            let own: Vec<usize> = changed
                .range(first..reader.first_plot(part + 1))
                .copied()
                .collect();
            if own.is_empty() {
                continue;
            }
            let looks = seen.par_iter().map(|scene| reader.load_part(scene, part));
            let looks: Vec<PlotLook> = looks.collect::<Result<_>>()?;
            let tell = |plot: &usize| {
                let crops = crops(&series(&looks, plot - first), self.settings);
                let seasons = crops.iter().map(|crop| season(crop, self.settings)).collect();
                (plots.fids[*plot], seasons)
            };
            let told: PlotSeasons = own.par_iter().map(tell).collect();
            seasons.extend(told);
        }
        Ok(Some(seasons))
    }
}

fn name_of(scene: &Item) -> String {
    format!("{}/{}", scene.collection, scene.id)
}

/// The marks of shapes.
fn mark_shapes(polygons: &[MultiPolygon<f64>]) -> Vec<u64> {
    polygons.par_iter().map(|shape| mark_shape(shape, 0.0)).collect()
}

/// Reads scenes at the plots of a layer, unless that was done before.
struct LookReader<'a> {
    calendar: &'a Calendar<'a>,
    plots: &'a Plots<'a>,
    /// Of all plots, once a scene is read at all of them.
    cells: OnceLock<Cells>,
    parts: Vec<Kept<'a>>,
}

impl LookReader<'_> {
    fn made_of(&self, scene: &Item) -> String {
        self.calendar.looks_digest(std::slice::from_ref(scene))
    }

    /// The first plot of a part; of the one after the last the number of plots.
    fn first_plot(&self, part: usize) -> usize {
        self.parts.iter().take(part).map(|part| part.fids.len()).sum()
    }

    /// Sees to it that the look of a scene is kept; the plots it was read at. None when it shows nothing of the province.
    fn keep_look(&self, scene: &Item) -> Result<Option<Vec<usize>>> {
        let (name, made_of) = (name_of(scene), self.made_of(scene));
        let load = |part: &Kept<'_>| self.load_kept(part, scene, &name, &made_of);
        let loaded: Option<Vec<KeptLook>> = self.parts.iter().map(load).collect();
        let Some(mut loaded) = loaded else {
            let read = self.read(scene, &name, &made_of)?;
            return Ok(read.map(|_| (0..self.plots.fids.len()).collect()));
        };
        let missing: Vec<usize> = loaded
            .iter()
            .enumerate()
            .flat_map(|(part, kept)| kept.missing.iter().map(move |plot| self.first_plot(part) + plot))
            .collect();
        if missing.is_empty() {
            return Ok(Some(missing));
        }
        // only at plots that are new or have another shape
        let polygons: Vec<MultiPolygon<f64>> = missing
            .iter()
            .map(|plot| self.plots.polygons[*plot].clone())
            .collect();
        let cells = Cells::new(&polygons, &self.calendar.grid)?;
        let Some(look) = self.look(scene, &cells, missing.len())? else {
            return Ok(None);
        };
        let mut values = look.values.into_iter();
        for (part, kept) in self.parts.iter().zip(&mut loaded) {
            for plot in &kept.missing {
                kept.look.values[*plot] = values.next().unwrap_or(f32::NAN);
            }
            if !kept.missing.is_empty() {
                part.save(&name, &made_of, &kept.look)?;
            }
        }
        Ok(Some(missing))
    }

    fn load_kept(&self, part: &Kept<'_>, scene: &Item, name: &str, made_of: &str) -> Option<KeptLook> {
        let unmarked = || {
            let revision = self.plots.revision;
            let made_of = self
                .calendar
                .unmarked_looks_digest(revision, std::slice::from_ref(scene));
            part.load_unmarked(name, &made_of)
        };
        part.load(name, made_of).or_else(unmarked)
    }

    fn look(&self, scene: &Item, cells: &Cells, plots: usize) -> Result<Option<PlotLook>> {
        let calendar = self.calendar;
        let dilation = calendar.processing.dilation(calendar.grid.cell_width);
        looks::read(scene, cells, plots, &calendar.assets, &calendar.grid, dilation)
    }

    /// Reads a scene at all plots and keeps what it shows.
    fn read(&self, scene: &Item, name: &str, made_of: &str) -> Result<Option<PlotLook>> {
        let cells = if let Some(cells) = self.cells.get() {
            cells
        } else {
            let made = Cells::new(&self.plots.polygons, &self.calendar.grid)?;
            self.cells.get_or_init(|| made)
        };
        let Some(look) = self.look(scene, cells, self.plots.fids.len())? else {
            return Ok(None);
        };
        let mut left = look.values.as_slice();
        for part in &self.parts {
            let (values, others) = left.split_at(part.fids.len());
            let values = values.to_vec();
            part.save(name, made_of, &PlotLook { values, ..look })?;
            left = others;
        }
        Ok(Some(look))
    }

    /// What a scene shows of one part of the plots, from what was kept; from the scene again where that cannot be read.
    fn load_part(&self, scene: &Item, part: usize) -> Result<PlotLook> {
        let (name, made_of) = (name_of(scene), self.made_of(scene));
        let kept = self.load_kept(&self.parts[part], scene, &name, &made_of);
        if let Some(kept) = kept.filter(|kept| kept.missing.is_empty()) {
            return Ok(kept.look);
        }
        let whole = self.read(scene, &name, &made_of)?;
        let gone = || crate::Error::unreadable(&name, "shows no plot any more");
        let whole = whole.ok_or_else(gone)?;
        let values = whole.values[self.first_plot(part)..self.first_plot(part + 1)].to_vec();
        Ok(PlotLook { values, ..whole })
    }
}

/// Crops by the number of the plot.
type PlotSeasons = Vec<(i64, Vec<Season>)>;

/// Counts over all layers.
#[derive(Default)]
struct Figures {
    plots: usize,
    /// Of the layers that were made: those whose crops were told anew.
    looked_at: usize,
    with_crops: usize,
    changed: usize,
}

/// The plots of a layer.
struct Plots<'a> {
    layer: &'a str,
    /// Of the layer.
    revision: u64,
    fids: Vec<i64>,
    shapes: Vec<u64>,
    polygons: Vec<MultiPolygon<f64>>,
}

/// The series of one plot.
fn series(looks: &[PlotLook], plot: usize) -> Series {
    let of = |quantity: Quantity| {
        let seen = looks
            .iter()
            .filter(|look| look.quantity == quantity && !look.values[plot].is_nan());
        seen.map(|look| (look.day, f64::from(look.values[plot])))
            .collect()
    };
    Series {
        radar: of(Quantity::Vh),
        optical: of(Quantity::Ndvi),
    }
}

/// A crop as a row of the store. A crop whose sowing was not seen is named by the day it must have been sown.
fn season(crop: &Crop, settings: &CalendarSettings) -> Season {
    let day = |day: f64| NaiveDate::from_num_days_from_ce_opt(day.round() as i32);
    let date = |estimate: Option<Estimate>| estimate.and_then(|estimate| day(estimate.day));
    let spread =
        |estimate: Option<Estimate>| estimate.map(|estimate| (estimate.spread * 10.0).round() / 10.0);
    let implied = crop
        .sowing
        .map(|sowing| sowing.day)
        .or_else(|| crop.harvest.map(|harvest| harvest.day - settings.duration()))
        .or_else(|| {
            let vegetative = settings.duration() - settings.ripening_days;
            crop.heading.map(|heading| heading.day - vegetative)
        });
    Season {
        season: implied
            .and_then(day)
            .map(|sowing| settings.label(sowing))
            .unwrap_or_default(),
        sowing: date(crop.sowing),
        heading: date(crop.heading),
        harvest: date(crop.harvest),
        lost: crop.lost.and_then(day),
        sowing_uncertainty_days: spread(crop.sowing),
        heading_uncertainty_days: spread(crop.heading),
        harvest_uncertainty_days: spread(crop.harvest),
    }
}
