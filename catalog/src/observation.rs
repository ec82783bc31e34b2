//! What ground sensors measure: datastreams and their observations, in the words of SensorThings.
//!
//! A station is a [`Feature`](crate::Feature) of a point layer (`stations`); its code is what a datastream points at.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
    /// When it was measured.
    pub time: DateTime<Utc>,
    /// The value in the datastream's unit; none: reported as missing.
    pub value: Option<f64>,
    /// Quality.
    pub flag: Flag,
}
