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
use cells::Cells;
use chrono::NaiveDate;
use geo_types::MultiPolygon;
use kept::{Kept, kept_parts};
use looks::{PlotLook, Quantity};
use rayon::prelude::*;
use sen_catalog::feature::Layer;
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::season::Season;
use sen_catalog::{Assets, FeatureQuery, Grid, Item, ItemQuery, Store, asset};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
        let digest = self.digest(layer.revision, scenes);
        if self.store.calendar_digest(&layer.name).await?.as_deref() == Some(&digest) {
            return Ok(StepStatus::UpToDate);
        }
        let features = self.store.features(&FeatureQuery::layer(&layer.name)).await?;
        let (fids, polygons): (Vec<i64>, Vec<MultiPolygon<f64>>) = features
            .iter()
            .filter_map(|feature| Some((feature.fid, feature.polygons()?)))
            .unzip();
        let plots = Plots {
            layer: &layer.name,
            revision: layer.revision,
            fids,
            polygons,
        };
        let before = report.left_out.len();
        let seasons = blocking(|| self.seasons(&plots, scenes, &mut report.left_out, progress))?;
        let Some(seasons) = seasons else {
            report.cancelled = true;
            return Ok(StepStatus::NoInput);
        };
        figures.with_crops += seasons.iter().filter(|seasons| !seasons.is_empty()).count();
        let seasons = plots.fids.into_iter().zip(seasons).collect();
        figures.changed += self.store.put_seasons(seasons).await?;
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

    /// Changes when the looks at the plots might.
    fn looks_digest(&self, revision: u64, scenes: &[Item]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(serde_json::json!([VERSION, revision, self.grid]).to_string());
        hasher.update(fingerprint_scenes(scenes.iter(), self.processing, ""));
        asset::hex(&hasher.finalize())
    }

    /// Changes when the crops might.
    fn digest(&self, revision: u64, scenes: &[Item]) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.looks_digest(revision, scenes));
        hasher.update(serde_json::json!(self.settings).to_string());
        asset::hex(&hasher.finalize())
    }

    /// The crops of each plot; none when stopped. Each scene is read once, for all plots, and kept in parts; then the series of
    /// one part of the plots after the other are put together.
    fn seasons(
        &self,
        plots: &Plots<'_>,
        scenes: &[Item],
        left_out: &mut Vec<Failure>,
        progress: &dyn Progress,
    ) -> Result<Option<Vec<Vec<Season>>>> {
        let cells = Cells::new(&plots.polygons, &self.grid)?;
        let reader = LookReader {
            calendar: self,
            plots,
            cells: &cells,
            parts: kept_parts(&self.assets, plots.layer, &plots.fids, self.plots_at_once),
        };
        let mut seen: Vec<&Item> = Vec::with_capacity(scenes.len());
        progress.begin(&format!("crop calendar of {}", plots.layer), scenes.len() as u64);
        for batch in scenes.chunks(rayon::current_num_threads().max(1)) {
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let read: Vec<_> = batch.par_iter().map(|scene| reader.keep_look(scene)).collect();
            for (scene, has_look) in batch.iter().zip(read) {
                match has_look {
                    Ok(true) => seen.push(scene),
                    Ok(false) => {}
                    Err(error) => {
                        let name = name_of(scene);
                        progress.message(&format!("calendar: {name} left out: {error}"));
                        left_out.push(Failure::new(name, error));
                    }
                }
                progress.advance(1);
            }
        }
        let mut seasons = Vec::with_capacity(plots.fids.len());
        for part in 0..reader.parts.len() {
            if self.cancelled.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let looks = seen.par_iter().map(|scene| reader.load_part(scene, part));
            let looks: Vec<PlotLook> = looks.collect::<Result<_>>()?;
            let count = reader.parts[part].fids.len();
            let made: Vec<Vec<Season>> = (0..count)
                .into_par_iter()
                .map(|plot| {
                    let crops = crops(&series(&looks, plot), self.settings);
                    crops.iter().map(|crop| season(crop, self.settings)).collect()
                })
                .collect();
            seasons.extend(made);
        }
        Ok(Some(seasons))
    }
}

fn name_of(scene: &Item) -> String {
    format!("{}/{}", scene.collection, scene.id)
}

/// Reads scenes at the plots of a layer, unless that was done before.
struct LookReader<'a> {
    calendar: &'a Calendar<'a>,
    plots: &'a Plots<'a>,
    cells: &'a Cells,
    parts: Vec<Kept<'a>>,
}

impl LookReader<'_> {
    fn made_of(&self, scene: &Item) -> String {
        let revision = self.plots.revision;
        self.calendar.looks_digest(revision, std::slice::from_ref(scene))
    }

    /// Sees to it that the look of a scene is kept; false when it shows none of the plots.
    fn keep_look(&self, scene: &Item) -> Result<bool> {
        let (name, made_of) = (name_of(scene), self.made_of(scene));
        if self.parts.iter().all(|part| part.load(&name, &made_of).is_some()) {
            return Ok(true);
        }
        Ok(self.read(scene, &name, &made_of)?.is_some())
    }

    /// Reads a scene at all plots and keeps what it shows.
    fn read(&self, scene: &Item, name: &str, made_of: &str) -> Result<Option<PlotLook>> {
        let calendar = self.calendar;
        let dilation = calendar.processing.dilation(calendar.grid.cell_width);
        let count = self.plots.fids.len();
        let look = looks::read(
            scene,
            self.cells,
            count,
            &calendar.assets,
            &calendar.grid,
            dilation,
        )?;
        let Some(look) = look else { return Ok(None) };
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
        if let Some(look) = self.parts[part].load(&name, &made_of) {
            return Ok(look);
        }
        let whole = self.read(scene, &name, &made_of)?;
        let first: usize = self.parts[..part].iter().map(|part| part.fids.len()).sum();
        let count = self.parts[part].fids.len();
        let gone = || crate::Error::unreadable(&name, "shows no plot any more");
        let whole = whole.ok_or_else(gone)?;
        Ok(PlotLook {
            values: whole.values[first..first + count].to_vec(),
            ..whole
        })
    }
}

/// Counts over all layers.
#[derive(Default)]
struct Figures {
    plots: usize,
    /// Of the layers that were made.
    with_crops: usize,
    changed: usize,
}

/// The plots of a layer.
struct Plots<'a> {
    layer: &'a str,
    /// Of the layer.
    revision: u64,
    fids: Vec<i64>,
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
