//! The encoding: Mapbox Vector Tile 2.1, written straight from integers.

use super::clip::Shape;
use super::grid::EXTENT;

/// Appends a protobuf varint.
#[inline]
pub(crate) fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a varint of our own writing and moves on.
pub(crate) fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 || shift > 63 {
            break;
        }
    }
    value
}

/// Length of a varint.
#[inline]
fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// The commands of one geometry while they are written.
#[derive(Debug, Default)]
pub(crate) struct Geometry {
    bytes: Vec<u8>,
    cursor: [i32; 2],
}

const MOVE_TO: u64 = 1;
const LINE_TO: u64 = 2;
const CLOSE_PATH: u8 = 15;

impl Geometry {
    /// Begins the next geometry.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.cursor = [0, 0];
    }

    /// True when nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    fn step(&mut self, [x, y]: [i32; 2]) {
        let zigzag = |value: i32| u64::from((value << 1 ^ (value >> 31)) as u32);
        varint(&mut self.bytes, zigzag(x - self.cursor[0]));
        varint(&mut self.bytes, zigzag(y - self.cursor[1]));
        self.cursor = [x, y];
    }

    fn path(&mut self, points: impl ExactSizeIterator<Item = [i32; 2]>) {
        let count = points.len() as u64;
        for (at, point) in points.enumerate() {
            if at == 0 {
                varint(&mut self.bytes, 1 << 3 | MOVE_TO);
            } else if at == 1 {
                varint(&mut self.bytes, (count - 1) << 3 | LINE_TO);
            }
            self.step(point);
        }
    }

    /// A ring of at least three points that do not lie on a line, its first not repeated; exterior rings run clockwise
    /// on the screen (positive area with y southwards), interior ones the other way.
    pub(crate) fn ring(&mut self, points: &[[i32; 2]], reverse: bool) {
        if reverse {
            self.path(points.iter().rev().copied());
        } else {
            self.path(points.iter().copied());
        }
        self.bytes.push(CLOSE_PATH);
    }

    /// A line of at least two different points.
    pub(crate) fn line(&mut self, points: &[[i32; 2]]) {
        self.path(points.iter().copied());
    }

    /// All points of a feature at once.
    pub(crate) fn points(&mut self, points: &[[i32; 2]]) {
        varint(&mut self.bytes, (points.len() as u64) << 3 | MOVE_TO);
        for &point in points {
            self.step(point);
        }
    }
}

/// A layer while it is written.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    features: Vec<u8>,
    values: Vec<u8>,
    value_count: u32,
    limit: usize,
    /// True when a feature did not fit any more.
    pub(crate) full: bool,
    /// Features so far.
    pub(crate) count: usize,
}

impl Layer {
    /// Appends a value (as [`super::column`] keeps them) and says its number.
    #[inline]
    pub(crate) fn value(&mut self, bytes: &[u8]) -> u32 {
        self.values.extend_from_slice(bytes);
        self.value_count += 1;
        self.value_count - 1
    }

    /// Appends a feature unless the layer is [`full`](Self::full); `tags` are varints of keys and values in turn.
    pub(crate) fn feature(&mut self, id: i64, shape: Shape, tags: &[u8], geometry: &Geometry) {
        let id = u64::try_from(id).ok();
        let geometry = geometry.bytes.as_slice();
        let id_len = id.map_or(0, |id| 1 + varint_len(id));
        let tags_len = if tags.is_empty() {
            0
        } else {
            1 + varint_len(tags.len() as u64) + tags.len()
        };
        let length = id_len + tags_len + 2 + 1 + varint_len(geometry.len() as u64) + geometry.len();
        self.full |= self.features.len() + self.values.len() + length + 6 > self.limit;
        if self.full {
            return;
        }
        let out = &mut self.features;
        out.push(0x12);
        varint(out, length as u64);
        if let Some(id) = id {
            out.push(0x08);
            varint(out, id);
        }
        if !tags.is_empty() {
            out.push(0x12);
            varint(out, tags.len() as u64);
            out.extend_from_slice(tags);
        }
        out.extend_from_slice(&[0x18, shape as u8, 0x22]);
        varint(out, geometry.len() as u64);
        out.extend_from_slice(geometry);
        self.count += 1;
    }

    /// Begins anew, for at most `limit` bytes of features and values.
    pub(crate) fn begin(&mut self, limit: usize) {
        self.limit = limit;
        self.full = false;
        self.features.clear();
        self.values.clear();
        self.value_count = 0;
        self.count = 0;
    }

    /// Appends the finished layer to a tile; nothing when it has no feature.
    pub(crate) fn write<'a>(
        &self,
        tile: &mut Vec<u8>,
        name: &str,
        keys: impl Iterator<Item = &'a str> + Clone,
    ) {
        if self.count == 0 {
            return;
        }
        let text_len = |text: &str| 1 + varint_len(text.len() as u64) + text.len();
        let keys_len: usize = keys.clone().map(text_len).sum();
        let extent_len = 1 + varint_len(EXTENT as u64);
        let length = text_len(name) + self.features.len() + keys_len + self.values.len() + extent_len + 2;
        tile.reserve(length + 8);
        tile.push(0x1a);
        varint(tile, length as u64);
        tile.extend_from_slice(&[0x78, 2]); // version
        let text = |tile: &mut Vec<u8>, field: u8, text: &str| {
            tile.push(field);
            varint(tile, text.len() as u64);
            tile.extend_from_slice(text.as_bytes());
        };
        text(tile, 0x0a, name);
        tile.extend_from_slice(&self.features);
        for key in keys {
            text(tile, 0x1a, key);
        }
        tile.extend_from_slice(&self.values);
        tile.push(0x28);
        varint(tile, EXTENT as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_as_long_as_said() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            varint(&mut bytes, value);
            assert_eq!(bytes.len(), varint_len(value), "{value}");
            let mut at = 0;
            assert_eq!(read_varint(&bytes, &mut at), value);
            assert_eq!(at, bytes.len());
        }
    }
}
