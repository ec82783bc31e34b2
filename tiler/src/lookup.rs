//! From a layer's name and a time to the item that is shown, without asking the store for each request.
//!
//! What the store answered is kept until its revision moves on; the revision is asked for at most once in
//! [`ServeOptions::refresh_ms`](crate::ServeOptions). Nothing here grows with the number of items.

use crate::problem::{Outcome, Problem};
use crate::time::When;
use moka::sync::Cache;
use sen_catalog::calibration::Calibration;
use sen_catalog::feature::Layer;
use sen_catalog::intake::STATIONS;
use sen_catalog::{Item, ItemQuery, Period, Store, TimeQuery};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// What was true at one revision of the store.
#[derive(Debug, PartialEq)]
pub(crate) struct Snapshot {
    /// The store's revision.
    pub(crate) revision: u64,
    /// Names of the collections that hold items.
    pub(crate) collections: BTreeSet<String>,
    /// The layers of features.
    pub(crate) features: Vec<Layer>,
    /// The observations' own revision; 0 while there are no stations to show them at.
    pub(crate) observations: u64,
}

/// The store behind a memory of recent answers.
#[derive(Debug)]
pub(crate) struct Lookup {
    store: Arc<dyn Store>,
    refresh_ms: u64,
    started: Instant,
    /// Milliseconds after `started` when the revision was last asked for.
    asked_ms: AtomicU64,
    snapshot: RwLock<Option<Arc<Snapshot>>>,
    items: Cache<(u64, String), Option<Arc<Item>>>,
    calibrations: Cache<u64, Arc<Vec<Calibration>>>,
}

impl Lookup {
    /// A memory that holds for at most `refresh_ms`.
    pub(crate) fn new(store: Arc<dyn Store>, refresh_ms: u64) -> Self {
        Self {
            store,
            refresh_ms,
            started: Instant::now(),
            asked_ms: AtomicU64::new(0),
            snapshot: RwLock::default(),
            items: Cache::new(4096),
            calibrations: Cache::new(2),
        }
    }

    /// The store itself, for what is not asked often.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// What is true now, or was a moment ago.
    pub(crate) async fn snapshot(&self) -> Outcome<Arc<Snapshot>> {
        let now = self.started.elapsed().as_millis() as u64;
        let asked = self.asked_ms.load(Ordering::Relaxed);
        let held = self
            .snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(held) = held else {
            return self.refresh().await;
        };
        let due = now.saturating_sub(asked) >= self.refresh_ms;
        // one request asks; the others go on with what is held
        let mine = due
            && self
                .asked_ms
                .compare_exchange(asked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if !mine {
            return Ok(held);
        }
        // a store that does not answer must not take down what is in memory
        Ok(self.refresh().await.unwrap_or(held))
    }

    /// What is held, unless it is time to ask the store again.
    pub(crate) fn fresh(&self) -> Option<Arc<Snapshot>> {
        let now = self.started.elapsed().as_millis() as u64;
        let due = now.saturating_sub(self.asked_ms.load(Ordering::Relaxed)) >= self.refresh_ms;
        if due {
            None
        } else {
            self.snapshot
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        }
    }

    /// Asks the store whether anything changed.
    pub(crate) async fn refresh(&self) -> Outcome<Arc<Snapshot>> {
        let revision = self.store.revision().await?;
        let held = self
            .snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let held = held.filter(|held| held.revision == revision);
        let (collections, features) = match &held {
            Some(held) => (held.collections.clone(), held.features.clone()),
            None => (
                self.store.collections().await?.into_iter().collect(),
                self.store.layers().await?,
            ),
        };
        let observations = if features.iter().any(|layer| layer.name == STATIONS) {
            self.store.observation_revision().await?
        } else {
            0
        };
        let fresh = Snapshot {
            revision,
            collections,
            features,
            observations,
        };
        if let Some(held) = held.filter(|held| held.observations == observations) {
            return Ok(held);
        }
        let fresh = Arc::new(fresh);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    /// Every version of every correction, by layer, then property, newest first.
    pub(crate) async fn calibrations(&self, snapshot: &Snapshot) -> Outcome<Arc<Vec<Calibration>>> {
        if let Some(known) = self.calibrations.get(&snapshot.revision) {
            return Ok(known);
        }
        let all = Arc::new(self.store.all_calibrations().await?);
        self.calibrations.insert(snapshot.revision, Arc::clone(&all));
        Ok(all)
    }

    /// The item of a collection that a request's time names.
    pub(crate) async fn item(
        &self,
        snapshot: &Snapshot,
        collection: &str,
        when: When,
    ) -> Outcome<Option<Arc<Item>>> {
        if !snapshot.collections.contains(collection) {
            return Err(Problem::not_found(
                "unknown-layer",
                format!("there is no layer `{collection}`; see /catalog"),
            ));
        }
        let key = (snapshot.revision, format!("{collection} {when:?}"));
        if let Some(item) = self.items.get(&key) {
            return Ok(item);
        }
        let item = self.find(collection, when).await?.map(Arc::new);
        self.items.insert(key, item.clone());
        Ok(item)
    }

    async fn find(&self, collection: &str, when: When) -> Outcome<Option<Item>> {
        let (from, to) = when.query.weeks();
        let query = ItemQuery {
            from,
            to,
            ..ItemQuery::collection(collection)
        };
        let found = match self.store.newest(&query).await? {
            Some(item) => Some(item),
            None => match when.query {
                TimeQuery::Week(week) | TimeQuery::Within(week) if when.nearest => {
                    self.nearest(collection, week).await?
                }
                TimeQuery::Latest | TimeQuery::Week(_) | TimeQuery::Within(_) | TimeQuery::Between(..) => {
                    None
                }
            },
        };
        Ok(found)
    }

    /// The item whose week is closest; of two equally close ones the earlier.
    async fn nearest(&self, collection: &str, week: Period) -> Outcome<Option<Item>> {
        let before = ItemQuery {
            to: Some(week),
            ..ItemQuery::collection(collection)
        };
        let after = ItemQuery {
            from: Some(week),
            limit: Some(1),
            ..ItemQuery::collection(collection)
        };
        let before = self.store.newest(&before).await?;
        let after = self.store.items(&after).await?.pop();
        let distance = |item: &Item| (item.period().first_day() - week.first_day()).abs();
        Ok(match (before, after) {
            (Some(before), Some(after)) => Some(if distance(&after) < distance(&before) {
                after
            } else {
                before
            }),
            (before, after) => before.or(after),
        })
    }
}
