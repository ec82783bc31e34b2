//! A packed R-tree over rows that lie in the order of a Hilbert curve: a node is sixteen neighbours in that order.
//!
//! `geo-index` was tried first: its sort adds the corners of boxes, which overflows on a grid that uses all of `u32`.

/// Children of a node.
const FAN: usize = 16;

/// West, north, east, south on the grid.
pub(crate) type Box4 = [u32; 4];

/// The tree. Its lowest level holds the boxes of the rows themselves.
#[derive(Debug)]
pub(crate) struct RTree {
    /// From the rows up to at most sixteen nodes.
    levels: Vec<Vec<Box4>>,
}

impl RTree {
    /// The tree over boxes in Hilbert order; see [`order`].
    pub(crate) fn new(rows: Vec<Box4>) -> Self {
        let mut levels = vec![rows];
        while let Some(last) = levels.last().filter(|last| last.len() > FAN) {
            let next = last
                .chunks(FAN)
                .map(|boxes| boxes.iter().copied().fold(EMPTY, hull))
                .collect();
            levels.push(next);
        }
        Self { levels }
    }

    /// The boxes of the rows.
    pub(crate) fn boxes(&self) -> &[Box4] {
        self.levels.first().map_or(&[], Vec::as_slice)
    }

    /// Hands over every row whose box meets `reach`, in their order.
    pub(crate) fn search(&self, reach: Box4, mut found: impl FnMut(usize)) {
        let top = self.levels.len() - 1;
        let mut open: Vec<(usize, usize)> = (0..self.levels[top].len())
            .rev()
            .map(|node| (top, node))
            .collect();
        while let Some((level, node)) = open.pop() {
            if !meets(self.levels[level][node], reach) {
                continue;
            }
            if level == 0 {
                found(node);
                continue;
            }
            let children = &self.levels[level - 1];
            let range = node * FAN..children.len().min((node + 1) * FAN);
            if level == 1 {
                for row in range {
                    if meets(children[row], reach) {
                        found(row);
                    }
                }
            } else {
                open.extend(range.rev().map(|child| (level - 1, child)));
            }
        }
    }

    /// Memory held, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.levels
            .iter()
            .map(|level| level.capacity() * size_of::<Box4>())
            .sum()
    }
}

/// The box of nothing.
pub(crate) const EMPTY: Box4 = [u32::MAX, u32::MAX, 0, 0];

/// The box around two.
pub(crate) fn hull(a: Box4, b: Box4) -> Box4 {
    [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]
}

#[inline]
fn meets(a: Box4, b: Box4) -> bool {
    a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1]
}

/// The rows in the order of a Hilbert curve through the centres of their boxes.
pub(crate) fn order(boxes: &[Box4]) -> Vec<u32> {
    let mut keyed: Vec<(u64, u32)> = boxes
        .iter()
        .enumerate()
        .map(|(row, b)| (hilbert(b[0].midpoint(b[2]), b[1].midpoint(b[3])), row as u32))
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// Distance along the Hilbert curve that fills the grid.
fn hilbert(mut x: u32, mut y: u32) -> u64 {
    let mut distance = 0;
    for bit in (0..32).rev() {
        let (rx, ry) = (x >> bit & 1, y >> bit & 1);
        distance = distance << 2 | u64::from((3 * rx) ^ ry);
        if ry == 0 {
            if rx == 1 {
                (x, y) = (!x, !y);
            }
            (x, y) = (y, x);
        }
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_what_a_look_at_every_box_finds() {
        let number = |i: u32, salt: u32| (i ^ salt).wrapping_mul(2_654_435_761);
        let boxes: Vec<Box4> = (0..5_000)
            .map(|i| {
                let (x, y) = (number(i, 17) / 2, u32::MAX - number(i, 91) / 2);
                [x, y - 900_000, x + 1_000_000, y]
            })
            .collect();
        let order = order(&boxes);
        let rows: Vec<Box4> = order.iter().map(|&row| boxes[row as usize]).collect();
        let tree = RTree::new(rows.clone());
        for i in 0..50 {
            let (x, y) = (number(i, 5) / 2, u32::MAX - number(i, 7) / 2);
            let reach = [x, y.saturating_sub(90_000_000), x.saturating_add(90_000_000), y];
            let mut found = Vec::new();
            tree.search(reach, |row| found.push(row));
            let all: Vec<usize> = (0..rows.len()).filter(|&row| meets(rows[row], reach)).collect();
            assert_eq!(found, all);
        }
        RTree::new(Vec::new()).search([0, 0, u32::MAX, u32::MAX], |_| unreachable!());
    }

    #[test]
    fn the_curve_goes_from_each_cell_to_a_neighbour() {
        let mut cells: Vec<(u64, u32, u32)> = (0..32)
            .flat_map(|x| (0..32).map(move |y| (hilbert(x << 27, y << 27), x, y)))
            .collect();
        cells.sort_unstable();
        for pair in cells.windows(2) {
            assert_eq!(
                pair[0].1.abs_diff(pair[1].1) + pair[0].2.abs_diff(pair[1].2),
                1,
                "{pair:?}"
            );
        }
    }
}
