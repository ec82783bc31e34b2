//! A data folder as one file: a zip that holds each file under a number, and at its end `backup.json`, which says where each
//! lies and its SHA-256. Any unzip opens it; [`crate::commands::restore`] brings it back.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Component, Path};

/// The entry that says what the others are.
pub(crate) const MANIFEST: &str = "backup.json";

/// The format of the archive; a newer one is refused.
pub(crate) const FORMAT: u32 = 1;

/// What an archive holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// See [`FORMAT`].
    pub(crate) format: u32,
    /// The layout of the catalogue.
    pub(crate) layout: i64,
    /// What `sen check --digest` says of the folder once it is restored.
    pub(crate) digest: String,
    /// The catalogue, as a path in the folder.
    pub(crate) catalogue: String,
    pub(crate) files: Vec<ArchivedFile>,
    /// Files that rows name and that are not in it, as paths in the folder: they were gone or damaged.
    pub(crate) left_out: Vec<String>,
}

/// A file of the data folder.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ArchivedFile {
    /// The name of its entry in the archive.
    pub(crate) entry: String,
    /// Its path in the folder, with `/`.
    pub(crate) path: String,
    /// Lower-case hex.
    pub(crate) sha256: String,
    /// Its size.
    pub(crate) bytes: u64,
}

/// The path where it leads into the folder and nowhere else.
pub(crate) fn path_within(path: &str) -> anyhow::Result<&Path> {
    let within = Path::new(path);
    let is_plain = within
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !is_plain {
        bail!("`{path}` leads out of the data folder");
    }
    Ok(within)
}

/// Copies all bytes, and tells their SHA-256 and how many there were; `step` is told of every part.
pub(crate) fn copy_hashed(
    from: &mut impl Read,
    to: &mut impl Write,
    mut step: impl FnMut(u64),
) -> anyhow::Result<(String, u64)> {
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = from.read(&mut buffer).context("cannot be read")?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((sen_catalog::asset::hex(&hasher.finalize()), bytes));
        };
        to.write_all(part).context("cannot be written")?;
        hasher.update(part);
        bytes += read as u64;
        step(read as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_out_of_the_folder_is_refused() {
        assert!(path_within("assets/ndvi/2026/ndvi_2026-W34/ndvi.tif").is_ok());
        for bad in ["", "/etc/passwd", "../x", "assets/../../x", "./x"] {
            assert!(path_within(bad).is_err(), "{bad}");
        }
    }
}
