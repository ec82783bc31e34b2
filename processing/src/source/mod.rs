//! What providers deliver becomes scenes of the catalogue.
//!
//! A source only reads metadata: it says which file holds which band, and how its stored numbers become reflectance
//! or linear backscatter (value = stored * scale + offset). Reading pixels is then the same for all of them. A new
//! kind of imagery is a file here and a line in [`SOURCES`].

mod acquisition;
mod backscatter;
mod discover;
mod evidence;
mod geotiff;
mod http;
mod landsat;
mod layout;
mod pattern;
pub(crate) mod processing_rank;
mod safe;
mod safe_archive;
mod scene;
mod scene_fingerprint;
pub(crate) mod sentinel1_grd;
mod sentinel1_safe;
mod stac;
mod stac_api;
mod stac_assets;
mod stac_calibration;
mod stac_href;
pub(crate) mod unchanged;
mod xml;

pub(crate) use backscatter::{AMPLITUDE, BackscatterScale, is_amplitude};
pub use discover::discover;
pub use layout::{GeotiffLayout, Units};
pub(crate) use scene::{SIDECARS, sidecars};
pub(crate) use scene_fingerprint::fingerprint_scenes;

use sen_catalog::run::Failure;
use sen_catalog::{Bounds, Item, TimeQuery};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A kind of delivery.
pub trait ImagerySource: Sync {
    /// Short name, as `--source` takes it.
    fn name(&self) -> &'static str;

    /// One line for people: what is read.
    fn describe(&self) -> &'static str;

    /// True when the file or folder looks like this kind; a look at names and first bytes, nothing more.
    fn detect(&self, path: &Path, options: &SourceOptions) -> bool;

    /// The scenes of one detected file or folder; a bad scene is a failure, the others go on.
    fn read(&self, path: &Path, options: &SourceOptions) -> Found;

    /// The scenes of all that was detected together, for kinds that lay a scene out over several files.
    fn read_all(&self, paths: &[PathBuf], options: &SourceOptions) -> Found {
        paths.iter().map(|path| self.read(path, options)).collect()
    }
}

/// Every kind of delivery, in the order in which they are asked. Of two that deliver the same scene the first wins.
pub const SOURCES: &[&dyn ImagerySource] = &[
    &safe::Sentinel2Safe,
    &sentinel1_safe::Sentinel1Safe,
    &landsat::Landsat,
    &stac::Stac,
    &geotiff::Geotiff,
];

/// Collections of scenes that weekly products are made of.
pub(crate) const WEEKLY_SCENES: &[&str] = &[
    "landsat-c2-l2",
    "sentinel-1-grd",
    "sentinel-1-rtc",
    "sentinel-2-l2a",
];

/// What the user says beside the location.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Only this kind of delivery (a name of [`SOURCES`]).
    pub source: Option<String>,
    /// Only scenes that touch this lon/lat box; a STAC API search needs it.
    pub bbox: Option<Bounds>,
    /// Only scenes of this time.
    pub datetime: Option<TimeQuery>,
    /// The number to add to optical stored numbers before scaling (-1000 or 0), where metadata do not say it or the
    /// pixels speak against them.
    pub offset: Option<f64>,
    /// What radar values are, where metadata do not say it or the pixels seem to contradict them.
    pub units: Option<Units>,
    /// The folder out of which nothing that a delivery names may lead; [`discover`] takes the one it is given.
    pub root: Option<PathBuf>,
    /// Collections to search in a STAC API; empty: those that are read here.
    pub collections: Vec<String>,
    /// How plain GeoTIFFs are laid out.
    pub geotiff: Vec<GeotiffLayout>,
    /// Bounds against careless or hostile input.
    pub limits: Limits,
}

/// Bounds against careless or hostile input, and patience with servers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Scenes that one search may bring.
    pub scenes: usize,
    /// Bytes of one metadata document or answer.
    pub document_bytes: u64,
    /// Bytes all files of a zip may unpack to.
    pub unpacked_bytes: u64,
    /// How many times larger a file of a zip may be than its packed form.
    pub unpacked_ratio: u64,
    /// Time to connect.
    pub connect: Duration,
    /// Time for one answer.
    pub answer: Duration,
    /// Further tries after a server error or a broken connection.
    pub retries: u32,
    /// Pause before the first further try; doubled each time.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            scenes: 10_000,
            document_bytes: 64 << 20,
            // a Sentinel-2 product unpacks to about 1 GB
            unpacked_bytes: 16 << 30,
            unpacked_ratio: 200,
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(1),
            retries: 3,
            pause: Duration::from_millis(500),
        }
    }
}

/// True for bands that products or their masks are made of.
pub(crate) fn is_needed(band: sen_catalog::Band) -> bool {
    scene::NEEDED.contains(&band)
}

/// What was found at a location.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Scenes that can be used, by time, then id.
    pub scenes: Vec<Item>,
    /// What cannot, and why.
    pub failures: Vec<Failure>,
    /// What was done otherwise than a person may expect: files that were left out for others.
    pub notes: Vec<Failure>,
}

impl Found {
    /// The outcome of one scene.
    pub fn one(what: impl std::fmt::Display, outcome: crate::Result<Item>) -> Self {
        match outcome {
            Ok(item) => Self {
                scenes: vec![item],
                ..Self::default()
            },
            Err(error) => Self::failed(what, &error),
        }
    }

    /// One failure.
    pub fn failed(what: impl std::fmt::Display, error: &crate::Error) -> Self {
        Self {
            failures: vec![Failure::new(what, error)],
            ..Self::default()
        }
    }

    /// Takes the other's scenes and failures over.
    pub fn extend(&mut self, other: Self) {
        self.scenes.extend(other.scenes);
        self.failures.extend(other.failures);
        self.notes.extend(other.notes);
    }
}

impl FromIterator<Self> for Found {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        parts.into_iter().fold(Self::default(), |mut all, part| {
            all.extend(part);
            all
        })
    }
}

#[cfg(test)]
mod tests;
