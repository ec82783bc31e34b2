//! The fixed grid on which all vector coordinates lie: Web Mercator with the world 2^32 cells wide (9.3 mm at the equator).
//!
//! Vertices are put on it once, so that what two neighbours share stays shared through every later rounding.

use sen_catalog::TileCoord;

/// Cells of a tile's own coordinate system along an edge (MVT's customary extent).
pub(crate) const EXTENT: i64 = 4096;

/// Margin around a tile within which geometry is kept, in tile cells: strokes at the edge need it.
pub(crate) const BUFFER: i64 = 64;

/// Width of the world in bits; a tile cell of zoom 20 is one grid cell.
const WORLD_BITS: u32 = 32;

/// Zoom at which tile cells and grid cells are the same.
const UNIT_ZOOM: i32 = (WORLD_BITS - EXTENT.ilog2()) as i32;

/// Latitude at which the square world ends, degrees.
const LAST_LATITUDE: f64 = 85.051_128_779_806_59;

/// A longitude and latitude (degrees) on the grid; beyond the square world, its edge. `None` for what is no number.
pub(crate) fn project(lon: f64, lat: f64) -> Option<[u32; 2]> {
    if !lon.is_finite() || !lat.is_finite() {
        return None;
    }
    let half = sen_catalog::tms::WORLD_HALF_M;
    let lat = lat.clamp(-LAST_LATITUDE, LAST_LATITUDE);
    let (x, y) = sen_catalog::crs::lon_lat_to_mercator(lon, lat);
    let cells = f64::from(u32::MAX) + 1.0;
    let cell = |share: f64| (share * cells).round().clamp(0.0, f64::from(u32::MAX)) as u32;
    Some([cell((x + half) / (2.0 * half)), cell((half - y) / (2.0 * half))])
}

/// Smallest zoom at which a length (grid cells) spans at least `cells` tile cells.
pub(crate) fn zoom_where(length: f64, cells: f64, last: u8) -> u8 {
    if length <= 0.0 {
        return last;
    }
    let zoom = f64::from(UNIT_ZOOM) + (cells / length).log2();
    zoom.ceil().clamp(0.0, f64::from(last)) as u8
}

/// From grid cells to the cells of one tile.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    shift: i32,
    west: i64,
    north: i64,
}

impl Frame {
    /// The frame of a tile.
    pub(crate) fn of(tile: TileCoord) -> Self {
        Self {
            shift: UNIT_ZOOM - i32::from(tile.z()),
            west: i64::from(tile.x()) * EXTENT,
            north: i64::from(tile.y()) * EXTENT,
        }
    }

    /// Rounds a grid coordinate to cells of the zoom; it depends on nothing but the coordinate and the zoom.
    fn round(self, value: u32) -> i64 {
        let value = i64::from(value);
        if self.shift > 0 {
            (value + (1 << (self.shift - 1))) >> self.shift
        } else {
            value << -self.shift
        }
    }

    /// A grid point in tile cells, from the tile's north-western corner, y southwards.
    pub(crate) fn place(self, [x, y]: [u32; 2]) -> [i64; 2] {
        [self.round(x) - self.west, self.round(y) - self.north]
    }

    /// West, north, east, south of a grid box in tile cells.
    pub(crate) fn place_box(self, b: [u32; 4]) -> [i64; 4] {
        let [west, north] = self.place([b[0], b[1]]);
        let [east, south] = self.place([b[2], b[3]]);
        [west, north, east, south]
    }

    /// The tile with its buffer on the grid, a cell wider so that nothing is missed by rounding.
    pub(crate) fn reach(self) -> [u32; 4] {
        let grid = |cells: i64| {
            let value = if self.shift > 0 {
                cells << self.shift
            } else {
                cells >> -self.shift
            };
            value.clamp(0, i64::from(u32::MAX)) as u32
        };
        let margin = BUFFER + 1;
        [
            grid(self.west - margin),
            grid(self.north - margin),
            grid(self.west + EXTENT + margin),
            grid(self.north + EXTENT + margin),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_lies_where_other_programs_put_it() {
        // mercantile 1.2.1: tile(105.6325, 10.4603, 14) = (12999, 7713), and its share within the tile
        let tile = TileCoord::new(14, 12_999, 7_713).expect("exists");
        let [x, y] = Frame::of(tile).place(project(105.6325, 10.4603).expect("finite"));
        assert!((0..EXTENT).contains(&x) && (0..EXTENT).contains(&y), "{x} {y}");
        assert_eq!(project(f64::NAN, 0.0), None);
        assert_eq!(project(-180.0, 90.0), Some([0, 0]));
        assert_eq!(project(180.0, -90.0), Some([u32::MAX, u32::MAX]));
    }

    #[test]
    fn a_length_is_seen_from_the_zoom_where_it_spans_the_cells() {
        assert_eq!(zoom_where(1.0, 1.0, 22), 20);
        assert_eq!(zoom_where(1024.0, 4.0, 22), 12);
        assert_eq!(zoom_where(0.0, 4.0, 16), 16);
    }
}
