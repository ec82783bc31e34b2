//! Which picture format a client gets: the extension of the address rules, then `Accept`, then PNG. And how a vector tile
//! is packed.

use crate::encode::Format;
use crate::problem::{Outcome, Problem};
use crate::style::Language;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What is offered, in the order of preference for equal weights.
const OFFERED: [Format; 2] = [Format::Png, Format::Webp];

/// The format of an address without extension.
pub(crate) fn format(headers: &HeaderMap) -> Outcome<Format> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Ok(Format::Png);
    }
    let mut best: Option<(f32, Format)> = None;
    let ranges: Vec<&str> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    for format in OFFERED {
        let weight = weight(&ranges, format.media_type());
        if weight > best.map_or(0.0, |(best, _)| best) {
            best = Some((weight, format));
        }
    }
    best.map(|(_, format)| format)
        .ok_or_else(|| Problem::not_acceptable("image/png or image/webp"))
}

/// What vector tiles are called, in the order in which the names came up.
const VECTOR_NAMES: [&str; 2] = ["application/vnd.mapbox-vector-tile", "application/x-protobuf"];

/// The media type of vector tiles.
pub(crate) const VECTOR: HeaderValue = HeaderValue::from_static(VECTOR_NAMES[0]);

/// 406 when the client wants no vector tile under any of its names.
pub(crate) fn accepts_vector(headers: &HeaderMap) -> Outcome<()> {
    let ranges: Vec<&str> = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .collect();
    if ranges.is_empty() || VECTOR_NAMES.iter().any(|name| weight(&ranges, name) > 0.0) {
        Ok(())
    } else {
        Err(Problem::not_acceptable(VECTOR_NAMES[0]))
    }
}

/// How a vector tile is packed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Brotli.
    Brotli,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// What `Content-Encoding` says; `None` for a tile as it is.
    pub(crate) fn header(self) -> Option<HeaderValue> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Zstd => Some(HeaderValue::from_static("zstd")),
        }
    }

    /// The packing a client asks for: the heaviest weight, of equal ones the quickest to make. Who says nothing, or
    /// nothing that is offered, gets the tile as it is.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let offered = [("zstd", Self::Zstd), ("gzip", Self::Gzip), ("br", Self::Brotli)];
        heaviest(headers, &offered).unwrap_or(Self::Identity)
    }
}

/// The packing with the heaviest weight in `Accept-Encoding` (RFC 9110, 12.5.3), the first of equal ones; none where none is
/// accepted by name.
pub(crate) fn heaviest<T: Copy>(headers: &HeaderMap, offered: &[(&str, T)]) -> Option<T> {
    let entries = entries(headers, &header::ACCEPT_ENCODING);
    let mut best = (0.0, None);
    for (name, coding) in offered {
        let own = entries.iter().find(|(entry, _)| {
            let entry = entry.strip_prefix("x-").unwrap_or(entry);
            entry == *name
        });
        if let Some((_, weight)) = own.filter(|(_, weight)| *weight > best.0) {
            best = (*weight, Some(*coding));
        }
    }
    best.1
}

/// The language a client likes best: the heaviest weight in `Accept-Language` (RFC 9110, 12.5.4), the first of equal ones;
/// Vietnamese where it names neither.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let entries = entries(headers, &header::ACCEPT_LANGUAGE);
    let mut best = (0.0, Language::default());
    for (tag, weight) in &entries {
        let language = match tag.split('-').next() {
            Some("vi") => Language::Vi,
            Some("en") => Language::En,
            _ => continue,
        };
        if *weight > best.0 {
            best = (*weight, language);
        }
    }
    best.1
}

/// The entries of a header of weighted names, in lower case and their order; a weight that cannot be read is none.
fn entries(headers: &HeaderMap, name: &HeaderName) -> Vec<(String, f32)> {
    let values = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|text| text.split(','))
        .map(|entry| {
            let mut parts = entry.split(';').map(str::trim);
            let name = parts.next().unwrap_or("").to_ascii_lowercase();
            (name, quality(parts))
        })
        .collect()
}

/// The `q` among the parameters of an entry, 1 where there is none.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> f32 {
    let q = parameters.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    q.map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0))
}

/// The weight of a media type in an `Accept` header (RFC 9110, 12.5.1): the most specific range decides.
fn weight(ranges: &[&str], media_type: &str) -> f32 {
    let mut found = (0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("").to_ascii_lowercase();
        let specificity = match name.as_str() {
            "*/*" | "*" => 1,
            name if name == media_type => 3,
            name if name
                .strip_suffix('*')
                .is_some_and(|kind| kind.ends_with('/') && media_type.starts_with(kind)) =>
            {
                2
            }
            _ => continue,
        };
        let q = quality(parts);
        if specificity > found.0 {
            found = (specificity, q);
        }
    }
    found.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn asked(accept: &'static str) -> Option<Format> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        format(&headers).ok()
    }

    #[test]
    fn a_tile_is_packed_as_the_client_likes_it_best() {
        let packed = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            Coding::of(&headers)
        };
        assert_eq!(Coding::of(&HeaderMap::new()), Coding::Identity);
        assert_eq!(packed("gzip, deflate, br, zstd"), Coding::Zstd);
        assert_eq!(packed("gzip, deflate, br"), Coding::Gzip);
        assert_eq!(packed("br, gzip;q=0.9"), Coding::Brotli);
        assert_eq!(packed("gzip;q=0, deflate"), Coding::Identity);
        assert_eq!(packed("*"), Coding::Identity);
    }

    #[test]
    fn the_heaviest_language_wins() {
        let liked = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
            language(&headers).tag()
        };
        assert_eq!(language(&HeaderMap::new()).tag(), "vi");
        for (accept, tag) in [
            ("en;q=0.1, vi;q=0.9", "vi"),
            ("vi;q=0.1, en-GB;q=0.9", "en"),
            ("fr, en;q=0.5, vi; q=0.4", "en"),
            ("en-US,en;q=0.9,vi;q=0.8", "en"),
            ("en;q=0, fr", "vi"),
            ("vi;q=0, en;q=0.1", "en"),
            ("de", "vi"),
            ("EN", "en"),
            ("english", "vi"),
        ] {
            assert_eq!(liked(accept), tag, "{accept}");
        }
    }

    #[test]
    fn the_heaviest_accepted_type_wins_and_nothing_acceptable_is_refused() {
        assert_eq!(format(&HeaderMap::new()).ok(), Some(Format::Png));
        assert_eq!(asked("*/*"), Some(Format::Png));
        assert_eq!(asked("image/webp"), Some(Format::Webp));
        assert_eq!(asked("image/avif,image/webp,image/*;q=0.8"), Some(Format::Webp));
        assert_eq!(asked("image/webp;q=0.2, image/png;q=0.9"), Some(Format::Png));
        assert_eq!(asked("image/*, image/png;q=0"), Some(Format::Webp));
        assert_eq!(asked("application/json"), None);
        assert_eq!(asked("image/png;q=nonsense"), None);
    }
}
