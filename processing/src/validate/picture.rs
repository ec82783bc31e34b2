//! A picture of maps beside their labels: hits, false alarms and misses in colours, a chip a row, a kind a column.

use super::chips::Chip;
use crate::{Error, Result};
use std::path::Path;

/// Cells of a chip are thinned to a square of at most this side.
pub const SIDE: usize = 256;
/// Pixels between panels.
const GAP: usize = 4;
/// Kinds of map of a chip, in the order of its panels; before them the label.
const KINDS: [&str; 3] = ["optical", "radar", "fused"];

/// Labels and maps of the same ground: a row of panels.
#[derive(Clone, Debug)]
pub struct Row {
    /// Columns.
    pub width: usize,
    /// Classes by people; NaN or below 0 for not labelled.
    pub label: Vec<f32>,
    /// Classes by each map, NaN for not seen; `None` for a map that lacks.
    pub maps: Vec<Option<Vec<f32>>>,
}

impl Row {
    /// Of a chip: its kinds of map, partly water being no open water.
    pub fn of_chip(chip: &Chip) -> Self {
        let open = |map: &Vec<f32>| {
            map.iter()
                .map(|&class| if class == 2.0 { 0.0 } else { class })
                .collect()
        };
        Self {
            width: chip.width,
            label: chip.label.clone(),
            maps: KINDS.iter().map(|kind| chip.maps.get(kind).map(open)).collect(),
        }
    }
}

/// Water in map and label.
pub const HIT: [u8; 3] = [33, 102, 172];
/// Water only in the map.
pub const FALSE_ALARM: [u8; 3] = [215, 48, 39];
/// Water only in the label.
pub const MISS: [u8; 3] = [253, 174, 97];
/// Dry in both.
pub const DRY: [u8; 3] = [235, 235, 225];
/// Not labelled or not seen.
pub const UNKNOWN: [u8; 3] = [150, 150, 150];

/// Writes the panels as PNG: in each row the label, then the maps.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, rows: &[Row]) -> Result<()> {
    let columns = 1 + rows.iter().map(|row| row.maps.len()).max().unwrap_or(0);
    let (width, height) = (columns * (SIDE + GAP) + GAP, rows.len() * (SIDE + GAP) + GAP);
    let mut pixels = vec![255; width * height * 3];
    for (index, row) in rows.iter().enumerate() {
        let mut panel = |column: usize, map: &[f32]| {
            panel(row, map, |x, y, colour| {
                let (x, y) = (GAP + column * (SIDE + GAP) + x, GAP + index * (SIDE + GAP) + y);
                pixels[(y * width + x) * 3..][..3].copy_from_slice(&colour);
            });
        };
        panel(0, &row.label);
        for (column, map) in row.maps.iter().enumerate() {
            if let Some(map) = map {
                panel(column + 1, map);
            }
        }
    }
    let file = std::fs::File::create(path).map_err(|error| Error::io(path, error))?;
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    let failed = |error: png::EncodingError| Error::unreadable(path.display(), error.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)
}

fn panel(row: &Row, map: &[f32], mut put: impl FnMut(usize, usize, [u8; 3])) {
    let (width, height) = (row.width, row.label.len() / row.width.max(1));
    let step = width.max(height).div_ceil(SIDE).max(1);
    for y in 0..SIDE.min(height / step) {
        for x in 0..SIDE.min(width / step) {
            let cell = y * step * width + x * step;
            put(x, y, colour(map[cell], row.label[cell]));
        }
    }
}

/// Class 0 is dry; of other classes one taken for another is a false alarm.
fn colour(class: f32, label: f32) -> [u8; 3] {
    if class.is_nan() || label.is_nan() || label < 0.0 {
        UNKNOWN
    } else if class == label {
        if label == 0.0 { DRY } else { HIT }
    } else if class == 0.0 {
        MISS
    } else {
        FALSE_ALARM
    }
}
