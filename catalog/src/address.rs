//! Addresses without what lets their holder in: signatures, tokens and passwords are never stored nor shown.

use std::borrow::Cow;

/// Parameters of a query that sign an address or name a key: Azure's shared access, Amazon's and Google's signatures,
/// and what others call the same. Compared without regard to case.
const SECRET: &[&str] = &[
    "sig",
    "signature",
    "token",
    "access_token",
    "accesstoken",
    "id_token",
    "auth",
    "auth_token",
    "authorization",
    "apikey",
    "api_key",
    "api-key",
    "subscription-key",
    "password",
    "passwd",
    "secret",
    "jwt",
    "hmac",
    "awsaccesskeyid",
    "googleaccessid",
    "ossaccesskeyid",
    "security-token",
    "key-pair-id",
    "policy",
];
/// How such parameters begin at the large stores.
const SECRET_START: &[&str] = &["x-amz-", "x-goog-", "x-oss-", "x-cos-", "x-obs-", "x-ms-"];
/// What stands beside a signature and is of no use without it.
const BESIDE: &[&str] = &[
    "expires", "se", "sp", "sv", "sr", "ss", "st", "srt", "spr", "sip", "si", "ske", "sks", "skt", "skv",
    "skoid", "sktid", "saoid", "suoid", "scid",
];

/// An address without user name and password and without the parameters that sign it; anything that is no address
/// (a path) as it is.
///
/// ```
/// use sen_catalog::address::unsigned;
/// assert_eq!(unsigned("https://x.org/B04.tif?v=2&se=2026-05-20&sig=abc%3D"), "https://x.org/B04.tif?v=2");
/// assert_eq!(unsigned("/data/B04.tif?sig=abc"), "/data/B04.tif?sig=abc");
/// ```
pub fn unsigned(address: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = address.split_once("://") else {
        return Cow::Borrowed(address);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (rest, fragment) = match rest.split_once('#') {
        Some((rest, fragment)) => (rest, format!("#{fragment}")),
        None => (rest, String::new()),
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let name = |pair: &str| pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let signed = pairs.iter().any(|pair| is_secret(&name(pair)));
    if !signed && host.len() == authority.len() {
        return Cow::Borrowed(address);
    }
    let kept: Vec<&str> = pairs
        .into_iter()
        .filter(|pair| {
            let name = name(pair);
            !(is_secret(&name) || signed && BESIDE.contains(&name.as_str()))
        })
        .collect();
    let query = if kept.is_empty() {
        String::new()
    } else {
        format!("?{}", kept.join("&"))
    };
    Cow::Owned(format!("{scheme}://{host}{path}{query}{fragment}"))
}

/// A text in which every address stands without its signature: for messages that come from elsewhere.
pub fn unsigned_text(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || "\"'`<>(),".contains(c)) {
        let last = piece
            .chars()
            .next_back()
            .filter(|&c| c.is_whitespace() || "\"'`<>(),".contains(c));
        let body = &piece[..piece.len() - last.map_or(0, char::len_utf8)];
        out.push_str(&unsigned(body));
        out.extend(last);
    }
    Cow::Owned(out)
}

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name) || SECRET_START.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_of_the_large_stores_go_and_the_rest_stays() {
        for (signed, plain) in [
            (
                "https://a.blob.core.windows.net/c/B04.tif?st=2026-05-19T00%3A00%3A00Z&se=2026-05-20&sp=rl&sv=2024-05-04&sr=c&skoid=1&sig=x%3D",
                "https://a.blob.core.windows.net/c/B04.tif",
            ),
            (
                "https://b.s3.amazonaws.com/B04.tif?versionId=7&X-Amz-Algorithm=A&X-Amz-Credential=K%2F1&X-Amz-Signature=9#page",
                "https://b.s3.amazonaws.com/B04.tif?versionId=7#page",
            ),
            (
                "https://b.s3.amazonaws.com/B04.tif?AWSAccessKeyId=A&Expires=1&Signature=z",
                "https://b.s3.amazonaws.com/B04.tif",
            ),
            (
                "https://x.org/f?file=B04.tif&TOKEN=t",
                "https://x.org/f?file=B04.tif",
            ),
            ("https://me:pass@x.org/B04.tif", "https://x.org/B04.tif"),
            ("s3://bucket/B04.tif", "s3://bucket/B04.tif"),
            (
                "https://x.org/B04.tif?st=7&se=8",
                "https://x.org/B04.tif?st=7&se=8",
            ),
        ] {
            assert_eq!(unsigned(signed), plain);
        }
    }

    #[test]
    fn an_item_of_a_former_version_is_told_without_its_signatures() {
        let signed = "https://a.blob.core.windows.net/c/B04.tif?sv=2024-05-04&sig=geheim";
        let grid = crate::Grid::of_units(2, 2);
        let item = crate::Item {
            id: "a".into(),
            collection: "sentinel-2-l2a".into(),
            interval: crate::Interval::instant("2026-05-19T03:15:21Z".parse().expect("an instant")),
            grid,
            bbox: crate::Bounds::new(105.0, 10.0, 106.0, 11.0),
            assets: [("red".to_owned(), crate::Asset::new(signed))].into(),
            lineage: Vec::new(),
            properties: serde_json::Map::new(),
        };
        let told = item.to_stac(str::to_owned);
        assert_eq!(
            told["assets"]["red"]["href"],
            "https://a.blob.core.windows.net/c/B04.tif"
        );
    }

    #[test]
    fn addresses_within_a_message_lose_theirs_too() {
        assert_eq!(
            unsigned_text("cannot open `https://x.org/a.tif?sig=1`: (https://u:p@x.org/b) no"),
            "cannot open `https://x.org/a.tif`: (https://x.org/b) no"
        );
    }
}
