//! Regions of cells: growing from seeds, and small ones removed.

use std::collections::VecDeque;

/// Lets `seeds` grow through `candidates` by at most `steps` cells (up, down, left, right). With a bounded reach a block
/// with a margin of as many cells comes out as the whole image would.
///
/// ```
/// use sen_processing::flood::regions::grow;
/// let seeds = [true, false, false, false, false];
/// let candidates = [true, true, true, false, true];
/// assert_eq!(grow(&seeds, &candidates, 5, 9), [true, true, true, false, false]);
/// assert_eq!(grow(&seeds, &candidates, 5, 1), [true, true, false, false, false]);
/// ```
pub fn grow(seeds: &[bool], candidates: &[bool], width: usize, steps: usize) -> Vec<bool> {
    let mut out: Vec<bool> = seeds
        .iter()
        .zip(candidates)
        .map(|(&seed, &candidate)| seed && candidate)
        .collect();
    let mut border: Vec<usize> = (0..out.len()).filter(|&cell| out[cell]).collect();
    let mut next = Vec::new();
    for _ in 0..steps {
        for &cell in &border {
            for other in neighbours(cell, width, out.len()) {
                if candidates[other] && !out[other] {
                    out[other] = true;
                    next.push(other);
                }
            }
        }
        border.clear();
        std::mem::swap(&mut border, &mut next);
        if border.is_empty() {
            break;
        }
    }
    out
}

/// Takes away regions of fewer than `least` cells (up, down, left, right).
pub fn drop_small(cells: &mut [bool], width: usize, least: usize) {
    let mut seen = vec![false; cells.len()];
    let mut queue = VecDeque::new();
    let mut region = Vec::new();
    for start in 0..cells.len() {
        if !cells[start] || seen[start] {
            continue;
        }
        region.clear();
        seen[start] = true;
        queue.push_back(start);
        while let Some(cell) = queue.pop_front() {
            region.push(cell);
            for other in neighbours(cell, width, cells.len()) {
                if cells[other] && !seen[other] {
                    seen[other] = true;
                    queue.push_back(other);
                }
            }
        }
        if region.len() < least {
            for &cell in &region {
                cells[cell] = false;
            }
        }
    }
}

fn neighbours(cell: usize, width: usize, count: usize) -> impl Iterator<Item = usize> {
    let column = cell % width;
    [
        (column > 0).then(|| cell - 1),
        (column + 1 < width).then_some(cell + 1),
        cell.checked_sub(width),
        Some(cell + width).filter(|&below| below < count),
    ]
    .into_iter()
    .flatten()
}
