//! `flood_depth`: how deep the floods of the weeks are, with the DEM that is configured; the method is that of
//! [`crate::inundation::Depths`].

use super::{Drawn, Records, Report};
use crate::Result;
use crate::inundation::DEPTH;
use crate::run::Progress;
use async_trait::async_trait;
use sen_catalog::Period;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct FloodDepth;

#[async_trait]
impl Drawn for FloodDepth {
    fn name(&self) -> &'static str {
        DEPTH
    }

    async fn draw(
        &self,
        records: &Records<'_>,
        weeks: &[Period],
        progress: &dyn Progress,
        report: &mut Report,
    ) -> Result<bool> {
        if report.inundations.is_none() && records.depths.settings.dem.is_none() {
            return Ok(false);
        }
        let depths = records.depths.run(weeks, progress).await?;
        let drawn = depths.made > 0;
        report.depths = Some(depths);
        Ok(drawn)
    }
}
