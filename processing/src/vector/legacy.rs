//! The three ways Vietnamese was written before Unicode: Windows-1258, TCVN3 (ABC) and VNI, all one byte a letter or
//! two, told apart by nothing but what they read like.

use unicode_normalization::UnicodeNormalization;

/// TCVN 5712:1993 from 0x80 on, as glibc's TCVN5712-1 has it. The ABC fonts use VN3 of it, which has no capitals with
/// tones; files of other programs hold those too, at the places of VN1.
const TCVN: &str = "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u{a0}ĂÂÊÔƠƯĐăâêôơưđẰ\u{300}\u{309}\u{303}\u{301}\u{323}àảãáạẲằẳẵắẴ\
ẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ";

/// A letter of TCVN 5712; none for ASCII. VN1 has its last capitals where ASCII has control characters.
fn tcvn_letter(byte: u8) -> Option<char> {
    Some(match byte {
        0x01 => 'Ú',
        0x02 => 'Ụ',
        0x04 => 'Ừ',
        0x05 => 'Ử',
        0x06 => 'Ữ',
        0x11 => 'Ứ',
        0x12 => 'Ự',
        0x13 => 'Ỳ',
        0x14 => 'Ỷ',
        0x15 => 'Ỹ',
        0x16 => 'Ý',
        0x17 => 'Ỵ',
        _ => return TCVN.chars().nth(usize::from(byte.checked_sub(0x80)?)),
    })
}

/// TCVN3 text. The ABC fonts show capital letters with tones by a font of capitals: in a word written in capitals the
/// small ones are made capitals.
pub(super) fn tcvn3(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for word in bytes.split_inclusive(|&byte| !(byte.is_ascii_alphabetic() || byte >= 0x80)) {
        let plain: Vec<u8> = word.iter().copied().filter(u8::is_ascii_alphabetic).collect();
        let capitals = plain.len() >= 2 && plain.iter().all(u8::is_ascii_uppercase);
        for &byte in word {
            match tcvn_letter(byte) {
                None => out.push(char::from(byte)),
                Some(letter) if capitals => out.extend(letter.to_uppercase()),
                Some(letter) => out.push(letter),
            }
        }
    }
    out.nfc().collect()
}

/// VNI letters that stand alone.
fn vni_letter(byte: u8) -> Option<char> {
    Some(match byte {
        0xD1 => 'Đ',
        0xF1 => 'đ',
        0xD6 => 'Ư',
        0xF6 => 'ư',
        0xD4 => 'Ơ',
        0xF4 => 'ơ',
        0xEC => 'ì',
        0xED => 'í',
        0xE6 => 'ỉ',
        0xF3 => 'ĩ',
        0xF2 => 'ị',
        0xCC => 'Ì',
        0xCD => 'Í',
        0xC6 => 'Ỉ',
        0xD3 => 'Ĩ',
        0xD2 => 'Ị',
        0xEE => 'ỵ',
        0xCE => 'Ỵ',
        0xA0 => '\u{a0}',
        _ => return None,
    })
}

/// VNI marks, which follow their vowel: hat or breve, and tone, as combining characters.
fn vni_mark(byte: u8) -> Option<&'static str> {
    const GRAVE: &str = "\u{300}";
    const ACUTE: &str = "\u{301}";
    const TILDE: &str = "\u{303}";
    const HOOK: &str = "\u{309}";
    const DOT: &str = "\u{323}";
    // capital marks lie 0x20 below the small ones
    Some(match byte | 0x20 {
        0xF8 => GRAVE,
        0xF9 => ACUTE,
        0xFB => HOOK,
        0xF5 => TILDE,
        0xEF => DOT,
        0xE2 => "\u{302}",
        0xE0 => "\u{302}\u{300}",
        0xE1 => "\u{302}\u{301}",
        0xE5 => "\u{302}\u{309}",
        0xE3 => "\u{302}\u{303}",
        0xE4 => "\u{302}\u{323}",
        0xEA => "\u{306}",
        0xE8 => "\u{306}\u{300}",
        0xE9 => "\u{306}\u{301}",
        0xFA => "\u{306}\u{309}",
        0xFC => "\u{306}\u{303}",
        0xEB => "\u{306}\u{323}",
        _ => return None,
    })
}

/// VNI-Windows text.
pub(super) fn vni(bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(bytes.len() * 2);
    for &byte in bytes {
        if byte < 0x80 {
            out.push(char::from(byte));
        } else if let Some(letter) = vni_letter(byte) {
            out.push(letter);
        } else {
            let vowel = out.chars().next_back()?;
            if !"aeiouyAEIOUYơưƠƯ".contains(vowel) {
                return None;
            }
            out.push_str(vni_mark(byte)?);
        }
    }
    Some(out.nfc().collect())
}

/// Windows-1258 text: vowels with combining tones, composed.
pub(super) fn windows_1258(bytes: &[u8]) -> Option<String> {
    let text = encoding_rs::WINDOWS_1258.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(text.nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_republic_s_name_in_three_encodings() {
        let name = "Cộng hòa xã hội chủ nghĩa Việt Nam";
        let latin = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        assert_eq!(tcvn3(&latin("Céng hßa x· héi chñ nghÜa ViÖt Nam")), name);
        assert_eq!(
            vni(&latin("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam")).as_deref(),
            Some(name)
        );
        // iconv -t CP1258 (glibc 2.36)
        let cp1258 = b"C\xf4\xf2ng ho\xcca xa\xde h\xf4\xf2i chu\xd2 nghi\xdea Vi\xea\xf2t Nam";
        assert_eq!(windows_1258(cp1258).as_deref(), Some(name));
    }

    #[test]
    fn capitals_of_tcvn3_follow_their_word() {
        let latin = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
        assert_eq!(tcvn3(&latin("TØNH §åNG TH¸P")), "TỈNH ĐỒNG THÁP");
        assert_eq!(tcvn3(&latin("Hå §ång")), "Hồ Đồng");
    }

    #[test]
    fn capitals_with_tones_have_places_of_their_own_in_vn1() {
        // iconv -t TCVN5712-1 (glibc 2.36)
        assert_eq!(tcvn3(b"\xc4p \x83 \xff \x84"), "Ấp Á Ố Ạ");
        assert_eq!(tcvn3(b"\x01t H\xcbu, \x16 Y\xaan"), "Út Hậu, Ý Yên");
        assert_eq!(tcvn3(b"Cao L\xb7nh\t\n"), "Cao Lãnh\t\n");
    }

    #[test]
    fn a_mark_without_a_vowel_is_not_vni() {
        assert_eq!(vni(b"\xf8a"), None);
        assert_eq!(vni(b"t\xf8a"), None);
    }
}
