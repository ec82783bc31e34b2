//! Being written.
use super::{Found, ImagerySource, SourceOptions};
use std::path::Path;
pub(super) struct Sentinel2Safe;
impl ImagerySource for Sentinel2Safe {
    fn name(&self) -> &'static str {
        "sentinel-2-safe"
    }
    fn describe(&self) -> &'static str {
        "sentinel-2-safe"
    }
    fn detect(&self, _: &Path, _: &SourceOptions) -> bool {
        false
    }
    fn read(&self, _: &Path, _: &SourceOptions) -> Found {
        Found::default()
    }
}
