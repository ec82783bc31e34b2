//! Text files as programs write them: UTF-16 recoded, a byte-order mark left out, Excel's `sep=;` line read and left out.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};
use std::io::{BufRead, BufReader, Cursor, Read, Result};

/// How much of a file is looked at to find out what it is, bytes.
const HEAD_BYTES: u64 = 4096;
/// Buffer of a reader, bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// Without a mark a text is UTF-16 when so large a share of its letters has a zero in the one half, and
const MOST_ZEROS: f64 = 0.4;
/// hardly any in the other: half of Vietnamese letters are ASCII, and so are all digits and marks of a table.
const FEW_ZEROS: f64 = 0.02;

/// A text file that begins with its first letter.
pub struct TextFile<'r> {
    /// UTF-8 where it was UTF-16, otherwise the bytes as they are.
    pub reader: Box<dyn BufRead + 'r>,
    /// What cuts its cells, where a first line `sep=` says so.
    pub delimiter: Option<u8>,
    /// True when it was UTF-16: what is read is UTF-8.
    pub recoded: bool,
}

/// Finds out how a text is encoded.
///
/// # Errors
/// What the reader says.
pub fn open<'r>(mut reader: impl Read + 'r) -> Result<TextFile<'r>> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let utf16 = utf16(&head);
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let whole = Cursor::new(head).chain(reader);
    let mut reader: Box<dyn BufRead + 'r> = match utf16 {
        Some(encoding) => Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            Recoded::new(whole, encoding),
        )),
        None => Box::new(BufReader::with_capacity(BUFFER_BYTES, whole)),
    };
    let separator = separator(reader.fill_buf()?);
    reader.consume(separator.map_or(0, |(_, length)| length));
    Ok(TextFile {
        reader,
        delimiter: separator.map(|(delimiter, _)| delimiter),
        recoded: utf16.is_some(),
    })
}

/// UTF-16 by its mark, or by the zeros that Latin letters leave in every other byte.
fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let pairs = head.chunks_exact(2);
    let count = pairs.len().max(1) as f64;
    let zeros = |half: usize| pairs.clone().filter(|pair| pair[half] == 0).count() as f64 / count;
    match (zeros(0), zeros(1)) {
        (first, second) if first <= FEW_ZEROS && second >= MOST_ZEROS => Some(UTF_16LE),
        (first, second) if second <= FEW_ZEROS && first >= MOST_ZEROS => Some(UTF_16BE),
        _ => None,
    }
}

/// The delimiter that a first line `sep=;` names, and the length of that line.
fn separator(head: &[u8]) -> Option<(u8, usize)> {
    let length = head.iter().position(|&byte| byte == b'\n')? + 1;
    let line = head[..length].trim_ascii_end();
    // a tab at its end is no white space here
    let line = if head[..line.len() + 1].ends_with(b"\t") {
        &head[..line.len() + 1]
    } else {
        line
    };
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    match line {
        [name @ .., delimiter] if name.eq_ignore_ascii_case(b"sep=") => Some((*delimiter, length)),
        _ => None,
    }
}

/// A reader of UTF-16 that gives UTF-8.
struct Recoded<R> {
    inner: R,
    decoder: Decoder,
    /// Read and not yet decoded; decoded and not yet taken.
    raw: Vec<u8>,
    text: Cursor<Vec<u8>>,
    ended: bool,
}

impl<R: Read> Recoded<R> {
    fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BUFFER_BYTES],
            text: Cursor::default(),
            ended: false,
        }
    }
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        while !self.ended && self.text.position() as usize == self.text.get_ref().len() {
            let length = self.inner.read(&mut self.raw)?;
            self.ended = length == 0;
            let room = self
                .decoder
                .max_utf8_buffer_length(length)
                .unwrap_or(4 * BUFFER_BYTES);
            let mut text = vec![0; room];
            let (result, _, written, _) =
                self.decoder
                    .decode_to_utf8(&self.raw[..length], &mut text, self.ended);
            debug_assert!(result == CoderResult::InputEmpty);
            text.truncate(written);
            self.text = Cursor::new(text);
        }
        self.text.read(into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Option<u8>) {
        let mut file = open(bytes).expect("reads");
        let mut text = String::new();
        file.reader.read_to_string(&mut text).expect("UTF-8");
        (text, file.delimiter)
    }

    #[test]
    fn utf_16_of_both_orders_with_and_without_a_mark_becomes_utf_8() {
        let text = "ma\tten\nP-1\tThửa số một, ấp Mỹ Đông Hai\n".repeat(400);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [
            (&b"\xff\xfe"[..], &little),
            (b"\xfe\xff", &big),
            (b"", &little),
            (b"", &big),
        ] {
            assert_eq!(read(&[mark, bytes].concat()), (text.clone(), None));
        }
        assert_eq!(
            read(&[b"\xef\xbb\xbf", text.as_bytes()].concat()),
            (text.clone(), None)
        );
        assert_eq!(read(text.as_bytes()), (text, None));
    }

    #[test]
    fn the_line_that_names_the_separator_is_no_row() {
        for (line, delimiter) in [
            ("sep=;\r\n", b';'),
            ("SEP=|\n", b'|'),
            ("\"sep=,\"\n", b','),
            ("sep=\t\n", b'\t'),
        ] {
            assert_eq!(
                read(format!("{line}a;b\n").as_bytes()),
                ("a;b\n".into(), Some(delimiter)),
                "{line}"
            );
        }
        assert_eq!(read(b"sepia=1\n").1, None);
        assert_eq!(read(b"").1, None);
    }
}
