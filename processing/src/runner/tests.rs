use super::*;
use crate::Result;
use crate::fusion::FusionSettings;
use crate::inundation::DeltaSettings;
use crate::phenology::CalendarSettings;
use crate::run::Silent;
use crate::settings::Settings;
use crate::steps::STEPS;
use async_trait::async_trait;
use sen_catalog::fire::FireSettings;
use sen_catalog::run::{Dataset, Fingerprint, RunReport, StepReport, StepStatus, Unit};
use sen_catalog::store::SqliteStore;
use sen_catalog::{Asset, Assets, Crs, Grid, Item, ItemQuery, Period, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Settings as they are where nothing is set.
macro_rules! settings {
    () => {
        StepSettings {
            processing: &Settings::default(),
            fusion: &FusionSettings::default(),
            calendar: &CalendarSettings::default(),
            fire: &FireSettings::default(),
            delta: &DeltaSettings::default(),
            folder: Path::new("/"),
        }
    };
}

const SCENES: &str = "sentinel-2-l2a";

fn week(number: u32) -> Period {
    Period::week(2026, number).expect("a week")
}

fn grid() -> Grid {
    Grid {
        crs: Crs::epsg(32648),
        west: 550_000.0,
        north: 1_165_000.0,
        cell_width: 10.0,
        cell_height: 10.0,
        width: 10,
        height: 10,
    }
}

/// An item with one raster of the given checksum.
fn item(collection: &str, number: u32, checksum: &str) -> Item {
    let asset = Asset {
        sha256: Some(checksum.to_owned()),
        ..Asset::new(format!("{collection}/{number}.tif"))
    };
    Item {
        id: Item::weekly_id(collection, week(number)),
        collection: collection.to_owned(),
        interval: week(number).interval(),
        grid: grid(),
        bbox: grid().lon_lat_bounds().expect("UTM"),
        assets: BTreeMap::from([(collection.to_owned(), asset)]),
        lineage: Vec::new(),
        properties: serde_json::Map::new(),
    }
}

/// A step that makes an item of each week's rasters of another collection, and of its own week before.
struct Toy {
    name: &'static str,
    group: StepGroup,
    reads: Dataset,
    looks_back: bool,
    of_all_weeks: bool,
    made: AtomicUsize,
    broken: Mutex<BTreeSet<Option<Period>>>,
    /// What readers see of the rasters there are when each unit is made.
    seen: Mutex<Vec<String>>,
    readers: Option<Arc<SqliteStore>>,
    /// Set while a unit is made, where the run is to be stopped.
    stops: AtomicBool,
}

impl Toy {
    fn new(name: &'static str, reads: Dataset) -> Self {
        Self {
            name,
            group: StepGroup::Derived,
            reads,
            looks_back: false,
            of_all_weeks: false,
            made: AtomicUsize::new(0),
            broken: Mutex::default(),
            seen: Mutex::default(),
            readers: None,
            stops: AtomicBool::new(false),
        }
    }

    fn own(&self) -> Dataset {
        Dataset::Collection(self.name.to_owned())
    }

    fn made(&self) -> usize {
        self.made.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Step for Toy {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        1
    }

    fn group(&self) -> StepGroup {
        self.group
    }

    fn reads(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        let own = self.looks_back.then(|| Dataset::PriorWeeks(self.name.to_owned()));
        own.into_iter().chain([self.reads.clone()]).collect()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![self.own()]
    }

    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let unit = |period| Unit {
            dataset: self.own(),
            period,
        };
        if self.of_all_weeks {
            return vec![unit(None)];
        }
        let weeks = view.weeks_with(std::slice::from_ref(&self.reads));
        weeks.into_iter().map(|week| unit(Some(week))).collect()
    }

    fn fingerprint_unit(&self, _: &StepContext<'_>, view: &RunView, unit: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::default();
        let Some(week) = unit.period else {
            return Some(parts.with_whole(view, &self.reads).finish());
        };
        let parts = parts.with_week(view, &self.reads, week);
        if !self.looks_back {
            return Some(parts.finish());
        }
        let back = Dataset::PriorWeeks(self.name.to_owned());
        let digest = view.span_digest(&self.own(), self::week(1), week.previous());
        Some(parts.with(&back, digest).finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        for unit in stale {
            if self.broken.lock().expect("a lock").contains(&unit.period) {
                let reason = "the disk is full".to_owned();
                report.enter(unit.dataset.clone(), unit.period, StepStatus::Failed { reason });
                continue;
            }
            self.made.fetch_add(1, Ordering::Relaxed);
            if let Some(readers) = &self.readers {
                let items = readers.items(&ItemQuery::default()).await?;
                let made = items.iter().filter(|item| item.collection != SCENES);
                let ids: Vec<_> = made
                    .map(|item| format!("{} {:?}", item.id, item.version()))
                    .collect();
                self.seen.lock().expect("a lock").push(ids.join(", "));
            }
            if self.stops.load(Ordering::Relaxed) {
                report.cancelled = true;
                return Ok(());
            }
            if let Some(week) = unit.period {
                let number = week.to_string()[6..].parse().expect("a number");
                let query = ItemQuery {
                    from: Some(week),
                    to: Some(week),
                    ..ItemQuery::default()
                };
                let mut inputs = context.store.items(&query).await?;
                inputs.retain(|input| {
                    self.reads
                        .to_string()
                        .ends_with(&format!("/{}", input.collection))
                });
                let sums: Vec<_> = inputs.iter().map(|input| format!("{:?}", input.assets)).collect();
                context
                    .store
                    .put_item(&item(self.name, number, &sums.join(" ")))
                    .await?;
            }
            report.enter(unit.dataset.clone(), unit.period, StepStatus::Made);
        }
        Ok(())
    }
}

/// A little folder: scenes of three weeks; `ndvi` of them, which looks back, `drawn` of that, and `season` of all weeks.
struct Bench {
    folder: tempfile::TempDir,
    store: Arc<SqliteStore>,
    ndvi: Toy,
    drawn: Toy,
    season: Toy,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("catalog.sqlite"));
        let store = Arc::new(store.expect("a store"));
        for number in [10, 11, 12] {
            store
                .put_item(&item(SCENES, number, &number.to_string()))
                .await
                .expect("put");
        }
        // what rows name is there
        let assets = Assets::open(folder.path()).expect("folders");
        for name in ["ndvi", "drawn"] {
            std::fs::create_dir_all(assets.path(name)).expect("made");
            for number in [10, 11, 12] {
                std::fs::write(assets.path(&format!("{name}/{number}.tif")), "").expect("written");
            }
        }
        let of = |collection: &str| Dataset::Collection(collection.to_owned());
        Self {
            folder,
            store,
            ndvi: Toy {
                group: StepGroup::Observed,
                looks_back: true,
                ..Toy::new("ndvi", Dataset::Scenes(SCENES.to_owned()))
            },
            drawn: Toy::new("drawn", of("ndvi")),
            season: Toy {
                of_all_weeks: true,
                ..Toy::new("season", of("ndvi"))
            },
        }
    }

    async fn run(&self, scope: &RunScope) -> RunReport {
        let settings = StepSettings {
            processing: &Settings::default(),
            fusion: &FusionSettings::default(),
            calendar: &CalendarSettings::default(),
            fire: &FireSettings::default(),
            delta: &DeltaSettings::default(),
            folder: self.folder.path(),
        };
        let context = StepContext {
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            assets: Assets::open(self.folder.path()).expect("folders"),
            grid: grid(),
            settings,
            zones: Arc::default(),
            code_version: "test".to_owned(),
            cancelled: &AtomicBool::new(false),
            progress: &Silent,
        };
        // in no order: it follows from what they read
        let steps: [&dyn Step; 3] = [&self.season, &self.drawn, &self.ndvi];
        Runner { steps: &steps }.run(&context, scope).await.expect("runs")
    }

    /// How many units each step made: `ndvi`, `drawn`, `season`.
    async fn made(&self) -> [usize; 3] {
        self.run(&RunScope::default()).await;
        [self.ndvi.made(), self.drawn.made(), self.season.made()]
    }
}

fn with_status(report: &RunReport, wanted: impl Fn(&StepStatus) -> bool) -> Vec<String> {
    let units = report.steps.iter().flat_map(|step| &step.units);
    units
        .filter(|(_, status)| wanted(status))
        .map(|(unit, _)| unit.to_string())
        .collect()
}

#[tokio::test]
async fn what_changed_is_made_again_with_what_hangs_on_it_and_nothing_else() {
    let bench = Bench::new().await;
    assert_eq!(bench.made().await, [3, 3, 1]);
    assert_eq!(bench.made().await, [0, 0, 0]);
    // the scene of the second week is another: its week and the one that looks back at it
    bench
        .store
        .put_item(&item(SCENES, 11, "late"))
        .await
        .expect("put");
    assert_eq!(bench.made().await, [2, 1, 1], "the third week came out as before");
    assert_eq!(bench.made().await, [0, 0, 0]);
    // what lies there was taken away
    bench
        .store
        .delete_item("drawn", "drawn_2026-W12")
        .await
        .expect("deleted");
    assert_eq!(bench.made().await, [0, 1, 0]);
}

#[tokio::test]
async fn a_week_that_fails_holds_back_what_hangs_on_it_and_the_rest_is_made() {
    let bench = Bench::new().await;
    bench.ndvi.broken.lock().expect("a lock").insert(Some(week(11)));
    let outcome = bench.run(&RunScope::default()).await;
    assert_eq!(
        with_status(&outcome, |status| matches!(status, StepStatus::Failed { .. })),
        ["collection/ndvi 2026-W11"]
    );
    assert_eq!(
        with_status(&outcome, |status| matches!(status, StepStatus::HeldBack { .. })),
        [""; 0],
        "nothing was there"
    );
    assert_eq!(
        [bench.ndvi.made(), bench.drawn.made(), bench.season.made()],
        [2, 2, 1]
    );
    bench.ndvi.broken.lock().expect("a lock").clear();
    assert_eq!(
        bench.made().await,
        [2, 1, 1],
        "what failed is tried again, and the week that looks back at it"
    );

    // a later failure: the old state stays, and what is of that week waits
    bench
        .store
        .put_item(&item(SCENES, 11, "late"))
        .await
        .expect("put");
    bench.ndvi.broken.lock().expect("a lock").insert(Some(week(11)));
    let outcome = bench.run(&RunScope::default()).await;
    assert_eq!(
        with_status(&outcome, |status| matches!(status, StepStatus::HeldBack { .. })),
        ["collection/drawn 2026-W11"]
    );
}

#[tokio::test]
async fn weeks_that_are_chosen_are_followed_into_those_that_look_back_at_them() {
    let bench = Bench::new().await;
    let only = |number| RunScope {
        weeks: Some(BTreeSet::from([week(number)])),
        ..RunScope::default()
    };
    bench.run(&only(12)).await;
    assert_eq!([bench.ndvi.made(), bench.drawn.made()], [1, 1]);
    bench.run(&only(10)).await;
    assert_eq!(
        [bench.ndvi.made(), bench.drawn.made()],
        [3, 2],
        "the eleventh and twelfth look back at the tenth"
    );
}

#[tokio::test]
async fn it_is_told_why_a_unit_would_be_made_and_nothing_is_touched() {
    let bench = Bench::new().await;
    bench.made().await;
    bench
        .store
        .put_item(&item(SCENES, 12, "late"))
        .await
        .expect("put");
    let before = bench.store.rows_digest().await.expect("a digest");
    let is_explained = RunScope {
        is_explained: true,
        ..RunScope::default()
    };
    let outcome = bench.run(&is_explained).await;
    let notes: Vec<String> = outcome
        .steps
        .iter()
        .flat_map(|step| &step.notes)
        .map(ToString::to_string)
        .collect();
    assert!(
        notes[0].starts_with("collection/ndvi 2026-W12: ") && notes[0].ends_with(&format!("scenes/{SCENES}")),
        "{notes:?}"
    );
    assert!(
        notes.len() == 3 && notes[2].contains("perhaps collection/ndvi 2026-W12"),
        "what hangs on it is told as well: {notes:?}"
    );
    assert_eq!(bench.store.rows_digest().await.expect("a digest"), before);
    assert_eq!(bench.ndvi.made(), 0);
}

/// Sorted names of the weeks that readers see of each collection.
fn seen_by(step: &Toy) -> Vec<String> {
    let mut seen = step.seen.lock().expect("a lock");
    std::mem::take(&mut *seen)
}

#[tokio::test]
async fn weeks_are_published_one_by_one_and_what_spans_them_at_once() {
    let mut bench = Bench::new().await;
    for step in [&mut bench.ndvi, &mut bench.drawn, &mut bench.season] {
        step.readers = Some(Arc::clone(&bench.store));
    }
    let revision = bench.store.revision().await.expect("read");
    assert_eq!(bench.made().await, [3, 3, 1]);
    let weeks =
        |seen: Vec<String>| -> Vec<usize> { seen.iter().map(|ids| ids.matches("W1").count()).collect() };
    assert_eq!(
        weeks(seen_by(&bench.ndvi)),
        [0, 1, 2],
        "the weeks before are visible"
    );
    assert_eq!(
        weeks(seen_by(&bench.drawn)),
        [3, 3, 3],
        "nothing of what is drawn is"
    );
    assert_eq!(weeks(seen_by(&bench.season)), [3]);
    let now = bench.store.revision().await.expect("read");
    assert_eq!(now, revision + 4, "three weeks, and what spans them");
    let left = bench.folder.path().join("catalog.sqlite.stage");
    assert!(!left.exists(), "a run that is done leaves no stage");

    // while they are made again readers see the old ones whole
    bench
        .store
        .put_item(&item(SCENES, 10, "late"))
        .await
        .expect("put");
    bench
        .store
        .put_item(&item(SCENES, 12, "late"))
        .await
        .expect("put");
    let old = bench
        .store
        .items(&ItemQuery::collection("drawn"))
        .await
        .expect("read");
    bench.made().await;
    for ids in seen_by(&bench.drawn) {
        for item in &old {
            assert!(
                ids.contains(&format!("{} {:?}", item.id, item.version())),
                "{ids}"
            );
        }
    }
    assert_ne!(
        bench
            .store
            .items(&ItemQuery::collection("drawn"))
            .await
            .expect("read"),
        old
    );
}

#[tokio::test]
async fn a_stopped_run_goes_on_where_it_was_unless_something_changed_since() {
    let bench = Bench::new().await;
    bench.drawn.stops.store(true, Ordering::Relaxed);
    assert_eq!(bench.made().await, [3, 1, 1]);
    let drawn = async || {
        bench
            .store
            .items(&ItemQuery::collection("drawn"))
            .await
            .expect("read")
            .len()
    };
    assert_eq!(drawn().await, 0, "what spans weeks is not whole");
    bench.drawn.stops.store(false, Ordering::Relaxed);
    assert_eq!(bench.made().await, [0, 3, 0], "what was staged is taken up");
    assert_eq!(drawn().await, 3);

    bench
        .store
        .put_item(&item(SCENES, 11, "late"))
        .await
        .expect("put");
    bench.drawn.stops.store(true, Ordering::Relaxed);
    bench.made().await;
    bench.drawn.stops.store(false, Ordering::Relaxed);
    bench
        .store
        .put_item(&item(SCENES, 12, "later"))
        .await
        .expect("put");
    assert_eq!(
        bench.made().await,
        [1, 2, 1],
        "what was staged of other inputs is dropped: the eleventh week is drawn again"
    );
    assert_eq!(bench.made().await, [0, 0, 0]);
}

#[test]
fn nothing_observed_rests_on_what_is_derived() {
    let written: Vec<Dataset> = STEPS
        .iter()
        .filter(|step| step.group() == StepGroup::Derived)
        .flat_map(|step| step.writes(&settings!()))
        .collect();
    for step in STEPS.iter().filter(|step| step.group() == StepGroup::Observed) {
        for read in step.reads(&settings!()) {
            assert!(
                !written.iter().any(|written| read.meets(written)),
                "{} reads {read}",
                step.name()
            );
        }
    }
}

#[test]
fn steps_that_wait_for_each_other_are_named() {
    let of = |collection: &str| Dataset::Collection(collection.to_owned());
    let (a, b) = (Toy::new("a", of("b")), Toy::new("b", of("a")));
    let steps: [&dyn Step; 2] = [&a, &b];
    let error = sort_steps(&steps, &settings!())
        .err()
        .expect("a circle")
        .to_string();
    assert!(error.contains("a, b"), "{error}");
}

#[test]
fn the_steps_of_the_weekly_run_go_round_in_no_circle() {
    let sorted = sort_steps(STEPS, &settings!()).expect("no circle");
    assert_eq!(sorted.len(), STEPS.len());
    let names: BTreeSet<_> = sorted.iter().map(|step| step.name()).collect();
    assert_eq!(names.len(), STEPS.len(), "names are unique");
}
