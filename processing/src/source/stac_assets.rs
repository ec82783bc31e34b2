//! Which asset of an Item holds which band: by the surest name, and of several sizes the finest.

use super::Units;
use super::scene::sentinel2_band;
use super::stac::Kind;
use sen_catalog::Band;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What an item says of one band of an asset.
#[derive(Clone, Debug, Default)]
pub(super) struct BandMetadata {
    pub(super) name: Option<String>,
    pub(super) common_name: Option<String>,
    pub(super) scale: Option<f64>,
    pub(super) offset: Option<f64>,
    pub(super) nodata: Option<f64>,
    pub(super) unit: Option<String>,
}

/// An asset's band and the index in it (from 0).
type Chosen<'a> = (Band, &'a Value, usize);

/// The asset and the index in it of each band: the surest name first, of equally sure ones the finest.
pub(super) fn choose_assets(item: &Value, kind: Kind) -> Vec<Chosen<'_>> {
    let mut chosen: BTreeMap<Band, (u8, f64, &Value, usize)> = BTreeMap::new();
    let Some(assets) = item["assets"].as_object() else {
        return Vec::new();
    };
    for (key, asset) in assets {
        if !is_data(key, asset, assets) {
            continue;
        }
        let count = band_count(asset).max(1);
        for index in 0..count {
            let metadata = band_metadata(asset, index);
            let Some((band, rank)) = name_band(if count == 1 { key } else { "" }, &metadata, kind) else {
                continue;
            };
            let cell = cell_size(item, key, asset, index);
            if chosen
                .get(&band)
                .is_none_or(|(other, size, ..)| (rank, cell) < (*other, *size))
            {
                chosen.insert(band, (rank, cell, asset, index));
            }
        }
    }
    if let Some(mask) = mask_band(kind)
        && !chosen.contains_key(&mask)
        && let Some((asset, index)) = classification(item, assets, mask)
    {
        chosen.insert(mask, (0, 0.0, asset, index));
    }
    chosen
        .into_iter()
        .map(|(band, (_, _, asset, index))| (band, asset, index))
        .collect()
}

/// The layer that tells clouds from clear cells, where deliveries of the kind have one.
pub(super) fn mask_band(kind: Kind) -> Option<Band> {
    match kind {
        Kind::Sentinel2L2a => Some(Band::Scl),
        Kind::LandsatC2L2 => Some(Band::QaPixel),
        Kind::Sentinel2L1c | Kind::Sentinel1Rtc => None,
    }
}

/// The classification where no band is named so: by its key or file name, its classes, its title or description. The
/// finest of those that are known by the surest of these signs.
fn classification<'a>(
    item: &Value,
    assets: &'a Map<String, Value>,
    mask: Band,
) -> Option<(&'a Value, usize)> {
    let mut best: Option<(usize, f64, &Value, usize)> = None;
    for (key, asset) in assets {
        if !is_raster(asset) || is_picture(key, asset) {
            continue;
        }
        let file = asset["href"].as_str().unwrap_or_default();
        let file = file.split(['?', '#']).next().unwrap_or_default();
        let file = file.rsplit('/').next().unwrap_or_default();
        for index in 0..band_count(asset).max(1) {
            let places: Vec<&Value> = band_lists(asset)
                .filter_map(|list| list.get(index))
                .chain([asset])
                .collect();
            let words = places
                .iter()
                .flat_map(|place| ["eo:description", "description", "title"].map(|field| &place[field]))
                .filter_map(Value::as_str);
            let signs = [
                is_named(key, mask),
                is_named(file, mask),
                places.iter().any(|place| has_classes(place, mask)),
                words.into_iter().any(|text| is_told(text, mask)),
            ];
            let Some(rank) = signs.iter().position(|&sign| sign) else {
                continue;
            };
            let cell = cell_size(item, key, asset, index);
            if best.is_none_or(|(other, size, ..)| (rank, cell) < (other, size)) {
                best = Some((rank, cell, asset, index));
            }
        }
    }
    best.map(|(_, _, asset, index)| (asset, index))
}

/// The words of a name such as `T48PWS_SCL_20m.tif`, in lower case.
fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn is_named(name: &str, mask: Band) -> bool {
    let words = words(name);
    match mask {
        Band::Scl => words.iter().any(|word| word == "scl"),
        _ => words
            .windows(2)
            .any(|pair| ["qa pixel", "pixel qa"].contains(&pair.join(" ").as_str())),
    }
}

fn is_told(text: &str, mask: Band) -> bool {
    let words = words(text).join(" ");
    match mask {
        Band::Scl => words.contains("scene classification") || is_named(text, mask),
        _ => words.contains("pixel quality") || is_named(text, mask),
    }
}

/// True when the listed classes (bits) are those of the mask layer: the numbers that make clouds and shadows.
fn has_classes(place: &Value, mask: Band) -> bool {
    let (list, number) = match mask {
        Band::Scl => ("classification:classes", "value"),
        _ => ("classification:bitfields", "offset"),
    };
    let says = |wanted: u64, word: &str| {
        place[list].as_array().into_iter().flatten().any(|class| {
            let texts = ["name", "title", "description"]
                .into_iter()
                .filter_map(|field| class[field].as_str());
            class[number].as_u64() == Some(wanted)
                && texts.into_iter().any(|text| text.to_lowercase().contains(word))
        })
    };
    match mask {
        Band::Scl => says(3, "shadow") && says(4, "veg") && says(8, "cloud") && says(9, "cloud"),
        _ => says(0, "fill") && says(3, "cloud") && says(4, "shadow"),
    }
}

/// Metres (or degrees) of a cell as metadata state them; infinite where they do not.
fn cell_size(item: &Value, key: &str, asset: &Value, index: usize) -> f64 {
    let band = |field: &str| band_lists(asset).find_map(|list| list.get(index)?[field].as_f64());
    let named = |name: &str| {
        let file = name.split(['?', '#']).next().unwrap_or_default();
        words(file.rsplit('/').next().unwrap_or_default())
            .iter()
            .find_map(|word| word.strip_suffix('m')?.parse::<f64>().ok())
    };
    let stated = [
        asset["proj:transform"][0].as_f64(),
        band("spatial_resolution"),
        band("raster:spatial_resolution"),
        band("gsd"),
        asset["gsd"].as_f64(),
        named(key),
        asset["href"].as_str().and_then(named),
        item["properties"]["proj:transform"][0].as_f64(),
    ];
    stated
        .into_iter()
        .flatten()
        .find(|cell| *cell > 0.0)
        .unwrap_or(f64::INFINITY)
}

fn has_role(asset: &Value, role: &str) -> bool {
    asset["roles"]
        .as_array()
        .is_some_and(|roles| roles.iter().any(|own| own == role))
}

/// Pictures for the eye carry band names too.
fn is_picture(key: &str, asset: &Value) -> bool {
    ["visual", "overview", "thumbnail"]
        .into_iter()
        .any(|role| has_role(asset, role))
        || ["visual", "overview", "preview", "rendered_preview", "tilejson"].contains(&key)
}

fn is_raster(asset: &Value) -> bool {
    let href = asset["href"].as_str().unwrap_or_default();
    let path = href
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    [".tif", ".tiff", ".jp2"].iter().any(|end| path.ends_with(end))
        || asset["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("image/tiff") || kind.starts_with("image/jp2"))
}

/// Earth Search lists each band as COG and as JPEG 2000.
fn is_data(key: &str, asset: &Value, assets: &Map<String, Value>) -> bool {
    let twin = key
        .strip_suffix("-jp2")
        .is_some_and(|cog| assets.contains_key(cog));
    is_raster(asset) && !is_picture(key, asset) && !has_role(asset, "metadata") && !twin
}

/// The band that an asset holds and how sure that is: its key, its band code, its common name.
fn name_band(key: &str, metadata: &BandMetadata, kind: Kind) -> Option<(Band, u8)> {
    let sentinel2 = matches!(kind, Kind::Sentinel2L2a | Kind::Sentinel2L1c);
    let named = |text: &str| -> Option<Band> {
        if sentinel2 {
            if let Some(band) = sentinel2_band(text) {
                return Some(band);
            }
            match text {
                "rededge1" => return Some(Band::RedEdge071),
                "rededge2" => return Some(Band::RedEdge075),
                "rededge3" => return Some(Band::RedEdge078),
                _ => {}
            }
        }
        text.to_ascii_lowercase().parse().ok()
    };
    // `B04_10m`: a code and its cells
    let code = key
        .rsplit_once('_')
        .filter(|(_, cells)| {
            sentinel2
                && cells
                    .strip_suffix('m')
                    .is_some_and(|cells| cells.parse::<u32>().is_ok())
        })
        .map(|(code, _)| code);
    let texts = [
        Some(key),
        metadata.name.as_deref(),
        metadata.common_name.as_deref(),
        code,
    ];
    let found = texts
        .into_iter()
        .zip(0..)
        .find_map(|(text, rank)| Some((named(text?)?, rank)))?;
    let fits = match kind {
        Kind::Sentinel1Rtc => matches!(found.0, Band::Vv | Band::Vh),
        _ => !matches!(found.0, Band::Vv | Band::Vh),
    };
    fits.then_some(found)
}

fn band_lists(asset: &Value) -> impl Iterator<Item = &Vec<Value>> {
    ["bands", "raster:bands", "eo:bands"]
        .into_iter()
        .filter_map(|key| asset[key].as_array())
}

fn band_count(asset: &Value) -> usize {
    band_lists(asset).map(Vec::len).max().unwrap_or(1)
}

/// STAC 1.1 `bands`, 1.0 `raster:bands` and `eo:bands`, and what the asset says for all its bands.
pub(super) fn band_metadata(asset: &Value, index: usize) -> BandMetadata {
    let mut places: Vec<&Value> = band_lists(asset).filter_map(|list| list.get(index)).collect();
    places.push(asset);
    let number = |keys: &[&str]| {
        let mut values = places
            .iter()
            .flat_map(|place| keys.iter().map(|key| &place[*key]));
        values.find_map(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
    };
    let text = |keys: &[&str], places: &[&Value]| {
        let mut values = places
            .iter()
            .flat_map(|place| keys.iter().map(|key| &place[*key]));
        values.find_map(|value| value.as_str().map(str::to_owned))
    };
    BandMetadata {
        name: text(&["name"], &places[..places.len() - 1]),
        common_name: text(&["eo:common_name", "common_name"], &places),
        scale: number(&["raster:scale", "scale"]),
        offset: number(&["raster:offset", "offset"]),
        nodata: number(&["nodata"]),
        unit: text(&["unit"], &places),
    }
}

/// What metadata say radar values are, where they say it.
pub(super) fn says_units(asset: &Value, metadata: &BandMetadata) -> Option<Units> {
    let unit = metadata.unit.as_deref().map(str::to_ascii_lowercase);
    match unit.as_deref() {
        Some("db" | "decibel" | "decibels") => return Some(Units::Db),
        Some("1" | "linear" | "linear power" | "m2/m2" | "power") => return Some(Units::Linear),
        Some("amplitude" | "linear amplitude") => return Some(Units::Amplitude),
        _ => {}
    }
    let texts = ["title", "description"]
        .into_iter()
        .filter_map(|key| asset[key].as_str());
    let says = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .find_map(|word| match word {
                "dB" | "decibel" => Some(Units::Db),
                "amplitude" | "Amplitude" => Some(Units::Amplitude),
                _ => None,
            })
    };
    texts.into_iter().find_map(says)
}
