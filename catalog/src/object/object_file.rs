//! A local file read by ranges, held against its checksums where it has some.

use super::file_sums::sum_file;
use super::read_at::ReadAt;
use super::verified::{FileState, VerifiedFiles, VerifiedPieces};
use crate::item::{Asset, PIECE_BYTES, PieceSums};
use crate::{Error, Result};
use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is wrong with a file that does not fit, and what to do.
pub(crate) const DIFFERS: &str = "is not the file the catalogue knows (checksum differs); `sen check` marks it, and `sen process` \
                                  makes it again";

thread_local! {
    /// A piece of which only a part is wanted.
    static PIECE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// An open file. What is read of it fits the checksums of its asset; a file of the user has none and is read as it is.
#[derive(Debug)]
pub struct ObjectFile {
    file: File,
    path: PathBuf,
    size: u64,
    sums: Option<CheckedPieces>,
}

/// What pieces are held against, and which were already.
#[derive(Debug)]
struct CheckedPieces {
    href: String,
    sums: PieceSums,
    verified: Arc<VerifiedPieces>,
    files: Arc<VerifiedFiles>,
}

impl ObjectFile {
    /// Opens a file that is read as it is.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, [`Error::Raster`] when it is a folder or device.
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let about = file.metadata().map_err(|error| Error::io(path, error))?;
        if !about.is_file() {
            return Err(Error::raster(path, "is not a file"));
        }
        Ok(Self {
            file,
            path: path.to_path_buf(),
            size: about.len(),
            sums: None,
        })
    }

    /// Opens the file of an asset. Its pieces are held against their checksums as they are read; where it has none of pieces it
    /// is read whole now, unless that was done before.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it has another size or, read whole, another checksum.
    pub(crate) fn of_asset(path: &Path, asset: &Asset, files: &Arc<VerifiedFiles>) -> Result<Self> {
        let mut object = Self::open(path)?;
        let Some(sha256) = &asset.sha256 else {
            return Ok(object);
        };
        let wrong = |reason: String| {
            files.note_damage(&asset.href);
            Err(Error::damaged(path, reason))
        };
        if asset.bytes != 0 && object.size != asset.bytes {
            return wrong(format!(
                "has {} bytes where {} were written; `sen process` makes it again",
                object.size, asset.bytes
            ));
        }
        let about = object.file.metadata().map_err(|error| Error::io(path, error))?;
        let state = FileState::new(&about, sha256);
        let Some(sums) = &asset.piece_sums else {
            let verified = files.pieces(state, 1);
            if !verified.contains(0) {
                if sum_file(path)?.sha256 != *sha256 {
                    return wrong(DIFFERS.to_owned());
                }
                verified.insert(0);
            }
            return Ok(object);
        };
        if !sums.fits(object.size) {
            return wrong(DIFFERS.to_owned());
        }
        object.sums = Some(CheckedPieces {
            href: asset.href.clone(),
            sums: sums.clone(),
            verified: files.pieces(state, sums.len()),
            files: Arc::clone(files),
        });
        Ok(object)
    }

    /// Holds every piece against its checksum that was not yet.
    ///
    /// # Errors
    /// [`Error::Damaged`] when one does not fit.
    pub fn verify_pieces(&self) -> Result<()> {
        self.verify_range(0, self.size)
    }

    /// Holds the pieces of a range against their checksums.
    ///
    /// # Errors
    /// [`Error::Damaged`] when one does not fit.
    pub fn verify_range(&self, start: u64, end: u64) -> Result<()> {
        let Some(sums) = &self.sums else { return Ok(()) };
        for piece in start / PIECE_BYTES..end.min(self.size).div_ceil(PIECE_BYTES) {
            if !sums.verified.contains(piece as usize) {
                self.read_piece(sums, piece, &mut [], piece * PIECE_BYTES)?;
            }
        }
        Ok(())
    }

    fn read_plain(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|error| Error::io(&self.path, error))
    }

    /// Reads a piece whole, holds it against its checksum, and gives the part of it that is wanted.
    fn read_piece(&self, sums: &CheckedPieces, piece: u64, wanted: &mut [u8], offset: u64) -> Result<()> {
        let start = piece * PIECE_BYTES;
        let length = (self.size - start).min(PIECE_BYTES) as usize;
        let fits = |bytes: &[u8]| sums.sums.piece(piece as usize) == Some(libdeflater::crc32(bytes));
        let is_whole = if wanted.len() == length {
            self.read_plain(wanted, start)?;
            fits(wanted)
        } else {
            PIECE.with_borrow_mut(|buffer| {
                buffer.resize(PIECE_BYTES as usize, 0);
                let bytes = &mut buffer[..length];
                self.read_plain(bytes, start)?;
                let from = (offset - start) as usize;
                wanted.copy_from_slice(&bytes[from..from + wanted.len()]);
                Ok::<_, Error>(fits(bytes))
            })?
        };
        if !is_whole {
            sums.files.note_damage(&sums.href);
            return Err(Error::damaged(&self.path, DIFFERS));
        }
        sums.verified.insert(piece as usize);
        Ok(())
    }
}

impl ReadAt for ObjectFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_into(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let Some(sums) = &self.sums else {
            return self.read_plain(buffer, offset);
        };
        let is_inside = offset
            .checked_add(buffer.len() as u64)
            .is_some_and(|end| end <= self.size);
        if !is_inside {
            let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
            return Err(Error::io(&self.path, error));
        }
        let (mut rest, mut at) = (buffer, offset);
        while !rest.is_empty() {
            let piece = at / PIECE_BYTES;
            let length = ((piece + 1) * PIECE_BYTES - at).min(rest.len() as u64) as usize;
            let is_known = sums.verified.contains(piece as usize);
            // what was verified before is read at once, as far as it goes
            let mut known = length;
            while is_known && known < rest.len() {
                let next = (at + known as u64) / PIECE_BYTES;
                if !sums.verified.contains(next as usize) {
                    break;
                }
                known = (known + PIECE_BYTES as usize).min(rest.len());
            }
            let (part, after) = rest.split_at_mut(if is_known { known } else { length });
            if is_known {
                self.read_plain(part, at)?;
            } else {
                self.read_piece(sums, piece, part, at)?;
            }
            at += part.len() as u64;
            rest = after;
        }
        Ok(())
    }

    fn location(&self) -> &Path {
        &self.path
    }
}
