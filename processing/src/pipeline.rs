//! The weekly run: scenes of a week in, one raster item a product out.
//!
//! An item is made when there is none, or when it was made from other scenes, on another grid, or by an older version
//! of its product; no clock is asked. All products of a week are made in one pass over the province grid
//! ([`week`]), in strips of bounded size, and published together ([`publish`]): files first, row last.

mod context;
mod product_files;
mod publish;
mod week;

#[cfg(test)]
mod tests;

use crate::ancillary::Given;
use crate::duplicate::{self, Duplicate};
use crate::product::{Earlier, Product};
use crate::raster_output::{INPUTS, is_whole};
use crate::run::{Progress, blocking};
use crate::settings::Settings;
use crate::source::{WEEKLY_SCENES, fingerprint_scenes, sentinel1_grd, unchanged};
use crate::{Result, look};
use context::References;
use sen_catalog::run::{Dataset, Failure, StepReport, StepStatus};
use sen_catalog::{Assets, Bounds, Grid, Item, ItemQuery, Period, Store};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a weekly run needs to know.
#[derive(Clone)]
pub struct Weekly<'a> {
    /// Rows of scenes and products.
    pub store: Arc<dyn Store>,
    /// Files.
    pub assets: Assets,
    /// The province grid: every product lies on it.
    pub grid: Grid,
    /// What to make.
    pub products: &'a [&'a dyn Product],
    /// Kept in each item as `sen:code_version`.
    pub code_version: String,
    /// How to make it.
    pub settings: Settings,
    /// Set to stop soon and cleanly: looked at between strips.
    pub cancelled: &'a AtomicBool,
}

/// A product of a week that has to be made.
struct Task<'a> {
    /// Index among the units of the report.
    unit: usize,
    product: &'a dyn Product,
    /// The scenes it is made of, as indices of the week's scenes.
    scenes: Vec<usize>,
    inputs: String,
    previous: Option<Item>,
    /// Earlier weeks that the product looks back at, newest first.
    earlier: Vec<Earlier>,
    /// Fingerprint of their classes, empty for none.
    history: String,
}

/// A week that is being made.
struct Week<'a> {
    period: Period,
    /// Its scenes, in order of time.
    scenes: &'a [Item],
    /// Earlier scenes they may be compared with.
    references: &'a References,
    /// Rasters of the user.
    given: &'a Given,
}

impl Weekly<'_> {
    /// Makes what is missing or out of date of one week. What fails is named in the report and the rest done.
    ///
    /// # Errors
    /// When a raster named in the settings cannot be read; failures of single products are in the report.
    pub async fn make_week(
        &self,
        week: Period,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let given = Given::open(&self.settings.ancillary, &self.assets)?;
        self.see_to_week(week, self.products, &given, report, progress)
            .await;
        Ok(())
    }

    /// One week; when the catalogue fails in it, the products of the week failed, and the others are tried.
    async fn see_to_week(
        &self,
        week: Period,
        products: &[&dyn Product],
        given: &Given,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) {
        let before = report.units.len();
        if let Err(error) = self.run_week(week, products, given, report, progress).await {
            report.units.truncate(before);
            for product in products {
                report.enter(raster_of(*product), Some(week), StepStatus::failed(&error));
            }
        }
    }

    async fn run_week(
        &self,
        week: Period,
        products: &[&dyn Product],
        given: &Given,
        report: &mut StepReport,
        progress: &dyn Progress,
    ) -> Result<()> {
        let (scenes, duplicates) = self.scenes(week, report).await?;
        let references = self.references(week, &scenes).await?;
        let week = Week {
            period: week,
            scenes: &scenes,
            references: &references,
            given,
        };
        let tasks = self.tasks(&week, products, report).await?;
        if tasks.is_empty() {
            return Ok(());
        }
        let notes = duplicates
            .into_iter()
            .map(|one| duplicate_note(&one, week.period));
        report.notes.extend(notes);
        progress.begin(&week.period.to_string(), week::steps(&self.grid));
        let made = blocking(|| week::make(self, &week, &tasks, progress));
        let made = match made {
            Ok(made) => made,
            Err(week::Stop::Cancelled) => {
                report.cancelled = true;
                // the tasks' units are not looked at as long as they are not made
                let mut index = 0;
                report.units.retain(|_| {
                    index += 1;
                    !tasks.iter().any(|task| task.unit == index - 1)
                });
                return Ok(());
            }
            Err(week::Stop::Failed(error)) => {
                for task in &tasks {
                    report.units[task.unit].1 = StepStatus::failed(&error);
                }
                return Ok(());
            }
        };
        let failed = made.failed.iter();
        let failed = failed.map(|(scene, reason)| Failure::new(scene, reason).in_week(week.period));
        report.left_out.extend(failed);
        for (task, product) in tasks.iter().zip(made.products) {
            let outcome = publish::publish(self, &week, task, product, &made.failed).await;
            report.units[task.unit].1 = outcome.unwrap_or_else(StepStatus::failed);
        }
        Ok(())
    }

    /// The week's scenes that touch the province, in order of time, and those of which another processing counts; scenes
    /// outside are named in the report.
    async fn scenes(&self, week: Period, report: &mut StepReport) -> Result<(Vec<Item>, Vec<Duplicate>)> {
        let mut scenes = Vec::new();
        for collection in WEEKLY_SCENES {
            let query = ItemQuery {
                from: Some(week),
                to: Some(week),
                ..ItemQuery::collection(*collection)
            };
            scenes.extend(self.store.items(&query).await?);
        }
        let province = self.grid.lon_lat_bounds()?;
        scenes.retain(|scene| match look::covered(&scene.grid, &self.grid) {
            Ok(Some(_)) => true,
            Ok(None) => {
                report.notes.push(outside_note(scene, province));
                false
            }
            Err(error) => {
                let reason = format!("cannot be placed on the province grid: {error}");
                report
                    .left_out
                    .push(Failure::new(context::name(scene), reason).in_week(week));
                false
            }
        });
        sentinel1_grd::prefer_rtc(&mut scenes);
        let duplicates = duplicate::settle(&mut scenes);
        Ok((scenes, duplicates))
    }

    /// The products of the week that have to be made; enters all of them in the report.
    async fn tasks<'p>(
        &self,
        week: &Week<'_>,
        products: &[&'p dyn Product],
        report: &mut StepReport,
    ) -> Result<Vec<Task<'p>>> {
        let (scenes, references) = (week.scenes, week.references);
        let mut tasks = Vec::new();
        let mut looked_at: HashMap<(&str, &str), Option<String>> = HashMap::new();
        for &product in products {
            let usable: Vec<usize> = (0..scenes.len())
                .filter(|&index| look::input(product, &scenes[index]).is_some())
                .collect();
            let status = if usable.is_empty() {
                StepStatus::NoInput
            } else {
                let beyond = product.beyond();
                let compared = if beyond.reference {
                    references.of_all(&usable)
                } else {
                    BTreeSet::new()
                };
                let own = usable.iter().map(|&index| &scenes[index]);
                let used: Vec<&Item> = own
                    .chain(compared.iter().map(|&index| &references.items[index]))
                    .collect();
                let given = if beyond.ancillary {
                    &week.given.fingerprint
                } else {
                    ""
                };
                // one look at a scene's files serves all products: masks beside them are read to their end
                let changed = used.iter().find_map(|scene| {
                    let looked = looked_at.entry((scene.collection.as_str(), scene.id.as_str()));
                    let fault = looked
                        .or_insert_with(|| unchanged::check(scene).err().map(|error| error.to_string()));
                    fault.clone()
                });
                let inputs = fingerprint_scenes(used.into_iter(), &self.settings, given);
                let (earlier, history) = self.earlier(product, week.period).await?;
                let previous = self
                    .store
                    .item(product.name(), &Item::weekly_id(product.name(), week.period))
                    .await?;
                if let Some(reason) = changed {
                    StepStatus::Failed { reason }
                } else if previous
                    .as_ref()
                    .is_some_and(|item| self.is_current(item, product, &inputs, &history))
                {
                    StepStatus::UpToDate
                } else {
                    match blocking(|| self.open_earlier(earlier)) {
                        Ok(earlier) => {
                            tasks.push(Task {
                                unit: report.units.len(),
                                product,
                                scenes: usable,
                                inputs,
                                previous,
                                earlier,
                                history,
                            });
                            StepStatus::Made
                        }
                        Err(error) => StepStatus::Failed {
                            reason: format!("an earlier week cannot be read: {error}"),
                        },
                    }
                }
            };
            report.enter(raster_of(product), Some(week.period), status);
        }
        Ok(tasks)
    }

    /// True when making the item again would come to the same. Scenes that failed are always tried again.
    fn is_current(&self, item: &Item, product: &dyn Product, inputs: &str, history: &str) -> bool {
        let text = |name: &str| item.properties.get(name).and_then(Value::as_str);
        item.grid == self.grid
            && item.properties.get("sen:product_version") == Some(&json!(product.version()))
            && text(INPUTS) == Some(inputs)
            && text("sen:history").unwrap_or_default() == history
            && !item.properties.contains_key("sen:failed")
            && self.is_whole(item)
    }

    /// True when the item's rasters are there; tables of zone statistics are made after them and looked after by
    /// `crate::zonal`.
    fn is_whole(&self, item: &Item) -> bool {
        is_whole(
            &self.assets,
            item.assets.values().filter(|asset| asset.is_raster()),
        )
    }
}

/// The layer of a product.
fn raster_of(product: &dyn Product) -> Dataset {
    Dataset::Collection(product.name().to_owned())
}

/// What is said of a scene whose look another processing shows as well.
fn duplicate_note(one: &Duplicate, week: Period) -> Failure {
    let reason = if one.left_out {
        format!(
            "left out: {} is a newer or better processing of the same look",
            one.of
        )
    } else {
        format!(
            "only fills what {} lacks: the same look, processed the same",
            one.of
        )
    };
    Failure::new(&one.scene, reason).in_week(week)
}

/// What is said of a scene outside the province.
fn outside_note(scene: &Item, province: Bounds) -> Failure {
    let own = scene.bbox;
    // a hundredth of a degree, about a kilometre: numbers that a person can type
    let (down, up) = (
        |value: f64| (value * 100.0).floor() / 100.0,
        |value: f64| (value * 100.0).ceil() / 100.0,
    );
    let wider = [
        down(own.west.min(province.west)),
        down(own.south.min(province.south)),
        up(own.east.max(province.east)),
        up(own.north.max(province.north)),
    ];
    let reason = format!(
        "lies at {:.2?}, outside [grid], and is on no map; to show what is there write `bounds = {wider:?}` under [grid] in \
         sen.toml and run `sen process`, which makes every week anew",
        [own.west, own.south, own.east, own.north]
    );
    Failure::new(context::name(scene), reason).in_week(scene.period())
}
