//! Values measured at points of a plane, for interpolation.

/// A value at a place; coordinates in metres of a projected system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Easting.
    pub x: f64,
    /// Northing.
    pub y: f64,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// Distance to a place, metres.
    pub fn distance(&self, x: f64, y: f64) -> f64 {
        (self.x - x).hypot(self.y - y)
    }
}

/// The samples nearest to a place, at most so many, with their distances; nearest first.
pub(super) fn nearest(samples: &[Sample], x: f64, y: f64, most: usize) -> Vec<(f64, Sample)> {
    let mut near: Vec<(f64, Sample)> = samples.iter().map(|s| (s.distance(x, y), *s)).collect();
    if near.len() > most && most > 0 {
        near.select_nth_unstable_by(most - 1, |a, b| a.0.total_cmp(&b.0));
    }
    near.truncate(most);
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near
}

/// Samples with a finite place and value; those at one place become their mean.
pub fn distinct(samples: &[Sample]) -> Vec<Sample> {
    let mut distinct: Vec<(Sample, f64)> = Vec::new();
    for sample in samples {
        if !(sample.x.is_finite() && sample.y.is_finite() && sample.value.is_finite()) {
            continue;
        }
        let same = distinct
            .iter_mut()
            .find(|(known, _)| known.distance(sample.x, sample.y) < 1e-3);
        if let Some((known, count)) = same {
            *count += 1.0;
            known.value += (sample.value - known.value) / *count;
        } else {
            distinct.push((*sample, 1.0));
        }
    }
    distinct.into_iter().map(|(sample, _)| sample).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Water levels at six gauges (EPSG:5897), the data of the reference values.
    pub(crate) fn gauges() -> Vec<Sample> {
        [
            (526376.0, 1194456.0, 3.62),
            (569046.0, 1156834.0, 2.05),
            (582720.0, 1138027.0, 1.93),
            (648745.0, 1145989.0, 1.55),
            (556685.0, 1183323.0, 2.41),
            (550094.0, 1202116.0, 2.88),
        ]
        .map(|(x, y, value)| Sample { x, y, value })
        .to_vec()
    }

    #[test]
    fn samples_at_one_place_are_one_and_damaged_ones_none() {
        let sample = |x: f64, value: f64| Sample { x, y: 0.0, value };
        let all = [
            sample(1.0, 2.0),
            sample(1.0, 4.0),
            sample(5.0, f64::NAN),
            sample(7.0, 1.0),
        ];
        assert_eq!(distinct(&all), [sample(1.0, 3.0), sample(7.0, 1.0)]);
        assert_eq!(nearest(&distinct(&all), 6.0, 0.0, 1)[0].1, sample(7.0, 1.0));
    }
}
