//! Looks at plots that were read before: a table a scene and layer, so that a new scene costs one scene.

use super::looks::PlotLook;
use crate::{Error, Result};
use sen_catalog::statistic::{StatisticTable, ZonalStatistic};
use sen_catalog::{Assets, asset};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Where the tables lie, under the folder of the assets. They are no items: a table that is gone or damaged is made again.
pub const FOLDER: &str = "looks";
/// Longest name of a scene that becomes the name of its file, below the 255 bytes of file systems.
const LONGEST_NAME: usize = 200;
/// Metadata that says what a table was made of.
const MADE_OF: &str = "made_of";
/// Metadata that says when the look was, and at what.
const DAY: &str = "day";
const QUANTITY: &str = "quantity";
/// Metadata that holds the checksum of all the rest: no row of the catalogue knows these files.
const SUM: &str = "sha256";

/// What a table is recognised by: metadata, plots and values.
fn sum(metadata: &BTreeMap<String, String>, fids: &[i64], shapes: &[u64], values: &[f64]) -> String {
    let mut hasher = Sha256::new();
    for (name, value) in metadata.iter().filter(|(name, _)| *name != SUM) {
        hasher.update(format!("{name}={value}\n"));
    }
    for (fid, value) in fids.iter().zip(values) {
        hasher.update(fid.to_le_bytes());
        // every "not seen" is the same one
        hasher.update(if value.is_nan() { f64::NAN } else { *value }.to_le_bytes());
    }
    for mark in shapes {
        hasher.update(mark.to_le_bytes());
    }
    asset::hex(&hasher.finalize())
}

/// Looks through a kept table; the error names the file.
///
/// # Errors
/// When it cannot be read, or is not as it was written.
pub fn check_kept_look(path: &Path) -> Result<()> {
    let table = StatisticTable::open(path)?;
    let values = table.column("mean")?.unwrap_or_default();
    let whole = if let Some(known) = table.metadata().get(SUM) {
        let shapes = table.shapes()?.unwrap_or_default();
        *known == sum(table.metadata(), table.fids()?, &shapes, values)
    } else {
        // made before these tables had checksums and marks; it is read from the scene again when it is wanted
        let is_old = table.shapes()?.is_none() && table.metadata().contains_key(MADE_OF);
        is_old && table.fids()?.len() == values.len()
    };
    if !whole {
        return Err(Error::Catalog(sen_catalog::Error::damaged(
            path,
            "is not as it was written (checksum differs)",
        )));
    }
    Ok(())
}

/// The tables of one layer, or of a part of its plots.
pub(super) struct Kept<'a> {
    pub(super) assets: &'a Assets,
    pub(super) layer: &'a str,
    /// Number of the part; the first has the names that a whole layer has.
    pub(super) part: usize,
    /// The plots, ascending.
    pub(super) fids: &'a [i64],
    /// The marks of their shapes.
    pub(super) shapes: &'a [u64],
}

/// A look as far as it was kept.
pub(super) struct KeptLook {
    pub(super) look: PlotLook,
    /// Plots that it was not kept of, or of another shape.
    pub(super) missing: Vec<usize>,
}

/// The plots of a layer, so many at a time.
pub(super) fn kept_parts<'a>(
    assets: &'a Assets,
    layer: &'a str,
    fids: &'a [i64],
    shapes: &'a [u64],
    plots_at_once: usize,
) -> Vec<Kept<'a>> {
    let count = plots_at_once.max(1);
    let parts = fids.chunks(count).zip(shapes.chunks(count)).enumerate();
    parts
        .map(|(part, (fids, shapes))| Kept {
            assets,
            layer,
            part,
            fids,
            shapes,
        })
        .collect()
}

impl Kept<'_> {
    /// The table of a scene; ids that file systems do not take, or that would meet those of others, get a name by their
    /// digest.
    fn href(&self, scene: &str) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name: String = scene.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        let id = scene.split_once('/').map_or(scene, |(_, id)| id);
        let name = if name.len() <= LONGEST_NAME && id.chars().all(plain) {
            name
        } else {
            let start: String = name.chars().take(LONGEST_NAME / 2).collect();
            let digest = asset::hex(&Sha256::digest(scene.as_bytes()));
            format!("{start}-{}", &digest[..32])
        };
        match self.part {
            0 => format!("{FOLDER}/{}/{name}.arrow", self.layer),
            part => format!("{FOLDER}/{}/{name}.part{part}.arrow", self.layer),
        }
    }

    /// The look at the plots that a scene gave, if its table is whole and was made of the same. What cannot be read or is not
    /// as it was written is read from the scene again, and so are plots that have another shape now.
    pub(super) fn load(&self, scene: &str, made_of: &str) -> Option<KeptLook> {
        let table = StatisticTable::open(&self.assets.path(&self.href(scene))).ok()?;
        let text = |name: &str| table.metadata().get(name).map(String::as_str);
        if text(MADE_OF) != Some(made_of) {
            return None;
        }
        let (fids, kept) = (table.fids().ok()?, table.column("mean").ok()??);
        let shapes = table.shapes().ok()??;
        if text(SUM) != Some(sum(table.metadata(), fids, &shapes, kept).as_str()) {
            return None;
        }
        let (mut values, mut missing) = (Vec::with_capacity(self.fids.len()), Vec::new());
        for (plot, (fid, mark)) in self.fids.iter().zip(self.shapes).enumerate() {
            let row = fids
                .binary_search(fid)
                .ok()
                .filter(|row| shapes.get(*row) == Some(mark));
            if row.is_none() {
                missing.push(plot);
            }
            values.push(row.map_or(f32::NAN, |row| kept[row] as f32));
        }
        let look = PlotLook {
            day: text(DAY)?.parse().ok()?,
            quantity: text(QUANTITY)?.parse().ok()?,
            values,
        };
        Some(KeptLook { look, missing })
    }

    /// The look that a table of before plots had marks holds, where it is of the same plots of the same layer.
    pub(super) fn load_unmarked(&self, scene: &str, made_of: &str) -> Option<KeptLook> {
        let table = StatisticTable::open(&self.assets.path(&self.href(scene))).ok()?;
        let text = |name: &str| table.metadata().get(name).map(String::as_str);
        let (fids, values) = (table.fids().ok()?, table.column("mean").ok()??);
        let is_same = text(MADE_OF) == Some(made_of) && fids == self.fids && table.shapes().ok()?.is_none();
        if !is_same || text(SUM).is_some_and(|known| known != sum(table.metadata(), fids, &[], values)) {
            return None;
        }
        let look = PlotLook {
            day: text(DAY)?.parse().ok()?,
            quantity: text(QUANTITY)?.parse().ok()?,
            values: values.iter().map(|value| *value as f32).collect(),
        };
        let missing = Vec::new();
        Some(KeptLook { look, missing })
    }

    /// The look, where it was kept of all plots.
    pub(super) fn load_whole(&self, scene: &str, made_of: &str) -> Option<PlotLook> {
        let kept = self.load(scene, made_of)?;
        kept.missing.is_empty().then_some(kept.look)
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
        let mut metadata: BTreeMap<String, String> = metadata
            .map(|(name, value)| (name.to_owned(), value))
            .into_iter()
            .collect();
        let values: Vec<f64> = look.values.iter().map(|value| f64::from(*value)).collect();
        metadata.insert(SUM.to_owned(), sum(&metadata, self.fids, self.shapes, &values));
        let temporary = self.assets.temporary("look");
        let kept = StatisticTable::write_with_shapes(&temporary, &rows, self.shapes, &metadata)
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
        let (fids, shapes) = ([3, 5, 9], [30, 50, 90]);
        let kept = Kept {
            assets: &assets,
            layer: "plots",
            part: 0,
            fids: &fids,
            shapes: &shapes,
        };
        let look = PlotLook {
            day: 739_000,
            quantity: Quantity::Vh,
            values: vec![-15.25, f32::NAN, -23.125],
        };
        kept.save("sentinel-1-rtc/S1A_x", "abc", &look).expect("written");
        let back = kept.load_whole("sentinel-1-rtc/S1A_x", "abc").expect("kept");
        assert_eq!((back.day, back.quantity), (look.day, look.quantity));
        assert_eq!((back.values[0], back.values[2]), (-15.25, -23.125));
        assert!(back.values[1].is_nan());
        // ids that are no file names, or nearly the same, are kept apart
        let long = format!("sentinel-1-rtc/{}", "x".repeat(300));
        for (scene, value) in [
            (long.as_str(), 1.0),
            ("c/một hai", 2.0),
            ("c/m t hai", 3.0),
            ("c/../../x", 4.0),
        ] {
            let look = PlotLook {
                day: 1,
                quantity: Quantity::Vh,
                values: vec![value; 3],
            };
            kept.save(scene, "abc", &look).expect(scene);
        }
        assert_eq!(kept.load_whole(&long, "abc").expect("kept").values[0], 1.0);
        assert_eq!(kept.load_whole("c/một hai", "abc").expect("kept").values[0], 2.0);
        assert_eq!(kept.load_whole("c/../../x", "abc").expect("kept").values[0], 4.0);
        assert!(kept.load_whole("sentinel-1-rtc/S1A_x", "abd").is_none());
        assert!(kept.load_whole("sentinel-1-rtc/S1A_y", "abc").is_none());
        // no single flipped bit gives another look: it is made again, or is the same
        let path = assets.path(&kept.href("sentinel-1-rtc/S1A_x"));
        let whole = std::fs::read(&path).expect("bytes");
        check_kept_look(&path).expect("as it was written");
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).expect("flipped");
            let told = check_kept_look(&path).is_err();
            if let Some(look) = kept.load_whole("sentinel-1-rtc/S1A_x", "abc") {
                assert_eq!(
                    (look.day, look.quantity, look.values[0], look.values[2]),
                    (back.day, back.quantity, -15.25, -23.125),
                    "byte {at}"
                );
                assert!(look.values[1].is_nan(), "byte {at}");
            } else {
                assert!(told, "a look that is made again is also told of: byte {at}");
            }
        }
        std::fs::write(&path, &whole).expect("back");
        // another shape, a plot more and one less: only those are missing
        let other = Kept {
            fids: &[3, 4, 9],
            shapes: &[30, 40, 91],
            ..kept
        };
        let part = other.load("sentinel-1-rtc/S1A_x", "abc").expect("kept");
        assert_eq!((part.look.values[0], part.missing), (-15.25, vec![1, 2]));
        assert!(other.load_whole("sentinel-1-rtc/S1A_x", "abc").is_none());
    }
}
