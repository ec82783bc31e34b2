//! What a tile shows where more lies in it than it may hold.
//!
//! Areas are merged: the tile is divided into square cells, each goes to the area that holds its centre, and an area is
//! drawn as the cells it got. Areas without a cell are dropped, yet their ground is shown by neighbours, so that shares of
//! the land stay right and no gap opens: where areas leave no ground free between them, each centre lies in exactly one.
//! Points and short lines are picked: one for each cell.

use super::grid::{BUFFER, EXTENT};
use super::tile::{Drawing, MOST_FEATURES};
use std::collections::HashSet;

/// Bytes of an area of one cell without attributes.
pub(super) const CELL_BYTES: f64 = 27.0;

/// Bytes that a tile of merged areas aims at: it is looked at from afar, a quarter of a megabyte is plenty.
pub(super) const MERGED_BYTES: f64 = 250_000.0;

/// Widths of cells that are tried, in tile cells: 8 are a pixel where a tile is drawn on 512.
const WIDTHS: [i64; 6] = [8, 16, 32, 64, 128, 256];

const NOBODY: u32 = u32::MAX;

/// Draws areas as the cells whose centres they hold.
pub(super) fn merge(drawing: &mut Drawing<'_>, rows: &[u32]) {
    let aim = MERGED_BYTES.min(drawing.limit() as f64);
    let covered = covered(drawing, rows);
    let attributes = drawing.attribute_bytes();
    for (at, &width) in WIDTHS.iter().enumerate() {
        let last = at + 1 == WIDTHS.len();
        let owners = (covered / (width * width) as f64).min(rows.len() as f64);
        if !last && owners * (CELL_BYTES + attributes) > aim {
            continue;
        }
        let runs = runs(&own(drawing, rows, width), width);
        let count = runs.chunk_by(|a, b| a.owner == b.owner).count();
        if (count <= MOST_FEATURES && draw(drawing, rows, &runs, width)) || last {
            return;
        }
    }
}

/// The ground that the rows' boxes cover within the tile, in square tile cells; boxes of plots are half empty.
fn covered(drawing: &Drawing<'_>, rows: &[u32]) -> f64 {
    let inside = |value: i64| value.clamp(-BUFFER, EXTENT + BUFFER);
    let area = |&row: &u32| {
        let [west, north, east, south] = drawing.place_box(row as usize).map(inside);
        ((east - west) * (south - north)) as f64
    };
    0.6 * rows.iter().map(area).sum::<f64>()
}

/// Cells of a width along an edge of the tile with its buffer.
fn side(width: i64) -> usize {
    ((EXTENT + 2 * margin(width)) / width) as usize
}

/// Where the cells begin beyond the tile's edge: whole cells, so that the next tile has the same.
fn margin(width: i64) -> i64 {
    (BUFFER + width - 1) / width * width
}

/// The owner of each cell: its place among the rows.
fn own(drawing: &Drawing<'_>, rows: &[u32], width: i64) -> Vec<u32> {
    let side = side(width);
    let origin = margin(width);
    let mut owners = vec![NOBODY; side * side];
    // the first cell whose centre is not before a coordinate
    let cell = |value: i64| {
        (value + origin - width / 2 + width - 1)
            .div_euclid(width)
            .clamp(0, side as i64) as usize
    };
    let mut crossings = Vec::new();
    for (number, &row) in rows.iter().enumerate() {
        let [west, north, east, south] = drawing.place_box(row as usize);
        let (top, bottom) = (cell(north), cell(south));
        if top == bottom || cell(west) == cell(east) {
            continue;
        }
        crossings.clear();
        drawing.rings(row as usize, |a, b| {
            let (a, b) = if a[1] <= b[1] { (a, b) } else { (b, a) };
            let (first, last) = (cell(a[1]), cell(b[1]));
            for line in first..last {
                let y = line as i64 * width - origin + width / 2;
                let share = (y - a[1]) as f64 / (b[1] - a[1]) as f64;
                crossings.push((line, a[0] as f64 + share * (b[0] - a[0]) as f64));
            }
        });
        crossings.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for pair in crossings.chunks_exact(2) {
            let (line, from, to) = (pair[0].0, pair[0].1, pair[1].1);
            let (from, to) = (cell(from.ceil() as i64), cell(to.ceil() as i64));
            if from < to {
                owners[line * side + from..line * side + to].fill(number as u32);
            }
        }
    }
    owners
}

/// Cells of one owner side by side, sorted by owner, then from north to south.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    owner: u32,
    line: u16,
    from: u16,
    to: u16,
}

fn runs(owners: &[u32], width: i64) -> Vec<Run> {
    let mut runs = Vec::new();
    for (line, cells) in owners.chunks(side(width)).enumerate() {
        let mut from = 0;
        for same in cells.chunk_by(|a, b| a == b) {
            let to = from + same.len();
            if same[0] != NOBODY {
                runs.push(Run {
                    owner: same[0],
                    line: line as u16,
                    from: from as u16,
                    to: to as u16,
                });
            }
            from = to;
        }
    }
    runs.sort_unstable();
    runs
}

/// Draws the runs, those that lie below each other alike as one rectangle; false when there is no room.
fn draw(drawing: &mut Drawing<'_>, rows: &[u32], runs: &[Run], width: i64) -> bool {
    drawing.begin();
    let edge = |cell: u16| (i64::from(cell) * width - margin(width)) as i32;
    runs.chunk_by(|a, b| a.owner == b.owner).all(|own| {
        drawing.scratch.geometry.clear();
        for block in own.chunk_by(|a, b| b.line == a.line + 1 && (a.from, a.to) == (b.from, b.to)) {
            let (first, last) = (block[0], block[block.len() - 1]);
            let (west, east) = (edge(first.from), edge(first.to));
            let (north, south) = (edge(first.line), edge(last.line + 1));
            let corners = [[west, north], [east, north], [east, south], [west, south]];
            drawing.scratch.geometry.ring(&corners, false);
        }
        drawing.feature(rows[own[0].owner as usize] as usize);
        drawing.has_room()
    })
}

/// Draws points and lines, of those smaller than a cell one for each cell.
pub(super) fn pick(drawing: &mut Drawing<'_>, rows: &[u32]) {
    for (at, &width) in WIDTHS.iter().enumerate() {
        let last = at + 1 == WIDTHS.len();
        let mut taken = HashSet::new();
        let picked: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|&row| {
                let [west, north, east, south] = drawing.place_box(row as usize);
                let small = (east - west).max(south - north) < width;
                !small || taken.insert((west.midpoint(east) / width, north.midpoint(south) / width))
            })
            .collect();
        if !last && picked.len() > MOST_FEATURES {
            continue;
        }
        // coarser lines with coarser cells, so that a layer of few but very long ones fits as well
        let detail = drawing.zoom().saturating_sub(2 * at as u8);
        drawing.begin();
        let room = picked.iter().all(|&row| {
            if drawing.geometry(row as usize, detail) {
                drawing.feature(row as usize);
            }
            drawing.has_room()
        });
        if room {
            return;
        }
    }
}
