//! Where the files of items lie in the data folder, and how they get there whole.

pub use crate::checksum::{checksum, checksum_of, hex, short_digest};

use crate::item::{Asset, Item};
use crate::object::{ObjectFile, VerifiedFiles, sum_file};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a data folder, the one door to what `sen` made: `assets/{collection}/{year}/{item}/{asset}-{checksum}.tif`, made in
/// `tmp/` and renamed. A name tells the content: a file is never replaced by another one, only a damaged one by what it was.
#[derive(Clone, Debug)]
pub struct Assets {
    root: Arc<Path>,
    temporary: Arc<Path>,
    /// What was read and fits, and what does not.
    files: Arc<VerifiedFiles>,
}

/// True for the href of a file that `sen` made; scenes and rasters of the user have paths and URLs.
pub fn is_object(href: &str) -> bool {
    !href.contains("://") && !href.starts_with('/')
}

impl Assets {
    /// The asset folders under a data folder, as they are: nothing is made.
    pub fn at(data: &Path) -> Self {
        Self {
            root: data.join("assets").into(),
            temporary: data.join("tmp").into(),
            files: Arc::default(),
        }
    }

    /// Opens the asset folders under a data folder, creating them when missing.
    pub fn open(data: &Path) -> Result<Self> {
        let assets = Self::at(data);
        for folder in [assets.root.as_ref(), assets.temporary.as_ref()] {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        Ok(assets)
    }

    /// The href (relative to the assets folder) of an asset of a weekly item whose file has this SHA-256.
    pub fn href(item: &Item, name: &str, extension: &str, sha256: &str) -> String {
        format!(
            "{}/{}/{}/{name}-{}.{extension}",
            item.collection,
            item.period().year(),
            item.id,
            sha256.get(..16).unwrap_or(sha256)
        )
    }

    /// The absolute path (or URL, unchanged) that an href of an asset names.
    pub fn path(&self, href: &str) -> PathBuf {
        if href.contains("://") || href.starts_with('/') {
            PathBuf::from(href)
        } else {
            self.root.join(href)
        }
    }

    /// Opens the file of an asset. What is read of one that `sen` made is held against its checksums, piece by piece as it is
    /// touched first; a file of the user is read as it is.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened, [`Error::Damaged`] when it is seen at once to be another.
    pub fn open_object(&self, asset: &Asset) -> Result<Arc<ObjectFile>> {
        let path = self.path(&asset.href);
        Ok(Arc::new(if is_object(&asset.href) {
            ObjectFile::of_asset(&path, asset, &self.files)?
        } else {
            ObjectFile::open(&path)?
        }))
    }

    /// Opens the file of an asset all of which fits: for who must know before it begins.
    ///
    /// # Errors
    /// As [`Assets::open_object`], and [`Error::Damaged`] wherever in the file it is another.
    pub fn open_whole(&self, asset: &Asset) -> Result<Arc<ObjectFile>> {
        let object = self.open_object(asset)?;
        object.verify_pieces()?;
        Ok(object)
    }

    /// Reads the file of an asset anew from its start to its end, whatever was read of it before. The answer is remembered for
    /// [`Assets::is_whole`].
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, [`Error::Damaged`] when its checksum is another.
    pub fn check_object(&self, asset: &Asset) -> Result<()> {
        let path = self.path(&asset.href);
        let sums = sum_file(&path)?;
        let is_other = asset
            .sha256
            .as_ref()
            .is_some_and(|expected| *expected != sums.sha256)
            || asset
                .piece_sums
                .as_ref()
                .is_some_and(|pieces| *pieces != sums.pieces);
        if is_other {
            self.files.note_damage(&asset.href);
            return Err(Error::damaged(path, crate::object::DIFFERS));
        }
        self.files.note_whole(&asset.href);
        Ok(())
    }

    /// True when the file of an asset is there with the size that its row knows, and was not found to be damaged. It is not
    /// opened.
    pub fn is_whole(&self, asset: &Asset) -> bool {
        let has_size = |file: fs::Metadata| file.len() == asset.bytes;
        !self.files.is_damaged(&asset.href) && fs::metadata(self.path(&asset.href)).is_ok_and(has_size)
    }

    /// The hrefs of files that were found to be damaged since this was opened, and not made again.
    pub fn damage(&self) -> BTreeSet<String> {
        self.files.damage()
    }

    /// The same, and forgets them: who marks them knows them from then on.
    pub fn take_damage(&self) -> BTreeSet<String> {
        self.files.take_damage()
    }

    /// Waits until a file is found to be damaged.
    pub async fn damage_met(&self) {
        self.files.damage_met().await;
    }

    /// A fresh temporary file name on the same file system as the assets.
    pub fn temporary(&self, name: &str) -> PathBuf {
        use std::sync::atomic::{AtomicU64, Ordering};
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        self.temporary.join(format!(
            "{}-{count}-{}.tmp",
            std::process::id(),
            name.replace('/', "_")
        ))
    }

    /// Moves a finished temporary file to its place, durably and at once. Where the same bytes lie there already they stay; other
    /// ones under this name are damaged, and are replaced.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder cannot be written.
    pub fn publish(&self, temporary: &Path, href: &str) -> Result<()> {
        let target = self.path(href);
        let folder = target.parent().unwrap_or(&self.root);
        if has_same_bytes(temporary, &target) {
            fs::remove_file(temporary).map_err(|error| Error::io(temporary, error))?;
        } else {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
            let file = File::open(temporary).map_err(|error| Error::io(temporary, error))?;
            file.sync_all().map_err(|error| Error::io(temporary, error))?;
            fs::rename(temporary, &target).map_err(|error| Error::io(&target, error))?;
        }
        // also of a name that a killed run has left
        let folder_file = File::open(folder).map_err(|error| Error::io(folder, error))?;
        folder_file.sync_all().map_err(|error| Error::io(folder, error))?;
        self.files.note_whole(href);
        Ok(())
    }

    /// Gives a file a further name, under which another item has it: on the disk it is one file, where the file system knows links.
    ///
    /// # Errors
    /// [`Error::Io`] when the file is not there or the folder cannot be written.
    pub fn link(&self, href: &str, further: &str) -> Result<()> {
        let (source, temporary) = (self.path(href), self.temporary("link"));
        fs::hard_link(&source, &temporary)
            .or_else(|_| fs::copy(&source, &temporary).map(drop))
            .map_err(|error| Error::io(&source, error))?;
        self.publish(&temporary, further)
    }

    /// Removes a file that nothing names any more; true when it was there.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be removed.
    pub fn remove_object(&self, href: &str) -> Result<bool> {
        let path = self.path(href);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io(&path, error)),
        }
        // a folder that holds nothing more goes with it
        if let Some(folder) = path.parent().filter(|folder| *folder != self.root.as_ref()) {
            let _ = fs::remove_dir(folder);
        }
        Ok(true)
    }

    /// Removes what killed runs left in `tmp/`. For who has the folder's write lock: nobody else writes there, whatever numbers
    /// processes have in another container or on another host.
    pub fn sweep(&self) -> Result<()> {
        let entries = fs::read_dir(&self.temporary).map_err(|error| Error::io(&self.temporary, error))?;
        for entry in entries.flatten() {
            fs::remove_file(entry.path()).map_err(|error| Error::io(entry.path(), error))?;
        }
        Ok(())
    }
}

/// True when both files are there and hold the same.
fn has_same_bytes(one: &Path, other: &Path) -> bool {
    let same = || -> std::io::Result<bool> {
        let (mut one, mut other) = (File::open(one)?, File::open(other)?);
        let mut left = one.metadata()?.len();
        if other.metadata()?.len() != left {
            return Ok(false);
        }
        let mut buffers = [vec![0; 1 << 18], vec![0; 1 << 18]];
        while left > 0 {
            let length = left.min(1 << 18) as usize;
            let [first, second] = &mut buffers;
            one.read_exact(&mut first[..length])?;
            other.read_exact(&mut second[..length])?;
            if first[..length] != second[..length] {
                return Ok(false);
            }
            left -= length as u64;
        }
        Ok(true)
    };
    same().unwrap_or(false)
}
