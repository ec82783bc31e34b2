//! How tangled the edges of a polygon are: what a repair costs grows with the number of crossings, which for a small
//! ring can be the square of its vertices.

use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{CoordsIter, LinesIter};
use geo_types::{Geometry, Line};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

/// Fewest crossings that are called too many: a thousand take some milliseconds to repair.
const MIN_CROSSINGS: usize = 1_000;
/// Most crossings that are repaired, whatever the number of vertices: some 200 MB of work in GEOS.
const MAX_CROSSINGS: usize = 100_000;
/// Pairs of edges beside each other that are looked at, a vertex: digitised outlines have some five.
const PAIRS_A_VERTEX: usize = 100;
/// Pairs that are looked at in any case: some tens of milliseconds.
const MIN_PAIRS: usize = 1_000_000;

/// Why a polygon is too tangled to be repaired; none when it is not. Looked for no longer than until that is clear.
///
/// As many crossings as vertices are allowed: a million vertices with a loop here and there are well below.
pub(super) fn too_tangled(geometry: &Geometry<f64>) -> Option<String> {
    let vertices = geometry.coords_count();
    let most = vertices.clamp(MIN_CROSSINGS, MAX_CROSSINGS);
    let mut pairs = (vertices.saturating_mul(PAIRS_A_VERTEX)).max(MIN_PAIRS);
    let mut edges = Vec::with_capacity(vertices);
    gather(geometry, &mut edges);
    let tree = RTree::bulk_load(
        edges
            .iter()
            .enumerate()
            .map(|(index, edge)| {
                let corners = Rectangle::from_corners([edge.start.x, edge.start.y], [edge.end.x, edge.end.y]);
                GeomWithData::new(corners, index)
            })
            .collect(),
    );
    let mut crossings = 0;
    for (index, edge) in edges.iter().enumerate() {
        let around = AABB::from_corners([edge.start.x, edge.start.y], [edge.end.x, edge.end.y]);
        for other in tree.locate_in_envelope_intersecting(&around) {
            pairs = pairs.saturating_sub(1);
            if pairs == 0 {
                return Some(format!(
                    "its {vertices} vertices lie too close together to be repaired; clean it in a GIS first"
                ));
            }
            // each pair once
            if other.data <= index || !cross(*edge, edges[other.data]) {
                continue;
            }
            crossings += 1;
            if crossings > most {
                return Some(format!(
                    "its {vertices} vertices cross themselves more than {most} times, which is not repaired; \
                     clean it in a GIS first"
                ));
            }
        }
    }
    None
}

fn gather(geometry: &Geometry<f64>, edges: &mut Vec<Line<f64>>) {
    let long = |edge: &Line<f64>| edge.start != edge.end;
    match geometry {
        Geometry::Polygon(polygon) => edges.extend(polygon.lines_iter().filter(long)),
        Geometry::MultiPolygon(polygons) => edges.extend(polygons.lines_iter().filter(long)),
        Geometry::GeometryCollection(parts) => parts.iter().for_each(|part| gather(part, edges)),
        _ => {}
    }
}

/// True when two edges meet other than with an end of each.
fn cross(a: Line<f64>, b: Line<f64>) -> bool {
    match line_intersection(a, b) {
        None => false,
        Some(LineIntersection::Collinear { intersection }) => intersection.start != intersection.end,
        Some(LineIntersection::SinglePoint { is_proper, .. }) => {
            is_proper || ![a.start, a.end].iter().any(|end| [b.start, b.end].contains(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo_types::{Coord, LineString, Polygon};
    use std::f64::consts::TAU;
    use std::time::{Duration, Instant};

    /// A star of so many corners, each joined with the one almost opposite: every edge crosses almost every other.
    fn star(corners: u32) -> Geometry<f64> {
        let ring: LineString<f64> = (0..=corners)
            .map(|i| {
                let corner = u64::from(i) * u64::from(corners / 2) % u64::from(corners);
                let angle = corner as f64 / f64::from(corners) * TAU;
                Coord {
                    x: angle.cos(),
                    y: angle.sin(),
                }
            })
            .collect();
        Polygon::new(ring, vec![]).into()
    }

    /// A round field whose last edges make one loop.
    fn round(vertices: u32) -> Geometry<f64> {
        let mut ring: Vec<Coord<f64>> = (0..vertices)
            .map(|i| {
                let angle = f64::from(i) / f64::from(vertices) * TAU;
                Coord {
                    x: angle.cos(),
                    y: angle.sin(),
                }
            })
            .collect();
        let middle = ring.len() / 2;
        ring.swap(middle, middle + 1);
        Polygon::new(LineString(ring), vec![]).into()
    }

    #[test]
    fn stars_are_too_tangled_and_that_is_known_at_once() {
        let start = Instant::now();
        for corners in [201, 2_001, 20_001] {
            let reason = too_tangled(&star(corners)).expect("tangled");
            assert!(reason.contains("cross themselves"), "{reason}");
        }
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        // 21 edges have 210 pairs
        assert_eq!(too_tangled(&star(21)), None);
    }

    #[test]
    fn a_large_field_with_one_loop_is_not() {
        assert_eq!(too_tangled(&round(200_000)), None);
    }

    #[test]
    fn petals_that_meet_in_one_point_are_too_close_together() {
        let petals = 20_000_u32;
        let ring: LineString<f64> = (0..2 * petals)
            .flat_map(|i| {
                let angle = f64::from(i) / f64::from(2 * petals) * TAU;
                let tip = Coord {
                    x: angle.cos(),
                    y: angle.sin(),
                };
                let centre = (i % 2 == 1).then_some(Coord { x: 0.0, y: 0.0 });
                std::iter::once(tip).chain(centre)
            })
            .collect();
        let reason = too_tangled(&Polygon::new(ring, vec![]).into()).expect("tangled");
        assert!(reason.contains("too close together"), "{reason}");
    }
}
