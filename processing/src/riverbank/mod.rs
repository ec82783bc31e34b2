//! Erosion and accretion of river banks: water of two times compared reach by reach.
//!
//! [`mask`] says where water was for good, [`reach`] which cells belong to which reach, [`change`] what became of the
//! banks. Water higher in one of the times moves its edge as erosion does: compare times of like levels, such as whole
//! years.

mod change;
mod distance;
mod mask;
mod reach;

#[cfg(test)]
mod tests;

pub use change::{Change, Verdict};
pub use mask::{Cell, Mask, Permanence, Values};
pub use reach::{Reach, Rules};

use crate::{Error, Result};
use sen_catalog::Feature;
use serde_json::{Value, json};

/// The change of each reach: of a layer's, or of those found in the water.
///
/// # Errors
/// When the masks lie on different grids, or there is no reach.
pub fn compare(
    before: &Mask,
    after: &Mask,
    layer: Option<&[Feature]>,
    rules: &Rules,
) -> Result<Vec<(Reach, Change)>> {
    if before.grid != after.grid {
        return Err(Error::Invalid("the two times lie on different grids".into()));
    }
    let (labels, reaches) = match layer {
        Some(features) => reach::given(features, &before.grid, rules)?,
        None => reach::found(before, after, rules)?,
    };
    let changes = change::measure(before, after, &labels, &reaches);
    Ok(reaches.into_iter().zip(changes).collect())
}

/// The reaches as features of a layer, their change as attributes.
pub fn features(layer: &str, changes: &[(Reach, Change)], before: &Mask, after: &Mask) -> Vec<Feature> {
    changes
        .iter()
        .map(|(reach, change)| {
            let mut feature = Feature::new(layer, &reach.code, reach.geometry.clone());
            feature.name.clone_from(&reach.name);
            for (name, text) in [
                ("before", &before.made_of),
                ("after", &after.made_of),
                ("time_before", &before.time),
                ("time_after", &after.time),
            ] {
                feature.properties.insert(name.into(), json!(text));
            }
            feature.properties.extend(change.attributes());
            feature
        })
        .collect()
}

impl Change {
    /// The change as attributes: hectares to the square decametre, metres to the decimetre.
    fn attributes(&self) -> impl Iterator<Item = (String, Value)> {
        let unseen = self.change == Verdict::Unseen;
        let number = move |value: f64, digits: f64| {
            if unseen {
                Value::Null
            } else {
                json!((value * digits).round() / digits)
            }
        };
        [
            ("change", json!(self.change)),
            ("eroded_ha", number(self.eroded_ha, 100.0)),
            ("accreted_ha", number(self.accreted_ha, 100.0)),
            ("bank_m", number(self.bank_m, 10.0)),
            ("retreat_mean_m", number(self.retreat_mean_m, 10.0)),
            ("retreat_max_m", number(self.retreat_max_m, 10.0)),
            ("advance_mean_m", number(self.advance_mean_m, 10.0)),
            ("advance_max_m", number(self.advance_max_m, 10.0)),
            ("min_detectable_m", json!(self.min_detectable_m)),
            ("seen_share", json!((self.seen_share * 1000.0).round() / 1000.0)),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
    }
}
