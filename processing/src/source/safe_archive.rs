//! A SAFE product as folder or as zip. A zip is read where it lies: its list of contents is checked first, nothing
//! is unpacked to disk.

use super::Limits;
use super::scene::escapes;
use crate::gdal_io::zip_member;
use crate::{Error, Result};
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;
use zip::{CompressionMethod, ZipArchive};

/// Below this many bytes a high ratio is no bomb: empty rasters and XML pack very well.
const RATIO_FLOOR_BYTES: u64 = 64 << 20;

/// An opened product.
pub(super) enum SafePackage {
    /// A folder ending in `.SAFE`, as a rule.
    Folder(PathBuf),
    /// A zip, and the folder in it that holds the product (with `/` at its end, or empty).
    Zip { listing: Rc<Listing>, root: String },
}

/// A zip whose list of contents was read, once for all that is asked of it.
pub(super) struct Listing {
    path: PathBuf,
    stamp: Stamp,
    archive: RefCell<ZipArchive<BufReader<File>>>,
    /// Names of its files.
    names: Vec<String>,
}

/// When a file was last written and how long it is.
type Stamp = (Option<SystemTime>, u64);

thread_local! {
    /// The zip asked for last: sources are offered it one after the other, then it is read member by member.
    static LAST: RefCell<Option<Rc<Listing>>> = const { RefCell::new(None) };
}

#[cfg(test)]
thread_local! {
    /// Zips listed by this thread.
    static LISTINGS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How many zips this thread has listed.
#[cfg(test)]
pub(super) fn listings() -> usize {
    LISTINGS.get()
}

/// The list of contents of a zip.
fn listing(path: &Path) -> Result<Rc<Listing>> {
    let file = File::open(path).map_err(|error| Error::io(path, error))?;
    let metadata = file.metadata().map_err(|error| Error::io(path, error))?;
    let stamp = (metadata.modified().ok(), metadata.len());
    let known = LAST.with_borrow(|last| {
        last.clone()
            .filter(|last| last.path == path && last.stamp == stamp)
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let archive = ZipArchive::new(BufReader::new(file))
        .map_err(|error| Error::unreadable(path.display(), format!("is no whole zip archive: {error}")))?;
    let names = archive
        .file_names()
        .filter(|name| !name.ends_with('/'))
        .map(str::to_owned);
    let listing = Rc::new(Listing {
        path: path.to_path_buf(),
        stamp,
        names: names.collect(),
        archive: RefCell::new(archive),
    });
    LAST.set(Some(Rc::clone(&listing)));
    #[cfg(test)]
    LISTINGS.set(LISTINGS.get() + 1);
    Ok(listing)
}

fn is_zip(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
        && path.is_file()
}

/// True for a zip with a file that is `wanted` (by its path in the zip); for one that cannot be read at all what
/// `damaged` says, for one source shall tell of it.
pub(super) fn zip_holds(path: &Path, damaged: bool, wanted: impl Fn(&str) -> bool) -> bool {
    is_zip(path) && listing(path).map_or(damaged, |listing| listing.names.iter().any(|name| wanted(name)))
}

/// The name of a file without its folders.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl SafePackage {
    /// The products in a folder (one) or a zip (one for each file that is `wanted` by its path in the zip, which is
    /// the product's main metadata).
    ///
    /// # Errors
    /// Names the zip when it is damaged, packed in a way that is not read, would unpack outside its folder, or to an
    /// absurd size.
    pub(super) fn open_all(path: &Path, limits: &Limits, wanted: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        if path.is_dir() {
            return Ok(vec![Self::Folder(path.to_path_buf())]);
        }
        let listing = listing(path)?;
        listing.check(limits)?;
        let mut roots: Vec<String> = listing
            .names
            .iter()
            .filter(|name| wanted(name))
            .map(|name| name[..name.len() - file_name(name).len()].to_owned())
            .collect();
        roots.sort();
        roots.dedup();
        if roots.is_empty() {
            return Err(Error::unreadable(
                path.display(),
                "holds no product metadata (MTD_MSI*.xml, manifest.safe)",
            ));
        }
        let package = |root| Self::Zip {
            listing: Rc::clone(&listing),
            root,
        };
        Ok(roots.into_iter().map(package).collect())
    }

    /// Where the product lies, for messages: the folder, or the zip and the folder in it.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Zip { listing, root } if root.is_empty() => listing.path.display().to_string(),
            Self::Zip { listing, root } => {
                format!("{}/{}", listing.path.display(), root.trim_end_matches('/'))
            }
        }
    }

    /// The product's name: that of its folder, or of the zip where that has none.
    pub(super) fn name(&self) -> String {
        let place = self.place();
        let name = file_name(&place);
        let name = name.strip_suffix(".zip").unwrap_or(name);
        name.strip_suffix(".SAFE").unwrap_or(name).to_owned()
    }

    /// True when the product holds this file.
    pub(super) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Zip { listing, root } => {
                let archive = listing.archive.borrow();
                archive.index_for_name(&format!("{root}{name}")).is_some()
            }
        }
    }

    /// How GDAL reads this file.
    pub(super) fn href(&self, name: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(name).display().to_string(),
            Self::Zip { listing, root } => format!("/vsizip/{{{}}}/{root}{name}", listing.path.display()),
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
        let Self::Zip { listing, root } = self else {
            return Ok(());
        };
        let what = self.href(name);
        let damaged =
            |error: &dyn std::fmt::Display| Error::unreadable(&what, format!("cannot be unpacked: {error}"));
        let mut archive = listing.archive.borrow_mut();
        let mut member = archive
            .by_name(&format!("{root}{name}"))
            .map_err(|error| damaged(&error))?;
        let listed = member.size();
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
    if let Some((archive, member)) = zip_member(href) {
        let listing = listing(Path::new(archive))?;
        let mut archive = listing.archive.borrow_mut();
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

impl Listing {
    /// Looks through the list of contents before anything is unpacked.
    fn check(&self, limits: &Limits) -> Result<()> {
        let refused = |why: String| Err(Error::unreadable(self.path.display(), why));
        let place = self.path.to_string_lossy();
        if zip_member(&format!("/vsizip/{{{place}}}/x")) != Some((&place, "x")) {
            return refused(
                "has a single `{` or `}` in its path, which cannot be read through: rename it".into(),
            );
        }
        let mut archive = self.archive.borrow_mut();
        let mut total = 0_u64;
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).map_err(|error| {
                Error::unreadable(self.path.display(), format!("is no whole zip archive: {error}"))
            })?;
            let (name, size, packed) = (member.name(), member.size(), member.compressed_size());
            if escapes(name) {
                return refused(format!(
                    "refused: its member `{name}` would unpack outside its folder"
                ));
            }
            if size > RATIO_FLOOR_BYTES && size / packed.max(1) > limits.unpacked_ratio {
                return refused(format!(
                    "refused: its member `{name}` of {packed} bytes claims to unpack to {size}"
                ));
            }
            if member.encrypted() {
                return refused("is locked with a password: unpack it and give the folder".into());
            }
            let method = member.compression();
            if ![CompressionMethod::Stored, CompressionMethod::Deflated].contains(&method) {
                return refused(format!(
                    "its member `{name}` is packed by a method that is not read here ({method}; Windows packs large files \
                     by Deflate64): unpack it and give the folder"
                ));
            }
            total = total.saturating_add(size);
        }
        if total > limits.unpacked_bytes {
            return refused(format!(
                "would unpack to {total} bytes, more than the {} admitted",
                limits.unpacked_bytes
            ));
        }
        Ok(())
    }
}
