//! A SAFE product as folder or as zip. A zip is read where it lies: its list of contents is checked first, nothing
//! is unpacked to disk.

use super::Limits;
use super::scene::escapes;
use crate::{Error, Result};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zip::ZipArchive;

/// Below this many bytes a high ratio is no bomb: empty rasters and XML pack very well.
const RATIO_FLOOR_BYTES: u64 = 64 << 20;

/// An opened product.
pub(super) enum SafePackage {
    /// A folder ending in `.SAFE`, as a rule.
    Folder(PathBuf),
    /// A zip, the folder in it that holds the product (with `/` at its end, or empty), and its files.
    Zip {
        path: PathBuf,
        root: String,
        members: HashMap<String, u64>,
    },
}

/// True for a zip that holds a file of this name, and for one that cannot be read at all: that shall be said.
pub(super) fn zip_holds(path: &Path, wanted: impl Fn(&str) -> bool) -> bool {
    let zip = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
        && path.is_file();
    zip && match File::open(path).ok().and_then(|file| ZipArchive::new(file).ok()) {
        Some(archive) => archive
            .file_names()
            .any(|name| wanted(name.rsplit('/').next().unwrap_or(name))),
        None => true,
    }
}

impl SafePackage {
    /// Opens a product whose main metadata file is `wanted`.
    ///
    /// # Errors
    /// Names the zip when it is damaged, would unpack outside its folder, or to an absurd size.
    pub(super) fn open(path: &Path, limits: &Limits, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_path_buf()));
        }
        let damaged = |error: zip::result::ZipError| {
            Error::unreadable(path.display(), format!("is no whole zip archive: {error}"))
        };
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let mut archive = ZipArchive::new(file).map_err(damaged)?;
        let mut members = HashMap::new();
        let mut total = 0_u64;
        let mut root = None;
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).map_err(damaged)?;
            let name = member.name().to_owned();
            check_member(path, &name, member.size(), member.compressed_size(), limits)?;
            total = total.saturating_add(member.size());
            if member.is_file() {
                let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
                if wanted(file) && root.is_none() {
                    root = Some(if folder.is_empty() {
                        String::new()
                    } else {
                        format!("{folder}/")
                    });
                }
                members.insert(name, member.size());
            }
        }
        if total > limits.unpacked_bytes {
            return Err(Error::unreadable(
                path.display(),
                format!(
                    "would unpack to {total} bytes, more than the {} admitted",
                    limits.unpacked_bytes
                ),
            ));
        }
        let root = root.ok_or_else(|| {
            Error::unreadable(
                path.display(),
                "holds no product metadata (MTD_MSI*.xml, manifest.safe)",
            )
        })?;
        Ok(Self::Zip {
            path: path.to_path_buf(),
            root,
            members,
        })
    }

    /// True when the product holds this file.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Zip { root, members, .. } => members.contains_key(&format!("{root}{name}")),
        }
    }

    /// How GDAL reads this file.
    pub(super) fn href(&self, name: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(name).display().to_string(),
            Self::Zip { path, root, .. } => format!("/vsizip/{{{}}}/{root}{name}", path.display()),
        }
    }

    /// A text file of the product.
    pub(super) fn text(&self, name: &str, limits: &Limits) -> Result<String> {
        let what = self.href(name);
        let mut bytes = Vec::new();
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let file = File::open(&path).map_err(|error| Error::io(&path, error))?;
                let mut file = file.take(limits.document_bytes + 1);
                file.read_to_end(&mut bytes)
                    .map_err(|error| Error::io(&path, error))?;
            }
            Self::Zip { .. } => {
                self.unpack(name, limits.document_bytes, |chunk| {
                    bytes.extend_from_slice(chunk);
                })?;
            }
        }
        if bytes.len() as u64 > limits.document_bytes {
            return Err(Error::unreadable(
                what,
                format!("is longer than {} bytes", limits.document_bytes),
            ));
        }
        String::from_utf8(bytes).map_err(|_| Error::unreadable(what, "is not UTF-8 text"))
    }

    /// Reads a zipped file through once, so that one that is damaged or longer than listed is found now and not in
    /// the middle of the work. Nothing to do for a folder.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Zip { .. } => self.unpack(name, u64::MAX, |_| ()),
        }
    }

    fn unpack(&self, name: &str, limit: u64, mut sink: impl FnMut(&[u8])) -> Result<()> {
        let Self::Zip { path, root, members } = self else {
            return Ok(());
        };
        let what = self.href(name);
        let member_name = format!("{root}{name}");
        let listed = members.get(&member_name).copied().unwrap_or(0);
        let damaged =
            |error: &dyn std::fmt::Display| Error::unreadable(&what, format!("cannot be unpacked: {error}"));
        let file = File::open(path).map_err(|error| Error::io(path, error))?;
        let mut archive = ZipArchive::new(file).map_err(|error| damaged(&error))?;
        let mut member = archive.by_name(&member_name).map_err(|error| damaged(&error))?;
        let mut buffer = vec![0; 1 << 16];
        let mut read = 0;
        loop {
            let count = match member.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(damaged(&error)),
            };
            read += count as u64;
            if read > listed || read > limit.saturating_add(1 << 16) {
                return Err(Error::unreadable(
                    &what,
                    format!("unpacks to more than the {listed} bytes it is listed with"),
                ));
            }
            sink(&buffer[..count]);
        }
        if read < listed {
            return Err(Error::unreadable(
                &what,
                format!("unpacks to {read} bytes, is listed with {listed}"),
            ));
        }
        Ok(())
    }
}

/// A text file of a product by its href (see [`SafePackage::href`]).
///
/// # Errors
/// Names the file when it is absent, damaged, too long for metadata or no text.
pub(crate) fn text_at(href: &str) -> Result<String> {
    let limit = Limits::default().document_bytes;
    let absent = |error: &dyn std::fmt::Display| Error::unreadable(href, format!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    let zipped = href
        .strip_prefix("/vsizip/{")
        .and_then(|rest| rest.split_once("}/"));
    if let Some((archive, member)) = zipped {
        let file = File::open(archive).map_err(|error| Error::io(archive, error))?;
        let mut archive = ZipArchive::new(file).map_err(|error| absent(&error))?;
        let member = archive.by_name(member).map_err(|error| absent(&error))?;
        member
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| absent(&error))?;
    } else {
        let file = File::open(href).map_err(|error| Error::io(href, error))?;
        file.take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| Error::io(href, error))?;
    }
    if bytes.len() as u64 > limit {
        return Err(Error::unreadable(href, format!("is longer than {limit} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| Error::unreadable(href, "is not UTF-8 text"))
}

fn check_member(path: &Path, name: &str, size: u64, packed: u64, limits: &Limits) -> Result<()> {
    if escapes(name) {
        return Err(Error::unreadable(
            path.display(),
            format!("refused: its member `{name}` would unpack outside its folder"),
        ));
    }
    if size > RATIO_FLOOR_BYTES && size / packed.max(1) > limits.unpacked_ratio {
        return Err(Error::unreadable(
            path.display(),
            format!("refused: its member `{name}` of {packed} bytes claims to unpack to {size}"),
        ));
    }
    Ok(())
}
