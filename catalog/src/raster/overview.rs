//! One overview step: 2 x 2 pixels become one.

use super::{Overviews, Pixel};
use rayon::prelude::*;

/// Appends the halved rows of a strip to `out`; odd last columns and rows stand alone.
pub(super) fn halve<T: Pixel>(rows: &[T], width: usize, how: Overviews, nodata: Option<T>, out: &mut Vec<T>) {
    let half = width.div_ceil(2);
    let start = out.len();
    let count = rows.len() / width;
    out.resize(start + half * count.div_ceil(2), T::default());
    out[start..]
        .par_chunks_mut(half)
        .zip(rows.par_chunks(2 * width))
        .for_each(|(out, pair)| {
            let (upper, lower) = pair.split_at(width);
            match how {
                Overviews::Mode => {
                    let mode = |quad: &[T]| mode(quad, nodata);
                    for ((out, upper), lower) in
                        out.chunks_mut(RUN / 2).zip(upper.chunks(RUN)).zip(parts(lower))
                    {
                        if is_uniform(upper, upper[0]) && is_uniform(lower, upper[0]) {
                            out.fill(upper[0]);
                        } else {
                            halve_row(upper, lower, out, mode);
                        }
                    }
                }
                Overviews::Average | Overviews::None => {
                    halve_row(upper, lower, out, |quad| average(quad, nodata));
                }
            }
        });
}

/// Layers of classes and counts are mostly one value over wide areas: so many pixels of a row are looked at together.
const RUN: usize = 64;

/// The runs of a lower row, empty ones below the last row.
fn parts<T>(lower: &[T]) -> impl Iterator<Item = &[T]> {
    lower.chunks(RUN).chain(std::iter::repeat(&[][..]))
}

/// Without an early end, so that it is done many pixels at a time.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "the short-circuit of && is what keeps a loop from being vectorised"
)]
fn is_uniform<T: Pixel>(pixels: &[T], first: T) -> bool {
    pixels.iter().fold(true, |same, &pixel| same & (pixel == first))
}

/// `lower` is empty below the last row.
fn halve_row<T: Pixel>(upper: &[T], lower: &[T], out: &mut [T], fold: impl Fn(&[T]) -> T) {
    if lower.is_empty() {
        for (out, pair) in out.iter_mut().zip(upper.chunks(2)) {
            *out = fold(pair);
        }
        return;
    }
    let (upper_pairs, upper_last) = upper.as_chunks::<2>();
    let (lower_pairs, lower_last) = lower.as_chunks::<2>();
    for ((out, &[a, b]), &[c, d]) in out.iter_mut().zip(upper_pairs).zip(lower_pairs) {
        *out = fold(&[a, b, c, d]);
    }
    if let (Some(out), [a], [b]) = (out.last_mut(), upper_last, lower_last) {
        *out = fold(&[*a, *b]);
    }
}

fn is_valid<T: Pixel>(value: T, nodata: Option<T>) -> bool {
    !value.is_nan() && Some(value) != nodata
}

fn average<T: Pixel>(values: &[T], nodata: Option<T>) -> T {
    if let [a, b, c, d] = *values
        && is_valid(a, nodata)
        && is_valid(b, nodata)
        && is_valid(c, nodata)
        && is_valid(d, nodata)
    {
        return T::mean(&[a, b, c, d]);
    }
    let mut valid = [T::default(); 4];
    let mut count = 0;
    for &value in values.iter().filter(|&&value| is_valid(value, nodata)) {
        valid[count] = value;
        count += 1;
    }
    if count == 0 {
        nodata.unwrap_or(values[0])
    } else {
        T::mean(&valid[..count])
    }
}

/// The most frequent valid value; of equally frequent ones that which comes first (upper left, right, then below).
fn mode<T: Pixel>(values: &[T], nodata: Option<T>) -> T {
    let mut best = (0, values[0]);
    for &value in values.iter().filter(|&&value| is_valid(value, nodata)) {
        let count = values.iter().filter(|&&other| other == value).count();
        if count > best.0 {
            best = (count, value);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_leave_nodata_out_and_round_half_away_from_zero() {
        const N: i16 = -32768;
        #[rustfmt::skip]
        let rows = [
            1, 2,   N, N,   -1, N,   7,
            2, 1,   N, N,   -2, N,   8,
            5, N,   1, 1,   -3, -3,  N,
        ];
        let mut out = Vec::new();
        halve(&rows, 7, Overviews::Average, Some(N), &mut out);
        // 6/4 = 1.5 -> 2; none; -3/2 = -1.5 -> -2; 15/2 = 7.5 -> 8; last row alone
        assert_eq!(out, [2, N, -2, 8, 5, 1, -3, N]);
    }

    #[test]
    fn every_small_mean_agrees_with_exact_rounding() {
        for sum in -12i16..=12 {
            for count in 1..=4usize {
                let mut values = vec![0i16; count];
                values[0] = sum;
                let exact = (f64::from(sum) / count as f64).round() as i16;
                assert_eq!(i16::mean(&values), exact, "{sum} / {count}");
            }
        }
    }

    #[test]
    fn the_mode_prefers_the_upper_left_and_any_class_to_nodata() {
        let mut out = Vec::new();
        #[rustfmt::skip]
        let rows: [u8; 12] = [
            3, 7,   255, 255,   253, 1,
            7, 3,   255, 1,     253, 1,
        ];
        halve(&rows, 6, Overviews::Mode, Some(255), &mut out);
        assert_eq!(out, [3, 1, 253]);
    }

    #[test]
    fn wide_areas_of_one_class_come_out_like_quad_by_quad() {
        // 149 columns: two whole runs and an odd one; classes change within the second; three rows
        let rows: Vec<u8> = (0..3 * 149)
            .map(|i| if i % 149 < 70 { 255 } else { (i % 149 / 40) as u8 })
            .collect();
        let mut out = Vec::new();
        halve(&rows, 149, Overviews::Mode, Some(255), &mut out);
        let pixel = |column: usize, row: usize| rows[row * 149 + column];
        let expected = (0..2).flat_map(|row| {
            (0..75).map(move |column| {
                let (right, below) = ((2 * column + 1).min(148), (2 * row + 1).min(2));
                let quad = [
                    (2 * column, 2 * row),
                    (right, 2 * row),
                    (2 * column, below),
                    (right, below),
                ];
                mode(&quad.map(|(column, row)| pixel(column, row)), Some(255))
            })
        });
        assert_eq!(out, expected.collect::<Vec<_>>());
    }
}
