//! `fire_danger`: the level of forest fire danger inside each forest block on the worst day of the week, and a raster of
//! each day beside it (`day1`, Monday, to `day7`), drawn from the days that stations tell of.

use super::{Drawn, StepContext};
use crate::Result;
use crate::fire::{Sheet, Sheets};
use async_trait::async_trait;
use chrono::{Datelike, NaiveDate};
use sen_catalog::Period;
use sen_catalog::fire::FireSettings;
use sen_catalog::fire::day::{DangerDay, worst};
use sen_catalog::run::{Dataset, StepReport};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
impl Drawn for FireDanger {
    fn name(&self) -> &'static str {
        RASTERS[0]
    }

    fn after(&self) -> &'static [&'static str] {
        &["danger_days"]
    }

    /// The weeks asked for, and later ones that stations tell of.
    async fn draw(
        &self,
        context: &StepContext<'_>,
        weeks: &[Period],
        report: &mut StepReport,
    ) -> Result<BTreeSet<Period>> {
        let fire = &context.fire();
        let Some(blocks) = fire.blocks().await? else {
            return Ok(BTreeSet::new());
        };
        let newest = weeks.iter().max().copied();
        let is_later = |week: Period| newest.is_some_and(|newest| week > newest);
        let mut by_week: BTreeMap<Period, Vec<Vec<u8>>> = BTreeMap::new();
        for (index, block) in blocks.features.iter().enumerate() {
            let days = fire.store.danger(block.fid, None, None).await?;
            for (week, days) in by_weeks(&days) {
                if weeks.contains(&week) || is_later(week) {
                    let unknown = || vec![classes(&[]); blocks.features.len()];
                    by_week.entry(week).or_insert_with(unknown)[index] = classes(&days);
                }
            }
        }
        let mut sheets = Sheets::new(fire, &blocks, self.name());
        let mut also = BTreeSet::new();
        for (week, classes) in by_week {
            // a block is drawn while it is valid
            let shown: Vec<Option<Vec<u8>>> = blocks
                .features
                .iter()
                .zip(classes)
                .map(|(block, classes)| block.valid_on(week.last_day()).then_some(classes))
                .collect();
            if is_later(week) {
                also.insert(week);
            }
            let sheet = Sheet {
                week,
                names: &RASTERS,
                classes: &shown,
                lineage: vec![fire.settings.stations.clone(), fire.settings.blocks.clone()],
                properties: properties(fire.settings, week.first_day(), &shown),
                made_of: json!([VERSION, fire.settings.levels, fire.settings.citation]),
            };
            let dataset = Dataset::Collection(self.name().to_owned());
            report.enter_outcome(dataset, Some(week), sheets.draw(sheet).await);
        }
        Ok(also)
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
