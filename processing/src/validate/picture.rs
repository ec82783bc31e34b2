//! A picture of maps beside their labels: hits, false alarms and misses in colours, a chip a row, a kind a column.

use super::chips::Chip;
use crate::{Error, Result};
use std::path::Path;

/// Cells of a chip are thinned to a square of at most this side.
const SIDE: usize = 256;
/// Pixels between panels.
const GAP: usize = 4;
/// Columns of panels: the labels, then the kinds of map.
pub const COLUMNS: [&str; 4] = ["label", "optical", "radar", "fused"];

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

/// Writes the panels of the chips as PNG, rows in the order of `chips`, columns as [`COLUMNS`].
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, chips: &[Chip]) -> Result<()> {
    let (width, height) = (
        COLUMNS.len() * (SIDE + GAP) + GAP,
        chips.len() * (SIDE + GAP) + GAP,
    );
    let mut pixels = vec![255; width * height * 3];
    for (row, chip) in chips.iter().enumerate() {
        for (column, kind) in COLUMNS.iter().enumerate() {
            panel(
                chip,
                chip.maps.get(kind).map(Vec::as_slice),
                *kind == "label",
                |x, y, colour| {
                    let (x, y) = (GAP + column * (SIDE + GAP) + x, GAP + row * (SIDE + GAP) + y);
                    pixels[(y * width + x) * 3..][..3].copy_from_slice(&colour);
                },
            );
        }
    }
    let file = std::fs::File::create(path).map_err(|error| Error::io(path, error))?;
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    let failed = |error: png::EncodingError| Error::unreadable(path.display(), error.to_string());
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&pixels).map_err(failed)
}

fn panel(chip: &Chip, map: Option<&[f32]>, labels: bool, mut put: impl FnMut(usize, usize, [u8; 3])) {
    let (width, height) = (chip.width, chip.label.len() / chip.width.max(1));
    let step = width.max(height).div_ceil(SIDE).max(1);
    for y in 0..SIDE.min(height / step) {
        for x in 0..SIDE.min(width / step) {
            let cell = y * step * width + x * step;
            let label = chip.label[cell];
            let class = if labels {
                Some(label)
            } else {
                map.map(|map| map[cell])
            };
            put(x, y, colour(class, label));
        }
    }
}

fn colour(class: Option<f32>, label: f32) -> [u8; 3] {
    match (class, label) {
        (None, _) => [255, 255, 255],
        (Some(class), _) if class.is_nan() => UNKNOWN,
        (_, label) if label != 0.0 && label != 1.0 => UNKNOWN,
        (Some(1.0), 1.0) => HIT,
        (Some(1.0), _) => FALSE_ALARM,
        (_, 1.0) => MISS,
        _ => DRY,
    }
}
