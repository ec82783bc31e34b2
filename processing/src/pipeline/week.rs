//! One pass over the province grid for one week: strips are read, cut into tiles, turned into products in parallel,
//! and written.

mod cutting;

use super::product_files::{ProductFiles, assemble};
use super::{Task, Week, Weekly, context};
use crate::Error;
use crate::look::{self, Look, LookStrip};
use crate::product::{Block, LookBlock, Product, Sensor, Whole};
use crate::raster_output::RasterFile;
use crate::run::Progress;
use cutting::{covered, phase, strips, tile_size, tiles, widened};
use rayon::prelude::*;
use sen_catalog::raster::Pixels;
use sen_catalog::{Band, Grid, Item, Period, Window};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

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
    pub(super) files: Vec<RasterFile>,
    /// Cells with a look.
    pub(super) seen: u64,
    /// Cells inside the outline of a scene.
    pub(super) covered: u64,
}

/// Steps of the progress of one pass: rows of the grid.
pub(super) fn steps(grid: &Grid) -> u64 {
    grid.height as u64
}

/// Makes all tasks of a week. When a scene turns out to be unreadable the others are read through, and the pass begins again
/// without those that cannot be read: however many they are, it is one pass more.
pub(super) fn make(
    weekly: &Weekly,
    week: &Week,
    tasks: &[Task],
    progress: &dyn Progress,
) -> Result<Made, Stop> {
    let mut failed = BTreeMap::new();
    loop {
        match pass(weekly, week, tasks, &failed, progress) {
            Ok(products) => return Ok(Made { products, failed }),
            Err(Interrupt::Stop(stop)) => return Err(stop),
            Err(Interrupt::Scenes(more)) => {
                for (scene, reason) in more {
                    progress.message(&format!("{}: {scene} left out: {reason}", week.period));
                    failed.insert(scene, reason);
                }
                progress.begin(&week.period.to_string(), steps(&weekly.grid));
            }
        }
    }
}

/// The opened looks of a week and their references; `None` for those that failed before or are of no use.
struct Looks {
    own: Vec<Option<Look>>,
    references: Vec<Option<Look>>,
}

/// What was read of them for one strip.
struct Strip {
    own: Vec<LookStrip>,
    references: Vec<LookStrip>,
    window: Window,
    /// Bits of the user's rasters; empty without.
    given: Vec<u8>,
}

fn pass(
    weekly: &Weekly,
    week: &Week,
    tasks: &[Task],
    failed: &BTreeMap<String, String>,
    progress: &dyn Progress,
) -> Result<Vec<MadeProduct>, Interrupt> {
    let grid = &weekly.grid;
    let looks = open_all(weekly, week, tasks, failed)?;
    let every = looks.own.iter().chain(&looks.references).flatten();
    let rows = weekly.settings.rows(every.map(Look::row_bytes).sum());
    let margin = tasks.iter().map(|task| task.product.margin()).max().unwrap_or(0);
    let tile = tile_size(margin);
    let dilation = weekly.settings.dilation(grid.cell_width);
    let asks_given = tasks.iter().any(|task| task.product.beyond().ancillary);
    let mut files: Vec<ProductFiles> = tasks
        .iter()
        .map(|task| ProductFiles::create(task.product, &weekly.assets, grid))
        .collect::<Result<_, _>>()?;
    let mut counts = vec![(0, 0); tasks.len()];
    // classes of products that look back wait here for the end of the pass: one byte a cell
    let mut whole: Vec<Option<Vec<u8>>> = tasks
        .iter()
        .map(|task| {
            let back = task.product.beyond().weeks > 0;
            back.then(|| Vec::with_capacity(grid.width * grid.height))
        })
        .collect();
    let windows = strips(grid, rows);
    for (number, &window) in windows.iter().enumerate() {
        if weekly.cancelled.load(Ordering::Relaxed) {
            return Err(Interrupt::Stop(Stop::Cancelled));
        }
        let of_strip = |looks: &[Option<Look>]| read(looks, window, margin, dilation, grid);
        let read = of_strip(&looks.own).and_then(|own| Ok((own, of_strip(&looks.references)?)));
        let (own, references) = match read {
            Ok(read) => read,
            Err(Interrupt::Scenes(failed)) => {
                let left = &windows[number..];
                let all = read_through(&looks, left, margin, dilation, weekly, failed);
                return Err(Interrupt::Scenes(all));
            }
            Err(stop) => return Err(stop),
        };
        let strip = Strip {
            own,
            references,
            window,
            given: if asks_given {
                week.given.bits(window, grid)?
            } else {
                Vec::new()
            },
        };
        let made: Vec<(Window, Vec<TileProduct>)> = tiles(window, grid, tile, weekly.settings.block)
            .par_iter()
            .map(|&tile| (tile, compute(tasks, week, &looks, &strip, tile, margin, grid)))
            .collect();
        drop(strip);
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
                files.write(window, tiles, usize::from(whole.is_some()))
            })?;
        for (whole, tiles) in whole.iter_mut().zip(&by_task) {
            if let Some(rows) = whole {
                rows.extend(assemble::<u8>(window, tiles, 0));
            }
        }
        progress.advance(window.height as u64);
    }
    for ((task, whole), files) in tasks.iter().zip(&mut whole).zip(&mut files) {
        if let Some(classes) = whole {
            finish(task, week.period, grid, classes, files)?;
        }
    }
    let written: Vec<Vec<RasterFile>> = files
        .into_par_iter()
        .map(ProductFiles::finish)
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
    files: &mut ProductFiles,
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

/// Opens what the tasks need of each scene of the week and of each reference.
fn open_all(
    weekly: &Weekly,
    week: &Week,
    tasks: &[Task],
    failed: &BTreeMap<String, String>,
) -> Result<Looks, Interrupt> {
    let products: Vec<&dyn Product> = tasks.iter().map(|task| task.product).collect();
    let compared = products
        .iter()
        .copied()
        .filter(|product| product.beyond().reference);
    let compared: Vec<&dyn Product> = compared.collect();
    let references = &week.references.items;
    let mut looks = Looks {
        own: open(weekly, week.period, week.scenes, &products, failed)?,
        references: open(weekly, week.period, references, &compared, failed)?,
    };
    // thresholds are looked for where they are used
    if !compared.is_empty() {
        let surveyed = looks.own.iter_mut().flatten().filter_map(|look| {
            let error = look.survey(&weekly.grid).err()?;
            Some((look.scene.clone(), error.to_string()))
        });
        let failed: Vec<_> = surveyed.collect();
        if !failed.is_empty() {
            return Err(Interrupt::Scenes(failed));
        }
    }
    Ok(looks)
}

/// Opens what the products need of each scene; `None` for scenes that failed before.
fn open(
    weekly: &Weekly,
    week: Period,
    scenes: &[Item],
    products: &[&dyn Product],
    failed: &BTreeMap<String, String>,
) -> Result<Vec<Option<Look>>, Interrupt> {
    let passes = look::passes(scenes);
    let optical = |scene: &Item| look::sensor(&scene.collection) == Sensor::Optical;
    let mut seen = scenes.iter().zip(&passes).filter(|(scene, _)| optical(scene));
    let first = seen.next();
    let several = seen.any(|(_, pass)| Some(pass) != first.map(|(_, pass)| pass));
    let mut looks = Vec::new();
    let mut more = Vec::new();
    for (scene, pass) in scenes.iter().zip(passes) {
        let name = context::name(scene);
        if failed.contains_key(&name) {
            looks.push(None);
            continue;
        }
        match Look::open(
            scene,
            (pass, several),
            products,
            &weekly.assets,
            &weekly.grid,
            week,
        ) {
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

/// Reads what is left of each scene that has not failed, so that all that cannot be read is known before the week is begun again.
fn read_through(
    looks: &Looks,
    left: &[Window],
    margin: usize,
    dilation: f64,
    weekly: &Weekly,
    mut failed: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let all: Vec<&Look> = looks.own.iter().chain(&looks.references).flatten().collect();
    let more: Vec<(String, String)> = all
        .par_iter()
        .enumerate()
        .filter(|(_, look)| failed.iter().all(|(scene, _)| *scene != look.scene))
        .filter_map(|(index, look)| {
            let mut windows = left
                .iter()
                .take_while(|_| !weekly.cancelled.load(Ordering::Relaxed));
            windows.find_map(|window| {
                let rows = window.row..window.row + window.height;
                let error = look.read(index, &rows, margin, dilation, &weekly.grid).err()?;
                Some((look.scene.clone(), error.to_string()))
            })
        })
        .collect();
    failed.extend(more);
    failed
}

/// What one product is in one tile.
struct TileProduct {
    layers: Vec<Pixels>,
    seen: u64,
    covered: u64,
}

fn compute(
    tasks: &[Task],
    week: &Week,
    looks: &Looks,
    strip: &Strip,
    tile: Window,
    margin: usize,
    grid: &Grid,
) -> Vec<TileProduct> {
    let wide = widened(tile, margin, grid);
    let cut: Vec<_> = strip
        .own
        .iter()
        .filter_map(|own| {
            let look = looks.own[own.look].as_ref()?;
            let cut = own.cut(look, wide)?;
            let reference = reference(week.references.of(own.look), looks, strip, wide);
            Some((own.look, look, cut, reference))
        })
        .collect();
    let phase = phase(grid);
    let given = given(strip, tile);
    tasks
        .iter()
        .map(|task| {
            let beyond = task.product.beyond();
            let mine = || cut.iter().filter(|(index, ..)| task.scenes.contains(index));
            let blocks = mine().map(|(_, look, cut, reference)| LookBlock {
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
                reference: reference
                    .iter()
                    .filter(|_| beyond.reference)
                    .map(|(band, values)| (*band, values.as_slice().into()))
                    .collect(),
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
                given: if beyond.ancillary {
                    Cow::Borrowed(given.as_slice())
                } else {
                    Cow::Borrowed(&[])
                },
                looks: blocks.collect(),
            };
            let windows: Vec<Window> = mine().map(|(_, look, ..)| look.window).collect();
            encode(task.product, &block, covered(tile, &windows))
        })
        .collect()
}

/// The reference of a look on the cells of a block: where slices of one pass overlap, the first that shows something.
fn reference(of: &[usize], looks: &Looks, strip: &Strip, wide: Window) -> Vec<(Band, Vec<f32>)> {
    let mut bands: Vec<(Band, Vec<f32>)> = Vec::new();
    for read in strip.references.iter().filter(|read| of.contains(&read.look)) {
        let cut = looks.references[read.look]
            .as_ref()
            .and_then(|look| read.cut(look, wide));
        for (band, values, _) in cut.into_iter().flat_map(|cut| cut.bands) {
            match bands.iter_mut().find(|(own, _)| *own == band) {
                Some((_, have)) => {
                    for (have, value) in have.iter_mut().zip(values) {
                        *have = if have.is_nan() { value } else { *have };
                    }
                }
                None => bands.push((band, values)),
            }
        }
    }
    bands
}

/// The user's rasters in a tile of the strip.
fn given(strip: &Strip, tile: Window) -> Vec<u8> {
    if strip.given.is_empty() {
        return Vec::new();
    }
    let rows = (tile.row..tile.row + tile.height).flat_map(|row| {
        let start = (row - strip.window.row) * strip.window.width + tile.column - strip.window.column;
        &strip.given[start..start + tile.width]
    });
    rows.copied().collect()
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
