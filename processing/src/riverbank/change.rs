//! What became of the banks of each reach: hectares lost and gained, metres of retreat.

use super::distance::{neighbours, squared};
use super::mask::{Cell, Mask};
use super::reach::{Labels, Reach};
use rayon::prelude::*;
use sen_catalog::Window;
use serde::Serialize;
use std::collections::VecDeque;

/// Cells around a reach in which the nearest old bank is looked for.
const MARGIN: usize = 64;
/// A bank must have moved by so many cells somewhere to be called moved: one for each of the two masks, whose edges are
/// not known better.
const SURE_CELLS: f64 = 2.0;

/// What can be said of a reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Land was lost.
    Erosion,
    /// Land was gained.
    Accretion,
    /// Land was lost at one place and gained at another.
    Both,
    /// No bank moved by more than the pixels can tell.
    None,
    /// Less than half of the reach was seen in both times.
    Unseen,
}

/// The change of one reach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Code of the reach.
    pub code: String,
    /// What can be said.
    pub change: Verdict,
    /// Land that became water, hectares.
    pub eroded_ha: f64,
    /// Water that became land, hectares.
    pub accreted_ha: f64,
    /// Length of both banks in the earlier time, metres.
    pub bank_m: f64,
    /// Eroded area by length of bank, metres.
    pub retreat_mean_m: f64,
    /// Farthest that the bank went back, along the shortest way from the old bank, metres.
    pub retreat_max_m: f64,
    /// Accreted area by length of bank, metres.
    pub advance_mean_m: f64,
    /// Farthest that the bank came forward, metres; new islands are in the hectares only.
    pub advance_max_m: f64,
    /// Size of a pixel, metres: less is not told from error.
    pub min_detectable_m: f64,
    /// Share of the reach that was seen in both times.
    pub seen_share: f64,
}

/// Counts of a reach, in cells.
#[derive(Clone, Copy, Default)]
struct Count {
    cells: usize,
    seen: usize,
    eroded: usize,
    accreted: usize,
    bank: f64,
    /// First and last column and row.
    extent: Option<(usize, usize, usize, usize)>,
}

/// Measures every reach.
pub(super) fn measure(before: &Mask, after: &Mask, labels: &Labels, reaches: &[Reach]) -> Vec<Change> {
    let width = before.grid.width;
    let mut counts = vec![Count::default(); reaches.len()];
    for (index, (&a, &b)) in before.cells.iter().zip(&after.cells).enumerate() {
        let (column, row) = (index % width, index / width);
        if let Some(reach) = labels.at(column, row) {
            let count = &mut counts[reach];
            count.cells += 1;
            count.seen += usize::from(a != Cell::Unseen && b != Cell::Unseen);
            count.eroded += usize::from((a, b) == (Cell::Land, Cell::Water));
            count.accreted += usize::from((a, b) == (Cell::Water, Cell::Land));
            let (left, right, top, bottom) = count.extent.unwrap_or((column, column, row, row));
            count.extent = Some((left.min(column), right.max(column), top, bottom.max(row)));
        }
    }
    banks(before, after, labels, &mut counts);
    counts
        .par_iter()
        .enumerate()
        .map(|(reach, count)| change(before, after, labels, reach, &reaches[reach].code, count))
        .collect()
}

/// Length of the line between water and land of the earlier time, where both times were seen: through the middles of the
/// sides of each square of four cells. Exact along the axes and the diagonals, up to 8 % long between them.
fn banks(before: &Mask, after: &Mask, labels: &Labels, counts: &mut [Count]) {
    let (width, height) = (before.grid.width, before.grid.height);
    for row in 0..height.saturating_sub(1) {
        for column in 0..width.saturating_sub(1) {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| (column + x, row + y));
            let cell = |mask: &Mask, (x, y): (usize, usize)| mask.cells[y * width + x];
            let water = four.map(|place| cell(before, place) == Cell::Water);
            let length = match water.iter().filter(|water| **water).count() {
                1 | 3 => std::f64::consts::FRAC_1_SQRT_2,
                2 if water[0] == water[3] => std::f64::consts::SQRT_2,
                2 => 1.0,
                _ => continue,
            };
            let unseen = |place| cell(before, place) == Cell::Unseen || cell(after, place) == Cell::Unseen;
            if four.into_iter().any(unseen) {
                continue;
            }
            let own = four
                .iter()
                .zip(water)
                .filter(|(_, water)| *water)
                .find_map(|(&(x, y), _)| labels.at(x, y));
            if let Some(reach) = own {
                counts[reach].bank += length;
            }
        }
    }
}

fn change(before: &Mask, after: &Mask, labels: &Labels, reach: usize, code: &str, count: &Count) -> Change {
    let cell_m = before.grid.cell_width;
    let least_m = before.cell_m.max(after.cell_m);
    let window = count.extent.map(|(left, right, top, bottom)| {
        let (column, row) = (left.saturating_sub(MARGIN), top.saturating_sub(MARGIN));
        Window {
            column,
            row,
            width: (right + MARGIN + 1).min(before.grid.width) - column,
            height: (bottom + MARGIN + 1).min(before.grid.height) - row,
        }
    });
    let farthest = |from: Cell, to: Cell, count: usize| match window.filter(|_| count > 0) {
        Some(window) => farthest(before, after, labels, reach, window, (from, to)) * cell_m,
        None => 0.0,
    };
    let retreat_max_m = farthest(Cell::Land, Cell::Water, count.eroded);
    let advance_max_m = farthest(Cell::Water, Cell::Land, count.accreted);
    let seen_share = count.seen as f64 / count.cells.max(1) as f64;
    let sure = |metres: f64| metres >= SURE_CELLS * least_m;
    let mean = |cells: usize| {
        if count.bank > 0.0 {
            cells as f64 / count.bank * cell_m
        } else {
            0.0
        }
    };
    let hectares = |cells: usize| cells as f64 * cell_m * cell_m / 1e4;
    Change {
        code: code.to_owned(),
        change: match (sure(retreat_max_m), sure(advance_max_m)) {
            _ if seen_share < 0.5 => Verdict::Unseen,
            (true, true) => Verdict::Both,
            (true, false) => Verdict::Erosion,
            (false, true) => Verdict::Accretion,
            (false, false) => Verdict::None,
        },
        eroded_ha: hectares(count.eroded),
        accreted_ha: hectares(count.accreted),
        bank_m: count.bank * cell_m,
        retreat_mean_m: mean(count.eroded),
        retreat_max_m,
        advance_mean_m: mean(count.accreted),
        advance_max_m,
        min_detectable_m: least_m,
        seen_share,
    }
}

/// Cells of the farthest place of a reach that changed from one kind into another, measured from the nearest place that
/// was of the other kind before; changed places that hang together with none of these are left out.
fn farthest(
    before: &Mask,
    after: &Mask,
    labels: &Labels,
    reach: usize,
    window: Window,
    (from, to): (Cell, Cell),
) -> f64 {
    let width = before.grid.width;
    let places: Vec<(usize, usize)> = (0..window.width * window.height)
        .map(|index| {
            (
                window.column + index % window.width,
                window.row + index / window.width,
            )
        })
        .collect();
    let of = |mask: &Mask, (column, row): (usize, usize)| mask.cells[row * width + column];
    let targets: Vec<bool> = places.iter().map(|&place| of(before, place) == to).collect();
    let distances = squared(&targets, window.width);
    let changed = |index: usize| of(before, places[index]) == from && of(after, places[index]) == to;
    // from the old bank through what changed: sideways and aslant neighbours of it are at most the root of 2 away
    let mut reached = vec![false; places.len()];
    let mut queue: VecDeque<usize> = (0..places.len())
        .filter(|&index| distances[index] <= 2.0 && changed(index))
        .collect();
    for &index in &queue {
        reached[index] = true;
    }
    let mut most = 0.0_f32;
    while let Some(index) = queue.pop_front() {
        let (column, row) = places[index];
        if labels.at(column, row) == Some(reach) {
            most = most.max(distances[index]);
        }
        for (next, _) in neighbours(index, window.width, places.len()) {
            if !reached[next] && changed(next) {
                reached[next] = true;
                queue.push_back(next);
            }
        }
    }
    f64::from(most).sqrt()
}
