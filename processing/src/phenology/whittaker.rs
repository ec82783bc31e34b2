//! The Whittaker smoother: the series z that minimises `sum w (y - z)^2 + lambda sum (second difference of z)^2`.
//!
//! Eilers 2003; the expectile variant and the choice of lambda by V-curve as in WFP's `vam.whittaker`, whose stored
//! reference the tests reproduce.

/// Rounds of the expectile variant at most; it settles within about ten.
const ROUNDS: usize = 30;

/// Smooths equally spaced values; a weight of 0 marks a missing one (which is then interpolated). At least two weights
/// must be positive, otherwise the values come back as they are.
pub fn whittaker(y: &[f64], w: &[f64], lambda: f64) -> Vec<f64> {
    let n = y.len();
    if n < 3 || w.iter().filter(|w| **w > 0.0).count() < 2 {
        return y.to_vec();
    }
    // W + lambda D'D = L diag(d) L', L with two bands below its diagonal of ones
    let (mut d, mut c, mut e, mut z) = (vec![0.0; n], vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    for i in 0..n {
        let inner = |from: usize| from + 2 < n;
        // each second difference that holds the value adds the square of its factor
        let own = f64::from(u8::from(inner(i)))
            + 4.0 * f64::from(u8::from(i >= 1 && inner(i - 1)))
            + f64::from(u8::from(i >= 2));
        let next = -2.0 * (f64::from(u8::from(inner(i))) + f64::from(u8::from(i >= 1 && inner(i - 1))));
        let after = if inner(i) { 1.0 } else { 0.0 };
        let (d1, c1) = if i >= 1 { (d[i - 1], c[i - 1]) } else { (0.0, 0.0) };
        let (d2, e2) = if i >= 2 { (d[i - 2], e[i - 2]) } else { (0.0, 0.0) };
        let e1 = if i >= 1 { e[i - 1] } else { 0.0 };
        d[i] = w[i] + lambda * own - d1 * c1 * c1 - d2 * e2 * e2;
        c[i] = (lambda * next - d1 * c1 * e1) / d[i];
        e[i] = lambda * after / d[i];
        let z1 = if i >= 1 { c1 * z[i - 1] } else { 0.0 };
        let z2 = if i >= 2 { e2 * z[i - 2] } else { 0.0 };
        let value = if w[i] > 0.0 { w[i] * y[i] } else { 0.0 };
        z[i] = value - z1 - z2;
    }
    for i in 0..n {
        z[i] /= d[i];
    }
    for i in (0..n - 1).rev() {
        let after = if i + 2 < n { e[i] * z[i + 2] } else { 0.0 };
        z[i] -= c[i] * z[i + 1] + after;
    }
    z
}

/// The expectile variant: values above the curve weigh `p`, those below `1 - p`, so that the curve follows the upper
/// envelope (p = 0.9), where clouds that were not recognised do not pull.
pub fn whittaker_expectile(y: &[f64], w: &[f64], lambda: f64, p: f64) -> Vec<f64> {
    let mut z = vec![0.0; y.len()];
    for _ in 0..ROUNDS {
        let weights: Vec<f64> = y
            .iter()
            .zip(&z)
            .zip(w)
            .map(|((y, z), w)| w * if y > z { p } else { 1.0 - p })
            .collect();
        let next = whittaker(y, &weights, lambda);
        let change: f64 = next.iter().zip(&z).map(|(a, b)| (a - b).abs()).sum();
        z = next;
        if change == 0.0 {
            break;
        }
    }
    z
}

/// The lambda at the corner of the V-curve over the given powers of ten, in equal steps (Frasso and Eilers 2015).
pub fn v_curve_lambda(y: &[f64], w: &[f64], log10: &[f64]) -> Option<f64> {
    let points: Vec<(f64, f64)> = log10
        .iter()
        .map(|power| {
            let z = whittaker(y, w, 10_f64.powf(*power));
            let fit: f64 = (0..y.len())
                .filter(|i| w[*i] > 0.0)
                .map(|i| w[i] * (y[i] - z[i]).powi(2))
                .sum();
            let rough: f64 = z.windows(3).map(|z| (z[0] - 2.0 * z[1] + z[2]).powi(2)).sum();
            (fit.ln(), rough.ln())
        })
        .collect();
    let step = |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
    let best = points
        .windows(2)
        .enumerate()
        .min_by(|a, b| step(a.1).total_cmp(&step(b.1)))?
        .0;
    Some(10_f64.powf(f64::midpoint(log10[best], log10[best + 1])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn reference() -> Option<serde_json::Value> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/vectors/whittaker_ref.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not here", path.display());
            return None;
        };
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    fn series(reference: &serde_json::Value, name: &str) -> Vec<f64> {
        serde_json::from_value(reference[name].clone()).expect("numbers")
    }

    #[track_caller]
    fn same(a: &[f64], b: &[f64]) {
        assert_eq!(a.len(), b.len());
        let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-5, "{worst}");
    }

    #[test]
    fn the_reference_of_vam_whittaker_comes_out() {
        let Some(reference) = reference() else { return };
        let (y, w) = (series(&reference, "y"), series(&reference, "w"));
        same(&whittaker(&y, &w, 10.0), &series(&reference, "z_ws2d"));
        let lambda = reference["sopt_ws2dvc"].as_f64().expect("a number");
        same(&whittaker(&y, &w, lambda), &series(&reference, "z_ws2dvc"));
        let lambda = reference["sopt_ws2dvcp"].as_f64().expect("a number");
        same(
            &whittaker_expectile(&y, &w, lambda, 0.9),
            &series(&reference, "z_ws2dp"),
        );
    }

    #[test]
    fn the_v_curve_finds_the_lambda_of_the_reference() {
        let Some(reference) = reference() else { return };
        let (y, w) = (series(&reference, "y"), series(&reference, "w"));
        let powers: Vec<f64> = (-10..=15).map(|step| f64::from(step) * 0.2).collect();
        let lambda = v_curve_lambda(&y, &w, &powers).expect("a corner");
        let expected = reference["sopt_ws2dvc"].as_f64().expect("a number");
        assert!((lambda / expected - 1.0).abs() < 1e-9, "{lambda} for {expected}");
    }

    #[test]
    fn a_straight_line_stays_and_gaps_are_filled_by_it() {
        let y: Vec<f64> = (0..40).map(|i| 2.0 + 0.5 * f64::from(i)).collect();
        let mut gaps = y.clone();
        let mut w = vec![1.0; 40];
        for i in (0..40).filter(|i| i % 3 != 0) {
            gaps[i] = f64::NAN;
            w[i] = 0.0;
        }
        let z = whittaker(&gaps, &w, 1000.0);
        assert!(z.iter().zip(&y).all(|(z, y)| (z - y).abs() < 1e-8));
    }
}
