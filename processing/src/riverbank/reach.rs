//! Which cells belong to which reach of a river: those of a layer the user has, or reaches found in the water itself.

use super::distance::{neighbours, squared, ways};
use super::mask::{Cell, Mask};
use crate::{Error, Result};
use geo_types::{Coord, Geometry, LineString};
use sen_catalog::crs::Transform;
use sen_catalog::{Crs, Feature, Grid};

/// Cells that reaches are found on; a finer grid is thinned to it.
const FINEST: usize = 20_000_000;
/// Metres along a reach between the points of the line that stands for it.
const LINE_STEP_M: f64 = 200.0;

/// How reaches are found.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Length of a reach along the river, metres.
    pub length_m: f64,
    /// Least width of what counts as river, metres: canals are not measured by pixels of 10 m.
    pub width_m: f64,
    /// How far from a line of a layer its banks are looked for, metres.
    pub within_m: f64,
}

/// A reach.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Code within its layer.
    pub code: String,
    /// Name for people.
    pub name: Option<String>,
    /// Longitude and latitude, degrees.
    pub geometry: Geometry<f64>,
}

/// The reach of each cell.
#[derive(Debug)]
pub(super) struct Labels {
    /// Cells of the mask on each side of a cell here.
    factor: usize,
    width: usize,
    /// 0 for none, else the index of the reach and one.
    cells: Vec<u32>,
}

impl Labels {
    /// None everywhere, with cells so large that there are not too many.
    fn thinned(grid: &Grid) -> Self {
        let mut factor = 1;
        while grid.width.div_ceil(factor) * grid.height.div_ceil(factor) > FINEST {
            factor += 1;
        }
        Self::empty(grid, factor)
    }

    fn empty(grid: &Grid, factor: usize) -> Self {
        let (width, height) = (grid.width.div_ceil(factor), grid.height.div_ceil(factor));
        Self {
            factor,
            width,
            cells: vec![0; width * height],
        }
    }

    /// Index of the reach of a cell of the mask.
    pub(super) fn at(&self, column: usize, row: usize) -> Option<usize> {
        let label = self.cells[row / self.factor * self.width + column / self.factor];
        (label > 0).then(|| label as usize - 1)
    }

    fn set(&mut self, index: usize, reach: usize) {
        self.cells[index] = reach as u32 + 1;
    }
}

/// Reaches of the rivers in the water of two times together: slices of equal length along the way through the water.
///
/// # Errors
/// When no water is as wide as the rules want.
pub(super) fn found(before: &Mask, after: &Mask, rules: &Rules) -> Result<(Labels, Vec<Reach>)> {
    let grid = &before.grid;
    let mut labels = Labels::thinned(grid);
    let width = labels.width;
    let mut water = vec![false; labels.cells.len()];
    for (index, (a, b)) in before.cells.iter().zip(&after.cells).enumerate() {
        if *a == Cell::Water || *b == Cell::Water {
            let (row, column) = (index / grid.width, index % grid.width);
            water[row / labels.factor * width + column / labels.factor] = true;
        }
    }
    let cell_m = grid.cell_width * labels.factor as f64;
    let river = wide(&water, width, rules.width_m / 2.0 / cell_m);
    let to_degrees = Transform::new(grid.crs, Crs::WGS84)?;
    let factor = labels.factor as f64;
    let place = |column: f64, row: f64| -> Option<Coord<f64>> {
        let x = grid.west + (column + 0.5) * factor * grid.cell_width;
        let y = grid.north - (row + 0.5) * factor * grid.cell_height;
        to_degrees.point(x, y).map(|(x, y)| Coord { x, y })
    };
    let mut reaches = Vec::new();
    let mut lengths = vec![u32::MAX; river.len()];
    let mut slices = Vec::new();
    for mut body in bodies(&river, width) {
        // from one end of the body to the other
        let end = ways(&river, width, body[0], &mut lengths);
        for &cell in &body {
            lengths[cell] = u32::MAX;
        }
        let other = ways(&river, width, end, &mut lengths);
        let whole_m = f64::from(lengths[other]) / 10.0 * cell_m;
        if whole_m < rules.length_m / 2.0 {
            continue;
        }
        let count = (whole_m / rules.length_m).round().max(1.0);
        let slice_of = |length: u32| {
            let share = f64::from(length) / 10.0 * cell_m / whole_m;
            ((share * count) as u32).min(count as u32 - 1)
        };
        body.sort_unstable_by_key(|&cell| (lengths[cell], cell));
        slices.extend(parts(&body, &lengths, width, &slice_of));
    }
    for slice in slices {
        let line = middle(&slice, &lengths, width, LINE_STEP_M / cell_m);
        let line: Vec<Coord<f64>> = line.into_iter().filter_map(|(x, y)| place(x, y)).collect();
        if line.len() < 2 {
            continue;
        }
        for &cell in &slice {
            labels.set(cell, reaches.len());
        }
        reaches.push(Reach {
            code: format!("R{:04}", reaches.len() + 1),
            name: None,
            geometry: LineString(line).into(),
        });
    }
    if reaches.is_empty() {
        return Err(Error::Invalid(format!(
            "no water is at least {} m wide and {} m long in both times; lower --river-width or --reach-length, or name a \
             layer of reaches with --reaches",
            rules.width_m, rules.length_m
        )));
    }
    Ok((labels, reaches))
}

/// The water that is as wide as a disc of this radius (in cells), with its corners: opening, and half a radius around.
fn wide(water: &[bool], width: usize, radius: f64) -> Vec<bool> {
    let land: Vec<bool> = water.iter().map(|water| !water).collect();
    let far = |distance: f32, limit: f64| f64::from(distance) >= limit * limit;
    // water without any land in sight is wide
    let core: Vec<bool> = squared(&land, width)
        .into_iter()
        .map(|d| far(d, radius))
        .collect();
    let around = squared(&core, width);
    water
        .iter()
        .zip(around)
        .map(|(&water, distance)| water && !far(distance, 1.5 * radius + 1.0))
        .collect()
}

/// Cells that hang together, the largest bodies first.
fn bodies(mask: &[bool], width: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; mask.len()];
    let mut bodies = Vec::new();
    for start in 0..mask.len() {
        if mask[start] && !seen[start] {
            bodies.push(body(start, mask, width, &mut seen));
        }
    }
    bodies.sort_by_key(|body| (std::cmp::Reverse(body.len()), body[0]));
    bodies
}

/// The cells that hang together with a start.
fn body(start: usize, mask: &[bool], width: usize, seen: &mut [bool]) -> Vec<usize> {
    let mut cells = vec![start];
    seen[start] = true;
    let mut at = 0;
    while let Some(&cell) = cells.get(at) {
        at += 1;
        for (next, _) in neighbours(cell, width, mask.len()) {
            if mask[next] && !seen[next] {
                seen[next] = true;
                cells.push(next);
            }
        }
    }
    cells
}

/// Cuts a body (cells in the order of their way) into the parts of each slice that hang together.
fn parts(body: &[usize], lengths: &[u32], width: usize, slice_of: &dyn Fn(u32) -> u32) -> Vec<Vec<usize>> {
    let mut left: std::collections::HashSet<usize> = body.iter().copied().collect();
    let mut parts = Vec::new();
    for &start in body {
        if !left.remove(&start) {
            continue;
        }
        let slice = slice_of(lengths[start]);
        let (mut part, mut at) = (vec![start], 0);
        while let Some(&cell) = part.get(at) {
            at += 1;
            for (next, _) in neighbours(cell, width, lengths.len()) {
                if left.contains(&next) && slice_of(lengths[next]) == slice {
                    left.remove(&next);
                    part.push(next);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// The middle of a reach: the mean column and row of its cells in steps along the way; at least two points.
fn middle(cells: &[usize], lengths: &[u32], width: usize, step: f64) -> Vec<(f64, f64)> {
    let place = |cell: usize| ((cell % width) as f64, (cell / width) as f64);
    let mut sums: std::collections::BTreeMap<u32, (f64, f64, f64)> = std::collections::BTreeMap::new();
    for &cell in cells {
        let sum = sums
            .entry((f64::from(lengths[cell]) / 10.0 / step.max(1.0)) as u32)
            .or_default();
        let (x, y) = place(cell);
        *sum = (sum.0 + x, sum.1 + y, sum.2 + 1.0);
    }
    let line: Vec<(f64, f64)> = sums.values().map(|(x, y, n)| (x / n, y / n)).collect();
    if line.len() > 1 {
        return line;
    }
    let by_way = |a: &&usize, b: &&usize| (lengths[**a], **a).cmp(&(lengths[**b], **b));
    let ends = (cells.iter().min_by(by_way), cells.iter().max_by(by_way));
    match ends {
        (Some(&first), Some(&last)) if first != last => vec![place(first), place(last)],
        _ => Vec::new(),
    }
}

/// The reaches of a layer: cells inside its polygons, or near its lines.
///
/// # Errors
/// When the layer is of points, or none of it lies on the grid.
pub(super) fn given(features: &[Feature], grid: &Grid, rules: &Rules) -> Result<(Labels, Vec<Reach>)> {
    let from_degrees = Transform::new(Crs::WGS84, grid.crs)?;
    let polygons = features.iter().any(|feature| feature.polygons().is_some());
    let mut labels = if polygons {
        Labels::empty(grid, 1)
    } else {
        Labels::thinned(grid)
    };
    let cell_m = grid.cell_width * labels.factor as f64;
    let place = |c: &Coord<f64>| -> Option<Coord<f64>> {
        let (x, y) = from_degrees.point(c.x, c.y)?;
        // in cells of the labels, centres at whole numbers
        Some(Coord {
            x: (x - grid.west) / cell_m - 0.5,
            y: (grid.north - y) / cell_m - 0.5,
        })
    };
    let mut nearest = vec![f32::INFINITY; if polygons { 0 } else { labels.cells.len() }];
    let mut reaches = Vec::new();
    for feature in features {
        let rings = rings(&feature.geometry);
        if rings.is_empty() {
            return Err(Error::Invalid(format!(
                "the layer {} is made of points; reaches are lines or polygons",
                feature.layer
            )));
        }
        let rings: Vec<Vec<Coord<f64>>> = rings
            .into_iter()
            .map(|ring| ring.0.iter().filter_map(place).collect())
            .collect();
        if polygons {
            fill(&rings, &mut labels, reaches.len());
        } else {
            near(
                &rings,
                rules.within_m / cell_m,
                &mut labels,
                &mut nearest,
                reaches.len(),
            );
        }
        reaches.push(Reach {
            code: feature.code.clone(),
            name: feature.name.clone(),
            geometry: feature.geometry.clone(),
        });
    }
    if labels.cells.iter().all(|label| *label == 0) {
        return Err(Error::Invalid(
            "no reach of the layer lies on the water that is compared".into(),
        ));
    }
    Ok((labels, reaches))
}

/// The lines of a geometry, or the rings of its polygons; none for points.
fn rings(geometry: &Geometry<f64>) -> Vec<&LineString<f64>> {
    match geometry {
        Geometry::LineString(line) => vec![line],
        Geometry::MultiLineString(lines) => lines.iter().collect(),
        Geometry::Polygon(polygon) => std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .collect(),
        Geometry::MultiPolygon(polygons) => polygons
            .iter()
            .flat_map(|polygon| std::iter::once(polygon.exterior()).chain(polygon.interiors()))
            .collect(),
        _ => Vec::new(),
    }
}

/// Labels the cells whose centre lies inside rings (even-odd).
fn fill(rings: &[Vec<Coord<f64>>], labels: &mut Labels, reach: usize) {
    let height = labels.cells.len() / labels.width;
    let (mut top, mut bottom) = (f64::INFINITY, f64::NEG_INFINITY);
    for c in rings.iter().flatten() {
        (top, bottom) = (top.min(c.y), bottom.max(c.y));
    }
    // casts of floats saturate
    for row in top.ceil().max(0.0) as usize..((bottom.floor() + 1.0) as usize).min(height) {
        let y = row as f64;
        let mut crossings: Vec<f64> = rings
            .iter()
            .flat_map(|ring| ring.windows(2))
            .filter(|side| (side[0].y <= y) != (side[1].y <= y))
            .map(|side| side[0].x + (y - side[0].y) / (side[1].y - side[0].y) * (side[1].x - side[0].x))
            .collect();
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let last = (pair[1].ceil().max(0.0) as usize).min(labels.width);
            for column in pair[0].ceil().max(0.0) as usize..last {
                labels.set(row * labels.width + column, reach);
            }
        }
    }
}

/// Labels the cells that lie near lines, each by the nearest of all lines.
fn near(lines: &[Vec<Coord<f64>>], within: f64, labels: &mut Labels, nearest: &mut [f32], reach: usize) {
    let height = labels.cells.len() / labels.width;
    for side in lines.iter().flat_map(|line| line.windows(2)) {
        let (a, b) = (side[0], side[1]);
        let range = |a: f64, b: f64, count: usize| {
            let first = (a.min(b) - within).ceil().max(0.0) as usize;
            first..((a.max(b) + within).floor() + 1.0).clamp(0.0, count as f64) as usize
        };
        let squared = (b.x - a.x).powi(2) + (b.y - a.y).powi(2);
        for row in range(a.y, b.y, height) {
            for column in range(a.x, b.x, labels.width) {
                let (x, y) = (column as f64 - a.x, row as f64 - a.y);
                let along = if squared > 0.0 {
                    ((x * (b.x - a.x) + y * (b.y - a.y)) / squared).clamp(0.0, 1.0)
                } else {
                    0.0
                };
                let away = (x - along * (b.x - a.x)).hypot(y - along * (b.y - a.y));
                let index = row * labels.width + column;
                if away <= within && (away as f32) < nearest[index] {
                    nearest[index] = away as f32;
                    labels.set(index, reach);
                }
            }
        }
    }
}
