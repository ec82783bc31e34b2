//! Thresholds, as `[quality.PROPERTY]` of `sen.toml` has them.

use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Spans of a value, in the property's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// What the sensor can say; outside of it the value fails.
    pub fail: [f64; 2],
    /// What users expect; outside of it the value is suspect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspect: Option<[f64; 2]>,
}

/// How the height of a spike is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SpikeMethod {
    /// Distance from the mean of the two neighbours.
    #[default]
    Average,
    /// The smaller of the two steps, where they go in opposite directions.
    Differential,
}

/// Heights of spikes, in the property's unit; 0 is no threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// Higher ones are suspect.
    pub suspect: f64,
    /// Higher ones fail.
    pub fail: f64,
    /// How the height is measured.
    #[serde(default)]
    pub method: SpikeMethod,
}

/// Speeds of change, in units per hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Faster changes are suspect.
    pub suspect_per_hour: f64,
    /// Faster changes fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_per_hour: Option<f64>,
}

/// How long a value may stand still.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flat {
    /// Hours after which it is suspect.
    pub suspect_hours: f64,
    /// Hours after which it fails.
    pub fail_hours: f64,
    /// Movement below this is none, in the property's unit.
    pub tolerance: f64,
}

/// What counts as movement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Movement {
    /// Population standard deviation.
    #[default]
    Deviation,
    /// Largest less smallest value.
    Range,
}

/// How much a value must move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attenuated {
    /// Less movement is suspect.
    pub suspect: f64,
    /// Less movement fails.
    pub fail: f64,
    /// Seconds to look back.
    pub period_s: Option<u32>,
    /// Fewer values than this are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_count: Option<u32>,
    /// What counts as movement.
    #[serde(default)]
    pub by: Movement,
}

/// The tests of a property; those that are absent are not made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tests {
    /// Spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Spikes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spike: Option<Spike>,
    /// Speed of change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Standing still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<Flat>,
    /// Too little movement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attenuated: Option<Attenuated>,
    /// Seconds between values, which windows are counted in; longer steps than 1.5 of it are gaps. Without it the
    /// median step of the neighbourhood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// Tests of the built-in set that are not to be made: `range`, `spike`, `rate`, `flat`, `attenuated`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl Tests {
    /// These tests with what `other` says put in their place.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a test that does not exist in `without`, and for spans and thresholds that make no sense.
    pub fn overridden(mut self, other: &Self) -> Result<Self> {
        for name in &other.without {
            match name.as_str() {
                "range" => self.range = None,
                "spike" => self.spike = None,
                "rate" => self.rate = None,
                "flat" => self.flat = None,
                "attenuated" => self.attenuated = None,
                other => {
                    return Err(Error::Invalid(format!(
                        "without: there is no test `{other}`; there are range, spike, rate, flat and attenuated"
                    )));
                }
            }
        }
        let other = other.clone();
        let tests = Self {
            range: other.range.or(self.range),
            spike: other.spike.or(self.spike),
            rate: other.rate.or(self.rate),
            flat: other.flat.or(self.flat),
            attenuated: other.attenuated.or(self.attenuated),
            interval_s: other.interval_s.or(self.interval_s),
            without: Vec::new(),
        };
        tests.sane()?;
        Ok(tests)
    }

    fn sane(&self) -> Result<()> {
        let invalid = |what: &str| Err(Error::Invalid(what.to_owned()));
        if let Some(Range { fail, suspect }) = &self.range {
            let inside = |span: &[f64; 2]| span[0] >= fail[0] && span[1] <= fail[1] && span[0] <= span[1];
            if fail[0] > fail[1] || suspect.as_ref().is_some_and(|span| !inside(span)) {
                return invalid(
                    "range: the suspect span must lie within the fail span, smaller number first",
                );
            }
        }
        let hours = |hours: f64| (0.0..=24.0 * 31.0).contains(&hours);
        match &self.flat {
            Some(flat) if !hours(flat.suspect_hours) || !hours(flat.fail_hours) => {
                invalid("flat: hours must lie between 0 and 744")
            }
            _ if self
                .attenuated
                .as_ref()
                .is_some_and(|test| test.period_s.is_none_or(|s| s > 31 * 86_400)) =>
            {
                invalid("attenuated: period_s must be given and at most 2678400 (31 days)")
            }
            _ => Ok(()),
        }
    }
}
