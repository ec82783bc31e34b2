//! The text of tables as spreadsheets and loggers write them: UTF-8 with or without a mark, UTF-16 ("Unicode text" of
//! Excel), a first line `sep=;`, cells cut at commas, semicolons or tabs.

use std::io::{self, Read};

/// Marks and separators that a table is cut at, the likeliest first.
const DELIMITERS: [char; 3] = [',', ';', '\t'];

/// The same text in UTF-8 without a mark. UTF-16 is told by its mark, or by a first character of ASCII without one.
///
/// # Errors
/// When the source cannot be read.
pub fn utf8<'s>(mut source: impl Read + 's) -> io::Result<Box<dyn Read + 's>> {
    let mut start = Vec::new();
    source.by_ref().take(4).read_to_end(&mut start)?;
    let (mark, wide) = match start.as_slice() {
        [0xEF, 0xBB, 0xBF, ..] => (3, None),
        [0xFF, 0xFE, ..] => (2, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xFE, 0xFF, ..] => (2, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
        [1..=0x7F, 0, 1..=0x7F, 0] => (0, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0, 1..=0x7F, 0, 1..=0x7F] => (0, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => (0, None),
    };
    let rest = io::Cursor::new(start.split_off(mark)).chain(source);
    Ok(match wide {
        None => Box::new(rest),
        Some(unit) => Box::new(Utf16 {
            source: rest,
            unit,
            odd: None,
            high: None,
            text: Vec::new(),
            taken: 0,
        }),
    })
}

/// UTF-16 read as UTF-8; what is no character becomes U+FFFD.
struct Utf16<R> {
    source: R,
    unit: fn([u8; 2]) -> u16,
    /// A byte whose other half is still to come.
    odd: Option<u8>,
    /// A high surrogate whose other half is still to come.
    high: Option<u16>,
    text: Vec<u8>,
    taken: usize,
}

impl<R: Read> Utf16<R> {
    /// Fills the text with the next piece: empty at the end, or where a piece is half a character.
    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(1 << 16);
        bytes.extend(self.odd.take());
        self.source.by_ref().take(1 << 16).read_to_end(&mut bytes)?;
        if bytes.len() < 2 {
            let half = self.high.take().is_some() || !bytes.is_empty();
            self.text = if half {
                char::REPLACEMENT_CHARACTER.to_string()
            } else {
                String::new()
            }
            .into_bytes();
            self.taken = 0;
            return Ok(());
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        self.odd = odd.first().copied();
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        units.extend(pairs.iter().map(|pair| (self.unit)(*pair)));
        if let Some(last) = units
            .last()
            .copied()
            .filter(|last| (0xD800..0xDC00).contains(last))
        {
            self.high = Some(last);
            units.pop();
        }
        let text: String = char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.text = text.into_bytes();
        self.taken = 0;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            self.fill()?;
            if self.text.is_empty() && self.high.is_none() {
                return Ok(0);
            }
        }
        let count = into.len().min(self.text.len() - self.taken);
        into[..count].copy_from_slice(&self.text[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// The separator that a first line `sep=;` names; none for another line.
pub fn separator_line(line: &str) -> Option<char> {
    let line = line.trim_end_matches(['\r', '\n']).trim_matches('"');
    let (word, sign) = line.split_at_checked(4)?;
    let mut signs = sign.chars();
    let sign = signs.next()?;
    (word.eq_ignore_ascii_case("sep=") && signs.next().is_none()).then_some(sign)
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
