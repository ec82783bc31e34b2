//! Which cells of the province grid belong to which plot: those whose centre lies inside. A plot between the centres
//! gets the cell of its middle.
//!
//! Dates are read off the mean of a plot, for which cells shared with the neighbour only blur; areas and statistics
//! are another matter and are weighted exactly elsewhere.

use crate::Result;
use geo::Centroid;
use geo_types::{LineString, MultiPolygon};
use sen_catalog::crs::Transform;
use sen_catalog::{Crs, Grid};

/// A run of cells of a row that belong to a plot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    row: u32,
    column: u32,
    length: u32,
    plot: u32,
}

/// The cells of all plots.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// By row.
    runs: Vec<Run>,
    /// Cells of each plot.
    counts: Vec<u32>,
}

impl Cells {
    /// The cells of polygons in lon/lat; plots outside the grid have none.
    pub(crate) fn new(plots: &[MultiPolygon<f64>], grid: &Grid) -> Result<Self> {
        let transform = Transform::new(Crs::WGS84, grid.crs)?;
        let mut cells = Self {
            runs: Vec::new(),
            counts: vec![0; plots.len()],
        };
        for (plot, polygons) in plots.iter().enumerate() {
            let rings: Vec<Vec<(f64, f64)>> = polygons
                .iter()
                .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
                .map(|ring| places(ring, &transform, grid))
                .collect();
            cells.fill(plot, &rings, grid);
            if cells.counts[plot] == 0 {
                let centre = polygons
                    .centroid()
                    .and_then(|point| transform.point(point.x(), point.y()))
                    .and_then(|(x, y)| grid.cell(x, y));
                if let Some((column, row)) = centre {
                    cells.push(plot, row, column, column + 1);
                }
            }
        }
        cells.runs.sort_unstable();
        Ok(cells)
    }

    /// Cells of a plot.
    pub(super) fn count(&self, plot: usize) -> u32 {
        self.counts[plot]
    }

    /// Scan lines through the centres of the rows; a centre is inside when an odd number of edges lies left of it.
    fn fill(&mut self, plot: usize, rings: &[Vec<(f64, f64)>], grid: &Grid) {
        let rows = rings.iter().flatten().map(|point| point.1);
        let (top, bottom) = rows.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
            (low.min(y), high.max(y))
        });
        if !(top.is_finite() && bottom.is_finite()) {
            return;
        }
        let first = (top - 0.5).ceil().max(0.0) as usize;
        let last = (bottom - 0.5).floor().min(grid.height as f64 - 1.0);
        if last < 0.0 {
            return;
        }
        let mut crossings = Vec::new();
        for row in first..=last as usize {
            let y = row as f64 + 0.5;
            crossings.clear();
            for ring in rings {
                for edge in ring.windows(2) {
                    let ((x0, y0), (x1, y1)) = (edge[0], edge[1]);
                    if (y0 <= y) != (y1 <= y) {
                        crossings.push(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
                    }
                }
            }
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let from = (pair[0] - 0.5).ceil().max(0.0);
                let to = (pair[1] - 0.5).ceil().min(grid.width as f64);
                if to > from {
                    self.push(plot, row, from as usize, to as usize);
                }
            }
        }
    }

    fn push(&mut self, plot: usize, row: usize, from: usize, to: usize) {
        self.counts[plot] += (to - from) as u32;
        self.runs.push(Run {
            row: row as u32,
            column: from as u32,
            length: (to - from) as u32,
            plot: plot as u32,
        });
    }

    /// Calls with plot, row, first column and end column for each run of the rows.
    pub(crate) fn runs(
        &self,
        rows: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (usize, usize, std::ops::Range<usize>)> + '_ {
        let start = self.runs.partition_point(|run| (run.row as usize) < rows.start);
        let end = self.runs.partition_point(|run| (run.row as usize) < rows.end);
        self.runs[start..end].iter().map(|run| {
            let from = run.column as usize;
            (
                run.plot as usize,
                run.row as usize,
                from..from + run.length as usize,
            )
        })
    }
}

/// A ring in cells of the grid, closed; empty where the projection has no answer.
fn places(ring: &LineString<f64>, transform: &Transform, grid: &Grid) -> Vec<(f64, f64)> {
    let points: Option<Vec<(f64, f64)>> = ring
        .0
        .iter()
        .map(|point| {
            let (x, y) = transform.point(point.x, point.y)?;
            Some(grid.position(x, y))
        })
        .collect();
    let mut points = points.unwrap_or_default();
    if points.first() != points.last() {
        points.extend(points.first().copied());
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::Polygon;
    use sen_catalog::Bounds;

    #[test]
    fn centres_decide_and_the_smallest_plot_has_a_cell() {
        let grid = Grid::covering(Crs::WGS84, Bounds::new(0.0, 0.0, 10.0, 10.0), 1.0).expect("a sane grid");
        let ring = |points: &[(f64, f64)]| LineString::from(points.to_vec());
        // a square of 4 x 4 with a hole of 2 x 2, and a plot between the centres
        let square = Polygon::new(
            ring(&[(1.0, 5.0), (5.0, 5.0), (5.0, 9.0), (1.0, 9.0)]),
            vec![ring(&[(2.0, 6.0), (4.0, 6.0), (4.0, 8.0), (2.0, 8.0)])],
        );
        let tiny = Polygon::new(ring(&[(7.6, 2.6), (7.9, 2.6), (7.9, 2.9), (7.6, 2.9)]), vec![]);
        let away = Polygon::new(ring(&[(20.0, 20.0), (21.0, 20.0), (21.0, 21.0)]), vec![]);
        let plots = [square, tiny, away].map(|polygon| MultiPolygon(vec![polygon]));
        let cells = Cells::new(&plots, &grid).expect("cells");
        assert_eq!(
            (0..3).map(|plot| cells.count(plot)).collect::<Vec<_>>(),
            [12, 1, 0]
        );
        let rows: Vec<_> = cells.runs(2..3).collect();
        assert_eq!(rows, [(0, 2, 1..2), (0, 2, 4..5)]);
        assert_eq!(cells.runs(7..8).next(), Some((1, 7, 7..8)));
    }
}
