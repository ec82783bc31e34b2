//! What a picture needs of a raster, decided before a pixel is read: which cells of the picture lie over the raster,
//! which resolution serves them, and where each of them falls in it.

use sen_catalog::crs::Transform;
use sen_catalog::{Bounds, Grid, Window};

/// Largest distance, in source pixels, between an interpolated position and the true one: gdalwarp's default too.
const MAX_ERROR: f64 = 0.125;

/// A resolution is still good enough when its cells are this much wider than the picture's. At 10.5 degrees north a
/// 10 m raster's overviews are 6.5 % wider than the pixels of a zoom; the next finer one would cost four times the blocks.
const COARSER: f64 = 1.2;

/// Distance of the nodes where positions are exact, at first; halved until the error fits.
const STEP: usize = 64;

/// The part of `target` that may lie over a raster whose outline in the target's system is `outline`.
pub(crate) fn covered(target: &Grid, outline: &Bounds) -> Option<Window> {
    let (left, top) = target.position(outline.west, outline.north);
    let (right, bottom) = target.position(outline.east, outline.south);
    // the outline was followed in steps; its true edge bulges less than this
    let margin = |a: f64, b: f64| 2.0 + (b - a).abs() * 1e-3;
    let (across, down) = (margin(left, right), margin(top, bottom));
    let clip = |value: f64, size: usize| value.clamp(0.0, size as f64) as usize;
    let (x0, x1) = (
        clip((left - across).floor(), target.width),
        clip((right + across).ceil(), target.width),
    );
    let (y0, y1) = (
        clip((top - down).floor(), target.height),
        clip((bottom + down).ceil(), target.height),
    );
    (x1 > x0 && y1 > y0).then(|| Window {
        column: x0,
        row: y0,
        width: x1 - x0,
        height: y1 - y0,
    })
}

/// Cells of the source under one pixel of the target, at the middle of `window`: the smaller of the two directions.
/// `None` where the target has no place in the source's system.
pub(crate) fn ratio(transform: &Transform, target: &Grid, window: Window, source: &Grid) -> Option<f64> {
    let x = target.west + (window.column as f64 + window.width as f64 / 2.0) * target.cell_width;
    let y = target.north - (window.row as f64 + window.height as f64 / 2.0) * target.cell_height;
    let at = |x: f64, y: f64| transform.point(x, y).map(|(x, y)| source.position(x, y));
    let (middle, east, south) = (
        at(x, y)?,
        at(x + target.cell_width, y)?,
        at(x, y - target.cell_height)?,
    );
    let length = |p: (f64, f64)| (p.0 - middle.0).hypot(p.1 - middle.1);
    Some(length(east).min(length(south)))
}

/// The coarsest level that still has the detail the picture shows; `widths` of the levels, finest first.
pub(crate) fn level(widths: impl Iterator<Item = usize>, ratio: f64) -> usize {
    let widths: Vec<usize> = widths.collect();
    let full = widths.first().copied().unwrap_or(1) as f64;
    widths
        .iter()
        .rposition(|width| full / (*width as f64) <= ratio * COARSER)
        .unwrap_or(0)
}

/// Positions in the source of every pixel corner of a window of the target, exact at the nodes of a lattice and
/// bilinear between them. Nodes without a place in the source's system are NaN.
#[derive(Debug)]
pub(crate) struct Lattice {
    /// Distance of the nodes in target pixels.
    pub(crate) step: usize,
    columns: usize,
    nodes: Vec<(f64, f64)>,
}

impl Lattice {
    /// The lattice over a window, fine enough for an error of at most [`MAX_ERROR`] source pixels.
    pub(crate) fn new(transform: &Transform, target: &Grid, window: Window, source: &Grid) -> Self {
        let mut step = STEP;
        loop {
            let lattice = Self::with_step(transform, target, window, source, step);
            if step == 1 || lattice.error(transform, target, window, source) <= MAX_ERROR {
                return lattice;
            }
            step /= 2;
        }
    }

    fn with_step(transform: &Transform, target: &Grid, window: Window, source: &Grid, step: usize) -> Self {
        let columns = window.width.div_ceil(step) + 1;
        let rows = window.height.div_ceil(step) + 1;
        let mut nodes = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let (x, y) = ((column * step) as f64, (row * step) as f64);
                nodes.push(exact(transform, target, window, source, x, y));
            }
        }
        Self { step, columns, nodes }
    }

    /// Largest distance between interpolated and exact position, from the cells in the corners and in the middle, as
    /// curvature changes slowly; infinite where a position does not exist, so that the edge of the projection's reach
    /// is followed closely. Taken at the middles of edges and added up: in the middle of a cell the errors along x and
    /// y of a conformal projection cancel.
    fn error(&self, transform: &Transform, target: &Grid, window: Window, source: &Grid) -> f64 {
        let last_row = self.nodes.len() / self.columns - 2;
        let last_column = self.columns - 2;
        let half = self.step as f64 / 2.0;
        let middle = (last_column / 2, last_row / 2);
        let cells = [
            (0, 0),
            (last_column, 0),
            (0, last_row),
            (last_column, last_row),
            middle,
        ];
        let mut worst = 0.0_f64;
        for (i, &(column, row)) in cells.iter().enumerate() {
            if cells[..i].contains(&(column, row)) {
                continue;
            }
            let (x, y) = ((column * self.step) as f64, (row * self.step) as f64);
            let [first, right, below, _] = self.corners(column, row);
            let distance = |other: (f64, f64), x: f64, y: f64| {
                let (u, v) = exact(transform, target, window, source, x, y);
                (f64::midpoint(first.0, other.0) - u).hypot(f64::midpoint(first.1, other.1) - v)
            };
            let sum = distance(right, x + half, y) + distance(below, x, y + half);
            worst = if sum.is_finite() {
                worst.max(sum)
            } else {
                f64::INFINITY
            };
        }
        worst
    }

    /// The nodes around a cell of the lattice: upper left, upper right, lower left, lower right.
    fn corners(&self, column: usize, row: usize) -> [(f64, f64); 4] {
        let upper = row * self.columns + column;
        let lower = upper + self.columns;
        [
            self.nodes[upper],
            self.nodes[upper + 1],
            self.nodes[lower],
            self.nodes[lower + 1],
        ]
    }

    /// Where the middle of the target row `y` of the window meets the left and right edges of the lattice's `column`.
    pub(crate) fn span(&self, column: usize, y: usize) -> ((f64, f64), (f64, f64)) {
        let row = y / self.step;
        let t = ((y % self.step) as f64 + 0.5) / self.step as f64;
        let [a, b, c, d] = self.corners(column, row);
        let between = |p: (f64, f64), q: (f64, f64)| (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
        (between(a, c), between(b, d))
    }

    /// The box of the source that the nodes span: west, north, east, south in fractional columns and rows.
    pub(crate) fn extent(&self) -> Option<[f64; 4]> {
        let mut extent = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for &(u, v) in self.nodes.iter().filter(|(u, v)| u.is_finite() && v.is_finite()) {
            extent = [
                extent[0].min(u),
                extent[1].min(v),
                extent[2].max(u),
                extent[3].max(v),
            ];
        }
        (extent[0] <= extent[2]).then_some(extent)
    }
}

/// The exact place in the source of a position in the window (target pixels from its corner).
fn exact(transform: &Transform, target: &Grid, window: Window, source: &Grid, x: f64, y: f64) -> (f64, f64) {
    let x = target.west + (window.column as f64 + x) * target.cell_width;
    let y = target.north - (window.row as f64 + y) * target.cell_height;
    transform
        .point(x, y)
        .map_or((f64::NAN, f64::NAN), |(x, y)| source.position(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::{Crs, TileCoord};

    fn utm_scene() -> Grid {
        Grid {
            crs: Crs::UTM_48N,
            west: 510_000.0,
            north: 1_215_000.0,
            cell_width: 10.0,
            cell_height: 10.0,
            width: 10_980,
            height: 10_980,
        }
    }

    #[test]
    fn interpolated_positions_stay_within_an_eighth_of_a_source_pixel() {
        let transform = Transform::new(Crs::WEB_MERCATOR, Crs::UTM_48N).expect("known systems");
        let source = utm_scene();
        for (z, x, y) in [
            (8, 203, 120),
            (10, 812, 482),
            (13, 6500, 3857),
            (15, 26_000, 15_430),
        ] {
            let target = TileCoord::new(z, x, y).expect("exists").grid(256);
            let window = target.window();
            let lattice = Lattice::new(&transform, &target, window, &source);
            for row in (0..256).step_by(7) {
                for column in 0..256 / lattice.step {
                    let (left, right) = lattice.span(column, row);
                    for pixel in 0..lattice.step {
                        let t = (pixel as f64 + 0.5) / lattice.step as f64;
                        let (u, v) = (left.0 + (right.0 - left.0) * t, left.1 + (right.1 - left.1) * t);
                        let x = (column * lattice.step + pixel) as f64 + 0.5;
                        let truth = exact(&transform, &target, window, &source, x, row as f64 + 0.5);
                        assert!(
                            (u - truth.0).hypot(v - truth.1) <= MAX_ERROR,
                            "z{z} step {}",
                            lattice.step
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn the_overview_just_coarser_than_the_picture_is_taken_up_to_a_fifth() {
        let widths = || [1024, 512, 256].into_iter();
        assert_eq!(
            [0.5, 1.0, 1.6, 1.7, 3.3, 3.4, 99.0].map(|ratio| level(widths(), ratio)),
            [0, 0, 0, 1, 1, 2, 2]
        );
        assert_eq!(level(std::iter::empty(), 1.0), 0);
    }

    #[test]
    fn pictures_beside_the_raster_need_nothing() {
        let target = TileCoord::new(12, 3249, 1928).expect("exists").grid(256);
        let box_ = target.bounds();
        let far = Bounds::new(box_.east + 1e5, box_.south, box_.east + 2e5, box_.north);
        assert_eq!(covered(&target, &far), None);
        assert_eq!(covered(&target, &box_), Some(target.window()));
    }
}
