//! Not there yet.
use super::Standard;
use crate::state::Shared;
use axum::Router;

/// See the module.
pub(crate) struct AssetFiles;

impl Standard for AssetFiles {
    fn routes(&self) -> Router<Shared> {
        Router::new()
    }
}
