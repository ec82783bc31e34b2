//! Which datum a definition is on: what it names, what its shift to WGS 84 tells, and what only VN-2000 can be.
//!
//! Programs write a VN-2000 of the user's own making in many ways: by name, by a `towgs84`, or by a name that remembers
//! the `towgs84` because the format has no place for it (`D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_-191_904...`).

use gdal::spatial_ref::SpatialRef;
use std::str::FromStr;

/// Translations of EPSG:6960, metres. Other sets in use (EPSG:5194, older programs) lie within a metre or two of it.
const VN2000_TRANSLATION_M: [f64; 3] = [-191.90441429, -39.30318279, -111.45032835];
/// How far the translations of a file's own `towgs84` may lie from the official ones to mean the same datum, metres.
const SAME_DATUM_M: f64 = 5.0;
/// No datum on earth lies farther from WGS 84 along an axis, metres: a number beyond was read wrongly.
const MAX_SHIFT_M: f64 = 5_000.0;
/// Codes of VN-2000 in the EPSG register: geographic, UTM zones, TM-3 zones (and their withdrawn first versions).
const VN2000_CODES: &[u32] = &[
    3405, 3406, 4756, 4755, 5896, 5897, 5898, 5899, 6956, 6957, 6958, 6959, 9205, 9206, 9207, 9208, 9209,
    9210, 9211, 9212, 9213, 9214, 9215, 9216, 9217, 9218,
];
/// Codes of the datum and the geographic system, as definitions hold them inside.
const VN2000_INNER_CODES: [&str; 2] = ["6756", "4756"];
/// Central meridians of UTM zones over Viet Nam, degrees: with UTM's scale they are no sign of VN-2000.
const UTM_MERIDIANS: [f64; 3] = [99.0, 105.0, 111.0];

/// Which way leads to WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datum {
    /// WGS 84 longitude and latitude already.
    Wgs84Degrees,
    /// VN-2000, by the official parameters.
    Vn2000,
    /// Whatever PROJ knows.
    Other,
}

/// A datum that the user names for a file whose projection is right: `--datum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldDatum {
    /// VN-2000, by the official parameters.
    Vn2000,
    /// WGS 84.
    Wgs84,
}

impl FromStr for ToldDatum {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match plain(text).as_str() {
            "vn2000" => Ok(Self::Vn2000),
            "wgs84" => Ok(Self::Wgs84),
            _ => Err(format!("`{text}` is neither vn2000 nor wgs84")),
        }
    }
}

/// Letters and digits, small.
fn plain(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// `D_Vietnam_2000`, `Vietnam 2000`, `VN-2000 / TM-3 zone 482`, `VN2K`.
fn speaks_of_vn2000(text: &str) -> bool {
    let plain = plain(text);
    ["vn2000", "vietnam2000", "vn2k"]
        .iter()
        .any(|name| plain.contains(name))
}

/// The names in a definition, of system, base, datum and transformation alike, and codes that lie inside.
fn names_vn2000(wkt: &str) -> bool {
    let inner = |code: &str| {
        wkt.contains(&format!("\"EPSG\",\"{code}\"")) || wkt.contains(&format!("\"EPSG\",{code}]"))
    };
    wkt.split('"').skip(1).step_by(2).any(speaks_of_vn2000) || VN2000_INNER_CODES.into_iter().any(inner)
}

/// A value of a PROJ string.
pub(super) fn value<'a>(proj4: &'a str, key: &str) -> Option<&'a str> {
    proj4
        .split_whitespace()
        .find_map(|part| part.strip_prefix('+')?.strip_prefix(key)?.strip_prefix('='))
}

/// The shift to WGS 84 that a definition states, where it is one.
pub(super) fn stated_shift(proj4: &str) -> Option<Vec<f64>> {
    let shift: Vec<f64> = value(proj4, "towgs84")?
        .split(',')
        .filter_map(|part| part.parse().ok())
        .collect();
    (shift.len() >= 3 && shift.iter().any(|part| *part != 0.0)).then_some(shift)
}

/// The shift that the name of a datum remembers; an error when there is one that cannot be read.
///
/// The numbers come as PROJ wrote them (`=-191.90441429,-39.30318279,...`) or with every mark but the sign, at worst
/// the sign as well, made `_`.
pub(super) fn hidden_shift(datum_name: &str) -> Result<Option<Vec<f64>>, ()> {
    let Some(at) = datum_name.to_ascii_lowercase().find("towgs84") else {
        return Ok(None);
    };
    let rest = datum_name[at + "towgs84".len()..]
        .trim_matches(|c: char| !c.is_ascii_digit() && c != '-' && c != '_');
    let shift = if rest.contains([',', ';', ' ']) || rest.contains('.') {
        rest.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().map_err(|_| ()))
            .collect::<Result<Vec<f64>, ()>>()?
    } else {
        mangled(rest).ok_or(())?
    };
    match shift.len() {
        3 | 7 if shift.iter().all(|part| *part == 0.0) => Ok(None),
        3 | 7 if shift[..3].iter().all(|part| part.abs() <= MAX_SHIFT_M) => Ok(Some(shift)),
        _ => Err(()),
    }
}

/// Numbers of which the points became `_` like the commas between them.
fn mangled(text: &str) -> Option<Vec<f64>> {
    let text = text.strip_prefix(['_', '=']).unwrap_or(text).replace("__", "_-");
    let text = match text.strip_prefix('_') {
        Some(rest) => format!("-{rest}"),
        None => text,
    };
    let parts: Vec<&str> = text.split('_').filter(|part| !part.is_empty()).collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !parts.iter().all(|part| digits(part.trim_start_matches('-'))) {
        return None;
    }
    let number =
        |whole: &str, fraction: Option<&str>| format!("{whole}.{}", fraction.unwrap_or("0")).parse().ok();
    match parts.len() {
        3 | 7 => parts.iter().map(|part| number(part, None)).collect(),
        6 | 14 => parts
            .chunks(2)
            .map(|pair| number(pair[0], pair.get(1).copied()))
            .collect(),
        _ => {
            // whole numbers among the others: a sign begins a number, and so does what follows a fraction
            let (mut numbers, mut at) = (Vec::new(), 0);
            while at < parts.len() {
                let fraction = parts.get(at + 1).copied().filter(|next| !next.starts_with('-'));
                let alone = parts[at].trim_start_matches('-') == "0" && fraction == Some("0");
                let fraction = fraction.filter(|_| !alone);
                numbers.push(number(parts[at], fraction)?);
                at += 1 + usize::from(fraction.is_some());
            }
            Some(numbers)
        }
    }
}

/// True when a definition does not say which datum it is on, only an ellipsoid.
pub(super) fn is_unnamed(datum_name: &str) -> bool {
    let name = plain(datum_name);
    let words = ["unknown", "unnamed", "notspecified", "undefined", "basedon"];
    name.is_empty() || words.iter().any(|word| name.contains(word))
}

/// True on an ellipsoid that is as good as that of VN-2000, without a shift.
pub(super) fn is_like_wgs84(proj4: &str) -> bool {
    let has = |key: &str, names: [&str; 2]| value(proj4, key).is_some_and(|own| names.contains(&own));
    (has("datum", ["WGS84", "NAD83"]) || has("ellps", ["WGS84", "GRS80"])) && stated_shift(proj4).is_none()
}

/// The datum, and why it was taken for VN-2000 although the definition does not say so.
pub(super) fn datum(
    definition: &SpatialRef,
    code: Option<u32>,
    proj4: &str,
    geographic: bool,
) -> (Datum, Option<String>) {
    if code.is_some_and(|code| VN2000_CODES.contains(&code)) {
        return (Datum::Vn2000, None);
    }
    if names_vn2000(&definition.to_wkt().unwrap_or_default()) {
        return (Datum::Vn2000, None);
    }
    if let Some(shift) = stated_shift(proj4) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= SAME_DATUM_M;
        let same = shift.iter().zip(&VN2000_TRANSLATION_M).all(near);
        return (if same { Datum::Vn2000 } else { Datum::Other }, None);
    }
    if let (None, Some(zone)) = (code, zone_of_vn2000(proj4)) {
        let reason = format!(
            "its projection ({zone}) is a zone of VN-2000 though the file does not name that datum; taken as VN-2000; \
             if it lies on WGS 84, import it again with --datum wgs84"
        );
        return (Datum::Vn2000, Some(reason));
    }
    if geographic && (value(proj4, "datum") == Some("WGS84") || code == Some(4326)) {
        return (Datum::Wgs84Degrees, None);
    }
    (Datum::Other, None)
}

/// A projection that only VN-2000 has: MapInfo has no name for the datum, many programs write its zones as if they lay on
/// WGS 84, and some with the scale of UTM. Nothing else has these scales on these meridians.
fn zone_of_vn2000(proj4: &str) -> Option<String> {
    let number = |key: &str| value(proj4, key).and_then(|text| text.parse::<f64>().ok());
    let meridian = number("lon_0")?;
    let scale = number("k").or_else(|| number("k_0")).unwrap_or(1.0);
    let vietnamese = (102.0..=108.5).contains(&meridian) && (meridian * 4.0).fract() == 0.0;
    let scaled = scale == 0.9999 || (scale == 0.9996 && !UTM_MERIDIANS.contains(&meridian));
    let zone = is_like_wgs84(proj4)
        && value(proj4, "proj") == Some("tmerc")
        && vietnamese
        && scaled
        && number("x_0") == Some(500_000.0);
    zone.then(|| format!("transverse Mercator on {meridian}°, scale {scale}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_in_a_name_is_read_however_its_marks_were_changed() {
        let seven = vec![
            -191.90441429,
            -39.30318279,
            -111.45032835,
            -0.00928836,
            0.01975479,
            -0.00427372,
            0.252906278,
        ];
        for name in [
            "D_Unknown_based_on_WGS84_ellipsoid_using_towgs84_-191_90441429_-39_30318279_-111_45032835_-0_00928836_0_01975479_-0_00427372_0_252906278",
            "Unknown based on WGS84 ellipsoid using towgs84=-191.90441429,-39.30318279,-111.45032835,-0.00928836,0.01975479,-0.00427372,0.252906278",
            "D_unknown_towgs84__191_90441429__39_30318279__111_45032835__0_00928836_0_01975479__0_00427372_0_252906278",
            "Unknown using TOWGS84 = -191.90441429; -39.30318279; -111.45032835; -0.00928836; 0.01975479; -0.00427372; 0.252906278",
        ] {
            assert_eq!(hidden_shift(name), Ok(Some(seven.clone())), "{name}");
        }
        let three = [
            (
                "D_using_towgs84_-192_873_-39_382_-111_202",
                vec![-192.873, -39.382, -111.202],
            ),
            ("D_using_towgs84_-191_-39_-111", vec![-191.0, -39.0, -111.0]),
            (
                "D_using_towgs84_-192_873_-39_382_-111_202_0_0_0_0",
                vec![-192.873, -39.382, -111.202, 0.0, 0.0, 0.0, 0.0],
            ),
        ];
        for (name, shift) in three {
            assert_eq!(hidden_shift(name), Ok(Some(shift)), "{name}");
        }
    }

    #[test]
    fn no_shift_is_none_and_one_that_cannot_be_read_is_told() {
        for name in [
            "D_Unknown_using_towgs84_0_0_0_0_0_0_0",
            "x using towgs84=0,0,0,0,0,0,0",
            "D_WGS_1984",
        ] {
            assert_eq!(hidden_shift(name), Ok(None), "{name}");
        }
        assert_eq!(hidden_shift("D_using_towgs84_-191_90441429_-39"), Err(()));
        assert_eq!(hidden_shift("D_using_towgs84"), Err(()));
    }

    #[test]
    fn names_of_the_datum_are_known_in_every_spelling() {
        for name in [
            "VN_2000",
            "VN2000 / TM-3 105-30",
            "D_VN_2000",
            "Vietnam 2000",
            "GCS_VN-2000",
            "Viet Nam 2000",
            "vn2k_dongthap",
        ] {
            assert!(speaks_of_vn2000(name), "{name}");
        }
        assert!(!speaks_of_vn2000("WGS 84 / UTM zone 48N"));
        assert!(names_vn2000(r#"GEOGCS["x",DATUM["y",AUTHORITY["EPSG","6756"]]]"#));
        assert!(
            is_unnamed("D_Unknown_based_on_WGS84_ellipsoid")
                && is_unnamed("Not_specified_based_on_WGS_84_spheroid")
        );
        assert!(!is_unnamed("D_WGS_1984") && !is_unnamed("World Geodetic System 1984"));
    }
}
