//! Open tables, kept for the readers of time series.

use super::StatisticTable;
use crate::Result;
use crate::asset::Assets;
use crate::item::Asset;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Most tables held open at once: two years of three layers; each is an open file, and processes may have 1,024.
const MOST: usize = 320;

/// Keeps tables open between requests, the most recently used ones; a table that was remade is another one.
#[derive(Debug, Default)]
pub struct StatisticTables(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    tables: HashMap<String, (Arc<StatisticTable>, u64)>,
    uses: u64,
}

impl StatisticTables {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The table of an asset; opened anew where a read of it failed, for the file may have been brought back.
    ///
    /// # Errors
    /// What [`StatisticTable::open`] says.
    pub fn open(&self, assets: &Assets, asset: &Asset) -> Result<Arc<StatisticTable>> {
        // the same name holds other numbers after a week was remade, with another checksum
        let key = format!("{} {}", asset.sha256.as_deref().unwrap_or_default(), asset.href);
        {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.uses += 1;
            let now = kept.uses;
            if let Some((table, used)) = kept.tables.get_mut(&key)
                && !table.has_failed()
            {
                *used = now;
                return Ok(Arc::clone(table));
            }
        }
        let table = Arc::new(StatisticTable::open(&assets.path(&asset.href))?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.uses;
        kept.tables.insert(key, (Arc::clone(&table), now));
        if kept.tables.len() > MOST {
            // a quarter at once, so that the search for the oldest is rare
            let mut uses: Vec<u64> = kept.tables.values().map(|(_, used)| *used).collect();
            let (_, &mut limit, _) = uses.select_nth_unstable(MOST / 4);
            kept.tables.retain(|_, (_, used)| *used > limit);
        }
        Ok(table)
    }
}
