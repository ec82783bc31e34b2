//! Being written.
use super::{Found, ImagerySource, SourceOptions};
use std::path::Path;
pub(super) struct Sentinel1Safe;
impl ImagerySource for Sentinel1Safe {
    fn name(&self) -> &'static str {
        "sentinel-1-safe"
    }
    fn describe(&self) -> &'static str {
        "sentinel-1-safe"
    }
    fn detect(&self, _: &Path, _: &SourceOptions) -> bool {
        false
    }
    fn read(&self, _: &Path, _: &SourceOptions) -> Found {
        Found::default()
    }
}
