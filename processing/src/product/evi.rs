//! Enhanced vegetation index: like NDVI, but it does not saturate over dense rice at heading.

use super::index::{Index, optical};
use crate::mask;
use sen_catalog::Band::{Blue, Nir, Nir08, Red};

/// Smallest denominator that still gives a value; see `formula`.
const SMALLEST_DENOMINATOR: f32 = 1e-6;

/// EVI = 2.5 (NIR - red) / (NIR + 6 red - 7.5 blue + 1), Huete et al. 2002.
pub const EVI: Index = Index {
    name: "evi",
    version: 2,
    title: "Enhanced vegetation index EVI",
    formula_text: "2.5 (nir - red) / (nir + 6 red - 7.5 blue + 1), denominator in [0, 10]",
    inputs: &[optical(&[&[Nir, Nir08], &[Red], &[Blue]])],
    clear: mask::VEGETATION,
    formula,
};

/// The denominator is clamped to [0, 10] and the result to [-1, 1], as in Google's Landsat Collection 2 pipeline: over
/// bright haze the blue term would otherwise turn its sign.
fn formula(bands: &[&[f32]], values: &mut [f32]) {
    let (nir, red, blue) = (bands[0], bands[1], bands[2]);
    for (((value, &nir), &red), &blue) in values.iter_mut().zip(nir).zip(red).zip(blue) {
        let below = (nir + 6.0 * red - 7.5 * blue + 1.0).clamp(0.0, 10.0);
        let evi = (2.5 * (nir - red) / below).clamp(-1.0, 1.0);
        *value = if below < SMALLEST_DENOMINATOR {
            f32::NAN
        } else {
            evi
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evi_is_clamped_and_a_vanished_denominator_gives_no_value() {
        let mut values = [0.0; 4];
        // by hand: 2.5 * 0.35 / (0.40 + 0.30 - 0.225 + 1) = 0.593220; 2.5 * 0.4 / 0.05 = 20 -> 1; below zero; NaN stays
        formula(
            &[
                &[0.40, 0.5, 0.5, f32::NAN],
                &[0.05, 0.1, 0.1, 0.1],
                &[0.03, 2.05 / 7.5, 0.4, 0.1],
            ],
            &mut values,
        );
        assert!((values[0] - 0.593_220).abs() < 1e-6, "{}", values[0]);
        assert_eq!(values[1], 1.0);
        assert!(values[2].is_nan() && values[3].is_nan());
    }
}
