//! What a process knows of the files it has read: which pieces fit their checksums, and which files do not.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Most files that are remembered: ten years of a province are some 30,000, at about 200 bytes each.
const MOST_FILES: usize = 65_536;

/// What changes when a file does (device, inode, size, time of its content and of its entry), and what it is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileState {
    place: (u64, u64),
    size: u64,
    changed: (i64, i64),
    entered: (i64, i64),
    expected: u64,
}

impl FileState {
    /// Of a file that should have this SHA-256.
    pub(super) fn new(file: &Metadata, sha256: &str) -> Self {
        let start = sha256.get(..16).unwrap_or_default();
        Self {
            place: (file.dev(), file.ino()),
            size: file.len(),
            changed: (file.mtime(), file.mtime_nsec()),
            entered: (file.ctime(), file.ctime_nsec()),
            expected: u64::from_str_radix(start, 16).unwrap_or_default(),
        }
    }
}

/// Which pieces of a file were read and fit.
#[derive(Debug)]
pub(super) struct VerifiedPieces(Box<[AtomicU64]>);

impl VerifiedPieces {
    fn new(pieces: usize) -> Self {
        Self((0..pieces.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(super) fn contains(&self, piece: usize) -> bool {
        let word = self.0.get(piece / 64);
        word.is_some_and(|word| word.load(Ordering::Acquire) >> (piece % 64) & 1 == 1)
    }

    pub(super) fn insert(&self, piece: usize) {
        if let Some(word) = self.0.get(piece / 64) {
            word.fetch_or(1 << (piece % 64), Ordering::Release);
        }
    }
}

/// A file that was read, and when it was opened last, counted in opens.
type KnownFile = (Arc<VerifiedPieces>, u64);

/// See the module. One for all readers of a process.
#[derive(Debug, Default)]
pub(crate) struct VerifiedFiles {
    files: Mutex<(HashMap<FileState, KnownFile>, u64)>,
    /// Hrefs of files that did not fit.
    damaged: Mutex<BTreeSet<String>>,
    /// Told when one more was met.
    met: Notify,
}

impl VerifiedFiles {
    /// What is known of a file of so many pieces, as it is now.
    pub(super) fn pieces(&self, state: FileState, pieces: usize) -> Arc<VerifiedPieces> {
        let mut known = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (files, opens) = &mut *known;
        *opens += 1;
        if files.len() >= MOST_FILES && !files.contains_key(&state) {
            // a quarter at once, so that the search for the oldest is rare
            let mut uses: Vec<u64> = files.values().map(|(_, used)| *used).collect();
            let (_, &mut limit, _) = uses.select_nth_unstable(MOST_FILES / 4);
            files.retain(|_, (_, used)| *used > limit);
        }
        let (verified, used) = files
            .entry(state)
            .or_insert_with(|| (Arc::new(VerifiedPieces::new(pieces)), 0));
        *used = *opens;
        Arc::clone(verified)
    }

    fn damaged_set(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the file of an href is not as it was written.
    pub(crate) fn note_damage(&self, href: &str) {
        self.damaged_set().insert(href.to_owned());
        self.met.notify_one();
    }

    /// Notes that it is as it was written again.
    pub(crate) fn note_whole(&self, href: &str) {
        self.damaged_set().remove(href);
    }

    pub(crate) fn is_damaged(&self, href: &str) -> bool {
        self.damaged_set().contains(href)
    }

    /// The hrefs that were met damaged and not mended since.
    pub(crate) fn damage(&self) -> BTreeSet<String> {
        self.damaged_set().clone()
    }

    /// The same, and forgets them.
    pub(crate) fn take_damage(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.damaged_set())
    }

    /// Waits until damage is met.
    pub(crate) async fn damage_met(&self) {
        self.met.notified().await;
    }
}
