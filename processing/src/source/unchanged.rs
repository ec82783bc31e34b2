//! Whether the files of a scene are still those that were taken in.
//!
//! A scene is read where it lies, so that a provider's update, an edit or a copy may replace its files. A raster made of both
//! old and new would be told by the row of the old ones, and other products of the same week made of the old alone.

use super::{SIDECARS, sidecars};
use crate::{Error, Result, gdal_io};
use sen_catalog::{Asset, Item, asset};
use serde_json::json;
use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// When a file was last written, in nanoseconds of Unix time.
pub(crate) fn modified(metadata: &Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// Looks whether the local files of a scene are the ones that its row knows: by size and time of writing, and, where only the
/// time is another (a copy, a backup brought back), by checksum. Files that are gone are left to whoever reads them; of rows
/// without a time, which older versions put, only the size is compared.
///
/// # Errors
/// Names the file that changed and says what to do.
pub(crate) fn check(scene: &Item) -> Result<()> {
    for asset in scene.assets.values().filter(|asset| !asset.href.contains("://")) {
        let path = gdal_io::local_file(&asset.href);
        if let Ok(metadata) = std::fs::metadata(&path)
            && !is_same(&path, asset, &metadata)?
        {
            return Err(changed(&path));
        }
    }
    let beside = sidecars(&scene.assets)?;
    let known = scene.properties.get(SIDECARS);
    if known.map_or(beside.is_empty(), |known| *known == json!(beside)) {
        return Ok(());
    }
    let first = scene
        .assets
        .values()
        .next()
        .map(|asset| gdal_io::local_file(&asset.href));
    Err(Error::unreadable(
        first
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""))
            .display(),
        format!(
            "a mask or notes (.msk, .aux.xml) beside the files of {} came, went or changed since the scene was taken in; take it in \
             again with `sen ingest`",
            scene.id
        ),
    ))
}

fn changed(path: &Path) -> Error {
    Error::unreadable(
        path.display(),
        "changed since the scene was taken in; take it in again with `sen ingest`, or bring the old file back",
    )
}

fn is_same(path: &Path, asset: &Asset, metadata: &Metadata) -> Result<bool> {
    if asset.bytes == 0 {
        return Ok(true);
    }
    if metadata.len() != asset.bytes {
        return Ok(false);
    }
    let now = modified(metadata);
    match (asset.modified, &asset.sha256) {
        (Some(then), Some(sha256)) if Some(then) != now => Ok(checksum(path, now)? == *sha256),
        _ => Ok(true),
    }
}

/// Checksums taken by this process, by file and time of writing.
static TAKEN: LazyLock<Mutex<Checksums>> = LazyLock::new(Mutex::default);

/// By file and time of writing.
type Checksums = HashMap<(PathBuf, Option<i64>), String>;

fn checksum(path: &Path, modified: Option<i64>) -> Result<String> {
    let key = (path.to_path_buf(), modified);
    let known = TAKEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
        .cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let (sha256, _) = asset::checksum(path)?;
    TAKEN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key, sha256.clone());
    Ok(sha256)
}
