//! Areas with confidence intervals from a sample of labels (Olofsson et al. 2014, Remote Sensing of Environment 148,
//! equations 9 to 11): each map class is a stratum, weighted by its share of the map.

use super::Matrix;
use serde::Serialize;

/// Standard normal quantile of a two-sided interval of 95 %.
const Z95: f64 = 1.96;

/// What a class covers, corrected for the map's errors.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaEstimate {
    /// The class.
    pub class: i64,
    /// Area the map shows, in the unit of the areas given.
    pub mapped: f64,
    /// Area corrected for the map's errors.
    pub area: f64,
    /// Half the width of the 95 % confidence interval.
    pub half_width: f64,
    /// User's accuracy and half the width of its interval.
    pub users: (f64, f64),
    /// Producer's accuracy, by the corrected areas.
    pub producers: Option<f64>,
}

/// Corrected areas of each class. `mapped` holds the area of every class of the map; labels are taken for a random sample
/// of each map class. `None` for a class of the map with fewer than two labels, which nothing can be said about.
pub fn olofsson(matrix: &Matrix, mapped: &[(i64, f64)]) -> Option<(Vec<AreaEstimate>, f64)> {
    let total: f64 = mapped.iter().map(|(_, area)| area).sum();
    let sampled = |class: i64| -> u64 {
        matrix
            .classes()
            .iter()
            .map(|&label| matrix.count(class, label))
            .sum()
    };
    if total <= 0.0
        || mapped
            .iter()
            .any(|&(class, area)| area > 0.0 && sampled(class) < 2)
    {
        return None;
    }
    let strata: Vec<(i64, f64, f64)> = mapped
        .iter()
        .filter(|(_, area)| *area > 0.0)
        .map(|&(class, area)| (class, area / total, sampled(class) as f64))
        .collect();
    let share = |map: i64, n: f64, label: i64| matrix.count(map, label) as f64 / n;
    let estimates = matrix.classes().into_iter().map(|class| {
        let proportion: f64 = strata.iter().map(|&(map, w, n)| w * share(map, n, class)).sum();
        let variance: f64 = strata
            .iter()
            .map(|&(map, w, n)| w * w * share(map, n, class) * (1.0 - share(map, n, class)) / (n - 1.0))
            .sum();
        let own = strata.iter().find(|&&(map, ..)| map == class);
        let users = own.map_or((0.0, 0.0), |&(map, _, n)| {
            let u = share(map, n, class);
            (u, Z95 * (u * (1.0 - u) / (n - 1.0)).sqrt())
        });
        let hit = own.map_or(0.0, |&(map, w, n)| w * share(map, n, class));
        AreaEstimate {
            class,
            mapped: own.map_or(0.0, |&(_, w, _)| w * total),
            area: proportion * total,
            half_width: Z95 * variance.sqrt() * total,
            users,
            producers: (proportion > 0.0).then(|| hit / proportion),
        }
    });
    let overall = strata.iter().map(|&(map, w, n)| w * share(map, n, map)).sum();
    Some((estimates.collect(), overall))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Olofsson et al. 2014, tables 8 and 9: deforestation, forest gain, stable forest, stable
    /// non-forest of 200,000, 150,000, 3,200,000 and 6,450,000 cells of 30 m. Published: deforestation 235,086
    /// cells or 21,158 ha, +- 6,158 ha at 95 %; user's 0.88 +- 0.07, producer's 0.75; overall 0.95.
    #[test]
    fn the_published_example_comes_out() {
        let rows = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]];
        let mut matrix = Matrix::default();
        for (map, row) in rows.iter().enumerate() {
            for (label, &count) in row.iter().enumerate() {
                for _ in 0..count {
                    matrix.add(map as i64, label as i64);
                }
            }
        }
        let hectares = 0.09;
        let mapped: Vec<_> = [200_000.0, 150_000.0, 3_200_000.0, 6_450_000.0]
            .iter()
            .enumerate()
            .map(|(class, cells)| (class as i64, cells * hectares))
            .collect();
        let (found, overall) = olofsson(&matrix, &mapped).expect("all strata are sampled");
        assert!((found[0].area - 21_157.8).abs() < 0.5, "{:?}", found[0]);
        assert!((found[0].half_width - 6_157.5).abs() < 1.0, "{:?}", found[0]);
        assert!((found[0].users.0 - 0.88).abs() < 1e-9 && (found[0].users.1 - 0.074).abs() < 5e-4);
        assert!(
            (found[0].producers.expect("some") - 0.7487).abs() < 1e-3,
            "{:?}",
            found[0].producers
        );
        assert!((overall - 0.9465).abs() < 1e-3, "{overall}");
    }

    #[test]
    fn a_class_of_the_map_without_labels_gives_no_estimate() {
        let mut matrix = Matrix::default();
        matrix.add(0, 0);
        matrix.add(0, 0);
        assert_eq!(olofsson(&matrix, &[(0, 10.0), (1, 5.0)]), None);
    }
}
