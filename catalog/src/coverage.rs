//! Which share of each cell of a grid a polygon covers, exactly.
//!
//! Each edge adds, row by row, what it contributes to the area right of it; the running sum along a row is then the
//! covered share of its cells. Cells that no edge touches come out as whole without being looked at singly, and holes
//! and further parts need no care of their own: their edges run the other way.

use crate::crs::{Crs, Transform};
use crate::feature::polygons_area_m2;
use crate::grid::{Bounds, Grid, Window};
use crate::{Error, Result};
use geo::BoundingRect;
use geo_types::{LineString, MultiPolygon};

/// Shares of touched cells nearer than this to 0 or 1 are 0 or 1: an edge along a cell's edge touches nothing, but
/// the arithmetic leaves crumbs. A corner that an edge cuts off by more counts, as in exactextract.
const NOTHING: f64 = 1e-14;
/// Edges longer than this (degrees) are looked at for being curved in the grid's system.
const LONG_DEG: f64 = 0.01;
/// A straight edge in lon/lat is followed in the grid's system until it is off by less, in cells.
const STRAIGHT_CELLS: f64 = 0.01;
/// How far outside the grid (degrees) a polygon may reach before it is cut: projections have no answer far away.
const FAR_DEG: f64 = 2.0;

/// A polygon or several in cells of a grid: x counts columns from the western edge, y rows from the northern.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    points: Vec<[f64; 2]>,
    /// End of each ring in `points` and the sign that makes its inside positive.
    rings: Vec<(usize, f64)>,
    cells: f64,
    /// West, north, east, south in cells.
    bounds: [f64; 4],
}

impl Default for Outline {
    /// Nothing at all.
    fn default() -> Self {
        Self {
            points: Vec::new(),
            rings: Vec::new(),
            cells: 0.0,
            bounds: [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY],
        }
    }
}

impl Outline {
    /// The outline of polygons, projected vertex by vertex.
    ///
    /// An edge that is straight in lon/lat is followed by more vertices only where it is off by more than 0.01 cells:
    /// with cells of 10 m, edges above some 5 km. What reaches far beyond the grid is cut there. Rings may run either
    /// way and need not be closed; where parts overlap the cells count once.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a vertex is not a number or has no place in the grid's system.
    pub fn new(polygons: &MultiPolygon<f64>, projection: &Projection) -> Result<Self> {
        let mut outline = Self::default();
        let near = projection.cut(polygons);
        for polygon in near.as_ref().unwrap_or(polygons) {
            outline.ring(polygon.exterior(), 1.0, projection)?;
            for hole in polygon.interiors() {
                outline.ring(hole, -1.0, projection)?;
            }
        }
        if let Some(near) = &near {
            // cells that the part which was cut off would have
            let share = polygons_area_m2(polygons) / polygons_area_m2(near);
            if share.is_finite() {
                outline.cells *= share.max(1.0);
            }
        }
        Ok(outline)
    }

    fn ring(&mut self, ring: &LineString<f64>, inside: f64, projection: &Projection) -> Result<()> {
        let start = self.points.len();
        let mut before: Option<([f64; 2], [f64; 2])> = None;
        for coordinate in &ring.0 {
            let here = [coordinate.x, coordinate.y];
            let place = projection.place(here)?;
            if let Some((last, last_place)) = before {
                projection.follow((last, last_place), (here, place), 12, &mut self.points)?;
            }
            self.points.push(place);
            before = Some((here, place));
        }
        if self.points.len() > start + 1 && self.points.last() == self.points.get(start) {
            self.points.pop();
        }
        let own = &self.points[start..];
        let twice: f64 = edges(own)
            .map(|([x0, y0], [x1, y1])| {
                (x0 - own[0][0]) * (y1 - own[0][1]) - (x1 - own[0][0]) * (y0 - own[0][1])
            })
            .sum();
        if own.len() < 3 || twice == 0.0 {
            self.points.truncate(start);
            return Ok(());
        }
        for &[x, y] in own {
            let [west, north, east, south] = self.bounds;
            self.bounds = [west.min(x), north.min(y), east.max(x), south.max(y)];
        }
        self.cells += inside * twice.abs() / 2.0;
        self.rings.push((self.points.len(), -twice.signum() * inside));
        Ok(())
    }

    /// Area in cells, also of what lies outside the grid.
    pub fn cells(&self) -> f64 {
        self.cells.max(0.0)
    }

    /// Number of vertices.
    pub fn vertices(&self) -> usize {
        self.points.len()
    }

    /// The cells of a grid of so many columns and rows that the outline's box meets; none when it lies outside.
    pub fn window(&self, width: usize, height: usize) -> Option<Window> {
        let [west, north, east, south] = self.bounds;
        let (left, right) = (west.floor().max(0.0), east.ceil().min(width as f64));
        let (top, bottom) = (north.floor().max(0.0), south.ceil().min(height as f64));
        (left < right && top < bottom).then_some(Window {
            column: left as usize,
            row: top as usize,
            width: (right - left) as usize,
            height: (bottom - top) as usize,
        })
    }

    /// True when no part lies outside a grid of so many columns and rows.
    pub fn is_inside(&self, width: usize, height: usize) -> bool {
        let [west, north, east, south] = self.bounds;
        west >= 0.0 && north >= 0.0 && east <= width as f64 && south <= height as f64
    }
}

fn edges(ring: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
    let last = ring.last().copied();
    let starts = last.into_iter().chain(ring.iter().copied());
    starts.zip(ring.iter().copied())
}

/// How polygons of some system become outlines in cells of a grid.
pub struct Projection {
    transform: Transform,
    grid: Grid,
    /// For polygons in lon/lat: what lies outside this box is cut off.
    near: Option<Bounds>,
}

impl Projection {
    /// Prepares the way from a system to a grid.
    ///
    /// # Errors
    /// [`Error::Invalid`] for systems that cannot be transformed.
    pub fn new(crs: Crs, grid: &Grid) -> Result<Self> {
        let near = if crs.is_geographic() {
            let b = grid.lon_lat_bounds()?;
            let [west, south] = [b.west - FAR_DEG, b.south - FAR_DEG];
            Some(Bounds::new(west, south, b.east + FAR_DEG, b.north + FAR_DEG))
        } else {
            None
        };
        Ok(Self {
            transform: Transform::new(crs, grid.crs)?,
            grid: *grid,
            near,
        })
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// A point in cells of the grid.
    fn place(&self, [x, y]: [f64; 2]) -> Result<[f64; 2]> {
        let projected = if x.is_finite() && y.is_finite() {
            self.transform.point(x, y)
        } else {
            None
        };
        let (x, y) = projected.ok_or_else(|| {
            Error::Invalid(format!("the vertex {x}, {y} has no place in {}", self.grid.crs))
        })?;
        let (column, row) = self.grid.position(x, y);
        Ok([column, row])
    }

    /// Vertices between two, where the straight line between them in lon/lat is curved in the grid.
    fn follow(
        &self,
        (a, place_a): ([f64; 2], [f64; 2]),
        (b, place_b): ([f64; 2], [f64; 2]),
        depth: u32,
        out: &mut Vec<[f64; 2]>,
    ) -> Result<()> {
        let long = (a[0] - b[0]).abs().max((a[1] - b[1]).abs()) > LONG_DEG;
        if self.near.is_none() || !long || depth == 0 {
            return Ok(());
        }
        let middle = [f64::midpoint(a[0], b[0]), f64::midpoint(a[1], b[1])];
        let place = self.place(middle)?;
        let off_x = place[0] - f64::midpoint(place_a[0], place_b[0]);
        let off_y = place[1] - f64::midpoint(place_a[1], place_b[1]);
        if off_x.abs().max(off_y.abs()) > STRAIGHT_CELLS {
            self.follow((a, place_a), (middle, place), depth - 1, out)?;
            out.push(place);
            self.follow((middle, place), (b, place_b), depth - 1, out)?;
        }
        Ok(())
    }

    /// The part near the grid of polygons that reach far away; none when all is near.
    fn cut(&self, polygons: &MultiPolygon<f64>) -> Option<MultiPolygon<f64>> {
        let near = self.near?;
        let rect = polygons.bounding_rect()?;
        if near.contains(rect.min().x, rect.min().y) && near.contains(rect.max().x, rect.max().y) {
            return None;
        }
        let clip = |ring: &LineString<f64>| {
            let points = ring.0.iter().map(|point| [point.x, point.y]).collect();
            LineString::from(clip(points, near))
        };
        let parts = polygons.iter().map(|polygon| {
            let holes = polygon.interiors().iter().map(clip).collect();
            geo_types::Polygon::new(clip(polygon.exterior()), holes)
        });
        Some(parts.collect())
    }
}

/// Sutherland and Hodgman: what remains of a ring within a box. Edges along the box may run both ways, which adds up to
/// nothing.
fn clip(mut ring: Vec<[f64; 2]>, b: Bounds) -> Vec<[f64; 2]> {
    for (axis, limit, side) in [
        (0, b.west, 1.0),
        (0, b.east, -1.0),
        (1, b.south, 1.0),
        (1, b.north, -1.0),
    ] {
        let inside = |p: &[f64; 2]| (p[axis] - limit) * side >= 0.0;
        let mut kept = Vec::with_capacity(ring.len() + 4);
        for (a, c) in edges(&ring) {
            if inside(&a) != inside(&c) {
                let share = (limit - a[axis]) / (c[axis] - a[axis]);
                let mut crossing = [a[0] + share * (c[0] - a[0]), a[1] + share * (c[1] - a[1])];
                crossing[axis] = limit;
                kept.push(crossing);
            }
            if inside(&c) {
                kept.push(c);
            }
        }
        ring = kept;
    }
    ring
}

/// Covered shares within a window; keeps its memory from polygon to polygon.
#[derive(Debug, Default)]
pub struct Coverage {
    sums: Vec<f64>,
    /// Cells that an edge passes through; all others are covered wholly or not at all.
    touched: Vec<bool>,
    width: usize,
    height: usize,
}

impl Coverage {
    /// Measures an outline within a window of its grid.
    pub fn measure(&mut self, outline: &Outline, window: Window) {
        self.width = window.width;
        self.height = window.height;
        // two more: the last column's edges also touch what is right of it
        let stride = window.width + 2;
        self.sums.clear();
        self.sums.resize(stride * window.height, 0.0);
        self.touched.clear();
        self.touched.resize(stride * window.height, false);
        let (left, top) = (window.column as f64, window.row as f64);
        let (width, height) = (window.width as f64, window.height as f64);
        let [west, north, east, south] = outline.bounds;
        let whole = west >= left && north >= top && east <= left + width && south <= top + height;
        let mut start = 0;
        for &(end, sign) in &outline.rings {
            for ([x0, y0], [x1, y1]) in edges(&outline.points[start..end]) {
                let (a, b) = ([x0 - left, y0 - top], [x1 - left, y1 - top]);
                // an edge that runs up is one that runs down and counts the other way
                let (a, b, sign) = if a[1] <= b[1] { (a, b, sign) } else { (b, a, -sign) };
                if b[1] > 0.0 && a[1] < height && a[1] < b[1] {
                    self.edge(a, b, sign, whole);
                } else if a[1] == b[1] && a[1] > 0.0 && a[1] < height {
                    // no area right of it, but the cells it runs through are covered in part
                    let (low, high) = if a[0] <= b[0] { (a[0], b[0]) } else { (b[0], a[0]) };
                    self.touch(a[1] as usize, low, high);
                }
            }
            start = end;
        }
    }

    /// Adds an edge that runs down. When not `whole`, parts of it may lie outside.
    fn edge(&mut self, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2], sign: f64, whole: bool) {
        let slope = (x1 - x0) / (y1 - y0);
        let (low, high) = if x0 <= x1 { (x0, x1) } else { (x1, x0) };
        let stride = self.width + 2;
        let first = y0.max(0.0) as usize;
        let last = (y1.ceil() as usize).min(self.height);
        let at = |y: f64| (x0 + (y - y0) * slope).clamp(low, high);
        let mut y = y0.max(first as f64);
        let mut x = if y == y0 { x0 } else { at(y) };
        for row in first..last {
            let next_y = y1.min((row + 1) as f64);
            let next_x = if next_y == y1 { x1 } else { at(next_y) };
            let down = (next_y - y) * sign;
            self.touch(row, x.min(next_x), x.max(next_x));
            let line = &mut self.sums[row * stride..(row + 1) * stride];
            if whole {
                cross(line, x, next_x, down);
            } else {
                cross_clipped(line, x, next_x, down, self.width as f64);
            }
            (x, y) = (next_x, next_y);
        }
    }

    /// Marks the cells of a row between two places.
    fn touch(&mut self, row: usize, low: f64, high: f64) {
        let (low, high) = (low.max(0.0), high.min(self.width as f64));
        if low <= high {
            let start = row * (self.width + 2);
            // a piece that stands on the edge between two cells is taken to the right one
            let (first, last) = (low as usize, (high.ceil() as usize).max(low as usize + 1));
            self.touched[start + first..start + last].fill(true);
        }
    }

    /// Calls `each` with column and row (within the window) and covered share of every cell that is covered at all, row
    /// by row.
    pub fn for_each(&self, mut each: impl FnMut(usize, usize, f64)) {
        let stride = self.width + 2;
        let rows = self
            .sums
            .chunks_exact(stride)
            .zip(self.touched.chunks_exact(stride));
        for (row, (line, touched)) in rows.enumerate() {
            let mut sum: f64 = 0.0;
            for (column, (step, touched)) in line[..self.width].iter().zip(touched).enumerate() {
                sum += step;
                if !touched {
                    sum = sum.round();
                }
                // where parts overlap the sum is above one
                let share: f64 = if sum > 1.0 - NOTHING { 1.0 } else { sum };
                if share > NOTHING {
                    each(column, row, share);
                }
            }
        }
    }
}

/// Adds the piece of an edge within one row: from x to `next`, `down` rows down.
#[inline]
fn cross(line: &mut [f64], x: f64, next: f64, down: f64) {
    let (a, b) = if x <= next { (x, next) } else { (next, x) };
    let first = a as usize;
    let last = b.ceil() as usize;
    if last <= first + 1 {
        // one cell: what is right of the middle of the piece
        let right = down * (f64::midpoint(a, b) - first as f64);
        line[first] += down - right;
        line[first + 1] += right;
        return;
    }
    // the area right of the piece grows quadratically in the first and last cell and evenly between
    let per_cell = down / (b - a);
    let begin = 1.0 - (a - first as f64);
    let end = b - (last - 1) as f64;
    let head = 0.5 * per_cell * begin * begin;
    let tail = 0.5 * per_cell * end * end;
    line[first] += head;
    if last == first + 2 {
        line[first + 1] += down - head - tail;
    } else {
        let second = per_cell * (begin + 0.5);
        line[first + 1] += second - head;
        for step in &mut line[first + 2..last - 1] {
            *step += per_cell;
        }
        let before_last = second + (last - first - 3) as f64 * per_cell;
        line[last - 1] += down - before_last - tail;
    }
    line[last] += tail;
}

/// The same where the piece may lie partly or wholly left or right of the row.
fn cross_clipped(line: &mut [f64], x: f64, next: f64, down: f64, width: f64) {
    let (a, b) = if x <= next { (x, next) } else { (next, x) };
    if a >= width {
        return;
    }
    if b <= 0.0 {
        line[0] += down;
        return;
    }
    let per_unit = if b > a { down / (b - a) } else { 0.0 };
    let mut down = down;
    if a < 0.0 {
        line[0] += -a * per_unit;
        down -= -a * per_unit;
    }
    if b > width {
        down -= (b - width) * per_unit;
    }
    cross(line, a.max(0.0), b.min(width), down);
}

/// The covered share of each cell of a window of the grid, row by row.
///
/// ```
/// # use sen_catalog::{Bounds, Crs, Grid, coverage};
/// # use geo_types::polygon;
/// let grid = Grid::covering(Crs::UTM_48N, Bounds::new(0.0, 0.0, 3.0, 3.0), 1.0)?;
/// let square = polygon![(x: 0.5, y: 0.5), (x: 2.5, y: 0.5), (x: 2.5, y: 2.5), (x: 0.5, y: 2.5)];
/// let shares = coverage::shares(&square.into(), Crs::UTM_48N, &grid, grid.window())?;
/// assert_eq!(shares, [0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]);
/// # Ok::<(), sen_catalog::Error>(())
/// ```
///
/// # Errors
/// As [`Outline::new`].
pub fn shares(polygons: &MultiPolygon<f64>, crs: Crs, grid: &Grid, window: Window) -> Result<Vec<f64>> {
    let outline = Outline::new(polygons, &Projection::new(crs, grid)?)?;
    let mut coverage = Coverage::default();
    coverage.measure(&outline, window);
    let mut shares = vec![0.0; window.width * window.height];
    coverage.for_each(|column, row, share| shares[row * window.width + column] = share);
    Ok(shares)
}

#[cfg(test)]
pub(crate) mod tests;
