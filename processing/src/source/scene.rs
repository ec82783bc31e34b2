//! What every source shares: building an item from bands, and the checks that metadata and pixels agree.

use super::acquisition;
use super::unchanged;
use crate::gdal_io::{self, RasterInfo};
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use sen_catalog::item::SCENE_NOTES;
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
    /// What the delivery calls the instant, for messages.
    pub(super) instant_field: &'static str,
    pub(super) bands: Vec<SceneBand>,
    pub(super) properties: Map<String, Value>,
    /// Outline in lon/lat that the provider states.
    pub(super) bbox: Option<Bounds>,
    /// What people should know of it before they trust it; without paths.
    pub(super) notes: Vec<String>,
}

/// Cells of the largest scene: Sentinel-1 at 10 m has 6 x 10^8.
const MOST_CELLS: usize = 1_000_000_000;
/// Width and height of the largest scene, metres: the swaths of Sentinel and Landsat are 185 to 290 km wide.
const WIDEST_M: f64 = 500_000.0;
/// Scales that sensors and providers use: value of one step of the stored number.
const SCALES: std::ops::RangeInclusive<f64> = 1e-8..=100.0;
/// Greatest offset of a value, whatever its unit.
const GREATEST_OFFSET: f64 = 1000.0;
/// The same of a reflectance.
const GREATEST_REFLECTANCE_OFFSET: f64 = 1.0;

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
        self.check_metadata()?;
        self.drop_absent_extras()?;
        let mut files = HashMap::new();
        let mut grids = BTreeMap::new();
        let mut contradictions = Contradictions::new();
        for band in &mut self.bands {
            let (grid, info) = open_band(band, &mut files)?;
            check_size(&band.href, &grid)?;
            if let Some(info) = info {
                self.notes.extend(check_band(band, &info)?);
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
        self.notes.extend(contradictions.texts());
        // what is true of all bands is said once
        let mut notes = std::mem::take(&mut self.notes);
        let mut seen = std::collections::BTreeSet::new();
        notes.retain(|note| seen.insert(note.clone()));
        if !notes.is_empty() {
            self.properties.insert(SCENE_NOTES.into(), json!(notes));
        }
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

    /// Refuses times and numbers that no sensor has.
    ///
    /// # Errors
    /// Names the scene and the field.
    pub(super) fn check_metadata(&self) -> Result<()> {
        let platform = self.properties.get("platform").and_then(Value::as_str);
        acquisition::check(self.instant_field, self.instant, self.collection, platform)
            .map_err(|why| Error::unreadable(&self.id, why))?;
        self.bands
            .iter()
            .try_for_each(|band| check_calibration(&self.id, band))
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

/// Numbers that no sensor and no provider has make weeks of nonsense.
fn check_calibration(id: &str, band: &SceneBand) -> Result<()> {
    if band.band.is_categorical() {
        return Ok(());
    }
    let wrong = |field: &str, number: f64, why: &str| {
        Err(Error::unreadable(
            id,
            format!(
                "the {field} of {} is {number}, {why}; correct it in the metadata or the layout",
                band.band
            ),
        ))
    };
    if !SCALES.contains(&band.scale) {
        return wrong(
            "scale",
            band.scale,
            "which no provider uses (0.0001 is usual, 1 for values as they are)",
        );
    }
    let radar = matches!(band.band, Band::Vv | Band::Vh);
    let greatest = if radar {
        GREATEST_OFFSET
    } else {
        GREATEST_REFLECTANCE_OFFSET
    };
    if !(band.offset.is_finite() && band.offset.abs() <= greatest) {
        return wrong(
            "offset",
            band.offset,
            &format!("which makes no value of it (at scale {})", band.scale),
        );
    }
    Ok(())
}

/// A scene larger than any sensor's would decide the grid and fill the memory, however small its file.
fn check_size(href: &str, grid: &Grid) -> Result<()> {
    let metres = if grid.crs.is_geographic() { 111_320.0 } else { 1.0 };
    let (across, down) = (
        grid.width as f64 * grid.cell_width * metres,
        grid.height as f64 * grid.cell_height * metres,
    );
    let cells = grid.width.saturating_mul(grid.height);
    if across <= WIDEST_M && down <= WIDEST_M && cells <= MOST_CELLS {
        return Ok(());
    }
    Err(Error::unreadable(
        href,
        format!(
            "claims {} x {} pixels, {:.0} x {:.0} km: larger than the scene of any sensor ({:.0} km on a side, {MOST_CELLS} \
             pixels); cut it into scenes",
            grid.width,
            grid.height,
            across / 1000.0,
            down / 1000.0,
            WIDEST_M / 1000.0
        ),
    ))
}

/// Holds the header of a band against what metadata state. Where they place it a cell beside the file at most, the file
/// counts, which is noted.
fn check_band(band: &SceneBand, info: &RasterInfo) -> Result<Option<String>> {
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
        Stated::Nothing => return Ok(None),
        Stated::Crs(crs) => crs,
        Stated::Grid(grid) => grid.crs,
    };
    let contradicts = |what: &str, stated: &str, found: &str| {
        Err(Error::unreadable(
            &band.href,
            format!(
                "metadata contradict the pixels: {what} is {stated} in the metadata, {found} in the file; correct the \
                 metadata, or take the statement out of them: the file counts then"
            ),
        ))
    };
    let grid = &info.grid;
    if crs != grid.crs {
        return contradicts("the coordinate system", &crs.to_string(), &grid.crs.to_string());
    }
    let Stated::Grid(stated) = band.stated else {
        return Ok(None);
    };
    if (stated.width, stated.height) != (grid.width, grid.height) {
        let size = |grid: &Grid| format!("{} x {} pixels", grid.width, grid.height);
        return contradicts("the size", &size(&stated), &size(grid));
    }
    if stated.offset_of(grid) != Some((0, 0)) {
        let corner = |grid: &Grid| format!("{}, {} (cells of {})", grid.west, grid.north, grid.cell_width);
        let beside = |a: f64, b: f64, cell: f64| (a - b).abs() <= cell * 1.001;
        let same_cells = beside(stated.cell_width, grid.cell_width, grid.cell_width * 1e-6)
            && beside(stated.cell_height, grid.cell_height, grid.cell_height * 1e-6);
        if same_cells
            && beside(stated.west, grid.west, grid.cell_width)
            && beside(stated.north, grid.north, grid.cell_height)
        {
            return Ok(Some(format!(
                "its metadata place the upper left corner at {}, its files at {}: the files count",
                corner(&stated),
                corner(grid)
            )));
        }
        return contradicts("the upper left corner", &corner(&stated), &corner(grid));
    }
    Ok(None)
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
