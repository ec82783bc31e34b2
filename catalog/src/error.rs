//! The one error of this crate, by meaning.

use std::path::{Path, PathBuf};

/// Result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in the catalogue, told apart by what the caller should do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The named thing does not exist (HTTP 404).
    #[error("{0} not found")]
    NotFound(String),
    /// Input that cannot be used; the message names the field, file or value (HTTP 400).
    #[error("{0}")]
    Invalid(String),
    /// A file of the data folder that is not as it was written: cut short, changed or of another layout (HTTP 503).
    #[error("{path}: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// A raster file that is damaged or of a kind that is not read here.
    #[error("{path}: {reason}")]
    Raster {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The store refused or is not there.
    #[error("catalogue: {0}")]
    Store(String),
}

impl Error {
    /// An I/O error with the path it happened at.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            source,
        }
    }

    /// A file of the data folder that is not as it was written.
    pub fn damaged(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.as_ref().to_path_buf(),
            reason: reason.into(),
        }
    }

    /// The same as a fault of the file at `path` where it would be taken for one of the input: what a request is answered
    /// from is nothing that its sender can put right.
    #[must_use]
    pub fn in_file(self, path: impl AsRef<Path>) -> Self {
        match self {
            Self::Invalid(reason) => Self::damaged(path, reason),
            other => other,
        }
    }

    /// A damaged or unsupported raster.
    pub fn raster(path: impl AsRef<Path>, reason: impl Into<String>) -> Self {
        Self::Raster {
            path: path.as_ref().to_path_buf(),
            reason: reason.into(),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}
