//! Checksums of a file: of the whole, by which it is named, and of its pieces, by which it is read.

use crate::checksum::hex;
use crate::item::{Asset, PIECE_BYTES, PieceSums};
use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// What a file holds, as checksums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSums {
    /// Lower-case hex SHA-256 of the whole.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Of its pieces.
    pub pieces: PieceSums,
}

impl FileSums {
    /// An asset with these checksums.
    #[must_use]
    pub fn of_asset(self, asset: Asset) -> Asset {
        Asset {
            sha256: Some(self.sha256),
            bytes: self.bytes,
            piece_sums: Some(self.pieces),
            ..asset
        }
    }
}

/// The checksums of a file, in one pass.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn sum_file(path: &Path) -> Result<FileSums> {
    let mut file = File::open(path).map_err(|error| Error::io(path, error))?;
    let (mut hasher, mut bytes, mut pieces) = (Sha256::new(), 0, Vec::new());
    let mut buffer = vec![0; PIECE_BYTES as usize];
    loop {
        // pieces are whole but the last, however little a read gives
        let mut filled = 0;
        while filled < buffer.len() {
            match file
                .read(&mut buffer[filled..])
                .map_err(|error| Error::io(path, error))?
            {
                0 => break,
                read => filled += read,
            }
        }
        if filled == 0 {
            break;
        }
        hasher.update(&buffer[..filled]);
        pieces.push(libdeflater::crc32(&buffer[..filled]));
        bytes += filled as u64;
    }
    Ok(FileSums {
        sha256: hex(&hasher.finalize()),
        bytes,
        pieces: PieceSums::new(pieces),
    })
}
