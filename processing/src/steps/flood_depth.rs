//! `flood_depth`: how deep the floods of the weeks are, with the DEM that is configured; the method is that of
//! [`crate::inundation::Depths`].

use super::{Drawn, StepContext};
use crate::Result;
use crate::inundation::{DEPTH, Depths};
use async_trait::async_trait;
use sen_catalog::Period;
use sen_catalog::run::StepReport;
use std::collections::BTreeSet;
use std::sync::Arc;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloodDepth;

#[async_trait]
impl Drawn for FloodDepth {
    fn name(&self) -> &'static str {
        DEPTH
    }

    fn after(&self) -> &'static [&'static str] {
        &["surfaces", "flood_causes"]
    }

    async fn draw(
        &self,
        context: &StepContext<'_>,
        weeks: &[Period],
        report: &mut StepReport,
    ) -> Result<BTreeSet<Period>> {
        let settings = context.settings.delta;
        if settings.dem.is_none() {
            let layers = context.store.layers().await?;
            if !layers.iter().any(|layer| layer.name == settings.compartments) {
                return Ok(BTreeSet::new());
            }
        }
        let depths = Depths {
            store: Arc::clone(&context.store),
            assets: context.assets.clone(),
            settings,
            folder: context.settings.folder,
            code_version: context.code_version.clone(),
        };
        depths.run(weeks, report, context.progress).await?;
        Ok(BTreeSet::new())
    }
}
