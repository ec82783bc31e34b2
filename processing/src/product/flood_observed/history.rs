//! Permanent, seasonal and flood water told apart by the weeks before.
//!
//! No map of permanent water is needed, only patience: until a cell has been seen often enough its water stays of
//! unknown kind. Everything here is a rule of thumb for the delta, measured on the demo province and on An Giang 2022
//! (docs/accuracy.md); compartments, crop calendar and gauges decide better where they are known.

use crate::Result;
use crate::product::Whole;
use rayon::prelude::*;
use sen_catalog::flood::{FLOOD, OPEN_WATER, PERMANENT, SEASONAL, is_seen, is_water};
use sen_catalog::raster::Cog;
use sen_catalog::{Period, Window};

/// Weeks looked back at: a year, so that every season is in it.
pub(super) const WEEKS: u16 = 52;
/// Seen weeks before water may be called permanent.
const PERMANENT_SEEN: u8 = 12;
/// Share of the earlier seen weeks in which permanent water was wet: wind and mixed cells cost a river some.
const PERMANENT_SHARE: f32 = 0.75;
/// Seen weeks before the present wetting that are needed to call it anything.
const SEEN_BEFORE: u8 = 3;
/// With fewer weeks than that there is nothing to look back at.
pub(super) const LEAST_WEEKS: usize = SEEN_BEFORE as usize;
/// A cell wet in more of the weeks before the present wetting than this is seasonally wet, not flooded.
const USUALLY_DRY: f32 = 0.35;
/// Weeks since a wetting began from which it is a flood: sowing takes water for about 25 days (section 3.5 of the science
/// notes), and land preparation about a week more, so that four weeks are still a paddy's.
const LASTING: u16 = 5;
/// Rise of the wet share of the land within [`NEAR_M`] of a cell, against the look before, from which it is a flood: fields are
/// flooded for sowing one after the other, a river comes at once.
const SUDDEN: f32 = 0.6;
/// Share of the water around a cell that is flood, from which the cell's own is too.
const AMONG: f32 = 0.6;
/// Half the side of the square that "around a cell" means for [`SUDDEN`], metres. The square holds nine square kilometres:
/// fields that share a dyke (50-200 ha) are flooded for sowing within days of each other, and must not fill it.
const NEAR_M: f64 = 1500.0;
/// The same for [`AMONG`].
const AMONG_M: f64 = 250.0;
/// The look before may be this many weeks old for [`SUDDEN`].
const LOOK_BEFORE: u16 = 2;
/// Land seen both times that a share needs, square metres: ten hectares.
const LEAST_M2: f64 = 100_000.0;
/// Share of the land around that must have been seen both times: gaps between clouds may show the wet fields alone.
const LOOKED_AT: f32 = 0.5;
/// Side in cells of the squares that shares are counted in.
const COARSE: usize = 8;

/// The rule in words.
pub(super) const RULE: &str = "permanent 3: wet in 3/4 of at least 12 earlier seen weeks of the last 52; flood 5: usually \
    dry before and wet for 5 weeks, or wetted together with 60 % of the land within 1.5 km since the look before, or \
    flood before and still wet, or among flood; other short wetting 4 (paddy, seasonal); kind not known yet 1";

/// What the weeks before say of a cell.
#[derive(Clone, Copy, Default)]
struct Past {
    /// Earlier weeks with a look, and how many of them wet.
    seen: u8,
    wet: u8,
    /// Of those, the newest ones in a row that were wet, and weeks back to the first of them.
    run: u8,
    since: u8,
    /// The newest look: class, and weeks back (0: none).
    last: u8,
    age: u8,
    /// The run has ended.
    over: bool,
}

impl Past {
    fn look(&mut self, class: u8, back: u8) {
        let Some(wet) = is_wet(class) else { return };
        if self.age == 0 {
            (self.age, self.last) = (back, class);
        }
        self.seen = self.seen.saturating_add(1);
        self.wet = self.wet.saturating_add(u8::from(wet));
        if wet && !self.over {
            self.run = self.run.saturating_add(1);
            self.since = back;
        } else {
            self.over = true;
        }
    }

    fn is_permanent(self) -> bool {
        self.seen >= PERMANENT_SEEN && f32::from(self.wet) >= PERMANENT_SHARE * f32::from(self.seen)
    }

    /// Wet more often than not, yet seen too seldom to be called permanent: a river in its first weeks.
    fn may_be_permanent(self) -> bool {
        self.seen < PERMANENT_SEEN && 2 * self.wet >= self.seen
    }

    /// What is known of the time before the present wetting: `None` when too little, else whether it was usually dry.
    fn usually_dry(self) -> Option<bool> {
        let (seen, wet) = (self.seen - self.run, self.wet - self.run);
        (seen >= SEEN_BEFORE).then(|| f32::from(wet) <= USUALLY_DRY * f32::from(seen))
    }
}

/// Open water, or dry (partly water is land with some); `None` where nothing was seen.
fn is_wet(class: u8) -> Option<bool> {
    is_seen(class).then(|| is_water(class))
}

/// Rows handled at once: whole squares.
const ROWS: usize = 64 * COARSE;

/// Counts of a square of cells.
#[derive(Clone, Copy, Default)]
struct Square {
    /// Land seen now and at the look before, and how much of it was wet then and is now.
    land: f32,
    /// Land that was ever seen.
    whole: f32,
    before: f32,
    now: f32,
    /// Wet now and not permanent, and how much of it is flood by its own past.
    water: f32,
    flood: f32,
}

/// Turns [`OPEN_WATER`] into its kind where the past allows.
pub(super) fn tell_apart(week: &mut Whole) -> Result<()> {
    if week.earlier.is_empty() || !week.classes.contains(&OPEN_WATER) {
        return Ok(());
    }
    let (width, height) = (week.grid.width, week.grid.height);
    let across = width.div_ceil(COARSE);
    let earlier: Vec<(&Cog, u8)> = week
        .earlier
        .iter()
        .map(|e| (&e.classes, back(week.period, e.period)))
        .collect();
    let mut past = vec![Past::default(); ROWS.min(height) * width];
    // pass 1: what each cell knows by itself; squares are counted along the way
    let mut squares = vec![Square::default(); across * height.div_ceil(COARSE)];
    for (index, (classes, squares)) in week
        .classes
        .chunks_mut(ROWS * width)
        .zip(squares.chunks_mut(ROWS / COARSE * across))
        .enumerate()
    {
        let past = &mut past[..classes.len()];
        past.fill(Past::default());
        remember(&earlier, index * ROWS, width, past)?;
        classes
            .par_chunks_mut(COARSE * width)
            .zip(past.par_chunks(COARSE * width))
            .zip(squares.par_chunks_mut(across))
            .for_each(|((classes, past), squares)| by_itself(classes, past, width, squares));
    }
    // pass 2: what its surroundings add
    let cell_m = if week.grid.crs.is_geographic() {
        week.grid.cell_height * 111_320.0
    } else {
        week.grid.cell_height
    };
    let near = |metres: f64| ((metres / cell_m / COARSE as f64).round() as usize).max(1);
    let land = around(&squares, across, near(NEAR_M), |s| s.land);
    let whole = around(&squares, across, near(NEAR_M), |s| s.whole);
    let before = around(&squares, across, near(NEAR_M), |s| s.before);
    let now = around(&squares, across, near(NEAR_M), |s| s.now);
    let least = (LEAST_M2 / (cell_m * cell_m)) as f32;
    let sudden: Vec<bool> = (0..squares.len())
        .map(|at| land[at] >= least.max(LOOKED_AT * whole[at]) && now[at] - before[at] >= SUDDEN * land[at])
        .collect();
    // water of a sudden square counts as flood for its neighbours
    for (square, &sudden) in squares.iter_mut().zip(&sudden) {
        if sudden {
            square.flood = square.water;
        }
    }
    let water = around(&squares, across, near(AMONG_M), |s| s.water);
    let flood = around(&squares, across, near(AMONG_M), |s| s.flood);
    let among: Vec<bool> = (0..squares.len())
        .map(|at| flood[at] > 0.0 && flood[at] >= AMONG * water[at])
        .collect();
    week.classes
        .par_chunks_mut(width)
        .enumerate()
        .for_each(|(row, classes)| {
            let line = row / COARSE * across;
            for (column, class) in classes.iter_mut().enumerate() {
                let at = line + column / COARSE;
                *class = match *class {
                    NEW if sudden[at] || among[at] => FLOOD,
                    NEW => SEASONAL,
                    class => class,
                };
            }
        });
    Ok(())
}

/// Marks, between the two passes, a short wetting of usually dry land.
const NEW: u8 = 200;

/// Weeks from an earlier week to the present one.
fn back(week: Period, period: Period) -> u8 {
    let days = (week.first_day() - period.first_day()).num_days();
    u8::try_from(days / 7).unwrap_or(u8::MAX).max(1)
}

/// Reads the same rows of every earlier week, newest first.
fn remember(earlier: &[(&Cog, u8)], row: usize, width: usize, past: &mut [Past]) -> Result<()> {
    let height = past.len() / width.max(1);
    let window = Window {
        column: 0,
        row,
        width,
        height,
    };
    // a few at a time keep the cores busy without holding a year of rasters
    for pair in earlier.chunks(4) {
        let rows: Vec<Vec<u8>> = pair
            .par_iter()
            .map(|(classes, _)| classes.read_window::<u8>(0, 0, window))
            .collect::<sen_catalog::Result<_>>()?;
        past.par_chunks_mut(width).enumerate().for_each(|(line, past)| {
            for (rows, &(_, back)) in rows.iter().zip(pair) {
                for (past, &class) in past.iter_mut().zip(&rows[line * width..][..width]) {
                    past.look(class, back);
                }
            }
        });
    }
    Ok(())
}

/// One row of squares: kinds that a cell's own past decides, and the counts for its surroundings.
fn by_itself(classes: &mut [u8], past: &[Past], width: usize, squares: &mut [Square]) {
    for (line, past) in classes.chunks_mut(width).zip(past.chunks(width)) {
        for (column, (class, past)) in line.iter_mut().zip(past).enumerate() {
            let square = &mut squares[column / COARSE];
            let permanent = *class == PERMANENT || past.is_permanent();
            let wet = is_wet(*class);
            if !permanent && past.age > 0 {
                square.whole += 1.0;
            }
            if let (Some(wet), false) = (wet, permanent)
                && (1..=LOOK_BEFORE).contains(&u16::from(past.age))
            {
                square.land += 1.0;
                square.before += f32::from(u8::from(is_wet(past.last) == Some(true)));
                square.now += f32::from(u8::from(wet));
            }
            if wet != Some(true) {
                continue;
            }
            *class = if permanent {
                PERMANENT
            } else {
                match past.usually_dry() {
                    None => OPEN_WATER,
                    Some(false) if past.may_be_permanent() => OPEN_WATER,
                    Some(false) => SEASONAL,
                    Some(true) if past.last == FLOOD && past.run > 0 => FLOOD,
                    Some(true) if past.run > 0 && u16::from(past.since) >= LASTING => FLOOD,
                    Some(true) => NEW,
                }
            };
            if !permanent {
                square.water += 1.0;
                square.flood += f32::from(u8::from(*class == FLOOD));
            }
        }
    }
}

/// Sums over `2 * radius + 1` squares squared.
fn around(squares: &[Square], width: usize, radius: usize, of: fn(&Square) -> f32) -> Vec<f32> {
    let height = squares.len() / width.max(1);
    let along = |values: &[f32], stride: usize, count: usize, start: usize, out: &mut [f32]| {
        let mut sum: f64 = (0..radius.min(count))
            .map(|i| f64::from(values[start + i * stride]))
            .sum();
        for i in 0..count {
            if i + radius < count {
                sum += f64::from(values[start + (i + radius) * stride]);
            }
            if i > radius {
                sum -= f64::from(values[start + (i - radius - 1) * stride]);
            }
            out[start + i * stride] = sum as f32;
        }
    };
    let values: Vec<f32> = squares.iter().map(of).collect();
    let (mut rows, mut out) = (vec![0.0; values.len()], vec![0.0; values.len()]);
    for row in 0..height {
        along(&values, 1, width, row * width, &mut rows);
    }
    for column in 0..width {
        along(&rows, width, height, column, &mut out);
    }
    out
}
