//! From a location (file, folder, address) to its scenes: each file and folder is offered to every source.

use super::processing_rank::ProcessingRank;
use super::{Failure, Found, ImagerySource, SOURCES, SourceOptions, stac_api};
use crate::{Error, Result};
use sen_catalog::address::unsigned;
use sen_catalog::item::SCENE_NOTES;
use sen_catalog::{Item, TimeQuery};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Folders nested deeper than this are not looked into.
const MAX_DEPTH: usize = 16;

/// The scenes of a file, a folder or an http(s) address, by time, then id; what cannot be used is named, and the
/// good ones go on.
///
/// # Errors
/// [`Error::Invalid`] when the location does not exist or nothing there is imagery, or `options.source` is unknown.
pub fn discover(location: &str, options: &SourceOptions) -> Result<Found> {
    let sources = wanted_sources(options)?;
    let shown = unsigned(location);
    if location.starts_with("http://") || location.starts_with("https://") {
        return Ok(finish(stac_api::discover(location, options)?, options));
    }
    let path = std::path::absolute(location).map_err(|error| Error::io(location, error))?;
    if !path.exists() {
        return Err(Error::Invalid(format!(
            "{shown}: there is no such file or folder"
        )));
    }
    let root = if path.is_dir() {
        path.clone()
    } else {
        path.parent().unwrap_or(Path::new("/")).to_path_buf()
    };
    let options = &SourceOptions {
        root: Some(root),
        ..options.clone()
    };
    let mut claims = vec![Vec::new(); sources.len()];
    let mut found = Found::default();
    let mut walk = Walk {
        sources: &sources,
        options,
        entered: HashSet::new(),
        claims: &mut claims,
        failures: &mut found.failures,
    };
    walk.enter(&path, 0);
    if claims.iter().all(Vec::is_empty) && found.failures.is_empty() {
        let known: Vec<_> = sources.iter().map(|source| source.describe()).collect();
        return Err(Error::Invalid(format!(
            "{shown}: no imagery found there; read are {}",
            known.join("; ")
        )));
    }
    let mut owned: HashSet<PathBuf> = HashSet::new();
    for (source, paths) in sources.iter().zip(claims) {
        // rasters beside a STAC item or an MTL file belong to it
        let paths: Vec<_> = if source.name() == "geotiff" {
            let described = |path: &PathBuf| is_described(path, options);
            let assets = found.scenes.iter().flat_map(|scene| scene.assets.values());
            let used: HashSet<PathBuf> = assets.map(|asset| PathBuf::from(&asset.href)).collect();
            paths
                .into_iter()
                .filter(|path| described(path) || !(belongs(path, &owned) || used.contains(path)))
                .collect()
        } else {
            owned.extend(
                paths
                    .iter()
                    .filter_map(|path: &PathBuf| path.parent().map(Path::to_path_buf)),
            );
            paths
        };
        if !paths.is_empty() {
            found.extend(source.read_all(&paths, options));
        }
    }
    Ok(finish(found, options))
}

fn wanted_sources(options: &SourceOptions) -> Result<Vec<&'static dyn ImagerySource>> {
    let Some(name) = &options.source else {
        return Ok(SOURCES.to_vec());
    };
    let source = SOURCES
        .iter()
        .find(|source| source.name() == name)
        .ok_or_else(|| {
            let known: Vec<_> = SOURCES.iter().map(|source| source.name()).collect();
            Error::Invalid(format!("`{name}` is no source; known are {}", known.join(", ")))
        })?;
    Ok(vec![*source])
}

fn is_described(path: &Path, options: &SourceOptions) -> bool {
    let text = path.to_string_lossy();
    let layouts = options.geotiff.iter().filter_map(|layout| layout.checked().ok());
    layouts
        .into_iter()
        .any(|layout| layout.files.matches(&text).is_some())
}

fn belongs(path: &Path, owned: &HashSet<PathBuf>) -> bool {
    path.ancestors().skip(1).any(|folder| owned.contains(folder))
}

/// A walk through what the user gave. Links are followed, and each folder is entered once.
struct Walk<'a> {
    sources: &'a [&'static dyn ImagerySource],
    options: &'a SourceOptions,
    /// Folders entered, by their real path.
    entered: HashSet<PathBuf>,
    /// What each source takes.
    claims: &'a mut [Vec<PathBuf>],
    failures: &'a mut Vec<Failure>,
}

impl Walk<'_> {
    /// Offers a file or folder to the sources. A folder goes to the first that knows it and is not entered; a zip may
    /// hold products of several.
    fn enter(&mut self, path: &Path, depth: usize) {
        let folder = path.is_dir();
        let mut taken = false;
        for (source, claims) in self.sources.iter().zip(self.claims.iter_mut()) {
            if !(folder && taken) && source.detect(path, self.options) {
                claims.push(path.to_path_buf());
                taken = true;
            }
        }
        if taken || !folder {
            return;
        }
        if path.canonicalize().is_ok_and(|real| !self.entered.insert(real)) {
            return;
        }
        if depth >= MAX_DEPTH {
            let reason = format!("nested deeper than {MAX_DEPTH} folders; not looked into");
            self.failures.push(Failure::new(path.display(), reason));
            return;
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) => {
                self.failures
                    .push(Failure::new(path.display(), Error::io(path, error)));
                return;
            }
        };
        let hidden = |path: &PathBuf| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| !hidden(path))
            .collect();
        // the order of a folder's entries differs between file systems
        paths.sort();
        for path in paths {
            self.enter(&path, depth + 1);
        }
    }
}

/// Leaves out what was not asked for and what came twice, and sorts. Of two deliveries of one scene the better processing
/// counts (see [`super::processing_rank`]), of equal ones the first.
fn finish(mut found: Found, options: &SourceOptions) -> Found {
    let mut kept: BTreeMap<(String, String), Item> = BTreeMap::new();
    for scene in found.scenes.into_iter().filter(|item| wanted(item, options)) {
        match kept.entry((scene.collection.clone(), scene.id.clone())) {
            Entry::Vacant(free) => {
                free.insert(scene);
            }
            Entry::Occupied(mut first) => {
                let better = ProcessingRank::of(&scene) > ProcessingRank::of(first.get());
                let (used, other) = if better {
                    (&scene, first.get())
                } else {
                    (first.get(), &scene)
                };
                let place = |item: &Item| item.assets.values().next().map(|asset| asset.href.clone());
                if let (Some(used), Some(other)) = (place(used), place(other))
                    && used != other
                {
                    let reason = format!("is there twice: {used} is used, {other} left out");
                    found.notes.push(Failure::new(&scene.id, reason));
                }
                if better {
                    first.insert(scene);
                }
            }
        }
    }
    found.scenes = kept.into_values().collect();
    for scene in &found.scenes {
        let notes = scene
            .properties
            .get(SCENE_NOTES)
            .and_then(serde_json::Value::as_array);
        let texts = notes.into_iter().flatten().filter_map(serde_json::Value::as_str);
        found
            .notes
            .extend(texts.map(|text| Failure::new(&scene.id, text)));
    }
    found
        .scenes
        .sort_by(|a, b| (a.interval.start, &a.id).cmp(&(b.interval.start, &b.id)));
    found
}

fn wanted(item: &Item, options: &SourceOptions) -> bool {
    let time = item.interval.start;
    let in_time = match options.datetime {
        None | Some(TimeQuery::Latest) => true,
        Some(TimeQuery::Week(week) | TimeQuery::Within(week)) => item.period() == week,
        Some(TimeQuery::Between(from, to)) => {
            from.is_none_or(|from| time >= from) && to.is_none_or(|to| time <= to)
        }
    };
    in_time && options.bbox.is_none_or(|bbox| bbox.intersects(&item.bbox))
}
