//! Vector files to features: zones, points and lines that people administer, in whatever format, encoding and
//! coordinate system they come.
//!
//! [`read`] turns one file into features and a report that names every row it repaired or left out; [`update`] brings
//! them into the store without losing the history of a code.

mod columns;
mod files;
mod legacy;
pub mod parents;
mod place;
mod row;
mod syllable;
mod text;
pub mod units;
pub mod update;

pub use columns::OtherCodeColumn;
pub use files::{VectorFile, resolve};
pub use text::Encoding;

use crate::gdal_io::system::System;
use crate::gdal_io::vector::{RawShape, Row, Source};
use crate::pipeline::Progress;
use crate::{Error, Result};
use chrono::NaiveDate;
use columns::Columns;
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
    /// True when x and y of the file are to be exchanged.
    pub swap_axes: bool,
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
            swap_axes: false,
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
    let mut source = Source::open(what, &file.path, options.source_layer.as_deref())?;
    progress.begin(short(what), source.rows.unwrap_or(0));
    let mut held = Held::default();
    let charset = (source.driver == "MapInfo File")
        .then(|| source.claimed_encoding.clone())
        .flatten();
    source.for_each(|row| {
        if row.number.is_multiple_of(BATCH) {
            progress.advance(BATCH);
            if cancelled.load(Ordering::Relaxed) {
                return Err(Error::Invalid("stopped; nothing of the file was taken in".into()));
            }
        }
        held.take(what, row, charset.as_deref())
    })?;
    let chosen = held
        .sample
        .choose(what, options.encoding, source.claimed_encoding.as_deref())?;
    let mut notes: Vec<String> = chosen.note.into_iter().collect();
    let columns = Columns::find(what, &source, chosen.encoding, options)?;
    let at = place::typical(held.rows.iter().filter_map(|row| match &row.shape {
        RawShape::Sound(geometry, _) => Some(geometry),
        _ => None,
    }));
    let place = Place {
        what,
        driver: &source.driver,
        told: options.crs,
        swapped: options.swap_axes,
        province: options.province,
    };
    let mut read = Read {
        features: Vec::with_capacity(held.rows.len()),
        rows: held.rows.len() as u64,
        repaired: Vec::new(),
        refused: Vec::new(),
        notes: Vec::new(),
    };
    let srid = held.rows.iter().find_map(|row| row.srid);
    let own = match srid {
        Some(srid) => Some(
            System::epsg(Crs::epsg(srid))
                .map_err(|error| Error::unreadable(what, format!("its rows name SRID={srid}: {error}")))?,
        ),
        None => source.system.take(),
    };
    let system = match at {
        Some(at) => {
            let system = place.system(own, Some(at), &mut notes)?;
            place.judge(&system, at, &mut notes)?;
            Some(system)
        }
        // without a single position there is nothing to place
        None => None,
    };
    let way = system.as_ref().map(System::to_wgs84).transpose()?;
    let way = system.as_ref().zip(way.as_ref());
    let mut maker = row::Maker::new(&columns, chosen.encoding, options, way, srid);
    let mut seen: HashMap<(String, Option<NaiveDate>), u64> = HashMap::new();
    for row in held.rows {
        let number = row.number;
        match maker.feature(row) {
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
                read.features.push(feature);
            }
            Err(trouble) => read.refused.push(trouble),
        }
    }
    if source.driver == "CSV" {
        row::numbers_of_csv(&mut read.features);
    }
    notes.append(&mut maker.notes());
    read.notes = notes;
    Ok(read)
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
        use crate::gdal_io::vector::Raw;
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
