//! `sen backup`: the data folder as one file, while it is served and weeks are made.
//!
//! The rows are copied as they are at one moment, then the files that they name. A file that was replaced in between is not the
//! one its row knows: the rows are copied anew then, until rows and files fit.

use super::check::digest;
use super::stopping;
use crate::Outcome;
use crate::archive::{ArchivedFile, FORMAT, MANIFEST, Manifest, copy_hashed, path_within};
use crate::config::{Data, Place, UsageError};
use crate::output::Output;
use anyhow::{Context, bail};
use clap::Args;
use sen_catalog::asset::is_object;
use sen_catalog::store::{CATALOGUE_LAYOUT, SqliteStore};
use sen_catalog::{Item, ItemQuery, Store};
use sen_processing::phenology::KEPT_LOOKS;
use sen_processing::run::Progress;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Times that rows are copied at most; each time the files of weeks that were remade meanwhile are read anew.
const MOST_COPIES: usize = 5;

/// Write the catalogue, sen.toml and all files that sen made into one file; the service and a run may go on meanwhile. Scenes and
/// rasters of one's own stay where they lie and are not in it.
#[derive(Args)]
pub(crate) struct Backup {
    /// The file to make, such as sen-2026-08-24.zip; one that is there already is never overwritten.
    file: PathBuf,
}

/// A file that goes unless it was finished.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A file that rows name: its path in the folder and the checksum they know.
type NamedFile = (String, String);

/// The archive while it is written.
struct Archive<'a> {
    zip: ZipWriter<File>,
    name: &'a Path,
    written: usize,
    /// What was written, by path and checksum.
    files: BTreeMap<NamedFile, ArchivedFile>,
    cancelled: &'a AtomicBool,
    output: &'a Output,
}

impl Archive<'_> {
    /// Adds a file as it is now; its checksum.
    fn add(&mut self, path: &str, file: &Path) -> anyhow::Result<ArchivedFile> {
        if self.cancelled.load(Ordering::Relaxed) {
            bail!("stopped; no backup was made");
        }
        let mut source = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
        self.written += 1;
        let entry = format!("files/{}", self.written);
        // rasters are compressed already
        let method = if path.ends_with(".tif") {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .large_file(true);
        let name = self.name.display();
        self.zip
            .start_file(&entry, options)
            .with_context(|| format!("{name} cannot be written"))?;
        let (sha256, bytes) = copy_hashed(&mut source, &mut self.zip, |part| self.output.advance(part))
            .with_context(|| format!("{} to {name}", file.display()))?;
        let path = path.to_owned();
        Ok(ArchivedFile {
            entry,
            path,
            sha256,
            bytes,
        })
    }

    /// Adds the files that rows name, where they are those that the rows know; gives those that are not.
    fn add_named(&mut self, data: &Data, named: Vec<NamedFile>) -> anyhow::Result<Vec<NamedFile>> {
        let mut others = Vec::new();
        for (path, sha256) in named {
            let key = (path, sha256);
            if self.files.contains_key(&key) {
                continue;
            }
            let file = data.folder.join(&key.0);
            match file.exists().then(|| self.add(&key.0, &file)).transpose()? {
                Some(added) if added.sha256 == key.1 => {
                    self.files.insert(key, added);
                }
                _ => others.push(key),
            }
        }
        Ok(others)
    }
}

/// The files of items in the assets folder, as paths in the data folder.
fn named_files(items: &[Item]) -> Vec<NamedFile> {
    let assets = items.iter().flat_map(|item| item.assets.values());
    let named: BTreeSet<NamedFile> = assets
        .filter(|asset| is_object(&asset.href))
        .filter_map(|asset| Some((format!("assets/{}", asset.href), asset.sha256.clone()?)))
        .collect();
    // layers of a week share files
    named.into_iter().collect()
}

/// The rows as they were copied.
struct CopiedRows {
    store: SqliteStore,
    items: Vec<Item>,
}

impl Backup {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        if self.file.exists() {
            return Err(UsageError(format!(
                "{} is there already; name a file that is not",
                self.file.display()
            ))
            .into());
        }
        let data = place.open_to_serve()?;
        let catalogue = data.config.store.0.clone();
        path_within(&catalogue).map_err(|_| {
            UsageError(format!(
                "store = \"{catalogue}\" lies outside the data folder; a backup is of one folder"
            ))
        })?;
        let (runtime, cancelled) = stopping::runtime()?;
        let beside = |ending: &str| {
            let mut name = self.file.as_os_str().to_owned();
            name.push(ending);
            Unfinished(PathBuf::from(name))
        };
        let (part, rows) = (beside(".part"), beside(".rows"));
        let zip = File::create(&part.0)
            .map_err(|error| UsageError(format!("{} cannot be written: {error}", part.0.display())))?;
        let mut archive = Archive {
            zip: ZipWriter::new(zip),
            name: &self.file,
            written: 0,
            files: BTreeMap::new(),
            cancelled: &cancelled,
            output,
        };
        let (copied, left_out) = runtime.block_on(copy_all(&mut archive, &data, &rows.0))?;
        let named = named_files(&copied.items);
        let mut files: Vec<ArchivedFile> = named
            .iter()
            .filter_map(|key| archive.files.get(key).cloned())
            .collect();
        let kept: BTreeMap<&str, &str> = files
            .iter()
            .map(|file| (file.path.as_str(), file.sha256.as_str()))
            .collect();
        let digest = digest(
            &mut copied.items.clone(),
            &runtime.block_on(copied.store.rows_digest())?,
            |asset| {
                kept.get(format!("assets/{}", asset.href).as_str())
                    .map(|&sum| sum.to_owned())
            },
        )?;
        let items = copied.items.len();
        drop(copied);
        files.push(archive.add(&catalogue, &rows.0)?);
        files.extend(beside_rows(&mut archive, place, &data)?);
        let manifest = Manifest {
            format: FORMAT,
            layout: CATALOGUE_LAYOUT,
            digest,
            catalogue,
            files,
            left_out,
        };
        let bytes = finish(archive, &manifest)?;
        fs::rename(&part.0, &self.file)
            .with_context(|| format!("{} cannot be written", self.file.display()))?;
        output.finish();
        let mut text = format!(
            "{}: {items} items, {} files, {:.1} MB; digest {}\n",
            self.file.display(),
            manifest.files.len(),
            bytes as f64 / 1e6,
            manifest.digest
        );
        for path in &manifest.left_out {
            text += &format!(
                "failed: {path} is gone or not the file the catalogue knows; `sen check` says more\n"
            );
        }
        output.result(
            &text,
            &json!({
                "file": self.file, "items": items, "files": manifest.files.len(), "bytes": bytes,
                "digest": manifest.digest, "left_out": manifest.left_out,
            }),
        );
        Ok(if manifest.left_out.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly
        })
    }
}

/// The rows of one moment with all files that they name in the archive, and the paths of those that could not be had.
async fn copy_all(
    archive: &mut Archive<'_>,
    data: &Data,
    rows: &Path,
) -> anyhow::Result<(CopiedRows, Vec<String>)> {
    let mut before: Vec<NamedFile> = Vec::new();
    let mut copies = 0;
    loop {
        copies += 1;
        data.store.copy_rows(rows).await?;
        let store = SqliteStore::open_read_only(rows)?;
        let items = store.items(&ItemQuery::default()).await?;
        let named = named_files(&items);
        let total = items
            .iter()
            .flat_map(|item| item.assets.values())
            .filter(|asset| !asset.href.starts_with('/'));
        archive
            .output
            .begin("files", total.map(|asset| asset.bytes).sum());
        let others = archive.add_named(data, named)?;
        // what the same rows named twice is no week that was remade meanwhile
        if others == before || copies == MOST_COPIES {
            let left_out = others.into_iter().map(|(path, _)| path).collect();
            return Ok((CopiedRows { store, items }, left_out));
        }
        before = others;
    }
}

/// What lies beside rows and the files they name: the settings, and what was sampled of scenes.
fn beside_rows(archive: &mut Archive<'_>, place: &Place, data: &Data) -> anyhow::Result<Vec<ArchivedFile>> {
    let mut files = Vec::new();
    let settings = place
        .config
        .clone()
        .unwrap_or_else(|| data.folder.join("sen.toml"));
    if settings.exists() {
        files.push(archive.add("sen.toml", &settings)?);
    }
    let mut looks = Vec::new();
    super::check::list(&data.assets.path(KEPT_LOOKS), 0, &mut looks).map_err(anyhow::Error::msg)?;
    for look in looks {
        let path = look.strip_prefix(&data.folder)?.to_string_lossy().into_owned();
        files.push(archive.add(&path, &look)?);
    }
    Ok(files)
}

/// Writes what the archive holds, and brings it to the disk; its size.
fn finish(archive: Archive<'_>, manifest: &Manifest) -> anyhow::Result<u64> {
    let Archive { mut zip, name, .. } = archive;
    let write = || -> anyhow::Result<u64> {
        zip.start_file(MANIFEST, SimpleFileOptions::default())?;
        zip.write_all(serde_json::to_string_pretty(manifest)?.as_bytes())?;
        let file = zip.finish()?;
        file.sync_all()?;
        Ok(file.metadata()?.len())
    };
    write().with_context(|| format!("{} cannot be written", name.display()))
}
