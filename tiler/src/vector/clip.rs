//! Cutting outlines at the edge of a tile, in whole tile cells.
//!
//! A cut depends on the edge alone and not on the direction in which it is walked, so that neighbours are cut alike.

use super::grid::{BUFFER, EXTENT};

/// What a feature is drawn as; the numbers are MVT's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Shape {
    Point = 1,
    Line = 2,
    Polygon = 3,
}

/// First cell that is kept.
pub(crate) const LOW: i64 = -BUFFER;
/// Last cell that is kept.
pub(crate) const HIGH: i64 = EXTENT + BUFFER;

/// True when the point lies in the tile or its buffer.
#[inline]
pub(crate) fn holds([x, y]: [i64; 2]) -> bool {
    (LOW..=HIGH).contains(&x) && (LOW..=HIGH).contains(&y)
}

/// Where the edge between two points crosses a line of the axis.
fn crossing(a: [i64; 2], b: [i64; 2], axis: usize, at: i64) -> [i64; 2] {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let other = 1 - axis;
    let share = (at - a[axis]) as f64 / (b[axis] - a[axis]) as f64;
    let mut point = [at, at];
    point[other] = a[other] + (share * (b[other] - a[other]) as f64).round() as i64;
    point
}

/// The sides in turn: axis, limit, and which side of it is kept.
const SIDES: [(usize, i64, bool); 4] = [(0, LOW, true), (0, HIGH, false), (1, LOW, true), (1, HIGH, false)];

/// Sutherland-Hodgman: the part of a ring within the tile. Parts that fall asunder stay joined along the edge, which fills
/// do not show. `spare` is room to work in.
pub(crate) fn ring(points: &mut Vec<[i64; 2]>, spare: &mut Vec<[i64; 2]>) {
    for (axis, limit, above) in SIDES {
        let keeps = |point: [i64; 2]| {
            if above {
                point[axis] >= limit
            } else {
                point[axis] <= limit
            }
        };
        spare.clear();
        let Some(&last) = points.last() else { return };
        let mut before = last;
        for &point in &*points {
            if keeps(point) != keeps(before) {
                spare.push(crossing(before, point, axis, limit));
            }
            if keeps(point) {
                spare.push(point);
            }
            before = point;
        }
        std::mem::swap(points, spare);
    }
}

/// The pieces of a line within the tile, each handed to `piece`.
pub(crate) fn line(points: &[[i64; 2]], mut piece: impl FnMut(&[[i64; 2]])) {
    let mut run: Vec<[i64; 2]> = Vec::new();
    for pair in points.windows(2) {
        let Some((from, to)) = segment(pair[0], pair[1]) else {
            continue;
        };
        if run.last() != Some(&from) {
            if run.len() > 1 {
                piece(&run);
            }
            run.clear();
            run.push(from);
        }
        if from != to {
            run.push(to);
        }
        if to != pair[1] {
            if run.len() > 1 {
                piece(&run);
            }
            run.clear();
        }
    }
    if run.len() > 1 {
        piece(&run);
    }
}

/// The part of an edge within the tile.
fn segment(mut a: [i64; 2], mut b: [i64; 2]) -> Option<([i64; 2], [i64; 2])> {
    for (axis, limit, above) in SIDES {
        let out = |point: [i64; 2]| {
            if above {
                point[axis] < limit
            } else {
                point[axis] > limit
            }
        };
        match (out(a), out(b)) {
            (true, true) => return None,
            (true, false) => a = crossing(a, b, axis, limit),
            (false, true) => b = crossing(a, b, axis, limit),
            (false, false) => {}
        }
    }
    Some((a, b))
}

/// Twice the area of a ring; positive when it runs clockwise on the screen (y southwards).
pub(crate) fn doubled_area(points: &[[i32; 2]]) -> i64 {
    let wide = |[x, y]: [i32; 2]| (i64::from(x), i64::from(y));
    let Some((first, last)) = points.first().zip(points.last()) else {
        return 0;
    };
    let cross = |a: [i32; 2], b: [i32; 2]| {
        let ((ax, ay), (bx, by)) = (wide(a), wide(b));
        ax * by - bx * ay
    };
    points.windows(2).map(|pair| cross(pair[0], pair[1])).sum::<i64>() + cross(*last, *first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clipped(points: &[[i64; 2]]) -> Vec<[i64; 2]> {
        let (mut points, mut spare) = (points.to_vec(), Vec::new());
        ring(&mut points, &mut spare);
        points
    }

    #[test]
    fn a_polygon_around_the_tile_becomes_the_tile_with_its_buffer() {
        let whole = clipped(&[
            [-100_000, -100_000],
            [1 << 40, -100_000],
            [1 << 40, 1 << 40],
            [-100_000, 1 << 40],
        ]);
        assert_eq!(whole, [[LOW, HIGH], [LOW, LOW], [HIGH, LOW], [HIGH, HIGH]]);
        assert!(clipped(&[[5000, 0], [6000, 0], [6000, 100]]).is_empty());
    }

    #[test]
    fn an_edge_is_cut_at_the_same_cell_from_both_sides() {
        for (a, b) in [
            ([10, 7], [9_999, 4_321]),
            ([-777, 13], [301, 5_000]),
            ([4_000, -9_000], [4_001, 9_000]),
        ] {
            for (axis, limit, _) in SIDES {
                if (a[axis] < limit) != (b[axis] < limit) {
                    assert_eq!(crossing(a, b, axis, limit), crossing(b, a, axis, limit));
                }
            }
        }
    }

    #[test]
    fn a_line_that_leaves_and_returns_is_two_pieces() {
        let mut pieces = Vec::new();
        let zigzag = [[0, 0], [8_000, 0], [8_000, 100], [0, 100]];
        line(&zigzag, |piece| pieces.push(piece.to_vec()));
        assert_eq!(pieces, [vec![[0, 0], [HIGH, 0]], vec![[HIGH, 100], [0, 100]]]);
    }
}
