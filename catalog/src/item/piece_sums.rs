//! Checksums of the pieces of a file, as its row keeps them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::Write;
use std::sync::Arc;

/// Bytes of a piece: what is read at least the first time a byte of it is wanted. 200 MB are 763 pieces.
pub const PIECE_BYTES: u64 = 256 * 1024;

/// The CRC-32 of each piece of a file, from its start on; the last one may be shorter. In JSON eight hex digits a piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PieceSums(Arc<[u32]>);

impl PieceSums {
    /// Of the checksums of the pieces, in their order.
    pub fn new(sums: Vec<u32>) -> Self {
        Self(sums.into())
    }

    /// How many pieces there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True of an empty file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The checksum of a piece.
    pub fn piece(&self, index: usize) -> Option<u32> {
        self.0.get(index).copied()
    }

    /// True when a file of so many bytes has so many pieces.
    pub fn fits(&self, bytes: u64) -> bool {
        self.0.len() as u64 == bytes.div_ceil(PIECE_BYTES)
    }
}

impl Serialize for PieceSums {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(8 * self.0.len());
        for sum in self.0.iter() {
            let _ = write!(text, "{sum:08x}");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for PieceSums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (sums, rest) = text.as_bytes().as_chunks::<8>();
        let sum = |digits: &[u8; 8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let sums: Option<Arc<[u32]>> = sums.iter().map(sum).collect();
        sums.filter(|_| rest.is_empty())
            .map(Self)
            .ok_or_else(|| D::Error::custom("piece sums are eight hex digits a piece"))
    }
}
