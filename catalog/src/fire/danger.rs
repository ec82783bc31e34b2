//! The index P of forest-fire danger (Nesterov's, as Pham Ngoc Hung uses it in Viet Nam) and its levels I to V.
//!
//! P is the sum, over the days since the last rain, of air temperature times saturation deficit at 13:00 local time; a day
//! of rain sets it to nought. Which rain and which levels is provincial law, and so a setting.

use serde::{Deserialize, Serialize};

/// Saturation vapour pressure over water, hPa, at an air temperature in degrees Celsius (Magnus form with 6.1078, 7.5 and
/// 237.3).
pub fn saturation_pressure_hpa(temperature_c: f64) -> f64 {
    6.1078 * 10_f64.powf(7.5 * temperature_c / (237.3 + temperature_c))
}

/// What the air lacks of being saturated, hPa; relative humidity in percent.
pub fn saturation_deficit_hpa(temperature_c: f64, humidity_percent: f64) -> f64 {
    saturation_pressure_hpa(temperature_c) * (1.0 - humidity_percent.clamp(0.0, 100.0) / 100.0)
}

/// What a dry day adds to P; never less than nought.
///
/// ```
/// # use sen_catalog::fire::danger::dry_day;
/// assert!((dry_day(33.0, 55.0) - 746.897).abs() < 5e-4);
/// ```
pub fn dry_day(temperature_c: f64, humidity_percent: f64) -> f64 {
    (temperature_c * saturation_deficit_hpa(temperature_c, humidity_percent)).max(0.0)
}

/// P at the end of a day: nought when it rained `reset_mm` or more, otherwise that of the day before and what the day adds.
pub fn index_p(before: f64, temperature_c: f64, humidity_percent: f64, rain_mm: f64, reset_mm: f64) -> f64 {
    if rain_mm >= reset_mm {
        0.0
    } else {
        before + dry_day(temperature_c, humidity_percent)
    }
}

/// A level of danger (Decree 156/2018/ND-CP, article 46).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum Level {
    /// Low.
    I = 1,
    /// Medium.
    II = 2,
    /// High.
    III = 3,
    /// Dangerous: warnings are published daily from here on.
    IV = 4,
    /// Extremely dangerous.
    V = 5,
}

impl Level {
    /// All, rising.
    pub const ALL: [Self; 5] = [Self::I, Self::II, Self::III, Self::IV, Self::V];

    /// The level of a P by the upper bounds of levels I to IV.
    pub fn of(p: f64, bounds: &[f64; 4]) -> Self {
        let above = bounds.iter().filter(|bound| p > **bound).count();
        Self::ALL[above.min(4)]
    }

    /// As it stands on the signs in the forest.
    pub fn roman(self) -> &'static str {
        match self {
            Self::I => "I",
            Self::II => "II",
            Self::III => "III",
            Self::IV => "IV",
            Self::V => "V",
        }
    }

    /// What it means: Vietnamese, English.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::I => ("thấp", "low"),
            Self::II => ("trung bình", "medium"),
            Self::III => ("cao", "high"),
            Self::IV => ("nguy hiểm", "dangerous"),
            Self::V => ("cực kỳ nguy hiểm", "extremely dangerous"),
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level as Self
    }
}

impl TryFrom<u8> for Level {
    type Error = crate::Error;
    fn try_from(number: u8) -> crate::Result<Self> {
        let known = Self::ALL.into_iter().find(|level| *level as u8 == number);
        known.ok_or_else(|| {
            crate::Error::Invalid(format!(
                "{number} is no level of fire danger; there are 1 (I) to 5 (V)"
            ))
        })
    }
}
