//! Files that a request met damaged are marked in the catalogue, so that the next run makes them again. In the background: the
//! request has its answer already.

use crate::state::App;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Between one look and the next: a damaged file is met by many requests.
const PAUSE: Duration = Duration::from_secs(1);

/// Files that are damaged and could not be marked, where the catalogue is only read.
#[derive(Debug, Default)]
pub(crate) struct UnmarkedDamage(Mutex<BTreeSet<String>>);

impl UnmarkedDamage {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn enter(&self, hrefs: Vec<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(hrefs);
    }
}

/// Marks what is met, as long as the service runs.
pub(crate) async fn mark_damage(app: Arc<App>) {
    loop {
        app.assets.damage_met().await;
        let met = app.assets.take_damage();
        if let Err(error) = mark_new(&app, &met).await {
            tracing::error!(%error, files = ?met, "damaged files could not be marked; run `sen process --verify`");
            app.unmarked.enter(met.into_iter().collect());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Marks those that are not yet.
async fn mark_new(app: &App, met: &BTreeSet<String>) -> sen_catalog::Result<()> {
    let rows = app.lookup.store().object_rows().await?;
    let is_marked = |href: &&String| rows.iter().any(|row| row.is_damaged && row.href == **href);
    let new: Vec<String> = met.iter().filter(|href| !is_marked(href)).cloned().collect();
    if new.is_empty() {
        return Ok(());
    }
    app.lookup.store().mark_objects(new.clone(), true).await?;
    tracing::error!(files = ?new, "damaged files are marked; `sen process` makes them again");
    Ok(())
}
