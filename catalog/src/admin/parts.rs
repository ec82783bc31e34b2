//! Which unit each zone of a layer is counted in, so that the sums of communes are those of their districts and
//! provinces, and the rest is named.

use super::{AdminUnit, Hierarchy, Level};
use crate::Result;
use crate::feature::Feature;
use crate::store::Store;
use chrono::NaiveDate;

/// The units of one level on one day, and the way to them through their communes.
#[derive(Debug)]
pub struct Division {
    communes: Hierarchy,
    level: Option<Hierarchy>,
}

impl Division {
    /// Loads the units of all times and the polygons of communes and of this level on the day.
    ///
    /// # Errors
    /// What the store says.
    pub async fn load(store: &dyn Store, level: Level, day: NaiveDate) -> Result<Self> {
        Ok(Self {
            communes: Hierarchy::load(store, Level::Commune, day).await?,
            level: match level {
                Level::Commune => None,
                Level::Province | Level::District => Some(Hierarchy::load(store, level, day).await?),
            },
        })
    }

    /// The unit a zone is counted in: that of its commune where its commune is known, so that a zone on a border is not
    /// in the commune of one district and in another district.
    pub fn unit_of(&self, zone: &Feature) -> Option<AdminUnit> {
        let commune = self.communes.unit_of(zone).map(|placed| placed.unit);
        let Some(level) = &self.level else {
            return commune;
        };
        commune
            .as_ref()
            .and_then(|commune| level.climb(commune).cloned())
            .or_else(|| level.unit_of(zone).map(|placed| placed.unit))
    }
}
