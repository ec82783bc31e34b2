//! Text files as programs write them: UTF-16 recoded, a byte-order mark left out, Excel's `sep=;` line read and left out.

use sen_catalog::table_text::{plain_text, separator};
use std::io::{BufRead, BufReader, Read, Result};

/// Buffer of a reader, bytes.
const BUFFER_BYTES: usize = 1 << 16;

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
pub fn open<'r>(source: impl Read + 'r) -> Result<TextFile<'r>> {
    let text = plain_text(source)?;
    let mut reader: Box<dyn BufRead + 'r> = Box::new(BufReader::with_capacity(BUFFER_BYTES, text.reader));
    let separator = separator(reader.fill_buf()?);
    reader.consume(separator.map_or(0, |(_, length)| length));
    Ok(TextFile {
        reader,
        delimiter: separator.map(|(delimiter, _)| delimiter),
        recoded: text.recoded,
    })
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
