//! North-up raster grids: which cell lies where. A tile is just another grid.

use crate::crs::{Crs, Transform};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A box in the units of some CRS: west, south, east, north.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Bounds {
    /// Smallest x.
    pub west: f64,
    /// Smallest y.
    pub south: f64,
    /// Largest x.
    pub east: f64,
    /// Largest y.
    pub north: f64,
}

impl Bounds {
    /// A box from its edges.
    pub const fn new(west: f64, south: f64, east: f64, north: f64) -> Self {
        Self {
            west,
            south,
            east,
            north,
        }
    }

    /// True when the boxes share some area.
    pub fn intersects(&self, other: &Self) -> bool {
        self.west < other.east
            && other.west < self.east
            && self.south < other.north
            && other.south < self.north
    }

    /// True when the point lies inside or on the edge.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        (self.west..=self.east).contains(&x) && (self.south..=self.north).contains(&y)
    }

    /// The box around the outline of this one in another system (each edge followed in 20 steps).
    pub fn transform(&self, from: Crs, to: Crs) -> Result<Self> {
        let transform = Transform::new(from, to)?;
        let mut out = Self::new(f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
        for step in 0..=20 {
            let t = f64::from(step) / 20.0;
            let x = self.west + t * (self.east - self.west);
            let y = self.south + t * (self.north - self.south);
            for (px, py) in [(x, self.south), (x, self.north), (self.west, y), (self.east, y)] {
                let (px, py) = transform
                    .point(px, py)
                    .ok_or_else(|| Error::Invalid(format!("{self:?} in {from} has no place in {to}")))?;
                out.west = out.west.min(px);
                out.east = out.east.max(px);
                out.south = out.south.min(py);
                out.north = out.north.max(py);
            }
        }
        Ok(out)
    }
}

impl From<[f64; 4]> for Bounds {
    fn from([west, south, east, north]: [f64; 4]) -> Self {
        Self {
            west,
            south,
            east,
            north,
        }
    }
}

impl From<Bounds> for [f64; 4] {
    fn from(b: Bounds) -> Self {
        [b.west, b.south, b.east, b.north]
    }
}

/// A rectangle of cells: first column and row, then size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// First column.
    pub column: usize,
    /// First row.
    pub row: usize,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

/// A north-up grid of cells: CRS, position of its upper left corner, cell size, shape.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// The system of the coordinates.
    pub crs: Crs,
    /// x of the left edge of the first column.
    pub west: f64,
    /// y of the upper edge of the first row.
    pub north: f64,
    /// Cell width in CRS units, positive.
    pub cell_width: f64,
    /// Cell height in CRS units, positive; rows run southwards.
    pub cell_height: f64,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl Grid {
    /// A grid for tests: cells of one unit whose rows count from `height` down to 0.
    #[cfg(test)]
    pub(crate) fn of_units(width: usize, height: usize) -> Self {
        Self {
            crs: Crs::UTM_48N,
            west: 0.0,
            north: height as f64,
            cell_width: 1.0,
            cell_height: 1.0,
            width,
            height,
        }
    }

    /// The grid of square cells of `cell` units that covers `bounds`, edges snapped outward to whole cells.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the box is empty, not finite, or needs more than 10^11 cells.
    pub fn covering(crs: Crs, bounds: Bounds, cell: f64) -> Result<Self> {
        let west = (bounds.west / cell).floor() * cell;
        let north = (bounds.north / cell).ceil() * cell;
        let width = ((bounds.east - west) / cell).ceil();
        let height = ((north - bounds.south) / cell).ceil();
        let sane = width >= 1.0 && height >= 1.0 && width * height <= 1e11;
        if !sane || cell <= 0.0 {
            return Err(Error::Invalid(format!(
                "no usable grid of {cell} units over {bounds:?} in {crs}"
            )));
        }
        Ok(Self {
            crs,
            west,
            north,
            cell_width: cell,
            cell_height: cell,
            width: width as usize,
            height: height as usize,
        })
    }

    /// The outline in the grid's own CRS.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            west: self.west,
            south: self.north - self.cell_height * self.height as f64,
            east: self.west + self.cell_width * self.width as f64,
            north: self.north,
        }
    }

    /// The outline as lon/lat box.
    pub fn lon_lat_bounds(&self) -> Result<Bounds> {
        self.bounds().transform(self.crs, Crs::WGS84)
    }

    /// GDAL's six numbers: west, cell width, 0, north, 0, minus cell height.
    pub fn geotransform(&self) -> [f64; 6] {
        [
            self.west,
            self.cell_width,
            0.0,
            self.north,
            0.0,
            -self.cell_height,
        ]
    }

    /// Fractional column and row of a point (0, 0 is the upper left corner of the first cell).
    pub fn position(&self, x: f64, y: f64) -> (f64, f64) {
        (
            (x - self.west) / self.cell_width,
            (self.north - y) / self.cell_height,
        )
    }

    /// Column and row of the cell that holds the point, if any does.
    pub fn cell(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let (column, row) = self.position(x, y);
        let inside = column >= 0.0 && row >= 0.0 && column < self.width as f64 && row < self.height as f64;
        inside.then_some((column as usize, row as usize))
    }

    /// The whole grid as a window.
    pub fn window(&self) -> Window {
        Window {
            column: 0,
            row: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// The grid of a window of this one.
    pub fn crop(&self, window: Window) -> Self {
        Self {
            west: self.west + window.column as f64 * self.cell_width,
            north: self.north - window.row as f64 * self.cell_height,
            width: window.width,
            height: window.height,
            ..*self
        }
    }

    /// The grid whose cells are `factor` x `factor` cells of this one (the last ones may stick out).
    pub fn coarser(&self, factor: usize) -> Self {
        Self {
            cell_width: self.cell_width * factor as f64,
            cell_height: self.cell_height * factor as f64,
            width: self.width.div_ceil(factor),
            height: self.height.div_ceil(factor),
            ..*self
        }
    }

    /// Where `other` begins in this grid, in whole cells, when both have the same CRS and cell size and their
    /// cells coincide to a thousandth of a cell; columns and rows may be negative.
    pub fn offset_of(&self, other: &Self) -> Option<(i64, i64)> {
        let same_cell = |a: f64, b: f64| (a - b).abs() <= 1e-6 * a.abs();
        if self.crs != other.crs
            || !same_cell(self.cell_width, other.cell_width)
            || !same_cell(self.cell_height, other.cell_height)
        {
            return None;
        }
        let (column, row) = self.position(other.west, other.north);
        let whole = (column - column.round()).abs() < 1e-3 && (row - row.round()).abs() < 1e-3;
        whole.then_some((column.round() as i64, row.round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covering_grid_snaps_outward_to_whole_cells() {
        let grid = Grid::covering(
            Crs::UTM_48N,
            Bounds::new(500_003.0, 1_150_001.0, 500_098.0, 1_150_099.0),
            10.0,
        )
        .expect("sane box");
        assert_eq!(
            (grid.west, grid.north, grid.width, grid.height),
            (500_000.0, 1_150_100.0, 10, 10)
        );
        assert!(Grid::covering(Crs::UTM_48N, Bounds::new(0.0, 0.0, -5.0, 5.0), 10.0).is_err());
    }

    #[test]
    fn windows_of_a_grid_are_found_back_by_offset() {
        let grid = Grid::covering(Crs::UTM_48N, Bounds::new(0.0, 0.0, 1000.0, 1000.0), 10.0).expect("sane");
        let part = grid.crop(Window {
            column: 7,
            row: 9,
            width: 5,
            height: 5,
        });
        assert_eq!(grid.offset_of(&part), Some((7, 9)));
        assert_eq!(grid.offset_of(&Grid { west: 3.0, ..part }), None);
        assert_eq!(grid.cell(75.0, 905.0), Some((7, 9)));
        assert_eq!(grid.cell(-0.1, 5.0), None);
    }
}
