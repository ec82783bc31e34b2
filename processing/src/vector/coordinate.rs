//! Coordinates as people write them in tables: under which names, and as what kind of number.

use sen_catalog::feature::fold;

/// Names of a pair of columns, folded, most telling first: longitude or easting, latitude or northing.
const PAIRS: &[(&str, &str)] = &[
    ("lon", "lat"),
    ("longitude", "latitude"),
    ("lng", "lat"),
    ("long", "lat"),
    ("kinhdo", "vido"),
    ("kinhdodong", "vidobac"),
    ("kinhtuyen", "vituyen"),
    ("kd", "vd"),
    ("easting", "northing"),
    ("east", "north"),
    ("toadox", "toadoy"),
    ("x", "y"),
    ("xcoord", "ycoord"),
    ("coordx", "coordy"),
    ("pointx", "pointy"),
];

/// What is looked for, for messages.
pub(super) const LOOKED_FOR: &str = "lon and lat, longitude and latitude, kinh_do and vi_do, easting and northing, x and y, toado_x and toado_y";

/// The columns of longitude or easting and of latitude or northing among names in any spelling: with or without marks,
/// capitals, and what else stands there, such as a unit in brackets.
pub(super) fn columns(names: &[String]) -> Option<(usize, usize)> {
    let plain: Vec<String> = names
        .iter()
        .map(|name| fold(name.split(['(', '[']).next().unwrap_or_default()))
        .collect();
    let at = |wanted: &str| plain.iter().position(|name| name == wanted);
    PAIRS.iter().find_map(|(x, y)| at(x).zip(at(y)))
}

/// A coordinate: a number with a point or a comma, or degrees, minutes and seconds (`105°30'04.3"E`, `10 30 08 B`).
pub(super) fn coordinate(text: &str) -> Option<f64> {
    let text = text.trim();
    number(text).or_else(|| sexagesimal(text))
}

/// A decimal number. One mark is that of decimals, several of one kind and spaces stand between thousands.
fn number(text: &str) -> Option<f64> {
    let is_space = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}');
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let marks: Vec<char> = text.chars().filter(|c| matches!(c, ',' | '.')).collect();
    let thousands = match marks[..] {
        [] | [_] => None,
        [first, ..] if marks[..marks.len() - 1].iter().all(|mark| *mark == first) => Some(first),
        _ => return None,
    };
    let decimal = match (thousands, marks.last()) {
        (Some(thousands), Some(&last)) => Some(last).filter(|last| *last != thousands),
        (_, last) => last.copied(),
    };
    let (whole, fraction) = decimal
        .and_then(|mark| text.rsplit_once(mark))
        .unwrap_or((text, ""));
    let mut groups = whole.split(|c: char| is_space(c) || Some(c) == thousands);
    let first = groups.next()?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut joined = first.to_owned();
    for group in groups {
        if group.len() != 3 {
            return None;
        }
        joined.push_str(group);
    }
    (!first.is_empty() && digits(&joined) && digits(fraction))
        .then(|| format!("{sign}{joined}.{fraction}0").parse().ok())
        .flatten()
}

/// Letters that name a side of the earth in either language: B and Đ are north and east, T is west.
const SIDES: &str = "ENBĐWTSenbđwt";
/// Those of them that are west or south.
const NEGATIVE_SIDES: &str = "WTSwt";
/// What stands behind degrees, minutes (phút) and seconds (giây), or between them.
const MARKS: &str = "°º˚'’‘′\"”“″dDmMspgo: \u{a0}-";

/// Degrees, minutes and seconds.
fn sexagesimal(text: &str) -> Option<f64> {
    let side = |c: Option<char>| c.filter(|c| SIDES.contains(*c));
    let (side, text) = match (side(text.chars().next()), side(text.chars().next_back())) {
        (Some(first), _) => (Some(first), &text[first.len_utf8()..]),
        (None, Some(last)) => (Some(last), &text[..text.len() - last.len_utf8()]),
        _ => (None, text),
    };
    let text = text.trim();
    let (minus, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let marked = text.contains(|c| MARKS.contains(c));
    let parts: Vec<f64> = text
        .replace(',', ".")
        .split(|c| MARKS.contains(c))
        .filter(|part| !part.is_empty())
        .map(|part| {
            part.parse()
                .ok()
                .filter(|_| part.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect::<Option<_>>()?;
    let [degrees, rest @ ..] = &parts[..] else {
        return None;
    };
    let whole = parts[..parts.len() - 1].iter().all(|part| part.fract() == 0.0);
    let bounded = *degrees <= 180.0 && rest.len() <= 2 && rest.iter().all(|part| *part < 60.0);
    if !whole || !bounded || !(marked || side.is_some()) {
        return None;
    }
    let value = degrees + rest.first().unwrap_or(&0.0) / 60.0 + rest.get(1).unwrap_or(&0.0) / 3600.0;
    let negative = minus || side.is_some_and(|side| NEGATIVE_SIDES.contains(side));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_known_in_both_languages_with_and_without_marks() {
        for (x, y) in [
            ("lon", "lat"),
            ("LONGITUDE", "Latitude"),
            ("Kinh độ", "Vĩ độ"),
            ("kinh_do", "vi_do"),
            ("KINHDO", "VIDO"),
            ("Kinh độ (°)", "Vĩ độ [độ]"),
            ("toado_x", "toado_y"),
            ("Tọa độ X", "Toạ độ Y"),
            ("POINT_X", "POINT_Y"),
            ("Easting", "Northing"),
        ] {
            let names = ["Mã", y, "Tên", x].map(str::to_owned);
            assert_eq!(columns(&names), Some((3, 1)), "{x} {y}");
        }
        assert_eq!(columns(&["code", "lon", "y"].map(str::to_owned)), None);
    }

    #[test]
    fn numbers_of_both_conventions_and_sexagesimal_degrees() {
        let right = 105.0 + 30.0 / 60.0 + 4.3 / 3600.0;
        for text in [
            "105°30'04.3\"E",
            "105°30'04,3\"",
            "105° 30′ 4.3″ Đ",
            "105 30 4.3",
            "105:30:04.3",
            "105d30m04.3s",
            "105-30-04.3",
            "E105°30'04.3\"",
            "105º30’04.3”",
        ] {
            let read = coordinate(text).expect(text);
            assert!((read - right).abs() < 1e-9, "{text}: {read}");
        }
        for (text, right) in [
            ("105.5012", 105.5012),
            ("105,5012", 105.5012),
            ("105.5012°E", 105.5012),
            ("-10.5", -10.5),
            ("10°30'S", -10.5),
            ("10°30'B", 10.5),
            ("75°30'W", -75.5),
            ("1161000", 1_161_000.0),
            ("1.161.000,25", 1_161_000.25),
            ("1,161,000.25", 1_161_000.25),
            ("580 000.5", 580_000.5),
            ("1,161,000", 1_161_000.0),
            ("105.5012 E", 105.5012),
        ] {
            let read = coordinate(text).expect(text);
            assert!((read - right).abs() < 1e-9, "{text}: {read}");
        }
        for text in [
            "",
            "nan",
            "inf",
            "xã 3",
            "105.5.1",
            "105°61'",
            "10 20 30 40",
            "1,16,000.5",
        ] {
            assert_eq!(coordinate(text), None, "{text}");
        }
    }
}
