//! `forest_cover`: what became of the cover of each forest block, as the looks up to the week tell: kept, suspected loss,
//! confirmed loss, green again. Drawn from the records of forest change; trees as they stand are not mapped.

use crate::Result;
use crate::fire::{Sheet, Sheets};
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use sen_catalog::Period;
use sen_catalog::fire::ChangeSettings;
use sen_catalog::fire::change::{Cover, ForestWeek};
use sen_catalog::run::{Dataset, Fingerprint, StepReport, StepStatus, Unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForestCover;

const NAME: &str = "forest_cover";
/// Version of the method; another one remakes every week.
const VERSION: u32 = 1;
/// Too little of the block was seen in the week.
const NOT_SEEN: u8 = 253;
/// Seen in too few weeks to know what is usual.
const NOT_JUDGED: u8 = 254;

#[async_trait]
impl Step for ForestCover {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        vec![
            Dataset::Records("forest_change".to_owned()),
            Dataset::Shapes(settings.fire.blocks.clone()),
        ]
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Collection(NAME.to_owned())]
    }

    /// The weeks with a scene, once blocks were seen in any.
    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        if !view.holds(&Dataset::Records("forest_change".to_owned())) {
            return Vec::new();
        }
        let weeks = view.weeks_with(&[Dataset::Scenes("*".to_owned())]);
        super::weekly_units(&Dataset::Collection(NAME.to_owned()), weeks)
    }

    fn fingerprint_unit(&self, context: &StepContext<'_>, view: &RunView, _: &Unit) -> Option<Fingerprint> {
        let parts = FingerprintParts::of_whole(view, &self.reads(&context.settings));
        let fire = context.settings.fire;
        let parts = parts
            .with_value(&"fire.change", &fire.change)
            .with_value(&"fire.cell_m", &fire.cell_m)
            .with_value(&"grid", &context.grid);
        Some(parts.finish())
    }

    async fn make_units(
        &self,
        context: &StepContext<'_>,
        stale: &[Unit],
        report: &mut StepReport,
    ) -> Result<()> {
        let fire = &super::fire_of(context);
        let blocks = fire.blocks().await?;
        let mut known: Vec<BTreeMap<Period, ForestWeek>> = Vec::new();
        for block in blocks.iter().flat_map(|blocks| &blocks.features) {
            let change = fire.store.forest_change(block.fid).await?;
            let seen = change.into_iter().flat_map(|change| change.weeks);
            let seen = seen.filter(ForestWeek::is_seen);
            known.push(seen.map(|week| (Period::of_date(week.from), week)).collect());
        }
        let dataset = Dataset::Collection(NAME.to_owned());
        let Some(blocks) = blocks.filter(|_| known.iter().any(|weeks| !weeks.is_empty())) else {
            for unit in stale {
                report.enter(dataset.clone(), unit.period, StepStatus::NoInput);
            }
            return Ok(());
        };
        let mut sheets = Sheets::new(fire, &blocks, NAME);
        for week in stale.iter().filter_map(|unit| unit.period) {
            // a block is drawn while it is valid
            let shown: Vec<Option<Vec<u8>>> = blocks
                .features
                .iter()
                .zip(&known)
                .map(|(block, weeks)| {
                    let class = class(weeks.get(&week));
                    block.valid_on(week.last_day()).then(|| vec![class])
                })
                .collect();
            let sheet = Sheet {
                week,
                names: &[NAME],
                classes: &shown,
                lineage: vec!["nbr".into(), "ndmi".into(), fire.settings.blocks.clone()],
                properties: properties(&fire.settings.change, &shown),
                made_of: json!([VERSION, fire.settings.change]),
            };
            report.enter_outcome(dataset.clone(), Some(week), sheets.draw(sheet).await);
        }
        Ok(())
    }
}

/// The class of a block by its week; none: it was not seen.
fn class(week: Option<&ForestWeek>) -> u8 {
    match week {
        None => NOT_SEEN,
        Some(week) => week.cover.map_or(NOT_JUDGED, |cover| cover as u8),
    }
}

fn properties(settings: &ChangeSettings, shown: &[Option<Vec<u8>>]) -> Vec<(&'static str, Value)> {
    let valid: Vec<u8> = shown.iter().flatten().flatten().copied().collect();
    let told = valid.iter().filter(|class| **class < NOT_SEEN).count();
    let share = told as f64 / valid.len().max(1) as f64;
    let rule = format!(
        "one class a forest block, from the weekly means of NBR and NDMI over the block (weeks of which {:.0} % was seen) and \
         a one-sided CUSUM against its first {} weeks seen, above {} spreads: {} kept, {} suspected loss, {} loss confirmed by \
         {} later looks, {} confirmed loss with the index back within a spread of the usual; {NOT_SEEN} too little seen, \
         {NOT_JUDGED} too few weeks seen. As the looks up to the week tell. Change of whole blocks: no map of trees, and a \
         loss on a small part of a block may stay below",
        settings.seen_share * 100.0,
        settings.baseline_weeks.max(2),
        settings.threshold,
        Cover::Kept as u8,
        Cover::Suspected as u8,
        Cover::Lost as u8,
        settings.confirm_looks,
        Cover::Regrowth as u8,
    );
    vec![
        ("title", json!("Change of forest cover by block; no map of trees")),
        ("sen:product_version", json!(VERSION)),
        ("sen:rule", json!(rule)),
        ("sen:calibrated", json!(false)),
        ("sen:seen_share", json!((share * 1e4).round() / 1e4)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_was_not_seen_or_not_often_enough_is_not_classified() {
        let week = |cover| ForestWeek {
            nbr: Some(0.6),
            cover,
            ..ForestWeek::default()
        };
        assert_eq!(class(None), NOT_SEEN);
        assert_eq!(class(Some(&week(None))), NOT_JUDGED);
        let classes = [Cover::Kept, Cover::Suspected, Cover::Lost, Cover::Regrowth];
        assert_eq!(classes.map(|cover| class(Some(&week(Some(cover))))), [1, 2, 3, 4]);
        let shown = [Some(vec![1]), Some(vec![NOT_SEEN]), None, Some(vec![NOT_JUDGED])];
        let said = properties(&ChangeSettings::default(), &shown);
        let share = said.iter().find(|(name, _)| *name == "sen:seen_share");
        assert_eq!(share.map(|(_, share)| share.clone()), Some(json!(0.3333)));
    }
}
