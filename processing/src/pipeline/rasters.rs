//! Rasters held in memory as the files of an item: how surfaces and depths, which are made beside the weekly products, are
//! written and published.

use super::files::Temporary;
use super::publish::document;
use crate::{Error, Result};
use sen_catalog::raster::{CogProfile, CogWriter, Compression, Overviews, Pixel};
use sen_catalog::{Asset, Assets, Grid, Item, Store, asset};
use serde_json::json;

/// Property of an item: digest of what it was made from.
pub(crate) const INPUTS: &str = "sen:inputs";

/// How numbers are stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    /// Value that means "no data".
    pub(crate) nodata: f64,
    /// Physical value of a stored one.
    pub(crate) scale: f64,
    /// Unit, UCUM; none for classes.
    pub(crate) unit: Option<&'a str>,
    /// How the smaller levels are made.
    pub(crate) overviews: Overviews,
}

/// A raster under a temporary name.
pub(crate) struct Raster {
    name: String,
    asset: Asset,
    temporary: Temporary,
}

impl Raster {
    /// True for the raster of this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Checksum of the file.
    pub(crate) fn sha256(&self) -> Option<String> {
        self.asset.sha256.clone()
    }
}

/// Writes a raster under a temporary name.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn write<T: Pixel>(
    assets: &Assets,
    name: &str,
    values: &[T],
    grid: &Grid,
    stored: Stored<'_>,
) -> Result<Raster> {
    let temporary = Temporary(assets.temporary(name));
    let profile = CogProfile {
        grid: *grid,
        data_type: T::DATA_TYPE,
        nodata: Some(stored.nodata),
        scale: stored.scale,
        offset: 0.0,
        compression: Compression::Zstd(3),
        block: 512,
        overviews: stored.overviews,
        description: name.to_owned(),
    };
    let mut writer = CogWriter::create(&temporary.0, profile)?;
    writer.write_rows(values)?;
    writer.finish()?;
    let (sha256, bytes) = asset::checksum(&temporary.0)?;
    let asset = Asset {
        scale: stored.scale,
        nodata: Some(stored.nodata),
        unit: stored.unit.map(str::to_owned),
        sha256: Some(sha256),
        bytes,
        ..Asset::new("")
    };
    Ok(Raster {
        name: name.to_owned(),
        asset,
        temporary,
    })
}

/// A published raster once more, byte by byte, under another name.
///
/// # Errors
/// When the file cannot be read or the folder not be written.
pub(crate) fn copy(assets: &Assets, name: &str, of: &Asset) -> Result<Raster> {
    let temporary = Temporary(assets.temporary(name));
    let from = assets.path(&of.href);
    std::fs::copy(&from, &temporary.0).map_err(|error| Error::io(&from, error))?;
    Ok(Raster {
        name: name.to_owned(),
        asset: of.clone(),
        temporary,
    })
}

/// True when the item was made from the same and its files are whole.
pub(crate) fn is_current(assets: &Assets, known: Option<&Item>, inputs: &str) -> bool {
    let whole = |asset: &Asset| {
        std::fs::metadata(assets.path(&asset.href)).is_ok_and(|file| file.len() == asset.bytes)
    };
    known.is_some_and(|item| {
        item.properties.get(INPUTS) == Some(&json!(inputs)) && item.assets.values().all(whole)
    })
}

/// Publishes an item with its rasters: files first, row last; `known` when there is a row already.
///
/// # Errors
/// When the folder or the store cannot be written.
pub(crate) async fn publish(
    store: &dyn Store,
    assets: &Assets,
    mut item: Item,
    rasters: &[Raster],
    known: bool,
) -> Result<()> {
    for raster in rasters {
        let mut asset = raster.asset.clone();
        asset.href = Assets::href(&item, &raster.name, "tif");
        item.assets.insert(raster.name.clone(), asset);
    }
    let document = document(assets, &item)?;
    if known {
        // the row goes before its files change, and comes back after the last
        store.delete_item(&item.collection, &item.id).await?;
    }
    for raster in rasters {
        assets.publish(&raster.temporary.0, &Assets::href(&item, &raster.name, "tif"))?;
    }
    assets.publish(&document.0, &Assets::href(&item, &item.id, "json"))?;
    store.put_item(&item).await?;
    Ok(())
}
