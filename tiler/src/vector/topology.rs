//! From which zoom on each vertex is drawn, decided once for all features that share it.
//!
//! Where exactly two neighbours along the outlines meet a vertex it lies inside an arc; all others are junctions and
//! always stay. Each arc is simplified by itself (Douglas-Peucker) and once, whoever borders it: two plots with a common
//! edge therefore lose the same vertices, and no gap opens at any zoom.

use super::grid::zoom_where;
use std::ops::Range;

/// At this zoom and deeper nothing is left out.
pub(crate) const DETAIL_ZOOM: u8 = 16;

/// How far an outline may move, in tile cells: half a pixel where a tile is drawn on 512 pixels.
const TOLERANCE_CELLS: f64 = 4.0;

/// Longest stretch that is simplified at once: keeps the time within bounds for a coast of a million vertices.
const STRETCH: usize = 1024;

const NONE: u32 = u32::MAX;
const UNDECIDED: u8 = u8::MAX;

/// A ring (closed, its first vertex not repeated) or a line.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) vertices: Range<usize>,
    pub(crate) closed: bool,
}

/// The zoom from which each vertex is drawn.
pub(crate) fn levels(vertices: &[[u32; 2]], parts: &[Part]) -> Vec<u8> {
    let ids = identities(vertices);
    let distinct = ids.iter().max().map_or(0, |&last| last as usize + 1);
    let mut simplifier = Simplifier {
        vertices,
        ids: &ids,
        junction: junctions(&ids, distinct, parts),
        level: vec![UNDECIDED; distinct],
    };
    for part in parts {
        simplifier.part(part);
    }
    let level = simplifier.level;
    ids.iter().map(|&id| level[id as usize]).collect()
}

/// The same number for vertices at the same place.
fn identities(vertices: &[[u32; 2]]) -> Vec<u32> {
    let mut order: Vec<(u64, u32)> = vertices
        .iter()
        .enumerate()
        .map(|(at, &[x, y])| (u64::from(x) << 32 | u64::from(y), at as u32))
        .collect();
    order.sort_unstable();
    let mut ids = vec![0; vertices.len()];
    let (mut id, mut last) = (0, order.first().map_or(0, |first| first.0));
    for (place, at) in order {
        if place != last {
            (id, last) = (id + 1, place);
        }
        ids[at as usize] = id;
    }
    ids
}

/// Vertices at which outlines part or end.
fn junctions(ids: &[u32], distinct: usize, parts: &[Part]) -> Vec<bool> {
    let mut neighbours = vec![[NONE; 2]; distinct];
    let mut junction = vec![false; distinct];
    let mut meet = |a: u32, b: u32| {
        if a == b {
            return;
        }
        let known = &mut neighbours[a as usize];
        if known[0] == NONE {
            known[0] = b;
        } else if known[0] != b && known[1] == NONE {
            known[1] = b;
        } else if known[0] != b && known[1] != b {
            junction[a as usize] = true;
        }
    };
    for part in parts {
        let ring = &ids[part.vertices.clone()];
        for pair in ring.windows(2) {
            meet(pair[0], pair[1]);
            meet(pair[1], pair[0]);
        }
        if let (true, Some(&first), Some(&last)) = (part.closed, ring.first(), ring.last()) {
            meet(first, last);
            meet(last, first);
        }
    }
    // tips of spikes, and ends of lines even where another goes on: each line must reach its own end
    for (junction, known) in junction.iter_mut().zip(&neighbours) {
        *junction |= known[1] == NONE;
    }
    for part in parts.iter().filter(|part| !part.closed) {
        let line = &ids[part.vertices.clone()];
        for &end in line.first().iter().chain(&line.last()) {
            junction[*end as usize] = true;
        }
    }
    junction
}

struct Simplifier<'a> {
    vertices: &'a [[u32; 2]],
    ids: &'a [u32],
    junction: Vec<bool>,
    level: Vec<u8>,
}

impl Simplifier<'_> {
    fn is_junction(&self, at: usize) -> bool {
        self.junction[self.ids[at] as usize]
    }

    fn decide(&mut self, at: usize, level: u8) {
        let decided = &mut self.level[self.ids[at] as usize];
        *decided = if *decided == UNDECIDED {
            level
        } else {
            level.min(*decided)
        };
    }

    fn decided(&self, at: usize) -> bool {
        self.level[self.ids[at] as usize] != UNDECIDED
    }

    fn part(&mut self, part: &Part) {
        let range = part.vertices.clone();
        let at: Vec<usize> = if part.closed {
            let Some(start) = range.clone().find(|&at| self.is_junction(at)) else {
                self.island(range);
                return;
            };
            // from a junction once around and back to it
            (start..range.end).chain(range.start..=start).collect()
        } else {
            range.collect()
        };
        let mut from = 0;
        for to in 0..at.len() {
            if self.is_junction(at[to]) {
                self.decide(at[to], 0);
                self.arc(&at[from..=to]);
                from = to;
            }
        }
    }

    /// An outline that touches no other: it keeps two far points, and a third as long as the whole can be seen.
    fn island(&mut self, range: Range<usize>) {
        let Some(anchor) = range.clone().min_by_key(|&at| self.vertices[at]) else {
            return;
        };
        if self.decided(anchor) {
            return;
        }
        let (start, len) = (range.start, range.len());
        let at: Vec<usize> = (0..=len)
            .map(|step| start + (anchor - start + step) % len)
            .collect();
        self.decide(anchor, 0);
        self.arc(&at);
    }

    /// Decides the vertices between the ends of an arc; the ends are decided already or no business of this arc.
    fn arc(&mut self, at: &[usize]) {
        let (Some((&first, rest)), true) = (at.split_first(), at.len() > 2) else {
            return;
        };
        if at[1..at.len() - 1].iter().all(|&at| self.decided(at)) {
            return; // a neighbour came by before
        }
        let last = rest[rest.len() - 1];
        if self.ids[first] == self.ids[last] {
            self.round_trip(at);
        } else {
            self.stretches(at);
        }
    }

    /// An arc that returns to where it began is cut at the point farthest from there.
    fn round_trip(&mut self, at: &[usize]) {
        let anchor = self.vertices[at[0]];
        let inner = 1..at.len() - 1;
        // of equally far ones the same whichever way the ring runs
        let Some(far) = inner.clone().max_by(|&a, &b| {
            let key = |i: usize| (distance(self.vertices[at[i]], anchor), self.vertices[at[i]]);
            let ((da, va), (db, vb)) = (key(a), key(b));
            da.total_cmp(&db).then(va.cmp(&vb))
        }) else {
            return;
        };
        let length = distance(self.vertices[at[far]], anchor);
        self.decide(at[far], 0);
        self.stretches(&at[..=far]);
        self.stretches(&at[far..]);
        let ends = (anchor, self.vertices[at[far]]);
        let third = inner.filter(|&i| i != far).max_by(|&a, &b| {
            let key = |i: usize| (deviation(self.vertices[at[i]], ends), self.vertices[at[i]]);
            let ((da, va), (db, vb)) = (key(a), key(b));
            da.total_cmp(&db).then(va.cmp(&vb))
        });
        if let Some(third) = third {
            self.decide(at[third], zoom_where(length, TOLERANCE_CELLS, DETAIL_ZOOM));
        }
    }

    fn stretches(&mut self, at: &[usize]) {
        if at.len() <= STRETCH {
            self.simplify(at);
            return;
        }
        let step = STRETCH - 1;
        let mut posts: Vec<usize> = at.iter().copied().step_by(step).collect();
        if posts.last() != at.last() {
            posts.extend(at.last());
        }
        for &post in posts.get(1..posts.len() - 1).unwrap_or_default() {
            self.decide(post, 0);
        }
        let mut from = 0;
        while from + 1 < at.len() {
            let to = (from + step).min(at.len() - 1);
            self.simplify(&at[from..=to]);
            from = to;
        }
    }

    /// Douglas-Peucker: each vertex gets the zoom at which its deviation begins to be seen.
    fn simplify(&mut self, at: &[usize]) {
        let mut open = vec![(0, at.len() - 1, 0_u8)];
        while let Some((from, to, coarsest)) = open.pop() {
            if to <= from + 1 {
                continue;
            }
            let ends = (self.vertices[at[from]], self.vertices[at[to]]);
            let mut worst = (from + 1, -1.0, [0, 0]);
            for (i, &place) in at.iter().enumerate().take(to).skip(from + 1) {
                let vertex = self.vertices[place];
                let away = deviation(vertex, ends);
                if away > worst.1 || (away == worst.1 && vertex > worst.2) {
                    worst = (i, away, vertex);
                }
            }
            let level = zoom_where(worst.1, TOLERANCE_CELLS, DETAIL_ZOOM).max(coarsest);
            self.decide(at[worst.0], level);
            open.push((from, worst.0, level));
            open.push((worst.0, to, level));
        }
    }
}

fn distance([ax, ay]: [u32; 2], [bx, by]: [u32; 2]) -> f64 {
    (f64::from(ax) - f64::from(bx)).hypot(f64::from(ay) - f64::from(by))
}

/// Distance of a point from the segment between two others.
fn deviation([px, py]: [u32; 2], ([ax, ay], [bx, by]): ([u32; 2], [u32; 2])) -> f64 {
    let (dx, dy) = (f64::from(bx) - f64::from(ax), f64::from(by) - f64::from(ay));
    let (ex, ey) = (f64::from(px) - f64::from(ax), f64::from(py) - f64::from(ay));
    let squared = dx * dx + dy * dy;
    if squared == 0.0 {
        return ex.hypot(ey);
    }
    let along = ((ex * dx + ey * dy) / squared).clamp(0.0, 1.0);
    (ex - along * dx).hypot(ey - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(start: usize, len: usize) -> Part {
        Part {
            vertices: start..start + len,
            closed: true,
        }
    }

    #[test]
    fn neighbours_agree_on_every_vertex_of_their_common_edge() {
        // two squares of 1,000 cells with a crooked edge between them, run through in opposite directions
        let left = [
            [0, 0],
            [1000, 0],
            [1003, 300],
            [990, 600],
            [1000, 1000],
            [0, 1000],
        ];
        let right = [
            [2000, 1000],
            [1000, 1000],
            [990, 600],
            [1003, 300],
            [1000, 0],
            [2000, 0],
        ];
        let vertices: Vec<_> = left.into_iter().chain(right).collect();
        let levels = levels(&vertices, &[ring(0, 6), ring(6, 6)]);
        for (a, b) in [(1, 10), (2, 9), (3, 8), (4, 7)] {
            assert_eq!(vertices[a], vertices[b]);
            assert_eq!(levels[a], levels[b], "{:?}", vertices[a]);
        }
        assert_eq!((levels[1], levels[4]), (0, 0), "junctions stay");
        // 10 cells aside: 4 cells of zoom 16 are 64, so it is left to the zoom where nothing is left out
        assert_eq!(levels[3], DETAIL_ZOOM);
    }

    #[test]
    fn a_lone_outline_keeps_three_points_while_it_can_be_seen() {
        let sliver = [[0, 0], [100_000, 40], [200_000, 0], [100_000, 5]];
        let levels = levels(&sliver, &[ring(0, 4)]);
        let at = |zoom: u8| levels.iter().filter(|&&level| level <= zoom).count();
        assert_eq!(at(0), 2);
        assert_eq!(at(5), 3, "200,000 cells are 6 cells of zoom 5: {levels:?}");
        assert_eq!(at(DETAIL_ZOOM), 4);
    }

    #[test]
    fn a_million_vertices_are_decided_in_a_moment_and_no_worse_than_asked() {
        let coast: Vec<[u32; 2]> = (0..1_000_000_u32)
            .map(|i| [i * 100, 1_000_000 + (i.wrapping_mul(2_654_435_761) >> 20)])
            .collect();
        let line = Part {
            vertices: 0..coast.len(),
            closed: false,
        };
        let levels = levels(&coast, &[line]);
        assert_eq!((levels[0], levels[999_999]), (0, 0));
        let kept: Vec<_> = (0..coast.len()).filter(|&i| levels[i] <= 9).collect();
        // 4 cells of zoom 9 are 8,192 grid cells, more than the coast is wide: only posts are left
        assert!(kept.len() < 1_100, "{}", kept.len());
        let kept: Vec<_> = (0..coast.len()).filter(|&i| levels[i] <= 12).collect();
        for pair in kept.windows(2) {
            let ends = (coast[pair[0]], coast[pair[1]]);
            let worst = coast[pair[0]..pair[1]]
                .iter()
                .map(|&p| deviation(p, ends))
                .fold(0.0, f64::max);
            assert!(worst <= 4.0 * 256.0, "{worst} cells at zoom 12");
        }
    }
}
