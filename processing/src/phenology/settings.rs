//! What can be set about the crop calendar.

use crate::{Error, Result};
use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The crop calendar: which layers have one, and what is known of the crop beforehand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CalendarSettings {
    /// Layers of plots that get a calendar.
    pub layers: Vec<String>,
    /// Seasons by day of sowing, in the order of the year.
    pub seasons: Vec<SeasonRule>,
    /// Days from sowing until the seedlings hide the water that stands between them, so that radar sees plants.
    pub emergence_days: f64,
    /// Days from sowing until NDVI passes half its way up.
    pub greening_days: f64,
    /// Shortest and longest usual time from sowing to harvest, in days.
    pub duration_days: [f64; 2],
    /// Days from heading to harvest.
    pub ripening_days: f64,
}

/// A season begins with the crops sown from this day of the year on, until the next one's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeasonRule {
    /// Name, such as `he-thu`; the label of a crop is the year and the name.
    pub name: String,
    /// First day of sowing, as month and day: `06-05`.
    pub from: String,
}

impl Default for CalendarSettings {
    /// Sowing windows from the notices of the provinces (Vinh Long 2017 and 2018-19, Long An 2023); the delta's usual
    /// varieties; the ripening phase of the Rice Knowledge Bank (IRRI).
    fn default() -> Self {
        let rule = |name: &str, from: &str| SeasonRule {
            name: name.into(),
            from: from.into(),
        };
        Self {
            layers: vec!["plots".into()],
            seasons: vec![
                rule("he-thu", "02-11"),
                rule("thu-dong", "06-05"),
                rule("dong-xuan", "10-01"),
            ],
            emergence_days: 18.0,
            greening_days: 30.0,
            duration_days: [90.0, 105.0],
            ripening_days: 30.0,
        }
    }
}

impl CalendarSettings {
    /// The middle of the usual durations.
    pub(super) fn duration(&self) -> f64 {
        f64::midpoint(self.duration_days[0], self.duration_days[1])
    }

    /// Says what cannot be used, naming the setting.
    ///
    /// # Errors
    /// [`Error::Invalid`] for days that are none and durations that no crop has.
    pub fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::Invalid(what));
        for rule in &self.seasons {
            if month_day(&rule.from).is_none() {
                return wrong(format!(
                    "calendar.seasons: `{}` of {} is no day of the year; write it as 06-05",
                    rule.from, rule.name
                ));
            }
        }
        let [shortest, longest] = self.duration_days;
        if !(shortest > 0.0 && shortest <= longest && longest.is_finite()) {
            return wrong(format!(
                "calendar.duration_days: {:?} must be the shortest and the longest time from sowing to harvest, in days",
                self.duration_days
            ));
        }
        for (name, days) in [
            ("emergence_days", self.emergence_days),
            ("greening_days", self.greening_days),
            ("ripening_days", self.ripening_days),
        ] {
            if !(0.0..=longest).contains(&days) {
                return wrong(format!(
                    "calendar.{name}: {days} is not within 0 and the longest duration, {longest} days"
                ));
            }
        }
        Ok(())
    }

    /// The label of a crop sown on the day: the year the season began in and its name. A day before the first rule of
    /// the year belongs to the last season of the year before.
    pub fn label(&self, sowing: NaiveDate) -> String {
        let mut rules: Vec<(u32, &str)> = self
            .seasons
            .iter()
            .filter_map(|rule| Some((month_day(&rule.from)?, rule.name.as_str())))
            .collect();
        rules.sort_unstable();
        let day = sowing.month() * 100 + sowing.day();
        let own = rules.iter().rev().find(|rule| rule.0 <= day);
        match (own, rules.last()) {
            (Some((_, name)), _) => format!("{}-{name}", sowing.year()),
            (None, Some((_, name))) => format!("{}-{name}", sowing.year() - 1),
            (None, None) => sowing.year().to_string(),
        }
    }
}

/// `06-05` as 605; none for anything that is no day of a year.
fn month_day(text: &str) -> Option<u32> {
    let (month, day) = text.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    NaiveDate::from_ymd_opt(2024, month, day).map(|_| month * 100 + day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seasons_are_named_by_the_day_of_sowing() {
        let settings = CalendarSettings::default();
        let label = |text: &str| settings.label(text.parse().expect("a date"));
        assert_eq!(label("2026-04-17"), "2026-he-thu");
        assert_eq!(label("2026-08-18"), "2026-thu-dong");
        assert_eq!(label("2026-12-07"), "2026-dong-xuan");
        assert_eq!(
            label("2027-01-10"),
            "2026-dong-xuan",
            "the season began in December"
        );
        let own = CalendarSettings {
            seasons: vec![SeasonRule {
                name: "mua".into(),
                from: "13-40".into(),
            }],
            ..settings
        };
        assert_eq!(own.label("2026-04-17".parse().expect("a date")), "2026");
        let said = own.check().expect_err("no day").to_string();
        assert!(
            said.contains("calendar.seasons") && said.contains("13-40"),
            "{said}"
        );
    }
}
