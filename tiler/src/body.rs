//! The text of a body, however programs send it: packed with gzip, with the mark that Windows puts before UTF-8, in UTF-16.

use crate::problem::{Outcome, Problem};
use axum::http::{HeaderMap, header};
use libdeflater::{DecompressionError, Decompressor};

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// As it is.
    Plain,
    /// gzip.
    Gzip,
}

impl Packing {
    /// What `Content-Encoding` says; 415 for what is not unpacked here.
    pub(crate) fn of(headers: &HeaderMap) -> Outcome<Self> {
        let Some(coding) = headers.get(header::CONTENT_ENCODING) else {
            return Ok(Self::Plain);
        };
        match coding.to_str().unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            other => Err(Problem::unsupported(format!(
                "a body packed as `{other}` is not read here; send it plain or as gzip"
            ))),
        }
    }

    /// The text as UTF-8 without a mark; 413 when it is longer than `most` bytes once unpacked.
    pub(crate) fn text(self, body: Vec<u8>, most: usize) -> Outcome<Vec<u8>> {
        let plain = match self {
            Self::Plain => body,
            Self::Gzip => unpacked(&body, most)?,
        };
        utf8(plain)
    }
}

fn unpacked(body: &[u8], most: usize) -> Outcome<Vec<u8>> {
    let damaged = || {
        Problem::bad(
            "body",
            "the body is said to be gzip, and is not or did not arrive whole",
        )
    };
    let too_long = || Problem::too_large(format!("the body is longer than {} MB once unpacked", most >> 20));
    // the length stands at the end; one that lies, or is of a piece, is found out
    let &length = body.last_chunk::<4>().ok_or_else(damaged)?;
    let length = (u32::from_le_bytes(length) as usize).min(most);
    let mut text = vec![0; length];
    match Decompressor::new().gzip_decompress(body, &mut text) {
        Ok(length) => text.truncate(length),
        Err(DecompressionError::InsufficientSpace) => return Err(too_long()),
        Err(DecompressionError::BadData) => return Err(damaged()),
    }
    Ok(text)
}

fn utf8(body: Vec<u8>) -> Outcome<Vec<u8>> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        String::from_utf16(&units)
            .map(String::into_bytes)
            .map_err(|_| Problem::bad("body", "the body begins as UTF-16 and is none; send UTF-8"))
    };
    match body.as_slice() {
        [0xef, 0xbb, 0xbf, text @ ..] => Ok(text.to_vec()),
        [0xff, 0xfe, text @ ..] => wide(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => wide(text, u16::from_be_bytes),
        _ => Ok(body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use libdeflater::{CompressionLvl, Compressor};

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut packer = Compressor::new(CompressionLvl::fastest());
        let mut packed = vec![0; packer.gzip_compress_bound(text.len())];
        let length = packer.gzip_compress(text, &mut packed).expect("room");
        packed.truncate(length);
        packed
    }

    #[test]
    fn a_body_is_read_however_programs_write_it() {
        let text = "{\"tên\": 1}";
        let wide = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
            mark.into_iter()
                .chain(text.encode_utf16().flat_map(unit))
                .collect()
        };
        for body in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            wide(u16::to_le_bytes, [0xff, 0xfe]),
            wide(u16::to_be_bytes, [0xfe, 0xff]),
        ] {
            assert_eq!(
                Packing::Gzip.text(gzip(&body), 100).expect("read"),
                text.as_bytes()
            );
            assert_eq!(Packing::Plain.text(body, 100).expect("read"), text.as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused() {
        let status = |packed: Vec<u8>| {
            Packing::Gzip
                .text(packed, 1000)
                .err()
                .map(|problem| problem.status().as_u16())
        };
        assert_eq!(status(gzip(&[b' '; 1001])), Some(413));
        // a length that lies
        let mut bomb = gzip(&vec![b' '; 100_000]);
        let end = bomb.len() - 4;
        bomb[end..].copy_from_slice(&10_u32.to_le_bytes());
        assert_eq!(status(bomb), Some(413));
        assert_eq!(status(b"{}".to_vec()), Some(400));
        assert_eq!(status(gzip(b"{}")[..12].to_vec()), Some(400));
        let mut headers = HeaderMap::new();
        for (coding, known) in [
            ("gzip", true),
            ("GZIP", true),
            ("identity", true),
            ("br", false),
            ("gzip, br", false),
        ] {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
            assert_eq!(Packing::of(&headers).is_ok(), known, "{coding}");
        }
    }
}
