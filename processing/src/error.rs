//! The one error of this crate, by meaning.

use sen_catalog::address::unsigned_text;
use std::path::{Path, PathBuf};

/// Result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a provider's file and a product, told apart by what the caller should do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Input or configuration that cannot be used; the message names the field, file or value.
    #[error("{0}")]
    Invalid(String),
    /// A file or metadata document that is damaged, contradicts itself or is of a kind that is not read here.
    #[error("{what}: {reason}")]
    Unreadable {
        /// The file, address or item.
        what: String,
        /// What is wrong with it, and what to do where a person can do something.
        reason: String,
    },
    /// A server that does not answer as it should; trying again later may help.
    #[error("{url}: {reason}")]
    Unavailable {
        /// The address asked.
        url: String,
        /// What it did.
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
    /// The catalogue refused.
    #[error(transparent)]
    Catalog(#[from] sen_catalog::Error),
}

impl Error {
    /// An I/O error with the path it happened at.
    pub fn io(path: impl AsRef<Path>, source: std::io::Error) -> Self {
        Self::Io {
            path: path.as_ref().to_path_buf(),
            source,
        }
    }

    /// A file, address or item that cannot be read, and why.
    pub fn unreadable(what: impl std::fmt::Display, reason: impl Into<String>) -> Self {
        Self::Unreadable {
            what: unsigned_text(&what.to_string()).into_owned(),
            reason: unsigned_text(&reason.into()).into_owned(),
        }
    }

    /// A server that did not answer as it should, and what it did.
    pub fn unavailable(address: impl std::fmt::Display, reason: impl Into<String>) -> Self {
        Self::Unavailable {
            url: unsigned_text(&address.to_string()).into_owned(),
            reason: unsigned_text(&reason.into()).into_owned(),
        }
    }

    /// The reason alone, without the name of the file it happened at (for lists that name the file themselves).
    pub fn reason(&self) -> String {
        match self {
            Self::Unreadable { reason, .. } | Self::Unavailable { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }
}
