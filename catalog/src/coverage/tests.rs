use super::*;
use geo::{Area, BooleanOps};
use geo_types::{Coord, Polygon, Rect, polygon};

fn of(polygon: &Polygon<f64>, width: usize, height: usize) -> Vec<f64> {
    let grid = Grid::of_units(width, height);
    shares(&polygon.clone().into(), Crs::UTM_48N, &grid, grid.window()).expect("in the grid")
}

#[test]
fn shares_are_those_of_exactextracts_own_tests() {
    // test_raster_cell_intersection.cpp of exactextract: "Basic" and the corner that is cut
    let square = polygon![(x: 0.5, y: 0.5), (x: 2.5, y: 0.5), (x: 2.5, y: 2.5), (x: 0.5, y: 2.5)];
    assert_eq!(
        of(&square, 3, 3),
        [0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]
    );
    let cut = polygon![(x: 0.5, y: 0.5), (x: 2.5, y: 0.5), (x: 2.5, y: 2.0), (x: 2.0, y: 2.0), (x: 2.0, y: 2.5), (x: 0.5, y: 2.5)];
    assert_eq!(of(&cut, 3, 3), [0.25, 0.5, 0.0, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]);
    // exactextract 0.3.0
    let triangle = polygon![(x: 0.25, y: 0.25), (x: 1.75, y: 0.25), (x: 1.0, y: 1.75)];
    let expected = [0.140625, 0.140625, 0.421875, 0.421875];
    for (share, expected) in of(&triangle, 2, 2).into_iter().zip(expected) {
        assert!((share - expected).abs() < 1e-12);
    }
}

#[test]
fn edges_on_cell_edges_touch_nothing_beyond() {
    let block = polygon![(x: 1.0, y: 1.0), (x: 3.0, y: 1.0), (x: 3.0, y: 3.0), (x: 1.0, y: 3.0)];
    let shares = of(&block, 4, 4);
    let inside = |index: usize| (1..3).contains(&(index % 4)) && (1..3).contains(&(index / 4));
    for (index, share) in shares.into_iter().enumerate() {
        assert_eq!(share, if inside(index) { 1.0 } else { 0.0 }, "cell {index}");
    }
}

#[test]
fn the_smallest_corner_counts_and_crumbs_do_not() {
    let corner =
        polygon![(x: 0.5, y: 0.5), (x: 2.000005, y: 0.5), (x: 2.000005, y: 2.000005), (x: 0.5, y: 2.000005)];
    let own = of(&corner, 3, 3);
    assert!((own[2] - 2.5e-11).abs() < 1e-15, "{}", own[2]);
    // a long flat edge of many sums leaves nothing behind it
    let flat = polygon![(x: 0.3, y: 0.1), (x: 999.7, y: 1.9), (x: 0.3, y: 1.95)];
    let own = of(&flat, 1010, 3);
    let touched = own.iter().filter(|&&share| share > 0.0).count();
    let area: f64 = own.iter().sum();
    assert!((area - flat.unsigned_area()).abs() < 1e-9, "{area}");
    assert!(
        own[..1010].iter().all(|&share| share == 0.0) && touched < 2000,
        "{touched}"
    );
}

/// Numbers from 0 to 1 that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A ring of random corners seen from its middle in order of their direction: it never crosses itself.
    pub(crate) fn star(&mut self, (x, y): (f64, f64), radius: f64, corners: usize) -> LineString<f64> {
        let mut turns: Vec<f64> = (0..corners)
            .map(|_| self.roll() * std::f64::consts::TAU)
            .collect();
        turns.sort_by(f64::total_cmp);
        let corner = |turn: f64| {
            let reach = radius * (0.4 + 0.6 * self.roll());
            Coord {
                x: x + reach * turn.cos(),
                y: y + reach * turn.sin(),
            }
        };
        turns.into_iter().map(corner).collect()
    }
}

#[test]
fn random_polygons_agree_with_clipping_cell_by_cell() {
    let mut dice = Dice(20261123);
    for round in 0..200 {
        // partly outside the grid now and then
        let middle = (dice.roll() * 12.0, dice.roll() * 10.0);
        let radius = 0.3 + 5.0 * dice.roll();
        let corners = 6 + (dice.roll() * 12.0) as usize;
        let exterior = dice.star(middle, radius, corners);
        let shape = Polygon::new(exterior, vec![]);
        // geo's clipping is the hole too: whatever is cut out stays valid
        let hole = Polygon::new(dice.star(middle, radius * 0.35, 7), vec![]);
        let shape = shape.difference(&hole);
        let grid = Grid::of_units(12, 10);
        let window = Window {
            column: 2,
            row: 1,
            width: 9,
            height: 8,
        };
        let all = shares(&shape, Crs::UTM_48N, &grid, grid.window()).expect("shares");
        let part = shares(&shape, Crs::UTM_48N, &grid, window).expect("shares");
        for row in 0..10 {
            for column in 0..12 {
                let (west, south) = (column as f64, 9.0 - row as f64);
                let cell = Rect::new((west, south), (west + 1.0, south + 1.0)).to_polygon();
                let expected = shape.intersection(&cell).unsigned_area();
                let got = all[row * 12 + column];
                assert!(
                    (got - expected).abs() < 1e-7,
                    "round {round}, cell {column}, {row}: {got} for {expected}"
                );
                if (2..11).contains(&column) && (1..9).contains(&row) {
                    let again = part[(row - 1) * 9 + column - 2];
                    assert!(
                        (got - again).abs() < 1e-12,
                        "a window sees the same: {got} and {again}"
                    );
                }
            }
        }
    }
}

#[test]
fn rings_run_either_way_and_parts_may_overlap() {
    let clockwise = polygon![(x: 0.5, y: 2.5), (x: 2.5, y: 2.5), (x: 2.5, y: 0.5), (x: 0.5, y: 0.5)];
    assert_eq!(of(&clockwise, 3, 3)[4], 1.0);
    let twice = MultiPolygon(vec![clockwise.clone(), clockwise]);
    let grid = Grid::of_units(3, 3);
    let shares = shares(&twice, Crs::UTM_48N, &grid, grid.window()).expect("shares");
    assert_eq!((shares[4], shares[0]), (1.0, 0.5));
}

/// The plots' grid: 10 m in the delta.
fn delta() -> Grid {
    Grid::covering(
        Crs::UTM_48N,
        Bounds::new(560_000.0, 1_150_000.0, 580_000.0, 1_160_000.0),
        10.0,
    )
    .expect("sane")
}

#[test]
fn long_edges_in_degrees_are_followed_and_plots_are_left_as_they_are() {
    let projection = Projection::new(Crs::WGS84, &delta()).expect("systems");
    let plot = polygon![(x: 105.60, y: 10.42), (x: 105.601, y: 10.42), (x: 105.601, y: 10.421), (x: 105.60, y: 10.421)];
    let outline = Outline::new(&plot.into(), &projection).expect("in the grid");
    assert_eq!(outline.vertices(), 4);
    // a parallel of 0.4 degrees bends by 1.7 m here
    let wide = polygon![(x: 105.4, y: 10.3), (x: 105.8, y: 10.3), (x: 105.8, y: 10.5), (x: 105.4, y: 10.5)];
    let few = Outline::new(&wide.clone().into(), &projection).expect("around the grid");
    let mut corners = Vec::new();
    for edge in wide.exterior().lines() {
        corners.extend((0..2000).map(|step| edge.start + edge.delta() * (f64::from(step) / 2000.0)));
    }
    let fine = Outline::new(&Polygon::new(corners.into(), vec![]).into(), &projection).expect("around");
    assert!(few.vertices() > 8 && few.vertices() < 200, "{}", few.vertices());
    // 0.01 of a cell along 13,000 cells of edges
    assert!(
        (few.cells() - fine.cells()).abs() < 130.0,
        "{} and {}",
        few.cells(),
        fine.cells()
    );
}

#[test]
fn a_polygon_of_the_whole_world_covers_the_grid() {
    let grid = delta();
    // much of Asia, of which the projection knows but a part
    let asia = polygon![(x: 70.0, y: -20.0), (x: 140.0, y: -20.0), (x: 140.0, y: 50.0), (x: 70.0, y: 50.0)];
    let projection = Projection::new(Crs::WGS84, &grid).expect("systems");
    let outline = Outline::new(&asia.clone().into(), &projection).expect("cut");
    let cells = crate::feature::geodesic_area_m2(&asia.into()) / 100.0;
    assert!(
        (outline.cells() / cells - 1.0).abs() < 0.01,
        "{} for {cells}",
        outline.cells()
    );
    let world =
        polygon![(x: -180.0, y: -90.0), (x: 180.0, y: -90.0), (x: 180.0, y: 90.0), (x: -180.0, y: 90.0)];
    let window = Window {
        column: 100,
        row: 100,
        width: 3,
        height: 3,
    };
    assert_eq!(
        shares(&world.into(), Crs::WGS84, &grid, window).expect("cut"),
        [1.0; 9]
    );
}

#[test]
fn vertices_that_are_no_place_are_named() {
    let projection = Projection::new(Crs::WGS84, &delta()).expect("systems");
    let broken = Polygon::new(
        LineString::from(vec![(105.6, 10.4), (f64::NAN, 10.4), (105.7, 10.5)]),
        vec![],
    );
    let error = Outline::new(&broken.into(), &projection).expect_err("not a number");
    assert!(error.to_string().contains("NaN"), "{error}");
    let line = Polygon::new(LineString::from(vec![(105.6, 10.4), (105.7, 10.4)]), vec![]);
    let nothing = Outline::new(&line.into(), &projection).expect("no area");
    assert_eq!((nothing.cells(), nothing.window(10, 10)), (0.0, None));
}
