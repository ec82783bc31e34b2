//! STAC Items and ItemCollections: Earth Search and Planetary Computer flavours of Sentinel-2 and -1 and Landsat.

use super::evidence::{OffsetOrigin, check_offset, check_units};
use super::processing_rank::PROCESSED;
use super::scene::{Scene, SceneBand, Stated};
use super::stac_assets::{band_metadata, choose_assets, mask_band, says_units};
use super::stac_calibration::{baseline, calibration, offset_flag};
use super::stac_href::{Base, resolve};
use super::{Found, ImagerySource, SourceOptions, Units};
use crate::{Error, Result, gdal_io};
use chrono::{DateTime, TimeDelta, Utc};
use sen_catalog::address::unsigned;
use sen_catalog::{Band, Bounds, Crs, Grid, Item};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

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
                let base = Base::Folder {
                    root: options.root.clone().unwrap_or_else(|| folder.clone()),
                    folder,
                    network: options.source.as_deref() == Some(self.name()),
                };
                document_items(&document, &path.display().to_string(), &base, options)
            }
            Err(error) => Found::failed(path.display(), &error),
        }
    }
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
    let mut stated_units = None;
    let mut signed = false;
    for (band, asset, index) in choose_assets(item, kind) {
        let metadata = band_metadata(asset, index);
        let (mut scale, mut offset) = (1.0, 0.0);
        if !band.is_categorical() {
            let found = calibration(kind, item, &metadata, options.offset)?;
            (scale, offset) = (found.scale, found.offset);
            calibrations.entry(found.text).or_default().push(band.name());
        }
        if matches!(band, Band::Vv | Band::Vh) {
            stated_units = stated_units.or(says_units(asset, &metadata));
        }
        let default_nodata = (kind != Kind::Sentinel1Rtc && band != Band::QaPixel).then_some(0.0);
        let address = resolve(asset["href"].as_str().unwrap_or_default(), base)
            .map_err(|why| Error::unreadable(id, why))?;
        let href = unsigned(&address).into_owned();
        if href != address {
            signed = true;
            gdal_io::remember_signed(&href, &address);
        }
        bands.push(SceneBand {
            band,
            href,
            band_index: index + 1,
            scale,
            offset,
            nodata: metadata.nodata.or(default_nodata),
            stated: stated(item, asset).map_err(|why| Error::unreadable(id, why))?,
        });
    }
    let mut notes = Vec::new();
    if signed {
        notes.push(
            "its addresses were signed; signatures are not kept, so that later runs read it only with access of their own \
             (AWS_..., AZURE_..., VSICURL_PC_URL_SIGNING=YES in the environment) or from downloaded files"
                .to_owned(),
        );
    }
    if let Some(mask) = mask_band(kind)
        && !bands.iter().any(|band| band.band == mask)
    {
        notes.push(format!(
            "lists no classification ({}): nothing tells its clouds, every cell counts as clear",
            mask.name().to_uppercase()
        ));
    }
    // the RTC collection's definition is linear power
    let units = match kind {
        Kind::Sentinel1Rtc => stated_units.unwrap_or(Units::Linear),
        _ => Units::Reflectance,
    };
    let id = if kind == Kind::LandsatC2L2 {
        id.strip_suffix("_SR").unwrap_or(id)
    } else {
        id
    };
    let mut scene = Scene {
        id: id.to_owned(),
        collection: kind.collection(),
        instant,
        instant_field: "datetime",
        bands,
        properties: properties(item, &calibrations),
        bbox: bbox(item),
        notes,
    };
    check_units(&mut scene, units, options.units)?;
    let origin = match offset_flag(&item["properties"]) {
        Some(false) => OffsetOrigin::Flag,
        _ => OffsetOrigin::Metadata,
    };
    check_offset(&mut scene, options.offset, origin)?;
    scene.into_item()
}

/// Longer than any look: what covers more time was put together from several.
const LONGEST_LOOK: TimeDelta = TimeDelta::days(1);

fn instant(item: &Value) -> Result<DateTime<Utc>, String> {
    let time = |key: &str| -> Result<Option<DateTime<Utc>>, String> {
        let Some(text) = item["properties"][key].as_str() else {
            return Ok(None);
        };
        let time =
            DateTime::parse_from_rfc3339(text).map_err(|_| format!("its {key} `{text}` is no instant"))?;
        Ok(Some(time.with_timezone(&Utc)))
    };
    let (at, start, end) = (time("datetime")?, time("start_datetime")?, time("end_datetime")?);
    if let (Some(start), Some(end)) = (start, end) {
        if start > end {
            return Err(format!(
                "its start_datetime {start} lies after its end_datetime {end}"
            ));
        }
        if end - start > LONGEST_LOOK {
            return Err(format!(
                "covers {} to {} (start_datetime, end_datetime): a composite of several looks; weeks are made of single \
                 looks here, so take the scenes it was made of",
                start.date_naive(),
                end.date_naive()
            ));
        }
    }
    match (at, start, end) {
        (Some(at), ..) => Ok(at),
        (None, Some(start), Some(_)) => Ok(start),
        (None, Some(_), None) => Err("has a start_datetime, but neither datetime nor end_datetime".into()),
        (None, None, _) => Err("has no datetime".into()),
    }
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
        "grid:code",
        "s2:product_uri",
        "landsat:collection_category",
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
    let processed = ["processing:datetime", "s2:generation_time"];
    if let Some(time) = processed.into_iter().find_map(|key| from[key].as_str()) {
        out.insert(PROCESSED.into(), json!(time));
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
