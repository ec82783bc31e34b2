//! `hotspots`: what burned at hot spots, told by what lies around them. An import of hot spots tells it of all of them; here
//! it is told again when other forest or fields lie there.

use crate::Result;
use crate::fire::judge_hotspots;
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::fire::HOTSPOTS;
use sen_catalog::run::{Dataset, Fingerprint, StepReport, Unit};

/// See the module.
#[derive(Debug)]
pub(super) struct Hotspots;

#[async_trait]
impl Step for Hotspots {
    fn name(&self) -> &'static str {
        "hotspots"
    }

    fn version(&self) -> u32 {
        1
    }

    /// Hot spots are features, which are not staged: they change by themselves, in one transaction of their own.
    fn group(&self) -> StepGroup {
        StepGroup::Observed
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        let layers = [HOTSPOTS, &settings.fire.blocks, &settings.fire.paddies];
        layers.map(|layer| Dataset::Shapes(layer.to_owned())).to_vec()
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Records("hotspot".to_owned())]
    }

    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        super::whole_unit_if(view, HOTSPOTS, "hotspot")
    }

    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, _: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::of_whole(view, &self.reads(&context.settings));
        Some(
            parts
                .with_value(&"fire.hotspots", &context.settings.fire.hotspots)
                .finish(),
        )
    }

    async fn make_units(&self, context: &StepContext<'_>, _: &[Unit], report: &mut StepReport) -> Result<()> {
        judge_hotspots(context.store.as_ref(), context.settings.fire, report).await
    }
}
