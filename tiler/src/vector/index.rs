//! A layer in memory, ready for tiles: vertices on the grid, the zoom of each, attributes as they stand in a tile.
//!
//! Flat arrays in Hilbert order. A plot of nine vertices and ten attributes takes about 250 bytes; [`Index::bytes`] says
//! exactly, and [`Builder::push`] stops at a budget.

use super::clip::Shape;
use super::column::{Column, Columns};
use super::grid::project;
use super::rtree::{self, Box4, RTree};
use super::topology::{self, Part};
use chrono::NaiveDate;
use geo_types::{Coord, Geometry, LineString, Polygon};
use sen_catalog::feature::Feature;

/// A layer of one revision.
#[derive(Debug)]
pub(crate) struct Index {
    /// The layer's name.
    pub(crate) name: String,
    /// The layer's revision.
    pub(crate) revision: u64,
    /// What it is drawn as.
    pub(crate) shape: Shape,
    /// The store's numbers of the rows.
    pub(crate) fids: Vec<i64>,
    /// Attributes.
    pub(crate) columns: Vec<Column>,
    /// Boxes of the rows.
    pub(crate) tree: RTree,
    /// First and last day (as [`day`] counts them) of each row; empty when all are valid for ever.
    valid: Vec<[i32; 2]>,
    /// Where each row's parts end.
    part_ends: Vec<u32>,
    /// Where each part's vertices end, and whether it is a hole.
    parts: Vec<(u32, bool)>,
    vertices: Vec<[u32; 2]>,
    levels: Vec<u8>,
}

/// A day as a number that can be compared.
pub(crate) fn day(date: NaiveDate) -> i32 {
    chrono::Datelike::num_days_from_ce(&date)
}

/// A ring, a line or the points of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartView<'a> {
    pub(crate) vertices: &'a [[u32; 2]],
    /// The zoom from which each vertex is drawn.
    pub(crate) levels: &'a [u8],
    /// An interior ring.
    pub(crate) hole: bool,
}

impl Index {
    /// The parts of a row.
    #[inline]
    pub(crate) fn parts(&self, row: usize) -> impl Iterator<Item = PartView<'_>> {
        let first = row.checked_sub(1).map_or(0, |before| self.part_ends[before]) as usize;
        let last = self.part_ends[row] as usize;
        let mut start = first.checked_sub(1).map_or(0, |before| self.parts[before].0) as usize;
        self.parts[first..last].iter().map(move |&(end, hole)| {
            let range = start..end as usize;
            start = end as usize;
            PartView {
                vertices: &self.vertices[range.clone()],
                levels: &self.levels[range],
                hole,
            }
        })
    }

    /// True when the row is valid on the day.
    #[inline]
    pub(crate) fn valid_on(&self, row: usize, day: i32) -> bool {
        self.valid
            .get(row)
            .is_none_or(|&[from, to]| from <= day && day < to)
    }

    /// Which of the layer's spans without change a day falls in: days of the same span show the same features.
    pub(crate) fn span(&self, day: i32) -> usize {
        let mut changes: Vec<i32> = self
            .valid
            .iter()
            .flatten()
            .copied()
            .filter(|&change| change <= day)
            .collect();
        changes.sort_unstable();
        changes.dedup();
        changes.len()
    }

    /// Memory held, bytes.
    pub(crate) fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Column::bytes).sum();
        self.tree.bytes()
            + columns
            + 8 * (self.fids.capacity()
                + self.valid.capacity()
                + self.parts.capacity()
                + self.vertices.capacity())
            + 4 * self.part_ends.capacity()
            + self.levels.capacity()
    }
}

/// Reads features into an [`Index`].
#[derive(Debug)]
pub(crate) struct Builder {
    shape: Shape,
    fids: Vec<i64>,
    boxes: Vec<Box4>,
    valid: Vec<[i32; 2]>,
    part_ends: Vec<u32>,
    parts: Vec<(u32, bool)>,
    vertices: Vec<[u32; 2]>,
    columns: Columns,
}

impl Builder {
    /// For a layer drawn as `shape`.
    pub(crate) fn new(shape: Shape) -> Self {
        Self {
            shape,
            fids: Vec::new(),
            boxes: Vec::new(),
            valid: Vec::new(),
            part_ends: Vec::new(),
            parts: Vec::new(),
            vertices: Vec::new(),
            columns: Columns::default(),
        }
    }

    /// Adds a feature; one of another shape than the layer's is left out, and said in the log.
    pub(crate) fn push(&mut self, feature: &Feature) {
        let before = (self.parts.len(), self.vertices.len());
        let drawn = self.geometry(&feature.geometry);
        if !drawn || self.vertices.len() == before.1 {
            self.parts.truncate(before.0);
            self.vertices.truncate(before.1);
            tracing::debug!(
                fid = feature.fid,
                layer = feature.layer,
                "a feature has nothing to draw"
            );
            return;
        }
        let hull = |b: Box4, &[x, y]: &[u32; 2]| rtree::hull(b, [x, y, x, y]);
        self.boxes
            .push(self.vertices[before.1..].iter().fold(rtree::EMPTY, hull));
        self.fids.push(feature.fid);
        self.part_ends.push(self.parts.len() as u32);
        self.valid.push([
            feature.valid_from.map_or(i32::MIN, day),
            feature.valid_to.map_or(i32::MAX, day),
        ]);
        self.columns.push(feature);
    }

    /// Memory of the vertices, rows and parts so far, bytes; attributes come on top.
    pub(crate) fn bytes(&self) -> usize {
        9 * self.vertices.len() + 8 * self.parts.len() + 90 * self.fids.len()
    }

    fn geometry(&mut self, geometry: &Geometry<f64>) -> bool {
        match (self.shape, geometry) {
            (Shape::Polygon, Geometry::Polygon(polygon)) => self.polygon(polygon),
            (Shape::Polygon, Geometry::MultiPolygon(polygons)) => {
                for polygon in polygons {
                    self.polygon(polygon);
                }
            }
            (Shape::Polygon, Geometry::Rect(rect)) => self.polygon(&rect.to_polygon()),
            (Shape::Polygon, Geometry::Triangle(triangle)) => self.polygon(&triangle.to_polygon()),
            (Shape::Line, Geometry::LineString(line)) => self.line(line),
            (Shape::Line, Geometry::Line(line)) => self.line(&LineString::from(*line)),
            (Shape::Line, Geometry::MultiLineString(lines)) => {
                for line in lines {
                    self.line(line);
                }
            }
            (Shape::Point, Geometry::Point(point)) => self.part(std::iter::once(point.0), false, 1),
            (Shape::Point, Geometry::MultiPoint(points)) => {
                self.part(points.iter().map(|point| point.0), false, 1);
            }
            _ => return false,
        }
        true
    }

    fn polygon(&mut self, polygon: &Polygon<f64>) {
        let before = self.parts.len();
        self.ring(polygon.exterior(), false);
        if self.parts.len() > before {
            for hole in polygon.interiors() {
                self.ring(hole, true);
            }
        }
    }

    fn ring(&mut self, ring: &LineString<f64>, hole: bool) {
        // the vertex that closes the ring is left to the reader
        let open =
            ring.0.split_last().map_or(
                &[][..],
                |(last, open)| {
                    if open.first() == Some(last) { open } else { &ring.0 }
                },
            );
        self.part(open.iter().copied(), hole, 3);
    }

    fn line(&mut self, line: &LineString<f64>) {
        self.part(line.0.iter().copied(), false, 2);
    }

    fn part(&mut self, coordinates: impl Iterator<Item = Coord<f64>>, hole: bool, least: usize) {
        let start = self.vertices.len();
        for coordinate in coordinates {
            let Some(vertex) = project(coordinate.x, coordinate.y) else {
                continue;
            };
            let repeated = least > 1 && self.vertices.len() > start && self.vertices.last() == Some(&vertex);
            if !repeated {
                self.vertices.push(vertex);
            }
        }
        while least == 3
            && self.vertices.len() > start + 1
            && self.vertices.last() == self.vertices.get(start)
        {
            self.vertices.pop();
        }
        if self.vertices.len() < start + least {
            self.vertices.truncate(start);
        } else {
            self.parts.push((self.vertices.len() as u32, hole));
        }
    }

    /// The finished index: rows in Hilbert order, the zoom of each vertex decided.
    pub(crate) fn finish(self, name: String, revision: u64) -> Index {
        let levels = if self.shape == Shape::Point {
            vec![0; self.vertices.len()]
        } else {
            let closed = self.shape == Shape::Polygon;
            let mut start = 0;
            let parts: Vec<Part> = self
                .parts
                .iter()
                .map(|&(end, _)| {
                    let vertices = start..end as usize;
                    start = end as usize;
                    Part { vertices, closed }
                })
                .collect();
            topology::levels(&self.vertices, &parts)
        };
        self.with_levels(levels, name, revision)
    }

    /// The finished index with every vertex at every zoom.
    pub(crate) fn finish_whole(self, name: String, revision: u64) -> Index {
        let levels = vec![0; self.vertices.len()];
        self.with_levels(levels, name, revision)
    }

    fn with_levels(self, levels: Vec<u8>, name: String, revision: u64) -> Index {
        let order = rtree::order(&self.boxes);
        let boxes = order.iter().map(|&row| self.boxes[row as usize]).collect();
        let limited = self.valid.iter().any(|&valid| valid != [i32::MIN, i32::MAX]);
        let unsorted = Index {
            name,
            revision,
            shape: self.shape,
            fids: self.fids,
            columns: Vec::new(),
            tree: RTree::new(boxes),
            valid: if limited { self.valid } else { Vec::new() },
            part_ends: self.part_ends,
            parts: self.parts,
            vertices: self.vertices,
            levels,
        };
        let columns = self.columns.finish(&order);
        unsorted.sorted(&order, columns)
    }
}

impl Index {
    /// The same with its rows in another order.
    fn sorted(self, order: &[u32], columns: Vec<Column>) -> Self {
        let rows = || order.iter().map(|&row| row as usize);
        let mut part_ends = Vec::with_capacity(self.part_ends.len());
        let mut parts = Vec::with_capacity(self.parts.len());
        let mut vertices = Vec::with_capacity(self.vertices.len());
        let mut levels = Vec::with_capacity(self.levels.len());
        for row in rows() {
            for part in self.parts(row) {
                vertices.extend_from_slice(part.vertices);
                levels.extend_from_slice(part.levels);
                parts.push((vertices.len() as u32, part.hole));
            }
            part_ends.push(parts.len() as u32);
        }
        let valid = if self.valid.is_empty() {
            Vec::new()
        } else {
            rows().map(|row| self.valid[row]).collect()
        };
        Self {
            fids: rows().map(|row| self.fids[row]).collect(),
            columns,
            valid,
            part_ends,
            parts,
            vertices,
            levels,
            name: self.name,
            revision: self.revision,
            shape: self.shape,
            tree: self.tree,
        }
    }
}
