//! Crops of a plot: when they were sown, headed and were harvested, and the stage of growth on a day.
//!
//! Dates are local days. A date that the looks do not show is none: the sowing of a crop that stood already when the
//! looks begin, the harvest of one that still stands.

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

/// Days from panicle initiation to heading (International Rice Research Institute, Rice Knowledge Bank: the reproductive
/// phase of a variety of any length).
const REPRODUCTIVE_DAYS: i64 = 30;
/// Days from heading to maturity (the same source).
pub(crate) const RIPENING_DAYS: i64 = 30;
/// Days from sowing to harvest of the varieties usual in the delta, the middle of 90 to 105: used only while a crop
/// stands that has not headed.
pub(crate) const USUAL_DAYS: i64 = 97;
/// Days after sowing in which a crop counts as seedlings.
const SEEDLING_DAYS: i64 = 18;
/// Days on each side of the heading date that count as heading.
const HEADING_DAYS: i64 = 5;

/// One crop on one plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Season {
    /// Label by year and season, such as `2026-he-thu`.
    pub season: String,
    /// Day of sowing.
    pub sowing: Option<NaiveDate>,
    /// Day of heading.
    pub heading: Option<NaiveDate>,
    /// Day of harvest; none too for a lost crop.
    pub harvest: Option<NaiveDate>,
    /// Day on which the crop was first seen to be lost (drowned).
    pub lost: Option<NaiveDate>,
    /// Half width of the interval in days that holds the date of sowing with about 95 % confidence.
    pub sowing_uncertainty_days: Option<f64>,
    /// The same for heading.
    pub heading_uncertainty_days: Option<f64>,
    /// The same for harvest.
    pub harvest_uncertainty_days: Option<f64>,
}

/// What a rice plant does, in the order of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The first weeks, water between the plants.
    Seedling,
    /// Tillers grow.
    Tillering,
    /// From panicle initiation to heading.
    Panicle,
    /// Days around heading.
    Heading,
    /// From heading to harvest.
    Ripening,
}

impl Growth {
    /// Name for people: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Seedling => ("mạ", "seedling"),
            Self::Tillering => ("đẻ nhánh", "tillering"),
            Self::Panicle => ("làm đòng", "panicle"),
            Self::Heading => ("trổ", "heading"),
            Self::Ripening => ("chín", "ripening"),
        }
    }
}

/// The crop that stands on a plot on a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stage<'a> {
    /// Label of the season.
    pub season: &'a str,
    /// What the plants do.
    pub growth: Growth,
    /// Whole weeks since sowing, where the sowing was seen.
    pub weeks_since_sowing: Option<i64>,
}

impl Season {
    /// The day the crop came to its end: harvested or lost.
    pub fn end(&self) -> Option<NaiveDate> {
        self.harvest.or(self.lost)
    }

    /// What the crop does on the day; none before sowing and after the end. A crop whose sowing was not seen is taken to
    /// stand from the usual time before its first known date.
    pub fn growth_on(&self, day: NaiveDate) -> Option<Growth> {
        let ahead = |days: i64| TimeDelta::days(days);
        let heading = self
            .heading
            .or_else(|| self.harvest.map(|harvest| harvest - ahead(RIPENING_DAYS)))
            .or_else(|| {
                self.sowing
                    .map(|sowing| sowing + ahead(USUAL_DAYS - RIPENING_DAYS))
            })?;
        let sowing = self
            .sowing
            .unwrap_or_else(|| heading - ahead(USUAL_DAYS - RIPENING_DAYS));
        let standing = day >= sowing && self.end().is_none_or(|end| day < end);
        // a crop whose end was not seen does not stand for ever
        if !standing || day > heading + ahead(2 * RIPENING_DAYS) {
            return None;
        }
        Some(if day < sowing + ahead(SEEDLING_DAYS) {
            Growth::Seedling
        } else if day < heading - ahead(REPRODUCTIVE_DAYS) {
            Growth::Tillering
        } else if day < heading - ahead(HEADING_DAYS) {
            Growth::Panicle
        } else if day <= heading + ahead(HEADING_DAYS) {
            Growth::Heading
        } else {
            Growth::Ripening
        })
    }
}

/// The crop that stands on the day among the crops of a plot, if any does.
pub fn stage_on(seasons: &[Season], day: NaiveDate) -> Option<Stage<'_>> {
    seasons.iter().rev().find_map(|season| {
        let growth = season.growth_on(day)?;
        Some(Stage {
            season: &season.season,
            growth,
            weeks_since_sowing: season.sowing.map(|sowing| (day - sowing).num_days() / 7),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn season(sowing: Option<&str>, heading: Option<&str>, harvest: Option<&str>) -> Season {
        Season {
            season: "2026-he-thu".into(),
            sowing: sowing.map(day),
            heading: heading.map(day),
            harvest: harvest.map(day),
            lost: None,
            sowing_uncertainty_days: None,
            heading_uncertainty_days: None,
            harvest_uncertainty_days: None,
        }
    }

    #[test]
    fn a_crop_goes_through_its_stages_and_ends_at_harvest() {
        let crops = [season(Some("2026-04-17"), Some("2026-06-20"), Some("2026-07-19"))];
        let growth = |text| stage_on(&crops, day(text)).map(|stage| (stage.growth, stage.weeks_since_sowing));
        assert_eq!(growth("2026-04-16"), None);
        assert_eq!(growth("2026-04-17"), Some((Growth::Seedling, Some(0))));
        assert_eq!(growth("2026-05-10"), Some((Growth::Tillering, Some(3))));
        assert_eq!(growth("2026-06-01"), Some((Growth::Panicle, Some(6))));
        assert_eq!(growth("2026-06-24"), Some((Growth::Heading, Some(9))));
        assert_eq!(growth("2026-07-18"), Some((Growth::Ripening, Some(13))));
        assert_eq!(growth("2026-07-19"), None);
    }

    #[test]
    fn crops_cut_by_the_ends_of_the_series_have_a_stage_too() {
        let standing_already = [season(None, Some("2026-06-20"), Some("2026-07-19"))];
        let stage = stage_on(&standing_already, day("2026-06-01"));
        assert_eq!(
            stage.map(|s| (s.growth, s.weeks_since_sowing)),
            Some((Growth::Panicle, None))
        );
        let standing_still = [season(Some("2026-08-18"), None, None)];
        let stage = stage_on(&standing_still, day("2026-11-01"));
        assert_eq!(
            stage.map(|s| (s.growth, s.weeks_since_sowing)),
            Some((Growth::Ripening, Some(10)))
        );
        assert_eq!(stage_on(&standing_still, day("2027-03-01")), None, "not for ever");
    }

    #[test]
    fn a_lost_crop_stands_until_it_was_lost() {
        let mut crop = season(Some("2026-09-13"), None, None);
        crop.lost = Some(day("2026-10-12"));
        assert!(crop.growth_on(day("2026-10-11")).is_some());
        assert_eq!(crop.growth_on(day("2026-10-12")), None);
    }
}
