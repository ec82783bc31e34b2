//! The vote arithmetic of the Copernicus Global Flood Monitoring ensemble (PDD table 18).

/// What the algorithms say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vote {
    /// True when more than half of the delivering algorithms say so; `None` when none delivers: not classified.
    pub flooded: Option<bool>,
    /// Mean of the delivering algorithms' likelihoods, 0 to 100; NaN when none delivers.
    pub likelihood: f32,
}

/// Counts votes and averages likelihoods; an algorithm that delivers nothing has NaN for both.
///
/// ```
/// use sen_processing::flood::ensemble::vote;
/// assert_eq!(vote(&[(1.0, 80.0), (0.0, 30.0)]).flooded, Some(false)); // one of two is no majority
/// assert_eq!(vote(&[(1.0, 80.0), (f32::NAN, f32::NAN)]).flooded, Some(true)); // one of one is
/// assert_eq!(vote(&[(f32::NAN, f32::NAN)]).flooded, None);
/// assert_eq!(vote(&[(1.0, 90.0), (1.0, 60.0), (0.0, 30.0)]).likelihood, 60.0);
/// ```
pub fn vote(algorithms: &[(f32, f32)]) -> Vote {
    let (mut delivering, mut flooded, mut sum) = (0_u32, 0_u32, 0.0);
    for &(water, likelihood) in algorithms {
        if !water.is_nan() {
            delivering += 1;
            flooded += u32::from(water > 0.5);
            sum += likelihood;
        }
    }
    Vote {
        flooded: (delivering > 0).then_some(2 * flooded > delivering),
        likelihood: if delivering > 0 {
            sum / delivering as f32
        } else {
            f32::NAN
        },
    }
}

/// One map from an optical and a radar look of the same ground: where the optical one is clear it decides, because it
/// is the more accurate of the two (docs/accuracy.md); elsewhere the radar one. The likelihood is the mean of both.
pub fn fused(optical: (f32, f32), radar: (f32, f32)) -> (f32, f32) {
    let likelihood = vote(&[optical, radar]).likelihood;
    if optical.0.is_nan() {
        (radar.0, likelihood)
    } else {
        (optical.0, likelihood)
    }
}
