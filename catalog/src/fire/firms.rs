//! Hot spots as NASA FIRMS delivers them: CSV of VIIRS, MODIS and Landsat, of the last hours or of the archive.
//!
//! Columns are found by name, for the deliveries differ: the files of 24 hours have no `instrument`, the archive adds
//! `type`, countries add `country_id`, Landsat has neither brightness nor power. Times are UTC and lose their leading
//! noughts (`5` is 00:05). Errors come with status 200 as a page or a sentence: the header line tells.

use crate::limits::MOST_AHEAD;
use crate::number_text::{DecimalSign, number};
use crate::{Error, Feature, Result, table_text};
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SecondsFormat, Utc};
use geo_types::{Geometry, LineString, Polygon};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::io::Read;

/// Most bytes of a file: a year of the world's MODIS is 300 MB.
const MOST_BYTES: u64 = 512 << 20;

/// Most hot spots of a file: they are held at once.
const MOST_ROWS: usize = 2_000_000;

/// Refused rows that are told one by one.
const MOST_TOLD: usize = 20;

/// How much of a file is looked at to find out how it was saved, bytes.
const SAMPLE_BYTES: u64 = 1 << 20;

/// Brightness of a fire channel, kelvin: from the coldest cloud to beyond where MODIS saturates (500 K).
const BRIGHTNESS_K: [f64; 2] = [200.0, 600.0];

/// Most power of a cell, MW: several times the most that was ever measured.
const MOST_POWER_MW: f64 = 50_000.0;

/// Terra was launched in December 1999, Landsat 8 in 2013; nothing is older.
const FIRST_YEAR: i32 = 2000;

/// Columns without which a file is none of FIRMS.
const NEEDED: [&str; 4] = ["latitude", "longitude", "acq_date", "acq_time"];

/// What looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Instrument {
    /// Cells of 375 m.
    Viirs,
    /// Cells of 1 km.
    Modis,
    /// Cells of 30 m.
    Landsat,
}

impl Instrument {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viirs => "VIIRS",
            Self::Modis => "MODIS",
            Self::Landsat => "Landsat",
        }
    }

    /// Length of a cell looking straight down, km.
    fn cell_km(self) -> f64 {
        match self {
            Self::Viirs => 0.375,
            Self::Modis => 1.0,
            Self::Landsat => 0.03,
        }
    }
}

/// How sure it is that something burned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Sun glint or a weak signal: below 30 %.
    Low,
    /// 30 to 79 %.
    Nominal,
    /// From 80 % on.
    High,
}

/// How a hot spot was processed; the later takes the place of the earlier, of the same satellite and minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Processing {
    /// Within a minute to half an hour: `RT`, `URT`.
    RealTime,
    /// Within three hours: `NRT`.
    NearRealTime,
    /// The archive, after months, with better orbits: `2`, `6.1`.
    Standard,
}

impl Processing {
    /// By the version that a row names, such as `2.0NRT`.
    fn of_version(version: &str) -> Self {
        let version = version.to_uppercase();
        if version.contains("NRT") {
            Self::NearRealTime
        } else if version.contains("RT") {
            Self::RealTime
        } else {
            Self::Standard
        }
    }

    /// True where a hot spot of this processing, or of one that nothing says, has given way to the one processed best.
    pub fn is_replaced(own: Option<Self>, best: Self) -> bool {
        own.map_or(best == Self::Standard, |own| own < best)
    }
}

/// A hot spot.
#[derive(Clone, Debug, PartialEq)]
pub struct Hotspot {
    /// Middle of the cell, degrees.
    pub lon: f64,
    /// Middle of the cell, degrees.
    pub lat: f64,
    /// Overpass.
    pub time: DateTime<Utc>,
    /// Platform: `Suomi-NPP`, `NOAA-20`, `Terra`; unknown ones as delivered.
    pub satellite: String,
    /// What looked.
    pub instrument: Instrument,
    /// How sure it is; none where the file does not say.
    pub confidence: Option<Confidence>,
    /// The percentage behind it, for MODIS.
    pub confidence_percent: Option<f64>,
    /// Brightness temperature of the fire channel, kelvin.
    pub brightness_k: Option<f64>,
    /// Size of the cell across the track, km; it grows away from nadir.
    pub scan_km: f64,
    /// Size of the cell along the track, km.
    pub track_km: f64,
    /// Fire radiative power, MW.
    pub power_mw: Option<f64>,
    /// True by day.
    pub by_day: Option<bool>,
    /// Kind of source in the archive: 0 vegetation, 1 volcano, 2 static source on land, 3 offshore.
    pub kind: Option<u8>,
    /// How it was processed; none where the file does not say.
    pub processing: Option<Processing>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivery {
    /// In the order of the file.
    pub hotspots: Vec<Hotspot>,
    /// How many rows could not be used.
    pub refused: usize,
    /// The first of them, by row (the header is row 1).
    pub reasons: Vec<String>,
}

/// Reads a file; hot spots later than `now` and the little that clocks differ are refused like other rows that cannot be.
///
/// # Errors
/// [`Error::Invalid`] when the header is not that of FIRMS, which is how its errors look, or when the file is too large.
pub fn read(source: impl Read, now: DateTime<Utc>) -> Result<Delivery> {
    let unreadable = |error: std::io::Error| Error::Invalid(format!("cannot be read: {error}"));
    let mut source = table_text::utf8(source).map_err(unreadable)?.take(MOST_BYTES + 1);
    let mut start = Vec::new();
    source
        .by_ref()
        .take(SAMPLE_BYTES)
        .read_to_end(&mut start)
        .map_err(unreadable)?;
    let (skipped, delimiter) = check_header(&start)?;
    let mut sample = csv_reader(&start[skipped..], delimiter);
    let columns = Columns::of(&header(&mut sample)?);
    let sign = columns.sign_of(&mut sample);
    let mut reader = csv_reader(start[skipped..].chain(source), delimiter);
    let first_row = u64::from(skipped > 0);
    header(&mut reader)?;
    let mut delivery = Delivery::default();
    let mut row = csv::StringRecord::new();
    loop {
        let number = reader.position().line() + first_row;
        let reason = match reader.read_record(&mut row) {
            Ok(false) => break,
            Ok(true) => match columns
                .hotspot(&row, sign)
                .and_then(|hotspot| not_ahead(hotspot, now))
            {
                Ok(hotspot) => {
                    delivery.hotspots.push(hotspot);
                    None
                }
                Err(reason) => Some(reason),
            },
            Err(error) if error.is_io_error() => {
                return Err(Error::Invalid(format!("cannot be read: {error}")));
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            delivery.refused += 1;
            if delivery.reasons.len() < MOST_TOLD {
                delivery.reasons.push(format!("row {number}: {reason}"));
            }
        }
        if reader.position().byte() > MOST_BYTES || delivery.hotspots.len() > MOST_ROWS {
            return Err(Error::Invalid(format!(
                "holds more than {MOST_ROWS} hot spots or {} MB; split it by year",
                MOST_BYTES >> 20
            )));
        }
    }
    Ok(delivery)
}

fn csv_reader<R: Read>(source: R, delimiter: u8) -> csv::Reader<R> {
    csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter)
        .from_reader(source)
}

fn header<R: Read>(reader: &mut csv::Reader<R>) -> Result<csv::StringRecord> {
    let header = reader.headers().cloned();
    header.map_err(|error| Error::Invalid(format!("the header cannot be read: {error}")))
}

/// The first line must name the columns; anything else is an error of the service. Tells where it begins (behind a line
/// `sep=;`) and what it is cut at: tables are saved again with semicolons and tabs.
fn check_header(start: &[u8]) -> Result<(usize, u8)> {
    let named = table_text::separator(start);
    let skipped = named.map_or(0, |(_, length)| length);
    let text = String::from_utf8_lossy(&start[skipped..]);
    let text = text.trim_start();
    let line = text.lines().next().unwrap_or("").to_lowercase();
    let delimiter = named.map_or_else(|| table_text::delimiter(&line), |(sign, _)| char::from(sign));
    let names: Vec<&str> = line
        .split(delimiter)
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    let missing: Vec<&str> = NEEDED.into_iter().filter(|name| !names.contains(name)).collect();
    if missing.is_empty() {
        return Ok((skipped, u8::try_from(delimiter).unwrap_or(b',')));
    }
    let said: String = text.lines().next().unwrap_or("").chars().take(80).collect();
    Err(Error::Invalid(if text.is_empty() {
        "is empty: FIRMS answered nothing; ask again".to_owned()
    } else if text.starts_with('<') {
        format!(
            "is a web page, not hot spots: FIRMS answers errors so, with status 200; check the address and the map key \
             and ask again (it begins `{said}`)"
        )
    } else if !line.contains(delimiter) {
        format!("holds no hot spots; FIRMS answered `{said}`: check the map key and the dates, and ask again")
    } else {
        format!(
            "is no CSV of FIRMS: the first line lacks {}; it reads `{said}`",
            missing.join(", ")
        )
    }))
}

/// Where each column lies.
struct Columns {
    latitude: Option<usize>,
    longitude: Option<usize>,
    date: Option<usize>,
    time: Option<usize>,
    scan: Option<usize>,
    track: Option<usize>,
    satellite: Option<usize>,
    instrument: Option<usize>,
    confidence: Option<usize>,
    viirs_k: Option<usize>,
    modis_k: Option<usize>,
    power: Option<usize>,
    by_day: Option<usize>,
    kind: Option<usize>,
    version: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Self {
        let at = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
        Self {
            latitude: at("latitude"),
            longitude: at("longitude"),
            date: at("acq_date"),
            time: at("acq_time"),
            scan: at("scan"),
            track: at("track"),
            satellite: at("satellite"),
            instrument: at("instrument"),
            confidence: at("confidence"),
            viirs_k: at("bright_ti4"),
            modis_k: at("brightness"),
            power: at("frp"),
            by_day: at("daynight"),
            kind: at("type"),
            version: at("version"),
        }
    }

    /// What the numbers of rows say about their decimal sign.
    fn sign_of<R: Read>(&self, rows: &mut csv::Reader<R>) -> DecimalSign {
        let columns = [
            self.latitude,
            self.longitude,
            self.viirs_k,
            self.modis_k,
            self.power,
            self.scan,
            self.track,
        ];
        rows.records().flatten().fold(DecimalSign::Unknown, |sign, row| {
            let cells = columns.iter().flatten().filter_map(|&at| row.get(at));
            cells.fold(sign, DecimalSign::with)
        })
    }

    fn hotspot(&self, row: &csv::StringRecord, sign: DecimalSign) -> Result<Hotspot, String> {
        let text = |column: Option<usize>| {
            column
                .and_then(|index| row.get(index))
                .filter(|text| !text.is_empty())
        };
        let numeric = |name: &str, column: Option<usize>| match text(column) {
            None => Ok(None),
            Some(text) => number(text, sign).map_err(|reason| format!("{name}: {reason}")),
        };
        let within = |name: &str, column, most: f64| match numeric(name, column)? {
            Some(value) if value.abs() <= most => Ok(value),
            Some(value) => Err(format!("{name} {value} is beyond {most}")),
            None => Err(format!("{name} is missing")),
        };
        let (lat, lon) = (
            within("latitude", self.latitude, 90.0)?,
            within("longitude", self.longitude, 180.0)?,
        );
        if lat == 0.0 && lon == 0.0 {
            return Err("latitude and longitude are both 0: the place is not known".into());
        }
        let between = |name: &str, column, [least, most]: [f64; 2], unit: &str| match numeric(name, column)? {
            Some(value) if !(least..=most).contains(&value) => Err(format!(
                "{name} {value} cannot be: it lies between {least} and {most} {unit}"
            )),
            value => Ok(value),
        };
        let time = time(
            text(self.date).unwrap_or_default(),
            text(self.time).unwrap_or_default(),
        )?;
        let instrument = self.instrument(text(self.instrument), text(self.satellite));
        let (confidence, confidence_percent) = match text(self.confidence) {
            None => (None, None),
            Some(text) => confidence(text)?,
        };
        let size = |name: &str, column| match numeric(name, column)? {
            Some(km) if km > 0.0 && km <= 50.0 => Ok(km),
            Some(km) => Err(format!("{name} {km} km is no size of a cell")),
            None => Ok(instrument.cell_km()),
        };
        Ok(Hotspot {
            lon,
            lat,
            time,
            satellite: platform(text(self.satellite).unwrap_or_default(), instrument),
            instrument,
            confidence,
            confidence_percent,
            brightness_k: between("brightness", self.viirs_k.or(self.modis_k), BRIGHTNESS_K, "K")?,
            scan_km: size("scan", self.scan)?,
            track_km: size("track", self.track)?,
            power_mw: between("frp", self.power, [0.0, MOST_POWER_MW], "MW")?,
            by_day: text(self.by_day).and_then(|text| match text {
                "D" | "d" => Some(true),
                "N" | "n" => Some(false),
                _ => None,
            }),
            kind: text(self.kind).and_then(|text| text.parse().ok()),
            // only the archive says the kind of source
            processing: text(self.version)
                .map(Processing::of_version)
                .or(self.kind.map(|_| Processing::Standard)),
        })
    }

    /// Said by a column, or told by the satellite, or by the columns of brightness.
    fn instrument(&self, said: Option<&str>, satellite: Option<&str>) -> Instrument {
        let said = said.unwrap_or_default().to_lowercase();
        let satellite = satellite.unwrap_or_default().to_lowercase();
        let is_terra_or_aqua = matches!(satellite.as_str(), "t" | "a" | "terra" | "aqua");
        let has_modis_columns = satellite.is_empty() && self.viirs_k.is_none() && self.modis_k.is_some();
        if said.contains("viirs") {
            Instrument::Viirs
        } else if said.contains("modis") || is_terra_or_aqua || has_modis_columns {
            Instrument::Modis
        } else if satellite.starts_with('l') {
            Instrument::Landsat
        } else {
            Instrument::Viirs
        }
    }
}

/// `2018-05-23` and `0025`, `149` or `5`, UTC.
fn time(date: &str, time: &str) -> Result<DateTime<Utc>, String> {
    let day: NaiveDate = date
        .replace('/', "-")
        .parse()
        .map_err(|_| format!("acq_date `{date}` is no day; it is written as 2018-05-23"))?;
    let digits: String = time.chars().filter(|c| *c != ':').collect();
    let clock = (!digits.is_empty() && digits.len() <= 4)
        .then(|| digits.parse::<u32>().ok())
        .flatten()
        .and_then(|clock| NaiveTime::from_hms_opt(clock / 100, clock % 100, 0))
        .ok_or_else(|| {
            format!("acq_time `{time}` is no time; it is hours and minutes, such as 0731 or 5 for 00:05")
        })?;
    if day.year() < FIRST_YEAR {
        return Err(format!(
            "acq_date {day} lies before {FIRST_YEAR}: no satellite looked for fires"
        ));
    }
    Ok(day.and_time(clock).and_utc())
}

/// A look that is still to come is none.
fn not_ahead(hotspot: Hotspot, now: DateTime<Utc>) -> Result<Hotspot, String> {
    if hotspot.time > now + MOST_AHEAD {
        let time = hotspot.time.format("%Y-%m-%d %H:%M");
        return Err(format!(
            "acq_date, acq_time: {time} UTC lies in the future; FIRMS writes both in UTC, and this clock says {} UTC",
            now.format("%Y-%m-%d %H:%M")
        ));
    }
    Ok(hotspot)
}

/// Letters and words of VIIRS and Landsat, percentages of MODIS.
fn confidence(text: &str) -> Result<(Option<Confidence>, Option<f64>), String> {
    let class = match text.to_lowercase().as_str() {
        "l" | "low" => Confidence::Low,
        "n" | "m" | "nominal" | "medium" => Confidence::Nominal,
        "h" | "high" => Confidence::High,
        number => {
            let percent: f64 = number
                .parse()
                .ok()
                .filter(|percent| (0.0..=100.0).contains(percent))
                .ok_or_else(|| format!("confidence `{text}` is neither low, nominal, high nor 0 to 100"))?;
            let class = match percent {
                80.0.. => Confidence::High,
                30.0.. => Confidence::Nominal,
                _ => Confidence::Low,
            };
            return Ok((Some(class), Some(percent)));
        }
    };
    Ok((Some(class), None))
}

fn platform(text: &str, instrument: Instrument) -> String {
    let known = match (text.to_uppercase().as_str(), instrument) {
        ("N" | "NPP" | "SUOMI NPP" | "SUOMI-NPP", _) => "Suomi-NPP",
        ("N20" | "1" | "NOAA-20" | "NOAA20" | "J1", Instrument::Viirs) => "NOAA-20",
        ("N21" | "2" | "NOAA-21" | "NOAA21" | "J2", Instrument::Viirs) => "NOAA-21",
        ("T" | "TERRA", _) => "Terra",
        ("A" | "AQUA", _) => "Aqua",
        ("L8", _) => "Landsat-8",
        ("L9", _) => "Landsat-9",
        ("", _) => instrument.name(),
        _ => text,
    };
    known.to_owned()
}

impl Hotspot {
    /// The same for every delivery of the same cell and overpass, so that a second import is an update.
    pub fn code(&self) -> String {
        let satellite: String = self.satellite.chars().filter(|c| c.is_alphanumeric()).collect();
        format!(
            "{satellite}-{}-{:.5}-{:.5}",
            self.time.format("%Y%m%dT%H%M"),
            self.lat,
            self.lon
        )
    }

    /// What the instrument saw as one cell, scan x track km, degrees. Scan lines run nearly from west to east, so the
    /// cell is drawn upright.
    pub fn footprint(&self) -> Polygon<f64> {
        let lat = self.lat.to_radians();
        // metres of a degree on WGS 84
        let north_m = 111_132.95 - 559.85 * (2.0 * lat).cos() + 1.17 * (4.0 * lat).cos();
        let east_m = (111_412.88 * lat.cos() - 93.5 * (3.0 * lat).cos()).max(1.0);
        let dx = self.scan_km * 500.0 / east_m;
        let dy = self.track_km * 500.0 / north_m;
        let corner = |x: f64, y: f64| (self.lon + x * dx, (self.lat + y * dy).clamp(-90.0, 90.0));
        let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)];
        Polygon::new(
            ring.map(|(x, y)| corner(x, y))
                .to_vec()
                .into_iter()
                .collect::<LineString<f64>>(),
            Vec::new(),
        )
    }

    /// As a feature of the layer of hot spots; local day and week are properties, so that a map can choose.
    pub fn feature(&self) -> Feature {
        let local = self.time.with_timezone(&crate::period::local_zone());
        let mut feature = Feature::new(super::HOTSPOTS, self.code(), Geometry::Polygon(self.footprint()));
        "firms".clone_into(&mut feature.scheme);
        feature.name = Some(format!("{} {}", self.satellite, local.format("%d/%m/%Y %H:%M")));
        let pairs = [
            (
                "time",
                json!(self.time.to_rfc3339_opts(SecondsFormat::Secs, true)),
            ),
            ("day", json!(local.date_naive())),
            ("week", json!(crate::Period::of_instant(self.time).to_string())),
            ("lon", json!(self.lon)),
            ("lat", json!(self.lat)),
            ("satellite", json!(self.satellite)),
            ("instrument", json!(self.instrument.name())),
            ("confidence", json!(self.confidence)),
            ("confidence_percent", json!(self.confidence_percent)),
            ("brightness_k", json!(self.brightness_k)),
            ("scan_km", json!(self.scan_km)),
            ("track_km", json!(self.track_km)),
            ("frp_mw", json!(self.power_mw)),
            ("by_day", json!(self.by_day)),
            ("source_type", json!(self.kind)),
            ("processing", json!(self.processing)),
        ];
        let said = pairs.into_iter().filter(|(_, value)| !value.is_null());
        feature.properties = said
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>();
        feature
    }

    /// The hot spot that a feature was made of; none for a feature of another make.
    pub fn of_feature(feature: &Feature) -> Option<Self> {
        let field = |name: &str| feature.properties.get(name);
        let number = |name: &str| field(name).and_then(Value::as_f64);
        let text = |name: &str| field(name).and_then(Value::as_str);
        Some(Self {
            lon: number("lon")?,
            lat: number("lat")?,
            time: text("time")?.parse().ok()?,
            satellite: text("satellite")?.to_owned(),
            instrument: match text("instrument")? {
                "VIIRS" => Instrument::Viirs,
                "MODIS" => Instrument::Modis,
                "Landsat" => Instrument::Landsat,
                _ => return None,
            },
            confidence: field("confidence").and_then(|value| serde_json::from_value(value.clone()).ok()),
            confidence_percent: number("confidence_percent"),
            brightness_k: number("brightness_k"),
            scan_km: number("scan_km")?,
            track_km: number("track_km")?,
            power_mw: number("frp_mw"),
            by_day: field("by_day").and_then(Value::as_bool),
            kind: field("source_type").and_then(|value| value.as_u64()?.try_into().ok()),
            // what was taken in before the processing was kept says it by the kind of source
            processing: field("processing")
                .and_then(|value| serde_json::from_value(value.clone()).ok())
                .or_else(|| field("source_type").map(|_| Processing::Standard)),
        })
    }
}
