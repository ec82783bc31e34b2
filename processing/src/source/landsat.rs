//! Being written.
use super::{Found, ImagerySource, SourceOptions};
use std::path::Path;
pub(super) struct Landsat;
impl ImagerySource for Landsat {
    fn name(&self) -> &'static str {
        "landsat"
    }
    fn describe(&self) -> &'static str {
        "landsat"
    }
    fn detect(&self, _: &Path, _: &SourceOptions) -> bool {
        false
    }
    fn read(&self, _: &Path, _: &SourceOptions) -> Found {
        Found::default()
    }
}
