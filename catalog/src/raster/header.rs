//! What the tags mean: levels, blocks, grid, nodata, metadata. Everything a damaged file may lie about is checked here,
//! so that reading blocks may trust it.

use super::metadata::{self, Item};
use super::tiff::{Directory, Tiff};
use super::{DataType, Level};
use crate::{Crs, Grid, Result};

/// Largest number of columns or rows.
const MAX_SIDE: u64 = 1 << 31;
/// Largest table of blocks (a million pixels squared in blocks of 512).
const MAX_BLOCKS: u64 = 1 << 22;
/// Largest decoded block, in bytes: a Sentinel-2 band as one strip has 241 MB.
const MAX_BLOCK_BYTES: u64 = 256 << 20;
const MAX_BANDS: u64 = 4096;

/// How blocks are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Deflate,
    Zstd,
}

/// What was done to a block's rows before compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Difference,
    Float,
}

/// Where a block's bytes lie; no bytes mean a sparse block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u32,
}

/// How the blocks of one level are stored.
#[derive(Debug)]
pub(super) struct Blocks {
    pub(super) codec: Codec,
    pub(super) predictor: Predictor,
    pub(super) tiled: bool,
    /// True when each block holds one band only.
    pub(super) planar: bool,
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) places: Vec<Place>,
}

/// A whole header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) grid: Grid,
    pub(super) data_type: DataType,
    pub(super) bands: usize,
    pub(super) nodata: Option<f64>,
    /// A mask or an alpha band says where there is no data.
    pub(super) hidden: bool,
    pub(super) items: Vec<Item>,
    pub(super) levels: Vec<Level>,
    pub(super) blocks: Vec<Blocks>,
}

impl Header {
    /// Reads the header of an opened file.
    pub(super) fn read(tiff: &Tiff, directories: &[Directory]) -> Result<Self> {
        // bit 0 of NewSubfileType: a smaller version of another picture; bit 2: a mask
        let mut full = None;
        let mut overviews = Vec::new();
        let mut masked = false;
        for directory in directories {
            match tiff.number(directory, 254, 0)? & 5 {
                0 if full.is_none() => full = Some(directory),
                1 => overviews.push(directory),
                4 | 5 => masked = true,
                _ => {}
            }
        }
        let full = full.ok_or_else(|| tiff.bad("has no full-resolution picture"))?;
        let (data_type, bands) = samples(tiff, full)?;
        let (level, blocks) = level(tiff, full, data_type, bands)?;
        let grid = grid(tiff, full, &level)?;
        let mut stack = vec![(level, blocks)];
        for directory in overviews {
            if samples(tiff, directory)? != (data_type, bands) {
                return Err(tiff.bad("has an overview of another pixel type or number of bands"));
            }
            let overview = self::level(tiff, directory, data_type, bands)?;
            if overview.0.width > level.width || overview.0.height > level.height {
                return Err(tiff.bad("has an overview larger than the picture"));
            }
            stack.push(overview);
        }
        stack[1..].sort_by_key(|(level, _)| std::cmp::Reverse((level.width, level.height)));
        let (levels, blocks) = stack.into_iter().unzip();
        let nodata = tiff.text(full, 42113)?.and_then(|text| text.trim().parse().ok());
        let items = tiff
            .text(full, 42112)?
            .map(|xml| metadata::parse(&xml))
            .unwrap_or_default();
        // ExtraSamples: 1 and 2 are alpha, 0 is anything; GDAL writes down in words what the tag cannot say
        let alpha = tiff.numbers(full, 338)?.iter().any(|kind| matches!(kind, 1 | 2))
            || items
                .iter()
                .any(|item| item.role == "colorinterp" && item.value.eq_ignore_ascii_case("alpha"));
        Ok(Self {
            grid,
            data_type,
            bands,
            nodata,
            hidden: masked || alpha,
            items,
            levels,
            blocks,
        })
    }
}

fn samples(tiff: &Tiff, directory: &Directory) -> Result<(DataType, usize)> {
    let bands = tiff.number(directory, 277, 1)?;
    if bands == 0 || bands > MAX_BANDS {
        return Err(tiff.bad(format!("has {bands} bands")));
    }
    let same = |tag: u16, default: u64| -> Result<u64> {
        let values = tiff.numbers(directory, tag)?;
        let first = values.first().copied().unwrap_or(default);
        if values.iter().any(|&value| value != first) {
            return Err(tiff.bad(format!("has bands of different types (tag {tag})")));
        }
        Ok(first)
    };
    let data_type = match (same(258, 1)?, same(339, 1)?) {
        (8, 1 | 4) => DataType::U8,
        (16, 1 | 4) => DataType::U16,
        (16, 2) => DataType::I16,
        (32, 3) => DataType::F32,
        (bits, format) => {
            let kind = match format {
                1 => "unsigned",
                2 => "signed",
                3 => "floating-point",
                _ => "unknown",
            };
            return Err(tiff.bad(format!(
                "has {kind} pixels of {bits} bits, not read here; convert it to uint8, int16, uint16 or float32"
            )));
        }
    };
    Ok((data_type, bands as usize))
}

fn codec(tiff: &Tiff, directory: &Directory) -> Result<Codec> {
    let name = match tiff.number(directory, 259, 1)? {
        1 => return Ok(Codec::None),
        8 | 32946 => return Ok(Codec::Deflate),
        50000 => return Ok(Codec::Zstd),
        5 => "LZW".to_owned(),
        7 => "JPEG".to_owned(),
        32773 => "PackBits".to_owned(),
        34887 => "LERC".to_owned(),
        50001 => "WebP".to_owned(),
        other => format!("number {other}"),
    };
    Err(tiff.bad(format!(
        "has compression {name}, not read here; convert it to DEFLATE or ZSTD"
    )))
}

fn predictor(tiff: &Tiff, directory: &Directory, codec: Codec, data_type: DataType) -> Result<Predictor> {
    // libtiff knows predictors for LZW, deflate and zstd only
    if codec == Codec::None {
        return Ok(Predictor::None);
    }
    match (tiff.number(directory, 317, 1)?, data_type) {
        (1, _) => Ok(Predictor::None),
        (2, _) => Ok(Predictor::Difference),
        (3, DataType::F32) => Ok(Predictor::Float),
        (other, _) => Err(tiff.bad(format!(
            "has predictor {other}, which does not exist for {data_type} pixels"
        ))),
    }
}

fn level(tiff: &Tiff, directory: &Directory, data_type: DataType, bands: usize) -> Result<(Level, Blocks)> {
    let side = |tag: u16, name: &str| -> Result<u64> {
        match tiff.number(directory, tag, 0)? {
            side if (1..=MAX_SIDE).contains(&side) => Ok(side),
            side => Err(tiff.bad(format!("has a {name} of {side}"))),
        }
    };
    let (width, height) = (side(256, "width")?, side(257, "height")?);
    let tiled = directory.has(322) || directory.has(324);
    let (block_width, block_height) = if tiled {
        (side(322, "tile width")?, side(323, "tile height")?)
    } else {
        (width, tiff.number(directory, 278, height)?.clamp(1, height))
    };
    let planar = match tiff.number(directory, 284, 1)? {
        1 => bands == 1,
        2 => true,
        other => return Err(tiff.bad(format!("has planar configuration {other}"))),
    };
    let (columns, rows) = (width.div_ceil(block_width), height.div_ceil(block_height));
    let planes = if planar { bands as u64 } else { 1 };
    let count = columns * rows; // each below 2^31
    let count = count
        .checked_mul(planes)
        .filter(|&count| count <= MAX_BLOCKS)
        .ok_or_else(|| {
            tiff.bad(format!(
                "has {width} x {height} pixels in blocks of {block_width} x {block_height}: too many blocks"
            ))
        })?;
    let pixel = (data_type.bytes() * if planar { 1 } else { bands }) as u64;
    let decoded = (block_width * block_height)
        .checked_mul(pixel)
        .filter(|&bytes| bytes <= MAX_BLOCK_BYTES);
    let decoded = decoded.ok_or_else(|| {
        tiff.bad(format!(
            "has blocks of {block_width} x {block_height} pixels of {pixel} bytes: too large"
        ))
    })?;
    let codec = codec(tiff, directory)?;
    let predictor = predictor(tiff, directory, codec, data_type)?;
    let (offsets, counts) = if tiled { (324, 325) } else { (273, 279) };
    let offsets = tiff.table(directory, offsets, count)?;
    let counts = tiff.table(directory, counts, count)?;
    let mut places = Vec::with_capacity(offsets.len());
    for (index, (offset, bytes)) in offsets.into_iter().zip(counts).enumerate() {
        if bytes != 0 {
            tiff.check(offset, bytes, &format!("block {index}"))?;
            // no encoder doubles a block; an uncompressed one is read in its decoded size only
            if codec != Codec::None && bytes > 2 * decoded + 65_536 {
                return Err(tiff.bad(format!(
                    "block {index} has {bytes} bytes for {decoded} decoded ones"
                )));
            }
        }
        let bytes = u32::try_from(bytes).map_err(|_| tiff.bad(format!("block {index} has {bytes} bytes")))?;
        places.push(Place { offset, bytes });
    }
    let level = Level {
        width: width as usize,
        height: height as usize,
        block_width: block_width as usize,
        block_height: block_height as usize,
    };
    let blocks = Blocks {
        codec,
        predictor,
        tiled,
        planar,
        columns: columns as usize,
        rows: rows as usize,
        places,
    };
    Ok((level, blocks))
}

fn grid(tiff: &Tiff, directory: &Directory, level: &Level) -> Result<Grid> {
    let keys = geo_keys(tiff, directory)?;
    let key = |id: u64| keys.iter().find(|key| key.0 == id).map(|key| key.1);
    // 32767 stands for a user-defined system
    let named = |id: u64| key(id).filter(|code| !matches!(code, 0 | 32767));
    let epsg = named(3072).or_else(|| if key(3072).is_none() { named(2048) } else { None });
    let epsg = epsg.ok_or_else(|| {
        tiff.bad("names no EPSG code for its coordinate system; assign one (gdal_edit.py -a_srs EPSG:...)")
    })?;
    let [west, cell_width, north, cell_height] = placement(tiff, directory)?;
    let sane = [west, cell_width, north, cell_height]
        .iter()
        .all(|v| v.is_finite());
    if !sane || cell_width <= 0.0 || cell_height <= 0.0 {
        return Err(tiff.bad(format!(
            "is not north-up: cells of {cell_width} x {cell_height} at {west}, {north}"
        )));
    }
    // PixelIsPoint: the tie point is the centre of a cell
    let shift = if key(1025) == Some(2) { 0.5 } else { 0.0 };
    Ok(Grid {
        crs: Crs::epsg(epsg as u32),
        west: west - shift * cell_width,
        north: north + shift * cell_height,
        cell_width,
        cell_height,
        width: level.width,
        height: level.height,
    })
}

/// West, cell width, north, cell height.
fn placement(tiff: &Tiff, directory: &Directory) -> Result<[f64; 4]> {
    let scale = tiff.doubles(directory, 33550)?;
    let tie = tiff.doubles(directory, 33922)?;
    let matrix = tiff.doubles(directory, 34264)?;
    if let ([width, height, ..], [i, j, _, x, y, ..]) = (&scale[..], &tie[..]) {
        if tie.len() > 6 {
            return Err(tiff.bad("is placed by several tie points; warp it first"));
        }
        return Ok([x - i * width, *width, y + j * height, *height]);
    }
    if let [a, b, _, west, d, e, _, north, ..] = matrix[..] {
        if b != 0.0 || d != 0.0 {
            return Err(tiff.bad("is rotated; warp it to a north-up grid first"));
        }
        return Ok([west, a, north, -e]);
    }
    Err(tiff.bad("has no georeference"))
}

/// GeoKeys that hold a short number: id and value.
fn geo_keys(tiff: &Tiff, directory: &Directory) -> Result<Vec<(u64, u64)>> {
    let numbers = tiff.numbers(directory, 34735)?;
    let keys = numbers.get(4..).unwrap_or_default().chunks_exact(4);
    Ok(keys
        .filter(|key| key[1] == 0)
        .map(|key| (key[0], key[3]))
        .collect())
}
