//! What the gauge of a compartment says of a week: how high the water stood, against the alarm levels BĐ1 to BĐ3.

use crate::feature::Feature;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days in a row that a tide may stay above BĐ3 and still be called a tide.
const TIDE_DAYS: i64 = 3;
/// Readings that make a week: fewer say nothing.
const FEWEST: usize = 3;

/// Alarm levels of a station, metres above the zero of its own series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmLevels {
    /// Báo động 1.
    pub bd1_m: f64,
    /// Báo động 2.
    pub bd2_m: f64,
    /// Báo động 3.
    pub bd3_m: f64,
}

impl AlarmLevels {
    /// Levels that rise; others are none.
    pub fn new([bd1_m, bd2_m, bd3_m]: [f64; 3]) -> Option<Self> {
        let rising = bd1_m.is_finite() && bd1_m < bd2_m && bd2_m < bd3_m && bd3_m.is_finite();
        rising.then_some(Self { bd1_m, bd2_m, bd3_m })
    }

    /// The attributes `bd1_m`, `bd2_m` and `bd3_m` of a station, where all three are there and rise.
    pub fn of(station: &Feature) -> Option<Self> {
        let number = |name: &str| {
            let value = station.properties.get(name)?;
            value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
        };
        Self::new([number("bd1_m")?, number("bd2_m")?, number("bd3_m")?])
    }

    /// The heights of BĐ1 to BĐ3, metres.
    pub fn heights(&self) -> [f64; 3] {
        [self.bd1_m, self.bd2_m, self.bd3_m]
    }

    /// The highest alarm level that is reached: 0 for none, 1 to 3.
    pub fn reached(&self, level_m: f64) -> u8 {
        self.heights()
            .into_iter()
            .map(|alarm| u8::from(level_m >= alarm))
            .sum()
    }
}

/// The week of a gauge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaugeWeek {
    /// Code of the station.
    pub station: String,
    /// From the compartment's middle, metres.
    pub distance_m: f64,
    /// Highest good reading of the week, metres.
    pub highest_m: f64,
    /// The alarm level it reached, 0 to 3.
    pub alarm: u8,
    /// True when only high tides passed BĐ3, for at most three days in a row, and low tides of those days stayed below
    /// BĐ1: the river itself is not in flood.
    pub tide: bool,
    /// The alarm level that even low water reached on some day: 0 while only high tides reach one.
    #[serde(default)]
    pub low_water_alarm: u8,
    /// Last day of the week on which BĐ1 was reached.
    #[serde(default)]
    pub last_alarm: Option<NaiveDate>,
}

impl GaugeWeek {
    /// The week told by good readings (local day, metres); none of too few.
    pub fn of(
        station: &str,
        distance_m: f64,
        levels: AlarmLevels,
        readings: impl IntoIterator<Item = (NaiveDate, f64)>,
    ) -> Option<Self> {
        let mut days: BTreeMap<NaiveDate, (f64, f64)> = BTreeMap::new();
        let mut count = 0;
        for (day, level) in readings {
            if !level.is_finite() {
                continue;
            }
            count += 1;
            let (low, high) = days.entry(day).or_insert((level, level));
            *low = low.min(level);
            *high = high.max(level);
        }
        if count < FEWEST {
            return None;
        }
        let highest_m = days.values().map(|(_, high)| *high).fold(f64::MIN, f64::max);
        let peaks: Vec<(NaiveDate, f64)> = days
            .iter()
            .filter(|(_, (_, high))| levels.reached(*high) == 3)
            .map(|(day, (low, _))| (*day, *low))
            .collect();
        let span = peaks
            .last()
            .zip(peaks.first())
            .map_or(0, |(last, first)| (last.0 - first.0).num_days() + 1);
        let tide = !peaks.is_empty() && span <= TIDE_DAYS && peaks.iter().all(|(_, low)| *low < levels.bd1_m);
        Some(Self {
            station: station.to_owned(),
            distance_m,
            highest_m,
            alarm: levels.reached(highest_m),
            tide,
            low_water_alarm: days
                .values()
                .map(|(low, _)| levels.reached(*low))
                .max()
                .unwrap_or(0),
            last_alarm: days
                .iter()
                .filter(|(_, (_, high))| levels.reached(*high) > 0)
                .map(|(day, _)| *day)
                .next_back(),
        })
    }
}
