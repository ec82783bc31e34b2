//! Sentinel-1 IW GRDH as ESA delivers it: a SAFE folder, or its zip.
//!
//! The measurement stays where it lies, in the geometry of the radar; calibration, noise removal and geocoding happen
//! when a week is made ([`super::sentinel1_grd`]). Here every table is read once, so that a product that cannot be calibrated is
//! refused at once.

use super::acquisition;
use super::safe_archive::{SafePackage, file_name, zip_holds};
use super::scene::{Checksums, checksum, escapes};
use super::sentinel1_grd::{self, Facts, Files, GroundRange};
use super::xml::{Element, elements};
use super::{Found, ImagerySource, SourceOptions};
use crate::{Error, Result};
use sen_catalog::crs::Transform;
use sen_catalog::{Asset, Band, Bounds, Crs, Grid, Interval, Item};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// See the module.
pub(super) struct Sentinel1Safe;

const MANIFEST: &str = "manifest.safe";
/// Spacing of the pixels of IW GRDH, metres.
const PIXEL_M: f64 = 10.0;
/// Relative orbits of a cycle.
const CYCLE: i64 = 175;

impl ImagerySource for Sentinel1Safe {
    fn name(&self) -> &'static str {
        "sentinel-1-safe"
    }

    fn describe(&self) -> &'static str {
        "Sentinel-1 IW GRDH SAFE folders and zips"
    }

    fn detect(&self, path: &Path, _: &SourceOptions) -> bool {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let folder = path.is_dir() && path.join(MANIFEST).is_file();
        let named = name.starts_with("S1");
        named && folder || zip_holds(path, named, |inner| is_product(named, inner))
    }

    fn read(&self, path: &Path, options: &SourceOptions) -> Found {
        let named = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("S1"));
        match SafePackage::open_all(path, &options.limits, |inner| is_product(named, inner)) {
            Ok(packages) => packages
                .iter()
                .map(|package| Found::one(package.place(), read(package, options)))
                .collect(),
            Err(error) => Found::failed(path.display(), &error),
        }
    }
}

/// True for the manifest of a Sentinel-1 product: its folder says so, or the zip (`named`) where it has none. Products of
/// Sentinel-2 have a manifest, too.
fn is_product(named: bool, inner: &str) -> bool {
    let folder = inner
        .strip_suffix(MANIFEST)
        .map(|folder| folder.trim_end_matches('/'));
    match folder {
        Some("") => named,
        Some(folder) => inner.ends_with(&format!("/{MANIFEST}")) && file_name(folder).starts_with("S1"),
        None => false,
    }
}

fn read(package: &SafePackage, options: &SourceOptions) -> Result<Item> {
    let manifest = Manifest::read(package, options)?;
    let files = manifest.bands(package)?;
    let processor = manifest.processor();
    let copolarised = files
        .get(&Band::Vv)
        .filter(|_| sentinel1_grd::leaves_border(processor.as_deref()));
    let mut seen: Option<Facts> = None;
    for (band, files) in &files {
        let (image, facts) = GroundRange::open(files, copolarised)?;
        image.check_end()?;
        if !facts.polarisation.eq_ignore_ascii_case(band.name()) {
            return Err(Error::unreadable(
                &files.annotation,
                format!("is named for {band} but says it is of {}", facts.polarisation),
            ));
        }
        if let Some(other) = &seen
            && (other.start, other.orbit) != (facts.start, facts.orbit)
        {
            return Err(Error::unreadable(
                &files.annotation,
                format!("{band} was taken at another time or orbit than the other polarisation"),
            ));
        }
        seen = Some(facts);
    }
    let facts = seen.ok_or_else(|| {
        Error::unreadable(
            package.place(),
            "holds neither VV nor VH: products of other polarisations are not read here",
        )
    })?;
    let properties = manifest.properties(&facts, processor.as_deref(), files.keys())?;
    let platform = properties.get("platform").and_then(Value::as_str);
    acquisition::check("startTime", facts.start, sentinel1_grd::COLLECTION, platform)
        .map_err(|why| Error::unreadable(package.place(), why))?;
    let mut assets = BTreeMap::new();
    let mut checksums = Checksums::new();
    for (band, files) in &files {
        let mut add = |name: String, asset: Asset| -> Result<()> {
            let mut asset = asset;
            checksum(&mut asset, &mut checksums)?;
            assets.insert(name, asset);
            Ok(())
        };
        let measurement = Asset {
            band: Some(*band),
            nodata: Some(0.0),
            ..Asset::new(&files.measurement)
        };
        add(band.name().to_owned(), measurement)?;
        for (name, href) in
            Files::names(*band)
                .into_iter()
                .zip([&files.annotation, &files.calibration, &files.noise])
        {
            add(name, Asset::new(href))?;
        }
    }
    Ok(Item {
        id: package.name(),
        collection: sentinel1_grd::COLLECTION.to_owned(),
        interval: Interval::instant(facts.start),
        grid: grid(&facts)?,
        bbox: facts.bounds,
        assets,
        lineage: Vec::new(),
        properties,
    })
}

/// What the manifest lists and says.
struct Manifest {
    what: String,
    elements: Vec<Element>,
    /// Files of the product, by their path in it.
    files: Vec<String>,
}

impl Manifest {
    fn read(package: &SafePackage, options: &SourceOptions) -> Result<Self> {
        let what = package.href(MANIFEST);
        let text = package.text(MANIFEST, &options.limits)?;
        let elements = elements(&text).map_err(|why| Error::unreadable(&what, why))?;
        let mut files = Vec::new();
        for element in elements.iter().filter(|element| element.name == "fileLocation") {
            let href = element.attribute("href").unwrap_or_default();
            let name = href.strip_prefix("./").unwrap_or(href);
            if escapes(name) {
                return Err(Error::unreadable(
                    &what,
                    format!("names the file `{href}`, which lies outside the product"),
                ));
            }
            files.push(name.to_owned());
        }
        Ok(Self {
            what,
            elements,
            files,
        })
    }

    /// The version of ESA's processor that made the image, as a number in text: `003.31` is `3.31`.
    fn processor(&self) -> Option<String> {
        let software = self.elements.iter().filter(|element| element.name == "software");
        let version = software
            .filter(|element| {
                element
                    .attribute("name")
                    .is_some_and(|name| name.contains("Sentinel-1 IPF"))
            })
            .find_map(|element| element.attribute("version"))?;
        let number: f64 = version.trim().parse().ok()?;
        Some(format!("{number:.2}"))
    }

    /// The files of each polarisation that is read here.
    fn bands(&self, package: &SafePackage) -> Result<BTreeMap<Band, Files>> {
        let annotations: Vec<&String> = self
            .files
            .iter()
            .filter(|name| {
                name.starts_with("annotation/") && name.matches('/').count() == 1 && name.ends_with(".xml")
            })
            .collect();
        if annotations.is_empty() {
            return Err(Error::unreadable(
                package.place(),
                "its manifest lists no annotation: raw and ocean products are not read here, take IW_GRDH",
            ));
        }
        let mut bands = BTreeMap::new();
        for annotation in annotations {
            let stem = annotation
                .rsplit('/')
                .next()
                .and_then(|name| name.strip_suffix(".xml"))
                .unwrap_or_default();
            // s1a-iw-grd-vv-20210809t173953-...: mode, product, polarisation
            let mut parts = stem.split('-').skip(1);
            let mut part = || parts.next().unwrap_or_default();
            let (mode, kind, polarisation) = (part(), part(), part());
            if (mode, kind) != ("iw", "grd") {
                return Err(Error::unreadable(
                    package.place(),
                    sentinel1_grd::annotation::other_kind(kind, mode),
                ));
            }
            let band = match polarisation {
                "vv" => Band::Vv,
                "vh" => Band::Vh,
                _ => continue,
            };
            let listed = |wanted: &dyn Fn(&str) -> bool, kind: &str| -> Result<String> {
                let found = self.files.iter().find(|name| wanted(name.as_str()));
                let name = found.ok_or_else(|| {
                    Error::unreadable(
                        &self.what,
                        format!("lists no {kind} of {band}: the product is not whole"),
                    )
                })?;
                if !package.has(name) {
                    return Err(Error::unreadable(
                        package.href(name),
                        format!("{kind} of {band} is listed in the manifest but there is no such file"),
                    ));
                }
                package.check(name)?;
                Ok(package.href(name))
            };
            let table = |kind: &str| {
                let name = format!("annotation/calibration/{kind}-{stem}.xml");
                listed(&|own| own == name, kind)
            };
            let files = Files {
                measurement: listed(
                    &|own| own.starts_with(&format!("measurement/{stem}")) && own.contains(".tif"),
                    "measurement",
                )?,
                annotation: listed(&|own| own == annotation, "annotation")?,
                calibration: table("calibration")?,
                noise: table("noise")?,
            };
            bands.insert(band, files);
        }
        Ok(bands)
    }

    fn properties<'a>(
        &self,
        facts: &Facts,
        processor: Option<&str>,
        bands: impl Iterator<Item = &'a Band>,
    ) -> Result<Map<String, Value>> {
        let polarisations: Vec<String> = bands.map(|band| band.name().to_uppercase()).collect();
        let platform = facts
            .mission
            .strip_prefix("S1")
            .map(|letter| format!("sentinel-1{}", letter.to_lowercase()));
        let calibration = format!(
            "sigma0 by the product's calibration table; thermal noise: {}; borders: {}; placed by the geolocation grid",
            facts.noise,
            if sentinel1_grd::leaves_border(processor) {
                "noise cut off here"
            } else {
                "as the processor cleaned them"
            }
        );
        let (near, far) = facts.incidence;
        let values = [
            ("platform", json!(platform)),
            ("sat:orbit_state", json!(facts.pass)),
            ("sat:absolute_orbit", json!(facts.orbit)),
            ("sat:relative_orbit", json!(self.relative_orbit(facts)?)),
            ("sar:instrument_mode", json!("IW")),
            ("sar:product_type", json!("GRD")),
            ("sar:polarizations", json!(polarisations)),
            (sentinel1_grd::PROCESSOR, json!(processor)),
            ("sen:source", json!("sentinel-1-safe")),
            ("sen:units", json!("linear")),
            ("sen:backscatter", json!("sigma0")),
            ("sen:incidence_deg", json!([hundredths(near), hundredths(far)])),
            ("sen:calibration", json!(calibration)),
        ];
        let said = values.into_iter().filter(|(_, value)| !value.is_null());
        Ok(said.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The relative orbit as the manifest states it; computed where it does not.
    fn relative_orbit(&self, facts: &Facts) -> Result<Option<i64>> {
        let mut stated = self
            .elements
            .iter()
            .filter(|element| element.name == "relativeOrbitNumber");
        match stated.next() {
            None => Ok(relative_orbit(&facts.mission, facts.orbit)),
            Some(element) => match element.text.parse() {
                Ok(number) if (1..=CYCLE).contains(&number) => Ok(Some(number)),
                _ => Err(Error::unreadable(
                    &self.what,
                    format!(
                        "relativeOrbitNumber is `{}`, which is none of 1 to {CYCLE}",
                        element.text
                    ),
                )),
            },
        }
    }
}

/// The relative orbit of an absolute one, in the orbit of routine operation; `None` for satellites it is not known of.
/// While they were commissioned the numbers were others, which is why the manifest is asked first.
fn relative_orbit(mission: &str, orbit: u32) -> Option<i64> {
    let first = match mission {
        "S1A" => 73,
        "S1B" => 27,
        "S1C" => 172,
        _ => return None,
    };
    Some((i64::from(orbit) - first).rem_euclid(CYCLE) + 1)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// The UTM grid of whole pixels around the image: where it comes to lie, as the measurement itself has no grid.
fn grid(facts: &Facts) -> Result<Grid> {
    let middle = (
        f64::midpoint(facts.bounds.west, facts.bounds.east),
        f64::midpoint(facts.bounds.south, facts.bounds.north),
    );
    let zone = (((middle.0 + 180.0) / 6.0).floor() as u32).min(59) + 1;
    let crs = Crs::epsg(if middle.1 < 0.0 { 32_700 } else { 32_600 } + zone);
    let transform = Transform::new(Crs::WGS84, crs)?;
    let start = Bounds::new(f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    let places = facts
        .places
        .iter()
        .filter_map(|&(lon, lat)| transform.point(lon, lat));
    let bounds = places.fold(start, |b, (x, y)| {
        Bounds::new(b.west.min(x), b.south.min(y), b.east.max(x), b.north.max(y))
    });
    Ok(Grid::covering(crs, bounds, PIXEL_M)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_orbits_are_those_that_esa_states() {
        // manifests of S1A_IW_GRDH_1SDV_20210809T173953 and 20200103T233556, S1B_IW_GRDH_1SDV_20161121T010910
        assert_eq!(relative_orbit("S1A", 39_156), Some(59));
        assert_eq!(relative_orbit("S1A", 30_643), Some(121));
        assert_eq!(relative_orbit("S1B", 3_050), Some(49));
        assert_eq!(relative_orbit("S1X", 3_050), None);
    }
}
