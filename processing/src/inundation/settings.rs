//! What can be set about dyke compartments and their water.

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use sen_catalog::inundation::gauge::AlarmLevels;
use sen_catalog::{Feature, Period};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Attributes of a compartment: first and last day of a registered release of water into it, ISO dates.
const RELEASE: [&str; 2] = ["release_from", "release_to"];
/// Attribute of a compartment: the day on which its sluices are opened this season, an ISO date.
const SLUICES_OPEN: &str = "sluices_open";
/// Months in which a planned release is one (section 3.5 of the science notes).
const RELEASE_MONTHS: std::ops::RangeInclusive<u32> = 8..=11;

/// Dyke compartments and why they are under water.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeltaSettings {
    /// Layer of the compartments.
    pub compartments: String,
    /// Layer of the plots within them, whose crop calendar tells what grows.
    pub plots: String,
    /// Attribute of a compartment that says how it is shut off from the river.
    pub closure: String,
    /// Its values for compartments that are shut all year.
    pub closed: Vec<String>,
    /// Its values for compartments that never are.
    pub open: Vec<String>,
    /// Its values for compartments that are shut from January until their sluices open on this day (`08-15`); the
    /// attribute `sluices_open` of a compartment says it more exactly for a year. A value in none of the three lists means
    /// that nobody knows.
    pub closed_until: BTreeMap<String, String>,
    /// Alarm levels BĐ1, BĐ2 and BĐ3 by station, metres above the zero of its series; for stations without the attributes
    /// `bd1_m`, `bd2_m`, `bd3_m`.
    pub alarm_levels: BTreeMap<String, [f64; 3]>,
    /// Registered releases of water, beside the attributes `release_from` and `release_to` of compartments.
    pub releases: Vec<Release>,
    /// A raster of ground heights in metres, for the depth of floods; a relative path starts from the data folder. Without
    /// it no depth is told.
    pub dem: Option<String>,
    /// Standard error of its heights, metres; needed with `dem`. Global models are off by as much as floods are deep here.
    pub dem_error_m: Option<f64>,
    /// What its heights count from, such as `Hon Dau 1992`; refused when stations say another `datum`.
    pub dem_datum: Option<String>,
}

/// A registered release of water into a compartment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Code of the compartment.
    pub code: String,
    /// First day, `2026-08-20`.
    pub from: String,
    /// Last day.
    pub to: String,
}

impl Default for DeltaSettings {
    fn default() -> Self {
        Self {
            compartments: "dyke_compartments".into(),
            plots: "plots".into(),
            closure: "dyke_class".into(),
            closed: vec!["full_year".into(), "closed".into()],
            open: vec!["open".into(), "none".into()],
            closed_until: BTreeMap::from([("august".into(), "08-15".into())]),
            alarm_levels: BTreeMap::new(),
            releases: Vec::new(),
            dem: None,
            dem_error_m: None,
            dem_datum: None,
        }
    }
}

fn date(feature: &Feature, name: &str) -> Option<NaiveDate> {
    feature.properties.get(name)?.as_str()?.trim().parse().ok()
}

impl DeltaSettings {
    /// Says what cannot be read, naming the setting.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for dates and levels that are none.
    pub fn check(&self) -> crate::Result<()> {
        let wrong = |what: String| Err(crate::Error::Invalid(what));
        for (value, day) in &self.closed_until {
            if month_day(2024, day).is_none() {
                return wrong(format!(
                    "delta.closed_until.{value}: `{day}` is no day of the year; write it as 08-15"
                ));
            }
        }
        for (station, levels) in &self.alarm_levels {
            if AlarmLevels::new(*levels).is_none() {
                return wrong(format!(
                    "delta.alarm_levels.{station}: {levels:?} do not rise; give BĐ1, BĐ2 and BĐ3 in metres"
                ));
            }
        }
        for release in &self.releases {
            let days = release.days();
            if days.is_none_or(|(from, to)| from > to) {
                return wrong(format!(
                    "delta.releases of {}: {} to {} are no days in their order; write them as 2026-08-20",
                    release.code, release.from, release.to
                ));
            }
        }
        if self.dem.is_some() {
            self.dem_error()?;
        }
        Ok(())
    }

    /// Standard error of the heights of the DEM, metres.
    pub(super) fn dem_error(&self) -> crate::Result<f64> {
        let known = self.dem_error_m.filter(|error| error.is_finite() && *error > 0.0);
        known.ok_or_else(|| {
            crate::Error::Invalid(
                "delta.dem_error_m: give the standard error of the DEM's heights in metres".into(),
            )
        })
    }

    /// Whether a compartment is shut off from the river at the end of a week; none when nobody knows.
    pub fn is_closed(&self, compartment: &Feature, week: Period) -> Option<bool> {
        let value = compartment.properties.get(&self.closure)?.as_str()?;
        if self.closed.iter().any(|closed| closed == value) {
            return Some(true);
        }
        if self.open.iter().any(|open| open == value) {
            return Some(false);
        }
        let usual = self.closed_until.get(value)?;
        let last = week.last_day();
        let opens = date(compartment, SLUICES_OPEN)
            .filter(|day| day.year() == last.year())
            .or_else(|| month_day(last.year(), usual))?;
        Some(last < opens)
    }

    /// True when a registered release into the compartment meets the week, in the months of releases.
    pub fn has_plan(&self, compartment: &Feature, week: Period) -> bool {
        let own = date(compartment, RELEASE[0]).zip(date(compartment, RELEASE[1]));
        let listed = self
            .releases
            .iter()
            .filter(|release| release.code == compartment.code);
        let (first, last) = (week.first_day(), week.last_day());
        own.into_iter()
            .chain(listed.filter_map(Release::days))
            .any(|(from, to)| {
                let in_months =
                    RELEASE_MONTHS.contains(&first.month()) || RELEASE_MONTHS.contains(&last.month());
                in_months && from <= last && first <= to
            })
    }

    /// The alarm levels of a station: its own attributes, or those set for it.
    pub fn alarm_levels(&self, station: &Feature) -> Option<AlarmLevels> {
        AlarmLevels::of(station).or_else(|| AlarmLevels::new(*self.alarm_levels.get(&station.code)?))
    }
}

impl Release {
    fn days(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((self.from.trim().parse().ok()?, self.to.trim().parse().ok()?))
    }
}

fn month_day(year: i32, text: &str) -> Option<NaiveDate> {
    format!("{year}-{text}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Point;
    use serde_json::json;

    fn compartment(properties: &[(&str, &str)]) -> Feature {
        let mut feature = Feature::new("dyke_compartments", "OB-1", Point::new(105.6, 10.4).into());
        for (name, value) in properties {
            feature.properties.insert((*name).into(), json!(value));
        }
        feature
    }

    fn week(text: &str) -> Period {
        text.parse().expect("a week")
    }

    #[test]
    fn closure_is_what_the_attribute_says_and_unknown_otherwise() {
        let settings = DeltaSettings::default();
        let closed =
            |properties: &[(&str, &str)], at: &str| settings.is_closed(&compartment(properties), week(at));
        assert_eq!(closed(&[("dyke_class", "full_year")], "2026-W40"), Some(true));
        assert_eq!(closed(&[("dyke_class", "open")], "2026-W10"), Some(false));
        let august = [("dyke_class", "august")];
        assert_eq!(closed(&august, "2026-W32"), Some(true), "until 9 August");
        assert_eq!(closed(&august, "2026-W33"), Some(false), "16 August");
        let later = [("dyke_class", "august"), ("sluices_open", "2026-08-27")];
        assert_eq!(closed(&later, "2026-W34"), Some(true), "until 23 August");
        assert_eq!(closed(&later, "2026-W35"), Some(false));
        assert_eq!(closed(&later, "2027-W34"), Some(false), "said for 2026 alone");
        assert_eq!(closed(&[("dyke_class", "high")], "2026-W40"), None);
        assert_eq!(closed(&[], "2026-W40"), None);
    }

    #[test]
    fn plans_come_from_attributes_and_settings_and_hold_in_their_months() {
        let mut settings = DeltaSettings::default();
        let own = compartment(&[("release_from", "2026-08-20"), ("release_to", "2026-10-18")]);
        let has =
            |settings: &DeltaSettings, feature: &Feature, at: &str| settings.has_plan(feature, week(at));
        assert!(!has(&settings, &own, "2026-W33"));
        assert!(has(&settings, &own, "2026-W34") && has(&settings, &own, "2026-W42"));
        assert!(!has(&settings, &own, "2026-W43"));
        settings.releases.push(Release {
            code: "OB-1".into(),
            from: "2026-06-01".into(),
            to: "2026-09-01".into(),
        });
        let bare = compartment(&[]);
        assert!(has(&settings, &bare, "2026-W35") && !has(&settings, &bare, "2026-W25"));
        settings.check().expect("dates in their order");
        settings.releases[0].to = "yesterday".into();
        let message = settings.check().expect_err("no date").to_string();
        assert!(
            message.contains("OB-1") && message.contains("2026-08-20"),
            "{message}"
        );
    }
}
