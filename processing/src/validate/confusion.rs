//! Confusion matrices of two and of many classes.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

/// Cells of a map of two classes against labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Water in both.
    pub hits: u64,
    /// Water only in the map.
    pub false_alarms: u64,
    /// Water only in the labels, cells left unclassified among them.
    pub misses: u64,
    /// Dry in both.
    pub correct_dry: u64,
    /// Labelled cells that were seen but left unclassified: counted as dry, so that leaving cells out never pays.
    pub not_classified: u64,
    /// Labelled cells that the sensor did not see; they are in no other count.
    pub not_seen: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.hits += other.hits;
        self.false_alarms += other.false_alarms;
        self.misses += other.misses;
        self.correct_dry += other.correct_dry;
        self.not_classified += other.not_classified;
        self.not_seen += other.not_seen;
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Counts {
    /// Counts one labelled cell. `map` is `None` for a cell that was seen and left unclassified.
    pub fn add(&mut self, map: Option<bool>, label: bool) {
        match (map, label) {
            (Some(true), true) => self.hits += 1,
            (Some(true), false) => self.false_alarms += 1,
            (_, true) => self.misses += 1,
            (_, false) => self.correct_dry += 1,
        }
        self.not_classified += u64::from(map.is_none());
    }

    /// Cells compared.
    pub fn n(&self) -> u64 {
        self.hits + self.false_alarms + self.misses + self.correct_dry
    }

    /// Hits of all that is water in either; `None` where neither has any.
    ///
    /// ```
    /// let counts = sen_processing::validate::Counts { hits: 6, false_alarms: 2, misses: 4, ..Default::default() };
    /// assert_eq!((counts.iou(), counts.precision(), counts.recall()), (Some(0.5), Some(0.75), Some(0.6)));
    /// ```
    pub fn iou(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.false_alarms + self.misses)
    }

    /// User's accuracy of water: share of the map's water that is so.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.false_alarms)
    }

    /// Producer's accuracy of water: share of the labels' water that was found.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.hits, self.hits + self.misses)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }

    /// Share of cells that agree.
    pub fn overall(&self) -> Option<f64> {
        ratio(self.hits + self.correct_dry, self.n())
    }
}

/// Counts of every pair of a map's and a label's class.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    cells: BTreeMap<(i64, i64), u64>,
}

impl Matrix {
    /// Counts a cell (or point) of class `map` whose label is `label`.
    pub fn add(&mut self, map: i64, label: i64) {
        *self.cells.entry((map, label)).or_default() += 1;
    }

    /// Counts `count` cells at once.
    pub fn add_many(&mut self, map: i64, label: i64, count: u64) {
        if count > 0 {
            *self.cells.entry((map, label)).or_default() += count;
        }
    }

    /// Adds another matrix.
    pub fn extend(&mut self, other: &Self) {
        for (&key, count) in &other.cells {
            *self.cells.entry(key).or_default() += count;
        }
    }

    /// All classes, in order.
    pub fn classes(&self) -> Vec<i64> {
        let all: BTreeSet<i64> = self.cells.keys().flat_map(|&(map, label)| [map, label]).collect();
        all.into_iter().collect()
    }

    /// Cells of map class `map` labelled `label`.
    pub fn count(&self, map: i64, label: i64) -> u64 {
        self.cells.get(&(map, label)).copied().unwrap_or(0)
    }

    /// All cells.
    pub fn n(&self) -> u64 {
        self.cells.values().sum()
    }

    /// One class against all others.
    pub fn class(&self, class: i64) -> Counts {
        let mut counts = Counts::default();
        for (&(map, label), &count) in &self.cells {
            match (map == class, label == class) {
                (true, true) => counts.hits += count,
                (true, false) => counts.false_alarms += count,
                (false, true) => counts.misses += count,
                (false, false) => counts.correct_dry += count,
            }
        }
        counts
    }

    /// Share of cells that agree.
    pub fn overall(&self) -> Option<f64> {
        let agree = self.cells.iter().filter(|((map, label), _)| map == label);
        ratio(agree.map(|(_, count)| count).sum(), self.n())
    }

    /// Rows of the map's classes, columns of the labels', in the order of [`Matrix::classes`].
    pub fn rows(&self) -> Vec<Vec<u64>> {
        let classes = self.classes();
        let row = |&map: &i64| classes.iter().map(|&label| self.count(map, label)).collect();
        classes.iter().map(row).collect()
    }
}
