//! The text of tables as spreadsheets and loggers write them: UTF-8 with or without a mark, UTF-16 ("Unicode text" of
//! Excel), a first line `sep=;`, cells cut at commas, semicolons or tabs.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};
use std::io::{self, Cursor, Read};

/// Marks and separators that a table is cut at, the likeliest first.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// How much of a file is looked at to find out what it is, bytes.
const HEAD_BYTES: u64 = 4096;
/// Buffer of a reader, bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// Without a mark a text is UTF-16 when so large a share of its letters has a zero in the one half, and
const MOST_ZEROS: f64 = 0.4;
/// hardly any in the other: half of Vietnamese letters are ASCII, and so are all digits and marks of a table.
const FEW_ZEROS: f64 = 0.02;

/// A text that begins with its first letter.
pub struct PlainText<'s> {
    /// UTF-8 where it was UTF-16, otherwise the bytes as they are, without a mark.
    pub reader: Box<dyn Read + 's>,
    /// True when it was UTF-16.
    pub recoded: bool,
}

/// The same text in UTF-8 without a mark; what is no character becomes U+FFFD.
///
/// # Errors
/// When the source cannot be read.
pub fn utf8<'s>(source: impl Read + 's) -> io::Result<Box<dyn Read + 's>> {
    Ok(plain_text(source)?.reader)
}

/// Finds out how a text is encoded and reads it without its mark.
///
/// # Errors
/// When the source cannot be read.
pub fn plain_text<'s>(mut source: impl Read + 's) -> io::Result<PlainText<'s>> {
    let mut head = Vec::new();
    source.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let utf16 = utf16(&head);
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let whole = Cursor::new(head).chain(source);
    Ok(PlainText {
        reader: match utf16 {
            Some(encoding) => Box::new(Recoded::new(whole, encoding)),
            None => Box::new(whole),
        },
        recoded: utf16.is_some(),
    })
}

/// UTF-16 by its mark, by two letters of ASCII at its beginning, or by the zeros that Latin letters leave in every other byte.
fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    // beside the mark: no text of bytes begins with two letters of ASCII and zeros between them
    match head {
        [0xff, 0xfe, ..] | [1..=0x7f, 0, 1..=0x7f, 0, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] | [0, 1..=0x7f, 0, 1..=0x7f, ..] => return Some(UTF_16BE),
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
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
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

/// The separator that a first line `sep=;` names; none for another line.
pub fn separator_line(line: &str) -> Option<char> {
    let line = line.trim_end_matches(['\r', '\n']);
    // blanks behind it mean nothing, unless one is the sign
    let bare = line.trim_end_matches(' ').trim_matches('"');
    let line = if bare.len() > "sep=".len() {
        bare
    } else {
        line.trim_matches('"')
    };
    let (word, sign) = line.split_at_checked("sep=".len())?;
    let mut signs = sign.chars();
    let sign = signs.next()?;
    (word.eq_ignore_ascii_case("sep=") && signs.next().is_none()).then_some(sign)
}

/// The separator that a first line `sep=;` at the head of a text names, and the length of that line.
pub fn separator(head: &[u8]) -> Option<(u8, usize)> {
    let length = head.iter().position(|&byte| byte == b'\n')? + 1;
    let sign = separator_line(std::str::from_utf8(head.get(..length)?).ok()?)?;
    Some((u8::try_from(sign).ok().filter(u8::is_ascii)?, length))
}

/// What a header line is cut at: the sign that is there most often outside quotes, commas where none is.
pub fn delimiter(header: &str) -> char {
    let count = |delimiter: char| {
        let mut quoted = false;
        let outside = header.chars().filter(|&c| {
            quoted ^= c == '"';
            c == delimiter && !quoted
        });
        outside.count()
    };
    DELIMITERS
        .into_iter()
        .max_by_key(|&c| (count(c), c == ','))
        .unwrap_or(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let mut text = String::new();
        utf8(bytes)
            .and_then(|mut source| source.read_to_string(&mut text))
            .expect("text");
        text
    }

    #[test]
    fn every_way_of_writing_unicode_is_read_alike() {
        let text = "trạm;mực nước\n𠀀;1,52\n".repeat(20_000);
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(read(text.as_bytes()), text);
        assert_eq!(read(&[b"\xEF\xBB\xBF", text.as_bytes()].concat()), text);
        assert_eq!(read(&[b"\xFF\xFE", little.as_slice()].concat()), text);
        assert_eq!(read(&[b"\xFE\xFF", big.as_slice()].concat()), text);
        assert_eq!(read(&little), text, "without a mark");
        assert_eq!(read(&big), text, "without a mark");
        assert_eq!(read(b""), "");
        assert_eq!(read(b"ab"), "ab");
        assert_eq!(
            read(b"\xFF\xFEa\0\x00\xD8"),
            "a\u{FFFD}",
            "half a character at the end"
        );
    }

    #[test]
    fn separators_are_named_or_found() {
        assert_eq!(separator_line("sep=;\r\n"), Some(';'));
        assert_eq!(separator_line("\"SEP=\t\""), Some('\t'));
        assert_eq!(separator_line("sep=;x"), None);
        assert_eq!(separator_line("separator"), None);
        assert_eq!(separator_line("trạm"), None);
        assert_eq!(delimiter("time,station,level_m"), ',');
        assert_eq!(delimiter("\"a,b,c,d\";e;f"), ';');
        assert_eq!(delimiter("a\tb\tc"), '\t');
        assert_eq!(delimiter("a"), ',');
    }
}
