//! What the flood map of one week shows of each compartment.

use crate::{Error, Result};
use rayon::prelude::*;
use sen_catalog::coverage::{Coverage, Outline, Projection};
use sen_catalog::flood::{is_on_land, is_seen, is_water};
use sen_catalog::inundation::course::Measured;
use sen_catalog::raster::Cog;
use sen_catalog::{Asset, Assets, Crs, Feature, Grid, Item, Period, Window};
use std::collections::VecDeque;

/// Cells around a compartment in which water outside is looked for.
const MARGIN: usize = 5;
/// Stored age of "no look".
const NO_AGE: u8 = 255;

/// The maps of a week.
pub(super) struct Week {
    period: Period,
    classes: Cog,
    ages: Option<Cog>,
}

/// Rows of the maps in memory: a byte a cell each.
struct WeekRows {
    period: Period,
    grid: Grid,
    /// Number of the first of the rows.
    first: usize,
    classes: Vec<u8>,
    ages: Option<Vec<u8>>,
}

/// A compartment on the grid of the map.
struct PlacedCompartment {
    /// Its place among the compartments.
    index: usize,
    outline: Outline,
    /// Its cells with a margin.
    window: Window,
}

impl Week {
    /// Opens the flood map and, where there is one on the same grid, the age of each cell's look.
    ///
    /// # Errors
    /// When the map cannot be read.
    pub(super) fn open(item: &Item, assets: &Assets) -> Result<Self> {
        let open = |asset: Option<&Asset>| -> Result<Option<Cog>> {
            asset
                .map(|asset| Ok(Cog::over(assets.open_object(asset)?)?))
                .transpose()
        };
        let classes = open(item.main_asset())?
            .ok_or_else(|| Error::Invalid(format!("{}/{} has no raster", item.collection, item.id)))?;
        let ages = open(item.assets.get("age_days"))?.filter(|ages| ages.grid() == classes.grid());
        Ok(Self {
            period: item.period(),
            classes,
            ages,
        })
    }

    /// What is seen of each compartment, in their order; those that have no place on the map were not seen. Compartments that
    /// lie in the same rows are measured together, so that each row is read about once, and about `rows` of them at a time.
    ///
    /// # Errors
    /// When the map cannot be read, is none of classes, or its system is not known.
    pub(super) fn measure(&self, compartments: &[Feature], rows: usize) -> Result<Vec<Measured>> {
        let grid = *self.classes.grid();
        let projection = Projection::new(Crs::WGS84, &grid)?;
        let place = |(index, compartment): (usize, &Feature)| {
            let outline = Outline::new(&compartment.polygons()?, &projection).ok()?;
            let window = wider(outline.window(grid.width, grid.height)?, &grid);
            Some(PlacedCompartment {
                index,
                outline,
                window,
            })
        };
        let mut placed: Vec<PlacedCompartment> =
            compartments.par_iter().enumerate().filter_map(place).collect();
        placed.sort_by_key(|one| (one.window.row, one.index));
        let mut measured = vec![not_seen(self.period); compartments.len()];
        let mut left = placed.as_slice();
        while let Some(first) = left.first() {
            let last = (first.window.row + rows).max(bottom(first));
            let count = left.iter().take_while(|one| bottom(one) <= last).count();
            let (together, others) = left.split_at(count);
            let end = together.iter().map(bottom).max().unwrap_or(last);
            let rows = self.read_rows(first.window.row, end)?;
            let made: Vec<(usize, Measured)> = together
                .par_iter()
                .map(|one| (one.index, rows.measure_one(one)))
                .collect();
            for (index, one) in made {
                measured[index] = one;
            }
            left = others;
        }
        Ok(measured)
    }

    fn read_rows(&self, first: usize, end: usize) -> Result<WeekRows> {
        let grid = *self.classes.grid();
        let window = Window {
            column: 0,
            row: first,
            width: grid.width,
            height: end - first,
        };
        let ages = self.ages.as_ref();
        Ok(WeekRows {
            period: self.period,
            grid,
            first,
            classes: self.classes.read_window(0, 0, window)?,
            ages: ages.map(|ages| ages.read_window(0, 0, window)).transpose()?,
        })
    }
}

/// The row after a compartment's last.
fn bottom(one: &PlacedCompartment) -> usize {
    one.window.row + one.window.height
}

/// What is known of a compartment that has no place on the map.
fn not_seen(period: Period) -> Measured {
    Measured {
        period,
        looked: None,
        seen: 0.0,
        share: None,
        flooded_ha: None,
        connected_ha: None,
        outside_share: None,
    }
}

/// The window with a margin, as far as the map reaches.
fn wider(window: Window, grid: &Grid) -> Window {
    let (column, row) = (
        window.column.saturating_sub(MARGIN),
        window.row.saturating_sub(MARGIN),
    );
    let right = (window.column + window.width + MARGIN).min(grid.width);
    let bottom = (window.row + window.height + MARGIN).min(grid.height);
    Window {
        column,
        row,
        width: right - column,
        height: bottom - row,
    }
}

impl WeekRows {
    fn measure_one(&self, one: &PlacedCompartment) -> Measured {
        let (outline, window) = (&one.outline, one.window);
        let mut measured = not_seen(self.period);
        let mut covered = vec![0.0_f64; window.width * window.height];
        let mut coverage = Coverage::default();
        coverage.measure(outline, window);
        coverage.for_each(|column, row, share| covered[row * window.width + column] = share);
        let cells = Cells {
            width: window.width,
            classes: self.crop(&self.classes, window),
            covered,
        };
        let hectares = self.grid.cell_width * self.grid.cell_height / 10_000.0;
        let (seen, wet) = cells.sums();
        let whole = outline.cells().max(f64::MIN_POSITIVE);
        measured.seen = round((seen / whole).min(1.0));
        // a sliver of a cell at the edge is no look
        if measured.seen > 0.0 {
            let (largest, outside) = cells.bodies();
            measured.share = Some(round(wet / seen));
            measured.flooded_ha = Some(round(wet * hectares));
            measured.connected_ha = Some(round(largest * hectares));
            measured.outside_share = outside.map(round);
            measured.looked = self.looked(&cells, window);
        }
        measured
    }

    fn crop(&self, values: &[u8], window: Window) -> Vec<u8> {
        let rows = window.row - self.first..window.row + window.height - self.first;
        rows.flat_map(|row| {
            let start = row * self.grid.width + window.column;
            values[start..start + window.width].iter().copied()
        })
        .collect()
    }

    /// The day of the look that shows the middle cell of the compartment by age.
    fn looked(&self, cells: &Cells, window: Window) -> Option<chrono::NaiveDate> {
        let ages = self.crop(self.ages.as_ref()?, window);
        let mut counts = [0_usize; 256];
        for ((age, class), covered) in ages.iter().zip(&cells.classes).zip(&cells.covered) {
            if *covered >= 0.5 && is_seen(*class) && *age != NO_AGE {
                counts[usize::from(*age)] += 1;
            }
        }
        let half = counts.iter().sum::<usize>().div_ceil(2);
        let mut sum = 0;
        let age = counts.iter().position(|count| {
            sum += count;
            half > 0 && sum >= half
        })?;
        Some(self.period.last_day() - chrono::TimeDelta::days(age as i64))
    }
}

/// Four decimals: what is kept as text is read back as it was.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// The cells around one compartment.
struct Cells {
    width: usize,
    classes: Vec<u8>,
    /// Share of each cell that the compartment covers.
    covered: Vec<f64>,
}

impl Cells {
    /// Covered cells that were seen, and those of them under water that is not there all year.
    fn sums(&self) -> (f64, f64) {
        let mut sums = (0.0, 0.0);
        for (class, covered) in self.classes.iter().zip(&self.covered) {
            if is_seen(*class) {
                sums.0 += covered;
                sums.1 += covered * f64::from(u8::from(is_on_land(*class)));
            }
        }
        sums
    }

    /// Covered cells of the largest body of water within (cells that share an edge), counted as [`Self::sums`] counts water so
    /// that it is never larger than all of it, and the share of the water within that is reached from water outside over
    /// edges and corners.
    fn bodies(&self) -> (f64, Option<f64>) {
        let is_inside: Vec<bool> = self.covered.iter().map(|covered| *covered >= 0.5).collect();
        let is_own: Vec<bool> = self
            .classes
            .iter()
            .zip(&is_inside)
            .map(|(class, inside)| *inside && is_on_land(*class))
            .collect();
        let mut seen = vec![false; self.classes.len()];
        let mut largest = 0.0_f64;
        for start in 0..is_own.len() {
            if is_own[start] && !seen[start] {
                largest = largest.max(self.fill([start], &is_own, &mut seen, false));
            }
        }
        let own = is_own.iter().filter(|own| **own).count();
        if own == 0 {
            return (0.0, None);
        }
        let is_wet: Vec<bool> = self.classes.iter().map(|class| is_water(*class)).collect();
        let outside = (0..is_wet.len()).filter(|&cell| is_wet[cell] && self.covered[cell] == 0.0);
        let mut reached = vec![false; self.classes.len()];
        self.fill(outside, &is_wet, &mut reached, true);
        let reached = reached
            .iter()
            .zip(&is_own)
            .filter(|(reached, own)| **reached && **own)
            .count();
        (largest, Some(reached as f64 / own as f64))
    }

    /// Marks all cells of `mask` that hang together with the starts; the sum of what of them is covered.
    fn fill(
        &self,
        starts: impl IntoIterator<Item = usize>,
        mask: &[bool],
        seen: &mut [bool],
        corners: bool,
    ) -> f64 {
        let height = mask.len() / self.width.max(1);
        let mut queue: VecDeque<usize> = VecDeque::new();
        for start in starts {
            if mask[start] && !seen[start] {
                seen[start] = true;
                queue.push_back(start);
            }
        }
        let mut covered = 0.0;
        while let Some(cell) = queue.pop_front() {
            covered += self.covered[cell];
            let (column, row) = (cell % self.width, cell / self.width);
            for down in row.saturating_sub(1)..(row + 2).min(height) {
                for right in column.saturating_sub(1)..(column + 2).min(self.width) {
                    let next = down * self.width + right;
                    let beside = corners || down == row || right == column;
                    if beside && mask[next] && !seen[next] {
                        seen[next] = true;
                        queue.push_back(next);
                    }
                }
            }
        }
        covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sen_catalog::flood::{CLOUD, NOT_WATER, OPEN_WATER, PERMANENT};

    /// `#` water, `.` dry, `~` permanent water, `?` cloud; the compartment is what lies within the columns and rows.
    fn cells(map: &[&str], columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> Cells {
        let width = map[0].len();
        let mut classes = Vec::new();
        let mut covered = Vec::new();
        for (row, line) in map.iter().enumerate() {
            for (column, letter) in line.chars().enumerate() {
                classes.push(match letter {
                    '#' => OPEN_WATER,
                    '~' => PERMANENT,
                    '?' => CLOUD,
                    _ => NOT_WATER,
                });
                let inside = columns.contains(&column) && rows.contains(&row);
                covered.push(f64::from(u8::from(inside)));
            }
        }
        Cells {
            width,
            classes,
            covered,
        }
    }

    #[test]
    fn shares_leave_out_clouds_and_permanent_water() {
        let own = cells(&["~~~~~~", ".##.?.", ".#~.?.", "......"], 1..5, 1..3);
        // six cells were seen, three of them are under water that is not always there
        assert_eq!(own.sums(), (6.0, 3.0));
    }

    #[test]
    fn the_largest_body_is_held_together_by_edges() {
        let paddies = cells(&["......", ".##.#.", ".##.#.", "......", ".##.#."], 0..6, 0..5);
        assert_eq!(
            paddies.bodies(),
            (4.0, Some(0.0)),
            "bunds part the paddies; nothing outside"
        );
        let corner = cells(&["......", ".##...", "...##.", "......"], 0..6, 0..4);
        assert_eq!(corner.bodies().0, 2.0);
    }

    #[test]
    fn the_largest_body_is_no_larger_than_all_water() {
        let mut whole = cells(&["####", "####"], 0..4, 0..2);
        whole.covered = vec![0.5, 0.9, 0.9, 0.2, 0.6, 1.0, 1.0, 0.5];
        // the sliver of the fourth cell belongs to no body, all others count by what is covered
        assert!((whole.sums().1 - 5.6).abs() < 1e-12 && (whole.bodies().0 - 5.4).abs() < 1e-12);
    }

    #[test]
    fn water_that_reaches_the_canal_outside_is_connected() {
        let open = cells(&["~~~~~~", "..#...", ".###..", "......", ".#...."], 0..6, 1..5);
        // four of five cells hang together with the canal in the first row
        assert_eq!(open.bodies(), (4.0, Some(0.8)));
        let shut = cells(&["~~~~~~", "......", ".###..", "......", ".#...."], 0..6, 1..5);
        assert_eq!(shut.bodies(), (3.0, Some(0.0)));
        assert_eq!(cells(&["...."], 0..4, 0..1).bodies(), (0.0, None));
    }
}
