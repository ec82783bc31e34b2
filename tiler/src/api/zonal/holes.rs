//! Whether the holes of a polygon lie in its shell: its area would be counted wrong, even negative.

use geo::coordinate_position::{CoordPos, coord_pos_relative_to_ring};
use geo_types::{Coord, LineString, Polygon};

/// Positions of holes times edges of the shell that are compared before giving up: a fraction of a second.
const MAX_STEPS: usize = 30_000_000;

/// Where the holes of a polygon lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holes {
    /// In the shell, or there are none.
    Inside,
    /// This ring of the polygon does not; the shell is ring 0.
    Outside(usize),
    /// Too many to tell in time.
    TooMuch,
}

/// Looks for a hole outside the shell of a polygon whose rings do not cross: then one position tells for all of a hole.
pub(super) fn astray(polygon: &Polygon<f64>) -> Holes {
    let shell = polygon.exterior();
    let mut steps = 0;
    for (index, hole) in polygon.interiors().iter().enumerate() {
        for position in positions(hole) {
            steps += shell.0.len();
            if steps > MAX_STEPS {
                return Holes::TooMuch;
            }
            match coord_pos_relative_to_ring(position, shell) {
                CoordPos::Inside => break,
                CoordPos::Outside => return Holes::Outside(index + 1),
                // it touches the shell here
                CoordPos::OnBoundary => {}
            }
        }
    }
    Holes::Inside
}

/// The middles of the edges, which seldom touch the shell, then the corners.
fn positions(ring: &LineString<f64>) -> impl Iterator<Item = Coord<f64>> + '_ {
    let middles = ring.lines().map(|edge| (edge.start + edge.end) / 2.0);
    middles.chain(ring.0.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::polygon;

    #[test]
    fn a_hole_beside_its_shell_or_in_its_bay_is_outside() {
        let beside = polygon!(exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 0.5, y: 0.5), (x: 1.0, y: 0.5), (x: 0.5, y: 1.0)], [(x: 5.0, y: 5.0), (x: 9.0, y: 5.0), (x: 9.0, y: 9.0)]]);
        assert_eq!(astray(&beside), Holes::Outside(2));
        let bay = polygon!(exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 4.0, y: 4.0), (x: 2.0, y: 1.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 2.0, y: 2.0), (x: 2.5, y: 3.0), (x: 1.5, y: 3.0)]]);
        assert_eq!(astray(&bay), Holes::Outside(1));
    }

    #[test]
    fn a_hole_that_touches_its_shell_is_inside() {
        let touching = polygon!(exterior: [(x: 0.0, y: 0.0), (x: 4.0, y: 0.0), (x: 4.0, y: 4.0), (x: 0.0, y: 4.0)],
            interiors: [[(x: 2.0, y: 0.0), (x: 4.0, y: 2.0), (x: 2.0, y: 4.0), (x: 0.0, y: 2.0)]]);
        assert_eq!(astray(&touching), Holes::Inside);
    }
}
