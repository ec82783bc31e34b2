//! Weight, mean, spread and extremes of weighted numbers, in pieces that can be put together.

/// See the module. The spread is kept as the weighted sum of squared differences from the mean.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    pub(super) weight: f64,
    pub(super) mean: f64,
    pub(super) squares: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self {
            weight: 0.0,
            mean: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Moments {
    /// Of values and weights, in two passes: differences from the mean lose no digits.
    pub(super) fn of(cells: &[(f32, f64)]) -> Self {
        let mut own = Self::default();
        let Some(&(first, _)) = cells.first() else {
            return own;
        };
        // sums of differences from one of the values stay small
        let base = f64::from(first);
        let (mut min, mut max) = (first, first);
        let mut sum = 0.0;
        for &(value, weight) in cells {
            own.weight += weight;
            sum += weight * (f64::from(value) - base);
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
        }
        own.mean = base + sum / own.weight;
        for &(value, weight) in cells {
            let off = f64::from(value) - own.mean;
            own.squares += weight * off * off;
        }
        (own.min, own.max) = (f64::from(min), f64::from(max));
        own
    }

    /// Chan, Golub and LeVeque's combination.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.weight <= 0.0 {
            return;
        }
        let weight = self.weight + other.weight;
        let apart = other.mean - self.mean;
        self.squares += other.squares + apart * apart * (self.weight / weight) * other.weight;
        self.mean += apart * (other.weight / weight);
        self.weight = weight;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}
