//! Statistics of zones over a raster: exactextract's definitions, all zones in one pass, each block decoded once.
//!
//! Blocks are worked on in parallel. A zone within one block is finished there; the pieces of larger ones are put
//! together in the order of the blocks, so that the numbers do not depend on the number of threads.

mod moments;
mod rollup;
#[cfg(test)]
mod tests;
mod values;

pub use rollup::{RollUp, roll_up, roll_up_table};

use crate::coverage::{Coverage, Outline, Projection};
use crate::item::Asset;
use crate::raster::{Cog, DataType, Pixel};
use crate::statistic::ZonalStatistic;
use crate::{Error, Result};
use geo_types::MultiPolygon;
use moments::Moments;
use rayon::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use values::Values;

/// Classes of class rasters that say "looked at and not seen" or "masked" (as in OPERA DSWx: 253 clouds): no observation.
pub const NOT_SEEN: RangeInclusive<f64> = 251.0..=254.0;

/// Blocks worked on between two looks at who is finished: bounds the pieces held at once.
const BLOCKS_AT_ONCE: usize = 64;

/// A zone in cells of a grid.
#[derive(Clone, Debug)]
pub struct Zone {
    outline: Outline,
    area_ha: f64,
}

impl Zone {
    /// A zone from its polygons in the system of `projection` and its geodesic area in square metres.
    ///
    /// # Errors
    /// As [`Outline::new`].
    pub fn new(polygons: &MultiPolygon<f64>, area_m2: f64, projection: &Projection) -> Result<Self> {
        Ok(Self {
            outline: Outline::new(polygons, projection)?,
            area_ha: area_m2 / 10_000.0,
        })
    }

    /// A zone of which no raster says anything.
    pub fn nowhere(area_m2: f64) -> Self {
        Self {
            outline: Outline::default(),
            area_ha: area_m2 / 10_000.0,
        }
    }

    /// Its outline.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }
}

/// One band of a raster and what its numbers mean.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    cog: &'a Cog,
    band: usize,
    scale: f64,
    offset: f64,
    nodata: Option<f64>,
    classes: bool,
}

impl<'a> Layer<'a> {
    /// The raster of an asset: physical values by its scale and offset; plain bytes are classes, unless they are per cent.
    pub fn new(cog: &'a Cog, asset: &Asset) -> Self {
        Self {
            cog,
            band: asset.band_index.saturating_sub(1),
            scale: asset.scale,
            offset: asset.offset,
            nodata: asset.nodata.or(cog.nodata()),
            classes: cog.data_type() == DataType::U8
                && asset.scale == 1.0
                && asset.offset == 0.0
                && asset.unit.as_deref() != Some("%"),
        }
    }

    /// True when the values are classes, whose areas are measured.
    pub fn is_classes(&self) -> bool {
        self.classes
    }

    /// True for a stored number that is an observation.
    #[inline]
    fn is_valid(&self, stored: f32) -> bool {
        let value = f64::from(stored);
        !(value.is_nan() || Some(value) == self.nodata || (self.classes && NOT_SEEN.contains(&value)))
    }
}

/// What to work out and when to stop.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Leave out median and percentiles.
    pub without_quantiles: bool,
    /// Set by others to stop soon; then [`statistics`] ends with an error.
    pub cancelled: Option<&'a AtomicBool>,
}

/// What one block says of a zone.
#[derive(Debug, Default)]
struct Piece {
    /// Covered shares of all cells, valid or not.
    covered: f64,
    moments: Moments,
    values: Values,
}

impl Piece {
    fn merge(&mut self, other: Self) {
        self.covered += other.covered;
        self.moments.merge(&other.moments);
        self.values.merge(other.values);
    }

    fn finish(mut self, zone: &Zone, layer: &Layer) -> ZonalStatistic {
        let grid = layer.cog.grid();
        // cells outside the raster are part of the zone, and not seen
        let whole = if zone.outline.is_inside(grid.width, grid.height) {
            self.covered
        } else {
            zone.outline.cells().max(self.covered)
        };
        self.values.settle();
        let physical = |stored: f64| stored * layer.scale + layer.offset;
        let m = &self.moments;
        let mut statistic = ZonalStatistic {
            count: m.weight,
            area_ha: zone.area_ha,
            ..ZonalStatistic::default()
        };
        if m.weight > 0.0 {
            let (low, high) = (physical(m.min), physical(m.max));
            statistic.min = Some(low.min(high));
            statistic.max = Some(low.max(high));
            statistic.mean = Some(physical(m.mean));
            statistic.stdev = Some((m.squares / m.weight).max(0.0).sqrt() * layer.scale.abs());
            let quantile = |share: f64| {
                let share = if layer.scale < 0.0 { 1.0 - share } else { share };
                self.values.quantile(share).map(physical)
            };
            [statistic.p10, statistic.median, statistic.p90] = [0.1, 0.5, 0.9].map(quantile);
            statistic.valid_fraction = if whole > 0.0 {
                (m.weight / whole).min(1.0)
            } else {
                0.0
            };
        }
        if layer.classes {
            let hectares = |weight: f64| {
                if whole > 0.0 {
                    zone.area_ha * (weight / whole)
                } else {
                    0.0
                }
            };
            let classes = self.values.entries().iter();
            statistic.classes = classes
                .map(|&(class, weight)| (class as i64, hectares(weight)))
                .collect();
        }
        statistic
    }
}

/// Memory that a thread keeps from zone to zone.
#[derive(Debug, Default)]
struct Scratch {
    coverage: Coverage,
    cells: Vec<(f32, f64)>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Scratch of more cells is given back after use.
const KEEP_CELLS: usize = 1 << 18;

/// Statistics of all zones, in their order, in one pass over the blocks that they touch.
///
/// # Errors
/// When a block cannot be read, or with [`Error::Invalid`] when the work was stopped.
pub fn statistics(layer: &Layer, zones: &[Zone], options: Options) -> Result<Vec<ZonalStatistic>> {
    match layer.cog.data_type() {
        DataType::U8 => run::<u8>(layer, zones, options),
        DataType::I16 => run::<i16>(layer, zones, options),
        DataType::U16 => run::<u16>(layer, zones, options),
        DataType::F32 => run::<f32>(layer, zones, options),
    }
}

/// Which zones meet a block.
struct Meeting {
    /// Column and row of the block.
    block: (usize, usize),
    /// Zones, and whether this block holds all of their cells.
    zones: Vec<(u32, bool)>,
}

/// The blocks that zones meet, row by row.
fn meetings(layer: &Layer, zones: &[Zone]) -> Vec<Meeting> {
    let grid = layer.cog.grid();
    let level = layer.cog.levels()[0];
    let mut met: BTreeMap<(usize, usize), Vec<(u32, bool)>> = BTreeMap::new();
    for (index, zone) in zones.iter().enumerate() {
        let Some(window) = zone.outline.window(grid.width, grid.height) else {
            continue;
        };
        let columns =
            window.column / level.block_width..=(window.column + window.width - 1) / level.block_width;
        let rows = window.row / level.block_height..=(window.row + window.height - 1) / level.block_height;
        let whole = columns.start() == columns.end() && rows.start() == rows.end();
        for row in rows {
            for column in columns.clone() {
                met.entry((row, column)).or_default().push((index as u32, whole));
            }
        }
    }
    let meeting = |((row, column), zones)| Meeting {
        block: (column, row),
        zones,
    };
    met.into_iter().map(meeting).collect()
}

fn run<T: Pixel + Into<f32>>(layer: &Layer, zones: &[Zone], options: Options) -> Result<Vec<ZonalStatistic>> {
    let meetings = meetings(layer, zones);
    let mut results: Vec<Option<ZonalStatistic>> = vec![None; zones.len()];
    // zones of several blocks, and how many of their blocks are still to come
    let mut open: BTreeMap<u32, (Piece, usize)> = BTreeMap::new();
    let mut blocks_of: BTreeMap<u32, usize> = BTreeMap::new();
    for (zone, _) in meetings.iter().flat_map(|m| &m.zones).filter(|(_, whole)| !whole) {
        *blocks_of.entry(*zone).or_default() += 1;
    }
    for some in meetings.chunks(BLOCKS_AT_ONCE) {
        let blocks: Result<Vec<BlockResult>> = some
            .par_iter()
            .map(|meeting| {
                let stop = options.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed));
                if stop {
                    return Err(Error::Invalid("stopped before the end".into()));
                }
                block::<T>(layer, zones, meeting, options)
            })
            .collect();
        for block in blocks? {
            for (zone, statistic) in block.finished {
                results[zone as usize] = Some(statistic);
            }
            for (zone, piece) in block.pieces {
                let (whole, left) = open
                    .entry(zone)
                    .or_insert_with(|| (Piece::default(), blocks_of.get(&zone).copied().unwrap_or(1)));
                whole.merge(piece);
                *left -= 1;
                if *left == 0
                    && let Some((whole, _)) = open.remove(&zone)
                {
                    results[zone as usize] = Some(whole.finish(&zones[zone as usize], layer));
                }
            }
        }
    }
    let outside = |zone: &Zone| Piece::default().finish(zone, layer);
    let results = results.into_iter().zip(zones);
    Ok(results
        .map(|(statistic, zone)| statistic.unwrap_or_else(|| outside(zone)))
        .collect())
}

struct BlockResult {
    finished: Vec<(u32, ZonalStatistic)>,
    pieces: Vec<(u32, Piece)>,
}

/// Decodes one block and asks it of all its zones.
fn block<T: Pixel + Into<f32>>(
    layer: &Layer,
    zones: &[Zone],
    meeting: &Meeting,
    options: Options,
) -> Result<BlockResult> {
    let (column, row) = meeting.block;
    let grid = layer.cog.grid();
    let level = layer.cog.levels()[0];
    let mut pixels = Vec::new();
    layer
        .cog
        .read_block_into::<T>(0, layer.band, column, row, &mut pixels)?;
    let (left, top) = (column * level.block_width, row * level.block_height);
    let mut result = BlockResult {
        finished: Vec::new(),
        pieces: Vec::new(),
    };
    SCRATCH.with_borrow_mut(|scratch| {
        for &(index, whole) in &meeting.zones {
            let zone = &zones[index as usize];
            let Some(window) = zone.outline.window(grid.width, grid.height) else {
                continue;
            };
            // the part of the zone's window in this block
            let (first_column, first_row) = (window.column.max(left), window.row.max(top));
            let part = crate::Window {
                column: first_column,
                row: first_row,
                width: (window.column + window.width).min(left + level.block_width) - first_column,
                height: (window.row + window.height).min(top + level.block_height) - first_row,
            };
            scratch.coverage.measure(&zone.outline, part);
            let mut covered = 0.0;
            let cells = &mut scratch.cells;
            cells.clear();
            let start = (part.row - top) * level.block_width + part.column - left;
            scratch.coverage.for_each(|column, row, share| {
                covered += share;
                let stored: f32 = pixels[start + row * level.block_width + column].into();
                if layer.is_valid(stored) {
                    cells.push((stored, share));
                }
            });
            let piece = Piece {
                covered,
                moments: Moments::of(cells),
                values: if options.without_quantiles && !layer.classes {
                    Values::default()
                } else {
                    Values::of(cells)
                },
            };
            if whole {
                result.finished.push((index, piece.finish(zone, layer)));
            } else {
                result.pieces.push((index, piece));
            }
        }
        if scratch.cells.capacity() > KEEP_CELLS {
            *scratch = Scratch::default();
        }
    });
    Ok(result)
}
