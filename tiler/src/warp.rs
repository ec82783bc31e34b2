//! Drawing source pixels onto a target grid: nearest for classes, mask-aware bilinear for measures.
//!
//! A target pixel has a colour exactly where the source cell under its middle holds a value, so that a picture and the
//! value at a point agree; the colour of a measure is the mean of the four nearest cells, weighted by distance over
//! those that hold a value, so that "no data" never bleeds into its neighbours.

use crate::plan::Lattice;
use crate::style::Resampling;
use sen_catalog::Window;
use sen_catalog::raster::Pixel;

/// Fraction bits of positions: a step's rounding, added up over 64 pixels, stays under a thousandth of a cell.
const FRACTION: u32 = 16;

/// Positions are held in 32 bits, so a patch may not be wider or higher than this.
pub(crate) const MAX_PATCH_SIDE: usize = 1 << 14;

/// Pixels of one level around what is drawn, the raster's edge cells repeated once beyond the edge.
#[derive(Debug)]
pub(crate) struct Patch<T> {
    /// Row by row.
    pub(crate) pixels: Vec<T>,
    /// Pixels a row.
    pub(crate) stride: usize,
    /// Column of the level that the first pixel is; -1 is the repeated edge.
    pub(crate) column: i64,
    /// Row, likewise.
    pub(crate) row: i64,
    /// Columns and rows of the whole level.
    pub(crate) size: (usize, usize),
}

/// Where the picture goes: rows of `stride` indices, drawn from the window's corner.
#[derive(Debug)]
pub(crate) struct Canvas<'a> {
    pub(crate) indices: &'a mut [u8],
    pub(crate) stride: usize,
    pub(crate) window: Window,
}

/// Pixel types that can be averaged.
pub(crate) trait Blend: Pixel {
    /// The bilinear mean of upper left, upper right, lower left, lower right at `x`, `y` 256ths from the first.
    fn blend(corners: [Self; 4], x: i32, y: i32) -> Self;
    /// The nearest value of the type.
    fn round(mean: f32) -> Self;
}

macro_rules! blend_integer {
    ($type:ty, $wide:ty) => {
        impl Blend for $type {
            // the mean times 2^16 fits the wide type, whatever wraps on the way
            #[inline]
            fn blend([a, b, c, d]: [Self; 4], x: i32, y: i32) -> Self {
                let (a, b, c, d) = (
                    <$wide>::from(a),
                    <$wide>::from(b),
                    <$wide>::from(c),
                    <$wide>::from(d),
                );
                let between = |from: $wide, to: $wide, t: i32| {
                    (from << 8).wrapping_add(to.wrapping_sub(from).wrapping_mul(t as $wide))
                };
                (between(between(a, b, x), between(c, d, x), y).wrapping_add(0x8000) >> 16) as Self
            }
            fn round(mean: f32) -> Self {
                mean.round() as Self
            }
        }
    };
}

blend_integer!(u8, i32);
blend_integer!(i16, i32);
blend_integer!(u16, u32);

impl Blend for f32 {
    #[inline]
    fn blend([a, b, c, d]: [Self; 4], x: i32, y: i32) -> Self {
        let (x, y) = (x as Self / 256.0, y as Self / 256.0);
        let (upper, lower) = (a + (b - a) * x, c + (d - c) * x);
        upper + (lower - upper) * y
    }
    fn round(mean: f32) -> Self {
        mean
    }
}

/// Draws the patch; true when some pixel met a value. `index` gives the palette index of a value, `valid` says which
/// stored values are values.
pub(crate) fn draw<T: Blend>(
    canvas: &mut Canvas<'_>,
    lattice: &Lattice,
    patch: &Patch<T>,
    resampling: Resampling,
    index: impl Fn(T) -> u8,
    valid: impl Fn(T) -> bool,
) -> bool {
    match (resampling, patch.pixels.iter().all(|pixel| valid(*pixel))) {
        (Resampling::Nearest, true) => rows(canvas, lattice, patch, 0.0, |u, v| {
            Some(index(nearest(patch, u, v)))
        }),
        (Resampling::Nearest, false) => rows(canvas, lattice, patch, 0.0, |u, v| {
            let value = nearest(patch, u, v);
            valid(value).then(|| index(value))
        }),
        (Resampling::Bilinear, true) => rows(canvas, lattice, patch, 0.5, |u, v| {
            Some(index(T::blend(corners(patch, u, v), weight(u), weight(v))))
        }),
        (Resampling::Bilinear, false) => rows(canvas, lattice, patch, 0.5, |u, v| {
            let corners = corners(patch, u, v);
            let (x, y) = (weight(u), weight(v));
            // without branches between the four: they are all known nearly everywhere
            let [a, b, c, d] = corners.map(&valid);
            let value = if a & b & c & d {
                T::blend(corners, x, y)
            } else {
                masked(corners, [a, b, c, d], x, y)?
            };
            Some(index(value))
        }),
    }
}

/// The mean over the known corners; nothing when the nearest one is unknown.
fn masked<T: Blend>(corners: [T; 4], known: [bool; 4], x: i32, y: i32) -> Option<T> {
    let under = usize::from(x >= 128) + 2 * usize::from(y >= 128);
    if !known[under] {
        return None;
    }
    let weights = [(256 - x) * (256 - y), x * (256 - y), (256 - x) * y, x * y];
    let (mut sum, mut total) = (0.0_f32, 0.0_f32);
    for i in 0..4 {
        if known[i] {
            sum += weights[i] as f32 * corners[i].to_f64() as f32;
            total += weights[i] as f32;
        }
    }
    Some(T::round(sum / total))
}

/// 256ths between two cells.
#[inline]
const fn weight(position: i32) -> i32 {
    (position >> (FRACTION - 8)) & 255
}

#[inline]
fn nearest<T: Copy>(patch: &Patch<T>, u: i32, v: i32) -> T {
    patch.pixels[(v >> FRACTION) as usize * patch.stride + (u >> FRACTION) as usize]
}

#[inline]
fn corners<T: Copy>(patch: &Patch<T>, u: i32, v: i32) -> [T; 4] {
    let first = (v >> FRACTION) as usize * patch.stride + (u >> FRACTION) as usize;
    let upper = &patch.pixels[first..first + 2];
    let lower = &patch.pixels[first + patch.stride..first + patch.stride + 2];
    [upper[0], upper[1], lower[0], lower[1]]
}

/// Walks the target's rows; `pixel` gets the position in the patch in fixed point, moved by `shift` cells up and left.
fn rows<T>(
    canvas: &mut Canvas<'_>,
    lattice: &Lattice,
    patch: &Patch<T>,
    shift: f64,
    pixel: impl Fn(i32, i32) -> Option<u8>,
) -> bool {
    let window = canvas.window;
    let (width, height) = (patch.size.0 as f64, patch.size.1 as f64);
    let inside = |(u, v): (f64, f64)| u >= 0.0 && v >= 0.0 && u < width && v < height;
    let fixed = |value: f64| (value * f64::from(1 << FRACTION)) as i32;
    let (west, north) = (patch.column as f64 + shift, patch.row as f64 + shift);
    let mut met = false;
    for y in 0..window.height {
        let start = (window.row + y) * canvas.stride + window.column;
        let row = &mut canvas.indices[start..start + window.width];
        for (column, out) in row.chunks_mut(lattice.step).enumerate() {
            let (left, right) = lattice.span(column, y);
            let (du, dv) = (
                (right.0 - left.0) / lattice.step as f64,
                (right.1 - left.1) / lattice.step as f64,
            );
            if !(du.is_finite() && dv.is_finite()) {
                continue;
            }
            if inside(left) && inside(right) {
                let (mut u, mut v) = (fixed(left.0 + du / 2.0 - west), fixed(left.1 + dv / 2.0 - north));
                let (du, dv) = (fixed(du), fixed(dv));
                for out in out {
                    if let Some(index) = pixel(u, v) {
                        *out = index;
                        met = true;
                    }
                    u += du;
                    v += dv;
                }
            } else {
                for (i, out) in out.iter_mut().enumerate() {
                    let t = i as f64 + 0.5;
                    let (u, v) = (left.0 + du * t, left.1 + dv * t);
                    if inside((u, v))
                        && let Some(index) = pixel(fixed(u - west), fixed(v - north))
                    {
                        *out = index;
                        met = true;
                    }
                }
            }
        }
    }
    met
}
