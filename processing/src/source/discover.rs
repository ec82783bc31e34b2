//! From a location (file, folder, address) to its scenes: each file and folder is offered to every source.

use super::{Failure, Found, ImagerySource, SOURCES, SourceOptions, stac_api};
use crate::{Error, Result};
use sen_catalog::{Item, TimeQuery};
use std::collections::HashSet;
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
    if location.starts_with("http://") || location.starts_with("https://") {
        return Ok(finish(stac_api::discover(location, options)?, options));
    }
    let path = std::path::absolute(location).map_err(|error| Error::io(location, error))?;
    if !path.exists() {
        return Err(Error::Invalid(format!(
            "{location}: there is no such file or folder"
        )));
    }
    let mut claims = vec![Vec::new(); sources.len()];
    let mut found = Found::default();
    walk(&path, &sources, options, 0, &mut claims, &mut found.failures);
    if claims.iter().all(Vec::is_empty) && found.failures.is_empty() {
        let known: Vec<_> = sources.iter().map(|source| source.describe()).collect();
        return Err(Error::Invalid(format!(
            "{location}: no imagery found there; read are {}",
            known.join("; ")
        )));
    }
    let mut owned: HashSet<PathBuf> = HashSet::new();
    for (source, paths) in sources.iter().zip(claims) {
        // rasters beside a STAC item or an MTL file belong to it
        let paths: Vec<_> = if source.name() == "geotiff" {
            let described = |path: &PathBuf| is_described(path, options);
            paths
                .into_iter()
                .filter(|path| described(path) || !belongs(path, &owned))
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

/// Offers each file and folder to the sources; the first that knows it takes it, and folders taken are not entered.
fn walk(
    path: &Path,
    sources: &[&'static dyn ImagerySource],
    options: &SourceOptions,
    depth: usize,
    claims: &mut [Vec<PathBuf>],
    failures: &mut Vec<Failure>,
) {
    if let Some(index) = sources.iter().position(|source| source.detect(path, options)) {
        claims[index].push(path.to_path_buf());
        return;
    }
    if !path.is_dir() {
        return;
    }
    if depth >= MAX_DEPTH {
        let reason = format!("nested deeper than {MAX_DEPTH} folders; not looked into");
        failures.push(Failure {
            what: path.display().to_string(),
            reason,
        });
        return;
    }
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) => {
            failures.push(Failure::new(path.display(), &Error::io(path, error)));
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
        walk(&path, sources, options, depth + 1, claims, failures);
    }
}

/// Leaves out what was not asked for and what came twice, and sorts.
fn finish(mut found: Found, options: &SourceOptions) -> Found {
    let mut seen = HashSet::new();
    found
        .scenes
        .retain(|item| wanted(item, options) && seen.insert((item.collection.clone(), item.id.clone())));
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
