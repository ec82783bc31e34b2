//! Compression of blocks and the floating-point predictor; each thread keeps its contexts and scratch buffers.

use super::Compression;
use super::header::Codec;
use crate::Error;
use crate::object::ReadAt;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use std::cell::RefCell;
use zstd::bulk;

/// Scratch larger than this is given back after use, so that idle threads hold little.
const KEEP_BYTES: usize = 4 << 20;

/// What leader and trailer add to a block.
pub(super) const FRAME_BYTES: usize = 8;

#[derive(Default)]
struct Reader {
    encoded: Vec<u8>,
    decoded: Vec<u8>,
    deflate: Option<Decompressor>,
    zstd: Option<bulk::Decompressor<'static>>,
}

#[derive(Default)]
struct Writer {
    encoded: Vec<u8>,
    decoded: Vec<u8>,
    deflate: Option<(i32, Compressor)>,
    zstd: Option<(i32, bulk::Compressor<'static>)>,
}

thread_local! {
    static READER: RefCell<Reader> = RefCell::default();
    static WRITER: RefCell<Writer> = RefCell::default();
}

/// The first `length` bytes of a scratch buffer, grown when needed.
fn room(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}

fn release(buffer: &mut Vec<u8>) {
    if buffer.capacity() > KEEP_BYTES {
        *buffer = Vec::new();
    }
}

/// Why a block cannot be decoded.
pub(super) enum BlockFault {
    /// Its bytes cannot be read, or are others than were written.
    Read(Error),
    /// What its bytes say makes no sense.
    Content(String),
}

impl From<String> for BlockFault {
    fn from(reason: String) -> Self {
        Self::Content(reason)
    }
}

/// Reads `stored` bytes at an offset, decodes them to exactly `length` bytes and hands those on.
///
/// The hands must not read blocks themselves.
pub(super) fn decode<R>(
    source: &dyn ReadAt,
    offset: u64,
    stored: usize,
    codec: Codec,
    length: usize,
    hand_on: impl FnOnce(&[u8]) -> R,
) -> Result<R, BlockFault> {
    READER.with_borrow_mut(|reader| {
        let result = reader.decode(source, offset, stored, codec, length).map(hand_on);
        release(&mut reader.encoded);
        release(&mut reader.decoded);
        result
    })
}

impl Reader {
    fn decode(
        &mut self,
        source: &dyn ReadAt,
        offset: u64,
        stored: usize,
        codec: Codec,
        length: usize,
    ) -> Result<&[u8], BlockFault> {
        let wanted = if codec == Codec::None { length } else { stored };
        if wanted > stored {
            return Err(format!("{stored} bytes where {length} are needed").into());
        }
        let encoded = room(&mut self.encoded, wanted);
        source.read_into(encoded, offset).map_err(BlockFault::Read)?;
        // before room is made for what a lying header promises
        let possible = match codec {
            Codec::None => true,
            // 258 bytes take at least two bits
            Codec::Deflate => length / 1032 <= wanted,
            Codec::Zstd => match zstd::zstd_safe::get_frame_content_size(encoded) {
                Ok(Some(size)) => size == length as u64,
                Ok(None) => true,
                Err(_) => return Err("zstd: no frame".to_owned().into()),
            },
        };
        if !possible {
            return Err(format!("{wanted} bytes of {codec:?} cannot hold {length}").into());
        }
        let decoded = match codec {
            Codec::None => return Ok(encoded),
            Codec::Deflate => {
                let decoded = room(&mut self.decoded, length);
                let context = self.deflate.get_or_insert_with(Decompressor::new);
                context
                    .zlib_decompress(encoded, decoded)
                    .map_err(|e| format!("deflate: {e}"))?
            }
            Codec::Zstd => {
                let decoded = room(&mut self.decoded, length);
                let context = match &mut self.zstd {
                    Some(context) => context,
                    none => none.insert(bulk::Decompressor::new().map_err(|e| e.to_string())?),
                };
                context
                    .decompress_to_buffer(encoded, decoded)
                    .map_err(|e| format!("zstd: {e}"))?
            }
        };
        if decoded != length {
            return Err(format!("decodes to {decoded} bytes where {length} are needed").into());
        }
        Ok(&self.decoded[..length])
    }
}

/// Lets `fill` write `length` bytes and compresses them; the block comes with GDAL's leader (its size) before it and the
/// trailer (its last four bytes again) behind it.
pub(super) fn encode(
    compression: Compression,
    length: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Result<Vec<u8>, String> {
    WRITER.with_borrow_mut(|writer| {
        let decoded = room(&mut writer.decoded, length);
        fill(decoded);
        let stored = match compression {
            Compression::Deflate(level) => {
                let context = match &mut writer.deflate {
                    Some((kept, context)) if *kept == level => context,
                    other => {
                        let level_checked = CompressionLvl::new(level)
                            .map_err(|_| format!("deflate level {level} does not exist; use 0 to 12"))?;
                        &mut other.insert((level, Compressor::new(level_checked))).1
                    }
                };
                let encoded = room(&mut writer.encoded, context.zlib_compress_bound(length));
                context
                    .zlib_compress(decoded, encoded)
                    .map_err(|e| e.to_string())?
            }
            Compression::Zstd(level) => {
                let context = match &mut writer.zstd {
                    Some((kept, context)) if *kept == level => context,
                    other => {
                        let context = bulk::Compressor::new(level).map_err(|e| e.to_string())?;
                        &mut other.insert((level, context)).1
                    }
                };
                let encoded = room(&mut writer.encoded, zstd::zstd_safe::compress_bound(length));
                context
                    .compress_to_buffer(decoded, encoded)
                    .map_err(|e| e.to_string())?
            }
        };
        let block = &writer.encoded[..stored];
        let mut result = Vec::with_capacity(stored + FRAME_BYTES);
        result.extend_from_slice(&(stored as u32).to_le_bytes());
        result.extend_from_slice(block);
        result.extend_from_slice(block.last_chunk::<4>().ok_or("a block of less than four bytes")?);
        release(&mut writer.encoded);
        release(&mut writer.decoded);
        Ok(result)
    })
}

/// Undoes predictor 3: bytes are differences along the row, and stand in planes from the most significant on.
/// `out` gets the floats little endian.
pub(super) fn unpredict_float(row: &[u8], samples: usize, planes: &mut Vec<u8>, out: &mut Vec<u8>) {
    planes.clear();
    if samples == 1 {
        let mut before = 0u8;
        planes.extend(row.iter().map(|&byte| {
            before = before.wrapping_add(byte);
            before
        }));
    } else {
        planes.extend_from_slice(row);
        for index in samples..planes.len() {
            planes[index] = planes[index].wrapping_add(planes[index - samples]);
        }
    }
    let count = row.len() / 4;
    out.resize(count * 4, 0);
    let (a, rest) = planes.split_at(count);
    let (b, rest) = rest.split_at(count);
    let (c, d) = rest.split_at(count);
    for ((((out, &a), &b), &c), &d) in out.as_chunks_mut().0.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *out = [d, c, b, a];
    }
}

/// Applies predictor 3 to a row of little-endian floats of one sample.
pub(super) fn predict_float(row: &mut [u8], planes: &mut Vec<u8>) {
    let count = row.len() / 4;
    planes.clear();
    for plane in (0..4).rev() {
        planes.extend(row.as_chunks::<4>().0[..count].iter().map(|bytes| bytes[plane]));
    }
    let mut before = 0u8;
    for (out, &byte) in row.iter_mut().zip(planes.iter()) {
        *out = byte.wrapping_sub(before);
        before = byte;
    }
}
