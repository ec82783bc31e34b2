//! How plain GeoTIFFs are laid out, in the words of the configuration.

use super::backscatter::AMPLITUDE;
use super::pattern::Pattern;
use super::scene::sentinel2_band;
use crate::{Error, Result};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use sen_catalog::Band;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the numbers of a measure are, after scaling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Units {
    /// Optical reflectance, 0 to 1.
    Reflectance,
    /// Radar backscatter, linear power.
    Linear,
    /// Radar backscatter in decibel.
    Db,
    /// Radar backscatter, amplitude: the root of linear power.
    Amplitude,
}

impl Units {
    /// The word for scenes and messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Reflectance => "reflectance",
            Self::Linear => "linear",
            Self::Db => "dB",
            Self::Amplitude => AMPLITUDE,
        }
    }

    /// The word of layouts and of `--units`.
    pub(super) fn setting(self) -> &'static str {
        match self {
            Self::Db => "db",
            other => other.word(),
        }
    }
}

/// How the plain GeoTIFFs of a folder become scenes.
///
/// ```
/// let layout: sen_processing::source::GeotiffLayout = toml::from_str(r#"
///     name = "angiang"
///     collection = "sentinel-2-l2a"
///     files = "S2_L2A_{%Y%m%dT%H%M%S}_*.tif"
///     bands = ["blue", "green", "red", "_", "nir", "swir16", "swir22", "scl"]
///     offset_tag = "BOA_ADD_OFFSET"
///     nodata = 0
/// "#)?;
/// layout.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeotiffLayout {
    /// Begins the ids of the scenes; a short word.
    pub name: String,
    /// The collection the scenes belong to, such as `sentinel-2-l2a`.
    pub collection: String,
    /// File name, with folders if need be: `*` any text, `{band}` a band, `{%Y%m%dT%H%M%S}` the time (UTC).
    pub files: String,
    /// Common band names in the order of the file's bands, `_` for one to be left out. With `{band}` in `files`: the
    /// bands to take, one file each.
    pub bands: Vec<String>,
    /// With `{band}` in `files`: what the files call a band, where that is neither its common name nor, for Sentinel-2, a
    /// code such as `B04`. Example: `{ B4 = "red", B5 = "nir" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub band_names: BTreeMap<String, String>,
    /// The time as pattern of the file name, where `files` does not hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// One fixed time for all files (RFC 3339), where names do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datetime: Option<String>,
    /// Value = (stored number + offset) * scale. Default 0.0001 for reflectance, otherwise 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// Number to add to the stored one before scaling: -1000 for Sentinel-2 from processing baseline 04.00 on, 0 before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<f64>,
    /// Metadata item of the file that holds that number, such as `BOA_ADD_OFFSET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_tag: Option<String>,
    /// Stored number that means "no data", where the files do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodata: Option<f64>,
    /// What the scaled numbers are: `reflectance`, `linear`, `amplitude` or `db`. Optical scenes need not say it, radar
    /// must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<Units>,
    /// The satellite, such as `sentinel-2a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// `ascending` or `descending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orbit: Option<String>,
}

/// A layout whose texts have been read.
pub(super) struct Checked<'a> {
    pub(super) layout: &'a GeotiffLayout,
    pub(super) collection: &'static str,
    pub(super) files: Pattern,
    pub(super) time: Option<Pattern>,
    pub(super) datetime: Option<DateTime<Utc>>,
    pub(super) units: Units,
    /// In file order; `None` for bands left out.
    pub(super) bands: Vec<Option<Band>>,
}

impl GeotiffLayout {
    /// Says what is wrong with the layout, if anything is.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the layout and the field.
    pub fn check(&self) -> Result<()> {
        self.checked().map(|_| ())
    }

    /// The band that a file calls by this text.
    pub(super) fn band_named(&self, text: &str) -> Option<Band> {
        let name = self.band_names.get(text).map_or(text, String::as_str);
        // Landsat's B11 is no short-wave infrared
        let coded = || sentinel2_band(name).filter(|_| self.collection.starts_with("sentinel-2"));
        name.parse().ok().or_else(coded)
    }

    pub(super) fn checked(&self) -> Result<Checked<'_>> {
        let wrong = |why: String| Error::Invalid(format!("geotiff layout `{}`: {why}", self.name));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(wrong(
                "`name` must be a short word of letters, digits, `-` and `_`".into(),
            ));
        }
        let known = sen_catalog::item::SCENE_COLLECTIONS;
        let collection = known
            .iter()
            .find(|&&collection| collection == self.collection)
            .copied()
            .ok_or_else(|| {
                wrong(format!(
                    "`collection = \"{}\"` is none of {}",
                    self.collection,
                    known.join(", ")
                ))
            })?;
        let files = Pattern::parse(&self.files).map_err(|error| wrong(error.to_string()))?;
        let time = self
            .time
            .as_deref()
            .map(Pattern::parse)
            .transpose()
            .map_err(|e| wrong(e.to_string()))?;
        let datetime = self
            .datetime
            .as_deref()
            .map(str::parse::<DateTime<Utc>>)
            .transpose();
        let datetime = datetime.map_err(|_| {
            wrong("`datetime` must be an instant such as \"2022-03-01T03:16:49Z\"".to_owned())
        })?;
        if datetime.is_none() && !files.has_time() && !time.as_ref().is_some_and(Pattern::has_time) {
            return Err(wrong(
                "says no time: put it into `files` as in \"S2_{%Y%m%dT%H%M%S}_*.tif\", or write `datetime`"
                    .into(),
            ));
        }
        let mut bands = Vec::new();
        for name in &self.bands {
            let band = match name.as_str() {
                "_" | "" => None,
                name => Some(self.band_named(name).ok_or_else(|| {
                    let error = name
                        .parse::<Band>()
                        .expect_err("band_named knows every band name")
                        .to_string();
                    wrong(format!("`bands`: {error}"))
                })?),
            };
            if band.is_some() && bands.contains(&band) {
                return Err(wrong(format!("`bands` lists {name} twice")));
            }
            bands.push(band);
        }
        if bands.iter().flatten().all(|band| band.is_categorical()) {
            return Err(wrong("`bands` lists no measured band".into()));
        }
        Ok(Checked {
            layout: self,
            collection,
            files,
            time,
            datetime,
            units: self.units(&bands)?,
            bands,
        })
    }

    fn units(&self, bands: &[Option<Band>]) -> Result<Units> {
        let radar = bands
            .iter()
            .flatten()
            .any(|band| matches!(band, Band::Vv | Band::Vh));
        match (self.units, radar) {
            (None | Some(Units::Reflectance), false) => Ok(Units::Reflectance),
            (Some(units @ (Units::Linear | Units::Db | Units::Amplitude)), true) => Ok(units),
            (None | Some(Units::Reflectance), true) => Err(Error::Invalid(format!(
                "geotiff layout `{}`: radar bands need `units = \"linear\"`, `\"amplitude\"` or `\"db\"`",
                self.name
            ))),
            (Some(Units::Linear | Units::Db | Units::Amplitude), false) => Err(Error::Invalid(format!(
                "geotiff layout `{}`: `units` is for radar, but `bands` lists neither vv nor vh",
                self.name
            ))),
        }
    }
}
