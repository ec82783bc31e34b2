//! What one scene says of every plot.

use super::cells::Cells;
use crate::look::{self, Look};
use crate::product::{NDVI, Sensor, normalized_difference};
use crate::{Result, mask};
use chrono::Datelike;
use sen_catalog::{Assets, Band, Grid, Item, Window};

/// Rows that are read at once.
const ROWS: usize = 512;
/// A plot counts as seen when at least this share of its cells was clear (the pairing rule for vegetation).
const SEEN_SHARE: f64 = 0.7;

/// What a scene measures of plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Cross-polarised backscatter, decibel.
    Vh,
    /// NDVI.
    Ndvi,
}

impl Quantity {
    /// Its name in files.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Vh => "vh",
            Self::Ndvi => "ndvi",
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = ();
    fn from_str(name: &str) -> Result<Self, ()> {
        [Self::Vh, Self::Ndvi]
            .into_iter()
            .find(|own| own.name() == name)
            .ok_or(())
    }
}

/// One look at all plots.
#[derive(Debug)]
pub(super) struct PlotLook {
    /// Local day, counted from year 1.
    pub(super) day: i32,
    /// What the values are.
    pub(super) quantity: Quantity,
    /// A value a plot; NaN where it was not seen.
    pub(super) values: Vec<f32>,
}

/// The bands of a scene that the calendar reads, and what they become; none when the scene does not help.
fn wanted(scene: &Item) -> Option<(Quantity, Vec<Band>)> {
    match look::sensor(&scene.collection) {
        Sensor::Radar => look::first(scene, &[Band::Vh]).map(|band| (Quantity::Vh, vec![band])),
        Sensor::Optical => {
            let names = look::input(&NDVI, scene)?.bands;
            let bands: Vec<Band> = names
                .iter()
                .filter_map(|names| look::first(scene, names))
                .collect();
            (bands.len() == names.len()).then_some((Quantity::Ndvi, bands))
        }
    }
}

/// True when the calendar can make use of the scene.
pub(super) fn is_wanted(scene: &Item) -> bool {
    wanted(scene).is_some()
}

/// Reads a scene; none when it lies outside the grid or does not help.
///
/// # Errors
/// When a file of it cannot be read.
pub(super) fn read(
    scene: &Item,
    cells: &Cells,
    plots: usize,
    assets: &Assets,
    grid: &Grid,
    dilation: f64,
) -> Result<Option<PlotLook>> {
    let Some((quantity, bands)) = wanted(scene) else {
        return Ok(None);
    };
    let mut sorted = bands.clone();
    sorted.sort_unstable();
    let Some(look) = Look::open_bands(scene, 0, &sorted, assets, grid, scene.period())? else {
        return Ok(None);
    };
    let (mut sums, mut counts) = (vec![0.0_f64; plots], vec![0_u32; plots]);
    let mut row = look.window.row;
    let end = look.window.row + look.window.height;
    while row < end {
        let rows = row..(row + ROWS).min(end);
        row = rows.end;
        if cells.runs(rows.clone()).next().is_none() {
            continue;
        }
        let Some(strip) = look.read(0, &rows, 0, dilation, grid)? else {
            continue;
        };
        let part = Window {
            column: look.window.column,
            row: rows.start,
            width: look.window.width,
            height: rows.len(),
        };
        let Some(cut) = strip.cut(&look, part) else {
            continue;
        };
        let band = |wanted: Band| {
            let found = cut.bands.iter().find(|(band, ..)| *band == wanted);
            found.map(|(_, values, _)| values.as_slice())
        };
        let values = match (
            quantity,
            bands.first().and_then(|b| band(*b)),
            bands.get(1).and_then(|b| band(*b)),
        ) {
            (Quantity::Vh, Some(power), _) => power.to_vec(),
            (Quantity::Ndvi, Some(nir), Some(red)) => {
                let mut ndvi = vec![f32::NAN; nir.len()];
                normalized_difference(nir, red, &mut ndvi);
                ndvi
            }
            _ => continue,
        };
        for (plot, row, columns) in cells.runs(rows.clone()) {
            let from = columns.start.max(part.column);
            let to = columns.end.min(part.column + part.width);
            let line = (row - part.row) * part.width;
            for column in from..to {
                let index = line + column - part.column;
                let value = values[index];
                let clear = cut
                    .mask
                    .as_ref()
                    .is_none_or(|bits| bits[index] & mask::WATER != 0);
                if clear && !value.is_nan() {
                    sums[plot] += f64::from(value);
                    counts[plot] += 1;
                }
            }
        }
    }
    let value = |plot: usize| {
        let seen = f64::from(counts[plot]);
        if seen == 0.0 || seen < SEEN_SHARE * f64::from(cells.count(plot)) {
            return f32::NAN;
        }
        let mean = sums[plot] / seen;
        match quantity {
            // the mean of power, then the logarithm: the mean of logarithms is biased by speckle
            Quantity::Vh => (10.0 * mean.log10()) as f32,
            Quantity::Ndvi => mean as f32,
        }
    };
    Ok(Some(PlotLook {
        day: look::local_date(scene).num_days_from_ce(),
        quantity,
        values: (0..plots).map(value).collect(),
    }))
}
