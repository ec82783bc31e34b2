//! The finished file in GDAL's COG layout: ghost area, directories from full resolution to the coarsest overview, then the
//! blocks from the coarsest overview to full resolution.

use super::{CogProfile, Compression, DataType, metadata};
use crate::{Error, Result};
use rayon::prelude::*;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Above this a classic TIFF's offsets of 4 bytes do not reach.
const CLASSIC_LIMIT: u64 = u32::MAX as u64;

/// The blocks of one level in its spool: offset and size, size 0 for sparse ones.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) places: Vec<(u64, u32)>,
    pub(super) bytes: u64,
}

/// The TIFF predictor for a pixel type: none for classes, differences for integers, byte planes for floats.
pub(super) const fn predictor(data_type: DataType) -> u16 {
    match data_type {
        DataType::U8 => 1,
        DataType::I16 | DataType::U16 => 2,
        DataType::F32 => 3,
    }
}

/// Writes the whole file.
pub(super) fn write(path: &Path, profile: &CogProfile, levels: Vec<(Stored, File)>) -> Result<()> {
    let (levels, spools): (Vec<_>, Vec<_>) = levels.into_iter().unzip();
    let header = header(profile, &levels, CLASSIC_LIMIT);
    let write = || -> std::io::Result<()> {
        let file = File::create(path)?;
        file.write_all_at(&header, 0)?;
        let mut start = header.len() as u64;
        for (level, spool) in levels.iter().zip(&spools).rev() {
            copy(spool, &file, start, level.bytes)?;
            start += level.bytes;
        }
        Ok(())
    };
    write().map_err(|e| Error::io(path, e))
}

/// Copies a spool to its place, pieces in parallel.
fn copy(spool: &File, file: &File, start: u64, bytes: u64) -> std::io::Result<()> {
    const PIECE: u64 = 1 << 20;
    (0..bytes.div_ceil(PIECE))
        .into_par_iter()
        .try_for_each_init(Vec::new, |buffer, piece| {
            let offset = piece * PIECE;
            buffer.resize(PIECE.min(bytes - offset) as usize, 0);
            spool.read_exact_at(buffer, offset)?;
            file.write_all_at(buffer, start + offset)
        })
}

/// Header and directories; BigTIFF when the file would be longer than `limit`.
fn header(profile: &CogProfile, levels: &[Stored], limit: u64) -> Vec<u8> {
    let data: u64 = levels.iter().map(|level| level.bytes).sum();
    let classic = build(profile, levels, false, 0);
    let big = classic.len() as u64 + data > limit;
    // the length does not depend on where the blocks begin
    let length = if big {
        build(profile, levels, true, 0).len()
    } else {
        classic.len()
    };
    build(profile, levels, big, length as u64)
}

struct Entry {
    tag: u16,
    kind: u16,
    count: usize,
    bytes: Vec<u8>,
}

fn ascii(tag: u16, text: &str) -> Entry {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    Entry {
        tag,
        kind: 2,
        count: bytes.len(),
        bytes,
    }
}

fn short(tag: u16, values: &[u16]) -> Entry {
    Entry {
        tag,
        kind: 3,
        count: values.len(),
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

fn long(tag: u16, values: impl Iterator<Item = u32>) -> Entry {
    let bytes: Vec<u8> = values.flat_map(u32::to_le_bytes).collect();
    Entry {
        tag,
        kind: 4,
        count: bytes.len() / 4,
        bytes,
    }
}

fn long8(tag: u16, values: impl Iterator<Item = u64>) -> Entry {
    let bytes: Vec<u8> = values.flat_map(u64::to_le_bytes).collect();
    Entry {
        tag,
        kind: 16,
        count: bytes.len() / 8,
        bytes,
    }
}

fn double(tag: u16, values: &[f64]) -> Entry {
    Entry {
        tag,
        kind: 12,
        count: values.len(),
        bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}

/// The ghost area that tells GDAL how the blocks lie.
fn ghost() -> String {
    let body = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n\
                BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ";
    let mut text = format!("GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n{body}", body.len());
    // directories begin at even offsets
    if text.len() % 2 != 0 {
        text.push(' ');
    }
    text
}

fn build(profile: &CogProfile, levels: &[Stored], big: bool, start: u64) -> Vec<u8> {
    let mut out = b"II".to_vec();
    let ghost = ghost();
    if big {
        out.extend([43, 0, 8, 0, 0, 0]);
        out.extend((16 + ghost.len() as u64).to_le_bytes());
    } else {
        out.extend([42, 0]);
        out.extend((8 + ghost.len() as u32).to_le_bytes());
    }
    out.extend(ghost.as_bytes());
    let mut base: u64 = start + levels.iter().map(|level| level.bytes).sum::<u64>();
    for (index, level) in levels.iter().enumerate() {
        base -= level.bytes;
        let entries = entries(profile, level, index, base, big);
        directory(&mut out, &entries, big, index + 1 == levels.len());
    }
    // blocks begin at a multiple of 16
    out.resize(out.len().next_multiple_of(16), 0);
    out
}

fn entries(profile: &CogProfile, level: &Stored, index: usize, base: u64, big: bool) -> Vec<Entry> {
    let (bits, format) = match profile.data_type {
        DataType::U8 => (8, 1),
        DataType::U16 => (16, 1),
        DataType::I16 => (16, 2),
        DataType::F32 => (32, 3),
    };
    let compression = match profile.compression {
        Compression::Deflate(_) => 8,
        Compression::Zstd(_) => 50000,
    };
    let offsets = level
        .places
        .iter()
        .map(|&(offset, size)| if size == 0 { 0 } else { base + offset });
    let one = |tag: u16, value: usize| long(tag, std::iter::once(value as u32));
    let mut entries = vec![
        one(254, usize::from(index > 0)),
        one(256, level.width),
        one(257, level.height),
        short(258, &[bits]),
        short(259, &[compression]),
        short(262, &[1]),
        short(277, &[1]),
        short(284, &[1]),
        short(317, &[predictor(profile.data_type)]),
        one(322, profile.block),
        one(323, profile.block),
        if big {
            long8(324, offsets)
        } else {
            long(324, offsets.map(|offset| offset as u32))
        },
        long(325, level.places.iter().map(|&(_, size)| size)),
        short(339, &[format]),
    ];
    if index == 0 {
        let grid = &profile.grid;
        let code = grid.crs.code() as u16;
        let (model, key) = if grid.crs.is_geographic() {
            (2, 2048)
        } else {
            (1, 3072)
        };
        entries.push(double(33550, &[grid.cell_width, grid.cell_height, 0.0]));
        entries.push(double(33922, &[0.0, 0.0, 0.0, grid.west, grid.north, 0.0]));
        // model type, pixel is area, EPSG code
        entries.push(short(
            34735,
            &[1, 1, 0, 3, 1024, 0, 1, model, 1025, 0, 1, 1, key, 0, 1, code],
        ));
        let xml = xml(profile);
        if !xml.is_empty() {
            entries.push(ascii(42112, &xml));
        }
    }
    if let Some(nodata) = profile.nodata {
        entries.push(ascii(
            42113,
            &if nodata.is_nan() {
                "nan".to_owned()
            } else {
                nodata.to_string()
            },
        ));
    }
    entries
}

fn xml(profile: &CogProfile) -> String {
    let mut items = String::new();
    let mut item = |name: &str, role: &str, value: &str| {
        let value = metadata::escape_value(value);
        // writing to a string cannot fail
        let _ = writeln!(
            items,
            "  <Item name=\"{name}\" sample=\"0\" role=\"{role}\">{value}</Item>"
        );
    };
    if !profile.description.is_empty() {
        item("DESCRIPTION", "description", &profile.description);
    }
    if (profile.scale, profile.offset) != (1.0, 0.0) {
        item("OFFSET", "offset", &profile.offset.to_string());
        item("SCALE", "scale", &profile.scale.to_string());
    }
    if items.is_empty() {
        items
    } else {
        format!("<GDALMetadata>\n{items}</GDALMetadata>\n")
    }
}

/// Appends a directory followed by the values that do not fit into it.
fn directory(out: &mut Vec<u8>, entries: &[Entry], big: bool, last: bool) {
    let (head, size, tail, room) = if big { (8, 20, 8, 8) } else { (2, 12, 4, 4) };
    let mut values: Vec<u8> = Vec::new();
    let values_start = out.len() + head + entries.len() * size + tail;
    let number = |out: &mut Vec<u8>, value: usize, short: bool| match (big, short) {
        (true, _) => out.extend((value as u64).to_le_bytes()),
        (false, true) => out.extend((value as u16).to_le_bytes()),
        (false, false) => out.extend((value as u32).to_le_bytes()),
    };
    number(out, entries.len(), true);
    for entry in entries {
        out.extend(entry.tag.to_le_bytes());
        out.extend(entry.kind.to_le_bytes());
        number(out, entry.count, false);
        if entry.bytes.len() <= room {
            out.extend(&entry.bytes);
            out.resize(out.len() + room - entry.bytes.len(), 0);
        } else {
            number(out, values_start + values.len(), false);
            values.extend(&entry.bytes);
            values.resize(values.len().next_multiple_of(8), 0);
        }
    }
    let next = values_start + values.len();
    number(out, if last { 0 } else { next }, false);
    out.extend(values);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Cog, Overviews};
    use crate::{Crs, Grid};

    #[test]
    fn a_file_too_long_for_four_byte_offsets_is_a_big_tiff() {
        let grid = Grid {
            crs: Crs::WGS84,
            west: 105.0,
            north: 11.0,
            cell_width: 0.001,
            cell_height: 0.001,
            width: 100,
            height: 60,
        };
        let profile = CogProfile {
            grid,
            data_type: DataType::F32,
            nodata: Some(f64::NAN),
            scale: 1.0,
            offset: 0.0,
            compression: Compression::Zstd(1),
            block: 64,
            overviews: Overviews::None,
            description: String::new(),
        };
        let level = Stored {
            width: 100,
            height: 60,
            places: vec![(4, 100), (0, 0)],
            bytes: 108,
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("big.tif");
        for (limit, version) in [(CLASSIC_LIMIT, 42), (200, 43)] {
            let mut bytes = header(&profile, std::slice::from_ref(&level), limit);
            assert_eq!(bytes[2], version);
            bytes.extend([0; 108]);
            std::fs::write(&path, bytes).expect("write");
            let cog = Cog::open(&path).expect("open");
            assert_eq!(cog.grid(), &grid);
            assert!(cog.nodata().is_some_and(f64::is_nan));
        }
    }
}
