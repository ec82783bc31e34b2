//! The one shape of what could not be done.

use crate::address::unsigned_text;
use crate::period::Period;
use serde::Serialize;
use std::fmt;

/// A scene, file, address, setting or zone, and what is to be said of it: why it cannot be used, as a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The file, address or id (`collection/id` of a scene).
    pub what: String,
    /// The week it is of, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// What is wrong with it and, where a person can do something, what to do.
    pub reason: String,
}

impl Failure {
    /// What is to be said of something; a reason that begins with its name does not say it twice. Secrets of signed addresses
    /// are left out.
    pub fn new(what: impl fmt::Display, reason: impl fmt::Display) -> Self {
        let what = unsigned_text(&what.to_string()).into_owned();
        let text = unsigned_text(&reason.to_string()).into_owned();
        let reason = text
            .strip_prefix(&format!("{what}: "))
            .unwrap_or(&text)
            .to_owned();
        Self {
            what,
            period: None,
            reason,
        }
    }

    /// The same of one week.
    #[must_use]
    pub fn in_week(self, week: Period) -> Self {
        Self {
            period: Some(week),
            ..self
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(period) = self.period {
            write!(f, "{period}: ")?;
        }
        write!(f, "{}: {}", self.what, self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_once_and_a_week_comes_first() {
        let failure = Failure::new("a.tif", "a.tif: is cut short");
        assert_eq!(failure.to_string(), "a.tif: is cut short");
        let week = "2026-W34".parse().expect("a week");
        assert_eq!(failure.in_week(week).to_string(), "2026-W34: a.tif: is cut short");
        let signed = Failure::new("https://h/a.tif?sig=secret", "https://h/a.tif?sig=secret: 403");
        assert!(!signed.to_string().contains("secret"), "{signed}");
    }
}
