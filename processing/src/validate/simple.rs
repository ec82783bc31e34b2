//! Simple methods of the literature on the same chips, to compare with: one rule for the whole image each.

use crate::flood::optical::{MNDWI_ABOVE, Spectrum};
use crate::flood::radar::{self, Bands};
use crate::flood::threshold::Histogram;
use crate::flood::{decibel, linear_of, speckle};

/// A method's name and its water; NaN where nothing was seen.
pub(super) type Simple = (&'static str, Vec<f32>);

/// Otsu's threshold of all values; NaN, which nothing passes, without two classes.
fn otsu(values: &[f32]) -> f32 {
    let found = Histogram::full(values).and_then(|histogram| histogram.otsu());
    found.map_or(f32::NAN, |(threshold, _)| threshold)
}

fn told(values: &[f32], water: impl Fn(f32) -> bool) -> Vec<f32> {
    let cell = |&value: &f32| {
        if value.is_nan() {
            f32::NAN
        } else {
            f32::from(u8::from(water(value)))
        }
    };
    values.iter().map(cell).collect()
}

/// Of an image in decibel without any filter.
pub(super) fn of_radar(bands: Bands, width: usize) -> Vec<Simple> {
    let (Some(vv), Some(vh)) = (bands.vv, bands.vh) else {
        return Vec::new();
    };
    let mean = |band: &[f32]| -> Vec<f32> {
        let mean = speckle::mean(&linear_of(band), width, 2);
        mean.into_iter().map(decibel).collect()
    };
    let otsu_of = |values: Vec<f32>| {
        let threshold = otsu(&values);
        told(&values, |value| value < threshold)
    };
    let (median_vv, median_vh) = (
        otsu_of(speckle::median(vv, width, 3)),
        otsu_of(speckle::median(vh, width, 3)),
    );
    let either = median_vv.iter().zip(&median_vh).map(|(vv, vh)| vv + vh);
    vec![
        ("VV < -16 dB", told(vv, |value| value < -16.0)),
        ("VH < -23 dB, mean 5 x 5", told(&mean(vh), |value| value < -23.0)),
        (
            "VH Otsu, Lee 7 x 7",
            otsu_of(radar::filtered(&linear_of(vh), width)),
        ),
        (
            "VV or VH Otsu, median 7 x 7",
            told(&either.collect::<Vec<f32>>(), |votes| votes > 0.0),
        ),
    ]
}

/// Of an image of reflectance.
pub(super) fn of_optical(cells: &[Spectrum]) -> Vec<Simple> {
    let index = |of: fn(&Spectrum) -> f32| -> Vec<f32> {
        let cell = |spectrum: &Spectrum| {
            if spectrum.is_seen() {
                of(spectrum)
            } else {
                f32::NAN
            }
        };
        cells.iter().map(cell).collect()
    };
    let (mndwi, ndwi) = (index(Spectrum::mndwi), index(Spectrum::ndwi));
    let above = |values: &[f32], threshold: f32| told(values, |value| value > threshold);
    vec![
        ("NDWI > 0", above(&ndwi, 0.0)),
        ("NDWI Otsu", above(&ndwi, otsu(&ndwi))),
        ("MNDWI > 0", above(&mndwi, 0.0)),
        ("MNDWI > 0.124", above(&mndwi, MNDWI_ABOVE)),
        ("MNDWI Otsu", above(&mndwi, otsu(&mndwi))),
        ("AWEIsh > 0", above(&index(Spectrum::awei_sh), 0.0)),
        ("AWEInsh > 0", above(&index(Spectrum::awei_nsh), 0.0)),
        (
            "DSWx open water",
            above(&index(|cell| f32::from(u8::from(cell.dswx().is_open()))), 0.5),
        ),
        (
            "DSWx open water, NDVI < 0.2",
            above(&index(|cell| f32::from(u8::from(cell.water(0.2).0 == 1.0))), 0.5),
        ),
    ]
}
