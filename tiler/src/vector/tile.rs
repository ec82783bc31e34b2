//! One tile of one or more layers, under a limit of bytes and features.
//!
//! Which attributes a tile holds follows from the fullest tile of its zoom ([`super::crowd`]): the code, the others in
//! their order while there is room, so that all tiles of a zoom hold the same. Features are drawn as they are while
//! they fit; where they do not, [`super::thin`] merges what is too small to be told apart.

use super::clip::{self, Shape, doubled_area};
use super::column::{Cell, Column};
use super::crowd::Crowds;
use super::grid::Frame;
use super::index::Index;
use super::mvt::{Geometry, Layer, varint};
use super::overlay::Overlay;
use super::rtree::Box4;
use super::thin;
use crate::query::Condition;
use sen_catalog::TileCoord;
use std::cell::RefCell;
use std::sync::Arc;

/// Most bytes of a tile before compression.
pub(crate) const MOST_BYTES: usize = 500_000;

/// Most features of a layer in a tile.
pub(crate) const MOST_FEATURES: usize = 16_384;

/// Bytes of a feature's frame, number and geometry type.
const FRAME_BYTES: f64 = 13.0;

/// Bytes of a vertex: two steps, of which one is often long.
const VERTEX_BYTES: f64 = 2.7;

/// A layer as a request sees it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) index: Arc<Index>,
    /// What tables and sensors say of the rows; goes before attributes of the same name.
    pub(crate) overlays: Vec<Arc<Overlay>>,
    /// Values a column must have.
    pub(crate) filter: Vec<Condition>,
    /// The day of which features are shown.
    pub(crate) day: i32,
    /// How many features the fullest tile of each zoom holds.
    pub(crate) crowds: Arc<Crowds>,
}

impl View {
    /// The attributes in the order in which they are kept: the code, what is newest, the rest, of when the newest is.
    pub(crate) fn columns(&self) -> Vec<&Column> {
        let over: Vec<&Column> = self
            .overlays
            .iter()
            .flat_map(|overlay| overlay.columns())
            .map(|c| &**c)
            .collect();
        let shadowed = |column: &&Column| !over.iter().any(|over| over.key == column.key);
        let own: Vec<&Column> = self.index.columns.iter().filter(shadowed).collect();
        let first = usize::from(own.first().is_some_and(|column| column.key == "code"));
        let (code, rest) = own.split_at(first);
        let values = self
            .overlays
            .iter()
            .flat_map(|overlay| &overlay.values)
            .map(|c| &**c);
        let details = self
            .overlays
            .iter()
            .flat_map(|overlay| &overlay.details)
            .map(|c| &**c);
        code.iter()
            .copied()
            .chain(values)
            .chain(rest.iter().copied())
            .chain(details)
            .collect()
    }

    /// The rows of a tile.
    fn rows(&self, frame: Frame) -> Vec<u32> {
        self.rows_within(frame.reach())
    }

    /// The rows that are shown and meet a box.
    pub(super) fn rows_within(&self, reach: Box4) -> Vec<u32> {
        let columns = self.columns();
        // a column that is not there matches nothing
        let conditions: Vec<_> = self
            .filter
            .iter()
            .map(|condition| {
                (
                    columns.iter().find(|column| column.key == condition.key),
                    &condition.values,
                )
            })
            .collect();
        let mut rows = Vec::new();
        self.index.tree.search(reach, |row| {
            let shown = self.index.valid_on(row, self.day)
                && conditions
                    .iter()
                    .all(|(column, values)| column.is_some_and(|column| column.matches(row, values)));
            if shown {
                rows.push(row as u32);
            }
        });
        rows
    }
}

/// Room to work in, kept by each thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    points: Vec<[i64; 2]>,
    spare: Vec<[i64; 2]>,
    pub(super) small: Vec<[i32; 2]>,
    pub(super) geometry: Geometry,
    tags: Vec<u8>,
    /// By entry of the columns' tables: the number in the tile, and the tile for which it holds.
    numbers: Vec<(u32, u32)>,
    turn: u32,
    layer: Layer,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The tile; `None` when nothing is to be seen there.
pub(crate) fn render(views: &[View], tile: TileCoord) -> Option<Vec<u8>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut out = Vec::new();
        let frame = Frame::of(tile);
        for (at, view) in views.iter().enumerate() {
            // what one layer leaves is for the next
            let limit = (MOST_BYTES - out.len().min(MOST_BYTES)) / (views.len() - at);
            let share = MOST_BYTES / views.len();
            let rows = view.rows(frame);
            if !rows.is_empty() {
                Drawing::new(view, frame, tile.z(), (limit, share), scratch).draw(&rows, &mut out);
            }
        }
        (!out.is_empty()).then_some(out)
    })
}

/// Bytes of a feature without attributes at a zoom, by a look at some hundred of the rows.
pub(super) fn bare_bytes(index: &Index, rows: &[u32], zoom: u8) -> f64 {
    let step = rows.len().div_ceil(256).max(1);
    let (mut seen, mut vertices) = (0, 0);
    for &row in rows.iter().step_by(step) {
        seen += 1;
        for part in index.parts(row as usize) {
            vertices += 1 + part.levels.iter().filter(|&&level| level <= zoom).count();
        }
    }
    FRAME_BYTES + VERTEX_BYTES * f64::from(vertices as u32) / f64::from(seen.max(1))
}

/// The code, and of the other columns in their order those for which there is `room` (bytes a feature).
fn kept(mut columns: Vec<&Column>, room: Option<f64>) -> Vec<&Column> {
    let Some(mut room) = room else {
        return Vec::new();
    };
    columns.retain(|column| {
        let kept = column.cost <= room || column.key == "code";
        if kept {
            room -= column.cost;
        }
        kept
    });
    columns
}

/// A layer of a tile while it is drawn.
pub(super) struct Drawing<'a> {
    view: &'a View,
    frame: Frame,
    zoom: u8,
    limit: usize,
    pub(super) scratch: &'a mut Scratch,
    columns: Vec<&'a Column>,
}

impl<'a> Drawing<'a> {
    /// `limit` is what is left of the tile, `share` what each layer of every tile of the address may count on.
    fn new(
        view: &'a View,
        frame: Frame,
        zoom: u8,
        (limit, share): (usize, usize),
        scratch: &'a mut Scratch,
    ) -> Self {
        // names, keys and the frame of the layer itself
        let columns = view.columns();
        let keys: usize = columns.iter().map(|column| column.key.len() + 4).sum();
        let frame_bytes = keys + view.index.name.len() + 32;
        let room = view.crowds.room(view, zoom, share.saturating_sub(frame_bytes));
        Self {
            limit: limit.saturating_sub(frame_bytes),
            columns: kept(columns, room),
            view,
            frame,
            zoom,
            scratch,
        }
    }

    fn draw(mut self, rows: &[u32], out: &mut Vec<u8>) {
        let bytes = bare_bytes(&self.view.index, rows, self.zoom) + self.attribute_bytes();
        let fits = rows.len() <= MOST_FEATURES && rows.len() as f64 * bytes <= self.limit as f64;
        if !(fits && self.exact(rows)) {
            self.thinned(rows);
        }
        let keys = self.columns.iter().map(|column| column.key.as_str());
        self.scratch.layer.write(out, &self.view.index.name, keys);
    }

    /// What the attributes add to each feature, bytes.
    pub(super) fn attribute_bytes(&self) -> f64 {
        self.columns.iter().map(|column| column.cost).sum()
    }

    /// Draws every row; false when that takes more room than there is.
    fn exact(&mut self, rows: &[u32]) -> bool {
        self.begin();
        rows.iter().all(|&row| {
            if self.geometry(row as usize, self.zoom) {
                self.feature(row as usize);
            }
            self.has_room()
        })
    }

    /// Begins the layer anew.
    pub(super) fn begin(&mut self) {
        self.scratch.layer.begin(self.limit);
        self.scratch.turn = self.scratch.turn.wrapping_add(1);
        if self.scratch.turn == 0 {
            self.scratch.numbers.fill((0, 0)); // marks of four billion tiles ago
            self.scratch.turn = 1;
        }
        let entries: usize = self.columns.iter().map(|column| column.table_len()).sum();
        if self.scratch.numbers.len() < entries {
            self.scratch.numbers.resize(entries, (0, 0));
        }
    }

    /// True while the layer is within its limit.
    pub(super) fn has_room(&self) -> bool {
        !self.scratch.layer.full
    }

    /// Appends a row with the geometry that was drawn last.
    pub(super) fn feature(&mut self, row: usize) {
        let Scratch {
            geometry,
            tags,
            numbers,
            turn,
            layer,
            ..
        } = &mut *self.scratch;
        tags.clear();
        let mut base = 0;
        for (key, column) in self.columns.iter().enumerate() {
            let value = match column.cell(row) {
                Cell::None => None,
                Cell::Own(value) => Some(layer.value(value)),
                Cell::Shared(number) => {
                    let slot = &mut numbers[base + number];
                    if slot.1 != *turn {
                        *slot = (layer.value(column.entry(number)), *turn);
                    }
                    Some(slot.0)
                }
            };
            if let Some(value) = value {
                varint(tags, key as u64);
                varint(tags, u64::from(value));
            }
            base += column.table_len();
        }
        layer.feature(self.view.index.fids[row], self.view.index.shape, tags, geometry);
    }

    /// Draws a row's geometry with the vertices of a zoom; false when nothing of it is left.
    pub(super) fn geometry(&mut self, row: usize, detail: u8) -> bool {
        self.scratch.geometry.clear();
        match self.view.index.shape {
            Shape::Polygon => self.polygon(row, detail),
            Shape::Line => self.line(row, detail),
            Shape::Point => self.points(row),
        }
        !self.scratch.geometry.is_empty()
    }

    fn is_inside(&self, row: usize) -> bool {
        let [west, north, east, south] = self.place_box(row);
        clip::holds([west, north]) && clip::holds([east, south])
    }

    fn polygon(&mut self, row: usize, detail: u8) {
        let whole = self.is_inside(row);
        let frame = self.frame;
        let Scratch {
            points,
            spare,
            small,
            geometry,
            ..
        } = &mut *self.scratch;
        let mut has_exterior = false;
        for part in self.view.index.parts(row) {
            if part.hole && !has_exterior {
                continue;
            }
            points.clear();
            for (&vertex, &level) in part.vertices.iter().zip(part.levels) {
                if level <= detail {
                    let point = frame.place(vertex);
                    if points.last() != Some(&point) {
                        points.push(point);
                    }
                }
            }
            if !whole {
                clip::ring(points, spare);
                points.dedup();
            }
            while points.len() > 1 && points.first() == points.last() {
                points.pop();
            }
            small.clear();
            small.extend(points.iter().map(|&[x, y]| [x as i32, y as i32])); // within the clipped tile
            let area = if small.len() < 3 { 0 } else { doubled_area(small) };
            if !part.hole {
                has_exterior = area != 0;
            }
            if area != 0 {
                geometry.ring(small, (area < 0) != part.hole);
            }
        }
    }

    fn line(&mut self, row: usize, detail: u8) {
        let frame = self.frame;
        let Scratch {
            points,
            small,
            geometry,
            ..
        } = &mut *self.scratch;
        for part in self.view.index.parts(row) {
            points.clear();
            for (&vertex, &level) in part.vertices.iter().zip(part.levels) {
                if level <= detail {
                    let point = frame.place(vertex);
                    if points.last() != Some(&point) {
                        points.push(point);
                    }
                }
            }
            clip::line(points, |piece| {
                small.clear();
                small.extend(piece.iter().map(|&[x, y]| [x as i32, y as i32]));
                small.dedup();
                if small.len() > 1 {
                    geometry.line(small);
                }
            });
        }
    }

    fn points(&mut self, row: usize) {
        let Scratch { small, geometry, .. } = &mut *self.scratch;
        small.clear();
        for part in self.view.index.parts(row) {
            for &vertex in part.vertices {
                let point = self.frame.place(vertex);
                if clip::holds(point) {
                    small.push([point[0] as i32, point[1] as i32]);
                }
            }
        }
        if !small.is_empty() {
            geometry.points(small);
        }
    }

    /// The box of a row in tile cells.
    pub(super) fn place_box(&self, row: usize) -> [i64; 4] {
        self.frame.place_box(self.view.index.tree.boxes()[row])
    }

    /// Draws the rows merged or thinned, as coarsely as it takes.
    fn thinned(&mut self, rows: &[u32]) {
        match self.view.index.shape {
            Shape::Polygon => thin::merge(self, rows),
            Shape::Line | Shape::Point => thin::pick(self, rows),
        }
    }

    /// The vertices of a row in tile cells, ring by ring, as they are.
    pub(super) fn rings(&self, row: usize, mut edge: impl FnMut([i64; 2], [i64; 2])) {
        for part in self.view.index.parts(row) {
            let Some(&last) = part.vertices.last() else {
                continue;
            };
            let mut before = self.frame.place(last);
            for &vertex in part.vertices {
                let point = self.frame.place(vertex);
                edge(before, point);
                before = point;
            }
        }
    }

    /// The zoom of the tile.
    pub(super) fn zoom(&self) -> u8 {
        self.zoom
    }

    /// The limit of the layer, bytes.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }
}
