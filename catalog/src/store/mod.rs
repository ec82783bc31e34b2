//! Rows: what items exist. One small trait by noun; each backend passes [`conformance`].

mod admin_units;
pub mod conformance;
mod fires;
mod inundations;
mod keys;
mod ledger;
mod lock;
mod objects;
mod observations;
mod sqlite;
mod stage;
mod withdrawals;

pub use admin_units::{AdminUnits, UnitQuery};
pub use fires::{Basis, Fires};
pub use inundations::Inundations;
pub use keys::{Key, Keys};
pub use ledger::Ledger;
pub use lock::WriteLock;
pub use objects::{ObjectRow, ObjectRows};
pub use observations::{LOOK_BACK, NewDatastream, ObservationQuery, Observations};
pub use sqlite::{CATALOGUE_LAYOUT, SqliteStore};
pub use stage::Stage;
use withdrawals::nothing_there;
pub use withdrawals::{Withdrawal, WithdrawalTarget, Withdrawals};

use crate::calibration::Calibration;
use crate::disclosure::DisclosurePolicy;
use crate::feature::{Feature, Layer, Sought};
use crate::grid::{Bounds, Grid};
use crate::item::Item;
use crate::period::Period;
use crate::season::Season;
use crate::{Error, Result};
use async_trait::async_trait;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What to list: all given conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct ItemQuery {
    /// Only this collection.
    pub collection: Option<String>,
    /// First week (included).
    pub from: Option<Period>,
    /// Last week (included).
    pub to: Option<Period>,
    /// Only items whose box meets this one (lon/lat degrees).
    pub bbox: Option<Bounds>,
    /// Newest first instead of oldest first.
    pub newest_first: bool,
    /// At most so many.
    pub limit: Option<usize>,
    /// Without the first so many: the way to page; counts only beside a limit.
    pub skip: usize,
}

impl ItemQuery {
    /// All items of a collection, oldest first.
    pub fn collection(name: impl Into<String>) -> Self {
        Self {
            collection: Some(name.into()),
            ..Self::default()
        }
    }
}

/// Which features: all given conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct FeatureQuery {
    /// Only this layer.
    pub layer: Option<String>,
    /// Only features whose box meets this one (lon/lat degrees).
    pub bbox: Option<Bounds>,
    /// Only features whose codes or name hold this text, without regard to accents, case, spaces and dashes.
    pub text: Option<String>,
    /// Only children of this code.
    pub parent: Option<String>,
    /// Only features whose own code is of this scheme.
    pub scheme: Option<String>,
    /// Only features valid on this day; none: of all times.
    pub valid_on: Option<NaiveDate>,
    /// Only features whose property is one of the values.
    pub properties: Vec<(String, Vec<Sought>)>,
    /// Only features after this `fid`: the way to page, as features come in the order of `fid`.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: Option<usize>,
}

impl FeatureQuery {
    /// All features of a layer, of all times.
    pub fn layer(name: impl Into<String>) -> Self {
        Self {
            layer: Some(name.into()),
            ..Self::default()
        }
    }
}

/// What a put did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The identity was new.
    Added,
    /// The identity was known and something about it changed.
    Changed,
    /// Nothing to do.
    Unchanged,
}

/// Features by layer: zones, stations, lines.
#[async_trait]
pub trait Features: Send + Sync {
    /// Takes features away for good, with their texts and boxes, and inserts or replaces others by identity (layer, scheme, code,
    /// valid from), all or nothing; outcomes in order, and how many were taken away. An identity keeps its `fid`. Readers see all
    /// of it or nothing. Many are written in slices: others write between them, and where this future is dropped or its process
    /// killed nothing of them is ever seen (see [`Features::finish_batches`]); two of these at a time only within one process.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty geometry or a mixture of shapes.
    async fn change_features(&self, features: Vec<Feature>, gone: &[i64]) -> Result<(Vec<Put>, usize)>;

    /// Deletes what a change that was dropped or killed has left behind, in slices too. For who writes alone into the folder: it
    /// ends a change under way elsewhere.
    async fn finish_batches(&self) -> Result<()>;

    /// Inserts or replaces features, see [`Features::change_features`].
    async fn put_features(&self, features: Vec<Feature>) -> Result<Vec<Put>> {
        Ok(self.change_features(features, &[]).await?.0)
    }

    /// Takes features away, see [`Features::change_features`]; how many there were.
    async fn delete_features(&self, fids: &[i64]) -> Result<usize> {
        Ok(self.change_features(Vec::new(), fids).await?.1)
    }

    /// The layers that hold features, by name.
    async fn layers(&self) -> Result<Vec<Layer>>;

    /// Features by query, in the order of `fid`.
    async fn features(&self, query: &FeatureQuery) -> Result<Vec<Feature>>;

    /// How many features the query finds, whatever its `limit` and `after`.
    async fn count_features(&self, query: &FeatureQuery) -> Result<u64>;

    /// Only the `fid`s of what the query finds, rising: much cheaper than the features themselves.
    async fn fids(&self, query: &FeatureQuery) -> Result<Vec<i64>> {
        let features = self.features(query).await?;
        Ok(features.into_iter().map(|feature| feature.fid).collect())
    }

    /// Features of all layers whose codes or name hold the text (see [`crate::feature::fold`]), best first: the code
    /// itself, codes that begin with it, further codes and names that do, then the rest, shorter texts first.
    async fn search(&self, text: &str, limit: usize) -> Result<Vec<Feature>> {
        let query = FeatureQuery {
            text: Some(text.to_owned()),
            limit: Some(limit),
            ..FeatureQuery::default()
        };
        self.features(&query).await
    }

    /// All features of a layer that have the code, of every scheme and time: those whose own code it is before those with it
    /// as a further one, then the newest first.
    async fn versions(&self, layer: &str, code: &str) -> Result<Vec<Feature>>;

    /// The feature of a layer with the code (or further code) on the day; without a day the newest of that code.
    async fn feature(&self, layer: &str, code: &str, day: Option<NaiveDate>) -> Result<Option<Feature>> {
        let versions = self.versions(layer, code).await?;
        let valid = |one: &Feature| day.is_none_or(|day| one.valid_on(day));
        Ok(versions.into_iter().find(valid))
    }
}

/// Crops of plots.
#[async_trait]
pub trait Seasons: Send + Sync {
    /// Replaces the crops of each feature, all or nothing; gives the number of features whose crops changed. The revision
    /// moves only when there are any.
    async fn put_seasons(&self, seasons: Vec<(i64, Vec<Season>)>) -> Result<usize>;

    /// The crops of a feature, in order of time.
    async fn seasons(&self, fid: i64) -> Result<Vec<Season>>;

    /// The crops of many features; those without any are left out.
    async fn seasons_of(&self, fids: &[i64]) -> Result<BTreeMap<i64, Vec<Season>>>;

    /// What the crops of a layer were last made from, if they ever were.
    async fn calendar_digest(&self, layer: &str) -> Result<Option<String>>;

    /// Keeps what the crops of a layer were made from. Does not move the revision.
    async fn put_calendar_digest(&self, layer: &str, digest: &str) -> Result<()>;
}

/// Corrections of satellite values, every version of them.
#[async_trait]
pub trait Calibrations: Send + Sync {
    /// Adds a version, unless the newest one was made of the same inputs; the version that holds it.
    async fn put_calibration(&self, calibration: &Calibration) -> Result<u32>;

    /// The versions for a property and a layer, newest first.
    async fn calibrations(&self, property: &str, collection: &str) -> Result<Vec<Calibration>>;

    /// Every version there is, by layer, then property, newest first.
    async fn all_calibrations(&self) -> Result<Vec<Calibration>>;
}

/// The catalogue's rows: items here, the other nouns in small traits of their own.
#[async_trait]
pub trait Store:
    AdminUnits
    + Calibrations
    + Features
    + Fires
    + Inundations
    + Keys
    + Ledger
    + ObjectRows
    + Observations
    + Seasons
    + Withdrawals
    + Send
    + Sync
    + std::fmt::Debug
{
    /// Inserts or replaces the item (key: collection and id).
    async fn put_item(&self, item: &Item) -> Result<()>;

    /// Inserts or replaces items, all or nothing.
    async fn put_items(&self, items: Vec<Item>) -> Result<()>;

    /// Removes an item; true when it was there.
    async fn delete_item(&self, collection: &str, id: &str) -> Result<bool>;

    /// One item.
    async fn item(&self, collection: &str, id: &str) -> Result<Option<Item>>;

    /// Items by query, ordered by start, then collection, then id.
    async fn items(&self, query: &ItemQuery) -> Result<Vec<Item>>;

    /// Names of the collections that hold items, sorted.
    async fn collections(&self) -> Result<Vec<String>>;

    /// A number that grows with every change: readers keep what they cached while it stands still.
    async fn revision(&self) -> Result<u64>;

    /// Lower-case hex SHA-256 over the rows of every other noun, in the order of their keys, without the numbers that
    /// the store gave and the times at which rows arrived: two stores of the same contents have the same digest.
    async fn rows_digest(&self) -> Result<String>;

    /// The grid that all weeks are made on, once it was decided.
    async fn grid(&self) -> Result<Option<Grid>>;

    /// Keeps the grid that all weeks are made on.
    async fn put_grid(&self, grid: &Grid) -> Result<()>;

    /// What is wrong with the rows as they are stored: whatever is not as it was written. Empty when all is well.
    async fn damage(&self) -> Result<Vec<String>>;

    /// The view of a run, which stages what it writes until a group of it is whole; none where nobody else reads the rows. One run
    /// at a time has it.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Io`] when it cannot be opened.
    async fn open_stage(&self) -> Result<Option<Arc<dyn Stage>>>;

    /// Writes all rows as they are at one moment into a file of their own, which opens as a store; what lies there goes.
    /// Writers go on meanwhile.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Store`] when the file cannot be written whole.
    async fn copy_rows(&self, target: &Path) -> Result<()>;

    /// The same store as the public may read it: features come without what the policy calls private, and nothing private can
    /// be filtered by, searched for or counted; the revisions of store and layers, of which validators are made, differ from
    /// those of another policy.
    fn disclosed(&self, policy: Arc<DisclosurePolicy>) -> Arc<dyn Store>;

    /// The newest item of the query. Indexed: its cost does not grow with the number of items.
    async fn newest(&self, query: &ItemQuery) -> Result<Option<Item>> {
        let query = ItemQuery {
            newest_first: true,
            limit: Some(1),
            ..query.clone()
        };
        Ok(self.items(&query).await?.pop())
    }

    /// Errors when the store cannot answer (for readiness probes).
    async fn ping(&self) -> Result<()> {
        self.revision().await.map(|_| ())
    }
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To write; it is made where it is missing.
    Write,
    /// To write where that is possible, else to read.
    WriteOrRead,
    /// To read; nothing is made or changed.
    Read,
}

/// Opens the store that `url` names, to write; a relative or absolute path is a SQLite file under `data`.
///
/// # Errors
/// [`Error::Invalid`] for an unknown scheme, otherwise what the backend says.
pub fn open(url: &str, data: &Path) -> Result<Arc<dyn Store>> {
    open_for(url, data, Access::Write)
}

/// Opens the store that `url` names; a relative or absolute path is a SQLite file under `data`.
///
/// # Errors
/// [`Error::Invalid`] for an unknown scheme, [`Error::Damaged`] for a catalogue that is gone or empty although the folder holds
/// files that it must know, otherwise what the backend says.
pub fn open_for(url: &str, data: &Path, access: Access) -> Result<Arc<dyn Store>> {
    let path = match url.split_once("://") {
        None => data.join(url),
        Some(("sqlite", path)) => data.join(path),
        Some(("memory", _)) => return Ok(Arc::new(SqliteStore::in_memory()?)),
        Some((scheme, _)) => {
            return Err(Error::Invalid(format!(
                "store `{scheme}://` is not known here; use a file name such as catalog.sqlite"
            )));
        }
    };
    let size = std::fs::metadata(&path).map(|file| file.len());
    if !size.is_ok_and(|size| size > 0) && holds_files(&data.join("assets")) {
        return Err(Error::damaged(
            path,
            "the catalogue is missing or empty, although assets/ holds files; bring it back from a backup, or move assets/ \
             away to begin anew",
        ));
    }
    // nobody makes weeks while the layout changes under them; a folder that cannot be locked cannot be written either
    let is_older = access != Access::Read && SqliteStore::is_older(&path);
    let _lock = is_older
        .then(|| WriteLock::take(data))
        .transpose()
        .or_else(|error| {
            if matches!(error, Error::Io { .. }) {
                Ok(None)
            } else {
                Err(error)
            }
        })?;
    Ok(Arc::new(match access {
        Access::Write => SqliteStore::open(&path)?,
        Access::WriteOrRead => SqliteStore::open_or_read(&path)?,
        Access::Read => SqliteStore::open_read_only(&path)?,
    }))
}

/// True when there is a file under a folder.
fn holds_files(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds_files(&entry.path()),
            Ok(_) => true,
            Err(_) => false,
        })
    })
}
