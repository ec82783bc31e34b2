//! Where the files of items lie in the data folder, and how they get there whole.

pub use crate::checksum::{checksum, checksum_of, hex, short_digest};

use crate::item::{Asset, Item};
use crate::{Error, Result};
use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The files of a data folder: `assets/{collection}/{year}/{item}/{asset}.tif`, made in `tmp/` and renamed.
#[derive(Clone, Debug)]
pub struct Assets {
    root: PathBuf,
    temporary: PathBuf,
    /// Checksums of files that were read whole, while they stay as they are.
    known: Arc<Mutex<HashMap<PathBuf, (Stamp, String)>>>,
}

/// What changes when a file does: inode, size, time of its content and of its entry.
type Stamp = (u64, u64, (i64, i64), (i64, i64));

fn stamp(file: &Metadata) -> Stamp {
    let times = (
        (file.mtime(), file.mtime_nsec()),
        (file.ctime(), file.ctime_nsec()),
    );
    (file.ino(), file.len(), times.0, times.1)
}

impl Assets {
    /// The asset folders under a data folder, as they are: nothing is made.
    pub fn at(data: &Path) -> Self {
        Self {
            root: data.join("assets"),
            temporary: data.join("tmp"),
            known: Arc::default(),
        }
    }

    /// Opens the asset folders under a data folder, creating them when missing.
    pub fn open(data: &Path) -> Result<Self> {
        let assets = Self::at(data);
        for folder in [&assets.root, &assets.temporary] {
            fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        }
        Ok(assets)
    }

    /// The href (relative to the assets folder) of an asset of a weekly item.
    pub fn href(item: &Item, name: &str, extension: &str) -> String {
        format!(
            "{}/{}/{}/{name}.{extension}",
            item.collection,
            item.period().year(),
            item.id
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

    /// The path of a file of ours whose bytes are those that the catalogue knows. What is made of other files is made of these:
    /// a damaged one must not become a valid new one. A file is read once and then remembered while it stays as it is.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read, [`Error::Damaged`] when its checksum is another.
    pub fn verified(&self, asset: &Asset) -> Result<PathBuf> {
        let path = self.path(&asset.href);
        let Some(expected) = &asset.sha256 else {
            return Ok(path);
        };
        let file = fs::metadata(&path).map_err(|error| Error::io(&path, error))?;
        let now = stamp(&file);
        let known = |path: &Path| {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let (then, sum) = known.get(path)?;
            (*then == now).then(|| sum.clone())
        };
        let sum = if let Some(sum) = known(&path) {
            sum
        } else {
            let (sum, _) = checksum(&path)?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(path.clone(), (now, sum.clone()));
            sum
        };
        if sum != *expected {
            let reason = "is not the file the catalogue knows (checksum differs); bring it back from a backup, or remove it \
                          and run `sen process`";
            return Err(Error::damaged(path, reason));
        }
        Ok(path)
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

    /// Moves a finished temporary file to its place, durably and at once: a reader sees the old file or the new.
    pub fn publish(&self, temporary: &Path, href: &str) -> Result<()> {
        let target = self.path(href);
        let folder = target.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let file = File::open(temporary).map_err(|error| Error::io(temporary, error))?;
        file.sync_all().map_err(|error| Error::io(temporary, error))?;
        fs::rename(temporary, &target).map_err(|error| Error::io(&target, error))?;
        let folder_file = File::open(folder).map_err(|error| Error::io(folder, error))?;
        folder_file.sync_all().map_err(|error| Error::io(folder, error))
    }

    /// Removes what killed runs left in `tmp/`: files of processes that no longer live.
    pub fn sweep(&self) -> Result<()> {
        let entries = fs::read_dir(&self.temporary).map_err(|error| Error::io(&self.temporary, error))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let process = name
                .to_str()
                .and_then(|name| name.split('-').next())
                .and_then(|id| id.parse::<u32>().ok());
            let alive = process.is_some_and(|id| Path::new(&format!("/proc/{id}")).exists());
            if !alive {
                fs::remove_file(entry.path()).map_err(|error| Error::io(entry.path(), error))?;
            }
        }
        Ok(())
    }
}
