//! One pass over the province grid for one week: strips are read, cut into tiles, turned into products in parallel,
//! and written.

use super::files::{Files, Written, assemble};
use super::{Progress, Task, Weekly};
use crate::Error;
use crate::look::{self, Look, LookStrip};
use crate::product::{Block, LookBlock, Product, Whole};
use rayon::prelude::*;
use sen_catalog::raster::Pixels;
use sen_catalog::{Grid, Item, Period, Window};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Columns and rows of a tile: its bands fit the processor's cache.
const TILE: (usize, usize) = (512, 64);

/// Why a week was not made.
pub(super) enum Stop {
    /// The caller asked for it.
    Cancelled,
    /// Products cannot be written.
    Failed(Error),
}

/// Why a pass ended early.
enum Interrupt {
    Stop(Stop),
    /// These scenes cannot be read, and the pass has to begin again without them.
    Scenes(Vec<(String, String)>),
}

impl<E: Into<Error>> From<E> for Interrupt {
    fn from(error: E) -> Self {
        Self::Stop(Stop::Failed(error.into()))
    }
}

/// A week made, not yet published.
pub(super) struct Made {
    /// One a task.
    pub(super) products: Vec<MadeProduct>,
    /// Scenes left out, with the reason.
    pub(super) failed: BTreeMap<String, String>,
}

/// The files of a product and how much they show.
pub(super) struct MadeProduct {
    pub(super) files: Vec<Written>,
    /// Cells with a look.
    pub(super) seen: u64,
    /// Cells inside the outline of a scene.
    pub(super) covered: u64,
}

/// Steps of the progress of one pass: rows of the grid.
pub(super) fn steps(grid: &Grid) -> u64 {
    grid.height as u64
}

/// Makes all tasks of a week. When a scene turns out to be unreadable the pass begins again without it.
pub(super) fn make(
    weekly: &Weekly,
    week: Period,
    scenes: &[Item],
    tasks: &[Task],
    progress: &dyn Progress,
) -> Result<Made, Stop> {
    let mut failed = BTreeMap::new();
    loop {
        match pass(weekly, week, scenes, tasks, &failed, progress) {
            Ok(products) => return Ok(Made { products, failed }),
            Err(Interrupt::Stop(stop)) => return Err(stop),
            Err(Interrupt::Scenes(more)) => {
                for (scene, reason) in more {
                    progress.message(&format!("{week}: {scene} left out: {reason}"));
                    failed.insert(scene, reason);
                }
                progress.begin(&week.to_string(), steps(&weekly.grid));
            }
        }
    }
}

fn pass(
    weekly: &Weekly,
    week: Period,
    scenes: &[Item],
    tasks: &[Task],
    failed: &BTreeMap<String, String>,
    progress: &dyn Progress,
) -> Result<Vec<MadeProduct>, Interrupt> {
    let grid = &weekly.grid;
    let looks = open(weekly, week, scenes, tasks, failed)?;
    let row_bytes = looks.iter().flatten().map(Look::row_bytes).sum();
    let rows = weekly.settings.rows(row_bytes);
    let margin = tasks.iter().map(|task| task.product.margin()).max().unwrap_or(0);
    let dilation = weekly.settings.dilation(grid.cell_width);
    let mut files: Vec<Files> = tasks
        .iter()
        .map(|task| Files::create(task.product, &weekly.assets, grid))
        .collect::<Result<_, _>>()?;
    let mut counts = vec![(0, 0); tasks.len()];
    // classes of products that look back wait here for the end of the pass: one byte a cell
    let mut whole: Vec<Option<Vec<u8>>> = tasks
        .iter()
        .map(|task| (task.product.history() > 0).then(|| Vec::with_capacity(grid.width * grid.height)))
        .collect();
    for strip in strips(grid, rows) {
        if weekly.cancelled.load(Ordering::Relaxed) {
            return Err(Interrupt::Stop(Stop::Cancelled));
        }
        let read = read(&looks, strip, margin, dilation, grid)?;
        let tiles = tiles(strip, grid, weekly.settings.block);
        let made: Vec<(Window, Vec<TileProduct>)> = tiles
            .par_iter()
            .map(|&tile| (tile, compute(tasks, &looks, &read, tile, margin, grid)))
            .collect();
        drop(read);
        let mut by_task: Vec<Vec<(Window, Vec<Pixels>)>> = tasks.iter().map(|_| Vec::new()).collect();
        for (tile, products) in made {
            for (index, product) in products.into_iter().enumerate() {
                counts[index].0 += product.seen;
                counts[index].1 += product.covered;
                by_task[index].push((tile, product.layers));
            }
        }
        files
            .par_iter_mut()
            .zip(&by_task)
            .zip(&whole)
            .try_for_each(|((files, tiles), whole)| {
                files.write(strip, tiles, usize::from(whole.is_some()))
            })?;
        for (whole, tiles) in whole.iter_mut().zip(&by_task) {
            if let Some(rows) = whole {
                rows.extend(assemble::<u8>(strip, tiles, 0));
            }
        }
        progress.advance(strip.height as u64);
    }
    for ((task, whole), files) in tasks.iter().zip(&mut whole).zip(&mut files) {
        if let Some(classes) = whole {
            finish(task, week, grid, classes, files)?;
        }
    }
    let written: Vec<Vec<Written>> = files
        .into_par_iter()
        .map(Files::finish)
        .collect::<Result<_, _>>()?;
    let products = written.into_iter().zip(counts);
    Ok(products
        .map(|(files, (seen, covered))| MadeProduct { files, seen, covered })
        .collect())
}

/// Completes the classes of a product that looks back, and writes them.
fn finish(
    task: &Task,
    week: Period,
    grid: &Grid,
    classes: &mut [u8],
    files: &mut Files,
) -> Result<(), Interrupt> {
    task.product.finish(Whole {
        grid,
        period: week,
        classes,
        earlier: &task.earlier,
    })?;
    for rows in classes.chunks(grid.width * 512) {
        files.write_main(rows)?;
    }
    Ok(())
}

/// Opens what the tasks need of each scene; `None` for scenes that failed before.
fn open(
    weekly: &Weekly,
    week: Period,
    scenes: &[Item],
    tasks: &[Task],
    failed: &BTreeMap<String, String>,
) -> Result<Vec<Option<Look>>, Interrupt> {
    let passes = look::passes(scenes);
    let products: Vec<&dyn Product> = tasks.iter().map(|task| task.product).collect();
    let mut looks = Vec::new();
    let mut more = Vec::new();
    for (scene, pass) in scenes.iter().zip(passes) {
        let name = format!("{}/{}", scene.collection, scene.id);
        if failed.contains_key(&name) {
            looks.push(None);
            continue;
        }
        match Look::open(scene, pass, &products, &weekly.assets, &weekly.grid, week) {
            Ok(look) => looks.push(look),
            Err(error) => more.push((name, error.to_string())),
        }
    }
    if more.is_empty() {
        Ok(looks)
    } else {
        Err(Interrupt::Scenes(more))
    }
}

fn read(
    looks: &[Option<Look>],
    strip: Window,
    margin: usize,
    dilation: f64,
    grid: &Grid,
) -> Result<Vec<LookStrip>, Interrupt> {
    let rows = strip.row..strip.row + strip.height;
    let read: Vec<Result<Option<LookStrip>, (String, String)>> = looks
        .par_iter()
        .enumerate()
        .filter_map(|(index, look)| look.as_ref().map(|look| (index, look)))
        .map(|(index, look)| {
            look.read(index, &rows, margin, dilation, grid)
                .map_err(|error| (look.scene.clone(), error.to_string()))
        })
        .collect();
    let mut strips = Vec::new();
    let mut failed = Vec::new();
    for result in read {
        match result {
            Ok(strip) => strips.extend(strip),
            Err(scene) => failed.push(scene),
        }
    }
    if failed.is_empty() {
        Ok(strips)
    } else {
        Err(Interrupt::Scenes(failed))
    }
}

/// What one product is in one tile.
struct TileProduct {
    layers: Vec<Pixels>,
    seen: u64,
    covered: u64,
}

fn compute(
    tasks: &[Task],
    looks: &[Option<Look>],
    read: &[LookStrip],
    tile: Window,
    margin: usize,
    grid: &Grid,
) -> Vec<TileProduct> {
    let wide = widened(tile, margin, grid);
    let cut: Vec<_> = read
        .iter()
        .filter_map(|strip| {
            let look = looks[strip.look].as_ref()?;
            strip.cut(look, wide).map(|cut| (strip.look, look, cut))
        })
        .collect();
    let phase = phase(grid);
    tasks
        .iter()
        .map(|task| {
            let mine = || cut.iter().filter(|(index, ..)| task.scenes.contains(index));
            let blocks = mine().map(|(_, look, cut)| LookBlock {
                sensor: look.sensor,
                pass: look.pass,
                age_days: look.age_days,
                bands: cut
                    .bands
                    .iter()
                    .map(|(band, values, cells)| (*band, values.as_slice().into(), *cells))
                    .collect(),
                mask: cut.mask.as_deref(),
                thresholds: look.thresholds,
            });
            let block = Block {
                width: wide.width,
                height: wide.height,
                core: Window {
                    column: tile.column - wide.column,
                    row: tile.row - wide.row,
                    ..tile
                },
                phase: ((phase.0 + wide.column) % 2, (phase.1 + wide.row) % 2),
                looks: blocks.collect(),
            };
            let windows: Vec<Window> = mine().map(|(_, look, ..)| look.window).collect();
            encode(task.product, &block, covered(tile, &windows))
        })
        .collect()
}

fn encode(product: &dyn Product, block: &Block, covered: u64) -> TileProduct {
    let output = product.compute(block);
    let composite = output.composite;
    let seen = composite.n_clear.iter().filter(|&&looks| looks > 0).count() as u64;
    let mut layers = vec![
        product.encoding().encode(&composite.values),
        Pixels::U8(composite.n_clear),
        Pixels::U8(composite.age_days),
        Pixels::U8(composite.quality),
    ];
    let extra = product.extra_layers().iter().zip(&output.extra);
    layers.extend(extra.map(|(layer, values)| layer.encoding.encode(values)));
    TileProduct {
        layers,
        seen,
        covered,
    }
}

/// Cells of a tile that lie in any of the windows.
fn covered(tile: Window, windows: &[Window]) -> u64 {
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
fn phase(grid: &Grid) -> (usize, usize) {
    let odd = |edge: f64, cell: f64| ((edge / cell).round() as i64).rem_euclid(2) as usize;
    (odd(grid.west, grid.cell_width), odd(grid.north, grid.cell_height))
}

fn widened(tile: Window, margin: usize, grid: &Grid) -> Window {
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
fn strips(grid: &Grid, rows: usize) -> Vec<Window> {
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

fn tiles(strip: Window, grid: &Grid, block: usize) -> Vec<Window> {
    let (width, height) = (TILE.0.min(block.max(2)) / 2 * 2, TILE.1.min(block.max(2)) / 2 * 2);
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
