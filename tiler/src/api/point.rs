//! Not there yet.
use super::Standard;
use crate::state::Shared;
use axum::Router;

/// See the module.
pub(crate) struct Point;

impl Standard for Point {
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }
}
