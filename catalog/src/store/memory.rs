//! Rows in memory: the oracle of the conformance suite, and short-lived catalogues.

use super::{ItemQuery, Store};
use crate::Result;
use crate::item::Item;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Items in a map, ordered as [`Store::items`] promises after sorting.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<(String, String), Item>,
    revision: u64,
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn put_item(&self, item: &Item) -> Result<()> {
        let mut state = self.state();
        state
            .items
            .insert((item.collection.clone(), item.id.clone()), item.clone());
        state.revision += 1;
        Ok(())
    }

    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool> {
        let mut state = self.state();
        let removed = state
            .items
            .remove(&(collection.to_owned(), id.to_owned()))
            .is_some();
        state.revision += u64::from(removed);
        Ok(removed)
    }

    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>> {
        Ok(self
            .state()
            .items
            .get(&(collection.to_owned(), id.to_owned()))
            .cloned())
    }

    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>> {
        let matches = |item: &Item| {
            query
                .collection
                .as_ref()
                .is_none_or(|name| *name == item.collection)
                && query.from.is_none_or(|from| item.period() >= from)
                && query.to.is_none_or(|to| item.period() <= to)
                && query.bbox.is_none_or(|bbox| bbox.intersects(&item.bbox))
        };
        let mut items: Vec<_> = self
            .state()
            .items
            .values()
            .filter(|item| matches(item))
            .cloned()
            .collect();
        items.sort_by(|a, b| {
            (a.interval.start, &a.collection, &a.id).cmp(&(b.interval.start, &b.collection, &b.id))
        });
        if query.newest_first {
            items.reverse();
        }
        items.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(items)
    }

    async fn collections(&self) -> Result<Vec<String>> {
        let mut names: Vec<_> = self
            .state()
            .items
            .keys()
            .map(|(collection, _)| collection.clone())
            .collect();
        names.dedup();
        Ok(names)
    }

    async fn revision(&self) -> Result<u64> {
        Ok(self.state().revision)
    }
}
