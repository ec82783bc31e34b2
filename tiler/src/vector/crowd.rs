//! How full the fullest tile of each zoom is. The attributes of all tiles of a zoom follow from it, so that a map that
//! colours by one does not lose it from tile to tile.

use super::clip::Shape;
use super::thin;
use super::tile::{MOST_FEATURES, View, bare_bytes};
use sen_catalog::feature::Layer;
use sen_catalog::tms::MAX_ZOOM;
use std::sync::OnceLock;

/// Share of the limit that estimates aim at.
const AIM: f64 = 0.92;

/// How many more features a tile shows than have their middle in it: those that reach in from its neighbours.
const BESIDE: f64 = 1.1;

/// How much fuller than the average the fullest tile is taken to be where a layer is not known as a whole.
const CLUMPED: f64 = 8.0;

/// Bytes of a feature without attributes where a layer is not known as a whole.
const USUAL_BYTES: f64 = 40.0;

/// Features that are smaller, in tile cells, are less than a pixel: merging them loses nothing that is seen.
const PIXEL: f64 = 8.0;

/// Size of a feature in tile cells where a layer is not known as a whole.
const USUAL_SIZE: f64 = 2.0 * PIXEL;

/// The fullest tile of a zoom.
#[derive(Clone, Copy, Debug)]
struct Crowd {
    features: f64,
    /// Bytes of a feature without attributes.
    bare: f64,
    /// Longer side of a feature's box, tile cells.
    size: f64,
}

/// The fullest tile of each zoom.
#[derive(Debug)]
pub(crate) struct Crowds {
    known: Vec<OnceLock<Crowd>>,
}

impl Default for Crowds {
    /// To be counted where they are asked for.
    fn default() -> Self {
        Self {
            known: (0..=MAX_ZOOM).map(|_| OnceLock::new()).collect(),
        }
    }
}

impl Crowds {
    /// Of a layer that is read tile by tile: by its number of features and its box.
    pub(crate) fn estimated(layer: &Layer) -> Self {
        let b = layer.bounds;
        let share = ((b.east - b.west) / 360.0).max(0.0) * ((b.north - b.south) / 170.0).max(0.0);
        let of_zoom = |zoom: u8| {
            let tiles = (share * 4_f64.powi(i32::from(zoom))).max(1.0);
            let features = (layer.count as f64).min(layer.count as f64 / tiles * CLUMPED);
            OnceLock::from(Crowd {
                features: features.max(1.0),
                bare: USUAL_BYTES,
                size: USUAL_SIZE,
            })
        };
        Self {
            known: (0..=MAX_ZOOM).map(of_zoom).collect(),
        }
    }

    /// Bytes that there are for the attributes of each feature beside its code, which has its place, where a layer may take
    /// `limit` bytes of a tile; none where outlines that can be seen leave no room even for the codes.
    pub(super) fn room(&self, view: &View, zoom: u8, limit: usize) -> Option<f64> {
        let known = self.known.get(usize::from(zoom))?;
        let &Crowd { features, bare, size } = known.get_or_init(|| count(view, zoom));
        let limit = limit as f64;
        let code = view
            .columns()
            .first()
            .filter(|column| column.key == "code")
            .map_or(0.0, |code| code.cost);
        let fits = |bytes: f64| features <= MOST_FEATURES as f64 && features * bytes <= AIM * limit;
        if fits(bare + code) {
            return Some(AIM * limit / features - bare);
        }
        if fits(bare) && size >= PIXEL {
            return None;
        }
        // merged or thinned: as many as fit with their codes
        let (aim, bare) = match view.index.shape {
            Shape::Polygon => (thin::MERGED_BYTES.min(limit), thin::CELL_BYTES),
            Shape::Line | Shape::Point => (AIM * limit, bare),
        };
        let most = features.min(aim / (bare + code)).max(1.0);
        Some(aim / most - bare)
    }
}

fn count(view: &View, zoom: u8) -> Crowd {
    let rows = view.rows_within([0, 0, u32::MAX, u32::MAX]);
    let boxes = view.index.tree.boxes();
    let shift = 32 - u32::from(zoom);
    let tile = |low: u32, high: u32| u64::midpoint(u64::from(low), u64::from(high)) >> shift;
    let mut tiles: Vec<[u64; 2]> = rows
        .iter()
        .filter_map(|&row| boxes.get(row as usize))
        .map(|&[west, north, east, south]| [tile(west, east), tile(north, south)])
        .collect();
    tiles.sort_unstable();
    let fullest = tiles.chunk_by(|a, b| a == b).map(<[_]>::len).max().unwrap_or(0);
    let side = |&row: &u32| {
        let [west, north, east, south] = boxes.get(row as usize).copied().unwrap_or_default();
        f64::from((east - west).max(south - north))
    };
    let sides: f64 = rows.iter().map(side).sum();
    // a tile is 4,096 cells wide
    let cell = 2_f64.powi(20 - i32::from(zoom));
    Crowd {
        features: (fullest as f64 * BESIDE).max(1.0),
        bare: bare_bytes(&view.index, &rows, zoom),
        size: sides / rows.len().max(1) as f64 / cell,
    }
}
