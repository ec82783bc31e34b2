//! Whether the rings of a polygon cross: such a polygon has no one inside.

use geo::line_intersection::{LineIntersection, line_intersection};
use geo_types::{Line, Polygon};

/// Pairs of edges that are compared before giving up: a fraction of a second.
const MAX_PAIRS: usize = 30_000_000;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Crossing {
    /// Nothing crosses.
    None,
    /// Two edges cross here (lon, lat).
    At(f64, f64),
    /// Too many edges lie beside each other to tell in time.
    TooMuch,
}

/// Looks for two edges of a polygon that cross. Rings that touch in a point do not.
pub(super) fn crossing(polygon: &Polygon<f64>) -> Crossing {
    let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let mut edges: Vec<Line<f64>> = rings
        .flat_map(geo::LineString::lines)
        .filter(|edge| edge.start != edge.end)
        .collect();
    let left = |edge: &Line<f64>| edge.start.x.min(edge.end.x);
    edges.sort_by(|a, b| left(a).total_cmp(&left(b)));
    // a sweep from west to east over the edges that reach the current one
    let mut active: Vec<Line<f64>> = Vec::new();
    let mut pairs = 0;
    for edge in edges {
        let (west, south, north) = (
            left(&edge),
            edge.start.y.min(edge.end.y),
            edge.start.y.max(edge.end.y),
        );
        active.retain(|other| other.start.x.max(other.end.x) >= west);
        pairs += active.len();
        if pairs > MAX_PAIRS {
            return Crossing::TooMuch;
        }
        for other in &active {
            let apart = other.start.y.max(other.end.y) < south || other.start.y.min(other.end.y) > north;
            if apart {
                continue;
            }
            match line_intersection(edge, *other) {
                Some(LineIntersection::SinglePoint {
                    intersection,
                    is_proper: true,
                }) => return Crossing::At(intersection.x, intersection.y),
                Some(LineIntersection::Collinear { intersection })
                    if intersection.start != intersection.end =>
                {
                    return Crossing::At(intersection.start.x, intersection.start.y);
                }
                Some(LineIntersection::SinglePoint { .. } | LineIntersection::Collinear { .. }) | None => {}
            }
        }
        active.push(edge);
    }
    Crossing::None
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::polygon;

    #[test]
    fn a_bow_tie_crosses_and_a_field_does_not() {
        let tie = polygon![(x: 0.0, y: 0.0), (x: 2.0, y: 2.0), (x: 2.0, y: 0.0), (x: 0.0, y: 2.0)];
        assert_eq!(crossing(&tie), Crossing::At(1.0, 1.0));
        let field = polygon!(exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 4.0, y: 4.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 1.0, y: 1.0), (x: 2.0, y: 1.0), (x: 2.0, y: 2.0)]]);
        assert_eq!(crossing(&field), Crossing::None);
        let hole_outside = polygon!(exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 4.0, y: 4.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 1.0, y: 1.0), (x: 6.0, y: 1.0), (x: 2.0, y: 2.0)]]);
        assert!(matches!(crossing(&hole_outside), Crossing::At(..)));
        let there_and_back = polygon![(x: 0.0, y: 0.0), (x: 2.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 2.0)];
        assert!(matches!(crossing(&there_and_back), Crossing::At(..)));
    }
}
