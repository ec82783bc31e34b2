//! Third algorithm: change against a reference look of the same relative orbit.
//!
//! Only the same relative orbit sees a field under the same angle; across orbits the difference would be geometry. The
//! difference is a subtraction of decibel, never their ratio. It says nothing where the reference was dark itself: a
//! river, or land that was under water then.

use super::radar::{Bands, Thresholds, Water, ramp};

/// Decibel by which a cell must have become darker than in the reference: half the power. Speckle after the Lee filter
/// is far less.
pub const DROP: f32 = -3.0;

/// Water that was none in the reference, in VV or in VH, each against its threshold. `look` and `reference` lie on
/// the same cells; NaN where no polarisation can tell.
///
/// ```
/// use sen_processing::flood::change::changed;
/// use sen_processing::flood::radar::{Bands, Thresholds};
/// // fell by 6 dB to -24; fell, but not below the threshold of -21; dark before; did not fall
/// let look = [-24.0, -20.0, -26.0, -15.0];
/// let before = [-18.0, -15.0, -25.0, -15.0];
/// let found = changed(
///     Bands { vv: None, vh: Some(&look) },
///     Bands { vv: None, vh: Some(&before) },
///     &Thresholds::default(),
/// );
/// assert_eq!((found.water[0], found.water[1], found.water[3]), (1.0, 0.0, 0.0));
/// assert!(found.water[2].is_nan());
/// ```
pub fn changed(look: Bands, reference: Bands, at: &Thresholds) -> Water {
    let polarisations = [
        look.vv.zip(reference.vv).map(|bands| (bands, at.vv)),
        look.vh.zip(reference.vh).map(|bands| (bands, at.vh)),
    ];
    Water::of((0..look.len()).map(|cell| {
        let told = polarisations
            .iter()
            .flatten()
            .filter_map(|&((look, reference), threshold)| {
                let (after, before) = (look[cell], reference[cell]);
                let fell = after - before;
                (before >= threshold && !fell.is_nan()).then(|| {
                    let water = fell <= DROP && after < threshold;
                    (water, ramp(fell, DROP).min(ramp(after, threshold)))
                })
            });
        told.fold((f32::NAN, f32::NAN), |(water, likelihood), (wet, likely)| {
            (
                water.max(f32::from(u8::from(wet))),
                likelihood.max(100.0 * likely),
            )
        })
    }))
}
