//! What was taken back: a scene, a feature, readings. Its rows are kept aside, so that it can be brought back as it was.

use crate::run::{Dataset, Unit};
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WithdrawalTarget {
    /// An item of scenes.
    Scene {
        /// Its collection.
        collection: String,
        /// Its id.
        id: String,
    },
    /// A feature in all its versions.
    Feature {
        /// Its layer.
        layer: String,
        /// Its code, of any scheme.
        code: String,
    },
    /// Readings of a datastream.
    Readings {
        /// The station's code.
        station: String,
        /// The property.
        property: String,
        /// Those measured at this time or later; none: from the first.
        from: Option<DateTime<Utc>>,
        /// Those measured before this time; none: to the last.
        to: Option<DateTime<Utc>>,
    },
}

impl fmt::Display for WithdrawalTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scene { collection, id } => write!(f, "{collection}/{id}"),
            Self::Feature { layer, code } => write!(f, "{layer} {code}"),
            Self::Readings {
                station,
                property,
                from,
                to,
            } => {
                write!(f, "{station}/{property}")?;
                let local = |time: &DateTime<Utc>| {
                    let local = time.with_timezone(&crate::period::local_zone());
                    local.format("%Y-%m-%dT%H:%M%:z").to_string()
                };
                match (from.as_ref().map(local), to.as_ref().map(local)) {
                    (None, None) => Ok(()),
                    (from, to) => write!(
                        f,
                        " {}/{}",
                        from.as_deref().unwrap_or(".."),
                        to.as_deref().unwrap_or("..")
                    ),
                }
            }
        }
    }
}

/// One withdrawal, also one that was undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// Its number.
    pub id: i64,
    /// What was taken back.
    #[serde(flatten)]
    pub target: WithdrawalTarget,
    /// What steps read that it was of.
    #[serde(skip)]
    pub unit: Unit,
    /// When, to the second.
    pub withdrawn: DateTime<Utc>,
    /// Why, where it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was brought back, where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone: Option<DateTime<Utc>>,
    /// Rows that went, or came back.
    pub rows: usize,
}

impl Withdrawal {
    /// True while it is in force.
    pub fn is_active(&self) -> bool {
        self.undone.is_none()
    }

    /// True when what it took back was read for a unit whose fingerprint has a part of this name: of the same week, or where
    /// either is of all weeks.
    pub fn was_read(&self, part: &str, unit: &Unit) -> bool {
        let is_of_week =
            self.unit.period.is_none() || unit.period.is_none() || self.unit.period == unit.period;
        let read = part.parse::<Dataset>();
        is_of_week && read.is_ok_and(|read| read.meets(&self.unit.dataset))
    }
}

/// Takes back and brings back, each in one transaction that moves the revisions of what readers see.
#[async_trait]
pub trait Withdrawals: Send + Sync {
    /// Takes something back.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nothing of it is there.
    async fn withdraw(&self, target: &WithdrawalTarget, reason: Option<&str>) -> Result<Withdrawal>;

    /// Brings back what was withdrawn last under this name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was not withdrawn, [`Error::Invalid`] when something else is in its place by now.
    async fn undo_withdrawal(&self, target: &WithdrawalTarget) -> Result<Withdrawal>;

    /// All of them, the newest first.
    async fn withdrawals(&self) -> Result<Vec<Withdrawal>>;
}

/// What to say where nothing is to be taken back.
pub(super) fn nothing_there(target: &WithdrawalTarget) -> Error {
    let what_to_do = match target {
        WithdrawalTarget::Scene { .. } => {
            "`sen check --digest` and /raster/collections/COLLECTION/items list items"
        }
        WithdrawalTarget::Feature { .. } => "/api/v1/zones and /api/v1/zones/LAYER list layers and codes",
        WithdrawalTarget::Readings { .. } => "/api/v1/stations lists stations and what they measure",
    };
    Error::NotFound(format!("there is no {target} in the catalogue; {what_to_do}"))
}
