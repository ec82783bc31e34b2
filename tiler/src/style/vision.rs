//! Classes are told apart by people of every colour vision: no two colours of a style look alike to anybody.
//!
//! Simulation by Machado, Oliveira and Fernandes (2009, doi 10.1109/TVCG.2009.113), full severity, on linear light; difference by
//! CIEDE2000 (Sharma, Wu and Dalal 2005, doi 10.1002/col.20070), whose test pairs stand below.

use super::{BuiltIn, Colour, Scheme, Styles};

/// The smallest difference between two classes (a clear difference side by side; 2.3 is just noticeable).
const SMALLEST_DIFFERENCE: f64 = 10.0;

/// Paper of the base map, on which translucent classes lie.
const PAPER: [f64; 3] = [251.0, 251.0, 247.0];

const VISIONS: [(&str, [[f64; 3]; 3]); 4] = [
    ("normal", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "deuteranope",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "protanope",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "tritanope",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

fn times(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|row| (0..3).map(|column| matrix[row][column] * vector[column]).sum())
}

/// CIELAB (D65) of a colour on paper, as somebody sees it.
fn lab(colour: Colour, vision: &[[f64; 3]; 3]) -> [f64; 3] {
    let opacity = f64::from(colour.0[3]) / 255.0;
    let light = std::array::from_fn(|i| {
        let value = (opacity * f64::from(colour.0[i]) + (1.0 - opacity) * PAPER[i]) / 255.0;
        if value <= 0.040_45 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    });
    let seen = times(vision, light).map(|value| value.clamp(0.0, 1.0));
    let xyz = times(
        &[
            [0.412_456_4, 0.357_576_1, 0.180_437_5],
            [0.212_672_9, 0.715_152_2, 0.072_175_0],
            [0.019_333_9, 0.119_192_0, 0.950_304_1],
        ],
        seen,
    );
    let white = [0.950_47, 1.0, 1.088_83];
    let f: [f64; 3] = std::array::from_fn(|i| {
        let ratio = xyz[i] / white[i];
        if ratio > 216.0 / 24_389.0 {
            ratio.cbrt()
        } else {
            (24_389.0 / 27.0 * ratio + 16.0) / 116.0
        }
    });
    [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])]
}

fn ciede2000(one: [f64; 3], other: [f64; 3]) -> f64 {
    let chroma = |[_, a, b]: [f64; 3]| a.hypot(b);
    let seventh = |value: f64| (value.powi(7) / (value.powi(7) + 25_f64.powi(7))).sqrt();
    let g = 0.5 * (1.0 - seventh(f64::midpoint(chroma(one), chroma(other))));
    let polar = |[lightness, a, b]: [f64; 3]| {
        let a = a * (1.0 + g);
        let hue = b.atan2(a).to_degrees().rem_euclid(360.0);
        (
            lightness,
            a.hypot(b),
            if a == 0.0 && b == 0.0 { 0.0 } else { hue },
        )
    };
    let ((l1, c1, h1), (l2, c2, h2)) = (polar(one), polar(other));
    let grey = c1 * c2 == 0.0;
    let turn = match h2 - h1 {
        _ if grey => 0.0,
        turn if turn > 180.0 => turn - 360.0,
        turn if turn < -180.0 => turn + 360.0,
        turn => turn,
    };
    let hue_difference = 2.0 * (c1 * c2).sqrt() * (turn / 2.0).to_radians().sin();
    let hue = match (h1 - h2).abs() {
        _ if grey => h1 + h2,
        apart if apart <= 180.0 => f64::midpoint(h1, h2),
        _ if h1 + h2 < 360.0 => f64::midpoint(h1, h2 + 360.0),
        _ => f64::midpoint(h1, h2 - 360.0),
    };
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t = 1.0 - 0.17 * cos(hue - 30.0) + 0.24 * cos(2.0 * hue) + 0.32 * cos(3.0 * hue + 6.0)
        - 0.20 * cos(4.0 * hue - 63.0);
    let (lightness, chroma) = (f64::midpoint(l1, l2), f64::midpoint(c1, c2));
    let bend = (lightness - 50.0).powi(2);
    let (sl, sc, sh) = (
        1.0 + 0.015 * bend / (20.0 + bend).sqrt(),
        1.0 + 0.045 * chroma,
        1.0 + 0.015 * chroma * t,
    );
    let rotation = -(60.0 * (-((hue - 275.0) / 25.0).powi(2)).exp())
        .to_radians()
        .sin()
        * 2.0
        * seventh(chroma);
    let (dl, dc, dh) = ((l2 - l1) / sl, (c2 - c1) / sc, hue_difference / sh);
    (dl * dl + dc * dc + dh * dh + rotation * dc * dh).sqrt()
}

#[test]
fn the_formula_gives_the_published_differences() {
    // of the 34 pairs of Sharma, Wu and Dalal (2005), table 1
    for (one, other, difference) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, -0.0010, 2.4900], [50.0, 0.0011, -2.4900], 4.7461),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([50.0, 2.5, 0.0], [58.0, 24.0, 15.0], 19.4535),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
        ([2.0776, 0.0795, -1.1350], [0.9033, -0.0636, -0.5514], 0.9082),
    ] {
        let own = ciede2000(one, other);
        assert!((own - difference).abs() < 1e-4, "{own} for {difference}");
    }
}

#[test]
fn no_two_classes_look_alike_to_anybody() {
    let styles = Styles::built_in().expect("the built-in styles are valid");
    let mut looked_at = 0;
    for file in BuiltIn::iter() {
        let style = file
            .strip_suffix(".json")
            .and_then(|id| styles.style(id))
            .expect("a style");
        let Scheme::Classes { classes, .. } = &style.scheme else {
            continue;
        };
        looked_at += 1;
        let drawn: Vec<_> = classes.iter().filter(|class| class.colour.0[3] > 0).collect();
        for (index, one) in drawn.iter().enumerate() {
            for other in &drawn[..index] {
                for (vision, matrix) in &VISIONS {
                    let difference = ciede2000(lab(one.colour, matrix), lab(other.colour, matrix));
                    assert!(
                        difference >= SMALLEST_DIFFERENCE,
                        "{}: classes {} and {} differ by {difference:.1} for a {vision}",
                        style.id,
                        one.value,
                        other.value
                    );
                }
            }
        }
    }
    assert!(looked_at >= 6, "{looked_at} styles of classes");
}
