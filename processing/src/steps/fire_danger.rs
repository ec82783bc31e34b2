//! `fire_danger`: the level of forest fire danger inside each forest block on the worst day of the week, and a raster of
//! each day beside it (`day1`, Monday, to `day7`), drawn from the days that stations tell of.

use crate::Result;
use crate::fire::{Sheet, Sheets};
use crate::runner::{FingerprintParts, RunView, Step, StepContext, StepGroup, StepSettings};
use async_trait::async_trait;
use chrono::{Datelike, NaiveDate};
use sen_catalog::Period;
use sen_catalog::fire::FireSettings;
use sen_catalog::fire::day::{DangerDay, worst};
use sen_catalog::run::{Dataset, Fingerprint, StepReport, StepStatus, Unit};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct FireDanger;

/// Version of the method; another one remakes every week.
const VERSION: u32 = 2;
/// In a forest block whose level is not known.
const NOT_KNOWN: u8 = 253;
/// The rasters: the worst day, then the days, Monday first.
const RASTERS: [&str; 8] = [
    "fire_danger",
    "day1",
    "day2",
    "day3",
    "day4",
    "day5",
    "day6",
    "day7",
];

#[async_trait]
impl Step for FireDanger {
    fn name(&self) -> &'static str {
        RASTERS[0]
    }

    fn version(&self) -> u32 {
        VERSION
    }

    fn group(&self) -> StepGroup {
        StepGroup::Derived
    }

    fn reads(&self, settings: &StepSettings<'_>) -> Vec<Dataset> {
        vec![
            Dataset::Records("fire_danger_day".to_owned()),
            Dataset::Shapes(settings.fire.blocks.clone()),
        ]
    }

    fn writes(&self, _: &StepSettings<'_>) -> Vec<Dataset> {
        vec![Dataset::Collection(RASTERS[0].to_owned())]
    }

    /// The weeks with a scene, and later ones that stations tell of.
    fn list_units(&self, _: &StepContext<'_>, view: &RunView) -> Vec<Unit> {
        let seen = view.weeks_with(&[Dataset::Scenes("*".to_owned())]);
        let newest = seen.last().copied();
        let told = view.weeks_with(&[Dataset::Records("fire_danger_day".to_owned())]);
        let weeks = told
            .into_iter()
            .filter(|week| seen.contains(week) || newest.is_some_and(|newest| *week > newest));
        super::weekly_units(&Dataset::Collection(RASTERS[0].to_owned()), weeks)
    }

    fn fingerprint_unit(
        &self,
        context: &StepContext<'_>,
        view: &RunView,
        unit: &Unit,
    ) -> Option<Fingerprint> {
        let fire = context.settings.fire;
        let parts = FingerprintParts::default()
            .with_week(
                view,
                &Dataset::Records("fire_danger_day".to_owned()),
                unit.period?,
            )
            .with_whole(view, &Dataset::Shapes(fire.blocks.clone()))
            .with_value(&"fire", fire)
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
        let dataset = Dataset::Collection(RASTERS[0].to_owned());
        let Some(blocks) = fire.blocks().await? else {
            for unit in stale {
                report.enter(dataset.clone(), unit.period, StepStatus::NoInput);
            }
            return Ok(());
        };
        let unknown = || vec![classes(&[]); blocks.features.len()];
        let weeks = stale.iter().filter_map(|unit| Some((unit.period?, unknown())));
        let mut by_week: BTreeMap<Period, Vec<Vec<u8>>> = weeks.collect();
        for (index, block) in blocks.features.iter().enumerate() {
            let days = fire.store.danger(block.fid, None, None).await?;
            for (week, days) in by_weeks(&days) {
                if let Some(blocks) = by_week.get_mut(&week) {
                    blocks[index] = classes(&days);
                }
            }
        }
        let mut sheets = Sheets::new(fire, &blocks, RASTERS[0]);
        for (week, classes) in by_week {
            // a block is drawn while it is valid
            let shown: Vec<Option<Vec<u8>>> = blocks
                .features
                .iter()
                .zip(classes)
                .map(|(block, classes)| block.valid_on(week.last_day()).then_some(classes))
                .collect();
            let sheet = Sheet {
                week,
                names: &RASTERS,
                classes: &shown,
                lineage: vec![fire.settings.stations.clone(), fire.settings.blocks.clone()],
                properties: properties(fire.settings, week.first_day(), &shown),
                made_of: json!([VERSION, fire.settings.levels, fire.settings.citation]),
            };
            report.enter_outcome(dataset.clone(), Some(week), sheets.draw(sheet).await);
        }
        Ok(())
    }
}

fn by_weeks(days: &[DangerDay]) -> BTreeMap<Period, Vec<&DangerDay>> {
    let mut weeks: BTreeMap<Period, Vec<&DangerDay>> = BTreeMap::new();
    for day in days {
        weeks.entry(Period::of_date(day.day)).or_default().push(day);
    }
    weeks
}

/// The worst of the days that are known, and each day.
fn classes(days: &[&DangerDay]) -> Vec<u8> {
    let mut classes = vec![NOT_KNOWN; RASTERS.len()];
    for day in days {
        let number = day.day.weekday().number_from_monday() as usize;
        classes[number] = day.level.map_or(NOT_KNOWN, u8::from);
    }
    classes[0] = worst(days.iter().copied()).map_or(NOT_KNOWN, u8::from);
    classes
}

fn properties(
    settings: &FireSettings,
    monday: NaiveDate,
    shown: &[Option<Vec<u8>>],
) -> Vec<(&'static str, Value)> {
    let valid: Vec<&Vec<u8>> = shown.iter().flatten().collect();
    let known = valid.iter().filter(|classes| classes[0] != NOT_KNOWN).count();
    let share = known as f64 / valid.len().max(1) as f64;
    let unknown: Vec<NaiveDate> = (1..RASTERS.len())
        .filter(|day| valid.iter().any(|classes| classes[*day] == NOT_KNOWN))
        .map(|day| monday + chrono::TimeDelta::days(day as i64 - 1))
        .collect();
    let rule = format!(
        "index P (sum of temperature times saturation deficit at 13:00 since the last {} mm of rain in 24 h) of the \
         nearest station, in levels above {:?}; the worst day of the week, assets day1 (Monday) to day7 the days; 253: \
         readings are missing and it did not rain since",
        settings.reset_mm, settings.levels
    );
    vec![
        ("title", json!("Forest fire danger, worst day of the week")),
        ("sen:product_version", json!(VERSION)),
        ("sen:rule", json!(rule)),
        ("sen:citation", json!(settings.citation)),
        ("sen:levels", json!(settings.levels)),
        ("sen:days_not_known", json!(unknown)),
        ("sen:seen_share", json!((share * 1e4).round() / 1e4)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::fire::danger::Level;

    fn day(number: u32, level: Option<Level>, at_least: Option<Level>) -> DangerDay {
        DangerDay {
            day: NaiveDate::from_ymd_opt(2026, 8, 2 + number).expect("a day"),
            p: None,
            level,
            level_at_least: at_least,
            rain_day: None,
            unknown: None,
            fwi: None,
            fwi_since: None,
            station: None,
            temperature_c: None,
            humidity_percent: None,
            rain_mm: None,
        }
    }

    #[test]
    fn a_week_has_the_level_of_its_worst_day_and_days_that_are_not_known_say_so() {
        let days = [
            day(1, Some(Level::II), None),
            day(2, Some(Level::III), None),
            day(3, None, None),
            day(4, None, Some(Level::I)),
        ];
        let all: Vec<&DangerDay> = days.iter().collect();
        assert_eq!(classes(&all), [3, 2, 3, 253, 253, 253, 253, 253]);
        assert_eq!(classes(&all[2..]), [253; 8], "a lower bound alone is not a level");
        assert_eq!(classes(&[]), [253; 8]);
    }
}
