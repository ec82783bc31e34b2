//! Values that look like those of persons: said at an import, so that somebody decides before they are shown.

/// Values looked at of a column.
const SAMPLE: usize = 2_000;
/// Values a column needs before it is judged by them.
const FEWEST: usize = 3;
/// Share of the values that look so before the column does.
const SHARE: f64 = 0.6;

/// The frequent family names of Viet Nam, without accents. A rare one is missed: the word said at an import is a hint, the
/// names of columns decide.
const SURNAMES: &[&str] = &[
    "nguyen", "tran", "le", "pham", "hoang", "huynh", "phan", "vu", "vo", "dang", "bui", "do", "ho", "ngo",
    "duong", "ly", "dinh", "mai", "truong", "trinh", "dao", "lam", "luong", "phung", "doan", "cao", "ta",
    "thai", "chau", "quach", "kieu",
];

/// What the values of a column look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonalData {
    /// Names of people.
    PersonName,
    /// Telephone numbers of Viet Nam.
    PhoneNumber,
    /// Addresses of electronic mail.
    EmailAddress,
    /// Numbers of identity cards (12 digits, the first three those of a province and century).
    IdentityNumber,
}

impl PersonalData {
    /// The words of a message.
    pub fn words(self) -> &'static str {
        match self {
            Self::PersonName => "names of people",
            Self::PhoneNumber => "telephone numbers",
            Self::EmailAddress => "e-mail addresses",
            Self::IdentityNumber => "identity numbers",
        }
    }
}

/// Tells values of a kind.
type ValueTest = fn(&str) -> bool;

/// What most values of a column look like; none for a column of anything else, or of fewer than three values.
pub fn personal_data<'a>(values: impl Iterator<Item = &'a str>) -> Option<PersonalData> {
    let values: Vec<&str> = values
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .take(SAMPLE)
        .collect();
    if values.len() < FEWEST {
        return None;
    }
    let kinds: [(PersonalData, ValueTest); 4] = [
        (PersonalData::EmailAddress, is_email),
        (PersonalData::IdentityNumber, is_identity_number),
        (PersonalData::PhoneNumber, is_phone_number),
        (PersonalData::PersonName, is_person_name),
    ];
    kinds.into_iter().find_map(|(kind, fits)| {
        let fitting = values.iter().filter(|value| fits(value)).count();
        (fitting as f64 >= SHARE * values.len() as f64).then_some(kind)
    })
}

fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.split_once('@') else {
        return false;
    };
    let plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    plain(user) && plain(host) && host.contains('.')
}

fn is_identity_number(text: &str) -> bool {
    text.len() == 12 && text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `0912 345 678`, `+84 912 345 678`, `0277.3851431`.
fn is_phone_number(text: &str) -> bool {
    let marks = |c: char| " .-()".contains(c);
    let digits: String = text.chars().filter(|&c| !marks(c)).collect();
    let national = digits
        .strip_prefix("+84")
        .or_else(|| digits.strip_prefix("0084"))
        .or_else(|| digits.strip_prefix('0'));
    let Some(national) = national else { return false };
    (9..=10).contains(&national.len())
        && national.bytes().all(|byte| byte.is_ascii_digit())
        && national.starts_with(['2', '3', '5', '7', '8', '9'])
}

/// A family name and one to four further words, each with a capital.
fn is_person_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let titled = |word: &&str| word.starts_with(char::is_uppercase) && word.chars().all(char::is_alphabetic);
    (2..=5).contains(&words.len())
        && words.iter().all(titled)
        && words
            .first()
            .is_some_and(|first| SURNAMES.contains(&crate::feature::fold(first).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Option<PersonalData> {
        personal_data(values.iter().copied())
    }

    #[test]
    fn people_are_told_from_crops_places_and_codes() {
        let names = [
            "Nguyễn Văn Bảy",
            "TRẦN THỊ HAI",
            "Lê Ba",
            "hộ nghèo",
            "Phạm Văn Út Em",
        ];
        assert_eq!(of(&names), Some(PersonalData::PersonName));
        let phones = ["0912 345 678", "+84 277 3851 431", "0388.123.456"];
        assert_eq!(of(&phones), Some(PersonalData::PhoneNumber));
        assert_eq!(
            of(&["079012345678", "087190001234", "001085012345"]),
            Some(PersonalData::IdentityNumber)
        );
        assert_eq!(
            of(&["a.b@c.vn", "x@y.com", "-", "z@q.org"]),
            Some(PersonalData::EmailAddress)
        );
        for other in [
            &["lúa", "xoài", "Lúa"][..],
            &["Xã Mỹ Thọ", "Phường Cao Lãnh", "Xã Tân Hồng"],
            &["Kênh Nguyễn Văn Tiếp", "Kênh Hồng Ngự", "Rạch Cái Tàu"],
            &["DT-000001", "DT-000002", "DT-000003"],
            &["0.35", "1.2", "0.8"],
            &["2026-01-02", "2026-01-03", "2026-01-04"],
            &["Nguyễn Văn Bảy", "Trần Hai"],
        ] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}
