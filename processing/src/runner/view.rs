//! What rows tell of all datasets at one moment.

use super::StepContext;
use crate::Result;
use crate::run::blocking;
use crate::source::unchanged;
use sen_catalog::feature::Layer;
use sen_catalog::item::SCENE_COLLECTIONS;
use sen_catalog::run::{ContentDigest, Dataset, DatasetDigests, Fingerprint, Unit};
use sen_catalog::statistic::layer_of;
use sen_catalog::{Assets, ItemQuery, Period, Store};
use std::collections::{BTreeMap, BTreeSet};

/// The digests of all datasets, read once and again after something was made. No file is opened for it.
#[derive(Clone, Debug, Default)]
pub struct RunView {
    digests: DatasetDigests,
    layers: Vec<Layer>,
    /// Units of which a file is not there or damaged, and which of these.
    faults: BTreeMap<Unit, &'static str>,
    /// Scenes whose files are no more as they were taken in, by collection and week.
    changed: BTreeMap<(String, Period), Vec<String>>,
}

impl RunView {
    /// Reads the digests, and looks whether the files that rows name are there; none is opened but those that are marked as
    /// damaged.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn read(store: &dyn Store, assets: &Assets) -> Result<Self> {
        let mut view = Self {
            layers: store.layers().await?,
            ..Self::default()
        };
        view.refresh(store).await?;
        let rows = store.object_rows().await?;
        let marked: BTreeSet<String> = rows
            .into_iter()
            .filter(|row| row.is_damaged)
            .map(|row| row.href)
            .collect();
        for collection in store.collections().await? {
            if SCENE_COLLECTIONS.contains(&collection.as_str()) {
                continue;
            }
            for item in store.items(&ItemQuery::collection(&collection)).await? {
                for (name, asset) in &item.assets {
                    let collection = collection.clone();
                    let dataset = match layer_of(name) {
                        Some(layer) => Dataset::Statistics {
                            collection,
                            layer: layer.to_owned(),
                        },
                        None => Dataset::Collection(collection),
                    };
                    // a mark is a hint: the file may have been brought back
                    if marked.contains(&asset.href) {
                        let _ = blocking(|| assets.check_object(asset));
                    }
                    if !assets.is_whole(asset) {
                        let is_damaged = assets.damage().contains(&asset.href);
                        let fault = if is_damaged {
                            "a file that is damaged"
                        } else {
                            "a file that is not there"
                        };
                        let period = Some(item.period());
                        view.faults.insert(Unit { dataset, period }, fault);
                    }
                }
            }
        }
        Ok(view)
    }

    /// Looks whether the files of scenes are as they were taken in: only for who reads scenes, for it asks for each file.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn look_at_scenes(&mut self, store: &dyn Store) -> Result<()> {
        for collection in SCENE_COLLECTIONS {
            for scene in store.items(&ItemQuery::collection(*collection)).await? {
                if blocking(|| unchanged::check(&scene)).is_err() {
                    let week = ((*collection).to_owned(), scene.period());
                    self.changed.entry(week).or_default().push(scene.id);
                }
            }
        }
        Ok(())
    }

    /// Reads the digests again, after something was made.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub async fn refresh(&mut self, store: &dyn Store) -> Result<()> {
        self.digests = store.digests().await?;
        Ok(())
    }

    /// The layers of features there are.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Scenes of a collection and week whose files are no more as they were taken in.
    pub fn changed_scenes(&self, collection: &str, week: Period) -> impl Iterator<Item = &str> {
        let found = self.changed.get(&(collection.to_owned(), week));
        found.into_iter().flatten().map(String::as_str)
    }

    /// What was wrong with a file of a unit when the run began: not there or cut short, or damaged.
    pub fn file_fault(&self, unit: &Unit) -> Option<&'static str> {
        self.faults.get(unit).copied()
    }

    /// The digest of what lies in a unit, or in the whole dataset where it is of all weeks; that of nothing where there is
    /// none.
    pub fn unit_digest(&self, unit: &Unit) -> ContentDigest {
        match unit.period {
            Some(_) => self.digests.unit(unit).unwrap_or_default(),
            None => self.whole_digest(&unit.dataset),
        }
    }

    /// The digest of a dataset in a week.
    pub fn week_digest(&self, dataset: &Dataset, week: Period) -> ContentDigest {
        self.unit_digest(&Unit {
            dataset: dataset.clone(),
            period: Some(week),
        })
    }

    /// True when a dataset holds anything in a week.
    pub fn holds_week(&self, dataset: &Dataset, week: Period) -> bool {
        self.week_digest(dataset, week) != ContentDigest::default()
    }

    /// True when a dataset holds anything.
    pub fn holds(&self, dataset: &Dataset) -> bool {
        self.whole_digest(dataset) != ContentDigest::default()
    }

    /// The digest of a dataset in all weeks together.
    pub fn whole_digest(&self, dataset: &Dataset) -> ContentDigest {
        self.digests.dataset(dataset).unwrap_or_default()
    }

    /// The digest of a dataset in the weeks from the first to the last, both counted.
    pub fn span_digest(&self, dataset: &Dataset, first: Period, last: Period) -> ContentDigest {
        let periods = self.digests.periods(dataset);
        let within =
            periods.filter(|(period, _)| period.is_some_and(|period| (first..=last).contains(&period)));
        within.map(|(_, digest)| digest).sum()
    }

    /// The weeks in which any of the datasets holds something.
    pub fn weeks_with(&self, datasets: &[Dataset]) -> BTreeSet<Period> {
        let held = self
            .digests
            .datasets()
            .filter(|held| datasets.iter().any(|dataset| dataset.covers(held)));
        held.flat_map(|held| self.digests.periods(held))
            .filter_map(|(period, _)| period)
            .collect()
    }

    /// The datasets there are that one with a `*` stands for.
    pub fn datasets_of(&self, pattern: &Dataset) -> BTreeSet<Dataset> {
        self.digests
            .datasets()
            .filter(|dataset| pattern.covers(dataset))
            .cloned()
            .collect()
    }
}

/// A fingerprint being put together, part by part.
#[derive(Clone, Debug, Default)]
pub struct FingerprintParts(Vec<(String, ContentDigest)>);

impl FingerprintParts {
    /// A part of a digest that is known.
    pub fn with(mut self, name: &impl ToString, digest: ContentDigest) -> Self {
        self.0.push((name.to_string(), digest));
        self
    }

    /// A part made of settings or other values, by their JSON.
    pub fn with_value(self, name: &impl ToString, value: &impl serde::Serialize) -> Self {
        let text = serde_json::to_vec(value).unwrap_or_default();
        self.with(name, ContentDigest::of(&text))
    }

    /// Files of the user, by size and time of change; one that is not there is another than one that is.
    pub fn with_files(mut self, context: &StepContext<'_>, paths: impl IntoIterator<Item = String>) -> Self {
        for path in paths {
            let about = std::fs::metadata(context.settings.folder.join(&path)).ok();
            let about = about.map(|file| format!("{} {:?}", file.len(), file.modified().ok()));
            self = self.with_value(&Dataset::File(path), &about);
        }
        self
    }

    /// A dataset in one week.
    pub fn with_week(self, view: &RunView, dataset: &Dataset, week: Period) -> Self {
        let digest = view.week_digest(dataset, week);
        self.with(dataset, digest)
    }

    /// Datasets, each as a whole.
    pub fn of_whole(view: &RunView, datasets: &[Dataset]) -> Self {
        datasets
            .iter()
            .fold(Self::default(), |parts, dataset| parts.with_whole(view, dataset))
    }

    /// A dataset as a whole.
    pub fn with_whole(self, view: &RunView, dataset: &Dataset) -> Self {
        let digest = view.whole_digest(dataset);
        self.with(dataset, digest)
    }

    /// The whole.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0)
    }
}
