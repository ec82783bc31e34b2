//! Is this word a Vietnamese syllable? What tells the old encodings apart: read in the wrong one, hardly any word is.

use unicode_normalization::UnicodeNormalization;

/// Initial consonants, longest first.
const ONSETS: &[&str] = &[
    "ngh", "ch", "gh", "gi", "kh", "ng", "nh", "ph", "qu", "th", "tr", "b", "c", "d", "đ", "g", "h", "k",
    "l", "m", "n", "p", "r", "s", "t", "v", "x", "",
];

/// Rhymes without tone marks.
const RHYMES: &str = " a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
e ec em en eng eo ep et ê êch êm ên ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im in inh ip it iu \
o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc oe oen oeo oet oi om on ong ooc oong op ot \
ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt \
u ua uân uâng uât uây uc uê uêch uênh ui um un ung uôc uôi uôm uôn uông uôt uơ up ut uy uya uych uyên uyêt uyn uynh uyt uyu \
ư ưa ưc ưi ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y yêm yên yêng yêt yêu ynh ";

/// Grave, acute, tilde, hook, dot below.
const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];

/// Accented words that names of places and remarks about fields are full of: what decides where a short text can be
/// spelt in two encodings.
const COMMON: &str = " xã ấp huyện tỉnh phường thị trấn thành phố đồng tháp mỹ tân phú hòa thạnh bình hưng vĩnh thới sơn nông \
lộc đức định hậu tiền cần thơ ruộng ông bà đất lúa kênh rạch bé lớn đông bắc hội việt năm cây ngã cầu cửa sông hồng \
nguyễn văn trần lê phạm huỳnh võ lý đội tổ hợp tác cao lãnh mười tràm gáo giồng quý long thuận an giang châu ";

/// True for one of the words that are met most.
pub(super) fn is_common(word: &str) -> bool {
    COMMON.contains(&format!(" {} ", word.to_lowercase()))
}

/// True for a word that Vietnamese can spell: an initial, a rhyme, at most one tone.
pub(super) fn is_syllable(word: &str) -> bool {
    if word.chars().count() > 8 {
        return false;
    }
    let lower: String = word.to_lowercase();
    let decomposed: Vec<char> = lower.nfd().collect();
    if decomposed.iter().filter(|c| TONES.contains(c)).count() > 1 {
        return false;
    }
    let plain: String = decomposed
        .into_iter()
        .filter(|c| !TONES.contains(c))
        .nfc()
        .collect();
    // the mixed case of a wrong reading: small letters before capitals
    let mut cases = word.chars().filter(|c| c.is_alphabetic()).map(char::is_uppercase);
    let first = cases.next().unwrap_or(false);
    let rest: Vec<bool> = cases.collect();
    if rest.iter().any(|&upper| upper) && !(first && rest.iter().all(|&upper| upper)) {
        return false;
    }
    ONSETS.iter().any(|onset| {
        plain
            .strip_prefix(onset)
            .is_some_and(|rhyme| !rhyme.is_empty() && RHYMES.contains(&format!(" {rhyme} ")))
            || (*onset == "gi" && plain == "gi")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_delta_are_spelt_with_syllables() {
        let text = "Xã Tân Thuận Đông huyện Cao Lãnh tỉnh Đồng Tháp ruộng ông Bảy kênh Nguyễn Văn Tiếp Hồng Ngự \
                    Lấp Vò Tràm Chim Gáo Giồng Mỹ Quý QUẢNG khuya nghiêng giếng gì yêu";
        for word in text.split_whitespace() {
            assert!(is_syllable(word), "{word}");
        }
    }

    #[test]
    fn misread_text_is_not() {
        for word in [
            "§ång", "Th¸p", "Ñoàng", "Thaùp", "Zürich", "xã̀", "straße", "hUyện",
        ] {
            assert!(!is_syllable(word), "{word}");
        }
    }
}
