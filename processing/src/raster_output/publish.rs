//! Files to their places, then the row.
//!
//! A file is named by its content, so nothing that a row names is ever another afterwards: a reader sees the old row with the
//! old files or the new row with the new ones. A run killed in between leaves files that no row names, and the next one makes the
//! item again.

use super::RasterFile;
use crate::Result;
use sen_catalog::{Asset, Assets, Item, Store};
use serde_json::json;

/// Property of an item: digest of what it was made from.
pub(crate) const INPUTS: &str = "sen:inputs";

/// True when the files of these assets are there with the sizes the row knows, and none was found to be damaged.
pub(crate) fn is_whole<'a>(assets: &Assets, files: impl IntoIterator<Item = &'a Asset>) -> bool {
    files.into_iter().all(|asset| assets.is_whole(asset))
}

/// True when the item was made from the same and its files are whole.
pub(crate) fn is_current(assets: &Assets, known: Option<&Item>, inputs: &str) -> bool {
    known.is_some_and(|item| {
        item.properties.get(INPUTS) == Some(&json!(inputs)) && is_whole(assets, item.assets.values())
    })
}

/// Enters rasters among the assets of their item, with the places they will have.
pub(crate) fn add_rasters(item: &mut Item, rasters: &[RasterFile]) {
    for raster in rasters {
        let mut asset = raster.asset.clone();
        let sha256 = asset.sha256.as_deref().unwrap_or_default();
        asset.href = Assets::href(item, &raster.name, "tif", sha256);
        item.assets.insert(raster.name.clone(), asset);
    }
}

/// Publishes an item whose assets are entered ([`add_rasters`]): rasters first, row last.
///
/// # Errors
/// When the folder or the store cannot be written.
pub(crate) async fn publish_item(
    store: &dyn Store,
    assets: &Assets,
    item: &Item,
    rasters: &[RasterFile],
) -> Result<()> {
    for raster in rasters {
        if let Some(asset) = item.assets.get(&raster.name) {
            assets.publish(&raster.temporary.0, &asset.href)?;
        }
    }
    store.put_item(item).await?;
    Ok(())
}
