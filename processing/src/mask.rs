//! Which cells of an optical look may be used: clouds and their shadows are dropped, with a margin.
//!
//! A mask holds one byte a cell, a set of bits: [`DATA`], [`VEGETATION`], [`WATER`]. A cell that was looked at but
//! lies under a cloud has [`DATA`] alone; a cell the sensor did not see has none.

use sen_catalog::Band;
use sen_catalog::raster::Pixels;

/// The sensor saw the cell (the mask layer is not "no data" there).
pub const DATA: u8 = 1;
/// Clear for vegetation indices.
pub const VEGETATION: u8 = 2;
/// Clear for water maps.
pub const WATER: u8 = 4;
/// All of it: what a look without a mask layer gets in every cell.
pub const CLEAR: u8 = DATA | VEGETATION | WATER;

/// SCL classes that vegetation products keep: vegetation, not vegetated, water, unclassified.
const SCL_VEGETATION: &[u8] = &[4, 5, 6, 7];
/// SCL classes that water products keep: the above and "dark area", where calm water often falls.
const SCL_WATER: &[u8] = &[2, 4, 5, 6, 7];
/// SCL classes whose surroundings are doubted too: cloud shadow, cloud of medium and of high probability.
const SCL_DILATED: &[u8] = &[3, 8, 9];

/// Bits 1 to 4 of Landsat's QA_PIXEL: dilated cloud, cirrus, cloud, cloud shadow. Bit 0 is fill.
const QA_UNCLEAR: u16 = 0b11110;

/// A mask from the layer that `band` names, `width` cells a row; `radius` is the margin around clouds in cells.
///
/// Landsat's layer carries a margin of its own (bit 1), so that `radius` is for SCL only.
pub fn from_layer(band: Band, layer: &Pixels, width: usize, radius: f64) -> Vec<u8> {
    match band {
        Band::QaPixel => (0..layer.len())
            .map(|cell| qa_pixel(class(layer, cell)))
            .collect(),
        _ => scl(&classes(layer), width, radius),
    }
}

/// A mask from Sentinel-2's scene classification.
///
/// ```
/// use sen_processing::mask::{DATA, VEGETATION, WATER, scl};
/// let row = [4, 4, 9, 4, 2, 0];
/// assert_eq!(scl(&row, 6, 1.0), [7, DATA, DATA, DATA, DATA | WATER, 0]);
/// assert_eq!(DATA | VEGETATION | WATER, 7);
/// ```
pub fn scl(classes: &[u8], width: usize, radius: f64) -> Vec<u8> {
    let mut lookup = [DATA; 256];
    lookup[0] = 0;
    // 255 stands for cells outside the layer
    lookup[255] = 0;
    for &class in SCL_VEGETATION {
        lookup[usize::from(class)] |= VEGETATION;
    }
    for &class in SCL_WATER {
        lookup[usize::from(class)] |= WATER;
    }
    let mut mask: Vec<u8> = classes.iter().map(|&class| lookup[usize::from(class)]).collect();
    let mut doubtful = [false; 256];
    for &class in SCL_DILATED {
        doubtful[usize::from(class)] = true;
    }
    if radius >= 1.0 && classes.iter().any(|&class| doubtful[usize::from(class)]) {
        let seeds: Vec<bool> = classes
            .iter()
            .map(|&class| doubtful[usize::from(class)])
            .collect();
        for (cell, near) in mask.iter_mut().zip(within(&seeds, width, radius)) {
            if near {
                *cell &= DATA;
            }
        }
    }
    mask
}

/// Bits of one QA_PIXEL value.
fn qa_pixel(value: u16) -> u8 {
    if value & 1 == 1 || value == 0 {
        0
    } else if value & QA_UNCLEAR == 0 {
        CLEAR
    } else {
        DATA
    }
}

/// Cells whose centre lies at most `radius` cells from the centre of a seed.
fn within(seeds: &[bool], width: usize, radius: f64) -> Vec<bool> {
    let reach = radius.floor() as usize;
    let height = seeds.len() / width.max(1);
    // columns to the nearest seed of the same row, capped just beyond reach
    let far = reach + 1;
    let mut across = vec![far; seeds.len()];
    for row in 0..height {
        let line = &mut across[row * width..][..width];
        let mut distance = far;
        for (cell, &seed) in line.iter_mut().zip(&seeds[row * width..][..width]) {
            distance = if seed { 0 } else { (distance + 1).min(far) };
            *cell = distance;
        }
        distance = far;
        for cell in line.iter_mut().rev() {
            distance = if *cell == 0 { 0 } else { (distance + 1).min(far) };
            *cell = distance.min(*cell);
        }
    }
    let mut near = vec![false; seeds.len()];
    for row in 0..height {
        for other in row.saturating_sub(reach)..(row + reach + 1).min(height) {
            let down = row.abs_diff(other) as f64;
            let limit = (radius * radius - down * down).sqrt().floor() as usize;
            let source = &across[other * width..][..width];
            for (cell, &distance) in near[row * width..][..width].iter_mut().zip(source) {
                *cell |= distance <= limit;
            }
        }
    }
    near
}

/// A layer as class numbers; 255 for what is none.
fn classes(layer: &Pixels) -> Vec<u8> {
    match layer {
        Pixels::U8(classes) => classes.clone(),
        other => (0..other.len())
            .map(|cell| u8::try_from(class(other, cell)).unwrap_or(255))
            .collect(),
    }
}

/// One stored value as a class or bit pattern; 0 (no data in both layers) for what is none.
fn class(layer: &Pixels, cell: usize) -> u16 {
    let value = layer.value(cell).unwrap_or(f64::NAN);
    if (0.0..65536.0).contains(&value) {
        value as u16
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_takes_a_disc_of_its_neighbours_along() {
        let mut classes = [4_u8; 49];
        classes[24] = 9;
        let mask = scl(&classes, 7, 2.0);
        let clear: Vec<u8> = mask
            .iter()
            .map(|&cell| u8::from(cell & VEGETATION != 0))
            .collect();
        #[rustfmt::skip]
        assert_eq!(clear, [
            1, 1, 1, 1, 1, 1, 1,
            1, 1, 1, 0, 1, 1, 1,
            1, 1, 0, 0, 0, 1, 1,
            1, 0, 0, 0, 0, 0, 1,
            1, 1, 0, 0, 0, 1, 1,
            1, 1, 1, 0, 1, 1, 1,
            1, 1, 1, 1, 1, 1, 1,
        ]);
        assert!(
            mask.iter().all(|cell| cell & DATA != 0),
            "a cloudy cell was looked at"
        );
    }

    #[test]
    fn every_scene_class_is_kept_or_dropped_as_the_products_say() {
        let classes: Vec<u8> = (0..12).collect();
        let kept = |bit: u8| -> Vec<u8> {
            scl(&classes, 12, 0.0)
                .iter()
                .zip(&classes)
                .filter(|(cell, _)| *cell & bit != 0)
                .map(|(_, &c)| c)
                .collect()
        };
        assert_eq!(kept(VEGETATION), [4, 5, 6, 7]);
        assert_eq!(kept(WATER), [2, 4, 5, 6, 7]);
        assert_eq!(kept(DATA), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn landsat_bits_are_read_and_cirrus_is_not_dilated() {
        // 21824 clear land, 22280 cloud with high confidence, 1 fill (USGS, LSDS-1619 table 6-3)
        let layer = Pixels::U16(vec![21824, 22280, 1, 21826, 21952]);
        assert_eq!(
            from_layer(Band::QaPixel, &layer, 5, 6.0),
            [CLEAR, DATA, 0, DATA, CLEAR]
        );
        assert_eq!(scl(&[10, 4], 2, 1.0), [DATA, CLEAR]);
    }
}
