//! Sentinel-1 as ESA delivers it (SAFE): recognised, so that the user learns what to take instead.

use super::safe_archive::zip_holds;
use super::{Found, ImagerySource, SourceOptions};
use crate::Error;
use std::path::Path;

/// See the module.
pub(super) struct Sentinel1Safe;

impl ImagerySource for Sentinel1Safe {
    fn name(&self) -> &'static str {
        "sentinel-1-safe"
    }

    fn describe(&self) -> &'static str {
        "Sentinel-1 SAFE products (recognised only: take gamma0 RTC)"
    }

    fn detect(&self, path: &Path, _: &SourceOptions) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let folder = path.is_dir() && path.join("manifest.safe").is_file();
        name.starts_with("S1") && (folder || zip_holds(path, |name| name == "manifest.safe"))
    }

    fn read(&self, path: &Path, _: &SourceOptions) -> Found {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        // S1A_IW_GRDH_1SDV_...: the third part is the product type
        let kind = name.split('_').nth(2).unwrap_or("product");
        let reason = format!(
            "is a Sentinel-1 {kind} product, whose numbers need calibration and terrain correction that are not \
             offered yet; take the RTC product (gamma0) of the same pass"
        );
        Found::failed(path.display(), &Error::unreadable(path.display(), reason))
    }
}
