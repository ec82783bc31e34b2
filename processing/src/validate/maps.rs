//! A classified raster against label rasters or labelled points.

use super::Matrix;
use super::picture::Row;
use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use sen_catalog::crs::Transform;
use sen_catalog::{Crs, Grid, Window};
use std::collections::BTreeMap;
use std::path::Path;

/// Rows compared at once: memory stays bounded.
const ROWS: usize = 512;

/// How classes are named and which count.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    /// Map classes that stand for class 1; empty when classes are compared as they are.
    pub positive: Vec<i64>,
    /// The same for labels.
    pub label_positive: Vec<i64>,
    /// Map values that are no class ("not seen"), besides the file's own nodata.
    pub ignore: Vec<i64>,
}

impl Classes {
    fn map(&self, value: f32) -> Option<i64> {
        class(value, &self.positive).filter(|_| !self.ignore.contains(&(value as i64)))
    }

    fn label(&self, value: f32) -> Option<i64> {
        // -1 is "not labelled" everywhere
        class(value, &self.label_positive).filter(|_| value >= 0.0)
    }
}

fn class(value: f32, positive: &[i64]) -> Option<i64> {
    // class numbers are small; anything else is no class
    if !value.is_finite() || value.abs() > 1e6 {
        return None;
    }
    let class = value.round() as i64;
    Some(if positive.is_empty() {
        class
    } else {
        i64::from(positive.contains(&class))
    })
}

/// What was compared.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Map class by label.
    pub matrix: Matrix,
    /// Labelled cells or points for which the map has no class.
    pub not_seen: u64,
}

/// Cells of each class of a map, and the area of a cell in hectares (`None` for a map in degrees).
///
/// # Errors
/// When the file cannot be read.
pub fn census(map: &Path, classes: &Classes) -> Result<(BTreeMap<i64, u64>, Option<f64>)> {
    let href = map.to_string_lossy();
    let grid = gdal_io::info(&href)?.grid;
    let mut counts = BTreeMap::new();
    for window in strips(&grid) {
        let part = grid.crop(window);
        for value in gdal_io::warp_onto(&href, 1, &part, Resampling::Nearest, None)? {
            if let Some(class) = classes.map(value) {
                *counts.entry(class).or_default() += 1;
            }
        }
    }
    let hectares = (!grid.crs.is_geographic()).then_some(grid.cell_width * grid.cell_height / 10_000.0);
    Ok((counts, hectares))
}

/// Compares on the label's grid; the map is taken from the nearest cell.
///
/// # Errors
/// When a file cannot be read or the two do not overlap.
pub fn rasters(map: &Path, label: &Path, classes: &Classes) -> Result<Comparison> {
    let (map_href, label_href) = (map.to_string_lossy(), label.to_string_lossy());
    let grid = gdal_io::info(&label_href)?.grid;
    gdal_io::info(&map_href)?;
    let mut found = Comparison::default();
    for window in strips(&grid) {
        let part = grid.crop(window);
        let labels = gdal_io::warp_onto(&label_href, 1, &part, Resampling::Nearest, None)?;
        let values = gdal_io::warp_onto(&map_href, 1, &part, Resampling::Nearest, None)?;
        for (value, label) in values.into_iter().zip(labels) {
            found.add(classes.map(value), classes.label(label));
        }
    }
    found.checked(map, label)
}

/// Label and map on the label's grid, thinned to at most `side` cells a side, as a row of a picture.
///
/// # Errors
/// When a file cannot be read.
pub fn row(map: &Path, label: &Path, classes: &Classes, side: usize) -> Result<Row> {
    let full = gdal_io::info(&label.to_string_lossy())?.grid;
    let step = full.width.max(full.height).div_ceil(side).max(1);
    let grid = Grid {
        cell_width: full.cell_width * step as f64,
        cell_height: full.cell_height * step as f64,
        width: (full.width / step).max(1),
        height: (full.height / step).max(1),
        ..full
    };
    let read = |path: &Path| gdal_io::warp_onto(&path.to_string_lossy(), 1, &grid, Resampling::Nearest, None);
    let class = |class: Option<i64>| class.map_or(f32::NAN, |class| class as f32);
    let labels = read(label)?.into_iter().map(|value| class(classes.label(value)));
    let values = read(map)?.into_iter().map(|value| class(classes.map(value)));
    Ok(Row {
        width: grid.width,
        label: labels.collect(),
        maps: vec![Some(values.collect())],
    })
}

/// Compares at points of a CSV table with the columns `lon`, `lat` (degrees) and `class` (a number).
///
/// # Errors
/// Names the line and field that cannot be read.
pub fn points(map: &Path, label: &Path, classes: &Classes) -> Result<Comparison> {
    let href = map.to_string_lossy();
    let grid = gdal_io::info(&href)?.grid;
    let unreadable =
        |line: u64, reason: &str| Error::unreadable(label.display(), format!("line {line}: {reason}"));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(label)
        .map_err(|error| Error::unreadable(label.display(), error.to_string()))?;
    let heads = reader
        .headers()
        .map_err(|error| Error::unreadable(label.display(), error.to_string()))?
        .clone();
    let place = |names: &[&str]| {
        let found = heads
            .iter()
            .position(|head| names.iter().any(|name| head.eq_ignore_ascii_case(name)));
        found.ok_or_else(|| {
            Error::unreadable(
                label.display(),
                format!("has no column `{}`; lon, lat and class are needed", names[0]),
            )
        })
    };
    let columns = [
        place(&["lon", "longitude", "x"])?,
        place(&["lat", "latitude", "y"])?,
        place(&["class", "label"])?,
    ];
    let to_map = Transform::new(Crs::WGS84, grid.crs)?;
    let mut found = Comparison::default();
    for record in reader.records() {
        let record = record.map_err(|error| Error::unreadable(label.display(), error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |column: usize| {
            let text = record.get(columns[column]).unwrap_or_default();
            text.parse::<f64>()
                .map_err(|_| unreadable(line, &format!("`{text}` is no number")))
        };
        let (lon, lat, class) = (number(0)?, number(1)?, number(2)?);
        if !(-180.0..=180.0).contains(&lon) || !(-90.0..=90.0).contains(&lat) {
            return Err(unreadable(line, "lon and lat must be degrees"));
        }
        let Some((x, y)) = to_map.point(lon, lat) else {
            return Err(unreadable(
                line,
                "lies outside what the map's coordinate system can show",
            ));
        };
        let (column, row) = grid.position(x, y);
        let inside = column >= 0.0 && row >= 0.0 && column < grid.width as f64 && row < grid.height as f64;
        let value = if inside {
            let cell = grid.crop(Window {
                column: column as usize,
                row: row as usize,
                width: 1,
                height: 1,
            });
            gdal_io::warp_onto(&href, 1, &cell, Resampling::Nearest, None)?[0]
        } else {
            f32::NAN
        };
        found.add(classes.map(value), classes.label(class as f32));
    }
    found.checked(map, label)
}

impl Comparison {
    fn add(&mut self, map: Option<i64>, label: Option<i64>) {
        match (map, label) {
            (Some(map), Some(label)) => self.matrix.add(map, label),
            (None, Some(_)) => self.not_seen += 1,
            (_, None) => {}
        }
    }

    fn checked(self, map: &Path, label: &Path) -> Result<Self> {
        if self.matrix.n() == 0 && self.not_seen == 0 {
            return Err(Error::unreadable(
                label.display(),
                "holds no label (values of 0 and more)",
            ));
        }
        if self.matrix.n() == 0 {
            return Err(Error::unreadable(
                label.display(),
                format!("no labelled cell lies where {} has a class", map.display()),
            ));
        }
        Ok(self)
    }

    /// Adds another.
    pub fn extend(&mut self, other: &Self) {
        self.matrix.extend(&other.matrix);
        self.not_seen += other.not_seen;
    }
}

fn strips(grid: &Grid) -> impl Iterator<Item = Window> {
    let (width, height) = (grid.width, grid.height);
    (0..height.div_ceil(ROWS)).map(move |index| Window {
        column: 0,
        row: index * ROWS,
        width,
        height: ROWS.min(height - index * ROWS),
    })
}
