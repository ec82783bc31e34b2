//! `sen restore`: a data folder from a backup. Every file is held against its checksum before anything of it is in its place.

use super::check::digest;
use crate::Outcome;
use crate::archive::{ArchivedFile, FORMAT, MANIFEST, Manifest, copy_hashed, path_within};
use crate::config::{Place, UsageError};
use crate::output::Output;
use anyhow::{Context, bail};
use clap::Args;
use sen_catalog::store::{CATALOGUE_LAYOUT, SqliteStore};
use sen_catalog::{Item, ItemQuery, Store};
use sen_processing::run::Progress;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// Where a folder is put together, within itself: on the same file system, and alone in it until all is there.
const PARTS: &str = "restore.part";

/// Bring a data folder back from a backup, into the folder named by --data, which must be new or empty.
#[derive(Args)]
pub(crate) struct Restore {
    /// A file that `sen backup` made.
    file: PathBuf,
}

impl Restore {
    pub(crate) fn run(self, place: &Place, output: &Output) -> anyhow::Result<Outcome> {
        let source = File::open(&self.file)
            .map_err(|error| UsageError(format!("{} cannot be read: {error}", self.file.display())))?;
        must_be_empty(&place.data)?;
        let name = self.file.display();
        let mut archive =
            ZipArchive::new(source).with_context(|| format!("{name} is no backup of sen, or cut short"))?;
        let manifest =
            manifest(&mut archive).with_context(|| format!("{name} is no backup of sen, or damaged"))?;
        let parts = place.data.join(PARTS);
        if parts.exists() {
            // of a restore that was killed
            fs::remove_dir_all(&parts).with_context(|| format!("cannot remove {}", parts.display()))?;
        }
        fs::create_dir_all(&parts).with_context(|| format!("cannot make {}", parts.display()))?;
        let done = bring_back(&mut archive, &manifest, &parts, output)
            .with_context(|| format!("{name} is not restored"))
            .and_then(|items| {
                move_in(&parts, &place.data, &manifest)?;
                Ok(items)
            });
        output.finish();
        let items = done.inspect_err(|_| {
            let _ = fs::remove_dir_all(&parts);
        })?;
        let scenes: Vec<&Item> = items.iter().filter(|item| item.is_scene()).collect();
        let is_away = |scene: &&&Item| {
            let mut local = scene.assets.values().filter(|asset| asset.href.starts_with('/'));
            local.any(|asset| !Path::new(&asset.href).exists())
        };
        let away = scenes.iter().filter(is_away).count();
        let folder = place.data.display();
        let mut text = format!(
            "{folder}: {} items, {} files; digest {}\n",
            items.len(),
            manifest.files.len(),
            manifest.digest
        );
        for path in &manifest.left_out {
            text += &format!("failed: {path} was not in the backup; `sen process` makes it again\n");
        }
        if away > 0 {
            text += &format!(
                "note: the files of {away} of {} scenes are not on this machine: bring them to their paths, or weeks they are of \
                 stay as they are\n",
                scenes.len()
            );
        }
        output.result(
            &text,
            &json!({
                "data": place.data, "items": items.len(), "files": manifest.files.len(),
                "digest": manifest.digest, "left_out": manifest.left_out, "scenes_away": away,
            }),
        );
        Ok(if manifest.left_out.is_empty() {
            Outcome::Done
        } else {
            Outcome::Partly
        })
    }
}

/// Nothing is ever written over.
fn must_be_empty(folder: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(UsageError(format!("{} cannot be read: {error}", folder.display())).into());
        }
    };
    for entry in entries {
        let name = entry.with_context(|| folder.display().to_string())?.file_name();
        if name != PARTS {
            return Err(UsageError(format!(
                "{} is not empty ({} lies in it); restore into a new folder and name it with --data",
                folder.display(),
                name.display()
            ))
            .into());
        }
    }
    Ok(())
}

fn manifest(archive: &mut ZipArchive<File>) -> anyhow::Result<Manifest> {
    let mut text = String::new();
    archive.by_name(MANIFEST)?.read_to_string(&mut text)?;
    let manifest: Manifest = serde_json::from_str(&text)?;
    if manifest.format > FORMAT || manifest.layout > CATALOGUE_LAYOUT {
        bail!("it was made by a newer version of sen");
    }
    path_within(&manifest.catalogue)?;
    for file in &manifest.files {
        path_within(&file.path)?;
    }
    Ok(manifest)
}

/// All files, whole, and the rows and files held against the digest; gives the items.
fn bring_back(
    archive: &mut ZipArchive<File>,
    manifest: &Manifest,
    parts: &Path,
    output: &Output,
) -> anyhow::Result<Vec<Item>> {
    output.begin("files", manifest.files.iter().map(|file| file.bytes).sum());
    for file in &manifest.files {
        extract(archive, file, &parts.join(path_within(&file.path)?), output)?;
    }
    // of an older layout: brought to this one, as any folder is
    let store = SqliteStore::open(&parts.join(&manifest.catalogue))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut items = runtime.block_on(store.items(&ItemQuery::default()))?;
    let rows = runtime.block_on(store.rows_digest())?;
    let sums: BTreeMap<&str, &str> = manifest
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.sha256.as_str()))
        .collect();
    let on_disk = |asset: &sen_catalog::Asset| {
        let path = format!("assets/{}", asset.href);
        sums.get(path.as_str()).map(|&sum| sum.to_owned())
    };
    let found = digest(&mut items.clone(), &rows, on_disk)?;
    if manifest.layout == CATALOGUE_LAYOUT && found != manifest.digest {
        bail!(
            "its digest is {found}, not {} as when it was made",
            manifest.digest
        );
    }
    items.sort_by(|a, b| (&a.collection, &a.id).cmp(&(&b.collection, &b.id)));
    Ok(items)
}

/// One file to its place, when it is what was written.
fn extract(
    archive: &mut ZipArchive<File>,
    file: &ArchivedFile,
    target: &Path,
    output: &Output,
) -> anyhow::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let mut copy = || -> anyhow::Result<(String, u64)> {
        let mut entry = archive.by_name(&file.entry)?;
        let mut written = File::create(target)?;
        let copied = copy_hashed(&mut entry, &mut written, |part| output.advance(part))?;
        written.sync_all()?;
        Ok(copied)
    };
    let (sha256, _) = copy().with_context(|| format!("{} cannot be brought back", file.path))?;
    if sha256 != file.sha256 {
        bail!("{} is damaged (checksum differs)", file.path);
    }
    Ok(())
}

/// Moves all of it into the folder, the catalogue last: without it there is no folder that opens.
fn move_in(parts: &Path, folder: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let first = |path: &str| {
        Path::new(path)
            .components()
            .next()
            .map(|part| part.as_os_str().to_owned())
    };
    let catalogue = first(&manifest.catalogue);
    let mut names = Vec::new();
    for entry in fs::read_dir(parts).with_context(|| parts.display().to_string())? {
        names.push(entry.with_context(|| parts.display().to_string())?.file_name());
    }
    names.sort_by_key(|name| Some(name) == catalogue.as_ref());
    for name in names {
        let (from, to) = (parts.join(&name), folder.join(&name));
        fs::rename(&from, &to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
    }
    fs::remove_dir(parts).with_context(|| parts.display().to_string())?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| folder.display().to_string())
}
