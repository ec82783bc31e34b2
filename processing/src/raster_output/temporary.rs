//! Files that are not finished yet.

use std::path::PathBuf;

/// A file under a temporary name, removed unless it is published.
#[derive(Debug)]
pub(crate) struct Temporary(pub(crate) PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // gone after publication; otherwise nothing useful can be done about an error here
        let _ = std::fs::remove_file(&self.0);
    }
}
