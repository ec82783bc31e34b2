//! Thresholds from histograms: Otsu, Kittler and Illingworth, and whether a histogram has two humps at all.

/// Bins of every histogram here.
pub const BINS: usize = 256;

/// Counts of values between two bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    low: f64,
    width: f64,
    counts: Vec<f64>,
}

impl Histogram {
    /// Of the values between `low` and `high`, both included; NaN is left out. `None` when nothing lies there.
    pub fn between(values: impl Iterator<Item = f32>, low: f32, high: f32) -> Option<Self> {
        let (low, high) = (f64::from(low), f64::from(high));
        if high <= low || !low.is_finite() || !high.is_finite() {
            return None;
        }
        let width = (high - low) / BINS as f64;
        let mut counts = vec![0.0; BINS];
        for value in values {
            let value = f64::from(value);
            if (low..=high).contains(&value) {
                counts[(((value - low) / width) as usize).min(BINS - 1)] += 1.0;
            }
        }
        counts
            .iter()
            .any(|&count| count > 0.0)
            .then_some(Self { low, width, counts })
    }

    /// Of all values, from the smallest to the largest.
    pub fn full(values: &[f32]) -> Option<Self> {
        let seen = || values.iter().copied().filter(|value| value.is_finite());
        let low = seen().fold(f32::INFINITY, f32::min);
        let high = seen().fold(f32::NEG_INFINITY, f32::max);
        Self::between(seen(), low, high)
    }

    /// Of the values between the 1st and the 99th percentile: bright towers no longer pull at the threshold.
    pub fn clipped(values: &[f32]) -> Option<Self> {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if sorted.is_empty() {
            return None;
        }
        let (low, high) = (percentile(&mut sorted, 0.01), percentile(&mut sorted, 0.99));
        Self::between(sorted.into_iter(), low, high)
    }

    fn centre(&self, bin: usize) -> f64 {
        self.low + (bin as f64 + 0.5) * self.width
    }

    /// Otsu's threshold: the bin centre that maximises the variance between the classes, the middle one where empty bins
    /// make several equal; and that variance as a share of the whole (0 to 1). `None` when all values fall into one bin.
    pub fn otsu(&self) -> Option<(f32, f64)> {
        let total: f64 = self.counts.iter().sum();
        let moment: f64 = self
            .counts
            .iter()
            .enumerate()
            .map(|(bin, count)| count * self.centre(bin))
            .sum();
        let mean = moment / total;
        let spread = self.counts.iter().enumerate();
        let variance: f64 = spread
            .map(|(bin, count)| count * (self.centre(bin) - mean).powi(2))
            .sum::<f64>()
            / total;
        let (mut below, mut first) = (0.0, 0.0);
        let mut best: Option<(f64, f64, f64)> = None;
        for (bin, count) in self.counts.iter().enumerate() {
            below += count;
            first += count * self.centre(bin);
            let (low, high) = (below / total, 1.0 - below / total);
            if low <= 0.0 || high <= 1e-12 {
                continue;
            }
            let apart = first / below - (moment - first) / (total - below);
            let between = low * high * apart * apart;
            match &mut best {
                Some((_, last, most)) if (between - *most).abs() <= 1e-12 * *most => *last = self.centre(bin),
                Some((.., most)) if between <= *most => {}
                _ => best = Some((self.centre(bin), self.centre(bin), between)),
            }
        }
        let (first, last, between) = best.filter(|_| variance > 0.0)?;
        Some((f64::midpoint(first, last) as f32, (between / variance).min(1.0)))
    }

    /// Kittler's and Illingworth's threshold: the bin edge with the least `1 + 2 (P1 ln s1 + P2 ln s2) - 2 (P1 ln P1 +
    /// P2 ln P2)`. Take it from [`Histogram::clipped`] and hold it in the bounds of its polarisation: on the raw
    /// histogram it runs off into the bright tail.
    pub fn kittler_illingworth(&self) -> Option<f32> {
        let total: f64 = self.counts.iter().sum();
        let sums = |bins: std::ops::Range<usize>| {
            let mut sums = (0.0, 0.0, 0.0);
            for bin in bins {
                let (share, centre) = (self.counts[bin] / total, self.centre(bin));
                sums = (
                    sums.0 + share,
                    sums.1 + share * centre,
                    sums.2 + share * centre * centre,
                );
            }
            sums
        };
        let spread = |(share, first, second): (f64, f64, f64)| second / share - (first / share).powi(2);
        let mut best: Option<(f64, usize)> = None;
        for edge in 1..BINS {
            let (low, high) = (sums(0..edge), sums(edge..BINS));
            if low.0 < 1e-6 || high.0 < 1e-6 {
                continue;
            }
            let (below, above) = (spread(low), spread(high));
            if below <= 1e-12 || above <= 1e-12 {
                continue;
            }
            let cost = 1.0 + low.0 * below.ln() + high.0 * above.ln()
                - 2.0 * (low.0 * low.0.ln() + high.0 * high.0.ln());
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, edge));
            }
        }
        best.map(|(_, edge)| (self.low + edge as f64 * self.width) as f32)
    }
}

/// The value below which a share of the values lies; reorders them. NaN for none.
pub fn percentile(values: &mut [f32], share: f64) -> f32 {
    if values.is_empty() {
        return f32::NAN;
    }
    let place = share.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let (_, &mut low, above) = values.select_nth_unstable_by(place as usize, f32::total_cmp);
    let next = above.iter().copied().fold(f32::INFINITY, f32::min);
    if next.is_finite() {
        low + (next - low) * place.fract() as f32
    } else {
        low
    }
}

/// Where and how a threshold is looked for: tiles in which water and land are both found.
#[derive(Clone, Copy, Debug)]
pub struct Bimodal {
    /// Side of a tile in cells.
    pub tile: usize,
    /// Least share of the variance that lies between the two classes. One Gaussian hump cut in half has 0.637, so that
    /// 0.7 (OPERA DSWx-S1's coefficient) asks for two.
    pub between: f64,
    /// Least share of the smaller class.
    pub share: f64,
    /// Bounds of the threshold, in decibel for radar.
    pub bounds: (f32, f32),
}

impl Bimodal {
    /// The thresholds of one tile when it has two humps. `None` when less than half of it was seen.
    pub fn of_tile(&self, values: &[f32]) -> Option<Split> {
        let seen: Vec<f32> = values.iter().copied().filter(|value| value.is_finite()).collect();
        if seen.len() * 2 < self.tile * self.tile || seen.len() < 64 {
            return None;
        }
        let histogram = Histogram::clipped(&seen)?;
        let (otsu, between) = histogram.otsu()?;
        let below = seen.iter().filter(|&&value| value < otsu).count() as f64 / seen.len() as f64;
        let two_humps = between >= self.between && below >= self.share && below <= 1.0 - self.share;
        two_humps.then(|| Split {
            otsu,
            kittler: histogram.kittler_illingworth().unwrap_or(otsu),
        })
    }

    /// The thresholds of all tiles of an image that have two humps.
    pub fn tiles(&self, values: &[f32], width: usize) -> Vec<Split> {
        let height = values.len() / width.max(1);
        let starts = |size: usize| (0..size.div_ceil(self.tile)).map(|index| index * self.tile);
        let mut found = Vec::new();
        let mut tile = Vec::with_capacity(self.tile * self.tile);
        for row in starts(height) {
            for column in starts(width) {
                tile.clear();
                for line in row..(row + self.tile).min(height) {
                    let end = (column + self.tile).min(width);
                    tile.extend_from_slice(&values[line * width + column..line * width + end]);
                }
                found.extend(self.of_tile(&tile));
            }
        }
        found
    }

    /// The median of the tiles' thresholds, held within the bounds; `None` without any.
    pub fn held(&self, tiles: impl Iterator<Item = f32>) -> Option<f32> {
        median(tiles).map(|median| median.clamp(self.bounds.0, self.bounds.1))
    }

    /// The median of those of the tiles' thresholds that lie within the bounds; `None` without any. What lies outside parts
    /// something else than water from land, and says nothing of where they part.
    pub fn within(&self, tiles: impl Iterator<Item = f32>) -> Option<f32> {
        let (low, high) = self.bounds;
        median(tiles.filter(|threshold| (low..=high).contains(threshold)))
    }
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    (!values.is_empty()).then(|| percentile(&mut values, 0.5))
}

/// Thresholds of a tile with two humps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    /// By Otsu.
    pub otsu: f32,
    /// By Kittler and Illingworth.
    pub kittler: f32,
}
