//! Which compartment each cell lies in, strip by strip: in memory are the outlines and the rows under way.

use crate::{Error, Result};
use sen_catalog::coverage::{Coverage, Outline, Projection};
use sen_catalog::{Crs, Feature, Grid, Window};

/// Rows of cells worked on at once: those of a block.
pub const STRIP_ROWS: usize = 512;

/// The strips of a grid, from the north on.
pub(super) fn strips(grid: &Grid, rows: usize) -> impl Iterator<Item = Window> {
    let (width, height, rows) = (grid.width, grid.height, rows.max(1));
    (0..height).step_by(rows).map(move |row| Window {
        column: 0,
        row,
        width,
        height: rows.min(height - row),
    })
}

/// Features placed on a grid.
pub(super) struct CompartmentCells {
    pub(super) grid: Grid,
    /// Number from 1 on, outline, and the cells it reaches.
    placed: Vec<(u16, Outline, Window)>,
}

impl CompartmentCells {
    /// Places features on a grid; one that has no place there holds no cell.
    ///
    /// # Errors
    /// When the grid's system is not known, or there are more features than numbers.
    pub(super) fn new<'f>(features: impl ExactSizeIterator<Item = &'f Feature>, grid: &Grid) -> Result<Self> {
        if features.len() > usize::from(u16::MAX) - 1 {
            return Err(Error::Invalid(format!(
                "{} dyke compartments are more than the {} that one map can hold",
                features.len(),
                u16::MAX - 1
            )));
        }
        let projection = Projection::new(Crs::WGS84, grid)?;
        let place = |(number, feature): (u16, &Feature)| {
            let outline = Outline::new(&feature.polygons()?, &projection).ok()?;
            let window = outline.window(grid.width, grid.height)?;
            Some((number, outline, window))
        };
        let placed = (1_u16..).zip(features).filter_map(place).collect();
        Ok(Self { grid: *grid, placed })
    }

    /// For each cell of a strip the number, from 1 on, of the last of the features that holds at least half of it; 0 for none.
    pub(super) fn numbers(&self, strip: Window) -> Vec<u16> {
        let mut cells = vec![0_u16; strip.width * strip.height];
        let mut coverage = Coverage::default();
        for (number, outline, window) in &self.placed {
            let top = window.row.max(strip.row);
            let bottom = (window.row + window.height).min(strip.row + strip.height);
            if top >= bottom {
                continue;
            }
            let part = Window {
                row: top,
                height: bottom - top,
                ..*window
            };
            coverage.measure(outline, part);
            coverage.for_each(|column, row, share| {
                if share >= 0.5 {
                    cells[(top - strip.row + row) * strip.width + part.column + column] = *number;
                }
            });
        }
        cells
    }
}
