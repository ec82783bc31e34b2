//! Looks at plots that were read before: a table a scene and layer, so that a new scene costs one scene.

use super::looks::PlotLook;
use crate::Result;
use sen_catalog::Assets;
use sen_catalog::statistic::{StatisticTable, ZonalStatistic};
use std::collections::BTreeMap;

/// Where the tables lie, under the folder of the assets. They are no items: a table that is gone is made again.
const FOLDER: &str = "looks";
/// Metadata that says what a table was made of.
const MADE_OF: &str = "made_of";
/// Metadata that says when the look was, and at what.
const DAY: &str = "day";
const QUANTITY: &str = "quantity";

/// The tables of one layer.
pub(super) struct Kept<'a> {
    pub(super) assets: &'a Assets,
    pub(super) layer: &'a str,
    /// The plots, ascending.
    pub(super) fids: &'a [i64],
}

impl Kept<'_> {
    fn href(&self, scene: &str) -> String {
        let name: String = scene
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || "-_.".contains(c) {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        format!("{FOLDER}/{}/{name}.arrow", self.layer)
    }

    /// The look at the plots that a scene gave, if its table was made of the same.
    pub(super) fn load(&self, scene: &str, made_of: &str) -> Option<PlotLook> {
        let table = StatisticTable::open(&self.assets.path(&self.href(scene))).ok()?;
        let text = |name: &str| table.metadata().get(name).map(String::as_str);
        if text(MADE_OF) != Some(made_of) || table.fids() != self.fids {
            return None;
        }
        Some(PlotLook {
            day: text(DAY)?.parse().ok()?,
            quantity: text(QUANTITY)?.parse().ok()?,
            values: table.column("mean")?.iter().map(|value| *value as f32).collect(),
        })
    }

    /// Keeps a look.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub(super) fn save(&self, scene: &str, made_of: &str, look: &PlotLook) -> Result<()> {
        let row = |(fid, value): (&i64, &f32)| {
            let mean = (!value.is_nan()).then_some(f64::from(*value));
            let statistic = ZonalStatistic {
                mean,
                ..ZonalStatistic::default()
            };
            (*fid, String::new(), statistic)
        };
        let rows: Vec<_> = self.fids.iter().zip(&look.values).map(row).collect();
        let metadata = [
            (MADE_OF, made_of.to_owned()),
            (DAY, look.day.to_string()),
            (QUANTITY, look.quantity.name().to_owned()),
        ];
        let metadata: BTreeMap<String, String> = metadata
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let temporary = self.assets.temporary("look");
        let kept = StatisticTable::write(&temporary, &rows, &metadata)
            .and_then(|()| self.assets.publish(&temporary, &self.href(scene)));
        if kept.is_err() {
            // what is half written is of no use; the error that matters is the first
            let _ = std::fs::remove_file(&temporary);
        }
        Ok(kept?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::looks::Quantity;
    use super::*;

    #[test]
    fn a_look_comes_back_as_it_was_kept_and_only_for_the_same_plots_and_scene() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let assets = Assets::open(folder.path()).expect("assets");
        let fids = [3, 5, 9];
        let kept = Kept {
            assets: &assets,
            layer: "plots",
            fids: &fids,
        };
        let look = PlotLook {
            day: 739_000,
            quantity: Quantity::Vh,
            values: vec![-15.25, f32::NAN, -23.125],
        };
        kept.save("sentinel-1-rtc/S1A_x", "abc", &look).expect("written");
        let back = kept.load("sentinel-1-rtc/S1A_x", "abc").expect("kept");
        assert_eq!((back.day, back.quantity), (look.day, look.quantity));
        assert_eq!((back.values[0], back.values[2]), (-15.25, -23.125));
        assert!(back.values[1].is_nan());
        assert!(kept.load("sentinel-1-rtc/S1A_x", "abd").is_none());
        assert!(kept.load("sentinel-1-rtc/S1A_y", "abc").is_none());
        let fewer = Kept {
            fids: &fids[..2],
            ..kept
        };
        assert!(fewer.load("sentinel-1-rtc/S1A_x", "abc").is_none());
    }
}
