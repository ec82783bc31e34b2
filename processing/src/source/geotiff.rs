//! Plain GeoTIFFs, described by a few lines of configuration.

use super::evidence::{OffsetOrigin, check_offset, check_units};
use super::layout::Checked;
use super::pattern::Match;
use super::processing_rank::PROCESSED;
use super::scene::{Scene, SceneBand, Stated};
use super::{Failure, Found, ImagerySource, SourceOptions, Units};
use crate::{Error, Result, gdal_io};
use chrono::{DateTime, Utc};
use sen_catalog::{Band, Item};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// See the module.
pub(super) struct Geotiff;

impl ImagerySource for Geotiff {
    fn name(&self) -> &'static str {
        "geotiff"
    }

    fn describe(&self) -> &'static str {
        "plain GeoTIFFs, laid out as a [[geotiff]] table of the configuration says"
    }

    fn detect(&self, path: &Path, options: &SourceOptions) -> bool {
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        let raster = ["tif", "tiff", "jp2", "gtif", "gtiff", "geotiff"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known));
        // an ending that a layout spells out is meant, whatever it is
        let meant = || {
            let text = path.to_string_lossy();
            let layouts = options.geotiff.iter().filter_map(|layout| layout.checked().ok());
            layouts.into_iter().any(|layout| {
                layout.files.ending() == Some(extension) && layout.files.matches(&text).is_some()
            })
        };
        (raster || !extension.is_empty() && meant()) && path.is_file()
    }

    fn read(&self, path: &Path, options: &SourceOptions) -> Found {
        self.read_all(&[path.to_path_buf()], options)
    }

    fn read_all(&self, paths: &[PathBuf], options: &SourceOptions) -> Found {
        let mut found = Found::default();
        let mut taken = vec![false; paths.len()];
        for layout in &options.geotiff {
            match layout.checked() {
                Ok(layout) => found.extend(read_layout(&layout, paths, &mut taken, options)),
                Err(error) => found.extend(Found::failed(&layout.name, &error)),
            }
        }
        let left: Vec<_> = paths
            .iter()
            .zip(taken)
            .filter(|(_, taken)| !taken)
            .map(|(path, _)| path)
            .collect();
        found.failures.extend(undescribed(&left));
        found
    }
}

/// Files that no layout describes: one failure a folder, not one a file.
fn undescribed(paths: &[&PathBuf]) -> Vec<Failure> {
    let mut folders: BTreeMap<&Path, Vec<&Path>> = BTreeMap::new();
    for path in paths {
        folders
            .entry(path.parent().unwrap_or(path))
            .or_default()
            .push(path);
    }
    let failure = |(folder, files): (&Path, Vec<&Path>)| {
        let name = files[0]
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (what, count) = if files.len() == 1 {
            (files[0], String::new())
        } else {
            (folder, format!("{} files such as {name}: ", files.len()))
        };
        let reason =
            "no [[geotiff]] layout of the configuration fits; write one that says bands, time and offset";
        Failure::new(what.display(), format!("{count}{reason}"))
    };
    folders.into_iter().map(failure).collect()
}

/// The files of one scene: one file, or one a band.
#[derive(Default)]
struct Files {
    whole: Vec<PathBuf>,
    by_band: BTreeMap<Band, Vec<PathBuf>>,
}

fn read_layout(
    layout: &Checked<'_>,
    paths: &[PathBuf],
    taken: &mut [bool],
    options: &SourceOptions,
) -> Found {
    let mut scenes: BTreeMap<(DateTime<Utc>, String), Files> = BTreeMap::new();
    let mut found = Found::default();
    let known = |name: &str| layout.layout.band_named(name);
    // what `{band}` took where that is no band, by time: told where a scene lacks bands
    let mut others: BTreeMap<DateTime<Utc>, Vec<(String, &PathBuf)>> = BTreeMap::new();
    for (path, taken) in paths.iter().zip(taken) {
        let text = path.to_string_lossy();
        // a `*` before `{band}` shall not leave it more than a band
        let matched = layout.files.matches_band(&text, &|name| known(name).is_some());
        let Some(matched) = matched.or_else(|| layout.files.matches(&text)) else {
            continue;
        };
        *taken = true;
        let time = layout.datetime.or(matched.time);
        let Some(time) = time.or_else(|| layout.time.as_ref()?.matches(&text)?.time) else {
            let error = Error::unreadable(
                &text,
                "its name does not hold the time that `time` of its layout describes",
            );
            found.extend(Found::failed(&text, &error));
            continue;
        };
        let band = match matched.band.as_deref() {
            None => None,
            Some(name) => match known(name) {
                // bands that the layout does not ask for are left alone
                Some(band) if !layout.bands.contains(&Some(band)) => continue,
                Some(band) => Some(band),
                None => {
                    others.entry(time).or_default().push((name.to_owned(), path));
                    continue;
                }
            },
        };
        let scene = scenes
            .entry((time, scene_id(layout, time, &matched)))
            .or_default();
        match band {
            None => scene.whole.push(path.clone()),
            Some(band) => scene.by_band.entry(band).or_default().push(path.clone()),
        }
    }
    for ((time, id), files) in scenes {
        let what = files
            .whole
            .first()
            .map_or_else(|| id.clone(), |path| path.display().to_string());
        let taken = others.remove(&time).unwrap_or_default();
        let read = read_scene(layout, id, time, files, options).map_err(|error| with_others(error, &taken));
        found.extend(Found::one(what, read));
    }
    for taken in others.values().filter(|taken| !taken.is_empty()) {
        let (name, path) = &taken[0];
        let error = Error::unreadable(path.display(), took(name));
        found.extend(Found::failed(path.display(), &error));
    }
    found
}

/// What to say where `{band}` took no band.
fn took(name: &str) -> String {
    format!(
        "`{{band}}` of the layout takes `{name}` of its name, which is no band; name it in `band_names`, or write more of the \
         name into `files`"
    )
}

/// A scene that lacks a band, and what `{band}` took instead.
fn with_others(error: Error, taken: &[(String, &PathBuf)]) -> Error {
    match (error, taken.first()) {
        (Error::Unreadable { what, reason }, Some((name, path))) if reason.contains(MISSING) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            Error::unreadable(what, format!("{reason}; of {file} {}", took(name)))
        }
        (error, _) => error,
    }
}

/// Begins to say that a band is missing.
const MISSING: &str = "is missing; there are only";

/// Layout, time, and the text of the wildcards (which is the tile or district, as a rule).
fn scene_id(layout: &Checked<'_>, time: DateTime<Utc>, matched: &Match) -> String {
    let mut id = format!("{}_{}", layout.layout.name, time.format("%Y%m%dT%H%M%S"));
    let mut last = "";
    for text in matched
        .wildcards
        .iter()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
    {
        if text != last {
            id.push('_');
            id.extend(
                text.chars()
                    .map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }),
            );
        }
        last = text;
    }
    id
}

fn read_scene(
    layout: &Checked<'_>,
    id: String,
    instant: DateTime<Utc>,
    files: Files,
    options: &SourceOptions,
) -> Result<Item> {
    let mut notes = Vec::new();
    let placed = place_bands(layout, &id, files, &mut notes)?;
    let processed = match placed.first() {
        Some((_, href, _)) => gdal_io::info(href)?.metadata.get("TIFFTAG_DATETIME").cloned(),
        None => None,
    };
    let mut bands = Vec::new();
    let mut calibration = String::new();
    let mut unasked = None;
    for (band, href, band_index) in placed {
        let (scale, offset) = if band.is_categorical() {
            (1.0, 0.0)
        } else {
            let (scale, offset, text) = calibrate(layout, &href, band_index, options)?;
            let other = |said: &f64| (said * scale - offset).abs() > 0.5 * scale.abs();
            unasked = options.offset.filter(other).or(unasked);
            calibration = text;
            (scale, offset)
        };
        bands.push(SceneBand {
            band,
            href,
            band_index,
            scale,
            offset,
            nodata: layout.layout.nodata,
            stated: Stated::Nothing,
        });
    }
    let mut properties = Map::new();
    properties.insert("sen:source".into(), json!("geotiff"));
    properties.insert("sen:calibration".into(), json!(calibration));
    if let Some(time) = processed {
        properties.insert(PROCESSED.into(), json!(time));
    }
    for (key, value) in [
        ("platform", &layout.layout.platform),
        ("sat:orbit_state", &layout.layout.orbit),
    ] {
        if let Some(value) = value {
            properties.insert(key.into(), json!(value.to_lowercase()));
        }
    }
    let mut scene = Scene {
        id,
        collection: layout.collection,
        instant,
        instant_field: "time (of its name or its layout)",
        bands,
        properties,
        bbox: None,
        notes,
    };
    check_units(&mut scene, layout.units, options.units)?;
    check_offset(&mut scene, options.offset, OffsetOrigin::Layout)?;
    if let Some(said) = unasked.filter(|_| scene.properties["sen:calibration"] == calibration) {
        scene.notes.push(format!(
            "--offset {said} was not asked for and is not used: {calibration}"
        ));
    }
    scene.into_item()
}

/// Which file and which of its bands holds what.
fn place_bands(
    layout: &Checked<'_>,
    id: &str,
    files: Files,
    notes: &mut Vec<String>,
) -> Result<Vec<(Band, String, usize)>> {
    if !layout.files.has_band() {
        let mut whole = files.whole.into_iter();
        let Some(path) = whole.next() else {
            return Ok(Vec::new());
        };
        if let Some(second) = whole.next() {
            return Err(Error::unreadable(
                path.display(),
                format!(
                    "makes the same scene {id} as {}; put a `*` where their names differ",
                    second.display()
                ),
            ));
        }
        let href = path.display().to_string();
        let info = gdal_io::info(&href)?;
        let listed = layout.bands.len();
        // an alpha band at the end hides cells and need not be listed
        let opaque_last = info.alpha == Some(info.bands) && listed + 1 == info.bands;
        if info.bands != listed && !opaque_last {
            return Err(Error::unreadable(
                href,
                format!(
                    "has {} bands, its layout lists {listed}; write `_` for bands to leave out",
                    info.bands
                ),
            ));
        }
        let placed = layout.bands.iter().enumerate();
        return Ok(placed
            .filter_map(|(index, band)| Some(((*band)?, href.clone(), index + 1)))
            .collect());
    }
    let mut placed = Vec::new();
    for &band in layout.bands.iter().flatten() {
        let paths = files.by_band.get(&band).ok_or_else(|| {
            let there: Vec<_> = files
                .by_band
                .values()
                .flatten()
                .map(|path| path.display().to_string())
                .collect();
            let there = if there.is_empty() {
                "none".to_owned()
            } else {
                there.join(", ")
            };
            Error::unreadable(id, format!("band {band} {MISSING} {there}"))
        })?;
        let path = finest(band, paths, notes)?;
        placed.push((band, path.display().to_string(), 1));
    }
    Ok(placed)
}

/// Of several files of one band the finest.
fn finest<'a>(band: Band, paths: &'a [PathBuf], notes: &mut Vec<String>) -> Result<&'a Path> {
    if let [only] = paths {
        return Ok(only);
    }
    let mut sized = Vec::new();
    for path in paths {
        sized.push((gdal_io::info(&path.display().to_string())?.grid.cell_width, path));
    }
    sized.sort_by(|a, b| a.0.total_cmp(&b.0));
    let [(cell, path), (other, second), ..] = sized[..] else {
        return Err(Error::Invalid(format!("no file of {band}")));
    };
    if cell == other {
        return Err(Error::unreadable(
            path.display(),
            format!(
                "holds {band} of the same scene as {}; put a `*` where the names of scenes differ, or write more of the \
                 name into `files`",
                second.display()
            ),
        ));
    }
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let left: Vec<String> = sized[1..]
        .iter()
        .map(|(cell, path)| format!("{} (cells of {cell})", name(path)))
        .collect();
    notes.push(format!(
        "{band} is there more than once: {} (cells of {cell}) is used, {} left out",
        name(path),
        left.join(", ")
    ));
    Ok(path)
}

/// Scale, offset (in values) and where they come from: the layout, the tags that GDAL knows of the file's band where the
/// layout says nothing, the user.
fn calibrate(
    layout: &Checked<'_>,
    href: &str,
    band_index: usize,
    options: &SourceOptions,
) -> Result<(f64, f64, String)> {
    let said = layout.layout;
    let optical = layout.units == Units::Reflectance;
    let scale = said.scale.unwrap_or(if optical { 1e-4 } else { 1.0 });
    if let Some(offset) = said.offset {
        return Ok((
            scale,
            offset * scale,
            format!("layout `{}`: offset {offset} DN", said.name),
        ));
    }
    if let Some(tag) = &said.offset_tag {
        let info = gdal_io::info(href)?;
        if let Some(text) = info.metadata.get(tag) {
            let offset: f64 = text.trim().parse().map_err(|_| {
                Error::unreadable(
                    href,
                    format!("metadata item {tag} is `{text}`, which is not a number"),
                )
            })?;
            return Ok((
                scale,
                offset * scale,
                format!("metadata item {tag} of the file: {offset} DN"),
            ));
        }
    }
    if (optical || said.scale.is_none())
        && let Some(stated) = stated_by_file(layout, href, band_index)?
    {
        return Ok(stated);
    }
    if let Some(tag) = said.offset_tag.as_ref().filter(|_| options.offset.is_none()) {
        return Err(Error::unreadable(
            href,
            format!(
                "carries no metadata item {tag}; say the offset: --offset -1000 (Sentinel-2 from processing baseline 04.00 on) or --offset 0"
            ),
        ));
    }
    if !optical {
        return Ok((scale, 0.0, format!("layout `{}`: no offset for radar", said.name)));
    }
    let offset = options.offset.ok_or_else(|| {
        Error::unreadable(
            href,
            format!(
                "the offset of its numbers is not known; write `offset = -1000` (Sentinel-2 from processing baseline 04.00 on), `offset = 0` or `offset_tag = \"BOA_ADD_OFFSET\"` into the geotiff layout `{}`, or say --offset",
                said.name
            ),
        )
    })?;
    Ok((
        scale,
        offset * scale,
        format!("said by the user: offset {offset} DN"),
    ))
}

/// What the file itself states of a band: its tags SCALE and OFFSET, in it or beside it.
fn stated_by_file(layout: &Checked<'_>, href: &str, band_index: usize) -> Result<Option<(f64, f64, String)>> {
    let info = gdal_io::info(href)?;
    let stated = info.calibrations.get(band_index - 1).copied();
    let Some((scale, offset)) = stated.filter(|&stated| stated != (1.0, 0.0)) else {
        return Ok(None);
    };
    if !scale.is_normal() || !offset.is_finite() {
        return Err(Error::unreadable(
            href,
            format!(
                "states scale {scale} and offset {offset} of band {band_index}, which make no values; write `scale` and \
                 `offset` into the geotiff layout `{}`",
                layout.layout.name
            ),
        ));
    }
    if let Some(said) = layout.layout.scale
        && (said - scale).abs() > 1e-6 * scale.abs()
    {
        return Err(Error::unreadable(
            href,
            format!(
                "states scale {scale} and offset {offset} of band {band_index}, the geotiff layout `{}` says scale {said} \
                 and no offset; write `offset` into it too",
                layout.layout.name
            ),
        ));
    }
    Ok(Some((
        scale,
        offset,
        format!("the file's own tags: scale {scale}, offset {offset}"),
    )))
}
