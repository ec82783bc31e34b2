//! Wide whole numbers of a DBF as they are written there: OGR makes floating numbers of them, which keep 15 digits.

use super::vector::VsiFile;
use std::io::{BufReader, Read};

/// The records of a DBF, read forward.
pub(super) struct Dbf {
    file: BufReader<VsiFile>,
    /// Bytes of a record; how many records have been read.
    length: usize,
    read: u64,
    record: Vec<u8>,
    /// Of each column the place in a record; none where it holds no wide whole numbers.
    places: Vec<Option<(usize, usize)>>,
}

/// Digits that a floating number keeps.
const EXACT_DIGITS: usize = 15;

impl Dbf {
    /// The DBF beside a `.shp`; none where there is none or no column of it is of that kind.
    pub(super) fn beside(shp: &str) -> Option<Self> {
        let stem = &shp[..shp.len().checked_sub(4)?];
        let mut file = BufReader::new(
            ["dbf", "DBF"]
                .iter()
                .find_map(|end| VsiFile::open(&format!("{stem}.{end}")))?,
        );
        let mut head = [0; 32];
        file.read_exact(&mut head).ok()?;
        let word = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (size, length) = (word(8), word(10));
        let mut rest = vec![0; size.checked_sub(32)?];
        file.read_exact(&mut rest).ok()?;
        let mut at = 1;
        let mut places = Vec::new();
        for field in rest.chunks_exact(32).take_while(|field| field[0] != 0x0d) {
            let (kind, width, decimals) = (field[11], usize::from(field[16]), field[17]);
            let wide = matches!(kind, b'N' | b'F') && decimals == 0 && width > EXACT_DIGITS;
            places.push(wide.then_some((at, width)));
            at += width;
        }
        (at <= length && places.iter().any(Option::is_some)).then(|| Self {
            file,
            length,
            read: 0,
            record: vec![0; length],
            places,
        })
    }

    /// The digits of a wide whole number; none when it is short enough to be held otherwise. Records come in their order.
    pub(super) fn digits(&mut self, record: u64, column: usize) -> Option<String> {
        let (at, width) = (*self.places.get(column)?)?;
        while self.read <= record {
            self.file.read_exact(&mut self.record).ok()?;
            self.read += 1;
        }
        debug_assert!(self.read == record + 1 && at + width <= self.length);
        let text = std::str::from_utf8(&self.record[at..at + width]).ok()?.trim();
        let digits = text.strip_prefix('-').unwrap_or(text);
        (digits.len() > EXACT_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.to_owned())
    }
}
