//! Ordinary kriging with the variograms of PyKrige (other programs scale the range differently), exact at the samples.

use super::points::{Sample, distinct, nearest};
use serde::Serialize;

/// More samples than this are not solved as one system: each place then has its own of the nearest [`LOCAL`].
const GLOBAL: usize = 64;
const LOCAL: usize = 24;
/// From this distance (metres) down a place is the sample's own.
const SAME_M: f64 = 1e-6;
/// Fewer samples than this do not bear a variogram of their own.
pub const FIT_FROM: usize = 10;
/// Classes of distance of the experimental variogram.
const LAGS: usize = 6;

/// How the difference of two values grows with their distance in metres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub enum Variogram {
    /// `psill (1.5 d/r - 0.5 (d/r)^3) + nugget`, level from the range on.
    Spherical {
        /// Sill without the nugget.
        psill: f64,
        /// Range, metres.
        #[serde(rename = "range_m")]
        range: f64,
        /// Variance at distance nought.
        nugget: f64,
    },
    /// `psill (1 - exp(-3 d/r)) + nugget`.
    Exponential {
        /// Sill without the nugget.
        psill: f64,
        /// Range at which 95 % of the sill are reached, metres.
        #[serde(rename = "range_m")]
        range: f64,
        /// Variance at distance nought.
        nugget: f64,
    },
    /// `psill (1 - exp(-d^2 / (4r/7)^2)) + nugget`.
    Gaussian {
        /// Sill without the nugget.
        psill: f64,
        /// Range, metres.
        #[serde(rename = "range_m")]
        range: f64,
        /// Variance at distance nought.
        nugget: f64,
    },
    /// `slope d + nugget`.
    Linear {
        /// Variance a metre.
        #[serde(rename = "slope_per_m")]
        slope: f64,
        /// Variance at distance nought.
        nugget: f64,
    },
}

impl Variogram {
    /// Half the expected squared difference at a distance.
    pub fn at(&self, distance: f64) -> f64 {
        match *self {
            Self::Spherical { psill, range, nugget } => {
                let part = (distance / range).min(1.0);
                psill * (1.5 * part - 0.5 * part.powi(3)) + nugget
            }
            Self::Exponential { psill, range, nugget } => {
                psill * (1.0 - (-3.0 * distance / range).exp()) + nugget
            }
            Self::Gaussian { psill, range, nugget } => {
                psill * (1.0 - (-(distance / (range * 4.0 / 7.0)).powi(2)).exp()) + nugget
            }
            Self::Linear { slope, nugget } => slope * distance + nugget,
        }
    }

    /// The range in metres; none for a linear one.
    pub fn range(&self) -> Option<f64> {
        match *self {
            Self::Spherical { range, .. }
            | Self::Exponential { range, .. }
            | Self::Gaussian { range, .. } => Some(range),
            Self::Linear { .. } => None,
        }
    }

    /// The spherical variogram that fits the samples best (least squares over six classes of distance); none with fewer
    /// than [`FIT_FROM`] samples or where they do not differ more the farther apart they are.
    pub fn fit(samples: &[Sample]) -> Option<Self> {
        let samples = distinct(samples);
        if samples.len() < FIT_FROM {
            return None;
        }
        let mut pairs = Vec::new();
        for (index, a) in samples.iter().enumerate() {
            for b in &samples[..index] {
                pairs.push((a.distance(b.x, b.y), 0.5 * (a.value - b.value).powi(2)));
            }
        }
        let longest = pairs.iter().map(|pair| pair.0).fold(0.0, f64::max);
        let mut classes = [(0.0, 0.0, 0.0); LAGS];
        for (distance, half) in pairs {
            let class = ((distance / longest * LAGS as f64) as usize).min(LAGS - 1);
            classes[class].0 += distance;
            classes[class].1 += half;
            classes[class].2 += 1.0;
        }
        let points: Vec<(f64, f64)> = classes
            .iter()
            .filter(|class| class.2 > 0.0)
            .map(|class| (class.0 / class.2, class.1 / class.2))
            .collect();
        let candidates = (1..=30).map(|step| f64::from(step) / 20.0 * longest);
        let best = candidates
            .filter_map(|range| fit_sill(&points, range))
            .min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(best.0)
    }
}

/// Sill and nugget for a range, neither negative, and the squares that remain.
fn fit_sill(points: &[(f64, f64)], range: f64) -> Option<(Variogram, f64)> {
    let shape = Variogram::Spherical {
        psill: 1.0,
        range,
        nugget: 0.0,
    };
    let n = points.len() as f64;
    let (mut sx, mut sy, mut sxx, mut sxy) = (0.0, 0.0, 0.0, 0.0);
    for (distance, half) in points {
        let x = shape.at(*distance);
        sx += x;
        sy += half;
        sxx += x * x;
        sxy += x * half;
    }
    let determinant = n * sxx - sx * sx;
    let slope = (n * sxy - sx * sy) / determinant;
    let (psill, nugget) = if determinant.abs() > 1e-12 && (sy - slope * sx) >= 0.0 {
        (slope, (sy - slope * sx) / n)
    } else {
        (sxy / sxx, 0.0)
    };
    if !(psill.is_finite() && psill > 0.0) {
        return None;
    }
    let variogram = Variogram::Spherical { psill, range, nugget };
    let rest = points
        .iter()
        .map(|(distance, half)| (variogram.at(*distance) - half).powi(2))
        .sum();
    Some((variogram, rest))
}

/// A prediction and how far it may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The value.
    pub value: f64,
    /// Kriging variance, in the square of the value's unit.
    pub variance: f64,
}

/// Samples and variogram, ready to be asked.
#[derive(Clone, Debug)]
pub struct Kriging {
    samples: Vec<Sample>,
    variogram: Variogram,
    /// Inverse of the system of all samples, row by row; none when there are too many for one.
    inverse: Option<Vec<f64>>,
}

impl Kriging {
    /// Prepares the system; none without a sample, or when it cannot be solved (a variogram that is nought everywhere).
    pub fn new(samples: &[Sample], variogram: Variogram) -> Option<Self> {
        let samples = distinct(samples);
        if samples.is_empty() {
            return None;
        }
        let inverse = if samples.len() <= GLOBAL {
            Some(invert(system(&samples, &variogram))?)
        } else {
            None
        };
        Some(Self {
            samples,
            variogram,
            inverse,
        })
    }

    /// The prediction at a place.
    pub fn at(&self, x: f64, y: f64) -> Option<Prediction> {
        if let Some(inverse) = &self.inverse {
            return Some(self.solve(&self.samples, inverse, x, y));
        }
        let near: Vec<Sample> = nearest(&self.samples, x, y, LOCAL)
            .into_iter()
            .map(|(_, sample)| sample)
            .collect();
        let inverse = invert(system(&near, &self.variogram))?;
        Some(self.solve(&near, &inverse, x, y))
    }

    fn solve(&self, samples: &[Sample], inverse: &[f64], x: f64, y: f64) -> Prediction {
        let size = samples.len() + 1;
        let mut right: Vec<f64> = samples
            .iter()
            .map(|sample| {
                let distance = sample.distance(x, y);
                if distance <= SAME_M {
                    0.0
                } else {
                    -self.variogram.at(distance)
                }
            })
            .collect();
        right.push(1.0);
        let mut prediction = Prediction {
            value: 0.0,
            variance: 0.0,
        };
        for (row, own) in right.iter().enumerate() {
            let line = &inverse[row * size..(row + 1) * size];
            let weight: f64 = line.iter().zip(&right).map(|(a, b)| a * b).sum();
            if let Some(sample) = samples.get(row) {
                prediction.value += weight * sample.value;
            }
            prediction.variance -= weight * own;
        }
        prediction.variance = prediction.variance.max(0.0);
        prediction
    }
}

/// The matrix of ordinary kriging: minus the variogram between the samples, bordered by ones.
fn system(samples: &[Sample], variogram: &Variogram) -> Vec<f64> {
    let size = samples.len() + 1;
    let mut matrix = vec![1.0; size * size];
    for (row, a) in samples.iter().enumerate() {
        for (column, b) in samples.iter().enumerate() {
            matrix[row * size + column] = if row == column {
                0.0
            } else {
                -variogram.at(a.distance(b.x, b.y))
            };
        }
    }
    matrix[size * size - 1] = 0.0;
    matrix
}

/// Inverse of a square matrix by Gauss-Jordan elimination with pivoting; none when it has none.
fn invert(mut matrix: Vec<f64>) -> Option<Vec<f64>> {
    let size = matrix.len().isqrt();
    let mut inverse = vec![0.0; size * size];
    for index in 0..size {
        inverse[index * size + index] = 1.0;
    }
    for column in 0..size {
        let pivot = (column..size).max_by(|a, b| {
            matrix[a * size + column]
                .abs()
                .total_cmp(&matrix[b * size + column].abs())
        })?;
        let value = matrix[pivot * size + column];
        if value.abs() < 1e-14 {
            return None;
        }
        for k in 0..size {
            matrix.swap(column * size + k, pivot * size + k);
            inverse.swap(column * size + k, pivot * size + k);
            matrix[column * size + k] /= value;
            inverse[column * size + k] /= value;
        }
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row * size + column];
            for k in 0..size {
                matrix[row * size + k] -= factor * matrix[column * size + k];
                inverse[row * size + k] -= factor * inverse[column * size + k];
            }
        }
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::super::points::tests::gauges;
    use super::*;

    /// Values of PyKrige 1.7.3 for the six gauges: psill 0.6, range 60 km, nugget 0.02, exact.
    #[test]
    fn six_gauges_give_what_pykrige_gives() {
        let (psill, range, nugget) = (0.6, 60000.0, 0.02);
        let expected = [
            (
                Variogram::Spherical { psill, range, nugget },
                [(2.24452581, 0.26158648), (2.09780766, 0.50319951)],
            ),
            (
                Variogram::Exponential { psill, range, nugget },
                [(2.29830957, 0.41091221), (2.13194918, 0.57885009)],
            ),
            (
                Variogram::Gaussian { psill, range, nugget },
                [(2.20333967, 0.05581524), (1.96505907, 0.34734151)],
            ),
            (
                Variogram::Linear { slope: 1e-5, nugget },
                [(2.30465303, 0.17822347), (1.83560168, 0.31073275)],
            ),
        ];
        for (variogram, values) in expected {
            let kriging = Kriging::new(&gauges(), variogram).expect("solvable");
            let queries = [(560000.0, 1170000.0), (600000.0, 1150000.0)];
            for ((x, y), (value, variance)) in queries.into_iter().zip(values) {
                let got = kriging.at(x, y).expect("an answer");
                assert!(
                    (got.value - value).abs() < 1e-7,
                    "{variogram:?}: {got:?} for {value}"
                );
                assert!(
                    (got.variance - variance).abs() < 1e-7,
                    "{variogram:?}: {got:?} for {variance}"
                );
            }
            let own = kriging.at(569046.0, 1156834.0).expect("an answer");
            assert!((own.value - 2.05).abs() < 1e-9 && own.variance < 1e-9, "{own:?}");
        }
    }

    #[test]
    fn many_samples_are_asked_nearby_and_agree_with_the_whole_system() {
        let field = |x: f64, y: f64| 2.0 + (x / 9000.0).sin() + (y / 7000.0).cos();
        let samples: Vec<Sample> = (0..100)
            .map(|index| {
                let (x, y) = (f64::from(index % 10) * 3100.0, f64::from(index / 10) * 2900.0);
                Sample {
                    x,
                    y,
                    value: field(x, y),
                }
            })
            .collect();
        let variogram = Variogram::fit(&samples).expect("a hundred samples bear one");
        let kriging = Kriging::new(&samples, variogram).expect("solvable");
        assert!(kriging.inverse.is_none());
        let whole = invert(system(&samples, &variogram)).expect("solvable");
        let (near, all) = (
            kriging.at(14_000.0, 13_000.0).expect("an answer"),
            kriging.solve(&samples, &whole, 14_000.0, 13_000.0),
        );
        assert!((near.value - all.value).abs() < 0.02, "{near:?} {all:?}");
        assert!((near.value - field(14_000.0, 13_000.0)).abs() < 0.1, "{near:?}");
    }

    #[test]
    fn few_samples_bear_no_variogram_and_none_no_surface() {
        assert_eq!(Variogram::fit(&gauges()), None);
        let variogram = Variogram::Linear {
            slope: 0.0,
            nugget: 0.0,
        };
        assert!(Kriging::new(&gauges(), variogram).is_none());
        assert!(
            Kriging::new(
                &[],
                Variogram::Linear {
                    slope: 1.0,
                    nugget: 0.0
                }
            )
            .is_none()
        );
    }
}
