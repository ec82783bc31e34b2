//! Distances on a grid of cells: straight ones (Felzenszwalb and Huttenlocher 2012) and ways through a mask.

use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Squared distance in cells from each cell to the nearest target; infinite when there is none.
pub(super) fn squared(targets: &[bool], width: usize) -> Vec<f32> {
    let mut rows = vec![f32::INFINITY; targets.len()];
    // down, then up: cells to the nearest target of the same column
    for index in 0..targets.len() {
        rows[index] = match (targets[index], index.checked_sub(width)) {
            (true, _) => 0.0,
            (false, Some(above)) => rows[above] + 1.0,
            (false, None) => f32::INFINITY,
        };
    }
    for index in (0..targets.len().saturating_sub(width)).rev() {
        rows[index] = rows[index].min(rows[index + width] + 1.0);
    }
    rows.par_chunks_mut(width).for_each(along_row);
    rows
}

/// Turns distances within columns into squared distances: the lower envelope of a parabola a column.
fn along_row(row: &mut [f32]) {
    // column, height at the column, where the parabola begins to be the lowest
    let mut envelope: Vec<(f64, f64, f64)> = Vec::with_capacity(row.len());
    for (column, &distance) in row
        .iter()
        .enumerate()
        .filter(|(_, distance)| distance.is_finite())
    {
        let (column, height) = (column as f64, f64::from(distance) * f64::from(distance));
        let mut begin = f64::NEG_INFINITY;
        while let Some(&(other, below, from)) = envelope.last() {
            begin = ((height + column * column) - (below + other * other)) / (2.0 * (column - other));
            if begin > from {
                break;
            }
            envelope.pop();
            begin = f64::NEG_INFINITY;
        }
        envelope.push((column, height, begin));
    }
    let mut next = 0;
    for (column, out) in row.iter_mut().enumerate() {
        let column = column as f64;
        while next + 1 < envelope.len() && envelope[next + 1].2 <= column {
            next += 1;
        }
        if let Some((other, height, _)) = envelope.get(next) {
            *out = ((column - other).powi(2) + height) as f32;
        }
    }
}

/// Steps to a neighbour: sideways and aslant, in tenths of a cell.
const STEPS: [(isize, isize, u32); 8] = [
    (-1, 0, 10),
    (1, 0, 10),
    (0, -1, 10),
    (0, 1, 10),
    (-1, -1, 14),
    (1, -1, 14),
    (-1, 1, 14),
    (1, 1, 14),
];

/// The cells beside one, each with the length of the step in tenths of a cell.
pub(super) fn neighbours(index: usize, width: usize, count: usize) -> impl Iterator<Item = (usize, u32)> {
    let (column, row) = ((index % width) as isize, (index / width) as isize);
    let height = (count / width) as isize;
    STEPS.iter().filter_map(move |&(dx, dy, length)| {
        let (x, y) = (column + dx, row + dy);
        let inside = (0..width as isize).contains(&x) && (0..height).contains(&y);
        inside.then(|| ((y as usize) * width + x as usize, length))
    })
}

/// Tenths of cells from a start through the mask (`u32::MAX` where no way leads), and the farthest cell.
pub(super) fn ways(mask: &[bool], width: usize, start: usize, lengths: &mut [u32]) -> usize {
    let mut queue = BinaryHeap::from([(Reverse(0_u32), start)]);
    lengths[start] = 0;
    let mut farthest = start;
    while let Some((Reverse(length), cell)) = queue.pop() {
        if length > lengths[cell] {
            continue;
        }
        // cells leave the queue in the order of their distance
        farthest = cell;
        for (next, step) in neighbours(cell, width, mask.len()) {
            let way = length + step;
            if mask[next] && way < lengths[next] {
                lengths[next] = way;
                queue.push((Reverse(way), next));
            }
        }
    }
    farthest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn straight_distances_are_exact() {
        let (width, height) = (23, 17);
        let targets: Vec<bool> = (0..width * height).map(|index| index % 89 == 5).collect();
        let found = squared(&targets, width);
        for (index, found) in found.iter().enumerate() {
            let (x, y) = ((index % width) as i64, (index / width) as i64);
            let nearest = (0..targets.len())
                .filter(|&other| targets[other])
                .map(|other| {
                    let (dx, dy) = ((other % width) as i64 - x, (other / width) as i64 - y);
                    dx * dx + dy * dy
                })
                .min()
                .expect("a target");
            assert_eq!(*found, nearest as f32, "{x} {y}");
        }
        assert!(
            squared(&[false; 6], 3)
                .iter()
                .all(|distance| distance.is_infinite())
        );
    }

    #[test]
    fn ways_go_around_land() {
        // a U of water
        let mask = [true, false, true, true, false, true, true, true, true];
        let mut lengths = [u32::MAX; 9];
        let farthest = ways(&mask, 3, 0, &mut lengths);
        assert_eq!(farthest, 2);
        // down, aslant into the bottom, aslant out of it, up
        assert_eq!(lengths[2], 10 + 14 + 14 + 10);
        assert_eq!(lengths[1], u32::MAX);
    }
}
