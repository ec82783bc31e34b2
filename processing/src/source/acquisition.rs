//! When a scene can have been taken: not in the future, and not before its satellite flew.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Clocks differ, and a name without hours stands for noon.
const MOST_AHEAD: TimeDelta = TimeDelta::days(1);

/// Launches (ESA, USGS).
const LAUNCHES: &[(&str, (i32, u32, u32))] = &[
    ("sentinel-1a", (2014, 4, 3)),
    ("sentinel-1b", (2016, 4, 25)),
    ("sentinel-1c", (2024, 12, 5)),
    ("sentinel-1d", (2025, 11, 4)),
    ("sentinel-2a", (2015, 6, 23)),
    ("sentinel-2b", (2017, 3, 7)),
    ("sentinel-2c", (2024, 9, 5)),
    ("landsat-4", (1982, 7, 16)),
    ("landsat-5", (1984, 3, 1)),
    ("landsat-7", (1999, 4, 15)),
    ("landsat-8", (2013, 2, 11)),
    ("landsat-9", (2021, 9, 27)),
];

/// Says what is wrong with the instant of a scene, if anything is.
pub(super) fn check(
    field: &str,
    instant: DateTime<Utc>,
    collection: &str,
    platform: Option<&str>,
) -> Result<(), String> {
    if instant > Utc::now() + MOST_AHEAD {
        return Err(format!("its {field} {instant} lies in the future"));
    }
    let platform = platform.filter(|name| LAUNCHES.iter().any(|(known, _)| known == name));
    let kind = collection.split('-').take(2).collect::<Vec<_>>().join("-");
    let family = if kind.starts_with("landsat") {
        "landsat"
    } else {
        &kind
    };
    // without a known platform: the first of the kind
    let wanted = platform.unwrap_or(family);
    let launch = LAUNCHES
        .iter()
        .filter(|(name, _)| name.starts_with(wanted))
        .filter_map(|&(name, (year, month, day))| Some((NaiveDate::from_ymd_opt(year, month, day)?, name)))
        .min();
    match launch {
        Some((day, name)) if instant.date_naive() < day => Err(format!(
            "its {field} {instant} lies before {name} flew (launched {day})"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_scene_is_of_the_future_or_older_than_its_satellite() {
        let at = |text: &str, collection: &str, platform: Option<&str>| {
            check(
                "datetime",
                text.parse().expect("an instant"),
                collection,
                platform,
            )
        };
        for (text, collection, platform, word) in [
            ("2099-01-01T00:00:00Z", "sentinel-2-l2a", None, "future"),
            ("0001-01-01T00:00:00Z", "sentinel-2-l2a", None, "sentinel-2a"),
            ("1900-01-01T00:00:00Z", "landsat-c2-l2", None, "landsat-4"),
            (
                "2016-05-01T03:00:00Z",
                "sentinel-2-l2a",
                Some("sentinel-2b"),
                "sentinel-2b",
            ),
            (
                "2014-01-01T03:00:00Z",
                "sentinel-1-grd",
                Some("sentinel-1x"),
                "sentinel-1a",
            ),
        ] {
            let error = at(text, collection, platform).expect_err(text);
            assert!(error.contains(word) && error.contains("datetime"), "{error}");
        }
        assert!(at("2016-05-01T03:00:00Z", "sentinel-2-l2a", Some("sentinel-2a")).is_ok());
        assert!(at("1988-05-01T03:00:00Z", "landsat-c2-l2", Some("landsat-5")).is_ok());
        assert!(
            check(
                "datetime",
                Utc::now() + TimeDelta::hours(3),
                "sentinel-2-l2a",
                None
            )
            .is_ok()
        );
    }
}
