//! Bytes of a TIFF or BigTIFF of either byte order: directories and tag values, every offset checked against the file.

use crate::object::ReadAt;
use crate::{Error, Result};
use std::path::Path;
use std::sync::Arc;

/// More directories than any raster with overviews and masks has.
const MAX_DIRECTORIES: usize = 256;
/// More tags than any directory has.
const MAX_TAGS: u64 = 4096;
/// Largest value read whole (metadata, georeference); block tables are read in their known length.
const MAX_VALUE_BYTES: u64 = 8 << 20;

/// An open file, its length and the layout of its numbers.
#[derive(Debug)]
pub(super) struct Tiff {
    pub(super) source: Arc<dyn ReadAt>,
    length: u64,
    pub(super) big_endian: bool,
    wide: bool,
}

/// One tag of a directory, its value not yet read.
#[derive(Clone, Copy, Debug)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    inline: [u8; 8],
}

/// One directory: its tags.
#[derive(Debug)]
pub(super) struct Directory {
    entries: Vec<Entry>,
}

impl Tiff {
    /// Reads the directories of an open file.
    pub(super) fn read(source: Arc<dyn ReadAt>) -> Result<(Self, Vec<Directory>)> {
        let mut tiff = Self {
            length: source.size(),
            source,
            big_endian: false,
            wide: false,
        };
        let start = tiff.bytes(0, 8, "header")?;
        tiff.big_endian = match &start[..2] {
            b"II" => false,
            b"MM" => true,
            _ => return Err(tiff.bad("is not a TIFF file")),
        };
        let first = match tiff.u16(&start[2..]) {
            42 => u64::from(tiff.u32(&start[4..])),
            43 => {
                tiff.wide = true;
                if tiff.u16(&start[4..]) != 8 {
                    return Err(tiff.bad("is a BigTIFF with offsets of other than 8 bytes"));
                }
                let start = tiff.bytes(8, 8, "header")?;
                tiff.u64(&start)
            }
            other => return Err(tiff.bad(format!("is not a TIFF file (version {other})"))),
        };
        let directories = tiff.directories(first)?;
        Ok((tiff, directories))
    }

    /// Where the file lies.
    pub(super) fn path(&self) -> &Path {
        self.source.location()
    }

    /// An error about this file.
    pub(super) fn bad(&self, reason: impl Into<String>) -> Error {
        Error::raster(self.path(), reason)
    }

    /// Reads bytes; an error names `what` when they lie beyond the end of the file.
    pub(super) fn bytes(&self, offset: u64, length: u64, what: &str) -> Result<Vec<u8>> {
        self.check(offset, length, what)?;
        let mut buffer = vec![0; length as usize];
        self.source.read_into(&mut buffer, offset)?;
        Ok(buffer)
    }

    /// Refuses a range that does not lie in the file.
    pub(super) fn check(&self, offset: u64, length: u64, what: &str) -> Result<()> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            let have = self.length;
            return Err(self.bad(format!(
                "{what} ({length} bytes at {offset}) lies beyond the end of the file ({have} bytes): truncated?"
            )));
        }
        Ok(())
    }

    fn u16(&self, bytes: &[u8]) -> u16 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    fn u64(&self, bytes: &[u8]) -> u64 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        if self.big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        }
    }

    fn directories(&self, first: u64) -> Result<Vec<Directory>> {
        let mut seen = Vec::new();
        let mut directories = Vec::new();
        let mut offset = first;
        while offset != 0 {
            if seen.contains(&offset) || seen.len() == MAX_DIRECTORIES {
                return Err(self.bad("has directories in a circle or too many of them"));
            }
            seen.push(offset);
            let (directory, next) = self.directory(offset)?;
            directories.push(directory);
            offset = next;
        }
        Ok(directories)
    }

    fn directory(&self, offset: u64) -> Result<(Directory, u64)> {
        let (head, size, tail) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        let start = self.bytes(offset, head, "directory")?;
        let count = if self.wide {
            self.u64(&start)
        } else {
            u64::from(self.u16(&start))
        };
        if count == 0 || count > MAX_TAGS {
            return Err(self.bad(format!("has a directory of {count} tags")));
        }
        let body = self.bytes(offset + head, count * size + tail, "directory")?;
        let (tags, next) = body.split_at((count * size) as usize);
        let entries = tags
            .chunks_exact(size as usize)
            .map(|bytes| self.entry(bytes))
            .collect();
        let next = if self.wide {
            self.u64(next)
        } else {
            u64::from(self.u32(next))
        };
        Ok((Directory { entries }, next))
    }

    fn entry(&self, bytes: &[u8]) -> Entry {
        let mut inline = [0; 8];
        let count = if self.wide {
            inline.copy_from_slice(&bytes[12..20]);
            self.u64(&bytes[4..])
        } else {
            inline[..4].copy_from_slice(&bytes[8..12]);
            u64::from(self.u32(&bytes[4..]))
        };
        Entry {
            tag: self.u16(bytes),
            kind: self.u16(&bytes[2..]),
            count,
            inline,
        }
    }

    /// The bytes of the first `count` values of a tag.
    fn value(&self, entry: &Entry, count: u64, limit: u64) -> Result<Vec<u8>> {
        let tag = entry.tag;
        let width = match entry.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 | 16 | 17 | 18 => 8,
            other => return Err(self.bad(format!("tag {tag} has the unknown type {other}"))),
        };
        let size = |count: u64| {
            count
                .checked_mul(width)
                .ok_or_else(|| self.bad(format!("tag {tag} is absurdly long")))
        };
        let stored = size(entry.count)?;
        let wanted = size(count)?;
        let room = if self.wide { 8 } else { 4 };
        if stored <= room {
            return Ok(entry.inline[..wanted.min(stored) as usize].to_vec());
        }
        if wanted > limit {
            return Err(self.bad(format!("tag {tag} has {wanted} bytes, more than is sane")));
        }
        let offset = if self.wide {
            self.u64(&entry.inline)
        } else {
            u64::from(self.u32(&entry.inline))
        };
        self.check(offset, stored, &format!("tag {tag}"))?;
        self.bytes(offset, wanted, &format!("tag {tag}"))
    }

    fn numbers_of(&self, entry: &Entry, count: u64, limit: u64) -> Result<Vec<u64>> {
        let bytes = self.value(entry, count, limit)?;
        Ok(match entry.kind {
            1 => bytes.into_iter().map(u64::from).collect(),
            3 => bytes.chunks_exact(2).map(|b| u64::from(self.u16(b))).collect(),
            4 | 13 => bytes.chunks_exact(4).map(|b| u64::from(self.u32(b))).collect(),
            16 | 18 => bytes.chunks_exact(8).map(|b| self.u64(b)).collect(),
            _ => return Err(self.bad(format!("tag {} does not hold whole numbers", entry.tag))),
        })
    }

    /// Whole numbers of a tag; empty when it is missing.
    pub(super) fn numbers(&self, directory: &Directory, tag: u16) -> Result<Vec<u64>> {
        let Some(entry) = directory.find(tag) else {
            return Ok(Vec::new());
        };
        self.numbers_of(entry, entry.count, MAX_VALUE_BYTES)
    }

    /// The first whole number of a tag, or a default when it is missing.
    pub(super) fn number(&self, directory: &Directory, tag: u16, default: u64) -> Result<u64> {
        let Some(entry) = directory.find(tag) else {
            return Ok(default);
        };
        let first = self.numbers_of(entry, 1, 8)?.first().copied();
        first.ok_or_else(|| self.bad(format!("tag {tag} is empty")))
    }

    /// Exactly `count` whole numbers of a tag (a table of blocks).
    pub(super) fn table(&self, directory: &Directory, tag: u16, count: u64) -> Result<Vec<u64>> {
        let entry = directory
            .find(tag)
            .ok_or_else(|| self.bad(format!("has no tag {tag} (table of blocks)")))?;
        if entry.count < count {
            let have = entry.count;
            return Err(self.bad(format!("tag {tag} lists {have} blocks where {count} are needed")));
        }
        self.numbers_of(entry, count, count * 8)
    }

    /// Floating-point numbers of a tag; empty when it is missing.
    pub(super) fn doubles(&self, directory: &Directory, tag: u16) -> Result<Vec<f64>> {
        let Some(entry) = directory.find(tag) else {
            return Ok(Vec::new());
        };
        if entry.kind != 12 {
            return Err(self.bad(format!("tag {tag} does not hold doubles")));
        }
        let bytes = self.value(entry, entry.count, MAX_VALUE_BYTES)?;
        Ok(bytes
            .chunks_exact(8)
            .map(|b| f64::from_bits(self.u64(b)))
            .collect())
    }

    /// Text of a tag up to its final zero, bytes that are not UTF-8 replaced.
    pub(super) fn text(&self, directory: &Directory, tag: u16) -> Result<Option<String>> {
        let Some(entry) = directory.find(tag) else {
            return Ok(None);
        };
        if !matches!(entry.kind, 1 | 2 | 7) {
            return Err(self.bad(format!("tag {tag} does not hold text")));
        }
        let bytes = self.value(entry, entry.count, MAX_VALUE_BYTES)?;
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
        Ok(Some(String::from_utf8_lossy(&bytes[..end]).into_owned()))
    }
}

impl Directory {
    fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// True when the tag is there.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.find(tag).is_some()
    }
}
