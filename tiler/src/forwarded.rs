//! Whose word about the address of this service counts: `X-Forwarded-*` headers say under which name clients reach it, and
//! only proxies that are configured (`[serve] trusted_proxies`) may say so. Of everybody else they are left out before
//! anything reads them.

use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The headers by which a proxy tells the address clients see.
const ADDRESS_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-rewrite-url"),
];

/// The same for `Vary`.
const VARY: &str = "X-Forwarded-Host, X-Forwarded-Port, X-Forwarded-Prefix, X-Forwarded-Proto, X-Rewrite-URL";

/// An address or a network of proxies: `10.0.0.5`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Proxy(IpNet);

impl Proxy {
    /// This machine.
    pub fn loopback() -> Vec<Self> {
        let own = ["127.0.0.0/8", "::1"].map(|text| Self::try_from(text.to_owned()));
        own.into_iter().filter_map(Result::ok).collect()
    }

    fn holds(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| {
            format!("`{text}` is neither an address nor a network; write 10.0.0.5 or 10.0.0.0/8")
        })
    }
}

impl From<Proxy> for String {
    fn from(proxy: Proxy) -> Self {
        proxy.0.to_string()
    }
}

/// Leaves out what a client that is no proxy of ours says of the address.
pub(crate) fn distrust(headers: &mut HeaderMap, client: IpAddr, proxies: &[Proxy]) {
    if proxies.iter().any(|proxy| proxy.holds(client)) {
        return;
    }
    for name in &ADDRESS_HEADERS {
        headers.remove(name);
    }
}

/// Says that an answer holds the address of this service as a proxy tells it: caches keep one for each.
pub(crate) fn vary_on_address(response: &mut Response) {
    vary(response.headers_mut(), VARY);
}

/// Adds to what an answer depends on.
pub(crate) fn vary(headers: &mut HeaderMap, names: &'static str) {
    headers.append(header::VARY, axum::http::HeaderValue::from_static(names));
}

/// Puts `Vary` into one line, each name once: some caches read the last line alone.
pub(crate) fn one_vary(headers: &mut HeaderMap) {
    let lines = headers.get_all(header::VARY);
    if lines.iter().nth(1).is_none() {
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
    {
        let name = name.trim();
        if !name.is_empty() && !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    if let Ok(line) = names.join(", ").try_into() {
        headers.insert(header::VARY, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_configured_proxies_are_believed() {
        let proxies: Vec<Proxy> = ["10.1.0.0/16", "192.0.2.7", "fd00::/8"]
            .into_iter()
            .map(|text| Proxy::try_from(text.to_owned()).expect("a network"))
            .collect();
        let believed = |client: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-host", HeaderValue::from_static("map.example"));
            headers.insert("x-rewrite-url", HeaderValue::from_static("/sen/ndvi"));
            headers.insert("host", HeaderValue::from_static("own"));
            distrust(&mut headers, client.parse().expect("an address"), &proxies);
            assert!(headers.contains_key("host"));
            headers.len() == 3
        };
        for client in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "fd00::1"] {
            assert!(believed(client), "{client}");
        }
        for client in ["10.2.0.1", "192.0.2.8", "127.0.0.1", "::1"] {
            assert!(!believed(client), "{client}");
        }
        assert_eq!(Proxy::loopback().len(), 2);
        assert!(Proxy::try_from("nginx".to_owned()).is_err());
    }

    #[test]
    fn vary_becomes_one_line() {
        let mut headers = HeaderMap::new();
        for names in ["Accept-Language", "accept-encoding, Accept-Language"] {
            vary(&mut headers, names);
        }
        one_vary(&mut headers);
        let lines: Vec<_> = headers.get_all(header::VARY).iter().collect();
        assert_eq!(lines, ["Accept-Language, accept-encoding"]);
    }
}
