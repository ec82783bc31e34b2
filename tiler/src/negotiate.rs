//! Which picture format a client gets: the extension of the address rules, then `Accept`, then PNG. And how a vector tile
//! is packed.

use crate::encode::Format;
use crate::problem::{Outcome, Problem};
use axum::http::{HeaderMap, HeaderValue, header};

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
        let mut best = (0.0, Self::Identity);
        for value in headers.get_all(header::ACCEPT_ENCODING) {
            for entry in value.to_str().unwrap_or("").split(',') {
                let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
                let (coding, haste) = match name.trim().to_ascii_lowercase().as_str() {
                    "zstd" => (Self::Zstd, 0.000_03),
                    "gzip" | "x-gzip" => (Self::Gzip, 0.000_02),
                    "br" => (Self::Brotli, 0.000_01),
                    _ => continue,
                };
                let q = parameters
                    .trim()
                    .strip_prefix("q=")
                    .or_else(|| parameters.trim().strip_prefix("Q="));
                let q = q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
                // weights have three digits, so haste decides among equals alone
                if q > 0.0 && q + haste > best.0 {
                    best = (q + haste, coding);
                }
            }
        }
        best.1
    }
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
        let q = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let q = q.map_or(1.0, |q| q.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0));
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
