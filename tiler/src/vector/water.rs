//! Why dyke compartments are under water in a week, as attributes: `inundation`, the name of the cause, and
//! `inundation_period`.

use super::column::texts;
use super::index::Index;
use super::overlay::Overlay;
use crate::lookup::Snapshot;
use crate::problem::Outcome;
use crate::state::App;
use crate::time::When;
use sen_catalog::Period;
use sen_catalog::inundation::Cause;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Collection whose weeks the records are of.
const FLOOD: &str = "flood";
/// The attribute.
const KEY: &str = "inundation";

/// The records of a layer in one week.
#[derive(Debug)]
pub(crate) struct Water {
    pub(crate) period: Period,
    causes: BTreeMap<i64, Cause>,
    pub(crate) version: String,
}

impl Water {
    /// The week that a request's time names; none where the layer has no records of it.
    pub(crate) async fn of(
        app: &App,
        snapshot: &Snapshot,
        layer: &str,
        when: When,
    ) -> Outcome<Option<Arc<Self>>> {
        if !snapshot.collections.contains(FLOOD) {
            return Ok(None);
        }
        let Some(item) = app.lookup.item(snapshot, FLOOD, when).await? else {
            return Ok(None);
        };
        let period = item.period();
        let records = app.lookup.store().inundations_in(layer, period, &[]).await?;
        if records.is_empty() {
            return Ok(None);
        }
        let mut hash = Sha256::new();
        for record in &records {
            hash.update(record.fid.to_le_bytes());
            hash.update([record.class.number()]);
        }
        let hash = sen_catalog::asset::hex(hash.finalize().get(..16).unwrap_or_default());
        Ok(Some(Arc::new(Self {
            period,
            causes: records.iter().map(|record| (record.fid, record.class)).collect(),
            version: format!("{KEY} {period} {hash}"),
        })))
    }

    /// True when an attribute of this name is given.
    pub(crate) fn has(key: &str) -> bool {
        key.strip_prefix(KEY)
            .is_some_and(|rest| rest.is_empty() || rest == "_period")
    }

    /// The columns for the rows of an index.
    pub(crate) fn columns(&self, index: &Index) -> Overlay {
        let causes: Vec<Option<Cause>> = index
            .fids
            .iter()
            .map(|fid| self.causes.get(fid).copied())
            .collect();
        let period = self.period.to_string();
        let names = causes.iter().map(|cause| cause.map(Cause::name));
        let periods = causes.iter().map(|cause| cause.map(|_| period.as_str()));
        Overlay {
            values: vec![Arc::new(texts(KEY.to_owned(), names))],
            details: vec![Arc::new(texts(format!("{KEY}_period"), periods))],
        }
    }
}
