//! Loss alerts of Global Forest Watch: a pixel of the integrated raster is one number.

use crate::{Error, Result};
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// How sure the alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// One system, not confirmed.
    Low,
    /// One system, confirmed.
    High,
    /// More than one system.
    Highest,
}

/// An alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The day it was first seen.
    pub day: NaiveDate,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Reads a pixel: the leading digit is the confidence, the other four count the days since 2014-12-31; 0 is no alert.
///
/// ```
/// # use sen_catalog::fire::alert::{Confidence, decode};
/// let alert = decode(30_055).expect("a code").expect("an alert");
/// assert_eq!((alert.day.to_string().as_str(), alert.confidence), ("2015-02-24", Confidence::High));
/// ```
///
/// # Errors
/// [`Error::Invalid`] for a number that is no code.
pub fn decode(code: u32) -> Result<Option<Alert>> {
    let unknown = || {
        Error::Invalid(format!(
            "{code} is no alert of the integrated raster; codes are 0, or 2, 3 or 4 and four digits of days"
        ))
    };
    let confidence = match code / 10_000 {
        0 if code == 0 => return Ok(None),
        2 => Confidence::Low,
        3 => Confidence::High,
        4 => Confidence::Highest,
        _ => return Err(unknown()),
    };
    let days = code % 10_000;
    let day = NaiveDate::from_ymd_opt(2014, 12, 31)
        .and_then(|zero| zero.checked_add_days(Days::new(u64::from(days))))
        .filter(|_| days > 0);
    Ok(Some(Alert {
        day: day.ok_or_else(unknown)?,
        confidence,
    }))
}
