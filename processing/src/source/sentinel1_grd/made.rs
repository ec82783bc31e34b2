//! A made product for tests: an image slanted across a UTM grid, with tables that are plain functions of line and
//! pixel, so that what must come out is known by hand. The XML has the elements of ESA's files that are read.

use sen_catalog::crs::Transform;
use sen_catalog::{Crs, Grid};

/// Name of the product.
pub(crate) const NAME: &str = "S1A_IW_GRDH_1SDV_20260818T224606_20260818T224631_065915_083F00_AB12";
/// What its files are called after the polarisation.
const TAIL: &str = "20260818t224606-20260818t224631-065915-083f00-001";
/// Steps of the tables.
const STEP: usize = 40;

/// An image of so many columns and lines of 10 m.
#[derive(Clone, Copy)]
pub(crate) struct Made {
    pub(crate) columns: usize,
    pub(crate) lines: usize,
    /// Version of the processor.
    pub(crate) version: &'static str,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            columns: 240,
            lines: 200,
            version: "003.71",
        }
    }
}

/// Place of the first pixel, UTM zone 48N, metres; the flight leans this many degrees to the west of north.
const CORNER: (f64, f64) = (560_000.0, 1_152_000.0);
const LEAN_DEGREES: f64 = 12.0;

impl Made {
    /// Where a pixel lies, metres.
    pub(crate) fn place(line: f64, pixel: f64) -> (f64, f64) {
        let (sin, cos) = LEAN_DEGREES.to_radians().sin_cos();
        let (right, down) = (pixel * 10.0, line * 10.0);
        (
            CORNER.0 + right * cos - down * sin,
            CORNER.1 - right * sin - down * cos,
        )
    }

    /// The line and pixel of a place.
    pub(crate) fn pixel(x: f64, y: f64) -> (f64, f64) {
        let (sin, cos) = LEAN_DEGREES.to_radians().sin_cos();
        let (east, south) = (x - CORNER.0, CORNER.1 - y);
        (
            (south * cos - east * sin) / 10.0,
            (east * cos + south * sin) / 10.0,
        )
    }

    /// The calibration table.
    pub(crate) fn calibration(line: f64, pixel: f64) -> f64 {
        620.0 - 0.25 * pixel + 0.05 * line
    }

    /// The noise of a polarisation: along range times along azimuth, which has two blocks.
    pub(crate) fn noise(self, polarisation: &str, line: f64, pixel: f64) -> f64 {
        let range = Self::noise_range(polarisation, line, pixel);
        let left = (pixel as usize) < self.columns / 2;
        range * if left { 1.0 + 0.002 * line } else { 0.9 }
    }

    fn noise_range(polarisation: &str, line: f64, pixel: f64) -> f64 {
        let level = if polarisation == "vv" { 300.0 } else { 360.0 };
        level - 0.5 * pixel + 0.25 * line
    }

    /// The stored number that a value of sigma0 becomes.
    pub(crate) fn number(self, polarisation: &str, sigma0: f64, line: usize, pixel: usize) -> u16 {
        let (line, pixel) = (line as f64, pixel as f64);
        let factor = Self::calibration(line, pixel);
        (sigma0 * factor * factor + self.noise(polarisation, line, pixel))
            .max(1.0)
            .sqrt()
            .round() as u16
    }

    /// A grid of the same size: only for writers that insist on one, an image of this kind has none.
    pub(crate) fn image_grid(self) -> Grid {
        Grid {
            crs: Crs::UTM_48N,
            west: 0.0,
            north: 0.0,
            cell_width: 1.0,
            cell_height: 1.0,
            width: self.columns,
            height: self.lines,
        }
    }

    /// The province grid that the image lies on, with some rows and columns outside it.
    pub(crate) fn province(self) -> Grid {
        Grid {
            crs: Crs::UTM_48N,
            west: 559_500.0,
            north: 1_152_100.0,
            cell_width: 10.0,
            cell_height: 10.0,
            width: 300,
            height: 270,
        }
    }

    /// Path in the product of the image of a polarisation.
    pub(crate) fn measurement(polarisation: &str) -> String {
        format!("measurement/s1a-iw-grd-{polarisation}-{TAIL}.tiff")
    }

    /// Every other file of the product: path and text.
    pub(crate) fn texts(self, polarisations: &[&str]) -> Vec<(String, String)> {
        let mut files = Vec::new();
        for polarisation in polarisations {
            let stem = format!("s1a-iw-grd-{polarisation}-{TAIL}");
            files.push((format!("annotation/{stem}.xml"), self.annotation(polarisation)));
            files.push((
                format!("annotation/calibration/calibration-{stem}.xml"),
                self.calibration_text(),
            ));
            files.push((
                format!("annotation/calibration/noise-{stem}.xml"),
                self.noise_text(polarisation),
            ));
        }
        let listed: String = files
            .iter()
            .map(|(name, _)| name.clone())
            .chain(
                polarisations
                    .iter()
                    .map(|polarisation| Self::measurement(polarisation)),
            )
            .fold(String::new(), |text, name| {
                text + "<dataObject><fileLocation locatorType=\"URL\" href=\"./" + &name + "\"/></dataObject>"
            });
        files.push((
            "manifest.safe".into(),
            format!(
                "<?xml version=\"1.0\"?><xfdu:XFDU xmlns:xfdu=\"x\" xmlns:safe=\"y\"><metadataSection><safe:software \
                 name=\"Sentinel-1 IPF\" version=\"{}\"/><safe:relativeOrbitNumber type=\"start\">18\
                 </safe:relativeOrbitNumber></metadataSection><dataObjectSection>{listed}</dataObjectSection></xfdu:XFDU>",
                self.version
            ),
        ));
        files
    }

    fn annotation(self, polarisation: &str) -> String {
        let to_degrees = Transform::new(Crs::UTM_48N, Crs::WGS84).expect("known systems");
        let mut points = String::new();
        for line in knots(self.lines) {
            for pixel in knots(self.columns) {
                let (x, y) = Self::place(line as f64, pixel as f64);
                let (lon, lat) = to_degrees.point(x, y).expect("in the zone");
                let incidence = 30.0 + pixel as f64 * 0.01;
                points += &format!(
                    "<geolocationGridPoint><line>{line}</line><pixel>{pixel}</pixel><latitude>{lat:.12e}</latitude>\
                     <longitude>{lon:.12e}</longitude><height>1.0</height><incidenceAngle>{incidence}</incidenceAngle>\
                     </geolocationGridPoint>"
                );
            }
        }
        format!(
            "<product><adsHeader><missionId>S1A</missionId><productType>GRD</productType><polarisation>{}</polarisation>\
             <mode>IW</mode><startTime>2026-08-18T22:46:06.123456</startTime><absoluteOrbitNumber>65915</absoluteOrbitNumber>\
             </adsHeader><generalAnnotation><productInformation><pass>Descending</pass></productInformation>\
             </generalAnnotation><imageAnnotation><imageInformation><rangePixelSpacing>1.000000e+01</rangePixelSpacing>\
             <numberOfSamples>{}</numberOfSamples><numberOfLines>{}</numberOfLines></imageInformation>\
             <processingInformation><thermalNoiseCorrectionPerformed>false</thermalNoiseCorrectionPerformed>\
             </processingInformation></imageAnnotation><geolocationGrid><geolocationGridPointList>{points}\
             </geolocationGridPointList></geolocationGrid></product>",
            polarisation.to_uppercase(),
            self.columns,
            self.lines
        )
    }

    fn calibration_text(self) -> String {
        let vectors = self.vectors("calibrationVector", "sigmaNought", &Self::calibration);
        format!("<calibration><calibrationVectorList>{vectors}</calibrationVectorList></calibration>")
    }

    fn noise_text(self, polarisation: &str) -> String {
        if self.version < "002.9" {
            // one table along range, nothing along azimuth
            let vectors = self.vectors("noiseVector", "noiseLut", &|line, pixel| {
                Self::noise_range(polarisation, line, pixel)
            });
            return format!("<noise><noiseVectorList>{vectors}</noiseVectorList></noise>");
        }
        let range = self.vectors("noiseRangeVector", "noiseRangeLut", &|line, pixel| {
            Self::noise_range(polarisation, line, pixel)
        });
        let lines = knots(self.lines);
        let block = |swath: &str, first: usize, last: usize, factor: &dyn Fn(usize) -> f64| {
            format!(
                "<noiseAzimuthVector><swath>{swath}</swath><firstAzimuthLine>0</firstAzimuthLine><firstRangeSample>{first}\
                 </firstRangeSample><lastAzimuthLine>{}</lastAzimuthLine><lastRangeSample>{last}</lastRangeSample>\
                 <line>{}</line><noiseAzimuthLut>{}</noiseAzimuthLut></noiseAzimuthVector>",
                self.lines - 1,
                list(&lines, |line| line.to_string()),
                list(&lines, |line| format!("{:.9e}", factor(line)))
            )
        };
        let half = self.columns / 2;
        format!(
            "<noise><noiseRangeVectorList>{range}</noiseRangeVectorList><noiseAzimuthVectorList>{}{}\
             </noiseAzimuthVectorList></noise>",
            block("IW1", 0, half - 1, &|line| 1.0 + 0.002 * line as f64),
            block("IW2", half, self.columns - 1, &|_| 0.9)
        )
    }

    fn vectors(self, element: &str, values: &str, of: &dyn Fn(f64, f64) -> f64) -> String {
        let pixels = knots(self.columns);
        knots(self.lines)
            .into_iter()
            .fold(String::new(), |text, line| {
                text + &format!(
                    "<{element}><line>{line}</line><pixel count=\"{}\">{}</pixel><{values}>{}</{values}></{element}>",
                    pixels.len(),
                    list(&pixels, |pixel| pixel.to_string()),
                    list(&pixels, |pixel| format!("{:.9e}", of(line as f64, pixel as f64)))
                )
            })
    }
}

/// Every [`STEP`]th number and the last one.
fn knots(count: usize) -> Vec<usize> {
    let mut knots: Vec<usize> = (0..count - 1).step_by(STEP).collect();
    knots.push(count - 1);
    knots
}

fn list(numbers: &[usize], text: impl Fn(usize) -> String) -> String {
    let texts: Vec<String> = numbers.iter().map(|&number| text(number)).collect();
    texts.join(" ")
}
