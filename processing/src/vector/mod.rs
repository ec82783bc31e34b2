//! Vector files to features: zones, points and lines that people administer, in whatever format, encoding and
//! coordinate system they come.
//!
//! [`read`] turns one file into features and a report that names every row it repaired or left out; [`update`] brings
//! them into the store without losing the history of a code.

mod columns;
mod coordinate;
mod exact;
mod files;
mod geojson;
mod legacy;
mod neighbours;
mod noughts;
pub mod parents;
mod place;
mod row;
mod syllable;
mod table;
mod text;
pub mod units;
pub mod update;

pub use columns::OtherCodeColumn;
pub use files::{VectorFile, resolve};
pub use text::Encoding;

use crate::gdal_io::system::{System, ToldDatum};
use crate::gdal_io::vector::{Head, Raw, RawShape, Row, Source};
use crate::run::Progress;
use crate::{Error, Result};
use chrono::NaiveDate;
use columns::Columns;
use files::Format;
use neighbours::Neighbours;
use place::Place;
use sen_catalog::{Bounds, Crs, Feature};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Rows between two steps of the progress bar.
const BATCH: u64 = 1000;
/// More than one file may hold in memory while it is read, bytes: ten million plots.
const MAX_HELD_BYTES: usize = 8 << 30;

/// What the shapes of a file are to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Polygons.
    Zones,
    /// Points or lines, whichever come first.
    PointsOrLines,
}

/// How a file is read: which columns mean what, and what the file does not say of itself.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The layer that the features go to: `plots`.
    pub layer: String,
    /// What their shapes are to be.
    pub wanted: Wanted,
    /// Column of the code; none: the first of `code`, `ma`, `id`.
    pub code: Option<String>,
    /// Who gives the codes.
    pub scheme: String,
    /// Column of the name; none: the first of `name`, `ten`.
    pub name: Option<String>,
    /// Column of the code of what a feature belongs to; none: `parent`.
    pub parent: Option<String>,
    /// Columns of further codes.
    pub other_codes: Vec<OtherCodeColumn>,
    /// The coordinate system, where the file does not say it or says it wrongly.
    pub crs: Option<Crs>,
    /// The datum of the file's projection, where the file does not say it or says it wrongly.
    pub datum: Option<ToldDatum>,
    /// True when x and y of the file are to be exchanged.
    pub swap_axes: bool,
    /// Column of a table that holds longitude or easting, where its name does not say so.
    pub x: Option<String>,
    /// Column that holds latitude or northing; goes with `x`.
    pub y: Option<String>,
    /// The encoding of its text; none: found out.
    pub encoding: Option<Encoding>,
    /// The layer of the file, where it has several.
    pub source_layer: Option<String>,
    /// First day of validity of rows that do not say theirs.
    pub valid_from: Option<NaiveDate>,
    /// First day they are no longer valid.
    pub valid_to: Option<NaiveDate>,
    /// Where the data folder's province lies, degrees.
    pub province: Option<Bounds>,
}

impl ReadOptions {
    /// For polygons into a layer, everything else found out.
    pub fn zones(layer: impl Into<String>) -> Self {
        Self {
            layer: layer.into(),
            wanted: Wanted::Zones,
            code: None,
            scheme: "local".into(),
            name: None,
            parent: None,
            other_codes: Vec::new(),
            crs: None,
            datum: None,
            swap_axes: false,
            x: None,
            y: None,
            encoding: None,
            source_layer: None,
            valid_from: None,
            valid_to: None,
            province: None,
        }
    }
}

/// A row that was repaired or left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Number of the row, from 1.
    pub row: u64,
    /// Its code, where it has one.
    pub code: Option<String>,
    /// Why.
    pub reason: String,
}

/// What a file gave.
#[derive(Clone, Debug)]
pub struct Read {
    /// The features, sound and in WGS 84, in the order of the file.
    pub features: Vec<Feature>,
    /// Rows in the file.
    pub rows: u64,
    /// Rows whose geometry was repaired (they are among the features).
    pub repaired: Vec<Trouble>,
    /// Rows left out.
    pub refused: Vec<Trouble>,
    /// Rows whose place is doubtful (they are among the features).
    pub doubtful: Vec<Trouble>,
    /// What was guessed or assumed.
    pub notes: Vec<String>,
}

/// Reads a file.
///
/// # Errors
/// Names the file when it cannot be read as a whole: unknown format or encoding, no coordinate system or one that its
/// coordinates do not fit, no column of codes.
pub fn read(
    file: &VectorFile,
    options: &ReadOptions,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<Read> {
    let what = file.name.as_str();
    files::refuse_absurd_texts(file)?;
    let (head, mut held) = rows(file, options, progress, cancelled)?;
    let chosen = held
        .sample
        .choose(what, options.encoding, head.claimed_encoding.as_deref())?;
    let mut notes: Vec<String> = chosen
        .note
        .into_iter()
        .chain(head.notes.iter().cloned())
        .collect();
    let columns = Columns::find(what, &head, chosen.encoding, options)?;
    notes.extend(columns.notes.iter().cloned());
    notes.extend(row::strip_points(&columns, &mut held.rows));
    let positions = place::positions(held.rows.iter().filter_map(|row| match &row.shape {
        RawShape::Sound(geometry, _) => Some(geometry),
        _ => None,
    }));
    let place = Place {
        what,
        driver: &head.driver,
        told: options.crs,
        datum: options.datum,
        swapped: options.swap_axes,
        province: options.province,
    };
    let mut read = Read {
        features: Vec::with_capacity(held.rows.len()),
        rows: held.rows.len() as u64,
        repaired: Vec::new(),
        refused: Vec::new(),
        doubtful: Vec::new(),
        notes: Vec::new(),
    };
    let srid = held.rows.iter().find_map(|row| row.srid);
    let own = match srid {
        Some(srid) => Ok(Some(System::epsg(Crs::epsg(srid)).map_err(|error| {
            Error::unreadable(what, format!("its rows name SRID={srid}: {error}"))
        })?)),
        None => head.system,
    };
    // without a single position there is nothing to place
    let mut placed = None;
    if !positions.is_empty() {
        let system = place.system(own, &positions, &mut notes)?;
        let at = place.typical(&system, &positions);
        place.judge(&system, at, &mut notes)?;
        let neighbours = Neighbours::of(&system, &positions, options)?;
        placed = Some((system, neighbours));
    }
    let (system, neighbours) = placed.unzip();
    let way = system.as_ref().map(System::to_wgs84).transpose()?;
    let way = system.as_ref().zip(way.as_ref());
    let mut maker = row::Maker::new(&columns, chosen.encoding, options, way, srid);
    let mut seen: HashMap<(String, Option<NaiveDate>), u64> = HashMap::new();
    for row in held.rows {
        let number = row.number;
        let misplaced = neighbours.as_ref().and_then(|near| near.misplaced(&row.shape));
        match maker.feature(row) {
            Ok((feature, _)) if misplaced.is_some() => read.refused.push(Trouble {
                row: number,
                code: Some(feature.code),
                reason: misplaced.unwrap_or_default(),
            }),
            Ok((feature, repaired)) => {
                let identity = (feature.code.clone(), feature.valid_from);
                if let Some(first) = seen.get(&identity) {
                    read.refused.push(Trouble {
                        row: number,
                        reason: format!(
                            "the code is that of row {first} already, which is kept; each needs its own"
                        ),
                        code: Some(feature.code),
                    });
                    continue;
                }
                seen.insert(identity, number);
                if let Some(reason) = repaired {
                    read.repaired.push(Trouble {
                        row: number,
                        code: Some(feature.code.clone()),
                        reason,
                    });
                }
                if let Some(reason) = neighbours.as_ref().and_then(|near| near.doubt(&feature.geometry)) {
                    read.doubtful.push(Trouble {
                        row: number,
                        code: Some(feature.code.clone()),
                        reason,
                    });
                }
                read.features.push(feature);
            }
            Err(trouble) => read.refused.push(Trouble {
                reason: misplaced.unwrap_or(trouble.reason),
                ..trouble
            }),
        }
    }
    if head.driver == "CSV" {
        row::numbers_of_csv(&mut read.features);
    }
    notes.append(&mut maker.notes());
    read.notes = notes;
    Ok(read)
}

/// The rows of a file, and what it says of itself.
fn rows(
    file: &VectorFile,
    options: &ReadOptions,
    progress: &dyn Progress,
    cancelled: &AtomicBool,
) -> Result<(Head, Held)> {
    let what = file.name.as_str();
    let mut held = Held::default();
    let mut taking = |charset: Option<&str>, row: Row| {
        if row.number.is_multiple_of(BATCH) {
            progress.advance(BATCH);
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Invalid("stopped; nothing of the file was taken in".into()));
            }
        }
        held.take(what, row, charset)
    };
    let head = match files::format(file)? {
        Format::Ogr => {
            let source = Source::open(what, &file.path, options.source_layer.as_deref())?;
            progress.begin(short(what), source.rows.unwrap_or(0));
            let charset = (source.head.driver == "MapInfo File")
                .then(|| source.head.claimed_encoding.clone())
                .flatten();
            source.for_each(|row| taking(charset.as_deref(), row))?;
            source.head
        }
        Format::Json => {
            progress.begin(short(what), 0);
            geojson::read(file, options.source_layer.as_deref(), &mut |row| {
                taking(None, row)
            })?
        }
        Format::Table => {
            progress.begin(short(what), 0);
            table::read(file, options, &mut |row| taking(None, row))?
        }
    };
    // a feature of a GeoJSON has no more columns than had come before it
    for row in &mut held.rows {
        row.values.resize(head.columns.len(), Raw::Null);
    }
    Ok((head, held))
}

/// What is held of a file until its encoding and system are known.
#[derive(Default)]
struct Held {
    rows: Vec<Row>,
    sample: text::Sample,
    bytes: usize,
}

impl Held {
    fn take(&mut self, what: &str, mut row: Row, charset: Option<&str>) -> Result<()> {
        for value in &mut row.values {
            if let Raw::Text(text) = value {
                *text = text::undo_mapinfo(std::mem::take(text), charset);
                self.bytes += text.len();
            }
            self.sample.add(value);
            self.bytes += size_of::<Raw>();
        }
        if let RawShape::Sound(geometry, _) = &row.shape {
            use geo::CoordsIter;
            self.bytes += geometry.coords_count() * 16;
        }
        if self.bytes > MAX_HELD_BYTES {
            let reason = format!(
                "holds more than {} GB of features; split it",
                MAX_HELD_BYTES >> 30
            );
            return Err(Error::unreadable(what, reason));
        }
        self.rows.push(row);
        Ok(())
    }
}

/// The last part of a path, for the progress bar.
fn short(what: &str) -> &str {
    what.rsplit('/').next().unwrap_or(what)
}
