//! Speckle filters. Speckle multiplies the power, so that means are taken of linear power, never of decibel.
//!
//! Beyond the edge the image is mirrored (the edge cell repeated once), as the test vectors were computed. Cells without
//! data take no part in their neighbours' means and stay without data.

/// Equivalent number of looks of Sentinel-1 IW GRDH: the speckle's squared coefficient of variation is its inverse.
pub const LOOKS: f32 = 4.4;

/// Lee filter over `2 * radius + 1` cells squared: the local mean where the variance is that of speckle, the cell
/// itself where it is far larger (an edge).
///
/// `m + k (x - m)` with `k = clip((1 - Cu2/Ci2) / (1 + Cu2), 0, 1)`, `Cu2 = 1 / looks`, `Ci2 = variance / m2`.
pub fn lee(power: &[f32], width: usize, radius: usize, looks: f32) -> Vec<f32> {
    let noise = 1.0 / f64::from(looks);
    let mut out = vec![f32::NAN; power.len()];
    windows(power, width, radius, |cell, sum, squares, count| {
        let mean = sum / count;
        let variance = (squares / count - mean * mean).max(0.0);
        let relative = variance / (mean * mean).max(1e-20);
        let keep = ((1.0 - noise / relative.max(1e-12)) / (1.0 + noise)).clamp(0.0, 1.0);
        out[cell] = (mean + keep * (f64::from(power[cell]) - mean)) as f32;
    });
    out
}

/// Mean over `2 * radius + 1` cells squared.
pub fn mean(power: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let mut out = vec![f32::NAN; power.len()];
    windows(power, width, radius, |cell, sum, _, count| {
        out[cell] = (sum / count) as f32;
    });
    out
}

/// Median over `2 * radius + 1` cells squared; it commutes with the logarithm, so that decibel will do.
pub fn median(values: &[f32], width: usize, radius: usize) -> Vec<f32> {
    let height = values.len() / width.max(1);
    let mut near = Vec::with_capacity((2 * radius + 1) * (2 * radius + 1));
    let mut out = vec![f32::NAN; values.len()];
    for row in 0..height {
        for column in 0..width {
            if values[row * width + column].is_nan() {
                continue;
            }
            near.clear();
            for down in 0..=2 * radius {
                let line = mirrored(row + down, radius, height) * width;
                for across in 0..=2 * radius {
                    let value = values[line + mirrored(column + across, radius, width)];
                    if !value.is_nan() {
                        near.push(value);
                    }
                }
            }
            let (middle, even) = (near.len() / 2, near.len() % 2 == 0);
            let (lower, &mut upper, _) = near.select_nth_unstable_by(middle, f32::total_cmp);
            out[row * width + column] = if even {
                let below = lower.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                0.5 * (below + upper)
            } else {
                upper
            };
        }
    }
    out
}

/// Index of `at - radius` in a line of `size` cells that is mirrored at both ends.
fn mirrored(at: usize, radius: usize, size: usize) -> usize {
    let mut index = at as isize - radius as isize;
    let size = size as isize;
    loop {
        if index < 0 {
            index = -index - 1;
        } else if index >= size {
            index = 2 * size - 1 - index;
        } else {
            return index as usize;
        }
    }
}

/// Calls `each(cell, sum, sum of squares, count)` for every cell with data, over its window. Column sums slide down,
/// a running sum slides along: the cost does not depend on the radius.
fn windows(values: &[f32], width: usize, radius: usize, mut each: impl FnMut(usize, f64, f64, f64)) {
    if width == 0 {
        return;
    }
    let height = values.len() / width;
    // (sum, squares, count) of each column over the rows of the window
    let mut columns = vec![(0.0_f64, 0.0_f64, 0.0_f64); width];
    let line = |row: usize| &values[row * width..][..width];
    let add = |columns: &mut [(f64, f64, f64)], line: &[f32], sign: f64| {
        for (column, &value) in columns.iter_mut().zip(line) {
            if !value.is_nan() {
                let value = f64::from(value);
                column.0 += sign * value;
                column.1 += sign * value * value;
                column.2 += sign;
            }
        }
    };
    for offset in 0..=2 * radius {
        add(&mut columns, line(mirrored(offset, radius, height)), 1.0);
    }
    let order: Vec<usize> = (0..width + 2 * radius)
        .map(|at| mirrored(at, radius, width))
        .collect();
    for row in 0..height {
        if row > 0 {
            add(&mut columns, line(mirrored(row - 1, radius, height)), -1.0);
            add(
                &mut columns,
                line(mirrored(row + 2 * radius, radius, height)),
                1.0,
            );
        }
        let mut window = (0.0, 0.0, 0.0);
        for &column in &order[..2 * radius] {
            window.0 += columns[column].0;
            window.1 += columns[column].1;
            window.2 += columns[column].2;
        }
        for column in 0..width {
            let entering = columns[order[column + 2 * radius]];
            window.0 += entering.0;
            window.1 += entering.1;
            window.2 += entering.2;
            if !values[row * width + column].is_nan() {
                each(row * width + column, window.0, window.1, window.2);
            }
            let leaving = columns[order[column]];
            window.0 -= leaving.0;
            window.1 -= leaving.1;
            window.2 -= leaving.2;
        }
    }
}
