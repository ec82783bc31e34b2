//! Inverse distance weighting: `z = sum(z_i d^-p) / sum(d^-p)`, exact at the samples.

use super::points::{Sample, nearest};

/// The power of the distance that is usual.
pub const POWER: f64 = 2.0;
/// Samples that are looked at.
pub const NEIGHBOURS: usize = 8;

/// The value at a place from the nearest samples; none without any.
pub fn idw(samples: &[Sample], x: f64, y: f64, power: f64, neighbours: usize) -> Option<f64> {
    let near = nearest(samples, x, y, neighbours);
    let first = near.first()?;
    if first.0 < 1e-6 {
        return Some(first.1.value);
    }
    // relative to the nearest, so that no power of a distance overflows
    let weight = |distance: f64| (first.0 / distance).powf(power);
    let total: f64 = near.iter().map(|(distance, _)| weight(*distance)).sum();
    let sum: f64 = near
        .iter()
        .map(|(distance, sample)| weight(*distance) * sample.value)
        .sum();
    Some(sum / total)
}

#[cfg(test)]
mod tests {
    use super::super::points::tests::gauges;
    use super::*;

    /// Reference values of this project's science notes, computed with an independent program.
    #[test]
    fn six_gauges_give_the_reference_values() {
        let queries = [
            (560000.0, 1170000.0),
            (600000.0, 1150000.0),
            (569046.0, 1156834.0),
        ];
        let expected = [
            (1.0, [2.4053834145, 2.1924109768, 2.05]),
            (2.0, [2.3481559753, 2.0526884371, 2.05]),
            (3.0, [2.3111925388, 1.9847412052, 2.05]),
        ];
        for (power, values) in expected {
            for ((x, y), value) in queries.into_iter().zip(values) {
                let got = idw(&gauges(), x, y, power, NEIGHBOURS).expect("there are samples");
                assert!((got - value).abs() < 1e-9, "p {power}: {got} for {value}");
            }
        }
        assert_eq!(idw(&[], 0.0, 0.0, POWER, NEIGHBOURS), None);
    }
}
