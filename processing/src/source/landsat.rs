//! Landsat Collection 2 Level-2 as USGS delivers it: a folder of GeoTIFFs with an `_MTL.txt` or `_MTL.xml`.

use super::scene::{Scene, SceneBand, Stated};
use super::xml::elements;
use super::{Found, ImagerySource, SourceOptions};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use sen_catalog::{Band, Crs, Grid, Item};
use serde_json::{Map, json};
use std::collections::HashMap;
use std::path::Path;

/// See the module.
pub(super) struct Landsat;

impl ImagerySource for Landsat {
    fn name(&self) -> &'static str {
        "landsat"
    }

    fn describe(&self) -> &'static str {
        "Landsat Collection 2 Level-2 folders (with their MTL file)"
    }

    fn detect(&self, path: &Path, _: &SourceOptions) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        // of a pair the text is read; both say the same
        let twin = || path.with_extension("txt").is_file();
        path.is_file() && (name.ends_with("_MTL.txt") || (name.ends_with("_MTL.xml") && !twin()))
    }

    fn read(&self, path: &Path, options: &SourceOptions) -> Found {
        Found::one(path.display(), read(path, options))
    }
}

/// Fields of an MTL file by group and name; Level-2 files repeat the Level-1 fields in groups of their own.
type Fields = HashMap<(String, String), String>;

fn read(path: &Path, options: &SourceOptions) -> Result<Item> {
    let bytes = std::fs::metadata(path)
        .map_err(|error| Error::io(path, error))?
        .len();
    if bytes > options.limits.document_bytes {
        return Err(Error::unreadable(
            path.display(),
            format!("is {bytes} bytes long, no MTL file is"),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
    let xml = path.extension().is_some_and(|extension| extension == "xml");
    let fields = if xml { parse_xml(&text) } else { parse_odl(&text) };
    let fields = fields.map_err(|why| Error::unreadable(path.display(), why))?;
    scene(path, &fields)
        .map_err(|why| Error::unreadable(path.display(), why))?
        .into_item()
}

/// `GROUP = NAME` ... `KEY = "value"` ... `END_GROUP = NAME`; the outermost group closes last.
fn parse_odl(text: &str) -> Result<Fields, String> {
    let mut fields = Fields::new();
    let mut open: Vec<&str> = Vec::new();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    for (key, value) in pairs.map(|(key, value)| (key.trim(), value.trim())) {
        match key {
            "GROUP" => open.push(value),
            "END_GROUP" => {
                open.pop();
                if open.is_empty() {
                    return Ok(fields);
                }
            }
            _ => {
                let group = open.last().copied().unwrap_or_default().to_owned();
                fields.insert((group, key.to_owned()), value.trim_matches('"').to_owned());
            }
        }
    }
    Err("is cut short: its outermost group is not closed".into())
}

fn parse_xml(text: &str) -> Result<Fields, String> {
    let fields = elements(text)?.into_iter();
    Ok(fields
        .map(|element| ((element.parent, element.name), element.text))
        .collect())
}

fn scene(path: &Path, fields: &Fields) -> Result<Scene, String> {
    let optional = |group: &str, key: &str| {
        fields
            .get(&(group.to_owned(), key.to_owned()))
            .map(String::as_str)
    };
    let field =
        |group: &str, key: &str| optional(group, key).ok_or_else(|| format!("has no {key} in its {group}"));
    let (Some(level), Some(collection)) = (
        optional("PRODUCT_CONTENTS", "PROCESSING_LEVEL"),
        optional("PRODUCT_CONTENTS", "COLLECTION_NUMBER"),
    ) else {
        let kind = optional("PRODUCT_METADATA", "DATA_TYPE").unwrap_or("an old product");
        return Err(not_level_2(&format!("Collection 1 or older ({kind})")));
    };
    if collection.parse() != Ok(2) || !level.starts_with("L2") {
        return Err(not_level_2(&format!("collection {collection}, level {level}")));
    }
    let product = field("PRODUCT_CONTENTS", "LANDSAT_PRODUCT_ID")?;
    let spacecraft = field("IMAGE_ATTRIBUTES", "SPACECRAFT_ID")?;
    let date = field("IMAGE_ATTRIBUTES", "DATE_ACQUIRED")?;
    let time = field("IMAGE_ATTRIBUTES", "SCENE_CENTER_TIME")?;
    let instant = format!("{date}T{time}");
    let instant: DateTime<Utc> = instant
        .parse()
        .map_err(|_| format!("`{instant}` is no instant"))?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let stated = stated_grid(fields).into();
    let mut bands = Vec::new();
    for (number, band) in band_numbers(spacecraft) {
        let Some(file) = optional("PRODUCT_CONTENTS", &format!("FILE_NAME_BAND_{number}")) else {
            continue;
        };
        let number_of = |key: &str| -> Result<f64, String> {
            let key = format!("{key}_BAND_{number}");
            let text = field("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", &key)?;
            text.parse()
                .map_err(|_| format!("{key} is `{text}`, which is not a number"))
        };
        let (scale, offset) = (number_of("REFLECTANCE_MULT")?, number_of("REFLECTANCE_ADD")?);
        bands.push(band_of(*band, folder, file, (scale, offset), stated)?);
    }
    if let Some(file) = optional("PRODUCT_CONTENTS", "FILE_NAME_QUALITY_L1_PIXEL") {
        bands.push(band_of(Band::QaPixel, folder, file, (1.0, 0.0), stated)?);
    }
    let mut notes = Vec::new();
    if !bands.iter().any(|band| band.band == Band::QaPixel) {
        notes.push(
            "lists no classification (QA_PIXEL): nothing tells its clouds, every cell counts as clear"
                .to_owned(),
        );
    }
    let mut properties = Map::new();
    properties.insert(
        "platform".into(),
        json!(spacecraft.to_lowercase().replace('_', "-")),
    );
    properties.insert("sen:source".into(), json!("landsat"));
    properties.insert(
        "sen:calibration".into(),
        json!("REFLECTANCE_MULT and REFLECTANCE_ADD of the MTL file"),
    );
    for (name, key) in [
        ("landsat:wrs_path", "WRS_PATH"),
        ("landsat:wrs_row", "WRS_ROW"),
        ("eo:cloud_cover", "CLOUD_COVER"),
    ] {
        if let Some(value) = optional("IMAGE_ATTRIBUTES", key) {
            properties.insert(
                name.into(),
                value
                    .parse::<f64>()
                    .map_or_else(|_| json!(value), |number| json!(number)),
            );
        }
    }
    Ok(Scene {
        id: product.to_owned(),
        collection: "landsat-c2-l2",
        instant,
        instant_field: "DATE_ACQUIRED",
        bands,
        properties,
        bbox: None,
        notes,
    })
}

fn not_level_2(found: &str) -> String {
    format!(
        "is Landsat {found}; read is Collection 2 Level-2 (surface reflectance). Take the L2SP product of this \
         scene, or describe its files as plain GeoTIFFs with scale and offset in a [[geotiff]] table"
    )
}

/// Where the MTL file places the pixels; corners are centres of the corner pixels there.
fn stated_grid(fields: &Fields) -> Option<Grid> {
    let text = |key: &str| fields.get(&("PROJECTION_ATTRIBUTES".to_owned(), key.to_owned()));
    let number = |key: &str| text(key)?.parse::<f64>().ok();
    if text("MAP_PROJECTION")? != "UTM" || text("DATUM")? != "WGS84" {
        return None;
    }
    let cell = number("GRID_CELL_SIZE_REFLECTIVE")?;
    Some(Grid {
        // USGS uses the northern zones south of the equator too
        crs: Crs::epsg(32_600 + number("UTM_ZONE")? as u32),
        west: number("CORNER_UL_PROJECTION_X_PRODUCT")? - cell / 2.0,
        north: number("CORNER_UL_PROJECTION_Y_PRODUCT")? + cell / 2.0,
        cell_width: cell,
        cell_height: cell,
        width: number("REFLECTIVE_SAMPLES")? as usize,
        height: number("REFLECTIVE_LINES")? as usize,
    })
}

fn band_of(
    band: Band,
    folder: &Path,
    file: &str,
    (scale, offset): (f64, f64),
    stated: Stated,
) -> Result<SceneBand, String> {
    if super::scene::escapes(file) || file.contains('/') {
        return Err(format!("names the file `{file}`, which lies outside its folder"));
    }
    Ok(SceneBand {
        band,
        href: folder.join(file).display().to_string(),
        band_index: 1,
        scale,
        offset,
        // fill is 0 in the reflectance bands; in QA_PIXEL it is bit 0
        nodata: (band != Band::QaPixel).then_some(0.0),
        stated,
    })
}

/// Band numbers differ between TM/ETM+ (Landsat 4-7) and OLI (8, 9).
fn band_numbers(spacecraft: &str) -> &'static [(u32, Band)] {
    match spacecraft {
        "LANDSAT_4" | "LANDSAT_5" | "LANDSAT_7" => &[
            (1, Band::Blue),
            (2, Band::Green),
            (3, Band::Red),
            (4, Band::Nir08),
            (5, Band::Swir16),
            (7, Band::Swir22),
        ],
        _ => &[
            (1, Band::Coastal),
            (2, Band::Blue),
            (3, Band::Green),
            (4, Band::Red),
            (5, Band::Nir08),
            (6, Band::Swir16),
            (7, Band::Swir22),
        ],
    }
}
