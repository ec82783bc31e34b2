//! The flood methods on labelled chips in the layout of Sen1Floods11: `s1/NAME_S1Hand.tif` (VV, VH in decibel),
//! `s2/NAME_S2Hand.tif` (13 bands, reflectance times 10000), `labels/NAME_LabelHand.tif` (-1 not labelled, 0 dry, 1 water).

use super::simple::{self, Simple};
use super::{Counts, holdout};
use crate::flood::optical::{self, Spectrum};
use crate::flood::radar::{self, Bands, Join, RULE, Rule, Units};
use crate::flood::{ensemble, linear_of};
use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use sen_catalog::Grid;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Endings of the three files of a chip.
const LABEL: &str = "_LabelHand.tif";
/// B2, B3, B4, B8, B11, B12 as bands of a Sentinel-2 chip, from 1.
const OPTICAL: [usize; 6] = [2, 3, 4, 8, 12, 13];
/// Chips larger than this are refused: the methods hold a chip in memory.
const LARGEST: usize = 64 * 1024 * 1024;

/// One chip, classified three ways.
#[derive(Clone, Debug)]
pub struct Chip {
    /// Its name, such as `Spain_7370579`.
    pub name: String,
    /// Columns.
    pub width: usize,
    /// Labels: -1, 0, 1.
    pub label: Vec<f32>,
    /// Class a cell (0 none, 1 open water, 2 partly water, NaN not seen) by kind: `radar`, `optical`, `fused`. Kinds
    /// whose image lacks are left out.
    pub maps: BTreeMap<&'static str, Vec<f32>>,
    /// By kind, `radar` and `optical`: counts with each of the values that [`holdout`] tries.
    pub tried: BTreeMap<&'static str, Vec<Counts>>,
    /// By kind: counts of simple methods, by name.
    pub simple: BTreeMap<&'static str, Vec<(&'static str, Counts)>>,
}

/// What the methods of one kind say of a chip.
struct Told {
    /// Class and likelihood of each cell by the default method.
    cells: Vec<(f32, f32)>,
    /// Classes with each of the values tried.
    tried: Vec<Counts>,
    /// Simple methods.
    simple: Vec<(&'static str, Counts)>,
}

/// Chips of a folder, by name.
///
/// # Errors
/// When the folder holds no labels.
pub fn names(folder: &Path) -> Result<Vec<String>> {
    let labels = folder.join("labels");
    let entries = std::fs::read_dir(&labels).map_err(|error| Error::io(&labels, error))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(LABEL)?.to_owned()))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(Error::Invalid(format!(
            "{}: no file is named NAME{LABEL}; the layout is that of Sen1Floods11",
            labels.display()
        )));
    }
    Ok(names)
}

impl Chip {
    /// Reads a chip and runs the methods on what it has.
    ///
    /// # Errors
    /// Names the file that cannot be read or does not fit its label.
    pub fn open(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join("labels").join(format!("{name}{LABEL}"));
        let grid = grid(&path)?;
        let label = read(&path, 1, &grid)?;
        let radar = existing(folder.join("s1").join(format!("{name}_S1Hand.tif")));
        let optical = existing(folder.join("s2").join(format!("{name}_S2Hand.tif")));
        if radar.is_none() && optical.is_none() {
            return Err(Error::Invalid(format!(
                "{name} has a label but neither s1/{name}_S1Hand.tif nor s2/{name}_S2Hand.tif"
            )));
        }
        let radar = radar.map(|path| of_radar(&path, &grid, &label)).transpose()?;
        let optical = optical.map(|path| of_optical(&path, &grid, &label)).transpose()?;
        let cell =
            |told: Option<&Told>, cell: usize| told.map_or((f32::NAN, f32::NAN), |told| told.cells[cell]);
        let fused = (0..label.len())
            .map(|at| ensemble::fused(cell(optical.as_ref(), at), cell(radar.as_ref(), at)).0)
            .collect();
        let mut chip = Self {
            name: name.to_owned(),
            width: grid.width,
            label,
            maps: BTreeMap::from([("fused", fused)]),
            tried: BTreeMap::new(),
            simple: BTreeMap::new(),
        };
        for (kind, told) in [("radar", radar), ("optical", optical)] {
            if let Some(told) = told {
                let classes = told.cells.into_iter().map(|(class, _)| class).collect();
                chip.maps.insert(kind, classes);
                chip.tried.insert(kind, told.tried);
                chip.simple.insert(kind, told.simple);
            }
        }
        Ok(chip)
    }

    /// A map against the labels, as [`counts`].
    pub fn counts(&self, map: &[f32]) -> Counts {
        counts(map.iter().copied(), &self.label)
    }
}

/// A map against labels. Open water counts as water; cells that the sensor did not see are not compared.
fn counts(map: impl Iterator<Item = f32>, label: &[f32]) -> Counts {
    let mut counts = Counts::default();
    for (class, &label) in map.zip(label) {
        if label != 0.0 && label != 1.0 {
            continue;
        }
        if class.is_nan() {
            counts.not_seen += 1;
        } else {
            counts.add(Some(class == 1.0), label == 1.0);
        }
    }
    counts
}

fn all_counts(methods: Vec<Simple>, label: &[f32]) -> Vec<(&'static str, Counts)> {
    let one = |(name, water): Simple| (name, counts(water.into_iter(), label));
    methods.into_iter().map(one).collect()
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

fn grid(path: &Path) -> Result<Grid> {
    let grid = gdal_io::info(&path.to_string_lossy())?.grid;
    if grid.width.saturating_mul(grid.height) > LARGEST {
        return Err(Error::unreadable(
            path.display(),
            "is too large for a chip; compare rasters instead",
        ));
    }
    Ok(grid)
}

fn read(path: &Path, band: usize, grid: &Grid) -> Result<Vec<f32>> {
    gdal_io::warp_onto(&path.to_string_lossy(), band, grid, Resampling::Nearest, None)
}

fn of_radar(path: &Path, grid: &Grid, label: &[f32]) -> Result<Told> {
    let (vv, vh) = (read(path, 1, grid)?, read(path, 2, grid)?);
    if radar::units(&vv) == Units::Linear {
        return Err(Error::unreadable(
            path.display(),
            "its values are linear power, and chips of this layout are in decibel; convert it (10 log10)",
        ));
    }
    let bands = |vv, vh| Bands {
        vv: Some(vv),
        vh: Some(vh),
    };
    let simple = all_counts(simple::of_radar(bands(&vv, &vh), grid.width), label);
    let filter = |band: &[f32]| radar::filtered(&linear_of(band), grid.width);
    let (vv, vh) = (filter(&vv), filter(&vh));
    let look = bands(&vv, &vh);
    let at = radar::Thresholds::of_image(look, grid.width);
    let by = |rule: &Rule| ensemble::radar_look(look, None, grid.width, &at, rule);
    let found = by(&RULE);
    let joined = [
        ("two that disagree: union", Join::Union),
        ("two that disagree: mean likelihood >= 50", Join::Likelihood),
    ];
    let mut simple = simple;
    for (place, (name, join)) in joined.into_iter().enumerate() {
        let water = by(&Rule { join, ..RULE }).water;
        simple.insert(place, (name, counts(water.into_iter(), label)));
    }
    let tried = holdout::radar_rules();
    Ok(Told {
        cells: found.water.into_iter().zip(found.likelihood).collect(),
        tried: tried
            .iter()
            .map(|rule| counts(by(rule).water.into_iter(), label))
            .collect(),
        simple,
    })
}

fn of_optical(path: &Path, grid: &Grid, label: &[f32]) -> Result<Told> {
    let bands: Vec<Vec<f32>> = OPTICAL
        .iter()
        .map(|&band| read(path, band, grid))
        .collect::<Result<_>>()?;
    let cell = |index: usize| {
        // outside the swath all bands are 0
        let seen = bands.iter().any(|band| band[index] > 0.0);
        let reflectance = |band: usize| {
            if seen {
                bands[band][index] / 10_000.0
            } else {
                f32::NAN
            }
        };
        Spectrum {
            blue: reflectance(0),
            green: reflectance(1),
            red: reflectance(2),
            nir: reflectance(3),
            swir16: reflectance(4),
            swir22: reflectance(5),
        }
    };
    let cells: Vec<Spectrum> = (0..label.len()).map(cell).collect();
    let at = optical::Thresholds::of_image(&cells, grid.width);
    let by = |ndvi: f32| {
        let at = optical::Thresholds { ndvi, ..at };
        cells.iter().map(move |cell| ensemble::optical_cell(cell, &at))
    };
    let tried = holdout::NDVI_LIMITS.iter();
    Ok(Told {
        cells: by(at.ndvi).collect(),
        tried: tried
            .map(|&ndvi| counts(by(ndvi).map(|(class, _)| class), label))
            .collect(),
        simple: all_counts(simple::of_optical(&cells), label),
    })
}
