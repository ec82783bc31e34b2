//! One type for scene, weekly composite and product raster: the STAC Item.

mod piece_sums;

pub use piece_sums::{PIECE_BYTES, PieceSums};

use crate::address::unsigned;
use crate::band::Band;
use crate::grid::{Bounds, Grid};
use crate::period::{Interval, Period};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Collections of scenes, as providers name them.
pub const SCENE_COLLECTIONS: &[&str] = &[
    "sentinel-2-l2a",
    "sentinel-2-l1c",
    "sentinel-1-rtc",
    "sentinel-1-grd",
    "landsat-c2-l2",
];

/// Property of an item: what its assets are, by name, where the name does not tell.
pub const ASSET_DESCRIPTIONS: &str = "sen:asset_descriptions";

/// Property of a scene: what people should know of it before they trust it, as a list of sentences.
pub const SCENE_NOTES: &str = "sen:notes";

/// A file that belongs to an item, and how its numbers become physical values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asset {
    /// Where it lies: relative to the assets folder for what `sen` made; otherwise an absolute path or URL.
    pub href: String,
    /// What the pixels measure, for assets of scenes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<Band>,
    /// Which band of the file, from 1.
    #[serde(default = "first_band")]
    pub band_index: usize,
    /// value = stored * scale + offset.
    #[serde(default = "one")]
    pub scale: f64,
    /// See `scale`.
    #[serde(default)]
    pub offset: f64,
    /// Stored value that means "no data".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodata: Option<f64>,
    /// Unit of the physical value (UCUM), where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Lower-case hex SHA-256 of the file; `None` for remote files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of the pieces of a file that `sen` made: what a reader holds against what it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece_sums: Option<PieceSums>,
    /// Size of the file in bytes, 0 when unknown.
    #[serde(default)]
    pub bytes: u64,
    /// When the local file of a scene was last written as its checksum was taken, in nanoseconds of Unix time: one written
    /// since is looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
}

fn first_band() -> usize {
    1
}

fn one() -> f64 {
    1.0
}

impl Asset {
    /// An asset at `href` holding plain values: scale 1, offset 0, first band.
    pub fn new(href: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            band: None,
            band_index: 1,
            scale: 1.0,
            offset: 0.0,
            nodata: None,
            unit: None,
            sha256: None,
            piece_sums: None,
            bytes: 0,
            modified: None,
        }
    }

    /// True unless the file is known to hold something else than pixels (tables of statistics, metadata; by their
    /// extension).
    pub fn is_raster(&self) -> bool {
        !["arrow", "json", "xml"]
            .iter()
            .any(|other| self.has_extension(other))
    }

    fn has_extension(&self, extension: &str) -> bool {
        let own = std::path::Path::new(&self.href).extension();
        own.is_some_and(|own| own.eq_ignore_ascii_case(extension))
    }

    /// The media type of the file, by its extension.
    pub fn media_type(&self) -> &'static str {
        if self.has_extension("arrow") {
            "application/vnd.apache.arrow.file"
        } else if self.has_extension("json") {
            "application/json"
        } else if self.has_extension("xml") {
            "application/xml"
        } else {
            "image/tiff; application=geotiff; profile=cloud-optimized"
        }
    }
}

/// A scene or a weekly raster: when, where, which files, made from what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// `{collection}_{period}` for weekly rasters; platform, time and tile for scenes. Never random.
    pub id: String,
    /// The collection it belongs to.
    pub collection: String,
    /// What time it stands for (a week, or the instant of the look).
    pub interval: Interval,
    /// The grid of its main raster; scenes may hold bands on other grids too.
    pub grid: Grid,
    /// Outline in lon/lat degrees.
    pub bbox: Bounds,
    /// Files by name; the main asset of a weekly raster is named like its collection.
    pub assets: BTreeMap<String, Asset>,
    /// Ids of the items it was made from (`collection/id`), sorted.
    #[serde(default)]
    pub lineage: Vec<String>,
    /// Anything else worth keeping: platform, orbit, code version, shares of classes.
    #[serde(default)]
    pub properties: Map<String, Value>,
}

impl Item {
    /// The week of the item (for scenes: the week of the local date of the look).
    pub fn period(&self) -> Period {
        Period::of_instant(self.interval.start)
    }

    /// The id of a weekly raster.
    pub fn weekly_id(collection: &str, period: Period) -> String {
        format!("{collection}_{period}")
    }

    /// True for satellite scenes, false for what was made of them.
    pub fn is_scene(&self) -> bool {
        SCENE_COLLECTIONS.contains(&self.collection.as_str())
    }

    /// The main asset of a weekly raster.
    pub fn main_asset(&self) -> Option<&Asset> {
        self.assets.get(&self.collection)
    }

    /// A short text that changes whenever a pixel of the item changes: the start of its main asset's SHA-256.
    pub fn version(&self) -> &str {
        let checksum = self.main_asset().and_then(|asset| asset.sha256.as_deref());
        checksum.and_then(|hex| hex.get(..16)).unwrap_or("0")
    }

    /// The item as STAC 1.1 JSON; `resolve` turns an asset's `href` into what the reader should follow.
    pub fn to_stac(&self, resolve: impl Fn(&str) -> String) -> Value {
        let b = self.bbox;
        let ring = [
            [b.west, b.south],
            [b.east, b.south],
            [b.east, b.north],
            [b.west, b.north],
            [b.west, b.south],
        ];
        let mut properties = self.properties.clone();
        let instant = self.interval.start == self.interval.end;
        properties.insert(
            "datetime".into(),
            if instant {
                json!(rfc3339(self.interval.start))
            } else {
                Value::Null
            },
        );
        if !instant {
            // STAC intervals include their end
            let last = self.interval.end - chrono::TimeDelta::seconds(1);
            properties.insert("start_datetime".into(), json!(rfc3339(self.interval.start)));
            properties.insert("end_datetime".into(), json!(rfc3339(last)));
        }
        properties.insert("proj:code".into(), json!(self.grid.crs.to_string()));
        properties.insert("proj:shape".into(), json!([self.grid.height, self.grid.width]));
        properties.insert("proj:transform".into(), json!(self.stac_transform()));
        if !self.lineage.is_empty() {
            properties.insert(
                "processing:lineage".into(),
                json!(format!("made from {}", self.lineage.join(", "))),
            );
            properties.insert("sen:lineage".into(), json!(self.lineage));
        }
        let assets: Map<String, Value> = self
            .assets
            .iter()
            .map(|(name, asset)| {
                let mut told = stac_asset(name, asset, &resolve);
                let description = self
                    .properties
                    .get(ASSET_DESCRIPTIONS)
                    .and_then(|all| all.get(name));
                if let Some(description) = description {
                    told["description"] = description.clone();
                }
                (name.clone(), told)
            })
            .collect();
        json!({
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": [
                "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
                "https://stac-extensions.github.io/file/v2.1.0/schema.json",
                "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
            ],
            "id": self.id,
            "collection": self.collection,
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "bbox": [b.west, b.south, b.east, b.north],
            "properties": properties,
            "links": [],
            "assets": assets,
        })
    }

    /// STAC's order of the affine transform: cell width, 0, west, 0, minus cell height, north.
    fn stac_transform(&self) -> [f64; 6] {
        [
            self.grid.cell_width,
            0.0,
            self.grid.west,
            0.0,
            -self.grid.cell_height,
            self.grid.north,
        ]
    }
}

fn rfc3339(instant: chrono::DateTime<chrono::Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn stac_asset(name: &str, asset: &Asset, resolve: &impl Fn(&str) -> String) -> Value {
    let mut band = Map::new();
    band.insert("name".into(), json!(name));
    if asset.scale != 1.0 {
        band.insert("raster:scale".into(), json!(asset.scale));
    }
    if asset.offset != 0.0 {
        band.insert("raster:offset".into(), json!(asset.offset));
    }
    if let Some(nodata) = asset.nodata {
        band.insert("nodata".into(), json!(nodata));
    }
    if let Some(unit) = &asset.unit {
        band.insert("unit".into(), json!(unit));
    }
    let mut out = Map::new();
    // rows of former versions may hold signed addresses
    out.insert("href".into(), json!(resolve(&unsigned(&asset.href))));
    out.insert("type".into(), json!(asset.media_type()));
    out.insert("roles".into(), json!(["data"]));
    if asset.is_raster() {
        out.insert("bands".into(), json!([band]));
    }
    if let Some(sha256) = &asset.sha256 {
        // multihash: 0x12 = sha2-256, 0x20 = 32 bytes
        out.insert("file:checksum".into(), json!(format!("1220{sha256}")));
    }
    if asset.bytes > 0 {
        out.insert("file:size".into(), json!(asset.bytes));
    }
    Value::Object(out)
}
