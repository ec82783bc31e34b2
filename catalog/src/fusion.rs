//! Ground and sky of a zone's week, put side by side: the nearest station, and how much to trust what is shown. Pure
//! rules that the weekly run and the service share.

use crate::feature::Feature;
use geo::{Distance, Geodesic};
use geo_types::Point;
use serde::{Deserialize, Serialize};

/// A satellite mean of a zone stands for the zone from this share of its cells on (the rule for pairing plots with
/// ground values).
const ENOUGH_SEEN: f64 = 0.7;
/// Days for which a look is as good as new: the week it is of.
const FRESH_DAYS: f64 = 7.0;
/// After so many days a look says nothing of the week any more: rice changes its face in a month.
const STALE_DAYS: f64 = 28.0;
/// Metres up to which a gauge is the zone's own.
const NEAR_M: f64 = 1_000.0;
/// Metres from which a gauge says nothing of the zone: half the range of the variograms of the surfaces.
const FAR_M: f64 = 30_000.0;
/// Hours after which the newest observation of a station counts less, and after which it counts for nothing.
const NEW_HOURS: f64 = 6.0;
const OLD_HOURS: f64 = 168.0;
/// What one look alone is worth beside two: nothing bears it out, and nothing contradicts it. Ours, not measured.
const LONE_LOOK: f64 = 0.8;
/// Votes this far from undecided count as decided: a likelihood of 80 % or more, or of 20 % or less. Ours, not measured.
const DECIDED: f64 = 0.6;

/// A station and how far it is away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near<'a> {
    /// The station.
    pub station: &'a Feature,
    /// Geodesic distance on WGS 84, metres.
    pub distance_m: f64,
}

/// The stations that are asked, nearest to a place in degrees first; equally near ones by code.
pub fn nearest<'a>(stations: impl IntoIterator<Item = &'a Feature>, lon: f64, lat: f64) -> Vec<Near<'a>> {
    let place = Point::new(lon, lat);
    let near = |station: &'a Feature| {
        let bounds = station.bounds()?;
        let at = Point::new(
            f64::midpoint(bounds.west, bounds.east),
            f64::midpoint(bounds.south, bounds.north),
        );
        Some(Near {
            station,
            distance_m: Geodesic.distance(place, at),
        })
    };
    let mut near: Vec<_> = stations.into_iter().filter_map(near).collect();
    near.sort_by(|a, b| {
        let distance = a.distance_m.total_cmp(&b.distance_m);
        distance.then_with(|| a.station.code.cmp(&b.station.code))
    });
    near
}

/// Trust in a satellite value of a zone, 0 to 1: how much of the zone was seen (all of it counts from 70 % on) times how
/// fresh the look is (full for a week, then falling to nothing at four weeks).
pub fn trust_in_look(valid_fraction: f64, age_days: f64) -> f64 {
    fade(ENOUGH_SEEN - valid_fraction, 0.0, ENOUGH_SEEN) * fade(age_days, FRESH_DAYS, STALE_DAYS)
}

/// Trust in what the flood map says of a zone, 0 to 1: [`trust_in_look`] of its own looks, times how many of them voted
/// (one counts four fifths, two or more count in full), times how decided they were (in full from [`decided`] 0.6 on, a
/// likelihood of 80 % or of 20 %; undecided votes count for nothing). What is not known counts in full.
pub fn trust_in_flood(
    valid_fraction: f64,
    age_days: f64,
    mean_looks: Option<f64>,
    decided: Option<f64>,
) -> f64 {
    let looks = mean_looks.map_or(1.0, |looks| {
        LONE_LOOK + (1.0 - LONE_LOOK) * (looks - 1.0).clamp(0.0, 1.0)
    });
    let decided = decided.map_or(1.0, |decided| fade(DECIDED - decided, 0.0, DECIDED));
    trust_in_look(valid_fraction, age_days) * looks * decided
}

/// How far the likelihoods of water of a zone's cells, in per cent, lie from undecided: 0 where all are 50 %, 1 where each
/// is 0 or 100 %. The root mean square over the cells, so that a zone half of which is surely wet is decided too.
pub fn decided(mean_percent: f64, stdev_percent: f64) -> f64 {
    ((mean_percent - 50.0).hypot(stdev_percent) / 50.0).clamp(0.0, 1.0)
}

/// Trust in a station's value for a zone, 0 to 1: how near it is (full within a kilometre, then falling to nothing at 30 km)
/// times how new the observation is at the end of the week (full for six hours, nothing after a week).
pub fn trust_in_station(distance_m: f64, age_hours: f64) -> f64 {
    fade(distance_m, NEAR_M, FAR_M) * fade(age_hours, NEW_HOURS, OLD_HOURS)
}

/// 1 up to `full`, then in a straight line to 0 at `none`; 0 for what is no number.
fn fade(value: f64, full: f64, none: f64) -> f64 {
    if value.is_nan() {
        return 0.0;
    }
    ((none - value) / (none - full)).clamp(0.0, 1.0)
}

/// Trust in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Nothing was seen or measured.
    None,
    /// Below 0.4: a hint.
    Low,
    /// Below 0.7: go and look before acting.
    Medium,
    /// From 0.7 on.
    High,
}

impl Trust {
    /// Trust in a week: that of the best of its looks and stations, for one good witness is enough to know what is so.
    pub fn of(scores: impl IntoIterator<Item = f64>) -> Self {
        match scores.into_iter().fold(0.0, f64::max) {
            0.7.. => Self::High,
            0.4.. => Self::Medium,
            score if score > 0.0 => Self::Low,
            _ => Self::None,
        }
    }

    /// Name for people: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::None => ("không có số liệu", "no data"),
            Self::Low => ("thấp", "low"),
            Self::Medium => ("trung bình", "medium"),
            Self::High => ("cao", "high"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Geometry;

    fn station(code: &str, lon: f64, lat: f64) -> Feature {
        Feature::new("stations", code, Geometry::Point(Point::new(lon, lat)))
    }

    #[test]
    fn the_nearest_station_is_found_with_its_distance() {
        let stations = [
            station("TV-02", 105.70, 10.45),
            station("TV-01", 105.60, 10.45),
            station("TV-03", 105.60, 10.45),
        ];
        let all = nearest(&stations, 105.61, 10.45);
        let codes: Vec<_> = all.iter().map(|near| near.station.code.as_str()).collect();
        assert_eq!(codes, ["TV-01", "TV-03", "TV-02"]);
        let near = all.first().expect("there are three");
        // 0.01 degrees along the parallel of 10.45 degrees on the ellipsoid: 1094.852 m
        assert!((near.distance_m - 1094.852).abs() < 0.01, "{}", near.distance_m);
        assert_eq!(nearest(&[], 105.6, 10.4), []);
    }

    #[test]
    fn trust_falls_with_clouds_age_and_distance() {
        assert_eq!(trust_in_look(0.9, 3.0), 1.0);
        assert_eq!(trust_in_look(0.35, 3.0), 0.5);
        assert_eq!(trust_in_look(1.0, 17.5), 0.5);
        assert_eq!(trust_in_look(1.0, 40.0), 0.0);
        assert_eq!(trust_in_look(f64::NAN, 1.0), 0.0);
        assert_eq!(trust_in_station(500.0, 1.0), 1.0);
        assert_eq!(trust_in_station(15_500.0, 1.0), 0.5);
        assert_eq!(trust_in_station(500.0, 1000.0), 0.0);
        // one look that is all but sure is to be relied on, one that wavers is not
        let lone =
            |likelihood, spread| trust_in_flood(1.0, 3.0, Some(1.0), Some(decided(likelihood, spread)));
        assert_eq!(Trust::of([lone(97.0, 5.0)]), Trust::High);
        assert_eq!(Trust::of([lone(3.0, 5.0)]), Trust::High);
        assert_eq!(Trust::of([lone(60.0, 10.0)]), Trust::Low);
        // half under water for sure, half dry for sure
        assert_eq!((decided(50.0, 50.0), decided(50.0, 0.0)), (1.0, 0.0));
        assert_eq!(trust_in_flood(1.0, 3.0, Some(2.0), Some(0.6)), 1.0);
        assert_eq!(trust_in_flood(0.35, 3.0, Some(1.5), None), 0.45);
        assert_eq!(Trust::of([0.2, 0.8]), Trust::High);
        assert_eq!(Trust::of([0.5]), Trust::Medium);
        assert_eq!(Trust::of([0.1, 0.0]), Trust::Low);
        assert_eq!(Trust::of([]), Trust::None);
        assert!(Trust::Low < Trust::High);
    }
}
