//! Not there yet.
use super::Standard;
use crate::state::Shared;
use axum::Router;

/// See the module.
pub(crate) struct Titiler;

impl Standard for Titiler {
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }
}
