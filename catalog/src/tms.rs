//! The tile matrix set WebMercatorQuad (OGC 17-083r4, annex D.1) and its tiles.

use crate::crs::Crs;
use crate::grid::{Bounds, Grid};

/// Half the width of the world in EPSG:3857, metres.
pub const WORLD_HALF_M: f64 = 20_037_508.342_789_244;

/// Deepest zoom that is addressed (10 m data end near 14; 30 keeps x and y in 32 bits).
pub const MAX_ZOOM: u8 = 30;

/// A tile address that exists in WebMercatorQuad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileCoord {
    z: u8,
    x: u32,
    y: u32,
}

impl TileCoord {
    /// The tile, or `None` when zoom or column or row are outside the matrix.
    pub fn new(z: u8, x: u32, y: u32) -> Option<Self> {
        (z <= MAX_ZOOM && u64::from(x) < 1 << z && u64::from(y) < 1 << z).then_some(Self { z, x, y })
    }

    /// Zoom.
    pub const fn z(self) -> u8 {
        self.z
    }

    /// Column, from the west.
    pub const fn x(self) -> u32 {
        self.x
    }

    /// Row, from the north.
    pub const fn y(self) -> u32 {
        self.y
    }

    /// The tile as a grid of `size` x `size` pixels in EPSG:3857.
    pub fn grid(self, size: usize) -> Grid {
        let extent = 2.0 * WORLD_HALF_M / (1_u64 << self.z) as f64;
        let cell = extent / size as f64;
        Grid {
            crs: Crs::WEB_MERCATOR,
            west: f64::from(self.x).mul_add(extent, -WORLD_HALF_M),
            north: WORLD_HALF_M - f64::from(self.y) * extent,
            cell_width: cell,
            cell_height: cell,
            width: size,
            height: size,
        }
    }

    /// The outline in EPSG:3857.
    pub fn bounds(self) -> Bounds {
        self.grid(1).bounds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_outside_the_matrix_do_not_exist() {
        assert!(TileCoord::new(0, 0, 0).is_some());
        assert!(TileCoord::new(0, 1, 0).is_none());
        assert!(TileCoord::new(31, 0, 0).is_none());
        assert!(TileCoord::new(30, (1 << 30) - 1, 0).is_some());
    }

    #[test]
    fn the_tile_over_cao_lanh_holds_its_centre() {
        let (x, y) = crate::crs::lon_lat_to_mercator(105.6325, 10.4603);
        let tile = TileCoord::new(12, 3249, 1928).expect("exists");
        assert!(tile.bounds().contains(x, y), "{:?} {x} {y}", tile.bounds());
    }
}
