//! STAC Items and ItemCollections: Earth Search and Planetary Computer flavours of Sentinel-2 and -1 and Landsat.

use super::scene::{Scene, SceneBand, Stated, finish_radar, sentinel2_band};
use super::stac_calibration::{baseline, calibration};
use super::{Found, ImagerySource, SourceOptions, Units};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use reqwest::Url;
use sen_catalog::{Band, Bounds, Crs, Grid, Item};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// See the module.
pub(super) struct Stac;

impl ImagerySource for Stac {
    fn name(&self) -> &'static str {
        "stac"
    }

    fn describe(&self) -> &'static str {
        "STAC Items and ItemCollections (JSON files), or the address of a STAC API"
    }

    fn detect(&self, path: &Path, _: &SourceOptions) -> bool {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        if !["json", "geojson"].contains(&extension) || !path.is_file() {
            return false;
        }
        let mut start = Vec::new();
        let read = File::open(path).and_then(|file| file.take(1 << 20).read_to_end(&mut start));
        let text = String::from_utf8_lossy(&start);
        read.is_ok()
            && ["\"stac_version\"", "\"stac_extensions\"", "\"assets\""]
                .iter()
                .any(|key| text.contains(key))
    }

    fn read(&self, path: &Path, options: &SourceOptions) -> Found {
        match read_document(path, options.limits.document_bytes) {
            Ok(document) => {
                let folder = path.parent().unwrap_or(Path::new("/")).to_path_buf();
                document_items(
                    &document,
                    &path.display().to_string(),
                    &Base::Folder(folder),
                    options,
                )
            }
            Err(error) => Found::failed(path.display(), &error),
        }
    }
}

/// What relative hrefs are relative to.
pub(super) enum Base {
    Folder(PathBuf),
    Address(Url),
}

fn read_document(path: &Path, limit: u64) -> Result<Value> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io(path, error))?;
    if bytes.len() as u64 > limit {
        return Err(Error::unreadable(
            path.display(),
            format!("is longer than {limit} bytes"),
        ));
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::unreadable(path.display(), format!("is not whole JSON: {error}")))
}

/// The scenes of an Item or ItemCollection; a Catalog or Collection holds none itself.
pub(super) fn document_items(document: &Value, what: &str, base: &Base, options: &SourceOptions) -> Found {
    let named = |item: &Value| match item["id"].as_str() {
        Some(id) if document["type"] == "FeatureCollection" => format!("{what} {id}"),
        _ => what.to_owned(),
    };
    match document["type"].as_str() {
        Some("Feature") => Found::one(named(document), read_item(document, base, options)),
        Some("FeatureCollection") => {
            let features = document["features"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            features
                .iter()
                .map(|item| Found::one(named(item), read_item(item, base, options)))
                .collect()
        }
        Some("Collection" | "Catalog") => Found::default(),
        other => {
            let reason = format!(
                "is no STAC Item or ItemCollection (type {})",
                other.unwrap_or("missing")
            );
            Found::failed(what, &Error::unreadable(what, reason))
        }
    }
}

/// What an item is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sentinel2L2a,
    Sentinel2L1c,
    Sentinel1Rtc,
    LandsatC2L2,
}

impl Kind {
    fn collection(self) -> &'static str {
        match self {
            Self::Sentinel2L2a => "sentinel-2-l2a",
            Self::Sentinel2L1c => "sentinel-2-l1c",
            Self::Sentinel1Rtc => "sentinel-1-rtc",
            Self::LandsatC2L2 => "landsat-c2-l2",
        }
    }

    fn of(item: &Value) -> Result<Self> {
        let id = item["id"].as_str().unwrap_or_default();
        let collection = item["collection"].as_str().unwrap_or_default();
        let properties = &item["properties"];
        let text = |key: &str| properties[key].as_str().unwrap_or_default();
        let platform = text("platform").to_ascii_lowercase().replace('_', "-");
        match collection {
            "sentinel-2-l2a" | "sentinel-2-c1-l2a" | "sentinel-s2-l2a-cogs" | "sentinel-s2-l2a" => {
                return Ok(Self::Sentinel2L2a);
            }
            "sentinel-2-l1c" | "sentinel-s2-l1c" => return Ok(Self::Sentinel2L1c),
            "sentinel-1-rtc" => return Ok(Self::Sentinel1Rtc),
            "landsat-c2-l2" | "landsat-c2l2-sr" => return Ok(Self::LandsatC2L2),
            "sentinel-1-grd" => {
                return Err(Error::unreadable(
                    id,
                    "is Sentinel-1 GRD, which is read from the whole product (SAFE folder or zip), not from an Item of it; \
                     take that, or the RTC collection (gamma0)",
                ));
            }
            _ => {}
        }
        let landsat = platform.starts_with("landsat") && text("landsat:collection_number") == "02";
        if platform.starts_with("sentinel-2")
            && (text("s2:product_type") == "S2MSI2A" || id.contains("_MSIL2A_"))
        {
            Ok(Self::Sentinel2L2a)
        } else if platform.starts_with("sentinel-2")
            && (text("s2:product_type") == "S2MSI1C" || id.contains("_MSIL1C_"))
        {
            Ok(Self::Sentinel2L1c)
        } else if landsat
            && ["L2SP", "L2SR"].contains(&text("landsat:correction"))
            && collection != "landsat-c2l2-st"
        {
            Ok(Self::LandsatC2L2)
        } else {
            let collection = if collection.is_empty() { "none" } else { collection };
            let known = "sentinel-2-l2a, sentinel-2-l1c, sentinel-1-rtc, landsat-c2-l2";
            Err(Error::unreadable(
                id,
                format!("is of collection `{collection}` (platform `{platform}`); read are {known}"),
            ))
        }
    }
}

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

/// Makes the scene of a STAC Item.
///
/// # Errors
/// Names the item and what is missing or contradictory in it, or the file that is.
pub(super) fn read_item(item: &Value, base: &Base, options: &SourceOptions) -> Result<Item> {
    let id = item["id"]
        .as_str()
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Error::unreadable("item", "has no id"))?;
    let kind = Kind::of(item)?;
    let instant = instant(item).map_err(|why| Error::unreadable(id, why))?;
    let mut bands = Vec::new();
    let mut calibrations: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut decibel = None;
    for (band, asset, index) in choose_assets(item, kind) {
        let metadata = band_metadata(asset, index);
        let (mut scale, mut offset) = (1.0, 0.0);
        if !band.is_categorical() {
            let found = calibration(kind, item, &metadata, options.offset)?;
            (scale, offset) = (found.scale, found.offset);
            calibrations.entry(found.text).or_default().push(band.name());
        }
        if matches!(band, Band::Vv | Band::Vh) {
            decibel = decibel.or(says_decibel(asset, &metadata));
        }
        let default_nodata = (kind != Kind::Sentinel1Rtc && band != Band::QaPixel).then_some(0.0);
        bands.push(SceneBand {
            band,
            href: resolve(asset["href"].as_str().unwrap_or_default(), base)
                .map_err(|why| Error::unreadable(id, why))?,
            band_index: index + 1,
            scale,
            offset,
            nodata: metadata.nodata.or(default_nodata),
            stated: stated(item, asset).map_err(|why| Error::unreadable(id, why))?,
        });
    }
    let units = match (kind, decibel) {
        (Kind::Sentinel1Rtc, Some(true)) => Units::Db,
        // the RTC collection's definition is linear power
        (Kind::Sentinel1Rtc, Some(false) | None) => Units::Linear,
        _ => Units::Reflectance,
    };
    let id = if kind == Kind::LandsatC2L2 {
        id.strip_suffix("_SR").unwrap_or(id)
    } else {
        id
    };
    let scene = Scene {
        id: id.to_owned(),
        collection: kind.collection(),
        instant,
        bands,
        properties: properties(item, &calibrations),
        bbox: bbox(item),
    };
    finish_radar(scene, units, options.units)?.into_item()
}

fn instant(item: &Value) -> Result<DateTime<Utc>, String> {
    let properties = &item["properties"];
    let text = ["datetime", "start_datetime"]
        .into_iter()
        .find_map(|key| properties[key].as_str());
    let text = text.ok_or("has no datetime")?;
    let time =
        DateTime::parse_from_rfc3339(text).map_err(|_| format!("its datetime `{text}` is no instant"))?;
    Ok(time.with_timezone(&Utc))
}

fn bbox(item: &Value) -> Option<Bounds> {
    let numbers: Vec<f64> = item["bbox"]
        .as_array()?
        .iter()
        .filter_map(Value::as_f64)
        .collect();
    match numbers[..] {
        // across the antimeridian west is east of east; nothing to compare then
        [west, south, east, north] | [west, south, _, east, north, _] if west < east => {
            Some(Bounds::new(west, south, east, north))
        }
        _ => None,
    }
}

fn properties(item: &Value, calibrations: &BTreeMap<String, Vec<&str>>) -> Map<String, Value> {
    let from = &item["properties"];
    let mut out = Map::new();
    let kept = [
        "sat:orbit_state",
        "sat:relative_orbit",
        "eo:cloud_cover",
        "s2:mgrs_tile",
        "landsat:wrs_path",
        "landsat:wrs_row",
    ];
    for key in kept {
        if !from[key].is_null() {
            out.insert(key.into(), from[key].clone());
        }
    }
    if let Some(platform) = from["platform"].as_str() {
        out.insert(
            "platform".into(),
            json!(platform.to_lowercase().replace('_', "-")),
        );
    }
    if let Some(baseline) = baseline(from) {
        out.insert("s2:processing_baseline".into(), json!(baseline));
    }
    out.insert("sen:source".into(), json!("stac"));
    let text = match calibrations.len() {
        1 => calibrations.keys().cloned().collect(),
        _ => calibrations
            .iter()
            .map(|(text, bands)| format!("{}: {text}", bands.join(", ")))
            .collect::<Vec<_>>(),
    };
    out.insert("sen:calibration".into(), json!(text.join("; ")));
    out
}

/// The asset and the index in it (from 0) of each band, the surest name first.
fn choose_assets(item: &Value, kind: Kind) -> Vec<(Band, &Value, usize)> {
    let mut chosen: BTreeMap<Band, (u8, &Value, usize)> = BTreeMap::new();
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
            if chosen.get(&band).is_none_or(|(other, ..)| rank < *other) {
                chosen.insert(band, (rank, asset, index));
            }
        }
    }
    chosen
        .into_iter()
        .map(|(band, (_, asset, index))| (band, asset, index))
        .collect()
}

/// Pictures for the eye carry band names too, and Earth Search lists each band as COG and as JPEG 2000.
fn is_data(key: &str, asset: &Value, assets: &Map<String, Value>) -> bool {
    let has_role = |role: &str| {
        asset["roles"]
            .as_array()
            .is_some_and(|roles| roles.iter().any(|r| r == role))
    };
    let picture = ["visual", "overview", "thumbnail", "metadata"]
        .into_iter()
        .any(has_role)
        || ["visual", "overview", "preview", "rendered_preview", "tilejson"].contains(&key);
    let twin = key
        .strip_suffix("-jp2")
        .is_some_and(|cog| assets.contains_key(cog));
    let href = asset["href"].as_str().unwrap_or_default();
    let path = href
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let raster = [".tif", ".tiff", ".jp2"].iter().any(|end| path.ends_with(end))
        || asset["type"]
            .as_str()
            .is_some_and(|kind| kind.starts_with("image/tiff") || kind.starts_with("image/jp2"));
    !picture && !twin && raster
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
    let texts = [
        Some(key),
        metadata.name.as_deref(),
        metadata.common_name.as_deref(),
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
fn band_metadata(asset: &Value, index: usize) -> BandMetadata {
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

/// Whether metadata say dB (`Some(true)`) or linear power (`Some(false)`).
fn says_decibel(asset: &Value, metadata: &BandMetadata) -> Option<bool> {
    let unit = metadata.unit.as_deref().map(str::to_ascii_lowercase);
    match unit.as_deref() {
        Some("db" | "decibel" | "decibels") => return Some(true),
        Some("1" | "linear" | "linear power" | "m2/m2" | "power") => return Some(false),
        _ => {}
    }
    let words = ["title", "description"]
        .into_iter()
        .filter_map(|key| asset[key].as_str());
    let says = |text: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|word| word == "dB" || word == "decibel")
    };
    words.into_iter().any(says).then_some(true)
}

/// Where metadata place an asset: its grid, where they state all of it, or its coordinate system.
fn stated(item: &Value, asset: &Value) -> Result<Stated, String> {
    let either = |key: &str| {
        [&asset[key], &item["properties"][key]]
            .into_iter()
            .find(|value| !value.is_null())
    };
    let crs = match (
        either("proj:code").and_then(Value::as_str),
        either("proj:epsg").and_then(Value::as_u64),
    ) {
        (Some(code), _) => code
            .parse::<Crs>()
            .map_err(|error| format!("proj:code: {error}"))?,
        (None, Some(code)) => {
            Crs::epsg(u32::try_from(code).map_err(|_| format!("proj:epsg {code} is no code"))?)
        }
        (None, None) => return Ok(Stated::Nothing),
    };
    // shape and transform belong together: never one of the asset with the other of the item
    let place = if asset["proj:shape"].is_array() {
        asset
    } else {
        &item["properties"]
    };
    let numbers =
        |key: &str| -> Option<Vec<f64>> { place[key].as_array()?.iter().map(Value::as_f64).collect() };
    let (Some(shape), Some(transform)) = (numbers("proj:shape"), numbers("proj:transform")) else {
        return Ok(Stated::Crs(crs));
    };
    let ([rows, columns], [cell_width, 0.0, west, 0.0, cell_height, north, ..]) =
        (&shape[..], &transform[..])
    else {
        return Err("proj:shape or proj:transform is not that of a north-up grid".into());
    };
    let sane =
        *rows >= 1.0 && *columns >= 1.0 && rows * columns <= 1e10 && *cell_width > 0.0 && *cell_height < 0.0;
    if !sane {
        return Err(format!(
            "proj:shape {shape:?} with proj:transform {transform:?} is no usable grid"
        ));
    }
    Ok(Stated::Grid(Grid {
        crs,
        west: *west,
        north: *north,
        cell_width: *cell_width,
        cell_height: -cell_height,
        width: *columns as usize,
        height: *rows as usize,
    }))
}

/// The absolute path or address of an href; what came from the network may not name files of this machine.
fn resolve(href: &str, base: &Base) -> Result<String, String> {
    if href.is_empty() {
        return Err("an asset has no href".into());
    }
    match base {
        Base::Folder(folder) => {
            if href.starts_with("http://") || href.starts_with("https://") || href.starts_with("s3://") {
                return Ok(href.to_owned());
            }
            let path = href.strip_prefix("file://").unwrap_or(href);
            if path.contains("://") || path.starts_with("/vsi") {
                return Err(format!(
                    "asset href `{href}` is neither a file nor an http(s) or s3 address"
                ));
            }
            // only `.` goes; `..` stays, for a symbolic link may make it mean something else
            let parts = folder.join(path);
            let clean: PathBuf = parts
                .components()
                .filter(|part| *part != Component::CurDir)
                .collect();
            Ok(clean.display().to_string())
        }
        Base::Address(address) => {
            let url = address
                .join(href)
                .map_err(|error| format!("asset href `{href}`: {error}"))?;
            match url.scheme() {
                "http" | "https" | "s3" => Ok(url.to_string()),
                _ => Err(format!(
                    "asset href `{href}` is neither an http(s) nor an s3 address"
                )),
            }
        }
    }
}
