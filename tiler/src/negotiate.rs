//! Which picture format a client gets: the extension of the address rules, then `Accept`, then PNG.

use crate::encode::Format;
use crate::problem::{Outcome, Problem};
use axum::http::{HeaderMap, header};

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

/// The weight of a media type in an `Accept` header (RFC 9110, 12.5.1): the most specific range decides.
fn weight(ranges: &[&str], media_type: &str) -> f32 {
    let mut found = (0, 0.0);
    for range in ranges {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("").to_ascii_lowercase();
        let specificity = match name.as_str() {
            "*/*" | "*" => 1,
            "image/*" => 2,
            name if name == media_type => 3,
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
