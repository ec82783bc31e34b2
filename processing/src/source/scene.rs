//! What every source shares: building an item from bands, and the checks that metadata and pixels agree.

use super::Units;
use crate::gdal_io::{self, RasterInfo};
use crate::{Error, Result, unchanged};
use chrono::{DateTime, Utc};
use sen_catalog::{Asset, Band, Bounds, Crs, Grid, Interval, Item, asset};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Bands without which a scene is of no use for the products: listed but absent, they fail the scene.
pub(super) const NEEDED: &[Band] = &[
    Band::Blue,
    Band::Green,
    Band::Red,
    Band::Nir,
    Band::Swir16,
    Band::Scl,
    Band::QaPixel,
    Band::Vv,
    Band::Vh,
];

/// One band of a scene being built.
pub(super) struct SceneBand {
    pub(super) band: Band,
    pub(super) href: String,
    pub(super) band_index: usize,
    pub(super) scale: f64,
    pub(super) offset: f64,
    /// Stored nodata; `None` takes the file's own.
    pub(super) nodata: Option<f64>,
    /// Where metadata place it, to be compared with the file or used for remote files.
    pub(super) stated: Stated,
}

/// What metadata say of a band's place.
#[derive(Clone, Copy)]
pub(super) enum Stated {
    Nothing,
    /// Items often state no more than this.
    Crs(Crs),
    Grid(Grid),
}

impl From<Option<Grid>> for Stated {
    fn from(grid: Option<Grid>) -> Self {
        grid.map_or(Self::Nothing, Self::Grid)
    }
}

/// A scene being built.
pub(super) struct Scene {
    pub(super) id: String,
    pub(super) collection: &'static str,
    pub(super) instant: DateTime<Utc>,
    pub(super) bands: Vec<SceneBand>,
    pub(super) properties: Map<String, Value>,
    /// Outline in lon/lat that the provider states.
    pub(super) bbox: Option<Bounds>,
}

/// True for hrefs on this machine.
pub(super) fn is_local(href: &str) -> bool {
    !href.contains("://")
}

impl Scene {
    /// Opens the files, checks them against what metadata state and against each other, and makes the item.
    ///
    /// # Errors
    /// Names the file that is absent, damaged, on another grid, or at odds with its metadata.
    pub(super) fn into_item(mut self) -> Result<Item> {
        self.drop_absent_extras()?;
        let mut files = HashMap::new();
        let mut grids = BTreeMap::new();
        let mut contradictions = Contradictions::new();
        for band in &mut self.bands {
            let (grid, info) = open_band(band, &mut files)?;
            if let Some(info) = info {
                check_band(band, &info)?;
                contradictions.look(band, &info);
                band.nodata = band
                    .nodata
                    .or_else(|| info.nodata.get(band.band_index - 1).copied().flatten());
            }
            grids.insert(band.band, grid);
        }
        let measured = grids.iter().filter(|(band, _)| !band.is_categorical());
        let Some((_, &grid)) = measured.min_by(|a, b| a.1.cell_width.total_cmp(&b.1.cell_width)) else {
            return Err(Error::unreadable(&self.id, "holds no band that is read here"));
        };
        for band in &self.bands {
            check_extent(&band.href, band.band, &grid, &grids[&band.band])?;
        }
        let bbox = grid.lon_lat_bounds()?;
        if let Some(stated) = self.bbox
            && !bbox.intersects(&stated)
        {
            return Err(Error::unreadable(
                &self.id,
                format!(
                    "its metadata place it at {}, its pixels at {}",
                    show(&stated),
                    show(&bbox)
                ),
            ));
        }
        let assets = self.assets()?;
        let sidecars = sidecars(&assets)?;
        if !sidecars.is_empty() {
            self.properties.insert(SIDECARS.into(), json!(sidecars));
        }
        note(&mut self.properties, contradictions.texts());
        Ok(Item {
            id: self.id,
            collection: self.collection.to_owned(),
            interval: Interval::instant(self.instant),
            grid,
            bbox,
            assets,
            lineage: Vec::new(),
            properties: self.properties,
        })
    }

    /// Files that metadata list must be there when a product needs them; others are left out and named.
    fn drop_absent_extras(&mut self) -> Result<()> {
        // the narrow near infrared stands in where it is the only one
        let only_narrow = !self.bands.iter().any(|band| band.band == Band::Nir);
        let needed = |band| NEEDED.contains(&band) || (band == Band::Nir08 && only_narrow);
        let mut absent = Vec::new();
        let mut bands = Vec::new();
        for band in self.bands.drain(..) {
            if !is_local(&band.href) || band.href.starts_with("/vsizip/") || Path::new(&band.href).is_file() {
                bands.push(band);
            } else if needed(band.band) {
                return Err(Error::unreadable(
                    &band.href,
                    format!(
                        "band {} is listed in the metadata but there is no such file",
                        band.band
                    ),
                ));
            } else {
                absent.push(band.band.name());
            }
        }
        self.bands = bands;
        if !absent.is_empty() {
            self.properties.insert("sen:absent".into(), json!(absent));
        }
        Ok(())
    }

    fn assets(&self) -> Result<BTreeMap<String, Asset>> {
        let mut checksums = Checksums::new();
        let mut assets = BTreeMap::new();
        for band in &self.bands {
            let mut asset = Asset {
                band: Some(band.band),
                band_index: band.band_index,
                scale: band.scale,
                offset: band.offset,
                nodata: band.nodata,
                ..Asset::new(band.href.clone())
            };
            if is_local(&band.href) {
                checksum(&mut asset, &mut checksums)?;
            }
            assets.insert(band.band.name().to_owned(), asset);
        }
        // Landsat's only near infrared is the narrow one; what asks for `nir` shall find it
        if self.collection == "landsat-c2-l2"
            && !assets.contains_key("nir")
            && let Some(nir) = assets.get("nir08").cloned()
        {
            assets.insert(
                "nir".into(),
                Asset {
                    band: Some(Band::Nir),
                    ..nir
                },
            );
        }
        Ok(assets)
    }
}

/// Property of a scene: checksums of the masks and notes that lie beside its files, by asset and ending; pixels depend on them.
pub(crate) const SIDECARS: &str = "sen:sidecars";

/// The value of [`SIDECARS`].
///
/// # Errors
/// Names the file that cannot be read.
pub(crate) fn sidecars(assets: &BTreeMap<String, Asset>) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (name, asset) in assets.iter().filter(|(_, asset)| is_local(&asset.href)) {
        for path in gdal_io::sidecars(Path::new(&asset.href)) {
            let whole = path.to_string_lossy();
            let ending = whole.strip_prefix(asset.href.as_str()).unwrap_or_default();
            found.insert(format!("{name}{ending}"), asset::checksum(&path)?.0);
        }
    }
    Ok(found)
}

/// Property of a scene: what a person should know of how it was taken in, a sentence each.
pub const NOTES: &str = "sen:notes";

/// Adds sentences to what is said of a scene.
pub(super) fn note(properties: &mut Map<String, Value>, texts: impl IntoIterator<Item = String>) {
    for text in texts {
        let notes = properties.entry(NOTES).or_insert_with(|| json!([]));
        if let Value::Array(notes) = notes {
            notes.push(json!(text));
        }
    }
}

/// Bands whose files state another scale and offset of their own than is used, by what both say.
struct Contradictions(BTreeMap<String, Vec<String>>);

impl Contradictions {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn look(&mut self, band: &SceneBand, info: &RasterInfo) {
        let stated = info.calibrations.get(band.band_index - 1).copied();
        let Some((scale, offset)) = stated.filter(|&stated| stated != (1.0, 0.0)) else {
            return;
        };
        let same = (scale - band.scale).abs() <= 1e-6 * band.scale.abs()
            && (offset - band.offset).abs() <= 0.5 * band.scale.abs();
        if same || band.band.is_categorical() {
            return;
        }
        let name = Path::new(&band.href)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let text = format!(
            "scale {scale} and offset {offset} of their own tags, used are scale {} and offset {}",
            band.scale, band.offset
        );
        self.0
            .entry(text)
            .or_default()
            .push(format!("{} ({name})", band.band));
    }

    fn texts(self) -> impl Iterator<Item = String> {
        self.0
            .into_iter()
            .map(|(text, bands)| format!("the files of {} state {text}", bands.join(", ")))
    }
}

/// Checksums, sizes and times of files: a zip is read once for all its members.
pub(super) type Checksums = HashMap<PathBuf, (String, u64, Option<i64>)>;

/// Enters checksum, size and time of the local file of an asset.
///
/// # Errors
/// Names the file when it cannot be read.
pub(super) fn checksum(asset: &mut Asset, known: &mut Checksums) -> Result<()> {
    let path = gdal_io::local_file(&asset.href);
    if !known.contains_key(&path) {
        // the time before the checksum: what is written meanwhile is seen later
        let modified = std::fs::metadata(&path)
            .ok()
            .as_ref()
            .and_then(unchanged::modified);
        let (sha256, bytes) = asset::checksum(&path)?;
        known.insert(path.clone(), (sha256, bytes, modified));
    }
    let (sha256, bytes, modified) = known[&path].clone();
    (asset.sha256, asset.bytes, asset.modified) = (Some(sha256), bytes, modified);
    Ok(())
}

/// The band's grid, and the header where the file was opened: local files always, remote ones only when metadata
/// do not state the grid.
fn open_band(
    band: &SceneBand,
    files: &mut HashMap<String, RasterInfo>,
) -> Result<(Grid, Option<RasterInfo>)> {
    if let (false, Stated::Grid(grid)) = (is_local(&band.href), band.stated) {
        return Ok((grid, None));
    }
    let info = match files.get(&band.href) {
        Some(info) => info.clone(),
        None => gdal_io::info(&band.href)?,
    };
    files.insert(band.href.clone(), info.clone());
    Ok((info.grid, Some(info)))
}

fn check_band(band: &SceneBand, info: &RasterInfo) -> Result<()> {
    if band.band_index > info.bands {
        return Err(Error::unreadable(
            &band.href,
            format!(
                "should hold {} as band {}, but has {} bands",
                band.band, band.band_index, info.bands
            ),
        ));
    }
    let crs = match band.stated {
        Stated::Nothing => return Ok(()),
        Stated::Crs(crs) => crs,
        Stated::Grid(grid) => grid.crs,
    };
    let contradicts = |what: &str, stated: &str, found: &str| {
        Err(Error::unreadable(
            &band.href,
            format!(
                "metadata contradict the pixels: {what} is {stated} in the metadata, {found} in the file"
            ),
        ))
    };
    let grid = &info.grid;
    if crs != grid.crs {
        return contradicts("the coordinate system", &crs.to_string(), &grid.crs.to_string());
    }
    let Stated::Grid(stated) = band.stated else {
        return Ok(());
    };
    if (stated.width, stated.height) != (grid.width, grid.height) {
        let size = |grid: &Grid| format!("{} x {} pixels", grid.width, grid.height);
        return contradicts("the size", &size(&stated), &size(grid));
    }
    if stated.offset_of(grid) != Some((0, 0)) {
        let corner = |grid: &Grid| format!("{}, {} (cells of {})", grid.west, grid.north, grid.cell_width);
        return contradicts("the upper left corner", &corner(&stated), &corner(grid));
    }
    Ok(())
}

/// All bands of a scene cover the same ground, to a cell of the coarser one.
fn check_extent(href: &str, band: Band, main: &Grid, other: &Grid) -> Result<()> {
    let (a, b) = (main.bounds(), other.bounds());
    let cell = main.cell_width.max(other.cell_width) * 1.001;
    let edges = [
        a.west - b.west,
        a.east - b.east,
        a.south - b.south,
        a.north - b.north,
    ];
    if main.crs == other.crs && edges.iter().all(|distance| distance.abs() <= cell) {
        return Ok(());
    }
    Err(Error::unreadable(
        href,
        format!(
            "{band} lies on other ground than the scene: {} in {} against {} in {}",
            show(&b),
            other.crs,
            show(&a),
            main.crs
        ),
    ))
}

fn show(b: &Bounds) -> String {
    format!("[{}, {}, {}, {}]", b.west, b.south, b.east, b.north)
}

/// The band of a Sentinel-2 band code such as `B04`, `B8A` or `SCL`.
pub(super) fn sentinel2_band(code: &str) -> Option<Band> {
    Some(match code.to_ascii_uppercase().as_str() {
        "B01" => Band::Coastal,
        "B02" => Band::Blue,
        "B03" => Band::Green,
        "B04" => Band::Red,
        "B05" => Band::RedEdge071,
        "B06" => Band::RedEdge075,
        "B07" => Band::RedEdge078,
        "B08" => Band::Nir,
        "B8A" => Band::Nir08,
        "B09" => Band::Nir09,
        "B11" => Band::Swir16,
        "B12" => Band::Swir22,
        "SCL" => Band::Scl,
        _ => return None,
    })
}

/// True when an absolute path or archive member name climbs out of its folder.
pub(super) fn escapes(name: &str) -> bool {
    name.starts_with('/')
        || name.contains('\\')
        || name.contains(':')
        || name.split('/').any(|part| part == "..")
}

/// Writes down the units of a radar scene and checks that the pixels can be what is said: linear power is never
/// negative, decibel of land and water nearly always. Units that the user has `said` for this very ingest are confirmed:
/// they hold against metadata, configuration and pixels.
///
/// # Errors
/// Names the file whose pixels contradict the units.
pub(super) fn finish_radar(mut scene: Scene, units: Units, said: Option<Units>) -> Result<Scene> {
    let confirmed = said.filter(|said| *said != Units::Reflectance && units != Units::Reflectance);
    let units = confirmed.unwrap_or(units);
    let word = match units {
        Units::Reflectance => return Ok(scene),
        Units::Linear => "linear",
        Units::Db => "dB",
    };
    scene.properties.insert("sen:units".into(), json!(word));
    if units == Units::Db {
        scene.properties.insert("sen:decibel".into(), json!(true));
    }
    let doubted = scene.bands.iter().filter(|_| confirmed.is_none());
    for band in doubted.filter(|band| matches!(band.band, Band::Vv | Band::Vh)) {
        if !is_local(&band.href) || !gdal_io::local_file(&band.href).is_file() {
            continue;
        }
        let pixels = gdal_io::sample(&band.href, band.band_index, 256, band.nodata)?;
        let valid = pixels.iter().filter(|pixel| !pixel.is_nan()).count();
        let negative = pixels.iter().filter(|&&pixel| pixel < 0.0).count();
        let contradiction = match units {
            Units::Linear if negative * 10 > valid => {
                "linear power, but many pixels are negative: they look like \
                 dB; say so with `units = \"db\"` in the layout or --units db, or confirm with --units linear"
            }
            Units::Db if valid > 100 && negative * 10 < valid => {
                "dB, but hardly a pixel is negative: they look like \
                 linear power; say so with `units = \"linear\"` in the layout or --units linear, or confirm with --units db"
            }
            _ => continue,
        };
        return Err(Error::unreadable(
            &band.href,
            format!("{} should be {contradiction}", band.band),
        ));
    }
    Ok(scene)
}
