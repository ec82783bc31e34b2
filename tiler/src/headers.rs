//! Headers that every family of addresses shares: validators, caching, CORS and the public address.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Which week an answer shows.
pub(crate) const SEN_PERIOD: HeaderName = HeaderName::from_static("sen-period");
/// How long the server worked.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// The mark by which an answer is found in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A week and its version are in the address: the bytes never change.
pub(crate) const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// A week without its version: a late scene may still remake it, so the validator is asked again after an hour.
pub(crate) const HOUR: HeaderValue =
    HeaderValue::from_static("public, max-age=3600, stale-while-revalidate=86400");
/// What is newest may change with the next scene.
pub(crate) const MINUTE: HeaderValue =
    HeaderValue::from_static("public, max-age=60, stale-while-revalidate=86400");
/// Probes.
pub(crate) const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Link, Content-Bbox, Content-Crs, X-Total-Count, X-Request-Id, Sen-Period, Server-Timing",
);

/// `Server-Timing` of an answer: how long it was worked on (`what`), and how long it stood in line before.
pub(crate) fn timing(what: &str, took: Duration, waited: Duration) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("{what};dur={:.1}, wait;dur={:.1}", ms(took), ms(waited));
    HeaderValue::try_from(text).expect("words and digits are a header value")
}

/// Lets pages of any origin read the answer; nothing here is private.
pub(crate) fn allow_any_origin(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

/// True when the client already has the representation with this validator (RFC 9110, 13.1.2: weak comparison).
pub(crate) fn not_modified(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = etag.strip_prefix("W/").unwrap_or(etag);
    let candidates = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    candidates
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .any(|candidate| candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == opaque)
}

/// 304 with the validator for a client that has the representation already; the validator is only written for clients
/// that ask.
pub(crate) fn unmodified(asked: &HeaderMap, etag: impl FnOnce() -> String) -> Option<Response> {
    if !asked.contains_key(header::IF_NONE_MATCH) {
        return None;
    }
    let etag = etag();
    not_modified(asked, &etag).then(|| {
        let etag = HeaderValue::try_from(etag).expect("hexadecimal digits and quotes are a header value");
        (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response()
    })
}

/// The address under which the client sees this service, without a slash at the end.
///
/// `path` is the path of this request, needed for `X-Rewrite-URL` alone.
pub(crate) fn base_url(headers: &HeaderMap, public_url: Option<&str>, path: &str) -> String {
    if let Some(url) = public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let first = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        value
            .split(',')
            .next()
            .map(str::trim)
            .filter(|value| !value.is_empty())
    };
    let scheme = first("x-forwarded-proto")
        .filter(|scheme| matches!(*scheme, "http" | "https"))
        .unwrap_or("http");
    let host = first("x-forwarded-host")
        .or_else(|| first("host"))
        .filter(|host| is_authority(host))
        .unwrap_or("localhost");
    let usual = if scheme == "https" { "443" } else { "80" };
    let port = first("x-forwarded-port")
        .filter(|port| port.parse::<u16>().is_ok() && *port != usual && !has_port(host))
        .map_or_else(String::new, |port| format!(":{port}"));
    let prefix = first("x-forwarded-prefix")
        .map(|prefix| prefix.trim_matches('/'))
        .or_else(|| {
            let rewritten = first("x-rewrite-url")?.split('?').next()?;
            rewritten
                .strip_suffix(path)
                .map(|prefix| prefix.trim_matches('/'))
        });
    let prefix = prefix.filter(|prefix| !prefix.is_empty() && is_plain_path(prefix));
    prefix.map_or_else(
        || format!("{scheme}://{host}{port}"),
        |prefix| format!("{scheme}://{host}{port}/{prefix}"),
    )
}

/// True for `map.example:8443` and `[::1]:80`, not for `[::1]`.
fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'))
}

fn is_authority(host: &str) -> bool {
    host.len() <= 255
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

fn is_plain_path(path: &str) -> bool {
    path.len() <= 255
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~".contains(&byte))
        && !path.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn validators_compare_weakly_and_a_star_matches_all() {
        let etag = "\"abc\"";
        assert!(not_modified(&map(&[("if-none-match", "\"x\", W/\"abc\"")]), etag));
        assert!(not_modified(&map(&[("if-none-match", "*")]), etag));
        assert!(!not_modified(&map(&[("if-none-match", "\"abcd\"")]), etag));
        assert!(!not_modified(&HeaderMap::new(), etag));
    }

    #[test]
    fn the_public_address_follows_the_proxy_and_refuses_nonsense() {
        assert_eq!(base_url(&map(&[("host", "a:8080")]), None, "/x"), "http://a:8080");
        let proxied = [
            ("host", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "map.example, inner"),
            ("x-forwarded-prefix", "/sen/"),
        ];
        assert_eq!(base_url(&map(&proxied), None, "/x"), "https://map.example/sen");
        for (host, proto, port, expected) in [
            ("map.example", "https", "8443", "https://map.example:8443"),
            ("map.example", "https", "443", "https://map.example"),
            ("map.example", "http", "443", "http://map.example:443"),
            ("map.example:9000", "https", "8443", "https://map.example:9000"),
            ("[2001:db8::1]", "https", "8443", "https://[2001:db8::1]:8443"),
            ("map.example", "https", "port", "https://map.example"),
        ] {
            let proxied = [
                ("x-forwarded-host", host),
                ("x-forwarded-proto", proto),
                ("x-forwarded-port", port),
            ];
            assert_eq!(base_url(&map(&proxied), None, "/x"), expected);
        }
        assert_eq!(
            base_url(
                &map(&[("host", "a"), ("x-rewrite-url", "/t/ndvi?x=1")]),
                None,
                "/ndvi"
            ),
            "http://a/t"
        );
        assert_eq!(
            base_url(&map(&[("host", "a\"><script>")]), None, "/x"),
            "http://localhost"
        );
        assert_eq!(
            base_url(&map(&[("host", "a")]), Some("https://b/c/"), "/x"),
            "https://b/c"
        );
    }
}
