//! The source pixels around one square of a picture, put together from blocks.

use crate::warp::{Blend, Patch};
use sen_catalog::raster::{Cog, Pixels};
use sen_catalog::{Error, Grid, Result};
use std::sync::Arc;

/// Which pixels of a level are needed: every cell that bilinear means may touch, at most one beyond the raster's edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needed {
    column: i64,
    row: i64,
    pub(super) width: usize,
    pub(super) height: usize,
    size: (usize, usize),
}

impl Needed {
    /// For positions within `extent` (west, north, east, south in cells); `None` when they all lie beside the raster.
    pub(super) fn new(extent: [f64; 4], source: &Grid) -> Option<Self> {
        // half a cell for the means, a little for rounding; before clipping to the raster and its repeated edge
        let first = |value: f64| ((value - 0.51).floor() as i64).max(-1);
        let last = |value: f64, size: usize| ((value - 0.49).floor() as i64 + 1).min(size as i64);
        let (column, row) = (first(extent[0]), first(extent[1]));
        let (right, bottom) = (last(extent[2], source.width), last(extent[3], source.height));
        (column < source.width as i64 && row < source.height as i64 && right >= 0 && bottom >= 0).then(|| {
            Self {
                column,
                row,
                width: (right - column + 1) as usize,
                height: (bottom - row + 1) as usize,
                size: (source.width, source.height),
            }
        })
    }

    /// Puts the pixels together; `block` gives a block by column and row.
    pub(super) fn patch<T: Blend>(
        &self,
        cog: &Cog,
        level: usize,
        block: impl Fn(usize, usize) -> Result<Arc<Pixels>>,
    ) -> Result<Patch<T>> {
        let (width, height) = (cog.levels()[level].block_width, cog.levels()[level].block_height);
        // cells inside the raster, without the repeated edge
        let inner = |first: i64, count: usize, size: usize| {
            (
                first.max(0) as usize,
                (first + count as i64).min(size as i64) as usize,
            )
        };
        let (left, right) = inner(self.column, self.width, self.size.0);
        let (top, bottom) = inner(self.row, self.height, self.size.1);
        let mut pixels: Vec<T> = Vec::with_capacity(self.width * self.height);
        for block_row in top / height..bottom.div_ceil(height) {
            let blocks = (left / width..right.div_ceil(width))
                .map(|column| block(column, block_row))
                .collect::<Result<Vec<_>>>()?;
            let slices = blocks
                .iter()
                .map(|block| T::slice(block).filter(|slice| slice.len() >= width * height))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| {
                    Error::raster(cog.path(), "a block is not of its file's pixel type and size")
                })?;
            for row in top.max(block_row * height)..bottom.min((block_row + 1) * height) {
                let start = pixels.len();
                if self.column < 0 {
                    pixels.push(slices[0][(row % height) * width]);
                }
                for (slice, block_column) in slices.iter().zip(left / width..) {
                    let from = left.max(block_column * width) - block_column * width;
                    let to = right.min((block_column + 1) * width) - block_column * width;
                    let line = (row % height) * width;
                    pixels.extend_from_slice(&slice[line + from..line + to]);
                }
                if pixels.len() - start < self.width {
                    let edge = pixels[pixels.len() - 1];
                    pixels.push(edge);
                }
                if row == 0 && self.row < 0 {
                    pixels.extend_from_within(start..start + self.width);
                }
            }
        }
        if pixels.len() < self.width * self.height {
            pixels.extend_from_within(pixels.len() - self.width..);
        }
        Ok(Patch {
            pixels,
            stride: self.width,
            column: self.column,
            row: self.row,
            size: self.size,
        })
    }
}
