//! What ground sensors measure: datastreams and their observations, in the words of SensorThings.
//!
//! A station is a [`Feature`](crate::Feature) of a point layer (`stations`); its code is what a datastream points at.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Quality flags of QARTOD (IOOS), as numbers on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum Flag {
    /// Passed.
    Good = 1,
    /// No test could be made.
    NotEvaluated = 2,
    /// Use with care.
    Suspect = 3,
    /// Do not use.
    Fail = 4,
    /// No value.
    Missing = 9,
}

impl Flag {
    /// The one that counts of two: 4 before 3, 1, 2 and 9, as `qartod_compare` of `ioos_qc` has it.
    #[must_use]
    pub fn rolled_up(self, other: Self) -> Self {
        let weight = |flag| match flag {
            Self::Fail => 4,
            Self::Suspect => 3,
            Self::Good => 2,
            Self::NotEvaluated => 1,
            Self::Missing => 0,
        };
        if weight(other) > weight(self) { other } else { self }
    }

    /// True for values that may be summed up and reckoned with: nothing speaks against them, as tests were passed or there
    /// are none for the property.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::NotEvaluated)
    }

    /// True for values that may be shown: neither failed nor missing.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Fail | Self::Missing)
    }
}

impl From<Flag> for u8 {
    fn from(flag: Flag) -> Self {
        flag as Self
    }
}

impl TryFrom<u8> for Flag {
    type Error = crate::Error;
    fn try_from(number: u8) -> crate::Result<Self> {
        match number {
            1 => Ok(Self::Good),
            2 => Ok(Self::NotEvaluated),
            3 => Ok(Self::Suspect),
            4 => Ok(Self::Fail),
            9 => Ok(Self::Missing),
            other => Err(crate::Error::Invalid(format!(
                "{other} is no quality flag; QARTOD knows 1, 2, 3, 4 and 9"
            ))),
        }
    }
}

/// Which tests had something to say about a value: a set of bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marks(pub u8);

impl Marks {
    /// Outside the sensor's or the user's span.
    pub const RANGE: Self = Self(1);
    /// A spike.
    pub const SPIKE: Self = Self(2);
    /// Faster than nature.
    pub const RATE: Self = Self(4);
    /// The same value for too long.
    pub const FLAT: Self = Self(8);
    /// Less movement than there must be.
    pub const ATTENUATED: Self = Self(16);
    /// Values are missing before this one. It marks a place, it does not make the value worse.
    pub const GAP: Self = Self(32);
    /// Whoever delivered the value flagged it.
    pub const GIVEN: Self = Self(64);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::RANGE, "range"),
        (Self::SPIKE, "spike"),
        (Self::RATE, "rate"),
        (Self::FLAT, "flat_line"),
        (Self::ATTENUATED, "attenuated"),
        (Self::GAP, "gap"),
        (Self::GIVEN, "given"),
    ];

    /// True when all marks of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Sets the marks of `other` too.
    pub fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The marks by name.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let set = Self::NAMES
            .into_iter()
            .filter(move |(mark, _)| self.contains(*mark));
        set.map(|(_, name)| name)
    }
}

/// What one sensor measures at one station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Datastream {
    /// Given by the store; 0 before the first `put`.
    pub id: i64,
    /// Code of the station, a feature of the layer `stations`.
    pub station: String,
    /// What is measured, by the project's name: `water_level`, `salinity`, `ph`, `temperature`, `humidity`, `rain`, ...
    pub property: String,
    /// Unit, UCUM: `m`, `g/L`, `[pH]`, `Cel`, `%`, `mm`.
    pub unit: String,
    /// Name for people.
    pub name: String,
}

/// One measured value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The datastream.
    pub datastream: i64,
    /// When it was measured; the store keeps milliseconds.
    pub time: DateTime<Utc>,
    /// The value in the datastream's unit; none: reported as missing.
    pub value: Option<f64>,
    /// Quality.
    pub flag: Flag,
}

/// An observation with what is known about it beside its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The observation.
    #[serde(flatten)]
    pub observation: Observation,
    /// What the tests said.
    pub marks: Marks,
    /// When it reached the store, to the second.
    pub arrived: DateTime<Utc>,
    /// See [`Reading::fields`].
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// A value as it comes from a sensor, before the tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When it was measured.
    pub time: DateTime<Utc>,
    /// The value in the datastream's unit; none: reported as missing.
    pub value: Option<f64>,
    /// What the deliverer says of it; [`Flag::NotEvaluated`] when nothing.
    pub given: Flag,
    /// What an Observation of SensorThings says beside its value, kept as it came: `resultTime`, `validTime`,
    /// `parameters`. Mostly empty.
    pub fields: Map<String, Value>,
}

/// What recording readings did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Times that were not known.
    pub added: usize,
    /// Times whose value or given flag was another before.
    pub changed: usize,
    /// Times that were known as they came.
    pub unchanged: usize,
    /// Stored values that were not delivered now and whose flag or marks changed by what was.
    pub reflagged: usize,
}

impl std::ops::AddAssign for Recorded {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.reflagged += other.reflagged;
    }
}

/// Length of the intervals that observations are summed up over, in local time (UTC+7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight, local time.
    Day,
    /// ISO weeks: from Monday to Monday, local time.
    Week,
}

impl std::str::FromStr for Step {
    type Err = crate::Error;
    fn from_str(text: &str) -> crate::Result<Self> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            "week" => Ok(Self::Week),
            other => Err(crate::Error::Invalid(format!(
                "step `{other}` is not known; there are hour, day and week"
            ))),
        }
    }
}

/// Observations of one interval, summed up: the [good](Flag::is_good) ones. Suspect, failed and missing ones are left
/// out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Where the interval begins.
    pub start: DateTime<Utc>,
    /// How many values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Aggregate {
    /// The sum of the values, which is what counts for rain.
    pub fn sum(&self) -> f64 {
        self.mean * self.count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_roll_up_as_in_ioos_qc() {
        // qartod_compare of ioos_qc 3.0.0: 4 > 3 > 1 > 2 > 9
        use Flag::{Fail, Good, Missing, NotEvaluated, Suspect};
        let order = [Missing, NotEvaluated, Good, Suspect, Fail];
        for (i, &a) in order.iter().enumerate() {
            for (j, &b) in order.iter().enumerate() {
                assert_eq!(a.rolled_up(b), order[i.max(j)]);
            }
        }
    }

    #[test]
    fn marks_have_names() {
        let mut marks = Marks::SPIKE;
        marks.insert(Marks::GAP);
        assert_eq!(marks.names().collect::<Vec<_>>(), ["spike", "gap"]);
        assert!(!marks.contains(Marks::RATE));
    }
}
