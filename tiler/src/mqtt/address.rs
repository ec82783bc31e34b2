//! Where a broker is and who one is there: `mqtt://host`, `mqtt://host:1883`, `mqtt://name:password@host`. A password is
//! never shown.

use crate::query::decode;
use sen_catalog::{Error, Result};

/// The port of MQTT without TLS.
const USUAL_PORT: u16 = 1883;

/// A broker's address, taken apart.
#[derive(PartialEq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    /// Name and password, where the address says them.
    pub(super) user: Option<(String, String)>,
}

impl Address {
    /// # Errors
    /// [`Error::Invalid`] for another scheme, no host, or a port that is none; the password is not repeated.
    pub(super) fn of(url: &str) -> Result<Self> {
        let invalid = || {
            Error::Invalid(format!(
                "mqtt.url: `{}` is no address such as mqtt://broker.example:1883",
                without_password(url)
            ))
        };
        let rest = url.strip_prefix("mqtt://").ok_or_else(invalid)?;
        // a password may hold any sign, the host none of these
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let place = place.trim_end_matches('/');
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| invalid())?),
            None => (place, USUAL_PORT),
        };
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(invalid());
        }
        let user = user.map(|user| {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            (decoded(name), decoded(password))
        });
        Ok(Self {
            host: host.to_owned(),
            port,
            user,
        })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mqtt://{}:{}", self.host, self.port)
    }
}

/// An address as it may be shown: stars in place of the password, whatever the scheme; all of name and password where
/// they cannot be told apart.
pub(super) fn without_password(url: &str) -> String {
    let Some((user, place)) = url.rsplit_once('@') else {
        return url.to_owned();
    };
    let (scheme, user) = user
        .split_once("://")
        .map_or(("", user), |(scheme, user)| (scheme, user));
    let name = user.split_once(':').map_or("", |(name, _)| name);
    let colon = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{colon}{name}:***@{place}")
}

/// `%40` as `@`; a text that is not coded so stays.
fn decoded(text: &str) -> String {
    decode(text, false).map_or_else(|| text.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_perhaps_a_port_and_a_user() {
        let parts = |url: &str| {
            Address::of(url)
                .map(|found| (found.to_string(), found.user))
                .expect("fits")
        };
        let user = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(parts("mqtt://broker"), ("mqtt://broker:1883".into(), None));
        assert_eq!(
            parts("mqtt://10.0.0.7:1884/"),
            ("mqtt://10.0.0.7:1884".into(), None)
        );
        assert_eq!(
            parts("mqtt://sen:s%40cr%3At@broker:1884"),
            ("mqtt://broker:1884".into(), user("sen", "s@cr:t"))
        );
        assert_eq!(parts("mqtt://sen:a@b/c:d@broker").1, user("sen", "a@b/c:d"));
        assert_eq!(parts("mqtt://sen@broker").1, user("sen", ""));
        assert_eq!(parts("mqtt://sen:50%@broker").1, user("sen", "50%"));
        for wrong in [
            "broker:1883",
            "http://broker",
            "mqtt://:1883",
            "mqtt://broker:x",
            "mqtt://u:p@",
            "mqtt://b/c",
        ] {
            assert!(Address::of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_error_repeats_a_password() {
        for wrong in [
            "mqtts://sen:hush@broker",
            "mqtt://sen:hush@broker:x",
            "mqtt://sen:hush@",
            "sen:hush@broker",
            "mqtt://hush@:1",
            "mqtt://sen:hush:hush@hush@broker:x",
        ] {
            let told = Address::of(wrong).err().expect("refused").to_string();
            assert!(!told.contains("hush") && told.contains("mqtt.url"), "{told}");
        }
    }
}
