//! Not there yet.
use super::Standard;
use crate::state::Shared;
use axum::Router;

/// See the module.
pub(crate) struct Picture;

impl Standard for Picture {
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }
}
