//! Sentinel-2 L2A and L1C as ESA delivers them: a SAFE folder, or its zip.
//!
//! Scale and offset come from the product's metadata, per band. A product of processing baseline 04.00 or later
//! without offsets in its metadata is not guessed at.

use super::evidence::{OffsetOrigin, check_offset};
use super::safe_archive::{SafePackage, file_name, zip_holds};
use super::scene::{NEEDED, Scene, SceneBand, escapes, sentinel2_band};
use super::stac_calibration::{baseline_has_offset, parse_baseline};
use super::xml::{Element, elements};
use super::{Found, ImagerySource, SourceOptions};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use sen_catalog::{Band, Crs, Grid, Item};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::Path;

/// See the module.
pub(super) struct Sentinel2Safe;

const METADATA: [&str; 2] = ["MTD_MSIL2A.xml", "MTD_MSIL1C.xml"];

fn is_metadata(path: &str) -> bool {
    METADATA.contains(&file_name(path))
}

/// True where the product lies one folder deeper: some programs unpack `X.SAFE.zip` into a folder `X.SAFE` of its own.
fn holds_product(folder: &Path) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| {
        let path = entry.path();
        path.extension().is_some_and(|end| end == "SAFE") && path.is_dir()
    })
}

impl ImagerySource for Sentinel2Safe {
    fn name(&self) -> &'static str {
        "sentinel-2-safe"
    }

    fn describe(&self) -> &'static str {
        "Sentinel-2 L2A and L1C SAFE folders and zips"
    }

    fn detect(&self, path: &Path, _: &SourceOptions) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            // without the suffix the name alone proves nothing: STAC Items carry it too
            let named = name.starts_with("S2")
                && name.contains("_MSIL")
                && path.extension().is_some_and(|end| end == "SAFE");
            let whole = METADATA.iter().any(|file| path.join(file).is_file());
            return whole || named && !holds_product(path);
        }
        zip_holds(path, !name.starts_with("S1"), is_metadata)
    }

    fn read(&self, path: &Path, options: &SourceOptions) -> Found {
        match SafePackage::open_all(path, &options.limits, is_metadata) {
            Ok(packages) => packages
                .iter()
                .map(|package| Found::one(package.place(), read(package, options)))
                .collect(),
            Err(error) => Found::failed(path.display(), &error),
        }
    }
}

/// What the product's metadata say.
struct Product {
    elements: Vec<Element>,
    /// Where they stand, for messages.
    file: String,
}

impl Product {
    fn optional(&self, name: &str) -> Option<&str> {
        self.elements
            .iter()
            .find(|element| element.name == name)
            .map(|element| element.text.as_str())
    }

    fn text(&self, name: &str) -> Result<&str> {
        self.optional(name)
            .ok_or_else(|| Error::unreadable(&self.file, format!("has no {name}")))
    }

    fn number(&self, name: &str) -> Result<f64> {
        let text = self.text(name)?;
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| {
            Error::unreadable(&self.file, format!("{name} is `{text}`, which is not a number"))
        })
    }
}

fn read(package: &SafePackage, options: &SourceOptions) -> Result<Item> {
    let Some(metadata) = METADATA.into_iter().find(|name| package.has(name)) else {
        return Err(Error::unreadable(
            package.place(),
            "holds no MTD_MSIL2A.xml or MTD_MSIL1C.xml",
        ));
    };
    let file = package.href(metadata);
    let text = package.text(metadata, &options.limits)?;
    let elements = elements(&text).map_err(|why| Error::unreadable(&file, why))?;
    let product = Product { elements, file };
    let level_2a = metadata == "MTD_MSIL2A.xml";
    let baseline = product.text("PROCESSING_BASELINE")?.to_owned();
    let start = product.text("PRODUCT_START_TIME")?;
    let instant: DateTime<Utc> = start.parse().map_err(|_| {
        Error::unreadable(
            &product.file,
            format!("PRODUCT_START_TIME is `{start}`, no instant"),
        )
    })?;
    let offsets = Offsets::read(&product, level_2a, &baseline, options)?;
    let quantification = if level_2a {
        "BOA_QUANTIFICATION_VALUE"
    } else {
        "QUANTIFICATION_VALUE"
    };
    let quantification = product.number(quantification)?;
    if quantification <= 0.0 {
        return Err(Error::unreadable(
            &product.file,
            format!("its quantification value is {quantification}"),
        ));
    }
    let images = images(&product)?;
    let stated = Geocoding::read(package, &images, options)?;
    let mut bands = Vec::new();
    for (band, (resolution, name)) in &images {
        let file = ["jp2", "tif"]
            .into_iter()
            .map(|end| format!("{name}.{end}"))
            .find(|file| package.has(file));
        let Some(file) = file else {
            if NEEDED.contains(band) {
                let what = package.href(&format!("{name}.jp2"));
                return Err(Error::unreadable(
                    what,
                    format!("band {band} is listed in the metadata but there is no such file"),
                ));
            }
            continue;
        };
        package.check(&file)?;
        let scale = 1.0 / quantification;
        let (scale, offset) = if band.is_categorical() {
            (1.0, 0.0)
        } else {
            (scale, offsets.of(*band, &product)? * scale)
        };
        bands.push(SceneBand {
            band: *band,
            href: package.href(&file),
            band_index: 1,
            scale,
            offset,
            nodata: Some(0.0),
            stated: stated.as_ref().and_then(|stated| stated.grid(*resolution)).into(),
        });
    }
    let mut properties = Map::new();
    properties.insert("s2:processing_baseline".into(), json!(baseline));
    properties.insert("sen:source".into(), json!("sentinel-2-safe"));
    properties.insert("sen:calibration".into(), json!(offsets.text));
    if let Some(name) = product.optional("SPACECRAFT_NAME") {
        properties.insert("platform".into(), json!(name.to_lowercase()));
    }
    if let Some(direction) = product.optional("SENSING_ORBIT_DIRECTION") {
        properties.insert("sat:orbit_state".into(), json!(direction.to_lowercase()));
    }
    if let Ok(orbit) = product.number("SENSING_ORBIT_NUMBER") {
        properties.insert("sat:relative_orbit".into(), json!(orbit as u32));
    }
    let uri = product.text("PRODUCT_URI")?;
    let id = uri.strip_suffix(".SAFE").unwrap_or(uri).to_owned();
    let collection = if level_2a {
        "sentinel-2-l2a"
    } else {
        "sentinel-2-l1c"
    };
    let mut notes = Vec::new();
    if level_2a && !images.contains_key(&Band::Scl) {
        notes.push(
            "lists no classification (SCL): nothing tells its clouds, every cell counts as clear".to_owned(),
        );
    }
    let mut scene = Scene {
        id,
        collection,
        instant,
        instant_field: "PRODUCT_START_TIME",
        bands,
        properties,
        bbox: None,
        notes,
    };
    check_offset(&mut scene, options.offset, OffsetOrigin::Metadata)?;
    scene.into_item()
}

/// What is added to stored numbers before they are divided by the quantification value.
struct Offsets {
    by_band: BTreeMap<Band, f64>,
    /// Of bands that are not listed; none where others are and differ.
    otherwise: Option<f64>,
    text: String,
}

impl Offsets {
    fn read(product: &Product, level_2a: bool, baseline: &str, options: &SourceOptions) -> Result<Self> {
        let name = if level_2a {
            "BOA_ADD_OFFSET"
        } else {
            "RADIO_ADD_OFFSET"
        };
        let mut by_band = BTreeMap::new();
        for element in product.elements.iter().filter(|element| element.name == name) {
            let wrong = || Error::unreadable(&product.file, format!("{name} is not a number for each band"));
            let number = element.text.parse::<f64>().map_err(|_| wrong())?;
            let id = element
                .attribute("band_id")
                .and_then(|id| id.parse::<usize>().ok())
                .ok_or_else(wrong)?;
            by_band.extend(physical_band(id).map(|band| (band, number)));
        }
        if !by_band.is_empty() {
            let first = by_band.values().next().copied();
            let otherwise = first.filter(|first| by_band.values().all(|other| other == first));
            return Ok(Self {
                by_band,
                otherwise,
                text: format!("{name} of {}", METADATA[usize::from(!level_2a)]),
            });
        }
        let none_of_esa = parse_baseline(baseline).is_none();
        let unknown = none_of_esa || baseline_has_offset(baseline);
        let (otherwise, text) = match (unknown, options.offset) {
            (false, _) => (0.0, format!("processing baseline {baseline}: no offset")),
            (true, Some(said)) => (said, format!("said by the user: offset {said} DN")),
            (true, None) if none_of_esa => {
                return Err(Error::unreadable(
                    &product.file,
                    format!(
                        "states no {name}, and its processing baseline {baseline} is none of ESA's; say --offset -1000 (offset still in the pixels) or --offset 0"
                    ),
                ));
            }
            (true, None) => {
                return Err(Error::unreadable(
                    &product.file,
                    format!(
                        "processing baseline {baseline} should state {name}, but does not; say --offset -1000 (ESA's value) or --offset 0 (already in the pixels)"
                    ),
                ));
            }
        };
        Ok(Self {
            by_band,
            otherwise: Some(otherwise),
            text,
        })
    }

    fn of(&self, band: Band, product: &Product) -> Result<f64> {
        let own = self.by_band.get(&band).copied().or(self.otherwise);
        own.ok_or_else(|| {
            Error::unreadable(
                &product.file,
                format!("states offsets of other bands, but none of {band}"),
            )
        })
    }
}

/// ESA's band ids count B01 to B08, B8A, B09 to B12 from 0.
fn physical_band(id: usize) -> Option<Band> {
    let codes = [
        "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
    ];
    sentinel2_band(codes.get(id)?)
}

/// The listed image of each band at its finest resolution (metres), without extension.
fn images(product: &Product) -> Result<BTreeMap<Band, (u32, String)>> {
    let mut images: BTreeMap<Band, (u32, String)> = BTreeMap::new();
    for element in product
        .elements
        .iter()
        .filter(|element| element.name == "IMAGE_FILE")
    {
        let name = &element.text;
        if escapes(name) {
            return Err(Error::unreadable(
                &product.file,
                format!("names the file `{name}`, which lies outside the product"),
            ));
        }
        let mut parts = name.rsplit('/').next().unwrap_or(name).rsplit('_');
        let last = parts.next().unwrap_or_default();
        // L2A: ..._B02_10m; L1C: ..._B02
        let (code, resolution) = match last.strip_suffix('m').and_then(|metres| metres.parse().ok()) {
            Some(metres) => (parts.next().unwrap_or_default(), metres),
            None => (last, native_resolution(last)),
        };
        let Some(band) = sentinel2_band(code) else {
            continue;
        };
        if images.get(&band).is_none_or(|(other, _)| resolution < *other) {
            images.insert(band, (resolution, name.clone()));
        }
    }
    if images.is_empty() {
        return Err(Error::unreadable(&product.file, "lists no IMAGE_FILE"));
    }
    Ok(images)
}

fn native_resolution(code: &str) -> u32 {
    match code {
        "B02" | "B03" | "B04" | "B08" => 10,
        "B05" | "B06" | "B07" | "B8A" | "B11" | "B12" => 20,
        _ => 60,
    }
}

/// Where the granule's metadata place the pixels.
struct Geocoding {
    crs: Crs,
    elements: Vec<Element>,
}

impl Geocoding {
    fn read(
        package: &SafePackage,
        images: &BTreeMap<Band, (u32, String)>,
        options: &SourceOptions,
    ) -> Result<Option<Self>> {
        let first = images
            .values()
            .next()
            .and_then(|(_, name)| name.split_once("/IMG_DATA"));
        let Some(name) = first
            .map(|(granule, _)| format!("{granule}/MTD_TL.xml"))
            .filter(|name| package.has(name))
        else {
            return Ok(None);
        };
        let what = package.href(&name);
        let elements =
            elements(&package.text(&name, &options.limits)?).map_err(|why| Error::unreadable(&what, why))?;
        let code = elements
            .iter()
            .find(|element| element.name == "HORIZONTAL_CS_CODE");
        let crs = code.and_then(|element| element.text.parse().ok());
        let crs =
            crs.ok_or_else(|| Error::unreadable(&what, "coordinate system unknown: no HORIZONTAL_CS_CODE"))?;
        Ok(Some(Self { crs, elements }))
    }

    fn grid(&self, resolution: u32) -> Option<Grid> {
        let resolution = resolution.to_string();
        let number = |name: &str| -> Option<f64> {
            let mut own = self
                .elements
                .iter()
                .filter(|e| e.attribute("resolution") == Some(&resolution));
            own.find(|element| element.name == name)?.text.parse().ok()
        };
        Some(Grid {
            crs: self.crs,
            west: number("ULX")?,
            north: number("ULY")?,
            cell_width: number("XDIM")?,
            cell_height: -number("YDIM")?,
            width: number("NCOLS")? as usize,
            height: number("NROWS")? as usize,
        })
    }
}
