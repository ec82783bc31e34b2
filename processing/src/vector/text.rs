//! What encoding the text of a file is in: as told, as it can only be, or guessed from how it reads.

use super::legacy;
use super::syllable::{is_common, is_syllable};
use crate::gdal_io::vector::Raw;
use crate::{Error, Result};
use encoding_rs::Encoding as Charset;
use std::str::FromStr;

/// How much text is looked at for a guess, bytes.
const SAMPLE_BYTES: usize = 1 << 20;
/// A guess needs so large a share of the accented words to read as Vietnamese.
const READS_WELL: f64 = 0.7;
/// Shares of words that read as Vietnamese are as good as equal within this: some names are foreign, some misspelt.
const AS_GOOD: f64 = 0.1;

/// How bytes become letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows code page 1258.
    Windows1258,
    /// TCVN 5712 VN3, the ABC fonts.
    Tcvn3,
    /// VNI-Windows.
    Vni,
    /// Another one that the file itself names.
    Named(&'static Charset),
}

/// The encodings that Vietnamese text is guessed to be in; the first of two that read equally well is taken.
const VIETNAMESE: [Encoding; 3] = [Encoding::Windows1258, Encoding::Tcvn3, Encoding::Vni];

impl Encoding {
    /// The name as `--encoding` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Windows1258 => "windows-1258",
            Self::Tcvn3 => "tcvn3",
            Self::Vni => "vni",
            Self::Named(charset) => charset.name(),
        }
    }

    /// The text; none when the bytes cannot be of this encoding.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        // TCVN 5712 has letters among the control characters
        if bytes.is_ascii() && self != Self::Tcvn3 {
            return Some(bytes.iter().map(|&byte| char::from(byte)).collect());
        }
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Windows1258 => legacy::windows_1258(bytes),
            Self::Tcvn3 => Some(legacy::tcvn3(bytes)),
            Self::Vni => legacy::vni(bytes),
            Self::Named(charset) => charset
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(std::borrow::Cow::into_owned),
        }
    }
}

impl FromStr for Encoding {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Ok(Self::Utf8),
            "windows-1258" | "cp1258" => Ok(Self::Windows1258),
            "tcvn3" | "abc" => Ok(Self::Tcvn3),
            "vni" => Ok(Self::Vni),
            _ => Err(format!("`{text}` is none of utf-8, windows-1258, tcvn3, vni")),
        }
    }
}

/// The encoding of a file, and a word about it where it was not certain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    /// The encoding.
    pub encoding: Encoding,
    /// Which was guessed and why; none when there was nothing to guess.
    pub note: Option<String>,
}

/// Bytes as they lay in the file: OGR turns the text of MapInfo files that name a charset into UTF-8, which is
/// undone here, because the charset named is seldom the one the text is in.
pub(super) fn undo_mapinfo(bytes: Vec<u8>, charset: Option<&str>) -> Vec<u8> {
    let charset = match charset {
        Some("windowslatin1" | "isolatin1") => encoding_rs::WINDOWS_1252,
        Some("windowslatin2") => encoding_rs::WINDOWS_1250,
        _ => return bytes,
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.is_ascii() => match charset.encode(text) {
            (raw, _, false) => raw.into_owned(),
            _ => bytes,
        },
        _ => bytes,
    }
}

/// Collects text until there is enough of it to judge.
#[derive(Default)]
pub(super) struct Sample {
    texts: Vec<Vec<u8>>,
    bytes: usize,
}

impl Sample {
    pub(super) fn add(&mut self, value: &Raw) {
        let mut one = |text: &Vec<u8>| {
            if !text.is_ascii() && self.bytes < SAMPLE_BYTES {
                self.bytes += text.len();
                self.texts.push(text.clone());
            }
        };
        match value {
            Raw::Text(text) | Raw::Json(text) => one(text),
            Raw::List(texts) => texts.iter().for_each(one),
            _ => {}
        }
    }

    /// Decides. What the user told wins, then UTF-8 where all of it is UTF-8, then how it reads as Vietnamese, where an
    /// encoding that the file claims stands unless another reads clearly better, then any other claim of the file.
    ///
    /// # Errors
    /// When the text is of none of these, or not of the one told; the message says what to type.
    pub(super) fn choose(&self, what: &str, told: Option<Encoding>, claimed: Option<&str>) -> Result<Chosen> {
        let fits = |encoding: Encoding| self.texts.iter().all(|text| encoding.decode(text).is_some());
        if let Some(encoding) = told {
            if fits(encoding) {
                return Ok(Chosen { encoding, note: None });
            }
            let reason = format!(
                "its text is not {}; leave --encoding out to have it found",
                encoding.name()
            );
            return Err(Error::unreadable(what, reason));
        }
        if fits(Encoding::Utf8) {
            let certain =
                self.texts.is_empty() || claimed.is_some_and(|name| name.eq_ignore_ascii_case("utf-8"));
            let note = (!certain).then(|| {
                "text read as utf-8: all of it is, and nothing else is by chance; --encoding says otherwise".to_owned()
            });
            return Ok(Chosen {
                encoding: Encoding::Utf8,
                note,
            });
        }
        if let Some(chosen) = self.vietnamese(claimed) {
            return Ok(chosen);
        }
        let named = claimed.and_then(claim).filter(|&named| fits(named));
        if let Some(encoding) = named {
            let note = format!(
                "text read as {}, which the file claims; it is no Vietnamese; --encoding says otherwise",
                encoding.name()
            );
            return Ok(Chosen {
                encoding,
                note: Some(note),
            });
        }
        Err(Error::unreadable(
            what,
            "its text is neither UTF-8 nor Vietnamese in Windows-1258, TCVN3 or VNI; say which with --encoding",
        ))
    }

    /// The encoding in which it reads best as Vietnamese; none when it reads well in none.
    fn vietnamese(&self, claimed: Option<&str>) -> Option<Chosen> {
        let reads = VIETNAMESE.map(|encoding| (encoding, self.reads(encoding)));
        let mut best = reads[0];
        for other in &reads[1..] {
            if other.1.is_better(best.1) {
                best = *other;
            }
        }
        if best.1.share() < READS_WELL {
            return None;
        }
        // Latin code pages are claimed by every DBF and cannot hold Vietnamese: they are no claim here
        let stands = claimed
            .and_then(claim)
            .and_then(|claim| reads.into_iter().find(|(encoding, _)| *encoding == claim))
            .filter(|(_, claimed)| claimed.share() >= best.1.share() - AS_GOOD);
        let (encoding, own) = stands.unwrap_or(best);
        let rivals: Vec<_> = reads
            .into_iter()
            .filter(|(other, reads)| *other != encoding && reads.share() >= own.share() - AS_GOOD)
            .map(|(other, _)| other.name())
            .collect();
        let name = encoding.name();
        let note = match (stands.is_some(), rivals.is_empty()) {
            (true, true) => None,
            (true, false) => Some(format!(
                "text read as {name}, which the file claims; it is ambiguous, for it reads as well in {}; --encoding decides",
                rivals.join(" and ")
            )),
            (false, true) => Some(format!(
                "text guessed to be {name}: {} of {} accented words read as Vietnamese in it; --encoding says otherwise",
                own.well, own.all
            )),
            (false, false) => Some(format!(
                "text guessed to be {name}; it is ambiguous, for it reads as well in {}; --encoding decides",
                rivals.join(" and ")
            )),
        };
        Some(Chosen { encoding, note })
    }

    /// How the accented words read in this encoding.
    fn reads(&self, encoding: Encoding) -> Reads {
        let mut reads = Reads::default();
        for text in &self.texts {
            let words = text
                .split(|byte| byte.is_ascii() && !byte.is_ascii_alphabetic())
                .filter(|word| !word.is_ascii());
            for word in words {
                let word = encoding.decode(word);
                reads.all += 1;
                reads.well += usize::from(word.as_deref().is_some_and(is_syllable));
                reads.common += usize::from(word.as_deref().is_some_and(is_common));
            }
        }
        reads
    }
}

/// How words read in an encoding.
#[derive(Clone, Copy, Default)]
struct Reads {
    /// Vietnamese syllables among them.
    well: usize,
    /// Words that are met often among them.
    common: usize,
    /// All of them.
    all: usize,
}

impl Reads {
    fn share(self) -> f64 {
        self.well as f64 / self.all.max(1) as f64
    }

    /// More syllables, or as many and more of them common.
    fn is_better(self, other: Self) -> bool {
        (self.well, self.common) > (other.well, other.common)
    }
}

/// The encoding that a file claims by a name of DBF code pages, `.cpg` files or MapInfo heads.
fn claim(name: &str) -> Option<Encoding> {
    let name = name.trim();
    if let Ok(encoding) = name.parse() {
        return Some(encoding);
    }
    let charset = charset(name)?;
    Some(if charset == encoding_rs::WINDOWS_1258 {
        Encoding::Windows1258
    } else if charset == encoding_rs::UTF_8 {
        Encoding::Utf8
    } else {
        Encoding::Named(charset)
    })
}

/// The charset of a name as DBF code pages and MapInfo heads write them.
fn charset(name: &str) -> Option<&'static Charset> {
    let name = name.to_ascii_lowercase();
    let label = match name.as_str() {
        "windowslatin1" => "windows-1252",
        "windowslatin2" => "windows-1250",
        "windowscyrillic" => "windows-1251",
        "windowsvietnamese" => "windows-1258",
        "windowssimpchinese" => "gbk",
        "windowstradchinese" => "big5",
        "windowsjapanese" => "shift_jis",
        "windowskorean" => "euc-kr",
        other => match other
            .strip_prefix("cp")
            .or_else(|| other.strip_prefix("ansi "))
            .or_else(|| Some(other).filter(|page| page.bytes().all(|byte| byte.is_ascii_digit())))
        {
            Some(page) => return Charset::for_label(format!("windows-{page}").as_bytes()),
            None => other,
        },
    };
    Charset::for_label(label.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(texts: &[&[u8]]) -> Sample {
        let mut sample = Sample::default();
        for text in texts {
            sample.add(&Raw::Text(text.to_vec()));
        }
        sample
    }

    #[test]
    fn three_old_encodings_are_told_apart_by_how_they_read() {
        let cases: [(&[&[u8]], Encoding); 3] = [
            (&[b"\xa7\xe5ng Th\xb8p", b"X\xb7 M\xfc Qu\xfd"], Encoding::Tcvn3),
            (&[b"\xd1o\xe0ng Tha\xf9p", b"Xa\xf5 My\xf5 Qu\xed"], Encoding::Vni),
            (
                &[b"\xd0\xf4\xccng Tha\xecp", b"Xa\xde My\xde"],
                Encoding::Windows1258,
            ),
        ];
        for (texts, encoding) in cases {
            // a DBF claims Latin 1 whatever is in it
            let chosen = sample(texts)
                .choose("a.dbf", None, Some("ISO-8859-1"))
                .expect("guessed");
            assert_eq!(chosen.encoding, encoding, "{:?}", chosen.note);
            assert!(chosen.note.expect("told").contains(encoding.name()));
        }
    }

    #[test]
    fn what_the_file_claims_stands_where_another_encoding_reads_no_better() {
        // "Tam Nông", "Kim Sơn" in Windows-1258, which TCVN3 spells "Tam Nụng", "Kim Sừn"
        let names = sample(&[b"Tam N\xf4ng", b"Kim S\xf5n"]);
        for claimed in ["1258", "CP1258", "windows-1258", "ANSI 1258", "WindowsVietnamese"] {
            let chosen = names.choose("a.dbf", None, Some(claimed)).expect("claimed");
            assert_eq!(chosen.encoding, Encoding::Windows1258, "{claimed}");
            let note = chosen.note.expect("two readings");
            let told = ["ambiguous", "tcvn3", "--encoding"].map(|word| note.contains(word));
            assert_eq!(told, [true; 3], "{note}");
        }
        // without a claim the common names decide, and that it was close is told
        let chosen = names.choose("a.dbf", None, Some("ISO-8859-1")).expect("guessed");
        assert_eq!(chosen.encoding, Encoding::Windows1258);
        let note = chosen.note.expect("told");
        assert!(note.contains("ambiguous"), "{note}");
        // the same names written in TCVN3 and claimed so
        let chosen = sample(&[b"Tam N\xabng", b"Kim S\xacn"])
            .choose("a.dbf", None, Some("TCVN3"))
            .expect("claimed");
        assert_eq!(
            chosen,
            Chosen {
                encoding: Encoding::Tcvn3,
                note: None
            }
        );
    }

    #[test]
    fn a_claim_that_reads_clearly_worse_falls() {
        let chosen = sample(&[b"\xa7\xe5ng Th\xb8p", b"X\xb7 M\xfc Qu\xfd"])
            .choose("a.dbf", None, Some("1258"))
            .expect("guessed");
        assert_eq!(chosen.encoding, Encoding::Tcvn3);
        assert!(chosen.note.expect("told").contains("guessed"));
    }

    #[test]
    fn utf8_and_ascii_need_no_guess() {
        let chosen = sample(&["Đồng Tháp".as_bytes()]).choose("a.gpkg", None, Some("UTF-8"));
        assert_eq!(
            chosen.expect("clear"),
            Chosen {
                encoding: Encoding::Utf8,
                note: None
            }
        );
        assert_eq!(
            sample(&[b"Cao Lanh"])
                .choose("a.dbf", None, None)
                .expect("clear")
                .note,
            None
        );
    }

    #[test]
    fn other_languages_go_by_what_the_file_claims_or_are_refused() {
        let dutch = sample(&[b"Ma\xefs op zand", b"Caf\xe9 Z\xfcrich"]);
        let chosen = dutch.choose("a.dbf", None, Some("ISO-8859-1")).expect("claimed");
        assert_eq!(chosen.encoding.decode(b"Ma\xefs").as_deref(), Some("Maïs"));
        let refused = dutch
            .choose("a.dbf", None, None)
            .expect_err("unknown")
            .to_string();
        assert!(
            refused.contains("--encoding") && refused.contains("a.dbf"),
            "{refused}"
        );
        let wrong = dutch
            .choose("a.dbf", Some(Encoding::Utf8), None)
            .expect_err("not utf-8");
        assert!(wrong.to_string().contains("not utf-8"));
    }

    #[test]
    fn mapinfo_recoding_is_undone() {
        let recoded = "§ång Th¸p".as_bytes().to_vec();
        assert_eq!(
            undo_mapinfo(recoded, Some("windowslatin1")),
            b"\xa7\xe5ng Th\xb8p"
        );
        assert_eq!(
            undo_mapinfo("Đồng".as_bytes().to_vec(), Some("windowslatin1")),
            "Đồng".as_bytes()
        );
        assert_eq!(undo_mapinfo(b"\xa7\xe5ng".to_vec(), None), b"\xa7\xe5ng");
    }
}
