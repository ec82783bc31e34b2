//! Places as people write them: two numbers in either order, degrees with minutes and seconds, the letters of the compass
//! in English and Vietnamese.

/// Longitude and latitude of a text that is a place and nothing else.
pub(super) fn coordinates(text: &str) -> Option<(f64, f64)> {
    numbers(text)
        .and_then(|(a, b)| in_order(a, b))
        .or_else(|| by_the_compass(text))
}

/// Around Viet Nam longitudes are above 90 degrees, so the order tells itself; elsewhere latitude comes first, as people
/// write it.
fn in_order(a: f64, b: f64) -> Option<(f64, f64)> {
    if a.abs() > 90.0 {
        return on_earth(a, b);
    }
    on_earth(b, a)
}

fn on_earth(lon: f64, lat: f64) -> Option<(f64, f64)> {
    ((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)).then_some((lon, lat))
}

/// The two numbers of a text.
pub(super) fn numbers(text: &str) -> Option<(f64, f64)> {
    let clean: String = text
        .chars()
        .map(|c| if c == ';' || c == '\u{b0}' { ' ' } else { c })
        .collect();
    // a comma between digits is a decimal one only when the numbers are parted otherwise: "10,46 105,63"
    let words: Vec<&str> = clean.split_whitespace().collect();
    let numbers: Vec<f64> = match words.as_slice() {
        [a, b] if !a.ends_with(',') && a.matches(',').count() <= 1 && b.matches(',').count() <= 1 => [a, b]
            .iter()
            .filter_map(|word| word.replace(',', ".").parse().ok())
            .collect(),
        _ => clean
            .split([',', ' '])
            .filter(|part| !part.is_empty())
            .map_while(|part| part.parse().ok())
            .collect(),
    };
    let [a, b] = numbers.try_into().ok()?;
    Some((a, b))
}

/// `10°28'12.5"N 105°33'01.8"E`, `10.470139N, 105.5505E`, `N10 28.208 E105 33.030`, `10:28:12.5 105:33:01.8`.
fn by_the_compass(text: &str) -> Option<(f64, f64)> {
    let marked = marked(text);
    let compass: Vec<(usize, char)> = marked
        .char_indices()
        .filter(|(_, c)| "NSEW".contains(*c))
        .collect();
    let (first, second) = match compass.as_slice() {
        // the letter stands before or behind its numbers
        [(start, _), (next, _)] if marked[..*start].trim().is_empty() => marked.split_at(*next),
        [(end, _), (last, _)] if marked[last + 1..].trim().is_empty() => marked.split_at(end + 1),
        [] => marked.split_at(second_angle(&marked)?),
        _ => return None,
    };
    let (first, second) = (Angle::of(first)?, Angle::of(second)?);
    match (first.is_latitude, second.is_latitude) {
        (Some(true), Some(false)) => on_earth(second.degrees, first.degrees),
        (Some(false), Some(true)) => on_earth(first.degrees, second.degrees),
        (None, None) => in_order(first.degrees, second.degrees),
        _ => None,
    }
}

/// The text with one sign for each mark and one letter for each wind.
fn marked(text: &str) -> String {
    let mut marked = text.to_uppercase();
    for (from, to) in [
        ("BẮC", "N"),
        ("ĐÔNG", "E"),
        ("NAM", "S"),
        ("TÂY", "W"),
        ("B", "N"),
        ("Đ", "E"),
        ("T", "W"),
        ("''", "\""),
    ] {
        marked = marked.replace(from, to);
    }
    let sign = |c: char| match c {
        '\u{2019}' | '\u{2032}' | '\u{2018}' | '\u{b4}' | '`' => '\'',
        '\u{201d}' | '\u{2033}' | '\u{201c}' => '"',
        '\u{ba}' | '\u{2da}' => '\u{b0}',
        other => other,
    };
    marked.chars().map(sign).collect()
}

/// Where the second of two angles without letters begins: before the number of its degree sign, or behind a blank or comma.
fn second_angle(text: &str) -> Option<usize> {
    if let Some((degree, _)) = text.match_indices('\u{b0}').nth(1) {
        let before = text[..degree].trim_end();
        let number = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
        return Some(number.len());
    }
    if text.matches(':').count() < 2 {
        return None; // two bare numbers are read elsewhere, and a name is no place
    }
    text.trim_end().rfind([' ', ','])
}

/// An angle in degrees, and which of the two it is where a letter says so.
struct Angle {
    degrees: f64,
    is_latitude: Option<bool>,
}

impl Angle {
    fn of(text: &str) -> Option<Self> {
        let wind = text.chars().find(|c| "NSEW".contains(*c));
        let text = text.replace(['N', 'S', 'E', 'W'], " ");
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == ',' || c == ';');
        let (text, minus) = text.strip_prefix('-').map_or((text, false), |text| (text, true));
        let parts: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || "\u{b0}'\":".contains(c))
            .filter(|part| !part.is_empty())
            .collect();
        let (&last, whole) = parts.split_last()?;
        if whole.len() > 2
            || whole
                .iter()
                .any(|part| !part.bytes().all(|byte| byte.is_ascii_digit()))
        {
            return None;
        }
        let mut numbers: Vec<f64> = whole.iter().filter_map(|part| part.parse().ok()).collect();
        // within an angle a comma is a decimal one
        let digits = last
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',');
        numbers.push(last.replace(',', ".").parse().ok().filter(|_| digits)?);
        if numbers.iter().skip(1).any(|sixtieth| *sixtieth >= 60.0) {
            return None;
        }
        let degrees = numbers
            .iter()
            .rev()
            .fold(0.0, |below, number| number + below / 60.0);
        let degrees = if minus || matches!(wind, Some('S' | 'W')) {
            -degrees
        } else {
            degrees
        };
        Some(Self {
            degrees,
            is_latitude: wind.map(|wind| matches!(wind, 'N' | 'S')),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_a_place_in_any_order_people_write() {
        let here = Some((105.63, 10.46));
        for text in [
            "10.46, 105.63",
            "105.63, 10.46",
            "10.46 105.63",
            "10.46,105.63",
            "10,46 105,63",
            "10,46; 105,63",
            "10.46\u{b0}, 105.63\u{b0}",
        ] {
            assert_eq!(coordinates(text), here, "{text}");
        }
        for text in [
            "10.46",
            "DT-1, 2",
            "1,2,3",
            "95, 95",
            "nan, 1",
            "200, 10",
            "",
            "N",
            "NE",
            "Tân Nông 12",
            "Tổ 5 Bến 6",
            "10\u{b0}61'N 105\u{b0}33'E",
            "10N 105N",
            "10\u{b0}28'N",
            "10.5\u{b0}28'N 105\u{b0}33'E",
        ] {
            assert_eq!(coordinates(text), None, "{text}");
        }
    }

    #[test]
    fn degrees_minutes_and_seconds_are_a_place() {
        for text in [
            "10°28'12.5\"N 105°33'01.8\"E",
            "10°28'12,5\"N, 105°33'01,8\"E",
            "105°33'01.8\"E 10°28'12.5\"N",
            "10° 28′ 12.5″ N, 105° 33′ 1.8″ E",
            "N10°28'12.5\" E105°33'01.8\"",
            "10º28’12.5’’ B 105º33’01.8’’ Đ",
            "10 28 12.5 N 105 33 01.8 E",
            "10°28.2083333'N 105°33.03'E",
            "10:28:12.5N 105:33:01.8E",
            "10:28:12.5, 105:33:01.8",
            "10°28'12.5\" 105°33'01.8\"",
            "10.4701388889N, 105.5505E",
            "10.4701388889° n 105.5505° e",
            "10,4701388889 Bắc 105,5505 Đông",
        ] {
            let (lon, lat) = coordinates(text).unwrap_or_default();
            assert!(
                (lat - 10.470_138_9).abs() < 1e-6 && (lon - 105.5505).abs() < 1e-6,
                "{text}: {lon} {lat}"
            );
        }
        assert_eq!(coordinates("33°30'S 70°15'W"), Some((-70.25, -33.5)));
    }
}
