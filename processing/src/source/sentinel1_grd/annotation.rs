//! What the XML files of a Sentinel-1 product say: annotation, calibration and noise, one of each a polarisation.

use super::geolocation::{Geolocation, Point};
use super::lut::{AzimuthBlock, Lut, Noise, Vector};
use crate::source::xml::{Element, elements};
use crate::{Error, Result};
use chrono::{DateTime, NaiveDateTime, Utc};
use std::ops::Range;

/// Columns or lines of an image: four times those of any product.
const MOST_CELLS: usize = 120_000;
/// Spacing of the pixels of a high-resolution product is 10 m; those of medium resolution have 40.
const COARSEST_M: f64 = 20.0;

/// What the annotation of one polarisation says.
#[derive(Debug)]
pub(crate) struct Annotation {
    /// `S1A`.
    pub(crate) mission: String,
    /// `VV`.
    pub(crate) polarisation: String,
    /// First line, UTC.
    pub(crate) start: DateTime<Utc>,
    /// `ascending` or `descending`.
    pub(crate) pass: String,
    /// Absolute orbit.
    pub(crate) orbit: u32,
    /// Columns and lines.
    pub(crate) size: (usize, usize),
    /// True when the processor has taken the thermal noise away already.
    pub(crate) denoised: bool,
    /// Where the pixels lie.
    pub(crate) geolocation: Geolocation,
}

/// The elements of a document, and its name for messages.
struct Document<'a> {
    what: &'a str,
    elements: Vec<Element>,
}

/// The children of one repeated element: name and text.
type Record<'a> = Vec<(&'a str, &'a str)>;

impl<'a> Document<'a> {
    fn read(what: &'a str, text: &str) -> Result<Self> {
        let elements = elements(text).map_err(|why| Error::unreadable(what, why))?;
        Ok(Self { what, elements })
    }

    fn wrong(&self, why: impl Into<String>) -> Error {
        Error::unreadable(self.what, why)
    }

    fn text(&self, parent: &str, name: &str) -> Result<&str> {
        let mut own = self.elements.iter().filter(|e| e.parent == parent);
        let found = own.find(|element| element.name == name);
        found
            .map(|element| element.text.as_str())
            .ok_or_else(|| self.wrong(format!("has no {parent}/{name}")))
    }

    fn number<T: std::str::FromStr>(&self, parent: &str, name: &str) -> Result<T> {
        let text = self.text(parent, name)?;
        text.parse().map_err(|_| {
            self.wrong(format!(
                "{parent}/{name} is `{text}`, which is no number of its kind"
            ))
        })
    }

    /// The children of every element of a name.
    fn records(&self, parent: &str) -> Vec<Record<'_>> {
        let mut records: Vec<Record<'_>> = Vec::new();
        for element in self.elements.iter().filter(|element| element.parent == parent) {
            let again = |record: &Record<'_>| record.iter().any(|(name, _)| *name == element.name);
            if records.last().is_none_or(again) {
                records.push(Vec::new());
            }
            if let Some(record) = records.last_mut() {
                record.push((&element.name, &element.text));
            }
        }
        records
    }

    /// The numbers of a child.
    fn numbers(&self, record: &Record<'_>, name: &str) -> Result<Vec<f64>> {
        let found = record.iter().find(|(own, _)| *own == name);
        let (_, text) = found.ok_or_else(|| self.wrong(format!("a vector of it has no {name}")))?;
        let numbers = text.split_ascii_whitespace().map(str::parse::<f64>);
        numbers.collect::<Result<_, _>>().map_err(|_| {
            self.wrong(format!(
                "{name} of one of its vectors holds something that is no number"
            ))
        })
    }

    fn one(&self, record: &Record<'_>, name: &str) -> Result<f64> {
        match self.numbers(record, name)?[..] {
            [number] => Ok(number),
            ref other => Err(self.wrong(format!("{name} should be one number, is {}", other.len()))),
        }
    }

    fn cells(&self, record: &Record<'_>, first: &str, last: &str) -> Result<Range<usize>> {
        // a cast of a float saturates; the end is clipped to the image
        let (first, last) = (self.one(record, first)?, self.one(record, last)?);
        Ok(first.max(0.0) as usize..(last + 1.0).clamp(0.0, MOST_CELLS as f64) as usize)
    }

    fn vectors(&self, parent: &str, values: &str) -> Result<Vec<Vector>> {
        let vector = |record: &Record<'_>| -> Result<Vector> {
            Ok(Vector {
                line: self.one(record, "line")?,
                pixels: self.numbers(record, "pixel")?,
                values: self.numbers(record, values)?,
            })
        };
        self.records(parent).iter().map(vector).collect()
    }
}

impl Annotation {
    /// Reads an annotation.
    ///
    /// # Errors
    /// Names the file when it is damaged, of another kind than IW GRD of high resolution, or without a usable
    /// geolocation grid.
    pub(crate) fn read(what: &str, text: &str) -> Result<Self> {
        let document = Document::read(what, text)?;
        let header = |name: &str| document.text("adsHeader", name);
        let (kind, mode) = (header("productType")?, header("mode")?);
        if (kind, mode) != ("GRD", "IW") {
            return Err(document.wrong(other_kind(kind, mode)));
        }
        let spacing: f64 = document.number("imageInformation", "rangePixelSpacing")?;
        if !(spacing > 0.0 && spacing <= COARSEST_M) {
            return Err(document.wrong(format!(
                "has pixels of {spacing} m; only GRD of high resolution (IW_GRDH, 10 m) is read here"
            )));
        }
        let size: (usize, usize) = (
            document.number("imageInformation", "numberOfSamples")?,
            document.number("imageInformation", "numberOfLines")?,
        );
        if size.0.min(size.1) < 2 || size.0.max(size.1) > MOST_CELLS {
            return Err(document.wrong(format!("claims an image of {} x {} pixels", size.0, size.1)));
        }
        let start = header("startTime")?;
        let instant: NaiveDateTime = start
            .parse()
            .map_err(|_| document.wrong(format!("startTime is `{start}`, no instant")))?;
        let point = |record: &Record<'_>| -> Result<Point> {
            Ok(Point {
                line: document.one(record, "line")?,
                pixel: document.one(record, "pixel")?,
                lon: document.one(record, "longitude")?,
                lat: document.one(record, "latitude")?,
                incidence: document.one(record, "incidenceAngle")?,
            })
        };
        let points: Result<Vec<Point>> = document
            .records("geolocationGridPoint")
            .iter()
            .map(point)
            .collect();
        let geolocation = Geolocation::new(points?, size).map_err(|why| document.wrong(why))?;
        Ok(Self {
            mission: header("missionId")?.to_owned(),
            polarisation: header("polarisation")?.to_owned(),
            start: instant.and_utc(),
            pass: document.text("productInformation", "pass")?.to_lowercase(),
            orbit: document.number("adsHeader", "absoluteOrbitNumber")?,
            size,
            denoised: document
                .text("processingInformation", "thermalNoiseCorrectionPerformed")
                .is_ok_and(|said| said == "true"),
            geolocation,
        })
    }
}

/// What to say of a product of another kind.
pub(crate) fn other_kind(kind: &str, mode: &str) -> String {
    format!(
        "is a Sentinel-1 {} product of mode {}; only GRD of mode IW is read here: take the IW_GRDH or the RTC product of \
         the same pass",
        kind.to_uppercase(),
        mode.to_uppercase()
    )
}

/// The calibration table to sigma0: sigma0 = number^2 / value^2.
///
/// # Errors
/// Names the file when it is damaged or its vectors do not cover an image of this size.
pub(super) fn calibration(what: &str, text: &str, size: (usize, usize)) -> Result<Lut> {
    let document = Document::read(what, text)?;
    let vectors = document.vectors("calibrationVector", "sigmaNought")?;
    if vectors
        .iter()
        .flat_map(|vector| &vector.values)
        .any(|value| *value <= 0.0)
    {
        return Err(document.wrong("its sigmaNought holds values that are not positive"));
    }
    Lut::new(vectors, size).map_err(|why| document.wrong(why))
}

/// Thermal noise, in the units of squared numbers; products before version 2.9 have no azimuth vectors.
///
/// # Errors
/// Names the file when it is damaged or its vectors do not cover an image of this size.
pub(super) fn noise(what: &str, text: &str, size: (usize, usize)) -> Result<Noise> {
    let document = Document::read(what, text)?;
    let mut vectors = document.vectors("noiseRangeVector", "noiseRangeLut")?;
    if vectors.is_empty() {
        vectors = document.vectors("noiseVector", "noiseLut")?;
    }
    let block = |record: &Record<'_>| -> Result<AzimuthBlock> {
        Ok(AzimuthBlock {
            lines: document.cells(record, "firstAzimuthLine", "lastAzimuthLine")?,
            columns: document.cells(record, "firstRangeSample", "lastRangeSample")?,
            knots: document.numbers(record, "line")?,
            factors: document.numbers(record, "noiseAzimuthLut")?,
        })
    };
    let blocks: Result<Vec<AzimuthBlock>> =
        document.records("noiseAzimuthVector").iter().map(block).collect();
    let range = Lut::new(vectors, size).map_err(|why| document.wrong(why))?;
    Noise::new(range, blocks?, size).map_err(|why| document.wrong(why))
}
