//! How the province grid is cut into strips and tiles.

use crate::look;
use sen_catalog::{Grid, Window};

/// Columns and rows of a tile: its bands fit the processor's cache.
const TILE: (usize, usize) = (512, 64);
/// The same for products with a wide margin, which would be read and computed twice and more around small tiles.
const LARGE_TILE: (usize, usize) = (512, 256);
/// Margin in cells from which tiles are large.
const WIDE_MARGIN: usize = 8;

/// Columns and rows of the tiles of products with such a margin.
pub(super) fn tile_size(margin: usize) -> (usize, usize) {
    if margin >= WIDE_MARGIN { LARGE_TILE } else { TILE }
}

/// Cells of a tile that lie in any of the windows.
pub(super) fn covered(tile: Window, windows: &[Window]) -> u64 {
    let parts: Vec<Window> = windows
        .iter()
        .filter_map(|&window| look::intersection(tile, window))
        .collect();
    if parts.contains(&tile) {
        return (tile.width * tile.height) as u64;
    }
    let inside = |column: usize, row: usize| {
        parts.iter().any(|part| {
            (part.column..part.column + part.width).contains(&column)
                && (part.row..part.row + part.height).contains(&row)
        })
    };
    let cells = (tile.row..tile.row + tile.height).map(|row| {
        (tile.column..tile.column + tile.width)
            .filter(|&column| inside(column, row))
            .count() as u64
    });
    if parts.is_empty() { 0 } else { cells.sum() }
}

/// 1 where the grid's first column (row) is the second half of a cell of twice the size; such cells are counted from
/// the origin of the coordinate system, as Sentinel-2 does.
pub(super) fn phase(grid: &Grid) -> (usize, usize) {
    let odd = |edge: f64, cell: f64| ((edge / cell).round() as i64).rem_euclid(2) as usize;
    (odd(grid.west, grid.cell_width), odd(grid.north, grid.cell_height))
}

/// A tile with its margin, as far as the grid goes.
pub(super) fn widened(tile: Window, margin: usize, grid: &Grid) -> Window {
    let (column, row) = (
        tile.column.saturating_sub(margin),
        tile.row.saturating_sub(margin),
    );
    Window {
        column,
        row,
        width: (tile.column + tile.width + margin).min(grid.width) - column,
        height: (tile.row + tile.height + margin).min(grid.height) - row,
    }
}

/// Full-width strips of an even number of rows that keep cells of twice the size whole.
pub(super) fn strips(grid: &Grid, rows: usize) -> Vec<Window> {
    let cuts = cuts(0, grid.height, rows, phase(grid).1);
    cuts.into_iter()
        .map(|(row, height)| Window {
            column: 0,
            row,
            width: grid.width,
            height,
        })
        .collect()
}

/// The tiles of a strip, at most `tile` columns and rows and `block` of either.
pub(super) fn tiles(strip: Window, grid: &Grid, tile: (usize, usize), block: usize) -> Vec<Window> {
    let (width, height) = (tile.0.min(block.max(2)) / 2 * 2, tile.1.min(block.max(2)) / 2 * 2);
    let (across, down) = phase(grid);
    let columns = cuts(0, grid.width, width, across);
    let rows = cuts(strip.row, strip.height, height, (strip.row + down) % 2);
    rows.iter()
        .flat_map(|&(row, height)| {
            columns.iter().map(move |&(column, width)| Window {
                column,
                row,
                width,
                height,
            })
        })
        .collect()
}

/// Cuts `size` cells from `start` into pieces of `step`, the first one shorter by the phase.
fn cuts(start: usize, size: usize, step: usize, phase: usize) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < size {
        let length = if at == 0 { step - phase } else { step };
        let length = length.min(size - at);
        pieces.push((start + at, length));
        at += length;
    }
    pieces
}
