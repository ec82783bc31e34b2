//! The distinct values of a zone with their weights: what quantiles and class areas are made of.

/// More distinct values than 16-bit pixels can have are rounded to fewer binary digits.
const MOST: usize = 1 << 20;

/// Values, ascending once settled, each with the sum of its weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    entries: Vec<(f32, f64)>,
    /// How many entries there were when last settled.
    settled: usize,
    /// Binary digits of the values that were given up to hold a large zone of a float raster: 0 for all others.
    dropped: u32,
}

impl Values {
    /// The values of cells.
    pub(super) fn of(cells: &[(f32, f64)]) -> Self {
        let mut own = Self {
            entries: cells.to_vec(),
            ..Self::default()
        };
        own.settle();
        own
    }

    /// Adds those of another piece.
    pub(super) fn merge(&mut self, other: Self) {
        self.dropped = self.dropped.max(other.dropped);
        if self.entries.is_empty() {
            self.entries = other.entries;
        } else {
            self.entries.extend(other.entries);
        }
        // amortised: sorted again when it has doubled
        if self.entries.len() > 2 * self.settled + 4096 {
            self.settle();
        }
    }

    /// Sorts, and adds up the weights of equal values.
    pub(super) fn settle(&mut self) {
        loop {
            if self.dropped > 0 {
                let mask = u32::MAX << self.dropped;
                for (value, _) in &mut self.entries {
                    *value = f32::from_bits(value.to_bits() & mask);
                }
            }
            self.entries.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            self.entries.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    kept.1 += next.1;
                }
                same
            });
            if self.entries.len() <= MOST || self.dropped >= 16 {
                break;
            }
            self.dropped += 1;
        }
        self.settled = self.entries.len();
        if self.entries.capacity() > 4 * self.settled + 1024 {
            self.entries.shrink_to_fit();
        }
    }

    /// Ascending distinct values and their weights.
    pub(super) fn entries(&self) -> &[(f32, f64)] {
        &self.entries
    }

    /// The weighted quantile as exactextract has it (stats.stackexchange.com/a/13223, over distinct values): linear
    /// between the positions `i w_i + (n - 1) (w_0 + ... + w_{i-1})`.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let (first, _) = self.entries.first()?;
        let last = (self.entries.len() - 1) as f64;
        let total: f64 = self.entries.iter().map(|(_, weight)| weight).sum();
        let wanted = share * total * last;
        let (mut before, mut before_at) = (f64::from(*first), 0.0);
        let mut sum = 0.0;
        for (index, &(value, weight)) in self.entries.iter().enumerate() {
            let (value, at) = (f64::from(value), index as f64 * weight + last * sum);
            if at > wanted {
                return Some(before + (wanted - before_at) * (value - before) / (at - before_at));
            }
            (before, before_at) = (value, at);
            sum += weight;
        }
        Some(before)
    }
}
