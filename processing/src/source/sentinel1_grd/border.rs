//! Border noise of old products: pixels beside the swath that are not zero although nothing was measured there.
//!
//! Processors from version 2.9 (March 2018) on write zeros there and need none of this. For older ones a line begins
//! and ends where the co-polarised power rises above the thermal noise, after ESA's note on masking "no-value" pixels
//! (MPC-0243). Calm water at the very edge of the swath can be cut off with the border: it becomes "no data", never
//! land or water.

use super::lut::{Lut, Noise};
use crate::Result;
use crate::gdal_io::raw;
use sen_catalog::Window;
use std::ops::Range;
use std::sync::OnceLock;

/// The first processor version that cleans the borders itself.
pub(super) const CLEAN_SINCE: f64 = 2.9;
/// Columns at both ends of a line that can be border.
const REACH: usize = 2_000;
/// Lines at the top and bottom of an image that can be border as a whole.
const LINES: usize = 400;
/// Pixels over which power is averaged against speckle.
const RUN: usize = 32;
/// Least power of a measurement, sigma0: -30 dB, the lowest noise of the instrument; for products that state no noise.
const FLOOR: f32 = 1e-3;

/// Finds the valid part of each line when it is first asked for.
#[derive(Debug)]
pub(super) struct Border {
    href: String,
    columns: usize,
    calibration: Lut,
    noise: Noise,
    spans: Vec<OnceLock<Range<usize>>>,
}

impl Border {
    /// The border as the co-polarised image shows it.
    pub(super) fn new(href: &str, (columns, lines): (usize, usize), calibration: Lut, noise: Noise) -> Self {
        Self {
            href: href.to_owned(),
            columns,
            calibration,
            noise,
            spans: std::iter::repeat_with(OnceLock::new).take(lines).collect(),
        }
    }

    /// The valid columns of a line.
    ///
    /// # Errors
    /// Names the image when the line cannot be read.
    pub(super) fn valid(&self, line: usize) -> Result<Range<usize>> {
        let span = &self.spans[line];
        if let Some(known) = span.get() {
            return Ok(known.clone());
        }
        let found = self.find(line)?;
        Ok(span.get_or_init(|| found).clone())
    }

    fn find(&self, line: usize) -> Result<Range<usize>> {
        let edge = line < LINES || line + LINES >= self.spans.len();
        let reach = if edge {
            self.columns
        } else {
            REACH.min(self.columns)
        };
        let left = self.border(line, 0..reach, false)?;
        if left == self.columns {
            return Ok(0..0);
        }
        let right = self.border(line, self.columns - reach..self.columns, true)?;
        Ok(left..(self.columns - right).max(left))
    }

    /// How many columns from the outer end of the part are border.
    fn border(&self, line: usize, part: Range<usize>, from_right: bool) -> Result<usize> {
        let window = Window {
            column: part.start,
            row: line,
            width: part.len(),
            height: 1,
        };
        let numbers = raw::window(&self.href, window)?;
        let (mut noise, mut factors) = (Vec::new(), Vec::new());
        self.noise.row(line, part.clone(), &mut noise);
        self.calibration.row(line, part, &mut factors);
        let mut above: Vec<f32> = numbers
            .iter()
            .zip(noise.iter().zip(&factors))
            .map(|(&number, (&noise, &factor))| {
                let number = f32::from(number);
                number * number - noise.max(FLOOR * factor * factor)
            })
            .collect();
        if from_right {
            above.reverse();
        }
        Ok(first_signal(&above))
    }
}

/// Where the mean of a run of values first is positive: everything before is border.
fn first_signal(above: &[f32]) -> usize {
    let run = RUN.min(above.len());
    let mut sum: f64 = above[..run].iter().map(|&value| f64::from(value)).sum();
    for start in 0..=above.len() - run {
        if start > 0 {
            sum += f64::from(above[start + run - 1]) - f64::from(above[start - 1]);
        }
        if sum > 0.0 {
            // the run found reaches into the border by less than its length; its first positive pixel begins the line
            let inside = above[start..start + run].iter().position(|&value| value > 0.0);
            return start + inside.unwrap_or(0);
        }
    }
    above.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_where_power_rises_above_noise_for_good() {
        let mut line = vec![-5.0_f32; 100];
        line[20] = 30.0;
        line[60..].fill(40.0);
        assert_eq!(
            first_signal(&line),
            60,
            "a single bright pixel in the border begins nothing"
        );
        assert_eq!(first_signal(&[-1.0; 50]), 50);
        assert_eq!(first_signal(&[1.0; 50]), 0);
    }
}
