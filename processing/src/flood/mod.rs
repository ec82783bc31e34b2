//! Methods that tell water from land, each on plain arrays of one look; the weekly product and `sen validate` use the same.
//!
//! Radar: [`speckle`], [`threshold`], [`radar`], [`change`]; optics: [`optical`]; all together: [`ensemble`]. A new method is a file
//! here. Arrays are row by row; NaN is "not seen".

pub mod change;
pub mod ensemble;
pub mod optical;
pub mod radar;
pub mod regions;
pub mod speckle;
pub mod threshold;

/// Thresholds between water and land of a scene; of its own sensor alone they are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// Of a radar scene.
    pub radar: radar::Thresholds,
    /// Of an optical scene.
    pub optical: optical::Thresholds,
}

/// Decibel of a linear power; NaN for what is no power.
///
/// ```
/// assert_eq!(sen_processing::flood::decibel(0.01), -20.0);
/// assert!(sen_processing::flood::decibel(0.0).is_nan());
/// ```
pub fn decibel(power: f32) -> f32 {
    if power > 0.0 {
        10.0 * power.log10()
    } else {
        f32::NAN
    }
}

/// Linear power of decibel.
pub fn power(decibel: f32) -> f32 {
    10_f32.powf(decibel / 10.0)
}

/// Linear power of values in decibel.
pub fn linear_of(decibels: &[f32]) -> Vec<f32> {
    decibels.iter().map(|&value| power(value)).collect()
}

#[cfg(test)]
mod tests;
