//! Who may write: `Authorization: Bearer KEY`.

use crate::problem::{Outcome, Problem};
use crate::state::App;
use axum::http::{HeaderMap, header};
use sen_catalog::store::Key;
use sha2::{Digest, Sha256};

impl App {
    /// The key of a request that writes to a collection.
    ///
    /// # Errors
    /// 401 without a key that is known, 403 with one that may not write there.
    pub(crate) async fn writer(&self, headers: &HeaderMap, collection: &str) -> Outcome<Key> {
        let key = self.known_key(headers).await?;
        if key.writes(collection) {
            return Ok(key);
        }
        Err(Problem::forbidden(format!(
            "the key of {} may not write {collection}; make one with `sen keys add NAME --write {collection}`",
            key.name
        )))
    }

    /// The key of a request, whatever it may write.
    ///
    /// # Errors
    /// 401 without a key that is known.
    pub(crate) async fn known_key(&self, headers: &HeaderMap) -> Outcome<Key> {
        let text = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let (scheme, text) = text.and_then(|text| text.split_once(' ')).unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::unauthorized(
                "this needs a key: send `Authorization: Bearer KEY`, made with `sen keys add`",
            ));
        }
        // what is compared is a digest: how long it takes tells nothing about the key
        let key = self
            .lookup
            .store()
            .key(&Sha256::digest(text.trim().as_bytes()))
            .await?;
        key.ok_or_else(|| Problem::unauthorized("the key is not known here, or was revoked"))
    }
}
