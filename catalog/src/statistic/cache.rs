//! Open tables, kept for the readers of time series.

use super::StatisticTable;
use crate::item::Asset;
use crate::{Assets, Result};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most tables held open at once: two years of three layers; each is an open file, and processes may have 1,024.
const MOST: usize = 320;

/// Every how many uses of open tables their bytes are counted.
const LOOK_EVERY: u64 = 16;

/// Keeps tables open between requests, the most recently used ones, as long as what was read of them stays below a budget
/// of bytes; a table that was remade is another one.
#[derive(Debug)]
pub struct StatisticTables {
    budget: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    tables: HashMap<String, (Arc<StatisticTable>, u64)>,
    uses: u64,
}

impl StatisticTables {
    /// None yet, and at most `budget` bytes of numbers later.
    pub fn new(budget: u64) -> Self {
        Self {
            budget,
            kept: Mutex::default(),
        }
    }

    /// Bytes of what was read of the tables.
    pub fn bytes(&self) -> u64 {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.tables.values().map(|(table, _)| table.held_bytes()).sum()
    }

    /// The table of an asset; opened anew where a read of it failed, for the file may have been brought back.
    ///
    /// # Errors
    /// What [`Assets::open_object`] and [`StatisticTable::over`] say.
    pub fn open(&self, assets: &Assets, asset: &Asset) -> Result<Arc<StatisticTable>> {
        // the same name holds other numbers after a week was remade, with another checksum
        let key = format!("{} {}", asset.sha256.as_deref().unwrap_or_default(), asset.href);
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.uses += 1;
            let now = kept.uses;
            let held = kept.tables.get_mut(&key).filter(|(table, _)| !table.has_failed());
            let held = held.map(|(table, used)| {
                *used = now;
                Arc::clone(table)
            });
            if let Some(table) = held {
                // columns are read after a table was opened: what became too much goes from time to time
                if now.is_multiple_of(LOOK_EVERY) {
                    kept.fit(self.budget);
                }
                return Ok(table);
            }
        }
        let table = Arc::new(StatisticTable::over(assets.open_object(asset)?)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.uses;
        kept.tables.insert(key, (Arc::clone(&table), now));
        if kept.tables.len() > MOST {
            // a quarter at once, so that the search for the oldest is rare
            kept.forget(MOST / 4);
        }
        kept.fit(self.budget);
        Ok(table)
    }
}

impl Kept {
    /// Closes the tables that were not asked for longest.
    fn forget(&mut self, count: usize) {
        let mut uses: Vec<u64> = self.tables.values().map(|(_, used)| *used).collect();
        if let Some(last) = count.checked_sub(1).filter(|last| *last < uses.len()) {
            let (_, &mut limit, _) = uses.select_nth_unstable(last);
            self.tables.retain(|_, (_, used)| *used > limit);
        }
    }

    /// Closes the oldest tables until what was read of the others fits. Whoever still works with one keeps it.
    fn fit(&mut self, budget: u64) {
        loop {
            let held: u64 = self.tables.values().map(|(table, _)| table.held_bytes()).sum();
            if held <= budget || self.tables.len() <= 1 {
                return;
            }
            self.forget(self.tables.len().div_ceil(8));
        }
    }
}
