//! Asking servers for JSON: time-outs, further tries where they may help, and clear words for what came instead.

use super::Limits;
use crate::{Error, Result};
use reqwest::Url;
use reqwest::blocking::{Client, Response};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use sen_catalog::address::unsigned;
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// No server makes the user wait longer than this between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A request for JSON: GET, or POST with a body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) body: Option<Value>,
}

/// A client with the limits of the source options.
pub(super) struct Http {
    client: Client,
    limits: Limits,
}

/// Why a try failed, and whether another one may help.
struct Refusal {
    reason: String,
    again: bool,
    wait: Option<Duration>,
}

impl Http {
    pub(super) fn new(limits: Limits) -> Result<Self> {
        // the program installs the provider at its start; in tests and doc examples nobody has
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(limits.connect)
            .timeout(limits.answer)
            .user_agent(concat!("sen/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Invalid(format!("http client: {error}")))?;
        Ok(Self { client, limits })
    }

    /// The JSON that a request is answered with, and the address it came from after redirections.
    ///
    /// # Errors
    /// [`Error::Unavailable`] naming the address and what the server did.
    pub(super) fn json(&self, request: &Request) -> Result<(Value, Url)> {
        let mut pause = self.limits.pause;
        let mut tries = 0;
        loop {
            tries += 1;
            let refusal = match self.once(request) {
                Ok(answer) => return Ok(answer),
                Err(refusal) => refusal,
            };
            if !refusal.again || tries > self.limits.retries {
                let after = if tries > 1 {
                    format!(" (after {tries} tries)")
                } else {
                    String::new()
                };
                let reason = format!("{}{after}", refusal.reason);
                return Err(Error::unavailable(&request.url, reason));
            }
            let url = request.url.as_str();
            tracing::warn!(url = %unsigned(url), reason = refusal.reason, tries, "trying again");
            std::thread::sleep(refusal.wait.unwrap_or(pause).min(LONGEST_PAUSE));
            pause *= 2;
        }
    }

    fn once(&self, request: &Request) -> Result<(Value, Url), Refusal> {
        let builder = match &request.body {
            None => self.client.get(request.url.clone()),
            Some(body) => self.client.post(request.url.clone()).json(body),
        };
        let response = builder
            .header(ACCEPT, "application/geo+json, application/json")
            .send()
            .map_err(|error| refused_connection(&error))?;
        let status = response.status();
        let wait = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|text| text.to_str().ok()?.parse().ok());
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|text| text.to_str().ok());
        let kind = kind.unwrap_or("no content type").to_owned();
        let url = response.url().clone();
        let text = self.body(response)?;
        if !status.is_success() {
            return Err(Refusal {
                reason: format!("the server answered {status}: {}", start_of(&text)),
                again: status.is_server_error() || status.as_u16() == 429,
                wait: wait.map(Duration::from_secs),
            });
        }
        let answer = serde_json::from_str(&text).map_err(|error| Refusal {
            reason: format!(
                "the server answered {kind}, which is not JSON ({error}): {}",
                start_of(&text)
            ),
            again: false,
            wait: None,
        })?;
        Ok((answer, url))
    }

    fn body(&self, response: Response) -> Result<String, Refusal> {
        let limit = self.limits.document_bytes;
        let mut bytes = Vec::new();
        response
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Refusal {
                reason: format!("the answer broke off: {error}"),
                again: true,
                wait: None,
            })?;
        if bytes.len() as u64 > limit {
            return Err(Refusal {
                reason: format!("the answer is longer than {limit} bytes"),
                again: false,
                wait: None,
            });
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn refused_connection(error: &reqwest::Error) -> Refusal {
    // the outer texts only repeat the address; the innermost says what happened
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let what = if error.is_timeout() {
        "did not answer in time"
    } else {
        "cannot be reached"
    };
    Refusal {
        reason: format!("the server {what}: {cause}"),
        again: !error.is_builder(),
        wait: None,
    }
}

fn start_of(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        "an empty answer".to_owned()
    } else {
        line.chars().take(160).collect()
    }
}
