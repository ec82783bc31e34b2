//! Not there yet.
use super::Standard;
use crate::state::Shared;
use axum::Router;

/// See the module.
pub(crate) struct Series;

impl Standard for Series {
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }
}
