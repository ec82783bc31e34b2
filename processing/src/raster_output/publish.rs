//! Files to their places, then the row.
//!
//! A remade item keeps its file names, because scripts rely on them. So that no reader ever sees a row whose files
//! changed underneath, the old row is taken away before the first file is replaced and the new one put after the last:
//! for some milliseconds the week is not there. A run killed in between leaves no row, and the next one makes the week
//! again; files already open go on being read as they were.

use super::{RasterFile, Temporary};
use crate::{Error, Result};
use sen_catalog::{Asset, Assets, Item, Store};
use serde_json::json;
use std::fs::{self, File};

/// Property of an item: digest of what it was made from.
pub(crate) const INPUTS: &str = "sen:inputs";

/// True when the files of these assets are there with the sizes the row knows.
pub(crate) fn is_whole<'a>(assets: &Assets, files: impl IntoIterator<Item = &'a Asset>) -> bool {
    let whole = |asset: &Asset| {
        std::fs::metadata(assets.path(&asset.href)).is_ok_and(|file| file.len() == asset.bytes)
    };
    files.into_iter().all(whole)
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
        asset.href = Assets::href(item, &raster.name, "tif");
        item.assets.insert(raster.name.clone(), asset);
    }
}

/// Publishes an item whose assets are entered ([`add_rasters`]): rasters first, row last. With `replaces` there is a row
/// already whose files change, and it goes first.
///
/// # Errors
/// When the folder or the store cannot be written.
pub(crate) async fn publish_item(
    store: &dyn Store,
    assets: &Assets,
    item: &Item,
    rasters: &[RasterFile],
    replaces: bool,
) -> Result<()> {
    for raster in rasters {
        sync(&raster.temporary)?;
    }
    let document = write_document(assets, item)?;
    if replaces {
        store.delete_item(&item.collection, &item.id).await?;
    }
    for raster in rasters {
        assets.publish(&raster.temporary.0, &Assets::href(item, &raster.name, "tif"))?;
    }
    assets.publish(&document.0, &Assets::href(item, &item.id, "json"))?;
    store.put_item(item).await?;
    Ok(())
}

/// The item as a STAC document beside its files.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write_document(assets: &Assets, item: &Item) -> Result<Temporary> {
    let temporary = Temporary(assets.temporary(&item.id));
    fs::write(&temporary.0, item.stac_document()).map_err(|error| Error::io(&temporary.0, error))?;
    Ok(temporary)
}

/// Brings a file to the disk while the old row still stands, so that the gap without a row is short.
fn sync(file: &Temporary) -> Result<()> {
    let open = File::open(&file.0).map_err(|error| Error::io(&file.0, error))?;
    open.sync_all().map_err(|error| Error::io(&file.0, error))
}
