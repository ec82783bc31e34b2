//! Where water was for good in a time: from the weekly flood layer, or from a raster of the user's.

use crate::gdal_io::{self, Resampling};
use crate::{Error, Result};
use sen_catalog::raster::Cog;
use sen_catalog::{Assets, Grid, Item, Window, flood};

/// Cells that are measured at once: a province of 150 by 150 km at 10 m has 225 million.
const MOST_CELLS: usize = 400_000_000;
/// Rows that are read at once.
const ROWS: usize = 256;

/// A cell of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Land, or water that came and went.
    Land,
    /// Water for good.
    Water,
    /// Not seen, or not often enough.
    Unseen,
}

/// Water of a time on a grid in metres.
#[derive(Clone, Debug)]
pub struct Mask {
    /// Where the cells lie.
    pub grid: Grid,
    /// Row by row.
    pub cells: Vec<Cell>,
    /// Cell size of what it was made from, metres: bank lines are not known better.
    pub cell_m: f64,
    /// What it was made from, for people.
    pub made_of: String,
    /// The time it stands for, as short as people gave it: `2024`, or the name of a raster without its folder and ending.
    pub time: String,
}

/// How a mask is made of weekly items.
#[derive(Clone, Copy, Debug)]
pub struct Permanence {
    /// A cell is water for good when it was wet in at least this share of the weeks in which it was seen.
    pub share: f64,
    /// Weeks in which a cell must have been seen at least.
    pub looks: usize,
}

/// How a raster tells water from land; every other value is "not seen".
#[derive(Clone, Debug)]
pub struct Values {
    /// Values that mean water.
    pub water: Vec<f64>,
    /// Values that mean land.
    pub land: Vec<f64>,
}

impl Mask {
    /// Water for good by the weekly items of the flood layer.
    ///
    /// # Errors
    /// When there are too few of them, they lie on different grids, or a file cannot be read.
    pub fn of_weeks(items: &[Item], assets: &Assets, rule: Permanence, time: &str) -> Result<Self> {
        let Some(first) = items.first() else {
            return Err(Error::Invalid(format!(
                "there is no week of the flood layer in {time}; make them with `sen process`, or give a raster of water"
            )));
        };
        if items.len() < rule.looks {
            return Err(Error::Invalid(format!(
                "{time} has {} weeks of the flood layer, fewer than the {} in which a cell must have been seen \
                 (--min-looks)",
                items.len(),
                rule.looks
            )));
        }
        let grid = first.grid;
        check(&grid, &first.id)?;
        let mut files = Vec::new();
        for item in items {
            if item.grid != grid {
                return Err(Error::Invalid(format!(
                    "{} lies on another grid than {}; bring them onto one with `sen process`",
                    item.id, first.id
                )));
            }
            let asset = item
                .main_asset()
                .ok_or_else(|| Error::unreadable(&item.id, "has no raster; remake it with `sen process`"))?;
            files.push(Cog::over(assets.open_object(asset)?)?);
        }
        let mut cells = Vec::with_capacity(grid.width * grid.height);
        let (mut seen, mut wet) = (Vec::new(), Vec::new());
        for row in (0..grid.height).step_by(ROWS) {
            let window = Window {
                column: 0,
                row,
                width: grid.width,
                height: ROWS.min(grid.height - row),
            };
            seen.clear();
            seen.resize(window.width * window.height, 0_u16);
            wet.clear();
            wet.resize(seen.len(), 0_u16);
            for file in &files {
                let classes = file.read_window::<u8>(0, 0, window)?;
                for ((class, seen), wet) in classes.into_iter().zip(&mut seen).zip(&mut wet) {
                    *seen += u16::from(flood::is_seen(class));
                    *wet += u16::from(flood::is_water(class));
                }
            }
            cells.extend(seen.iter().zip(&wet).map(|(&seen, &wet)| {
                if usize::from(seen) < rule.looks.max(1) {
                    Cell::Unseen
                } else if f64::from(wet) >= rule.share * f64::from(seen) {
                    Cell::Water
                } else {
                    Cell::Land
                }
            }));
        }
        Ok(Self {
            cell_m: grid.cell_width,
            grid,
            cells,
            made_of: format!("{} weeks of flood in {time}", items.len()),
            time: time.to_owned(),
        })
    }

    /// Water of a raster, on its own grid, or brought onto another by the nearest cell.
    ///
    /// # Errors
    /// Names the file when it cannot be read, has no grid in metres, or neither water nor land.
    pub fn of_raster(href: &str, values: &Values, onto: Option<Grid>) -> Result<Self> {
        let own = gdal_io::info(href)?.grid;
        let grid = onto.unwrap_or(own);
        check(&grid, href)?;
        let mut cells = Vec::with_capacity(grid.width * grid.height);
        for row in (0..grid.height).step_by(ROWS) {
            let part = grid.crop(Window {
                column: 0,
                row,
                width: grid.width,
                height: ROWS.min(grid.height - row),
            });
            // whatever the file calls no data is in no list, unless the user lists it
            let pixels = gdal_io::warp_onto(href, 1, &part, Resampling::Nearest, Some(f64::NAN))?;
            let is = |list: &[f64], pixel: f32| list.contains(&f64::from(pixel));
            cells.extend(pixels.into_iter().map(|pixel| {
                if is(&values.water, pixel) {
                    Cell::Water
                } else if is(&values.land, pixel) {
                    Cell::Land
                } else {
                    Cell::Unseen
                }
            }));
        }
        for (cell, name, list) in [
            (Cell::Water, "water", &values.water),
            (Cell::Land, "land", &values.land),
        ] {
            if !cells.contains(&cell) {
                return Err(Error::unreadable(
                    href,
                    format!(
                        "holds no cell of {list:?}, the values of {name}; say which they are with --{name}"
                    ),
                ));
            }
        }
        let cell_m = if own.crs.is_geographic() {
            grid.cell_width
        } else {
            own.cell_width
        };
        Ok(Self {
            cell_m: cell_m.max(grid.cell_width),
            grid,
            cells,
            made_of: href.to_owned(),
            time: name_of(href).to_owned(),
        })
    }
}

/// The name of a file without its folder and ending.
fn name_of(href: &str) -> &str {
    let file = href.rsplit(['/', '\\']).next().unwrap_or(href);
    match file.rsplit_once('.') {
        Some((name, _)) if !name.is_empty() => name,
        _ => file,
    }
}

/// A grid on which metres can be measured.
fn check(grid: &Grid, what: &str) -> Result<()> {
    if grid.crs.is_geographic() {
        return Err(Error::unreadable(
            what,
            "is in degrees; bring it into a system of metres first, such as the UTM zone (gdalwarp -t_srs EPSG:32648)",
        ));
    }
    if (grid.cell_width / grid.cell_height - 1.0).abs() > 1e-6 {
        return Err(Error::unreadable(what, "has cells that are not square"));
    }
    if grid.width.saturating_mul(grid.height) > MOST_CELLS {
        return Err(Error::unreadable(
            what,
            format!("has more than {MOST_CELLS} cells; cut the river out of it first"),
        ));
    }
    Ok(())
}
